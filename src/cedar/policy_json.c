/* policy_json.c - reads policies in Cedar's JSON form (their expressions: policy_json_expr.c). */
#include <stdlib.h>

#include "cedar/policy_json_internal.h"

/* Two levels of JSON make one of an expression. */
#define POLICY_JSON_DEPTH (2 * YG_CEDAR_NEST_MAX + 64)

yg_status yg_pj_text(struct yg_pj *r, uint32_t node, struct yg_sv *out)
{
	if (yg_pj_type(r, node) != YG_JSON_STRING)
		return yg_pj_fail(r, node, "a text");
	struct yg_sv s = yg_json_str(&r->j, node, &r->p->code.arena);
	*out = s.p != NULL ? yg_arena_dup(&r->p->code.arena, s) : s;
	return out->p != NULL ? YG_OK : yg_pj_nomem(r);
}

yg_status yg_pj_each_once(struct yg_pj *r, struct yg_cedar_placed *list, uint32_t n)
{
	const struct yg_cedar_placed *again = yg_cedar_again(list, n);
	return again == NULL ? YG_OK : yg_pj_fail(r, (uint32_t)again->at, "each member once");
}

static yg_status read_uids(struct yg_pj *r, uint32_t node, bool many, struct yg_cedar_scope *s)
{
	yg_status st = YG_OK;
	uint32_t k = many ? node + 1 : node;
	if (many && yg_pj_type(r, node) != YG_JSON_ARRAY)
		return yg_pj_fail(r, node, "a list of entities");
	s->n = many ? yg_json_at(&r->j, node)->n : 1;
	s->uid = YG_NEW_N(&r->p->code.arena, struct yg_cedar_uid, (size_t)s->n + 1);
	if (s->uid == NULL)
		return yg_pj_nomem(r);
	for (uint32_t i = 0; i < s->n && st == YG_OK; i++, k = yg_pj_next(r, k))
		st = yg_cedar_json_uid(&r->values, k, &s->uid[i], r->err);
	return st;
}

/* The entity or the slot of a scope. */
static yg_status read_target(struct yg_pj *r, uint32_t entity, uint32_t slot, const char *var,
			     uint32_t node, struct yg_cedar_scope *s)
{
	if ((entity != 0) == (slot != 0))
		return yg_pj_fail(r, node, "an entity or a slot");
	if (entity != 0)
		return read_uids(r, entity, false, s);
	s->slot = yg_json_is(&r->j, slot, *var == 'p' ? YG_SV("?principal") : YG_SV("?resource"));
	return s->slot ? YG_OK : yg_pj_fail(r, slot, "the slot of this variable");
}

static yg_status read_type(struct yg_pj *r, uint32_t node, struct yg_sv *out)
{
	yg_status st = yg_pj_text(r, node, out);
	return st == YG_OK && !yg_cedar_path_ok(*out) ? yg_pj_fail(r, node, "an entity type") : st;
}

static yg_status read_action(struct yg_pj *r, uint32_t m[static 6], uint32_t node,
			     struct yg_cedar_scope *s)
{
	bool many = m[2] != 0;
	if (s->kind == YG_CEDAR_IS || m[3] != 0 || m[4] != 0 || m[5] != 0 ||
	    (many && s->kind != YG_CEDAR_IN) || (m[1] != 0) == many)
		return yg_pj_fail(r, node, "an action, or a list of actions");
	yg_status st = read_uids(r, many ? m[2] : m[1], many, s);
	for (uint32_t i = 0; i < s->n && st == YG_OK; i++)
		if (!yg_cedar_is_action(s->uid[i].type))
			st = yg_pj_fail(r, node, "an action of the type Action");
	return st;
}

static yg_status read_scope(struct yg_pj *r, uint32_t node, const char *var,
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
	yg_status st = yg_pj_members(r, node, names, YG_LEN(names), m);
	if (st == YG_OK)
		st = yg_pj_text(r, m[0], &op);
	if (st != YG_OK)
		return st;
	for (size_t i = 0; i < YG_LEN(ops); i++)
		if (yg_sv_eq(op, yg_sv_of(ops[i].op)))
			s->kind = ops[i].kind;
	if (s->kind == 0)
		return yg_pj_fail(r, m[0], "All, ==, in or is");
	if (s->kind == YG_CEDAR_ANY) {
		for (size_t i = 1; i < YG_LEN(m); i++)
			if (m[i] != 0)
				return yg_pj_fail(r, m[i], "nothing more beside All");
		return YG_OK;
	}
	if (*var == 'a')
		return read_action(r, m, node, s);
	if (m[2] != 0 || (s->kind == YG_CEDAR_IS) != (m[4] != 0) ||
	    (s->kind != YG_CEDAR_IS && m[5] != 0))
		return yg_pj_fail(r, node, "what belongs to this operator");
	if (s->kind != YG_CEDAR_IS)
		return read_target(r, m[1], m[3], var, node, s);
	st = read_type(r, m[4], &s->type);
	if (st != YG_OK || m[5] == 0)
		return st;
	s->kind = YG_CEDAR_IS_TYPE_IN;
	st = yg_pj_members(r, m[5], in_names, 2, in);
	return st == YG_OK ? read_target(r, in[0], in[1], var, m[5], s) : st;
}

static yg_status read_annotations(struct yg_pj *r, uint32_t node, struct yg_cedar_policy *p)
{
	uint32_t k = node + 1;
	yg_status st = YG_OK;
	if (yg_pj_type(r, node) != YG_JSON_OBJECT)
		return yg_pj_fail(r, node, "annotations as an object");
	p->annotation_n = yg_json_at(&r->j, node)->n;
	p->annotations = YG_NEW_N(&r->p->code.arena, struct yg_cedar_annotation,
				  (size_t)p->annotation_n + 1);
	if (p->annotations == NULL)
		return yg_pj_nomem(r);
	struct yg_cedar_placed *keys = calloc((size_t)p->annotation_n + 1, sizeof *keys);
	st = keys != NULL ? YG_OK : yg_pj_nomem(r);
	for (uint32_t i = 0; i < p->annotation_n && st == YG_OK; i++, k = yg_pj_next(r, k + 1)) {
		struct yg_cedar_annotation *a = &p->annotations[i];
		st = yg_pj_text(r, k, &a->key);
		if (st == YG_OK && !yg_cedar_name_ok(a->key))
			st = yg_pj_fail(r, k, "a name");
		a->bare = yg_pj_type(r, k + 1) == YG_JSON_NULL;
		if (st == YG_OK && !a->bare)
			st = yg_pj_text(r, k + 1, &a->value);
		keys[i] = (struct yg_cedar_placed){a->key, k};
	}
	if (st == YG_OK)
		st = yg_pj_each_once(r, keys, p->annotation_n);
	free(keys);
	return st;
}

static yg_status read_conditions(struct yg_pj *r, uint32_t node, struct yg_cedar_policy *p)
{
	static const char *const names[] = {"kind", "body"};
	uint32_t k = node + 1, m[2];
	yg_status st = YG_OK;
	if (yg_pj_type(r, node) != YG_JSON_ARRAY)
		return yg_pj_fail(r, node, "conditions as a list");
	p->condition_n = yg_json_at(&r->j, node)->n;
	p->conditions =
		YG_NEW_N(&r->p->code.arena, struct yg_cedar_condition, (size_t)p->condition_n + 1);
	if (p->conditions == NULL)
		return yg_pj_nomem(r);
	for (uint32_t i = 0; i < p->condition_n && st == YG_OK; i++, k = yg_pj_next(r, k)) {
		st = yg_pj_members(r, k, names, 2, m);
		p->conditions[i].unless = st == YG_OK && yg_json_is(&r->j, m[0], YG_SV("unless"));
		if (st == YG_OK && !p->conditions[i].unless &&
		    !yg_json_is(&r->j, m[0], YG_SV("when")))
			st = yg_pj_fail(r, m[0], "when or unless");
		if (st == YG_OK)
			st = yg_pj_expression(r, m[1], &p->conditions[i]);
	}
	return st;
}

/* `id` is its name in the set; empty: @id, or a made one. */
static yg_status read_policy(struct yg_pj *r, uint32_t node, struct yg_sv id, int is_template)
{
	static const char *const names[] = {"effect",   "principal",  "action",
					    "resource", "conditions", "?annotations"};
	struct yg_cedar_policy p = {.id = id, .at = yg_json_at(&r->j, node)->at};
	uint32_t m[6] = {0};
	yg_status st = yg_pj_members(r, node, names, YG_LEN(names), m);
	if (st != YG_OK)
		return st;
	p.effect = yg_json_is(&r->j, m[0], YG_SV("permit")) ? YG_CEDAR_PERMIT : YG_CEDAR_FORBID;
	if (p.effect == YG_CEDAR_FORBID && !yg_json_is(&r->j, m[0], YG_SV("forbid")))
		return yg_pj_fail(r, m[0], "permit or forbid");
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
		return yg_pj_fail(r, node,
				  slots ? "a policy without slots" : "a template: with a slot");
	const struct yg_cedar_annotation *named = yg_cedar_annotation_of(&p, YG_SV("id"));
	if (p.id.n == 0 && named != NULL)
		p.id = named->value;
	return yg_cedar_policy_add(r->p, &p, r->err);
}

/* Policies by id, or one behind the other. */
static yg_status read_policies(struct yg_pj *r, uint32_t node, int is_template)
{
	bool named = yg_pj_type(r, node) == YG_JSON_OBJECT;
	uint32_t end = yg_pj_next(r, node);
	yg_status st = YG_OK;
	if (!named && yg_pj_type(r, node) != YG_JSON_ARRAY)
		return yg_pj_fail(r, node, "policies by id, or a list of them");
	for (uint32_t k = node + 1; k < end && st == YG_OK; k = yg_pj_next(r, k)) {
		struct yg_sv id = YG_SV("");
		if (named)
			st = yg_pj_text(r, k++, &id);
		if (st == YG_OK)
			st = read_policy(r, k, id, is_template);
	}
	return st;
}

static yg_status read_value(struct yg_pj *r, uint32_t node, struct yg_cedar_uid **out)
{
	*out = NULL;
	if (node == 0)
		return YG_OK;
	*out = YG_NEW(&r->p->code.arena, struct yg_cedar_uid);
	return *out != NULL ? yg_cedar_json_uid(&r->values, node, *out, r->err) : yg_pj_nomem(r);
}

static yg_status read_links(struct yg_pj *r, uint32_t node)
{
	static const char *const names[] = {"templateId", "newId", "values"};
	static const char *const slots[] = {"??principal", "??resource"};
	uint32_t end = yg_pj_next(r, node), m[3], s[2];
	yg_status st = YG_OK;
	if (yg_pj_type(r, node) != YG_JSON_ARRAY)
		return yg_pj_fail(r, node, "a list of links");
	for (uint32_t k = node + 1; k < end && st == YG_OK; k = yg_pj_next(r, k)) {
		struct yg_sv template_id = YG_SV(""), id = YG_SV("");
		struct yg_cedar_uid *principal = NULL, *resource = NULL;
		st = yg_pj_members(r, k, names, 3, m);
		if (st == YG_OK)
			st = yg_pj_text(r, m[0], &template_id);
		if (st == YG_OK)
			st = yg_pj_text(r, m[1], &id);
		if (st == YG_OK)
			st = yg_pj_members(r, m[2], slots, 2, s);
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

static yg_status read_set(struct yg_pj *r)
{
	static const char *const names[] = {"?staticPolicies", "?templates", "?templateLinks"};
	uint32_t m[3] = {0};
	if (yg_pj_type(r, 0) == YG_JSON_OBJECT && yg_json_get(&r->j, 0, YG_SV("effect")) != 0)
		return read_policy(r, 0, YG_SV(""), -1);
	if (yg_pj_type(r, 0) == YG_JSON_ARRAY)
		return read_policies(r, 0, -1);
	yg_status st = yg_pj_members(r, 0, names, 3, m);
	if (st == YG_OK && m[0] != 0)
		st = read_policies(r, m[0], 0);
	if (st == YG_OK && m[1] != 0)
		st = read_policies(r, m[1], 1);
	return st == YG_OK && m[2] != 0 ? read_links(r, m[2]) : st;
}

yg_status yg_cedar_policies_json(struct yg_cedar_policies *p, struct yg_sv text, struct yg_err *err)
{
	struct yg_pj r = {.p = p, .err = err};
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
