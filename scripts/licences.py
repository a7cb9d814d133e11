"""Refuse GPL and AGPL among what the studio installs to run.

Reads requirements/base.txt and the metadata of the installed distributions. The LGPL is fine (soxr and
psycopg are used as libraries that anyone may replace); a distribution without any licence is not.
What a wheel carries inside goes unseen: av's metadata says BSD, its FFmpeg is linked with x264 and x265
(GPL). The studio uses none of their code, loads them into a child alone, and ships no wheel.
"""

import re
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)(?:\s*;\s*(.+?))?\s*\\?$", re.MULTILINE)
_STRONG = re.compile(r"\bAGPL|(?<!L)(?<!Lesser )\bGPL|Affero|GNU General Public", re.IGNORECASE)
_FREE_BESIDES = re.compile(
    r"\b(MIT|BSD|Apache|LGPL|MPL|PSF|ISC)\b.*\bOR\b|\bOR\b.*\b(MIT|BSD|Apache|LGPL|MPL|PSF|ISC)\b"
)


def pins() -> list[str]:
    """Names of the distributions that base.txt pins and that this platform installs."""
    installed = {_plain(d.metadata["Name"]) for d in metadata.distributions()}
    found = _PIN.findall((ROOT / "requirements" / "base.txt").read_text("utf-8"))
    return [name for name, _, marker in found if _plain(name) in installed or not marker]


def licence(name: str) -> str:
    """What a distribution says about its licence, in one line; "" when it says nothing."""
    about = metadata.metadata(name)
    classifiers = [c.removeprefix("License :: ") for c in about.get_all("Classifier") or [] if c.startswith("License")]
    said = [about.get("License-Expression") or "", *classifiers]
    if not any(said):  # the old field may hold a whole licence; its first line names it
        said = [(about.get("License") or "").strip().partition("\n")[0]]
    return " ".join(part for part in said if part)


def fault(name: str) -> str | None:
    """What speaks against a distribution, in one sentence; None when nothing does."""
    try:
        text = licence(name)
    except metadata.PackageNotFoundError:
        return f"{name} is in requirements/base.txt but not installed: run `make setup`."
    if not text:
        return f"{name} does not say what its licence is."
    if _STRONG.search(text) and not _FREE_BESIDES.search(text):
        return f"{name} is under {text}: the studio is MIT and takes no GPL or AGPL into its base."
    return None


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> int:
    """Look at every pin; 1 when one may not stay."""
    faults = [text for name in pins() if (text := fault(name))]
    print("\n".join(faults) or f"{len(pins())} distributions, no GPL or AGPL.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
