"""Rule 12: the one place where a failed run is logged, with all that is needed to find out why."""

from soundforge import logs
from soundforge.errors import SoundForgeError
from soundforge.jobs._endings import Ending, Verdict
from soundforge.jobs._run import Run

_log = logs.get(__name__)

_LEVELS = {
    Ending.TRY_AGAIN: "warning",
    Ending.POSTPONED: "warning",
    Ending.GIVE_UP: "error",
    Ending.INTERRUPTED: "info",
    Ending.CANCELLED: "info",
    Ending.SUPERSEDED: "info",
}


def log_failure(run: Run, verdict: Verdict) -> None:
    """Log how ``run`` ended without success; a bug with its traceback."""
    error = verdict.error
    failure = {
        "job_id": str(run.job_id),
        "track_id": str(run.track_id) if run.track_id else None,
        "kind": run.kind.value,
        "queue": run.queue,
        "attempt": f"{run.attempt}/{run.max_attempts}",
        "run": run.run,
        "node": run.node.name,
        "ending": verdict.ending.name.lower(),
        "error_code": verdict.code or verdict.ending.name.lower(),
        "error_type": type(error).__name__ if error else None,
        "error": verdict.sentence if isinstance(error, SoundForgeError) or error is None else str(error),
        "detail": error.detail if isinstance(error, SoundForgeError) else "",
    }
    is_bug = error is not None and not isinstance(error, SoundForgeError)
    getattr(_log, _LEVELS[verdict.ending])("job.failed", **failure, exc_info=error if is_bug else None)
