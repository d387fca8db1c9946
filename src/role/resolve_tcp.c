/* Queries by TCP (RFC 7766) and TLS (RFC 7858): many on a connection, each behind
 * its length, answered as they are known. */
#include <stdlib.h>
#include <string.h>

#include "role/resolve_stream.h"

#define IN_FIRST 514 /* of a query and its length; grows as more comes */

static void send_answer(struct stream *s, struct yg_sv msg)
{
	char length[2] = {(char)(msg.n >> 8), (char)msg.n};
	stream_send(s, (struct yg_sv){length, 2}, msg);
}

/* Whole queries out of p; how much of it they were. */
static size_t take_queries(struct stream *s, const uint8_t *p, size_t n)
{
	size_t at = 0;
	struct yg_sv answer;
	while (!s->closing && n - at >= 2 && !stream_full(s)) {
		size_t len = yg_dns_get16(p + at);
		if (len < YG_DNS_HEADER) {
			stream_close(s);
			break;
		}
		if (n - at - 2 < len)
			break;
		struct yg_sv msg = {(const char *)p + at + 2, len};
		if (stream_ask(s, s->row, 0, msg, &answer) == YG_DNS_ANSWERED)
			send_answer(s, answer);
		at += 2 + len;
		if (s->stranger) /* its place is for those we know */
			stream_close(s);
	}
	if (at > 0)
		stream_used(s); /* a byte now and then is no use: only a whole query counts */
	return at;
}

static void in_free(struct stream *s)
{
	(void)stream_hold(s, -(int64_t)s->in_cap);
	free(s->in);
	s->in = NULL;
	s->in_n = s->in_cap = 0;
}

static void keep(struct stream *s, const uint8_t *p, size_t n)
{
	size_t need = s->in_n + n, cap = s->in_cap == 0 ? IN_FIRST : s->in_cap;
	while (cap < need)
		cap *= 2;
	if (cap > s->in_cap) {
		uint8_t *grown = realloc(s->in, cap);
		if (grown == NULL) {
			stream_close(s);
			return;
		}
		size_t more = cap - s->in_cap;
		s->in = grown;
		s->in_cap = (uint32_t)cap;
		if (!stream_hold(s, (int64_t)more))
			return;
	}
	memcpy(s->in + s->in_n, p, n);
	s->in_n = (uint32_t)need;
}

/* What is kept, as far as it is whole. */
static void take_kept(struct stream *s)
{
	if (s->in_n == 0)
		return;
	size_t at = take_queries(s, s->in, s->in_n);
	if (s->closing)
		return;
	s->in_n -= (uint32_t)at;
	memmove(s->in, s->in + at, s->in_n);
	if (s->in_n == 0)
		in_free(s);
}

static void on_bytes(struct stream *s, const uint8_t *p, size_t n)
{
	if (s->in_n == 0) {
		size_t at = take_queries(s, p, n);
		p += at;
		n -= at;
	}
	if (s->closing || n == 0)
		return;
	keep(s, p, n);
	if (!s->closing)
		take_kept(s);
}

static void on_reply(struct stream *s, uint32_t id, const uint8_t *msg, size_t n)
{
	(void)id;
	if (n > 0)
		send_answer(s, (struct yg_sv){(const char *)msg, n});
}

const struct stream_kind resolve_kind_tcp = {.transport = YG_DNS_TCP,
					     .name = "dns",
					     .bytes = on_bytes,
					     .room = take_kept,
					     .reply = on_reply};
const struct stream_kind resolve_kind_dot = {.transport = YG_DNS_DOT,
					     .name = "dot",
					     .alpn = "dot",
					     .bytes = on_bytes,
					     .room = take_kept,
					     .reply = on_reply};
