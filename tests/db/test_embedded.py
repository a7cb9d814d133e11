import os
import signal
import stat
import threading
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

import psutil
import psycopg
import pytest

from soundforge.db import EmbeddedServer
from soundforge.errors import Broken
from tests.support.servers import kill_postmaster, postmaster_pid, reachable_folder, until


def ask(dsn: str, question: str) -> object:
    with psycopg.connect(dsn, autocommit=True) as connection:
        row = connection.execute(question.encode()).fetchone()
        assert row is not None
        return row[0]


def test_a_cold_start_makes_the_database_anew_where_one_before_it_was_interrupted() -> None:
    with reachable_folder() as top:
        fresh = top / "postgres" / "fresh"
        (fresh / "cluster").mkdir(parents=True)
        (fresh / "cluster" / "half").write_text("made")
        server = EmbeddedServer(fresh.parent)
        try:
            assert ask(server.start(), "SELECT 1") == 1
            assert not fresh.exists()
        finally:
            server.stop()
        assert not server.is_alive()
        assert not (server.folder / "run").exists()


def test_case_folds_beyond_ascii_whatever_locale_made_the_database(server: EmbeddedServer) -> None:
    assert ask(server.url(), "SELECT 'BEYONCÉ' ILIKE 'beyoncé'") is True
    assert ask(server.url(), "SELECT datlocprovider::text || datlocale FROM pg_database LIMIT 1") == "bC.UTF-8"


def test_every_way_in_asks_for_the_password(server: EmbeddedServer) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        methods = {row[0] for row in connection.execute("SELECT auth_method FROM pg_hba_file_rules")}
    assert methods == {"scram-sha-256"}
    password = (server.folder / "password").read_text()
    with pytest.raises(psycopg.OperationalError, match=r"password authentication failed"):
        psycopg.connect(server.url().replace(password, "wrong"))


def test_no_port_is_open(server: EmbeddedServer) -> None:
    connections = psutil.Process(postmaster_pid(server)).net_connections()
    assert [one for one in connections if one.type == 1 and one.family.name != "AF_UNIX"] == []
    assert ask(server.url(), "SHOW listen_addresses") == ""


@pytest.mark.parametrize(
    ("name", "mode"),
    [("password", 0o600), ("cluster", 0o700), ("run", 0o700), ("run/.s.PGSQL.5432", 0o700), ("users.lock", 0o600)],
)
def test_nobody_else_may_read_what_is_private(server: EmbeddedServer, name: str, mode: int) -> None:
    assert stat.S_IMODE((server.folder / name).stat().st_mode) == mode


def test_ctrl_c_on_our_terminal_does_not_reach_the_server(server: EmbeddedServer) -> None:
    pid = postmaster_pid(server)
    assert os.getsid(pid) != os.getsid(0)
    assert os.getpgid(pid) != os.getpgid(0)


def test_a_warm_start_keeps_the_data(server: EmbeddedServer) -> None:
    ask(server.url(), "SELECT 1 FROM (SELECT set_config('a.b', 'c', false)) AS x")
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept AS SELECT 'song' AS word")
    server.stop()
    assert ask(server.start(), "SELECT word FROM kept") == "song"


def test_what_was_committed_survives_a_killed_server(server: EmbeddedServer) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS survivors (word text)")
        connection.execute("INSERT INTO survivors VALUES ('song')")
    kill_postmaster(server)
    until(lambda: not server.is_alive())
    server.heal()
    assert ask(server.url(), "SELECT word FROM survivors") == "song"


def test_a_pid_file_that_names_a_living_stranger_stops_nothing(
    server: EmbeddedServer, foreigner: psutil.Process
) -> None:
    crash_and_name(server, foreigner.pid)
    assert not server.is_alive()
    server.heal()
    assert ask(server.url(), "SELECT 1") == 1
    assert postmaster_pid(server) != foreigner.pid
    assert foreigner.is_running()


def test_stopping_never_signals_a_stranger_that_the_pid_file_names(
    server: EmbeddedServer, foreigner: psutil.Process
) -> None:
    crash_and_name(server, foreigner.pid)
    server.stop()
    assert foreigner.status() in (psutil.STATUS_SLEEPING, psutil.STATUS_RUNNING)


def test_a_killed_server_that_nobody_has_reaped_counts_as_dead(server: EmbeddedServer) -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    try:
        until(lambda: psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
        crash_and_name(server, pid)
        assert not server.is_alive()
        server.heal()
        assert ask(server.url(), "SELECT 1") == 1
    finally:
        os.waitpid(pid, 0)


def crash_and_name(server: EmbeddedServer, pid: int) -> None:
    """Kill the server and let its left-over lock files name another process, as after a container's restart."""
    kill_postmaster(server)
    until(lambda: not server.is_alive())
    for path in (server.cluster / "postmaster.pid", server.folder / "run" / ".s.PGSQL.5432.lock"):
        _first, _newline, rest = path.read_text().partition("\n")
        path.write_text(f"{pid}\n{rest}")


def test_a_server_that_lives_but_is_mute_is_waited_for_and_not_doubled(server: EmbeddedServer) -> None:
    pid = postmaster_pid(server)
    os.kill(pid, signal.SIGSTOP)
    healing = threading.Thread(target=server.heal)
    healing.start()
    until(lambda: start_lock_is_held(server))
    os.kill(pid, signal.SIGCONT)
    healing.join()
    assert postmaster_pid(server) == pid


def start_lock_is_held(server: EmbeddedServer) -> bool:
    with (server.folder / "start.lock").open() as file:
        try:
            flock(file, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            return True
        return False


def test_of_two_shares_the_first_to_leave_stops_nothing(server: EmbeddedServer) -> None:
    second = EmbeddedServer(server.folder)
    assert second.start() == server.url()
    server.stop()
    assert ask(second.url(), "SELECT 1") == 1
    second.stop()
    assert not second.is_alive()
    second.stop()  # twice does no harm


def test_started_twice_it_has_one_share_and_stops_once(server: EmbeddedServer) -> None:
    assert server.start() == server.url()
    server.stop()
    assert not server.is_alive()


def test_a_folder_moved_to_a_path_too_long_for_a_socket_gets_a_short_one(data: Path) -> None:
    long = EmbeddedServer((data / "postgres").rename(data / ("long" * 25)))
    try:
        assert ask(long.start(), "SHOW unix_socket_directories") == f'"/tmp/{long.name}"'
        assert stat.S_IMODE(Path("/tmp", long.name).stat().st_mode) == 0o700
    finally:
        long.stop()
        long.folder.rename(data / "postgres")
    assert not Path("/tmp", long.name).exists()


def test_a_lost_password_file_is_said_in_one_sentence(server: EmbeddedServer) -> None:
    server.stop()
    password = server.folder / "password"
    aside = password.rename(password.with_name("aside"))
    with pytest.raises(Broken, match=r"password file .* is gone") as caught:
        server.start()
    aside.rename(password)
    assert caught.value.code == "database_password_lost"
    assert not server.is_alive()


def test_a_password_file_of_another_server_is_said_in_one_sentence(server: EmbeddedServer) -> None:
    password = server.folder / "password"
    right = password.read_text()
    password.write_text("wrong")
    with pytest.raises(Broken, match="password authentication failed"):
        EmbeddedServer(server.folder).start()
    password.write_text(right)
    assert ask(server.url(), "SELECT 1") == 1


def test_a_cluster_of_another_major_version_is_said_in_one_sentence(server: EmbeddedServer) -> None:
    server.stop()
    version = server.cluster / "PG_VERSION"
    version.write_text("17\n")
    with pytest.raises(Broken, match="made by PostgreSQL 17, and this is PostgreSQL 18") as caught:
        server.start()
    version.write_text("18\n")
    assert caught.value.code == "database_other_major"


def test_a_server_that_cannot_start_says_why_in_its_own_words(server: EmbeddedServer) -> None:
    server.stop()
    configuration = server.cluster / "postgresql.conf"
    good = configuration.read_text()
    configuration.write_text(good + "\nno_such_setting = 1\n")
    with pytest.raises(Broken, match=r"did not start: .*configuration file .* contains errors") as caught:
        server.start()
    configuration.write_text(good)
    assert caught.value.code == "database_start_failed"
    assert "no_such_setting" in caught.value.detail


def test_a_failed_start_gives_its_share_back(server: EmbeddedServer) -> None:
    server.stop()
    version = server.cluster / "PG_VERSION"
    version.write_text("17\n")
    with pytest.raises(Broken):
        server.start()
    version.write_text("18\n")
    other = EmbeddedServer(server.folder)
    other.start()
    other.stop()
    assert not other.is_alive()
