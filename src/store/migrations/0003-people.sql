-- People, what they sign in with, their sessions, and what needs a second person.

CREATE TABLE person (
	id TEXT PRIMARY KEY,
	login TEXT NOT NULL UNIQUE,
	name TEXT NOT NULL,
	email TEXT NOT NULL DEFAULT '',
	email_verified BIGINT NOT NULL DEFAULT 0 CHECK (email_verified IN (0, 1)),
	language TEXT NOT NULL DEFAULT 'ja' CHECK (language IN ('ja', 'en')),
	theme TEXT NOT NULL DEFAULT 'system' CHECK (theme IN ('system', 'light', 'dark')),
	home TEXT NOT NULL DEFAULT '',
	state TEXT NOT NULL DEFAULT 'invited' CHECK (state IN ('invited', 'active', 'disabled')),
	administrator BIGINT NOT NULL DEFAULT 0 CHECK (administrator IN (0, 1)),
	created BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	version BIGINT NOT NULL DEFAULT 1
);
CREATE INDEX person_email ON person (email);

-- name: what one of the kind is found by.  password, totp: the person; passkey:
-- the credential's id; recovery: the hash of the code; oidc: issuer, blank, subject.
-- counter: a passkey's signature counter; the last time step of totp.
CREATE TABLE credential (
	id TEXT PRIMARY KEY,
	person TEXT NOT NULL REFERENCES person (id),
	kind TEXT NOT NULL CHECK (kind IN ('password', 'totp', 'passkey', 'recovery', 'oidc')),
	name TEXT NOT NULL,
	data BYTEA NOT NULL,
	label TEXT NOT NULL DEFAULT '',
	pending BIGINT NOT NULL DEFAULT 0 CHECK (pending IN (0, 1)),
	counter BIGINT NOT NULL DEFAULT 0,
	created BIGINT NOT NULL,
	last_used BIGINT NOT NULL DEFAULT 0,
	UNIQUE (kind, name, pending)
);
CREATE INDEX credential_person ON credential (person, kind);

CREATE TABLE session (
	id TEXT PRIMARY KEY,
	hash BYTEA NOT NULL UNIQUE,
	person TEXT NOT NULL REFERENCES person (id),
	method TEXT NOT NULL,
	created BIGINT NOT NULL,
	last_used BIGINT NOT NULL,
	expires BIGINT NOT NULL,
	step_up_until BIGINT NOT NULL DEFAULT 0,
	address TEXT NOT NULL DEFAULT '',
	agent TEXT NOT NULL DEFAULT '',
	revoked BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX session_person ON session (person, id);

-- One-time codes: of the first set-up (person '') and of invitations.  secret is
-- the TOTP secret that is offered with the code.
CREATE TABLE enrol (
	hash BYTEA PRIMARY KEY,
	person TEXT NOT NULL DEFAULT '',
	secret BYTEA NOT NULL,
	created BIGINT NOT NULL,
	created_by TEXT NOT NULL,
	expires BIGINT NOT NULL
);
CREATE INDEX enrol_person ON enrol (person);

CREATE TABLE approval (
	id TEXT PRIMARY KEY,
	kind TEXT NOT NULL,
	params TEXT NOT NULL DEFAULT '{}',
	org TEXT NOT NULL DEFAULT '',
	requested_by TEXT NOT NULL,
	reason TEXT NOT NULL DEFAULT '',
	state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'approved', 'refused', 'failed')),
	decided_by TEXT NOT NULL DEFAULT '',
	decision_reason TEXT NOT NULL DEFAULT '',
	result TEXT NOT NULL DEFAULT '',
	created BIGINT NOT NULL,
	decided BIGINT NOT NULL DEFAULT 0,
	expires BIGINT NOT NULL
);
CREATE INDEX approval_state ON approval (state, id);

ALTER TABLE token ADD COLUMN person TEXT REFERENCES person (id);
CREATE INDEX token_person ON token (person);
