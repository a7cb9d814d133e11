"""What a separation is fitted to: the memory that is free, and what the processor can."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from soundforge.children import available_mb, warm_mb
from soundforge.errors import Unavailable

_AGAIN_S = 30.0


@dataclass(frozen=True)
class Machine:
    """Free memory in MB, and the processor's names for what it can."""

    free_mb: Callable[[], int]
    flags: Callable[[], frozenset[str]]

    def check_memory(self, need_mb: int) -> int:
        """Refuse work that does not fit before it begins, raising Unavailable (``no_memory``); gives the free MB.

        A job waits for it with that reason and spends no attempt: what others use may come free.
        """
        free = self.free_mb()
        if free < need_mb:
            sentence = f"Separation needs {need_mb} MB of memory and only {free} MB are free."
            raise Unavailable(sentence, code="no_memory", retry_after_s=_AGAIN_S)
        return free


@cache
def _flags() -> frozenset[str]:
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:  # not Linux
        return frozenset()
    found = re.search(r"^flags\s*:(.*)$", text, re.MULTILINE)
    return frozenset(found[1].split()) if found else frozenset()


THIS_MACHINE = Machine(free_mb=lambda: available_mb() + warm_mb(), flags=_flags)
