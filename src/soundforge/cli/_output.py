"""What a command says: rich on a terminal, plain lines elsewhere, JSON where asked for."""

import io
import json
import re
import shlex
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from soundforge.errors import SoundForgeError

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)

_BREAKS = re.compile(r"[\t\n\r]")
_SURROGATES = "\ud800-\udfff"  # the bytes of a file name that is not UTF-8
_UNSHOWN = re.compile(f"[\x00-\x1f\x7f-\x9f{_SURROGATES}]")  # and what would steer a terminal
_UNWRITTEN = re.compile(f"[{_SURROGATES}]")


def set_up_output() -> None:
    """Where a letter cannot be written, write its number: a name must not end a command."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def printable(text: str) -> str:
    """Make text fit for one line: breaks are spaces, and what cannot be shown is a mark in its place."""
    return _UNSHOWN.sub("\ufffd", _BREAKS.sub(" ", text))


def say(text: str = "") -> None:
    """One line for people."""
    console.print(printable(text), markup=False)


def say_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, to: Console = console) -> None:
    """Rows for people: a table on a terminal, whose first column is never cut; else a line each, parted by tabs."""
    shown = [[printable(str(cell)) for cell in row] for row in rows]
    if not to.is_terminal:
        to.file.writelines("\t".join(row) + "\n" for row in shown)
        return
    table = Table(Column(columns[0], no_wrap=True), *columns[1:])
    for row in shown:
        table.add_row(*map(Text, row))
    to.print(table)


def say_more(after: str | None) -> None:
    """Say on standard error that a list goes on, and how to go on with it; nothing at its end."""
    if after:
        say_line(f"… more: --after {shlex.quote(after)}")


def say_json(value: Any) -> None:
    """One JSON document on standard output."""
    is_unicode = sys.stdout.encoding.lower().startswith("utf")
    document = json.dumps(value, ensure_ascii=not is_unicode, default=str, indent=2)
    sys.stdout.write(_UNWRITTEN.sub("\ufffd", document) + "\n")


def say_line(text: str) -> None:
    """One line on standard error."""
    errors.print(printable(text), markup=False)


def say_error(error: SoundForgeError) -> None:
    """What went wrong, in one sentence, on standard error."""
    say_line(f"{error.sentence} [{error.code}]")
    for name, sentence in error.fields.items():
        say_line(f"  {name}: {sentence}")
