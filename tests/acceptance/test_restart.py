"""What happens to every studio one day: it is stopped at work, its database goes away, its port is taken."""

import signal
import socket
from collections.abc import Iterator
from fcntl import LOCK_EX, flock

import pytest

from soundforge.tables import Job
from tests.support.audio import sweep, write_audio
from tests.support.kill import check_whole, misplaced, records
from tests.support.servers import kill_postmaster, until
from tests.support.studio import OVER_S, Process, Studio, open_studio
from tests.support.zygote import Zygote

STEP_S = 60.0
SONG_S = 20.0  # long enough to be caught at work
AWAY_S = 5.0


@pytest.fixture
def studio(zygote: Zygote | None) -> Iterator[Studio]:
    with open_studio(zygote=zygote) as house:
        yield house


@pytest.fixture
def unhurried(zygote: Zygote | None) -> Iterator[Studio]:
    """A studio whose clocks run as they do for people."""
    with open_studio(scale=1.0, zygote=zygote) as house:
        yield house


def running_separation(studio: Studio) -> Job:
    """Wait until a song's separation has its child at work."""
    until(lambda: bool(separations(studio)), within_s=STEP_S, every_s=0.02)
    return separations(studio)[0]


def separations(studio: Studio) -> list[Job]:
    found = studio.ask("SELECT id FROM jobs WHERE kind = 'separation' AND status = 'processing'") or []
    jobs = [Job(id=row[0]) for row in found]
    return [job for job in jobs if records(studio, job)]


def start_forging(studio: Studio) -> Process:
    """Start a command that works a song itself; the database is its own."""
    write_audio(studio.data / "song.wav", sweep(SONG_S))
    studio.worker = studio.process("forge", "forge", str(studio.data / "song.wav"))
    studio.start(studio.worker)
    return studio.worker


def keep_database_away(studio: Studio) -> None:
    """Kill the database and let nobody start it again for a while."""
    with (studio.postgres.folder / "start.lock").open("a") as lock:
        flock(lock, LOCK_EX)
        kill_postmaster(studio.postgres)
        until(lambda: not studio.postgres.is_alive())
        with pytest.raises(AssertionError, match="not within"):
            until(studio.postgres.is_alive, within_s=AWAY_S, every_s=0.2)


def runs_of(studio: Studio) -> dict[str, tuple[str, int, int]]:
    rows = studio.ask("SELECT kind, status, run, attempt FROM jobs WHERE kind <> 'maintenance'") or []
    return {row[0]: row[1:] for row in rows}


@pytest.mark.timeout(240)
def test_a_worker_that_is_stopped_puts_its_jobs_back_and_they_are_finished_later(studio: Studio) -> None:
    studio.start()
    studio.request_import(SONG_S)
    job = running_separation(studio)
    status, took_s = studio.worker.terminate(within_s=30)
    assert status == 0
    assert took_s < 10
    assert misplaced(studio) == []
    assert runs_of(studio)["separation"][:2] == ("queued", 1)
    assert not list(studio.settings.work_folder.glob(f"*/{job.id}"))
    studio.start(studio.worker)
    studio.wait_until_over(OVER_S)
    assert runs_of(studio)["separation"] == ("completed", 2, 1), "the attempt is given back"
    check_whole(studio)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_command_that_is_stopped_puts_its_jobs_back_and_takes_the_database_along(studio: Studio, number: int) -> None:
    forge = start_forging(studio)
    job = running_separation(studio)
    status, took_s = forge.terminate(within_s=30, number=number)
    assert status == 128 + number
    assert took_s < 10
    assert not studio.postgres.is_alive()
    assert not list(studio.settings.work_folder.glob(f"*/{job.id}"))
    studio.postgres.start()
    until(lambda: misplaced(studio) == [])
    assert runs_of(studio)["separation"][:2] == ("queued", 1)
    given_back = "SELECT attempt FROM oban_jobs WHERE args->>'kind' = 'separation'"
    assert studio.ask(given_back) == [(0,)]


@pytest.mark.soak
@pytest.mark.timeout(240)
@pytest.mark.parametrize("kind", ["maintenance", "separation"])
def test_a_demo_that_was_killed_runs_again(studio: Studio, kind: str) -> None:
    studio.worker = studio.process("demo", "demo")
    studio.start(studio.worker)
    running = "SELECT id FROM jobs WHERE kind = %s AND status = 'processing'"
    until(lambda: bool(studio.ask(running, kind)), within_s=STEP_S, every_s=0.02)
    studio.worker.kill()
    status, said = studio.command("demo")
    assert status == 0, said
    studio.postgres.start()
    assert (studio.left_over(), studio.verify()) == ([], [])


@pytest.mark.soak
@pytest.mark.timeout(240)
def test_a_command_outlives_a_database_that_is_killed(unhurried: Studio) -> None:
    forge = start_forging(unhurried)
    running_separation(unhurried)
    keep_database_away(unhurried)
    assert forge.wait(OVER_S) == 0, forge.text()
    unhurried.postgres.start()
    assert (unhurried.left_over(), unhurried.verify()) == ([], [])


@pytest.mark.timeout(120)
def test_a_studio_whose_terminal_is_closed_ends_in_order(studio: Studio) -> None:
    studio.start(studio.server)
    status, _took_s = studio.server.terminate(within_s=30, number=signal.SIGHUP)
    assert status == 0
    assert not studio.postgres.is_alive()


@pytest.mark.timeout(240)
def test_server_and_worker_share_a_queue_and_nothing_runs_twice(studio: Studio) -> None:
    studio.start()
    nodes = "SELECT DISTINCT node FROM jobs WHERE kind = 'analysis' AND status = 'completed'"
    while len(studio.ask(nodes) or []) < 2:
        assert studio.songs < 12, "one of them never took an analysis"
        for _ in range(3):
            studio.request_import()
        studio.wait_until_over(OVER_S)
    assert studio.ask("SELECT kind, run FROM jobs WHERE status <> 'completed' OR run <> 1") == []
    check_whole(studio)


@pytest.mark.timeout(240)
def test_a_job_outlives_a_database_that_is_away_for_five_seconds(unhurried: Studio) -> None:
    unhurried.start()
    unhurried.request_import(SONG_S)
    running_separation(unhurried)
    keep_database_away(unhurried)
    unhurried.wait_until_over(OVER_S)
    assert {kind: row[:2] for kind, row in runs_of(unhurried).items()} == {
        "import": ("completed", 1),
        "separation": ("completed", 1),
        "analysis": ("completed", 1),
    }
    check_whole(unhurried)


@pytest.mark.timeout(120)
def test_a_port_in_use_is_told_in_one_sentence(studio: Studio) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, said = studio.command("serve", "--port", str(port))
    assert status == 1
    sentence = f"Port {port} on 127.0.0.1 cannot be used; choose another with SOUNDFORGE_PORT."
    assert [line for line in said.splitlines() if "[warning" not in line] == [f"{sentence} [port_in_use]"]
