"""Demucs' hybrid transformer on the processor; ``soundforge_runners.separate_openvino`` does the work."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from soundforge.children import Limits, available_mb, runner, threads_env
from soundforge.errors import Invalid, Unavailable

from ._contract import DEFAULT_OPTIONS, OnProgress, Pcm, Separated, SeparateOptions, Warning_
from ._model_store import ModelStore, model_store
from ._separation import scratch_ends, separated_from, separation_request
from ._warm import warm_child, warm_mb

_ONE_STREAM_MB = 1200  # measured: 1050 and the buffers, see docs/benchmarks.md; the same for any length
_STREAM_MB = 450  # each further one
_SLOWEST = 30.0  # seconds of work per second of music, shift and file of weights on a busy machine; 0.4 on a free one
_SILENCE_S = 300
_REDUCED = Warning_("reduced_precision", "Separated in bfloat16: faster, about 35 dB away from full precision.")


@dataclass(frozen=True)
class Machine:
    """What streams and formats are chosen by: free memory in MB, and the processor's names for what it can."""

    free_mb: Callable[[], int]
    flags: Callable[[], frozenset[str]]


@cache
def _flags() -> frozenset[str]:
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:  # not Linux
        return frozenset()
    found = re.search(r"^flags\s*:(.*)$", text, re.MULTILINE)
    return frozenset(found[1].split()) if found else frozenset()


THIS_MACHINE = Machine(free_mb=lambda: available_mb() + warm_mb(), flags=_flags)


class OpenVinoSeparator:
    """Demucs without torch: the official weights in a graph of our own. See ``Separator``."""

    name = "openvino"
    label = "Demucs on the processor"

    def __init__(self, store: Callable[[], ModelStore] = model_store, machine: Machine = THIS_MACHINE) -> None:
        """Look for weights in ``store``."""
        self._store, self._machine = store, machine

    def models(self) -> tuple[str, ...]:
        """Those whose weights are on this machine."""
        store = self._store()
        return tuple(name for name, spec in store.models.items() if self.name in spec.engines and store.is_here(name))

    def stems(self, model: str) -> tuple[str, ...]:
        """What the table of models says."""
        spec = self._store().models.get(model)
        if spec is None or self.name not in spec.engines:
            raise Invalid("This engine has no such model.", code="unknown_model")
        return spec.stems

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
        members = await self._members(model, options)
        request = {
            **separation_request(pcm, folder, options),
            "members": members,
            "made": list(self.stems(model)),
            "streams": streams,
            "threads": threads,
            "precision": options.precision,
            "overlap": options.overlap,
            "shifts": options.shifts,
        }
        limits = Limits(
            total_s=600 + _SLOWEST * pcm.duration_s * len(members) * max(1, options.shifts) / (1 - options.overlap),
            silence_s=_SILENCE_S,
            memory_mb=2 * (_ONE_STREAM_MB + _STREAM_MB * (streams - 1)),
        )
        env = threads_env(threads)
        with scratch_ends(folder):
            async with warm_child(runner("separate_openvino"), folder=folder, limits=limits, env=env) as child:
                answer = await child.ask(request, on_progress, limits=limits)
        found = separated_from(answer, folder, engine=self.name, model=model)
        return replace(found, warnings=(*found.warnings, *([_REDUCED] if options.precision != "float32" else [])))

    async def _members(self, model: str, options: SeparateOptions) -> list[dict[str, Any]]:
        """The files of weights that the wanted stems need, each with the stems that are taken from it."""
        wanted = options.stems or ((options.two_stem,) if options.two_stem else ())
        paths = await self._store().get_files(model, wanted)
        spec = self._store().spec(model)
        return [
            {"path": str(paths[file.name].absolute()), "stems": list(file.makes or spec.stems)}
            for file in spec.files_for(wanted)
        ]

    def _streams(self, threads: int) -> int:
        """Two songs' segments at once where there is room for both, else one; refuses when there is none."""
        free = self._machine.free_mb()
        if free < _ONE_STREAM_MB:
            sentence = f"Separation needs {_ONE_STREAM_MB} MB of memory and only {free} MB are free."
            raise Unavailable(sentence, code="no_memory")
        return 2 if threads > 1 and free >= _ONE_STREAM_MB + _STREAM_MB else 1
