"""Looks inside the demucs runner, under the Python that has torch: ``python demucs_checks.py FOLDER_OF_TINY_MODELS``.

Prints one JSON document: how far blocks are from the whole, and what becomes of a graphics card without memory.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from demucs.apply import apply_model

from soundforge_runners import separate_demucs as runner
from soundforge_runners._protocol import Refused

RATE, SECONDS = 44_100, 7.3


class Song:
    """A track in memory."""

    def __init__(self) -> None:
        """Noise, the same every time."""
        self.samples = np.random.default_rng(3).standard_normal((2, int(SECONDS * RATE))).astype(np.float32)
        self.frames = self.samples.shape[1]

    def read(self, start: int, stop: int) -> np.ndarray:
        """Samples of it."""
        return np.ascontiguousarray(self.samples[:, start:stop])


def distance(bag: Any, *, overlap: float) -> float:
    """The largest difference between the song in blocks of two segments and in one go."""
    song = Song()
    plan = runner.Plan.of(song.frames, bag, overlap=overlap, shifts=0)
    small = runner.Plan(plan.frames, 2 * plan.stride, plan.stride, plan.context, overlap, 0)
    blocks = runner.separated(song, bag, small, runner._Devices(None), apply_model, lambda _share: None)
    whole = apply_model(bag, torch.from_numpy(song.samples)[None], shifts=0, overlap=overlap)[0].numpy()
    return float(np.abs(np.concatenate([*blocks], axis=2) - whole).max() / np.abs(whole).max())


def without_card(bag: Any) -> dict[str, Any]:
    """What is done when the card has no memory: once again on the processor, and said so."""
    asked: list[str] = []

    def apply(*args: Any, device: str, **options: Any) -> Any:
        asked.append(device)
        if device == "cuda":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return apply_model(*args, device=device, **options)

    song, devices = Song(), runner._Devices("cuda")
    plan = runner.Plan.of(song.frames, bag, overlap=0.25, shifts=0)
    half = runner.Plan(plan.frames, 5 * plan.stride, plan.stride, plan.context, 0.25, 0)
    told: list[float] = []
    frames = sum(block.shape[2] for block in runner.separated(song, bag, half, devices, apply, told.append))
    return {
        "asked": asked,
        "codes": [one["code"] for one in devices.warnings],
        "whole": frames == song.frames,
        "rises": told == sorted(told) and told[-1] == 1.0,
    }


def refused(path: Path) -> str:
    """The code that loading a file is refused with."""
    try:
        runner.load_model(path)
    except Refused as refusal:
        return refusal.code
    return ""


def main(folder: Path) -> None:
    """Check."""
    hybrid = [(folder / f"ht-{seed}.safetensors", ()) for seed in (0, 1)]
    bag, old = runner.load_bag(hybrid, None), runner.load_bag([(folder / "hd-0.safetensors", ())], 1)
    with torch.no_grad():
        found = {
            "blocks": {str(overlap): distance(bag, overlap=overlap) for overlap in (0.25, 0.6)},
            "blocks_of_the_old": distance(old, overlap=0.25),
            "without_card": without_card(bag),
            "refused": {path.stem: refused(path) for path in sorted(folder.glob("bad-*.safetensors"))},
        }
    print(json.dumps(found))  # noqa: T201 - read by the test


if __name__ == "__main__":
    main(Path(sys.argv[1]))
