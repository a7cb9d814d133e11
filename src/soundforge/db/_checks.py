"""What a database must be able to do before the studio relies on it, asked once at the start."""

import re
import uuid

import psycopg
from psycopg.conninfo import conninfo_to_dict

from soundforge.errors import Invalid, Unavailable

OLDEST_MAJOR = 14
_CONNECT_LIMIT_S = 10
_LISTEN_LIMIT_S = 5.0


def normalise_url(url: str) -> str:
    """Return the libpq form of a URL that may be written for SQLAlchemy (``postgresql+psycopg://…``).

    Raises Invalid (``database_url_malformed``).
    """
    plain = re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", url.strip())
    try:
        conninfo_to_dict(plain)
    except psycopg.ProgrammingError:  # its text may quote the URL, password included: not passed on
        sentence = "DATABASE_URL cannot be read; it looks like postgresql://user:password@host:5432/database."
        raise Invalid(sentence, code="database_url_malformed") from None
    return plain


def check_server(dsn: str, *, name: str) -> None:
    """Raise, in one sentence about the database called ``name``, when the studio cannot work on it.

    Unavailable: ``database_away``. Invalid: ``database_too_old``, ``database_not_utf8``,
    ``database_folds_no_case``, ``database_not_writable``, ``database_deaf``.
    """
    try:
        with psycopg.connect(dsn, autocommit=True, connect_timeout=_CONNECT_LIMIT_S) as connection:
            check_version(connection.info.server_version, name)
            check_encoding(connection.info.parameter_status("server_encoding"), name)
            check_folding(connection, name)
            check_writable(connection, name)
            with psycopg.connect(dsn, autocommit=True, connect_timeout=_CONNECT_LIMIT_S) as sender:
                check_listen(connection, sender, name)
    except psycopg.OperationalError as error:
        cause = str(error).strip().partition("\n")[0].removeprefix("connection failed: ")
        raise Unavailable(f"{name} does not answer: {cause}.", code="database_away") from error


def check_version(version: int, name: str) -> None:
    """Refuse a server older than 14; ``version`` as libpq counts, e.g. 140002."""
    if version // 10_000 < OLDEST_MAJOR:
        sentence = f"{name} is PostgreSQL {version // 10_000}; {OLDEST_MAJOR} or newer is needed."
        raise Invalid(sentence, code="database_too_old")


def check_encoding(encoding: str | None, name: str) -> None:
    """Refuse a database whose encoding cannot hold every song's title."""
    if encoding != "UTF8":
        sentence = f"{name} has the encoding {encoding}; make it anew with ENCODING 'UTF8'."
        raise Invalid(sentence, code="database_not_utf8")


def check_folding(connection: psycopg.Connection, name: str) -> None:
    """Refuse a locale (plain C) in which É and é are not the same letter to ILIKE."""
    if not _ask(connection, "SELECT 'É'::text ILIKE 'é'"):
        sentence = f"{name} does not find É when asked for é (locale C); make it anew with a UTF-8 locale."
        raise Invalid(sentence, code="database_folds_no_case")


def check_writable(connection: psycopg.Connection, name: str) -> None:
    """Refuse a standby, and a role that may not make tables."""
    if _ask(connection, "SELECT pg_is_in_recovery()"):
        raise Invalid(f"{name} is a read-only standby; name its primary.", code="database_not_writable")
    if not _ask(connection, "SELECT has_schema_privilege(current_schema(), 'CREATE')"):
        sentence = (
            f"{name} does not let its user make tables; GRANT CREATE ON SCHEMA public, or let it own the database."
        )
        raise Invalid(sentence, code="database_not_writable")


def check_listen(
    connection: psycopg.Connection, sender: psycopg.Connection, name: str, *, limit_s: float = _LISTEN_LIMIT_S
) -> None:
    """Refuse a connection on which another's NOTIFY does not arrive, as through a pooler in transaction mode."""
    word = uuid.uuid4().hex
    connection.execute("LISTEN soundforge_check")
    sender.execute("SELECT pg_notify('soundforge_check', %s)", [word])
    heard = (notice.payload for notice in connection.notifies(timeout=limit_s))
    if word not in heard:
        sentence = f"{name} does not deliver notifications (LISTEN); connect to PostgreSQL itself, past any pooler."
        raise Invalid(sentence, code="database_deaf")


def _ask(connection: psycopg.Connection, question: str) -> bool:
    row = connection.execute(question.encode()).fetchone()
    return bool(row and row[0])
