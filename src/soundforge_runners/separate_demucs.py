"""Separate a song with the demucs package and torch, as a child in an environment of its own (Python 3.11 or newer).

Request: what ``_separation`` says, and ``{"members": [{"path", "stems"}], "made", "segment_s", "threads", "overlap",
"shifts", "device"}``: the files of weights, each with the stems to take from it (none named: all, averaged over the
files); the stems that the model makes, in their order. Result: as ``_separation`` says.

The package's own ``apply_model`` does the work, block by block: blocks begin at a segment's begin and are read with a
segment of context on both sides, so each sample is the sum of the very segments that it would be in one go. Weights are
read from safetensors alone; a file says of which class it is, and only the two of the package are believed: the
package's own loader would call whatever a file names. Nothing is downloaded.
"""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from soundforge_runners._protocol import Channel, Message, Refused, lacks_memory, serve

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from soundforge_runners._separation import Blocks, Member, Tell
    from soundforge_runners._stems import Outputs, Source
    from soundforge_runners._track import Track

Apply: TypeAlias = Callable[..., Any]

CLASSES = {"demucs.htdemucs.HTDemucs": "htdemucs", "demucs.hdemucs.HDemucs": "hdemucs"}
_BLOCK_S = 240.0
_ON_PROCESSOR = {
    "code": "gpu_out_of_memory",
    "sentence": "The graphics card ran out of memory, so the processor did the work.",
}


@dataclass
class Separation:
    """The program; it keeps the models that it used last. ``apply`` and ``gpu`` take torch's place in a test."""

    apply: Apply | None = None
    gpu: str | None = None
    _kept: tuple[Any, Any] = field(default=(None, None), init=False)

    def handle(self, request: Message, channel: Channel) -> Message:
        """Do one request."""
        from soundforge_runners._separation import make_stems

        devices = _Devices()
        result = make_stems(
            request,
            channel,
            request["made"],
            lambda source, outputs, tell: self._blocks(request, source, outputs, devices, tell),
        )
        return {**result, "warnings": [*result["warnings"], *devices.warnings]}

    def _gpu(self, request: Message) -> str | None:
        """The graphics card to use, if there is one and nobody forbade it."""
        import torch

        torch.set_num_threads(max(1, int(request["threads"])))
        if request.get("device", "auto") == "cpu":
            return None
        return self.gpu or ("cuda" if torch.cuda.is_available() else None)

    def _bag(self, request: Message, outputs: "Outputs") -> Any:
        """The models that the wanted stems need, kept from before if they are the same."""
        from soundforge_runners._separation import members_for

        members = members_for(request, outputs)
        mark = [(str(path), path.stat().st_mtime_ns if path.is_file() else 0, stems) for path, stems in members]
        if self._kept[0] != mark:
            self._kept = (None, None)  # two at once would need twice the memory
            self._kept = (mark, load_bag(members, request.get("segment_s")))
        bag = self._kept[1]
        if set(bag.sources) != set(request["made"]):
            raise _wrong_weights(members[0][0].name, f"they make {', '.join(bag.sources)}")
        return bag

    def _blocks(
        self, request: Message, source: "Source", outputs: "Outputs", devices: "_Devices", tell: "Tell"
    ) -> "Blocks":
        """Finished samples by stem at the source's rate."""
        from demucs.apply import apply_model

        from soundforge_runners._track import Track

        devices.gpu = self._gpu(request)
        apply, bag = self.apply or apply_model, self._bag(request, outputs)
        with Track(source, bag.samplerate, Path(request["folder"])) as track:
            plan = Plan.of(track.frames, bag, overlap=request["overlap"], shifts=request["shifts"])
            back = track.way_back(bag.sources)
            for stems in separated(track, bag, plan, devices, apply, tell):
                yield back.add(stems)
            if rest := back.finish():  # at another rate than the model's, the resamplers hold some
                yield rest


@dataclass(frozen=True)
class Plan:
    """How a song is cut, in samples at the model's rate: blocks of ``step``, a multiple of the segments' ``stride``."""

    frames: int
    step: int
    stride: int
    context: int
    overlap: float
    shifts: int

    def blocks(self) -> Iterator[tuple[int, int, int, int]]:
        """Where each block begins and ends, and where what is read for it does."""
        for start in range(0, self.frames, self.step):
            stop = min(start + self.step, self.frames)
            yield start, stop, max(0, start - self.context), min(self.frames, stop + self.context)

    def segments(self, models: int) -> int:
        """How many segments that are, over all models and shifts; a shift may add one."""
        return (
            sum(math.ceil((last - first) / self.stride) for *_, first, last in self.blocks())
            * models
            * max(1, self.shifts)
        )

    @classmethod
    def of(cls, frames: int, bag: Any, *, overlap: float, shifts: int) -> "Plan":
        """Cut ``frames`` for the models of a bag, which share a segment's length."""
        segment = int(bag.samplerate * bag.models[0].segment)
        stride = max(1, int((1 - overlap) * segment))
        step = max(1, round(_BLOCK_S * bag.samplerate / stride)) * stride
        return cls(frames, step, stride, math.ceil(segment / stride) * stride, overlap, shifts)


@dataclass
class _Devices:
    """Where the work is done: the graphics card as long as it bears it."""

    gpu: str | None = None
    warnings: list[dict[str, str]] = field(default_factory=list)

    def run(self, work: Callable[[str], Any]) -> Any:
        """Do ``work`` on the card; if that has too little memory, once again, and from then on, on the processor."""
        if self.gpu is not None:
            try:
                return work(self.gpu)
            except RuntimeError as error:
                if not lacks_memory(error):
                    raise
            self.gpu = None  # outside the handler, whose traceback holds what is on the card
            self.warnings.append(_ON_PROCESSOR)
            _empty_cache()
        return work("cpu")


def separated(
    track: "Track", bag: Any, plan: Plan, devices: _Devices, apply: Apply, tell: "Tell"
) -> "Iterator[NDArray[np.float32]]":
    """Finished samples ``[stems, 2, samples]`` of a bag, in order; ``tell`` hears of each segment."""
    import torch

    counted = _Count(plan.segments(len(bag.models)), tell)
    for start, stop, first, last in plan.blocks():
        mix = torch.from_numpy(track.read(first, last))[None]

        def work(device: str, mix: Any = mix) -> Any:
            options = {"overlap": plan.overlap, "shifts": plan.shifts, "split": True, "callback": counted}
            return apply(bag, mix, device=device, **options)

        out = devices.run(work)
        yield out[0, :, :, start - first : stop - first].cpu().numpy()


@dataclass
class _Count:
    """Hears from the package when a segment is done."""

    total: int
    tell: "Tell"
    done: int = 0

    def __call__(self, said: dict[str, Any]) -> None:
        self.done += said["state"] == "end"
        self.tell(min(self.done / self.total, 1.0))


def load_bag(members: "Sequence[Member]", segment_s: float | None) -> Any:
    """Load models; each stem comes from the members that make it, averaged. Raises Refused, as ``load_model`` does."""
    from demucs.apply import BagOfModels

    models = [load_model(path) for path, _ in members]
    sources = models[0].sources
    weights = [[float(not stems or name in stems) for name in sources] for _, stems in members]
    for place in range(len(sources)):
        if not any(row[place] for row in weights):  # nobody wants it, and nothing is divided by nothing
            weights[0][place] = 1.0
    return BagOfModels(models, weights, segment_s)


def load_model(path: Path) -> Any:
    """Load one model from an official file.

    Raises Refused: ``model_missing``, ``wrong_weights`` or ``unsupported_model``.
    """
    import torch
    from demucs.hdemucs import HDemucs
    from demucs.htdemucs import HTDemucs
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise Refused("model_missing", f"The weights {path.name} are not there.", family="broken")
    try:
        with safe_open(path, framework="pt") as file:
            said = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, TypeError) as error:
        raise _wrong_weights(path.name, str(error)) from error
    kinds = {"htdemucs": HTDemucs, "hdemucs": HDemucs}
    if said.get("klass") not in CLASSES or "structure" in said:
        raise Refused("unsupported_model", f"The file {path.name} is of a kind that is not loaded.", family="broken")
    try:
        args, options = (json.loads(said[name], object_hook=_fraction) for name in ("args", "kwargs"))
        model = kinds[CLASSES[said["klass"]]](*args, **options)
        model.load_state_dict({name: tensor.to(torch.float32) for name, tensor in state.items()})
    except (KeyError, TypeError, ValueError, RuntimeError, AssertionError) as error:
        raise _wrong_weights(path.name, f"{type(error).__name__}") from error
    return model.eval()


def _wrong_weights(name: str, why: str) -> Refused:
    return Refused("wrong_weights", f"The weights {name} are not those of their network ({why}).", family="broken")


def _fraction(value: dict[str, Any]) -> Any:
    if value.get("_type") == "fraction":
        return Fraction(value["numerator"], value["denominator"])
    return value


def _empty_cache() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()


if __name__ == "__main__":
    serve("separate_demucs", Separation().handle)
