/* zones_base.c - what the next policies stand over: the last one that was compiled whole,
 * and which keys of every zone have changed since.  A zone that is not known by its
 * changes, because its file or all of it is new, is compiled anew beside the base as long
 * as it is small; when what is beside it has grown, all is compiled again. */
#include <stdlib.h>

#include "dns/xfr.h"
#include "role/zones_internal.h"

#define BASE_NAMES  20000u /* a smaller policy is compiled in no time */
#define BESIDE_MOST 50000u /* names of zones that are compiled anew */
#define KEYS_MOST   (YG_DNS_CHANGES_MAX / 8)
#define SINCE_BYTES ((size_t)64 << 20)
#define REST_TIMES  10 /* all is compiled a tenth of a core's time at most */
#define REST_LEAST  (5 * YG_US_PER_S)
#define SLOW_PART   4 /* a policy beside the base is to take less than a quarter of its time */
#define PREPARE_US  (60 * YG_US_PER_S) /* until it is tried again */

static void drop(struct zone *z)
{
	yg_dns_changes_free(z->changes);
	z->changes = NULL;
}

static void forget(struct zones *z)
{
	for (size_t i = 0; i < z->count; i++)
		drop(&z->zones[i]);
	yg_dns_policy_close(z->base.policy);
	z->base = (struct zones_base){.full_at = z->base.full_at};
}

void zones_base_drop(struct zone *z)
{
	drop(z);
	z->since_all = true;
}

void zones_base_set(struct zones *z, struct zones_compiled *c)
{
	struct yg_err err = {0};
	forget(z);
	z->base.full_at = zones_now(z) + YG_MAX(c->used_us * REST_TIMES, (int64_t)REST_LEAST);
	if (c->policy == NULL || yg_dns_policy_info(c->policy).names < BASE_NAMES)
		return;
	z->base.policy = c->policy;
	c->policy = NULL;
	z->base.generation = c->generation;
	z->base.used_us = c->used_us;
	for (size_t i = 0; i < z->count; i++) {
		struct zone *one = &z->zones[i];
		one->base_stats = one->stats;
		one->base_refused = one->news.refused_n;
		(void)yg_dns_changes_new(z->base.policy, &one->changes, &err);
	}
}

static yg_status note(void *ctx, const struct yg_zone_rr *rr, struct yg_err *err)
{
	struct zone *z = ctx;
	return yg_dns_changes_add(z->changes, rr->owner, &z->origin, err);
}

static yg_status note_since(void *ctx, const struct yg_zone_rr *rr, struct yg_err *err)
{
	struct zone *z = ctx;
	yg_dns_record_pack(&z->since, rr, &z->origin, 0);
	return z->since.bad ? YG_FAIL(err, YG_LIMIT, "much has changed") : YG_OK;
}

void zones_base_note(struct zone *z, const struct yg_dns_xfr *x)
{
	if (z->changes != NULL && (yg_dns_xfr_each(x, note, z, NULL) != YG_OK ||
				   yg_dns_changes_count(z->changes) > KEYS_MOST))
		drop(z);
	if (zones_job_generation(z->all) != 0 && !z->since_all &&
	    yg_dns_xfr_each(x, note_since, z, NULL) != YG_OK)
		z->since_all = true;
}

void zones_base_since_begin(struct zone *z)
{
	yg_buf_free(&z->since);
	yg_buf_init(&z->since, SINCE_BYTES);
	z->since_all = false;
}

void zones_base_since_end(struct zone *z)
{
	struct yg_sv rest = yg_buf_sv(&z->since);
	struct yg_dns_name owner;
	struct yg_zone_rr rr;
	uint8_t mark;
	if (z->since_all)
		drop(z);
	while (z->changes != NULL && yg_dns_record_unpack(&rest, &z->origin, &mark, &owner, &rr))
		if (yg_dns_changes_add(z->changes, &owner, &z->origin, NULL) != YG_OK)
			drop(z);
	yg_buf_free(&z->since);
	z->since_all = false;
}

/* About how many names it has. */
static uint64_t names_of(const struct zone *z)
{
	if (z->now.records != NULL)
		return yg_dns_records_count(z->now.records);
	return YG_MAX(z->now.list_plain, (uint64_t)zones_list(z).n) / 16;
}

bool zones_base_large(const struct zones *z)
{
	uint64_t names = z->indicator_count;
	for (size_t i = 0; i < z->count; i++)
		names += names_of(&z->zones[i]);
	return names >= BASE_NAMES;
}

bool zones_base_fits(const struct zones *z)
{
	uint64_t beside = z->allow_count + z->block_count;
	if (z->base.policy == NULL)
		return false;
	if (z->intel_changed)
		beside += YG_MAX(z->indicator_count, zones_intel_names(z));
	for (size_t i = 0; i < z->count; i++)
		if (z->zones[i].changes == NULL)
			beside += names_of(&z->zones[i]);
	return beside <= BESIDE_MOST;
}

void zones_base_done(struct zones *z, int64_t used_us)
{
	size_t keys = 0;
	for (size_t i = 0; i < z->count; i++)
		if (z->zones[i].changes != NULL)
			keys += yg_dns_changes_count(z->zones[i].changes);
	z->base.again = keys > KEYS_MOST / 2 || used_us > z->base.used_us / SLOW_PART;
}

void zones_base_tick(struct zones *z)
{
	if (!z->base.again || zones_now(z) < z->base.full_at || zones_job_busy(z))
		return;
	z->base.again = false;
	if (zones_job_begin(z, ZONES_COMPILE))
		return;
	forget(z); /* here, then, however long it takes */
	zones_changed(z);
}

/* ---- its records ---- */

struct walk {
	const struct zone *z;
	size_t at, changed_at;
};
static bool next(void *ctx, struct yg_dns_name *owner, struct yg_zone_rr *rr)
{
	struct walk *w = ctx;
	return yg_dns_records_next(w->z->now.records, &w->at, owner, rr);
}

static bool may(const void *ctx, struct yg_sv front)
{
	return yg_dns_changes_may(ctx, front);
}

static bool next_changed(void *ctx, struct yg_dns_name *owner, struct yg_zone_rr *rr)
{
	struct walk *w = ctx;
	return yg_dns_records_next_if(w->z->now.records, &w->changed_at, may, w->z->changes, owner,
				      rr);
}

/* ---- so that the next changes are in force sooner ---- */

static bool is_unlearnt(const struct zone *z)
{
	return z->changes != NULL && !yg_dns_changes_learnt(z->changes);
}

static bool learn(struct zone *z)
{
	struct walk w = {.z = z};
	const struct yg_dns_changes_source from = {&w, next, next_changed};
	if (!is_unlearnt(z))
		return false;
	(void)yg_dns_changes_learn(z->changes, yg_dns_records_origin(z->now.records), &from, NULL);
	return true;
}

/* Of a large one, which the thread does. */
static bool is_unprepared(const struct zone *z)
{
	const struct yg_dns_records *r = z->now.records;
	return z->conf->axfr.n > 0 && r != NULL && yg_dns_records_is_large(r) &&
	       (!yg_dns_records_is_indexed(r) || is_unlearnt(z));
}

void zones_prepare(struct zone *z)
{
	struct yg_dns_records *r = z->now.records;
	if (yg_dns_records_is_large(r)) {
		(void)zones_job_begin(z->all, ZONES_PREPARE); /* if not now, at the next tick */
		return;
	}
	bool indexed = yg_dns_records_prepare(r), learnt = learn(z);
	if (indexed || learnt)
		yg_dns_records_rest(r);
}

bool zones_prepare_due(const struct zones *z)
{
	bool due = false;
	for (size_t i = 0; i < z->count; i++)
		due = due || is_unprepared(&z->zones[i]);
	return due && zones_now(z) >= z->prepare_at;
}

/* whole: it is compiled into a base of its own. */
void zones_prepare_begin(const struct zones *z, struct zones *seen, bool whole)
{
	for (size_t i = 0; i < z->count; i++) {
		const struct zone *one = &z->zones[i];
		struct zone *to = &seen->zones[i];
		if (one->conf->axfr.n == 0 || one->now.records == NULL)
			continue;
		to->to_index = yg_dns_records_is_large(one->now.records) &&
			       !yg_dns_records_is_indexed(one->now.records);
		to->to_learn = whole || is_unlearnt(one);
	}
}

void zones_prepare_work(struct zones *seen, const struct yg_dns_policy *base)
{
	for (size_t i = 0; i < seen->count; i++) {
		struct zone *one = &seen->zones[i];
		if (one->to_index)
			(void)yg_dns_records_view_index(one->now.records);
		if (one->to_learn && base != NULL &&
		    yg_dns_changes_new(base, &one->changes, NULL) == YG_OK)
			(void)learn(one);
	}
}

void zones_prepare_end(struct zones *z, struct zones *seen)
{
	z->prepare_at = 0;
	for (size_t i = 0; i < z->count; i++) {
		struct zone *one = &z->zones[i];
		if (one->now.records != NULL && seen->zones[i].now.records != NULL)
			yg_dns_records_take_index(one->now.records, seen->zones[i].now.records);
		if (is_unlearnt(one) && seen->zones[i].changes != NULL)
			yg_dns_changes_take_learnt(one->changes, seen->zones[i].changes);
	}
	if (zones_prepare_due(z)) /* no memory, or it has changed too much meanwhile */
		z->prepare_at = zones_now(z) + PREPARE_US;
}

/* ---- compiling ---- */

yg_status zones_base_continue(struct zone *z, struct yg_dns_builder *b, uint32_t number,
			      struct yg_err *err)
{
	struct walk w = {.z = z};
	const struct yg_dns_changes_source from = {&w, next, next_changed};
	struct yg_dns_name owner;
	struct yg_zone_rr rr;
	z->news.refused_n = z->base_refused; /* and what is refused of the changes */
	yg_status st = yg_dns_builder_continue(b, number, &z->base_stats, err);
	if (st == YG_OK && z->now.records != NULL &&
	    yg_dns_records_soa(z->now.records, &owner, &rr))
		st = yg_dns_builder_rr(b, number, &rr, err);
	if (st == YG_OK && z->now.records != NULL)
		st = yg_dns_changes_apply(z->changes, b, number,
					  yg_dns_records_origin(z->now.records), &from, err);
	return st;
}

struct yg_dns_zone_stats zones_base_stats(const struct zone *z, const struct yg_dns_builder *b,
					  uint32_t number)
{
	struct yg_dns_zone_stats s = yg_dns_builder_stats(b, number);
	if (z->now.records == NULL)
		return s;
	uint64_t rest = s.taken + s.duplicates + s.other + s.out_of_zone;
	s.records = yg_dns_records_count(z->now.records) + s.out_of_zone;
	s.refused = s.records - YG_MIN(s.records, rest);
	return s;
}
