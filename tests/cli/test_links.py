"""Links and lines by command: fetched by a program in the downloader's place, to stems; refused where there is none."""

import json
import sys
from pathlib import Path

import pytest

from soundforge.sources import DOWNLOADER
from tests.cli.commands import Command
from tests.support.audio import sweep, write_audio

PROGRAM = Path(__file__).resolve().parents[1] / "support" / "hostile_downloader.py"


@pytest.fixture
def run(run: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("SOUNDFORGE_ALLOW_AUDIO_DOWNLOAD", "on")
    return run


def install(tools: Path, shelf: Path) -> None:
    """An environment in which both programs are the tests' own, and a shelf with one short song for them."""
    shelf.mkdir()
    sound = write_audio(shelf / "a.m4a", sweep(0.5, rate=16000, channels=1), rate=16000, kind="m4a")
    page: dict[str, object] = {
        "url": "https://www.youtube.com/watch?v=shelf000001",
        "title": "Harbour",
        "channel": "Ann Lee",
    }
    page |= {"duration_s": 0.5, "score": 100}
    place = {"fate": "", "sound_s": 0.5, "sound": str(sound), "page": page}
    (shelf / "shelf.json").write_text(json.dumps({"found": {"Harbour": [page]}, "places": {"shelf000001": place}}))
    home = tools / DOWNLOADER / "1-test"
    (home / "bin").mkdir(parents=True)
    python = home / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{PROGRAM}" "${{2#soundforge_runners.}}" "{shelf}"\n')
    python.chmod(0o755)
    about = {"versions": {"spotdl": "1", "yt-dlp": "1"}, "python": "3.12", "lock": "test"}
    (home / "tool.json").write_text(json.dumps(about))
    (home.parent / "current").write_text(home.name)


def test_lines_and_lists_are_fetched_and_forged_and_their_lists_are_shown(run: Command, tmp_path: Path) -> None:
    install(tmp_path / "data" / "tools", tmp_path / "shelf")
    listed = tmp_path / "Evening.csv"
    listed.write_text("Track Name,Artist Name(s)\nHarbour,Ann Lee\n")
    code, out, err = run("forge", str(listed), "Ann Lee - Nowhere", "https://youtu.be/shelf000009", "--json")
    assert code == 3, out + err
    found = {one["source"]: one for one in json.loads(out)}
    song = found["Harbour"]
    assert (song["done"], song["artist"], len(song["stems"])) == (True, "Ann Lee", 4)
    assert (found["Nowhere"]["done"], "surely this song" in found["Nowhere"]["error"]) == (False, True)
    (gone,) = [one for name, one in found.items() if "youtu" in name]
    assert "gone or is not public" in gone["error"]
    (playlist,) = json.loads(run("playlists", "list", "--json")[1])["rows"]
    assert (playlist["title"], playlist["tracks"], playlist["notice"]) == ("Evening", 1, None)
    assert "Evening" in run("playlists", "list")[1]
    assert run("playlists", "show", playlist["id"])[1].split() == ["1", "Harbour", "-", "Ann", "Lee"]
    assert json.loads(run("playlists", "show", playlist["id"], "--json")[1])["rows"][0]["title"] == "Harbour"
    assert run("playlists", "delete", playlist["id"])[0] == 0
    assert run("playlists", "show", playlist["id"])[0] == 2
    assert run("tracks", "show", song["track_id"])[0] == 0


@pytest.mark.parametrize("source", ["Ann Lee - Harbour", "https://youtu.be/shelf000001", "Evening.csv"])
def test_without_the_downloader_a_link_is_refused_once_and_nothing_is_left(
    run: Command, tmp_path: Path, source: str
) -> None:
    (tmp_path / "Evening.csv").write_text("Track Name,Artist Name(s)\nHarbour,Ann Lee\nPier,Ann Lee\n")
    code, out, err = run("forge", source)
    assert (code, "tools install downloader" in out + err) == (1, True), out + err
    assert json.loads(run("jobs", "list", "--json")[1])["rows"] == []
    assert json.loads(run("tracks", "list", "--json")[1])["rows"] == []
    assert [*(tmp_path / "data").glob("incoming/*")] == []


def test_spotify_is_tested_by_command_and_says_what_is_missing(run: Command) -> None:
    code, out, err = run("spotify", "test", "--json")
    assert (code, json.loads(out)["code"]) == (1, "spotify_not_set_up"), err
    code, out, _ = run("spotify", "test")
    assert (code, "client id" in out) == (1, True)
