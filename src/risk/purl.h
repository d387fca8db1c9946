/* purl.h - package URLs: "pkg:deb/debian/curl@7.50.3-1?arch=i386" (ECMA-427), read into their
 * components and written in the canonical form.
 *
 * Pure, no allocation; any thread.
 */
#pragma once
#include "base/sb.h"

#define YG_PURL_TEXT_MAX       2048 /* bytes */
#define YG_PURL_QUALIFIERS_MAX 32

struct yg_purl_part {
	uint16_t at, n; /* in `text`; n 0: there is none */
};
/* A package URL that was valid: percent-encoding undone, letters folded where the type says so. */
struct yg_purl {
	struct yg_purl_part type, namespace, name, version, subpath;
	struct {
		struct yg_purl_part key, value;
	} qualifier[YG_PURL_QUALIFIERS_MAX]; /* in the order of their keys */
	uint16_t qualifiers;
	uint16_t n;                  /* bytes used of text */
	char text[YG_PURL_TEXT_MAX]; /* only the first n are set */
};

/* YG_OK | YG_PARSE, with the reason in err and in *out_at the byte it is at (0 to text.n). */
yg_status yg_purl_parse(struct yg_sv text, struct yg_purl *out, size_t *out_at,
			struct yg_err *err) YG_MUST_USE;
static inline struct yg_sv yg_purl_text(const struct yg_purl *purl, struct yg_purl_part part)
{
	return (struct yg_sv){purl->text + part.at, part.n};
}
/* The canonical form; at most three times as long as what was read. */
void yg_purl_put(struct yg_sb *b, const struct yg_purl *purl);
