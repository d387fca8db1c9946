/* id.h - names of objects: "<prefix>-<26 characters>", the 26 being a ULID
 * (48 bits of milliseconds, 80 random bits) in Crockford's base32, so that they
 * sort by the time they were made.  One source gives rising ids even within a
 * millisecond and when the clock steps back.
 */
#pragma once
#include "base/env.h"

#define YG_ULID_TEXT 26
#define YG_ID_MAX    40

struct yg_id { /* NUL-terminated text */
	char s[YG_ID_MAX];
};
struct yg_id_source { /* all zero to begin with; one thread */
	uint64_t ms;
	uint8_t random[10];
};
/* prefix: "a" alert, "t" token, "l" list, "j" job, "c" comment, "w" allow entry. */
struct yg_id yg_id_new(struct yg_id_source *src, const struct yg_env *env, const char *prefix);
/* True for "<prefix>-" and 26 characters of the alphabet. */
bool yg_id_is(struct yg_sv s, struct yg_sv prefix);
static inline struct yg_sv yg_id_sv(const struct yg_id *id)
{
	return (struct yg_sv){id->s, strlen(id->s)};
}
/* Crockford base32 of n bytes, upper case, no padding. */
void yg_sb_base32(struct yg_sb *b, const uint8_t *bytes, size_t n);
