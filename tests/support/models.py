"""Models of a few bytes, and a store that knows them beside the real ones."""

import hashlib
from pathlib import Path
from typing import Any

from soundforge.engines import MODELS, ModelFile, ModelSpec, ModelStore

WEIGHTS = bytes(range(256)) * 20
REPO = "owner/tiny"


def tiny_spec(name: str = "tiny", **change: Any) -> ModelSpec:
    """A model of one small file that the engine ``learned`` runs."""
    words: dict[str, Any] = {
        "label": "Tiny",
        "stems": ("vocals", "drums", "bass", "other"),
        "engines": ("learned",),
        "licence": "MIT",
        "may_sell": True,
        "repo": REPO,
        "about_mb": 1,
        "files": (ModelFile(f"{name}.safetensors", len(WEIGHTS), hashlib.sha256(WEIGHTS).hexdigest()),),
    }
    return ModelSpec(name=name, **{**words, **change})


def tiny_store(folder: Path, *names: str) -> ModelStore:
    """A store of tiny models, the best first, and of the built-in separation."""
    return ModelStore(folder, models={**{name: tiny_spec(name) for name in names or ("tiny",)}, "dsp": MODELS["dsp"]})


def put(store: ModelStore, name: str) -> None:
    """Let a tiny model be here."""
    (store.folder / name).mkdir(parents=True, exist_ok=True)
    (store.folder / name / f"{name}.safetensors").write_bytes(WEIGHTS)
