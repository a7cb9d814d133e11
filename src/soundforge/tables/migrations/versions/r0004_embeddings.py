"""Vectors by which songs and stems that sound alike are found."""

from alembic import op

revision = "0004"
down_revision = "0003"

_SQL = """
CREATE TABLE embeddings (
  owner_id UUID NOT NULL,
  track_id UUID NOT NULL,
  stem VARCHAR NOT NULL,
  name VARCHAR NOT NULL,
  values REAL[] NOT NULL,
  id UUID NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_embeddings PRIMARY KEY (id),
  CONSTRAINT fk_embeddings_owner_id_users FOREIGN KEY(owner_id) REFERENCES users (id) ON DELETE RESTRICT,
  CONSTRAINT fk_embeddings_track_id_tracks FOREIGN KEY(track_id) REFERENCES tracks (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX uq_embeddings_track_stem_name ON embeddings (track_id, stem, name);
CREATE INDEX ix_embeddings_scan ON embeddings (owner_id, name, stem, id);
"""


def upgrade() -> None:
    """Add the table."""
    op.execute(_SQL)
