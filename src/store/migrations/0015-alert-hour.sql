-- The overview of 90 days reads 200,000 hours of 100 organisations three times:
-- out of an index that has all of them, not row by row.
CREATE INDEX alert_hour_all ON alert_hour (org, hour, severity_id, created, closed, delta);
