"""What a Python outside its prefix needs to start at all, in an environment made from nothing."""

import os


def libraries() -> dict[str, str]:
    """Where this interpreter's shared library lies, if that had to be said."""
    return {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
