"""What a command says: rich on a terminal, plain lines elsewhere, JSON where asked for."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from soundforge.errors import SoundForgeError

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str = "") -> None:
    """One line for people."""
    console.print(text, markup=False)


def say_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, to: Console = console) -> None:
    """Rows for people: a table on a terminal, whose first column is never cut; else a line each, parted by tabs."""
    if not to.is_terminal:
        for row in rows:
            to.file.write("\t".join(str(cell) for cell in row) + "\n")
        return
    table = Table(Column(columns[0], no_wrap=True), *columns[1:])
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    to.print(table)


def say_json(value: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str, indent=2) + "\n")


def say_line(text: str) -> None:
    """One line on standard error."""
    errors.print(text, markup=False)


def say_error(error: SoundForgeError) -> None:
    """What went wrong, in one sentence, on standard error."""
    errors.print(f"{error.sentence} [{error.code}]", markup=False)
    for name, sentence in error.fields.items():
        errors.print(f"  {name}: {sentence}", markup=False)
