/* Events of the past in slices, from a store of the test's own (linked with --wrap), and what
 * the store is asked for. */
#include "detect/hunt.h"

#include <stdio.h>
#include <string.h>

#include "detect/hunt_filter.h"
#include "detect/read.h"
#include "tap.h"

#define HOUR (3600 * YG_US_PER_S)

static struct yg_env_sim sim = {.wall = {1700000000000000}, .seed = 5};
static struct yg_env env;
static struct yg_arena arena;
static struct yg_err err;

/* ---- the store ---- */

static struct {
	int64_t rows;    /* event i is i hours old, of batch i */
	yg_status fails; /* what the next question gives, when not YG_OK */
	unsigned asked;
	char sql[65536]; /* of the last question */
} store;

yg_status __wrap_yg_ch_query(struct yg_ch *ch, const struct yg_ch_query *q, struct yg_buf *out,
			     struct yg_err *e);

static int64_t number_behind(const char *word)
{
	const char *at = strstr(store.sql, word);
	return at != NULL ? strtoll(at + strlen(word), NULL, 10) : -1;
}

static int64_t time_of(int64_t i)
{
	return sim.wall.us - i * HOUR;
}

yg_status __wrap_yg_ch_query(struct yg_ch *ch, const struct yg_ch_query *q, struct yg_buf *out,
			     struct yg_err *e)
{
	(void)ch;
	(void)snprintf(store.sql, sizeof store.sql, YG_SV_FMT, YG_SV_ARG(q->sql));
	store.asked++;
	if (store.fails != YG_OK) {
		yg_status st = store.fails;
		store.fails = YG_OK;
		return YG_FAIL(e, st, "as the test wants it");
	}
	int64_t from = number_behind("WHERE time >= "), to = number_behind("AND time < "),
		limit = number_behind("LIMIT ");
	bool upward = strstr(store.sql, " DESC") == NULL;
	const char *within = strstr(store.sql, upward ? " AND (time > " : " AND (time < ");
	int64_t last = within != NULL ? strtoll(within + 13, NULL, 10) : 0;
	for (int64_t k = 0; k < store.rows && limit > 0; k++) {
		int64_t i = upward ? store.rows - 1 - k : k;
		struct yg_event ev = {.org = YG_SV("alpha"),
				      .source = YG_SV("zeek"),
				      .sensor = YG_SV("x"),
				      .time = time_of(i),
				      .spool = 1,
				      .batch = (uint64_t)i};
		if (ev.time < from || ev.time >= to ||
		    (within != NULL && (upward ? ev.time <= last : ev.time >= last)))
			continue;
		yg_event_row(&ev, out);
		limit--;
	}
	return out->bad ? YG_FAIL(e, YG_LIMIT, "the result is too large") : YG_OK;
}

/* ---- slices ---- */

static struct {
	uint64_t of[512]; /* batches, as they came */
	size_t n, room;   /* of one slice: as many have room */
	size_t slice;     /* rows of the slice at hand */
	bool twice;
} seen;

static yg_status on_row(void *ctx, const struct yg_event *ev, struct yg_err *e)
{
	(void)ctx;
	if (seen.room > 0 && seen.slice == seen.room)
		return YG_FAIL(e, YG_LIMIT, "no room");
	for (size_t i = 0; i < seen.n; i++)
		seen.twice |= seen.of[i] == ev->batch;
	if (seen.n < YG_LEN(seen.of))
		seen.of[seen.n++] = ev->batch;
	seen.slice++;
	return YG_OK;
}

static yg_status next(struct yg_hunt_scan *s)
{
	seen.slice = 0;
	return yg_hunt_next(NULL, YG_SV("1"), s, &env, on_row, NULL, &err);
}

/* All of it, each slice from the place that the one before was kept at. */
static bool whole(struct yg_hunt_scan *s)
{
	for (unsigned i = 0; !s->done && i < 1000; i++) {
		char text[YG_HUNT_PLACE_MAX];
		struct yg_sb b = yg_sb_init(text, sizeof text);
		if (next(s) != YG_OK)
			return false;
		struct yg_hunt_scan kept = {.orgs = s->orgs,
					    .org_count = s->org_count,
					    .from = s->from,
					    .to = s->to,
					    .oldest_first = s->oldest_first};
		yg_hunt_place_put(s, &b);
		if (yg_hunt_place_get(yg_sb_sv(&b), &kept, &err) != YG_OK)
			return false;
		kept.rows = s->rows;
		*s = kept;
	}
	return s->done;
}

static struct yg_hunt_scan from_the_top(int64_t rows, size_t room)
{
	static const struct yg_sv org = YG_SV_INIT("alpha");
	memset(&store, 0, sizeof store);
	memset(&seen, 0, sizeof seen);
	store.rows = rows;
	seen.room = room;
	return (struct yg_hunt_scan){
		.orgs = &org, .org_count = 1, .from = time_of(rows), .to = sim.wall.us + 1};
}

static bool all_seen(int64_t rows)
{
	bool ok = seen.n == (size_t)rows && !seen.twice;
	for (size_t i = 0; ok && i < seen.n; i++)
		ok = seen.of[i] == i;
	return ok;
}

static bool all_seen_upward(int64_t rows)
{
	bool ok = seen.n == (size_t)rows && !seen.twice;
	for (size_t i = 0; ok && i < seen.n; i++)
		ok = seen.of[i] == (uint64_t)rows - 1 - i;
	return ok;
}

static void test_upward(void)
{
	struct yg_hunt_scan s = from_the_top(300, 0);
	s.oldest_first = true;
	T_NAMED(whole(&s) && all_seen_upward(300) && s.rows == 300, "oldest first, each once");
	T_OK(yg_hunt_share(&s) == 1000);
	s = from_the_top(300, 7);
	s.oldest_first = true;
	T_NAMED(whole(&s) && all_seen_upward(300), "and in parts, from the places that were kept");
	s = from_the_top(300, 0);
	s.oldest_first = true;
	store.fails = YG_AGAIN;
	T_OK(next(&s) == YG_AGAIN && s.edge == s.from && yg_hunt_share(&s) == 0);
	store.fails = YG_LIMIT;
	T_OK(next(&s) == YG_OK && seen.n == 0 && s.edge == s.from);
	T_OK(whole(&s) && all_seen_upward(300));
}

static void test_slices(void)
{
	struct yg_hunt_scan s = from_the_top(300, 0);
	T_NAMED(whole(&s) && all_seen(300) && s.rows == 300, "newest first, each once");
	s = from_the_top(300, 7);
	T_NAMED(whole(&s) && all_seen(300), "a row without room is the first of the next slice");
	s = from_the_top(300, 0);
	store.fails = YG_AGAIN;
	T_OK(next(&s) == YG_AGAIN && s.edge == s.to && !s.within && seen.n == 0);
	T_NAMED(whole(&s) && all_seen(300), "the store was away: nothing is lost");
	s = from_the_top(300, 0);
	store.fails = YG_LIMIT;
	T_OK(next(&s) == YG_OK && seen.n == 0 && s.edge == s.to);
	int64_t width = s.width;
	T_OK(next(&s) == YG_OK && number_behind("WHERE time >= ") == s.to - width &&
	     width < 8 * YG_US_PER_DAY);
	T_NAMED(whole(&s) && all_seen(300), "too much at once: narrower");
	s = from_the_top(300, 0);
	T_OK(yg_hunt_next(NULL, YG_SV("0"), &s, &env, on_row, NULL, &err) == YG_OK && s.done &&
	     store.asked == 0);
}

/* ---- what is asked for ---- */

static struct yg_sigma_rule *rule(const char *logsource, const char *detection)
{
	static char text[24000];
	struct yg_sigma_file f = {NULL, 0, 0};
	(void)snprintf(text, sizeof text,
		       "title: t\nlogsource: {%s}\ndetection:\n  a: {%s}\n  condition: a\n",
		       logsource, detection);
	struct yg_sv kept = yg_arena_dup(&arena, yg_sv_of(text));
	if (yg_sigma_read(kept, "t", NULL, NULL, &arena, &f, &err) != YG_OK || f.count != 1)
		(void)printf("# %s: %s\n", text, err.msg);
	return f.count == 1 ? &f.rules[0] : NULL;
}

static bool has(struct yg_sv s, const char *part)
{
	return yg_sv_has(s, yg_sv_of(part));
}

/* A condition that is a part of another one's text is another one all the same. */
static void test_where(void)
{
	struct yg_hunt_where *w = NULL;
	T_OK(yg_hunt_where_new(&env, &w, &err) == YG_OK);
	T_OK(YG_SV_IS(yg_hunt_where_text(w), "0"));
	T_OK(yg_hunt_where_add(w, rule("product: zeek, service: dns", "query|contains: evil"),
			       &err) == YG_OK);
	struct yg_sv narrow = yg_arena_dup(&arena, yg_hunt_where_text(w));
	T_OK(has(narrow, "'evil'"));
	T_OK(yg_hunt_where_add(w, rule("product: zeek, service: dns", "query|re: '^x+$'"), &err) ==
	     YG_OK);
	struct yg_sv both = yg_arena_dup(&arena, yg_hunt_where_text(w));
	struct yg_sv broad = yg_sv_sub(both, narrow.n + 4, both.n);
	T_NAMED(both.n > narrow.n && yg_sv_has(narrow, broad),
		"a broad condition stands beside a narrow one that holds it");
	T_OK(yg_hunt_where_add(w, rule("product: zeek, service: dns", "query|contains: evil"),
			       &err) == YG_OK &&
	     yg_hunt_where_text(w).n == both.n);
	for (int i = 0; i < 2000; i++) {
		char text[64];
		(void)snprintf(text, sizeof text, "query|contains: evil-number-%d", i);
		if (yg_hunt_where_add(w, rule("product: zeek, service: dns", text), &err) != YG_OK)
			T_OK(false);
	}
	T_NAMED(yg_sv_eq(yg_hunt_where_text(w), broad), "of too many their log source is left");
	struct yg_hunt_where *one = NULL;
	static char list[20000] = "query|contains: [";
	for (size_t i = 0, n = strlen(list); i < 200; i++)
		n += (size_t)snprintf(list + n, sizeof list - n,
				      "%sa-name-that-is-looked-for-%064zu", i > 0 ? ", " : "", i);
	(void)strcat(list, "]");
	T_OK(yg_hunt_where_new(&env, &one, &err) == YG_OK &&
	     yg_hunt_where_add(one, rule("product: zeek, service: dns", list), &err) == YG_OK);
	T_NAMED(yg_hunt_where_text(one).n > YG_HUNT_WHERE_MAX &&
			has(yg_hunt_where_text(one), "a-name"),
		"one rule may say more");
	yg_hunt_where_free(one);
	T_OK(yg_hunt_where_add(w, rule("", "query|re: x"), &err) == YG_OK &&
	     YG_SV_IS(yg_hunt_where_text(w), "1"));
	yg_hunt_where_free(w);
}

static bool asks(const char *logsource, const char *detection, const char *part)
{
	struct yg_buf sql;
	yg_buf_init(&sql, YG_HUNT_FILTER_MAX);
	bool ok = yg_hunt_filter(rule(logsource, detection), &sql, &err) == YG_OK &&
		  has(yg_buf_sv(&sql), part);
	yg_buf_free(&sql);
	return ok;
}

static void test_auditd(void)
{
	const char *auditd = "product: linux, service: auditd";
	T_NAMED(asks(auditd, "comm: a B-1", "match(raw, '=[0-9A-F]*([46]1[02]0[46]22D31)')"),
		"text in hexadecimal digits, whatever its case");
	T_OK(asks(auditd, "comm: [abc, def]", "([46]1[46]2[46]3|[46]4[46]5[46]6)"));
	T_OK(!asks("product: zeek", "query: abcdef", "msg=audit("));
}

int main(void)
{
	env = yg_env_sim(&sim);
	yg_arena_init(&arena, 64u << 20);
	test_slices();
	test_upward();
	test_where();
	test_auditd();
	yg_arena_free(&arena);
	return tap_done();
}
