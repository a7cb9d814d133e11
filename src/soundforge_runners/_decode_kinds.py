"""What a file is, by its content alone. Nothing here decodes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ._protocol import Refused

_HEAD = 64 * 1024  # bytes looked at for a first frame
_TAIL = 64 * 1024  # bytes looked at for a last page; no Ogg page is longer

_KNOWN_BUT_NOT_TAKEN = {
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "WMA",
    b"\x1a\x45\xdf\xa3": "Matroska and WebM",
    b"wvpk": "WavPack",
    b"MAC ": "Monkey's Audio",
    b"MThd": "MIDI",
    b".snd": "Sun AU",
    b"caff": "CAF",
    b"DSD ": "DSD",
}
# ISO 14496-12, 8.5.2: "stsd", version and flags, count, size of the first entry, and its name
_SAMPLE_ENTRY = re.compile(rb"stsd.{12}(drms|enca)", re.DOTALL)

# ISO 11172-3 and 13818-3 layer III: kbit/s and Hz by the header's indices, for MPEG 1 and for MPEG 2 and 2.5
_BITRATES = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


def kind_of(path: Path) -> str:
    """Return ``wav aiff flac mp3 aac ogg opus`` or ``m4a``; refuse what is none of them."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
        if not head:
            raise Refused("empty_file", "The file is empty.")
        start = _id3_length(head)
        if start:  # an ID3 tag with a cover is easily longer than the head
            file.seek(start)
            head = file.read(_HEAD)
    kind = _kind_of_head(head)
    if kind:
        return kind
    for magic, name in _KNOWN_BUT_NOT_TAKEN.items():
        if head.startswith(magic):
            raise Refused("unsupported_codec", f"{name} files are not supported.")
    raise Refused("not_audio", "This is not an audio file that the studio knows, whatever its name says.")


def _kind_of_head(head: bytes) -> str | None:
    form = head[8:12]
    signs = {
        "wav": head[:4] in (b"RIFF", b"RF64", b"BW64") and form == b"WAVE",
        "aiff": head[:4] == b"FORM" and form in (b"AIFF", b"AIFC"),
        "flac": head[:4] == b"fLaC",
        "m4a": head[4:8] == b"ftyp",
    }
    kind = next((kind for kind, shown in signs.items() if shown), None)
    if kind:
        return kind
    if head[:4] == b"OggS":
        return _kind_of_ogg(head)
    if _is_adts(head):
        return "aac"
    return "mp3" if find_mp3_frame(head) is not None else None


def _kind_of_ogg(head: bytes) -> str:
    first_page = head[:512]
    if b"OpusHead" in first_page:
        return "opus"
    if b"\x01vorbis" in first_page or b"\x7fFLAC" in first_page:
        return "ogg"
    raise Refused("unsupported_codec", "This Ogg file holds neither Vorbis, Opus nor FLAC.")


def _id3_length(head: bytes) -> int:
    """Length of a leading ID3v2 tag with its header (id3.org, ID3v2.4 §3.1), or 0."""
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size + (10 if head[5] & 0x10 else 0)


def _is_adts(head: bytes) -> bool:
    """Whether two AAC frames in ADTS follow each other (ISO 13818-7, 6.2)."""
    if len(head) < 9 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return False
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    following = head[length : length + 2]
    return length > 7 and len(following) == 2 and following[0] == 0xFF and following[1] & 0xF6 == 0xF0


def find_mp3_frame(head: bytes) -> int | None:
    """Return where the first of three chained MPEG layer III frames begins, or None."""
    for match in re.finditer(rb"\xff[\xe2-\xff]", head):
        at = match.start()
        for _ in range(3):
            length = mp3_frame_length(head[at : at + 4])
            if not length:
                break
            at += length
            if at == len(head):  # a file of fewer frames
                return match.start()
        else:
            return match.start()
    return None


def mp3_frame_length(header: bytes) -> int:
    """Length in bytes of the layer III frame with that header, or 0 if it is none."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return 0
    version, bitrate, rate = header[1] >> 3 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or bitrate in (0, 15) or rate == 3:
        return 0
    first = version == 3
    return (144000 if first else 72000) * _BITRATES[first][bitrate] // _RATES[version][rate] + (header[2] >> 1 & 1)


def mp3_declared_s(path: Path) -> float | None:
    """Length in seconds by the Xing or Info header of an MP3 file, or None where it has none."""
    with path.open("rb") as file:
        file.seek(_id3_length(file.read(10)))
        head = file.read(_HEAD)
    at = find_mp3_frame(head)
    if at is None:
        return None
    version, rate, mono = head[at + 1] >> 3 & 3, head[at + 2] >> 2 & 3, head[at + 3] >> 6 == 3
    first = version == 3
    tag = at + 4 + ((17 if mono else 32) if first else (9 if mono else 17))  # behind the side information
    has_count = head[tag : tag + 4] in (b"Xing", b"Info") and head[tag + 7 : tag + 8] and head[tag + 7] & 1
    if not has_count:
        return None
    frames = int.from_bytes(head[tag + 8 : tag + 12], "big")
    return frames * (1152 if first else 576) / _RATES[version][rate]


def present_share(path: Path, kind: str) -> float:
    """How much of what the container announces is in the file: 1.0 complete or unknown, 0.6 cut after 60 %.

    Refuses a cut MP4 file without its index, and an encrypted one.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        if kind in ("wav", "aiff"):
            return _share_of_chunk(file, size, order="little" if kind == "wav" else "big")
        if kind == "m4a":
            _check_mp4(file, size)
    return 1.0


def _share_of_chunk(file: BinaryIO, size: int, *, order: str) -> float:
    """Find the chunk with the samples in a RIFF or FORM file and compare its announced size with the rest."""
    for name, start, length in _chunks(file, size, little=order == "little"):
        if name in (b"data", b"SSND"):
            unknown = length in (0, 0xFFFFFFFF)  # a stream whose writer could not go back
            return 1.0 if unknown else min(1.0, (size - start) / length)
    raise Refused("truncated", "The file ends before its audio begins.")


def _chunks(file: BinaryIO, size: int, *, little: bool) -> Iterator[tuple[bytes, int, int]]:
    at, long_size = 12, 0
    while at + 8 <= size:
        file.seek(at)
        header = file.read(8)
        name, length = header[:4], int.from_bytes(header[4:], "little" if little else "big")
        if name == b"ds64":  # RF64 (EBU Tech 3306): the real size of "data" stands here
            long_size = int.from_bytes(file.read(16)[8:], "little")
        if name == b"data" and length == 0xFFFFFFFF and long_size:
            length = long_size
        yield name, at + 8, length
        at += 8 + length + (length & 1)


def _check_mp4(file: BinaryIO, size: int) -> None:
    at = 0
    while at + 8 <= size:
        file.seek(at)
        header = file.read(16)
        length, name = int.from_bytes(header[:4], "big"), header[4:8]
        if length == 1:
            length = int.from_bytes(header[8:], "big")
        if name == b"moov":
            file.seek(at)
            if _SAMPLE_ENTRY.search(file.read(min(length, 64 << 20))):
                raise Refused("encrypted", "The file is protected by its seller (DRM) and cannot be decoded.")
            return
        at += length if length >= 8 else size
    raise Refused("truncated", "The file is cut short: its index is missing.")


def ends_properly(path: Path, kind: str) -> bool:
    """Whether an Ogg file's last page says that it is the last (RFC 3533 §6); True for all other kinds."""
    if kind not in ("ogg", "opus"):
        return True
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL))
        tail = file.read()
    at = tail.rfind(b"OggS")
    return 0 <= at < len(tail) - 5 and bool(tail[at + 5] & 4)
