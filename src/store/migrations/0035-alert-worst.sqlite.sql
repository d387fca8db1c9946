DROP TRIGGER alert_indicator_in;
DROP TRIGGER alert_indicator_out;
DROP TRIGGER alert_indicator_over;
CREATE TRIGGER alert_indicator_in AFTER INSERT ON alert
BEGIN
	INSERT INTO alert_indicator_severity (indicator, org, severity_id, open, total)
		VALUES (NEW.indicator, NEW.org, NEW.severity_id, NEW.state <> 'closed', 1),
			(NEW.indicator, '', NEW.severity_id, NEW.state <> 'closed', 1)
		ON CONFLICT (indicator, org, severity_id) DO UPDATE SET open = open + excluded.open, total = total + 1;
	INSERT INTO alert_indicator_count (indicator, org, open, total, worst_open, worst_total)
		VALUES (NEW.indicator, NEW.org, NEW.state <> 'closed', 1, (NEW.state <> 'closed') * NEW.severity_id, NEW.severity_id),
			(NEW.indicator, '', NEW.state <> 'closed', 1, (NEW.state <> 'closed') * NEW.severity_id, NEW.severity_id)
		ON CONFLICT (indicator, org) DO UPDATE SET open = open + excluded.open, total = total + 1,
			worst_open = max(worst_open, excluded.worst_open), worst_total = max(worst_total, excluded.worst_total);
END;
CREATE TRIGGER alert_indicator_out AFTER DELETE ON alert
BEGIN
	UPDATE alert_indicator_severity SET open = open - (OLD.state <> 'closed'), total = total - 1
		WHERE indicator = OLD.indicator AND org IN (OLD.org, '') AND severity_id = OLD.severity_id;
	DELETE FROM alert_indicator_severity
		WHERE indicator = OLD.indicator AND org IN (OLD.org, '') AND severity_id = OLD.severity_id AND total = 0;
	UPDATE alert_indicator_count SET open = open - (OLD.state <> 'closed'), total = total - 1,
		worst_open = coalesce((SELECT max(s.severity_id) FROM alert_indicator_severity s
			WHERE s.indicator = OLD.indicator AND s.org = alert_indicator_count.org AND s.open > 0), 0),
		worst_total = coalesce((SELECT max(s.severity_id) FROM alert_indicator_severity s
			WHERE s.indicator = OLD.indicator AND s.org = alert_indicator_count.org), 0)
		WHERE indicator = OLD.indicator AND org IN (OLD.org, '');
	DELETE FROM alert_indicator_count
		WHERE indicator = OLD.indicator AND org IN (OLD.org, '') AND total = 0;
END;
CREATE TRIGGER alert_indicator_over AFTER UPDATE OF state, severity_id, indicator, org ON alert
WHEN (NEW.state = 'closed') <> (OLD.state = 'closed') OR NEW.severity_id <> OLD.severity_id
	OR NEW.indicator <> OLD.indicator OR NEW.org <> OLD.org
BEGIN
	UPDATE alert_indicator_severity SET open = open - (OLD.state <> 'closed'), total = total - 1
		WHERE indicator = OLD.indicator AND org IN (OLD.org, '') AND severity_id = OLD.severity_id;
	DELETE FROM alert_indicator_severity
		WHERE indicator = OLD.indicator AND org IN (OLD.org, '') AND severity_id = OLD.severity_id AND total = 0;
	UPDATE alert_indicator_count SET open = open - (OLD.state <> 'closed'), total = total - 1,
		worst_open = coalesce((SELECT max(s.severity_id) FROM alert_indicator_severity s
			WHERE s.indicator = OLD.indicator AND s.org = alert_indicator_count.org AND s.open > 0), 0),
		worst_total = coalesce((SELECT max(s.severity_id) FROM alert_indicator_severity s
			WHERE s.indicator = OLD.indicator AND s.org = alert_indicator_count.org), 0)
		WHERE indicator = OLD.indicator AND org IN (OLD.org, '');
	INSERT INTO alert_indicator_severity (indicator, org, severity_id, open, total)
		VALUES (NEW.indicator, NEW.org, NEW.severity_id, NEW.state <> 'closed', 1),
			(NEW.indicator, '', NEW.severity_id, NEW.state <> 'closed', 1)
		ON CONFLICT (indicator, org, severity_id) DO UPDATE SET open = open + excluded.open, total = total + 1;
	INSERT INTO alert_indicator_count (indicator, org, open, total, worst_open, worst_total)
		VALUES (NEW.indicator, NEW.org, NEW.state <> 'closed', 1, (NEW.state <> 'closed') * NEW.severity_id, NEW.severity_id),
			(NEW.indicator, '', NEW.state <> 'closed', 1, (NEW.state <> 'closed') * NEW.severity_id, NEW.severity_id)
		ON CONFLICT (indicator, org) DO UPDATE SET open = open + excluded.open, total = total + 1,
			worst_open = max(worst_open, excluded.worst_open), worst_total = max(worst_total, excluded.worst_total);
	DELETE FROM alert_indicator_count
		WHERE indicator = OLD.indicator AND org IN (OLD.org, '') AND total = 0;
END;
