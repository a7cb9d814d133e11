"""The only way out of a downloader: through the studio's gate, a Unix socket in our folder.

``leave`` puts this process, before it has any thread, into a network namespace with nothing but a loopback of its own.
``open_way`` listens there and carries every connection to the gate, which is a proxy that leads to a closed list of
sites. Programs that we start inherit the namespace. Where the kernel allows no namespace, the proxy is still what every
library here is told to use, but nothing forces a program to obey.
"""

import fcntl
import os
import socket
import struct
import sys
import threading

from soundforge_runners._confine import leave_network

_GET_FLAGS, _SET_FLAGS = 0x8913, 0x8914  # SIOCGIFFLAGS, SIOCSIFFLAGS of Linux
_UP = 0x1  # IFF_UP
_CHUNK = 1 << 16


def leave() -> str:
    """Leave the host's network; gives ``gate`` where only the gate is left, ``host`` where we had to stay."""
    if sys.platform != "linux" or leave_network() == "host":
        return "host"
    _raise_loopback()
    return "gate"


def open_way(gate: str) -> str:
    """Carry every connection to a loopback port of ours to the gate; gives the proxy's URL, told to libraries too."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    threading.Thread(target=_accept, args=(listener, gate), daemon=True).start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"):
        os.environ[name] = url
    return url


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(any_socket, _GET_FLAGS, request))[1]
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sH14x", b"lo", flags | _UP))


def _accept(listener: socket.socket, gate: str) -> None:
    while True:
        near, _ = listener.accept()
        far = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            far.connect(gate)
        except OSError:
            near.close()
            far.close()
            continue
        for source, target in ((near, far), (far, near)):
            threading.Thread(target=_pump, args=(source, target), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while chunk := source.recv(_CHUNK):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)
    except OSError:  # one side went away: so does the other
        for end in (source, target):
            end.close()
