/* resolve_up.h - the parts of the upstream side of role resolve: resolve_up.c (a
 * question and its tries), resolve_up_server.c (which server, and what is known of it),
 * resolve_recurse.c (recursion and validation).
 * One thread: the loop's. */
#pragma once
#include "role/resolve_internal.h"

#define UP_SERVERS_MAX YG_CONF_SERVERS_MAX

struct up_server {
	struct yg_addr addr;
	int64_t rtt_us, var_us;
	int64_t bad_until;   /* us of the monotonic clock; it is asked when nobody else is left */
	int64_t plain_until; /* likewise: it is asked without EDNS */
	uint32_t fails;      /* in a row */
	bool speaks_edns;    /* it has answered with EDNS: silence says nothing about that */
};
struct up_set {
	struct up_server servers[UP_SERVERS_MAX];
	size_t count;
	bool authoritative;         /* a stub: RD=0, AA wanted */
	bool trust_ad;              /* AD in an answer says that it is secure */
	struct up_recurse *recurse; /* NULL: the servers above are asked, by us */
};
struct upstreams {
	struct up_set *sets; /* set number n is sets[n - 1] */
	size_t count;
	struct recursion *recursion; /* NULL: none of the sets recurses or validates */
	uint64_t asked, by_tcp, mismatched, timeouts, plain, jobs;
};

/* resolve_up_server.c */
int64_t up_rtt(const struct up_server *s); /* us; a guess when it was never asked */
void up_server_answered(struct up_server *s, int64_t took_us);
void up_server_silent(struct up_server *s, int64_t now);
/* How long an answer is waited for at a try, from 0 on. */
int64_t up_server_wait(const struct up_server *s, unsigned tries);
/* The best one whose bit in *tried is not set; when all are set: they are cleared, and
 * the best again.  first: now and then another one than the best, to learn its time. */
struct up_server *up_server_choose(struct up_set *set, uint16_t *tried, bool first, int64_t now,
				   uint64_t dice);
/* The servers of a set as the configuration has them. */
yg_status up_servers_read(struct up_set *s, struct yg_sv text, struct yg_err *err);

/* resolve_recurse.c */
/* Recursion from the root, or through these servers ("": none).  YG_OK | YG_NOMEM |
 * YG_PARSE (root hints, trust anchor) | YG_NOTFOUND (no trust anchor). */
yg_status up_recurse_open(struct resolve *r, struct yg_sv servers, bool validate,
			  struct up_recurse **out, struct yg_err *err);
/* False: no memory. */
bool up_recurse_ask(struct up_recurse *set, const struct yg_dns_question *q);
