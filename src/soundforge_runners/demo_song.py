"""Render the demo song: a short piece whose tempo, key, sections and stems are known, made of numbers alone.

Request: ``{"folder": path, "seconds": number (optional, 40)}``. Result: ``{"mix": path, "truth": {...}}``. The
truth holds ``title``, ``artist``, ``bpm``, ``key``, ``camelot``, ``beats_per_bar``, ``beats_s``, ``downbeats_s``,
``sections`` (``[start_s, end_s, label]``), ``chords`` (the same), ``stems`` (paths by name), ``sample_rate_hz`` and
``frames``.

All files are 24-bit WAV, 44.1 kHz stereo; the stems sum to the mix to the last bit. Equal requests give equal bytes.
Drums, bass and lead stand in the centre, the keys to the left with their echo to the right.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from soundforge_runners._protocol import Channel, serve

type Mono = NDArray[np.float64]
type Notes = list[tuple[float, float, int]]  # start and length in beats, MIDI pitch

TITLE, ARTIST = "Alchemist’s First Light", "Sound Forge"
RATE, BPM, BEATS_PER_BAR = 44_100, 124.0, 4
KEY, CAMELOT = "D minor", "7A"
SECONDS, TAIL_S = 40.0, 0.8
BEAT_S = 60 / BPM
PEAK = 0.89  # of full scale
KEYS_PAN, ECHO_PAN = -0.6, 0.6  # −1 left to 1 right
LEVELS = {"drums": 1.0, "bass": 0.6, "other": 0.75, "vocals": 0.5}

CHORDS = {  # name → notes of the keys; each lasts a bar
    "D:min": (57, 62, 65, 69),
    "Bb:maj": (58, 62, 65, 70),
    "G:min": (58, 62, 67, 70),
    "A:maj": (57, 61, 64, 69),
    "F:maj": (57, 60, 65, 69),
}
BASS = {"D:min": 38, "Bb:maj": 34, "G:min": 31, "A:maj": 33, "F:maj": 29}
HARMONY = {
    "intro": ("D:min", "D:min", "G:min", "A:maj"),
    "verse": ("D:min", "Bb:maj", "G:min", "A:maj"),
    "chorus": ("D:min", "F:maj", "G:min", "A:maj"),
}
MELODY: dict[str, tuple[Notes, ...]] = {  # by section: bars of (beat, length, pitch)
    "intro": ([],),
    "verse": (
        [(0, 1.5, 69), (1.5, 0.5, 67), (2, 1.5, 65)],
        [(0, 1, 65), (1, 1, 67), (2, 2, 62)],
        [(0, 1.5, 70), (1.5, 0.5, 69), (2, 1.5, 67)],
        [(0, 1, 69), (1, 1, 64), (2, 2, 61)],
    ),
    "chorus": (
        [(0, 0.5, 74), (0.5, 0.5, 72), (1, 1, 74), (2, 1, 77), (3, 1, 76)],
        [(0, 1.5, 72), (1.5, 0.5, 69), (2, 2, 72)],
        [(0, 0.5, 70), (0.5, 0.5, 72), (1, 1, 74), (2, 1.5, 70), (3.5, 0.5, 69)],
        [(0, 1, 69), (1, 1, 73), (2, 2, 69)],
    ),
}
DRUMS = {  # sixteenths of a bar: x loud, o soft
    "intro": {"hat": "..o...o...o...o."},
    "verse": {"kick": "x...x...x...x...", "clap": "....x.......x...", "hat": "..o...o...o...oo"},
    "chorus": {"kick": "x...x...x...x..o", "clap": "....x.......x...", "hat": "o.x.o.x.o.x.o.xo"},
}


@dataclass(frozen=True)
class Section:
    """A stretch of whole bars."""

    label: str
    first_bar: int
    bars: int

    @property
    def start_s(self) -> float:
        """Where it begins."""
        return self.first_bar * BEATS_PER_BAR * BEAT_S

    @property
    def end_s(self) -> float:
        """Where it ends."""
        return (self.first_bar + self.bars) * BEATS_PER_BAR * BEAT_S


def render(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Do one request of the shape above."""
    folder = Path(request["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    sections = plan(float(request.get("seconds") or SECONDS))
    stems = {}
    for number, (name, play) in enumerate(PLAYERS.items()):
        channel.progress(20 * number, "rendering")
        stems[name] = LEVELS[name] * play(sections)
    steps = _steps(stems)
    paths = {name: _write(folder / f"{name}.wav", one) for name, one in steps.items()}
    mix = np.sum(list(steps.values()), axis=0, dtype=np.int32)
    channel.progress(100, "rendering")
    return {"mix": _write(folder / "mix.wav", mix), "truth": {**_truth(sections, len(mix)), "stems": paths}}


def plan(seconds: float) -> list[Section]:
    """Intro, verse and chorus, in whole bars, a fifth, two fifths and two fifths of the time; a bar each at least."""
    bars = max(3, int((seconds - TAIL_S) / (BEATS_PER_BAR * BEAT_S)))
    intro = max(1, round(bars / 5))
    verse = max(1, (bars - intro) // 2)
    return [
        Section("intro", 0, intro),
        Section("verse", intro, verse),
        Section("chorus", intro + verse, bars - intro - verse),
    ]


def _truth(sections: list[Section], frames: int) -> dict[str, Any]:
    bars = sections[-1].first_bar + sections[-1].bars
    beats = [round(beat * BEAT_S, 4) for beat in range(bars * BEATS_PER_BAR)]
    chords = [
        [round(bar_s, 4), round(bar_s + BEATS_PER_BAR * BEAT_S, 4), _chord(section, bar)]
        for section in sections
        for bar, bar_s in _bars(section)
    ]
    return {
        "title": TITLE,
        "artist": ARTIST,
        "bpm": BPM,
        "key": KEY,
        "camelot": CAMELOT,
        "beats_per_bar": BEATS_PER_BAR,
        "beats_s": beats,
        "downbeats_s": beats[::BEATS_PER_BAR],
        "sections": [[round(one.start_s, 4), round(one.end_s, 4), one.label] for one in sections],
        "chords": chords,
        "sample_rate_hz": RATE,
        "frames": frames,
    }


def _bars(section: Section) -> list[tuple[int, float]]:
    """The section's bars: number within it, and start in seconds."""
    return [(bar, section.start_s + bar * BEATS_PER_BAR * BEAT_S) for bar in range(section.bars)]


def _chord(section: Section, bar: int) -> str:
    """The chord of a bar; the last bar of the song comes home."""
    if section.label == "chorus" and bar == section.bars - 1:
        return "D:min"
    harmony = HARMONY[section.label]
    return harmony[bar % len(harmony)]


# The players: each gives its whole stem, [frames, 2]


def _play_drums(sections: list[Section]) -> Mono:
    random = np.random.default_rng(2026)
    sounds = {"kick": _kick(), "clap": _clap(random), "hat": _hat(random), "crash": _crash(random)}
    out = _silence(sections)
    for section in sections:
        for _bar, at in _bars(section):
            for name, pattern in DRUMS[section.label].items():
                for step, stroke in enumerate(pattern):
                    if stroke != ".":
                        _put(out, at + step * BEAT_S / 4, sounds[name] * (1.0 if stroke == "x" else 0.55))
        if section.label == "chorus":
            _put(out, section.start_s, sounds["crash"])
    return _pan(out, 0)


def _play_bass(sections: list[Section]) -> Mono:
    out = _silence(sections)
    for section in sections[1:]:
        beats = (0, 0.75, 1.5, 2.5, 3, 3.5) if section.label == "chorus" else (0, 1.5, 2.5)
        for bar, at in _bars(section):
            root = BASS[_chord(section, bar)]
            for number, beat in enumerate(beats):
                pitch = root + (12 if number % 3 == 2 and section.label == "chorus" else 0)
                _put(out, at + beat * BEAT_S, _tone(pitch, 0.62 * BEAT_S, brightness=0.55, decay_s=0.5))
    return _pan(out, 0)


def _play_keys(sections: list[Section]) -> Mono:
    out = _silence(sections)
    for section in sections:
        stabs = [(0, 3.8)] if section.label != "chorus" else [(0, 1.4), (1.5, 0.9), (2.5, 1.4)]
        for bar, at in _bars(section):
            for beat, length in stabs:
                for pitch in CHORDS[_chord(section, bar)]:
                    _put(out, at + beat * BEAT_S, 0.3 * _keys(pitch, length * BEAT_S))
    echo = np.roll(out, round(0.75 * BEAT_S * RATE))
    echo[: round(0.75 * BEAT_S * RATE)] = 0
    return _pan(out, KEYS_PAN) + 0.3 * _pan(echo, ECHO_PAN)


def _play_lead(sections: list[Section]) -> Mono:
    out = _silence(sections)
    for section in sections:
        melody = MELODY[section.label]
        for bar, at in _bars(section):
            for beat, length, pitch in melody[bar % len(melody)]:
                _put(out, at + beat * BEAT_S, _voice(pitch, 0.96 * length * BEAT_S))
    return _pan(out, 0)


PLAYERS = {"drums": _play_drums, "bass": _play_bass, "other": _play_keys, "vocals": _play_lead}


# The instruments


def _tone(pitch: int, length_s: float, *, brightness: float, decay_s: float) -> Mono:
    """A plucked string: partials that grow weaker, and die the sooner the higher they are."""
    time = _time(length_s)
    hz = _hz(pitch)
    partials = range(1, min(18, int(9000 / hz)))
    sound = sum(
        (
            brightness ** (n - 1) * np.sin(2 * np.pi * n * hz * time) * np.exp(-time * n**0.7 / decay_s)
            for n in partials
        ),
        np.zeros_like(time),
    )
    return np.asarray(sound * _edges(time, 0.004, 0.03))


def _keys(pitch: int, length_s: float) -> Mono:
    """An electric piano: a soft tone with a bell at its start, two strings a little apart."""
    time = _time(length_s + 0.15)
    hz = _hz(pitch)
    body = sum(
        (weight * np.sin(2 * np.pi * n * hz * (1 + cents * 0.000577) * time))
        for cents in (-2.5, 2.5)
        for n, weight in ((1, 0.5), (2, 0.16), (3, 0.08), (4, 0.03))
    )
    bell = 0.12 * np.sin(2 * np.pi * 7 * hz * time) * np.exp(-time / 0.06)
    return np.asarray((body * np.exp(-time / 1.6) + bell) * _edges(time, 0.006, 0.15))


def _voice(pitch: int, length_s: float) -> Mono:
    """A singing lead: partials under two formants, vibrato that sets in late."""
    time = _time(length_s)
    hz = _hz(pitch)
    depth = 0.006 * np.clip((time - 0.18) / 0.25, 0, 1)
    phase = 2 * np.pi * np.cumsum(hz * (1 + depth * np.sin(2 * np.pi * 5.4 * time))) / RATE
    sound = np.zeros_like(time)
    for n in range(1, min(20, int(8000 / hz))):
        formants = np.exp(-(((n * hz - 750) / 500) ** 2)) + 0.4 * np.exp(-(((n * hz - 1900) / 700) ** 2))
        sound += (0.12 / n + 0.5 * formants / n**0.5) * np.sin(n * phase)
    return np.asarray(sound * _edges(time, 0.025, 0.06))


def _kick() -> Mono:
    time = _time(0.32)
    sweep = 2 * np.pi * np.cumsum(48 + 130 * np.exp(-time / 0.028)) / RATE
    return np.asarray(np.sin(sweep) * np.exp(-time / 0.11) * _edges(time, 0.001, 0.05))


def _clap(random: np.random.Generator) -> Mono:
    time = _time(0.22)
    bursts = sum(np.exp(-np.maximum(time - at, 0) / 0.012) * (time >= at) for at in (0, 0.011, 0.023))
    noise = _band(random.standard_normal(len(time)), 900, 6500)
    return np.asarray(0.5 * noise * (0.45 * bursts + np.exp(-time / 0.06)) * _edges(time, 0.001, 0.03))


def _hat(random: np.random.Generator) -> Mono:
    time = _time(0.09)
    return np.asarray(0.22 * _band(random.standard_normal(len(time)), 7000, 16000) * np.exp(-time / 0.022))


def _crash(random: np.random.Generator) -> Mono:
    time = _time(1.8)
    noise = _band(random.standard_normal(len(time)), 4000, 15000)
    return np.asarray(0.3 * noise * np.exp(-time / 0.5) * _edges(time, 0.002, 0.3))


# The bench they stand on


def _silence(sections: list[Section]) -> Mono:
    return np.zeros(round((sections[-1].end_s + TAIL_S) * RATE))


def _time(length_s: float) -> Mono:
    return np.arange(round(length_s * RATE)) / RATE


def _hz(pitch: int) -> float:
    return float(440 * 2 ** ((pitch - 69) / 12))


def _edges(time: Mono, attack_s: float, release_s: float) -> Mono:
    return np.asarray(np.clip(time / attack_s, 0, 1) * np.clip((time[-1] - time) / release_s, 0, 1))


def _band(noise: Mono, low_hz: float, high_hz: float) -> Mono:
    """Noise between two frequencies, of the loudness of white noise in them."""
    spectrum = np.fft.rfft(noise)
    hz = np.fft.rfftfreq(len(noise), 1 / RATE)
    return np.asarray(np.fft.irfft(spectrum * ((hz > low_hz) & (hz < high_hz)), len(noise)))


def _put(out: Mono, at_s: float, sound: Mono) -> None:
    start = round(at_s * RATE)
    part = sound[: max(0, len(out) - start)]
    out[start : start + len(part)] += part


def _pan(sound: Mono, place: float) -> Mono:
    """Stereo at constant power; ``place`` −1 left to 1 right."""
    angle = (1 + place) * np.pi / 4
    gains = np.sqrt(2) * np.array([np.cos(angle), np.sin(angle)])
    return np.asarray(sound[:, None] * gains)


def _steps(stems: dict[str, Mono]) -> dict[str, NDArray[np.int32]]:
    """Bring the mix to ``PEAK`` and quantise each stem to 24 bits."""
    loudest = float(np.max(np.abs(np.sum(list(stems.values()), axis=0))))
    return {name: np.rint(stem * (PEAK * 2**23 / loudest)).astype(np.int32) for name, stem in stems.items()}


def _write(path: Path, steps: NDArray[np.int32]) -> str:
    soundfile.write(path, steps << 8, RATE, subtype="PCM_24")
    return str(path)


if __name__ == "__main__":
    serve("demo_song", render)
