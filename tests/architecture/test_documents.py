"""What a newcomer reads is true: names, paths, rules, locks."""

import ast
import re
from pathlib import Path

import pytest

from tests.support.source import ROOT, rooms

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)")
PATH = re.compile(r"`((?:src|tests|scripts|docs)/[\w./-]+?)`")  # a whole path in code quotes
STEP = re.compile(r"`(src/[\w/]+\.py):(\w+)`")
RULE = re.compile(r"^\| (\d+) \|")
TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def _defined(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_and_path_in_a_page_leads_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    lost = [link for link in LINK.findall(text) if not (page.parent / link).exists()]
    lost += [path for path in PATH.findall(text) if "<" not in path and not (ROOT / path).exists()]
    assert not lost, "\n".join(lost)


def test_a_songs_day_has_twelve_steps_that_exist() -> None:
    steps = STEP.findall((ROOT / "docs" / "a-songs-day.md").read_text("utf-8"))
    assert len(steps) == 12
    lost = [f"{path}:{name}" for path, name in steps if name not in _defined(ROOT / path)]
    assert not lost, "\n".join(lost)


def test_each_of_the_fifteen_rules_names_tests_that_exist() -> None:
    text = (ROOT / "docs" / "rules.md").read_text("utf-8")
    rows = {int(row[0]): line for line in text.splitlines() if (row := RULE.findall(line))}
    assert sorted(rows) == list(range(1, 16))
    unproved = [number for number, line in rows.items() if not TEST.search(line)]
    assert not unproved, f"rules without a test: {unproved}"
    lost = [
        f"{path}::{name}"
        for path, name in TEST.findall(text)
        if not (ROOT / path).is_file() or (name and name not in _defined(ROOT / path))
    ]
    assert not lost, "\n".join(lost)


def test_the_map_shows_every_room() -> None:
    text = (ROOT / "docs" / "map.md").read_text("utf-8")
    assert [room for room in rooms() if f"`{room}`" not in text] == []
