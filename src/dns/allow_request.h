/* allow_request.h - somebody asks that a name be allowed, somebody else decides: for the
 * organisation that asked (its own allow list), or for all (the centre's).
 *
 * Runs in:   role center.  The allow entry and the decision are one transaction. */
#pragma once
#include "base/arena.h"
#include "org/act.h"
#include "org/reach.h"

#define YG_ALLOW_REASON_MAX 1000 /* bytes */
#define YG_ALLOW_OPEN_MAX   500  /* open ones of one organisation; more: YG_LIMIT */

struct yg_allow_request {
	struct yg_sv id; /* "u-..." */
	struct yg_sv org, name, reason, requested_by;
	struct yg_sv state; /* "open", "granted", "refused" */
	bool for_all;
	struct yg_sv approval; /* that decides whether it is for all; or empty */
	struct yg_sv entry;    /* the allow entry; or empty */
	struct yg_sv decided_by, decision_reason;
	yg_wall created, decided;
};
/* The same name of the same organisation that is still open is given again (*out_new
 * false).  YG_PARSE: the name. YG_LIMIT. */
yg_status yg_allow_request_add(struct yg_act *act, struct yg_sv org, struct yg_sv name,
			       struct yg_sv reason, struct yg_arena *arena, struct yg_sv *out_id,
			       bool *out_new, struct yg_err *err) YG_MUST_USE;
yg_status yg_allow_request_get(struct yg_state *db, struct yg_sv id, struct yg_arena *arena,
			       struct yg_allow_request *out, struct yg_err *err);
struct yg_allow_request_filter {
	struct yg_reach reach;
	struct yg_sv state, before; /* empty: any; from the newest */
	uint32_t limit;
};
yg_status yg_allow_request_list(struct yg_state *db, const struct yg_allow_request_filter *f,
				struct yg_arena *arena, struct yg_allow_request **out,
				size_t *out_n, struct yg_err *err);
/* Makes the allow entry (for_all: of everybody) and says so in the request; or refuses
 * it.  YG_CONFLICT: it is not open any more. */
yg_status yg_allow_request_decide(struct yg_act *act, struct yg_sv id, bool grant, bool for_all,
				  struct yg_sv reason, struct yg_err *err) YG_MUST_USE;
/* Another person decides now. */
yg_status yg_allow_request_hand_on(struct yg_act *act, struct yg_sv id, struct yg_sv approval,
				   struct yg_err *err) YG_MUST_USE;
