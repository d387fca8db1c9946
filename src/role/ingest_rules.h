/* ingest_rules.h - detection rules asked on every event of a batch: findings, what
 * correlations and findings beside rules need (detect/feed.h), and what rules did.
 *
 * Runs in the pool, one thread at a time.  An event allocates nothing; buffers that what
 * was found goes into grow, and stay.
 *
 *   findings   of one rule and asset of a batch one, with how many events it stands for;
 *              at most YG_RULES_FINDINGS of a batch, the others are counted (`cut`)
 *   feed       matches that correlations take, connections and logins, one count of the
 *              records, and of rules what they did; hits and exceptions are exact, how
 *              often a rule was judged and its time come from every 64th event, times 64;
 *              once a day every log source that the organisation has events of, whatever
 *              rules there are, so that it is known which rules have data
 */
#pragma once
#include "base/codec.h"
#include "detect/ruleset.h"
#include "event/normalize.h"

#define YG_RULES_GROUPS   512u   /* of rule and asset, gathered at a time */
#define YG_RULES_FINDINGS 20000u /* of one batch */
#define YG_RULES_SAMPLES  20u    /* newest hits of a rule of one batch */

struct yg_rules_counts {
	uint64_t judged, hits, excepted, findings, cut, us; /* judged, us: estimated */
	uint64_t matches, connections, logins;              /* given to center */
};
struct yg_rules_run; /* owned: yg_rules_run_free() */
yg_status yg_rules_run_new(const struct yg_env *env, struct yg_rules_run **out, struct yg_err *err);
void yg_rules_run_free(struct yg_rules_run *r); /* NULL is fine */
struct yg_rules_batch {
	const struct yg_ruleset *set; /* stays until a batch begins with another one; NULL: none */
	enum yg_source source;
	const struct yg_norm *norm; /* that gives the events, if any; borrowed for the batch */
	struct yg_sv org;
};
/* A batch begins.  YG_OK | YG_NOMEM: nothing has begun. */
yg_status yg_rules_run_begin(struct yg_rules_run *r, const struct yg_rules_batch *b,
			     struct yg_err *err);
/* The set that is in use, also between two batches; NULL: none. */
const struct yg_ruleset *yg_rules_run_set(const struct yg_rules_run *r);
/* The event that the normaliser gave last; its views last until the batch ends.  What is found goes to `plan` as
 * yg_finding_put_rule() writes it; *findings counts it. */
void yg_rules_run_event(struct yg_rules_run *r, const struct yg_event *ev, struct yg_buf *scratch,
			struct yg_buf *plan, uint32_t *findings);
/* The rest of the findings, then the feed: u32 messages, and of each u32 entries, sv32
 * entries.  False: memory ran out within the batch; it must be done again. */
bool yg_rules_run_end(struct yg_rules_run *r, struct yg_buf *scratch, struct yg_buf *plan,
		      uint32_t *findings);
void yg_rules_run_counts(const struct yg_rules_run *r, struct yg_rules_counts *out);
