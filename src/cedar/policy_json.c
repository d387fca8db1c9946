/* policy_json.c - reads policies in Cedar's JSON form.  Expressions are walked with a
 * list of what is to be done instead of recursion. */
#include <stdlib.h>

#include "cedar/expr_internal.h"
#include "cedar/ext.h"
#include "cedar/json.h"
#include "cedar/lex.h"
#include "cedar/policy.h"

/* Two levels of JSON make one of an expression. */
#define POLICY_JSON_DEPTH (2 * YG_CEDAR_NEST_MAX + 64)

enum task_kind {
	EXPRESSION, /* at a node */
	LITERAL,    /* a value as JSON, at a node */
	PUT,        /* an operation, its operands done */
	JUMP,
	LAND,
};
struct task {
	enum task_kind kind;
	uint32_t node;
	struct yg_cedar_op op;
};
struct reading {
	struct yg_cedar_policies *p;
	struct yg_json j;            /* owned */
	struct yg_cedar_json values; /* owned */
	struct yg_cedar_build build; /* owned */
	struct yg_vec tasks;         /* owned; struct task, the next one last */
	struct yg_vec jumps;         /* owned; uint32_t, not landed */
	struct yg_err *err;
};

static yg_status fail(struct reading *r, uint32_t node, const char *expected)
{
	return yg_cedar_json_fail(&r->j, node, expected, r->err);
}
static yg_status nomem(struct reading *r)
{
	return YG_FAIL(r->err, YG_NOMEM, "no memory for policies");
}
static uint8_t type_at(const struct reading *r, uint32_t node)
{
	return yg_json_at(&r->j, node)->type;
}
static uint32_t next_of(const struct reading *r, uint32_t node)
{
	return yg_json_at(&r->j, node)->next;
}

static yg_status text_at(struct reading *r, uint32_t node, struct yg_sv *out)
{
	if (type_at(r, node) != YG_JSON_STRING)
		return fail(r, node, "a text");
	struct yg_sv s = yg_json_str(&r->j, node, &r->p->code.arena);
	*out = s.p != NULL ? yg_arena_dup(&r->p->code.arena, s) : s;
	return out->p != NULL ? YG_OK : nomem(r);
}

static yg_status task(struct reading *r, struct task t)
{
	struct task *to = yg_vec_add(&r->tasks, sizeof *to);
	if (to == NULL)
		return nomem(r);
	*to = t;
	return YG_OK;
}

static yg_status members(struct reading *r, uint32_t node, const char *const *names, size_t n,
			 uint32_t *out)
{
	return yg_cedar_json_members(&r->j, node, names, n, out, r->err);
}

/* ---- expressions ---- */

/* What was put down first is to be done first, so it must stand last. */
static void turn(struct reading *r, size_t from)
{
	struct task *tasks = r->tasks.p;
	for (size_t i = from, e = r->tasks.n; i + 1 < e; i++, e--) {
		struct task t = tasks[i];
		tasks[i] = tasks[e - 1];
		tasks[e - 1] = t;
	}
}

/* All elements of a list as operands, first to last, and then the operation. */
static yg_status operands(struct reading *r, uint32_t list, enum task_kind kind,
			  struct yg_cedar_op op)
{
	uint32_t k = list + 1, n = yg_json_at(&r->j, list)->n;
	op.a = n;
	yg_status st = task(r, (struct task){.kind = PUT, .op = op});
	size_t from = r->tasks.n;
	for (uint32_t i = 0; i < n && st == YG_OK; i++, k = next_of(r, k))
		st = task(r, (struct task){.kind = kind, .node = k});
	turn(r, from);
	return st;
}

/* Members, by their nodes; sorts them. */
static yg_status each_once(struct reading *r, struct yg_cedar_placed *list, uint32_t n)
{
	const struct yg_cedar_placed *again = yg_cedar_again(list, n);
	return again == NULL ? YG_OK : fail(r, (uint32_t)again->at, "each member once");
}

static yg_status record(struct reading *r, uint32_t node, enum task_kind kind)
{
	uint32_t n = yg_json_at(&r->j, node)->n, k = node + 1;
	struct yg_cedar_code *code = &r->p->code;
	struct yg_cedar_op op = {.op = YG_CO_RECORD, .a = n, .b = (uint32_t)code->lists.n};
	struct yg_cedar_placed *fields = calloc((size_t)n + 1, sizeof *fields);
	yg_status st = fields != NULL ? task(r, (struct task){.kind = PUT, .op = op}) : nomem(r);
	size_t from = r->tasks.n;
	for (uint32_t i = 0; i < n && st == YG_OK; i++, k = next_of(r, k + 1)) {
		uint32_t string = 0;
		fields[i].at = k;
		st = text_at(r, k, &fields[i].name);
		if (st == YG_OK)
			st = yg_cedar_code_string(code, fields[i].name, &string, r->err);
		if (st == YG_OK)
			st = yg_cedar_code_item(code, string, r->err);
		if (st == YG_OK)
			st = task(r, (struct task){.kind = kind, .node = k + 1});
	}
	turn(r, from);
	if (st == YG_OK)
		st = each_once(r, fields, n);
	free(fields);
	return st;
}

/* The function of an extension that a string names. */
static bool find_fn(const struct reading *r, uint32_t node, enum yg_cedar_fn *out)
{
	for (unsigned fn = 0; fn < YG_CF_COUNT; fn++) {
		*out = (enum yg_cedar_fn)fn;
		if (yg_json_is(&r->j, node, yg_cedar_fn_about(*out)->name))
			return true;
	}
	return false;
}

/* Is this the one member of the object, and a string or object inside of it?  An escape that
 * is not whole is a record like any other. */
static bool escape(const struct reading *r, uint32_t node, struct yg_sv key, uint8_t type)
{
	return type_at(r, node) == YG_JSON_OBJECT && yg_json_at(&r->j, node)->n == 1 &&
	       yg_json_is(&r->j, node + 1, key) && type_at(r, node + 2) == type;
}

static bool has_text(const struct reading *r, uint32_t node, struct yg_sv key)
{
	uint32_t at = yg_json_get(&r->j, node, key);
	return at != 0 && type_at(r, at) == YG_JSON_STRING;
}

/* {"__extn": {"fn", "arg"}} or {"__extn": {"fn", "args"}}. */
static bool is_call(const struct reading *r, uint32_t node)
{
	uint32_t inside = node + 2, args;
	if (!escape(r, node, YG_SV("__extn"), YG_JSON_OBJECT) || !has_text(r, inside, YG_SV("fn")))
		return false;
	args = yg_json_get(&r->j, inside, YG_SV("args"));
	return yg_json_get(&r->j, inside, YG_SV("arg")) != 0 ||
	       (args != 0 && type_at(r, args) == YG_JSON_ARRAY);
}

static yg_status literal_call(struct reading *r, uint32_t inside)
{
	uint32_t arg = yg_json_get(&r->j, inside, YG_SV("arg")),
		 args = yg_json_get(&r->j, inside, YG_SV("args"));
	enum yg_cedar_fn fn;
	if (!find_fn(r, yg_json_get(&r->j, inside, YG_SV("fn")), &fn))
		return fail(r, inside, "a function of an extension");
	struct yg_cedar_op op = {.op = YG_CO_CALL, .fn = (uint8_t)fn, .a = 1};
	if (args != 0 && type_at(r, args) == YG_JSON_ARRAY)
		return operands(r, args, LITERAL, op);
	yg_status st = task(r, (struct task){.kind = PUT, .op = op});
	return st == YG_OK ? task(r, (struct task){.kind = LITERAL, .node = arg}) : st;
}

/* A value: entities and extensions by their escapes, the rest as it is. */
static yg_status literal(struct reading *r, uint32_t node)
{
	bool entity = escape(r, node, YG_SV("__entity"), YG_JSON_OBJECT) &&
		      has_text(r, node + 2, YG_SV("type")) && has_text(r, node + 2, YG_SV("id"));
	struct yg_cedar_value v;
	if (escape(r, node, YG_SV("__expr"), YG_JSON_STRING))
		return fail(r, node, "no \"__expr\", which is of an old Cedar");
	if (is_call(r, node))
		return literal_call(r, node + 2);
	if (type_at(r, node) == YG_JSON_ARRAY)
		return operands(r, node, LITERAL, (struct yg_cedar_op){.op = YG_CO_SET});
	if (type_at(r, node) == YG_JSON_OBJECT && !entity)
		return record(r, node, LITERAL);
	yg_status st = yg_cedar_json_value(&r->values, node, NULL, &v, r->err);
	if (st != YG_OK)
		return st;
	r->build.at = yg_json_at(&r->j, node)->at;
	if (v.kind == YG_CEDAR_BOOL) {
		yg_cedar_put(&r->build,
			     (struct yg_cedar_op){.op = v.i != 0 ? YG_CO_TRUE : YG_CO_FALSE});
	} else if (v.kind == YG_CEDAR_LONG) {
		yg_cedar_put_long(&r->build, v.i);
	} else if (v.kind == YG_CEDAR_STRING) {
		uint32_t text = yg_cedar_put_string(&r->build, yg_cedar_str(&v));
		yg_cedar_put(&r->build, (struct yg_cedar_op){.op = YG_CO_STRING, .a = text});
	} else if (v.kind == YG_CEDAR_ENTITY) {
		uint32_t type = yg_cedar_put_string(&r->build, v.uid->type);
		uint32_t id = yg_cedar_put_string(&r->build, v.uid->id);
		yg_cedar_put(&r->build, (struct yg_cedar_op){.op = YG_CO_UID, .a = type, .b = id});
	} else {
		return fail(r, node, "a value");
	}
	return r->build.bad;
}

static yg_status variable(struct reading *r, uint32_t node)
{
	static const uint8_t ops[] = {YG_CO_PRINCIPAL, YG_CO_ACTION, YG_CO_RESOURCE, YG_CO_CONTEXT};
	for (size_t i = 0; i < YG_LEN(ops); i++) {
		if (yg_json_is(&r->j, node,
			       yg_sv_of(yg_cedar_op_text((enum yg_cedar_opcode)ops[i])))) {
			yg_cedar_put(&r->build, (struct yg_cedar_op){.op = ops[i]});
			return r->build.bad;
		}
	}
	return fail(r, node, "principal, action, resource or context");
}

static yg_status two(struct reading *r, uint32_t node, uint8_t op)
{
	static const char *const names[] = {"left", "right"};
	uint32_t m[2] = {0};
	uint8_t jump = op == YG_CO_AND ? YG_CO_J_FALSE : YG_CO_J_TRUE;
	bool jumps = op == YG_CO_AND || op == YG_CO_OR;
	yg_status st = members(r, node, names, 2, m);
	if (st == YG_OK && jumps)
		st = task(r, (struct task){.kind = LAND});
	if (st == YG_OK)
		st = task(r, (struct task){.kind = PUT, .op = {.op = op}});
	if (st == YG_OK)
		st = task(r, (struct task){.kind = EXPRESSION, .node = m[1]});
	if (st == YG_OK && jumps)
		st = task(r, (struct task){.kind = JUMP, .op = {.op = jump}});
	return st == YG_OK ? task(r, (struct task){.kind = EXPRESSION, .node = m[0]}) : st;
}

static yg_status one(struct reading *r, uint32_t node, struct yg_cedar_op op)
{
	yg_status st = task(r, (struct task){.kind = PUT, .op = op});
	return st == YG_OK ? task(r, (struct task){.kind = EXPRESSION, .node = node}) : st;
}

static yg_status one_arg(struct reading *r, uint32_t node, uint8_t op)
{
	static const char *const names[] = {"arg"};
	uint32_t m[1] = {0};
	yg_status st = members(r, node, names, 1, m);
	return st == YG_OK ? one(r, m[0], (struct yg_cedar_op){.op = op}) : st;
}

static yg_status condition(struct reading *r, uint32_t node)
{
	static const char *const names[] = {"if", "then", "else"};
	uint32_t m[3] = {0};
	yg_status st = members(r, node, names, 3, m);
	const struct task all[] = {
		{.kind = LAND},
		{.kind = PUT, .op = {.op = YG_CO_IF}},
		{.kind = EXPRESSION, .node = m[2]},
		{.kind = JUMP, .op = {.op = YG_CO_J_END}},
		{.kind = EXPRESSION, .node = m[1]},
		{.kind = JUMP, .op = {.op = YG_CO_J_ELSE}},
		{.kind = EXPRESSION, .node = m[0]},
	};
	for (size_t i = 0; i < YG_LEN(all) && st == YG_OK; i++)
		st = task(r, all[i]);
	return st;
}

static yg_status attribute(struct reading *r, uint32_t node)
{
	static const char *const names[] = {"left", "attr"};
	uint32_t m[2] = {0};
	struct yg_sv text = YG_SV("");
	yg_status st = members(r, node, names, 2, m);
	if (st == YG_OK)
		st = text_at(r, m[1], &text);
	if (st != YG_OK)
		return st;
	uint32_t string = yg_cedar_put_string(&r->build, text);
	return one(r, m[0], (struct yg_cedar_op){.op = YG_CO_ATTR, .a = string});
}

static yg_status has(struct reading *r, uint32_t node)
{
	static const char *const names[] = {"left", "attr"};
	uint32_t m[2], n = 1, k;
	yg_status st = members(r, node, names, 2, m);
	if (st != YG_OK)
		return st;
	k = m[1];
	if (type_at(r, k) == YG_JSON_ARRAY) {
		n = yg_json_at(&r->j, k)->n;
		k++;
	}
	if (n == 0)
		return fail(r, m[1], "the name of an attribute");
	struct yg_cedar_op op = {.op = YG_CO_HAS, .a = n, .b = (uint32_t)r->p->code.lists.n};
	for (uint32_t i = 0; i < n && st == YG_OK; i++, k = next_of(r, k)) {
		struct yg_sv text = YG_SV("");
		st = text_at(r, k, &text);
		if (st == YG_OK)
			st = yg_cedar_code_item(&r->p->code, yg_cedar_put_string(&r->build, text),
						r->err);
	}
	return st == YG_OK ? one(r, m[0], op) : st;
}

/* "Wildcard" and {"Literal": text}, one behind the other. */
static yg_status read_pattern(struct reading *r, uint32_t node, struct yg_sv *out)
{
	uint32_t k = node + 1;
	struct yg_buf b;
	yg_status st = YG_OK;
	if (type_at(r, node) != YG_JSON_ARRAY)
		return fail(r, node, "a pattern as a list");
	yg_buf_init(&b, SIZE_MAX);
	for (uint32_t i = 0; i < yg_json_at(&r->j, node)->n && st == YG_OK;
	     i++, k = next_of(r, k)) {
		static const char *const names[] = {"Literal"};
		uint32_t m[1] = {0};
		struct yg_sv text = YG_SV("\xff"); /* YG_CEDAR_WILDCARD */
		bool wild = yg_json_is(&r->j, k, YG_SV("Wildcard"));
		if (!wild)
			st = members(r, k, names, 1, m);
		if (!wild && st == YG_OK)
			st = text_at(r, m[0], &text);
		yg_buf_put(&b, text);
	}
	if (st == YG_OK)
		st = yg_buf_done(&b) == YG_OK ? YG_OK : nomem(r);
	if (st == YG_OK) {
		*out = yg_arena_dup(&r->p->code.arena, yg_buf_sv(&b));
		st = out->p != NULL ? YG_OK : nomem(r);
	}
	yg_buf_free(&b);
	return st;
}

static yg_status like(struct reading *r, uint32_t node)
{
	static const char *const names[] = {"left", "pattern"};
	uint32_t m[2] = {0};
	struct yg_sv pattern = YG_SV("");
	yg_status st = members(r, node, names, 2, m);
	if (st == YG_OK)
		st = read_pattern(r, m[1], &pattern);
	if (st != YG_OK)
		return st;
	uint32_t string = yg_cedar_put_string(&r->build, pattern);
	return one(r, m[0], (struct yg_cedar_op){.op = YG_CO_LIKE, .a = string});
}

static yg_status is_type(struct reading *r, uint32_t node)
{
	static const char *const names[] = {"left", "entity_type", "?in"};
	uint32_t m[3] = {0};
	struct yg_sv type = YG_SV("");
	yg_status st = members(r, node, names, 3, m);
	if (st == YG_OK)
		st = text_at(r, m[1], &type);
	if (st == YG_OK && !yg_cedar_path_ok(type))
		st = fail(r, m[1], "an entity type");
	if (st != YG_OK)
		return st;
	uint32_t string = yg_cedar_put_string(&r->build, type);
	if (m[2] == 0)
		return one(r, m[0], (struct yg_cedar_op){.op = YG_CO_IS, .a = string});
	const struct task all[] = {
		{.kind = LAND},
		{.kind = PUT, .op = {.op = YG_CO_IS_IN, .a = string}},
		{.kind = EXPRESSION, .node = m[2]},
		{.kind = JUMP, .op = {.op = YG_CO_J_NOT_IS, .b = string}},
		{.kind = EXPRESSION, .node = m[0]},
	};
	for (size_t i = 0; i < YG_LEN(all) && st == YG_OK; i++)
		st = task(r, all[i]);
	return st;
}

static yg_status expression(struct reading *r, uint32_t node)
{
	static const struct {
		const char *name;
		yg_status (*fn)(struct reading *r, uint32_t node);
	} forms[] = {{"Value", literal}, {"Var", variable}, {"if-then-else", condition},
		     {".", attribute},   {"has", has},      {"like", like},
		     {"is", is_type}};
	enum yg_cedar_fn fn;
	if (type_at(r, node) != YG_JSON_OBJECT || yg_json_at(&r->j, node)->n != 1)
		return fail(r, node, "an expression as an object with one member");
	const uint32_t name = node + 1, inside = node + 2;
	r->build.at = yg_json_at(&r->j, node)->at;
	for (size_t i = 0; i < YG_LEN(forms); i++)
		if (yg_json_is(&r->j, name, yg_sv_of(forms[i].name)))
			return forms[i].fn(r, inside);
	if (yg_json_is(&r->j, name, YG_SV("neg")))
		return one_arg(r, inside, YG_CO_NEG);
	if (yg_json_is(&r->j, name, YG_SV("Set")))
		return type_at(r, inside) == YG_JSON_ARRAY
			       ? operands(r, inside, EXPRESSION,
					  (struct yg_cedar_op){.op = YG_CO_SET})
			       : fail(r, inside, "a list");
	if (yg_json_is(&r->j, name, YG_SV("Record")))
		return type_at(r, inside) == YG_JSON_OBJECT ? record(r, inside, EXPRESSION)
							    : fail(r, inside, "an object");
	if (find_fn(r, name, &fn))
		return type_at(r, inside) == YG_JSON_ARRAY
			       ? operands(r, inside, EXPRESSION,
					  (struct yg_cedar_op){.op = YG_CO_CALL, .fn = (uint8_t)fn})
			       : fail(r, inside, "a list of arguments");
	for (unsigned op = YG_CO_NOT; op <= YG_CO_HAS_TAG; op++) {
		const struct yg_cedar_op one_op = {.op = (uint8_t)op};
		if (op == YG_CO_NEG || op == YG_CO_IF || op == YG_CO_IS_IN ||
		    !yg_json_is(&r->j, name, yg_sv_of(yg_cedar_op_text((enum yg_cedar_opcode)op))))
			continue;
		return yg_cedar_op_operands(&one_op) == 1 ? one_arg(r, inside, one_op.op)
							  : two(r, inside, one_op.op);
	}
	return fail(r, node + 1, "an operator of Cedar");
}

static yg_status run(struct reading *r, struct task t)
{
	uint32_t *jump = r->jumps.n > 0 ? (uint32_t *)r->jumps.p + r->jumps.n - 1 : NULL, at;
	bool lands = t.kind == LAND || (t.kind == JUMP && t.op.op == YG_CO_J_END);
	if (lands && jump == NULL) /* each task that lands stands behind one that jumps */
		return YG_FAIL(r->err, YG_CORRUPT, "an expression that is not whole");
	switch (t.kind) {
	case EXPRESSION: return expression(r, t.node);
	case LITERAL: return literal(r, t.node);
	case PUT: yg_cedar_put(&r->build, t.op); break;
	case JUMP:
		at = yg_cedar_jump(&r->build, (enum yg_cedar_opcode)t.op.op, t.op.b);
		if (t.op.op == YG_CO_J_END) {
			yg_cedar_land(&r->build, *jump); /* the jump to else */
			*jump = at;
			break;
		}
		jump = yg_vec_add(&r->jumps, sizeof *jump);
		if (jump == NULL)
			return nomem(r);
		*jump = at;
		break;
	case LAND:
		yg_cedar_land(&r->build, *jump);
		r->jumps.n--;
		break;
	}
	return r->build.bad;
}

static yg_status read_expression(struct reading *r, uint32_t node, struct yg_cedar_condition *out)
{
	r->tasks.n = r->jumps.n = 0;
	yg_cedar_build_begin(&r->build);
	yg_status st = task(r, (struct task){.kind = EXPRESSION, .node = node});
	while (st == YG_OK && r->tasks.n > 0)
		st = run(r, ((struct task *)r->tasks.p)[--r->tasks.n]);
	return st == YG_OK ? yg_cedar_build_end(&r->build, &out->code, &out->stack) : st;
}

/* ---- policies ---- */

static yg_status read_uids(struct reading *r, uint32_t node, bool many, struct yg_cedar_scope *s)
{
	yg_status st = YG_OK;
	uint32_t k = many ? node + 1 : node;
	if (many && type_at(r, node) != YG_JSON_ARRAY)
		return fail(r, node, "a list of entities");
	s->n = many ? yg_json_at(&r->j, node)->n : 1;
	s->uid = YG_NEW_N(&r->p->code.arena, struct yg_cedar_uid, (size_t)s->n + 1);
	if (s->uid == NULL)
		return nomem(r);
	for (uint32_t i = 0; i < s->n && st == YG_OK; i++, k = next_of(r, k))
		st = yg_cedar_json_uid(&r->values, k, &s->uid[i], r->err);
	return st;
}

/* The entity or the slot of a scope. */
static yg_status read_target(struct reading *r, uint32_t entity, uint32_t slot, const char *var,
			     uint32_t node, struct yg_cedar_scope *s)
{
	if ((entity != 0) == (slot != 0))
		return fail(r, node, "an entity or a slot");
	if (entity != 0)
		return read_uids(r, entity, false, s);
	s->slot = yg_json_is(&r->j, slot, *var == 'p' ? YG_SV("?principal") : YG_SV("?resource"));
	return s->slot ? YG_OK : fail(r, slot, "the slot of this variable");
}

static yg_status read_type(struct reading *r, uint32_t node, struct yg_sv *out)
{
	yg_status st = text_at(r, node, out);
	return st == YG_OK && !yg_cedar_path_ok(*out) ? fail(r, node, "an entity type") : st;
}

static yg_status read_action(struct reading *r, uint32_t m[static 6], uint32_t node,
			     struct yg_cedar_scope *s)
{
	bool many = m[2] != 0;
	if (s->kind == YG_CEDAR_IS || m[3] != 0 || m[4] != 0 || m[5] != 0 ||
	    (many && s->kind != YG_CEDAR_IN) || (m[1] != 0) == many)
		return fail(r, node, "an action, or a list of actions");
	yg_status st = read_uids(r, many ? m[2] : m[1], many, s);
	for (uint32_t i = 0; i < s->n && st == YG_OK; i++)
		if (!yg_cedar_is_action(s->uid[i].type))
			st = fail(r, node, "an action of the type Action");
	return st;
}

static yg_status read_scope(struct reading *r, uint32_t node, const char *var,
			    struct yg_cedar_scope *s)
{
	static const char *const names[] = {"op",    "?entity",      "?entities",
					    "?slot", "?entity_type", "?in"};
	static const char *const in_names[] = {"?entity", "?slot"};
	static const struct {
		const char *op;
		enum yg_cedar_scope_kind kind;
	} ops[] = {{"All", YG_CEDAR_ANY},
		   {"all", YG_CEDAR_ANY}, /* Cedar writes the one, and reads both */
		   {"==", YG_CEDAR_IS_ENTITY},
		   {"in", YG_CEDAR_IN},
		   {"is", YG_CEDAR_IS}};
	uint32_t m[6] = {0}, in[2] = {0};
	struct yg_sv op = YG_SV("");
	yg_status st = members(r, node, names, YG_LEN(names), m);
	if (st == YG_OK)
		st = text_at(r, m[0], &op);
	if (st != YG_OK)
		return st;
	for (size_t i = 0; i < YG_LEN(ops); i++)
		if (yg_sv_eq(op, yg_sv_of(ops[i].op)))
			s->kind = ops[i].kind;
	if (s->kind == 0)
		return fail(r, m[0], "All, ==, in or is");
	if (s->kind == YG_CEDAR_ANY) {
		for (size_t i = 1; i < YG_LEN(m); i++)
			if (m[i] != 0)
				return fail(r, m[i], "nothing more beside All");
		return YG_OK;
	}
	if (*var == 'a')
		return read_action(r, m, node, s);
	if (m[2] != 0 || (s->kind == YG_CEDAR_IS) != (m[4] != 0) ||
	    (s->kind != YG_CEDAR_IS && m[5] != 0))
		return fail(r, node, "what belongs to this operator");
	if (s->kind != YG_CEDAR_IS)
		return read_target(r, m[1], m[3], var, node, s);
	st = read_type(r, m[4], &s->type);
	if (st != YG_OK || m[5] == 0)
		return st;
	s->kind = YG_CEDAR_IS_TYPE_IN;
	st = members(r, m[5], in_names, 2, in);
	return st == YG_OK ? read_target(r, in[0], in[1], var, m[5], s) : st;
}

static yg_status read_annotations(struct reading *r, uint32_t node, struct yg_cedar_policy *p)
{
	uint32_t k = node + 1;
	yg_status st = YG_OK;
	if (type_at(r, node) != YG_JSON_OBJECT)
		return fail(r, node, "annotations as an object");
	p->annotation_n = yg_json_at(&r->j, node)->n;
	p->annotations = YG_NEW_N(&r->p->code.arena, struct yg_cedar_annotation,
				  (size_t)p->annotation_n + 1);
	if (p->annotations == NULL)
		return nomem(r);
	struct yg_cedar_placed *keys = calloc((size_t)p->annotation_n + 1, sizeof *keys);
	st = keys != NULL ? YG_OK : nomem(r);
	for (uint32_t i = 0; i < p->annotation_n && st == YG_OK; i++, k = next_of(r, k + 1)) {
		struct yg_cedar_annotation *a = &p->annotations[i];
		st = text_at(r, k, &a->key);
		if (st == YG_OK && !yg_cedar_name_ok(a->key))
			st = fail(r, k, "a name");
		a->bare = type_at(r, k + 1) == YG_JSON_NULL;
		if (st == YG_OK && !a->bare)
			st = text_at(r, k + 1, &a->value);
		keys[i] = (struct yg_cedar_placed){a->key, k};
	}
	if (st == YG_OK)
		st = each_once(r, keys, p->annotation_n);
	free(keys);
	return st;
}

static yg_status read_conditions(struct reading *r, uint32_t node, struct yg_cedar_policy *p)
{
	static const char *const names[] = {"kind", "body"};
	uint32_t k = node + 1, m[2];
	yg_status st = YG_OK;
	if (type_at(r, node) != YG_JSON_ARRAY)
		return fail(r, node, "conditions as a list");
	p->condition_n = yg_json_at(&r->j, node)->n;
	p->conditions =
		YG_NEW_N(&r->p->code.arena, struct yg_cedar_condition, (size_t)p->condition_n + 1);
	if (p->conditions == NULL)
		return nomem(r);
	for (uint32_t i = 0; i < p->condition_n && st == YG_OK; i++, k = next_of(r, k)) {
		st = members(r, k, names, 2, m);
		p->conditions[i].unless = st == YG_OK && yg_json_is(&r->j, m[0], YG_SV("unless"));
		if (st == YG_OK && !p->conditions[i].unless &&
		    !yg_json_is(&r->j, m[0], YG_SV("when")))
			st = fail(r, m[0], "when or unless");
		if (st == YG_OK)
			st = read_expression(r, m[1], &p->conditions[i]);
	}
	return st;
}

/* `id` is its name in the set; empty: @id, or a made one. */
static yg_status read_policy(struct reading *r, uint32_t node, struct yg_sv id, int is_template)
{
	static const char *const names[] = {"effect",   "principal",  "action",
					    "resource", "conditions", "?annotations"};
	struct yg_cedar_policy p = {.id = id, .at = yg_json_at(&r->j, node)->at};
	uint32_t m[6] = {0};
	yg_status st = members(r, node, names, YG_LEN(names), m);
	if (st != YG_OK)
		return st;
	p.effect = yg_json_is(&r->j, m[0], YG_SV("permit")) ? YG_CEDAR_PERMIT : YG_CEDAR_FORBID;
	if (p.effect == YG_CEDAR_FORBID && !yg_json_is(&r->j, m[0], YG_SV("forbid")))
		return fail(r, m[0], "permit or forbid");
	st = read_scope(r, m[1], "principal", &p.principal);
	if (st == YG_OK)
		st = read_scope(r, m[2], "action", &p.action);
	if (st == YG_OK)
		st = read_scope(r, m[3], "resource", &p.resource);
	if (st == YG_OK)
		st = read_conditions(r, m[4], &p);
	if (st == YG_OK && m[5] != 0)
		st = read_annotations(r, m[5], &p);
	if (st != YG_OK)
		return st;
	bool slots = p.principal.slot || p.resource.slot;
	if (is_template >= 0 && slots != (is_template > 0))
		return fail(r, node, slots ? "a policy without slots" : "a template: with a slot");
	const struct yg_cedar_annotation *named = yg_cedar_annotation_of(&p, YG_SV("id"));
	if (p.id.n == 0 && named != NULL)
		p.id = named->value;
	return yg_cedar_policy_add(r->p, &p, r->err);
}

/* Policies by id, or one behind the other. */
static yg_status read_policies(struct reading *r, uint32_t node, int is_template)
{
	bool named = type_at(r, node) == YG_JSON_OBJECT;
	uint32_t end = next_of(r, node);
	yg_status st = YG_OK;
	if (!named && type_at(r, node) != YG_JSON_ARRAY)
		return fail(r, node, "policies by id, or a list of them");
	for (uint32_t k = node + 1; k < end && st == YG_OK; k = next_of(r, k)) {
		struct yg_sv id = YG_SV("");
		if (named)
			st = text_at(r, k++, &id);
		if (st == YG_OK)
			st = read_policy(r, k, id, is_template);
	}
	return st;
}

static yg_status read_value(struct reading *r, uint32_t node, struct yg_cedar_uid **out)
{
	*out = NULL;
	if (node == 0)
		return YG_OK;
	*out = YG_NEW(&r->p->code.arena, struct yg_cedar_uid);
	return *out != NULL ? yg_cedar_json_uid(&r->values, node, *out, r->err) : nomem(r);
}

static yg_status read_links(struct reading *r, uint32_t node)
{
	static const char *const names[] = {"templateId", "newId", "values"};
	static const char *const slots[] = {"??principal", "??resource"};
	uint32_t end = next_of(r, node), m[3], s[2];
	yg_status st = YG_OK;
	if (type_at(r, node) != YG_JSON_ARRAY)
		return fail(r, node, "a list of links");
	for (uint32_t k = node + 1; k < end && st == YG_OK; k = next_of(r, k)) {
		struct yg_sv template_id = YG_SV(""), id = YG_SV("");
		struct yg_cedar_uid *principal = NULL, *resource = NULL;
		st = members(r, k, names, 3, m);
		if (st == YG_OK)
			st = text_at(r, m[0], &template_id);
		if (st == YG_OK)
			st = text_at(r, m[1], &id);
		if (st == YG_OK)
			st = members(r, m[2], slots, 2, s);
		if (st == YG_OK)
			st = read_value(r, s[0], &principal);
		if (st == YG_OK)
			st = read_value(r, s[1], &resource);
		if (st == YG_OK)
			st = yg_cedar_policy_link(r->p, template_id, id, principal, resource,
						  r->err);
	}
	return st;
}

static yg_status read_set(struct reading *r)
{
	static const char *const names[] = {"?staticPolicies", "?templates", "?templateLinks"};
	uint32_t m[3] = {0};
	if (type_at(r, 0) == YG_JSON_OBJECT && yg_json_get(&r->j, 0, YG_SV("effect")) != 0)
		return read_policy(r, 0, YG_SV(""), -1);
	if (type_at(r, 0) == YG_JSON_ARRAY)
		return read_policies(r, 0, -1);
	yg_status st = members(r, 0, names, 3, m);
	if (st == YG_OK && m[0] != 0)
		st = read_policies(r, m[0], 0);
	if (st == YG_OK && m[1] != 0)
		st = read_policies(r, m[1], 1);
	return st == YG_OK && m[2] != 0 ? read_links(r, m[2]) : st;
}

yg_status yg_cedar_policies_json(struct yg_cedar_policies *p, struct yg_sv text, struct yg_err *err)
{
	struct reading r = {.p = p, .err = err};
	yg_json_init(&r.j, YG_CEDAR_JSON_NODES);
	r.j.depth = POLICY_JSON_DEPTH;
	yg_cedar_json_init(&r.values, &r.j, &p->code.arena);
	yg_cedar_build_init(&r.build, &p->code, err);
	yg_status st = yg_json_parse(&r.j, text, err);
	if (st == YG_OK)
		st = read_set(&r);
	free(r.tasks.p);
	free(r.jumps.p);
	yg_cedar_build_free(&r.build);
	yg_cedar_json_free(&r.values);
	yg_json_free(&r.j);
	return st;
}
