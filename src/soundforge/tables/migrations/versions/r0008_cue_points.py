"""Moments of a track that people mark."""

from alembic import op

revision = "0008"
down_revision = "0007"

_SQL = """
CREATE TABLE cue_points (
  owner_id UUID NOT NULL,
  track_id UUID NOT NULL,
  slot INTEGER,
  t_s DOUBLE PRECISION NOT NULL,
  name VARCHAR NOT NULL,
  colour VARCHAR NOT NULL,
  id UUID NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_cue_points PRIMARY KEY (id),
  CONSTRAINT ck_cue_points_slot CHECK (slot BETWEEN 1 AND 8),
  CONSTRAINT fk_cue_points_owner_id_users FOREIGN KEY(owner_id) REFERENCES users (id) ON DELETE RESTRICT,
  CONSTRAINT fk_cue_points_track_id_tracks FOREIGN KEY(track_id) REFERENCES tracks (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX uq_cue_points_track_slot ON cue_points (track_id, slot);
"""


def upgrade() -> None:
    """Add the table."""
    op.execute(_SQL)
