ALTER TABLE tracks ADD COLUMN loudness_lufs DOUBLE PRECISION;
ALTER TABLE tracks ADD COLUMN year INTEGER;

UPDATE tracks SET search_grams = coalesce((
  SELECT array_agg(DISTINCT substr(search_text, i, size))
  FROM generate_series(1, 3) AS size, generate_series(1, length(search_text) - size + 1) AS i
), '{}');
UPDATE tracks SET loudness_lufs = newest.lufs
FROM (
  SELECT DISTINCT ON (track_id) track_id, (document #>> '{loudness,integrated_lufs}')::double precision AS lufs
  FROM analysis_parts
  WHERE jsonb_typeof(document #> '{loudness,integrated_lufs}') = 'number'
  ORDER BY track_id, created_at DESC, id
) AS newest
WHERE newest.track_id = tracks.id;

DROP INDEX ix_tracks_key;
CREATE INDEX ix_tracks_key ON tracks (owner_id, coalesce(array_position(ARRAY[
  '1A', '1B', '2A', '2B', '3A', '3B', '4A', '4B', '5A', '5B', '6A', '6B',
  '7A', '7B', '8A', '8B', '9A', '9B', '10A', '10B', '11A', '11B', '12A', '12B'
], camelot), 0), id) WHERE deleted_at IS NULL;
CREATE INDEX ix_tracks_album ON tracks (owner_id, split_part(search_text, chr(10), 3), id) WHERE deleted_at IS NULL;
CREATE INDEX ix_tracks_loudness ON tracks (owner_id, coalesce(loudness_lufs, -1000), id) WHERE deleted_at IS NULL;
CREATE INDEX ix_tracks_year ON tracks (owner_id, coalesce(year, 0), id) WHERE deleted_at IS NULL;
CREATE INDEX ix_tracks_trash ON tracks (owner_id, deleted_at, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX ix_jobs_failed ON jobs (track_id, kind) WHERE status = 'failed';

ALTER TABLE playlists DROP CONSTRAINT ck_playlists_kind;
ALTER TABLE playlists ADD CONSTRAINT ck_playlists_kind CHECK (kind IN ('playlist', 'album', 'list', 'own'));
ALTER TABLE playlist_tracks ALTER COLUMN position TYPE BIGINT;
