#include "detect/expand.h"

#include "conf/tree.h"
#include "detect/read_internal.h"

yg_status yg_sigma_values_read(struct yg_sv yaml, const char *file_name, struct yg_arena *arena,
			       struct yg_sigma_values *out, struct yg_err *err)
{
	static const struct yg_yaml_limits limits = {YG_SIGMA_NODES_MAX, 4, 1};
	const struct yg_yaml *doc = NULL;
	yg_status st = yg_yaml_read_documents(yaml, file_name, &limits, arena, &doc, err);
	if (st != YG_OK)
		return st;
	if (doc == NULL || doc->kind != YG_YAML_MAP)
		return YG_FAIL(err, YG_PARSE, "%s:1: expected names and their values", file_name);
	for (const struct yg_yaml *n = doc->first; n != NULL; n = n->next) {
		bool list = n->kind == YG_YAML_LIST && n->count > 0;
		for (const struct yg_yaml *v = list ? n->first : n; v != NULL;
		     v = list ? v->next : NULL)
			if (v->kind != YG_YAML_TEXT || v->text.n == 0)
				return YG_FAIL(err, YG_PARSE,
					       "%s:%zu: expected a text or a list of texts",
					       file_name, v->line);
	}
	out->map = doc;
	return YG_OK;
}

/* The first placeholder of a pattern; its count when there is none. */
static size_t placeholder_of(const struct yg_sigma_pattern *p)
{
	size_t i = 0;
	while (i < p->count && p->parts[i].kind != YG_SIGMA_PLACEHOLDER)
		i++;
	return i;
}

/* The pattern with `text` in the place of part `at`; literals side by side become one, as
 * the reader makes them. */
static bool put_in(struct yg_arena *arena, const struct yg_sigma_pattern *p, size_t at,
		   struct yg_sv text, struct yg_sigma_pattern *out)
{
	struct yg_sigma_part *parts = YG_NEW_N(arena, struct yg_sigma_part, p->count);
	size_t n = 0;
	if (parts == NULL)
		return false;
	for (size_t i = 0; i < p->count; i++) {
		struct yg_sigma_part part = p->parts[i];
		if (i == at)
			part = (struct yg_sigma_part){YG_SIGMA_LITERAL, text};
		bool joins = part.kind == YG_SIGMA_LITERAL && n > 0 &&
			     parts[n - 1].kind == YG_SIGMA_LITERAL;
		if (!joins) {
			parts[n++] = part;
			continue;
		}
		struct yg_sv a = parts[n - 1].text, b = part.text;
		char *both = yg_arena_alloc(arena, a.n + b.n + 1, 1);
		if (both == NULL)
			return false;
		memcpy(both, a.p, a.n);
		memcpy(both + a.n, b.p, b.n);
		parts[n - 1].text = (struct yg_sv){both, a.n + b.n};
	}
	*out = (struct yg_sigma_pattern){parts, n};
	return true;
}

static const struct yg_yaml *values_of(const struct yg_sigma_values *values, struct yg_sv name)
{
	const struct yg_yaml *n = values->map != NULL ? values->map->first : NULL;
	while (n != NULL && !yg_sv_eq(n->key, name))
		n = n->next;
	return n;
}

struct expanding {
	const struct yg_sigma_values *values;
	struct yg_arena *arena;
	struct yg_err *err;
};

static yg_status nomem(const struct expanding *x)
{
	return YG_FAIL(x->err, YG_NOMEM, "no memory for the values of placeholders");
}

/* One placeholder of every pattern; *more: there was one. */
static yg_status expand_once(const struct expanding *x, struct yg_sigma_value *v, bool *more)
{
	struct yg_sigma_quote q;
	size_t count = 0, n = 0;
	*more = false;
	for (size_t i = 0; i < v->pattern_count; i++) {
		const struct yg_sigma_pattern *p = &v->patterns[i];
		size_t at = placeholder_of(p);
		if (at == p->count) {
			count++;
			continue;
		}
		const struct yg_yaml *have = values_of(x->values, p->parts[at].text);
		if (have == NULL)
			return YG_FAIL(x->err, YG_PARSE,
				       "line %zu: the placeholder '%s' has no values", v->line,
				       yg_sigma_quoted(&q, p->parts[at].text));
		count += have->kind == YG_YAML_LIST ? have->count : 1;
		*more = true;
	}
	if (!*more)
		return YG_OK;
	if (count > YG_SIGMA_VALUES_MAX)
		return YG_FAIL(x->err, YG_LIMIT, "line %zu: more than %d values of placeholders",
			       v->line, YG_SIGMA_VALUES_MAX);
	struct yg_sigma_pattern *all = YG_NEW_N(x->arena, struct yg_sigma_pattern, count + 1);
	if (all == NULL)
		return nomem(x);
	for (size_t i = 0; i < v->pattern_count; i++) {
		const struct yg_sigma_pattern *p = &v->patterns[i];
		size_t at = placeholder_of(p);
		if (at == p->count) {
			all[n++] = *p;
			continue;
		}
		const struct yg_yaml *have = values_of(x->values, p->parts[at].text);
		bool list = have->kind == YG_YAML_LIST;
		for (const struct yg_yaml *t = list ? have->first : have; t != NULL;
		     t = list ? t->next : NULL)
			if (!put_in(x->arena, p, at, t->text, &all[n++]))
				return nomem(x);
	}
	v->patterns = all;
	v->pattern_count = n;
	return YG_OK;
}

static yg_status expand_item(const struct expanding *x, struct yg_sigma_item *item)
{
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < item->value_count; i++) {
		bool more = item->values[i].test == YG_SIGMA_TEXT;
		while (st == YG_OK && more)
			st = expand_once(x, &item->values[i], &more);
	}
	return st;
}

yg_status yg_sigma_expand(struct yg_sigma_rule *rule, const struct yg_sigma_values *values,
			  struct yg_arena *arena, struct yg_err *err)
{
	const struct expanding x = {values, arena, err};
	struct yg_sigma_detection *d = &rule->detection;
	yg_status st = YG_OK;
	if (!d->placeholders)
		return YG_OK;
	for (size_t s = 0; s < d->search_count; s++)
		for (size_t m = 0; m < d->searches[s].count; m++)
			for (size_t i = 0; st == YG_OK && i < d->searches[s].maps[m].count; i++)
				st = expand_item(&x, &d->searches[s].maps[m].items[i]);
	d->placeholders = st != YG_OK;
	return st;
}
