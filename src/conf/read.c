/* read.c - YAML by events into a yg_conf; no recursion, no tree. */
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

static void take_value(struct reader *r, const struct yg_conf_key *k, void *base, const char *key)
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
	if (k->type == YG_CT_COUNT && !is_plain(r)) {
		yg_sb_put(&why, YG_SV("expected a number without quotes"));
		problem(r, line, key, yg_sb_cstr(&why));
	} else if (!yg_conf_is_number(k) && is_plain(r) && ambiguous(s)) {
		yg_sb_put(&why, YG_SV("expected "));
		yg_conf_expected(&why, k);
		yg_sb_put(&why, YG_SV(", found '"));
		yg_sb_put_untrusted(&why, yg_sv_sub(s, 0, 48));
		yg_sb_put(&why, YG_SV("'; if it is text, write it in quotes"));
		problem(r, line, key, yg_sb_cstr(&why));
	} else if (!yg_conf_set(k, base, s, r->arena, &why)) {
		problem(r, line, key, yg_sb_cstr(&why));
	}
}

/* Edit distance with swaps of neighbours, at most 3; names are short. */
static size_t distance(struct yg_sv a, struct yg_sv b)
{
	enum { MAX = 40 };
	size_t row[3][MAX + 1];
	if (a.n > MAX || b.n > MAX)
		return 99;
	for (size_t j = 0; j <= b.n; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		size_t *now = row[i % 3], *up = row[(i + 2) % 3], *up2 = row[(i + 1) % 3];
		now[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			size_t cost = a.p[i - 1] == b.p[j - 1] ? 0 : 1;
			size_t d = YG_MIN(up[j - 1] + cost, YG_MIN(up[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
				d = YG_MIN(d, up2[j - 2] + 1);
			now[j] = d;
		}
	}
	return row[a.n % 3][b.n];
}

struct guess {
	struct yg_sv found; /* what stands in the file */
	const char *best;
	size_t distance;
};

static void consider(struct guess *g, const char *candidate, const char *shown)
{
	size_t d = distance(g->found, yg_sv_of(candidate));
	if (d < g->distance && d <= 1 + g->found.n / 4) {
		g->distance = d;
		g->best = shown;
	}
}

static void unknown(struct reader *r, size_t line, const char *key, const struct guess *g)
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

static void take_item(struct reader *r, const struct yg_conf_list *l, void *item, size_t item_line)
{
	uint32_t seen[YG_CONF_KEYS_MAX] = {0};
	char name[160];
	struct yg_sb b = yg_sb_init(name, sizeof name);
	struct yg_sv key;
	size_t line;
	yg_conf_defaults(l->keys, item);
	while (next_pair(r, l->name, &key, &line)) {
		struct guess g = {key, NULL, 99};
		const struct yg_conf_key *k = l->keys;
		for (; k->name != NULL && !yg_sv_eq(key, yg_sv_of(k->name)); k++)
			consider(&g, k->name, k->name);
		(void)key_name(&b, l->name, key);
		if (k->name == NULL) {
			unknown(r, line, name, &g);
			skip(r);
		} else if (first_use(r, &seen[k - l->keys], line, name)) {
			take_value(r, k, item, name);
		} else {
			skip(r);
		}
	}
	for (const struct yg_conf_key *k = l->keys; k->name != NULL; k++)
		if ((k->flags & YG_CF_REQUIRED) != 0 && seen[k - l->keys] == 0 && !r->broken) {
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
		if (!plain_node(r, l->name) || r->event.type != YAML_MAPPING_START_EVENT) {
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
			r->lines->item[l - yg_conf_lists][count] = (uint32_t)line;
			take_item(r, l, items + count++ * l->item_bytes, line);
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
	struct guess g = {key, NULL, 99};
	for (const struct yg_conf_key *k = yg_conf_keys; k->name != NULL; k++) {
		if (yg_sv_eq(full, yg_sv_of(k->name))) {
			if (first_use(r, &r->lines->key[k - yg_conf_keys], line, name))
				take_value(r, k, r->out, name);
			else
				skip(r);
			return;
		}
		consider(&g, yg_conf_short(k->name), k->name);
	}
	for (const struct yg_conf_list *l = yg_conf_lists; l->name != NULL; l++) {
		if (yg_sv_eq(full, yg_sv_of(l->name))) {
			if (first_use(r, &seen->lists[l - yg_conf_lists], line, name))
				take_list(r, l);
			else
				skip(r);
			return;
		}
		consider(&g, yg_conf_short(l->name), l->name);
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
		struct guess g = {key, NULL, 99};
		const struct yg_conf_section *s = yg_conf_sections;
		for (; s->name != NULL && !yg_sv_eq(key, yg_sv_of(s->name)); s++)
			consider(&g, s->name, s->name);
		(void)key_name(&b, "", key);
		if (s->name != NULL) {
			if (first_use(r, &seen.sections[s - yg_conf_sections], line, name))
				take_section(r, s->name, &seen);
			else
				skip(r);
			continue;
		}
		for (const struct yg_conf_key *k = yg_conf_keys; k->name != NULL; k++)
			consider(&g, yg_conf_short(k->name), k->name);
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
