"""Tracks without any sound: rows as an import would leave them, for tests that are about rows."""

from itertools import count
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import library
from soundforge.library import NewFile, NewStem, NewTrack
from soundforge.tables import Track

_numbers = count()


def new_file(name: str = "mix.flac", media_type: str = "audio/flac") -> NewFile:
    """A file that claims to lie in storage."""
    return NewFile(f"jobs/{uuid4()}/1/{name}", 1000, uuid4().hex * 2, media_type)


def new_track(title: str = "Song", artist: str = "", album: str = "", **changes: Any) -> NewTrack:
    """A decoded song with a sound of its own."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "title": title,
        "artist": artist,
        "album": album,
        "source": "upload",
        "audio": new_file("original.wav", "audio/wav"),
        "mix": new_file(),
        "cover": None,
        "audio_sha256": f"{number:064x}",
        "frames": 44_100 * 3,
        "duration_ms": 3000,
        "sample_rate_hz": 44_100,
        "channels": 2,
        "format": "wav",
    }
    return NewTrack(**{**values, **changes})


async def add_song(session: AsyncSession, owner_id: UUID, title: str = "Song", artist: str = "", **more: Any) -> Track:
    """Put a song into a library."""
    return await library.add_track(session, owner_id, new_track(title, artist, **more))


def new_stems(*names: str) -> list[NewStem]:
    """Stems with their waveforms."""
    return [
        NewStem(name, new_file(f"{name}.flac"), new_file(f"{name}.dat", "application/octet-stream"), -1.5)
        for name in names or ("vocals", "drums")
    ]


async def add_many_songs(session: AsyncSession, owner_id: UUID, how_many: int) -> None:
    """Fill a library by one statement: "song 7" by "artist 7", the way ``library.fold`` and ``grams`` would have it.

    Indexes are made anew behind it and the owner is not looked up for each song, as one fills a table.
    """
    made = "SELECT indexdef FROM pg_indexes WHERE tablename = 'tracks' AND indexname LIKE 'ix_tracks_%'"
    indexes = [*await session.scalars(text(made))]
    await session.execute(text("SET LOCAL maintenance_work_mem = '512MB'"))
    await session.execute(text("SET LOCAL session_replication_role = replica"))
    for index in indexes:
        await session.execute(text(f"DROP INDEX {index.split()[2]}"))
    await session.execute(
        text("""
            WITH songs AS (
                SELECT n, 'song ' || n || chr(10) || 'artist ' || n % 997 || chr(10) || 'album ' || n % 4999 AS words
                FROM generate_series(1, :how_many) AS n
            )
            INSERT INTO tracks (id, owner_id, title, artist, album, search_text, search_grams, source, warnings,
                                created_at)
            SELECT gen_random_uuid(), :owner, 'song ' || n, 'artist ' || n % 997, 'album ' || n % 4999, words,
                   (SELECT array_agg(DISTINCT substr(words, i, size))
                    FROM generate_series(1, 3) AS size, generate_series(1, length(words) - size + 1) AS i),
                   'upload', '[]', now() - n * interval '1 second'
            FROM songs
        """),
        {"owner": owner_id, "how_many": how_many},
    )
    for index in indexes:
        await session.execute(text(index))
