"""Figures about jobs in Prometheus' text format 0.0.4."""

from collections.abc import Iterable

from soundforge.jobs import QueueFigures

type Sample = tuple[dict[str, str], float]


def metrics_text(figures: QueueFigures, *, listeners: int) -> str:
    """Write queue depth, wait, run time, failures by code, heartbeats and open feeds."""
    families = (
        _family("soundforge_queue_jobs", "Oban jobs by queue and state.", _depths(figures)),
        _family(
            "soundforge_queue_waiting_seconds", "How long the oldest waiting job could have begun.", _waits(figures)
        ),
        _family("soundforge_run_median_seconds", "Median run of completed jobs in the last day.", _medians(figures)),
        _family("soundforge_failed_jobs", "Failed jobs by kind and cause.", _failures(figures)),
        _family("soundforge_node_silent_seconds", "Age of a node's last heartbeat.", _silences(figures)),
        _family("soundforge_feeds", "Open live feeds of this process.", [({}, listeners)]),
    )
    return "".join(families)


def _depths(figures: QueueFigures) -> Iterable[Sample]:
    return (({"queue": one.queue, "state": one.state}, one.count) for one in figures.depths)


def _waits(figures: QueueFigures) -> Iterable[Sample]:
    return (({"queue": one.queue}, one.longest_s) for one in figures.waiting)


def _medians(figures: QueueFigures) -> Iterable[Sample]:
    return (({"kind": one.kind}, one.median_s) for one in figures.run_times)


def _failures(figures: QueueFigures) -> Iterable[Sample]:
    return (({"kind": one.kind, "code": one.error_code or "none"}, one.count) for one in figures.failures)


def _silences(figures: QueueFigures) -> Iterable[Sample]:
    return (({"node": one.node, "queue": one.queue}, one.silent_s) for one in figures.nodes)


def _family(name: str, what: str, samples: Iterable[Sample]) -> str:
    lines = [f"# HELP {name} {what}", f"# TYPE {name} gauge"]
    lines += [f"{name}{_labels(labels)} {value:g}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def _labels(labels: dict[str, str]) -> str:
    if not labels:
        return ""
    escaped = (
        (name, value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")) for name, value in labels.items()
    )
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped) + "}"
