/* run/resolve-<n>.sock: what would be answered to a question, and why.  It looks, and
 * changes nothing (dns/explain.h). */
#include "base/codec.h"
#include "dns/explain.h"
#include "role/door.h"
#include "role/resolve_internal.h"

#define JSON_MAX (512u << 10)

struct question {
	uint32_t type, flags;
	struct yg_sv org, client, name;
};

static yg_status question_read(struct yg_sv body, struct question *q, struct yg_err *err)
{
	struct yg_rd rd = yg_rd_init(body.p, body.n);
	q->type = yg_rd_le32(&rd);
	q->flags = yg_rd_le32(&rd);
	q->org = yg_rd_sv32(&rd);
	q->client = yg_rd_sv32(&rd);
	q->name = yg_rd_sv32(&rd);
	return yg_rd_done(&rd) && q->type <= 65535
		       ? YG_OK
		       : YG_FAIL(err, YG_PARSE, "the question is not well formed");
}

/* Who it is: by address, and of the organisation that is asked for; without an
 * address as the first row of the organisation, or as everyone. */
static yg_status client_of(const struct resolve *r, const struct question *q,
			   struct yg_dns_client *out, struct yg_sv *out_org, struct yg_err *err)
{
	const struct resolve_clients *c = &r->clients;
	struct yg_ip ip;
	*out_org = q->org;
	*out = (struct yg_dns_client){.network = (uint32_t)c->count, .org = resolve_org(c, q->org)};
	if (q->client.n > 0) {
		if (yg_ip_parse(q->client, &ip) != YG_OK)
			return YG_FAIL(err, YG_PARSE, "the client is not an address");
		(void)resolve_client_of(c, ip, out);
		struct yg_sv theirs =
			out->network < c->count ? c->conf[out->network].org : YG_SV("");
		if (q->org.n > 0 && !yg_sv_eq(theirs, q->org))
			return YG_FAIL(err, YG_NOTFOUND,
				       "no client of this organisation has the address");
		*out_org = theirs;
		return YG_OK;
	}
	for (size_t i = 0; i < c->count; i++)
		if (q->org.n > 0 && yg_sv_eq(c->conf[i].org, q->org)) {
			*out = c->rows[i];
			return YG_OK;
		}
	out->view = r->policy != NULL ? yg_dns_policy_view(r->policy, q->org) : 0;
	return YG_OK;
}

static yg_status explain(struct resolve *r, const struct question *q, struct yg_buf *json,
			 struct yg_buf *cache, struct yg_err *err)
{
	static struct yg_dns_explained e; /* of the loop's thread; too large for a stack */
	struct yg_dns_client client;
	struct yg_dns_name name;
	char servers[1024];
	struct yg_sb up = yg_sb_init(servers, sizeof servers);
	struct yg_dns_explain_ask ask = {.client = &client,
					 .name = &name,
					 .type = (uint16_t)q->type,
					 .dnssec_ok = (q->flags & 1) != 0,
					 .checking_disabled = (q->flags & 2) != 0};
	struct yg_dns_explain_text t = {.ask = &ask};
	yg_status st = yg_dns_name_parse(q->name, NULL, &name, err);
	if (st == YG_OK)
		st = client_of(r, q, &client, &t.org, err);
	if (st != YG_OK)
		return st;
	yg_dns_explain(r->core, &ask, resolve_now(r), &e);
	if (e.known.route != NULL && e.known.route->kind == YG_DNS_ZONE_SET)
		resolve_up_words(r, e.known.route->set, &up);
	t.upstream = yg_sb_sv(&up);
	if (client.network < r->clients.count)
		t.network = r->clients.conf[client.network].prefix;
	yg_dns_explain_json(&e, &t, json);
	yg_dns_explain_cache(&e, cache);
	return json->bad || cache->bad ? YG_FAIL(err, YG_NOMEM, "no memory to explain it") : YG_OK;
}

static void on_asked(void *user, uint32_t type, struct yg_sv body, struct yg_buf *reply)
{
	struct resolve *r = user;
	struct question q;
	struct yg_err err = {0};
	YG_AUTO(yg_buf_free) struct yg_buf json = {0};
	YG_AUTO(yg_buf_free) struct yg_buf cache = {0};
	if (type == YG_IPC_RESOLVE_STATS) {
		size_t begun = yg_ipc_begin(reply, YG_IPC_RESOLVE_STATS_REPLY);
		resolve_stats_json(r, reply);
		yg_ipc_end(reply, begun);
		return;
	}
	if (type != YG_IPC_EXPLAIN)
		return;
	yg_buf_init(&json, JSON_MAX);
	yg_buf_init(&cache, JSON_MAX);
	yg_status st = question_read(body, &q, &err);
	if (st == YG_OK)
		st = explain(r, &q, &json, &cache, &err);
	size_t at = yg_ipc_begin(reply, YG_IPC_EXPLAIN_REPLY);
	yg_wr_le32(reply, (uint32_t)st);
	yg_wr_le32(reply, r->ctx->index);
	yg_wr_sv32(reply, yg_sv_of(st == YG_OK ? "" : err.msg));
	yg_wr_sv32(reply, st == YG_OK ? yg_buf_sv(&json) : YG_SV(""));
	yg_wr_sv32(reply, st == YG_OK ? yg_buf_sv(&cache) : YG_SV(""));
	yg_ipc_end(reply, at);
}

yg_status resolve_door_open(struct resolve *r, struct yg_err *err)
{
	return yg_door_open(r->ctx, "resolve.sock", YG_R_CENTER, on_asked, r, &r->door, err);
}
