"""What tracks were called elsewhere that turned out to be this one; files are found by their hash."""

from alembic import op

revision = "0011"
down_revision = "0010"

_SQL = """
ALTER TABLE tracks ADD COLUMN aliases TEXT[] DEFAULT '{}' NOT NULL;
CREATE INDEX ix_tracks_aliases ON tracks USING gin (aliases) WHERE deleted_at IS NULL;
CREATE INDEX ix_files_sha256 ON files (sha256);
"""


def upgrade() -> None:
    """Add the column and two indexes."""
    op.execute(_SQL)
