"""Write the documents that are derived from the code, or check that they are up to date.

python scripts/docs.py           write docs/errors.md
python scripts/docs.py --check   exit 1 when it is not what would be written
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ERRORS = ROOT / "docs" / "errors.md"
FAMILIES = {
    "Rejected": "the caller",
    "Invalid": "the caller: the input makes no sense",
    "NotFound": "the caller: there is no such thing, or it is not theirs",
    "Conflict": "the caller: the present state forbids it",
    "Forbidden": "the caller: known, but not allowed",
    "Unavailable": "nobody: it is tried again later",
    "Broken": "a person: trying again is useless",
}
_ORDER = list(FAMILIES)
_OF_STATUS = {403: "Forbidden", 422: "Invalid", 500: "Broken"}  # of an answer that no error was raised for
_EXPLAIN_ARGS = 5  # of ``web._errors.explain``: others have the name too
_HEAD = """# Errors

Written by `make docs` from the code; do not edit. Each error has a stable code (in JSON, in job rows, on the
command line) and one sentence. The family says who must act, and decides the HTTP status, the exit code and
whether a job is tried again: see `soundforge/errors.py`. `…` stands for what varies.

| family | who must act |
|---|---|
"""
_TABLE = """
| code | family | sentence | made in |
|---|---|---|---|
"""


@dataclass(frozen=True, order=True)
class ErrorUse:
    """One place that makes an error. ``code`` is None where it is not a literal."""

    path: str
    line: int
    code: str | None
    family: str
    sentence: str


@cache
def error_uses() -> tuple[ErrorUse, ...]:
    """Every place under ``src`` that makes an error of ours, in the order of the files."""
    return tuple(sorted(use for path in (ROOT / "src").rglob("*.py") for use in _uses_in(path)))


def errors_page() -> str:
    """Compose the text of ``docs/errors.md``."""
    rows: dict[tuple[str, str, str], set[str]] = {}
    for use in error_uses():
        if use.code is not None:
            rooms = rows.setdefault((use.code, use.family, use.sentence), set())
            rooms.add(_room(use.path))
    lines = [
        f"| `{code}` | {family} | {sentence.replace('|', '/')} | {', '.join(sorted(rooms))} |\n"
        for (code, family, sentence), rooms in sorted(rows.items(), key=_by_code)
    ]
    families = [f"| {family} | {who} |\n" for family, who in FAMILIES.items()]
    return "".join([_HEAD, *families, _TABLE, *lines])


def _by_code(row: tuple[tuple[str, str, str], set[str]]) -> tuple[str, int, str]:
    (code, family, sentence), _ = row
    return code, _ORDER.index(family), sentence


def _room(path: str) -> str:
    parts = Path(path).with_suffix("").parts
    return parts[2] if parts[1] == "soundforge" else f"{parts[1]}.{parts[2]}"


@dataclass(frozen=True)
class _Kind:
    """A class of errors: its family, and its code where it has one of its own."""

    family: str
    code: str | None = None


@cache
def _kinds() -> dict[str, _Kind]:
    """The families, and the classes of errors that were derived from them."""
    trees = (ast.parse(path.read_text("utf-8")) for path in (ROOT / "src").rglob("*.py"))
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    found = {family: _Kind(family) for family in FAMILIES}
    for node in classes:
        if node.name not in found and (base := next((_name(one) for one in node.bases), "")) in FAMILIES:
            found[node.name] = _Kind(base, _texts(node, before=node.end_lineno or 0).get("code"))
    return found


def _uses_in(path: Path) -> Iterator[ErrorUse]:
    tree = ast.parse(path.read_text("utf-8"))
    where = path.relative_to(ROOT).as_posix()
    tables = _sentences(tree)
    for scope in ast.walk(tree):
        if not isinstance(scope, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for call in filter(_may_be_error, _calls(scope)):
            made = _error(call, _texts(scope, before=call.lineno))
            if made is None:
                continue
            code, family, sentence = made
            if code is None and tables:  # a module whose errors stand in a table of its own
                yield from (ErrorUse(where, call.lineno, c, family, s) for c, s in tables.items())
            else:
                yield ErrorUse(where, call.lineno, code, family, sentence)


def _calls(scope: ast.AST) -> Iterator[ast.Call]:
    """Calls of this function itself, not of functions inside it."""
    for child in ast.iter_child_nodes(scope):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(child, ast.Call):
            yield child
        yield from _calls(child)


def _may_be_error(call: ast.Call) -> bool:
    return _name(call.func) in {"Refused", "explain", "_explain", *_kinds()} or any(
        keyword.arg == "code" for keyword in call.keywords
    )


def _error(call: ast.Call, names: dict[str, str]) -> tuple[str | None, str, str] | None:
    """What a call makes: code, family, sentence; None when it makes no error of ours."""
    name = _name(call.func)
    given = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    if name in ("explain", "_explain") and len(call.args) == _EXPLAIN_ARGS:
        return _answer(call.args, names)
    if name == "Refused" and call.args:  # a runner's refusal: code and sentence by position
        family = (_text(given["family"], names) or "").capitalize() if "family" in given else "Rejected"
        return _text(call.args[0], names), family, _text(call.args[1], names) or "…"
    if (kind := _kinds().get(name)) and ("code" in given or call.args):
        code = _text(given.get("code"), names) or kind.code
        return code, kind.family, (_text(call.args[0], names) if call.args else None) or "…"
    code, sentence = _text(given.get("code"), names), _text(given.get("sentence"), names)
    if code and sentence:  # written to a job's row without being raised
        return code, "Broken", sentence
    return None


def _answer(args: list[ast.expr], names: dict[str, str]) -> tuple[str, str, str] | None:
    """An answer without an error: request, status, code, sentence. None when it passes an error's own code on."""
    _request, status, code, sentence, _fields = args
    if (said := _text(code, names)) is None:
        return None
    known = status.value if isinstance(status, ast.Constant) and isinstance(status.value, int) else 0
    return said, _OF_STATUS.get(known, "Rejected"), _text(sentence, names) or "…"


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _texts(scope: ast.AST, *, before: int) -> dict[str, str]:
    """Texts that the names of a scope stand for, the last one above a line counting."""
    sets = [node for node in ast.walk(scope) if isinstance(node, ast.Assign) and node.lineno <= before]
    found: dict[str, str] = {}
    for node in sorted(sets, key=lambda node: node.lineno):
        text = _text(node.value, found)
        if text is not None:
            found |= {target.id: text for target in node.targets if isinstance(target, ast.Name)}
    return found


def _text(node: ast.expr | None, names: dict[str, str]) -> str | None:
    """The text of an expression, with `…` where it varies; None when it is no text."""
    match node:
        case ast.Constant(value=str() as value):
            return value
        case ast.JoinedStr(values=values):
            return "".join(str(v.value) if isinstance(v, ast.Constant) else "…" for v in values)
        case ast.Name(id=name):
            return names.get(name)
        case ast.IfExp(body=body, orelse=other):
            return _text(body, names) or _text(other, names)
    return None


def _sentences(tree: ast.Module) -> dict[str, str]:
    """The module's own ``SENTENCES`` table: code to sentence."""
    for node in tree.body:
        target = node.target if isinstance(node, ast.AnnAssign) else None
        if (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.value, ast.Dict)
            and _name(target or node.target) == "SENTENCES"
        ):
            pairs = zip(node.value.keys, node.value.values, strict=True)
            return {_text(key, {}) or "": _text(value, {}) or "…" for key, value in pairs}
    return {}


def main() -> int:
    """Write or check; 1 when a check fails."""
    page = errors_page()
    if "--check" not in sys.argv[1:]:
        ERRORS.write_text(page, "utf-8")
        return 0
    if ERRORS.is_file() and ERRORS.read_text("utf-8") == page:
        return 0
    print("docs/errors.md is not what the code says: run `make docs`.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
