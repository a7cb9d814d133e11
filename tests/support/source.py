"""The project's own source as data, for the tests of its architecture."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
ROOMS = SRC / "soundforge"

type Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One Python file: its path below the repository, its text and its tree."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def where(self) -> str:
        """The path as the other tests and people name it."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def room(self) -> str:
        """``library`` for a file of that room, ``errors`` for the room that is one file, "" outside the application."""
        if not self.path.is_relative_to(ROOMS):
            return ""
        return self.path.relative_to(ROOMS).with_suffix("").parts[0]

    def functions(self) -> Iterator[tuple[str, Function]]:
        """Every function and method with its dotted name, those inside others too."""
        yield from _functions(self.tree, "")

    def imports(self) -> Iterator[tuple[int, str, str]]:
        """Line, absolute module and name of each ``from module import name``; the name is "" for ``import module``."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name, "") for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                target = self._absolute(node.module or "", node.level)
                yield from ((node.lineno, target, alias.name) for alias in node.names)

    def _absolute(self, target: str, level: int) -> str:
        if level == 0:
            return target
        top = SRC if self.path.is_relative_to(SRC) else ROOT
        package = self.path.relative_to(top).parts[:-1]
        return ".".join([*package[: len(package) - level + 1], *([target] if target else [])])

    def calls(self) -> Iterator[tuple[ast.Call, str]]:
        """Every call with the dotted name of what is called: ``session.add``, ``insert``."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield node, dotted(node.func)


@cache
def modules(*folders: str) -> tuple[Module, ...]:
    """Every Python file below these folders of the repository, in order."""
    return tuple(_module(path) for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))


@cache
def _module(path: Path) -> Module:
    text = path.read_text("utf-8")
    return Module(path, text, ast.parse(text, str(path)))


def rooms() -> dict[str, Path]:
    """Each room by name: a folder with files in it, or one file."""
    found = {path.stem: path for path in ROOMS.iterdir() if path.suffix == ".py" and not path.stem.startswith("__")}
    return found | {path.name: path for path in ROOMS.iterdir() if path.is_dir() and any(path.rglob("*.py"))}


def dotted(node: ast.expr) -> str:
    """``a.b.c`` of an attribute chain; what cannot be named (a call in the middle) becomes ``()``."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attr):
            return f"{dotted(value)}.{attr}"
    return "()"


def lines_of(function: Function) -> int:
    """Length of a function from its ``def`` to its end, its docstring not counted."""
    length = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        length -= (first.end_lineno or first.lineno) - first.lineno + 1
    return length


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, Function]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{prefix}{child.name}"
            if not isinstance(child, ast.ClassDef):
                yield name, child
            yield from _functions(child, f"{name}.")
        else:
            yield from _functions(child, prefix)
