/* place.h - where addresses are, of a file that the operator has: one line per network,
 *
 *   prefix,latitude,longitude,radius        192.0.2.0/24,35.68,139.76,50
 *
 * degrees, and kilometres by which it may be wrong.  Empty lines and those that begin with
 * '#' are passed over.  The longest prefix holds.  Pure.
 */
#pragma once
#include "base/ip.h"

#define YG_PLACES_MAX    8000000u   /* lines; more: YG_LIMIT */
#define YG_PLACES_FILE   536870912u /* bytes of such a file; larger: refused */
#define YG_PLACES_RADIUS 20037.0    /* km: half of the way round; more is refused */

struct yg_place {
	double latitude, longitude, radius;
};
struct yg_places; /* owned: yg_places_free() */
/* YG_OK | YG_PARSE (says the line) | YG_LIMIT | YG_NOMEM. */
yg_status yg_places_read(struct yg_sv text, struct yg_places **out, struct yg_err *err);
void yg_places_free(struct yg_places *p); /* NULL is fine */
size_t yg_places_count(const struct yg_places *p);
bool yg_places_find(const struct yg_places *p, struct yg_ip ip, struct yg_place *out);
