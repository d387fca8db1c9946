/* Detection rules into a snapshot for the workers. */
#include <malloc.h>
#include <unistd.h>

#include "detect/registry.h"
#include "role/center.h"

static yg_status compile(struct center *c, struct yg_state *db, struct yg_err *err)
{
	struct yg_detect_compiled out = {.generation = 0};
	struct yg_act act = center_act(c, db);
	yg_status st = yg_detect_compile(&act, "snapshot", &out, err);
	if (st == YG_OK) /* published in the order compiled */
		st = yg_role_publish(c->ctx, YG_ROLE_KIND_DETECT, out.generation,
				     yg_sv_of(out.file));
	(void)malloc_trim(0); /* many rules leave a large heap behind */
	if (st == YG_OK)
		yg_role_log(c->ctx, YG_EV_CENTER_RULES, YG_KN("generation", out.generation),
			    YG_KN("rules", out.stats.rules), YG_KN("refused", out.stats.refused),
			    YG_KS("file", out.file));
	return st;
}

void center_rules_run(struct center *c)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_err err = {0};
	bool dirty = false;
	int64_t now = yg_env_mono(&c->ctx->env).us;
	uv_mutex_lock(&c->rules_lock);
	yg_status st = yg_lease_state(&c->api, &l, &err);
	if (st == YG_OK)
		st = yg_detect_dirty(l.db, &dirty, &err);
	/* one that is gone must come again; one that cannot be opened is found at the start */
	bool gone = access("snapshot/detect-current", F_OK) != 0 ||
		    (!c->rules_looked && !yg_detect_usable("snapshot"));
	c->rules_looked = true;
	bool pause = c->rules_failed_us != 0 && now - c->rules_failed_us < YG_CENTER_PAUSE_US;
	/* what was compiled and not published is no more dirty */
	if (st == YG_OK && !pause && (dirty || gone || c->rules_failed_us != 0)) {
		st = compile(c, l.db, &err);
		c->rules_failed_us = st == YG_OK ? 0 : now;
	}
	uv_mutex_unlock(&c->rules_lock);
	if (st != YG_OK)
		yg_role_log(c->ctx, YG_EV_CENTER_RULES_FAILED, YG_KERR(&err));
}
