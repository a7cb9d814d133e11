"""``tracks correct``: what somebody puts right in an analysis."""

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from cyclopts import App, Parameter

from soundforge import pipeline, views
from soundforge.cli._output import say, say_json
from soundforge.cli._rooms import run_as
from soundforge.db import transaction
from soundforge.errors import Invalid


def add_to(tracks: App) -> None:
    """Add this command to those about tracks."""
    tracks.command(correct)


def _option(text: str) -> Any:
    return Parameter(help=text)


@dataclass(frozen=True)
class Wishes:
    """What shall be put right; several at once are done in this order."""

    bpm: Annotated[float | None, _option("The tempo.")] = None
    times: Annotated[float | None, _option("So many times the present tempo: 2, or 0.5.")] = None
    meter: Annotated[str | None, _option("4/4, 3/4, 6/8, 2/4, 5/4 or 7/4.")] = None
    bar_at: Annotated[float | None, _option("Second at which a bar begins.")] = None
    shift_beats: Annotated[float | None, _option("Move the grid by so many beats: 0.5 for half of one.")] = None
    key: Annotated[str | None, _option('As 8A or "A minor".')] = None
    rename: Annotated[float | None, _option("Name the section that begins at this second as --label says.")] = None
    label: Annotated[str, _option("A section's name; empty takes it away.")] = ""
    move: Annotated[float | None, _option("Let the section that begins at this second begin at --to instead.")] = None
    to: Annotated[float | None, _option("See --move.")] = None
    part: Annotated[float | None, _option("Part the section that sounds at this second in two.")] = None
    join: Annotated[float | None, _option("Join the section that begins at this second to the one before.")] = None

    def asked(self) -> list[tuple[str, dict[str, Any]]]:
        """Fields and what is asked of them, as ``formats.read_correction`` takes it."""
        wishes: list[tuple[str, str, dict[str, Any]]] = [
            ("bpm", "tempo", {"bpm": self.bpm}),
            ("times", "tempo", {"times": self.times}),
            ("meter", "meter", {"signature": self.meter}),
            ("bar_at", "downbeat", {"t_s": self.bar_at}),
            ("shift_beats", "downbeat", {"by_beats": self.shift_beats}),
            ("key", "key", {"key": self.key}),
            ("rename", "sections", {"rename": self.rename, "label": self.label}),
            ("move", "sections", {"move": self.move, "to_s": self.to}),
            ("part", "sections", {"part": self.part}),
            ("join", "sections", {"join": self.join}),
        ]
        return [(field, wish) for option, field, wish in wishes if getattr(self, option) is not None]


def correct(
    track: UUID,
    *,
    wishes: Annotated[Wishes, Parameter(name="*")] = Wishes(),
    undo: Annotated[str | None, _option("tempo, downbeat, meter, key or sections: a step back.")] = None,
    as_found: Annotated[str | None, _option("The same fields: all the way back.")] = None,
    json: bool = False,
    user: str | None = None,
) -> int:
    """Put right what the analysis found; your value counts from then on, also after another analysis."""
    asked = wishes.asked()

    async def body(owner_id: UUID) -> int:
        if not asked and undo is None and as_found is None:
            raise Invalid("Say what to put right: --bpm, --key, … or --undo.", code="invalid_correction")
        async with transaction() as session:
            for field, wish in asked:
                await pipeline.add_correction(session, owner_id, track, field, wish)
            if undo is not None:
                await pipeline.undo_correction(session, owner_id, track, undo)
            if as_found is not None:
                await pipeline.remove_correction(session, owner_id, track, as_found)
            view = await views.get_track_view(session, owner_id, track)
        _tell(view, as_json=json)
        return 0

    return run_as(user, body)


def _tell(view: views.TrackView, *, as_json: bool) -> None:
    corrections = view.document.get("corrections", {})
    if as_json:
        say_json(corrections)
        return
    say(f"{view.row.bpm or '–'} BPM, {view.row.musical_key or '–'}")
    for field, one in corrections.items():
        say(f"{field}: corrected by {one['by']}")
