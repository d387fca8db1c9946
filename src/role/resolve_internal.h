/* resolve_internal.h - the parts of role resolve: resolve.c (what there is),
 * resolve_client.c (who asks), resolve_udp.c and resolve_tcp.c (doors),
 * resolve_up.c (upstreams).  One thread: the loop's. */
#pragma once
#include <uv.h>

#include "conf/conf.h"
#include "dns/ask.h"
#include "dns/core.h"
#include "os/socket.h"
#include "role/role.h"
#include "snapshot/prefix.h"

#define RESOLVE_QUERY_MAX 4096 /* octets of a query by UDP; longer ones are none */

struct resolve;
struct udp_door;
struct tcp_doors;
struct upstreams;

/* Who asks: rows of resolve.clients, in order; the tree's values are row numbers. */
struct resolve_clients {
	struct yg_dns_client *rows; /* owned; [count]: nobody we know, refused */
	const struct yg_conf_dns_client *conf;
	struct yg_sv *orgs; /* owned; organisation i + 1 of zones.h */
	size_t count, org_count;
	struct yg_prefix_tree tree; /* owned */
};

struct resolve {
	struct yg_role_ctx *ctx;
	const struct yg_conf *conf;
	struct yg_dns_core *core;     /* owned */
	struct yg_dns_zones *zones;   /* owned */
	struct yg_dns_policy *policy; /* owned; NULL: none yet */
	void *cache;                  /* owned */
	size_t cache_bytes;
	struct resolve_clients clients;
	struct udp_door *udp; /* owned list */
	struct tcp_doors *tcp;
	struct upstreams *up;
	uv_timer_t tick;
	int64_t tick_at; /* us of the monotonic clock; INT64_MAX: not set */
	uint64_t events;
	bool draining;
};

static inline yg_mono resolve_now(const struct resolve *r)
{
	return yg_env_mono(&r->ctx->env);
}
/* After anything that may have made a query wait: the core wants to be ticked. */
void resolve_wait(struct resolve *r);

/* resolve_client.c */
yg_status resolve_clients_open(struct resolve_clients *c, const struct yg_conf *conf,
			       struct yg_err *err);
void resolve_clients_close(struct resolve_clients *c);
/* Rows know their view of this policy from now on; NULL: none. */
void resolve_clients_views(struct resolve_clients *c, const struct yg_dns_policy *p);
/* The row of an address; never NULL. */
const struct yg_dns_client *resolve_client_of(const struct resolve_clients *c, struct yg_ip ip,
					      struct yg_dns_client *out);
/* 1 and up; 0: the organisation is not named by any client, or "". */
uint32_t resolve_org(const struct resolve_clients *c, struct yg_sv name);

/* resolve_udp.c */
yg_status resolve_udp_open(struct resolve *r, struct yg_err *err);
void resolve_udp_stop(struct resolve *r);
void resolve_udp_reply(struct resolve *r, const struct yg_dns_peer *peer, const uint8_t *msg,
		       size_t n);

/* resolve_tcp.c */
yg_status resolve_tcp_open(struct resolve *r, struct yg_err *err);
void resolve_tcp_stop(struct resolve *r);
void resolve_tcp_reply(struct resolve *r, const struct yg_dns_peer *peer, const uint8_t *msg,
		       size_t n);

/* resolve_up.c */
yg_status resolve_up_open(struct resolve *r, struct yg_err *err);
void resolve_up_ask(struct resolve *r, const struct yg_dns_question *q);
