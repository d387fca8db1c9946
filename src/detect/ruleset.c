/* ruleset.c - a set opened, and every number of its tables verified. */
#include <stdlib.h>

#include "detect/ruleset_internal.h"

struct yg_sv yg_ruleset_schema(char *buf, size_t n)
{
	struct yg_sb b = yg_sb_init(buf, n);
	yg_sb_put(&b, YG_SV("ruleset 2"));
#define X(id, name, type) yg_sb_printf(&b, "; " #id " " #name " %zu", sizeof(type));
	YG_RULESET_TABLES(X)
#undef X
	return yg_sb_sv(&b);
}

/* ---- verification ---- */

static bool text_in(const struct yg_ruleset *r, struct yg_detect_text t)
{
	return t.at <= r->texts_count && t.n <= r->texts_count - t.at;
}

static bool span_in(uint32_t at, uint32_t n, uint64_t count)
{
	return at <= count && n <= count - at;
}

static bool org_in(const struct yg_ruleset *r, uint32_t org)
{
	return org == YG_RULESET_NONE || org < r->orgs_count;
}

static bool staged_good(const struct yg_ruleset *r, const struct yg_ruleset_staged *s)
{
	return s->stage <= YG_STAGE_LIVE && org_in(r, s->scope) &&
	       span_in(s->overrides, s->override_count, r->overs_count);
}

static bool row_good(const struct yg_ruleset *r, const struct yg_ruleset_row *w)
{
	return w->kind <= YG_ROW_FILTER && staged_good(r, &w->is) &&
	       span_in(w->exceptions, w->exception_count, r->excepts_count) &&
	       span_in(w->refs, w->ref_count, r->refs_count) &&
	       span_in(w->fields, w->field_count, r->fields_count) && text_in(r, w->uid) &&
	       text_in(r, w->collection);
}

static bool lists_good(const struct yg_ruleset *r)
{
	for (uint64_t i = 0; i < r->overs_count; i++)
		if (!org_in(r, r->overs[i].org) || r->overs[i].stage > YG_STAGE_LIVE)
			return false;
	for (uint64_t i = 0; i < r->excepts_count; i++)
		if (!org_in(r, r->excepts[i].org) || r->excepts[i].row >= r->rows_count)
			return false;
	for (uint64_t i = 0; i < r->refs_count; i++)
		if (!staged_good(r, &r->refs[i].is))
			return false;
	for (uint64_t i = 0; i < r->fields_count; i++)
		if (!text_in(r, r->fields[i]))
			return false;
	return true;
}

static bool good(const struct yg_ruleset *r)
{
	if (r->infos_count != 1 || r->infos[0].common > r->excepts_count ||
	    r->infos[0].rules > r->rows_count || r->rows_count != r->engine->rules_count ||
	    r->orgs_count >= YG_RULESET_NONE)
		return false;
	for (uint64_t i = 0; i < r->orgs_count; i++)
		if (!text_in(r, r->orgs[i].slug) || !org_in(r, r->orgs[i].parent))
			return false;
	for (uint64_t i = 0; i < r->rows_count; i++)
		if (!row_good(r, &r->rows[i]))
			return false;
	return lists_good(r);
}

/* ---- opening ---- */

static yg_status open_tables(struct yg_ruleset *r, struct yg_err *err)
{
	static const struct {
		uint32_t id, elem;
		size_t table, count; /* where in the set */
	} tables[] = {
#define X(id, name, type)                                                                          \
	{id, sizeof(type), offsetof(struct yg_ruleset, name),                                      \
	 offsetof(struct yg_ruleset, name##_count)},
		YG_RULESET_TABLES(X)
#undef X
	};
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < YG_LEN(tables); i++) {
		const void *p = NULL;
		uint64_t count = 0;
		st = yg_snap_find(&r->engine->snap, tables[i].id, tables[i].elem, &p, &count, err);
		memcpy((char *)r + tables[i].table, &p, sizeof p);
		memcpy((char *)r + tables[i].count, &count, sizeof count);
	}
	if (st == YG_OK && !good(r))
		st = YG_FAIL(err, YG_CORRUPT, "the tables of the rules do not fit together");
	return st;
}

static yg_status open_any(int fd, const void *p, size_t n, uint64_t min_generation,
			  struct yg_ruleset **out, struct yg_err *err)
{
	char text[1000];
	struct yg_ruleset *r = calloc(1, sizeof *r);
	if (r == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory to open the rules");
	yg_status st = yg_detect_open_more(fd, p, n, yg_ruleset_schema(text, sizeof text),
					   min_generation, &r->engine, err);
	if (st == YG_OK)
		st = open_tables(r, err);
	if (st != YG_OK) {
		yg_ruleset_free(r);
		return st;
	}
	*out = r;
	return YG_OK;
}

yg_status yg_ruleset_open_fd(int fd, uint64_t min_generation, struct yg_ruleset **out,
			     struct yg_err *err)
{
	return open_any(fd, NULL, 0, min_generation, out, err);
}

yg_status yg_ruleset_open_bytes(const void *p, size_t n, struct yg_ruleset **out,
				struct yg_err *err)
{
	return open_any(-1, p, n, 0, out, err);
}

void yg_ruleset_free(struct yg_ruleset *r)
{
	if (r == NULL)
		return;
	yg_detect_free(r->engine);
	free(r);
}

uint64_t yg_ruleset_generation(const struct yg_ruleset *r)
{
	return r->engine->snap.head.generation;
}

size_t yg_ruleset_count(const struct yg_ruleset *r)
{
	return r->infos[0].rules;
}

size_t yg_ruleset_rows(const struct yg_ruleset *r)
{
	return r->rows_count;
}

uint32_t yg_ruleset_org(const struct yg_ruleset *r, struct yg_sv slug)
{
	uint32_t low = 0, high = (uint32_t)r->orgs_count;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		int c = yg_sv_cmp(yg_ruleset_sv(r, r->orgs[mid].slug), slug);
		if (c == 0)
			return mid;
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return YG_RULESET_NONE;
}

const struct yg_detect *yg_ruleset_engine(const struct yg_ruleset *r)
{
	return r->engine;
}

struct yg_ruleset_about yg_ruleset_about(const struct yg_ruleset *r, uint32_t rule)
{
	struct yg_ruleset_about a = {.rule = yg_detect_about(r->engine, rule)};
	if (rule >= r->rows_count)
		return a;
	a.uid = yg_ruleset_sv(r, r->rows[rule].uid);
	a.collection = yg_ruleset_sv(r, r->rows[rule].collection);
	return a;
}

bool yg_ruleset_wanted(const struct yg_ruleset *r, uint32_t rule, uint32_t i, struct yg_sv *out)
{
	if (rule >= r->rows_count || i >= r->rows[rule].field_count)
		return false;
	*out = yg_ruleset_sv(r, r->fields[r->rows[rule].fields + i]);
	return true;
}
