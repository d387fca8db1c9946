/* Which server of a set: the one that answers soonest, by its smoothed round-trip time
 * (RFC 6298); now and then another one, to learn its time. */
#include "role/resolve_up.h"

#define FIRST_RTT_US 100000 /* of a server that was never asked */
#define WAIT_LEAST_US                                                                              \
	250000 /* a forwarder's time is that of its cache; what it must look up takes longer */
#define WAIT_MOST_US 2000000
#define BAD_FOR_US   5000000 /* a server that failed so often in a row: */
#define FAILS_BAD    3
#define USELESS_BAD  5  /* or said of so many different names what is no answer */
#define EXPLORE      32 /* one question in so many goes to another server than the best */

int64_t up_rtt(const struct up_server *s)
{
	return s->rtt_us != 0 ? s->rtt_us : FIRST_RTT_US;
}

static void tell_down(struct resolve *r, struct up_server *s, const char *why)
{
	if (s->down)
		return;
	s->down = true;
	yg_role_log(r->ctx, YG_EV_RESOLVE_UPSTREAM_DOWN, YG_KU("server", yg_sv_of(s->text)),
		    YG_KS("why", why));
}

void up_server_answered(struct resolve *r, struct up_server *s, int64_t took_us)
{
	if (s->down)
		yg_role_log(r->ctx, YG_EV_RESOLVE_UPSTREAM_UP, YG_KU("server", yg_sv_of(s->text)));
	s->down = false;
	if (s->rtt_us == 0) {
		s->rtt_us = YG_MAX(took_us, 1);
		s->var_us = took_us / 2;
	} else {
		int64_t off = took_us > s->rtt_us ? took_us - s->rtt_us : s->rtt_us - took_us;
		s->var_us += (off - s->var_us) / 4;
		s->rtt_us += (took_us - s->rtt_us) / 8;
	}
	s->fails = s->vain.count = 0;
	s->bad_until = 0;
}

void up_server_failed(struct resolve *r, struct up_server *s, const char *why)
{
	if (++s->fails < FAILS_BAD)
		return;
	s->bad_until = resolve_now(r).us + BAD_FOR_US;
	tell_down(r, s, why);
}

void up_server_unsafe(struct resolve *r, struct up_server *s)
{
	s->fails++;
	s->bad_until = resolve_now(r).us + BAD_FOR_US;
	tell_down(r, s, "it could not be spoken to safely");
}

uint32_t up_vain(struct up_vain *v, const struct yg_dns_name *name)
{
	uint64_t h = 0xcbf29ce484222325ull;
	for (unsigned i = 0; i < name->n; i++)
		h = (h ^ name->b[i]) * 0x100000001b3ull;
	if (v->count == 0 || h != v->last)
		v->count++;
	v->last = h;
	return v->count;
}

void up_server_useless(struct resolve *r, struct up_server *s, const struct yg_dns_name *name)
{
	if (up_vain(&s->vain, name) < USELESS_BAD)
		return;
	s->bad_until = resolve_now(r).us + BAD_FOR_US;
	tell_down(r, s, "what it says is no answer, of one name after the other");
}

int64_t up_server_wait(const struct up_server *s, unsigned tries)
{
	int64_t us = s->rtt_us == 0 ? 4 * FIRST_RTT_US : s->rtt_us + 4 * s->var_us;
	us = YG_MAX(us, WAIT_LEAST_US) << YG_MIN(tries, 4u);
	return YG_MIN(us, WAIT_MOST_US);
}

struct up_server *up_server_choose(struct up_set *set, uint16_t *tried, bool first, int64_t now,
				   uint64_t dice)
{
	struct up_server *best = NULL;
	int64_t best_us = 0;
	if (first && set->count > 1 && dice % EXPLORE == 0) {
		best = &set->servers[(dice >> 32) % set->count];
		*tried |= (uint16_t)(1u << (best - set->servers));
		return best;
	}
	if (*tried == (1u << set->count) - 1)
		*tried = 0;
	for (size_t i = 0; i < set->count; i++) {
		struct up_server *s = &set->servers[i];
		if ((*tried >> i & 1) != 0)
			continue;
		int64_t us = up_rtt(s);
		if (s->bad_until > now)
			us += 1000 * (int64_t)WAIT_MOST_US; /* only when nobody else is left */
		if (best == NULL || us < best_us) {
			best = s;
			best_us = us;
		}
	}
	*tried |= (uint16_t)(1u << (best - set->servers));
	return best;
}

yg_status up_servers_read(struct up_set *s, struct yg_sv text, struct yg_err *err)
{
	struct yg_sv one;
	while (text.n > 0 && yg_sv_cut(&text, ' ', &one)) {
		if (s->count == UP_SERVERS_MAX)
			return YG_FAIL(err, YG_LIMIT, "resolve.upstream: at most %u servers",
				       (unsigned)UP_SERVERS_MAX);
		struct up_server *server = &s->servers[s->count];
		size_t hash = yg_sv_find(one, '#', 0);
		struct yg_sv where = yg_sv_sub(one, 0, hash);
		struct yg_sb shown = yg_sb_init(server->text, sizeof server->text);
		yg_sb_put(&shown, where);
		(void)yg_sb_cstr(&shown);
		server->name = yg_sv_sub(one, hash + 1, one.n);
		yg_status st = yg_addr_parse(where, &server->addr, err);
		if (st != YG_OK)
			return st;
		s->count++;
	}
	return YG_OK;
}

void resolve_up_words(const struct resolve *r, uint32_t set, struct yg_sb *out)
{
	int64_t now = resolve_now(r).us;
	if (set == 0 || set > r->up->count)
		return;
	const struct up_set *s = &r->up->sets[set - 1];
	if (s->recurse != NULL && s->count == 0)
		yg_sb_put(out, YG_SV("recursion"));
	for (size_t i = 0; i < s->count; i++) {
		const struct up_server *one = &s->servers[i];
		if (i > 0)
			yg_sb_put(out, YG_SV(", "));
		yg_addr_format(out, &one->addr);
		if (one->bad_until > now)
			yg_sb_put(out, YG_SV(" (does not answer)"));
		else if (one->rtt_us != 0)
			yg_sb_printf(out, " (%lld ms)", (long long)((one->rtt_us + 999) / 1000));
	}
}
