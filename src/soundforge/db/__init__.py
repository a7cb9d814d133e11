"""The database: a PostgreSQL server that answers, and transactions on it."""

from soundforge.db._database import (
    Database,
    connect,
    in_transaction,
    open_database,
    reading,
    transaction,
    wait_until_back,
)
from soundforge.db._embedded import EmbeddedServer
from soundforge.db._server import open_server

__all__ = [
    "Database",
    "EmbeddedServer",
    "connect",
    "in_transaction",
    "open_database",
    "open_server",
    "reading",
    "transaction",
    "wait_until_back",
]
