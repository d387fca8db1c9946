/* explain.h - what would be answered to a question right now, and why.
 *
 * Pure, and changes nothing: no question goes out, no entry is touched, nothing is
 * counted.  What is not known yet is said to be so.
 */
#pragma once
#include "dns/core.h"

struct yg_dns_explain_ask {
	const struct yg_dns_client *client; /* who asks; ip all zero: no address is known */
	const struct yg_dns_name *name;
	uint16_t type;
	bool dnssec_ok, checking_disabled; /* DO, CD */
};

enum yg_dns_verdict_word {
	YG_DNS_SAYS_ANSWERED, /* the truth; no record of anyone touches it */
	YG_DNS_SAYS_ALLOWED,  /* the truth, because a record says so */
	YG_DNS_SAYS_NOTED,    /* the truth; records that only note have matched */
	YG_DNS_SAYS_BLOCKED,  /* something else, because a record or the guard says so */
	YG_DNS_SAYS_REFUSED,  /* the client is not known, or nobody answers for the name */
	YG_DNS_SAYS_FAILED,   /* no answer is to be had */
};

struct yg_dns_explained {
	enum yg_dns_verdict_word says;
	uint8_t source;      /* enum yg_dns_source: where the answer would come from */
	bool unknown;        /* what is not known yet may change the verdict: `missing` */
	unsigned missing;    /* enum yg_dns_needs; 0 with unknown: the whole answer */
	bool decided;        /* a record decides: verdict, record; it is so for `at` */
	bool set_aside;      /* it would, but this client is only watched, or asks by TCP */
	bool signed_data;    /* the client asks for DNSSEC and the answer is signed: left alone */
	uint64_t generation; /* of the policy; 0: there is none */
	struct yg_dns_verdict verdict;
	struct yg_dns_eval eval; /* for yg_dns_eval_record(), _note() */
	struct yg_dns_name at;
	struct yg_dns_name chain[YG_DNS_CHAIN_MAX + 1]; /* the name, then its CNAMEs */
	unsigned chain_n;
	/* of the QNAME */
	struct yg_dns_known known; /* route and entry are borrowed until the core's next call */
	enum yg_dns_local local;
};

void yg_dns_explain(struct yg_dns_core *c, const struct yg_dns_explain_ask *ask, yg_mono now,
		    struct yg_dns_explained *out);

const char *yg_dns_verdict_word(enum yg_dns_verdict_word w); /* "blocked" */
const char *yg_dns_source_word(uint8_t source);              /* "cache", "upstream" */

/* Members of a JSON object, without its braces: verdict, record, notes, chain,
 * cache, and the same in words as "words_en" and "words_ja".
 * upstream: who is asked ("192.0.2.1@53"), or "". */
struct yg_dns_explain_text {
	const struct yg_dns_explain_ask *ask;
	struct yg_sv org, network; /* of the client; "" */
	struct yg_sv upstream;
	bool no_client; /* asked without an address */
};
void yg_dns_explain_json(const struct yg_dns_explained *e, const struct yg_dns_explain_text *t,
			 struct yg_buf *b);
/* The member "cache" alone: {...}. */
void yg_dns_explain_cache(const struct yg_dns_explained *e, struct yg_buf *b);
