#include "alert/compare.h"

#include <stdalign.h>
#include <stddef.h>
#include <stdlib.h>

#define GROW_FROM 64u

static int by_org(const void *key, const void *item)
{
	return yg_sv_cmp(*(const struct yg_sv *)key, ((const struct yg_compare_place *)item)->org);
}

/* Doubles a list in the arena when it is full. */
static yg_status grow(struct yg_arena *arena, void **list, size_t n, size_t *cap, size_t size,
		      struct yg_err *err)
{
	if (n < *cap)
		return YG_OK;
	size_t next = *cap > 0 ? *cap * 2 : GROW_FROM;
	void *more = yg_arena_zalloc(arena, next, size, alignof(max_align_t));
	if (more == NULL)
		return YG_FAIL(err, YG_NOMEM, "organisations");
	if (*list != NULL)
		memcpy(more, *list, n * size);
	*list = more;
	*cap = next;
	return YG_OK;
}

static yg_status take_row(struct yg_stmt *s, struct yg_arena *arena, struct yg_compare_row *r,
			  struct yg_err *err)
{
	struct yg_sv *text[] = {&r->org, &r->title_ja, &r->title_en};
	for (size_t i = 0; i < YG_LEN(text); i++) {
		*text[i] = yg_arena_dup(arena, yg_col_text(s, (int)i));
		if (text[i]->p == NULL)
			return YG_FAIL(err, YG_NOMEM, "organisations");
	}
	return yg_org_kind_parse(yg_col_text(s, 3), &r->kind);
}

static yg_status read_rows(struct yg_state *db, const struct yg_org_set *set,
			   struct yg_arena *arena, struct yg_compare *c, struct yg_err *err)
{
#define ROWS(where)                                                                                \
	"SELECT o.slug, o.title_ja, o.title_en, o.kind FROM organisation"                          \
	" o WHERE " where " ORDER BY o.slug"
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	size_t cap = 0;
	bool row = true;
	void *list = NULL;
	yg_status st = yg_state_prepare(
		db,
		set->all
			? YG_SQL(ROWS("o.kind = 'organisation'"))
			: YG_SQL(ROWS(
				  "o.slug IN yg_set($1) AND (o.kind = 'organisation' OR"
				  " (o.kind = 'unit' AND coalesce(o.parent, '') NOT IN yg_set($1)))")),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_org_set_bind(s, 1, set);
	while (st == YG_OK && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		st = grow(arena, &list, c->n, &cap, sizeof *c->rows, err);
		c->rows = list;
		if (st == YG_OK)
			st = take_row(s, arena, &c->rows[c->n++], err);
	}
	return st;
}

static const struct yg_compare_row *row_of(const struct yg_compare *c, struct yg_sv org)
{
	size_t low = 0, high = c->n;
	while (low < high) {
		size_t at = low + (high - low) / 2;
		int d = yg_sv_cmp(c->rows[at].org, org);
		if (d == 0)
			return &c->rows[at];
		if (d < 0)
			low = at + 1;
		else
			high = at;
	}
	return NULL;
}

static yg_status read_places(struct yg_state *db, const struct yg_org_set *set,
			     struct yg_arena *arena, struct yg_compare *c, struct yg_err *err)
{
#define PLACES(where)                                                                              \
	"SELECT p.slug, p.ancestor FROM organisation_path p JOIN organisation o ON"                \
	" o.slug = p.ancestor AND o.kind IN ('organisation', 'unit')" where " ORDER BY p.slug"
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	size_t cap = 0;
	bool row = true;
	void *list = NULL;
	yg_status st = yg_state_prepare(
		db, set->all ? YG_SQL(PLACES("")) : YG_SQL(PLACES(" WHERE p.slug IN yg_set($1)")),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_org_set_bind(s, 1, set);
	while (st == YG_OK && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		const struct yg_compare_row *of = row_of(c, yg_col_text(s, 1));
		if (of == NULL)
			continue;
		st = grow(arena, &list, c->place_count, &cap, sizeof *c->places, err);
		c->places = list;
		if (st != YG_OK)
			break;
		struct yg_compare_place *p = &c->places[c->place_count++];
		p->row = (size_t)(of - c->rows);
		p->org = yg_arena_dup(arena, yg_col_text(s, 0));
		if (p->org.p == NULL)
			st = YG_FAIL(err, YG_NOMEM, "organisations");
	}
	return st;
}

/* The first of the places of `org`; NULL: of no row. */
static const struct yg_compare_place *places_of(const struct yg_compare *c, struct yg_sv org)
{
	const struct yg_compare_place *p =
		c->place_count > 0 ? bsearch(&org, c->places, c->place_count, sizeof *p, by_org)
				   : NULL;
	while (p != NULL && p > c->places && yg_sv_eq(p[-1].org, org))
		p--;
	return p;
}

void yg_compare_add(struct yg_compare *c, enum yg_measure m, struct yg_sv org, int64_t value,
		    int64_t before)
{
	const struct yg_compare_place *end = c->places + c->place_count;
	for (const struct yg_compare_place *p = places_of(c, org);
	     p != NULL && p < end && yg_sv_eq(p->org, org); p++) {
		c->rows[p->row].value[m] += value;
		c->rows[p->row].before[m] += before;
	}
}

static yg_status add_rows(struct yg_stmt *s, struct yg_compare *c, enum yg_measure m,
			  struct yg_err *err)
{
	yg_status st;
	bool row = true;
	while ((st = yg_stmt_step(s, &row, err)) == YG_OK && row)
		yg_compare_add(c, m, yg_col_text(s, 0), yg_col_i64(s, 1), yg_col_i64(s, 2));
	return st;
}

/* Those open at now, and at the beginning of the period.  The hours of one organisation
 * after the other out of their index (CROSS: in this order), not all there are. */
static yg_status read_grave(struct yg_state *db, const struct yg_org_set *set,
			    const struct yg_compare_times *t, struct yg_compare *c,
			    struct yg_err *err)
{
#define GRAVE(where)                                                                               \
	"SELECT org, sum(n), sum(n) FROM alert_count WHERE state <> 'closed' AND severity_id > 3"  \
	" AND n <> 0" where " GROUP BY org"
#define GRAVE_SINCE(of, key)                                                                       \
	"SELECT o." key                                                                            \
	", -sum(CASE WHEN h.hour >= $2 THEN h.delta ELSE 0 END), -sum(h.delta) FROM " of           \
	" o CROSS JOIN alert_hour h WHERE h.org = o." key                                          \
	" AND h.hour >= $1 AND h.severity_id > 3 GROUP BY o." key
	YG_AUTO(yg_stmt_donep) struct yg_stmt *now = NULL;
	YG_AUTO(yg_stmt_donep) struct yg_stmt *since = NULL;
	yg_status st = yg_state_prepare(
		db, set->all ? YG_SQL(GRAVE("")) : YG_SQL(GRAVE(" AND org IN yg_set($1)")), &now,
		err);
	if (st != YG_OK)
		return st;
	yg_org_set_bind(now, 1, set);
	st = add_rows(now, c, YG_MEASURE_GRAVE, err);
	if (st == YG_OK)
		st = yg_state_prepare(db,
				      set->all ? YG_SQL(GRAVE_SINCE("organisation", "slug"))
					       : YG_SQL(GRAVE_SINCE("yg_set($3)", "item")),
				      &since, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(since, 1, t->middle);
	yg_stmt_i64(since, 2, (t->now.us + YG_HOUR_US - 1) / YG_HOUR_US);
	yg_org_set_bind(since, 3, set);
	return add_rows(since, c, YG_MEASURE_GRAVE, err);
}

static yg_status read_opened(struct yg_state *db, const struct yg_org_set *set,
			     const struct yg_compare_times *t, struct yg_compare *c,
			     struct yg_err *err)
{
#define OPENED(of, key)                                                                            \
	"SELECT o." key ", sum(CASE WHEN h.hour >= $2 THEN h.created ELSE 0 END),"                 \
	" sum(CASE WHEN h.hour < $2 THEN h.created ELSE 0 END) FROM " of                           \
	" o CROSS JOIN alert_hour h WHERE h.org = o." key                                          \
	" AND h.hour >= $1 AND h.hour < $3 GROUP BY o." key
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(db,
					set->all ? YG_SQL(OPENED("organisation", "slug"))
						 : YG_SQL(OPENED("yg_set($4)", "item")),
					&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, t->from);
	yg_stmt_i64(s, 2, t->middle);
	yg_stmt_i64(s, 3, (t->now.us + YG_HOUR_US - 1) / YG_HOUR_US);
	yg_org_set_bind(s, 4, set);
	return add_rows(s, c, YG_MEASURE_OPENED, err);
}

/* Sums of seconds; yg_compare_end() divides. */
static yg_status read_triage(struct yg_state *db, const struct yg_org_set *set,
			     const struct yg_compare_times *t, struct yg_compare *c,
			     struct yg_err *err)
{
#define TRIAGE(where)                                                                              \
	"SELECT org, sum(CASE WHEN triaged >= $2 THEN (triaged - created) / 1000000 ELSE 0 END),"  \
	" sum(CASE WHEN triaged < $2 THEN (triaged - created) / 1000000 ELSE 0 END),"              \
	" sum(CASE WHEN triaged >= $2 THEN 1 ELSE 0 END),"                                         \
	" sum(CASE WHEN triaged < $2 THEN 1 ELSE 0 END) FROM alert WHERE triaged > 0"              \
	" AND triaged >= $1 AND triaged < $3" where " GROUP BY org"
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = true;
	yg_status st = yg_state_prepare(
		db, set->all ? YG_SQL(TRIAGE("")) : YG_SQL(TRIAGE(" AND org IN yg_set($4)")), &s,
		err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, t->from * YG_HOUR_US);
	yg_stmt_i64(s, 2, t->middle * YG_HOUR_US);
	yg_stmt_i64(s, 3, t->now.us);
	yg_org_set_bind(s, 4, set);
	const struct yg_compare_place *end = c->places + c->place_count;
	while ((st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		struct yg_sv org = yg_col_text(s, 0);
		yg_compare_add(c, YG_MEASURE_TRIAGE_S, org, yg_col_i64(s, 1), yg_col_i64(s, 2));
		for (const struct yg_compare_place *p = places_of(c, org);
		     p != NULL && p < end && yg_sv_eq(p->org, org); p++) {
			c->rows[p->row].triaged += yg_col_i64(s, 3);
			c->rows[p->row].triaged_before += yg_col_i64(s, 4);
		}
	}
	return st;
}

static yg_status read_sources(struct yg_state *db, const struct yg_org_set *set,
			      const struct yg_compare_times *t, struct yg_arena *arena,
			      struct yg_compare *c, struct yg_err *err)
{
	struct yg_coverage_sum *sums = NULL;
	size_t n = 0;
	yg_status st = yg_coverage_by_org(db, set, t->now, (yg_wall){0}, arena, &sums, &n, err);
	const struct yg_compare_place *end = c->places + c->place_count;
	for (size_t i = 0; st == YG_OK && i < n; i++) {
		yg_compare_add(c, YG_MEASURE_SILENT, sums[i].org, sums[i].silent, 0);
		for (const struct yg_compare_place *p = places_of(c, sums[i].org);
		     p != NULL && p < end && yg_sv_eq(p->org, sums[i].org); p++) {
			struct yg_compare_row *r = &c->rows[p->row];
			r->expected += sums[i].expected;
			r->reporting += sums[i].reporting;
			r->last_received.us = YG_MAX(r->last_received.us, sums[i].last_received.us);
		}
	}
	return st;
}

yg_status yg_compare_read(struct yg_state *db, const struct yg_org_set *set,
			  const struct yg_compare_times *t, struct yg_arena *arena,
			  struct yg_compare *out, struct yg_err *err)
{
	*out = (struct yg_compare){0};
	yg_status st = read_rows(db, set, arena, out, err);
	if (st == YG_OK && out->n > 0)
		st = read_places(db, set, arena, out, err);
	if (st != YG_OK || out->n == 0)
		return st;
	st = read_grave(db, set, t, out, err);
	if (st == YG_OK)
		st = read_opened(db, set, t, out, err);
	if (st == YG_OK)
		st = read_triage(db, set, t, out, err);
	return st == YG_OK ? read_sources(db, set, t, arena, out, err) : st;
}

static int worse(const void *a, const void *b)
{
	static const enum yg_measure by[] = {YG_MEASURE_GRAVE, YG_MEASURE_SILENT,
					     YG_MEASURE_TRIAGE_S};
	const struct yg_compare_row *x = a, *y = b;
	for (size_t i = 0; i < YG_LEN(by); i++) {
		if (x->value[by[i]] != y->value[by[i]])
			return x->value[by[i]] > y->value[by[i]] ? -1 : 1;
	}
	return yg_sv_cmp(x->org, y->org);
}

void yg_compare_end(struct yg_compare *c)
{
	for (size_t i = 0; i < c->n; i++) {
		struct yg_compare_row *r = &c->rows[i];
		int64_t *value = r->value, *before = r->before;
		value[YG_MEASURE_TRIAGE_S] =
			r->triaged > 0 ? value[YG_MEASURE_TRIAGE_S] / r->triaged : YG_NO_MEASURE;
		before[YG_MEASURE_TRIAGE_S] =
			r->triaged_before > 0 ? before[YG_MEASURE_TRIAGE_S] / r->triaged_before
					      : YG_NO_MEASURE;
		value[YG_MEASURE_HEARD_PCT] =
			r->expected > 0 ? r->reporting * 100 / r->expected : YG_NO_MEASURE;
		before[YG_MEASURE_HEARD_PCT] = before[YG_MEASURE_SILENT] = YG_NO_MEASURE;
		if (r->expected == 0)
			value[YG_MEASURE_SILENT] = YG_NO_MEASURE;
	}
	if (c->n > 1)
		qsort(c->rows, c->n, sizeof c->rows[0], worse);
	c->place_count = 0;
}

static int smaller(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

/* Two digits are enough to compare with. */
static int64_t rounded(int64_t v, enum yg_measure m)
{
	int64_t unit = 1;
	if (m == YG_MEASURE_HEARD_PCT)
		return (v + 2) / 5 * 5;
	while (v / unit >= 100)
		unit *= 10;
	return (v + unit / 2) / unit * unit;
}

static bool is_own(const struct yg_org_set *own, struct yg_sv org)
{
	for (size_t i = 0; i < own->n; i++) {
		if (yg_sv_eq(own->slugs[i], org))
			return true;
	}
	return false;
}

yg_status yg_compare_peers(const struct yg_compare *c, const struct yg_org_set *own,
			   struct yg_arena *arena, struct yg_peers *out, struct yg_err *err)
{
	int64_t *v = YG_NEW_N(arena, int64_t, c->n + 1);
	bool *mine = YG_NEW_N(arena, bool, c->n + 1);
	size_t others = 0;
	*out = (struct yg_peers){0};
	if (v == NULL || mine == NULL)
		return YG_FAIL(err, YG_NOMEM, "organisations");
	for (size_t i = 0; i < c->n; i++) {
		mine[i] = !own->all && is_own(own, c->rows[i].org);
		others += !mine[i];
	}
	if (others >= YG_PEERS_MIN)
		out->organisations = (int64_t)(others / YG_PEERS_MIN * YG_PEERS_MIN);
	for (int m = 0; m < YG_MEASURE_COUNT; m++) {
		size_t n = 0, theirs = 0;
		for (size_t i = 0; i < c->n; i++) {
			if (c->rows[i].value[m] == YG_NO_MEASURE)
				continue;
			v[n++] = c->rows[i].value[m];
			theirs += !mine[i];
		}
		out->median[m] = YG_NO_MEASURE;
		if (theirs < YG_PEERS_MIN)
			continue;
		qsort(v, n, sizeof v[0], smaller);
		out->median[m] = rounded((v[(n - 1) / 2] + v[n / 2]) / 2, (enum yg_measure)m);
	}
	return YG_OK;
}
