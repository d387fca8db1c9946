/* Requests from target and body to the answer, out of memory at every place. */
#include "oom.h"

#include <dirent.h>

#include "api/list_body.h"
#include "api/routes.h"
#include "conf/conf.h"
#include "intel/registry.h"
#include "org/organisation.h"
#include "org/token.h"

static struct yg_env_sim sim = {.wall = {1700000000000000}, .seed = 7};
static struct yg_env env;
static struct yg_err err;
static struct yg_conf conf; /* the defaults */
static char secret[YG_TOKEN_SECRET_MAX];
static char import_dir[80];
static bool keyed; /* the next request has an Idempotency-Key */

static void nothing(void *ctx)
{
	(void)ctx;
}

/* As the server does it: authenticate, find, check, handle. */
static yg_status ask(struct yg_api *api, struct yg_request *q, struct yg_response *r,
		     const char *target, const char *body, bool token)
{
	char bearer[YG_TOKEN_SECRET_MAX + 8];
	q->now = env.wall(env.ctx);
	q->body = yg_sv_of(body);
	q->who = (struct yg_who){.kind = YG_WHO_LOCAL, .actor = "local:0", .reach = YG_REACH_ALL};
	q->header[YG_HH_CONTENT_TYPE] = YG_SV("application/json");
	if (keyed)
		q->header[YG_HH_IDEMPOTENCY_KEY] = YG_SV("once");
	yg_status st = yg_request_target(q, yg_sv_of(target), &err);
	if (st == YG_OK)
		st = yg_route_find(yg_routes, q, &err);
	if (st == YG_OK)
		st = yg_route_check_query(q, &err);
	if (st == YG_OK && token) {
		(void)snprintf(bearer, sizeof bearer, "Bearer %s", secret);
		q->header[YG_HH_AUTHORIZATION] = yg_sv_of(bearer);
		st = yg_api_authenticate(api, q, true, &err);
	}
	return st == YG_OK ? yg_api_handle(api, q, r, &err) : st;
}

static yg_status warm(struct yg_api *api)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	return yg_lease_state(api, &l, &err);
}

static yg_status request(struct yg_sb *seen, enum yg_http_method method, const char *target,
			 const char *body, bool token)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	static struct yg_api api;
	api = (struct yg_api){.env = &env,
			      .conf = &conf,
			      .hooks = {.job_added = nothing,
					.indicators_changed = nothing,
					.dns_changed = nothing},
			      .state_path = oom_path,
			      .backup_path = oom_dir,
			      .import_path = import_dir};
	struct yg_response r = {0};
	yg_buf_init(&r.body, 4 << 20);
	yg_arena_init(&arena, 4 << 20);
	struct yg_request q = {.arena = &arena, .method = method};
	/* a server that runs has its handles already: org.oom and alert.oom open them */
	long left = oom_left;
	oom_left = -1;
	yg_status st = yg_stream_new(q.now, &api.stream, &err);
	if (st == YG_OK)
		st = yg_api_init(&api, &err);
	if (st == YG_OK)
		st = warm(&api);
	oom_left = left;
	if (st == YG_OK)
		st = ask(&api, &q, &r, target, body, token);
	/* what the exchange does before it sends */
	if (st == YG_OK && (arena.refused || yg_buf_done(&r.body) != YG_OK))
		st = YG_NOMEM;
	if (st == YG_OK)
		yg_sb_put(seen, yg_buf_sv(&r.body));
	else if (oom_left < 0)
		(void)printf("# %s: %s\n", target, err.msg);
	yg_api_end(&api);
	yg_buf_free(&r.body);
	yg_stream_free(api.stream);
	return st;
}

#define REQUEST(name, method, target, body, token)                                                 \
	static yg_status name(struct yg_state *db, struct yg_sb *seen)                             \
	{                                                                                          \
		(void)db;                                                                          \
		return request(seen, YG_HTTP_##method, target, body, token);                       \
	}
REQUEST(org_list, GET, "/api/v1/organisations?limit=10", "", false)
REQUEST(org_get, GET, "/api/v1/organisations/alpha", "", true)
REQUEST(org_new, POST, "/api/v1/organisations", "{\"name\":\"gamma\",\"title_en\":\"Gamma\"}",
	false)
REQUEST(token_new, POST, "/api/v1/tokens",
	"{\"name\":\"fw\",\"org\":\"alpha\",\"scopes\":[\"events:write\"]}", false)
REQUEST(indicator_new, POST, "/api/v1/indicators",
	"{\"list\":\"own\",\"type\":\"domain\",\"value\":\"bad.example\"}", false)
REQUEST(allow_new, POST, "/api/v1/allow-entries",
	"{\"type\":\"domain\",\"value\":\"good.example\",\"org\":\"alpha\",\"reason\":\"ours\","
	"\"expires_at\":\"2030-01-01T00:00:00Z\"}",
	false)
REQUEST(bulk, POST, "/api/v1/alerts/bulk",
	"{\"filter\":{\"state\":\"open\"},\"set\":{\"state\":\"in_progress\"}}", false)
REQUEST(alerts, GET, "/api/v1/alerts?state=open&limit=5", "", false)
REQUEST(audit, GET, "/api/v1/audit-log?limit=3", "", false)
REQUEST(openapi, GET, "/api/openapi.yaml", "", false)

static yg_status org_once(struct yg_state *db, struct yg_sb *seen)
{
	keyed = true;
	yg_status st = org_new(db, seen);
	keyed = false;
	return st;
}

/* The file of an import is there with its job, and without it is not. */
static unsigned strays;
static yg_status import(struct yg_state *db, struct yg_sb *seen)
{
	unsigned files = 0;
	(void)db;
	yg_status st = request(seen, YG_HTTP_POST, "/api/v1/indicator-lists/own/indicators",
			       "bad.example\n", false);
	long left = oom_left;
	oom_left = -1;
	DIR *dir = opendir(import_dir);
	for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
		files += e->d_name[0] != '.';
	if (dir != NULL)
		(void)closedir(dir);
	strays += files != (st == YG_OK);
	yg_list_body_clean(import_dir);
	oom_left = left;
	return st;
}

static bool make_base(void)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	YG_AUTO(yg_state_closep) struct yg_state *db = NULL;
	struct yg_token token;
	struct yg_token_secret made;
	struct yg_org alpha = {.slug = YG_SV("alpha"), .title_en = YG_SV("Alpha")};
	struct yg_org beta = {.slug = YG_SV("beta"), .title_en = YG_SV("Beta")};
	struct yg_list own = {.name = YG_SV("own"), .tlp = YG_TLP_CLEAR, .enabled = true};
	struct yg_id uid;
	struct yg_sv scopes[] = {YG_SV("org:read")};
	struct yg_token_new n = {
		.name = YG_SV("reader"), .org = YG_SV("alpha"), .scopes = scopes, .scope_count = 1};
	yg_arena_init(&arena, 1 << 20);
	if (yg_state_open(oom_base, &db, &err) != YG_OK || yg_state_migrate(db, &err) != YG_OK)
		return false;
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	if (yg_org_add(&act, &alpha, &err) != YG_OK || yg_org_add(&act, &beta, &err) != YG_OK ||
	    yg_token_add(&act, &n, &arena, &token, &made, &err) != YG_OK)
		return false;
	(void)snprintf(secret, sizeof secret, "%s", made.s);
	return yg_list_add(&act, &own, &uid, &err) == YG_OK;
}

int main(void)
{
	static const struct oom_case cases[] = {
		{"GET a list", org_list, OOM_READS},
		{"GET one, by token", org_get, OOM_STEPS}, /* first the token's use is noted */
		{"POST an organisation, under a key", org_once, OOM_CHANGES},
		{"POST a token", token_new, OOM_CHANGES},
		{"POST an indicator", indicator_new, OOM_CHANGES},
		{"POST an allow entry", allow_new, OOM_CHANGES},
		{"POST a bulk change", bulk, OOM_CHANGES},
		{"POST the body of a list", import, OOM_CHANGES},
		{"GET alerts", alerts, OOM_READS},
		{"GET the audit log", audit, OOM_READS},
		{"GET a file", openapi, OOM_READS},
	};
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	yg_arena_init(&arena, 1 << 20);
	env = yg_env_sim(&sim);
	oom_init();
	T_OK(yg_conf_read(YG_SV(""), "defaults", &arena, &conf, NULL, NULL, &err) == YG_OK);
	oom_files();
	(void)snprintf(import_dir, sizeof import_dir, "%s/import", oom_dir);
	T_OK(make_base());
	for (size_t i = 0; i < YG_LEN(cases); i++)
		oom_try(&cases[i]);
	T_NAMED(strays == 0, "an import that fails leaves no file");
	(void)rmdir(import_dir);
	oom_files_end();
	return tap_done();
}
