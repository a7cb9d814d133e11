"""A fault before the n-th write of what a worker writes at its end, wherever that is."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from soundforge.db import Database

# What only bodies write: not the claim of a job, its progress or its end.
_WRITES = re.compile(r"(INSERT INTO|UPDATE|DELETE FROM) (files|tracks|stems|analysis_parts|jobs|oban_jobs|sessions)\b")
_OF_THE_FRAME = re.compile(r"UPDATE jobs SET (?!.*result=)")


class Fault(Exception):
    """The power went at the worst moment."""


@contextmanager
def fault_before(database: Database, number: int) -> Iterator[list[str]]:
    """Break once, before the n-th write (1, 2, …) of a body from now on; the list tells at which statement.

    What the caller's own task writes does not count.
    """
    broken: list[str] = []
    seen = 0
    own = asyncio.current_task()

    def look(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        nonlocal seen
        words = " ".join(statement.split()).replace("public.", "").replace('"', "")
        told = "pg_notify" in words and words.startswith("SELECT")
        if asyncio.current_task() is own:
            return
        if not told and (not _WRITES.match(words) or _OF_THE_FRAME.match(words)):
            return
        seen += 1
        if seen == number:
            broken.append(words)
            raise Fault(words)

    event.listen(database.engine.sync_engine, "before_cursor_execute", look)
    try:
        yield broken
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", look)
