/* notice_travel.c - one account at two places between which nobody travels so fast.  A
 * late login is put where it belongs among the last four, and compared with the one before
 * and the one after it. */
#include <math.h>

#include "detect/notice_internal.h"

#define EARTH_KM   6371.0088 /* mean radius R1 of GRS 80 (Moritz 2000) */
#define SPEED_MOST 1000.0    /* km/h: an airliner, and a little more */
#define NEAR_KM    500.0     /* places of addresses are not known better */
#define AGAIN      YG_NT_HOUR
#define DEGREE     (3.14159265358979323846 / 180)

/* Haversine (Sinnott, "Virtues of the Haversine", Sky and Telescope 68 (1984) 159). */
static double distance(double lat1, double lon1, double lat2, double lon2)
{
	double a = sin((lat2 - lat1) * DEGREE / 2), b = sin((lon2 - lon1) * DEGREE / 2);
	double h = a * a + cos(lat1 * DEGREE) * cos(lat2 * DEGREE) * b * b;
	return 2 * EARTH_KM * asin(sqrt(h < 1 ? h : 1));
}

/* km and km/h of the way between two of them; false: one may have gone it. */
static bool impossible(const struct yg_nt_travel *s, size_t from, double *km, double *speed)
{
	double off = s->places[from].radius + s->places[from + 1].radius;
	double hours = (double)(s->places[from + 1].time - s->places[from].time) / 3.6e9;
	*km = distance(s->places[from].latitude, s->places[from].longitude,
		       s->places[from + 1].latitude, s->places[from + 1].longitude) -
	      off;
	*speed = *km / YG_MAX(hours, 1.0 / 3600); /* at one second: as if a second lay between */
	return *km >= NEAR_KM && *speed > SPEED_MOST;
}

void yg_nt_travel_see(struct yg_notices *n, struct yg_nt_travel *s, const struct yg_notice_login *l,
		      const struct yg_nt_out *out)
{
	size_t at = s->n;
	double km = 0, speed = 0;
	int64_t time = l->time.us;
	while (at > 0 && s->places[at - 1].time > time)
		at--;
	if (s->n == YG_NT_PLACES) {
		if (at == 0) {
			n->tables[YG_NOTICE_TRAVEL].late++;
			return;
		}
		memmove(&s->places[0], &s->places[1], --at * sizeof s->places[0]);
	} else {
		memmove(&s->places[at + 1], &s->places[at], (s->n - at) * sizeof s->places[0]);
		s->n++;
	}
	s->places[at].time = time;
	s->places[at].latitude = l->latitude;
	s->places[at].longitude = l->longitude;
	s->places[at].radius = l->radius;
	size_t from = at > 0 ? at - 1 : 0;
	bool found = at > 0 && impossible(s, from, &km, &speed);
	if (!found && at + 1 < s->n) {
		from = at;
		found = impossible(s, from, &km, &speed);
	}
	int64_t later = s->places[s->n - 1].time;
	if (!found || (s->told > 0 && later - s->told < AGAIN))
		return;
	s->told = YG_MAX(later, 1);
	struct yg_notice notice = {
		.kind = YG_NOTICE_TRAVEL,
		.score = yg_nt_score(60 + 40 * (1 - SPEED_MOST / speed)),
		.time = {later},
		.first = {s->places[from].time},
		.last = {s->places[from + 1].time},
		.who = yg_nt_key(n, YG_NOTICE_TRAVEL),
		.numbers = {km, (double)(s->places[from + 1].time - s->places[from].time) / 1e6,
			    speed},
	};
	yg_nt_tell(n, &notice, out);
}

bool yg_nt_travel_valid(const union yg_nt_state *u)
{
	const struct yg_nt_travel *s = &u->travel;
	bool ok = s->n <= YG_NT_PLACES && yg_nt_time_ok(s->told);
	for (size_t i = 0; ok && i < s->n; i++)
		ok = yg_nt_time_ok(s->places[i].time) &&
		     (i == 0 || s->places[i].time >= s->places[i - 1].time) &&
		     yg_nt_finite(s->places[i].latitude) && yg_nt_finite(s->places[i].longitude) &&
		     yg_nt_finite(s->places[i].radius);
	return ok;
}
