"""Importing audio files."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from soundforge import accounts, pipeline
from soundforge.db import transaction
from soundforge.web._access import VisitorOf
from soundforge.web._studio import studio_of
from soundforge.web._uploads import receive

router = APIRouter(include_in_schema=False)


@router.post("/import/files")
async def import_file(
    request: Request, visitor: VisitorOf, name: Annotated[str, Query(min_length=1, max_length=1000)]
) -> JSONResponse:
    """Take one file, the request's raw body, and ask for its import."""
    upload = await receive(request, studio_of(request).settings, name)
    async with transaction() as session:
        model = await accounts.get_setting(session, visitor.id, "default_model")
        job = await pipeline.request_import(session, visitor.id, upload, options={"model": model})
    return JSONResponse({"job_id": str(job.id), "message": "received"}, 202)
