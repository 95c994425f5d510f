CREATE TABLE IF NOT EXISTS clusters (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS tasks (cluster INTEGER, id TEXT, at REAL, state TEXT, body TEXT, name
TEXT, worker TEXT, queue TEXT, first_seen_at REAL, finished_at REAL, runtime REAL, root_id TEXT,
parent_id TEXT, group_id TEXT, failure TEXT, sample REAL, PRIMARY KEY (cluster, id));
CREATE TABLE IF NOT EXISTS rollups (cluster INTEGER, kind TEXT, name TEXT, minute INTEGER,
succeeded REAL, failed REAL, retried REAL, revoked REAL, received REAL, waiting REAL, runnable
REAL, busy REAL, slots REAL, online REAL, wait_p95 REAL, runtime_p95 REAL, in_per_s REAL,
out_per_s REAL, oldest REAL, per_s REAL, rss REAL, load REAL, runtime_p50 REAL, n_succeeded REAL,
n_failed REAL, n_retried REAL, n_revoked REAL, n_received REAL, PRIMARY KEY (cluster, kind, name,
minute));
CREATE TABLE IF NOT EXISTS findings (cluster INTEGER, code TEXT, subject TEXT, began_at REAL,
ended_at REAL, severity TEXT, text TEXT, next_step TEXT, PRIMARY KEY (cluster, code, subject,
began_at));
CREATE TABLE IF NOT EXISTS operations (cluster INTEGER, id TEXT, began_at REAL, ended_at REAL,
user_name TEXT, text TEXT, targets TEXT, PRIMARY KEY (cluster, id));
CREATE TABLE IF NOT EXISTS operation_targets (cluster INTEGER, target TEXT, id TEXT, began_at
REAL, PRIMARY KEY (cluster, target, id));
CREATE TABLE IF NOT EXISTS log (cluster INTEGER, at REAL, checksum INTEGER, level TEXT, source
TEXT, text TEXT, PRIMARY KEY (cluster, at, checksum));
CREATE TABLE IF NOT EXISTS marks (cluster INTEGER, at REAL, kind TEXT, name TEXT, text TEXT,
PRIMARY KEY (cluster, at, kind, name));
CREATE TABLE IF NOT EXISTS runs (cluster INTEGER, id TEXT, began_at REAL, alive_at REAL, ended_at
REAL, PRIMARY KEY (cluster, id));
CREATE INDEX IF NOT EXISTS tasks_at ON tasks (cluster, at, id);
CREATE INDEX IF NOT EXISTS tasks_unsuccessful ON tasks (cluster, at, id) WHERE state <> 'SUCCESS';
CREATE INDEX IF NOT EXISTS tasks_failure ON tasks (cluster, failure, at) WHERE failure <> '';
CREATE INDEX IF NOT EXISTS tasks_root ON tasks (cluster, root_id) WHERE root_id IS NOT NULL AND
root_id <> id;
CREATE INDEX IF NOT EXISTS rollups_minute ON rollups (cluster, minute);
CREATE INDEX IF NOT EXISTS findings_began_at ON findings (cluster, began_at);
CREATE INDEX IF NOT EXISTS operations_began_at ON operations (cluster, began_at);
CREATE INDEX IF NOT EXISTS operation_targets_began_at ON operation_targets (cluster, began_at);
