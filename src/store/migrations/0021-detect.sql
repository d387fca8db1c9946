-- Sigma rules, and what organisations say of them.
-- org NULL: for all.  A rule of a node holds for everything below it.
-- key: what makes an imported document the same one again (its id, or where it stood).
-- tags: lower case, with a comma before, between and behind.  refused: why it is not
-- compiled; '': it is.  text_version: of detect_rule_text.
CREATE TABLE detect_rule (
	uid TEXT PRIMARY KEY,
	org TEXT REFERENCES organisation (slug),
	collection TEXT NOT NULL,
	key TEXT NOT NULL,
	kind TEXT NOT NULL CHECK (kind IN ('rule', 'correlation', 'filter')),
	sigma_id TEXT NOT NULL,
	name TEXT NOT NULL,
	title TEXT NOT NULL,
	level BIGINT NOT NULL CHECK (level BETWEEN 0 AND 5),
	status TEXT NOT NULL,
	category TEXT NOT NULL,
	product TEXT NOT NULL,
	service TEXT NOT NULL,
	tags TEXT NOT NULL,
	file TEXT NOT NULL,
	stage TEXT NOT NULL CHECK (stage IN ('off', 'test', 'audit-only', 'live')),
	refused TEXT NOT NULL,
	author TEXT NOT NULL,
	actor TEXT NOT NULL,
	created BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	version BIGINT NOT NULL DEFAULT 1,
	text_version BIGINT NOT NULL DEFAULT 1
);
CREATE INDEX detect_rule_key ON detect_rule (collection, key);
CREATE INDEX detect_rule_org ON detect_rule (org);

-- One row whenever the text changes.
CREATE TABLE detect_rule_text (
	rule TEXT NOT NULL REFERENCES detect_rule (uid),
	version BIGINT NOT NULL,
	text TEXT NOT NULL,
	PRIMARY KEY (rule, version)
);

-- One row whenever anything of a rule changes.
CREATE TABLE detect_rule_past (
	rule TEXT NOT NULL REFERENCES detect_rule (uid),
	version BIGINT NOT NULL,
	text_version BIGINT NOT NULL,
	stage TEXT NOT NULL,
	title TEXT NOT NULL,
	actor TEXT NOT NULL,
	created BIGINT NOT NULL,
	PRIMARY KEY (rule, version)
);

-- The stage of a rule for a node and all below it; the nearest one holds.
CREATE TABLE detect_override (
	rule TEXT NOT NULL REFERENCES detect_rule (uid),
	org TEXT NOT NULL REFERENCES organisation (slug),
	stage TEXT NOT NULL CHECK (stage IN ('off', 'test', 'audit-only', 'live')),
	reason TEXT NOT NULL,
	actor TEXT NOT NULL,
	updated BIGINT NOT NULL,
	expires BIGINT NOT NULL,
	PRIMARY KEY (rule, org)
);
CREATE INDEX detect_override_org ON detect_override (org);

-- What is no finding.  rule NULL: of any rule; org NULL: everywhere; expires 0: never.
CREATE TABLE detect_exception (
	id TEXT PRIMARY KEY,
	rule TEXT REFERENCES detect_rule (uid),
	org TEXT REFERENCES organisation (slug),
	text TEXT NOT NULL,
	reason TEXT NOT NULL,
	alert TEXT NOT NULL,
	actor TEXT NOT NULL,
	created BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	expires BIGINT NOT NULL,
	version BIGINT NOT NULL DEFAULT 1
);
CREATE INDEX detect_exception_rule ON detect_exception (rule);
CREATE INDEX detect_exception_org ON detect_exception (org);

-- What rules did, by hour (microseconds of its beginning).  rule '': all of them
-- together.  last: time of the newest hit.
CREATE TABLE detect_stat (
	rule TEXT NOT NULL,
	hour BIGINT NOT NULL,
	org TEXT NOT NULL,
	looked_at BIGINT NOT NULL,
	hits BIGINT NOT NULL,
	excepted BIGINT NOT NULL,
	cost_ns BIGINT NOT NULL,
	last BIGINT NOT NULL,
	PRIMARY KEY (rule, hour, org)
);
CREATE INDEX detect_stat_hour ON detect_stat (hour);
CREATE INDEX detect_stat_hits ON detect_stat (hour, org, rule, hits) WHERE hits > 0;
CREATE INDEX detect_stat_org ON detect_stat (org);

-- The newest hits of a rule at an organisation: ids of events.
CREATE TABLE detect_sample (
	rule TEXT NOT NULL,
	org TEXT NOT NULL,
	seq BIGINT NOT NULL,
	event TEXT NOT NULL,
	time BIGINT NOT NULL,
	PRIMARY KEY (rule, org, seq)
);
CREATE INDEX detect_sample_org ON detect_sample (org);

-- Rises with every change of rules, overrides, exceptions and the tree of
-- organisations; compiled: what the newest snapshot was made of.
CREATE TABLE detect_change (
	id BIGINT PRIMARY KEY CHECK (id = 1),
	changes BIGINT NOT NULL,
	compiled BIGINT NOT NULL
);
INSERT INTO detect_change (id, changes, compiled) VALUES (1, 0, 0);

CREATE TABLE detect_snapshot (
	generation BIGINT PRIMARY KEY,
	state TEXT NOT NULL CHECK (state IN ('building', 'ready', 'failed')),
	file TEXT NOT NULL,
	rules BIGINT NOT NULL DEFAULT 0,
	refused BIGINT NOT NULL DEFAULT 0,
	bytes BIGINT NOT NULL DEFAULT 0,
	actor TEXT NOT NULL,
	created BIGINT NOT NULL,
	finished BIGINT NOT NULL DEFAULT 0
);
