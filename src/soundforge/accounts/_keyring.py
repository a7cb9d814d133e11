"""The key file: what a person entrusts to the settings lies encrypted in the database.

The file stays outside the database, so a dump alone gives nothing away.
"""

import os
from pathlib import Path
from uuid import uuid4

from cryptography.fernet import Fernet, InvalidToken

from soundforge.config import make_folder
from soundforge.errors import Broken


class Keyring:
    """Seals and unseals secrets with one key (Fernet: AES-128-CBC with HMAC-SHA256)."""

    def __init__(self, key: bytes) -> None:
        """``key`` is what :meth:`cryptography.fernet.Fernet.generate_key` makes."""
        self._fernet = Fernet(key)

    def seal(self, secret: str) -> str:
        """Encrypt a secret."""
        return self._fernet.encrypt(secret.encode()).decode("ascii")

    def unseal(self, sealed: str) -> str:
        """Decrypt what :meth:`seal` made. Raises ``Broken``: ``secret_unreadable``."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            sentence = "A secret setting was sealed with another key file; enter it again."
            raise Broken(sentence, code="secret_unreadable") from error


def open_keyring(path: Path) -> Keyring:
    """Read the key file, which this account alone may read; make it when there is none.

    Raises:
        Broken: ``bad_key_file``.

    """
    make_folder(path.parent)
    if not path.exists():
        _make(path)
    try:
        return Keyring(path.read_bytes().strip())
    except ValueError as error:
        raise Broken(f"The key file {path} is damaged; restore it from a backup.", code="bad_key_file") from error


def _make(path: Path) -> None:
    """Put a whole new key in place; of two processes that start at once, one's key stays."""
    draft = path.with_name(f"{path.name}.{uuid4().hex}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(Fernet.generate_key() + b"\n")
        out.flush()
        os.fsync(out.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # the other process was quicker: its key counts
    finally:
        draft.unlink()
