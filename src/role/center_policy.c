/* What organisations and the centre say of protective DNS, written for role zones: small,
 * so that an entry is in force in seconds however many indicators there are. */
#include "dns/inputs_state.h"
#include "role/center.h"

#define KIND_INPUTS 4u

static yg_status write_inputs(struct center *c, struct yg_state *db, struct yg_err *err)
{
	struct yg_dns_inputs_written w;
	uint64_t mark = 0;
	yg_status st = yg_dns_inputs_mark(db, &mark, err);
	if (st != YG_OK || mark == c->dns_mark)
		return st;
	st = yg_dns_inputs_write(db, "snapshot", yg_env_wall(&c->ctx->env), &w, err);
	if (st == YG_OK)
		st = yg_role_publish(c->ctx, KIND_INPUTS, w.generation, yg_sv_of(w.file));
	if (st != YG_OK)
		return st; /* tried again at the next look */
	c->dns_mark = mark;
	yg_role_log(c->ctx, YG_EV_CENTER_DNS, YG_KN("generation", w.generation),
		    YG_KS("file", w.file));
	return st;
}

void center_policy_run(struct center *c)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_err err = {0};
	if (c->ctx->conf->dns_listen_count + c->ctx->conf->dns_dot_count +
		    c->ctx->conf->dns_doh_count ==
	    0)
		return; /* nobody resolves here */
	yg_status st = yg_lease_state(&c->api, &l, &err);
	if (st == YG_OK)
		st = write_inputs(c, l.db, &err);
	if (st != YG_OK)
		yg_role_log(c->ctx, YG_EV_CENTER_DNS_FAILED, YG_KERR(&err));
}
