"""No road to a job's row leads around its moves: not even SQL typed by hand."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from soundforge.tables import MOVES, RUNNING, TERMINAL, Kind, Status, may_move


@pytest.fixture
def psql(dsn: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("INSERT INTO users (id, name, role) VALUES (gen_random_uuid(), 'owner', 'owner')")
        yield connection


def add_row(psql: psycopg.Connection, kind: Kind, **values: Any) -> UUID:
    job_id = uuid4()
    row = {"status": "queued", "run": 0, "progress": 0, **values}
    psql.execute(
        "INSERT INTO jobs (id, kind, owner_id, unique_key, params, result, stage, attempt, max_attempts,"
        " status, run, progress) SELECT %(id)s, %(kind)s, id, %(key)s, '{}', '{}', '', 0, 3,"
        " %(status)s, %(run)s, %(progress)s FROM users",
        {"id": job_id, "key": str(job_id), "kind": kind.value, **row},
    )
    return job_id


def read_row(psql: psycopg.Connection, job_id: UUID) -> tuple[Status, int, int]:
    row = psql.execute("SELECT status, run, progress FROM jobs WHERE id = %s", [job_id]).fetchone()
    assert row is not None
    return Status(row[0]), row[1], row[2]


def bring(psql: psycopg.Connection, kind: Kind, status: Status) -> UUID:
    """Make a row and lead it to ``status`` by legal moves."""
    job_id = add_row(psql, kind)
    for step in _path(kind, status):
        grow = 1 if step in RUNNING and read_row(psql, job_id)[0] is Status.QUEUED else 0
        psql.execute("UPDATE jobs SET status = %s, run = run + %s WHERE id = %s", [step.value, grow, job_id])
    return job_id


def _path(kind: Kind, target: Status) -> list[Status]:
    paths: list[list[Status]] = [[Status.QUEUED]]
    while paths:
        path = paths.pop(0)
        if path[-1] is target:
            return path[1:]
        paths += [[*path, then] for then in MOVES[kind].get(path[-1], ()) if then not in path]
    msg = f"{kind} never gets to {target}"
    raise AssertionError(msg)


@pytest.mark.parametrize("kind", Kind)
def test_a_move_by_hand_passes_only_if_it_is_declared(psql: psycopg.Connection, kind: Kind) -> None:
    for now, then in ((now, then) for now in MOVES[kind] for then in Status if now is not then):
        job_id = bring(psql, kind, now)
        claims = now is Status.QUEUED and then in RUNNING
        move = ("UPDATE jobs SET status = %s, run = run + %s WHERE id = %s", [then.value, int(claims), job_id])
        if may_move(kind, now, then):
            psql.execute(*move)
            assert read_row(psql, job_id)[0] is then
        else:
            with pytest.raises(psycopg.errors.CheckViolation, match=f"may not go from {now.value} to {then.value}"):
                psql.execute(*move)
            assert read_row(psql, job_id)[0] is now


@pytest.mark.parametrize("values", [{"status": "processing"}, {"status": "completed"}, {"run": 1}, {"progress": 5}])
def test_a_job_begins_as_queued(psql: psycopg.Connection, values: dict[str, Any]) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="begins as queued"):
        add_row(psql, Kind.ANALYSIS, **values)


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_a_finished_row_cannot_be_changed(psql: psycopg.Connection, status: Status) -> None:
    job_id = bring(psql, Kind.ANALYSIS, status)
    changes = {"stage": "late", "error": "other", "node": "x", "attempt": 9, "result": '{"a": 1}', "oban_job_id": 7}
    for column, value in changes.items():
        with pytest.raises(psycopg.errors.CheckViolation, match="stays as it is"):
            psql.execute(f"UPDATE jobs SET {column} = %s WHERE id = %s", [value, job_id])


def test_what_a_job_is_cannot_be_changed(psql: psycopg.Connection) -> None:
    job_id = bring(psql, Kind.ANALYSIS, Status.PROCESSING)
    for column, value in {"kind": "export", "owner_id": uuid4(), "unique_key": "k", "id": uuid4()}.items():
        with pytest.raises(psycopg.errors.CheckViolation, match="keeps its id"):
            psql.execute(f"UPDATE jobs SET {column} = %s WHERE id = %s", [value, job_id])


class Row(RuleBasedStateMachine):
    """A row under any sequence of updates, beside what the moves say of each."""

    psql: psycopg.Connection

    @initialize(kind=st.sampled_from(Kind))
    def begin(self, kind: Kind) -> None:
        """Add a row."""
        self.kind = kind
        self.job_id = add_row(self.psql, kind)
        self.now = (Status.QUEUED, 0, 0)

    @rule(status=st.sampled_from(Status), run=st.integers(-1, 2), progress=st.integers(-1, 101))
    def write_anything(self, status: Status, run: int, progress: int) -> None:
        """Write any three values."""
        self._write((status, self.now[1] + run, progress))

    @rule(pick=st.data(), by=st.integers(0, 30))
    def write_something_likely(self, pick: st.DataObject, by: int) -> None:
        """Write a declared move, or stay; so that long lives are lived."""
        status, run, progress = self.now
        then = pick.draw(st.sampled_from([status, *sorted(MOVES[self.kind][status])]))
        claims = status is Status.QUEUED and then in RUNNING
        self._write((then, run + int(claims), 0 if claims else progress + by))

    def _write(self, then: tuple[Status, int, int]) -> None:
        statement = "UPDATE jobs SET status = %s, run = %s, progress = %s WHERE id = %s"
        try:
            self.psql.execute(statement, [then[0].value, then[1], then[2], self.job_id])
        except psycopg.errors.CheckViolation:
            assert not self._is_legal(then), f"{self.now} → {then} was refused"
        else:
            assert self._is_legal(then), f"{self.now} → {then} was let through"
            self.now = then

    def _is_legal(self, then: tuple[Status, int, int]) -> bool:
        (status, run, progress), (new_status, new_run, new_progress) = self.now, then
        if not 0 <= new_progress <= 100:
            return False
        if then == self.now:
            return True
        if status is not new_status and not may_move(self.kind, status, new_status):
            return False
        if status is Status.QUEUED and new_status in RUNNING:
            return new_run == run + 1
        return new_run == run and (new_progress == progress or (new_progress > progress and status in RUNNING))

    @invariant()
    def row_is_what_we_think(self) -> None:
        """Compare with the database."""
        assert read_row(self.psql, self.job_id) == self.now


def test_any_sequence_of_updates_leaves_a_row_that_the_moves_allow(psql: psycopg.Connection) -> None:
    class Bound(Row):
        pass

    Bound.psql = psql
    few = settings(max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Bound, settings=few)  # type: ignore[no-untyped-call] - hypothesis has no types there
