/* Every statement of the program, wherever it is written: prepares on a fresh
 * database, and keeps to the SQL that SQLite and PostgreSQL share. */
#include <ctype.h>

#include "store/state.h"
#include "tap.h"

/* The linker's names for the list that YG_SQL() fills. */
extern const char *const __start_yg_sql[] __attribute__((weak));
extern const char *const __stop_yg_sql[] __attribute__((weak));

static const char *const forbidden[] = {
	/* SQLite's own words */
	"insert or ",
	"replace into",
	"pragma",
	"rowid",
	"ifnull(",
	"strftime",
	"datetime(",
	"unixepoch",
	"glob ",
	"autoincrement",
	"json_",
	"instr(",
	"printf(",
	"iif(",
	"randomblob",
	"hex(",
	"typeof(",
	"without ",
	"indexed by",
	"total(",
	"group_concat",
	"last_insert",
	/* PostgreSQL's own */
	"::",
	"ilike",
	"now()",
	"serial",
	"returning *",
	"array[",
	/* ways of writing that one of them reads differently */
	"\"",
	"?",
	"==",
	"<=>",
	"limit -1",
	" as boolean",
	"true",
	"false",
	"max(0,",
	"min(0,",
};

/* Lower case, without 'texts'. */
static void plain(const char *sql, char *out, size_t n)
{
	size_t at = 0;
	bool quoted = false;
	for (const char *p = sql; *p != '\0' && at + 1 < n; p++) {
		if (*p == '\'')
			quoted = !quoted;
		else if (!quoted)
			out[at++] = (char)tolower((unsigned char)*p);
	}
	out[at] = '\0';
}

/* Parameters are $1 ... $n without gaps. */
static bool numbered(const char *sql)
{
	uint64_t seen = 0;
	for (const char *p = sql; (p = strchr(p, '$')) != NULL;) {
		unsigned n = 0;
		for (p++; *p >= '0' && *p <= '9'; p++)
			n = n * 10 + (unsigned)(*p - '0');
		if (n < 1 || n > 62)
			return false;
		seen |= UINT64_C(1) << n;
	}
	return (seen >> 1 & ((seen >> 1) + 1)) == 0;
}

static bool fine(struct yg_state *db, const char *sql)
{
	struct yg_err err = {0};
	struct yg_stmt *s = NULL;
	char text[8192];
	bool ok = true;
	if (yg_state_prepare(db, sql, &s, &err) != YG_OK) {
		(void)printf("# %s\n", err.msg);
		ok = false;
	}
	yg_stmt_done(s);
	plain(sql, text, sizeof text);
	for (size_t i = 0; i < YG_LEN(forbidden); i++) {
		if (strstr(text, forbidden[i]) != NULL) {
			(void)printf("# not portable: %s\n", forbidden[i]);
			ok = false;
		}
	}
	if (!numbered(sql)) {
		(void)printf("# parameters have gaps\n");
		ok = false;
	}
	if (!ok)
		(void)printf("# in: %s\n", sql);
	return ok;
}

int main(void)
{
	struct yg_state *db = NULL;
	struct yg_err err = {0};
	size_t n = 0;
	bool ok = true;
	T_OK(yg_state_open(":memory:", &db, &err) == YG_OK && yg_state_migrate(db, &err) == YG_OK);
	for (const char *const *p = __start_yg_sql; p < __stop_yg_sql; p++) {
		if (*p == NULL) /* AddressSanitizer puts room between them */
			continue;
		ok &= fine(db, *p);
		n++;
	}
	T_NAMED(ok, "every statement prepares and is portable");
	(void)printf("# %zu statements\n", n);
	T_NAMED(n > 100, "the list of statements is there");
	yg_state_close(db);
	return tap_done();
}
