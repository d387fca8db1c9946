/* guess.c - the key that was meant by one that is not there. */
#include "base/near.h"
#include "conf/table.h"

void yg_conf_consider(struct yg_conf_guess *g, const char *candidate, const char *shown)
{
	size_t d = yg_near_distance(g->found, yg_sv_of(candidate));
	if (d < g->distance && yg_near_enough(g->found, d)) {
		g->distance = d;
		g->best = shown;
	}
}
