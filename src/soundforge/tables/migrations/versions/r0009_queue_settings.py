"""What admins decide about queues, and how long the stages of a job took."""

from alembic import op

revision = "0009"
down_revision = "0008"

_SQL = """
CREATE TABLE queue_settings (
  queue VARCHAR NOT NULL,
  node VARCHAR NOT NULL,
  paused BOOLEAN NOT NULL,
  job_limit INTEGER,
  changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  id UUID NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_queue_settings PRIMARY KEY (id),
  CONSTRAINT ck_queue_settings_job_limit CHECK (job_limit BETWEEN 1 AND 64),
  CONSTRAINT uq_queue_settings_queue_node UNIQUE (queue, node)
);
ALTER TABLE jobs ADD COLUMN stages_s JSONB DEFAULT '[]' NOT NULL;
"""


def upgrade() -> None:
    """Add the table and the column."""
    op.execute(_SQL)
