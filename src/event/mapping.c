#include "event/mapping.h"

#include <stdlib.h>

#include "event/node.h"
#include "event/norm.h"

enum as {
	AS_TYPE,
	AS_TEXT,
	AS_RFC3339,
	AS_EPOCH_S,
	AS_EPOCH_MS,
	AS_EPOCH_US,
	AS_EPOCH_NS,
	AS_PATTERN,
	AS_SECONDS,
	AS_MILLISECONDS,
	AS_MICROSECONDS,
	AS_DOMAIN,
	AS_LOWER,
	AS_UPPER,
	AS_EMAIL
};
static const struct {
	struct yg_sv name;
	uint8_t as;
	bool time; /* only for times */
} conversions[] = {
	{YG_SV_INIT("text"), AS_TEXT, false},
	{YG_SV_INIT("rfc3339"), AS_RFC3339, true},
	{YG_SV_INIT("epoch_s"), AS_EPOCH_S, true},
	{YG_SV_INIT("epoch_ms"), AS_EPOCH_MS, true},
	{YG_SV_INIT("epoch_us"), AS_EPOCH_US, true},
	{YG_SV_INIT("epoch_ns"), AS_EPOCH_NS, true},
	{YG_SV_INIT("strptime"), AS_PATTERN, true},
	{YG_SV_INIT("seconds"), AS_SECONDS, false},
	{YG_SV_INIT("milliseconds"), AS_MILLISECONDS, false},
	{YG_SV_INIT("microseconds"), AS_MICROSECONDS, false},
	{YG_SV_INIT("domain"), AS_DOMAIN, false},
	{YG_SV_INIT("lower"), AS_LOWER, false},
	{YG_SV_INIT("upper"), AS_UPPER, false},
	{YG_SV_INIT("email"), AS_EMAIL, false},
};

static const struct {
	struct yg_sv name, number;
} classes[] = {
#define X(id, uid, caption) {YG_SV_INIT(caption), YG_SV_INIT(#uid)},
	YG_OCSF_CLASSES(X)
#undef X
};

struct value {
	struct yg_sv from, to;
};
struct entry { /* one member of "fields", or of "set" when it has no paths and no template */
	uint8_t field, as;
	struct yg_sv *paths;
	size_t path_count;
	struct yg_sv template, format, fallback, split;
	bool has_fallback;
	yg_span zone;
	struct value *values;
	size_t value_count;
};
struct yg_mapping {
	struct yg_arena arena; /* holds all of it */
	struct entry *entries;
	size_t count;
	struct yg_sv *require;
	size_t require_count;
};

/* ---- reading the file ---- */

struct reader {
	struct yg_mapping *m;
	struct yg_json json;
	struct yg_sv text;
	const char *file;
	struct yg_err *err;
	bool no_memory; /* a text was lost, so what was read is not what the file says */
};

/* "fw.json:3:12: fields.time: ..." */
static yg_status fail_at(struct reader *r, uint32_t node, const char *what, struct yg_sv name,
			 const char *expected)
{
	size_t line = 1, column = 1, at = YG_MIN((size_t)yg_json_at(&r->json, node)->at, r->text.n);
	char quoted[64];
	struct yg_sb b = yg_sb_init(quoted, sizeof quoted);
	for (size_t i = 0; i < at; i++) {
		column = r->text.p[i] == '\n' ? 1 : column + 1;
		line += r->text.p[i] == '\n';
	}
	yg_sb_put_untrusted(&b, yg_sv_sub(name, 0, 40));
	return YG_FAIL(r->err, YG_PARSE, "%s:%zu:%zu: %s%s%s: expected %s", r->file, line, column,
		       what, name.n > 0 ? "." : "", yg_sb_cstr(&b), expected);
}

static struct yg_sv text_of(struct reader *r, uint32_t node)
{
	struct yg_sv s = yg_json_str(&r->json, node, &r->m->arena);
	struct yg_sv copy = s.p != NULL ? yg_arena_dup(&r->m->arena, s) : s;
	r->no_memory = r->no_memory || copy.p == NULL;
	return copy.p != NULL ? copy : YG_SV("");
}

static bool is_scalar(const struct reader *r, uint32_t node)
{
	uint8_t type = yg_json_at(&r->json, node)->type;
	return type == YG_JSON_STRING || type == YG_JSON_NUMBER;
}

/* A class may be named as well as numbered. */
static struct yg_sv class_number(struct yg_sv s)
{
	for (size_t i = 0; i < YG_LEN(classes); i++)
		if (yg_sv_eq(s, classes[i].name))
			return classes[i].number;
	return s;
}

/* A constant for a column, checked as far as its type says. */
static yg_status constant(struct reader *r, uint32_t node, unsigned field, struct yg_sv name,
			  struct yg_sv *out)
{
	uint64_t v;
	struct yg_ip ip;
	if (!is_scalar(r, node))
		return fail_at(r, node, "value for", name, "a string or a number");
	*out = text_of(r, node);
	if (field == YG_EF_class_uid)
		*out = class_number(*out);
	switch (yg_event_fields[field].type) {
	case YG_ET_U8:
	case YG_ET_U16:
	case YG_ET_U32:
	case YG_ET_U64:
		if (yg_parse_u64(*out, &v, NULL) != YG_OK)
			return fail_at(r, node, "value for", name,
				       field == YG_EF_class_uid ? "an OCSF class, by number or name"
								: "a number");
		return YG_OK;
	case YG_ET_IP:
		return yg_ip_parse(*out, &ip) == YG_OK
			       ? YG_OK
			       : fail_at(r, node, "value for", name, "an address");
	default: return YG_OK;
	}
}

static yg_status find_field(struct reader *r, uint32_t key, const char *part, unsigned *out)
{
	struct yg_sv name = text_of(r, key);
	for (unsigned i = YG_EF_time; i < YG_EF_names; i++) {
		if (!yg_sv_eq(name, yg_sv_of(yg_event_fields[i].name)))
			continue;
		*out = i;
		return YG_OK;
	}
	return fail_at(r, key, part, name,
		       "the name of an event's column, such as time, src_ip or query");
}

static yg_status read_paths(struct reader *r, uint32_t node, struct yg_sv name, struct yg_sv **out,
			    size_t *out_n)
{
	const struct yg_json_node *v = yg_json_at(&r->json, node);
	bool list = v->type == YG_JSON_ARRAY;
	uint32_t count = list ? v->n : 1, at = list ? node + 1 : node;
	if (count == 0 || count > YG_MAPPING_PATHS_MAX)
		return fail_at(r, node, "fields", name, "1 to 16 paths");
	struct yg_sv *paths = YG_NEW_N(&r->m->arena, struct yg_sv, count);
	if (paths == NULL)
		return YG_FAIL(r->err, YG_NOMEM, "%s: mapping is too large", r->file);
	for (uint32_t i = 0; i < count; i++, at = yg_json_at(&r->json, at)->next) {
		if (yg_json_at(&r->json, at)->type != YG_JSON_STRING ||
		    yg_json_at(&r->json, at)->n == 0)
			return fail_at(r, at, "fields", name,
				       "a path as a string, such as \"source.ip\"");
		paths[i] = text_of(r, at);
	}
	*out = paths;
	*out_n = count;
	return YG_OK;
}

static yg_status read_values(struct reader *r, uint32_t node, struct yg_sv name, struct entry *e)
{
	const struct yg_json_node *v = yg_json_at(&r->json, node);
	if (v->type != YG_JSON_OBJECT || v->n > YG_MAPPING_VALUES_MAX)
		return fail_at(r, node, "values of", name, "an object of at most 1024 members");
	e->value_count = 0; /* a second table takes the place of the first */
	e->values = YG_NEW_N(&r->m->arena, struct value, v->n > 0 ? v->n : 1);
	if (e->values == NULL)
		return YG_FAIL(r->err, YG_NOMEM, "%s: mapping is too large", r->file);
	for (uint32_t k = node + 1; k < v->next; k = yg_json_at(&r->json, k + 1)->next) {
		struct value *x = &e->values[e->value_count++];
		x->from = text_of(r, k);
		yg_status st = constant(r, k + 1, e->field, name, &x->to);
		if (st != YG_OK)
			return st;
	}
	return YG_OK;
}

/* "+09:00" */
static yg_status read_zone(struct reader *r, uint32_t node, struct yg_sv name, struct entry *e)
{
	struct yg_sv s = text_of(r, node);
	yg_wall t;
	char text[40];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_put(&b, YG_SV("2000-01-02T00:00:00"));
	yg_sb_put(&b, s);
	if (s.n != 6 || yg_time_parse(yg_sb_sv(&b), &t, NULL) != YG_OK)
		return fail_at(r, node, "zone of", name, "an offset such as \"+09:00\"");
	e->zone = (yg_span){946771200LL * YG_US_PER_S - t.us};
	return YG_OK;
}

static yg_status read_as(struct reader *r, uint32_t node, struct yg_sv name, struct entry *e)
{
	struct yg_sv s = text_of(r, node);
	for (size_t i = 0; i < YG_LEN(conversions); i++) {
		if (!yg_sv_eq(s, conversions[i].name))
			continue;
		if (conversions[i].time && yg_event_fields[e->field].type != YG_ET_I64)
			return fail_at(r, node, "as of", name,
				       "no conversion of times, for this is none");
		e->as = conversions[i].as;
		return YG_OK;
	}
	return fail_at(
		r, node, "as of", name,
		"text, rfc3339, epoch_s, epoch_ms, epoch_us, epoch_ns, strptime, seconds, milliseconds, microseconds, "
		"domain, lower, upper or email");
}

/* One member of {"from": ..., "as": ...}. */
static yg_status read_option(struct reader *r, uint32_t key, struct yg_sv name, struct entry *e)
{
	struct yg_sv option = text_of(r, key);
	uint32_t node = key + 1;
	if (YG_SV_IS(option, "from"))
		return read_paths(r, node, name, &e->paths, &e->path_count);
	if (YG_SV_IS(option, "values"))
		return read_values(r, node, name, e);
	if (YG_SV_IS(option, "default")) {
		e->has_fallback = true;
		return constant(r, node, e->field, name, &e->fallback);
	}
	if (yg_json_at(&r->json, node)->type != YG_JSON_STRING ||
	    yg_json_at(&r->json, node)->n == 0)
		return fail_at(r, node, "fields", name, "a string that is not empty");
	if (YG_SV_IS(option, "as"))
		return read_as(r, node, name, e);
	if (YG_SV_IS(option, "zone"))
		return read_zone(r, node, name, e);
	if (YG_SV_IS(option, "format")) {
		e->format = text_of(r, node);
		e->as = AS_PATTERN;
		return yg_event_fields[e->field].type == YG_ET_I64
			       ? YG_OK
			       : fail_at(r, node, "format of", name,
					 "no format, for this is no time");
	}
	if (YG_SV_IS(option, "template")) {
		e->template = text_of(r, node);
		return YG_OK;
	}
	if (YG_SV_IS(option, "split")) {
		e->split = text_of(r, node);
		return e->split.n == 1 && yg_event_fields[e->field].type == YG_ET_STRS
			       ? YG_OK
			       : fail_at(r, node, "split of", name,
					 "one character, for a list column");
	}
	return fail_at(r, key, "fields", name,
		       "from, as, format, zone, values, default, template or split");
}

static yg_status read_field(struct reader *r, uint32_t key)
{
	struct entry *e = &r->m->entries[r->m->count];
	unsigned field = 0;
	uint32_t node = key + 1;
	const struct yg_json_node *v = yg_json_at(&r->json, node);
	yg_status st = find_field(r, key, "fields", &field);
	if (st != YG_OK)
		return st;
	struct yg_sv name = yg_sv_of(yg_event_fields[field].name);
	e->field = (uint8_t)field;
	if (v->type != YG_JSON_OBJECT) {
		st = read_paths(r, node, name, &e->paths, &e->path_count);
	} else {
		for (uint32_t k = node + 1; k < v->next && st == YG_OK;
		     k = yg_json_at(&r->json, k + 1)->next)
			st = read_option(r, k, name, e);
		if (st == YG_OK && e->path_count == 0 && e->template.n == 0)
			st = fail_at(r, node, "fields", name, "from or template");
		if (st == YG_OK && e->as == AS_PATTERN && e->format.n == 0)
			st = fail_at(r, node, "fields", name,
				     "a format beside \"as\": \"strptime\"");
	}
	r->m->count += st == YG_OK;
	return st;
}

static yg_status read_constant(struct reader *r, uint32_t key)
{
	struct entry *e = &r->m->entries[r->m->count];
	unsigned field = 0;
	yg_status st = find_field(r, key, "set", &field);
	if (st != YG_OK)
		return st;
	e->field = (uint8_t)field;
	e->has_fallback = true;
	st = constant(r, key + 1, field, yg_sv_of(yg_event_fields[field].name), &e->fallback);
	r->m->count += st == YG_OK;
	return st;
}

static yg_status read_members(struct reader *r, uint32_t node, const char *what,
			      yg_status (*read)(struct reader *, uint32_t))
{
	const struct yg_json_node *v = yg_json_at(&r->json, node);
	yg_status st =
		v->type == YG_JSON_OBJECT ? YG_OK : fail_at(r, node, what, YG_SV(""), "an object");
	for (uint32_t k = node + 1; st == YG_OK && k < v->next;
	     k = yg_json_at(&r->json, k + 1)->next) {
		if (r->m->count == 2 * YG_EVENT_FIELD_COUNT)
			return fail_at(r, k, what, YG_SV(""), "each column once");
		st = read(r, k);
	}
	return st;
}

static yg_status read_document(struct reader *r)
{
	const struct yg_json_node *root = yg_json_at(&r->json, 0);
	uint32_t set = 0, fields = 0;
	yg_status st = YG_OK;
	if (root->type != YG_JSON_OBJECT)
		return fail_at(r, 0, "mapping", YG_SV(""), "one JSON object");
	for (uint32_t k = 1; k < root->next && st == YG_OK; k = yg_json_at(&r->json, k + 1)->next) {
		struct yg_sv key = text_of(r, k);
		if (YG_SV_IS(key, "set"))
			set = k + 1;
		else if (YG_SV_IS(key, "fields"))
			fields = k + 1;
		else if (YG_SV_IS(key, "require"))
			st = read_paths(r, k + 1, YG_SV("require"), &r->m->require,
					&r->m->require_count);
		else if (!YG_SV_IS(key, "about"))
			st = fail_at(r, k, "mapping", key, "about, set, fields or require");
	}
	if (st == YG_OK && set != 0) /* first, so that a field that is there wins */
		st = read_members(r, set, "set", read_constant);
	if (st == YG_OK && fields == 0)
		st = fail_at(r, 0, "mapping", YG_SV(""), "a member \"fields\"");
	return st == YG_OK ? read_members(r, fields, "fields", read_field) : st;
}

yg_status yg_mapping_read(struct yg_sv text, const char *file_name, struct yg_mapping **out,
			  struct yg_err *err)
{
	struct reader r = {.text = text, .file = file_name, .err = err};
	if (text.n > YG_MAPPING_BYTES_MAX)
		return YG_FAIL(err, YG_TOOBIG, "%s: a mapping has at most %d bytes", file_name,
			       YG_MAPPING_BYTES_MAX);
	r.m = calloc(1, sizeof *r.m);
	if (r.m == NULL)
		return YG_FAIL(err, YG_NOMEM, "%s: no memory", file_name);
	yg_arena_init(&r.m->arena, 8 * YG_MAPPING_BYTES_MAX);
	yg_json_init(&r.json, YG_JSON_NODES_MAX);
	r.m->entries = YG_NEW_N(&r.m->arena, struct entry, 2 * YG_EVENT_FIELD_COUNT);
	yg_status st = r.m->entries != NULL ? yg_json_parse(&r.json, text, err) : YG_NOMEM;
	if (st != YG_OK && r.m->entries != NULL)
		(void)yg_err_wrap(err, "%s: ", file_name);
	if (st == YG_OK)
		st = read_document(&r);
	if (r.no_memory)
		st = YG_FAIL(err, YG_NOMEM, "%s: mapping is too large", file_name);
	yg_json_free(&r.json);
	if (st != YG_OK) {
		yg_mapping_free(r.m);
		return st;
	}
	*out = r.m;
	return YG_OK;
}

void yg_mapping_free(struct yg_mapping *m)
{
	if (m == NULL)
		return;
	yg_arena_free(&m->arena);
	free(m);
}

/* ---- times by pattern ---- */

struct when {
	int64_t year;
	unsigned month, day, hour, minute, second, us, day_of_year;
	bool has_zone, has_epoch, twelve, pm;
	int64_t zone_us, epoch;
};

static bool digits(struct yg_sv *s, size_t most, int64_t min, int64_t max, int64_t *out)
{
	size_t n = 0;
	int64_t v = 0;
	while (n < most && n < s->n && s->p[n] >= '0' && s->p[n] <= '9')
		v = v * 10 + (s->p[n++] - '0');
	*s = yg_sv_sub(*s, n, s->n);
	*out = v;
	return n > 0 && v >= min && v <= max;
}

static void blanks(struct yg_sv *s)
{
	while (s->n > 0 && (s->p[0] == ' ' || s->p[0] == '\t' || s->p[0] == '\n'))
		*s = yg_sv_sub(*s, 1, s->n);
}

/* A name by its first three letters; its rest is passed over. */
static bool name_of(struct yg_sv *s, const char *names, unsigned count, unsigned *out)
{
	for (unsigned i = 0; s->n >= 3 && i < count; i++) {
		if (!yg_sv_ieq(yg_sv_sub(*s, 0, 3), (struct yg_sv){names + (size_t)i * 3, 3}))
			continue;
		*out = i + 1;
		size_t n = 3;
		while (n < s->n && ((s->p[n] | 0x20) >= 'a' && (s->p[n] | 0x20) <= 'z'))
			n++;
		*s = yg_sv_sub(*s, n, s->n);
		return true;
	}
	return false;
}

static bool zone_of(struct yg_sv *s, struct when *w)
{
	int64_t hours, minutes = 0;
	w->has_zone = true;
	if (s->n > 0 && (s->p[0] == 'Z' || s->p[0] == 'z')) {
		*s = yg_sv_sub(*s, 1, s->n);
		return true;
	}
	if (s->n == 0 || (s->p[0] != '+' && s->p[0] != '-'))
		return false;
	bool minus = s->p[0] == '-';
	*s = yg_sv_sub(*s, 1, s->n);
	if (!digits(s, 2, 0, 23, &hours))
		return false;
	if (s->n > 0 && s->p[0] == ':')
		*s = yg_sv_sub(*s, 1, s->n);
	if (s->n > 0 && s->p[0] >= '0' && s->p[0] <= '9' && !digits(s, 2, 0, 59, &minutes))
		return false;
	w->zone_us = (hours * 3600 + minutes * 60) * YG_US_PER_S * (minus ? -1 : 1);
	return true;
}

static bool fraction(struct yg_sv *s, struct when *w)
{
	size_t n = 0;
	unsigned unit = 100000;
	w->us = 0;
	for (; n < 9 && n < s->n && s->p[n] >= '0' && s->p[n] <= '9'; n++, unit /= 10)
		w->us += unit * (unsigned)(s->p[n] - '0');
	*s = yg_sv_sub(*s, n, s->n);
	return n > 0;
}

static bool take_number(char sign, struct yg_sv *s, struct when *w)
{
	static const struct {
		char sign;
		uint8_t digits;
		int16_t min, max;
		size_t at;
	} numbers[] = {{'m', 2, 1, 12, offsetof(struct when, month)},
		       {'d', 2, 1, 31, offsetof(struct when, day)},
		       {'e', 2, 1, 31, offsetof(struct when, day)},
		       {'H', 2, 0, 23, offsetof(struct when, hour)},
		       {'I', 2, 1, 12, offsetof(struct when, hour)},
		       {'M', 2, 0, 59, offsetof(struct when, minute)},
		       {'S', 2, 0, 60, offsetof(struct when, second)},
		       {'j', 3, 1, 366, offsetof(struct when, day_of_year)}};
	int64_t v;
	if (sign == 'e')
		blanks(s);
	for (size_t i = 0; i < YG_LEN(numbers); i++) {
		if (numbers[i].sign != sign)
			continue;
		if (!digits(s, numbers[i].digits, numbers[i].min, numbers[i].max, &v))
			return false;
		*(unsigned *)(void *)((char *)w + numbers[i].at) = (unsigned)v;
		w->twelve = w->twelve || sign == 'I';
		return true;
	}
	return false;
}

static bool take_sign(char sign, struct yg_sv *s, struct when *w)
{
	unsigned weekday;
	switch (sign) {
	case 'Y': return digits(s, 4, 0, 9999, &w->year);
	case 'y':
		if (!digits(s, 2, 0, 99, &w->year))
			return false;
		w->year += w->year < 69 ? 2000 : 1900; /* as POSIX has it */
		return true;
	case 'b':
	case 'B': return name_of(s, "JanFebMarAprMayJunJulAugSepOctNovDec", 12, &w->month);
	case 'a':
	case 'A': return name_of(s, "MonTueWedThuFriSatSun", 7, &weekday);
	case 'p':
		w->pm = s->n >= 2 && (s->p[0] | 0x20) == 'p';
		if (s->n < 2 || (s->p[1] | 0x20) != 'm' || (!w->pm && (s->p[0] | 0x20) != 'a'))
			return false;
		*s = yg_sv_sub(*s, 2, s->n);
		return true;
	case 'f': return fraction(s, w);
	case 'z': return zone_of(s, w);
	case 's': w->has_epoch = true; return digits(s, 12, 0, 999999999999, &w->epoch);
	case 'n':
	case 't': blanks(s); return true;
	case '%':
		if (s->n == 0 || s->p[0] != '%')
			return false;
		*s = yg_sv_sub(*s, 1, s->n);
		return true;
	default: return take_number(sign, s, w);
	}
}

/* "%T" and "%F": three numbers with a sign between them. */
static bool take_group(const char signs[static 5], struct yg_sv *s, struct when *w)
{
	for (size_t i = 0; i < 5; i++) {
		if (i % 2 == 0) {
			if (!take_sign(signs[i], s, w))
				return false;
			continue;
		}
		if (s->n == 0 || s->p[0] != signs[i])
			return false;
		*s = yg_sv_sub(*s, 1, s->n);
	}
	return true;
}

static bool take_pattern(struct yg_sv p, struct yg_sv *s, struct when *w)
{
	for (size_t i = 0; i < p.n; i++) {
		char c = p.p[i];
		bool ok;
		if (c == ' ') {
			blanks(s);
			continue;
		}
		if (c == '%' && i + 1 < p.n) {
			c = p.p[++i];
			ok = c == 'T'   ? take_group("H:M:S", s, w)
			     : c == 'F' ? take_group("Y-m-d", s, w)
					: take_sign(c, s, w);
		} else {
			ok = s->n > 0 && s->p[0] == c;
			*s = yg_sv_sub(*s, ok, s->n);
		}
		if (!ok)
			return false;
	}
	return s->n == 0;
}

yg_status yg_time_by_pattern(struct yg_sv pattern, struct yg_sv text, yg_span zone, yg_wall *out)
{
	struct when w = {.year = 1970, .month = 1, .day = 1};
	int64_t y;
	unsigned m, d;
	text = yg_sv_trim(text);
	if (!take_pattern(pattern, &text, &w))
		return YG_PARSE;
	if (w.has_epoch) {
		out->us = w.epoch * YG_US_PER_S + w.us;
		return YG_OK;
	}
	if (w.twelve)
		w.hour = w.hour % 12 + (w.pm ? 12 : 0);
	int64_t days = w.day_of_year > 0 ? yg_days_from_civil(w.year, 1, 1) + w.day_of_year - 1
					 : yg_days_from_civil(w.year, w.month, w.day);
	yg_civil_from_days(days, &y, &m, &d);
	if (w.day_of_year == 0 && (m != w.month || d != w.day))
		return YG_PARSE;
	out->us = days * YG_US_PER_DAY +
		  ((int64_t)w.hour * 3600 + w.minute * 60 + w.second) * YG_US_PER_S + w.us -
		  (w.has_zone ? w.zone_us : zone.us);
	return YG_OK;
}

/* ---- records ---- */

/* Digits, perhaps with a fraction, in units of 10^-power seconds. */
static bool scaled(struct yg_sv s, int power, int64_t *out_us)
{
	int64_t us;
	size_t dot = yg_sv_find(s, '.', 0);
	if (power == 0)
		return yg_norm_seconds(s, out_us) == YG_OK;
	if (yg_parse_i64(yg_sv_sub(s, 0, dot), &us, NULL) != YG_OK)
		return false;
	if (power == 9)
		us /= 1000;
	else if (power == 3 && __builtin_mul_overflow(us, (int64_t)1000, &us))
		return false;
	*out_us = us;
	return true;
}

static bool as_time(const struct entry *e, struct yg_sv text, int64_t *out)
{
	yg_wall t;
	switch ((enum as)e->as) {
	case AS_EPOCH_S:
	case AS_SECONDS: return scaled(text, 0, out);
	case AS_EPOCH_MS:
	case AS_MILLISECONDS: return scaled(text, 3, out);
	case AS_EPOCH_US:
	case AS_MICROSECONDS: return scaled(text, 6, out);
	case AS_EPOCH_NS: return scaled(text, 9, out);
	case AS_PATTERN:
		if (yg_time_by_pattern(e->format, text, e->zone, &t) != YG_OK)
			return false;
		*out = t.us;
		return true;
	default:
		if (yg_norm_time(text, out) != YG_OK)
			return false;
		bool bare =
			text.n >= 19 && text.p[4] == '-' && yg_sv_find(text, 'Z', 0) == text.n &&
			yg_sv_find(text, '+', 19) == text.n && yg_sv_find(text, '-', 19) == text.n;
		*out -= bare ? e->zone.us : 0;
		return true;
	}
}

static struct yg_sv upper(struct yg_norm *n, struct yg_sv s)
{
	struct yg_sv up = yg_arena_dup(&n->arena, s);
	char *p = yg_arena_alloc(&n->arena, s.n, 1);
	if (up.p == NULL || p == NULL)
		return YG_SV("");
	for (size_t i = 0; i < s.n; i++)
		p[i] = (char)(s.p[i] >= 'a' && s.p[i] <= 'z' ? s.p[i] - 32 : s.p[i]);
	return (struct yg_sv){p, s.n};
}

static void put_one(struct yg_norm *n, struct yg_event *ev, const struct entry *e,
		    struct yg_sv text)
{
	static const uint8_t ops[] = {
		[AS_DOMAIN] = YG_OP_DOMAIN, [AS_LOWER] = YG_OP_LOWER, [AS_EMAIL] = YG_OP_EMAIL};
	const struct yg_event_field_info *info = &yg_event_fields[e->field];
	if (info->type == YG_ET_I64) {
		int64_t us;
		if (as_time(e, text, &us))
			*(int64_t *)(void *)((char *)ev + info->offset) = us;
		else
			n->bad_time = n->bad_time || e->field == YG_EF_time;
		return;
	}
	if (e->as == AS_UPPER)
		text = upper(n, text);
	unsigned op = e->as < YG_LEN(ops) ? ops[e->as] : YG_OP_SET;
	if (op == 0)
		op = e->field == YG_EF_query || e->field == YG_EF_dst_host ||
				     e->field == YG_EF_src_host
			     ? YG_OP_DOMAIN
		     : e->field == YG_EF_hashes || e->field == YG_EF_proto      ? YG_OP_LOWER
		     : e->field == YG_EF_mail_from || e->field == YG_EF_mail_to ? YG_OP_EMAIL
										: YG_OP_SET;
	yg_norm_put(n, ev, e->as == AS_TEXT ? (unsigned)YG_OP_SET : op, e->field, text);
}

static void put_text(struct yg_norm *n, struct yg_event *ev, const struct entry *e,
		     struct yg_sv text)
{
	for (size_t i = 0; i < e->value_count; i++) {
		if (yg_sv_eq(text, e->values[i].from)) {
			yg_norm_put(n, ev, YG_OP_SET, e->field, e->values[i].to);
			return;
		}
	}
	if (e->value_count > 0) { /* a table decides alone */
		if (e->has_fallback)
			yg_norm_put(n, ev, YG_OP_SET, e->field, e->fallback);
		return;
	}
	struct yg_sv part;
	if (e->split.n == 1)
		while (text.n > 0 && yg_sv_cut(&text, e->split.p[0], &part))
			put_one(n, ev, e, yg_sv_trim(part));
	else
		put_one(n, ev, e, text);
}

static struct yg_sv scalar_text(struct yg_norm *n, uint32_t node)
{
	uint8_t type = yg_json_at(&n->json, node)->type;
	if (type == YG_JSON_TRUE)
		return YG_SV("true");
	if (type == YG_JSON_FALSE)
		return YG_SV("false");
	return yg_node_text(n, node);
}

/* "https://{host}{path}": empty when a part is missing. */
static struct yg_sv fill_template(struct yg_norm *n, struct yg_sv t)
{
	struct yg_sv parts[32];
	size_t count = 0;
	while (t.n > 0 && count < YG_LEN(parts)) {
		size_t open = yg_sv_find(t, '{', 0), close = yg_sv_find(t, '}', open);
		if (open > 0)
			parts[count++] = yg_sv_sub(t, 0, open);
		if (close >= t.n || count == YG_LEN(parts))
			break;
		uint32_t node = yg_json_path(&n->json, 0, yg_sv_sub(t, open + 1, close - open - 1));
		struct yg_sv s = node != 0 ? scalar_text(n, node) : YG_SV("");
		if (s.n == 0)
			return YG_SV("");
		parts[count++] = s;
		t = yg_sv_sub(t, close + 1, t.n);
	}
	return yg_norm_join(n, parts, count);
}

static void put_entry(struct yg_norm *n, struct yg_event *ev, const struct entry *e)
{
	uint32_t node = 0;
	for (size_t i = 0; i < e->path_count && node == 0; i++) {
		node = yg_json_path(&n->json, 0, e->paths[i]);
		if (node != 0 && yg_json_at(&n->json, node)->type == YG_JSON_NULL)
			node = 0;
	}
	struct yg_sv text =
		e->template.n > 0 && node == 0 ? fill_template(n, e->template) : YG_SV("");
	if (node == 0 && text.n == 0) {
		if (e->has_fallback)
			yg_norm_put(n, ev, YG_OP_SET, e->field, e->fallback);
		return;
	}
	if (node == 0) {
		put_text(n, ev, e, text);
		return;
	}
	const struct yg_json_node *v = yg_json_at(&n->json, node);
	if (v->type != YG_JSON_ARRAY) {
		put_text(n, ev, e, scalar_text(n, node));
		return;
	}
	uint32_t most = yg_event_fields[e->field].type == YG_ET_STRS ? YG_ARRAY_MAX : 1;
	for (uint32_t i = node + 1; i < v->next && most > 0;
	     i = yg_json_at(&n->json, i)->next, most--)
		put_text(n, ev, e, scalar_text(n, i));
}

static yg_status ndjson_record(struct yg_norm *n, struct yg_sv record, struct yg_event *ev,
			       struct yg_err *err)
{
	const struct yg_mapping *m = n->mapping;
	yg_status st = yg_norm_json(n, record, err);
	if (st != YG_OK)
		return st;
	for (size_t i = 0; i < m->require_count; i++) {
		if (yg_json_path(&n->json, 0, m->require[i]) == 0) {
			char name[64];
			struct yg_sb b = yg_sb_init(name, sizeof name);
			yg_sb_put_untrusted(&b, yg_sv_sub(m->require[i], 0, 40));
			return YG_FAIL(err, YG_PARSE, "it lacks \"%s\", which the mapping requires",
				       yg_sb_cstr(&b));
		}
	}
	for (size_t i = 0; i < m->count; i++)
		put_entry(n, ev, &m->entries[i]);
	return YG_OK;
}

static yg_status ndjson_init(struct yg_norm *n, struct yg_err *err)
{
	return n->mapping != NULL
		       ? YG_OK
		       : YG_FAIL(err, YG_INVAL, "source ndjson needs a mapping: ndjson:NAME");
}

const struct yg_norm_ops yg_norm_ndjson = {.init = ndjson_init, .record = ndjson_record};
