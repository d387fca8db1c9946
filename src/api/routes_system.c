/* Health, status, audit log, jobs, system events, the documents. */
#include "alert/alert.h"
#include "api/body.h"
#include "api/list_body.h"
#include "api/problem.h"
#include "api/routes.h"
#include "org/audit_log.h"
#include "org/file_import.h"
#include "org/job.h"
#include "org/organisation.h"
#include "org/system_event.h"
#include "store/backup.h"

static yg_status answer_file(struct yg_response *r, const char *name, const char *type)
{
	r->status = 200;
	r->type = type;
	yg_buf_put(&r->body, yg_file_get(name));
	return YG_OK;
}

yg_status yg_r_openapi_yaml(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	(void)api;
	(void)q;
	(void)err;
	return answer_file(r, "openapi.yaml", "application/yaml");
}

yg_status yg_r_openapi_json(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	(void)api;
	(void)q;
	(void)err;
	return answer_file(r, "openapi.json", "application/json");
}

yg_status yg_r_style(struct yg_api *api, struct yg_request *q, struct yg_response *r,
		     struct yg_err *err)
{
	(void)api;
	(void)q;
	(void)err;
	return answer_file(r, "style.css", "text/css; charset=utf-8");
}

yg_status yg_r_problems(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			struct yg_err *err)
{
	(void)api;
	(void)err;
	yg_problem_page(q, r);
	return YG_OK;
}

yg_status yg_r_livez(struct yg_api *api, struct yg_request *q, struct yg_response *r,
		     struct yg_err *err)
{
	(void)api;
	(void)q;
	(void)err;
	r->status = 200;
	r->type = "text/plain; charset=utf-8";
	yg_buf_put(&r->body, YG_SV("ok\n"));
	return YG_OK;
}

yg_status yg_r_readyz(struct yg_api *api, struct yg_request *q, struct yg_response *r,
		      struct yg_err *err)
{
	struct yg_part *parts = NULL;
	size_t n = 0, bad = 0;
	struct yg_sv verbose = yg_query(q, "verbose");
	bool all = verbose.p != NULL && !YG_SV_IS(verbose, "0");
	yg_status st = yg_api_parts(api, q->arena, &parts, &n, err);
	if (st != YG_OK)
		return st;
	for (size_t i = 0; i < n; i++) {
		bool down = parts[i].health == YG_HEALTH_DOWN;
		bad += down;
		if (!down && !all)
			continue;
		yg_buf_printf(&r->body, "%s: %s", parts[i].name, yg_health_name(parts[i].health));
		if (parts[i].text[0] != '\0' && (down || q->who.kind != YG_WHO_NOBODY))
			yg_buf_printf(&r->body, " (%s)", parts[i].text);
		yg_buf_putc(&r->body, '\n');
	}
	r->status = bad == 0 ? 200 : 503;
	r->type = "text/plain; charset=utf-8";
	if (bad == 0)
		yg_buf_put(&r->body, YG_SV("ok\n"));
	else
		r->retry_after_s = 5;
	return YG_OK;
}

/* Once all parts were there it stays so: what fails later is for the other two. */
yg_status yg_r_startupz(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			struct yg_err *err)
{
	struct yg_part *parts = NULL;
	size_t n = 0;
	bool up = __atomic_load_n(&api->up, __ATOMIC_RELAXED);
	yg_status st = up ? YG_OK : yg_api_parts(api, q->arena, &parts, &n, err);
	if (st != YG_OK)
		return st;
	for (size_t i = 0; i < n; i++) {
		if (parts[i].health == YG_HEALTH_DOWN)
			yg_buf_printf(&r->body, "%s: %s\n", parts[i].name,
				      yg_health_name(parts[i].health));
	}
	up = up || (n > 0 && r->body.n == 0);
	if (up)
		__atomic_store_n(&api->up, true, __ATOMIC_RELAXED);
	r->type = "text/plain; charset=utf-8";
	r->status = up ? 200 : 503;
	r->retry_after_s = up ? 0 : 1;
	yg_buf_put(&r->body, up ? YG_SV("ok\n") : YG_SV("starting\n"));
	return YG_OK;
}

/* What the stream may tell them: nothing that they could not read. */
static unsigned topics_for(const struct yg_who *w)
{
	unsigned out = w->reach.all ? YG_TOPIC_SYSTEM : 0u;
	if (yg_who_may(w, "alerts:read"))
		out |= YG_TOPIC_ALERTS;
	if (yg_who_may(w, "jobs:read"))
		out |= YG_TOPIC_JOBS;
	if (yg_who_may(w, "approvals:read"))
		out |= YG_TOPIC_APPROVALS;
	return out;
}

yg_status yg_r_stream(struct yg_api *api, struct yg_request *q, struct yg_response *r,
		      struct yg_err *err)
{
	unsigned topics;
	struct yg_sv asked = yg_query(q, "topics");
	(void)api;
	if (yg_stream_topics(asked, &topics, err) != YG_OK) {
		yg_request_error(q, "unknown_value", YG_SV("topics"),
				 "expected alerts, jobs, system or approvals, with commas");
		return YG_PARSE;
	}
	if (asked.p != NULL && !q->who.reach.all && (topics & YG_TOPIC_SYSTEM) != 0)
		return YG_FAIL(err, YG_DENIED,
			       "the topic system is not for tokens of one organisation");
	r->topics = topics & topics_for(&q->who);
	if (asked.p != NULL && r->topics != topics)
		return YG_FAIL(
			err, YG_DENIED,
			"news of alerts needs alerts:read, of jobs jobs:read, of approvals approvals:read");
	r->status = 200;
	r->type = "text/event-stream";
	r->stream = true;
	yg_response_header(r, "X-Accel-Buffering", YG_SV("no"));
	return YG_OK;
}

void yg_put_audit(struct yg_jo *j, const struct yg_audit_entry *e)
{
	char hex[2 * YG_AUDIT_HASH];
	struct yg_sb b = yg_sb_init(hex, sizeof hex);
	yg_sb_hex(&b, e->hash, sizeof e->hash);
	yg_jo_begin(j, '{');
	yg_jo_int(j, "seq", e->seq);
	yg_jo_time(j, "at", e->time.us);
	yg_jo_str(j, "actor", e->actor);
	yg_jo_str_or_null(j, "org", e->org);
	yg_jo_str(j, "action", e->action);
	yg_jo_str(j, "object", e->object);
	yg_jo_key(j, "detail");
	yg_jo_raw(j, e->detail.n > 0 ? e->detail : YG_SV("{}"));
	yg_jo_str(j, "hash", yg_sb_sv(&b));
	yg_jo_end(j, '}');
}

/* A number as the position of a cursor. */
static struct yg_sv number_position(char buf[static 24], int64_t v)
{
	struct yg_sb b = yg_sb_init(buf, 24);
	yg_sb_i64(&b, v);
	return yg_sb_sv(&b);
}

static void audit_words(struct yg_request *q, struct yg_audit_filter *f)
{
	const struct {
		const char *name;
		struct yg_sv *to;
	} texts[] = {{"object", &f->object}, {"actor", &f->actor}, {"action", &f->action}};
	for (size_t i = 0; i < YG_LEN(texts); i++) {
		struct yg_sv s = yg_query(q, texts[i].name);
		if (s.p != NULL)
			*texts[i].to = s;
	}
	yg_query_time(q, "from", 0, &f->from_us);
	yg_query_time(q, "to", 0, &f->to_us);
	if (f->to_us != 0 && f->from_us >= f->to_us && q->error_count == 0)
		yg_request_error(q, "out_of_range", YG_SV("from"), "from must be before to");
}

yg_status yg_r_audit_list(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			  struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_page page;
	struct yg_audit_filter f = {0};
	struct yg_audit_entry *list = NULL;
	size_t n = 0;
	yg_status st = yg_page_begin(api, q, &l, &page, &f.reach, err);
	if (st != YG_OK)
		return st;
	audit_words(q, &f);
	if (q->error_count > 0)
		return YG_PARSE;
	f.before = page.number;
	f.limit = page.limit;
	st = yg_audit_list(l.db, &f, q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer_list(r);
	for (size_t i = 0; i < n; i++)
		yg_put_audit(&j, &list[i]);
	char buf[24];
	struct yg_sv position = number_position(buf, n > 0 ? list[n - 1].seq : 0);
	return yg_answer_page(api, q, &j, n == page.limit ? &position : NULL, err);
}

yg_status yg_r_audit_verify(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"seq", YG_F_INT, YG_F_NEEDED, 0, INT64_MAX, NULL},
		{"hash", YG_F_TEXT, YG_F_NEEDED, 64, 64, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_audit_anchor anchor;
	struct yg_audit_report report;
	bool anchored = q->method == YG_HTTP_POST;
	yg_status st = YG_OK;
	if (anchored)
		st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK && anchored) {
		anchor.seq = v[0].number;
		st = yg_parse_hex(v[1].text, anchor.hash, sizeof anchor.hash, err);
		if (st != YG_OK)
			yg_request_error(q, "bad_text", YG_SV("/hash"), "expected 64 hex digits");
	}
	if (st == YG_OK)
		st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = yg_audit_verify(l.db, anchored ? &anchor : NULL, &report, err);
	if (st != YG_OK)
		return st;
	char hex[2 * YG_AUDIT_HASH];
	struct yg_sb h = yg_sb_init(hex, sizeof hex);
	yg_sb_hex(&h, report.head.hash, sizeof report.head.hash);
	struct yg_jo j = yg_answer(r, 200);
	yg_jo_begin(&j, '{');
	yg_jo_bool(&j, "ok", report.ok);
	yg_jo_int(&j, "entries", (int64_t)report.entries);
	if (report.first_bad != 0)
		yg_jo_int(&j, "first_bad", report.first_bad);
	else
		yg_jo_str_or_null(&j, "first_bad", YG_SV(""));
	yg_jo_int(&j, "head_seq", report.head.seq);
	yg_jo_str_or_null(&j, "head", report.head.seq > 0 ? yg_sb_sv(&h) : YG_SV(""));
	yg_jo_str(&j, "text", yg_sv_of(report.text));
	yg_jo_end(&j, '}');
	return YG_OK;
}

#define JOB_STATE_WORDS "queued running done failed cancelled interrupted"

static yg_status read_job_filter(struct yg_request *q, struct yg_job_filter *f, struct yg_err *err)
{
	struct yg_sv state = yg_query(q, "state"), kind = yg_query(q, "kind");
	if (kind.p != NULL)
		f->kind = kind;
	if (state.p == NULL)
		return YG_OK;
	if (!yg_words_have(JOB_STATE_WORDS, state)) {
		yg_request_error(q, "unknown_value", YG_SV("state"),
				 "expected one of: " JOB_STATE_WORDS);
		return YG_FAIL(err, YG_PARSE, "a parameter is wrong");
	}
	f->state = state;
	return YG_OK;
}

yg_status yg_r_jobs_list(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			 struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_page page;
	struct yg_job *list = NULL;
	size_t n = 0;
	bool named = yg_query(q, "org").n > 0; /* then not one's own elsewhere */
	struct yg_job_filter f = {.actor = yg_sv_of(named ? "" : q->who.actor)};
	yg_status st = yg_page_begin(api, q, &l, &page, &f.reach, err);
	if (st == YG_OK)
		st = read_job_filter(q, &f, err);
	if (st != YG_OK)
		return st;
	f.before = page.after;
	f.limit = page.limit;
	st = yg_job_list(l.db, &f, q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer_list(r);
	for (size_t i = 0; i < n; i++)
		yg_put_job(&j, q, &list[i]);
	return yg_answer_page(api, q, &j, n == page.limit ? &list[n - 1].id : NULL, err);
}

static yg_status find_job(struct yg_request *q, struct yg_state *db, struct yg_job *out,
			  struct yg_err *err)
{
	yg_status st = yg_job_get(db, yg_param(q, "id"), q->arena, out, err);
	bool own = st == YG_OK && yg_sv_eq(out->actor, yg_sv_of(q->who.actor));
	return st == YG_OK && !own ? yg_scope_object(q, out->org, false, err) : st;
}

yg_status yg_r_job_get(struct yg_api *api, struct yg_request *q, struct yg_response *r,
		       struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_job job;
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = find_job(q, l.db, &job, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 200);
	yg_put_job(&j, q, &job);
	return YG_OK;
}

yg_status yg_r_job_cancel(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			  struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_job job;
	yg_status st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = find_job(q, l.db, &job, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_job_cancel(&act, job.id, err);
	if (st == YG_OK && YG_SV_IS(job.kind, YG_IMPORT_KIND)) /* nobody else would end it */
		st = yg_job_end(&act, job.id, YG_JOB_CANCELLED, YG_SV(""), YG_SV(""), err);
	if (st == YG_OK)
		st = find_job(q, l.db, &job, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 202);
	yg_put_job(&j, q, &job);
	st = yg_lease_commit(&l, q, r, YG_OK, err);
	if (st != YG_OK || q->dry_run)
		return st;
	/* one that ran drops its file itself */
	if (job.state == YG_JOB_CANCELLED && YG_SV_IS(job.kind, YG_LIST_JOB))
		yg_list_body_drop(api->import_path, job.params, q->arena);
	yg_announce(api, YG_TOPIC_JOBS, job.org, YG_SV(""), job.id, "cancelled");
	return YG_OK;
}

/* What a job changed is put back by a job of its own. */
yg_status yg_r_job_undo(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_job job;
	char params[80];
	struct yg_sb b = yg_sb_init(params, sizeof params);
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = find_job(q, l.db, &job, err);
	if (st != YG_OK)
		return st;
	if (!YG_SV_IS(job.kind, "alert.bulk"))
		return YG_FAIL(err, YG_CONFLICT, "a job of this kind cannot be undone");
	if (job.finished.us == 0)
		return YG_FAIL(err, YG_CONFLICT, "the job has not ended: cancel it first");
	if (q->now.us >= job.finished.us + YG_ALERT_UNDO_S * YG_US_PER_S)
		return YG_FAIL(err, YG_CONFLICT, "a job can be undone for seven days");
	if (job.undo_left == 0)
		return YG_FAIL(err, YG_CONFLICT, "nothing of the job is left to undo");
	yg_sb_put(&b, YG_SV("{\"job\":\""));
	yg_sb_put(&b, job.id);
	yg_sb_put(&b, YG_SV("\"}"));
	return yg_answer_new_job(api, q, r, &l, YG_SV("alert.undo"), job.org, yg_sb_sv(&b), err);
}

yg_status yg_answer_job(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			struct yg_lease *l, struct yg_sv id, struct yg_err *err)
{
	struct yg_job job;
	yg_status st = yg_job_get(l->db, id, q->arena, &job, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 202);
	yg_put_job(&j, q, &job);
	yg_answer_location(q, r, "/api/v1/jobs", job.id);
	st = yg_lease_commit(l, q, r, YG_OK, err);
	if (st != YG_OK || q->dry_run)
		return st;
	yg_announce(api, YG_TOPIC_JOBS, job.org, YG_SV(""), job.id, "queued");
	if (api->hooks.job_added != NULL)
		api->hooks.job_added(api->hooks.ctx);
	return YG_OK;
}

static struct yg_sv asked_for(const struct yg_request *q, const char *name)
{
	struct yg_sv s = yg_query(q, name);
	return s.p != NULL ? s : YG_SV("");
}

yg_status yg_r_system_events(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			     struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_page page;
	struct yg_system_event *list = NULL;
	size_t n = 0;
	char buf[24];
	yg_status st = yg_page_begin(api, q, &l, &page, NULL, err);
	if (st != YG_OK)
		return st;
	struct yg_system_event_filter f = {.name = asked_for(q, "name"),
					   .level = asked_for(q, "level"),
					   .role = asked_for(q, "role"),
					   .before = page.number,
					   .limit = page.limit};
	st = yg_system_event_list(l.db, &f, q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer_list(r);
	for (size_t i = 0; i < n; i++) {
		yg_jo_begin(&j, '{');
		yg_jo_str(&j, "id", number_position(buf, list[i].id));
		yg_jo_time(&j, "time", list[i].time.us);
		yg_jo_str(&j, "level", list[i].level);
		yg_jo_str(&j, "role", list[i].role);
		yg_jo_str(&j, "name", list[i].name);
		yg_jo_key(&j, "fields");
		yg_jo_raw(&j, list[i].fields.n > 0 ? list[i].fields : YG_SV("{}"));
		yg_jo_end(&j, '}');
	}
	struct yg_sv position = number_position(buf, n > 0 ? list[n - 1].id : 0);
	return yg_answer_page(api, q, &j, n == page.limit ? &position : NULL, err);
}

yg_status yg_r_demo_get(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_sv *names = NULL;
	size_t n = 0;
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = yg_org_demo(l.db, q->arena, &names, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 200);
	yg_jo_begin(&j, '{');
	yg_jo_bool(&j, "present", n > 0);
	yg_jo_key(&j, "organisations");
	yg_jo_begin(&j, '[');
	for (size_t i = 0; i < n; i++)
		yg_jo_text(&j, names[i]);
	yg_jo_end(&j, ']');
	yg_jo_end(&j, '}');
	return YG_OK;
}

yg_status yg_r_demo_load(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			 struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {{"records", YG_F_INT, 0, 1, 1000000, NULL}};
	struct yg_value v[YG_LEN(fields)];
	yg_status st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK)
		st = yg_lease_state(api, &l, err);
	if (st != YG_OK)
		return st;
	return yg_answer_new_job(api, q, r, &l, YG_SV("demo.load"), YG_SV(""), q->body, err);
}

yg_status yg_r_demo_remove(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	yg_status st = yg_lease_state(api, &l, err);
	if (st != YG_OK)
		return st;
	return yg_answer_new_job(api, q, r, &l, YG_SV("demo.remove"), YG_SV(""), YG_SV(""), err);
}

yg_status yg_r_backups_list(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	struct yg_page page;
	struct yg_backup *list = NULL;
	size_t n = 0, shown = 0;
	yg_status st = yg_page_read(q, api->cursor_key, &page, err);
	if (st == YG_OK)
		st = yg_backup_list(api->backup_path, q->arena, &list, &n, err);
	if (st == YG_NOTFOUND)
		n = 0; /* none was ever made */
	else if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 200);
	struct yg_sv last = YG_SV("");
	yg_answer_items(&j);
	for (size_t i = 0; i < n && shown < page.limit; i++) {
		struct yg_sv name = yg_sv_of(list[i].name);
		if (page.after.n > 0 && yg_sv_cmp(name, page.after) >= 0)
			continue; /* newest first: names fall */
		yg_jo_begin(&j, '{');
		yg_jo_str(&j, "name", name);
		yg_jo_int(&j, "bytes", (int64_t)list[i].bytes);
		yg_jo_int(&j, "event_rows", (int64_t)list[i].event_rows);
		yg_jo_bool(&j, "with_events", list[i].with_events);
		yg_jo_bool(&j, "with_keys", list[i].with_keys);
		yg_jo_str(&j, "audit_head", yg_sv_of(list[i].audit_head));
		yg_jo_time(&j, "created_at", list[i].created.us);
		yg_jo_end(&j, '}');
		last = name;
		shown++;
	}
	return yg_answer_page(api, q, &j, shown == page.limit ? &last : NULL, err);
}

yg_status yg_r_backups_add(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	yg_status st = yg_lease_state(api, &l, err);
	if (st != YG_OK)
		return st;
	return yg_answer_new_job(api, q, r, &l, YG_SV("backup.create"), YG_SV(""), YG_SV(""), err);
}
