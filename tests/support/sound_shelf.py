"""What a pretended site holds: places with songs and with every fate a download can have. One shelf for all subjects.

Each song is named after what becomes of it, so that a fake in memory, a program that speaks the runners' protocol and
a local server in the place of the real sites can play the same story.
"""

from dataclasses import dataclass, replace

from soundforge.sources import Candidate, Link, LinkKind, Site, Song

ARTIST = "Ann Lee"
LENGTH_S = 12.0
LONGEST_S = 60.0


@dataclass(frozen=True)
class Place:
    """One video or track. ``fate`` is a code of ``FAILURES``, or "" where it can be fetched; ``sound_s`` its length."""

    candidate: Candidate
    fate: str = ""
    sound_s: float = LENGTH_S

    @property
    def id(self) -> str:
        return self.candidate.link.id


def song(title: str, **more: object) -> Song:
    """Describe a song of the shelf as a row of ours would."""
    return replace(Song(title, (ARTIST,), "Tides", LENGTH_S, "GBAYE0601498", 2019, 3), **more)  # type: ignore[arg-type]  # fields of Song


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
