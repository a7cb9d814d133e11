"""What does the work on audio: decoders, separators, analyzers, each in a child process of its own.

``DECODER``      file → PCM
``SEPARATORS``   by name; PCM → stems
``MODELS``       what separators separate with; ``model_store()`` knows which are here
``ANALYZER``     PCM → tempo, key, sections, …
``hear_stems``   stems → where somebody sings, vectors by which alike ones are found
``encode_flac``  PCM → FLAC
``pack_zip``     files → zip
``render_mix``   stems → one file
"""

from ._analysis import ChildAnalyzer
from ._contract import (
    DEFAULT_OPTIONS,
    Analyzed,
    Analyzer,
    Decoded,
    Decoder,
    OnProgress,
    Part,
    Pcm,
    Separated,
    SeparateOptions,
    Separator,
    StemFile,
    Tags,
    Warning_,
)
from ._decoder import ChildDecoder
from ._demucs import DemucsSeparator
from ._dsp import DspSeparator
from ._hub import ModelHub
from ._model_store import ModelStore, model_store, open_models
from ._models import MODELS, ModelFile, ModelSpec
from ._openvino import OpenVinoSeparator
from ._stems import HeardStems, HearStems, Likeness, hear_stems
from ._writers import DemoSong, MixStem, encode_flac, pack_zip, render_demo, render_mix

__all__ = [
    "ANALYZER",
    "DECODER",
    "DEFAULT_OPTIONS",
    "MODELS",
    "SEPARATORS",
    "Analyzed",
    "Analyzer",
    "Decoded",
    "Decoder",
    "DemoSong",
    "HearStems",
    "HeardStems",
    "Likeness",
    "MixStem",
    "ModelFile",
    "ModelHub",
    "ModelSpec",
    "ModelStore",
    "OnProgress",
    "Part",
    "Pcm",
    "SeparateOptions",
    "Separated",
    "Separator",
    "StemFile",
    "Tags",
    "Warning_",
    "encode_flac",
    "hear_stems",
    "model_store",
    "open_models",
    "pack_zip",
    "render_demo",
    "render_mix",
]

DECODER: Decoder = ChildDecoder()
SEPARATORS: dict[str, Separator] = {
    "openvino": OpenVinoSeparator(),
    "demucs": DemucsSeparator(),
    "dsp": DspSeparator(),
}
ANALYZER: Analyzer = ChildAnalyzer()
