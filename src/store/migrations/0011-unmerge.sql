-- Which alert a part came from by merging (its seq), so that merging can be taken back.
ALTER TABLE alert_part ADD COLUMN merged_from BIGINT NOT NULL DEFAULT 0;
