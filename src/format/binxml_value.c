/* binxml_value.c - values of binary XML as text: what Windows' own rendering writes. */
#include <math.h>
#include <stdlib.h>

#include "base/units.h"
#include "format/binxml_internal.h"

static uint64_t le(const uint8_t *p, size_t n)
{
	uint64_t v = 0;
	memcpy(&v, p, YG_MIN(n, sizeof v));
	return v;
}

/* ---- characters ---- */

/* One character, escaped for JSON; at most 6 bytes. */
static size_t put_escaped(char *to, uint32_t c)
{
	static const char hex[] = "0123456789abcdef";
	if (c == '"' || c == '\\') {
		to[0] = '\\';
		to[1] = (char)c;
		return 2;
	}
	if (c < 0x20) {
		const char *const letters = "........btn.fr";
		to[0] = '\\';
		if (c < 14 && letters[c] != '.') {
			to[1] = letters[c];
			return 2;
		}
		to[1] = 'u';
		to[2] = to[3] = '0';
		to[4] = hex[c >> 4];
		to[5] = hex[c & 15];
		return 6;
	}
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xe0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 63));
		to[2] = (char)(0x80 | (c & 63));
		return 3;
	}
	to[0] = (char)(0xf0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 63));
	to[2] = (char)(0x80 | (c >> 6 & 63));
	to[3] = (char)(0x80 | (c & 63));
	return 4;
}

void binxml_put_char(struct yg_buf *out, uint32_t c)
{
	char text[8];
	if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		c = 0xfffd;
	yg_buf_put(out, (struct yg_sv){text, put_escaped(text, c)});
}

/* Characters that stand in JSON as they are, from there on. */
static size_t plain_run(const uint8_t *p, size_t n)
{
	size_t i = 0;
	while (i < n && p[2 * i + 1] == 0 && p[2 * i] >= 0x20 && p[2 * i] < 0x80 &&
	       p[2 * i] != '"' && p[2 * i] != '\\')
		i++;
	return i;
}

void binxml_put_utf16(struct yg_buf *out, const uint8_t *p, size_t bytes)
{
	size_t n = bytes / 2, i = 0;
	while (i < n && !out->bad) {
		size_t run = plain_run(p + 2 * i, n - i);
		char *to = yg_buf_room(out, run);
		for (size_t k = 0; to != NULL && k < run; k++)
			to[k] = (char)p[2 * (i + k)];
		out->n += to != NULL ? run : 0;
		i += run;
		if (i == n)
			break;
		char text[8];
		uint32_t c = (uint32_t)le(p + 2 * i++, 2);
		bool high = c >= 0xd800 && c < 0xdc00 && i < n;
		uint32_t low = high ? (uint32_t)le(p + 2 * i, 2) : 0;
		if (low >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			i++;
		} else if (c >= 0xd800 && c < 0xe000) {
			c = 0xfffd;
		}
		yg_buf_put(out, (struct yg_sv){text, put_escaped(text, c)});
	}
}

/* UTF-8 where it is that; else a byte is the character of that number (Latin-1), for
 * which code page it is in the record does not say. */
static void put_ansi(struct yg_buf *out, const uint8_t *p, size_t n)
{
	struct yg_sv s = {(const char *)p, n};
	bool utf8 = yg_utf8_valid(s) == n;
	for (size_t i = 0; i < n && !out->bad; i++) {
		char text[8];
		if (utf8 && p[i] >= 0x80)
			yg_buf_put(out, yg_sv_sub(s, i, 1));
		else
			yg_buf_put(out, (struct yg_sv){text, put_escaped(text, p[i])});
	}
}

/* ---- numbers, times, identifiers ---- */

static void put_hex_bytes(struct yg_buf *out, const uint8_t *p, size_t n)
{
	static const char hex[] = "0123456789ABCDEF";
	char *to = yg_buf_room(out, 2 * n);
	if (to == NULL)
		return;
	for (size_t i = 0; i < n; i++) {
		to[2 * i] = hex[p[i] >> 4];
		to[2 * i + 1] = hex[p[i] & 15];
	}
	out->n += 2 * n;
}

static void put_integer(struct yg_buf *out, bool is_signed, const uint8_t *p, size_t n)
{
	char text[24];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	uint64_t v = le(p, n);
	unsigned shift = 64 - 8 * (unsigned)n;
	if (is_signed)
		yg_sb_i64(&b, (int64_t)(v << shift) >> shift);
	else
		yg_sb_u64(&b, v);
	yg_buf_put(out, yg_sb_sv(&b));
}

static void put_hex(struct yg_buf *out, const uint8_t *p, size_t n)
{
	char text[24];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_printf(&b, "0x%llx", (unsigned long long)le(p, n));
	yg_buf_put(out, yg_sb_sv(&b));
}

/* The fewest digits that read back as the same number, from those that always do.
 * What is no number is written as Windows' C runtime does. */
static void put_real(struct yg_buf *out, double v, bool single)
{
	char text[40];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	if (isnan(v))
		yg_sb_put(&b, YG_SV("-1.#IND"));
	else if (isinf(v))
		yg_sb_put(&b, v < 0 ? YG_SV("-1.#INF") : YG_SV("1.#INF"));
	else
		for (int digits = single ? 6 : 15; digits <= (single ? 9 : 17); digits++) {
			b.n = 0;
			yg_sb_printf(&b, "%.*g", digits, v);
			double again = strtod(yg_sb_cstr(&b), NULL);
			if (single ? (float)again == (float)v : again == v)
				break;
		}
	yg_buf_put(out, yg_sb_sv(&b));
}

static void put_guid(struct yg_buf *out, const uint8_t *p)
{
	char text[48];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_printf(&b, "{%08x-%04x-%04x-", (unsigned)le(p, 4), (unsigned)le(p + 4, 2),
		     (unsigned)le(p + 6, 2));
	yg_sb_hex(&b, p + 8, 2);
	yg_sb_putc(&b, '-');
	yg_sb_hex(&b, p + 10, 6);
	yg_sb_putc(&b, '}');
	yg_buf_put(out, yg_sb_sv(&b));
}

/* "2026-01-02T03:04:05": two digits each, written straight for their number. */
static void put_clock(struct yg_sb *b, unsigned year, const unsigned parts[static 5])
{
	static const char marks[] = "--T::";
	yg_sb_printf(b, "%04u", year);
	for (size_t i = 0; i < 5; i++) {
		yg_sb_putc(b, marks[i]);
		yg_sb_putc(b, (char)('0' + parts[i] / 10 % 10));
		yg_sb_putc(b, (char)('0' + parts[i] % 10));
	}
}

/* 100 ns since 1601-01-01.  Beyond the year 9999: the number. */
static void put_filetime(struct yg_buf *out, const uint8_t *p)
{
	char text[48];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	uint64_t v = le(p, 8), seconds = v / 10000000, fraction = v % 10000000;
	int64_t days = (int64_t)(seconds / 86400) - 134774, year;
	unsigned month, day, of_day = (unsigned)(seconds % 86400);
	if (days > 2932896) { /* 9999-12-31 */
		put_integer(out, false, p, 8);
		return;
	}
	yg_civil_from_days(days, &year, &month, &day);
	const unsigned parts[5] = {month, day, of_day / 3600, of_day / 60 % 60, of_day % 60};
	put_clock(&b, (unsigned)year, parts);
	yg_sb_printf(&b, ".%07uZ", (unsigned)fraction);
	yg_buf_put(out, yg_sb_sv(&b));
}

/* Eight 16-bit numbers; what is no time of day is hexadecimal. */
static void put_systemtime(struct yg_buf *out, const uint8_t *p)
{
	char text[48];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	unsigned f[8];
	for (size_t i = 0; i < 8; i++)
		f[i] = (unsigned)le(p + 2 * i, 2);
	if (f[0] > 9999 || f[1] < 1 || f[1] > 12 || f[3] < 1 || f[3] > 31 || f[4] > 23 ||
	    f[5] > 59 || f[6] > 60 || f[7] > 999) {
		put_hex_bytes(out, p, 16);
		return;
	}
	const unsigned parts[5] = {f[1], f[3], f[4], f[5], f[6]};
	put_clock(&b, f[0], parts);
	yg_sb_printf(&b, ".%03uZ", f[7]);
	yg_buf_put(out, yg_sb_sv(&b));
}

/* Bytes of a SID that begins there; 0: there is none. */
static size_t sid_bytes(const uint8_t *p, size_t n)
{
	size_t need = n >= 8 ? 8 + 4 * (size_t)p[1] : 0;
	return need > 0 && need <= n && p[1] <= 15 ? need : 0;
}

static void put_sid(struct yg_buf *out, const uint8_t *p, size_t n)
{
	char text[256];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	uint64_t authority = 0;
	if (sid_bytes(p, n) == 0) {
		put_hex_bytes(out, p, n);
		return;
	}
	for (size_t i = 2; i < 8; i++)
		authority = authority << 8 | p[i];
	yg_sb_put(&b, YG_SV("S-"));
	yg_sb_u64(&b, p[0]);
	yg_sb_putc(&b, '-');
	yg_sb_u64(&b, authority);
	for (size_t i = 0; i < p[1]; i++) {
		yg_sb_putc(&b, '-');
		yg_sb_u64(&b, le(p + 8 + 4 * i, 4));
	}
	yg_buf_put(out, yg_sb_sv(&b));
}

/* ---- by type ---- */

bool binxml_is_integer(uint8_t type, size_t n)
{
	return type >= V_INT8 && type <= V_UINT64 && (n == 1 || n == 2 || n == 4 || n == 8);
}

/* Without the zeroes that some writers leave at the end. */
static size_t without_nul(const uint8_t *p, size_t n, size_t unit)
{
	n -= n % unit;
	while (n > 0 && le(p + n - unit, unit) == 0)
		n -= unit;
	return n;
}

/* Types whose size is fixed; false: it is not one, or not of that size. */
static bool put_fixed(struct yg_buf *out, uint8_t type, const uint8_t *p, size_t n)
{
	float single;
	double real;
	switch (type) {
	case V_REAL32:
		if (n == sizeof single) {
			memcpy(&single, p, sizeof single);
			put_real(out, (double)single, true);
		}
		return n == sizeof single;
	case V_REAL64:
		if (n == sizeof real) {
			memcpy(&real, p, sizeof real);
			put_real(out, real, false);
		}
		return n == sizeof real;
	case V_GUID:
		if (n == 16)
			put_guid(out, p);
		return n == 16;
	case V_FILETIME:
		if (n == 8)
			put_filetime(out, p);
		return n == 8;
	case V_SYSTEMTIME:
		if (n == 16)
			put_systemtime(out, p);
		return n == 16;
	default: return false;
	}
}

void binxml_put_value(struct yg_buf *out, uint8_t type, const uint8_t *p, size_t n)
{
	bool word = n == 1 || n == 2 || n == 4 || n == 8;
	if (n == 0 || type == V_NULL)
		return;
	if (type == V_STRING)
		binxml_put_utf16(out, p, without_nul(p, n, 2));
	else if (type == V_ANSI)
		put_ansi(out, p, without_nul(p, n, 1));
	else if (binxml_is_integer(type, n))
		put_integer(out, type % 2 != 0, p, n);
	else if (word && type == V_BOOL)
		yg_buf_put(out, le(p, n) != 0 ? YG_SV("true") : YG_SV("false"));
	else if (word && (type == V_HEX32 || type == V_HEX64 || type == V_SIZE))
		put_hex(out, p, n);
	else if (type == V_SID)
		put_sid(out, p, n);
	else if (!put_fixed(out, type, p, n))
		put_hex_bytes(out, p,
			      n); /* binary, a type we do not know, a size that is not its own */
}

/* Bytes of an item of a fixed size; 0: it depends on the bytes. */
static size_t item_bytes(uint8_t type)
{
	static const uint8_t sizes[] = {
		[V_INT8] = 1,   [V_UINT8] = 1,    [V_INT16] = 2,       [V_UINT16] = 2,
		[V_INT32] = 4,  [V_UINT32] = 4,   [V_INT64] = 8,       [V_UINT64] = 8,
		[V_REAL32] = 4, [V_REAL64] = 8,   [V_BOOL] = 4,        [V_GUID] = 16,
		[V_SIZE] = 8,   [V_FILETIME] = 8, [V_SYSTEMTIME] = 16, [V_HEX32] = 4,
		[V_HEX64] = 8};
	return type < YG_LEN(sizes) ? sizes[type] : 0;
}

bool binxml_next_item(uint8_t type, const uint8_t **p, size_t *n, const uint8_t **out,
		      size_t *out_n)
{
	size_t size = item_bytes(type), unit = type == V_STRING ? 2 : 1, skip = 0;
	if (*n == 0)
		return false;
	if (type == V_STRING || type == V_ANSI) { /* each ends with a zero */
		for (size = 0; size + unit <= *n && le(*p + size, unit) != 0;)
			size += unit;
		skip = size + unit <= *n ? unit : *n - size;
	} else if (type == V_SID) {
		size = sid_bytes(*p, *n);
	}
	if ((size == 0 && skip == 0) || size > *n) /* the rest, which is no whole item, as it is */
		size = *n;
	*out = *p;
	*out_n = size;
	*p += size + skip;
	*n -= size + skip;
	return true;
}
