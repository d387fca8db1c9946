#include "org/totp.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <sodium.h>

#include "base/check.h"
#include "org/id.h"

uint32_t yg_totp_code(const uint8_t secret[static YG_TOTP_SECRET], uint64_t step, unsigned digits)
{
	static const uint32_t tens[] = {1000000, 10000000, 100000000};
	uint8_t counter[8], mac[20];
	for (size_t i = 0; i < 8; i++)
		counter[i] = (uint8_t)(step >> (56 - 8 * i));
	YG_REQUIRE(digits >= 6 && digits <= 8);
	int rc = gnutls_hmac_fast(GNUTLS_MAC_SHA1, secret, YG_TOTP_SECRET, counter, sizeof counter,
				  mac);
	YG_REQUIRE(rc == 0);
	size_t at = mac[19] & 15; /* RFC 4226 5.3 */
	uint32_t bits = (uint32_t)(mac[at] & 0x7f) << 24 | (uint32_t)mac[at + 1] << 16 |
			(uint32_t)mac[at + 2] << 8 | mac[at + 3];
	sodium_memzero(mac, sizeof mac);
	return bits % tens[digits - 6];
}

static bool six_digits(struct yg_sv code, char out[static 6])
{
	size_t n = 0;
	for (size_t i = 0; i < code.n; i++) {
		if (code.p[i] == ' ')
			continue;
		if (n == 6 || code.p[i] < '0' || code.p[i] > '9')
			return false;
		out[n++] = code.p[i];
	}
	return n == 6;
}

bool yg_totp_check(const uint8_t secret[static YG_TOTP_SECRET], yg_wall now, struct yg_sv code,
		   int64_t last, int64_t *out_step)
{
	char given[6] = {0};
	bool form = six_digits(code, given), good = false;
	int64_t step = now.us / (YG_TOTP_STEP_S * YG_US_PER_S);
	for (int64_t at = step - 1; at <= step + 1; at++) {
		uint32_t want = yg_totp_code(secret, (uint64_t)at, 6);
		char text[6];
		for (size_t i = 6; i-- > 0; want /= 10)
			text[i] = (char)('0' + want % 10);
		bool same = sodium_memcmp(text, given, sizeof text) == 0;
		if (same && form && at > last && !good) {
			good = true;
			*out_step = at;
		}
	}
	return good;
}

void yg_totp_text(const uint8_t secret[static YG_TOTP_SECRET], struct yg_sb *out)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	for (size_t i = 0; i < YG_TOTP_SECRET; i += 5) {
		uint64_t v = 0;
		for (size_t k = 0; k < 5; k++)
			v = v << 8 | secret[i + k];
		for (int shift = 35; shift >= 0; shift -= 5)
			yg_sb_putc(out, alphabet[v >> shift & 31]);
	}
}

void yg_totp_uri(const uint8_t secret[static YG_TOTP_SECRET], struct yg_sv login, struct yg_sb *out)
{
	yg_sb_put(out, YG_SV("otpauth://totp/Yagura:"));
	for (size_t i = 0; i < login.n; i++) { /* [a-z0-9._@-]: one of them is to be escaped */
		if (login.p[i] == '@')
			yg_sb_put(out, YG_SV("%40"));
		else
			yg_sb_putc(out, login.p[i]);
	}
	yg_sb_put(out, YG_SV("?secret="));
	yg_totp_text(secret, out);
	yg_sb_put(out, YG_SV("&issuer=Yagura"));
}

void yg_recovery_text(const uint8_t random[static 10], struct yg_sb *out)
{
	char text[16];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_base32(&b, random, 10);
	for (size_t i = 0; i < sizeof text; i++) {
		if (i > 0 && i % 4 == 0)
			yg_sb_putc(out, '-');
		yg_sb_putc(out, text[i] >= 'A' ? (char)(text[i] - 'A' + 'a') : text[i]);
	}
}

bool yg_recovery_read(struct yg_sv typed, char out[static 17])
{
	size_t n = 0;
	for (size_t i = 0; i < typed.n; i++) {
		char c = typed.p[i];
		if (c == ' ' || c == '-')
			continue;
		if (c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		if (c == 'O')
			c = '0';
		if (c == 'I' || c == 'L')
			c = '1';
		if (n == 16 || !((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')))
			return false;
		out[n++] = c;
	}
	out[n] = '\0';
	return n == 16;
}
