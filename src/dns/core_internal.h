/* core_internal.h - what the files of the core share; see core.h. */
#pragma once
#include "dns/clean.h"
#include "dns/core.h"

#define COUNTERS 4096u /* of clients and of parent names, hashed */
#define VERDICTS 64u   /* kept ready */

struct waiter { /* a query that waits */
	struct yg_dns_client client;
	struct yg_dns_peer peer;
	struct yg_dns_query query; /* its cookie points to `cookie` */
	uint8_t cookie[YG_DNS_COOKIE_MAX];
	uint8_t question[YG_DNS_NAME_MAX + 4]; /* as asked, with its letter case */
	yg_mono started;
	uint8_t transport;
	bool stale_tried, busy;
	uint16_t asks;
	size_t out_cap;
	uint32_t job;          /* + 1 */
	uint32_t next;         /* + 1; of the job, or free */
	uint32_t older, newer; /* + 1; all that wait, in order of their time */
};

struct job { /* a question in flight */
	struct yg_dns_name name;
	uint64_t hash, token;
	uint32_t set, waiters; /* + 1 */
	uint32_t next;         /* + 1; of the hash chain, or free */
	yg_mono started;
	uint16_t type;
	uint8_t key, zone_labels;
	bool busy, prefetch;
	uint16_t zone_counter, client_counter; /* client_counter: of nobody when prefetched */
};

struct run { /* one query, being answered */
	const struct yg_dns_client *client;
	const struct yg_dns_peer *peer;
	struct yg_dns_query *q;
	const uint8_t *question;    /* its question's bytes, as asked */
	struct yg_dns_probe *probe; /* of the QNAME; NULL: not made */
	bool looked;                /* for looked_key in the cache; this was found */
	const struct yg_dns_key *looked_key;
	struct yg_dns_entry *found;
	uint8_t *out;
	size_t out_cap, out_n;
	uint8_t transport;
	bool resumed, allow_stale;
	uint32_t waiter; /* + 1; 0: it has not waited */
	uint16_t asks;
	yg_mono started;

	/* what is found on the way */
	bool judging;    /* the policy still has a say */
	bool evaluated;  /* eval holds something for the event */
	bool stage_open; /* eval_name() without stage_end() */
	bool built;      /* c->w holds an answer in the making */
	bool secure;     /* all parts were */
	bool links_stale;
	unsigned links; /* of links_of that lead to r->name; NULL: none */
	const struct yg_dns_entry *links_of;
	uint8_t source, action;
	uint16_t ede;
	uint16_t rcode;
	uint32_t set;
	struct yg_sv ede_text;
	struct yg_dns_name name; /* the name of the chain at hand */
};

/* What a rule means for a view, kept: most blocks are by few rules. */
struct ready {
	uint32_t generation, view, rule; /* generation 0: none */
	uint16_t zone;
	uint8_t trigger;
	struct yg_dns_verdict v; /* its hit is the last one's */
};

struct yg_dns_core {
	struct yg_dns_cache cache;
	const struct yg_dns_policy *policy;
	const struct yg_dns_zones *zones;
	uint32_t generation; /* of the policy, never 0; what entries remember */
	bool memo;           /* entries may remember it: no NSDNAME, no NSIP rules */
	bool cookies;
	uint32_t now_s; /* of the call at hand */
	uint32_t wall;
	yg_mono now;
	struct yg_dns_core_opts opts;
	struct yg_dns_counts counts;

	/* of a batch; large, so they are here */
	struct yg_dns_query query[YG_DNS_BATCH];
	struct yg_dns_key keys[YG_DNS_BATCH];
	struct yg_dns_probe probe[YG_DNS_BATCH];
	const struct yg_dns_route *route[YG_DNS_BATCH];
	struct yg_dns_entry *found[YG_DNS_BATCH]; /* nothing is put in the cache in a batch */
	uint8_t plan[YG_DNS_BATCH];

	struct yg_dns_eval eval;
	struct ready ready[VERDICTS];
	const struct yg_dns_verdict *verdict; /* of the run at hand: in `ready` */
	struct run run;
	struct yg_dns_wr w;
	struct yg_dns_clean clean;
	uint8_t out[YG_DNS_MSG_MAX];   /* what w builds */
	uint8_t reply[YG_DNS_MSG_MAX]; /* to a query that waited */

	struct waiter *waiters;
	struct job *jobs;
	uint32_t *job_heads; /* + 1 */
	uint32_t job_mask, job_free, waiter_free, oldest, newest;
	uint32_t jobs_used, waiters_used; /* places that were ever used; behind them all is zero */
	uint64_t tokens;
	yg_mono swept; /* when questions were last looked at for their age */
	uint16_t per_client[COUNTERS], per_zone[COUNTERS], client_jobs[COUNTERS];
};

/* reply.c: the end of a run.  They fill out, tell the event and give how it ended. */
enum yg_dns_result yg_dns_reply_entry(struct yg_dns_core *c, struct run *r,
				      const struct yg_dns_entry *e, bool stale);
enum yg_dns_result yg_dns_reply_built(struct yg_dns_core *c, struct run *r, unsigned rcode);
enum yg_dns_result yg_dns_reply_plain(struct yg_dns_core *c, struct run *r, unsigned rcode);
enum yg_dns_result yg_dns_reply_truncated(struct yg_dns_core *c, struct run *r, unsigned rcode);
enum yg_dns_result yg_dns_reply_drop(struct yg_dns_core *c, struct run *r);
/* Header, question and policy records without compression: the block page's way. */
enum yg_dns_result yg_dns_reply_policy(struct yg_dns_core *c, struct run *r, unsigned rcode,
				       struct yg_sv rrs, unsigned count);

/* run.c */
enum yg_dns_result yg_dns_run(struct yg_dns_core *c, struct run *r,
			      const struct yg_dns_route *route, const struct yg_dns_key *key);
/* For the QNAME, or another name on the way: an entry that may be used now, else
 * NULL with *out = WAITING (asked), ANSWERED (it cannot be asked: fail). */
struct yg_dns_entry *yg_dns_run_entry(struct yg_dns_core *c, struct run *r,
				      const struct yg_dns_route *route,
				      const struct yg_dns_key *key, bool *out_stale,
				      enum yg_dns_result *out);
/* core.c: what answers for the key at `now`, fresh or not: the entry of its own (own: what was
 * found; may be NULL), of the whole name or of a name above; NULL: nothing does. */
struct yg_dns_entry *yg_dns_core_best(const struct yg_dns_core *c, const struct yg_dns_route *route,
				      const struct yg_dns_key *key, struct yg_dns_entry *own,
				      uint32_t now);

/* judge.c: of a step of a run.  0: it goes on, else how the query ended (enum yg_dns_result). */
enum { GO_ON = 0 };
enum yg_dns_result yg_dns_run_fail(struct yg_dns_core *c, struct run *r, uint16_t ede);
void yg_dns_run_build(struct yg_dns_core *c, struct run *r); /* begins the answer, once */
/* The CNAMEs (and what belongs to them) that lead from the entry's name to link
 * `links`; with all, its whole content. */
void yg_dns_run_entry_out(struct yg_dns_core *c, struct run *r, const struct yg_dns_entry *e,
			  unsigned links, bool all, bool stale);
void yg_dns_run_cname(struct yg_dns_core *c, struct run *r, const struct yg_dns_name *target,
		      uint32_t ttl);
/* Is what the message says of this name signed?  Of a name without data: its denial. */
bool yg_dns_judge_signed(const struct yg_dns_msg *m, const struct yg_dns_name *name);
/* The stage of r->name begins; ends, when nothing it needs is missing. */
void yg_dns_judge_open(struct yg_dns_core *c, struct run *r, bool first);
unsigned yg_dns_judge_end(struct yg_dns_core *c, struct run *r, bool *out_moved);
/* Judges the names in the entry one by one, from r->name on.  GO_ON: nothing decided
 * against it; r->name is then the last name of the chain.  *out_moved: the policy
 * has put the query elsewhere. */
unsigned yg_dns_judge_links(struct yg_dns_core *c, struct run *r, const struct yg_dns_entry *e,
			    bool stale, bool *out_moved);
/* servers.c: the zone that a negative answer is from, by its SOA: so many labels of `name` are above it. */
bool yg_dns_zone_above(const struct yg_dns_entry *e, const struct yg_dns_name *name,
		       unsigned *out_up);
/* Tells eval the name servers (and addresses) on the way to r->name. True:
 * done; false: *out says what the query does instead. */
bool yg_dns_run_servers(struct yg_dns_core *c, struct run *r, unsigned needs,
			enum yg_dns_result *out);

/* wait.c */
bool yg_dns_wait_asked(const struct yg_dns_core *c, const struct yg_dns_key *key);
yg_status yg_dns_wait_init(struct yg_dns_core *c);
/* Asks for `key` (or joins who asked) and lets the query wait: false: a limit. */
bool yg_dns_wait_for(struct yg_dns_core *c, struct run *r, const struct yg_dns_route *route,
		     const struct yg_dns_key *key);
/* Asks for `key`, for nobody yet; false: at a limit, nothing is asked. */
bool yg_dns_wait_prefetch(struct yg_dns_core *c, const struct yg_dns_route *route,
			  const struct yg_dns_key *key);
