"""The room's downloader with the real spotdl and yt-dlp, from a local server in the place of the sites."""

import asyncio
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest
import tinytag

from soundforge.children import Limits, call
from soundforge.sources import Candidate, Downloader, Link, LinkKind, Site, Song
from soundforge.sources._tool_downloader import _Run
from tests.sources.contract_downloader import DownloaderContract, left_in
from tests.support.real_downloader import real_downloader, shipped_environment
from tests.support.require import tool_python
from tests.support.shelf_server import SOUND_HOST, ShelfServer, shelf_server
from tests.support.sound_shelf import LONGEST_S, SHELF, song, sound

pytestmark = [pytest.mark.engines, pytest.mark.needs("downloader"), pytest.mark.timeout(300)]
HARBOUR = SHELF["Harbour"][0].candidate.link
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63606060000000040001f61738"
    "550000000049454e44ae426082"
)


@pytest.fixture(scope="module")
def server() -> Iterator[ShelfServer]:
    with shelf_server() as running:
        yield running


class TestRealDownloader(DownloaderContract):
    @pytest.fixture
    def downloader(self, server: ShelfServer) -> Downloader:
        return real_downloader(server)


async def test_spotdl_finds_and_fetches_without_asking_spotify(server: ShelfServer, tmp_path: Path) -> None:
    server.asked.clear()
    got = await real_downloader(server).fetch(song("Harbour"), folder=tmp_path, max_duration_s=LONGEST_S)
    assert got.tool.startswith("spotdl 4.")
    hosts = {asked.partition("/")[0] for asked in server.asked}
    assert hosts == {"music.youtube.com", "www.youtube.com", SOUND_HOST}


async def test_an_official_song_is_sure_even_where_no_length_is_known(server: ShelfServer, tmp_path: Path) -> None:
    server.asked.clear()
    got = await real_downloader(server).fetch(song("Pier", duration_s=None), folder=tmp_path, max_duration_s=LONGEST_S)
    assert (got.source.link, got.is_doubtful) == (SHELF["Pier"][0].candidate.link, False)
    assert "www.youtube.com/shelf/search" not in server.asked, "one search was enough"


async def test_percentages_are_those_of_the_bytes(server: ShelfServer, tmp_path: Path) -> None:
    seen: list[tuple[float, str]] = []
    await real_downloader(server).fetch(
        song("Long mix"),
        folder=tmp_path,
        max_duration_s=LONGEST_S,
        source=SHELF["Long mix"][0].candidate.link,
        on_progress=lambda *told: seen.append(told),
    )
    downloading = {round(percent) for percent, stage in seen if stage == "downloading"}
    assert len(downloading) >= 4
    assert [percent for percent, _ in seen] == sorted(percent for percent, _ in seen)


@pytest.mark.parametrize(("kind", "extension"), [("m4a", ".m4a"), ("opus", ".opus"), ("mp3", ".mp3")])
async def test_the_stream_is_stored_as_it_came_with_our_tags_and_cover(
    server: ShelfServer, tmp_path: Path, kind: str, extension: str
) -> None:
    cover = tmp_path / "cover.png"
    cover.write_bytes(PNG)
    server.kind = kind
    try:
        got = await real_downloader(server).fetch(
            song("Björk’s “Harbour” 🎧", cover=cover), folder=tmp_path / "run", max_duration_s=60, source=HARBOUR
        )
    finally:
        server.kind = "m4a"
    original = tmp_path / f"original.{kind}"
    original.write_bytes(sound(kind, 12.0))
    assert got.path.suffix == extension
    assert packets(got.path) == packets(original), "not encoded anew"
    tags = tinytag.TinyTag.get(got.path, image=True)
    assert (tags.title, tags.artist, tags.album, tags.year) == ("Björk’s “Harbour” 🎧", "Ann Lee", "Tides", "2019")
    assert tags.images.any is not None
    assert tags.images.any.data == PNG


@pytest.mark.parametrize(
    ("link", "sound_host"),
    [
        (Link(Site.SOUNDCLOUD, LinkKind.TRACK, "ann-lee/shelf000001"), "cf-media.sndcdn.com"),
        (Link(Site.BANDCAMP, LinkKind.TRACK, "ann-lee/shelf000001"), "t4.bcbits.com"),
    ],
    ids=["soundcloud", "bandcamp"],
)
async def test_links_to_the_other_sites_are_fetched_by_the_same_road(
    server: ShelfServer, tmp_path: Path, link: Link, sound_host: str
) -> None:
    server.kind, server.sound_host = "mp3", sound_host
    try:
        got = await real_downloader(server).fetch(Song(""), folder=tmp_path, max_duration_s=60, source=link)
    finally:
        server.kind, server.sound_host = "m4a", SOUND_HOST
    assert (got.source.link, got.source.title, got.source.channel) == (link, "Harbour", "Ann Lee")
    assert got.path.name == "ann-lee_shelf000001.mp3"
    assert tinytag.TinyTag.get(got.path).title == "Harbour"


async def test_nothing_but_the_gate_is_reached_from_inside(server: ShelfServer, tmp_path: Path) -> None:
    """Where the kernel allows it (it does for root and on most desktops) a tool cannot go round the gate."""
    request = {"do": "look", "port": server.port}
    argv = [str(tool_python("downloader")), str(Path(__file__).parents[1] / "support" / "look_around.py")]
    told = await call(argv, request, folder=tmp_path, limits=Limits(total_s=60))
    assert told["network"] == "gate"
    assert told["reached"] == []
    assert told["interfaces"] == ["lo"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/tone.mp3",
        "http://localhost:{port}/tone.mp3",
        "http://[::1]:{port}/tone.mp3",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "https://example.com/tone.mp3",
        "https://vimeo.com/123456789",
        "https://open.spotify.com/track/4cOdK2wGLETKBW3PvgPWqT",
    ],
)
async def test_yt_dlp_as_it_is_told_by_us_reads_no_other_page(server: ShelfServer, tmp_path: Path, url: str) -> None:
    """Past our own check of addresses: the list of extractors alone holds, ``generic`` and loopback included."""
    argv = [str(tool_python("downloader")), str(Path(__file__).parents[1] / "support" / "look_around.py")]
    request = {"do": "extract", "url": url.format(port=server.port)}
    before = len(server.asked)
    told = await call(argv, request, folder=tmp_path, limits=Limits(total_s=60), env=shipped_environment())
    assert told["code"] == "source_not_allowed", told
    assert len(server.asked) == before


async def test_both_programs_refuse_an_address_that_is_no_song(server: ShelfServer, tmp_path: Path) -> None:
    downloader = real_downloader(server)
    for program in ("fetch_spotdl", "fetch_ytdlp"):
        async with downloader._open(song("Harbour"), tmp_path, LONGEST_S, None) as run:
            error = await refused(run, program, {"do": "fetch", "url": f"http://127.0.0.1:{server.port}/tone.mp3"})
            assert error == "source_not_allowed"


async def refused(run: _Run, program: str, request: dict[str, Any]) -> str:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - its code is looked at
        await run._ask(program, request)
    return str(getattr(caught.value, "code", caught.value))


async def test_the_gate_refuses_a_page_that_leads_elsewhere(server: ShelfServer, tmp_path: Path) -> None:
    """A video whose sound lies on a host that is on no list, or behind a listed name in a private network."""
    server.sound_host = "evil.example"
    try:
        with pytest.raises(Exception) as caught:  # noqa: PT011 - its code is looked at
            await real_downloader(server).fetch(song("Harbour"), folder=tmp_path, max_duration_s=60, source=HARBOUR)
    finally:
        server.sound_host = SOUND_HOST
    assert getattr(caught.value, "code", "") == "source_not_allowed"
    assert "evil.example" in getattr(caught.value, "detail", "")
    assert left_in(tmp_path) == []


async def test_six_songs_at_three_a_time_end_well(server: ShelfServer, tmp_path: Path) -> None:
    three = asyncio.Semaphore(3)

    async def one(number: int) -> Path:
        async with three:
            got = await real_downloader(server).fetch(
                Song(f"Song {number}"), folder=tmp_path / str(number), max_duration_s=60, source=HARBOUR
            )
            return got.path

    paths = await asyncio.gather(*(one(number) for number in range(6)))
    assert all(path.is_file() for path in paths)
    assert len(left_in(tmp_path)) == len(paths)


def packets(path: Path) -> str:
    """Hash the encoded packets of a file, whatever they are wrapped in."""
    digest = hashlib.sha256()
    with av.open(str(path)) as container:
        for packet in container.demux(container.streams.audio[0]):
            digest.update(bytes(packet))
    return digest.hexdigest()


def test_a_candidate_is_never_an_address_that_a_site_gave() -> None:
    one = Candidate(Link(Site.YOUTUBE, LinkKind.VIDEO, "shelf000001"), "x", "y", 1.0, 1.0)
    assert one.url == "https://www.youtube.com/watch?v=shelf000001"
