/* policy_text.c - reads policies in Cedar's text form. */
#include <stdlib.h>

#include "cedar/expr.h"
#include "cedar/policy.h"

struct reading {
	struct yg_cedar_policies *p;
	struct yg_cedar_lex l;
	struct yg_cedar_build build; /* owned */
	struct yg_cedar_expr *expr;  /* owned */
	struct yg_vec list;          /* owned; what is gathered: uids, conditions, annotations */
	struct yg_vec names;         /* owned; struct yg_cedar_placed, of annotations */
	struct yg_err *err;
};

static yg_status nomem(struct reading *r)
{
	return r->l.bad = YG_FAIL(r->err, YG_NOMEM, "no memory for policies");
}

/* What was gathered, in the arena. */
static void *gathered(struct reading *r, size_t size, uint32_t *out_n)
{
	void *to = yg_arena_alloc(&r->p->code.arena, r->list.n * size, 8);
	if (to != NULL && r->list.n > 0)
		memcpy(to, r->list.p, r->list.n * size);
	else if (to == NULL)
		(void)nomem(r);
	*out_n = (uint32_t)r->list.n;
	free(r->list.p); /* the next has elements of another size */
	r->list = (struct yg_vec){NULL, 0, 0};
	return to;
}

/* ---- annotations ---- */

static yg_status read_annotation(struct reading *r)
{
	struct yg_cedar_annotation a = {.key = r->l.now.text, .bare = true}, *to;
	if (r->l.now.kind != YG_CT_NAME)
		return yg_cedar_lex_unexpected(&r->l, "the name of an annotation");
	struct yg_cedar_placed *name = yg_vec_add(&r->names, sizeof *name);
	if (name == NULL)
		return nomem(r);
	*name = (struct yg_cedar_placed){a.key, yg_cedar_lex_at(&r->l)};
	a.key = yg_arena_dup(&r->p->code.arena, a.key);
	if (a.key.p == NULL)
		return nomem(r);
	if (!yg_cedar_lex_go(&r->l))
		return r->l.bad;
	if (yg_cedar_lex_take(&r->l, "(")) {
		a.bare = false;
		if (r->l.now.kind != YG_CT_STRING)
			return yg_cedar_lex_unexpected(&r->l, "a text in quotes");
		if (yg_cedar_unescape(&r->l, r->l.now.text, false, &r->p->code.arena, &a.value) !=
			    YG_OK ||
		    !yg_cedar_lex_go(&r->l) || yg_cedar_lex_need(&r->l, ")") != YG_OK)
			return r->l.bad;
	}
	to = r->l.bad == YG_OK ? yg_vec_add(&r->list, sizeof *to) : NULL;
	if (to == NULL)
		return r->l.bad != YG_OK ? r->l.bad : nomem(r);
	*to = a;
	return YG_OK;
}

static yg_status read_annotations(struct reading *r, struct yg_cedar_policy *policy)
{
	r->names.n = 0;
	while (yg_cedar_lex_take(&r->l, "@"))
		if (read_annotation(r) != YG_OK)
			return r->l.bad;
	const struct yg_cedar_placed *again = yg_cedar_again(r->names.p, r->names.n);
	if (again != NULL)
		return yg_cedar_lex_fail_at(&r->l, again->at, "@" YG_SV_FMT " is there twice",
					    YG_SV_ARG(yg_sv_sub(again->name, 0, 64)));
	policy->annotations = gathered(r, sizeof *policy->annotations, &policy->annotation_n);
	const struct yg_cedar_annotation *id =
		r->l.bad == YG_OK ? yg_cedar_annotation_of(policy, YG_SV("id")) : NULL;
	if (id != NULL)
		policy->id = id->value;
	return r->l.bad;
}

/* ---- scope ---- */

static yg_status read_uid(struct reading *r)
{
	struct yg_cedar_uid uid, *to;
	bool is_uid;
	size_t at = yg_cedar_lex_at(&r->l);
	if (yg_cedar_path_read(&r->l, &r->p->code.arena, &uid.type, &is_uid, &uid.id) != YG_OK)
		return r->l.bad;
	if (!is_uid)
		return yg_cedar_lex_fail_at(&r->l, at,
					    "expected an entity such as User::\"alice\"");
	to = yg_vec_add(&r->list, sizeof *to);
	if (to == NULL)
		return nomem(r);
	*to = uid;
	return YG_OK;
}

/* Parentheses may stand around it. */
static yg_status read_entity(struct reading *r, struct yg_cedar_scope *scope, const char *slot)
{
	size_t open = 0;
	while (yg_cedar_lex_take(&r->l, "("))
		open++;
	if (r->l.now.kind == YG_CT_SLOT && slot != NULL) {
		if (!yg_sv_eq(yg_sv_sub(r->l.now.text, 1, SIZE_MAX), yg_sv_of(slot)))
			return yg_cedar_lex_fail(&r->l, "only the slot ?%s may stand here", slot);
		scope->slot = true;
		(void)yg_cedar_lex_go(&r->l);
	} else if (read_uid(r) != YG_OK) {
		return r->l.bad;
	}
	for (; open > 0 && r->l.bad == YG_OK; open--)
		(void)yg_cedar_lex_need(&r->l, ")");
	return r->l.bad;
}

static yg_status read_entities(struct reading *r, struct yg_cedar_scope *scope)
{
	size_t open = 0;
	while (yg_cedar_lex_is(&r->l, "(") && yg_cedar_lex_go(&r->l))
		open++;
	if (!yg_cedar_lex_take(&r->l, "[")) {
		(void)read_entity(r, scope, NULL);
	} else {
		while (r->l.bad == YG_OK && !yg_cedar_lex_is(&r->l, "]")) {
			if (read_entity(r, scope, NULL) != YG_OK ||
			    (!yg_cedar_lex_take(&r->l, ",") && !yg_cedar_lex_is(&r->l, "]")))
				return yg_cedar_lex_unexpected(&r->l, "',' or ']'");
		}
		(void)yg_cedar_lex_need(&r->l, "]");
	}
	for (; open > 0 && r->l.bad == YG_OK; open--)
		(void)yg_cedar_lex_need(&r->l, ")");
	return r->l.bad;
}

/* What stands behind `principal`, `action` or `resource`. */
static yg_status read_constraint(struct reading *r, struct yg_cedar_scope *scope, const char *var)
{
	bool action = *var == 'a', is = yg_cedar_lex_word(&r->l, "is"), uid;
	struct yg_sv id;
	scope->kind = YG_CEDAR_ANY;
	if (is) {
		size_t at;
		if (action)
			return yg_cedar_lex_fail(&r->l, "'is' cannot stand behind action");
		if (!yg_cedar_lex_go(&r->l))
			return r->l.bad;
		at = yg_cedar_lex_at(&r->l);
		if (yg_cedar_path_read(&r->l, &r->p->code.arena, &scope->type, &uid, &id) != YG_OK)
			return r->l.bad;
		if (uid)
			return yg_cedar_lex_fail_at(&r->l, at,
						    "expected an entity type, found an entity");
		scope->kind = YG_CEDAR_IS;
	}
	if (yg_cedar_lex_word(&r->l, "in")) {
		scope->kind = is ? YG_CEDAR_IS_TYPE_IN : YG_CEDAR_IN;
		if (!yg_cedar_lex_go(&r->l))
			return r->l.bad;
		if (action)
			(void)read_entities(r, scope);
		else
			(void)read_entity(r, scope, var);
	} else if (!is && yg_cedar_lex_take(&r->l, "==")) {
		scope->kind = YG_CEDAR_IS_ENTITY;
		(void)read_entity(r, scope, action ? NULL : var);
	}
	scope->uid = r->l.bad == YG_OK ? gathered(r, sizeof *scope->uid, &scope->n) : NULL;
	return r->l.bad;
}

static yg_status read_variable(struct reading *r, struct yg_cedar_scope *scope, const char *var)
{
	char what[24];
	struct yg_sb b = yg_sb_init(what, sizeof what);
	size_t at = yg_cedar_lex_at(&r->l);
	if (!yg_cedar_lex_word(&r->l, var)) {
		yg_sb_printf(&b, "'%s'", var);
		return yg_cedar_lex_unexpected(&r->l, yg_sb_cstr(&b));
	}
	if (!yg_cedar_lex_go(&r->l) || read_constraint(r, scope, var) != YG_OK)
		return r->l.bad;
	for (uint32_t i = 0; *var == 'a' && i < scope->n; i++)
		if (!yg_cedar_is_action(scope->uid[i].type))
			return yg_cedar_lex_fail_at(
				&r->l, at, "an action is of the type Action, not " YG_SV_FMT,
				YG_SV_ARG(yg_sv_sub(scope->uid[i].type, 0, 64)));
	return YG_OK;
}

static yg_status read_scope(struct reading *r, struct yg_cedar_policy *policy)
{
	if (yg_cedar_lex_need(&r->l, "(") != YG_OK ||
	    read_variable(r, &policy->principal, "principal") != YG_OK ||
	    yg_cedar_lex_need(&r->l, ",") != YG_OK ||
	    read_variable(r, &policy->action, "action") != YG_OK ||
	    yg_cedar_lex_need(&r->l, ",") != YG_OK ||
	    read_variable(r, &policy->resource, "resource") != YG_OK)
		return r->l.bad;
	(void)yg_cedar_lex_take(&r->l, ",");
	return r->l.bad != YG_OK ? r->l.bad : yg_cedar_lex_need(&r->l, ")");
}

/* ---- conditions ---- */

static yg_status read_condition(struct reading *r)
{
	struct yg_cedar_condition c = {.unless = yg_cedar_lex_word(&r->l, "unless")}, *to;
	if (!c.unless && !yg_cedar_lex_word(&r->l, "when"))
		return yg_cedar_lex_unexpected(&r->l, "'when', 'unless' or ';'");
	if (!yg_cedar_lex_go(&r->l) || yg_cedar_lex_need(&r->l, "{") != YG_OK)
		return r->l.bad;
	yg_cedar_build_begin(&r->build);
	yg_status st = yg_cedar_expr_read(r->expr, &r->l, &r->build);
	if (st == YG_OK)
		st = yg_cedar_lex_need(&r->l, "}");
	if (st == YG_OK)
		st = yg_cedar_build_end(&r->build, &c.code, &c.stack);
	to = st == YG_OK ? yg_vec_add(&r->list, sizeof *to) : NULL;
	if (to == NULL)
		return st != YG_OK ? (r->l.bad = st) : nomem(r);
	*to = c;
	return YG_OK;
}

static yg_status read_policy(struct reading *r)
{
	struct yg_cedar_policy policy = {.effect = YG_CEDAR_PERMIT};
	if (read_annotations(r, &policy) != YG_OK)
		return r->l.bad;
	policy.at = (uint32_t)yg_cedar_lex_at(&r->l);
	policy.effect = yg_cedar_lex_word(&r->l, "permit") ? YG_CEDAR_PERMIT : YG_CEDAR_FORBID;
	if (policy.effect == YG_CEDAR_FORBID && !yg_cedar_lex_word(&r->l, "forbid"))
		return yg_cedar_lex_unexpected(&r->l, "'permit' or 'forbid'");
	if (!yg_cedar_lex_go(&r->l) || read_scope(r, &policy) != YG_OK)
		return r->l.bad;
	while (!yg_cedar_lex_is(&r->l, ";"))
		if (read_condition(r) != YG_OK)
			return r->l.bad;
	policy.conditions = gathered(r, sizeof *policy.conditions, &policy.condition_n);
	if (r->l.bad != YG_OK)
		return r->l.bad;
	yg_status st = yg_cedar_policy_add(r->p, &policy, r->err);
	if (st != YG_OK)
		return r->l.bad = st;
	(void)yg_cedar_lex_go(&r->l);
	return r->l.bad;
}

yg_status yg_cedar_policies_text(struct yg_cedar_policies *p, struct yg_sv text, struct yg_err *err)
{
	struct reading r = {.p = p, .err = err, .expr = yg_cedar_expr_new()};
	yg_cedar_build_init(&r.build, &p->code, err);
	yg_status st = r.expr != NULL ? yg_cedar_lex_init(&r.l, text, err)
				      : YG_FAIL(err, YG_NOMEM, "no memory to read policies");
	while (st == YG_OK && r.l.now.kind != YG_CT_END)
		st = read_policy(&r);
	yg_cedar_expr_free(r.expr);
	yg_cedar_build_free(&r.build);
	free(r.list.p);
	free(r.names.p);
	return st;
}
