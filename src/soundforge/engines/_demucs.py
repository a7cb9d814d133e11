"""The demucs package with torch, in an environment of its own; ``soundforge_runners.separate_demucs`` does the work."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from soundforge.children import Limits, call, threads_env
from soundforge.errors import Invalid
from soundforge.tools import Tools

from ._contract import DEFAULT_OPTIONS, OnProgress, Pcm, Separated, SeparateOptions
from ._model_store import ModelStore, model_store, model_tools
from ._separation import scratch_ends, separated_from, separation_request

TOOL = "demucs"  # the environment
_NEEDS_MB = 3600  # torch, one bag of four and the buffers of a block of four minutes; the same for any length
_SLOWEST = 40.0  # seconds of work per second of music, shift and file of weights on a busy machine; 0.7 on a free one
_SILENCE_S = 600  # a segment of mdx_extra, 44 s, on a busy machine


class DemucsSeparator:
    """The reference: the package itself. On the graphics card where there is one. See ``Separator``."""

    name = "demucs"
    label = "Demucs with torch"

    def __init__(
        self, store: Callable[[], ModelStore] = model_store, tools: Callable[[], Tools | None] = model_tools
    ) -> None:
        """Look for weights in ``store`` and for the package among the ``tools``."""
        self._store, self._tools = store, tools

    def models(self) -> tuple[str, ...]:
        """Those whose weights are on this machine, if the package is."""
        tools, store = self._tools(), self._store()
        if tools is None or not tools.is_installed(TOOL):
            return ()
        return tuple(name for name, spec in store.models.items() if self.name in spec.engines and store.is_here(name))

    def stems(self, model: str) -> tuple[str, ...]:
        """What the table of models says."""
        spec = self._store().models.get(model)
        if spec is None or self.name not in spec.engines:
            raise Invalid("This engine has no such model.", code="unknown_model")
        return spec.stems

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

        Raises Invalid (``unknown_model``, or an option), Broken (``tool_missing``), what the model store raises, and
        what ``children`` raises.
        """
        options.check(self.stems(model), self.precisions(), pcm.duration_s)
        members = await self._members(model, options)
        request = {
            **separation_request(pcm, folder, options),
            "members": members,
            "made": list(self.stems(model)),
            "segment_s": self._store().spec(model).segment_s,
            "threads": threads,
            "overlap": options.overlap,
            "shifts": options.shifts,
            "device": "auto",
        }
        work_s = _SLOWEST * pcm.duration_s * len(members) * max(1, options.shifts) / (1 - options.overlap)
        limits = Limits(total_s=600 + work_s, silence_s=_SILENCE_S, memory_mb=3 * _NEEDS_MB)
        argv = [str(self._python()), "-m", "soundforge_runners.separate_demucs"]
        env = {**threads_env(threads), "HF_HUB_OFFLINE": "1"}
        with scratch_ends(folder):
            answer = await call(argv, request, folder=folder, limits=limits, on_progress=on_progress, env=env)
        return separated_from(answer, folder, engine=self.name, model=model)

    def _python(self) -> Path:
        tools = self._tools()
        if tools is None:
            raise Invalid("This process was not told where its tools lie.", code="unknown_model")
        return tools.python(TOOL)

    async def _members(self, model: str, options: SeparateOptions) -> list[dict[str, Any]]:
        """The files of weights that the wanted stems need, each with the stems that are taken from it."""
        wanted = options.stems or ((options.two_stem,) if options.two_stem and not options.raw else ())
        paths = await self._store().get_files(model, wanted)
        spec = self._store().spec(model)
        return [
            {"path": str(paths[file.name].absolute()), "stems": list(file.makes)}
            for file in spec.files
            if file.name in paths
        ]
