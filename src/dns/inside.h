/* inside.h - addresses under which a client finds itself or its own network, however they are
 * written: what rebinding protection does not let pass under a public name.  Pure. */
#pragma once
#include "base/ip.h"
#include "format/dns.h"

/* Private (yg_ip_is_private()), this host (0.0.0.0/8, ::), the local broadcast, IPv6 site-local, and
 * such an IPv4 address within an IPv6 one: IPv4-compatible, NAT64 (RFC 6052, RFC 8215), 6to4,
 * Teredo, ISATAP.  A network's own NAT64 prefix is not known here. */
bool yg_dns_ip_inside(struct yg_ip ip);
/* Does the record give such an address: A, AAAA, or a hint of SVCB or HTTPS (RFC 9460 7.3)? */
bool yg_dns_rr_inside(const struct yg_dns_msg *m, const struct yg_dns_rr *rr);
