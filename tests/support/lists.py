"""What came of the import of a list, for tests of the pipeline."""

from typing import Any

from sqlalchemy import func, select

from soundforge.db import reading
from soundforge.spotify import Skip
from soundforge.tables import Job, Kind, Playlist, PlaylistTrack, Track
from tests.support.fake_spotify_world import Row

DISTINCT = 484  # of the songs among 512 entries


def url(kind: str, identity_: str) -> str:
    return f"https://open.spotify.com/{kind}/{identity_}"


async def entries(kind: str = "playlist") -> list[PlaylistTrack]:
    async with reading() as session:
        (playlist,) = (await session.scalars(select(Playlist).where(Playlist.kind == kind))).all()
        rows = select(PlaylistTrack).where(PlaylistTrack.playlist_id == playlist.id)
        return list((await session.scalars(rows.order_by(PlaylistTrack.position))).all())


async def titles(rows: list[PlaylistTrack]) -> list[str | Skip]:
    """What a list shows, in its order."""
    async with reading() as session:
        named = {row.id: row.spotify_id for row in await session.execute(select(Track.id, Track.spotify_id))}
    return [str(named[row.track_id]) if row.track_id else Skip(str(row.skip)) for row in rows if row.gone_at is None]


def wanted(rows: list[Row]) -> list[str | Skip]:
    return [row if isinstance(row, Skip) else row.id for row in rows]


async def count(what: Any, *where: Any) -> int:
    async with reading() as session:
        return await session.scalar(select(func.count()).select_from(what).where(*where)) or 0


async def downloads() -> int:
    return await count(Job, Job.kind == Kind.DOWNLOAD)
