#include "dns/xfr_out.h"

#define SOME_MAX ((size_t)64 << 20) /* the records of one key, and a few more */

void yg_dns_xfr_out_begin(struct yg_dns_xfr_out *x, const struct yg_dns_export *zone,
			  enum yg_dns_xfr_way way, struct yg_sv delta)
{
	*x = (struct yg_dns_xfr_out){.zone = *zone, .delta = delta, .way = way};
	yg_buf_init(&x->some, SOME_MAX);
	if (way == YG_DNS_XFR_OUT_FULL) /* begins with its NS; the SOA is put by itself */
		yg_dns_export_top(zone, true, 0, &x->some);
}

void yg_dns_xfr_out_end(struct yg_dns_xfr_out *x)
{
	yg_buf_free(&x->some);
	*x = (struct yg_dns_xfr_out){.phase = 3};
}

static bool put(struct yg_dns_wr *w, const struct yg_zone_rr *rr)
{
	return yg_dns_wr_rr(w, YG_DNS_ANSWER, rr->owner, rr->type, rr->cls, rr->ttl, rr->rdata);
}

static bool put_soa(struct yg_dns_xfr_out *x, struct yg_dns_wr *w)
{
	YG_AUTO(yg_buf_free) struct yg_buf one = {0};
	struct yg_dns_name owner;
	struct yg_zone_rr rr;
	uint8_t mark;
	yg_buf_init(&one, 4096);
	yg_dns_export_top(&x->zone, false, 0, &one);
	struct yg_sv rest = yg_buf_sv(&one);
	return yg_dns_record_unpack(&rest, x->zone.origin, &mark, &owner, &rr) && put(w, &rr);
}

/* What is packed from x->at on; fills it up again when it is used up. */
static struct yg_sv packed(struct yg_dns_xfr_out *x)
{
	struct yg_sv all = x->way == YG_DNS_XFR_OUT_DELTA ? x->delta : yg_buf_sv(&x->some);
	if (x->way == YG_DNS_XFR_OUT_FULL && x->at == all.n) {
		x->some.n = x->at = 0;
		(void)yg_dns_export_next(&x->zone, &x->keys, &x->some, NULL);
		all = yg_buf_sv(&x->some);
	}
	return yg_sv_sub(all, x->at, all.n);
}

/* Records until the message is full (false) or there are no more. */
static bool put_rest(struct yg_dns_xfr_out *x, struct yg_dns_wr *w)
{
	struct yg_dns_name owner;
	struct yg_zone_rr rr;
	uint8_t mark;
	for (;;) {
		struct yg_sv from = packed(x), rest = from;
		if (!yg_dns_record_unpack(&rest, x->zone.origin, &mark, &owner, &rr))
			return true;
		bool again = x->way == YG_DNS_XFR_OUT_FULL && rr.type == YG_DNS_SOA;
		if (!again && !put(w, &rr) && w->full)
			return false;
		x->at += from.n - rest.n;
	}
}

size_t yg_dns_xfr_out_next(struct yg_dns_xfr_out *x, uint16_t id, uint16_t type, uint8_t *p,
			   size_t cap)
{
	struct yg_dns_wr w;
	if (x->phase == 3)
		return 0;
	yg_dns_wr_begin(&w, p, cap, id, YG_DNS_QR | YG_DNS_AA);
	if (!x->has_question)
		yg_dns_wr_question(&w, x->zone.origin, type, YG_DNS_IN);
	x->has_question = true;
	if (x->phase == 0) {
		(void)put_soa(x, &w);
		x->phase = x->way == YG_DNS_XFR_OUT_SOA ? 3 : 1;
	}
	if (x->phase == 1 && put_rest(x, &w))
		x->phase = 2;
	if (x->some.bad)
		return 0;
	if (x->phase == 2 && put_soa(x, &w))
		x->phase = 3;
	return w.n;
}
