"""One song all the way: received over HTTP, worked by the real queue, seen alike on page, in API and on the CLI."""

import asyncio
import json
import os
import sys
from pathlib import Path
from uuid import UUID

from soundforge import jobs
from soundforge.config import Settings
from soundforge.db import Database, reading
from soundforge.events import open_listener
from soundforge.web import Studio, create_app
from tests.support.house import add_users, client, cookie, log_in
from tests.support.workshop import open_workshop, wav

SRC = Path(__file__).resolve().parents[2] / "src"


async def command(database: Database, settings: Settings, *words: str) -> dict[str, object]:
    env = {"SOUNDFORGE_DATABASE_URL": database.dsn, "SOUNDFORGE_DATA": str(settings.data), "PYTHONPATH": str(SRC)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "soundforge", *words, "--json", env=os.environ | env, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out
    found: dict[str, object] = json.loads(out)
    return found


async def test_an_uploaded_song_shows_the_same_everywhere(database: Database, settings: Settings) -> None:
    users = await add_users()
    async with open_workshop(settings, database) as workshop, open_listener() as listener:
        app = create_app(Studio(workshop.settings, workshop.storage, listener))
        browser = client(app, **cookie(await log_in(users["owner"])))
        received = await browser.post("/api/v1/imports", params={"name": "Ann - Sea.wav"}, content=wav())
        assert received.status_code == 202, received.text
        async with reading() as session:
            job = await jobs.get_job(session, users["owner"], UUID(received.json()["id"]))
        await workshop.children_of(await workshop.ended(job))

        (row,) = (await browser.get("/api/v1/tracks", params={"q": "sea ann"})).json()["rows"]
        track = (await browser.get(f"/api/v1/tracks/{row['id']}")).json()
        page = (await browser.get(f"/tracks/{row['id']}")).text
        shown = await command(database, settings, "tracks", "show", row["id"])
        assert shown["row"] == track["row"] | {"created_at": shown["row"]["created_at"]}
        assert shown["document"] == track["document"]
        assert (row["title"], row["artist"], row["bpm"], row["camelot"]) == ("Sea", "Ann", 120.0, "8A")
        assert row["stems"] == ["vocals", "drums", "bass", "other"]
        assert all(word in page for word in ("Sea", "Ann", "120", "8A", "vocals"))

        stem = f"/api/v1/tracks/{row['id']}/stems/{track['stem_sets'][0]['stems'][0]['file_id']}"
        whole, part = await browser.get(stem), await browser.get(stem, headers={"Range": "bytes=0-3"})
        assert (whole.status_code, whole.content[:4]) == (200, b"fLaC")
        assert "Ann - Sea (vocals).flac" in whole.headers["content-disposition"]
        assert (part.status_code, part.content) == (206, b"fLaC")
        asked = {"from": 100, "frames": 50}
        pcm = await browser.get(f"/audio/{row['audio']['file']}/pcm", params=asked)
        assert (len(pcm.content), pcm.headers["x-frames"]) == (50 * 2 * 2, "1600")
        assert (workshop.received(), await workshop.left_over()) == ([], [])
