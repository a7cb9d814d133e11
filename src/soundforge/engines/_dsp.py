"""Basic separation: always there, needs no model; ``soundforge_runners.separate_dsp`` does the work."""

from pathlib import Path

from soundforge.children import Limits, call, runner, threads_env
from soundforge.errors import Invalid

from ._contract import DEFAULT_OPTIONS, OnProgress, Pcm, Separated, SeparateOptions
from ._machine import THIS_MACHINE, Machine
from ._separation import scratch_ends, separated_from, separation_request

_MODEL = "dsp"
_STEMS = ("vocals", "drums", "bass", "other")
_NEEDS_MB = 640  # measured: 410 at 44.1 kHz stereo, 490 at 192 kHz; the same for any length
_SLOWEST = 1.0  # seconds of work per second of music on a busy machine; 0.1 on a free one


class DspSeparator:
    """Drums by their strokes, bass by its partials, voice by its place in the middle. See ``Separator``."""

    name = "dsp"
    label = "Basic separation"

    def __init__(self, machine: Machine = THIS_MACHINE) -> None:
        """Refuse what has no room in ``machine``."""
        self._machine = machine

    def models(self) -> tuple[str, ...]:
        """The one that is always there."""
        return (_MODEL,)

    def stems(self, model: str) -> tuple[str, ...]:
        """Vocals, drums, bass and other."""
        _check(model)
        return _STEMS

    def precisions(self) -> tuple[str, ...]:
        """There is nothing to choose."""
        return ("float32",)

    def needs_mb(self, seconds: float) -> int:  # noqa: ARG002 - the contract's; here length does not matter
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

        Raises Invalid (``unknown_model``, or an option), Unavailable (``no_memory``) and what children raise.
        """
        options.check(self.stems(model), self.precisions(), pcm.duration_s)
        self._machine.check_memory(_NEEDS_MB)
        limits = Limits(total_s=120 + _SLOWEST * pcm.duration_s, silence_s=120, memory_mb=2 * _NEEDS_MB)
        request, env = separation_request(pcm, folder, options), threads_env(threads)
        with scratch_ends(folder):
            answer = await call(
                runner("separate_dsp"), request, folder=folder, limits=limits, on_progress=on_progress, env=env
            )
        return separated_from(answer, folder, engine=self.name, model=model)


def _check(model: str) -> None:
    if model != _MODEL:
        raise Invalid("This engine has no such model.", code="unknown_model")
