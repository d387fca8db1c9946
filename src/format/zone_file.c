#include "format/zone_file.h"

#include <stdlib.h>

#include "format/zone_internal.h"

struct yg_zone_reader {
	struct yg_zone_opts opts;
	struct yg_dns_name origin, owner;
	bool have_owner, have_ttl, ttl_said, failed; /* ttl_said: by $TTL */
	uint32_t ttl;      /* of $TTL, else of the last record that says one */
	uint64_t line;     /* of the entry at hand, from 1 */
	struct yg_buf buf; /* what is not yet a whole entry */
	struct yg_zone_field fields[YG_ZONE_FIELDS_MAX];
	uint8_t rdata[65536];
};

/* One entry as it is cut. */
struct cut {
	const char *begin, *p, *end; /* p: behind what was read */
	const char *line_begin;
	uint32_t lines; /* newlines seen */
	unsigned depth; /* open parentheses */
	size_t count;   /* fields */
	bool indented;  /* no owner of its own */
};
enum cut_result { CUT_DONE, CUT_MORE, CUT_BAD };

static yg_status fail_at(struct yg_zone_reader *z, uint64_t line, uint32_t column,
			 const char *reason, struct yg_err *err)
{
	z->failed = true;
	return YG_FAIL(err, YG_PARSE, "line %llu, column %u: %s", (unsigned long long)line, column,
		       reason);
}

static yg_status fail_field(struct yg_zone_reader *z, const struct yg_zone_field *f,
			    const char *reason, struct yg_err *err)
{
	return fail_at(z, z->line + f->line, f->column, reason, err);
}

/* ---- cutting ---- */

static const uint8_t ends_field[256] = {
	[' '] = 1, ['\t'] = 1, ['\r'] = 1, ['\n'] = 1, [';'] = 1, ['('] = 1, [')'] = 1, ['"'] = 1};

static enum cut_result cut_quoted(struct cut *c, struct yg_zone_field *f, const char **why)
{
	const char *p = c->p + 1;
	while (p < c->end && *p != '"' && *p != '\n')
		p += *p == '\\' && p + 1 < c->end && p[1] != '\n' ? 2 : 1;
	if (p >= c->end)
		return CUT_MORE;
	if (*p == '\n') {
		*why = "the quote is not closed in its line";
		return CUT_BAD;
	}
	*f = (struct yg_zone_field){.text = {c->p + 1, (size_t)(p - c->p - 1)},
				    .line = c->lines,
				    .column = (uint32_t)(c->p - c->line_begin) + 1,
				    .quoted = true};
	c->p = p + 1;
	return CUT_DONE;
}

static enum cut_result cut_plain(struct cut *c, struct yg_zone_field *f)
{
	const char *p = c->p;
	while (p < c->end && ends_field[(uint8_t)*p] == 0)
		p += *p == '\\' && p + 1 < c->end && p[1] != '\n' ? 2 : 1;
	if (p >= c->end)
		return CUT_MORE;
	*f = (struct yg_zone_field){.text = {c->p, (size_t)(p - c->p)},
				    .line = c->lines,
				    .column = (uint32_t)(c->p - c->line_begin) + 1};
	c->p = p;
	return CUT_DONE;
}

static enum cut_result cut_field(struct yg_zone_reader *z, struct cut *c, const char **why)
{
	if (c->count == YG_ZONE_FIELDS_MAX) {
		*why = "too many fields in one record";
		return CUT_BAD;
	}
	struct yg_zone_field *f = &z->fields[c->count];
	enum cut_result r = *c->p == '"' ? cut_quoted(c, f, why) : cut_plain(c, f);
	c->count += r == CUT_DONE;
	return r;
}

/* A parenthesis or a newline at c->p; CUT_DONE: the entry ends. */
static enum cut_result cut_mark(struct cut *c, const char **why)
{
	char mark = *c->p++;
	if (mark == '\n') {
		c->lines++;
		c->line_begin = c->p;
		return c->depth == 0 ? CUT_DONE : CUT_MORE;
	}
	if (mark == '(' && c->depth++ < 16)
		return CUT_MORE;
	if (mark == ')' && c->depth > 0) {
		c->depth--;
		return CUT_MORE;
	}
	c->p--;
	*why = mark == ')' ? "')' without '('" : "too many parentheses inside each other";
	return CUT_BAD;
}

/* The next entry of [c->begin, c->end), which ends in a newline when it is whole. */
static enum cut_result cut_entry(struct yg_zone_reader *z, struct cut *c, const char **why)
{
	c->indented = c->p < c->end && (*c->p == ' ' || *c->p == '\t');
	while (c->p < c->end) {
		enum cut_result r;
		switch (*c->p) {
		case ' ':
		case '\t':
		case '\r': c->p++; continue;
		case ';': {
			const char *nl = memchr(c->p, '\n', (size_t)(c->end - c->p));
			if (nl == NULL)
				return CUT_MORE;
			c->p = nl;
			continue;
		}
		case '\n':
		case '(':
		case ')':
			r = cut_mark(c, why);
			if (r != CUT_MORE)
				return r;
			continue;
		default:
			r = cut_field(z, c, why);
			if (r != CUT_DONE)
				return r;
		}
	}
	return CUT_MORE;
}

/* ---- meaning ---- */

yg_status yg_zone_ttl_parse(struct yg_sv s, uint32_t *out)
{
	uint64_t sum = 0, part = 0;
	bool digit = false, unit = false;
	if (s.n == 0 || s.n > 24)
		return YG_PARSE;
	for (size_t i = 0; i < s.n; i++) {
		static const uint32_t seconds[26] = {['s' - 'a'] = 1,
						     ['m' - 'a'] = 60,
						     ['h' - 'a'] = 3600,
						     ['d' - 'a'] = 86400,
						     ['w' - 'a'] = 604800};
		char c = s.p[i];
		if (c >= '0' && c <= '9') {
			part = part * 10 + (unsigned)(c - '0');
			digit = true;
			if (part > YG_ZONE_TTL_MAX)
				return YG_PARSE;
			continue;
		}
		unsigned letter = (unsigned)((c | 0x20) - 'a');
		if (!digit || letter > 25 || seconds[letter] == 0)
			return YG_PARSE;
		sum += part * seconds[letter];
		part = 0;
		digit = false;
		unit = true;
	}
	if (unit && digit)
		return YG_PARSE;
	sum += part;
	if (sum > YG_ZONE_TTL_MAX)
		return YG_PARSE;
	*out = (uint32_t)sum;
	return YG_OK;
}

static yg_status take_name(struct yg_zone_reader *z, const struct yg_zone_field *f,
			   struct yg_dns_name *out, struct yg_err *err)
{
	struct yg_err why = {.msg = "not a name"};
	if (yg_dns_name_parse(f->text, &z->origin, out, &why) == YG_OK)
		return YG_OK;
	return fail_field(z, f, why.msg, err);
}

static yg_status directive(struct yg_zone_reader *z, size_t count, struct yg_err *err)
{
	const struct yg_zone_field *f = z->fields;
	if (yg_sv_ieq(f[0].text, YG_SV("$INCLUDE")))
		return fail_field(z, f, "$INCLUDE is not read: a zone is one file", err);
	if (yg_sv_ieq(f[0].text, YG_SV("$GENERATE")))
		return fail_field(z, f, "$GENERATE is not read: write the records", err);
	if (count != 2)
		return fail_field(z, f, "a directive and its one value were expected", err);
	if (yg_sv_ieq(f[0].text, YG_SV("$ORIGIN"))) {
		struct yg_dns_name name;
		yg_status st = take_name(z, &f[1], &name, err);
		if (st == YG_OK)
			z->origin = name;
		return st;
	}
	if (!yg_sv_ieq(f[0].text, YG_SV("$TTL")))
		return fail_field(z, f, "there is no such directive", err);
	if (yg_zone_ttl_parse(f[1].text, &z->ttl) != YG_OK)
		return fail_field(z, &f[1], "not a TTL", err);
	z->have_ttl = z->ttl_said = true;
	return YG_OK;
}

/* [TTL] [class] type, or [class] [TTL] type; *i is then behind the type. */
static yg_status take_head(struct yg_zone_reader *z, size_t count, size_t *i, struct yg_zone_rr *rr,
			   bool *has_ttl, struct yg_err *err)
{
	bool has_class = false;
	*has_ttl = false;
	rr->cls = YG_DNS_IN;
	for (; *i < count; (*i)++) {
		struct yg_sv s = z->fields[*i].text;
		if (YG_SV_IS(s, "CNAME")) /* nearly all of a policy zone */
			break;
		bool digit = s.n > 0 && s.p[0] >= '0' && s.p[0] <= '9';
		if (digit && !*has_ttl) {
			if (yg_zone_ttl_parse(s, &rr->ttl) != YG_OK)
				return fail_field(z, &z->fields[*i], "not a TTL", err);
			*has_ttl = true;
		} else if (!digit && !has_class && yg_dns_class_parse(s, &rr->cls) == YG_OK &&
			   !yg_sv_ieq(s, YG_SV("ANY"))) {
			has_class = true;
		} else {
			break;
		}
	}
	if (*i == count)
		return fail_field(z, &z->fields[count - 1], "a type is missing", err);
	if (YG_SV_IS(z->fields[*i].text, "CNAME"))
		rr->type = YG_DNS_CNAME;
	else if (yg_dns_type_parse(z->fields[*i].text, &rr->type) != YG_OK ||
		 yg_dns_type_is_meta(rr->type))
		return fail_field(z, &z->fields[*i], "not a type of records", err);
	(*i)++;
	return YG_OK;
}

/* A record without a TTL has that of $TTL or of the record before; an SOA its last field. */
static yg_status settle_ttl(struct yg_zone_reader *z, struct yg_zone_rr *rr, bool has_ttl,
			    struct yg_err *err)
{
	if (!has_ttl) {
		if (z->have_ttl)
			rr->ttl = z->ttl;
		else if (z->opts.ttl != 0)
			rr->ttl = z->opts.ttl;
		else if (rr->type == YG_DNS_SOA && rr->rdata.n >= 4)
			rr->ttl = yg_dns_get32(z->rdata + rr->rdata.n - 4);
		else
			return fail_field(z, z->fields, "no TTL: $TTL is missing", err);
	}
	if (rr->ttl > YG_ZONE_TTL_MAX)
		rr->ttl = 0; /* RFC 2181 8 */
	if (!z->ttl_said) {
		z->ttl = rr->ttl;
		z->have_ttl = true;
	}
	return YG_OK;
}

static yg_status record(struct yg_zone_reader *z, const struct cut *c, struct yg_err *err)
{
	struct yg_zone_rr rr = {.owner = &z->owner, .line = z->line + z->fields[0].line};
	struct yg_zone_data data = {.p = z->rdata};
	size_t i = 0;
	bool has_ttl;
	if (!c->indented) {
		yg_status st = take_name(z, &z->fields[i++], &z->owner, err);
		if (st != YG_OK)
			return st;
		z->have_owner = true;
	} else if (!z->have_owner) {
		return fail_field(z, z->fields, "the first record has no owner", err);
	}
	if (i == c->count)
		return fail_field(z, z->fields, "a type is missing", err);
	yg_status st = take_head(z, c->count, &i, &rr, &has_ttl, err);
	if (st != YG_OK)
		return st;
	struct yg_err why = {.msg = "bad data"};
	st = yg_zone_rdata(rr.type, z->fields + i, c->count - i, &z->origin, &data, &why);
	if (st != YG_OK) /* without any data: at the type */
		return fail_field(z, &z->fields[YG_MIN(i + data.at, c->count - 1)], why.msg, err);
	rr.unread = data.unread;
	rr.rdata = (struct yg_sv){(const char *)z->rdata, data.n};
	st = settle_ttl(z, &rr, has_ttl, err);
	return st == YG_OK ? z->opts.record(z->opts.ctx, &rr, err) : st;
}

/* ---- the stream ---- */

yg_status yg_zone_reader_new(const struct yg_zone_opts *opts, struct yg_zone_reader **out,
			     struct yg_err *err)
{
	struct yg_zone_reader *z = calloc(1, sizeof *z);
	if (z == NULL)
		return YG_FAIL(err, YG_NOMEM, "zone reader");
	z->opts = *opts;
	z->line = 1;
	if (opts->origin != NULL)
		z->origin = *opts->origin;
	else
		yg_dns_name_root(&z->origin);
	yg_buf_init(&z->buf, YG_ZONE_ENTRY_MAX + ((size_t)1 << 20));
	*out = z;
	return YG_OK;
}

void yg_zone_reader_free(struct yg_zone_reader *z)
{
	if (z == NULL)
		return;
	yg_buf_free(&z->buf);
	free(z);
}

/* Every whole entry of `text`; *used: the bytes they took. */
static yg_status take_entries(struct yg_zone_reader *z, struct yg_sv text, size_t *used,
			      struct yg_err *err)
{
	const char *p = text.p, *end = text.p + text.n;
	*used = 0;
	while (p < end) {
		struct cut c = {.begin = p, .p = p, .end = end, .line_begin = p};
		const char *why = "";
		yg_status st = YG_OK;
		enum cut_result r = cut_entry(z, &c, &why);
		if (r == CUT_BAD)
			return fail_at(z, z->line + c.lines, (uint32_t)(c.p - c.line_begin) + 1,
				       why, err);
		if (r == CUT_MORE)
			return YG_OK;
		if (c.count > 0)
			st = !c.indented && !z->fields[0].quoted && z->fields[0].text.n > 0 &&
					     z->fields[0].text.p[0] == '$'
				     ? directive(z, c.count, err)
				     : record(z, &c, err);
		if (st != YG_OK) {
			z->failed = true;
			return st;
		}
		z->line += c.lines;
		p = c.p;
		*used = (size_t)(p - text.p);
	}
	return YG_OK;
}

static yg_status take_buffer(struct yg_zone_reader *z, struct yg_err *err)
{
	size_t used;
	yg_status st = take_entries(z, yg_buf_sv(&z->buf), &used, err);
	if (st != YG_OK)
		return st;
	if (used > 0)
		memmove(z->buf.p, z->buf.p + used, z->buf.n - used);
	z->buf.n -= used;
	if (z->buf.n > YG_ZONE_ENTRY_MAX)
		return fail_at(z, z->line, 1, "the record is too long, or a '(' is not closed",
			       err);
	return YG_OK;
}

yg_status yg_zone_reader_feed(struct yg_zone_reader *z, struct yg_sv bytes, struct yg_err *err)
{
	if (z->failed)
		return YG_FAIL(err, YG_INVAL, "the zone has ended in an error");
	while (bytes.n > 0) {
		size_t n = YG_MIN(bytes.n, (size_t)1 << 20);
		yg_buf_put(&z->buf, yg_sv_sub(bytes, 0, n));
		if (z->buf.bad) {
			z->failed = true;
			return YG_FAIL(err, YG_NOMEM, "zone reader");
		}
		bytes = yg_sv_sub(bytes, n, bytes.n - n);
		yg_status st = take_buffer(z, err);
		if (st != YG_OK)
			return st;
	}
	return YG_OK;
}

yg_status yg_zone_reader_end(struct yg_zone_reader *z, struct yg_err *err)
{
	if (z->failed)
		return YG_FAIL(err, YG_INVAL, "the zone has ended in an error");
	if (z->buf.n == 0)
		return YG_OK;
	yg_status st = yg_zone_reader_feed(z, YG_SV("\n"), err);
	if (st == YG_OK && z->buf.n > 0)
		st = fail_at(z, z->line, 1, "the file ends inside a record: '(' or '\"' is open",
			     err);
	return st;
}
