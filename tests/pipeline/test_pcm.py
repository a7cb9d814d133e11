import asyncio
from pathlib import Path

import pytest

from soundforge.engines import Pcm
from soundforge.errors import Invalid
from soundforge.pipeline import PcmCache


class Decoder:
    """Writes 400 bytes each time it is asked, and counts."""

    def __init__(self, folder: Path, *, fails: int = 0) -> None:
        self.folder, self.times, self.fails = folder, 0, fails
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self) -> Pcm:
        self.times += 1
        await self.gate.wait()
        if self.times <= self.fails:
            raise Invalid("No.", code="not_audio")
        path = self.folder / f"decoded-{self.times}"
        path.write_bytes(bytes([self.times]) * 400)
        return Pcm(path, 44_100, 1, 100)


@pytest.fixture
def decode(tmp_path: Path) -> Decoder:
    return Decoder(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "pcm"


async def read(cache: PcmCache, folder: Path, name: str, decode: Decoder) -> bytes:
    async with cache.open(folder, name, decode) as pcm:
        return await asyncio.to_thread(pcm.path.read_bytes)


async def test_a_song_is_decoded_once_for_all_who_read_it(folder: Path, decode: Decoder) -> None:
    cache = PcmCache()
    assert len({await read(cache, folder, "a", decode) for _ in range(3)}) == 1
    assert decode.times == 1
    assert [path.name for path in folder.iterdir()] == ["a.f32"]


async def test_readers_who_come_at_once_share_one_decoding(folder: Path, decode: Decoder) -> None:
    cache = PcmCache()
    decode.gate.clear()
    readers = [asyncio.create_task(read(cache, folder, "a", decode)) for _ in range(5)]
    await asyncio.sleep(0)
    decode.gate.set()
    assert len(set(await asyncio.gather(*readers))) == 1
    assert decode.times == 1


async def test_a_decoding_that_failed_is_tried_by_the_next(folder: Path, tmp_path: Path) -> None:
    cache, decode = PcmCache(), Decoder(tmp_path, fails=1)
    with pytest.raises(Invalid):
        await read(cache, folder, "a", decode)
    assert await read(cache, folder, "a", decode) == bytes([2]) * 400


async def test_the_least_used_song_makes_room_but_none_that_is_read(folder: Path, decode: Decoder) -> None:
    cache = PcmCache(keep_bytes=800)
    async with cache.open(folder, "a", decode) as first:
        for name in ("b", "c"):
            await read(cache, folder, name, decode)
        assert first.path.exists()
        assert sorted(path.name for path in folder.iterdir()) == ["a.f32", "c.f32"]
    await read(cache, folder, "c", decode)
    await read(cache, folder, "d", decode)
    assert sorted(path.name for path in folder.iterdir()) == ["c.f32", "d.f32"]
    await read(cache, folder, "a", decode)
    assert decode.times == 5


async def test_one_song_larger_than_the_cache_is_still_read(folder: Path, decode: Decoder) -> None:
    cache = PcmCache(keep_bytes=100)
    assert len(await read(cache, folder, "a", decode)) == 400


async def test_a_file_that_somebody_took_away_is_decoded_again(folder: Path, decode: Decoder) -> None:
    cache = PcmCache()
    await read(cache, folder, "a", decode)
    (folder / "a.f32").unlink()
    assert await read(cache, folder, "a", decode) == bytes([2]) * 400


async def test_what_a_dead_predecessor_left_goes_first(folder: Path, decode: Decoder) -> None:
    folder.mkdir()
    (folder / "old.f32").write_bytes(b"x")
    await read(PcmCache(), folder, "a", decode)
    assert [path.name for path in folder.iterdir()] == ["a.f32"]


async def test_what_an_import_decoded_need_not_be_decoded_again(folder: Path, decode: Decoder) -> None:
    cache = PcmCache()
    cache.keep(folder, "a", await decode())
    cache.keep(folder, "a", await decode())  # a second import of the same song: the first one's stays
    assert await read(cache, folder, "a", decode) == bytes([1]) * 400
    assert decode.times == 2


async def test_no_lock_is_kept_for_a_song_that_nobody_waits_for(folder: Path, tmp_path: Path) -> None:
    cache, decode = PcmCache(keep_bytes=400), Decoder(tmp_path, fails=1)
    with pytest.raises(Invalid):
        await read(cache, folder, "broken", decode)
    for name in "abc":
        await read(cache, folder, name, decode)
    assert cache._doors == {}


async def test_a_lock_is_kept_while_somebody_waits_for_it(folder: Path, decode: Decoder) -> None:
    cache = PcmCache()
    decode.gate.clear()
    first, second = [asyncio.create_task(read(cache, folder, "a", decode)) for _ in range(2)]
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    third = asyncio.create_task(read(cache, folder, "a", decode))
    await asyncio.sleep(0)
    decode.gate.set()
    assert await second == await third == bytes([2]) * 400
    assert (decode.times, cache._doors) == (2, {})
