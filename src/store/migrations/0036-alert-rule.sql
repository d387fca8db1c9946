-- How many alerts each rule made, and which were false: the matrix of techniques and the list of
-- rules ask it of a month of alerts, most of which are of indicators.  The type is in it so that
-- no alert is read.
CREATE INDEX alert_rule ON alert (indicator, created, org, verdict, closed, indicator_type)
	WHERE indicator_type = 'rule';
