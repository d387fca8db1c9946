/* What center asks of the resolver's workers and of role zones, for the API. */
#include "os/file.h"
#include "role/center.h"
#include "role/explain_call.h"

#define ZONES_MS 2000

yg_status center_dns_explain(void *ctx, const struct yg_dns_asked *asked, struct yg_arena *arena,
			     struct yg_sv *out, struct yg_err *err)
{
	struct center *c = ctx;
	const struct yg_explain_question q = {.name = asked->name,
					      .org = asked->org,
					      .client = asked->client,
					      .type = asked->type};
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
