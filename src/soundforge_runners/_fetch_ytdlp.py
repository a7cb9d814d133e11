"""yt-dlp by its Python API, with nothing of a person's configuration and only our extractors."""

import sys
from pathlib import Path
from typing import Any

from soundforge_runners._fetch_audio import ffmpeg_path
from soundforge_runners._fetch_failure import Failed, read_failure, words_of
from soundforge_runners._fetch_match import score
from soundforge_runners._fetch_request import EXTRACTORS, MOST_FOUND, Found, Way, check_announced

_FORMAT = "bestaudio[ext=m4a]/bestaudio[acodec=opus]/bestaudio/best"
_LIVE = ("is_live", "is_upcoming", "post_live")
_WORDS = 300


class Ytdlp:
    """Searches YouTube, fetches from any of the three sites."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._log = _Log()

    @property
    def version(self) -> str:
        """E.g. ``yt-dlp 2026.10.26``."""
        from yt_dlp.version import __version__

        return f"yt-dlp {__version__}"

    def find(self, song: dict[str, Any]) -> list[Found]:
        """Search YouTube by artist and title."""
        words = " ".join([*(song.get("artists") or [])[:2], str(song["title"])])
        with self._open(extract_flat=True) as ydl:
            try:
                answer = ydl.extract_info(f"ytsearch{MOST_FOUND}:{words}", download=False)
            except Exception as error:
                raise self._failure(error) from error
        entries = [entry for entry in (answer or {}).get("entries") or [] if entry and entry.get("id")]
        return [
            self._scored(song, _found(entry, f"https://www.youtube.com/watch?v={entry['id']}")) for entry in entries
        ]

    def fetch(self, song: dict[str, Any], url: str) -> tuple[Path, Found]:  # noqa: ARG002 - the contract's
        """Read the page first, refuse what it gives away, then fetch."""
        with self._open() as ydl:
            try:
                page = ydl.extract_info(url, download=False, process=False)
                found = self._look(page, url)
                done = ydl.process_ie_result(page, download=True)
            except Failed:
                raise
            except Exception as error:
                raise self._failure(error) from error
        files = [Path(one["filepath"]) for one in (done or {}).get("requested_downloads") or [] if one.get("filepath")]
        if not files or not files[0].is_file():
            raise read_failure(*self._log.said, "the tool said that it was done and left no file")
        return files[0], found

    def _look(self, page: dict[str, Any] | None, url: str) -> Found:
        if not page or page.get("_type", "video") != "video":
            raise Failed(
                "source_not_allowed", f"this address holds {(page or {}).get('_type', 'nothing')}, not one song"
            )
        if page.get("is_live") or page.get("live_status") in _LIVE:
            raise Failed("source_not_finished", f"live status {page.get('live_status')}")
        found = _found(page, url)
        check_announced(found, self._way)
        return found

    def _scored(self, song: dict[str, Any], found: Found) -> Found:
        value = score(song, found.title, found.channel, found.duration_s)
        return Found(found.url, found.title, found.channel, found.duration_s, value)

    def _open(self, **more: Any) -> Any:
        from yt_dlp import YoutubeDL

        return YoutubeDL({**options(self._way), "logger": self._log, "progress_hooks": [self._tell], **more})

    def _tell(self, status: dict[str, Any]) -> None:
        whole = status.get("total_bytes") or status.get("total_bytes_estimate") or 0
        share = status.get("downloaded_bytes", 0) / whole if whole else 0
        self._way.progress(5 + 80 * min(share, 1), "downloading")

    def _failure(self, error: Exception) -> Failed:
        return read_failure(*words_of(error), *self._log.said)


def options(way: Way) -> dict[str, Any]:
    """Everything that yt-dlp is told; spotdl's handlers are given the same limits."""
    return {
        "allowed_extractors": list(EXTRACTORS),
        "noplaylist": True,
        "format": _FORMAT,
        "outtmpl": {"default": str(way.folder / "source.%(ext)s")},
        "paths": {"home": str(way.folder), "temp": str(way.folder)},
        "proxy": way.proxy,
        "cookiefile": way.cookies,
        "max_filesize": way.max_bytes,
        "ffmpeg_location": ffmpeg_path(),
        "hls_prefer_native": True,
        "cachedir": False,
        "socket_timeout": 20,
        "retries": 3,
        "fragment_retries": 3,
        "extractor_retries": 1,
        "overwrites": True,
        "quiet": True,
        "noprogress": True,
        "color": "no_color",
    }


class _Log:
    """Keeps what yt-dlp prints: warnings and errors often hold the cause that the exception hides."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def debug(self, text: str) -> None:
        """Note for whoever reads standard error; ``File is larger …`` comes this way."""
        sys.stderr.write(f"{text[:_WORDS]}\n")
        if "larger than max-filesize" in text:
            self.said.append(text[:_WORDS])

    def info(self, text: str) -> None:
        """Same."""
        self.debug(text)

    def warning(self, text: str) -> None:
        """Keep."""
        sys.stderr.write(f"{text[:_WORDS]}\n")
        self.said.append(text[:_WORDS])

    def error(self, text: str) -> None:
        """Keep."""
        self.warning(text)


def _found(entry: dict[str, Any], url: str) -> Found:
    """Read what a page or an entry of a search says."""
    length = entry.get("duration")
    return Found(
        url=url,
        title=str(entry.get("track") or entry.get("title") or ""),
        channel=str(entry.get("artist") or entry.get("channel") or entry.get("uploader") or ""),
        duration_s=float(length) if isinstance(length, int | float) else None,
    )
