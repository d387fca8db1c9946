-- What alerts were: for who sees a period that has ended.  Triggers
-- (0008-alert-past.sqlite.sql) keep what a change takes away.

-- until: the moment of the change; what stood there before it.
CREATE TABLE alert_past (
	alert BIGINT NOT NULL,
	until BIGINT NOT NULL,
	title TEXT NOT NULL,
	state TEXT NOT NULL,
	verdict TEXT NOT NULL,
	reason TEXT NOT NULL,
	assignee TEXT NOT NULL,
	severity_id BIGINT NOT NULL,
	tlp TEXT NOT NULL,
	indicator TEXT NOT NULL,
	indicator_type TEXT NOT NULL,
	asset TEXT NOT NULL,
	list TEXT NOT NULL,
	category TEXT NOT NULL,
	family TEXT NOT NULL,
	closed BIGINT NOT NULL,
	merged_into TEXT NOT NULL,
	PRIMARY KEY (alert, until)
);
-- What every finding changes.  until: a whole hour, or the end of an auditor's
-- period that was known before it came; what stood there when it came.
CREATE TABLE alert_past_count (
	alert BIGINT NOT NULL,
	until BIGINT NOT NULL,
	count BIGINT NOT NULL,
	confidence BIGINT NOT NULL,
	first_seen BIGINT NOT NULL,
	last_seen BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	version BIGINT NOT NULL,
	PRIMARY KEY (alert, until)
);
CREATE INDEX role_grant_period ON role_grant (period_to) WHERE period_to > 0;
