#include "detect/hunt_indicator.h"

#include <stdlib.h>

#include "base/arena.h"
#include "event/table.h"

/* What is asked of `names`, which has every host as it is looked up, addresses, hashes and
 * mail addresses (event/normalize.c): EXACT is one of them; UNDER + n is the last n labels of
 * one, or all of it.  PART stands somewhere in a URL, for which no index is of use. */
#define LABELS_MOST 10u /* of deeper names so many are asked for */
enum kind { EXACT, PART, UNDER, KIND_COUNT = UNDER + LABELS_MOST + 1 };

#define FEW       16u  /* so many an index is asked for; of more, each name is looked up in a set */
#define GROUP_MAX 250u /* literals of one multiSearchAny */

struct literals {
	struct yg_sv *v; /* owned */
	size_t n, cap;
};
struct yg_hunt_near {
	struct yg_arena arena;
	struct literals of[KIND_COUNT];
	struct yg_buf nets; /* " OR (...)" */
	size_t count;
	bool all; /* nothing can be said of one of them */
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
	for (size_t i = 0; i < KIND_COUNT; i++)
		free(n->of[i].v);
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

/* What all texts of the prefix begin with.  Groups of an IPv6 address stand as they are up to
 * the first that is 0, which may be left out with others behind it. */
static struct yg_sv common_text(struct yg_ip low, struct yg_ip high, unsigned bits, char *text)
{
	char other[YG_IP_TEXT_MAX];
	struct yg_sb a = yg_sb_init(text, YG_IP_TEXT_MAX), b = yg_sb_init(other, sizeof other);
	size_t same = 0;
	if (yg_ip_is_v4(low)) {
		yg_ip_format(&a, low);
		yg_ip_format(&b, high);
		while (same < a.n && same < b.n && text[same] == other[same])
			same++;
		return (struct yg_sv){text, same};
	}
	for (unsigned g = 0; g < 7 && (g + 1) * 16 <= bits; g++) {
		unsigned v = (unsigned)low.b[g * 2] << 8 | low.b[g * 2 + 1];
		if (v == 0)
			break;
		yg_sb_printf(&a, "%x:", v);
	}
	return yg_sb_sv(&a);
}

/* Addresses of a prefix, in the columns; as texts they begin alike, when the prefix says so. */
static void add_net(struct yg_hunt_near *n, struct yg_ip ip, unsigned bits)
{
	static const char *const columns[] = {"src_ip", "dst_ip"};
	char text[YG_IP_TEXT_MAX];
	struct yg_ip low = ip, high = ip;
	for (unsigned i = bits; i < 128; i++) {
		low.b[i / 8] &= (uint8_t) ~(0x80 >> (i % 8));
		high.b[i / 8] |= (uint8_t)(0x80 >> (i % 8));
	}
	struct yg_sv same = common_text(low, high, bits, text);
	if (same.n < 2) { /* nothing that is in all of them */
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
	yg_buf_put(&n->nets, YG_SV(" OR arrayExists(x -> startsWith(x, "));
	yg_ch_quote(&n->nets, same);
	yg_buf_put(&n->nets, YG_SV("), names)"));
}

static yg_status add(struct yg_hunt_near *n, unsigned kind, struct yg_sv s, struct yg_err *err)
{
	struct literals *l = &n->of[kind];
	if (n->all || n->count > YG_HUNT_LITERALS_MAX || s.n < 2) {
		n->all = true;
		return YG_OK;
	}
	if (l->n == l->cap) {
		size_t cap = l->cap > 0 ? l->cap * 2 : 64;
		struct yg_sv *more = reallocarray(l->v, cap, sizeof *more);
		if (more == NULL)
			return YG_FAIL(err, YG_NOMEM, "indicators to look for");
		l->v = more;
		l->cap = cap;
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

/* A name and all names under it, by as many of its last labels as are asked for. */
static yg_status add_domain(struct yg_hunt_near *n, struct yg_sv name, struct yg_err *err)
{
	unsigned labels = 1;
	size_t at = name.n;
	for (; at > 0 && (name.p[at - 1] != '.' || labels < LABELS_MOST); at--)
		labels += name.p[at - 1] == '.';
	return add(n, UNDER + labels, yg_sv_sub(name, at, name.n), err);
}

/* Of a URL the host, which its spellings have in common; without one the longest part of
 * its path that no spelling changes but by percent signs. */
static yg_status add_url(struct yg_hunt_near *n, struct yg_sv value, struct yg_err *err)
{
	struct yg_sv best = {NULL, 0}, host = yg_url_authority(value);
	struct yg_ip ip;
	unsigned port = 0;
	host = yg_host_cut_port(host, &port);
	if (host.n > 0)
		return yg_host_ip(host, &ip) == YG_OK ? add_address(n, host, err)
						      : add(n, EXACT, host, err);
	for (size_t i = 0, from = 0; i <= value.n; i++) {
		unsigned char c = i < value.n ? (unsigned char)value.p[i] : '/';
		bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
			     c == '-' || c == '_';
		if (plain)
			continue;
		if (i - from > best.n)
			best = yg_sv_sub(value, from, i - from);
		from = i + 1;
	}
	return add(n, PART, best, err);
}

yg_status yg_hunt_near_add(struct yg_hunt_near *n, enum yg_indicator_type type, struct yg_sv value,
			   struct yg_err *err)
{
	unsigned port = 0;
	n->count++;
	switch (type) {
	case YG_IND_IP: return add_address(n, value, err);
	case YG_IND_IPPORT: return add_address(n, yg_host_cut_port(value, &port), err);
	case YG_IND_DOMAIN: return add_domain(n, value, err);
	case YG_IND_URL: return add_url(n, value, err);
	case YG_IND_FQDN:
	case YG_IND_HASH:
	case YG_IND_EMAIL: return add(n, EXACT, value, err);
	default: n->all = true; return YG_OK;
	}
}

static void put_literals(struct yg_buf *sql, const struct yg_sv *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			yg_buf_putc(sql, ',');
		yg_ch_quote(sql, v[i]);
	}
}

/* Of few, what an index answers. */
static void put_few(uint32_t version, struct yg_buf *sql, const struct literals *l, unsigned labels)
{
	yg_buf_put(sql, l->n == 1 ? YG_SV("has(") : YG_SV("hasAny("));
	if (labels > 0)
		yg_event_table_last(version, labels, true, sql);
	else
		yg_buf_put(sql, YG_SV("names"));
	yg_buf_put(sql, l->n == 1 ? YG_SV(", ") : YG_SV(", ["));
	put_literals(sql, l->v, l->n);
	yg_buf_put(sql, l->n == 1 ? YG_SV(")") : YG_SV("])"));
}

/* No index is made of so many labels: of fewer there is one. */
static void put_deep(uint32_t version, struct yg_buf *sql, const struct literals *l,
		     unsigned labels)
{
	struct yg_sv last[FEW];
	struct literals shorter = {.v = last, .n = l->n};
	for (size_t i = 0; i < l->n; i++) {
		size_t at = l->v[i].n, dots = 0;
		while (at > 0 && (l->v[i].p[at - 1] != '.' || ++dots < YG_EVENT_LAST_MAX))
			at--;
		last[i] = yg_sv_sub(l->v[i], at, l->v[i].n);
	}
	yg_buf_putc(sql, '(');
	put_few(version, sql, &shorter, YG_EVENT_LAST_MAX);
	yg_buf_put(sql, YG_SV(" AND "));
	put_few(version, sql, l, labels);
	yg_buf_putc(sql, ')');
}

/* Is one of the literals among the names, or what their last labels are? */
static void put_any(uint32_t version, struct yg_buf *sql, const struct literals *l, unsigned labels)
{
	if (l->n == 0)
		return;
	yg_buf_put(sql, YG_SV(" OR "));
	if (l->n <= FEW) {
		(labels > YG_EVENT_LAST_MAX ? put_deep : put_few)(version, sql, l, labels);
		return;
	}
	yg_buf_put(sql, YG_SV("arrayExists(x -> "));
	if (labels > 0)
		yg_event_table_last(version, labels, false, sql);
	else
		yg_buf_putc(sql, 'x');
	yg_buf_put(sql, YG_SV(" IN ("));
	put_literals(sql, l->v, l->n);
	yg_buf_put(sql, YG_SV("), names)"));
}

/* Servers before 19.1 look for one text at a time. */
#define MANY_FROM 1901u

static void put_part_group(uint32_t version, const char *column, const struct yg_sv *v, size_t n,
			   struct yg_buf *sql)
{
	if (version >= MANY_FROM) {
		yg_buf_printf(sql, " OR multiSearchAny(%s, [", column);
		put_literals(sql, v, n);
		yg_buf_put(sql, YG_SV("])"));
		return;
	}
	for (size_t i = 0; i < n; i++) {
		yg_buf_printf(sql, " OR position(%s, ", column);
		yg_ch_quote(sql, v[i]);
		yg_buf_put(sql, YG_SV(") > 0"));
	}
}

static void put_parts(uint32_t version, struct yg_buf *sql, const struct literals *l)
{
	static const char *const columns[] = {"url", "referrer"};
	for (size_t k = 0; k < YG_LEN(columns); k++) {
		for (size_t i = 0; i < l->n; i += GROUP_MAX)
			put_part_group(version, columns[k], l->v + i,
				       YG_MIN(l->n - i, (size_t)GROUP_MAX), sql);
		if (l->n > 0)
			yg_buf_printf(sql, " OR position(%s, '%%') > 0", columns[k]);
	}
}

yg_status yg_hunt_near_where(const struct yg_hunt_near *n, uint32_t version, struct yg_buf *sql,
			     struct yg_err *err)
{
	size_t from = sql->n;
	if (n->nets.nomem)
		return YG_FAIL(err, YG_NOMEM, "indicators to look for");
	if (!n->all && !n->nets.bad && n->count > 0 && n->count <= YG_HUNT_LITERALS_MAX) {
		yg_buf_put(sql, yg_buf_sv(&n->nets));
		put_parts(version, sql, &n->of[PART]);
		for (unsigned i = EXACT; i < KIND_COUNT; i++)
			if (i != PART)
				put_any(version, sql, &n->of[i], i < UNDER ? 0 : i - UNDER);
	}
	if (sql->nomem)
		return YG_FAIL(err, YG_NOMEM, "the condition of indicators");
	if (sql->bad || sql->n < from + 4) { /* too long, or there is none */
		sql->bad = false;
		sql->n = from;
		yg_buf_putc(sql, n->count == 0 ? '0' : '1');
	} else {
		memcpy(sql->p + from, "    ", 4); /* the first " OR " */
	}
	return YG_OK;
}
