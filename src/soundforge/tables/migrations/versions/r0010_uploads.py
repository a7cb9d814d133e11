"""Large files that are being received in parts."""

from alembic import op

revision = "0010"
down_revision = "0009"

_SQL = """
CREATE TABLE uploads (
  owner_id UUID NOT NULL,
  name VARCHAR NOT NULL,
  size_bytes BIGINT NOT NULL,
  model VARCHAR NOT NULL,
  changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  id UUID NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_uploads PRIMARY KEY (id),
  CONSTRAINT fk_uploads_owner_id_users FOREIGN KEY(owner_id) REFERENCES users (id) ON DELETE RESTRICT
);
CREATE INDEX ix_uploads_owner_id ON uploads (owner_id);
"""


def upgrade() -> None:
    """Add the table."""
    op.execute(_SQL)
