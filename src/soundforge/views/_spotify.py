"""What is known about Spotify's answers to this studio's app."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import accounts, library
from soundforge.tables import ACTIVE, Job, Kind, Status


@dataclass(frozen=True)
class SpotifyView:
    """The last test of the credentials, and whether the app is given the entries of playlists (None: not tried)."""

    is_running: bool
    works: bool
    sentence: str
    reads_playlists: bool | None


async def get_spotify_view(session: AsyncSession) -> SpotifyView:
    """How Spotify answered when it was asked last."""
    tests = select(Job).where(Job.kind == Kind.MAINTENANCE, Job.unique_key == "spotify")
    last = await session.scalar(tests.order_by(Job.created_at.desc()).limit(1))
    client_id = str(await accounts.get_setting(session, None, "spotify_client_id"))
    answer = await library.find_answer(session, "app", client_id) or {}
    if last is None:
        return SpotifyView(is_running=False, works=False, sentence="", reads_playlists=answer.get("reads_playlists"))
    return SpotifyView(
        is_running=last.status in ACTIVE,
        works=last.status == Status.COMPLETED and last.result.get("code") == "works",
        sentence=str(last.result.get("sentence") or last.error or ""),
        reads_playlists=answer.get("reads_playlists"),
    )
