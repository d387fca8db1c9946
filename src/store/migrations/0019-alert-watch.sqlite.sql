CREATE TRIGGER alert_watch_out AFTER DELETE ON alert
BEGIN
	DELETE FROM alert_watch WHERE alert = OLD.seq;
END;
