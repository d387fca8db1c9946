/* policy_json_internal.h - what the reader of policies as JSON (policy_json.c) and that of their
 * expressions (policy_json_expr.c) share. */
#pragma once
#include "cedar/expr_internal.h"
#include "cedar/json.h"
#include "cedar/lex.h"
#include "cedar/policy.h"

struct yg_pj {
	struct yg_cedar_policies *p;
	struct yg_json j;            /* owned */
	struct yg_cedar_json values; /* owned */
	struct yg_cedar_build build; /* owned */
	struct yg_vec tasks;         /* owned; struct task, the next one last */
	struct yg_vec jumps;         /* owned; uint32_t, not landed */
	struct yg_err *err;
};

static inline yg_status yg_pj_fail(struct yg_pj *r, uint32_t node, const char *expected)
{
	return yg_cedar_json_fail(&r->j, node, expected, r->err);
}
static inline yg_status yg_pj_nomem(struct yg_pj *r)
{
	return YG_FAIL(r->err, YG_NOMEM, "no memory for policies");
}
static inline uint8_t yg_pj_type(const struct yg_pj *r, uint32_t node)
{
	return yg_json_at(&r->j, node)->type;
}
static inline uint32_t yg_pj_next(const struct yg_pj *r, uint32_t node)
{
	return yg_json_at(&r->j, node)->next;
}
static inline yg_status yg_pj_members(struct yg_pj *r, uint32_t node, const char *const *names,
				      size_t n, uint32_t *out)
{
	return yg_cedar_json_members(&r->j, node, names, n, out, r->err);
}
/* A text that outlives the document. */
yg_status yg_pj_text(struct yg_pj *r, uint32_t node, struct yg_sv *out);
/* Members, by their nodes; sorts them. */
yg_status yg_pj_each_once(struct yg_pj *r, struct yg_cedar_placed *list, uint32_t n);
yg_status yg_pj_expression(struct yg_pj *r, uint32_t node, struct yg_cedar_condition *out);
