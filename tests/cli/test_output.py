import io
import json
import os
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from soundforge.cli._output import console, say, say_json, say_table, set_up_output
from tests.cli.commands import Command

ROWS = [("7d932855-80f7-4703-bfd4-bc3d48d95688", "[/b] a title that is longer than any terminal is wide " * 3, 120)]


def said(console: Console, rows: list[tuple[object, ...]]) -> str:
    say_table(("id", "title", "bpm"), rows, to=console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_a_table_on_a_terminal_never_cuts_what_one_copies_and_takes_no_word_for_markup() -> None:
    shown = said(Console(file=StringIO(), force_terminal=True, width=80), [*ROWS])
    assert str(ROWS[0][0]) in shown
    assert "[/b]" in shown


def test_elsewhere_a_row_is_a_line() -> None:
    assert said(Console(file=StringIO()), [*ROWS]) == "\t".join(str(cell) for cell in ROWS[0]) + "\n"


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_name_neither_breaks_a_row_nor_steers_a_terminal(is_terminal: bool) -> None:  # noqa: FBT001 - a parameter
    row = (1, "Tide\nnew\t[live] \x1b]0;evil\x07 caf\udce9", 120)
    shown = said(Console(file=StringIO(), force_terminal=is_terminal, width=80, no_color=True), [row])
    assert "Tide new [live] \ufffd]0;evil\ufffd caf\ufffd" in shown


def test_what_standard_output_cannot_write_is_written_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    set_up_output()
    say("Élan")
    sys.stdout.flush()
    assert (console.file, written.getvalue()) == (sys.stdout, b"\\xc9lan\n")
    say_json({"title": "Élan"})
    sys.stdout.flush()
    assert json.loads(written.getvalue().split(b"\n", 1)[1]) == {"title": "Élan"}


def test_a_file_whose_name_is_not_utf_8_is_told_of_all_the_same(run: Command, tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.wav")
    (tmp_path / name).write_bytes(b"%PDF-1.7 no song at all")
    (told,) = json.loads(run("forge", name, "--json")[1])
    assert (told["source"], "PDF" in told["error"]) == ("caf\ufffd.wav", True)
    assert run("forge", name)[1].startswith("caf\ufffd.wav: ")
