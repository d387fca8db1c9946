-- Findings beside rules: of each thing that is watched (who) the newest one, and how many there
-- were.  stage: how far it went.  fields: as of an alert (0022).  place: rises with every
-- finding, so that the newest stand first.
CREATE TABLE notice_finding (
	org TEXT NOT NULL,
	kind TEXT NOT NULL,
	who TEXT NOT NULL,
	place BIGINT NOT NULL,
	stage TEXT NOT NULL CHECK (stage IN ('test', 'audit-only', 'live')),
	asset TEXT NOT NULL,
	score BIGINT NOT NULL,
	severity_id BIGINT NOT NULL,
	count BIGINT NOT NULL,
	first_seen BIGINT NOT NULL,
	last_seen BIGINT NOT NULL,
	event TEXT NOT NULL,
	fields TEXT NOT NULL,
	PRIMARY KEY (org, kind, who)
);
CREATE UNIQUE INDEX notice_finding_place ON notice_finding (place);
CREATE INDEX notice_finding_kind ON notice_finding (org, kind, place);
CREATE INDEX notice_finding_seen ON notice_finding (last_seen);
