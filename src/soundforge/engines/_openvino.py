"""Demucs' hybrid transformer on the processor; ``soundforge_runners.separate_openvino`` does the work."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from soundforge.children import Limits, runner, warm_child

from ._contract import DEFAULT_OPTIONS, OnProgress, Pcm, Separated, SeparateOptions, Warning_
from ._machine import THIS_MACHINE, Machine
from ._model_store import ModelStore, model_store
from ._separation import Shelf, most_work_s, scratch_ends, separated_from

_ONE_STREAM_MB = 1200  # measured: 1050 and the buffers, see docs/benchmarks.md; the same for any length
_STREAM_MB = 450  # each further one
_SLOWEST = 30.0  # seconds of work per second of music, shift and file of weights on a busy machine; 0.4 on a free one
_SILENCE_S = 300
_REDUCED = Warning_("reduced_precision", "Separated in bfloat16: faster, about 35 dB away from full precision.")


class OpenVinoSeparator:
    """Demucs without torch: the official weights in a graph of our own. See ``Separator``."""

    name = "openvino"
    label = "Demucs on the processor"

    def __init__(self, store: Callable[[], ModelStore] = model_store, machine: Machine = THIS_MACHINE) -> None:
        """Look for weights in ``store``."""
        self._shelf, self._machine = Shelf(self.name, store), machine

    def models(self) -> tuple[str, ...]:
        """Those whose weights are on this machine."""
        return self._shelf.models()

    def stems(self, model: str) -> tuple[str, ...]:
        """What the table of models says."""
        return self._shelf.stems(model)

    def precisions(self) -> tuple[str, ...]:
        """``bfloat16`` too where the processor computes with it."""
        has_it = {"avx512_bf16", "amx_bf16"} & self._machine.flags()
        return ("float32", "bfloat16") if has_it else ("float32",)

    def needs_mb(self, seconds: float) -> int:  # noqa: ARG002 - the contract's; here length does not matter
        """Memory of the child with one stream; a second one starts only where more is free."""
        return _ONE_STREAM_MB

    async def separate(
        self,
        pcm: Pcm,
        *,
        model: str,
        folder: Path,
        threads: int,
        options: SeparateOptions = DEFAULT_OPTIONS,
        on_progress: OnProgress | None = None,
    ) -> Separated:
        """Write the stems into ``folder``. Raises Invalid (``unknown_model``, or an option), Unavailable
        (``no_memory``), what the model store raises, and what children raise.
        """  # noqa: D205 - one sentence
        options.check(self.stems(model), self.precisions(), pcm.duration_s)
        streams = self._streams(threads)
        request = await self._shelf.request(pcm, folder, model, options)
        request |= {"streams": streams, "threads": threads, "precision": options.precision}
        limits = Limits(
            total_s=most_work_s(_SLOWEST, request),
            silence_s=_SILENCE_S,
            memory_mb=2 * (_ONE_STREAM_MB + _STREAM_MB * (streams - 1)),
        )
        with scratch_ends(folder):
            async with warm_child(runner("separate_openvino"), folder=folder, limits=limits) as child:
                answer = await child.ask(request, on_progress, limits=limits)
        found = separated_from(answer, folder, engine=self.name, model=model)
        return replace(found, warnings=(*found.warnings, *([_REDUCED] if options.precision != "float32" else [])))

    def _streams(self, threads: int) -> int:
        """Two segments at once where there is room for both, else one; refuses when there is none."""
        free = self._machine.check_memory(_ONE_STREAM_MB)
        return 2 if threads > 1 and free >= _ONE_STREAM_MB + _STREAM_MB else 1
