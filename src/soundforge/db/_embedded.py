"""The embedded PostgreSQL: one process's share in the server that lives in one folder.

Below the folder: ``cluster/`` (PostgreSQL's data), ``run/`` (its socket), ``password``,
``server.log``, ``start.lock`` (held while anybody starts or stops), ``users.lock`` (shared by every
process that uses the server) and, as root, ``pgserver-<version>/`` (the programs).
"""

import hashlib
import os
import secrets
import shlex
import shutil
import subprocess
import sys
import time
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from soundforge import logs
from soundforge.config import make_folder
from soundforge.db._folders import (
    check_reachable,
    locked,
    make_private,
    open_private,
    socket_folder,
    write_private,
)
from soundforge.db._postmaster import clear_sockets, disown_stale, find_postmaster
from soundforge.db._programs import MAJOR, Programs, find_account, find_programs
from soundforge.errors import Broken

_ROLE = "soundforge"
_DATABASE = "soundforge"
_PORT = 5432  # names the socket only: TCP is off
_START_LIMIT_S = 600.0  # recovery after a crash may take its time
_STOP_LIMIT_S = 60.0
_CONNECT_LIMIT_S = 5
# One call for the whole file system instead of one for each of a thousand files: where the disk is
# busy that is half a second instead of five, both on the first start and after a crash.
_SYNC = "syncfs" if sys.platform == "linux" else "fsync"
_ATTEMPTS = 10  # backends of a killed postmaster need a moment to notice and go
_AGAIN_S = 0.3
_LARGEST_LOG = 5_000_000  # bytes
_log = logs.get(__name__)


class EmbeddedServer:
    """One process's share in the PostgreSQL server of ``folder``, which it starts when nobody has yet.

    Any number of processes may share one folder; the last to stop stops the server. Not for use by
    several threads at once, except :meth:`heal`.
    """

    def __init__(self, folder: Path) -> None:
        """Name the folder, which belongs to the server alone; nothing happens before :meth:`start`."""
        self.folder = folder.resolve()
        self.cluster = self.folder / "cluster"
        self.name = "soundforge-" + hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        self._socket = socket_folder(self.folder)
        self._users: int | None = None  # descriptor of users.lock while we hold our share

    def start(self) -> str:
        """Take a share in the server, start it if need be, and return its URL once it answers. Safe to call twice.

        Raises Broken: ``database_not_installed``, ``database_no_account``,
        ``database_folder_unreachable``, ``database_folder_taken``, ``database_folder_denied``,
        ``database_password_lost``, ``database_other_major``, ``database_start_failed``.
        """
        try:
            self._make_folder()
            with locked(self.folder / "start.lock"):
                self._join()
                try:
                    self._ensure()
                    self._ensure_database()
                except BaseException:
                    self._leave()
                    raise
        except PermissionError as error:
            sentence = f"The database's folder {self.folder} belongs to another account ({error.strerror})."
            raise Broken(sentence, code="database_folder_denied", detail=str(error)) from error
        return self.url()

    def stop(self) -> None:
        """Give our share back, and stop the server when it was the last one. Safe to call twice."""
        if self._users is None:
            return
        with locked(self.folder / "start.lock"):
            self._leave()

    def is_alive(self) -> bool:
        """Tell whether the server's process lives; cheap enough to ask twice a second."""
        return find_postmaster(self.cluster, self.name) is not None

    def heal(self) -> None:
        """Start the server again if it died; when several processes notice, one starts and the others find it."""
        with locked(self.folder / "start.lock"):
            self._ensure()

    def url(self, database: str = _DATABASE) -> str:
        """Return the libpq URL of one of the server's databases, with role and password."""
        try:
            password = (self.folder / "password").read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            sentence = f"The database's password file {self.folder / 'password'} is gone; put it back from a backup."
            raise Broken(sentence, code="database_password_lost") from None
        host = quote(str(self._socket), safe="")
        return f"postgresql://{_ROLE}:{password}@/{quote(database)}?host={host}&port={_PORT}"

    def _make_folder(self) -> None:
        account = find_account()
        make_folder(self.folder)
        self.folder.chmod(
            0o711 if account else 0o700
        )  # ours alone, so this one may also be made passable when it exists
        if account:
            check_reachable(self.folder, account)

    def _join(self) -> None:
        if self._users is None:  # a second share of ours could never be given back, and the server never stop
            self._users = open_private(self.folder / "users.lock")
            flock(self._users, LOCK_SH)

    def _leave(self) -> None:
        """Give our share back; with ``start.lock`` held, so nobody can join between the question and the stop."""
        if self._users is None:
            return
        try:
            flock(self._users, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            _log.debug("database.left", folder=str(self.folder))
        else:
            self._shut_down()
        finally:
            os.close(self._users)
            self._users = None

    def _ensure(self) -> None:
        """Make sure that a server answers: the one that runs, or a new one."""
        if self._answers() or self._wait_while_alive():
            return
        programs = find_programs(self.folder, find_account())
        if not self.cluster.exists():
            self._initialise(programs)
        self._check_major()
        self._launch(programs)

    def _answers(self) -> bool:
        if not (self.folder / "password").exists():
            return False
        try:  # not PGconn.ping: it would hold the whole process still while a mute server lets it wait
            psycopg.connect(self.url("postgres"), connect_timeout=_CONNECT_LIMIT_S).close()
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise self._start_failed(f"its password is not the one in {self.folder / 'password'}") from error
            return False
        return True

    def _wait_while_alive(self) -> bool:
        """Wait for a server that lives but does not answer yet: it starts, recovers or is shutting down."""
        deadline = time.monotonic() + _START_LIMIT_S
        while self.is_alive():
            if self._answers():
                return True
            if time.monotonic() > deadline:
                raise self._start_failed("it lives but does not answer")
            time.sleep(0.05)
        return False

    def _initialise(self, programs: Programs) -> None:
        """Make the cluster aside and move it into place whole, so a kill in between leaves nothing half-made."""
        fresh = self.folder / "fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        make_private(fresh, programs.account)
        password = secrets.token_urlsafe(24)
        write_private(fresh / "password", password)
        if programs.account:
            os.chown(fresh / "password", programs.account.uid, programs.account.gid)
        options = [f"--pgdata={fresh / 'cluster'}", f"--pwfile={fresh / 'password'}", f"--username={_ROLE}"]
        options += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        options += ["--auth-local=scram-sha-256", "--auth-host=scram-sha-256", "--set=listen_addresses="]
        options += [f"--sync-method={_SYNC}"]
        self._run(programs, "initdb", *options)
        write_private(self.folder / "password", password)
        (fresh / "cluster").rename(self.cluster)
        shutil.rmtree(fresh)

    def _check_major(self) -> None:
        found = (self.cluster / "PG_VERSION").read_text(encoding="utf-8").strip()
        if found != str(MAJOR):
            sentence = f"The database in {self.folder} was made by PostgreSQL {found}, and this is PostgreSQL {MAJOR}."
            raise Broken(sentence, code="database_other_major")

    def _launch(self, programs: Programs) -> None:
        make_private(self._socket, programs.account)
        for attempt in range(_ATTEMPTS):
            disown_stale(self.cluster)
            clear_sockets(self._socket)
            try:
                self._run(programs, "pg_ctl", "start", "-s", "-w", f"-t{_START_LIMIT_S:.0f}", "-o", self._options())
            except Broken as error:
                if self._wait_while_alive():
                    return
                if attempt == _ATTEMPTS - 1 or "is still in use" not in error.sentence:
                    raise
                time.sleep(_AGAIN_S)
            else:
                _log.info("database.started", folder=str(self.folder))
                return

    def _options(self) -> str:
        """Return the postmaster's own options, quoted for the shell through which ``pg_ctl`` starts it."""
        directory = str(self._socket).replace('"', '""')
        values = {
            "cluster_name": self.name,
            "unix_socket_directories": f'"{directory}"',
            "unix_socket_permissions": "0700",
            "port": str(_PORT),
            "max_connections": "200",
            "shared_buffers": "256MB",  # 100,000 tracks are 130 MB; a search without an index reads them
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_checkpoints": "off",
            "recovery_init_sync_method": _SYNC,
        }
        return shlex.join(part for name, value in values.items() for part in ("-c", f"{name}={value}"))

    def _ensure_database(self) -> None:
        try:
            with psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=_CONNECT_LIMIT_S) as connection:
                known = "SELECT 1 FROM pg_database WHERE datname = %s"
                if connection.execute(known, [_DATABASE]).fetchone() is None:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_DATABASE)))
        except psycopg.OperationalError as error:
            raise self._start_failed(str(error).strip().splitlines()[-1]) from error

    def _shut_down(self) -> None:
        if not self.is_alive():  # never let pg_ctl signal a stranger
            return
        programs = find_programs(self.folder, find_account())
        try:
            self._run(programs, "pg_ctl", "stop", "-s", "-w", "-m", "fast", f"-t{_STOP_LIMIT_S:.0f}")
        except Broken as error:
            _log.warning("database.stop_failed", folder=str(self.folder), detail=error.detail)
        else:
            self._socket.rmdir()
            _log.info("database.stopped", folder=str(self.folder))

    def _run(self, programs: Programs, name: str, *arguments: str) -> None:
        log = self.folder / "server.log"
        if log.exists() and log.stat().st_size > _LARGEST_LOG:
            log.replace(log.with_name("server.log.1"))
        with os.fdopen(open_private(log), "ab") as out:
            try:
                env = {"PGDATA": str(self.cluster)}
                done = programs.run(name, *arguments, env=env, out=out, limit_s=_START_LIMIT_S + 60)
            except (OSError, subprocess.SubprocessError) as error:
                raise self._start_failed(f"{name}: {error}") from error
        if done.returncode != 0:
            raise self._start_failed(f"{name} ended with {done.returncode}")

    def _start_failed(self, fallback: str) -> Broken:
        """Say why in PostgreSQL's own last words, or in ours where it had none."""
        log = self.folder / "server.log"
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:] if log.exists() else []
        words = [line.partition(mark)[2].strip() for line in lines for mark in ("FATAL:", "error:") if mark in line]
        cause = words[-1] if words else fallback
        sentence = f"The embedded PostgreSQL did not start: {cause} (its log is {log})."
        return Broken(sentence, code="database_start_failed", detail="\n".join([fallback, *lines]))
