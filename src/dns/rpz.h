/* rpz.h - what a record of a response policy zone means: its owner name is a
 * trigger, its data an action (draft-vixie-dnsop-dns-rpz-00, sections 3 and 4).  Pure. */
#pragma once
#include "dns/policy.h"
#include "format/dns.h"

struct yg_rpz_trigger {
	enum yg_dns_trigger trigger; /* NONE: the top of the zone */
	struct yg_sv key; /* names: wire form without the root, without the "*"; in the owner */
	uint8_t labels;   /* names: of the key */
	bool wild;
	struct yg_ip ip; /* addresses */
	uint8_t bits;    /* of 128; IPv4 counts 96 more */
};
/* YG_OK | YG_NOTFOUND (not in the zone) | YG_PARSE (a trigger that no address or name
 * can mean; says why). */
yg_status yg_rpz_trigger(const struct yg_dns_name *owner, const struct yg_dns_name *origin,
			 struct yg_rpz_trigger *out, struct yg_err *err);

struct yg_rpz_action {
	enum yg_dns_action action; /* DATA: the record belongs to the data */
	struct yg_sv target;       /* CNAME: wire form in rdata, without the "*" when wild */
	bool wild;
};
/* What the record says; trigger: as above, for the old form of PASSTHRU (a CNAME to
 * the very name).  YG_OK | YG_PARSE (a type that has no place here; says why). */
yg_status yg_rpz_action(uint16_t type, struct yg_sv rdata, const struct yg_rpz_trigger *trigger,
			struct yg_rpz_action *out, struct yg_err *err);

/* "24.0.2.0.192", "128.1.zz.db8.2001": the one way to write a prefix. */
void yg_rpz_prefix_format(struct yg_sb *b, struct yg_ip ip, unsigned bits);
/* Its suffix: "rpz-ip"; "" for QNAME. */
const char *yg_rpz_suffix(enum yg_dns_trigger t);
