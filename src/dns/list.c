#include "dns/list.h"

#include <stdlib.h>

#include "intel/list.h"

struct yg_dns_list {
	struct yg_dns_list_opts opts;
	struct yg_suffixes *suffixes; /* owned */
	struct yg_list_reader *csv;   /* owned; NULL: not CSV */
	struct yg_buf buf;            /* what is not yet a whole line */
	bool begun, skipping;         /* skipping: inside a line that is too long */
	uint64_t line;
};

static void refuse(struct yg_dns_list *l, uint64_t line, const char *reason, struct yg_sv text)
{
	char safe[400];
	struct yg_sb b = yg_sb_init(safe, sizeof safe);
	yg_sb_put_untrusted(&b, yg_sv_sub(yg_sv_trim(text), 0, 90));
	yg_dns_builder_refuse(l->opts.builder, l->opts.zone, line, reason, yg_sb_sv(&b));
}

static enum yg_dns_action block_action(const struct yg_dns_list *l, bool allow)
{
	return l->opts.allow || allow ? YG_DNS_ACTION_PASSTHRU : YG_DNS_ACTION_NXDOMAIN;
}

/* ---- one name or address ---- */

static bool is_plain_name(struct yg_sv s)
{
	static const uint8_t ok[256] = {
		['-'] = 1, ['.'] = 1, ['_'] = 1, ['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1,
		['4'] = 1, ['5'] = 1, ['6'] = 1, ['7'] = 1, ['8'] = 1, ['9'] = 1};
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = (uint8_t)s.p[i], lower = c | 0x20;
		if (ok[c] == 0 && (lower < 'a' || lower > 'z'))
			return false;
	}
	return s.n > 0;
}

/* The name in wire form; international names by IDNA. */
static yg_status read_name(struct yg_sv s, struct yg_dns_name *out, struct yg_err *err)
{
	char buf[YG_DOMAIN_MAX + 1];
	struct yg_sb b = yg_sb_init(buf, sizeof buf);
	if (is_plain_name(s))
		return yg_dns_name_parse(s, NULL, out, err);
	yg_status st = yg_domain_normalize(s, &b, err);
	return st == YG_OK ? yg_dns_name_parse(yg_sb_sv(&b), NULL, out, err) : st;
}

static bool covers_suffix(const struct yg_dns_list *l, const struct yg_dns_name *name)
{
	char text[YG_DNS_NAME_TEXT_MAX];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	if (l->opts.force || name->labels > 5)
		return false;
	yg_dns_name_format(&b, name);
	return yg_suffixes_covers(l->suffixes, yg_sb_cstr(&b));
}

/* "name", "*.name" (only what is below), ".name"; exact: only the name itself. */
static yg_status take_name(struct yg_dns_list *l, uint64_t line, struct yg_sv s, bool exact_only,
			   bool allow, struct yg_err *err)
{
	struct yg_dns_name name __attribute__((uninitialized));
	struct yg_err why = {.msg = "not a name"};
	bool star = yg_sv_starts(s, YG_SV("*."));
	struct yg_sv rest = yg_sv_sub(s, star ? 2 : s.n > 1 && s.p[0] == '.' ? 1 : 0, s.n);
	enum yg_dns_action action = block_action(l, allow);
	if (read_name(rest, &name, &why) != YG_OK || name.labels == 0) {
		refuse(l, line, why.msg, s);
		return YG_OK;
	}
	if (!exact_only && action != YG_DNS_ACTION_PASSTHRU && covers_suffix(l, &name)) {
		refuse(l, line, "covers a whole public suffix", s);
		return YG_OK;
	}
	return yg_dns_builder_name(l->opts.builder, l->opts.zone, &name, !star, star || !exact_only,
				   action, err);
}

/* An address or a prefix: of answers.  False: it is neither. */
static bool read_prefix(struct yg_sv s, struct yg_ip *ip, unsigned *bits)
{
	bool may = yg_sv_find(s, ':', 0) < s.n || (s.n > 0 && s.p[0] >= '0' && s.p[0] <= '9');
	return may && yg_ip_prefix_parse(s, ip, bits, NULL) == YG_OK;
}

static yg_status take_prefix(struct yg_dns_list *l, uint64_t line, struct yg_sv s, struct yg_ip ip,
			     unsigned bits, struct yg_err *err)
{
	unsigned least = yg_ip_is_v4(ip) && bits >= 96 ? 96 + 8 : 16;
	if (bits < least && !l->opts.force) {
		refuse(l, line, "a prefix that short covers too much", s);
		return YG_OK;
	}
	return yg_dns_builder_prefix(l->opts.builder, l->opts.zone, YG_DNS_TRIGGER_RESPONSE_IP, ip,
				     (uint8_t)bits, block_action(l, false), err);
}

/* ---- Adblock ---- */

static bool option_is_harmless(struct yg_sv o)
{
	static const struct yg_sv words[] = {YG_SV_INIT("important"), YG_SV_INIT("all"),
					     YG_SV_INIT("document"),  YG_SV_INIT("doc"),
					     YG_SV_INIT("popup"),     YG_SV_INIT("third-party"),
					     YG_SV_INIT("3p")};
	for (size_t i = 0; i < YG_LEN(words); i++)
		if (yg_sv_eq(o, words[i]))
			return true;
	return false;
}

/* "||name^", with "$option,option"; behind "@@" it allows. */
static yg_status take_adblock(struct yg_dns_list *l, uint64_t line, struct yg_sv s,
			      struct yg_err *err)
{
	bool allow = yg_sv_starts(s, YG_SV("@@"));
	struct yg_sv rest = yg_sv_sub(s, allow ? 2 : 0, s.n), part;
	if (!yg_sv_starts(rest, YG_SV("||"))) {
		refuse(l, line, "a filter that is not of the form ||name^", s);
		return YG_OK;
	}
	rest = yg_sv_sub(rest, 2, rest.n);
	size_t dollar = yg_sv_find(rest, '$', 0);
	struct yg_sv options = yg_sv_sub(rest, dollar + 1, rest.n);
	rest = yg_sv_sub(rest, 0, dollar);
	if (rest.n > 0 && rest.p[rest.n - 1] == '^')
		rest.n--;
	while (options.n > 0 && yg_sv_cut(&options, ',', &part))
		if (!option_is_harmless(part)) {
			refuse(l, line, "an option that names alone cannot follow", s);
			return YG_OK;
		}
	return take_name(l, line, rest, false, allow, err);
}

/* ---- lines ---- */

static bool is_host_of_ours(struct yg_sv s)
{
	static const struct yg_sv words[] = {
		YG_SV_INIT("localhost"),     YG_SV_INIT("localhost.localdomain"),
		YG_SV_INIT("local"),         YG_SV_INIT("broadcasthost"),
		YG_SV_INIT("ip6-localhost"), YG_SV_INIT("ip6-loopback"),
		YG_SV_INIT("ip6-localnet"),  YG_SV_INIT("ip6-mcastprefix"),
		YG_SV_INIT("ip6-allnodes"),  YG_SV_INIT("ip6-allrouters"),
		YG_SV_INIT("ip6-allhosts"),  YG_SV_INIT("0.0.0.0")};
	for (size_t i = 0; i < YG_LEN(words); i++)
		if (yg_sv_ieq(s, words[i]))
			return true;
	return false;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

/* The next field of a line; false at its end or a comment. */
static bool next_field(struct yg_sv *rest, struct yg_sv *out)
{
	size_t i = 0, n = 0;
	while (i < rest->n && is_blank(rest->p[i]))
		i++;
	while (i + n < rest->n && !is_blank(rest->p[i + n]))
		n++;
	*out = (struct yg_sv){rest->p + i, n};
	*rest = (struct yg_sv){rest->p + i + n, rest->n - i - n};
	return n > 0 && out->p[0] != '#';
}

static yg_status take_line(struct yg_dns_list *l, struct yg_sv text, struct yg_err *err)
{
	struct yg_sv rest = text, first, field;
	struct yg_ip ip;
	unsigned bits;
	if (!next_field(&rest, &first) || first.p[0] == '!' || first.p[0] == '[' ||
	    first.p[0] == ';')
		return YG_OK;
	if (first.p[0] == '|' || yg_sv_starts(first, YG_SV("@@")))
		return take_adblock(l, l->line, yg_sv_trim(text), err);
	bool more = next_field(&rest, &field), prefix = read_prefix(first, &ip, &bits);
	if (!more)
		return prefix ? take_prefix(l, l->line, first, ip, bits, err)
			      : take_name(l, l->line, first, false, false, err);
	if (!prefix) {
		refuse(l, l->line, "more than one word in the line", text);
		return YG_OK;
	}
	yg_status st = YG_OK;
	do { /* a hosts file: an address and its names */
		if (!is_host_of_ours(field))
			st = take_name(l, l->line, field, true, false, err);
	} while (st == YG_OK && next_field(&rest, &field));
	return st;
}

/* ---- CSV, by the reader of indicators ---- */

static yg_status csv_entry(void *ctx, const struct yg_indicator *ind, uint64_t line,
			   struct yg_err *err)
{
	struct yg_dns_list *l = ctx;
	struct yg_ip ip;
	unsigned bits;
	switch (ind->type) {
	case YG_IND_DOMAIN: return take_name(l, line, ind->value, false, ind->allow, err);
	case YG_IND_FQDN: return take_name(l, line, ind->value, true, ind->allow, err);
	case YG_IND_IP:
		if (read_prefix(ind->value, &ip, &bits))
			return take_prefix(l, line, ind->value, ip, bits, err);
		break;
	default: break;
	}
	refuse(l, line, "neither a name nor an address", ind->value);
	return YG_OK;
}

static void csv_refused(void *ctx, uint64_t line, const char *reason, struct yg_sv text)
{
	refuse(ctx, line, reason, text);
}

static bool looks_like_csv(struct yg_sv text)
{
	struct yg_sv rest = text, line;
	while (yg_sv_cut(&rest, '\n', &line)) {
		line = yg_sv_trim(line);
		if (line.n == 0 || line.p[0] == '#' || line.p[0] == '!' || line.p[0] == '[')
			continue;
		return line.p[0] != '|' && line.p[0] != '@' && yg_sv_find(line, ',', 0) < line.n;
	}
	return false;
}

/* ---- the stream ---- */

yg_status yg_dns_list_new(const struct yg_dns_list_opts *opts, struct yg_dns_list **out,
			  struct yg_err *err)
{
	struct yg_dns_list *l = calloc(1, sizeof *l);
	if (l == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for a list");
	l->opts = *opts;
	yg_buf_init(&l->buf, (size_t)4 << 20);
	yg_status st = yg_suffixes_new(&l->suffixes, err);
	if (st != YG_OK) {
		yg_dns_list_free(l);
		return st;
	}
	*out = l;
	return YG_OK;
}

void yg_dns_list_free(struct yg_dns_list *l)
{
	if (l == NULL)
		return;
	yg_suffixes_free(l->suffixes);
	yg_list_free(l->csv);
	yg_buf_free(&l->buf);
	free(l);
}

static yg_status begin(struct yg_dns_list *l, struct yg_sv bytes, struct yg_err *err)
{
	const struct yg_list_opts opts = {
		.format = YG_LIST_CSV, .ctx = l, .entry = csv_entry, .refused = csv_refused};
	l->begun = true;
	if (bytes.n >= 3 && memcmp(bytes.p, "\xef\xbb\xbf", 3) == 0)
		bytes = yg_sv_sub(bytes, 3, bytes.n);
	return looks_like_csv(bytes) ? yg_list_new(&opts, &l->csv, err) : YG_OK;
}

/* Whole lines of the buffer; at the `end` all of it. */
static yg_status take_lines(struct yg_dns_list *l, bool end, struct yg_err *err)
{
	const char *p = l->buf.p, *stop = l->buf.p + l->buf.n;
	yg_status st = YG_OK;
	while (st == YG_OK && p < stop) {
		const char *nl = memchr(p, '\n', (size_t)(stop - p));
		size_t n = nl != NULL ? (size_t)(nl - p) : (size_t)(stop - p);
		if (nl == NULL && !end && n <= YG_DNS_LIST_LINE_MAX)
			break;
		struct yg_sv line = {p, n};
		if (l->line == 0 && n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
			line = yg_sv_sub(line, 3, n);
		l->line += !l->skipping;
		if (!l->skipping && n > YG_DNS_LIST_LINE_MAX)
			refuse(l, l->line, "the line is too long", line);
		else if (!l->skipping)
			st = take_line(l, line, err);
		l->skipping = nl == NULL && !end;
		p += n + (nl != NULL ? 1 : 0);
	}
	l->buf.n = (size_t)(stop - p);
	if (l->buf.n > 0)
		memmove(l->buf.p, p, l->buf.n);
	return st;
}

yg_status yg_dns_list_feed(struct yg_dns_list *l, struct yg_sv bytes, struct yg_err *err)
{
	yg_status st = l->begun || bytes.n == 0 ? YG_OK : begin(l, bytes, err);
	if (st == YG_OK && l->csv != NULL)
		return yg_list_feed(l->csv, bytes, err);
	while (st == YG_OK && bytes.n > 0) {
		size_t n = YG_MIN(bytes.n, (size_t)1 << 20);
		yg_buf_put(&l->buf, yg_sv_sub(bytes, 0, n));
		if (l->buf.bad)
			return YG_FAIL(err, YG_NOMEM, "no memory for a list");
		bytes = yg_sv_sub(bytes, n, bytes.n);
		st = take_lines(l, false, err);
	}
	return st;
}

yg_status yg_dns_list_end(struct yg_dns_list *l, struct yg_err *err)
{
	if (l->csv != NULL)
		return yg_list_end(l->csv, err);
	return l->buf.n > 0 ? take_lines(l, true, err) : YG_OK;
}
