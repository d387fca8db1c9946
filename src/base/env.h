/* env.h - the outside is a parameter: clock, random and what is emitted come
 * through here, so that a parser, a policy or a whole role can be replayed to
 * the same bytes.  os/env.h has the real one, yg_env_sim the test double. */
#pragma once
#include "base/units.h"

struct yg_env {
	void *ctx; /* borrowed */
	yg_mono (*mono)(void *ctx);
	yg_wall (*wall)(void *ctx);
	void (*random)(void *ctx, void *out, size_t n);
	/* Log record: `name` is a row of base/log.h, `json` a JSON object of fields. */
	void (*emit)(void *ctx, uint32_t event_id, struct yg_sv json);
};
static inline yg_mono yg_env_mono(const struct yg_env *e)
{
	return e->mono(e->ctx);
}
static inline yg_wall yg_env_wall(const struct yg_env *e)
{
	return e->wall(e->ctx);
}

struct yg_env_sim { /* deterministic from one seed; time moves only when told */
	yg_mono mono;
	yg_wall wall;
	uint64_t seed;
	uint64_t emitted; /* number of records */
};
struct yg_env yg_env_sim(struct yg_env_sim *sim); /* borrows sim */
