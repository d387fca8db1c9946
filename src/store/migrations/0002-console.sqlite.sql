CREATE TRIGGER alert_counted_in AFTER INSERT ON alert
BEGIN
	INSERT INTO alert_count (org, state, severity_id, n) VALUES (NEW.org, NEW.state, NEW.severity_id, 1)
		ON CONFLICT (org, state, severity_id) DO UPDATE SET n = n + 1;
	INSERT INTO alert_hour (org, hour, severity_id, created, delta)
		VALUES (NEW.org, NEW.created / 3600000000, NEW.severity_id, 1, NEW.state <> 'closed')
		ON CONFLICT (org, hour, severity_id) DO UPDATE SET created = created + 1, delta = delta + excluded.delta;
END;
CREATE TRIGGER alert_counted_out AFTER DELETE ON alert
BEGIN
	UPDATE alert_count SET n = n - 1 WHERE org = OLD.org AND state = OLD.state AND severity_id = OLD.severity_id;
END;
CREATE TRIGGER alert_counted_over AFTER UPDATE OF state, severity_id ON alert
WHEN NEW.state <> OLD.state OR NEW.severity_id <> OLD.severity_id
BEGIN
	UPDATE alert_count SET n = n - 1 WHERE org = OLD.org AND state = OLD.state AND severity_id = OLD.severity_id;
	INSERT INTO alert_count (org, state, severity_id, n) VALUES (NEW.org, NEW.state, NEW.severity_id, 1)
		ON CONFLICT (org, state, severity_id) DO UPDATE SET n = n + 1;
	INSERT INTO alert_hour (org, hour, severity_id, delta)
		VALUES (OLD.org, NEW.updated / 3600000000, OLD.severity_id, -(OLD.state <> 'closed'))
		ON CONFLICT (org, hour, severity_id) DO UPDATE SET delta = delta + excluded.delta;
	INSERT INTO alert_hour (org, hour, severity_id, closed, delta)
		VALUES (NEW.org, NEW.updated / 3600000000, NEW.severity_id,
			NEW.state = 'closed' AND OLD.state <> 'closed', NEW.state <> 'closed')
		ON CONFLICT (org, hour, severity_id) DO UPDATE
		SET closed = closed + excluded.closed, delta = delta + excluded.delta;
END;
