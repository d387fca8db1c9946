/* notice_volume.c - what an asset sends in an hour, beside what it sent in that hour of
 * the day before.  Hours in which nothing came teach nothing; a late record of an hour that
 * is over is counted and left out. */
#include <math.h>

#include "detect/notice_internal.h"

#define WEIGHT      0.2 /* of the newest day: the last ten days are nine tenths of the habit */
#define DAYS_LEAST  7
#define SIGMA_LEAST 0.35 /* of the logarithm: a habit is not more exact than by 40 % */
#define Z_LEAST     4.0  /* one hour in 30,000 of a normal distribution */
#define RATIO_LEAST 3.0  /* and three times as much as ever so often */
#define BYTES_LEAST 10e6

/* Exponentially weighted mean and variance (Finch, "Incremental calculation of weighted
 * mean and variance", 2009, equations 123 and 143). */
static void learn(struct yg_nt_volume *s)
{
	size_t at = (size_t)(s->hour % 24);
	double x = log1p(s->bytes), d = x - s->habit[at].mean;
	if (s->habit[at].days == 0) {
		s->habit[at].mean = x;
		s->habit[at].variance = 0;
	} else {
		double sigma = YG_MAX(sqrt(s->habit[at].variance), SIGMA_LEAST);
		if (s->habit[at].days >= DAYS_LEAST) /* one hour does not make a habit */
			d = YG_MAX(YG_MIN(d, 3 * sigma), -3 * sigma);
		double step = YG_MAX(WEIGHT, 1 / (double)(s->habit[at].days + 1));
		s->habit[at].mean += step * d;
		s->habit[at].variance = (1 - step) * (s->habit[at].variance + step * d * d);
	}
	s->habit[at].days++;
}

void yg_nt_volume_see(struct yg_notices *n, struct yg_nt_volume *s, int64_t time, uint64_t bytes,
		      const struct yg_nt_out *out)
{
	int64_t hour = time / YG_NT_HOUR;
	if (hour < s->hour) {
		n->tables[YG_NOTICE_VOLUME].late++;
		return;
	}
	if (hour > s->hour) {
		if (s->hour > 0)
			learn(s);
		s->hour = hour;
		s->bytes = 0;
		s->told = 0;
	}
	s->bytes += (double)bytes;
	size_t at = (size_t)(hour % 24);
	double usual = expm1(s->habit[at].mean);
	double sigma = YG_MAX(sqrt(s->habit[at].variance), SIGMA_LEAST);
	double z = (log1p(s->bytes) - s->habit[at].mean) / sigma;
	if (s->told != 0 || s->habit[at].days < DAYS_LEAST || s->bytes < BYTES_LEAST ||
	    z < Z_LEAST || s->bytes < RATIO_LEAST * usual)
		return;
	s->told = 1;
	struct yg_notice notice = {
		.kind = YG_NOTICE_VOLUME,
		.score = yg_nt_score(50 + 5 * (z - Z_LEAST)),
		.time = {time},
		.first = {hour * YG_NT_HOUR},
		.last = {time},
		.who = yg_nt_key(n, YG_NOTICE_VOLUME),
		.numbers = {s->bytes, usual, z, (double)s->habit[at].days},
	};
	yg_nt_tell(n, &notice, out);
}

bool yg_nt_volume_valid(const union yg_nt_state *u)
{
	const struct yg_nt_volume *s = &u->volume;
	bool ok = s->hour >= 0 && s->hour <= YG_NT_TIME_MAX / YG_NT_HOUR &&
		  yg_nt_finite(s->bytes) && s->bytes >= 0;
	for (size_t i = 0; ok && i < YG_LEN(s->habit); i++)
		ok = s->habit[i].mean >= 0 && s->habit[i].mean < 100 && s->habit[i].variance >= 0 &&
		     s->habit[i].variance < 1e4;
	return ok;
}
