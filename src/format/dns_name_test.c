#include "format/dns_name.h"

#include "tap.h"

static struct yg_dns_name name(const char *text)
{
	struct yg_dns_name n;
	struct yg_err err = {.msg = ""};
	if (yg_dns_name_parse(yg_sv_of(text), NULL, &n, &err) != YG_OK) {
		(void)printf("# %s: %s\n", text, err.msg);
		yg_dns_name_root(&n);
	}
	return n;
}

static bool reads_as(const struct yg_dns_name *n, const char *text)
{
	char buf[YG_DNS_NAME_TEXT_MAX];
	struct yg_sb b = yg_sb_init(buf, sizeof buf);
	yg_dns_name_format(&b, n);
	bool same = yg_sb_done(&b) == YG_OK && yg_sv_eq(yg_sb_sv(&b), yg_sv_of(text));
	if (!same)
		(void)printf("# %s, not %s\n", yg_sb_cstr(&b), text);
	return same;
}

static void test_text(void)
{
	static const char *const same[] = {"example",        ".",          "a.b.c.example.net",
					   "*.example",      "a\\.b.c",    "\\000\\255.x",
					   "sp\\032ace.x",   "\\\"\\;\\(", "_dns._tcp.example",
					   "xn--q9jyb4c.jp", "\\\\.x"};
	for (size_t i = 0; i < YG_LEN(same); i++) {
		struct yg_dns_name n = name(same[i]);
		T_OK(reads_as(&n, same[i]));
	}
	struct yg_dns_name n = name("WWW.ExAmple."), origin = name("zone.example");
	T_OK(reads_as(&n, "www.example"));
	T_OK(n.n == 13 && n.labels == 2 && n.at[0] == 0 && n.at[1] == 4 && n.at[2] == 12);
	n = name("\\065b.c"); /* an escaped capital is folded as well */
	T_OK(reads_as(&n, "ab.c"));
	T_OK(yg_dns_name_parse(YG_SV("a.b"), &origin, &n, NULL) == YG_OK &&
	     reads_as(&n, "a.b.zone.example"));
	T_OK(yg_dns_name_parse(YG_SV("a.b."), &origin, &n, NULL) == YG_OK && reads_as(&n, "a.b"));
	T_OK(yg_dns_name_parse(YG_SV("@"), &origin, &n, NULL) == YG_OK &&
	     yg_dns_name_eq(&n, &origin));
	T_OK(yg_dns_name_parse(YG_SV("@"), NULL, &n, NULL) == YG_OK && n.labels == 1);
	static const char *const bad[] = {"", "..", ".a", "a..b", "a\\", "a\\25", "\\256", "\\2x3"};
	for (size_t i = 0; i < YG_LEN(bad); i++) {
		struct yg_err err = {.msg = ""};
		T_OK(yg_dns_name_parse(yg_sv_of(bad[i]), NULL, &n, &err) == YG_PARSE);
		T_OK(err.msg[0] != 0);
	}
}

static void test_lengths(void)
{
	char text[600];
	struct yg_dns_name n;
	memset(text, 'a', sizeof text);
	T_OK(yg_dns_name_parse((struct yg_sv){text, 63}, NULL, &n, NULL) == YG_OK && n.n == 65);
	T_OK(yg_dns_name_parse((struct yg_sv){text, 64}, NULL, &n, NULL) == YG_PARSE);
	for (size_t i = 1; i < sizeof text; i += 2)
		text[i] = '.';
	T_OK(yg_dns_name_parse((struct yg_sv){text, 253}, NULL, &n, NULL) == YG_OK);
	T_OK(n.n == 255 && n.labels == 127 && n.at[127] == 254);
	T_OK(yg_dns_name_parse((struct yg_sv){text, 255}, NULL, &n, NULL) == YG_PARSE);
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = i % 64 == 63 ? '.' : 'b';
	T_OK(yg_dns_name_parse((struct yg_sv){text, 253}, NULL, &n, NULL) == YG_OK && n.n == 255);
	T_OK(yg_dns_name_parse((struct yg_sv){text, 254}, NULL, &n, NULL) == YG_PARSE);
	char all[YG_DNS_NAME_TEXT_MAX];
	for (size_t i = 1; i < 254; i++)
		if (i % 64 != 0 && i != 254)
			n.b[i] = 1; /* every octet escaped */
	struct yg_sb b = yg_sb_init(all, sizeof all);
	yg_dns_name_format(&b, &n);
	(void)yg_sb_cstr(&b);
	T_OK(yg_sb_done(&b) == YG_OK && b.n < sizeof all);
}

static void test_wire(void)
{
	/* 0: www.EXAMPLE.  13: mail -> example  20: -> mail  22: a pointer to itself
	 * 24: forwards  26: label type 01  28: cut */
	static const uint8_t m[] = "\003www\007EXAMPLE\000\004mail\300\004\300\015\300\026\300\377"
				   "\101x\005cut";
	const size_t size = sizeof m - 1;
	struct yg_dns_name n;
	size_t at = 0;
	T_OK(yg_dns_name_read(m, size, &at, &n) == YG_OK && at == 13 &&
	     reads_as(&n, "www.example"));
	T_OK(yg_dns_name_read(m, size, &at, &n) == YG_OK && at == 20);
	T_OK(reads_as(&n, "mail.example") && n.labels == 2 && n.at[1] == 5 && n.at[2] == 13);
	T_OK(yg_dns_name_read(m, size, &at, &n) == YG_OK && at == 22);
	T_OK(reads_as(&n, "mail.example"));
	for (; at <= 28; at += 2) {
		size_t was = at;
		T_OK(yg_dns_name_read(m, size, &at, &n) == YG_PARSE && at == was);
		T_OK(reads_as(&n, "mail.example"));
	}
	at = size;
	T_OK(yg_dns_name_read(m, size, &at, &n) == YG_PARSE);
	at = 13;
	T_OK(yg_dns_name_skip(m, size, &at) == YG_OK && at == 20);
	at = 0;
	T_OK(yg_dns_name_skip(m, size, &at) == YG_OK && at == 13);
	at = 28;
	T_OK(yg_dns_name_skip(m, size, &at) == YG_PARSE && at == 28);
	at = 13;
	T_OK(yg_dns_name_read_plain(m, size, &at, &n) == YG_PARSE && at == 13);
	for (size_t cut = 0; cut < 13; cut++) {
		at = 0;
		T_OK(yg_dns_name_read(m, cut, &at, &n) == YG_PARSE);
	}
	uint8_t loop[] = "\001a\300\002\001b\300\000"; /* 4 -> 0 -> 2 is itself */
	at = 4;
	T_OK(yg_dns_name_read(loop, sizeof loop - 1, &at, &n) == YG_PARSE);
	uint8_t chain[512]; /* a pointer each before the last one: many jumps, still bounded */
	chain[0] = 0;
	for (size_t i = 1; i + 2 <= sizeof chain; i += 2) {
		size_t to = i == 1 ? 0 : i - 2;
		chain[i] = (uint8_t)(0xc0 | to >> 8);
		chain[i + 1] = (uint8_t)to;
	}
	at = 509;
	T_OK(yg_dns_name_read(chain, sizeof chain, &at, &n) == YG_OK && n.n == 1 && at == 511);
}

static void test_order(void)
{
	/* RFC 4034 6.1 */
	static const char *const order[] = {
		".",           "example",        "a.example", "yljkjljk.a.example",
		"Z.a.example", "zABC.a.EXAMPLE", "z.example", "\\001.z.example",
		"*.z.example", "\\200.z.example"};
	for (size_t i = 0; i < YG_LEN(order); i++)
		for (size_t k = 0; k < YG_LEN(order); k++) {
			struct yg_dns_name a = name(order[i]), b = name(order[k]);
			int d = yg_dns_name_cmp(&a, &b);
			T_OK(i < k ? d < 0 : i > k ? d > 0 : d == 0);
			T_OK(yg_dns_name_eq(&a, &b) == (i == k));
		}
}

static void test_family(void)
{
	struct yg_dns_name root = name("."), com = name("com"), a = name("a.example.com"), out;
	struct yg_dns_name example = name("example.com"), ample = name("ample.com");
	T_OK(yg_dns_name_is_in(&a, &root) && yg_dns_name_is_in(&a, &com));
	T_OK(yg_dns_name_is_in(&a, &example) && yg_dns_name_is_in(&a, &a));
	T_OK(!yg_dns_name_is_in(&a, &ample) && !yg_dns_name_is_in(&example, &a));
	T_OK(yg_dns_name_is_in(&root, &root) && !yg_dns_name_is_in(&root, &com));
	T_OK(yg_dns_name_common(&a, &ample) == 1 && yg_dns_name_common(&a, &example) == 2);
	yg_dns_name_above(&a, 1, &out);
	T_OK(yg_dns_name_eq(&out, &example) && out.labels == 2 && out.at[1] == 8 &&
	     out.at[2] == 12);
	yg_dns_name_above(&out, 9, &out);
	T_OK(yg_dns_name_eq(&out, &root) && out.labels == 0);
	T_OK(yg_sv_eq(yg_dns_name_from(&a, 2), YG_SV("\003com\000")));
	T_OK(yg_dns_name_from(&a, 3).n == 1 && yg_dns_name_from(&a, 99).n == 1);
	T_OK(yg_dns_name_join(&a, 2, &ample, &out) == YG_OK && reads_as(&out, "a.ample.com"));
	T_OK(out.labels == 3 && out.at[0] == 0 && out.at[1] == 2 && out.at[3] == 12);
	T_OK(yg_dns_name_join(&a, 9, &ample, &out) == YG_OK && yg_dns_name_eq(&out, &ample));
	char text[300];
	memset(text, 'x', sizeof text);
	for (size_t i = 63; i < sizeof text; i += 64)
		text[i] = '.';
	struct yg_dns_name most;
	T_OK(yg_dns_name_parse((struct yg_sv){text, 253}, NULL, &most, NULL) == YG_OK);
	T_OK(yg_dns_name_join(&most, 0, &com, &out) == YG_LIMIT);
	T_OK(yg_dns_name_join(&most, 0, &root, &out) == YG_OK && yg_dns_name_eq(&out, &most));
	struct yg_dns_name wild = name("*.example"), star = name("*"), not_wild = name("a*.x");
	T_OK(yg_dns_name_is_wild(&wild) && yg_dns_name_is_wild(&star));
	T_OK(!yg_dns_name_is_wild(&not_wild) && !yg_dns_name_is_wild(&root));
}

static void test_lower(void)
{
	uint8_t in[256], out[256];
	bool same = true;
	for (unsigned shift = 0; shift < 9; shift++) {
		for (unsigned i = 0; i < 256; i++)
			in[i] = (uint8_t)(i + shift);
		yg_dns_lower(out, in, 256 - shift);
		for (unsigned i = 0; i < 256 - shift; i++)
			same &= out[i] == (in[i] >= 'A' && in[i] <= 'Z' ? in[i] + 32 : in[i]);
	}
	T_OK(same);
}

int main(void)
{
	test_text();
	test_lengths();
	test_wire();
	test_order();
	test_family();
	test_lower();
	return tap_done();
}
