#include "dns/cookie.h"

#include "base/codec.h"

#define LIFE  3600u /* seconds (RFC 9018 4.3) */
#define AHEAD 300u  /* other workers' clocks */

static void put32(uint8_t *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, 4);
}

static void make(uint8_t out[static YG_DNS_COOKIE_BYTES], const uint8_t client[static 8],
		 const uint8_t key[static 16], struct yg_ip ip, uint32_t time)
{
	uint8_t in[32];
	bool v4 = yg_ip_is_v4(ip);
	memcpy(in, client, 8);
	memset(in + 8, 0, 4);
	in[8] = 1; /* version; three reserved octets */
	put32(in + 12, time);
	memcpy(in + 16, v4 ? ip.b + 12 : ip.b, v4 ? 4 : 16);
	uint64_t hash = yg_siphash(key, in, v4 ? 20 : 32);
	memcpy(out, in, 16);
	memcpy(out + 16, &hash, 8);
}

void yg_dns_cookie_make(uint8_t out[static YG_DNS_COOKIE_BYTES], const uint8_t client[static 8],
			const uint8_t key[static 16], struct yg_ip ip, uint32_t now)
{
	make(out, client, key, ip, now);
}

bool yg_dns_cookie_check(struct yg_sv cookie, const uint8_t key[static 16], struct yg_ip ip,
			 uint32_t now)
{
	uint8_t want[YG_DNS_COOKIE_BYTES], differs = 0;
	if (cookie.n != YG_DNS_COOKIE_BYTES)
		return false;
	const uint8_t *p = (const uint8_t *)cookie.p;
	uint32_t time;
	memcpy(&time, p + 12, 4);
	time = __builtin_bswap32(time);
	uint32_t age = now - time; /* serial arithmetic */
	if (age > LIFE && 0u - age > AHEAD)
		return false;
	make(want, p, key, ip, time);
	for (size_t i = 0; i < sizeof want; i++) /* in a time that tells nothing */
		differs |= (uint8_t)(want[i] ^ p[i]);
	return differs == 0;
}
