"""``tracks batch`` and ``tracks undo``: many tracks at once."""

from typing import Literal
from uuid import UUID

from cyclopts import App

from soundforge import library, pipeline, views
from soundforge.cli._arguments import read_moment
from soundforge.cli._output import say, say_json
from soundforge.cli._rooms import run_as
from soundforge.db import transaction
from soundforge.pipeline import BatchAsked


def add_to(tracks: App) -> None:
    """Add these commands to those about tracks."""
    tracks.command(batch)
    tracks.command(undo)


def batch(
    action: Literal["separate", "analyze", "download", "add", "delete"],
    *track: UUID,
    search: str | None = None,
    model: str = "auto",
    what: str = "audio",
    playlist: UUID | None = None,
    json: bool = False,
    user: str | None = None,
) -> int:
    """Do one thing to many tracks: those named, or all that a search finds.

    Parameters
    ----------
    action
        What to do with them.
    track
        The tracks, as `tracks list` names them.
    search
        Instead: everything that these words and fields find, as in `has:audio -has:stems`.
    model
        What separates.
    what
        What a download packs: audio or stems.
    playlist
        The list that tracks are added to.
    json
        Print what came of it as JSON.
    user
        Whose library; the owner's unless said.

    """

    async def body(owner_id: UUID) -> int:
        chosen = library.Selection(track, None if search is None else library.Query(search=search))
        async with transaction() as session:
            done = await pipeline.request_batch(session, owner_id, chosen, BatchAsked(action, model, what, playlist))
        if json:
            say_json(views.plain(done))
            return 0
        say(done.text)
        if done.removed_at:
            say(f"To undo it: soundforge tracks undo {done.removed_at.isoformat()}")
        return 0

    return run_as(user, body)


def undo(removed_at: str, *, json: bool = False, user: str | None = None) -> int:
    """Bring back what was deleted together; the moment is what `tracks batch delete` said."""
    moment = read_moment(removed_at)

    async def body(owner_id: UUID) -> int:
        async with transaction() as session:
            count = await library.restore_tracks(session, owner_id, moment)
        say_json({"count": count}) if json else say(f"Back again: {count}")
        return 0

    return run_as(user, body)
