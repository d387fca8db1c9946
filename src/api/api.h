/* api.h - what handlers share: handles to the state and to the event store,
 * the live stream, the news of the other processes, and the wishes they have of
 * role center.
 *
 * Threads: handlers run in the work pool, several at a time.  A state or store
 * handle is leased to one of them; everything else here is read only, atomic or
 * behind the lock.
 */
#pragma once
#include <uv.h>

#include "api/json_out.h"
#include "api/page.h"
#include "api/router.h"
#include "api/server.h"
#include "conf/conf.h"
#include "event/normalize.h"
#include "event/search.h"
#include "format/inflate.h"
#include "org/org_set.h"
#include "store/clickhouse.h"
#include "store/state.h"

#define YG_API_LEASES      24 /* handles kept open of each kind; the pool has fewer threads */
#define YG_API_PARTS       80 /* processes whose health is known */
#define YG_API_STATS_MAX   65536
#define YG_IDEMPOTENCY_MAX 4096 /* answers remembered for Idempotency-Key */
#define YG_IDEMPOTENCY_S   86400

enum yg_health { YG_HEALTH_DOWN, YG_HEALTH_DEGRADED, YG_HEALTH_OK };
const char *yg_health_name(enum yg_health h); /* "down", "degraded", "ok" */
struct yg_part {                              /* a process, as center knows it */
	char name[24];                        /* "ingest-0" */
	enum yg_health health;
	char text[160]; /* for people; "" when there is nothing to say */
	char *stats;    /* owned; the JSON object it reports, or NULL */
};
struct yg_submit { /* one batch on its way to a worker */
	enum yg_source source;
	enum yg_encoding encoding;
	struct yg_sv mapping, org, sensor, batch, bytes;
	yg_wall received;
	uint32_t worker;
};
struct yg_submitted { /* what the worker says */
	yg_status status;
	bool duplicate;
	int64_t retry_after_ms;
	struct yg_sv message; /* arena */
};
struct yg_dns_asked { /* a question that the resolver is to explain; org, client: "" for none */
	struct yg_sv name, org, client;
	uint16_t type;
	bool dnssec_ok, checking_disabled; /* DO, CD */
};
struct yg_watch_state;
struct yg_api_hooks { /* any thread; role center */
	void *ctx;
	void (*job_added)(void *ctx);          /* a queued job waits */
	void (*indicators_changed)(void *ctx); /* compile soon */
	void (*dns_changed)(void *ctx);        /* what protective DNS goes by, too */
	void (*rules_changed)(void *ctx);      /* detection rules: compile soon */
	/* What a correlation counted, of all organisations; false: none of that uid. */
	bool (*correlation)(void *ctx, struct yg_sv uid, struct yg_watch_state *out);
	/* Blocks.  Anything but YG_OK: it is not known whether the worker has it. */
	yg_status (*submit)(void *ctx, const struct yg_submit *s, struct yg_arena *arena,
			    struct yg_submitted *out, struct yg_err *err);
	/* Both block; *out: a JSON object in the arena.  YG_AGAIN: no such role answers. */
	yg_status (*dns_explain)(void *ctx, const struct yg_dns_asked *asked,
				 struct yg_arena *arena, struct yg_sv *out, struct yg_err *err);
	yg_status (*dns_zones)(void *ctx, struct yg_arena *arena, struct yg_sv *out,
			       struct yg_err *err);
};
struct yg_sign_in;

struct yg_api {
	const struct yg_env *env;   /* borrowed, as all below */
	const struct yg_conf *conf; /* atomic: yg_api_conf() */
	struct yg_stream *stream;
	struct yg_server *server; /* for its counts; NULL in tests */
	struct yg_api_hooks hooks;
	const char *state_path; /* "state/yagura.db" */
	struct yg_ch_conf store;
	const char *run_path;    /* "run": where the workers' sockets are */
	const char *backup_path; /* "state/backups" */
	const char *export_path; /* "state/export" */
	const char *
		import_path; /* "state/import": bodies of list imports until the end of their job is written */
	uint8_t cursor_key[16];
	const struct yg_sv *oidc_secrets; /* by provider of the configuration; NULL: none */
	struct yg_sign_in *sign_in;       /* owned; api/sign_in.h */
	yg_wall started;
	bool up; /* atomic; all parts were there once */

	uv_mutex_t lock; /* all below */
	struct yg_state *states[YG_API_LEASES];
	size_t state_count;
	struct yg_ch *stores[YG_API_LEASES];
	size_t store_count;
	struct yg_part parts[YG_API_PARTS];
	size_t part_count;
};
/* Fields above the lock are set by the caller before. */
yg_status yg_api_init(struct yg_api *api, struct yg_err *err);
void yg_api_end(struct yg_api *api);
static inline const struct yg_conf *yg_api_conf(const struct yg_api *api)
{
	return __atomic_load_n(&api->conf, __ATOMIC_ACQUIRE);
}

/* Leases; each ends with its scope: YG_AUTO(yg_lease_end) struct yg_lease l = {0}; */
struct yg_lease {
	struct yg_api *api;
	struct yg_state *db;
	struct yg_ch *ch;
};
yg_status yg_lease_state(struct yg_api *api, struct yg_lease *l, struct yg_err *err);
/* The same to change something: in a transaction that begins at once, and ends with
 * the lease, rolled back unless yg_lease_commit() was reached. */
yg_status yg_lease_change(struct yg_api *api, struct yg_lease *l, struct yg_err *err);
/* Commits when `st` is YG_OK and the answer is whole, so that nothing is done that
 * the caller is told has failed; else says why not.  What others are to hear of
 * the change comes after it, but for a dry run, which ends here with nothing changed. */
yg_status yg_lease_commit(struct yg_lease *l, const struct yg_request *q,
			  const struct yg_response *r, yg_status st, struct yg_err *err);
/* The same, and `then` when something was changed. */
yg_status yg_lease_commit_then(struct yg_lease *l, const struct yg_request *q,
			       const struct yg_response *r, yg_status st,
			       void (*then)(struct yg_api *api), struct yg_err *err);
/* Who reads the stream is looked at anew: rights, or where they hold, are not what they were. */
void yg_rights_changed(struct yg_api *api);
/* One that does not answer is YG_AGAIN at the first query, not here. */
yg_status yg_lease_store(struct yg_api *api, struct yg_lease *l, struct yg_err *err);
void yg_lease_end(struct yg_lease *l);

/* What the server calls (api/server.h). */
yg_status yg_api_authenticate(struct yg_api *api, struct yg_request *q, bool needed,
			      struct yg_err *err);
/* A change by cookie comes from our own site, and the session is proved anew
 * where the route asks for that; else YG_DENIED with the problem in r. */
yg_status yg_who_proved(const struct yg_request *q, struct yg_response *r, struct yg_err *err);
/* An answer without a part that found no room is none: YG_NOMEM, YG_INTERNAL. */
yg_status yg_check_answer(const struct yg_request *q, const struct yg_response *r,
			  struct yg_err *err);
/* The handler of a route that creates, for a request with Idempotency-Key: it is
 * called, or what it answered before is given again (idempotency.c). */
yg_status yg_idempotent(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			struct yg_err *err);
/* Keeps the answer in the transaction of its change; nothing without a key. */
yg_status yg_idempotency_keep(struct yg_state *db, const struct yg_request *q,
			      const struct yg_response *r, struct yg_err *err);
/* The route's handler, behind Idempotency-Key where the route creates. */
yg_status yg_api_handle(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			struct yg_err *err);

/* News of a process; text and stats are copied (stats may be empty: as before). */
void yg_api_set_part(struct yg_api *api, const char *name, enum yg_health health, struct yg_sv text,
		     struct yg_sv stats);
/* A copy of what is known, texts and stats in the arena. */
yg_status yg_api_parts(struct yg_api *api, struct yg_arena *arena, struct yg_part **out,
		       size_t *out_n, struct yg_err *err);

/* --- for handlers ---
 *
 * How to add a route: a row in routes.c (method, path, scope, flags, parameters),
 * its declaration in routes.h, an operation in doc/openapi.yaml, a call in
 * test/e2e/openapi.py, and a handler in the fewest lines:
 *
 *   a list     st = yg_page_begin(api, q, &l, &page, &reach, err);  limit, cursor, state, ?org=
 *              ... rows within `reach` behind page.after (or page.number), at most page.limit ...
 *              struct yg_jo j = yg_answer_list(r);
 *              for (...) put_thing(&j, &list[i]);
 *              return yg_answer_page(api, q, &j, n == page.limit ? &list[n - 1].id : NULL, err);
 *   one        st = yg_lease_state(api, &l, err);
 *              ... get it, then yg_scope_object(q, thing.org, shared, err) ...
 *              struct yg_jo j = yg_answer(r, 200);
 *              put_thing(&j, &thing);
 *              yg_answer_etag(q, r, NULL, thing.version);
 *   a change   the row has YG_RT_MATCH; yg_lease_change(), get, yg_scope_object() as above, then
 *              st = yg_check_match(q, r, thing.version, err);
 *              st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
 *              ... change with thing.version and yg_request_act() ...
 *              if (st != YG_OK) return yg_changed(r, st);
 *              ... answer it as above, then yg_lease_commit(&l, q, r, st, err) ...
 *   a new one  the row has YG_RT_CREATES; yg_body_read(), yg_lease_change(),
 *              yg_scope_body_org(), add, yg_answer_location(), 201, yg_lease_commit()
 *   a job      return yg_answer_new_job(api, q, r, &l, YG_SV("kind"), org, params, err);
 */
/* Reads limit and cursor, leases the state and, with out_reach, calls yg_scope_reach(). */
yg_status yg_page_begin(struct yg_api *api, struct yg_request *q, struct yg_lease *l,
			struct yg_page *page, struct yg_reach *out_reach, struct yg_err *err);
/* What the request is about: where its rights hold (q->who.reach), narrowed to
 * ?org= and what is below it, and to ?system=.  YG_NOTFOUND: not there, or not within reach. */
yg_status yg_scope_reach(struct yg_request *q, struct yg_state *db, struct yg_reach *out,
			 struct yg_err *err);
/* The one organisation that something new is for: ?org=, else the caller's own;
 * empty: neither.  YG_NOTFOUND as above. */
yg_status yg_scope_owner(struct yg_request *q, struct yg_state *db, struct yg_sv *out,
			 struct yg_err *err);
/* The organisations alone, for what is only of now and of no system: nothing when
 * the reach has a period. */
yg_status yg_scope_orgs(struct yg_request *q, struct yg_state *db, struct yg_org_set *out,
			struct yg_err *err);
/* Whose saved searches and visits these are. */
struct yg_sv yg_request_owner(const struct yg_request *q);
/* RFC 3339, "now", "now-24h"; absent: `dflt`.  What is wrong is noted. */
void yg_query_time(struct yg_request *q, const char *name, int64_t dflt, int64_t *out_us);
/* `from` and `to`; absent: 0. */
void yg_query_period(struct yg_request *q, int64_t *out_from_us, int64_t *out_to_us);
/* 0..6; absent: 0. */
unsigned yg_query_severity(struct yg_request *q, const char *name);
/* Which of the words it is, from 1; absent: 0. */
unsigned yg_query_word(struct yg_request *q, const char *name, const char *words);
/* An empty one stands for none. */
struct yg_sv yg_query_text(const struct yg_request *q, const char *name);
/* The same for a member "org" of a body; `given` with an empty one: for all. */
yg_status yg_scope_body_org(struct yg_request *q, struct yg_state *db, bool given, struct yg_sv org,
			    struct yg_sv *out, struct yg_err *err);
/* Every one of `scopes` is the caller's on `org` ("": on the whole): else YG_DENIED. */
yg_status yg_scope_gives(struct yg_request *q, struct yg_state *db, const struct yg_sv *scopes,
			 size_t n, struct yg_sv org, struct yg_err *err);
/* The same for a token that a person binds to `org`, where a system of it is enough.
 * YG_NOTFOUND: none of them reaches it, as if there were no such organisation. */
yg_status yg_scope_binds(struct yg_request *q, struct yg_state *db, const struct yg_sv *scopes,
			 size_t n, struct yg_sv org, struct yg_err *err);
/* May the caller see an object of `org` (empty: of none; shared: then everybody may)?
 * YG_NOTFOUND when not. */
yg_status yg_scope_object(const struct yg_request *q, struct yg_sv org, bool shared,
			  struct yg_err *err);
/* May the caller see what holds for `org` and all below it (empty: for all), because it, or
 * something below it, is within reach?  YG_NOTFOUND when not. */
yg_status yg_scope_holds(const struct yg_request *q, struct yg_state *db, struct yg_sv org,
			 struct yg_err *err);
/* The same for a row that also belongs to a system, and to a moment. */
yg_status yg_scope_row(const struct yg_request *q, struct yg_sv org, struct yg_sv system,
		       yg_wall at, struct yg_err *err);
/* Was it made by the end of the caller's period?  YG_NOTFOUND when not. */
yg_status yg_scope_made(const struct yg_request *q, yg_wall created, struct yg_err *err);
/* What knows nothing but the present: YG_DENIED to who sees a period that it is not in. */
yg_status yg_scope_now(const struct yg_request *q, struct yg_err *err);
/* May the caller change an object of `org` that it can see?  YG_DENIED: it is for
 * all organisations, or of a node above. */
yg_status yg_scope_shared(const struct yg_request *q, struct yg_sv org, struct yg_err *err);
/* Restricts an event search to `reach`: organisations, systems, period. */
yg_status yg_scope_events(struct yg_request *q, struct yg_state *db, const struct yg_reach *reach,
			  struct yg_search_scope *out, struct yg_err *err);
/* Where `scope` holds for `w`; nothing when it lacks it. */
yg_status yg_who_reach(const struct yg_who *w, struct yg_state *db, const char *scope,
		       struct yg_arena *arena, struct yg_reach *out, struct yg_err *err);
/* Who asked for a job, by the name in the audit log, with the rights of `now`: what
 * yg_who_settle() does not fill in.  Texts are the arena's or of `actor`. */
yg_status yg_actor_who(struct yg_state *db, struct yg_sv actor, yg_wall now, struct yg_arena *arena,
		       struct yg_who *out, struct yg_err *err);
/* Where `scope` holds for them. */
yg_status yg_actor_reach(struct yg_state *db, struct yg_sv actor, const char *scope, yg_wall now,
			 struct yg_arena *arena, struct yg_reach *out, struct yg_err *err);
/* After it is known who asks: root, audits, reach, and when the first right ends. */
yg_status yg_who_settle(struct yg_request *q, struct yg_state *db, struct yg_err *err);
struct yg_act yg_request_act(const struct yg_request *q, struct yg_api *api, struct yg_state *db);
/* Begins a JSON answer. */
struct yg_jo yg_answer(struct yg_response *r, int status);
/* {"items":[ ... */
void yg_answer_items(struct yg_jo *j);
/* Begins the answer of a list: 200 {"items":[ ... */
struct yg_jo yg_answer_list(struct yg_response *r);
/* ...],"next_cursor":..,"as_of":..}; position: NULL on the last page. */
yg_status yg_answer_page(struct yg_api *api, struct yg_request *q, struct yg_jo *j,
			 const struct yg_sv *position, struct yg_err *err);
/* The same where positions are numbers; more: this is not the last page. */
yg_status yg_answer_page_number(struct yg_api *api, struct yg_request *q, struct yg_jo *j,
				bool more, int64_t position, struct yg_err *err);
/* The same where a list is sorted by a number, for yg_page_keyed(). */
yg_status yg_answer_page_keyed(struct yg_api *api, struct yg_request *q, struct yg_jo *j, bool more,
			       int64_t key, struct yg_sv text, struct yg_err *err);
/* ETag and the member "etag". */
void yg_answer_etag(struct yg_request *q, struct yg_response *r, struct yg_jo *j, int64_t version);
void yg_put_etag(struct yg_jo *j, int64_t version);
void yg_answer_location(struct yg_request *q, struct yg_response *r, const char *path,
			struct yg_sv id);
/* If-Match against `version`: YG_OK, or the answer 412 with the ETag it has now. */
yg_status yg_check_match(struct yg_request *q, struct yg_response *r, int64_t version,
			 struct yg_err *err);
/* Of a PUT, which replaces what is there (version NULL: nothing is): If-Match is needed where
 * something is, and If-None-Match: * asks that nothing is.  YG_OK, or the answer 412 or 428. */
yg_status yg_check_replace(struct yg_request *q, struct yg_response *r, const int64_t *version,
			   struct yg_err *err);
/* A change that found another version after yg_check_match() is 412 too. */
yg_status yg_changed(struct yg_response *r, yg_status st);
/* Commits; 202 with the job, and center is told. */
yg_status yg_answer_job(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			struct yg_lease *l, struct yg_sv id, struct yg_err *err);
/* Adds the job and answers with it, in a transaction of their own. */
yg_status yg_answer_new_job(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_lease *l, struct yg_sv kind, struct yg_sv org,
			    struct yg_sv params, struct yg_err *err);
/* Says to live readers that something of `org` (and of `system`, or empty) changed:
 * {"id":..,"change":..} on `topic`. */
void yg_announce(struct yg_api *api, enum yg_stream_topic topic, struct yg_sv org,
		 struct yg_sv system, struct yg_sv id, const char *change);
