/* validate_type.c - types of expressions: which are compatible, what belongs to them. */
#include <stdlib.h>

#include "base/near.h"
#include "cedar/validate_internal.h"

void yg_cy_nomem(struct yg_cy *c)
{
	if (c->bad == YG_OK)
		c->bad = YG_FAIL(c->err, YG_NOMEM, "no memory to validate policies");
}

bool yg_cy_is_bool(const struct yg_cedar_type *t)
{
	return t->kind == YG_CEDAR_BOOL || t->kind >= YG_CY_TRUE;
}

const struct yg_cedar_type *yg_cy_of_kind(uint8_t kind)
{
	static const struct yg_cedar_type plain[] = {
		{.kind = YG_CEDAR_BOOL},     {.kind = YG_CEDAR_LONG}, {.kind = YG_CEDAR_STRING},
		{.kind = YG_CEDAR_DECIMAL},  {.kind = YG_CEDAR_IP},   {.kind = YG_CEDAR_DATETIME},
		{.kind = YG_CEDAR_DURATION}, {.kind = YG_CY_TRUE},    {.kind = YG_CY_FALSE},
	};
	size_t i = 0;
	while (plain[i].kind != kind)
		i++;
	return &plain[i];
}

static struct yg_cedar_type *make(struct yg_cy *c, uint8_t kind)
{
	struct yg_cedar_type *t = YG_NEW(c->arena, struct yg_cedar_type);
	if (t == NULL)
		yg_cy_nomem(c);
	else
		t->kind = kind;
	return t;
}

const struct yg_cedar_type *yg_cy_entity(struct yg_cy *c, struct yg_sv name)
{
	struct yg_cedar_type *t = make(c, YG_CEDAR_ENTITY);
	if (t != NULL)
		t->name = name;
	return t;
}

/* ---- compatible ---- */

static const struct yg_cedar_type *join(struct yg_cy *c, const struct yg_cedar_type *a,
					const struct yg_cedar_type *b, int depth);

static const struct yg_cedar_type *join_records(struct yg_cy *c, const struct yg_cedar_type *a,
						const struct yg_cedar_type *b, int depth)
{
	if (a->n != b->n)
		return NULL;
	for (uint32_t i = 0; i < a->n; i++)
		if (!yg_sv_eq(a->fields[i].key, b->fields[i].key) ||
		    a->fields[i].required != b->fields[i].required)
			return NULL;
	struct yg_cedar_type *t = make(c, YG_CEDAR_RECORD);
	if (t == NULL)
		return NULL;
	t->fields = YG_NEW_N(c->arena, struct yg_cedar_type_field, (size_t)a->n + 1);
	t->n = a->n;
	for (uint32_t i = 0; t->fields != NULL && i < a->n; i++) {
		const struct yg_cedar_type *joined =
			join(c, a->fields[i].type, b->fields[i].type, depth + 1);
		struct yg_cedar_type *kept = joined != NULL ? make(c, 0) : NULL;
		if (kept == NULL)
			return NULL;
		kept->same = joined;
		t->fields[i] = a->fields[i];
		t->fields[i].type = kept;
	}
	if (t->fields == NULL)
		yg_cy_nomem(c);
	return t->fields != NULL ? t : NULL;
}

static const struct yg_cedar_type *join(struct yg_cy *c, const struct yg_cedar_type *a,
					const struct yg_cedar_type *b, int depth)
{
	a = yg_cedar_type_of(a);
	b = yg_cedar_type_of(b);
	if (a == b)
		return a;
	if (yg_cy_is_bool(a) && yg_cy_is_bool(b))
		return a->kind == b->kind ? a : yg_cy_of_kind(YG_CEDAR_BOOL);
	if (a->kind != b->kind)
		return NULL;
	if (depth == YG_CY_DEPTH) {
		if (c->bad == YG_OK)
			c->bad = YG_FAIL(c->err, YG_LIMIT, "types nested deeper than %d levels",
					 YG_CY_DEPTH);
		return NULL;
	}
	if (a->kind == YG_CEDAR_ENTITY)
		return yg_sv_eq(a->name, b->name) ? a : NULL;
	if (a->kind == YG_CEDAR_RECORD)
		return join_records(c, a, b, depth);
	if (a->kind != YG_CEDAR_SET)
		return a;
	const struct yg_cedar_type *inside = join(c, a->element, b->element, depth + 1);
	struct yg_cedar_type *t = inside != NULL ? make(c, YG_CEDAR_SET) : NULL,
			     *element = t != NULL ? make(c, 0) : NULL;
	if (element == NULL)
		return NULL;
	element->same = inside;
	t->element = element;
	return t;
}

const struct yg_cedar_type *yg_cy_join(struct yg_cy *c, const struct yg_cedar_type *a,
				       const struct yg_cedar_type *b)
{
	return join(c, a, b, 0);
}

/* ---- for people ---- */

static void put_type(struct yg_sb *b, const struct yg_cedar_type *t, int depth)
{
	t = yg_cedar_type_of(t);
	switch (t->kind) {
	case YG_CEDAR_ENTITY: yg_sb_put(b, t->name); break;
	case YG_CEDAR_SET:
		yg_sb_put(b, YG_SV("Set<"));
		if (depth < 4)
			put_type(b, t->element, depth + 1);
		yg_sb_put(b, yg_sv_of(depth < 4 ? ">" : "...>"));
		break;
	case YG_CEDAR_RECORD:
		yg_sb_putc(b, '{');
		for (uint32_t i = 0; depth < 2 && i < t->n && i < 5; i++) {
			yg_sb_put(b, yg_sv_of(i > 0 ? ", " : ""));
			yg_sb_put_untrusted(b, yg_sv_sub(t->fields[i].key, 0, 20));
			yg_sb_put(b, yg_sv_of(t->fields[i].required ? ": " : "?: "));
			put_type(b, t->fields[i].type, depth + 1);
		}
		yg_sb_put(b, yg_sv_of((depth >= 2 && t->n > 0) || t->n > 5 ? ", ...}" : "}"));
		break;
	case YG_CEDAR_BOOL:
	case YG_CY_TRUE:
	case YG_CY_FALSE: yg_sb_put(b, YG_SV("Bool")); break;
	case YG_CEDAR_LONG: yg_sb_put(b, YG_SV("Long")); break;
	case YG_CEDAR_STRING: yg_sb_put(b, YG_SV("String")); break;
	default: yg_sb_put(b, yg_sv_of(yg_cedar_kind_name((enum yg_cedar_kind)t->kind)));
	}
}

void yg_cy_put_type(struct yg_sb *b, const struct yg_cedar_type *t)
{
	put_type(b, t, 0);
}

void yg_cy_consider(struct yg_cy_near *n, struct yg_sv candidate)
{
	size_t d = yg_near_distance(n->name, candidate);
	if (d < n->distance && yg_near_enough(n->name, d)) {
		n->distance = d;
		n->best = candidate;
	}
}

void yg_cy_put_near(struct yg_sb *b, const struct yg_cy_near *n)
{
	if (n->best.p == NULL)
		return;
	yg_sb_put(b, YG_SV("; did you mean '"));
	yg_sb_put_untrusted(b, yg_sv_sub(n->best, 0, 40));
	yg_sb_put(b, YG_SV("'?"));
}

/* ---- what belongs to a type ---- */

const struct yg_cedar_type_field *yg_cy_attribute(struct yg_cy *c, const struct yg_cedar_type *t,
						  struct yg_sv name)
{
	if (t->kind == YG_CEDAR_ENTITY) {
		const struct yg_cedar_entity_type *e = yg_cedar_schema_type(c->schema, t->name);
		if (e == NULL) /* an action has no attributes */
			return NULL;
		t = yg_cedar_type_of(&e->attrs);
	}
	return yg_cedar_field_of(t, name);
}

bool yg_cy_may_be_in(const struct yg_cedar_schema *s, struct yg_sv type, struct yg_sv above)
{
	const struct yg_cedar_entity_type *t = yg_cedar_schema_type(s, type);
	return yg_sv_eq(type, above) || (t != NULL && yg_cedar_type_may_be_in(t, above));
}

/* ---- what is known to be there ---- */

static const struct yg_cy_gain *gain(struct yg_cy *c, struct yg_cy_gain g)
{
	struct yg_cy_gain *to = YG_NEW(c->arena, struct yg_cy_gain);
	if (to == NULL) {
		yg_cy_nomem(c);
		return NULL;
	}
	*to = g;
	to->count = 1 + (g.next != NULL ? g.next->count : 0);
	return to;
}

const struct yg_cy_gain *yg_cy_gain_path(struct yg_cy *c, struct yg_cedar_range of,
					 const uint32_t *names, uint32_t n)
{
	uint32_t before = 0;
	while (yg_cedar_op(c->code, of.end - 1 - before)->op == YG_CO_ATTR)
		before++;
	struct yg_sv *path = YG_NEW_N(c->arena, struct yg_sv, (size_t)before + n);
	if (path == NULL) {
		yg_cy_nomem(c);
		return NULL;
	}
	of.end -= before;
	for (uint32_t i = 0; i < before; i++)
		path[i] = yg_cedar_code_str(c->code, yg_cedar_op(c->code, of.end + i)->a);
	for (uint32_t i = 0; i < n; i++)
		path[before + i] = yg_cedar_code_str(c->code, names[i]);
	return gain(c, (struct yg_cy_gain){.of = of, .path = path, .n = before + n});
}

const struct yg_cy_gain *yg_cy_gain_tag(struct yg_cy *c, struct yg_cedar_range of,
					struct yg_cedar_range tag)
{
	return gain(c, (struct yg_cy_gain){.of = of, .tag = tag});
}

bool yg_cy_knows(const struct yg_cy *c, const struct yg_cy_gain *list, const struct yg_cy_gain *g)
{
	for (; list != NULL && g != NULL; list = list->next) {
		bool same = list->n == g->n && yg_cedar_code_same(c->code, list->of, g->of);
		for (uint32_t i = 0; same && i < g->n; i++)
			same = yg_sv_eq(list->path[i], g->path[i]);
		if (same && (g->n > 0 || yg_cedar_code_same(c->code, list->tag, g->tag)))
			return true;
	}
	return false;
}

const struct yg_cy_gain *yg_cy_either(struct yg_cy *c, const struct yg_cy_gain *a,
				      const struct yg_cy_gain *b)
{
	if (a != NULL && (b == NULL || a->count > b->count)) { /* the longer one is shared */
		const struct yg_cy_gain *longer = a;
		a = b;
		b = longer;
	}
	for (; a != NULL && c->bad == YG_OK; a = a->next) {
		if (yg_cy_knows(c, b, a))
			continue;
		struct yg_cy_gain copy = *a;
		copy.next = b;
		b = gain(c, copy);
	}
	return b;
}

const struct yg_cy_gain *yg_cy_both(struct yg_cy *c, const struct yg_cy_gain *a,
				    const struct yg_cy_gain *b)
{
	const struct yg_cy_gain *kept = NULL;
	for (; a != NULL && c->bad == YG_OK; a = a->next) {
		if (!yg_cy_knows(c, b, a))
			continue;
		struct yg_cy_gain copy = *a;
		copy.next = kept;
		kept = gain(c, copy);
	}
	return kept;
}
