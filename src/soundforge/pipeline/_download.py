"""Download: a track that has no audio yet, or the wrong one, gets what a site holds of its song."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from soundforge import jobs, library, logs, sources, spotify
from soundforge.db import reading
from soundforge.engines import Decoded
from soundforge.errors import Conflict, SoundForgeError
from soundforge.library import NewAudio, NewCandidate
from soundforge.pipeline._files import sweep_prefix
from soundforge.pipeline._paste import check_downloads
from soundforge.pipeline._ports import ports
from soundforge.pipeline._sheets import of_track
from soundforge.pipeline._song import ask_for_the_rest, decode_song, hash_of, store_song
from soundforge.pipeline._spotify import open_api, read_track
from soundforge.sources import Candidate, Downloaded, Song, SourceRefused
from soundforge.tables import Status, Track

_log = logs.get(__name__)

_FETCHED: Final = 60.0  # percent of a download that fetching is
_LONGEST: Final = 300
_A_DAY_S: Final = 86_400.0
_PICTURES: Final = {"image/jpeg": ".jpg", "image/png": ".png"}


@dataclass(frozen=True)
class _Plan:
    """What one download is to do."""

    track_id: UUID
    wanted: Mapping[str, Any]  # what is known of the song
    link: sources.Link | None  # the one place to take it from; None: search
    is_chosen: bool  # a person chose the place, so length and score decide nothing


async def download(run: jobs.Run) -> None:
    """Body of a download job: fetch, decode, check, store; then separation and analysis side by side."""
    plan = await _read(run)
    if plan is None:
        async with run.done({"track_id": str(run.require_track()), "had_audio": True}):
            pass
        return
    cover = await _fetch_cover(run, plan.wanted)
    fetched = await _fetch(run, plan, cover)
    await run.move(Status.PROCESSING)
    if await _finish_duplicate(run, plan, fetched):
        return
    decoded = await decode_song(run, fetched.path, from_percent=_FETCHED)
    await _check_length(run, plan, fetched, decoded)
    audio = await store_song(run, fetched.path, decoded, fetched.audio_sha256, cover=cover)
    await _finish(run, plan, fetched, audio)


async def _read(run: jobs.Run) -> _Plan | None:
    """What is to be done; None where the track has audio and nobody wants other. Raises ``Forbidden``, ``NotFound``."""
    async with reading() as session:
        await check_downloads(session)
        track = await library.get_track(session, run.owner_id, run.require_track())
    if track.audio_file_id is not None and not run.params.get("replace"):
        return None
    wanted = await _complete(run.params)
    url = str(run.params.get("url", ""))
    link = sources.parse_link(url) if url else None
    return _Plan(track.id, wanted, link, bool(run.params.get("chosen")) or bool(run.params.get("placeholder")))


async def _complete(wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    """Ask Spotify for what an album or a list does not tell: ISRC, cover, year. The song is fetched also without."""
    if not wanted.get("spotify_id") or wanted.get("isrc"):
        return wanted
    try:
        known = of_track(0, await read_track(str(wanted["spotify_id"]))).wanted
    except SoundForgeError as error:
        _log.warning("download.less_is_known", code=error.code, error=error.sentence)
        return wanted
    return {**wanted, **{name: value for name, value in known.items() if value and not wanted.get(name)}}


async def _fetch_cover(run: jobs.Run, wanted: Mapping[str, Any]) -> Path | None:
    """The song's cover as a file in the run's folder; a song is fetched also without one."""
    if not wanted.get("cover"):
        return None
    try:
        picture = await (await open_api()).fetch_cover(spotify.Cover(str(wanted["cover"])))
    except SoundForgeError as error:
        _log.warning("download.no_cover", code=error.code, error=error.sentence)
        return None
    if picture.media_type not in _PICTURES:
        return None
    path = run.folder / f"cover{_PICTURES[picture.media_type]}"
    await asyncio.to_thread(path.write_bytes, picture.data)
    return path


async def _fetch(run: jobs.Run, plan: _Plan, cover: Path | None) -> Downloaded:
    """Let the downloader work; what it found is kept also when it fails."""
    try:
        return await ports().downloader.fetch(
            _song(plan.wanted, cover),
            folder=run.folder / "download",
            max_duration_s=ports().settings.max_duration_s,
            source=plan.link,
            on_progress=lambda percent, stage: run.report(percent * _FETCHED / 100, stage),
        )
    except SourceRefused as refusal:
        if refusal.candidates:
            await _keep(run, plan, refusal.candidates)
        raise


def _song(wanted: Mapping[str, Any], cover: Path | None) -> Song:
    duration_ms = wanted.get("duration_ms")
    return Song(
        title=str(wanted.get("title", "")),
        artists=tuple(wanted.get("artists", ())),
        album=str(wanted.get("album", "")),
        duration_s=duration_ms / 1000 if duration_ms else None,
        isrc=str(wanted.get("isrc", "")),
        year=wanted.get("year"),
        track_number=wanted.get("track_number"),
        cover=cover,
    )


async def _keep(run: jobs.Run, plan: _Plan, found: Sequence[Candidate], chosen: Candidate | None = None) -> None:
    async with run.writing() as session:
        await library.add_candidates(session, run.owner_id, plan.track_id, run.job_id, _candidates(found, chosen))


def _candidates(found: Sequence[Candidate], chosen: Candidate | None) -> list[NewCandidate]:
    return [
        NewCandidate(
            title=sources.one_line(one.title)[:_LONGEST],
            channel=sources.one_line(one.channel)[:_LONGEST],
            duration_ms=_milliseconds(one.duration_s),
            score=one.score,
            url=one.url,
            is_chosen=chosen is not None and one.url == chosen.url,
        )
        for one in found
    ]


def _milliseconds(seconds: float | None) -> int | None:
    return round(seconds * 1000) if seconds and 0 < seconds < _A_DAY_S else None


async def _check_length(run: jobs.Run, plan: _Plan, fetched: Downloaded, decoded: Decoded) -> None:
    """Refuse a found song that does not play as long as the wanted one: what a site says of itself proves nothing."""
    wanted_ms = plan.wanted.get("duration_ms")
    if plan.is_chosen or sources.is_right_length(decoded.pcm.duration_s, wanted_ms / 1000 if wanted_ms else None):
        return
    await _keep(run, plan, fetched.candidates)
    raise sources.failure("wrong_length", f"{decoded.pcm.duration_s:.1f} s, not {wanted_ms} ms", fetched.candidates)


async def _finish_duplicate(run: jobs.Run, plan: _Plan, fetched: Downloaded) -> bool:
    """End where the same sound is there already; False where it is not. Raises ``Conflict`` ("audio_of_another").

    The track's own, chosen once more: then it is the right song. Another track's: one that has no audio joins it, lists
    name that one and the empty one goes; one that has audio keeps it, for two tracks cannot be made of the same.
    """
    async with reading() as session:
        same = await library.find_track_by_audio(session, run.owner_id, await _hashes(fetched))
        wanted = await library.get_track(session, run.owner_id, plan.track_id)
    if same is None:
        return False
    if same.id != wanted.id and wanted.audio_file_id is not None:
        raise _audio_of_another(same)
    async with run.done({"track_id": str(same.id), "duplicate": True, "source": fetched.source.url}) as session:
        if same.id == wanted.id:
            await library.confirm_track(session, run.owner_id, wanted.id)
        else:
            await library.join_tracks(session, run.owner_id, wanted.id, same.id)
            await library.remove_track(session, run.owner_id, wanted.id)
    return True


async def _hashes(fetched: Downloaded) -> tuple[str, str]:
    """How the same audio may be known here: by its sound, or as a file that somebody uploaded."""
    return fetched.audio_sha256, await hash_of(fetched.path)


def _audio_of_another(same: Track) -> Conflict:
    name = f"{same.artist} - {same.title}" if same.artist else same.title
    sentence = f"This source holds what “{name}” in your library is made of already: choose another source."
    return Conflict(sentence, code="audio_of_another")


async def _finish(run: jobs.Run, plan: _Plan, fetched: Downloaded, audio: NewAudio) -> None:
    """Give the track its audio, keep where else it may be, ask for the rest: one transaction."""
    result = {"track_id": str(plan.track_id), "source": fetched.source.url, "tool": fetched.tool}
    try:
        async with run.done(result) as session:
            owner_id, track_id = run.owner_id, plan.track_id
            track = await library.set_audio(
                session, owner_id, track_id, audio, source_url=fetched.source.url, is_doubtful=fetched.is_doubtful
            )
            if plan.wanted.get("placeholder") == track.title:
                await library.change_track(session, owner_id, track_id, **_words(fetched.source), album=track.album)
            found = _candidates(fetched.candidates, fetched.source)
            await library.add_candidates(session, owner_id, track_id, run.job_id, found)
            if plan.wanted.get("isrc"):
                await library.set_isrc(session, owner_id, track_id, str(plan.wanted["isrc"]))
            if plan.wanted.get("year"):
                await library.set_year(session, owner_id, track_id, int(plan.wanted["year"]))
            await ask_for_the_rest(session, run, track_id)
    except Conflict as error:
        if error.code != "duplicate_audio":
            raise
        await sweep_prefix(ports().storage, run.prefix)
        if not await _finish_duplicate(run, plan, fetched):
            raise


def _words(source: Candidate) -> dict[str, str]:
    """Title and artist as a site tells them: “Ann - Sea”, or the title and whose channel it is."""
    told = sources.one_line(source.title)[:_LONGEST]
    artist, dash, title = told.partition(" - ")
    if dash and artist.strip() and title.strip():
        return {"title": title.strip(), "artist": artist.strip()}
    return {"title": told or source.url, "artist": sources.one_line(source.channel)[:_LONGEST]}
