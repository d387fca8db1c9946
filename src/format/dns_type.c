/* Names of types, classes and codes; rdata as text. */
#include "base/ip.h"
#include "base/units.h"
#include "format/dns.h"

static const struct type {
	uint16_t number;
	char name[14];
	char layout[12];
} types[] = {
#define X(name, num, layout) {num, #name, layout},
	YG_DNS_TYPE_MAP(X)
#undef X
};
static const struct code {
	uint16_t number;
	const char *name;
} rcodes[] =
	{
#define X(name, num) {num, #name},
		YG_DNS_RCODE_MAP(X)
#undef X
},
  edes[] =
	  {
#define X(name, num, text) {num, text},
		  YG_DNS_EDE_MAP(X)
#undef X
},
  classes[] = {{YG_DNS_IN, "IN"},
	       {YG_DNS_CH, "CH"},
	       {YG_DNS_HS, "HS"},
	       {YG_DNS_CLASS_NONE, "NONE"},
	       {YG_DNS_CLASS_ANY, "ANY"}};

static const struct type *type_of(uint16_t number)
{
	size_t from = 0, to = YG_LEN(types); /* the list is in order */
	while (from < to) {
		size_t mid = (from + to) / 2;
		if (types[mid].number == number)
			return &types[mid];
		if (types[mid].number < number)
			from = mid + 1;
		else
			to = mid;
	}
	return NULL;
}

/* "TYPE123" and its like (RFC 3597 5), leading zeroes allowed. */
static yg_status numbered(struct yg_sv s, struct yg_sv word, uint16_t *out)
{
	uint64_t v;
	if (s.n <= word.n || !yg_sv_ieq(yg_sv_sub(s, 0, word.n), word) ||
	    yg_parse_u64(yg_sv_sub(s, word.n, s.n), &v, NULL) != YG_OK || v > 65535)
		return YG_PARSE;
	*out = (uint16_t)v;
	return YG_OK;
}

static yg_status code_parse(const struct code *codes, size_t n, struct yg_sv s, struct yg_sv word,
			    uint16_t *out)
{
	for (size_t i = 0; i < n; i++)
		if (yg_sv_ieq(s, yg_sv_of(codes[i].name))) {
			*out = codes[i].number;
			return YG_OK;
		}
	return numbered(s, word, out);
}

static void code_format(struct yg_sb *b, const struct code *codes, size_t n, struct yg_sv word,
			unsigned number)
{
	for (size_t i = 0; i < n; i++)
		if (codes[i].number == number) {
			yg_sb_put(b, yg_sv_of(codes[i].name));
			return;
		}
	yg_sb_put(b, word);
	yg_sb_u64(b, number);
}

void yg_dns_type_format(struct yg_sb *b, uint16_t type)
{
	const struct type *t = type_of(type);
	if (t != NULL) {
		yg_sb_put(b, yg_sv_of(t->name));
		return;
	}
	yg_sb_put(b, YG_SV("TYPE"));
	yg_sb_u64(b, type);
}

yg_status yg_dns_type_parse(struct yg_sv s, uint16_t *out)
{
	for (size_t i = 0; i < YG_LEN(types); i++)
		if (yg_sv_ieq(s, yg_sv_of(types[i].name))) {
			*out = types[i].number;
			return YG_OK;
		}
	return numbered(s, YG_SV("TYPE"), out);
}

void yg_dns_class_format(struct yg_sb *b, uint16_t cls)
{
	code_format(b, classes, YG_LEN(classes), YG_SV("CLASS"), cls);
}

yg_status yg_dns_class_parse(struct yg_sv s, uint16_t *out)
{
	return code_parse(classes, YG_LEN(classes), s, YG_SV("CLASS"), out);
}

void yg_dns_rcode_format(struct yg_sb *b, unsigned rcode)
{
	code_format(b, rcodes, YG_LEN(rcodes), YG_SV("RCODE"), rcode);
}

yg_status yg_dns_rcode_parse(struct yg_sv s, unsigned *out)
{
	uint16_t v;
	yg_status st = code_parse(rcodes, YG_LEN(rcodes), s, YG_SV("RCODE"), &v);
	if (st == YG_OK)
		*out = v;
	return st;
}

const char *yg_dns_ede_text(unsigned code)
{
	for (size_t i = 0; i < YG_LEN(edes); i++)
		if (edes[i].number == code)
			return edes[i].name;
	return "";
}

const char *yg_dns_type_layout(uint16_t type)
{
	const struct type *t = type_of(type);
	return t != NULL ? t->layout : "x";
}

bool yg_dns_type_is_meta(uint16_t type)
{
	return type == 0 || type == YG_DNS_OPT || type == YG_DNS_NXNAME ||
	       (type >= YG_DNS_TKEY && type <= YG_DNS_ANY);
}

/* ---- rdata as text ---- */

static void put_string(struct yg_sb *b, const uint8_t *p, size_t n)
{
	yg_sb_putc(b, '"');
	for (size_t i = 0; i < n; i++) {
		if (p[i] < 0x20 || p[i] >= 0x7f) {
			yg_sb_putc(b, '\\');
			yg_sb_putc(b, (char)('0' + p[i] / 100));
			yg_sb_putc(b, (char)('0' + p[i] / 10 % 10));
			yg_sb_putc(b, (char)('0' + p[i] % 10));
			continue;
		}
		if (p[i] == '"' || p[i] == '\\')
			yg_sb_putc(b, '\\');
		yg_sb_putc(b, (char)p[i]);
	}
	yg_sb_putc(b, '"');
}

static void put_base64(struct yg_sb *b, const uint8_t *p, size_t n)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) |
			     (i + 2 < n ? p[i + 2] : 0);
		yg_sb_putc(b, digits[v >> 18]);
		yg_sb_putc(b, digits[v >> 12 & 63]);
		yg_sb_putc(b, i + 1 < n ? digits[v >> 6 & 63] : '=');
		yg_sb_putc(b, i + 2 < n ? digits[v & 63] : '=');
	}
}

/* The type bitmap of NSEC (RFC 4034 4.1.2); false when it is none. */
static bool put_bitmap(struct yg_sb *b, const uint8_t *p, size_t n)
{
	bool first = true;
	while (n > 0) {
		if (n < 2 || p[1] == 0 || p[1] > 32 || n - 2 < p[1])
			return false;
		for (unsigned bit = 0; bit < p[1] * 8u; bit++)
			if ((p[2 + bit / 8] & (0x80u >> (bit & 7))) != 0) {
				if (!first)
					yg_sb_putc(b, ' ');
				first = false;
				yg_dns_type_format(b, (uint16_t)(p[0] * 256u + bit));
			}
		n -= 2u + p[1];
		p += 2u + p[1];
	}
	return true;
}

static bool put_rest(struct yg_sb *b, uint16_t type, const uint8_t *p, size_t n)
{
	switch (type) {
	case YG_DNS_DS:
	case YG_DNS_CDS:
	case YG_DNS_TLSA:
	case YG_DNS_SMIMEA:
	case YG_DNS_SSHFP:
	case YG_DNS_ZONEMD: yg_sb_hex(b, p, n); return true;
	case YG_DNS_RRSIG:
	case YG_DNS_SIG:
	case YG_DNS_DNSKEY:
	case YG_DNS_CDNSKEY:
	case YG_DNS_KEY:
	case YG_DNS_CERT:
	case YG_DNS_OPENPGPKEY: put_base64(b, p, n); return true;
	case YG_DNS_NSEC: return put_bitmap(b, p, n);
	case YG_DNS_CAA:
	case YG_DNS_URI: put_string(b, p, n); return true;
	default: return false;
	}
}

static void put_time(struct yg_sb *b, uint32_t t)
{
	int64_t year;
	unsigned month, day;
	yg_civil_from_days(t / 86400, &year, &month, &day);
	yg_sb_printf(b, "%04d%02u%02u%02u%02u%02u", (int)year, month, day, t % 86400 / 3600,
		     t % 3600 / 60, t % 60);
}

static void put_ip(struct yg_sb *b, const uint8_t *p, bool six)
{
	struct yg_ip ip = {.b = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}};
	memcpy(six ? ip.b : ip.b + 12, p, six ? 16 : 4);
	yg_ip_format(b, ip);
}

/* One field of the layout at *at; false when it does not fit. */
static bool put_field(struct yg_sb *b, const struct yg_dns_msg *m, uint16_t type, char c,
		      size_t *at, size_t end)
{
	static const uint8_t width[128] = {['1'] = 1,  ['2'] = 2, ['4'] = 4, ['a'] = 4,
					   ['A'] = 16, ['t'] = 4, ['y'] = 2, ['s'] = 1};
	const uint8_t *p = m->p + *at;
	size_t n = width[(unsigned char)c];
	if (end - *at < n || (c == 's' && end - *at - 1 < p[0]))
		return false;
	*at += c == 's' ? (size_t)p[0] + 1 : n;
	switch (c) {
	case '1': yg_sb_u64(b, p[0]); return true;
	case '2': yg_sb_u64(b, yg_dns_get16(p)); return true;
	case '4': yg_sb_u64(b, yg_dns_get32(p)); return true;
	case 'y': yg_dns_type_format(b, yg_dns_get16(p)); return true;
	case 't': put_time(b, yg_dns_get32(p)); return true;
	case 'a':
	case 'A': put_ip(b, p, c == 'A'); return true;
	case 's':
		if (type == YG_DNS_CAA)
			yg_sb_put(b, (struct yg_sv){(const char *)p + 1, p[0]});
		else
			put_string(b, p + 1, p[0]);
		return true;
	case 'c':
	case 'n': {
		struct yg_dns_name name;
		if (yg_dns_name_read(m->p, m->n, at, &name) != YG_OK || *at > end)
			return false;
		yg_dns_name_format(b, &name);
		if (name.labels > 0)
			yg_sb_putc(b, '.');
		return true;
	}
	default:
		n = end - *at;
		*at = end;
		return put_rest(b, type, p, n);
	}
}

static bool put_known(struct yg_sb *b, const struct yg_dns_msg *m, const struct yg_dns_rr *rr)
{
	const char *l = yg_dns_type_layout(rr->type);
	size_t at = rr->rdata, end = rr->rdata + rr->rdata_n;
	if (*l == 0 || *l == 'x')
		return false;
	for (; *l != 0; l++) {
		if (l != yg_dns_type_layout(rr->type))
			yg_sb_putc(b, ' ');
		if (*l != 'S') {
			if (!put_field(b, m, rr->type, *l, &at, end))
				return false;
			continue;
		}
		for (bool first = true; first || at < end; first = false) {
			if (!first)
				yg_sb_putc(b, ' ');
			if (!put_field(b, m, rr->type, 's', &at, end))
				return false;
		}
	}
	return at == end;
}

void yg_dns_rdata_format(struct yg_sb *b, const struct yg_dns_msg *m, const struct yg_dns_rr *rr)
{
	struct yg_sb was = *b;
	if (put_known(b, m, rr))
		return;
	*b = was;
	yg_sb_printf(b, "\\# %u", rr->rdata_n);
	if (rr->rdata_n > 0)
		yg_sb_putc(b, ' ');
	yg_sb_hex(b, m->p + rr->rdata, rr->rdata_n);
}
