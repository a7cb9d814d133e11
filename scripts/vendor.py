"""Check, or fetch again, the JavaScript and fonts that others wrote.

    python scripts/vendor.py            every file is there, has its hash, and nothing else lies in the folder
    python scripts/vendor.py --fetch    `npm pack` each package, copy its files, build the icon sprite, write the hashes

The list of packages is `vendor.toml`; the hashes stand in `vendor.sha256` beside it, as `sha256sum -c` reads them.
"""

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

VENDOR = Path(__file__).resolve().parent.parent / "src" / "soundforge" / "web" / "static" / "vendor"
HASHES = VENDOR / "vendor.sha256"
OURS = {"vendor.toml", "vendor.sha256"}


def packages() -> list[dict[str, Any]]:
    """The packages as `vendor.toml` lists them."""
    document = tomllib.loads((VENDOR / "vendor.toml").read_text("utf-8"))
    found: list[dict[str, Any]] = document["package"]
    return found


def targets() -> Iterator[str]:
    """Each vendored file's path below the folder (the sprite lies beside it)."""
    for package in packages():
        yield from (file["to"] for file in package["file"])
        if "sprite" in package:
            yield package["sprite"]["to"]
        if "wasm" in package:
            yield package["wasm"]["to"]


def sha256(path: Path) -> str:
    """The hash of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def faults() -> list[str]:
    """What is wrong, one sentence each; empty when all is as recorded."""
    recorded = {line[66:]: line[:64] for line in HASHES.read_text("utf-8").splitlines()}
    wanted = list(targets())
    found = [f"{to} is missing" for to in wanted if not (VENDOR / to).is_file()]
    found += [f"{to} has no recorded hash" for to in wanted if to not in recorded]
    found += [
        f"{to} is not what was recorded"
        for to in wanted
        if (VENDOR / to).is_file() and to in recorded and sha256(VENDOR / to) != recorded[to]
    ]
    lying = {path.relative_to(VENDOR).as_posix() for path in VENDOR.rglob("*") if path.is_file()}
    return found + [f"{name} is in no list" for name in sorted(lying - set(wanted) - OURS)]


def fetch() -> None:
    """Fetch every package by name and version, and write its files and all hashes."""
    with tempfile.TemporaryDirectory() as folder:
        for package in packages():
            root = _unpack(package["name"], package["version"], Path(folder))
            for file in package["file"]:
                _copy(root / file["from"], VENDOR / file["to"])
            if "sprite" in package:
                sprite = _sprite(root / "icons", package["sprite"]["icons"], package["version"])
                (VENDOR / package["sprite"]["to"]).write_text(sprite, "utf-8")
            if "wasm" in package:
                wasm = _wasm((root / package["wasm"]["from"]).read_text("utf-8"))
                (VENDOR / package["wasm"]["to"]).write_bytes(wasm)
    lines = [f"{sha256(VENDOR / to)}  {to}" for to in sorted(targets())]
    HASHES.write_text("\n".join(lines) + "\n", "utf-8")


def _unpack(name: str, version: str, folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm is needed to fetch packages; checking them needs nothing.")
    out = subprocess.run(
        [npm, "pack", "--json", f"{name}@{version}"], cwd=folder, check=True, capture_output=True, text=True
    )
    answer = json.loads(out.stdout)
    entry = answer[0] if isinstance(answer, list) else next(iter(answer.values()))
    root = folder / re.sub(r"\W+", "-", f"{name}-{version}")
    with tarfile.open(folder / entry["filename"]) as archive:
        archive.extractall(root, filter="data")
    return root / "package"


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _wasm(module: str) -> bytes:
    """The WebAssembly that a JavaScript module carries in a data URL."""
    (packed,) = re.findall(r"data:application/octet-stream;base64,([A-Za-z0-9+/=]+)", module)
    return base64.b64decode(packed)


def _sprite(folder: Path, icons: list[str], version: str) -> str:
    symbols = []
    for name in sorted(icons):
        text = (folder / f"{name}.svg").read_text("utf-8")
        body = re.sub(r"\s+", " ", text[text.index(">", text.index("<svg")) + 1 : text.rindex("</svg>")]).strip()
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{body}</symbol>')
    note = f"<!-- lucide-static {version}, ISC: see vendor/ -->"
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join([note, *symbols]) + "\n</svg>\n"


if __name__ == "__main__":
    if "--fetch" in sys.argv[1:]:
        fetch()
    problems = faults()
    print("\n".join(problems) or f"{len(list(targets()))} vendored files are as recorded.")
    sys.exit(1 if problems else 0)
