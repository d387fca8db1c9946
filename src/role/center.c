#include "role/center.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "api/export.h"
#include "api/list_body.h"
#include "api/routes.h"
#include "api/sign_in.h"
#include "detect/hunt_state.h"
#include "detect/notice_found.h"
#include "detect/registry.h"
#include "event/table.h"
#include "org/audit_log.h"
#include "org/file_import.h"
#include "org/job.h"
#include "org/role_proof.h"
#include "org/system_event.h"
#include "os/file.h"
#include "os/memfd.h"

/* Role center: the state database, the API, the compilers and the schedule.
 * It sees requests; everything else it knows comes from our own processes. */

struct yg_act center_act(struct center *c, struct yg_state *db)
{
	return yg_act_make(db, &c->ctx->env, YG_SV("system"));
}

/* --- tasks --- */

static void task_work(uv_work_t *w)
{
	struct task *t = w->data;
	t->run(t->c);
}

static void task_done(uv_work_t *w, int status)
{
	struct task *t = w->data;
	bool again = t->wanted;
	t->busy = false;
	t->wanted = false;
	if (again && status == 0 && !t->c->draining)
		center_want(t);
}

void center_want(struct task *t)
{
	if (t->busy) {
		t->wanted = true;
		return;
	}
	t->work.data = t;
	t->busy = uv_queue_work(t->c->ctx->loop, &t->work, task_work, task_done) == 0;
}

static void task_init(struct task *t, struct center *c, void (*run)(struct center *c))
{
	*t = (struct task){.c = c, .run = run};
}

/* --- schedule --- */

static void retain(struct center *c)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_err err = {0};
	uint64_t days = yg_api_conf(&c->api)->store_retention_days;
	uint32_t dropped = 0;
	if (days == 0)
		return;
	yg_wall first = {yg_env_wall(&c->ctx->env).us - (int64_t)days * YG_US_PER_DAY};
	yg_status st = yg_lease_store(&c->api, &l, &err);
	if (st == YG_OK)
		st = yg_event_table_retain(l.ch, yg_day_number(first), &dropped, &err);
	if (st != YG_OK && st != YG_AGAIN)
		yg_role_log(c->ctx, YG_EV_API_NOTE, YG_KERR(&err));
	if (dropped > 0)
		yg_role_log(c->ctx, YG_EV_CENTER_RETENTION, YG_KN("partitions", dropped));
}

/* Entries end by themselves where they are matched; compiling again only takes
 * the ended ones out of memory. */
static yg_status ended_since(struct yg_state *db, int64_t from, int64_t to, bool *out,
			     struct yg_err *err)
{
	static const char *const queries[] = {
		"SELECT 1 FROM allow_entry WHERE expires > $1 AND expires <= $2 LIMIT 1",
		"SELECT 1 FROM indicator WHERE valid_until > $1 AND valid_until <= $2 LIMIT 1",
	};
	*out = false;
	for (size_t i = 0; i < YG_LEN(queries) && !*out; i++) {
		struct yg_stmt *s;
		yg_status st = yg_state_prepare(db, queries[i], &s, err);
		if (st != YG_OK)
			return st;
		yg_stmt_i64(s, 1, from);
		yg_stmt_i64(s, 2, to);
		st = yg_stmt_step(s, out, err);
		yg_stmt_done(s);
		if (st != YG_OK)
			return st;
	}
	return YG_OK;
}

#define FOLD_ROWS 100000u /* of what rules did, at a time */

static void expire(struct center *c)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_err err = {0};
	bool ended = false;
	int64_t now = yg_env_wall(&c->ctx->env).us, from = c->expiry_seen_us;
	yg_status st = yg_lease_state(&c->api, &l, &err);
	if (st == YG_OK && from != 0)
		st = ended_since(l.db, from, now, &ended, &err);
	if (st != YG_OK) {
		yg_role_log(c->ctx, YG_EV_API_NOTE, YG_KERR(&err));
		return;
	}
	c->expiry_seen_us = now;
	if (yg_import_stale(l.db, (yg_wall){now}, &err) != YG_OK)
		yg_role_log(c->ctx, YG_EV_API_NOTE, YG_KERR(&err));
	if (yg_detect_stat_stale(l.db, (yg_wall){now}, &err) != YG_OK)
		yg_role_log(c->ctx, YG_EV_API_NOTE, YG_KERR(&err));
	if (yg_detect_stat_fold(l.db, (yg_wall){now}, FOLD_ROWS, &(uint64_t){0}, &err) != YG_OK)
		yg_role_log(c->ctx, YG_EV_API_NOTE, YG_KERR(&err));
	if (yg_notice_found_stale(l.db, (yg_wall){now}, &err) != YG_OK)
		yg_role_log(c->ctx, YG_EV_API_NOTE, YG_KERR(&err));
	if (yg_alert_undo_stale(l.db, (yg_wall){now}, &err) != YG_OK)
		yg_role_log(c->ctx, YG_EV_API_NOTE, YG_KERR(&err));
	yg_export_clean(c->api.export_path, (yg_wall){now}, &(uint64_t){0});
	if (ended)
		center_indicators_changed(c);
}

/* A changed configuration is a change like any other. */
static void audit_reload(struct center *c, struct yg_state *db, struct yg_sv keys)
{
	struct yg_err err = {0};
	YG_AUTO(yg_detail_free) struct yg_detail d;
	struct yg_act act = center_act(c, db);
	yg_detail_init(&d);
	yg_detail_note(&d, "keys", keys);
	yg_status st = yg_state_begin(db, &err);
	if (st == YG_OK)
		st = yg_audit_add(&act, "config.reload", YG_SV("config"), YG_SV(""), &d, &err);
	if (st == YG_OK)
		st = yg_state_commit(db, &err);
	if (st == YG_OK)
		return;
	yg_state_rollback(db);
	yg_role_log(c->ctx, YG_EV_API_NOTE, YG_KERR(&err));
}

/* What a process found out behind its sandbox, under its name: "main", "ingest-0". */
static void keep_proof(struct center *c, struct yg_state *db, const struct yg_system_event *e,
		       const struct yg_json *json)
{
	char name[64];
	struct yg_err err = {0};
	struct yg_sb b = yg_sb_init(name, sizeof name);
	uint32_t index = yg_json_get(json, 0, YG_SV("index"));
	yg_sb_put(&b, e->role);
	if (YG_SV_IS(e->role, "ingest") || YG_SV_IS(e->role, "resolve"))
		yg_sb_printf(&b, "-%lld", index != 0 ? (long long)yg_json_i64(json, index, 0) : 0);
	struct yg_role_proof p = {yg_sb_sv(&b), e->time, e->fields};
	if (yg_role_proof_keep(db, &p, &err) != YG_OK)
		yg_role_say(c->ctx, "%s", err.msg); /* not through the log: as below */
}

static void keep_one(struct center *c, struct yg_state *db, const struct news *n,
		     struct yg_arena *arena)
{
	struct yg_json json;
	struct yg_err err = {0};
	struct yg_sv text = {n->json, n->n};
	struct yg_system_event e = {.time = {n->time},
				    .level = YG_SV_INIT("notice"),
				    .name = YG_SV_INIT("unknown"),
				    .role = YG_SV_INIT("main"),
				    .fields = text};
	struct yg_sv keys = YG_SV("");
	yg_json_init(&json, 4096);
	if (yg_json_parse(&json, text, NULL) == YG_OK &&
	    yg_json_at(&json, 0)->type == YG_JSON_OBJECT) {
		const struct {
			const char *key;
			struct yg_sv *to;
		} members[] = {{"level", &e.level},
			       {"event", &e.name},
			       {"role", &e.role},
			       {"keys", &keys}};
		for (size_t i = 0; i < YG_LEN(members); i++) {
			uint32_t at = yg_json_get(&json, 0, yg_sv_of(members[i].key));
			struct yg_sv s = at != 0 ? yg_json_str(&json, at, arena) : YG_SV("");
			if (s.p != NULL && s.n > 0)
				*members[i].to = s;
		}
		if (yg_system_event_add(db, &e, NULL, &err) != YG_OK)
			yg_role_say(c->ctx, "%s", err.msg); /* not through the log: it would
							       come back here */
		if (YG_SV_IS(e.name, "sandbox.closed"))
			keep_proof(c, db, &e, &json);
		if (YG_SV_IS(e.name, "conf.reloaded"))
			audit_reload(c, db, keys);
		yg_stream_publish(c->stream, YG_TOPIC_SYSTEM, YG_SV(""), YG_SV(""), text);
	}
	yg_json_free(&json);
}

static void keep_news(struct center *c)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_arena arena;
	struct yg_err err = {0};
	if (yg_lease_state(&c->api, &l, &err) != YG_OK)
		return; /* they wait */
	yg_arena_init(&arena, 1u << 20);
	for (;;) {
		uv_mutex_lock(&c->news_lock);
		struct news *n = c->news_first;
		if (n != NULL) {
			c->news_first = n->next;
			c->news_count--;
			if (c->news_first == NULL)
				c->news_last = NULL;
		}
		uv_mutex_unlock(&c->news_lock);
		if (n == NULL)
			break;
		keep_one(c, l.db, n, &arena);
		free(n);
		yg_arena_reset(&arena);
	}
	yg_arena_free(&arena);
}

static void on_system_event(struct yg_role_ctx *ctx, int64_t time, struct yg_sv json)
{
	struct center *c = ctx->user;
	struct news *n = json.n <= 65536 ? malloc(sizeof *n + json.n) : NULL;
	if (n == NULL)
		return;
	*n = (struct news){.time = time, .n = json.n};
	memcpy(n->json, json.p, json.n);
	uv_mutex_lock(&c->news_lock);
	bool full = c->news_count >= YG_CENTER_NEWS_MAX;
	if (full) {
		c->news_lost++;
	} else {
		if (c->news_last != NULL)
			c->news_last->next = n;
		else
			c->news_first = n;
		c->news_last = n;
		c->news_count++;
	}
	uv_mutex_unlock(&c->news_lock);
	if (full)
		free(n);
	center_want(&c->news_task);
}

static void on_tick(uv_timer_t *h)
{
	struct center *c = h->data;
	if (c->draining)
		return;
	if (c->ticks % YG_CENTER_POLL_S == 0) {
		center_want(&c->look);
		center_want(&c->dns); /* a changed tree tells nobody */
		center_want(&c->rules);
		if (__atomic_load_n(&c->compile_failed_us, __ATOMIC_ACQUIRE) != 0)
			center_want(&c->compile); /* it waits its time */
	}
	center_want(&c->detect);
	if (__atomic_exchange_n(&c->detect_rows_wait, false, __ATOMIC_ACQ_REL))
		center_want(&c->detect_rows);
	if (c->ticks % YG_CENTER_NEWS_S == 0)
		center_want(&c->hunt_news);
	if (c->ticks % YG_CENTER_RETAIN_S == 60)
		center_want(&c->retain);
	if (c->ticks % YG_CENTER_EXPIRY_S == 0)
		center_want(&c->expiry);
	c->ticks++;
	(void)uv_async_send(&c->wake);
}

/* Loop thread: what other threads asked for. */
static void on_wake(uv_async_t *h)
{
	struct center *c = h->data;
	if (c->draining)
		return;
	if (__atomic_exchange_n(&c->jobs_asked, false, __ATOMIC_ACQ_REL)) {
		center_want(&c->jobs);
		center_want(&c->exports);
		center_want(&c->tries);
		center_want(&c->hunts);
	}
	if (__atomic_exchange_n(&c->compile_asked, false, __ATOMIC_ACQ_REL))
		center_want(&c->compile);
	if (__atomic_exchange_n(&c->dns_asked, false, __ATOMIC_ACQ_REL))
		center_want(&c->dns);
	if (__atomic_exchange_n(&c->detect_asked, false, __ATOMIC_ACQ_REL))
		center_want(&c->detect);
	if (__atomic_exchange_n(&c->rules_asked, false, __ATOMIC_ACQ_REL))
		center_want(&c->rules);
	if (__atomic_exchange_n(&c->warm_asked, false, __ATOMIC_ACQ_REL))
		center_want(&c->warm);
}

static void hook_dns_changed(void *ctx)
{
	struct center *c = ctx;
	__atomic_store_n(&c->dns_asked, true, __ATOMIC_RELEASE);
	(void)uv_async_send(&c->wake);
}

static void hook_rules_changed(void *ctx)
{
	struct center *c = ctx;
	__atomic_store_n(&c->rules_asked, true, __ATOMIC_RELEASE);
	(void)uv_async_send(&c->wake);
}

static void hook_job_added(void *ctx)
{
	struct center *c = ctx;
	__atomic_store_n(&c->jobs_asked, true, __ATOMIC_RELEASE);
	(void)uv_async_send(&c->wake);
}

void center_indicators_changed(void *ctx)
{
	struct center *c = ctx;
	__atomic_store_n(&c->compile_asked, true, __ATOMIC_RELEASE);
	__atomic_store_n(&c->dns_asked, true, __ATOMIC_RELEASE); /* allow entries are in both */
	(void)uv_async_send(&c->wake);
}

/* --- start --- */

/* Descriptors decide how many connections there can be: as many as configured,
 * but some must be left for files and our own sockets. */
static uint32_t connection_limit(const struct yg_conf *conf)
{
	struct rlimit lim;
	uint64_t most = conf->api_connections;
	if (getrlimit(RLIMIT_NOFILE, &lim) == 0 && lim.rlim_max != RLIM_INFINITY) {
		uint64_t room = lim.rlim_max > 1024 ? lim.rlim_max - 512 : lim.rlim_max / 2;
		most = YG_MIN(most, YG_MAX(room, (uint64_t)64));
	}
	return (uint32_t)YG_MIN(most, (uint64_t)100000);
}

static yg_status prepare(struct yg_role_ctx *ctx, struct yg_err *err)
{
	struct center *c = calloc(1, sizeof *c);
	if (c == NULL)
		return YG_FAIL(err, YG_NOMEM, "role center");
	ctx->user = c;
	c->ctx = ctx;
	c->connections = connection_limit(ctx->conf);
	center_detect_places(c);
	(void)setenv("UV_THREADPOOL_SIZE", YG_STR(YG_CENTER_POOL), 1);
	/* Bodies of many megabytes go back to the system when they are freed. */
	(void)mallopt(M_MMAP_THRESHOLD, 1 << 20);
	(void)mallopt(M_ARENA_MAX, 4);
	return YG_OK;
}

static void profile(struct yg_role_ctx *ctx, struct yg_role_profile *p)
{
	yg_role_path(p, "state", YG_ACCESS_READ | YG_ACCESS_WRITE, false);
	yg_role_path(p, "snapshot", YG_ACCESS_READ | YG_ACCESS_WRITE, false);
	yg_role_path(p, "run", YG_ACCESS_READ, false);
	yg_role_path(p, "/usr/share/publicsuffix", YG_ACCESS_READ, true);
	/* only who wants one of these opens this way out */
	if (!YG_SV_IS(ctx->conf->store_url, "embedded") || ctx->conf->provider_count > 0)
		p->box.calls |= YG_CALLS_INET_OUT;
	p->any_port = ctx->conf->provider_count > 0; /* an issuer may name another for its keys */
}

static void copy_text(char *to, size_t n, struct yg_sv from)
{
	struct yg_sb b = yg_sb_init(to, n);
	yg_sb_put(&b, from);
	(void)yg_sb_cstr(&b);
}

static yg_status store_conf(struct center *c, struct yg_err *err)
{
	const struct yg_conf *conf = c->ctx->conf;
	int secret = yg_role_fd(c->ctx, "store.password");
	bool embedded = YG_SV_IS(conf->store_url, "embedded");
	copy_text(c->store_url, sizeof c->store_url,
		  embedded ? YG_SV("unix:run/store.sock") : conf->store_url);
	copy_text(c->store_user, sizeof c->store_user, conf->store_user);
	copy_text(c->store_database, sizeof c->store_database, conf->store_database);
	if (secret >= 0) {
		yg_status st = yg_memfd_map(secret, 4096, &c->password, err);
		if (st != YG_OK)
			return st;
		copy_text(c->store_password, sizeof c->store_password, yg_sv_trim(c->password));
	}
	c->api.store = (struct yg_ch_conf){
		.url = c->store_url,
		.database = c->store_database,
		.user = c->store_user[0] != '\0' ? c->store_user : NULL,
		.password = c->store_password[0] != '\0' ? c->store_password : NULL,
	};
	return YG_OK;
}

/* The key of cursors lasts as long as the data folder. */
static yg_status cursor_key(struct center *c, struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf b = {0};
	yg_buf_init(&b, 64);
	if (yg_file_read("state/cursor.key", 16, &b, NULL) == YG_OK && b.n == 16) {
		memcpy(c->api.cursor_key, b.p, 16);
		return YG_OK;
	}
	c->ctx->env.random(c->ctx->env.ctx, c->api.cursor_key, 16);
	return yg_file_write("state/cursor.key",
			     (struct yg_sv){(const char *)c->api.cursor_key, 16}, 0600, err);
}

static yg_status oidc_secrets(struct center *c, struct yg_err *err)
{
	const struct yg_conf *conf = c->ctx->conf;
	for (size_t i = 0; i < conf->provider_count && i < YG_LEN(c->oidc_secrets); i++) {
		char name[96];
		struct yg_sb b = yg_sb_init(name, sizeof name);
		yg_sb_printf(&b, "oidc." YG_SV_FMT, YG_SV_ARG(conf->providers[i].name));
		int fd = yg_role_fd(c->ctx, yg_sb_cstr(&b));
		if (fd < 0)
			continue;
		yg_status st = yg_memfd_map(fd, 4096, &c->oidc_secrets[i], err);
		if (st != YG_OK)
			return st;
		c->oidc_secrets[i] = yg_sv_trim(c->oidc_secrets[i]);
	}
	c->api.oidc_secrets = c->oidc_secrets;
	return YG_OK;
}

static yg_status open_state(struct center *c, struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	uint64_t n = 0;
	yg_status st = yg_lease_state(&c->api, &l, err);
	if (st == YG_OK)
		st = yg_state_migrate(l.db, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = center_act(c, l.db);
	st = yg_job_recover(&act, &n, err);
	if (st == YG_OK) /* no list import waits or runs any more */
		yg_list_body_clean(c->api.import_path);
	if (st == YG_OK && n > 0)
		yg_role_log(c->ctx, YG_EV_API_NOTE, YG_KN("jobs_interrupted", n));
	n = 0;
	if (st == YG_OK)
		st = yg_hunt_requeue(&act, &n, err);
	c->jobs_asked = n > 0;
	return st;
}

/* The first start: who reads the server's own output may set it up.  Not through
 * the log, where the code would be kept. */
static void offer_set_up(struct center *c)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_err err = {0};
	struct yg_enrol_code code;
	yg_wall expires;
	char base[256];
	if (YG_SV_IS(c->ctx->conf->api_address, "none") ||
	    yg_lease_state(&c->api, &l, &err) != YG_OK)
		return;
	struct yg_act act = center_act(c, l.db);
	yg_status st = yg_enrol_add(&act, YG_SV(""), &code, &expires, &err);
	if (st == YG_CONFLICT)
		return; /* there is an administrator */
	if (st != YG_OK) {
		yg_role_log(c->ctx, YG_EV_API_NOTE, YG_KERR(&err));
		return;
	}
	struct yg_sv url = yg_public_url(c->ctx->conf, YG_SV(""), base, sizeof base);
	yg_role_say(c->ctx,
		    "Set up Yagura within 30 minutes: " YG_SV_FMT "/setup?code=%s"
		    "   (a new code: yagura setup-code)",
		    YG_SV_ARG(url), code.s);
}

static bool is_ours(void *ctx, int pid)
{
	struct center *c = ctx;
	return yg_role_is_ours(c->ctx, pid);
}

static yg_status map_pem(struct center *c, const char *name, struct yg_sv *out, struct yg_err *err)
{
	struct yg_sv map;
	int fd = yg_role_fd(c->ctx, name);
	if (fd < 0)
		return YG_FAIL(err, YG_INTERNAL, "there is no %s", name);
	yg_status st = yg_memfd_map(fd, 1u << 20, &map, err);
	if (st != YG_OK)
		return st;
	char *copy = malloc(map.n + 1); /* lives as long as the process; NUL behind it */
	if (copy != NULL) {
		memcpy(copy, map.p, map.n);
		copy[map.n] = '\0';
		*out = (struct yg_sv){copy, map.n};
	}
	yg_memfd_unmap(&map);
	return copy != NULL ? YG_OK : YG_FAIL(err, YG_NOMEM, "the certificate");
}

static yg_status open_doors(struct center *c, struct yg_err *err)
{
	const struct yg_conf *conf = c->ctx->conf;
	struct yg_server_app app = {.api = &c->api,
				    .routes = yg_routes,
				    .authenticate = yg_api_authenticate,
				    .proved = yg_who_proved,
				    .handle = yg_api_handle,
				    .is_ours = is_ours,
				    .is_ours_ctx = c};
	struct yg_server_conf sc = {.env = &c->ctx->env,
				    .stream = c->stream,
				    .connections = c->connections,
				    .body_total = conf->api_body_total_bytes,
				    .timeout_us = conf->api_timeout_us};
	memcpy(sc.key, c->api.cursor_key, sizeof sc.key);
	int tcp = yg_role_fd(c->ctx, "api.tcp"), metrics = yg_role_fd(c->ctx, "metrics.tcp");
	yg_status st = yg_server_new(c->ctx->loop, &app, &sc, &c->server, err);
	c->api.server = c->server;
	if (st == YG_OK)
		st = yg_server_door(c->server, yg_role_fd(c->ctx, "api.sock"), true, YG_SV(""),
				    YG_SV(""), err);
	if (st == YG_OK && tcp >= 0)
		st = map_pem(c, "tls.crt", &c->cert, err);
	if (st == YG_OK && tcp >= 0)
		st = map_pem(c, "tls.key", &c->key, err);
	if (st == YG_OK && tcp >= 0)
		st = yg_server_door(c->server, tcp, false, c->cert, c->key, err);
	if (st != YG_OK || metrics < 0)
		return st;
	app.routes = yg_metrics_routes;
	sc.connections = 64;
	st = yg_server_new(c->ctx->loop, &app, &sc, &c->metrics, err);
	return st == YG_OK ? yg_server_door(c->metrics, metrics, false, YG_SV(""), YG_SV(""), err)
			   : st;
}

static void on_drained(void *ctx)
{
	struct center *c = ctx;
	center_findings_close(c);
	yg_role_stop(c->ctx);
}

static void drain(struct yg_role_ctx *ctx)
{
	struct center *c = ctx->user;
	__atomic_store_n(&c->draining, true, __ATOMIC_RELEASE);
	yg_server_drain(c->server, on_drained, c);
}

static void reload(struct yg_role_ctx *ctx, const struct yg_conf *old)
{
	struct center *c = ctx->user;
	(void)old;
	__atomic_store_n(&c->api.conf, ctx->conf, __ATOMIC_RELEASE);
}

/* Until they were asked once, the others count as down: /readyz must not say
 * more than is known. */
static void parts_unknown(struct center *c)
{
	char name[24];
	yg_api_set_part(&c->api, "center", YG_HEALTH_OK, YG_SV(""), YG_SV(""));
	yg_api_set_part(&c->api, "store", YG_HEALTH_DOWN, YG_SV("not asked yet"), YG_SV(""));
	for (uint32_t i = 0; i < c->ctx->conf->ingest_workers && i < YG_INGEST_WORKERS; i++) {
		(void)snprintf(name, sizeof name, "ingest-%u", i);
		yg_api_set_part(&c->api, name, YG_HEALTH_DOWN, YG_SV("not asked yet"), YG_SV(""));
	}
}

static yg_status start(struct center *c, struct yg_err *err)
{
	struct yg_role_ctx *ctx = c->ctx;
	c->api.env = &ctx->env;
	c->api.conf = ctx->conf;
	c->api.state_path = "state/yagura.db";
	c->api.run_path = "run";
	c->api.backup_path = "state/backups";
	c->api.import_path = "state/import";
	c->api.export_path = "state/export";
	c->api.started = yg_env_wall(&ctx->env);
	c->api.hooks = (struct yg_api_hooks){.ctx = c,
					     .job_added = hook_job_added,
					     .indicators_changed = center_indicators_changed,
					     .dns_changed = hook_dns_changed,
					     .rules_changed = hook_rules_changed,
					     .correlation = center_detect_correlation,
					     .submit = center_submit,
					     .dns_explain = center_dns_explain,
					     .dns_zones = center_dns_zones};
	task_init(&c->jobs, c, center_jobs_run);
	task_init(&c->exports, c, center_exports_run);
	task_init(&c->tries, c, center_tries_run);
	task_init(&c->hunts, c, center_hunts_run);
	task_init(&c->hunt_news, c, center_hunt_news_run);
	task_init(&c->compile, c, center_compile_run);
	task_init(&c->dns, c, center_policy_run);
	task_init(&c->look, c, center_look);
	task_init(&c->retain, c, retain);
	task_init(&c->expiry, c, expire);
	task_init(&c->news_task, c, keep_news);
	task_init(&c->warm, c, center_warm_run);
	task_init(&c->detect, c, center_detect_run);
	task_init(&c->detect_rows, c, center_detect_rows_run);
	c->detect_rows_wait = true; /* of before the start */
	task_init(&c->rules, c, center_rules_run);
	if (uv_mutex_init(&c->news_lock) != 0 || uv_mutex_init(&c->rules_lock) != 0 ||
	    uv_mutex_init(&c->compile_lock) != 0)
		return YG_FAIL(err, YG_NOMEM, "role center");
	yg_status st = yg_stream_new(c->api.started, &c->stream, err);
	c->api.stream = c->stream;
	if (st == YG_OK)
		st = yg_api_init(&c->api, err);
	if (st == YG_OK)
		parts_unknown(c);
	if (st == YG_OK)
		st = store_conf(c, err);
	if (st == YG_OK)
		st = oidc_secrets(c, err);
	if (st == YG_OK)
		st = cursor_key(c, err);
	if (st == YG_OK)
		st = open_state(c, err);
	return st == YG_OK ? center_detect_open(c, err) : st;
}

static yg_status run(struct yg_role_ctx *ctx, struct yg_err *err)
{
	struct center *c = ctx->user;
	yg_status st = start(c, err);
	if (st == YG_OK && (uv_timer_init(ctx->loop, &c->tick) != 0 ||
			    uv_async_init(ctx->loop, &c->wake, on_wake) != 0))
		st = YG_FAIL(err, YG_NOMEM, "role center's timers");
	if (st == YG_OK)
		st = open_doors(c, err);
	if (st == YG_OK)
		st = center_findings_open(c, yg_role_fd(ctx, "center.sock"), err);
	if (st != YG_OK)
		return st;
	c->tick.data = c;
	c->wake.data = c;
	ctx->hooks.drain = drain;
	ctx->hooks.reload = reload;
	ctx->hooks.system_event = on_system_event;
	(void)uv_timer_start(&c->tick, on_tick, 0, 1000);
	offer_set_up(c);
	center_indicators_changed(c); /* compiles when something changed while we were away */
	char text[64];
	(void)snprintf(text, sizeof text, "%u connections", c->connections);
	yg_role_ready(ctx, text);
	(void)uv_run(ctx->loop, UV_RUN_DEFAULT);
	while (c->news_task.busy) /* events that main gave us are not given again */
		(void)uv_run(ctx->loop, UV_RUN_ONCE);
	keep_news(c);
	return YG_OK;
}

const struct yg_role yg_role_center = {
	.name = "center",
	.bit = YG_R_CENTER,
	.doc = "State database, HTTPS API, compilers, schedules; sees API requests.",
	.peers = YG_R_STORE | YG_R_INGEST,
	.calls = YG_CALLS_FILES | YG_CALLS_THREADS | YG_CALLS_UNIX | YG_CALLS_ACCEPT,
	.w_xor_x = true,
	.files_max = 65536,
	.prepare = prepare,
	.profile = profile,
	.run = run,
};
