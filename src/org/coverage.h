/* coverage.h - which sources should be heard how often, and which are.
 *
 * A source is expected when somebody said so (every_s), or when it was heard
 * once: then at least once a day.  State, by the time since its last record:
 *   ok      within the expected interval
 *   late    beyond it
 *   silent  beyond twice the interval
 *   never   expected and not heard yet
 */
#pragma once
#include "org/org_set.h"
#include "org/source.h"

#define YG_EXPECT_DEFAULT_S 86400

/* clang-format off */
#define YG_SOURCE_STATES(X) X(OK, "ok") X(LATE, "late") X(SILENT, "silent") X(NEVER, "never")
/* clang-format on */
enum yg_source_state {
#define X(id, name) YG_SOURCE_##id##_,
	YG_SOURCE_STATES(X)
#undef X
};
const char *yg_source_state_name(enum yg_source_state s); /* static */

struct yg_coverage { /* one source */
	struct yg_source_row row;
	int64_t every_s; /* as somebody said; 0: nobody did */
	enum yg_source_state state;
	int64_t lag_us; /* since its last record; -1: never */
};
struct yg_coverage_filter {
	const struct yg_org_set *set;
	yg_wall now;
	const struct yg_source_row *after; /* keyset of the list; NULL: from the first */
	uint32_t limit;
};
/* Ordered by org, source, sensor. */
yg_status yg_coverage_list(struct yg_state *db, const struct yg_coverage_filter *f,
			   struct yg_arena *arena, struct yg_coverage **out, size_t *out_n,
			   struct yg_err *err);
/* Those that are silent or never heard, the longest silent first. */
yg_status yg_coverage_silent(struct yg_state *db, const struct yg_coverage_filter *f,
			     struct yg_arena *arena, struct yg_coverage **out, size_t *out_n,
			     struct yg_err *err);
struct yg_coverage_sum {
	struct yg_sv org; /* empty in the sum of all */
	int64_t expected, reporting, silent;
	int64_t silent_since; /* of the silent: became so at or after `since` */
	yg_wall last_received;
};
/* One row per organisation that expects anything, by slug. */
yg_status yg_coverage_by_org(struct yg_state *db, const struct yg_org_set *set, yg_wall now,
			     yg_wall since, struct yg_arena *arena, struct yg_coverage_sum **out,
			     size_t *out_n, struct yg_err *err);

/* every_s 60 .. one year; again changes it.  YG_NOTFOUND: no such organisation. */
/* How often it is expected; 0: nobody said it. */
yg_status yg_expect_get(struct yg_state *db, struct yg_sv org, struct yg_sv source,
			struct yg_sv sensor, int64_t *out_every_s, struct yg_err *err) YG_MUST_USE;
yg_status yg_expect_set(struct yg_act *act, struct yg_sv org, struct yg_sv source,
			struct yg_sv sensor, int64_t every_s, struct yg_err *err) YG_MUST_USE;
yg_status yg_expect_remove(struct yg_act *act, struct yg_sv org, struct yg_sv source,
			   struct yg_sv sensor, struct yg_err *err) YG_MUST_USE;

/* Events received per hour (its number since 1970). */
struct yg_event_hour {
	struct yg_sv org;
	int64_t hour, events;
};
yg_status yg_event_hour_add(struct yg_state *db, struct yg_sv org, int64_t hour, int64_t events,
			    struct yg_err *err) YG_MUST_USE;
struct yg_event_range {
	int64_t from, to, step; /* hours */
};
/* Sums over hours from <= hour < to, in out[(hour - from) / step]; n of them. */
yg_status yg_event_hours(struct yg_state *db, const struct yg_org_set *set,
			 struct yg_event_range range, int64_t *out, size_t n, struct yg_err *err);
