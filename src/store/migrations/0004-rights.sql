-- The tree of organisations, information systems, and who may what where.

ALTER TABLE organisation ADD COLUMN kind TEXT NOT NULL DEFAULT 'organisation'
	CHECK (kind IN ('centre', 'sector', 'organisation', 'unit'));
-- JIS X 0401: 1 Hokkaido ... 47 Okinawa; 0 none.
ALTER TABLE organisation ADD COLUMN prefecture BIGINT NOT NULL DEFAULT 0
	CHECK (prefecture BETWEEN 0 AND 47);

-- Every pair of a node and what stands at or below it (depth 0: itself).
CREATE TABLE organisation_path (
	ancestor TEXT NOT NULL REFERENCES organisation (slug),
	slug TEXT NOT NULL REFERENCES organisation (slug),
	depth BIGINT NOT NULL,
	PRIMARY KEY (ancestor, slug)
);
CREATE INDEX organisation_path_slug ON organisation_path (slug, depth);
INSERT INTO organisation_path (ancestor, slug, depth)
WITH RECURSIVE up (ancestor, slug, depth) AS (
	SELECT slug, slug, 0 FROM organisation
	UNION ALL
	SELECT o.parent, up.slug, up.depth + 1 FROM up JOIN organisation o ON o.slug = up.ancestor
	WHERE o.parent IS NOT NULL AND up.depth < 8
)
SELECT ancestor, slug, depth FROM up;

-- Grades as the chosen scheme has them: cia3 confidentiality 1..3, integrity and
-- availability 1..2; local5 confidentiality 1 2 3C 3B 3A.
CREATE TABLE information_system (
	id TEXT PRIMARY KEY,
	org TEXT NOT NULL REFERENCES organisation (slug),
	name TEXT NOT NULL,
	title_ja TEXT NOT NULL,
	title_en TEXT NOT NULL,
	owner TEXT NOT NULL DEFAULT '',
	importance BIGINT NOT NULL DEFAULT 1 CHECK (importance BETWEEN 1 AND 3),
	scheme TEXT NOT NULL DEFAULT 'cia3' CHECK (scheme IN ('cia3', 'local5')),
	confidentiality TEXT NOT NULL DEFAULT '1' CHECK (confidentiality IN ('1', '2', '3', '3C', '3B', '3A')),
	integrity BIGINT NOT NULL DEFAULT 1 CHECK (integrity BETWEEN 1 AND 2),
	availability BIGINT NOT NULL DEFAULT 1 CHECK (availability BETWEEN 1 AND 2),
	created BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	version BIGINT NOT NULL DEFAULT 1,
	UNIQUE (org, name)
);
CREATE TABLE system_member (
	system TEXT NOT NULL REFERENCES information_system (id),
	type TEXT NOT NULL CHECK (type IN ('network', 'host')),
	value TEXT NOT NULL,
	PRIMARY KEY (system, type, value)
);

-- Which system an alert's asset belongs to; empty: none.
ALTER TABLE alert ADD COLUMN system TEXT NOT NULL DEFAULT '';
CREATE INDEX alert_system ON alert (system, state, seq);
CREATE INDEX alert_org_state ON alert (org, state, seq);
CREATE INDEX alert_org_asset ON alert (org, asset);

-- node: a slug, or empty for the whole (then system may name one system).
-- period: what an auditor sees is of that time.
CREATE TABLE role_grant (
	id TEXT PRIMARY KEY,
	person TEXT NOT NULL,
	role TEXT NOT NULL,
	node TEXT NOT NULL DEFAULT '',
	system TEXT NOT NULL DEFAULT '',
	period_from BIGINT NOT NULL DEFAULT 0,
	period_to BIGINT NOT NULL DEFAULT 0,
	expires BIGINT NOT NULL DEFAULT 0,
	created BIGINT NOT NULL,
	created_by TEXT NOT NULL,
	reason TEXT NOT NULL DEFAULT ''
);
CREATE INDEX role_grant_person ON role_grant (person);
CREATE INDEX role_grant_node ON role_grant (node);
CREATE INDEX role_grant_system ON role_grant (system);

CREATE INDEX audit_log_org ON audit_log (org, seq);
CREATE INDEX audit_log_time ON audit_log (time);
CREATE INDEX job_org ON job (org, id);
