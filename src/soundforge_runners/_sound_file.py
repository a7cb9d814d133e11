"""Sound files that tell when the disk is full.

libsndfile calls a disk that fills while it encodes "a problem with the flac decoder", and one that fills at the very
end it does not mention. So it gets a file of ours, and what the disk says is raised as the OSError that it is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import soundfile
from numpy.typing import NDArray


class SoundOut:
    """A new sound file, written block by block; a context manager, which closes it."""

    def __init__(
        self,
        path: Path,
        rate_hz: int,
        channels: int,
        subtype: str,
        *,
        container: str = "FLAC",
        compression: float | None = None,
    ) -> None:
        """Open ``path`` for the container and sample format that libsndfile knows by these names."""
        self._disk = _Disk(path)
        self._sound = soundfile.SoundFile(
            self._disk, "w", rate_hz, channels, subtype, format=container, compression_level=compression
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with self._disk.telling():
                self._sound.close()
        finally:
            self._disk.close()

    def write(self, samples: NDArray[Any]) -> None:
        """Write [frames, channels] in any type that libsndfile takes. Raises OSError."""
        with self._disk.telling():
            self._sound.write(samples)


class _Disk:
    """A file for libsndfile, which cannot pass on an exception: the first one is kept."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)
        self._fault: OSError | None = None
        self.seek, self.tell, self.close = self._file.seek, self._file.tell, self._file.close

    def write(self, data: bytes) -> int:
        left = memoryview(data)
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError as fault:
            self._fault = self._fault or fault
        return len(data) - len(left)

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Raise what the disk said meanwhile, whatever libsndfile made of it."""
        try:
            yield
        finally:
            if self._fault is not None:
                raise self._fault
