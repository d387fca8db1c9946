/* The end of a query: its answer's bytes and its event. */
#include "dns/cookie.h"
#include "dns/core_internal.h"

#define OPT_BYTES 11u
#define EDE_BYTES 6u

/* ---- OPT ---- */

static size_t opt_room(const struct yg_dns_core *c, const struct run *r)
{
	if (!r->q->edns)
		return 0;
	size_t n = OPT_BYTES;
	if (c->cookies && r->q->cookie.n >= 8)
		n += 4 + YG_DNS_COOKIE_BYTES;
	return r->ede != YG_DNS_EDE_NONE ? n + EDE_BYTES : n;
}

static size_t put_cookie(struct yg_dns_core *c, const struct run *r, uint8_t *p)
{
	const uint8_t *cookie = (const uint8_t *)r->q->cookie.p;
	if (yg_dns_cookie_check(r->q->cookie, c->opts.cookie_key, r->client->ip, c->wall))
		c->counts.cookies_good++;
	else if (r->q->cookie.n > 8)
		c->counts.cookies_bad++;
	yg_dns_put16(p, YG_DNS_OPT_COOKIE);
	yg_dns_put16(p + 2, YG_DNS_COOKIE_BYTES);
	yg_dns_cookie_make(p + 4, cookie, c->opts.cookie_key, r->client->ip, c->wall);
	return 4 + YG_DNS_COOKIE_BYTES;
}

static size_t put_ede(const struct run *r, uint8_t *p, size_t room)
{
	size_t n = YG_MIN(r->ede_text.n, room - EDE_BYTES);
	while (n < r->ede_text.n && n > 0 && ((uint8_t)r->ede_text.p[n] & 0xc0u) == 0x80)
		n--;
	yg_dns_put16(p, YG_DNS_OPT_EDE);
	yg_dns_put16(p + 2, (unsigned)n + 2);
	yg_dns_put16(p + 4, r->ede);
	if (n > 0)
		memcpy(p + 6, r->ede_text.p, n);
	return EDE_BYTES + n;
}

/* Appends OPT to the n bytes in r->out; opt_room() bytes are there. */
static size_t put_opt(struct yg_dns_core *c, const struct run *r, size_t n, unsigned rcode)
{
	if (!r->q->edns)
		return n;
	uint8_t *opt = r->out + n;
	memset(opt, 0, OPT_BYTES);
	opt[2] = YG_DNS_OPT;
	yg_dns_put16(opt + 3, c->opts.udp_max);
	opt[5] = (uint8_t)(rcode >> 4);
	opt[7] = r->q->dnssec_ok ? 0x80 : 0;
	n += OPT_BYTES;
	if (c->cookies && r->q->cookie.n >= 8)
		n += put_cookie(c, r, r->out + n);
	if (r->ede != YG_DNS_EDE_NONE)
		n += put_ede(r, r->out + n, r->out_cap - n);
	bool hidden = r->transport == YG_DNS_DOT || r->transport == YG_DNS_DOH;
	if (hidden && r->q->wants_padding && r->out_cap - n >= 4) { /* RFC 8467 */
		size_t block = c->opts.padding, pad = (block - (n + 4) % block) % block;
		pad = YG_MIN(pad, r->out_cap - n - 4);
		memset(r->out + n, 0, 4 + pad);
		yg_dns_put16(r->out + n, YG_DNS_OPT_PADDING);
		yg_dns_put16(r->out + n + 2, (unsigned)pad);
		n += 4 + pad;
	}
	yg_dns_put16(opt + 9, (unsigned)(n - (size_t)(opt - r->out) - OPT_BYTES));
	uint8_t *count = r->out + 10;
	yg_dns_put16(count, yg_dns_get16(count) + 1u);
	return n;
}

/* ---- the rest of every answer ---- */

static uint16_t header_flags(const struct run *r, unsigned rcode, bool secure)
{
	unsigned f = YG_DNS_QR | YG_DNS_RA | (rcode & 0xfu);
	f |= r->q->flags & (YG_DNS_RD | YG_DNS_CD | YG_DNS_OPCODE);
	if (secure && (r->q->dnssec_ok || (r->q->flags & YG_DNS_AD) != 0))
		f |= YG_DNS_AD;
	return (uint16_t)f;
}

static enum yg_dns_result end(struct yg_dns_core *c, struct run *r, size_t n, unsigned rcode)
{
	r->out_n = n;
	c->counts.noted += r->client->audit && r->action > YG_DNS_ACTION_PASSTHRU;
	if (c->opts.ops.event == NULL)
		return n > 0 ? YG_DNS_ANSWERED : YG_DNS_DROPPED;
	const struct yg_dns_event ev = {
		.client = r->client,
		.peer = r->peer,
		.query = r->q,
		.answer = r->out,
		.answer_n = n,
		.transport = r->transport,
		.source = r->source,
		.action = r->action,
		.rcode = (uint16_t)rcode,
		.ede = r->ede,
		.set = r->set,
		.took_us = c->now.us - r->started.us,
		.now = c->now,
		.eval = r->evaluated ? &c->eval : NULL,
		.verdict = r->evaluated && r->action != YG_DNS_ACTION_NONE ? c->verdict : NULL,
	};
	c->opts.ops.event(c->opts.ops.ctx, &ev);
	return n > 0 ? YG_DNS_ANSWERED : YG_DNS_DROPPED;
}

/* Header and question into r->out: where what follows begins. */
static size_t put_front(const struct run *r, uint16_t flags)
{
	size_t n = r->q->has_question ? r->q->question_n : 0;
	yg_dns_put16(r->out, r->q->id);
	yg_dns_put16(r->out + 2, flags);
	memset(r->out + 4, 0, 8);
	r->out[5] = n > 0;
	if (n > 0)
		memcpy(r->out + YG_DNS_HEADER, r->question, n);
	return YG_DNS_HEADER + n;
}

enum yg_dns_result yg_dns_reply_plain(struct yg_dns_core *c, struct run *r, unsigned rcode)
{
	size_t n = put_front(r, header_flags(r, rcode, false));
	if (rcode > 15 && !r->q->edns)
		r->out[3] = (uint8_t)((r->out[3] & 0xf0u) | YG_DNS_RCODE_SERVFAIL);
	return end(c, r, put_opt(c, r, n, rcode), rcode);
}

enum yg_dns_result yg_dns_reply_truncated(struct yg_dns_core *c, struct run *r, unsigned rcode)
{
	c->counts.truncated++;
	size_t n = put_front(r, (uint16_t)(header_flags(r, rcode, false) | YG_DNS_TC));
	return end(c, r, put_opt(c, r, n, rcode), rcode);
}

enum yg_dns_result yg_dns_reply_drop(struct yg_dns_core *c, struct run *r)
{
	c->counts.dropped++;
	return end(c, r, 0, 0);
}

static void count_source(struct yg_dns_core *c, const struct run *r)
{
	if (r->source == YG_DNS_FROM_CACHE)
		c->counts.hits++;
	else if (r->source == YG_DNS_FROM_STALE)
		c->counts.stale++;
}

/* ---- an entry as it is ---- */

static void age_ttls(const struct yg_dns_core *c, const struct yg_dns_entry *e, uint8_t *out,
		     size_t n, bool stale)
{
	const uint16_t *at = yg_dns_entry_ttls(e);
	uint32_t age = c->now_s > e->stored ? c->now_s - e->stored : 0;
	for (unsigned i = 0; i < e->ttl_count && (size_t)at[i] + 4 <= n; i++) {
		uint32_t ttl = yg_dns_get32(out + at[i]);
		ttl = stale ? c->cache.opts.stale_ttl : ttl > age ? ttl - age : 0;
		yg_dns_put32(out + at[i], ttl);
	}
}

enum yg_dns_result yg_dns_reply_entry(struct yg_dns_core *c, struct run *r,
				      const struct yg_dns_entry *e, bool stale)
{
	if (stale)
		r->ede = e->rcode == YG_DNS_RCODE_NXDOMAIN ? YG_DNS_EDE_STALE_NXDOMAIN
							   : YG_DNS_EDE_STALE;
	count_source(c, r);
	size_t n = e->msg_n, opt = opt_room(c, r);
	bool cut = n + opt > r->out_cap;
	if (cut) { /* what stands behind a whole answer may be left out */
		if ((e->flags & YG_DNS_ENTRY_NEGATIVE) != 0 || e->answer_end + opt > r->out_cap)
			return yg_dns_reply_truncated(c, r, e->rcode);
		n = e->answer_end;
	}
	uint8_t *out = r->out;
	memcpy(out, e->msg, n);
	yg_dns_put16(out, r->q->id);
	bool secure = (e->flags & YG_DNS_ENTRY_SECURE) != 0;
	yg_dns_put16(out + 2, header_flags(r, e->rcode, secure));
	memcpy(out + YG_DNS_HEADER, r->question, r->q->question_n);
	if (cut)
		memset(out + 8, 0, 4);
	if (stale || c->now_s > e->stored)
		age_ttls(c, e, out, n, stale);
	return end(c, r, put_opt(c, r, n, e->rcode), e->rcode);
}

/* ---- what was built ---- */

enum yg_dns_result yg_dns_reply_built(struct yg_dns_core *c, struct run *r, unsigned rcode)
{
	if (r->source == YG_DNS_FROM_STALE && r->ede == YG_DNS_EDE_NONE)
		r->ede = YG_DNS_EDE_STALE;
	count_source(c, r);
	if (c->w.full || c->w.n + opt_room(c, r) > r->out_cap)
		return yg_dns_reply_truncated(c, r, rcode);
	memcpy(r->out, c->out, c->w.n);
	yg_dns_put16(r->out + 2, header_flags(r, rcode, r->secure));
	memcpy(r->out + YG_DNS_HEADER, r->question, r->q->question_n);
	return end(c, r, put_opt(c, r, c->w.n, rcode), rcode);
}

/* ---- what a policy says ---- */

/* Records as a policy keeps them: type, class, TTL, length, data. */
static bool rr_take(struct yg_sv *rrs, struct yg_sv *rr)
{
	if (rrs->n < 10 || rrs->n - 10 < yg_dns_get16((const uint8_t *)rrs->p + 8))
		return false;
	*rr = (struct yg_sv){rrs->p, 10u + yg_dns_get16((const uint8_t *)rrs->p + 8)};
	*rrs = (struct yg_sv){rrs->p + rr->n, rrs->n - rr->n};
	return true;
}

static void build_rr(struct yg_dns_core *c, unsigned section, const struct yg_dns_name *owner,
		     struct yg_sv rr)
{
	const uint8_t *p = (const uint8_t *)rr.p;
	(void)yg_dns_wr_rr(&c->w, section, owner, yg_dns_get16(p), yg_dns_get16(p + 2),
			   yg_dns_get32(p + 4), (struct yg_sv){rr.p + 10, rr.n - 10});
}

static enum yg_dns_result policy_built(struct yg_dns_core *c, struct run *r, unsigned rcode,
				       struct yg_sv rrs)
{
	struct yg_sv rr, soa = c->verdict->zone.soa;
	struct yg_dns_name origin;
	size_t at = 0;
	while (rr_take(&rrs, &rr))
		build_rr(c, YG_DNS_ANSWER, &r->name, rr);
	if (yg_dns_name_read_plain((const uint8_t *)c->verdict->zone.origin.p,
				   c->verdict->zone.origin.n, &at, &origin) == YG_OK &&
	    rr_take(&soa, &rr))
		build_rr(c, YG_DNS_ADDITIONAL, &origin, rr);
	return yg_dns_reply_built(c, r, rcode);
}

enum yg_dns_result yg_dns_reply_policy(struct yg_dns_core *c, struct run *r, unsigned rcode,
				       struct yg_sv rrs, unsigned count)
{
	if (r->built)
		return policy_built(c, r, rcode, rrs);
	struct yg_sv rr, soa = c->verdict->zone.soa, origin = c->verdict->zone.origin;
	size_t opt = opt_room(c, r);
	size_t n = put_front(r, header_flags(r, rcode, false));
	if (n + opt + rrs.n + 2 * (size_t)count > r->out_cap)
		return yg_dns_reply_truncated(c, r, rcode);
	unsigned put = 0;
	for (; rr_take(&rrs, &rr); put++) {
		yg_dns_put16(r->out + n, 0xc000u | YG_DNS_HEADER);
		memcpy(r->out + n + 2, rr.p, rr.n);
		n += 2 + rr.n;
	}
	yg_dns_put16(r->out + 6, put);
	if (soa.n > 0 && n + opt + origin.n + soa.n <= r->out_cap) {
		memcpy(r->out + n, origin.p, origin.n);
		memcpy(r->out + n + origin.n, soa.p, soa.n);
		n += origin.n + soa.n;
		r->out[11] = 1;
	}
	return end(c, r, put_opt(c, r, n, rcode), rcode);
}
