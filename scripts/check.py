"""Run every check that a change must pass, and say at the end which failed (`make check`).

    python scripts/check.py              all of them
    python scripts/check.py types rooms  some of them

Each is a program of its own: what it prints is what there is to mend.
"""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHECKS = {
    "format": ["-m", "ruff", "format", "--check", "--quiet", "."],
    "lint": ["-m", "ruff", "check", "--quiet", "."],
    "types": ["-m", "mypy"],
    "rooms": ["-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
    "conventions": ["-m", "pytest", "-q", "tests/architecture"],
    "licences": ["scripts/licences.py"],
    "vendored": ["scripts/vendor.py"],
    "documents": ["scripts/docs.py", "--check"],
    "javascript": ["scripts/javascript.py"],
}


def run(name: str) -> bool:
    """Run one check; whether it passed."""
    began = time.monotonic()
    passed = subprocess.run([sys.executable, *CHECKS[name]], cwd=ROOT, check=False).returncode == 0
    print(f"{'✓' if passed else '✗'} {name} ({time.monotonic() - began:.1f} s)", flush=True)
    return passed


def main() -> int:
    """Run the checks that are named, or all; 1 when one failed."""
    names = sys.argv[1:] or list(CHECKS)
    if unknown := set(names) - set(CHECKS):
        print(f"There is no check {', '.join(sorted(unknown))}; there are: {', '.join(CHECKS)}.")
        return 2
    failed = [name for name in names if not run(name)]
    if failed:
        print(f"\nFailed: {', '.join(failed)}.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
