"""Pages, API and feeds of this process over ASGI, with users who are logged in and songs that can be played."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import soundfile
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import accounts, jobs, library
from soundforge.config import Settings
from soundforge.db import transaction
from soundforge.events import open_listener
from soundforge.library import ZIP, NewFile, NewPart, NewStem
from soundforge.tables import Job, Kind, Status, User
from soundforge.web import Studio, create_app
from tests.support.audio import sweep
from tests.support.factories import new_track
from tests.support.fakes_analyzer import DOCUMENTS
from tests.support.fakes_storage import MemoryStorage
from tests.support.waveforms import level

BASE = "http://localhost:8723"
PEAKS = b"".join(level(8000, width, b"\xf0\x10" * -(-800 // width)) for width in (256, 1024, 4096, 16384))


@dataclass(frozen=True)
class Song:
    """A song of somebody's library, with everything that can be asked about it."""

    track_id: UUID
    mix_id: UUID
    cover_id: UUID
    stem_id: UUID
    peaks_id: UUID
    stems_job: UUID
    export_job: UUID
    failed_job: UUID
    waiting_job: UUID
    playlist_id: UUID


@dataclass
class House:
    """The web, and who visits it."""

    studio: Studio
    storage: MemoryStorage
    users: dict[str, UUID]
    visitors: dict[str, httpx2.AsyncClient]
    scratch: Path

    async def add_song(self, owner: str = "ann", title: str = "Song") -> Song:
        """Give somebody a song with stems, an analysis, a zip, a failed job and one that waits."""
        owner_id = self.users[owner]
        async with transaction() as session:
            cover = await self._put("cover.jpg", "image/jpeg", b"\xff\xd8\xff")
            new = new_track(title, "Ann", cover=cover, mix=await self._put("mix.flac", "audio/flac", flac(0.11)))
            track = await library.add_track(session, owner_id, new)
            asked = {
                kind: await add_job(session, owner_id, kind, track_id=track.id)
                for kind in (Kind.SEPARATION, Kind.ANALYSIS, Kind.EXPORT)
            }
            failed, waiting = [await add_job(session, owner_id, Kind.IMPORT, params={"name": title}) for _ in range(2)]
            peaks = await self._put("vocals.dat", "application/octet-stream", PEAKS)
            stem = NewStem("vocals", await self._put("vocals.flac", "audio/flac", flac()), peaks, 0.0)
            await library.add_stems(session, owner_id, track.id, asked[Kind.SEPARATION].id, [stem])
            for stage, document in DOCUMENTS.items():
                await library.add_part(
                    session, owner_id, track.id, asked[Kind.ANALYSIS].id, NewPart(stage, "1", document)
                )
            zipped = await self._put("stems.zip", ZIP, b"PK")
            await library.add_file(session, owner_id, zipped)
            listed = library.NewPlaylist("playlist", uuid4().hex, title)
            playlist_id = await library.add_playlist(session, owner_id, listed, uuid4())
            result = {"file_id": str(zipped.id), "name": "Ann - Song (stems).zip"}
            await finish(session, asked[Kind.SEPARATION], Status.COMPLETED, {"engine": "dsp", "model": "dsp"})
            await finish(session, asked[Kind.ANALYSIS], Status.COMPLETED, {})
            await finish(session, asked[Kind.EXPORT], Status.COMPLETED, result)
            await finish(session, failed, Status.FAILED, {})
        ids = [asked[Kind.SEPARATION].id, asked[Kind.EXPORT].id, failed.id, waiting.id]
        return Song(track.id, new.mix.id, cover.id, stem.audio.id, peaks.id, *ids, playlist_id)

    async def _put(self, name: str, media_type: str, content: bytes) -> NewFile:
        path = self.scratch / uuid4().hex
        path.write_bytes(content)
        stored = await self.storage.put(path, f"jobs/{uuid4()}/1/{name}")
        return NewFile(stored.key, stored.size_bytes, stored.sha256, media_type)


@cache
def flac(seconds: float = 0.1) -> bytes:
    """A short sound, as stems are kept."""
    with BytesIO() as file:
        soundfile.write(file, sweep(seconds, rate=8000), 8000, format="FLAC", subtype="PCM_24")
        return file.getvalue()


async def add_job(session: AsyncSession, owner_id: UUID, kind: Kind, **more: Any) -> Job:
    """Queue a job that nobody works here."""
    return await jobs.add_job(session, kind=kind, owner_id=owner_id, unique_key=uuid4().hex, **more)


async def finish(session: AsyncSession, job: Job, status: Status, result: dict[str, Any]) -> None:
    """Let a job have ended, behind the back of the trigger that knows moves."""
    await session.execute(text("SET LOCAL session_replication_role = replica"))
    now = datetime.now(UTC)
    ended: dict[str, Any] = {"status": status, "result": result, "started_at": now, "finished_at": now}
    if status == Status.FAILED:
        ended |= {"error_code": "engine_crashed", "error": "The engine crashed."}
    await session.execute(update(Job).where(Job.id == job.id).values(ended))
    await session.execute(text("SET LOCAL session_replication_role = origin"))


def client(studio_app: Any, **headers: str) -> httpx2.AsyncClient:
    """A program, or a browser that is not logged in."""
    transport = httpx2.ASGITransport(app=studio_app, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url=BASE, headers=headers)


async def log_in(user_id: UUID) -> str:
    """Open a session without a password; gives the cookie's text."""
    async with transaction() as session:
        return await accounts.start_session(session, user_id)


async def add_token(user_id: UUID, *scopes: str) -> str:
    """Make a token; gives its text."""
    async with transaction() as session:
        return (await accounts.add_token(session, user_id, "program", list(scopes)))[1]


def cookie(text_of_session: str) -> dict[str, str]:
    """Headers of a browser that is logged in, on a page of ours."""
    return {"Cookie": f"sfa_session={text_of_session}", "Sec-Fetch-Site": "same-origin"}


async def add_users() -> dict[str, UUID]:
    """A studio that is set up: its owner, an admin, two members."""
    async with transaction() as session:
        owner = await accounts.ensure_owner(session)
        await session.execute(update(User).where(User.id == owner.id).values(password_hash="set"))
        users = {"owner": owner.id}
        for name, role in (("ann", "member"), ("ben", "member"), ("eve", "admin")):
            users[name] = (await accounts.add_user(session, name, role=role)).id
        await accounts.change_setting(session, None, "allow_audio_download", value=True)
        return users


@asynccontextmanager
async def open_house(settings: Settings, scratch: Path) -> AsyncIterator[House]:
    """Open the web on the bound database, for the visitors that access is about."""
    storage = MemoryStorage()
    with accounts.open_settings({}, accounts.open_keyring(scratch / "secret.key")):
        async with open_listener() as listener:
            users = await add_users()
            studio = Studio(settings, storage, listener)
            app = create_app(studio)
            visitors = {"anonymous": client(app)}
            for name, user_id in users.items():
                visitors[name] = client(app, **cookie(await log_in(user_id)))
            for name, scopes in (("reading token", ["read"]), ("writing token", ["read", "write"])):
                visitors[name] = client(app, Authorization=f"Bearer {await add_token(users['ann'], *scopes)}")
            token = await add_token(users["eve"], "read", "write", "admin")
            visitors["admin's token"] = client(app, Authorization=f"Bearer {token}")
            yield House(studio, storage, users, visitors, scratch)
            studio.stopping.set()
