-- What a rule's match read in its event, and whether it was found in the past.

-- fields: JSON, [["name","value"],...]; empty: field and value are all.
ALTER TABLE alert_evidence ADD COLUMN fields TEXT NOT NULL DEFAULT '';
ALTER TABLE alert_evidence ADD COLUMN historical BIGINT NOT NULL DEFAULT 0;
