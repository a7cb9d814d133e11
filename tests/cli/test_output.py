from io import StringIO

from rich.console import Console

from soundforge.cli._output import say_table

ROWS = [("7d932855-80f7-4703-bfd4-bc3d48d95688", "[/b] a title that is longer than any terminal is wide " * 3, 120)]


def said(console: Console) -> str:
    say_table(("id", "title", "bpm"), ROWS, to=console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_a_table_on_a_terminal_never_cuts_what_one_copies_and_takes_no_word_for_markup() -> None:
    shown = said(Console(file=StringIO(), force_terminal=True, width=80))
    assert ROWS[0][0] in shown
    assert "[/b]" in shown


def test_elsewhere_a_row_is_a_line() -> None:
    assert said(Console(file=StringIO())) == "\t".join(str(cell) for cell in ROWS[0]) + "\n"
