"""Tokens that we hand out: 32 random bytes, of which the database keeps only the SHA-256.

A fast hash is right here: nobody guesses 256 random bits. Passwords are another matter.
"""

import hashlib
import secrets

_BYTES = 32
_LONGEST = 200  # whatever is longer was never ours and need not be hashed


def new_secret() -> str:
    """Make a token of 43 characters that are safe in links, cookies and headers."""
    return secrets.token_urlsafe(_BYTES)


def digest(token: str) -> str:
    """Return what the database keeps of ``token``: 64 hexadecimal digits."""
    return hashlib.sha256(token[:_LONGEST].encode(errors="replace")).hexdigest()
