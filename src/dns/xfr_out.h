/* xfr_out.h - a zone of ours as its server gives it away: message after message.  Pure. */
#pragma once
#include "dns/export.h"

enum yg_dns_xfr_way {
	YG_DNS_XFR_OUT_SOA,   /* the SOA alone: nothing is newer, or "come by TCP" */
	YG_DNS_XFR_OUT_FULL,  /* all records */
	YG_DNS_XFR_OUT_DELTA, /* packed records as of yg_dns_export_diff(), one after another */
};
struct yg_dns_xfr_out {
	struct yg_dns_export zone; /* what it borrows stays borrowed, as delta */
	struct yg_sv delta;
	enum yg_dns_xfr_way way;
	unsigned phase;               /* 0: the first SOA, 1: the rest, 2: the last SOA, 3: ended */
	struct yg_dns_export_at keys; /* of a whole zone: how far it is */
	struct yg_buf some;           /* owned: packed records from there */
	size_t at;                    /* in delta or some */
	bool has_question;            /* told in the first message */
};
void yg_dns_xfr_out_begin(struct yg_dns_xfr_out *x, const struct yg_dns_export *zone,
			  enum yg_dns_xfr_way way, struct yg_sv delta);
void yg_dns_xfr_out_end(struct yg_dns_xfr_out *x); /* one that was never begun, zeroed, too */
/* The next message into p; its length, 0 when all are out, or memory is: then some.bad,
 * and what was sent is no whole zone.  type: of the question. */
size_t yg_dns_xfr_out_next(struct yg_dns_xfr_out *x, uint16_t id, uint16_t type, uint8_t *p,
			   size_t cap);
