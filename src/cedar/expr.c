/* expr.c - operators, and what opens and closes.  Operands are in expr_operand.c. */
#include <stdlib.h>

#include "cedar/expr_internal.h"

struct yg_cedar_expr *yg_cedar_expr_new(void)
{
	return calloc(1, sizeof(struct yg_cedar_expr));
}

void yg_cedar_expr_free(struct yg_cedar_expr *e)
{
	if (e == NULL)
		return;
	free(e->keys.p);
	free(e);
}

bool yg_ce_push(struct yg_cedar_expr *e, enum yg_ce_kind kind)
{
	if (e->depth == YG_CEDAR_OPEN_MAX) {
		(void)yg_cedar_lex_fail(e->l, "nested deeper than %d levels", YG_CEDAR_OPEN_MAX);
		return false;
	}
	e->open[e->depth++] = (struct yg_ce_frame){.kind = kind,
						   .waiting = e->waiting,
						   .keys = (uint32_t)e->keys.n,
						   .at = (uint32_t)yg_cedar_lex_at(e->l)};
	e->want = true;
	return true;
}

bool yg_ce_alone(const struct yg_cedar_expr *e)
{
	return e->waiting == e->open[e->depth - 1].waiting;
}

void yg_ce_wait(struct yg_cedar_expr *e, struct yg_ce_op op)
{
	e->wait[e->waiting++] = op; /* one of each strength, four unary: there is room */
}

/* Finishes waiting operators that bind at least so strongly. */
void yg_ce_reduce(struct yg_cedar_expr *e, enum yg_ce_prec least)
{
	while (!yg_ce_alone(e) && e->wait[e->waiting - 1].prec >= least) {
		const struct yg_ce_op *o = &e->wait[--e->waiting];
		e->b->at = o->at;
		yg_cedar_put(e->b, (struct yg_cedar_op){.op = o->op, .a = o->type});
		if (o->op == YG_CO_AND || o->op == YG_CO_OR || o->op == YG_CO_IS_IN)
			yg_cedar_land(e->b, o->jump);
	}
}

/* ---- relations ---- */

static bool relation_free(struct yg_cedar_expr *e)
{
	yg_ce_reduce(e, YG_CE_ADD);
	if (yg_ce_alone(e) || e->wait[e->waiting - 1].prec != YG_CE_RELATION)
		return true;
	(void)yg_cedar_lex_fail(e->l, "several relations in a row need parentheses");
	return false;
}

static bool read_has(struct yg_cedar_expr *e)
{
	struct yg_cedar_lex *l = e->l;
	uint32_t n = 0, at = (uint32_t)e->b->code->lists.n;
	for (bool more = true; more && l->bad == YG_OK && e->b->bad == YG_OK; n++) {
		struct yg_sv text = l->now.text;
		more = false;
		if (l->now.kind == YG_CT_STRING && n == 0) {
			if (yg_cedar_unescape(l, text, false, &e->b->code->arena, &text) != YG_OK)
				return false;
			(void)yg_cedar_lex_go(l);
		} else if (l->now.kind == YG_CT_NAME && !yg_cedar_reserved(text)) {
			more = yg_cedar_lex_go(l) && yg_cedar_lex_take(l, ".");
		} else {
			(void)yg_cedar_lex_unexpected(
				l, n > 0 ? "the name of an attribute"
					 : "the name of an attribute, or \"...\"");
			return false;
		}
		uint32_t string = yg_cedar_put_string(e->b, text);
		if (e->b->bad == YG_OK)
			e->b->bad = yg_cedar_code_item(e->b->code, string, e->b->err);
	}
	yg_cedar_put(e->b, (struct yg_cedar_op){.op = YG_CO_HAS, .a = n, .b = at});
	return l->bad == YG_OK;
}

static bool read_like(struct yg_cedar_expr *e)
{
	struct yg_sv pattern;
	if (e->l->now.kind != YG_CT_STRING) {
		(void)yg_cedar_lex_unexpected(e->l, "a pattern in quotes");
		return false;
	}
	if (yg_cedar_unescape(e->l, e->l->now.text, true, &e->b->code->arena, &pattern) != YG_OK)
		return false;
	yg_cedar_put(e->b, (struct yg_cedar_op){.op = YG_CO_LIKE,
						.a = yg_cedar_put_string(e->b, pattern)});
	return yg_cedar_lex_go(e->l);
}

static bool read_is(struct yg_cedar_expr *e, uint32_t at)
{
	struct yg_sv type, id;
	bool uid;
	size_t from = yg_cedar_lex_at(e->l);
	if (yg_cedar_path_read(e->l, &e->b->code->arena, &type, &uid, &id) != YG_OK)
		return false;
	if (uid) {
		(void)yg_cedar_lex_fail_at(e->l, from, "expected an entity type, found an entity");
		return false;
	}
	uint32_t string = yg_cedar_put_string(e->b, type);
	if (!yg_cedar_lex_word(e->l, "in")) {
		yg_cedar_put(e->b, (struct yg_cedar_op){.op = YG_CO_IS, .a = string});
		return true;
	}
	uint32_t jump = yg_cedar_jump(e->b, YG_CO_J_NOT_IS, string);
	yg_ce_wait(e, (struct yg_ce_op){.prec = YG_CE_RELATION,
					.op = YG_CO_IS_IN,
					.jump = jump,
					.type = string,
					.at = at});
	e->want = true;
	return yg_cedar_lex_go(e->l);
}

/* has, like, is: what stands behind them is no expression. */
static bool word_relation(struct yg_cedar_expr *e)
{
	bool has = yg_cedar_lex_word(e->l, "has"), like = yg_cedar_lex_word(e->l, "like");
	uint32_t at = (uint32_t)yg_cedar_lex_at(e->l);
	if (!relation_free(e) || !yg_cedar_lex_go(e->l))
		return false;
	e->b->at = at;
	e->sealed = true;
	return has ? read_has(e) : like ? read_like(e) : read_is(e, at);
}

/* ---- binary operators ---- */

static const struct {
	const char *text;
	uint8_t prec, op;
} binary[] = {{"||", YG_CE_OR, YG_CO_OR},       {"&&", YG_CE_AND, YG_CO_AND},
	      {"==", YG_CE_RELATION, YG_CO_EQ}, {"!=", YG_CE_RELATION, YG_CO_NE},
	      {"<", YG_CE_RELATION, YG_CO_LT},  {"<=", YG_CE_RELATION, YG_CO_LE},
	      {">", YG_CE_RELATION, YG_CO_GT},  {">=", YG_CE_RELATION, YG_CO_GE},
	      {"in", YG_CE_RELATION, YG_CO_IN}, {"+", YG_CE_ADD, YG_CO_ADD},
	      {"-", YG_CE_ADD, YG_CO_SUB},      {"*", YG_CE_MUL, YG_CO_MUL}};

static bool binary_operator(struct yg_cedar_expr *e, size_t i)
{
	uint32_t at = (uint32_t)yg_cedar_lex_at(e->l), jump = 0;
	if (binary[i].prec == YG_CE_RELATION && !relation_free(e))
		return false;
	yg_ce_reduce(e, (enum yg_ce_prec)binary[i].prec);
	e->b->at = at;
	if (binary[i].op == YG_CO_AND || binary[i].op == YG_CO_OR)
		jump = yg_cedar_jump(e->b, binary[i].op == YG_CO_AND ? YG_CO_J_FALSE : YG_CO_J_TRUE,
				     0);
	yg_ce_wait(e, (struct yg_ce_op){
			      .prec = binary[i].prec, .op = binary[i].op, .jump = jump, .at = at});
	e->want = true;
	return yg_cedar_lex_go(e->l);
}

/* ---- what closes ---- */

static void tell_twice(struct yg_cedar_expr *e, uint32_t at, struct yg_sv key)
{
	char text[128];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_put_untrusted(&b, yg_sv_sub(key, 0, 30));
	(void)yg_cedar_lex_fail_at(e->l, at, "this record has the field '%s' twice",
				   yg_sb_cstr(&b));
}

static void finish_record(struct yg_cedar_expr *e, const struct yg_ce_frame *f)
{
	uint32_t at = (uint32_t)e->b->code->lists.n;
	struct yg_cedar_placed *fields = calloc((size_t)f->count + 1, sizeof *fields);
	if (fields == NULL)
		e->b->bad = YG_FAIL(e->b->err, YG_NOMEM, "no memory for a record");
	for (uint32_t i = 0; i < f->count && e->b->bad == YG_OK; i++) {
		uint32_t key = ((const uint32_t *)e->keys.p)[f->keys + i];
		fields[i].name = yg_cedar_code_str(e->b->code, key);
		e->b->bad = yg_cedar_code_item(e->b->code, key, e->b->err);
	}
	const struct yg_cedar_placed *again =
		e->b->bad == YG_OK ? yg_cedar_again(fields, f->count) : NULL;
	if (again != NULL)
		tell_twice(e, f->at, again->name);
	free(fields);
	e->keys.n = f->keys;
	e->b->at = f->at;
	yg_cedar_put(e->b, (struct yg_cedar_op){.op = YG_CO_RECORD, .a = f->count, .b = at});
}

/* The closing mark was taken. */
static bool finish(struct yg_cedar_expr *e)
{
	const struct yg_ce_frame f = e->open[--e->depth];
	e->want = e->sealed = false;
	e->b->at = f.at;
	if (f.kind == YG_CE_LIST)
		yg_cedar_put(e->b, (struct yg_cedar_op){.op = YG_CO_SET, .a = f.count});
	else if (f.kind == YG_CE_RECORD)
		finish_record(e, &f);
	else if (f.kind == YG_CE_CALL || f.kind == YG_CE_METHOD)
		yg_ce_called(e, &f);
	return e->l->bad == YG_OK;
}

static const char *closing(enum yg_ce_kind kind)
{
	return kind == YG_CE_LIST ? "]" : kind == YG_CE_RECORD ? "}" : ")";
}

/* Elements of a list, record or call: at the first, or behind a comma. */
static bool element(struct yg_cedar_expr *e)
{
	const struct yg_ce_frame *f = yg_ce_top(e);
	if (f->kind != YG_CE_LIST && f->kind != YG_CE_RECORD && f->kind != YG_CE_CALL &&
	    f->kind != YG_CE_METHOD)
		return yg_ce_operand(e);
	if (!yg_ce_alone(e) || !yg_cedar_lex_is(e->l, closing(f->kind))) {
		if (f->kind == YG_CE_RECORD && yg_ce_alone(e) && !yg_ce_key(e))
			return false;
		return yg_ce_operand(e);
	}
	return yg_cedar_lex_go(e->l) && finish(e);
}

/* An if goes on: `then` and `else` behind its parts. */
static bool go_on(struct yg_cedar_expr *e, struct yg_ce_frame *f)
{
	bool cond = f->kind == YG_CE_COND;
	if (!yg_cedar_lex_word(e->l, cond ? "then" : "else")) {
		(void)yg_cedar_lex_unexpected(e->l, cond ? "'then'" : "'else'");
		return false;
	}
	e->b->at = f->at;
	uint32_t jump = yg_cedar_jump(e->b, cond ? YG_CO_J_ELSE : YG_CO_J_END, 0);
	if (!cond)
		yg_cedar_land(e->b, f->jump);
	f->jump = jump;
	f->kind = cond ? YG_CE_THEN : YG_CE_ELSE;
	e->want = true;
	return yg_cedar_lex_go(e->l);
}

/* No operator follows: what is open goes on or closes. */
static bool shut(struct yg_cedar_expr *e)
{
	struct yg_ce_frame *f = yg_ce_top(e);
	yg_ce_reduce(e, YG_CE_OR);
	switch (f->kind) {
	case YG_CE_TOP: e->depth = 0; return true;
	case YG_CE_COND:
	case YG_CE_THEN: return go_on(e, f);
	case YG_CE_ELSE:
		e->b->at = f->at;
		yg_cedar_put(e->b, (struct yg_cedar_op){.op = YG_CO_IF});
		yg_cedar_land(e->b, f->jump);
		e->depth--;
		return true; /* then what it stands in closes */
	case YG_CE_PAREN: break;
	case YG_CE_LIST:
	case YG_CE_RECORD:
	case YG_CE_CALL:
	case YG_CE_METHOD:
		f->count++;
		if (yg_cedar_lex_is(e->l, ",")) {
			e->want = true;
			return yg_cedar_lex_go(e->l);
		}
		break;
	}
	if (!yg_cedar_lex_is(e->l, closing(f->kind))) {
		char what[16];
		struct yg_sb b = yg_sb_init(what, sizeof what);
		yg_sb_printf(&b, "'%s'", closing(f->kind));
		(void)yg_cedar_lex_unexpected(e->l, yg_sb_cstr(&b));
		return false;
	}
	return yg_cedar_lex_go(e->l) && finish(e);
}

/* An operand is there: members and calls, then operators. */
static bool behind(struct yg_cedar_expr *e)
{
	struct yg_cedar_lex *l = e->l;
	if (!e->sealed && (yg_cedar_lex_is(l, ".") || yg_cedar_lex_is(l, "[")))
		return yg_ce_member(e);
	if (!e->sealed && yg_cedar_lex_is(l, "(")) {
		(void)yg_cedar_lex_fail(l, "only functions and methods are called");
		return false;
	}
	yg_ce_reduce(e, YG_CE_UNARY);
	if (!e->sealed && (yg_cedar_lex_word(l, "has") || yg_cedar_lex_word(l, "like") ||
			   yg_cedar_lex_word(l, "is")))
		return word_relation(e);
	for (size_t i = 0; i < YG_LEN(binary); i++) {
		if (!yg_sv_eq(l->now.text, yg_sv_of(binary[i].text)) ||
		    (l->now.kind != YG_CT_MARK && l->now.kind != YG_CT_NAME))
			continue;
		if (e->sealed && binary[i].prec >= YG_CE_RELATION) {
			(void)yg_cedar_lex_fail(l, "has, like and is need parentheses here");
			return false;
		}
		return binary_operator(e, i);
	}
	if (yg_cedar_lex_is(l, "/") || yg_cedar_lex_is(l, "%") || yg_cedar_lex_is(l, "=")) {
		(void)yg_cedar_lex_fail(l, *l->now.text.p == '='
						   ? "Cedar has no '=': equality is '=='"
						   : "Cedar has no division");
		return false;
	}
	return shut(e);
}

yg_status yg_cedar_expr_read(struct yg_cedar_expr *e, struct yg_cedar_lex *lex,
			     struct yg_cedar_build *build)
{
	e->l = lex;
	e->b = build;
	e->depth = e->waiting = 0;
	e->keys.n = 0;
	(void)yg_ce_push(e, YG_CE_TOP);
	while (e->depth > 0 && e->b->bad == YG_OK) {
		if (!(e->want ? element(e) : behind(e)))
			break;
	}
	return lex->bad != YG_OK ? lex->bad : build->bad;
}

yg_status yg_cedar_expr_text(struct yg_cedar_code *code, struct yg_sv text,
			     struct yg_cedar_range *out, uint32_t *out_stack, struct yg_err *err)
{
	struct yg_cedar_lex lex;
	YG_AUTO(yg_cedar_build_free) struct yg_cedar_build build;
	struct yg_cedar_expr *e = yg_cedar_expr_new();
	yg_cedar_build_init(&build, code, err);
	yg_status st = e != NULL ? yg_cedar_lex_init(&lex, text, err)
				 : YG_FAIL(err, YG_NOMEM, "no memory to read an expression");
	if (st == YG_OK)
		st = yg_cedar_expr_read(e, &lex, &build);
	if (st == YG_OK && lex.now.kind != YG_CT_END)
		st = yg_cedar_lex_unexpected(&lex, "the end");
	if (st == YG_OK)
		st = yg_cedar_build_end(&build, out, out_stack);
	yg_cedar_expr_free(e);
	return st;
}
