"""Many tracks of the library at once, and how to undo it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import library, pipeline, views
from soundforge.db import transaction
from soundforge.errors import Invalid
from soundforge.library import Selection
from soundforge.web._access import VisitorOf
from soundforge.web._render import page
from soundforge.web.pages._library import ShownOf, usual_separation

router = APIRouter(include_in_schema=False)

NEW_LIST = "new"


class BatchForm(BaseModel):
    """What the bar below the library says. ``ids`` are parted by commas; with ``all`` they are those left out.

    ``told``: how many tracks the bar said are chosen.
    """

    action: str = Field(max_length=20)
    ids: str = Field(default="", max_length=800_000)
    all: bool = False
    told: str = Field(default="", pattern=r"^\d{0,9}$")
    playlist: str = Field(default="", max_length=40)
    title: str = Field(default="", max_length=400)

    def chosen(self, query: library.Query) -> Selection:
        """The tracks that are meant; raises ``Invalid`` ("bad_ids")."""
        try:
            ids = tuple(UUID(one) for one in self.ids.split(",") if one)
        except ValueError as error:
            raise Invalid("These are no tracks.", code="bad_ids") from error
        return Selection(query=query, without=ids) if self.all else Selection(ids)


@router.post("/library/batch")
async def batch(
    request: Request, visitor: VisitorOf, shown: ShownOf, asked: Annotated[BatchForm, Form()]
) -> HTMLResponse:
    """Separate, analyse, pack, add to a list or delete all that was chosen."""
    async with transaction() as session:
        query = await views.get_query_near(session, visitor.id, shown.query, shown.near)
        playlist_id = await _list_of(session, visitor.id, asked)
        action, _, what = asked.action.partition(":")  # as in "download:stems"
        usual = await usual_separation(session, visitor)
        wanted = pipeline.BatchAsked(action, usual.model, what or "audio", playlist_id, usual.options())
        chosen = asked.chosen(query)
        if asked.told:
            await library.check_count(session, visitor.id, chosen, int(asked.told))
        done = await pipeline.request_batch(session, visitor.id, chosen, wanted)
    answer = page(request, "pages/_batched.html", done=done, playlist_id=playlist_id)
    answer.headers["HX-Trigger"] = "sf:batched, sf:done"
    return answer


@router.post("/library/undo")
async def undo(request: Request, visitor: VisitorOf, removed_at: datetime) -> HTMLResponse:
    """Bring back what was deleted together."""
    async with transaction() as session:
        count = await library.restore_tracks(session, visitor.id, removed_at)
    return page(request, "pages/_asked.html", text=f"Back again: {count} {'track' if count == 1 else 'tracks'}.")


async def _list_of(session: AsyncSession, owner_id: UUID, asked: BatchForm) -> UUID | None:
    """The list to add to, made now where a new one is asked for."""
    if asked.action != "add":
        return None
    if asked.playlist == NEW_LIST:
        return (await library.add_own_playlist(session, owner_id, asked.title)).id
    try:
        return UUID(asked.playlist)
    except ValueError as error:
        raise Invalid("Choose the list to add to.", code="bad_ids") from error
