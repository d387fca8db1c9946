#include "event/search.h"

/* The search language to SQL, in one pass from left to right.
 *
 * SQL's own precedence (NOT over AND over OR) is the language's, so brackets and
 * words are written out as they come, and all there is to keep is whether a
 * condition or an operator must follow, and how many brackets are open. */

#define SQL_MAX   65536u
#define VALUE_MAX 1024u

struct compiler {
	struct yg_sv q;
	size_t at;
	struct yg_arena *arena;
	struct yg_err *err;
	struct yg_buf sql;
	struct yg_ch_param params[2 * YG_SEARCH_TERMS_MAX];
	size_t param_count, terms, depth;
	bool want_term; /* an operator or an open bracket came last, or nothing yet */
	bool uncounted; /* something but organisation and class is asked for */
};

enum word_kind { WORD_END, WORD_OPEN, WORD_CLOSE, WORD_TEXT };
/* A piece of the query: up to a blank or bracket, with at most one quoted part
 * at its start or behind the field's colon. */
struct word {
	enum word_kind kind;
	size_t at;          /* in q */
	struct yg_sv text;  /* as written, without a leading '-' */
	bool negated;       /* a '-' in front */
	bool quoted;        /* all of it is quoted: value has it unescaped */
	struct yg_sv value; /* quoted: the text inside (arena) */
};

static yg_status fail(struct compiler *c, size_t at, const char *what, struct yg_sv name)
{
	char text[80];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_put_untrusted(&b, yg_sv_sub(name, 0, 40));
	if (name.n == 0)
		return YG_FAIL(c->err, YG_PARSE, "search: %s at %zu", what, at + 1);
	return YG_FAIL(c->err, YG_PARSE, "search: %s '%s' at %zu", what, yg_sb_cstr(&b), at + 1);
}

static bool blank(char ch)
{
	return ch == ' ' || (ch >= '\t' && ch <= '\r');
}

/* "text" at c->at, with \" and \\; the unescaped text goes to *out (arena). */
static yg_status read_quoted(struct compiler *c, struct yg_sv *out)
{
	size_t from = c->at++, n = 0;
	char *to = yg_arena_alloc(c->arena, c->q.n - from, 1);
	if (to == NULL)
		return YG_FAIL(c->err, YG_NOMEM, "search: out of memory");
	for (; c->at < c->q.n; c->at++) {
		char ch = c->q.p[c->at];
		if (ch == '"') {
			c->at++;
			*out = (struct yg_sv){to, n};
			return n > 0 ? YG_OK : fail(c, from, "empty quotes", YG_SV(""));
		}
		bool escape = ch == '\\' && c->at + 1 < c->q.n &&
			      (c->q.p[c->at + 1] == '"' || c->q.p[c->at + 1] == '\\');
		if (escape)
			ch = c->q.p[++c->at];
		to[n++] = ch;
	}
	return fail(c, from, "no closing quote", YG_SV(""));
}

static yg_status read_word(struct compiler *c, struct word *w)
{
	while (c->at < c->q.n && blank(c->q.p[c->at]))
		c->at++;
	*w = (struct word){.at = c->at};
	if (c->at == c->q.n)
		return YG_OK;
	if (c->q.p[c->at] == '-' && c->at + 1 < c->q.n) {
		w->negated = true;
		c->at++;
	}
	char ch = c->q.p[c->at];
	if (ch == '(' || ch == ')') {
		w->kind = ch == '(' ? WORD_OPEN : WORD_CLOSE;
		c->at++;
		return w->negated && ch == ')' ? fail(c, w->at, "nothing to negate", YG_SV(""))
					       : YG_OK;
	}
	w->kind = WORD_TEXT;
	size_t from = c->at;
	while (c->at < c->q.n && !blank(c->q.p[c->at]) && c->q.p[c->at] != '(' &&
	       c->q.p[c->at] != ')' && c->q.p[c->at] != '"')
		c->at++;
	w->text = yg_sv_sub(c->q, from, c->at - from);
	/* A quote begins a word, or the value behind field: or field:> . */
	bool value = w->text.n == 0 || (c->at > from && strchr(":<>=", c->q.p[c->at - 1]) != NULL);
	if (c->at < c->q.n && c->q.p[c->at] == '"') {
		if (!value)
			return fail(c, c->at, "a quote inside a word", YG_SV(""));
		w->quoted = true;
		yg_status st = read_quoted(c, &w->value);
		if (st != YG_OK)
			return st;
		if (c->at < c->q.n && !blank(c->q.p[c->at]) && c->q.p[c->at] != ')' &&
		    c->q.p[c->at] != '(')
			return fail(c, c->at, "a blank is missing behind the quote", YG_SV(""));
	}
	return w->text.n > 0 || w->quoted ? YG_OK
					  : fail(c, w->at, "nothing to look for", YG_SV(""));
}

/* --- conditions ---------------------------------------------------------- */

/* Adds a parameter and writes its placeholder. */
static yg_status put_param(struct compiler *c, struct yg_sv value, const char *type)
{
	if (c->param_count == YG_LEN(c->params))
		return YG_FAIL(c->err, YG_LIMIT, "search: more than %u conditions",
			       YG_SEARCH_TERMS_MAX);
	char name[8];
	struct yg_sb b = yg_sb_init(name, sizeof name);
	yg_sb_putc(&b, 'q');
	yg_sb_u64(&b, c->param_count);
	struct yg_sv kept = yg_arena_dup(c->arena, yg_sb_sv(&b)), v = yg_arena_dup(c->arena, value);
	if (kept.p == NULL || v.p == NULL)
		return YG_FAIL(c->err, YG_NOMEM, "search: out of memory");
	c->params[c->param_count++] = (struct yg_ch_param){.name = kept.p, .value = v};
	yg_buf_putc(&c->sql, '{');
	yg_buf_put(&c->sql, kept);
	yg_buf_putc(&c->sql, ':');
	yg_buf_put(&c->sql, yg_sv_of(type));
	yg_buf_putc(&c->sql, '}');
	return YG_OK;
}

/* before, the parameter, after */
static yg_status put_with(struct compiler *c, const char *before, struct yg_sv value,
			  const char *type, const char *after)
{
	yg_buf_put(&c->sql, yg_sv_of(before));
	yg_status st = put_param(c, value, type);
	yg_buf_put(&c->sql, yg_sv_of(after));
	return st;
}

static struct yg_sv lower(struct compiler *c, struct yg_sv s)
{
	struct yg_sv d = yg_arena_dup(c->arena, s);
	if (d.p == NULL)
		return s;
	char *p = (char *)(uintptr_t)d.p; /* ours: just made */
	for (size_t i = 0; i < d.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] | 0x20);
	return d;
}

/* LIKE's pattern for a word with '*', in lower case. */
static struct yg_sv like(struct compiler *c, struct yg_sv s)
{
	char *to = yg_arena_alloc(c->arena, s.n * 2, 1);
	size_t n = 0;
	s = lower(c, s);
	for (size_t i = 0; to != NULL && i < s.n; i++) {
		if (s.p[i] == '%' || s.p[i] == '_' || s.p[i] == '\\')
			to[n++] = '\\';
		to[n++] = s.p[i] == '*' ? '%' : s.p[i];
	}
	return (struct yg_sv){to, n};
}

static bool has_star(struct yg_sv s)
{
	return yg_sv_find(s, '*', 0) < s.n;
}

static void put_hex(struct yg_buf *b, const uint8_t bytes[16])
{
	char text[33];
	struct yg_sb s = yg_sb_init(text, sizeof text);
	yg_sb_hex(&s, bytes, 16);
	yg_buf_put(b, YG_SV("toFixedString(unhex('"));
	yg_buf_put(b, yg_sb_sv(&s));
	yg_buf_put(b, YG_SV("'), 16)"));
}

/* An address or prefix against one column.  Only digits that were parsed and
 * written anew stand in the text. */
static void ip_range(struct compiler *c, const char *column, struct yg_ip ip, unsigned bits)
{
	struct yg_ip low = ip, high = ip;
	for (unsigned i = bits; i < 128; i++)
		high.b[i / 8] |= (uint8_t)(0x80 >> (i % 8));
	yg_buf_put(&c->sql, yg_sv_of(column));
	if (bits == 128) {
		yg_buf_put(&c->sql, YG_SV(" = "));
		put_hex(&c->sql, ip.b);
		return;
	}
	yg_buf_put(&c->sql, YG_SV(" >= "));
	put_hex(&c->sql, low.b);
	yg_buf_put(&c->sql, YG_SV(" AND "));
	yg_buf_put(&c->sql, yg_sv_of(column));
	yg_buf_put(&c->sql, YG_SV(" <= "));
	put_hex(&c->sql, high.b);
}

/* A part of the raw record.  Records are mostly JSON, where quotes and
 * backslashes are escaped: then either spelling is looked for. */
static yg_status raw_part(struct compiler *c, struct yg_sv text)
{
	char *to = yg_arena_alloc(c->arena, text.n * 2, 1);
	size_t n = 0;
	for (size_t i = 0; to != NULL && i < text.n; i++) {
		if (text.p[i] == '"' || text.p[i] == '\\')
			to[n++] = '\\';
		to[n++] = text.p[i];
	}
	if (to == NULL)
		return YG_FAIL(c->err, YG_NOMEM, "search: out of memory");
	yg_status st = put_with(c, "(positionCaseInsensitive(raw, ", text, "String", ") > 0");
	if (st == YG_OK && n != text.n)
		st = put_with(c, " OR positionCaseInsensitive(raw, ", (struct yg_sv){to, n},
			      "String", ") > 0");
	yg_buf_putc(&c->sql, ')');
	return st;
}

static bool hex_only(struct yg_sv s)
{
	for (size_t i = 0; i < s.n; i++) {
		char ch = s.p[i];
		if (!((ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'f') ||
		      (ch >= 'A' && ch <= 'F')))
			return false;
	}
	return true;
}

/* Letters, digits and -_.@ with a dot or @ inside; or a hash's hex digits. */
static bool looks_like_name(struct yg_sv s)
{
	bool joined = false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];
		bool letter = (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') ||
			      (ch >= 'A' && ch <= 'Z') || ch == '-' || ch == '_' || ch >= 0x80;
		bool joint = ch == '.' || ch == '@';
		if (!letter && !joint)
			return false;
		joined |= joint && i > 0 && i + 1 < s.n;
	}
	return joined || (hex_only(s) && (s.n == 32 || s.n == 40 || s.n == 64));
}

static yg_status plain_word(struct compiler *c, struct yg_sv s)
{
	struct yg_ip ip;
	unsigned bits;
	char text[YG_IP_TEXT_MAX];
	if (yg_ip_parse(s, &ip) ==
	    YG_OK) { /* `names` has every address as yg_ip_format() writes it */
		struct yg_sb b = yg_sb_init(text, sizeof text);
		yg_ip_format(&b, ip);
		return put_with(c, "has(names, ", yg_sb_sv(&b), "String", ")");
	}
	if (yg_sv_find(s, '/', 0) < s.n && yg_ip_prefix_parse(s, &ip, &bits, NULL) == YG_OK) {
		yg_buf_put(&c->sql, YG_SV("(("));
		ip_range(c, "src_ip", ip, bits);
		yg_buf_put(&c->sql, YG_SV(") OR ("));
		ip_range(c, "dst_ip", ip, bits);
		yg_buf_put(&c->sql, YG_SV("))"));
		return YG_OK;
	}
	if (has_star(s))
		return put_with(c, "arrayExists(x -> x LIKE ", like(c, s), "String", ", names)");
	if (looks_like_name(s))
		return put_with(c, "has(names, ", lower(c, s), "String", ")");
	return raw_part(c, s);
}

/* --- fields -------------------------------------------------------------- */

struct field {
	const char *column, *other; /* other: the second one of an alias, or NULL */
	enum yg_event_type type;
	bool is_time, is_span, is_class, folded; /* folded: the column is in lower case already */
};

static const struct {
	struct yg_sv name;
	enum yg_event_field first, second;
} aliases[] = {
	{YG_SV_INIT("ip"), YG_EF_src_ip, YG_EF_dst_ip},
	{YG_SV_INIT("port"), YG_EF_src_port, YG_EF_dst_port},
	{YG_SV_INIT("name"), YG_EF_names, YG_EF_names},
	{YG_SV_INIT("hash"), YG_EF_hashes, YG_EF_hashes},
	{YG_SV_INIT("class"), YG_EF_class_uid, YG_EF_class_uid},
	{YG_SV_INIT("severity"), YG_EF_severity_id, YG_EF_severity_id},
	{YG_SV_INIT("status"), YG_EF_status_id, YG_EF_status_id},
};

static struct field field_of(enum yg_event_field f, enum yg_event_field other)
{
	struct field out = {.column = yg_event_fields[f].name,
			    .other = other != f ? yg_event_fields[other].name : NULL,
			    .type = yg_event_fields[f].type};
	out.is_time = f == YG_EF_time || f == YG_EF_received;
	out.is_span = f == YG_EF_duration;
	out.is_class = f == YG_EF_class_uid;
	out.folded = f == YG_EF_query || f == YG_EF_dst_host || f == YG_EF_mail_from ||
		     f == YG_EF_org || f == YG_EF_source || f == YG_EF_names || f == YG_EF_hashes;
	return out;
}

static bool field_find(struct yg_sv name, struct field *out)
{
	for (size_t i = 0; i < YG_LEN(aliases); i++)
		if (yg_sv_eq(aliases[i].name, name)) {
			*out = field_of(aliases[i].first, aliases[i].second);
			return true;
		}
	for (unsigned f = 0; f < YG_EVENT_FIELD_COUNT; f++)
		if (yg_sv_eq(yg_sv_of(yg_event_fields[f].name), name)) {
			*out = field_of((enum yg_event_field)f, (enum yg_event_field)f);
			return true;
		}
	return false;
}

/* `field` for SQL: the column in lower case unless it is already. */
static void put_column(struct compiler *c, const struct field *f)
{
	yg_buf_put(&c->sql, f->folded ? YG_SV("") : YG_SV("lower("));
	yg_buf_put(&c->sql, yg_sv_of(f->column));
	yg_buf_put(&c->sql, f->folded ? YG_SV("") : YG_SV(")"));
}

static yg_status text_condition(struct compiler *c, const struct field *f, struct yg_sv v,
				bool wild)
{
	put_column(c, f);
	if (wild)
		return put_with(c, " LIKE ", like(c, v), "String", "");
	return put_with(c, " = ", lower(c, v), "String", "");
}

static yg_status list_condition(struct compiler *c, const struct field *f, struct yg_sv v,
				bool wild)
{
	if (wild) {
		yg_status st =
			put_with(c, "arrayExists(x -> lower(x) LIKE ", like(c, v), "String", ", ");
		yg_buf_put(&c->sql, yg_sv_of(f->column));
		yg_buf_putc(&c->sql, ')');
		return st;
	}
	if (f->folded) {
		yg_buf_put(&c->sql, YG_SV("has("));
		yg_buf_put(&c->sql, yg_sv_of(f->column));
		return put_with(c, ", ", lower(c, v), "String", ")");
	}
	yg_status st = put_with(c, "arrayExists(x -> lower(x) = ", lower(c, v), "String", ", ");
	yg_buf_put(&c->sql, yg_sv_of(f->column));
	yg_buf_putc(&c->sql, ')');
	return st;
}

static yg_status ip_condition(struct compiler *c, const struct field *f, struct yg_sv v, size_t at)
{
	struct yg_ip ip;
	unsigned bits = 128;
	if (yg_ip_parse(v, &ip) != YG_OK && yg_ip_prefix_parse(v, &ip, &bits, NULL) != YG_OK)
		return fail(c, at, "not an address or prefix:", v);
	yg_buf_putc(&c->sql, '(');
	ip_range(c, f->column, ip, bits);
	if (f->other != NULL) {
		yg_buf_put(&c->sql, YG_SV(" OR "));
		ip_range(c, f->other, ip, bits);
	}
	yg_buf_putc(&c->sql, ')');
	return YG_OK;
}

/* A class of events by its name. */
static bool class_number(struct yg_sv v, int64_t *out)
{
	static const struct {
		struct yg_sv caption;
		int64_t uid;
	} classes[] = {
#define X(id, uid, caption) {YG_SV_INIT(caption), uid},
		YG_OCSF_CLASSES(X)
#undef X
	};
	for (size_t i = 0; i < YG_LEN(classes); i++)
		if (yg_sv_ieq(v, classes[i].caption)) {
			*out = classes[i].uid;
			return true;
		}
	return false;
}

static bool word_number(const struct field *f, struct yg_sv v, int64_t *out)
{
	static const struct {
		struct yg_sv word;
		const char *column;
		int64_t value;
	} words[] = {
		{YG_SV_INIT("informational"), "severity_id", 1},
		{YG_SV_INIT("low"), "severity_id", 2},
		{YG_SV_INIT("medium"), "severity_id", 3},
		{YG_SV_INIT("high"), "severity_id", 4},
		{YG_SV_INIT("critical"), "severity_id", 5},
		{YG_SV_INIT("fatal"), "severity_id", 6},
		{YG_SV_INIT("success"), "status_id", 1},
		{YG_SV_INIT("failure"), "status_id", 2},
	};
	for (size_t i = 0; i < YG_LEN(words); i++)
		if (yg_sv_ieq(v, words[i].word) && strcmp(f->column, words[i].column) == 0) {
			*out = words[i].value;
			return true;
		}
	return f->is_class && class_number(v, out);
}

static yg_status number(struct compiler *c, const struct field *f, struct yg_sv v, size_t at,
			int64_t *out)
{
	yg_wall t;
	if (yg_parse_i64(v, out, NULL) == YG_OK && (f->type == YG_ET_I64 || *out >= 0))
		return YG_OK;
	if (f->is_time && yg_time_parse(v, &t, NULL) == YG_OK) {
		*out = t.us;
		return YG_OK;
	}
	if (f->is_span && yg_parse_span(v, out, NULL) == YG_OK)
		return YG_OK;
	if (word_number(f, v, out))
		return YG_OK;
	return fail(c, at, f->is_time ? "not a time (2026-01-02T03:04:05Z):" : "not a number:", v);
}

/* One comparison of a number; `values` are written as Int64 parameters. */
static yg_status compare(struct compiler *c, const char *column, const char *op, int64_t value)
{
	char text[24];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_i64(&b, value);
	yg_buf_put(&c->sql, yg_sv_of(column));
	yg_buf_putc(&c->sql, ' ');
	yg_buf_put(&c->sql, yg_sv_of(op));
	return put_with(c, " ", yg_sb_sv(&b), "Int64", "");
}

static yg_status number_one(struct compiler *c, const char *column, const char *op, int64_t low,
			    bool range, int64_t high)
{
	yg_status st = compare(c, column, range ? ">=" : op, low);
	if (st == YG_OK && range) {
		yg_buf_put(&c->sql, YG_SV(" AND "));
		st = compare(c, column, "<=", high);
	}
	return st;
}

static yg_status number_condition(struct compiler *c, const struct field *f, const char *op,
				  struct yg_sv v, size_t at)
{
	int64_t low, high = 0;
	size_t dots = 0;
	while (dots + 1 < v.n && (v.p[dots] != '.' || v.p[dots + 1] != '.'))
		dots++;
	bool range = strcmp(op, "=") == 0 && dots + 1 < v.n;
	yg_status st = number(c, f, range ? yg_sv_sub(v, 0, dots) : v, at, &low);
	if (st == YG_OK && range)
		st = number(c, f, yg_sv_sub(v, dots + 2, v.n), at + dots + 2, &high);
	if (st != YG_OK)
		return st;
	yg_buf_put(&c->sql, YG_SV("(("));
	st = number_one(c, f->column, op, low, range, high);
	if (st == YG_OK && f->other != NULL) {
		yg_buf_put(&c->sql, YG_SV(") OR ("));
		st = number_one(c, f->other, op, low, range, high);
	}
	yg_buf_put(&c->sql, YG_SV("))"));
	return st;
}

/* field:* */
static void exists(struct compiler *c, const struct field *f)
{
	const char *columns[] = {f->column, f->other};
	yg_buf_putc(&c->sql, '(');
	for (size_t i = 0; i < 2 && columns[i] != NULL; i++) {
		if (i > 0)
			yg_buf_put(&c->sql, YG_SV(" OR "));
		bool list = f->type == YG_ET_STRS,
		     text = f->type == YG_ET_STR || f->type == YG_ET_LSTR;
		yg_buf_put(&c->sql, list ? YG_SV("notEmpty(") : YG_SV(""));
		yg_buf_put(&c->sql, yg_sv_of(columns[i]));
		yg_buf_put(&c->sql, list                  ? YG_SV(")")
				    : text                ? YG_SV(" != ''")
				    : f->type == YG_ET_IP ? YG_SV(" != toFixedString('', 16)")
							  : YG_SV(" != 0"));
	}
	yg_buf_putc(&c->sql, ')');
}

static yg_status field_condition(struct compiler *c, const struct field *f, const char *op,
				 const struct word *w, struct yg_sv v, size_t at)
{
	bool equal = strcmp(op, "=") == 0;
	if (v.n == 0)
		return fail(c, at, "a value is missing", YG_SV(""));
	if (equal && !w->quoted && YG_SV_IS(v, "*")) {
		exists(c, f);
		return YG_OK;
	}
	bool wild = !w->quoted && has_star(v);
	switch (f->type) {
	case YG_ET_STR:
	case YG_ET_LSTR:
		return equal ? text_condition(c, f, v, wild)
			     : fail(c, at, "only numbers and times compare", YG_SV(""));
	case YG_ET_STRS:
		return equal ? list_condition(c, f, v, wild)
			     : fail(c, at, "only numbers and times compare", YG_SV(""));
	case YG_ET_IP:
		return equal ? ip_condition(c, f, v, at)
			     : fail(c, at, "only numbers and times compare", YG_SV(""));
	default: return number_condition(c, f, op, v, at);
	}
}

/* The operator behind a field's name: ":", ":>", ">=", ... */
static size_t read_op(struct yg_sv s, const char **out)
{
	static const struct {
		struct yg_sv text;
		const char *sql;
	} ops[] = {{YG_SV_INIT(":>="), ">="}, {YG_SV_INIT(":<="), "<="}, {YG_SV_INIT(":>"), ">"},
		   {YG_SV_INIT(":<"), "<"},   {YG_SV_INIT(">="), ">="},  {YG_SV_INIT("<="), "<="},
		   {YG_SV_INIT(":="), "="},   {YG_SV_INIT(":"), "="},    {YG_SV_INIT(">"), ">"},
		   {YG_SV_INIT("<"), "<"},    {YG_SV_INIT("="), "="}};
	for (size_t i = 0; i < YG_LEN(ops); i++)
		if (yg_sv_starts(s, ops[i].text)) {
			*out = ops[i].sql;
			return ops[i].text.n;
		}
	return 0;
}

/* How many bytes of s could be a field's name. */
static size_t name_length(struct yg_sv s)
{
	size_t i = 0;
	while (i < s.n && ((s.p[i] >= 'a' && s.p[i] <= 'z') ||
			   (i > 0 && s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '_'))
		i++;
	return i;
}

static yg_status term(struct compiler *c, const struct word *w)
{
	struct field f;
	struct yg_ip ip;
	const char *op = NULL;
	size_t n = name_length(w->text);
	struct yg_sv name = yg_sv_sub(w->text, 0, n), rest = yg_sv_sub(w->text, n, w->text.n);
	size_t op_n = n > 0 ? read_op(rest, &op) : 0;
	size_t at = w->at + w->negated;
	/* "http://x", "fe80::1" and "c:\x" have a colon, too. */
	bool plain = op_n == 0 || (yg_sv_starts(rest, YG_SV("://")) && !w->quoted) ||
		     yg_ip_parse(w->text, &ip) == YG_OK ||
		     (n == 1 && yg_sv_starts(rest, YG_SV(":\\")));
	c->uncounted |= plain || w->text.n == 0;
	if (w->quoted && w->text.n == 0)
		return raw_part(c, w->value);
	if (plain)
		return w->quoted ? fail(c, at, "not a field:", w->text) : plain_word(c, w->text);
	if (!field_find(name, &f))
		return fail(c, at, "unknown field", name);
	c->uncounted |= !f.is_class && strcmp(f.column, "org") != 0;
	struct yg_sv value = yg_sv_sub(rest, op_n, rest.n);
	if (w->quoted && value.n > 0)
		return fail(c, at + n + op_n, "a quote inside a word", YG_SV(""));
	return field_condition(c, &f, op, w, w->quoted ? w->value : value, at + n + op_n);
}

/* --- the whole ----------------------------------------------------------- */

static yg_status operand(struct compiler *c, const struct word *w)
{
	if (++c->terms > YG_SEARCH_TERMS_MAX)
		return YG_FAIL(c->err, YG_LIMIT, "search: more than %u conditions",
			       YG_SEARCH_TERMS_MAX);
	if (w->text.n > VALUE_MAX || w->value.n > VALUE_MAX)
		return YG_FAIL(c->err, YG_LIMIT, "search: a word of more than %u bytes at %zu",
			       VALUE_MAX, w->at + 1);
	if (!c->want_term)
		yg_buf_put(&c->sql, YG_SV(" AND "));
	if (w->negated)
		yg_buf_put(&c->sql, YG_SV("NOT "));
	c->want_term = false;
	return term(c, w);
}

static yg_status open_bracket(struct compiler *c, const struct word *w)
{
	if (++c->depth > YG_SEARCH_DEPTH_MAX)
		return YG_FAIL(c->err, YG_LIMIT, "search: more than %u open brackets at %zu",
			       YG_SEARCH_DEPTH_MAX, w->at + 1);
	if (!c->want_term)
		yg_buf_put(&c->sql, YG_SV(" AND "));
	yg_buf_put(&c->sql, w->negated ? YG_SV("NOT (") : YG_SV("("));
	c->want_term = true;
	return YG_OK;
}

static yg_status close_bracket(struct compiler *c, const struct word *w)
{
	if (c->depth == 0)
		return fail(c, w->at, "a bracket that was not opened", YG_SV(""));
	if (c->want_term)
		return fail(c, w->at, "a condition is missing before the bracket", YG_SV(""));
	c->depth--;
	yg_buf_putc(&c->sql, ')');
	return YG_OK;
}

/* AND, OR, NOT in capitals are operators; anything else is to be found. */
static bool operator(struct compiler *c, const struct word *w, yg_status *st)
{
	bool and = YG_SV_IS(w->text, "AND"), or = YG_SV_IS(w->text, "OR"),
	     not = YG_SV_IS(w->text, "NOT");
	if (w->kind != WORD_TEXT || w->quoted || w->negated || !(and || or || not ))
		return false;
	*st = YG_OK;
	if (not ) {
		yg_buf_put(&c->sql, c->want_term ? YG_SV("NOT ") : YG_SV(" AND NOT "));
		c->want_term = true;
	} else if (c->want_term) {
		*st = fail(c, w->at, "a condition is missing before", w->text);
	} else {
		yg_buf_put(&c->sql, and? YG_SV(" AND ") : YG_SV(" OR "));
		c->want_term = true;
	}
	return true;
}

static yg_status compile(struct compiler *c)
{
	struct word w;
	yg_status st = read_word(c, &w);
	if (st == YG_OK && w.kind == WORD_END) {
		yg_buf_put(&c->sql, YG_SV("1"));
		return YG_OK;
	}
	while (st == YG_OK && w.kind != WORD_END) {
		if (w.kind == WORD_OPEN)
			st = open_bracket(c, &w);
		else if (w.kind == WORD_CLOSE)
			st = close_bracket(c, &w);
		else if (!operator(c, &w, &st))
			st = operand(c, &w);
		if (st == YG_OK)
			st = read_word(c, &w);
	}
	if (st == YG_OK && c->want_term)
		st = fail(c, c->q.n, "a condition is missing", YG_SV(""));
	if (st == YG_OK && c->depth > 0)
		st = fail(c, c->q.n, "a bracket is still open", YG_SV(""));
	if (st == YG_OK && c->sql.bad)
		st = YG_FAIL(c->err, YG_LIMIT, "search: too long");
	return st;
}

yg_status yg_search_compile(struct yg_sv q, struct yg_arena *arena, struct yg_search *out,
			    struct yg_err *err)
{
	struct compiler c = {.q = q, .arena = arena, .err = err, .want_term = true};
	if (q.n > YG_SEARCH_MAX)
		return YG_FAIL(err, YG_TOOBIG, "search: longer than %u bytes", YG_SEARCH_MAX);
	if (yg_utf8_valid(q) != q.n)
		return YG_FAIL(err, YG_PARSE, "search: not UTF-8 at %zu", yg_utf8_valid(q) + 1);
	yg_buf_init(&c.sql, SQL_MAX);
	yg_status st = compile(&c);
	if (st == YG_OK) {
		struct yg_ch_param *params = YG_NEW_N(arena, struct yg_ch_param, c.param_count + 1);
		struct yg_sv where = yg_arena_dup(arena, yg_buf_sv(&c.sql));
		if (params == NULL || where.p == NULL) {
			st = YG_FAIL(err, YG_NOMEM, "search: out of memory");
		} else {
			memcpy(params, c.params, c.param_count * sizeof *params);
			*out = (struct yg_search){where, params, c.param_count, !c.uncounted};
		}
	}
	yg_buf_free(&c.sql);
	return st;
}
