"""Twelve styles: tempo, metre, drum pattern, instruments and how they play."""

from dataclasses import dataclass, field

KICK, SNARE, HAT, OPEN_HAT, RIDE, CRASH, CLAP = 36, 38, 42, 46, 51, 49, 39
TOMS = (SNARE, 45, 47, 43)

type Progression = tuple[tuple[int, str], ...]
"""Semitones above the tonic, and quality; one chord per slot."""

QUALITIES = {
    "maj": (0, 4, 7),
    "min": (0, 3, 7),
    "7": (0, 4, 7, 10),
    "min7": (0, 3, 7, 10),
    "maj7": (0, 4, 7, 11),
    "sus4": (0, 5, 7),
}


@dataclass(frozen=True)
class Style:
    """How one kind of music goes. Drum patterns are one character per subdivision: x loud, o soft, . nothing."""

    bpm: tuple[float, float]
    drums: dict[int, str] = field(default_factory=dict)
    keys: tuple[int, ...] = (0,)
    lead: tuple[int, ...] = (73,)
    bass: tuple[int, ...] = (33,)
    beats_per_bar: int = 4
    subdivisions: int = 4
    swing: float = 0.0
    slots_per_bar: float = 1.0
    sevenths: float = 0.15
    rubato: float = 0.0
    half_time: bool = False
    comping: str = ""
    """How the keys play: held, stabs, offbeat or broken; empty where each song may choose."""
    bass_line: str = "syncopated"

    @property
    def ternary(self) -> bool:
        """Tell whether beats divide into three."""
        return self.subdivisions % 3 == 0

    @property
    def signature(self) -> str:
        """Metre as musicians write it."""
        return (
            f"{2 * self.subdivisions}/8"
            if self.ternary and self.beats_per_bar % 2 == 0 and not self.drums
            else f"{self.beats_per_bar}/4"
        )


STYLES: dict[str, Style] = {
    "pop": Style(
        (96, 130),
        {KICK: "x.......x.x.....", SNARE: "....x.......x...", HAT: "x.o.x.o.x.o.x.o."},
        keys=(0, 4, 24),
        lead=(80, 53, 65),
        bass=(33, 34),
    ),
    "house": Style(
        (118, 130),
        {KICK: "x...x...x...x...", CLAP: "....x.......x...", OPEN_HAT: "..x...x...x...x.", HAT: "o.oo.oo.o.oo.oo."},
        keys=(4, 90, 16),
        lead=(81, 80),
        bass=(38, 39),
        slots_per_bar=0.5,
        comping="offbeat in chorus",
        bass_line="offbeat",
    ),
    "dnb": Style(
        (166, 178),
        {KICK: "x.........x.....", SNARE: "....x.......x...", HAT: "x.o.x.o.x.o.x.o.", RIDE: "..o...o.o...o..."},
        keys=(89, 4, 88),
        lead=(81, 54),
        bass=(38, 87),
        slots_per_bar=0.5,
    ),
    "hiphop": Style(
        (78, 98),
        {KICK: "x..x......x..x..", SNARE: "....x.......x..o", HAT: "x.oox.o.x.oox.o."},
        keys=(4, 5, 0),
        lead=(73, 11, 61),
        bass=(33, 38),
        swing=0.3,
    ),
    "trap": Style(
        (134, 148),
        {KICK: "x.....x...x.....", SNARE: "........x.......", HAT: "x.x.x.x.x.xxx.x."},
        keys=(88, 4, 46),
        lead=(79, 14),
        bass=(38,),
        slots_per_bar=0.5,
        half_time=True,
    ),
    "funk": Style(
        (94, 116),
        {KICK: "x..x..x...x..x..", SNARE: "....x..o.o..x..o", HAT: "xoxoxoxoxoxoxoxo"},
        keys=(7, 16, 27),
        lead=(61, 65),
        bass=(36, 37),
        bass_line="octaves",
    ),
    "rock": Style(
        (132, 180),
        {KICK: "x.x...x.x.x...x.", SNARE: "....x.......x...", RIDE: "x...x...x...x..."},
        keys=(29, 30),
        lead=(30, 81),
        bass=(34,),
        comping="stabs",
        bass_line="eighths",
    ),
    "swing": Style(
        (110, 178),
        {RIDE: "x..x.ox..x.o", HAT: "...x.....x..", KICK: "o..o..o..o.."},
        keys=(0, 26),
        lead=(66, 56, 11),
        bass=(32,),
        subdivisions=3,
        sevenths=0.7,
        bass_line="walking",
    ),
    "reggae": Style(
        (70, 84),
        {KICK: "........x.......", SNARE: "........x.......", HAT: "..x...x...x...x."},
        keys=(16, 27),
        lead=(22, 65),
        comping="offbeat",
    ),
    "waltz": Style(
        (86, 168),
        {KICK: "x.....", SNARE: "..o.o.", HAT: "x.x.x."},
        keys=(0, 21, 24),
        lead=(40, 71),
        bass=(32, 33),
        beats_per_bar=3,
        subdivisions=2,
        bass_line="held",
    ),
    "ballad": Style(
        (70, 86),
        keys=(0, 48, 24),
        lead=(40, 73, 68),
        bass=(32, 42),
        rubato=0.02,
        comping="broken or held",
        bass_line="held",
    ),
    "folk68": Style(
        (70, 96),
        keys=(25, 24),
        lead=(73, 110, 22),
        bass=(32,),
        beats_per_bar=2,
        subdivisions=3,
        comping="broken",
        bass_line="held",
    ),
}


def _progressions(*lines: str) -> tuple[Progression, ...]:
    """Read `0:maj 7:maj`."""
    pairs = [[slot.split(":") for slot in line.split()] for line in lines]
    return tuple(tuple((int(degree), quality) for degree, quality in line) for line in pairs)


PROGRESSIONS: dict[str, dict[str, tuple[Progression, ...]]] = {
    "major": {
        "verse": _progressions(
            "0:maj 7:maj 9:min 5:maj",
            "0:maj 9:min 5:maj 7:maj",
            "0:maj 5:maj 0:maj 7:maj",
            "0:maj 4:min 5:maj 7:7",
            "0:maj 10:maj 5:maj 0:maj",
        ),
        "chorus": _progressions(
            "5:maj 7:maj 0:maj 9:min",
            "9:min 5:maj 0:maj 7:maj",
            "2:min7 7:7 0:maj7 9:min7",
            "5:maj 0:maj 7:sus4 7:maj",
            "0:maj 7:maj 2:min 5:maj",
        ),
    },
    "minor": {
        "verse": _progressions(
            "0:min 8:maj 3:maj 10:maj",
            "0:min 5:min 0:min 7:min",
            "0:min 10:maj 8:maj 7:maj",
            "0:min7 5:min7 0:min7 5:min7",
            "0:min 3:maj 10:maj 5:min",
        ),
        "chorus": _progressions(
            "8:maj 10:maj 0:min 0:min",
            "5:min 0:min 7:7 0:min",
            "8:maj7 5:min7 0:min7 7:min7",
            "3:maj 10:maj 0:min 8:maj",
            "0:min 8:maj 5:min 7:maj",
        ),
    },
}
