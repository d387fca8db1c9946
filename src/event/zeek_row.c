#include "event/zeek_row.h"

#include "base/sb.h"

enum { TEXT_MOST = 4096 }; /* of a kept header; those of Zeek's own logs have under 1,000 bytes */

/* ---- text ---- */

/* "\xNN" at p: the byte, or -1. */
static int escape_at(struct yg_sv s, size_t i)
{
	uint8_t byte;
	if (s.n - i < 4 || s.p[i] != '\\' || s.p[i + 1] != 'x' ||
	    yg_parse_hex(yg_sv_sub(s, i + 2, 2), &byte, 1, NULL) != YG_OK)
		return -1;
	return byte;
}

/* Undoes a run of \xNN at *i.  Bytes that are no text stay escaped: that is how
 * Zeek's JSON has them, and both forms of a log give the same event. */
static size_t unescape_run(struct yg_sv s, size_t *i, char *to)
{
	size_t run = 0, n = 0;
	while (escape_at(s, *i + 4 * run) >= 0) {
		to[run] = (char)escape_at(s, *i + 4 * run);
		run++;
	}
	char *bytes = to + 3 * run; /* to the end of the room, so that `to` can be written */
	memmove(bytes, to, run);
	for (size_t at = 0; at < run;) {
		size_t part = YG_MIN((size_t)4, run - at), ok = 0;
		for (size_t len = 1; len <= part && ok == 0; len++)
			ok = yg_utf8_valid((struct yg_sv){bytes + at, len}) == len ? len : 0;
		if (ok == 1 && ((unsigned char)bytes[at] < 0x20 || bytes[at] == 0x7f))
			ok = 0;
		if (ok == 0) {
			memcpy(to + n, s.p + *i + 4 * at, 4);
			n += 4;
			at++;
			continue;
		}
		memmove(to + n, bytes + at, ok);
		n += ok;
		at += ok;
	}
	*i += 4 * run;
	return n;
}

struct yg_sv yg_zeek_text(struct yg_sv s, struct yg_arena *arena)
{
	size_t at = yg_sv_find(s, '\\', 0), to = 0;
	if (at == s.n)
		return s;
	char *out = yg_arena_alloc(arena, s.n, 1);
	if (out == NULL)
		return YG_SV("");
	for (size_t i = 0; i < s.n;) {
		if (escape_at(s, i) >= 0) {
			to += unescape_run(s, &i, out + to);
			continue;
		}
		if (s.p[i] == '\\' && i + 1 < s.n && s.p[i + 1] == '\\')
			i++;
		out[to++] = s.p[i++];
	}
	return (struct yg_sv){out, to};
}

bool yg_zeek_is_list(struct yg_sv type)
{
	return yg_sv_starts(type, YG_SV("set[")) || yg_sv_starts(type, YG_SV("vector["));
}

/* ---- the header ---- */

static const struct line {
	struct yg_sv name;
	size_t at;
	struct yg_sv usual; /* what holds where no line says otherwise */
} lines[] = {
	{YG_SV_INIT("#set_separator"), offsetof(struct yg_zeek_header, set_separator),
	 YG_SV_INIT(",")},
	{YG_SV_INIT("#empty_field"), offsetof(struct yg_zeek_header, empty), YG_SV_INIT("(empty)")},
	{YG_SV_INIT("#unset_field"), offsetof(struct yg_zeek_header, unset), YG_SV_INIT("-")},
	{YG_SV_INIT("#path"), offsetof(struct yg_zeek_header, path), YG_SV_INIT("")},
	{YG_SV_INIT("#fields"), offsetof(struct yg_zeek_header, fields), YG_SV_INIT("")},
	{YG_SV_INIT("#types"), offsetof(struct yg_zeek_header, types), YG_SV_INIT("")},
};

static struct yg_sv value_of(const struct yg_zeek_header *h, const struct line *l)
{
	struct yg_sv value;
	memcpy(&value, (const char *)h + l->at, sizeof value);
	return value;
}

static void set(struct yg_zeek_header *h, const struct line *l, struct yg_sv value)
{
	memcpy((char *)h + l->at, &value, sizeof value);
}

void yg_zeek_header_init(struct yg_zeek_header *h)
{
	h->separator = '\t';
	for (size_t i = 0; i < YG_LEN(lines); i++)
		set(h, &lines[i], lines[i].usual);
}

void yg_zeek_header_line(struct yg_zeek_header *h, struct yg_sv line)
{
	if (yg_sv_starts(line,
			 YG_SV("#separator "))) { /* a new log: nothing of the old one holds */
		struct yg_sv v = yg_sv_sub(line, 11, line.n);
		int byte = escape_at(v, 0);
		h->path = h->fields = h->types = YG_SV("");
		h->separator = byte > 0 ? (char)byte : v.n == 1 ? v.p[0] : '\t';
		return;
	}
	for (size_t i = 0; i < YG_LEN(lines); i++) { /* behind the name stands one separator */
		size_t n = lines[i].name.n;
		if (!yg_sv_starts(line, lines[i].name))
			continue;
		bool has = line.n > n && (line.p[n] == h->separator || line.p[n] == ' ');
		set(h, &lines[i], has ? yg_sv_sub(line, n + 1, line.n) : YG_SV(""));
	}
}

struct yg_sv yg_zeek_header_text(const struct yg_zeek_header *h, struct yg_arena *arena)
{
	char text[TEXT_MOST];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	if (h->separator != '\t')
		yg_sb_printf(&b, "#separator \\x%02x\n", (unsigned)(unsigned char)h->separator);
	for (size_t i = 0; i < YG_LEN(lines); i++) {
		struct yg_sv value = value_of(h, &lines[i]);
		if (yg_sv_eq(value, lines[i].usual))
			continue;
		yg_sb_put(&b, lines[i].name);
		yg_sb_putc(&b, h->separator);
		yg_sb_put(&b, value);
		yg_sb_putc(&b, '\n');
	}
	struct yg_sv whole = b.cut ? YG_SV("") : yg_arena_dup(arena, yg_sb_sv(&b));
	return whole.p != NULL ? whole : YG_SV("");
}

/* ---- a row with its header ---- */

bool yg_zeek_row_open(struct yg_sv raw, struct yg_zeek_row *out)
{
	struct yg_sv line = YG_SV("");
	if (raw.n == 0 || raw.p[0] != '#')
		return false;
	yg_zeek_header_init(&out->header);
	while (yg_sv_cut(&raw, '\n', &line) && line.n > 0 && line.p[0] == '#')
		yg_zeek_header_line(&out->header, line);
	out->fields = out->header.fields;
	out->types = out->header.types;
	out->values = line;
	return out->fields.n > 0 && line.n > 0 && line.p[0] != '#';
}

bool yg_zeek_row_next(struct yg_zeek_row *r, struct yg_sv *name, struct yg_sv *type,
		      struct yg_sv *value)
{
	if (!yg_sv_cut(&r->types, r->header.separator, type))
		*type = YG_SV("");
	return yg_sv_cut(&r->fields, r->header.separator, name) &&
	       yg_sv_cut(&r->values, r->header.separator, value);
}
