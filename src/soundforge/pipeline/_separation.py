"""Separation: from a track's audio to stems on the page."""

from soundforge import jobs, library
from soundforge.engines import HeardStems, Separated, SeparateOptions, StemFile
from soundforge.library import NewStem
from soundforge.pipeline._audio import open_pcm
from soundforge.pipeline._files import new_file
from soundforge.pipeline._heard import hear, keep_heard
from soundforge.pipeline._models import Choice
from soundforge.pipeline._options import from_params, to_params
from soundforge.pipeline._ports import Ports, ports


async def separate(run: jobs.Run) -> None:
    """Body of a separation job: read the audio, run the engine, store the stems, tell the page."""
    port = ports()
    choice = port.choose(run.params)
    options = from_params(run.params)
    async with open_pcm(run) as pcm:
        with port.cpu.take() as threads:
            separated = await choice.engine.separate(
                pcm,
                model=choice.model,
                folder=run.folder / "separate",
                threads=threads,
                options=options,
                on_progress=run.report,
            )
    files = {stem.name: stem.path for stem in separated.stems}
    is_whole = options.region_s is None  # a preview says nothing of the song
    heard, untold = await hear(run, files) if is_whole else (HeardStems({}), [])
    stems = [await _store(run, port, stem, separated.gain_db) for stem in separated.stems]
    async with run.done(_result(separated, choice, options, untold)) as session:
        await library.add_stems(session, run.owner_id, run.require_track(), run.job_id, stems)
        await keep_heard(session, run, heard, separated.engine)


async def _store(run: jobs.Run, port: Ports, stem: StemFile, gain_db: float) -> NewStem:
    audio = await port.storage.put(stem.path, f"{run.prefix}{stem.name}.flac")
    peaks = None
    if stem.peaks_path:
        stored = await port.storage.put(stem.peaks_path, f"{run.prefix}{stem.name}.dat")
        peaks = new_file(stored, "application/octet-stream")
    return NewStem(
        name=stem.name,
        audio=new_file(audio, "audio/flac"),
        peaks=peaks,
        gain_db=gain_db,
    )


def _result(separated: Separated, choice: Choice, options: SeparateOptions, untold: list[str]) -> dict[str, object]:
    return {
        "engine": separated.engine,
        "model": separated.model,
        "why": choice.why,
        "options": to_params(options),
        "gain_db": separated.gain_db,
        "closing": separated.closing,
        "stems": [stem.name for stem in separated.stems],
        "warnings": [*(warning.sentence for warning in separated.warnings), *untold],
        "cost": dict(separated.cost),
    }
