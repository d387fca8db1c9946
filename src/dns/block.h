/* block.h - block entries as they are kept in the state database: what protective DNS
 * refuses because an organisation, or the centre for all, says so.
 *
 * Runs in:   role center.  Values are stored in their one spelling (intel/indicator.h).
 * An entry of a node holds for everything below it. */
#pragma once
#include "base/arena.h"
#include "dns/answer.h"
#include "intel/indicator.h"
#include "org/act.h"
#include "org/reach.h"

struct yg_block {
	struct yg_sv id; /* "k-..." */
	enum yg_indicator_type type;
	struct yg_sv value, org, category, reason, actor; /* org empty: for all */
	uint16_t ede;                                     /* RFC 8914: 15, 16, 17; 0: by layer */
	yg_wall created, updated, expires;                /* expires us == 0: never */
	int64_t version;
};
struct yg_block_new {
	enum yg_indicator_type type; /* IP, DOMAIN or FQDN */
	struct yg_sv value, org, category, reason;
	uint16_t ede;
	yg_wall expires;
	bool force; /* may cover a public suffix or a huge prefix */
};
/* YG_INVAL | YG_PARSE (the value) | YG_DENIED (covers too much) | YG_NOTFOUND (org). */
yg_status yg_block_add(struct yg_act *act, const struct yg_block_new *n, struct yg_id *out_id,
		       struct yg_err *err) YG_MUST_USE;
yg_status yg_block_get(struct yg_state *db, struct yg_sv id, struct yg_arena *arena,
		       struct yg_block *out, struct yg_err *err);
struct yg_block_filter {
	struct yg_reach reach; /* those within it, and those for all */
	struct yg_sv before;   /* keyset: ids below; empty: from the newest */
	uint32_t limit;        /* 1..YG_PAGE_MAX */
};
/* Newest first. */
yg_status yg_block_list(struct yg_state *db, const struct yg_block_filter *f,
			struct yg_arena *arena, struct yg_block **out, size_t *out_n,
			struct yg_err *err);
struct yg_block_set { /* NULL: as it is */
	const struct yg_sv *category, *reason;
	const yg_wall *expires;
};
yg_status yg_block_change(struct yg_act *act, struct yg_sv id, int64_t version,
			  const struct yg_block_set *set, struct yg_err *err) YG_MUST_USE;
yg_status yg_block_remove(struct yg_act *act, struct yg_sv id, struct yg_err *err) YG_MUST_USE;

/* One more change that no policy has yet; in the caller's transaction. */
yg_status yg_dns_state_touch(struct yg_state *db, struct yg_err *err);
