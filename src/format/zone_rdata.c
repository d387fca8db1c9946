/* zone_rdata.c - the data of a record from its text, by the layout of its type. */
#include "base/ip.h"
#include "format/zone_internal.h"

#define RDATA_MAX 65535u

struct writer {
	const struct yg_zone_field *fields;
	size_t count, at; /* at: the field at hand */
	const struct yg_dns_name *origin;
	uint8_t *out;
	size_t n;
	struct yg_err *err;
};

static bool put(struct writer *w, const void *p, size_t n)
{
	if (n > RDATA_MAX - w->n) {
		(void)YG_FAIL(w->err, YG_PARSE, "data of more than 65535 octets");
		return false;
	}
	if (n > 0)
		memcpy(w->out + w->n, p, n);
	w->n += n;
	return true;
}

static bool bad(struct writer *w, const char *what)
{
	(void)YG_FAIL(w->err, YG_PARSE, "%s", what);
	return false;
}

/* One octet of text with its escape; false: the escape is not whole. */
static bool unescape(struct yg_sv s, size_t *i, uint8_t *out)
{
	uint8_t c = (uint8_t)s.p[(*i)++];
	if (c != '\\') {
		*out = c;
		return true;
	}
	if (*i >= s.n)
		return false;
	c = (uint8_t)s.p[(*i)++];
	if (c < '0' || c > '9') {
		*out = c;
		return true;
	}
	unsigned v = (unsigned)c - '0';
	for (int k = 0; k < 2; k++) {
		unsigned d = *i < s.n ? (unsigned)(uint8_t)s.p[*i] - '0' : 10;
		if (d > 9)
			return false;
		v = v * 10 + d;
		(*i)++;
	}
	*out = (uint8_t)v;
	return v <= 255;
}

static bool put_integer(struct writer *w, struct yg_sv s, unsigned octets)
{
	uint64_t v;
	uint8_t b[4];
	uint32_t ttl;
	if (yg_parse_u64(s, &v, NULL) != YG_OK) { /* the times of an SOA may have units */
		if (octets != 4 || yg_zone_ttl_parse(s, &ttl) != YG_OK)
			return bad(w, "not a number");
		v = ttl;
	}
	if (v >> (octets * 8) != 0)
		return bad(w, "the number is too large for its field");
	for (unsigned i = 0; i < octets; i++)
		b[i] = (uint8_t)(v >> (8 * (octets - 1 - i)));
	return put(w, b, octets);
}

static bool put_address(struct writer *w, struct yg_sv s, bool six)
{
	struct yg_ip ip;
	bool colon = yg_sv_find(s, ':', 0) < s.n;
	if (yg_ip_parse(s, &ip) != YG_OK || colon != six)
		return bad(w, six ? "not an IPv6 address" : "not an IPv4 address");
	return put(w, six ? ip.b : ip.b + 12, six ? 16 : 4);
}

static bool put_name(struct writer *w, struct yg_sv s)
{
	struct yg_dns_name name;
	return yg_dns_name_parse(s, w->origin, &name, w->err) == YG_OK && put(w, name.b, name.n);
}

/* With a length octet in front, or bare to the end of the data. */
static bool put_string(struct writer *w, struct yg_sv s, bool counted)
{
	size_t begin = w->n, i = 0;
	uint8_t c = 0;
	if (counted && !put(w, &c, 1))
		return false;
	while (i < s.n) {
		if (!unescape(s, &i, &c))
			return bad(w, "bad escape");
		if (!put(w, &c, 1))
			return false;
	}
	if (!counted)
		return true;
	if (w->n - begin - 1 > 255)
		return bad(w, "string of more than 255 octets");
	w->out[begin] = (uint8_t)(w->n - begin - 1);
	return true;
}

/* RFC 3597 5: \# LENGTH HEX... */
static bool put_generic(struct writer *w)
{
	uint64_t want;
	w->at++;
	if (w->at >= w->count || yg_parse_u64(w->fields[w->at].text, &want, NULL) != YG_OK ||
	    want > RDATA_MAX)
		return bad(w, "a length from 0 to 65535 must follow \\#");
	int high = -1;
	for (w->at++; w->at < w->count; w->at++) {
		struct yg_sv s = w->fields[w->at].text;
		for (size_t i = 0; i < s.n; i++) {
			char c = s.p[i];
			int v = c >= '0' && c <= '9'   ? c - '0'
				: c >= 'a' && c <= 'f' ? c - 'a' + 10
				: c >= 'A' && c <= 'F' ? c - 'A' + 10
						       : -1;
			uint8_t b = (uint8_t)((unsigned)high << 4 | (unsigned)v);
			if (v < 0)
				return bad(w, "not hexadecimal");
			if (high >= 0 && !put(w, &b, 1))
				return false;
			high = high >= 0 ? -1 : v;
		}
	}
	w->at = w->count > 0 ? w->count - 1 : 0;
	if (high >= 0 || w->n != want)
		return bad(w, "the data is not as long as its \\# says");
	return true;
}

/* Data given as octets must still be what its type says: whole fields, whole names. */
static bool fits_layout(const char *layout, const uint8_t *p, size_t n)
{
	static const uint8_t width[128] = {
		['1'] = 1, ['2'] = 2, ['4'] = 4, ['t'] = 4, ['y'] = 2, ['a'] = 4, ['A'] = 16};
	size_t at = 0;
	for (; *layout != '\0' && *layout != 'x'; layout++) {
		struct yg_dns_name name;
		char c = *layout;
		if (c == 'c' || c == 'n') {
			if (yg_dns_name_read_plain(p, n, &at, &name) != YG_OK)
				return false;
		} else if (c == 's' || c == 'S') {
			do {
				if (at >= n || (size_t)p[at] + 1 > n - at)
					return false;
				at += (size_t)p[at] + 1;
			} while (c == 'S' && at < n);
		} else {
			if (width[(unsigned char)c] > n - at)
				return false;
			at += width[(unsigned char)c];
		}
	}
	return *layout == 'x' || at == n;
}

static bool put_field(struct writer *w, char c)
{
	struct yg_sv s = w->fields[w->at].text;
	switch (c) {
	case '1': return put_integer(w, s, 1);
	case '2': return put_integer(w, s, 2);
	case '4': return put_integer(w, s, 4);
	case 'a':
	case 'A': return put_address(w, s, c == 'A');
	case 'c':
	case 'n': return put_name(w, s);
	default: return put_string(w, s, true);
	}
}

/* Types whose text is exactly the fields of their layout. */
static bool is_plain_text(uint16_t type, const char *layout)
{
	if (type == YG_DNS_CAA || type == YG_DNS_URI)
		return true;
	return *layout != '\0' && strpbrk(layout, "xty") == NULL;
}

static bool put_fields(struct writer *w, const char *layout)
{
	for (; *layout != '\0'; layout++) {
		if (w->at >= w->count) {
			w->at = w->count > 0 ? w->count - 1 : 0;
			return bad(w, "a field is missing at the end");
		}
		if (*layout == 'x') { /* CAA, URI: one string to the end */
			if (!put_string(w, w->fields[w->at].text, false))
				return false;
			w->at++;
			continue;
		}
		do {
			if (!put_field(w, *layout))
				return false;
			w->at++;
		} while (*layout == 'S' && w->at < w->count);
	}
	return w->at == w->count || bad(w, "there is a field too many");
}

yg_status yg_zone_rdata(uint16_t type, const struct yg_zone_field *fields, size_t count,
			const struct yg_dns_name *origin, struct yg_zone_data *out,
			struct yg_err *err)
{
	struct writer w = {
		.fields = fields, .count = count, .origin = origin, .out = out->p, .err = err};
	const char *layout = yg_dns_type_layout(type);
	bool ok;
	out->unread = false;
	out->n = 0;
	if (count > 0 && !fields[0].quoted && YG_SV_IS(fields[0].text, "\\#")) {
		ok = put_generic(&w);
		if (ok && !fits_layout(layout, out->p, w.n))
			ok = bad(&w, "the data is not that of its type");
	} else if (!is_plain_text(type, layout)) {
		out->unread = true;
		return YG_OK;
	} else {
		ok = put_fields(&w, layout);
	}
	out->at = w.at;
	out->n = w.n;
	return ok ? YG_OK : YG_PARSE;
}
