"""Kinds are declared once, and what Oban's rows say of them holds for ever."""

import importlib

import pytest

from soundforge import jobs
from soundforge.config import Settings
from soundforge.jobs._kinds import backoff_s, first_status
from soundforge.tables import MOVES, Kind, Status

# Every worker path that a release ever wrote into Oban's rows. Lines are only ever added.
RELEASED = [
    "soundforge.pipeline.ImportWorker",
    "soundforge.pipeline.DownloadWorker",
    "soundforge.pipeline.SeparationWorker",
    "soundforge.pipeline.AnalysisWorker",
    "soundforge.pipeline.ExportWorker",
    "soundforge.pipeline.MaintenanceWorker",
]


@pytest.mark.parametrize("path", RELEASED)
def test_every_worker_path_ever_released_resolves(path: str) -> None:
    module, _, name = path.rpartition(".")
    worker = getattr(importlib.import_module(module), name)
    assert issubclass(worker, jobs.Worker)
    assert worker.body is not jobs.Worker.body


def test_every_kind_is_declared_and_released() -> None:
    assert set(jobs.KINDS) == set(Kind) == set(MOVES)
    assert {spec.worker_path for spec in jobs.KINDS.values()} <= set(RELEASED)


def test_the_limits_of_the_queues_are_those_of_rule_four_and_can_be_set() -> None:
    limits = {"download": 3, "processing": 2, "analysis": 2, "imports": 2, "exports": 1, "maintenance": 1}
    assert limits == jobs.QUEUE_LIMITS
    assert Settings(_env_file=None).queue_limits() == limits
    assert Settings(_env_file=None, queues="processing:5").queue_limits() == {"processing": 5}
    assert {spec.queue for spec in jobs.KINDS.values()} == set(limits)


def test_a_claim_moves_a_download_to_downloading_and_others_to_processing() -> None:
    firsts = {kind: first_status(kind) for kind in Kind}
    assert firsts.pop(Kind.DOWNLOAD) is Status.DOWNLOADING
    assert set(firsts.values()) == {Status.PROCESSING}


def test_each_wait_is_four_times_as_long_as_the_one_before() -> None:
    for kind, spec in jobs.KINDS.items():
        assert [backoff_s(kind, attempt) / spec.backoff_s for attempt in (1, 2, 3)] == [1, 4, 16]
