"""An import asked for over HTTP: the request's raw body is the file."""

from collections.abc import AsyncIterator
from uuid import UUID

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import ClientDisconnect

from soundforge import accounts, library, pipeline, views
from soundforge.db import reading, transaction
from soundforge.errors import Invalid, Rejected
from soundforge.views import JobView
from soundforge.web._studio import studio_of

LIST_NAME = "Pasted list.csv"
_STEP_BYTES = 1 << 20


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
        options = {"model": await _model(session, owner_id, model)}
        job = await pipeline.request_import(session, owner_id, upload, options=options)
        return await views.get_job_view(session, owner_id, job.id)


async def receive_part(request: Request, owner_id: UUID, upload_id: UUID, offset: int) -> tuple[int, JobView | None]:
    """Receive one part of an upload; gives how many bytes are here, and the import once that are all of them.

    Raises ``NotFound`` ("upload_not_found"), what ``pipeline.open_part`` and a part's ``append`` raise, and, where the
    whole is no audio file, what ``pipeline.open_upload`` raises: nothing is left of it then.
    """
    async with reading() as session:
        row = await library.get_upload(session, owner_id, upload_id)
    async with pipeline.open_part(studio_of(request).settings, row) as part:
        await part.append(_chunks(request), offset=offset)
        if part.offset < row.size_bytes:
            async with transaction() as session:
                await library.touch_upload(session, upload_id)
            return part.offset, None
        return part.offset, await _import_whole(owner_id, part)


async def _import_whole(owner_id: UUID, part: pipeline.PartialFile) -> JobView:
    upload_id, model = part.upload.id, part.upload.model
    try:
        async with part.completed() as upload, transaction() as session:
            await library.remove_upload(session, owner_id, upload_id)
            options = {"model": await _model(session, owner_id, model)}
            job = await pipeline.request_import(session, owner_id, upload, options=options)
            return await views.get_job_view(session, owner_id, job.id)
    except Rejected:
        async with transaction() as session:
            await library.remove_upload(session, owner_id, upload_id)
        raise


async def import_text(request: Request, owner_id: UUID, text: str, *, model: str = "") -> JobView:
    """Ask for the import of a paste; one that is a list waits in ``incoming/`` like a file.

    Raises what ``pipeline.recognise`` and ``pipeline.request_paste`` raise.
    """
    recognised = pipeline.recognise(text)
    if recognised.songs is not None:
        chunks = _pieces(text.encode("utf-8", "replace"))
        received = pipeline.open_upload(studio_of(request).settings, LIST_NAME, chunks)
        async with received as upload, transaction() as session:
            options = {"model": await _model(session, owner_id, model)}
            job = await pipeline.request_import(session, owner_id, upload, options=options)
            return await views.get_job_view(session, owner_id, job.id)
    async with transaction() as session:
        model = await _model(session, owner_id, model)
        job = await pipeline.request_paste(session, owner_id, recognised, model=model)
        return await views.get_job_view(session, owner_id, job.id)


async def _model(session: AsyncSession, owner_id: UUID, model: str) -> str:
    if model:
        return pipeline.check_model(model)
    return str(await accounts.get_setting(session, owner_id, "default_model"))


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), _STEP_BYTES):
        yield content[start : start + _STEP_BYTES]


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect as error:
        raise Invalid("The file broke off before its end.", code="upload_broken") from error
