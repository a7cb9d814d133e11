"""The ``jobs`` table: six kinds in one, by single-table inheritance."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from soundforge.tables._base import Row
from soundforge.tables._moves import ACTIVE, Kind, Status


def _in(column: str, values: list[str]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in sorted(values))})"


class Job(Row):
    """One piece of background work and how far it is. Written only by ``jobs``, guarded by a trigger."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint(_in("kind", [kind.value for kind in Kind]), name="kind"),
        CheckConstraint(_in("status", [status.value for status in Status]), name="status"),
        CheckConstraint("progress BETWEEN 0 AND 100", name="progress"),
        Index(
            "uq_jobs_active",
            "owner_id",
            "kind",
            "unique_key",
            unique=True,
            postgresql_where=text(_in("status", [status.value for status in ACTIVE])),
        ),
        Index("ix_jobs_track", "track_id", "created_at"),
        Index("ix_jobs_owner_created", "owner_id", "created_at", "id"),
        Index("ix_jobs_failed", "track_id", "kind", postgresql_where=text("status = 'failed'")),
        Index("ix_jobs_finished", "kind", "finished_at", postgresql_where=text("status = 'completed'")),
        Index("ix_jobs_active", "kind", "created_at", postgresql_where=text(_in("status", [s.value for s in ACTIVE]))),
    )
    __mapper_args__ = {"polymorphic_on": "kind"}  # noqa: RUF012 - SQLAlchemy reads a plain dict

    kind: Mapped[str]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    track_id: Mapped[UUID | None] = mapped_column(ForeignKey("tracks.id", ondelete="CASCADE"))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    unique_key: Mapped[str]
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    result: Mapped[dict[str, Any]] = mapped_column(default=dict)  # cost, engine, warnings, file ids
    status: Mapped[str] = mapped_column(default=Status.QUEUED.value)
    progress: Mapped[int] = mapped_column(default=0)
    stage: Mapped[str] = mapped_column(default="")  # what the run is doing, in one word
    stages_s: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))  # [name, seconds], in order
    wait_reason: Mapped[str | None]
    run: Mapped[int] = mapped_column(default=0)
    oban_job_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    attempt: Mapped[int] = mapped_column(default=0)
    max_attempts: Mapped[int]
    next_attempt_at: Mapped[datetime | None]
    cancel_requested_at: Mapped[datetime | None]
    error_code: Mapped[str | None]
    error: Mapped[str | None]
    node: Mapped[str | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class QueueSetting(Row):
    """What an admin decided about a queue: everywhere, or on one node. What is null the node's own settings decide."""

    __tablename__ = "queue_settings"
    __table_args__ = (
        CheckConstraint("job_limit BETWEEN 1 AND 64", name="job_limit"),
        UniqueConstraint("queue", "node"),
    )

    queue: Mapped[str]
    node: Mapped[str] = mapped_column(default="")  # "" means every node
    paused: Mapped[bool] = mapped_column(default=False)
    job_limit: Mapped[int | None]  # jobs at once, of one node
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ImportJob(Job):
    """Makes tracks of a paste or an upload."""

    __mapper_args__ = {"polymorphic_identity": Kind.IMPORT.value}  # noqa: RUF012 - as above


class DownloadJob(Job):
    """Fetches a track's audio."""

    __mapper_args__ = {"polymorphic_identity": Kind.DOWNLOAD.value}  # noqa: RUF012 - as above


class ProcessingJob(Job):
    """Separates a track into stems; the founding name of separation."""

    __mapper_args__ = {"polymorphic_identity": Kind.SEPARATION.value}  # noqa: RUF012 - as above


class AnalysisJob(Job):
    """Finds tempo, key, sections and the rest."""

    __mapper_args__ = {"polymorphic_identity": Kind.ANALYSIS.value}  # noqa: RUF012 - as above


class ExportJob(Job):
    """Makes a file to take away."""

    __mapper_args__ = {"polymorphic_identity": Kind.EXPORT.value}  # noqa: RUF012 - as above


class MaintenanceJob(Job):
    """Looks after the instance: purge, sweep, pull a model."""

    __mapper_args__ = {"polymorphic_identity": Kind.MAINTENANCE.value}  # noqa: RUF012 - as above
