"""Tests mirror the tree, are named as sentences, hide nothing and wait for what happens instead of sleeping."""

import ast
import re

from tests.support.source import ROOMS, ROOT, modules

STORIES = {"acceptance", "architecture", "browser", "flows", "soak", "support"}  # these tell of more than one file
HIDDEN = re.compile(r"pytest\.(?:mark\.)?(?:skip|skipif|xfail|importorskip)\b|NotImplementedError|\b(?:TODO|FIXME)\b")


def test_tests_stand_at_the_path_of_what_they_test() -> None:
    """A file that tells of a whole room instead of one file says so in its docstring."""
    astray = []
    for module in modules("tests"):
        below = module.path.relative_to(ROOT / "tests")
        if below.parts[0] in STORIES or not below.name.startswith("test_"):
            continue
        base = ROOT / "src" / "soundforge_runners" if below.parts[0] == "runners" else ROOMS / below.parts[0]
        place = base.joinpath(*below.parts[1:-1]) if len(below.parts) > 1 else ROOMS
        place = ROOMS / "web" / "static" / "js" if below.parts[:2] == ("web", "js") else place
        name = below.stem.removeprefix("test_")
        mirrors = [place / form for form in (f"_{name}.py", f"{name}.py", f"_{name}", name, f"{name}.js")]
        tells_of_its_room = place.is_dir() and ast.get_docstring(module.tree)
        if not any(path.exists() for path in mirrors) and not tells_of_its_room:
            astray.append(module.where)
    assert not astray, "\n".join(astray)


def test_tests_are_named_as_sentences() -> None:
    short = [
        f"{module.where}::{name}"
        for module in modules("tests")
        for name, _ in module.functions()
        if name.rpartition(".")[2].startswith("test_") and name.count("_") < 3
    ]
    assert not short, "\n".join(short)


def test_nothing_is_skipped_or_left_for_later() -> None:
    """`tests/support/require.py` is the one place that may skip: what a machine lacks."""
    excused = {
        f"tests/{name}.py" for name in ("support/require", "architecture/test_tests", "architecture/test_require")
    }
    found = [
        f"{module.where}:{number} {line.strip()}"
        for module in modules("src", "tests", "scripts")
        if module.where not in excused
        for number, line in enumerate(module.text.splitlines(), 1)
        if HIDDEN.search(line)
    ]
    assert not found, "\n".join(found)


def test_every_silenced_line_says_why() -> None:
    bare = re.compile(r"#\s*(?:noqa(?::\s*[A-Z0-9, ]+)?|type:\s*ignore(?:\[[a-z-, ]+\])?)\s*$")
    found = [
        f"{module.where}:{number} {line.strip()}"
        for module in modules("src", "tests", "scripts")
        for number, line in enumerate(module.text.splitlines(), 1)
        if bare.search(line)
    ]
    assert not found, "\n".join(found)


def test_tests_do_not_sleep_for_a_while_and_hope() -> None:
    """A test waits for what happens. Where nothing tells, it looks again and again: `while` it is not so, shortly."""
    found = [
        f"{module.where}:{call.lineno}"
        for module in modules("tests")
        if module.path.name.startswith("test_")
        for watched in [
            {id(inner) for loop in ast.walk(module.tree) if isinstance(loop, ast.While) for inner in ast.walk(loop)}
        ]
        for call, name in module.calls()
        if name in {"time.sleep", "asyncio.sleep", "sleep"} and not _is_short(call, looped=id(call) in watched)
    ]
    assert not found, "\n".join(found)


def _is_short(call: ast.Call, *, looped: bool) -> bool:
    """Whether a sleep gives way only (0), or looks again within a tenth of a second."""
    match call.args:
        case [ast.Constant(value=int() | float() as seconds)]:
            return seconds == 0 or (looped and seconds <= 0.1)
    return False
