"""What workers reach the outside world through: filled once in ``app``, replaced by fakes in tests."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from soundforge.config import Settings
from soundforge.engines import Analyzer, Decoder, HearLikeness, Separator
from soundforge.errors import Broken
from soundforge.pipeline._models import AUTO
from soundforge.pipeline._pcm import PcmCache
from soundforge.sources import Downloader
from soundforge.spotify import SpotifyApi
from soundforge.storage import Storage
from soundforge.tools import Tools


@dataclass
class CpuSlots:
    """How many engine children of this process are busy, and so how many threads the next one gets."""

    cores: int = field(
        default_factory=lambda: os.process_cpu_count() if hasattr(os, "process_cpu_count") else os.cpu_count() or 1
    )
    busy: int = 0

    @contextmanager
    def take(self) -> Iterator[int]:
        """Take a slot; gives the number of threads for it."""
        self.busy += 1
        try:
            yield max(1, self.cores // self.busy)
        finally:
            self.busy -= 1


@dataclass(frozen=True)
class Ports:
    """Every external thing that a worker may use."""

    settings: Settings
    storage: Storage
    decoder: Decoder
    separators: Mapping[str, Separator]
    analyzer: Analyzer
    tools: Tools
    pcm: PcmCache
    hear_likeness: HearLikeness
    spotify: SpotifyApi
    downloader: Downloader
    cpu: CpuSlots = field(default_factory=CpuSlots)

    def separator_for(self, model: str) -> tuple[Separator, str]:
        """The engine that runs ``model``, and the model's own name; "auto" takes the best there is."""
        choices = [(engine, name) for engine in self.separators.values() for name in engine.models()]
        for engine, name in choices:
            if model in (AUTO, name):
                return engine, name
        msg = f"The model {model} is not installed here. Choose one of: {', '.join(name for _, name in choices)}."
        raise Broken(msg, code="missing_engine")


_bound: list[Ports] = []


@contextmanager
def bind(ports: Ports) -> Iterator[Ports]:
    """Give this process's workers their ports; Oban makes workers itself, without arguments."""
    _bound.append(ports)
    try:
        yield ports
    finally:
        _bound.remove(ports)


def ports() -> Ports:
    """The ports of this process."""
    if not _bound:
        msg = "Workers were started before their ports were bound."
        raise RuntimeError(msg)
    return _bound[-1]
