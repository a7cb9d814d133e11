"""Compose a song: its truth, and the notes of four stems in seconds."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bench.songs._styles import (
    CRASH,
    HAT,
    KICK,
    OPEN_HAT,
    PROGRESSIONS,
    QUALITIES,
    RIDE,
    STYLES,
    TOMS,
    Progression,
    Style,
)
from soundforge_runners.analysis._key import TONICS, camelot

STEMS = ("drums", "bass", "keys", "lead")
FONTS = ("sf2/FluidR3_GM.sf2", "sf2/TimGM6mb.sf2")
OTHER_FONTS = ("sf3/MuseScore_General.sf3", "sf2/OPL-3_FM_128M.sf2")
_TUNINGS = (0.0, 0.0, 0.0, -28.0, 22.0, 35.0)
_PADS = (48, 50, 89)
_LEVELS = {"intro": 62, "verse": 78, "chorus": 100, "break": 66}
_SPEEDS_UP_EVERY, _SPEED_UP = 18, 0.08
_FOURTH_UP = (0, 0, 0, 12)
_KEYS, _DOMINANT, _LONG_BARS, _LEAD_DENSITY = 24, 7, 24, 0.55
_CHANNELS = {"keys": 0, "pad": 1, "bass": 2, "lead": 3, "drums": 9}


@dataclass(frozen=True)
class Note:
    """One note of one General MIDI instrument."""

    channel: int
    program: int
    pitch: int
    start_s: float
    end_s: float
    velocity: int


@dataclass
class Song:
    """A song to be rendered; `truth` is what goes into truth.json."""

    name: str
    truth: dict[str, Any]
    notes: dict[str, list[Note]]
    font: str
    tuning_cents: float
    loudness_lufs: float


@dataclass(frozen=True)
class Variation:
    """What is unusual about a song; the defaults are the usual ones. Length is reached about, not exactly."""

    seconds: float = 48.0
    modulates: bool = False
    """The last chorus is one, two or three semitones higher."""
    other_font: bool = False


USUAL = Variation()


@dataclass(frozen=True)
class Section:
    """One part of the plan, with who plays in it."""

    label: str
    first_bar: int
    bars: int
    drums: bool
    hats_only: bool
    bass: bool
    lead: bool
    pad: bool


def compose(seed: int, number: int, variation: Variation = USUAL) -> Song:
    """Compose song `number` of a set; each block of 24 songs visits all keys."""
    return _Composer(seed, number, variation).song()


@dataclass
class _Composer:
    seed: int
    number: int
    variation: Variation
    notes: dict[str, list[Note]] = field(default_factory=lambda: {stem: [] for stem in STEMS})

    def __post_init__(self) -> None:
        self.dice = np.random.default_rng([self.seed, self.number])
        self.name = list(STYLES)[self.number % len(STYLES)]
        self.style: Style = STYLES[self.name]
        order = np.random.default_rng([self.seed, 999, self.number // _KEYS]).permutation(_KEYS)
        key = int(order[self.number % _KEYS])
        self.tonic, self.mode = key % 12, ("major", "minor")[key // 12]
        self.keys: list[list[Any]] = []
        self.bpm = round(float(self.dice.uniform(*self.style.bpm)), 1)
        self.plan = self._plan()
        self._set_tempo()
        self._choose_sounds()
        self.chords: list[list[Any]] = []

    def song(self) -> Song:
        for section in self.plan:
            if self.variation.modulates and section is self.plan[-1]:
                self.tonic = (self.tonic + 1 + self.number % 3) % 12
            self._note_key(section)
            for bar in range(section.bars):
                self._play_bar(section, bar)
        font = str(self.dice.choice(FONTS))
        if self.variation.other_font:
            font = OTHER_FONTS[self.number % len(OTHER_FONTS)]
        tuning, loudness = float(self.dice.choice(_TUNINGS)), round(float(self.dice.uniform(-16, -8.5)), 1)
        name = f"s{self.number:03d}_{self.name}"
        return Song(name, self._truth(name, font, tuning), self.notes, font, tuning, loudness)

    def _plan(self) -> list[Section]:
        """Intro, verse, chorus, break, chorus; lengthened until the song is long enough."""
        bars = max(12, int(self.variation.seconds * self.bpm / 60 / self.style.beats_per_bar))
        unit = 2 if bars < _LONG_BARS else 4
        lengths = {"intro": unit, "verse": 2 * unit, "chorus": 2 * unit, "break": unit, "last chorus": 2 * unit}
        while sum(lengths.values()) + unit <= bars:
            lengths[str(self.dice.choice(["verse", "chorus", "last chorus"]))] += unit
        plan, first = [], 0
        for name, count in lengths.items():
            plan.append(self._section(name.removeprefix("last "), first, count))
            first += count
        return plan

    def _section(self, label: str, first: int, bars: int) -> Section:
        drummer, full = bool(self.style.drums), label in ("verse", "chorus")
        return Section(
            label,
            first,
            bars,
            drums=drummer and full,
            hats_only=drummer and not full and self._chance(0.5),
            bass=label != "intro" and not (label == "break" and self._chance(0.5)),
            lead=label in ("chorus", "break") or self._chance(0.35),
            pad=label == "chorus" and self._chance(0.8),
        )

    def _set_tempo(self) -> None:
        """One song in 18 speeds up by 8 %; some styles breathe."""
        total = sum(section.bars for section in self.plan) * self.style.beats_per_bar
        self.drift = _SPEED_UP if self.number % _SPEEDS_UP_EVERY == 0 else 0.0
        place = np.arange(total + 1) / total
        breath = np.sin(2 * np.pi * (2 * place + self.dice.random()))
        tempi = self.bpm * (1 + self.drift * (place - 0.5)) * (1 + self.style.rubato * breath)
        self.lead_in_s = round(float(self.dice.uniform(0.1, 1.6)), 3)
        self.beats_s = self.lead_in_s + np.concatenate([[0.0], np.cumsum(60 / tempi[:-1])])

    def _choose_sounds(self) -> None:
        self.programs = {name: int(self.dice.choice(getattr(self.style, name))) for name in ("keys", "lead", "bass")}
        self.pad = int(self.dice.choice(_PADS))
        self.lines = {part: PROGRESSIONS[self.mode][part][int(self.dice.integers(5))] for part in ("verse", "chorus")}
        self.motif, self.rests = self.dice.integers(0, 8, 16), self.dice.random(16) >= _LEAD_DENSITY
        self.taste = int(self.dice.integers(3))

    def _play_bar(self, section: Section, bar: int) -> None:
        beat = (section.first_bar + bar) * self.style.beats_per_bar
        line = self.lines["chorus" if section.label in ("chorus", "break") else "verse"]
        slots = max(1, round(self.style.slots_per_bar))
        for slot in range(slots):
            span = self.style.beats_per_bar / slots
            root, quality = self._chord(line, bar, slot, slots)
            start = beat + slot * span
            self._note_truth(start, start + span, root, quality)
            self._play_keys(section, start, start + span, root, quality)
            if section.bass:
                self._play_bass(section, start, start + span, root, quality)
        if section.lead:
            self._play_lead(section, bar, beat)
        if section.drums or section.hats_only:
            self._play_drums(section, bar, beat)

    def _chord(self, line: Progression, bar: int, slot: int, slots: int) -> tuple[int, str]:
        step = int((bar * slots + slot) * min(1.0, self.style.slots_per_bar))
        degree, quality = line[step % len(line)]
        if quality in ("maj", "min") and self._chance(self.style.sevenths / 2):
            quality = {"maj": "7" if degree == _DOMINANT else "maj7", "min": "min7"}[quality]
        return (self.tonic + degree) % 12, quality

    def _note_key(self, section: Section) -> None:
        key = f"{TONICS[self.tonic]} {self.mode}"
        if not self.keys or self.keys[-1][1] != key:
            self.keys.append([self._at(section.first_bar * self.style.beats_per_bar), key])

    def _note_truth(self, start: float, stop: float, root: int, quality: str) -> None:
        label = f"{TONICS[root]}:{quality}"
        if self.chords and self.chords[-1][2] == label:
            self.chords[-1][1] = self._at(stop)
        else:
            self.chords.append([self._at(start), self._at(stop), label])

    def _play_keys(self, section: Section, start: float, stop: float, root: int, quality: str) -> None:
        tones = [55 + (root + tone - 55) % 12 for tone in QUALITIES[quality]]
        level = _LEVELS[section.label]
        for begin, end, pitches in self._comping(section, start, stop, tones):
            for pitch in pitches:
                self._add("keys", self.programs["keys"], pitch, begin, end, level - 8, spread=6)
        for pitch in tones if section.pad else ():
            self._add("pad", self.pad, pitch + 12, start, stop, 58, spread=1)

    def _comping(
        self, section: Section, start: float, stop: float, tones: list[int]
    ) -> list[tuple[float, float, list[int]]]:
        """Held chords, stabs on or off the beat, or broken chords."""
        kind = self._comping_kind(section.label)
        if kind == "held":
            return [(start, stop - 0.1, tones)]
        if kind == "broken":
            step = 1 / 3 if self.style.ternary else 1 / 2
            begins = np.arange(start, stop - 0.01, step)
            return [(b, b + 2 * step, [tones[n % len(tones)] + _FOURTH_UP[n % 4]]) for n, b in enumerate(begins)]
        late = 0.5 if kind == "offbeat" else 0.0
        return [(b + late, b + 0.8, tones) for b in np.arange(start, stop - 0.01, 1.0)]

    def _comping_kind(self, label: str) -> str:
        if self.style.comping == "offbeat in chorus":
            return "offbeat" if label == "chorus" else "held"
        if self.style.comping == "broken or held":
            return "broken" if self.taste else "held"
        return self.style.comping or ("held", "stabs", "broken")[self.taste % 2 if label == "verse" else self.taste]

    def _play_bass(self, section: Section, start: float, stop: float, root: int, quality: str) -> None:
        low = 33 + (root - 33) % 12
        for begin, interval, beats in self._bass_line(start, stop, quality):
            level = _LEVELS[section.label] + 6
            self._add("bass", self.programs["bass"], low + interval, begin, begin + beats, level, spread=5)

    def _bass_line(self, start: float, stop: float, quality: str) -> list[tuple[float, int, float]]:
        """(beat, semitones above the root, length)."""
        line, beats, halves = self.style.bass_line, np.arange(start, stop - 0.01), np.arange(start, stop - 0.01, 0.5)
        if line == "walking":
            return [(b, QUALITIES[quality][n % 3] - _FOURTH_UP[n % 4], 0.95) for n, b in enumerate(beats)]
        if line in ("offbeat", "octaves"):
            octave = 12 if line == "octaves" else 0
            return [(b, octave * (n % 2), 0.4) for n, b in enumerate(halves) if n % 2 or self._chance(0.75)]
        if line == "eighths":
            return [(b, 0, 0.45) for b in halves]
        if line == "held":
            return [(start, 0, stop - start - 0.1)]
        extra = [start + late for late in (1.5, 2.5) if start + late < stop and self._chance(0.8)]
        return [(start, 0, 1.2), *((b, int(self.dice.choice([0, 7, 12])), 0.5) for b in extra)]

    def _play_lead(self, section: Section, bar: int, beat: float) -> None:
        """One pentatonic motif of two bars, whatever the chord, as pop melodies do."""
        scale = (0, 2, 4, 7, 9) if self.mode == "major" else (0, 3, 5, 7, 10)
        step = 1 / 3 if self.style.ternary else 1 / 2
        for n in range(round(self.style.beats_per_bar / step)):
            place = (n + 8 * (bar % 2)) % 16
            if self.rests[place]:
                continue
            degree = int(self.motif[place])
            pitch = 60 + (self.tonic + scale[degree % 5]) % 12 + 12 * (degree // 5)
            begin = beat + n * step
            level = _LEVELS[section.label] - 2
            self._add("lead", self.programs["lead"], pitch, begin, begin + 0.9 * step, level, spread=8, jitter_s=0.012)

    def _play_drums(self, section: Section, bar: int, beat: float) -> None:
        last = bar == section.bars - 1 and section.drums
        for drum, pattern in self.style.drums.items():
            if section.hats_only and drum not in (HAT, RIDE, OPEN_HAT):
                continue
            quiet_end = len(pattern) * 3 // 4 if last and drum in (KICK, HAT, RIDE) else len(pattern)
            for n, stroke in enumerate(pattern[:quiet_end]):
                if stroke != "." and not self._chance(0.03):
                    late = self.style.swing / self.style.subdivisions if n % 2 else 0.0
                    level = _LEVELS[section.label] + (8 if stroke == "x" else -22)
                    self._hit(drum, beat + n / self.style.subdivisions + late, level)
        if last:
            self._fill(beat, _LEVELS[section.label])
        if bar == 0 and section.label == "chorus" and section.drums:
            self._hit(CRASH, beat, 105)

    def _fill(self, beat: float, level: int) -> None:
        steps = self.style.subdivisions * self.style.beats_per_bar
        for n in range(steps * 3 // 4, steps):
            self._hit(int(self.dice.choice(TOMS)), beat + n / self.style.subdivisions, level)

    def _hit(self, drum: int, beat: float, level: int) -> None:
        self._add("drums", 0, drum, beat, beat + 0.25, level, spread=6, jitter_s=0.004)

    def _add(
        self,
        part: str,
        program: int,
        pitch: int,
        begin: float,
        end: float,
        level: int,
        *,
        spread: int,
        jitter_s: float = 0.006,
    ) -> None:
        start_s = max(0.0, self._at(begin) + float(self.dice.normal(0, jitter_s)))
        velocity = int(np.clip(level + self.dice.integers(-spread, spread + 1), 1, 127))
        end_s = max(self._at(end), start_s + 0.03)
        self.notes["keys" if part == "pad" else part].append(
            Note(_CHANNELS[part], program, pitch, start_s, end_s, velocity)
        )

    def _at(self, beat: float) -> float:
        """Seconds of a beat; beyond the last one the tempo stays."""
        last = len(self.beats_s) - 1
        beyond = max(0.0, beat - last) * (self.beats_s[-1] - self.beats_s[-2])
        return round(float(np.interp(beat, np.arange(last + 1), self.beats_s) + beyond), 4)

    def _chance(self, share: float) -> bool:
        return bool(self.dice.random() < share)

    def _truth(self, name: str, font: str, tuning_cents: float) -> dict[str, Any]:
        bar = self.style.beats_per_bar
        edges = [(s.first_bar * bar, (s.first_bar + s.bars) * bar, s.label) for s in self.plan]
        beats = [round(float(beat), 4) for beat in self.beats_s]
        return {
            "id": name,
            "style": self.name,
            "split": ("dev", "test")[(self.number // len(STYLES) + self.number) % 2],
            "tempo_bpm": round(60 / float(np.median(np.diff(self.beats_s))), 2),
            "beats_per_bar": bar,
            "time_signature": self.style.signature,
            "half_time_feel": self.style.half_time,
            "drift": self.drift,
            "key": self.keys[0][1],
            "camelot": camelot(TONICS.index(self.keys[0][1].split()[0]), self.mode),
            "key_changes": self.keys[1:],
            "tuning_cents": tuning_cents,
            "font": font,
            "beats_s": beats[:-1],
            "downbeats_s": beats[:-1:bar],
            "chords": self.chords,
            "sections": [[beats[start], beats[stop], label] for start, stop, label in edges],
            "end_s": beats[-1],
        }
