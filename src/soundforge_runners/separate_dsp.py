"""Separate a song into vocals, drums, bass and other without a model, as a child.

Request: ``{"pcm": path, "sample_rate_hz", "channels", "frames", "region", "folder": path, "stems", "two_stem",
"raw"}``, see ``_stems``. Result: ``{"stems": [{"name", "path", "peaks_path"}], "gain_db", "closing", "near_mono",
"warnings"}``, warnings as ``{"code", "sentence"}``. This engine's own ``other`` is what is left over.
"""

from pathlib import Path
from typing import Any

from soundforge_runners._protocol import Channel, serve

_SEPARATING, _ENCODING = 85.0, 15.0  # percent of the work


def separate(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Do one request; scratch files go whatever happens, half-written stems are the folder's owner's to remove."""
    from soundforge_runners import _dsp_stream as stream
    from soundforge_runners._stems import Outputs, Source, StemWriter

    source = Source.from_request(request)
    outputs = Outputs.from_request(request, stream.STEMS)
    with StemWriter(source, Path(request["folder"]), outputs.names, closing=outputs.closing) as writer:
        channel.progress(0, "listening")
        picture = stream.look(source)
        done = 0
        for block in stream.separate(source, picture):
            start, done = done, done + len(block["drums"])
            if stream.REST in outputs.needed:
                block[stream.REST] = source.read(start, done) - sum(block.values())
            writer.add(outputs.of(block))
            channel.progress(_SEPARATING * done / source.frames, "separating")
        result = writer.finish(lambda share: channel.progress(_SEPARATING + _ENCODING * share, "encoding"))
    return {
        **result,
        "near_mono": picture.near_mono,
        "warnings": [*outputs.warnings, *_warnings(near_mono=picture.near_mono)],
    }


def _warnings(*, near_mono: bool) -> list[dict[str, str]]:
    if not near_mono:
        return []
    sentence = "This song is nearly mono, so vocals and other instruments are told apart by repetition only."
    return [{"code": "near_mono", "sentence": sentence}]


if __name__ == "__main__":
    serve("separate_dsp", separate)
