#include "base/ip.h"

#include "tap.h"

static void text(const char *in, const char *out)
{
	char buf[64];
	struct yg_sb b = yg_sb_init(buf, sizeof buf);
	struct yg_ip ip;
	yg_status st = yg_ip_parse(yg_sv_of(in), &ip);
	if (st == YG_OK)
		yg_ip_format(&b, ip);
	T_NAMED(out == NULL ? st == YG_PARSE : yg_sv_eq(yg_sb_sv(&b), yg_sv_of(out)), in);
}

int main(void)
{
	text("192.0.2.1", "192.0.2.1");
	text("::ffff:192.0.2.1", "192.0.2.1");
	text("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1");
	text("::", "::");
	text("::1", "::1");
	text("1::", "1::");
	text("2001:db8::192.0.2.33", "2001:db8::c000:221");
	text("1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8");
	static const char *const bad[] = {"",
					  "1",
					  "256.0.0.1",
					  "01.2.3.4",
					  "1.2.3",
					  "1.2.3.4.5",
					  "1.2.3.4 ",
					  ":::",
					  "1::2::3",
					  "12345::",
					  "1:2:3:4:5:6:7",
					  "1:2:3:4:5:6:7:8:9",
					  "::1.2.3",
					  "fe80::1%eth0",
					  "1:2:3:4:5:6:7:8::"};
	for (size_t i = 0; i < YG_LEN(bad); i++)
		text(bad[i], NULL);
	struct yg_ip ip;
	unsigned bits;
	T_OK(yg_ip_prefix_parse(YG_SV("192.0.2.0/24"), &ip, &bits, NULL) == YG_OK && bits == 120);
	T_OK(yg_ip_prefix_parse(YG_SV("2001:db8::/32"), &ip, &bits, NULL) == YG_OK && bits == 32);
	T_OK(yg_ip_prefix_parse(YG_SV("192.0.2.1"), &ip, &bits, NULL) == YG_OK && bits == 128);
	T_OK(yg_ip_prefix_parse(YG_SV("192.0.2.1/24"), &ip, &bits, NULL) == YG_PARSE);
	T_OK(yg_ip_prefix_parse(YG_SV("192.0.2.0/33"), &ip, &bits, NULL) == YG_PARSE);
	T_OK(yg_ip_parse(YG_SV("100.64.0.1"), &ip) == YG_OK && yg_ip_is_private(ip));
	T_OK(yg_ip_parse(YG_SV("fd00::1"), &ip) == YG_OK && yg_ip_is_private(ip));
	T_OK(yg_ip_parse(YG_SV("172.32.0.1"), &ip) == YG_OK && !yg_ip_is_private(ip));
	return tap_done();
}
