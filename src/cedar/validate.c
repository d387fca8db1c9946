/* validate.c - policies over all requests that a schema allows: names first, then the
 * scope and the conditions for each action with each type of principal and resource. */
#include "cedar/validate.h"

#include <stdio.h>
#include <stdlib.h>

#include "cedar/validate_internal.h"

void yg_cedar_faults_init(struct yg_cedar_faults *f, size_t limit)
{
	*f = (struct yg_cedar_faults){.errors = 0};
	yg_arena_init(&f->arena, limit);
}

void yg_cedar_faults_free(struct yg_cedar_faults *f)
{
	free(f->list.p);
	yg_arena_free(&f->arena);
	f->list = (struct yg_vec){NULL, 0, 0};
}

/* The same fault is found again for other types; it is told once. */
void yg_cy_fault(struct yg_cy *c, uint32_t at, bool warning, const char *fmt, ...)
{
	char text[512];
	const struct yg_cedar_fault *list = c->faults->list.p;
	va_list ap;
	if (c->bad != YG_OK) /* then nothing that was found is sure */
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (c->faults->list.n - c->from >= YG_CEDAR_FAULTS_MAX)
		return;
	for (size_t i = c->from; i < c->faults->list.n; i++)
		if (list[i].at == at && yg_sv_eq(list[i].text, yg_sv_of(text)))
			return;
	struct yg_sv kept = yg_arena_dup(&c->faults->arena, yg_sv_of(text));
	struct yg_cedar_fault *to =
		kept.p != NULL ? yg_vec_add(&c->faults->list, sizeof *to) : NULL;
	if (to == NULL) {
		yg_cy_nomem(c);
		return;
	}
	*to = (struct yg_cedar_fault){
		.policy = c->policy, .at = at, .warning = warning, .text = kept};
	c->faults->errors += !warning;
}

/* ---- names ---- */

static void tell_name(struct yg_cy *c, uint32_t at, const char *what, struct yg_sv name,
		      const struct yg_cy_near *near)
{
	char text[300];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_printf(&b, "the schema has no %s '", what);
	yg_sb_put_untrusted(&b, yg_sv_sub(name, 0, 60));
	yg_sb_putc(&b, '\'');
	yg_cy_put_near(&b, near);
	yg_cy_fault(c, at, false, "%s", yg_sb_cstr(&b));
}

/* Looking for the nearest of n names: not beyond what is told. */
static bool enough(struct yg_cy *c, size_t n)
{
	if (c->faults->list.n - c->from >= YG_CEDAR_FAULTS_MAX)
		return true;
	yg_cy_work(c, n * 100);
	return c->bad != YG_OK;
}

static bool has_action_type(const struct yg_cedar_schema *s, struct yg_sv type)
{
	struct yg_cedar_action_type *const *actions = s->actions.p;
	for (size_t i = 0; i < s->actions.n; i++)
		if (yg_sv_eq(actions[i]->uid.type, type))
			return true;
	return false;
}

static void check_type(struct yg_cy *c, struct yg_sv type, uint32_t at)
{
	struct yg_cy_near near = {.name = type, .distance = SIZE_MAX};
	struct yg_cedar_entity_type *const *types = c->schema->types.p;
	if (yg_cedar_schema_type(c->schema, type) != NULL || has_action_type(c->schema, type) ||
	    enough(c, c->schema->types.n))
		return;
	for (size_t i = 0; i < c->schema->types.n; i++)
		yg_cy_consider(&near, types[i]->name);
	tell_name(c, at, "entity type", type, &near);
}

static void check_action(struct yg_cy *c, const struct yg_cedar_uid *uid, uint32_t at)
{
	struct yg_cy_near near = {.name = uid->id, .distance = SIZE_MAX};
	struct yg_cedar_action_type *const *actions = c->schema->actions.p;
	if (yg_cedar_schema_action(c->schema, uid) != NULL || enough(c, c->schema->actions.n))
		return;
	for (size_t i = 0; i < c->schema->actions.n; i++)
		if (yg_sv_eq(actions[i]->uid.type, uid->type))
			yg_cy_consider(&near, actions[i]->uid.id);
	tell_name(c, at, "action", uid->id, &near);
}

static void check_uid(struct yg_cy *c, const struct yg_cedar_uid *uid, uint32_t at)
{
	const struct yg_cedar_entity_type *t = yg_cedar_schema_type(c->schema, uid->type);
	struct yg_cy_near near = {.name = uid->id, .distance = SIZE_MAX};
	bool there = t == NULL || !t->is_enum;
	if (yg_cedar_is_action(uid->type)) {
		check_action(c, uid, at);
		return;
	}
	check_type(c, uid->type, at);
	if (there || yg_cedar_type_has_id(t, uid->id) || enough(c, t->id_n))
		return;
	for (uint32_t i = 0; i < t->id_n; i++)
		yg_cy_consider(&near, t->ids[i]);
	tell_name(c, at, "id of this type", uid->id, &near);
}

static void check_scope(struct yg_cy *c, const struct yg_cedar_scope *s, uint32_t at)
{
	if (s->type.n > 0)
		check_type(c, s->type, at);
	for (uint32_t i = 0; i < s->n; i++)
		check_uid(c, &s->uid[i], at);
}

static void check_names(struct yg_cy *c, const struct yg_cedar_policy *p)
{
	check_scope(c, &p->principal, p->at);
	check_scope(c, &p->action, p->at);
	check_scope(c, &p->resource, p->at);
	for (uint32_t i = 0; i < p->condition_n; i++) {
		const struct yg_cedar_range code = p->conditions[i].code;
		for (uint32_t k = code.first; k < code.end && c->bad == YG_OK; k++) {
			const struct yg_cedar_op *op = yg_cedar_op(c->code, k);
			if (op->op == YG_CO_IS || op->op == YG_CO_IS_IN)
				check_type(c, yg_cedar_code_str(c->code, op->a), op->at);
			if (op->op != YG_CO_UID)
				continue;
			const struct yg_cedar_uid uid = {yg_cedar_code_str(c->code, op->a),
							 yg_cedar_code_str(c->code, op->b)};
			check_uid(c, &uid, op->at);
		}
	}
}

/* ---- scope ---- */

/* Can an entity of this type be in the scope? */
static bool may_match(const struct yg_cy *c, const struct yg_cedar_scope *s, struct yg_sv type)
{
	if (s->type.n > 0 && !yg_sv_eq(s->type, type))
		return false;
	if (s->n == 0) /* nothing more is said, or a slot is open */
		return true;
	return s->kind == YG_CEDAR_IS_ENTITY ? yg_sv_eq(s->uid[0].type, type)
					     : yg_cy_may_be_in(c->schema, type, s->uid[0].type);
}

/* Is the action at hand in the scope?  Asked once for all types of principal and resource.
 * A list of actions is a set: of one type. */
static bool action_matches(struct yg_cy *c, const struct yg_cedar_policy *p)
{
	const struct yg_cedar_scope *s = &p->action;
	if (c->in_scope != YG_CY_UNASKED)
		return c->in_scope == YG_CY_IN;
	bool in = s->kind == YG_CEDAR_ANY;
	for (uint32_t i = 1; i < s->n; i++)
		if (!yg_sv_eq(s->uid[i].type, s->uid[0].type))
			yg_cy_fault(c, p->at, false,
				    "the actions of a list must be of one namespace");
	if (s->kind == YG_CEDAR_IN && s->n == 0)
		yg_cy_fault(c, p->at, false, "the list of actions is empty");
	for (uint32_t i = 0; i < s->n && !in; i++)
		in = s->kind == YG_CEDAR_IS_ENTITY
			     ? yg_cedar_uid_eq(&s->uid[i], &c->action->uid)
			     : yg_cedar_action_in(c->schema, c->action, &s->uid[i]);
	c->in_scope = in ? YG_CY_IN : YG_CY_NOT_IN;
	return in;
}

/* ---- conditions ---- */

/* All conditions, one behind the other; false: they never hold together. */
static bool check_conditions(struct yg_cy *c, const struct yg_cedar_policy *p)
{
	yg_cy_forget(c);
	for (uint32_t i = 0; i < p->condition_n && c->bad == YG_OK; i++) {
		const struct yg_cedar_condition *one = &p->conditions[i];
		struct yg_cy_value v = yg_cy_expression(c, one->code);
		if (c->bad != YG_OK || !yg_cy_need_bool(c, &v))
			continue;
		if (v.type->kind == (one->unless ? YG_CY_TRUE : YG_CY_FALSE))
			return false;
		if (!one->unless)
			yg_cy_learn(c, v.gains);
	}
	return true;
}

/* One kind of request; false: the policy never applies to it. */
static bool check_request(struct yg_cy *c, const struct yg_cedar_policy *p)
{
	return may_match(c, &p->principal, c->principal) && action_matches(c, p) &&
	       may_match(c, &p->resource, c->resource) && check_conditions(c, p);
}

static void check_policy(struct yg_cy *c, const struct yg_cedar_policy *p)
{
	struct yg_cedar_action_type *const *actions = c->schema->actions.p;
	uint32_t errors = c->faults->errors;
	bool applies = false;
	c->from = c->faults->list.n;
	check_names(c, p);
	for (size_t i = 0; i < c->schema->actions.n && c->bad == YG_OK; i++) {
		const struct yg_cedar_action_type *a = c->action = actions[i];
		c->in_scope = YG_CY_UNASKED;
		for (uint32_t n = 0; n < a->principal_n && c->bad == YG_OK; n++) {
			for (uint32_t m = 0; m < a->resource_n && c->bad == YG_OK; m++) {
				c->principal = a->principals[n];
				c->resource = a->resources[m];
				applies = check_request(c, p) || applies;
				yg_arena_reset(c->arena);
			}
		}
	}
	if (!applies && errors == c->faults->errors)
		yg_cy_fault(c, p->at, true,
			    "this policy applies to no request that the schema allows");
}

yg_status yg_cedar_validate(const struct yg_cedar_policies *p, const struct yg_cedar_schema *s,
			    struct yg_cedar_faults *out, struct yg_err *err)
{
	struct yg_arena arena;
	struct yg_err own = {0};
	struct yg_cy c = {.code = &p->code,
			  .schema = s,
			  .steps = {.most = YG_CEDAR_VALIDATE_STEPS},
			  .arena = &arena,
			  .faults = out,
			  .err = &own};
	yg_arena_init(&arena, YG_CEDAR_VALIDATE_BYTES);
	for (uint32_t i = 0; i < p->list.n && c.bad == YG_OK; i++) {
		const struct yg_cedar_policy *one = yg_cedar_policy_at(p, i);
		c.policy = i;
		c.steps.made = 0;
		check_policy(&c, one);
		if (c.bad == YG_LIMIT) { /* a fault of this policy; the others are looked at */
			c.bad = YG_OK;
			yg_cy_fault(&c, one->at, false, "%s", own.msg);
		}
		yg_arena_reset(&arena);
	}
	free(c.values.p);
	free(c.frames.p);
	free(c.facts.p);
	free(c.fact_index.slots);
	yg_arena_free(&arena);
	if (c.bad != YG_OK && err != NULL)
		*err = own;
	return c.bad;
}
