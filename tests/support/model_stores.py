"""Models of tests: tiny networks, registered and lying on the disk as the real ones are."""

import hashlib
from pathlib import Path
from typing import Any

from soundforge.engines import ModelFile, ModelSpec, ModelStore
from tests.support.networks import FOUR, SIX, write_network

SHOWN = ("vocals", "drums", "bass", "other")


def tiny_store(folder: Path) -> ModelStore:
    """``tiny``, ``tiny_ft`` (a file for each stem, like ``htdemucs_ft``) and ``tiny_6s``."""
    specs = [
        _model(folder, "tiny", SHOWN, {"one": ()}),
        _model(folder, "tiny_ft", SHOWN, {f"ft-{name}": (name,) for name in FOUR}),
        _model(folder, "tiny_6s", ("vocals", "drums", "bass", "guitar", "piano", "other"), {"six": ()}, sources=SIX),
    ]
    return ModelStore(folder, models={spec.name: spec for spec in specs})


def _model(
    folder: Path, name: str, stems: tuple[str, ...], files: dict[str, tuple[str, ...]], sources: tuple[str, ...] = FOUR
) -> ModelSpec:
    made = []
    for seed, (file, makes) in enumerate(files.items()):
        path = write_network(folder / name / f"{file}.safetensors", seed=seed, sources=sources)
        content = path.read_bytes()
        made.append(ModelFile(path.name, len(content), hashlib.sha256(content).hexdigest(), makes=makes))
    words: dict[str, Any] = {"label": "Tiny", "engines": ("openvino", "demucs"), "files": tuple(made), "repo": "a/b"}
    return ModelSpec(name=name, stems=stems, licence="MIT", may_sell=True, about_mb=1, **words)
