"""Separation: from a track's audio to stems on the page."""

from soundforge import jobs, library
from soundforge.engines import Separated, StemFile
from soundforge.library import NewStem
from soundforge.pipeline._audio import open_pcm
from soundforge.pipeline._files import new_file
from soundforge.pipeline._ports import Ports, ports


async def separate(run: jobs.Run) -> None:
    """Body of a separation job: read the audio, run the engine, store the stems, tell the page."""
    port = ports()
    engine, model = port.separator_for(str(run.params.get("model", "auto")))
    async with open_pcm(run) as pcm:
        with port.cpu.take() as threads:
            separated = await engine.separate(
                pcm, model=model, folder=run.folder / "separate", threads=threads, on_progress=run.report
            )
    stems = [await _store(run, port, stem, separated.gain_db) for stem in separated.stems]
    async with run.done(_result(separated)) as session:
        await library.add_stems(session, run.owner_id, run.require_track(), run.job_id, stems)


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


def _result(separated: Separated) -> dict[str, object]:
    return {
        "engine": separated.engine,
        "model": separated.model,
        "gain_db": separated.gain_db,
        "closing": separated.closing,
        "stems": [stem.name for stem in separated.stems],
        "warnings": [warning.sentence for warning in separated.warnings],
        "cost": dict(separated.cost),
    }
