/* schema_json.c - reads the JSON form of schemas. */
#include <stdlib.h>

#include "cedar/expr.h"
#include "cedar/json.h"
#include "cedar/lex.h"
#include "cedar/schema_internal.h"

/* A type that waits to be read. */
struct waiting {
	uint32_t node;
	struct yg_cedar_type *type;
	bool attribute; /* it may say whether it is required */
};
struct reading {
	struct yg_cs_reading r;
	struct yg_json *j;
	struct yg_vec wait; /* owned; struct waiting */
};

static yg_status fail(struct reading *t, uint32_t node, const char *expected)
{
	return yg_cedar_json_fail(t->j, node, expected, t->r.err);
}

static yg_status text_of(struct reading *t, uint32_t node, struct yg_sv *out)
{
	if (yg_json_at(t->j, node)->type != YG_JSON_STRING)
		return fail(t, node, "a text");
	struct yg_sv s = yg_json_str(t->j, node, &t->r.s->arena);
	*out = s.p != NULL ? yg_arena_dup(&t->r.s->arena, s) : s;
	return out->p != NULL ? YG_OK : yg_cs_nomem(t->r.err);
}

/* A member that is true when it is not there. */
static yg_status read_bool(struct reading *t, uint32_t node, bool *out)
{
	uint8_t type = node != 0 ? yg_json_at(t->j, node)->type : YG_JSON_TRUE;
	*out = type == YG_JSON_TRUE;
	return *out || type == YG_JSON_FALSE ? YG_OK : fail(t, node, "true or false");
}

static yg_status wait_for(struct reading *t, uint32_t node, struct yg_cedar_type *type,
			  bool attribute)
{
	struct waiting *w = yg_vec_add(&t->wait, sizeof *w);
	if (w == NULL)
		return yg_cs_nomem(t->r.err);
	*w = (struct waiting){node, type, attribute};
	return YG_OK;
}

static yg_status read_attributes(struct reading *t, uint32_t node, struct yg_cedar_type *type)
{
	uint32_t k = node + 1, end = yg_json_at(t->j, node)->next;
	if (yg_json_at(t->j, node)->type != YG_JSON_OBJECT)
		return fail(t, node, "the attributes as an object");
	type->n = yg_json_at(t->j, node)->n;
	type->fields = YG_NEW_N(&t->r.s->arena, struct yg_cedar_type_field, (size_t)type->n + 1);
	if (type->fields == NULL)
		return yg_cs_nomem(t->r.err);
	for (uint32_t i = 0; k < end; i++) {
		struct yg_cedar_type_field *f = &type->fields[i];
		uint32_t value = k + 1, required;
		yg_status st = text_of(t, k, &f->key);
		if (st != YG_OK)
			return st;
		if (yg_json_at(t->j, value)->type != YG_JSON_OBJECT)
			return fail(t, value, "a type as an object");
		required = yg_json_get(t->j, value, YG_SV("required"));
		st = read_bool(t, required, &f->required);
		if (st != YG_OK)
			return st;
		f->type = YG_NEW(&t->r.s->arena, struct yg_cedar_type);
		if (f->type == NULL)
			return yg_cs_nomem(t->r.err);
		st = wait_for(t, value, f->type, true);
		if (st != YG_OK)
			return st;
		k = yg_json_at(t->j, value)->next;
	}
	return yg_cs_fields(type, t->r.err);
}

/* A type that another names; a primitive one has no second meaning in JSON. */
static yg_status read_named(struct reading *t, uint32_t node, struct yg_sv kind,
			    struct yg_cedar_type *type)
{
	static const struct {
		const char *name;
		enum yg_cedar_kind kind;
	} primitives[] = {
		{"Boolean", YG_CEDAR_BOOL}, {"Long", YG_CEDAR_LONG}, {"String", YG_CEDAR_STRING}};
	bool entity = YG_SV_IS(kind, "Entity"), own = YG_SV_IS(kind, "Extension");
	for (size_t i = 0; i < YG_LEN(primitives); i++) {
		if (yg_sv_eq(kind, yg_sv_of(primitives[i].name))) {
			*type = (struct yg_cedar_type){.kind = (uint8_t)primitives[i].kind};
			return YG_OK;
		}
	}
	if (!entity && !own && !YG_SV_IS(kind, "EntityOrCommon"))
		return yg_cs_name_type(&t->r, type, kind, false, false);
	struct yg_sv name = YG_SV("");
	uint32_t at = yg_json_get(t->j, node, YG_SV("name"));
	if (at == 0)
		return fail(t, node, "a member \"name\"");
	yg_status st = text_of(t, at, &name);
	return st == YG_OK ? yg_cs_name_type(&t->r, type, name, entity, own) : st;
}

static yg_status read_type(struct reading *t, uint32_t node, bool attribute,
			   struct yg_cedar_type *type)
{
	static const char *const names[] = {"type",        "?element",  "?attributes",
					    "?name",       "?required", "?additionalAttributes",
					    "?annotations"};
	struct yg_sv kind = YG_SV("");
	uint32_t m[7] = {0};
	yg_status st = yg_cedar_json_members(t->j, node, names, YG_LEN(names), m, t->r.err);
	if (st == YG_OK)
		st = text_of(t, m[0], &kind);
	if (st == YG_OK && m[4] != 0 && !attribute)
		st = fail(t, m[4], "\"required\" of attributes alone");
	if (st != YG_OK)
		return st;
	if (YG_SV_IS(kind, "Record")) {
		*type = (struct yg_cedar_type){.kind = YG_CEDAR_RECORD};
		if (m[5] != 0 && yg_json_at(t->j, m[5])->type != YG_JSON_FALSE)
			return fail(t, m[5], "false: a record has no further attributes");
		return m[2] != 0 ? read_attributes(t, m[2], type)
				 : fail(t, node, "a member \"attributes\"");
	}
	if (!YG_SV_IS(kind, "Set"))
		return read_named(t, node, kind, type);
	*type = (struct yg_cedar_type){.kind = YG_CEDAR_SET};
	type->element = YG_NEW(&t->r.s->arena, struct yg_cedar_type);
	if (type->element == NULL)
		return yg_cs_nomem(t->r.err);
	return m[1] != 0 ? wait_for(t, m[1], type->element, false)
			 : fail(t, node, "a member \"element\"");
}

static yg_status read_types(struct reading *t, uint32_t node, struct yg_cedar_type *type)
{
	yg_status st = wait_for(t, node, type, false);
	while (st == YG_OK && t->wait.n > 0) {
		struct waiting w = ((struct waiting *)t->wait.p)[--t->wait.n];
		st = read_type(t, w.node, w.attribute, w.type);
	}
	return st;
}

/* A list of names of entity types, or (not looked up) of ids. */
static yg_status read_list(struct reading *t, uint32_t node, bool look_up, struct yg_sv **out,
			   uint32_t *out_n)
{
	yg_status st = YG_OK;
	uint32_t k = node + 1, i = 0;
	if (yg_json_at(t->j, node)->type != YG_JSON_ARRAY)
		return fail(t, node, "a list");
	*out_n = yg_json_at(t->j, node)->n;
	*out = YG_NEW_N(&t->r.s->arena, struct yg_sv, (size_t)*out_n + 1);
	if (*out == NULL)
		return yg_cs_nomem(t->r.err);
	for (; st == YG_OK && i < *out_n; i++, k = yg_json_at(t->j, k)->next) {
		st = text_of(t, k, &(*out)[i]);
		if (st == YG_OK && look_up)
			st = yg_cs_name_entity(&t->r, &(*out)[i], (*out)[i]);
	}
	return st;
}

static yg_status read_entity(struct reading *t, struct yg_sv name, uint32_t node)
{
	static const char *const names[] = {"?memberOfTypes", "?shape", "?tags", "?enum",
					    "?annotations"};
	uint32_t m[5] = {0};
	yg_status st = yg_cs_entity_name(name, t->r.err);
	if (st == YG_OK)
		st = yg_cedar_json_members(t->j, node, names, YG_LEN(names), m, t->r.err);
	if (st != YG_OK)
		return st;
	if (m[3] != 0 && (m[0] != 0 || m[1] != 0 || m[2] != 0))
		return fail(t, node, "an enumeration alone");
	struct yg_cedar_entity_type *e = yg_cs_entity(&t->r, name);
	if (e == NULL)
		return yg_cs_nomem(t->r.err);
	if (m[0] != 0)
		st = read_list(t, m[0], true, &e->parents, &e->parent_n);
	if (st == YG_OK && m[1] != 0)
		st = read_types(t, m[1], &e->attrs);
	if (st == YG_OK && m[2] != 0) {
		e->has_tags = true;
		st = read_types(t, m[2], &e->tags);
	}
	if (st == YG_OK && m[3] != 0) {
		e->is_enum = true;
		st = read_list(t, m[3], false, &e->ids, &e->id_n);
		if (st == YG_OK && e->id_n == 0)
			st = fail(t, m[3], "at least one id");
	}
	return st;
}

static yg_status read_parents(struct reading *t, uint32_t node, struct yg_cedar_action_type *a)
{
	yg_status st = YG_OK;
	uint32_t k = node + 1;
	if (yg_json_at(t->j, node)->type != YG_JSON_ARRAY)
		return fail(t, node, "a list of actions");
	a->parent_n = yg_json_at(t->j, node)->n;
	a->parents = YG_NEW_N(&t->r.s->arena, struct yg_cedar_uid, (size_t)a->parent_n + 1);
	if (a->parents == NULL)
		return yg_cs_nomem(t->r.err);
	for (uint32_t i = 0; st == YG_OK && i < a->parent_n; i++, k = yg_json_at(t->j, k)->next) {
		bool object = yg_json_at(t->j, k)->type == YG_JSON_OBJECT;
		uint32_t id = object ? yg_json_get(t->j, k, YG_SV("id")) : 0,
			 type = object ? yg_json_get(t->j, k, YG_SV("type")) : 0;
		if (id == 0)
			return fail(t, k, "an action as an object with \"id\"");
		st = text_of(t, id, &a->parents[i].id);
		if (st == YG_OK && type != 0)
			st = text_of(t, type, &a->parents[i].type);
		else if (st == YG_OK)
			a->parents[i].type = YG_SV("Action");
	}
	return st;
}

static yg_status read_applies(struct reading *t, uint32_t node, struct yg_cedar_action_type *a)
{
	static const char *const names[] = {"principalTypes", "resourceTypes", "?context"};
	uint32_t m[3] = {0};
	yg_status st = yg_cedar_json_members(t->j, node, names, YG_LEN(names), m, t->r.err);
	if (st == YG_OK)
		st = read_list(t, m[0], true, &a->principals, &a->principal_n);
	if (st == YG_OK)
		st = read_list(t, m[1], true, &a->resources, &a->resource_n);
	return st == YG_OK && m[2] != 0 ? read_types(t, m[2], &a->context) : st;
}

static yg_status read_action(struct reading *t, struct yg_sv name, uint32_t node)
{
	static const char *const names[] = {"?memberOf", "?appliesTo", "?attributes",
					    "?annotations"};
	uint32_t m[4] = {0};
	yg_status st = yg_cedar_json_members(t->j, node, names, YG_LEN(names), m, t->r.err);
	struct yg_cedar_action_type *a = st == YG_OK ? yg_cs_action(&t->r, name) : NULL;
	if (st == YG_OK && a == NULL)
		st = yg_cs_nomem(t->r.err);
	if (st == YG_OK && m[0] != 0 && yg_json_at(t->j, m[0])->type != YG_JSON_NULL)
		st = read_parents(t, m[0], a);
	if (st == YG_OK && m[1] != 0 && yg_json_at(t->j, m[1])->type != YG_JSON_NULL)
		st = read_applies(t, m[1], a);
	return st;
}

static yg_status read_common(struct reading *t, struct yg_sv name, uint32_t node)
{
	yg_status st = yg_cs_common_name(name, t->r.err);
	struct yg_cs_common *c = st == YG_OK ? yg_cs_declare(&t->r, name) : NULL;
	if (c == NULL)
		return st != YG_OK ? st : yg_cs_nomem(t->r.err);
	t->r.owner = c;
	st = read_types(t, node, &c->type);
	t->r.owner = NULL;
	return st;
}

typedef yg_status (*read_fn)(struct reading *t, struct yg_sv name, uint32_t node);

/* Each member of an object, by its name, which is an identifier where `named`. */
static yg_status each(struct reading *t, uint32_t node, bool named, read_fn fn)
{
	yg_status st = YG_OK;
	if (yg_json_at(t->j, node)->type != YG_JSON_OBJECT)
		return fail(t, node, "an object");
	uint32_t end = yg_json_at(t->j, node)->next;
	for (uint32_t k = node + 1; st == YG_OK && k < end; k = yg_json_at(t->j, k + 1)->next) {
		struct yg_sv name = YG_SV("");
		st = text_of(t, k, &name);
		if (st == YG_OK && yg_json_at(t->j, k + 1)->type != YG_JSON_OBJECT)
			st = fail(t, k + 1, "an object");
		if (st == YG_OK && named &&
		    (!yg_cedar_path_ok(name) || yg_sv_has(name, YG_SV("::"))))
			st = fail(t, k, "an identifier");
		if (st == YG_OK)
			st = fn(t, name, k + 1);
	}
	return st;
}

static yg_status read_namespace(struct reading *t, struct yg_sv name, uint32_t node)
{
	static const char *const names[] = {"entityTypes", "actions", "?commonTypes",
					    "?annotations"};
	uint32_t m[4] = {0};
	yg_status st = yg_cedar_json_members(t->j, node, names, YG_LEN(names), m, t->r.err);
	if (st == YG_OK && name.n > 0 && !yg_cedar_path_ok(name))
		st = fail(t, node, "a namespace with a name");
	t->r.space = name;
	if (st == YG_OK && m[2] != 0)
		st = each(t, m[2], true, read_common);
	if (st == YG_OK)
		st = each(t, m[0], true, read_entity);
	return st == YG_OK ? each(t, m[1], false, read_action) : st;
}

/* Parts of one namespace in two places would be put together, or one be lost to another reader. */
static yg_status namespaces_once(struct reading *t)
{
	uint32_t n = yg_json_at(t->j, 0)->n, k = 1;
	if (yg_json_at(t->j, 0)->type != YG_JSON_OBJECT)
		return fail(t, 0, "an object");
	struct yg_cedar_placed *names = calloc((size_t)n + 1, sizeof *names);
	yg_status st = YG_OK;
	if (names == NULL)
		return yg_cs_nomem(t->r.err);
	for (uint32_t i = 0; i < n && st == YG_OK; i++, k = yg_json_at(t->j, k + 1)->next) {
		names[i].at = k;
		st = text_of(t, k, &names[i].name);
	}
	const struct yg_cedar_placed *again = st == YG_OK ? yg_cedar_again(names, n) : NULL;
	if (again != NULL)
		st = fail(t, (uint32_t)again->at, "each namespace once");
	free(names);
	return st;
}

yg_status yg_cedar_schema_json(struct yg_cedar_schema *s, struct yg_sv text, struct yg_err *err)
{
	struct yg_json j;
	struct reading t = {.r = {.s = s, .space = YG_SV(""), .err = err}, .j = &j};
	yg_json_init(&j, YG_CEDAR_JSON_NODES);
	yg_status st = yg_json_parse(&j, text, err);
	if (st == YG_OK)
		st = namespaces_once(&t);
	if (st == YG_OK)
		st = each(&t, 0, false, read_namespace);
	if (st == YG_OK)
		st = yg_cs_finish(&t.r);
	free(t.wait.p);
	yg_json_free(&j);
	return st;
}
