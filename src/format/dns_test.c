#include "format/dns.h"

#include "tap.h"

static struct yg_dns_name name(const char *text)
{
	struct yg_dns_name n;
	if (yg_dns_name_parse(yg_sv_of(text), NULL, &n, NULL) != YG_OK)
		abort();
	return n;
}

static struct yg_sv bytes(const void *p, size_t n)
{
	return (struct yg_sv){p, n};
}

static uint64_t seed = 88172645463325252ull;
static uint32_t rnd(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 33) % below;
}

static void test_words(void)
{
	char buf[64];
	unsigned rcode;
	uint16_t v;
	bool same = true;
	for (unsigned t = 0; t <= 65535; t++) {
		struct yg_sb b = yg_sb_init(buf, sizeof buf);
		yg_dns_type_format(&b, (uint16_t)t);
		same &= yg_dns_type_parse(yg_sb_sv(&b), &v) == YG_OK && v == t;
	}
	T_NAMED(same, "every type reads back");
	T_OK(yg_dns_type_parse(YG_SV("aaaa"), &v) == YG_OK && v == YG_DNS_AAAA);
	T_OK(yg_dns_type_parse(YG_SV("type0257"), &v) == YG_OK && v == YG_DNS_CAA);
	T_OK(yg_dns_type_parse(YG_SV("TYPE65536"), &v) == YG_PARSE);
	T_OK(yg_dns_type_parse(YG_SV("TYPE"), &v) == YG_PARSE);
	T_OK(yg_dns_type_parse(YG_SV(""), &v) == YG_PARSE);
	T_OK(yg_dns_class_parse(YG_SV("ch"), &v) == YG_OK && v == YG_DNS_CH);
	T_OK(yg_dns_rcode_parse(YG_SV("BADVERS"), &rcode) == YG_OK && rcode == 16);
	T_OK(yg_dns_ede_text(15)[0] == 'b' && yg_dns_ede_text(12345)[0] == 0);
	T_OK(yg_dns_type_is_meta(YG_DNS_ANY) && !yg_dns_type_is_meta(YG_DNS_A));
	T_OK(strcmp(yg_dns_type_layout(65280), "x") == 0);
}

/* ---- queries ---- */

static const uint8_t plain[] = "\x12\x34\x01\x10\0\1\0\0\0\0\0\0\3wWw\7example\0\0\1\0\1";
static struct yg_dns_query q;

static size_t with_opt(uint8_t *out, const char *options, size_t n, uint8_t version, uint8_t owner)
{
	size_t at = sizeof plain - 1;
	memcpy(out, plain, at);
	out[11] = 1;
	const uint8_t opt[] = {owner, 0, 41, 0x10, 0, 0, version, 0x80, 0, 0, (uint8_t)n};
	memcpy(out + at, opt, sizeof opt);
	memcpy(out + at + sizeof opt, options, n);
	return at + sizeof opt + n;
}

static void test_query(void)
{
	uint8_t m[600];
	T_OK(yg_dns_query_read(plain, sizeof plain - 1, &q) == YG_OK && q.rcode == 0);
	T_OK(q.id == 0x1234 && q.type == YG_DNS_A && q.cls == YG_DNS_IN && q.question_n == 17);
	T_OK((q.flags & YG_DNS_RD) != 0 && (q.flags & YG_DNS_CD) != 0 && !q.edns && q.udp == 512);
	struct yg_dns_name want = name("www.example");
	T_OK(q.has_question && yg_dns_name_eq(&q.name, &want));
	for (size_t cut = 0; cut < sizeof plain - 1; cut++) {
		yg_status st = yg_dns_query_read(plain, cut, &q);
		T_OK(cut < 12 ? st == YG_PARSE : st == YG_OK && q.rcode == YG_DNS_RCODE_FORMERR);
	}
	size_t n = with_opt(m,
			    "\0\x0a\0\x08"
			    "12345678"
			    "\0\x0c\0\0",
			    16, 0, 0);
	T_OK(yg_dns_query_read(m, n, &q) == YG_OK && q.rcode == 0 && q.edns && q.dnssec_ok);
	T_OK(q.udp == 4096 && q.wants_padding && yg_sv_eq(q.cookie, YG_SV("12345678")));
	T_OK(yg_dns_query_read(m, n - 1, &q) == YG_OK && q.rcode == YG_DNS_RCODE_FORMERR);
	n = with_opt(m,
		     "\0\x0a\0\x09"
		     "123456789",
		     13, 0, 0);
	T_OK(yg_dns_query_read(m, n, &q) == YG_OK && q.rcode == YG_DNS_RCODE_FORMERR);
	n = with_opt(m, "\0\x0c\0\x09", 4, 0, 0); /* an option that lies */
	T_OK(yg_dns_query_read(m, n, &q) == YG_OK && q.rcode == YG_DNS_RCODE_FORMERR);
	n = with_opt(m, "", 0, 1, 0);
	T_OK(yg_dns_query_read(m, n, &q) == YG_OK && q.rcode == YG_DNS_RCODE_BADVERS && q.edns);
	n = with_opt(m, "", 0, 0, 0);
	memcpy(m + n, m + n - 11, 11);
	m[11] = 2; /* two OPTs */
	T_OK(yg_dns_query_read(m, n + 11, &q) == YG_OK && q.rcode == YG_DNS_RCODE_FORMERR);
	m[11] = 1; /* bytes left */
	T_OK(yg_dns_query_read(m, n + 11, &q) == YG_OK && q.rcode == YG_DNS_RCODE_FORMERR);
	memcpy(m, plain, sizeof plain - 1);
	m[2] |= 0x80;
	T_OK(yg_dns_query_read(m, sizeof plain - 1, &q) == YG_PARSE);
	m[2] = 0x28; /* UPDATE */
	T_OK(yg_dns_query_read(m, sizeof plain - 1, &q) == YG_OK && q.rcode == YG_DNS_RCODE_NOTIMP);
	m[2] = 1;
	m[5] = 2; /* two questions */
	T_OK(yg_dns_query_read(m, sizeof plain - 1, &q) == YG_OK &&
	     q.rcode == YG_DNS_RCODE_FORMERR);
}

/* ---- building and reading ---- */

static struct yg_dns_wr w;
static struct yg_dns_msg m;

static bool rdata_is(const struct yg_dns_rr *rr, const char *want)
{
	char buf[2000];
	struct yg_sb b = yg_sb_init(buf, sizeof buf);
	yg_dns_rdata_format(&b, &m, rr);
	if (yg_sv_eq(yg_sb_sv(&b), yg_sv_of(want)))
		return true;
	(void)printf("# %s, not %s\n", yg_sb_cstr(&b), want);
	return false;
}

static const struct {
	uint16_t type;
	struct yg_sv rdata;
	const char *text; /* NULL: refused by the builder */
} rows[] = {
	{YG_DNS_A, YG_SV_INIT("\300\0\2\1"), "192.0.2.1"},
	{YG_DNS_AAAA, YG_SV_INIT("\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"), "2001:db8::1"},
	{YG_DNS_MX, YG_SV_INIT("\0\12\4mail\7example\0"), "10 mail.example."},
	{YG_DNS_CNAME, YG_SV_INIT("\0"), "."},
	{YG_DNS_TXT, YG_SV_INIT("\2a\"\0\1\377"), "\"a\\\"\" \"\" \"\\255\""},
	{YG_DNS_SRV, YG_SV_INIT("\0\1\0\2\1\xbb\1x\0"), "1 2 443 x."},
	{YG_DNS_SOA, YG_SV_INIT("\1a\0\1b\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5"),
	 "a. b. 1 2 3 4 5"},
	{YG_DNS_CAA, YG_SV_INIT("\0\5issueca.example"), "0 issue \"ca.example\""},
	{YG_DNS_DS, YG_SV_INIT("\1\2\x0d\2\xab\xcd"), "258 13 2 abcd"},
	{YG_DNS_NSEC, YG_SV_INIT("\1b\0\0\1\x62"), "b. A NS SOA"},
	{YG_DNS_RRSIG, YG_SV_INIT("\0\1\x0d\2\0\0\x0e\x10\x65\x92\0\x80\x65\x92\0\x81\0\7\1z\0abc"),
	 "A 13 2 3600 20240101000000 20240101000001 7 z. YWJj"},
	{YG_DNS_NAPTR, YG_SV_INIT("\0\1\0\2\1u\3sip\0\1y\0"), "1 2 \"u\" \"sip\" \"\" y."},
	{65280, YG_SV_INIT("\1\2\3"), "\\# 3 010203"},
	{65280, YG_SV_INIT(""), "\\# 0"},
	{YG_DNS_HTTPS, YG_SV_INIT("\0\1\0\0\1\0\3\2h2"), "\\# 10 00010000010003026832"},
	{YG_DNS_A, YG_SV_INIT("\300\0\2"), NULL},
	{YG_DNS_A, YG_SV_INIT("\300\0\2\1\1"), NULL},
	{YG_DNS_MX, YG_SV_INIT("\0\12\4mail\300\14"), NULL}, /* a pointer in plain rdata */
	{YG_DNS_TXT, YG_SV_INIT(""), NULL},
	{YG_DNS_TXT, YG_SV_INIT("\5abc"), NULL},
	{YG_DNS_SOA, YG_SV_INIT("\1a\0\1b\0\0\0\0\1"), NULL},
	{YG_DNS_ANY, YG_SV_INIT("abc"), NULL},
};

static void test_rdata(void)
{
	uint8_t buf[512];
	struct yg_dns_name owner = name("mail.example");
	for (size_t i = 0; i < YG_LEN(rows); i++) {
		yg_dns_wr_begin(&w, buf, sizeof buf, 1, YG_DNS_QR);
		yg_dns_wr_question(&w, &owner, rows[i].type, YG_DNS_IN);
		size_t was = w.n;
		bool ok = yg_dns_wr_rr(&w, YG_DNS_ANSWER, &owner, rows[i].type, YG_DNS_IN, 60,
				       rows[i].rdata);
		T_OK(ok == (rows[i].text != NULL));
		if (!ok) {
			T_OK(w.n == was && buf[7] == 0 && !w.full);
			continue;
		}
		struct yg_dns_rr rr;
		T_OK(yg_dns_msg_read(buf, w.n, &m) == YG_OK && yg_dns_msg_check(&m) == YG_OK);
		struct yg_dns_iter it = yg_dns_records(&m);
		T_OK(yg_dns_rr_next(&it, &rr) && rr.ttl == 60 && rr.type == rows[i].type);
		T_OK(rdata_is(&rr, rows[i].text));
		T_OK(!yg_dns_rr_next(&it, &rr) && !it.bad);
		struct yg_dns_name n;
		if (rows[i].type == YG_DNS_MX) {
			T_OK(yg_dns_rr_name(&m, &rr, 0, &n) == YG_OK && yg_dns_name_eq(&n, &owner));
			T_OK(yg_dns_rr_name(&m, &rr, 1, &n) == YG_NOTFOUND);
			T_OK(rr.rdata_n == 4); /* compressed */
		}
	}
}

/* What a writer without compression but the longest suffix, by plain search, needs. */
struct naive {
	struct yg_sv seen[4096];
	size_t count, n;
};
static void naive_name(struct naive *v, const struct yg_dns_name *n, bool point)
{
	unsigned known = n->labels;
	for (unsigned i = 0; i < n->labels && known == n->labels; i++)
		for (size_t k = 0; k < v->count; k++)
			if (yg_sv_eq(v->seen[k], yg_dns_name_from(n, i)))
				known = i;
	for (unsigned i = 0; i < known; i++)
		v->seen[v->count++] = yg_dns_name_from(n, i);
	v->n += known < n->labels && point ? n->at[known] + 2u : n->n;
}

static void random_name(struct yg_dns_name *out)
{
	static const char *const parts[] = {"a", "B", "www", "example", "net", "x-1", "\\000", "c"};
	char text[128];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	for (unsigned n = 1 + rnd(4); n > 0; n--) {
		yg_sb_put(&b, yg_sv_of(parts[rnd(8)]));
		yg_sb_putc(&b, '.');
	}
	if (yg_dns_name_parse(yg_sb_sv(&b), NULL, out, NULL) != YG_OK)
		abort();
}

static void test_compression(void)
{
	static uint8_t buf[65535];
	static struct yg_dns_name asked, owners[40], targets[40];
	static uint16_t types[40];
	static struct naive v;
	static const uint16_t kinds[] = {YG_DNS_CNAME, YG_DNS_NS, YG_DNS_DNAME, YG_DNS_PTR};
	bool sizes = true, reads = true;
	for (int round = 0; round < 300; round++) {
		unsigned count = 1 + rnd(30);
		random_name(&asked);
		v.count = 0;
		v.n = 12;
		yg_dns_wr_begin(&w, buf, sizeof buf, 7, YG_DNS_QR);
		yg_dns_wr_question(&w, &asked, YG_DNS_A, YG_DNS_IN);
		naive_name(&v, &asked, true);
		v.n += 4;
		for (unsigned i = 0; i < count; i++) {
			random_name(&owners[i]);
			random_name(&targets[i]);
			types[i] = kinds[rnd(4)];
			reads &= yg_dns_wr_rr(&w, i < count / 2 ? 0 : 1, &owners[i], types[i],
					      YG_DNS_IN, i, bytes(targets[i].b, targets[i].n));
			naive_name(&v, &owners[i], true);
			naive_name(&v, &targets[i], types[i] != YG_DNS_DNAME);
			v.n += 10;
		}
		sizes &= w.n == v.n;
		struct yg_dns_name n;
		struct yg_dns_rr rr;
		unsigned i = 0;
		reads &= yg_dns_msg_read(buf, w.n, &m) == YG_OK && yg_dns_msg_check(&m) == YG_OK;
		for (struct yg_dns_iter it = yg_dns_records(&m); yg_dns_rr_next(&it, &rr); i++) {
			reads &= yg_dns_rr_owner(&m, &rr, &n) == YG_OK &&
				 yg_dns_name_eq(&n, &owners[i]);
			reads &= rr.type == types[i] && rr.ttl == i &&
				 rr.section == (i < count / 2 ? 0 : 1);
			reads &= yg_dns_rr_name(&m, &rr, 0, &n) == YG_OK &&
				 yg_dns_name_eq(&n, &targets[i]);
		}
		reads &= i == count;
	}
	T_NAMED(sizes, "as small as the plain search makes it");
	T_NAMED(reads, "every record reads back");
}

static void test_bounds(void)
{
	static uint8_t buf[65535], again[65535];
	struct yg_dns_name a = name("a.example"), b = name("b.other.test");
	bool whole = true;
	for (size_t cap = 0; cap < 160; cap++) { /* in every size: whole records or none */
		memset(buf, 0xee, sizeof buf);
		yg_dns_wr_begin(&w, buf, cap, 9, YG_DNS_QR);
		yg_dns_wr_question(&w, &a, YG_DNS_NS, YG_DNS_IN);
		for (int i = 0; i < 6; i++)
			(void)yg_dns_wr_rr(&w, 0, &a, YG_DNS_NS, YG_DNS_IN, 5, bytes(b.b, b.n));
		whole &= w.n <= cap && buf[cap] == 0xee;
		if (cap < 27)
			whole &= w.full;
		else
			whole &= yg_dns_msg_read(buf, w.n, &m) == YG_OK &&
				 yg_dns_msg_check(&m) == YG_OK;
		if (yg_dns_wr_opt_begin(&w, 1232, YG_DNS_RCODE_BADVERS, true)) {
			(void)yg_dns_wr_option(&w, YG_DNS_OPT_COOKIE, YG_SV("12345678"));
			(void)yg_dns_wr_ede(&w, 15, YG_SV("b\xc3\xa4h"));
			yg_dns_wr_padding(&w, 128);
			yg_dns_wr_opt_end(&w);
			whole &= w.n <= cap && buf[cap] == 0xee;
			if (cap >= 27) {
				struct yg_dns_edns e;
				whole &= yg_dns_msg_read(buf, w.n, &m) == YG_OK &&
					 yg_dns_msg_check(&m) == YG_OK;
				yg_dns_edns_read(&m, &e);
				whole &= e.found && !e.bad && e.rcode_high == 1 && e.udp == 1232;
				whole &= e.flags == 0x8000;
			}
		}
	}
	T_NAMED(whole, "whole records, whatever the room");
	/* a message of 64 KiB: names behind 16 KiB are no targets */
	yg_dns_wr_begin(&w, buf, sizeof buf, 9, YG_DNS_QR);
	yg_dns_wr_question(&w, &a, YG_DNS_NS, YG_DNS_IN);
	unsigned n = 0;
	for (; !w.full; n++) {
		char text[64];
		(void)snprintf(text, sizeof text, "n%u.example", n);
		struct yg_dns_name o = name(text);
		if (!yg_dns_wr_rr(&w, 0, &o, YG_DNS_NS, YG_DNS_IN, 5, bytes(b.b, b.n)))
			break;
	}
	T_OK(n > 2000 && w.n > 65000 && yg_dns_msg_read(buf, w.n, &m) == YG_OK);
	T_OK(yg_dns_msg_check(&m) == YG_OK && m.count[0] == n);
	/* copied record by record it is the same message */
	static struct yg_dns_wr w2;
	struct yg_dns_rr rr;
	struct yg_dns_name o;
	bool copied = true;
	yg_dns_wr_begin(&w2, again, sizeof again, 9, YG_DNS_QR);
	yg_dns_wr_question(&w2, &m.name, m.type, m.cls);
	for (struct yg_dns_iter it = yg_dns_records(&m); yg_dns_rr_next(&it, &rr);)
		copied &= yg_dns_rr_owner(&m, &rr, &o) == YG_OK &&
			  yg_dns_wr_copy(&w2, rr.section, &o, &m, &rr, rr.ttl);
	T_OK(copied && w2.n == w.n && memcmp(buf, again, w.n) == 0);
	/* and read from every shorter piece it is an error, never an overrun */
	bool caught = true;
	for (size_t cut = 27; cut < 2000; cut++)
		caught &=
			yg_dns_msg_read(buf, cut, &m) == YG_OK && yg_dns_msg_check(&m) == YG_PARSE;
	T_OK(caught);
}

static void test_edns(void)
{
	uint8_t buf[1300];
	struct yg_dns_name a = name("a.example");
	struct yg_dns_edns e;
	uint16_t code;
	struct yg_sv value;
	yg_dns_wr_begin(&w, buf, sizeof buf, 9, YG_DNS_QR);
	yg_dns_wr_question(&w, &a, YG_DNS_A, YG_DNS_IN);
	T_OK(yg_dns_wr_opt_begin(&w, 1232, YG_DNS_RCODE_NXDOMAIN, false));
	T_OK(yg_dns_wr_ede(&w, YG_DNS_EDE_BLOCKED, YG_SV("malware (feed1)")));
	yg_dns_wr_padding(&w, 468);
	yg_dns_wr_opt_end(&w);
	T_OK(w.n == 468 && !yg_dns_wr_rr(&w, 2, &a, YG_DNS_A, 1, 1, YG_SV("abcd")));
	T_OK(yg_dns_msg_read(buf, w.n, &m) == YG_OK && (m.flags & YG_DNS_RCODE) == 3);
	yg_dns_edns_read(&m, &e);
	T_OK(e.found && !e.bad && e.rcode_high == 0 && e.flags == 0);
	T_OK(yg_dns_option_next(&e.options, &code, &value) && code == YG_DNS_OPT_EDE);
	T_OK(yg_sv_eq(value, YG_SV("\0\x0f"
				   "malware (feed1)")));
	T_OK(yg_dns_option_next(&e.options, &code, &value) && code == YG_DNS_OPT_PADDING);
	T_OK(!yg_dns_option_next(&e.options, &code, &value) && e.options.n == 0);
	uint8_t ip[16];
	struct yg_dns_rr rr;
	yg_dns_wr_begin(&w, buf, sizeof buf, 9, YG_DNS_QR);
	T_OK(yg_dns_wr_rr(&w, 0, &a, YG_DNS_A, YG_DNS_IN, 0xffffffff, YG_SV("\300\0\2\1")));
	T_OK(yg_dns_msg_read(buf, w.n, &m) == YG_OK && m.questions == 0);
	struct yg_dns_iter it = yg_dns_records(&m);
	T_OK(yg_dns_rr_next(&it, &rr) && rr.ttl == 0); /* RFC 2181 8 */
	T_OK(yg_dns_rr_ip(&m, &rr, ip) && ip[10] == 0xff && ip[12] == 192);
	T_OK(!yg_dns_wr_rr(&w, 2, &a, YG_DNS_A, YG_DNS_IN, 1, YG_SV("12345")));
	T_OK(yg_dns_wr_rr(&w, 2, &a, YG_DNS_A, YG_DNS_IN, 1, YG_SV("1234")));
	T_OK(!yg_dns_wr_rr(&w, 1, &a, YG_DNS_A, YG_DNS_IN, 1, YG_SV("1234"))); /* not back */
}

int main(void)
{
	test_words();
	test_query();
	test_rdata();
	test_compression();
	test_bounds();
	test_edns();
	return tap_done();
}
