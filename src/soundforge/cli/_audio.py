"""``analyze`` and ``separate``: one child in the foreground; no database, no rows (ADR 0011)."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from cyclopts import App

from soundforge import engines, formats, pipeline, sources
from soundforge.cli._copies import make_folder
from soundforge.cli._foreground import bar, run_foreground
from soundforge.cli._output import say, say_json
from soundforge.cli._separation import USUAL, Wanted, open_local_models
from soundforge.config import Settings
from soundforge.engines import Decoded, Pcm, Separated, SeparateOptions
from soundforge.errors import Conflict
from soundforge.formats import AnalysisSource, AnalysisStage
from soundforge.pipeline import Choice


def add_to(app: App) -> None:
    """Add this group's commands."""
    app.command(analyze)
    app.command(separate)


def analyze(file: Path, *, json: bool = False) -> int:
    """Analyse one audio file and print what was found; no database is touched.

    Parameters
    ----------
    file
        The audio file.
    json
        Print the analysis document.

    """
    document = run_foreground(_analyze(file))
    if json:
        say_json(document)
        return 0
    tempo, key, loudness = (document.get(name) or {} for name in ("tempo", "key", "loudness"))
    say(f"tempo     {tempo['bpm']:.1f} BPM" if tempo.get("bpm") else "tempo     none found")
    say(f"key       {key['tonic']} {key['mode']} ({key['camelot']})" if key.get("tonic") else "key       none found")
    if loudness.get("integrated_lufs") is not None:
        say(f"loudness  {loudness['integrated_lufs']:.1f} LUFS, true peak {loudness['true_peak_dbtp']:.1f} dBTP")
    for section in document.get("sections") or []:
        say(f"section   {section['start_s']:7.2f} s  {section.get('label') or section['group']}")
    for warning in document["warnings"]:
        say(f"warning   {warning['sentence']}")
    return 0


def separate(file: Path, *, out: Path, wanted: Wanted = USUAL, json: bool = False) -> int:
    """Split one audio file into stems; no database is touched.

    Parameters
    ----------
    file
        The audio file.
    out
        Folder for the stems; it is made, and no file in it is replaced.
    wanted
        Model and options.
    json
        Print one JSON document instead of words.

    """
    with open_local_models():
        choice = pipeline.choose(wanted.model)
        written, separated = run_foreground(_separate(file, out, choice, wanted.options()))
    stems = [str(path) for path in written]
    if json:
        what = {"engine": separated.engine, "model": separated.model, "why": choice.why}
        warnings = [warning.sentence for warning in separated.warnings]
        say_json({**what, "gain_db": separated.gain_db, "stems": stems, "warnings": warnings})
        return 0
    say(f"Separated by {separated.model} ({separated.engine}). {choice.why}")
    for line in (*stems, *(warning.sentence for warning in separated.warnings)):
        say(line)
    if separated.gain_db:
        say(f"All stems are {-separated.gain_db:.2f} dB quieter than the song, so that none is clipped.")
    return 0


async def _analyze(file: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="soundforge-") as scratch:
        with bar("decoding") as show:
            decoded = await _decode(file, Path(scratch), show)
        with bar("analysing") as show:
            analyzed = await engines.ANALYZER.analyze(
                decoded.pcm, folder=Path(scratch) / "analyze", threads=_cores(), on_progress=show
            )
    stages = [AnalysisStage(part.stage, part.version, part.document) for part in analyzed.parts]
    return formats.analysis_document(_source(decoded, await pipeline.hash_of(file)), stages)


async def _separate(file: Path, out: Path, choice: Choice, options: SeparateOptions) -> tuple[list[Path], Separated]:
    await asyncio.to_thread(make_folder, out)
    # Beside the target, so that finished stems only change their name.
    with tempfile.TemporaryDirectory(prefix=".soundforge-", dir=out) as scratch:
        with bar("decoding") as show:
            decoded = await _decode(file, Path(scratch), show)
        folder = Path(scratch) / "separate"
        with bar("separating") as show:
            separated = await choice.engine.separate(
                decoded.pcm,
                model=choice.model,
                folder=folder,
                threads=_cores(),
                options=options,
                on_progress=show,
            )
        return await asyncio.to_thread(_keep, separated, out, _words(decoded, file)), separated


def _keep(separated: Separated, out: Path, words: tuple[str, str]) -> list[Path]:
    named = [(stem.path, out / formats.file_name(*words, stem.name, ".flac")) for stem in separated.stems]
    taken = [target.name for _path, target in named if target.exists()]
    if taken:
        raise Conflict(f"There is a file {taken[0]} already; choose another folder.", code="file_exists")
    return [path.rename(target) for path, target in named]


async def _decode(file: Path, scratch: Path, show: engines.OnProgress) -> Decoded:
    settings = Settings()
    sources.check_file(file, max_mb=settings.max_upload_mb)
    return await engines.DECODER.decode(
        file,
        scratch / "decoded.f32",
        folder=scratch / "decode",
        max_duration_s=settings.max_duration_s,
        on_progress=show,
    )


def _words(decoded: Decoded, file: Path) -> tuple[str, str]:
    guess = sources.clean_name(file.name)
    return decoded.tags.artist or guess.artist, decoded.tags.title or guess.title


def _source(decoded: Decoded, sha256: str) -> AnalysisSource:
    pcm: Pcm = decoded.pcm
    tags = decoded.tags
    return AnalysisSource(sha256, pcm.duration_s, pcm.sample_rate_hz, pcm.channels, tags.title, tags.artist, tags.album)


def _cores() -> int:
    return pipeline.CpuSlots().cores
