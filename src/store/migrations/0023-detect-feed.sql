-- What ingest tells of its batches for correlations and findings beside rules, until the
-- state machines of center that have taken it in are saved (detect/feed_store.h).

-- body empty: the clock, at `taken`.  seq is never used twice.
CREATE TABLE detect_feed (
	seq BIGINT PRIMARY KEY,
	org TEXT NOT NULL,
	taken BIGINT NOT NULL,
	bytes BIGINT NOT NULL,
	body BYTEA NOT NULL
);
-- One row.  consumed: up to there it is in the saved states.  changes: rises with every
-- change of detect_notice.
CREATE TABLE detect_feed_state (
	id BIGINT PRIMARY KEY CHECK (id = 1),
	last BIGINT NOT NULL,
	consumed BIGINT NOT NULL,
	bytes BIGINT NOT NULL,
	dropped BIGINT NOT NULL,
	changes BIGINT NOT NULL DEFAULT 0
);
INSERT INTO detect_feed_state (id, last, consumed, bytes, dropped) VALUES (1, 0, 0, 0, 0);
-- The newest batch taken of a spool and part.
CREATE TABLE detect_feed_mark (
	spool BIGINT PRIMARY KEY,
	batch BIGINT NOT NULL
);
-- part: correlate, notice.
CREATE TABLE detect_state (
	org TEXT NOT NULL,
	part TEXT NOT NULL,
	saved BIGINT NOT NULL,
	data BYTEA NOT NULL,
	PRIMARY KEY (org, part)
);
-- How far findings beside rules go: a node of the tree says for all below it.
CREATE TABLE detect_notice (
	org TEXT NOT NULL,
	kind TEXT NOT NULL,
	stage TEXT NOT NULL CHECK (stage IN ('off', 'test', 'audit-only', 'live')),
	actor TEXT NOT NULL,
	updated BIGINT NOT NULL,
	PRIMARY KEY (org, kind)
);
