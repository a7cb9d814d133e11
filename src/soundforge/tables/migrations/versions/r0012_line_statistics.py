"""Statistics of titles, artists and albums: how rare a word in them is, so that a search takes the short way."""

from alembic import op

revision = "0012"
down_revision = "0011"

_SQL = """
CREATE STATISTICS st_tracks_title ON (split_part(search_text, chr(10), 1)) FROM tracks;
CREATE STATISTICS st_tracks_artist ON (split_part(search_text, chr(10), 2)) FROM tracks;
CREATE STATISTICS st_tracks_album ON (split_part(search_text, chr(10), 3)) FROM tracks;
ANALYZE tracks;
"""


def upgrade() -> None:
    """Add the statistics and fill them: a library that hardly changes would wait long for that."""
    op.execute(_SQL)
