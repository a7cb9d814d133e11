"""Make ``golden.npz``: what the demucs package says of a tiny network, for tests that run where no torch is.

    python -m tests.runners.htdemucs.golden PYTHON

``PYTHON`` is an interpreter with torch and demucs. The file holds every 23rd sample of the stems, and the checksum of
the weights, so that a recipe that gives other ones is not taken for a network that computes other things.
"""

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from tests.support.audio import sweep
from tests.support.networks import REFERENCE, write_network

GOLDEN = Path(__file__).with_name("golden.npz")
EVERY = 23


def mix() -> NDArray[np.float32]:
    """One second that has something at every frequency, [2, samples]."""
    noise = 0.05 * np.random.default_rng(7).standard_normal((2, 44_100))
    return (sweep(1.0).T + noise).astype(np.float32)


def weights_digest(path: Path) -> str:
    """Of the tensors alone: the file tells of them in any order."""
    tensors = sorted(load_file(path).items())
    return hashlib.sha256(b"".join(name.encode() + tensor.tobytes() for name, tensor in tensors)).hexdigest()


def main(python: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        weights = write_network(folder / "tiny.safetensors")
        np.save(folder / "mix.npy", mix())
        files = [str(folder / name) for name in ("tiny.safetensors", "mix.npy", "out.npy")]
        subprocess.run([python, "-I", str(REFERENCE), *files, "--direct"], check=True)
        stems: NDArray[Any] = np.load(folder / "out.npy")[:, :, ::EVERY]
        np.savez(GOLDEN, stems=stems.astype(np.float32), weights=weights_digest(weights))


if __name__ == "__main__":
    main(sys.argv[1])
