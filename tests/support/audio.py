"""Tiny audio files of every format we take, made by libsndfile and by FFmpeg's encoders inside PyAV.

The sound is a rising sweep, different in each channel, so that a shift by one sample or a swap of channels shows.
"""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

type Sound = NDArray[np.float32]  # frames x channels

_SUBTYPES = {"ogg": "VORBIS"}
_ENCODERS = {  # by kind of file: muxer, encoder
    "mp3": ("mp3", "libmp3lame"),
    "m4a": ("ipod", "aac"),
    "alac": ("ipod", "alac"),
    "opus": ("ogg", "libopus"),
    "aac": ("adts", "aac"),
    "wma": ("asf", "wmav2"),
}
EVERY_KIND = ("wav", "aiff", "flac", "ogg", *(kind for kind in _ENCODERS if kind != "wma"))


def sweep(seconds: float = 1.0, *, rate: int = 44100, channels: int = 2) -> Sound:
    """Make a sweep from 200 Hz upwards, at half of full scale, with short fades."""
    time = np.arange(round(seconds * rate)) / rate
    columns = [np.sin(2 * np.pi * (200 + 150 * number + 150 * time) * time) for number in range(channels)]
    fade = np.clip(np.minimum(time, time[::-1]) * 100, 0, 1) if len(time) else time
    sound: Sound = (0.5 * fade[:, None] * np.stack(columns, axis=1)).astype(np.float32)
    return sound


def write_audio(path: Path, sound: Sound | None = None, *, rate: int = 44100, kind: str = "", **options: Any) -> Path:
    """Write ``sound`` (else one second of sweep) as the kind that the extension says, or ``kind``; give the path."""
    sound = sweep(rate=rate) if sound is None else sound
    kind = kind or path.suffix[1:]
    if kind in _ENCODERS:
        _write_av(path, sound, rate, kind, **options)
    else:
        subtype = options.get("subtype") or _SUBTYPES.get(kind)
        soundfile.write(path, sound, rate, format=kind.upper(), subtype=subtype)
    return path


def _write_av(
    path: Path,
    sound: Sound,
    rate: int,
    kind: str,
    *,
    tags: dict[str, str] | None = None,
    muxer_options: dict[str, str] | None = None,
) -> None:
    muxer, encoder = _ENCODERS[kind]
    with av.open(str(path), "w", format=muxer, options=muxer_options or {}) as container:
        container.metadata.update(tags or {})
        layout = "mono" if sound.shape[1] == 1 else "stereo"
        stream: Any = container.add_stream(encoder, rate=rate, layout=layout)
        stream.bit_rate = 192_000
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound.T), format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)  # or the delay is not written
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)


def write_video(path: Path) -> Path:
    """Write an MP4 file with a few pictures and no sound."""
    with av.open(str(path), "w", format="mp4") as container:
        stream: Any = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 32
        for _ in range(5):
            frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def id3_with_cover(picture: bytes, *, media_type: str = "image/jpeg", title: str = "") -> bytes:
    """Build an ID3v2.3 tag with an attached picture and a title, to be put before an MP3 stream."""
    cover = b"\0" + media_type.encode() + b"\0\x03\0" + picture
    frames = b"".join(
        name + len(body).to_bytes(4, "big") + b"\0\0" + body
        for name, body in ((b"APIC", cover), (b"TIT2", b"\x01" + title.encode("utf-16")))
    )
    size = bytes(len(frames) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\0\0" + size + frames


def read_pcm(path: Path, channels: int) -> Sound:
    """Read raw float32 as frames x channels."""
    return np.fromfile(path, dtype="<f4").reshape(-1, channels)


def lag(one: Sound, other: Sound, *, reach: int = 3000) -> int:
    """By how many frames ``one`` comes after ``other`` (same rate), by cross-correlation of their first channels."""
    length = min(len(one), len(other))
    size = 1 << (2 * length).bit_length()
    spectrum = np.fft.rfft(one[:length, 0], size) * np.conj(np.fft.rfft(other[:length, 0], size))
    correlation = np.fft.irfft(spectrum)
    both_sides = np.concatenate([correlation[-reach:], correlation[: reach + 1]])
    return int(both_sides.argmax()) - reach
