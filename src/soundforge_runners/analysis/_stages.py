"""The stages in their order. Each is handed over as soon as it is done; one that fails is null with a warning."""

import json
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundforge_runners._peaks import PeaksWriter, levels_of
from soundforge_runners._protocol import MAX_LINE
from soundforge_runners.analysis import _document as document
from soundforge_runners.analysis._chroma import Chroma, tuned_chroma
from soundforge_runners.analysis._cues import find_cues
from soundforge_runners.analysis._document import Document
from soundforge_runners.analysis._energy import bar_energy, energy_curve
from soundforge_runners.analysis._features import timbre
from soundforge_runners.analysis._harmony import find_harmony
from soundforge_runners.analysis._likeness import SHORTEST_S, embedding_document
from soundforge_runners.analysis._loudness import Loudness, measured
from soundforge_runners.analysis._meter import Accents
from soundforge_runners.analysis._pictures import pictures
from soundforge_runners.analysis._rhythm import Rhythm, bars_of, find_rhythm
from soundforge_runners.analysis._source import Source
from soundforge_runners.analysis._spectrum import Spectra, read_spectra
from soundforge_runners.analysis._structure import Section, bar_edges, find_sections
from soundforge_runners.analysis._tempo import onset_curve
from soundforge_runners.analysis._tonality import is_empty, is_tonal

type Warning_ = dict[str, str]
type OnPart = Callable[[str, Document, str | None], None]
type OnProgress = Callable[[float, str], None]

ALGORITHM_VERSION = "2026.11-d"
_ENVELOPE_BYTES = 1024
_OPPOSITE = [
    {"code": "opposite_phase", "sentence": "The channels are in opposite phase: in mono, the song nearly vanishes."}
]
_NO_BEAT = ("no_beat", "No steady beat was found.")
EMPTY: dict[str, tuple[str, ...]] = {
    "peaks": ("waveform",),
    "loudness": ("loudness",),
    "rhythm": ("tempo", "meter", "beats", "downbeats"),
    "harmony": ("key", "chords"),
    "structure": ("sections", "energy"),
    "cues": ("cues",),
    "features": ("features", "embedding"),
    "pictures": ("pictures",),
}
"""Stages in their order, and the names that each puts into the document."""


class Nothing(Exception):
    """A stage found nothing, and we know why: null with this warning."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


@dataclass
class Song:
    """What is known so far; a later stage asks for what an earlier one found."""

    source: Source
    peaks_path: Path
    report: OnProgress
    loudness: Loudness | None = None
    spectra: Spectra | None = None
    chroma: Chroma | None = None
    rhythm: Rhythm | None = None
    sections: list[Section] = field(default_factory=list)
    energy: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    @property
    def downbeats_s(self) -> NDArray[np.float64]:
        """Times of the downbeats; none where there is no rhythm."""
        return self.rhythm.downbeats_s if self.rhythm else np.empty(0)

    def heard(self) -> tuple[Spectra, Chroma]:
        """Spectra and chroma, made at the first call. Raises Nothing for silence and for less than 3 s."""
        if self.source.duration_s < SHORTEST_S:
            raise Nothing("too_short", "The sound is too short to find rhythm, key or sections.")
        if self.loudness is None or self.loudness.integrated_lufs is None:
            raise Nothing("silence", "There is nothing to hear.")
        if self.spectra is None or self.chroma is None:
            self.spectra = read_spectra(
                self.source,
                self.loudness.integrated_lufs,
                lambda share: self.report(20 + 60 * share, "spectra"),
                is_opposite=self.loudness.is_opposite,
            )
            self.chroma = tuned_chroma(self.spectra)
        if is_empty(self.spectra):
            raise Nothing("silence", "There is nothing to hear.")
        return self.spectra, self.chroma


def analyze(source: Source, peaks_path: Path, on_part: OnPart, on_progress: OnProgress) -> list[Warning_]:
    """Run every stage; give the warnings of all, each once. Writes the peaks to `peaks_path`."""
    song, warnings = Song(source, peaks_path, on_progress), list[Warning_]()
    for percent, (name, stage) in zip((0, 10, 20, 85, 90, 95, 97, 99), _STAGES.items(), strict=True):
        on_progress(percent, name)
        part, found = run_stage(name, stage, song)
        on_part(name, part, str(peaks_path) if name == "peaks" and part["waveform"] else None)
        warnings += [warning for warning in found if warning not in warnings]
    return warnings


def run_stage(name: str, stage: Callable[[Song], Document], song: Song) -> tuple[Document, list[Warning_]]:
    """Run one stage; what it cannot find is null and has a warning inside the document."""
    warnings: list[Warning_] = []
    try:
        part = _of_a_size_to_send(document.rounded(stage(song)))
        warnings = part.pop("warnings", [])
    except Nothing as nothing:
        part, warnings = dict.fromkeys(EMPTY[name]), [{"code": nothing.code, "sentence": nothing.sentence}]
    except (MemoryError, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - one stage's bug must not cost the user the others; the log has it
        traceback.print_exception(error, file=sys.stderr)
        sentence = f"The stage {name} failed ({type(error).__name__})."
        part, warnings = dict.fromkeys(EMPTY[name]), [{"code": f"{name}_failed", "sentence": sentence}]
    return {**part, "warnings": warnings}, warnings


def _of_a_size_to_send(part: Document) -> Document:
    """Raise Nothing for what is longer than a line of our protocol may be: chords or beats of very many hours."""
    if len(json.dumps(part)) > MAX_LINE - _ENVELOPE_BYTES:
        raise Nothing("too_long", "The song is too long to list all of this.")
    return part


def _peaks(song: Song) -> Document:
    with PeaksWriter(song.peaks_path, song.source.sample_rate_hz, song.source.channels) as writer:
        for block in song.source.blocks():
            writer.add(block)
        frames = writer.close()
    if frames != song.source.frames:
        raise Nothing("cut_short", "The decoded sound is shorter than announced.")
    return document.waveform_document(levels_of(frames))


def _loudness(song: Song) -> Document:
    song.loudness = measured(song.source)
    return {**document.loudness_document(song.loudness), "warnings": _OPPOSITE if song.loudness.is_opposite else []}


def _rhythm(song: Song) -> Document:
    spectra, chroma = song.heard()
    song.rhythm = find_rhythm(spectra, chroma)
    if song.rhythm is None:
        raise Nothing(*_NO_BEAT)
    return document.rhythm_document(song.rhythm, song.source.duration_s)


def _harmony(song: Song) -> Document:
    spectra, chroma = song.heard()
    if not is_tonal(spectra, chroma):
        raise Nothing("not_tonal", "No harmony was found.")
    beats_s = song.rhythm.grid.beats_s if song.rhythm else None
    harmony = find_harmony(chroma, beats_s, song.source.duration_s)
    return document.harmony_document(harmony, spectra.tuning_cents, song.source.duration_s)


def _structure(song: Song) -> Document:
    spectra, _ = song.heard()
    song.energy = energy_curve(spectra, song.source.duration_s)
    edges_s = bar_edges(song.downbeats_s, song.source.duration_s)
    if song.rhythm is not None:
        song.sections = find_sections(spectra, edges_s, bar_energy(song.energy, edges_s))
    return document.structure_document(song.sections, song.energy)


def _cues(song: Song) -> Document:
    spectra, chroma = song.heard()
    if song.rhythm is None:
        raise Nothing(*_NO_BEAT)
    bars = bars_of(song.rhythm, Accents(spectra.onset_bands, chroma.whole))
    return document.cues_document(find_cues(song.sections, bars, song.energy))


def _features(song: Song) -> Document:
    spectra, chroma = song.heard()
    embedding = embedding_document(spectra, chroma, song.rhythm.bpm if song.rhythm else None)
    return {"features": timbre(spectra, chroma, onset_curve(spectra.onset_bands)), "embedding": embedding}


def _pictures(song: Song) -> Document:
    spectra, chroma = song.heard()
    loudness = song.loudness or measured(song.source)
    return {"pictures": pictures(spectra, chroma, loudness, song.source.duration_s)}


_STAGES: dict[str, Callable[[Song], Document]] = {
    "peaks": _peaks,
    "loudness": _loudness,
    "rhythm": _rhythm,
    "harmony": _harmony,
    "structure": _structure,
    "cues": _cues,
    "features": _features,
    "pictures": _pictures,
}
