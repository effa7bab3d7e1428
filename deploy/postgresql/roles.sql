-- Three roles with no more rights than they need, for a site that is in the schema public.
-- Run it as the role that owns the tables, or as a superuser, after `migrate`, and again after a migrate that adds tables:
--   psql --set=ON_ERROR_STOP=1 --set=apps=gallery --file=deploy/postgresql/roles.sql DATABASE
-- `apps` are the apps whose records a clean-up may delete and restore, as `gallery|shop`: the first words of their tables.
-- Who logs in is yours to say, for instance: CREATE ROLE watcher LOGIN PASSWORD '…' IN ROLE media_auditor_writer;

SET client_min_messages = warning;
BEGIN;

SELECT format('CREATE ROLE %I NOLOGIN', wanted)
FROM unnest(ARRAY['media_auditor_reader', 'media_auditor_writer', 'media_auditor_cleaner']) AS wanted
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted)
\gexec

-- The reader: every dry run and every question, and no change anywhere.
-- What no audited model needs may be taken back, such as the passwords: REVOKE SELECT ON auth_user FROM …
GRANT USAGE ON SCHEMA public TO media_auditor_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO media_auditor_reader;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO media_auditor_reader;

-- The writer: watch_media. It appends to the audit log, and keeps what is projected from it.
GRANT media_auditor_reader TO media_auditor_writer;
GRANT INSERT ON auditor_event, auditor_batch, auditor_checkpoint TO media_auditor_writer;
GRANT INSERT, UPDATE ON auditor_head, auditor_root, auditor_span TO media_auditor_writer;
GRANT INSERT, UPDATE, DELETE ON auditor_missingfile, auditor_candidate, auditor_uncheckedreference,
    auditor_clockreading, auditor_absence, auditor_fingerprint TO media_auditor_writer;

-- The cleaner: every other command but `audit_log prune`, with the records of the apps that were named.
-- What is kept of a deleted record is never deleted; `restored_at` and an erased payload are written later.
GRANT media_auditor_writer TO media_auditor_cleaner;
GRANT INSERT, UPDATE ON auditor_run, auditor_verified TO media_auditor_cleaner;
GRANT INSERT, UPDATE (restored_at, erased_at, payload) ON auditor_tombstone TO media_auditor_cleaner;
GRANT INSERT, UPDATE, DELETE ON auditor_acknowledgement, auditor_checksum, auditor_openfinding,
    auditor_integritycheck TO media_auditor_cleaner;

SELECT format('GRANT INSERT, UPDATE, DELETE ON %I TO media_auditor_cleaner', relname)
FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
    AND relname ~ ('^(' || :'apps' || ')_') AND relname !~ '^auditor_'
\gexec
-- Restored records keep their keys, so the counters are moved behind them.
SELECT format('GRANT USAGE, UPDATE ON SEQUENCE %I TO media_auditor_cleaner', relname)
FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'
    AND relname ~ ('^(' || :'apps' || ')_') AND relname !~ '^auditor_'
\gexec

COMMIT;
