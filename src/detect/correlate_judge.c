/* correlate_judge.c - does the condition of a correlation hold? */
#include "detect/correlate_internal.h"

int64_t yg_corr_thousandths(double d)
{
	double x = d * 1000.0;
	if (!(x > -9.2e18 && x < 9.2e18))
		return x > 0 ? INT64_MAX : INT64_MIN;
	return (int64_t)(x + (x < 0 ? -0.5 : 0.5));
}

static bool all_hold(const struct yg_corr *k, double have)
{
	for (uint32_t i = 0; i < k->criterion_count; i++)
		if (!yg_detect_compare(k->criteria[i].compare, have, k->criteria[i].number))
			return false;
	return true;
}

/* The value of rank ceil(p/100 * n), the least one for p = 0 (Hyndman and Fan 1996,
 * definition 1), compared with a number by how many values are below it and equal to it. */
static bool percentile_holds(const struct yg_corr *k, const struct yg_corr_group *g)
{
	unsigned __int128 share = (unsigned __int128)g->count * k->percentile;
	uint64_t rank = (uint64_t)((share + 99999) / 100000);
	if (rank == 0)
		rank = 1;
	for (uint32_t i = 0; i < k->criterion_count; i++) {
		bool less = g->total->below[i] >= rank;
		bool most = g->total->below[i] + g->total->equal[i] >= rank, holds = false;
		switch (k->criteria[i].compare) {
		case YG_SIGMA_LT: holds = less; break;
		case YG_SIGMA_LTE: holds = most; break;
		case YG_SIGMA_GT: holds = !most; break;
		case YG_SIGMA_GTE: holds = !less; break;
		case YG_SIGMA_EQ: holds = most && !less; break;
		case YG_SIGMA_NEQ: holds = !most || less; break;
		}
		if (!holds)
			return false;
	}
	return true;
}

static bool total_holds(const struct yg_corr *k, const struct yg_corr_group *g, double *value)
{
	*value = (double)g->count;
	switch (k->type) {
	case YG_SIGMA_VALUE_SUM: *value = (double)g->total->sum / 1000.0; break;
	case YG_SIGMA_VALUE_AVG: *value = (double)g->total->sum / 1000.0 / (double)g->count; break;
	case YG_SIGMA_VALUE_PERCENTILE:
	case YG_SIGMA_VALUE_MEDIAN: return percentile_holds(k, g);
	default: break;
	}
	return all_hold(k, *value);
}

static bool marks_hold(const struct yg_corr *k, const struct yg_corr_group *g, int64_t from,
		       double *value, int64_t *first)
{
	uint32_t n = 0;
	int64_t oldest = INT64_MAX;
	for (uint32_t i = 0; i < k->rule_count; i++) {
		if (g->marks[i] == YG_CORR_NEVER || g->marks[i] < from)
			continue;
		oldest = YG_MIN(oldest, g->marks[i]);
		n++;
	}
	if (!k->settled && n > 0)
		*first = oldest;
	*value = n;
	return k->criterion_count > 0 ? all_hold(k, *value) : n == k->rule_count;
}

void yg_corr_expire(const struct yg_corr *k, struct yg_corr_group *g, int64_t from)
{
	if (k->state == YG_CORR_SET && !k->settled)
		yg_corr_set_expire(&g->set, from);
	while (g->ring.n > 0 && yg_corr_ring_first(&g->ring).time < from) {
		g->sum -= yg_corr_ring_first(&g->ring).value;
		yg_corr_ring_drop(&g->ring);
	}
}

bool yg_corr_holds(const struct yg_corr *k, const struct yg_corr_group *g, int64_t from,
		   double *value, int64_t *first)
{
	*first = g->start;
	switch (k->state) {
	case YG_CORR_RING:
		*first = yg_corr_ring_first(&g->ring).time;
		*value = k->type == YG_SIGMA_VALUE_SUM ? (double)g->sum / 1000.0 : (double)g->sum;
		return all_hold(k, *value);
	case YG_CORR_SET:
		if (!k->settled && g->set.n > 0)
			*first = g->set.items[g->set.first - 1].time;
		*value = g->set.n;
		return all_hold(k, *value);
	case YG_CORR_MARKS: return marks_hold(k, g, from, value, first);
	case YG_CORR_TOTAL: break;
	}
	return total_holds(k, g, value);
}
