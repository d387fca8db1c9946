#include "alert/compare.h"

#include "alert/testing.h"
#include "tap.h"

#define NOW INT64_C(1700000000000000)
#define DAY (24 * YG_HOUR_US)

static const struct yg_org_set every = {.all = true};

static void found(struct yg_state *db, const char *org, const char *asset, int severity, int64_t at)
{
	static uint64_t batch;
	struct yg_act act = yg_act_make(db, &env, YG_SV("system"));
	struct yg_finding_result r;
	struct message m;
	char event[32];
	(void)snprintf(event, sizeof event, "e-%llu", (unsigned long long)++batch);
	sim.wall.us = at;
	message_begin(&m, 0, batch);
	message_add(&m, org, "evil.example", asset, severity, at, event);
	if (message_send(&m, &act, &r) != YG_OK)
		(void)printf("# %s\n", err.msg);
	sim.wall.us = NOW;
}

/* Takes up the newest alert of an asset. */
static void take_up(struct yg_state *db, const char *asset, int64_t at)
{
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:1"));
	struct yg_alert_set set = {.state = YG_ALERT_IN_PROGRESS};
	struct yg_alert *a = NULL;
	sim.wall.us = at;
	if (alerts_of(db, asset, &a) == 0 ||
	    yg_alert_change(&act, a[0].id, YG_ANY_VERSION, &set, NULL, &err) != YG_OK)
		(void)printf("# nothing to take up: %s\n", err.msg);
	sim.wall.us = NOW;
}

static void add_org(struct yg_state *db, const char *slug, const char *parent, enum yg_org_kind k)
{
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	struct yg_org o = {.slug = yg_sv_of(slug),
			   .parent = parent != NULL ? yg_sv_of(parent) : YG_SV(""),
			   .kind = k};
	if (yg_org_add(&act, &o, &err) != YG_OK)
		(void)printf("# %s\n", err.msg);
}

static struct yg_compare read_of(struct yg_state *db, const struct yg_org_set *set)
{
	struct yg_compare c;
	int64_t hour = (NOW + YG_HOUR_US - 1) / YG_HOUR_US;
	struct yg_compare_times t = {{NOW}, hour - 14 * 24, hour - 7 * 24};
	if (yg_compare_read(db, set, &t, &arena, &c, &err) != YG_OK)
		(void)printf("# %s\n", err.msg);
	return c;
}

static const struct yg_compare_row *row(const struct yg_compare *c, const char *org)
{
	static const struct yg_compare_row none = {.triaged = -1};
	for (size_t i = 0; i < c->n; i++) {
		if (yg_sv_eq(c->rows[i].org, yg_sv_of(org)))
			return &c->rows[i];
	}
	return &none;
}

static void test_rows(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	add_org(db, "alpha-unit", "alpha", YG_ORG_UNIT);
	add_org(db, "south", NULL, YG_ORG_SECTOR);
	found(db, "alpha", "old", 5, NOW - 20 * DAY);
	found(db, "alpha", "before", 3, NOW - 10 * DAY);
	found(db, "alpha-unit", "unit", 4, NOW - 2 * DAY);
	found(db, "beta", "low", 2, NOW - DAY);
	take_up(db, "old", NOW - 20 * DAY + 3600 * YG_US_PER_S);
	take_up(db, "before", NOW - 10 * DAY + 120 * YG_US_PER_S);
	take_up(db, "unit", NOW - 2 * DAY + 60 * YG_US_PER_S);
	struct yg_compare c = read_of(db, &every);
	yg_compare_add(&c, YG_MEASURE_DNS_BLOCKED, YG_SV("alpha-unit"), 7, 3);
	yg_compare_add(&c, YG_MEASURE_DNS_BLOCKED, YG_SV("south"), 9, 9);
	yg_compare_end(&c);
	const struct yg_compare_row *a = row(&c, "alpha"), *b = row(&c, "beta");
	T_OK(c.n == 2 && a == &c.rows[0] && a->kind == YG_ORG_ORGANISATION);
	T_OK(a->value[YG_MEASURE_GRAVE] == 2 && a->before[YG_MEASURE_GRAVE] == 1);
	T_OK(a->value[YG_MEASURE_OPENED] == 1 && a->before[YG_MEASURE_OPENED] == 1);
	T_OK(a->triaged == 1 && a->value[YG_MEASURE_TRIAGE_S] == 60 &&
	     a->before[YG_MEASURE_TRIAGE_S] == 120);
	T_OK(a->value[YG_MEASURE_DNS_BLOCKED] == 7 && a->before[YG_MEASURE_DNS_BLOCKED] == 3 &&
	     b->value[YG_MEASURE_DNS_BLOCKED] == 0);
	T_OK(b->value[YG_MEASURE_GRAVE] == 0 && b->value[YG_MEASURE_OPENED] == 1 &&
	     b->value[YG_MEASURE_TRIAGE_S] == YG_NO_MEASURE &&
	     b->value[YG_MEASURE_HEARD_PCT] == YG_NO_MEASURE);
	const struct yg_sv unit = YG_SV("alpha-unit"),
			   both[] = {YG_SV_INIT("alpha"), YG_SV_INIT("alpha-unit")};
	const struct yg_org_set one_unit = {.slugs = &unit, .n = 1},
				whole = {.slugs = both, .n = 2};
	c = read_of(db, &one_unit);
	yg_compare_end(&c);
	T_OK(c.n == 1 && c.rows[0].kind == YG_ORG_UNIT && c.rows[0].value[YG_MEASURE_GRAVE] == 1);
	c = read_of(db, &whole);
	yg_compare_end(&c);
	T_OK(c.n == 1 && c.rows[0].value[YG_MEASURE_GRAVE] == 2);
	c = read_of(db, &(struct yg_org_set){0});
	T_OK(c.n == 0);
}

static void test_peers(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	const struct yg_sv alpha = YG_SV("alpha");
	const struct yg_org_set own = {.slugs = &alpha, .n = 1};
	struct yg_peers p;
	static const char *const more[] = {"o1", "o2", "o3", "o4"};
	for (size_t i = 0; i + 1 < YG_LEN(more); i++)
		add_org(db, more[i], NULL, YG_ORG_ORGANISATION);
	struct yg_compare c = read_of(db, &every);
	yg_compare_end(&c);
	T_OK(c.n == 5 && yg_compare_peers(&c, &own, &arena, &p, &err) == YG_OK);
	T_OK(p.organisations == 0 && p.median[YG_MEASURE_GRAVE] == YG_NO_MEASURE);
	T_OK(yg_compare_peers(&c, &every, &arena, &p, &err) == YG_OK && p.organisations == 5 &&
	     p.median[YG_MEASURE_GRAVE] == 0);
	add_org(db, more[3], NULL, YG_ORG_ORGANISATION);
	found(db, "beta", "x", 5, NOW - DAY);
	take_up(db, "x", NOW - DAY + YG_US_PER_S);
	c = read_of(db, &every);
	yg_compare_end(&c);
	for (size_t i = 0; i < c.n; i++)
		c.rows[i].value[YG_MEASURE_DNS_BLOCKED] = 1234 + (int64_t)i * 10;
	T_OK(yg_compare_peers(&c, &own, &arena, &p, &err) == YG_OK && p.organisations == 5);
	T_OK(p.median[YG_MEASURE_GRAVE] == 0 && p.median[YG_MEASURE_OPENED] == 0);
	T_OK(p.median[YG_MEASURE_TRIAGE_S] == YG_NO_MEASURE); /* one alone was measured */
	T_OK(p.median[YG_MEASURE_DNS_BLOCKED] == 1300);
	T_OK(c.n == 6);
}

int main(void)
{
	env = yg_env_sim(&sim);
	yg_arena_init(&arena, 64 << 20);
	test_rows();
	test_peers();
	yg_arena_free(&arena);
	return tap_done();
}
