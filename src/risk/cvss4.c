/* Version 4.0: CVSS v4.0 Specification Document (1.2), 8.2 and 8.3, and the scores of the
 * macrovectors and the depths published with it.  Rounded half up, as FIRST's reference does
 * since November 2024; the numbers are rational, so that no tie falls on the wrong side. */
#include "risk/cvss_internal.h"

#define NONE 255 /* there is no such macrovector */

// clang-format off
/* Tenths, by EQ1, EQ2, EQ3, EQ4, EQ5, EQ6. */
static const uint8_t macro_score[3][2][3][3][3][2] = {
	{
		{
			{
				{{100, 99}, {98, 95}, {95, 92}},
				{{100, 96}, {93, 87}, {91, 81}},
				{{93, 90}, {89, 80}, {81, 68}},
			},
			{
				{{98, 95}, {95, 92}, {90, 84}},
				{{93, 92}, {89, 81}, {81, 65}},
				{{88, 80}, {78, 70}, {69, 48}},
			},
			{
				{{NONE, 92}, {NONE, 82}, {NONE, 72}},
				{{NONE, 79}, {NONE, 69}, {NONE, 50}},
				{{NONE, 69}, {NONE, 55}, {NONE, 27}},
			},
		},
		{
			{
				{{99, 97}, {95, 92}, {92, 85}},
				{{95, 91}, {90, 83}, {84, 71}},
				{{92, 81}, {82, 71}, {72, 53}},
			},
			{
				{{95, 93}, {92, 85}, {85, 73}},
				{{92, 82}, {80, 72}, {70, 59}},
				{{84, 70}, {71, 52}, {50, 30}},
			},
			{
				{{NONE, 86}, {NONE, 75}, {NONE, 52}},
				{{NONE, 71}, {NONE, 52}, {NONE, 29}},
				{{NONE, 63}, {NONE, 29}, {NONE, 17}},
			},
		},
	},
	{
		{
			{
				{{98, 95}, {94, 87}, {91, 81}},
				{{94, 89}, {86, 74}, {77, 64}},
				{{87, 75}, {74, 63}, {63, 49}},
			},
			{
				{{94, 89}, {88, 77}, {76, 67}},
				{{86, 76}, {74, 58}, {59, 50}},
				{{72, 57}, {57, 52}, {52, 25}},
			},
			{
				{{NONE, 83}, {NONE, 70}, {NONE, 54}},
				{{NONE, 65}, {NONE, 58}, {NONE, 26}},
				{{NONE, 53}, {NONE, 21}, {NONE, 13}},
			},
		},
		{
			{
				{{95, 90}, {88, 76}, {76, 70}},
				{{90, 77}, {75, 62}, {61, 53}},
				{{77, 66}, {68, 59}, {52, 30}},
			},
			{
				{{89, 78}, {76, 67}, {62, 58}},
				{{74, 59}, {57, 57}, {47, 23}},
				{{61, 52}, {57, 29}, {24, 16}},
			},
			{
				{{NONE, 71}, {NONE, 59}, {NONE, 30}},
				{{NONE, 58}, {NONE, 26}, {NONE, 15}},
				{{NONE, 23}, {NONE, 13}, {NONE, 6}},
			},
		},
	},
	{
		{
			{
				{{93, 87}, {86, 72}, {75, 58}},
				{{86, 74}, {74, 61}, {56, 34}},
				{{70, 54}, {52, 40}, {40, 22}},
			},
			{
				{{85, 75}, {74, 55}, {62, 51}},
				{{72, 57}, {55, 41}, {46, 19}},
				{{53, 36}, {34, 19}, {19, 8}},
			},
			{
				{{NONE, 64}, {NONE, 51}, {NONE, 20}},
				{{NONE, 47}, {NONE, 21}, {NONE, 11}},
				{{NONE, 24}, {NONE, 9}, {NONE, 4}},
			},
		},
		{
			{
				{{88, 75}, {73, 53}, {60, 50}},
				{{73, 55}, {59, 40}, {41, 20}},
				{{54, 43}, {45, 22}, {20, 11}},
			},
			{
				{{75, 55}, {58, 45}, {40, 21}},
				{{61, 51}, {48, 18}, {20, 9}},
				{{46, 18}, {17, 7}, {8, 2}},
			},
			{
				{{NONE, 53}, {NONE, 24}, {NONE, 14}},
				{{NONE, 24}, {NONE, 12}, {NONE, 5}},
				{{NONE, 10}, {NONE, 3}, {NONE, 1}},
			},
		},
	},
};
// clang-format on

/* What of a vector scores: steps below the most severe value of each metric. */
struct steps {
	unsigned av, pr, ui, ac, at, vc, vi, va, sc, si, sa; /* of SC, SI, SA: below safety */
	unsigned e, cr, ir, ar;
};

/* The first of the two numbers that is defined, as steps; neither: the most severe. */
static unsigned steps_of(unsigned modified, unsigned base)
{
	unsigned number = modified != 0 ? modified : base;
	return number != 0 ? number - 1 : 0;
}

/* Impact on subsequent systems: safety is the fourth number and above the three others. */
static unsigned subsequent_of(unsigned modified, unsigned base)
{
	return modified == 4 ? 0 : steps_of(modified, base) + 1;
}

/* Of the groups named, and base. */
static struct steps read_steps(const struct yg_cvss *v, unsigned groups)
{
	static const uint8_t undefined[C4_COUNT];
	const uint8_t *b = v->metric;
	const uint8_t *t = (groups & YG_CVSS_TEMPORAL) != 0 ? b : undefined;
	const uint8_t *e = (groups & YG_CVSS_ENVIRONMENTAL) != 0 ? b : undefined;
	return (struct steps){.av = steps_of(e[C4_MAV], b[C4_AV]),
			      .pr = steps_of(e[C4_MPR], b[C4_PR]),
			      .ui = steps_of(e[C4_MUI], b[C4_UI]),
			      .ac = steps_of(e[C4_MAC], b[C4_AC]),
			      .at = steps_of(e[C4_MAT], b[C4_AT]),
			      .vc = steps_of(e[C4_MVC], b[C4_VC]),
			      .vi = steps_of(e[C4_MVI], b[C4_VI]),
			      .va = steps_of(e[C4_MVA], b[C4_VA]),
			      .sc = subsequent_of(e[C4_MSC], b[C4_SC]),
			      .si = subsequent_of(e[C4_MSI], b[C4_SI]),
			      .sa = subsequent_of(e[C4_MSA], b[C4_SA]),
			      .e = steps_of(t[C4_E], 0),
			      .cr = steps_of(e[C4_CR], 0),
			      .ir = steps_of(e[C4_IR], 0),
			      .ar = steps_of(e[C4_AR], 0)};
}

/* Equivalence sets, tables 24 to 29. */
struct macro {
	unsigned eq1, eq2, eq3, eq4, eq5, eq6;
};

static struct macro macro_of(const struct steps *s)
{
	struct macro m = {.eq5 = s->e};
	if (s->av == 0 && s->pr == 0 && s->ui == 0)
		m.eq1 = 0;
	else
		m.eq1 = s->av != 3 && (s->av == 0 || s->pr == 0 || s->ui == 0) ? 1 : 2;
	m.eq2 = s->ac != 0 || s->at != 0;
	if (s->vc == 0 && s->vi == 0)
		m.eq3 = 0;
	else
		m.eq3 = s->vc == 0 || s->vi == 0 || s->va == 0 ? 1 : 2;
	if (s->si == 0 || s->sa == 0)
		m.eq4 = 0;
	else
		m.eq4 = s->sc == 1 || s->si == 1 || s->sa == 1 ? 1 : 2;
	m.eq6 = !((s->cr == 0 && s->vc == 0) || (s->ir == 0 && s->vi == 0) ||
		  (s->ar == 0 && s->va == 0));
	return m;
}

/* Score of a macrovector, NONE when there is none. */
static unsigned look_up(struct macro m)
{
	return m.eq1 < 3 && m.eq2 < 2 && m.eq3 < 3 && m.eq4 < 3 && m.eq5 < 3 && m.eq6 < 2
		       ? macro_score[m.eq1][m.eq2][m.eq3][m.eq4][m.eq5][m.eq6]
		       : NONE;
}

/* EQ3 and EQ6 are one: 00 goes to the higher of 01 and 10, 01 and 10 to 11, 11 to 21. */
static unsigned lower_eq3_eq6(struct macro m)
{
	struct macro down3 = m, down6 = m;
	down3.eq3++;
	down6.eq6++;
	if (m.eq6 == 1)
		return look_up(down3);
	if (m.eq3 == 1)
		return look_up(down6);
	unsigned a = look_up(down3), b = look_up(down6);
	return YG_MAX(a, b);
}

/* The mean of the proportional distances to the next lower macrovectors, a sum of fractions
 * whose denominators all divide this. */
#define DEPTHS 840

struct mean {
	unsigned sum, count; /* tenths * DEPTHS; lower macrovectors there are */
};

static void add_distance(struct mean *mean, unsigned score, unsigned lower, unsigned distance,
			 unsigned depth)
{
	if (lower == NONE)
		return;
	mean->count++;
	mean->sum += (score - lower) * distance * (DEPTHS / depth);
}

/* Distances are steps below the most severe vectors of the equivalence set (table 30); where
 * there are several, all of them are as many steps below the most severe values. */
static uint8_t score_of(const struct steps *s)
{
	static const unsigned top1[] = {0, 1, 3}, depth1[] = {1, 4, 5};
	static const unsigned top2[] = {0, 1}, depth2[] = {1, 2};
	static const unsigned top36[3][2] = {{0, 3}, {1, 3}, {3, 3}};
	static const unsigned depth36[3][2] = {{7, 6}, {8, 8}, {10, 10}};
	static const unsigned top4[] = {1, 3, 6}, depth4[] = {6, 5, 4};
	if (s->vc == 2 && s->vi == 2 && s->va == 2 && s->sc == 3 && s->si == 3 && s->sa == 3)
		return 0; /* no impact on any system */
	const struct macro m = macro_of(s);
	struct macro lower1 = m, lower2 = m, lower4 = m, lower5 = m;
	lower1.eq1++;
	lower2.eq2++;
	lower4.eq4++;
	lower5.eq5++;
	unsigned score = look_up(m);
	struct mean mean = {0, 0};
	add_distance(&mean, score, look_up(lower1), s->av + s->pr + s->ui - top1[m.eq1],
		     depth1[m.eq1]);
	add_distance(&mean, score, look_up(lower2), s->ac + s->at - top2[m.eq2], depth2[m.eq2]);
	add_distance(&mean, score, lower_eq3_eq6(m),
		     s->vc + s->vi + s->va + s->cr + s->ir + s->ar - top36[m.eq3][m.eq6],
		     depth36[m.eq3][m.eq6]);
	add_distance(&mean, score, look_up(lower4), s->sc + s->si + s->sa - top4[m.eq4],
		     depth4[m.eq4]);
	add_distance(&mean, score, look_up(lower5), 0, 1);
	if (mean.count == 0)
		return (uint8_t)score;
	unsigned one = DEPTHS * mean.count, exact = score * one - mean.sum;
	return (uint8_t)((2 * exact + one) / (2 * one));
}

static uint8_t score_by(const struct yg_cvss *v, unsigned groups)
{
	const struct steps s = read_steps(v, groups);
	return score_of(&s);
}

void yg_cvss4_score(const struct yg_cvss *v, struct yg_cvss_score *out)
{
	bool threat = (v->groups & YG_CVSS_TEMPORAL) != 0;
	bool environment = (v->groups & YG_CVSS_ENVIRONMENTAL) != 0;
	out->base = score_by(v, YG_CVSS_BASE);
	out->temporal = threat ? score_by(v, YG_CVSS_TEMPORAL) : out->base;
	out->environmental = environment ? score_by(v, YG_CVSS_ENVIRONMENTAL) : out->base;
	if (threat && environment)
		out->overall = score_by(v, YG_CVSS_TEMPORAL | YG_CVSS_ENVIRONMENTAL);
	else
		out->overall = threat ? out->temporal : out->environmental;
}
