/* list.h - reads lists of names into a policy zone: plain text, hosts files, Adblock
 * filters, and CSV as of indicators.  Plain bytes; memory is constant.  A line that
 * cannot be taken is refused with its number and the reason and never stops the rest.
 * What each form means is in doc/dns-policy.md. */
#pragma once
#include "dns/compile.h"
#include "intel/compile.h"

#define YG_DNS_LIST_LINE_MAX 65536

struct yg_dns_list_opts {
	struct yg_dns_builder *builder; /* borrowed */
	uint32_t zone;
	bool allow; /* entries are PASSTHRU */
	bool force; /* take names that cover a whole public suffix */
};
struct yg_dns_list; /* owned: yg_dns_list_free() */
yg_status yg_dns_list_new(const struct yg_dns_list_opts *opts, struct yg_dns_list **out,
			  struct yg_err *err);
void yg_dns_list_free(struct yg_dns_list *l);
/* YG_OK | YG_NOMEM | YG_LIMIT. */
yg_status yg_dns_list_feed(struct yg_dns_list *l, struct yg_sv bytes, struct yg_err *err);
yg_status yg_dns_list_end(struct yg_dns_list *l, struct yg_err *err);
