#include "event/normalize.h"

#include <stdlib.h>

#include "base/codec.h"
#include "event/norm.h"
#include "format/lines.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* One row per source; a source that is not in this build is NULL. */
static const struct yg_norm_ops *const sources[YG_SOURCE_COUNT] = {
	[YG_SOURCE_NONE] = NULL,
	[YG_SOURCE_ZEEK] = &yg_norm_zeek,
	[YG_SOURCE_SURICATA] = &yg_norm_suricata,
	[YG_SOURCE_OCSF] = &yg_norm_ocsf,
	[YG_SOURCE_CLOUDTRAIL] = &yg_norm_cloudtrail,
	[YG_SOURCE_WINDOWS] = &yg_norm_windows,
	[YG_SOURCE_SYSLOG] = &yg_norm_syslog,
	[YG_SOURCE_NDJSON] = &yg_norm_ndjson,
	[YG_SOURCE_DNSTAP] = &yg_norm_dnstap,
	[YG_SOURCE_EVTX] = &yg_norm_evtx,
};

const char *yg_source_name(enum yg_source s)
{
	static const char *const names[YG_SOURCE_COUNT] = {[YG_SOURCE_NONE] = "none",
#define X(id, name, doc) [YG_SOURCE_##id] = name,
							   YG_SOURCES(X)
#undef X
	};
	return (unsigned)s < YG_SOURCE_COUNT ? names[s] : "none";
}

yg_status yg_source_parse(struct yg_sv text, enum yg_source *out, struct yg_sv *out_mapping,
			  struct yg_err *err)
{
	size_t colon = yg_sv_find(text, ':', 0);
	struct yg_sv name = yg_sv_sub(text, 0, colon), mapping = yg_sv_sub(text, colon + 1, text.n);
	for (int s = YG_SOURCE_NONE + 1; s < YG_SOURCE_COUNT; s++) {
		if (!yg_sv_eq(name, yg_sv_of(yg_source_name((enum yg_source)s))))
			continue;
		if (colon < text.n && (s != YG_SOURCE_NDJSON || mapping.n == 0))
			return YG_FAIL(err, YG_PARSE, "only ndjson takes a mapping: ndjson:NAME");
		*out = (enum yg_source)s;
		*out_mapping = mapping;
		return YG_OK;
	}
	char quoted[64];
	struct yg_sb b = yg_sb_init(quoted, sizeof quoted);
	yg_sb_put_untrusted(&b, yg_sv_sub(name, 0, 15));
#define X(id, name, doc) " " name
	return YG_FAIL(err, YG_PARSE, "no source is called '%s'; there are:" YG_SOURCES(X),
		       yg_sb_cstr(&b));
#undef X
}

yg_status yg_norm_new(enum yg_source source, const struct yg_mapping *mapping, struct yg_norm **out,
		      struct yg_err *err)
{
	const struct yg_norm_ops *ops = (unsigned)source < YG_SOURCE_COUNT ? sources[source] : NULL;
	if (ops == NULL)
		return YG_FAIL(err, YG_INVAL, "source '%s' cannot be read by this build",
			       yg_source_name(source));
	struct yg_norm *n = calloc(1, sizeof *n);
	if (n == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory to normalise");
	n->source = source;
	n->ops = ops;
	n->mapping = mapping;
	yg_json_init(&n->json, YG_JSON_NODES_MAX);
	yg_arena_init(&n->arena, 0);
	yg_status st = YG_OK;
	if (ops->state_size > 0 && (n->state = calloc(1, ops->state_size)) == NULL)
		st = YG_FAIL(err, YG_NOMEM, "no memory to normalise");
	if (st == YG_OK)
		st = yg_rules_init(&n->rules, ops->rules, ops->rule_count, ops->sections, err);
	if (st == YG_OK && ops->init != NULL)
		st = ops->init(n, err);
	if (st != YG_OK) {
		yg_norm_free(n);
		return st;
	}
	*out = n;
	return YG_OK;
}

void yg_norm_free(struct yg_norm *n)
{
	if (n == NULL)
		return;
	if (n->ops->drop != NULL && n->state != NULL)
		n->ops->drop(n);
	free(n->state);
	yg_rules_free(&n->rules);
	yg_json_free(&n->json);
	yg_arena_free(&n->arena);
	free(n);
}

void yg_norm_begin(struct yg_norm *n, struct yg_sv batch, yg_wall received, bool framed)
{
	yg_arena_reset(&n->arena);
	/* what a batch makes is in proportion to it, and bounded */
	n->arena.limit = ((size_t)16 << 20) + YG_MIN(batch.n, (size_t)YG_BATCH_PLAIN_MAX) +
			 16 * YG_MIN(batch.n, (size_t)YG_BATCH_MAX);
	n->arena.used = 0;
	/* a byte order mark is no part of the first record; many Windows tools write one */
	if (!framed && yg_sv_starts(batch, YG_SV("\xef\xbb\xbf")))
		batch = yg_sv_sub(batch, 3, batch.n);
	n->batch = batch;
	n->received = received;
	n->framed = framed;
	n->records = n->unparsed = n->recovered = 0;
	if (n->ops->begin != NULL)
		n->ops->begin(n);
}

static bool next_frame(struct yg_norm *n, struct yg_sv *out)
{
	if (n->batch.n == 0)
		return false;
	struct yg_rd r = yg_rd_init(n->batch.p, n->batch.n);
	*out = yg_rd_sv32(&r);
	if (r.bad) { /* not ours to guess: the rest is one record, and not whole */
		*out = n->batch;
		n->cut = true;
		n->batch.n = 0;
	} else {
		n->batch = (struct yg_sv){(const char *)r.p, yg_rd_left(&r)};
	}
	if (out->n > YG_RECORD_MAX) {
		out->n = YG_RECORD_MAX;
		n->cut = true;
	}
	return true;
}

bool yg_norm_line(struct yg_norm *n, struct yg_sv *out)
{
	while (yg_line_next(&n->batch, YG_RECORD_MAX, out, &n->cut))
		if (out->n > 0 && ((unsigned char)out->p[0] > ' ' || yg_sv_trim(*out).n > 0))
			return true;
	return false;
}

static void clear(struct yg_event *ev, struct yg_sv raw)
{
	memset((char *)ev + offsetof(struct yg_event, time), 0,
	       sizeof *ev - offsetof(struct yg_event, time));
	ev->raw = raw;
}

static void finish(struct yg_norm *n, struct yg_event *ev);

bool yg_norm_next(struct yg_norm *n, struct yg_event *ev)
{
	struct yg_sv record;
	struct yg_err err;
	yg_status st;
	do {
		n->cut = false;
		n->bad_time = false;
		n->name_count = 0;
		n->arena.refused = false;
		n->tape = (struct yg_sv){NULL, 0};
		if (n->framed ? !next_frame(n, &record)
			      : !(n->ops->next != NULL ? n->ops->next(n, &record)
						       : yg_norm_line(n, &record)))
			return false;
		n->record = record;
		clear(ev, record);
		err.msg[0] = '\0';
		st = n->cut ? YG_FAIL(&err, YG_TOOBIG, "cut off: longer than %d bytes or not whole",
				      YG_RECORD_MAX)
			    : n->ops->record(n, record, ev, &err);
	} while (st == YG_AGAIN);
	n->records++;
	if (st == YG_OK)
		finish(n, ev);
	if (st == YG_OK &&
	    n->arena.refused) /* a value that is missing could be the one that matters */
		st = YG_FAIL(&err, YG_NOMEM, "no memory left for this batch");
	if (st != YG_OK) {
		clear(ev, record);
		n->name_count = 0;
		n->bad_time = false;
		n->unparsed++;
		ev->parse_error = yg_arena_dup(&n->arena, yg_sv_of(err.msg));
		if (ev->parse_error.n == 0)
			ev->parse_error =
				YG_SV("could not be parsed, and no memory is left to say why");
		ev->time = n->received.us;
	}
	return true;
}

struct yg_sv yg_norm_record(const struct yg_norm *n)
{
	return n->record;
}

uint64_t yg_norm_records(const struct yg_norm *n)
{
	return n->records;
}

uint64_t yg_norm_unparsed(const struct yg_norm *n)
{
	return n->unparsed;
}

uint64_t yg_norm_recovered(const struct yg_norm *n)
{
	return n->recovered;
}

yg_status yg_norm_json(struct yg_norm *n, struct yg_sv record, struct yg_err *err)
{
	yg_status st = yg_json_parse(&n->json, record, err);
	if (st == YG_OK && yg_json_at(&n->json, 0)->type != YG_JSON_OBJECT)
		st = YG_FAIL(err, YG_PARSE, "JSON: not an object");
	n->tape = st == YG_OK ? record : (struct yg_sv){NULL, 0};
	return st;
}

const struct yg_json *yg_norm_tape(const struct yg_norm *n, const struct yg_event *ev)
{
	return n->tape.n > 0 && n->tape.p == ev->raw.p && n->tape.n == ev->raw.n ? &n->json : NULL;
}

void yg_norm_append(struct yg_norm *n, struct yg_strs *list, struct yg_sv s)
{
	if (s.n == 0 || list->n >= YG_ARRAY_MAX)
		return;
	if (list->n == 0 || (list->n >= 4 && (list->n & (list->n - 1)) == 0)) {
		uint32_t cap = list->n == 0 ? 4 : list->n * 2;
		struct yg_sv *v = yg_arena_alloc(&n->arena, cap * sizeof *v, alignof(struct yg_sv));
		if (v == NULL)
			return;
		if (list->n > 0)
			memcpy(v, list->v, list->n * sizeof *v);
		list->v = v;
	}
	list->v[list->n++] = s;
}

static bool has_upper(struct yg_sv s)
{
	size_t i = 0;
#ifdef __SSE2__
	const __m128i below = _mm_set1_epi8('A' - 1), above = _mm_set1_epi8('Z' + 1);
	for (; i + 16 <= s.n; i += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(s.p + i));
		__m128i up = _mm_and_si128(_mm_cmpgt_epi8(v, below), _mm_cmplt_epi8(v, above));
		if (_mm_movemask_epi8(up) != 0)
			return true;
	}
#endif
	for (; i < s.n; i++)
		if (s.p[i] >= 'A' && s.p[i] <= 'Z')
			return true;
	return false;
}

struct yg_sv yg_norm_lower(struct yg_norm *n, struct yg_sv s)
{
	if (!has_upper(s))
		return s;
	char *to = yg_arena_alloc(&n->arena, s.n, 1);
	if (to == NULL)
		return YG_SV("");
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		to[i] = (char)(c | (c >= 'A' && c <= 'Z' ? 0x20 : 0));
	}
	return (struct yg_sv){to, s.n};
}

struct yg_sv yg_norm_domain(struct yg_norm *n, struct yg_sv s)
{
	if (s.n > 1 && s.p[s.n - 1] == '.')
		s.n--;
	return yg_norm_lower(n, s);
}

struct yg_sv yg_norm_join(struct yg_norm *n, const struct yg_sv *parts, size_t count)
{
	size_t total = 0, at = 0;
	for (size_t i = 0; i < count; i++)
		total += parts[i].n;
	char *to = yg_arena_alloc(&n->arena, total, 1);
	if (to == NULL)
		return YG_SV("");
	for (size_t i = 0; i < count; i++) {
		if (parts[i].n > 0)
			memcpy(to + at, parts[i].p, parts[i].n);
		at += parts[i].n;
	}
	return (struct yg_sv){to, total};
}

struct yg_sv yg_url_host(struct yg_sv url)
{
	const char *slashes = url.n > 3 ? memmem(url.p, url.n, "://", 3) : NULL;
	if (slashes == NULL)
		return YG_SV("");
	struct yg_sv rest = yg_sv_sub(url, (size_t)(slashes - url.p) + 3, url.n);
	size_t end = 0;
	while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?' && rest.p[end] != '#')
		end++;
	rest.n = end;
	const char *user = rest.n > 0 ? memrchr(rest.p, '@', rest.n) : NULL;
	if (user != NULL)
		rest = yg_sv_sub(rest, (size_t)(user - rest.p) + 1, rest.n);
	if (rest.n > 0 && rest.p[0] == '[')
		return yg_sv_sub(rest, 1, yg_sv_find(rest, ']', 0) - 1);
	return yg_sv_sub(rest, 0, yg_sv_find(rest, ':', 0));
}

struct yg_sv yg_norm_url(struct yg_norm *n, struct yg_sv scheme, struct yg_sv host, uint16_t port,
			 struct yg_sv path)
{
	char digits[8];
	if (host.n == 0 || (path.n > 0 && path.p[0] != '/'))
		return path;
	struct yg_sb b = yg_sb_init(digits, sizeof digits);
	bool has_port =
		host.p[0] == '[' ? yg_sv_has(host, YG_SV("]:")) : yg_sv_find(host, ':', 0) < host.n;
	if (port != 0 && !has_port && port != (YG_SV_IS(scheme, "https") ? 443 : 80)) {
		yg_sb_putc(&b, ':');
		yg_sb_u64(&b, port);
	}
	return YG_NORM_JOIN(n, scheme, YG_SV("://"), host, yg_sb_sv(&b), path);
}

/* Digits, then perhaps a fraction: value x 10^6 rounded half up. */
static bool decimal_us(struct yg_sv s, int64_t *out)
{
	bool minus = s.n > 0 && s.p[0] == '-';
	int64_t v = 0, frac = 0, scale = 100000;
	size_t i = minus, first = i;
	for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
		if (__builtin_mul_overflow(v, (int64_t)10, &v) ||
		    __builtin_add_overflow(v, (int64_t)(s.p[i] - '0'), &v))
			return false;
	if (i == first)
		return false;
	if (i < s.n && s.p[i] == '.') {
		first = ++i;
		for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
			if (i - first == 6)
				frac += s.p[i] >= '5';
			frac += (s.p[i] - '0') * scale;
			scale /= 10;
		}
	}
	if (i != s.n || __builtin_mul_overflow(v, (int64_t)1000000, &v) ||
	    __builtin_add_overflow(v, frac, &v))
		return false;
	*out = minus ? -v : v;
	return true;
}

yg_status yg_norm_seconds(struct yg_sv text, int64_t *out_us)
{
	if (decimal_us(text, out_us))
		return YG_OK;
	char small[64], *end; /* "8.9e-05" */
	if (text.n == 0 || text.n >= sizeof small)
		return YG_PARSE;
	for (size_t i = 0; i < text.n; i++) /* strtod knows words and hex that logs do not */
		if (text.p[i] == '\0' || strchr("+-.eE0123456789", text.p[i]) == NULL)
			return YG_PARSE;
	memcpy(small, text.p, text.n);
	small[text.n] = '\0';
	double d = strtod(small, &end) * 1e6;
	if (end != small + text.n || !(d > -9e18 && d < 9e18))
		return YG_PARSE;
	*out_us = (int64_t)(d < 0 ? d - 0.5 : d + 0.5);
	return YG_OK;
}

/* 1970 to 2105: what the event table's days can say. */
enum { DAYS_MAX = 49673 };

yg_status yg_norm_time(struct yg_sv text, int64_t *out_us)
{
	int64_t us;
	yg_wall t;
	if (text.n > 5 && text.p[4] == '-') {
		if (yg_time_parse(text, &t, NULL) != YG_OK)
			return YG_PARSE;
		us = t.us;
	} else {
		/* seconds stay under 1e11 until the year 5138, milliseconds under 1e14 */
		size_t whole = yg_sv_find(text, '.', 0);
		yg_status st = whole <= 11 ? yg_norm_seconds(text, &us)
					   : yg_parse_i64(yg_sv_sub(text, 0, whole), &us, NULL);
		if (st != YG_OK)
			return YG_PARSE;
		if (whole > 11 && whole <= 14)
			us *= 1000; /* 14 digits: cannot overflow */
	}
	if (us < 0 || us >= (DAYS_MAX + 1) * YG_US_PER_DAY)
		return YG_PARSE;
	*out_us = us;
	return YG_OK;
}

static void add_name(struct yg_norm *n, struct yg_sv s)
{
	uint64_t a = 0, b = 0;
	if (s.n == 0 || n->name_count == YG_ARRAY_MAX)
		return;
	if (s.n >= 8) {
		memcpy(&a, s.p, 8);
		memcpy(&b, s.p + s.n - 8, 8);
	} else {
		memcpy(&a, s.p, s.n);
	}
	uint64_t sig = (a * 0x9e3779b97f4a7c15u ^ b) + s.n;
	for (uint32_t i = 0; i < n->name_count; i++)
		if (n->name_sigs[i] == sig && yg_sv_eq(n->names[i], s))
			return;
	n->names[n->name_count] = s;
	n->name_sigs[n->name_count++] = sig;
}

void yg_norm_name(struct yg_norm *n, struct yg_sv s)
{
	add_name(n, yg_norm_lower(n, s));
}

/* "192.0.2.1" into at most 15 bytes: most addresses, so written straight. */
static size_t format_v4(const uint8_t *b, char *to)
{
	size_t at = 0;
	for (int i = 0; i < 4; i++) {
		unsigned v = b[i];
		if (i > 0)
			to[at++] = '.';
		if (v >= 100)
			to[at++] = (char)('0' + v / 100);
		if (v >= 10)
			to[at++] = (char)('0' + v / 10 % 10);
		to[at++] = (char)('0' + v % 10);
	}
	return at;
}

static void name_ip(struct yg_norm *n, struct yg_ip ip)
{
	if (yg_ip_is_zero(ip))
		return;
	bool v4 = yg_ip_is_v4(ip);
	char *to = yg_arena_alloc(&n->arena, v4 ? 16 : YG_IP_TEXT_MAX, 1);
	if (to == NULL)
		return;
	if (v4) {
		add_name(n, (struct yg_sv){to, format_v4(ip.b + 12, to)});
		return;
	}
	struct yg_sb b = yg_sb_init(to, YG_IP_TEXT_MAX);
	yg_ip_format(&b, ip);
	add_name(n, yg_sb_sv(&b));
}

/* Not as every host is looked up: with a port, a final dot, brackets, letters beyond ASCII. */
static bool odd_host(struct yg_sv s)
{
	char last = s.p[s.n - 1];
	bool odd = last == '.' || last == ']' || memchr(s.p, ':', s.n) != NULL;
	for (size_t i = 0; !odd && i < s.n; i++)
		odd = (unsigned char)s.p[i] >= 0x80;
	return odd;
}

static struct yg_sv keep_text(struct yg_norm *n, const struct yg_sb *b)
{
	char *to = yg_arena_alloc(&n->arena, b->n, 1);
	if (to == NULL)
		return YG_SV("");
	memcpy(to, b->p, b->n);
	return (struct yg_sv){to, b->n};
}

/* A host as it is looked up; false: it is neither an address nor a name as they should be. */
static bool name_plain_host(struct yg_norm *n, struct yg_sv host)
{
	char text[YG_DOMAIN_MAX + 1];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	struct yg_ip ip;
	if (yg_host_ip(host, &ip) == YG_OK)
		name_ip(n, ip);
	else if (yg_domain_normalize(host, &b, NULL) == YG_OK)
		add_name(n, keep_text(n, &b));
	else
		return false;
	return true;
}

static struct yg_sv without_port(struct yg_sv host)
{
	unsigned port = 0;
	host = yg_host_cut_port(host, &port);
	if (host.n > 1 && (host.p[host.n - 1] == '.' || host.p[host.n - 1] == ':'))
		host.n--;
	return host;
}

/* As it stands, and as it is looked up. */
static void name_host(struct yg_norm *n, struct yg_sv host)
{
	yg_norm_name(n, host);
	if (host.n == 0 || !odd_host(host))
		return;
	host = without_port(host);
	if (!name_plain_host(n, host))
		yg_norm_name(n, host);
}

/* Its host; of a text without a scheme only what is one. */
static void name_url(struct yg_norm *n, struct yg_sv url)
{
	struct yg_sv host = yg_url_authority(url);
	bool scheme = host.p != url.p;
	if (host.n == 0)
		return;
	bool plain = scheme && !odd_host(host);
	host = without_port(host);
	if (plain || (!name_plain_host(n, host) && scheme))
		yg_norm_name(n, host);
}

/* The address, and the name behind its '@'. */
static void name_mail(struct yg_norm *n, struct yg_sv mail)
{
	char text[YG_DOMAIN_MAX + 1];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	mail = yg_sv_trim(mail);
	const char *at = mail.n > 0 ? memrchr(mail.p, '@', mail.n) : NULL;
	yg_norm_name(n, mail);
	if (at == NULL || yg_domain_normalize(yg_sv_sub(mail, (size_t)(at - mail.p) + 1, mail.n),
					      &b, NULL) != YG_OK)
		return;
	struct yg_sv domain = keep_text(n, &b);
	struct yg_sv local = yg_sv_sub(mail, 0, (size_t)(at - mail.p) + 1);
	yg_norm_name(n, YG_NORM_JOIN(n, local, domain));
	add_name(n, domain);
}

static void name_hash(struct yg_norm *n, struct yg_sv hash)
{
	yg_norm_name(n, yg_sv_trim(hash));
}

static void name_each(struct yg_norm *n, const struct yg_strs *list,
		      void (*name)(struct yg_norm *n, struct yg_sv s))
{
	for (uint32_t i = 0; i < list->n; i++)
		name(n, list->v[i]);
}

static void name_base(struct yg_norm *n, struct yg_sv path) /* the last part of a path */
{
	size_t at = path.n;
	while (at > 0 && path.p[at - 1] != '/' && path.p[at - 1] != '\\')
		at--;
	yg_norm_name(n, yg_sv_sub(path, at, path.n));
}

static void finish(struct yg_norm *n, struct yg_event *ev)
{
	if (ev->time < 0 || ev->time >= (DAYS_MAX + 1) * YG_US_PER_DAY) {
		ev->time = 0;
		n->bad_time = true;
	}
	if (ev->time == 0) {
		ev->time = n->received.us;
		if (n->bad_time && ev->parse_error.n == 0)
			ev->parse_error = YG_SV("time not understood: received time used");
	}
	name_ip(n, ev->src_ip);
	name_ip(n, ev->dst_ip);
	const struct yg_sv *hosts[] = {&ev->query, &ev->dst_host, &ev->src_host};
	for (size_t i = 0; i < YG_LEN(hosts); i++)
		if (hosts[i]->n > 0)
			name_host(n, *hosts[i]);
	const struct yg_sv *words[] = {&ev->host, &ev->user, &ev->target_user, &ev->ja3};
	for (size_t i = 0; i < YG_LEN(words); i++)
		if (words[i]->n > 0)
			yg_norm_name(n, *words[i]);
	if (ev->url.n > 0)
		name_url(n, ev->url);
	if (ev->referrer.n > 0)
		name_url(n, ev->referrer);
	if (ev->mail_from.n > 0)
		name_mail(n, ev->mail_from);
	name_each(n, &ev->answers, name_host);
	name_each(n, &ev->mail_to, name_mail);
	name_each(n, &ev->hashes, name_hash);
	const struct yg_sv *paths[] = {&ev->process, &ev->parent_process, &ev->file_path};
	for (size_t i = 0; i < YG_LEN(paths); i++)
		if (paths[i]->n > 0)
			name_base(n, *paths[i]);
	if (n->name_count == 0)
		return;
	size_t bytes = n->name_count * sizeof *n->names;
	struct yg_sv *v = yg_arena_alloc(&n->arena, bytes, alignof(struct yg_sv));
	if (v == NULL)
		return;
	memcpy(v, n->names, bytes);
	ev->names = (struct yg_strs){v, n->name_count};
}
