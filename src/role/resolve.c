/* resolve.c - role resolve: protective DNS.  Sockets, time and upstreams for the
 * core (dns/core.h), which decides everything.  Goes on with the last policy when
 * the centre, or whoever compiles the policy, is away. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/file.h"
#include "os/memfd.h"
#include "os/thread.h"
#include "role/resolve_internal.h"

#define KIND_DNS_POLICY 2u
#define KIND_DNS_LOCAL  3u
#define KIND_DNS_BASE   5u
#define TICK_MOST_MS    50
#define CACHE_ALIGN     64u

/* What the outputs of resolve.dnstap need, and no more. */
static void tap_rights(const struct yg_conf *c, struct yg_role_profile *p)
{
	static char folders[8][YG_CONF_TAP_MAX + 1]; /* as many as there may be */
	for (size_t i = 0; i < c->dns_tap_count && i < YG_LEN(folders); i++) {
		const struct yg_conf_dns_tap *t = &c->dns_taps[i];
		struct yg_sv path = t->to;
		if (YG_SV_IS(t->protocol, "unix"))
			p->box.calls |= YG_CALLS_UNIX;
		if (!YG_SV_IS(t->protocol, "file"))
			continue;
		while (path.n > 1 && path.p[path.n - 1] != '/')
			path.n--;
		struct yg_sb b = yg_sb_init(folders[i], sizeof folders[i]);
		yg_sb_put(&b, path);
		yg_role_path(p, yg_sb_cstr(&b), YG_ACCESS_READ | YG_ACCESS_WRITE, true);
	}
}

static void profile(struct yg_role_ctx *ctx, struct yg_role_profile *p)
{
	const struct yg_conf *c = ctx->conf;
	p->any_port = true;
	if (c->resolve_log != 0)
		yg_role_path(p, "dnslog", YG_ACCESS_READ | YG_ACCESS_WRITE, true);
	p->box.calls |= YG_CALLS_INET_OUT | YG_CALLS_BIND;
	tap_rights(c, p);
	p->box.files_max = (uint32_t)YG_MIN(c->resolve_tcp + 16384, 1000000u);
	/* cache, policy (read in place), waiting queries, connections */
	bool tls = c->dns_dot_count + c->dns_doh_count > 0;
	uint64_t contexts = 0; /* of libunbound, two a set */
	for (size_t i = 0; i < c->dns_upstream_count; i++)
		if (c->dns_upstreams[i].recursion != 0 ||
		    YG_SV_IS(c->dns_upstreams[i].dnssec, "validate"))
			contexts += 2;
	p->box.memory_max = c->resolve_cache_bytes + ((uint64_t)1 << 30) + contexts * (96u << 20) +
			    c->resolve_tcp * (tls ? (64u << 10) : 2048u);
}

static void tell_time(struct resolve *r)
{
	int64_t wall = yg_env_wall(&r->ctx->env).us;
	r->wall_ahead_us = wall - resolve_now(r).us;
	yg_dns_core_wall(r->core, (uint32_t)(wall / YG_US_PER_S));
}

static void on_tick(uv_timer_t *t)
{
	struct resolve *r = t->data;
	r->tick_at = INT64_MAX;
	tell_time(r);
	resolve_udp_tick(r);
	resolve_wait(r);
}

void resolve_wait(struct resolve *r)
{
	int64_t now = resolve_now(r).us;
	yg_mono next = yg_dns_core_tick(r->core, (yg_mono){now});
	if (next.us == INT64_MAX) /* the clock of the cookies still goes on */
		next.us = now + YG_US_PER_S;
	if (next.us >= r->tick_at)
		return;
	r->tick_at = next.us;
	uint64_t ms = next.us <= now ? 1 : (uint64_t)((next.us - now) / 1000 + 1);
	(void)uv_timer_start(&r->tick, on_tick, ms, 0);
}

static void on_reply(void *ctx, const struct yg_dns_peer *peer, uint8_t transport,
		     const uint8_t *msg, size_t n)
{
	if (transport == YG_DNS_UDP)
		resolve_udp_reply(ctx, peer, msg, n);
	else
		resolve_stream_reply(ctx, peer, msg, n);
}

static void on_event(void *ctx, const struct yg_dns_event *ev)
{
	struct resolve *r = ctx;
	resolve_count_event(r, ev);
	if (r->log != NULL)
		resolve_log_event(r->log, ev);
}

static void on_ask(void *ctx, const struct yg_dns_question *q)
{
	resolve_up_ask(ctx, q);
}

/* Numbers of views are those of one policy. */
static void on_client(void *ctx, struct yg_dns_client *client)
{
	struct resolve *r = ctx;
	if (client->network <= r->clients.count)
		client->view = r->clients.rows[client->network].view;
}

static void on_snapshot(struct yg_role_ctx *ctx, uint32_t kind, uint64_t generation, int *fd)
{
	struct resolve *r = ctx->user;
	YG_AUTO(yg_fd_close) int mine = *fd; /* read in place, then it may be closed */
	*fd = -1;
	if (kind == KIND_DNS_LOCAL)
		resolve_local_take(r, mine);
	if (kind == KIND_DNS_BASE) /* what it is for comes next */
		resolve_policy_base(r, &mine);
	if (kind == KIND_DNS_POLICY)
		resolve_policy_take(r, generation, &mine);
}

static void on_drain(struct yg_role_ctx *ctx)
{
	struct resolve *r = ctx->user;
	r->draining = true;
	resolve_udp_stop(r);
	resolve_stream_stop(r);
	resolve_log_end(r);
	if (r->taps != NULL)
		resolve_taps_end(r->taps, yg_role_stop);
	else
		yg_role_stop(ctx);
}

/* The same for all workers and after a restart, so that cookies stay good (RFC 9018 2). */
static yg_status cookie_key(struct resolve *r, struct yg_err *err)
{
	struct yg_sv file;
	int fd = yg_role_fd(r->ctx, "dns.cookie");
	if (fd < 0)
		return YG_FAIL(err, YG_INTERNAL, "no key for cookies");
	yg_status st = yg_memfd_map(fd, 4096, &file, err);
	if (st != YG_OK)
		return st;
	if (yg_parse_hex(yg_sv_trim(file), r->cookie_key, sizeof r->cookie_key, NULL) != YG_OK)
		st = YG_FAIL(err, YG_PARSE, "keys/dns-cookie: expected 32 hexadecimal digits");
	yg_memfd_unmap(&file);
	return st;
}

static yg_status limiter_open(struct resolve *r, struct yg_err *err)
{
	struct resolve_limit_opts o = {.rate = r->conf->resolve_rrl,
				       .slip = (uint32_t)r->conf->resolve_rrl_slip};
	if (o.rate == 0)
		return YG_OK;
	r->ctx->env.random(r->ctx->env.ctx, o.key, sizeof o.key);
	r->limiter = resolve_limiter_new(&o);
	return r->limiter != NULL ? YG_OK : YG_FAIL(err, YG_NOMEM, "no memory for rate limits");
}

static yg_status core_open(struct resolve *r, struct yg_err *err)
{
	const struct yg_conf *c = r->conf;
	r->cache_bytes = (size_t)c->resolve_cache_bytes / CACHE_ALIGN * CACHE_ALIGN;
	r->cache = calloc(1, r->cache_bytes + CACHE_ALIGN); /* pages come as they are used */
	if (r->cache == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for resolve.cache");
	size_t over = (uintptr_t)r->cache % CACHE_ALIGN;
	struct yg_dns_core_opts o = {
		.ops = {.ctx = r,
			.reply = on_reply,
			.ask = on_ask,
			.event = on_event,
			.client = on_client},
		.cache = (char *)r->cache + (over > 0 ? CACHE_ALIGN - over : 0),
		.cache_bytes = r->cache_bytes,
		.ttl = {.most = (uint32_t)c->resolve_ttl_max,
			.least = (uint32_t)c->resolve_ttl_min,
			.stale = (uint32_t)(c->resolve_stale_us / YG_US_PER_S)},
		.no_stale = c->resolve_stale_us == 0,
		.break_dnssec = c->resolve_break_dnssec != 0,
		.no_rebind_guard = c->resolve_rebinding == 0,
		.below = YG_SV_IS(c->resolve_below, "always")  ? YG_DNS_BELOW_ANY
			 : YG_SV_IS(c->resolve_below, "never") ? YG_DNS_BELOW_NOTHING
							       : YG_DNS_BELOW_SECURE,
		.udp_max = (uint16_t)c->resolve_edns_bytes};
	r->ctx->env.random(r->ctx->env.ctx, o.random, sizeof o.random);
	yg_status st = cookie_key(r, err);
	if (st != YG_OK)
		return st;
	memcpy(o.cookie_key, r->cookie_key, sizeof o.cookie_key);
	return yg_dns_core_new(&o, &r->core, err);
}

static yg_status run(struct yg_role_ctx *ctx, struct yg_err *err)
{
	struct resolve *r = calloc(1, sizeof *r);
	if (r == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the resolver");
	ctx->user = r;
	r->ctx = ctx;
	r->conf = ctx->conf;
	r->tick_at = INT64_MAX;
	if (uv_timer_init(ctx->loop, &r->tick) != 0)
		return YG_FAIL(err, YG_INTERNAL, "a timer of the loop");
	r->tick.data = r;
	yg_status st = resolve_policy_open(r, err);
	if (st == YG_OK)
		st = resolve_clients_open(&r->clients, ctx, err);
	if (st == YG_OK)
		st = resolve_taps_open(ctx, &r->taps, err);
	if (st == YG_OK)
		st = resolve_log_open(r, err);
	if (st == YG_OK)
		st = core_open(r, err);
	if (st == YG_OK)
		st = resolve_up_open(r, err);
	if (st == YG_OK)
		st = resolve_local_open(r, err);
	if (st == YG_OK)
		st = limiter_open(r, err);
	if (st != YG_OK)
		return st;
	ctx->hooks.drain = on_drain;
	ctx->hooks.snapshot = on_snapshot;
	/* policy and local zones come before the first query: without them it would be answered
	 * wrongly */
	if (!yg_role_wait_given(ctx))
		return YG_OK;
	st = resolve_udp_open(r, err);
	if (st == YG_OK)
		st = resolve_stream_open(r, err);
	if (st == YG_OK)
		st = resolve_door_open(r, err);
	if (st != YG_OK)
		return st;
	r->serving = true;
	tell_time(r);
	resolve_wait(r);
	yg_role_ready(ctx, "");
	(void)uv_run(ctx->loop, UV_RUN_DEFAULT);
	return YG_OK;
}

static yg_status prepare(struct yg_role_ctx *ctx, struct yg_err *err)
{
	(void)ctx;
	(void)err;
	yg_thread_prompt(1); /* before the compiler of the policies, when both want the core */
	return YG_OK;
}

const struct yg_role yg_role_resolve = {
	.name = "resolve",
	.bit = YG_R_RESOLVE,
	.doc = "Answers DNS queries by policy, cache and upstream servers; sees DNS packets of anybody.",
	.peers = 0,
	/* files: libuv tries to open /dev/null; threads: one verifies a new policy */
	.calls = YG_CALLS_ACCEPT | YG_CALLS_FILES | YG_CALLS_THREADS,
	.w_xor_x = true,
	.prepare = prepare,
	.profile = profile,
	.run = run,
};
