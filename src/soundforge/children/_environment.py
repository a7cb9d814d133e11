"""What a child gets to know of us: next to nothing."""

import os
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

PIPE = "SOUNDFORGE_PIPE"  # the descriptor that a child answers on
TOKEN = "SOUNDFORGE_CHILD"  # noqa: S105 - marks every process of a group, also in /proc

# The interpreter may need these to start at all (a Python outside its prefix has a shared libpython).
_INHERITED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TZ")


def runner(name: str) -> list[str]:
    """Return the command line of one of our own runners, e.g. ``runner("decode")``."""
    return [sys.executable, "-m", f"soundforge_runners.{name}"]


def program_name(argv: Sequence[str]) -> str:
    """Return a program's name for messages: ``decode`` for our runner, the file's stem for any other."""
    if "-m" in argv:
        return argv[argv.index("-m") + 1].rpartition(".")[2]
    return Path(next((part for part in argv[1:] if part.endswith(".py")), argv[0])).stem


def threads_env(threads: int) -> dict[str, str]:
    """Return the variables that keep numeric libraries to so many threads."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS")
    return dict.fromkeys(names, str(max(1, threads)))


def child_environment(folder: Path, token: str, extra: Mapping[str, str]) -> dict[str, str]:
    """Build a child's environment from nothing: no secret of ours is ever in it, and HOME is its own folder."""
    return {
        **{name: os.environ[name] for name in _INHERITED if name in os.environ},
        **threads_env(1),
        "LANG": "C.UTF-8",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "PYTHONPATH": _runners_path(),
        "PYTHONSAFEPATH": "1",  # a file named numpy.py in the folder must not be imported
        "PYTHONNOUSERSITE": "1",
        "PYTHONUTF8": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONFAULTHANDLER": "1",  # a crash leaves its stack in the stderr tail
        **extra,
        TOKEN: token,
    }


def _runners_path() -> str:
    """Find the folder that holds ``soundforge_runners`` without importing it: source tree or installed alike."""
    spec = find_spec("soundforge_runners")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the package soundforge_runners is not installed beside soundforge")
    return str(Path(next(iter(spec.submodule_search_locations))).parent)
