/* What a hunt finds and tells, before a store of the test's own (linked with --wrap): each
 * finding once, however often it dies in between; and room for every rule of many. */
#include "role/center_hunt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alert/finding.h"
#include "detect/watch_finding.h"
#include "event/table.h"
#include "org/organisation.h"
#include "role/ingest_finding.h"
#include "tap.h"

#define TIME   INT64_C(1700000000000000)
#define STORED 40000

static struct yg_env_sim sim = {.wall = {TIME}, .seed = 5};
static struct yg_role_ctx ctx;
static struct center center;
static struct yg_state *db;
static struct yg_arena arena;
static struct yg_err err;

/* ---- the store and the alerts ---- */

static struct stored {
	uint32_t spool;
	uint64_t batch;
	uint8_t status;
	int64_t received, first, last;
	char group[YG_WATCH_GROUP_MAX];
	char indicator[32], event[YG_EVENT_ID_MAX];
} stored[STORED];
static size_t stored_n, sql_most;
static unsigned asked;
static yg_status apply_fails;

yg_status __wrap_yg_ch_query(struct yg_ch *ch, const struct yg_ch_query *q, struct yg_buf *out,
			     struct yg_err *e);
yg_status __wrap_yg_ch_settle(struct yg_ch *ch, const char *id, struct yg_err *e);
yg_status __wrap_yg_event_table_insert(struct yg_ch *ch, const char *id, struct yg_sv rows,
				       struct yg_err *e);
yg_status __wrap_yg_findings_apply(struct yg_act *act, struct yg_sv body,
				   struct yg_finding_result *out, struct yg_err *e);
yg_status __real_yg_findings_apply(struct yg_act *act, struct yg_sv body,
				   struct yg_finding_result *out, struct yg_err *e);
void __wrap_yg_announce(struct yg_api *api, enum yg_stream_topic topic, struct yg_sv org,
			struct yg_sv system, struct yg_sv id, const char *change);

static void put_text(struct yg_buf *out, const char *text)
{
	yg_buf_putc(out, (char)strlen(text)); /* LEB128 of less than 128 */
	yg_buf_put(out, yg_sv_of(text));
}

/* Events of correlations: one an hour, the oldest first. */
#define PAST_EVENTS 3000
#define HOUR        (3600 * YG_US_PER_S)
static size_t past_rows; /* that were given */

static int64_t number_behind(struct yg_sv sql, const char *word)
{
	size_t n = strlen(word);
	for (size_t i = 0; i + n < sql.n; i++)
		if (memcmp(sql.p + i, word, n) == 0)
			return strtoll(sql.p + i + n, NULL, 10);
	return -1;
}

static void put_events(struct yg_sv sql, struct yg_buf *out)
{
	int64_t from = number_behind(sql, "WHERE time >= "), to = number_behind(sql, "AND time < "),
		behind = number_behind(sql, "AND (time > "), limit = number_behind(sql, "LIMIT ");
	for (int64_t i = 0; i < PAST_EVENTS && limit > 0; i++) {
		int64_t time = TIME - (PAST_EVENTS - i) * HOUR;
		struct yg_event ev = {.org = YG_SV("alpha"),
				      .source = YG_SV("zeek"),
				      .sensor = YG_SV("x"),
				      .time = time,
				      .received = time,
				      .spool = 1,
				      .batch = (uint64_t)i,
				      .class_uid = YG_OCSF_DNS_ACTIVITY,
				      .query = YG_SV("x.bad.example")};
		if (time < from || time >= to || (behind >= 0 && time <= behind))
			continue;
		(void)yg_ip_parse(i % 3 > 0 ? YG_SV("10.0.0.1") : YG_SV("10.0.0.2"), &ev.src_ip);
		yg_event_row(&ev, out);
		past_rows++;
		limit--;
	}
}

/* Of a question the store answers more than was asked: all of what it has. */
yg_status __wrap_yg_ch_query(struct yg_ch *ch, const struct yg_ch_query *q, struct yg_buf *out,
			     struct yg_err *e)
{
	uint64_t last = 0;
	bool max = yg_sv_starts(q->sql, YG_SV("SELECT max(batch)"));
	(void)ch;
	if (yg_sv_has(q->sql, YG_SV(" PREWHERE ("))) {
		sim.mono.us += 7 * YG_US_PER_S; /* so slices stay as wide as they are */
		put_events(q->sql, out);
		return YG_OK;
	}
	asked++;
	if (!max && sql_most > 0 && q->sql.n > sql_most)
		return YG_FAIL(e, asked % 2 == 0 ? YG_LIMIT : YG_TOOBIG, "too much");
	for (size_t i = 0; i < stored_n; i++) {
		const struct stored *s = &stored[i];
		if (s->spool >= YG_HUNT_SPOOL)
			last = YG_MAX(last, s->batch);
		if (max)
			continue;
		yg_wr_le32(out, s->spool);
		yg_wr_le64(out, s->batch);
		yg_wr_le8(out, s->status);
		yg_wr_le64(out, (uint64_t)s->received);
		put_text(out, s->indicator);
		put_text(out, s->spool >= YG_HUNT_SPOOL || s->received > 0 ? s->event : "");
		put_text(out, yg_sv_has(q->sql, YG_SV("uid IN (")) ? s->group : "");
		yg_wr_le64(out, (uint64_t)s->first);
		yg_wr_le64(out, (uint64_t)s->last);
	}
	if (max)
		yg_wr_le64(out, last);
	return YG_OK;
}

yg_status __wrap_yg_ch_settle(struct yg_ch *ch, const char *id, struct yg_err *e)
{
	(void)ch;
	(void)id;
	(void)e;
	return YG_OK;
}

static struct stored *keep_row(uint32_t spool, uint64_t batch, struct yg_sv indicator,
			       struct yg_sv event)
{
	struct stored *s = &stored[stored_n++];
	*s = (struct stored){.spool = spool, .batch = batch};
	(void)snprintf(s->indicator, sizeof s->indicator, YG_SV_FMT, YG_SV_ARG(indicator));
	(void)snprintf(s->event, sizeof s->event, YG_SV_FMT, YG_SV_ARG(event));
	return s;
}

static void keep_event(const struct yg_event *ev)
{
	struct stored *s = keep_row(ev->spool, ev->batch, ev->indicator, ev->related.v[0]);
	s->status = ev->status_id;
	s->last = ev->time;
	s->first = ev->time - ev->duration;
	if (yg_sv_starts(ev->uid, YG_SV("g-")))
		(void)snprintf(s->group, sizeof s->group, YG_SV_FMT, YG_SV_ARG(ev->uid));
}

yg_status __wrap_yg_event_table_insert(struct yg_ch *ch, const char *id, struct yg_sv rows,
				       struct yg_err *e)
{
	struct yg_rd rd = yg_rd_init(rows.p, rows.n);
	struct yg_arena lists;
	struct yg_event ev;
	(void)ch;
	(void)id;
	(void)e;
	yg_arena_init(&lists, 16u << 20);
	while (yg_rd_left(&rd) > 0 && yg_event_row_read(&rd, &lists, &ev, NULL) == YG_OK)
		keep_event(&ev);
	yg_arena_free(&lists);
	return YG_OK;
}

yg_status __wrap_yg_findings_apply(struct yg_act *act, struct yg_sv body,
				   struct yg_finding_result *out, struct yg_err *e)
{
	yg_status st = apply_fails;
	apply_fails = YG_OK;
	return st != YG_OK ? YG_FAIL(e, st, "as the test wants it")
			   : __real_yg_findings_apply(act, body, out, e);
}

void __wrap_yg_announce(struct yg_api *api, enum yg_stream_topic topic, struct yg_sv org,
			struct yg_sv system, struct yg_sv id, const char *change)
{
	(void)api;
	(void)topic;
	(void)org;
	(void)system;
	(void)id;
	(void)change;
}

static size_t stored_of(uint32_t event, bool *out_twice)
{
	char id[YG_EVENT_ID_MAX];
	struct yg_sb b = yg_sb_init(id, sizeof id);
	size_t n = 0;
	yg_event_id_format(&b, 1, event, 0);
	for (size_t i = 0; i < stored_n; i++)
		n += yg_sv_eq(yg_sv_of(stored[i].event), yg_sb_sv(&b)) &&
		     stored[i].spool >= YG_HUNT_SPOOL;
	*out_twice |= n > 1;
	return n;
}

/* ---- a hunt ---- */

static struct yg_id order(enum yg_hunt_what what, const struct yg_sv *items, size_t n)
{
	struct yg_act act = yg_act_make(db, &ctx.env, YG_SV("local:0"));
	const struct yg_hunt h = {.what = what,
				  .automatic = true,
				  .org = YG_SV_INIT(""),
				  .name = YG_SV_INIT(""),
				  .items = (int64_t)n,
				  .to = {TIME},
				  .received = {TIME}};
	struct yg_id job = {0};
	T_OK(yg_hunt_add(&act, &h, items, n, &job, &err) == YG_OK);
	return job;
}

/* As when the job begins, or goes on after a death. */
static struct hunt *begin(struct yg_sv job)
{
	struct run *r = YG_NEW(&arena, struct run);
	struct hunt *t = YG_NEW(&arena, struct hunt);
	r->c = &center;
	r->act = yg_act_make(db, &ctx.env, YG_SV("local:0"));
	r->arena = &arena;
	t->r = r;
	t->resumed = true;
	t->now = sim.wall;
	yg_buf_init(&t->found, 64u << 20);
	yg_buf_init(&t->scratch, 1u << 20);
	yg_arena_init(&t->slice, 32u << 20);
	T_OK(yg_hunt_get(db, job, &arena, &t->h, &err) == YG_OK);
	hunt_slice_begin(t);
	return t;
}

/* The event that is all of batch `n` has `count` matches of the indicator. */
static yg_status match(struct hunt *t, uint32_t n, const char *indicator, size_t count)
{
	const struct yg_event ev = {.org = YG_SV("alpha"),
				    .source = YG_SV("zeek"),
				    .sensor = YG_SV("x"),
				    .time = TIME - n,
				    .spool = 1,
				    .batch = n,
				    .host = YG_SV("pc")};
	const struct yg_match m = {.indicator = yg_sv_of(indicator),
				   .type = YG_IND_FQDN,
				   .list = YG_SV("l"),
				   .category = YG_SV("c2"),
				   .family = YG_SV(""),
				   .severity_id = 3,
				   .field = YG_EF_query};
	hunt_row_begin(t);
	for (size_t i = 0; i < count; i++) {
		size_t at = t->found.n;
		if (!hunt_room(t, m.indicator))
			continue;
		yg_finding_put(&ev, &m, (uint32_t)i, true, &t->scratch, &t->found);
		hunt_found_event(t, &ev, m.indicator, at);
	}
	return hunt_row_end(t, &err);
}

static yg_status tell(struct hunt *t)
{
	const struct yg_hunt was = t->h;
	yg_status st = hunt_tell(t, NULL, YG_SV("p"), &err);
	if (st != YG_OK)
		t->h = was;
	hunt_slice_begin(t);
	return st;
}

static int64_t count(const char *sql)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	if (yg_state_prepare(db, sql, &s, &err) != YG_OK || yg_stmt_step(s, &row, &err) != YG_OK ||
	    !row) {
		(void)printf("# %s: %s\n", sql, err.msg);
		return -1;
	}
	return yg_col_i64(s, 0);
}

static void fresh(void)
{
	yg_state_close(db);
	stored_n = sql_most = asked = 0;
	apply_fails = YG_OK;
	if (yg_state_open(":memory:", &db, &err) != YG_OK || yg_state_migrate(db, &err) != YG_OK)
		(void)printf("# %s\n", err.msg);
	struct yg_act act = yg_act_make(db, &ctx.env, YG_SV("local:0"));
	struct yg_org org = {.slug = YG_SV("alpha")};
	T_OK(yg_org_add(&act, &org, &err) == YG_OK);
}

/* It dies between the rows and the place; what it found then comes again in other slices. */
static void test_death(void)
{
	fresh();
	struct yg_id job = order(YG_HUNT_INDICATOR, NULL, 0);
	struct hunt *t = begin(yg_id_sv(&job));
	bool twice = false;
	(void)match(t, 1, "evil", 1);
	T_OK(tell(t) == YG_OK && t->h.batch == 1 && stored_n == 1);
	for (uint32_t n = 2; n <= 5; n++)
		(void)match(t, n, "evil", 1);
	apply_fails = YG_AGAIN;
	T_NAMED(tell(t) == YG_AGAIN && stored_n == 5, "the rows are there, the alerts are not");
	hunt_found_free(t);
	t = begin(yg_id_sv(&job));
	T_NAMED(t->h.batch == 1 && tell(t) == YG_OK, "a slice without a finding comes first");
	(void)match(t, 2, "evil", 1);
	(void)match(t, 3, "evil", 1);
	T_OK(tell(t) == YG_OK && stored_n == 5);
	hunt_found_free(t);
	t = begin(yg_id_sv(&job)); /* it dies once more, with two of them left */
	(void)match(t, 4, "evil", 1);
	T_OK(tell(t) == YG_OK && stored_n == 5);
	(void)match(t, 5, "evil", 1);
	(void)match(t, 6, "evil", 1);
	T_OK(tell(t) == YG_OK && stored_n == 6 && stored[5].batch > 2);
	size_t all = 0;
	for (uint32_t n = 1; n <= 6; n++)
		all += stored_of(n, &twice);
	T_NAMED(all == 6 && !twice, "every finding is in the store once");
	T_NAMED(count("SELECT sum(count) FROM alert") == 6 && t->h.told == 6, "and in alerts");
	T_OK(count("SELECT count(*) FROM alert_hunt") == 1);
	hunt_found_free(t);
}

static void test_known(void)
{
	fresh();
	struct yg_id job = order(YG_HUNT_INDICATOR, NULL, 0);
	struct hunt *t = begin(yg_id_sv(&job));
	(void)keep_row(1, 7, YG_SV("evil"), YG_SV("1.7.9"));
	(void)keep_row(YG_HUNT_SPOOL + 99, 1, YG_SV("evil"), YG_SV("1.8.0"));
	(void)keep_row(YG_HUNT_SPOOL + 99, 1, YG_SV("other"), YG_SV("1.9.0"));
	for (uint32_t n = 7; n <= 9; n++)
		(void)match(t, n, "evil", 1);
	char id[YG_EVENT_ID_MAX];
	struct yg_sb b = yg_sb_init(id, sizeof id);
	yg_event_id_format(&b, 1, 8, 0);
	(void)snprintf(stored[1].event, sizeof stored[1].event, YG_SV_FMT, YG_SV_ARG(yg_sb_sv(&b)));
	T_OK(tell(t) == YG_OK);
	T_NAMED(t->h.known == 2 && t->h.told == 1 && stored_n == 4,
		"what was told in the batch, or of the event by another hunt, is not told again");
	for (uint32_t n = 10; n < 3010; n++)
		(void)match(t, n, "evil", 1);
	sql_most = 20000;
	asked = 0;
	T_NAMED(tell(t) == YG_OK && stored_n == 3004 && asked > 6,
		"too much is asked for in parts");
	(void)match(t, 5000, "evil", 1);
	sql_most = 1;
	asked = 1;
	T_NAMED(tell(t) == YG_AGAIN, "of one alone the store is busy");
	hunt_found_free(t);
}

/* A worker told of event `n` alone, the first of its batch. */
static struct stored *live_row(uint32_t n, int64_t received)
{
	char id[YG_EVENT_ID_MAX];
	struct yg_sb b = yg_sb_init(id, sizeof id);
	yg_event_id_format(&b, 1, n, 0);
	struct stored *s = keep_row(1, n, YG_SV("r-1"), yg_sb_sv(&b));
	s->received = received;
	return s;
}

/* Event `row` of batch `n`. */
static void rule_match(struct hunt *t, uint32_t n, uint32_t row, bool live)
{
	const struct yg_event ev = {.org = YG_SV("alpha"),
				    .source = YG_SV("zeek"),
				    .sensor = YG_SV("x"),
				    .time = TIME - n,
				    .spool = 1,
				    .batch = n,
				    .row = row,
				    .host = YG_SV("pc")};
	const struct yg_detect_about about = {.title = YG_SV("one")};
	const struct yg_rule_finding f = {.uid = YG_SV("r-1"),
					  .collection = YG_SV("own"),
					  .rule = &about,
					  .asset = YG_SV("pc"),
					  .count = 1,
					  .alert = live,
					  .historical = true};
	hunt_row_begin(t);
	size_t at = t->found.n;
	if (hunt_room(t, f.uid)) {
		yg_finding_put_rule(&ev, &f, &t->scratch, &t->found);
		hunt_found_event(t, &ev, f.uid, at);
	}
	T_OK(hunt_row_end(t, &err) == YG_OK);
}

static struct hunt *begin_rule(int64_t since)
{
	static const struct yg_sv rule = YG_SV_INIT("r-1");
	uint32_t of = 0;
	struct yg_id job = order(YG_HUNT_RULE, &rule, 1);
	struct hunt *t = begin(yg_id_sv(&job));
	T_OK(hunt_of(t, rule, &of));
	t->of[of].item = 0;
	t->of[of].since = since;
	return t;
}

/* A batch of which the rule told before it was changed may have more that it tells of now. */
static void test_changed(void)
{
	fresh();
	(void)live_row(7, TIME - 100);
	(void)live_row(8, TIME + 100);
	struct hunt *t = begin_rule(TIME);
	for (uint32_t row = 0; row < 3; row++) {
		rule_match(t, 7, row, true);
		rule_match(t, 8, row, true);
	}
	T_OK(tell(t) == YG_OK);
	T_NAMED(t->h.known == 4 && t->h.told == 2,
		"of a changed rule its event is known, and of the same rule the batch");
	hunt_found_free(t);
	t = begin_rule(TIME);
	for (uint32_t row = 0; row < 3; row++)
		rule_match(t, 7, row, true);
	T_OK(tell(t) == YG_OK);
	T_NAMED(t->h.known == 3 && t->h.told == 0, "what the hunt told is not told again");
	hunt_found_free(t);
}

/* What was silent, as the rule was audit-only, gives its alert once it is live. */
static void test_silent(void)
{
	fresh();
	live_row(7, 0)->status = YG_OCSF_SUPPRESSED;
	struct hunt *t = begin_rule(0);
	rule_match(t, 7, 0, false);
	T_OK(tell(t) == YG_OK);
	T_NAMED(t->h.known == 1 && stored_n == 1, "silent still: it is known");
	rule_match(t, 9, 0, false);
	T_OK(tell(t) == YG_OK && stored_n == 2 && stored[1].status == YG_OCSF_SUPPRESSED);
	hunt_found_free(t);
	t = begin_rule(0);
	rule_match(t, 7, 0, true);
	rule_match(t, 7, 1, true);
	rule_match(t, 9, 0, true);
	T_OK(tell(t) == YG_OK);
	T_NAMED(t->h.known == 0 && t->h.told == 3 && count("SELECT sum(count) FROM alert") == 3,
		"and told of when it is live, also what a hunt found silently");
	hunt_found_free(t);
	t = begin_rule(0);
	rule_match(t, 7, 0, true);
	T_OK(tell(t) == YG_OK && t->h.known == 1);
	hunt_found_free(t);
}

/* What has no room beside other findings is of the next slice; of one event alone it is cut. */
static void test_full(void)
{
	fresh();
	struct yg_id job = order(YG_HUNT_INDICATOR, NULL, 0);
	struct hunt *t = begin(yg_id_sv(&job));
	uint32_t n = 1;
	yg_buf_free(&t->found);
	yg_buf_init(&t->found, 65536);
	while (match(t, n, "evil", 1) == YG_OK && n < 1000)
		n++;
	size_t had = t->n;
	T_OK(n < 1000 && had == n - 1 && t->h.matches == (int64_t)had && t->beyond == 0);
	T_NAMED(tell(t) == YG_OK && stored_n == had, "the slice ends before it");
	T_NAMED(match(t, n, "evil", 500) == YG_OK && t->n > 0 && t->n < 500 &&
			t->beyond == 500 - (int64_t)t->n,
		"of one event alone so much is told as has room");
	T_OK(tell(t) == YG_OK && t->h.matches == (int64_t)had + 500);
	hunt_found_free(t);
}

static void test_each(void)
{
	static const struct yg_sv rules[] = {YG_SV_INIT("r-noisy"), YG_SV_INIT("r-quiet"),
					     YG_SV_INIT("r-third")};
	fresh();
	struct yg_id job = order(YG_HUNT_RULE, rules, YG_LEN(rules));
	struct hunt *t = begin(yg_id_sv(&job));
	for (uint32_t i = 0; i < YG_LEN(rules); i++) {
		uint32_t of;
		T_OK(hunt_of(t, rules[i], &of) && of == i);
		t->of[of].item = i;
	}
	yg_buf_free(&t->found);
	yg_buf_init(&t->found, 64u << 20);
	for (uint32_t n = 1; n <= YG_HUNT_EACH_MAX + 5; n++)
		(void)match(t, n, "r-noisy", 1);
	(void)match(t, 5000, "r-quiet", 2);
	T_OK(tell(t) == YG_OK);
	T_NAMED(t->h.told == YG_HUNT_EACH_MAX + 2 && t->of[0].cut == 5 && t->of[1].cut == 0,
		"a noisy rule leaves room for the others");
	t->h.told = YG_HUNT_MATCHES_MAX - 1;
	(void)match(t, 6000, "r-third", 3);
	T_OK(tell(t) == YG_OK && t->of[2].cut == 2);
	T_OK(count("SELECT cut FROM retro_hunt_item WHERE item = 'r-third'") == 2);
	T_OK(hunt_order_cut(t, &err) == YG_OK);
	T_NAMED(count("SELECT count(*) FROM retro_hunt") == 3 &&
			count("SELECT count(*) FROM retro_hunt WHERE name = 'r-noisy' AND items = 1") ==
				1 &&
			count("SELECT count(*) FROM retro_hunt WHERE name = 'r-third' AND items = 1") ==
				1,
		"those that were cut are ordered again");
	T_OK(count("SELECT sum(cut) FROM retro_hunt_item") == 0);
	hunt_found_free(t);
}

/* What had no room the first time is told the second time. */
static void test_rest(void)
{
	int64_t told[2], cut[2], known[2];
	fresh();
	for (unsigned k = 0; k < 2; k++) {
		struct yg_id job = order(YG_HUNT_INDICATOR, NULL, 0);
		struct hunt *t = begin(yg_id_sv(&job));
		t->h.items = 1;
		for (uint32_t n = 1; n <= YG_HUNT_MATCHES_MAX + 5; n++) {
			(void)match(t, n, "evil", 1);
			t->h.cut += n % 3000 == 0 ? t->beyond : 0;
			if (n % 3000 == 0 && tell(t) != YG_OK)
				T_OK(false);
		}
		cut[k] = t->h.cut + t->beyond;
		T_OK(tell(t) == YG_OK);
		told[k] = t->h.told;
		known[k] = t->h.known;
		hunt_found_free(t);
	}
	T_NAMED(told[0] == YG_HUNT_MATCHES_MAX && cut[0] == 5 && known[0] == 0, "so many are told");
	T_NAMED(told[1] == 5 && cut[1] == 0 && known[1] == YG_HUNT_MATCHES_MAX,
		"and the others by the same hunt again");
}

/* ---- correlations ---- */

static struct yg_id add_rule(const char *text)
{
	YG_AUTO(yg_detect_documents_free) struct yg_detect_documents d = {.count = 0};
	struct yg_act act = yg_act_make(db, &ctx.env, YG_SV("local:0"));
	const struct yg_drule_place at = {
		.org = YG_SV(""), .collection = YG_SV("own"), .stage = YG_STAGE_LIVE};
	struct yg_id id = {0};
	T_OK(yg_detect_documents_begin(&d, &ctx.env, &err) == YG_OK &&
	     yg_detect_documents_add(&d, YG_SV(""), yg_sv_of(text), &err) == YG_OK &&
	     yg_drule_add(&act, &at, &d.list[0], &id, &err) == YG_OK);
	return id;
}

static struct yg_id order_past(struct yg_id rule, int64_t from)
{
	struct yg_act act = yg_act_make(db, &ctx.env, YG_SV("local:0"));
	const struct yg_sv item = yg_id_sv(&rule);
	const struct yg_hunt h = {.what = YG_HUNT_CORRELATION,
				  .org = YG_SV_INIT("alpha"),
				  .name = item,
				  .from = {from},
				  .to = {TIME},
				  .received = {TIME}};
	struct yg_id job = {0};
	T_OK(yg_hunt_add(&act, &h, &item, 1, &job, &err) == YG_OK);
	return job;
}

static struct yg_id order_correlation(void)
{
	(void)add_rule("title: bad\nname: bad\nlogsource: {category: dns}\n"
		       "detection: {s: {query|endswith: .bad.example}, condition: s}\n");
	struct yg_id many = add_rule(
		"title: many\ncorrelation: {type: event_count, rules: [bad], group-by: [src_ip],"
		" timespan: 1d, condition: {gte: 7}}\n");
	return order_past(many, TIME - PAST_EVENTS * HOUR);
}

/* As center_job_hunt() begins. */
static struct hunt *begin_correlation(struct yg_sv job)
{
	struct hunt *t = begin(job);
	yg_buf_init(&t->fields, 1u << 20);
	if (!T_OK(hunt_scope(t, &err) == YG_OK && hunt_correlate_ready(t, &err) == YG_OK))
		(void)printf("# %s\n", err.msg);
	return t;
}

/* `every` slices it dies, and one in so many is not kept; 0: never.  How many rows were read. */
static size_t correlate(unsigned every, struct yg_hunt *out)
{
	struct yg_id job = order_correlation();
	struct hunt *t = begin_correlation(yg_id_sv(&job));
	unsigned deaths = 0;
	past_rows = 0;
	for (unsigned i = 1; !t->scan.done && i < 1000; i++) {
		if (every > 0 && i % 3 == 0)
			apply_fails = YG_AGAIN;
		yg_status st = hunt_slice(t, NULL, &err);
		if (!T_OK(st == YG_OK || st == YG_AGAIN))
			break;
		apply_fails = YG_OK;
		if (every > 0 && i % every == 0 && deaths++ < 40) {
			hunt_free(t);
			t = begin_correlation(yg_id_sv(&job));
		}
	}
	T_OK(t->scan.done && count("SELECT count(*) FROM retro_hunt_state") == 0);
	hunt_free(t);
	T_OK(yg_hunt_get(db, yg_id_sv(&job), &arena, out, &err) == YG_OK);
	return past_rows;
}

static void look_back(struct yg_id rule, int64_t from, struct yg_hunt *out)
{
	struct yg_id job = order_past(rule, from);
	struct hunt *t = begin_correlation(yg_id_sv(&job));
	for (unsigned i = 0; !t->scan.done && i < 1000; i++)
		if (!T_OK(hunt_slice(t, NULL, &err) == YG_OK))
			break;
	*out = t->h;
	hunt_free(t);
}

/* A hunt with another beginning counts other windows, of whose newest events none is the same. */
static void test_shifted(void)
{
	const int64_t from = TIME - PAST_EVENTS * HOUR;
	struct yg_hunt first = {0}, again = {0};
	fresh();
	(void)add_rule("title: bad\nname: bad\nlogsource: {category: dns}\n"
		       "detection: {s: {query|endswith: .bad.example}, condition: s}\n");
	struct yg_id many = add_rule(
		"title: many\ncorrelation: {type: event_count, rules: [bad], group-by: [src_ip],"
		" timespan: 3d, condition: {gte: 20}}\n");
	look_back(many, from, &first);
	T_OK(first.told == 150 && first.known == 0 && stored_n == 150);
	look_back(many, from + 15 * HOUR, &again);
	T_NAMED(again.matches > 140 && again.told == 0 && again.known == again.matches,
		"what was told in other windows is not told again");
	stored_n = 60;
	look_back(many, from + 15 * HOUR, &again);
	T_NAMED(again.told > 80 && again.known > 55 && again.known + again.told == again.matches,
		"and what was not is told");
}

/* An exception of the time of the order ends while the hunt waits, dead, for its second half. */
static void ended_meanwhile(bool dies, struct yg_hunt *out)
{
	struct yg_act act = yg_act_make(db, &ctx.env, YG_SV("local:0"));
	struct yg_id bad =
		add_rule("title: bad\nname: bad\nlogsource: {category: dns}\n"
			 "detection: {s: {query|endswith: .bad.example}, condition: s}\n");
	struct yg_id many = add_rule(
		"title: many\ncorrelation: {type: event_count, rules: [bad], group-by: [src_ip],"
		" timespan: 1d, condition: {gte: 7}}\n");
	struct yg_id id;
	const struct yg_detect_exception x = {
		.rule = yg_id_sv(&bad),
		.text = YG_SV("s: {src_ip: 10.0.0.2}\ncondition: s\n"),
		.reason = YG_SV("known"),
		.expires = {TIME + 1000}};
	T_OK(yg_detect_exception_add(&act, &x, &id, &err) == YG_OK);
	struct yg_id job = order_past(many, TIME - PAST_EVENTS * HOUR);
	struct hunt *t = begin_correlation(yg_id_sv(&job));
	for (unsigned i = 0; !t->scan.done && i < 1000; i++) {
		if (!T_OK(hunt_slice(t, NULL, &err) == YG_OK))
			break;
		if (!dies || t->h.told < 20)
			continue;
		dies = false;
		sim.wall.us = TIME + 5000;
		hunt_free(t);
		t = begin_correlation(yg_id_sv(&job));
	}
	*out = t->h;
	hunt_free(t);
	sim.wall.us = TIME;
}

static void test_ended_meanwhile(void)
{
	struct yg_hunt whole = {0}, broken = {0};
	fresh();
	ended_meanwhile(false, &whole);
	fresh();
	ended_meanwhile(true, &broken);
	T_NAMED(whole.told > 100 && broken.told == whole.told && broken.matches == whole.matches,
		"what held at the order holds to the end");
}

/* States that are damaged are as if they had not been saved. */
static void test_damaged(void)
{
	struct yg_hunt h = {0}, again = {0};
	fresh();
	(void)correlate(0, &h);
	fresh();
	struct yg_id job = order_correlation();
	struct hunt *t = begin_correlation(yg_id_sv(&job));
	for (unsigned i = 0; !t->scan.done && i < 1000; i++) {
		T_OK(hunt_slice(t, NULL, &err) == YG_OK);
		if (i != 8)
			continue;
		T_OK(count("SELECT count(*) FROM retro_hunt_state") > 0);
		T_OK(yg_hunt_state_save(db, t->h.seq, YG_SV("alpha"), YG_SV("no state"), &err) ==
		     YG_OK);
		hunt_free(t);
		t = begin_correlation(yg_id_sv(&job));
		T_OK(count("SELECT count(*) FROM retro_hunt_state") == 0);
	}
	again = t->h;
	hunt_free(t);
	T_NAMED(h.told > 200 && again.told == h.told && again.matches == h.matches &&
			again.looked_at == h.looked_at,
		"from the beginning, and nothing twice");
}

static void test_correlations(void)
{
	static struct stored first[STORED];
	struct yg_hunt h = {0}, again = {0};
	fresh();
	T_OK(correlate(0, &h) == PAST_EVENTS);
	size_t n = stored_n;
	memcpy(first, stored, sizeof first);
	T_NAMED(h.told > 200 && (size_t)h.told == n && h.matches == h.told && h.known == 0 &&
			h.looked_at == PAST_EVENTS,
		"a correlation over the past");
	T_OK(count("SELECT sum(count) FROM alert") == h.told);
	for (unsigned every = 1; every <= 9; every += 2) {
		fresh();
		size_t rows = correlate(every, &again);
		bool same = stored_n == n;
		for (size_t i = 0; same && i < n; i++)
			same = strcmp(first[i].event, stored[i].event) == 0;
		T_NAMED(same, "the same, each once, however often it dies");
		T_OK(again.told == h.told && again.matches == h.matches && again.known == 0 &&
		     again.looked_at == h.looked_at &&
		     count("SELECT sum(count) FROM alert") == h.told);
		T_NAMED(rows > PAST_EVENTS, "some of it was looked at again");
		if (every >= 7) /* with states that were saved, not from the beginning each time */
			T_NAMED(rows < 3 * PAST_EVENTS, "from where the states were saved");
		(void)printf("# every %u: %zu rows\n", every, rows);
	}
}

int main(void)
{
	ctx.env = yg_env_sim(&sim);
	center.ctx = &ctx;
	yg_arena_init(&arena, 256u << 20);
	char dir[] = "/tmp/center_hunt.XXXXXX";
	if (mkdtemp(dir) == NULL || chdir(dir) != 0 || mkdir("snapshot", 0700) != 0)
		return 1;
	test_death();
	test_known();
	test_changed();
	test_silent();
	test_full();
	test_each();
	test_rest();
	test_correlations();
	test_shifted();
	test_damaged();
	test_ended_meanwhile();
	yg_state_close(db);
	yg_arena_free(&arena);
	(void)rmdir("snapshot");
	(void)rmdir(dir);
	return tap_done();
}
