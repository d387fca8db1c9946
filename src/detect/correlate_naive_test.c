/* Generated correlations and events, beside a naive version that looks at all events
 * again at every instant.  A difference is made small before it is printed. */
#include <stdio.h>
#include <stdlib.h>

#include "detect/correlate.h"
#include "detect/value.h"
#include "tap.h"

#define BASES  4
#define CORRS  4
#define EVENTS 60
#define HITS   2000
#define S      INT64_C(1000000)
#define T0     (INT64_C(1700000000) * S)

static const struct yg_sv field_names[] = {YG_SV_INIT("user"), YG_SV_INIT("host"), YG_SV_INIT("v")};
struct event {
	int64_t time;
	uint64_t id;
	uint32_t rule;
	const char *fields[3]; /* NULL: absent */
};
struct hit { /* also an event of those above */
	int64_t time;
	uint64_t id;
	uint32_t rule, pos;
	double value;
	char group[100];
	const char *fields[3];
};
static struct {
	struct yg_sigma_rule rules[BASES + CORRS];
	const struct yg_sigma_rule *list[BASES + CORRS];
	struct yg_sv names[BASES + CORRS], refs[CORRS][3], by[CORRS][2];
	int64_t lateness;
	struct event events[EVENTS];
	size_t event_count;
	char ours[HITS][160], theirs[HITS][160];
	size_t our_count, their_count;
} w;

static uint64_t seed = 88172645463325252ull;
static uint32_t rnd(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 33) % below;
}

/* ---- generated ---- */

static void generate_condition(struct yg_sigma_correlation *c)
{
	static const double sums[] = {3, 5.5, 8, 0, -1};
	bool counts = c->type == YG_SIGMA_EVENT_COUNT || c->type == YG_SIGMA_VALUE_COUNT;
	bool temporal = c->type >= YG_SIGMA_TEMPORAL;
	c->criterion_count = temporal && rnd(2) == 0 ? 0 : 1 + (rnd(4) == 0);
	for (size_t i = 0; i < c->criterion_count; i++) {
		c->criteria[i].compare =
			rnd(2) == 0 ? YG_SIGMA_GTE : (enum yg_sigma_compare)(1 + rnd(6));
		c->criteria[i].number = counts ? 1 + rnd(4) : temporal ? 1 + rnd(3) : sums[rnd(5)];
	}
	c->percentile = rnd(3) == 0 ? rnd(101) : c->type == YG_SIGMA_VALUE_MEDIAN ? 50 : 33.3;
}

static void generate_correlation(uint32_t i)
{
	static const int64_t spans[] = {5, 10, 20};
	struct yg_sigma_rule *r = &w.rules[BASES + i];
	struct yg_sigma_correlation *c = &r->correlation;
	*r = (struct yg_sigma_rule){.kind = YG_SIGMA_CORRELATION, .name = w.names[BASES + i]};
	c->type = (enum yg_sigma_correlation_type)(1 + rnd(8));
	c->rules = w.refs[i];
	c->group_by = w.by[i];
	c->span_us = spans[rnd(3)] * S;
	c->group_count = rnd(3);
	w.by[i][0] = field_names[0];
	w.by[i][1] = field_names[1];
	generate_condition(c);
	uint32_t first = rnd(BASES + i);
	c->rule_count = c->type >= YG_SIGMA_TEMPORAL ? 2 + rnd(2) : 1 + (rnd(4) == 0);
	for (uint32_t n = 0; n < c->rule_count; n++) /* different ones: 3 and less of 4 and more */
		w.refs[i][n] = w.names[(first + n) % (BASES + i)];
	if (c->type >= YG_SIGMA_VALUE_COUNT && c->type <= YG_SIGMA_VALUE_MEDIAN) {
		c->fields = (struct yg_sv *)(uintptr_t)&field_names[c->type == YG_SIGMA_VALUE_COUNT
									    ? rnd(3)
									    : 2];
		c->field_count = 1;
	}
}

static void generate(void)
{
	static const char *const users[] = {"x", "Y", "y", NULL}, *const hosts[] = {"h", "i"},
				 *const values[] = {"1", "2", "5", "0.5", "-2", "no", NULL};
	static const char names[BASES + CORRS + 1] = "abcdKLMN";
	int64_t at = 0;
	for (uint32_t i = 0; i < BASES + CORRS; i++) {
		w.names[i] = (struct yg_sv){names + i, 1};
		w.rules[i] = (struct yg_sigma_rule){.kind = YG_SIGMA_RULE, .name = w.names[i]};
		w.list[i] = &w.rules[i];
		if (i >= BASES)
			generate_correlation(i - BASES);
	}
	w.lateness = rnd(3) * 5 * S;
	w.event_count = 1 + rnd(EVENTS);
	for (size_t i = 0; i < w.event_count; i++) {
		at += rnd(3) * S;
		w.events[i] = (struct event){T0 + 30 * S + at - rnd(8) * S,
					     i + 1,
					     rnd(BASES),
					     {users[rnd(rnd(6) == 0 ? 4 : 3)], hosts[rnd(2)],
					      values[rnd(rnd(4) == 0 ? 7 : 5)]}};
	}
}

/* ---- ours ---- */

static void put_hit(char *out, uint32_t rule, int64_t time, double value, const char *group)
{
	(void)snprintf(out, 160, "%c %lld %.9g %.100s", w.names[rule].p[0],
		       (long long)((time - T0) / S), value, group);
}

static bool on_hit(void *ctx, const struct yg_correlate_hit *h)
{
	char group[100];
	struct yg_sb b = yg_sb_init(group, sizeof group - 1);
	(void)ctx;
	for (size_t i = 0; i < h->group_count; i++) {
		yg_sb_put(&b, h->values[i]);
		yg_sb_putc(&b, '/');
	}
	if (w.our_count < HITS)
		put_hit(w.ours[w.our_count++], h->rule, h->time.us, h->value, yg_sb_cstr(&b));
	return true;
}

static bool field_of(void *ctx, struct yg_sv field, struct yg_sv *out)
{
	const struct event *e = ctx;
	for (size_t i = 0; i < YG_LEN(field_names); i++)
		if (yg_sv_eq(field_names[i], field) && e->fields[i] != NULL) {
			*out = yg_sv_of(e->fields[i]);
			return true;
		}
	return false;
}

static struct yg_correlate *make(void)
{
	struct yg_env_sim sim = {.seed = seed};
	struct yg_env env = yg_env_sim(&sim);
	struct yg_correlate_opts opts = yg_correlate_defaults();
	struct yg_correlate *c = NULL;
	opts.lateness.us = w.lateness;
	if (yg_correlate_new(w.list, YG_LEN(w.list), &opts, &env, NULL, NULL, &c, NULL) != YG_OK)
		abort();
	return c;
}

/* Saved and restored somewhere on the way. */
static void run_ours(void)
{
	struct yg_correlate *c = make();
	size_t save_at = w.event_count / 2;
	w.our_count = 0;
	for (size_t i = 0; i < w.event_count; i++) {
		struct event *e = &w.events[i];
		struct yg_correlate_event ev = {
			.time = {e->time}, .id = {0, e->id}, .field = field_of, .ctx = e};
		(void)yg_correlate_event(c, e->rule, &ev, on_hit, NULL);
		if (i != save_at)
			continue;
		struct yg_buf saved;
		size_t lost;
		struct yg_correlate *next = make();
		yg_buf_init(&saved, (size_t)1 << 24);
		if (yg_correlate_save(c, &saved) != YG_OK ||
		    yg_correlate_restore(next, yg_buf_sv(&saved), &lost, NULL) != YG_OK)
			abort();
		yg_buf_free(&saved);
		yg_correlate_free(c);
		c = next;
	}
	(void)yg_correlate_flush(c, on_hit, NULL);
	yg_correlate_free(c);
}

/* ---- theirs ---- */

static struct hit pool[HITS]; /* all events and hits, by rule */
static size_t pool_n;

static uint32_t index_of(struct yg_sv name)
{
	uint32_t i = 0;
	while (!yg_sv_eq(w.names[i], name))
		i++;
	return i;
}

static bool lower_group(const struct yg_sigma_correlation *c, const struct hit *e, char *out)
{
	size_t n = 0;
	for (size_t i = 0; i < c->group_count; i++) {
		const char *v = e->fields[i];
		if (v == NULL)
			return false;
		for (; *v != '\0'; v++)
			out[n++] = (char)(*v >= 'A' && *v <= 'Z' ? *v + 32 : *v);
		out[n++] = '/';
	}
	out[n] = '\0';
	return true;
}

static bool number_of(const struct yg_sigma_correlation *c, const struct hit *e, double *out)
{
	*out = 0;
	if (c->field_count == 0 || c->type == YG_SIGMA_VALUE_COUNT)
		return c->field_count == 0 || e->fields[c->fields - field_names] != NULL;
	return e->fields[2] != NULL && yg_sigma_number(yg_sv_of(e->fields[2]), out);
}

static int by_time(const void *x, const void *y)
{
	const struct hit *a = x, *b = y;
	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	if (a->pos != b->pos)
		return a->pos < b->pos ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

static int by_number(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;
	return a < b ? -1 : a > b;
}

static double different(const struct yg_sigma_correlation *c, const struct hit *e, size_t n)
{
	size_t which = (size_t)(c->fields - field_names), count = 0;
	double most = 0;
	for (size_t i = 0; i < n; i++) {
		bool known = false;
		for (size_t b = 0; b < i; b++)
			known = known || yg_sv_ieq(yg_sv_of(e[i].fields[which]),
						   yg_sv_of(e[b].fields[which]));
		count += !known;
	}
	for (size_t i = 0; i < c->criterion_count; i++)
		most = YG_MAX(most, c->criteria[i].number);
	return YG_MIN((double)count, most + 1);
}

static double rules_seen(const struct yg_sigma_correlation *c, const struct hit *e, size_t n)
{
	uint32_t seen = 0, far = 0;
	int64_t at = INT64_MIN;
	for (uint32_t p = 0; p < c->rule_count; p++) {
		int64_t next = INT64_MAX;
		bool any = false;
		for (size_t i = 0; i < n; i++) {
			any = any || e[i].pos == p;
			if (e[i].pos == p && e[i].time >= at)
				next = YG_MIN(next, e[i].time);
		}
		seen += any;
		far += far == p && next != INT64_MAX;
		at = next;
	}
	return c->type == YG_SIGMA_TEMPORAL ? seen : far;
}

/* What is compared of a window; all of it again. */
static double measure(const struct yg_sigma_correlation *c, const struct hit *e, size_t n)
{
	static double v[HITS];
	double sum = 0;
	for (size_t i = 0; i < n; i++) {
		(void)number_of(c, &e[i], &v[i]);
		sum += v[i];
	}
	if (c->type == YG_SIGMA_EVENT_COUNT)
		return (double)n;
	if (c->type == YG_SIGMA_VALUE_COUNT)
		return different(c, e, n);
	if (c->type >= YG_SIGMA_TEMPORAL)
		return rules_seen(c, e, n);
	if (c->type == YG_SIGMA_VALUE_SUM)
		return sum;
	if (c->type == YG_SIGMA_VALUE_AVG)
		return sum / (double)n;
	qsort(v, n, sizeof *v, by_number);
	uint64_t share = n * (uint64_t)(c->percentile * 1000 + 0.5), rank = 0;
	while (rank * 100000 < share)
		rank++;
	return v[rank > 0 ? rank - 1 : 0];
}

static bool holds(const struct yg_sigma_correlation *c, double have)
{
	for (size_t i = 0; i < c->criterion_count; i++)
		if (!yg_detect_compare(c->criteria[i].compare, have, c->criteria[i].number))
			return false;
	return c->criterion_count > 0 || have == (double)c->rule_count;
}

static void found(uint32_t rule, const struct hit *e, size_t n, int64_t time, double have,
		  const char *group)
{
	const struct yg_sigma_correlation *c = &w.rules[rule].correlation;
	bool ranked = c->type == YG_SIGMA_VALUE_PERCENTILE || c->type == YG_SIGMA_VALUE_MEDIAN;
	struct hit h = e[n - 1];
	h.time = time;
	h.rule = rule;
	put_hit(w.theirs[w.their_count++], rule, time, ranked ? (double)n : have, group);
	pool[pool_n++] = h;
}

static void naive_group(uint32_t rule, const struct hit *e, size_t n, const char *group)
{
	const struct yg_sigma_correlation *c = &w.rules[rule].correlation;
	bool settled = c->type == YG_SIGMA_VALUE_AVG || c->type == YG_SIGMA_VALUE_PERCENTILE ||
		       c->type == YG_SIGMA_VALUE_MEDIAN;
	for (size_t i = 0; i < c->criterion_count; i++)
		settled = settled || (c->criteria[i].compare != YG_SIGMA_GT &&
				      c->criteria[i].compare != YG_SIGMA_GTE);
	for (size_t from = 0, i = 0; i < n; i++) {
		while (!settled && e[from].time < e[i].time - c->span_us)
			from++;
		bool more = i + 1 < n && (settled ? e[i + 1].time <= e[from].time + c->span_us
						  : e[i + 1].time == e[i].time);
		if (more)
			continue;
		double have = measure(c, e + from, i + 1 - from);
		bool hit = holds(c, have);
		if (hit)
			found(rule, e + from, i + 1 - from,
			      settled ? e[from].time + c->span_us : e[i].time, have, group);
		if (hit || settled)
			from = i + 1;
	}
}

static void naive_rule(uint32_t rule)
{
	static struct hit mine[HITS];
	static char groups[HITS][100];
	const struct yg_sigma_correlation *c = &w.rules[rule].correlation;
	size_t group_count = 0, all = pool_n;
	for (size_t i = 0; i < all; i++) {
		char group[100];
		size_t g = 0;
		if (!lower_group(c, &pool[i], group))
			continue;
		while (g < group_count && strcmp(groups[g], group) != 0)
			g++;
		if (g == group_count)
			memcpy(groups[group_count++], group, sizeof group);
	}
	for (size_t g = 0; g < group_count; g++) {
		size_t n = 0;
		for (uint32_t p = 0; p < c->rule_count; p++)
			for (size_t i = 0; i < all; i++) {
				double d;
				if (pool[i].rule != index_of(c->rules[p]) ||
				    !lower_group(c, &pool[i], mine[n].group) ||
				    strcmp(mine[n].group, groups[g]) != 0 ||
				    !number_of(c, &pool[i], &d))
					continue;
				mine[n] = pool[i];
				mine[n++].pos = p;
			}
		qsort(mine, n, sizeof *mine, by_time);
		naive_group(rule, mine, n, groups[g]);
	}
}

static void run_theirs(void)
{
	int64_t latest = 0;
	bool used[BASES] = {false};
	pool_n = 0;
	w.their_count = 0;
	for (uint32_t k = 0; k < CORRS; k++)
		for (size_t r = 0; r < w.rules[BASES + k].correlation.rule_count; r++)
			if (index_of(w.refs[k][r]) < BASES)
				used[index_of(w.refs[k][r])] = true;
	for (size_t i = 0; i < w.event_count; i++) {
		const struct event *e = &w.events[i];
		if (!used[e->rule] || e->time < latest - w.lateness)
			continue;
		latest = YG_MAX(latest, e->time);
		pool[pool_n] = (struct hit){.time = e->time, .id = e->id, .rule = e->rule};
		memcpy(pool[pool_n++].fields, e->fields, sizeof e->fields);
	}
	for (uint32_t k = 0; k < CORRS; k++)
		naive_rule(BASES + k);
}

/* ---- compared ---- */

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool same(void)
{
	run_ours();
	run_theirs();
	qsort(w.ours, w.our_count, sizeof *w.ours, by_text);
	qsort(w.theirs, w.their_count, sizeof *w.theirs, by_text);
	for (size_t i = 0; i < w.our_count && i < w.their_count; i++)
		if (strcmp(w.ours[i], w.theirs[i]) != 0)
			return false;
	return w.our_count == w.their_count;
}

/* Without each event that makes no difference to the difference. */
static void shrink(void)
{
	for (size_t i = w.event_count; i-- > 0;) {
		struct event gone = w.events[i];
		size_t behind = w.event_count - i - 1;
		memmove(&w.events[i], &w.events[i + 1], behind * sizeof gone);
		w.event_count--;
		if (!same())
			continue;
		memmove(&w.events[i + 1], &w.events[i], behind * sizeof gone);
		w.events[i] = gone;
		w.event_count++;
	}
	(void)same();
}

static void print_world(void)
{
	(void)printf("# lateness %lld\n", (long long)(w.lateness / S));
	for (uint32_t k = 0; k < CORRS; k++) {
		const struct yg_sigma_correlation *c = &w.rules[BASES + k].correlation;
		(void)printf("# %c type %d span %lld groups %zu percentile %g rules", 'K' + (int)k,
			     (int)c->type, (long long)(c->span_us / S), c->group_count,
			     c->percentile);
		for (size_t i = 0; i < c->rule_count; i++)
			(void)printf(" %c", c->rules[i].p[0]);
		for (size_t i = 0; i < c->criterion_count; i++)
			(void)printf(" %d:%g", (int)c->criteria[i].compare, c->criteria[i].number);
		(void)printf(" field %s\n", c->field_count > 0 ? c->fields[0].p : "-");
	}
	for (size_t i = 0; i < w.event_count; i++) {
		const struct event *e = &w.events[i];
		(void)printf("# at %lld %c", (long long)((e->time - T0) / S), 'a' + (int)e->rule);
		for (size_t f = 0; f < 3; f++)
			(void)printf(" %s", e->fields[f] != NULL ? e->fields[f] : "-");
		(void)printf("\n");
	}
	for (size_t i = 0; i < w.our_count; i++)
		(void)printf("# ours   %s\n", w.ours[i]);
	for (size_t i = 0; i < w.their_count; i++)
		(void)printf("# theirs %s\n", w.theirs[i]);
}

int main(int argc, char **argv)
{
	uint64_t rounds = 6000, hits = 0, by_type[YG_SIGMA_TEMPORAL_ORDERED + 1] = {0};
	bool ok = true;
	if (argc > 1)
		(void)yg_parse_u64(yg_sv_of(argv[1]), &rounds, NULL);
	for (uint64_t i = 0; ok && i < rounds; i++) {
		generate();
		ok = same();
		hits += w.our_count;
		for (size_t h = 0; h < w.our_count; h++)
			by_type[w.rules[index_of((struct yg_sv){w.ours[h], 1})].correlation.type]++;
	}
	if (!ok) {
		shrink();
		print_world();
	}
	T_NAMED(ok, "what is told is what the naive version finds");
	(void)printf("# %llu rounds, %llu hits\n", (unsigned long long)rounds,
		     (unsigned long long)hits);
	bool each = hits > rounds;
	for (unsigned t = YG_SIGMA_EVENT_COUNT; t <= YG_SIGMA_TEMPORAL_ORDERED; t++)
		each = each && by_type[t] > 100;
	T_NAMED(each, "every type told often");
	return tap_done();
}
