import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from soundforge import errors
from soundforge.cli import main
from soundforge.cli._main import exit_code
from soundforge.web import api
from tests.cli.commands import Command, commands
from tests.support.audio import sweep, write_audio

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cli.md"
ROW = re.compile(r"^\| `([^`]+)` \| (?:`([^`]+)`|(local|[^|]+)) \|", re.MULTILINE)


def routes() -> set[str]:
    return {
        f"{method} {route.path}"
        for router in api.routers
        for route in router.routes
        for method in route.methods - {"HEAD"}
    }


def test_a_command_that_serves_nothing_loads_no_pages() -> None:
    program = (
        "import sys; import soundforge.cli; print([name for name in ('fastapi', 'uvicorn') if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == "[]\n"


def test_the_page_of_commands_lists_exactly_the_commands_there_are() -> None:
    listed, _, _ = PAGE.read_text("utf-8").partition("Routes without")
    assert [row[0] for row in ROW.findall(listed)] != []
    assert {row[0] for row in ROW.findall(listed)} == set(commands())


def test_every_route_of_the_api_has_a_command_or_a_reason() -> None:
    listed, _, without = PAGE.read_text("utf-8").partition("Routes without")
    told = {row[1] for row in ROW.findall(listed) if row[1]}
    assert all(row[1] or row[2] == "local" for row in ROW.findall(listed))
    alone = {row[0] for row in ROW.findall(without)}
    assert told | alone == routes()
    assert not told & alone


@pytest.mark.parametrize("command", ["", *commands()])
def test_every_command_helps_with_one_sentence_first(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "--help"])
    assert not ended.value.code
    assert f"soundforge {command}".strip() in capsys.readouterr().out


def test_every_family_of_errors_has_an_exit_code() -> None:
    families = (errors.Rejected, errors.NotFound, errors.Conflict, errors.Unavailable, errors.Broken)
    assert [exit_code(family("x")) for family in families] == [2, 2, 2, 4, 1]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["forge"], 2, "no_source"),
        (["forge", "nowhere.wav"], 2, "no file"),
        (["forge", "Somebody - Something.mp3"], 2, "no file"),
        (["forge", "https://open.spotify.com/track/4cOdK2wGLETKBW3PvgPWqT"], 2, "downloads_off"),
        (["analyze", "nowhere.wav"], 2, "no_such_file"),
        (["spotify", "parse", "https://example.org"], 2, ""),
        (["tracks", "show", str(uuid4())], 2, "track_not_found"),
        (["tracks", "show", "no-uuid"], 2, ""),
        (["tracks", "list", "--user", "nobody"], 2, "user_not_found"),
        (["tracks", "list", "bpm:fast"], 2, "write it like bpm:120-128"),
        (["tracks", "batch", "delete"], 2, "nothing_chosen"),
        (["tracks", "forget"], 2, "--everything"),
        (["tracks", "undo", "gibberish"], 2, "bad_moment"),
        (["tracks", "undo", "2026-11-26T12:00:00"], 2, "bad_moment"),
        (["tracks", "list", "--sort", "nonsense"], 2, "unknown_sort"),
        (["tracks", "correct", str(uuid4())], 2, "invalid_correction"),
        (["forge", ""], 2, "no_source"),
        (["analyze", "."], 2, "There is no file “.”."),
        (["work", "--queues", "none"], 2, "no_queue"),
        (["work", "--queues", "nonsense:1"], 2, "there is no queue"),
        (["serve", "--port", "-1"], 2, "SOUNDFORGE_PORT"),
        (["queues", "pause", ""], 2, "no_queue"),
        (["queues", "limit", "processing", "-3"], 2, "bad_limit"),
        (["models", "pull", "nonsense"], 2, "unknown_model"),
        (["users", "add", "ann", "--role", "king"], 2, "bad_role"),
        (["playlists", "add", ""], 2, "invalid_words"),
        (["jobs", "cancel", str(uuid4())], 2, "no_job"),
        (["nonsense"], 2, ""),
    ],
)
def test_what_is_at_fault_is_said_in_a_sentence_and_by_the_exit_code(
    run: Command, words: list[str], code: int, said: str
) -> None:
    ended, out, err = run(*words)
    assert ended == code, out + err
    assert said in out + err
    assert "Traceback" not in out + err


def test_documents_are_json_and_nothing_else(run: Command) -> None:
    for words in (["tracks", "list"], ["jobs", "list"], ["models", "list"], ["users", "list"], ["db", "verify"]):
        code, out, err = run(*words, "--json")
        assert code == 0, err
        json.loads(out)
    assert (
        json.loads(run("spotify", "parse", "https://open.spotify.com/track/4cOdK2wGLETKBW3PvgPWqT", "--json")[1])[
            "kind"
        ]
        == "track"
    )


def test_what_a_command_changed_is_shown_as_json_where_asked_for(run: Command, tmp_path: Path) -> None:
    write_audio(tmp_path / "Ann - Good.wav", sweep(0.5, rate=8000), rate=8000)
    (song,) = json.loads(run("forge", "Ann - Good.wav", "--json")[1])

    def told(*words: str) -> Any:
        code, out, err = run(*words, "--json")
        assert code == 0, err
        return json.loads(out)

    track = song["track_id"]
    assert told("tracks", "edit", track, "--title", "Better")["row"]["title"] == "Better"
    assert told("tracks", "confirm", track)["row"]["id"] == track
    assert told("tracks", "delete", track) == {"track_id": track, "deleted": True}
    assert told("tracks", "restore", track)["row"]["title"] == "Better"
    asked = [told("tracks", "separate", track), told("tracks", "analyze", track)]
    assert [(job["kind"], job["status"]) for job in asked] == [("separation", "queued"), ("analysis", "queued")]
    assert told("jobs", "cancel", asked[0]["id"])["error_code"] == "cancelled"
    assert told("jobs", "retry", asked[0]["id"])["status"] == "queued"
    assert told("tracks", "cues", "add", track, "0.1", "--name", "In")[0]["name"] == "In"
    assert told("playlists", "add", "Mine")["title"] == "Mine"
    gone = told("tracks", "batch", "delete", track)["removed_at"]
    assert told("tracks", "undo", gone) == {"count": 1}
    run("tracks", "delete", track)
    assert told("tracks", "forget", track) == {"count": 1}
    assert told("queues", "pause", "exports")["paused"] is True
    invited = told("users", "add", "ben")
    assert (invited["name"], invited["role"], "/link/" in invited["link"]) == ("ben", "member", True)
    assert told("users", "link", "ben")["link"] != invited["link"]


def test_one_file_is_analysed_under_its_own_hash_and_one_that_is_too_short_says_so(
    run: Command, tmp_path: Path
) -> None:
    file = tmp_path / "Ann - Blip.wav"
    write_audio(file, sweep(0.5, rate=8000), rate=8000)
    code, out, err = run("analyze", str(file), "--json")
    assert code == 0, err
    document = json.loads(out)
    assert document["source"]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (document["source"]["title"], [one["code"] for one in document["warnings"]]) == ("", ["too_short"])


def test_a_folder_with_one_bad_file_is_forged_and_exits_with_3(run: Command, tmp_path: Path) -> None:
    folder = tmp_path / "songs"
    folder.mkdir()
    write_audio(folder / "Ann - Good.wav", sweep(0.5, rate=8000), rate=8000)
    (folder / "bad.wav").write_bytes(b"%PDF-1.7 no song at all")
    (folder / "worse.wav").write_bytes(b"RIFF and then nothing of use" * 40)
    code, out, err = run("forge", str(folder), "--json", "--out", str(tmp_path / "out"))
    assert code == 3, out + err
    good, bad, worse = json.loads(out)
    assert (good["done"], good["title"], good["artist"], len(good["stems"])) == (True, "Good", "Ann", 4)
    assert {Path(path).name for path in good["files"]} == {path.name for path in (tmp_path / "out").iterdir()}
    assert (bad["done"], bad["track_id"]) == (False, None)
    assert "PDF" in bad["error"]
    assert (worse["done"], bool(worse["error"])) == (False, True)
    listed: dict[str, Any] = json.loads(run("tracks", "list", "good", "--json")[1])
    assert [row["id"] for row in listed["rows"]] == [good["track_id"]]
    shown = json.loads(run("tracks", "show", good["track_id"], "--json")[1])
    assert shown["row"]["title"] == "Good"
    assert run("tracks", "edit", good["track_id"], "--title", "Better")[0] == 0
    assert run("tracks", "list")[1].startswith(f"{good['track_id']}\tBetter\t")
    assert "Better" in run("tracks", "show", good["track_id"])[1]
    assert run("tracks", "delete", good["track_id"])[0] == 0
    assert run("tracks", "show", good["track_id"])[0] == 2
    assert run("tracks", "restore", good["track_id"])[0] == 0
    code, out, _ = run("tracks", "batch", "delete", "--search", "title:better -has:cover", "--json")
    done = json.loads(out)
    assert (code, done["count"], done["text"]) == (0, 1, "Deleted: 1 track.")
    assert good["track_id"] in run("tracks", "trash")[1]
    assert run("tracks", "undo", done["removed_at"])[1] == "Back again: 1\n"
    assert run("db", "verify")[0] == 0


@pytest.mark.parametrize(
    ("host", "port", "begin"),
    [
        ("127.0.0.1", "8723", "http://127.0.0.1:8723/link/"),
        ("0.0.0.0", "8723", "http://127.0.0.1:8723/link/"),
        ("::", "80", "http://[::1]:80/link/"),
        ("2001:db8::7", "80", "http://[2001:db8::7]:80/link/"),
        ("studio.lan", "80", "http://studio.lan:80/link/"),
        ("0.0.0.0", "0", "link/"),
    ],
)
def test_a_link_leads_where_a_browser_can_go(
    run: Command, monkeypatch: pytest.MonkeyPatch, host: str, port: str, begin: str
) -> None:
    monkeypatch.setenv("SOUNDFORGE_HOST", host)
    monkeypatch.setenv("SOUNDFORGE_PORT", port)
    code, told, _ = run("users", "link", "owner")
    assert (code, told.startswith(begin)) == (0, True), told


def test_tools_are_listed_without_a_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOUNDFORGE_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["tools", "list", "--json"])
    (tool, *_) = json.loads(capfd.readouterr().out)
    assert (ended.value.code, tool["name"], tool["is_installed"]) == (0, "downloader", False)
    assert not (tmp_path / "data").exists()


def test_a_tool_that_nobody_knows_is_refused_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOUNDFORGE_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["tools", "install", "nothing"])
    assert (ended.value.code, "There is no such tool" in capfd.readouterr().err) == (2, True)
