#include "intel/indicator.h"

#include <stdlib.h>

#include "base/codec.h"

const char *yg_indicator_type_name(enum yg_indicator_type t)
{
	switch (t) {
#define X(id, num, name, doc)                                                                      \
	case YG_IND_##id: return name;
		YG_INDICATOR_TYPES(X)
#undef X
	case YG_IND_NONE:
	case YG_IND_TYPE_COUNT: break;
	}
	return "none";
}

yg_status yg_indicator_type_parse(struct yg_sv s, enum yg_indicator_type *out)
{
	static const struct {
		struct yg_sv name;
		enum yg_indicator_type type;
	} names[] = {
#define X(id, num, name, doc) {YG_SV_INIT(name), YG_IND_##id},
		YG_INDICATOR_TYPES(X)
#undef X
		/* what MISP, STIX and common feeds write */
		{YG_SV_INIT("ipv4"), YG_IND_IP},
		{YG_SV_INIT("ipv6"), YG_IND_IP},
		{YG_SV_INIT("ipv4-addr"), YG_IND_IP},
		{YG_SV_INIT("ipv6-addr"), YG_IND_IP},
		{YG_SV_INIT("ip-src"), YG_IND_IP},
		{YG_SV_INIT("ip-dst"), YG_IND_IP},
		{YG_SV_INIT("cidr"), YG_IND_IP},
		{YG_SV_INIT("address"), YG_IND_IP},
		{YG_SV_INIT("prefix"), YG_IND_IP},
		{YG_SV_INIT("ip:port"), YG_IND_IPPORT},
		{YG_SV_INIT("ip-dst|port"), YG_IND_IPPORT},
		{YG_SV_INIT("ip-src|port"), YG_IND_IPPORT},
		{YG_SV_INIT("domain-name"), YG_IND_DOMAIN},
		{YG_SV_INIT("hostname"), YG_IND_FQDN},
		{YG_SV_INIT("uri"), YG_IND_URL},
		{YG_SV_INIT("link"), YG_IND_URL},
		{YG_SV_INIT("md5"), YG_IND_HASH},
		{YG_SV_INIT("sha1"), YG_IND_HASH},
		{YG_SV_INIT("sha256"), YG_IND_HASH},
		{YG_SV_INIT("sha-1"), YG_IND_HASH},
		{YG_SV_INIT("sha-256"), YG_IND_HASH},
		{YG_SV_INIT("file-hash"), YG_IND_HASH},
		{YG_SV_INIT("email-addr"), YG_IND_EMAIL},
		{YG_SV_INIT("email-src"), YG_IND_EMAIL},
		{YG_SV_INIT("email-dst"), YG_IND_EMAIL},
		{YG_SV_INIT("e-mail"), YG_IND_EMAIL},
	};
	for (size_t i = 0; i < YG_LEN(names); i++) {
		if (yg_sv_ieq(s, names[i].name)) {
			*out = names[i].type;
			return YG_OK;
		}
	}
	return YG_PARSE;
}

const char *yg_tlp_name(enum yg_tlp t)
{
	switch (t) {
#define X(id, num, name)                                                                           \
	case YG_TLP_##id: return name;
		YG_TLPS(X)
#undef X
	case YG_TLP_NONE:
	case YG_TLP_COUNT: break;
	}
	return "";
}

yg_status yg_tlp_parse(struct yg_sv s, enum yg_tlp *out)
{
	static const struct {
		struct yg_sv name;
		enum yg_tlp tlp;
	} names[] = {
		{YG_SV_INIT(""), YG_TLP_NONE},
#define X(id, num, name) {YG_SV_INIT(name), YG_TLP_##id},
		YG_TLPS(X)
#undef X
			{YG_SV_INIT("white"), YG_TLP_CLEAR},
		{YG_SV_INIT("amber-strict"), YG_TLP_AMBER_STRICT},
	};
	if (s.n > 4 && yg_sv_ieq(yg_sv_sub(s, 0, 4), YG_SV("tlp:")))
		s = yg_sv_sub(s, 4, s.n);
	for (size_t i = 0; i < YG_LEN(names); i++) {
		if (yg_sv_ieq(s, names[i].name)) {
			*out = names[i].tlp;
			return YG_OK;
		}
	}
	return YG_PARSE;
}

static const struct {
	struct yg_sv name;
	uint8_t severity, confidence;
} categories[] = {
	{YG_SV_INIT("malware"), 4, 75},  {YG_SV_INIT("malicious"), 4, 75},
	{YG_SV_INIT("c2"), 5, 75},       {YG_SV_INIT("ransomware"), 5, 75},
	{YG_SV_INIT("phishing"), 4, 75}, {YG_SV_INIT("botnet"), 4, 75},
	{YG_SV_INIT("exploit"), 4, 75},  {YG_SV_INIT("attacker"), 3, 60},
	{YG_SV_INIT("scanner"), 2, 60},  {YG_SV_INIT("suspicious"), 3, 50},
	{YG_SV_INIT("spam"), 2, 60},     {YG_SV_INIT("adware"), 2, 60},
	{YG_SV_INIT("policy"), 2, 75},
};

uint8_t yg_category_severity(struct yg_sv category)
{
	for (size_t i = 0; i < YG_LEN(categories); i++)
		if (yg_sv_ieq(category, categories[i].name))
			return categories[i].severity;
	return 3;
}

uint8_t yg_category_confidence(struct yg_sv category)
{
	for (size_t i = 0; i < YG_LEN(categories); i++)
		if (yg_sv_ieq(category, categories[i].name))
			return categories[i].confidence;
	return 50;
}

/* ---- defanged spellings ---- */

static const struct {
	struct yg_sv from, to;
} fangs[] = {
	{YG_SV_INIT("[://]"), YG_SV_INIT("://")}, {YG_SV_INIT("[.]"), YG_SV_INIT(".")},
	{YG_SV_INIT("(.)"), YG_SV_INIT(".")},     {YG_SV_INIT("{.}"), YG_SV_INIT(".")},
	{YG_SV_INIT("[dot]"), YG_SV_INIT(".")},   {YG_SV_INIT("(dot)"), YG_SV_INIT(".")},
	{YG_SV_INIT("[:]"), YG_SV_INIT(":")},     {YG_SV_INIT("[@]"), YG_SV_INIT("@")},
	{YG_SV_INIT("[at]"), YG_SV_INIT("@")},    {YG_SV_INIT("(at)"), YG_SV_INIT("@")},
	{YG_SV_INIT("[/]"), YG_SV_INIT("/")},
};

static struct yg_sv fang_at(struct yg_sv rest, struct yg_sv *to)
{
	for (size_t i = 0; i < YG_LEN(fangs); i++) {
		if (yg_sv_ieq(yg_sv_sub(rest, 0, fangs[i].from.n), fangs[i].from)) {
			*to = fangs[i].to;
			return fangs[i].from;
		}
	}
	return (struct yg_sv){"", 0};
}

static bool is_fanged(struct yg_sv v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] == '[' || v.p[i] == '(' || v.p[i] == '{')
			return true;
	return v.n > 4 && (v.p[0] | 0x20) == 'h' && (v.p[1] | 0x20) == 'x';
}

/* hxxp://, hxxps:// and hXXp:// back to what they were. */
static void put_scheme(struct yg_sv *v, struct yg_sb *out)
{
	size_t n = v->n > 5 && (v->p[4] | 0x20) == 's' ? 5 : 4;
	if (v->n > n + 3 && yg_sv_ieq(yg_sv_sub(*v, 0, 4), YG_SV("hxxp")) &&
	    (v->p[n] == ':' || v->p[n] == '[')) {
		yg_sb_put(out, n == 5 ? YG_SV("https") : YG_SV("http"));
		*v = yg_sv_sub(*v, n, v->n);
	}
}

/* A slash that is not one of "://" ends the part of a URL that names a place. */
static bool ends_place(struct yg_sv done)
{
	if (done.n > 0 && done.p[done.n - 1] == ':')
		return false;
	return done.n < 2 || done.p[done.n - 1] != '/' || done.p[done.n - 2] != ':';
}

/* Round brackets stay in the path of a URL: they are allowed there, and after
 * percent-decoding "(%2E)" would be taken for a defanged dot the second time. */
static struct yg_sv refang(struct yg_sv v, bool is_url, struct yg_sb *out)
{
	bool in_path = false;
	put_scheme(&v, out);
	while (v.n > 0) {
		struct yg_sv to = {"", 0}, from = fang_at(v, &to);
		if (from.n > 0 && !(in_path && from.p[0] == '(')) {
			yg_sb_put(out, to);
		} else {
			in_path = in_path || (is_url && v.p[0] == '/' && ends_place(yg_sb_sv(out)));
			yg_sb_putc(out, v.p[0]);
			from.n = 1;
		}
		v = yg_sv_sub(v, from.n, v.n);
	}
	return yg_sb_sv(out);
}

/* ---- keys ---- */

static void put_ip(struct yg_ip ip, struct yg_sb *out)
{
	if (yg_ip_is_v4(ip))
		yg_sb_put(out, (struct yg_sv){(const char *)ip.b + 12, 4});
	else
		yg_sb_put(out, (struct yg_sv){(const char *)ip.b, 16});
}

static yg_status ip_key(struct yg_sv v, struct yg_sb *out, struct yg_err *err)
{
	struct yg_ip ip;
	unsigned bits = 128;
	if (yg_host_ip(v, &ip) != YG_OK) {
		yg_status st = yg_ip_prefix_parse(v, &ip, &bits, err);
		if (st != YG_OK)
			return st;
	}
	bool v4 = yg_ip_is_v4(ip) && bits >= 96;
	if (v4)
		yg_sb_put(out, (struct yg_sv){(const char *)ip.b + 12, 4});
	else
		yg_sb_put(out, (struct yg_sv){(const char *)ip.b, 16});
	if (bits < 128)
		yg_sb_putc(out, (char)(v4 ? bits - 96 : bits));
	return YG_OK;
}

static yg_status ipport_key(struct yg_sv v, struct yg_sb *out, struct yg_err *err)
{
	struct yg_ip ip;
	uint64_t port;
	const char *colon = v.n > 0 ? memrchr(v.p, ':', v.n) : NULL;
	size_t at = colon != NULL ? (size_t)(colon - v.p) : v.n;
	struct yg_sv host = yg_sv_sub(v, 0, at);
	bool bracket = host.n > 0 && host.p[0] == '[';
	if (yg_host_ip(host, &ip) != YG_OK || (!bracket && yg_sv_find(host, ':', 0) < host.n))
		return YG_FAIL(err, YG_PARSE,
			       "not address:port (IPv6 addresses stand in brackets)");
	if (yg_parse_u64(yg_sv_sub(v, at + 1, v.n), &port, NULL) != YG_OK || port < 1 ||
	    port > 65535)
		return YG_FAIL(err, YG_PARSE, "port is not 1 to 65535");
	put_ip(ip, out);
	yg_sb_putc(out, (char)(port >> 8));
	yg_sb_putc(out, (char)port);
	return YG_OK;
}

static yg_status hash_key(struct yg_sv v, struct yg_sb *out, struct yg_err *err)
{
	uint8_t b[32];
	if (v.n != 32 && v.n != 40 && v.n != 64)
		return YG_FAIL(err, YG_PARSE,
			       "a hash has 32, 40 or 64 hex digits, not %zu characters", v.n);
	if (yg_parse_hex(v, b, v.n / 2, NULL) != YG_OK)
		return YG_FAIL(err, YG_PARSE, "not a hash: other than hex digits in it");
	yg_sb_put(out, (struct yg_sv){(const char *)b, v.n / 2});
	return YG_OK;
}

static yg_status email_key(struct yg_sv v, struct yg_sb *out, struct yg_err *err)
{
	const char *at = v.n > 0 ? memrchr(v.p, '@', v.n) : NULL;
	size_t n = at != NULL ? (size_t)(at - v.p) : 0;
	if (n == 0 || n > 64 || v.n > 320)
		return YG_FAIL(err, YG_PARSE, "not an e-mail address");
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)v.p[i];
		if (c <= 0x20 || c == 0x7f || c == '@' || c == '<' || c == '>')
			return YG_FAIL(err, YG_PARSE, "not an e-mail address");
		yg_sb_putc(out, c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : (char)c);
	}
	if (yg_utf8_valid(yg_sv_sub(v, 0, n)) != n)
		return YG_FAIL(err, YG_PARSE, "e-mail address is not UTF-8");
	yg_sb_putc(out, '@');
	char name[YG_DOMAIN_MAX + 1];
	struct yg_sb b = yg_sb_init(name, sizeof name);
	yg_status st = yg_domain_normalize(yg_sv_sub(v, n + 1, v.n), &b, err);
	if (st == YG_OK)
		yg_sb_put(out, yg_sb_sv(&b));
	return st;
}

static yg_status url_key(struct yg_sv v, struct yg_sb *out, uint8_t *scheme, struct yg_err *err)
{
	struct yg_url url;
	yg_status st = yg_url_normalize(v, false, out, &url, err);
	if (st == YG_OK)
		*scheme = url.scheme;
	return st;
}

static yg_status plain_key(enum yg_indicator_type type, struct yg_sv v, struct yg_sb *b,
			   struct yg_indicator_key *out, struct yg_err *err)
{
	uint8_t scheme = 0;
	yg_status st = YG_PARSE;
	switch (type) {
	case YG_IND_IP: st = ip_key(v, b, err); break;
	case YG_IND_IPPORT: st = ipport_key(v, b, err); break;
	case YG_IND_DOMAIN:
	case YG_IND_FQDN: st = yg_domain_normalize(v, b, err); break;
	case YG_IND_URL: st = url_key(v, b, &scheme, err); break;
	case YG_IND_HASH: st = hash_key(v, b, err); break;
	case YG_IND_EMAIL: st = email_key(v, b, err); break;
	case YG_IND_NONE:
	case YG_IND_TYPE_COUNT: return YG_FAIL(err, YG_PARSE, "unknown indicator type");
	}
	if (st == YG_OK && b->cut)
		return YG_FAIL(err, YG_PARSE, "value is too long");
	if (st == YG_OK)
		*out = (struct yg_indicator_key){type, scheme, yg_sb_sv(b)};
	return st;
}

/* Apart, so that the common spelling does not pay for this frame. */
static __attribute__((noinline)) yg_status fanged_key(enum yg_indicator_type type, struct yg_sv v,
						      struct yg_sb *b, struct yg_indicator_key *out,
						      struct yg_err *err)
{
	char plain[YG_KEY_MAX];
	struct yg_sb fresh = yg_sb_init(plain, sizeof plain);
	return plain_key(type, refang(v, type == YG_IND_URL, &fresh), b, out, err);
}

yg_status yg_indicator_key(enum yg_indicator_type type, struct yg_sv value, char *buf, size_t cap,
			   struct yg_indicator_key *out, struct yg_err *err)
{
	struct yg_sb b = yg_sb_init(buf, cap);
	struct yg_sv v = yg_sv_trim(value);
	if (v.n == 0)
		return YG_FAIL(err, YG_PARSE, "empty value");
	if (v.n > YG_URL_MAX)
		return YG_FAIL(err, YG_PARSE, "value of %zu bytes is too long", v.n);
	if (is_fanged(v))
		return fanged_key(type, v, &b, out, err);
	return plain_key(type, v, &b, out, err);
}

/* ---- back to text ---- */

static bool take_ip(struct yg_sv key, size_t extra, struct yg_ip *out)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	if (key.n == 4 + extra) {
		memcpy(out->b, mapped, 12);
		memcpy(out->b + 12, key.p, 4);
		return true;
	}
	if (key.n == 16 + extra)
		memcpy(out->b, key.p, 16);
	return key.n == 16 + extra;
}

static void ip_text(struct yg_sv key, struct yg_sb *out)
{
	struct yg_ip ip;
	if (take_ip(key, 0, &ip)) {
		yg_ip_format(out, ip);
	} else if (take_ip(key, 1, &ip)) {
		yg_ip_format(out, ip);
		yg_sb_putc(out, '/');
		yg_sb_u64(out, (uint8_t)key.p[key.n - 1]);
	}
}

static void ipport_text(struct yg_sv key, struct yg_sb *out)
{
	struct yg_ip ip;
	if (!take_ip(key, 2, &ip))
		return;
	bool v4 = yg_ip_is_v4(ip);
	if (!v4)
		yg_sb_putc(out, '[');
	yg_ip_format(out, ip);
	yg_sb_put(out, v4 ? YG_SV(":") : YG_SV("]:"));
	yg_sb_u64(out, (uint64_t)(uint8_t)key.p[key.n - 2] << 8 | (uint8_t)key.p[key.n - 1]);
}

void yg_indicator_text(enum yg_indicator_type type, uint8_t scheme, struct yg_sv key,
		       struct yg_sb *out)
{
	switch (type) {
	case YG_IND_IP: ip_text(key, out); break;
	case YG_IND_IPPORT: ipport_text(key, out); break;
	case YG_IND_HASH: yg_sb_hex(out, key.p, key.n); break;
	case YG_IND_URL:
		if (scheme == YG_URL_HTTP)
			yg_sb_put(out, YG_SV("http://"));
		else if (scheme == YG_URL_HTTPS)
			yg_sb_put(out, YG_SV("https://"));
		yg_sb_put(out, key);
		break;
	case YG_IND_DOMAIN:
	case YG_IND_FQDN:
	case YG_IND_EMAIL: yg_sb_put(out, key); break;
	case YG_IND_NONE:
	case YG_IND_TYPE_COUNT: break;
	}
}

yg_status yg_indicator_normalize(enum yg_indicator_type type, struct yg_sv value, struct yg_sb *out,
				 struct yg_err *err)
{
	char buf[YG_KEY_MAX];
	struct yg_indicator_key key = {.type = YG_IND_NONE};
	yg_status st = yg_indicator_key(type, value, buf, sizeof buf, &key, err);
	if (st != YG_OK)
		return st;
	yg_indicator_text(key.type, key.scheme, key.key, out);
	return yg_sb_done(out);
}

enum yg_indicator_type yg_indicator_guess(struct yg_sv value)
{
	/* Most particular first: an address would do as a name, a prefix as a URL. */
	static const enum yg_indicator_type order[] = {YG_IND_IP, YG_IND_IPPORT, YG_IND_HASH,
						       YG_IND_EMAIL, YG_IND_DOMAIN};
	char buf[YG_KEY_MAX];
	struct yg_indicator_key key;
	for (size_t i = 0; i < YG_LEN(order); i++)
		if (yg_indicator_key(order[i], value, buf, sizeof buf, &key, NULL) == YG_OK)
			return order[i];
	if (yg_sv_find(value, '/', 0) < value.n &&
	    yg_indicator_key(YG_IND_URL, value, buf, sizeof buf, &key, NULL) == YG_OK)
		return YG_IND_URL;
	return YG_IND_NONE;
}
