"""The engine of learned models with the smallest networks, registered and lying on the disk as the real ones are."""

import hashlib
from pathlib import Path
from typing import Any

import psutil
import soundfile

from soundforge.engines import ModelFile, ModelSpec, ModelStore, Pcm, Separated, SeparateOptions
from soundforge.engines._machine import Machine
from soundforge.engines._openvino import OpenVinoSeparator
from tests.support.audio import Sound
from tests.support.networks import FOUR, SIX, SMALLEST, write_network

PLENTY = Machine(free_mb=lambda: 64_000, flags=lambda: frozenset({"avx512_bf16"}))
SHOWN = ("vocals", "drums", "bass", "other")


def small_store(folder: Path) -> ModelStore:
    """``small``, ``small_ft`` (a file for each stem, like ``htdemucs_ft``) and ``small_6s``."""
    specs = [
        _model(folder, "small", SHOWN, {"one": ()}),
        _model(folder, "small_ft", SHOWN, {f"ft-{name}": (name,) for name in FOUR}),
        _model(folder, "small_6s", ("vocals", "drums", "bass", "guitar", "piano", "other"), {"six": ()}, sources=SIX),
    ]
    return ModelStore(folder, models={spec.name: spec for spec in specs})


def _model(
    folder: Path, name: str, stems: tuple[str, ...], files: dict[str, tuple[str, ...]], sources: tuple[str, ...] = FOUR
) -> ModelSpec:
    made = []
    for seed, (file, makes) in enumerate(files.items()):
        path = write_network(folder / name / f"{file}.safetensors", seed=seed, sources=sources, options=SMALLEST)
        content = path.read_bytes()
        made.append(ModelFile(path.name, len(content), hashlib.sha256(content).hexdigest(), makes=makes))
    words: dict[str, Any] = {"label": "Small", "engines": ("openvino", "demucs"), "files": tuple(made), "repo": "a/b"}
    return ModelSpec(name=name, stems=stems, licence="MIT", may_sell=True, about_mb=1, **words)


async def separate(
    engine: OpenVinoSeparator, pcm: Pcm, model: str = "small", options: SeparateOptions | None = None
) -> Separated:
    """Separate into the folder ``stems`` beside the song."""
    folder = pcm.path.with_name("stems")
    return await engine.separate(pcm, model=model, folder=folder, threads=2, options=options or SeparateOptions())


def read(found: Separated) -> dict[str, Sound]:
    """The stems at the level of the song."""
    gain = 10 ** (found.gain_db / 20)
    return {stem.name: soundfile.read(stem.path, always_2d=True)[0] / gain for stem in found.stems}


def children() -> list[psutil.Process]:
    """Engines below this process."""
    return [one for one in psutil.Process().children(recursive=True) if "separate_openvino" in " ".join(one.cmdline())]
