/* url.c - domain names and URLs: the one spelling (RFC 3986 section 6, RFC 5891). */
#include "event/url.h"

#include <idn2.h>
#include <stdlib.h>

/* ---- names ---- */

static void drop_name(char **p)
{
	if (*p != NULL)
		idn2_free(*p);
}

static bool is_ascii(struct yg_sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

/* What a character becomes in a name; 0: no name has it. */
static const char name_char[256] = {
	['-'] = '-', ['_'] = '_', ['.'] = '.', ['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3',
	['4'] = '4', ['5'] = '5', ['6'] = '6', ['7'] = '7', ['8'] = '8', ['9'] = '9', ['a'] = 'a',
	['b'] = 'b', ['c'] = 'c', ['d'] = 'd', ['e'] = 'e', ['f'] = 'f', ['g'] = 'g', ['h'] = 'h',
	['i'] = 'i', ['j'] = 'j', ['k'] = 'k', ['l'] = 'l', ['m'] = 'm', ['n'] = 'n', ['o'] = 'o',
	['p'] = 'p', ['q'] = 'q', ['r'] = 'r', ['s'] = 's', ['t'] = 't', ['u'] = 'u', ['v'] = 'v',
	['w'] = 'w', ['x'] = 'x', ['y'] = 'y', ['z'] = 'z', ['A'] = 'a', ['B'] = 'b', ['C'] = 'c',
	['D'] = 'd', ['E'] = 'e', ['F'] = 'f', ['G'] = 'g', ['H'] = 'h', ['I'] = 'i', ['J'] = 'j',
	['K'] = 'k', ['L'] = 'l', ['M'] = 'm', ['N'] = 'n', ['O'] = 'o', ['P'] = 'p', ['Q'] = 'q',
	['R'] = 'r', ['S'] = 's', ['T'] = 't', ['U'] = 'u', ['V'] = 'v', ['W'] = 'w', ['X'] = 'x',
	['Y'] = 'y', ['Z'] = 'z',
};

/* Labels of 1..63 letters, digits, '-' and '_', lower case. */
static yg_status put_name(struct yg_sv in, struct yg_sb *out, struct yg_err *err)
{
	size_t begin = 0; /* of the label at hand */
	if (in.n == 0 || in.n > YG_DOMAIN_MAX)
		return YG_FAIL(err, YG_PARSE, "a name has 1 to %d characters", YG_DOMAIN_MAX);
	if (out->cut || out->cap - out->n < in.n) {
		out->cut = true;
		return YG_FAIL(err, YG_LIMIT, "a name is longer than its buffer");
	}
	char *to = out->p + out->n;
	for (size_t i = 0; i < in.n; i++) {
		char c = name_char[(unsigned char)in.p[i]];
		if (c == 0)
			return YG_FAIL(err, YG_PARSE, "a character that no name has");
		to[i] = c;
		if (c != '.')
			continue;
		if (i == begin)
			return YG_FAIL(err, YG_PARSE, "a label of the name is empty");
		if (i - begin > 63)
			return YG_FAIL(err, YG_PARSE, "a label of the name is longer than 63");
		begin = i + 1;
	}
	if (in.n == begin)
		return YG_FAIL(err, YG_PARSE, "a label of the name is empty");
	if (in.n - begin > 63)
		return YG_FAIL(err, YG_PARSE, "a label of the name is longer than 63");
	out->n += in.n;
	return YG_OK;
}

yg_status yg_domain_normalize(struct yg_sv in, struct yg_sb *out, struct yg_err *err)
{
	YG_AUTO(drop_name) char *ascii = NULL;
	if (in.n > 2 && in.p[0] == '*' && in.p[1] == '.')
		in = yg_sv_sub(in, 2, in.n);
	else if (in.n > 1 && in.p[0] == '.')
		in = yg_sv_sub(in, 1, in.n);
	if (!is_ascii(in)) {
		char text[4 * YG_DOMAIN_MAX + 1];
		struct yg_sb b = yg_sb_init(text, sizeof text - 1);
		yg_sb_put(&b, in);
		if (b.cut || memchr(in.p, 0, in.n) != NULL)
			return YG_FAIL(err, YG_PARSE, "an internationalised name is too long");
		int rc = idn2_to_ascii_8z(yg_sb_cstr(&b), &ascii,
					  IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
		if (rc != IDN2_OK)
			return YG_FAIL(err, YG_PARSE, "an internationalised name: %s",
				       idn2_strerror(rc));
		in = yg_sv_of(ascii);
	}
	if (in.n > 1 && in.p[in.n - 1] == '.')
		in = yg_sv_sub(in, 0, in.n - 1);
	size_t from = out->n;
	yg_status st = put_name(in, out, err);
	if (st != YG_OK)
		return st;
	const char *dot = memrchr(out->p + from, '.', out->n - from);
	const char *last = dot != NULL ? dot + 1 : out->p + from;
	bool digits = true;
	for (const char *p = last; p < out->p + out->n; p++)
		digits = digits && *p >= '0' && *p <= '9';
	if (digits) /* RFC 3696 2: no such top level; it is an address cut short */
		return YG_FAIL(err, YG_PARSE, "a name whose last label is a number");
	return YG_OK;
}

/* ---- hosts ---- */

yg_status yg_host_ip(struct yg_sv host, struct yg_ip *out)
{
	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = yg_sv_sub(host, 1, host.n - 2);
	return yg_ip_parse(host, out);
}

struct yg_sv yg_host_cut_port(struct yg_sv host, unsigned *port)
{
	const char *colon = host.n > 0 ? memrchr(host.p, ':', host.n) : NULL;
	uint64_t v;
	if (colon == NULL)
		return host;
	size_t at = (size_t)(colon - host.p);
	bool bracket = at > 0 && host.p[at - 1] == ']', first = memchr(host.p, ':', at) == NULL;
	if ((!bracket && !first) ||
	    yg_parse_u64(yg_sv_sub(host, at + 1, host.n), &v, NULL) != YG_OK || v > 65535)
		return host;
	*port = (unsigned)v;
	return yg_sv_sub(host, 0, at);
}

/* ---- URLs ---- */

enum { STAY = 1, UNRESERVED = 2 };

/* RFC 3986 2.3 and 3.3: what stands for itself in a path or query. */
static const uint8_t classes[256] = {
	['a' ... 'z'] = STAY | UNRESERVED,
	['A' ... 'Z'] = STAY | UNRESERVED,
	['0' ... '9'] = STAY | UNRESERVED,
	['-'] = STAY | UNRESERVED,
	['.'] = STAY | UNRESERVED,
	['_'] = STAY | UNRESERVED,
	['~'] = STAY | UNRESERVED,
	['!'] = STAY,
	['$'] = STAY,
	['&'] = STAY,
	['\''] = STAY,
	['('] = STAY,
	[')'] = STAY,
	['*'] = STAY,
	['+'] = STAY,
	[','] = STAY,
	[';'] = STAY,
	['='] = STAY,
	[':'] = STAY,
	['@'] = STAY,
	['/'] = STAY,
	['?'] = STAY,
};
static unsigned char_class(unsigned char c)
{
	return classes[c];
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void put_percent(struct yg_sb *out, unsigned char c)
{
	static const char digit[] = "0123456789ABCDEF";
	char t[3] = {'%', digit[c >> 4], digit[c & 15]};
	yg_sb_put(out, (struct yg_sv){t, 3});
}

/* Copies up to the fragment: %41 becomes A, %2f %2F, and what no URL may hold
 * is encoded. */
static void put_encoded(struct yg_sv in, struct yg_sb *out)
{
	size_t plain = 0; /* run of characters that stay as they are */
	for (size_t i = 0;; i++) {
		unsigned char c = i < in.n ? (unsigned char)in.p[i] : '#';
		if (i < in.n && (char_class(c) & STAY) != 0)
			continue;
		yg_sb_put(out, (struct yg_sv){in.p + plain, i - plain});
		if (i == in.n || c == '#')
			return;
		int hi = c == '%' && i + 2 < in.n ? hex_value(in.p[i + 1]) : -1;
		int lo = hi >= 0 ? hex_value(in.p[i + 2]) : -1;
		if (lo >= 0) {
			unsigned char d = (unsigned char)(hi << 4 | lo);
			if ((char_class(d) & UNRESERVED) != 0)
				yg_sb_putc(out, (char)d);
			else
				put_percent(out, d);
			i += 2;
		} else {
			put_percent(out, c);
		}
		plain = i + 1;
	}
}

/* RFC 3986 5.2.4 in place on the path that begins at out->p[at] with '/'. */
static void drop_dots(struct yg_sb *out, size_t at, size_t end)
{
	char *p = out->p;
	size_t w = at;
	for (size_t r = at; r < end;) { /* p[r] is '/' */
		size_t next = r + 1;
		while (next < end && p[next] != '/')
			next++;
		size_t n = next - r - 1;
		bool dot = n == 1 && p[r + 1] == '.';
		bool up = n == 2 && p[r + 1] == '.' && p[r + 2] == '.';
		if (up)
			while (w > at && p[--w] != '/')
				;
		if (!dot && !up) {
			memmove(p + w, p + r, next - r);
			w += next - r;
		} else if (next == end) {
			p[w++] = '/';
		}
		r = next;
	}
	if (w == at)
		p[w++] = '/';
	memmove(p + w, p + end, out->n - end);
	out->n -= end - w;
}

/* Bytes of "scheme" before "://"; 0: there is none. */
static size_t scheme_length(struct yg_sv in)
{
	size_t n = 0;
	while (n < in.n && n < 16 &&
	       (((in.p[n] | 0x20) >= 'a' && (in.p[n] | 0x20) <= 'z') ||
		(n > 0 && ((in.p[n] >= '0' && in.p[n] <= '9') || in.p[n] == '+' || in.p[n] == '-' ||
			   in.p[n] == '.'))))
		n++;
	return yg_sv_starts(yg_sv_sub(in, n, in.n), YG_SV("://")) ? n : 0;
}

/* Takes "scheme://" off; anything but http and https stays in the text. */
static uint8_t take_scheme(struct yg_sv *in, struct yg_sb *out)
{
	size_t n = scheme_length(*in);
	if (n == 0)
		return YG_URL_BARE;
	struct yg_sv scheme = yg_sv_sub(*in, 0, n);
	*in = yg_sv_sub(*in, n + 3, in->n);
	if (yg_sv_ieq(scheme, YG_SV("http")))
		return YG_URL_HTTP;
	if (yg_sv_ieq(scheme, YG_SV("https")))
		return YG_URL_HTTPS;
	for (size_t i = 0; i < scheme.n; i++) {
		char c = scheme.p[i];
		yg_sb_putc(out, c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c);
	}
	yg_sb_put(out, YG_SV("://"));
	return YG_URL_BARE;
}

static size_t authority_end(struct yg_sv in)
{
	size_t n = 0;
	while (n < in.n && in.p[n] != '/' && in.p[n] != '?' && in.p[n] != '#')
		n++;
	return n;
}

/* userinfo is no part of where it leads */
static struct yg_sv without_user(struct yg_sv authority)
{
	const char *at = authority.n > 0 ? memrchr(authority.p, '@', authority.n) : NULL;
	return at != NULL ? yg_sv_sub(authority, (size_t)(at - authority.p) + 1, authority.n)
			  : authority;
}

struct yg_sv yg_url_authority(struct yg_sv url)
{
	if (url.n == 0 || url.p[0] == '/')
		return YG_SV("");
	size_t n = scheme_length(url);
	if (n > 0)
		url = yg_sv_sub(url, n + 3, url.n);
	return without_user(yg_sv_sub(url, 0, authority_end(url)));
}

/* Splits off a port; false when there is something else behind the colon. */
static bool take_port(struct yg_sv *host, uint16_t *port)
{
	uint64_t v = 0;
	size_t from = host->n > 0 && host->p[0] == '[' ? yg_sv_find(*host, ']', 0) : 0;
	size_t colon = yg_sv_find(*host, ':', from);
	if (colon == host->n)
		return true;
	struct yg_sv digits = yg_sv_sub(*host, colon + 1, host->n);
	if (digits.n > 0 && (yg_parse_u64(digits, &v, NULL) != YG_OK || v == 0 || v > 65535))
		return false;
	*host = yg_sv_sub(*host, 0, colon);
	*port = (uint16_t)v;
	return true;
}

static yg_status put_authority(struct yg_sv auth, struct yg_sb *out, struct yg_url *url,
			       struct yg_err *err)
{
	auth = without_user(auth);
	if (!take_port(&auth, &url->port))
		return YG_FAIL(err, YG_PARSE, "the port of the URL is not 1 to 65535");
	size_t from = out->n;
	if (yg_host_ip(auth, &url->ip) == YG_OK) {
		url->is_ip = true;
		bool v6 = !yg_ip_is_v4(url->ip);
		if (v6)
			yg_sb_putc(out, '[');
		yg_ip_format(out, url->ip);
		if (v6)
			yg_sb_putc(out, ']');
	} else {
		if (auth.n > 0 && (auth.p[0] == '*' || auth.p[0] == '.'))
			return YG_FAIL(err, YG_PARSE, "the host of the URL is not a name");
		yg_status st = yg_domain_normalize(auth, out, err);
		if (st != YG_OK)
			return st;
	}
	url->host_n = (uint32_t)(out->n - from);
	if (url->host_at == 0 && ((url->port == 80 && url->scheme != YG_URL_HTTPS) ||
				  (url->port == 443 && url->scheme != YG_URL_HTTP)))
		url->port = 0; /* the scheme's own; without a scheme, either may be meant */
	if (url->port != 0) {
		yg_sb_putc(out, ':');
		yg_sb_u64(out, url->port);
	}
	return YG_OK;
}

yg_status yg_url_normalize(struct yg_sv in, bool lenient, struct yg_sb *out_text,
			   struct yg_url *out, struct yg_err *err)
{
	struct yg_url url = {.scheme = YG_URL_BARE};
	struct yg_sb *b = out_text;
	size_t from = b->n;
	if (in.n > YG_URL_MAX)
		return YG_FAIL(err, YG_TOOBIG, "URL of %zu bytes", in.n);
	if (in.n == 0)
		return YG_FAIL(err, YG_PARSE, "an empty URL");
	if (in.p[0] != '/') {
		url.scheme = take_scheme(&in, b);
		url.host_at = (uint32_t)(b->n - from);
		size_t n = authority_end(in);
		yg_status st = put_authority(yg_sv_sub(in, 0, n), b, &url, err);
		if (st != YG_OK && !lenient)
			return st;
		if (st != YG_OK) {
			url = (struct yg_url){.bad_host = true};
			b->n = from;
		}
		in = yg_sv_sub(in, n, in.n);
	}
	url.path_at = (uint32_t)(b->n - from);
	if (in.n == 0 || in.p[0] != '/')
		yg_sb_putc(b, '/');
	put_encoded(in, b);
	if (b->cut || b->n - from > YG_URL_MAX)
		return YG_FAIL(err, YG_TOOBIG, "URL is longer than %d bytes", YG_URL_MAX);
	char *query = memchr(b->p + from + url.path_at, '?', b->n - from - url.path_at);
	size_t end = query != NULL ? (size_t)(query - b->p) : b->n;
	struct yg_sv path = {b->p + from + url.path_at, end - from - url.path_at};
	if (yg_sv_has(path, YG_SV("/.")))
		drop_dots(b, from + url.path_at, end);
	url.text = (struct yg_sv){b->p + from, b->n - from};
	url.query_at = (uint32_t)yg_sv_find(url.text, '?', url.path_at);
	*out = url;
	return YG_OK;
}
