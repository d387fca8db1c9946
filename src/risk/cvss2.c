/* Version 2.0: "A Complete Guide to the Common Vulnerability Scoring System Version 2.0"
 * (FIRST, June 2007), 3.2.1 to 3.2.3. */
#include "risk/cvss_internal.h"

typedef __int128 wide; /* the environmental score has 22 digits before it is rounded */

#define E6 1000000

/* Half away from zero, as people round decimals. */
static int rounded(wide value, wide one)
{
	wide half = value < 0 ? -(one / 2) : one / 2;
	return (int)((value + half) / one);
}

/* ConfImpact and its fellows in thousandths times ConfReq and its fellows in hundredths. */
static int64_t impact_of(uint8_t value, uint8_t requirement)
{
	static const int64_t impact[] = {0, 0, 275, 660};
	static const int64_t required[] = {100, 50, 100, 151};
	return impact[value] * required[requirement];
}

/* Tenths; may be below zero by an adjusted impact. */
static int base_of(const struct yg_cvss *v, bool adjusted)
{
	static const int64_t vector[] = {0, 395, 646, 1000};        /* AccessVector, thousandths */
	static const int64_t complexity[] = {0, 35, 61, 71};        /* hundredths */
	static const int64_t authentication[] = {0, 450, 560, 704}; /* thousandths */
	const uint8_t *m = v->metric;
	const int64_t one = 100000; /* of an impact by a requirement */
	int64_t c = impact_of(m[C2_C], adjusted ? m[C2_CR] : 0);
	int64_t i = impact_of(m[C2_I], adjusted ? m[C2_IR] : 0);
	int64_t a = impact_of(m[C2_A], adjusted ? m[C2_AR] : 0);
	/* 10.41 * (1 - (1-C)(1-I)(1-A)), 15 digits and two behind the point */
	wide impact = ((wide)one * one * one - (wide)(one - c) * (one - i) * (one - a)) * 1041;
	const wide unit = (wide)one * one * one * 100;
	if (adjusted && impact > 10 * unit)
		impact = 10 * unit;
	if (impact == 0)
		return 0; /* f(Impact) */
	/* 20 * AccessVector * AccessComplexity * Authentication, eight digits behind the point */
	wide ease = (wide)20 * vector[m[C2_AV]] * complexity[m[C2_AC]] * authentication[m[C2_AU]];
	/* (0.6 * Impact + 0.4 * Exploitability - 1.5) * 1.176 */
	wide sum = 6 * impact + 4 * ease * (unit / (E6 * 100)) - 15 * unit;
	return rounded(sum * 1176, unit * 1000);
}

static int temporal_of(const struct yg_cvss *v, int base)
{
	static const int exploitability[] = {100, 85, 90, 95, 100};
	static const int remediation[] = {100, 87, 90, 95, 100};
	static const int confidence[] = {100, 90, 95, 100};
	const uint8_t *m = v->metric;
	return rounded((wide)base * exploitability[m[C2_E]] * remediation[m[C2_RL]] *
			       confidence[m[C2_RC]],
		       E6);
}

static int environmental_of(const struct yg_cvss *v)
{
	static const int damage[] = {0, 0, 10, 30, 40, 50};
	static const int distribution[] = {100, 0, 25, 75, 100};
	const uint8_t *m = v->metric;
	int adjusted = temporal_of(v, base_of(v, true));
	return rounded(((wide)adjusted * 100 + (wide)(100 - adjusted) * damage[m[C2_CDP]]) *
			       distribution[m[C2_TD]],
		       10000);
}

static uint8_t bounded(int tenths)
{
	return (uint8_t)(tenths < 0 ? 0 : YG_MIN(tenths, 100));
}

void yg_cvss2_score(const struct yg_cvss *v, struct yg_cvss_score *out)
{
	int base = base_of(v, false);
	out->base = bounded(base);
	out->temporal = bounded(temporal_of(v, base));
	out->environmental = bounded(environmental_of(v));
	out->overall = (v->groups & YG_CVSS_ENVIRONMENTAL) != 0 ? out->environmental
		       : (v->groups & YG_CVSS_TEMPORAL) != 0    ? out->temporal
								: out->base;
}
