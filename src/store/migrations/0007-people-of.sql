-- Who answers for a person: the node they were invited at; empty: the whole.
ALTER TABLE person ADD COLUMN org TEXT NOT NULL DEFAULT '';
