"""Small files, and functions that read as a list of steps."""

from tests.support.source import lines_of, modules

FILE = 400
FUNCTION = 40


def test_no_file_is_longer_than_400_lines() -> None:
    long = {m.where: n for m in modules("src", "tests", "scripts") if (n := m.text.count("\n")) > FILE}
    assert not long, "\n".join(f"{where}: {length}" for where, length in long.items())


def test_no_function_is_longer_than_40_lines() -> None:
    long = {
        f"{module.where}::{name}": length
        for module in modules("src", "tests", "scripts")
        for name, function in module.functions()
        if (length := lines_of(function)) > FUNCTION
    }
    assert not long, "\n".join(f"{where}: {length}" for where, length in long.items())
