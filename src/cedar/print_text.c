/* print_text.c - policies as Cedar's text, with as few parentheses as read back the same. */
#include <inttypes.h>
#include <stdlib.h>

#include "cedar/ext.h"
#include "cedar/lex.h"
#include "cedar/print_internal.h"

/* How strongly operations bind; members are read off nothing weaker than themselves. */
enum {
	BINDS_IF,
	BINDS_OR,
	BINDS_AND,
	BINDS_RELATION,
	BINDS_ADD,
	BINDS_MUL,
	BINDS_UNARY,
	BINDS_MEMBER,
};

static uint8_t strength(const struct yg_cedar_op *op)
{
	switch ((enum yg_cedar_opcode)op->op) {
	case YG_CO_IF: return BINDS_IF;
	case YG_CO_OR: return BINDS_OR;
	case YG_CO_AND: return BINDS_AND;
	case YG_CO_EQ:
	case YG_CO_NE:
	case YG_CO_LT:
	case YG_CO_LE:
	case YG_CO_GT:
	case YG_CO_GE:
	case YG_CO_IN:
	case YG_CO_HAS:
	case YG_CO_LIKE:
	case YG_CO_IS:
	case YG_CO_IS_IN: return BINDS_RELATION;
	case YG_CO_ADD:
	case YG_CO_SUB: return BINDS_ADD;
	case YG_CO_MUL: return BINDS_MUL;
	case YG_CO_NOT:
	case YG_CO_NEG: return BINDS_UNARY;
	case YG_CO_LONG: return yg_cedar_op_long(op) < 0 ? BINDS_UNARY : BINDS_MEMBER;
	default: return BINDS_MEMBER;
	}
}

/* ---- texts ---- */

static void put_quoted(struct yg_buf *b, struct yg_sv s, bool pattern)
{
	static const char from[] = "\n\r\t\\\"", to[] = "nrt\\\"";
	yg_buf_putc(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		const char *simple = c != '\0' ? strchr(from, c) : NULL;
		if (simple != NULL)
			yg_buf_printf(b, "\\%c", to[simple - from]);
		else if (pattern && c == YG_CEDAR_WILDCARD)
			yg_buf_putc(b, '*');
		else if (pattern && c == '*')
			yg_buf_put(b, YG_SV("\\*"));
		else if ((unsigned char)c < 0x20 || c == 0x7f)
			yg_buf_printf(b, "\\u{%x}", (unsigned)(unsigned char)c);
		else
			yg_buf_putc(b, c);
	}
	yg_buf_putc(b, '"');
}

static void put_uid(struct yg_buf *b, struct yg_sv type, struct yg_sv id)
{
	yg_buf_put(b, type);
	yg_buf_put(b, YG_SV("::"));
	put_quoted(b, id, false);
}

/* A name as it is, anything else in quotes. */
static void put_name(struct yg_buf *b, struct yg_sv name)
{
	if (yg_cedar_name_ok(name) && !yg_cedar_reserved(name))
		yg_buf_put(b, name);
	else
		put_quoted(b, name, false);
}

/* ---- expressions ---- */

static void put_has(struct yg_cp *w, const struct yg_cedar_op *op)
{
	for (uint32_t i = 0; i < op->a; i++) {
		struct yg_sv name =
			yg_cedar_code_str(w->code, yg_cedar_code_list(w->code, op->b + i));
		bool plain = yg_cedar_name_ok(name) && !yg_cedar_reserved(name);
		if (op->a > 1 && !plain)
			w->bad = YG_FAIL(w->err, YG_PARSE,
					 "a path of `has` with a part that is no name: text "
					 "cannot say that");
		yg_buf_put(w->out, yg_sv_of(i == 0 ? " has " : "."));
		put_name(w->out, name);
	}
}

static void tail(struct yg_cp *w, const struct yg_cedar_op *op)
{
	struct yg_sv text = op->op != YG_CO_HAS && op->op != YG_CO_CALL
				    ? yg_cedar_code_str(w->code, op->a)
				    : YG_SV("");
	switch ((enum yg_cedar_opcode)op->op) {
	case YG_CO_HAS: put_has(w, op); break;
	case YG_CO_LIKE:
		yg_buf_put(w->out, YG_SV(" like "));
		put_quoted(w->out, text, true);
		break;
	case YG_CO_ATTR:
		if (yg_cedar_name_ok(text) && !yg_cedar_reserved(text)) {
			yg_buf_putc(w->out, '.');
			yg_buf_put(w->out, text);
		} else {
			yg_buf_putc(w->out, '[');
			put_quoted(w->out, text, false);
			yg_buf_putc(w->out, ']');
		}
		break;
	default: /* is, is .. in */ yg_buf_put(w->out, YG_SV(" is ")); yg_buf_put(w->out, text);
	}
}

/* Operands of a list, record or call but the first `skip`, by commas. */
static uint32_t list(struct yg_cp *w, uint32_t at, const struct yg_cedar_op *op, uint32_t skip)
{
	uint32_t k = at - 1;
	for (uint32_t i = op->a; i > skip; i--) {
		yg_cp_node(w, k, BINDS_IF);
		if (op->op == YG_CO_RECORD)
			yg_cp_put(w, (struct yg_cp_task){
					     .kind = YG_CP_KEY,
					     .node = yg_cedar_code_list(w->code, op->b + i - 1)});
		if (i > skip + 1)
			yg_cp_text(w, ", ");
		if (i > 1)
			k = yg_cedar_operand_before(w->code, k);
	}
	return k;
}

static void call(struct yg_cp *w, uint32_t at, const struct yg_cedar_op *op)
{
	const struct yg_cedar_fn_about *about = yg_cedar_fn_about((enum yg_cedar_fn)op->fn);
	if (!about->method) {
		yg_buf_put(w->out, about->name);
		yg_buf_putc(w->out, '(');
		yg_cp_text(w, ")");
		(void)list(w, at, op, 0);
		return;
	}
	if (op->a == 0) {
		w->bad = YG_FAIL(w->err, YG_PARSE, "%s of nothing: text cannot say that",
				 about->name.p);
		return;
	}
	yg_cp_text(w, ")");
	uint32_t receiver = list(w, at, op, 1);
	yg_cp_text(w, "(");
	yg_cp_text(w, about->name.p);
	yg_cp_text(w, ".");
	yg_cp_node(w, receiver, BINDS_MEMBER);
}

/* .contains(...) and the like. */
static void method(struct yg_cp *w, uint32_t at, const struct yg_cedar_op *op)
{
	uint32_t receiver = at - 1;
	yg_cp_text(w, ")");
	if (yg_cedar_op_operands(op) == 2) {
		yg_cp_node(w, receiver, BINDS_IF);
		receiver = yg_cedar_operand_before(w->code, receiver);
	}
	yg_cp_text(w, "(");
	yg_cp_text(w, yg_cedar_op_text((enum yg_cedar_opcode)op->op));
	yg_cp_text(w, ".");
	yg_cp_node(w, receiver, BINDS_MEMBER);
}

/* && || + - * stand in rows from left to right; relations in none. */
static void infix(struct yg_cp *w, uint32_t at, const struct yg_cedar_op *op)
{
	uint8_t own = strength(op), left = own == BINDS_RELATION ? BINDS_ADD : own;
	yg_cp_node(w, at - 1, (uint8_t)(own + 1));
	yg_cp_text(w, " ");
	yg_cp_text(w, yg_cedar_op_text((enum yg_cedar_opcode)op->op));
	yg_cp_text(w, " ");
	yg_cp_node(w, yg_cedar_operand_before(w->code, at - 1), left);
}

static void choice(struct yg_cp *w, uint32_t at)
{
	uint32_t no = at - 1, yes = yg_cedar_operand_before(w->code, no);
	yg_cp_node(w, no, BINDS_IF);
	yg_cp_text(w, " else ");
	yg_cp_node(w, yes, BINDS_IF);
	yg_cp_text(w, " then ");
	yg_cp_node(w, yg_cedar_operand_before(w->code, yes), BINDS_IF);
	yg_cp_text(w, "if ");
}

static void leaf(struct yg_cp *w, const struct yg_cedar_op *op)
{
	if (op->op == YG_CO_LONG)
		yg_buf_printf(w->out, "%" PRId64, yg_cedar_op_long(op));
	else if (op->op == YG_CO_STRING)
		put_quoted(w->out, yg_cedar_code_str(w->code, op->a), false);
	else if (op->op == YG_CO_UID)
		put_uid(w->out, yg_cedar_code_str(w->code, op->a),
			yg_cedar_code_str(w->code, op->b));
	else
		yg_buf_put(w->out, yg_sv_of(yg_cedar_op_text((enum yg_cedar_opcode)op->op)));
}

static void node(struct yg_cp *w, uint32_t at, const struct yg_cedar_op *op)
{
	switch ((enum yg_cedar_opcode)op->op) {
	case YG_CO_FALSE:
	case YG_CO_TRUE:
	case YG_CO_LONG:
	case YG_CO_STRING:
	case YG_CO_UID:
	case YG_CO_PRINCIPAL:
	case YG_CO_ACTION:
	case YG_CO_RESOURCE:
	case YG_CO_CONTEXT: leaf(w, op); break;
	case YG_CO_SET:
	case YG_CO_RECORD:
		yg_buf_putc(w->out, op->op == YG_CO_SET ? '[' : '{');
		yg_cp_text(w, op->op == YG_CO_SET ? "]" : "}");
		(void)list(w, at, op, 0);
		break;
	case YG_CO_NOT:
	case YG_CO_NEG:
		yg_buf_putc(w->out, op->op == YG_CO_NOT ? '!' : '-');
		/* a number right behind a minus would be one with it */
		yg_cp_node(w, at - 1,
			   op->op == YG_CO_NEG && yg_cedar_op(w->code, at - 1)->op == YG_CO_LONG
				   ? BINDS_MEMBER + 1
				   : BINDS_MEMBER);
		break;
	case YG_CO_ATTR:
	case YG_CO_HAS:
	case YG_CO_LIKE:
	case YG_CO_IS:
		yg_cp_tail(w, at);
		yg_cp_node(w, at - 1, op->op == YG_CO_ATTR ? BINDS_MEMBER : BINDS_ADD);
		break;
	case YG_CO_IS_IN:
		yg_cp_node(w, at - 1, BINDS_ADD);
		yg_cp_text(w, " in ");
		yg_cp_tail(w, at);
		yg_cp_node(w, yg_cedar_operand_before(w->code, at - 1), BINDS_ADD);
		break;
	case YG_CO_CONTAINS:
	case YG_CO_CONTAINS_ALL:
	case YG_CO_CONTAINS_ANY:
	case YG_CO_IS_EMPTY:
	case YG_CO_GET_TAG:
	case YG_CO_HAS_TAG: method(w, at, op); break;
	case YG_CO_CALL: call(w, at, op); break;
	case YG_CO_IF: choice(w, at); break;
	default: infix(w, at, op);
	}
}

static void write_text(struct yg_cp *w, const struct yg_cp_task *t)
{
	const struct yg_cedar_op *op = yg_cedar_op(w->code, t->node);
	if (t->kind == YG_CP_KEY) {
		put_name(w->out, yg_cedar_code_str(w->code, t->node));
		yg_buf_put(w->out, YG_SV(": "));
	} else if (t->kind == YG_CP_TAIL) {
		tail(w, op);
	} else {
		if (strength(op) < t->least) {
			yg_buf_putc(w->out, '(');
			yg_cp_text(w, ")");
		}
		node(w, t->node, op);
	}
}

/* ---- policies ---- */

static void put_scope(struct yg_buf *b, const struct yg_cedar_scope *s, const char *var)
{
	yg_buf_put(b, yg_sv_of(var));
	if (s->type.n > 0) {
		yg_buf_put(b, YG_SV(" is "));
		yg_buf_put(b, s->type);
	}
	if (s->kind == YG_CEDAR_ANY || s->kind == YG_CEDAR_IS)
		return;
	yg_buf_put(b, yg_sv_of(s->kind == YG_CEDAR_IS_ENTITY ? " == " : " in "));
	if (s->slot) {
		yg_buf_printf(b, "?%s", var);
		return;
	}
	if (s->n != 1)
		yg_buf_putc(b, '[');
	for (uint32_t i = 0; i < s->n; i++) {
		if (i > 0)
			yg_buf_put(b, YG_SV(", "));
		put_uid(b, s->uid[i].type, s->uid[i].id);
	}
	if (s->n != 1)
		yg_buf_putc(b, ']');
}

static void put_annotation(struct yg_buf *b, struct yg_sv key, struct yg_sv value, bool bare)
{
	yg_buf_putc(b, '@');
	yg_buf_put(b, key);
	if (!bare) {
		yg_buf_putc(b, '(');
		put_quoted(b, value, false);
		yg_buf_putc(b, ')');
	}
	yg_buf_putc(b, ' ');
}

/* @id where reading would name the policy otherwise. */
static void put_annotations(struct yg_buf *b, const struct yg_cedar_policy *p, size_t place)
{
	const struct yg_cedar_annotation *id = yg_cedar_annotation_of(p, YG_SV("id"));
	char text[32];
	struct yg_sb made = yg_sb_init(text, sizeof text);
	yg_sb_printf(&made, "policy%zu", place);
	if (id == NULL && !yg_sv_eq(p->id, yg_sb_sv(&made)))
		put_annotation(b, YG_SV("id"), p->id, false);
	for (uint32_t i = 0; i < p->annotation_n; i++) {
		const struct yg_cedar_annotation *a = &p->annotations[i];
		bool other = id != NULL && a == id && !yg_sv_eq(p->id, a->value) &&
			     (a->value.n > 0 || !yg_sv_eq(p->id, yg_sb_sv(&made)));
		put_annotation(b, a->key, other ? p->id : a->value, a->bare && !other);
	}
}

static yg_status put_policy(struct yg_cp *w, const struct yg_cedar_policy *p, size_t place)
{
	struct yg_buf *b = w->out;
	yg_status st = YG_OK;
	put_annotations(b, p, place);
	yg_buf_put(b, yg_sv_of(p->effect == YG_CEDAR_PERMIT ? "permit(" : "forbid("));
	put_scope(b, &p->principal, "principal");
	yg_buf_put(b, YG_SV(", "));
	put_scope(b, &p->action, "action");
	yg_buf_put(b, YG_SV(", "));
	put_scope(b, &p->resource, "resource");
	yg_buf_putc(b, ')');
	for (uint32_t i = 0; i < p->condition_n && st == YG_OK; i++) {
		yg_buf_put(b, yg_sv_of(p->conditions[i].unless ? " unless { " : " when { "));
		st = yg_cp_run(w, p->conditions[i].code, write_text);
		yg_buf_put(b, YG_SV(" }"));
	}
	yg_buf_put(b, YG_SV(";\n"));
	return st;
}

yg_status yg_cedar_put_text(struct yg_buf *out, const struct yg_cedar_policies *p,
			    struct yg_err *err)
{
	struct yg_cp w = {.out = out, .code = &p->code, .err = err};
	yg_status st = YG_OK;
	for (size_t i = 0; i < p->list.n && st == YG_OK; i++)
		st = put_policy(&w, yg_cedar_policy_at(p, i), i);
	free(w.tasks.p);
	if (st == YG_OK && yg_buf_done(out) != YG_OK)
		return YG_FAIL(err, yg_buf_done(out), "no memory to write policies");
	return st;
}
