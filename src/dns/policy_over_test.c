/* A policy over another: the right base or none; offsets that lie are refused, in the base
 * and in what stands over it; and whatever opens is safe to ask. */
#include <stddef.h>
#include <stdio.h>

#include "policy_pair.h"
#include "tap.h"

static struct pair pair;
static struct yg_snap_head base_head, over_head;
static uint8_t *base_bytes, *over_bytes; /* copies: to be spoiled */

static void fresh(void)
{
	memcpy(base_bytes, pair.base.p, pair.base.n);
	memcpy(over_bytes, pair.over.p, pair.over.n);
}

/* Opens both as they are now, heads and digests put right; asks what opens. */
static yg_status open_both(bool *out_base_opened)
{
	struct yg_dns_policy *base = NULL, *over = NULL;
	struct yg_snap_head h;
	pair_fit(base_bytes, pair.base.n, &base_head, NULL);
	memcpy(&h, base_bytes, sizeof h);
	pair_fit(over_bytes, pair.over.n, &over_head, &h);
	yg_status st = yg_dns_policy_open_bytes(base_bytes, pair.base.n, 0, NULL, &base, NULL);
	*out_base_opened = st == YG_OK;
	if (st != YG_OK)
		return st;
	st = yg_dns_policy_open_bytes(over_bytes, pair.over.n, 0, base, &over, NULL);
	if (st == YG_OK)
		pair_ask(over);
	else
		pair_ask(base);
	yg_dns_policy_close(over);
	yg_dns_policy_close(base);
	return st;
}

/* ---- what it says ---- */

static enum yg_dns_action answer(const struct yg_dns_policy *p, const char *org, const char *text)
{
	static struct yg_dns_eval e;
	struct yg_dns_verdict v;
	struct yg_dns_name name;
	(void)yg_dns_name_parse(yg_sv_of(text), NULL, &name, NULL);
	yg_dns_eval_begin(&e, p, yg_dns_policy_view(p, yg_sv_of(org)), (struct yg_ip){{0}});
	yg_dns_eval_name(&e, &name, NULL);
	yg_dns_eval_verdict(&e, &v);
	return v.action;
}

static void test_answers(void)
{
	struct yg_dns_policy *base = NULL, *over = NULL;
	T_OK(yg_dns_policy_open_bytes(pair.base.p, pair.base.n, 0, NULL, &base, NULL) == YG_OK);
	T_OK(yg_dns_policy_open_bytes(pair.over.p, pair.over.n, 0, base, &over, NULL) == YG_OK);
	T_OK(answer(base, "", "bad.example.") == YG_DNS_ACTION_NXDOMAIN &&
	     answer(over, "", "bad.example.") == YG_DNS_ACTION_DATA);
	T_OK(answer(base, "", "deep.in.tree.example.") == YG_DNS_ACTION_CNAME &&
	     answer(over, "", "deep.in.tree.example.") == YG_DNS_ACTION_DROP);
	T_OK(answer(over, "", "new.sub.bad.example.") == YG_DNS_ACTION_NXDOMAIN &&
	     answer(over, "", "x.sub.bad.example.") == YG_DNS_ACTION_NONE);
	T_OK(answer(over, "", "ok.bad.example.") == YG_DNS_ACTION_PASSTHRU &&
	     answer(over, "", "data.example.") == YG_DNS_ACTION_DATA);
	T_OK(answer(base, "one", "one.example.") != YG_DNS_ACTION_NONE &&
	     answer(over, "one", "one.example.") == YG_DNS_ACTION_NONE &&
	     answer(over, "one", "two.example.") != YG_DNS_ACTION_NONE);
	yg_dns_policy_close(over);
	yg_dns_policy_close(base);
}

/* ---- which base ---- */

static yg_status over_on(struct yg_dns_policy *base)
{
	struct yg_dns_policy *p = NULL;
	yg_status st = yg_dns_policy_open_bytes(over_bytes, pair.over.n, 0, base, &p, NULL);
	yg_dns_policy_close(p);
	return st;
}

static void put_over(enum yg_dns_policy_section section, size_t at, const void *p, size_t n)
{
	size_t from, bytes;
	pair_section(over_bytes, pair.over.n, section, &from, &bytes);
	memcpy(over_bytes + from + at, p, n);
	(void)yg_snap_fix_digest(over_bytes, pair.over.n);
}

static void test_bases(void)
{
	struct yg_dns_policy *base = NULL, *over = NULL, *other = NULL;
	struct yg_snap_head h;
	uint64_t generation = 7;
	uint16_t no_zone = 3;
	fresh();
	T_OK(yg_dns_policy_open_bytes(pair.base.p, pair.base.n, 0, NULL, &base, NULL) == YG_OK);
	T_OK(yg_dns_policy_open_bytes(pair.over.p, pair.over.n, 0, base, &over, NULL) == YG_OK);
	T_NAMED(over_on(NULL) == YG_CONFLICT, "no base");
	T_NAMED(over_on(over) == YG_CONFLICT, "a base that stands over another");
	put_over(YG_DS_BASE, 0, &generation, sizeof generation);
	T_NAMED(over_on(base) == YG_CONFLICT, "of another generation");
	fresh();
	put_over(YG_DS_BASE, 8, &generation, sizeof generation);
	T_NAMED(over_on(base) == YG_CONFLICT, "of another digest");
	fresh();
	memcpy(&h, over_bytes, sizeof h);
	h.key[0] ^= 1;
	memcpy(over_bytes, &h, sizeof h);
	(void)yg_snap_fix_digest(over_bytes, pair.over.n);
	T_NAMED(over_on(base) == YG_CORRUPT, "that hashes otherwise");
	/* the same base, but for one bit of its key and its digest */
	fresh();
	memcpy(&h, base_bytes, sizeof h);
	h.created++;
	memcpy(base_bytes, &h, sizeof h);
	(void)yg_snap_fix_digest(base_bytes, pair.base.n);
	T_OK(yg_dns_policy_open_bytes(base_bytes, pair.base.n, 0, NULL, &other, NULL) == YG_OK);
	T_NAMED(over_on(other) == YG_CONFLICT, "made at another time");
	/* a zone that says it continues, and the base does not have it */
	fresh();
	for (uint32_t i = 0; i < yg_dns_policy_info(over).zones; i++) {
		const uint8_t continues = 1;
		put_over(YG_DS_ZONES,
			 i * sizeof(struct yg_dns_zone_rec) +
				 offsetof(struct yg_dns_zone_rec, continues),
			 &continues, 1);
	}
	T_NAMED(over_on(base) == YG_CORRUPT, "that lacks a zone which continues");
	fresh();
	put_over(YG_DS_RULES, offsetof(struct yg_dns_rule_rec, zone), &no_zone, sizeof no_zone);
	T_NAMED(over_on(base) == YG_CORRUPT, "a rule of a zone of the base");
	yg_dns_policy_close(other);
	yg_dns_policy_close(over);
	yg_dns_policy_close(base);
}

/* ---- offsets that lie ---- */

#define ZONE(f)   sizeof(struct yg_dns_zone_rec), offsetof(struct yg_dns_zone_rec, f)
#define VIEW(f)   sizeof(struct yg_dns_view_rec), offsetof(struct yg_dns_view_rec, f)
#define RULE(f)   sizeof(struct yg_dns_rule_rec), offsetof(struct yg_dns_rule_rec, f)
#define ANSWER(f) sizeof(struct yg_dns_answer_rec), offsetof(struct yg_dns_answer_rec, f)

static const struct {
	const char *name;
	enum yg_dns_policy_section section;
	size_t each, at;
} offsets[] = {
	{"name of a zone", YG_DS_ZONES, ZONE(name)},
	{"origin of a zone", YG_DS_ZONES, ZONE(origin)},
	{"organisation of a zone", YG_DS_ZONES, ZONE(org)},
	{"category of a zone", YG_DS_ZONES, ZONE(category)},
	{"text of a zone", YG_DS_ZONES, ZONE(ede_text)},
	{"SOA of a zone", YG_DS_ZONES, ZONE(soa)},
	{"override of a zone", YG_DS_ZONES, ZONE(override_data)},
	{"organisation of a view", YG_DS_VIEWS, VIEW(org)},
	{"zones of a view", YG_DS_VIEWS, VIEW(zones_at)},
	{"answers of a view", YG_DS_VIEWS, VIEW(answers_at)},
	{"data of a rule", YG_DS_RULES, RULE(data)},
	{"category of an answer", YG_DS_ANSWERS, ANSWER(category)},
	{"data of an answer", YG_DS_ANSWERS, ANSWER(data)},
	{"record of a prefix", YG_DS_PREFIXES, 4, 0},
};

/* Every one of that kind, each alone, just behind the end and far behind it: how many
 * were not refused. */
static unsigned lie(size_t i, bool over, unsigned *tried)
{
	uint8_t *bytes = over ? over_bytes : base_bytes;
	size_t n = over ? pair.over.n : pair.base.n, from, all;
	unsigned passed = 0;
	pair_section((const uint8_t *)(over ? pair.over.p : pair.base.p), n, offsets[i].section,
		     &from, &all);
	for (size_t at = offsets[i].at; at + 4 <= all && from > 0; at += offsets[i].each) {
		const uint32_t lies[] = {UINT32_MAX, (uint32_t)n, 0x7fffffff};
		for (size_t k = 0; k < YG_LEN(lies); k++) {
			bool opened;
			fresh();
			memcpy(bytes + from + at, &lies[k], sizeof lies[k]);
			yg_status st = open_both(&opened);
			++*tried;
			passed += over ? !opened || st != YG_CORRUPT : st != YG_CORRUPT;
		}
	}
	return passed;
}

static void test_offsets(void)
{
	for (size_t i = 0; i < YG_LEN(offsets); i++) {
		unsigned tried[2] = {0}, passed = 0;
		for (int over = 0; over < 2; over++)
			passed += lie(i, over == 1, &tried[over]);
		(void)printf("# %s: %u in the base, %u over it\n", offsets[i].name, tried[0],
			     tried[1]);
		T_NAMED(passed == 0 && tried[0] > 0 && tried[1] > 0, offsets[i].name);
	}
}

/* Words of every section, each alone: refused, or safe to ask. */
static void test_words(void)
{
	unsigned tried = 0, opened = 0;
	for (uint32_t id = 0; id <= YG_DS_BASE; id++)
		for (int over = 0; over < 2; over++) {
			uint8_t *bytes = over == 1 ? over_bytes : base_bytes;
			size_t n = over == 1 ? pair.over.n : pair.base.n, from, all;
			fresh();
			pair_section(bytes, n, id, &from, &all);
			all = id == 0 ? 512 : all; /* 0: the head and the table */
			size_t step = YG_MAX(all / 120 & ~(size_t)3, (size_t)4);
			for (size_t at = 0; at + 4 <= all; at += step) {
				uint32_t word;
				bool base_opened;
				fresh();
				memcpy(&word, bytes + from + at, 4);
				word = tried % 3 == 0   ? UINT32_MAX
				       : tried % 3 == 1 ? word + 1
							: word ^ 0x100u << tried % 24;
				memcpy(bytes + from + at, &word, 4);
				opened += open_both(&base_opened) == YG_OK;
				tried++;
			}
		}
	(void)printf("# %u words, %u still opened\n", tried, opened);
	T_OK(tried > 1000 && opened < tried);
}

int main(void)
{
	struct yg_err err = {.msg = ""};
	bool ok = pair_make(&pair, &err);
	if (!ok)
		(void)printf("# %s\n", err.msg);
	T_OK(ok);
	base_bytes = malloc(pair.base.n);
	over_bytes = malloc(pair.over.n);
	T_OK(base_bytes != NULL && over_bytes != NULL);
	if (ok && base_bytes != NULL && over_bytes != NULL) {
		memcpy(&base_head, pair.base.p, sizeof base_head);
		memcpy(&over_head, pair.over.p, sizeof over_head);
		test_answers();
		test_bases();
		test_offsets();
		test_words();
	}
	free(base_bytes);
	free(over_bytes);
	pair_free(&pair);
	return tap_done();
}
