-- How far a saved state is: rows of detect_feed up to there are in it.
ALTER TABLE detect_state ADD COLUMN seq BIGINT NOT NULL DEFAULT 0;
