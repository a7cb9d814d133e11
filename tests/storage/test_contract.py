"""What every storage promises: run on the disk and on the fake, so that the fake cannot lie."""

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundforge.errors import Conflict, Invalid, NotFound, Unavailable
from soundforge.storage import DiskStorage, Storage, StorageCheck, check_key, check_prefix
from tests.support.fakes_storage import MemoryStorage

KEY = "jobs/6f1c0a52-7a44-4d4e-9d35-0d1f1f0d9a11/1/vocals.flac"


@pytest.fixture(params=["disk", "memory"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    return DiskStorage(tmp_path / "storage") if request.param == "disk" else MemoryStorage()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(bytes(range(256)) * 10)
    return path


async def keys(storage: Storage, prefix: str = "") -> dict[str, int]:
    return {key: size async for key, size in storage.list(prefix)}


async def test_what_was_put_can_be_read_and_its_size_and_hash_are_told(storage: Storage, source: Path) -> None:
    stored = await storage.put(source, KEY)
    content = source.read_bytes()
    assert stored.key == KEY
    assert stored.size_bytes == len(content)
    assert stored.sha256 == hashlib.sha256(content).hexdigest()
    assert await storage.read(KEY) == content


async def test_putting_leaves_the_source_where_it_is(storage: Storage, source: Path) -> None:
    await storage.put(source, KEY)
    source.write_bytes(b"changed later")
    assert await storage.read(KEY) == bytes(range(256)) * 10


async def test_an_empty_file_is_an_object_too(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    stored = await storage.put(tmp_path / "empty", KEY)
    assert (stored.size_bytes, await storage.read(KEY)) == (0, b"")


async def test_a_key_is_never_written_twice(storage: Storage, source: Path) -> None:
    await storage.put(source, KEY)
    with pytest.raises(Conflict) as refused:
        await storage.put(source, KEY)
    assert refused.value.code == "key_taken"
    assert await keys(storage) == {KEY: 2560}


async def test_of_two_at_once_under_one_key_one_wins(storage: Storage, source: Path, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"other")
    results = await asyncio.gather(
        *(storage.put(path, KEY) for path in [source, tmp_path / "other"] * 4), return_exceptions=True
    )
    won = [one for one in results if not isinstance(one, BaseException)]
    assert len(won) == 1
    assert all(isinstance(one, Conflict) for one in results if one not in won)
    assert await keys(storage) == {KEY: won[0].size_bytes}


async def test_a_key_is_never_the_folder_of_another(storage: Storage, source: Path) -> None:
    await storage.put(source, "a/b")
    for key in ("a/b/c", "a"):
        with pytest.raises(Conflict):
            await storage.put(source, key)
    assert await keys(storage) == {"a/b": 2560}


async def test_without_a_source_nothing_is_stored(storage: Storage, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await storage.put(tmp_path / "missing", KEY)
    assert await keys(storage) == {}


async def test_a_range_is_read_alone_and_ends_with_the_object(storage: Storage, source: Path) -> None:
    await storage.put(source, KEY)
    assert await storage.read(KEY, 10, 13) == bytes([10, 11, 12])
    assert await storage.read(KEY, 2558) == bytes([254, 255])
    assert await storage.read(KEY, 2558, 9999) == bytes([254, 255])
    assert await storage.read(KEY, 9999) == b""
    assert await storage.read(KEY, 5, 5) == b""


@pytest.mark.parametrize(("start", "stop"), [(-1, 5), (5, 4), (0, -1)])
async def test_a_senseless_range_is_refused(storage: Storage, source: Path, start: int, stop: int) -> None:
    await storage.put(source, KEY)
    with pytest.raises(Invalid) as refused:
        await storage.read(KEY, start, stop)
    assert refused.value.code == "bad_range"


async def test_a_lent_path_holds_the_object(storage: Storage, source: Path) -> None:
    await storage.put(source, KEY)
    async with storage.local(KEY) as path:
        assert path.read_bytes() == source.read_bytes()
        assert path.suffix == ".flac"


async def test_what_is_not_there_is_not_found(storage: Storage, source: Path) -> None:
    await storage.put(source, "folder/file")
    for key in (KEY, "folder"):
        with pytest.raises(NotFound) as missing:
            await storage.read(key)
        assert missing.value.code == "file_gone"
        with pytest.raises(NotFound):
            async with storage.local(key):
                pass


async def test_a_folder_is_removed_with_everything_below_and_nothing_beside(storage: Storage, source: Path) -> None:
    for key in ("jobs/a/1/x.flac", "jobs/a/1/deep/y.dat", "jobs/a/2/x.flac", "jobs/ab/1/x.flac"):
        await storage.put(source, key)
    assert await storage.remove("jobs/a/1/") == 2
    assert await keys(storage) == {"jobs/a/2/x.flac": 2560, "jobs/ab/1/x.flac": 2560}


async def test_one_object_is_removed_alone(storage: Storage, source: Path) -> None:
    await storage.put(source, "a/x.flac")
    await storage.put(source, "a/x.flacs")
    assert await storage.remove("a/x.flac") == 1
    assert await keys(storage) == {"a/x.flacs": 2560}


async def test_removing_what_is_not_there_is_no_error(storage: Storage) -> None:
    assert await storage.remove("jobs/a/1/") == 0
    assert await storage.remove("jobs/a/1/x.flac") == 0


async def test_a_list_is_narrowed_by_a_prefix(storage: Storage, source: Path) -> None:
    for key in ("a/1", "a/2", "b/1"):
        await storage.put(source, key)
    assert await keys(storage, "a/") == {"a/1": 2560, "a/2": 2560}
    assert await keys(storage, "c/") == {}


async def test_there_is_room(storage: Storage) -> None:
    assert await storage.free_bytes() > 0


@pytest.fixture
def take_away(storage: Storage, tmp_path: Path) -> Callable[[], None]:
    """Make the place of all objects go, as when a share is no longer mounted."""

    def away() -> None:
        if isinstance(storage, MemoryStorage):
            storage.is_away = True
        else:
            (tmp_path / "storage").rename(tmp_path / "elsewhere")

    return away


async def test_a_storage_that_is_away_says_so_whatever_it_is_asked(
    storage: Storage, source: Path, take_away: Callable[[], None]
) -> None:
    """And never that one file is gone, or that there is nothing: who believes that forgets the rows of everything."""
    await storage.put(source, KEY)
    take_away()

    async def lend() -> None:
        async with storage.local(KEY):
            pass

    attempts = {
        "put": storage.put(source, "a/b"),
        "local": lend(),
        "read": storage.read(KEY),
        "remove": storage.remove(KEY),
        "remove a folder": storage.remove("jobs/"),
        "list": keys(storage),
        "list a folder": keys(storage, "jobs/"),
        "free_bytes": storage.free_bytes(),
        "check": StorageCheck(storage).free_bytes(),
    }
    said = dict(zip(attempts, await asyncio.gather(*attempts.values(), return_exceptions=True), strict=True))
    assert {name: getattr(one, "code", one) for name, one in said.items()} == dict.fromkeys(attempts, "storage_away")
    assert all(isinstance(one, Unavailable) for one in said.values())


async def test_a_check_leaves_nothing_and_says_how_much_room_there_is(storage: Storage) -> None:
    free = await StorageCheck(storage).free_bytes()
    assert free > 0
    assert await keys(storage) == {}


async def test_a_check_notices_what_is_wrong_and_that_it_is_well_again(
    storage: Storage, take_away: Callable[[], None], tmp_path: Path
) -> None:
    check = StorageCheck(storage, every_s=0)
    await check.free_bytes()
    take_away()
    with pytest.raises(Unavailable):
        await check.free_bytes()
    if isinstance(storage, MemoryStorage):
        storage.is_away = False
    else:
        (tmp_path / "elsewhere").rename(tmp_path / "storage")
    assert await check.free_bytes() > 0


BAD_KEYS = [
    "",
    "/etc/passwd",
    "../x",
    "a/../b",
    "a//b",
    "a/./b",
    "a/",
    "A/b",
    "a b",
    "a\\b",
    "a\0b",
    "a\n",
    "é",
    "-rf",
    ".hidden",
    "a/.hidden",
    "a.flac/b",
    "a" * 65,
    "/".join("a" * 10),
    "x.a.b.c",
]


@pytest.mark.parametrize("key", BAD_KEYS)
async def test_a_key_that_could_lead_elsewhere_is_refused_everywhere(storage: Storage, source: Path, key: str) -> None:
    for attempt in (storage.put(source, key), storage.read(key)):
        with pytest.raises(Invalid) as refused:
            await attempt
        assert refused.value.code == "bad_key"
    with pytest.raises(Invalid):
        async with storage.local(key):
            pass
    if key != "a/":  # a good prefix
        with pytest.raises(Invalid):
            await storage.remove(key)


@pytest.mark.parametrize("prefix", ["/", "../", "a/../", "a//", "A/", "./", "a/b"])
async def test_a_prefix_that_could_lead_elsewhere_is_refused(storage: Storage, prefix: str) -> None:
    with pytest.raises(Invalid):
        await keys(storage, prefix)
    with pytest.raises(Invalid):
        await storage.remove(prefix if prefix != "a/b" else "a/B/")


@given(st.text(max_size=80))
def test_a_good_key_stays_inside_whatever_the_text(text: str) -> None:
    try:
        check_key(text)
    except Invalid:
        return
    assert (Path("/root") / text).resolve().is_relative_to("/root/")
    assert text.isascii()


def test_the_keys_that_jobs_use_are_good() -> None:
    assert check_key(f"jobs/{uuid4()}/12/no_vocals.peaks.dat")
    assert check_prefix(f"jobs/{uuid4()}/12/")
