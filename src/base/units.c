#include "base/units.h"

#include "base/env.h"

/* Days and civil dates: the standard era arithmetic on 400-year cycles of
 * 146097 days, with the year starting in March so that the leap day is last. */
int64_t yg_days_from_civil(int64_t year, unsigned month, unsigned day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t yoe = year - era * 400;
	int64_t doy =
		(153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + (int64_t)day - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

void yg_civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t doe = days - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	*day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
	*month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
	*year = yoe + era * 400 + (*month <= 2);
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static void two(char *p, unsigned v)
{
	p[0] = (char)('0' + v / 10 % 10);
	p[1] = (char)('0' + v % 10);
}

void yg_time_format(struct yg_sb *b, yg_wall t)
{
	int64_t days = floor_div(t.us, YG_US_PER_DAY), year;
	int64_t us = t.us - days * YG_US_PER_DAY;
	unsigned month, day;
	yg_civil_from_days(days, &year, &month, &day);
	if (year < 0 || year > 9999) { /* RFC 3339 has four digits; nothing sensible is lost */
		yg_sb_put(b, year < 0 ? YG_SV("0000-01-01T00:00:00.000000Z")
				      : YG_SV("9999-12-31T23:59:59.999999Z"));
		return;
	}
	char s[] = "0000-00-00T00:00:00.000000Z";
	unsigned seconds = (unsigned)(us / YG_US_PER_S), frac = (unsigned)(us % YG_US_PER_S);
	two(s, (unsigned)year / 100);
	two(s + 2, (unsigned)year % 100);
	two(s + 5, month);
	two(s + 8, day);
	two(s + 11, seconds / 3600);
	two(s + 14, seconds / 60 % 60);
	two(s + 17, seconds % 60);
	two(s + 20, frac / 10000);
	two(s + 22, frac / 100 % 100);
	two(s + 24, frac % 100);
	yg_sb_put(b, (struct yg_sv){s, sizeof s - 1});
}

static bool digits(struct yg_sv s, size_t at, size_t n, unsigned *out)
{
	unsigned v = 0;
	if (s.n < at + n)
		return false;
	for (size_t i = at; i < at + n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (unsigned)(s.p[i] - '0');
	}
	*out = v;
	return true;
}

/* "Z", "", "+09:00", "-0530": offset in seconds; false when it is none of them. */
static bool zone(struct yg_sv s, int64_t *out)
{
	unsigned h, m;
	*out = 0;
	if (s.n == 0 || YG_SV_IS(s, "Z") || YG_SV_IS(s, "z"))
		return true;
	if ((s.p[0] != '+' && s.p[0] != '-') || !digits(s, 1, 2, &h))
		return false;
	size_t at = s.n > 3 && s.p[3] == ':' ? 4 : 3;
	if (!digits(s, at, 2, &m) || s.n != at + 2 || h > 23 || m > 59)
		return false;
	*out = (int64_t)(h * 3600 + m * 60) * (s.p[0] == '-' ? -1 : 1);
	return true;
}

yg_status yg_time_parse(struct yg_sv s, yg_wall *out, struct yg_err *err)
{
	static const unsigned char month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	unsigned year, month, day, hour, minute, second;
	if (!digits(s, 0, 4, &year) || !digits(s, 5, 2, &month) || !digits(s, 8, 2, &day) ||
	    !digits(s, 11, 2, &hour) || !digits(s, 14, 2, &minute) || !digits(s, 17, 2, &second) ||
	    s.p[4] != '-' || s.p[7] != '-' ||
	    (s.p[10] != 'T' && s.p[10] != 't' && s.p[10] != ' ') || s.p[13] != ':' ||
	    s.p[16] != ':')
		return YG_FAIL(err, YG_PARSE, "expected a time such as 2026-01-02T03:04:05Z");
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	if (month < 1 || month > 12 || day < 1 || day > month_days[month - 1] ||
	    (month == 2 && day == 29 && !leap) || hour > 23 || minute > 59 || second > 60)
		return YG_FAIL(err, YG_PARSE, "no such date or time of day");
	size_t at = 19;
	int64_t frac = 0, scale = 100000, offset;
	if (at < s.n && (s.p[at] == '.' || s.p[at] == ',')) {
		size_t first = ++at;
		for (; at < s.n && s.p[at] >= '0' && s.p[at] <= '9'; at++) {
			frac += (s.p[at] - '0') * scale; /* past the sixth digit scale is 0 */
			scale /= 10;
		}
		if (at == first || at - first > 9)
			return YG_FAIL(err, YG_PARSE, "a fraction has 1 to 9 digits");
	}
	if (!zone(yg_sv_sub(s, at, s.n), &offset))
		return YG_FAIL(err, YG_PARSE, "expected Z or an offset such as +09:00");
	int64_t seconds = yg_days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 +
			  second - offset;
	out->us = seconds * YG_US_PER_S + frac;
	return YG_OK;
}

uint32_t yg_day_number(yg_wall t)
{
	int64_t days = floor_div(t.us, YG_US_PER_DAY), year;
	unsigned month, day;
	yg_civil_from_days(days < 0 ? 0 : days > 49673 ? 49673 : days, &year, &month, &day);
	return (uint32_t)year * 10000 + month * 100 + day;
}

static yg_mono sim_mono(void *ctx)
{
	return ((struct yg_env_sim *)ctx)->mono;
}
static yg_wall sim_wall(void *ctx)
{
	return ((struct yg_env_sim *)ctx)->wall;
}
static void sim_random(void *ctx, void *out, size_t n)
{
	struct yg_env_sim *sim = ctx;
	uint8_t *p = out;
	for (size_t i = 0; i < n; i++) { /* splitmix64: any seed will do */
		uint64_t z = (sim->seed += 0x9e3779b97f4a7c15u);
		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
		z = (z ^ z >> 27) * 0x94d049bb133111ebu;
		p[i] = (uint8_t)(z ^ z >> 31);
	}
}
static void sim_emit(void *ctx, uint32_t event_id, struct yg_sv json)
{
	(void)event_id;
	(void)json;
	((struct yg_env_sim *)ctx)->emitted++;
}
struct yg_env yg_env_sim(struct yg_env_sim *sim)
{
	return (struct yg_env){sim, sim_mono, sim_wall, sim_random, sim_emit};
}
