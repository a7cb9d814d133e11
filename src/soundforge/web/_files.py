"""Files to take away, named for people: the same for pages and API."""

import hashlib
import re
from uuid import UUID

from fastapi import Request
from fastapi.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from soundforge import formats, library, views
from soundforge.db import reading
from soundforge.errors import Invalid, NotFound
from soundforge.storage import Storage
from soundforge.tables import File
from soundforge.web._studio import studio_of

# The content of a file id never changes; but it is somebody's own, so no proxy may keep it.
KEEP = {"Cache-Control": "private, max-age=31536000, immutable"}
# A file to take away has a name, which may change, and is gone with its track or the login: ask every time.
ASK = {"Cache-Control": "private, no-cache"}
# What a cover may be, as its first bytes told when it was stored; a browser is given nothing else as a picture.
_PICTURES = {"image/jpeg": ".jpg", "image/png": ".png"}


async def send_stem(request: Request, owner_id: UUID, track_id: UUID, file_id: UUID) -> Response:
    """One stem of a track; raises ``NotFound``."""
    async with reading() as session:
        track = await views.get_track_view(session, owner_id, track_id)
        stem = next(
            (stem for each in (*track.stem_sets, *track.previews) for stem in each.stems if stem.file_id == file_id),
            None,
        )
        if stem is None:
            raise NotFound("There is no such stem.", code="file_not_found")
        file = await library.get_file(session, owner_id, file_id)
    return _send(request, file, formats.file_name(track.row.artist, track.row.title, stem.name, ".flac"))


async def send_cover(request: Request, owner_id: UUID, track_id: UUID) -> Response:
    """A track's cover, JPEG or PNG; raises ``NotFound``."""
    async with reading() as session:
        track = await library.get_track(session, owner_id, track_id)
        file = await library.get_file(session, owner_id, track.cover_file_id) if track.cover_file_id else None
        if file is None or file.media_type not in _PICTURES:
            raise NotFound("This track has no cover.", code="file_not_found")
    return _send(request, file, formats.file_name(track.artist, track.title, "cover", _PICTURES[file.media_type]))


async def send_export(request: Request, owner_id: UUID, job_id: UUID) -> Response:
    """What an export job made; raises ``NotFound``."""
    async with reading() as session:
        job = await views.get_job_view(session, owner_id, job_id)
        if "file_id" not in job.result:
            raise NotFound("This job made no file.", code="file_not_found")
        file = await library.get_file(session, owner_id, UUID(job.result["file_id"]))
    return _send(request, file, job.result["name"])


def send_sound(request: Request, file: File, cache: str) -> Response:
    """A whole FLAC file of ours, or the range that was asked for, for a browser to play itself; raises ``Invalid``."""
    if file.media_type != "audio/flac":
        raise Invalid("Only the studio's own FLAC files can be played.", code="not_playable")
    return _StoredFile(studio_of(request).storage, file, {"Cache-Control": cache})


class _StoredFile(FileResponse):
    """Sends an object from the path that storage lends, as long as it lends it."""

    def __init__(self, storage: Storage, file: File, headers: dict[str, str]) -> None:
        """Answer with ``file``."""
        super().__init__(file.key, media_type=file.media_type, headers=headers)
        self._storage, self._key = storage, file.key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, or the part that was asked for."""
        async with self._storage.local(self._key) as path:
            self.path = path
            await super().__call__(scope, receive, send)


def _send(request: Request, file: File, name: str) -> Response:
    disposition = formats.attachment(name)
    tag = f'"{hashlib.sha256(f"{file.sha256} {disposition}".encode()).hexdigest()[:32]}"'
    headers = {**ASK, "Content-Disposition": disposition, "ETag": tag}
    if tag in re.split(r"\s*,\s*(?:W/)?|^W/", request.headers.get("if-none-match", "").strip()):
        return Response(status_code=304, headers=headers)
    return _StoredFile(studio_of(request).storage, file, headers)
