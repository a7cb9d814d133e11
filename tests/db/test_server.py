import errno
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import structlog
from psycopg import sql
from pydantic import SecretStr

from soundforge.config import Settings
from soundforge.db import EmbeddedServer, open_server
from soundforge.db._checks import check_listen, check_version, normalise_url
from soundforge.db._server import _watched
from soundforge.errors import Invalid, SoundForgeError, Unavailable
from tests.support.servers import Application, kill_postmaster, postmaster_pid, until


def answers(dsn: str) -> bool:
    try:
        with psycopg.connect(dsn, connect_timeout=2) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def test_the_server_is_there_while_the_block_lasts(embedded: Settings) -> None:
    with open_server(embedded) as dsn:
        assert answers(dsn)
    assert not answers(dsn)


def test_a_killed_server_is_back_within_five_seconds_at_the_same_address(embedded: Settings) -> None:
    server = EmbeddedServer(embedded.data / "postgres")
    with open_server(embedded) as dsn:
        for _ in range(2):
            killed = kill_postmaster(server)
            until(lambda: answers(dsn), within_s=5)
            assert postmaster_pid(server) != killed


class Fragile(EmbeddedServer):
    """One whose looks fail for a while, as they do in a process that has no descriptor left."""

    def __init__(self, folder: Path, failures: list[Exception]) -> None:
        super().__init__(folder)
        self._failures = failures

    def is_alive(self) -> bool:
        if self._failures:
            raise self._failures.pop(0)
        return super().is_alive()


def test_a_look_that_fails_is_logged_once_and_a_later_crash_is_healed(embedded: Settings) -> None:
    too_many = [OSError(errno.EMFILE, "Too many open files") for _ in range(3)]
    failures = [*too_many, UnicodeDecodeError("utf-8", b"x", 0, 1, "no text"), OSError(errno.EMFILE, "Too many")]
    server = Fragile(embedded.data / "postgres", [])
    dsn = server.start()
    try:
        with structlog.testing.capture_logs() as lines, _watched(server):
            server._failures = failures
            until(lambda: not failures, within_s=10)
            kill_postmaster(server)
            until(lambda: not answers(dsn))
            until(lambda: answers(dsn), within_s=5)
    finally:
        server.stop()
    told = [line["error"] for line in lines if line["event"] == "database.watch_failed"]
    assert [error.partition(":")[0] for error in told] == ["OSError", "UnicodeDecodeError", "OSError"]


def test_two_processes_share_one_server_and_one_restart(
    embedded: Settings, open_application: Callable[[], Application]
) -> None:
    server = EmbeddedServer(embedded.data / "postgres")
    log = server.folder / "server.log"
    with open_server(embedded) as dsn:
        other = open_application()
        assert other.wait_until_open() == dsn
        began = log.stat().st_size
        killed = kill_postmaster(server)
        until(lambda: answers(dsn), within_s=5)
        healed = postmaster_pid(server)
        assert healed != killed
        other.leave()
        assert answers(dsn)
        assert postmaster_pid(server) == healed
        starts = log.read_bytes()[began:].decode().count("starting PostgreSQL")
    assert starts == 1
    assert not server.is_alive()


def test_a_killed_application_keeps_no_lock_on_the_server(
    embedded: Settings, open_application: Callable[[], Application]
) -> None:
    other = open_application()
    with open_server(embedded) as dsn:
        other.wait_until_open()
        other.kill()
        assert answers(dsn)
    assert not answers(dsn)


def test_the_next_start_finds_the_server_that_a_killed_application_left_running(
    embedded: Settings, open_application: Callable[[], Application]
) -> None:
    server = EmbeddedServer(embedded.data / "postgres")
    alone = open_application()
    alone.wait_until_open()
    left = postmaster_pid(server)
    alone.kill()
    assert server.is_alive()
    with open_server(embedded) as dsn:
        assert answers(dsn)
        assert postmaster_pid(server) == left
    assert not server.is_alive()


def test_the_last_of_two_processes_stops_the_server(
    embedded: Settings, open_application: Callable[[], Application]
) -> None:
    first, second = open_application(), open_application()
    dsn = first.wait_until_open()
    assert second.wait_until_open() == dsn
    first.leave()
    assert answers(dsn)
    second.leave()
    assert not answers(dsn)


def test_ctrl_c_ends_the_application_and_the_application_stops_the_server(
    embedded: Settings, open_application: Callable[[], Application]
) -> None:
    server = EmbeddedServer(embedded.data / "postgres")
    application = open_application()
    application.wait_until_open()
    began = (server.folder / "server.log").stat().st_size
    application.interrupt()
    assert not server.is_alive()
    log = (server.folder / "server.log").read_bytes()[began:].decode()
    assert "database system is shut down" in log


def test_a_server_that_hangs_in_its_death_is_healed_when_it_is_gone(embedded: Settings) -> None:
    server = EmbeddedServer(embedded.data / "postgres")
    with open_server(embedded) as dsn:
        os.kill(postmaster_pid(server), signal.SIGINT)  # a fast shutdown that nobody of ours asked for
        until(lambda: not answers(dsn))
        until(lambda: answers(dsn), within_s=5)


# The user's own server


@pytest.fixture
def own(server: EmbeddedServer) -> Iterator[Callable[[str], str]]:
    """Make a database with these options on a server that plays the user's own; return its URL."""
    made: list[str] = []
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:

        def make(options: str) -> str:
            made.append(f"own_{uuid4().hex}")
            statement = "CREATE DATABASE {} TEMPLATE template0 " + options
            connection.execute(sql.SQL(statement).format(sql.Identifier(made[-1])))
            return server.url(made[-1])

        yield make
        for name in made:
            connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def refusal(settings: Settings, url: str) -> SoundForgeError:
    chosen = settings.model_copy(update={"database_url": SecretStr(url)})
    with pytest.raises(SoundForgeError) as caught, open_server(chosen):
        pytest.fail("opened a database that must be refused")
    assert caught.value.sentence.endswith(".")
    assert "\n" not in caught.value.sentence
    return caught.value


def test_database_url_is_used_as_it_is_and_never_stopped(
    embedded: Settings, server: EmbeddedServer, own: Callable[[str], str]
) -> None:
    url = own("")
    written = url.replace("postgresql://", "postgresql+psycopg://")
    with open_server(embedded.model_copy(update={"database_url": SecretStr(written)})) as dsn:
        assert dsn == url
        assert answers(dsn)
    assert answers(dsn)


def test_a_url_that_is_none_is_refused_without_repeating_its_password(embedded: Settings) -> None:
    error = refusal(embedded, "postgresql://me:hunter2@[/db")
    assert (type(error), error.code) == (Invalid, "database_url_malformed")
    assert "hunter2" not in str(error)


def test_a_server_that_is_not_there_is_said_with_its_address(embedded: Settings) -> None:
    error = refusal(embedded, "postgresql://me:hunter2@127.0.0.1:9/db")
    assert (type(error), error.code) == (Unavailable, "database_away")
    assert "127.0.0.1" in error.sentence
    assert "hunter2" not in error.sentence + error.detail


def test_a_wrong_password_is_said(embedded: Settings, server: EmbeddedServer) -> None:
    password = (server.folder / "password").read_text()
    error = refusal(embedded, server.url().replace(password, "hunter2"))
    assert "password authentication failed" in error.sentence


def test_an_encoding_that_cannot_hold_every_title_is_refused(embedded: Settings, own: Callable[[str], str]) -> None:
    latin = own("ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C'")
    error = refusal(embedded, latin)
    assert error.code == "database_not_utf8"
    assert "LATIN1" in error.sentence
    assert refusal(embedded, own("ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C'")).code == "database_not_utf8"


def test_a_locale_that_folds_no_accents_is_refused(embedded: Settings, own: Callable[[str], str]) -> None:
    error = refusal(embedded, own("LOCALE_PROVIDER libc LOCALE 'C'"))
    assert error.code == "database_folds_no_case"


def test_a_user_who_may_not_make_tables_is_refused(embedded: Settings, own: Callable[[str], str]) -> None:
    url = own("")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public")
    assert refusal(embedded, url).code == "database_not_writable"


def test_fourteen_is_the_oldest_version_that_will_do() -> None:
    check_version(140000, "It")
    with pytest.raises(Invalid, match="It is PostgreSQL 13; 14 or newer is needed") as caught:
        check_version(130022, "It")
    assert caught.value.code == "database_too_old"


def test_a_connection_that_hears_no_notifications_is_refused(own: Callable[[str], str]) -> None:
    here, elsewhere = own(""), own("")  # a NOTIFY stays within its database
    with (
        psycopg.connect(here, autocommit=True) as listener,
        psycopg.connect(elsewhere, autocommit=True) as sender,
        pytest.raises(Invalid, match="does not deliver notifications") as caught,
    ):
        check_listen(listener, sender, "It", limit_s=0.2)
    assert caught.value.code == "database_deaf"


@pytest.mark.parametrize("url", ["postgres://a@b/c", "postgresql://a@b/c", " postgresql+asyncpg://a@b/c\n"])
def test_every_spelling_of_the_scheme_is_understood(url: str) -> None:
    assert normalise_url(url) == "postgresql://a@b/c"
