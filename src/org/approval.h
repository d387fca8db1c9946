/* approval.h - what one person asks for and another one decides.
 *
 * Whoever asks cannot decide.  An open request ends after a week.  What a kind
 * means and what happens when it is approved is the business of who lists it
 * (api/routes_approval.c); the decision and its effect are one transaction.
 */
#pragma once
#include "base/arena.h"
#include "base/limits.h"
#include "org/act.h"
#include "org/org_set.h"

#define YG_APPROVAL_S      604800
#define YG_APPROVAL_REASON 1000 /* bytes */

struct yg_approval {
	struct yg_sv id; /* "v-..." */
	struct yg_sv kind;
	struct yg_sv params; /* a JSON object */
	struct yg_sv org;    /* whom it concerns; empty: everybody */
	struct yg_sv requested_by, reason;
	struct yg_sv
		state; /* "open", "approved", "refused"; "withdrawn": refused by who asked; "expired" is
			  what time made of an open one */
	struct yg_sv decided_by, decision_reason;
	yg_wall created, decided, expires;
};
/* YG_CONFLICT: the very same is open already. */
yg_status yg_approval_add(struct yg_act *act, const struct yg_approval *a, struct yg_id *out_id,
			  struct yg_err *err) YG_MUST_USE;
yg_status yg_approval_get(struct yg_state *db, struct yg_sv id, yg_wall now, struct yg_arena *arena,
			  struct yg_approval *out, struct yg_err *err);
struct yg_approval_filter {
	struct yg_org_set orgs; /* whom they concern; what concerns everybody is of all alone */
	struct yg_sv state;     /* empty: any */
	struct yg_sv before;    /* keyset: ids below; empty: from the newest */
	uint32_t limit;         /* 1..YG_PAGE_MAX */
	yg_wall now;
};
/* Newest first. */
yg_status yg_approval_list(struct yg_state *db, const struct yg_approval_filter *f,
			   struct yg_arena *arena, struct yg_approval **out, size_t *out_n,
			   struct yg_err *err);
/* Are these two actors ("person:p-...", "token:t-...") surely two people?  Not when one
 * let the other in, or the same person let in both: whoever invites somebody, makes
 * their one-time address or sets their mail address could come in as them.  The same
 * further up, until an administrator of the whole, which nobody becomes by one person
 * alone; and by the maker of a token that is nobody's own. */
yg_status yg_actors_apart(struct yg_state *db, struct yg_sv one, struct yg_sv other, yg_wall now,
			  struct yg_arena *arena, bool *out, struct yg_err *err);
/* In the caller's transaction.  YG_DENIED: who decides is who asked; YG_CONFLICT:
 * it is not open any more. */
yg_status yg_approval_decide(struct yg_act *act, const struct yg_approval *a, bool approve,
			     struct yg_sv reason, struct yg_err *err) YG_MUST_USE;
