ALTER TABLE tracks ADD COLUMN source_url VARCHAR;
ALTER TABLE tracks ADD COLUMN is_doubtful BOOLEAN DEFAULT false NOT NULL;
CREATE UNIQUE INDEX uq_tracks_spotify ON tracks (owner_id, spotify_id)
  WHERE deleted_at IS NULL AND spotify_id IS NOT NULL;
CREATE INDEX ix_tracks_isrc ON tracks (owner_id, isrc) WHERE deleted_at IS NULL AND isrc IS NOT NULL;
CREATE INDEX ix_tracks_source_url ON tracks (owner_id, source_url)
  WHERE deleted_at IS NULL AND source_url IS NOT NULL;

CREATE TABLE playlists (
  owner_id UUID NOT NULL,
  kind VARCHAR NOT NULL,
  source_id VARCHAR NOT NULL,
  title VARCHAR NOT NULL,
  made_by VARCHAR NOT NULL,
  total INTEGER,
  notice VARCHAR,
  walk_id UUID NOT NULL,
  read_at TIMESTAMP WITH TIME ZONE,
  id UUID NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_playlists PRIMARY KEY (id),
  CONSTRAINT ck_playlists_kind CHECK (kind IN ('playlist', 'album', 'list')),
  CONSTRAINT fk_playlists_owner_id_users FOREIGN KEY(owner_id) REFERENCES users (id) ON DELETE RESTRICT
);
CREATE INDEX ix_playlists_created ON playlists (owner_id, created_at, id);
CREATE UNIQUE INDEX uq_playlists_source ON playlists (owner_id, kind, source_id);

CREATE TABLE playlist_tracks (
  playlist_id UUID NOT NULL,
  track_id UUID,
  entry_id VARCHAR NOT NULL,
  occurrence INTEGER NOT NULL,
  position INTEGER NOT NULL,
  title VARCHAR NOT NULL,
  skip VARCHAR,
  walk_id UUID NOT NULL,
  added_at TIMESTAMP WITH TIME ZONE NOT NULL,
  gone_at TIMESTAMP WITH TIME ZONE,
  id UUID NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_playlist_tracks PRIMARY KEY (id),
  CONSTRAINT fk_playlist_tracks_playlist_id_playlists FOREIGN KEY(playlist_id) REFERENCES playlists (id) ON DELETE CASCADE,
  CONSTRAINT fk_playlist_tracks_track_id_tracks FOREIGN KEY(track_id) REFERENCES tracks (id) ON DELETE SET NULL
);
CREATE INDEX ix_playlist_tracks_position ON playlist_tracks (playlist_id, position, id) WHERE gone_at IS NULL;
CREATE INDEX ix_playlist_tracks_track_id ON playlist_tracks (track_id);
CREATE UNIQUE INDEX uq_playlist_tracks_entry ON playlist_tracks (playlist_id, entry_id, occurrence);

CREATE TABLE candidates (
  owner_id UUID NOT NULL,
  track_id UUID NOT NULL,
  job_id UUID NOT NULL,
  place INTEGER NOT NULL,
  title VARCHAR NOT NULL,
  channel VARCHAR NOT NULL,
  duration_ms INTEGER,
  score DOUBLE PRECISION NOT NULL,
  url VARCHAR NOT NULL,
  is_chosen BOOLEAN NOT NULL,
  id UUID NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_candidates PRIMARY KEY (id),
  CONSTRAINT fk_candidates_owner_id_users FOREIGN KEY(owner_id) REFERENCES users (id) ON DELETE RESTRICT,
  CONSTRAINT fk_candidates_track_id_tracks FOREIGN KEY(track_id) REFERENCES tracks (id) ON DELETE CASCADE,
  CONSTRAINT fk_candidates_job_id_jobs FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
CREATE INDEX ix_candidates_owner_id ON candidates (owner_id);
CREATE INDEX ix_candidates_track_id ON candidates (track_id);
CREATE UNIQUE INDEX uq_candidates_job_place ON candidates (job_id, place);

CREATE TABLE source_answers (
  kind VARCHAR NOT NULL,
  source_id VARCHAR NOT NULL,
  answer JSONB NOT NULL,
  read_at TIMESTAMP WITH TIME ZONE NOT NULL,
  id UUID NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_source_answers PRIMARY KEY (id)
);
CREATE UNIQUE INDEX uq_source_answers_thing ON source_answers (kind, source_id);
