/* query.h - alerts as lists and as groups, in the order people ask for. */
#pragma once
#include "alert/alert.h"

/* clang-format off */
#define YG_ALERT_SORTS(X) X(NEWEST, "newest") X(SEVERITY, "severity") X(LAST_SEEN, "last_seen") \
	X(DUE, "due") /* the soonest first; those that are never due last */
#define YG_ALERT_GROUPS(X)                                                              \
	X(INDICATOR, "indicator") X(ORG, "org") X(ASSET, "asset")                       \
	X(CATEGORY, "category") X(LIST, "list")
/* clang-format on */
enum yg_alert_sort {
#define X(id, name) YG_SORT_##id,
	YG_ALERT_SORTS(X)
#undef X
};
enum yg_alert_group {
#define X(id, name) YG_GROUP_##id,
	YG_ALERT_GROUPS(X)
#undef X
};
yg_status yg_alert_sort_parse(struct yg_sv s, enum yg_alert_sort *out);
yg_status yg_alert_group_parse(struct yg_sv s, enum yg_alert_group *out);

struct yg_alert_query {
	struct yg_alert_filter f; /* its before and limit do not count */
	enum yg_alert_sort sort;
	bool has_after;           /* keyset: the last one of the page before */
	int64_t after, after_seq; /* after: its severity, last_seen or due; with NEWEST unused */
	uint32_t limit;
};
/* The value that `after` takes for the page behind `a`. */
int64_t yg_alert_sort_key(enum yg_alert_sort sort, const struct yg_alert *a);
yg_status yg_alert_find(struct yg_state *db, const struct yg_alert_query *q, struct yg_arena *arena,
			struct yg_alert **out, size_t *out_n, struct yg_err *err);
#define YG_ALERT_TOTAL_MAX 10000
/* How many there are in all.  From the counters where the filter is organisation,
 * state (active: less those put off) and severity only; else counted up to YG_ALERT_TOTAL_MAX, and *out_exact
 * is false when there are more.  With words to look for: -1, not counted. */
yg_status yg_alert_total(struct yg_state *db, const struct yg_alert_query *q, int64_t *out,
			 bool *out_exact, struct yg_err *err);

/* How many there are in all, however long the counting takes: for jobs. */
yg_status yg_alert_matching(struct yg_state *db, const struct yg_alert_query *q, int64_t *out,
			    struct yg_err *err);

/* Calls `each` for every one of them, in no order: what it costs is by how many there
 * are.  The row's texts live until the call returns; a status but YG_OK ends it. */
struct yg_alert_mark {
	int64_t seq;
	struct yg_sv id, org;
	int severity_id;
	bool open;
	int64_t created_us, closed_us; /* closed_us: 0 while it is open */
};
yg_status yg_alert_each(struct yg_state *db, const struct yg_alert_query *q,
			yg_status (*each)(void *ctx, const struct yg_alert_mark *m,
					  struct yg_err *err),
			void *ctx, struct yg_err *err);

struct yg_alert_bundle {
	struct yg_sv key;
	/* by org: its titles, Japanese, tab, English; of a rule or a notice its alert's; else empty */
	struct yg_sv title;
	struct yg_sv type; /* of by indicator */
	int64_t count, orgs, findings;
	int severity_id; /* the highest */
	yg_wall first_seen, last_seen;
};
struct yg_alert_bundles { /* arena */
	struct yg_alert_bundle *list;
	size_t n;
	int64_t groups; /* in all */
};
/* Of the highest severity first, then the largest: ask->limit of them from position `from` on; its sort does not count. */
yg_status yg_alert_bundle(struct yg_state *db, const struct yg_alert_query *ask,
			  enum yg_alert_group by, uint32_t from, struct yg_arena *arena,
			  struct yg_alert_bundles *out, struct yg_err *err);
