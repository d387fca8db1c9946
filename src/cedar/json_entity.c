/* json_entity.c - documents of entities, and requests. */
#include <stdlib.h>

#include "cedar/json.h"
#include "cedar/policy.h"

struct reading {
	struct yg_cedar_entities *e;
	const struct yg_cedar_schema *schema; /* NULL: none */
	struct yg_json j;                     /* owned */
	struct yg_cedar_json values;          /* owned */
	struct yg_vec parents;                /* owned; struct yg_cedar_uid */
	struct yg_err *err;
};

static yg_status fail_uid(const struct yg_cedar_uid *uid, const char *what, struct yg_err *err)
{
	char text[128];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_cedar_uid_print(&b, uid);
	return YG_FAIL(err, YG_PARSE, "%s %s", yg_sb_cstr(&b), what);
}

static yg_status wrap_uid(yg_status st, const struct yg_cedar_uid *uid, const char *part,
			  struct yg_err *err)
{
	char text[100];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	if (st == YG_OK)
		return YG_OK;
	yg_cedar_uid_print(&b, uid);
	yg_err_wrap(err, "%s of %s: ", part, yg_sb_cstr(&b));
	return st;
}

/* A member of an entity; 0: it is not there. */
static yg_status part(struct reading *r, uint32_t node, const char *key, uint8_t type,
		      uint32_t *out)
{
	yg_status st = yg_cedar_json_once(&r->j, node, key, out, r->err);
	if (st == YG_OK && *out != 0 && yg_json_at(&r->j, *out)->type != type)
		st = YG_FAIL(r->err, YG_PARSE, "\"%s\" of an entity is %s", key,
			     type == YG_JSON_ARRAY ? "a list" : "an object");
	return st;
}

/* ---- with a schema ---- */

static yg_status check_parents(const struct reading *r, const struct yg_cedar_uid *uid,
			       const struct yg_cedar_entity_type *t)
{
	const struct yg_cedar_uid *parents = r->parents.p;
	for (size_t i = 0; i < r->parents.n; i++) {
		if (!yg_cedar_type_may_be_in(t, parents[i].type))
			return fail_uid(uid,
					"has a parent of a type that the schema does not allow",
					r->err);
		yg_status st = yg_cedar_uid_conforms(r->schema, &parents[i], r->err);
		if (st != YG_OK)
			return wrap_uid(st, uid, "parents", r->err);
	}
	return YG_OK;
}

static yg_status check_tags(const struct reading *r, const struct yg_cedar_uid *uid,
			    const struct yg_cedar_entity_type *t, const struct yg_cedar_value *tags)
{
	if (!t->has_tags && tags->n > 0)
		return fail_uid(uid, "has tags, and the schema has none for its type", r->err);
	for (uint32_t i = 0; i < tags->n; i++) {
		yg_status st =
			yg_cedar_conforms(r->schema, &tags->fields[i].value, &t->tags, r->err);
		if (st != YG_OK)
			return wrap_uid(st, uid, "tags", r->err);
	}
	return YG_OK;
}

static yg_status check_entity(const struct reading *r, const struct yg_cedar_uid *uid,
			      const struct yg_cedar_value *attrs, const struct yg_cedar_value *tags)
{
	const struct yg_cedar_entity_type *t = yg_cedar_schema_type(r->schema, uid->type);
	yg_status st = yg_cedar_uid_conforms(r->schema, uid, r->err);
	if (st != YG_OK || t == NULL) /* an action is compared with the one that is there already */
		return wrap_uid(st, uid, "id", r->err);
	st = wrap_uid(yg_cedar_conforms(r->schema, attrs, &t->attrs, r->err), uid, "attributes",
		      r->err);
	if (st == YG_OK)
		st = check_tags(r, uid, t, tags);
	return st == YG_OK ? check_parents(r, uid, t) : st;
}

static yg_status add_actions(struct reading *r)
{
	struct yg_cedar_value none;
	yg_status st = yg_cedar_record(NULL, 0, &none);
	for (size_t i = 0; i < r->schema->actions.n && st == YG_OK; i++) {
		const struct yg_cedar_action_type *a =
			((struct yg_cedar_action_type **)r->schema->actions.p)[i];
		st = yg_cedar_entity_set(r->e, &a->uid, &none, &none, a->parents, a->parent_n,
					 r->err);
	}
	return st;
}

/* ---- one entity ---- */

static yg_status read_parents(struct reading *r, const struct yg_cedar_uid *uid, uint32_t node)
{
	uint32_t k = node + 1;
	r->parents.n = 0;
	for (uint32_t i = 0; i < yg_json_at(&r->j, node)->n; i++) {
		struct yg_cedar_uid *to = yg_vec_add(&r->parents, sizeof *to);
		if (to == NULL)
			return YG_FAIL(r->err, YG_NOMEM, "no memory for entities");
		yg_status st = yg_cedar_json_uid(&r->values, k, to, r->err);
		if (st != YG_OK)
			return wrap_uid(st, uid, "parents", r->err);
		if (yg_cedar_is_action(uid->type) && !yg_cedar_is_action(to->type))
			return fail_uid(uid, "is an action with a parent that is none", r->err);
		k = yg_json_at(&r->j, k)->next;
	}
	return YG_OK;
}

/* Tags are a record with one type for all. */
static yg_status read_tags(struct reading *r, const struct yg_cedar_uid *uid, uint32_t node,
			   const struct yg_cedar_type *type, struct yg_cedar_value *out)
{
	uint32_t n = node != 0 ? yg_json_at(&r->j, node)->n : 0, k = node + 1;
	struct yg_cedar_field *fields =
		YG_NEW_N(&r->e->arena, struct yg_cedar_field, (size_t)n + 1);
	for (uint32_t i = 0; i < n && fields != NULL; i++, k = yg_json_at(&r->j, k + 1)->next) {
		fields[i].key = yg_arena_dup(&r->e->arena, yg_json_str(&r->j, k, &r->e->arena));
		yg_status st =
			yg_cedar_json_value(&r->values, k + 1, type, &fields[i].value, r->err);
		if (st != YG_OK)
			return wrap_uid(st, uid, "tags", r->err);
		if (fields[i].key.p == NULL)
			fields = NULL;
	}
	if (fields == NULL)
		return YG_FAIL(r->err, YG_NOMEM, "no memory for entities");
	return yg_cedar_record(fields, n, out) == YG_OK
		       ? YG_OK
		       : fail_uid(uid, "has a tag twice, or one nested too deep", r->err);
}

static yg_status read_entity(struct reading *r, uint32_t node)
{
	uint32_t at_uid, at_attrs, at_parents, at_tags;
	struct yg_cedar_uid uid;
	struct yg_cedar_value attrs, tags;
	const struct yg_cedar_type *tag_type = NULL;
	if (yg_json_at(&r->j, node)->type != YG_JSON_OBJECT)
		return YG_FAIL(r->err, YG_PARSE, "an entity is an object");
	yg_status st = part(r, node, "uid", YG_JSON_OBJECT, &at_uid);
	if (st == YG_OK)
		st = part(r, node, "attrs", YG_JSON_OBJECT, &at_attrs);
	if (st == YG_OK)
		st = part(r, node, "parents", YG_JSON_ARRAY, &at_parents);
	if (st == YG_OK)
		st = part(r, node, "tags", YG_JSON_OBJECT, &at_tags);
	if (st != YG_OK)
		return st;
	if (at_uid == 0 || at_attrs == 0 || at_parents == 0)
		return YG_FAIL(r->err, YG_PARSE,
			       "an entity needs \"uid\", \"attrs\" and \"parents\"");
	st = yg_cedar_json_uid(&r->values, at_uid, &uid, r->err);
	if (st != YG_OK)
		return st;
	const struct yg_cedar_entity_type *t =
		r->schema != NULL ? yg_cedar_schema_type(r->schema, uid.type) : NULL;
	if (t != NULL && t->has_tags)
		tag_type = &t->tags;
	st = wrap_uid(yg_cedar_json_record(&r->values, at_attrs, t != NULL ? &t->attrs : NULL,
					   &attrs, r->err),
		      &uid, "attributes", r->err);
	if (st == YG_OK)
		st = read_tags(r, &uid, at_tags, tag_type, &tags);
	if (st == YG_OK)
		st = read_parents(r, &uid, at_parents);
	if (st == YG_OK && r->schema != NULL)
		st = check_entity(r, &uid, &attrs, &tags);
	return st == YG_OK ? yg_cedar_entity_set(r->e, &uid, &attrs, &tags, r->parents.p,
						 (uint32_t)r->parents.n, r->err)
			   : st;
}

yg_status yg_cedar_entities_json(struct yg_cedar_entities *e, struct yg_sv text,
				 const struct yg_cedar_schema *schema, struct yg_err *err)
{
	struct reading r = {.e = e, .schema = schema, .err = err};
	yg_json_init(&r.j, YG_CEDAR_JSON_NODES);
	yg_cedar_json_init(&r.values, &r.j, &e->arena);
	yg_status st = yg_json_parse(&r.j, text, err);
	if (st == YG_OK && yg_json_at(&r.j, 0)->type != YG_JSON_ARRAY)
		st = YG_FAIL(err, YG_PARSE, "entities are a list");
	if (st == YG_OK && schema != NULL)
		st = add_actions(&r);
	uint32_t n = st == YG_OK ? yg_json_at(&r.j, 0)->n : 0, k = 1;
	for (uint32_t i = 0; i < n && st == YG_OK; i++, k = yg_json_at(&r.j, k)->next)
		st = read_entity(&r, k);
	if (st == YG_OK)
		st = yg_cedar_entities_close(e, err);
	free(r.parents.p);
	yg_cedar_json_free(&r.values);
	yg_json_free(&r.j);
	return st;
}

/* ---- requests ---- */

static bool lists(const struct yg_sv *list, uint32_t n, struct yg_sv type)
{
	for (uint32_t i = 0; i < n; i++)
		if (yg_sv_eq(list[i], type))
			return true;
	return false;
}

static yg_status check_request(const struct yg_cedar_schema *schema,
			       const struct yg_cedar_action_type *a,
			       const struct yg_cedar_request *q, struct yg_err *err)
{
	yg_status st = yg_cedar_uid_conforms(schema, &q->principal, err);
	if (st == YG_OK)
		st = yg_cedar_uid_conforms(schema, &q->resource, err);
	if (st != YG_OK)
		return st;
	if (!lists(a->principals, a->principal_n, q->principal.type))
		return fail_uid(&q->principal, "is of no type that may do this action", err);
	if (!lists(a->resources, a->resource_n, q->resource.type))
		return fail_uid(&q->resource, "is of no type that this action is done to", err);
	st = yg_cedar_conforms(schema, &q->context, &a->context, err);
	if (st != YG_OK)
		yg_err_wrap(err, "context: ");
	return st;
}

static yg_status read_uid(struct yg_cedar_json *r, uint32_t node, const char *key,
			  struct yg_cedar_uid *out, struct yg_err *err)
{
	uint32_t at;
	yg_status st = yg_cedar_json_once(r->j, node, key, &at, err);
	if (st == YG_OK && at == 0)
		st = YG_FAIL(err, YG_PARSE, "the request has no \"%s\"", key);
	if (st != YG_OK)
		return st;
	st = yg_cedar_json_uid(r, at, out, err);
	if (st != YG_OK)
		yg_err_wrap(err, "%s: ", key);
	return st;
}

yg_status yg_cedar_request_json(struct yg_cedar_json *r, uint32_t node,
				const struct yg_cedar_schema *schema, struct yg_cedar_request *out,
				struct yg_err *err)
{
	const struct yg_cedar_action_type *a = NULL;
	if (yg_json_at(r->j, node)->type != YG_JSON_OBJECT)
		return YG_FAIL(err, YG_PARSE, "a request is an object");
	yg_status st = read_uid(r, node, "principal", &out->principal, err);
	if (st == YG_OK)
		st = read_uid(r, node, "action", &out->action, err);
	if (st == YG_OK)
		st = read_uid(r, node, "resource", &out->resource, err);
	if (st != YG_OK)
		return st;
	if (schema != NULL)
		a = yg_cedar_schema_action(schema, &out->action);
	if (schema != NULL && a == NULL)
		return fail_uid(&out->action, "is no action of the schema", err);
	uint32_t at;
	st = yg_cedar_json_once(r->j, node, "context", &at, err);
	if (st != YG_OK)
		return st;
	if (at == 0)
		st = yg_cedar_record(NULL, 0, &out->context);
	else
		st = yg_cedar_json_value(r, at, a != NULL ? &a->context : NULL, &out->context, err);
	if (st == YG_OK && out->context.kind != YG_CEDAR_RECORD)
		return YG_FAIL(err, YG_PARSE, "the context is no record");
	if (st != YG_OK)
		return yg_err_wrap(err, "context: "), st;
	return a != NULL ? check_request(schema, a, out, err) : YG_OK;
}
