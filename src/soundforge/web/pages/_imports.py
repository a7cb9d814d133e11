"""Importing audio files."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from soundforge.web._access import VisitorOf
from soundforge.web._uploads import import_body

router = APIRouter(include_in_schema=False)


@router.post("/import/files")
async def import_file(
    request: Request, visitor: VisitorOf, name: Annotated[str, Query(min_length=1, max_length=1000)]
) -> JSONResponse:
    """Take one file, the request's raw body, and ask for its import."""
    job = await import_body(request, visitor.id, name)
    return JSONResponse({"job_id": str(job.id), "message": "received"}, 202)
