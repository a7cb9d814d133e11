"""Received bytes: streamed to ``incoming/`` under a name of ours; hashing and decoding are jobs."""

import asyncio
from pathlib import Path
from uuid import uuid4

from fastapi import Request

from soundforge import sources
from soundforge.config import Settings
from soundforge.errors import Invalid, Unavailable
from soundforge.pipeline import Upload

MB = 1 << 20


async def receive(request: Request, settings: Settings, name: str) -> Upload:
    """Write a request's raw body to disk; nothing is left of it when it is refused or breaks off.

    Raises ``Invalid`` ("too_large", "empty_file") and ``Unavailable`` ("disk_full").
    """
    _refuse_length(request, settings)
    upload_id = uuid4()
    await asyncio.to_thread(settings.incoming_folder.mkdir, parents=True, exist_ok=True)
    part = settings.incoming_folder / f"{upload_id}.part"
    try:
        size = await _write(request, part, settings.max_upload_mb * MB)
        await asyncio.to_thread(sources.check_file, part, max_mb=settings.max_upload_mb)
        await asyncio.to_thread(part.rename, settings.incoming_folder / str(upload_id))
    finally:
        await asyncio.to_thread(part.unlink, missing_ok=True)
    return Upload(upload_id, name, size)


async def _write(request: Request, part: Path, most: int) -> int:
    size = 0
    try:
        file = await asyncio.to_thread(part.open, "xb")
        try:
            async for chunk in request.stream():
                size += len(chunk)
                if size > most:
                    raise _too_large(most)
                await asyncio.to_thread(file.write, chunk)
        finally:
            await asyncio.to_thread(file.close)
    except OSError as error:
        sentence = "The disk is full: this file could not be received."
        raise Unavailable(sentence, code="disk_full", detail=str(error)) from error
    return size


def _refuse_length(request: Request, settings: Settings) -> None:
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > settings.max_upload_mb * MB:
        raise _too_large(settings.max_upload_mb * MB)


def _too_large(most: int) -> Invalid:
    return Invalid(f"This file is larger than the {most // MB} MB that are allowed here.", code="too_large")
