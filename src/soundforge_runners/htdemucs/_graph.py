"""The network as an OpenVINO graph.

Two branches, one over spectra ``[1, channels, bins, frames]`` and one over samples ``[1, channels, samples]``: each
level of the encoder is a strided convolution and a gated one, with dilated residual branches between; at the bottom a
transformer lets the branches look at each other; the decoder is the way back, with skips.

Normalisations stay over the axes they have: flattened to one axis the same mean is summed in one run of millions of
float32, which costs 30 dB. The residual branches of the spectra are convolutions along time in place, not on a
transposed copy.
"""

import math
from collections.abc import Sequence

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import Node
from openvino import opset15 as op

from soundforge_runners.htdemucs._architecture import Architecture, Weights

_EPS = 1e-5
_SPEC, _WAVE = "spectrum", "samples"


def build(network: Architecture, weights: Weights, wanted: Sequence[str]) -> ov.Model:
    """The graph: inputs ``spectrum`` and ``samples``, normalised; outputs of the same names, for the ``wanted`` stems.

    Outputs are ``[1, stems·channels, …]``. Raises Refused (``wrong_weights``).
    """
    return _Graph(network, weights, wanted).build()


class _Graph:
    def __init__(self, network: Architecture, weights: Weights, wanted: Sequence[str]) -> None:
        self._network, self._weights = network, weights
        self._picked = [network.sources.index(name) for name in wanted]

    def build(self) -> ov.Model:
        network = self._network
        spec_in = op.parameter([1, 4, network.bins, network.frames], np.float32, name=_SPEC)
        wave_in = op.parameter([1, 2, network.segment_frames], np.float32, name=_WAVE)
        spec, wave = spec_in, wave_in
        specs, waves, lengths = [], [], []
        for level in range(network.depth):
            lengths.append(wave.get_output_shape(0)[2])
            wave = self._encode(f"tencoder.{level}", wave, level)
            spec = self._encode(f"encoder.{level}", spec, level)
            if level == 0 and network.freq_emb:
                spec = self._add_frequencies(spec)
            specs.append(spec)
            waves.append(wave)
        spec, wave = self._transformer(spec, wave)
        for place, level in enumerate(reversed(range(network.depth))):
            spec = self._decode(f"decoder.{place}", op.add(spec, specs[level]), level)
            wave = self._decode(f"tdecoder.{place}", op.add(wave, waves[level]), level, lengths[level])
        self._weights.finish()
        results = [_named(spec, _SPEC), _named(wave, _WAVE)]
        model = ov.Model(results, [spec_in, wave_in], "htdemucs")
        for number, name in enumerate((_SPEC, _WAVE)):
            model.inputs[number].set_names({name})
        return model

    # --- encoder and decoder -----------------------------------------------------------------------

    def _encode(self, name: str, x: Node, level: int) -> Node:
        network = self._network
        flat = _is_flat(x)
        width = network.width(level)
        came = network.width(level - 1) if level else 2 if flat else 4
        pad, stride = network.kernel // 4, network.stride
        after = pad + (-x.get_output_shape(0)[2] % stride if flat else 0)  # the samples are filled up with silence
        y = self._conv(f"{name}.conv", x, came, width, network.kernel, stride=stride, pads=(pad, after))
        y = op.gelu(y, "ERF")
        if network.dconv_mode & 1:
            y = self._residual(f"{name}.dconv", y, width)
        return _gate(self._conv(f"{name}.rewrite", y, width, 2 * width, 1))

    def _decode(self, name: str, x: Node, level: int, length: int = 0) -> Node:
        network, width, flat = self._network, self._network.width(level), _is_flat(x)
        y = _gate(self._context(f"{name}.rewrite", x, width))
        if network.dconv_mode & 2:
            y = self._residual(f"{name}.dconv", y, width)
        z = self._conv_transposed(f"{name}.conv_tr", y, width, level)
        if flat and z.get_output_shape(0)[2] != length:
            z = _slice(z, 0, length, axis=2)
        return op.gelu(z, "ERF") if level else z

    def _context(self, name: str, x: Node, width: int) -> Node:
        """A convolution that looks one step around, over both axes of spectra."""
        kernel = (3,) if _is_flat(x) else (3, 3)
        weight = self._weights.take(f"{name}.weight", 2 * width, width, *kernel)
        ones = [1] * len(kernel)
        y = op.convolution(x, op.constant(weight), ones, ones, ones, ones)
        return op.add(y, self._bias(f"{name}.bias", 2 * width, x))

    def _conv(
        self, name: str, x: Node, came: int, width: int, kernel: int, *, stride: int = 1, pads: tuple[int, int] = (0, 0)
    ) -> Node:
        """A convolution along the samples, or along the bins of spectra."""
        weight = self._weights.take(f"{name}.weight", width, came, *_along_bins(x, kernel, 1))
        steps, dilations = _along_bins(x, stride, 1), _along_bins(x, 1, 1)
        begin, end = (_along_bins(x, pad, 0) for pad in pads)
        y = op.convolution(x, op.constant(weight), steps, begin, end, dilations)
        return op.add(y, self._bias(f"{name}.bias", width, x))

    def _conv_transposed(self, name: str, x: Node, width: int, level: int) -> Node:
        network, flat = self._network, _is_flat(x)
        per_source = 2 if flat else 4
        out = network.width(level - 1) if level else per_source * len(network.sources)
        weight = self._weights.take(f"{name}.weight", width, out, *_along_bins(x, network.kernel, 1))
        bias = self._weights.take(f"{name}.bias", out)
        if not level:  # of the last one only the wanted stems
            rows = np.concatenate([np.arange(per_source) + per_source * source for source in self._picked])
            weight, bias = np.ascontiguousarray(weight[:, rows]), bias[rows]
        whole, pad = _spread(x, weight, bias, network.stride), network.kernel // 4
        return _slice(whole, pad, whole.get_output_shape(0)[2] - pad, axis=2)

    def _residual(self, name: str, x: Node, width: int) -> Node:
        """Two dilated branches, each added to what came in; along time in both domains."""
        hidden = int(width / self._network.dconv_comp)
        for depth in range(2):
            at, reach = f"{name}.layers.{depth}", 2**depth
            y = self._along_time(f"{at}.0", x, width, hidden, 3, reach)
            y = op.gelu(self._norm_time(f"{at}.1", y, hidden), "ERF")
            y = self._along_time(f"{at}.3", y, hidden, 2 * width, 1, 1)
            y = _gate(self._norm_time(f"{at}.4", y, 2 * width))
            x = op.add(x, op.multiply(y, self._bias(f"{at}.6.scale", width, x)))
        return x

    def _along_time(self, name: str, x: Node, came: int, width: int, kernel: int, dilation: int) -> Node:
        weight = self._weights.take(f"{name}.weight", width, came, kernel)
        pad = dilation * (kernel // 2)
        if _is_flat(x):
            y = op.convolution(x, op.constant(weight), [1], [pad], [pad], [dilation])
        else:
            weight = weight[:, :, None]
            y = op.convolution(x, op.constant(weight), [1, 1], [0, pad], [0, pad], [1, dilation])
        return op.add(y, self._bias(f"{name}.bias", width, x))

    def _norm_time(self, name: str, x: Node, width: int) -> Node:
        """Normalise over channels and time: each bin of spectra for itself."""
        scale, bias = (self._bias(f"{name}.{part}", width, x) for part in ("weight", "bias"))
        if _is_flat(x):
            normal = _mvn(x, [1, 2])
        else:
            axes = op.constant([1, 3])
            centred = op.subtract(x, op.reduce_mean(x, axes, keep_dims=True))
            spread = op.reduce_mean(op.multiply(centred, centred), axes, keep_dims=True)
            normal = op.divide(centred, op.sqrt(op.add(spread, _number(_EPS))))
        return op.add(op.multiply(normal, scale), bias)

    def _add_frequencies(self, spec: Node) -> Node:
        network = self._network
        bins = spec.get_output_shape(0)[2]
        table = self._weights.take("freq_emb.embedding.weight", bins, network.channels)
        scale = np.float32(network.freq_emb) * np.float32(network.emb_scale)
        return op.add(spec, op.constant((table.T * scale)[None, :, :, None].astype(np.float32)))

    def _bias(self, name: str, width: int, like: Node) -> Node:
        return op.constant(self._weights.take(name, width).reshape(_channel_shape(width, like)))

    # --- transformer -------------------------------------------------------------------------------

    def _transformer(self, spec: Node, wave: Node) -> tuple[Node, Node]:
        network = self._network
        if not network.layers:
            return spec, wave
        bins, frames = spec.get_output_shape(0)[2:]
        outer, inner = network.width(network.depth - 1), network.inner_channels
        if network.bottom_channels:
            spec = self._pointwise("channel_upsampler", spec, outer, inner)
            wave = self._pointwise("channel_upsampler_t", wave, outer, inner)
        spec = op.reshape(op.transpose(spec, _ints(0, 3, 2, 1)), _ints(1, frames * bins, inner), special_zero=False)
        wave = op.transpose(wave, _ints(0, 2, 1))
        spec = self._placed("norm_in", spec, inner, _places_2d(inner, bins, frames, network.max_period))
        samples = wave.get_output_shape(0)[1]
        wave = self._placed("norm_in_t", wave, inner, _places(inner, samples, network.max_period))
        for layer in range(network.layers):
            spec, wave = self._layer(layer, spec, wave)
        spec = op.reshape(spec, _ints(1, frames, bins, inner), special_zero=False)
        spec, wave = op.transpose(spec, _ints(0, 3, 2, 1)), op.transpose(wave, _ints(0, 2, 1))
        if network.bottom_channels:
            spec = self._pointwise("channel_downsampler", spec, inner, outer)
            wave = self._pointwise("channel_downsampler_t", wave, inner, outer)
        return spec, wave

    def _pointwise(self, name: str, x: Node, came: int, width: int) -> Node:
        weight = self._weights.take(f"{name}.weight", width, came, 1)
        shape, ones, none = (weight, [1], [0]) if _is_flat(x) else (weight[..., None], [1, 1], [0, 0])
        y = op.convolution(x, op.constant(np.ascontiguousarray(shape)), ones, none, none, ones)
        return op.add(y, self._bias(f"{name}.bias", width, x))

    def _placed(self, name: str, x: Node, width: int, places: NDArray[np.float32]) -> Node:
        normal = self._norm_last(f"crosstransformer.{name}", x, width)
        return op.add(normal, op.constant((self._network.pos_weight * places).astype(np.float32)))

    def _layer(self, layer: int, spec: Node, wave: Node) -> tuple[Node, Node]:
        names = f"crosstransformer.layers.{layer}", f"crosstransformer.layers_t.{layer}"
        if (layer % 2 == 0) != self._network.cross_first:
            return self._block(names[0], spec, None), self._block(names[1], wave, None)
        return self._block(names[0], spec, wave), self._block(names[1], wave, spec)

    def _block(self, name: str, x: Node, other: Node | None) -> Node:
        """Attention to itself, or to the other branch, then a feed-forward step, then a norm over everything."""
        width = self._network.inner_channels
        hidden = int(width * self._network.hidden_scale)
        asking = self._norm_last(f"{name}.norm1", x, width)
        if other is None:
            found = self._attend(f"{name}.self_attn", asking, asking, width)
        else:
            found = self._attend(f"{name}.cross_attn", asking, self._norm_last(f"{name}.norm2", other, width), width)
        x = op.add(x, op.multiply(found, self._vector(f"{name}.gamma_1.scale", width)))
        y = self._norm_last(f"{name}.norm{2 if other is None else 3}", x, width)
        y = op.gelu(self._linear(f"{name}.linear1", y, width, hidden), "ERF")
        y = self._linear(f"{name}.linear2", y, hidden, width)
        x = op.add(x, op.multiply(y, self._vector(f"{name}.gamma_2.scale", width)))
        return self._norm_all(f"{name}.norm_out", x, width)

    def _attend(self, name: str, asking: Node, asked: Node, width: int) -> Node:
        heads = self._network.heads
        weight = self._weights.take(f"{name}.in_proj_weight", 3 * width, width)
        bias = self._weights.take(f"{name}.in_proj_bias", 3 * width)
        parts = []
        for number, x in enumerate((asking, asked, asked)):  # queries, keys, values
            rows = slice(number * width, (number + 1) * width)
            y = op.add(_times(x, weight[rows]), op.constant(bias[rows]))
            y = op.reshape(y, _ints(1, x.get_output_shape(0)[1], heads, width // heads), special_zero=False)
            parts.append(op.transpose(y, _ints(0, 2, 1, 3)))
        found = op.scaled_dot_product_attention(*parts)
        found = op.transpose(found, _ints(0, 2, 1, 3))
        found = op.reshape(found, _ints(1, asking.get_output_shape(0)[1], width), special_zero=False)
        return self._linear(f"{name}.out_proj", found, width, width)

    def _linear(self, name: str, x: Node, came: int, width: int) -> Node:
        weight = self._weights.take(f"{name}.weight", width, came)
        return op.add(_times(x, weight), self._vector(f"{name}.bias", width))

    def _norm_last(self, name: str, x: Node, width: int) -> Node:
        return self._norm(name, x, width, [2])

    def _norm_all(self, name: str, x: Node, width: int) -> Node:
        return self._norm(name, x, width, [1, 2])

    def _norm(self, name: str, x: Node, width: int, axes: list[int]) -> Node:
        scale, bias = (self._vector(f"{name}.{part}", width) for part in ("weight", "bias"))
        normal = _mvn(x, axes)
        return op.add(op.multiply(normal, scale), bias)

    def _vector(self, name: str, width: int) -> Node:
        return op.constant(self._weights.take(name, width))


def _places(width: int, count: int, max_period: float) -> NDArray[np.float32]:
    """Positions as cosines, then sines, of falling frequency, [1, count, width]."""
    half = width // 2
    phase = np.arange(count)[:, None] / max_period ** (np.arange(half) / (half - 1))
    return np.concatenate([np.cos(phase), np.sin(phase)], axis=1)[None].astype(np.float32)


def _places_2d(width: int, bins: int, frames: int, max_period: float) -> NDArray[np.float32]:
    """Half of the channels tell the frame, half the bin, sines and cosines in turn, [1, frames·bins, width]."""
    half = width // 2
    rate = np.exp(np.arange(0, half, 2) * -(math.log(max_period) / half))
    places = np.zeros((frames, bins, width))
    for first, count, axis in ((0, frames, 0), (half, bins, 1)):
        phase = np.expand_dims(np.arange(count)[:, None] * rate, 1 - axis)
        places[:, :, first : first + half : 2] = np.sin(phase)
        places[:, :, first + 1 : first + half : 2] = np.cos(phase)
    return places.reshape(1, frames * bins, width).astype(np.float32)


def _spread(x: Node, weight: NDArray[np.float32], bias: NDArray[np.float32], stride: int) -> Node:
    """A transposed convolution, whole: ``stride`` plain ones side by side, whose results are then put in turn.

    OpenVINO has fast kernels for plain ones only: the network takes 5 % less time, 11 % in bfloat16.
    """
    came, out, kernel = weight.shape[:3]
    taps = weight.reshape(came, out, kernel // stride, stride)[:, :, ::-1]  # the last one meets the earliest step
    phases = np.ascontiguousarray(taps.transpose(3, 1, 0, 2)).reshape(stride * out, came, -1)
    pad, ones = _along_bins(x, kernel // stride - 1, 0), _along_bins(x, 1, 1)
    y = op.convolution(x, op.constant(phases if _is_flat(x) else phases[..., None]), ones, pad, pad, ones)
    y = op.add(y, op.constant(np.tile(bias, stride).reshape(_channel_shape(stride * out, x))))
    steps, *frames = y.get_output_shape(0)[2:]
    y = op.reshape(y, _ints(1, stride, out, steps, *frames), special_zero=False)
    y = op.transpose(y, _ints(0, 2, 3, 1, *([4] if frames else [])))
    return op.reshape(y, _ints(1, out, steps * stride, *frames), special_zero=False)


def _gate(x: Node) -> Node:
    """The first half of the channels, each as far open as the second half says."""
    value, gate = op.split(x, op.constant(1), 2).outputs()
    return op.multiply(value, op.sigmoid(gate))


def _mvn(x: Node, axes: list[int]) -> Node:
    return op.mvn(x, op.constant(axes), normalize_variance=True, eps=_EPS, eps_mode="inside_sqrt")


def _times(x: Node, weight: NDArray[np.float32]) -> Node:
    return op.matmul(x, op.constant(weight), transpose_a=False, transpose_b=True)


def _slice(x: Node, start: int, stop: int, *, axis: int) -> Node:
    return op.slice(x, _ints(start), _ints(stop), _ints(1), _ints(axis))


def _is_flat(x: Node) -> bool:
    return len(x.get_output_shape(0)) == 3


def _along_bins(x: Node, value: int, other: int) -> list[int]:
    """A measure along the samples, or along the bins with ``other`` along the frames."""
    return [value] if _is_flat(x) else [value, other]


def _channel_shape(width: int, like: Node) -> tuple[int, ...]:
    return (1, width, 1) if _is_flat(like) else (1, width, 1, 1)


def _ints(*values: int) -> Node:
    return op.constant(np.array(values, np.int64))


def _number(value: float) -> Node:
    return op.constant(np.float32(value))


def _named(node: Node, name: str) -> Node:
    result = op.result(node)
    result.output(0).set_names({name})
    return result
