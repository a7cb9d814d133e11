"""The demucs package with torch, in an environment of its own; ``soundforge_runners.separate_demucs`` does the work."""

from collections.abc import Callable
from pathlib import Path

from soundforge.children import Limits, warm_child
from soundforge.errors import Invalid
from soundforge.tools import Tools

from ._contract import DEFAULT_OPTIONS, OnProgress, Pcm, Separated, SeparateOptions
from ._machine import THIS_MACHINE, Machine
from ._model_store import ModelStore, model_store, model_tools
from ._separation import Shelf, most_work_s, scratch_ends, separated_from

TOOL = "demucs"  # the environment
_NEEDS_MB = 3600  # torch, one bag of four and the buffers of a block of four minutes; the same for any length
_SLOWEST = 40.0  # seconds of work per second of music, shift and file of weights on a busy machine; 0.7 on a free one
_SILENCE_S = 600  # a segment of mdx_extra, 44 s, on a busy machine


class DemucsSeparator:
    """The reference: the package itself. On the graphics card where there is one. See ``Separator``."""

    name = "demucs"
    label = "Demucs with torch"

    def __init__(
        self,
        store: Callable[[], ModelStore] = model_store,
        tools: Callable[[], Tools | None] = model_tools,
        machine: Machine = THIS_MACHINE,
    ) -> None:
        """Look for weights in ``store`` and for the package among the ``tools``."""
        self._shelf, self._tools, self._machine = Shelf(self.name, store), tools, machine

    def models(self) -> tuple[str, ...]:
        """Those whose weights are on this machine, if the package is."""
        tools = self._tools()
        return self._shelf.models() if tools is not None and tools.is_installed(TOOL) else ()

    def stems(self, model: str) -> tuple[str, ...]:
        """What the table of models says."""
        return self._shelf.stems(model)

    def precisions(self) -> tuple[str, ...]:
        """There is nothing to choose."""
        return ("float32",)

    def needs_mb(self, seconds: float) -> int:  # noqa: ARG002 - the contract's; long songs are done in blocks
        """Memory of the child."""
        return _NEEDS_MB

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
        """Write the stems into ``folder``.

        Raises Invalid (``unknown_model``, or an option), Unavailable (``no_memory``), Broken (``tool_missing``), what
        the model store raises, and what ``children`` raises.
        """
        options.check(self.stems(model), self.precisions(), pcm.duration_s)
        self._machine.check_memory(_NEEDS_MB)
        request = await self._shelf.request(pcm, folder, model, options)
        segment_s = self._shelf.store().spec(model).segment_s
        request |= {"segment_s": segment_s, "threads": threads, "device": "auto"}
        limits = Limits(total_s=most_work_s(_SLOWEST, request), silence_s=_SILENCE_S, memory_mb=3 * _NEEDS_MB)
        argv = [str(self._python()), "-m", "soundforge_runners.separate_demucs"]
        with scratch_ends(folder):
            async with warm_child(argv, folder=folder, limits=limits, env={"HF_HUB_OFFLINE": "1"}) as child:
                answer = await child.ask(request, on_progress, limits=limits)
        return separated_from(answer, folder, engine=self.name, model=model)

    def _python(self) -> Path:
        tools = self._tools()
        if tools is None:
            raise Invalid("This process was not told where its tools lie.", code="unknown_model")
        return tools.python(TOOL)
