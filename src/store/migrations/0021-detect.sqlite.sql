-- A changed tree is a changed reach of rules.
CREATE TRIGGER detect_org_added AFTER INSERT ON organisation
BEGIN
	UPDATE detect_change SET changes = changes + 1 WHERE id = 1;
END;
CREATE TRIGGER detect_org_moved AFTER UPDATE OF parent ON organisation
WHEN coalesce(OLD.parent, '') <> coalesce(NEW.parent, '')
BEGIN
	UPDATE detect_change SET changes = changes + 1 WHERE id = 1;
END;
CREATE TRIGGER detect_org_removed AFTER DELETE ON organisation
BEGIN
	UPDATE detect_change SET changes = changes + 1 WHERE id = 1;
END;
