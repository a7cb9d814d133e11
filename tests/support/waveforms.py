"""Reading and writing audiowaveform files of several levels."""

import struct

HEADER = struct.Struct("<iIiiIi")


def level(rate_hz: int, samples_per_pixel: int, pairs: bytes) -> bytes:
    """One level: a whole .dat file of version 2, 8 bits, one channel."""
    return HEADER.pack(2, 1, rate_hz, samples_per_pixel, len(pairs) // 2, 1) + pairs


def levels_in(data: bytes) -> dict[int, list[tuple[int, int]]]:
    """Minimum and maximum of each pixel, by samples per pixel, in the order of the file."""
    found, at = {}, 0
    while at < len(data):
        version, flags, _rate_hz, samples_per_pixel, pixels, channels = HEADER.unpack_from(data, at)
        assert (version, flags, channels) == (2, 1, 1)
        values = struct.unpack_from(f"{2 * pixels}b", data, at + HEADER.size)
        found[samples_per_pixel] = list(zip(values[::2], values[1::2], strict=True))
        at += HEADER.size + 2 * pixels
    return found
