/* Addresses that lead inside, and those beside them that do not. */
#include "dns/inside.h"

#include "tap.h"

int main(void)
{
	static const struct {
		const char *ip;
		bool inside;
	} rows[] = {
		{"10.0.0.1", true},
		{"172.16.0.1", true},
		{"172.32.0.1", false},
		{"192.168.1.1", true},
		{"127.0.0.1", true},
		{"169.254.169.254", true},
		{"100.64.0.1", true},
		{"0.0.0.0", true},
		{"0.1.2.3", true},
		{"1.0.0.0", false},
		{"255.255.255.255", true},
		{"255.255.255.254", false},
		{"192.0.2.1", false},
		{"::", true},
		{"::1", true},
		{"::10.0.0.1", true},
		{"::192.0.2.1", false},
		{"fd00::1", true},
		{"fe80::1", true},
		{"fec0::1", true},
		{"2001:db8::1", false},
		{"64:ff9b::10.0.0.1", true},
		{"64:ff9b::0.0.0.0", true},
		{"64:ff9b::192.0.2.1", false},
		{"64:ff9b:1::192.0.2.1", true},
		{"64:ff9b:2::10.0.0.1", false},
		{"2002:a00:1::1", true}, /* 6to4 of 10.0.0.1 */
		{"2002:c000:201::1", false},
		{"2001::f5ff:fffe", true}, /* Teredo of 10.0.0.1 */
		{"2001::3fff:fdfe", false},
		{"2001:db8::5efe:10.0.0.1", true},
		{"2001:db8::200:5efe:192.168.0.1", true},
		{"2001:db8::5efe:192.0.2.1", false},
		{"2001:db8::5eff:10.0.0.1", false},
	};
	for (size_t i = 0; i < YG_LEN(rows); i++) {
		struct yg_ip ip;
		T_NAMED(yg_ip_parse(yg_sv_of(rows[i].ip), &ip) == YG_OK &&
				yg_dns_ip_inside(ip) == rows[i].inside,
			rows[i].ip);
	}
	return tap_done();
}
