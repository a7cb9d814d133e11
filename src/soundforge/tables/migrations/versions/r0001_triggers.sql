CREATE OR REPLACE FUNCTION soundforge_guard_job() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.status <> 'queued' OR NEW.run <> 0 OR NEW.progress <> 0 THEN
      RAISE EXCEPTION 'A job begins as queued, with run 0 and progress 0.'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'jobs_begin';
    END IF;
    RETURN NEW;
  END IF;

  IF (NEW.id, NEW.kind, NEW.owner_id, NEW.unique_key, NEW.created_at)
     IS DISTINCT FROM (OLD.id, OLD.kind, OLD.owner_id, OLD.unique_key, OLD.created_at) THEN
    RAISE EXCEPTION 'Job % keeps its id, kind, owner, key and time of creation.', OLD.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'jobs_identity';
  END IF;

  IF NEW.status = OLD.status THEN
    IF OLD.status IN ('completed', 'failed') AND NEW IS DISTINCT FROM OLD THEN
      RAISE EXCEPTION 'Job % is % and stays as it is.', OLD.id, OLD.status
        USING ERRCODE = 'check_violation', CONSTRAINT = 'jobs_terminal';
    END IF;
  ELSIF (OLD.kind, OLD.status, NEW.status) NOT IN (
    ('import', 'queued', 'processing'),
    ('import', 'queued', 'failed'),
    ('import', 'processing', 'completed'),
    ('import', 'processing', 'failed'),
    ('import', 'failed', 'queued'),
    ('download', 'queued', 'downloading'),
    ('download', 'queued', 'failed'),
    ('download', 'downloading', 'processing'),
    ('download', 'downloading', 'completed'),
    ('download', 'downloading', 'failed'),
    ('download', 'processing', 'completed'),
    ('download', 'processing', 'failed'),
    ('download', 'failed', 'queued'),
    ('separation', 'queued', 'processing'),
    ('separation', 'queued', 'failed'),
    ('separation', 'processing', 'completed'),
    ('separation', 'processing', 'failed'),
    ('separation', 'failed', 'queued'),
    ('analysis', 'queued', 'processing'),
    ('analysis', 'queued', 'failed'),
    ('analysis', 'processing', 'completed'),
    ('analysis', 'processing', 'failed'),
    ('analysis', 'failed', 'queued'),
    ('export', 'queued', 'processing'),
    ('export', 'queued', 'failed'),
    ('export', 'processing', 'completed'),
    ('export', 'processing', 'failed'),
    ('export', 'failed', 'queued'),
    ('maintenance', 'queued', 'processing'),
    ('maintenance', 'queued', 'failed'),
    ('maintenance', 'processing', 'completed'),
    ('maintenance', 'processing', 'failed'),
    ('maintenance', 'failed', 'queued')
  ) THEN
    RAISE EXCEPTION 'A job of kind % may not go from % to %.', OLD.kind, OLD.status, NEW.status
      USING ERRCODE = 'check_violation', CONSTRAINT = 'jobs_moves';
  END IF;

  IF OLD.status = 'queued' AND NEW.status IN ('downloading', 'processing') THEN
    IF NEW.run <> OLD.run + 1 THEN
      RAISE EXCEPTION 'The claim of job % must raise its run by one.', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'jobs_run';
    END IF;
    RETURN NEW;
  END IF;

  IF NEW.run <> OLD.run THEN
    RAISE EXCEPTION 'Only a claim may change the run of job %.', OLD.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'jobs_run';
  END IF;
  IF NEW.progress < OLD.progress THEN
    RAISE EXCEPTION 'The progress of job % may not fall within a run.', OLD.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'jobs_progress_falls';
  END IF;
  IF NEW.progress > OLD.progress AND OLD.status NOT IN ('downloading', 'processing') THEN
    RAISE EXCEPTION 'Job % is % and makes no progress.', OLD.id, OLD.status
      USING ERRCODE = 'check_violation', CONSTRAINT = 'jobs_progress_idle';
  END IF;
  RETURN NEW;
END
$guard$;

CREATE OR REPLACE TRIGGER soundforge_guard BEFORE INSERT OR UPDATE ON jobs
  FOR EACH ROW EXECUTE FUNCTION soundforge_guard_job();

CREATE OR REPLACE FUNCTION soundforge_tell_job() RETURNS trigger LANGUAGE plpgsql AS $tell$
BEGIN
  PERFORM pg_notify('soundforge', json_build_object(
    'event', 'job_changed',
    'topic', 'jobs:' || NEW.id,
    'owner_id', NEW.owner_id,
    'job_id', NEW.id,
    'track_id', NEW.track_id,
    'parent_id', NEW.parent_id,
    'kind', NEW.kind,
    'status', NEW.status,
    'progress', NEW.progress,
    'stage', left(NEW.stage, 100),
    'run', NEW.run,
    'error_code', left(NEW.error_code, 100),
    'wait_reason', left(NEW.wait_reason, 300)
  )::text);
  RETURN NULL;
END
$tell$;

CREATE OR REPLACE TRIGGER soundforge_tell_new AFTER INSERT ON jobs
  FOR EACH ROW EXECUTE FUNCTION soundforge_tell_job();

CREATE OR REPLACE TRIGGER soundforge_tell_change AFTER UPDATE ON jobs
  FOR EACH ROW WHEN (
    (OLD.status, OLD.progress, OLD.stage, OLD.run, OLD.wait_reason, OLD.error_code, OLD.next_attempt_at,
     OLD.cancel_requested_at)
    IS DISTINCT FROM
    (NEW.status, NEW.progress, NEW.stage, NEW.run, NEW.wait_reason, NEW.error_code, NEW.next_attempt_at,
     NEW.cancel_requested_at)
  ) EXECUTE FUNCTION soundforge_tell_job();
