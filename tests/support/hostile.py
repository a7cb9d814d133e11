"""A program that misbehaves on request: ``{"do": "<scenario>", …}`` on standard input, one function per fault.

It speaks the children's protocol by hand, for the studio's own runner side would not let it lie.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_PIPE = int(os.environ.get("SOUNDFORGE_PIPE", "1"))
_FOREVER = [sys.executable, "-c", "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()"]


def say(**message: Any) -> None:
    raw(json.dumps(message).encode() + b"\n")


def raw(data: bytes) -> None:
    while data:
        data = data[os.write(_PIPE, data) :]


def hang() -> None:
    while True:
        signal.pause()


def grandchild(*, holds_pipe: bool = False) -> int:
    return subprocess.Popen(_FOREVER, pass_fds=(_PIPE,) if holds_pipe else ()).pid


def answers(request: dict[str, Any]) -> None:
    say(type="result", echo=request.get("echo"), pid=os.getpid())


def describes_itself(_: dict[str, Any]) -> None:
    say(type="result", env=dict(os.environ), cwd=str(Path.cwd()), group=os.getpgrp(), session=os.getsid(0))


def reports(_: dict[str, Any]) -> None:
    say(type="hello", program="hostile", version="1")
    say(type="progress", percent=10, stage="first")
    say(type="part", stage="peaks", document={"n": 1}, path="peaks.dat")
    say(type="progress", percent=250, stage="last")
    say(type="result", done=True)


def crashes(_: dict[str, Any]) -> None:
    sys.stderr.write("about to crash\n")
    os.kill(os.getpid(), signal.SIGSEGV)


def exits_with_status(_: dict[str, Any]) -> None:
    sys.stderr.write("Traceback: it broke\n")
    sys.exit(3)


def breaks_when_told(_: dict[str, Any]) -> None:
    signal.signal(signal.SIGUSR1, lambda *_: exits_with_status({}))
    say(type="result", done=True)


def exits_silently(_: dict[str, Any]) -> None:
    sys.exit(0)


def half_a_line(_: dict[str, Any]) -> None:
    raw(b'{"type": "resu')
    sys.exit(0)


def long_line(_: dict[str, Any]) -> None:
    raw(b'{"type": "result", "x": "' + b"x" * (1 << 20) + b'"}\n')
    hang()


def endless_line(_: dict[str, Any]) -> None:
    while True:
        raw(b"x" * 65536)


def not_utf8(_: dict[str, Any]) -> None:
    raw(b'{"type": "result", "x": "\xff\xfe"}\n')
    hang()


def not_json(_: dict[str, Any]) -> None:
    raw(b"Segmentation faults are fun\n")
    hang()


def deep_json(_: dict[str, Any]) -> None:
    raw(b"[" * 200_000 + b"]" * 200_000 + b"\n")
    hang()


def no_object(_: dict[str, Any]) -> None:
    raw(b"[1, 2]\n")
    hang()


def nan_progress(_: dict[str, Any]) -> None:
    raw(b'{"type": "progress", "percent": NaN}\n')
    hang()


def huge_progress(_: dict[str, Any]) -> None:
    raw(b'{"type": "progress", "percent": 1e999}\n')
    hang()


def unknown_type(_: dict[str, Any]) -> None:
    say(type="surprise")
    hang()


def causeless_error(_: dict[str, Any]) -> None:
    say(type="error", family="cosmic")


def silence(_: dict[str, Any]) -> None:
    hang()


def endless_progress(_: dict[str, Any]) -> None:
    while True:
        say(type="progress", percent=50, stage="on and on")
        signal.sigtimedwait([], 0.01)


def closes_its_pipe(_: dict[str, Any]) -> None:
    os.close(_PIPE)
    hang()


def ignores_sigterm(_: dict[str, Any]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say(type="part", stage="pids", document={"pids": [os.getpid()]})
    hang()


def grandchild_outlives(_: dict[str, Any]) -> None:
    say(type="part", stage="pids", document={"pids": [grandchild()]})
    say(type="result", done=True)
    sys.exit(0)


def grandchild_holds_the_pipe(_: dict[str, Any]) -> None:
    say(type="part", stage="pids", document={"pids": [grandchild(holds_pipe=True)]})
    os._exit(4)


def family_that_hangs(_: dict[str, Any]) -> None:
    say(type="part", stage="pids", document={"pids": [os.getpid(), grandchild(), grandchild()]})
    hang()


def eats_memory(request: dict[str, Any]) -> None:
    eaten = bytearray(request["mb"] << 20)
    eaten[::4096] = b"x" * len(eaten[::4096])
    hang()


def grandchild_eats_memory(request: dict[str, Any]) -> None:
    code = f"import signal; x = bytearray(b'x') * ({request['mb']} << 20); signal.pause()"
    subprocess.Popen([sys.executable, "-c", code])
    hang()


def fills_the_disk(request: dict[str, Any]) -> None:
    deep = Path("a/b")
    deep.mkdir(parents=True)
    for number in range(request["mb"]):
        (deep / f"{number}.bin").write_bytes(b"x" * (1 << 20))
    hang()


def refuses(_: dict[str, Any]) -> None:
    say(type="error", code="not_audio", sentence="This is no audio file.", family="rejected")


def chatters(_: dict[str, Any]) -> None:
    for _number in range(5_000):
        sys.stdout.write("blah " * 100 + "\n")
        sys.stderr.write("warning " * 50 + "\n")
    sys.stdout.write("the last words\n")
    sys.stdout.flush()
    say(type="result", done=True)


def main() -> None:
    scenarios: dict[str, Callable[[dict[str, Any]], None]] = {
        name: thing for name, thing in globals().items() if callable(thing) and not name.startswith("_")
    }
    for line in sys.stdin:
        request = json.loads(line)
        scenarios[request["do"]](request)


if __name__ == "__main__":
    main()
