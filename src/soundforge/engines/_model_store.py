"""Where model files lie on this machine, and whether they are what they should be.

``folder/<model>/<file>`` holds what was pulled: a file has its name only once its checksum was right. ``offline`` is a
folder of somebody's own, used in place and never written to, that holds the same files in folders by model or flat.
"""

import asyncio
import hashlib
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from soundforge.engines._models import MODELS, ModelFile, ModelSpec
from soundforge.errors import Broken, Conflict, Invalid
from soundforge.tools import Tools

PART = ".part"  # after the name of a file that is on its way
CHECKSUM = ".sha256"  # after the name of the file that tells what the hub said, where the table knows nothing


class ModelStore:
    """The models of this machine."""

    def __init__(self, folder: Path, *, offline: Path | None = None, models: Mapping[str, ModelSpec] = MODELS) -> None:
        """Keep files in ``folder``, which need not exist, and look into ``offline`` as well."""
        self.folder = folder
        self.models = models
        self._offline = offline
        self._right: dict[Path, tuple[int, int, int]] = {}  # files that were read through and found right

    def spec(self, model: str) -> ModelSpec:
        """Return what the table says of a model; raises Invalid (``unknown_model``)."""
        if model not in self.models:
            sentence = f"There is no such model. There are: {', '.join(self.models)}."
            raise Invalid(sentence, code="unknown_model", fields={"model": sentence})
        return self.models[model]

    def is_here(self, model: str) -> bool:
        """Whether every file of a model lies here, as large as it should be; contents are not looked at."""
        return all(self._find(model, file) for file in self.spec(model).files)

    def path(self, model: str, file: ModelFile) -> Path:
        """Return where a file of a model has its place once it is pulled."""
        return self.folder / model / file.name

    def part_bytes(self, model: str) -> int:
        """How much of what is not here yet was pulled before and waits to be gone on with."""
        parts = (self._part(model, file) for file in self.missing(model))
        return sum(part.stat().st_size for part in parts if part.exists())

    def missing(self, model: str) -> tuple[ModelFile, ...]:
        """List the files of a model that are not here."""
        return tuple(file for file in self.spec(model).files if not self._find(model, file))

    async def get_files(self, model: str, stems: Collection[str] = ()) -> dict[str, Path]:
        """Return the paths, by official name, of the files that some stems need (none named: all), read through.

        Raises Broken (``model_missing``, ``model_damaged``), Invalid (``unknown_model``).
        """
        spec = self.spec(model)
        found = {file.name: self._get(model, file) for file in spec.files_for(stems)}
        for file in spec.files_for(stems):
            await asyncio.to_thread(self._check, model, file, found[file.name])
        return found

    def remove(self, model: str) -> int:
        """Remove what was pulled of a model, and give how many bytes that was.

        Raises what ``check_pulled`` raises.
        """
        folder = self.check_pulled(model)
        size = sum(path.stat().st_size for path in folder.iterdir())
        shutil.rmtree(folder)
        return size

    def is_pulled(self, model: str) -> bool:
        """Whether anything of a model was pulled, so that it can be removed."""
        return self._folder(model).is_dir()

    def check_pulled(self, model: str) -> Path:
        """Return the folder of what was pulled of a model.

        Raises Conflict (``model_not_pulled``) where nothing was: also for one that lies in the offline folder alone.
        """
        if not self.is_pulled(model):
            sentence = f"{model} was not downloaded by the studio, so there is nothing to remove."
            raise Conflict(sentence, code="model_not_pulled")
        return self._folder(model)

    def checksum(self, model: str, file: ModelFile, path: Path | None = None) -> str | None:
        """Return the checksum that a file must have: the table's, else what the hub said when it was pulled."""
        told = (path or self.path(model, file)).with_name(file.name + CHECKSUM)
        if file.sha256 or not told.is_file():
            return file.sha256
        return told.read_text("ascii").strip()

    def _folder(self, model: str) -> Path:
        return self.folder / self.spec(model).name

    def _part(self, model: str, file: ModelFile) -> Path:
        return self.folder / model / (file.name + PART)

    def _places(self, model: str, file: ModelFile) -> Iterator[Path]:
        yield self.path(model, file)
        if self._offline is not None:
            yield self._offline / model / file.name
            yield self._offline / file.name

    def _find(self, model: str, file: ModelFile) -> Path | None:
        for path in self._places(model, file):
            if path.is_file() and file.size_bytes in (None, path.stat().st_size):
                return path
        return None

    def _get(self, model: str, file: ModelFile) -> Path:
        path = self._find(model, file)
        if path is None:
            sentence = f"The model {model} is not downloaded. Get it with: soundforge models pull {model}"
            raise Broken(sentence, code="model_missing", detail=file.name)
        return path

    def _check(self, model: str, file: ModelFile, path: Path) -> None:
        """Read a file through, unless it is known not to have changed since; blocks some tenths of a second."""
        wanted, found = self.checksum(model, file, path), path.stat()
        mark = (found.st_ino, found.st_size, found.st_mtime_ns)
        if wanted is None or self._right.get(path) == mark:
            return
        if file_sha256(path) != wanted:
            sentence = f"The file {file.name} of the model {model} is damaged or another one. Remove it, then pull it."
            raise Broken(sentence, code="model_damaged", detail=str(path))
        self._right[path] = mark


def file_sha256(path: Path) -> str:
    """Return the checksum of a file; blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


_bound: list[tuple[ModelStore, Tools | None]] = []


@contextmanager
def open_models(store: ModelStore, tools: Tools | None = None) -> Iterator[ModelStore]:
    """Tell this process where its models lie, and the tools that some of them run in."""
    _bound.append((store, tools))
    try:
        yield store
    finally:
        _bound.remove((store, tools))


def model_store() -> ModelStore:
    """The models of this process; none but what needs no file, before ``open_models``."""
    return _bound[-1][0] if _bound else ModelStore(Path("/nonexistent"))


def model_tools() -> Tools | None:
    """The tools of this process; None before ``open_models`` was told of them."""
    return _bound[-1][1] if _bound else None
