"""A function that takes a session takes part in a transaction; who writes what is settled by room (rule 9)."""

import ast
import re
from collections.abc import Iterator

from soundforge.tables import Row
from tests.support.source import Module, dotted, modules

ROWS = {mapper.class_.__name__: mapper.local_table.name for mapper in Row.registry.mappers}  # class name → table
ACCOUNTS = {"users", "sessions", "api_tokens", "settings"}
JOBS = {"jobs", "queue_settings"}
EDGES = {"app", "cli", "jobs", "pipeline", "web"}
CHANGES = {"insert", "update", "delete"}
SQL = re.compile(r"\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+(?:ONLY\s+)?\"?([a-z_]+)", re.IGNORECASE)


def owner(table: str) -> str:
    """The room that alone writes a table."""
    return "accounts" if table in ACCOUNTS else "jobs" if table in JOBS else "library"


def test_only_db_commits() -> None:
    ends = {"commit", "rollback", "begin"}
    found = [
        f"{module.where}:{call.lineno} {name}"
        for module in modules("src/soundforge")
        for call, name in module.calls()
        if module.room != "db" and name.rpartition(".")[2] in ends and "migrations" not in module.where
        if "session" in name or "connection" in name
    ]
    assert not found, "\n".join(found)


def test_transactions_open_only_at_the_edges() -> None:
    """Reading may also begin in `views`: what asks for the health of the database can hold no session."""
    allowed = {"transaction": EDGES | {"db"}, "reading": EDGES | {"db", "views"}}
    found = [
        f"{module.where}:{call.lineno}"
        for module in modules("src/soundforge")
        for call, name in module.calls()
        if module.room not in allowed.get(name.removeprefix("db."), {module.room})
    ]
    assert not found, "\n".join(found)


def test_a_function_with_a_session_opens_no_other_and_starts_nothing() -> None:
    outside = {"transaction", "reading", "connect", "open_child", "open_database"}
    found = [
        f"{module.where}:{node.lineno} {name} calls {dotted(node.func)}"
        for module in modules("src/soundforge")
        for name, function in module.functions()
        if any(argument.arg == "session" for argument in function.args.args)
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] in outside
    ]
    assert not found, "\n".join(found)


def test_session_comes_first() -> None:
    late = [
        f"{module.where}:{function.lineno} {name}"
        for module in modules("src/soundforge")
        for name, function in module.functions()
        for names in [[argument.arg for argument in function.args.args if argument.arg not in {"self", "cls"}]]
        if "session" in names[1:] and names[0] != "session"
    ]
    assert not late, "\n".join(late)


def test_rows_are_written_only_in_the_room_that_owns_them() -> None:
    found = [
        f"{module.where}:{line} writes {table}, which {owner(table)} owns"
        for module in modules("src/soundforge")
        if module.room not in {"db", "tables"}
        for line, table in _writes(module)
        if module.room != owner(table)
    ]
    assert not found, "\n".join(found)


def test_only_rooms_that_own_rows_add_to_a_session() -> None:
    found = [
        f"{module.where}:{call.lineno} {name}"
        for module in modules("src/soundforge")
        if module.room not in {"accounts", "db", "jobs", "library"}
        for call, name in module.calls()
        if name in {"session.add", "session.add_all", "session.delete", "session.merge"}
    ]
    assert not found, "\n".join(found)


def _writes(module: Module) -> Iterator[tuple[int, str]]:
    """Line and table of each row, statement or piece of SQL that this file makes."""
    known = {name for _, target, name in module.imports() if target.startswith("soundforge.tables")} & set(ROWS)
    for call, name in module.calls():
        made = name.rpartition(".")[2]
        target = dotted(call.args[0]).rpartition(".")[2] if made in CHANGES and call.args else ""
        if made in known or (name.startswith("tables.") and made in ROWS):
            yield call.lineno, ROWS[made]
        elif target in ROWS:
            yield call.lineno, ROWS[target]
    texts = (node for node in ast.walk(module.tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    for node in texts:
        tables = {match[1].lower() for match in SQL.finditer(str(node.value))}
        yield from ((node.lineno, table) for table in tables & set(ROWS.values()))
