#include "intel/list.h"

#include <stdlib.h>

#define CHUNK            65536u
#define COLUMNS_MAX      32
#define QUOTED_LINES_MAX 16 /* lines one quoted record may span; an open quote ends there */

enum column {
	COL_NONE,
	COL_VALUE,
	COL_TYPE,
	COL_CATEGORY,
	COL_FAMILY,
	COL_CONFIDENCE,
	COL_SEVERITY,
	COL_FROM,
	COL_UNTIL,
	COL_TLP,
	COL_ACTION,
};
static const struct {
	struct yg_sv name;
	enum column column;
} column_names[] = {
	{YG_SV_INIT("indicator"), COL_VALUE},
	{YG_SV_INIT("value"), COL_VALUE},
	{YG_SV_INIT("ioc"), COL_VALUE},
	{YG_SV_INIT("ioc_value"), COL_VALUE},
	{YG_SV_INIT("type"), COL_TYPE},
	{YG_SV_INIT("indicator_type"), COL_TYPE},
	{YG_SV_INIT("ioc_type"), COL_TYPE},
	{YG_SV_INIT("category"), COL_CATEGORY},
	{YG_SV_INIT("threat_type"), COL_CATEGORY},
	{YG_SV_INIT("family"), COL_FAMILY},
	{YG_SV_INIT("malware"), COL_FAMILY},
	{YG_SV_INIT("malware_printable"), COL_FAMILY},
	{YG_SV_INIT("confidence"), COL_CONFIDENCE},
	{YG_SV_INIT("confidence_level"), COL_CONFIDENCE},
	{YG_SV_INIT("severity"), COL_SEVERITY},
	{YG_SV_INIT("severity_id"), COL_SEVERITY},
	{YG_SV_INIT("valid_from"), COL_FROM},
	{YG_SV_INIT("valid_until"), COL_UNTIL},
	{YG_SV_INIT("expires"), COL_UNTIL},
	{YG_SV_INIT("tlp"), COL_TLP},
	{YG_SV_INIT("action"), COL_ACTION},
};

struct yg_list_reader {
	struct yg_list_opts opts;
	enum yg_list_format format; /* AUTO until the first line is seen */
	struct yg_inflate *inflate; /* owned; NULL: plain */
	bool begun, skipping;       /* skipping: inside a line that is too long */
	bool mark_seen;             /* the place of a byte order mark is behind us */
	uint64_t line;              /* of the record at hand, from 1 */
	struct yg_buf buf;          /* what is not yet a whole record */
	enum column columns[COLUMNS_MAX];
	size_t column_count;
	bool header_seen;
	struct yg_list_counts counts;
	char *plain; /* owned: CHUNK bytes of inflated data */
};

const char *yg_list_format_name(enum yg_list_format f)
{
	switch (f) {
#define X(id, name, doc)                                                                           \
	case YG_LIST_##id: return name;
		YG_LIST_FORMATS(X)
#undef X
	case YG_LIST_FORMAT_COUNT: break;
	}
	return "auto";
}

yg_status yg_list_format_parse(struct yg_sv s, enum yg_list_format *out)
{
	for (unsigned i = 0; i < YG_LIST_FORMAT_COUNT; i++) {
		if (yg_sv_eq(s, yg_sv_of(yg_list_format_name((enum yg_list_format)i)))) {
			*out = (enum yg_list_format)i;
			return YG_OK;
		}
	}
	return YG_PARSE;
}

static void refuse(struct yg_list_reader *l, const char *reason, struct yg_sv text)
{
	l->counts.refused++;
	if (l->opts.refused != NULL)
		l->opts.refused(l->opts.ctx, l->line, reason, yg_sv_sub(yg_sv_trim(text), 0, 200));
}

/* Fills in what follows from the category, and hands the entry on. */
static yg_status give(struct yg_list_reader *l, struct yg_indicator *ind, struct yg_sv text,
		      struct yg_err *err)
{
	struct yg_err why = {.msg = "unknown type"};
	if (ind->type == YG_IND_NONE)
		ind->type = yg_indicator_guess(ind->value);
	if (ind->type == YG_IND_NONE) {
		refuse(l, "not an indicator of any known type", text);
		return YG_OK;
	}
	if (ind->severity_id == 0)
		ind->severity_id = yg_category_severity(ind->category);
	if (ind->confidence == 0)
		ind->confidence = yg_category_confidence(ind->category);
	yg_status st = l->opts.entry(l->opts.ctx, ind, l->line, &why);
	if (st == YG_OK) {
		l->counts.entries++;
	} else if (st == YG_PARSE || st == YG_DENIED) {
		refuse(l, why.msg, text);
	} else {
		if (err != NULL)
			*err = why;
		return st;
	}
	return YG_OK;
}

/* ---- CSV ---- */

/* Cuts `text` into fields.  NULL, or what is wrong; *open: a quote is open at the end. */
static const char *cut_fields(struct yg_sv text, struct yg_sv *fields, size_t *out_n, bool *open)
{
	size_t n = 0, at = 0;
	*open = false;
	for (;;) {
		if (n == COLUMNS_MAX)
			return "too many columns";
		size_t end;
		if (at < text.n && text.p[at] == '"') {
			end = at + 1;
			while (end < text.n &&
			       (text.p[end] != '"' || (end + 1 < text.n && text.p[end + 1] == '"')))
				end += text.p[end] == '"' ? 2 : 1;
			if (end >= text.n) {
				*open = true;
				return "a quote is not closed";
			}
			end++;
			if (end < text.n && text.p[end] != ',')
				return "text behind a closing quote";
		} else {
			end = yg_sv_find(text, ',', at);
		}
		fields[n++] = yg_sv_sub(text, at, end - at);
		if (end >= text.n)
			break;
		at = end + 1;
	}
	*out_n = n;
	return NULL;
}

/* Quotes off, in place: the text of a record is ours to change. */
static struct yg_sv unquote(struct yg_sv f)
{
	if (f.n < 2 || f.p[0] != '"')
		return yg_sv_trim(f);
	char *to = (char *)(uintptr_t)f.p;
	size_t n = 0;
	for (size_t i = 1; i + 1 < f.n; i++) {
		to[n++] = f.p[i];
		if (f.p[i] == '"')
			i++;
	}
	return yg_sv_trim((struct yg_sv){to, n});
}

static enum column column_of(struct yg_sv name)
{
	for (size_t i = 0; i < YG_LEN(column_names); i++)
		if (yg_sv_ieq(name, column_names[i].name))
			return column_names[i].column;
	return COL_NONE;
}

/* True when the fields are a header; sets the columns. */
static bool take_header(struct yg_list_reader *l, const struct yg_sv *fields, size_t n)
{
	bool value = false;
	for (size_t i = 0; i < n; i++) {
		l->columns[i] = column_of(unquote(fields[i]));
		value = value || l->columns[i] == COL_VALUE;
	}
	l->column_count = n;
	l->header_seen = true;
	if (value)
		return true;
	static const enum column usual[] = {COL_VALUE, COL_TYPE, COL_CATEGORY, COL_FAMILY};
	memcpy(l->columns, usual, sizeof usual);
	l->column_count = YG_LEN(usual);
	return false;
}

/* RFC 3339, a date, or seconds since 1970. */
static bool take_time(struct yg_sv s, yg_wall *out)
{
	char day[32];
	struct yg_sb b = yg_sb_init(day, sizeof day);
	uint64_t seconds;
	if (s.n == 0)
		return true;
	if (yg_parse_u64(s, &seconds, NULL) == YG_OK && seconds < 253402300800ull) {
		out->us = (int64_t)seconds * YG_US_PER_S;
		return true;
	}
	yg_sb_put(&b, yg_sv_sub(s, 0, 31));
	if (s.n == 10)
		yg_sb_put(&b, YG_SV("T00:00:00Z"));
	return yg_time_parse(s.n == 10 ? yg_sb_sv(&b) : s, out, NULL) == YG_OK;
}

static bool take_severity(struct yg_sv s, uint8_t *out)
{
	static const char *const names[] = {"",     "informational", "low",  "medium",
					    "high", "critical",      "fatal"};
	uint64_t v;
	if (yg_parse_u64(s, &v, NULL) == YG_OK && v >= 1 && v <= 6) {
		*out = (uint8_t)v;
		return true;
	}
	for (size_t i = 0; i < YG_LEN(names); i++) {
		if (yg_sv_ieq(s, yg_sv_of(names[i]))) {
			*out = (uint8_t)i;
			return true;
		}
	}
	return false;
}

/* NULL, or what is wrong with the field. */
static const char *take_field(struct yg_indicator *ind, enum column column, struct yg_sv f)
{
	uint64_t v;
	enum yg_tlp tlp;
	switch (column) {
	case COL_VALUE: ind->value = f; break;
	case COL_TYPE:
		if (f.n > 0 && yg_indicator_type_parse(f, &ind->type) != YG_OK)
			return "unknown indicator type";
		break;
	case COL_CATEGORY: ind->category = f; break;
	case COL_FAMILY: ind->family = f; break;
	case COL_CONFIDENCE:
		if (f.n > 0 && (yg_parse_u64(f, &v, NULL) != YG_OK || v > 100))
			return "confidence is not 0 to 100";
		if (f.n > 0)
			ind->confidence = (uint8_t)v;
		break;
	case COL_SEVERITY:
		if (!take_severity(f, &ind->severity_id))
			return "severity is not 1 to 6 or its name";
		break;
	case COL_FROM: return take_time(f, &ind->valid_from) ? NULL : "valid_from is no time";
	case COL_UNTIL: return take_time(f, &ind->valid_until) ? NULL : "valid_until is no time";
	case COL_TLP:
		if (yg_tlp_parse(f, &tlp) != YG_OK)
			return "tlp is not clear, green, amber, amber+strict or red";
		if (f.n > 0)
			ind->tlp = (uint8_t)tlp;
		break;
	case COL_ACTION:
		if (!yg_sv_ieq(f, YG_SV("allow")) && !yg_sv_ieq(f, YG_SV("detect")) && f.n > 0)
			return "action is not allow or detect";
		if (f.n > 0)
			ind->allow = yg_sv_ieq(f, YG_SV("allow"));
		break;
	case COL_NONE: break;
	}
	return NULL;
}

/* One record of a CSV.  *open: a quoted field goes on behind `text`. */
static yg_status csv_record(struct yg_list_reader *l, struct yg_sv text, bool last_try, bool *open,
			    struct yg_err *err)
{
	struct yg_sv fields[COLUMNS_MAX] __attribute__((uninitialized));
	size_t n = 0;
	if (text.n > 0 && text.p[text.n - 1] == '\r')
		text.n--;
	const char *wrong = cut_fields(text, fields, &n, open);
	if (*open && !last_try)
		return YG_OK;
	if (wrong != NULL) {
		refuse(l, wrong, text);
		return YG_OK;
	}
	if (!l->header_seen && take_header(l, fields, n))
		return YG_OK;
	struct yg_indicator ind = l->opts.defaults;
	for (size_t i = 0; i < n && i < l->column_count; i++) {
		wrong = take_field(&ind, l->columns[i], unquote(fields[i]));
		if (wrong != NULL) {
			refuse(l, wrong, text);
			return YG_OK;
		}
	}
	if (ind.value.n == 0) {
		refuse(l, "no indicator on this line", text);
		return YG_OK;
	}
	return give(l, &ind, text, err);
}

/* ---- plain text and hosts ---- */

static struct yg_sv without_comment(struct yg_sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '#' && (i == 0 || s.p[i - 1] == ' ' || s.p[i - 1] == '\t'))
			return yg_sv_trim(yg_sv_sub(s, 0, i));
	return yg_sv_trim(s);
}

static yg_status plain_line(struct yg_list_reader *l, struct yg_sv text, struct yg_err *err)
{
	struct yg_indicator ind = l->opts.defaults;
	ind.value = without_comment(text);
	return ind.value.n > 0 ? give(l, &ind, text, err) : YG_OK;
}

/* The next word; empty at the end. */
static struct yg_sv next_word(struct yg_sv *rest)
{
	size_t from = 0, to;
	while (from < rest->n && (rest->p[from] == ' ' || rest->p[from] == '\t'))
		from++;
	for (to = from; to < rest->n && rest->p[to] != ' ' && rest->p[to] != '\t';)
		to++;
	struct yg_sv word = yg_sv_sub(*rest, from, to - from);
	*rest = yg_sv_sub(*rest, to, rest->n);
	return word;
}

/* Names every hosts file has for the machine itself. */
static bool is_own_name(struct yg_sv name)
{
	static const struct yg_sv own[] = {
		YG_SV_INIT("localhost"),     YG_SV_INIT("localhost.localdomain"),
		YG_SV_INIT("local"),         YG_SV_INIT("broadcasthost"),
		YG_SV_INIT("ip6-localhost"), YG_SV_INIT("ip6-loopback"),
		YG_SV_INIT("ip6-localnet"),  YG_SV_INIT("ip6-mcastprefix"),
		YG_SV_INIT("ip6-allnodes"),  YG_SV_INIT("ip6-allrouters"),
		YG_SV_INIT("ip6-allhosts"),  YG_SV_INIT("0.0.0.0"),
	};
	for (size_t i = 0; i < YG_LEN(own); i++)
		if (yg_sv_ieq(name, own[i]))
			return true;
	return false;
}

static yg_status hosts_line(struct yg_list_reader *l, struct yg_sv text, struct yg_err *err)
{
	struct yg_sv rest = without_comment(text), word = next_word(&rest);
	struct yg_ip ip;
	if (word.n == 0)
		return YG_OK;
	if (yg_ip_parse(word, &ip) != YG_OK) {
		refuse(l, "a line of a hosts file begins with an address", text);
		return YG_OK;
	}
	yg_status st = YG_OK;
	while (st == YG_OK && (word = next_word(&rest)).n > 0) {
		struct yg_indicator ind = l->opts.defaults;
		ind.value = word;
		if (ind.type == YG_IND_NONE)
			ind.type = YG_IND_FQDN; /* a hosts file speaks of single names */
		if (!is_own_name(word))
			st = give(l, &ind, text, err);
	}
	return st;
}

/* ---- lines ---- */

static bool looks_like_csv(struct yg_sv text)
{
	struct yg_sv fields[COLUMNS_MAX];
	size_t n = 0;
	bool open;
	enum yg_indicator_type type;
	if (cut_fields(yg_sv_trim(text), fields, &n, &open) != NULL)
		return false;
	for (size_t i = 0; i < n; i++) /* not unquoted: that would change the text */
		if (column_of(yg_sv_trim(fields[i])) == COL_VALUE ||
		    (fields[i].n > 2 &&
		     column_of(yg_sv_sub(fields[i], 1, fields[i].n - 2)) == COL_VALUE))
			return true;
	return n >= 2 && yg_indicator_type_parse(yg_sv_trim(fields[1]), &type) == YG_OK;
}

static enum yg_list_format sniff(struct yg_sv text)
{
	struct yg_sv rest = without_comment(text), word = next_word(&rest);
	struct yg_ip ip;
	if (looks_like_csv(text))
		return YG_LIST_CSV;
	if (yg_ip_parse(word, &ip) == YG_OK && next_word(&rest).n > 0)
		return YG_LIST_HOSTS;
	return YG_LIST_PLAIN;
}

static bool is_blank(struct yg_sv text)
{
	struct yg_sv s = yg_sv_trim(text);
	return s.n == 0 || s.p[0] == '#';
}

/* One line or quoted record.  *open as csv_record. */
static yg_status take_line(struct yg_list_reader *l, struct yg_sv text, bool last_try, bool *open,
			   struct yg_err *err)
{
	*open = false;
	if (is_blank(text))
		return YG_OK;
	if (text.n > YG_LIST_LINE_MAX) {
		refuse(l, "a line is longer than 64 KiB", text);
		return YG_OK;
	}
	if (l->format == YG_LIST_AUTO)
		l->format = sniff(text);
	switch (l->format) {
	case YG_LIST_CSV: return csv_record(l, text, last_try, open, err);
	case YG_LIST_HOSTS: return hosts_line(l, text, err);
	case YG_LIST_AUTO:
	case YG_LIST_PLAIN:
	case YG_LIST_FORMAT_COUNT: break;
	}
	return plain_line(l, text, err);
}

/* The record at the front of `rest`: its bytes with the newline, 0 when more
 * input is needed, SIZE_MAX on an error (*st).  When a quote stays open, only
 * the line it stands on is lost. */
static size_t take_record(struct yg_list_reader *l, struct yg_sv rest, bool final, yg_status *st,
			  struct yg_err *err)
{
	size_t first = yg_sv_find(rest, '\n', 0), end = first;
	unsigned lines = 1;
	if (first == rest.n && !final)
		return 0;
	for (;; lines++) {
		bool open;
		*st = take_line(l, yg_sv_sub(rest, 0, end), false, &open, err);
		if (*st != YG_OK)
			return SIZE_MAX;
		if (!open)
			break;
		size_t next = end < rest.n ? yg_sv_find(rest, '\n', end + 1) : rest.n;
		if (end == rest.n || lines == QUOTED_LINES_MAX || next > YG_LIST_LINE_MAX) {
			(void)take_line(l, yg_sv_sub(rest, 0, first), true, &open, err);
			end = first;
			lines = 1;
			break;
		}
		if (next == rest.n && !final)
			return 0;
		end = next;
	}
	l->line += lines;
	l->counts.lines += lines;
	return YG_MIN(end + 1, rest.n);
}

static yg_status take_buffer(struct yg_list_reader *l, bool final, struct yg_err *err)
{
	struct yg_sv rest = yg_buf_sv(&l->buf);
	yg_status st = YG_OK;
	while (rest.n > 0) {
		if (l->skipping) {
			size_t end = yg_sv_find(rest, '\n', 0);
			l->skipping = end == rest.n;
			l->line += !l->skipping;
			l->counts.lines += !l->skipping;
			rest = yg_sv_sub(rest, end + 1, rest.n);
			continue;
		}
		size_t used = take_record(l, rest, final, &st, err);
		if (used == SIZE_MAX)
			return st;
		if (used == 0 && rest.n > YG_LIST_LINE_MAX && yg_sv_find(rest, '\n', 0) == rest.n) {
			refuse(l, "a line is longer than 64 KiB", rest);
			l->skipping = true;
			continue;
		}
		if (used == 0)
			break;
		rest = yg_sv_sub(rest, used, rest.n);
	}
	if (rest.n > 0)
		memmove(l->buf.p, rest.p, rest.n);
	l->buf.n = rest.n;
	return YG_OK;
}

static yg_status take_plain(struct yg_list_reader *l, struct yg_sv bytes, struct yg_err *err)
{
	while (bytes.n > 0) {
		struct yg_sv part = yg_sv_sub(bytes, 0, CHUNK);
		bytes = yg_sv_sub(bytes, part.n, bytes.n);
		yg_buf_put(&l->buf, part);
		if (l->buf.bad)
			return YG_FAIL(err, YG_NOMEM, "list buffer");
		if (!l->mark_seen && l->buf.n >= 3) {
			l->mark_seen = true;
			if (memcmp(l->buf.p, "\xef\xbb\xbf", 3) == 0)
				memmove(l->buf.p, l->buf.p + 3, l->buf.n -= 3);
		}
		yg_status st = take_buffer(l, false, err);
		if (st != YG_OK)
			return st;
		l->mark_seen = l->mark_seen || l->counts.lines > 0;
	}
	return YG_OK;
}

static yg_status take_packed(struct yg_list_reader *l, struct yg_sv bytes, struct yg_err *err)
{
	size_t n = 0;
	do {
		yg_status st = yg_inflate(l->inflate, &bytes, l->plain, CHUNK, &n, err);
		if (st == YG_OK && n > 0)
			st = take_plain(l, (struct yg_sv){l->plain, n}, err);
		if (st != YG_OK)
			return st;
	} while (bytes.n > 0 || n > 0);
	return YG_OK;
}

static yg_status begin(struct yg_list_reader *l, struct yg_sv head, struct yg_err *err)
{
	enum yg_encoding enc = yg_encoding_sniff(head);
	l->begun = true;
	if (enc == YG_PLAIN)
		return YG_OK;
	l->plain = malloc(CHUNK);
	if (l->plain == NULL)
		return YG_FAIL(err, YG_NOMEM, "list buffer");
	return yg_inflate_new(enc, YG_LIST_BYTES_MAX, &l->inflate, err);
}

yg_status yg_list_feed(struct yg_list_reader *l, struct yg_sv bytes, struct yg_err *err)
{
	if (bytes.n == 0)
		return YG_OK;
	if (!l->begun) {
		yg_status st = begin(l, bytes, err);
		if (st != YG_OK)
			return st;
	}
	return l->inflate != NULL ? take_packed(l, bytes, err) : take_plain(l, bytes, err);
}

yg_status yg_list_end(struct yg_list_reader *l, struct yg_err *err)
{
	yg_status st = take_buffer(l, true, err);
	if (st == YG_OK && l->inflate != NULL && !yg_inflate_complete(l->inflate))
		return YG_FAIL(err, YG_PARSE, "the compressed list is cut off");
	return st;
}

struct yg_list_counts yg_list_counts(const struct yg_list_reader *l)
{
	return l->counts;
}

yg_status yg_list_new(const struct yg_list_opts *opts, struct yg_list_reader **out,
		      struct yg_err *err)
{
	struct yg_list_reader *l = calloc(1, sizeof *l);
	if (l == NULL)
		return YG_FAIL(err, YG_NOMEM, "list reader");
	l->opts = *opts;
	l->format = opts->format;
	l->line = 1;
	/* what is left of one chunk, at most a record, and the next chunk */
	yg_buf_init(&l->buf, YG_LIST_LINE_MAX + 4 * (size_t)CHUNK);
	*out = l;
	return YG_OK;
}

void yg_list_free(struct yg_list_reader *l)
{
	if (l == NULL)
		return;
	yg_inflate_free(l->inflate);
	yg_buf_free(&l->buf);
	free(l->plain);
	free(l);
}
