"""Lists and their entries, sources of audio, kept answers; tracks that have no audio yet."""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add tables and columns."""
    op.execute(Path(__file__).with_name("r0005_playlists.sql").read_text(encoding="utf-8"))
