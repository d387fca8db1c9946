/* Versions 3.0 and 3.1: CVSS v3.0 Specification Document 8.1 to 8.4; CVSS v3.1 Specification
 * Document 7.1 to 7.4 and appendix A.
 *
 * Every number is exact but the power in the impact of a changed scope, which is right to
 * 1e-16; of all scores there are none is that near to where it would be another one
 * (test/e2e/vuln_cvss.py counts them through). */
#include "risk/cvss_internal.h"

typedef unsigned __int128 wide;

#define E9  1000000000ull
#define E18 1000000000000000000ull

/* Scores before they are rounded have twenty digits behind the point. */
#define TENTH ((wide)10 * E18)

/* x to the power n, both with 18 digits behind the point; x below 1. */
static uint64_t power(uint64_t x, unsigned n)
{
	uint64_t r = E18;
	for (unsigned bit = 16; bit != 0; bit >>= 1) {
		r = (uint64_t)((wide)r * r / E18);
		if ((n & bit) != 0)
			r = (uint64_t)((wide)r * x / E18);
	}
	return r;
}

/* "The smallest number, specified to one decimal place, that is equal to or higher than its
 * input" (3.0); 3.1 takes the input to five decimals first. */
static unsigned round_up(unsigned version, wide value, wide tenth)
{
	if (version == YG_CVSS_3_1) {
		wide step = tenth / 10000; /* the fifth decimal */
		value = (value + step / 2) / step;
		tenth = 10000;
	}
	return (unsigned)((value + tenth - 1) / tenth);
}

/* The metrics a score is made of, numbers as in cvss.c; the modified ones or those of base. */
struct metrics {
	uint8_t vector, complexity, privileges, interaction, scope;
	uint8_t impact[3], requirement[3];
};

/* 18 digits behind the point; 0: the impact is not above zero. */
static uint64_t impact_of(unsigned version, const struct metrics *m, bool modified)
{
	static const uint64_t hundredths[] = {0, 0, 22, 56};
	static const uint64_t required[] = {10, 5, 10, 15}; /* tenths */
	uint64_t left = 1;
	for (int i = 0; i < 3; i++)
		left *= 1000 - hundredths[m->impact[i]] * required[m->requirement[i]];
	uint64_t iss = E9 - left; /* nine digits */
	if (modified)
		iss = YG_MIN(iss, 915000000);
	if (iss == 0)
		return 0;
	if (m->scope != 2) /* 6.42 * ISS */
		return iss * 642 * 10000000;
	/* 7.52 * (ISS - 0.029) - 3.25 * (ISS - 0.02)^15; of the modified impact in 3.1
	 * 3.25 * (MISS * 0.9731 - 0.02)^13 */
	uint64_t rise = (iss - 29000000) * 752 * 10000000;
	uint64_t bend = modified && version == YG_CVSS_3_1
				? power(iss * 9731 * 100000 - E18 / 50, 13)
				: power(iss * E9 - E18 / 50, 15);
	return rise - (uint64_t)((wide)bend * 325 / 100);
}

/* 8.22 * AV * AC * PR * UI, 18 digits behind the point. */
static uint64_t exploitability_of(const struct metrics *m)
{
	static const uint64_t vector[] = {0, 20, 55, 62, 85};
	static const uint64_t complexity[] = {0, 44, 77};
	static const uint64_t privileges[2][4] = {{0, 27, 62, 85}, {0, 50, 68, 85}};
	static const uint64_t interaction[] = {0, 62, 85};
	return 822 * vector[m->vector] * complexity[m->complexity] *
	       privileges[m->scope == 2][m->privileges] * interaction[m->interaction] * 100000000;
}

/* Tenths. */
static unsigned score_of(unsigned version, const struct metrics *m, bool modified)
{
	uint64_t impact = impact_of(version, m, modified);
	if (impact == 0)
		return 0;
	wide sum = (wide)(impact + exploitability_of(m)) * (m->scope == 2 ? 108 : 100);
	return round_up(version, YG_MIN(sum, 100 * TENTH), TENTH);
}

static unsigned temporal_of(const struct yg_cvss *v, unsigned tenths)
{
	static const uint64_t maturity[] = {100, 91, 94, 97, 100};
	static const uint64_t remediation[] = {100, 95, 96, 97, 100};
	static const uint64_t confidence[] = {100, 92, 96, 100};
	uint64_t product = tenths * maturity[v->metric[C3_E]] * remediation[v->metric[C3_RL]] *
			   confidence[v->metric[C3_RC]];
	return round_up(v->version, product, 1000000);
}

static struct metrics base_metrics(const struct yg_cvss *v)
{
	const uint8_t *m = v->metric;
	return (struct metrics){.vector = m[C3_AV],
				.complexity = m[C3_AC],
				.privileges = m[C3_PR],
				.interaction = m[C3_UI],
				.scope = m[C3_S],
				.impact = {m[C3_C], m[C3_I], m[C3_A]}};
}

static struct metrics modified_metrics(const struct yg_cvss *v)
{
	const uint8_t *m = v->metric;
	struct metrics r = base_metrics(v);
	uint8_t *const place[] = {&r.vector, &r.complexity, &r.privileges, &r.interaction,
				  &r.scope,  &r.impact[0],  &r.impact[1],  &r.impact[2]};
	for (size_t i = 0; i < YG_LEN(place); i++)
		if (m[C3_MAV + i] != 0)
			*place[i] = m[C3_MAV + i];
	for (size_t i = 0; i < 3; i++)
		r.requirement[i] = m[C3_CR + i];
	return r;
}

void yg_cvss3_score(const struct yg_cvss *v, struct yg_cvss_score *out)
{
	const struct metrics base = base_metrics(v), modified = modified_metrics(v);
	unsigned b = score_of(v->version, &base, false);
	out->base = (uint8_t)b;
	out->temporal = (uint8_t)temporal_of(v, b);
	out->environmental = (uint8_t)temporal_of(v, score_of(v->version, &modified, true));
	out->overall = (v->groups & YG_CVSS_ENVIRONMENTAL) != 0 ? out->environmental
		       : (v->groups & YG_CVSS_TEMPORAL) != 0    ? out->temporal
								: out->base;
}
