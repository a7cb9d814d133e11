"""What does not fit into the machine is refused before a child starts."""

from collections.abc import Callable
from pathlib import Path

import pytest

from soundforge.engines import ModelStore, Separator
from soundforge.engines._demucs import DemucsSeparator
from soundforge.engines._dsp import DspSeparator
from soundforge.engines._machine import THIS_MACHINE, Machine
from soundforge.engines._openvino import OpenVinoSeparator
from soundforge.errors import Unavailable
from tests.engines.contract_separator import write_pcm
from tests.support.audio import sweep
from tests.support.models import tiny_spec

MAKERS: dict[str, Callable[[ModelStore, Machine], Separator]] = {
    "dsp": lambda _store, machine: DspSeparator(machine),
    "openvino": lambda store, machine: OpenVinoSeparator(lambda: store, machine),
    "demucs": lambda store, machine: DemucsSeparator(lambda: store, machine=machine),
}


@pytest.mark.parametrize("engine", MAKERS)
async def test_a_song_that_does_not_fit_into_memory_is_refused_before_a_child_starts(
    tmp_path: Path, engine: str
) -> None:
    store = ModelStore(tmp_path, models={"tiny": tiny_spec(engines=("openvino", "demucs"))})
    separator = MAKERS[engine](store, Machine(free_mb=lambda: 500, flags=frozenset))
    pcm = write_pcm(tmp_path / "mix.f32", sweep(0.3), 44_100)
    model = "dsp" if engine == "dsp" else "tiny"
    with pytest.raises(Unavailable, match="only 500 MB are free") as refusal:
        await separator.separate(pcm, model=model, folder=tmp_path / "stems", threads=1)
    assert refusal.value.code == "no_memory"
    assert refusal.value.retry_after_s == 30, "a job waits for memory, and spends no attempt on it"
    assert not (tmp_path / "stems").exists()


def test_this_machine_has_memory_and_a_processor() -> None:
    assert THIS_MACHINE.free_mb() > 0
    assert THIS_MACHINE.flags()


@pytest.mark.parametrize(("free_mb", "threads", "streams"), [(64_000, 2, 2), (64_000, 1, 1), (1_300, 2, 1)])
def test_streams_are_chosen_by_free_memory(free_mb: int, threads: int, streams: int) -> None:
    machine = Machine(free_mb=lambda: free_mb, flags=frozenset)
    assert OpenVinoSeparator(machine=machine)._streams(threads) == streams
