"""Pages by key: the one way in which lists of ours are read.

A page is asked for *after* a cursor, never by offset, so it costs the same at row 10 and at row
90,000 and shows no row twice while others come and go. Every list has a sort expression that is
never null, and the row's id as tie-break.
"""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, tuple_

from soundforge.errors import Invalid


@dataclass(frozen=True)
class Sort:
    """A way to order a list: a never-null ``expression``, and how its value is read from a cursor."""

    expression: SQLColumnExpression[Any]
    id: SQLColumnExpression[UUID]
    read: Callable[[Any], Any] = lambda value: value

    def after(self, cursor: str, *, descending: bool) -> ColumnElement[bool]:
        """Rows that come after ``cursor``; raises ``Invalid`` ("bad_cursor")."""
        value, row_id = self._open(cursor)
        here, there = tuple_(self.expression, self.id), tuple_(value, row_id)
        return here < there if descending else here > there

    def order[T: Select[*tuple[Any, ...]]](self, statement: T, *, descending: bool) -> T:
        """Order ``statement`` by this sort."""
        columns = (self.expression, self.id)
        return statement.order_by(*(column.desc() if descending else column.asc() for column in columns))

    def _open(self, cursor: str) -> tuple[Any, UUID]:
        try:
            value, row_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
            return self.read(value), UUID(row_id)
        except (binascii.Error, ValueError, TypeError, AttributeError) as error:
            raise Invalid("This page link is damaged. Start from the first page.", code="bad_cursor") from error


def cursor_of(value: Any, row_id: UUID) -> str:
    """Pack a row's place into an opaque, URL-safe cursor."""
    plain = value.isoformat() if isinstance(value, datetime) else value
    return base64.urlsafe_b64encode(json.dumps([plain, str(row_id)]).encode()).decode()
