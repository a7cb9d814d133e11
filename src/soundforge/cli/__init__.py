"""The ``soundforge`` command: thin, one file a group of commands."""

from soundforge.cli._main import main

__all__ = ["main"]
