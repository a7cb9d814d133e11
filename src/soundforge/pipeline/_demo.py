"""The demo song: rendered by us, so its tempo, key and sections are known, and imported like any other."""

import asyncio
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import jobs
from soundforge.engines import render_demo
from soundforge.pipeline._incoming import Upload
from soundforge.pipeline._ports import ports
from soundforge.pipeline._requests import request_demo, request_import
from soundforge.tables import Job, Kind, User

NAME = "Sound Forge - Alchemist’s First Light.wav"


async def offer_demo(session: AsyncSession, owner: User) -> Job | None:
    """At the first start: ask for the demo song, once in the life of an instance."""
    made = select(Job.id).where(Job.kind == Kind.MAINTENANCE.value, Job.unique_key == "demo").limit(1)
    if await session.scalar(made) is not None:
        return None
    return await request_demo(session, owner.id)


async def make_demo(run: jobs.Run) -> None:
    """Render the song, put it where received files wait, ask for its import."""
    song = await render_demo(run.folder / "demo", on_progress=run.report)
    incoming = ports().settings.incoming_folder
    upload_id = uuid4()
    await asyncio.to_thread(incoming.mkdir, parents=True, exist_ok=True)
    await asyncio.to_thread(song.path.rename, incoming / str(upload_id))
    upload = Upload(upload_id, NAME, song.size_bytes)
    result = {"truth": dict(song.truth)}
    async with run.done(result) as session:
        job = await request_import(session, run.owner_id, upload, options={"source": "demo"})
        result["import_job"] = {"id": str(job.id)}
