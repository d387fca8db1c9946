-- Hunts of many rules, and rules that are live again somewhere.

-- Of a rule among several: findings, and matches beyond its bound or that of all.
ALTER TABLE retro_hunt_item ADD COLUMN told BIGINT NOT NULL DEFAULT 0;
ALTER TABLE retro_hunt_item ADD COLUMN cut BIGINT NOT NULL DEFAULT 0;

-- text_version: of the text that was looked for; 0: the rule was not live there when it was
-- looked for above.
ALTER TABLE hunted_stage ADD COLUMN text_version BIGINT NOT NULL DEFAULT 0;
UPDATE hunted_stage SET text_version =
	coalesce((SELECT r.text_version FROM detect_rule r WHERE r.uid = hunted_stage.rule), 0);

-- Parts of alerts that a hunt's findings joined: its matches, for who looks through them.
CREATE TABLE alert_hunt (
	hunt BIGINT NOT NULL REFERENCES retro_hunt (seq),
	part BIGINT NOT NULL REFERENCES alert_part (id),
	PRIMARY KEY (hunt, part)
);
CREATE INDEX alert_hunt_part ON alert_hunt (part);

CREATE INDEX job_queued ON job (id) WHERE state = 'queued';
