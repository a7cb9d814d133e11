"""``tracks cues``: hot cues and memory cues of a track."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from cyclopts import App, Parameter

from soundforge import library, pipeline, views
from soundforge.cli._output import say, say_json, say_table
from soundforge.cli._rooms import run_as
from soundforge.db import reading, transaction
from soundforge.views import CueView

cues = App(name="cues", help="Hot cues and memory cues of a track.")

type Slot = Annotated[int | None, Parameter(help="The pad of a hot cue, 1 to 8; else it is a memory cue.")]
type Colour = Annotated[str, Parameter(help=f"{', '.join(library.CUE_COLOURS)}; else the colour of the pad.")]
type Snap = Annotated[bool, Parameter(help="Onto the nearest beat.")]


def add_to(tracks: App) -> None:
    """Add these commands to those about tracks."""
    tracks.command(cues)


@cues.command(name="list")
def list_cues(track: UUID, *, json: bool = False, user: str | None = None) -> int:
    """List the cue points of a track: hot cues by their pads, then memory cues by their time."""

    async def body(owner_id: UUID) -> int:
        async with reading() as session:
            await library.get_track(session, owner_id, track)
            found = await views.list_cue_views(session, owner_id, track)
        _tell(found, as_json=json)
        return 0

    return run_as(user, body)


@cues.command
def add(
    track: UUID,
    t_s: float,
    *,
    slot: Slot = None,
    name: str = "",
    colour: Colour = "",
    snap: Snap = False,
    json: bool = False,
    user: str | None = None,
) -> int:
    """Mark a moment of a track, in seconds, as a hot cue or a memory cue."""

    async def body(owner_id: UUID) -> int:
        async with transaction() as session:
            cue = await pipeline.add_cue(session, owner_id, track, library.NewCue(t_s, slot, name, colour), snap=snap)
            _tell([views.cue_of(cue)], as_json=json)
        return 0

    return run_as(user, body)


@dataclass(frozen=True)
class Changes:
    """What of a cue point shall become another."""

    to: Annotated[float | None, Parameter(help="Second where it shall lie.")] = None
    by_beats: Annotated[float, Parameter(help="Move it so many beats on, or back.")] = 0
    snap: Snap = False
    slot: Slot = None
    memory: Annotated[bool, Parameter(help="Make a hot cue a memory cue.")] = False
    name: str | None = None
    colour: Annotated[str | None, Parameter(help=f"One of {', '.join(library.CUE_COLOURS)}.")] = None

    def named(self) -> library.CueChange:
        """What was asked for, as the library takes it."""
        wanted: library.CueChange = {}
        if self.to is not None:
            wanted["t_s"] = self.to
        if self.slot is not None or self.memory:
            wanted["slot"] = None if self.memory else self.slot
        if self.name is not None:
            wanted["name"] = self.name
        if self.colour is not None:
            wanted["colour"] = self.colour
        return wanted


@cues.command
def change(
    cue: UUID,
    *,
    changes: Annotated[Changes, Parameter(name="*")] = Changes(),
    json: bool = False,
    user: str | None = None,
) -> int:
    """Move a cue point, also by beats or onto the grid; give it another pad, name or colour."""

    async def body(owner_id: UUID) -> int:
        async with transaction() as session:
            changed = await pipeline.change_cue(
                session, owner_id, cue, changes.named(), by_beats=changes.by_beats, snap=changes.snap
            )
            _tell([views.cue_of(changed)], as_json=json)
        return 0

    return run_as(user, body)


@cues.command
def remove(cue: UUID, *, user: str | None = None) -> int:
    """Take a cue point away."""

    async def body(owner_id: UUID) -> int:
        async with transaction() as session:
            await library.remove_cue(session, owner_id, cue)
        return 0

    return run_as(user, body)


@cues.command
def adopt(track: UUID, *, json: bool = False, user: str | None = None) -> int:
    """Take over the cues that the analysis found: on the pads that are free, the rest as memory cues."""

    async def body(owner_id: UUID) -> int:
        async with transaction() as session:
            added = await pipeline.adopt_cues(session, owner_id, track)
            found = await views.list_cue_views(session, owner_id, track)
        if not json:
            say(f"{added} taken over")
        _tell(found, as_json=json)
        return 0

    return run_as(user, body)


def _tell(found: list[CueView] | tuple[CueView, ...], *, as_json: bool) -> None:
    if as_json:
        say_json([views.plain(cue) for cue in found])
        return
    columns = ("id", "pad", "at", "colour", "name")
    say_table(columns, ((cue.id, cue.slot or "memory", cue.clock, cue.colour, cue.name) for cue in found))
