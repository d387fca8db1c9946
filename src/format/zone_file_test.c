/* Master files: every form of RFC 1035 that is taken, every one that is refused and
 * where, and the same records however the bytes are cut into pieces. */
#include "format/zone_file.h"

#include <stdio.h>

#include "tap.h"

struct got {
	char text[4096];
	struct yg_sb b;
};

static yg_status take(void *ctx, const struct yg_zone_rr *rr, struct yg_err *err)
{
	struct got *g = ctx;
	(void)err;
	yg_dns_name_format(&g->b, rr->owner);
	yg_sb_printf(&g->b, " %u ", rr->ttl);
	yg_dns_class_format(&g->b, rr->cls);
	yg_sb_putc(&g->b, ' ');
	yg_dns_type_format(&g->b, rr->type);
	yg_sb_putc(&g->b, ' ');
	if (rr->unread)
		yg_sb_put(&g->b, YG_SV("unread"));
	yg_sb_hex(&g->b, rr->rdata.p, rr->rdata.n);
	yg_sb_putc(&g->b, '\n');
	return YG_OK;
}

static yg_status read_in(struct yg_sv text, size_t piece, struct got *g, struct yg_err *err)
{
	struct yg_zone_opts opts = {.ctx = g, .record = take};
	struct yg_zone_reader *z = NULL;
	g->b = yg_sb_init(g->text, sizeof g->text);
	if (yg_zone_reader_new(&opts, &z, err) != YG_OK)
		return YG_NOMEM;
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < text.n; i += piece)
		st = yg_zone_reader_feed(z, yg_sv_sub(text, i, piece), err);
	if (st == YG_OK)
		st = yg_zone_reader_end(z, err);
	yg_zone_reader_free(z);
	return st;
}

static void good(const char *name, const char *text, const char *want)
{
	static struct got g;
	struct yg_err err = {.msg = ""};
	bool ok = true;
	for (size_t piece = 1; piece <= 64 && ok; piece += piece < 8 ? 1 : 7)
		ok = read_in(yg_sv_of(text), piece, &g, &err) == YG_OK &&
		     yg_sv_eq(yg_sb_sv(&g.b), yg_sv_of(want));
	if (!ok)
		(void)printf("# %s\n# %s\n", err.msg, yg_sb_cstr(&g.b));
	T_NAMED(ok, name);
}

static void bad(const char *text, const char *want)
{
	static struct got g;
	struct yg_err err = {.msg = ""};
	bool ok = read_in(yg_sv_of(text), 1000, &g, &err) == YG_PARSE && strcmp(err.msg, want) == 0;
	if (!ok)
		(void)printf("# have: %s\n", err.msg);
	T_NAMED(ok, want);
}

static void test_good(void)
{
	good("owner, TTL, class, type", "a.z. 60 IN A 192.0.2.1\n", "a.z 60 IN A c0000201\n");
	good("class before TTL", "a.z. IN 60 A 192.0.2.1\n", "a.z 60 IN A c0000201\n");
	good("another class", "a.z. 60 CH TXT x\n", "a.z 60 CH TXT 0178\n");
	good("no newline at the end", "a.z. 60 A 192.0.2.1", "a.z 60 IN A c0000201\n");
	good("CRLF", "a.z. 60 A 192.0.2.1\r\n\r\nb.z. A 192.0.2.2\r\n",
	     "a.z 60 IN A c0000201\nb.z 60 IN A c0000202\n");
	good("the owner before, the TTL before",
	     "a.z. 60 A 192.0.2.1\n  AAAA 2001:db8::1\n\tMX 10 b.z.\n",
	     "a.z 60 IN A c0000201\n"
	     "a.z 60 IN AAAA 20010db8000000000000000000000001\n"
	     "a.z 60 IN MX 000a0162017a00\n");
	good("$ORIGIN, $TTL, @ and relative names",
	     "$TTL 1h30m\n$ORIGIN z.\n@ NS ns\n$ORIGIN y\nx CNAME @\n",
	     "z 5400 IN NS 026e73017a00\nx.y.z 5400 IN CNAME 0179017a00\n");
	good("parentheses, comments, blank lines",
	     "\n; c\nz. 60 SOA a. b. ( 1 ; one\n 2 3\n\n 4 5 ) ; end\n",
	     "z 60 IN SOA 0161000162000000000100000002000000030000000400000005\n");
	good("an SOA's last field is its TTL without any",
	     "z. SOA a. b. 1 2 3 4 5\na.z. A 1.2.3.4\n",
	     "z 5 IN SOA 0161000162000000000100000002000000030000000400000005\n"
	     "a.z 5 IN A 01020304\n");
	good("quotes and escapes", "a.z. 1 TXT \"a;b \\\" (\" c\\100e \"\"\n",
	     "a.z 1 IN TXT 07613b62202220280363646500\n");
	good("escapes in names", "a\\.b\\032c.z. 1 A 1.2.3.4\n", "a\\.b\\032c.z 1 IN A 01020304\n");
	good("generic types", "a.z. 1 TYPE65280 \\# 4 0a00 0001\nb.z. 1 A \\# 4 01020304\n",
	     "a.z 1 IN TYPE65280 0a000001\nb.z 1 IN A 01020304\n");
	good("types whose text is not read", "a.z. 1 TLSA 3 1 1 abcd\n", "a.z 1 IN TLSA unread\n");
	good("CAA", "a.z. 1 CAA 0 issue \"ca.example\"\n",
	     "a.z 1 IN CAA 00056973737565"
	     "63612e6578616d706c65\n");
	good("upper case is folded", "A.Z. 1 CNAME B.Z.\n", "a.z 1 IN CNAME 0162017a00\n");
	good("nothing at all", "", "");
	good("only comments", "; a\n\n  \n;b", "");
}

static void test_bad(void)
{
	bad("a.z. A 1.2.3.4\n", "line 1, column 1: no TTL: $TTL is missing");
	bad("$TTL 1\na.z. A 1.2.3\n", "line 2, column 8: not an IPv4 address");
	bad("$TTL 1\na.z. AAAA 1.2.3.4\n", "line 2, column 11: not an IPv6 address");
	bad("$TTL 1\n\na.z. FOO x\n", "line 3, column 6: not a type of records");
	bad("$TTL 1\na.z. ANY x\n", "line 2, column 6: not a type of records");
	bad("$TTL 1\na.z. MX 10\n", "line 2, column 9: a field is missing at the end");
	bad("$TTL 1\na.z. A\n", "line 2, column 6: a field is missing at the end");
	bad("$TTL 1\na.z.\n", "line 2, column 1: a type is missing");
	bad("$TTL 1\n A 1.2.3.4\n", "line 2, column 2: the first record has no owner");
	bad("$TTL 1\na.z. A 1.2.3.4 5\n", "line 2, column 16: there is a field too many");
	bad("$TTL 1\na.z. MX 70000 b.\n",
	    "line 2, column 9: the number is too large for its field");
	bad("$TTL 1\na.z. TXT \"x\nb\"\n",
	    "line 2, column 10: the quote is not closed in its line");
	bad("$TTL 1\na.z. A 1.2.3.4 )\n", "line 2, column 16: ')' without '('");
	bad("$TTL 1\na.z. A ( 1.2.3.4\n",
	    "line 2, column 1: the file ends inside a record: '(' or '\"' is open");
	bad("$INCLUDE x\n", "line 1, column 1: $INCLUDE is not read: a zone is one file");
	bad("$GENERATE 1-2 a A 1.2.3.4\n",
	    "line 1, column 1: $GENERATE is not read: write the records");
	bad("$FOO 1\n", "line 1, column 1: there is no such directive");
	bad("$TTL x\n", "line 1, column 6: not a TTL");
	bad("$TTL 1\na.z. 99999999999 A 1.2.3.4\n", "line 2, column 6: not a TTL");
	bad("$TTL 1\na.z. A \\# 3 010203\n", "line 2, column 13: the data is not that of its type");
	bad("$TTL 1\na.z. A \\# 4 0102\n",
	    "line 2, column 13: the data is not as long as its \\# says");
}

static void test_limits(void)
{
	static char text[YG_ZONE_ENTRY_MAX + 2 * 1024 * 1024];
	static struct got g;
	struct yg_err err = {.msg = ""};
	memset(text, ' ', sizeof text);
	memcpy(text, "$TTL 1\na. TXT (", 15);
	T_OK(read_in((struct yg_sv){text, sizeof text}, 65536, &g, &err) == YG_PARSE);
	T_OK(strcmp(err.msg, "line 2, column 1: the record is too long, or a '(' is not closed") ==
	     0);
	size_t n = 15;
	for (unsigned i = 0; i < YG_ZONE_FIELDS_MAX; i++) {
		text[n++] = 'x';
		text[n++] = ' ';
	}
	memcpy(text + n, ")\n", 2);
	T_OK(read_in((struct yg_sv){text, n + 2}, 65536, &g, &err) == YG_PARSE);
	T_OK(strstr(err.msg, "too many fields") != NULL);
}

static void test_ttl(void)
{
	uint32_t v = 7;
	T_OK(yg_zone_ttl_parse(YG_SV("0"), &v) == YG_OK && v == 0);
	T_OK(yg_zone_ttl_parse(YG_SV("1w2d3h4m5s"), &v) == YG_OK && v == 788645);
	T_OK(yg_zone_ttl_parse(YG_SV("2147483647"), &v) == YG_OK && v == 2147483647u);
	T_OK(yg_zone_ttl_parse(YG_SV("2147483648"), &v) == YG_PARSE);
	T_OK(yg_zone_ttl_parse(YG_SV(""), &v) == YG_PARSE);
	T_OK(yg_zone_ttl_parse(YG_SV("h"), &v) == YG_PARSE);
	T_OK(yg_zone_ttl_parse(YG_SV("1h5"), &v) == YG_PARSE);
	T_OK(yg_zone_ttl_parse(YG_SV("9999w"), &v) == YG_PARSE);
}

int main(void)
{
	test_good();
	test_bad();
	test_limits();
	test_ttl();
	return tap_done();
}
