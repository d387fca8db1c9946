#include "dns/cookie.h"

#include "tap.h"

/* RFC 9018, appendix A. */
static const struct {
	const char *key, *ip, *client, *server;
	uint32_t time;
} rows[] = {
	{"e5e973e5a6b2a43f48e7dc849e37bfcf", "198.51.100.100", "2464c4abcf10c957",
	 "010000005cf79f111f8130c3eee29480", 1559731985},
	{"e5e973e5a6b2a43f48e7dc849e37bfcf", "198.51.100.100", "2464c4abcf10c957",
	 "010000005cf7a871d4a564a1442aca77", 1559734385},
	{"445536bcd2513298075a5d379663c962", "2001:db8:220:1:59de:d0f4:8769:82b8",
	 "22681ab97d52c298", "010000005cf7c609a6bb79d16625507a", 1559741961},
};

int main(void)
{
	for (size_t i = 0; i < YG_LEN(rows); i++) {
		uint8_t key[16], want[24], made[24];
		struct yg_ip ip = {{0}}, other;
		T_OK(yg_parse_hex(yg_sv_of(rows[i].key), key, 16, NULL) == YG_OK &&
		     yg_parse_hex(yg_sv_of(rows[i].client), want, 8, NULL) == YG_OK &&
		     yg_parse_hex(yg_sv_of(rows[i].server), want + 8, 16, NULL) == YG_OK &&
		     yg_ip_parse(yg_sv_of(rows[i].ip), &ip) == YG_OK);
		yg_dns_cookie_make(made, want, key, ip, rows[i].time);
		T_NAMED(memcmp(made, want, 24) == 0, "as RFC 9018 has it");
		struct yg_sv c = {(const char *)made, 24};
		T_OK(yg_dns_cookie_check(c, key, ip, rows[i].time + 1));
		T_OK(yg_dns_cookie_check(c, key, ip, rows[i].time + 3600));
		T_OK(!yg_dns_cookie_check(c, key, ip, rows[i].time + 3601));
		T_OK(yg_dns_cookie_check(c, key, ip, rows[i].time - 300));
		T_OK(!yg_dns_cookie_check(c, key, ip, rows[i].time - 301));
		other = ip;
		other.b[15] ^= 1;
		T_OK(!yg_dns_cookie_check(c, key, other, rows[i].time));
		key[0] ^= 1;
		T_OK(!yg_dns_cookie_check(c, key, ip, rows[i].time));
		T_OK(!yg_dns_cookie_check((struct yg_sv){c.p, 8}, key, ip, rows[i].time));
	}
	return tap_done();
}
