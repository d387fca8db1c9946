/* The way of a query (run.c, servers.c), gone without touching anything. */
#include "dns/explain.h"

#include "dns/core_internal.h"

#define SERVERS_MAX 16 /* of one zone, as servers.c */

struct walk {
	struct yg_dns_core *c;
	const struct yg_dns_explain_ask *ask;
	struct yg_dns_explained *out;
	uint32_t now_s;
	bool judging, open, ended;
	bool servers_missing;
	bool noted; /* a stage has ended with notes: before that they are none of the query's */
	struct yg_dns_name name; /* at hand */
};

/* Is somebody else asked for such names?  If not there is nothing to wait for. */
static bool is_asked(const struct yg_dns_route *route)
{
	return route != NULL && route->kind == YG_DNS_ZONE_SET;
}

static const struct yg_dns_entry *peek(const struct walk *w, const struct yg_dns_route *route,
				       const struct yg_dns_name *name, uint16_t type, uint8_t flags)
{
	if (!is_asked(route))
		return NULL;
	const struct yg_dns_key key = yg_dns_cache_key(&w->c->cache, route->set, name, type, flags);
	const struct yg_dns_entry *e = yg_dns_core_best(
		w->c, route, &key, yg_dns_cache_peek(&w->c->cache, &key), w->now_s);
	return e != NULL && w->now_s < YG_MAX(e->expires, e->stale_until) ? e : NULL;
}

static void end(struct walk *w, enum yg_dns_verdict_word says, uint8_t source)
{
	w->ended = true;
	w->out->says = says;
	w->out->source = source;
}

/* ---- what the policy is told ---- */

static void tell_addresses(struct walk *w, const struct yg_dns_entry *e, bool servers)
{
	struct yg_dns_msg m;
	struct yg_dns_rr rr;
	struct yg_ip ip;
	if (yg_dns_msg_read(e->msg, e->msg_n, &m) != YG_OK)
		return;
	struct yg_dns_iter it = yg_dns_records(&m);
	while (yg_dns_rr_next(&it, &rr) && rr.section == YG_DNS_ANSWER) {
		if (!yg_dns_rr_ip(&m, &rr, ip.b))
			continue;
		if (servers)
			yg_dns_eval_server_address(&w->out->eval, ip);
		else
			yg_dns_eval_address(&w->out->eval, ip);
	}
}

static void tell_server(struct walk *w, const struct yg_dns_name *server, unsigned needs)
{
	static const uint16_t types[] = {YG_DNS_A, YG_DNS_AAAA};
	if ((needs & YG_DNS_NEEDS_SERVERS) != 0)
		yg_dns_eval_server(&w->out->eval, server);
	if ((needs & YG_DNS_NEEDS_SERVER_ADDRESSES) == 0)
		return;
	const struct yg_dns_route *route =
		yg_dns_zones_find(w->c->zones, w->ask->client->org, server);
	for (size_t i = 0; is_asked(route) && i < YG_LEN(types); i++) {
		const struct yg_dns_entry *e = peek(w, route, server, types[i], 0);
		if (e != NULL)
			tell_addresses(w, e, true);
		else
			w->servers_missing = true;
	}
}

static void tell_zone(struct walk *w, const struct yg_dns_entry *e, unsigned needs)
{
	struct yg_dns_name server;
	struct yg_dns_msg m;
	struct yg_dns_rr rr;
	unsigned n = 0;
	if (yg_dns_msg_read(e->msg, e->msg_n, &m) != YG_OK)
		return;
	struct yg_dns_iter it = yg_dns_records(&m);
	while (n < SERVERS_MAX && yg_dns_rr_next(&it, &rr) && rr.section == YG_DNS_ANSWER)
		if (rr.type == YG_DNS_NS && yg_dns_rr_name(&m, &rr, 0, &server) == YG_OK) {
			tell_server(w, &server, needs);
			n++;
		}
}

/* All zones on the way to the name, as far as they are known. */
static void tell_servers(struct walk *w, unsigned needs)
{
	struct yg_dns_name at;
	unsigned zone;
	for (unsigned up = 0, next; up + 1 < w->name.labels; up = next) {
		yg_dns_name_above(&w->name, up, &at);
		next = up + 1;
		const struct yg_dns_route *route =
			yg_dns_zones_find(w->c->zones, w->ask->client->org, &at);
		const struct yg_dns_entry *e = peek(w, route, &at, YG_DNS_NS, 0);
		if (e == NULL)
			w->servers_missing = w->servers_missing || is_asked(route);
		else if ((e->flags & YG_DNS_ENTRY_NEGATIVE) != 0)
			next = yg_dns_zone_above(e, &w->name, &zone) && zone > up ? zone : next;
		else if ((e->flags & YG_DNS_ENTRY_FAILURE) == 0 && e->chain == 0)
			tell_zone(w, e, needs);
	}
}

/* ---- stages ---- */

static void open_stage(struct walk *w)
{
	if (!w->judging)
		return;
	yg_dns_eval_name(&w->out->eval, &w->name, NULL);
	w->open = true;
}

static void move(struct walk *w, const struct yg_dns_name *to)
{
	w->name = *to;
	if (w->out->chain_n < YG_LEN(w->out->chain))
		w->out->chain[w->out->chain_n++] = *to;
}

/* The policy's CNAME: what comes behind it is looked up and not judged. */
static void follow_cname(struct walk *w, const struct yg_dns_verdict *v)
{
	struct yg_dns_name target, whole;
	size_t at = 0;
	if (yg_dns_name_read_plain((const uint8_t *)v->target.p, v->target.n, &at, &target) !=
	    YG_OK)
		return;
	if (v->target_wild) {
		if (yg_dns_name_join(&w->name, 0, &target, &whole) != YG_OK)
			return;
		target = whole;
	}
	move(w, &target);
}

/* Ends the stage; true: a record decides the query.  answer: it was looked at, as far as there
 * is one; else its addresses are missing too. */
static bool end_stage(struct walk *w, bool answer)
{
	struct yg_dns_explained *o = w->out;
	if (!w->open)
		return false;
	w->open = false;
	o->missing = yg_dns_eval_needs(&o->eval);
	if (answer)
		o->missing &= ~(unsigned)YG_DNS_NEEDS_ADDRESSES;
	if (!w->servers_missing)
		o->missing &= ~(unsigned)(YG_DNS_NEEDS_SERVERS | YG_DNS_NEEDS_SERVER_ADDRESSES);
	bool decided = yg_dns_eval_stage_end(&o->eval);
	w->noted = w->noted || o->eval.note_count > 0;
	if (!decided)
		return false;
	w->judging = false;
	yg_dns_eval_verdict(&o->eval, &o->verdict);
	o->at = w->name;
	o->decided = o->verdict.action != YG_DNS_ACTION_NONE;
	o->unknown |= o->missing != 0;
	if (!o->decided || o->verdict.action == YG_DNS_ACTION_PASSTHRU)
		return false;
	o->set_aside = w->ask->client->audit;
	if (o->set_aside)
		return false;
	end(w, YG_DNS_SAYS_BLOCKED, YG_DNS_FROM_POLICY);
	if (o->verdict.action == YG_DNS_ACTION_CNAME)
		follow_cname(w, &o->verdict);
	return true;
}

/* ---- one name ---- */

static bool target_of(const struct yg_dns_msg *m, struct yg_dns_iter *it, struct yg_dns_name *out)
{
	struct yg_dns_rr rr;
	while (yg_dns_rr_next(it, &rr))
		if (rr.type == YG_DNS_CNAME)
			return yg_dns_rr_name(m, &rr, 0, out) == YG_OK;
	return false;
}

/* Every name of the entry, each judged as run.c does; w->name is the last one then. */
static void use_links(struct walk *w, const struct yg_dns_entry *e)
{
	struct yg_dns_name target;
	struct yg_dns_msg m;
	if (yg_dns_msg_read(e->msg, e->msg_n, &m) != YG_OK)
		return;
	struct yg_dns_iter it = yg_dns_records(&m);
	for (unsigned link = 0; !w->ended; link++) {
		bool last = link >= e->chain;
		if (w->open && w->ask->dnssec_ok && (e->flags & YG_DNS_ENTRY_SIGNED) != 0 &&
		    !w->c->opts.break_dnssec && yg_dns_judge_signed(&m, &w->name)) {
			w->out->signed_data = true; /* this name is left alone, the next is not */
			w->open = false;
			yg_dns_eval_skip(&w->out->eval);
		}
		if (w->open && last &&
		    (yg_dns_eval_needs(&w->out->eval) & YG_DNS_NEEDS_ADDRESSES) != 0)
			tell_addresses(w, e, false);
		unsigned needs = w->open ? yg_dns_eval_needs(&w->out->eval) : 0;
		w->servers_missing = false;
		if ((needs & (YG_DNS_NEEDS_SERVERS | YG_DNS_NEEDS_SERVER_ADDRESSES)) != 0)
			tell_servers(w, needs);
		if (end_stage(w, true) || last || !target_of(&m, &it, &target))
			return;
		move(w, &target);
		if (link + 1 == e->chain && (e->flags & YG_DNS_ENTRY_CUT) != 0)
			return; /* the next name is looked up by itself */
		open_stage(w);
	}
}

static bool guarded(const struct walk *w, const struct yg_dns_route *route,
		    const struct yg_dns_entry *e)
{
	const struct yg_dns_core *c = w->c;
	uint32_t org = w->ask->client->org;
	return (e->flags & YG_DNS_ENTRY_PRIVATE) != 0 && !c->opts.no_rebind_guard &&
	       !route->may_private && !yg_dns_zones_may_private(c->zones, org, w->ask->name) &&
	       (e->chain == 0 || !yg_dns_zones_may_private(c->zones, org, &w->name));
}

static bool is_bogus(uint16_t ede)
{
	return ede >= YG_DNS_EDE_INDETERMINATE && ede <= YG_DNS_EDE_NO_NSEC;
}

static void use_entry(struct walk *w, const struct yg_dns_route *route,
		      const struct yg_dns_entry *e)
{
	if ((e->flags & YG_DNS_ENTRY_FAILURE) != 0) {
		w->servers_missing = false; /* the name alone decides, for as long as it fails */
		if (is_bogus(e->ede) || !end_stage(w, true))
			end(w, YG_DNS_SAYS_FAILED, YG_DNS_FROM_FAILURE);
		return;
	}
	use_links(w, e);
	if (w->ended || (e->flags & YG_DNS_ENTRY_CUT) != 0)
		return;
	if (guarded(w, route, e))
		end(w, YG_DNS_SAYS_BLOCKED, YG_DNS_FROM_GUARD);
	else
		end(w, YG_DNS_SAYS_ANSWERED,
		    w->now_s < e->expires ? YG_DNS_FROM_CACHE : YG_DNS_FROM_STALE);
}

/* False: the local zone does not have the name. */
static bool use_local(struct walk *w, const struct yg_dns_route *route, bool first)
{
	struct yg_dns_name target;
	struct yg_dns_local_rr rr;
	size_t at = 0;
	enum yg_dns_local found =
		yg_dns_zones_local(w->c->zones, route, &w->name, w->ask->type, &rr);
	if (first)
		w->out->local = found;
	if (found == YG_DNS_LOCAL_NONE)
		return false;
	if (found == YG_DNS_LOCAL_CNAME && yg_dns_zones_next(w->c->zones, &rr) &&
	    yg_dns_name_read_plain((const uint8_t *)rr.rdata.p, rr.rdata.n, &at, &target) == YG_OK)
		move(w, &target);
	else
		end(w, YG_DNS_SAYS_ANSWERED, YG_DNS_FROM_LOCAL);
	return true;
}

static void step(struct walk *w, bool first)
{
	const struct yg_dns_explain_ask *ask = w->ask;
	uint32_t org = ask->client->org;
	const struct yg_dns_route *route = yg_dns_zones_find(w->c->zones, org, &w->name);
	if (route != NULL &&
	    (route->kind == YG_DNS_ZONE_LOCAL || route->kind == YG_DNS_ZONE_OVERLAY)) {
		if (use_local(w, route, first))
			return;
		route = yg_dns_zones_behind(w->c->zones, org, &w->name);
	}
	if (route == NULL || route->kind != YG_DNS_ZONE_SET) {
		end(w, YG_DNS_SAYS_REFUSED, YG_DNS_FROM_NONE);
		return;
	}
	open_stage(w);
	if (w->open && yg_dns_eval_needs(&w->out->eval) == 0 &&
	    (!ask->dnssec_ok || w->c->opts.break_dnssec) && end_stage(w, false))
		return;
	const struct yg_dns_entry *e =
		peek(w, route, &w->name, ask->type,
		     (uint8_t)((ask->dnssec_ok ? YG_DNS_KEY_DO : 0) |
			       (ask->checking_disabled ? YG_DNS_KEY_CD : 0)));
	if (e != NULL) {
		use_entry(w, route, e);
		return;
	}
	/* not known here: what the name alone says, for as long as nothing else comes */
	bool passed = w->out->decided;
	w->servers_missing = true;
	if (end_stage(w, false)) { /* for DO the answer is asked for: a signed one is left alone */
		w->out->unknown |= ask->dnssec_ok && !w->c->opts.break_dnssec;
		return;
	}
	w->out->unknown |= !passed && !w->out->decided && w->c->policy != NULL;
	end(w, YG_DNS_SAYS_ANSWERED, YG_DNS_FROM_UPSTREAM);
}

static void finish(struct walk *w)
{
	struct yg_dns_explained *o = w->out;
	if (!w->ended)
		end(w, YG_DNS_SAYS_FAILED, YG_DNS_FROM_FAILURE); /* the chain does not end */
	if (o->says != YG_DNS_SAYS_ANSWERED)
		return;
	if (o->decided && !o->set_aside)
		o->says = YG_DNS_SAYS_ALLOWED;
	else if (o->set_aside || w->noted)
		o->says = YG_DNS_SAYS_NOTED;
}

void yg_dns_explain(struct yg_dns_core *c, const struct yg_dns_explain_ask *ask, yg_mono now,
		    struct yg_dns_explained *out)
{
	struct walk w = {.c = c,
			 .ask = ask,
			 .out = out,
			 .now_s = (uint32_t)(now.us / YG_US_PER_S) + 1,
			 .judging = c->policy != NULL,
			 .name = *ask->name};
	memset(out, 0, sizeof *out);
	out->chain[out->chain_n++] = *ask->name;
	out->generation = c->policy != NULL ? yg_dns_policy_info(c->policy).generation : 0;
	yg_dns_core_known(c, ask->client->org, ask->name, ask->type, ask->dnssec_ok,
			  ask->checking_disabled, now, &out->known);
	if (ask->client->refused || c->zones == NULL) {
		end(&w, YG_DNS_SAYS_REFUSED, YG_DNS_FROM_NONE);
		return;
	}
	if (w.judging)
		yg_dns_eval_begin(&out->eval, c->policy, ask->client->view, ask->client->ip);
	for (unsigned i = 0; i < YG_DNS_CHAIN_MAX && !w.ended; i++)
		step(&w, i == 0);
	finish(&w);
}
