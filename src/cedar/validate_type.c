/* validate_type.c - types of expressions: which are compatible, what belongs to them. */
#include <stdlib.h>

#include "base/check.h"
#include "base/near.h"
#include "cedar/validate_internal.h"

void yg_cy_nomem(struct yg_cy *c)
{
	if (c->bad == YG_OK)
		c->bad = YG_FAIL(c->err, YG_NOMEM, "no memory to validate policies");
}

void yg_cy_work(struct yg_cy *c, uint64_t n)
{
	c->steps.made += n;
	if (yg_cedar_steps_out(&c->steps) && c->bad == YG_OK)
		c->bad = YG_FAIL(
			c->err, YG_LIMIT,
			"this policy is too large to validate: it takes more than %llu steps",
			(unsigned long long)c->steps.most);
}

void *yg_cy_alloc(struct yg_cy *c, size_t n)
{
	struct yg_arena *a = c->arena;
	if (c->bad != YG_OK)
		return NULL;
	if (n > a->limit - a->used) {
		c->bad = YG_FAIL(c->err, YG_LIMIT,
				 "this policy is too large to validate: it takes more than %zu MiB",
				 a->limit >> 20);
		return NULL;
	}
	void *p = yg_arena_zalloc(a, 1, n, 8);
	if (p == NULL)
		yg_cy_nomem(c);
	return p;
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
	while (i < YG_LEN(plain) && plain[i].kind != kind)
		i++;
	YG_REQUIRE(i < YG_LEN(plain));
	return &plain[i];
}

static struct yg_cedar_type *make(struct yg_cy *c, uint8_t kind)
{
	struct yg_cedar_type *t = yg_cy_alloc(c, sizeof *t);
	if (t != NULL)
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
	t->fields = yg_cy_alloc(c, ((size_t)a->n + 1) * sizeof *t->fields);
	yg_cy_work(c, a->n);
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
	return t->fields != NULL ? t : NULL;
}

static const struct yg_cedar_type *join(struct yg_cy *c, const struct yg_cedar_type *a,
					const struct yg_cedar_type *b, int depth)
{
	a = yg_cedar_type_of(a);
	b = yg_cedar_type_of(b);
	yg_cy_work(c, 1);
	if (a == b || c->bad != YG_OK)
		return a == b ? a : NULL;
	if (yg_cy_is_bool(a) && yg_cy_is_bool(b))
		return a->kind == b->kind ? a : yg_cy_of_kind(YG_CEDAR_BOOL);
	if (a->kind != b->kind)
		return NULL;
	if (depth == YG_CY_DEPTH) {
		if (c->bad == YG_OK)
			c->bad = YG_FAIL(
				c->err, YG_LIMIT,
				"this policy cannot be validated: types nested deeper than %d levels",
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
