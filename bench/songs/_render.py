"""Play a song with fluidsynth, stem by stem, and write mix, stems and truth."""

import json
import struct
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile as sf
from numpy.typing import NDArray
from scipy.signal import sosfilt

from bench.songs._compose import STEMS, Note, Song
from soundforge_runners.analysis._loudness import STEP_S, integrated_loudness, k_weighting

type Sound = NDArray[np.float32]

RATE_HZ = 44_100
FONT_FOLDER = Path("/usr/share/sounds")
_TICKS_PER_S = 2000
_DRUM_CHANNEL = 9
_BALANCE_DB = {"drums": 0.0, "bass": -1.0, "keys": -5.0, "lead": -6.0}
_STEM_LUFS = -20.0
_TAIL_S = 1.5


def render(song: Song, folder: Path, *, with_stems: bool = True) -> None:
    """Write `mix.flac`, a FLAC per stem unless nobody needs them, and `truth.json` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    frames = int((song.truth["end_s"] + _TAIL_S) * RATE_HZ)
    stems = {stem: _play(song, song.notes[stem], frames) for stem in STEMS if song.notes[stem]}
    stems = {stem: sound * np.float32(_gain(_STEM_LUFS + _BALANCE_DB[stem], sound)) for stem, sound in stems.items()}
    mix = np.sum(list(stems.values()), axis=0)
    gain = _gain(song.loudness_lufs, mix)
    limited = (np.tanh(1.1 * gain * mix) / 1.1).astype(np.float32)
    written = {"mix": limited}
    if with_stems:
        written |= {stem: np.clip(gain * sound, -1, 1) for stem, sound in stems.items()}
    for name, sound in written.items():
        sf.write(folder / f"{name}.flac", sound, RATE_HZ, subtype="PCM_16")
    facts = {"stems": list(stems), "duration_s": round(frames / RATE_HZ, 4), "mix_lufs": round(_lufs(limited), 2)}
    (folder / "truth.json").write_text(json.dumps({**song.truth, **facts}, indent=1))


def midi_file(notes: list[Note], tuning_cents: float) -> bytes:
    """Standard MIDI file, format 0, 1000 ticks per quarter at 120 BPM, so 2000 ticks a second."""
    events = [(0, 0, message) for message in _setup(notes, tuning_cents)]
    for note in notes:
        start, end = round(note.start_s * _TICKS_PER_S), round(note.end_s * _TICKS_PER_S)
        events.append((start, 2, bytes([0x90 | note.channel, note.pitch, note.velocity])))
        events.append((end, 1, bytes([0x80 | note.channel, note.pitch, 0])))
    track, now = bytearray(), 0
    for at, _, message in sorted(events, key=lambda event: event[:2]):
        track += _variable_length(at - now) + message
        now = at
    track += b"\x00\xff\x2f\x00"
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, 1000) + b"MTrk" + struct.pack(">I", len(track)) + bytes(track)


def _setup(notes: list[Note], tuning_cents: float) -> list[bytes]:
    """Programs, and the fine tuning of each channel (registered parameter 1)."""
    messages: list[bytes] = []
    fine = min(0x3FFF, 0x2000 + round(tuning_cents / 100 * 0x2000))
    for channel, program in sorted({(note.channel, note.program) for note in notes}):
        if channel != _DRUM_CHANNEL:
            controls = ((101, 0), (100, 1), (6, fine >> 7), (38, fine & 0x7F))
            messages.append(bytes([0xC0 | channel, program]))
            messages += [bytes([0xB0 | channel, control, value]) for control, value in controls]
    return messages


def _variable_length(value: int) -> bytes:
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(0x80 | value & 0x7F)
    return bytes(digits[::-1])


def _play(song: Song, notes: list[Note], frames: int) -> Sound:
    with tempfile.TemporaryDirectory() as folder:
        midi, wave = Path(folder, "stem.mid"), Path(folder, "stem.wav")
        midi.write_bytes(midi_file(notes, song.tuning_cents))
        options = ["-ni", "-q", "-g", "0.5", "-r", str(RATE_HZ), "-o", "synth.cpu-cores=1", "-T", "wav", "-O", "float"]
        command = ["fluidsynth", *options, "-F", str(wave), str(FONT_FOLDER / song.font), str(midi)]
        subprocess.run(command, check=True, capture_output=True)
        sound, _ = sf.read(wave, dtype="float32", always_2d=True)
    return np.pad(sound, ((0, max(0, frames - len(sound))), (0, 0)))[:frames]


def _gain(wanted_lufs: float, sound: Sound) -> float:
    return float(10 ** ((wanted_lufs - _lufs(sound)) / 20))


def _lufs(sound: Sound) -> float:
    weighted = sosfilt(k_weighting(RATE_HZ), sound.astype(np.float64), axis=0)
    step = round(STEP_S * RATE_HZ)
    power = (weighted[: len(weighted) // step * step] ** 2).sum(axis=1).reshape(-1, step).mean(axis=1)
    found = integrated_loudness(np.convolve(power, np.full(4, 1 / 4), mode="valid"))
    if found is None:
        raise ValueError("a stem is silent")
    return found
