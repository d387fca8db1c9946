/* setting.h - how protective DNS treats each organisation, as kept in the state
 * database: the mode of each layer, and what a refusal becomes.
 *
 * Runs in:   role center.  Organisation "" stands for all.  What is said on a node holds
 * for everything below it until something nearer says otherwise. */
#pragma once
#include "base/arena.h"
#include "dns/answer.h"
#include "org/act.h"

/* mode NULL: as what is above says.  YG_NOTFOUND: no such organisation. */
yg_status yg_dns_mode_set(struct yg_act *act, struct yg_sv org, enum yg_dns_layer layer,
			  const enum yg_dns_mode *mode, struct yg_err *err) YG_MUST_USE;

#define YG_DNS_ANSWERS_MAX 64 /* of one organisation */
/* YG_INVAL | YG_NOTFOUND | YG_LIMIT. */
yg_status yg_dns_answer_set(struct yg_act *act, const struct yg_dns_answer_row *row,
			    struct yg_err *err) YG_MUST_USE;
struct yg_dns_settings { /* what is in force for one organisation */
	enum yg_dns_mode mode[YG_DNS_LAYER_COUNT];
	bool own[YG_DNS_LAYER_COUNT];      /* said by itself, not by what is above it */
	struct yg_dns_answer_row *answers; /* arena; nearest first, those of a category before */
	size_t answer_count;
};
yg_status yg_dns_settings_get(struct yg_state *db, struct yg_sv org, struct yg_arena *arena,
			      struct yg_dns_settings *out, struct yg_err *err);
