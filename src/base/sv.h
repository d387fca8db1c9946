/* sv.h - string views and numbers in them.  Pure; nothing allocates. */
#pragma once
#include "base/err.h"

static inline struct yg_sv yg_sv_of(const char *s) /* a C string of our own; NULL is empty */
{
	return s != NULL ? (struct yg_sv){s, strlen(s)} : (struct yg_sv){"", 0};
}
static inline bool yg_sv_eq(struct yg_sv a, struct yg_sv b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
/* Compares with a literal; the length test folds away. */
#define YG_SV_IS(s, lit) ((s).n == sizeof(lit) - 1 && memcmp((s).p, lit, sizeof(lit) - 1) == 0)
int yg_sv_cmp(struct yg_sv a, struct yg_sv b);  /* bytewise; <0, 0, >0 */
bool yg_sv_ieq(struct yg_sv a, struct yg_sv b); /* ASCII case folded */
bool yg_sv_starts(struct yg_sv s, struct yg_sv prefix);
bool yg_sv_ends(struct yg_sv s, struct yg_sv suffix);
bool yg_sv_has(struct yg_sv s, struct yg_sv part);
struct yg_sv yg_sv_trim(struct yg_sv s); /* ASCII space, \t, \r, \n off both ends */
struct yg_sv yg_sv_sub(struct yg_sv s, size_t from, size_t n); /* clamped */
/* Index of the first c at or after `from`; s.n when there is none. */
size_t yg_sv_find(struct yg_sv s, char c, size_t from);
/* Takes the part before the first `sep` off the front of *rest.  False when
 * *rest was already used up; "a,b" gives "a", "b"; "" gives one "". */
bool yg_sv_cut(struct yg_sv *rest, char sep, struct yg_sv *out_part);

/* Whole-view parsers: digits only, no sign unless i64, no blanks, overflow is
 * YG_PARSE (with the range in the message). */
yg_status yg_parse_u64(struct yg_sv s, uint64_t *out, struct yg_err *err);
yg_status yg_parse_i64(struct yg_sv s, int64_t *out, struct yg_err *err);
yg_status yg_parse_hex(struct yg_sv s, uint8_t *out, size_t out_n, struct yg_err *err);
/* "64KiB", "10MB", "512": bytes. */
yg_status yg_parse_bytes(struct yg_sv s, uint64_t *out, struct yg_err *err);
/* "10s", "5m", "2h", "30d", "250ms": microseconds; a bare number is an error. */
yg_status yg_parse_span(struct yg_sv s, int64_t *out_us, struct yg_err *err);

/* Length of the longest prefix that is valid UTF-8 (RFC 3629: no surrogates,
 * no overlong forms); s.n when all of it is. */
size_t yg_utf8_valid(struct yg_sv s);
/* Length of the sequence of two bytes or more at `text` (RFC 3629 section 4); 0 when it is not valid
 * or not whole. */
size_t yg_utf8_long(const char *text, const char *end);
/* At most so many bytes of it, no character cut apart. */
struct yg_sv yg_utf8_cut(struct yg_sv s, size_t most);
