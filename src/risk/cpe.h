/* cpe.h - names of the Common Platform Enumeration 2.3: both bindings read (NISTIR 7695),
 * two names compared (NISTIR 7696).
 *
 * Pure, no allocation; any thread.
 */
#pragma once
#include "base/sb.h"

enum yg_cpe_attribute { /* in the order of the formatted string */
			YG_CPE_PART,
			YG_CPE_VENDOR,
			YG_CPE_PRODUCT,
			YG_CPE_VERSION,
			YG_CPE_UPDATE,
			YG_CPE_EDITION,
			YG_CPE_LANGUAGE,
			YG_CPE_SW_EDITION,
			YG_CPE_TARGET_SW,
			YG_CPE_TARGET_HW,
			YG_CPE_OTHER,
			YG_CPE_ATTRIBUTES
};
enum yg_cpe_kind {
	YG_CPE_ANY,
	YG_CPE_NA,
	YG_CPE_STRING,
};
enum yg_cpe_relation { /* of a source to a target */
		       YG_CPE_UNDEFINED,
		       YG_CPE_SUPERSET,
		       YG_CPE_SUBSET,
		       YG_CPE_EQUAL,
		       YG_CPE_DISJOINT,
};

#define YG_CPE_TEXT_MAX 1024 /* bytes of a name; the longest of NVD's have under 300 */
#define YG_CPE_MANY     255  /* wild cards: '*', and not a number of '?' */

struct yg_cpe_value {
	uint8_t kind;          /* enum yg_cpe_kind */
	uint8_t before, after; /* of a string: wild cards at its ends */
	uint16_t at, n;        /* of a string: its bytes in `text`, quoting undone, small letters */
};
/* A name that was valid. */
struct yg_cpe {
	struct yg_cpe_value value[YG_CPE_ATTRIBUTES];
	uint16_t n;                 /* bytes used of text */
	char text[YG_CPE_TEXT_MAX]; /* only the first n are set */
};

/* "cpe:2.3:..." or "cpe:/...".  YG_OK | YG_PARSE, with the reason in err and in *out_at the
 * byte it is at (0 to text.n). */
yg_status yg_cpe_parse(struct yg_sv text, struct yg_cpe *out, size_t *out_at,
		       struct yg_err *err) YG_MUST_USE;
static inline struct yg_sv yg_cpe_text(const struct yg_cpe *name, enum yg_cpe_attribute which)
{
	const struct yg_cpe_value *v = &name->value[which];
	return (struct yg_sv){name->text + v->at, v->n};
}
/* 7696, table 6-2: of one attribute. */
enum yg_cpe_relation yg_cpe_compare_attribute(const struct yg_cpe *source,
					      const struct yg_cpe *target,
					      enum yg_cpe_attribute which);
/* 7696, table 6-4: of the whole names. */
enum yg_cpe_relation yg_cpe_compare(const struct yg_cpe *source, const struct yg_cpe *target);
/* "superset" */
const char *yg_cpe_relation_name(enum yg_cpe_relation relation);
/* As a formatted string, quoted as 7695 6.2.2 has it. */
void yg_cpe_put(struct yg_sb *b, const struct yg_cpe *name);
