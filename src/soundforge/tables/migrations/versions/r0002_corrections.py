"""What users put right in an analysis: a row for each track and field."""

from alembic import op

revision = "0002"
down_revision = "0001"

_SQL = """
CREATE TABLE corrections (
  track_id UUID NOT NULL,
  user_id UUID NOT NULL,
  field VARCHAR NOT NULL,
  value JSONB NOT NULL,
  found JSONB,
  corrected_at TIMESTAMP WITH TIME ZONE NOT NULL,
  id UUID NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_corrections PRIMARY KEY (id),
  CONSTRAINT fk_corrections_track_id_tracks FOREIGN KEY(track_id) REFERENCES tracks (id) ON DELETE CASCADE,
  CONSTRAINT fk_corrections_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE RESTRICT
);
CREATE UNIQUE INDEX uq_corrections_track_field ON corrections (track_id, field);
"""


def upgrade() -> None:
    """Add the table."""
    op.execute(_SQL)
