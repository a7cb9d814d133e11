import threading
from collections.abc import AsyncIterator, Iterator

import pytest

from soundforge import jobs, pipeline
from soundforge.config import Settings
from soundforge.db import Database, transaction
from soundforge.engines import ModelStore, open_models
from soundforge.errors import Conflict, Invalid
from soundforge.tables import Job
from tests.support.fake_hub import FakeHub, serving_hub
from tests.support.models import REPO, WEIGHTS, put, tiny_store
from tests.support.workshop import Workshop, open_workshop


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with serving_hub(FakeHub({f"{REPO}/tiny.safetensors": WEIGHTS})) as served:
        yield served


@pytest.fixture
def store(settings: Settings) -> Iterator[ModelStore]:
    with open_models(tiny_store(settings.models_folder)) as opened:
        yield opened


@pytest.fixture
async def workshop(settings: Settings, database: Database, hub: FakeHub, store: ModelStore) -> AsyncIterator[Workshop]:
    async with open_workshop(settings.model_copy(update={"model_hub": hub.address}), database) as opened:
        yield opened


async def ask(workshop: Workshop, name: str = "tiny", *, remove: bool = False) -> Job:
    async with transaction() as session:
        return await pipeline.request_model(session, workshop.owner_id, name, remove=remove)


async def test_a_job_pulls_a_model_and_another_removes_it(workshop: Workshop, store: ModelStore) -> None:
    pulled = await workshop.ended(await ask(workshop))
    assert (pulled.status, pulled.progress, pulled.result) == (
        "completed",
        100,
        {"model": "tiny", "bytes": len(WEIGHTS)},
    )
    assert await store.get_files("tiny")
    removed = await workshop.ended(await ask(workshop, remove=True))
    assert removed.result["bytes"] == len(WEIGHTS)
    assert not store.is_here("tiny")
    assert await workshop.left_over() == []


async def test_a_pull_that_was_cut_is_tried_again_from_there(
    workshop: Workshop, hub: FakeHub, store: ModelStore
) -> None:
    hub.cut_at = [1500]
    job = await workshop.ended(await ask(workshop))
    assert (job.status, job.run) == ("completed", 2)
    assert any(asked.endswith("bytes=1500-") for asked in hub.asked)
    assert await store.get_files("tiny")


async def test_wrong_bytes_end_the_job_with_a_cause_and_leave_nothing(
    workshop: Workshop, hub: FakeHub, store: ModelStore
) -> None:
    hub.wrong = bytes(len(WEIGHTS))
    job = await workshop.ended(await ask(workshop))
    assert (job.status, job.error_code, job.run) == ("failed", "model_damaged", 1)
    assert [*(store.folder / "tiny").iterdir()] == []
    assert await workshop.left_over() == []
    hub.wrong = None
    assert (await workshop.ended(await ask(workshop))).status == "completed"


async def test_a_cancelled_pull_stops_and_is_gone_on_with(workshop: Workshop, hub: FakeHub, store: ModelStore) -> None:
    hub.gate = threading.Event()
    job = await ask(workshop)
    await workshop.wire.until_event(lambda event: event.get("progress", 0) > 0)
    with pytest.raises(Conflict):
        await ask(workshop)
    async with transaction() as session:
        cancelled = await jobs.request_cancel(session, workshop.owner_id, job.id)
    await jobs.wake_cancelled(cancelled)
    assert (await workshop.ended(job)).error_code == "cancelled"
    hub.gate.set()
    assert store.part_bytes("tiny") == 1000
    assert (await workshop.ended(await ask(workshop))).result["bytes"] == len(WEIGHTS) - 1000


async def test_what_is_no_model_or_not_pulled_is_refused_before_any_job(workshop: Workshop, store: ModelStore) -> None:
    with pytest.raises(Invalid):
        await ask(workshop, "none")
    with pytest.raises(Conflict) as refusal:
        await ask(workshop, remove=True)
    assert refusal.value.code == "model_not_pulled"
    put(store, "tiny")
    assert (await workshop.ended(await ask(workshop))).result["bytes"] == 0, "what is here is not pulled again"
