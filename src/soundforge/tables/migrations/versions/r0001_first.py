"""The first schema: Oban's tables, ours, and the triggers that guard ``jobs``.

Each part is SQL text frozen beside this file. Nothing here is computed from the models or from the
oban package, so an installed database and a new one are the same; tests compare text and code.
"""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything in an empty database."""
    for part in ("oban", "tables", "triggers"):
        op.execute(Path(__file__).with_name(f"r0001_{part}.sql").read_text(encoding="utf-8"))
