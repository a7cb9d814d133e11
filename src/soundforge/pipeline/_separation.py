"""Separation: from a track's audio to stems on the page."""

from soundforge import jobs, library, logs
from soundforge.engines import HeardStems, Part, Separated, SeparateOptions, StemFile
from soundforge.errors import Broken, Unavailable
from soundforge.library import NewEmbedding, NewPart, NewStem
from soundforge.pipeline._audio import open_pcm
from soundforge.pipeline._files import new_file
from soundforge.pipeline._models import Choice
from soundforge.pipeline._options import from_params, to_params
from soundforge.pipeline._ports import Ports, ports

_log = logs.get(__name__)
_BASIC = "dsp"
_BASIC_BELIEF = 0.5  # it takes for singing what stands in the middle


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
    is_whole = options.region_s is None  # a preview says nothing of the song
    heard, untold = await _hear(run, port, separated) if is_whole else (HeardStems({}), [])
    stems = [await _store(run, port, stem, separated.gain_db) for stem in separated.stems]
    track_id = run.require_track()
    async with run.done(_result(separated, choice, options, untold)) as session:
        await library.add_stems(session, run.owner_id, track_id, run.job_id, stems)
        if heard.vocals:
            await library.add_part(session, run.owner_id, track_id, run.job_id, _part(heard.vocals, separated.engine))
        embeddings = [NewEmbedding(one.name, one.values, stem) for stem, one in heard.likeness.items()]
        await library.add_embeddings(session, run.owner_id, track_id, embeddings)


async def _hear(run: jobs.Run, port: Ports, separated: Separated) -> tuple[HeardStems, list[str]]:
    """What the stems say. They are worth having without it: where that fails, a warning says so."""
    files = {stem.name: stem.path for stem in separated.stems}
    try:
        with port.cpu.take():
            return await port.hear_stems(files, folder=run.folder / "hear"), []
    except (Broken, Unavailable) as error:
        _log.warning("separation.unheard", job_id=str(run.job_id), code=error.code, error=error.sentence)
        return HeardStems({}), ["Where somebody sings, and what sounds like these stems, could not be told."]


def _part(heard: Part, engine: str) -> NewPart:
    """Where somebody sings, as a stage of the analysis; what the basic separation calls vocals is believed less."""
    most = _BASIC_BELIEF if engine == _BASIC else 1.0
    vocals = heard.document["vocals"]
    spans = [{**span, "confidence": min(span["confidence"], most)} for span in vocals["spans"]]
    return NewPart(heard.stage, heard.version, {"vocals": {**vocals, "spans": spans}, "warnings": []})


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
