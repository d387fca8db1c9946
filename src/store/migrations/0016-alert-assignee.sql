-- One's own alerts, the open ones worst first: a page of each analyst's day, which else
-- reads all alerts.
CREATE INDEX alert_open_assignee ON alert (assignee, severity_id, seq, org)
	WHERE state <> 'closed' AND assignee <> '';
CREATE INDEX alert_assignee ON alert (assignee, seq, org, state) WHERE assignee <> '';
