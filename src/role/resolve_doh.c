/* Queries by HTTPS (RFC 8484): HTTP/2 by nghttp2 over the streams' TLS.  A request
 * is kept until its last octet has come; what it may cost is bounded before. */
#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>

#include "format/doh.h"
#include "role/resolve_stream.h"

#define REQUESTS_MAX  100        /* of a connection at one time */
#define HEADERS_MAX   16384      /* octets of a request's names and values */
#define FIELD_MAX     512        /* of :authority and content-type */
#define BODY_MAX      65535      /* the longest message there is */
#define OVER_MAX      (1u << 20) /* octets behind the longest body */
#define RESETS_BURST  100        /* by the client (CVE-2023-44487) */
#define RESETS_RATE   20         /* of them a second */
#define UNSENT_FRAMES 64         /* answers to pings and settings that are not taken */
#define HEADER_TABLE  1024       /* octets of HPACK's memory, each way */

struct request {
	struct request *next, **at; /* of the connection */
	struct yg_buf path, authority, content_type, body;
	char method[8];
	size_t header_n, over_n;
	int64_t held;
	unsigned status; /* decided while it comes; 0: not yet */
	int32_t id;
	bool done;       /* given to the core, or answered */
	uint8_t *answer; /* owned */
	size_t answer_n, sent;
};
struct h2 {
	nghttp2_session *session; /* owned */
	struct stream *s;
	struct request *requests; /* owned list */
	bool busy;                /* inside nghttp2: it must not be asked to send */
};

/* ---- out ---- */

static void flush(struct h2 *h)
{
	struct stream *s = h->s;
	const uint8_t *p;
	if (h->busy || s->closing)
		return;
	while (!s->closing && !stream_choked(s)) {
		ssize_t n = nghttp2_session_mem_send(h->session, &p);
		if (n < 0)
			stream_close(s);
		if (n <= 0)
			break;
		stream_send(s, (struct yg_sv){(const char *)p, (size_t)n}, (struct yg_sv){"", 0});
	}
	if (!s->closing && nghttp2_session_want_read(h->session) == 0 &&
	    nghttp2_session_want_write(h->session) == 0)
		stream_close(s);
}

static ssize_t on_body(nghttp2_session *session, int32_t id, uint8_t *buf, size_t n,
		       uint32_t *flags, nghttp2_data_source *source, void *user)
{
	struct request *q = source->ptr;
	(void)session;
	(void)id;
	(void)user;
	n = YG_MIN(n, q->answer_n - q->sent);
	memcpy(buf, q->answer + q->sent, n);
	q->sent += n;
	if (q->sent == q->answer_n)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)n;
}

static nghttp2_nv field(const char *name, struct yg_sv value)
{
	return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name,
			    .value = (uint8_t *)(uintptr_t)value.p,
			    .namelen = strlen(name),
			    .valuelen = value.n,
			    .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME};
}

static struct yg_sv number(struct yg_sb *b, const char *before, uint64_t n)
{
	size_t at = b->n;
	yg_sb_put(b, yg_sv_of(before));
	yg_sb_u64(b, n);
	return yg_sv_sub(yg_sb_sv(b), at, b->n);
}

/* An answer without a message. */
static void respond_empty(struct h2 *h, struct request *q, unsigned status)
{
	char text[32];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	nghttp2_nv f[3] = {field(":status", number(&b, "", status)),
			   field("content-length", YG_SV("0")), field("allow", YG_SV("GET, POST"))};
	q->done = true;
	resolve_of(h->s)->doors.https_bad++;
	if (nghttp2_submit_response(h->session, q->id, f, status == 405 ? 3 : 2, NULL) != 0)
		stream_close(h->s);
}

/* Answers depend on who asks: shared caches must not keep them. */
static void respond(struct h2 *h, struct request *q, struct yg_sv msg)
{
	char text[64];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	uint32_t fresh = 0;
	struct yg_sv cache = YG_SV("no-store");
	if (yg_doh_fresh((const uint8_t *)msg.p, msg.n, &fresh) == YG_OK)
		cache = number(&b, "private, max-age=", fresh);
	nghttp2_nv f[] = {field(":status", YG_SV("200")),
			  field("content-type", YG_SV("application/dns-message")),
			  field("content-length", number(&b, "", msg.n)),
			  field("cache-control", cache)};
	nghttp2_data_provider body = {.source = {.ptr = q}, .read_callback = on_body};
	q->done = true;
	q->answer = malloc(msg.n);
	q->held += (int64_t)msg.n;
	if (q->answer == NULL || !stream_hold(h->s, (int64_t)msg.n)) {
		stream_close(h->s);
		return;
	}
	memcpy(q->answer, msg.p, msg.n);
	q->answer_n = msg.n;
	if (nghttp2_submit_response(h->session, q->id, f, YG_LEN(f), &body) != 0)
		stream_close(h->s);
}

static void reset(struct h2 *h, struct request *q, uint32_t code)
{
	q->done = true;
	if (nghttp2_submit_rst_stream(h->session, NGHTTP2_FLAG_NONE, q->id, code) != 0)
		stream_close(h->s);
}

/* ---- a whole request ---- */

static void ask(struct h2 *h, struct request *q, uint32_t row, struct yg_sv msg)
{
	struct stream *s = h->s;
	struct yg_sv answer;
	stream_used(s);
	if (msg.n < YG_DNS_HEADER || (msg.p[2] & 0x80) != 0) { /* not a query */
		respond_empty(h, q, 400);
		return;
	}
	if (s->waiting >= STREAM_WAITING_MAX) { /* the client gave up others, the core did not */
		reset(h, q, NGHTTP2_REFUSED_STREAM);
		return;
	}
	q->done = true;
	enum yg_dns_result result = stream_ask(s, row, (uint32_t)q->id, msg, &answer);
	if (result == YG_DNS_ANSWERED)
		respond(h, q, answer);
	else if (result == YG_DNS_DROPPED)
		reset(h, q, NGHTTP2_CANCEL);
	if (s->stranger && !s->closing) /* the connection ends with the answers that are due */
		(void)nghttp2_submit_goaway(h->session, NGHTTP2_FLAG_NONE, q->id, NGHTTP2_NO_ERROR,
					    NULL, 0);
}

static void whole(struct h2 *h, struct request *q)
{
	struct stream *s = h->s;
	struct resolve *r = resolve_of(s);
	char name[256];
	uint8_t bytes[YG_DOH_TARGET_MAX];
	struct yg_sb b = yg_sb_init(name, sizeof name);
	struct yg_doh_query d;
	struct yg_doh_request request = {.method = yg_sv_of(q->method),
					 .path = yg_buf_sv(&q->path),
					 .authority = yg_buf_sv(&q->authority),
					 .content_type = yg_buf_sv(&q->content_type)};
	if (q->done)
		return;
	if (!yg_tls_server_name(s->tls, &b))
		b.n = 0;
	yg_doh_request_read(&request, r->conf->dns_dohs[s->door].path, yg_sb_sv(&b), &d);
	if (q->status != 0)
		d.status = q->status;
	struct yg_sv msg = yg_buf_sv(&q->body);
	if (d.status == 200 && !d.post) {
		if (yg_doh_decode(d.dns, bytes, sizeof bytes, &msg.n) != YG_OK)
			d.status = 400;
		msg.p = (const char *)bytes;
	}
	if (d.status != 200) {
		stream_used(s);
		respond_empty(h, q, d.status);
		return;
	}
	ask(h, q, d.token.n > 0 ? resolve_client_token(&r->clients, d.token) : s->row, msg);
}

/* ---- what nghttp2 tells ---- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct h2 *h = user;
	if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	struct request *q = calloc(1, sizeof *q);
	if (q == NULL)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	resolve_of(h->s)->doors.https++;
	q->id = frame->hd.stream_id;
	q->held = sizeof *q;
	yg_buf_init(&q->path, YG_DOH_TARGET_MAX);
	yg_buf_init(&q->authority, FIELD_MAX);
	yg_buf_init(&q->content_type, FIELD_MAX);
	yg_buf_init(&q->body, BODY_MAX);
	q->next = h->requests;
	q->at = &h->requests;
	if (q->next != NULL)
		q->next->at = &q->next;
	h->requests = q;
	(void)nghttp2_session_set_stream_user_data(session, q->id, q);
	return stream_hold(h->s, q->held) ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static void put(struct request *q, struct yg_buf *to, struct yg_sv value, unsigned too_long)
{
	to->n = 0;
	yg_buf_put(to, value);
	if (to->bad)
		q->status = too_long;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_n, const uint8_t *value, size_t value_n, uint8_t flags, void *user)
{
	struct yg_sv n = {(const char *)name, name_n}, v = {(const char *)value, value_n};
	struct request *q = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	struct h2 *h = user;
	(void)flags;
	if (q == NULL || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	q->header_n += name_n + value_n + 32; /* as RFC 9113 6.5.2 counts */
	if (q->header_n > HEADERS_MAX) {
		q->status = 431;
		return 0;
	}
	int64_t before = (int64_t)(q->path.cap + q->authority.cap + q->content_type.cap);
	if (YG_SV_IS(n, ":method")) {
		struct yg_sb b = yg_sb_init(q->method, sizeof q->method - 1);
		yg_sb_put(&b, v);
	} else if (YG_SV_IS(n, ":path")) {
		put(q, &q->path, v, 414);
	} else if (YG_SV_IS(n, ":authority")) {
		put(q, &q->authority, v, 400);
	} else if (YG_SV_IS(n, "content-type")) {
		put(q, &q->content_type, v, 415);
	}
	int64_t more = (int64_t)(q->path.cap + q->authority.cap + q->content_type.cap) - before;
	q->held += more;
	return stream_hold(h->s, more) ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *p, size_t n,
		   void *user)
{
	struct request *q = nghttp2_session_get_stream_user_data(session, id);
	struct h2 *h = user;
	(void)flags;
	if (q == NULL)
		return 0;
	if (q->done) { /* 413: the rest is passed over, within reason */
		q->over_n += n;
		if (q->over_n > OVER_MAX)
			reset(h, q, NGHTTP2_ENHANCE_YOUR_CALM);
		return 0;
	}
	size_t before = q->body.cap;
	yg_buf_put(&q->body, (struct yg_sv){(const char *)p, n});
	int64_t more = (int64_t)(q->body.cap - before);
	q->held += more;
	if (q->body.bad)
		respond_empty(h, q, q->body.nomem ? 503 : 413);
	return stream_hold(h->s, more) ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct h2 *h = user;
	if ((frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) ||
	    (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0)
		return 0;
	struct request *q = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	if (q != NULL)
		whole(h, q);
	return h->s->closing ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static void request_free(struct h2 *h, struct request *q)
{
	*q->at = q->next;
	if (q->next != NULL)
		q->next->at = q->at;
	(void)stream_hold(h->s, -q->held);
	yg_buf_free(&q->path);
	yg_buf_free(&q->authority);
	yg_buf_free(&q->content_type);
	yg_buf_free(&q->body);
	free(q->answer);
	free(q);
}

static int on_stream_closed(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
	struct request *q = nghttp2_session_get_stream_user_data(session, id);
	struct h2 *h = user;
	if (q == NULL)
		return 0;
	resolve_of(h->s)->doors.https_reset += code != NGHTTP2_NO_ERROR;
	request_free(h, q);
	return 0;
}

/* ---- what the streams ask ---- */

static int session_new(struct h2 *h)
{
	nghttp2_session_callbacks *calls = NULL;
	nghttp2_option *options = NULL;
	int rc = nghttp2_session_callbacks_new(&calls);
	if (rc == 0)
		rc = nghttp2_option_new(&options);
	if (rc == 0) {
		nghttp2_session_callbacks_set_on_begin_headers_callback(calls, on_begin_headers);
		nghttp2_session_callbacks_set_on_header_callback(calls, on_header);
		nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, on_data);
		nghttp2_session_callbacks_set_on_frame_recv_callback(calls, on_frame);
		nghttp2_session_callbacks_set_on_stream_close_callback(calls, on_stream_closed);
		nghttp2_option_set_no_closed_streams(options, 1);
		nghttp2_option_set_max_outbound_ack(options, UNSENT_FRAMES);
		nghttp2_option_set_max_deflate_dynamic_table_size(options, HEADER_TABLE);
		nghttp2_option_set_stream_reset_rate_limit(options, RESETS_BURST, RESETS_RATE);
		rc = nghttp2_session_server_new2(&h->session, calls, h, options);
	}
	nghttp2_option_del(options);
	nghttp2_session_callbacks_del(calls);
	return rc;
}

static bool on_begin(struct stream *s)
{
	static const nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, REQUESTS_MAX},
		{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HEADERS_MAX},
		{NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, HEADER_TABLE}};
	struct h2 *h = calloc(1, sizeof *h);
	if (h == NULL)
		return false;
	h->s = s;
	s->own = h;
	if (session_new(h) != 0 ||
	    nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, settings, YG_LEN(settings)) != 0)
		return false;
	flush(h);
	return !s->closing;
}

static void on_bytes(struct stream *s, const uint8_t *p, size_t n)
{
	struct h2 *h = s->own;
	h->busy = true;
	ssize_t rc = nghttp2_session_mem_recv(h->session, p, n);
	h->busy = false;
	flush(h); /* also why it is to end */
	if (rc < 0)
		stream_close(s);
}

static void on_room(struct stream *s)
{
	flush(s->own);
}

static void on_reply(struct stream *s, uint32_t id, const uint8_t *msg, size_t n)
{
	struct h2 *h = s->own;
	struct request *q = nghttp2_session_get_stream_user_data(h->session, (int32_t)id);
	if (q == NULL)
		return; /* the client gave it up */
	if (n > 0)
		respond(h, q, (struct yg_sv){(const char *)msg, n});
	else
		reset(h, q, NGHTTP2_CANCEL);
	flush(h);
}

static void on_gone(struct stream *s)
{
	struct h2 *h = s->own;
	if (h == NULL)
		return;
	while (h->requests != NULL)
		request_free(h, h->requests);
	nghttp2_session_del(h->session); /* NULL is fine */
	free(h);
	s->own = NULL;
}

const struct stream_kind resolve_kind_doh = {.transport = YG_DNS_DOH,
					     .name = "doh",
					     .alpn = "h2",
					     .begin = on_begin,
					     .bytes = on_bytes,
					     .room = on_room,
					     .reply = on_reply,
					     .gone = on_gone};
