"""What the library view loads for each event, so that its template can say what changed."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from soundforge import library, views
from soundforge.events import (
    AnalysisReady,
    CuesChanged,
    JobChanged,
    PlaylistChanged,
    StemsReady,
    TrackAdded,
    TrackChanged,
    TrackRemoved,
)
from soundforge.tables import RUNNING, TERMINAL, Kind, Status
from soundforge.views import JobView, PlaylistView, TrackRow
from soundforge.web._render import row_job
from soundforge.web._stream import Feed, Loader, News, Stream
from soundforge.web._stream_settings import maintenance_changed

# Which columns move a row when the list is sorted by them.
_MOVES = {"title", "artist", "album", "bpm", "key", "loudness", "duration"}
_JUST_NOW = timedelta(seconds=10)  # what is older than that when the page opened stands on it already
_MOST_AHEAD = 50
_NO_ROW: dict[str, Any] = {"stream": None, "row": None, "track_id": None}


async def track_added(news: News, feed: Feed, event: TrackAdded) -> list[dict[str, Any]]:
    """Insert the row at its sorted place, if the page's search finds it."""
    return [] if event.track_id in feed.placed else await _insert(news, feed, event.track_id)


async def track_changed(news: News, feed: Feed, event: TrackChanged) -> list[dict[str, Any]]:
    """Update the row; move it when the list is sorted by what changed; drop it when the search lost it."""
    if feed.view == "playlist":  # a batch that has told what its track does has not told its name
        return [_context(event.track_id, None, await _row(news, feed, event.track_id))]
    if feed.query.search and not await _is_found(news, feed, event.track_id):
        return [_gone(event.track_id)]
    if (feed.query.sort in _MOVES and feed.query.sort in event.fields) or feed.query.search:
        row = await _insert(news, feed, event.track_id)
    else:
        row = [await _update(news, feed, event.track_id)]
    return [*row, _stage(event.track_id, is_told=_once(feed, "stage", event.track_id))]


async def track_removed(_news: News, feed: Feed, event: TrackRemoved) -> dict[str, Any] | None:
    """Remove the row."""
    feed.placed.discard(event.track_id)
    feed.removed.add(event.track_id)
    return _gone(event.track_id)


async def results_ready(news: News, feed: Feed, event: StemsReady | AnalysisReady) -> list[dict[str, Any]]:
    """Update the row; the open track asks for its own part; a search for what a track has may find or lose it."""
    if library.is_about(feed.query.search, "has"):
        return await track_changed(news, feed, TrackChanged(event.owner_id, event.track_id, ("has",)))
    update = await _update(news, feed, event.track_id)
    return [update, _stage(event.track_id, is_told=_once(feed, "stage", event.track_id))]


async def job_changed(news: News, feed: Feed, event: JobChanged) -> list[dict[str, Any]]:
    """Any change but a tick (see _stream) sends the job, and the row of its track, each by itself.

    Of the downloads of an import the row of the import tells, once a batch, and none has a row of its own.
    """
    if feed.view == "settings":
        return await maintenance_changed(news, feed, event) if event.kind == Kind.MAINTENANCE else []
    if event.kind == Kind.MAINTENANCE:
        return []  # nobody's music: the lists leave it out too
    if feed.view == "playlist" and event.kind == Kind.IMPORT:
        return await _ended_import(news, feed, event)
    known, feed.seen[event.job_id] = feed.seen.get(event.job_id), event.state
    told = {"tick": False, "in_row": False, "first": False, "job": None, "ready": None, "stage": False, **_NO_ROW}
    told |= {"playlist": None, "begun": False}
    job = await _job(news, event.job_id)
    about_track = [told | context for context in await _row_of_job(news, feed, event, job)]
    of_import = await _import_of(news, feed, job, told)
    if job.kind == Kind.DOWNLOAD and job.parent_id is not None:
        return [*about_track, *of_import]
    is_new = known is None and job.created_at > feed.opened_at - _JUST_NOW
    is_ready = known is not None and job.status == Status.COMPLETED and job.kind == Kind.EXPORT and not job.track_id
    ready = [told | {"ready": job}] if is_ready else []  # no track's page tells of it
    return [*about_track, told | {"job": job, "first": is_new}, *ready, *of_import]


async def cues_changed(_news: News, _feed: Feed, event: CuesChanged) -> dict[str, Any]:
    """The cue points of the open track ask for themselves anew."""
    return {"track_id": event.track_id}


async def playlist_changed(news: News, feed: Feed, event: PlaylistChanged) -> list[dict[str, Any]]:
    """Send the head of the list with its counts, then each entry that came, moved or went, in the list's order."""
    if feed.list_id != event.playlist_id:
        return []
    head = await _list(news, event.playlist_id)
    asked = partial(
        views.list_entry_places,
        owner_id=feed.owner_id,
        playlist_id=event.playlist_id,
        entry_ids=[UUID(one) for one in event.entries],
    )
    places = await news.once(event.playlist_id, "places", ask=asked)
    return [{"playlist": head, "place": None}, *({"playlist": head, "place": place} for place in places)]


async def _ended_import(news: News, feed: Feed, event: JobChanged) -> list[dict[str, Any]]:
    """An import that ends may leave its list half read: the head says so."""
    if feed.list_id is None or event.status not in TERMINAL:
        return []
    return [{"row": None, "playlist": await _list(news, feed.list_id)}]


async def _row_of_job(news: News, feed: Feed, event: JobChanged, job: JobView) -> list[dict[str, Any]]:
    """The row of a job's track, and what its stage tells or no longer tells; "is:failed" may find or lose the row."""
    if event.track_id is None:
        return []
    if not library.is_about(feed.query.search, "is"):
        row = [await _update(news, feed, event.track_id)]
    elif not await _is_found(news, feed, event.track_id):
        row = [_gone(event.track_id)]
    else:
        row = await _insert(news, feed, event.track_id)
    return [*row, _stage(event.track_id, is_told=_shows(job)) | {"begun": job.status in RUNNING}]


def _shows(job: JobView) -> bool:
    """Whether the stage tells of it: a failure or a wait, a zip, audio that came."""
    if job.status == Status.COMPLETED:
        return job.kind in (Kind.EXPORT, Kind.DOWNLOAD)
    return job.status in (Status.QUEUED, Status.FAILED)


async def _import_of(news: News, feed: Feed, job: JobView, told: dict[str, Any]) -> list[dict[str, Any]]:
    """The import that asked for a download, or whose failed lines this one takes up."""
    if job.parent_id is None or job.kind not in (Kind.DOWNLOAD, Kind.IMPORT):
        return []
    if not _once(feed, "import", job.parent_id):
        return []
    return [told | {"job": await _job(news, job.parent_id)}]


async def _insert(news: News, feed: Feed, track_id: UUID) -> list[dict[str, Any]]:
    """Put a row where it belongs. What stands after it may be new as well and still untold: that one goes first."""
    if not await _is_found(news, feed, track_id):
        return []
    chain = [track_id]
    before = await _after(news, feed, track_id)
    while before and len(chain) < _MOST_AHEAD and await _is_untold(news, feed, before):
        chain.append(before)
        before = await _after(news, feed, before)
    told: list[dict[str, Any]] = []
    for one in reversed(chain):
        feed.placed.add(one)
        feed.removed.discard(one)
        told.append(_context(one, Stream("insert", before), await _row(news, feed, one)))
        before = one
    return told


async def _after(news: News, feed: Feed, track_id: UUID) -> UUID | None:
    asked = partial(library.find_next_track, owner_id=feed.owner_id, query=feed.query, track_id=track_id)
    return await news.once(track_id, "after", feed.query, ask=asked)


async def _is_untold(news: News, feed: Feed, track_id: UUID) -> bool:
    if track_id in feed.placed:
        return False
    if track_id in feed.removed or track_id in feed.coming:
        return True  # brought back together with others
    row = await _ask_row(news, track_id)
    return row.created_at > feed.opened_at


async def _update(news: News, feed: Feed, track_id: UUID) -> dict[str, Any]:
    return _context(track_id, Stream("update"), await _news(news, feed, track_id))


def _gone(track_id: UUID) -> dict[str, Any]:
    return _context(track_id, Stream("remove"), None)


def _stage(track_id: UUID, *, is_told: bool) -> dict[str, Any]:
    """The stage that asks for itself anew, in a message of its own: the longest row leaves it no room."""
    return _context(track_id, None, None) | {"stage": is_told}


def _context(track_id: UUID, stream: Stream | None, row: TrackRow | None) -> dict[str, Any]:
    return {"track_id": track_id, "stream": stream, "row": row, "stage": False}


def _once(feed: Feed, what: str, subject_id: UUID) -> bool:
    """Whether this batch has not told it yet."""
    is_news = (what, subject_id) not in feed.sent
    feed.sent.add((what, subject_id))
    return is_news


async def _news(news: News, feed: Feed, track_id: UUID) -> TrackRow | None:
    """The row, unless this batch has told it already."""
    return await _row(news, feed, track_id) if ("row", track_id) not in feed.sent else None


async def _row(news: News, feed: Feed, track_id: UUID) -> TrackRow:
    row = await _ask_row(news, track_id)
    feed.sent.add(("row", track_id))
    shown = row_job(row)
    feed.seen[track_id] = shown.id if shown else None
    return row


async def _ask_row(news: News, track_id: UUID) -> TrackRow:
    asked = partial(views.get_track_row, owner_id=news.event.owner_id, track_id=track_id)
    return await news.once(track_id, "row", ask=asked)


async def _job(news: News, job_id: UUID) -> JobView:
    asked = partial(views.get_job_view, owner_id=news.event.owner_id, job_id=job_id)
    return await news.once(job_id, "job", ask=asked)


async def _is_found(news: News, feed: Feed, track_id: UUID) -> bool:
    asked = partial(library.is_in, owner_id=feed.owner_id, query=feed.query, track_id=track_id)
    return await news.once(track_id, "is found", feed.query, ask=asked)


async def _list(news: News, list_id: UUID) -> PlaylistView:
    asked = partial(views.get_playlist_view, owner_id=news.event.owner_id, playlist_id=list_id)
    return await news.once(list_id, "list", ask=asked)


LOADERS: dict[str, Loader] = {
    "track_added": track_added,
    "track_changed": track_changed,
    "track_removed": track_removed,
    "cues_changed": cues_changed,
    "stems_ready": results_ready,
    "analysis_ready": results_ready,
    "job_changed": job_changed,
    "playlist_changed": playlist_changed,
}
