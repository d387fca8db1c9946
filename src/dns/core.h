/* core.h - the resolver as a state machine: queries and upstream answers in;
 * answers, questions to upstreams and events out.
 *
 * Runs in:   one worker of role resolve, replay tests, benchmarks.  One thread per
 *            core; workers share nothing.  Pure: time, random and memory of the
 *            cache come from the caller; no socket, no clock, no allocation but in
 *            yg_dns_core_new().
 *
 * How a server uses it:
 *
 *   yg_dns_core_new(&opts, &core, &err)
 *   yg_dns_core_zones(core, zones); yg_dns_core_policy(core, policy);
 *   for every recvmmsg() of up to YG_DNS_BATCH queries:
 *       fill in[i]: msg, n, client, transport, peer, out, out_cap
 *       yg_dns_core_batch(core, in, n, now)
 *       send in[i].out, out_n where in[i].result is YG_DNS_ANSWERED; the others
 *       wait (ops.reply() brings their answer later) or are dropped
 *   for every stream's message: the same with n = 1
 *   ops.ask(): send the question to a server of the set, see ask.h; when it is
 *       decided: yg_dns_core_answer() or yg_dns_core_failed(), once per token.
 *       Never from inside ops.ask(): the core is not re-entrant.
 *   at the time that yg_dns_core_tick() gave back, or 50 ms later: tick again
 *   yg_dns_core_policy(), _zones(): new ones, between two batches; the old ones
 *       are not used any more when it returns.
 *
 * How a query is answered: it is run from its beginning over what is known: local
 * data, cache, policy.  Where something is missing it is asked for, once for all
 * that want it, and the query waits; when it has come the query is run again from
 * its beginning, now getting further.  So nothing of a policy is kept by a waiting
 * query: after a swap it is judged by the new policy, wholly.
 *
 * The cache holds upstream truth only; every query is judged for its own view.  An
 * entry remembers the generation of the policy of which no rule of anyone touches
 * it; that makes the usual hit free of policy work.
 */
#pragma once
#include "base/units.h"
#include "dns/cache.h"
#include "dns/policy.h"
#include "dns/zones.h"
#include "format/dns.h"

#define YG_DNS_BATCH      64
#define YG_DNS_CHAIN_MAX  16 /* names of a CNAME chain; longer: SERVFAIL */
#define YG_DNS_ASKS_MAX   64 /* questions to upstreams for one query; more: SERVFAIL */
#define YG_DNS_PEER_BYTES 64

enum yg_dns_transport { YG_DNS_UDP = 1, YG_DNS_TCP, YG_DNS_DOT, YG_DNS_DOH };

struct yg_dns_client { /* who asks, as the server knows it */
	struct yg_ip ip;
	uint32_t view;    /* of the policy: yg_dns_policy_view() */
	uint32_t org;     /* as given to zones.h; 0: none of its own */
	uint32_t network; /* the caller's; comes back in events */
	bool refused;     /* unknown: REFUSED with EDE 18, and nothing else */
	bool audit;       /* the policy is noted only: whatever it says, the truth is answered */
};
struct yg_dns_peer { /* where the answer goes; the caller's own words, copied when a query waits */
	uint8_t b[YG_DNS_PEER_BYTES];
};

enum yg_dns_result {
	YG_DNS_ANSWERED = 1, /* out, out_n */
	YG_DNS_WAITING,      /* ops.reply() will be called, once */
	YG_DNS_DROPPED,      /* nothing is to be sent: no query, or the policy says so */
};
struct yg_dns_in {
	const uint8_t *msg; /* borrowed for the call */
	size_t n;
	const struct yg_dns_client *client; /* borrowed for the call */
	const struct yg_dns_peer *peer;     /* likewise */
	uint8_t transport;                  /* enum yg_dns_transport */
	uint8_t *out;                       /* borrowed for the call; room for the answer */
	size_t out_cap;                     /* UDP: at least YG_DNS_UDP_BEST; streams: best 65535 */
	size_t out_n;                       /* set */
	uint8_t result;                     /* set; enum yg_dns_result */
};

enum yg_dns_source {                   /* where an answer came from */
		     YG_DNS_FROM_NONE, /* refused, malformed, dropped before */
		     YG_DNS_FROM_CACHE,
		     YG_DNS_FROM_STALE, /* cache, past its time (RFC 8767) */
		     YG_DNS_FROM_UPSTREAM,
		     YG_DNS_FROM_LOCAL,
		     YG_DNS_FROM_POLICY,  /* rewritten; event.eval has by what */
		     YG_DNS_FROM_GUARD,   /* rebinding protection */
		     YG_DNS_FROM_FAILURE, /* no answer to be had: SERVFAIL */
};
/* One query, ended.  Everything is borrowed for the call. */
struct yg_dns_event {
	const struct yg_dns_client *client;
	const struct yg_dns_peer *peer;
	const struct yg_dns_query *query; /* name, type, flags, as asked */
	const uint8_t *answer;            /* as sent; n is 0 when dropped */
	size_t answer_n;
	uint8_t transport, source, action; /* enums; action: of yg_dns_action, NONE without */
	uint16_t rcode;                    /* with its upper bits */
	uint16_t ede;                      /* YG_DNS_EDE_NONE without */
	uint32_t set;                      /* of upstreams that was asked or had been; 0: none */
	int64_t took_us;
	yg_mono now; /* of the call that ended it */
	/* NULL: no rule of anyone was near.  Else for yg_dns_eval_verdict(), _record(),
	 * _note(); where action is NONE there may still be notes. */
	const struct yg_dns_eval *eval;
	const struct yg_dns_verdict *verdict; /* what eval came to; NULL: action is NONE */
};

struct yg_dns_question { /* to a set of upstreams; see ask.h for the bytes */
	uint64_t token;  /* for yg_dns_core_answer(); never twice */
	uint32_t set;
	uint16_t type;
	bool dnssec_ok, checking_disabled;
	const struct yg_dns_name *name; /* borrowed for the call */
};
struct yg_dns_ops {
	void *ctx;
	/* The answer of a query that waited; n = 0: it is dropped, forget the peer. */
	void (*reply)(void *ctx, const struct yg_dns_peer *peer, uint8_t transport,
		      const uint8_t *msg, size_t n);
	void (*ask)(void *ctx, const struct yg_dns_question *q);
	void (*event)(void *ctx, const struct yg_dns_event *ev); /* may be NULL */
	/* A query that waited is run again: who asks, as it is known now (its view is of the
	 * policy in force); `ip` and `network` are those of before.  May be NULL. */
	void (*client)(void *ctx, struct yg_dns_client *client);
};

enum yg_dns_below {                       /* a name above is known not to exist (RFC 8020) */
		    YG_DNS_BELOW_SECURE,  /* then this one does not when that is validated */
		    YG_DNS_BELOW_ANY,     /* then this one does not */
		    YG_DNS_BELOW_NOTHING, /* that says nothing about this one */
};
struct yg_dns_core_opts { /* 0 or NULL: the default in brackets, unless said otherwise */
	struct yg_dns_ops ops;
	void *cache;              /* borrowed; where the cache lives; 64-aligned, all zero */
	size_t cache_bytes;       /* at least YG_DNS_CACHE_LEAST */
	uint64_t random[2];       /* keys the tables; from the system */
	uint8_t cookie_key[16];   /* RFC 9018; the same for all workers; all zero: no cookies */
	uint32_t queries_max;     /* that wait at one time [4096]; more: SERVFAIL, EDE 14 */
	uint32_t per_client_max;  /* of them one client network (IPv4 /24, IPv6 /56) [a quarter] */
	uint32_t jobs_max;        /* questions in flight [2048] */
	uint32_t client_jobs_max; /* of them begun by one client network [a quarter] */
	uint32_t per_zone_max;    /* of them with one parent name [an eighth] */
	yg_span stale_after;      /* a stale answer is given after waiting so long [1.8 s] */
	yg_span give_up;          /* SERVFAIL after so long [10 s] */
	struct yg_dns_cache_opts ttl;
	bool no_stale, no_prefetch;
	bool break_dnssec; /* rewrite signed answers for DO=1 too */
	bool no_rebind_guard;
	uint8_t below;    /* enum yg_dns_below [SECURE] */
	uint16_t udp_max; /* largest UDP answer [YG_DNS_UDP_BEST] */
	uint16_t padding; /* DoT, DoH: block of padding when the client pads [468] */
};

struct yg_dns_core; /* opaque; owned */
/* YG_OK | YG_NOMEM | YG_INVAL (cache too small or not aligned, ops missing). */
yg_status yg_dns_core_new(const struct yg_dns_core_opts *opts, struct yg_dns_core **out,
			  struct yg_err *err) YG_MUST_USE;
void yg_dns_core_free(struct yg_dns_core *c); /* NULL is fine; waiting queries are forgotten */

/* Both are borrowed until replaced; NULL policy: none; NULL zones: everything is
 * REFUSED.  Not from inside a callback.  The cache knows sets by their numbers: one
 * that has come to mean other servers wants a new number, or a flush. */
void yg_dns_core_policy(struct yg_dns_core *c, const struct yg_dns_policy *p);
void yg_dns_core_zones(struct yg_dns_core *c, const struct yg_dns_zones *z);
/* Wall clock in seconds since 1970, for cookies; to be told about once a second. */
void yg_dns_core_wall(struct yg_dns_core *c, uint32_t seconds);

/* Answers n queries, at most YG_DNS_BATCH. */
void yg_dns_core_batch(struct yg_dns_core *c, struct yg_dns_in *in, size_t n, yg_mono now);

enum yg_dns_security { /* what is known about an upstream's answer */
		       YG_DNS_INSECURE,
		       YG_DNS_SECURE, /* validated by us, or AD from an upstream that is trusted for it */
		       YG_DNS_BOGUS, /* validation failed: SERVFAIL, EDE 6, whatever the policy says */
};
/* The answer to a question: the whole message as it came, already matched with
 * what was sent (yg_dns_ask_match()); the core checks question and contents again.
 * ede: when bogus, why (YG_DNS_EDE_BOGUS, ..., or NONE).
 * YG_OK | YG_PARSE (not usable, counted; the question has failed) | YG_NOTFOUND (no such token). */
yg_status yg_dns_core_answer(struct yg_dns_core *c, uint64_t token, const uint8_t *msg, size_t n,
			     enum yg_dns_security security, uint16_t ede, yg_mono now);
/* No server of the set gave an answer: ede says why (YG_DNS_EDE_NO_AUTHORITY, ...). */
yg_status yg_dns_core_failed(struct yg_dns_core *c, uint64_t token, uint16_t ede, yg_mono now);

/* Stale answers and giving up; questions that nobody decided within half a minute
 * fail, and their tokens are not known any more.  Gives when next to call at the
 * latest; .us = INT64_MAX: nothing is waited for. */
yg_mono yg_dns_core_tick(struct yg_dns_core *c, yg_mono now);

/* What is known about a question right now, for explaining; changes nothing. */
struct yg_dns_known {
	const struct yg_dns_route *route; /* NULL: nobody answers for the name; borrowed */
	const struct yg_dns_entry *entry; /* NULL: not in the cache; borrowed until the next call */
	uint32_t ttl;                     /* seconds the entry is still fresh; 0: it is stale */
	uint32_t stale;                   /* seconds it may still be served stale */
	uint32_t held;                    /* seconds it is not asked for anew, after a failure */
	bool being_asked;                 /* upstream, at this moment */
};
void yg_dns_core_known(struct yg_dns_core *c, uint32_t org, const struct yg_dns_name *name,
		       uint16_t type, bool dnssec_ok, bool checking_disabled, yg_mono now,
		       struct yg_dns_known *out);

struct yg_dns_counts { /* since the beginning; the last ones are of now */
	uint64_t queries, hits, stale, misses, joined, asked, prefetched, blocked, noted, dropped;
	uint64_t refused, malformed, failures, guard, limited_client, limited_zone, limited_all;
	uint64_t bad_answers, out_of_zone, truncated, clean_hits, cookies_good, cookies_bad;
	uint32_t waiting, jobs;
};
struct yg_dns_counts yg_dns_core_counts(const struct yg_dns_core *c);
struct yg_dns_cache *yg_dns_core_cache(struct yg_dns_core *c);
