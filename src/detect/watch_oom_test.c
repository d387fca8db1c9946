/* What is watched and what waits, without memory at any point: said so, nothing half done. */
#include "detect/feed_store.h"
#include "detect/notice_found.h"
#include "detect/notice_setting.h"
#include "detect/watch_set.h"
#include "oom.h"

#define S INT64_C(1000000)

static struct yg_env_sim sim = {.wall = {1700000000 * S}, .seed = 4};
static struct yg_env env;
static struct yg_buf login; /* a message; made before anything fails */

static void message(void)
{
	const struct yg_feed_head h = {.spool = 1,
				       .entries = 1,
				       .batch = 9,
				       .org = YG_SV_INIT("acme"),
				       .source = YG_SV_INIT("zeek"),
				       .sensor = YG_SV_INIT(""),
				       .received = {S}};
	struct yg_feed_entry e = {.kind = YG_FEED_LOGIN};
	e.login.user = YG_SV("bob");
	yg_buf_init(&login, 4096);
	yg_feed_put_head(&login, &h);
	yg_feed_put(&login, &e);
}

static yg_status take(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_feed_taken t;
	(void)seen;
	return yg_feed_take(db, yg_buf_sv(&login), (yg_wall){S}, NULL, NULL, &t, NULL);
}

static yg_status row(struct yg_state *db, struct yg_sb *seen)
{
	YG_AUTO(yg_buf_free) struct yg_buf b = {0};
	struct yg_feed_row r;
	yg_buf_init(&b, YG_FEED_BYTES_MAX);
	yg_status st = yg_feed_row(db, 0, &b, &r, NULL);
	if (st == YG_OK)
		yg_sb_printf(seen, "%lld %zu", (long long)r.seq, r.body.n);
	return st;
}

static yg_status saved(struct yg_state *db, struct yg_sb *seen)
{
	YG_AUTO(yg_buf_free) struct yg_buf b = {0};
	(void)seen;
	yg_buf_init(&b, 4096);
	yg_buf_put(&b, YG_SV("state"));
	if (b.bad)
		return YG_NOMEM;
	const struct yg_feed_state state = {YG_SV_INIT("acme"), &b, &b};
	return yg_feed_save(db, &state, 1, (yg_wall){S}, NULL);
}

static yg_status consumed(struct yg_state *db, struct yg_sb *seen)
{
	(void)seen;
	return yg_feed_consumed(db, 1, NULL);
}

static yg_status found(struct yg_state *db, struct yg_sb *seen)
{
	const struct yg_notice_found f = {.org = YG_SV_INIT("acme"),
					  .who = YG_SV_INIT("10.0.0.1"),
					  .asset = YG_SV_INIT("10.0.0.1"),
					  .event = YG_SV_INIT("e-1-1-1"),
					  .fields = YG_SV_INIT("[]"),
					  .kind = YG_NOTICE_SCAN,
					  .stage = YG_STAGE_AUDIT,
					  .score = 60,
					  .severity_id = 2,
					  .last = {20 * S}};
	struct yg_tx tx;
	(void)seen;
	yg_status st = yg_tx_begin(&tx, db, NULL); /* as the row that told it is applied */
	return st == YG_OK ? yg_tx_end(&tx, yg_notice_found_add(db, &f, NULL), NULL) : st;
}

static yg_status networks(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_arena arena;
	struct yg_watch_own *list = NULL;
	size_t n = 0;
	yg_arena_init(&arena, 1u << 20);
	yg_status st = yg_watch_own_networks(db, &arena, &list, &n, NULL);
	if (st == YG_OK)
		yg_sb_printf(seen, "%zu", n);
	yg_arena_free(&arena);
	return st;
}

static yg_status set_load(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_watch_set set;
	yg_status st = yg_watch_set_load(db, &env, NULL, &set, NULL);
	if (st != YG_OK)
		return st;
	yg_sb_printf(seen, "%zu %zu %zu", set.rule_n, set.correlations, set.except_n);
	yg_watch_set_free(&set);
	return YG_OK;
}

static yg_status setting(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	const enum yg_detect_stage stage = YG_STAGE_LIVE;
	(void)seen;
	return yg_notice_setting_set(&act, YG_SV("acme"), YG_NOTICE_BEACON, &stage, NULL);
}

static yg_status settings(struct yg_state *db, struct yg_sb *seen)
{
	struct yg_notice_setting s[YG_NOTICE_KIND_COUNT];
	yg_status st = yg_notice_settings(db, YG_SV("acme"), s, NULL);
	if (st == YG_OK)
		yg_sb_printf(seen, "%d %d", s[YG_NOTICE_SPRAY].stage, s[YG_NOTICE_FLOOD].stage);
	return st;
}

static void base(void)
{
	static const char *const texts[] = {
		"INSERT INTO organisation (slug, title_ja, title_en, created, updated)"
		" VALUES ('acme', 'a', 'a', 0, 0)",
		"INSERT INTO organisation_path (ancestor, slug, depth) VALUES ('acme', 'acme', 0)",
		"INSERT INTO detect_notice (org, kind, stage, actor, updated)"
		" VALUES ('', 'flood', 'live', 'x', 0)",
		"INSERT INTO detect_feed (seq, org, taken, bytes, body) VALUES (1, 'acme', 1, 3, 'abc')",
		"UPDATE detect_feed_state SET last = 1, bytes = 3",
		"INSERT INTO detect_rule (uid, collection, key, kind, sigma_id, name, title, level, status,"
		" category, product, service, tags, file, stage, refused, author, actor, created, updated)"
		" VALUES ('r-1', 'own', 'k1', 'rule', 'i1', 'failed', 't', 2, '', '', '', '', '', '', 'live', '', '', 'x', 0, 0),"
		" ('r-2', 'own', 'k2', 'correlation', 'i2', '', 't', 4, '', '', '', '', '', '', 'live', '', '', 'x', 0, 0)",
		"INSERT INTO detect_rule_text (rule, version, text) VALUES ('r-1', 1, 'x'), ('r-2', 1,"
		" '{title: Many, correlation: {type: event_count, rules: [failed], group-by: [host],"
		" timespan: 5m, condition: {gte: 3}}}')",
		"INSERT INTO detect_exception (id, rule, org, text, reason, alert, actor, created, updated, expires)"
		" VALUES ('x-1', 'r-2', 'acme', 's: {host: a}\ncondition: s\n', 'why', '', 'x', 0, 0, 0)",
		"PRAGMA wal_checkpoint(TRUNCATE)",
	};
	YG_AUTO(yg_state_closep) struct yg_state *db = NULL;
	struct yg_err err = {0};
	T_OK(yg_state_open(oom_base, &db, &err) == YG_OK && yg_state_migrate(db, &err) == YG_OK);
	for (size_t i = 0; i < YG_LEN(texts); i++) {
		struct yg_stmt *s = NULL;
		yg_status st = yg_state_prepare(db, texts[i], &s, &err);
		if (st == YG_OK)
			st = yg_stmt_run(s, &err);
		if (!T_OK(st == YG_OK))
			(void)printf("# %s: %s\n", texts[i], err.msg);
	}
}

int main(void)
{
	static const struct oom_case cases[] = {
		{"a message of the feed is taken", take, OOM_CHANGES},
		{"a row of it is read", row, OOM_READS},
		{"a state is saved", saved, OOM_CHANGES},
		{"rows that are in all states go", consumed, OOM_CHANGES},
		{"a finding beside rules is kept", found, OOM_CHANGES},
		{"networks are read", networks, OOM_READS},
		{"correlations are loaded", set_load, OOM_READS},
		{"a kind of findings is set", setting, OOM_CHANGES},
		{"settings are read", settings, OOM_READS},
	};
	oom_init();
	env = yg_env_sim(&sim);
	message();
	oom_files();
	base();
	for (size_t i = 0; i < YG_LEN(cases); i++)
		oom_try(&cases[i]);
	oom_files_end();
	yg_buf_free(&login);
	return tap_done();
}
