"""A well-behaved runner: what ``soundforge_runners._protocol`` makes of each ending of a handler."""

import errno
import os
import signal
import subprocess
import sys
from typing import Any

from soundforge_runners._protocol import Channel, Refused, serve


def handle(request: dict[str, Any], channel: Channel) -> dict[str, Any]:  # noqa: C901 - one case an ending
    match request["do"]:
        case "answer":
            print("chatter that must not land among the messages")  # noqa: T201 - on purpose
            channel.progress(10, "a")
            channel.progress(10.4, "a")
            channel.progress(11, "a")
            channel.part("peaks", {"n": 1}, "peaks.dat")
            return {"echo": request["echo"]}
        case "refuse":
            raise Refused("not_audio", "This is no audio file.")
        case "bug":
            raise KeyError("surprise")
        case "memory":
            raise MemoryError
        case "disk":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        case "nan":
            return {"value": float("nan")}
        case "long":
            return {"value": "x" * (1 << 20)}
        case "family":
            pids = [os.getpid(), *(subprocess.Popen([sys.executable, "-c", _DEAF]).pid for _ in range(2))]
            channel.part("pids", {"pids": pids})
            signal.pause()
        case "grandchild reads":
            command = [sys.executable, "-c", "import sys; print(repr(sys.stdin.read()), file=sys.stderr)"]
            return {"status": subprocess.run(command, timeout=10, check=False).returncode}
    return {}


_DEAF = "import signal; [signal.signal(s, signal.SIG_IGN) for s in (signal.SIGTERM, signal.SIGHUP)]; signal.pause()"

if __name__ == "__main__":
    serve("served", handle, version="7", facts={"network": "none"})
