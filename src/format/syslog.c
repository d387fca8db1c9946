#include "format/syslog.h"

#include "base/ip.h"

static const char *const severities[] = {"emerg",   "alert",  "crit", "err",
					 "warning", "notice", "info", "debug"};
/* RFC 5424 table 1, in the words of syslog.conf(5). */
static const char *const facilities[] = {
	"kern",   "user",   "mail",     "daemon", "auth",   "syslog",   "lpr",     "news",
	"uucp",   "cron",   "authpriv", "ftp",    "ntp",    "security", "console", "clock",
	"local0", "local1", "local2",   "local3", "local4", "local5",   "local6",  "local7"};
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char weekdays[] = "MonTueWedThuFriSatSun";

#define AHEAD_MAX_US (10LL * 60 * YG_US_PER_S)   /* clocks that drift */
#define QUARTER_US   (15LL * 60 * YG_US_PER_S)   /* zones come in quarters of an hour */
#define ZONE_MAX_US  (14LL * 3600 * YG_US_PER_S) /* Kiribati */
#define YEARS_BACK   8                           /* the longest way to a 29 February */

const char *yg_syslog_severity_name(uint8_t severity)
{
	return severity < YG_LEN(severities) ? severities[severity] : "";
}

const char *yg_syslog_facility_name(uint8_t facility)
{
	return facility < YG_LEN(facilities) ? facilities[facility] : "";
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char peek(struct yg_sv s, size_t at)
{
	return at < s.n ? s.p[at] : '\0';
}

static struct yg_sv from(struct yg_sv s, size_t at)
{
	return yg_sv_sub(s, at, s.n);
}

static void skip_blanks(struct yg_sv *s)
{
	while (s->n > 0 && (s->p[0] == ' ' || s->p[0] == '\t'))
		*s = from(*s, 1);
}

/* Takes 1 to `most` digits; false when there is none. */
static bool number(struct yg_sv *s, size_t most, unsigned *out)
{
	size_t n = 0;
	unsigned v = 0;
	while (n < most && n < s->n && is_digit(s->p[n]))
		v = v * 10 + (unsigned)(s->p[n++] - '0');
	*s = from(*s, n);
	*out = v;
	return n > 0;
}

static bool literal(struct yg_sv *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = from(*s, 1);
	return true;
}

static struct yg_sv word(struct yg_sv *s)
{
	size_t n = 0;
	while (n < s->n && s->p[n] != ' ' && s->p[n] != '\t')
		n++;
	struct yg_sv w = yg_sv_sub(*s, 0, n);
	*s = from(*s, n);
	return w;
}

/* "<134>"; RFC 3164 4.3.3: what is no priority is left in the text. */
static bool priority(struct yg_sv *s, struct yg_syslog *out)
{
	struct yg_sv r = *s;
	unsigned v;
	if (!literal(&r, '<') || !number(&r, 3, &v) || !literal(&r, '>') || v > 191)
		return false;
	out->facility = (uint8_t)(v / 8);
	out->severity = (uint8_t)(v % 8);
	*s = r;
	return true;
}

/* ---- structured data ---- */

/* Bytes of a structured data part at the front of s; 0 when it is not one. */
static size_t sd_length(struct yg_sv s)
{
	size_t i = 0;
	while (peek(s, i) == '[') {
		bool quoted = false;
		for (i++; i < s.n && (quoted || s.p[i] != ']'); i++) {
			if (quoted && s.p[i] == '\\')
				i++;
			else if (s.p[i] == '"')
				quoted = !quoted;
		}
		if (i >= s.n)
			return 0;
		i++;
	}
	return i < s.n && s.p[i] != ' ' ? 0 : i;
}

bool yg_syslog_sd_next(struct yg_sv *rest, struct yg_sv *id, struct yg_syslog_param *out)
{
	struct yg_sv s = *rest;
	*out = (struct yg_syslog_param){.name = {"", 0}, .value = {"", 0}};
	while (literal(&s, ']'))
		id->n = 0;
	bool fresh = literal(&s, '[');
	if (fresh) {
		size_t n = 0;
		while (n < s.n && s.p[n] != ' ' && s.p[n] != ']')
			n++;
		*id = yg_sv_sub(s, 0, n);
		s = from(s, n);
	}
	out->id = *id;
	skip_blanks(&s);
	if (s.n == 0 || s.p[0] == ']') {
		*rest = s;
		return fresh;
	}
	size_t eq = yg_sv_find(s, '=', 0);
	out->name = yg_sv_sub(s, 0, eq);
	s = from(s, eq + 1);
	if (!literal(&s, '"')) {
		rest->n = 0; /* not as the grammar has it: no more can be trusted */
		return false;
	}
	size_t n = 0;
	for (; n < s.n && s.p[n] != '"'; n++) {
		if (s.p[n] == '\\' && n + 1 < s.n) {
			out->escaped = true;
			n++;
		}
	}
	out->value = yg_sv_sub(s, 0, n);
	*rest = from(s, n + 1);
	return true;
}

struct yg_sv yg_syslog_unescape(const struct yg_syslog_param *p, struct yg_arena *arena)
{
	if (!p->escaped)
		return p->value;
	char *buf = yg_arena_alloc(arena, p->value.n, 1);
	if (buf == NULL)
		return (struct yg_sv){NULL, 0};
	size_t n = 0;
	for (size_t i = 0; i < p->value.n; i++) {
		char next = peek(p->value, i + 1);
		/* RFC 5424 6.3.3: a backslash before anything else stays. */
		if (p->value.p[i] == '\\' && (next == '"' || next == '\\' || next == ']'))
			i++;
		buf[n++] = p->value.p[i];
	}
	return (struct yg_sv){buf, n};
}

/* ---- times ---- */

struct clock { /* a time as written */
	bool has_year, has_offset;
	unsigned year, month, day, hour, minute, second, us;
	int64_t offset_us;
};

static unsigned name_index(const char *names, size_t count, struct yg_sv s)
{
	for (unsigned i = 0; s.n >= 3 && i < count; i++)
		if (yg_sv_ieq(yg_sv_sub(s, 0, 3), (struct yg_sv){names + (size_t)i * 3, 3}))
			return i + 1;
	return 0;
}

static bool clock_time(struct yg_sv *s, struct clock *c)
{
	struct yg_sv r = *s;
	if (!number(&r, 2, &c->hour) || !literal(&r, ':') || !number(&r, 2, &c->minute) ||
	    !literal(&r, ':') || !number(&r, 2, &c->second) || c->hour > 23 || c->minute > 59 ||
	    c->second > 60)
		return false;
	c->us = 0;
	if ((peek(r, 0) == '.' || peek(r, 0) == ',') && is_digit(peek(r, 1))) {
		r = from(r, 1);
		for (unsigned unit = 100000; r.n > 0 && is_digit(r.p[0]);
		     unit /= 10, r = from(r, 1))
			c->us += unit * (unsigned)(r.p[0] - '0');
	}
	*s = r;
	return true;
}

/* A year that stands alone: four digits and a blank, ':' or the end behind them. */
static bool lone_year(struct yg_sv *s, unsigned *out)
{
	struct yg_sv r = *s;
	unsigned y;
	if (!number(&r, 4, &y) || y < 1970 || y > 2999)
		return false;
	char after = peek(r, 0), then = peek(r, 1); /* "2001:db8::1" is a host */
	if (after != ' ' && after != '\0' && !(after == ':' && (then == ' ' || then == '\0')))
		return false;
	*s = r;
	*out = y;
	return true;
}

/* Names that mean one offset everywhere they are used in logs. */
static void zone_name(struct yg_sv *s, struct clock *c)
{
	static const struct {
		const char *name;
		int hours;
	} zones[] = {{"UTC", 0}, {"GMT", 0},  {"JST", 9},  {"KST", 9},
		     {"CET", 1}, {"CEST", 2}, {"EST", -5}, {"EDT", -4}};
	struct yg_sv r = *s;
	skip_blanks(&r);
	size_t n = 0;
	while (n < r.n && r.p[n] >= 'A' && r.p[n] <= 'Z')
		n++;
	char after = peek(r, n);
	if (after != ':' && after != ' ' && after != '\0')
		return;
	for (size_t i = 0; i < YG_LEN(zones); i++) {
		if (!yg_sv_eq(yg_sv_sub(r, 0, n), yg_sv_of(zones[i].name)))
			continue;
		c->has_offset = true;
		c->offset_us = zones[i].hours * 3600 * YG_US_PER_S;
		*s = from(r, n);
	}
}

/* "Oct  1 22:14:15", with a year behind the day or behind the time or before
 * all (Cisco), a weekday before, a fraction, a zone's name. */
static bool bsd_time(struct yg_sv *s, struct clock *c)
{
	struct yg_sv r = *s;
	if (name_index(weekdays, 7, r) != 0 && (peek(r, 3) == ' ' || peek(r, 3) == ',')) {
		r = from(r, 4);
		skip_blanks(&r);
	}
	c->has_year = lone_year(&r, &c->year);
	skip_blanks(&r);
	c->month = name_index(months, 12, r);
	if (c->month == 0 || peek(r, 3) != ' ')
		return false;
	r = from(r, 3);
	skip_blanks(&r);
	if (!number(&r, 2, &c->day) || !literal(&r, ' '))
		return false;
	skip_blanks(&r);
	if (!c->has_year && lone_year(&r, &c->year)) {
		c->has_year = true;
		skip_blanks(&r);
	}
	if (!clock_time(&r, c))
		return false;
	zone_name(&r, c);
	if (!c->has_year && peek(r, 0) == ' ') {
		struct yg_sv t = from(r, 1);
		c->has_year = lone_year(&t, &c->year);
		if (c->has_year)
			r = t;
	}
	*s = r;
	return true;
}

static bool days_fit(const struct clock *c, unsigned year)
{
	int64_t y;
	unsigned m, d;
	if (c->day < 1 || c->day > 31)
		return false;
	yg_civil_from_days(yg_days_from_civil(year, c->month, c->day), &y, &m, &d);
	return m == c->month && d == c->day;
}

static int64_t clock_us(const struct clock *c, unsigned year)
{
	return yg_days_from_civil(year, c->month, c->day) * YG_US_PER_DAY +
	       ((int64_t)c->hour * 3600 + c->minute * 60 + c->second) * YG_US_PER_S + c->us -
	       c->offset_us;
}

/* A clock without offset that runs ahead of us belongs to a zone in the east. */
static int64_t not_ahead(int64_t us, int64_t received)
{
	int64_t ahead = us - received;
	if (ahead <= AHEAD_MAX_US || ahead > ZONE_MAX_US + AHEAD_MAX_US)
		return us;
	return us - (ahead + QUARTER_US / 2) / QUARTER_US * QUARTER_US;
}

/* `received` outside years 1..9999 is taken as it is by arithmetic on days. */
static bool clock_resolve(struct clock *c, yg_wall received, yg_span zone, yg_wall *out)
{
	int64_t now = received.us, y = 0;
	unsigned m, d;
	if (now < 0 || now > 253402300799LL * YG_US_PER_S)
		now = 0;
	if (!c->has_offset)
		c->offset_us = zone.us;
	if (!c->has_year) {
		yg_civil_from_days((now + YG_US_PER_DAY) / YG_US_PER_DAY, &y, &m, &d);
		unsigned year = (unsigned)y;
		for (unsigned i = 0; i <= YEARS_BACK; i++, year--)
			if (days_fit(c, year) && clock_us(c, year) <= now + YG_US_PER_DAY)
				break;
		c->year = year;
	}
	if (!days_fit(c, c->year))
		return false;
	int64_t us = clock_us(c, c->year);
	out->us = c->has_offset ? us : not_ahead(us, now);
	return true;
}

/* "2026-01-02T03:04:05.678+09:00", also with a blank instead of T, also "Z" and
 * no offset at all.  A comma before the fraction is not taken. */
static bool iso_time(struct yg_sv *s, yg_wall received, yg_span zone, yg_wall *out)
{
	struct yg_sv r = *s, t;
	if (s->n < 19 || s->p[4] != '-' || (s->p[10] != 'T' && s->p[10] != ' '))
		return false;
	size_t n = 19;
	if (peek(r, n) == '.')
		for (n++; is_digit(peek(r, n)); n++)
			;
	size_t plain = n;
	if (peek(r, n) == 'Z')
		n++;
	else if (peek(r, n) == '+' || peek(r, n) == '-')
		for (n++; is_digit(peek(r, n)) || (peek(r, n) == ':' && is_digit(peek(r, n + 1)));
		     n++)
			;
	t = yg_sv_sub(r, 0, n);
	if (yg_time_parse(t, out, NULL) != YG_OK)
		return false;
	if (n == plain)
		out->us = not_ahead(out->us - zone.us, received.us);
	*s = from(r, n);
	return true;
}

/* "1700000000.123": seconds since 1970, as Meraki sends them. */
static bool epoch_time(struct yg_sv *s, yg_wall *out)
{
	struct yg_sv r = *s;
	size_t n = 0;
	int64_t us = 0;
	while (is_digit(peek(r, n)))
		us = n < 10 ? us * 10 + (r.p[n] - '0') : us, n++;
	if (n != 10)
		return false;
	us *= YG_US_PER_S;
	if (peek(r, n) == '.')
		for (int64_t unit = 100000; is_digit(peek(r, ++n)); unit /= 10)
			us += unit * (r.p[n] - '0');
	if (peek(r, n) != ' ' && peek(r, n) != ':')
		return false;
	out->us = us;
	*s = from(r, n);
	return true;
}

/* Any time but RFC 5424's own place for it. */
static bool any_time(struct yg_sv *s, yg_wall received, yg_span zone, struct yg_syslog *out)
{
	struct yg_sv r = *s;
	struct clock c = {0};
	yg_wall t;
	if (peek(r, 0) == '*' || peek(r, 0) == '.') /* Cisco: clock not set, clock not in step */
		r = from(r, 1);
	if (bsd_time(&r, &c)) {
		if (!clock_resolve(&c, received, zone, &t))
			return false;
	} else if (!iso_time(&r, received, zone, &t) && !epoch_time(&r, &t)) {
		return false;
	}
	out->time = t;
	out->has_time = true;
	*s = r;
	return true;
}

/* ---- RFC 5424 ---- */

static struct yg_sv header_field(struct yg_sv *s)
{
	struct yg_sv w = word(s);
	(void)literal(s, ' ');
	if (YG_SV_IS(w, "-"))
		w.n = 0;
	return w;
}

static struct yg_sv without_bom(struct yg_sv s)
{
	return yg_sv_starts(s, YG_SV("\xef\xbb\xbf")) ? from(s, 3) : s;
}

/* The part behind "<PRI>"; false when it is not RFC 5424. */
static bool rfc5424(struct yg_sv s, struct yg_syslog *out)
{
	unsigned version;
	if (!number(&s, 2, &version) || version == 0 || !literal(&s, ' '))
		return false;
	struct yg_sv time = word(&s);
	if (!literal(&s, ' '))
		return false;
	if (!YG_SV_IS(time, "-")) {
		if (time.n < 20 || time.p[10] != 'T' ||
		    yg_time_parse(time, &out->time, NULL) != YG_OK)
			return false;
		out->has_time = true;
	}
	out->host = header_field(&s);
	out->app = header_field(&s);
	out->procid = header_field(&s);
	out->msgid = header_field(&s);
	size_t n = sd_length(s);
	if (peek(s, 0) == '-' && (s.n == 1 || s.p[1] == ' ')) {
		s = from(s, 2);
	} else if (n > 0) {
		out->sd = yg_sv_sub(s, 0, n);
		s = from(s, n + 1);
	} /* else: devices that leave it out; all the rest is the message */
	out->msg = without_bom(s);
	out->form = YG_SYSLOG_5424;
	return true;
}

/* ---- RFC 3164 and its relatives ---- */

static bool is_tag_char(char c)
{
	return c > ' ' && c < 0x7f && c != ':' && c != '[' && c != ']' && c != '"' && c != '=' &&
	       c != '{';
}

/* "sshd[123]: ", "kernel: ", "postfix/smtpd[9]: "; false leaves *s alone. */
static bool tag(struct yg_sv *s, struct yg_syslog *out)
{
	struct yg_sv r = *s, pid = {"", 0};
	size_t n = 0;
	while (n < r.n && n < 64 && is_tag_char(r.p[n]))
		n++;
	if (n == 0)
		return false;
	struct yg_sv name = yg_sv_sub(r, 0, n);
	r = from(r, n);
	bool bracket = literal(&r, '[');
	if (bracket) {
		size_t close = yg_sv_find(r, ']', 0);
		if (close >= r.n || close == 0 || close > 32)
			return false;
		pid = yg_sv_sub(r, 0, close);
		r = from(r, close + 1);
	}
	bool colon = literal(&r, ':');
	if ((!colon && !bracket) || (r.n > 0 && r.p[0] != ' ' && r.p[0] != '\t'))
		return false;
	skip_blanks(&r);
	out->app = name;
	out->procid = pid;
	*s = r;
	return true;
}

/* "%ASA-6-302013: text", "%SYS-5-CONFIG_I: text": facility, severity, mnemonic. */
static bool cisco(struct yg_sv *s, struct yg_syslog *out)
{
	struct yg_sv r = *s;
	if (!literal(&r, '%'))
		return false;
	size_t end = yg_sv_find(r, ':', 0);
	struct yg_sv code = yg_sv_sub(r, 0, end);
	size_t dash = yg_sv_find(code, '-', 0);
	while (dash + 2 < code.n && !(is_digit(code.p[dash + 1]) && code.p[dash + 2] == '-'))
		dash = yg_sv_find(code, '-', dash + 1);
	if (end >= r.n || dash == 0 || dash + 3 >= code.n || yg_sv_find(code, ' ', 0) < code.n ||
	    code.p[dash + 1] > '7')
		return false;
	out->app = yg_sv_sub(code, 0, dash);
	out->msgid = code;
	out->severity = (uint8_t)(code.p[dash + 1] - '0');
	r = from(r, end + 1);
	skip_blanks(&r);
	*s = r;
	return true;
}

/* Payloads with a format of their own, which begin like a tag. */
static bool is_payload(struct yg_sv s)
{
	return (yg_sv_starts(s, YG_SV("CEF:")) && is_digit(peek(s, 4))) ||
	       (yg_sv_starts(s, YG_SV("LEEF:")) && is_digit(peek(s, 5))) ||
	       yg_sv_starts(s, YG_SV("@cee:")) || peek(s, 0) == '{';
}

/* The host is one word, but not one that ends like a tag. */
static void host_and_tag(struct yg_sv s, struct yg_syslog *out)
{
	skip_blanks(&s);
	if (yg_sv_starts(s, YG_SV("Message forwarded from "))) /* AIX */
		s = from(s, 23);
	struct yg_sv r = s, w = word(&r);
	struct yg_syslog probe = *out;
	bool tagged = tag(&s, &probe);
	struct yg_ip ip; /* "192.0.2.1: text": a host that looks like a tag */
	bool named = yg_ip_parse(probe.app, &ip) == YG_OK;
	if (tagged && !(probe.procid.n == 0 && (named || is_payload(yg_sv_trim(r))))) {
		out->app = probe.app;
		out->procid = probe.procid;
		out->msg = s;
		return;
	}
	if (tagged)                   /* "host: CEF:0|..." */
		r = s, w = probe.app; /* s is behind the colon */
	if (w.n > 0 && w.n <= 255 && w.p[0] != '%' && !is_payload(w) && r.n > 0 &&
	    memchr(w.p, '=', w.n) == NULL) {
		while (w.n > 0 && w.p[w.n - 1] == ':')
			w.n--;
		out->host = w;
		s = r;
		skip_blanks(&s);
		if (literal(&s, ':'))
			skip_blanks(&s);
	}
	if (!is_payload(s) && !cisco(&s, out))
		(void)tag(&s, out);
	out->msg = s;
}

/* Before the time, Cisco devices put a sequence number, their name, or only ':'. */
static bool time_behind_prefix(struct yg_sv *s, yg_wall received, yg_span zone,
			       struct yg_syslog *out)
{
	struct yg_sv r = *s, host = {"", 0};
	for (int i = 0; i < 4; i++) {
		skip_blanks(&r);
		if (any_time(&r, received, zone, out)) {
			out->host = host;
			*s = r;
			return true;
		}
		size_t colon = yg_sv_find(r, ':', 0), space = yg_sv_find(r, ' ', 0);
		if (colon >= r.n || colon > space)
			return false;
		struct yg_sv w = yg_sv_sub(r, 0, colon);
		uint64_t sequence;
		if (w.n > 0 && yg_parse_u64(w, &sequence, NULL) != YG_OK)
			host = w;
		r = from(r, colon + 1);
	}
	return false;
}

static void rfc3164(struct yg_sv s, yg_wall received, yg_span zone, struct yg_syslog *out)
{
	bool timed =
		any_time(&s, received, zone, out) || time_behind_prefix(&s, received, zone, out);
	out->form = YG_SYSLOG_3164;
	skip_blanks(&s);
	bool colon = literal(&s, ':');
	skip_blanks(&s);
	if (is_payload(s)) {
		out->msg = s;
	} else if (cisco(&s, out) || colon || out->host.n > 0) {
		if (out->msgid.n == 0)
			(void)tag(&s, out);
		out->msg = s;
	} else if (timed) {
		host_and_tag(s, out);
	} else { /* RFC 3164 5.4 example 3: no time, so no host either */
		(void)tag(&s, out);
		out->msg = s;
	}
	out->msg = without_bom(out->msg);
}

yg_status yg_syslog_parse(struct yg_sv text, yg_wall received, yg_span zone, struct yg_syslog *out,
			  struct yg_err *err)
{
	static const struct yg_syslog nothing = {.severity = YG_SYSLOG_NONE,
						 .facility = YG_SYSLOG_NONE,
						 .host = YG_SV_INIT(""),
						 .app = YG_SV_INIT(""),
						 .procid = YG_SV_INIT(""),
						 .msgid = YG_SV_INIT(""),
						 .sd = YG_SV_INIT(""),
						 .msg = YG_SV_INIT("")};
	while (text.n > 0 && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r' ||
			      text.p[text.n - 1] == '\0'))
		text.n--;
	*out = nothing;
	if (text.n == 0)
		return YG_FAIL(err, YG_PARSE, "empty message");
	struct yg_sv s = without_bom(text);
	bool has_priority = priority(&s, out);
	uint8_t facility = out->facility, severity = out->severity;
	if (!has_priority || !rfc5424(s, out)) {
		*out = nothing;
		out->facility = facility;
		out->severity = severity;
		struct yg_sv r = s;
		unsigned version;
		yg_wall t;
		/* Meraki: "<134>1 1700000000.123 host text", which is not RFC 5424 */
		if (has_priority && number(&r, 1, &version) && literal(&r, ' ') &&
		    epoch_time(&(struct yg_sv){r.p, r.n}, &t))
			s = r;
		rfc3164(s, received, zone, out);
	}
	if (!has_priority && !out->has_time)
		return YG_FAIL(err, YG_PARSE, "neither a priority nor a time at the front");
	if (!out->has_time)
		out->time = received;
	return YG_OK;
}
