/* The task of correlations and findings beside rules: what fails in passing costs nothing.  The
 * functions that fail are wrapped (meson.build). */
#include "role/center_detect.h"

#include <stdlib.h>
#include <unistd.h>

#include "detect/watch_finding.h"
#include "org/organisation.h"
#include "tap.h"

#define S     INT64_C(1000000)
#define USERS 12 /* who fail from one address: enough to be told */

static struct yg_env_sim sim = {.wall = {1700000000 * S}, .mono = {S}, .seed = 5};
static struct yg_role_ctx ctx;
static struct yg_conf conf;
static struct center c;
static uv_loop_t loop;
static struct yg_err err;
static unsigned busy, full; /* how often it fails from here on */
static const char *unsaved; /* whose state cannot be saved; NULL: all can */
static uint64_t batch;

yg_status __real_yg_watch_place(struct yg_state *db, struct yg_sv org, struct yg_watch_place *out,
				struct yg_err *e);
yg_status __wrap_yg_watch_place(struct yg_state *db, struct yg_sv org, struct yg_watch_place *out,
				struct yg_err *e);
yg_status __wrap_yg_watch_place(struct yg_state *db, struct yg_sv org, struct yg_watch_place *out,
				struct yg_err *e)
{
	if (busy == 0)
		return __real_yg_watch_place(db, org, out, e);
	busy--;
	return YG_FAIL(e, YG_AGAIN, "the database is busy");
}

void __real_yg_watch_put_notice(const struct yg_watch_to *to, const struct yg_watch_at *at,
				const struct yg_notice *n, const uint64_t *event);
void __wrap_yg_watch_put_notice(const struct yg_watch_to *to, const struct yg_watch_at *at,
				const struct yg_notice *n, const uint64_t *event);
void __wrap_yg_watch_put_notice(const struct yg_watch_to *to, const struct yg_watch_at *at,
				const struct yg_notice *n, const uint64_t *event)
{
	__real_yg_watch_put_notice(to, at, n, event);
	if (full == 0)
		return;
	full--;
	to->json->bad = to->json->nomem = true;
}

yg_status __real_yg_feed_save(struct yg_state *db, const struct yg_feed_state *state, int64_t seq,
			      yg_wall now, struct yg_err *e);
yg_status __wrap_yg_feed_save(struct yg_state *db, const struct yg_feed_state *state, int64_t seq,
			      yg_wall now, struct yg_err *e);
yg_status __wrap_yg_feed_save(struct yg_state *db, const struct yg_feed_state *state, int64_t seq,
			      yg_wall now, struct yg_err *e)
{
	if (unsaved != NULL && yg_sv_eq(state->org, yg_sv_of(unsaved)))
		return YG_FAIL(e, YG_AGAIN, "the database is busy");
	return __real_yg_feed_save(db, state, seq, now, e);
}

/* A message: users from `first` on, before `end`, fail from one address of that organisation. */
static void send_some(struct yg_state *db, const char *org, const char *from, unsigned first,
		      unsigned end)
{
	YG_AUTO(yg_buf_free) struct yg_buf b = {0};
	const struct yg_feed_head h = {.spool = 1,
				       .entries = end - first,
				       .batch = ++batch,
				       .org = yg_sv_of(org),
				       .source = YG_SV_INIT("syslog"),
				       .sensor = YG_SV_INIT(""),
				       .received = sim.wall};
	yg_buf_init(&b, 1u << 16);
	yg_feed_put_head(&b, &h);
	for (unsigned i = first; i < end; i++) {
		struct yg_feed_entry e = {.kind = YG_FEED_LOGIN};
		char user[16];
		(void)snprintf(user, sizeof user, "user%u", i);
		e.login.time = sim.wall;
		e.login.user = yg_sv_of(user);
		T_OK(yg_ip_parse(yg_sv_of(from), &e.login.src) == YG_OK);
		yg_feed_id(1, batch, i, e.login.id);
		yg_feed_put(&b, &e);
	}
	T_OK(center_feed(&c, db, yg_buf_sv(&b), &err) == YG_OK);
}

static void fail_all(struct yg_state *db, const char *org, const char *from)
{
	send_some(db, org, from, 0, USERS);
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

/* How often alerts were told of, all together. */
static int64_t told(struct yg_state *db)
{
	return number(db, "SELECT coalesce(sum(count), 0) FROM alert");
}

static void test_busy(struct yg_state *db)
{
	busy = 1;
	fail_all(db, "acme", "192.0.2.1");
	center_detect_run(&c);
	T_NAMED(told(db) == 0 && c.detecting->at == 0, "a row waits while the database is busy");
	center_detect_run(&c);
	T_NAMED(told(db) == 1 && c.detecting->c.refused == 0, "and is taken afterwards");
}

static void test_refused(struct yg_state *db)
{
	T_OK(number(db, "INSERT INTO detect_feed (seq, org, taken, bytes, body)"
			" VALUES (1000, 'acme', 1, 3, 'abc') RETURNING seq") == 1000);
	T_OK(number(db, "UPDATE detect_feed_state SET last = 1000 RETURNING last") == 1000);
	center_detect_run(&c);
	T_NAMED(c.detecting->c.refused == 1 && c.detecting->at == 1000,
		"what is no message is passed over, and counted");
}

static void test_nomem(struct yg_state *db)
{
	int64_t before = told(db);
	full = 1;
	fail_all(db, "acme", "192.0.2.2");
	center_detect_run(&c);
	T_NAMED(told(db) == before && full == 0, "a finding for which there was no memory");
	center_detect_run(&c);
	T_NAMED(told(db) == before + 1, "is told when there is");
	fail_all(db, "acme", "192.0.2.3");
	center_detect_run(&c);
	T_NAMED(told(db) == before + 2 && number(db, "SELECT count(*) FROM alert") == 3,
		"all before it once, and what comes behind it too");
}

static uint64_t seen_rows(void)
{
	struct center_detect_counts n;
	center_detect_counts(&c, &n);
	return n.rows;
}

/* What is shown is added up once a second, however often the task runs. */
static void test_publish(struct yg_state *db)
{
	uint64_t before;
	sim.mono.us += S;
	center_detect_run(&c);
	before = seen_rows();
	fail_all(db, "acme", "192.0.2.4");
	center_detect_run(&c);
	T_OK(seen_rows() == before && c.detecting->c.rows == before + 1);
	sim.mono.us += S;
	center_detect_run(&c);
	T_OK(seen_rows() == before + 1);
}

/* What rules did in a message, and what all of them did together. */
static void test_counts(struct yg_state *db)
{
	YG_AUTO(yg_buf_free) struct yg_buf b = {0};
	const char *const rules[] = {"r-1", "r-2", "r-3"};
	const struct yg_feed_head h = {.spool = 1,
				       .entries = YG_LEN(rules) + 1,
				       .batch = ++batch,
				       .org = YG_SV_INIT("acme"),
				       .source = YG_SV_INIT("windows"),
				       .sensor = YG_SV_INIT(""),
				       .received = sim.wall};
	struct yg_feed_entry e = {.kind = YG_FEED_SOURCE};
	yg_buf_init(&b, 1u << 16);
	yg_feed_put_head(&b, &h);
	yg_feed_put(&b, &e);
	for (size_t i = 0; i < YG_LEN(rules); i++) {
		e = (struct yg_feed_entry){.kind = YG_FEED_STAT};
		e.stat.rule = yg_sv_of(rules[i]);
		e.stat.hits = i + 1;
		e.stat.cost_ns = 10;
		yg_feed_put(&b, &e);
	}
	T_OK(center_feed(&c, db, yg_buf_sv(&b), &err) == YG_OK);
	T_NAMED(number(db, "SELECT hits * 1000 + cost_ns FROM detect_stat WHERE rule = ''") == 6030,
		"the sum of all rules");
	T_OK(number(db, "SELECT count(*) FROM detect_stat") == 4 &&
	     number(db, "SELECT count(*) FROM detect_source") == 1);
}

/* Each organisation's state is saved for itself: what one has is not taken in again when the
 * program ends before the others have it. */
static void test_saved(struct yg_state *db)
{
	sim.mono.us += 31 * S;
	center_detect_run(&c);
	T_OK(number(db, "SELECT consumed = last FROM detect_feed_state") == 1);
	send_some(db, "acme", "192.0.2.9", 0, 6);
	send_some(db, "north", "192.0.2.9", 0, 6);
	center_detect_run(&c);
	sim.mono.us += 31 * S;
	unsaved = "north";
	center_detect_run(&c);
	unsaved = NULL;
	T_NAMED(number(db, "SELECT max(s.seq) > f.consumed FROM detect_state s, detect_feed_state f"
			   " WHERE s.org = 'acme' GROUP BY f.consumed") == 1 &&
			number(db, "SELECT count(*) FROM detect_state WHERE org = 'north'") == 0,
		"one is saved, the other is not");
	detect_forget(c.detecting);
	send_some(db, "acme", "192.0.2.9", 6, USERS);
	send_some(db, "north", "192.0.2.9", 6, USERS);
	center_detect_run(&c);
	T_NAMED(number(db, "SELECT count(*) FROM notice_finding WHERE who = '192.0.2.9'"
			   " AND kind = 'spray' AND fields LIKE '%[\"n1\",\"10\"]%'") == 2,
		"each failure counts once for both");
	sim.mono.us += 31 * S;
	center_detect_run(&c);
	T_OK(number(db, "SELECT consumed = last FROM detect_feed_state") == 1 &&
	     number(db, "SELECT count(*) FROM detect_feed") == 0);
}

/* What is of an organisation's own is what its systems say, without a word to center. */
static void test_networks(struct yg_state *db)
{
	T_OK(number(db,
		    "INSERT INTO information_system (id, org, name, title_ja, title_en, created, updated)"
		    " VALUES ('y-1', 'north', 'web', 'w', 'w', 0, 0) RETURNING 1") == 1 &&
	     number(db, "INSERT INTO system_member (system, type, value)"
			" VALUES ('y-1', 'network', '203.0.113.0/24') RETURNING 1") == 1);
	sim.mono.us += 61 * S;
	center_detect_run(&c);
	T_OK(c.detecting->n == 2 && yg_watch_network_count(c.detecting->list[0].w) == 0 &&
	     yg_watch_network_count(c.detecting->list[1].w) == 1);
}

static void open_center(const char *path)
{
	conf.detect_lateness_us = 60 * S;
	ctx.conf = &conf;
	ctx.env = yg_env_sim(&sim);
	c.ctx = &ctx;
	c.api.env = &ctx.env;
	c.api.conf = &conf;
	c.api.state_path = path;
	T_OK(uv_loop_init(&loop) == 0 && uv_async_init(&loop, &c.wake, NULL) == 0 &&
	     yg_stream_new(sim.wall, &c.stream, &err) == YG_OK);
	c.api.stream = c.stream;
	T_OK(yg_api_init(&c.api, &err) == YG_OK && center_detect_open(&c, &err) == YG_OK);
}

static void close_center(void)
{
	yg_api_end(&c.api);
	yg_stream_free(c.stream);
	uv_close((uv_handle_t *)&c.wake, NULL);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	T_OK(uv_loop_close(&loop) == 0);
}

int main(void)
{
	static const struct yg_org orgs[] = {{.slug = YG_SV_INIT("acme")},
					     {.slug = YG_SV_INIT("north")}};
	static const char *const ends[] = {"", "-wal", "-shm"};
	char dir[] = "/tmp/yagura-detect-XXXXXX", path[64];
	struct yg_state *db = NULL;
	T_OK(mkdtemp(dir) != NULL);
	(void)snprintf(path, sizeof path, "%s/y.db", dir);
	open_center(path);
	T_OK(yg_state_open(path, &db, &err) == YG_OK && yg_state_migrate(db, &err) == YG_OK);
	struct yg_act act = center_act(&c, db);
	for (size_t i = 0; i < YG_LEN(orgs); i++)
		T_OK(yg_org_add(&act, &orgs[i], &err) == YG_OK);
	test_busy(db);
	test_refused(db);
	test_nomem(db);
	test_publish(db);
	test_counts(db);
	test_saved(db);
	test_networks(db);
	yg_state_close(db);
	close_center();
	for (size_t i = 0; i < YG_LEN(ends); i++) {
		char name[80];
		(void)snprintf(name, sizeof name, "%s%s", path, ends[i]);
		(void)unlink(name);
	}
	T_OK(rmdir(dir) == 0);
	return tap_done();
}
