import numpy as np

from soundforge_runners.analysis._chords import find_chords
from soundforge_runners.analysis._chroma import Chroma
from soundforge_runners.analysis._harmony import find_harmony
from soundforge_runners.analysis._key_changes import KeySpan, find_keys
from soundforge_runners.analysis._spectrum import PITCH_HOP_S

TRIADS = {"maj": (0, 4, 7), "min": (0, 3, 7)}
VERSE = [(0, "maj"), (7, "maj"), (9, "min"), (5, "maj")]
BAR_S = 2.0


def chroma(keys: list[int]) -> Chroma:
    """Four bars of two seconds in each key."""
    bars = [(key + root, quality) for key in keys for root, quality in VERSE]
    frames = round(len(bars) * BAR_S / PITCH_HOP_S)
    rows = np.full((12, frames), 0.1, dtype=np.float32)
    for frame in range(frames):
        root, quality = bars[int(frame * PITCH_HOP_S / BAR_S)]
        rows[[(root + tone) % 12 for tone in TRIADS[quality]], frame] = 1.0
    return Chroma(rows, rows, rows, np.zeros(frames, dtype=np.float32))


def spans_of(keys: list[int]) -> list[KeySpan]:
    heard = chroma(keys)
    edges_s = np.arange(0, len(keys) * 4 * BAR_S + 0.1, 0.5)
    return find_keys(heard, find_chords(heard, edges_s))


def test_a_song_in_one_key_has_one_span() -> None:
    assert [(span.start_s, span.key.tonic, span.key.mode) for span in spans_of([0] * 6)] == [(0.0, 0, "major")]


def test_a_last_chorus_a_tone_higher_is_a_change_of_key() -> None:
    before, after = spans_of([0, 0, 0, 0, 2, 2, 2])
    assert (before.key.tonic, after.key.tonic) == (0, 2)
    assert abs(after.start_s - 32) < 3
    assert before.stop == after.first


def test_eight_seconds_elsewhere_are_no_change_of_key() -> None:
    assert len(spans_of([0, 0, 0, 4, 0, 0, 0])) == 1


def test_the_key_of_the_song_is_that_of_its_longest_part() -> None:
    harmony = find_harmony(chroma([0, 0, 0, 0, 3, 3]), np.arange(0, 48, 0.5), 48.0)
    assert (harmony.key.tonic, harmony.key.mode, len(harmony.spans)) == (0, "major", 2)


def test_silence_has_no_changes_of_key() -> None:
    rows = np.zeros((12, 400), dtype=np.float32)
    heard = Chroma(rows, rows, rows, np.zeros(400, dtype=np.float32))
    assert len(find_keys(heard, find_chords(heard, np.arange(0, 37, 0.5)))) == 1
