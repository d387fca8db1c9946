/* Groups in memory against a table that counts everything by itself. */
#include "alert/group.h"

#include <stdio.h>

#include "tap.h"

#define KEYS 3000
#define ORGS 7

static struct yg_arena arena;
static struct yg_err err;

struct known {
	int64_t count, findings, first, last;
	unsigned orgs;
	int severity;
};

static void add(struct yg_groups *g, struct known *known, unsigned i, bool *ok)
{
	char key[32], org[16];
	unsigned k = i * 7919u % KEYS * (i % 3 != 0), o = i * 31u % ORGS;
	struct yg_group_row r = {.type = i % 2 ? YG_SV("url") : YG_SV("domain"),
				 .findings = i % 5 + 1,
				 .first_seen = 1000000 - (int64_t)i,
				 .last_seen = 1000000 + (int64_t)i,
				 .severity_id = (int)(i % 6) + 1};
	(void)snprintf(key, sizeof key, "key-%u", k);
	(void)snprintf(org, sizeof org, "org-%u", o);
	r.key = yg_sv_of(key);
	r.org = yg_sv_of(org);
	*ok &= yg_groups_add(g, &r, &err) == YG_OK;
	struct known *n = &known[k];
	n->findings += r.findings;
	n->severity = YG_MAX(n->severity, r.severity_id);
	n->first = n->count == 0 ? r.first_seen : YG_MIN(n->first, r.first_seen);
	n->last = n->count == 0 ? r.last_seen : YG_MAX(n->last, r.last_seen);
	n->count++;
	n->orgs |= 1u << o;
}

static bool is_known(const struct yg_alert_bundle *b, const struct known *known)
{
	uint64_t k = KEYS;
	if (yg_parse_u64(yg_sv_sub(b->key, 4, b->key.n), &k, NULL) != YG_OK || k >= KEYS)
		return false;
	const struct known *n = &known[k];
	return b->count == n->count && b->findings == n->findings && b->first_seen.us == n->first &&
	       b->last_seen.us == n->last && b->severity_id == n->severity &&
	       b->orgs == __builtin_popcount(n->orgs);
}

static bool ordered(const struct yg_alert_bundle *a, const struct yg_alert_bundle *b)
{
	if (a->severity_id != b->severity_id)
		return a->severity_id > b->severity_id;
	return a->count > b->count || (a->count == b->count && yg_sv_cmp(a->key, b->key) < 0);
}

static void test_groups(void)
{
	static struct known known[KEYS];
	struct yg_groups g;
	struct yg_alert_bundle last = {0};
	int64_t groups = 0, seen = 0;
	bool ok = true, same = true, order = true;
	yg_groups_init(&g, KEYS);
	for (unsigned i = 0; i < 40000; i++)
		add(&g, known, i, &ok);
	T_NAMED(ok, "all are taken");
	for (unsigned k = 0; k < KEYS; k++)
		groups += known[k].count > 0;
	for (uint32_t from = 0;; from += 50) {
		struct yg_alert_bundles page = {
			.list = YG_NEW_N(&arena, struct yg_alert_bundle, 51)};
		if (page.list == NULL ||
		    yg_groups_page(&g, from, 50, &arena, &page, &err) != YG_OK || page.n == 0)
			break;
		same &= page.groups == groups;
		for (size_t i = 0; i < page.n; i++, seen++) {
			same &= is_known(&page.list[i], known);
			order &= seen == 0 || ordered(&last, &page.list[i]);
			last = page.list[i];
		}
	}
	T_NAMED(same && seen == groups, "every group once, with its numbers");
	T_NAMED(order, "worst first, then the largest, then by key");
	yg_groups_free(&g);
}

static void test_bound(void)
{
	struct yg_groups g;
	yg_status st = YG_OK;
	unsigned taken = 0;
	yg_groups_init(&g, 10);
	for (unsigned i = 0; i < 20 && st == YG_OK; i++) {
		char key[16];
		(void)snprintf(key, sizeof key, "k%u", i);
		struct yg_group_row r = {
			.key = yg_sv_of(key), .type = YG_SV(""), .org = YG_SV("a")};
		st = yg_groups_add(&g, &r, &err);
		taken += st == YG_OK;
	}
	T_NAMED(st == YG_LIMIT && taken == 10, "no more groups than may be");
	yg_groups_free(&g);
	yg_groups_init(&g, 1000000);
	st = YG_OK;
	for (unsigned i = 0; i < 1000000 && st == YG_OK; i++) {
		char key[128];
		(void)snprintf(key, sizeof key, "%0100u", i);
		struct yg_group_row r = {
			.key = yg_sv_of(key), .type = YG_SV(""), .org = YG_SV("a")};
		st = yg_groups_add(&g, &r, &err);
	}
	T_NAMED(st == YG_LIMIT, "no more memory than may be");
	yg_groups_free(&g);
}

int main(void)
{
	yg_arena_init(&arena, 64 << 20);
	test_groups();
	test_bound();
	yg_arena_free(&arena);
	return tap_done();
}
