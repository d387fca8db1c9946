-- Findings of correlations and beside rules on their way into the event store: the rows of one
-- row of the feed (detect/watch_rows.h).
CREATE TABLE detect_finding (
	seq BIGINT PRIMARY KEY,
	bytes BIGINT NOT NULL,
	data BYTEA NOT NULL
);
