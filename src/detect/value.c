#include "detect/value.h"

#include <stdlib.h>

bool yg_sigma_number(struct yg_sv s, double *out)
{
	char text[64];
	size_t i = s.n > 0 && s.p[0] == '-' ? 1 : 0, digits = 0, dots = 0;
	if (s.n >= sizeof text)
		return false;
	for (; i < s.n; i++) {
		bool digit = s.p[i] >= '0' && s.p[i] <= '9';
		if (!digit && (s.p[i] != '.' || dots++ > 0 || digits == 0))
			return false;
		digits += digit;
	}
	if (digits == 0 || s.p[s.n - 1] == '.')
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	*out = strtod(text, NULL);
	return true;
}

bool yg_detect_compare(enum yg_sigma_compare c, double have, double want)
{
	switch (c) {
	case YG_SIGMA_LT: return have < want;
	case YG_SIGMA_LTE: return have <= want;
	case YG_SIGMA_GT: return have > want;
	case YG_SIGMA_GTE: return have >= want;
	case YG_SIGMA_NEQ: return have != want;
	case YG_SIGMA_EQ: break;
	}
	return have == want;
}

/* n digits at `at`; -1 when they are none. */
static int digits_at(struct yg_sv s, size_t at, size_t n)
{
	int v = 0;
	if (at + n > s.n)
		return -1;
	for (size_t i = at; i < at + n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -1;
		v = v * 10 + (s.p[i] - '0');
	}
	return v;
}

/* Days from 1970-01-01 (Hinnant's civil calendar: years begin in March). */
static int days_of(int y, int m, int d)
{
	y -= m <= 2;
	int era = y / 400, of_era = y - era * 400;
	int of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* The week that the Thursday of these seven days is in, by that Thursday's year. */
static int week_of(int y, int m, int d)
{
	int day = days_of(y, m, d), weekday = ((day + 3) % 7 + 7) % 7; /* 0: Monday */
	int thursday = day - weekday + 3;
	if (thursday >= days_of(y + 1, 1, 1))
		y++;
	else if (thursday < days_of(y, 1, 1))
		y--;
	return (thursday - days_of(y, 1, 1)) / 7 + 1;
}

bool yg_detect_time(struct yg_sv s, enum yg_sigma_time part, double *out)
{
	int y = digits_at(s, 0, 4), m = digits_at(s, 5, 2), d = digits_at(s, 8, 2), v = y;
	int hour = -1, minute = -1;
	if (y < 1 || m < 1 || m > 12 || d < 1 || d > 31 || s.p[4] != '-' || s.p[7] != '-')
		return false;
	if (s.n > 10) {
		hour = digits_at(s, 11, 2);
		minute = digits_at(s, 14, 2);
		if ((s.p[10] != 'T' && s.p[10] != ' ') || hour < 0 || hour > 23 || minute < 0 ||
		    minute > 59 || s.p[13] != ':')
			return false;
	}
	switch (part) {
	case YG_SIGMA_MINUTE: v = minute; break;
	case YG_SIGMA_HOUR: v = hour; break;
	case YG_SIGMA_DAY: v = d; break;
	case YG_SIGMA_WEEK: v = week_of(y, m, d); break;
	case YG_SIGMA_MONTH: v = m; break;
	default: break;
	}
	*out = v;
	return v >= 0;
}

bool yg_detect_in_net(const struct yg_ip *net, unsigned bits, const struct yg_ip *ip)
{
	unsigned whole = bits / 8, rest = bits % 8;
	if (memcmp(net->b, ip->b, whole) != 0)
		return false;
	return rest == 0 || (net->b[whole] ^ ip->b[whole]) >> (8 - rest) == 0;
}

static bool same(bool cased, const char *a, struct yg_sv b)
{
	struct yg_sv x = {a, b.n};
	return cased ? yg_sv_eq(x, b) : yg_sv_ieq(x, b);
}

bool yg_detect_affix(enum yg_sigma_affix affix, bool cased, struct yg_sv s, struct yg_sv other)
{
	if (other.n > s.n)
		return false;
	switch (affix) {
	case YG_SIGMA_STARTS: return same(cased, s.p, other);
	case YG_SIGMA_ENDS: return same(cased, s.p + s.n - other.n, other);
	case YG_SIGMA_CONTAINS:
		for (size_t i = 0; i + other.n <= s.n; i++)
			if (same(cased, s.p + i, other))
				return true;
		return false;
	case YG_SIGMA_WHOLE: break;
	}
	return s.n == other.n && same(cased, s.p, other);
}
