/* compare.h - organisations beside each other: the same few measures of each, now and in
 * the period before, from counters and indexes.
 *
 * A row is an organisation with what stands below it; a unit has a row of its own only
 * where its organisation is not in the set.  The set is in every query, before anything
 * is counted.
 *
 * What others are like is told as a median alone, of all organisations and of fixed
 * times, and only when YG_PEERS_MIN that the asker does not see have the measure: no
 * choice of filters gives two medians whose difference says something about one of them.
 */
#pragma once
#include "alert/tally.h"
#include "org/coverage.h"
#include "org/organisation.h"

#define YG_PEERS_MIN   5
#define YG_COMPARE_MAX 2000 /* rows of an answer; the worst of them */

/* clang-format off */
#define YG_MEASURES(X)                                                                   \
	X(GRAVE,       "grave")       /* open alerts of severity 4 and more */          \
	X(OPENED,      "opened")      /* alerts that came in the period */              \
	X(TRIAGE_S,    "triage_s")    /* seconds until somebody took one up; the mean */ \
	X(SILENT,      "silent")      /* sources that are silent or were never heard */ \
	X(HEARD_PCT,   "heard_pct")   /* of the sources expected, those that report */  \
	X(DNS_BLOCKED, "dns_blocked") /* names that protective DNS blocked */
/* clang-format on */
enum yg_measure {
#define X(id, name) YG_MEASURE_##id,
	YG_MEASURES(X)
#undef X
		YG_MEASURE_COUNT
};
#define YG_NO_MEASURE                                                                              \
	INT64_MIN /* nothing to measure: no alert was taken up, no source is expected */

struct yg_compare_row {
	struct yg_sv org, title_ja, title_en; /* arena */
	enum yg_org_kind kind;
	int64_t value[YG_MEASURE_COUNT];
	int64_t before[YG_MEASURE_COUNT]; /* of silent and heard_pct: nothing is kept of the past */
	int64_t triaged, triaged_before;  /* how many the means are of */
	int64_t expected, reporting;
	yg_wall last_received;
};
struct yg_compare_times {
	yg_wall now; /* open alerts and sources are of this moment */
	int64_t from,
		middle; /* hours: the period before begins, the period begins; it ends at now */
};
struct yg_compare_place { /* whose numbers a row has: itself, and what stands below it */
	struct yg_sv org;
	size_t row;
};
struct yg_compare {
	struct yg_compare_row *rows; /* by slug until yg_compare_end() */
	size_t n;
	struct yg_compare_place *places; /* by org */
	size_t place_count;
};
/* All but the names blocked. */
yg_status yg_compare_read(struct yg_state *db, const struct yg_org_set *set,
			  const struct yg_compare_times *t, struct yg_arena *arena,
			  struct yg_compare *out, struct yg_err *err);
/* Adds to every row that `org` is part of, before yg_compare_end(). */
void yg_compare_add(struct yg_compare *c, enum yg_measure m, struct yg_sv org, int64_t value,
		    int64_t before);
/* Means and shares; rows worst first: by open grave alerts, silent sources, time to triage. */
void yg_compare_end(struct yg_compare *c);

struct yg_peers {
	int64_t organisations; /* rounded down to a multiple of YG_PEERS_MIN; 0: too few */
	int64_t median[YG_MEASURE_COUNT]; /* rounded; or YG_NO_MEASURE */
};
/* Of a comparison of all organisations that has ended; `own`: what the asker sees of them. */
yg_status yg_compare_peers(const struct yg_compare *c, const struct yg_org_set *own,
			   struct yg_arena *arena, struct yg_peers *out, struct yg_err *err);
