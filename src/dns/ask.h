/* ask.h - the bytes of a question to an upstream, and whether an answer is one to it.
 *
 * Pure.  Against forged answers: random id, random letter case (0x20) and, by the
 * socket layer, random port; all must come back.
 */
#pragma once
#include "format/dns.h"

#define YG_DNS_ASK_MAX 320 /* octets of a question */

struct yg_dns_ask { /* what was sent; kept until the answer is in */
	uint16_t id;
	uint16_t n;          /* octets of msg */
	uint16_t question_n; /* from 12 on */
	bool same_case;      /* the answer must have our letter case */
	bool authoritative;  /* it must have AA */
	uint8_t msg[YG_DNS_ASK_MAX];
};
struct yg_dns_ask_opts {
	bool dnssec_ok, checking_disabled;
	bool same_case;     /* ask with mixed case and want it back (0x20) */
	bool no_edns;       /* for servers that cannot: no DO, no large answers by UDP */
	bool authoritative; /* RD=0, and the answer must have AA */
};
/* Builds the question.  random: 8 bytes of the system's: id and case. */
void yg_dns_ask_build(struct yg_dns_ask *a, const struct yg_dns_name *name, uint16_t type,
		      const struct yg_dns_ask_opts *o, uint64_t random);

enum yg_dns_match {
	YG_DNS_MATCH = 1, /* the answer: give it to the core */
	YG_DNS_MISMATCH,  /* not an answer to this question (id, question, case, not an
			     * answer at all): go on waiting, count it */
	YG_DNS_MATCH_CASE, /* all but the case: go on waiting; ask again over TCP, where case is not needed */
	YG_DNS_TRUNCATED, /* TC: ask over TCP */
	YG_DNS_LAME,    /* SERVFAIL, REFUSED, a referral, no AA where it must be: another server */
	YG_DNS_NO_EDNS, /* FORMERR or NOTIMP, maybe for the OPT: without EDNS, or another server */
	YG_DNS_BROKEN,  /* it matches but cannot be read: another server */
};
enum yg_dns_match yg_dns_ask_match(const struct yg_dns_ask *a, const uint8_t *msg, size_t n);
/* Whether an answer that matches has an OPT record: the server speaks EDNS. */
bool yg_dns_ask_has_edns(const uint8_t *msg, size_t n);
