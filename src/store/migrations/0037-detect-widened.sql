-- widened: when something was last changed by which a rule may match what it did not before: its
-- text, a filter, an exception that was changed or removed.  0: never.
ALTER TABLE detect_rule ADD COLUMN widened BIGINT NOT NULL DEFAULT 0;
UPDATE detect_rule SET widened = updated WHERE text_version > 1;
