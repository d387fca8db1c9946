/* One request from its head to its answer.  Stages:
 *
 *   NEW     head read; what can be refused at once is refused
 *   ASK     in the work pool: who is it, may it (and, without a body, HANDLE)
 *   BODY    the body comes in, within its limits
 *   HANDLE  in the work pool: the handler
 *   READY   the answer is there and waits for the call it may be given in
 *   ANSWER  the answer is with libmicrohttpd
 *   STREAM  a live stream, until either end closes it
 */
#include <stdlib.h>

#include "api/compress.h"
#include "api/problem.h"
#include "api/server_internal.h"
#include "base/check.h"
#include "base/codec.h"
#include "base/log.h"
#include "os/file.h"
#include "os/socket.h"

void *yg_exchange_begin(struct door *d, const char *uri, struct MHD_Connection *mhd)
{
	size_t n = strlen(uri);
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct conn *c = info != NULL ? info->socket_context : NULL;
	struct exchange *x = c != NULL ? calloc(1, sizeof *x + n + 1) : NULL;
	if (x == NULL)
		return NULL; /* the connection is then closed */
	memcpy(x->uri, uri, n + 1);
	x->s = d->s;
	x->conn = c;
	x->mhd = mhd;
	x->began = yg_env_mono(d->s->conf.env);
	link_init(&x->link);
	yg_arena_init(&x->arena, YG_SERVER_ARENA_BYTES);
	x->q.arena = &x->arena;
	x->q.target = (struct yg_sv){x->uri, n};
	yg_buf_init(&x->r.body, YG_SERVER_ANSWER_BYTES);
	d->s->exchanges++;
	return x;
}

void yg_exchange_end(struct exchange *x)
{
	struct yg_server *s = x->s;
	link_remove(&x->link);
	if (x->stage == STAGE_STREAM)
		COUNT(s, readers, (uint32_t)-1);
	yg_stream_reader_end(&x->reader);
	COUNT(s, body_bytes, (uint64_t)0 - x->counted);
	/* the connection waits for its next request from now on */
	x->conn->since = yg_env_mono(s->conf.env);
	link_remove(&x->conn->link);
	link_append(&x->conn->door->waiting, &x->conn->link);
	yg_buf_free(&x->r.body);
	if (x->r.file)
		yg_fd_close(&x->r.fd);
	yg_buf_free(&x->body);
	yg_arena_free(&x->arena);
	free(x);
	s->exchanges--;
}

/* Every answer says how a browser must treat it. */
static void put_standing_headers(struct MHD_Response *out, const struct exchange *x)
{
	static const char *const always[][2] = {
		{"X-Content-Type-Options", "nosniff"},
		{"Referrer-Policy", "no-referrer"},
		{"X-Frame-Options", "DENY"},
		{"Cross-Origin-Resource-Policy", "same-origin"},
		{"Cross-Origin-Opener-Policy", "same-origin"},
		{"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
		{"Content-Security-Policy",
		 "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
		 "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; "
		 "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"},
	};
	if (!x->r.immutable)
		(void)MHD_add_response_header(out, "Cache-Control", "no-store");
	else
		(void)MHD_add_response_header(out, "Cache-Control",
					      "public, max-age=31536000, immutable");
	for (size_t i = 0; i < YG_LEN(always); i++)
		(void)MHD_add_response_header(out, always[i][0], always[i][1]);
	if (x->conn->door->tls)
		(void)MHD_add_response_header(out, "Strict-Transport-Security", "max-age=31536000");
	char text[64];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_printf(&b, "00-%s-%.16s-01", x->q.trace_id, x->q.trace_id + 16);
	(void)MHD_add_response_header(out, "traceparent", yg_sb_cstr(&b));
}

static void put_own_headers(struct MHD_Response *out, const struct exchange *x)
{
	char text[1024];
	struct yg_sb b;
	if (x->r.type != NULL)
		(void)MHD_add_response_header(out, "Content-Type", x->r.type);
	if (x->r.retry_after_s > 0) {
		b = yg_sb_init(text, sizeof text);
		yg_sb_u64(&b, x->r.retry_after_s);
		(void)MHD_add_response_header(out, "Retry-After", yg_sb_cstr(&b));
	}
	const struct {
		const char *name;
		uint32_t value;
	} rates[] = {{"RateLimit-Limit", x->r.rate.limit},
		     {"RateLimit-Remaining", x->r.rate.left},
		     {"RateLimit-Reset", x->r.rate.reset_s}};
	for (size_t i = 0; x->r.rate.limit > 0 && i < YG_LEN(rates); i++) {
		b = yg_sb_init(text, sizeof text);
		yg_sb_u64(&b, rates[i].value);
		(void)MHD_add_response_header(out, rates[i].name, yg_sb_cstr(&b));
	}
	for (size_t i = 0; i < x->r.header_count; i++) {
		b = yg_sb_init(text, sizeof text);
		yg_sb_put(&b, x->r.headers[i].value);
		(void)MHD_add_response_header(out, x->r.headers[i].name.p, yg_sb_cstr(&b));
	}
}

static void log_answer(struct exchange *x)
{
	struct yg_server *s = x->s;
	int64_t us = yg_env_mono(s->conf.env).us - x->began.us;
	COUNT(s, request_us, (uint64_t)YG_MAX(us, 0));
	COUNT(s, answers[YG_MIN((unsigned)x->r.status / 100, 5u)], 1);
	/* the path, never the query or a header: those can hold secrets or names */
	yg_log(s->conf.env, x->r.status >= 500 ? YG_EV_API_FAILED : YG_EV_API_REQUEST,
	       YG_KS("method", yg_http_method_name(x->q.method)), YG_KU("path", x->q.path),
	       YG_KN("status", x->r.status), YG_KN("us", us), YG_KS("actor", x->q.who.actor),
	       YG_KU("error", yg_sv_of(x->st != YG_OK ? x->err.msg : "")),
	       YG_KS("where", x->err.where), YG_KS("trace_id", x->q.trace_id));
}

static ssize_t on_stream(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct exchange *x = cls;
	size_t n = 0;
	(void)pos;
	if (x->s->draining || x->gone)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (x->q.who.expires.us != 0 && x->q.who.expires.us <= yg_env_wall(x->s->conf.env).us)
		return MHD_CONTENT_READER_END_OF_STREAM;
	yg_status st = yg_stream_read(x->s->conf.stream, &x->reader, buf, max, &n);
	if (st == YG_DENIED) /* the reader comes back and is looked at anew */
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (st != YG_OK) {
		COUNT(x->s, readers_dropped, 1);
		return MHD_CONTENT_READER_END_WITH_ERROR;
	}
	if (n > 0) {
		x->spoke = yg_env_mono(x->s->conf.env);
		return (ssize_t)n;
	}
	x->asleep = true;
	MHD_suspend_connection(x->mhd);
	return 0;
}

void yg_exchange_wake(struct exchange *x)
{
	x->asleep = false;
	MHD_resume_connection(x->mhd);
}

static struct MHD_Response *make_stream(struct exchange *x)
{
	struct yg_server *s = x->s;
	x->stage = STAGE_STREAM;
	x->spoke = yg_env_mono(s->conf.env);
	COUNT(s, readers, 1);
	link_append(&s->readers, &x->link);
	return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, YG_STREAM_MESSAGE_MAX * 2,
						 on_stream, x, NULL);
}

static enum MHD_Result answer(struct exchange *x)
{
	struct MHD_Response *out;
	if (x->st != YG_OK)
		yg_problem(&x->q, &x->r, x->st, &x->err);
	if (x->r.body.bad) {
		x->st = yg_buf_done(&x->r.body) == YG_NOMEM ? YG_NOMEM : YG_INTERNAL;
		(void)yg_err_set(&x->err, x->st, 0, __FILE__,
				 x->st == YG_NOMEM ? "no memory for the answer"
						   : "the answer is larger than it may be");
		yg_problem(&x->q, &x->r, x->st, &x->err);
	}
	if (x->r.stream) {
		out = make_stream(x);
	} else if (x->r.file && x->st == YG_OK) {
		x->stage = STAGE_ANSWER;
		out = MHD_create_response_from_fd64(x->r.file_bytes, x->r.fd);
		x->r.file = out == NULL; /* else the library closes it */
	} else {
		x->stage = STAGE_ANSWER;
		/* the memory changes hands */
		out = MHD_create_response_from_buffer(x->r.body.n, x->r.body.p,
						      x->r.body.p != NULL ? MHD_RESPMEM_MUST_FREE
									  : MHD_RESPMEM_PERSISTENT);
		if (out != NULL)
			yg_buf_init(&x->r.body, YG_SERVER_ANSWER_BYTES);
	}
	if (out == NULL)
		return MHD_NO;
	put_standing_headers(out, x);
	put_own_headers(out, x);
	log_answer(x);
	enum MHD_Result rc = MHD_queue_response(x->mhd, (unsigned)x->r.status, out);
	MHD_destroy_response(out);
	return rc;
}

/* Answers as soon as that can be done without closing the connection.
 * libmicrohttpd takes an answer given in its first call (or in the repetition of
 * it after a suspension) as one that came before the request was read, and
 * closes the connection behind it.  So a request without a body is answered in
 * the next call, and a small body is read and thrown away first; only a client
 * that still has much to send is cut off. */
static enum MHD_Result answer_in_time(struct exchange *x)
{
	if (x->stage != STAGE_NEW && x->stage != STAGE_ASK)
		return answer(x);
	if (!x->has_body) {
		x->stage = STAGE_READY;
		return MHD_YES;
	}
	if ((x->length != UINT64_MAX && x->length > YG_SERVER_SWALLOW_BYTES) ||
	    MHD_lookup_connection_value(x->mhd, MHD_HEADER_KIND, "Expect") != NULL)
		return answer(x);
	x->stage = STAGE_BODY;
	x->began = yg_env_mono(x->s->conf.env);
	link_append(&x->s->bodies, &x->link);
	return MHD_YES;
}

static enum MHD_Result refuse(struct exchange *x, yg_status st, const char *slug)
{
	x->st = st;
	if (slug != NULL)
		x->r.problem = slug;
	return answer_in_time(x);
}

struct header_fill {
	struct exchange *x;
	bool twice;
};

static enum MHD_Result take_header(void *cls, enum MHD_ValueKind kind, const char *key,
				   const char *value)
{
	struct header_fill *f = cls;
	(void)kind;
	for (int i = 0; i < YG_HH_COUNT; i++) {
		if (!yg_sv_ieq(yg_sv_of(key),
			       yg_sv_of(yg_http_header_name((enum yg_http_header)i))))
			continue;
		struct yg_sv *at = &f->x->q.header[i];
		f->twice = f->twice || at->p != NULL;
		*at = yg_arena_dup(&f->x->arena, yg_sv_of(value));
		f->x->no_memory = f->x->no_memory || at->p == NULL;
	}
	return MHD_YES;
}

/* The caller's trace id when it sends a good one (W3C Trace Context), else ours. */
static void set_trace_id(struct exchange *x)
{
	struct yg_sv t = x->q.header[YG_HH_TRACEPARENT];
	uint8_t id[16];
	struct yg_sb b = yg_sb_init(x->q.trace_id, sizeof x->q.trace_id - 1);
	bool given = t.n == 55 && t.p[2] == '-' && t.p[35] == '-' &&
		     yg_parse_hex(yg_sv_sub(t, 3, 32), id, sizeof id, NULL) == YG_OK;
	if (!given)
		x->s->conf.env->random(x->s->conf.env->ctx, id, sizeof id);
	yg_sb_hex(&b, id, sizeof id);
}

/* Where the request comes from; what is counted by address is counted by the
 * network that one customer has: all of IPv4's, the first half of IPv6's. */
static void set_address(struct exchange *x)
{
	struct yg_addr a = {.n = sizeof a.sa};
	struct yg_sb b = yg_sb_init(x->q.address, sizeof x->q.address);
	x->q.tls = x->conn->door->tls;
	if (x->conn->door->local) {
		yg_sb_put(&b, YG_SV("local"));
	} else if (getpeername(x->conn->fd, (struct sockaddr *)&a.sa, &a.n) == 0) {
		struct yg_ip ip = yg_addr_ip(&a);
		yg_ip_format(&b, ip);
		if (!yg_ip_is_v4(ip))
			memset(ip.b + 8, 0, 8);
		x->q.address_key = yg_siphash(x->s->conf.key, ip.b, sizeof ip.b);
	}
	(void)yg_sb_cstr(&b);
}

/* Who stands at the local door: our own user or root is the administrator. */
static bool local_peer(struct exchange *x)
{
	struct yg_peer peer;
	struct yg_err err;
	if (yg_peer_cred(x->conn->fd, &peer, &err) != YG_OK ||
	    (peer.uid != geteuid() && peer.uid != 0))
		return false;
	if (x->s->app.is_ours != NULL && x->s->app.is_ours(x->s->app.is_ours_ctx, peer.pid))
		return false;
	struct yg_sb b = yg_sb_init(x->q.who.actor, sizeof x->q.who.actor);
	yg_sb_printf(&b, "local:%u", peer.uid);
	(void)yg_sb_cstr(&b);
	x->q.who.kind = YG_WHO_LOCAL;
	x->q.who.reach = YG_REACH_ALL;
	return true;
}

/* Who asks, and may they? */
static void ask_who(struct exchange *x)
{
	const struct yg_server_app *app = &x->s->app;
	const struct yg_route *route = x->q.route;
	bool needed = (route->flags & YG_RT_PUBLIC) == 0;
	x->rights = yg_stream_rights(x->s->conf.stream);
	x->st = app->authenticate(app->api, &x->q, needed, &x->err);
	if (x->st == YG_OK && needed && route->scope != NULL &&
	    !yg_who_may(&x->q.who, route->scope))
		x->st = YG_FAIL(&x->err, YG_DENIED, "the scope %s is needed", route->scope);
	if (x->st == YG_OK && (route->flags & YG_RT_CENTRAL) != 0 && !x->q.who.reach.all)
		x->st = YG_FAIL(&x->err, YG_DENIED,
				"this route is not for one organisation's rights");
	if (x->st == YG_OK && app->proved != NULL)
		x->st = app->proved(&x->q, &x->r, &x->err);
}

/* A body may come for half an hour: what was true of its sender before need not be now. */
static bool is_stale(const struct exchange *x)
{
	yg_mono old = yg_mono_add(x->began, YG_SECONDS(YG_SERVER_PACE_S));
	if (x->q.who.kind != YG_WHO_PERSON && x->q.who.kind != YG_WHO_TOKEN)
		return false;
	return x->rights != yg_stream_rights(x->s->conf.stream) ||
	       yg_mono_due(old, yg_env_mono(x->s->conf.env)) || yg_server_is_gone(x->s, &x->q.who);
}

/* Work pool. */
static void on_work(uv_work_t *w)
{
	struct exchange *x = w->data;
	const struct yg_server_app *app = &x->s->app;
	const struct yg_route *route = x->q.route;
	if (x->stage == STAGE_ASK && !x->alone) {
		ask_who(x);
		if (x->st != YG_OK || x->has_body)
			return;
	} else if (x->stage == STAGE_HANDLE && x->st == YG_OK && !x->alone && is_stale(x)) {
		x->q.who = (struct yg_who){.kind = YG_WHO_NOBODY};
		ask_who(x);
	}
	if (x->st == YG_OK)
		x->st = yg_route_check_query(&x->q, &x->err);
	if (x->st == YG_OK && (route->flags & YG_RT_MATCH) != 0 &&
	    x->q.header[YG_HH_IF_MATCH].p == NULL) {
		x->r.problem = "precondition-required";
		x->st = YG_FAIL(&x->err, YG_INVAL, "send the object's ETag as If-Match");
	}
	bool waits = false;
	if (x->st == YG_OK && (route->flags & YG_RT_SLOW) != 0)
		x->st = yg_flight_begin(x, &waits, &x->err);
	if (waits)
		return; /* it is the loop's now */
	if (x->st == YG_OK)
		x->st = (app->handle != NULL ? app->handle : route->handler)(app->api, &x->q, &x->r,
									     &x->err);
	if (x->st == YG_OK && x->q.method == YG_HTTP_GET && x->r.type != NULL &&
	    !yg_http_accepts(x->q.header[YG_HH_ACCEPT], yg_http_media_type(yg_sv_of(x->r.type)))) {
		x->r.problem = "not-acceptable"; /* only where nothing was changed */
		x->st = YG_FAIL(&x->err, YG_INVAL, "this route answers with %s", x->r.type);
	}
	if (x->st == YG_OK && x->q.error_count > 0 && YG_CHECK(x->r.status >= 400))
		x->st = YG_FAIL(&x->err, YG_INVAL, "the request has errors");
	if (x->st == YG_OK)
		yg_response_compress(&x->q, &x->r);
}

static void on_worked(uv_work_t *w, int status);

static void queue(struct exchange *x)
{
	x->work.data = x;
	x->worked = false;
	COUNT(x->s, in_work, 1);
	int queued = uv_queue_work(x->s->loop, &x->work, on_work, on_worked);
	YG_REQUIRE(queued == 0); /* it refuses only what is no request */
}

/* The answer that it waited for is there, or it has to ask for itself. */
static void on_landed(struct exchange *x)
{
	x->waits = false;
	if (x->alone)
		queue(x);
	else
		MHD_resume_connection(x->mhd);
}

static void run_doors(struct yg_server *s)
{
	for (uint32_t i = 0; i < s->door_count; i++)
		yg_door_run(&s->doors[i]);
}

static void on_worked(uv_work_t *w, int status)
{
	struct exchange *x = w->data;
	struct yg_server *s = x->s;
	struct door *d = x->conn->door;
	if (status != 0)
		x->st = YG_FAIL(&x->err, YG_AGAIN, "the server is ending");
	COUNT(s, in_work, (uint32_t)-1);
	x->worked = true;
	if (x->waits) {
		if (x->landed) {
			on_landed(x);
			run_doors(s);
		}
		return;
	}
	bool others = yg_flight_end(x, on_landed);
	if (x->r.stream && x->st == YG_OK) {
		/* what is published from here on is not lost to this reader */
		unsigned topics = x->r.topics;
		if (!x->q.who.reach.all)
			topics &= ~(unsigned)YG_TOPIC_SYSTEM;
		yg_stream_reader_init(x->s->conf.stream, &x->reader, topics, &x->q.who.reach,
				      x->q.header[YG_HH_LAST_EVENT_ID]);
		x->reader.rights = x->rights; /* those it was let in with */
		x->gone = yg_server_is_gone(x->s, &x->q.who);
	}
	MHD_resume_connection(x->mhd);
	yg_door_run(d);
	if (others)
		run_doors(s);
}

static enum MHD_Result to_pool(struct exchange *x, enum stage stage)
{
	x->stage = stage;
	bool handles = stage == STAGE_HANDLE || !x->has_body;
	if (handles && (x->q.route->flags & YG_RT_STREAM) != 0 &&
	    x->s->counts.readers >= YG_STREAM_READERS_MAX) {
		(void)yg_err_set(&x->err, YG_LIMIT, 0, __FILE__, "too many live streams are open");
		return refuse(x, YG_LIMIT, NULL);
	}
	MHD_suspend_connection(x->mhd);
	queue(x);
	return MHD_YES;
}

/* What Content-Length, Content-Type and Content-Encoding promise. */
static const char *check_body_head(struct exchange *x)
{
	const struct yg_route *route = x->q.route;
	struct yg_sv type = x->q.header[YG_HH_CONTENT_TYPE];
	uint64_t n = x->length == UINT64_MAX ? 0 : x->length;
	if (!x->has_body)
		return NULL;
	if (route->types == NULL) {
		(void)yg_err_set(&x->err, YG_INVAL, 0, __FILE__, "this route takes no body");
		return "bad-request";
	}
	if (n > route->body_max) {
		(void)yg_err_set(&x->err, YG_TOOBIG, 0, __FILE__, "at most %u bytes",
				 route->body_max);
		return "too-large";
	}
	if (type.p == NULL || !yg_words_have(route->types, yg_http_media_type(type))) {
		(void)yg_err_set(&x->err, YG_INVAL, 0, __FILE__, "expected Content-Type: %s",
				 route->types);
		return "unsupported-media-type";
	}
	if (n > x->s->conf.body_total - YG_MIN(x->s->counts.body_bytes, x->s->conf.body_total)) {
		COUNT(x->s, bodies_refused, 1);
		(void)yg_err_set(&x->err, YG_AGAIN, 0, __FILE__,
				 "too many bytes of bodies are in flight");
		return "unavailable";
	}
	return NULL;
}

static enum MHD_Result no_such_route(struct exchange *x)
{
	char text[128];
	struct yg_sb allow = yg_sb_init(text, sizeof text);
	yg_route_methods(x->s->app.routes, x->q.path, &allow);
	if (allow.n == 0)
		return refuse(x, YG_NOTFOUND, NULL);
	yg_response_header(&x->r, "Allow", yg_arena_dup(&x->arena, yg_sb_sv(&allow)));
	if (x->q.method != YG_HTTP_OPTIONS)
		return refuse(x, YG_INVAL, "method-not-allowed");
	x->st = YG_OK;
	x->r.status = 204;
	return answer_in_time(x);
}

static void promise_of_body(struct exchange *x)
{
	struct yg_sv length = x->q.header[YG_HH_CONTENT_LENGTH];
	if (MHD_lookup_connection_value(x->mhd, MHD_HEADER_KIND, "Transfer-Encoding") != NULL)
		x->length = UINT64_MAX; /* not known */
	else if (length.p != NULL && yg_parse_u64(length, &x->length, NULL) != YG_OK)
		x->length = 0; /* libmicrohttpd has refused such a request already */
	x->has_body = x->length > 0;
}

static enum MHD_Result head(struct exchange *x, const char *method)
{
	struct header_fill fill = {.x = x};
	link_remove(&x->conn->link); /* it does not wait any more */
	COUNT(x->s, requests, 1);
	x->q.now = yg_env_wall(x->s->conf.env);
	x->q.method = yg_http_method_parse(yg_sv_of(method));
	(void)MHD_get_connection_values(x->mhd, MHD_HEADER_KIND, take_header, &fill);
	promise_of_body(x);
	yg_request_language(&x->q);
	set_trace_id(x);
	set_address(x);
	if (x->conn->door->local && !local_peer(x)) {
		(void)yg_err_set(&x->err, YG_DENIED, 0, __FILE__,
				 "this socket is for the server's own user and root");
		return refuse(x, YG_DENIED, NULL);
	}
	if (x->no_memory)
		return refuse(x, YG_NOMEM, NULL);
	if (x->q.target.n > YG_HTTP_TARGET_MAX)
		return refuse(x, YG_INVAL, "target-too-long");
	if (yg_request_target(&x->q, x->q.target, &x->err) != YG_OK)
		return refuse(x, YG_PARSE, NULL);
	yg_request_language(&x->q);
	if (fill.twice) {
		(void)yg_err_set(&x->err, YG_PARSE, 0, __FILE__,
				 "a header stands twice that may stand once");
		return refuse(x, YG_PARSE, NULL);
	}
	if (x->q.method == YG_HTTP_HEAD)
		x->q.method = YG_HTTP_GET;
	yg_status st = yg_route_find(x->s->app.routes, &x->q, &x->err);
	if (st == YG_NOTFOUND || st == YG_DENIED)
		return no_such_route(x);
	if (st != YG_OK)
		return refuse(x, st, NULL);
	const char *slug = check_body_head(x);
	if (slug != NULL)
		return refuse(x, YG_INVAL, slug);
	yg_buf_init(&x->body, x->q.route->body_max);
	return to_pool(x, STAGE_ASK);
}

/* A piece of the body.  Once something is wrong the rest is read and thrown
 * away, because libmicrohttpd takes the answer only after the body. */
static bool take_body(struct exchange *x, const char *upload, size_t n)
{
	struct yg_server *s = x->s;
	if (x->st != YG_OK) {
		x->swallowed += n;
		return x->swallowed <=
		       (x->length != UINT64_MAX ? x->length : YG_SERVER_SWALLOW_BYTES);
	}
	if (n > x->q.route->body_max - x->body.n) {
		x->st = YG_FAIL(&x->err, YG_TOOBIG, "at most %u bytes", x->q.route->body_max);
		x->r.problem = "too-large";
	} else if (n > s->conf.body_total - YG_MIN(s->counts.body_bytes, s->conf.body_total)) {
		COUNT(s, bodies_refused, 1);
		x->st = YG_FAIL(&x->err, YG_AGAIN, "too many bytes of bodies are in flight");
	} else {
		yg_buf_put(&x->body, (struct yg_sv){upload, n});
		COUNT(s, body_bytes, (uint64_t)n);
		x->counted += n;
		if (x->body.bad)
			x->st = YG_FAIL(&x->err, YG_NOMEM, "no memory for the body");
	}
	return true;
}

enum MHD_Result yg_exchange_step(struct exchange *x, const char *method, const char *upload,
				 size_t *upload_n)
{
	x->s->progress++;
	switch (x->stage) {
	case STAGE_NEW: return head(x, method);
	case STAGE_ASK:
		/* after a suspended first call libmicrohttpd makes the first call again */
		if (!x->has_body || x->st != YG_OK)
			return answer_in_time(x);
		x->stage = STAGE_BODY;
		x->began = yg_env_mono(x->s->conf.env);
		link_append(&x->s->bodies, &x->link);
		if (*upload_n == 0)
			return MHD_YES;
		__attribute__((fallthrough));
	case STAGE_BODY:
		if (*upload_n > 0) {
			bool goes_on = take_body(x, upload, *upload_n);
			*upload_n = 0;
			return goes_on ? MHD_YES : MHD_NO;
		}
		link_remove(&x->link);
		if (x->st != YG_OK)
			return answer(x);
		x->q.body = yg_buf_sv(&x->body);
		return to_pool(x, STAGE_HANDLE);
	case STAGE_READY:
	case STAGE_HANDLE: return answer(x);
	case STAGE_ANSWER:
	case STAGE_STREAM: break;
	}
	return MHD_NO;
}
