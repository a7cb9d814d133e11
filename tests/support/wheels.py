"""Tiny packages as wheels in a folder, for a real installer that needs no network."""

import hashlib
import zipfile
from pathlib import Path


def write_wheel(folder: Path, name: str, version: str, *, code: str = "") -> str:
    """Write a wheel of one module; give its SHA-256."""
    folder.mkdir(parents=True, exist_ok=True)
    about = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": code,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: us\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{about}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{about}/RECORD"])
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for inside, text in files.items():
            wheel.writestr(inside, text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_lock(path: Path, pins: dict[str, tuple[str, str]]) -> None:
    """Write a lock: name to version and hash."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{name}=={version} --hash=sha256:{sha}\n" for name, (version, sha) in pins.items()))
