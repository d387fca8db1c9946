/* Recursion and validation by libunbound, in this worker's own loop.
 *
 * A set has up to two contexts: one validates (RFC 4035), the other one does not and
 * answers queries with CD.  What fails validation never becomes an answer, and the
 * core, not libunbound, keeps what policy and clients see. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/zone_file.h"
#include "os/memfd.h"
#include "os/tls_server.h"
#include "role/resolve_loop.h"
#include "role/resolve_up.h"

#define FILE_MAX  1048576u
#define BAD_NAMES 16 /* different ones in a row without an answer: then there is none to be had */
#define TEXT_MAX  4096

struct recurse_job {
	struct recurse_job *next; /* begins in a turn of the loop, never inside ask() */
	struct up_recurse *set;
	uint64_t token;
	struct yg_dns_name name;
	uint16_t type;
	bool checked;
};
struct recursion { /* what the sets of a worker have in common */
	struct resolve *r;
	struct resolve_loop loop;
	uv_timer_t begin;
	struct recurse_job *first, **last;
};
struct up_recurse {
	struct recursion *all;
	struct ub_ctx *checked, *plain; /* NULL: validation is off; never */
	struct yg_sv zone;              /* borrowed */
	struct up_vain vain;
	bool down; /* told; until there is an answer */
};

/* ---- why an answer is bogus ---- */

static const struct {
	const char *text; /* in libunbound's words; the first that fits */
	uint16_t ede;
} reasons[] = {
	{"signature expired", 7},
	{"signature before inception", 8},
	{"signatures from unknown keys", 9},
	{"no DNSKEY rrset", 9},
	{"Missing DNSKEY", 9},
	{"zone has no DNSKEY", 9},
	{"No DNSKEY record", 9},
	{"lookup of DNSKEY has no", 9},
	{"DNSKEY that matches DS", 9},
	{"verify with DS failed", 9},
	{"DS to a DNSKEY", 9},
	{"DS hash mismatches key", 9},
	{"no keys have a DS", 9},
	{"no signatures over NSEC", 12},
	{"no signatures", 10},
	{"without ZSK flag", 11},
	{"no NSEC", 12},
	{"failed to prove", 12},
	{"failed nsec", 12},
	{"proveNodata", 12},
};

static uint16_t ede_of(const char *why)
{
	for (size_t i = 0; why != NULL && i < YG_LEN(reasons); i++)
		if (strstr(why, reasons[i].text) != NULL)
			return reasons[i].ede;
	return YG_DNS_EDE_BOGUS;
}

/* ---- questions ---- */

bool up_recurse_down(const struct up_recurse *set)
{
	return set->down;
}

/* Somebody answered, or one more question was in vain. */
static void note(const struct recurse_job *j, bool answered)
{
	struct up_recurse *set = j->set;
	struct yg_role_ctx *ctx = set->all->r->ctx;
	if (answered) {
		set->vain.count = 0;
		if (set->down)
			yg_role_log(ctx, YG_EV_RESOLVE_UPSTREAM_UP, YG_KU("recursion", set->zone));
		set->down = false;
	} else if (up_vain(&set->vain, &j->name) >= BAD_NAMES && !set->down) {
		set->down = true;
		yg_role_log(ctx, YG_EV_RESOLVE_UPSTREAM_DOWN, YG_KU("recursion", set->zone),
			    YG_KS("why", "no answer to one name after the other"));
	}
}

static void on_result(void *ctx, int rcode, void *packet, int n, int sec, char *why, int limited)
{
	struct recurse_job *j = ctx;
	struct resolve *r = j->set->all->r;
	yg_mono now = resolve_now(r);
	(void)limited;
	r->up->jobs--;
	note(j, rcode == 0 && packet != NULL && n > 0 && sec != 1);
	if (sec == 1)
		(void)yg_dns_core_answer(r->core, j->token, NULL, 0, YG_DNS_BOGUS, ede_of(why),
					 now);
	else if (rcode != 0 || packet == NULL || n <= 0)
		(void)yg_dns_core_failed(r->core, j->token, YG_DNS_EDE_NO_AUTHORITY, now);
	else
		(void)yg_dns_core_answer(r->core, j->token, packet, (size_t)n,
					 sec == 2 ? YG_DNS_SECURE : YG_DNS_INSECURE,
					 YG_DNS_EDE_NONE, now);
	free(j);
	resolve_wait(r);
}

static void begin(struct recurse_job *j)
{
	char name[4 * YG_DNS_NAME_MAX + 2];
	struct yg_sb b = yg_sb_init(name, sizeof name);
	struct ub_ctx *c = j->checked ? j->set->checked : j->set->plain;
	yg_dns_name_format(&b, &j->name);
	if (c == NULL || b.cut ||
	    ub_resolve_event(c, yg_sb_cstr(&b), j->type, YG_DNS_IN, j, on_result, NULL) != 0)
		on_result(j, YG_DNS_RCODE_SERVFAIL, NULL, 0, 0, NULL, 0);
}

static void on_begin(uv_timer_t *t)
{
	struct recursion *all = t->data;
	struct recurse_job *list = all->first;
	all->first = NULL;
	all->last = &all->first;
	while (list != NULL) {
		struct recurse_job *j = list;
		list = j->next;
		begin(j); /* may answer at once, and the core may ask more */
	}
}

bool up_recurse_ask(struct up_recurse *set, const struct yg_dns_question *q)
{
	struct recursion *all = set->all;
	struct recurse_job *j = calloc(1, sizeof *j);
	if (j == NULL)
		return false;
	j->set = set;
	j->token = q->token;
	j->name = *q->name;
	j->type = q->type;
	j->checked = set->checked != NULL && !q->checking_disabled;
	all->r->up->jobs++;
	if (all->first == NULL)
		(void)uv_timer_start(&all->begin, on_begin, 0, 0);
	*all->last = j;
	all->last = &j->next;
	return true;
}

/* ---- contexts ---- */

struct through { /* servers that it is sent to; none: from the root */
	struct yg_addr addr[UP_SERVERS_MAX];
	size_t count;
	bool tls; /* some are relays */
};
struct making {
	struct resolve *r;
	struct ub_ctx *ctx; /* owned until it is done */
	struct yg_err *err;
	bool loopback; /* a server is on this machine */
	size_t servers;
};

static yg_status option(struct making *m, const char *name, const char *value)
{
	int rc = ub_ctx_set_option(m->ctx, name, value);
	return rc == 0 ? YG_OK : YG_FAIL(m->err, YG_INTERNAL, "%s %s", name, ub_strerror(rc));
}

/* "192.0.2.1@53" out of an address. */
static yg_status server_text(struct making *m, const struct yg_addr *a, char *out, size_t n)
{
	struct yg_sb b = yg_sb_init(out, n);
	yg_ip_format(&b, yg_addr_ip(a));
	yg_sb_printf(&b, "@%u", (unsigned)yg_addr_port(a));
	(void)yg_sb_cstr(&b);
	m->loopback = m->loopback || yg_addr_is_loopback(a);
	m->servers++;
	return b.cut ? YG_INTERNAL : YG_OK;
}

static yg_status on_hint(void *ctx, const struct yg_zone_rr *rr, struct yg_err *err)
{
	struct making *m = ctx;
	char text[80];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	struct yg_ip ip = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}};
	struct yg_addr a;
	if (rr->type == YG_DNS_A && rr->rdata.n == 4)
		memcpy(ip.b + 12, rr->rdata.p, 4);
	else if (rr->type == YG_DNS_AAAA && rr->rdata.n == 16)
		memcpy(ip.b, rr->rdata.p, 16);
	else
		return YG_OK;
	yg_sb_put(&b, yg_ip_is_v4(ip) ? YG_SV("") : YG_SV("["));
	yg_ip_format(&b, ip);
	yg_sb_put(&b, yg_ip_is_v4(ip) ? YG_SV(":53") : YG_SV("]:53"));
	yg_status st = yg_addr_parse(yg_sb_sv(&b), &a, err);
	if (st == YG_OK)
		st = server_text(m, &a, text, sizeof text);
	if (st == YG_OK && ub_ctx_set_stub(m->ctx, ".", text, 1) != 0)
		st = YG_FAIL(err, YG_NOMEM, "the servers of the root");
	return st;
}

static yg_status mapped(struct making *m, const char *name, struct yg_sv *out)
{
	int fd = yg_role_fd(m->r->ctx, name);
	return fd < 0 ? YG_NOTFOUND : yg_memfd_map(fd, FILE_MAX, out, m->err);
}

/* Without a file libunbound knows the servers of the public root. */
static yg_status hints(struct making *m)
{
	struct yg_sv file;
	struct yg_zone_reader *z = NULL;
	const struct yg_zone_opts o = {.ctx = m, .record = on_hint, .ttl = 3600};
	yg_status st = mapped(m, "dns.hints", &file);
	if (st == YG_NOTFOUND)
		return YG_OK;
	if (st != YG_OK)
		return st;
	st = yg_zone_reader_new(&o, &z, m->err);
	if (st == YG_OK)
		st = yg_zone_reader_feed(z, file, m->err);
	if (st == YG_OK)
		st = yg_zone_reader_end(z, m->err);
	yg_zone_reader_free(z);
	yg_memfd_unmap(&file);
	if (st == YG_OK && m->servers == 0)
		st = YG_FAIL(m->err, YG_PARSE, "there is no address in it");
	if (st != YG_OK)
		(void)yg_err_wrap(m->err, "resolve.root-hints: ");
	return st;
}

/* One line, one DS or DNSKEY record; comments as in zone files. */
static yg_status anchors(struct making *m)
{
	struct yg_sv file, rest, line;
	char text[TEXT_MAX];
	size_t count = 0;
	yg_status st = mapped(m, "dns.anchor", &file);
	if (st == YG_NOTFOUND)
		return YG_FAIL(m->err, YG_NOTFOUND,
			       "resolve.trust-anchor: there is none, and validation needs one");
	if (st != YG_OK)
		return st;
	for (rest = file; st == YG_OK && rest.n > 0 && yg_sv_cut(&rest, '\n', &line);) {
		line = yg_sv_trim(yg_sv_sub(line, 0, yg_sv_find(line, ';', 0)));
		struct yg_sb b = yg_sb_init(text, sizeof text);
		if (line.n == 0)
			continue;
		yg_sb_put(&b, line);
		count++;
		if (b.cut || ub_ctx_add_ta(m->ctx, yg_sb_cstr(&b)) != 0)
			st = YG_FAIL(m->err, YG_PARSE, "a line is not a DS or DNSKEY record");
	}
	if (st == YG_OK)
		st = up_anchors_open(m->r, m->ctx, file, m->err);
	yg_memfd_unmap(&file);
	if (st == YG_OK && count == 0)
		st = YG_FAIL(m->err, YG_PARSE, "there is no record in it");
	if (st != YG_OK)
		(void)yg_err_wrap(m->err, "resolve.trust-anchor: ");
	return st;
}

static yg_status insecure(struct making *m)
{
	struct yg_sv rest = m->r->conf->resolve_insecure, one;
	char text[YG_DNS_NAME_MAX + 2];
	yg_status st = YG_OK;
	while (st == YG_OK && rest.n > 0 && yg_sv_cut(&rest, ' ', &one)) {
		struct yg_sb b = yg_sb_init(text, sizeof text);
		yg_sb_put(&b, one);
		st = option(m, "domain-insecure:", yg_sb_cstr(&b));
	}
	return st;
}

static yg_status forwarders(struct making *m, const struct through *t)
{
	char text[80];
	yg_status st = t->tls ? option(m, "tcp-upstream:", "yes") : YG_OK;
	for (size_t i = 0; st == YG_OK && i < t->count; i++) {
		st = server_text(m, &t->addr[i], text, sizeof text);
		if (st == YG_OK && ub_ctx_set_fwd(m->ctx, text) != 0)
			st = YG_FAIL(m->err, YG_NOMEM, "a server to forward to");
	}
	return st;
}

/* One thread; sizes for a resolver and not for one program's own lookups. */
static const char *const settings[][2] = {
	{"msg-cache-size:", "16m"},
	{"rrset-cache-size:", "32m"},
	{"key-cache-size:", "4m"},
	{"neg-cache-size:", "4m"},
	{"infra-cache-numhosts:", "20000"},
	{"num-queries-per-thread:", "2048"},
	{"outgoing-range:", "512"},
	{"outgoing-num-tcp:", "32"},
	{"edns-buffer-size:", "1232"},
	{"use-caps-for-id:", "yes"},
	{"qname-minimisation:", "yes"},
	{"aggressive-nsec:", "yes"},
	{"unblock-lan-zones:", "yes"}, /* what must not leave the network is the core's */
	{"val-bogus-ttl:", "5"},       /* the core keeps a failure, with its reason */
};

static yg_status settle(struct making *m, const struct through *t, bool validate)
{
	yg_status st = YG_OK;
	int rc;
	(void)ub_ctx_debugout(m->ctx, NULL); /* its words are not our log's */
	for (size_t i = 0; st == YG_OK && i < YG_LEN(settings); i++)
		st = option(m, settings[i][0], settings[i][1]);
	if (st == YG_OK)
		st = option(m, "module-config:", validate ? "validator iterator" : "iterator");
	if (st == YG_OK)
		st = t->count > 0 ? forwarders(m, t) : hints(m);
	if (st == YG_OK && m->loopback)
		st = option(m, "do-not-query-localhost:", "no");
	if (st == YG_OK && validate)
		st = anchors(m);
	if (st == YG_OK && validate)
		st = insecure(m);
	if (st != YG_OK)
		return st;
	/* "test" is as good a name as any; and now it reads what it was given */
	rc = ub_ctx_zone_remove(m->ctx, "test.");
	return rc == 0 ? YG_OK
		       : YG_FAIL(m->err, YG_PARSE, "libunbound: %s (is the trust anchor right?)",
				 ub_strerror(rc));
}

static yg_status context_new(struct recursion *all, const struct through *t, bool validate,
			     struct ub_ctx **out, struct yg_err *err)
{
	struct making m = {.r = all->r, .err = err};
	m.ctx = ub_ctx_create_ub_event(&all->loop.base);
	if (m.ctx == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for libunbound");
	yg_status st = settle(&m, t, validate);
	if (st == YG_OK)
		*out = m.ctx;
	else
		ub_ctx_delete(m.ctx);
	return st;
}

static struct recursion *recursion_new(struct resolve *r)
{
	struct recursion *all = calloc(1, sizeof *all);
	if (all == NULL || uv_timer_init(r->ctx->loop, &all->begin) != 0) {
		free(all);
		return NULL;
	}
	all->r = r;
	all->begin.data = all;
	all->last = &all->first;
	resolve_loop_init(&all->loop, r->ctx->loop);
	return all;
}

/* Who is asked by TLS is reached through a relay. */
static yg_status servers_of(struct resolve *r, size_t set, struct through *out, struct yg_err *err)
{
	const struct yg_conf_dns_upstream *u = &r->conf->dns_upstreams[set];
	struct up_set read = {.count = 0};
	struct yg_tls_peer peer = {.name = ""};
	struct yg_tls_context *context = NULL;
	yg_status st = up_servers_read(&read, u->forward, err);
	if (st == YG_OK)
		st = up_tls_pins(&peer, u->pins, err);
	for (size_t k = 0; st == YG_OK && k < read.count; k++) {
		const struct up_server *s = &read.servers[k];
		out->addr[out->count] = s->addr;
		if (s->name.n > 0 || peer.pin_count > 0) {
			if (context == NULL)
				st = up_tls_authorities(r, set, &context, err);
			const struct up_relay_server to = {.context = context,
							   .peer = &peer,
							   .name = s->name,
							   .addr = s->addr};
			if (st == YG_OK)
				st = up_relay_open(r, set, k, &to, &out->addr[out->count], err);
			out->tls = true;
		}
		out->count++;
	}
	return st;
}

yg_status up_recurse_open(struct resolve *r, size_t i, bool validate, struct up_recurse **out,
			  struct yg_err *err)
{
	struct upstreams *u = r->up;
	struct through through = {.count = 0};
	if (u->recursion == NULL)
		u->recursion = recursion_new(r);
	struct up_recurse *set = calloc(1, sizeof *set);
	if (u->recursion == NULL || set == NULL) {
		free(set);
		return YG_FAIL(err, YG_NOMEM, "no memory for recursion");
	}
	set->all = u->recursion;
	set->zone = r->conf->dns_upstreams[i].zone;
	yg_status st = servers_of(r, i, &through, err);
	if (st == YG_OK)
		st = context_new(set->all, &through, false, &set->plain, err);
	if (st == YG_OK && validate)
		st = context_new(set->all, &through, true, &set->checked, err);
	*out = set; /* the role ends when it is not whole */
	return st;
}
