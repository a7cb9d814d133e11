"""Child: make an environment with what a lock names, and prove that it works.

Request: ``{"uv": path, "folder": path, "lock": path, "wishes": path | null, "overrides": path | null, "pythons": [str],
"by_pip": bool, "roots": [str], "first": {name: line}, "proof": str, "shows": [str], "label": str, "disk_mb": int,
"env": {…}}``. With ``wishes`` the lock is written anew first. The environment lies in ``<folder>/env`` and may be
moved. Result: ``{"versions": {package: version}, "python": str}``.
"""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from soundforge_runners._protocol import Channel, Message, Refused, serve

_TELL = """
import json, sys
from importlib.metadata import version
print(json.dumps({"versions": {name: version(name) for name in sys.argv[1:]}, "python": sys.version.split()[0]}))
"""
_ASKED = """
import json
from importlib.metadata import distributions
from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name

here = {canonicalize_name(one.name): [Requirement(text) for text in one.requires or ()] for one in distributions()}
wanted = {name: {""} for name in here}  # extras by package
asked, size = set(), -1
while size != len(asked):  # an extra may ask for further extras
    size = len(asked)
    for name, wishes in here.items():
        for wish in wishes:
            if wish.marker is None or any(wish.marker.evaluate({"extra": extra}) for extra in wanted[name]):
                asked |= {(canonicalize_name(wish.name), extra) for extra in ("", *wish.extras)}
                wanted.setdefault(canonicalize_name(wish.name), {""}).update(wish.extras)
print(json.dumps(sorted({name for name, _ in asked})))
"""
_CAUSES = ("×", "╰─▶", "├─▶", "error:", "ERROR:", "cause:")  # how uv and pip begin a line that says why
_WORDS = 200  # letters of an installer's last words that are shown


def install(request: Message, channel: Channel) -> Message:
    """Resolve if asked to, make, fill and prove; whoever asked removes the folder if this fails."""
    work = _Work(request, channel)
    work.step("making the environment", 2)
    work.make()
    if request["wishes"]:
        work.step("looking for newer versions", 5)
        work.resolve()
    work.step("fetching", 10)
    work.fill()
    work.step("checking", 95)
    return work.prove()


class _Work:
    def __init__(self, request: Message, channel: Channel) -> None:
        self._request, self._channel = request, channel
        self._stage, self._percent = "", 0.0
        self._env = {**request["env"], "UV_NO_PROGRESS": "1", "PIP_PROGRESS_BAR": "off", "NO_COLOR": "1"}
        self._env["PATH"] = os.pathsep.join([*_pyenv_folders(self._env), self._env.get("PATH", os.defpath)])
        self.home = Path(request["folder"]) / "env"

    def step(self, stage: str, percent: float) -> None:
        self._stage, self._percent = stage, percent
        self._channel.progress(percent, stage)

    def make(self) -> None:
        """Take the first version of Python that is here, else one that uv can fetch."""
        uv, seed = self._request["uv"], ["--seed"] if self._request["by_pip"] else []
        for source in ("--no-python-downloads", "--managed-python"):
            for version in self._request["pythons"]:
                wanted = _own_interpreter(version) or version
                if self._try([uv, "venv", "-q", "--relocatable", source, *seed, "--python", wanted, str(self.home)]):
                    return
        wanted = " or ".join(self._request["pythons"])
        sentence = f"{self._request['label']}: it needs Python {wanted}, which is not on this machine. Install that."
        raise Refused("python_missing", sentence, family="broken")

    def resolve(self) -> None:
        """Write the lock anew: the newest of all that is wished for, with hashes and without any address."""
        overrides = ["--override", self._request["overrides"]] if self._request["overrides"] else []
        uv = [self._request["uv"], "pip", "compile", "-q", "--python", self._python(), "--upgrade"]
        form = ["--generate-hashes", "--no-header", "--no-emit-index-url", "--no-emit-find-links"]
        self._run([*uv, *form, *overrides, self._request["wishes"], "-o", self._request["lock"]])

    def fill(self) -> None:
        """Install exactly what the lock says, by hash; dependencies are all named there."""
        lock = self._request["lock"]
        if self._request["by_pip"]:
            self._fill_by_pip(Path(lock))
        else:
            uv = [self._request["uv"], "pip", "install", "--no-deps", "--python", self._python()]
            self._run([*uv, "--require-hashes", "-r", lock], meanwhile=self._tell_size)

    def _fill_by_pip(self, lock: Path) -> None:
        """Install what is wished for, then what that asks for, and so on, as the lock has it.

        Not the whole lock: it names what any build of a package asks for, and the one that pip finds here may ask for
        less. A torch for the processor alone asks for none of the gigabytes of CUDA.
        """
        locked, part, done = _locked(lock.read_text()), lock.with_name("part.txt"), set[str]()
        pip = [self._python(), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--no-deps"]
        wanted = set(self._request["roots"])
        while wanted := (wanted & locked.keys()) - done:
            rest = [name for name in sorted(wanted) if not self._fits(pip, self._request["first"].get(name), part)]
            part.write_text("".join(locked[name] for name in rest))
            if rest:
                self._run([*pip, "--require-hashes", "-r", str(part)], meanwhile=self._tell_size)
            done |= wanted
            wanted = set(json.loads(self._run([self._python(), "-I", "-c", _ASKED])))

    def _fits(self, pip: Sequence[str], line: str | None, part: Path) -> bool:
        """Install a build that is to be preferred, where pip finds it."""
        if line is None:
            return False
        part.write_text(f"{line}\n")
        return self._try([*pip, "--require-hashes", "-r", str(part)])

    def prove(self) -> Message:
        """Load what was installed, and say what it is."""
        self._run([self._python(), "-I", "-c", self._request["proof"]])
        told: dict[str, Any] = json.loads(self._run([self._python(), "-I", "-c", _TELL, *self._request["shows"]]))
        return told

    def _python(self) -> str:
        return str(self.home / "bin" / "python")

    def _tell_size(self) -> None:
        """How far a fetch is, by what has arrived in the environment; it is a guess until the end."""
        share = _folder_mb(self.home) / self._request["disk_mb"]
        self._percent = max(self._percent, min(10 + 84 * share, 94))

    def _try(self, argv: Sequence[str]) -> bool:
        return subprocess.run(argv, env=self._env, stdout=2, check=False).returncode == 0

    def _run(self, argv: Sequence[str], meanwhile: Callable[[], None] | None = None) -> str:
        """Run one program, say every second that we live, give what it printed; its last words are the cause."""
        with subprocess.Popen(
            argv, env=self._env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        ) as process:
            lines: list[str] = []
            reader = threading.Thread(target=_keep, args=(process, lines), daemon=True)
            reader.start()
            while reader.is_alive():
                reader.join(1)
                if meanwhile:
                    meanwhile()
                self._channel.progress(self._percent, self._stage)
        if process.returncode:
            raise self._refusal(lines)
        return "".join(lines)

    def _refusal(self, lines: Sequence[str]) -> Refused:
        said = [line.strip() for line in lines if line.strip()]
        causes = [re.sub(r"^([×╰├─▶]|\w+:)+ *", "", line) for line in said if line.startswith(_CAUSES)] or said[-1:]
        cause = " ".join(": ".join(causes).split())[:_WORDS].rstrip(". ") or "no cause was given"
        sentence = f"{self._request['label']}: it could not be installed: {cause}."
        return Refused("tool_not_installed", sentence, family="unavailable")


def _locked(text: str) -> dict[str, str]:
    """The lines of a lock, by the name of the package that they pin, with all its markers and hashes."""
    found: dict[str, str] = {}
    for entry in re.findall(r"^[\w.-]+==(?:.*\\\n)*.*\n", text, re.MULTILINE):
        name = re.sub(r"[-_.]+", "-", entry.partition("==")[0]).lower()
        found[name] = found.get(name, "") + entry
    return found


def _keep(process: "subprocess.Popen[str]", lines: list[str]) -> None:
    if process.stdout:
        for line in process.stdout:
            sys.stderr.write(line)
            lines.append(line)


def _own_interpreter(version: str) -> str | None:
    """Our own interpreter's base, where it has the wanted version: it is surely here."""
    return os.path.realpath(sys.executable) if version == f"{sys.version_info[0]}.{sys.version_info[1]}" else None


def _pyenv_folders(env: dict[str, str]) -> list[str]:
    """Where pyenv keeps its interpreters; its shims tell nobody which are there."""
    versions = Path(env.get("PYENV_ROOT") or Path(env.get("HOME", "/nonexistent")) / ".pyenv") / "versions"
    try:
        return sorted(str(version / "bin") for version in versions.iterdir())
    except OSError:  # none, or somebody else's, after su
        return []


def _folder_mb(folder: Path) -> float:
    total = 0
    for parent, _, files in os.walk(folder):
        for name in files:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size  # noqa: PTH118 - thousands of files, every second
            except FileNotFoundError:
                continue
    return total / 1e6


if __name__ == "__main__":
    serve("install_tool", install)
