#include "org/audit_log.h"

#include "org/organisation.h"
#include "tap.h"

#define ENTRIES 8

static struct yg_env_sim sim = {.wall = {1700000000000000}, .seed = 7};
static struct yg_env env;
static struct yg_arena arena;
static struct yg_err err;

static yg_status run(struct yg_state *db, const char *sql)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(db, sql, &s, &err);
	return st == YG_OK ? yg_stmt_run(s, &err) : st;
}

/* A log of ENTRIES entries whose triggers are gone, as somebody with the file could do. */
static struct yg_state *fresh(void)
{
	struct yg_state *db = NULL;
	if (yg_state_open(":memory:", &db, &err) != YG_OK || yg_state_migrate(db, &err) != YG_OK)
		(void)printf("# %s\n", err.msg);
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	for (int i = 0; i < ENTRIES; i++) {
		YG_AUTO(yg_detail_free) struct yg_detail d = {0};
		struct yg_tx tx;
		yg_detail_init(&d);
		(void)yg_detail_i64(&d, "n", i, i + 1);
		sim.wall.us += 1000;
		yg_status st = yg_tx_begin(&tx, db, &err);
		if (st == YG_OK)
			st = yg_audit_add(&act, "test.change", YG_SV("a-1"), YG_SV("org"), &d,
					  &err);
		(void)yg_tx_end(&tx, st, &err);
	}
	return db;
}

static void open_wide(struct yg_state *db)
{
	static const char *const triggers[] = {"audit_log_no_update", "audit_log_no_delete",
					       "audit_head_no_delete", "audit_head_forward"};
	for (size_t i = 0; i < YG_LEN(triggers); i++) {
		char sql[96];
		(void)snprintf(sql, sizeof sql, "DROP TRIGGER %s", triggers[i]);
		T_OK(run(db, sql) == YG_OK);
	}
}

static int64_t first_bad(struct yg_state *db, const struct yg_audit_anchor *anchor)
{
	struct yg_audit_report r;
	if (yg_audit_verify(db, anchor, &r, &err) != YG_OK)
		return -1001;
	if (!r.ok && (r.first_bad == 0 || r.text[0] == '\0'))
		return -1002;
	return r.ok ? 0 : r.first_bad;
}

/* Every column of every entry changed in a copy: found, at that entry. */
static void test_columns(void)
{
	static const struct {
		const char *column, *value;
	} changes[] = {
		{"time", "time + 1"},
		{"actor", "actor || 'x'"},
		{"action", "'other'"},
		{"object", "substr(object, 2)"},
		{"org", "''"},
		{"detail", "replace(detail, 'to', 'tO')"},
		{"prev", "zeroblob(32)"},
		{"hash", "zeroblob(32)"},
		{"prev", "'x'"},
		{"hash", "substr(hash, 1, 31)"},
		{"actor", "actor || action"},
		{"detail", "'{}'"},
		{"seq", "seq + 100"},
		{"seq", "-seq"},
		{"hash", "randomblob(32)"},
	};
	bool all = true;
	for (size_t i = 0; i < YG_LEN(changes); i++) {
		for (int at = 1; at <= ENTRIES; at++) {
			YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
			char sql[256];
			(void)run(db, "DROP TRIGGER audit_log_no_update");
			(void)snprintf(sql, sizeof sql,
				       "UPDATE audit_log SET %s = %s WHERE seq = %d",
				       changes[i].column, changes[i].value, at);
			bool same = at == 1 && strcmp(changes[i].value, "zeroblob(32)") == 0 &&
				    strcmp(changes[i].column, "prev") == 0;
			int64_t got = run(db, sql) == YG_OK ? first_bad(db, NULL) : -1003;
			bool moved = strcmp(changes[i].column, "seq") == 0;
			bool ok = same ? got == 0 : moved ? got != 0 && got > -1000 : got == at;
			if (!ok)
				(void)printf("# %s = %s at %d: %lld\n", changes[i].column,
					     changes[i].value, at, (long long)got);
			all &= ok;
		}
	}
	T_NAMED(all, "every changed column of every entry is found where it is");
}

static void test_tampering(void)
{
	for (int at = 1; at <= ENTRIES; at++) {
		YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
		char sql[256];
		open_wide(db);
		(void)snprintf(sql, sizeof sql, "DELETE FROM audit_log WHERE seq = %d", at);
		T_OK(run(db, sql) == YG_OK);
		T_NAMED(first_bad(db, NULL) == (at < ENTRIES ? at + 1 : ENTRIES),
			"a removed entry");
	}
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	open_wide(db);
	T_OK(run(db, "UPDATE audit_log SET seq = 100 WHERE seq = 3") == YG_OK &&
	     run(db, "UPDATE audit_log SET seq = 3 WHERE seq = 4") == YG_OK &&
	     run(db, "UPDATE audit_log SET seq = 4 WHERE seq = 100") == YG_OK);
	T_NAMED(first_bad(db, NULL) == 3, "reordered entries");
	YG_AUTO(yg_state_closep) struct yg_state *b = fresh();
	T_OK(run(b,
		 "INSERT INTO audit_log (seq, time, actor, action, object, org, detail, prev, hash)"
		 " SELECT 9, time, actor, action, object, org, detail, hash, hash FROM audit_log WHERE seq = 8") ==
	     YG_OK);
	T_NAMED(first_bad(b, NULL) == 9, "an appended entry that nobody hashed");
	YG_AUTO(yg_state_closep) struct yg_state *c = fresh();
	open_wide(c);
	T_OK(run(c, "DELETE FROM audit_log") == YG_OK);
	T_NAMED(first_bad(c, NULL) == 1, "everything removed");
	T_OK(run(c, "DELETE FROM audit_head") == YG_OK);
	T_NAMED(first_bad(c, NULL) == 1, "the head removed too");
}

/* A chain that was rewritten whole fits itself; an anchor finds it. */
static void test_anchor(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_audit_report r, again;
	char text[128];
	struct yg_audit_anchor parsed, future;
	T_OK(yg_audit_verify(db, NULL, &r, &err) == YG_OK && r.ok && r.entries == ENTRIES &&
	     r.head.seq == ENTRIES);
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_audit_anchor_format(&b, &r.head);
	T_OK(yg_audit_anchor_parse(yg_sb_sv(&b), &parsed, &err) == YG_OK &&
	     memcmp(&parsed, &r.head, sizeof parsed) == 0);
	T_OK(yg_audit_anchor_parse(YG_SV("8:abcd"), &parsed, &err) == YG_PARSE);
	T_OK(yg_audit_anchor_parse(YG_SV(""), &parsed, &err) == YG_PARSE);
	T_OK(first_bad(db, &r.head) == 0);
	YG_AUTO(yg_state_closep)
	struct yg_state *other = fresh(); /* later times: another history */
	T_OK(first_bad(other, NULL) == 0 && first_bad(other, &r.head) == ENTRIES);
	future = r.head;
	future.seq = ENTRIES + 5;
	T_NAMED(first_bad(db, &future) == ENTRIES + 1, "a log shorter than its anchor");
	/* cut off at the end, head moved back with it: only the anchor tells */
	open_wide(db);
	T_OK(run(db, "DELETE FROM audit_log WHERE seq = 8") == YG_OK &&
	     run(db,
		 "UPDATE audit_head SET seq = 7, hash = (SELECT hash FROM audit_log WHERE seq = 7)") ==
		     YG_OK);
	T_OK(yg_audit_verify(db, NULL, &again, &err) == YG_OK && again.ok &&
	     first_bad(db, &r.head) == 8);
}

static void test_append_only(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	T_OK(run(db, "UPDATE audit_log SET actor = 'x'") == YG_DENIED &&
	     run(db, "DELETE FROM audit_log WHERE seq = 1") == YG_DENIED);
	T_OK(run(db, "DELETE FROM audit_head") == YG_DENIED &&
	     run(db, "UPDATE audit_head SET seq = 1") == YG_DENIED);
	T_OK(first_bad(db, NULL) == 0);
	T_NAMED(yg_audit_add(&act, "x", YG_SV(""), YG_SV(""), NULL, &err) == YG_INTERNAL,
		"no entry without its transaction");
	/* the change fails: so does its entry */
	struct yg_org o = {.slug = YG_SV("a")};
	struct yg_tx tx;
	T_OK(yg_tx_begin(&tx, db, &err) == YG_OK && yg_org_add(&act, &o, &err) == YG_OK);
	T_OK(yg_tx_end(&tx, YG_IO, &err) == YG_IO);
	struct yg_audit_report r;
	T_OK(yg_audit_verify(db, NULL, &r, &err) == YG_OK && r.ok && r.entries == ENTRIES);
	/* a detail beyond its bound */
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	yg_detail_init(&d);
	for (int i = 0; i < 5000; i++)
		yg_detail_note(&d, "text", YG_SV("0123456789"));
	T_OK(yg_tx_begin(&tx, db, &err) == YG_OK);
	yg_status st = yg_audit_add(&act, "x", YG_SV(""), YG_SV(""), &d, &err);
	T_OK(st == YG_TOOBIG && yg_tx_end(&tx, st, &err) == YG_TOOBIG);
}

static void test_list(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_audit_entry *e;
	size_t n;
	struct yg_audit_filter f = {.reach = YG_REACH_ALL, .limit = 3};
	T_OK(yg_audit_list(db, &f, &arena, &e, &n, &err) == YG_OK && n == 3 && e[0].seq == 8 &&
	     YG_SV_IS(e[0].detail, "{\"n\":{\"from\":7,\"to\":8}}"));
	f.before = 6;
	T_OK(yg_audit_list(db, &f, &arena, &e, &n, &err) == YG_OK && n == 3 && e[0].seq == 5);
	f.object = YG_SV("a-1");
	T_OK(yg_audit_list(db, &f, &arena, &e, &n, &err) == YG_OK && n == 3 && e[0].seq == 5);
	f.before = 0;
	T_OK(yg_audit_list(db, &f, &arena, &e, &n, &err) == YG_OK && n == 3 && e[0].seq == 8);
	f.object = YG_SV("a-2");
	T_OK(yg_audit_list(db, &f, &arena, &e, &n, &err) == YG_OK && n == 0);
	f = (struct yg_audit_filter){.reach = YG_REACH_ALL,
				     .limit = 20,
				     .action = YG_SV("test."),
				     .from_us = e[0].time.us};
	f.from_us = 0;
	T_OK(yg_audit_list(db, &f, &arena, &e, &n, &err) == YG_OK && n == ENTRIES);
	f.to_us = e[0].time.us;
	f.from_us = e[7].time.us + 1;
	T_OK(yg_audit_list(db, &f, &arena, &e, &n, &err) == YG_OK && n == ENTRIES - 2);
	f = (struct yg_audit_filter){.reach = YG_REACH_ALL, .limit = 20, .actor = YG_SV("nobody")};
	T_OK(yg_audit_list(db, &f, &arena, &e, &n, &err) == YG_OK && n == 0);
}

int main(void)
{
	env = yg_env_sim(&sim);
	yg_arena_init(&arena, 16 << 20);
	test_columns();
	test_tampering();
	test_anchor();
	test_append_only();
	test_list();
	yg_arena_free(&arena);
	return tap_done();
}
