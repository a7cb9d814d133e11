"""An analyzer that has listened before: it gives the same answer for every song, at once."""

import asyncio
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from soundforge.engines import Analyzed, OnProgress, Part, Pcm
from tests.support.waveforms import level

_WIDTHS = (256, 1024, 4096, 16384)

DOCUMENTS: dict[str, dict[str, Any]] = {
    "peaks": {"waveform": {"format": "audiowaveform-dat-v2", "bits": 8, "levels": []}},  # they follow the song's length
    "loudness": {
        "loudness": {
            "integrated_lufs": -14.0,
            "range_lu": 6.0,
            "max_short_term_lufs": -11.0,
            "sample_peak_dbfs": -1.1,
            "true_peak_dbtp": -1.0,
        }
    },
    "rhythm": {
        "tempo": {
            "bpm": 120.0,
            "confidence": 0.9,
            "stable": True,
            "alternatives": [{"bpm": 60.0, "score": 0.5}],
            "curve": [{"t_s": 0.5, "bpm": 120.0}],
        },
        "meter": {"beats_per_bar": 4, "signature": "4/4", "confidence": 0.8},
        "beats": {"times_s": [0.5, 1.0, 1.5, 2.0, 2.5], "confidence": 1.0},
        "downbeats": {"beat_indices": [0, 4], "confidence": 0.8},
    },
    "harmony": {
        "key": {
            "tonic": "A",
            "mode": "minor",
            "camelot": "8A",
            "confidence": 0.9,
            "alternatives": [{"tonic": "C", "mode": "major", "camelot": "8B", "score": 0.1}],
            "tuning_cents": 0.0,
        },
        "chords": [{"start_s": 0.0, "end_s": 3.0, "label": "A:min", "confidence": 0.8}],
    },
    "structure": {
        "sections": [{"start_s": 0.0, "end_s": 3.0, "group": "A", "label": None, "confidence": 0.0, "energy": 0.5}],
        "energy": {"value_0_1": 0.5, "curve_hz": 1, "curve": [0.5, 0.5, 0.5]},
    },
    "cues": {"cues": [{"t_s": 0.5, "kind": "first_downbeat", "bar": 0}]},
    "features": {
        "features": {
            "centroid_hz": {"mean": 2000.0, "std": 500.0},
            "periodicity": {"lags_per_s": 10.0, "strength": [1.0, 0.5, 0.25]},
        },
        "embedding": {"name": "sfa-69-v1", "dim": 69, "values": [*[0.0] * 60, math.log2(120), *[0.0] * 8]},
    },
    "pictures": {
        "pictures": {
            "columns": 3,
            "column_s": 1.0,
            "steps": 99,
            "loudness_lufs": [-14.0, -13.0, None],
            "centroid_hz": [1800, 2100, 2000],
            "chroma": [[99, 50, 0] for _ in range(12)],
            "mfcc": {"low": [-40.0] * 14, "high": [20.0] * 14, "values": [[0, 50, 99] for _ in range(14)]},
        }
    },
}


class FakeAnalyzer:
    """Fake of Analyzer. `heard` keeps what it was given; with `gate` it waits there before it answers."""

    def __init__(self, gate: asyncio.Event | None = None, error: Exception | None = None) -> None:
        self.heard: list[Pcm] = []
        self._gate, self._error = gate, error

    async def analyze(
        self,
        pcm: Pcm,
        *,
        folder: Path,
        threads: int,
        on_progress: OnProgress | None = None,
        on_part: Callable[[Part], None] | None = None,
    ) -> Analyzed:
        self.heard.append(pcm)
        if self._gate:
            await self._gate.wait()
        if self._error:
            raise self._error
        parts = []
        for number, (stage, document) in enumerate(DOCUMENTS.items()):
            path = _write_peaks(pcm, folder) if stage == "peaks" else None
            said = {"waveform": _waveform(pcm)} if stage == "peaks" else document
            parts.append(Part(stage, {**said, "warnings": []}, path))
            if on_part:
                on_part(parts[-1])
            if on_progress:
                on_progress(100 * (number + 1) / len(DOCUMENTS), stage)
        return Analyzed(tuple(parts), "fake-1", (), {"cpu_s": 0.0, "wall_s": 0.0, "peak_rss_mb": 0})


def _waveform(pcm: Pcm) -> dict[str, Any]:
    levels = [{"samples_per_pixel": width, "length": -(-pcm.frames // width)} for width in _WIDTHS]
    return {**DOCUMENTS["peaks"]["waveform"], "levels": levels}


def _write_peaks(pcm: Pcm, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "peaks.dat"
    path.write_bytes(
        b"".join(level(pcm.sample_rate_hz, width, b"\x80\x7f" * -(-pcm.frames // width)) for width in _WIDTHS)
    )
    return path
