-- Correlations over the past: in the order of time, with states that go on where they were.

-- correlates: 1: what is looked for are correlations.  kept_place: where the states in
-- retro_hunt_state were; what lies between there and `place` has been told.
ALTER TABLE retro_hunt ADD COLUMN correlates BIGINT NOT NULL DEFAULT 0;
ALTER TABLE retro_hunt ADD COLUMN kept_place TEXT NOT NULL DEFAULT '';
CREATE TABLE retro_hunt_state (
	hunt BIGINT NOT NULL REFERENCES retro_hunt (seq),
	org TEXT NOT NULL,
	data BYTEA NOT NULL,
	PRIMARY KEY (hunt, org)
);

-- Correlations of before this version are not looked for by themselves.
INSERT INTO hunted_stage (rule, org, at, text_version)
	SELECT uid, '', updated, text_version FROM detect_rule WHERE kind = 'correlation' AND stage = 'live';
INSERT INTO hunted_stage (rule, org, at, text_version)
	SELECT o.rule, o.org, o.updated, CASE o.stage WHEN 'live' THEN r.text_version ELSE 0 END
	FROM detect_override o JOIN detect_rule r ON r.uid = o.rule WHERE r.kind = 'correlation';
