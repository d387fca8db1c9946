-- When a person first took an alert up, and how long alerts are worked on.

-- triaged: first changed by a person; 0: not yet, or closed by a merge alone.
ALTER TABLE alert ADD COLUMN triaged BIGINT NOT NULL DEFAULT 0;
UPDATE alert SET triaged = coalesce((SELECT min(l.time) FROM audit_log l
	WHERE l.object = alert.id AND l.action = 'alert.update'), 0)
WHERE state <> 'new' OR assignee <> '';
CREATE INDEX alert_triaged ON alert (triaged, org, created) WHERE triaged > 0;
