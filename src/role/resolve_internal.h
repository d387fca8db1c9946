/* resolve_internal.h - the parts of role resolve: resolve.c (what there is),
 * resolve_policy.c (new policies), resolve_client.c (who asks), resolve_udp.c, resolve_fair.c, resolve_limit.c,
 * resolve_accept.c, resolve_log.c and resolve_log_file.c (query log), resolve_stream.c, resolve_turn.c, resolve_tcp.c and resolve_doh.c (doors), resolve_ddr.c (tells of
 * them), resolve_up.c (upstreams).  One thread: the loop's. */
#pragma once
#include <uv.h>

#include "conf/conf.h"
#include "dns/ask.h"
#include "dns/core.h"
#include "format/dnstap.h"
#include "os/socket.h"
#include "role/resolve_tap.h"
#include "role/role.h"
#include "snapshot/prefix.h"

#define RESOLVE_QUERY_MAX 4096 /* octets of a query by UDP; longer ones are none */

struct resolve;
struct udp_door;
struct limiter;
struct streams;
struct upstreams;
struct resolve_log;
struct resolve_opener;
struct yg_door;

/* Who asks: rows of resolve.clients, in order; the tree's values are row numbers. */
struct resolve_clients {
	struct yg_dns_client *rows; /* owned; [count]: nobody we know, refused */
	const struct yg_conf_dns_client *conf;
	struct yg_sv *orgs; /* owned; organisation i + 1 of zones.h */
	size_t count, org_count;
	struct yg_prefix_tree tree;   /* owned */
	struct resolve_proof *proofs; /* owned; [count] */
	uint8_t key[16];              /* of the hashes of tokens; of this process */
};

/* Since the beginning; `open` is of now. */
struct resolve_door_counts {
	uint64_t accepted, refused, idle, evicted, tls_failed, open; /* connections */
	uint64_t postponed; /* turns of the loop in which one was not read, so that others were */
	uint64_t https, https_bad, https_reset; /* requests */
	uint64_t limited, slipped;              /* queries by UDP over the rate */
};
#define RESOLVE_RCODES 25 /* by number; the last: all above */
#define RESOLVE_TOOK   16 /* resolve_took_us[], and what took longer */
struct resolve_answers {  /* since the beginning */
	uint64_t by_door[YG_DNS_DOH + 1];
	uint64_t by_rcode[RESOLVE_RCODES];
	uint64_t by_took[RESOLVE_TOOK], took_us;
};
struct resolve_log_counts { /* since the beginning, but the last three */
	uint64_t written, bytes, files, failures;
	uint64_t dropped;                    /* events that were never written */
	uint64_t dropped_old, files_dropped; /* that were, and their files, by drop-old */
	uint64_t untold;                     /* refused strangers, and what is no question */
	uint64_t waiting_bytes, most_bytes;
	bool full;
};
struct resolve {
	struct yg_role_ctx *ctx;
	const struct yg_conf *conf;
	struct yg_dns_core *core;     /* owned */
	struct yg_dns_zones *zones;   /* owned */
	uint64_t local_generation;    /* of the local zones in it; 0: none yet */
	struct yg_dns_policy *policy; /* owned; NULL: none yet */
	void *cache;                  /* owned */
	size_t cache_bytes;
	struct resolve_clients clients;
	struct udp_door *udp;    /* owned list */
	struct limiter *limiter; /* owned; NULL: no limit */
	struct streams *streams; /* owned */
	struct resolve_door_counts doors;
	struct upstreams *up;
	struct yg_taps *taps;    /* owned; NULL: none */
	struct resolve_log *log; /* owned; NULL: none */
	uint64_t blocked[YG_DNS_LAYER_COUNT];
	struct resolve_answers answers;
	struct yg_door *door; /* owned */
	uint8_t cookie_key[16];
	uv_timer_t tick;
	int64_t tick_at;       /* us of the monotonic clock; INT64_MAX: not set */
	int64_t wall_ahead_us; /* wall clock - monotonic one, about once a second */
	uint64_t events;
	struct resolve_opener *opener; /* owned */
	bool serving, draining;
};

static inline yg_mono resolve_now(const struct resolve *r)
{
	return yg_env_mono(&r->ctx->env);
}
/* After anything that may have made a query wait: the core wants to be ticked. */
void resolve_wait(struct resolve *r);

/* resolve_policy.c */
yg_status resolve_policy_open(struct resolve *r, struct yg_err *err);
/* A new policy, and what it may stand over, which comes before it; *fd is taken. */
void resolve_policy_take(struct resolve *r, uint64_t generation, int *fd);
void resolve_policy_base(struct resolve *r, int *fd);

/* resolve_client.c */
yg_status resolve_clients_open(struct resolve_clients *c, struct yg_role_ctx *ctx,
			       struct yg_err *err);
void resolve_clients_close(struct resolve_clients *c);
/* Rows know their view of this policy from now on; NULL: none. */
void resolve_clients_views(struct resolve_clients *c, const struct yg_dns_policy *p);
/* The row of an address; never NULL. */
const struct yg_dns_client *resolve_client_of(const struct resolve_clients *c, struct yg_ip ip,
					      struct yg_dns_client *out);
/* The row of who asked for this name over TLS ("": none) or showed a certificate of
 * this SHA-256 (NULL: none); false: no row says so, *row stays. */
bool resolve_client_tls(const struct resolve_clients *c, struct yg_sv name, const uint8_t *sha256,
			uint32_t *row);
/* The row of a token, that of nobody when none has it.  Takes as long for any token. */
uint32_t resolve_client_token(const struct resolve_clients *c, struct yg_sv token);
/* 1 and up; 0: the organisation is not named by any client, or "". */
uint32_t resolve_org(const struct resolve_clients *c, struct yg_sv name);

/* resolve_udp.c */
yg_status resolve_udp_open(struct resolve *r, struct yg_err *err);
void resolve_udp_stop(struct resolve *r);
uint64_t resolve_udp_unsent(const struct resolve *r); /* answers the kernel did not take */
struct resolve_overload {                             /* more queries by UDP than can be answered */
	uint64_t shed;                                /* not let in, of networks that asked most */
	uint64_t overflowed; /* lost, of anybody: the socket's buffer was full */
	uint64_t networks;   /* that are held back now */
};
/* At least once a second: who asked too much and has stopped is not held back any more. */
void resolve_udp_tick(struct resolve *r);
void resolve_udp_overload(const struct resolve *r, struct resolve_overload *out);
uint16_t resolve_udp_port(const struct yg_dns_peer *peer); /* the client's */
void resolve_udp_reply(struct resolve *r, const struct yg_dns_peer *peer, const uint8_t *msg,
		       size_t n);

/* resolve_limit.c: answers by UDP to one network (IPv4 /24, IPv6 /56). */
enum resolve_limit { RESOLVE_PASS, RESOLVE_SLIP, RESOLVE_DROP };
struct resolve_limit_opts {
	uint64_t rate; /* answers a second; as many may come at once */
	uint32_t slip; /* one in so many over it is RESOLVE_SLIP; 0: none */
	uint8_t key[16];
};
struct limiter *resolve_limiter_new(const struct resolve_limit_opts *o); /* NULL: no memory */
void resolve_limiter_free(struct limiter *l);
enum resolve_limit resolve_limiter_take(struct limiter *l, struct yg_ip ip, yg_mono now);

/* resolve_log.c: the query log; counts are all zero without one. */
yg_status resolve_log_open(struct resolve *r, struct yg_err *err);
void resolve_log_event(struct resolve_log *l, const struct yg_dns_event *ev);
void resolve_log_flush(struct resolve *r); /* before answers leave */
void resolve_log_end(struct resolve *r);
struct resolve_log_counts resolve_log_counts(const struct resolve *r);

/* resolve_stats.c */
void resolve_count_event(struct resolve *r, const struct yg_dns_event *ev);
void resolve_stats_json(const struct resolve *r, struct yg_buf *b);

/* resolve_accept.c, resolve_stream.c */
/* The client's; 0: it is gone. */
uint16_t resolve_stream_port(const struct resolve *r, const struct yg_dns_peer *peer);
yg_status resolve_stream_open(struct resolve *r, struct yg_err *err);
void resolve_stream_stop(struct resolve *r);
void resolve_stream_reply(struct resolve *r, const struct yg_dns_peer *peer, const uint8_t *msg,
			  size_t n);

/* resolve_ddr.c: local data that tells of DoT and DoH (RFC 9462). */
yg_status resolve_ddr_zones(struct resolve *r, struct yg_dns_zones *zones, struct yg_err *err);

/* resolve_local.c: who answers for which name. */
/* Upstreams, local data, discovery; local zones as soon as role zones has given them:
 * until then their names are nobody's, so that none of them leaves. */
yg_status resolve_local_open(struct resolve *r, struct yg_err *err);
/* New local zones: a file of dns/local.h in sealed memory. */
void resolve_local_take(struct resolve *r, int fd);

/* resolve_door.c: run/resolve-<n>.sock, where it is asked why. */
yg_status resolve_door_open(struct resolve *r, struct yg_err *err);

/* resolve_up.c */
yg_status resolve_up_open(struct resolve *r, struct yg_err *err);
/* The servers of a set in words: "192.0.2.1:53 (4 ms)". */
void resolve_up_words(const struct resolve *r, uint32_t set, struct yg_sb *out);
/* The sets of upstreams into zones; and the number of one that has no server. */
yg_status resolve_up_zones(struct resolve *r, struct yg_dns_zones *zones, struct yg_err *err);
uint32_t resolve_up_nobody(const struct resolve *r);
void resolve_up_ask(struct resolve *r, const struct yg_dns_question *q);
