-- Alerts that somebody keeps an eye on.  owner: the person, or who asked as the audit log
-- has it; alert: its seq (a trigger, 0019-alert-watch.sqlite.sql, ends it with the alert).
CREATE TABLE alert_watch (
	owner TEXT NOT NULL,
	alert BIGINT NOT NULL,
	since BIGINT NOT NULL,
	PRIMARY KEY (owner, alert)
);
CREATE INDEX alert_watch_alert ON alert_watch (alert);
