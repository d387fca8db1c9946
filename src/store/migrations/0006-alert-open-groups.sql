-- The alerts of one indicator in the order they are listed.
CREATE INDEX alert_indicator_seq ON alert (indicator, seq);

-- Open alerts grouped by organisation, without reading the alerts themselves.
DROP INDEX alert_open_org;
CREATE INDEX alert_open_org ON alert
	(org, severity_id, seq, state, count, first_seen, last_seen) WHERE state <> 'closed';
