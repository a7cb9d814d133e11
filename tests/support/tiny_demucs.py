"""Real models of the demucs package, of a few kilobytes: ``python tiny_demucs.py FOLDER``, where torch is.

Writes ``ht-0`` and ``ht-1`` (hybrid transformers) and ``hd-0`` (its predecessor) as safetensors with the metadata of
the official files. Weights are random but alive: at its initial scale the transformer adds next to nothing.
"""

import json
import sys
from fractions import Fraction
from pathlib import Path

import torch
from demucs.hdemucs import HDemucs
from demucs.htdemucs import HTDemucs
from safetensors.torch import save_file

SOURCES = ["drums", "bass", "other", "vocals"]
SMALL = {
    "channels": 4,
    "growth": 2,
    "depth": 4,
    "bottom_channels": 8,
    "t_layers": 1,
    "t_heads": 2,
    "t_hidden_scale": 1.0,
    "dconv_mode": 3,
    "dconv_comp": 4,
    "segment": Fraction(1, 1),
}


def fraction(value: Fraction) -> dict[str, object]:
    """A fraction as the official files write it."""
    return {"_type": "fraction", "numerator": value.numerator, "denominator": value.denominator}


def save(model: torch.nn.Module, options: dict[str, object], path: Path, seed: int) -> None:
    """Give a model live weights and write it as the official files are."""
    torch.manual_seed(seed)
    for name, value in model.named_parameters():
        if name.endswith("scale"):
            value.data = 0.5 + 0.1 * torch.randn_like(value)
        elif name.endswith("bias"):
            value.data = 0.1 * torch.randn_like(value)
    said = {"klass": f"{type(model).__module__}.{type(model).__name__}", "args": json.dumps([SOURCES])}
    said["kwargs"] = json.dumps(options, default=fraction)
    save_file({name: value.half().contiguous() for name, value in model.state_dict().items()}, path, said)


def main(folder: Path) -> None:
    """Write them all."""
    for seed in (0, 1):
        torch.manual_seed(seed)
        save(HTDemucs(SOURCES, **SMALL), SMALL, folder / f"ht-{seed}.safetensors", seed)
    torch.manual_seed(2)
    old = {"channels": 4, "segment": 2}
    save(HDemucs(SOURCES, **old), old, folder / "hd-0.safetensors", 2)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
