/* ext_parse.c - the texts of decimal(), datetime(), duration() and ip(). */
#include "base/ip.h"
#include "base/units.h"
#include "cedar/ext.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Takes digits off the front; false: there are none, or *over when 64 bits do not
 * hold the number.  `negative` counts downwards, so that the lowest number fits. */
static bool take_digits(struct yg_sv *s, bool negative, int64_t *out, size_t *count, bool *over)
{
	int64_t v = 0;
	size_t n = 0;
	for (; n < s->n && is_digit(s->p[n]); n++) {
		int64_t d = s->p[n] - '0';
		*over = __builtin_mul_overflow(v, 10, &v) || *over;
		*over = __builtin_add_overflow(v, negative ? -d : d, &v) || *over;
	}
	*s = yg_sv_sub(*s, n, s->n);
	*out = v;
	*count = n;
	return n > 0;
}

/* -?[0-9]+\.[0-9]{1,4} */
yg_status yg_cedar_decimal_parse(struct yg_sv s, int64_t *out, struct yg_err *err)
{
	bool negative = s.n > 0 && s.p[0] == '-', over = false;
	int64_t whole, part;
	size_t n;
	struct yg_sv rest = negative ? yg_sv_sub(s, 1, s.n) : s;
	if (!take_digits(&rest, negative, &whole, &n, &over) || rest.n < 2 || rest.p[0] != '.')
		return YG_FAIL(err, YG_PARSE, "not a decimal such as 1.23");
	rest = yg_sv_sub(rest, 1, rest.n);
	bool none = false;
	if (!take_digits(&rest, negative, &part, &n, &none) || rest.n > 0 || n > 4)
		return YG_FAIL(err, YG_PARSE, "a decimal has 1 to 4 digits behind the point");
	for (; n < 4; n++)
		part *= 10;
	if (over || __builtin_mul_overflow(whole, 10000, &whole) ||
	    __builtin_add_overflow(whole, part, out))
		return YG_FAIL(err, YG_PARSE, "a decimal out of range");
	return YG_OK;
}

static bool take_number(struct yg_sv *s, size_t digits, unsigned *out)
{
	unsigned v = 0;
	if (s->n < digits)
		return false;
	for (size_t i = 0; i < digits; i++) {
		if (!is_digit(s->p[i]))
			return false;
		v = v * 10 + (unsigned)(s->p[i] - '0');
	}
	*s = yg_sv_sub(*s, digits, s->n);
	*out = v;
	return true;
}
static bool take_char(struct yg_sv *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = yg_sv_sub(*s, 1, s->n);
	return true;
}

static bool take_date(struct yg_sv *s, int64_t *days)
{
	static const unsigned char month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	unsigned year, month, day;
	if (!take_number(s, 4, &year) || !take_char(s, '-') || !take_number(s, 2, &month) ||
	    !take_char(s, '-') || !take_number(s, 2, &day) || month < 1 || month > 12 || day < 1)
		return false;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	if (day > month_days[month - 1] + (unsigned)(leap && month == 2))
		return false;
	*days = yg_days_from_civil(year, month, day);
	return true;
}

/* "Z", "+hhmm" or "-hhmm" and nothing behind it. */
static bool take_zone(struct yg_sv s, int64_t *ms)
{
	unsigned h, m;
	*ms = 0;
	if (take_char(&s, 'Z'))
		return s.n == 0;
	bool minus = s.n > 0 && s.p[0] == '-';
	if (!take_char(&s, minus ? '-' : '+') || !take_number(&s, 2, &h) ||
	    !take_number(&s, 2, &m) || s.n > 0 || h > 23 || m > 59)
		return false;
	*ms = (int64_t)(h * 60 + m) * 60000 * (minus ? -1 : 1);
	return true;
}

/* YYYY-MM-DD, or that with Thh:mm:ss, .mmm or nothing, and a zone. */
yg_status yg_cedar_datetime_parse(struct yg_sv s, int64_t *out, struct yg_err *err)
{
	unsigned h, m, sec, milli = 0;
	int64_t days, zone;
	if (!take_date(&s, &days))
		return YG_FAIL(err, YG_PARSE, "not a date such as 2026-01-31");
	*out = days * YG_CEDAR_DAY_MS;
	if (s.n == 0)
		return YG_OK;
	if (!take_char(&s, 'T') || !take_number(&s, 2, &h) || !take_char(&s, ':') ||
	    !take_number(&s, 2, &m) || !take_char(&s, ':') || !take_number(&s, 2, &sec) || h > 23 ||
	    m > 59 || sec > 59)
		return YG_FAIL(err, YG_PARSE, "no such time of day: expected Thh:mm:ss");
	if (take_char(&s, '.') && !take_number(&s, 3, &milli))
		return YG_FAIL(err, YG_PARSE, "milliseconds have three digits");
	if (!take_zone(s, &zone))
		return YG_FAIL(err, YG_PARSE, "expected Z or an offset such as +0900 at the end");
	*out += ((int64_t)h * 3600 + (int64_t)m * 60 + sec) * 1000 + milli - zone;
	return YG_OK;
}

/* -?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?, not empty. */
yg_status yg_cedar_duration_parse(struct yg_sv s, int64_t *out, struct yg_err *err)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = {{"d", YG_CEDAR_DAY_MS}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
	bool negative = take_char(&s, '-'), over = false;
	int64_t sum = 0, v;
	size_t next = 0, n;
	if (s.n == 0)
		return YG_FAIL(err, YG_PARSE, "not a duration such as 1d2h3m4s5ms");
	while (s.n > 0) {
		size_t i = next, letters = 0;
		if (!take_digits(&s, negative, &v, &n, &over))
			return YG_FAIL(err, YG_PARSE, "not a duration such as 1d2h3m4s5ms");
		while (letters < s.n && !is_digit(s.p[letters]))
			letters++;
		struct yg_sv unit = yg_sv_sub(s, 0, letters);
		while (i < YG_LEN(units) && !yg_sv_eq(unit, yg_sv_of(units[i].name)))
			i++;
		if (i == YG_LEN(units))
			return YG_FAIL(
				err, YG_PARSE,
				"a duration has d, h, m, s and ms, each once, in that order");
		over = __builtin_mul_overflow(v, units[i].ms, &v) || over;
		over = __builtin_add_overflow(sum, v, &sum) || over;
		s = yg_sv_sub(s, letters, s.n);
		next = i + 1;
	}
	if (over)
		return YG_FAIL(err, YG_PARSE, "a duration out of range");
	*out = sum;
	return YG_OK;
}

/* An address, or an address and a prefix length.  IPv4 inside of IPv6 is refused, as
 * Cedar does, so that one address has one form. */
yg_status yg_cedar_ip_parse(struct yg_sv s, bool *out_v6, uint8_t *out_bits, uint8_t out[static 16],
			    struct yg_err *err)
{
	struct yg_ip ip;
	size_t slash = yg_sv_find(s, '/', 0);
	struct yg_sv address = yg_sv_sub(s, 0, slash), prefix = yg_sv_sub(s, slash + 1, s.n);
	bool v6 = yg_sv_find(address, ':', 0) < address.n;
	if ((v6 && yg_sv_find(address, '.', 0) < address.n) || yg_ip_parse(address, &ip) != YG_OK)
		return YG_FAIL(err, YG_PARSE, "not an IP address or prefix");
	unsigned most = v6 ? 128 : 32;
	uint64_t bits = most;
	if (slash < s.n && (prefix.n > (v6 ? 3 : 2) || (prefix.n > 1 && prefix.p[0] == '0') ||
			    yg_parse_u64(prefix, &bits, NULL) != YG_OK || bits > most))
		return YG_FAIL(err, YG_PARSE, "prefix length is not 0 to %u", most);
	*out_v6 = v6;
	*out_bits = (uint8_t)bits;
	memcpy(out, v6 ? ip.b : ip.b + 12, v6 ? 16 : 4);
	return YG_OK;
}
