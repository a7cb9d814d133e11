"""Decoders behind one face: libsndfile where it can, FFmpeg's audio decoders (PyAV) for the rest."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

from ._decode_kinds import mp3_declared_s
from ._protocol import Refused

type Block = NDArray[np.float32]  # frames x channels, full scale ±1

_BLOCK = 1 << 15  # frames
_RATES = range(1_000, 384_001)  # Hz
_CHANNELS = range(1, 9)

# By kind: the one demuxer that may look at the file. FFmpeg never guesses, so playlists and network formats are out.
_DEMUXERS = {"wav": "wav", "aiff": "aiff", "flac": "flac", "mp3": "mp3", "aac": "aac", "ogg": "ogg", "opus": "ogg",
             "m4a": "mov"}  # fmt: skip
_CODECS = frozenset({"aac", "alac", "flac", "mp3", "mp3float", "opus", "libopus", "vorbis"})
_PCM = "pcm_"
_BAD_PACKETS = 20  # so many may always be skipped, and else one in twenty

# Speakers by count, in the order of WAVE and FLAC files
_LAYOUTS = {
    1: ("FC",),
    2: ("FL", "FR"),
    3: ("FL", "FR", "FC"),
    4: ("FL", "FR", "BL", "BR"),
    5: ("FL", "FR", "FC", "BL", "BR"),
    6: ("FL", "FR", "FC", "LFE", "BL", "BR"),
    7: ("FL", "FR", "FC", "LFE", "BC", "SL", "SR"),
    8: ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"),
}


class Damaged(Exception):
    """The decoder cannot go on; what it gave so far is good."""


@dataclass(frozen=True)
class Stream:
    """An opened audio stream: its rate in Hz, its speakers, the frames it announces (None: unknown), its blocks.

    ``share`` tells how much of it has been read, 0 to 1.
    """

    rate: int
    speakers: tuple[str, ...]
    expected: int | None
    blocks: Iterator[Block]
    share: Callable[[], float]


@contextmanager
def open_stream(path: Path, kind: str) -> Iterator[Stream]:
    """Open with libsndfile, or with PyAV what it does not know. Blocks raise ``Damaged`` where the data end early."""
    # MP3: libsndfile stops where the Xing header says, although a joined file goes on.
    sound = None if kind in ("m4a", "aac", "mp3", "opus") else _open_sound(path)
    # Beyond stereo, Vorbis and Opus have an order of speakers of their own, which FFmpeg knows.
    if sound is not None and kind in ("ogg", "opus") and sound.channels > 2:
        sound.close()
        sound = None
    if sound is None:
        with _open_av(path, kind) as stream:
            yield stream
    else:
        with sound:
            yield _checked(_sound_stream(sound))


def _sound_stream(sound: Any) -> Stream:
    speakers = _LAYOUTS.get(sound.channels, ("?",) * sound.channels)
    expected = sound.frames if 0 < sound.frames < 1 << 62 else None
    return Stream(
        sound.samplerate, speakers, expected, _sound_blocks(sound), lambda: sound.tell() / (expected or sound.tell())
    )


def _checked(stream: Stream) -> Stream:
    if stream.rate not in _RATES or len(stream.speakers) not in _CHANNELS:
        raise Refused(
            "unsupported_codec", f"Audio of {len(stream.speakers)} channels at {stream.rate} Hz is not supported."
        )
    return stream


def _open_sound(path: Path) -> Any:
    try:
        return soundfile.SoundFile(path)
    except soundfile.LibsndfileError:
        return None


def _sound_blocks(sound: Any) -> Iterator[Block]:
    while True:
        try:
            block: Block = sound.read(_BLOCK, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise Damaged from error
        if not len(block):
            return
        yield block


@contextmanager
def _open_av(path: Path, kind: str) -> Iterator[Stream]:
    # A Python file object: FFmpeg itself opens nothing, neither files nor addresses.
    # The allow-list keeps it from trying a video decoder on a picture while it looks for streams.
    options = {"codec_whitelist": ",".join(sorted(_CODECS)), "protocol_whitelist": ""}
    with path.open("rb") as file:
        try:
            container = av.open(file, format=_DEMUXERS[kind], options=options)
        except (av.FFmpegError, ValueError) as error:
            raise Refused("not_audio", "The file looks like audio but cannot be read.") from error
        with container:
            size = path.stat().st_size
            yield _checked(_stream_of(container, path, kind, lambda: file.tell() / size))


def _stream_of(container: Any, path: Path, kind: str, share: Callable[[], float]) -> Stream:
    if not container.streams.audio:
        raise Refused("no_audio_stream", "The file holds no audio.")
    audio = container.streams.audio[0]
    codec = audio.codec_context.name if audio.codec_context else "unknown"
    if codec not in _CODECS and not codec.startswith(_PCM):
        raise Refused("unsupported_codec", f"Audio of the kind “{codec}” is not supported.")
    audio.thread_count = 1
    frames = _frames(container, audio, may_skip=kind in ("mp3", "aac"))
    try:
        first = next(frames, None)
    except Damaged as error:
        raise Refused("truncated", "The file is damaged: nothing of it can be decoded.") from error
    if first is None:
        raise Refused("empty_file", "The file holds no sound.")
    seconds = mp3_declared_s(path) if kind == "mp3" else _declared_s(audio, kind)
    expected = round(seconds * first.sample_rate) if seconds else None
    speakers = tuple(channel.name for channel in first.layout.channels)
    return Stream(first.sample_rate, speakers, expected, _av_blocks(itertools.chain([first], frames), first), share)


def _declared_s(audio: Any, kind: str) -> float | None:
    """Length by the container's index; FFmpeg only guesses that of ADTS, and Ogg's counts the encoder's delay."""
    known = kind == "m4a" and audio.duration and audio.time_base
    return float(audio.duration * audio.time_base) if known else None


def _frames(container: Any, audio: Any, *, may_skip: bool) -> Iterator[Any]:
    """Decode frame by frame; MPEG and ADTS streams find their way again after junk such as a tag in the middle."""
    good = bad = 0
    try:
        for packet in container.demux(audio):
            try:
                yield from packet.decode()
                good += 1
            except av.InvalidDataError:
                bad += 1
                if not may_skip or bad > max(_BAD_PACKETS, good / 20):
                    raise
    except av.FFmpegError as error:
        raise Damaged from error


def _av_blocks(frames: Iterator[Any], first: Any) -> Iterator[Block]:
    shape = (first.sample_rate, first.layout.nb_channels)
    for frame in frames:
        if (frame.sample_rate, frame.layout.nb_channels) != shape:
            raise Refused("unsupported_codec", "The file changes its rate or its channels on the way.")
        yield _as_float(frame, shape[1])


def _as_float(frame: Any, channels: int) -> Block:
    raw: NDArray[Any] = frame.to_ndarray()
    samples = raw.T if frame.format.is_planar else raw.reshape(-1, channels)
    block: Block = samples.astype(np.float32, copy=False)
    if samples.dtype == np.uint8:
        block = (block - np.float32(128)) / np.float32(128)
    elif np.issubdtype(samples.dtype, np.integer):
        block = block / np.float32(-float(np.iinfo(samples.dtype).min))
    return block
