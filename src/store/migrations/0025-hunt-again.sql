-- What hunts by themselves look for beside what is new.

-- again: it is in force anew: it had ended, or it began after it had been looked at.
ALTER TABLE indicator ADD COLUMN again BIGINT NOT NULL DEFAULT 0;
CREATE INDEX indicator_again ON indicator (id) WHERE again = 1;
-- again: the list is in use anew, and so are all its entries.
ALTER TABLE indicator_list ADD COLUMN again BIGINT NOT NULL DEFAULT 0;

-- Where rules were looked for when they became live there.  org '': by their own stage.
CREATE TABLE hunted_stage (
	rule TEXT NOT NULL,
	org TEXT NOT NULL,
	at BIGINT NOT NULL,
	PRIMARY KEY (rule, org)
);
CREATE INDEX hunted_stage_org ON hunted_stage (org);
INSERT INTO hunted_stage (rule, org, at) SELECT rule, '', at FROM hunted_rule;
DROP TABLE hunted_rule;
