-- By when alerts are to be done with, and until when they are put off (alert/due.h).

-- due: 9223372036854775807: never.  due_reason: of who set it by hand; empty: by the
-- policy.  snoozed_until: away from the list of what is to be done while it lies ahead.
ALTER TABLE alert ADD COLUMN due BIGINT NOT NULL DEFAULT 9223372036854775807;
ALTER TABLE alert ADD COLUMN due_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE alert ADD COLUMN snoozed_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE alert ADD COLUMN snooze_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE alert ADD COLUMN snoozed_by TEXT NOT NULL DEFAULT '';
ALTER TABLE alert_past ADD COLUMN due BIGINT NOT NULL DEFAULT 9223372036854775807;
ALTER TABLE alert_past ADD COLUMN due_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE alert_past ADD COLUMN snoozed_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE alert_past ADD COLUMN snooze_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE alert_past ADD COLUMN snoozed_by TEXT NOT NULL DEFAULT '';
ALTER TABLE alert_undo ADD COLUMN due BIGINT NOT NULL DEFAULT 9223372036854775807;
ALTER TABLE alert_undo ADD COLUMN due_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE alert_undo ADD COLUMN snoozed_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE alert_undo ADD COLUMN snooze_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE alert_undo ADD COLUMN snoozed_by TEXT NOT NULL DEFAULT '';

-- What a node of the tree says for itself and all below it; org empty: for all.
-- span_s: seconds from when an alert is made; 0: no due time.
CREATE TABLE due_policy (
	org TEXT NOT NULL,
	severity_id BIGINT NOT NULL CHECK (severity_id BETWEEN 1 AND 6),
	span_s BIGINT NOT NULL CHECK (span_s >= 0),
	actor TEXT NOT NULL,
	updated BIGINT NOT NULL,
	PRIMARY KEY (org, severity_id)
);

-- Open alerts of before: by the spans that hold where nothing is said (alert/due.c).
UPDATE alert SET due = created + CASE severity_id WHEN 2 THEN 2592000000000 WHEN 3 THEN 604800000000
	WHEN 4 THEN 259200000000 ELSE 86400000000 END
WHERE state <> 'closed' AND severity_id > 1;

CREATE INDEX alert_open_due ON alert (due, seq, org, severity_id) WHERE state <> 'closed';
CREATE INDEX alert_snoozed ON alert (snoozed_until, org, severity_id) WHERE snoozed_until > 0;
