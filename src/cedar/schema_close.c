/* schema_close.c - what is above what in a schema: entity types that an entity may be in,
 * actions that an action is in.  By numbers, so that long chains are no more work than
 * what comes out. */
#include <stdlib.h>

#include "cedar/schema_internal.h"

/* Types or actions by their place in the sorted list, with what each names itself. */
struct graph {
	uint32_t n;
	uint32_t *first;  /* owned; per node, and one more: where its edges begin */
	struct yg_vec to; /* owned; uint32_t: nodes right above */
	uint32_t *seen;   /* owned; per node: the last one that it was found above, from 1 */
	uint32_t *found;  /* owned; all above the node at hand */
	uint32_t found_n;
	uint64_t looked_at; /* edges, over all nodes */
};

static void graph_free(struct graph *g)
{
	free(g->first);
	free(g->to.p);
	free(g->seen);
	free(g->found);
}

static bool graph_init(struct graph *g, size_t n)
{
	g->n = (uint32_t)n;
	g->first = calloc(n + 1, sizeof(uint32_t));
	g->seen = calloc(n + 1, sizeof(uint32_t));
	g->found = calloc(n + 1, sizeof(uint32_t));
	return g->first != NULL && g->seen != NULL && g->found != NULL;
}

static bool add(struct graph *g, uint32_t to)
{
	uint32_t *edge = yg_vec_add(&g->to, sizeof *edge);
	if (edge != NULL)
		*edge = to;
	return edge != NULL;
}

static int by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* All above the node, sorted; false: looked at too many. */
static bool all_above(struct graph *g, uint32_t node)
{
	uint32_t at = node;
	g->found_n = 0;
	for (uint32_t next = 0;; at = g->found[next++]) {
		for (uint32_t k = g->first[at]; k < g->first[at + 1]; k++) {
			uint32_t to = ((const uint32_t *)g->to.p)[k];
			if (g->looked_at++ >= YG_CEDAR_SCHEMA_ABOVE_MAX)
				return false;
			if (g->seen[to] == node + 1)
				continue;
			g->seen[to] = node + 1;
			g->found[g->found_n++] = to;
		}
		if (next == g->found_n)
			break;
	}
	if (g->found_n > 1)
		qsort(g->found, g->found_n, sizeof *g->found, by_number);
	return true;
}

static yg_status fail_above(struct yg_cs_reading *r, const char *what, struct yg_sv name)
{
	char text[128];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_put_untrusted(&b, yg_sv_sub(name, 0, 30));
	return YG_FAIL(r->err, YG_LIMIT,
		       "the %s of the schema have more than %d above them in all (at '%s')", what,
		       YG_CEDAR_SCHEMA_ABOVE_MAX, yg_sb_cstr(&b));
}

/* ---- entity types ---- */

static uint32_t number_of_type(const struct yg_cedar_schema *s, struct yg_sv name)
{
	struct yg_cedar_entity_type *const *types = s->types.p;
	uint32_t low = 0, high = (uint32_t)s->types.n;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		int c = yg_sv_cmp(name, types[mid]->name);
		if (c == 0)
			return mid;
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return UINT32_MAX;
}

static int by_text(const void *a, const void *b)
{
	return yg_sv_cmp(*(const struct yg_sv *)a, *(const struct yg_sv *)b);
}

static bool take_types(const struct yg_cedar_schema *s, struct graph *g)
{
	struct yg_cedar_entity_type *const *types = s->types.p;
	bool room = graph_init(g, s->types.n);
	for (uint32_t i = 0; room && i < g->n; i++) {
		for (uint32_t k = 0; room && k < types[i]->parent_n; k++) {
			uint32_t to = number_of_type(s, types[i]->parents[k]);
			room = to == UINT32_MAX || add(g, to);
		}
		g->first[i + 1] = (uint32_t)g->to.n;
	}
	return room;
}

static yg_status close_types(struct yg_cs_reading *r, struct graph *g)
{
	struct yg_cedar_entity_type **types = r->s->types.p;
	if (!take_types(r->s, g))
		return yg_cs_nomem(r->err);
	for (uint32_t i = 0; i < g->n; i++) {
		if (!all_above(g, i))
			return fail_above(r, "entity types", types[i]->name);
		if (types[i]->id_n > 1)
			qsort(types[i]->ids, types[i]->id_n, sizeof(struct yg_sv), by_text);
		struct yg_sv *names = YG_NEW_N(&r->s->arena, struct yg_sv, (size_t)g->found_n + 1);
		if (names == NULL)
			return yg_cs_nomem(r->err);
		for (uint32_t k = 0; k < g->found_n; k++)
			names[k] = types[g->found[k]]->name;
		types[i]->parents = names;
		types[i]->parent_n = g->found_n;
	}
	return YG_OK;
}

bool yg_cedar_type_may_be_in(const struct yg_cedar_entity_type *t, struct yg_sv above)
{
	return t->parent_n > 0 &&
	       bsearch(&above, t->parents, t->parent_n, sizeof above, by_text) != NULL;
}

bool yg_cedar_type_has_id(const struct yg_cedar_entity_type *t, struct yg_sv id)
{
	return t->id_n > 0 && bsearch(&id, t->ids, t->id_n, sizeof id, by_text) != NULL;
}

/* ---- actions ---- */

static uint32_t number_of_action(const struct yg_cedar_schema *s, const struct yg_cedar_uid *uid)
{
	const struct yg_cedar_action_type *a = yg_cedar_schema_action(s, uid);
	return a != NULL ? a->number : UINT32_MAX;
}

static bool take_actions(const struct yg_cedar_schema *s, struct graph *g)
{
	struct yg_cedar_action_type *const *actions = s->actions.p;
	bool room = graph_init(g, s->actions.n);
	for (uint32_t i = 0; i < s->actions.n; i++)
		actions[i]->number = i;
	for (uint32_t i = 0; room && i < g->n; i++) {
		for (uint32_t k = 0; room && k < actions[i]->parent_n; k++) {
			uint32_t to = number_of_action(s, &actions[i]->parents[k]);
			room = to == UINT32_MAX || add(g, to);
		}
		g->first[i + 1] = (uint32_t)g->to.n;
	}
	return room;
}

static yg_status close_actions(struct yg_cs_reading *r, struct graph *g)
{
	struct yg_cedar_action_type **actions = r->s->actions.p;
	if (!take_actions(r->s, g))
		return yg_cs_nomem(r->err);
	for (uint32_t i = 0; i < g->n; i++) {
		struct yg_cedar_action_type *a = actions[i];
		if (!all_above(g, i))
			return fail_above(r, "actions", a->uid.id);
		if (g->seen[i] == i + 1)
			return yg_cs_fail_name(YG_CONFLICT, "is an action inside of itself",
					       a->uid.id, r->err);
		a->above = YG_NEW_N(&r->s->arena, uint32_t, (size_t)g->found_n + 1);
		if (a->above == NULL)
			return yg_cs_nomem(r->err);
		memcpy(a->above, g->found, g->found_n * sizeof *a->above);
		a->above_n = g->found_n;
	}
	return YG_OK;
}

bool yg_cedar_action_in(const struct yg_cedar_schema *s, const struct yg_cedar_action_type *a,
			const struct yg_cedar_uid *above)
{
	uint32_t number = number_of_action(s, above);
	return number == a->number ||
	       (number != UINT32_MAX && a->above_n > 0 &&
		bsearch(&number, a->above, a->above_n, sizeof number, by_number) != NULL);
}

yg_status yg_cs_close(struct yg_cs_reading *r)
{
	struct graph types = {.n = 0}, actions = {.n = 0};
	yg_status st = close_types(r, &types);
	if (st == YG_OK)
		st = close_actions(r, &actions);
	graph_free(&types);
	graph_free(&actions);
	return st;
}
