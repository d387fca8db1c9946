/* print_json.c - policies as Cedar's JSON. */
#include <inttypes.h>
#include <stdlib.h>

#include "cedar/ext.h"
#include "cedar/print_internal.h"
#include "format/json.h"

/* ---- expressions ---- */

static void put_pattern(struct yg_buf *b, struct yg_sv pattern)
{
	size_t from = 0;
	bool first = true;
	yg_buf_putc(b, '[');
	for (size_t i = 0; i <= pattern.n; i++) {
		bool wild = i < pattern.n && pattern.p[i] == YG_CEDAR_WILDCARD;
		if (!wild && i < pattern.n)
			continue;
		if (i > from) {
			yg_buf_put(b, yg_sv_of(first ? "{\"Literal\":" : ",{\"Literal\":"));
			yg_json_put_str(b, yg_sv_sub(pattern, from, i - from));
			yg_buf_putc(b, '}');
			first = false;
		}
		if (wild)
			yg_buf_put(b, yg_sv_of(first ? "\"Wildcard\"" : ",\"Wildcard\""));
		first = first && !wild;
		from = i + 1;
	}
	yg_buf_putc(b, ']');
}

static void put_uid(struct yg_buf *b, struct yg_sv type, struct yg_sv id)
{
	yg_buf_put(b, YG_SV("{\"type\":"));
	yg_json_put_str(b, type);
	yg_buf_put(b, YG_SV(",\"id\":"));
	yg_json_put_str(b, id);
	yg_buf_putc(b, '}');
}

/* What stands behind the first operand. */
static void tail(struct yg_cp *w, const struct yg_cedar_op *op)
{
	struct yg_buf *b = w->out;
	if (op->op == YG_CO_ATTR) {
		yg_buf_put(b, YG_SV(",\"attr\":"));
		yg_json_put_str(b, yg_cedar_code_str(w->code, op->a));
	} else if (op->op == YG_CO_HAS) {
		yg_buf_put(b, yg_sv_of(op->a > 1 ? ",\"attr\":[" : ",\"attr\":"));
		for (uint32_t i = 0; i < op->a; i++) {
			if (i > 0)
				yg_buf_putc(b, ',');
			yg_json_put_str(b, yg_cedar_code_str(w->code, yg_cedar_code_list(
									      w->code, op->b + i)));
		}
		if (op->a > 1)
			yg_buf_putc(b, ']');
	} else if (op->op == YG_CO_LIKE) {
		yg_buf_put(b, YG_SV(",\"pattern\":"));
		put_pattern(b, yg_cedar_code_str(w->code, op->a));
	} else {
		yg_buf_put(b, YG_SV(",\"entity_type\":"));
		yg_json_put_str(b, yg_cedar_code_str(w->code, op->a));
	}
}

/* A list of operands between brackets, by commas. */
static void list(struct yg_cp *w, uint32_t at, const struct yg_cedar_op *op)
{
	bool record = op->op == YG_CO_RECORD;
	uint32_t k = at - 1;
	for (uint32_t i = op->a; i > 0; i--) {
		yg_cp_node(w, k, 0);
		if (record)
			yg_cp_put(w, (struct yg_cp_task){
					     .kind = YG_CP_KEY,
					     .node = yg_cedar_code_list(w->code, op->b + i - 1)});
		if (i > 1) {
			yg_cp_text(w, ",");
			k = yg_cedar_operand_before(w->code, k);
		}
	}
}

static void literal(struct yg_cp *w, const struct yg_cedar_op *op)
{
	struct yg_buf *b = w->out;
	yg_buf_put(b, YG_SV("{\"Value\":"));
	if (op->op == YG_CO_LONG) {
		yg_buf_printf(b, "%" PRId64, yg_cedar_op_long(op));
	} else if (op->op == YG_CO_STRING) {
		yg_json_put_str(b, yg_cedar_code_str(w->code, op->a));
	} else if (op->op == YG_CO_UID) {
		yg_buf_put(b, YG_SV("{\"__entity\":"));
		put_uid(b, yg_cedar_code_str(w->code, op->a), yg_cedar_code_str(w->code, op->b));
		yg_buf_putc(b, '}');
	} else {
		yg_buf_put(b, yg_sv_of(yg_cedar_op_text((enum yg_cedar_opcode)op->op)));
	}
	yg_buf_putc(b, '}');
}

/* An operator by its name, operands as members. */
static void named(struct yg_cp *w, uint32_t at, const struct yg_cedar_op *op)
{
	uint32_t n = yg_cedar_op_operands(op), last = at - 1;
	bool tailed = op->op == YG_CO_ATTR || op->op == YG_CO_HAS || op->op == YG_CO_LIKE ||
		      op->op == YG_CO_IS || op->op == YG_CO_IS_IN;
	yg_buf_put(w->out, YG_SV("{"));
	yg_json_put_str(w->out, op->op == YG_CO_NEG
					? YG_SV("neg")
					: yg_sv_of(yg_cedar_op_text((enum yg_cedar_opcode)op->op)));
	yg_buf_put(w->out, yg_sv_of(n == 1 && !tailed ? ":{\"arg\":" : ":{\"left\":"));
	yg_cp_text(w, "}}");
	if (n == 2) {
		yg_cp_node(w, last, 0);
		yg_cp_text(w, op->op == YG_CO_IS_IN ? ",\"in\":" : ",\"right\":");
		last = yg_cedar_operand_before(w->code, last);
	}
	if (tailed)
		yg_cp_tail(w, at);
	yg_cp_node(w, last, 0);
}

static void choice(struct yg_cp *w, uint32_t at)
{
	uint32_t no = at - 1, yes = yg_cedar_operand_before(w->code, no);
	yg_buf_put(w->out, YG_SV("{\"if-then-else\":{\"if\":"));
	yg_cp_text(w, "}}");
	yg_cp_node(w, no, 0);
	yg_cp_text(w, ",\"else\":");
	yg_cp_node(w, yes, 0);
	yg_cp_text(w, ",\"then\":");
	yg_cp_node(w, yg_cedar_operand_before(w->code, yes), 0);
}

static void write_json(struct yg_cp *w, const struct yg_cp_task *t)
{
	const struct yg_cedar_op *op = yg_cedar_op(w->code, t->node);
	if (t->kind == YG_CP_KEY) {
		yg_json_put_str(w->out, yg_cedar_code_str(w->code, t->node));
		yg_buf_putc(w->out, ':');
		return;
	}
	if (t->kind == YG_CP_TAIL) {
		tail(w, op);
		return;
	}
	switch ((enum yg_cedar_opcode)op->op) {
	case YG_CO_FALSE:
	case YG_CO_TRUE:
	case YG_CO_LONG:
	case YG_CO_STRING:
	case YG_CO_UID: literal(w, op); return;
	case YG_CO_PRINCIPAL:
	case YG_CO_ACTION:
	case YG_CO_RESOURCE:
	case YG_CO_CONTEXT:
		yg_buf_printf(w->out, "{\"Var\":\"%s\"}",
			      yg_cedar_op_text((enum yg_cedar_opcode)op->op));
		return;
	case YG_CO_SET:
		yg_buf_put(w->out, YG_SV("{\"Set\":["));
		yg_cp_text(w, "]}");
		list(w, t->node, op);
		return;
	case YG_CO_RECORD:
		yg_buf_put(w->out, YG_SV("{\"Record\":{"));
		yg_cp_text(w, "}}");
		list(w, t->node, op);
		return;
	case YG_CO_CALL:
		yg_buf_printf(w->out, "{\"%s\":[",
			      yg_cedar_fn_about((enum yg_cedar_fn)op->fn)->name.p);
		yg_cp_text(w, "]}");
		list(w, t->node, op);
		return;
	case YG_CO_IF: choice(w, t->node); return;
	default: named(w, t->node, op);
	}
}

/* ---- policies ---- */

static void put_target(struct yg_buf *b, const struct yg_cedar_scope *s, const char *var)
{
	if (s->slot) {
		yg_buf_printf(b, "\"slot\":\"?%s\"", var);
	} else {
		yg_buf_put(b, YG_SV("\"entity\":"));
		put_uid(b, s->uid[0].type, s->uid[0].id);
	}
}

static void put_scope(struct yg_buf *b, const struct yg_cedar_scope *s, const char *var)
{
	static const char *const ops[] = {[YG_CEDAR_ANY] = "All",
					  [YG_CEDAR_IS_ENTITY] = "==",
					  [YG_CEDAR_IN] = "in",
					  [YG_CEDAR_IS] = "is",
					  [YG_CEDAR_IS_TYPE_IN] = "is"};
	yg_buf_printf(b, ",\"%s\":{\"op\":\"%s\"", var, ops[s->kind]);
	if (s->type.n > 0) {
		yg_buf_put(b, YG_SV(",\"entity_type\":"));
		yg_json_put_str(b, s->type);
	}
	if (s->kind == YG_CEDAR_IS_TYPE_IN) {
		yg_buf_put(b, YG_SV(",\"in\":{"));
		put_target(b, s, var);
		yg_buf_putc(b, '}');
	} else if (*var == 'a' && s->kind == YG_CEDAR_IN && s->n != 1) {
		yg_buf_put(b, YG_SV(",\"entities\":["));
		for (uint32_t i = 0; i < s->n; i++) {
			if (i > 0)
				yg_buf_putc(b, ',');
			put_uid(b, s->uid[i].type, s->uid[i].id);
		}
		yg_buf_putc(b, ']');
	} else if (s->kind == YG_CEDAR_IS_ENTITY || s->kind == YG_CEDAR_IN) {
		yg_buf_putc(b, ',');
		put_target(b, s, var);
	}
	yg_buf_putc(b, '}');
}

static void put_annotations(struct yg_buf *b, const struct yg_cedar_policy *p)
{
	if (p->annotation_n == 0)
		return;
	yg_buf_put(b, YG_SV(",\"annotations\":{"));
	for (uint32_t i = 0; i < p->annotation_n; i++) {
		if (i > 0)
			yg_buf_putc(b, ',');
		yg_json_put_str(b, p->annotations[i].key);
		yg_buf_putc(b, ':');
		if (p->annotations[i].bare)
			yg_buf_put(b, YG_SV("null"));
		else
			yg_json_put_str(b, p->annotations[i].value);
	}
	yg_buf_putc(b, '}');
}

static yg_status put_policy(struct yg_cp *w, const struct yg_cedar_policy *p)
{
	struct yg_buf *b = w->out;
	yg_status st = YG_OK;
	yg_json_put_str(b, p->id);
	yg_buf_printf(b, ":{\"effect\":\"%s\"", p->effect == YG_CEDAR_PERMIT ? "permit" : "forbid");
	put_scope(b, &p->principal, "principal");
	put_scope(b, &p->action, "action");
	put_scope(b, &p->resource, "resource");
	yg_buf_put(b, YG_SV(",\"conditions\":["));
	for (uint32_t i = 0; i < p->condition_n && st == YG_OK; i++) {
		yg_buf_printf(b, "%s{\"kind\":\"%s\",\"body\":", i > 0 ? "," : "",
			      p->conditions[i].unless ? "unless" : "when");
		st = yg_cp_run(w, p->conditions[i].code, write_json);
		yg_buf_putc(b, '}');
	}
	yg_buf_putc(b, ']');
	put_annotations(b, p);
	yg_buf_putc(b, '}');
	return st;
}

static void put_link(struct yg_buf *b, const struct yg_cedar_policies *all,
		     const struct yg_cedar_policy *p)
{
	const struct yg_cedar_policy *from = yg_cedar_policy_find(all, p->template_id);
	const char *comma = "";
	yg_buf_put(b, YG_SV("{\"templateId\":"));
	yg_json_put_str(b, p->template_id);
	yg_buf_put(b, YG_SV(",\"newId\":"));
	yg_json_put_str(b, p->id);
	yg_buf_put(b, YG_SV(",\"values\":{"));
	if (from->principal.slot) {
		yg_buf_put(b, YG_SV("\"?principal\":{\"__entity\":"));
		put_uid(b, p->principal.uid->type, p->principal.uid->id);
		yg_buf_putc(b, '}');
		comma = ",";
	}
	if (from->resource.slot) {
		yg_buf_printf(b, "%s\"?resource\":{\"__entity\":", comma);
		put_uid(b, p->resource.uid->type, p->resource.uid->id);
		yg_buf_putc(b, '}');
	}
	yg_buf_put(b, YG_SV("}}"));
}

yg_status yg_cedar_put_json(struct yg_buf *out, const struct yg_cedar_policies *p,
			    struct yg_err *err)
{
	static const char *const parts[] = {"{\"staticPolicies\":{", "},\"templates\":{",
					    "},\"templateLinks\":["};
	struct yg_cp w = {.out = out, .code = &p->code, .err = err};
	yg_status st = YG_OK;
	for (unsigned part = 0; part < YG_LEN(parts); part++) {
		const char *comma = "";
		yg_buf_put(out, yg_sv_of(parts[part]));
		for (size_t i = 0; i < p->list.n && st == YG_OK; i++) {
			const struct yg_cedar_policy *one = yg_cedar_policy_at(p, i);
			unsigned belongs = one->is_template             ? 1
					   : one->template_id.p != NULL ? 2
									: 0;
			if (belongs != part)
				continue;
			yg_buf_put(out, yg_sv_of(comma));
			comma = ",";
			if (part == 2)
				put_link(out, p, one);
			else
				st = put_policy(&w, one);
		}
	}
	yg_buf_put(out, YG_SV("]}\n"));
	free(w.tasks.p);
	if (st == YG_OK && yg_buf_done(out) != YG_OK)
		return YG_FAIL(err, yg_buf_done(out), "no memory to write policies");
	return st;
}
