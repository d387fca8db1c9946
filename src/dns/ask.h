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
	uint8_t msg[YG_DNS_ASK_MAX];
};
/* Builds the question.  random: 8 bytes of the system's: id and case.
 * same_case: ask with mixed case and want it back (0x20). */
void yg_dns_ask_build(struct yg_dns_ask *a, const struct yg_dns_name *name, uint16_t type,
		      bool dnssec_ok, bool checking_disabled, bool same_case, uint64_t random);

enum yg_dns_match {
	YG_DNS_MATCH = 1, /* the answer: give it to the core */
	YG_DNS_MISMATCH,  /* not an answer to this question (id, question, case, not an
			     * answer at all): go on waiting, count it */
	YG_DNS_MATCH_CASE, /* all but the case: go on waiting; ask again over TCP, where case is not needed */
	YG_DNS_TRUNCATED, /* TC: ask over TCP */
	YG_DNS_LAME,      /* SERVFAIL, REFUSED, NOTIMP, a referral, not recursive: another server */
	YG_DNS_NO_EDNS,   /* FORMERR, maybe for the OPT: another server, or without EDNS */
	YG_DNS_BROKEN,    /* it matches but cannot be read: another server */
};
enum yg_dns_match yg_dns_ask_match(const struct yg_dns_ask *a, const uint8_t *msg, size_t n);
