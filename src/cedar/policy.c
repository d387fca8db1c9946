#include "cedar/policy.h"

#include <stdlib.h>

void yg_cedar_policies_init(struct yg_cedar_policies *p, const struct yg_hash_key *key,
			    size_t limit)
{
	*p = (struct yg_cedar_policies){.key = *key};
	yg_cedar_code_init(&p->code, limit);
}

void yg_cedar_policies_free(struct yg_cedar_policies *p)
{
	free(p->list.p);
	free(p->ids.slots);
	yg_cedar_code_free(&p->code);
	p->list = (struct yg_vec){NULL, 0, 0};
	p->ids = (struct yg_index){NULL, 0, 0};
}

bool yg_cedar_is_action(struct yg_sv type)
{
	return YG_SV_IS(type, "Action") || yg_sv_ends(type, YG_SV("::Action"));
}

const struct yg_cedar_annotation *yg_cedar_annotation_of(const struct yg_cedar_policy *p,
							 struct yg_sv key)
{
	for (uint32_t i = 0; i < p->annotation_n; i++)
		if (yg_sv_eq(p->annotations[i].key, key))
			return &p->annotations[i];
	return NULL;
}

static uint64_t hash_of(const struct yg_cedar_policies *p, struct yg_sv id)
{
	return yg_hash_more(&p->key, 0, id.p, id.n);
}

struct yg_cedar_policy *yg_cedar_policy_find(const struct yg_cedar_policies *p, struct yg_sv id)
{
	size_t at = SIZE_MAX;
	uint32_t i;
	while (p->ids.cap > 0 && yg_index_next(&p->ids, hash_of(p, id), &at, &i))
		if (yg_sv_eq(yg_cedar_policy_at(p, i)->id, id))
			return yg_cedar_policy_at(p, i);
	return NULL;
}

static struct yg_sv made_id(struct yg_cedar_policies *p)
{
	char text[32];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_printf(&b, "policy%zu", p->list.n);
	return yg_arena_dup(&p->code.arena, yg_sb_sv(&b));
}

yg_status yg_cedar_policy_add(struct yg_cedar_policies *p, struct yg_cedar_policy *policy,
			      struct yg_err *err)
{
	if (policy->id.n == 0)
		policy->id = made_id(p);
	if (policy->id.p == NULL || !yg_index_room(&p->ids) || p->list.n == UINT32_MAX)
		return YG_FAIL(err, YG_NOMEM, "no memory for policies");
	uint64_t hash = hash_of(p, policy->id);
	size_t at = SIZE_MAX;
	uint32_t i;
	while (yg_index_next(&p->ids, hash, &at, &i)) {
		if (!yg_sv_eq(yg_cedar_policy_at(p, i)->id, policy->id))
			continue;
		char text[160];
		struct yg_sb b = yg_sb_init(text, sizeof text);
		yg_sb_put_untrusted(&b, yg_sv_sub(policy->id, 0, 36));
		return YG_FAIL(err, YG_CONFLICT, "two policies have the id '%s'", yg_sb_cstr(&b));
	}
	struct yg_cedar_policy *to = yg_vec_add(&p->list, sizeof *to);
	if (to == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for policies");
	policy->is_template = policy->principal.slot || policy->resource.slot;
	for (uint32_t c = 0; c < policy->condition_n; c++)
		p->stack = YG_MAX(p->stack, policy->conditions[c].stack);
	*to = *policy;
	yg_index_put(&p->ids, at, hash, (uint32_t)(p->list.n - 1));
	return YG_OK;
}

static yg_status fill(struct yg_cedar_scope *scope, struct yg_cedar_uid *uid, const char *slot,
		      struct yg_err *err)
{
	if (scope->slot != (uid != NULL))
		return YG_FAIL(err, YG_PARSE,
			       uid != NULL ? "the template has no slot ?%s"
					   : "no value for the slot ?%s",
			       slot);
	if (uid == NULL)
		return YG_OK;
	scope->slot = false;
	scope->uid = uid;
	scope->n = 1;
	return YG_OK;
}

yg_status yg_cedar_policy_link(struct yg_cedar_policies *p, struct yg_sv template_id,
			       struct yg_sv id, struct yg_cedar_uid *principal,
			       struct yg_cedar_uid *resource, struct yg_err *err)
{
	const struct yg_cedar_policy *found = yg_cedar_policy_find(p, template_id);
	if (found == NULL || !found->is_template)
		return YG_FAIL(err, YG_PARSE, "there is no such template");
	struct yg_cedar_policy policy = *found;
	policy.template_id = found->id;
	policy.id = id;
	yg_status st = fill(&policy.principal, principal, "principal", err);
	if (st == YG_OK)
		st = fill(&policy.resource, resource, "resource", err);
	return st == YG_OK ? yg_cedar_policy_add(p, &policy, err) : st;
}
