"""A download program that misbehaves on request: the song's title is the scenario. It speaks the protocol by hand.

    python hostile_downloader.py PROGRAM FOLDER

Scenarios that a title names begin with ``!``; any other song is found and fetched as the shelf says. ``FOLDER`` is
where it notes its pid, its children's pids and its environment, for a test to look at. ``!spotdl …`` misbehaves only as
``fetch_spotdl``.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_PIPE = int(os.environ.get("SOUNDFORGE_PIPE", "1"))
_PROGRAM, _NOTES = sys.argv[1], Path(sys.argv[2])
_FOREVER = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()"
_URL = "https://www.youtube.com/watch?v=shelf000001"

type Request = dict[str, Any]


def say(**message: Any) -> None:
    raw(json.dumps(message).encode() + b"\n")


def raw(data: bytes) -> None:
    while data:
        data = data[os.write(_PIPE, data) :]


def note(name: str, text: object) -> None:
    with (_NOTES / name).open("a") as file:
        file.write(f"{text}\n")


def hang() -> None:
    while True:
        signal.pause()


def failing(code: str, cause: str) -> Callable[[Request], None]:
    return lambda _: say(type="result", ok=False, code=code, cause=cause)


def done(request: Request, **changes: Any) -> None:
    path = Path(request["folder"]) / "source.m4a"
    if not path.exists():
        place = json.loads((_NOTES / "shelf.json").read_text())["places"]["shelf000001"]
        shutil.copy(place["sound"], path)
    page = {"url": request["url"], "title": "Harbour", "channel": "Ann Lee", "duration_s": 12, "score": 0}
    told = {"type": "result", "ok": True, "path": str(path), "duration_s": 12, "page": page, "tool": "fake 1"}
    say(**{**told, "audio_sha256": hashlib.sha256(path.read_bytes()).hexdigest(), **changes})


def plays_on(request: Request) -> None:
    done(request, duration_s=40)


def sends_no_sound(request: Request) -> None:
    (Path(request["folder"]) / "source.m4a").write_bytes(b"<html>no sound</html>")
    done(request)


def takes_its_time(request: Request) -> None:
    for percent in range(100):
        say(type="progress", percent=percent, stage="downloading")
        time.sleep(0.01)
    done(request)


def file_missing(request: Request) -> None:
    done(request, path=str(Path(request["folder"]) / "other.m4a"))


def file_elsewhere(request: Request) -> None:
    done(request, path="/etc/passwd")


def file_linked(request: Request) -> None:
    link = Path(request["folder"]) / "link.m4a"
    link.symlink_to("/etc/passwd")
    done(request, path=str(link))


def file_of_no_kind(request: Request) -> None:
    path = Path(request["folder"]) / "source.exe"
    path.write_bytes(b"MZ")
    done(request, path=str(path))


def length_of_nan(request: Request) -> None:
    raw(b'{"type": "result", "ok": true, "path": "x", "duration_s": NaN}\n')
    hang()


def no_page(request: Request) -> None:
    done(request, page=None)


def hash_of_nothing(request: Request) -> None:
    done(request, audio_sha256="0" * 63 + "\u0660")


def exit_0_without_result(_: Request) -> None:
    sys.stdout.write("1/1 complete\n")
    sys.stdout.flush()
    sys.exit(0)


def garbage(_: Request) -> None:
    raw(b"Processing query: ok.spotdl\n")
    hang()


def half_a_line(_: Request) -> None:
    raw(b'{"type": "resu')
    sys.exit(0)


def long_line(_: Request) -> None:
    raw(b'{"type": "result", "x": "' + b"x" * (1 << 20) + b'"}\n')
    hang()


def not_utf8(_: Request) -> None:
    raw(b'{"type": "result", "x": "\xff\xfe"}\n')
    hang()


def crash(_: Request) -> None:
    sys.stderr.write("about to crash\n")
    os.kill(os.getpid(), signal.SIGSEGV)


def traceback(_: Request) -> None:
    sys.stderr.write("ConnectionError: music.youtube.com\n")
    sys.exit(1)


def bad_arguments(_: Request) -> None:
    sys.stderr.write("usage: spotdl [-h]\n")
    sys.exit(2)


def hangs(_: Request) -> None:
    hang()


def never_ends(_: Request) -> None:
    while True:
        say(type="progress", percent=50, stage="downloading")
        time.sleep(0.01)


def ignores_sigterm(_: Request) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    hang()


def leaves_files(request: Request) -> None:
    for path in (Path(request["folder"]) / "a.part", Path.home() / ".config" / "spotdl" / "temp" / "x.webm"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 1000)
    done(request)


def child_outlives(request: Request) -> None:
    note("pids", subprocess.Popen([sys.executable, "-c", _FOREVER]).pid)
    done(request)


def child_outlives_a_crash(_: Request) -> None:
    note("pids", subprocess.Popen([sys.executable, "-c", _FOREVER]).pid)
    os.kill(os.getpid(), signal.SIGKILL)


def fills_the_disk(request: Request) -> None:
    for number in range(100):
        (Path(request["folder"]) / f"{number}.part").write_bytes(b"x" * (1 << 20))
    hang()


def eats_memory(_: Request) -> None:
    eaten = bytearray(400 << 20)
    eaten[::4096] = b"x" * len(eaten[::4096])
    hang()


def chatters(request: Request) -> None:
    for _number in range(3000):
        sys.stdout.write("blah \xff " * 50 + "\n")
    done(request)


def strange_candidates(request: Request) -> None:
    good = {
        "url": _URL,
        "title": "Har\x1b[31mbour\n" + "x" * 900,
        "channel": "\u202eAnn",
        "duration_s": -3,
        "score": 1e9,
    }
    urls = ("http://127.0.0.1/x", "file:///etc/passwd", "https://evil.example/watch?v=shelf000001", "--exec", "")
    say(type="result", ok=True, candidates=[good, *({**good, "url": url} for url in urls)])


SCENARIOS: dict[str, Callable[[Request], None]] = {
    name: thing for name, thing in list(globals().items()) if callable(thing) and not name.startswith("_")
}
# The rows of what spotdl prints and means by it, in the words in which its failures arrive here.
SCENARIOS |= {
    "source 404": failing("source_gone", "AudioProviderError: YT-DLP download error | HTTP Error 404: Not Found"),
    "search impossible": failing("network", "Unable to download API page: Name or service not known"),
    "file is not audio": failing("source_not_audio", "FFmpegError: Failed to convert Ann Lee - Tone 1"),
    "metadata incomplete": failing("download_failed", "Error occurred while reinitializing song: Failed to complete."),
    "no match": lambda _: say(type="result", ok=True, candidates=[]),
    "ffmpeg missing": failing("download_failed", "FFmpegError: FFmpeg is not installed."),
    "age_restricted": failing("age_restricted", "Sign in to confirm your age."),
    "bad song": failing("download_failed", "JSONDecodeError: Expecting value: line 1 column 1 (char 0)"),
    "unheard-of code": failing("the moon is full", "a cause"),
    "no cause": lambda _: say(type="result", ok=False),
}


def shelf(request: Request) -> None:
    """Do as the shelf says: the tests' own world, written down in ``FOLDER`` so that nothing slow is loaded here."""
    world = json.loads((_NOTES / "shelf.json").read_text())
    if request["do"] == "find":
        say(type="result", ok=True, candidates=world["found"].get(request["song"]["title"], []))
        return
    place = world["places"].get(request["url"].rpartition("=")[2], {"fate": "source_gone"})
    fate = place["fate"]
    if not fate and max(place["sound_s"], place["page"]["duration_s"]) > request["max_duration_s"]:
        fate = "source_too_long"
    if fate:
        say(type="result", ok=False, code=fate, cause=f"the shelf says {fate}")
        return
    say(type="progress", percent=50, stage="downloading")
    shutil.copy(place["sound"], Path(request["folder"]) / "source.m4a")
    done(request, duration_s=place["sound_s"], page=place["page"])


def main() -> None:
    note("pids", os.getpid())
    note("environment", json.dumps(dict(os.environ)))
    say(type="hello", program=_PROGRAM, version="1")
    for line in sys.stdin:
        request = json.loads(line)
        note("requests", line.strip())
        if request["cookies"]:
            path = Path(request["cookies"])
            note("cookies", json.dumps([path.stat().st_mode & 0o777, path.read_text()]))
        say(type="progress", percent=0, stage="searching")
        title = request["song"]["title"]
        scenario = title.removeprefix("!").removeprefix("spotdl ")
        mine = title.startswith("!") and (_PROGRAM == "fetch_spotdl" or not title.startswith("!spotdl"))
        if title.startswith("!") and request["do"] == "find" and scenario not in {"strange_candidates", "no match"}:
            page = {"url": _URL, "title": "Harbour", "channel": "Ann Lee", "duration_s": 12, "score": 100}
            say(type="result", ok=True, candidates=[page])
        elif mine:
            SCENARIOS[scenario](request)
        elif title.startswith("!"):
            done(request)
        else:
            shelf(request)


if __name__ == "__main__":
    main()
