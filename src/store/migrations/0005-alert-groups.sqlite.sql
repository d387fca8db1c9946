CREATE TRIGGER alert_indicator_in AFTER INSERT ON alert
BEGIN
	INSERT INTO alert_indicator_count (indicator, org, open, total)
		VALUES (NEW.indicator, NEW.org, NEW.state <> 'closed', 1), (NEW.indicator, '', NEW.state <> 'closed', 1)
		ON CONFLICT (indicator, org) DO UPDATE SET open = open + excluded.open, total = total + 1;
END;
CREATE TRIGGER alert_indicator_out AFTER DELETE ON alert
BEGIN
	UPDATE alert_indicator_count SET open = open - (OLD.state <> 'closed'), total = total - 1
		WHERE indicator = OLD.indicator AND org IN (OLD.org, '');
	DELETE FROM alert_indicator_count
		WHERE indicator = OLD.indicator AND org IN (OLD.org, '') AND total = 0;
END;
CREATE TRIGGER alert_indicator_over AFTER UPDATE OF state, indicator, org ON alert
WHEN (NEW.state = 'closed') <> (OLD.state = 'closed') OR NEW.indicator <> OLD.indicator OR NEW.org <> OLD.org
BEGIN
	UPDATE alert_indicator_count SET open = open - (OLD.state <> 'closed'), total = total - 1
		WHERE indicator = OLD.indicator AND org IN (OLD.org, '');
	INSERT INTO alert_indicator_count (indicator, org, open, total)
		VALUES (NEW.indicator, NEW.org, NEW.state <> 'closed', 1), (NEW.indicator, '', NEW.state <> 'closed', 1)
		ON CONFLICT (indicator, org) DO UPDATE SET open = open + excluded.open, total = total + 1;
	DELETE FROM alert_indicator_count
		WHERE indicator = OLD.indicator AND org IN (OLD.org, '') AND total = 0;
END;
