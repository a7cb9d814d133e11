"""Background work: what may be asked of it, how a worker's body is framed, and the node that works it.

Oban alone queues and retries; the row in ``jobs`` alone says how far a job is.
"""

from soundforge.jobs._claim import Candidate, Needs, NotYet
from soundforge.jobs._clock import STALE_S
from soundforge.jobs._fence import Superseded
from soundforge.jobs._figures import (
    Depth,
    Failures,
    NodeQueue,
    Orphan,
    QueueFigures,
    RunTime,
    Waiting,
    check_orphans,
    queue_figures,
)
from soundforge.jobs._kinds import KEEP_UPLOADS, KINDS, QUEUE_LIMITS, KindSpec
from soundforge.jobs._node import WARM, Node
from soundforge.jobs._open import open_node
from soundforge.jobs._queues import (
    MOST_AT_ONCE,
    QueueOrder,
    change_queue,
    find_reason_to_wait,
    is_worked,
    list_queue_settings,
    list_worked,
    obey_queues,
    set_working,
)
from soundforge.jobs._reads import (
    count_by_status,
    find_job,
    get_job,
    is_left_failed,
    list_children,
    list_dead_runs,
    list_failed_children,
    list_jobs,
    list_left_failed,
    list_made_files,
    list_retried,
    list_running,
    list_track_jobs,
    may_retry,
)
from soundforge.jobs._requests import NewJob, add_job, add_jobs, request_cancel, retry_job, wake_cancelled
from soundforge.jobs._run import Run
from soundforge.jobs._waits import Wait, count_ahead, estimate_wait, estimate_waits
from soundforge.jobs._work import Worker, retry_in_s, work

__all__ = [
    "KEEP_UPLOADS",
    "KINDS",
    "MOST_AT_ONCE",
    "QUEUE_LIMITS",
    "STALE_S",
    "WARM",
    "Candidate",
    "Depth",
    "Failures",
    "KindSpec",
    "Needs",
    "NewJob",
    "Node",
    "NodeQueue",
    "NotYet",
    "Orphan",
    "QueueFigures",
    "QueueOrder",
    "Run",
    "RunTime",
    "Superseded",
    "Wait",
    "Waiting",
    "Worker",
    "add_job",
    "add_jobs",
    "change_queue",
    "check_orphans",
    "count_ahead",
    "count_by_status",
    "estimate_wait",
    "estimate_waits",
    "find_job",
    "find_reason_to_wait",
    "get_job",
    "is_left_failed",
    "is_worked",
    "list_children",
    "list_dead_runs",
    "list_failed_children",
    "list_jobs",
    "list_left_failed",
    "list_made_files",
    "list_queue_settings",
    "list_retried",
    "list_running",
    "list_track_jobs",
    "list_worked",
    "may_retry",
    "obey_queues",
    "open_node",
    "queue_figures",
    "request_cancel",
    "retry_in_s",
    "retry_job",
    "set_working",
    "wake_cancelled",
    "work",
]
