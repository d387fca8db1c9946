/* zones_inputs.c - what the centre sends: the entries, modes and answers of organisations
 * and the centre (dns/inputs.h), and the indicators.  The supervisor keeps the last of
 * each and gives it again at every start; without a centre there is none, and the policy
 * is that of the configured zones. */
#include <unistd.h>

#include "dns/indicators.h"
#include "os/file.h"
#include "role/zones_internal.h"

#define KIND_INDICATORS  1u
#define KIND_INPUTS      4u
#define INDICATORS_EVERY (60 * YG_US_PER_S) /* so often at most because one has ended */

static bool take_inputs(struct zones *z, int fd, bool *changed, struct yg_err *err)
{
	struct yg_dns_inputs *in = NULL;
	uint64_t least = z->inputs != NULL ? yg_dns_inputs_generation(z->inputs) : 0;
	if (yg_dns_inputs_open_fd(fd, least, &in, err) != YG_OK)
		return false;
	*changed = z->inputs == NULL || !yg_dns_inputs_same(z->inputs, in);
	zones_job_inputs_end(z, z->inputs);
	z->inputs = in;
	return true;
}

static bool take_indicators(struct zones *z, int fd, bool *changed, struct yg_err *err)
{
	struct yg_intel *in = NULL;
	uint64_t least = z->intel != NULL ? yg_intel_generation(z->intel) : 0;
	if (yg_intel_open_fd(fd, least, &in, err) != YG_OK)
		return false;
	uint64_t digest = yg_dns_indicators_digest(in);
	*changed = z->intel == NULL || digest == 0 || digest != z->intel_digest;
	zones_job_intel_end(z, z->intel);
	z->intel = in;
	z->intel_digest = digest;
	z->intel_changed = z->intel_changed || *changed;
	z->intel_given = z->intel_given || *changed;
	return true;
}

static void on_snapshot(struct yg_role_ctx *ctx, uint32_t kind, uint64_t generation, int *fd)
{
	struct zones *z = ctx->user;
	struct yg_err err = {0};
	bool changed = false, good;
	YG_AUTO(yg_fd_close) int mine = *fd; /* read in place, then it may be closed */
	*fd = -1;
	if (kind == KIND_INPUTS)
		good = take_inputs(z, mine, &changed, &err);
	else if (kind == KIND_INDICATORS)
		good = take_indicators(z, mine, &changed, &err);
	else
		return;
	bool *refused = kind == KIND_INPUTS ? &z->inputs_refused : &z->intel_refused;
	*refused = !good;
	if (!good)
		yg_role_log(ctx, YG_EV_ZONES_INPUT_REFUSED, YG_KN("kind", kind),
			    YG_KN("generation", generation), YG_KERR(&err));
	if (changed && z->settled)
		zones_changed(z);
}

/* A start at which what the centre had sent cannot be read: without it the policy would
 * be another than the one in force, which stays. */
bool zones_inputs_hold(const struct zones *z)
{
	return z->generation != 0 &&
	       ((z->inputs_refused && z->inputs == NULL) || (z->intel_refused && z->intel == NULL));
}

/* Without what the centre had sent the first policy would be another than the last. */
bool zones_inputs_wait(struct zones *z)
{
	z->ctx->hooks.snapshot = on_snapshot;
	if (!yg_role_wait_given(z->ctx))
		return false;
	z->settled = true;
	return true;
}

void zones_inputs_tick(struct zones *z)
{
	int64_t wall = yg_env_wall(&z->ctx->env).us;
	if (!z->settled)
		return;
	if (wall >= z->intel_next.us && zones_now(z) >= z->compiled_at + INDICATORS_EVERY) {
		z->intel_changed = z->intel_given = true;
		zones_changed(z);
	} else if (wall >= z->inputs_next.us) {
		zones_changed(z);
	}
}

/* ---- compiling ---- */

yg_status zones_inputs_before(struct zones *z, struct yg_dns_builder *b, struct yg_err *err)
{
	struct yg_dns_inputs_stats s = {.next = {INT64_MAX}};
	z->inputs_next.us = INT64_MAX;
	if (z->inputs == NULL)
		return YG_OK;
	yg_status st = yg_dns_inputs_apply(z->inputs, b, yg_env_wall(&z->ctx->env), &s, err);
	z->inputs_next = s.next;
	z->allow_count = s.allow;
	z->block_count = s.blocks;
	return st;
}

uint64_t zones_intel_names(const struct zones *z)
{
	return z->intel != NULL ? yg_intel_count(z->intel) : 0;
}

yg_status zones_inputs_after(struct zones *z, struct yg_dns_builder *b, bool over,
			     struct yg_err *err)
{
	const struct yg_dns_indicators_opts o = {.now = yg_env_wall(&z->ctx->env),
						 .confidence =
							 (uint8_t)z->conf->resolve_confidence};
	struct yg_dns_indicators_stats s = {.next = {INT64_MAX}};
	if (over && !z->intel_changed)
		return yg_dns_indicators_continue(z->base.policy, b, err);
	z->intel_next.us = INT64_MAX;
	if (z->intel == NULL)
		return YG_OK;
	yg_status st = yg_dns_indicators_apply(z->intel, b, &o, &s, err);
	z->intel_next = s.next;
	z->indicator_count = s.names + s.addresses;
	return st;
}
