/* watch_finding.h - what a correlation or a finding beside rules says: as the JSON that becomes
 * an alert (alert/finding.h), and as a detection finding among the events; pure. */
#pragma once
#include "detect/watch.h"

#define YG_WATCH_SPOOL 0xfffe0000u /* of these findings: no spool of a worker has that number */

struct yg_watch_at { /* which row of the feed told it */
	struct yg_sv org;
	int64_t seq;
	uint32_t nth;
	yg_wall received; /* when that row was kept */
	struct yg_sv uid; /* of the finding, when no row of the feed told it: it is of the past */
};
struct yg_watch_to {         /* where a finding is appended */
	struct yg_buf *json; /* as sv32; NULL: it is no alert */
	struct yg_buf *rows; /* as a row of the event store; NULL: not among the events */
};
void yg_watch_put_hit(const struct yg_watch_to *to, const struct yg_watch_at *at,
		      const struct yg_watch_doc *doc, struct yg_sv collection,
		      const struct yg_correlate_hit *hit);
/* What a correlation told of, as its row says it: its group in an organisation (`uid`), and from when
 * (`time` less `duration`) until when (`time`). */
#define YG_WATCH_GROUP_MAX 24
void yg_watch_group(struct yg_sv org, const struct yg_correlate_hit *hit,
		    char out[static YG_WATCH_GROUP_MAX]);
static inline int64_t yg_watch_first(const struct yg_correlate_hit *hit)
{
	return hit->first.us > 0 ? YG_MIN(hit->first.us, hit->time.us) : hit->time.us;
}
/* The machine or address of one's own among what it is grouped by, else the first of it. */
struct yg_sv yg_watch_hit_asset(const struct yg_correlate_hit *hit);
/* event: NULL: none. */
void yg_watch_put_notice(const struct yg_watch_to *to, const struct yg_watch_at *at,
			 const struct yg_notice *n, const uint64_t *event);
/* 1 informational ... 5 critical. */
unsigned yg_watch_severity(const struct yg_notice *n);
/* Whose it is: of "a > b:443" a, of "b:443" b, else the whole. */
struct yg_sv yg_watch_asset(const struct yg_notice *n);
/* "spray:203.0.113.9": what makes findings one alert. */
void yg_watch_indicator(const struct yg_notice *n, struct yg_sb *out);
/* Such an indicator for people: "Password spraying: 203.0.113.9".  false: it is none. */
bool yg_watch_title(struct yg_sv indicator, bool japanese, struct yg_sb *out);
/* What the words are made of, [["kind","spray"],["who","203.0.113.9"],...], and back: texts in
 * the arena, without times.  false: it is none. */
void yg_watch_put_fields(struct yg_buf *out, const struct yg_notice *n);
bool yg_watch_read_fields(struct yg_sv json, struct yg_arena *arena, struct yg_notice *out);
