#include "dns/xfr_out.h"

void yg_dns_xfr_out_begin(struct yg_dns_xfr_out *x, const struct yg_dns_records *zone,
			  enum yg_dns_xfr_way way, struct yg_sv delta)
{
	*x = (struct yg_dns_xfr_out){.zone = zone, .delta = delta, .way = way};
}

static bool put(struct yg_dns_wr *w, const struct yg_zone_rr *rr)
{
	return yg_dns_wr_rr(w, YG_DNS_ANSWER, rr->owner, rr->type, rr->cls, rr->ttl, rr->rdata);
}

static bool put_soa(const struct yg_dns_xfr_out *x, struct yg_dns_wr *w)
{
	struct yg_dns_name owner;
	struct yg_zone_rr rr;
	return yg_dns_records_soa(x->zone, &owner, &rr) && put(w, &rr);
}

/* Records until the message is full (false) or there are no more. */
static bool put_rest(struct yg_dns_xfr_out *x, struct yg_dns_wr *w)
{
	const struct yg_dns_name *origin = yg_dns_records_origin(x->zone);
	struct yg_dns_name owner;
	struct yg_zone_rr rr;
	uint8_t mark;
	for (;;) {
		size_t before = x->at;
		struct yg_sv rest = yg_sv_sub(x->delta, before, x->delta.n);
		bool more = x->way == YG_DNS_XFR_OUT_DELTA
				    ? yg_dns_record_unpack(&rest, origin, &mark, &owner, &rr)
				    : yg_dns_records_next(x->zone, &x->at, &owner, &rr);
		if (!more)
			return true;
		if (x->way == YG_DNS_XFR_OUT_DELTA)
			x->at = x->delta.n - rest.n;
		else if (rr.type == YG_DNS_SOA)
			continue;
		if (!put(w, &rr) && w->full) {
			x->at = before;
			return false;
		}
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
		yg_dns_wr_question(&w, yg_dns_records_origin(x->zone), type, YG_DNS_IN);
	x->has_question = true;
	if (x->phase == 0) {
		(void)put_soa(x, &w);
		x->phase = x->way == YG_DNS_XFR_OUT_SOA ? 3 : 1;
	}
	if (x->phase == 1 && put_rest(x, &w))
		x->phase = 2;
	if (x->phase == 2 && put_soa(x, &w))
		x->phase = 3;
	return w.n;
}
