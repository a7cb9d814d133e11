"""``demo``: the demo song through the whole pipeline, what was found beside what is true."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import soundfile
from cyclopts import App

from soundforge import library, pipeline, views
from soundforge.app import Rooms
from soundforge.cli._follow import Show, ask, follow
from soundforge.cli._help import open_help
from soundforge.cli._output import say, say_json
from soundforge.cli._rooms import find_user_id, run_command
from soundforge.db import reading
from soundforge.errors import Broken
from soundforge.views import JobView, TrackView

TEMPO_TOLERANCE = 0.01  # of the true tempo
SUM_TOLERANCE = 2 / (1 << 23)  # two steps of 24 bits
SECTION_TOLERANCE_S = 3.0


def add_to(app: App) -> None:
    """Add this group's command."""
    app.command(demo)


def demo(*, json: bool = False) -> int:
    """Render a song whose tempo, key and stems are known, run the pipeline on it, compare.

    Exits with 1 when tempo or key is wrong or the stems do not sum to the song.
    """

    async def body(rooms: Rooms) -> int:
        owner_id = await find_user_id(None)
        truth, track = await _make(rooms, owner_id, Show(quiet=json))
        paths = await _stem_paths(rooms, owner_id, track)
        worst = await asyncio.to_thread(sum_error, paths[0], paths[1:], track.stem_sets[0].stems[0].gain_db)
        verdict = _judge(truth, track, worst)
        if json:
            say_json({"truth": truth, "found": views.plain(track.row), "sum_error": worst, **verdict})
        else:
            _tell(truth, track, worst, verdict, paths[1:])
        return 0 if all(verdict.values()) else 1

    return run_command(body)


async def _make(rooms: Rooms, owner_id: UUID, show: Show) -> tuple[dict[str, Any], TrackView]:
    async with open_help(rooms) as helping:
        render_id = await ask(lambda session: pipeline.request_demo(session, owner_id))
        (rendered,) = _done(await follow(owner_id, [render_id], show, helping))
        import_id = UUID(rendered.result["import_job"]["id"])
        imported = _done(await follow(owner_id, [import_id], show, helping))
    track_id = UUID(next(one.result["track_id"] for one in imported if one.id == import_id))
    async with reading() as session:
        track = await views.get_track_view(session, owner_id, track_id)
    if not track.stem_sets or not track.document:
        raise Broken("The demo song is in the library, but its stems or its analysis are missing.", code="demo_failed")
    return rendered.result["truth"], track


def _done(ended: list[JobView]) -> list[JobView]:
    for job in ended:
        if job.status != "completed":
            raise Broken(f"The {job.kind} of the demo song failed: {job.error}", code="demo_failed")
    return ended


async def _stem_paths(rooms: Rooms, owner_id: UUID, track: TrackView) -> list[Path]:
    """The original's path, then those of the stems."""
    ids = [track.audio_file_id, *(stem.file_id for stem in track.stem_sets[0].stems)]
    paths: list[Path] = []
    async with reading() as session:
        files = [await library.get_file(session, owner_id, file_id) for file_id in ids if file_id]
    for file in files:
        async with rooms.storage.local(file.key) as path:
            paths.append(path)
    return paths


def sum_error(song: Path, stems: list[Path], gain_db: float) -> float:
    """The largest difference between the sum of the stems and the song at the stems' gain; full scale is 1."""
    total = sum(soundfile.read(stem, dtype="float64", always_2d=True)[0] for stem in stems)
    mix, _rate = soundfile.read(song, dtype="float64", always_2d=True)
    return float(np.max(np.abs(total - mix * 10 ** (gain_db / 20))))


def _judge(truth: Mapping[str, Any], track: TrackView, worst: float) -> dict[str, bool]:
    bpm = track.row.bpm or 0.0
    return {
        "tempo_is_right": abs(bpm / truth["bpm"] - 1) <= TEMPO_TOLERANCE,
        "key_is_right": track.row.musical_key == truth["key"],
        "stems_sum": worst <= SUM_TOLERANCE,
    }


def _tell(
    truth: Mapping[str, Any], track: TrackView, worst: float, verdict: Mapping[str, bool], stems: list[Path]
) -> None:
    row = track.row
    marks = {name: "right" if good else "WRONG" for name, good in verdict.items()}
    say()
    say(f"{row.artist} - {row.title}")
    say(f"            {'found':<22}{'true':<22}")
    say(f"  tempo     {f'{row.bpm or 0:.2f} BPM':<22}{f'{truth["bpm"]:.2f} BPM':<22}{marks['tempo_is_right']}")
    found_key, true_key = f"{row.musical_key} ({row.camelot})", f"{truth['key']} ({truth['camelot']})"
    say(f"  key       {found_key:<22}{true_key:<22}{marks['key_is_right']}")
    found = [section["start_s"] for section in track.document.get("sections") or []]
    true = [start_s for start_s, _end_s, _label in truth["sections"]]
    hit = sum(any(abs(one - other) <= SECTION_TOLERANCE_S for other in found) for one in true)
    said = f"{hit} of {len(true)} within {SECTION_TOLERANCE_S:.0f} s"
    say(f"  sections  {_times(found):<22}{_times(true):<22}{said}")
    say(f"  stems     sum to the song within {worst * (1 << 23):.1f} steps of 24 bits: {marks['stems_sum']}")
    for path in stems:
        say(f"    {path}")
    say()
    say("Open the studio with: make run")


def _times(starts: list[float]) -> str:
    return " ".join(f"{start:.0f}" for start in starts) + " s"
