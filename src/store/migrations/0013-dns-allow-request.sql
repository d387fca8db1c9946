-- What somebody asks to be allowed by protective DNS, and what became of it.
CREATE TABLE dns_allow_request (
	id TEXT PRIMARY KEY,
	org TEXT NOT NULL REFERENCES organisation (slug),
	name TEXT NOT NULL,
	reason TEXT NOT NULL,
	requested_by TEXT NOT NULL,
	state TEXT NOT NULL CHECK (state IN ('open', 'granted', 'refused')),
	for_all BIGINT NOT NULL DEFAULT 0,
	approval TEXT NOT NULL DEFAULT '',
	allow_entry TEXT NOT NULL DEFAULT '',
	decided_by TEXT NOT NULL DEFAULT '',
	decision_reason TEXT NOT NULL DEFAULT '',
	created BIGINT NOT NULL,
	decided BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX dns_allow_request_org ON dns_allow_request (org, state);
