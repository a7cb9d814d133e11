"""What a file of weights says of its network, and whether our graph is that network."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from soundforge_runners._protocol import Refused

KLASS = "HTDemucs"

# What the official program takes for what a file does not say, as far as it concerns us.
_DEFAULTS: dict[str, Any] = {
    "channels": 48,
    "growth": 2,
    "nfft": 4096,
    "depth": 4,
    "freq_emb": 0.2,
    "emb_scale": 10,
    "kernel_size": 8,
    "stride": 4,
    "dconv_mode": 1,
    "dconv_comp": 8,
    "bottom_channels": 0,
    "t_layers": 5,
    "t_heads": 8,
    "t_hidden_scale": 4.0,
    "t_max_period": 10000.0,
    "t_weight_pos_embed": 1.0,
    "t_cross_first": False,
    "samplerate": 44100,
    "segment": 10,
}
# What the graph has built in. Options that only matter in training are not looked at.
_BUILT_IN: dict[str, tuple[Any, ...]] = {
    "audio_channels": (2,),
    "channels_time": (None,),
    "wiener_iters": (0,),
    "cac": (True,),
    "rewrite": (True,),
    "multi_freqs": (None, [], ()),
    "context": (1,),
    "context_enc": (0,),
    "dconv_depth": (2,),
    "t_emb": ("sin",),
    "t_norm_in": (True,),
    "t_norm_in_group": (False,),
    "t_group_norm": (False, 0),
    "t_norm_first": (True,),
    "t_norm_out": (True,),
    "t_layer_scale": (True,),
    "t_gelu": (True,),
    "t_sin_random_shift": (0,),
    "t_sparse_self_attn": (False,),
    "t_sparse_cross_attn": (False,),
    "use_train_segment": (True,),
}


@dataclass(frozen=True)
class Architecture:
    """The measures of one network. Lengths are samples at ``rate_hz``."""

    sources: tuple[str, ...]
    channels: int
    growth: int
    nfft: int
    depth: int
    freq_emb: float
    emb_scale: float
    kernel: int
    stride: int
    dconv_mode: int  # 1: residual branches in the encoder, 2: in the decoder, 3: in both
    dconv_comp: float
    bottom_channels: int
    layers: int
    heads: int
    hidden_scale: float
    max_period: float
    pos_weight: float
    cross_first: bool
    rate_hz: int
    segment: Fraction  # seconds

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> Self:
        """Read ``klass``, ``args`` and ``kwargs`` as the official files carry them.

        Raises Refused (``unsupported_model``) for a network that is not the one we build.
        """
        try:
            klass, args = metadata["klass"].rpartition(".")[2], json.loads(metadata["args"])
            said = json.loads(metadata["kwargs"], object_hook=_fraction)
            if args:
                said["sources"] = args[0]
            strange = [] if klass == KLASS and len(args) <= 1 else ["klass"]
            strange += [name for name, values in _BUILT_IN.items() if name in said and said[name] not in values]
            if said.get("norm_starts", 4) < said.get("depth", 4):
                strange.append("norm_starts")
            network = cls._from_options({**_DEFAULTS, **said})
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise unsupported(f"it does not say what it is: {error!r}") from error
        if strange:
            raise unsupported(f"it differs in {', '.join(strange)}")
        return network

    @classmethod
    def _from_options(cls, said: Mapping[str, Any]) -> Self:
        network = cls(
            sources=tuple(str(name) for name in said["sources"]),
            channels=int(said["channels"]),
            growth=int(said["growth"]),
            nfft=int(said["nfft"]),
            depth=int(said["depth"]),
            freq_emb=float(said["freq_emb"] or 0),
            emb_scale=float(said["emb_scale"]),
            kernel=int(said["kernel_size"]),
            stride=int(said["stride"]),
            dconv_mode=int(said["dconv_mode"]),
            dconv_comp=float(said["dconv_comp"]),
            bottom_channels=int(said["bottom_channels"]),
            layers=int(said["t_layers"]),
            heads=int(said["t_heads"]),
            hidden_scale=float(said["t_hidden_scale"]),
            max_period=float(said["t_max_period"]),
            pos_weight=float(said["t_weight_pos_embed"]),
            cross_first=bool(said["t_cross_first"]),
            rate_hz=int(said["samplerate"]),
            segment=Fraction(said["segment"]),
        )
        if not network.sources or network.bins < network.kernel * network.stride**network.depth // network.stride:
            raise ValueError("its measures do not fit each other")
        return network

    @property
    def segment_frames(self) -> int:
        """Samples that the network takes at once."""
        return int(self.segment * self.rate_hz)

    @property
    def hop(self) -> int:
        """Samples between two spectra."""
        return self.nfft // 4

    @property
    def bins(self) -> int:
        """Bins of a spectrum; the one at half the rate is left out."""
        return self.nfft // 2

    @property
    def frames(self) -> int:
        """Spectra of a segment."""
        return -(-self.segment_frames // self.hop)

    @property
    def inner_channels(self) -> int:
        """Channels that the transformer sees."""
        return self.bottom_channels or self.width(self.depth - 1)

    def width(self, level: int) -> int:
        """Channels behind level ``level`` of the encoder."""
        return int(self.channels * self.growth**level)


class Weights:
    """The tensors of a network by official name, each handed out once, as float32."""

    def __init__(self, tensors: Mapping[str, NDArray[Any]], source: str) -> None:
        """Hold ``tensors`` that came from ``source``."""
        self._left, self._source = dict(tensors), source

    def take(self, name: str, *shape: int) -> NDArray[np.float32]:
        """Hand out one tensor; raises Refused (``wrong_weights``) when it is not there or not of that shape."""
        tensor = self._left.pop(name, None)
        if tensor is None or tensor.shape != shape:
            found = "is missing" if tensor is None else f"has the shape {list(tensor.shape)} instead of {list(shape)}"
            raise wrong_weights(self._source, f"{name} {found}")
        return np.ascontiguousarray(tensor, np.float32)

    def finish(self) -> None:
        """Raise Refused (``wrong_weights``) when a tensor was not asked for: then it is another network."""
        if self._left:
            raise wrong_weights(self._source, f"{min(self._left)} and {len(self._left) - 1} more have no place")


def open_weights(path: Path) -> tuple[Architecture, Weights]:
    """Read a file of weights. Raises Refused: ``model_missing``, ``wrong_weights`` or ``unsupported_model``."""
    if not path.is_file():
        raise Refused("model_missing", f"The weights {path.name} are not there.", family="broken")
    try:
        with safe_open(path, framework="np") as file:
            network = Architecture.from_metadata(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, TypeError) as error:
        raise wrong_weights(path.name, str(error)) from error
    return network, Weights(tensors, path.name)


def wrong_weights(source: str, why: str) -> Refused:
    """A file that does not hold the weights of our network."""
    sentence = f"The weights {source} do not fit this engine ({why}); the demucs engine may take them."
    return Refused("wrong_weights", sentence, family="broken")


def unsupported(why: str) -> Refused:
    """A network that is not the one we build."""
    sentence = f"This engine does not know this network ({why}); the demucs engine may."
    return Refused("unsupported_model", sentence, family="broken")


def _fraction(value: dict[str, Any]) -> Any:
    if value.get("_type") == "fraction":
        return Fraction(value["numerator"], value["denominator"])
    return value
