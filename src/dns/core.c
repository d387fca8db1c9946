#include "dns/core.h"

#include <stdlib.h>

#include "dns/core_internal.h"

enum plan { /* what becomes of a query of the batch */
	    PLAN_DROP,
	    PLAN_ERROR,  /* query.rcode, or refused */
	    PLAN_LOOKUP, /* the usual */
};

static uint32_t or_default(uint32_t v, uint32_t dflt)
{
	return v != 0 ? v : dflt;
}

static void defaults(struct yg_dns_core_opts *o)
{
	o->queries_max = or_default(o->queries_max, 4096);
	o->jobs_max = or_default(o->jobs_max, 2048);
	o->per_client_max = or_default(o->per_client_max, YG_MAX(o->queries_max / 4, 1));
	o->client_jobs_max = or_default(o->client_jobs_max, YG_MAX(o->jobs_max / 4, 1));
	o->per_zone_max = or_default(o->per_zone_max, YG_MAX(o->jobs_max / 8, 1));
	if (o->stale_after.us == 0)
		o->stale_after = YG_MS(1800);
	if (o->give_up.us == 0)
		o->give_up = YG_SECONDS(10);
	if (o->udp_max == 0)
		o->udp_max = YG_DNS_UDP_BEST;
	o->udp_max = YG_MAX(o->udp_max, YG_DNS_UDP_PLAIN);
	if (o->padding == 0)
		o->padding = 468; /* RFC 8467 4.1 */
}

yg_status yg_dns_core_new(const struct yg_dns_core_opts *opts, struct yg_dns_core **out,
			  struct yg_err *err)
{
	static const uint8_t none[16];
	if (opts->ops.reply == NULL || opts->ops.ask == NULL)
		return YG_FAIL(err, YG_INVAL, "resolver core without a way out");
	struct yg_dns_core *c = calloc(1, sizeof *c);
	if (c == NULL)
		return YG_FAIL(err, YG_NOMEM, "resolver core");
	c->opts = *opts;
	defaults(&c->opts);
	c->cookies = memcmp(opts->cookie_key, none, sizeof none) != 0;
	c->generation = 1;
	yg_status st = yg_dns_cache_init(&c->cache, opts->cache, opts->cache_bytes, opts->random,
					 &opts->ttl);
	if (st != YG_OK) {
		(void)YG_FAIL(err, st, "resolver cache of %zu bytes", opts->cache_bytes);
	} else {
		st = yg_dns_wait_init(c);
		if (st != YG_OK)
			(void)YG_FAIL(err, st, "tables for %u waiting queries",
				      c->opts.queries_max);
	}
	if (st != YG_OK) {
		yg_dns_core_free(c);
		return st;
	}
	*out = c;
	return YG_OK;
}

void yg_dns_core_free(struct yg_dns_core *c)
{
	if (c == NULL)
		return;
	free(c->waiters);
	free(c->jobs);
	free(c->job_heads);
	free(c);
}

void yg_dns_core_policy(struct yg_dns_core *c, const struct yg_dns_policy *p)
{
	c->policy = p;
	if (++c->generation == 0)
		c->generation = 1;
	c->memo = p == NULL || (!yg_dns_policy_has(p, YG_DNS_TRIGGER_NSDNAME) &&
				!yg_dns_policy_has(p, YG_DNS_TRIGGER_NSIP));
}

void yg_dns_core_zones(struct yg_dns_core *c, const struct yg_dns_zones *z)
{
	c->zones = z;
}

void yg_dns_core_wall(struct yg_dns_core *c, uint32_t seconds)
{
	c->wall = seconds;
}

struct yg_dns_counts yg_dns_core_counts(const struct yg_dns_core *c)
{
	return c->counts;
}

struct yg_dns_cache *yg_dns_core_cache(struct yg_dns_core *c)
{
	return &c->cache;
}

struct yg_dns_entry *yg_dns_core_best(const struct yg_dns_core *c, const struct yg_dns_route *route,
				      const struct yg_dns_key *key, struct yg_dns_entry *own,
				      uint32_t now)
{
	struct yg_dns_entry *e = yg_dns_cache_best(&c->cache, key, own, now), *above = NULL;
	if ((e == NULL || now >= e->expires) && c->opts.below != YG_DNS_BELOW_NOTHING)
		above = yg_dns_cache_above(&c->cache, key, route->labels,
					   c->opts.below == YG_DNS_BELOW_SECURE, now);
	return above != NULL ? above : e;
}

void yg_dns_core_known(struct yg_dns_core *c, uint32_t org, const struct yg_dns_name *name,
		       uint16_t type, bool dnssec_ok, bool checking_disabled, yg_mono now,
		       struct yg_dns_known *out)
{
	uint32_t at = (uint32_t)(now.us / YG_US_PER_S) + 1;
	memset(out, 0, sizeof *out);
	if (c->zones == NULL)
		return;
	out->route = yg_dns_zones_find(c->zones, org, name);
	if (out->route == NULL || out->route->kind != YG_DNS_ZONE_SET)
		return;
	uint8_t flags = (uint8_t)((dnssec_ok ? YG_DNS_KEY_DO : 0) |
				  (checking_disabled ? YG_DNS_KEY_CD : 0));
	const struct yg_dns_key key =
		yg_dns_cache_key(&c->cache, out->route->set, name, type, flags);
	const struct yg_dns_entry *e =
		yg_dns_core_best(c, out->route, &key, yg_dns_cache_peek(&c->cache, &key), at);
	out->being_asked = yg_dns_wait_asked(c, &key);
	if (e == NULL || at >= YG_MAX(e->expires, e->stale_until))
		return;
	out->entry = e;
	out->ttl = at < e->expires ? e->expires - at : 0;
	out->stale = at < e->stale_until ? e->stale_until - at : 0;
	out->held = at < e->hold ? e->hold - at : 0;
}

/* ---- a batch ---- */

static uint8_t key_flags(const struct yg_dns_query *q)
{
	return (uint8_t)((q->dnssec_ok ? YG_DNS_KEY_DO : 0) |
			 ((q->flags & YG_DNS_CD) != 0 ? YG_DNS_KEY_CD : 0));
}

/* What is to be refused before anything is looked up. */
static unsigned refusal(const struct yg_dns_core *c, const struct yg_dns_in *in,
			const struct yg_dns_query *q)
{
	if (q->rcode != 0)
		return q->rcode;
	if (in->client->refused || c->zones == NULL)
		return YG_DNS_RCODE_REFUSED;
	if (q->cls != YG_DNS_IN) /* CHAOS: nothing about ourselves */
		return YG_DNS_RCODE_REFUSED;
	switch (q->type) {
	case 0:
	case YG_DNS_OPT: return YG_DNS_RCODE_FORMERR;
	case YG_DNS_AXFR:
	case YG_DNS_IXFR:
	case YG_DNS_NXNAME: return YG_DNS_RCODE_REFUSED;
	case YG_DNS_TKEY:
	case YG_DNS_TSIG:
	case YG_DNS_MAILA:
	case YG_DNS_MAILB: return YG_DNS_RCODE_NOTIMP;
	default: return 0;
	}
}

static uint8_t plan_one(struct yg_dns_core *c, const struct yg_dns_in *in, size_t i)
{
	struct yg_dns_query *q = &c->query[i];
	if (yg_dns_query_read(in->msg, in->n, q) != YG_OK || in->out_cap < YG_DNS_UDP_PLAIN)
		return PLAN_DROP;
	q->rcode = (uint8_t)refusal(c, in, q);
	if (q->rcode != 0)
		return PLAN_ERROR;
	c->route[i] = yg_dns_zones_find(c->zones, in->client->org, &q->name);
	if (c->route[i] != NULL && c->route[i]->kind == YG_DNS_ZONE_SET) {
		c->keys[i] = yg_dns_cache_key(&c->cache, c->route[i]->set, &q->name, q->type,
					      key_flags(q));
		yg_dns_cache_prefetch(&c->cache, c->keys[i].hash);
	}
	/* Whether the policy is asked is known with the entry; by then what it looks at is
	 * on its way from memory, beside the entry and not behind it. */
	if (c->policy != NULL)
		yg_dns_policy_hash(c->policy, &q->name, &c->probe[i]);
	return PLAN_LOOKUP;
}

static bool is_set(const struct yg_dns_core *c, size_t i)
{
	return c->plan[i] == PLAN_LOOKUP && c->route[i] != NULL &&
	       c->route[i]->kind == YG_DNS_ZONE_SET;
}

/* The look-ups of all queries, each step for all before the next: what one waits
 * for in memory comes while the others are worked on. */
static void look_ahead(struct yg_dns_core *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_set(c, i))
			yg_dns_cache_prefetch_entry(&c->cache, c->keys[i].hash);
	for (size_t i = 0; i < n; i++) {
		const struct yg_dns_entry *e = NULL;
		if (is_set(c, i))
			e = c->found[i] = yg_dns_cache_find(&c->cache, &c->keys[i]);
		if (c->plan[i] != PLAN_LOOKUP || c->policy == NULL ||
		    (e != NULL && c->memo && e->clean == c->generation))
			c->probe[i].from = c->probe[i].to = 0;
	}
	if (c->policy == NULL)
		return;
	for (size_t i = 0; i < n; i++)
		if (c->probe[i].to > c->probe[i].from)
			(void)yg_dns_policy_touch(c->policy, &c->probe[i]);
	for (size_t i = 0; i < n; i++)
		if (c->probe[i].to > c->probe[i].from && c->probe[i].maybe)
			yg_dns_policy_fetch(c->policy, &c->probe[i]);
}

static size_t out_limit(const struct yg_dns_core *c, const struct yg_dns_in *in,
			const struct yg_dns_query *q)
{
	size_t cap = YG_MIN(in->out_cap, YG_DNS_MSG_MAX);
	if (in->transport != YG_DNS_UDP)
		return cap;
	return YG_MIN(cap, YG_MIN(q->udp, c->opts.udp_max));
}

static void begin_run(struct yg_dns_core *c, struct yg_dns_in *in, size_t i, struct run *r)
{
	struct yg_dns_query *q = &c->query[i];
	r->client = in->client;
	r->peer = in->peer;
	r->q = q;
	r->question = in->msg + YG_DNS_HEADER;
	r->probe = c->probe[i].to > c->probe[i].from ? &c->probe[i] : NULL;
	r->looked = is_set(c, i);
	r->looked_key = &c->keys[i];
	r->found = c->found[i];
	r->out = in->out;
	r->out_cap = out_limit(c, in, q);
	r->transport = in->transport;
	r->resumed = r->allow_stale = false;
	r->waiter = 0;
	r->asks = 0;
	r->started = c->now;
}

static void answer_one(struct yg_dns_core *c, struct yg_dns_in *in, size_t i)
{
	struct run *r = &c->run;
	in->out_n = 0;
	c->counts.queries++;
	if (c->plan[i] == PLAN_DROP) {
		c->counts.malformed++;
		in->result = YG_DNS_DROPPED;
		return;
	}
	begin_run(c, in, i, r);
	if (c->plan[i] == PLAN_ERROR) {
		r->source = YG_DNS_FROM_NONE;
		r->action = YG_DNS_ACTION_NONE;
		r->evaluated = r->secure = false;
		r->set = 0;
		r->ede = YG_DNS_EDE_NONE;
		r->ede_text = (struct yg_sv){"", 0};
		if (in->client->refused && r->q->rcode == YG_DNS_RCODE_REFUSED)
			r->ede = YG_DNS_EDE_PROHIBITED;
		if (r->q->rcode == YG_DNS_RCODE_REFUSED)
			c->counts.refused++;
		else
			c->counts.malformed++;
		in->result = (uint8_t)yg_dns_reply_plain(c, r, r->q->rcode);
	} else {
		in->result =
			(uint8_t)yg_dns_run(c, r, c->route[i], is_set(c, i) ? &c->keys[i] : NULL);
	}
	if (in->result == YG_DNS_ANSWERED)
		in->out_n = r->out_n;
}

void yg_dns_core_batch(struct yg_dns_core *c, struct yg_dns_in *in, size_t n, yg_mono now)
{
	n = YG_MIN(n, YG_DNS_BATCH);
	c->now = now;
	c->now_s = (uint32_t)(now.us / YG_US_PER_S) + 1;
	for (size_t i = 0; i < n; i++)
		c->plan[i] = plan_one(c, &in[i], i);
	look_ahead(c, n);
	for (size_t i = 0; i < n; i++)
		answer_one(c, &in[i], i);
}
