"""A library of 100,000 tracks as a collector's would be: words that repeat, figures, stems, analyses, failures.

    python -m bench.seed --dsn URL [--tracks 100000] [--user NAME]     into a database of yours, for looking at it

The rows are made by PostgreSQL from a number and a table of words, so that the same number gives the same library.
"""

import argparse
import asyncio
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import accounts, library
from soundforge.db import open_database, transaction

TRACKS = 100_000
WORDS = (
    "amber ghost river static velvet concrete delta hollow neon paper crystal midnight solar echo silver garden winter "
    "summer shadow mirror distance morning engine harbour signal thunder marble violet desert ocean lantern temple "
    "rapture falling running burning waiting dancing dreaming leaving coming hotel station avenue machine animal "
    "diamond copper sugar honey poison paradise gravity satellite telephone television radio kingdom empire stranger "
    "sister brother mother father doctor captain pilot driver dancer singer lover hunter soldier sailor angel devil "
    "spirit élan château forêt été naïve déjà straße über müller öl señor mañana corazón noite fjord ærø łódź şehir"
)

_MADE = """
CREATE TEMP TABLE word ON COMMIT DROP AS
SELECT row_number() OVER () - 1 AS at, w, f FROM unnest(CAST(:words AS text[]), CAST(:folded AS text[])) AS made(w, f);
"""
_TRACKS = """
WITH counted AS (SELECT count(*) AS many FROM word), numbered AS (
  SELECT n, abs(hashint4(n)) AS h, abs(hashint4(n / 13)) AS a, abs(hashint4(n / 11)) AS b
  FROM generate_series(1, :how_many) AS n
), called AS (
  SELECT n, h,
    initcap(t1.w) || ' ' || t2.w || ' ' || n AS title, t1.f || ' ' || t2.f || ' ' || n AS title_f,
    'The ' || a1.w || ' ' || a2.w AS artist, 'the ' || a1.f || ' ' || a2.f AS artist_f,
    b1.w || ' ' || b2.w AS album, b1.f || ' ' || b2.f AS album_f
  FROM numbered, counted
  JOIN word t1 ON true JOIN word t2 ON true JOIN word a1 ON true JOIN word a2 ON true
  JOIN word b1 ON true JOIN word b2 ON true
  WHERE t1.at = h % many AND t2.at = h / 101 % many AND a1.at = a % many AND a2.at = a / 101 % many
    AND b1.at = b % many AND b2.at = b / 101 % many
), folded AS (SELECT *, title_f || chr(10) || artist_f || chr(10) || album_f AS words FROM called)
INSERT INTO tracks (id, owner_id, title, artist, album, search_text, search_grams, source, warnings, created_at, bpm,
  camelot, musical_key, loudness_lufs, year, duration_ms, frames, sample_rate_hz, format, audio_file_id, mix_file_id)
SELECT gen_random_uuid(), :owner, title, artist, album, words,
  (SELECT array_agg(DISTINCT substr(words, i, size))
   FROM generate_series(1, 3) AS size, generate_series(1, length(words) - size + 1) AS i),
  CASE WHEN n % 5 = 0 THEN 'spotify' ELSE 'upload' END, '[]', now() - n * interval '1 minute',
  CASE WHEN n % 20 > 0 THEN 70 + h % 1100 / 10.0 END,
  CASE WHEN n % 20 > 0 THEN (1 + h % 12) || CASE WHEN h % 3 = 0 THEN 'B' ELSE 'A' END END,
  CASE WHEN n % 20 > 0 THEN 'A minor' END, CASE WHEN n % 20 > 0 THEN -6 - h % 120 / 10.0 END,
  CASE WHEN n % 7 > 0 THEN 1960 + h % 66 END, 120000 + h % 300000, 44100, 44100, 'flac', :file, :file
FROM folded
"""
_MORE = (
    """INSERT INTO jobs (id, kind, owner_id, track_id, unique_key, params, result, status, progress, stage, run,
         attempt, max_attempts, error, error_code, created_at)
       SELECT gen_random_uuid(), 'separation', :owner, id, id::text, '{}', '{}',
         CASE WHEN number % 50 = 0 THEN 'failed' ELSE 'completed' END, 100, '', 1, 1, 3,
         CASE WHEN number % 50 = 0 THEN 'The engine crashed.' END, CASE WHEN number % 50 = 0 THEN 'engine_crashed' END,
         created_at
       FROM (SELECT id, created_at, row_number() OVER (ORDER BY created_at DESC) AS number FROM tracks) AS made
       WHERE number % 3 = 0""",
    """INSERT INTO stems (id, track_id, job_id, name, position, file_id, gain_db)
       SELECT gen_random_uuid(), track_id, id, name, place, :file, 0
       FROM jobs, unnest(ARRAY['vocals', 'drums', 'bass', 'other']) WITH ORDINALITY AS named(name, place)
       WHERE kind = 'separation' AND status = 'completed'""",
    """INSERT INTO analysis_parts (id, track_id, job_id, stage, algorithm_version, document)
       SELECT gen_random_uuid(), track_id, id, 'harmony', '1', '{"chords": [{"t_s": 0, "name": "C"}]}'
       FROM jobs WHERE kind = 'separation' AND status = 'completed'""",
)


async def seed(session: AsyncSession, owner_id: UUID, how_many: int = TRACKS) -> None:
    """Fill a library by a few statements, indexes made anew behind it, as one fills a table."""
    indexes = [*await session.scalars(text(_INDEXES))]
    for statement in ("SET LOCAL maintenance_work_mem = '512MB'", "SET LOCAL session_replication_role = replica"):
        await session.execute(text(statement))
    for index in indexes:
        await session.execute(text(f"DROP INDEX {index.split()[2]}"))
    values = {"owner": owner_id, "how_many": how_many, "file": owner_id}
    words = sorted(set(WORDS.split()))
    await session.execute(text(_FILE), values)
    await session.execute(text(_MADE), {"words": words, "folded": [library.fold(word) for word in words]})
    await session.execute(text(_TRACKS), values)
    for statement in _MORE:
        await session.execute(text(statement), values)
    for index in indexes:
        await session.execute(text(index))
    for table in ("tracks", "jobs", "stems", "analysis_parts", "files"):
        await session.execute(text(f"ANALYZE {table}"))


_INDEXES = """
SELECT indexdef FROM pg_indexes
WHERE tablename IN ('tracks', 'stems', 'analysis_parts') AND indexname LIKE 'ix_%'
"""
_FILE = """
INSERT INTO files (id, owner_id, key, size_bytes, sha256, media_type)
VALUES (:file, :owner, 'jobs/' || :file || '/1/mix.flac', 1, repeat('0', 64), 'audio/flac') ON CONFLICT DO NOTHING
"""


async def main(dsn: str, name: str, how_many: int) -> None:
    """Seed somebody's library in a database that exists."""
    async with open_database(dsn), transaction() as session:
        user = await accounts.find_user(session, name) or await accounts.add_user(session, name)
        await seed(session, user.id, how_many)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--user", default="collector")
    parser.add_argument("--tracks", type=int, default=TRACKS)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.dsn, arguments.user, arguments.tracks))
