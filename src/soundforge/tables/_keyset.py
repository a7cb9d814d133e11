"""Pages by key: the one way in which lists of ours are read.

A page is asked for *after* a cursor, never by offset, so it costs the same at row 10 and at row
90,000 and shows no row twice while others come and go. Every list has a sort expression that is
never null, and the row's id as tie-break.
"""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, func, not_, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.errors import Invalid

_MOST_AGAIN = 200  # rows of a page that grew since it was seen; the rest is a page of its own


@dataclass(frozen=True)
class Page[T]:
    """One page of a list, and the cursor of the next one if there is more."""

    rows: tuple[T, ...]
    next: str | None
    rest: int = 0  # rows of a page seen before that it can no longer hold; they begin at ``next``


@dataclass(frozen=True)
class Sort:
    """A way to order a list: a never-null ``expression``, and how its value is read from a cursor.

    ``read`` refuses a value of another type by ``ValueError`` or ``TypeError``: a cursor is user input,
    and may come from another sort.
    """

    expression: SQLColumnExpression[Any]
    id: SQLColumnExpression[UUID]
    read: Callable[[Any], Any]

    def after(self, cursor: str, *, descending: bool) -> ColumnElement[bool]:
        """Rows that come after ``cursor``; raises ``Invalid`` ("bad_cursor")."""
        value, row_id = self._open(cursor)
        here, there = tuple_(self.expression, self.id), tuple_(value, row_id)
        return here < there if descending else here > there

    def until(self, cursor: str, *, descending: bool) -> ColumnElement[bool]:
        """Rows up to ``cursor``, the one there with them; raises ``Invalid`` ("bad_cursor")."""
        return not_(self.after(cursor, descending=descending))

    def order[T: Select[*tuple[Any, ...]]](self, statement: T, *, descending: bool) -> T:
        """Order ``statement`` by this sort."""
        columns = (self.expression, self.id)
        return statement.order_by(*(column.desc() if descending else column.asc() for column in columns))

    def _open(self, cursor: str) -> tuple[Any, UUID]:
        try:
            value, row_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
            return self.read(value), UUID(row_id)
        except (binascii.Error, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise Invalid("This page link is damaged. Start from the first page.", code="bad_cursor") from error


async def read_page[T](
    session: AsyncSession, statement: Select[T], sort: Sort, *, descending: bool, limit: int, after: str | None = None
) -> Page[T]:
    """Read the page of ``statement`` that comes after a cursor; raises ``Invalid`` ("bad_cursor")."""
    if after:
        statement = statement.where(sort.after(after, descending=descending))
    ordered = sort.order(statement, descending=descending).limit(limit + 1)
    return page_of((await session.execute(ordered.add_columns(sort.expression.label("place")))).all(), limit)


def page_of(found: Sequence[Any], limit: int) -> Page[Any]:
    """Make a page of rows whose first column is the thing and whose ``place`` is where it stands; one row too many."""
    rows, more = found[:limit], len(found) > limit
    return Page(tuple(row[0] for row in rows), cursor_of(rows[-1].place, rows[-1][0].id) if more else None)


async def read_again[T](
    session: AsyncSession, statement: Select[T], sort: Sort, *, descending: bool, until: str, after: str | None = None
) -> Page[T]:
    """Read a page anew that somebody has seen: the rows behind ``after`` up to the cursor ``until``.

    Where more came in between than a page may hold, ``next`` is where the rest of them begins. Raises as ``read_page``.
    """
    seen = statement.where(sort.until(until, descending=descending))
    page = await read_page(session, seen, sort, descending=descending, limit=_MOST_AGAIN, after=after)
    if page.next is None:
        return page
    behind = seen.where(sort.after(page.next, descending=descending)).with_only_columns(func.count())
    return replace(page, rest=await session.scalar(behind) or 0)


def read_text(value: Any) -> str:
    """Read a text from a cursor; PostgreSQL knows no NUL."""
    if not isinstance(value, str) or "\0" in value:
        raise TypeError(type(value))
    return value


def read_number(value: Any) -> int | float:
    """Read a number from a cursor."""
    if not isinstance(value, int | float):
        raise TypeError(type(value))
    return value


def cursor_of(value: Any, row_id: UUID) -> str:
    """Pack a row's place into an opaque, URL-safe cursor."""
    plain = value.isoformat() if isinstance(value, datetime) else value
    return base64.urlsafe_b64encode(json.dumps([plain, str(row_id)]).encode()).decode()
