/* notice_beacon.c - contacts of one source with one service at a steady pace.  A late
 * contact goes where it belongs among the last 24; one that is older than all of them is
 * counted and left out. */
#include "detect/notice_internal.h"

#define CONTACTS_LEAST 16
#define SAME           YG_NT_S /* contacts so near each other are one */
#define PERIOD_LEAST   (5 * YG_NT_S)
#define PERIOD_MOST    YG_NT_DAY
#define JITTER_MOST    0.3
#define SHARE_LEAST    0.9
#define AGAIN          YG_NT_DAY

static void sort(int64_t *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		int64_t x = v[i];
		size_t at = i;
		for (; at > 0 && v[at - 1] > x; at--)
			v[at] = v[at - 1];
		v[at] = x;
	}
}

/* The quantile of definition 7 of Hyndman and Fan (1996): linear between the two next. */
static double quantile(const int64_t *v, size_t n, double p)
{
	double at = p * (double)(n - 1);
	size_t low = (size_t)at;
	if (low + 1 >= n)
		return (double)v[n - 1];
	return (double)v[low] + (at - (double)low) * (double)(v[low + 1] - v[low]);
}

/* False: it stands there already, or is too old. */
static bool insert(struct yg_notices *n, struct yg_nt_beacon *s, int64_t time)
{
	size_t at = s->n;
	while (at > 0 && s->times[at - 1] > time)
		at--;
	if ((at > 0 && time - s->times[at - 1] < SAME) || (at < s->n && s->times[at] - time < SAME))
		return false;
	if (s->n == YG_NT_CONTACTS) {
		if (at == 0) {
			n->tables[YG_NOTICE_BEACON].late++;
			return false;
		}
		memmove(&s->times[0], &s->times[1], (at - 1) * sizeof s->times[0]);
		s->times[at - 1] = time;
		return true;
	}
	memmove(&s->times[at + 1], &s->times[at], (s->n - at) * sizeof s->times[0]);
	s->times[at] = time;
	s->n++;
	return true;
}

void yg_nt_beacon_see(struct yg_notices *n, struct yg_nt_beacon *s, int64_t time,
		      const struct yg_nt_out *out)
{
	int64_t gaps[YG_NT_CONTACTS], off[YG_NT_CONTACTS];
	if (!insert(n, s, time) || s->n < CONTACTS_LEAST || (s->told > 0 && time - s->told < AGAIN))
		return;
	size_t count = s->n - 1, near = 0;
	for (size_t i = 0; i < count; i++)
		gaps[i] = s->times[i + 1] - s->times[i];
	sort(gaps, count);
	double period = quantile(gaps, count, 0.5);
	double low = quantile(gaps, count, 0.25), high = quantile(gaps, count, 0.75);
	for (size_t i = 0; i < count; i++) {
		double d = (double)gaps[i] - period;
		off[i] = (int64_t)(d < 0 ? -d : d);
		near += (double)off[i] <= period / 2;
	}
	sort(off, count);
	double jitter = quantile(off, count, 0.5) / period, share = (double)near / (double)count;
	double skew = high > low ? (low + high - 2 * period) / (high - low) : 0;
	if (period < (double)PERIOD_LEAST || period > (double)PERIOD_MOST || jitter > JITTER_MOST ||
	    share < SHARE_LEAST)
		return;
	double evenness = 1 - (skew < 0 ? -skew : skew);
	struct yg_notice notice = {
		.kind = YG_NOTICE_BEACON,
		.score = yg_nt_score(50 * (1 - jitter) + 20 * evenness + 30 * share),
		.time = {time},
		.first = {s->times[0]},
		.last = {s->times[s->n - 1]},
		.who = yg_nt_key(n, YG_NOTICE_BEACON),
		.numbers = {(double)s->n, period / 1e6, jitter * 100},
	};
	s->told = time;
	yg_nt_tell(n, &notice, out);
}

bool yg_nt_beacon_valid(const union yg_nt_state *u)
{
	const struct yg_nt_beacon *s = &u->beacon;
	bool ok = s->n <= YG_NT_CONTACTS && yg_nt_time_ok(s->told);
	for (size_t i = 0; ok && i < s->n; i++)
		ok = yg_nt_time_ok(s->times[i]) && (i == 0 || s->times[i] > s->times[i - 1]);
	return ok;
}
