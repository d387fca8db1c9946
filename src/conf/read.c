/* read.c - YAML by events into a yg_conf; no recursion, no tree. */
#include <unistd.h>
#include <yaml.h>

#include "conf/table.h"

#define PROBLEMS_MAX 100 /* more help nobody */

struct reader {
	yaml_parser_t parser;
	yaml_event_t event;
	bool have;   /* event is to be deleted */
	bool broken; /* the YAML itself ended in an error */
	struct yg_arena *arena;
	struct yg_conf *out;
	struct yg_conf_lines *lines;
	const char *file;
	yg_conf_report_fn *report;
	void *ctx;
	size_t problems;
};

static void problem(struct reader *r, size_t line, const char *key, const char *text)
{
	if (r->problems++ < PROBLEMS_MAX && r->report != NULL)
		r->report(r->ctx, r->file, line, key, text);
}

/* The next event; false at an error (reported) or the end of the stream. */
static bool next(struct reader *r)
{
	if (r->have)
		yaml_event_delete(&r->event);
	r->have = false;
	if (r->broken)
		return false;
	if (!yaml_parser_parse(&r->parser, &r->event)) {
		char text[200];
		struct yg_sb b = yg_sb_init(text, sizeof text);
		yg_sb_printf(&b, "not YAML: %s",
			     r->parser.problem != NULL ? r->parser.problem : "no memory");
		problem(r, r->parser.problem_mark.line + 1, "", yg_sb_cstr(&b));
		r->broken = true;
		return false;
	}
	r->have = true;
	return true;
}

static size_t line_of(const struct reader *r)
{
	return r->event.start_mark.line + 1;
}

/* Skips the value that begins with the current event. */
static void skip(struct reader *r)
{
	size_t depth = 0;
	do {
		yaml_event_type_t t = r->event.type;
		if (t == YAML_MAPPING_START_EVENT || t == YAML_SEQUENCE_START_EVENT)
			depth++;
		else if (t == YAML_MAPPING_END_EVENT || t == YAML_SEQUENCE_END_EVENT)
			depth--;
	} while (depth > 0 && next(r));
}

static struct yg_sv scalar(const struct reader *r)
{
	return (struct yg_sv){(const char *)r->event.data.scalar.value,
			      r->event.data.scalar.length};
}

static bool is_plain(const struct reader *r)
{
	return r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static bool is_null(const struct reader *r)
{
	struct yg_sv s = scalar(r);
	return r->event.type == YAML_SCALAR_EVENT && is_plain(r) &&
	       (s.n == 0 || YG_SV_IS(s, "~") || YG_SV_IS(s, "null") || YG_SV_IS(s, "Null") ||
		YG_SV_IS(s, "NULL"));
}

/* Anchors, aliases and tags make a file mean what it does not say; refused. */
static bool plain_node(struct reader *r, const char *key)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;
	switch (r->event.type) {
	case YAML_ALIAS_EVENT:
		problem(r, line_of(r), key, "aliases (*name) are not allowed");
		return false;
	case YAML_SCALAR_EVENT:
		anchor = r->event.data.scalar.anchor;
		tag = r->event.data.scalar.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = r->event.data.mapping_start.anchor;
		tag = r->event.data.mapping_start.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = r->event.data.sequence_start.anchor;
		tag = r->event.data.sequence_start.tag;
		break;
	default: return true;
	}
	if (anchor != NULL)
		problem(r, line_of(r), key, "anchors (&name) are not allowed");
	if (tag != NULL)
		problem(r, line_of(r), key, "tags (!name) are not allowed");
	return anchor == NULL && tag == NULL;
}

static const char *kind_of(const struct reader *r)
{
	switch (r->event.type) {
	case YAML_MAPPING_START_EVENT: return "keys below it";
	case YAML_SEQUENCE_START_EVENT:
		return "a list (text that begins with [ must stand in quotes)";
	case YAML_SCALAR_EVENT: return is_null(r) ? "nothing" : "a single value";
	default: return "something else";
	}
}

/* What other YAML readers take for a truth value, a number or nothing. */
static bool ambiguous(struct yg_sv s)
{
	static const char *const words[] = {"true", "false", "yes", "no", "on",
					    "off",  "y",     "n",   "~",  "null"};
	for (size_t i = 0; i < YG_LEN(words); i++)
		if (yg_sv_ieq(s, yg_sv_of(words[i])))
			return true;
	bool number =
		s.n > 0 && ((s.p[0] >= '0' && s.p[0] <= '9') || strchr("+-.", s.p[0]) != NULL);
	for (size_t i = 0; i < s.n && number; i++)
		number = (s.p[i] >= '0' && s.p[i] <= '9') || strchr("+-.eE_xXo", s.p[i]) != NULL;
	return number;
}

/* A path beside the configuration file, made absolute; in the arena. */
static struct yg_sv beside(struct reader *r, struct yg_sv path)
{
	char here[4096] = "", whole[8300];
	struct yg_sb b = yg_sb_init(whole, sizeof whole);
	const char *slash = strrchr(r->file, '/');
	if (path.n == 0 || path.p[0] == '/')
		return path;
	if (r->file[0] != '/') {
		if (getcwd(here, sizeof here) == NULL)
			return path;
		yg_sb_printf(&b, "%s/", here);
	}
	yg_sb_put(&b, (struct yg_sv){r->file, slash != NULL ? (size_t)(slash - r->file) + 1 : 0});
	yg_sb_put(&b, path);
	return b.cut ? path : yg_arena_dup(r->arena, yg_sb_sv(&b));
}

static void take_one(struct reader *r, const struct yg_conf_key *k, void *base, const char *key,
		     bool more)
{
	char text[400];
	struct yg_sb why = yg_sb_init(text, sizeof text);
	size_t line = line_of(r);
	if (!plain_node(r, key)) {
		skip(r);
		return;
	}
	if (r->event.type != YAML_SCALAR_EVENT || is_null(r)) {
		yg_sb_put(&why, YG_SV("expected "));
		yg_conf_expected(&why, k);
		yg_sb_printf(&why, ", found %s", kind_of(r));
		problem(r, line, key, yg_sb_cstr(&why));
		skip(r);
		return;
	}
	struct yg_sv s = scalar(r);
	if ((k->type == YG_CT_COUNT || k->type == YG_CT_BOOL) && !is_plain(r)) {
		yg_sb_put(&why, k->type == YG_CT_BOOL
					? YG_SV("expected true or false without quotes")
					: YG_SV("expected a number without quotes"));
		problem(r, line, key, yg_sb_cstr(&why));
	} else if (!yg_conf_is_number(k) && is_plain(r) && ambiguous(s)) {
		yg_sb_put(&why, YG_SV("expected "));
		yg_conf_expected(&why, k);
		yg_sb_put(&why, YG_SV(", found '"));
		yg_sb_put_untrusted(&why, yg_sv_sub(s, 0, 48));
		yg_sb_put(&why, YG_SV("'; if it is text, write it in quotes"));
		problem(r, line, key, yg_sb_cstr(&why));
	} else {
		if (k->type == YG_CT_FILE && (k->flags & YG_CF_BESIDE) != 0)
			s = beside(r, s);
		bool ok = more ? yg_conf_add(k, base, s, r->arena, &why)
			       : yg_conf_set(k, base, s, r->arena, &why);
		if (!ok)
			problem(r, line, key, yg_sb_cstr(&why));
	}
}

static void take_value(struct reader *r, const struct yg_conf_key *k, void *base, const char *key)
{
	if ((k->flags & YG_CF_MANY) == 0 || r->event.type != YAML_SEQUENCE_START_EVENT ||
	    !plain_node(r, key)) {
		take_one(r, k, base, key, false);
		return;
	}
	*yg_conf_sv(base, k) = (struct yg_sv){"", 0};
	while (next(r) && r->event.type != YAML_SEQUENCE_END_EVENT)
		take_one(r, k, base, key, true);
}

static void unknown(struct reader *r, size_t line, const char *key, const struct yg_conf_guess *g)
{
	char text[200];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_put(&b, YG_SV("there is no such key"));
	if (g->best != NULL)
		yg_sb_printf(&b, "; did you mean '%s'?", g->best);
	problem(r, line, key, yg_sb_cstr(&b));
}

/* Name of a key as it is reported: "section.key", untrusted part escaped. */
static const char *key_name(struct yg_sb *b, const char *before, struct yg_sv name)
{
	b->n = 0;
	b->cut = false;
	yg_sb_put(b, yg_sv_of(before));
	if (before[0] != '\0')
		yg_sb_putc(b, '.');
	yg_sb_put_untrusted(b, yg_sv_sub(name, 0, 48));
	return yg_sb_cstr(b);
}

/* The key of the next pair into *out (in the arena) and its line; false at the
 * end of the mapping.  The current event is then the value. */
static bool next_pair(struct reader *r, const char *before, struct yg_sv *out, size_t *out_line)
{
	char name[160];
	struct yg_sb b = yg_sb_init(name, sizeof name);
	while (next(r)) {
		if (r->event.type == YAML_MAPPING_END_EVENT)
			return false;
		*out_line = line_of(r);
		if (r->event.type != YAML_SCALAR_EVENT || !plain_node(r, before)) {
			if (r->event.type != YAML_SCALAR_EVENT)
				problem(r, *out_line, before, "expected a key");
			skip(r);
			if (next(r))
				skip(r);
			continue;
		}
		*out = yg_arena_dup(r->arena, scalar(r));
		if (out->p == NULL) {
			problem(r, *out_line, before, "no memory");
			r->broken = true;
			return false;
		}
		(void)key_name(&b, before, *out);
		return next(r);
	}
	return false;
}

/* First use of row i; later ones are reported with the line of the first. */
static bool first_use(struct reader *r, uint32_t *seen, size_t line, const char *key)
{
	if (*seen == 0) {
		*seen = (uint32_t)line;
		return true;
	}
	char text[80];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_printf(&b, "the key stands twice; the first is in line %u", *seen);
	problem(r, line, key, yg_sb_cstr(&b));
	return false;
}

/* Keys of an entry, or of what stands one level below it ("tsig."). */
struct item {
	const struct yg_conf_list *list;
	void *base;
	uint32_t seen[YG_CONF_KEYS_MAX];
};

/* The first key one level below `name`; *out_n: how much of its name stands above. */
static const struct yg_conf_key *key_below(const struct yg_conf_list *l, struct yg_sv name,
					   size_t *out_n)
{
	for (const struct yg_conf_key *k = l->keys; k->name != NULL; k++) {
		const char *dot = strchr(k->name, '.');
		if (dot != NULL &&
		    yg_sv_eq(name, (struct yg_sv){k->name, (size_t)(dot - k->name)})) {
			*out_n = name.n + 1;
			return k;
		}
	}
	return NULL;
}

/* One key of the entry; `above` is the part of the table's names that is left out. */
static void take_item_key(struct reader *r, struct item *it, struct yg_sv above, struct yg_sv key,
			  size_t line, const char *name)
{
	struct yg_conf_guess g = {key, NULL, 99};
	for (const struct yg_conf_key *k = it->list->keys; k->name != NULL; k++) {
		if (!yg_sv_starts(yg_sv_of(k->name), above))
			continue;
		if (yg_conf_name_is(key, k->name + above.n)) {
			if (first_use(r, &it->seen[k - it->list->keys], line, name))
				take_value(r, k, it->base, name);
			else
				skip(r);
			return;
		}
		yg_conf_consider(&g, k->name + above.n, k->name + above.n);
	}
	unknown(r, line, name, &g);
	skip(r);
}

static void take_below(struct reader *r, struct item *it, struct yg_sv above, const char *before)
{
	char name[160], outer[160];
	struct yg_sb b = yg_sb_init(name, sizeof name), o = yg_sb_init(outer, sizeof outer);
	struct yg_sv key;
	size_t line;
	yg_sb_put(&o, yg_sv_of(before));
	while (next_pair(r, yg_sb_cstr(&o), &key, &line)) {
		(void)key_name(&b, outer, key);
		take_item_key(r, it, above, key, line, name);
	}
}

static void take_item(struct reader *r, const struct yg_conf_list *l, void *base, size_t item_line)
{
	struct item it = {.list = l, .base = base};
	char name[160];
	struct yg_sb b = yg_sb_init(name, sizeof name);
	struct yg_sv key;
	size_t line, n;
	while (next_pair(r, l->name, &key, &line)) {
		(void)key_name(&b, l->name, key);
		const struct yg_conf_key *below = key_below(l, key, &n);
		if (below != NULL && r->event.type == YAML_MAPPING_START_EVENT)
			take_below(r, &it, (struct yg_sv){below->name, n}, name);
		else
			take_item_key(r, &it, YG_SV(""), key, line, name);
	}
	for (const struct yg_conf_key *k = l->keys; k->name != NULL; k++)
		if ((k->flags & YG_CF_REQUIRED) != 0 && it.seen[k - l->keys] == 0 && !r->broken) {
			(void)key_name(&b, l->name, yg_sv_of(k->name));
			problem(r, item_line, name, "the key is missing");
		}
}

static void list_store(struct reader *r, const struct yg_conf_list *l, char *items, size_t count)
{
	memcpy((char *)r->out + l->off, &items, sizeof items);
	memcpy((char *)r->out + l->off_count, &count, sizeof count);
}

static void take_list(struct reader *r, const struct yg_conf_list *l)
{
	if (is_null(r))
		return;
	if (!plain_node(r, l->name) || r->event.type != YAML_SEQUENCE_START_EVENT) {
		if (r->event.type != YAML_SEQUENCE_START_EVENT && r->event.type != YAML_ALIAS_EVENT)
			problem(r, line_of(r), l->name,
				"expected a list: entries that begin with '- '");
		skip(r);
		return;
	}
	char *items = yg_arena_zalloc(r->arena, l->max, l->item_bytes, alignof(max_align_t));
	if (items == NULL) {
		problem(r, line_of(r), l->name, "no memory");
		skip(r);
		return;
	}
	size_t count = 0;
	while (next(r) && r->event.type != YAML_SEQUENCE_END_EVENT) {
		size_t line = line_of(r);
		bool one = (l->flags & YG_CL_SCALAR) != 0 && r->event.type == YAML_SCALAR_EVENT;
		if (!plain_node(r, l->name) ||
		    (r->event.type != YAML_MAPPING_START_EVENT && !one)) {
			if (r->event.type != YAML_MAPPING_START_EVENT &&
			    r->event.type != YAML_ALIAS_EVENT)
				problem(r, line, l->name, "expected an entry with keys");
			skip(r);
		} else if (count == l->max) {
			char text[60];
			struct yg_sb b = yg_sb_init(text, sizeof text);
			yg_sb_printf(&b, "at most %zu entries are allowed", l->max);
			problem(r, line, l->name, yg_sb_cstr(&b));
			skip(r);
		} else {
			void *item = items + count * l->item_bytes;
			r->lines->item[l - yg_conf_lists][count++] = (uint32_t)line;
			yg_conf_defaults(l->keys, item);
			if (one)
				take_value(r, &l->keys[0], item, l->name);
			else
				take_item(r, l, item, line);
		}
	}
	list_store(r, l, items, count);
}

struct seen {
	uint32_t lists[YG_CONF_LISTS_MAX];
	uint32_t sections[YG_CONF_LISTS_MAX];
};

/* One key of a section: a scalar, a list, or unknown. */
static void take_key(struct reader *r, const char *section, struct yg_sv key, size_t line,
		     struct seen *seen)
{
	char name[160];
	struct yg_sb b = yg_sb_init(name, sizeof name);
	struct yg_sv full = yg_sv_of(key_name(&b, section, key));
	struct yg_conf_guess g = {key, NULL, 99};
	for (const struct yg_conf_key *k = yg_conf_keys; k->name != NULL; k++) {
		if (yg_conf_name_is(full, k->name)) {
			if (first_use(r, &r->lines->key[k - yg_conf_keys], line, name))
				take_value(r, k, r->out, name);
			else
				skip(r);
			return;
		}
		yg_conf_consider(&g, yg_conf_short(k->name), k->name);
	}
	for (const struct yg_conf_list *l = yg_conf_lists; l->name != NULL; l++) {
		if (yg_conf_name_is(full, l->name)) {
			if (first_use(r, &seen->lists[l - yg_conf_lists], line, name))
				take_list(r, l);
			else
				skip(r);
			return;
		}
		yg_conf_consider(&g, yg_conf_short(l->name), l->name);
	}
	unknown(r, line, name, &g);
	skip(r);
}

static void take_section(struct reader *r, const char *section, struct seen *seen)
{
	struct yg_sv key;
	size_t line;
	if (is_null(r)) /* every line below it is a comment */
		return;
	if (!plain_node(r, section) || r->event.type != YAML_MAPPING_START_EVENT) {
		if (r->event.type != YAML_MAPPING_START_EVENT && r->event.type != YAML_ALIAS_EVENT)
			problem(r, line_of(r), section, "expected keys below it, indented");
		skip(r);
		return;
	}
	while (next_pair(r, section, &key, &line))
		take_key(r, section, key, line, seen);
}

static void take_top(struct reader *r)
{
	struct seen seen = {{0}, {0}};
	struct yg_sv key;
	size_t line;
	char name[160];
	struct yg_sb b = yg_sb_init(name, sizeof name);
	while (next_pair(r, "", &key, &line)) {
		struct yg_conf_guess g = {key, NULL, 99};
		const struct yg_conf_section *s = yg_conf_sections;
		for (; s->name != NULL && !yg_sv_eq(key, yg_sv_of(s->name)); s++)
			yg_conf_consider(&g, s->name, s->name);
		(void)key_name(&b, "", key);
		if (s->name != NULL) {
			if (first_use(r, &seen.sections[s - yg_conf_sections], line, name))
				take_section(r, s->name, &seen);
			else
				skip(r);
			continue;
		}
		for (const struct yg_conf_key *k = yg_conf_keys; k->name != NULL; k++)
			yg_conf_consider(&g, yg_conf_short(k->name), k->name);
		unknown(r, line, name, &g);
		skip(r);
	}
}

static void take_stream(struct reader *r)
{
	bool first = true;
	if (!next(r)) /* stream start */
		return;
	while (next(r) && r->event.type == YAML_DOCUMENT_START_EVENT) {
		if (!first) {
			problem(r, line_of(r), "",
				"only one document is allowed ('---' stands twice)");
			return;
		}
		first = false;
		if (!next(r))
			return;
		if (r->event.type == YAML_MAPPING_START_EVENT && plain_node(r, "")) {
			take_top(r);
		} else if (!is_null(r)) {
			problem(r, line_of(r), "", "expected keys such as 'api:' at the top");
			skip(r);
		}
		if (!next(r)) /* document end */
			return;
	}
}

struct first {
	yg_conf_report_fn *report;
	void *ctx;
	char text[200];
	bool have;
};
static void note_first(void *arg, const char *file, size_t line, const char *key, const char *text)
{
	struct first *f = arg;
	if (!f->have) {
		struct yg_sb b = yg_sb_init(f->text, sizeof f->text);
		yg_sb_printf(&b, "%s:%zu: %s%s", file, line, key, key[0] != '\0' ? ": " : "");
		yg_sb_put(&b, yg_sv_sub(yg_sv_of(text), 0, sizeof f->text - b.n - 1));
		(void)yg_sb_cstr(&b);
		f->have = true;
	}
	if (f->report != NULL)
		f->report(f->ctx, file, line, key, text);
}

yg_status yg_conf_read(struct yg_sv yaml, const char *file_name, struct yg_arena *arena,
		       struct yg_conf *out, yg_conf_report_fn *report, void *ctx,
		       struct yg_err *err)
{
	struct first first = {.report = report, .ctx = ctx};
	struct reader r = {
		.arena = arena, .out = out, .file = file_name, .report = note_first, .ctx = &first};
	*out = (struct yg_conf){0};
	yg_conf_defaults(yg_conf_keys, out);
	r.lines = YG_NEW(arena, struct yg_conf_lines);
	if (r.lines == NULL || !yaml_parser_initialize(&r.parser))
		return YG_FAIL(err, YG_NOMEM, "no memory to read %s", file_name);
	out->lines = r.lines;
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	/* libyaml wants an address even for nothing */
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)(yaml.n > 0 ? yaml.p : ""),
				     yaml.n);
	take_stream(&r);
	if (r.have)
		yaml_event_delete(&r.event);
	yaml_parser_delete(&r.parser);
	if (r.problems == 0)
		r.problems += yg_conf_cross(out, file_name, note_first, &first);
	if (r.problems > 0)
		return YG_FAIL(err, YG_PARSE, "%s", first.text);
	return YG_OK;
}
