-- What the matrix counted by is in detect_stat_rule, too, and there in the order of the rules.
DROP INDEX detect_stat_hits;
