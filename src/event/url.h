/* url.h - names, addresses and URLs as they stand in logs, and the one spelling of each.
 *
 * What is looked up in an event (intel/match.h) and what `names` says is in it
 * (normalize.h) read hosts by the same functions.
 *
 * Pure, no state, any thread.  Nothing allocates but the conversion of names that are not
 * ASCII (libidn2).
 */
#pragma once
#include "base/ip.h"
#include "base/limits.h"
#include "base/sb.h"

enum yg_url_scheme { YG_URL_BARE, YG_URL_HTTP, YG_URL_HTTPS };

/* Lower case, A-labels (IDNA2008, UTS 46 mapping), no leading "*." or ".", no
 * final dot; labels of 1..63, 253 in all; letters, digits, '-' and '_'. */
yg_status yg_domain_normalize(struct yg_sv in, struct yg_sb *out, struct yg_err *err);

/* An address literal as it stands in a URL or an HTTP Host: "192.0.2.1",
 * "[2001:db8::1]", "2001:db8::1". */
yg_status yg_host_ip(struct yg_sv host, struct yg_ip *out);
/* "host:8080", "[2001:db8::1]:443": without the port, which goes to *port; else as it is. */
struct yg_sv yg_host_cut_port(struct yg_sv host, unsigned *port);
/* Where a URL leads, as it is written: "host[:port]", without user; empty for a bare path. */
struct yg_sv yg_url_authority(struct yg_sv url);

/* A URL in pieces; views into `text`. */
struct yg_url {
	struct yg_sv text; /* the key: "host[:port]/path[?query]" or "/path[?query]" */
	uint32_t host_at;  /* where the host begins: 0 but for schemes other than http and https */
	uint32_t host_n;   /* bytes of host; 0 for a bare path */
	uint32_t path_at;  /* where the path begins */
	uint32_t query_at; /* where '?' is; text.n when there is none */
	uint8_t scheme;    /* enum yg_url_scheme */
	bool is_ip;        /* the host is an address literal: `ip` */
	bool bad_host;     /* lenient only: the host was dropped, the path is there */
	uint16_t port;     /* 0: the scheme's own */
	struct yg_ip ip;
};
/* RFC 3986 section 6.2.2 and 6.2.3: case of scheme and host, default ports,
 * percent-encoding, dot segments; userinfo and fragment go.  `lenient`: a host
 * that is no host leaves the path usable (for events; lists refuse it).
 * YG_OK | YG_PARSE | YG_TOOBIG (longer than YG_URL_MAX). */
yg_status yg_url_normalize(struct yg_sv in, bool lenient, struct yg_sb *out_text,
			   struct yg_url *out, struct yg_err *err);
