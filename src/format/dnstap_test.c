#include "format/dnstap.h"

#include "tap.h"

#define QUERY "\x12\x34\1\0\0\1\0\0\0\0\0\0\7example\0\0\1\0\1"

static const struct yg_dnstap whole = {
	.identity = YG_SV_INIT("city"),
	.version = YG_SV_INIT("0.1"),
	.extra = YG_SV_INIT("\0\1\2"),
	.type = YG_DNSTAP_CLIENT_RESPONSE,
	.family = YG_DNSTAP_INET,
	.protocol = YG_DNSTAP_DOH,
	.http = 2,
	.query_address = YG_SV_INIT("\300\0\2\1"),
	.response_address = YG_SV_INIT("\300\0\2\2"),
	.query_port = 40000,
	.response_port = 443,
	.query_sec = 1790000000,
	.query_nsec = 999999999,
	.response_sec = 1790000001,
	.response_nsec = 1,
	.query_message = YG_SV_INIT(QUERY),
	.response_message = YG_SV_INIT(QUERY),
	.query_zone = YG_SV_INIT("\7example\0"),
	.policy = {.is_there = true,
		   .action = YG_DNSTAP_NXDOMAIN,
		   .match = YG_DNSTAP_QNAME,
		   .type = YG_SV_INIT("RPZ"),
		   .rule = YG_SV_INIT("\7example\0"),
		   .value = YG_SV_INIT("example")},
};

static bool same(const struct yg_dnstap *a, const struct yg_dnstap *b)
{
	return yg_sv_eq(a->identity, b->identity) && yg_sv_eq(a->version, b->version) &&
	       yg_sv_eq(a->extra, b->extra) && a->type == b->type && a->family == b->family &&
	       a->protocol == b->protocol && a->http == b->http &&
	       yg_sv_eq(a->query_address, b->query_address) &&
	       yg_sv_eq(a->response_address, b->response_address) &&
	       a->query_port == b->query_port && a->response_port == b->response_port &&
	       a->query_sec == b->query_sec && a->query_nsec == b->query_nsec &&
	       a->response_sec == b->response_sec && a->response_nsec == b->response_nsec &&
	       yg_sv_eq(a->query_message, b->query_message) &&
	       yg_sv_eq(a->response_message, b->response_message) &&
	       yg_sv_eq(a->query_zone, b->query_zone) && a->policy.is_there == b->policy.is_there &&
	       a->policy.action == b->policy.action && a->policy.match == b->policy.match &&
	       yg_sv_eq(a->policy.type, b->policy.type) &&
	       yg_sv_eq(a->policy.rule, b->policy.rule) &&
	       yg_sv_eq(a->policy.value, b->policy.value);
}

static void round_trip(const struct yg_dnstap *d, const char *name)
{
	uint8_t out[1024];
	struct yg_dnstap back;
	size_t n = yg_dnstap_encode(d, out, sizeof out);
	T_NAMED(n > 0 && n == yg_dnstap_size(d), name);
	T_OK(yg_dnstap_decode((struct yg_sv){(char *)out, n}, &back, NULL) == YG_OK &&
	     same(d, &back));
	uint8_t *exact = malloc(n); /* one byte over is caught by the sanitizer */
	T_OK(yg_dnstap_encode(d, exact, n) == n && memcmp(exact, out, n) == 0);
	T_OK(yg_dnstap_encode(d, exact, n - 1) == 0);
	bool bounded = true;
	for (size_t cut = 0; cut < n; cut++) {
		char *half = malloc(cut + 1);
		memcpy(half, out, cut);
		bounded &= yg_dnstap_decode((struct yg_sv){half, cut}, &back, NULL) != YG_OK;
		free(half);
	}
	T_NAMED(bounded, "cut anywhere, it is refused");
	free(exact);
}

static yg_status decode(struct yg_sv in, struct yg_dnstap *out)
{
	return yg_dnstap_decode(in, out, NULL);
}

static void from_outside(void)
{
	struct yg_dnstap d;
	T_NAMED(decode(YG_SV("\x72\2\x8\5\x78\1"), &d) == YG_OK && d.type == YG_DNSTAP_CLIENT_QUERY,
		"the least there is");
	T_NAMED(decode(YG_SV("\x78\1\x72\2\x8\5"), &d) == YG_OK, "fields in another order");
	T_NAMED(decode(YG_SV("\x72\2\x8\143\x78\1"), &d) == YG_OK && d.type == 99,
		"a message type of later");
	T_NAMED(decode(YG_SV("\xa0\6\5\xaa\6\2xy\xad\6wxyz\xa9\6stuvwxyz\x72\2\x8\5\x78\1"), &d) ==
				YG_OK &&
			d.type == 5,
		"unknown fields of every kind are passed over");
	T_NAMED(decode(YG_SV("\x72\5\x8\5\x12\1x\x78\1"), &d) == YG_OK && d.family == 0,
		"a field of another wire type is unknown");
	T_NAMED(decode(YG_SV("\x72\4\x8\5\x8\6\x78\1"), &d) == YG_OK && d.type == 6,
		"the last of two counts");
	T_NAMED(decode(YG_SV("\x72\2\x8\5\x72\2\x10\2\x78\1"), &d) == YG_OK && d.type == 5 &&
			d.family == 2,
		"two messages are one");
	T_NAMED(decode(YG_SV("\x72\x82\x80\0\x8\5\x78\1"), &d) == YG_OK,
		"a number written longer than it must be");
	T_NAMED(decode(YG_SV("\x72\4\x8\5\x7a\0\x78\1"), &d) == YG_OK && d.policy.is_there,
		"an empty policy is one");
}

static void refused(void)
{
	struct yg_dnstap d = {.type = 77};
	T_NAMED(decode(YG_SV(""), &d) == YG_PARSE, "nothing");
	T_NAMED(decode(YG_SV("\x78\1"), &d) == YG_PARSE, "no message");
	T_NAMED(decode(YG_SV("\x72\0\x78\1"), &d) == YG_PARSE, "a message without a type");
	T_NAMED(decode(YG_SV("\x72\2\x8\5"), &d) == YG_PARSE, "no kind");
	T_NAMED(decode(YG_SV("\x72\2\x8\5\x78\2"), &d) == YG_PARSE, "another kind");
	T_NAMED(decode(YG_SV("\x72\3\x8\5\x78\1"), &d) == YG_PARSE, "a length that cuts a field");
	T_NAMED(decode(YG_SV("\x72\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\x8\5\x78\1"), &d) ==
			YG_PARSE,
		"a length of 2^64 - 1");
	T_NAMED(decode(YG_SV("\x78\xff\xff\xff\xff\xff\xff\xff\xff\xff\2"), &d) == YG_PARSE,
		"a number of 65 bits");
	T_NAMED(decode(YG_SV("\x78\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"), &d) == YG_PARSE,
		"a number of eleven octets");
	T_NAMED(decode(YG_SV("\x72\2\x8\5\x78\1\3\4"), &d) == YG_PARSE, "a group");
	T_NAMED(decode(YG_SV("\x72\2\x8\5\x78\1\0\1"), &d) == YG_PARSE, "field number 0");
	T_NAMED(decode(YG_SV("\x72\5\x8\5\x7a\1\x12\x78\1"), &d) == YG_PARSE, "a broken policy");
	T_NAMED(d.type == 77, "what is refused writes nothing");
}

static void values(void)
{
	T_OK(yg_dnstap_time_us(1790000000, 5000) == 1790000000000005);
	T_NAMED(yg_dnstap_time_us(1, 4000000000U) == 1999999, "nanoseconds over a second");
	T_NAMED(yg_dnstap_time_us(UINT64_MAX, 0) == 0, "a time beyond the calendar is none");
	T_OK(yg_dnstap_time_us(0, 0) == 0);
	struct yg_ip ip = yg_dnstap_ip(YG_SV("\300\0\2\1"));
	T_OK(yg_ip_is_v4(ip) && ip.b[12] == 192 && ip.b[15] == 1);
	T_OK(yg_dnstap_ip(YG_SV("0123456789abcdef")).b[15] == 'f');
	T_NAMED(yg_ip_is_zero(yg_dnstap_ip(YG_SV("abc"))), "an address of three octets is none");
}

int main(void)
{
	struct yg_dnstap least = {.type = YG_DNSTAP_CLIENT_QUERY};
	struct yg_dnstap most = whole;
	most.type = most.family = most.protocol = most.http = UINT32_MAX;
	most.query_sec = UINT64_MAX;
	most.query_nsec = UINT32_MAX;
	most.response_sec = 0;
	round_trip(&whole, "every field");
	round_trip(&least, "no field");
	round_trip(&most, "the largest numbers");
	from_outside();
	refused();
	values();
	return tap_done();
}
