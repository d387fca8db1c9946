-- Groups of alerts, the worst first: of each indicator how many there are of each severity,
-- so that the highest is known when one is closed, too.  Triggers (0035-alert-worst.sqlite.sql)
-- keep it; no row has total 0.
CREATE TABLE alert_indicator_severity (
	indicator TEXT NOT NULL,
	org TEXT NOT NULL,
	severity_id BIGINT NOT NULL,
	open BIGINT NOT NULL,
	total BIGINT NOT NULL,
	PRIMARY KEY (indicator, org, severity_id)
);
INSERT INTO alert_indicator_severity (indicator, org, severity_id, open, total)
SELECT indicator, org, severity_id, sum(CASE WHEN state <> 'closed' THEN 1 ELSE 0 END), count(*)
FROM alert GROUP BY indicator, org, severity_id;
INSERT INTO alert_indicator_severity (indicator, org, severity_id, open, total)
SELECT indicator, '', severity_id, sum(open), sum(total)
FROM alert_indicator_severity GROUP BY indicator, severity_id;

-- The highest severity of the open ones (0: none is) and of all.
ALTER TABLE alert_indicator_count ADD COLUMN worst_open BIGINT NOT NULL DEFAULT 0;
ALTER TABLE alert_indicator_count ADD COLUMN worst_total BIGINT NOT NULL DEFAULT 0;
UPDATE alert_indicator_count SET
	worst_open = coalesce((SELECT max(s.severity_id) FROM alert_indicator_severity s
		WHERE s.indicator = alert_indicator_count.indicator
		AND s.org = alert_indicator_count.org AND s.open > 0), 0),
	worst_total = coalesce((SELECT max(s.severity_id) FROM alert_indicator_severity s
		WHERE s.indicator = alert_indicator_count.indicator
		AND s.org = alert_indicator_count.org), 0);
DROP INDEX alert_indicator_count_open;
DROP INDEX alert_indicator_count_total;
CREATE INDEX alert_indicator_count_open ON alert_indicator_count
	(org, worst_open DESC, open DESC, indicator) WHERE open > 0;
CREATE INDEX alert_indicator_count_total ON alert_indicator_count
	(org, worst_total DESC, total DESC, indicator);
