/* Response-rate limiting: a table of fixed size, four networks that share a place
 * push out the one that asked least.  A network's state is one time (GCRA): when its
 * allowance would be whole again. */
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "role/resolve_internal.h"

#define SETS      16384u
#define WAYS      4u
#define NS_PER_US 1000

struct place {
	uint32_t tag, over; /* over: answers over the limit, for the slip */
	int64_t whole_ns;   /* of the monotonic clock */
};
struct limiter {
	struct resolve_limit_opts o;
	int64_t step_ns; /* what one answer costs */
	struct place places[SETS][WAYS];
};

struct limiter *resolve_limiter_new(const struct resolve_limit_opts *o)
{
	struct limiter *l = calloc(1, sizeof *l);
	if (l == NULL)
		return NULL;
	l->o = *o;
	l->step_ns = YG_MAX((int64_t)(1000000000 / YG_MAX(o->rate, 1u)), 1);
	return l;
}

void resolve_limiter_free(struct limiter *l)
{
	free(l);
}

static struct place *place_of(struct limiter *l, struct yg_ip ip)
{
	if (yg_ip_is_v4(ip))
		ip.b[15] = 0; /* /24 */
	else
		memset(ip.b + 7, 0, 9); /* /56 */
	uint64_t h = yg_siphash(l->o.key, ip.b, sizeof ip.b);
	struct place *set = l->places[h % SETS], *least = set;
	uint32_t tag = (uint32_t)(h >> 32) | 1; /* 0: nobody yet */
	for (unsigned i = 0; i < WAYS; i++) {
		if (set[i].tag == tag)
			return &set[i];
		if (set[i].whole_ns < least->whole_ns)
			least = &set[i];
	}
	*least = (struct place){.tag = tag};
	return least;
}

enum resolve_limit resolve_limiter_take(struct limiter *l, struct yg_ip ip, yg_mono now)
{
	struct place *p = place_of(l, ip);
	int64_t now_ns = now.us * NS_PER_US;
	int64_t whole = YG_MAX(p->whole_ns, now_ns) + l->step_ns;
	if (whole - now_ns <= (int64_t)YG_US_PER_S * NS_PER_US) {
		p->whole_ns = whole;
		p->over = 0;
		return RESOLVE_PASS;
	}
	return l->o.slip > 0 && p->over++ % l->o.slip == 0 ? RESOLVE_SLIP : RESOLVE_DROP;
}
