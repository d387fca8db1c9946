-- A visit goes on while one looks without a long pause.  time: when one looked last;
-- ended: when the visit before this one ended, 0 for none.
ALTER TABLE visit ADD COLUMN ended BIGINT NOT NULL DEFAULT 0;
