"""The server this process works on: the user's own, or the embedded one, kept alive."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from soundforge import logs
from soundforge.config import Settings
from soundforge.db._checks import check_server, normalise_url
from soundforge.db._embedded import EmbeddedServer

_LOOK_EVERY_S = 0.5
_log = logs.get(__name__)


@contextmanager
def open_server(settings: Settings) -> Iterator[str]:
    """Give the libpq URL of a checked PostgreSQL: that of DATABASE_URL, or the embedded one.

    The embedded server lies in ``postgres/`` below the data folder. While the block lasts it is
    started again within seconds should it die; when the last process leaves, it stops.
    Raises what :meth:`EmbeddedServer.start` and :func:`check_server` raise.
    """
    if settings.database_url is not None:
        dsn = normalise_url(settings.database_url.get_secret_value())
        check_server(dsn, name="The database of DATABASE_URL")
        yield dsn
        return
    server = EmbeddedServer(settings.data / "postgres")
    try:
        dsn = server.start()
        check_server(dsn, name="The embedded database")
        with _watched(server):
            yield dsn
    finally:
        server.stop()


@contextmanager
def _watched(server: EmbeddedServer) -> Iterator[None]:
    """Look after the server in a thread, so that a busy event loop cannot delay it and the CLI needs no loop."""
    done = threading.Event()
    thread = threading.Thread(target=_watch, args=(server, done), name="database-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _watch(server: EmbeddedServer, done: threading.Event) -> None:
    """Look, and heal, for as long as we live: whatever goes wrong with one look, the next one tries again."""
    told = ""  # what went wrong at the last look; it is logged once for as long as it stays
    while not done.wait(_LOOK_EVERY_S):
        try:
            _look(server)
        except Exception as error:  # noqa: BLE001 - a thread that ended would leave the next crash to nobody
            failure = f"{type(error).__name__}: {error}"
            if failure != told:
                _log.exception("database.watch_failed", folder=str(server.folder), error=failure)
            told = failure
        else:
            told = ""


def _look(server: EmbeddedServer) -> None:
    if not server.is_alive():
        _log.warning("database.died", folder=str(server.folder))
        server.heal()
