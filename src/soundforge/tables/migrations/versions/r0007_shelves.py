"""Fields to search and sort by, lists made by hand, the trash in its order."""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add columns and indexes; fill them from what is there."""
    op.execute(Path(__file__).with_name("r0007_shelves.sql").read_text(encoding="utf-8"))
