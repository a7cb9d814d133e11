"""What the disk alone can get wrong: half files, full disks, killed and cancelled writers, races."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from soundforge.errors import NotFound, Unavailable
from soundforge.storage import DiskStorage
from tests.support.servers import until

KEY = "jobs/a/1/vocals.flac"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "storage"


@pytest.fixture
def storage(root: Path) -> DiskStorage:
    return DiskStorage(root)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(b"sound" * 1000)
    return path


def files(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


async def test_an_object_is_read_only_on_disk_and_nothing_half_written_stays(
    storage: DiskStorage, root: Path, source: Path
) -> None:
    await storage.put(source, KEY)
    assert files(root) == [f"objects/{KEY}"]
    assert (root / "objects" / KEY).stat().st_mode & 0o777 == 0o440


async def test_removal_cleans_up_the_folders_it_emptied(storage: DiskStorage, root: Path, source: Path) -> None:
    await storage.put(source, "jobs/a/1/deep/x")
    await storage.put(source, "jobs/b/1/x")
    await storage.remove("jobs/a/1/")
    assert [path.name for path in (root / "objects/jobs").iterdir()] == ["b"]
    await storage.remove("jobs/b/1/x")
    assert [*(root / "objects").iterdir()] == []


async def test_writers_and_removals_in_one_folder_do_not_trip_each_other(storage: DiskStorage, source: Path) -> None:
    async def come_and_go(name: str) -> None:
        for turn in range(25):
            await storage.put(source, f"jobs/a/1/{name}-{turn}")
            assert await storage.remove(f"jobs/a/1/{name}-{turn}") == 1

    await asyncio.gather(*(come_and_go(f"w{number}") for number in range(6)))


FILL = """
import asyncio, resource, sys
from pathlib import Path
from soundforge.errors import Unavailable
from soundforge.storage import DiskStorage
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    asyncio.run(DiskStorage(Path(sys.argv[1])).put(Path(sys.argv[2]), "jobs/a/1/big"))
except Unavailable as error:
    print(error.code, "|", error.sentence)
"""


async def test_a_full_disk_is_told_in_one_sentence_and_leaves_nothing(root: Path, tmp_path: Path) -> None:
    """A limit on the size of files stands in for the full disk: writing fails in the same place."""
    (tmp_path / "big").write_bytes(bytes(3_000_000))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-B", "-c", FILL, str(root), str(tmp_path / "big"), stdout=subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert said.decode().strip() == "disk_full | The disk is full."
    assert files(root) == []


@pytest.fixture
def fifo(tmp_path: Path) -> Iterator[Path]:
    """Give a source that never ends by itself, so that a writer can be caught half way."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    handle = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    os.write(handle, b"half")
    yield path
    os.close(handle)


async def until_partial(root: Path, size_bytes: int) -> None:
    partial = root / "partial"
    await asyncio.to_thread(until, lambda: any(path.stat().st_size >= size_bytes for path in partial.iterdir()))


async def test_a_cancelled_put_leaves_nothing(storage: DiskStorage, root: Path, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    handle = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
    os.write(handle, b"half")
    putting = asyncio.create_task(storage.put(fifo, KEY))
    await until_partial(root, 4)
    putting.cancel()
    await asyncio.sleep(0)
    os.write(handle, b"more")
    with pytest.raises(asyncio.CancelledError):
        await putting
    os.close(handle)
    assert files(root) == []


PUT = """
import asyncio, sys
from pathlib import Path
from soundforge.storage import DiskStorage
asyncio.run(DiskStorage(Path(sys.argv[1])).put(Path(sys.argv[2]), "jobs/a/1/big"))
"""


async def test_the_sweep_takes_what_a_killed_writer_left_and_spares_a_living_one(
    storage: DiskStorage, root: Path, fifo: Path
) -> None:
    writer = await asyncio.create_subprocess_exec(sys.executable, "-c", PUT, str(root), str(fifo))
    try:
        await until_partial(root, 4)
        (partial,) = (root / "partial").iterdir()
        long_ago = time.time() - 3600
        os.utime(partial, (long_ago, long_ago))
        assert await storage.sweep() == 0
        assert partial.exists()
    finally:
        writer.send_signal(signal.SIGKILL)
        await writer.wait()
    assert await storage.sweep() == 1
    assert files(root) == []


async def test_the_sweep_spares_a_file_too_young_to_be_locked(storage: DiskStorage, root: Path) -> None:
    (root / "partial" / "young").touch()
    assert await storage.sweep() == 0


async def test_a_disk_that_does_not_answer_is_worth_another_try(storage: DiskStorage, root: Path, source: Path) -> None:
    (root / "partial").rmdir()
    (root / "partial").write_text("not a folder")
    with pytest.raises(Unavailable) as away:
        await storage.put(source, KEY)
    assert away.value.code == "storage_away"


async def test_storage_is_away_when_its_objects_are_and_they_are_not_begun_anew(
    storage: DiskStorage, root: Path, source: Path, tmp_path: Path
) -> None:
    await storage.put(source, KEY)
    (root / "objects").rename(tmp_path / "elsewhere")
    for attempt in (storage.put(source, "a/b"), storage.read(KEY), storage.remove(KEY), storage.remove("jobs/")):
        with pytest.raises(Unavailable) as away:
            await attempt
        assert away.value.code == "storage_away"
    assert not (root / "objects").exists()
    (tmp_path / "elsewhere").rename(root / "objects")
    assert files(root) == [f"objects/{KEY}"]


async def test_a_file_below_a_file_is_gone_and_the_disk_is_not(storage: DiskStorage, source: Path) -> None:
    await storage.put(source, "a/b")
    with pytest.raises(NotFound) as gone:
        await storage.read("a/b/c")
    assert gone.value.code == "file_gone"


def test_a_folder_that_cannot_be_made_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable) as away:
        DiskStorage(tmp_path / "file" / "storage")
    assert away.value.code == "storage_away"


async def test_what_a_killed_check_left_goes_with_the_sweep(storage: DiskStorage, root: Path, source: Path) -> None:
    await storage.put(source, "checks/old")
    await storage.put(source, "checks/young")
    await storage.put(source, KEY)
    long_ago = time.time() - 3600
    for key in ("checks/old", KEY):
        os.utime(root / "objects" / key, (long_ago, long_ago))
    assert await storage.sweep() == 1
    assert files(root) == ["objects/checks/young", f"objects/{KEY}"]


async def test_a_link_inside_storage_is_no_way_out(storage: DiskStorage, root: Path, source: Path) -> None:
    (root / "objects/jobs").symlink_to(source.parent, target_is_directory=True)
    assert [key async for key, _ in storage.list()] == []
    assert await storage.remove("jobs/") == 0
    assert source.exists()
