"""Separate a song into vocals, drums, bass and other without a model, as a child.

Request and result: see ``_separation``; the result says ``near_mono`` too. This engine's own ``other`` is what is left
over.
"""

from typing import TYPE_CHECKING

from soundforge_runners._protocol import Channel, Message, serve

if TYPE_CHECKING:
    from soundforge_runners._separation import Blocks, Tell
    from soundforge_runners._stems import Outputs, Source

_NEAR_MONO = {
    "code": "near_mono",
    "sentence": "This song is nearly mono, so vocals and other instruments are told apart by repetition only.",
}


def separate(request: Message, channel: Channel) -> Message:
    """Do one request."""
    from soundforge_runners import _dsp_stream as stream
    from soundforge_runners._separation import make_stems

    near_mono = False

    def blocks(source: "Source", outputs: "Outputs", tell: "Tell") -> "Blocks":
        nonlocal near_mono
        picture = stream.look(source)
        near_mono, done = picture.near_mono, 0
        for block in stream.separate(source, picture):
            start, done = done, done + len(block["drums"])
            if stream.REST in outputs.needed:
                block[stream.REST] = source.read(start, done) - sum(block.values())
            yield block
            tell(done / source.frames)

    result = make_stems(request, channel, stream.STEMS, blocks, beginning="listening")
    warnings = [*result["warnings"], *([_NEAR_MONO] if near_mono else [])]
    return {**result, "near_mono": near_mono, "warnings": warnings}


if __name__ == "__main__":
    serve("separate_dsp", separate)
