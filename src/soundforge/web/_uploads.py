"""An import asked for over HTTP: the request's raw body is the file."""

from collections.abc import AsyncIterator
from uuid import UUID

from fastapi import Request
from starlette.requests import ClientDisconnect

from soundforge import accounts, pipeline, views
from soundforge.db import transaction
from soundforge.errors import Invalid
from soundforge.views import JobView
from soundforge.web._studio import studio_of


async def import_body(request: Request, owner_id: UUID, name: str, *, model: str = "") -> JobView:
    """Receive a request's body and ask for its import; without ``model`` the owner's setting chooses.

    Nothing is left of it when it is refused or breaks off. Raises what ``pipeline.open_upload`` raises, and
    ``Invalid`` ("upload_broken").
    """
    settings = studio_of(request).settings
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > settings.max_upload_mb << 20:
        raise pipeline.too_large(settings.max_upload_mb)
    async with pipeline.open_upload(settings, name, _chunks(request)) as upload, transaction() as session:
        chosen = (
            pipeline.check_model(model) if model else await accounts.get_setting(session, owner_id, "default_model")
        )
        job = await pipeline.request_import(session, owner_id, upload, options={"model": chosen})
        return await views.get_job_view(session, owner_id, job.id)


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect as error:
        raise Invalid("The file broke off before its end.", code="upload_broken") from error
