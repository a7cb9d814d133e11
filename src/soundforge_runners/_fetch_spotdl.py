"""spotdl 4.6 by its Python API.

What it hides is brought out: the cause of a failure (in its log, at DEBUG, and in ``Downloader.errors``), real
percentages (``web_ui``), every candidate with its score (it tells only the best). It writes below HOME, which is our
folder.
"""

import json
import logging
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from soundforge_runners._fetch_audio import ffmpeg_path
from soundforge_runners._fetch_failure import Failed, read_failure, words_of
from soundforge_runners._fetch_match import score
from soundforge_runners._fetch_request import EXTRACTORS, MOST_FOUND, Found, Way, check_announced

_SURE = 80.0
_UNSURE = 79.0  # without a length to compare only YouTube Music's own songs are sure
_WORDS = 500
_SEARCHES = ("youtube-music", "youtube")


class Spotdl:
    """Searches by spotdl's rules, fetches what YouTube holds as M4A."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._said = _Said()
        for name in ("spotdl", "yt_dlp"):
            logging.getLogger(name).setLevel(logging.DEBUG)
            logging.getLogger(name).addHandler(self._said)

    @property
    def version(self) -> str:
        """E.g. ``spotdl 4.6.0``."""
        from importlib.metadata import version

        return f"spotdl {version('spotdl')}"

    def find(self, song: dict[str, Any]) -> list[Found]:
        """Ask YouTube Music, and YouTube too unless that was sure; what no rule likes has a score near 0."""
        wanted, found, causes = spotdl_song(song), [], []
        for name in _SEARCHES:
            try:
                found += self._search(name, wanted, song)
            except Exception as error:  # noqa: BLE001 - the next one may know; if not, this is the cause
                causes += words_of(error)
            if any(one.score >= _SURE for one in found):
                break
            self._way.progress(50, "searching")
        if causes and not found:
            raise read_failure(*causes, *self._said.lines)
        return found

    def fetch(self, song: dict[str, Any], url: str) -> tuple[Path, Found]:
        """Fetch one video; tags come later, with the cover."""
        downloader = self._downloader()
        page = self._read(downloader, url)
        wanted = spotdl_song(song if song["title"] else {**song, "title": page.title, "artists": [page.channel]})
        wanted.download_url = url
        _, path = downloader.download_song(wanted)
        if path is None or not Path(path).is_file():
            raise read_failure(*downloader.errors, *self._said.lines, "spotdl said that it was done and left no file")
        return Path(path), page

    def _read(self, downloader: Any, url: str) -> Found:
        """Ask what the page says: its length is needed before the first byte, and to know a file that broke off."""
        try:
            page = downloader.audio_providers[0].get_download_metadata(url)
        except Exception as error:
            raise read_failure(*words_of(error), *self._said.lines) from error
        if page.get("is_live") or page.get("live_status") in ("is_live", "is_upcoming", "post_live"):
            raise Failed("source_not_finished", f"live status {page.get('live_status')}")
        found = Found(url, str(page.get("title") or ""), str(page.get("uploader") or ""), page.get("duration"))
        check_announced(found, self._way)
        return found

    def _search(self, name: str, wanted: Any, song: dict[str, Any]) -> list[Found]:
        from spotdl.download.downloader import AUDIO_PROVIDERS
        from spotdl.utils.formatter import create_song_title

        provider = AUDIO_PROVIDERS[name](output_format="m4a", yt_dlp_args=self._arguments())
        words = create_song_title(wanted.name, wanted.artists).lower()
        searches: list[tuple[str, dict[str, Any]]] = (
            [(wanted.isrc, {})] if wanted.isrc and provider.SUPPORTS_ISRC else []
        )
        searches += [(words, options) for options in provider.GET_RESULTS_OPTS]
        found: list[Found] = []
        for query, options in searches:
            found += _scored(provider.get_results(query, **options), wanted, song)
            if any(one.score >= _SURE for one in found):
                break
        return found

    def _downloader(self) -> Any:
        from spotdl.download.downloader import Downloader
        from spotdl.download.progress_handler import ProgressHandler

        settings = {
            "load_config": False,
            "audio_providers": ["youtube"],  # only ever given an address; this one asks nothing when it is made
            "lyrics_providers": [],
            "threads": 1,
            "simple_tui": True,
            "format": "m4a",
            "bitrate": "disable",  # moves the stream as it came
            "output": str(self._way.folder / "source.{output-ext}"),
            "overwrite": "force",
            "ffmpeg": ffmpeg_path(),
            "cookie_file": self._way.cookies,
            "yt_dlp_args": self._arguments(),
        }
        downloader = Downloader(settings)
        downloader.progress_handler = ProgressHandler(simple_tui=True, web_ui=True, update_callback=self._teller())
        return downloader

    def _teller(self) -> Callable[[Any, str], None]:
        def tell(tracker: Any, _message: str) -> None:
            self._way.progress(5 + 0.8 * float(tracker.progress), "downloading")

        return tell

    def _arguments(self) -> str:
        """What spotdl hands to yt-dlp: constants and numbers of ours alone."""
        parts = [
            "--format",
            "bestaudio[ext=m4a]",
            "--no-playlist",
            "--flat-playlist",
            "--no-cache-dir",
            "--socket-timeout",
            "20",
        ]
        parts += ["--use-extractors", ",".join(EXTRACTORS), "--max-filesize", str(self._way.max_bytes)]
        parts += ["--proxy", self._way.proxy, "--ffmpeg-location", ffmpeg_path(), "--retries", "3"]
        return shlex.join([*parts, "--fragment-retries", "3", "--extractor-retries", "1", "--ignore-config"])


class _Said(logging.Handler):
    """Keeps the lines of a log in which a cause may stand."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what says ERROR, whatever its level: spotdl tells a cause at DEBUG."""
        text = record.getMessage()
        if record.levelno >= logging.ERROR or "ERROR" in text or "larger than max-filesize" in text:
            self.lines.append(text[:_WORDS])


def spotdl_song(song: dict[str, Any]) -> Any:
    """Make spotdl's song: every field is set that it would else ask Spotify for, and no address is in it."""
    from spotdl.types.song import Song

    artists = [str(one) for one in song.get("artists") or []] or ["Unknown"]
    year = int(song.get("year") or 0)
    document = {
        "name": str(song["title"]),
        "artists": artists,
        "artist": artists[0],
        "genres": [],
        "disc_number": 1,
        "disc_count": 1,
        "album_name": str(song.get("album") or ""),
        "album_artist": artists[0],
        "album_id": "",
        "duration": round(song.get("duration_s") or 0),
        "year": year,
        "date": str(year or ""),
        "track_number": int(song.get("track_number") or 1),
        "tracks_count": 1,
        "song_id": "song",
        "explicit": None,
        "publisher": "",
        "url": "",
        "isrc": song.get("isrc") or None,
        "cover_url": None,
        "copyright_text": None,
    }
    return Song.from_dict(json.loads(json.dumps(document)))


def _scored(results: list[Any], wanted: Any, song: dict[str, Any]) -> list[Found]:
    """Score by spotdl's rules or ours, whichever knows better.

    spotdl's need a length: without one each result is compared with its own.
    """
    from dataclasses import replace

    from spotdl.utils.matching import order_results

    found = []
    for result in results[: 2 * MOST_FOUND]:
        known = bool(song.get("duration_s"))
        pair = wanted if known else replace(wanted, duration=result.duration)
        value = float(order_results([result], pair).get(result, 0.0))
        if not (known or result.verified):
            value = min(value, _UNSURE)
        title, channel = str(result.name), ", ".join(result.artists or ()) or str(result.author)
        length_s = float(result.duration) or None
        value = max(value, score(song, title, channel, length_s))  # spotdl's rules know no channels
        found.append(Found(str(result.url), title, channel, length_s, round(value, 1)))
    return found
