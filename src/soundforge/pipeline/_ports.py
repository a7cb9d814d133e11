"""What workers reach the outside world through: filled once in ``app``, replaced by fakes in tests."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from soundforge.config import Settings
from soundforge.engines import Analyzer, Decoder, HearStems, Separator
from soundforge.pipeline._models import AUTO, Choice, choose
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
    hear_stems: HearStems
    spotify: SpotifyApi
    downloader: Downloader
    cpu: CpuSlots = field(default_factory=CpuSlots)

    def choose(self, params: Mapping[str, Any]) -> Choice:
        """What runs a separation with these parameters; raises what ``choose`` raises."""
        return choose(str(params.get("model", AUTO)), str(params.get("engine", "")), separators=self.separators)


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
