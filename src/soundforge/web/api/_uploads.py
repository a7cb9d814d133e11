"""Large files in parts, in the manner of tus: create, ask for the offset, send parts, go on where it broke off."""

import asyncio
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from soundforge import library, pipeline
from soundforge.db import reading, transaction
from soundforge.tables import PartialUpload
from soundforge.views import JobView
from soundforge.web._access import CallerOf
from soundforge.web._openapi import RAW_BODY
from soundforge.web._studio import studio_of
from soundforge.web._uploads import receive_part

router = APIRouter(prefix="/api/v1", tags=["uploads"])


class UploadAsked(BaseModel):
    """The file to receive."""

    name: str = Field(min_length=1, max_length=1000)
    size_bytes: int = Field(ge=1)
    model: str = Field(default="", max_length=60)


class UploadShown(BaseModel):
    """A file that is being received: ``offset`` bytes of ``size_bytes`` are here."""

    id: UUID
    name: str
    size_bytes: int
    offset: int
    part_bytes: int = pipeline.PART_BYTES
    keeps_until: datetime


class PartTaken(BaseModel):
    """How much is here now; with the last part the import of the file."""

    offset: int
    job: JobView | None = None


@router.post("/uploads", status_code=201)
async def begin_upload(request: Request, response: Response, caller: CallerOf, asked: UploadAsked) -> UploadShown:
    """Begin to send a file; its parts follow with PATCH."""
    settings = studio_of(request).settings
    async with transaction() as session:
        row = await pipeline.begin_upload(session, settings, caller.id, asked.name, asked.size_bytes, model=asked.model)
    response.headers["Location"] = f"/api/v1/uploads/{row.id}"
    return _shown(row, 0)


@router.get("/uploads")
async def list_uploads(request: Request, caller: CallerOf) -> list[UploadShown]:
    """Files of the caller that are being received."""
    async with reading() as session:
        rows = await library.list_uploads(session, caller.id)
    settings = studio_of(request).settings
    return [_shown(row, await pipeline.received_bytes(settings, row.id)) for row in rows]


@router.head("/uploads/{upload_id}", include_in_schema=False)
@router.get("/uploads/{upload_id}")
async def get_upload(request: Request, response: Response, caller: CallerOf, upload_id: UUID) -> UploadShown:
    """How much of a file is here, also in the headers Upload-Offset and Upload-Length."""
    async with reading() as session:
        row = await library.get_upload(session, caller.id, upload_id)
    offset = await pipeline.received_bytes(studio_of(request).settings, row.id)
    response.headers.update({"Upload-Offset": str(offset), "Upload-Length": str(row.size_bytes)})
    response.headers["Cache-Control"] = "no-store"
    return _shown(row, offset)


@router.patch("/uploads/{upload_id}", openapi_extra=RAW_BODY)
async def add_part(
    request: Request,
    response: Response,
    caller: CallerOf,
    upload_id: UUID,
    upload_offset: Annotated[int, Header(ge=0, description="Where this part begins: as many bytes as are here.")],
) -> PartTaken:
    """Send one part, the request's raw body; what came of one that breaks off stays. The last asks for the import."""
    offset, job = await receive_part(request, caller.id, upload_id, upload_offset)
    response.headers["Upload-Offset"] = str(offset)
    return PartTaken(offset=offset, job=job)


@router.delete("/uploads/{upload_id}", status_code=204)
async def stop_upload(request: Request, caller: CallerOf, upload_id: UUID) -> Response:
    """Stop; what came of the file goes."""
    async with transaction() as session:
        path = await pipeline.stop_upload(session, studio_of(request).settings, caller.id, upload_id)
    await asyncio.to_thread(path.unlink, missing_ok=True)
    return Response(status_code=204)


def _shown(row: PartialUpload, offset: int) -> UploadShown:
    until = row.changed_at + pipeline.KEEP_PARTS
    return UploadShown(id=row.id, name=row.name, size_bytes=row.size_bytes, offset=offset, keeps_until=until)
