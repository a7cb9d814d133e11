"""The server this process works on: the user's own, or the embedded one, kept alive."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from soundforge import logs
from soundforge.config import Settings
from soundforge.db._checks import check_server, normalise_url
from soundforge.db._embedded import EmbeddedServer
from soundforge.errors import SoundForgeError

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
    while not done.wait(_LOOK_EVERY_S):
        if server.is_alive():
            continue
        _log.warning("database.died", folder=str(server.folder))
        try:
            server.heal()
        except (SoundForgeError, OSError) as error:  # tried again at the next look, for as long as we live
            _log.exception("database.heal_failed", error_type=type(error).__name__)
