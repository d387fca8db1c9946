/* cvss.c - vectors of CVSS read and scored per second of one core, by version: a million
 * different ones in memory, the best of nine rounds.  One JSON object on stdout. */
#include "risk/cvss.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define VECTORS 1000000u
#define ROUNDS  9

static uint64_t seed = 0x9e3779b97f4a7c15ull;
static unsigned rnd(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed % n);
}

static double cpu_s(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Metrics as "NAME values": base ones first, `base` of them, the others half of the time. */
struct shape {
	const char *version, *prefix;
	unsigned base, count;
	const char *metric[26];
};
static const struct shape shapes[] = {
	{"2.0",
	 "",
	 6,
	 12,
	 {"AV LAN", "AC HML", "Au MSN", "C NPC", "I NPC", "A NPC", "E UFH", "RC C", "TD NLMH",
	  "CR LMH", "IR LMH", "AR LMH"}},
	{"3.1", "CVSS:3.1/", 8, 22, {"AV NALP", "AC LH",   "PR NLH", "UI NR",  "S UC",
				     "C HLN",   "I HLN",   "A HLN",  "E HFPU", "RL UWTO",
				     "RC CRU",  "CR HML",  "IR HML", "AR HML", "MAV NALP",
				     "MAC LH",  "MPR NLH", "MUI NR", "MS UC",  "MC HLN",
				     "MI HLN",  "MA HLN"}},
	{"4.0", "CVSS:4.0/", 11, 26, {"AV NALP",  "AC LH",   "AT NP",   "PR NLH",  "UI NPA",
				      "VC HLN",   "VI HLN",  "VA HLN",  "SC HLN",  "SI HLN",
				      "SA HLN",   "E APU",   "CR HML",  "IR HML",  "AR HML",
				      "MAV NALP", "MAC LH",  "MAT NP",  "MPR NLH", "MUI NPA",
				      "MVC HLN",  "MVI HLN", "MVA HLN", "MSC HLN", "MSI SHLN",
				      "MSA SHLN"}},
};

static void make(const struct shape *s, struct yg_sb *b, bool whole)
{
	yg_sb_put(b, yg_sv_of(s->prefix));
	for (unsigned i = 0; i < s->count; i++) {
		if (i >= s->base && (!whole || rnd(2) == 0))
			continue;
		struct yg_sv rest = yg_sv_of(s->metric[i]), name;
		(void)yg_sv_cut(&rest, ' ', &name);
		if (i > 0)
			yg_sb_putc(b, '/');
		yg_sb_put(b, name);
		yg_sb_putc(b, ':');
		yg_sb_putc(b, rest.p[rnd((unsigned)rest.n)]);
	}
}

static double measure(const struct yg_sv *v, uint64_t *sum)
{
	double best = 1e9;
	for (int round = 0; round < ROUNDS; round++) {
		double from = cpu_s();
		for (unsigned i = 0; i < VECTORS; i++) {
			struct yg_cvss c;
			struct yg_cvss_score score;
			size_t at;
			if (yg_cvss_parse(v[i], &c, &at, NULL) != YG_OK)
				abort();
			yg_cvss_score(&c, &score);
			*sum += score.overall;
		}
		double took = cpu_s() - from;
		best = took < best ? took : best;
	}
	return VECTORS / best;
}

int main(void)
{
	static struct yg_sv v[VECTORS];
	char *text = malloc((size_t)VECTORS * YG_CVSS_TEXT_MAX);
	uint64_t sum = 0;
	if (text == NULL)
		return 1;
	(void)printf("{\"vectors\":%u", VECTORS);
	for (size_t s = 0; s < YG_LEN(shapes); s++)
		for (int whole = 0; whole < 2; whole++) {
			size_t used = 0;
			for (unsigned i = 0; i < VECTORS; i++) {
				struct yg_sb b = yg_sb_init(text + used, YG_CVSS_TEXT_MAX);
				make(&shapes[s], &b, whole == 1);
				v[i] = yg_sb_sv(&b);
				used += b.n;
			}
			(void)printf(",\"%s %s\":%.0f", shapes[s].version,
				     whole == 1 ? "all groups" : "base", measure(v, &sum));
		}
	(void)printf(",\"sum\":%llu}\n", (unsigned long long)sum);
	free(text);
	return 0;
}
