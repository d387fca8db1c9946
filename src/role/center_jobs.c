/* Jobs: one at a time, the oldest first.  What each needs stands in its params
 * as JSON; who asked for it is who the audit log names. */
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/export.h"
#include "api/hunt.h"
#include "api/list_body.h"
#include "api/routes.h"
#include "detect/demo.h"
#include "detect/hunt_state.h"
#include "detect/registry.h"
#include "event/demo.h"
#include "event/table.h"
#include "format/json.h"
#include "intel/list.h"
#include "intel/registry.h"
#include "org/job.h"
#include "org/purge.h"
#include "org/system.h"
#include "os/file.h"
#include "role/center_job.h"
#include "store/backup.h"

struct yg_sv center_job_param(struct run *r, const char *name)
{
	uint32_t at = r->params.count > 0 ? yg_json_get(&r->params, 0, yg_sv_of(name)) : 0;
	if (at == 0 || yg_json_at(&r->params, at)->type != YG_JSON_STRING)
		return YG_SV("");
	struct yg_sv s = yg_json_str(&r->params, at, r->arena);
	return s.p != NULL ? s : YG_SV("");
}

int64_t center_job_number(struct run *r, const char *name)
{
	uint32_t at = r->params.count > 0 ? yg_json_get(&r->params, 0, yg_sv_of(name)) : 0;
	return at != 0 ? yg_json_i64(&r->params, at, 0) : 0;
}

static bool param_true(struct run *r, const char *name)
{
	uint32_t at = r->params.count > 0 ? yg_json_get(&r->params, 0, yg_sv_of(name)) : 0;
	return at != 0 && yg_json_at(&r->params, at)->type == YG_JSON_TRUE;
}

static void announce(struct run *r, const char *change)
{
	yg_announce(&r->c->api, YG_TOPIC_JOBS, r->job.org, YG_SV(""), r->job.id, change);
}

bool center_job_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct run *r = ctx;
	bool cancel = false;
	r->done = (int64_t)done;
	r->total = (int64_t)total;
	if (yg_job_progress(&r->act, r->job.id, r->done, r->total, r->errors, YG_SV(""), &cancel,
			    NULL) != YG_OK)
		return true; /* a busy database is no reason to stop */
	r->cancelled = r->cancelled || cancel;
	announce(r, "progress");
	return !cancel;
}

/* --- snapshot --- */

/* Under the lock. */
static yg_status compile_now(struct run *r, struct yg_err *err)
{
	struct yg_compile_result out = {0};
	struct center *c = r->c;
	yg_status st = yg_registry_compile(
		&r->act, "snapshot", r->job.id.n > 0 ? center_job_progress : NULL, r, &out, err);
	if (st == YG_OK) /* published in the order compiled */
		st = yg_role_publish(c->ctx, 1, out.generation, yg_sv_of(out.file));
	__atomic_store_n(&c->compile_failed_us, st == YG_OK ? 0 : yg_env_mono(&c->ctx->env).us,
			 __ATOMIC_RELEASE);
	(void)malloc_trim(0); /* a large list leaves a large heap behind */
	if (st != YG_OK)
		return st;
	yg_role_log(r->c->ctx, YG_EV_CENTER_COMPILED, YG_KN("generation", out.generation),
		    YG_KN("refused", out.refused), YG_KS("file", out.file));
	struct yg_jo j = yg_jo_init(&r->result);
	yg_jo_begin(&j, '{');
	yg_jo_int(&j, "generation", (int64_t)out.generation);
	yg_jo_int(&j, "refused", (int64_t)out.refused);
	yg_jo_str(&j, "file", yg_sv_of(out.file));
	yg_jo_end(&j, '}');
	return st;
}

static yg_status compile(struct run *r, struct yg_err *err)
{
	uv_mutex_lock(&r->c->compile_lock);
	yg_status st = compile_now(r, err);
	uv_mutex_unlock(&r->c->compile_lock);
	return st;
}

static bool pauses(const struct center *c)
{
	int64_t failed = __atomic_load_n(&c->compile_failed_us, __ATOMIC_ACQUIRE);
	return failed != 0 && yg_env_mono(&c->ctx->env).us - failed < YG_CENTER_PAUSE_US;
}

void center_compile_run(struct center *c)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_err err = {0};
	struct run r = {.c = c};
	bool dirty = false;
	yg_buf_init(&r.result, 4096);
	yg_status st = yg_lease_state(&c->api, &l, &err);
	uv_mutex_lock(&c->compile_lock); /* one that is on its way is none that was broken off */
	if (st == YG_OK)
		st = yg_registry_dirty(l.db, &dirty, &err);
	r.act = center_act(c, l.db);
	/* no snapshot at all counts as dirty: workers must have one to begin with */
	/* what was compiled and not published is no more dirty */
	bool failed = __atomic_load_n(&c->compile_failed_us, __ATOMIC_ACQUIRE) != 0;
	if (st == YG_OK && !pauses(c) && (dirty || failed || access("snapshot/current", F_OK) != 0))
		st = compile_now(&r, &err);
	uv_mutex_unlock(&c->compile_lock);
	yg_buf_free(&r.result);
	if (st != YG_OK)
		yg_role_log(c->ctx, YG_EV_CENTER_COMPILE_FAILED, YG_KERR(&err));
}

/* --- import of a list --- */

#define FAULTS_MAX 50 /* told with their line; the others are counted */

struct importing {
	struct run *r;
	struct yg_import *import;
	uint64_t line;        /* of the entry at hand */
	struct yg_buf faults; /* JSON: what was not taken, the first of it */
	struct yg_jo told;
	uint64_t fault_n;
	uint64_t *seen; /* with replace: hashes of what the file has; owned */
	size_t seen_n, seen_cap;
	bool replace;
	struct yg_sv first_reason; /* arena */
	uint64_t refused;
};

static uint64_t hash_value(enum yg_indicator_type type, struct yg_sv value)
{
	static const uint8_t key[16] = "replace";
	uint64_t half[2] = {yg_siphash(key, value.p, value.n), (uint64_t)type};
	return yg_siphash(key, half, sizeof half);
}

static yg_status note_seen(struct importing *im, const struct yg_indicator *ind, struct yg_err *err)
{
	char text[YG_KEY_MAX];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	if (!im->replace || yg_indicator_normalize(ind->type, ind->value, &b, NULL) != YG_OK)
		return YG_OK;
	if (im->seen_n == im->seen_cap) {
		size_t cap = im->seen_cap == 0 ? 4096 : im->seen_cap * 2;
		uint64_t *more = cap <= (64u << 20) ? realloc(im->seen, cap * sizeof *more) : NULL;
		if (more == NULL)
			return YG_FAIL(err, YG_NOMEM, "the list is too long to replace another");
		im->seen = more;
		im->seen_cap = cap;
	}
	im->seen[im->seen_n++] = hash_value(ind->type, yg_sb_sv(&b));
	return YG_OK;
}

static void note_fault(struct importing *im, uint64_t line, struct yg_sv text, const char *reason)
{
	char buf[200];
	struct yg_sb b = yg_sb_init(buf, sizeof buf);
	if (im->fault_n++ >= FAULTS_MAX)
		return;
	yg_sb_put_untrusted(&b, yg_sv_sub(text, 0, 60));
	yg_jo_begin(&im->told, '{');
	yg_jo_int(&im->told, "line", (int64_t)line);
	yg_jo_str(&im->told, "text", yg_sb_sv(&b));
	yg_jo_str(&im->told, "reason", yg_sv_sub(yg_sv_of(reason), 0, 150));
	yg_jo_end(&im->told, '}');
}

static void on_not_taken(void *ctx, const struct yg_indicator *ind, const char *why)
{
	struct importing *im = ctx;
	note_fault(im, im->line, ind->value, why);
}

static yg_status on_entry(void *ctx, const struct yg_indicator *ind, uint64_t line,
			  struct yg_err *err)
{
	struct importing *im = ctx;
	im->line = line;
	yg_status st = note_seen(im, ind, err);
	return st == YG_OK ? yg_import_add(im->import, ind, err) : st;
}

static void on_refused(void *ctx, uint64_t line, const char *reason, struct yg_sv text)
{
	struct importing *im = ctx;
	char buf[400];
	struct yg_sb b = yg_sb_init(buf, sizeof buf);
	note_fault(im, line, text, reason);
	if (im->refused++ > 0)
		return;
	yg_sb_printf(&b, "line %llu: %.150s: ", (unsigned long long)line, reason);
	yg_sb_put_untrusted(&b, yg_sv_sub(text, 0, 60));
	im->first_reason = yg_arena_dup(im->r->arena, yg_sb_sv(&b));
}

static yg_status feed_file(struct run *r, struct yg_list_reader *reader, const char *path,
			   struct yg_err *err)
{
	YG_AUTO(yg_fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char *buf = yg_arena_alloc(r->arena, 1u << 18, 16);
	if (fd < 0)
		return YG_FAIL(err, YG_NOTFOUND, "the file of this import is gone");
	if (buf == NULL)
		return YG_FAIL(err, YG_NOMEM, "reading the list");
	yg_status st = YG_OK;
	for (ssize_t n = 1; st == YG_OK && n > 0;) {
		n = read(fd, buf, 1u << 18);
		if (n < 0)
			return YG_FAIL(err, YG_IO, "the file of this import cannot be read");
		if (n > 0)
			st = yg_list_feed(reader, (struct yg_sv){buf, (size_t)n}, err);
	}
	return st == YG_OK ? yg_list_end(reader, err) : st;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* With replace: what the list has and the file has not ends now. */
static yg_status expire_rest(struct run *r, struct importing *im, struct yg_sv list,
			     uint64_t *out_expired, struct yg_err *err)
{
	struct yg_indicator_filter f = {.reach = YG_REACH_ALL, .list = list, .limit = YG_PAGE_MAX};
	struct yg_indicator_row *rows = NULL;
	size_t n = YG_PAGE_MAX;
	yg_wall now = yg_env_wall(&r->c->ctx->env);
	struct yg_indicator_set set = {.confidence = -1, .valid_until = &now};
	struct yg_arena page;
	yg_status st = YG_OK;
	qsort(im->seen, im->seen_n, sizeof *im->seen, by_value);
	yg_arena_init(&page, 16u << 20);
	while (st == YG_OK && n == YG_PAGE_MAX) {
		yg_arena_reset(&page);
		st = yg_indicator_list(r->act.db, &f, &page, &rows, &n, err);
		for (size_t i = 0; st == YG_OK && i < n; i++) {
			uint64_t h = hash_value(rows[i].ind.type, rows[i].ind.value);
			bool ended = rows[i].ind.valid_until.us != 0 &&
				     rows[i].ind.valid_until.us <= now.us;
			f.before = rows[i].id;
			if (ended || (im->seen_n > 0 && bsearch(&h, im->seen, im->seen_n, sizeof h,
								by_value) != NULL))
				continue;
			st = yg_indicator_change(&r->act, rows[i].id, YG_ANY_VERSION, &set, err);
			(*out_expired)++;
		}
	}
	yg_arena_free(&page);
	return st;
}

static yg_status import_list(struct run *r, struct importing *im, const char *path,
			     struct yg_import_stats *stats, struct yg_err *err)
{
	struct yg_sv list_id = center_job_param(r, "list"), format = center_job_param(r, "format");
	struct yg_list_opts opts = {.ctx = im, .entry = on_entry, .refused = on_refused};
	struct yg_list_reader *reader = NULL;
	if (format.n > 0 && yg_list_format_parse(format, &opts.format) != YG_OK)
		return YG_FAIL(err, YG_INVAL, "unknown format of list");
	yg_status st = yg_import_begin(&r->act, list_id, param_true(r, "force"), &im->import, err);
	if (st != YG_OK)
		return st;
	yg_import_progress(im->import, center_job_progress, r);
	yg_import_on_refused(im->import, on_not_taken, im);
	st = yg_list_new(&opts, &reader, err);
	if (st == YG_OK)
		st = feed_file(r, reader, path, err);
	yg_list_free(reader);
	if (st != YG_OK) {
		yg_import_abort(im->import);
		return st;
	}
	return yg_import_end(im->import, stats, err);
}

static yg_status job_import(struct run *r, struct yg_err *err)
{
	char path[YG_LIST_BODY_PATH];
	struct importing im = {
		.r = r, .replace = param_true(r, "replace"), .first_reason = YG_SV_INIT("")};
	struct yg_import_stats stats = {0};
	uint64_t expired = 0;
	yg_buf_init(&im.faults, 65536);
	im.told = yg_jo_init(&im.faults);
	yg_jo_begin(&im.told, '[');
	yg_status st = yg_list_body_path(r->c->api.import_path, r->job.params, r->arena, path, err);
	if (st == YG_OK)
		st = import_list(r, &im, path, &stats, err);
	if (st == YG_OK && im.replace)
		st = expire_rest(r, &im, center_job_param(r, "list"), &expired, err);
	free(im.seen);
	r->errors = (int64_t)(stats.bad + stats.refused + im.refused);
	yg_jo_end(&im.told, ']');
	struct yg_jo j = yg_jo_init(&r->result);
	yg_jo_begin(&j, '{');
	yg_jo_str(&j, "list", center_job_param(r, "list"));
	yg_jo_int(&j, "read", (int64_t)stats.read);
	yg_jo_int(&j, "added", (int64_t)stats.added);
	yg_jo_int(&j, "updated", (int64_t)stats.updated);
	yg_jo_int(&j, "unchanged", (int64_t)stats.unchanged);
	yg_jo_int(&j, "expired", (int64_t)expired);
	yg_jo_int(&j, "bad", (int64_t)(stats.bad + im.refused));
	yg_jo_int(&j, "refused", (int64_t)stats.refused);
	yg_jo_str(&j, "first_bad",
		  im.first_reason.n > 0 ? im.first_reason : yg_sv_of(stats.first_bad));
	yg_jo_str(&j, "first_refused", yg_sv_of(stats.first_refused));
	yg_jo_key(&j, "faults");
	yg_jo_raw(&j, im.faults.bad ? YG_SV("[]") : yg_buf_sv(&im.faults));
	yg_jo_end(&j, '}');
	yg_buf_free(&im.faults);
	center_indicators_changed(r->c);
	return st;
}

/* --- the others --- */

static yg_status only_system(struct run *r, struct yg_bulk *b, struct yg_err *err)
{
	struct yg_system y;
	struct yg_reach *reach = &b->filter.reach;
	yg_status st = yg_system_get(r->act.db, b->system, r->arena, &y, err);
	if (st != YG_OK)
		return st;
	if (!yg_reach_has(reach, y.org, b->system))
		return YG_FAIL(err, YG_NOTFOUND, "no such system");
	*reach = (struct yg_reach){
		.systems = &b->system, .system_count = 1, .from = reach->from, .to = reach->to};
	return YG_OK;
}

/* "overdue" and "snoozed" are of when it was ordered, as "watched" is of who did. */
static yg_status bulk_now(struct run *r, struct yg_bulk *b, struct yg_err *err)
{
	struct yg_who who;
	b->filter.now = r->job.created;
	if (!b->watched)
		return YG_OK;
	yg_status st = yg_actor_who(r->act.db, r->job.actor, yg_env_wall(&r->c->ctx->env), r->arena,
				    &who, err);
	b->filter.watcher = st == YG_OK && who.person.n > 0 ? who.person : r->job.actor;
	return st;
}

static yg_status job_bulk(struct run *r, struct yg_err *err)
{
	struct yg_request *q = YG_NEW(r->arena, struct yg_request);
	struct yg_bulk bulk;
	if (q == NULL)
		return YG_FAIL(err, YG_NOMEM, "the job's params");
	q->arena = r->arena;
	q->body = r->job.params;
	yg_status st = yg_bulk_read(q, &bulk, err);
	if (st != YG_OK)
		return st;
	/* who asked may not change more, whatever the filter says */
	struct yg_reach *reach = &bulk.filter.reach;
	st = yg_actor_reach(r->act.db, r->job.actor, "alerts:write", yg_env_wall(&r->c->ctx->env),
			    r->arena, reach, err);
	if (st == YG_OK && bulk.org.n > 0)
		st = yg_reach_narrow(r->act.db, reach, bulk.org, r->arena, reach, err);
	if (st == YG_OK && bulk.system.n > 0)
		st = only_system(r, &bulk, err);
	if (st == YG_OK)
		st = bulk_now(r, &bulk, err);
	if (st != YG_OK)
		return st;
	r->ended = true;
	st = yg_alert_bulk(&r->act, r->job.id, bulk.ids, bulk.id_count, &bulk.filter, &bulk.set,
			   err);
	yg_announce(&r->c->api, YG_TOPIC_ALERTS, r->job.org, YG_SV(""), YG_SV(""), "bulk");
	return st;
}

/* What a bulk change changed, put back: within the rights of who undoes it. */
static yg_status job_undo(struct run *r, struct yg_err *err)
{
	struct yg_reach reach = {0};
	yg_status st = yg_actor_reach(r->act.db, r->job.actor, "alerts:write",
				      yg_env_wall(&r->c->ctx->env), r->arena, &reach, err);
	if (st != YG_OK)
		return st;
	r->ended = true;
	st = yg_alert_undo(&r->act, r->job.id, center_job_param(r, "job"), &reach, err);
	yg_announce(&r->c->api, YG_TOPIC_ALERTS, r->job.org, YG_SV(""), YG_SV(""), "bulk");
	return st;
}

/* --- backup, purge, demonstration --- */

static bool on_backup(void *ctx, uint64_t done, uint64_t total, const char *what)
{
	(void)what;
	return center_job_progress(ctx, done, total);
}

static yg_status job_backup(struct run *r, struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_backup made;
	yg_status st = yg_lease_store(&r->c->api, &l, err);
	if (st != YG_OK)
		return st;
	struct yg_backup_opts o = {
		.env = &r->c->ctx->env,
		.dir = r->c->api.backup_path,
		.state_path = r->c->api.state_path,
		.snapshot_dir = "snapshot",
		.ch = yg_ch_ping(l.ch) ? l.ch : NULL,
		.event_table = YG_EVENT_TABLE,
		.event_columns = yg_event_table_columns(),
		.progress = on_backup,
		.progress_ctx = r,
	};
	st = yg_backup_create(&o, &made, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_jo_init(&r->result);
	yg_jo_begin(&j, '{');
	yg_jo_str(&j, "name", yg_sv_of(made.name));
	yg_jo_int(&j, "bytes", (int64_t)made.bytes);
	yg_jo_int(&j, "event_rows", (int64_t)made.event_rows);
	yg_jo_bool(&j, "with_events", made.with_events);
	yg_jo_str(&j, "audit_head", yg_sv_of(made.audit_head));
	yg_jo_end(&j, '}');
	return YG_OK;
}

static bool on_purge(void *ctx, uint64_t done, const char *what)
{
	(void)what;
	return center_job_progress(ctx, done, 0);
}

/* The demonstration's list is for all organisations, so it goes with none of them. */
static yg_status remove_demo_list(struct run *r, struct yg_purge_counts *n, struct yg_err *err)
{
	struct yg_list list;
	yg_status st = yg_list_get(r->act.db, YG_SV(YG_DEMO_LIST), r->arena, &list, err);
	if (st != YG_OK || list.org.n > 0)
		return st == YG_NOTFOUND ? YG_OK : st;
	st = yg_list_remove(&r->act, list.uid, NULL, NULL, err);
	if (st == YG_OK) {
		n->lists++;
		n->indicators += (uint64_t)list.entries;
	}
	return st;
}

static yg_status purge(struct run *r, struct yg_sv org, struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_purge_counts n = {0};
	yg_status st = yg_lease_store(&r->c->api, &l, err);
	if (st != YG_OK)
		return st;
	struct yg_purge_opts o = {l.ch, YG_EVENT_TABLE, on_purge, r};
	st = org.n > 0 ? yg_org_purge(&r->act, org, &o, &n, err)
		       : yg_demo_purge(&r->act, &o, &n, err);
	if (st == YG_OK && org.n == 0)
		st = remove_demo_list(r, &n, err);
	uint64_t rules = 0; /* the demonstration's are for all organisations, too */
	if (st == YG_OK && org.n == 0)
		st = yg_drule_remove_all(&r->act, YG_SV(""), YG_SV(YG_DETECT_DEMO), &rules, err);
	struct yg_jo j = yg_jo_init(&r->result);
	yg_jo_begin(&j, '{');
	yg_jo_int(&j, "organisations", (int64_t)n.organisations);
	yg_jo_int(&j, "alerts", (int64_t)n.alerts);
	yg_jo_int(&j, "lists", (int64_t)n.lists);
	yg_jo_int(&j, "indicators", (int64_t)n.indicators);
	yg_jo_int(&j, "allow_entries", (int64_t)n.allow_entries);
	yg_jo_int(&j, "block_entries", (int64_t)n.block_entries);
	yg_jo_int(&j, "tokens", (int64_t)n.tokens);
	yg_jo_int(&j, "sources", (int64_t)n.sources);
	yg_jo_int(&j, "events", (int64_t)n.events);
	yg_jo_end(&j, '}');
	center_indicators_changed(r->c);
	return st;
}

static yg_status job_purge(struct run *r, struct yg_err *err)
{
	struct yg_sv org = center_job_param(r, "org");
	return org.n > 0 ? purge(r, org, err)
			 : YG_FAIL(err, YG_INVAL, "the job names no organisation");
}

static yg_status job_demo(struct run *r, struct yg_err *err)
{
	return purge(r, YG_SV(""), err);
}

static yg_status job_demo_load(struct run *r, struct yg_err *err)
{
	int64_t wanted = center_job_number(r, "records");
	uint64_t records = 0;
	yg_status st = center_demo_load(r->c, &r->act, (uint64_t)YG_MAX(wanted, 0),
					center_job_progress, r, &records, err);
	struct yg_jo j = yg_jo_init(&r->result);
	yg_jo_begin(&j, '{');
	yg_jo_int(&j, "organisations", YG_DEMO_ORGS);
	yg_jo_int(&j, "systems", YG_DEMO_ORGS * YG_DEMO_SYSTEMS);
	yg_jo_int(&j, "records", (int64_t)records);
	yg_jo_end(&j, '}');
	return st;
}

static yg_status job_export(struct run *r, struct yg_err *err)
{
	struct yg_request *q = YG_NEW(r->arena, struct yg_request);
	struct yg_export e;
	struct yg_export_result made = {0};
	if (q == NULL)
		return YG_FAIL(err, YG_NOMEM, "the job's params");
	q->arena = r->arena;
	q->body = r->job.params;
	yg_status st = yg_export_read(q, &e, err);
	if (st == YG_OK)
		st = yg_export_run(&r->c->api, &e, r->job.actor, r->job.id, center_job_progress, r,
				   &made, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_jo_init(&r->result);
	yg_jo_begin(&j, '{');
	yg_jo_int(&j, "rows", (int64_t)made.rows);
	yg_jo_int(&j, "bytes", (int64_t)made.bytes);
	yg_jo_time(&j, "expires_at",
		   yg_env_wall(&r->c->ctx->env).us + YG_EXPORT_KEEP_S * YG_US_PER_S);
	yg_jo_end(&j, '}');
	return YG_OK;
}

static const struct kind {
	const char *name;
	yg_status (*run)(struct run *r, struct yg_err *err);
} kinds[] = {
	{YG_LIST_JOB, job_import},     {"indicators.compile", compile}, {"alert.bulk", job_bulk},
	{"backup.create", job_backup}, {YG_EXPORT_KIND, job_export},    {"org.purge", job_purge},
	{"demo.remove", job_demo},     {"demo.load", job_demo_load},    {"alert.undo", job_undo},
	{YG_TRY_KIND, center_job_try}, {YG_HUNT_KIND, center_job_hunt},
};

static yg_status dispatch(struct run *r, struct yg_err *err)
{
	for (size_t i = 0; i < YG_LEN(kinds); i++) {
		if (yg_sv_eq(r->job.kind, yg_sv_of(kinds[i].name)))
			return kinds[i].run(r, err);
	}
	return YG_FAIL(err, YG_INVAL, "this program does not know jobs of that kind");
}

static void run_job(struct center *c, struct yg_state *db, const struct yg_job *job,
		    struct yg_arena *arena)
{
	struct yg_err err = {0};
	struct run r = {.c = c, .job = *job, .arena = arena};
	r.act = yg_act_make(db, &c->ctx->env, job->actor);
	if (yg_job_start(&r.act, job->id, &err) != YG_OK)
		return; /* cancelled meanwhile */
	announce(&r, "running");
	yg_buf_init(&r.result, 8u << 20);
	yg_json_init(&r.params, 65536);
	if (job->params.n > 0)
		(void)yg_json_parse(&r.params, job->params, NULL);
	yg_status st = dispatch(&r, &err);
	enum yg_job_state end = st == YG_OK   ? YG_JOB_DONE
				: r.cancelled ? YG_JOB_CANCELLED
					      : YG_JOB_FAILED;
	if (st != YG_OK && !r.cancelled)
		yg_role_log(c->ctx, YG_EV_CENTER_JOB_FAILED, YG_KV("kind", job->kind),
			    YG_KV("job", job->id), YG_KERR(&err));
	if (!r.ended && r.errors > 0)
		st = yg_job_progress(&r.act, job->id, r.done, r.total, r.errors, YG_SV(""),
				     &r.cancelled, &err);
	st = !r.ended ? yg_job_end(&r.act, job->id, end, yg_sv_of(st != YG_OK ? err.msg : ""),
				   yg_buf_sv(&r.result), &err)
		      : YG_OK;
	if (st != YG_OK)
		yg_role_log(c->ctx, YG_EV_CENTER_JOB_FAILED, YG_KV("job", job->id), YG_KERR(&err));
	else if (YG_SV_IS(job->kind, YG_LIST_JOB)) /* not before: it is needed until the end */
		yg_list_body_drop(c->api.import_path, job->params, arena);
	announce(&r, end == YG_JOB_DONE ? "done" : "failed");
	yg_json_free(&r.params);
	yg_buf_free(&r.result);
}

/* Each lane runs one job at a time, beside the others: a long export or hunt keeps no
 * import waiting, and who tries a rule waits for nothing but other tries. */
enum lane { LANE_COMMON, LANE_EXPORTS, LANE_TRIES, LANE_HUNTS };

/* The oldest queued job of a lane; false when none waits. */
static bool next_job(struct yg_state *db, enum lane lane, struct yg_arena *arena,
		     struct yg_job *out)
{
	static const struct yg_sv own[] = {[LANE_EXPORTS] = YG_SV_INIT(YG_EXPORT_KIND),
					   [LANE_TRIES] = YG_SV_INIT(YG_TRY_KIND),
					   [LANE_HUNTS] = YG_SV_INIT(YG_HUNT_KIND)};
	bool common = lane == LANE_COMMON;
	return yg_job_next(db, common ? own + 1 : &own[lane], common ? YG_LEN(own) - 1 : 1, common,
			   arena, out, NULL) == YG_OK &&
	       out->id.n > 0;
}

static void run_queued(struct center *c, enum lane lane)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_err err = {0};
	struct yg_arena arena;
	struct yg_job job;
	if (yg_lease_state(&c->api, &l, &err) != YG_OK) {
		yg_role_log(c->ctx, YG_EV_CENTER_JOB_FAILED, YG_KERR(&err));
		return;
	}
	yg_arena_init(&arena, 256u << 20);
	while (!__atomic_load_n(&c->draining, __ATOMIC_ACQUIRE) &&
	       next_job(l.db, lane, &arena, &job)) {
		run_job(c, l.db, &job, &arena);
		yg_arena_reset(&arena);
	}
	yg_arena_free(&arena);
}

void center_jobs_run(struct center *c)
{
	run_queued(c, LANE_COMMON);
}

void center_exports_run(struct center *c)
{
	run_queued(c, LANE_EXPORTS);
}

void center_tries_run(struct center *c)
{
	run_queued(c, LANE_TRIES);
}

void center_hunts_run(struct center *c)
{
	run_queued(c, LANE_HUNTS);
}
