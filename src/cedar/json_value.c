/* json_value.c - JSON values as Cedar's.  Two passes over the nodes of a value: forwards
 * for what each one is meant to be, backwards to put them together, so that whatever is
 * inside of a node is there before it.  No recursion. */
#include <stdlib.h>

#include "cedar/expr.h"
#include "cedar/ext.h"
#include "cedar/json.h"

enum role {
	PLAIN,
	FIELDS,    /* a record whatever its members are called */
	PASS,      /* {"__entity": x}, {"__extn": x}: what x is */
	UID,       /* {"type", "id"} */
	CALL,      /* {"fn", "arg"} or {"fn", "args"} */
	ARGUMENTS, /* of a call: a list, not a set */
	CONSTRUCT, /* the text of an extension's constructor */
};

/* What the arguments of a function are, by kind. */
static const struct yg_cedar_type extension_types[] = {
	[YG_CEDAR_DECIMAL] = {.kind = YG_CEDAR_DECIMAL},
	[YG_CEDAR_IP] = {.kind = YG_CEDAR_IP},
	[YG_CEDAR_DATETIME] = {.kind = YG_CEDAR_DATETIME},
	[YG_CEDAR_DURATION] = {.kind = YG_CEDAR_DURATION},
};

static bool is_extension(uint8_t kind)
{
	return kind >= YG_CEDAR_DECIMAL && kind <= YG_CEDAR_DURATION;
}

void yg_cedar_json_init(struct yg_cedar_json *r, const struct yg_json *j, struct yg_arena *arena)
{
	*r = (struct yg_cedar_json){.j = j, .arena = arena};
}

void yg_cedar_json_free(struct yg_cedar_json *r)
{
	free(r->stack.p);
	free(r->types);
	free(r->roles);
	*r = (struct yg_cedar_json){.j = r->j, .arena = r->arena};
}

static yg_status nomem(struct yg_err *err)
{
	return YG_FAIL(err, YG_NOMEM, "no memory for the values of a document");
}

static yg_status no_uid(struct yg_err *err)
{
	return YG_FAIL(err, YG_PARSE, "expected an entity as {\"type\", \"id\"}");
}

static uint8_t type_at(const struct yg_cedar_json *r, uint32_t node)
{
	return yg_json_at(r->j, node)->type;
}

/* A text that outlives the document. */
static struct yg_sv text_at(struct yg_cedar_json *r, uint32_t node)
{
	struct yg_sv s = yg_json_str(r->j, node, r->arena);
	return yg_json_at(r->j, node)->escaped || s.p == NULL ? s : yg_arena_dup(r->arena, s);
}

/* ---- forwards: what each node is ---- */

static uint32_t member(const struct yg_cedar_json *r, uint32_t node, struct yg_sv key, uint8_t type)
{
	uint32_t at = type_at(r, node) == YG_JSON_OBJECT ? yg_json_get(r->j, node, key) : 0;
	return at != 0 && type_at(r, at) == type ? at : 0;
}

static bool looks_uid(const struct yg_cedar_json *r, uint32_t node)
{
	return member(r, node, YG_SV("type"), YG_JSON_STRING) != 0 &&
	       member(r, node, YG_SV("id"), YG_JSON_STRING) != 0;
}

static bool looks_call(const struct yg_cedar_json *r, uint32_t node)
{
	return member(r, node, YG_SV("fn"), YG_JSON_STRING) != 0 &&
	       (yg_json_get(r->j, node, YG_SV("arg")) != 0 ||
		member(r, node, YG_SV("args"), YG_JSON_ARRAY) != 0);
}

/* The object is a call: what its arguments are follows from the function. */
static void mark_call(struct yg_cedar_json *r, uint32_t node, bool typed)
{
	uint32_t fn_node = yg_json_get(r->j, node, YG_SV("fn")),
		 args = member(r, node, YG_SV("args"), YG_JSON_ARRAY),
		 arg = yg_json_get(r->j, node, YG_SV("arg"));
	enum yg_cedar_fn fn;
	r->roles[node] = CALL;
	if (args != 0)
		r->roles[args] = ARGUMENTS;
	if (!typed || !yg_cedar_fn_find(yg_json_str(r->j, fn_node, r->arena), &fn))
		return;
	uint32_t k = args != 0 ? args + 1 : arg, n = args != 0 ? yg_json_at(r->j, args)->n : 1;
	const struct yg_cedar_fn_about *about = yg_cedar_fn_about(fn);
	for (uint32_t i = 0; i < n && i < about->args; i++, k = yg_json_at(r->j, k)->next)
		if (is_extension(about->arg[i]))
			r->types[k] = &extension_types[about->arg[i]];
}

static yg_status mark_object(struct yg_cedar_json *r, uint32_t node,
			     const struct yg_cedar_type *type, struct yg_err *err)
{
	bool alone = yg_json_at(r->j, node)->n == 1,
	     entity = type != NULL && type->kind == YG_CEDAR_ENTITY,
	     extension = type != NULL && is_extension(type->kind);
	uint32_t inside = node + 2; /* the value of the one member */
	bool fields = r->roles[node] == FIELDS;
	struct yg_sv key = alone && !fields ? yg_json_str(r->j, node + 1, r->arena) : YG_SV("");
	if (key.p == NULL)
		return nomem(err);
	if (r->roles[node] != PLAIN && !fields) /* the inside of an escape */
		return YG_OK;
	if (YG_SV_IS(key, "__entity") && looks_uid(r, inside)) {
		r->roles[node] = PASS;
		r->roles[inside] = UID;
	} else if (entity) { /* and no other escape is one */
		if (!looks_uid(r, node))
			return no_uid(err);
		r->roles[node] = UID;
	} else if (YG_SV_IS(key, "__extn") && looks_call(r, inside)) {
		r->roles[node] = PASS;
		mark_call(r, inside, extension);
	} else if (YG_SV_IS(key, "__expr") && type_at(r, inside) == YG_JSON_STRING) {
		return YG_FAIL(err, YG_PARSE, "\"__expr\" is of an old Cedar and not read");
	} else if (extension && looks_call(r, node)) {
		mark_call(r, node, true);
	} else if (type != NULL && type->kind == YG_CEDAR_RECORD) {
		uint32_t end = yg_json_at(r->j, node)->next;
		for (uint32_t k = node + 1; k < end; k = yg_json_at(r->j, k + 1)->next) {
			struct yg_sv name = yg_json_str(r->j, k, r->arena);
			if (name.p == NULL)
				return nomem(err);
			r->types[k + 1] = yg_cedar_type_field(type, name);
		}
	}
	return YG_OK;
}

static yg_status mark(struct yg_cedar_json *r, uint32_t node, struct yg_err *err)
{
	const struct yg_cedar_type *type =
		r->types[node] != NULL ? yg_cedar_type_of(r->types[node]) : NULL;
	uint8_t kind = type_at(r, node);
	if (kind == YG_JSON_OBJECT)
		return mark_object(r, node, type, err);
	if (type != NULL && type->kind == YG_CEDAR_ENTITY)
		return no_uid(err);
	if (type != NULL && is_extension(type->kind) && kind != YG_JSON_ARRAY) {
		r->types[node] = type;
		r->roles[node] = CONSTRUCT;
	}
	if (kind == YG_JSON_ARRAY && type != NULL && type->kind == YG_CEDAR_SET) {
		uint32_t k = node + 1;
		for (uint32_t i = 0; i < yg_json_at(r->j, node)->n; i++) {
			r->types[k] = type->element;
			k = yg_json_at(r->j, k)->next;
		}
	}
	return YG_OK;
}

/* ---- backwards: putting together ---- */

static yg_status push(struct yg_cedar_json *r, struct yg_cedar_value v, struct yg_err *err)
{
	struct yg_cedar_value *to = yg_vec_add(&r->stack, sizeof *to);
	if (to == NULL)
		return nomem(err);
	*to = v;
	return YG_OK;
}
static struct yg_cedar_value pop(struct yg_cedar_json *r)
{
	return ((struct yg_cedar_value *)r->stack.p)[--r->stack.n];
}

static yg_status number(struct yg_cedar_json *r, uint32_t node, struct yg_cedar_value *out,
			struct yg_err *err)
{
	int64_t i;
	struct yg_sv text = yg_json_raw(r->j, node);
	if (YG_SV_IS(text, "-0") || yg_parse_i64(text, &i, NULL) != YG_OK)
		return YG_FAIL(err, YG_PARSE, "'" YG_SV_FMT "' is no whole number of 64 bits",
			       YG_SV_ARG(yg_sv_sub(text, 0, 40)));
	*out = yg_cedar_number(YG_CEDAR_LONG, i);
	return YG_OK;
}

/* The constructor of an extension is named like nothing else. */
static yg_status construct(struct yg_cedar_json *r, const struct yg_cedar_type *type,
			   const struct yg_cedar_value *text, struct yg_cedar_value *out,
			   struct yg_err *err)
{
	static const uint8_t fns[] = {[YG_CEDAR_DECIMAL] = YG_CF_decimal,
				      [YG_CEDAR_IP] = YG_CF_ip,
				      [YG_CEDAR_DATETIME] = YG_CF_datetime,
				      [YG_CEDAR_DURATION] = YG_CF_duration};
	return yg_cedar_call((enum yg_cedar_fn)fns[type->kind], text, 1, r->arena, out, err);
}

static yg_status scalar(struct yg_cedar_json *r, uint32_t node, struct yg_cedar_value *out,
			struct yg_err *err)
{
	struct yg_sv s;
	yg_status st = YG_OK;
	switch (type_at(r, node)) {
	case YG_JSON_NULL: return YG_FAIL(err, YG_PARSE, "null is no value of Cedar");
	case YG_JSON_TRUE:
	case YG_JSON_FALSE: *out = yg_cedar_bool(type_at(r, node) == YG_JSON_TRUE); break;
	case YG_JSON_NUMBER: st = number(r, node, out, err); break;
	default:
		s = text_at(r, node);
		if (s.p == NULL)
			return nomem(err);
		*out = yg_cedar_string(s);
		break;
	}
	if (st != YG_OK || r->roles[node] != CONSTRUCT)
		return st;
	const struct yg_cedar_value text = *out;
	return construct(r, r->types[node], &text, out, err);
}

static yg_status array(struct yg_cedar_json *r, uint32_t node, struct yg_cedar_value *out,
		       struct yg_err *err)
{
	uint32_t n = yg_json_at(r->j, node)->n;
	struct yg_cedar_value *items = yg_arena_alloc(r->arena, n * sizeof *items, 8);
	if (items == NULL)
		return nomem(err);
	for (uint32_t i = 0; i < n; i++)
		items[i] = pop(r);
	if (r->roles[node] == ARGUMENTS) {
		*out = (struct yg_cedar_value){.kind = YG_CEDAR_SET, .n = n, .items = items};
		return YG_OK;
	}
	return yg_cedar_set(items, n, NULL, out) == YG_OK
		       ? YG_OK
		       : YG_FAIL(err, YG_PARSE, "values nested too deep");
}

/* `v` may be NULL: there is no such member. */
static bool is_text(const struct yg_cedar_value *v)
{
	return v != NULL && v->kind == YG_CEDAR_STRING;
}

static yg_status make_uid(struct yg_cedar_json *r, const struct yg_cedar_value *record,
			  struct yg_cedar_value *out, struct yg_err *err)
{
	const struct yg_cedar_value *type = yg_cedar_get(record, YG_SV("type")),
				    *id = yg_cedar_get(record, YG_SV("id"));
	if (!is_text(type) || !is_text(id))
		return no_uid(err);
	struct yg_cedar_uid *uid = YG_NEW(r->arena, struct yg_cedar_uid);
	if (uid == NULL)
		return nomem(err);
	*uid = (struct yg_cedar_uid){yg_cedar_str(type), yg_cedar_str(id)};
	*out = yg_cedar_entity_value(uid);
	if (yg_cedar_path_ok(uid->type))
		return YG_OK;
	char text[128];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_put_untrusted(&b, yg_sv_sub(uid->type, 0, 30));
	return YG_FAIL(err, YG_PARSE, "'%s' cannot be an entity type", yg_sb_cstr(&b));
}

static yg_status call(struct yg_cedar_json *r, const struct yg_cedar_value *record,
		      struct yg_cedar_value *out, struct yg_err *err)
{
	const struct yg_cedar_value *name = yg_cedar_get(record, YG_SV("fn")),
				    *args = yg_cedar_get(record, YG_SV("args")),
				    *arg = yg_cedar_get(record, YG_SV("arg"));
	enum yg_cedar_fn fn;
	if (!is_text(name) || !yg_cedar_fn_find(yg_cedar_str(name), &fn))
		return YG_FAIL(err, YG_PARSE, "there is no such extension function");
	if (args != NULL && args->kind == YG_CEDAR_SET && args->depth == 0)
		return yg_cedar_call(fn, args->items, args->n, r->arena, out, err);
	return arg != NULL ? yg_cedar_call(fn, arg, 1, r->arena, out, err)
			   : YG_FAIL(err, YG_PARSE, "an extension function needs its argument");
}

static yg_status object(struct yg_cedar_json *r, uint32_t node, struct yg_cedar_value *out,
			struct yg_err *err)
{
	uint32_t n = yg_json_at(r->j, node)->n;
	struct yg_cedar_value record;
	if (r->roles[node] == PASS) {
		(void)pop(r); /* the key */
		*out = pop(r);
		return YG_OK;
	}
	struct yg_cedar_field *fields = yg_arena_alloc(r->arena, n * sizeof *fields, 8);
	if (fields == NULL)
		return nomem(err);
	for (uint32_t i = 0; i < n; i++) {
		const struct yg_cedar_value key = pop(r);
		fields[i].key = yg_cedar_str(&key);
		fields[i].value = pop(r);
	}
	yg_status st = yg_cedar_record(fields, n, &record);
	if (st != YG_OK)
		return YG_FAIL(err, YG_PARSE,
			       st == YG_CONFLICT ? "a member is there twice"
						 : "values nested too deep");
	if (r->roles[node] == UID)
		return make_uid(r, &record, out, err);
	if (r->roles[node] == CALL)
		return call(r, &record, out, err);
	*out = record;
	return YG_OK;
}

static yg_status read_as(struct yg_cedar_json *r, uint32_t node, enum role role,
			 const struct yg_cedar_type *type, struct yg_cedar_value *out,
			 struct yg_err *err)
{
	uint32_t end = yg_json_at(r->j, node)->next;
	yg_status st = YG_OK;
	if (r->room < r->j->count || r->types == NULL) { /* the document may be another by now */
		free(r->types);
		free(r->roles);
		r->types = calloc((size_t)r->j->count + 1, sizeof(void *));
		r->roles = calloc((size_t)r->j->count + 1, 1);
		r->room = r->j->count;
	}
	if (r->types == NULL || r->roles == NULL)
		return nomem(err);
	for (uint32_t k = node; k < end; k++) {
		r->types[k] = NULL;
		r->roles[k] = PLAIN;
	}
	r->types[node] = type;
	r->roles[node] = (uint8_t)role;
	r->stack.n = 0;
	for (uint32_t k = node; k < end && st == YG_OK; k++)
		st = mark(r, k, err);
	for (uint32_t k = end; k > node && st == YG_OK;) {
		struct yg_cedar_value v;
		uint8_t kind = type_at(r, --k);
		st = kind == YG_JSON_OBJECT  ? object(r, k, &v, err)
		     : kind == YG_JSON_ARRAY ? array(r, k, &v, err)
					     : scalar(r, k, &v, err);
		if (st == YG_OK)
			st = push(r, v, err);
	}
	if (st == YG_OK)
		*out = pop(r);
	return st;
}

yg_status yg_cedar_json_value(struct yg_cedar_json *r, uint32_t node,
			      const struct yg_cedar_type *type, struct yg_cedar_value *out,
			      struct yg_err *err)
{
	return read_as(r, node, PLAIN, type, out, err);
}

yg_status yg_cedar_json_record(struct yg_cedar_json *r, uint32_t node,
			       const struct yg_cedar_type *type, struct yg_cedar_value *out,
			       struct yg_err *err)
{
	return read_as(r, node, FIELDS, type, out, err);
}

yg_status yg_cedar_json_uid(struct yg_cedar_json *r, uint32_t node, struct yg_cedar_uid *out,
			    struct yg_err *err)
{
	static const struct yg_cedar_type entity = {.kind = YG_CEDAR_ENTITY};
	struct yg_cedar_value v;
	yg_status st = yg_cedar_json_value(r, node, &entity, &v, err);
	if (st != YG_OK)
		return st;
	const struct yg_cedar_uid *uid = yg_cedar_uid_of(&v);
	if (uid == NULL) /* what stands there was meant as something else */
		return no_uid(err);
	*out = *uid;
	return YG_OK;
}

/* ---- what all documents share ---- */

yg_status yg_cedar_json_fail(const struct yg_json *j, uint32_t node, const char *expected,
			     struct yg_err *err)
{
	return YG_FAIL(err, YG_PARSE, "byte %u: expected %s", yg_json_at(j, node)->at, expected);
}

yg_status yg_cedar_json_once(const struct yg_json *j, uint32_t node, const char *key, uint32_t *out,
			     struct yg_err *err)
{
	uint32_t end = yg_json_at(j, node)->next;
	*out = 0;
	for (uint32_t k = node + 1; k < end; k = yg_json_at(j, k + 1)->next) {
		if (!yg_json_is(j, k, yg_sv_of(key)))
			continue;
		if (*out != 0)
			return YG_FAIL(err, YG_PARSE, "\"%s\" is there twice", key);
		*out = k + 1;
	}
	return YG_OK;
}

yg_status yg_cedar_json_members(const struct yg_json *j, uint32_t node, const char *const *names,
				size_t n, uint32_t *out, struct yg_err *err)
{
	uint32_t end = yg_json_at(j, node)->next;
	if (yg_json_at(j, node)->type != YG_JSON_OBJECT)
		return yg_cedar_json_fail(j, node, "an object", err);
	memset(out, 0, n * sizeof *out);
	for (uint32_t k = node + 1; k < end; k = yg_json_at(j, k + 1)->next) {
		size_t i = 0;
		while (i < n && !yg_json_is(j, k, yg_sv_of(names[i] + (names[i][0] == '?'))))
			i++;
		if (i == n || out[i] != 0)
			return yg_cedar_json_fail(
				j, k, i == n ? "no such member here" : "this member once", err);
		out[i] = k + 1;
	}
	for (size_t i = 0; i < n; i++) {
		char what[64];
		struct yg_sb b = yg_sb_init(what, sizeof what);
		if (out[i] != 0 || names[i][0] == '?')
			continue;
		yg_sb_printf(&b, "a member \"%s\"", names[i]);
		return yg_cedar_json_fail(j, node, yg_sb_cstr(&b), err);
	}
	return YG_OK;
}
