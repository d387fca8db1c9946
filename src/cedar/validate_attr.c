/* validate_attr.c - attributes and tags: which there are, and which may be missing. */
#include "cedar/validate_internal.h"

static bool has_attributes(struct yg_cy *c, const struct yg_cy_value *v)
{
	if (v->type == NULL || v->type->kind == YG_CEDAR_ENTITY || v->type->kind == YG_CEDAR_RECORD)
		return v->type != NULL;
	yg_cy_tell_kind(c, v, "an entity or a record");
	return false;
}

static void tell_attribute(struct yg_cy *c, uint32_t at, const struct yg_cedar_type *t,
			   struct yg_sv name)
{
	char text[300];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	struct yg_cy_near near = {.name = name, .distance = SIZE_MAX};
	const struct yg_cedar_entity_type *e =
		t->kind == YG_CEDAR_ENTITY ? yg_cedar_schema_type(c->schema, t->name) : NULL;
	const struct yg_cedar_type *record = e != NULL ? yg_cedar_type_of(&e->attrs) : t;
	for (uint32_t i = 0; record->kind == YG_CEDAR_RECORD && i < record->n; i++)
		yg_cy_consider(&near, record->fields[i].key);
	yg_cy_put_type(&b, t);
	yg_sb_put(&b, YG_SV(" has no attribute '"));
	yg_sb_put_untrusted(&b, yg_sv_sub(name, 0, 40));
	yg_sb_putc(&b, '\'');
	yg_cy_put_near(&b, &near);
	yg_cy_fault(c, at, false, "%s", yg_sb_cstr(&b));
}

const struct yg_cedar_type *yg_cy_member(struct yg_cy *c, const struct yg_cedar_op *op,
					 const struct yg_cy_value *a)
{
	struct yg_sv name = yg_cedar_code_str(c->code, op->a);
	if (!has_attributes(c, a))
		return NULL;
	const struct yg_cedar_type_field *f = yg_cy_attribute(c, a->type, name);
	if (f == NULL) {
		tell_attribute(c, op->at, a->type, name);
		return NULL;
	}
	struct yg_cy_path path;
	if (!f->required && (!yg_cy_path(c, a->code, &op->a, 1, &path) ||
			     !yg_cy_knows(c, yg_cy_fact_path(c, &path, 1)))) {
		char text[160];
		struct yg_sb b = yg_sb_init(text, sizeof text);
		yg_sb_put_untrusted(&b, yg_sv_sub(name, 0, 40));
		yg_cy_fault(c, op->at, false,
			    "the attribute '%s' may be missing here: test it with `has` before",
			    yg_sb_cstr(&b));
		return NULL;
	}
	return yg_cedar_type_of(f->type);
}

/* Is there such an attribute?  A required one of a record is; of an entity it is when
 * there is such an entity at all. */
static const struct yg_cedar_type *has_one(struct yg_cy *c, const struct yg_cedar_type *t,
					   const struct yg_cedar_type_field *f, uint32_t tested)
{
	bool record = t->kind == YG_CEDAR_RECORD;
	if (f == NULL)
		return yg_cy_of_kind(YG_CY_FALSE);
	bool known = f->required ? record : yg_cy_knows(c, tested);
	return yg_cy_of_kind(known ? YG_CY_TRUE : YG_CEDAR_BOOL);
}

/* `x has a.b` is `x has a && x.a has b`. */
struct yg_cy_value yg_cy_has(struct yg_cy *c, const struct yg_cedar_op *op,
			     const struct yg_cy_value *a)
{
	const uint32_t *names = (const uint32_t *)c->code->lists.p + op->b;
	struct yg_cy_value out = {.type = NULL}, at = *a;
	struct yg_cy_path path;
	bool sure = true;
	if (!has_attributes(c, a) || !yg_cy_path(c, a->code, names, op->a, &path))
		return out;
	for (uint32_t i = 0; i < op->a; i++) {
		if (!has_attributes(c, &at))
			return (struct yg_cy_value){.type = NULL};
		const struct yg_cedar_type_field *f =
			yg_cy_attribute(c, at.type, yg_cedar_code_str(c->code, names[i]));
		uint32_t tested = yg_cy_fact_path(c, &path, i + 1);
		out.type = has_one(c, at.type, f, tested);
		if (f == NULL)
			return (struct yg_cy_value){.type = out.type};
		sure = sure && out.type->kind == YG_CY_TRUE;
		out.gains = yg_cy_gain(c, tested, out.gains);
		at.type = yg_cedar_type_of(f->type);
	}
	out.type = yg_cy_of_kind(sure ? YG_CY_TRUE : YG_CEDAR_BOOL);
	return out;
}

static const struct yg_cedar_entity_type *tagged(const struct yg_cy *c, const struct yg_cy_value *v)
{
	const struct yg_cedar_entity_type *t = yg_cedar_schema_type(c->schema, v->type->name);
	return t != NULL && t->has_tags ? t : NULL;
}

struct yg_cy_value yg_cy_has_tag(struct yg_cy *c, const struct yg_cy_value *a)
{
	struct yg_cy_value out = {.type = NULL};
	if (!yg_cy_need_both(c, a, YG_CEDAR_ENTITY, YG_CEDAR_STRING))
		return out;
	uint32_t tested = yg_cy_fact_tag(c, a[0].code, a[1].code);
	out.gains = yg_cy_gain(c, tested, NULL);
	out.type = yg_cy_of_kind(tagged(c, a) == NULL     ? YG_CY_FALSE
				 : yg_cy_knows(c, tested) ? YG_CY_TRUE
							  : YG_CEDAR_BOOL);
	return out;
}

const struct yg_cedar_type *yg_cy_get_tag(struct yg_cy *c, const struct yg_cedar_op *op,
					  const struct yg_cy_value *a)
{
	if (!yg_cy_need_both(c, a, YG_CEDAR_ENTITY, YG_CEDAR_STRING))
		return NULL;
	const struct yg_cedar_entity_type *t = tagged(c, a);
	if (t == NULL) {
		char text[160];
		struct yg_sb b = yg_sb_init(text, sizeof text);
		yg_cy_put_type(&b, a[0].type);
		yg_cy_fault(c, op->at, false, "%s has no tags", yg_sb_cstr(&b));
		return NULL;
	}
	if (!yg_cy_knows(c, yg_cy_fact_tag(c, a[0].code, a[1].code))) {
		yg_cy_fault(c, op->at, false,
			    "the tag may be missing here: test it with `.hasTag` before");
		return NULL;
	}
	return yg_cedar_type_of(&t->tags);
}
