"""Mixes, one's own and shared ones."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import accounts, library
from soundforge.tables import Mix
from soundforge.views._library import get_track_view
from soundforge.views._values import MixView, SharedView


def mix_of(mix: Mix) -> MixView:
    """A row as people see it."""
    link = f"/shared/{mix.share_token}" if mix.share_token else None
    return MixView(mix.id, mix.name, mix.state, link, mix.updated_at)


async def find_chosen_stems(session: AsyncSession, owner_id: UUID, track_id: UUID) -> UUID | None:
    """The separation whose stems the owner chose last on the track's page, if they chose."""
    mixes = await library.list_mixes(session, owner_id, track_id)
    found = next((mix.state.get("stems_job") for mix in mixes if mix.name == ""), None)
    return UUID(found) if found else None


async def get_shared_view(session: AsyncSession, token: str) -> SharedView:
    """What is behind a link, whoever asks; raises ``NotFound``."""
    mix, row = await library.get_shared_mix(session, token)
    track = await get_track_view(session, mix.owner_id, row.id)
    owner = await accounts.get_user(session, mix.owner_id)
    named = [each for each in track.stem_sets if str(each.job_id) == mix.state.get("stems_job")]
    return SharedView(mix_of(mix), track, next(iter(named or track.stem_sets), None), owner.name)
