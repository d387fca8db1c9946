/* dns_name.h - one domain name, as the DNS carries it.
 *
 * Pure; nothing allocates.  A name is kept uncompressed in wire form (RFC 1035
 * 3.1: length octet and label, over and over, the root's zero octet last), in
 * ASCII lower case, with the places of its labels beside it, so that a name
 * above it is a view and a comparison is one memcmp().  A label may hold any
 * byte; the text form escapes as RFC 1035 5.1 and RFC 4343 say.
 */
#pragma once
#include "base/sb.h"

#define YG_DNS_NAME_MAX      255  /* octets, with the root's (RFC 1035 2.3.4) */
#define YG_DNS_LABEL_MAX     63   /* octets of one label */
#define YG_DNS_LABELS_MAX    127  /* labels of a name of that length, without the root */
#define YG_DNS_NAME_TEXT_MAX 1012 /* bytes of text when every octet is escaped, and a NUL */

struct yg_dns_name {
	uint8_t n;      /* octets in b, with the root's */
	uint8_t labels; /* without the root */
	uint8_t at
		[128];  /* at[i]: where label i begins, 0 is the leftmost; at[labels] is the root */
	uint8_t b[256]; /* behind n: anything */
};

/* ---- making one ---- */

void yg_dns_name_root(struct yg_dns_name *out);
/* Reads the name at *at of a message of n octets, following compression
 * pointers.  A pointer must lead to before where the part it ends began, so
 * every name ends.  *at is then behind the name as it stands there.
 * YG_OK | YG_PARSE (out of bounds, too long, label type 01 or 10, a pointer
 * forwards or to itself); *out and *at are written on YG_OK only. */
yg_status yg_dns_name_read(const uint8_t *msg, size_t n, size_t *at, struct yg_dns_name *out);
/* As above for places where compression is not allowed. */
yg_status yg_dns_name_read_plain(const uint8_t *p, size_t n, size_t *at, struct yg_dns_name *out);
/* Only goes over the name: YG_OK | YG_PARSE (not followed: what a pointer leads to). */
yg_status yg_dns_name_skip(const uint8_t *msg, size_t n, size_t *at);
/* From text: "www.example.", "a\.b.example", "\065.example".  A name without
 * final dot gets `origin` behind it (NULL: the root); "." is the root, "@" the
 * origin when there is one.
 * YG_OK | YG_PARSE (empty label, bad escape, too long; says which). */
yg_status yg_dns_name_parse(struct yg_sv text, const struct yg_dns_name *origin,
			    struct yg_dns_name *out, struct yg_err *err);
/* `front` without its last `cut` labels, then `back`: YG_OK | YG_LIMIT (too long).
 * For DNAME, wildcard CNAME targets and names below a zone. out may be neither. */
yg_status yg_dns_name_join(const struct yg_dns_name *front, unsigned cut,
			   const struct yg_dns_name *back, struct yg_dns_name *out);
/* The name without its first `up` labels; the root when it has no more. */
void yg_dns_name_above(const struct yg_dns_name *name, unsigned up, struct yg_dns_name *out);

/* ---- asking ---- */

static inline bool yg_dns_name_eq(const struct yg_dns_name *a, const struct yg_dns_name *b)
{
	return a->n == b->n && memcmp(a->b, b->b, a->n) == 0;
}
/* Wire bytes of the name from label `from` on: from = 0 is all of it,
 * from = labels the root alone. */
static inline struct yg_sv yg_dns_name_from(const struct yg_dns_name *name, unsigned from)
{
	size_t at = name->at[from <= name->labels ? from : name->labels];
	return (struct yg_sv){(const char *)name->b + at, name->n - at};
}
/* Is `name` `top` or below it?  Everything is below the root. */
static inline bool yg_dns_name_is_in(const struct yg_dns_name *name, const struct yg_dns_name *top)
{
	if (name->labels < top->labels)
		return false;
	size_t at = name->at[name->labels - top->labels];
	return name->n - at == top->n && memcmp(name->b + at, top->b, top->n) == 0;
}
static inline bool yg_dns_name_is_wild(const struct yg_dns_name *name)
{
	return name->n > 2 && name->b[0] == 1 && name->b[1] == '*';
}
/* The bytes of label i (0 is the leftmost), without the length octet. */
static inline struct yg_sv yg_dns_name_label(const struct yg_dns_name *name, unsigned i)
{
	const uint8_t *p = name->b + name->at[i < name->labels ? i : name->labels];
	return (struct yg_sv){(const char *)p + 1, p[0]};
}
/* Labels that both have, counted from the right. */
unsigned yg_dns_name_common(const struct yg_dns_name *a, const struct yg_dns_name *b);
/* Canonical DNSSEC order (RFC 4034 6.1): label by label from the right; <0, 0, >0. */
int yg_dns_name_cmp(const struct yg_dns_name *a, const struct yg_dns_name *b);

/* Text without the final dot, escaped; the root is ".". */
void yg_dns_name_format(struct yg_sb *b, const struct yg_dns_name *name);

/* ASCII letters of n bytes to lower case, from `from` to `to` (they may be the same). */
void yg_dns_lower(uint8_t *to, const uint8_t *from, size_t n);
