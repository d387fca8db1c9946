#include "base/ip.h"

static const uint8_t v4_mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* "a.b.c.d", decimal, no leading zeros (they are octal to some and decimal to others). */
static bool parse_v4(const char *p, const char *end, uint8_t out[static 4])
{
	for (int part = 0; part < 4; part++) {
		unsigned v = 0;
		const char *start = p;
		while (p < end && *p >= '0' && *p <= '9' && p - start < 3)
			v = v * 10 + (unsigned)(*p++ - '0');
		if (p == start || v > 255 || (p - start > 1 && *start == '0'))
			return false;
		out[part] = (uint8_t)v;
		if (part < 3 && (p == end || *p++ != '.'))
			return false;
	}
	return p == end;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One group of 1 to 4 hex digits at *p. */
static bool group(const char **p, const char *end, unsigned *out)
{
	unsigned v = 0;
	int n = 0, d;
	while (*p < end && n < 4 && (d = hex_digit(**p)) >= 0) {
		v = v << 4 | (unsigned)d;
		(*p)++;
		n++;
	}
	*out = v;
	return n > 0;
}

static bool parse_v6(const char *p, const char *end, uint8_t out[static 16])
{
	uint8_t b[16] = {0};
	size_t at = 0, gap = SIZE_MAX;
	if (end - p >= 2 && p[0] == ':' && p[1] == ':') {
		gap = 0;
		p += 2;
	}
	while (p < end) {
		const char *start = p;
		unsigned v;
		if (at == 16 || !group(&p, end, &v))
			return false;
		if (p < end && *p == '.') { /* the last four bytes as IPv4 */
			if (at > 12 || !parse_v4(start, end, b + at))
				return false;
			at += 4;
			p = end;
			break;
		}
		b[at++] = (uint8_t)(v >> 8);
		b[at++] = (uint8_t)v;
		if (p == end)
			break;
		if (*p++ != ':')
			return false;
		if (p < end && *p == ':') {
			if (gap != SIZE_MAX)
				return false;
			gap = at;
			p++;
		} else if (p == end) {
			return false;
		}
	}
	if (gap == SIZE_MAX ? at != 16 : at > 14)
		return false;
	memcpy(out, b, 16);
	if (gap != SIZE_MAX) {
		size_t tail = at - gap;
		memset(out + gap, 0, 16 - gap);
		memcpy(out + 16 - tail, b + gap, tail);
	}
	return true;
}

yg_status yg_ip_parse(struct yg_sv s, struct yg_ip *out)
{
	struct yg_ip ip;
	if (s.n < 2 || s.n >= YG_IP_TEXT_MAX)
		return YG_PARSE;
	if (parse_v4(s.p, s.p + s.n, ip.b + 12))
		memcpy(ip.b, v4_mapped, sizeof v4_mapped);
	else if (!parse_v6(s.p, s.p + s.n, ip.b))
		return YG_PARSE;
	*out = ip;
	return YG_OK;
}

yg_status yg_ip_prefix_parse(struct yg_sv s, struct yg_ip *out, unsigned *out_bits,
			     struct yg_err *err)
{
	size_t slash = yg_sv_find(s, '/', 0);
	struct yg_ip ip;
	if (yg_ip_parse(yg_sv_sub(s, 0, slash), &ip) != YG_OK)
		return YG_FAIL(err, YG_PARSE, "not an address or prefix");
	uint64_t bits = 128, most = yg_sv_find(s, ':', 0) < slash ? 128 : 32;
	if (slash < s.n) {
		if (yg_parse_u64(yg_sv_sub(s, slash + 1, s.n), &bits, NULL) != YG_OK || bits > most)
			return YG_FAIL(err, YG_PARSE, "prefix length is not 0 to %u",
				       (unsigned)most);
		bits += 128 - most;
	}
	for (size_t i = (size_t)bits; i < 128; i++)
		if ((ip.b[i / 8] & (0x80u >> (i % 8))) != 0)
			return YG_FAIL(err, YG_PARSE, "bits behind the prefix length are set");
	*out = ip;
	*out_bits = (unsigned)bits;
	return YG_OK;
}

bool yg_ip_is_v4(struct yg_ip ip)
{
	return memcmp(ip.b, v4_mapped, sizeof v4_mapped) == 0;
}

bool yg_ip_is_zero(struct yg_ip ip)
{
	static const uint8_t zero[16];
	return memcmp(ip.b, zero, 16) == 0;
}

bool yg_ip_is_private(struct yg_ip ip)
{
	const uint8_t *v4 = ip.b + 12;
	if (yg_ip_is_v4(ip))
		return v4[0] == 10 || v4[0] == 127 || (v4[0] == 172 && (v4[1] & 0xf0) == 16) ||
		       (v4[0] == 192 && v4[1] == 168) || (v4[0] == 169 && v4[1] == 254) ||
		       (v4[0] == 100 && (v4[1] & 0xc0) == 64);
	static const uint8_t loopback[16] = {[15] = 1};
	return (ip.b[0] & 0xfe) == 0xfc || (ip.b[0] == 0xfe && (ip.b[1] & 0xc0) == 0x80) ||
	       memcmp(ip.b, loopback, 16) == 0;
}

static void format_v6(struct yg_sb *b, const uint8_t ip[static 16])
{
	int best = -1, best_n = 1; /* the longest run of at least two zero groups; first wins */
	for (int i = 0, n = 0; i < 8; i++) {
		n = ip[2 * i] == 0 && ip[2 * i + 1] == 0 ? n + 1 : 0;
		if (n > best_n) {
			best_n = n;
			best = i - n + 1;
		}
	}
	static const char digit[] = "0123456789abcdef";
	for (int i = 0; i < 8; i++) {
		if (i == best) {
			yg_sb_put(b, YG_SV("::"));
			i += best_n - 1;
			continue;
		}
		if (i > 0 && !(best >= 0 && i == best + best_n))
			yg_sb_putc(b, ':');
		unsigned v = (unsigned)ip[2 * i] << 8 | ip[2 * i + 1];
		bool on = false;
		for (int shift = 12; shift >= 0; shift -= 4) {
			unsigned d = v >> shift & 15;
			on = on || d != 0 || shift == 0;
			if (on)
				yg_sb_putc(b, digit[d]);
		}
	}
}

void yg_ip_format(struct yg_sb *b, struct yg_ip ip)
{
	if (!yg_ip_is_v4(ip)) {
		format_v6(b, ip.b);
		return;
	}
	for (int i = 12; i < 16; i++) {
		if (i > 12)
			yg_sb_putc(b, '.');
		yg_sb_u64(b, ip.b[i]);
	}
}
