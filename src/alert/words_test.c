/* Parts of texts: what the index leads to is what comparing every alert finds. */
#include "alert/alert_internal.h"
#include "alert/query.h"
#include "alert/testing.h"
#include "alert/title.h"
#include "tap.h"

#define TEXT                                                                                       \
	"lower(title || ' ' || indicator || ' ' || asset || ' ' || list || ' ' || category || ' '" \
	" || family || ' ' || id)"

static struct yg_act act;
static uint64_t batch;

static void see(const char *indicator, const char *asset)
{
	struct message m;
	struct yg_finding_result done;
	message_begin(&m, 1, ++batch);
	message_add(&m, batch % 3 == 0 ? "beta" : "alpha", indicator, asset, 1 + (int)(batch % 6),
		    sim.wall.us, "e-1-1-1");
	T_OK(message_send(&m, &act, &done) == YG_OK);
	sim.wall.us += YG_US_PER_S;
}

static int64_t compared(struct yg_state *db, const char *q)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	char text[256];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	bool row = false;
	if (yg_state_prepare(db,
			     "SELECT count(*) FROM alert WHERE " TEXT " LIKE $1 ESCAPE '!'"
			     " AND state <> 'closed'",
			     &s, &err) != YG_OK)
		return -1;
	yg_stmt_text(s, 1, yg_alert_pattern(yg_sv_of(q), &b));
	return yg_stmt_step(s, &row, &err) == YG_OK && row ? yg_col_i64(s, 0) : -1;
}

/* Pages of it in every order, and its groups. */
static bool found(struct yg_state *db, const char *q, int64_t want)
{
	static const struct yg_sv both[] = {YG_SV_INIT("alpha"), YG_SV_INIT("beta")};
	bool good = true;
	for (int sort = YG_SORT_NEWEST; good && sort <= YG_SORT_LAST_SEEN; sort++) {
		struct yg_alert_query ask = {.f = {.reach = {.orgs = both, .org_count = 2},
						   .states = 1u << YG_ALERT_NEW |
							     1u << YG_ALERT_IN_PROGRESS |
							     1u << YG_ALERT_ON_HOLD,
						   .q = yg_sv_of(q)},
					     .sort = (enum yg_alert_sort)sort,
					     .limit = YG_PAGE_MAX};
		struct yg_alert *list = NULL;
		struct yg_alert_bundles g;
		size_t n = 0, of = 0;
		yg_arena_reset(&arena);
		good = yg_alert_find(db, &ask, &arena, &list, &n, &err) == YG_OK &&
		       n == (size_t)YG_MIN(want, (int64_t)YG_PAGE_MAX) &&
		       yg_alert_bundle(db, &ask, YG_GROUP_ORG, 0, &arena, &g, &err) == YG_OK;
		for (size_t i = 0; good && i < g.n; i++)
			of += (size_t)g.list[i].count;
		good = good && of == (size_t)want;
	}
	if (!good)
		(void)printf("# %s: not %lld\n", q, (long long)want);
	return good;
}

static const char *const asked[] = {"evil",
				    "EVIL1.example",
				    "evil10.example",
				    "10.0.0.1",
				    " at 10.0.0.1 ",
				    "0.0.3",
				    "malware x",
				    "a-01",
				    "example at",
				    "nowhere",
				    "il",
				    "x",
				    "%",
				    "_",
				    "100%_sure!",
				    "\"q\"",
				    "it's \"q\"",
				    "\xe6\x94\xbb\xe6\x92\x83",
				    "\xe6\x94\xbb\xe6\x92\x83\xe8\x80\x85",
				    "\xe6\x94\xbb",
				    "caf\xc3\x89",
				    "caf\xc3\xa9",
				    "evil1.example at 10.0.0.4 evil1.example 10.0.0.4 test malware",
				    "\xff\xfe\xfd",
				    "ten.example"};

static int64_t all_found(struct yg_state *db)
{
	int64_t some = 0;
	for (size_t i = 0; i < YG_LEN(asked); i++) {
		int64_t n = compared(db, asked[i]);
		T_NAMED(found(db, asked[i], n), asked[i]);
		some += n > 0;
	}
	return some;
}

static int64_t near(struct yg_state *db, const char *q)
{
	char key[768];
	struct yg_sb b = yg_sb_init(key, sizeof key);
	return yg_state_near(db, yg_sv_of(q), &b);
}

static void test_found(struct yg_state *db)
{
	for (int i = 0; i < 40; i++) {
		char indicator[40], asset[40];
		(void)snprintf(indicator, sizeof indicator, "evil%d.example", i % 11);
		(void)snprintf(asset, sizeof asset, "10.0.0.%d", i);
		see(indicator, asset);
	}
	see("\xe6\x94\xbb\xe6\x92\x83\xe8\x80\x85.example", "caf\xc3\x89");
	see("100%_sure!", "it's \\\"q\\\"");
	T_NAMED(near(db, "evil") == YG_NEAR_FEW && near(db, "ev") == YG_NEAR_NOT &&
			near(db, "") == YG_NEAR_NOT &&
			near(db, "\xe6\x94\xbb\xe6\x92") == YG_NEAR_NOT,
		"an index is asked from three characters on");
	T_OK(one(db, "SELECT count(*) FROM alert_search_todo") == 0);
	T_NAMED(all_found(db) > 15, "most find something");
}

static void see_notice(const char *kind, const char *title, const char *who)
{
	char json[512];
	struct message m;
	struct yg_finding_result done;
	struct yg_sb b = yg_sb_init(json, sizeof json);
	message_begin(&m, 1, ++batch);
	yg_sb_printf(&b,
		     "{\"finding_uid\":\"f-n-%s\",\"org\":\"alpha\",\"indicator\":\"%s:%s\","
		     "\"indicator_type\":\"notice\",\"list\":\"notice\",\"category\":\"%s\","
		     "\"severity_id\":3,\"confidence\":80,\"asset\":\"%s\",\"field\":\"who\","
		     "\"value\":\"%s\",\"event_id\":\"e-1-1-1\",\"time\":\"2026-01-01T00:00:00Z\","
		     "\"title\":\"%s: %s\"}",
		     kind, kind, who, kind, who, who, title, who);
	message_raw(&m, yg_sb_sv(&b));
	T_OK(message_send(&m, &act, &done) == YG_OK && done.applied == 1);
}

/* What is shown in Japanese is found by its Japanese words. */
static void test_notices(struct yg_state *db)
{
	see_notice("spray", "Password spraying", "203.0.113.77");
	see_notice("scan", "Scan", "203.0.113.78");
	T_NAMED(found(db, "パスワードスプレー", 1) && found(db, "スプレー", 1) &&
			found(db, "password spray", 1),
		"a kind by its Japanese words, or some of them");
	T_NAMED(found(db, "スキャン: 203.0.113.78", 1) && found(db, "スキャン: 203.0.113.77", 0),
		"with whom it is about");
	T_OK(found(db, "ス", 2) && found(db, "203.0.113.7", 2));
}

static void see_listed(const char *type, const char *indicator, const char *known)
{
	char json[512];
	struct message m;
	struct yg_finding_result done;
	struct yg_sb b = yg_sb_init(json, sizeof json);
	message_begin(&m, 1, ++batch);
	yg_sb_printf(
		&b,
		"{\"finding_uid\":\"f-l-%s\",\"org\":\"alpha\",\"indicator\":\"%s\","
		"\"indicator_type\":\"%s\",\"list\":\"own\",\"category\":\"\","
		"\"severity_id\":3,\"confidence\":80,\"asset\":\"10.7.7.7\",\"field\":\"query\","
		"\"value\":\"x\",\"event_id\":\"e-1-1-1\",\"time\":\"2026-01-01T00:00:00Z\","
		"\"title\":\"%s: %s\"}",
		indicator, indicator, type, known, indicator);
	message_raw(&m, yg_sb_sv(&b));
	T_OK(message_send(&m, &act, &done) == YG_OK && done.applied == 1);
}

static bool in_japanese(const char *type, const char *title, const char *want)
{
	char text[256];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_alert_title_ja(yg_sv_of(type), YG_SV("x"), yg_sv_of(title), &b);
	return yg_sv_eq(yg_sb_sv(&b), yg_sv_of(want));
}

static void test_titles(void)
{
	T_OK(in_japanese("domain", "known-bad domain: a.example", "既知の悪性ドメイン: a.example"));
	T_OK(in_japanese("ip", "Emotet ip: 192.0.2.1", "Emotet の IP アドレス: 192.0.2.1"));
	T_OK(in_japanese("url", "known-bad url: http://a.example/",
			 "既知の悪性 URL: http://a.example/"));
	T_OK(in_japanese("dns-block", "DNS blocked by rpz (c2)", "DNS で遮断: rpz (c2)"));
	T_NAMED(in_japanese("rule", "known-bad domain: x", "known-bad domain: x") &&
			in_japanese("domain", "somebody's own", "somebody's own") &&
			in_japanese("fqdn", "c2 domain: x", "c2 domain: x"),
		"what somebody else wrote stays");
}

/* What lists know is kept in English, too. */
static void test_listed(struct yg_state *db)
{
	see_listed("domain", "worst.example", "known-bad domain");
	see_listed("domain", "emo.example", "Emotet domain");
	see_listed("email", "a@worst.example", "known-bad email");
	T_NAMED(found(db, "既知の悪性ドメイン: worst", 1) && found(db, "known-bad domain", 1) &&
			found(db, "悪性ドメイン", 1),
		"a title by its words in both languages");
	T_OK(found(db, "既知", 2) && found(db, "既知の悪性", 2) && found(db, "ドメイン", 2));
	T_OK(found(db, "Emotet のドメイン: emo", 1) && found(db, "のドメイン", 1) &&
	     found(db, "Emotet のドメイン", 1));
	T_NAMED(found(db, "ドメイン: emo.example", 1) && found(db, "ドメイン: worst.example", 1) &&
			found(db, "ホスト名: worst.example", 0),
		"with its indicator");
	T_OK(found(db, "メールアドレス", 1) && found(db, "worst.example", 2));
}

/* What was changed past the commit of a transaction is found, too. */
static void test_changed(struct yg_state *db)
{
	struct yg_tx tx;
	T_OK(one(db,
		 "UPDATE alert SET indicator = 'ten.example', title = 'ten', updated = updated + 1 WHERE seq % 9 = 1") ==
	     -1);
	T_OK(one(db, "DELETE FROM alert_evidence") == -1 &&
	     one(db, "DELETE FROM alert_part") == -1 &&
	     one(db, "DELETE FROM alert WHERE seq % 7 = 2") == -1);
	T_OK(one(db, "SELECT count(*) FROM alert_search_todo") > 5);
	(void)all_found(db);
	T_OK(yg_tx_begin(&tx, db, &err) == YG_OK && yg_tx_end(&tx, YG_OK, &err) == YG_OK);
	T_OK(one(db, "SELECT count(*) FROM alert_search_todo") == 0);
	(void)all_found(db);
	T_OK(yg_tx_begin(&tx, db, &err) == YG_OK);
	T_OK(one(db, "UPDATE alert SET title = 'gone again' WHERE seq = 3") == -1);
	T_OK(yg_tx_end(&tx, YG_AGAIN, &err) == YG_AGAIN);
	T_NAMED(found(db, "gone again", 0), "what is rolled back is not");
}

/* An alert is found by what it said at the time that is asked about. */
static void test_past(struct yg_state *db)
{
	struct yg_alert *list = NULL;
	size_t n = 0;
	see("before.example", "10.9.9.9");
	see("other.example", "10.9.9.8");
	sim.wall.us += 2LL * 3600 * YG_US_PER_S;
	int64_t then = sim.wall.us;
	sim.wall.us += 2LL * 3600 * YG_US_PER_S;
	struct yg_sv why = YG_SV("one story");
	T_OK(alerts_of(db, "10.9.9.9", &list) == 1);
	struct yg_sv into = list[0].id;
	T_OK(alerts_of(db, "10.9.9.8", &list) == 1);
	T_OK(yg_alert_merge(&act, into, YG_ANY_VERSION, &list[0].id, 1, why, &err) == YG_OK);
	T_OK(one(db, "UPDATE alert SET title = 'after', indicator = 'after.example', updated ="
		     " updated + 1 WHERE indicator = 'before.example'") == -1);
	struct yg_alert_query ask = {.f = {.reach = {.all = true}, .q = YG_SV("before.exa")},
				     .limit = 10};
	T_OK(yg_alert_find(db, &ask, &arena, &list, &n, &err) == YG_OK && n == 0);
	ask.f.reach.to.us = then;
	T_OK(yg_alert_find(db, &ask, &arena, &list, &n, &err) == YG_OK);
	T_NAMED(n == 1 && yg_sv_eq(list[0].id, into) &&
			YG_SV_IS(list[0].indicator, "before.example"),
		"by its text of then");
	ask.f.q = YG_SV("after.exa");
	T_OK(yg_alert_find(db, &ask, &arena, &list, &n, &err) == YG_OK && n == 0);
}

static void test_many(struct yg_state *db)
{
	struct yg_tx tx;
	T_OK(yg_tx_begin(&tx, db, &err) == YG_OK);
	T_OK(one(db,
		 "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20100)"
		 " INSERT INTO alert (id, org, title, state, severity_id, confidence, tlp,"
		 " indicator, indicator_type, asset, list, category, family, count, first_seen,"
		 " last_seen, created, updated) SELECT 'a-' || i, 'alpha', 'crowd ' || i, 'new',"
		 " 1 + i % 6, 80, 'amber', 'crowd' || i % 5, 'domain', '10.1.' || i % 250, 'l', 'c',"
		 " '', 1, 1, i, 1, 1 FROM n") == -1);
	T_OK(yg_tx_end(&tx, YG_OK, &err) == YG_OK);
	T_NAMED(near(db, "crowd") == YG_NEAR_MANY && near(db, "crowd 777") == YG_NEAR_FEW,
		"many are looked up in the order asked for");
	T_OK(found(db, "crowd", compared(db, "crowd")) && compared(db, "crowd") == 20100);
	T_OK(found(db, "crowd 777", compared(db, "crowd 777")));
}

static void test_removed(struct yg_state *db)
{
	struct yg_tx tx;
	T_OK(yg_tx_begin(&tx, db, &err) == YG_OK);
	T_OK(one(db, "DELETE FROM alert_evidence") == -1 &&
	     one(db, "DELETE FROM alert_part") == -1 &&
	     one(db, "DELETE FROM alert_comment") == -1 && one(db, "DELETE FROM alert") == -1 &&
	     one(db, "SELECT count(*) FROM alert") == 0);
	T_OK(yg_tx_end(&tx, YG_OK, &err) == YG_OK);
	T_NAMED(one(db, "SELECT count(*) FROM alert_search ('\"cro\"')") == 0 &&
			one(db, "SELECT count(*) FROM alert_search ('\"evi\"')") == 0 &&
			one(db, "SELECT count(*) FROM alert_search ('\"bef\"')") == 0,
		"nothing is left of removed alerts");
}

int main(void)
{
	env = yg_env_sim(&sim);
	yg_arena_init(&arena, 256u << 20);
	struct yg_state *db = fresh();
	act = yg_act_make(db, &env, YG_SV("local:0"));
	test_found(db);
	test_changed(db);
	test_past(db);
	test_many(db);
	test_removed(db);
	test_notices(db);
	test_titles();
	test_listed(db);
	yg_state_close(db);
	yg_arena_free(&arena);
	return tap_done();
}
