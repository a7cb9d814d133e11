"""Passwords: argon2id, in two threads at most, for each hash takes 64 MB of memory."""

import asyncio
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache

from pwdlib import PasswordHash

from soundforge.errors import Invalid

SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 1000
_MIXED = 3  # different characters at least

_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="passwords")


@dataclass(frozen=True)
class Hashed:
    """A password as it may be kept; a type of its own, so that nobody keeps a password as it was typed."""

    text: str = field(repr=False)


async def hash_password(password: str, *, name: str) -> Hashed:
    """Check and hash a new password of the user ``name``; takes a while, so in no transaction.

    Raises:
        Invalid: ``bad_password``.

    """
    text = _normal(password)
    if not SHORTEST_PASSWORD <= len(text) <= LONGEST_PASSWORD:
        raise _bad(f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.")
    if len(set(text)) < _MIXED or text.casefold() == name.casefold():
        raise _bad("This password is too easy to guess.")
    return Hashed(await asyncio.get_running_loop().run_in_executor(_threads, _hasher().hash, text))


async def verify_password(password: str, known: str | None) -> tuple[bool, str | None]:
    """Tell whether ``password`` is the one behind the hash ``known``, and a better hash when there is one.

    Takes as long when nothing is known, so that the time betrays nobody's name.
    """
    if len(password) > LONGEST_PASSWORD:
        return False, None
    loop = asyncio.get_running_loop()
    fits, better = await loop.run_in_executor(
        _threads, lambda: _hasher().verify_and_update(_normal(password), known or _nobody())
    )
    return fits and known is not None, better


@cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@cache
def _nobody() -> str:
    return _hasher().hash("the password of somebody who does not exist")


def _normal(password: str) -> str:
    """Make one text of what two keyboards write as one letter in different ways."""
    return unicodedata.normalize("NFC", password)


def _bad(sentence: str) -> Invalid:
    return Invalid(sentence, code="bad_password", fields={"password": sentence})
