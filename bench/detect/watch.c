/* watch.c - bench_detect_watch KEYS GROUPS EVENTS: what role center takes for correlations and
 * findings beside rules of one organisation: CPU of one core for an entry of the feed, read from
 * its message as center does, and memory once KEYS addresses and accounts are watched and a
 * correlation holds GROUPS groups; then what a save and a start take. */
#include "detect/watch.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "detect/read.h"

#define S       INT64_C(1000000)
#define T0      (INT64_C(1767225600) * S)
#define MESSAGE 1000u /* entries of one */

static const char rules_text[] =
	"title: Failed login\nid: 11111111-1111-4111-8111-111111111111\nname: failed\n"
	"logsource: {product: linux}\ndetection: {s: {a: b}, condition: s}\n"
	"---\n"
	"title: Many failed logins\nid: 22222222-2222-4222-8222-222222222222\n"
	"correlation:\n  type: event_count\n  rules: [failed]\n  group-by: [host]\n"
	"  timespan: 1d\n  condition: {gte: 1000}\n"
	"---\n"
	"title: Many accounts\nid: 33333333-3333-4333-8333-333333333333\n"
	"correlation:\n  type: value_count\n  rules: [failed]\n  group-by: [host]\n"
	"  timespan: 1d\n  condition: {field: user, gte: 1000}\n";

struct bench {
	struct yg_watch *w;
	struct yg_watch_opts opts;
	struct yg_env env;
	struct yg_buf message;
	uint64_t told;
	uint32_t keys, groups;
	uint64_t state; /* of the numbers that stand for chance */
};
typedef void make_fn(struct bench *b, uint64_t i, struct yg_feed_entry *e);

static double cpu_seconds(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t held(void)
{
	struct mallinfo2 m = mallinfo2();
	return m.uordblks + m.hblkhd;
}

static uint64_t next(struct bench *b)
{
	b->state = b->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return b->state >> 33;
}

static void fill(void *ctx, void *buf, size_t n)
{
	struct bench *b = ctx;
	for (size_t i = 0; i < n; i++)
		((uint8_t *)buf)[i] = (uint8_t)next(b);
}

static bool on_hit(void *ctx, const struct yg_watch_doc *doc, const struct yg_correlate_hit *hit)
{
	(void)doc;
	(void)hit;
	((struct bench *)ctx)->told++;
	return true; /* taken */
}
static void on_notice(void *ctx, const struct yg_notice *n, const uint64_t *event)
{
	(void)n;
	(void)event;
	((struct bench *)ctx)->told++;
}

static struct yg_ip address(uint32_t n)
{
	return (struct yg_ip){{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, (uint8_t)(n >> 16),
			       (uint8_t)(n >> 8), (uint8_t)n}};
}

/* An address inside calls one outside, or another inside, that answers. */
static void connection(struct bench *b, uint64_t i, struct yg_feed_entry *e)
{
	e->kind = YG_FEED_CONNECTION;
	e->connection.time.us = T0 + (int64_t)i * 1000;
	e->connection.src = address((uint32_t)(next(b) % b->keys));
	e->connection.dst = address((uint32_t)(next(b) % b->keys));
	e->connection.port = 443;
	e->connection.flags = YG_FEED_OK | YG_FEED_SRC_INSIDE;
	if (i % 2 == 0)
		e->connection.dst.b[12] = 198;
	else
		e->connection.flags |= YG_FEED_DST_INSIDE;
	e->connection.bytes_out = 1000;
}

static void login(struct bench *b, uint64_t i, struct yg_feed_entry *e)
{
	static char user[32];
	struct yg_sb s = yg_sb_init(user, sizeof user);
	yg_sb_printf(&s, "user%llu", (unsigned long long)(next(b) % b->keys));
	e->kind = YG_FEED_LOGIN;
	e->login.time.us = T0 + (int64_t)i * 1000;
	e->login.src = address((uint32_t)(next(b) % b->keys));
	e->login.user = yg_sb_sv(&s);
	e->login.flags = i % 4 != 0 ? YG_FEED_OK : 0;
}

static void match(struct bench *b, uint64_t i, struct yg_feed_entry *e)
{
	static char host[32], user[32];
	static struct yg_feed_field fields[2] = {{YG_SV_INIT("host"), {host, 0}},
						 {YG_SV_INIT("user"), {user, 0}}};
	struct yg_sb h = yg_sb_init(host, sizeof host), u = yg_sb_init(user, sizeof user);
	yg_sb_printf(&h, "host-%llu", (unsigned long long)(next(b) % b->groups));
	yg_sb_printf(&u, "user-%llu", (unsigned long long)(next(b) % 100));
	fields[0].value = yg_sb_sv(&h);
	fields[1].value = yg_sb_sv(&u);
	e->kind = YG_FEED_MATCH;
	e->match.rule = YG_SV("r-base");
	e->match.time.us = T0 + (int64_t)i * 1000;
	yg_feed_id(1, 1, (uint32_t)i, e->match.id);
	e->match.fields = fields;
	e->match.field_count = 2;
}

static bool take(struct bench *b, struct yg_sv message)
{
	const struct yg_watch_out out = {b, on_hit, on_notice};
	struct yg_feed_reader r;
	struct yg_feed_entry e;
	bool good = yg_feed_open(&r, message, NULL) == YG_OK;
	if (good)
		yg_watch_comes(b->w, &r.head);
	while (good && yg_feed_next(&r, &e))
		good = yg_watch_entry(b->w, &r.head, &e, &out) == YG_OK;
	if (good)
		yg_watch_came(b->w, &r.head);
	return good && !r.rd.bad;
}

/* Messages are written beforehand, a hundred at a time: only taking them is measured. */
static double feed(struct bench *b, make_fn *make, uint64_t events)
{
	double used = 0;
	for (uint64_t at = 0; at < events; at += MESSAGE) {
		struct yg_feed_head h = {.spool = 1,
					 .batch = at + 1,
					 .entries = MESSAGE,
					 .org = YG_SV_INIT("acme"),
					 .source = YG_SV_INIT("zeek"),
					 .sensor = YG_SV_INIT("gate"),
					 .received = {T0 + (int64_t)at * 1000}};
		b->message.n = 0;
		yg_feed_put_head(&b->message, &h);
		for (uint64_t i = at; i < at + MESSAGE; i++) {
			struct yg_feed_entry e = {.kind = YG_FEED_STAT};
			make(b, i, &e);
			yg_feed_put(&b->message, &e);
		}
		double from = cpu_seconds();
		if (!take(b, yg_buf_sv(&b->message)))
			abort();
		used += cpu_seconds() - from;
	}
	return used;
}

static void line(const char *what, double seconds, uint64_t events, size_t bytes)
{
	(void)printf("%-14s %6.2f us each (%9.0f/s of one core), %7.1f MiB\n", what,
		     seconds / (double)events * 1e6, (double)events / seconds,
		     (double)bytes / 1048576);
}

static void kinds(const struct bench *b)
{
	const struct yg_notices *n = yg_watch_notices(b->w);
	for (int k = 0; k < YG_NOTICE_KIND_COUNT; k++) {
		struct yg_notice_counts c = yg_notices_counts(n, (enum yg_notice_kind)k);
		if (c.keys > 0)
			(void)printf("  %-8s %7llu watched, %llu evicted\n",
				     yg_notice_name((enum yg_notice_kind)k),
				     (unsigned long long)c.keys, (unsigned long long)c.evicted);
	}
	struct yg_correlate_usage u = yg_watch_usage(b->w);
	(void)printf("  correlations: %llu groups, %.1f MiB counted, %llu events wait\n",
		     (unsigned long long)u.groups, (double)u.bytes / 1048576,
		     (unsigned long long)u.pending);
}

static yg_status open_watch(struct bench *b, const struct yg_watch_doc *docs, size_t n,
			    struct yg_err *err)
{
	size_t lost = 0;
	yg_status st = yg_watch_new(&b->opts, &b->env, &b->w, err);
	return st == YG_OK ? yg_watch_rules(b->w, docs, n, NULL, NULL, &lost, err) : st;
}

/* Saved, and restored into a new one. */
static yg_status again(struct bench *b, const struct yg_watch_doc *docs, size_t n,
		       struct yg_err *err)
{
	struct yg_buf correlate, notice;
	size_t lost = 0;
	yg_buf_init(&correlate, YG_CORRELATE_STATE_MAX);
	yg_buf_init(&notice, YG_CORRELATE_STATE_MAX);
	double from = cpu_seconds();
	yg_status st = yg_watch_save(b->w, &correlate, &notice);
	double saved = cpu_seconds() - from;
	yg_watch_free(b->w);
	if (st == YG_OK)
		st = open_watch(b, docs, n, err);
	from = cpu_seconds();
	if (st == YG_OK)
		st = yg_watch_restore(b->w, yg_buf_sv(&correlate), yg_buf_sv(&notice), &lost, err);
	(void)printf("saved in %.0f ms (%.1f and %.1f MiB), restored in %.0f ms\n", saved * 1e3,
		     (double)correlate.n / 1048576, (double)notice.n / 1048576,
		     (cpu_seconds() - from) * 1e3);
	yg_buf_free(&correlate);
	yg_buf_free(&notice);
	return st;
}

int main(int argc, char **argv)
{
	static struct bench b = {.opts = {.notices = {20000}}};
	struct yg_sigma_file file;
	struct yg_arena arena;
	struct yg_err err = {0};
	if (argc != 4)
		return 2;
	b.keys = (uint32_t)strtoul(argv[1], NULL, 10);
	b.groups = (uint32_t)strtoul(argv[2], NULL, 10);
	uint64_t events = strtoull(argv[3], NULL, 10) / MESSAGE * MESSAGE;
	if (b.keys == 0 || b.groups == 0 || events == 0)
		return 2;
	b.opts.correlate = yg_correlate_defaults();
	b.opts.correlate.groups = b.opts.notices.keys; /* as role center has them */
	b.opts.correlate.pending = 50000;
	b.opts.correlate.memory = 64u << 20;
	b.env = (struct yg_env){.ctx = &b, .random = fill};
	yg_buf_init(&b.message, YG_FEED_BYTES_MAX);
	yg_arena_init(&arena, 16u << 20);
	yg_status st =
		yg_sigma_read(yg_sv_of(rules_text), "rules", NULL, NULL, &arena, &file, &err);
	struct yg_watch_doc docs[3] = {{YG_SV_INIT("r-base"), &file.rules[0], 0},
				       {YG_SV_INIT("r-many"), &file.rules[1], 1},
				       {YG_SV_INIT("r-users"), &file.rules[2], 2}};
	size_t before = held();
	if (st == YG_OK)
		st = open_watch(&b, docs, YG_LEN(docs), &err);
	static const struct {
		const char *name;
		make_fn *make;
	} steps[] = {{"connections", connection}, {"logins", login}, {"matches", match}};
	for (size_t i = 0; st == YG_OK && i < YG_LEN(steps); i++) {
		double used = feed(&b, steps[i].make, events);
		line(steps[i].name, used, events, held() - before);
	}
	if (st == YG_OK) {
		kinds(&b);
		st = again(&b, docs, YG_LEN(docs), &err);
	}
	if (st != YG_OK)
		(void)fprintf(stderr, "%s\n", err.msg);
	return st == YG_OK ? 0 : 1;
}
