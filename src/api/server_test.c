#include "api/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/page.h"
#include "api/problem.h"
#include "os/env.h"
#include "os/socket.h"
#include "tap.h"

/* A server of its own in this process; the client is a thread that blocks. */
static struct yg_stream *stream;
static struct yg_server *server;
static char sock_path[108];

static yg_status h_echo(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			struct yg_err *err)
{
	(void)api;
	(void)err;
	r->status = 200;
	r->type = "text/plain";
	yg_buf_printf(&r->body, "%s %zu ", q->who.actor, q->body.n);
	yg_buf_put(&r->body, yg_param(q, "id"));
	yg_buf_put(&r->body, yg_query(q, "q").p != NULL ? yg_query(q, "q") : YG_SV(""));
	return YG_OK;
}

static yg_status h_stream(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			  struct yg_err *err)
{
	(void)api;
	(void)err;
	r->status = 200;
	r->type = "text/event-stream";
	r->stream = true;
	(void)yg_stream_topics(yg_query(q, "topics"), &r->topics, NULL);
	return YG_OK;
}

static yg_status h_bug(struct yg_api *api, struct yg_request *q, struct yg_response *r,
		       struct yg_err *err)
{
	(void)api;
	(void)q;
	(void)r;
	return YG_FAIL(err, YG_IO, "secret file name");
}

/* Waits until the gate is open; says how often it has run, and for whom. */
static int gate, runs;
static yg_status h_shared(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			  struct yg_err *err)
{
	(void)api;
	int run = __atomic_add_fetch(&runs, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&gate, __ATOMIC_SEQ_CST) == 0)
		(void)usleep(1000);
	if (YG_SV_IS(yg_query(q, "q"), "fails"))
		return YG_FAIL(err, YG_IO, "run %d failed", run);
	r->status = 200;
	r->type = "text/plain";
	yg_response_header(r, "ETag", YG_SV("\"7\""));
	yg_buf_printf(&r->body, "run %d of %s;", run, q->who.reach.all ? "all" : "one");
	return YG_OK;
}

static const struct yg_route table[] = {
	{YG_HTTP_GET, "/open", "open", NULL, YG_RT_PUBLIC, 0, NULL, "q", h_echo},
	{YG_HTTP_GET, "/things/{id}", "thing", "events:read", 0, 0, NULL, NULL, h_echo},
	{YG_HTTP_PATCH, "/things/{id}", "patch", NULL, YG_RT_MATCH, 100, "application/json", NULL,
	 h_echo},
	{YG_HTTP_POST, "/things/special", "special", NULL, 0, 1000, "text/plain text/csv", NULL,
	 h_echo},
	{YG_HTTP_GET, "/central", "central", NULL, YG_RT_CENTRAL, 0, NULL, NULL, h_echo},
	{YG_HTTP_GET, "/stream", "stream", NULL, YG_RT_STREAM, 0, NULL, "topics", h_stream},
	{YG_HTTP_GET, "/shared", "shared", NULL, YG_RT_SLOW | YG_RT_SHARED, 0, NULL, "q", h_shared},
	{YG_HTTP_GET, "/bug", "bug", NULL, 0, 0, NULL, NULL, h_bug},
	{.handler = NULL},
};

/* "Bearer one" is a token of organisation one; the local door is the administrator. */
static yg_status authenticate(struct yg_api *api, struct yg_request *q, bool needed,
			      struct yg_err *err)
{
	(void)api;
	struct yg_sv a = q->header[YG_HH_AUTHORIZATION];
	if (YG_SV_IS(a, "Bearer one")) {
		q->who = (struct yg_who){.kind = YG_WHO_TOKEN, .scopes = YG_SV_INIT("alerts:read")};
		static const struct yg_sv one = YG_SV_INIT("one");
		q->who.reach = yg_reach_one(&one);
		memcpy(q->who.actor, "token", 6);
		return YG_OK;
	}
	if (a.p != NULL || (needed && q->who.kind == YG_WHO_NOBODY))
		return YG_FAIL(err, YG_UNAUTH, "no such token");
	return YG_OK;
}

static int dial(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	memcpy(sa.sun_path, sock_path, strlen(sock_path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval wait = {.tv_sec = 5};
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	if (connect(fd, (struct sockaddr *)&sa, sizeof sa) != 0)
		(void)printf("# connect: %s\n", strerror(errno));
	return fd;
}

/* Reads until `what` was seen, the end, or five seconds of silence. */
static bool reads(int fd, const char *what, char *buf, size_t cap)
{
	size_t n = 0;
	buf[0] = '\0';
	while (n + 1 < cap && strstr(buf, what) == NULL) {
		ssize_t got = recv(fd, buf + n, cap - 1 - n, 0);
		if (got <= 0)
			break;
		n += (size_t)got;
		buf[n] = '\0';
	}
	return strstr(buf, what) != NULL;
}

static bool ask(const char *request, const char *status, const char *what)
{
	char buf[12000];
	int fd = dial();
	bool sent = send(fd, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request);
	bool found = reads(fd, what, buf, sizeof buf);
	bool good = sent && found && strstr(buf, status) != NULL;
	if (!good)
		(void)printf("# asked: %.100s\n# got: %s\n", request, buf);
	(void)close(fd);
	return good;
}

#define GET(target) "GET " target " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
#define H(line)     line "\r\n"

static void check_routes(void)
{
	T_OK(ask(GET("/open?q=%E6%AB%93+x"), "200 OK", "櫓 x"));
	T_OK(ask(GET("/open"), "X-Content-Type-Options: nosniff", "Content-Security-Policy"));
	T_OK(ask(GET("/things/a%2Fb"), "200 OK", " 0 a/b"));
	T_OK(ask(GET("/nothing"), "404 Not Found", "\"type\":\"/doc/problems#not-found\""));
	T_OK(ask("GET /nothing HTTP/1.1\r\nHost: h\r\nAccept-Language: ja\r\n\r\n", "404",
		 "対象が見つかりません"));
	T_OK(ask("DELETE /things/1 HTTP/1.1\r\nHost: h\r\n\r\n", "405",
		 "Allow: GET, HEAD, PATCH, OPTIONS"));
	T_OK(ask("GET /things/special HTTP/1.1\r\nHost: h\r\n\r\n", "405", "Allow: POST, OPTIONS"));
	T_OK(ask("OPTIONS /open HTTP/1.1\r\nHost: h\r\n\r\n", "204", "Allow: GET, HEAD, OPTIONS"));
	T_OK(ask("BREW /open HTTP/1.1\r\nHost: h\r\n\r\n", "405", "method-not-allowed"));
	T_OK(ask(GET("/open?q=1&q=2"), "400", "stands twice"));
	T_OK(ask(GET("/open?zz=1"), "400", "unknown_parameter"));
	T_OK(ask(GET("/open?q=%zz"), "400", "hex digits"));
	T_OK(ask(GET("/open?q=%00"), "400", "control characters"));
	T_OK(ask(GET("/open?q=%ff"), "400", "UTF-8"));
	T_OK(ask("GET /open HTTP/1.1\r\nHost: h\r\nAccept: image/png\r\n\r\n", "406",
		 "not-acceptable"));
	T_OK(ask("GET /open HTTP/1.1\r\nHost: h\r\nAccept: text/*\r\n\r\n", "200", "local:"));
	T_OK(ask(GET("/bug"), "500", "secret file name"));
	T_OK(ask("GET /bug HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer one\r\n\r\n", "500",
		 "trace_id"));
	T_OK(ask(
		"GET /open HTTP/1.1\r\nHost: h\r\ntraceparent: 00-0123456789abcdef0123456789abcdef-0123456789abcdef-01\r\n\r\n",
		"200", "00-0123456789abcdef0123456789abcdef"));
}

static void check_rights(void)
{
	T_OK(ask("GET /things/1 HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer bad\r\n\r\n", "401",
		 "WWW-Authenticate: Bearer"));
	T_OK(ask("GET /things/1 HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer one\r\n\r\n", "403",
		 "events:read"));
	T_OK(ask("GET /central HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer one\r\n\r\n", "403",
		 "forbidden"));
	T_OK(ask(GET("/central"), "200 OK", "local:"));
	T_OK(ask(
		"GET /open HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer one\r\nAuthorization: Bearer two\r\n\r\n",
		"400", "stands twice"));
}

static void check_bodies(void)
{
#define POST(head, body) "POST /things/special HTTP/1.1\r\nHost: h\r\n" head "\r\n" body
	T_OK(ask(POST("Content-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\n", "hello"),
		 "200 OK", " 5 "));
	T_OK(ask(POST("Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n",
		      "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
		 "200", " 5 "));
	T_OK(ask(POST("Content-Type: text/plain\r\nContent-Length: 2000000\r\n", ""), "413",
		 "too-large"));
	T_OK(ask(POST("Content-Type: image/png\r\nContent-Length: 1\r\n", "x"), "415", "text/csv"));
	T_OK(ask(POST("Content-Length: 1\r\n", "x"), "415", "unsupported-media-type"));
	T_OK(ask(
		"GET /open HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Type: text/plain\r\n\r\nx",
		"400", "takes no body"));
	T_OK(ask(
		"PATCH /things/1 HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
		"428", "precondition-required"));
	T_OK(ask(
		"PATCH /things/1 HTTP/1.1\r\nHost: h\r\nIf-Match: \"1\"\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
		"200", " 2 1"));
	char big[3000];
	struct yg_sb b = yg_sb_init(big, sizeof big - 1);
	yg_sb_put(&b,
		  YG_SV(POST("Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n", "")));
	for (int i = 0; i < 20; i++)
		yg_sb_put(
			&b,
			YG_SV("40\r\n................................................................\r\n"));
	yg_sb_put(&b, YG_SV("0\r\n\r\n"));
	T_OK(ask(yg_sb_cstr(&b), "413", "too-large"));
}

static void check_stream(void)
{
	char buf[8192];
	int fd = dial();
	const char *req = "GET /stream?topics=alerts HTTP/1.1\r\nHost: h\r\n\r\n";
	T_OK(send(fd, req, strlen(req), MSG_NOSIGNAL) > 0);
	T_OK(reads(fd, "retry: 3000", buf, sizeof buf));
	yg_stream_publish(stream, YG_TOPIC_JOBS, YG_SV("one"), YG_SV(""), YG_SV("{\"no\":1}"));
	yg_stream_publish(stream, YG_TOPIC_ALERTS, YG_SV("one"), YG_SV(""),
			  YG_SV("{\"id\":\"a-1\"}"));
	T_OK(reads(fd, "{\"id\":\"a-1\"}", buf, sizeof buf) && strstr(buf, "event: alerts") &&
	     !strstr(buf, "\"no\""));
	char id[64] = "", *at = strstr(buf, "id: ");
	if (at != NULL)
		(void)snprintf(id, sizeof id, "%.*s", (int)strcspn(at + 4, "\n"), at + 4);
	(void)close(fd);
	yg_stream_publish(stream, YG_TOPIC_ALERTS, YG_SV("one"), YG_SV(""),
			  YG_SV("{\"id\":\"a-2\"}"));
	char again[256];
	(void)snprintf(again, sizeof again,
		       "GET /stream HTTP/1.1\r\nHost: h\r\nLast-Event-ID: %s\r\n\r\n", id);
	T_OK(ask(again, "200", "{\"id\":\"a-2\"}"));
	T_OK(ask("GET /stream HTTP/1.1\r\nHost: h\r\nLast-Event-ID: 1-1\r\n\r\n", "200",
		 "event: gap"));
	/* a token hears of its own organisation only, and nothing of the system */
	yg_stream_publish(stream, YG_TOPIC_ALERTS, YG_SV("two"), YG_SV(""),
			  YG_SV("{\"id\":\"other\"}"));
	yg_stream_publish(stream, YG_TOPIC_SYSTEM, YG_SV(""), YG_SV(""), YG_SV("{\"id\":\"sys\"}"));
	yg_stream_publish(stream, YG_TOPIC_ALERTS, YG_SV("one"), YG_SV(""),
			  YG_SV("{\"id\":\"mine\"}"));
	(void)snprintf(
		again, sizeof again,
		"GET /stream HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer one\r\nLast-Event-ID: %s\r\n\r\n",
		id);
	fd = dial();
	(void)send(fd, again, strlen(again), MSG_NOSIGNAL);
	T_OK(reads(fd, "mine", buf, sizeof buf) && strstr(buf, "other") == NULL &&
	     strstr(buf, "sys\"") == NULL);
	(void)close(fd);
}

static int begin(const char *target, const char *more)
{
	char text[256];
	int fd = dial();
	(void)snprintf(text, sizeof text,
		       "GET %s HTTP/1.1\r\nHost: h\r\n%sConnection: close\r\n\r\n", target, more);
	(void)send(fd, text, strlen(text), MSG_NOSIGNAL);
	return fd;
}

/* Until so many are in the pool for a while, and all that were asked are read. */
static bool settled(uint64_t requests, uint32_t in_work)
{
	struct yg_server_counts c;
	int calm = 0;
	for (int i = 0; i < 10000 && calm < 30; i++) {
		(void)usleep(1000);
		yg_server_counts(server, &c);
		calm = c.requests == requests && c.in_work == in_work ? calm + 1 : 0;
	}
	return calm == 30;
}

static bool ends(int fd, const char *what)
{
	char buf[12000];
	bool good = reads(fd, what, buf, sizeof buf);
	if (!good)
		(void)printf("# not %s: %s\n", what, buf);
	(void)close(fd);
	return good;
}

static void check_shared(void)
{
	struct yg_server_counts before, after;
	int same[8], first, one, other, odd;
	yg_server_counts(server, &before);
	first = begin("/shared?q=a", "");
	T_OK(settled(before.requests + 1, 1));
	for (size_t i = 0; i < YG_LEN(same); i++)
		same[i] = begin("/shared?q=a", "");
	T_OK(settled(before.requests + 9, 1));
	one = begin("/shared?q=a", "Authorization: Bearer one\r\n");
	T_OK(settled(before.requests + 10, 2));
	other = begin("/shared?q=b", "");
	T_OK(settled(before.requests + 11, 3));
	odd = begin("/shared?q=a", "Accept: image/png\r\n");
	T_OK(settled(before.requests + 12, 4));
	__atomic_store_n(&gate, 1, __ATOMIC_SEQ_CST);
	T_OK(ends(first, "run 1 of all;"));
	for (size_t i = 0; i < YG_LEN(same); i++)
		T_NAMED(ends(same[i], i % 2 ? "run 1 of all;" : "ETag: \"7\""),
			"who asks the same meanwhile gets the same");
	T_NAMED(ends(one, "run 2 of one;"), "another reach gets its own answer");
	T_NAMED(ends(other, "run 3 of all;") && ends(odd, "not-acceptable"),
		"so does another question");
	yg_server_counts(server, &after);
	T_NAMED(runs == 4 && after.shared - before.shared == 8, "which is made once");
	T_NAMED(ask(GET("/shared?q=a"), "200", "run 5 of all;"),
		"and made anew for who comes later");
}

static void check_shared_bounds(void)
{
	struct yg_server_counts before;
	int fds[YG_SERVER_SLOW_MAX], full, same, failing[3];
	gate = 0;
	yg_server_counts(server, &before);
	for (unsigned i = 0; i < YG_SERVER_SLOW_MAX; i++) {
		char target[32];
		(void)snprintf(target, sizeof target, "/shared?q=n%u", i);
		fds[i] = begin(target, "");
	}
	T_OK(settled(before.requests + YG_SERVER_SLOW_MAX, YG_SERVER_SLOW_MAX));
	full = begin("/shared?q=more", "");
	T_NAMED(ends(full, "too many searches are running"), "all places are taken");
	same = begin("/shared?q=n3", "");
	T_OK(settled(before.requests + YG_SERVER_SLOW_MAX + 2, YG_SERVER_SLOW_MAX));
	__atomic_store_n(&gate, 1, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < YG_SERVER_SLOW_MAX; i++)
		T_OK(ends(fds[i], " of all;"));
	T_NAMED(ends(same, " of all;"), "but not for who asks the same");
	gate = 0;
	int was = runs;
	yg_server_counts(server, &before);
	failing[0] = begin("/shared?q=fails", "");
	T_OK(settled(before.requests + 1, 1));
	failing[1] = begin("/shared?q=fails", "");
	failing[2] = begin("/shared?q=fails", "");
	T_OK(settled(before.requests + 3, 1));
	__atomic_store_n(&gate, 1, __ATOMIC_SEQ_CST);
	for (size_t i = 0; i < YG_LEN(failing); i++)
		T_OK(ends(failing[i], " failed"));
	T_NAMED(runs == was + 3, "who waited for an answer that failed asks for itself");
	T_NAMED(ask(GET("/shared?q=a"), "200", " of all;"), "and every place is free again");
}

static void check_slow(void)
{
	enum { CONNS = 100 };
	int fds[CONNS];
	struct yg_server_counts c;
	for (int i = 0; i < CONNS; i++) {
		fds[i] = dial();
		(void)send(fds[i], "GET /open HTT", 13, MSG_NOSIGNAL);
	}
	T_OK(ask(GET("/open"), "200", "local:"));
	yg_server_counts(server, &c);
	T_NAMED(c.evicted > 0 && c.open <= 64, "the oldest slow connections made room");
	for (int i = 0; i < CONNS; i++)
		(void)close(fds[i]);
	T_OK(ask("GET /open\r\n\r\n", "", ""));
	T_OK(ask("\x16\x03\x01 nonsense\r\n\r\n", "", ""));
	T_OK(ask(GET("/open"), "200", "local:"));
}

static void client(void *arg)
{
	uv_async_t *over = arg;
	check_routes();
	check_rights();
	check_bodies();
	check_stream();
	check_shared();
	check_shared_bounds();
	check_slow();
	(void)uv_async_send(over);
}

static void drained(void *ctx)
{
	uv_stop(ctx);
}

static void on_over(uv_async_t *h)
{
	yg_server_drain(server, drained, h->loop);
	uv_close((uv_handle_t *)h, NULL);
}

int main(void)
{
	struct yg_env_real real;
	struct yg_env env = yg_env_real(&real, "test", 0);
	struct yg_err err = {0};
	uv_loop_t loop;
	uv_async_t over;
	uv_thread_t thread;
	int fd = -1;
	real.level = YG_LEVEL_ERROR;
	(void)setenv("UV_THREADPOOL_SIZE", "12", 1);
	(void)snprintf(sock_path, sizeof sock_path, "/tmp/yagura-api-test-%d.sock", (int)getpid());
	(void)uv_loop_init(&loop);
	(void)uv_async_init(&loop, &over, on_over);
	T_OK(yg_stream_new(yg_env_wall(&env), &stream, &err) == YG_OK);
	struct yg_server_app app = {.routes = table, .authenticate = authenticate};
	struct yg_server_conf conf = {.env = &env,
				      .stream = stream,
				      .connections = 64,
				      .body_total = 10000,
				      .timeout_us = 10000000};
	T_OK(yg_server_new(&loop, &app, &conf, &server, &err) == YG_OK);
	T_OK(yg_listen_unix(sock_path, 0600, &fd, &err) == YG_OK);
	T_OK(yg_server_door(server, fd, true, YG_SV(""), YG_SV(""), &err) == YG_OK);
	T_OK(uv_thread_create(&thread, client, &over) == 0);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	(void)uv_thread_join(&thread);
	yg_server_free(server);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	T_NAMED(uv_loop_close(&loop) == 0, "nothing is left on the loop");
	yg_stream_free(stream);
	(void)close(fd);
	(void)unlink(sock_path);
	return tap_done();
}
