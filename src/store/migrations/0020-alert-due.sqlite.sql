DROP TRIGGER alert_past_kept;
CREATE TRIGGER alert_past_kept AFTER UPDATE OF title, state, verdict, reason, assignee, severity_id, tlp,
	indicator, indicator_type, asset, list, category, family, closed, merged_into, due, due_reason,
	snoozed_until, snooze_reason, snoozed_by ON alert
WHEN NEW.updated > NEW.created AND (OLD.title, OLD.state, OLD.verdict, OLD.reason, OLD.assignee, OLD.severity_id,
	OLD.tlp, OLD.indicator, OLD.indicator_type, OLD.asset, OLD.list, OLD.category, OLD.family, OLD.closed,
	OLD.merged_into, OLD.due, OLD.due_reason, OLD.snoozed_until, OLD.snooze_reason, OLD.snoozed_by)
	<> (NEW.title, NEW.state, NEW.verdict, NEW.reason, NEW.assignee, NEW.severity_id,
	NEW.tlp, NEW.indicator, NEW.indicator_type, NEW.asset, NEW.list, NEW.category, NEW.family, NEW.closed,
	NEW.merged_into, NEW.due, NEW.due_reason, NEW.snoozed_until, NEW.snooze_reason, NEW.snoozed_by)
BEGIN
	INSERT INTO alert_past (alert, until, title, state, verdict, reason, assignee, severity_id, tlp,
		indicator, indicator_type, asset, list, category, family, closed, merged_into, due, due_reason,
		snoozed_until, snooze_reason, snoozed_by)
	VALUES (OLD.seq, NEW.updated, OLD.title, OLD.state, OLD.verdict, OLD.reason, OLD.assignee, OLD.severity_id,
		OLD.tlp, OLD.indicator, OLD.indicator_type, OLD.asset, OLD.list, OLD.category, OLD.family,
		OLD.closed, OLD.merged_into, OLD.due, OLD.due_reason, OLD.snoozed_until, OLD.snooze_reason,
		OLD.snoozed_by)
	ON CONFLICT (alert, until) DO NOTHING;
END;
