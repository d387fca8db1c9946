-- Alerts of an indicator, open and in all, by organisation and (org empty) of all
-- of them, so that the largest groups are read in order from an index and nothing
-- is sorted.  Triggers (0005-alert-groups.sqlite.sql) keep it; no row has total 0.
CREATE TABLE alert_indicator_count (
	indicator TEXT NOT NULL,
	org TEXT NOT NULL,
	open BIGINT NOT NULL,
	total BIGINT NOT NULL,
	PRIMARY KEY (indicator, org)
);
INSERT INTO alert_indicator_count (indicator, org, open, total)
SELECT indicator, org, sum(CASE WHEN state <> 'closed' THEN 1 ELSE 0 END), count(*)
FROM alert GROUP BY indicator, org;
INSERT INTO alert_indicator_count (indicator, org, open, total)
SELECT indicator, '', sum(open), sum(total) FROM alert_indicator_count GROUP BY indicator;
CREATE INDEX alert_indicator_count_open ON alert_indicator_count (org, open DESC, indicator) WHERE open > 0;
CREATE INDEX alert_indicator_count_total ON alert_indicator_count (org, total DESC, indicator);

-- What the row of a group shows, without reading the alerts themselves.
DROP INDEX alert_indicator;
CREATE INDEX alert_indicator ON alert
	(indicator, org, state, severity_id, first_seen, last_seen, count, indicator_type);
