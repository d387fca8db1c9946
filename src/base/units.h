/* units.h - time as types.  A struct costs nothing at -O1 and makes
 * `deadline = port` a compile error. */
#pragma once
#include "base/sb.h"

typedef struct {
	int64_t us;
} yg_mono; /* CLOCK_MONOTONIC instant, microseconds */
typedef struct {
	int64_t us;
} yg_wall; /* UTC since 1970, microseconds; for people, events and audit */
typedef struct {
	int64_t us;
} yg_span; /* a length of time, microseconds; may be negative */

#define YG_MS(n)      ((yg_span){(int64_t)(n)*1000})
#define YG_SECONDS(n) ((yg_span){(int64_t)(n)*1000000})
#define YG_US_PER_S   1000000LL
#define YG_US_PER_DAY 86400000000LL

static inline yg_mono yg_mono_add(yg_mono t, yg_span d)
{
	int64_t r;
	if (__builtin_add_overflow(t.us, d.us, &r))
		r = d.us > 0 ? INT64_MAX : INT64_MIN; /* saturate: "never" stays never */
	return (yg_mono){r};
}
static inline bool yg_mono_due(yg_mono deadline, yg_mono now)
{
	return now.us >= deadline.us;
}

/* RFC 3339, UTC, "2026-01-02T03:04:05.000006Z" (27 bytes). */
void yg_time_format(struct yg_sb *b, yg_wall t);
/* RFC 3339 / ISO 8601 with 'T' or ' ', 0 to 9 digits of fraction (cut to
 * microseconds), 'Z' or an offset "+09:00" / "+0900"; no offset means UTC.
 * YG_PARSE otherwise.  A leap second (:60) becomes the next second. */
yg_status yg_time_parse(struct yg_sv s, yg_wall *out, struct yg_err *err);
/* Proleptic Gregorian; month 1..12, day 1..31. */
int64_t yg_days_from_civil(int64_t year, unsigned month, unsigned day);
void yg_civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day);
/* 20260102 for the UTC day t falls in; clamped to 1970-01-01..2105-12-31. */
uint32_t yg_day_number(yg_wall t);
