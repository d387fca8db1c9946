/* What unbound told is in test/fuzz/dnstap.corpus/file and read by the fuzz targets. */
#include "format/dnstap.h"

#include "event/split.h"
#include "format/dns.h"
#include "format/fstrm.h"
#include "source_test.h"

static uint8_t stream[1 << 20];
static size_t stream_n;

static void put_control(enum yg_fstrm_control type, struct yg_sv content)
{
	stream_n += yg_fstrm_control(stream + stream_n, sizeof stream - stream_n, type, content);
}

static void start(void)
{
	stream_n = 0;
	put_control(YG_FSTRM_START, YG_SV(YG_FSTRM_DNSTAP));
}

static void put_frame(const struct yg_dnstap *d)
{
	size_t n = yg_dnstap_encode(d, stream + stream_n + 4, sizeof stream - stream_n - 4);
	yg_fstrm_data(stream + stream_n, (uint32_t)n);
	stream_n += 4 + n;
}

static struct yg_sv made(void)
{
	return (struct yg_sv){(const char *)stream, stream_n};
}

static void question(struct yg_dns_wr *w, uint8_t *p, size_t cap, uint16_t bits)
{
	struct yg_dns_name name;
	(void)yg_dns_name_parse(YG_SV("WWW.Example"), NULL, &name, NULL);
	yg_dns_wr_begin(w, p, cap, 1, bits);
	yg_dns_wr_question(w, &name, YG_DNS_A, YG_DNS_IN);
}

static struct yg_sv answered(void)
{
	static uint8_t p[512];
	static struct yg_dns_wr w;
	struct yg_dns_name name, other;
	question(&w, p, sizeof p, YG_DNS_QR | YG_DNS_RD | YG_DNS_RA);
	(void)yg_dns_name_parse(YG_SV("www.example"), NULL, &name, NULL);
	(void)yg_dns_name_parse(YG_SV("cdn.example"), NULL, &other, NULL);
	(void)yg_dns_wr_rr(&w, YG_DNS_ANSWER, &name, YG_DNS_CNAME, YG_DNS_IN, 60,
			   (struct yg_sv){(const char *)other.b, other.n});
	(void)yg_dns_wr_rr(&w, YG_DNS_ANSWER, &other, YG_DNS_A, YG_DNS_IN, 60, YG_SV("\300\0\2\7"));
	(void)yg_dns_wr_opt_begin(&w, 1232, YG_DNS_RCODE_NOERROR, true);
	(void)yg_dns_wr_ede(&w, YG_DNS_EDE_BLOCKED, YG_SV("no"));
	yg_dns_wr_opt_end(&w);
	return (struct yg_sv){(const char *)p, w.n};
}

static struct yg_sv asked(void)
{
	static uint8_t p[512];
	static struct yg_dns_wr w;
	question(&w, p, sizeof p, YG_DNS_RD);
	return (struct yg_sv){(const char *)p, w.n};
}

static struct yg_dnstap response(void)
{
	return (struct yg_dnstap){.type = YG_DNSTAP_CLIENT_RESPONSE,
				  .identity = YG_SV("ns\x1b"),
				  .family = YG_DNSTAP_INET,
				  .protocol = YG_DNSTAP_DOT,
				  .query_address = YG_SV("\300\0\2\1"),
				  .query_port = 40000,
				  .response_address = YG_SV("\300\0\2\2"),
				  .response_port = 853,
				  .query_sec = 1790000000,
				  .query_nsec = 5000,
				  .response_sec = 1790000000,
				  .response_nsec = 1005000,
				  .response_message = answered()};
}

static void test_messages(void)
{
	struct yg_dnstap d = response();
	start();
	put_frame(&d);
	put_control(YG_FSTRM_STOP, YG_SV(""));
	st_check(YG_SOURCE_DNSTAP, NULL, made(),
		 "time=2026-09-21T14:13:20.000005Z class_uid=4003 activity_id=2 severity_id=1 "
		 "status_id=1 log_name=client_response src_ip=192.0.2.1 src_port=40000 "
		 "dst_ip=192.0.2.2 dst_port=853 proto=tcp app=dot bytes_in=82 duration=1000 "
		 "query=www.example query_type=A rcode=NOERROR answers=cdn.example,192.0.2.7 "
		 "flags=qr rd ra do ede_code=15 verdict=blocked host=ns\\x1b\n",
		 "an answer");
	d.response_message = YG_SV("");
	d.query_message = asked();
	d.type = YG_DNSTAP_CLIENT_QUERY;
	d.protocol = 99;
	d.response_sec = 0;
	d.response_nsec = 0;
	d.identity = YG_SV("");
	d.query_nsec = UINT32_MAX;
	d.query_port = 70000;
	start();
	put_frame(&d);
	st_check(YG_SOURCE_DNSTAP, NULL, made(),
		 "time=2026-09-21T14:13:20.999999Z class_uid=4003 activity_id=1 severity_id=1 "
		 "log_name=client_query src_ip=192.0.2.1 dst_ip=192.0.2.2 dst_port=853 app=dns "
		 "bytes_out=29 query=www.example query_type=A flags=rd\n",
		 "a query with numbers out of range; a stream without its end");
}

static void test_policy(void)
{
	struct yg_dnstap d = response();
	d.response_message = asked();
	d.protocol = YG_DNSTAP_UDP;
	d.policy = (struct yg_dnstap_policy){.is_there = true,
					     .action = YG_DNSTAP_NXDOMAIN,
					     .match = YG_DNSTAP_QNAME,
					     .rule = YG_SV("\3bad\7example\3rpz\0")};
	start();
	put_frame(&d);
	st_check(YG_SOURCE_DNSTAP, NULL, made(),
		 "time=2026-09-21T14:13:20.000005Z class_uid=4003 activity_id=2 severity_id=2 "
		 "log_name=client_response event_code=nxdomain message=blocked by RPZ (qname "
		 "bad.example.rpz) src_ip=192.0.2.1 src_port=40000 dst_ip=192.0.2.2 "
		 "dst_port=853 proto=udp app=dns bytes_in=29 duration=1000 query=www.example "
		 "query_type=A flags=rd verdict=blocked layer=member policy=RPZ trigger=qname "
		 "rule=bad.example.rpz host=ns\\x1b\n",
		 "what a policy did, by a record of a name that is not in the frame");
}

/* The event of one frame, as text; in memory of this function. */
static const char *told(const struct yg_dnstap *d)
{
	static char text[16384];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	struct yg_norm *n = NULL;
	struct yg_event ev = {0};
	start();
	put_frame(d);
	if (yg_norm_new(YG_SOURCE_DNSTAP, NULL, &n, NULL) != YG_OK)
		abort();
	yg_norm_begin(n, made(), (yg_wall){1}, false);
	if (yg_norm_next(n, &ev))
		st_show(&ev, &b);
	yg_norm_free(n);
	return yg_sb_cstr(&b);
}

/* The zone is what stands behind the name that was looked at, or behind the word of the kind. */
static void test_zones(void)
{
	static const struct {
		struct yg_sv rule, value;
		uint32_t match, action;
		const char *want;
	} rows[] = {
		{YG_SV_INIT("\3www\7example\4feed\3rpz\0"), YG_SV_INIT(""), YG_DNSTAP_QNAME,
		 YG_DNSTAP_NXDOMAIN,
		 "verdict=blocked layer=member policy=feed.rpz trigger=qname rule=www.example "},
		{YG_SV_INIT("\1*\7example\4feed\3rpz\0"), YG_SV_INIT(""), YG_DNSTAP_QNAME,
		 YG_DNSTAP_LOCAL_DATA, "policy=feed.rpz trigger=qname rule=*.example "},
		{YG_SV_INIT("\3cdn\7example\4feed\3rpz\0"), YG_SV_INIT(""), YG_DNSTAP_QNAME,
		 YG_DNSTAP_NODATA, "policy=feed.rpz trigger=qname rule=cdn.example "},
		{YG_SV_INIT("\3bad\3net\4feed\0"), YG_SV_INIT("\3bad\3net\0"), YG_DNSTAP_QNAME,
		 YG_DNSTAP_DROP,
		 "verdict=dropped layer=member policy=feed trigger=qname rule=bad.net "},
		{YG_SV_INIT("\1*\3net\4feed\0"), YG_SV_INIT("\1a\3bad\3net\0"), YG_DNSTAP_QNAME,
		 YG_DNSTAP_PASS,
		 "verdict=passed layer=member policy=feed trigger=qname rule=*.net "},
		{YG_SV_INIT("\00224\0010\0012\0010\003192\6rpz-ip\4feed\3rpz\0"), YG_SV_INIT(""),
		 YG_DNSTAP_RESPONSE_IP, YG_DNSTAP_NXDOMAIN,
		 "policy=feed.rpz trigger=response-ip rule=24.0.2.0.192.rpz-ip "},
		{YG_SV_INIT("\1*\2ns\7example\013rpz-nsdname\4feed\3rpz\0"), YG_SV_INIT(""),
		 YG_DNSTAP_NS_NAME, YG_DNSTAP_NXDOMAIN,
		 "policy=feed.rpz trigger=nsdname rule=*.ns.example.rpz-nsdname "},
		{YG_SV_INIT("\1*\5other\4feed\0"), YG_SV_INIT(""), YG_DNSTAP_QNAME,
		 YG_DNSTAP_NXDOMAIN, "policy=RPZ trigger=qname rule=*.other.feed "},
		{YG_SV_INIT("\3www\7example\0"), YG_SV_INIT(""), YG_DNSTAP_QNAME,
		 YG_DNSTAP_NXDOMAIN, "policy=RPZ trigger=qname rule=www.example "},
	};
	for (size_t i = 0; i < YG_LEN(rows); i++) {
		struct yg_dnstap d = response();
		d.policy = (struct yg_dnstap_policy){.is_there = true,
						     .type = YG_SV("RPZ"),
						     .rule = rows[i].rule,
						     .value = rows[i].value,
						     .match = rows[i].match,
						     .action = rows[i].action};
		const char *text = told(&d);
		if (!T_NAMED(strstr(text, rows[i].want) != NULL, rows[i].want))
			(void)printf("# %s\n", text);
	}
}

/* Without a word of a policy: by the answer to the client, once for each query. */
static void test_verdicts(void)
{
	static uint8_t p[512];
	static struct yg_dns_wr w;
	static const struct {
		uint32_t type, rcode;
		int ede;
		const char *want;
	} rows[] = {
		{YG_DNSTAP_CLIENT_RESPONSE, YG_DNS_RCODE_NOERROR, -1, " verdict=allowed "},
		{YG_DNSTAP_CLIENT_RESPONSE, YG_DNS_RCODE_NXDOMAIN, -1, " verdict=allowed "},
		{YG_DNSTAP_CLIENT_RESPONSE, YG_DNS_RCODE_REFUSED, -1, " verdict=refused "},
		{YG_DNSTAP_CLIENT_RESPONSE, YG_DNS_RCODE_SERVFAIL, -1, " verdict=failed "},
		{YG_DNSTAP_CLIENT_RESPONSE, YG_DNS_RCODE_NXDOMAIN, 17, " verdict=blocked "},
		{YG_DNSTAP_CLIENT_RESPONSE, YG_DNS_RCODE_SERVFAIL, 22, " verdict=failed "},
		{YG_DNSTAP_RESOLVER_RESPONSE, YG_DNS_RCODE_NOERROR, -1, NULL},
		{YG_DNSTAP_AUTH_RESPONSE, YG_DNS_RCODE_NOERROR, -1, NULL},
	};
	for (size_t i = 0; i < YG_LEN(rows); i++) {
		struct yg_dnstap d = response();
		question(&w, p, sizeof p, (uint16_t)(YG_DNS_QR | rows[i].rcode));
		(void)yg_dns_wr_opt_begin(&w, 1232, (uint16_t)rows[i].rcode, false);
		if (rows[i].ede >= 0)
			(void)yg_dns_wr_ede(&w, (uint16_t)rows[i].ede, YG_SV(""));
		yg_dns_wr_opt_end(&w);
		d.type = rows[i].type;
		d.response_message = (struct yg_sv){(const char *)p, w.n};
		const char *text = told(&d);
		bool ok = rows[i].want != NULL ? strstr(text, rows[i].want) != NULL
					       : strstr(text, "verdict=") == NULL;
		if (!T_NAMED(ok, rows[i].want != NULL ? rows[i].want : "not of a client"))
			(void)printf("# %s\n", text);
	}
}

static void test_broken(void)
{
	struct yg_dnstap d = response();
	d.response_message = YG_SV("short");
	start();
	put_frame(&d);
	yg_fstrm_data(stream + stream_n, 3);
	memset(stream + stream_n + 4, 'x', 3);
	stream_n += 7;
	yg_fstrm_data(stream + stream_n, 100);
	stream_n += 4;
#define AT "time=2026-06-15T12:00:00.000000Z class_uid=0 parse_error="
	st_check(YG_SOURCE_DNSTAP, NULL, made(),
		 AT "the DNS message in it cannot be read\n" AT "not a dnstap frame\n" AT
		    "the stream ends within a frame\n",
		 "what cannot be read is kept with the reason");
	st_check(YG_SOURCE_DNSTAP, NULL, YG_SV("hello, world"),
		 AT "not Frame Streams: a data frame before START\n", "another kind of file");
	stream_n = 0;
	put_control(YG_FSTRM_START, YG_SV("other"));
	st_check(YG_SOURCE_DNSTAP, NULL, made(),
		 AT "the content type is not protobuf:dnstap.Dnstap\n", "another content");
}

/* Events and unparsed records of a stream that went through the splitter. */
static uint64_t through_split(struct yg_sv in, size_t piece, uint64_t *out_unparsed)
{
	struct yg_split *s = NULL;
	struct yg_norm *n = NULL;
	struct yg_split_batch b;
	struct yg_event ev = {0};
	uint64_t records = 0;
	bool more = true;
	*out_unparsed = 0;
	if (yg_split_new(YG_SOURCE_DNSTAP, YG_RECORD_MAX + YG_SPLIT_HEADER_MAX + 2, &s, NULL) !=
		    YG_OK ||
	    yg_norm_new(YG_SOURCE_DNSTAP, NULL, &n, NULL) != YG_OK)
		abort();
	for (size_t at = 0; more; at += piece) {
		struct yg_sv part = yg_sv_sub(in, at, piece);
		more = part.n > 0;
		while (more ? yg_split_next(s, &part, &b) : yg_split_end(s, &b)) {
			yg_norm_begin(n, b.bytes, (yg_wall){1}, false);
			while (yg_norm_next(n, &ev))
				;
			T_OK(yg_norm_records(n) == b.records);
			records += yg_norm_records(n);
			*out_unparsed += yg_norm_unparsed(n);
		}
	}
	yg_norm_free(n);
	yg_split_free(s);
	return records;
}

static void test_split(void)
{
	struct yg_dnstap d = response();
	uint64_t unparsed = 0;
	start();
	for (int i = 0; i < 3000; i++)
		put_frame(&d);
	size_t whole = stream_n;
	put_control(YG_FSTRM_STOP, YG_SV(""));
	T_OK(through_split(made(), 1000, &unparsed) == 3000 && unparsed == 0);
	T_OK(through_split(made(), 7, &unparsed) == 3000 && unparsed == 0);
	stream_n = whole - 1;
	T_NAMED(through_split(made(), 4096, &unparsed) == 3000 && unparsed == 1,
		"half a frame at the end is one that cannot be read");
	T_NAMED(through_split(YG_SV("hello, world"), 5, &unparsed) == 1 && unparsed == 1,
		"another kind of file is one record");
	T_NAMED(through_split(YG_SV(""), 5, &unparsed) == 0, "an empty file has none");
}

static void test_split_large(void)
{
	struct yg_dnstap d = response();
	uint64_t unparsed = 0;
	static char large[300000];
	start();
	put_frame(&d);
	d.extra = (struct yg_sv){large, sizeof large};
	put_frame(&d);
	put_frame(&d);
	put_frame(&d);
	T_NAMED(through_split(made(), 65536, &unparsed) == 4 && unparsed == 0,
		"frames longer than most");
}

int main(void)
{
	test_messages();
	test_policy();
	test_zones();
	test_verdicts();
	test_broken();
	test_split();
	test_split_large();
	return tap_done();
}
