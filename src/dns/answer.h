/* answer.h - what a refusal becomes, as people say it.  Pure. */
#pragma once
#include "dns/compile.h"

#define YG_DNS_CATEGORY_MAX   32 /* [a-z0-9._-] */
#define YG_DNS_ANSWER_TTL     60
#define YG_DNS_ANSWER_TTL_MAX 86400

/* "malware": what answers go by, and what a blocked client is told; "" is fine. */
bool yg_dns_category_ok(struct yg_sv s);

struct yg_dns_answer_row {
	struct yg_sv org, category;  /* category "": any */
	enum yg_dns_override answer; /* NXDOMAIN, NODATA, CNAME, SINKHOLE; GIVEN: as above says */
	struct yg_sv target;         /* of CNAME; "*.name" takes the query's name in front */
	struct yg_sv addresses;      /* of SINKHOLE, with blanks between */
	uint32_t ttl;                /* s */
	bool own;                    /* out: of the organisation that was asked for */
};
/* The row as the compiler wants it.  YG_INVAL: with the reason. */
yg_status yg_dns_answer_read(const struct yg_dns_answer_row *row, enum yg_dns_action *action,
			     struct yg_dns_answer_spec *spec, struct yg_err *err);
