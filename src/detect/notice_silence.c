/* notice_silence.c - a source of logs that comes no more.  The measure is that of the
 * accrual failure detector (Hayashibara, Defago, Yared and Katayama, "The phi Accrual
 * Failure Detector", SRDS 2004): phi is minus the logarithm of how likely so long a gap is,
 * for gaps distributed exponentially.  Logs come in bursts, so a gap must also be twice the
 * longest of seven days.  A late record changes nothing. */
#include <math.h>

#include "detect/notice_internal.h"

#define PHI_LEAST     8.0 /* one in a hundred million, were gaps independent */
#define GAPS_LEAST    100
#define HISTORY_LEAST YG_NT_DAY
#define GAP_LEAST     (300 * YG_NT_S)
#define WEIGHT        0.01 /* of the newest gap */

void yg_nt_silence_see(struct yg_nt_silence *s, int64_t time)
{
	if (s->first == 0) {
		s->first = time;
		s->last = time;
		s->day = time / YG_NT_DAY;
	}
	if (time <= s->last)
		return;
	int64_t gap = time - s->last, day = time / YG_NT_DAY;
	s->count++;
	s->gap += ((double)gap - s->gap) * YG_MAX(WEIGHT, 1 / (double)s->count);
	s->day = YG_MAX(s->day, day - 7);
	for (; s->day < day; s->day++) {
		memmove(&s->longest[1], &s->longest[0], 6 * sizeof s->longest[0]);
		s->longest[0] = 0;
	}
	s->longest[0] = YG_MAX(s->longest[0], gap);
	s->last = time;
	s->told = 0;
}

void yg_nt_silence_tick(struct yg_notices *n, struct yg_nt_silence *s, int64_t now,
			const struct yg_nt_out *out)
{
	int64_t gap = now - s->last, longest = 0;
	for (size_t i = 0; i < YG_LEN(s->longest); i++)
		longest = YG_MAX(longest, s->longest[i]);
	int64_t least = YG_MAX(GAP_LEAST, 2 * longest);
	if (s->told != 0 || s->count < GAPS_LEAST || s->last - s->first < HISTORY_LEAST ||
	    gap <= least)
		return;
	double phi = (double)gap / YG_MAX(s->gap, 1.0) * 0.43429448190325182765;
	if (phi < PHI_LEAST)
		return;
	s->told = 1;
	struct yg_notice notice = {
		.kind = YG_NOTICE_SILENCE,
		.score = yg_nt_score(60 + 10 * log2((double)gap / (double)least) +
				     YG_MIN(phi, 1000.0) / 50),
		.time = {now},
		.first = {s->last},
		.last = {now},
		.who = yg_nt_key(n, YG_NOTICE_SILENCE),
		.numbers = {(double)gap / 1e6, s->gap / 1e6, (double)longest / 1e6, phi},
	};
	yg_nt_tell(n, &notice, out);
}

bool yg_nt_silence_valid(const union yg_nt_state *u)
{
	const struct yg_nt_silence *s = &u->silence;
	bool ok = yg_nt_time_ok(s->first) && yg_nt_time_ok(s->last) && s->first <= s->last &&
		  yg_nt_finite(s->gap) && s->gap >= 0 && s->day >= 0 &&
		  s->day <= YG_NT_TIME_MAX / YG_NT_DAY;
	for (size_t i = 0; ok && i < YG_LEN(s->longest); i++)
		ok = yg_nt_time_ok(s->longest[i]);
	return ok;
}
