/* zones_xfr.c - transfers: one TCP connection, one question, an answer of many messages.
 * IXFR with what we have, AXFR when there is nothing or the differences do not fit.
 * The zone in force changes when the answer is whole, and verified when it is signed. */
#include <stdlib.h>
#include <unistd.h>

#include "dns/xfr.h"
#include "os/memfd.h"
#include "role/zones_internal.h"

#define IN_BYTES    262144u
#define IDLE_US     (30 * YG_US_PER_S)
#define WHOLE_US    (1800 * YG_US_PER_S)
#define RETRY_FIRST 2  /* s; doubled while there is no zone that says better */
#define RETRY_MOST  60 /* s */
#define REFRESH_MIN 1  /* s: what a SOA may ask for at the least */
#define REFRESH_MAX 86400
#define SAVE_SMALL  ((uint64_t)4 << 20)
#define SAVE_US     (60 * YG_US_PER_S)
#define SECRET_MAX  4096
#define SECOND_MOST 10 /* transfers of a zone that are begun out of turn in a second */

struct xfr_job {
	struct zone *z;
	uv_tcp_t tcp;
	uv_connect_t connect;
	uv_write_t write;
	bool by_difference, ended, is_signed;
	uint16_t id;
	int64_t begun_at, heard_at;
	struct yg_dns_xfr *xfr; /* owned */
	struct yg_tsig tsig;
	size_t out_n, in_n;
	uint8_t out[YG_DNS_XFR_ASK_MAX + 2];
	uint8_t in[IN_BYTES];
};

static void on_closed(uv_handle_t *h)
{
	struct xfr_job *j = h->data;
	yg_dns_xfr_free(j->xfr);
	yg_tsig_end(&j->tsig);
	free(j);
}

static struct yg_dns_soa soa_of(const struct zone *z)
{
	struct yg_dns_soa soa = {.serial = 0};
	struct yg_dns_name owner;
	struct yg_zone_rr rr;
	if (z->now.records != NULL && yg_dns_records_soa(z->now.records, &owner, &rr))
		(void)yg_dns_soa_read(rr.rdata, &soa);
	return soa;
}

static bool has_soa(const struct zone *z)
{
	struct yg_dns_name owner;
	struct yg_zone_rr rr;
	return z->now.records != NULL && yg_dns_records_soa(z->now.records, &owner, &rr);
}

/* When the next one is due, after one that ended well or not. */
static void plan(struct zone *z, bool good)
{
	struct yg_dns_soa soa = soa_of(z);
	int64_t now = zones_now(z->all);
	uint64_t wait = (uint64_t)RETRY_FIRST << YG_MIN(z->failures, 5u);
	wait = YG_MIN(wait, (uint64_t)RETRY_MOST);
	if (good)
		wait = soa.refresh;
	else if (has_soa(z))
		wait = z->failures < 3 ? YG_MIN(wait, (uint64_t)soa.retry) : soa.retry;
	wait = YG_MAX(YG_MIN(wait, (uint64_t)REFRESH_MAX), (uint64_t)REFRESH_MIN);
	z->next_at = now + (int64_t)wait * YG_US_PER_S;
	if (good) {
		z->good_at = now;
		z->failures = 0;
		z->expired = false;
	} else {
		z->failures++;
	}
}

/* Out of turn; a NOTIFY may be forged, so beyond so many the next tick does it. */
static void begin_soon(struct zone *z)
{
	int64_t now = zones_now(z->all);
	if (now - z->second_at >= YG_US_PER_S) {
		z->second_at = now;
		z->second_n = 0;
	}
	if (z->second_n++ < SECOND_MOST)
		zones_xfr_begin(z);
	else
		z->next_at = now;
}

void zones_xfr_notified(struct zone *z)
{
	if (z->job != NULL)
		z->again = true;
	else
		begin_soon(z);
}

static void job_end(struct xfr_job *j)
{
	struct zone *z = j->z;
	j->ended = true;
	z->job = NULL;
	uv_close((uv_handle_t *)&j->tcp, on_closed);
	if (z->again) {
		z->again = false;
		begin_soon(z);
	}
}

static void failed(struct xfr_job *j, const struct yg_err *err)
{
	struct zone *z = j->z;
	/* what was wrong with the differences is no fault of the whole zone */
	bool all = j->by_difference && err->code != YG_IO;
	yg_role_log(z->all->ctx, YG_EV_ZONES_TRANSFER_FAILED, YG_KU("zone", z->conf->name),
		    YG_KU("server", z->conf->axfr),
		    YG_KS("kind", j->by_difference ? "IXFR" : "AXFR"), YG_KERR(err));
	zones_news_bad(z, err);
	plan(z, false);
	z->want_all = all;
	z->again = z->again || all;
	job_end(j);
}

static void failed_uv(struct xfr_job *j, int rc, const char *what)
{
	struct yg_err err = {0};
	(void)YG_FAIL(&err, YG_IO, "%s: %s", what, uv_strerror(rc));
	failed(j, &err);
}

/* A small zone at once, so that no moment is without it; a large one when the policy is
 * compiled, or for differences, now and then: the start gets what is missing by IXFR. */
static void save(struct zone *z, bool whole)
{
	int64_t now = zones_now(z->all);
	/* while the thread writes, it may be writing what this zone was */
	if (yg_dns_records_bytes(z->now.records) <= SAVE_SMALL && !zones_job_saves(z->all)) {
		zones_kept_write(z);
		return;
	}
	if (whole)
		z->save_at = now;
	else if (!z->unsaved)
		z->save_at = now + SAVE_US;
	z->unsaved = true;
}

static bool is_older(const struct zone *z, uint32_t serial)
{
	return has_soa(z) && (int32_t)(serial - soa_of(z).serial) < 0; /* RFC 1982 */
}

/* Its primary was set back, or counts anew: nothing of it comes until it is beyond ours. */
static void tell_older(struct zone *z, uint32_t serial)
{
	struct yg_err err = {0};
	(void)YG_FAIL(&err, YG_CONFLICT,
		      "the server's serial, %u, is older than ours, %u: nothing is taken from it",
		      serial, soa_of(z).serial);
	if (z->news.failed_at == 0)
		yg_role_log(z->all->ctx, YG_EV_ZONES_OLDER, YG_KU("zone", z->conf->name),
			    YG_KU("server", z->conf->axfr), YG_KN("serial", serial),
			    YG_KN("ours", soa_of(z).serial));
	zones_news_bad(z, &err);
}

static void finish(struct xfr_job *j, enum yg_dns_xfr_result result)
{
	static const char *const kinds[] = {"", "same", "AXFR", "IXFR"};
	struct zone *z = j->z;
	struct yg_err err = {0};
	struct yg_dns_xfr_stats s = yg_dns_xfr_stats(j->xfr);
	yg_status st = z->has_tsig && !j->is_signed
			       ? YG_FAIL(&err, YG_DENIED, "its last message is not signed")
			       : yg_dns_xfr_take(j->xfr, &z->now.records, &err);
	if (st != YG_OK) {
		failed(j, &err);
		return;
	}
	z->want_all = false;
	plan(z, true);
	if (result == YG_DNS_XFR_SAME && is_older(z, s.serial))
		tell_older(z, s.serial);
	else
		zones_news_good(z, result != YG_DNS_XFR_SAME);
	if (result != YG_DNS_XFR_SAME) {
		yg_role_log(z->all->ctx, YG_EV_ZONES_TRANSFERRED, YG_KU("zone", z->conf->name),
			    YG_KS("kind", kinds[result]), YG_KN("serial", s.serial),
			    YG_KN("added", s.added), YG_KN("removed", s.removed),
			    YG_KN("out_of_zone", s.out_of_zone), YG_KN("bytes", s.bytes),
			    YG_KN("took_ms", (zones_now(z->all) - j->begun_at) / 1000));
		if (result == YG_DNS_XFR_FULL)
			zones_base_drop(z);
		else
			zones_base_note(z, j->xfr);
		save(z, result == YG_DNS_XFR_FULL);
		zones_changed(z->all);
	}
	job_end(j);
}

static void on_message(struct xfr_job *j, uint8_t *p, size_t n)
{
	struct zones *all = j->z->all;
	enum yg_dns_xfr_result result = YG_DNS_XFR_NONE;
	struct yg_err err = {0};
	yg_status st = YG_OK;
	if (j->z->has_tsig)
		st = yg_tsig_verify(&j->tsig, p, &n,
				    (uint64_t)(yg_env_wall(&all->ctx->env).us / YG_US_PER_S),
				    &j->is_signed, &err);
	if (st == YG_OK)
		st = yg_dns_xfr_feed(j->xfr, j->id, p, n, &result, &err);
	if (st != YG_OK)
		failed(j, &err);
	else if (result != YG_DNS_XFR_NONE)
		finish(j, result);
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *out)
{
	struct xfr_job *j = h->data;
	(void)hint;
	*out = uv_buf_init((char *)j->in + j->in_n, (unsigned)(IN_BYTES - j->in_n));
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
	struct xfr_job *j = h->data;
	size_t at = 0;
	(void)buf;
	if (j->ended)
		return;
	if (n < 0) {
		struct yg_err err = {0};
		if (n == UV_EOF) /* some say so when they know no differences */
			(void)YG_FAIL(&err, YG_PARSE, "the server ended the connection early");
		else
			(void)YG_FAIL(&err, YG_IO, "%s", uv_strerror((int)n));
		failed(j, &err);
		return;
	}
	j->in_n += (size_t)n;
	j->heard_at = zones_now(j->z->all);
	while (!j->ended && j->in_n - at >= 2) {
		size_t want = yg_dns_get16(j->in + at);
		if (j->in_n - at - 2 < want)
			break;
		on_message(j, j->in + at + 2, want);
		at += want + 2;
	}
	if (!j->ended && at > 0) {
		memmove(j->in, j->in + at, j->in_n - at);
		j->in_n -= at;
	}
}

static void on_written(uv_write_t *w, int status)
{
	struct xfr_job *j = w->data;
	if (status != 0 && !j->ended)
		failed_uv(j, status, "asking it");
}

static void on_connected(uv_connect_t *c, int status)
{
	struct xfr_job *j = c->data;
	if (j->ended)
		return;
	if (status != 0) {
		failed_uv(j, status, "connecting");
		return;
	}
	uv_buf_t out = uv_buf_init((char *)j->out, (unsigned)j->out_n);
	j->write.data = j;
	int rc = uv_write(&j->write, (uv_stream_t *)&j->tcp, &out, 1, on_written);
	if (rc == 0)
		rc = uv_read_start((uv_stream_t *)&j->tcp, on_alloc, on_read);
	if (rc != 0)
		failed_uv(j, rc, "asking it");
}

static yg_status ask(struct xfr_job *j, struct yg_err *err)
{
	struct zone *z = j->z;
	struct zones *all = z->all;
	struct yg_dns_name owner;
	struct yg_zone_rr rr;
	struct yg_dns_xfr_opts o = {.zone = &z->origin, .folder = ZONES_FOLDER};
	j->by_difference = !z->want_all && has_soa(z);
	o.has_serial = j->by_difference;
	o.serial = soa_of(z).serial;
	(void)zones_key(all, o.key);
	all->ctx->env.random(all->ctx->env.ctx, &j->id, sizeof j->id);
	if (j->by_difference)
		(void)yg_dns_records_soa(z->now.records, &owner, &rr);
	size_t n = yg_dns_xfr_ask(&z->origin, j->by_difference ? &rr.rdata : NULL, j->id,
				  j->out + 2, YG_DNS_XFR_ASK_MAX);
	yg_status st = yg_dns_xfr_new(&o, &j->xfr, err);
	yg_tsig_begin(&j->tsig, z->tsig);
	if (st == YG_OK && z->has_tsig)
		st = yg_tsig_sign(&j->tsig, j->out + 2, &n, YG_DNS_XFR_ASK_MAX,
				  (uint64_t)(yg_env_wall(&all->ctx->env).us / YG_US_PER_S), err);
	yg_dns_put16(j->out, (unsigned)n);
	j->out_n = n + 2;
	return st;
}

void zones_xfr_begin(struct zone *z)
{
	struct yg_err err = {0};
	if (z->job != NULL) {
		z->again = true;
		return;
	}
	struct xfr_job *j = calloc(1, sizeof *j);
	z->next_at = zones_now(z->all) + (int64_t)RETRY_MOST * YG_US_PER_S;
	if (j == NULL || uv_tcp_init(z->all->ctx->loop, &j->tcp) != 0) {
		free(j);
		return;
	}
	z->job = j;
	j->z = z;
	j->tcp.data = j->connect.data = j;
	j->begun_at = j->heard_at = zones_now(z->all);
	if (ask(j, &err) != YG_OK) {
		failed(j, &err);
		return;
	}
	int rc = uv_tcp_connect(&j->connect, &j->tcp, (const struct sockaddr *)&z->master.sa,
				on_connected);
	if (rc != 0)
		failed_uv(j, rc, "connecting");
}

bool zones_save_due(const struct zones *z)
{
	int64_t now = zones_now(z);
	bool due = false;
	for (size_t i = 0; i < z->count; i++)
		due = due || (z->zones[i].unsaved && now >= z->zones[i].save_at);
	return due;
}

static void check_expired(struct zone *z, int64_t now)
{
	struct yg_dns_soa soa = soa_of(z);
	if (z->expired || !has_soa(z) || now - z->good_at < (int64_t)soa.expire * YG_US_PER_S)
		return;
	z->expired = true;
	yg_role_log(z->all->ctx, YG_EV_ZONES_EXPIRED, YG_KU("zone", z->conf->name),
		    YG_KN("serial", soa.serial));
}

void zones_xfr_tick(struct zone *z)
{
	int64_t now = zones_now(z->all);
	struct yg_err err = {0};
	if (z->job != NULL &&
	    (now - z->job->heard_at > IDLE_US || now - z->job->begun_at > WHOLE_US)) {
		(void)YG_FAIL(&err, YG_IO, "the server does not go on");
		failed(z->job, &err);
	} else if (z->job == NULL && now >= z->next_at) {
		zones_xfr_begin(z);
	}
	if (z->job == NULL && z->now.records != NULL)
		zones_prepare(z);
	check_expired(z, now);
	(void)zones_job_begin(z->all, ZONES_SAVE); /* if one is due; if not now, at the next tick */
}

static yg_status take_key(struct zone *z, struct yg_err *err)
{
	char name[96];
	struct yg_sv map;
	struct yg_sb b = yg_sb_init(name, sizeof name);
	yg_sb_printf(&b, "tsig." YG_SV_FMT, YG_SV_ARG(z->conf->name));
	if (z->conf->tsig_name.n == 0)
		return YG_OK;
	z->tsig = calloc(1, sizeof *z->tsig);
	if (z->tsig == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for a key");
	yg_status st = yg_memfd_map(yg_role_fd(z->all->ctx, yg_sb_cstr(&b)), SECRET_MAX, &map, err);
	if (st != YG_OK)
		return st;
	st = yg_tsig_key_init(z->tsig, z->conf->tsig_name, z->conf->tsig_algorithm, map, err);
	yg_memfd_unmap(&map);
	z->has_tsig = st == YG_OK;
	return st;
}

yg_status zones_xfr_open(struct zone *z, struct yg_err *err)
{
	yg_status st = yg_addr_parse(z->conf->axfr, &z->master, err);
	if (st == YG_OK)
		st = take_key(z, err);
	if (st != YG_OK) {
		(void)yg_err_wrap(err, "resolve.policy: " YG_SV_FMT ": ", YG_SV_ARG(z->conf->name));
		return st;
	}
	z->good_at = zones_now(z->all);
	zones_xfr_begin(z);
	return YG_OK;
}
