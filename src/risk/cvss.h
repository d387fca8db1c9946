/* cvss.h - CVSS vectors of versions 2.0, 3.0, 3.1 and 4.0: read, checked, scored.
 *
 * Scores are tenths, from integers alone: no binary fraction falls below x.x5.  The
 * equations, their sources and where other calculators differ: doc/vuln.md.  Pure, no
 * allocation; any thread.
 */
#pragma once
#include "base/sb.h"

enum yg_cvss_version {
	YG_CVSS_2_0 = 1,
	YG_CVSS_3_0,
	YG_CVSS_3_1,
	YG_CVSS_4_0,
};
enum yg_cvss_severity {
	YG_CVSS_NONE, /* not of version 2.0, whose lowest is low */
	YG_CVSS_LOW,
	YG_CVSS_MEDIUM,
	YG_CVSS_HIGH,
	YG_CVSS_CRITICAL, /* not of version 2.0 */
};
enum yg_cvss_group {
	YG_CVSS_BASE = 1,
	YG_CVSS_TEMPORAL = 2, /* version 4.0: threat */
	YG_CVSS_ENVIRONMENTAL = 4,
	YG_CVSS_SUPPLEMENTAL = 8, /* version 4.0; never scores */
};

#define YG_CVSS_METRICS_MAX 32  /* of version 4.0 */
#define YG_CVSS_TEXT_MAX    256 /* bytes; the longest valid vector has under 210 */

/* A vector that was valid. */
struct yg_cvss {
	uint8_t version;                     /* enum yg_cvss_version */
	uint8_t groups;                      /* of which at least one metric is defined */
	uint8_t metric[YG_CVSS_METRICS_MAX]; /* in the specification's order; 0: not defined */
};

struct yg_cvss_score { /* tenths, 0 to 100 */
	uint8_t base;
	uint8_t temporal;      /* version 4.0: base and threat metrics (CVSS-BT) */
	uint8_t environmental; /* version 4.0: base and environmental metrics (CVSS-BE) */
	uint8_t overall;       /* by every metric there is */
	uint8_t severity;      /* of `overall`: enum yg_cvss_severity */
};

/* YG_OK | YG_PARSE, with the reason in err and in *out_at the byte it is at (0 to text.n).
 * Whole and exact: nothing around it, letters in the specification's case. */
yg_status yg_cvss_parse(struct yg_sv text, struct yg_cvss *out, size_t *out_at,
			struct yg_err *err) YG_MUST_USE;
/* Of a vector that was parsed. */
void yg_cvss_score(const struct yg_cvss *vector, struct yg_cvss_score *out);
/* "3.1" */
const char *yg_cvss_version_name(enum yg_cvss_version version);
/* "CRITICAL", as the specifications' JSON schemas spell it. */
const char *yg_cvss_severity_name(enum yg_cvss_severity severity);
/* 98: "9.8" */
void yg_cvss_put_tenths(struct yg_sb *b, uint8_t tenths);
