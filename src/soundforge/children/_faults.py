"""A child's failures as errors of ours; who must act decides the family."""

import errno
import math
import signal
from typing import Any

from soundforge.errors import Broken, Invalid, SoundForgeError, Unavailable

_FAMILIES: dict[object, type[SoundForgeError]] = {"rejected": Invalid, "unavailable": Unavailable, "broken": Broken}

_NO_PROGRAM = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ENOEXEC})
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

_SENTENCE = 300  # letters; what a child says is shown to people


def ended(program: str, returncode: int | None, rest: bytes) -> SoundForgeError:
    """Explain an end without a result. ``returncode`` None: it closed its pipe and lived on."""
    if returncode:
        how = _signal_name(returncode) if returncode < 0 else f"exit status {returncode}"
        return Unavailable(f"The {program} program crashed ({how}).", code="engine_crashed")
    if rest:
        return garbage(program, "stopped in the middle of a message")
    return garbage(program, "closed its pipe" if returncode is None else "ended without a result")


def garbage(program: str, what: str) -> Broken:
    """It does not keep to the protocol: a bug, which another try will not mend."""
    return Broken(f"The {program} program {what}.", code="engine_garbage")


def not_started(program: str, error: OSError) -> SoundForgeError:
    """Its interpreter or program file is not there or is none; anything else that the system refuses now may pass."""
    if error.errno in _NO_PROGRAM:
        return Broken(f"The {program} program is not installed.", code="engine_missing", detail=str(error))
    return not_now(program, error)


def not_now(program: str, error: OSError) -> Unavailable:
    """The system had no room for it: on the disk, or for another process or file."""
    if error.errno in _FULL:
        return Unavailable("The disk is full.", code="disk_full", detail=str(error))
    cause = error.strerror or type(error).__name__
    return Unavailable(f"The {program} program could not be started: {cause}.", code="engine_not_started")


def silent(program: str, seconds: float) -> Unavailable:
    """No message for too long."""
    return Unavailable(f"The {program} program made no progress for {seconds:g} s.", code="engine_silent")


def timed_out(program: str, seconds: float) -> Unavailable:
    """It talked, but never came to an end."""
    return Unavailable(f"The {program} program did not finish within {seconds:g} s.", code="timed_out")


def out_of_memory(program: str, limit_mb: int) -> Broken:
    """It and its grandchildren took more memory than they may."""
    return Broken(f"The {program} program needed more than {limit_mb} MB of memory.", code="out_of_memory")


def output_too_large(program: str, limit_mb: int) -> Broken:
    """It wrote more than it may."""
    return Broken(f"The {program} program wrote more than {limit_mb} MB.", code="output_too_large")


def refusal(program: str, message: dict[str, Any]) -> SoundForgeError:
    """Turn an ``error`` message into the error it names; garbage when it names none."""
    code, sentence = message.get("code"), message.get("sentence")
    family = _FAMILIES.get(message.get("family"))
    if not (family and isinstance(code, str) and isinstance(sentence, str)):
        return garbage(program, "sent an error without a cause")
    return family(sentence[:_SENTENCE], code=code)


def progress_of(program: str, message: dict[str, Any]) -> tuple[float, str]:
    """Check a ``progress`` message: percent 0..100 and stage."""
    percent, stage = message.get("percent"), message.get("stage", "")
    if not isinstance(percent, int | float) or not math.isfinite(percent) or not isinstance(stage, str):
        raise garbage(program, "sent progress that is no number")
    return min(max(float(percent), 0.0), 100.0), stage


def _signal_name(returncode: int) -> str:
    try:
        return signal.Signals(-returncode).name
    except ValueError:
        return f"signal {-returncode}"
