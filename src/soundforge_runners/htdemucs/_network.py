"""The network, compiled for this processor: segments in, stems of segments out."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from soundforge_runners.htdemucs import _spectrum
from soundforge_runners.htdemucs._architecture import Architecture, open_weights
from soundforge_runners.htdemucs._graph import build

type Channels = NDArray[np.float32]  # [2, samples]
type Stems = NDArray[np.float32]  # [stems, 2, samples]

PRECISIONS = {"float32": "f32", "bfloat16": "bf16"}
_TINY = 1e-5  # keeps silence from being divided by zero, as in training


class Network:
    """One file of weights, ready to run; ``stems`` are the names of what it gives, in order."""

    def __init__(
        self,
        path: Path,
        stems: Sequence[str] = (),
        *,
        streams: int = 1,
        threads: int = 1,
        precision: str = "float32",
    ) -> None:
        """Load and compile: some seconds. ``streams`` segments at once, ``threads`` in all; no stems: all it makes.

        Raises Refused: ``model_missing``, ``wrong_weights``, ``unsupported_model``.
        """
        self.architecture, weights = open_weights(path)
        self.stems = tuple(stems or self.architecture.sources)
        model = build(self.architecture, weights, self.stems)
        self._compiled = ov.Core().compile_model(model, "CPU", _settings(streams, threads, precision))
        self._requests = [self._compiled.create_infer_request() for _ in range(streams)]

    def run(self, segments: Iterable[Channels]) -> Iterator[Stems]:
        """Separate segments of ``segment_frames`` samples each, in order; as many at once as there are streams."""
        busy: deque[_Work] = deque()
        free = deque(self._requests)
        try:
            for segment in segments:
                if not free:
                    done = busy.popleft()
                    yield done.finish()
                    free.append(done.request)
                busy.append(_Work(free.popleft(), segment, self.architecture))
            while busy:
                yield busy.popleft().finish()
        finally:  # a caller that stops early leaves nothing running
            for left in busy:
                left.request.wait()


class _Work:
    """One segment on its way through the network."""

    def __init__(self, request: Any, segment: Channels, architecture: Architecture) -> None:
        self.request, self._architecture = request, architecture
        spectra = _spectrum.spectrum(segment, architecture)
        self._spectra, self._samples = _Level.of(spectra), _Level.of(segment)
        request.start_async({"spectrum": self._spectra.out(spectra)[None], "samples": self._samples.out(segment)[None]})

    def finish(self) -> Stems:
        self.request.wait()
        planes, samples = (self.request.get_output_tensor(number).data[0] for number in range(2))
        whole = _spectrum.samples(self._spectra.back(planes), self._architecture)
        whole += self._samples.back(samples)
        return cast("Stems", whole.reshape(-1, 2, whole.shape[-1]))


class _Level:
    """Mean and standard deviation of one segment."""

    def __init__(self, mean: float, deviation: float) -> None:
        self._mean, self._deviation = np.float32(mean), np.float32(deviation)

    @classmethod
    def of(cls, values: NDArray[np.float32]) -> "_Level":
        mean = values.mean(dtype=np.float64)
        square = np.square(values - np.float32(mean), dtype=np.float32).sum(dtype=np.float64)
        return cls(float(mean), float(np.sqrt(square / (values.size - 1))))

    def out(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        return (values - self._mean) / (np.float32(_TINY) + self._deviation)

    def back(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        return values * self._deviation + self._mean


def _settings(streams: int, threads: int, precision: str) -> dict[str, Any]:
    return {
        "INFERENCE_PRECISION_HINT": PRECISIONS[precision],
        "NUM_STREAMS": streams,
        "INFERENCE_NUM_THREADS": max(threads, streams),
        "ENABLE_CPU_PINNING": False,
    }
