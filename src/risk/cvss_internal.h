/* cvss_internal.h - places of the metrics in struct yg_cvss, and the numbers of their
 * values: 0 is "not defined", the others count from 1 in the order of the tables in
 * cvss.c, which is that of severity. */
#pragma once
#include "risk/cvss.h"

enum yg_cvss2_metric {
	C2_AV,
	C2_AC,
	C2_AU,
	C2_C,
	C2_I,
	C2_A,
	C2_E,
	C2_RL,
	C2_RC,
	C2_CDP,
	C2_TD,
	C2_CR,
	C2_IR,
	C2_AR,
	C2_COUNT
};
enum yg_cvss3_metric {
	C3_AV,
	C3_AC,
	C3_PR,
	C3_UI,
	C3_S,
	C3_C,
	C3_I,
	C3_A,
	C3_E,
	C3_RL,
	C3_RC,
	C3_CR,
	C3_IR,
	C3_AR,
	C3_MAV,
	C3_MAC,
	C3_MPR,
	C3_MUI,
	C3_MS,
	C3_MC,
	C3_MI,
	C3_MA,
	C3_COUNT
};
enum yg_cvss4_metric {
	C4_AV,
	C4_AC,
	C4_AT,
	C4_PR,
	C4_UI,
	C4_VC,
	C4_VI,
	C4_VA,
	C4_SC,
	C4_SI,
	C4_SA,
	C4_E,
	C4_CR,
	C4_IR,
	C4_AR,
	C4_MAV,
	C4_MAC,
	C4_MAT,
	C4_MPR,
	C4_MUI,
	C4_MVC,
	C4_MVI,
	C4_MVA,
	C4_MSC,
	C4_MSI,
	C4_MSA,
	C4_S,
	C4_AU,
	C4_R,
	C4_V,
	C4_RE,
	C4_U,
	C4_COUNT
};
static_assert(C4_COUNT == YG_CVSS_METRICS_MAX, "version 4.0 has the most metrics");

void yg_cvss2_score(const struct yg_cvss *v, struct yg_cvss_score *out);
void yg_cvss3_score(const struct yg_cvss *v, struct yg_cvss_score *out);
void yg_cvss4_score(const struct yg_cvss *v, struct yg_cvss_score *out);
