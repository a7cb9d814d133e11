"""What users said of a field before their newest correction, so that they can go back by a step."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column."""
    op.execute("ALTER TABLE corrections ADD COLUMN earlier JSONB DEFAULT '[]' NOT NULL")
