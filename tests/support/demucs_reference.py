"""What the demucs package makes of a mix, in float64: the yardstick of our own network.

    python demucs_reference.py WEIGHTS.safetensors MIX.npy OUT.npy [--shifts N] [--offsets N...] [--overlap X]
                               [--dtype float32] [--direct]

Runs where torch and demucs are installed, and imports nothing of ours. ``MIX.npy`` holds ``[2, samples]``, ``OUT.npy``
gets ``[stems, 2, samples]`` in the order of the weights. ``--direct``: one segment through the network alone.
"""

import argparse
import random
from fractions import Fraction

import numpy as np
import torch
from demucs.apply import apply_model
from demucs.hf import load_safetensors_model


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("weights", "mix", "out"):
        parser.add_argument(name)
    parser.add_argument("--shifts", type=int, default=0)
    parser.add_argument("--offsets", type=int, nargs="*", default=[])
    parser.add_argument("--overlap", type=float, default=0.25)
    parser.add_argument("--dtype", default="float64")
    parser.add_argument("--direct", action="store_true")
    arguments = parser.parse_args()
    dtype = getattr(torch, arguments.dtype)
    torch.set_default_dtype(dtype)  # embeddings too, not only weights
    model = load_safetensors_model(arguments.weights).to(dtype).eval()
    assert isinstance(model.segment, (Fraction, int, float))
    mix = torch.from_numpy(np.load(arguments.mix)).to(dtype)[None]
    with torch.no_grad():
        if arguments.direct:
            stems = model(mix)[0]
        else:
            offsets = iter(arguments.offsets)
            if arguments.offsets:
                random.randint = lambda _low, _high: next(offsets)
            reference = mix.mean(dim=1)
            mean, deviation = reference.mean(), reference.std() + 1e-8
            found = apply_model(
                model, (mix - mean) / deviation, shifts=arguments.shifts, overlap=arguments.overlap, device="cpu"
            )
            stems = (found * deviation + mean)[0]
    np.save(arguments.out, stems.numpy().astype(np.float64))


if __name__ == "__main__":
    main()
