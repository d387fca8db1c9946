-- Parts of alerts' texts are found by their groups of three characters, not by reading
-- every alert.  What an alert is in the index for is every text it ever had, so that it
-- is found as it stood at an earlier time, too; who asks compares the text itself.
-- Triggers may not write to a virtual table here (trusted_schema is off): they note what
-- changed, and the commit of the same transaction puts it into the index (state_near.c).
CREATE VIRTUAL TABLE alert_search USING fts5 (text, content = '', detail = none, columnsize = 0, tokenize = 'trigram');
CREATE TABLE alert_search_todo (
	id INTEGER PRIMARY KEY,
	item INTEGER NOT NULL,
	gone INTEGER NOT NULL,
	text TEXT NOT NULL
);
INSERT INTO alert_search (rowid, text)
SELECT seq, lower(title || ' ' || indicator || ' ' || asset || ' ' || list || ' ' || category || ' ' || family || ' ' || id) FROM alert ORDER BY seq;
INSERT INTO alert_search (rowid, text)
SELECT DISTINCT p.alert, lower(p.title || ' ' || p.indicator || ' ' || p.asset || ' ' || p.list || ' ' || p.category || ' ' || p.family || ' ' || a.id)
FROM alert_past p JOIN alert a ON a.seq = p.alert
WHERE (p.title, p.indicator, p.asset, p.list, p.category, p.family)
	<> (a.title, a.indicator, a.asset, a.list, a.category, a.family)
ORDER BY p.alert;

CREATE TRIGGER alert_search_in AFTER INSERT ON alert
BEGIN
	INSERT INTO alert_search_todo (item, gone, text) VALUES (NEW.seq, 0,
		lower(NEW.title || ' ' || NEW.indicator || ' ' || NEW.asset || ' ' || NEW.list || ' ' || NEW.category || ' ' || NEW.family || ' ' || NEW.id));
END;
CREATE TRIGGER alert_search_over AFTER UPDATE OF title, indicator, asset, list, category, family ON alert
WHEN (NEW.title, NEW.indicator, NEW.asset, NEW.list, NEW.category, NEW.family)
	<> (OLD.title, OLD.indicator, OLD.asset, OLD.list, OLD.category, OLD.family)
BEGIN
	INSERT INTO alert_search_todo (item, gone, text) VALUES (NEW.seq, 0,
		lower(NEW.title || ' ' || NEW.indicator || ' ' || NEW.asset || ' ' || NEW.list || ' ' || NEW.category || ' ' || NEW.family || ' ' || NEW.id));
END;
CREATE TRIGGER alert_search_out BEFORE DELETE ON alert
BEGIN
	INSERT INTO alert_search_todo (item, gone, text)
	SELECT OLD.seq, 1, lower(title || ' ' || indicator || ' ' || asset || ' ' || list || ' ' || category || ' ' || family || ' ' || OLD.id)
	FROM alert_past WHERE alert = OLD.seq
	UNION
	SELECT OLD.seq, 1, lower(OLD.title || ' ' || OLD.indicator || ' ' || OLD.asset || ' ' || OLD.list || ' ' || OLD.category || ' ' || OLD.family || ' ' || OLD.id);
END;
