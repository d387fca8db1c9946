/* xfr_out.h - a zone transfer as its server sees it: message after message.  Pure. */
#pragma once
#include "dns/records.h"

enum yg_dns_xfr_way {
	YG_DNS_XFR_OUT_SOA,   /* the SOA alone: nothing is newer, or "come by TCP" */
	YG_DNS_XFR_OUT_FULL,  /* all records */
	YG_DNS_XFR_OUT_DELTA, /* packed records as of yg_dns_export_diff(), one after another */
};
struct yg_dns_xfr_out {
	const struct yg_dns_records *zone; /* borrowed, as delta */
	struct yg_sv delta;
	enum yg_dns_xfr_way way;
	unsigned phase; /* 0: the first SOA, 1: the rest, 2: the last SOA, 3: ended */
	size_t at;
	bool has_question; /* told in the first message */
};
void yg_dns_xfr_out_begin(struct yg_dns_xfr_out *x, const struct yg_dns_records *zone,
			  enum yg_dns_xfr_way way, struct yg_sv delta);
/* The next message into p; its length, 0 when all are out.  type: of the question. */
size_t yg_dns_xfr_out_next(struct yg_dns_xfr_out *x, uint16_t id, uint16_t type, uint8_t *p,
			   size_t cap);
