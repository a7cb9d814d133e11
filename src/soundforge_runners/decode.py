"""Decode one untrusted audio file to raw float32, as a child without network and with little of anything else.

Request: ``{"source": path, "out": path, "folder": path, "max_duration_s": number}``. Result: ``format``,
``sample_rate_hz``, ``channels`` (1 or 2), ``frames``, ``tags``, ``cover`` (a name in ``folder``, or null) and
``warnings``. ``out`` appears when it is complete: little-endian float32, channels interleaved, no header, at the
source's own rate, without the encoder's delay and padding where the file tells them.
"""

import errno
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundforge_runners._confine import confine, limit_work
from soundforge_runners._protocol import Channel, Refused, serve

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from soundforge_runners._decode_streams import Stream

_MEMORY_MB = 1024  # of address space; 310 are used, 50 of them resident, whatever the file's length
_ENOUGH = 0.95  # of the announced frames; the rest may be missing with a warning
_SLACK_S = 0.1  # and so much may always be missing
_FASTEST_HZ = 192_000  # the output may be as large as the longest stereo file at this rate

# Share of a speaker in left and right (after ITU-R BS.775-4, table 2; the sub-bass is left out as it is there)
_HALF = 0.7071
_SHARES = {
    "FL": (1, 0),
    "FR": (0, 1),
    "FC": (_HALF, _HALF),
    "LFE": (0, 0),
    "BL": (_HALF, 0),
    "BR": (0, _HALF),
    "SL": (_HALF, 0),
    "SR": (0, _HALF),
    "BC": (0.5, 0.5),
}


def decode(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Do one request of the shape above; what was written of ``out`` is removed when it fails."""
    try:
        return _decode(request, channel)
    except BaseException:
        _part(Path(request["out"])).unlink(missing_ok=True)
        raise


def _decode(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    from soundforge_runners._decode_kinds import ends_properly, kind_of, present_share
    from soundforge_runners._decode_streams import open_stream
    from soundforge_runners._decode_tags import read_tags

    source, out, folder = (Path(request[name]) for name in ("source", "out", "folder"))
    longest_s = float(request["max_duration_s"])
    limit_work(cpu_s=60 + longest_s / 10, file_bytes=int((longest_s + 1) * _FASTEST_HZ * 8))
    kind = kind_of(source)
    share = present_share(source, kind)
    with open_stream(source, kind) as stream:
        expected = int(stream.expected / share) if stream.expected else None
        _check_length(expected or 0, stream.rate, longest_s)
        _check_space(expected or 0, out)
        frames, damaged = _write(stream, out, longest_s, channel)
    _check_complete(frames, expected, stream.rate, damaged=damaged)
    short = expected is not None and frames < expected - _SLACK_S * stream.rate
    cut = short or damaged or share < 1 or not ends_properly(source, kind)
    _part(out).replace(out)
    tags, cover = read_tags(source, folder)
    return {
        "format": kind,
        "sample_rate_hz": stream.rate,
        "channels": min(len(stream.speakers), 2),
        "frames": frames,
        "tags": tags,
        "cover": cover,
        "warnings": _warnings(len(stream.speakers), cut=cut),
    }


def _write(stream: "Stream", out: Path, longest_s: float, channel: Channel) -> tuple[int, bool]:
    """Write all blocks beside ``out``; return the frames written and whether the data ended in damage."""
    from soundforge_runners._decode_streams import Damaged

    fold, frames = _fold(stream.speakers), 0
    try:
        with _part(out).open("wb", buffering=1 << 20) as file:
            for block in stream.blocks:
                _check_finite(block)
                frames += len(block)
                _check_length(frames, stream.rate, longest_s)
                file.write(_bytes(block if fold is None else block @ fold))
                channel.progress(100 * stream.share(), "decoding")
    except Damaged:
        return frames, True
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise Refused("too_large", "The file becomes too large when it is decoded.") from error
        raise
    return frames, False


def _part(out: Path) -> Path:
    return out.with_name(out.name + ".part")


def _bytes(block: "NDArray[np.float32]") -> bytes:
    return block.astype("<f4", copy=False).tobytes()


def _fold(speakers: tuple[str, ...]) -> "NDArray[np.float32] | None":
    """Return the matrix from more than two speakers to stereo, scaled so that it cannot clip; None for up to two."""
    import numpy as np

    if len(speakers) <= 2:
        return None
    matrix = np.array([_SHARES.get(name, (0.5, 0.5)) for name in speakers], dtype=np.float32)
    return matrix / max(float(matrix.sum(axis=0).max()), 1.0)


def _check_finite(block: "NDArray[np.float32]") -> None:
    import numpy as np

    if not np.isfinite(block).all():
        raise Refused("nan_samples", "The file holds samples that are no numbers.")


def _check_length(frames: int, rate: int, longest_s: float) -> None:
    if frames > longest_s * rate:
        raise Refused("too_long", f"The audio is longer than {_in_words(longest_s)}.")


def _in_words(seconds: float) -> str:
    hours = seconds / 3600
    return f"{hours:g} hours" if hours >= 1 else f"{seconds:g} seconds"


def _check_space(frames: int, out: Path) -> None:
    if frames * 8 > shutil.disk_usage(out.parent).free:
        raise Refused("disk_full", "There is not enough free space to decode this file.", family="unavailable")


def _check_complete(frames: int, expected: int | None, rate: int, *, damaged: bool) -> None:
    if not frames and (damaged or expected):
        raise Refused("truncated", "The file is damaged or cut short before its first sound.")
    if not frames:
        raise Refused("empty_file", "The file holds no sound.")
    if expected is None:
        if damaged:
            raise Refused("truncated", f"The file is damaged after {frames / rate:.1f} seconds.")
    elif frames < min(expected * _ENOUGH, expected - _SLACK_S * rate):
        raise Refused("truncated", f"The file is cut short: {frames / rate:.1f} of {expected / rate:.1f} seconds.")


def _warnings(channels: int, *, cut: bool) -> list[dict[str, str]]:
    found = []
    if channels > 2:
        found.append({"code": "downmixed", "sentence": f"The file has {channels} channels; they were mixed to stereo."})
    if cut:
        found.append({"code": "cut_short", "sentence": "The file ends a little before its time."})
    return found


if __name__ == "__main__":
    serve("decode", decode, facts={"network": confine(memory_mb=_MEMORY_MB)})
