CREATE TABLE users (
  name VARCHAR NOT NULL,
  role VARCHAR NOT NULL,
  password_hash VARCHAR,
  link_hash VARCHAR,
  link_expires_at TIMESTAMP WITH TIME ZONE,
  disabled_at TIMESTAMP WITH TIME ZONE,
  id UUID NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_users PRIMARY KEY (id),
  CONSTRAINT ck_users_role CHECK (role IN ('owner', 'admin', 'member')),
  CONSTRAINT uq_users_name UNIQUE (name),
  CONSTRAINT uq_users_link_hash UNIQUE (link_hash)
);

CREATE TABLE api_tokens (
  user_id UUID NOT NULL,
  name VARCHAR NOT NULL,
  token_hash VARCHAR NOT NULL,
  scopes JSONB NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE,
  revoked_at TIMESTAMP WITH TIME ZONE,
  seen_at TIMESTAMP WITH TIME ZONE,
  id UUID NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_api_tokens PRIMARY KEY (id),
  CONSTRAINT fk_api_tokens_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
  CONSTRAINT uq_api_tokens_token_hash UNIQUE (token_hash)
);
CREATE INDEX ix_api_tokens_user_id ON api_tokens (user_id);

CREATE TABLE files (
  owner_id UUID NOT NULL,
  key VARCHAR NOT NULL,
  size_bytes BIGINT NOT NULL,
  sha256 VARCHAR NOT NULL,
  media_type VARCHAR NOT NULL,
  orphaned_at TIMESTAMP WITH TIME ZONE,
  id UUID NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_files PRIMARY KEY (id),
  CONSTRAINT fk_files_owner_id_users FOREIGN KEY(owner_id) REFERENCES users (id) ON DELETE RESTRICT,
  CONSTRAINT uq_files_key UNIQUE (key)
);
CREATE INDEX ix_files_orphaned_at ON files (orphaned_at);
CREATE INDEX ix_files_owner_id ON files (owner_id);

CREATE TABLE sessions (
  user_id UUID NOT NULL,
  token_hash VARCHAR NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
  agent VARCHAR NOT NULL,
  id UUID NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_sessions PRIMARY KEY (id),
  CONSTRAINT fk_sessions_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
  CONSTRAINT uq_sessions_token_hash UNIQUE (token_hash)
);
CREATE INDEX ix_sessions_user_id ON sessions (user_id);

CREATE TABLE settings (
  user_id UUID,
  name VARCHAR NOT NULL,
  value JSONB NOT NULL,
  changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  id UUID NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_settings PRIMARY KEY (id),
  CONSTRAINT fk_settings_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX uq_settings_instance ON settings (name) WHERE user_id IS NULL;
CREATE UNIQUE INDEX uq_settings_user ON settings (user_id, name) WHERE user_id IS NOT NULL;

CREATE TABLE tracks (
  owner_id UUID NOT NULL,
  title VARCHAR NOT NULL,
  artist VARCHAR NOT NULL,
  album VARCHAR NOT NULL,
  search_text VARCHAR NOT NULL,
  search_grams TEXT[] NOT NULL,
  source VARCHAR NOT NULL,
  spotify_id VARCHAR,
  isrc VARCHAR,
  frames BIGINT,
  duration_ms INTEGER,
  sample_rate_hz INTEGER,
  channels INTEGER,
  format VARCHAR,
  audio_file_id UUID,
  mix_file_id UUID,
  cover_file_id UUID,
  audio_sha256 VARCHAR,
  bpm DOUBLE PRECISION,
  musical_key VARCHAR,
  camelot VARCHAR,
  warnings JSONB NOT NULL,
  deleted_at TIMESTAMP WITH TIME ZONE,
  updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  id UUID NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_tracks PRIMARY KEY (id),
  CONSTRAINT fk_tracks_owner_id_users FOREIGN KEY(owner_id) REFERENCES users (id) ON DELETE RESTRICT,
  CONSTRAINT fk_tracks_audio_file_id_files FOREIGN KEY(audio_file_id) REFERENCES files (id) ON DELETE RESTRICT,
  CONSTRAINT fk_tracks_mix_file_id_files FOREIGN KEY(mix_file_id) REFERENCES files (id) ON DELETE RESTRICT,
  CONSTRAINT fk_tracks_cover_file_id_files FOREIGN KEY(cover_file_id) REFERENCES files (id) ON DELETE RESTRICT
);
CREATE INDEX ix_tracks_artist ON tracks (owner_id, split_part(search_text, chr(10), 2), id) WHERE deleted_at IS NULL;
CREATE INDEX ix_tracks_bpm ON tracks (owner_id, coalesce(bpm, 0), id) WHERE deleted_at IS NULL;
CREATE INDEX ix_tracks_created ON tracks (owner_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX ix_tracks_deleted ON tracks (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX ix_tracks_duration ON tracks (owner_id, coalesce(duration_ms, 0), id) WHERE deleted_at IS NULL;
CREATE INDEX ix_tracks_grams ON tracks USING gin (search_grams);
CREATE INDEX ix_tracks_key ON tracks (owner_id, coalesce(camelot, ''), id) WHERE deleted_at IS NULL;
CREATE INDEX ix_tracks_title ON tracks (owner_id, split_part(search_text, chr(10), 1), id) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX uq_tracks_audio ON tracks (owner_id, audio_sha256) WHERE deleted_at IS NULL;

CREATE TABLE jobs (
  kind VARCHAR NOT NULL,
  owner_id UUID NOT NULL,
  track_id UUID,
  parent_id UUID,
  unique_key VARCHAR NOT NULL,
  params JSONB NOT NULL,
  result JSONB NOT NULL,
  status VARCHAR NOT NULL,
  progress INTEGER NOT NULL,
  stage VARCHAR NOT NULL,
  wait_reason VARCHAR,
  run INTEGER NOT NULL,
  oban_job_id BIGINT,
  attempt INTEGER NOT NULL,
  max_attempts INTEGER NOT NULL,
  next_attempt_at TIMESTAMP WITH TIME ZONE,
  cancel_requested_at TIMESTAMP WITH TIME ZONE,
  error_code VARCHAR,
  error VARCHAR,
  node VARCHAR,
  started_at TIMESTAMP WITH TIME ZONE,
  finished_at TIMESTAMP WITH TIME ZONE,
  id UUID NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_jobs PRIMARY KEY (id),
  CONSTRAINT ck_jobs_kind CHECK (kind IN ('analysis', 'download', 'export', 'import', 'maintenance', 'separation')),
  CONSTRAINT ck_jobs_status CHECK (status IN ('completed', 'downloading', 'failed', 'processing', 'queued')),
  CONSTRAINT ck_jobs_progress CHECK (progress BETWEEN 0 AND 100),
  CONSTRAINT fk_jobs_owner_id_users FOREIGN KEY(owner_id) REFERENCES users (id) ON DELETE RESTRICT,
  CONSTRAINT fk_jobs_track_id_tracks FOREIGN KEY(track_id) REFERENCES tracks (id) ON DELETE CASCADE,
  CONSTRAINT fk_jobs_parent_id_jobs FOREIGN KEY(parent_id) REFERENCES jobs (id) ON DELETE CASCADE
);
CREATE INDEX ix_jobs_active ON jobs (kind, created_at) WHERE status IN ('downloading', 'processing', 'queued');
CREATE INDEX ix_jobs_finished ON jobs (kind, finished_at) WHERE status = 'completed';
CREATE INDEX ix_jobs_oban_job_id ON jobs (oban_job_id);
CREATE INDEX ix_jobs_owner_created ON jobs (owner_id, created_at, id);
CREATE INDEX ix_jobs_parent_id ON jobs (parent_id);
CREATE INDEX ix_jobs_track ON jobs (track_id, created_at);
CREATE UNIQUE INDEX uq_jobs_active ON jobs (owner_id, kind, unique_key) WHERE status IN ('downloading', 'processing', 'queued');

CREATE TABLE analysis_parts (
  track_id UUID NOT NULL,
  job_id UUID NOT NULL,
  stage VARCHAR NOT NULL,
  algorithm_version VARCHAR NOT NULL,
  document JSONB NOT NULL,
  file_id UUID,
  id UUID NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_analysis_parts PRIMARY KEY (id),
  CONSTRAINT fk_analysis_parts_track_id_tracks FOREIGN KEY(track_id) REFERENCES tracks (id) ON DELETE CASCADE,
  CONSTRAINT fk_analysis_parts_job_id_jobs FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE,
  CONSTRAINT fk_analysis_parts_file_id_files FOREIGN KEY(file_id) REFERENCES files (id) ON DELETE RESTRICT
);
CREATE INDEX ix_analysis_parts_track_id ON analysis_parts (track_id);
CREATE UNIQUE INDEX uq_analysis_parts_job_stage ON analysis_parts (job_id, stage);

CREATE TABLE stems (
  track_id UUID NOT NULL,
  job_id UUID NOT NULL,
  name VARCHAR NOT NULL,
  position INTEGER NOT NULL,
  file_id UUID NOT NULL,
  peaks_file_id UUID,
  gain_db DOUBLE PRECISION NOT NULL,
  id UUID NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_stems PRIMARY KEY (id),
  CONSTRAINT fk_stems_track_id_tracks FOREIGN KEY(track_id) REFERENCES tracks (id) ON DELETE CASCADE,
  CONSTRAINT fk_stems_job_id_jobs FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE,
  CONSTRAINT fk_stems_file_id_files FOREIGN KEY(file_id) REFERENCES files (id) ON DELETE RESTRICT,
  CONSTRAINT fk_stems_peaks_file_id_files FOREIGN KEY(peaks_file_id) REFERENCES files (id) ON DELETE RESTRICT
);
CREATE INDEX ix_stems_track_id ON stems (track_id);
CREATE UNIQUE INDEX uq_stems_job_name ON stems (job_id, name);
