"""Child: render the demo song with numpy alone, so that its tempo, key, sections and stems are known.

Request: ``{"folder": path}``. Result: ``{"path": mix.wav, "truth": {...}}``; the true stems lie beside the mix as
``vocals.wav drums.wav bass.wav other.wav``. The same bytes each time.

A minor at 124 BPM, twenty bars: intro, verse, chorus, verse, chorus. The lead sings in the centre, the chords stand
wide, as records are mixed: a separator that listens to the picture has a chance.
"""

from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from soundforge_runners._protocol import Channel, serve

type Samples = NDArray[np.float64]

RATE = 44100
BPM = 124.0
BEAT = 60 / BPM
BARS = (("intro", 4), ("verse", 4), ("chorus", 4), ("verse", 4), ("chorus", 4))
CHORDS = ((57, 60, 64), (53, 57, 60), (48, 55, 64), (55, 59, 62))  # Am F C G as MIDI notes
# Eighths over two bars; None rests. Chorus phrases stand higher and busier than the verse's.
VERSE = (69, None, None, 72, 71, None, 69, None, 67, None, 69, None, None, None, 64, None)
CHORUS = (76, None, 76, 74, None, 72, 74, None, 76, None, 79, None, 76, 74, 72, None)
KEY = {"key": "A minor", "camelot": "8A"}
TITLE, ARTIST = "Alchemist's First Light", "Sound Forge"


def render(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Render every stem, mix them below full scale, write WAV files of 24 bits."""
    folder = Path(request["folder"])
    stems: dict[str, Samples] = {}
    for count, (name, play) in enumerate((("drums", _drums), ("bass", _bass), ("other", _chords), ("vocals", _lead))):
        stems[name] = play()
        channel.progress(25 * (count + 1), "rendering")
    loudest = np.max(np.abs(sum(stems.values())))
    for name, samples in stems.items():
        stems[name] = _in_steps(samples * (0.8 / loudest))
        soundfile.write(folder / f"{name}.wav", stems[name], RATE, subtype="PCM_24")
    soundfile.write(folder / "mix.wav", sum(stems.values()), RATE, subtype="PCM_24")
    return {"path": str(folder / "mix.wav"), "truth": truth()}


def truth() -> dict[str, Any]:
    """What is true of the song; times in seconds."""
    sections, bar = [], 0
    for name, bars in BARS:
        sections.append({"start_s": bar * 4 * BEAT, "end_s": (bar + bars) * 4 * BEAT, "label": name})
        bar += bars
    beats = [beat * BEAT for beat in range(4 * bar)]
    return {"bpm": BPM, **KEY, "title": TITLE, "artist": ARTIST, "sections": sections, "beats_s": beats}


def _in_steps(samples: Samples) -> Samples:
    """Whole steps of 24 bits, so that the true stems sum to the mix exactly."""
    steps: Samples = np.round(samples * (1 << 23)) / (1 << 23)
    return steps


def _song() -> Samples:
    bars = sum(count for _name, count in BARS)
    return np.zeros((int((bars * 4 * BEAT + 1.5) * RATE), 2))


def _bars(*wanted: str) -> list[tuple[int, int]]:
    """Number in the song, and number in its section, of every bar of the wanted sections."""
    found, bar = [], 0
    for name, count in BARS:
        found += [(bar + one, one) for one in range(count)] if name in wanted else []
        bar += count
    return found


def _put(song: Samples, at_beat: float, sound: Samples, pan: float = 0.0, gain: float = 1.0) -> None:
    """Add a mono sound at a beat; ``pan`` −1 left to 1 right, at constant power."""
    start = round(at_beat * BEAT * RATE)
    sound = sound[: len(song) - start]
    angle = (pan + 1) * np.pi / 4
    song[start : start + len(sound)] += gain * np.outer(sound, (np.cos(angle), np.sin(angle)))


def _time(seconds: float) -> Samples:
    return np.arange(int(seconds * RATE)) / RATE


def _fade(sound: Samples, attack_s: float, release_s: float) -> Samples:
    shape = np.ones(len(sound))
    up, down = int(attack_s * RATE), int(release_s * RATE)
    shape[:up] = np.linspace(0, 1, up)
    shape[-down:] *= np.linspace(1, 0, down)
    return sound * shape


def _hz(note: int) -> float:
    return float(440 * 2 ** ((note - 69) / 12))


def _drums() -> Samples:
    noise = np.random.default_rng(1).standard_normal(RATE)
    t = _time(0.35)
    kick = np.sin(2 * np.pi * (48 * t + 5.5 * (1 - np.exp(-t * 32)))) * np.exp(-t * 11)
    t = _time(0.22)
    snare = (0.7 * noise[: len(t)] * np.exp(-t * 22) + 0.6 * np.sin(2 * np.pi * 190 * t) * np.exp(-t * 28)) * 0.8
    t = _time(0.08)
    hat = np.diff(noise[: len(t) + 1]) * np.exp(-t * 70)
    song = _song()
    for bar, _in_section in _bars("verse", "chorus"):
        for beat in (0, 1, 2, 3):
            if beat in (0, 2):
                _put(song, bar * 4 + beat, kick, gain=0.9)
            else:
                _put(song, bar * 4 + beat, snare, gain=0.55)
    for bar, _in_section in _bars("chorus"):
        _put(song, bar * 4 + 2.5, kick, gain=0.6)
    for bar, _in_section in _bars("intro", "verse", "chorus"):
        for eighth in range(8):
            _put(song, bar * 4 + eighth / 2, hat, pan=0.25, gain=0.16 if eighth % 2 else 0.1)
    return song


def _bass() -> Samples:
    song = _song()
    for bar, in_section in _bars("verse", "chorus"):
        root = CHORDS[in_section % 4][0] - (24 if CHORDS[in_section % 4][0] > 52 else 12)
        for beat, length in ((0, 0.9), (1.5, 0.4), (2, 0.9), (3.5, 0.4)):
            t = _time(length * BEAT)
            wave = np.sin(2 * np.pi * _hz(root) * t) + 0.35 * np.sin(4 * np.pi * _hz(root) * t)
            _put(song, bar * 4 + beat, _fade(wave * np.exp(-t * 1.5), 0.005, 0.03), gain=0.42)
    return song


def _chords() -> Samples:
    song = _song()
    for bar, in_section in _bars("intro", "verse", "chorus"):
        loud = 1.0 if (bar, in_section) in _bars("chorus") else 0.6
        for voice, note in enumerate(CHORDS[in_section % 4]):
            t = _time(4 * BEAT)
            wave = sum(
                np.sin(2 * np.pi * k * _hz(note) * (1 + d) * t) / k**1.6 for k in range(1, 7) for d in (-0.0012, 0.0012)
            )
            _put(song, bar * 4, _fade(np.asarray(wave), 0.04, 0.12), pan=(-0.75, 0.75, -0.5)[voice], gain=0.075 * loud)
    return song


def _lead() -> Samples:
    song = _song()
    for name, phrase, gain in (("verse", VERSE, 0.22), ("chorus", CHORUS, 0.27)):
        for bar, in_section in _bars(name):
            for eighth in range(8):
                note = phrase[8 * (in_section % 2) + eighth]
                if note is not None:
                    _put(song, bar * 4 + eighth / 2, _voice(note), gain=gain)
    return song


def _voice(note: int) -> Samples:
    """A soft sung vowel: harmonics under two formants, a little vibrato."""
    t = _time(0.95 * BEAT)
    phase = 2 * np.pi * _hz(note) * t + 0.6 * np.sin(2 * np.pi * 5.5 * t) * np.minimum(t * 4, 1)
    wave = np.zeros(len(t))
    for k in range(1, 16):
        hz = k * _hz(note)
        level = np.exp(-(((hz - 750) / 420) ** 2)) + 0.5 * np.exp(-(((hz - 1250) / 500) ** 2)) + 0.25 / k
        wave += level * np.sin(k * phase) / np.sqrt(k)
    return _fade(wave, 0.03, 0.09) * 0.6


if __name__ == "__main__":
    serve("demo_song", render)
