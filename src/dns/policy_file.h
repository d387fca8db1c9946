/* policy_file.h - POLICY.yaml: which zones, in which order, for whom.  Pure.
 * The keys of its list `policy` are those of `resolve.policy` in the configuration. */
#pragma once
#include "conf/tree.h"
#include "dns/compile.h"

struct yg_dns_policy_zone {
	struct yg_dns_zone_spec spec; /* texts in the arena; origin: own_origin or NULL */
	struct yg_dns_name own_origin;
	struct yg_sv rpz, list, axfr; /* one of them; the others are empty */
	const struct yg_yaml *tsig;   /* of axfr; NULL: none */
	bool force;                   /* a list may cover public suffixes */
	size_t line;
};
struct yg_dns_policy_mode {
	struct yg_sv org;
	enum yg_dns_layer layer;
	enum yg_dns_mode mode;
};
struct yg_dns_policy_answer {
	struct yg_sv org, category;
	enum yg_dns_action action;
	struct yg_dns_answer_spec spec;
};
struct yg_dns_policy_file { /* all of it in the arena it was read into */
	struct yg_dns_policy_zone *zones;
	size_t zone_count;
	struct yg_dns_policy_mode *modes;
	size_t mode_count;
	struct yg_dns_policy_answer *answers;
	size_t answer_count;
};
/* YG_OK | YG_PARSE ("file:line: key: ...") | YG_NOMEM. */
yg_status yg_dns_policy_read(struct yg_sv yaml, const char *file_name, struct yg_arena *arena,
			     struct yg_dns_policy_file *out, struct yg_err *err);
/* The same from nodes that are read already: policy, modes, answers; each may be NULL. */
yg_status yg_dns_policy_take(const struct yg_yaml *policy, const struct yg_yaml *modes,
			     const struct yg_yaml *answers, const char *file_name,
			     struct yg_arena *arena, struct yg_dns_policy_file *out,
			     struct yg_err *err);
/* Modes and answers into a builder. */
yg_status yg_dns_policy_apply(const struct yg_dns_policy_file *f, struct yg_dns_builder *b,
			      struct yg_err *err);
