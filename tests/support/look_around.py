"""Runs in the tool's environment, as the shipped programs begin: looks what it can reach, or what yt-dlp will read."""

import os
import socket
from pathlib import Path
from typing import Any

from soundforge_runners import _fetch_network
from soundforge_runners._protocol import Channel, serve


def look(request: dict[str, Any]) -> dict[str, Any]:
    reached = []
    for address in (("127.0.0.1", request["port"]), ("8.8.8.8", 53), ("169.254.169.254", 80)):
        try:
            socket.create_connection(address, timeout=2).close()
        except OSError:
            continue
        reached.append(address[0])
    return {
        "reached": reached,
        "interfaces": sorted(name for _, name in socket.if_nameindex() if name == "lo" or _up(name)),
    }


def _up(name: str) -> bool:
    state = Path("/sys/class/net") / name / "operstate"
    return state.exists() and state.read_text().strip() == "up"


def extract(request: dict[str, Any]) -> dict[str, Any]:
    from soundforge_runners._fetch_failure import read_failure, words_of  # noqa: PLC0415 - after the network is left
    from soundforge_runners._fetch_request import Way  # noqa: PLC0415 - the same
    from soundforge_runners._fetch_ytdlp import Ytdlp  # noqa: PLC0415 - the same

    way = Way("", Path.cwd(), None, 60, 1 << 20, lambda *_: None)
    tool = Ytdlp(way)
    with tool._open(proxy=None) as ydl:
        try:
            found = ydl.extract_info(request["url"], download=False)
        except Exception as error:  # noqa: BLE001 - what it says is what is looked at
            failure = read_failure(*words_of(error), *tool._log.said)
            return {"code": failure.code, "cause": failure.cause}
    return {"code": "", "cause": repr(found)[:300]}


def handle(request: dict[str, Any], _: Channel) -> dict[str, Any]:
    done = look(request) if request["do"] == "look" else extract(request)
    return {**done, "network": NETWORK}


if __name__ == "__main__":
    # The extractors are judged with the host's network, where a loopback server could be reached.
    NETWORK = "host" if "YTDLP_NO_PLUGINS" in os.environ else _fetch_network.leave()
    serve("look_around", handle)
