#include "store/state_near.h"

/* SQLite's full-text index of groups of three characters.  Another back end leaves
 * yg_state_near() at YG_NEAR_NOT and has an index for LIKE itself (pg_trgm). */

#define GROUPS_MAX 24u /* of a long text its first ones name few enough */

/* Bytes of the first `count` characters; 0: there are not as many.  The text is UTF-8. */
static size_t characters(struct yg_sv s, size_t count)
{
	size_t n = 0;
	for (; count > 0 && n < s.n; count--) {
		unsigned char c = (unsigned char)s.p[n];
		n += c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	}
	return count == 0 && n <= s.n ? n : 0;
}

/* "abc" AND "bcd" ...; how many. */
static size_t put_groups(struct yg_sb *b, struct yg_sv text)
{
	size_t n = 0, end;
	for (; n < GROUPS_MAX; text = yg_sv_sub(text, characters(text, 1), text.n)) {
		end = characters(text, 3);
		if (end == 0)
			break;
		yg_sb_put(b, n++ > 0 ? YG_SV(" AND \"") : YG_SV("\""));
		for (size_t i = 0; i < end; i++) {
			if (text.p[i] == '"')
				yg_sb_putc(b, '"');
			yg_sb_putc(b, text.p[i]);
		}
		yg_sb_putc(b, '"');
	}
	return n;
}

enum yg_near yg_state_near(struct yg_state *db, struct yg_sv text, struct yg_sb *key)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	if (!yg_state_has_near(db) || memchr(text.p, '\0', text.n) != NULL ||
	    yg_utf8_valid(text) != text.n || put_groups(key, text) == 0 || key->cut)
		return YG_NEAR_NOT;
	yg_status st = yg_state_prepare(
		db, "SELECT count(*) FROM (SELECT 1 FROM alert_search ($1) LIMIT $2)", &s, NULL);
	if (st == YG_OK) {
		yg_stmt_text(s, 1, yg_sb_sv(key));
		yg_stmt_i64(s, 2, YG_NEAR_FEW_MAX + 1);
		st = yg_stmt_step(s, &row, NULL);
	}
	if (st != YG_OK || !row)
		return YG_NEAR_NOT;
	return yg_col_i64(s, 0) <= YG_NEAR_FEW_MAX ? YG_NEAR_FEW : YG_NEAR_MANY;
}

static yg_status run(struct yg_state *db, const char *sql, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(db, sql, &s, err);
	return st == YG_OK ? yg_stmt_run(s, err) : st;
}

/* What is gone first: its number may have been given again. */
yg_status yg_state_near_apply(struct yg_state *db, struct yg_err *err)
{
	static const char *const steps[] = {
		"INSERT INTO alert_search (alert_search, rowid, text) SELECT 'delete', item, text"
		" FROM alert_search_todo WHERE gone = 1 ORDER BY item, id",
		"INSERT INTO alert_search (rowid, text) SELECT item, text"
		" FROM alert_search_todo WHERE gone = 0 ORDER BY item, id",
		"DELETE FROM alert_search_todo"};
	struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(db, "SELECT 1 FROM alert_search_todo LIMIT 1", &s, err);
	if (st == YG_OK)
		st = yg_stmt_step(s, &row, err);
	yg_stmt_done(s);
	for (size_t i = 0; st == YG_OK && row && i < YG_LEN(steps); i++)
		st = run(db, steps[i], err);
	return st;
}
