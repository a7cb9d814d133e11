import numpy as np
import pytest

from soundforge_runners.analysis._chords import NO_CHORD, ChordPath
from soundforge_runners.analysis._chroma import Chroma
from soundforge_runners.analysis._key import Key
from soundforge_runners.analysis._qualities import name_chords
from soundforge_runners.analysis._spectrum import PITCH_HOP_S

C_MAJOR = Key(0, "major", 0.9, ())
A_MINOR = Key(9, "minor", 0.9, ())
TONES = {
    "maj": (0, 4, 7),
    "min": (0, 3, 7),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "min7": (0, 3, 7, 10),
    "sus4": (0, 5, 7),
}
SLOTS, FRAMES = 4, 40


def chroma(*chords: tuple[int, str]) -> Chroma:
    """Ten frames of each chord; what does not belong sounds at a quarter, as overtones do."""
    rows = np.full((12, 10 * len(chords)), 0.25, dtype=np.float32)
    for index, (root, quality) in enumerate(chords):
        for tone in TONES[quality]:
            rows[(root + tone) % 12, 10 * index : 10 * index + 10] = 0.9
    return Chroma(rows, rows, rows, np.zeros(rows.shape[1], dtype=np.float32))


def path(*states: int) -> ChordPath:
    chances = np.full((25, len(states)), 0.02)
    chances[list(states), range(len(states))] = 0.52
    edges = (np.arange(len(states) + 1) * 10 - 0.5) * PITCH_HOP_S
    return ChordPath(np.maximum(edges, 0), np.array(states), chances)


@pytest.mark.parametrize("quality", list(TONES))
def test_each_quality_is_named(quality: str) -> None:
    state = 7 + 12 * (quality in ("min", "min7"))
    chords = name_chords(path(*[state] * SLOTS), chroma(*[(7, quality)] * SLOTS), [C_MAJOR] * SLOTS)
    assert [chord.label for chord in chords] == [f"G:{quality}"]
    assert 0 < chords[0].confidence <= 0.52


def test_a_suspension_is_cut_where_it_resolves() -> None:
    heard = chroma(*[(7, "sus4")] * SLOTS, *[(7, "maj")] * SLOTS)
    chords = name_chords(path(*[7] * 2 * SLOTS), heard, [C_MAJOR] * 2 * SLOTS)
    assert [chord.label for chord in chords] == ["G:sus4", "G:maj"]
    assert chords[0].end_s == chords[1].start_s


def test_a_doubtful_seventh_is_believed_on_the_dominant_and_not_elsewhere() -> None:
    def seventh_on(root: int, key: Key) -> str:
        heard = chroma(*[(root, "maj")] * SLOTS)
        heard.middle[(root + 10) % 12] = 0.9 * 0.5
        return name_chords(path(*[root] * SLOTS), heard, [key] * SLOTS)[0].label

    assert seventh_on(7, C_MAJOR) == "G:7"
    assert seventh_on(4, A_MINOR) == "E:7"
    assert seventh_on(0, C_MAJOR) == "C:maj"


def test_no_chord_stays_none() -> None:
    chords = name_chords(path(NO_CHORD, NO_CHORD, 0, 0), chroma(*[(0, "maj")] * 4), [C_MAJOR] * 4)
    assert [chord.label for chord in chords] == ["N", "C:maj"]
