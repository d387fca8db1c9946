/* conform.c - whether values and entities are what a schema says. */
#include <stdlib.h>

#include "cedar/schema.h"

struct pair {
	const struct yg_cedar_value *value;
	const struct yg_cedar_type *type;
};

static yg_status fail_name(const char *before, struct yg_sv name, const char *behind,
			   struct yg_err *err)
{
	char text[128];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_put_untrusted(&b, yg_sv_sub(name, 0, 30));
	return YG_FAIL(err, YG_PARSE, "%s '%s'%s", before, yg_sb_cstr(&b), behind);
}

yg_status yg_cedar_uid_conforms(const struct yg_cedar_schema *s, const struct yg_cedar_uid *uid,
				struct yg_err *err)
{
	const struct yg_cedar_entity_type *t = yg_cedar_schema_type(s, uid->type);
	if (t == NULL)
		return yg_cedar_schema_action(s, uid) != NULL
			       ? YG_OK
			       : fail_name("the schema has no entity type", uid->type, "", err);
	return t->is_enum && !yg_cedar_type_has_id(t, uid->id)
		       ? fail_name("the schema does not have", uid->id,
				   " among the ids of its type", err)
		       : YG_OK;
}

static yg_status push(struct yg_vec *v, const struct yg_cedar_value *value,
		      const struct yg_cedar_type *type, struct yg_err *err)
{
	struct pair *p = yg_vec_add(v, sizeof *p);
	if (p == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory to check a value");
	*p = (struct pair){value, type};
	return YG_OK;
}

static yg_status check_record(struct yg_vec *v, const struct pair *p, struct yg_err *err)
{
	yg_status st = YG_OK;
	for (uint32_t i = 0; i < p->type->n; i++)
		if (p->type->fields[i].required &&
		    yg_cedar_get(p->value, p->type->fields[i].key) == NULL)
			return fail_name("the attribute", p->type->fields[i].key, " is missing",
					 err);
	for (uint32_t i = 0; i < p->value->n && st == YG_OK; i++) {
		const struct yg_cedar_field *f = &p->value->fields[i];
		const struct yg_cedar_type *type = yg_cedar_type_field(p->type, f->key);
		st = type != NULL ? push(v, &f->value, type, err)
				  : fail_name("the schema has no attribute", f->key, " here", err);
	}
	return st;
}

static yg_status check_one(const struct yg_cedar_schema *s, struct yg_vec *v, struct pair p,
			   struct yg_err *err)
{
	yg_status st = YG_OK;
	p.type = yg_cedar_type_of(p.type);
	if (p.value->kind != p.type->kind)
		return YG_FAIL(err, YG_PARSE, "expected %s, found %s",
			       yg_cedar_kind_name((enum yg_cedar_kind)p.type->kind),
			       yg_cedar_kind_name((enum yg_cedar_kind)p.value->kind));
	if (p.type->kind == YG_CEDAR_RECORD)
		return check_record(v, &p, err);
	if (p.type->kind == YG_CEDAR_ENTITY) {
		if (!yg_sv_eq(p.type->name, p.value->uid->type))
			return fail_name("expected an entity of the type", p.type->name, "", err);
		return yg_cedar_uid_conforms(s, p.value->uid, err);
	}
	for (uint32_t i = 0; p.type->kind == YG_CEDAR_SET && i < p.value->n && st == YG_OK; i++)
		st = push(v, &p.value->items[i], p.type->element, err);
	return st;
}

yg_status yg_cedar_conforms(const struct yg_cedar_schema *s, const struct yg_cedar_value *v,
			    const struct yg_cedar_type *type, struct yg_err *err)
{
	struct yg_vec wait = {NULL, 0, 0};
	yg_status st = push(&wait, v, type, err);
	while (st == YG_OK && wait.n > 0)
		st = check_one(s, &wait, ((struct pair *)wait.p)[--wait.n], err);
	free(wait.p);
	return st;
}
