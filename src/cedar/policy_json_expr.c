/* policy_json_expr.c - expressions of policies as JSON, walked with a list of what is to be done
 * instead of recursion. */
#include <stdlib.h>

#include "cedar/ext.h"
#include "cedar/policy_json_internal.h"

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

static yg_status task(struct yg_pj *r, struct task t)
{
	struct task *to = yg_vec_add(&r->tasks, sizeof *to);
	if (to == NULL)
		return yg_pj_nomem(r);
	*to = t;
	return YG_OK;
}

/* What was put down first is to be done first, so it must stand last. */
static void turn(struct yg_pj *r, size_t from)
{
	struct task *tasks = r->tasks.p;
	for (size_t i = from, e = r->tasks.n; i + 1 < e; i++, e--) {
		struct task t = tasks[i];
		tasks[i] = tasks[e - 1];
		tasks[e - 1] = t;
	}
}

/* All elements of a list as operands, first to last, and then the operation. */
static yg_status operands(struct yg_pj *r, uint32_t list, enum task_kind kind,
			  struct yg_cedar_op op)
{
	uint32_t k = list + 1, n = yg_json_at(&r->j, list)->n;
	op.a = n;
	yg_status st = task(r, (struct task){.kind = PUT, .op = op});
	size_t from = r->tasks.n;
	for (uint32_t i = 0; i < n && st == YG_OK; i++, k = yg_pj_next(r, k))
		st = task(r, (struct task){.kind = kind, .node = k});
	turn(r, from);
	return st;
}

static yg_status record(struct yg_pj *r, uint32_t node, enum task_kind kind)
{
	uint32_t n = yg_json_at(&r->j, node)->n, k = node + 1;
	struct yg_cedar_code *code = &r->p->code;
	struct yg_cedar_op op = {.op = YG_CO_RECORD, .a = n, .b = (uint32_t)code->lists.n};
	struct yg_cedar_placed *fields = calloc((size_t)n + 1, sizeof *fields);
	yg_status st =
		fields != NULL ? task(r, (struct task){.kind = PUT, .op = op}) : yg_pj_nomem(r);
	size_t from = r->tasks.n;
	for (uint32_t i = 0; i < n && st == YG_OK; i++, k = yg_pj_next(r, k + 1)) {
		uint32_t string = 0;
		fields[i].at = k;
		st = yg_pj_text(r, k, &fields[i].name);
		if (st == YG_OK)
			st = yg_cedar_code_string(code, fields[i].name, &string, r->err);
		if (st == YG_OK)
			st = yg_cedar_code_item(code, string, r->err);
		if (st == YG_OK)
			st = task(r, (struct task){.kind = kind, .node = k + 1});
	}
	turn(r, from);
	if (st == YG_OK)
		st = yg_pj_each_once(r, fields, n);
	free(fields);
	return st;
}

/* The function of an extension that a string names. */
static bool find_fn(const struct yg_pj *r, uint32_t node, enum yg_cedar_fn *out)
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
static bool escape(const struct yg_pj *r, uint32_t node, struct yg_sv key, uint8_t type)
{
	return yg_pj_type(r, node) == YG_JSON_OBJECT && yg_json_at(&r->j, node)->n == 1 &&
	       yg_json_is(&r->j, node + 1, key) && yg_pj_type(r, node + 2) == type;
}

static bool has_text(const struct yg_pj *r, uint32_t node, struct yg_sv key)
{
	uint32_t at = yg_json_get(&r->j, node, key);
	return at != 0 && yg_pj_type(r, at) == YG_JSON_STRING;
}

/* {"__extn": {"fn", "arg"}} or {"__extn": {"fn", "args"}}. */
static bool is_call(const struct yg_pj *r, uint32_t node)
{
	uint32_t inside = node + 2, args;
	if (!escape(r, node, YG_SV("__extn"), YG_JSON_OBJECT) || !has_text(r, inside, YG_SV("fn")))
		return false;
	args = yg_json_get(&r->j, inside, YG_SV("args"));
	return yg_json_get(&r->j, inside, YG_SV("arg")) != 0 ||
	       (args != 0 && yg_pj_type(r, args) == YG_JSON_ARRAY);
}

static yg_status literal_call(struct yg_pj *r, uint32_t inside)
{
	uint32_t arg = yg_json_get(&r->j, inside, YG_SV("arg")),
		 args = yg_json_get(&r->j, inside, YG_SV("args"));
	enum yg_cedar_fn fn;
	if (!find_fn(r, yg_json_get(&r->j, inside, YG_SV("fn")), &fn))
		return yg_pj_fail(r, inside, "a function of an extension");
	struct yg_cedar_op op = {.op = YG_CO_CALL, .fn = (uint8_t)fn, .a = 1};
	if (args != 0 && yg_pj_type(r, args) == YG_JSON_ARRAY)
		return operands(r, args, LITERAL, op);
	yg_status st = task(r, (struct task){.kind = PUT, .op = op});
	return st == YG_OK ? task(r, (struct task){.kind = LITERAL, .node = arg}) : st;
}

/* A value: entities and extensions by their escapes, the rest as it is. */
static yg_status literal(struct yg_pj *r, uint32_t node)
{
	bool entity = escape(r, node, YG_SV("__entity"), YG_JSON_OBJECT) &&
		      has_text(r, node + 2, YG_SV("type")) && has_text(r, node + 2, YG_SV("id"));
	struct yg_cedar_value v;
	if (escape(r, node, YG_SV("__expr"), YG_JSON_STRING))
		return yg_pj_fail(r, node, "no \"__expr\", which is of an old Cedar");
	if (is_call(r, node))
		return literal_call(r, node + 2);
	if (yg_pj_type(r, node) == YG_JSON_ARRAY)
		return operands(r, node, LITERAL, (struct yg_cedar_op){.op = YG_CO_SET});
	if (yg_pj_type(r, node) == YG_JSON_OBJECT && !entity)
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
		return yg_pj_fail(r, node, "a value");
	}
	return r->build.bad;
}

static yg_status variable(struct yg_pj *r, uint32_t node)
{
	static const uint8_t ops[] = {YG_CO_PRINCIPAL, YG_CO_ACTION, YG_CO_RESOURCE, YG_CO_CONTEXT};
	for (size_t i = 0; i < YG_LEN(ops); i++) {
		if (yg_json_is(&r->j, node,
			       yg_sv_of(yg_cedar_op_text((enum yg_cedar_opcode)ops[i])))) {
			yg_cedar_put(&r->build, (struct yg_cedar_op){.op = ops[i]});
			return r->build.bad;
		}
	}
	return yg_pj_fail(r, node, "principal, action, resource or context");
}

static yg_status two(struct yg_pj *r, uint32_t node, uint8_t op)
{
	static const char *const names[] = {"left", "right"};
	uint32_t m[2] = {0};
	uint8_t jump = op == YG_CO_AND ? YG_CO_J_FALSE : YG_CO_J_TRUE;
	bool jumps = op == YG_CO_AND || op == YG_CO_OR;
	yg_status st = yg_pj_members(r, node, names, 2, m);
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

static yg_status one(struct yg_pj *r, uint32_t node, struct yg_cedar_op op)
{
	yg_status st = task(r, (struct task){.kind = PUT, .op = op});
	return st == YG_OK ? task(r, (struct task){.kind = EXPRESSION, .node = node}) : st;
}

static yg_status one_arg(struct yg_pj *r, uint32_t node, uint8_t op)
{
	static const char *const names[] = {"arg"};
	uint32_t m[1] = {0};
	yg_status st = yg_pj_members(r, node, names, 1, m);
	return st == YG_OK ? one(r, m[0], (struct yg_cedar_op){.op = op}) : st;
}

static yg_status condition(struct yg_pj *r, uint32_t node)
{
	static const char *const names[] = {"if", "then", "else"};
	uint32_t m[3] = {0};
	yg_status st = yg_pj_members(r, node, names, 3, m);
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

static yg_status attribute(struct yg_pj *r, uint32_t node)
{
	static const char *const names[] = {"left", "attr"};
	uint32_t m[2] = {0};
	struct yg_sv text = YG_SV("");
	yg_status st = yg_pj_members(r, node, names, 2, m);
	if (st == YG_OK)
		st = yg_pj_text(r, m[1], &text);
	if (st != YG_OK)
		return st;
	uint32_t string = yg_cedar_put_string(&r->build, text);
	return one(r, m[0], (struct yg_cedar_op){.op = YG_CO_ATTR, .a = string});
}

static yg_status has(struct yg_pj *r, uint32_t node)
{
	static const char *const names[] = {"left", "attr"};
	uint32_t m[2], n = 1, k;
	yg_status st = yg_pj_members(r, node, names, 2, m);
	if (st != YG_OK)
		return st;
	k = m[1];
	if (yg_pj_type(r, k) == YG_JSON_ARRAY) {
		n = yg_json_at(&r->j, k)->n;
		k++;
	}
	if (n == 0)
		return yg_pj_fail(r, m[1], "the name of an attribute");
	struct yg_cedar_op op = {.op = YG_CO_HAS, .a = n, .b = (uint32_t)r->p->code.lists.n};
	for (uint32_t i = 0; i < n && st == YG_OK; i++, k = yg_pj_next(r, k)) {
		struct yg_sv text = YG_SV("");
		st = yg_pj_text(r, k, &text);
		if (st == YG_OK)
			st = yg_cedar_code_item(&r->p->code, yg_cedar_put_string(&r->build, text),
						r->err);
	}
	return st == YG_OK ? one(r, m[0], op) : st;
}

/* "Wildcard" and {"Literal": text}, one behind the other. */
static yg_status read_pattern(struct yg_pj *r, uint32_t node, struct yg_sv *out)
{
	uint32_t k = node + 1;
	struct yg_buf b;
	yg_status st = YG_OK;
	if (yg_pj_type(r, node) != YG_JSON_ARRAY)
		return yg_pj_fail(r, node, "a pattern as a list");
	yg_buf_init(&b, SIZE_MAX);
	for (uint32_t i = 0; i < yg_json_at(&r->j, node)->n && st == YG_OK;
	     i++, k = yg_pj_next(r, k)) {
		static const char *const names[] = {"Literal"};
		uint32_t m[1] = {0};
		struct yg_sv text = YG_SV("\xff"); /* YG_CEDAR_WILDCARD */
		bool wild = yg_json_is(&r->j, k, YG_SV("Wildcard"));
		if (!wild)
			st = yg_pj_members(r, k, names, 1, m);
		if (!wild && st == YG_OK)
			st = yg_pj_text(r, m[0], &text);
		yg_buf_put(&b, text);
	}
	if (st == YG_OK)
		st = yg_buf_done(&b) == YG_OK ? YG_OK : yg_pj_nomem(r);
	if (st == YG_OK) {
		*out = yg_arena_dup(&r->p->code.arena, yg_buf_sv(&b));
		st = out->p != NULL ? YG_OK : yg_pj_nomem(r);
	}
	yg_buf_free(&b);
	return st;
}

static yg_status like(struct yg_pj *r, uint32_t node)
{
	static const char *const names[] = {"left", "pattern"};
	uint32_t m[2] = {0};
	struct yg_sv pattern = YG_SV("");
	yg_status st = yg_pj_members(r, node, names, 2, m);
	if (st == YG_OK)
		st = read_pattern(r, m[1], &pattern);
	if (st != YG_OK)
		return st;
	uint32_t string = yg_cedar_put_string(&r->build, pattern);
	return one(r, m[0], (struct yg_cedar_op){.op = YG_CO_LIKE, .a = string});
}

static yg_status is_type(struct yg_pj *r, uint32_t node)
{
	static const char *const names[] = {"left", "entity_type", "?in"};
	uint32_t m[3] = {0};
	struct yg_sv type = YG_SV("");
	yg_status st = yg_pj_members(r, node, names, 3, m);
	if (st == YG_OK)
		st = yg_pj_text(r, m[1], &type);
	if (st == YG_OK && !yg_cedar_path_ok(type))
		st = yg_pj_fail(r, m[1], "an entity type");
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

static yg_status expression(struct yg_pj *r, uint32_t node)
{
	static const struct {
		const char *name;
		yg_status (*fn)(struct yg_pj *r, uint32_t node);
	} forms[] = {{"Value", literal}, {"Var", variable}, {"if-then-else", condition},
		     {".", attribute},   {"has", has},      {"like", like},
		     {"is", is_type}};
	enum yg_cedar_fn fn;
	if (yg_pj_type(r, node) != YG_JSON_OBJECT || yg_json_at(&r->j, node)->n != 1)
		return yg_pj_fail(r, node, "an expression as an object with one member");
	const uint32_t name = node + 1, inside = node + 2;
	r->build.at = yg_json_at(&r->j, node)->at;
	for (size_t i = 0; i < YG_LEN(forms); i++)
		if (yg_json_is(&r->j, name, yg_sv_of(forms[i].name)))
			return forms[i].fn(r, inside);
	if (yg_json_is(&r->j, name, YG_SV("neg")))
		return one_arg(r, inside, YG_CO_NEG);
	if (yg_json_is(&r->j, name, YG_SV("Set")))
		return yg_pj_type(r, inside) == YG_JSON_ARRAY
			       ? operands(r, inside, EXPRESSION,
					  (struct yg_cedar_op){.op = YG_CO_SET})
			       : yg_pj_fail(r, inside, "a list");
	if (yg_json_is(&r->j, name, YG_SV("Record")))
		return yg_pj_type(r, inside) == YG_JSON_OBJECT ? record(r, inside, EXPRESSION)
							       : yg_pj_fail(r, inside, "an object");
	if (find_fn(r, name, &fn))
		return yg_pj_type(r, inside) == YG_JSON_ARRAY
			       ? operands(r, inside, EXPRESSION,
					  (struct yg_cedar_op){.op = YG_CO_CALL, .fn = (uint8_t)fn})
			       : yg_pj_fail(r, inside, "a list of arguments");
	for (unsigned op = YG_CO_NOT; op <= YG_CO_HAS_TAG; op++) {
		const struct yg_cedar_op one_op = {.op = (uint8_t)op};
		if (op == YG_CO_NEG || op == YG_CO_IF || op == YG_CO_IS_IN ||
		    !yg_json_is(&r->j, name, yg_sv_of(yg_cedar_op_text((enum yg_cedar_opcode)op))))
			continue;
		return yg_cedar_op_operands(&one_op) == 1 ? one_arg(r, inside, one_op.op)
							  : two(r, inside, one_op.op);
	}
	return yg_pj_fail(r, node + 1, "an operator of Cedar");
}

static yg_status run(struct yg_pj *r, struct task t)
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
		if (lands) {
			yg_cedar_land(&r->build, *jump); /* the jump to else */
			*jump = at;
			break;
		}
		jump = yg_vec_add(&r->jumps, sizeof *jump);
		if (jump == NULL)
			return yg_pj_nomem(r);
		*jump = at;
		break;
	case LAND:
		yg_cedar_land(&r->build, *jump);
		r->jumps.n--;
		break;
	}
	return r->build.bad;
}

yg_status yg_pj_expression(struct yg_pj *r, uint32_t node, struct yg_cedar_condition *out)
{
	r->tasks.n = r->jumps.n = 0;
	yg_cedar_build_begin(&r->build);
	yg_status st = task(r, (struct task){.kind = EXPRESSION, .node = node});
	while (st == YG_OK && r->tasks.n > 0)
		st = run(r, ((struct task *)r->tasks.p)[--r->tasks.n]);
	return st == YG_OK ? yg_cedar_build_end(&r->build, &out->code, &out->stack) : st;
}
