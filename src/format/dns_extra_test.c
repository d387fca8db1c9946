#include "format/dns_extra.h"

#include "tap.h"

static const struct yg_dns_extra whole = {
	.origin = 5,
	.flags = YG_DNS_EXTRA_PSEUDONYM,
	.rcode = 3,
	.ede = 15,
	.set = 7,
	.took_us = 123456,
	.hit_count = 2,
	.hits = {{true, YG_SV_INIT("centre-zone"), YG_SV_INIT("feed1"), YG_SV_INIT("malware"),
		  YG_SV_INIT("qname"), YG_SV_INIT("nxdomain"), YG_SV_INIT("*.example.com")},
		 {false, YG_SV_INIT("indicators"), YG_SV_INIT("seen"), YG_SV_INIT(""),
		  YG_SV_INIT("response-ip"), YG_SV_INIT("drop"), YG_SV_INIT("24.0.2.0.192")}}};

static bool same_hit(const struct yg_dns_extra_hit *a, const struct yg_dns_extra_hit *b)
{
	return a->decided == b->decided && yg_sv_eq(a->layer, b->layer) &&
	       yg_sv_eq(a->zone, b->zone) && yg_sv_eq(a->category, b->category) &&
	       yg_sv_eq(a->trigger, b->trigger) && yg_sv_eq(a->action, b->action) &&
	       yg_sv_eq(a->rule, b->rule);
}

static void test_there_and_back(void)
{
	static uint8_t bytes[YG_DNS_EXTRA_MAX];
	struct yg_dns_extra x;
	size_t n = yg_dns_extra_put(&whole, bytes, sizeof bytes);
	T_OK(n > 0 && n < 200);
	T_OK(yg_dns_extra_read((struct yg_sv){(const char *)bytes, n}, &x, NULL) == YG_OK);
	T_OK(x.origin == 5 && x.flags == 1 && x.rcode == 3 && x.ede == 15 && x.set == 7 &&
	     x.took_us == 123456 && x.hit_count == 2);
	T_OK(same_hit(&x.hits[0], &whole.hits[0]) && same_hit(&x.hits[1], &whole.hits[1]));
	bool ok = true;
	for (size_t k = 0; k < n; k++) {
		ok = yg_dns_extra_put(&whole, bytes, k) == 0 && ok;
		ok = yg_dns_extra_read((struct yg_sv){(const char *)bytes, k}, &x, NULL) ==
			     (k < 4 ? YG_NOTFOUND : YG_PARSE) &&
		     ok;
	}
	T_NAMED(ok, "cut anywhere: refused; too little room: nothing");
}

static void test_others(void)
{
	static uint8_t bytes[YG_DNS_EXTRA_MAX + 1];
	struct yg_dns_extra x;
	T_OK(yg_dns_extra_read(YG_SV(""), &x, NULL) == YG_NOTFOUND);
	T_OK(yg_dns_extra_read(YG_SV("hello, world, here I am"), &x, NULL) == YG_NOTFOUND);
	size_t n = yg_dns_extra_put(&whole, bytes, sizeof bytes);
	bytes[n] = 0;
	T_OK(yg_dns_extra_read((struct yg_sv){(const char *)bytes, n + 1}, &x, NULL) == YG_PARSE);
	bytes[3] = 2;
	T_OK(yg_dns_extra_read((struct yg_sv){(const char *)bytes, n}, &x, NULL) == YG_PARSE);
	bytes[3] = 1;
	bytes[18] = YG_DNS_EXTRA_HITS + 1;
	T_OK(yg_dns_extra_read((struct yg_sv){(const char *)bytes, n}, &x, NULL) == YG_PARSE);
}

/* Everything as long as it may be, and longer. */
static void test_longest(void)
{
	static char text[4096];
	static uint8_t bytes[YG_DNS_EXTRA_MAX];
	struct yg_dns_extra x = {.hit_count = YG_DNS_EXTRA_HITS}, back;
	struct yg_sv all = {text, sizeof text};
	memset(text, 'a', sizeof text);
	for (size_t i = 0; i < YG_DNS_EXTRA_HITS; i++)
		x.hits[i] = (struct yg_dns_extra_hit){true, all, all, all, all, all, all};
	size_t n = yg_dns_extra_put(&x, bytes, sizeof bytes);
	T_OK(n > 0 &&
	     yg_dns_extra_read((struct yg_sv){(const char *)bytes, n}, &back, NULL) == YG_OK);
	T_OK(back.hits[8].zone.n == 255 && back.hits[8].rule.n == YG_DNS_EXTRA_RULE);
	T_OK(strcmp(yg_dns_origin_name(3), "upstream") == 0 &&
	     strcmp(yg_dns_origin_name(99), "none") == 0);
}

int main(void)
{
	test_there_and_back();
	test_others();
	test_longest();
	return tap_done();
}
