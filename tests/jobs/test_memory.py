"""Two large jobs do not meet; one alone is never kept waiting by itself."""

import asyncio
from uuid import uuid4

from soundforge import jobs
from soundforge.jobs._memory import Memory, available_mb, total_mb
from tests.support.jobs import DEADLINE_S, Script, Wire


def memory(total: int, available: int) -> Memory:
    return Memory(lambda: total, lambda: available)


def test_a_second_job_waits_when_both_do_not_fit() -> None:
    budget = memory(total=10_000, available=9_000)
    first, second = uuid4(), uuid4()
    assert budget.promise(first, 6_000) is None
    assert budget.promise(second, 4_096) == "Waiting for memory: this needs 4.0 GB and 2.9 GB are free."
    assert budget.promise(second, 3_000) is None
    budget.release(first)
    assert budget.promise(second, 8_000) is None


def test_a_job_that_is_alone_is_let_through_whatever_it_needs() -> None:
    assert memory(total=4_000, available=1_000).promise(uuid4(), 50_000) is None


def test_what_others_on_the_machine_use_counts_too() -> None:
    budget = memory(total=10_000, available=1_000)
    budget.promise(uuid4(), 500)
    assert budget.promise(uuid4(), 2_000) is not None


def test_this_machine_has_memory() -> None:
    assert 0 < available_mb() <= total_mb()


async def test_a_job_that_does_not_fit_waits_with_its_reason_shown(node: jobs.Node, script: Script, wire: Wire) -> None:
    node.memory = memory(total=1_000, available=900)
    go = asyncio.Event()

    async def need(_candidate: jobs.Candidate) -> int:
        return 600

    async def body(_run: jobs.Run) -> None:
        async with asyncio.timeout(DEADLINE_S):
            await go.wait()

    first = await script.add(body, need=need)
    await wire.until(first, "processing")
    second = await script.add(body, need=need)
    waits = await wire.until_event(lambda event: event.get("wait_reason") is not None)
    assert (waits["job_id"], waits["status"]) == (str(second.id), "queued")
    go.set()
    await wire.until(first, "completed")
    await wire.until(second, "completed")
    assert (await script.get(second)).run == 1


async def test_needs_that_are_broken_fail_the_job_instead_of_losing_it(
    node: jobs.Node, script: Script, wire: Wire
) -> None:
    async def need(_candidate: jobs.Candidate) -> int:
        raise ZeroDivisionError

    async def body(_run: jobs.Run) -> None:
        raise AssertionError

    job = await script.add(body, need=need)
    assert (await wire.until(job, "failed"))["error_code"] == "bug"
