/* zones.c - role zones: policy zones from files, lists and transfers, compiled into the
 * one policy that the resolver works by.  Sees what the configured files and the
 * servers of the zones hold, and no query. */
#include <stdlib.h>
#include <sys/socket.h>

#include "dns/answer.h"
#include "os/file.h"
#include "os/memfd.h"
#include "os/thread.h"
#include "role/zones_internal.h"

#define WATCH_MS     1000
#define EDE_ORG      17 /* RFC 8914: filtered, as the client's own side wants it */
#define EDE_CENSORED 16
#define EDE_OURS     15

/* ---- what the configuration says ---- */

static yg_status spec_override(struct zone *z, struct yg_err *err)
{
	struct yg_sv rest = z->conf->override_, word;
	(void)yg_sv_cut(&rest, ' ', &word);
	struct yg_dns_answer_row row = {.ttl = (uint32_t)z->conf->ttl,
					.target = yg_sv_trim(rest),
					.addresses = z->conf->sinkhole};
	enum yg_dns_action action;
	yg_status st = yg_dns_override_parse(word, &z->spec.override);
	if (st != YG_OK)
		return YG_FAIL(err, YG_PARSE, "there is no such override");
	if (row.addresses.n > 0)
		z->spec.override = YG_DNS_OVERRIDE_SINKHOLE;
	row.answer = z->spec.override;
	if (row.answer != YG_DNS_OVERRIDE_CNAME && row.answer != YG_DNS_OVERRIDE_SINKHOLE)
		row.answer = YG_DNS_OVERRIDE_NXDOMAIN; /* of which only the TTL is taken */
	return yg_dns_answer_read(&row, &action, &z->spec.answer, err);
}

static uint16_t ede_of(const struct yg_conf_dns_policy *c, enum yg_dns_layer layer)
{
	if (YG_SV_IS(c->ede, "none"))
		return 0;
	if (YG_SV_IS(c->ede, "censored"))
		return EDE_CENSORED;
	if (YG_SV_IS(c->ede, "auto"))
		return layer == YG_DNS_LAYER_ORG_BLOCK ? EDE_ORG : EDE_OURS;
	return YG_SV_IS(c->ede, "filtered") ? EDE_ORG : EDE_OURS;
}

static yg_status spec_fill(struct zone *z, struct yg_err *err)
{
	const struct yg_conf_dns_policy *c = z->conf;
	struct yg_dns_zone_spec *s = &z->spec;
	struct yg_sb text = yg_sb_init(z->ede_text, sizeof z->ede_text);
	z->is_list = c->list.n > 0;
	*s = (struct yg_dns_zone_spec){
		.name = c->name, .org = c->org, .category = c->category, .is_list = z->is_list};
	if ((c->rpz.n > 0) + (c->list.n > 0) + (c->axfr.n > 0) != 1)
		return YG_FAIL(err, YG_PARSE,
			       "one of rpz, list and axfr must say where it comes from");
	yg_status st = yg_dns_layer_parse(c->layer, &s->layer);
	if (st == YG_OK)
		st = yg_dns_mode_parse(c->mode, &s->mode);
	if (st != YG_OK)
		return YG_FAIL(err, st, "there is no such layer or mode");
	st = spec_override(z, err);
	if (st == YG_OK && c->zone.n > 0) {
		st = yg_dns_name_parse(c->zone, NULL, &z->origin, err);
		s->origin = &z->origin;
	} else if (st == YG_OK && c->axfr.n > 0) {
		st = YG_FAIL(err, YG_PARSE, "axfr needs the key zone");
	}
	yg_sb_put(&text, c->category);
	yg_sb_put(&text, c->category.n > 0 ? YG_SV(": ") : YG_SV(""));
	yg_sb_put(&text, c->name);
	s->ede_text = c->text.n > 0 ? c->text : yg_sb_sv(&text);
	s->ede_code = ede_of(c, s->layer);
	return st;
}

yg_status zones_dir(struct zones *z, const char *path, struct yg_err *err)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
	struct yg_sv dir = n > 0 ? (struct yg_sv){path, n} : YG_SV(".");
	for (size_t i = 0; i < z->dir_count; i++)
		if (yg_sv_eq(yg_sv_of(z->dirs[i]), dir))
			return YG_OK;
	if (z->dir_count == ZONES_DIRS)
		return YG_FAIL(err, YG_LIMIT, "policy files lie in more than %d folders",
			       ZONES_DIRS);
	struct yg_sb b = yg_sb_init(z->dirs[z->dir_count++], sizeof z->dirs[0]);
	yg_sb_put(&b, dir);
	(void)yg_sb_cstr(&b);
	return YG_OK;
}

static yg_status take_zone(struct zones *all, size_t i, struct yg_err *err)
{
	struct zone *z = &all->zones[i];
	z->all = all;
	z->conf = &all->conf->dns_policies[i];
	zones_content_init(&z->now);
	zones_content_init(&z->before);
	yg_status st = spec_fill(z, err);
	struct yg_sb path = yg_sb_init(z->path, sizeof z->path);
	yg_sb_put(&path, z->is_list ? z->conf->list : z->conf->rpz);
	(void)yg_sb_cstr(&path);
	if (st == YG_OK && path.n > 0)
		st = zones_dir(all, z->path, err);
	if (st != YG_OK)
		(void)yg_err_wrap(err, "resolve.policy: " YG_SV_FMT ": ", YG_SV_ARG(z->conf->name));
	return st;
}

static yg_status prepare(struct yg_role_ctx *ctx, struct yg_err *err)
{
	struct zones *z = calloc(1, sizeof *z);
	if (z == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the zones");
	ctx->user = z;
	z->ctx = ctx;
	z->conf = ctx->conf;
	/* before the sandbox; who offers its core more often gives less of its share away */
	yg_thread_prompt(2);
	z->count = ctx->conf->dns_policy_count;
	z->zones = calloc(z->count + 1, sizeof *z->zones);
	if (z->zones == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the zones");
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < z->count; i++)
		st = take_zone(z, i, err);
	return st == YG_OK ? zones_local_prepare(z, err) : st;
}

/* A folder and not a file: one that is put in place by renaming is another file. */
static void profile(struct yg_role_ctx *ctx, struct yg_role_profile *p)
{
	const struct zones *z = ctx->user;
	bool out = false;
	yg_role_path(p, "zones", YG_ACCESS_READ | YG_ACCESS_WRITE, false);
	yg_role_path(p, "/usr/share/publicsuffix", YG_ACCESS_READ, true); /* for lists */
	for (size_t i = 0; z != NULL && i < z->dir_count; i++)            /* NULL: only shown */
		yg_role_path(p, z->dirs[i], YG_ACCESS_READ, true);
	for (size_t i = 0; i < ctx->conf->dns_policy_count; i++)
		out = out || ctx->conf->dns_policies[i].axfr.n > 0;
	if (out || ctx->conf->dns_notify_count + ctx->conf->dns_publish_count > 0)
		p->box.calls |= YG_CALLS_INET_OUT;
	p->any_port = out;
}

/* ---- the loop ---- */

void zones_compile_due(struct zones *z)
{
	if (z->dirty && z->settled && !yg_role_draining(z->ctx))
		zones_policy_compile(z);
}

static void on_compile(uv_idle_t *h)
{
	(void)uv_idle_stop(h);
	zones_compile_due(h->data);
}

void zones_changed(struct zones *z)
{
	z->dirty = true;
	(void)uv_idle_start(&z->compile, on_compile);
}

static void look(struct zones *z, bool at_once)
{
	for (size_t i = 0; i < z->count; i++) {
		struct zone *one = &z->zones[i];
		if (one->conf->axfr.n == 0)
			zones_file_look(one, at_once);
		else if (at_once)
			zones_xfr_begin(one);
		else
			zones_xfr_tick(one);
	}
	zones_local_look(z, at_once);
}

static void on_watch(uv_timer_t *t)
{
	look(t->data, false);
	zones_serve_tick(t->data);
	zones_inputs_tick(t->data);
	zones_base_tick(t->data);
}

static void on_reload(struct yg_role_ctx *ctx, const struct yg_conf *old)
{
	struct zones *z = ctx->user;
	(void)old; /* every key of ours starts the role again */
	look(z, true);
}

static void on_drain(struct yg_role_ctx *ctx)
{
	struct zones *z = ctx->user;
	for (size_t i = 0; i < z->count; i++)
		if (z->zones[i].unsaved && !zones_job_saves(z))
			zones_kept_write(&z->zones[i]);
	yg_role_stop(ctx);
}

static yg_status open_zone(struct zone *z, struct yg_err *err)
{
	if (z->conf->axfr.n > 0) {
		zones_kept_read(z);
		return zones_xfr_open(z, err);
	}
	zones_file_look(z, true);
	if (z->now.records == NULL && zones_list(z).n == 0) /* it cannot be read: what it was */
		zones_kept_read(z);
	return YG_OK;
}

static yg_status run(struct yg_role_ctx *ctx, struct yg_err *err)
{
	struct zones *z = ctx->user;
	z->conf = ctx->conf;
	if (uv_timer_init(ctx->loop, &z->watch) != 0 || uv_idle_init(ctx->loop, &z->compile) != 0)
		return YG_FAIL(err, YG_INTERNAL, "a timer of the loop");
	z->watch.data = z->compile.data = z;
	ctx->hooks.drain = on_drain;
	ctx->hooks.reload = on_reload;
	yg_status st = zones_job_open(z, err);
	if (st == YG_OK)
		st = zones_policy_open(z, err);
	if (st == YG_OK)
		st = zones_notify_open(z, err);
	if (st == YG_OK)
		st = zones_serve_open(z, err);
	if (st == YG_OK)
		st = zones_door_open(z, err);
	for (size_t i = 0; st == YG_OK && i < z->count; i++)
		st = open_zone(&z->zones[i], err);
	if (st == YG_OK)
		st = zones_local_open(z, err);
	if (st != YG_OK)
		return st;
	if (!zones_inputs_wait(z))
		return YG_OK;
	zones_policy_compile(z);
	yg_role_ready(ctx, "");
	(void)uv_timer_start(&z->watch, on_watch, WATCH_MS, WATCH_MS);
	(void)uv_run(ctx->loop, UV_RUN_DEFAULT);
	return YG_OK;
}

const struct yg_role yg_role_zones = {
	.name = "zones",
	.bit = YG_R_ZONES,
	.doc = "Keeps the policy zones and compiles them with what the centre sends; sees the policy "
	       "files and the servers they are transferred from.",
	.peers = 0,
	.calls = YG_CALLS_FILES | YG_CALLS_ACCEPT | YG_CALLS_THREADS,
	.w_xor_x = true,
	.files_max = 4096,
	.prepare = prepare,
	.profile = profile,
	.run = run,
};
