-- What organisations and the centre say of protective DNS, beside allow_entry.
-- org NULL or '': for all.  An entry of a node holds for everything below it.
CREATE TABLE block_entry (
	id TEXT PRIMARY KEY,
	type BIGINT NOT NULL,
	value TEXT NOT NULL,
	org TEXT REFERENCES organisation (slug),
	category TEXT NOT NULL,
	ede BIGINT NOT NULL CHECK (ede IN (0, 15, 16, 17)),
	reason TEXT NOT NULL,
	actor TEXT NOT NULL,
	created BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	expires BIGINT NOT NULL,
	version BIGINT NOT NULL DEFAULT 1
);
CREATE INDEX block_entry_value ON block_entry (value);

CREATE TABLE dns_mode (
	org TEXT NOT NULL,
	layer TEXT NOT NULL,
	mode TEXT NOT NULL,
	actor TEXT NOT NULL,
	version BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	PRIMARY KEY (org, layer)
);

-- What a refusal becomes; category '': of any.  addresses: with blanks between.
CREATE TABLE dns_answer (
	org TEXT NOT NULL,
	category TEXT NOT NULL,
	answer TEXT NOT NULL,
	target TEXT NOT NULL,
	addresses TEXT NOT NULL,
	ttl BIGINT NOT NULL,
	actor TEXT NOT NULL,
	updated BIGINT NOT NULL,
	PRIMARY KEY (org, category)
);

-- Rises with every change of the three.
CREATE TABLE dns_change (
	id BIGINT PRIMARY KEY CHECK (id = 1),
	changes BIGINT NOT NULL
);
INSERT INTO dns_change (id, changes) VALUES (1, 0);
