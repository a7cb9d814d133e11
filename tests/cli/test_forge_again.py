"""A song that is in the library already, forged again."""

import asyncio
import json
from pathlib import Path
from typing import Any

from soundforge import accounts
from soundforge.config import Settings
from soundforge.db import open_database, transaction
from tests.cli.commands import Command
from tests.support.audio import sweep, write_audio


async def wish(dsn: str, settings: Settings, *, is_made: bool) -> None:
    """Whether stems and an analysis are made of new songs."""
    keyring = accounts.open_keyring(settings.data / "secret.key")
    with accounts.open_settings({}, keyring):
        async with open_database(dsn), transaction() as session:
            owner = await accounts.ensure_owner(session)
            for name in ("separate_new", "analyse_new"):
                await accounts.change_setting(session, owner.id, name, is_made)


def kinds(one: dict[str, Any]) -> list[str]:
    return sorted(job["kind"] for job in one["jobs"])


def test_what_a_known_song_lacks_is_made_and_that_it_is_known_is_said(
    run: Command, dsn: str, tmp_path: Path, settings: Settings
) -> None:
    song = write_audio(tmp_path / "Ann - Good.wav", sweep(0.5, rate=8000), rate=8000)
    (tmp_path / "data").mkdir()
    asyncio.run(wish(dsn, settings, is_made=False))
    (bare,) = json.loads(run("forge", str(song), "--json")[1])
    assert (bare["duplicate"], bare["stems"], kinds(bare)) == (False, [], ["import"])
    asyncio.run(wish(dsn, settings, is_made=True))
    code, out, err = run("forge", str(song), "--model", "dsp", "--out", str(tmp_path / "out"), "--json")
    assert code == 0, err
    (made,) = json.loads(out)
    assert (made["duplicate"], made["track_id"], len(made["stems"])) == (True, bare["track_id"], 4)
    assert (kinds(made), len(made["files"])) == (["analysis", "import", "separation"], 5)
    assert "in your library already" in run("forge", str(song))[1]
    assert [job["kind"] for job in json.loads(run("jobs", "list", "--json")[1])["rows"]].count("separation") == 1
