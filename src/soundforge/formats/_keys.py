"""Musical keys: names, Camelot codes, and which of them mix.

The Camelot wheel numbers the circle of fifths 1 to 12, A for minor and B for major; a step on it is a fifth.
"""

import re
from dataclasses import dataclass
from typing import Final

TONICS: Final = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_OTHER_NAMES: Final = {"DB": 1, "D#": 3, "FB": 4, "E#": 5, "GB": 6, "G#": 8, "A#": 10, "CB": 11, "B#": 0}
_MINORS: Final = ("m", "min", "minor", "moll")
_MAJORS: Final = ("", "maj", "major", "dur")
_CAMELOT: Final = re.compile(r"(1[0-2]|[1-9])([AB])", re.IGNORECASE)
_NAME: Final = re.compile(r"([A-Ga-g][#b♯♭]?)[\s:-]*([A-Za-z]*)")


@dataclass(frozen=True)
class Key:
    """A key; ``tonic`` is one of ``TONICS``, ``mode`` is "major" or "minor"."""

    tonic: str
    mode: str

    @property
    def name(self) -> str:
        """For people: "A minor"."""
        return f"{self.tonic} {self.mode}"

    @property
    def camelot(self) -> str:
        """Its place on the wheel: "8A"."""
        fifths = TONICS.index(self.tonic) * 7 % 12
        return f"{(fifths + (7 if self.mode == 'major' else 4)) % 12 + 1}{'B' if self.mode == 'major' else 'A'}"


KEYS: Final = tuple(
    sorted((Key(tonic, mode) for tonic in TONICS for mode in ("minor", "major")), key=lambda key: int(key.camelot[:-1]))
)
"""All 24, around the wheel from 1A and 1B on."""


def read_key(text: str) -> Key | None:
    """The key that somebody wrote, as "8A", "A minor", "Am", "c#:min" or "Bb"; None for anything else."""
    text = text.strip()
    if _CAMELOT.fullmatch(text):
        return next(key for key in KEYS if key.camelot == text.upper())
    found = _NAME.fullmatch(text)
    mode = _mode(found[2]) if found else None
    if not found or not mode:
        return None
    tonic = found[1].replace("♯", "#").replace("♭", "b").upper()
    by_name = {name.upper(): number for number, name in enumerate(TONICS)} | _OTHER_NAMES
    return Key(TONICS[by_name[tonic]], mode)


def mixing_keys(camelot: str) -> dict[str, str]:
    """The places of the wheel that mix with this one, and what each is to it; the same key first."""
    number, letter = int(camelot[:-1]), camelot[-1]
    other = "major" if letter == "A" else "minor"
    return {
        camelot: "same key",
        f"{number % 12 + 1}{letter}": "a fifth up",
        f"{(number - 2) % 12 + 1}{letter}": "a fifth down",
        f"{number}{'B' if letter == 'A' else 'A'}": f"relative {other}",
    }


def _mode(word: str) -> str | None:
    if word in _MINORS or word.lower() in _MINORS[1:]:
        return "minor"
    return "major" if word == "M" or word.lower() in _MAJORS else None
