"""What does the work on audio: decoders, separators, analyzers, each in a child process of its own.

``DECODER``      file → PCM
``SEPARATORS``   by name; PCM → stems
``ANALYZER``     PCM → tempo, key, sections, …
``encode_flac``  PCM → FLAC
``pack_zip``     files → zip
"""

from importlib import import_module
from typing import TYPE_CHECKING

from ._contract import (
    Analyzed,
    Analyzer,
    Decoded,
    Decoder,
    OnProgress,
    Part,
    Pcm,
    Separated,
    Separator,
    StemFile,
    Tags,
    Warning_,
)
from ._writers import encode_flac, pack_zip

__all__ = [
    "ANALYZER",
    "DECODER",
    "SEPARATORS",
    "Analyzed",
    "Analyzer",
    "Decoded",
    "Decoder",
    "OnProgress",
    "Part",
    "Pcm",
    "Separated",
    "Separator",
    "StemFile",
    "Tags",
    "Warning_",
    "encode_flac",
    "pack_zip",
]

if TYPE_CHECKING:
    DECODER: Decoder
    SEPARATORS: dict[str, Separator]
    ANALYZER: Analyzer


def __getattr__(name: str) -> object:
    """Make an engine's adapter when it is first asked for."""
    here = __name__
    if name == "DECODER":
        value: object = import_module("._decoder", here).ChildDecoder()
    elif name == "SEPARATORS":
        value = {"dsp": import_module("._dsp", here).DspSeparator()}
    elif name == "ANALYZER":
        value = import_module("._analysis", here).ChildAnalyzer()
    else:
        raise AttributeError(name)
    globals()[name] = value
    return value
