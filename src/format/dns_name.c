#include "format/dns_name.h"

#define POINTER 0xc0u /* the two high bits of a length octet (RFC 1035 4.1.4) */

/* Eight letters at a time.  A length octet is at most 63, below 'A': whole
 * names in wire form may be given. */
void yg_dns_lower(uint8_t *to, const uint8_t *from, size_t n)
{
	size_t i = 0;
	for (; i + 8 <= n; i += 8) {
		uint64_t v;
		memcpy(&v, from + i, 8);
		uint64_t low = v & 0x7f7f7f7f7f7f7f7full;
		uint64_t is = (low + 0x3f3f3f3f3f3f3f3full) & ~(low + 0x2525252525252525ull) & ~v &
			      0x8080808080808080ull;
		v |= is >> 2;
		memcpy(to + i, &v, 8);
	}
	for (; i < n; i++) {
		uint8_t c = from[i];
		to[i] = (uint8_t)(c | (uint8_t)((unsigned)(c >= 'A' && c <= 'Z') << 5));
	}
}

void yg_dns_name_root(struct yg_dns_name *out)
{
	out->n = 1;
	out->labels = 0;
	out->at[0] = 0;
	out->b[0] = 0;
}

/* Walks one run of labels from `pos`, noting their places from name offset *n
 * on.  At its end *pos is at the octet that ended it (the root or a pointer). */
static bool walk(const uint8_t *msg, size_t size, size_t *pos, struct yg_dns_name *out, size_t *n,
		 unsigned *labels)
{
	size_t p = *pos, at = *n;
	unsigned count = *labels;
	while (p < size) {
		unsigned c = msg[p];
		if (c == 0 || c >= POINTER) {
			*pos = p;
			*n = at;
			*labels = count;
			return true;
		}
		if (c > YG_DNS_LABEL_MAX || at + c + 2 > YG_DNS_NAME_MAX)
			return false;
		out->at[count++] = (uint8_t)at;
		at += c + 1;
		p += c + 1;
	}
	return false;
}

static yg_status read_name(const uint8_t *msg, size_t size, size_t *at, struct yg_dns_name *out,
			   bool pointers)
{
	size_t pos = *at, before = pos, n = 0, behind = 0;
	unsigned labels = 0;
	for (;;) {
		size_t from = pos, had = n;
		if (!walk(msg, size, &pos, out, &n, &labels))
			return YG_PARSE;
		yg_dns_lower(out->b + had, msg + from, n - had);
		if (msg[pos] == 0)
			break;
		if (!pointers || pos + 2 > size)
			return YG_PARSE;
		size_t to = (size_t)(msg[pos] & 0x3fu) << 8 | msg[pos + 1];
		if (to >= before)
			return YG_PARSE;
		if (behind == 0)
			behind = pos + 2;
		before = pos = to;
	}
	out->at[labels] = (uint8_t)n;
	out->b[n] = 0;
	out->n = (uint8_t)(n + 1);
	out->labels = (uint8_t)labels;
	*at = behind != 0 ? behind : pos + 1;
	return YG_OK;
}

yg_status yg_dns_name_read(const uint8_t *msg, size_t n, size_t *at, struct yg_dns_name *out)
{
	return read_name(msg, n, at, out, true);
}

yg_status yg_dns_name_read_plain(const uint8_t *p, size_t n, size_t *at, struct yg_dns_name *out)
{
	return read_name(p, n, at, out, false);
}

yg_status yg_dns_name_skip(const uint8_t *msg, size_t n, size_t *at)
{
	size_t p = *at;
	while (p < n && p - *at < YG_DNS_NAME_MAX) {
		unsigned c = msg[p];
		if (c == 0) {
			*at = p + 1;
			return YG_OK;
		}
		if (c >= POINTER) {
			if (p + 2 > n)
				return YG_PARSE;
			*at = p + 2;
			return YG_OK;
		}
		if (c > YG_DNS_LABEL_MAX)
			return YG_PARSE;
		p += c + 1;
	}
	return YG_PARSE;
}

/* Takes one octet of text, with its escape; false: no whole escape there. */
static bool octet(struct yg_sv text, size_t *i, uint8_t *out)
{
	uint8_t c = (uint8_t)text.p[(*i)++];
	if (c != '\\') {
		*out = c;
		return true;
	}
	if (*i >= text.n)
		return false;
	c = (uint8_t)text.p[(*i)++];
	if (c < '0' || c > '9') {
		*out = c;
		return true;
	}
	unsigned v = (unsigned)(c - '0');
	for (int k = 0; k < 2; k++) {
		c = *i < text.n ? (uint8_t)text.p[*i] : 0;
		if (c < '0' || c > '9')
			return false;
		v = v * 10 + (unsigned)(c - '0');
		(*i)++;
	}
	*out = (uint8_t)v;
	return v <= 255;
}

static yg_status finish(struct yg_dns_name *out, size_t n, unsigned labels,
			const struct yg_dns_name *back, struct yg_err *err)
{
	if (n + back->n > YG_DNS_NAME_MAX)
		return YG_FAIL(err, YG_PARSE, "name is longer than 255 octets");
	memcpy(out->b + n, back->b, back->n);
	for (unsigned i = 0; i <= back->labels; i++)
		out->at[labels + i] = (uint8_t)(n + back->at[i]);
	out->n = (uint8_t)(n + back->n);
	out->labels = (uint8_t)(labels + back->labels);
	return YG_OK;
}

yg_status yg_dns_name_parse(struct yg_sv text, const struct yg_dns_name *origin,
			    struct yg_dns_name *out, struct yg_err *err)
{
	static const struct yg_dns_name root = {.n = 1};
	struct yg_dns_name r;
	size_t n = 0, i = 0;
	r.n = r.labels = 0;
	if (text.n == 0)
		return YG_FAIL(err, YG_PARSE, "empty name");
	if (YG_SV_IS(text, ".") || (YG_SV_IS(text, "@") && origin != NULL)) {
		*out = text.p[0] == '.' ? root : *origin;
		return YG_OK;
	}
	while (i < text.n) {
		size_t start = n++;
		while (i < text.n && text.p[i] != '.') {
			if (n - start > YG_DNS_LABEL_MAX)
				return YG_FAIL(err, YG_PARSE, "label is longer than 63 octets");
			if (n >= YG_DNS_NAME_MAX - 1)
				return YG_FAIL(err, YG_PARSE, "name is longer than 255 octets");
			if (!octet(text, &i, &r.b[n]))
				return YG_FAIL(err, YG_PARSE, "bad escape in a name");
			n++;
		}
		if (n == start + 1)
			return YG_FAIL(err, YG_PARSE, "empty label in a name");
		r.b[start] = (uint8_t)(n - start - 1);
		r.at[r.labels++] = (uint8_t)start;
		if (i < text.n && ++i == text.n)
			origin = NULL; /* a final dot */
	}
	yg_dns_lower(r.b, r.b, n);
	yg_status st = finish(&r, n, r.labels, origin != NULL ? origin : &root, err);
	if (st == YG_OK)
		*out = r;
	return st;
}

yg_status yg_dns_name_join(const struct yg_dns_name *front, unsigned cut,
			   const struct yg_dns_name *back, struct yg_dns_name *out)
{
	unsigned keep = cut < front->labels ? front->labels - cut : 0;
	size_t n = front->at[keep];
	if (n + back->n > YG_DNS_NAME_MAX)
		return YG_LIMIT;
	memcpy(out->b, front->b, n);
	memcpy(out->at, front->at, keep);
	return finish(out, n, keep, back, NULL);
}

void yg_dns_name_above(const struct yg_dns_name *name, unsigned up, struct yg_dns_name *out)
{
	unsigned from = up < name->labels ? up : name->labels;
	size_t at = name->at[from];
	out->n = (uint8_t)(name->n - at);
	out->labels = (uint8_t)(name->labels - from);
	memmove(out->b, name->b + at, out->n);
	for (unsigned i = 0; i <= out->labels; i++)
		out->at[i] = (uint8_t)(name->at[from + i] - at);
}

static int label_cmp(struct yg_sv a, struct yg_sv b)
{
	size_t n = YG_MIN(a.n, b.n);
	int d = memcmp(a.p, b.p, n);
	return d != 0 ? d : (a.n > b.n) - (a.n < b.n);
}

unsigned yg_dns_name_common(const struct yg_dns_name *a, const struct yg_dns_name *b)
{
	unsigned n = 0;
	while (n < a->labels && n < b->labels &&
	       label_cmp(yg_dns_name_label(a, a->labels - n - 1),
			 yg_dns_name_label(b, b->labels - n - 1)) == 0)
		n++;
	return n;
}

int yg_dns_name_cmp(const struct yg_dns_name *a, const struct yg_dns_name *b)
{
	unsigned n = yg_dns_name_common(a, b);
	if (n == a->labels || n == b->labels)
		return (a->labels > b->labels) - (a->labels < b->labels);
	return label_cmp(yg_dns_name_label(a, a->labels - n - 1),
			 yg_dns_name_label(b, b->labels - n - 1));
}

static void put_octet(struct yg_sb *b, uint8_t c)
{
	if (c <= 0x20 || c >= 0x7f) {
		yg_sb_putc(b, '\\');
		yg_sb_putc(b, (char)('0' + c / 100));
		yg_sb_putc(b, (char)('0' + c / 10 % 10));
		yg_sb_putc(b, (char)('0' + c % 10));
		return;
	}
	if (strchr(".\\\"();@$", c) != NULL)
		yg_sb_putc(b, '\\');
	yg_sb_putc(b, (char)c);
}

void yg_dns_name_format(struct yg_sb *b, const struct yg_dns_name *name)
{
	if (name->labels == 0)
		yg_sb_putc(b, '.');
	for (unsigned i = 0; i < name->labels; i++) {
		struct yg_sv l = yg_dns_name_label(name, i);
		if (i > 0)
			yg_sb_putc(b, '.');
		for (size_t k = 0; k < l.n; k++)
			put_octet(b, (uint8_t)l.p[k]);
	}
}
