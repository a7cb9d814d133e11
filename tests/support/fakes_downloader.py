"""A downloader without a program and without a network, for tests of those who use one."""

import asyncio
import hashlib
from pathlib import Path

from soundforge.sources import (
    LIKELY_SCORE,
    MOST_CANDIDATES,
    SURE_SCORE,
    Candidate,
    Downloaded,
    Link,
    OnProgress,
    Song,
    failure,
)
from soundforge.sources._lengths import is_right_length
from tests.support.sound_shelf import PLACES, SHELF, Place, sound


class FakeDownloader:
    """Fetches what the shelf holds, as real audio; waits for ``gate`` in the middle; counts what it fetched."""

    def __init__(self, *, shelf: dict[str, tuple[Place, ...]] | None = None, gate: asyncio.Event | None = None) -> None:
        self.shelf, self.gate = SHELF if shelf is None else shelf, gate
        self.places = PLACES if shelf is None else {p.id: p for places in shelf.values() for p in places}
        self.started = asyncio.Event()
        self.fetched: list[tuple[Song, Link | None]] = []
        self.installed = True

    def is_ready(self) -> bool:
        return self.installed

    async def find(self, song: Song, *, folder: Path, on_progress: OnProgress | None = None) -> tuple[Candidate, ...]:
        folder.mkdir(parents=True, exist_ok=True)
        if on_progress:
            on_progress(100.0, "searching")
        return tuple(place.candidate for place in self.shelf.get(song.title, ()))[:MOST_CANDIDATES]

    async def fetch(
        self,
        song: Song,
        *,
        folder: Path,
        max_duration_s: float,
        source: Link | None = None,
        on_progress: OnProgress | None = None,
    ) -> Downloaded:
        folder.mkdir(parents=True, exist_ok=True)
        self.fetched.append((song, source))
        self.started.set()
        if on_progress:
            on_progress(10.0, "searching")
        await (self.gate.wait() if self.gate else asyncio.sleep(0))
        found = () if source else await self.find(song, folder=folder)
        place = self._choose(song, source, found)
        _check(place, found, max_duration_s)
        chosen = source is not None
        right = is_right_length(place.sound_s, song.duration_s)
        if not (chosen or right):
            raise failure("wrong_length", "", found)
        if on_progress:
            on_progress(60.0, "downloading")
        path, audio = folder / f"{place.id}.m4a", sound("m4a", place.sound_s)
        path.write_bytes(audio + tags_of(song))
        if on_progress:
            on_progress(100.0, "checking")
        doubtful = not right or (not chosen and place.candidate.score < SURE_SCORE)
        about = (place.candidate, found or (place.candidate,), doubtful, "fake 1")
        return Downloaded(path, hashlib.sha256(audio).hexdigest(), place.sound_s, *about)

    def _choose(self, song: Song, source: Link | None, found: tuple[Candidate, ...]) -> Place:
        if source:
            if source.id not in self.places:
                raise failure("source_gone", "no such place on the shelf")
            return self.places[source.id]
        likely = [self.places[one.link.id] for one in found if one.score >= LIKELY_SCORE]
        if not likely:
            raise failure("no_match", "", found)
        return next((place for place in likely if place.fate != "source_gone"), likely[0])


def tags_of(song: Song) -> bytes:
    """An MP4 box that players pass over, as tags differ from song to song: the file's hash is not the sound's."""
    text = f"{song.title} - {song.artists}".encode("utf-8", "replace")
    return (len(text) + 8).to_bytes(4, "big") + b"free" + text


def _check(place: Place, found: tuple[Candidate, ...], max_duration_s: float) -> None:
    if place.fate:
        raise failure(place.fate, f"the shelf says {place.fate}", found)
    if max(place.sound_s, place.candidate.duration_s or 0) > max_duration_s:
        raise failure("source_too_long", "", found)
