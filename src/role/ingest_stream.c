/* Streams: syslog over TCP (RFC 6587), TLS (RFC 5425) and Unix sockets; dnstap on any of
 * them is ingest_fstrm.c's.  When the spool has no room, nothing is read: the senders' own
 * buffers fill, and no record is lost. */
#include "role/ingest_stream.h"

#include <errno.h>
#include <sys/socket.h>

#include "format/json.h"

#define READ_BYTES 65536

static void on_closed(uv_handle_t *h)
{
	struct stream *s = h->data;
	yg_tls_free(s->tls);
	yg_syslog_frames_free(&s->frames);
	fstrm_close(s);
	free(s);
}

static void held_note(struct stream *s, size_t now)
{
	s->door->in->stream_held += now;
	s->door->in->stream_held -= s->held;
	s->held = now;
}

void door_close(struct stream *s)
{
	struct stream_door *d = s->door;
	if (s->closing)
		return;
	s->closing = true;
	if (s->prev != NULL)
		s->prev->next = s->next;
	else
		d->streams = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	d->open--;
	d->cut += s->frames.cuts;
	d->in->stream_n--;
	held_note(s, 0);
	uv_close(&s->uv.handle, on_closed);
}

void door_broken(struct stream *s, const struct yg_err *err)
{
	struct stream_door *d = s->door;
	d->broken++;
	yg_role_log(d->in->ctx, YG_EV_INGEST_CLOSED, YG_KV("listener", d->gather.name),
		    YG_KERR(err));
	door_close(s);
}

/* What is left of a message when its connection ends is kept as it is. */
static void stream_end(struct stream *s)
{
	struct yg_sv msg;
	bool cut;
	if (!s->closing && !s->door->dnstap) {
		yg_syslog_frames_end(&s->frames, &msg, &cut);
		if (msg.n > 0 && !gather_add(&s->door->gather, msg))
			s->door->gather.dropped++;
	}
	door_close(s);
}

static void records(struct stream *s, struct yg_sv bytes)
{
	struct stream_door *d = s->door;
	struct yg_sv msg;
	struct yg_err err;
	bool cut;
	while (bytes.n > 0) {
		yg_status st = yg_syslog_frames_next(&s->frames, &bytes, &msg, &cut, &err);
		if (st == YG_NOMEM) {
			d->gather.dropped++;
			continue;
		}
		if (st != YG_OK) {
			door_broken(s, &err);
			return;
		}
		if (msg.n > 0 && !gather_add(&d->gather, msg))
			d->gather.dropped++;
	}
	if (s->frames.n == 0 && yg_syslog_frames_held(&s->frames) > READ_BYTES)
		yg_syslog_frames_free(&s->frames); /* a long message is over */
}

static void take(struct stream *s, struct yg_sv bytes)
{
	struct stream_door *d = s->door;
	if (d->dnstap)
		fstrm_bytes(s, bytes);
	else
		records(s, bytes);
	if (s->closing)
		return;
	held_note(s, yg_syslog_frames_held(&s->frames) + yg_fstrm_held(&s->fstrm));
	if (d->in->stream_held > INGEST_STREAMS_HELD && s->held > READ_BYTES) {
		/* Too many long unfinished messages at once: this one has to go. */
		d->broken++;
		stream_end(s);
	}
}

static void reading(struct stream *s, bool on);

static void all_reading(struct stream_door *d, bool on)
{
	for (struct stream *s = d->streams; s != NULL; s = s->next)
		reading(s, on);
}

static void on_written(uv_write_t *w, int status)
{
	(void)status; /* a dead connection shows when it is read */
	free(w);
}

/* False: it did not go, and the connection is closed. */
static bool send_copy(struct stream *s, struct yg_sv out)
{
	uv_write_t *w = malloc(sizeof *w + out.n);
	if (w == NULL) {
		door_close(s);
		return false;
	}
	char *copy = (char *)(w + 1);
	memcpy(copy, out.p, out.n);
	uv_buf_t b = uv_buf_init(copy, (unsigned)out.n);
	if (uv_write(w, &s->uv.stream, &b, 1, on_written) != 0) {
		free(w);
		door_close(s);
		return false;
	}
	return true;
}

/* Handshake messages and closing alerts: small, and copied. */
static void tls_flush(struct stream *s)
{
	struct yg_sv out = yg_tls_output(s->tls);
	if (out.n == 0 || s->closing)
		return;
	if (send_copy(s, out))
		yg_tls_output_taken(s->tls);
}

void door_say(struct stream *s, struct yg_sv bytes)
{
	if (s->closing)
		return;
	if (s->tls == NULL)
		(void)send_copy(s, bytes);
	else if (yg_tls_write(s->tls, bytes) == YG_OK)
		tls_flush(s);
	else
		door_close(s);
}

static void tls_bytes(struct stream *s, struct yg_sv bytes)
{
	struct stream_door *d = s->door;
	struct yg_err err = {0};
	size_t n;
	yg_status st = yg_tls_feed(s->tls, bytes);
	while (st == YG_OK && !s->closing) {
		st = yg_tls_read(s->tls, d->plain, READ_BYTES, &n, &err);
		if (st == YG_OK)
			take(s, (struct yg_sv){d->plain, n});
	}
	tls_flush(s);
	if (s->closing || st == YG_AGAIN)
		return;
	if (st == YG_NOTFOUND) {
		yg_tls_bye(s->tls);
		tls_flush(s);
		stream_end(s);
		return;
	}
	d->tls_failed++;
	yg_role_log(d->in->ctx, YG_EV_INGEST_CLOSED, YG_KV("listener", d->gather.name),
		    YG_KERR(&err));
	stream_end(s);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *out)
{
	struct stream *s = h->data;
	(void)suggested;
	*out = uv_buf_init(s->door->raw, READ_BYTES);
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
	struct stream *s = h->data;
	struct stream_door *d = s->door;
	if (n == 0)
		return;
	if (n == UV_EOF && s->stopped && !s->finished) {
		reading(s, false); /* it waits for FINISH */
		return;
	}
	if (n < 0) {
		stream_end(s);
		return;
	}
	s->heard = ingest_now(d->in);
	struct yg_sv bytes = {buf->base, (size_t)n};
	if (s->tls != NULL)
		tls_bytes(s, bytes);
	else
		take(s, bytes);
	if (d->gather.stuck)
		all_reading(d, false);
}

static void reading(struct stream *s, bool on)
{
	if (s->closing || s->reading == on)
		return;
	if (on)
		s->reading = uv_read_start(&s->uv.stream, on_alloc, on_read) == 0;
	else
		s->reading = uv_read_stop(&s->uv.stream) != 0;
	s->heard = s->whole = ingest_now(s->door->in); /* waiting for us is not idling */
}

static int handle_init(struct stream_door *d, struct stream *s)
{
	return d->local ? uv_pipe_init(d->in->ctx->loop, &s->uv.local, 0)
			: uv_tcp_init(d->in->ctx->loop, &s->uv.tcp);
}

static void stream_new(struct stream_door *d, int fd)
{
	struct stream *s = calloc(1, sizeof *s);
	struct yg_err err;
	if (s == NULL || handle_init(d, s) != 0) {
		free(s);
		(void)close(fd);
		d->refused++;
		return;
	}
	s->door = d;
	s->uv.handle.data = s;
	s->heard = s->opened = ingest_now(d->in);
	yg_syslog_frames_init(&s->frames, YG_RECORD_MAX);
	fstrm_open(s);
	s->next = d->streams;
	if (s->next != NULL)
		s->next->prev = s;
	d->streams = s;
	d->open++;
	d->in->stream_n++;
	int rc = d->local ? uv_pipe_open(&s->uv.local, fd) : uv_tcp_open(&s->uv.tcp, fd);
	if (rc != 0)
		(void)close(fd);
	if (rc != 0 || (d->tls != NULL && yg_tls_new(d->tls, &s->tls, &err) != YG_OK)) {
		d->refused++;
		door_close(s);
		return;
	}
	d->accepted++;
	reading(s, !d->gather.stuck);
}

static void on_connect(uv_poll_t *w, int status, int events)
{
	struct stream_door *d = w->data;
	int listener;
	(void)status;
	(void)events;
	if (uv_fileno((uv_handle_t *)w, &listener) != 0)
		return;
	for (unsigned i = 0; i < 64; i++) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		if (d->in->stream_n >= INGEST_STREAMS_MAX) {
			d->refused++;
			(void)close(fd);
			continue;
		}
		stream_new(d, fd);
	}
}

static yg_status tls_context(struct ingest *in, const struct yg_conf_listener *l,
			     struct stream_door *d, struct yg_err *err)
{
	static const char *const kinds[] = {"crt", "key", "ca"};
	struct yg_sv pem[3] = {{"", 0}, {"", 0}, {"", 0}};
	yg_status st = YG_OK;
	for (size_t i = 0; i < YG_LEN(kinds) && st == YG_OK; i++) {
		char name[128];
		struct yg_sb b = yg_sb_init(name, sizeof name);
		yg_sb_printf(&b, "listener." YG_SV_FMT ".%s", YG_SV_ARG(l->name), kinds[i]);
		int fd = yg_role_fd(in->ctx, yg_sb_cstr(&b));
		if (fd >= 0)
			st = yg_memfd_map(fd, 1u << 20, &pem[i], err);
	}
	if (st == YG_OK)
		st = yg_tls_context_new(pem[0], pem[1], pem[2], &d->tls, err);
	for (size_t i = 0; i < YG_LEN(pem); i++) {
		if (pem[i].n > 0)
			yg_memfd_unmap(&pem[i]);
	}
	return st;
}

yg_status stream_open(struct ingest *in, const struct yg_conf_listener *l, int fd,
		      struct yg_err *err)
{
	struct stream_door *d = calloc(1, sizeof *d);
	if (d == NULL || (d->raw = malloc(2 * READ_BYTES)) == NULL) {
		free(d);
		return YG_FAIL(err, YG_NOMEM, "listener");
	}
	d->plain = d->raw + READ_BYTES;
	d->in = in;
	d->poll.data = d;
	d->local = YG_SV_IS(l->protocol, "unix");
	d->dnstap = YG_SV_IS(l->source, "dnstap");
	yg_status st = gather_open(&d->gather, in, l, err);
	if (d->dnstap)
		d->gather.on_settled = fstrm_settled;
	if (st == YG_OK && YG_SV_IS(l->protocol, "tls"))
		st = tls_context(in, l, d, err);
	if (st != YG_OK) {
		free(d->raw);
		free(d);
		return st;
	}
	d->next = in->stream;
	in->stream = d;
	int rc = uv_poll_init(in->ctx->loop, &d->poll, fd);
	if (rc == 0)
		rc = uv_poll_start(&d->poll, UV_READABLE, on_connect);
	return rc == 0 ? YG_OK : YG_FAIL(err, YG_INTERNAL, "listener: %s", uv_strerror(rc));
}

void stream_resume(struct ingest *in)
{
	for (struct stream_door *d = in->stream; d != NULL; d = d->next) {
		if (!d->gather.stuck)
			continue;
		gather_flush(&d->gather);
		if (!d->gather.stuck)
			all_reading(d, true);
	}
}

void stream_tick(struct ingest *in)
{
	yg_mono now = ingest_now(in);
	stream_resume(in);
	for (struct stream_door *d = in->stream; d != NULL; d = d->next) {
		for (struct stream *s = d->streams, *next; s != NULL; s = next) {
			next = s->next;
			bool shy = s->tls != NULL && !yg_tls_ready(s->tls) &&
				   now.us - s->opened.us > INGEST_TLS_HELLO_US;
			shy = shy || (d->dnstap && fstrm_is_late(s, now));
			if (shy || (s->reading && now.us - s->heard.us > INGEST_STREAM_IDLE_US)) {
				d->idle_closed++;
				stream_end(s);
			}
		}
	}
}

void stream_stop(struct ingest *in)
{
	for (struct stream_door *d = in->stream; d != NULL; d = d->next) {
		(void)uv_poll_stop(&d->poll);
		while (d->streams != NULL)
			stream_end(d->streams);
		gather_flush(&d->gather);
	}
}

bool stream_idle(const struct ingest *in)
{
	for (const struct stream_door *d = in->stream; d != NULL; d = d->next) {
		if (d->gather.records > 0)
			return false;
	}
	return true;
}

void stream_drops(struct ingest *in)
{
	for (const struct stream_door *d = in->stream; d != NULL; d = d->next)
		stats_dropped(in, &d->gather, 0);
}

void stream_stats(struct ingest *in, struct yg_buf *out)
{
	for (const struct stream_door *d = in->stream; d != NULL; d = d->next) {
		uint64_t cut = d->cut;
		for (const struct stream *s = d->streams; s != NULL; s = s->next)
			cut += s->frames.cuts;
		gather_stats(&d->gather, d->tls != NULL ? "tls" : d->local ? "unix" : "tcp", out);
		yg_buf_printf(
			out,
			",\"connections\":%llu,\"accepted\":%llu,\"refused\":%llu,\"idle_closed\":%llu"
			",\"broken\":%llu,\"tls_failed\":%llu,\"cut\":%llu,\"waiting\":%s}",
			(unsigned long long)d->open, (unsigned long long)d->accepted,
			(unsigned long long)d->refused, (unsigned long long)d->idle_closed,
			(unsigned long long)d->broken, (unsigned long long)d->tls_failed,
			(unsigned long long)cut, d->gather.stuck ? "true" : "false");
	}
}
