/* What the policy says about the names of an entry, and answers under way; see core_internal.h. */
#include "dns/core_internal.h"

static const struct yg_sv no_text = {"", 0};

enum yg_dns_result yg_dns_run_fail(struct yg_dns_core *c, struct run *r, uint16_t ede)
{
	c->counts.failures++;
	r->source = YG_DNS_FROM_FAILURE;
	r->ede = ede;
	r->ede_text = no_text;
	return yg_dns_reply_plain(c, r, YG_DNS_RCODE_SERVFAIL);
}

/* ---- building ---- */

void yg_dns_run_build(struct yg_dns_core *c, struct run *r)
{
	if (r->built)
		return;
	r->built = true;
	yg_dns_wr_begin(&c->w, c->out, sizeof c->out, r->q->id, YG_DNS_QR | YG_DNS_RA);
	yg_dns_wr_question(&c->w, &r->q->name, r->q->type, YG_DNS_IN);
}

void yg_dns_run_entry_out(struct yg_dns_core *c, struct run *r, const struct yg_dns_entry *e,
			  unsigned links, bool all, bool stale)
{
	struct yg_dns_name owner;
	struct yg_dns_msg m;
	struct yg_dns_rr rr;
	if (yg_dns_msg_read(e->msg, e->msg_n, &m) != YG_OK)
		return;
	yg_dns_run_build(c, r);
	r->secure &= (e->flags & YG_DNS_ENTRY_SECURE) != 0;
	uint32_t age = c->now_s > e->stored ? c->now_s - e->stored : 0;
	unsigned seen = 0;
	struct yg_dns_iter it = yg_dns_records(&m);
	while (yg_dns_rr_next(&it, &rr)) {
		uint32_t ttl = rr.ttl > age ? rr.ttl - age : 0;
		if (!all &&
		    (rr.section != YG_DNS_ANSWER || (seen >= links && rr.type != YG_DNS_RRSIG)))
			break; /* a signature follows what it is about */
		seen += rr.type == YG_DNS_CNAME;
		if (rr.section >= c->w.section && yg_dns_rr_owner(&m, &rr, &owner) == YG_OK)
			(void)yg_dns_wr_copy(&c->w, rr.section, &owner, &m, &rr,
					     stale ? c->cache.opts.stale_ttl : ttl);
	}
}

void yg_dns_run_cname(struct yg_dns_core *c, struct run *r, const struct yg_dns_name *target,
		      uint32_t ttl)
{
	yg_dns_run_build(c, r);
	(void)yg_dns_wr_rr(&c->w, YG_DNS_ANSWER, &r->name, YG_DNS_CNAME, YG_DNS_IN, ttl,
			   yg_dns_name_from(target, 0));
}

/* ---- policy ---- */

static enum yg_dns_result apply_data(struct yg_dns_core *c, struct run *r)
{
	struct yg_dns_rrset set;
	if (!yg_dns_rrset_find(c->verdict->data, r->q->type, &set))
		return yg_dns_reply_policy(c, r, YG_DNS_RCODE_NOERROR, no_text, 0);
	return yg_dns_reply_policy(c, r, YG_DNS_RCODE_NOERROR, set.rrs, set.count);
}

/* The policy's CNAME: the query goes on at its target, which is not judged. */
static unsigned apply_cname(struct yg_dns_core *c, struct run *r)
{
	struct yg_dns_name target, whole;
	size_t at = 0;
	const struct yg_sv t = c->verdict->target;
	if (yg_dns_name_read_plain((const uint8_t *)t.p, t.n, &at, &target) != YG_OK)
		return yg_dns_run_fail(c, r, YG_DNS_EDE_OTHER);
	if (c->verdict->target_wild) {
		if (yg_dns_name_join(&r->name, 0, &target, &whole) != YG_OK)
			return yg_dns_reply_plain(c, r, YG_DNS_RCODE_YXDOMAIN);
		target = whole;
	}
	yg_dns_run_cname(c, r, &target, c->verdict->ttl);
	r->secure = false;
	if (r->q->type == YG_DNS_CNAME)
		return yg_dns_reply_built(c, r, YG_DNS_RCODE_NOERROR);
	r->name = target;
	return GO_ON;
}

/* The verdict on c->eval, which has one. */
static const struct yg_dns_verdict *verdict_of(struct yg_dns_core *c, const struct run *r)
{
	const struct yg_dns_hit *h = &c->eval.best;
	struct ready *k =
		&c->ready[(h->rule ^ h->rule >> 6 ^ h->zone * 7u ^ r->client->view * 13u) %
			  VERDICTS];
	if (k->generation == c->generation && k->rule == h->rule && k->zone == h->zone &&
	    k->view == r->client->view && k->trigger == h->trigger) {
		k->v.hit = *h;
		return &k->v;
	}
	yg_dns_eval_verdict(&c->eval, &k->v);
	k->generation = c->generation;
	k->view = r->client->view;
	k->rule = h->rule;
	k->zone = h->zone;
	k->trigger = h->trigger;
	return &k->v;
}

/* A record has decided at r->name.  GO_ON: the truth (PASSTHRU and its like), or
 * *out_moved: r->name is another now. */
static unsigned apply(struct yg_dns_core *c, struct run *r, bool *out_moved)
{
	const struct yg_dns_verdict *v = c->verdict = verdict_of(c, r);
	r->judging = false;
	r->evaluated = true;
	r->action = (uint8_t)v->action;
	*out_moved = false;
	if (v->action == YG_DNS_ACTION_NONE || v->action == YG_DNS_ACTION_PASSTHRU)
		return GO_ON;
	if (r->client->audit)
		return GO_ON;
	if (v->action == YG_DNS_ACTION_TCP_ONLY && r->transport != YG_DNS_UDP)
		return GO_ON;
	c->counts.blocked++;
	if (r->links_of != NULL)
		yg_dns_run_entry_out(c, r, r->links_of, r->links, false, r->links_stale);
	r->source = YG_DNS_FROM_POLICY;
	r->secure = false;
	if (v->zone.ede_code != 0) {
		r->ede = v->zone.ede_code;
		r->ede_text = v->zone.ede_text;
	}
	switch (v->action) {
	case YG_DNS_ACTION_NXDOMAIN:
		return yg_dns_reply_policy(c, r, YG_DNS_RCODE_NXDOMAIN, no_text, 0);
	case YG_DNS_ACTION_NODATA:
		return yg_dns_reply_policy(c, r, YG_DNS_RCODE_NOERROR, no_text, 0);
	case YG_DNS_ACTION_DROP: return yg_dns_reply_drop(c, r);
	case YG_DNS_ACTION_TCP_ONLY: return yg_dns_reply_truncated(c, r, YG_DNS_RCODE_NOERROR);
	case YG_DNS_ACTION_DATA: return apply_data(c, r);
	default: *out_moved = true; return apply_cname(c, r);
	}
}

unsigned yg_dns_judge_end(struct yg_dns_core *c, struct run *r, bool *out_moved)
{
	*out_moved = false;
	if (!r->stage_open)
		return GO_ON;
	r->stage_open = false;
	bool decided = yg_dns_eval_stage_end(&c->eval);
	r->evaluated |= c->eval.note_count > 0;
	return decided ? apply(c, r, out_moved) : GO_ON;
}

void yg_dns_judge_open(struct yg_dns_core *c, struct run *r, bool first)
{
	if (r->judging) {
		yg_dns_eval_name(&c->eval, &r->name, first ? r->probe : NULL);
		r->stage_open = true;
	}
}

/* What the answer tells about the stage: addresses of r->name, its servers. */
static unsigned learn(struct yg_dns_core *c, struct run *r, const struct yg_dns_entry *e,
		      bool final)
{
	enum yg_dns_result result;
	unsigned needs = yg_dns_eval_needs(&c->eval);
	if ((needs & YG_DNS_NEEDS_ADDRESSES) != 0 && final) {
		struct yg_dns_msg m;
		struct yg_dns_rr rr;
		struct yg_ip ip;
		if (yg_dns_msg_read(e->msg, e->msg_n, &m) != YG_OK)
			return yg_dns_run_fail(c, r, YG_DNS_EDE_OTHER);
		struct yg_dns_iter it = yg_dns_records(&m);
		while (yg_dns_rr_next(&it, &rr) && rr.section == YG_DNS_ANSWER)
			if (yg_dns_rr_ip(&m, &rr, ip.b))
				yg_dns_eval_address(&c->eval, ip);
		needs = yg_dns_eval_needs(&c->eval);
	}
	needs &= YG_DNS_NEEDS_SERVERS | YG_DNS_NEEDS_SERVER_ADDRESSES;
	if (needs != 0 && !yg_dns_run_servers(c, r, needs, &result))
		return result;
	return GO_ON;
}

bool yg_dns_judge_signed(const struct yg_dns_msg *m, const struct yg_dns_name *name)
{
	struct yg_dns_name owner;
	struct yg_dns_rr rr;
	bool data = false, denial = false;
	struct yg_dns_iter it = yg_dns_records(m);
	while (yg_dns_rr_next(&it, &rr)) {
		bool sig = rr.type == YG_DNS_RRSIG;
		if (rr.section == YG_DNS_AUTHORITY) {
			denial |= sig;
		} else if (rr.section == YG_DNS_ANSWER && (sig || !data) &&
			   yg_dns_rr_owner(m, &rr, &owner) == YG_OK &&
			   yg_dns_name_eq(&owner, name)) {
			if (sig)
				return true;
			data = true;
		}
	}
	return !data && denial;
}

/* Signed data is left alone for who asks for signatures: not judged. */
static bool skip(const struct yg_dns_core *c, struct run *r, const struct yg_dns_entry *e,
		 const struct yg_dns_msg *m)
{
	if (!r->stage_open || !r->q->dnssec_ok || c->opts.break_dnssec ||
	    (e->flags & YG_DNS_ENTRY_SIGNED) == 0 || !yg_dns_judge_signed(m, &r->name))
		return false;
	r->stage_open = false;
	return true;
}

unsigned yg_dns_judge_links(struct yg_dns_core *c, struct run *r, const struct yg_dns_entry *e,
			    bool stale, bool *out_moved)
{
	struct yg_dns_name target;
	struct yg_dns_msg m;
	struct yg_dns_rr rr;
	*out_moved = false;
	if (yg_dns_msg_read(e->msg, e->msg_n, &m) != YG_OK)
		return yg_dns_run_fail(c, r, YG_DNS_EDE_OTHER);
	struct yg_dns_iter it = yg_dns_records(&m);
	for (unsigned link = 0; r->judging; link++) {
		bool final = link >= e->chain;
		if (skip(c, r, e, &m))
			yg_dns_eval_skip(&c->eval);
		unsigned result = r->stage_open ? learn(c, r, e, final) : GO_ON;
		if (result != GO_ON)
			return result;
		r->links = link; /* what leads here stays in front of what the policy says */
		r->links_stale = stale;
		r->links_of = link > 0 ? e : NULL;
		result = yg_dns_judge_end(c, r, out_moved);
		r->links_of = NULL;
		if (result != GO_ON || *out_moved || final)
			return result;
		do {
			if (!yg_dns_rr_next(&it, &rr))
				return GO_ON;
		} while (rr.type != YG_DNS_CNAME);
		if (yg_dns_rr_name(&m, &rr, 0, &target) != YG_OK)
			return yg_dns_run_fail(c, r, YG_DNS_EDE_OTHER);
		r->name = target;
		if (link + 1 == e->chain && (e->flags & YG_DNS_ENTRY_CUT) != 0)
			return GO_ON; /* the next step begins with this name */
		yg_dns_judge_open(c, r, false);
	}
	return GO_ON;
}
