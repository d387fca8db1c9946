/* Frames as our resolver writes them. */
#include "format/dns.h"
#include "format/dns_extra.h"
#include "format/dnstap.h"
#include "format/fstrm.h"
#include "source_test.h"

#define AT_S 1781524800u /* 2026-06-15 noon UTC */

static uint8_t message[1024], stream[65536], extra[YG_DNS_EXTRA_MAX];
static size_t stream_n;

static struct yg_sv bytes(const void *p, size_t n)
{
	return (struct yg_sv){p, n};
}

/* www.Example.com CNAME cdn.example, cdn.example A 192.0.2.7; or an error. */
static struct yg_sv answer(unsigned rcode, bool ede)
{
	struct yg_dns_wr w;
	struct yg_dns_name name, target;
	uint8_t option[8] = {0, 15, 0, 4, 0, 15, 'n', 'o'};
	(void)yg_dns_name_parse(YG_SV("www.Example.com"), NULL, &name, NULL);
	(void)yg_dns_name_parse(YG_SV("cdn.example"), NULL, &target, NULL);
	yg_dns_wr_begin(&w, message, sizeof message, 4711,
			(uint16_t)(YG_DNS_QR | YG_DNS_RD | YG_DNS_RA | rcode));
	yg_dns_wr_question(&w, &name, YG_DNS_A, YG_DNS_IN);
	if (rcode == 0) {
		(void)yg_dns_wr_rr(&w, YG_DNS_ANSWER, &name, YG_DNS_CNAME, YG_DNS_IN, 300,
				   bytes(target.b, target.n));
		(void)yg_dns_wr_rr(&w, YG_DNS_ANSWER, &target, YG_DNS_A, YG_DNS_IN, 60,
				   YG_SV("\xc0\x00\x02\x07"));
	}
	size_t n = w.n;
	if (ede) {
		uint8_t *opt = message + n;
		memset(opt, 0, 11);
		opt[2] = YG_DNS_OPT;
		opt[7] = 0x80;
		opt[10] = sizeof option;
		memcpy(opt + 11, option, sizeof option);
		message[11] = 1;
		n += 11 + sizeof option;
	}
	return bytes(message, n);
}

static struct yg_dnstap client_response(void)
{
	return (struct yg_dnstap){.type = YG_DNSTAP_CLIENT_RESPONSE,
				  .family = YG_DNSTAP_INET,
				  .protocol = YG_DNSTAP_DOT,
				  .identity = YG_SV_INIT("a-city/town hall"),
				  .query_address = YG_SV_INIT("\x0a\x00\x00\x05"),
				  .query_port = 5000,
				  .response_address = YG_SV_INIT("\xc0\x00\x02\x01"),
				  .response_port = 853,
				  .query_sec = AT_S,
				  .query_nsec = 250000000,
				  .response_sec = AT_S,
				  .response_nsec = 251000000};
}

static void put_control(enum yg_fstrm_control type)
{
	stream_n += yg_fstrm_control(stream + stream_n, sizeof stream - stream_n, type,
				     YG_SV(YG_FSTRM_DNSTAP));
}
static void put_frame(const struct yg_dnstap *d)
{
	size_t n = yg_dnstap_encode(d, stream + stream_n + 4, sizeof stream - stream_n - 4);
	yg_fstrm_data(stream + stream_n, (uint32_t)n);
	stream_n += n + 4;
}

static void check(const char *want, const char *name)
{
	st_check(YG_SOURCE_DNSTAP, NULL, bytes(stream, stream_n), want, name);
	stream_n = 0;
}

#define WHEN   "time=2026-06-15T12:00:00.250000Z class_uid=4003 activity_id="
#define ENDS   "src_ip=10.0.0.5 src_port=5000 dst_ip=192.0.2.1 dst_port=853 proto=tcp app=dot "
#define ASKED  "query=www.example.com query_type=A "
#define ANSWER "rcode=NOERROR answers=cdn.example,192.0.2.7 "

static void test_ours(void)
{
	struct yg_dnstap d = client_response();
	struct yg_dns_extra x = {.origin = 1, .ede = YG_DNS_EDE_NONE, .took_us = 42};
	d.response_message = answer(0, false);
	d.extra = bytes(extra, yg_dns_extra_put(&x, extra, sizeof extra));
	put_control(YG_FSTRM_START);
	put_frame(&d);
	x = (struct yg_dns_extra){.origin = 5,
				  .rcode = 3,
				  .ede = 15,
				  .took_us = 9,
				  .hit_count = 1,
				  .hits = {{true, YG_SV_INIT("centre-zone"), YG_SV_INIT("feed1"),
					    YG_SV_INIT("malware"), YG_SV_INIT("qname"),
					    YG_SV_INIT("nxdomain"), YG_SV_INIT("*.example.com")}}};
	d.response_message = answer(3, true);
	d.extra = bytes(extra, yg_dns_extra_put(&x, extra, sizeof extra));
	put_frame(&d);
	put_control(YG_FSTRM_STOP);
	check(WHEN
	      "6 severity_id=1 status_id=1 log_name=client_response " ENDS
	      "bytes_in=74 duration=42 " ASKED ANSWER
	      "network=town hall flags=qr rd ra origin=cache verdict=allowed\n" WHEN
	      "6 severity_id=2 status_id=2 log_name=client_response event_code=nxdomain "
	      "message=blocked by feed1 (qname *.example.com) " ENDS "bytes_in=52 duration=9 " ASKED
	      "rcode=NXDOMAIN network=town hall flags=qr rd ra do ede_code=15 origin=policy "
	      "verdict=blocked layer=centre-zone policy=feed1 trigger=qname rule=*.example.com "
	      "category=malware\n",
	      "ours: answered from cache, then blocked");
}

static void test_verdicts(void)
{
	static const struct {
		uint8_t origin, rcode, hits;
		bool decided;
		const char *action, *want;
	} rows[] = {
		{1, 0, 1, false, "nxdomain", "verdict=noted"},
		{3, 0, 1, true, "passthru", "verdict=passed"},
		{5, 0, 1, true, "data", "verdict=blocked"},
		{5, 0, 1, true, "drop", "verdict=dropped"},
		{6, 0, 0, false, "", "verdict=blocked layer=rebinding-protection"},
		{7, 2, 0, false, "", "verdict=failed"},
		{0, 5, 0, false, "", "verdict=refused"},
		{2, 0, 0, false, "", "origin=stale verdict=allowed"},
	};
	struct yg_norm *n = NULL;
	if (!T_OK(yg_norm_new(YG_SOURCE_DNSTAP, NULL, &n, NULL) == YG_OK))
		return;
	for (size_t i = 0; i < YG_LEN(rows); i++) {
		static char text[16384];
		struct yg_sb b = yg_sb_init(text, sizeof text);
		struct yg_dnstap d = client_response();
		struct yg_event ev = {0};
		struct yg_dns_extra x = {.origin = rows[i].origin,
					 .rcode = rows[i].rcode,
					 .ede = YG_DNS_EDE_NONE,
					 .flags = YG_DNS_EXTRA_PSEUDONYM,
					 .hit_count = rows[i].hits};
		x.hits[0] = (struct yg_dns_extra_hit){.decided = rows[i].decided,
						      .zone = YG_SV("z"),
						      .action = yg_sv_of(rows[i].action)};
		d.response_message = answer(rows[i].rcode, false);
		d.extra = bytes(extra, yg_dns_extra_put(&x, extra, sizeof extra));
		stream_n = 0;
		put_control(YG_FSTRM_START);
		put_frame(&d);
		yg_norm_begin(n, bytes(stream, stream_n), (yg_wall){1}, false);
		bool ok = yg_norm_next(n, &ev);
		st_show(&ev, &b);
		ok = ok && yg_sv_has(yg_sb_sv(&b), yg_sv_of(rows[i].want)) &&
		     yg_sv_has(ev.raw, YG_SV("\"client\":\"pseudonym\""));
		if (!T_NAMED(ok, rows[i].want))
			(void)printf("# %s\n# %.*s\n", yg_sb_cstr(&b), (int)ev.raw.n, ev.raw.p);
	}
	yg_norm_free(n);
	stream_n = 0;
}

int main(void)
{
	test_ours();
	test_verdicts();
	return tap_done();
}
