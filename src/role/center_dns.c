/* What center asks of the resolver's workers and of role zones, for the API. */
#include <stdio.h>

#include "format/json.h"
#include "os/file.h"
#include "role/center.h"
#include "role/explain_call.h"

#define ZONES_MS    2000
#define ZONES_NAMED 3 /* in a line of health */

yg_status center_dns_explain(void *ctx, const struct yg_dns_asked *asked, struct yg_arena *arena,
			     struct yg_sv *out, struct yg_err *err)
{
	struct center *c = ctx;
	const struct yg_explain_question q = {.name = asked->name,
					      .org = asked->org,
					      .client = asked->client,
					      .type = asked->type,
					      .dnssec_ok = asked->dnssec_ok,
					      .checking_disabled = asked->checking_disabled};
	const struct yg_conf *conf = yg_api_conf(&c->api);
	size_t doors = conf->dns_listen_count + conf->dns_dot_count + conf->dns_doh_count;
	uint32_t workers = doors > 0 ? (uint32_t)conf->resolve_workers : 0;
	return yg_explain_call("run", workers, &q, arena, out, err);
}

yg_status center_dns_zones(void *ctx, struct yg_arena *arena, struct yg_sv *out, struct yg_err *err)
{
	struct yg_ipc_head head = {0};
	struct yg_err why = {0};
	YG_AUTO(yg_fd_close) int sock = -1;
	YG_AUTO(yg_buf_free) struct yg_buf frame = {0};
	YG_AUTO(yg_buf_free) struct yg_buf reply = {0};
	const struct center *c = ctx;
	const struct yg_conf *conf = yg_api_conf(&c->api);
	int fd = -1;
	if (conf->dns_listen_count + conf->dns_dot_count + conf->dns_doh_count == 0) {
		*out = YG_SV("{\"generation\":0,\"running\":false,\"zones\":[]}");
		return YG_OK;
	}
	yg_buf_init(&frame, 64);
	yg_buf_init(&reply, yg_ipc_max(YG_IPC_ZONES_REPLY));
	yg_ipc_end(&frame, yg_ipc_begin(&frame, YG_IPC_ZONES));
	yg_status st = yg_ipc_connect("run/zones.sock", &sock, &why);
	if (st == YG_OK)
		st = yg_ipc_send(sock, yg_buf_sv(&frame), -1, ZONES_MS, &why);
	if (st == YG_OK)
		st = yg_ipc_recv(sock, &reply, &head, yg_ipc_max(YG_IPC_ZONES_REPLY), &fd, ZONES_MS,
				 &why);
	yg_fd_close(&fd);
	if (st != YG_OK)
		return YG_FAIL(err, YG_AGAIN, "role zones does not answer; is resolve.listen set?");
	if (head.type != YG_IPC_ZONES_REPLY)
		return YG_FAIL(err, YG_INTERNAL, "role zones answered with something else");
	*out = yg_arena_dup(arena, yg_buf_sv(&reply));
	return out->p != NULL ? YG_OK : YG_FAIL(err, YG_NOMEM, "no memory for the zones");
}

/* ---- what they count, for health and metrics ---- */

static void look_resolver(struct center *c, uint32_t worker, struct yg_json *json)
{
	char path[64], name[24], line[160];
	struct yg_ipc_head head = {0};
	struct yg_err err = {0};
	int fd = -1;
	YG_AUTO(yg_fd_close) int sock = -1;
	YG_AUTO(yg_buf_free) struct yg_buf frame = {0};
	YG_AUTO(yg_buf_free) struct yg_buf reply = {0};
	struct yg_sb text = yg_sb_init(line, sizeof line);
	(void)snprintf(path, sizeof path, "run/resolve-%u.sock", worker);
	(void)snprintf(name, sizeof name, "resolve-%u", worker);
	yg_buf_init(&frame, 64);
	yg_buf_init(&reply, yg_ipc_max(YG_IPC_RESOLVE_STATS_REPLY));
	yg_ipc_end(&frame, yg_ipc_begin(&frame, YG_IPC_RESOLVE_STATS));
	yg_status st = yg_ipc_connect(path, &sock, &err);
	if (st == YG_OK)
		st = yg_ipc_send(sock, yg_buf_sv(&frame), -1, ZONES_MS, &err);
	if (st == YG_OK)
		st = yg_ipc_recv(sock, &reply, &head, yg_ipc_max(YG_IPC_RESOLVE_STATS_REPLY), &fd,
				 ZONES_MS, &err);
	yg_fd_close(&fd);
	if (st != YG_OK || head.type != YG_IPC_RESOLVE_STATS_REPLY ||
	    yg_json_parse(json, yg_buf_sv(&reply), NULL) != YG_OK) {
		yg_api_set_part(&c->api, name, YG_HEALTH_DOWN, YG_SV("does not answer"), YG_SV(""));
		return;
	}
	uint32_t full = yg_json_get(json, 0, YG_SV("log_full"));
	uint32_t down = yg_json_get(json, 0, YG_SV("upstream_sets_down"));
	uint32_t queries = yg_json_get(json, 0, YG_SV("queries"));
	yg_sb_printf(&text, "%lld queries",
		     (long long)(queries != 0 ? yg_json_i64(json, queries, 0) : 0));
	enum yg_health health = YG_HEALTH_OK;
	if (full != 0 && yg_json_i64(json, full, 0) != 0) {
		health = YG_HEALTH_DEGRADED;
		yg_sb_put(&text, YG_SV("; the query log is full"));
	}
	if (down != 0 && yg_json_i64(json, down, 0) != 0) {
		health = YG_HEALTH_DEGRADED;
		yg_sb_put(&text, YG_SV("; an upstream does not answer"));
	}
	uint32_t missing = yg_json_get(json, 0, YG_SV("trust_anchor_missing_keys"));
	if (missing != 0 && yg_json_i64(json, missing, 0) != 0) {
		health = YG_HEALTH_DEGRADED;
		yg_sb_put(&text, YG_SV("; resolve.trust-anchor lacks a key that its zone has "
				       "published: add it"));
	}
	uint32_t held = yg_json_get(json, 0, YG_SV("networks_held_back"));
	if (held != 0 && yg_json_i64(json, held, 0) != 0) {
		health = YG_HEALTH_DEGRADED;
		yg_sb_printf(&text, "; more is asked than it can answer: networks held back: %lld",
			     (long long)yg_json_i64(json, held, 0));
	}
	yg_api_set_part(&c->api, name, health, yg_sb_sv(&text), yg_buf_sv(&reply));
}

/* What people should know of the zones: which of them are not as their source is. */
static enum yg_health zones_health(struct yg_sv zones, struct yg_sb *text)
{
	YG_AUTO(yg_json_free) struct yg_json json;
	unsigned late = 0;
	yg_json_init(&json, 1u << 20);
	uint32_t list = yg_json_parse(&json, zones, NULL) == YG_OK
				? yg_json_get(&json, 0, YG_SV("zones"))
				: 0;
	uint32_t zone = list + 1;
	for (uint32_t i = 0; list != 0 && i < yg_json_at(&json, list)->n; i++) {
		uint32_t is = yg_json_get(&json, zone, YG_SV("late")),
			 name = yg_json_get(&json, zone, YG_SV("name")),
			 state = yg_json_get(&json, zone, YG_SV("state"));
		zone = yg_json_at(&json, zone)->next;
		if (is == 0 || name == 0 || state == 0 || yg_json_i64(&json, is, 0) == 0)
			continue;
		if (late++ < ZONES_NAMED) /* names are slugs */
			yg_sb_printf(text, "%s" YG_SV_FMT ": " YG_SV_FMT, late > 1 ? ", " : "",
				     YG_SV_ARG(yg_json_raw(&json, name)),
				     YG_SV_ARG(yg_json_raw(&json, state)));
	}
	if (late > ZONES_NAMED)
		yg_sb_printf(text, " and %u more", late - ZONES_NAMED);
	return late > 0 ? YG_HEALTH_DEGRADED : YG_HEALTH_OK;
}

void center_look_resolvers(struct center *c)
{
	const struct yg_conf *conf = yg_api_conf(&c->api);
	YG_AUTO(yg_json_free) struct yg_json json;
	struct yg_arena arena;
	struct yg_sv zones = {"", 0};
	struct yg_err err = {0};
	char line[160];
	struct yg_sb text = yg_sb_init(line, sizeof line);
	enum yg_health health = YG_HEALTH_DOWN;
	yg_json_init(&json, 4096);
	if (conf->dns_listen_count + conf->dns_dot_count + conf->dns_doh_count == 0)
		return;
	for (uint32_t i = 0; i < conf->resolve_workers; i++)
		look_resolver(c, i, &json);
	yg_arena_init(&arena, 64u << 20);
	if (center_dns_zones(c, &arena, &zones, &err) != YG_OK)
		yg_api_set_part(&c->api, "zones", YG_HEALTH_DOWN, YG_SV("does not answer"),
				YG_SV(""));
	else
		health = zones_health(zones, &text);
	if (health != YG_HEALTH_DOWN)
		yg_api_set_part(&c->api, "zones", health, yg_sb_sv(&text), zones);
	yg_arena_free(&arena);
}
