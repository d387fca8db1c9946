/* near.h - which name was meant by one that is not there.  Pure. */
#pragma once
#include "base/sv.h"

/* Edit distance with swaps of neighbours; 99 when a name is longer than 40 bytes. */
size_t yg_near_distance(struct yg_sv a, struct yg_sv b);
/* Is a name at this distance near enough to be meant by `name`? */
static inline bool yg_near_enough(struct yg_sv name, size_t distance)
{
	return distance <= 1 + name.n / 4;
}
