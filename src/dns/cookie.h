/* cookie.h - server cookies (RFC 7873, RFC 9018): that a client has its address.  Pure. */
#pragma once
#include "base/ip.h"

#define YG_DNS_COOKIE_BYTES 24 /* the client's 8 and our 16 */

/* The cookie for an answer: out gets the client's 8 octets and ours.
 * now: seconds since 1970, of 32 bits. */
void yg_dns_cookie_make(uint8_t out[static YG_DNS_COOKIE_BYTES], const uint8_t client[static 8],
			const uint8_t key[static 16], struct yg_ip ip, uint32_t now);
/* Is this a cookie that we made for this address in the last hour? */
bool yg_dns_cookie_check(struct yg_sv cookie, const uint8_t key[static 16], struct yg_ip ip,
			 uint32_t now);
