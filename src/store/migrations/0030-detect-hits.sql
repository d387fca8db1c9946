-- A rule has a row for every hour and organisation whose events it looked at; those in which it
-- did something are few, and are what pages count.
CREATE INDEX detect_stat_rule ON detect_stat (rule, hour, org, hits, excepted, last)
	WHERE hits > 0 OR excepted > 0;
