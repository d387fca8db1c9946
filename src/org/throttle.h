/* throttle.h - slows guessing down without locking anybody out.
 *
 * What is counted is a key such as (login, address): after a few failures each
 * further try has to wait, twice as long every time, up to YG_THROTTLE_MOST_S.
 * Time halves what was counted.  Somebody who guesses from elsewhere has another
 * key, so nobody can be kept out by the failures of others.  The table has a
 * fixed size; a new key takes the place of the one that counts least in its row.
 *
 * Pure; the caller keeps the lock and the clock.
 */
#pragma once
#include "base/units.h"

#define YG_THROTTLE_ROWS   1024
#define YG_THROTTLE_WAYS   8
#define YG_THROTTLE_FREE   5 /* failures that cost nothing */
#define YG_THROTTLE_MOST_S 60
#define YG_THROTTLE_HALF_S 600 /* after this long half of the failures are forgotten */

struct yg_throttle_entry {
	uint64_t key;    /* 0: free */
	uint32_t failed; /* as of `at` */
	int64_t at, until;
};
struct yg_throttle { /* all zero to begin with */
	struct yg_throttle_entry e[YG_THROTTLE_ROWS][YG_THROTTLE_WAYS];
};
/* Seconds that `key` (of a keyed hash, so that nobody can choose rows) still has to wait; 0: go on. */
uint32_t yg_throttle_wait(const struct yg_throttle *t, uint64_t key, yg_mono now);
/* How many failures of `key` still cost nothing; *out_s: seconds until it is more, or until
 * it may go on; 0: it is all of them. */
uint32_t yg_throttle_left(const struct yg_throttle *t, uint64_t key, yg_mono now, uint32_t *out_s);
void yg_throttle_failed(struct yg_throttle *t, uint64_t key, yg_mono now);
void yg_throttle_passed(struct yg_throttle *t, uint64_t key);
