/* notice_flood.c - many more requests to a service than it is used to: the cumulative sum
 * of Page ("Continuous Inspection Schemes", Biometrika 41 (1954) 100-115; for floods: Wang,
 * Zhang and Shin, "Detecting SYN Flooding Attacks", INFOCOM 2002) over slots of ten
 * seconds.  Its top sources are those of Space-Saving (Metwally, Agrawal and El Abbadi,
 * ICDT 2005).  A late request of a slot that is over is counted and left out. */
#include <math.h>

#include "detect/notice_internal.h"

#define SLOT        (10 * YG_NT_S)
#define SLOTS_LEAST 30 /* five minutes, before it says anything */
#define WEIGHT      0.02
#define SLACK       1.0 /* k: half the shift to be found, in standard deviations */
#define LIMIT       8.0 /* h */
#define STEP_MOST   20.0
#define COUNT_LEAST 100 /* of a slot */
#define RATIO_LEAST 3.0
#define FROZEN_MOST 180 /* half an hour of a flood is a new habit */
#define EMPTY_MOST  360 /* slots without requests that are gone through one by one */

static void learn(struct yg_nt_flood *s, double x)
{
	double d = x - s->mean, step = YG_MAX(WEIGHT, 1 / (double)(s->slots + 1));
	s->mean += step * d;
	s->variance = (1 - step) * (s->variance + step * d * d);
	s->slots++;
}

static void tell(struct yg_notices *n, struct yg_nt_flood *s, double x, int64_t end,
		 const struct yg_nt_out *out)
{
	struct yg_notice notice = {
		.kind = YG_NOTICE_FLOOD,
		.score = yg_nt_score(60 + 20 * log10(x / YG_MAX(s->mean, 1.0))),
		.time = {end},
		.first = {s->onset * SLOT},
		.last = {end},
		.who = yg_nt_key(n, YG_NOTICE_FLOOD),
		.numbers = {x / 10, s->mean / 10, s->sum},
		.top_count = s->n,
	};
	for (size_t i = 0; i < s->n; i++) {
		struct yg_notice_source one = {.count = s->top[i].count,
					       .least = s->top[i].count - s->top[i].over};
		size_t at = i;
		memcpy(one.ip.b, s->top[i].ip, sizeof one.ip.b);
		for (; at > 0 && notice.top[at - 1].count < one.count; at--)
			notice.top[at] = notice.top[at - 1];
		notice.top[at] = one;
	}
	s->told = 1;
	yg_nt_tell(n, &notice, out);
}

/* A slot is over. */
static void close_slot(struct yg_notices *n, struct yg_nt_flood *s, const struct yg_nt_out *out)
{
	double x = (double)s->count;
	if (s->slots < SLOTS_LEAST) {
		learn(s, x);
		s->n = 0;
		return;
	}
	/* requests that do not depend on each other vary by the root of their number */
	double sigma = sqrt(YG_MAX(YG_MAX(s->variance, s->mean), 1.0));
	double z = YG_MIN((x - s->mean) / sigma, STEP_MOST);
	s->sum = YG_MAX(0.0, s->sum + z - SLACK);
	if (s->sum > 0 && s->onset < 0)
		s->onset = s->slot;
	if (s->sum > LIMIT && x >= COUNT_LEAST && x >= RATIO_LEAST * s->mean && s->told == 0)
		tell(n, s, x, (s->slot + 1) * SLOT, out);
	if (z > 3 && s->frozen < FROZEN_MOST) {
		s->frozen++;
	} else {
		s->frozen = z > 3 ? s->frozen : 0;
		learn(s, x);
	}
	if (s->sum > 0)
		return;
	s->onset = -1;
	s->told = 0;
	s->n = 0;
}

void yg_nt_flood_until(struct yg_notices *n, struct yg_nt_flood *s, int64_t time,
		       const struct yg_nt_out *out)
{
	int64_t slot = time / SLOT;
	if (s->slot == 0) {
		s->slot = slot;
		s->onset = -1;
	}
	for (unsigned i = 0; s->slot < slot && i < EMPTY_MOST; i++) {
		close_slot(n, s, out);
		s->count = 0;
		s->slot++;
	}
	if (s->slot >= slot)
		return;
	s->sum = 0;
	s->onset = -1;
	s->told = 0;
	s->n = 0;
	s->slot = slot;
}

/* A source that has no counter takes the place of the least, and its count. */
static void count_source(struct yg_nt_flood *s, struct yg_ip src)
{
	uint64_t ip[2];
	size_t at = 0, least = 0;
	memcpy(ip, src.b, sizeof ip);
	for (; at < s->n && (s->top[at].ip[0] != ip[0] || s->top[at].ip[1] != ip[1]); at++)
		if (s->top[at].count < s->top[least].count)
			least = at;
	if (at == s->n && s->n == YG_NOTICE_TOP) {
		at = least;
		s->top[at].over = s->top[at].count;
	} else if (at == s->n) {
		s->n++;
		s->top[at].count = 0;
		s->top[at].over = 0;
	}
	s->top[at].ip[0] = ip[0];
	s->top[at].ip[1] = ip[1];
	s->top[at].count++;
}

void yg_nt_flood_see(struct yg_notices *n, struct yg_nt_flood *s, int64_t time, struct yg_ip src,
		     const struct yg_nt_out *out)
{
	if (time / SLOT < s->slot) {
		n->tables[YG_NOTICE_FLOOD].late++;
		return;
	}
	yg_nt_flood_until(n, s, time, out);
	s->count++;
	count_source(s, src);
}

bool yg_nt_flood_valid(const union yg_nt_state *u)
{
	const struct yg_nt_flood *s = &u->flood;
	bool ok = s->slot >= 0 && s->slot <= YG_NT_TIME_MAX / SLOT && s->onset >= -1 &&
		  s->onset <= s->slot && s->n <= YG_NOTICE_TOP && yg_nt_finite(s->mean) &&
		  s->mean >= 0 && yg_nt_finite(s->variance) && s->variance >= 0 &&
		  yg_nt_finite(s->sum) && s->sum >= 0 && s->slots < UINT64_C(1) << 50;
	for (size_t i = 0; ok && i < s->n; i++)
		ok = s->top[i].over <= s->top[i].count && s->top[i].count < UINT64_C(1) << 50;
	return ok;
}
