"""What only root meets: PostgreSQL refuses to run as root, so it runs under another account."""

import os
import stat
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest

from soundforge.config import Settings
from soundforge.db import EmbeddedServer, open_server
from soundforge.db._programs import _copy_file, find_account
from soundforge.errors import Broken
from tests.support.servers import kill_postmaster, postmaster_pid, reachable_folder, until


def test_the_server_runs_under_an_account_without_rights(server: EmbeddedServer) -> None:
    assert psutil.Process(postmaster_pid(server)).username() == "nobody"


def test_its_programs_can_be_read_by_it_whatever_the_umask_was(server: EmbeddedServer) -> None:
    copies = list(server.folder.glob("pgserver-*"))
    assert len(copies) == 1
    for path in (copies[0], *copies[0].rglob("*")):
        needed = 0o555 if path.is_dir() or path.parent.name == "bin" else 0o444
        assert stat.S_IMODE(path.stat().st_mode) & needed == needed, path


def test_a_program_that_only_root_may_read_is_copied_and_keeps_its_mode(tmp_path: Path) -> None:
    private, public = tmp_path / "private", tmp_path / "public"
    for path, mode in ((private, 0o700), (public, 0o755)):
        path.write_text("program")
        path.chmod(mode)
        _copy_file(path, path.with_suffix(".copy"))
        assert stat.S_IMODE(path.stat().st_mode) == mode
        assert stat.S_IMODE(path.with_suffix(".copy").stat().st_mode) == 0o755
    assert not private.samefile(private.with_suffix(".copy"))
    assert public.samefile(public.with_suffix(".copy"))


def test_a_folder_that_the_account_cannot_reach_is_named_and_left_as_it_is(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    with pytest.raises(Broken) as caught, open_server(Settings(_env_file=None, data=home / "data", database_url=None)):
        pytest.fail("opened a server that cannot reach its data")
    assert caught.value.code == "database_folder_unreachable"
    assert "may not enter /" in caught.value.sentence
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_data_folder_made_by_the_start_is_passable_whatever_the_umask_was(data: Path) -> None:
    for folder in (data.parent, data, data / "postgres"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o711


def test_a_socket_folder_of_a_stranger_is_refused(server: EmbeddedServer) -> None:
    server.stop()
    run = server.folder / "run"
    run.mkdir()
    os.chown(run, 54321, 54321)
    with pytest.raises(Broken, match="should be a folder of this PostgreSQL alone") as caught:
        server.start()
    run.rmdir()
    assert caught.value.code == "database_folder_taken"


def test_a_plain_user_starts_loses_and_heals_a_server_of_their_own(server: EmbeddedServer) -> None:
    programs = next(server.folder.glob("pgserver-*"))  # where the wheel lies in root's home the user cannot read it
    account = find_account()
    assert account is not None

    def live() -> None:
        sys.path.insert(0, str(programs))
        own = EmbeddedServer(top / "theirs" / "postgres")
        try:
            with psycopg.connect(own.start()) as connection:
                assert connection.execute("SELECT 'É' ILIKE 'é'").fetchone() == (True,)
            assert psutil.Process(postmaster_pid(own)).uids().effective == os.geteuid()
            killed = kill_postmaster(own)
            until(lambda: not own.is_alive())
            pid_file = own.cluster / "postmaster.pid"
            pid_file.write_text(pid_file.read_text().replace(str(killed), str(os.getpid()), 1))
            own.heal()
            assert own.is_alive()
            assert stat.S_IMODE(own.folder.stat().st_mode) == 0o700
            assert not list(own.folder.glob("pgserver-*"))
        finally:
            own.stop()
        assert not own.is_alive()

    with reachable_folder() as top:
        theirs = top / "theirs"
        theirs.mkdir()
        os.chown(theirs, account.uid, account.gid)
        run_as(account.uid, account.gid, live, said=theirs / "error")


def run_as(uid: int, gid: int, work: Callable[[], None], *, said: Path) -> None:
    """Do ``work`` in a fork under another account: an interpreter in root's home cannot be started by it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the threads of a test runner touch nothing of ours
        pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setgid(gid)
            os.setuid(uid)
            work()
        except BaseException:  # noqa: BLE001 - the fork must end here, whatever happened
            said.write_text(traceback.format_exc())
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert status == 0, said.read_text() if said.exists() else status
