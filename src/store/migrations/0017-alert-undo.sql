-- What a bulk change took away, so that it can be undone (alert/undo.c).

-- alert: its seq.  version: as the change left it; while it is the alert's, nobody
-- changed the alert since.  severity_set: 0 when the change left the severity alone.
CREATE TABLE alert_undo (
	alert BIGINT NOT NULL,
	version BIGINT NOT NULL,
	job TEXT NOT NULL,
	state TEXT NOT NULL,
	verdict TEXT NOT NULL,
	reason TEXT NOT NULL,
	assignee TEXT NOT NULL,
	severity_id BIGINT NOT NULL,
	severity_set BIGINT NOT NULL,
	closed BIGINT NOT NULL,
	PRIMARY KEY (alert, version)
);
CREATE INDEX alert_undo_job ON alert_undo (job, alert);
ALTER TABLE job ADD COLUMN undo_left BIGINT NOT NULL DEFAULT 0;
CREATE INDEX job_undo ON job (finished) WHERE undo_left > 0;
