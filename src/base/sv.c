#include "base/sv.h"

int yg_sv_cmp(struct yg_sv a, struct yg_sv b)
{
	size_t n = YG_MIN(a.n, b.n);
	int r = n > 0 ? memcmp(a.p, b.p, n) : 0;
	return r != 0 ? r : (a.n > b.n) - (a.n < b.n);
}

static inline unsigned char lower(char c)
{
	unsigned char u = (unsigned char)c;
	return u >= 'A' && u <= 'Z' ? (unsigned char)(u | 0x20) : u;
}

bool yg_sv_ieq(struct yg_sv a, struct yg_sv b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

bool yg_sv_starts(struct yg_sv s, struct yg_sv prefix)
{
	return s.n >= prefix.n && yg_sv_eq((struct yg_sv){s.p, prefix.n}, prefix);
}

bool yg_sv_ends(struct yg_sv s, struct yg_sv suffix)
{
	return s.n >= suffix.n &&
	       yg_sv_eq((struct yg_sv){s.p + (s.n - suffix.n), suffix.n}, suffix);
}

bool yg_sv_has(struct yg_sv s, struct yg_sv part)
{
	return part.n == 0 || (s.n >= part.n && memmem(s.p, s.n, part.p, part.n) != NULL);
}

static inline bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct yg_sv yg_sv_trim(struct yg_sv s)
{
	while (s.n > 0 && blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct yg_sv yg_sv_sub(struct yg_sv s, size_t from, size_t n)
{
	from = YG_MIN(from, s.n);
	return (struct yg_sv){s.p + from, YG_MIN(n, s.n - from)};
}

size_t yg_sv_find(struct yg_sv s, char c, size_t from)
{
	if (from >= s.n)
		return s.n;
	const char *at = memchr(s.p + from, c, s.n - from);
	return at != NULL ? (size_t)(at - s.p) : s.n;
}

bool yg_sv_cut(struct yg_sv *rest, char sep, struct yg_sv *out_part)
{
	if (rest->p == NULL)
		return false;
	size_t at = yg_sv_find(*rest, sep, 0);
	*out_part = (struct yg_sv){rest->p, at};
	if (at == rest->n)
		*rest = (struct yg_sv){NULL, 0};
	else
		*rest = (struct yg_sv){rest->p + at + 1, rest->n - at - 1};
	return true;
}

yg_status yg_parse_u64(struct yg_sv s, uint64_t *out, struct yg_err *err)
{
	uint64_t v = 0;
	if (s.n == 0)
		return YG_FAIL(err, YG_PARSE, "expected a number, found nothing");
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return YG_FAIL(err, YG_PARSE, "expected digits only");
		if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
			return YG_FAIL(err, YG_PARSE, "number does not fit 64 bits");
	}
	*out = v;
	return YG_OK;
}

yg_status yg_parse_i64(struct yg_sv s, int64_t *out, struct yg_err *err)
{
	bool minus = s.n > 0 && s.p[0] == '-';
	uint64_t v = 0;
	yg_status st = yg_parse_u64(minus ? yg_sv_sub(s, 1, s.n) : s, &v, err);
	if (st != YG_OK)
		return st;
	if (v > (uint64_t)INT64_MAX + (minus ? 1u : 0u))
		return YG_FAIL(err, YG_PARSE, "number does not fit 63 bits and a sign");
	*out = minus ? (int64_t)(0 - v) : (int64_t)v;
	return YG_OK;
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	unsigned char l = lower(c);
	return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

yg_status yg_parse_hex(struct yg_sv s, uint8_t *out, size_t out_n, struct yg_err *err)
{
	if (s.n != out_n * 2)
		return YG_FAIL(err, YG_PARSE, "expected %zu hex digits, found %zu", out_n * 2, s.n);
	for (size_t i = 0; i < out_n; i++) {
		int hi = nibble(s.p[2 * i]), lo = nibble(s.p[2 * i + 1]);
		if (hi < 0 || lo < 0)
			return YG_FAIL(err, YG_PARSE, "not a hex digit");
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return YG_OK;
}

struct unit {
	struct yg_sv name;
	uint64_t factor;
};

static yg_status with_unit(struct yg_sv s, const struct unit *units, size_t count, uint64_t *out,
			   const char *expected, struct yg_err *err)
{
	size_t digits = 0;
	while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
		digits++;
	uint64_t v = 0;
	struct yg_sv unit = yg_sv_sub(s, digits, s.n);
	if (yg_parse_u64(yg_sv_sub(s, 0, digits), &v, NULL) == YG_OK) {
		for (size_t i = 0; i < count; i++) {
			if (!yg_sv_eq(unit, units[i].name))
				continue;
			if (__builtin_mul_overflow(v, units[i].factor, out) || *out > INT64_MAX)
				return YG_FAIL(err, YG_PARSE, "too large");
			return YG_OK;
		}
	}
	return YG_FAIL(err, YG_PARSE, "expected %s", expected);
}

yg_status yg_parse_bytes(struct yg_sv s, uint64_t *out, struct yg_err *err)
{
	static const struct unit units[] = {
		{YG_SV_INIT(""), 1},
		{YG_SV_INIT("B"), 1},
		{YG_SV_INIT("kB"), 1000},
		{YG_SV_INIT("KiB"), 1024},
		{YG_SV_INIT("MB"), 1000000},
		{YG_SV_INIT("MiB"), 1048576},
		{YG_SV_INIT("GB"), 1000000000},
		{YG_SV_INIT("GiB"), 1073741824},
		{YG_SV_INIT("TB"), 1000000000000},
		{YG_SV_INIT("TiB"), 1099511627776},
	};
	return with_unit(s, units, YG_LEN(units), out, "a size such as 512, 64KiB or 10GB", err);
}

yg_status yg_parse_span(struct yg_sv s, int64_t *out_us, struct yg_err *err)
{
	static const struct unit units[] = {
		{YG_SV_INIT("us"), 1},         {YG_SV_INIT("ms"), 1000},
		{YG_SV_INIT("s"), 1000000},    {YG_SV_INIT("m"), 60000000},
		{YG_SV_INIT("h"), 3600000000}, {YG_SV_INIT("d"), 86400000000},
	};
	uint64_t v = 0;
	yg_status st = with_unit(s, units, YG_LEN(units), &v,
				 "a length of time such as 250ms, 10s, 5m, 2h or 30d", err);
	if (st == YG_OK)
		*out_us = (int64_t)v;
	return st;
}

size_t yg_utf8_long(const char *text, const char *end)
{
	const unsigned char *p = (const unsigned char *)text;
	unsigned char c = p[0], low = 0x80, high = 0xbf;
	size_t want = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (c < 0xc2 || c > 0xf4 || (size_t)(end - text) < want)
		return 0;
	if (c == 0xe0)
		low = 0xa0;
	else if (c == 0xed)
		high = 0x9f;
	else if (c == 0xf0)
		low = 0x90;
	else if (c == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < want; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return want;
}

size_t yg_utf8_valid(struct yg_sv s)
{
	size_t at = 0;
	while (at < s.n) {
		uint64_t eight;
		if (s.n - at >= 8) {
			memcpy(&eight, s.p + at, 8);
			if ((eight & 0x8080808080808080u) == 0) {
				at += 8;
				continue;
			}
		}
		size_t n = (unsigned char)s.p[at] < 0x80 ? 1 : yg_utf8_long(s.p + at, s.p + s.n);
		if (n == 0)
			break;
		at += n;
	}
	return at;
}

struct yg_sv yg_utf8_cut(struct yg_sv s, size_t most)
{
	if (s.n <= most)
		return s;
	size_t n = most;
	while (n > 0 && n + 4 > most && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	/* so many in a row are no character */
	bool text = ((unsigned char)s.p[n] & 0xc0) != 0x80;
	return yg_sv_sub(s, 0, text ? n : most);
}
