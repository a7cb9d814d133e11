"""A hundred moments to kill at: who dies, at which step of which job, and what becomes of its open transaction.

Ten of them stand for all in ``make test``; ``make soak`` goes through every one, eight once more in real time, and
beside them those of runs that end without success: between the ending's commit, the files' removal and Oban's hearing.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

type Victim = Literal["server", "worker", "holder", "child", "postgres"]
type Step = Literal["claiming", "claimed", "child started", "files moved", "before commit", "before ack", "random"]
type LastStep = Literal["ending", "cleaning", "telling"]  # of a run without success; each before it happens
type Work = Literal["import", "separation", "analysis"]
type Ending = Literal["tried again", "given up", "cancelled", "put back"]

# What the killed process's open transaction comes to. A server that loses its client in COMMIT commits all the same.
type Answer = Literal["aborts", "comes through"]

STEPS: tuple[Step, ...] = ("claiming", "claimed", "child started", "files moved", "before commit", "before ack")
ENDS: tuple[LastStep, ...] = ("ending", "cleaning", "telling")
WORKS: tuple[Work, ...] = ("import", "separation", "analysis")
REDRAWS = 8  # then nobody is to be caught
_SEED = 20261122
_SOONEST_S = 0.05  # what is sooner is at once
_ANSWERED = ("claiming", "files moved", "before commit", "before ack", "ending", "telling")


@dataclass(frozen=True)
class Moment:
    """One kill. ``late``: the dead process is started again only after the others have coped without it."""

    victim: Victim
    step: Step | LastStep
    work: Work
    answer: Answer = "comes through"
    late: bool = False
    after_s: float = 0.0  # its step
    share: float = 0.0  # of the time that the work takes, for a random moment
    ending: Ending | None = None  # of the first run, where that is no success

    def __str__(self) -> str:
        """Name the test."""
        when = self.step + (
            f" +{self.after_s:.2f} s" if self.after_s else f" at {self.share:.0%}" if self.share else ""
        )
        how = f"{self.victim} in {self.work}" + (f" {self.ending}" if self.ending else "")
        more = [self.answer] if self.step in _ANSWERED else []
        return ", ".join([how, when, *more, *(["late"] if self.late else [])])

    @property
    def is_own(self) -> bool:
        """Whether a process dies at random: then over its own work, from the claim on; others over a whole song."""
        return self.step == "random" and self.victim in ("server", "worker")


def draws(moment: Moment) -> Iterator[Moment]:
    """Give the moment, then sooner ones, always the same: each time the work was over before there was a kill."""
    dice = random.Random(f"{_SEED} {moment}")
    yield moment
    for _ in range(REDRAWS):
        sooner = moment.after_s / 2 if moment.after_s > _SOONEST_S else 0.0
        moment = replace(moment, share=moment.share * dice.random(), after_s=sooner)
        yield moment


def every_moment() -> list[Moment]:
    """Give all hundred, always the same."""
    return [*_of_process("server", "import"), *_of_process("worker", "separation"), *_of_children(), *_of_postgres()]


def ten_moments() -> list[Moment]:
    """Give ten that meet every victim, every step and every kind of work."""
    return [
        Moment("server", "claiming", "import", "aborts"),
        Moment("server", "files moved", "import", "aborts"),
        Moment("server", "before commit", "import", "comes through"),
        Moment("worker", "claimed", "separation", late=True),
        Moment("worker", "child started", "separation"),
        Moment("worker", "before ack", "separation", "aborts"),
        Moment("child", "child started", "import"),
        Moment("child", "files moved", "analysis"),
        Moment("postgres", "before commit", "analysis", "aborts"),
        Moment("postgres", "random", "import", share=0.6),
    ]


def unhurried_moments() -> list[Moment]:
    """Give eight for clocks as people have them; the late ones wait for a heartbeat to be missed."""
    return [
        Moment("server", "claimed", "import"),
        Moment("server", "before commit", "import", "comes through"),
        Moment("worker", "files moved", "separation", "aborts"),
        Moment("worker", "before ack", "separation", "aborts"),
        Moment("holder", "claimed", "analysis", late=True),
        Moment("holder", "before commit", "analysis", "aborts", late=True),
        Moment("child", "child started", "separation", after_s=0.2),
        Moment("postgres", "files moved", "import", "aborts"),
    ]


def failing_moments() -> list[Moment]:
    """Give 30 of runs that end without success, each ending before its commit, its cleaning and its telling."""
    endings: list[tuple[Ending, Victim, Work]] = [
        ("tried again", "worker", "separation"),
        ("given up", "worker", "separation"),
        ("given up", "server", "import"),
        ("cancelled", "holder", "analysis"),
        ("put back", "worker", "separation"),
    ]
    steps: list[tuple[LastStep, Answer]] = [
        ("ending", "aborts"),
        ("ending", "comes through"),
        ("cleaning", "comes through"),
        ("telling", "aborts"),
    ]
    died = [Moment(who, step, work, answer, ending=end) for end, who, work in endings for step, answer in steps]
    away = [
        Moment("postgres", step, work, ending=end) for end, who, work in endings if who != "server" for step in ENDS
    ]
    return [
        one for one in [*died, *away] if (one.ending, one.step) != ("put back", "cleaning")
    ]  # it had stored nothing


def _of_process(victim: Victim, work: Work) -> list[Moment]:
    """25 of server or worker; the third round is of whoever has an analysis, and starts it again late."""
    rounds: list[tuple[Victim, Work, Answer, bool]] = [
        (victim, work, "comes through", False),
        (victim, work, "aborts", False),
        ("holder", "analysis", "aborts" if victim == "server" else "comes through", True),
    ]
    named = [Moment(who, step, what, answer, late) for who, what, answer, late in rounds for step in STEPS]
    return [*named, *_random(victim, work, 7)]


def _of_children() -> list[Moment]:
    """25: each kind's child as it starts, the analyzer's while its first stages are kept, and at random."""
    started = [Moment("child", "child started", work, after_s=0.2 * wait) for work in WORKS for wait in range(3)]
    kept = [Moment("child", "files moved", "analysis", after_s=0.03 * wait) for wait in range(4)]
    return [*started, *kept, *_random("child", "import", 12)]


def _of_postgres() -> list[Moment]:
    """25: every step of every kind, and at random."""
    named = [(step, work) for step in STEPS for work in WORKS]
    answers: tuple[Answer, Answer] = ("aborts", "comes through")
    moments = [Moment("postgres", step, work, answers[number % 2]) for number, (step, work) in enumerate(named)]
    return [*moments, *_random("postgres", "import", 7)]


def _random(victim: Victim, work: Work, count: int) -> list[Moment]:
    dice = random.Random(f"{_SEED} {victim}")
    return [Moment(victim, "random", work, share=dice.random()) for _ in range(count)]
