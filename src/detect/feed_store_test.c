/* Messages in and out of the state database: once in, in order out, and after a lost
 * state again the same. */
#include "detect/feed_store.h"

#include "detect/notice_found.h"
#include "tap.h"

#define S INT64_C(1000000)

static struct yg_err err;

static struct yg_state *fresh(void)
{
	struct yg_state *db = NULL;
	if (yg_state_open(":memory:", &db, &err) != YG_OK || yg_state_migrate(db, &err) != YG_OK)
		(void)printf("# %s\n", err.msg);
	return db;
}

static void message(struct yg_buf *b, uint32_t spool, uint64_t batch, enum yg_feed_kind kind,
		    size_t bytes)
{
	static char text[YG_FEED_TEXT_MAX];
	struct yg_feed_head h = {.spool = spool,
				 .batch = batch,
				 .org = YG_SV_INIT("acme"),
				 .source = YG_SV_INIT("zeek"),
				 .sensor = YG_SV_INIT(""),
				 .received = {S}};
	struct yg_feed_entry e = {.kind = kind};
	memset(text, 'x', sizeof text);
	h.entries = (uint32_t)(bytes / sizeof text) + 1;
	if (kind == YG_FEED_STAT)
		e.stat.rule = YG_SV("r-1");
	else if (kind == YG_FEED_LOGIN)
		e.login.user = (struct yg_sv){text, h.entries > 1 ? sizeof text : 5};
	b->n = 0;
	yg_feed_put_head(b, &h);
	for (uint32_t i = 0; i < h.entries; i++)
		yg_feed_put(b, &e);
}

static yg_status on_count(void *ctx, struct yg_state *db, const struct yg_feed_head *h,
			  const struct yg_feed_entry *entry, struct yg_err *e)
{
	int *n = ctx;
	(void)db;
	if (*n < 0)
		return YG_FAIL(e, YG_AGAIN, "not now");
	if (entry == NULL) /* the last of it was there before */
		return YG_OK;
	*n += (entry->kind == YG_FEED_SOURCE || YG_SV_IS(entry->stat.rule, "r-1")) &&
	      YG_SV_IS(h->org, "acme");
	return YG_OK;
}

static yg_status take(struct yg_state *db, const struct yg_buf *b, int *stats,
		      struct yg_feed_taken *out)
{
	*out = (struct yg_feed_taken){0};
	return yg_feed_take(db, yg_buf_sv(b), (yg_wall){S}, on_count, stats, out, &err);
}

static void once(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	YG_AUTO(yg_buf_free) struct yg_buf b = {0};
	YG_AUTO(yg_buf_free) struct yg_buf row = {0};
	struct yg_feed_taken t;
	struct yg_feed_row r;
	struct yg_feed_queue q;
	int stats = 0;
	yg_buf_init(&b, YG_FEED_BYTES_MAX);
	yg_buf_init(&row, YG_FEED_BYTES_MAX);
	message(&b, 1, 5, YG_FEED_LOGIN, 0);
	T_OK(take(db, &b, &stats, &t) == YG_OK && !t.duplicate);
	T_OK(take(db, &b, &stats, &t) == YG_OK && t.duplicate);
	message(&b, 1, 4, YG_FEED_LOGIN, 0);
	T_NAMED(take(db, &b, &stats, &t) == YG_OK && t.duplicate, "an older batch: had already");
	message(&b, 1 | 1u << 16, 5, YG_FEED_LOGIN, 0);
	T_NAMED(take(db, &b, &stats, &t) == YG_OK && !t.duplicate, "another part of it: not yet");
	message(&b, 1, 6, YG_FEED_STAT, 0);
	T_OK(take(db, &b, &stats, &t) == YG_OK && stats == 1);
	T_OK(take(db, &b, &stats, &t) == YG_OK && t.duplicate && stats == 1);
	T_OK(yg_feed_queue(db, &q, &err) == YG_OK && q.last == 2 && q.consumed == 0);
	message(&b, 2, 1, YG_FEED_SOURCE, 0);
	T_NAMED(take(db, &b, &stats, &t) == YG_OK && stats == 2 &&
			yg_feed_queue(db, &q, &err) == YG_OK && q.last == 2,
		"a log source is counted, too, and leaves no row");
	stats = -1;
	message(&b, 1, 7, YG_FEED_STAT, 0);
	T_OK(take(db, &b, &stats, &t) == YG_AGAIN);
	stats = 0;
	T_NAMED(take(db, &b, &stats, &t) == YG_OK && !t.duplicate && stats == 1,
		"what could not be counted is not marked as had");
	b.n -= 3;
	T_OK(take(db, &b, &stats, &t) == YG_PARSE);
	T_OK(yg_feed_tick(db, (yg_wall){9 * S}, &err) == YG_OK);
	T_OK(yg_feed_row(db, 0, &row, &r, &err) == YG_OK && r.seq == 1 && r.body.n > 0);
	T_OK(yg_feed_row(db, 1, &row, &r, &err) == YG_OK && r.seq == 2 && r.body.n > 0);
	T_OK(yg_feed_row(db, 2, &row, &r, &err) == YG_OK && r.seq == 3 && r.body.n == 0 &&
	     r.taken.us == 9 * S);
	T_OK(yg_feed_row(db, 3, &row, &r, &err) == YG_NOTFOUND);
}

static void saved(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	YG_AUTO(yg_buf_free) struct yg_buf b = {0};
	YG_AUTO(yg_buf_free) struct yg_buf other = {0};
	struct yg_feed_taken t;
	struct yg_feed_row r;
	struct yg_feed_queue q;
	struct yg_arena arena;
	struct yg_sv *orgs;
	struct yg_stmt *s = NULL;
	size_t n = 9;
	int stats = 0;
	yg_arena_init(&arena, 1u << 20);
	yg_buf_init(&b, YG_FEED_BYTES_MAX);
	yg_buf_init(&other, 1u << 20);
	for (uint64_t batch = 1; batch <= 3; batch++) {
		message(&b, 1, batch, YG_FEED_LOGIN, 0);
		T_OK(take(db, &b, &stats, &t) == YG_OK);
	}
	T_OK(yg_state_prepare(
		     db,
		     "INSERT INTO organisation (slug, title_ja, title_en, created, updated)"
		     " VALUES ('acme', 'a', 'a', 0, 0)",
		     &s, &err) == YG_OK &&
	     yg_stmt_run(s, &err) == YG_OK);
	yg_buf_put(&other, YG_SV("state"));
	const struct yg_feed_state state = {YG_SV_INIT("acme"), NULL, &other};
	const struct yg_feed_state gone = {YG_SV_INIT("gone"), &other, &other};
	int64_t seq = 9;
	T_OK(yg_feed_save(db, &state, 2, (yg_wall){S}, &err) == YG_OK);
	T_OK(yg_feed_save(db, &gone, 2, (yg_wall){S}, &err) == YG_OK);
	T_NAMED(yg_feed_row(db, 0, &b, &r, &err) == YG_OK && r.seq == 1,
		"rows stay until all states have them");
	T_OK(yg_feed_consumed(db, 2, &err) == YG_OK);
	T_OK(yg_feed_row(db, 0, &b, &r, &err) == YG_OK && r.seq == 3);
	T_OK(yg_feed_orgs(db, &arena, &orgs, &n, &err) == YG_OK && n == 1 &&
	     YG_SV_IS(orgs[0], "acme"));
	T_OK(yg_feed_load(db, YG_SV("acme"), "notice", &other, &seq, &err) == YG_OK &&
	     YG_SV_IS(yg_buf_sv(&other), "state") && seq == 2);
	T_OK(yg_feed_load(db, YG_SV("acme"), "correlate", &other, &seq, &err) == YG_OK &&
	     other.n == 0 && seq == 0);
	T_OK(yg_feed_consumed(db, 3, &err) == YG_OK);
	T_OK(yg_feed_queue(db, &q, &err) == YG_OK && q.last == 3 && q.consumed == 3 &&
	     q.bytes == 0);
	message(&b, 1, 4, YG_FEED_LOGIN, 0);
	T_OK(take(db, &b, &stats, &t) == YG_OK);
	T_NAMED(yg_feed_row(db, 3, &b, &r, &err) == YG_OK && r.seq == 4,
		"a number is never used twice");
	yg_arena_free(&arena);
}

static void bounded(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	YG_AUTO(yg_buf_free) struct yg_buf b = {0};
	struct yg_feed_taken t = {0};
	struct yg_feed_queue q;
	struct yg_feed_row r;
	uint64_t batch = 0, most = 2ULL * YG_FEED_WAITING_MAX / (15u << 20);
	int stats = 0;
	yg_buf_init(&b, YG_FEED_BYTES_MAX);
	while (batch < most && t.dropped == 0) {
		message(&b, 1, ++batch, YG_FEED_LOGIN, 15u << 20);
		if (take(db, &b, &stats, &t) != YG_OK)
			break;
	}
	T_NAMED(t.dropped == 1 && batch > 10, "beyond the bound the oldest goes");
	T_OK(yg_feed_queue(db, &q, &err) == YG_OK && q.bytes <= YG_FEED_WAITING_MAX &&
	     q.dropped == 1);
	T_OK(yg_feed_row(db, 0, &b, &r, &err) == YG_OK && r.seq == 2);
}

static size_t found_of(struct yg_state *db, const struct yg_notice_found_filter *f,
		       struct yg_arena *arena, struct yg_notice_found **out)
{
	size_t n = 0;
	yg_arena_reset(arena);
	return yg_notice_found_list(db, f, arena, out, &n, &err) == YG_OK ? n : 9999;
}

static int64_t number(struct yg_state *db, const char *sql)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	return yg_state_prepare(db, sql, &s, &err) == YG_OK &&
			       yg_stmt_step(s, &row, &err) == YG_OK && row
		       ? yg_col_i64(s, 0)
		       : -1;
}

/* Looked for by words, severity and time, and sorted by score: a scan and a beacon of 10.0.0.1,
 * and one more of a server, which is the newest and has the lowest score. */
static void found_by(struct yg_state *db, const struct yg_notice_found_filter *all,
		     struct yg_arena *arena)
{
	struct yg_notice_found *list = NULL, f = {.org = YG_SV_INIT("acme"),
						  .who = YG_SV_INIT("Server_A"),
						  .asset = YG_SV_INIT("srv"),
						  .event = YG_SV_INIT(""),
						  .fields = YG_SV_INIT("[]"),
						  .kind = YG_NOTICE_VOLUME,
						  .stage = YG_STAGE_TEST,
						  .score = 40,
						  .severity_id = 4,
						  .last = {90 * S}};
	struct yg_notice_found_filter by = *all;
	T_OK(yg_notice_found_add(db, &f, &err) == YG_OK);
	T_OK(found_of(db, &by, arena, &list) == 3 && list[0].score == 40);
	by.by_score = true;
	T_OK(found_of(db, &by, arena, &list) == 3 && list[0].score == 90 && list[2].score == 40);
	by.limit = 1;
	for (unsigned want = 90, i = 0; i < 3; i++, want = i == 2 ? 40 : 90) {
		T_OK(found_of(db, &by, arena, &list) == 1 && list[0].score == want);
		by.before = list[0].place;
		by.before_score = list[0].score;
	}
	T_NAMED(found_of(db, &by, arena, &list) == 0, "page by page, each once");
	by = *all;
	by.part = YG_SV("ER_a");
	T_OK(found_of(db, &by, arena, &list) == 1 && YG_SV_IS(list[0].asset, "srv"));
	by.part = YG_SV("0.0_0"); /* no pattern */
	T_OK(found_of(db, &by, arena, &list) == 0);
	by.part = YG_SV("");
	by.severity_min = 3;
	T_OK(found_of(db, &by, arena, &list) == 1);
	by.severity_min = 0;
	by.from_us = 20 * S;
	T_OK(found_of(db, &by, arena, &list) == 2);
	by.to_us = 90 * S;
	T_OK(found_of(db, &by, arena, &list) == 1);
	T_OK(number(db, "DELETE FROM notice_finding WHERE who = 'Server_A' RETURNING 1") == 1);
}

/* Of each thing the newest finding and how many; a bound of each kind; old ones go. */
static void found(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_arena arena;
	struct yg_stmt *s = NULL;
	struct yg_notice_found *list = NULL;
	struct yg_notice_found f = {.org = YG_SV_INIT("acme"),
				    .who = YG_SV_INIT("10.0.0.1"),
				    .asset = YG_SV_INIT("10.0.0.1"),
				    .event = YG_SV_INIT("e-1-1-1"),
				    .fields = YG_SV_INIT("[]"),
				    .kind = YG_NOTICE_SCAN,
				    .stage = YG_STAGE_AUDIT,
				    .score = 60,
				    .severity_id = 2,
				    .last = {20 * S}};
	const struct yg_sv acme = YG_SV("acme"), other = YG_SV("other");
	struct yg_notice_found_filter all = {.reach = YG_REACH_ALL,
					     .kind = YG_SV_INIT(""),
					     .stage = YG_SV_INIT(""),
					     .limit = 1000};
	yg_arena_init(&arena, 16u << 20);
	T_OK(yg_state_prepare(
		     db,
		     "INSERT INTO organisation (slug, title_ja, title_en, created, updated)"
		     " VALUES ('acme', 'a', 'a', 0, 0)",
		     &s, &err) == YG_OK &&
	     yg_stmt_run(s, &err) == YG_OK);
	T_OK(yg_notice_found_add(db, &f, &err) == YG_OK);
	f.last.us = 10 * S;
	f.score = 90;
	f.stage = YG_STAGE_LIVE;
	T_OK(yg_notice_found_add(db, &f, &err) == YG_OK);
	T_OK(found_of(db, &all, &arena, &list) == 1);
	T_NAMED(list[0].count == 2 && list[0].score == 90 && list[0].stage == YG_STAGE_LIVE &&
			list[0].first.us == 10 * S && list[0].last.us == 20 * S,
		"one that comes late is the newest one told, and not the last one seen");
	f.kind = YG_NOTICE_BEACON;
	T_OK(yg_notice_found_add(db, &f, &err) == YG_OK);
	f.org = YG_SV("gone");
	T_OK(yg_notice_found_add(db, &f, &err) == YG_OK);
	T_NAMED(found_of(db, &all, &arena, &list) == 2 && list[0].kind == YG_NOTICE_BEACON,
		"an organisation that is no more has none; the newest is first");
	struct yg_notice_found_filter some = all;
	some.reach = yg_reach_one(&other);
	T_OK(found_of(db, &some, &arena, &list) == 0);
	some.reach = yg_reach_one(&acme);
	T_OK(found_of(db, &some, &arena, &list) == 2);
	some.reach.to.us = 15 * S;
	T_NAMED(found_of(db, &some, &arena, &list) == 1, "within a period");
	some = all;
	some.kind = YG_SV("scan");
	T_OK(found_of(db, &some, &arena, &list) == 1 && list[0].kind == YG_NOTICE_SCAN);
	some.before = list[0].place;
	T_OK(found_of(db, &some, &arena, &list) == 0);
	found_by(db, &all, &arena);
	f.org = acme;
	f.kind = YG_NOTICE_FLOOD;
	for (int i = 0; i < YG_NOTICE_FOUND_MAX + 7; i++) {
		char who[16];
		struct yg_sb b = yg_sb_init(who, sizeof who);
		yg_sb_printf(&b, "%d", i);
		f.who = yg_sb_sv(&b);
		f.last.us = (100 + i) * S;
		if (yg_notice_found_add(db, &f, &err) != YG_OK)
			T_NAMED(false, err.msg);
	}
	T_NAMED(number(db, "SELECT count(*) FROM notice_finding") == YG_NOTICE_FOUND_MAX + 2 &&
			number(db, "SELECT count(*) FROM notice_finding WHERE kind = 'flood'"
				   " AND last_seen >= 107000000") == YG_NOTICE_FOUND_MAX,
		"the oldest of the kind went, others stayed");
	T_OK(yg_notice_found_stale(db, (yg_wall){YG_NOTICE_FOUND_DAYS * 86400 * S + 108 * S},
				   &err) == YG_OK &&
	     number(db, "SELECT count(*) FROM notice_finding") == YG_NOTICE_FOUND_MAX - 1);
	yg_arena_free(&arena);
}

int main(void)
{
	once();
	saved();
	found();
	bounded();
	return tap_done();
}
