"""What a pretended site holds: places with songs and with every fate a download can have. One shelf for all subjects.

Each song is named after what becomes of it, so that a fake in memory, a program that speaks the runners' protocol and
a local server in the place of the real sites can play the same story.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from soundforge.sources import Candidate, Link, LinkKind, Site, Song
from tests.support.audio import sweep, write_audio

ARTIST = "Ann Lee"
ALBUM = "Tides"
LENGTH_S = 12.0
LONGEST_S = 60.0


@dataclass(frozen=True)
class Place:
    """One video or track. ``fate`` is a code of ``FAILURES``, or "" where it can be fetched; ``sound_s`` its length."""

    candidate: Candidate
    fate: str = ""
    sound_s: float = LENGTH_S
    is_music: bool = False  # an official song on YouTube Music too

    @property
    def id(self) -> str:
        return self.candidate.link.id


def song(title: str, **more: object) -> Song:
    """Describe a song of the shelf as a row of ours would."""
    return replace(Song(title, (ARTIST,), ALBUM, LENGTH_S, "GBAYE0601498", 2019, 3), **more)  # type: ignore[arg-type]  # fields of Song


def video(
    title: str, number: int, score: float = 100.0, *, seconds: float | None = None, artist: str = ARTIST
) -> Candidate:
    """Make a video; ``number`` makes its id, ``seconds`` is what the site says of its length."""
    link = Link(Site.YOUTUBE, LinkKind.VIDEO, f"shelf{number:06d}")
    return Candidate(link, title, artist, LENGTH_S if seconds is None else seconds, score)


# What a search for a title finds, the best first.
SHELF: dict[str, tuple[Place, ...]] = {
    "Harbour": (
        Place(video("Harbour", 1)),
        Place(video("Harbour", 2, 92.0, seconds=13.0), sound_s=13.0),
        *(Place(video("Harbour", 2 + n, 90.0 - n, seconds=13.0)) for n in range(1, 7)),
    ),
    "Lantern": (Place(video("Lantern", 11, 71.0, seconds=16.0), sound_s=16.0),),
    "Elsewhere": (Place(video("Quite another thing", 21, 20.0, artist="Somebody")),),
    "Nowhere": (),
    "Pier": (Place(video("Pier", 61), is_music=True),),
    "Long mix": (Place(video("Long mix", 31, 95.0), sound_s=30.0),),
    "Second choice": (
        Place(video("Second choice", 41), fate="source_gone"),
        Place(video("Second choice", 42, 95.0)),
    ),
    "Endless": (Place(video("Endless", 51, seconds=LONGEST_S + 1), sound_s=LONGEST_S + 1),),
}
FATES = (
    "source_gone",
    "source_blocked",
    "age_restricted",
    "geo_blocked",
    "source_not_finished",
    "source_not_audio",
    "rate_limited",
    "source_forbidden",
    "network",
    "tool_outdated",
    "download_failed",
)
SHELF |= {code: (Place(video(code, 100 + n), fate=code),) for n, code in enumerate(FATES)}
PLACES: dict[str, Place] = {place.id: place for places in SHELF.values() for place in places}


@cache
def sound(kind: str, seconds: float) -> bytes:
    """Make the bytes of a place's sound, encoded as ``kind``."""
    rate = 48000 if kind == "opus" else 16000
    with TemporaryDirectory() as folder:
        path = write_audio(Path(folder) / f"a.{kind}", sweep(seconds, rate=rate, channels=1), rate=rate, kind=kind)
        return path.read_bytes()


def page_of(place: Place) -> dict[str, Any]:
    """Tell what a page says of itself, as runners do."""
    one = place.candidate
    return {
        "url": one.url,
        "title": one.title,
        "channel": one.channel,
        "duration_s": one.duration_s,
        "score": one.score,
    }


def write_shelf(folder: Path) -> None:
    """Write the shelf down for a program that loads nothing of ours: ``shelf.json``, and the sound it names."""
    places: dict[str, Mapping[str, Any]] = {}
    for place in PLACES.values():
        path = folder / f"{place.sound_s}.m4a"
        path.write_bytes(sound("m4a", place.sound_s))
        places[place.id] = {"fate": place.fate, "sound_s": place.sound_s, "sound": str(path), "page": page_of(place)}
    found = {title: [page_of(place) for place in rows] for title, rows in SHELF.items()}
    (folder / "shelf.json").write_text(json.dumps({"found": found, "places": places}))
