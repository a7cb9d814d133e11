"""Child: write raw float32 PCM as a 24-bit FLAC file, for playing and for taking away.

Request: ``{"pcm": path, "sample_rate_hz": int, "channels": int, "frames": int, "flac": path}``.
Result: ``{"clipped_frames": int}``, frames in which a sample stood outside ±1 and was limited to it.
"""

from pathlib import Path
from typing import Any

import numpy as np

from soundforge_runners._protocol import Channel, serve
from soundforge_runners._sound_file import SoundOut

BLOCK_FRAMES = 1 << 18


def encode(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Encode block by block, so that memory does not grow with the length."""
    frames, channels = int(request["frames"]), int(request["channels"])
    rate = int(request["sample_rate_hz"])
    clipped = done = 0
    with (
        Path(request["pcm"]).open("rb") as pcm,
        SoundOut(Path(request["flac"]), rate, channels, "PCM_24") as flac,
    ):
        while done < frames:
            count = min(BLOCK_FRAMES, frames - done)
            block = np.frombuffer(pcm.read(count * channels * 4), dtype="<f4").reshape(-1, channels)
            clipped += int(np.any(np.abs(block) > 1, axis=1).sum())
            flac.write(np.clip(block, -1, 1))
            done += count
            channel.progress(100 * done / frames, "encoding")
    return {"clipped_frames": clipped}


if __name__ == "__main__":
    serve("encode", encode)
