"""What every downloader must do. A test module subclasses ``DownloaderContract`` and gives its ``downloader``."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import tinytag

from soundforge.errors import SoundForgeError, Unavailable
from soundforge.sources import (
    FAILURES,
    MOST_CANDIDATES,
    SURE_SCORE,
    Downloaded,
    Downloader,
    Link,
    LinkKind,
    Site,
    Song,
    SourceRefused,
)
from tests.support.sound_shelf import FATES, LENGTH_S, LONGEST_S, SHELF, song

AWKWARD = (
    "--exec=id",
    "../../etc/passwd",
    "Quo\"te's",
    "שלום 🎧",
    "%(title)s {artist}",
    "x" * 300,
    "con\x00trol\nline",
)


class DownloaderContract:
    @pytest.fixture
    def downloader(self) -> Downloader:
        raise LookupError("the test class must give the downloader")

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path / "run"

    async def fetch(self, downloader: Downloader, wanted: Song, folder: Path, **more: Any) -> Downloaded:
        return await downloader.fetch(wanted, folder=folder, max_duration_s=LONGEST_S, **more)

    async def failure(self, downloader: Downloader, wanted: Song, folder: Path, **more: Any) -> SoundForgeError:
        with pytest.raises(SoundForgeError) as caught:
            await self.fetch(downloader, wanted, folder, **more)
        assert caught.value.code in FAILURES
        assert caught.value.sentence.endswith("."), "one sentence for the user"
        assert left_in(folder) == [], "a failed download leaves no file"
        return caught.value

    async def test_a_song_is_found_and_fetched(self, downloader: Downloader, folder: Path) -> None:
        seen: list[float] = []
        got = await self.fetch(downloader, song("Harbour"), folder, on_progress=lambda percent, _: seen.append(percent))
        assert left_in(folder) == [got.path], "the file and nothing else"
        assert (got.source.link, got.is_doubtful) == (SHELF["Harbour"][0].candidate.link, False)
        assert got.duration_s == pytest.approx(LENGTH_S, abs=0.2)
        assert tinytag.TinyTag.get(got.path).duration == pytest.approx(LENGTH_S, abs=0.2)
        assert got.tool
        assert seen == sorted(seen)
        assert seen[-1] == 100

    async def test_the_same_sound_is_told_from_other_sound_whatever_its_tags_say(
        self, downloader: Downloader, folder: Path
    ) -> None:
        first, second = (place.candidate.link for place in SHELF["Harbour"][:2])
        told = [
            (await self.fetch(downloader, song(title), folder / str(number), source=link)).audio_sha256
            for number, (title, link) in enumerate([("Harbour", first), ("Other name", first), ("Harbour", second)])
        ]
        assert all(len(one) == 64 for one in told)
        assert (told[0] == told[1], told[0] == told[2]) == (True, False)

    async def test_the_best_five_come_along_with_title_channel_length_and_score(
        self, downloader: Downloader, folder: Path
    ) -> None:
        got = await self.fetch(downloader, song("Harbour"), folder)
        found = await downloader.find(song("Harbour"), folder=folder)
        assert [one.link for one in found] == [one.link for one in got.candidates]
        assert len(found) == MOST_CANDIDATES
        assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
        best, expected = found[0], SHELF["Harbour"][0].candidate
        assert best.score >= SURE_SCORE
        assert (best.url, best.channel) == (expected.url, expected.channel)
        assert "Harbour" in best.title
        assert best.duration_s == pytest.approx(LENGTH_S, abs=1)

    async def test_a_likely_match_is_fetched_and_marked(self, downloader: Downloader, folder: Path) -> None:
        got = await self.fetch(downloader, song("Lantern", duration_s=None), folder)
        assert got.is_doubtful

    @pytest.mark.parametrize("title", ["Nowhere", "Elsewhere"])
    async def test_what_is_surely_not_the_song_is_not_fetched(
        self, downloader: Downloader, folder: Path, title: str
    ) -> None:
        error = await self.failure(downloader, song(title), folder)
        assert isinstance(error, SourceRefused)
        assert error.code == "no_match"
        assert [one.link for one in error.candidates] == [place.candidate.link for place in SHELF[title]]

    async def test_a_file_of_the_wrong_length_is_no_success_but_a_choice(
        self, downloader: Downloader, folder: Path
    ) -> None:
        error = await self.failure(downloader, song("Long mix"), folder)
        assert isinstance(error, SourceRefused)
        assert error.code == "wrong_length"
        assert [one.link for one in error.candidates] == [SHELF["Long mix"][0].candidate.link]

    async def test_a_chosen_source_is_taken_whatever_its_length_and_marked(
        self, downloader: Downloader, folder: Path
    ) -> None:
        place = SHELF["Long mix"][0]
        got = await self.fetch(downloader, song("Long mix"), folder, source=place.candidate.link)
        assert (got.source.link, got.is_doubtful) == (place.candidate.link, True)
        assert got.duration_s == pytest.approx(place.sound_s, abs=0.2)

    async def test_a_chosen_source_tells_title_and_channel_where_nothing_is_known(
        self, downloader: Downloader, folder: Path
    ) -> None:
        link = SHELF["Harbour"][0].candidate.link
        got = await self.fetch(downloader, Song(title=""), folder, source=link)
        assert (got.source.link, got.is_doubtful) == (link, False)
        assert "Harbour" in got.source.title
        assert got.source.channel

    async def test_the_next_candidate_is_taken_where_the_first_is_gone(
        self, downloader: Downloader, folder: Path
    ) -> None:
        got = await self.fetch(downloader, song("Second choice"), folder)
        assert got.source.link == SHELF["Second choice"][1].candidate.link

    @pytest.mark.parametrize("code", FATES)
    async def test_a_failure_has_its_code_and_leaves_nothing(
        self, downloader: Downloader, folder: Path, code: str
    ) -> None:
        error = await self.failure(downloader, song(code), folder, source=SHELF[code][0].candidate.link)
        assert error.code == code
        assert error.detail, "the cause, for the log"
        assert (error.retry_after_s is not None) == (code == "rate_limited")
        assert isinstance(error, Unavailable) == (code in {"rate_limited", "source_forbidden", "network"})

    async def test_a_source_that_nobody_knows_is_gone(self, downloader: Downloader, folder: Path) -> None:
        link = Link(Site.YOUTUBE, LinkKind.VIDEO, "nowhere0000")
        assert (await self.failure(downloader, song("Harbour"), folder, source=link)).code == "source_gone"

    async def test_what_is_too_long_for_this_studio_is_not_fetched(self, downloader: Downloader, folder: Path) -> None:
        link = SHELF["Endless"][0].candidate.link
        wanted = song("Endless", duration_s=None)
        assert (await self.failure(downloader, wanted, folder, source=link)).code == "source_too_long"

    @pytest.mark.parametrize("title", AWKWARD, ids=range(len(AWKWARD)))
    async def test_an_awkward_title_is_never_a_path_or_an_option(
        self, downloader: Downloader, folder: Path, title: str
    ) -> None:
        got = await self.fetch(downloader, song(title), folder, source=SHELF["Harbour"][0].candidate.link)
        assert left_in(folder) == [got.path]

    async def test_a_cancelled_download_leaves_nothing(self, downloader: Downloader, folder: Path) -> None:
        begun = asyncio.Event()
        work = asyncio.create_task(self.fetch(downloader, song("Harbour"), folder, on_progress=lambda *_: begun.set()))
        await asyncio.wait_for(begun.wait(), 30)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert left_in(folder) == []


def left_in(folder: Path) -> list[Path]:
    """Everything in a folder but the folders, which must be empty ones."""
    return sorted(path for path in folder.rglob("*") if not path.is_dir()) if folder.exists() else []
