-- What the console asks for often is counted where it changes, never by reading
-- the alerts: triggers (0002-console.sqlite.sql) keep the first two tables in the
-- transaction of the change.  An hour is its number since 1970.

CREATE TABLE alert_count (
	org TEXT NOT NULL,
	state TEXT NOT NULL,
	severity_id BIGINT NOT NULL,
	n BIGINT NOT NULL,
	PRIMARY KEY (org, state, severity_id)
);
INSERT INTO alert_count (org, state, severity_id, n)
SELECT org, state, severity_id, count(*) FROM alert GROUP BY org, state, severity_id;

-- delta: by how much the open alerts of that severity changed within the hour.
CREATE TABLE alert_hour (
	org TEXT NOT NULL,
	hour BIGINT NOT NULL,
	severity_id BIGINT NOT NULL,
	created BIGINT NOT NULL DEFAULT 0,
	closed BIGINT NOT NULL DEFAULT 0,
	delta BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (org, hour, severity_id)
);
INSERT INTO alert_hour (org, hour, severity_id, created, closed, delta)
SELECT org, hour, severity_id, sum(opened), sum(ended), sum(opened) - sum(ended) FROM (
	SELECT org, created / 3600000000 AS hour, severity_id, 1 AS opened, 0 AS ended FROM alert
	UNION ALL
	SELECT org, closed / 3600000000, severity_id, 0, 1 FROM alert WHERE state = 'closed'
) AS changes GROUP BY org, hour, severity_id;

CREATE INDEX alert_open_org ON alert (org, severity_id, seq) WHERE state <> 'closed';
CREATE INDEX alert_open_severity ON alert (severity_id, seq, org) WHERE state <> 'closed';
CREATE INDEX alert_severity ON alert (severity_id, seq, org, state);
CREATE INDEX alert_last_seen ON alert (last_seen, seq, org, state);
CREATE INDEX alert_created ON alert (created, org);
CREATE INDEX alert_closed ON alert (closed, org) WHERE closed > 0;

-- Events per hour in which they were received.
CREATE TABLE event_hour (
	org TEXT NOT NULL,
	hour BIGINT NOT NULL,
	events BIGINT NOT NULL,
	PRIMARY KEY (org, hour)
);

-- How often a source must be heard at least; it need not have been heard yet.
CREATE TABLE source_expectation (
	org TEXT NOT NULL REFERENCES organisation (slug),
	source TEXT NOT NULL,
	sensor TEXT NOT NULL,
	every_s BIGINT NOT NULL CHECK (every_s BETWEEN 60 AND 31536000),
	created BIGINT NOT NULL,
	actor TEXT NOT NULL,
	PRIMARY KEY (org, source, sensor)
);

-- owner: the person, or who asked as the audit log has it.  org: whose readers
-- see it when it is shared; empty: all.
CREATE TABLE saved_search (
	id TEXT PRIMARY KEY,
	owner TEXT NOT NULL,
	org TEXT NOT NULL DEFAULT '',
	name TEXT NOT NULL,
	page TEXT NOT NULL,
	query TEXT NOT NULL,
	shared BIGINT NOT NULL DEFAULT 0 CHECK (shared IN (0, 1)),
	created BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	version BIGINT NOT NULL DEFAULT 1
);
CREATE INDEX saved_search_owner ON saved_search (owner, id);

-- When somebody last left the overview: "what changed since" begins there.
CREATE TABLE visit (
	owner TEXT PRIMARY KEY,
	time BIGINT NOT NULL
);

-- Parts of a file import that a worker has acknowledged.
CREATE TABLE import_part (
	job TEXT NOT NULL REFERENCES job (id),
	n BIGINT NOT NULL,
	bytes BIGINT NOT NULL,
	header TEXT NOT NULL DEFAULT '',
	PRIMARY KEY (job, n)
);
