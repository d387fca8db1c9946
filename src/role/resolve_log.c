/* Every answered query as a dnstap frame, into files of the folder dnslog/ that role
 * ingest takes over (ingest_dnslog.c).  One buffer per worker, written before the answers
 * that it tells of are sent (a batch's at once), so that none is without its event whenever
 * the worker dies; what was not answered is written when the loop turns.  No lock, no
 * allocation, nothing is synced.
 *
 * A file is Frame Streams: START, frames, STOP.  Its name is "<worker>-<number>.tap";
 * numbers of a worker rise, so a file is ended for certain once a later one is there.
 *
 * What a file holds of a client's address is decided here, before anything is written. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/codec.h"
#include "format/dns_extra.h"
#include "format/fstrm.h"
#include "os/file.h"
#include "os/memfd.h"
#include "role/resolve_internal.h"

#define FOLDER       "dnslog"
#define BUFFER       (64u << 10)
#define ROOM         (BUFFER + 4 + YG_DNS_MSG_MAX + YG_DNS_EXTRA_MAX + 2048) /* and one more frame */
#define FILE_MOST    (32u << 20)
#define FILE_LEAST   (1u << 20)
#define FILE_FOR_US  (600 * YG_US_PER_S)
#define LOOK_US      (YG_US_PER_S / 2) /* while it is full: is there room again? */
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
	int fd;                                     /* -1: none */
	uint64_t number;                            /* of the file */
	uint64_t file_n, file_most, others_n, most; /* bytes: this file, the worker's others */
	int64_t begun_us, look_us;                  /* monotonic */
	bool drop_old, full;
	bool files;       /* false: only the outputs of resolve.dnstap are told */
	size_t n;         /* bytes in buf */
	uint32_t waiting; /* frames in it */
	struct resolve_log_counts counts;
	struct told told; /* of the frame at hand */
	uint8_t buf[ROOM];
};

/* ---- files ---- */

static void name_of(const struct resolve_log *l, uint64_t number, char *out, size_t cap)
{
	(void)snprintf(out, cap, FOLDER "/%u-%016llu.tap", l->r->ctx->index,
		       (unsigned long long)number);
}

struct found {
	uint64_t bytes, oldest, newest;
};

/* The worker's files but the one at hand. */
static void look(struct resolve_log *l, struct found *out)
{
	char prefix[24];
	*out = (struct found){.oldest = UINT64_MAX};
	(void)snprintf(prefix, sizeof prefix, "%u-", l->r->ctx->index);
	DIR *d = opendir(FOLDER);
	for (struct dirent *e = d != NULL ? readdir(d) : NULL; e != NULL; e = readdir(d)) {
		struct yg_sv name = yg_sv_of(e->d_name);
		struct stat st;
		uint64_t number;
		if (!yg_sv_starts(name, yg_sv_of(prefix)) || !yg_sv_ends(name, YG_SV(".tap")))
			continue;
		size_t at = strlen(prefix);
		if (yg_parse_u64(yg_sv_sub(name, at, name.n - at - 4), &number, NULL) != YG_OK ||
		    (l->fd >= 0 && number == l->number) ||
		    fstatat(dirfd(d), e->d_name, &st, 0) != 0)
			continue;
		out->bytes += (uint64_t)st.st_size;
		out->oldest = YG_MIN(out->oldest, number);
		out->newest = YG_MAX(out->newest, number);
	}
	if (d != NULL)
		(void)closedir(d);
}

static void trouble(struct resolve_log *l, const char *what)
{
	struct yg_err err = {0};
	(void)YG_FAIL_OS(&err, errno, "%s", what);
	l->counts.failures++;
	yg_role_log(l->r->ctx, YG_EV_RESOLVE_LOG_FAILED, YG_KERR(&err));
}

static void file_end(struct resolve_log *l)
{
	uint8_t stop[YG_FSTRM_CONTROL_ROOM];
	if (l->fd < 0)
		return;
	size_t n = yg_fstrm_control(stop, sizeof stop, YG_FSTRM_STOP, YG_SV(""));
	if (write(l->fd, stop, n) == (ssize_t)n)
		l->file_n += n;
	yg_fd_close(&l->fd);
	l->others_n += l->file_n;
	l->file_n = 0;
}

static bool file_begin(struct resolve_log *l)
{
	char name[64];
	uint8_t start[YG_FSTRM_CONTROL_ROOM];
	name_of(l, ++l->number, name, sizeof name);
	l->fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	if (l->fd < 0) {
		trouble(l, name);
		return false;
	}
	size_t n = yg_fstrm_control(start, sizeof start, YG_FSTRM_START, YG_SV(YG_FSTRM_DNSTAP));
	if (write(l->fd, start, n) != (ssize_t)n) {
		trouble(l, name);
		(void)unlink(name);
		yg_fd_close(&l->fd);
		return false;
	}
	l->file_n = n;
	l->begun_us = resolve_now(l->r).us;
	l->counts.files++;
	return true;
}

/* Makes room for n bytes more; false: there is none. */
static bool room(struct resolve_log *l, size_t n)
{
	int64_t now = resolve_now(l->r).us;
	if (l->file_n + l->others_n + n <= l->most)
		return true;
	if (l->full && now < l->look_us)
		return false;
	struct found f;
	look(l, &f);
	while (l->drop_old && f.bytes > 0 && l->file_n + f.bytes + n > l->most) {
		char name[64];
		name_of(l, f.oldest, name, sizeof name);
		if (unlink(name) != 0)
			break;
		l->counts.files_dropped++;
		look(l, &f);
	}
	l->others_n = f.bytes;
	bool ok = l->file_n + l->others_n + n <= l->most;
	if (!ok && !l->full)
		yg_role_log(l->r->ctx, YG_EV_RESOLVE_LOG_FULL, YG_KN("bytes", l->others_n),
			    YG_KN("dropped", l->counts.dropped));
	l->full = !ok;
	l->look_us = now + LOOK_US;
	return ok;
}

/* Writes all of buf; false: nothing of it is in the file. */
static bool write_out(struct resolve_log *l)
{
	size_t done = 0;
	while (done < l->n) {
		ssize_t n = write(l->fd, l->buf + done, l->n - done);
		if (n > 0) {
			done += (size_t)n;
		} else if (n == 0 || errno != EINTR) {
			trouble(l, "cannot write into " FOLDER);
			/* half a frame must not stand before a whole one */
			if (ftruncate(l->fd, (off_t)l->file_n) != 0)
				yg_fd_close(&l->fd);
			return false;
		}
	}
	l->file_n += done;
	return true;
}

static void flush(struct resolve_log *l)
{
	if (l->n == 0)
		return;
	bool old = l->fd >= 0 && (l->file_n + l->n > l->file_most ||
				  resolve_now(l->r).us - l->begun_us > FILE_FOR_US);
	if (old)
		file_end(l);
	bool ok = room(l, l->n) && (l->fd >= 0 || file_begin(l)) && write_out(l);
	if (ok) {
		l->counts.written += l->waiting;
		l->counts.bytes += l->n;
	} else {
		l->counts.dropped += l->waiting;
	}
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
	if (!l->files)
		return;
	if (l->full && resolve_now(l->r).us < l->look_us) {
		l->counts.dropped++;
		return;
	}
	size_t n = yg_dnstap_encode(&d, l->buf + l->n + 4, sizeof l->buf - l->n - 4);
	if (n == 0) { /* cannot be: there is room for the largest */
		l->counts.dropped++;
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
		l->counts.untold++;
		return;
	}
	if (l->full && l->r->taps == NULL && resolve_now(l->r).us < l->look_us) {
		l->counts.dropped++;
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
	struct found f;
	if (c->resolve_log == 0 && r->taps == NULL)
		return YG_OK;
	struct resolve_log *l = calloc(1, sizeof *l);
	if (l == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the query log");
	r->log = l;
	l->r = r;
	l->fd = -1;
	l->files = c->resolve_log != 0;
	if (!l->files) /* only for others, by dnstap */
		return who_open(l, err);
	l->most = c->resolve_log_bytes / YG_MAX(c->resolve_workers, 1u);
	l->file_most = YG_MAX(YG_MIN(l->most / 8, (uint64_t)FILE_MOST), (uint64_t)FILE_LEAST);
	l->drop_old = YG_SV_IS(c->resolve_log_full, "drop-old");
	look(l, &f);
	l->others_n = f.bytes;
	/* above what was ever there, also when the folder was emptied by hand */
	l->number = YG_MAX(f.newest, (uint64_t)(yg_env_wall(&r->ctx->env).us / 1000));
	yg_status st = who_open(l, err);
	if (st != YG_OK)
		return st;
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
	file_end(r->log);
}

struct resolve_log_counts resolve_log_counts(const struct resolve *r)
{
	struct resolve_log_counts c = {0};
	if (r->log == NULL)
		return c;
	c = r->log->counts;
	c.waiting_bytes = r->log->others_n + r->log->file_n;
	c.most_bytes = r->log->most;
	c.full = r->log->full;
	return c;
}
