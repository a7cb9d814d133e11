"""The live feed of a page."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse

from soundforge import library, views
from soundforge.db import reading
from soundforge.errors import NotFound
from soundforge.web._access import VisitorOf
from soundforge.web._render import TEMPLATES
from soundforge.web._stream import Feed, messages
from soundforge.web._stream_library import LOADERS
from soundforge.web._studio import studio_of
from soundforge.web.pages._library import ShownOf

router = APIRouter(include_in_schema=False)

# "page" has no templates: a page without lists, which hears only whether it is still logged in.
VIEWS = frozenset({"page", *(path.name for path in (TEMPLATES / "events").iterdir())})


@router.get("/events/{view}")
async def events(
    request: Request,
    visitor: VisitorOf,
    view: str,
    shown: ShownOf,
    place: str = "",
    shows: UUID | None = None,
    last_event_id: Annotated[str, Header()] = "",
) -> StreamingResponse:
    """The changes of one view from ``place`` (when the page was drawn) or the last heard message on.

    ``shows`` is the playlist that the page shows.
    """
    if view not in VIEWS:
        raise NotFound("There is no such view.", code="view_not_found")
    library.check_search(shown.query.search)
    studio = studio_of(request)
    query = shown.query
    if shown.near:  # after a restart everybody connects at once: most need to ask for nothing
        async with reading() as session:
            query = await views.get_query_near(session, visitor.id, query, shown.near)
    feed = Feed.of(visitor, view, query, shown.columns, shows)
    stream = messages(feed, studio, last_event_id or place, LOADERS)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"Cache-Control": "no-store"})
