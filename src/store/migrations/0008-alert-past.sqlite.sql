CREATE TRIGGER alert_past_kept AFTER UPDATE OF title, state, verdict, reason, assignee, severity_id, tlp,
	indicator, indicator_type, asset, list, category, family, closed, merged_into ON alert
WHEN NEW.updated > NEW.created AND (OLD.title, OLD.state, OLD.verdict, OLD.reason, OLD.assignee, OLD.severity_id,
	OLD.tlp, OLD.indicator, OLD.indicator_type, OLD.asset, OLD.list, OLD.category, OLD.family, OLD.closed,
	OLD.merged_into) <> (NEW.title, NEW.state, NEW.verdict, NEW.reason, NEW.assignee, NEW.severity_id,
	NEW.tlp, NEW.indicator, NEW.indicator_type, NEW.asset, NEW.list, NEW.category, NEW.family, NEW.closed,
	NEW.merged_into)
BEGIN
	INSERT INTO alert_past (alert, until, title, state, verdict, reason, assignee, severity_id, tlp,
		indicator, indicator_type, asset, list, category, family, closed, merged_into)
	VALUES (OLD.seq, NEW.updated, OLD.title, OLD.state, OLD.verdict, OLD.reason, OLD.assignee, OLD.severity_id,
		OLD.tlp, OLD.indicator, OLD.indicator_type, OLD.asset, OLD.list, OLD.category, OLD.family,
		OLD.closed, OLD.merged_into)
	ON CONFLICT (alert, until) DO NOTHING;
END;
CREATE TRIGGER alert_past_hour_kept AFTER UPDATE OF updated ON alert
WHEN NEW.updated / 3600000000 > OLD.updated / 3600000000
BEGIN
	INSERT INTO alert_past_count (alert, until, count, confidence, first_seen, last_seen, updated, version)
	VALUES (OLD.seq, NEW.updated / 3600000000 * 3600000000, OLD.count, OLD.confidence, OLD.first_seen,
		OLD.last_seen, OLD.updated, OLD.version)
	ON CONFLICT (alert, until) DO NOTHING;
END;
CREATE TRIGGER alert_past_period_kept AFTER UPDATE OF updated ON alert
WHEN NEW.updated > OLD.updated AND EXISTS (SELECT 1 FROM role_grant
	WHERE period_to > 0 AND period_to > OLD.updated AND period_to <= NEW.updated)
BEGIN
	INSERT INTO alert_past_count (alert, until, count, confidence, first_seen, last_seen, updated, version)
	SELECT DISTINCT OLD.seq, period_to, OLD.count, OLD.confidence, OLD.first_seen, OLD.last_seen,
		OLD.updated, OLD.version
	FROM role_grant WHERE period_to > 0 AND period_to > OLD.updated AND period_to <= NEW.updated
	ON CONFLICT (alert, until) DO NOTHING;
END;
CREATE TRIGGER alert_past_out AFTER DELETE ON alert
BEGIN
	DELETE FROM alert_past WHERE alert = OLD.seq;
	DELETE FROM alert_past_count WHERE alert = OLD.seq;
END;
