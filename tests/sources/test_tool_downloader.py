import asyncio
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from structlog.testing import capture_logs

from soundforge.children import Limits
from soundforge.errors import Broken, SoundForgeError, Unavailable
from soundforge.sources import Downloaded, Downloader, SourceRefused, ToolDownloader
from soundforge.tools import Tools
from tests.sources.contract_downloader import DownloaderContract, left_in
from tests.support.processes import none_left
from tests.support.sound_shelf import LONGEST_S, SHELF, song, write_shelf

PROGRAM = Path(__file__).resolve().parents[1] / "support" / "hostile_downloader.py"
LIMITS = Limits(total_s=30, silence_s=20, memory_mb=300, output_mb=20)
CHOSEN = SHELF["Harbour"][0].candidate.link


class Stage:
    """The adapter with the program that misbehaves, and what the program noted."""

    def __init__(self, folder: Path) -> None:
        self.notes, self.folder = folder / "notes", folder / "run"
        self.notes.mkdir()
        write_shelf(self.notes)

    def downloader(self, limits: Limits = LIMITS, **more: Any) -> ToolDownloader:
        def programs(name: str) -> list[str]:
            return [sys.executable, str(PROGRAM), name, str(self.notes)]

        return ToolDownloader(Tools(self.notes / "tools"), programs=programs, limits=limits, **more)

    async def fetch(self, title: str, *, limits: Limits = LIMITS, chosen: bool = True, **more: Any) -> Downloaded:
        source = CHOSEN if chosen else None
        wanted = song(title, duration_s=None)
        return await self.downloader(limits, **more).fetch(
            wanted, folder=self.folder, max_duration_s=LONGEST_S, source=source
        )

    async def failure(self, title: str, **more: Any) -> SoundForgeError:
        with pytest.raises(SoundForgeError) as caught:
            await self.fetch(title, **more)
        assert caught.value.sentence.endswith(".")
        self.check_nothing_is_left()
        return caught.value

    def check_nothing_is_left(self) -> None:
        assert left_in(self.folder) == []
        assert list(self.folder.glob("*")) == []
        assert none_left(self.pids())

    def pids(self) -> list[int]:
        return [int(line) for line in (self.notes / "pids").read_text().split()]

    def requests(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.notes / "requests").read_text().splitlines()]

    def environment(self) -> dict[str, str]:
        found: dict[str, str] = json.loads((self.notes / "environment").read_text().splitlines()[0])
        return found


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


class TestToolDownloader(DownloaderContract):
    @pytest.fixture
    def downloader(self, stage: Stage) -> Downloader:
        return stage.downloader()


@pytest.mark.parametrize(
    ("row", "code", "family"),
    [
        ("source 404", "source_gone", SourceRefused),
        ("search impossible", "network", Unavailable),
        ("file is not audio", "source_not_audio", SourceRefused),
        ("metadata incomplete", "download_failed", Broken),
        ("ffmpeg missing", "download_failed", Broken),
        ("bad song", "download_failed", Broken),
        ("bad_arguments", "engine_crashed", Unavailable),
        ("traceback", "engine_crashed", Unavailable),
        ("file_missing", "engine_garbage", Broken),
        ("exit_0_without_result", "engine_garbage", Broken),
        ("unheard-of code", "download_failed", Broken),
        ("no cause", "download_failed", Broken),
    ],
)
async def test_every_way_in_which_a_tool_says_that_it_failed_has_its_error(
    stage: Stage, row: str, code: str, family: type[SoundForgeError]
) -> None:
    error = await stage.failure(f"!{row}")
    assert (error.code, type(error)) == (code, family)
    assert error.detail


@pytest.mark.parametrize("scenario", ["crash", "child_outlives_a_crash"])
async def test_a_crash_is_told_with_its_signal_and_leaves_nothing(stage: Stage, scenario: str) -> None:
    error = await stage.failure(f"!{scenario}")
    assert error.code == "engine_crashed"
    assert "SIG" in error.sentence


GARBAGE = ("garbage", "half_a_line", "long_line", "not_utf8", "length_of_nan", "no_page", "hash_of_nothing")
STRANGE_FILES = ("file_missing", "file_elsewhere", "file_linked", "file_of_no_kind")


@pytest.mark.parametrize("scenario", [*GARBAGE, *STRANGE_FILES])
async def test_garbage_is_no_success(stage: Stage, scenario: str) -> None:
    assert (await stage.failure(f"!{scenario}")).code == "engine_garbage"


async def test_silence_ends_it(stage: Stage) -> None:
    limits = Limits(total_s=30, silence_s=2)
    assert (await stage.failure("!hangs", limits=limits)).code == "engine_silent"


async def test_an_end_that_never_comes_ends_it(stage: Stage) -> None:
    assert (await stage.failure("!never_ends", limits=Limits(total_s=1, silence_s=20))).code == "timed_out"


async def test_what_ignores_sigterm_is_killed(stage: Stage) -> None:
    limits = Limits(total_s=30, silence_s=2)
    assert (await stage.failure("!ignores_sigterm", limits=limits)).code == "engine_silent"


async def test_a_full_folder_and_too_much_memory_end_it(stage: Stage) -> None:
    assert (await stage.failure("!fills_the_disk")).code == "output_too_large"
    assert (await stage.failure("!eats_memory")).code == "out_of_memory"


@pytest.mark.parametrize("scenario", ["leaves_files", "child_outlives", "chatters"])
async def test_a_success_leaves_the_file_alone(stage: Stage, scenario: str) -> None:
    got = await stage.fetch(f"!{scenario}")
    assert list(stage.folder.iterdir()) == [got.path]
    assert none_left(stage.pids())


@pytest.mark.parametrize(
    "trouble", ["crash", "garbage", "ffmpeg missing", "search impossible", "exit_0_without_result"]
)
async def test_where_spotdl_is_in_trouble_yt_dlp_does_it(stage: Stage, trouble: str) -> None:
    got = await stage.fetch(f"!spotdl {trouble}", chosen=False)
    assert got.path.is_file()
    assert len(stage.pids()) == 2


async def test_what_a_site_decided_is_not_asked_of_the_other_tool(stage: Stage) -> None:
    assert (await stage.failure("!spotdl source 404", chosen=False)).code == "source_gone"
    assert len(stage.pids()) == 1


async def test_a_search_that_finds_nothing_says_so(stage: Stage) -> None:
    error = await stage.failure("!no match", chosen=False)
    assert (error.code, getattr(error, "candidates", None)) == ("no_match", ())


async def test_candidates_are_read_as_strangers_words(stage: Stage) -> None:
    (only,) = await stage.downloader().find(song("!strange_candidates"), folder=stage.folder)
    assert (only.link, only.score, only.duration_s) == (CHOSEN, 100.0, 0.0)
    assert "\x1b" not in only.title
    assert "\n" not in only.title
    assert len(only.title) <= 300
    assert only.channel == "Ann"
    assert list(stage.folder.iterdir()) == []


async def test_a_program_knows_its_own_folder_and_nothing_of_us(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOUNDFORGE_SECRET", "x")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    await stage.fetch("Harbour")
    told = stage.environment()
    assert not {"SOUNDFORGE_SECRET", "HTTPS_PROXY"} & set(told)
    assert told["HOME"].startswith(str(stage.folder))
    assert told["TMPDIR"] == told["HOME"]
    assert told["YTDLP_NO_PLUGINS"] == "1"
    assert told["PATH"].startswith(f"{Path(sys.executable).parent}{os.pathsep}")


async def test_what_people_typed_is_a_field_and_never_an_address(stage: Stage) -> None:
    await stage.fetch("Harbour")
    (request,) = stage.requests()
    assert request["url"] == "https://www.youtube.com/watch?v=shelf000001"
    assert request["song"]["title"] == "Harbour"
    assert request["gate"] == "gate"


async def test_cookies_come_in_a_file_of_ours_alone_that_goes_with_the_run(stage: Stage) -> None:
    async def cookies() -> str:
        return "# Netscape HTTP Cookie File\n"

    with capture_logs() as log:
        await stage.fetch("Harbour", cookies=cookies)
    (request,) = stage.requests()
    assert json.loads((stage.notes / "cookies").read_text()) == [0o600, await cookies()]
    assert not Path(request["cookies"]).exists()
    assert "Netscape" not in f"{log} {stage.environment()}"


async def test_without_cookies_none_are_told(stage: Stage) -> None:
    async def none() -> str:
        return ""

    await stage.fetch("Harbour", cookies=none)
    assert stage.requests()[0]["cookies"] is None


async def test_without_the_tool_one_sentence_says_what_to_do(tmp_path: Path) -> None:
    downloader = ToolDownloader(Tools(tmp_path / "tools"))
    with pytest.raises(Broken) as caught:
        await downloader.fetch(song("Harbour"), folder=tmp_path / "run", max_duration_s=60, source=CHOSEN)
    assert caught.value.code == "tool_missing"
    assert list((tmp_path / "run").iterdir()) == []


async def test_a_cancelled_run_kills_the_whole_group_at_once(stage: Stage) -> None:
    work = asyncio.create_task(stage.fetch("!ignores_sigterm"))
    async with asyncio.timeout(20):
        while not (stage.notes / "requests").exists():
            await asyncio.sleep(0.01)
    assert psutil.pid_exists(stage.pids()[0])
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    stage.check_nothing_is_left()


async def test_two_runs_in_one_folder_do_not_meet(stage: Stage) -> None:
    both = await asyncio.gather(stage.fetch("Harbour"), stage.fetch("Harbour"))
    assert both[0].path == both[1].path
    assert list(stage.folder.iterdir()) == [both[0].path]
    shutil.rmtree(stage.folder)
