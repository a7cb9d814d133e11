"""Whether a storage keeps what it is given: asked by putting, reading and removing something small."""

import asyncio
import hashlib
import time
from pathlib import Path
from uuid import uuid4

from soundforge.errors import NotFound, Unavailable
from soundforge.storage._contract import Storage

CHECKS = "checks"  # the folder of keys; what a killed process left there the sweep removes
EVERY_S = 5.0  # whoever asks more often hears the last answer
PATIENCE_S = 10.0  # a share that hangs answers nothing at all


class StorageCheck:
    """A storage, checked for real at most every ``every_s`` seconds, once for all who ask meanwhile."""

    def __init__(self, storage: Storage, *, every_s: float = EVERY_S, patience_s: float = PATIENCE_S) -> None:
        """Check nothing yet."""
        self._storage, self._every_s, self._patience_s = storage, every_s, patience_s
        self._looking: asyncio.Future[int] | None = None
        self._looked_at = 0.0

    async def free_bytes(self) -> int:
        """Return how many bytes may still be stored, of a storage that works.

        Raises:
            Unavailable: ``storage_away``, ``disk_full``.

        """
        looking = self._looking
        if looking is None or (looking.done() and time.monotonic() >= self._looked_at + self._every_s):
            looking = self._looking = asyncio.ensure_future(_look(self._storage))
            self._looked_at = time.monotonic()
        try:
            async with asyncio.timeout(self._patience_s):
                return await asyncio.shield(looking)  # one who goes away must not end it for the others
        except TimeoutError:
            sentence = f"The storage has not answered for {self._patience_s:g} seconds."
            raise Unavailable(sentence, code="storage_away") from None


async def _look(storage: Storage) -> int:
    key, this_file = f"{CHECKS}/{uuid4().hex}", Path(__file__)
    stored = await storage.put(this_file, key)
    try:
        content = await storage.read(key)
    except NotFound as error:
        raise Unavailable("The storage loses what it is given.", code="storage_away", detail=key) from error
    finally:
        await storage.remove(key)
    if hashlib.sha256(content).hexdigest() != stored.sha256:
        raise Unavailable("The storage gives back something else.", code="storage_away", detail=key)
    return await storage.free_bytes()
