/* print_text.c - an answer as people read it: rows with cells of one width, objects as lines. */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/command.h"
#include "cmd/print.h"

enum { DEEP = 16 }; /* blanks before a member */

/* Width on a terminal of one UTF-8 sequence: East Asian wide characters take two. */
static int cell_width(uint32_t cp)
{
	bool wide = (cp >= 0x1100 && cp <= 0x115f) || (cp >= 0x2e80 && cp <= 0xa4cf) ||
		    (cp >= 0xac00 && cp <= 0xd7a3) || (cp >= 0xf900 && cp <= 0xfaff) ||
		    (cp >= 0xfe30 && cp <= 0xfe6f) || (cp >= 0xff00 && cp <= 0xff60) ||
		    (cp >= 0xffe0 && cp <= 0xffe6) || (cp >= 0x1f300 && cp <= 0x1f9ff) ||
		    (cp >= 0x20000 && cp <= 0x3fffd);
	return wide ? 2 : 1;
}

static size_t decode(const unsigned char *p, uint32_t *cp)
{
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	static const unsigned char mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	*cp = p[0] & mask[n];
	for (size_t i = 1; i < n; i++)
		*cp = *cp << 6 | (p[i] & 0x3f);
	return n;
}

/* Escapes control characters (C0, DEL, C1, and the bidirectional overrides). */
static void put_safe(struct yg_sb *b, struct yg_sv s)
{
	const unsigned char *p = (const unsigned char *)s.p, *end = p + s.n;
	while (p < end) {
		uint32_t cp;
		size_t n = decode(p, &cp);
		bool bad = cp < 0x20 || (cp >= 0x7f && cp < 0xa0) ||
			   (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
		if (bad)
			yg_sb_printf(b, "\\u%04x", cp);
		else
			yg_sb_put(b, (struct yg_sv){(const char *)p, n});
		p += n;
	}
}

json_t *yg_member(json_t *object, const char *path)
{
	struct yg_sv rest = yg_sv_of(path), part;
	json_t *at = object;
	while (at != NULL && yg_sv_cut(&rest, '.', &part)) {
		char key[64];
		(void)snprintf(key, sizeof key, "%.*s", YG_SV_ARG(part));
		at = json_object_get(at, key);
	}
	return at;
}

static void put_value(struct yg_sb *b, json_t *v)
{
	if (v == NULL || json_is_null(v))
		return;
	if (json_is_string(v)) {
		put_safe(b, yg_sv_of(json_string_value(v)));
	} else if (json_is_integer(v)) {
		yg_sb_i64(b, json_integer_value(v));
	} else if (json_is_boolean(v)) {
		yg_sb_put(b, json_is_true(v) ? YG_SV("yes") : YG_SV("no"));
	} else {
		char *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
		if (text != NULL)
			put_safe(b, yg_sv_of(text));
		free(text);
	}
}

const char *yg_value_text(json_t *value, char *buf, size_t cap)
{
	struct yg_sb b = yg_sb_init(buf, cap);
	put_value(&b, value);
	return yg_sb_cstr(&b);
}

const char *yg_member_text(json_t *object, const char *path, char *buf, size_t cap)
{
	return yg_value_text(yg_member(object, path), buf, cap);
}

/* Pads or cuts (with "~") to `width` cells; never in the middle of a character. */
static void put_cell(const char *text, int width, FILE *out)
{
	int used = 0;
	const unsigned char *p = (const unsigned char *)text;
	while (*p != '\0') {
		uint32_t cp;
		size_t n = decode(p, &cp);
		int w = cell_width(cp);
		if (width > 0 && used + w > width - (p[n] != '\0' ? 1 : 0)) {
			(void)fputc('~', out);
			used++;
			break;
		}
		(void)fwrite(p, 1, n, out);
		used += w;
		p += n;
	}
	for (; used < width; used++)
		(void)fputc(' ', out);
}

void yg_print_line(json_t *item)
{
	char *text = json_dumps(item, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENCODE_ANY);
	if (text != NULL)
		(void)printf("%s\n", text);
	free(text);
}

void yg_print_head(const struct yg_column *columns, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		put_cell(columns[i].title, columns[i].width, stdout);
		(void)fputs(i + 1 < count ? "  " : "\n", stdout);
	}
}

void yg_print_row(json_t *item, const struct yg_column *columns, size_t count)
{
	char text[1024];
	for (size_t i = 0; i < count; i++) {
		put_cell(yg_member_text(item, columns[i].path, text, sizeof text), columns[i].width,
			 stdout);
		(void)fputs(i + 1 < count ? "  " : "\n", stdout);
	}
}

void yg_print_items(const struct yg_cli *c, json_t *items, const struct yg_column *columns,
		    size_t count)
{
	size_t i;
	json_t *item;
	if (!yg_cli_json(c) && json_array_size(items) > 0)
		yg_print_head(columns, count);
	json_array_foreach(items, i, item)
	{
		if (yg_cli_json(c))
			yg_print_line(item);
		else
			yg_print_row(item, columns, count);
	}
}

static void put_safe_line(struct yg_sv line, int indent)
{
	char text[8192];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	put_safe(&b, line);
	(void)printf("%*s%s\n", indent, "", yg_sb_cstr(&b));
}

static void print_members(json_t *object, int indent, bool of_list);

static void print_lines(const char *text, int indent)
{
	struct yg_sv rest = yg_sv_of(text), line;
	while (yg_sv_cut(&rest, '\n', &line))
		put_safe_line(line, indent);
}

static void print_value(const char *key, json_t *value)
{
	char text[8192];
	(void)printf("%s: %s\n", key, yg_value_text(value, text, sizeof text));
}

/* A text of several lines (a rule's) as lines below its name; objects and lists of them likewise,
 * as far as anybody reads. */
static void print_member(const char *name, json_t *value, int indent)
{
	char key[256];
	struct yg_sb b = yg_sb_init(key, sizeof key);
	const char *text = json_string_value(value);
	size_t i;
	json_t *item;
	put_safe(&b, yg_sv_of(name));
	(void)yg_sb_cstr(&b);
	if (text != NULL && strchr(text, '\n') != NULL) {
		(void)printf("%s:\n", key);
		print_lines(text, indent + 2);
	} else if (indent < DEEP && json_object_size(value) > 0) {
		(void)printf("%s:\n", key);
		print_members(value, indent + 2, false);
	} else if (indent < DEEP && json_is_object(json_array_get(value, 0))) {
		(void)printf("%s:\n", key);
		json_array_foreach(value, i, item) print_members(item, indent + 2, true);
	} else {
		print_value(key, value);
	}
}

static void print_members(json_t *object, int indent, bool of_list)
{
	const char *key;
	json_t *value;
	bool first = of_list; /* "- name: x", and the others below name */
	json_object_foreach(object, key, value)
	{
		(void)printf("%*s%s", indent, "", first ? "- " : of_list ? "  " : "");
		print_member(key, value, indent + (of_list ? 2 : 0));
		first = false;
	}
}

void yg_print_object(const struct yg_cli *c, json_t *object)
{
	if (object == NULL)
		return;
	if (yg_cli_json(c))
		yg_print_line(object);
	else
		print_members(object, 0, false);
}
