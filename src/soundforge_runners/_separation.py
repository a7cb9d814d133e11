"""What every separating program does around its engine: read the request, write the stems, tell how far it is.

Request: ``{"pcm", "sample_rate_hz", "channels", "frames", "region", "folder", "stems", "two_stem", "raw"}``, see
``_stems``. Result: ``{"stems": [{"name", "path", "peaks_path"}], "gain_db", "closing", "warnings"}``, warnings as
``{"code", "sentence"}``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from soundforge_runners._protocol import Channel, Message
from soundforge_runners._stems import Outputs, Samples, Source, StemWriter

Tell: TypeAlias = Callable[[float], None]  # the share of the work that is done, 0 to 1
Blocks: TypeAlias = Iterator[Mapping[str, Samples]]  # finished samples by stem; of the needed ones alone some are kept
Separate: TypeAlias = Callable[[Source, Outputs, Tell], Blocks]
Member: TypeAlias = tuple[Path, tuple[str, ...]]  # a file of weights, and what is to be taken from it; empty: all

_LOADED, _SEPARATED = 2.0, 85.0  # percent of the work that are done then


def make_stems(
    request: Message, channel: Channel, made: Sequence[str], separate: Separate, *, beginning: str = "loading"
) -> Message:
    """Do one request with an engine that makes the stems ``made``; ``beginning`` is the name of its first stage.

    Scratch files go whatever happens; half-written stems are the folder's owner's to remove.
    """
    channel.progress(0, beginning)
    source = Source.from_request(request)
    outputs = Outputs.from_request(request, made)
    with StemWriter(source, Path(request["folder"]), outputs.names, closing=outputs.closing) as writer:
        tell: Tell = lambda share: channel.progress(_LOADED + (_SEPARATED - _LOADED) * share, "separating")  # noqa: E731 - one line
        for block in separate(source, outputs, tell):
            writer.add(outputs.of(block))
        result = writer.finish(lambda share: channel.progress(_SEPARATED + (100 - _SEPARATED) * share, "encoding"))
    return {**result, "warnings": list(outputs.warnings)}


def members_for(request: Message, outputs: Outputs) -> list[Member]:
    """The files of weights that the needed stems come from, each with all that may be taken from it."""
    every = [(Path(one["path"]), tuple(one["stems"])) for one in request["members"]]
    return [(path, stems) for path, stems in every if not stems or set(stems) & set(outputs.needed)]
