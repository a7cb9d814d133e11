"""Take away what a program that reads strangers' files does not need, before it reads the first byte.

Call it before any thread is started: the kernel gives a process with threads no user namespace.
"""

import os
import resource
import sys


def confine(*, memory_mb: int) -> str:
    """Forbid core dumps, more than ``memory_mb`` MB of address space and, where the kernel lets us, the network.

    Returns how the network stands: ``none``, or ``host`` where it could not be taken away.
    """
    _lower(resource.RLIMIT_CORE, 0)
    if sys.platform == "linux":  # elsewhere the address space is reserved far beyond its use
        _lower(resource.RLIMIT_AS, memory_mb << 20)
    return leave_network()


def limit_work(*, cpu_s: float, file_bytes: int) -> None:
    """Limit the processor time from now on and the size of any file written. Holds for the rest of the process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _lower(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + cpu_s) + 1)
    _lower(resource.RLIMIT_FSIZE, file_bytes)


def _lower(what: int, value: int) -> None:
    _, hard = resource.getrlimit(what)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(what, (value, value))


def leave_network() -> str:
    """Enter an empty network namespace: outright as root, else inside a user namespace of our own.

    Gives ``none``, or ``host`` where the kernel does not allow it.
    """
    if sys.platform != "linux":
        return "host"
    for flags in (os.CLONE_NEWNET, os.CLONE_NEWUSER | os.CLONE_NEWNET):
        try:
            os.unshare(flags)
        except OSError:  # not allowed here: try the other way, or stay
            continue
        return "none"
    return "host"
