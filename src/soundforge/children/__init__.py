"""The only place that starts processes for a job: one program in a group of its own, spoken to by JSON lines.

Whatever such a child does (crash, hang, lie, eat memory, fill the disk, leave grandchildren), the caller gets a typed
error and the whole group is gone::

    async with open_child(runner("decode"), folder=folder, limits=Limits(total_s=60)) as child:
        result = await child.ask({"source": "…"}, on_progress=show)
"""

from ._child import Child, call, open_child
from ._environment import runner, threads_env
from ._group import find_living, sweep
from ._limits import Limits
from ._machine import available_mb, total_mb
from ._paths import path_inside
from ._warm import Warm, open_warm, warm_child, warm_mb

__all__ = [
    "Child",
    "Limits",
    "Warm",
    "available_mb",
    "call",
    "find_living",
    "open_child",
    "open_warm",
    "path_inside",
    "runner",
    "sweep",
    "threads_env",
    "total_mb",
    "warm_child",
    "warm_mb",
]
