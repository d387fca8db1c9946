/* doh.h - the request of DNS over HTTPS (RFC 8484) and how long its answer is fresh.
 * Pure; nothing allocates. */
#pragma once
#include "base/sb.h"

#define YG_DOH_TARGET_MAX 8192 /* octets of the path; a longer one is 414 */

struct yg_doh_request { /* borrowed, as the header fields came; empty: there was none */
	struct yg_sv method, path, authority, content_type;
};
struct yg_doh_query {
	unsigned status;    /* 200, or what to answer: 400, 404, 405, 414, 415, 421 */
	bool post;          /* the query is the body */
	struct yg_sv token; /* borrowed from the path; empty: none */
	struct yg_sv dns;   /* GET: borrowed, base64url: yg_doh_decode() */
};
/* base: the path that is served ("/dns-query"); a token may follow it after a slash.
 * server_name: what the client asked for over TLS, empty: nothing; an authority with
 * another name is misdirected (421).  The body is not looked at. */
void yg_doh_request_read(const struct yg_doh_request *r, struct yg_sv base,
			 struct yg_sv server_name, struct yg_doh_query *out);
/* RFC 4648 base64url without padding, strictly: YG_OK | YG_PARSE | YG_LIMIT (more than
 * cap octets). */
yg_status yg_doh_decode(struct yg_sv text, uint8_t *out, size_t cap, size_t *out_n);
/* Seconds that an answer is fresh (RFC 8484 5.1): the smallest TTL of its answer
 * section, without one that of its SOA record.  YG_NOTFOUND: not to be kept (an error,
 * or no such records). */
yg_status yg_doh_fresh(const uint8_t *msg, size_t n, uint32_t *out);
