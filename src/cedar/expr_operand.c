/* expr_operand.c - literals, names, calls, lists and records; what follows a dot. */
#include <stdlib.h>

#include "cedar/expr_internal.h"
#include "cedar/ext.h"

static const struct {
	const char *name;
	uint8_t op;
} methods[] = {{"contains", YG_CO_CONTAINS},        {"containsAll", YG_CO_CONTAINS_ALL},
	       {"containsAny", YG_CO_CONTAINS_ANY}, {"isEmpty", YG_CO_IS_EMPTY},
	       {"getTag", YG_CO_GET_TAG},           {"hasTag", YG_CO_HAS_TAG}};

static const struct {
	const char *name;
	uint8_t op;
} variables[] = {{"principal", YG_CO_PRINCIPAL},
		 {"action", YG_CO_ACTION},
		 {"resource", YG_CO_RESOURCE},
		 {"context", YG_CO_CONTEXT}};

static bool find_method(struct yg_sv name, uint8_t *out_op)
{
	for (size_t i = 0; i < YG_LEN(methods); i++) {
		if (yg_sv_eq(name, yg_sv_of(methods[i].name))) {
			*out_op = methods[i].op;
			return true;
		}
	}
	return false;
}

/* ---- calls ---- */

static bool function(struct yg_cedar_expr *e, struct yg_sv name, size_t at)
{
	enum yg_cedar_fn fn = YG_CF_COUNT;
	uint8_t op;
	bool known = yg_cedar_fn_find(name, &fn);
	if (!known || yg_cedar_fn_about(fn)->method) {
		bool method = known || find_method(name, &op);
		(void)yg_cedar_lex_fail_at(
			e->l, at, "'" YG_SV_FMT "' is %s", YG_SV_ARG(yg_sv_sub(name, 0, 64)),
			method ? "a method: it stands behind a dot" : "no function");
		return false;
	}
	if (!yg_ce_push(e, YG_CE_CALL))
		return false;
	yg_ce_top(e)->op = YG_CO_CALL;
	yg_ce_top(e)->fn = (uint8_t)fn;
	yg_ce_top(e)->at = (uint32_t)at;
	return true;
}

bool yg_ce_method(struct yg_cedar_expr *e, struct yg_sv name, size_t at)
{
	enum yg_cedar_fn fn = YG_CF_COUNT;
	uint8_t op = YG_CO_CALL;
	bool known = yg_cedar_fn_find(name, &fn);
	if ((!known || !yg_cedar_fn_about(fn)->method) && !find_method(name, &op)) {
		(void)yg_cedar_lex_fail_at(
			e->l, at, "'" YG_SV_FMT "' is %s", YG_SV_ARG(yg_sv_sub(name, 0, 64)),
			known ? "a function: nothing stands before it" : "no method");
		return false;
	}
	if (!yg_ce_push(e, YG_CE_METHOD))
		return false;
	yg_ce_top(e)->op = op;
	yg_ce_top(e)->fn = (uint8_t)fn;
	yg_ce_top(e)->at = (uint32_t)at;
	return true;
}

/* The arguments are there.  How many an extension's function takes is known when it is
 * evaluated, as with Cedar; of the others here. */
void yg_ce_called(struct yg_cedar_expr *e, const struct yg_ce_frame *f)
{
	uint32_t n = f->count + (f->kind == YG_CE_METHOD);
	e->b->at = f->at;
	if (f->op != YG_CO_CALL) {
		const struct yg_cedar_op op = {.op = f->op};
		if (n != yg_cedar_op_operands(&op))
			(void)yg_cedar_lex_fail_at(e->l, f->at, "expected %u arguments, found %u",
						   yg_cedar_op_operands(&op) - 1, f->count);
		else
			yg_cedar_put(e->b, op);
		return;
	}
	yg_cedar_put(e->b, (struct yg_cedar_op){.op = YG_CO_CALL, .fn = f->fn, .a = n});
}

/* ---- names ---- */

static bool name(struct yg_cedar_expr *e)
{
	struct yg_cedar_lex *l = e->l;
	size_t at = yg_cedar_lex_at(l);
	struct yg_sv path, id;
	bool uid;
	if (yg_cedar_path_read(l, &e->b->code->arena, &path, &uid, &id) != YG_OK)
		return false;
	e->b->at = (uint32_t)at;
	if (uid) {
		uint32_t type = yg_cedar_put_string(e->b, path);
		yg_cedar_put(e->b, (struct yg_cedar_op){.op = YG_CO_UID,
							.a = type,
							.b = yg_cedar_put_string(e->b, id)});
		return true;
	}
	if (yg_cedar_lex_is(l, "("))
		return yg_cedar_lex_go(l) && function(e, path, at);
	for (size_t i = 0; i < YG_LEN(variables); i++) {
		if (yg_sv_eq(path, yg_sv_of(variables[i].name))) {
			yg_cedar_put(e->b, (struct yg_cedar_op){.op = variables[i].op});
			return true;
		}
	}
	(void)yg_cedar_lex_fail_at(l, at, "'" YG_SV_FMT "' is no variable",
				   YG_SV_ARG(yg_sv_sub(path, 0, 64)));
	return false;
}

/* ---- literals ---- */

/* A minus that stands before a number alone belongs to it: the lowest number has no
 * positive one. */
static bool number(struct yg_cedar_expr *e)
{
	struct yg_ce_op *minus = e->waiting > 0 ? &e->wait[e->waiting - 1] : NULL;
	struct yg_sv text = e->l->now.text;
	uint64_t v;
	bool access = e->l->next.kind == YG_CT_MARK && strchr(".[(", e->l->next.text.p[0]) != NULL;
	bool negative = minus != NULL && minus->op == YG_CO_NEG && !access && !yg_ce_alone(e);
	if (yg_parse_u64(text, &v, NULL) != YG_OK || v > (uint64_t)INT64_MAX + negative) {
		(void)yg_cedar_lex_fail(e->l, "a number that 64 bits do not hold");
		return false;
	}
	e->waiting -= negative;
	yg_cedar_put_long(e->b, negative ? (int64_t)(0 - v) : (int64_t)v);
	return yg_cedar_lex_go(e->l);
}

static bool string(struct yg_cedar_expr *e)
{
	struct yg_sv text;
	if (yg_cedar_unescape(e->l, e->l->now.text, false, &e->b->code->arena, &text) != YG_OK)
		return false;
	yg_cedar_put(e->b, (struct yg_cedar_op){.op = YG_CO_STRING,
						.a = yg_cedar_put_string(e->b, text)});
	return yg_cedar_lex_go(e->l);
}

/* ---- records ---- */

bool yg_ce_key(struct yg_cedar_expr *e)
{
	struct yg_cedar_lex *l = e->l;
	struct yg_sv key = l->now.text;
	uint32_t *to;
	if (l->now.kind == YG_CT_STRING) {
		if (yg_cedar_unescape(l, key, false, &e->b->code->arena, &key) != YG_OK)
			return false;
	} else if (l->now.kind != YG_CT_NAME || yg_cedar_reserved(key)) {
		(void)yg_cedar_lex_unexpected(l, "the name of a record's field, or \"...\"");
		return false;
	}
	if (!yg_cedar_lex_go(l))
		return false;
	if (!yg_cedar_lex_take(l, ":")) {
		(void)yg_cedar_lex_unexpected(l, "':'");
		return false;
	}
	to = yg_vec_add(&e->keys, sizeof *to);
	if (to == NULL) {
		e->b->bad = YG_FAIL(e->b->err, YG_NOMEM, "no memory for a record");
		return false;
	}
	*to = yg_cedar_put_string(e->b, key);
	return true;
}

static bool unary(struct yg_cedar_expr *e)
{
	const char *mark = yg_cedar_lex_is(e->l, "!") ? "!" : "-";
	for (unsigned n = 0; yg_cedar_lex_is(e->l, mark); n++) {
		if (n == 4) {
			(void)yg_cedar_lex_fail(e->l, "more than four '%s' in a row", mark);
			return false;
		}
		yg_ce_wait(e, (struct yg_ce_op){.prec = YG_CE_UNARY,
						.op = *mark == '!' ? YG_CO_NOT : YG_CO_NEG,
						.at = (uint32_t)yg_cedar_lex_at(e->l)});
		if (!yg_cedar_lex_go(e->l))
			return false;
	}
	return true;
}

static bool bracket(struct yg_cedar_expr *e)
{
	struct yg_cedar_lex *l = e->l;
	if (yg_cedar_lex_is(l, "(")) {
		return yg_ce_push(e, YG_CE_PAREN) && yg_cedar_lex_go(l);
	}
	if (yg_cedar_lex_is(l, "["))
		return yg_ce_push(e, YG_CE_LIST) && yg_cedar_lex_go(l);
	if (yg_cedar_lex_is(l, "{"))
		return yg_ce_push(e, YG_CE_RECORD) && yg_cedar_lex_go(l);
	(void)yg_cedar_lex_unexpected(l, "an expression");
	return false;
}

bool yg_ce_operand(struct yg_cedar_expr *e)
{
	struct yg_cedar_lex *l = e->l;
	e->sealed = false;
	if (yg_cedar_lex_word(l, "if") && yg_ce_alone(e))
		return yg_ce_push(e, YG_CE_COND) && yg_cedar_lex_go(l);
	if ((yg_cedar_lex_is(l, "!") || yg_cedar_lex_is(l, "-")) && !unary(e))
		return false;
	e->b->at = (uint32_t)yg_cedar_lex_at(l);
	switch (l->now.kind) {
	case YG_CT_NUMBER: e->want = false; return number(e);
	case YG_CT_STRING: e->want = false; return string(e);
	case YG_CT_NAME:
		e->want = false;
		if (yg_cedar_lex_word(l, "true") || yg_cedar_lex_word(l, "false")) {
			yg_cedar_put(e->b,
				     (struct yg_cedar_op){.op = l->now.text.n == 4 ? YG_CO_TRUE
										   : YG_CO_FALSE});
			return yg_cedar_lex_go(l);
		}
		return name(e);
	case YG_CT_SLOT:
		(void)yg_cedar_lex_fail(l, "a slot stands in the scope of a policy only");
		return false;
	case YG_CT_MARK:
	case YG_CT_END: break;
	}
	return bracket(e);
}

/* Behind a dot, or at a bracket. */
bool yg_ce_member(struct yg_cedar_expr *e)
{
	struct yg_cedar_lex *l = e->l;
	struct yg_sv text;
	size_t at = yg_cedar_lex_at(l);
	bool dot = yg_cedar_lex_is(l, ".");
	if (!yg_cedar_lex_go(l))
		return false;
	text = l->now.text;
	if (l->now.kind != (dot ? YG_CT_NAME : YG_CT_STRING)) {
		(void)yg_cedar_lex_unexpected(l, dot ? "the name of an attribute or method"
						     : "the name of an attribute in quotes");
		return false;
	}
	if (dot && yg_cedar_reserved(text)) {
		(void)yg_cedar_lex_fail(l, "'" YG_SV_FMT "' is reserved; write [\"" YG_SV_FMT "\"]",
					YG_SV_ARG(text), YG_SV_ARG(text));
		return false;
	}
	if (!dot && yg_cedar_unescape(l, text, false, &e->b->code->arena, &text) != YG_OK)
		return false;
	if (!yg_cedar_lex_go(l))
		return false;
	if (dot && yg_cedar_lex_is(l, "("))
		return yg_cedar_lex_go(l) && yg_ce_method(e, text, at + 1);
	if (!dot && !yg_cedar_lex_take(l, "]")) {
		(void)yg_cedar_lex_unexpected(l, "']'");
		return false;
	}
	e->b->at = (uint32_t)at;
	yg_cedar_put(e->b,
		     (struct yg_cedar_op){.op = YG_CO_ATTR, .a = yg_cedar_put_string(e->b, text)});
	return l->bad == YG_OK;
}
