/* view.c - the record's own fields, our columns, and Sigma's names for both. */
#include "detect/view.h"

#include <stdio.h>
#include <stdlib.h>

#include "event/zeek_row.h"
#include "format/json.h"
#include "snapshot/hashset.h"

#define KINDS_KEPT  256 /* kinds of events of which it is remembered what they are */
#define ALIASES_MAX 64

struct kind { /* what all events of one log, code, class and program are */
	uint64_t hash;
	bool used;
	bool all; /* some rule looks for keywords, so into every value */
	struct yg_detect_logsource sources[YG_DETECT_SOURCES_MAX];
	size_t source_count;
	uint16_t aliases[ALIASES_MAX]; /* rows, of what is asked for */
	size_t alias_count;
};
struct name { /* of a row of the table, of a column */
	struct yg_sv to, from;
	uint32_t number; /* of `to` in the engine, and 1; 0: nobody asks for it */
};
struct yg_detect_view {
	enum yg_source source;
	const struct yg_detect_logsource *own;
	const struct yg_detect *only; /* borrowed; NULL: everything is made */
	struct name *rows;            /* owned; by row of yg_detect_field_rows */
	struct name columns[YG_EVENT_FIELD_COUNT];
	const struct kind *kind; /* of the event at hand */
	struct yg_hash_key key;
	const struct yg_norm *norm; /* borrowed; NULL: none */
	struct yg_json own_json;
	const struct yg_json *json; /* of the event at hand */
	struct yg_arena arena;
	struct yg_detect_pair *pairs; /* owned */
	size_t count, cap;
	bool nomem;
	struct kind kinds[KINDS_KEPT];
};

static void add_pair(struct yg_detect_view *v, struct yg_detect_pair pair)
{
	if (pair.value.p == NULL || pair.field.p == NULL) {
		v->nomem = true;
		return;
	}
	if (v->count == YG_DETECT_PAIRS_MAX)
		return;
	if (v->count == v->cap) {
		size_t cap = v->cap > 0 ? v->cap * 2 : 128;
		struct yg_detect_pair *more = reallocarray(v->pairs, cap, sizeof *more);
		if (more == NULL) {
			v->nomem = true;
			return;
		}
		v->pairs = more;
		v->cap = cap;
	}
	v->pairs[v->count++] = pair;
}

static void add(struct yg_detect_view *v, const struct name *as, struct yg_sv value)
{
	add_pair(v, (struct yg_detect_pair){.field = as->to, .value = value, .name = as->number});
}

static bool is_all(const struct yg_detect_view *v)
{
	return v->only == NULL || v->kind->all;
}

/* A field of the record: is it asked for, by this name or another? */
static bool is_asked(struct yg_detect_view *v, struct yg_sv field, struct name *out)
{
	const struct kind *k = v->kind;
	*out = (struct name){.to = field};
	if (field.p == NULL) {
		v->nomem = true;
		return false;
	}
	if (v->only != NULL)
		out->number = yg_detect_name(v->only, field);
	bool yes = out->number > 0 || is_all(v);
	for (size_t i = 0; !yes && i < k->alias_count; i++)
		yes = yg_sv_eq(v->rows[k->aliases[i]].from, field);
	return yes;
}

/* ---- the record ---- */

struct frame {
	uint32_t end; /* node behind it */
	bool object;
	struct yg_sv name; /* of what is in it: the path; of Windows events the last key */
};

static struct yg_sv join(struct yg_detect_view *v, struct yg_sv a, struct yg_sv b)
{
	if (a.n == 0)
		return b;
	char *p = yg_arena_alloc(&v->arena, a.n + 1 + b.n, 1);
	if (p == NULL)
		return (struct yg_sv){NULL, 0};
	memcpy(p, a.p, a.n);
	p[a.n] = '.';
	memcpy(p + a.n + 1, b.p, b.n);
	return (struct yg_sv){p, a.n + 1 + b.n};
}

static struct yg_sv text_of(struct yg_detect_view *v, uint32_t node)
{
	return node != 0 ? yg_json_str(v->json, node, &v->arena) : YG_SV("");
}

/* {"Name": "CommandLine", "#text": "..."} as renderings of Windows' XML have it. */
static bool named_data(struct yg_detect_view *v, uint32_t node)
{
	static const char *const names[] = {"@Name", "Name", "#attributes.Name", "$.Name"};
	static const char *const values[] = {"#text", "Value", "_"};
	uint32_t name = 0, value = 0;
	for (size_t i = 0; name == 0 && i < YG_LEN(names); i++)
		name = yg_json_path(v->json, node, yg_sv_of(names[i]));
	for (size_t i = 0; value == 0 && i < YG_LEN(values); i++)
		value = yg_json_get(v->json, node, yg_sv_of(values[i]));
	if (name == 0 || yg_json_at(v->json, name)->type != YG_JSON_STRING)
		return false;
	struct name as;
	if (is_asked(v, text_of(v, name), &as))
		add(v, &as, text_of(v, value));
	return true;
}

static struct yg_sv windows_name(struct yg_sv parent, struct yg_sv key)
{
	bool attributes = YG_SV_IS(key, "#attributes") || YG_SV_IS(key, "$");
	bool name = YG_SV_IS(key, "Name") || YG_SV_IS(key, "@Name");
	if (attributes)
		return parent;
	return name && YG_SV_IS(parent, "Provider") ? YG_SV("Provider_Name") : key;
}

/* One value named `name`; true: it is a container to go into. */
static bool take(struct yg_detect_view *v, uint32_t node, struct yg_sv name)
{
	const struct yg_json_node *n = yg_json_at(v->json, node);
	bool windows = v->source == YG_SOURCE_WINDOWS;
	struct name as;
	switch ((enum yg_json_type)n->type) {
	case YG_JSON_OBJECT:
		if (windows && YG_SV_IS(name, "Data") && named_data(v, node))
			return false;
		if (!windows && name.n > 0 && is_asked(v, name, &as))
			add(v, &as, yg_json_text(v->json, node));
		return true;
	case YG_JSON_ARRAY: return true;
	case YG_JSON_NULL:
		if (is_asked(v, name, &as))
			add_pair(v, (struct yg_detect_pair){name, YG_SV(""), true, as.number});
		return false;
	default:
		if (is_asked(v, name, &as))
			add(v, &as, text_of(v, node));
		return false;
	}
}

/* Every value of the record, without recursion. */
static void flatten(struct yg_detect_view *v)
{
	struct frame open[YG_JSON_DEPTH_MAX + 1];
	size_t depth = 0;
	uint32_t i = 0;
	struct yg_sv name = YG_SV("");
	for (;;) {
		const struct yg_json_node *n = yg_json_at(v->json, i);
		if (take(v, i, name) && depth < YG_LEN(open)) {
			open[depth++] = (struct frame){n->next, n->type == YG_JSON_OBJECT, name};
			i++;
		} else {
			i = n->next;
		}
		while (depth > 0 && i >= open[depth - 1].end)
			depth--;
		if (depth == 0)
			return;
		const struct frame *f = &open[depth - 1];
		name = f->name;
		if (f->object) {
			struct yg_sv key = text_of(v, i);
			name = v->source == YG_SOURCE_WINDOWS ? windows_name(f->name, key)
							      : join(v, f->name, key);
			i++;
		}
	}
}

static int hex_digit(char c) /* as auditd writes them; -1: none */
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Text with blanks, quotes or other scripts in it auditd writes as hexadecimal digits
 * without quotes; of proctitle a zero stands between two arguments. */
static struct yg_sv audit_text(struct yg_detect_view *v, struct yg_sv key, struct yg_sv value,
			       bool execve)
{
	static const struct yg_sv names[] = {
		YG_SV_INIT("comm"), YG_SV_INIT("exe"),       YG_SV_INIT("name"),
		YG_SV_INIT("cwd"),  YG_SV_INIT("proctitle"), YG_SV_INIT("cmd"),
		YG_SV_INIT("key"),  YG_SV_INIT("data"),      YG_SV_INIT("acct"),
		YG_SV_INIT("path"), YG_SV_INIT("dir"),       YG_SV_INIT("file")};
	bool is_text = execve && key.n > 1 && key.p[0] == 'a' && key.p[1] >= '0' && key.p[1] <= '9';
	for (size_t i = 0; !is_text && i < YG_LEN(names); i++)
		is_text = yg_sv_eq(key, names[i]);
	for (size_t i = 0; is_text && i < value.n; i++)
		is_text = hex_digit(value.p[i]) >= 0;
	char *to = is_text && value.n > 0 && value.n % 2 == 0
			   ? yg_arena_alloc(&v->arena, value.n / 2, 1)
			   : NULL;
	if (to == NULL)
		return value;
	for (size_t i = 0; i < value.n / 2; i++) {
		int c = hex_digit(value.p[2 * i]) << 4 | hex_digit(value.p[2 * i + 1]);
		to[i] = c != 0 ? (char)c : ' ';
	}
	return (struct yg_sv){to, value.n / 2};
}

/* "type=SYSCALL msg=audit(1.2:3): a0="x" comm=2F62" as auditd writes it. */
static void take_audit(struct yg_detect_view *v, struct yg_sv line)
{
	bool execve = yg_sv_starts(line, YG_SV("type=EXECVE "));
	size_t i = 0;
	while (i < line.n && v->count < YG_DETECT_PAIRS_MAX) {
		while (i < line.n && (line.p[i] == ' ' || line.p[i] == ':' || line.p[i] == '\x1d'))
			i++;
		size_t from = i;
		while (i < line.n && line.p[i] != '=' && line.p[i] != ' ')
			i++;
		if (i == line.n || line.p[i] != '=')
			continue;
		struct yg_sv key = yg_sv_sub(line, from, i - from);
		char quote = ++i < line.n ? line.p[i] : ' ';
		bool quoted = quote == '"' || quote == '\'';
		from = i + quoted;
		i = quoted ? yg_sv_find(line, quote, from)
			   : YG_MIN(yg_sv_find(line, ' ', i), yg_sv_find(line, '\x1d', i));
		struct yg_sv value = yg_sv_sub(line, from, i - from);
		struct name as;
		if (is_asked(v, key, &as))
			add(v, &as, quoted ? value : audit_text(v, key, value, execve));
		i += quoted;
	}
}

/* From the record's type on; empty: it is none of auditd. */
static struct yg_sv audit_line(struct yg_sv raw)
{
	const char *at = raw.n > 10 ? memmem(raw.p, raw.n, "msg=audit(", 10) : NULL;
	if (at == NULL)
		return YG_SV("");
	size_t from = (size_t)(at - raw.p), type = from;
	while (type > 0 && !yg_sv_starts(yg_sv_sub(raw, type, raw.n), YG_SV("type=")))
		type--;
	bool there = yg_sv_starts(yg_sv_sub(raw, type, raw.n), YG_SV("type="));
	return yg_sv_sub(raw, there ? type : from, raw.n);
}

/* ---- rows of Zeek's TSV ---- */

/* One value, written as Zeek's JSON writes it. */
static void take_zeek_value(struct yg_detect_view *v, const struct name *as, struct yg_sv type,
			    struct yg_sv value)
{
	if (YG_SV_IS(type, "bool"))
		value = YG_SV_IS(value, "T")   ? YG_SV("true")
			: YG_SV_IS(value, "F") ? YG_SV("false")
					       : value;
	value = yg_zeek_text(value, &v->arena);
	add(v, as, value.p != NULL ? value : YG_SV(""));
}

static void take_zeek(struct yg_detect_view *v, struct yg_zeek_row *row)
{
	const struct yg_zeek_header *h = &row->header;
	char by = h->set_separator.n > 0 ? h->set_separator.p[0] : ',';
	struct yg_sv field, type, value, part;
	while (yg_zeek_row_next(row, &field, &type, &value)) {
		struct name as;
		bool list = yg_zeek_is_list(type), empty = yg_sv_eq(value, h->empty);
		if (yg_sv_eq(value, h->unset) || (list && empty) || !is_asked(v, field, &as))
			continue;
		if (!list) {
			take_zeek_value(v, &as, type, empty ? YG_SV("") : value);
			continue;
		}
		size_t from = yg_sv_find(type, '[', 0) + 1; /* set[addr]: what is in it */
		type = yg_sv_sub(type, from, yg_sv_find(type, ']', from) - from);
		while (yg_sv_cut(&value, by, &part) && v->count < YG_DETECT_PAIRS_MAX)
			if (!yg_sv_eq(part, h->unset))
				take_zeek_value(v, &as, type,
						yg_sv_eq(part, h->empty) ? YG_SV("") : part);
	}
}

static bool is_json(const struct yg_event *ev)
{
	struct yg_sv s = yg_sv_trim(ev->raw);
	return s.n > 0 && s.p[0] == '{';
}

static void take_record(struct yg_detect_view *v, const struct yg_event *ev)
{
	struct yg_zeek_row row;
	v->json = v->norm != NULL ? yg_norm_tape(v->norm, ev) : NULL;
	if (v->json == NULL && is_json(ev) && yg_json_parse(&v->own_json, ev->raw, NULL) == YG_OK)
		v->json = &v->own_json;
	if (v->json != NULL)
		flatten(v);
	else if (v->source == YG_SOURCE_SYSLOG)
		take_audit(v, audit_line(ev->raw));
	else if (v->source == YG_SOURCE_ZEEK && yg_zeek_row_open(ev->raw, &row))
		take_zeek(v, &row);
}

/* ---- columns ---- */

static struct yg_sv number(struct yg_detect_view *v, int64_t n)
{
	char text[24];
	int len = snprintf(text, sizeof text, "%lld", (long long)n);
	return yg_arena_dup(&v->arena, (struct yg_sv){text, (size_t)len});
}

static int64_t integer_at(const struct yg_event *ev, const struct yg_event_field_info *f)
{
	const char *p = (const char *)ev + f->offset;
	uint64_t u64 = 0;
	uint32_t u32 = 0;
	uint16_t u16 = 0;
	switch (f->type) {
	case YG_ET_I64:
	case YG_ET_U64: memcpy(&u64, p, sizeof u64); return (int64_t)u64;
	case YG_ET_U32: memcpy(&u32, p, sizeof u32); return u32;
	case YG_ET_U16: memcpy(&u16, p, sizeof u16); return u16;
	default: return *(const uint8_t *)p;
	}
}

/* The column under a name; nothing when it is empty. */
static void take_column(struct yg_detect_view *v, const struct yg_event *ev, unsigned column,
			const struct name *as)
{
	const struct yg_event_field_info *f = &yg_event_fields[column];
	const char *p = (const char *)ev + f->offset;
	if (f->type == YG_ET_STR || f->type == YG_ET_LSTR) {
		struct yg_sv s;
		memcpy(&s, p, sizeof s);
		if (s.n > 0)
			add(v, as, s);
	} else if (f->type == YG_ET_STRS) {
		struct yg_strs list;
		memcpy(&list, p, sizeof list);
		for (uint32_t i = 0; i < list.n; i++)
			add(v, as, list.v[i]);
	} else if (f->type == YG_ET_IP) {
		static const struct yg_ip none;
		char text[YG_IP_TEXT_MAX];
		struct yg_sb b = yg_sb_init(text, sizeof text);
		struct yg_ip ip;
		memcpy(&ip, p, sizeof ip);
		if (memcmp(&ip, &none, sizeof ip) == 0)
			return;
		yg_ip_format(&b, ip);
		add(v, as, yg_arena_dup(&v->arena, yg_sb_sv(&b)));
	} else if (integer_at(ev, f) != 0) {
		add(v, as, number(v, integer_at(ev, f)));
	}
}

/* From the path on, of an absolute URL; any other text as it is. */
static struct yg_sv url_target(struct yg_sv url)
{
	const char *slashes = url.n > 3 ? memmem(url.p, url.n, "://", 3) : NULL;
	if (slashes == NULL || url.p[0] == '/')
		return url;
	size_t host = (size_t)(slashes - url.p) + 3;
	size_t at = YG_MIN(yg_sv_find(url, '/', host), yg_sv_find(url, '?', host));
	return at < url.n ? yg_sv_sub(url, at, url.n) : YG_SV("/");
}

static struct yg_sv url_extension(struct yg_sv path)
{
	size_t at = path.n;
	while (at > 0 && path.p[at - 1] != '.' && path.p[at - 1] != '/')
		at--;
	return at > 0 && path.p[at - 1] == '.' ? yg_sv_sub(path, at, path.n) : YG_SV("");
}

static void take_url(struct yg_detect_view *v, struct yg_sv url, enum yg_detect_part part,
		     const struct name *as)
{
	struct yg_sv target = url_target(url);
	size_t mark = yg_sv_find(target, '?', 0);
	struct yg_sv path = yg_sv_sub(target, 0, mark), extension = url_extension(path);
	if (url.n == 0)
		return;
	if (part == YG_PART_TARGET && target.n < url.n)
		add(v, as, url);
	if (part == YG_PART_QUERY && mark + 1 < target.n)
		add(v, as, yg_sv_sub(target, mark + 1, target.n));
	if (part == YG_PART_TARGET || part == YG_PART_QUERY)
		add(v, as, target);
	if (part == YG_PART_STEM)
		add(v, as, path);
	if (part == YG_PART_EXTENSION && extension.n > 0)
		add(v, as, extension);
}

/* Every column that holds something of the event itself and is asked for, under its own name. */
static void take_columns(struct yg_detect_view *v, const struct yg_event *ev)
{
	for (unsigned i = YG_EF_class_uid; i < YG_EF_names; i++)
		if (is_all(v) || v->columns[i].number > 0)
			take_column(v, ev, i, &v->columns[i]);
}

/* ---- tables ---- */

static bool has_code(const char *codes, struct yg_sv code)
{
	if (codes == NULL)
		return true;
	struct yg_sv rest = yg_sv_of(codes), one;
	while (rest.n > 0 && yg_sv_cut(&rest, ',', &one))
		if (one.n > 0 && yg_sv_eq(one, code))
			return true;
	return false;
}

static bool has_name(const char *want, struct yg_sv have)
{
	if (want == NULL)
		return true;
	struct yg_sv w = yg_sv_of(want);
	if (w.n > 0 && w.p[w.n - 1] == '*')
		return have.n >= w.n - 1 &&
		       yg_sv_ieq(yg_sv_sub(w, 0, w.n - 1), yg_sv_sub(have, 0, w.n - 1));
	return yg_sv_ieq(w, have);
}

static void find_kind(const struct yg_detect_view *v, const struct yg_event *ev, struct kind *k)
{
	k->source_count = k->alias_count = 0;
	if (v->own != NULL)
		k->sources[k->source_count++] = *v->own;
	for (const struct yg_detect_source_row *r = yg_detect_source_rows;
	     v->own == NULL && r->product != NULL; r++)
		if ((r->source == 0 || r->source == v->source) &&
		    (r->class_uid == 0 || r->class_uid == ev->class_uid) &&
		    has_name(r->log_name, ev->log_name) && has_name(r->app, ev->app) &&
		    has_code(r->codes, ev->event_code) && k->source_count < YG_DETECT_SOURCES_MAX)
			k->sources[k->source_count++] = (struct yg_detect_logsource){
				yg_sv_of(r->category), yg_sv_of(r->product), yg_sv_of(r->service)};
	k->all = v->only != NULL && yg_detect_keywords(v->only, k->sources, k->source_count);
	for (uint16_t i = 0; yg_detect_field_rows[i].to != NULL; i++) {
		const struct yg_detect_field_row *r = &yg_detect_field_rows[i];
		if ((r->source == 0 || r->source == v->source) &&
		    (r->class_uid == 0 || r->class_uid == ev->class_uid) &&
		    has_code(r->codes, ev->event_code) && k->alias_count < ALIASES_MAX &&
		    (v->only == NULL || k->all || v->rows[i].number > 0))
			k->aliases[k->alias_count++] = i;
	}
}

static const struct kind *kind_of(struct yg_detect_view *v, const struct yg_event *ev)
{
	uint64_t h = yg_hash_begin(&v->key, ev->class_uid);
	h = yg_hash_more(&v->key, h, ev->log_name.p, ev->log_name.n);
	h = yg_hash_more(&v->key, h, ev->event_code.p, ev->event_code.n);
	h = yg_hash_end(&v->key, yg_hash_more(&v->key, h, ev->app.p, ev->app.n));
	struct kind *k = &v->kinds[h % KINDS_KEPT];
	if (!k->used || k->hash != h) {
		find_kind(v, ev, k);
		k->used = true;
		k->hash = h;
	}
	return k;
}

static void take_alias(struct yg_detect_view *v, const struct yg_event *ev, size_t row, size_t own)
{
	const struct yg_detect_field_row *r = &yg_detect_field_rows[row];
	const struct name *as = &v->rows[row];
	for (size_t i = 0; i < v->count; i++)
		if (yg_sv_eq(v->pairs[i].field, as->to))
			return;
	if (r->from == NULL && r->part != YG_PART_ALL)
		take_url(v, ev->url, (enum yg_detect_part)r->part, as);
	else if (r->from == NULL)
		take_column(v, ev, r->column, as);
	for (size_t i = 0; r->from != NULL && i < own; i++)
		if (yg_sv_eq(v->pairs[i].field, as->from)) {
			struct yg_detect_pair pair = v->pairs[i];
			pair.field = as->to;
			pair.name = as->number;
			add_pair(v, pair);
		}
}

yg_status yg_detect_view_make(struct yg_detect_view *v, const struct yg_event *ev,
			      struct yg_detect_record *out, struct yg_err *err)
{
	const struct kind *k = v->kind = kind_of(v, ev);
	v->count = 0;
	v->nomem = false;
	yg_arena_reset(&v->arena);
	take_record(v, ev);
	size_t own = v->count;
	for (size_t i = 0; i < k->alias_count; i++)
		take_alias(v, ev, k->aliases[i], own);
	if (v->source != YG_SOURCE_WINDOWS)
		take_columns(v, ev);
	*out = (struct yg_detect_record){.sources = k->sources,
					 .source_count = k->source_count,
					 .pairs = v->pairs,
					 .count = v->count,
					 .raw = ev->raw,
					 .time = ev->time,
					 .names = v->only};
	return v->nomem ? YG_FAIL(err, YG_NOMEM, "no memory for the fields of an event") : YG_OK;
}

static bool make_names(struct yg_detect_view *v)
{
	size_t n = 0;
	while (yg_detect_field_rows[n].to != NULL)
		n++;
	v->rows = calloc(n + 1, sizeof *v->rows);
	for (size_t i = 0; v->rows != NULL && i < n; i++)
		v->rows[i] = (struct name){.to = yg_sv_of(yg_detect_field_rows[i].to),
					   .from = yg_sv_of(yg_detect_field_rows[i].from)};
	for (size_t i = 0; i < YG_EVENT_FIELD_COUNT; i++)
		v->columns[i].to = yg_sv_of(yg_event_fields[i].name);
	return v->rows != NULL;
}

yg_status yg_detect_view_new(enum yg_source source, const struct yg_detect_logsource *own,
			     const struct yg_env *env, struct yg_detect_view **out,
			     struct yg_err *err)
{
	struct yg_detect_view *v = calloc(1, sizeof *v);
	if (v == NULL || !make_names(v)) {
		free(v);
		return YG_FAIL(err, YG_NOMEM, "no memory for the fields of events");
	}
	v->source = source == YG_SOURCE_EVTX ? YG_SOURCE_WINDOWS : source;
	v->own = own;
	env->random(env->ctx, &v->key, sizeof v->key);
	yg_json_init(&v->own_json, YG_JSON_NODES_MAX);
	yg_arena_init(&v->arena, (size_t)64 << 20);
	*out = v;
	return YG_OK;
}

void yg_detect_view_only(struct yg_detect_view *v, const struct yg_detect *engine)
{
	v->only = engine;
	for (size_t i = 0; v->rows[i].to.n > 0; i++)
		v->rows[i].number = engine != NULL ? yg_detect_name(engine, v->rows[i].to) : 0;
	for (size_t i = 0; i < YG_EVENT_FIELD_COUNT; i++)
		v->columns[i].number =
			engine != NULL ? yg_detect_name(engine, v->columns[i].to) : 0;
	for (size_t i = 0; i < KINDS_KEPT; i++)
		v->kinds[i].used = false;
}

void yg_detect_view_follow(struct yg_detect_view *v, const struct yg_norm *norm)
{
	v->norm = norm;
}

void yg_detect_view_free(struct yg_detect_view *v)
{
	if (v == NULL)
		return;
	yg_json_free(&v->own_json);
	yg_arena_free(&v->arena);
	free(v->rows);
	free(v->pairs);
	free(v);
}
