#include "access/decide.h"

enum outcome {
	NO,
	YES,
	ERRING,
};
struct deciding {
	struct yg_cedar_eval eval;
	uint32_t *permits, *forbids, *errors; /* numbers, in the arena; room for all policies */
	uint32_t permit_n, forbid_n, error_n;
	struct yg_sv *why;
	struct yg_arena *arena;
};

static bool in_scope(const struct yg_cedar_entities *entities, const struct yg_cedar_scope *scope,
		     const struct yg_cedar_uid *uid, const struct yg_cedar_entity *entity)
{
	switch (scope->kind) {
	case YG_CEDAR_ANY: return true;
	case YG_CEDAR_IS: return yg_sv_eq(scope->type, uid->type);
	case YG_CEDAR_IS_ENTITY: return yg_cedar_uid_eq(&scope->uid[0], uid);
	case YG_CEDAR_IS_TYPE_IN:
		if (!yg_sv_eq(scope->type, uid->type))
			return false;
		break;
	case YG_CEDAR_IN: break;
	}
	for (uint32_t i = 0; i < scope->n; i++)
		if (yg_cedar_entity_in(entities, uid, entity, &scope->uid[i]))
			return true;
	return false;
}

/* YG_NOMEM and YG_LIMIT, of the request: an error of the policy is an outcome. */
static yg_status judge(struct deciding *d, const struct yg_cedar_policy *p, enum outcome *out,
		       struct yg_err *why)
{
	const struct yg_cedar_request *q = d->eval.request;
	const struct yg_cedar_entities *e = d->eval.entities;
	*out = NO;
	if (!in_scope(e, &p->principal, &q->principal, d->eval.principal) ||
	    !in_scope(e, &p->action, &q->action, d->eval.action) ||
	    !in_scope(e, &p->resource, &q->resource, d->eval.resource))
		return YG_OK;
	for (uint32_t i = 0; i < p->condition_n; i++) {
		bool holds;
		yg_status st = yg_cedar_eval_bool(&d->eval, p->conditions[i].code, &holds, why);
		if (st == YG_PARSE) {
			*out = ERRING;
			return YG_OK;
		}
		if (st != YG_OK)
			return st;
		if (holds == p->conditions[i].unless)
			return YG_OK;
	}
	*out = YES;
	return YG_OK;
}

static yg_status note(struct deciding *d, const struct yg_cedar_policy *p, uint32_t number,
		      enum outcome outcome, struct yg_err *why, bool fail_closed)
{
	bool forbid = p->effect == YG_CEDAR_FORBID;
	if (outcome == ERRING) {
		struct yg_sv text = yg_arena_dup(d->arena, yg_sv_of(why->msg));
		if (text.p == NULL)
			return YG_FAIL(why, YG_NOMEM, "no memory to say what went wrong");
		d->why[d->error_n] = text;
		d->errors[d->error_n++] = number;
	}
	if (forbid && (outcome == YES || (outcome == ERRING && fail_closed)))
		d->forbids[d->forbid_n++] = number;
	else if (outcome == YES)
		d->permits[d->permit_n++] = number;
	return YG_OK;
}

/* Which policy the request was at. */
static yg_status fail_request(yg_status st, const struct yg_cedar_policy *p,
			      const struct yg_err *why, struct yg_err *err)
{
	char id[64];
	struct yg_sb b = yg_sb_init(id, sizeof id);
	yg_sb_put_untrusted(&b, p->id);
	return YG_FAIL(err, st, "%s (at the policy '%s')", why->msg, yg_sb_cstr(&b));
}

static yg_status begin(struct deciding *d, size_t n, struct yg_err *err)
{
	d->permits = YG_NEW_N(d->arena, uint32_t, n + 1);
	d->forbids = YG_NEW_N(d->arena, uint32_t, n + 1);
	d->errors = YG_NEW_N(d->arena, uint32_t, n + 1);
	d->why = YG_NEW_N(d->arena, struct yg_sv, n + 1);
	return d->permits != NULL && d->forbids != NULL && d->errors != NULL && d->why != NULL
		       ? YG_OK
		       : YG_FAIL(err, YG_NOMEM, "no memory to decide a request");
}

yg_status yg_access_decide(const struct yg_cedar_policies *policies,
			   const struct yg_cedar_entities *entities,
			   const struct yg_cedar_request *request,
			   const struct yg_access_options *options, struct yg_arena *arena,
			   struct yg_access_answer *out, struct yg_err *err)
{
	struct deciding d = {.arena = arena};
	struct yg_err why;
	yg_status st = yg_cedar_eval_init(&d.eval, &policies->code, entities, request,
					  policies->stack, arena, err);
	if (st == YG_OK)
		st = begin(&d, policies->list.n, err);
	for (uint32_t i = 0; i < policies->list.n && st == YG_OK; i++) {
		const struct yg_cedar_policy *p = yg_cedar_policy_at(policies, i);
		enum outcome outcome;
		if (p->is_template)
			continue;
		/* what one policy made of the request is of no use to the next */
		struct yg_arena_mark mark = yg_arena_mark(arena);
		st = judge(&d, p, &outcome, &why);
		yg_arena_rewind(arena, mark);
		if (st == YG_OK)
			st = note(&d, p, i, outcome, &why, options->fail_closed);
		if (st != YG_OK)
			st = fail_request(st, p, &why, err);
	}
	if (st != YG_OK)
		return st;
	bool deny = d.forbid_n > 0;
	*out = (struct yg_access_answer){.allow = !deny && d.permit_n > 0,
					 .reasons = deny ? d.forbids : d.permits,
					 .reason_n = deny ? d.forbid_n : d.permit_n,
					 .errors = d.errors,
					 .error_n = d.error_n,
					 .why = d.why};
	return YG_OK;
}
