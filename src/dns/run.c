/* One query over what is known: local data, policy, cache; see core.h. */
#include "dns/core_internal.h"

#define PREFETCH_PART 10u /* asked anew in the last tenth of its time */

static const struct yg_sv no_text = {"", 0};

/* ---- cached entries ---- */

/* Goes over the entry's names and addresses, once per policy. */
static bool find_clean(struct yg_dns_core *c, struct yg_dns_entry *e)
{
	struct yg_dns_name name;
	struct yg_dns_msg m;
	struct yg_dns_rr rr;
	e->touched = c->generation; /* until all is found to be clean */
	if (!c->memo || yg_dns_msg_read(e->msg, e->msg_n, &m) != YG_OK ||
	    yg_dns_policy_any_name(c->policy, &m.name))
		return false;
	struct yg_dns_iter it = yg_dns_records(&m);
	while (yg_dns_rr_next(&it, &rr) && rr.section == YG_DNS_ANSWER) {
		struct yg_ip ip;
		if (yg_dns_rr_ip(&m, &rr, ip.b)) {
			if (yg_dns_policy_any_ip(c->policy, ip))
				return false;
		} else if (rr.type == YG_DNS_CNAME) {
			if (yg_dns_rr_name(&m, &rr, 0, &name) != YG_OK ||
			    yg_dns_policy_any_name(c->policy, &name))
				return false;
		}
	}
	e->clean = c->generation;
	return true;
}

/* True when no rule of anyone touches what the entry says. */
static bool is_clean(struct yg_dns_core *c, struct yg_dns_entry *e)
{
	if (e->clean == c->generation)
		return c->memo;
	return e->touched != c->generation && find_clean(c, e);
}

static bool is_fresh(const struct yg_dns_core *c, const struct run *r, const struct yg_dns_entry *e)
{
	/* what came while the query waited is good for it, whatever its TTL */
	return c->now_s < e->expires ||
	       (r->resumed && e->stored > (uint32_t)(r->started.us / YG_US_PER_S));
}

static void maybe_prefetch(struct yg_dns_core *c, const struct yg_dns_route *route,
			   const struct yg_dns_key *key, struct yg_dns_entry *e)
{
	uint32_t life = e->expires - e->stored, left = e->expires - c->now_s;
	if (c->opts.no_prefetch || e->refreshing != 0 || c->now_s < e->hold ||
	    (e->flags & YG_DNS_ENTRY_FAILURE) != 0 || left >= life / PREFETCH_PART ||
	    life < PREFETCH_PART || c->now_s >= e->expires)
		return;
	e->refreshing =
		1; /* before it is asked: an answer may be there at once, and the entry gone */
	if (!yg_dns_wait_prefetch(c, route, key))
		e->refreshing = 0; /* at a limit now; the next query tries again */
}

/* False: the entry is that of a name above, below which there is nothing. */
static bool is_of(const struct yg_dns_entry *e, const struct yg_dns_name *name)
{
	return e->msg_n >= YG_DNS_HEADER + name->n &&
	       memcmp(e->msg + YG_DNS_HEADER, name->b, name->n) == 0;
}

struct yg_dns_entry *yg_dns_run_entry(struct yg_dns_core *c, struct run *r,
				      const struct yg_dns_route *route,
				      const struct yg_dns_key *key, bool *out_stale,
				      enum yg_dns_result *out)
{
	/* the batch has looked for the first one already */
	bool known = r->looked && key == r->looked_key;
	struct yg_dns_entry *e = known ? r->found : yg_dns_cache_find(&c->cache, key);
	*out_stale = false;
	r->set = key->set;
	if (e == NULL || !is_fresh(c, r, e)) {
		e = yg_dns_core_best(c, route, key, e, c->now_s);
		if (e != NULL)
			e->used = 1;
	}
	if (e != NULL && is_fresh(c, r, e)) {
		if (is_of(e, key->name))
			maybe_prefetch(c, route, key, e);
		if (r->source != YG_DNS_FROM_STALE)
			r->source = r->resumed ? YG_DNS_FROM_UPSTREAM : YG_DNS_FROM_CACHE;
		return e;
	}
	bool stale = e != NULL && !c->opts.no_stale && c->now_s < e->stale_until &&
		     (e->flags & YG_DNS_ENTRY_FAILURE) == 0;
	if (stale && (r->allow_stale || c->now_s < e->hold)) {
		*out_stale = true;
		r->source = YG_DNS_FROM_STALE;
		return e;
	}
	*out = YG_DNS_WAITING;
	if ((r->q->flags & YG_DNS_RD) != 0 && r->asks < YG_DNS_ASKS_MAX &&
	    yg_dns_wait_for(c, r, route, key))
		return NULL;
	if (stale && (r->q->flags & YG_DNS_RD) != 0) {
		*out_stale = true;
		r->source = YG_DNS_FROM_STALE;
		return e;
	}
	*out = YG_DNS_ANSWERED;
	return NULL;
}

/* ---- one step: an entry ---- */

static bool chain_end(const struct yg_dns_entry *e, struct yg_dns_name *out)
{
	struct yg_dns_msg m;
	struct yg_dns_rr rr;
	unsigned seen = 0;
	if (yg_dns_msg_read(e->msg, e->msg_n, &m) != YG_OK)
		return false;
	struct yg_dns_iter it = yg_dns_records(&m);
	while (seen < e->chain && yg_dns_rr_next(&it, &rr))
		if (rr.type == YG_DNS_CNAME && ++seen == e->chain)
			return yg_dns_rr_name(&m, &rr, 0, out) == YG_OK;
	return false;
}

static bool guarded(const struct yg_dns_core *c, const struct run *r,
		    const struct yg_dns_route *route, const struct yg_dns_entry *e)
{
	struct yg_dns_name end;
	if ((e->flags & YG_DNS_ENTRY_PRIVATE) == 0 || c->opts.no_rebind_guard ||
	    route->may_private || yg_dns_zones_may_private(c->zones, r->client->org, &r->q->name))
		return false;
	return e->chain == 0 || !chain_end(e, &end) ||
	       !yg_dns_zones_may_private(c->zones, r->client->org, &end);
}

static unsigned guard(struct yg_dns_core *c, struct run *r)
{
	c->counts.guard++;
	r->source = YG_DNS_FROM_GUARD;
	r->ede = YG_DNS_EDE_BLOCKED;
	r->ede_text = YG_SV("rebinding protection: a public name with a private address");
	r->secure = false;
	r->built = false;
	return yg_dns_reply_plain(c, r, YG_DNS_RCODE_NOERROR);
}

static bool is_bogus(uint16_t ede)
{
	return ede >= YG_DNS_EDE_INDETERMINATE && ede <= YG_DNS_EDE_NO_NSEC;
}

/* GO_ON: r->name is the next name to look up. */
static unsigned use_entry(struct yg_dns_core *c, struct run *r, const struct yg_dns_route *route,
			  struct yg_dns_entry *e, bool stale)
{
	bool moved = false;
	bool cut = (e->flags & YG_DNS_ENTRY_CUT) != 0, own = is_of(e, &r->name);
	if ((e->flags & YG_DNS_ENTRY_FAILURE) != 0) {
		/* nobody knows the truth: what the name alone says holds; but what failed
		 * validation is never rewritten */
		unsigned result = is_bogus(e->ede) ? GO_ON : yg_dns_judge_end(c, r, &moved);
		if (result != GO_ON || moved)
			return result;
		return yg_dns_run_fail(c, r, e->ede);
	}
	if (r->judging) {
		unsigned result = yg_dns_judge_links(c, r, e, stale, &moved);
		if (result != GO_ON || moved)
			return result;
	}
	if (guarded(c, r, route, e))
		return guard(c, r);
	if (!cut && !r->built && own)
		return yg_dns_reply_entry(c, r, e, stale);
	yg_dns_run_entry_out(c, r, e, 0, true, stale);
	if (!cut)
		return yg_dns_reply_built(c, r, e->rcode);
	return chain_end(e, &r->name) ? GO_ON
				      : (unsigned)yg_dns_run_fail(c, r, YG_DNS_EDE_INVALID_DATA);
}

/* ---- one step: local data ---- */

static unsigned use_local(struct yg_dns_core *c, struct run *r, const struct yg_dns_route *route,
			  bool *out_none)
{
	struct yg_dns_local_rr rr;
	struct yg_dns_name apex;
	enum yg_dns_local found = yg_dns_zones_local(c->zones, route, &r->name, r->q->type, &rr);
	*out_none = found == YG_DNS_LOCAL_NONE;
	if (*out_none)
		return GO_ON;
	r->source = YG_DNS_FROM_LOCAL;
	r->secure = r->judging = r->stage_open = false; /* an organisation's own words are final */
	if (found == YG_DNS_LOCAL_CNAME && yg_dns_zones_next(c->zones, &rr)) {
		size_t at = 0;
		if (yg_dns_name_read_plain((const uint8_t *)rr.rdata.p, rr.rdata.n, &at, &apex) !=
		    YG_OK)
			return yg_dns_run_fail(c, r, YG_DNS_EDE_OTHER);
		yg_dns_run_cname(c, r, &apex, rr.ttl);
		r->name = apex;
		r->judging = c->policy != NULL && (r->q->flags & YG_DNS_RD) != 0 &&
			     r->action == YG_DNS_ACTION_NONE;
		return GO_ON;
	}
	yg_dns_run_build(c, r);
	if (found == YG_DNS_LOCAL_DATA) {
		while (yg_dns_zones_next(c->zones, &rr))
			(void)yg_dns_wr_rr(&c->w, YG_DNS_ANSWER, &r->name, rr.type, YG_DNS_IN,
					   rr.ttl, rr.rdata);
		return yg_dns_reply_built(c, r, YG_DNS_RCODE_NOERROR);
	}
	yg_dns_name_above(&r->name, (unsigned)r->name.labels - route->labels, &apex);
	if (yg_dns_zones_next(c->zones, &rr))
		(void)yg_dns_wr_rr(&c->w, YG_DNS_AUTHORITY, &apex, YG_DNS_SOA, YG_DNS_IN, rr.ttl,
				   rr.rdata);
	return yg_dns_reply_built(
		c, r, found == YG_DNS_LOCAL_NODATA ? YG_DNS_RCODE_NOERROR : YG_DNS_RCODE_NXDOMAIN);
}

/* ---- the run ---- */

/* RFC 8482 4.2: one made-up record instead of everything.  Whether there is such a name at all
 * the answer for A says. */
static unsigned any(struct yg_dns_core *c, struct run *r, const struct yg_dns_route *route,
		    const struct yg_dns_key *key)
{
	const struct yg_dns_key like =
		yg_dns_cache_key(&c->cache, route->set, &r->name, YG_DNS_A, key->flags);
	enum yg_dns_result result;
	bool stale;
	struct yg_dns_entry *e = yg_dns_run_entry(c, r, route, &like, &stale, &result);
	if (e == NULL && result == YG_DNS_WAITING)
		return result;
	r->judging = false; /* that has been done, by the name */
	if (e != NULL && ((e->flags & YG_DNS_ENTRY_FAILURE) != 0 ||
			  (e->rcode == YG_DNS_RCODE_NXDOMAIN && e->chain == 0)))
		return use_entry(c, r, route, e, stale);
	yg_dns_run_build(c, r);
	(void)yg_dns_wr_rr(&c->w, YG_DNS_ANSWER, &r->name, YG_DNS_HINFO, YG_DNS_IN, 3600,
			   YG_SV("\7RFC8482\0"));
	r->secure = false;
	r->source = YG_DNS_FROM_LOCAL;
	return yg_dns_reply_built(c, r, YG_DNS_RCODE_NOERROR);
}

/* One name: GO_ON with r->name moved, or how the query ended. */
static unsigned step(struct yg_dns_core *c, struct run *r, const struct yg_dns_route *route,
		     const struct yg_dns_key *key, bool first)
{
	struct yg_dns_key made;
	enum yg_dns_result result;
	bool none, stale, moved;
	unsigned ended;
	if (route != NULL &&
	    (route->kind == YG_DNS_ZONE_LOCAL || route->kind == YG_DNS_ZONE_OVERLAY)) {
		ended = use_local(c, r, route, &none);
		if (!none)
			return ended;
		route = yg_dns_zones_behind(c->zones, r->client->org, &r->name);
		key = NULL;
	}
	if (route == NULL || route->kind != YG_DNS_ZONE_SET) {
		c->counts.refused++;
		return yg_dns_reply_plain(c, r, YG_DNS_RCODE_REFUSED);
	}
	if (key == NULL) {
		made = yg_dns_cache_key(
			&c->cache, route->set, &r->name, r->q->type,
			(uint8_t)((r->q->dnssec_ok ? YG_DNS_KEY_DO : 0) |
				  ((r->q->flags & YG_DNS_CD) != 0 ? YG_DNS_KEY_CD : 0)));
		key = &made;
	}
	yg_dns_judge_open(c, r, first);
	/* decided by the name alone: not even asked for; with DO the truth may be signed */
	if (r->stage_open && yg_dns_eval_needs(&c->eval) == 0 &&
	    (!r->q->dnssec_ok || c->opts.break_dnssec)) {
		ended = yg_dns_judge_end(c, r, &moved);
		if (ended != GO_ON || moved)
			return ended;
	}
	if (r->q->type == YG_DNS_ANY) {
		ended = yg_dns_judge_end(c, r, &moved);
		return ended != GO_ON || moved ? ended : any(c, r, route, key);
	}
	struct yg_dns_entry *e = yg_dns_run_entry(c, r, route, key, &stale, &result);
	if (e != NULL)
		return use_entry(c, r, route, e, stale);
	if (result == YG_DNS_WAITING)
		return result;
	if ((r->q->flags & YG_DNS_RD) == 0) {
		r->source = YG_DNS_FROM_NONE;
		r->ede = YG_DNS_EDE_NOT_AUTH;
		c->counts.refused++;
		return yg_dns_reply_plain(c, r, YG_DNS_RCODE_REFUSED);
	}
	return yg_dns_run_fail(c, r, YG_DNS_EDE_NOT_READY);
}

static void begin(struct yg_dns_core *c, struct run *r)
{
	r->evaluated = r->stage_open = r->built = false;
	r->secure = true;
	r->source = YG_DNS_FROM_NONE;
	r->action = YG_DNS_ACTION_NONE;
	r->ede = YG_DNS_EDE_NONE;
	r->ede_text = no_text;
	r->rcode = 0;
	r->set = 0;
	r->links_of = NULL;
	r->out_n = 0;
	/* what was asked without recursion is not rewritten */
	r->judging = c->policy != NULL && (r->q->flags & YG_DNS_RD) != 0;
}

/* The usual query: fresh in the cache, nothing of any policy near. */
static struct yg_dns_entry *quick(struct yg_dns_core *c, const struct run *r,
				  const struct yg_dns_route *route, const struct yg_dns_key *key)
{
	struct yg_dns_entry *e = r->looked ? r->found : yg_dns_cache_find(&c->cache, key);
	e = yg_dns_cache_best(&c->cache, key, e, c->now_s);
	if (e == NULL || c->now_s >= e->expires ||
	    (e->flags & (YG_DNS_ENTRY_FAILURE | YG_DNS_ENTRY_CUT)) != 0 ||
	    ((e->flags & YG_DNS_ENTRY_PRIVATE) != 0 && !route->may_private))
		return NULL;
	if (r->judging &&
	    (yg_dns_policy_view_has(c->policy, r->client->view, YG_DNS_TRIGGER_CLIENT_IP) ||
	     !is_clean(c, e)))
		return NULL;
	c->counts.clean_hits++;
	return e;
}

enum yg_dns_result yg_dns_run(struct yg_dns_core *c, struct run *r,
			      const struct yg_dns_route *route, const struct yg_dns_key *key)
{
	begin(c, r);
	if (key != NULL && !r->resumed) {
		struct yg_dns_entry *e = quick(c, r, route, key);
		if (e != NULL) {
			e->used = 1;
			r->source = YG_DNS_FROM_CACHE;
			r->set = key->set;
			maybe_prefetch(c, route, key, e);
			return yg_dns_reply_entry(c, r, e, false);
		}
	}
	r->name = r->q->name;
	if (r->judging)
		yg_dns_eval_begin(&c->eval, c->policy, r->client->view, r->client->ip);
	for (unsigned i = 0; i < YG_DNS_CHAIN_MAX; i++) {
		unsigned ended = step(c, r, route, key, i == 0);
		if (ended != GO_ON)
			return (enum yg_dns_result)ended;
		key = NULL;
		route = yg_dns_zones_find(c->zones, r->client->org, &r->name);
	}
	return yg_dns_run_fail(c, r, YG_DNS_EDE_OTHER);
}
