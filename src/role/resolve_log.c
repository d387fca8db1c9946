/* Every answered query as a dnstap frame, into files of the folder dnslog/ that role
 * ingest takes over (ingest_dnslog.c).  One buffer per worker, written before the answers
 * that it tells of are sent (a batch's at once), so that none is without its event whenever
 * the worker dies; what was not answered is written when the loop turns.  No lock, no
 * allocation, nothing is synced.  The files: resolve_log_file.c.
 *
 * What a file holds of a client's address is decided here, before anything is written. */
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "format/dns_extra.h"
#include "format/fstrm.h"
#include "os/memfd.h"
#include "role/resolve_internal.h"
#include "role/resolve_log_file.h"

#define BUFFER       (64u << 10)
#define ROOM         (BUFFER + 4 + YG_DNS_MSG_MAX + YG_DNS_EXTRA_MAX + 2048) /* and one more frame */
#define IDENTITY_MAX 320

enum keeps { KEPT, PSEUDONYM, DROPPED };
struct who {                         /* by network: row of the clients */
	char identity[IDENTITY_MAX]; /* "organisation/network" */
	uint16_t identity_n;
	uint8_t keeps;   /* enum keeps */
	uint8_t key[16]; /* of pseudonyms; the organisation's own */
};
struct told { /* what the frame points into */
	uint8_t address[16], extra[YG_DNS_EXTRA_MAX], query[YG_DNS_HEADER + 260];
	uint8_t rule[512];
	char rules[YG_DNS_EXTRA_HITS][YG_DNS_EXTRA_RULE];
	struct yg_dns_extra x;
};
struct resolve_log {
	struct resolve *r;
	struct who *who; /* owned */
	uv_prepare_t turn;
	bool has_files; /* false: only the outputs of resolve.dnstap are told */
	struct log_files files;
	size_t n;         /* bytes in buf */
	uint32_t waiting; /* frames in it */
	struct told told; /* of the frame at hand */
	uint8_t buf[ROOM];
};

static void flush(struct resolve_log *l)
{
	if (l->n == 0)
		return;
	log_files_write(&l->files, l->buf, l->n, l->waiting);
	l->n = 0;
	l->waiting = 0;
}

void resolve_log_flush(struct resolve *r)
{
	if (r->log != NULL && r->log->n > 0)
		flush(r->log);
}

static void on_turn(uv_prepare_t *h)
{
	flush(h->data);
}

/* ---- a frame ---- */

/* fd79:6167:7572:6100::/64 and 64 bits of hash: an address like any other to searches,
 * groups and alerts, and of no network there is. */
static void pseudonym(const struct who *w, struct yg_ip ip, uint8_t out[static 16])
{
	static const uint8_t prefix[8] = {0xfd, 0x79, 0x61, 0x67, 0x75, 0x72, 0x61, 0};
	uint64_t hash = yg_siphash(w->key, ip.b, sizeof ip.b);
	memcpy(out, prefix, sizeof prefix);
	memcpy(out + 8, &hash, 8);
}

static void address(const struct yg_dns_event *ev, const struct who *w, uint8_t room16[static 16],
		    struct yg_dnstap *d, struct yg_dns_extra *x)
{
	struct yg_ip ip = ev->client->ip;
	d->family = yg_ip_is_v4(ip) ? YG_DNSTAP_INET : YG_DNSTAP_INET6;
	if (w->keeps == DROPPED) {
		x->flags = YG_DNS_EXTRA_NO_ADDRESS;
		return;
	}
	bool v4 = w->keeps == KEPT && yg_ip_is_v4(ip);
	if (w->keeps == PSEUDONYM) {
		pseudonym(w, ip, room16);
		d->family = YG_DNSTAP_INET6;
		x->flags = YG_DNS_EXTRA_PSEUDONYM;
	} else {
		memcpy(room16, v4 ? ip.b + 12 : ip.b, v4 ? 4 : 16);
	}
	d->query_address = (struct yg_sv){(const char *)room16, v4 ? 4 : 16};
}

static uint32_t dnstap_match(enum yg_dns_trigger t)
{
	static const uint8_t of[YG_DNS_TRIGGER_COUNT] = {
		[YG_DNS_TRIGGER_CLIENT_IP] = YG_DNSTAP_CLIENT_IP,
		[YG_DNS_TRIGGER_QNAME] = YG_DNSTAP_QNAME,
		[YG_DNS_TRIGGER_RESPONSE_IP] = YG_DNSTAP_RESPONSE_IP,
		[YG_DNS_TRIGGER_NSDNAME] = YG_DNSTAP_NS_NAME,
		[YG_DNS_TRIGGER_NSIP] = YG_DNSTAP_NS_IP};
	return of[t];
}

static uint32_t dnstap_action(enum yg_dns_action a)
{
	static const uint8_t of[YG_DNS_ACTION_COUNT] = {
		[YG_DNS_ACTION_PASSTHRU] = YG_DNSTAP_PASS,
		[YG_DNS_ACTION_NXDOMAIN] = YG_DNSTAP_NXDOMAIN,
		[YG_DNS_ACTION_NODATA] = YG_DNSTAP_NODATA,
		[YG_DNS_ACTION_DROP] = YG_DNSTAP_DROP,
		[YG_DNS_ACTION_TCP_ONLY] = YG_DNSTAP_TRUNCATE,
		[YG_DNS_ACTION_DATA] = YG_DNSTAP_LOCAL_DATA,
		[YG_DNS_ACTION_CNAME] = YG_DNSTAP_LOCAL_DATA};
	return of[a];
}

/* The record that decided (note: SIZE_MAX) or noted.  keeps: what is kept of the address;
 * the record that is about it would tell it too. */
static void hit_of(struct told *t, const struct yg_dns_eval *e, size_t note, bool decided,
		   const struct yg_dns_verdict *v, uint8_t keeps)
{
	if (t->x.hit_count == YG_DNS_EXTRA_HITS || v->action == YG_DNS_ACTION_NONE)
		return;
	struct yg_sb b = yg_sb_init(t->rules[t->x.hit_count], YG_DNS_EXTRA_RULE);
	if (v->trigger == YG_DNS_TRIGGER_CLIENT_IP && keeps != KEPT)
		yg_sb_put(&b, YG_SV("rpz-client-ip"));
	else
		yg_dns_eval_record(e, note, &b);
	t->x.hits[t->x.hit_count++] =
		(struct yg_dns_extra_hit){.decided = decided,
					  .layer = yg_sv_of(yg_dns_layer_name(v->zone.layer)),
					  .zone = v->zone.name,
					  .category = v->zone.category,
					  .trigger = yg_sv_of(yg_dns_trigger_name(v->trigger)),
					  .action = yg_sv_of(yg_dns_action_name(v->action)),
					  .rule = yg_sb_sv(&b)};
}

/* dnstap's own words for the record that decided: its owner name with the zone's. */
static void policy_of(struct told *t, const struct yg_dns_event *ev, struct yg_dnstap *d)
{
	const struct yg_dns_verdict *v = ev->verdict;
	struct yg_dns_name name;
	d->policy = (struct yg_dnstap_policy){.is_there = true,
					      .type = YG_SV_INIT("RPZ"),
					      .action = dnstap_action(v->action),
					      .match = dnstap_match(v->trigger)};
	if (!yg_dns_eval_owner(ev->eval, &name) &&
	    yg_dns_name_parse(t->x.hits[0].rule, NULL, &name, NULL) != YG_OK)
		return;
	if (name.n == 0 || name.n - 1u + v->zone.origin.n > sizeof t->rule)
		return;
	memcpy(t->rule, name.b, name.n - 1u);
	if (v->zone.origin.n > 0)
		memcpy(t->rule + name.n - 1, v->zone.origin.p, v->zone.origin.n);
	else
		t->rule[name.n - 1] = 0;
	d->policy.rule = (struct yg_sv){(const char *)t->rule,
					name.n - 1u + YG_MAX(v->zone.origin.n, (size_t)1)};
}

static void judged(struct told *t, const struct yg_dns_event *ev, uint8_t keeps,
		   struct yg_dnstap *d)
{
	bool decided = ev->verdict != NULL && !ev->client->audit;
	struct yg_dns_verdict note;
	if (ev->verdict != NULL)
		hit_of(t, ev->eval, SIZE_MAX, decided, ev->verdict, keeps);
	if (decided && t->x.hit_count > 0)
		policy_of(t, ev, d);
	for (size_t i = 0; i < ev->eval->note_count; i++) {
		yg_dns_eval_note(ev->eval, i, &note);
		hit_of(t, ev->eval, i, false, &note, keeps);
	}
}

/* Dropped: no answer to log, so what was asked. */
static void question_of(struct told *t, const struct yg_dns_event *ev, struct yg_dnstap *d)
{
	const struct yg_dns_query *q = ev->query;
	uint8_t *p = t->query;
	memset(p, 0, YG_DNS_HEADER);
	yg_dns_put16(p, q->id);
	yg_dns_put16(p + 2, q->flags);
	p[5] = 1;
	memcpy(p + YG_DNS_HEADER, q->name.b, q->name.n);
	p += YG_DNS_HEADER + q->name.n;
	yg_dns_put16(p, q->type);
	yg_dns_put16(p + 2, q->cls);
	d->type = YG_DNSTAP_CLIENT_QUERY;
	d->query_message = (struct yg_sv){(const char *)t->query, (size_t)(p + 4 - t->query)};
}

static void times(const struct resolve_log *l, const struct yg_dns_event *ev, struct yg_dnstap *d)
{
	int64_t now = ev->now.us + l->r->wall_ahead_us, asked = now - YG_MAX(ev->took_us, 0);
	d->query_sec = (uint64_t)(asked / YG_US_PER_S);
	d->query_nsec = (uint32_t)(asked % YG_US_PER_S) * 1000;
	if (ev->answer_n == 0)
		return;
	d->response_sec = (uint64_t)(now / YG_US_PER_S);
	d->response_nsec = (uint32_t)(now % YG_US_PER_S) * 1000;
}

static void frame(struct resolve_log *l, const struct yg_dns_event *ev, const struct who *w)
{
	struct told *t = &l->told;
	struct yg_dnstap d = {.type = YG_DNSTAP_CLIENT_RESPONSE,
			      .protocol = ev->transport, /* the numbers are the same */
			      .identity = {w->identity, w->identity_n},
			      .response_message = {(const char *)ev->answer, ev->answer_n}};
	t->x.origin = ev->source;
	t->x.flags = 0;
	t->x.rcode = ev->rcode;
	t->x.ede = ev->ede;
	t->x.set = ev->set;
	t->x.took_us = (uint32_t)YG_MAX(YG_MIN(ev->took_us, (int64_t)UINT32_MAX), 0);
	t->x.hit_count = 0;
	address(ev, w, t->address, &d, &t->x);
	if (w->keeps == KEPT)
		d.query_port = ev->transport == YG_DNS_UDP ? resolve_udp_port(ev->peer)
							   : resolve_stream_port(l->r, ev->peer);
	if (ev->eval != NULL)
		judged(t, ev, w->keeps, &d);
	if (ev->answer_n == 0)
		question_of(t, ev, &d);
	times(l, ev, &d);
	d.extra = (struct yg_sv){(const char *)t->extra,
				 yg_dns_extra_put(&t->x, t->extra, sizeof t->extra)};
	if (l->r->taps != NULL)
		resolve_taps_put(l->r->taps, &d);
	if (!l->has_files)
		return;
	if (log_files_full(&l->files)) {
		l->files.counts.dropped++;
		return;
	}
	size_t n = yg_dnstap_encode(&d, l->buf + l->n + 4, sizeof l->buf - l->n - 4);
	if (n == 0) { /* cannot be: there is room for the largest */
		l->files.counts.dropped++;
		return;
	}
	yg_fstrm_data(l->buf + l->n, (uint32_t)n);
	l->n += n + 4;
	l->waiting++;
	if (l->n >= BUFFER)
		flush(l);
}

static_assert((int)YG_DNS_UDP == (int)YG_DNSTAP_UDP && (int)YG_DNS_TCP == (int)YG_DNSTAP_TCP &&
		      (int)YG_DNS_DOT == (int)YG_DNSTAP_DOT &&
		      (int)YG_DNS_DOH == (int)YG_DNSTAP_DOH,
	      "a transport is a protocol of dnstap");
static_assert(YG_DNS_FROM_FAILURE + 1 == YG_DNS_ORIGIN_COUNT, "every source has its word");

void resolve_log_event(struct resolve_log *l, const struct yg_dns_event *ev)
{
	/* strangers and what is no question are counted, not told: whoever forges senders
	 * could fill the log */
	if (ev->client->refused || !ev->query->has_question) {
		l->files.counts.untold++;
		return;
	}
	if (l->r->taps == NULL && log_files_full(&l->files)) {
		l->files.counts.dropped++;
		return;
	}
	frame(l, ev, &l->who[ev->client->network]);
}

/* ---- opening ---- */

static uint8_t keeps_of(const struct yg_conf *c, struct yg_sv org)
{
	struct yg_sv how = c->resolve_addresses;
	for (size_t i = 0; i < c->dns_privacy_count; i++)
		if (yg_sv_eq(c->dns_privacies[i].org, org))
			how = c->dns_privacies[i].addresses;
	return YG_SV_IS(how, "kept") ? KEPT : YG_SV_IS(how, "dropped") ? DROPPED : PSEUDONYM;
}

static void who_fill(struct who *w, const struct yg_conf *c, const struct yg_conf_dns_client *k,
		     const uint8_t key[static 16])
{
	uint8_t other[16];
	struct yg_sb b = yg_sb_init(w->identity, sizeof w->identity);
	yg_sb_put(&b, k->org);
	yg_sb_putc(&b, '/');
	yg_sb_put(&b, yg_sv_sub(k->network, 0, 250));
	w->identity_n = (uint16_t)b.n;
	w->keeps = keeps_of(c, k->org);
	for (size_t i = 0; i < sizeof other; i++)
		other[i] = (uint8_t)(key[i] ^ 0x5c);
	uint64_t half[2] = {yg_siphash(key, k->org.p, k->org.n),
			    yg_siphash(other, k->org.p, k->org.n)};
	memcpy(w->key, half, sizeof half);
}

static yg_status who_open(struct resolve_log *l, struct yg_err *err)
{
	const struct yg_conf *c = l->r->conf;
	uint8_t key[16];
	struct yg_sv file;
	int fd = yg_role_fd(l->r->ctx, "dns.log");
	l->who = calloc(c->dns_client_count + 1, sizeof *l->who);
	if (l->who == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the query log");
	if (fd < 0)
		return YG_FAIL(err, YG_INTERNAL, "no key for pseudonyms");
	yg_status st = yg_memfd_map(fd, 4096, &file, err);
	if (st != YG_OK)
		return st;
	st = yg_parse_hex(yg_sv_trim(file), key, sizeof key, NULL);
	yg_memfd_unmap(&file);
	if (st != YG_OK)
		return YG_FAIL(err, YG_PARSE,
			       "resolve.address-key-file: expected 32 hexadecimal digits");
	for (size_t i = 0; i < c->dns_client_count; i++)
		who_fill(&l->who[i], c, &c->dns_clients[i], key);
	explicit_bzero(key, sizeof key);
	return YG_OK;
}

yg_status resolve_log_open(struct resolve *r, struct yg_err *err)
{
	const struct yg_conf *c = r->conf;
	if (c->resolve_log == 0 && r->taps == NULL)
		return YG_OK;
	struct resolve_log *l = calloc(1, sizeof *l);
	if (l == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the query log");
	r->log = l;
	l->r = r;
	l->has_files = c->resolve_log != 0;
	l->files.fd = -1;
	yg_status st = who_open(l, err);
	if (st != YG_OK || !l->has_files) /* not: only for others, by dnstap */
		return st;
	log_files_open(&l->files, r->ctx);
	if (uv_prepare_init(r->ctx->loop, &l->turn) != 0)
		return YG_FAIL(err, YG_INTERNAL, "the query log's place in the loop");
	l->turn.data = l;
	(void)uv_prepare_start(&l->turn, on_turn);
	return YG_OK;
}

void resolve_log_end(struct resolve *r)
{
	if (r->log == NULL)
		return;
	flush(r->log);
	log_files_end(&r->log->files);
}

struct resolve_log_counts resolve_log_counts(const struct resolve *r)
{
	struct resolve_log_counts c = {0};
	if (r->log == NULL)
		return c;
	const struct log_files *f = &r->log->files;
	c = f->counts;
	c.waiting_bytes = f->others_n + f->file_n;
	c.most_bytes = f->most;
	c.full = f->full;
	return c;
}
