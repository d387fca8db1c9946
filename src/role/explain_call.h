/* explain_call.h - asks the resolver's workers why (run/resolve-<n>.sock).  Blocking. */
#pragma once
#include "base/arena.h"
#include "role/message.h"

struct yg_explain_question {
	struct yg_sv name, org, client; /* org, client: "" */
	uint16_t type;
	bool dnssec_ok, checking_disabled; /* DO, CD */
};
/* Asks workers 0 to workers - 1 in turn; `folder` is where their sockets are ("run").
 * *out: a JSON object in the arena: what the first one says (dns/explain.h), its number
 * as "worker", and the cache of each as "workers".
 * YG_AGAIN: none answers.  YG_PARSE, YG_NOTFOUND: as the worker says, in *err. */
yg_status yg_explain_call(const char *folder, uint32_t workers, const struct yg_explain_question *q,
			  struct yg_arena *arena, struct yg_sv *out, struct yg_err *err);
