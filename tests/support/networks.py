"""Files of weights as the official ones are, made of random numbers: tiny ones for tests, one in full size.

The numbers are *live*: residual branches count about half (as trained ones do) and nothing is zero. As the official
program initialises them, with branches at 0.0001, deleting the whole transformer changes the output by 102 dB less
than itself, and no test would notice.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from soundforge_runners.htdemucs._architecture import Architecture, Weights
from soundforge_runners.htdemucs._graph import build

REFERENCE = Path(__file__).with_name("demucs_reference.py")  # runs where demucs is installed

FOUR = ("drums", "bass", "other", "vocals")  # the official order
SIX = (*FOUR, "guitar", "piano")

TINY: dict[str, Any] = {
    "channels": 4,
    "bottom_channels": 8,
    "t_layers": 3,
    "t_heads": 2,
    "t_hidden_scale": 1.0,
    "dconv_mode": 3,
    "dconv_comp": 4,
    "segment": {"_type": "fraction", "numerator": 1, "denominator": 1},
}
# For what is around the network: a second of music costs a twentieth of TINY's.
SMALLEST: dict[str, Any] = {**TINY, "depth": 2, "bottom_channels": 0, "t_layers": 2, "samplerate": 8000, "nfft": 512}
FULL: dict[str, Any] = {
    "channels": 48,
    "bottom_channels": 512,
    "t_layers": 5,
    "t_heads": 8,
    "dconv_mode": 3,
    "dconv_comp": 8,
    "segment": {"_type": "fraction", "numerator": 39, "denominator": 5},
}


def write_network(
    path: Path, *, seed: int = 1, sources: Sequence[str] = FOUR, options: dict[str, Any] | None = None
) -> Path:
    """Write live weights for the network of ``options`` (tiny by default), half precision like the official ones."""
    said = {"sources": list(sources), **(TINY if options is None else options)}
    metadata = {"klass": "demucs.htdemucs.HTDemucs", "args": "[]", "kwargs": json.dumps(said)}
    inventor = _Inventor(seed)
    build(Architecture.from_metadata(metadata), inventor, sources)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(inventor.made, path, metadata)
    return path


class _Inventor(Weights):
    """Hands out what is asked for, and remembers it."""

    def __init__(self, seed: int) -> None:
        super().__init__({}, "invented")
        self.made: dict[str, NDArray[np.float16]] = {}
        self._random = np.random.default_rng(seed)

    def take(self, name: str, *shape: int) -> NDArray[np.float32]:
        noise = self._random.standard_normal(shape)
        if name.endswith(".scale"):
            values = 0.5 + 0.1 * noise
        elif len(shape) == 1:
            values = 0.1 * noise + (1 if name.endswith("weight") else 0)
        elif "embedding" in name:
            values = 0.1 * noise
        else:
            inputs = shape[0] * 2 if "conv_tr" in name else int(np.prod(shape[1:]))  # 8 taps 4 apart: 2 meet
            values = noise / np.sqrt(inputs)
        self.made[name] = values.astype(np.float16)
        return self.made[name].astype(np.float32)
