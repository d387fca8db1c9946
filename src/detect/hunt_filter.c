#include "detect/hunt_filter.h"

#include "detect/view.h"
#include "store/clickhouse.h"

#define ARENA_MAX    ((size_t)16 << 20)
#define NEEDLE_LEAST 3u   /* bytes; shorter ones stand nearly everywhere */
#define NEEDLES_MAX  250u /* of one search; multiSearchAny takes 255 */

/* A condition in the making.  Two are told apart by their text: nothing is "every event
 * may", "0" is "none can".  What is too long, or finds no memory, is left unsaid. */
struct maker {
	struct yg_arena arena;
	uint32_t sources; /* bits by enum yg_source: of which kinds the rule's events may be */
};

static void maker_free(struct maker *m)
{
	yg_arena_free(&m->arena);
}

static bool every(struct yg_sv c)
{
	return c.n == 0;
}

static struct yg_sv keep(struct maker *m, struct yg_buf *b)
{
	struct yg_sv kept = {NULL, 0};
	if (!b->bad)
		kept = yg_arena_dup(&m->arena, yg_buf_sv(b));
	yg_buf_free(b);
	return kept.p != NULL ? kept : (struct yg_sv){NULL, 0};
}

static struct yg_sv join(struct maker *m, struct yg_sv a, const char *word, struct yg_sv b)
{
	struct yg_buf sql;
	yg_buf_init(&sql, YG_HUNT_FILTER_MAX);
	yg_buf_putc(&sql, '(');
	yg_buf_put(&sql, a);
	yg_buf_put(&sql, yg_sv_of(word));
	yg_buf_put(&sql, b);
	yg_buf_putc(&sql, ')');
	return keep(m, &sql);
}

static struct yg_sv both(struct maker *m, struct yg_sv a, struct yg_sv b)
{
	if (every(a) || YG_SV_IS(b, "0"))
		return b;
	return every(b) || YG_SV_IS(a, "0") ? a : join(m, a, " AND ", b);
}

static struct yg_sv either(struct maker *m, struct yg_sv a, struct yg_sv b)
{
	if (every(a) || YG_SV_IS(b, "0"))
		return a;
	return every(b) || YG_SV_IS(a, "0") ? b : join(m, a, " OR ", b);
}

/* ---- literals ---- */

/* JSON writes some characters otherwise: only what stands there as it is can be looked for.
 * \u.... can stand for any character, which the whole condition allows for. */
static bool plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '/';
}

/* The longest part of the text that stands in a record as it is. */
static struct yg_sv longest(struct yg_sv s, struct yg_sv best)
{
	for (size_t i = 0, from = 0; i <= s.n; i++) {
		if (i < s.n && plain((unsigned char)s.p[i]))
			continue;
		if (i - from > best.n)
			best = yg_sv_sub(s, from, i - from);
		from = i + 1;
	}
	return best;
}

struct needles {
	struct yg_sv v[NEEDLES_MAX];
	size_t n;
	bool digits; /* one of them may stand in a number or an address */
	bool word;   /* one of them may stand in true or false, which Zeek's TSV writes T and F */
};

static bool number_like(struct yg_sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if (strchr("0123456789abcdefABCDEF.:-", s.p[i]) == NULL)
			return false;
	return true;
}

static bool word_like(struct yg_sv s)
{
	static const struct yg_sv words[] = {YG_SV_INIT("true"), YG_SV_INIT("false")};
	for (size_t i = 0; i < YG_LEN(words); i++)
		for (size_t at = 0; at + s.n <= words[i].n; at++)
			if (yg_sv_ieq(s, yg_sv_sub(words[i], at, s.n)))
				return true;
	return false;
}

/* One of each way in which the value can be written; false: one of them has none. */
static bool take_needles(const struct yg_sigma_value *v, struct needles *out)
{
	if (v->test != YG_SIGMA_TEXT || v->pattern_count == 0)
		return false;
	for (size_t i = 0; i < v->pattern_count; i++) {
		struct yg_sv best = {NULL, 0};
		for (size_t k = 0; k < v->patterns[i].count; k++)
			if (v->patterns[i].parts[k].kind == YG_SIGMA_LITERAL)
				best = longest(v->patterns[i].parts[k].text, best);
		if (best.n < NEEDLE_LEAST || out->n == NEEDLES_MAX)
			return false;
		out->v[out->n++] = best;
		out->digits |= number_like(best);
		out->word |= word_like(best);
	}
	return true;
}

/* ---- where they stand ---- */

static void put_search(struct yg_buf *sql, struct yg_sv text, const struct needles *n)
{
	bool many = n->n > 1;
	yg_buf_put(sql, many ? YG_SV("multiSearchAnyCaseInsensitive(")
			     : YG_SV("positionCaseInsensitive("));
	yg_buf_put(sql, text);
	yg_buf_put(sql, many ? YG_SV(", [") : YG_SV(", "));
	for (size_t i = 0; i < n->n; i++) {
		if (i > 0)
			yg_buf_put(sql, YG_SV(", "));
		yg_ch_quote(sql, n->v[i]);
	}
	yg_buf_put(sql, many ? YG_SV("])") : YG_SV(") > 0"));
}

/* A byte as auditd writes it in hexadecimal digits, for an expression: letters of either case,
 * and for a blank also the zero that is read as one (view.c). */
static void put_hex_byte(struct yg_buf *sql, unsigned char c)
{
	unsigned char low = c | 0x20;
	if (c == ' ')
		yg_buf_put(sql, YG_SV("[02]0"));
	else if (low >= 'a' && low <= 'z')
		yg_buf_printf(sql, "[%d%d]%X", (low >> 4) - 2, low >> 4, c & 15u);
	else
		yg_buf_printf(sql, "%02X", c);
}

/* In a record of auditd one of them may stand in hexadecimal digits.  Where digits begin does not
 * matter: too much is let through, nothing is left out. */
static void put_hex(struct yg_buf *sql, const struct needles *n)
{
	yg_buf_put(sql, YG_SV(" OR (position(raw, 'msg=audit(') > 0 AND match(raw, '=[0-9A-F]*("));
	for (size_t i = 0; i < n->n; i++) {
		yg_buf_put(sql, i > 0 ? YG_SV("|") : YG_SV(""));
		for (size_t k = 0; k < n->v[i].n; k++)
			put_hex_byte(sql, (unsigned char)n->v[i].p[k]);
	}
	yg_buf_put(sql, YG_SV(")'))"));
}

/* A column as text; false: its text cannot be had. */
static bool put_column(struct yg_buf *sql, unsigned column)
{
	const struct yg_event_field_info *f = &yg_event_fields[column];
	if (sql->n > 0)
		yg_buf_put(sql, YG_SV(", '\\n', "));
	switch (f->type) {
	case YG_ET_STR:
	case YG_ET_LSTR: yg_buf_put(sql, yg_sv_of(f->name)); return true;
	case YG_ET_STRS: yg_buf_printf(sql, "arrayStringConcat(%s, '\\n')", f->name); return true;
	case YG_ET_IP: return false;
	default: yg_buf_printf(sql, "toString(toInt64(%s))", f->name); return true;
	}
}

static bool may_be(const struct maker *m, unsigned source)
{
	return source == 0 || (m->sources & 1u << source) != 0;
}

static bool only_windows(const struct maker *m)
{
	return (m->sources & ~(1u << YG_SOURCE_WINDOWS | 1u << YG_SOURCE_EVTX)) == 0;
}

/* Every column that can be the field; false: one of them has no text here. */
static bool put_columns(const struct maker *m, struct yg_sv field, struct yg_buf *sql)
{
	if (!only_windows(m))
		for (unsigned i = YG_EF_class_uid; i < YG_EF_names; i++)
			if (yg_sv_ieq(field, yg_sv_of(yg_event_fields[i].name)) &&
			    !put_column(sql, i))
				return false;
	for (const struct yg_detect_field_row *r = yg_detect_field_rows; r->to != NULL; r++)
		if (r->from == NULL && may_be(m, r->source) && yg_sv_ieq(field, yg_sv_of(r->to)) &&
		    !put_column(sql, r->column))
			return false;
	if (may_be(m, YG_SOURCE_SYSLOG)) /* auditd's fields are read from it */
		(void)put_column(sql, YG_EF_message);
	return true;
}

/* Keywords may stand in any value; false: in a number, too. */
static bool put_all_columns(const struct needles *n, struct yg_buf *sql)
{
	for (unsigned i = YG_EF_class_uid; i < YG_EF_names; i++) {
		enum yg_event_type t = yg_event_fields[i].type;
		if (t == YG_ET_STR || t == YG_ET_LSTR || t == YG_ET_STRS)
			(void)put_column(sql, i);
	}
	return !n->digits;
}

static struct yg_sv found(struct maker *m, struct yg_sv field, const struct needles *n)
{
	struct yg_buf columns, sql;
	yg_buf_init(&columns, 16384);
	yg_buf_init(&sql, YG_HUNT_FILTER_MAX);
	bool all = field.n > 0 ? put_columns(m, field, &columns) : put_all_columns(n, &columns);
	struct yg_sv out = {NULL, 0};
	if (all && !columns.bad) {
		struct yg_buf text;
		yg_buf_init(&text, 32768);
		yg_buf_putc(&sql, '(');
		put_search(&sql, YG_SV("raw"), n);
		if (columns.n > 0) {
			yg_buf_put(&text, YG_SV("concat("));
			yg_buf_put(&text, yg_buf_sv(&columns));
			yg_buf_put(&text, YG_SV(", '')"));
			yg_buf_put(&sql, YG_SV(" OR "));
			put_search(&sql, yg_buf_sv(&text), n);
		}
		if (may_be(m, YG_SOURCE_SYSLOG))
			put_hex(&sql, n);
		if (n->word && may_be(m, YG_SOURCE_ZEEK))
			yg_buf_put(&sql, YG_SV(" OR startsWith(raw, '#')"));
		yg_buf_putc(&sql, ')');
		sql.bad |= text.bad;
		yg_buf_free(&text);
		out = keep(m, &sql);
	}
	yg_buf_free(&columns);
	yg_buf_free(&sql);
	return out;
}

/* ---- the rule ---- */

static struct yg_sv of_item(struct maker *m, const struct yg_sigma_item *item)
{
	struct needles *n = YG_NEW(&m->arena, struct needles);
	struct yg_sv out = {NULL, 0};
	bool any = true; /* every value has its literals */
	if (n == NULL || item->neq)
		return out;
	for (size_t i = 0; any && i < item->value_count; i++) {
		bool has = take_needles(&item->values[i], n);
		if (item->all && has)
			out = both(m, out, found(m, item->field, n));
		if (item->all)
			*n = (struct needles){.n = 0};
		else
			any = has;
	}
	return item->all || !any || n->n == 0 ? out : found(m, item->field, n);
}

static struct yg_sv of_search(struct maker *m, const struct yg_sigma_search *s)
{
	struct yg_sv out = YG_SV("0");
	for (size_t i = 0; i < s->count && !every(out); i++) {
		struct yg_sv map = {NULL, 0};
		for (size_t k = 0; k < s->maps[i].count; k++)
			map = both(m, map, of_item(m, &s->maps[i].items[k]));
		out = either(m, out, map);
	}
	return out;
}

static struct yg_sv of_detection(struct maker *m, const struct yg_sigma_detection *d)
{
	struct yg_sv *stack = YG_NEW_N(&m->arena, struct yg_sv, d->step_count + 1);
	size_t n = 0;
	for (size_t i = 0; stack != NULL && i < d->step_count; i++) {
		switch (d->steps[i].kind) {
		case YG_SIGMA_SEARCH:
			stack[n++] = of_search(m, &d->searches[d->steps[i].search]);
			break;
		case YG_SIGMA_NOT: /* what is too wide would become too narrow */
			stack[n - 1] = (struct yg_sv){NULL, 0};
			break;
		case YG_SIGMA_AND:
			n--;
			stack[n - 1] = both(m, stack[n - 1], stack[n]);
			break;
		case YG_SIGMA_OR:
			n--;
			stack[n - 1] = either(m, stack[n - 1], stack[n]);
			break;
		}
	}
	return stack != NULL && n == 1 ? stack[0] : (struct yg_sv){NULL, 0};
}

/* ---- log sources ---- */

static bool row_fits(const struct yg_detect_source_row *row, const struct yg_sigma_rule *r)
{
	return (r->category.n == 0 || yg_sv_eq(r->category, yg_sv_of(row->category))) &&
	       (r->product.n == 0 || yg_sv_eq(r->product, yg_sv_of(row->product))) &&
	       (r->service.n == 0 || yg_sv_eq(r->service, yg_sv_of(row->service)));
}

static void put_lower(struct yg_buf *sql, const char *s, size_t n)
{
	char text[256];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	for (size_t i = 0; i < n; i++)
		yg_sb_putc(&b, s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] | 0x20) : s[i]);
	yg_ch_quote(sql, yg_sb_sv(&b));
}

static void put_name(struct yg_buf *sql, const char *column, const char *name)
{
	size_t n = strlen(name);
	bool begins = n > 0 && name[n - 1] == '*';
	yg_buf_printf(sql, begins ? " AND startsWith(lower(%s), " : " AND lower(%s) = ", column);
	put_lower(sql, name, begins ? n - 1 : n);
	if (begins)
		yg_buf_putc(sql, ')');
}

static void put_source(struct yg_buf *sql, unsigned source)
{
	if (source == YG_SOURCE_WINDOWS) /* as which files of event logs are taken, too */
		yg_buf_put(sql, YG_SV("source IN ('windows', 'evtx')"));
	else if (source == YG_SOURCE_NDJSON)
		yg_buf_put(sql, YG_SV("startsWith(source, 'ndjson')"));
	else if (source != 0)
		yg_buf_printf(sql, "source = '%s'", yg_source_name((enum yg_source)source));
	else
		yg_buf_put(sql, YG_SV("1"));
}

static struct yg_sv of_row(struct maker *m, const struct yg_detect_source_row *row)
{
	struct yg_buf sql;
	yg_buf_init(&sql, 4096);
	yg_buf_putc(&sql, '(');
	put_source(&sql, row->source);
	if (row->class_uid != 0)
		yg_buf_printf(&sql, " AND class_uid = %u", row->class_uid);
	if (row->log_name != NULL)
		put_name(&sql, "log_name", row->log_name);
	if (row->app != NULL)
		put_name(&sql, "app", row->app);
	if (row->codes != NULL) {
		struct yg_sv rest = yg_sv_of(row->codes), one;
		bool more = false;
		yg_buf_put(&sql, YG_SV(" AND event_code IN ("));
		while (rest.n > 0 && yg_sv_cut(&rest, ',', &one)) {
			if (one.n == 0)
				continue;
			yg_buf_put(&sql, more ? YG_SV(", ") : YG_SV(""));
			yg_ch_quote(&sql, one);
			more = true;
		}
		yg_buf_putc(&sql, ')');
	}
	yg_buf_putc(&sql, ')');
	return keep(m, &sql);
}

static bool whole_source(const struct yg_detect_source_row *row)
{
	return row->source != 0 && row->class_uid == 0 && row->log_name == NULL &&
	       row->codes == NULL && row->app == NULL;
}

static struct yg_sv of_logsource(struct maker *m, const struct yg_sigma_rule *r)
{
	struct yg_sv out = YG_SV("0");
	uint32_t whole = 0; /* all events of these sources are of the rule's log source */
	if (r->category.n + r->product.n + r->service.n == 0) {
		m->sources = UINT32_MAX;
		return (struct yg_sv){NULL, 0};
	}
	for (const struct yg_detect_source_row *row = yg_detect_source_rows; row->product != NULL;
	     row++) {
		if (!row_fits(row, r))
			continue;
		m->sources |= row->source != 0 ? 1u << row->source : UINT32_MAX;
		if (row->source != 0 && (whole & 1u << row->source) != 0)
			continue;
		whole |= whole_source(row) ? 1u << row->source : 0;
		out = either(m, out, of_row(m, row));
	}
	if ((m->sources & 1u << YG_SOURCE_WINDOWS) != 0)
		m->sources |= 1u << YG_SOURCE_EVTX;
	return out;
}

static yg_status put(struct yg_buf *sql, struct yg_sv condition, struct yg_err *err)
{
	yg_buf_put(sql, every(condition) ? YG_SV("1") : condition);
	return sql->bad ? YG_FAIL(err, YG_NOMEM, "the condition of a rule") : YG_OK;
}

yg_status yg_hunt_filter(const struct yg_sigma_rule *rule, struct yg_buf *sql, struct yg_err *err)
{
	YG_AUTO(maker_free) struct maker m = {.sources = 0};
	yg_arena_init(&m.arena, ARENA_MAX);
	struct yg_sv source = of_logsource(&m, rule),
		     detection = of_detection(&m, &rule->detection);
	/* "\u" in a record, "\x" in a row of Zeek's: then a literal may stand there in another way */
	if (!every(detection) && !YG_SV_IS(detection, "0")) {
		detection = either(&m, detection, YG_SV("position(raw, '\\\\u') > 0"));
		if (may_be(&m, YG_SOURCE_ZEEK))
			detection = either(
				&m, detection,
				YG_SV("(startsWith(raw, '#') AND position(raw, '\\\\x') > 0)"));
	}
	struct yg_sv all = both(&m, source, detection);
	return put(sql, every(all) ? source : all, err);
}

yg_status yg_hunt_filter_source(const struct yg_sigma_rule *rule, struct yg_buf *sql,
				struct yg_err *err)
{
	YG_AUTO(maker_free) struct maker m = {.sources = 0};
	yg_arena_init(&m.arena, ARENA_MAX);
	return put(sql, of_logsource(&m, rule), err);
}
