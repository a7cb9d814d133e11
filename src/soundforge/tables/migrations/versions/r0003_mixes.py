"""How people mix a track: a row for each name."""

from alembic import op

revision = "0003"
down_revision = "0002"

_SQL = """
CREATE TABLE mixes (
  owner_id UUID NOT NULL,
  track_id UUID NOT NULL,
  name VARCHAR NOT NULL,
  state JSONB NOT NULL,
  share_token VARCHAR,
  updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  id UUID NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_mixes PRIMARY KEY (id),
  CONSTRAINT fk_mixes_owner_id_users FOREIGN KEY(owner_id) REFERENCES users (id) ON DELETE RESTRICT,
  CONSTRAINT fk_mixes_track_id_tracks FOREIGN KEY(track_id) REFERENCES tracks (id) ON DELETE CASCADE,
  CONSTRAINT uq_mixes_share_token UNIQUE (share_token)
);
CREATE UNIQUE INDEX uq_mixes_track_name ON mixes (track_id, name);
"""


def upgrade() -> None:
    """Add the table."""
    op.execute(_SQL)
