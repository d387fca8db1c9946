#include "detect/hunt_indicator.h"

#include <stdlib.h>

#include "base/arena.h"

#define GROUP_MAX 250u /* literals of one multiSearchAny */

enum kind { NAME, MAIL, LINK, EXACT, KIND_COUNT };
struct literals {
	struct yg_sv v[YG_HUNT_LITERALS_MAX];
	size_t n;
};
struct yg_hunt_near {
	struct yg_arena arena;
	struct literals of[KIND_COUNT];
	struct yg_buf nets; /* " OR (...)" */
	size_t count;
	bool all; /* nothing can be said of one of them */
	bool idn; /* a name that logs may have in letters of its own */
};

yg_status yg_hunt_near_new(struct yg_hunt_near **out, struct yg_err *err)
{
	struct yg_hunt_near *n = calloc(1, sizeof *n);
	if (n == NULL)
		return YG_FAIL(err, YG_NOMEM, "indicators to look for");
	yg_arena_init(&n->arena, 16u << 20);
	yg_buf_init(&n->nets, 1u << 20);
	*out = n;
	return YG_OK;
}

void yg_hunt_near_free(struct yg_hunt_near *n)
{
	if (n == NULL)
		return;
	yg_arena_free(&n->arena);
	yg_buf_free(&n->nets);
	free(n);
}

static void put_hex(struct yg_buf *b, const void *bytes, size_t n)
{
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < n; i++) {
		unsigned char c = ((const unsigned char *)bytes)[i];
		yg_buf_putc(b, digits[c >> 4]);
		yg_buf_putc(b, digits[c & 15]);
	}
}

/* Addresses of a prefix, in the columns; as texts they begin alike, when the prefix says so. */
static void add_net(struct yg_hunt_near *n, struct yg_ip ip, unsigned bits)
{
	static const char *const columns[] = {"src_ip", "dst_ip"};
	char low_text[YG_IP_TEXT_MAX], high_text[YG_IP_TEXT_MAX];
	struct yg_sb a = yg_sb_init(low_text, sizeof low_text);
	struct yg_sb b = yg_sb_init(high_text, sizeof high_text);
	struct yg_ip low = ip, high = ip;
	size_t same = 0;
	for (unsigned i = bits; i < 128; i++) {
		low.b[i / 8] &= (uint8_t) ~(0x80 >> (i % 8));
		high.b[i / 8] |= (uint8_t)(0x80 >> (i % 8));
	}
	yg_ip_format(&a, low);
	yg_ip_format(&b, high);
	while (same < a.n && same < b.n && low_text[same] == high_text[same])
		same++;
	if (same < 2) { /* nothing that is in all of them */
		n->all = true;
		return;
	}
	for (size_t i = 0; i < YG_LEN(columns); i++) {
		yg_buf_printf(&n->nets, " OR (%s >= toFixedString(unhex('", columns[i]);
		put_hex(&n->nets, low.b, sizeof low.b);
		yg_buf_printf(&n->nets, "'), 16) AND %s <= toFixedString(unhex('", columns[i]);
		put_hex(&n->nets, high.b, sizeof high.b);
		yg_buf_put(&n->nets, YG_SV("'), 16))"));
	}
	yg_buf_put(&n->nets, YG_SV(" OR arrayExists(x -> startsWith(x, unhex('"));
	put_hex(&n->nets, low_text, same);
	yg_buf_put(&n->nets, YG_SV("')), names)"));
}

static yg_status add(struct yg_hunt_near *n, enum kind kind, struct yg_sv s, struct yg_err *err)
{
	struct literals *l = &n->of[kind];
	if (l->n == YG_HUNT_LITERALS_MAX || s.n < 2) {
		n->all = true;
		return YG_OK;
	}
	l->v[l->n] = yg_arena_dup(&n->arena, s);
	return l->v[l->n++].p != NULL ? YG_OK : YG_FAIL(err, YG_NOMEM, "indicators to look for");
}

/* An address as `names` has it; a prefix by its bounds. */
static yg_status add_address(struct yg_hunt_near *n, struct yg_sv value, struct yg_err *err)
{
	char text[YG_IP_TEXT_MAX];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	struct yg_ip ip;
	unsigned bits = 128;
	if (yg_host_ip(value, &ip) != YG_OK) {
		if (yg_ip_prefix_parse(value, &ip, &bits, NULL) != YG_OK) {
			n->all = true;
			return YG_OK;
		}
		if (bits < 128) {
			add_net(n, ip, bits);
			return YG_OK;
		}
	}
	yg_ip_format(&b, ip);
	return add(n, EXACT, yg_sb_sv(&b), err);
}

/* "192.0.2.1:80", "[2001:db8::1]:443": the address. */
static yg_status add_endpoint(struct yg_hunt_near *n, struct yg_sv value, struct yg_err *err)
{
	size_t at = value.n;
	while (at > 0 && value.p[at - 1] != ':')
		at--;
	return add_address(n, yg_sv_sub(value, 0, at > 0 ? at - 1 : 0), err);
}

/* Of a URL the host, which its spellings have in common; without one the longest part of
 * its path that no spelling changes. */
static yg_status add_url(struct yg_hunt_near *n, struct yg_sv value, struct yg_err *err)
{
	struct yg_sv best = {NULL, 0};
	size_t at = 0;
	struct yg_ip ip;
	for (size_t i = 0; i + 2 < value.n && at == 0; i++)
		at = value.p[i] == ':' && value.p[i + 1] == '/' && value.p[i + 2] == '/' ? i + 3
											 : 0;
	struct yg_sv rest = yg_sv_sub(value, at, value.n);
	struct yg_sv host = yg_sv_sub(rest, 0, yg_sv_find(rest, '/', 0));
	if (host.n > 0 && (host.p[0] == '[' || yg_host_ip(host, &ip) == YG_OK)) {
		n->all = true; /* an address may be written in many ways */
		return YG_OK;
	}
	host = yg_sv_sub(host, 0, yg_sv_find(host, ':', 0));
	if (host.n > 0) {
		n->idn |= yg_sv_has(host, YG_SV("xn--"));
		return add(n, LINK, host, err);
	}
	for (size_t i = 0, from = 0; i <= rest.n; i++) {
		unsigned char c = i < rest.n ? (unsigned char)rest.p[i] : '/';
		bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
			     c == '-' || c == '_';
		if (plain)
			continue;
		if (i - from > best.n)
			best = yg_sv_sub(rest, from, i - from);
		from = i + 1;
	}
	return add(n, LINK, best, err);
}

yg_status yg_hunt_near_add(struct yg_hunt_near *n, enum yg_indicator_type type, struct yg_sv value,
			   struct yg_err *err)
{
	n->count++;
	switch (type) {
	case YG_IND_IP: return add_address(n, value, err);
	case YG_IND_IPPORT: return add_endpoint(n, value, err);
	case YG_IND_FQDN:
	case YG_IND_DOMAIN:
		n->idn |= yg_sv_has(value, YG_SV("xn--"));
		return add(n, NAME, value, err);
	case YG_IND_URL: return add_url(n, value, err);
	case YG_IND_HASH: return add(n, EXACT, value, err);
	case YG_IND_EMAIL: return add(n, MAIL, value, err);
	default: n->all = true; return YG_OK;
	}
}

static void put_literals(struct yg_buf *sql, const struct yg_sv *v, size_t n)
{
	yg_buf_putc(sql, '[');
	for (size_t i = 0; i < n; i++) {
		yg_buf_put(sql, i > 0 ? YG_SV(", unhex('") : YG_SV("unhex('"));
		put_hex(sql, v[i].p, v[i].n);
		yg_buf_put(sql, YG_SV("')"));
	}
	yg_buf_putc(sql, ']');
}

/* Do the literals stand anywhere in the text? */
static void put_search(struct yg_buf *sql, const struct literals *l, const char *text)
{
	if (l->n == 1) {
		yg_buf_printf(sql, " OR positionCaseInsensitive(%s, unhex('", text);
		put_hex(sql, l->v[0].p, l->v[0].n);
		yg_buf_put(sql, YG_SV("')) > 0"));
		return;
	}
	for (size_t i = 0; i < l->n; i += GROUP_MAX) {
		yg_buf_printf(sql, " OR multiSearchAnyCaseInsensitive(%s, ", text);
		put_literals(sql, l->v + i, YG_MIN(l->n - i, (size_t)GROUP_MAX));
		yg_buf_putc(sql, ')');
	}
}

static void put_exact(struct yg_buf *sql, const struct literals *l)
{
	if (l->n == 0)
		return;
	yg_buf_put(sql, l->n == 1 ? YG_SV(" OR has(names, ") : YG_SV(" OR hasAny(names, "));
	if (l->n == 1) {
		yg_buf_put(sql, YG_SV("unhex('"));
		put_hex(sql, l->v[0].p, l->v[0].n);
		yg_buf_put(sql, YG_SV("')"));
	} else {
		put_literals(sql, l->v, l->n);
	}
	yg_buf_putc(sql, ')');
}

yg_status yg_hunt_near_where(const struct yg_hunt_near *n, struct yg_buf *sql, struct yg_err *err)
{
	static const struct {
		const char *text;
		bool of[KIND_COUNT]; /* what may stand there */
	} columns[] = {
		{"query", {[NAME] = true}},
		{"dst_host", {[NAME] = true}},
		{"src_host", {[NAME] = true}},
		{"url", {[NAME] = true, [LINK] = true}},
		{"referrer", {[NAME] = true, [LINK] = true}},
		{"arrayStringConcat(answers, '\\n')", {[NAME] = true}},
		{"mail_from", {[NAME] = true, [MAIL] = true}},
		{"arrayStringConcat(mail_to, '\\n')", {[NAME] = true, [MAIL] = true}},
	};
	if (n->nets.nomem)
		return YG_FAIL(err, YG_NOMEM, "indicators to look for");
	if (n->all || n->count > YG_HUNT_LITERALS_MAX || n->nets.bad || n->count == 0) {
		yg_buf_putc(sql, n->count == 0 ? '0' : '1');
		return YG_OK;
	}
	size_t from = sql->n;
	put_exact(sql, &n->of[EXACT]);
	yg_buf_put(sql, yg_buf_sv(&n->nets));
	for (size_t i = 0; i < YG_LEN(columns); i++) {
		for (size_t k = 0; k < KIND_COUNT; k++)
			if (columns[i].of[k])
				put_search(sql, &n->of[k], columns[i].text);
		if (n->idn && columns[i].of[NAME]) /* its letters: the matcher knows them */
			yg_buf_printf(sql, " OR match(%s, '[\\\\x80-\\\\xff]')", columns[i].text);
	}
	if (sql->bad || sql->n < from + 4)
		return YG_FAIL(err, YG_NOMEM, "the condition of indicators");
	memcpy(sql->p + from, "    ", 4); /* the first " OR " */
	return YG_OK;
}
