/* Log files through the browser: what are they, then part after part to the workers. */
#include "api/routes.h"
#include "event/guess.h"
#include "org/file_import.h"
#include "org/job.h"

#define PREVIEW_MAX 50

static void put_guesses(struct yg_jo *j, const struct yg_guess *g, size_t n)
{
	yg_jo_str_or_null(j, "source", n > 0 ? yg_sv_of(yg_source_name(g[0].source)) : YG_SV(""));
	yg_jo_int(j, "confidence", n > 0 ? (int64_t)g[0].score : 0);
	yg_jo_key(j, "candidates");
	yg_jo_begin(j, '[');
	for (size_t i = 0; i < n; i++) {
		yg_jo_begin(j, '{');
		yg_jo_str(j, "source", yg_sv_of(yg_source_name(g[i].source)));
		yg_jo_int(j, "confidence", g[i].score);
		yg_jo_int(j, "records", (int64_t)g[i].records);
		yg_jo_int(j, "unparsed", (int64_t)g[i].unparsed);
		yg_jo_end(j, '}');
	}
	yg_jo_end(j, ']');
}

static yg_status put_preview(struct yg_jo *j, enum yg_source source, struct yg_sv sample,
			     yg_wall now, struct yg_err *err)
{
	struct yg_norm *n = NULL;
	struct yg_event ev;
	int64_t line = 0;
	yg_status st = source != YG_SOURCE_NONE ? yg_norm_new(source, NULL, &n, err) : YG_OK;
	yg_jo_key(j, "preview");
	yg_jo_begin(j, '[');
	if (n != NULL)
		yg_norm_begin(n, sample, now, false);
	while (n != NULL && line < PREVIEW_MAX && yg_norm_next(n, &ev)) {
		yg_jo_begin(j, '{');
		yg_jo_int(j, "line", ++line);
		yg_jo_bool(j, "ok", ev.parse_error.n == 0);
		yg_jo_str_or_null(j, "error", ev.parse_error);
		yg_jo_key(j, "event");
		yg_put_event(j, &ev, false);
		yg_jo_end(j, '}');
	}
	yg_jo_end(j, ']');
	yg_norm_free(n);
	return st;
}

yg_status yg_r_import_guess(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	struct yg_guess g[YG_SOURCE_COUNT];
	struct yg_sv source = yg_query(q, "source"), mapping;
	enum yg_source chosen = YG_SOURCE_NONE;
	size_t n = 0;
	(void)api;
	if (source.p != NULL && (yg_source_parse(source, &chosen, &mapping, NULL) != YG_OK ||
				 chosen == YG_SOURCE_NDJSON)) {
		yg_request_error(q, "unknown_value", YG_SV("source"),
				 "expected suricata, zeek, syslog, cloudtrail, windows or ocsf");
		return YG_FAIL(err, YG_PARSE, "a parameter is wrong");
	}
	yg_status st = yg_source_guess(q->body, q->now, g, &n, err);
	if (st != YG_OK)
		return st;
	if (chosen == YG_SOURCE_NONE && n > 0)
		chosen = g[0].source;
	struct yg_jo j = yg_answer(r, 200);
	yg_jo_begin(&j, '{');
	put_guesses(&j, g, n);
	st = put_preview(&j, chosen, yg_guess_whole(q->body), q->now, err);
	yg_jo_end(&j, '}');
	return st;
}

static const struct yg_field fields[] = {
	{"org", YG_F_TEXT, YG_F_NEEDED, 1, 63, NULL},
	{"source", YG_F_TEXT, YG_F_NEEDED, 1, 128, NULL},
	{"name", YG_F_TEXT, YG_F_NEEDED, 1, 128, NULL},
	{"bytes", YG_F_INT, YG_F_NEEDED, 0, INT64_MAX, NULL},
};
#define FIELDS YG_LEN(fields)

yg_status yg_r_import_add(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			  struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	struct yg_value v[FIELDS];
	enum yg_source source;
	struct yg_sv org, mapping;
	struct yg_id id;
	bool cancel;
	yg_status st = yg_body_read(&b, q, fields, FIELDS, v, err);
	if (st == YG_OK && (yg_source_parse(v[1].text, &source, &mapping, NULL) != YG_OK ||
			    source == YG_SOURCE_NDJSON)) {
		yg_request_error(q, "unknown_value", YG_SV("/source"),
				 "expected suricata, zeek, syslog, cloudtrail, windows or ocsf");
		st = YG_FAIL(err, YG_PARSE, "the body has errors");
	}
	if (st == YG_OK)
		st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = yg_scope_body_org(q, l.db, true, v[0].text, &org, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_job_add(&act, YG_SV(YG_IMPORT_KIND), org, q->body, &id, err);
	if (st == YG_OK) /* it runs at once: the parts are its work */
		st = yg_job_start(&act, yg_id_sv(&id), err);
	if (st == YG_OK)
		st = yg_job_progress(&act, yg_id_sv(&id), 0, v[3].number, 0, YG_SV(""), &cancel,
				     err);
	return st == YG_OK ? yg_answer_job(api, q, r, &l, yg_id_sv(&id), err) : st;
}

/* One's own import that still runs, and what its params say. */
static yg_status find(struct yg_request *q, struct yg_state *db, struct yg_job *job,
		      struct yg_value v[static FIELDS], struct yg_err *err)
{
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	struct yg_request *params = YG_NEW(q->arena, struct yg_request);
	yg_status st = yg_job_get(db, yg_param(q, "id"), q->arena, job, err);
	if (st == YG_OK &&
	    (!YG_SV_IS(job->kind, YG_IMPORT_KIND) || !yg_sv_eq(job->actor, yg_sv_of(q->who.actor))))
		st = YG_FAIL(err, YG_NOTFOUND, "no such object");
	if (st == YG_OK && (job->state != YG_JOB_RUNNING || job->cancel))
		st = YG_FAIL(err, YG_CONFLICT, "the import is %s",
			     job->cancel ? "cancelled" : yg_job_state_name(job->state));
	if (st == YG_OK && params == NULL)
		st = YG_FAIL(err, YG_NOMEM, "the request is too large");
	if (st != YG_OK)
		return st;
	params->arena = q->arena;
	params->body = job->params;
	return yg_body_read(&b, params, fields, FIELDS, v, err);
}

/* The lines with # that a Zeek file begins with. */
static struct yg_sv zeek_header(struct yg_sv body)
{
	size_t at = 0;
	while (at < body.n && body.p[at] == '#')
		at = YG_MIN(yg_sv_find(body, '\n', at) + 1, body.n);
	return yg_sv_sub(body, 0, at <= YG_IMPORT_HEADER ? at : 0);
}

/* What the worker gets: a part of a Zeek file begins with the header of the first. */
static yg_status part_bytes(struct yg_request *q, struct yg_submit *s, struct yg_sv header,
			    struct yg_err *err)
{
	s->bytes = q->body;
	if (header.n == 0 || (q->body.n > 0 && q->body.p[0] == '#'))
		return YG_OK;
	char *p = yg_arena_alloc(q->arena, header.n + q->body.n, 1);
	if (p == NULL)
		return YG_FAIL(err, YG_NOMEM, "the request is too large");
	memcpy(p, header.p, header.n);
	memcpy(p + header.n, q->body.p, q->body.n);
	s->bytes = (struct yg_sv){p, header.n + q->body.n};
	return YG_OK;
}

static yg_status submit(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			struct yg_submit *s, struct yg_err *err)
{
	struct yg_submitted done = {0};
	s->worker = yg_choose_worker(api, s);
	s->received = q->now;
	yg_status st = api->hooks.submit(api->hooks.ctx, s, q->arena, &done, err);
	if (st != YG_OK || done.status == YG_OK)
		return st;
	r->retry_after_s = (uint32_t)YG_MIN(YG_MAX(done.retry_after_ms, 0) / 1000, 3600);
	return YG_FAIL(err, (unsigned)done.status < YG_STATUS_COUNT ? done.status : YG_INTERNAL,
		       YG_SV_FMT, YG_SV_ARG(done.message));
}

static yg_status note_part(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   const struct yg_job *job, int64_t n, struct yg_sv header,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	int64_t parts = 0, bytes = 0;
	bool cancel = false;
	yg_status st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = yg_part_add(l.db, job->id, n, (int64_t)q->body.n, header, err);
	if (st == YG_OK)
		st = yg_part_sum(l.db, job->id, &parts, &bytes, err);
	struct yg_act act = yg_request_act(q, api, l.db);
	if (st == YG_OK)
		st = yg_job_progress(&act, job->id, bytes, YG_MAX(job->total, bytes), 0, YG_SV(""),
				     &cancel, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 200);
	yg_jo_begin(&j, '{');
	yg_jo_int(&j, "part", n);
	yg_jo_int(&j, "parts", parts);
	yg_jo_int(&j, "done", bytes);
	yg_jo_end(&j, '}');
	st = yg_lease_commit(&l, q, r, YG_OK, err);
	if (st == YG_OK)
		yg_announce(api, YG_TOPIC_JOBS, job->org, YG_SV(""), job->id, "progress");
	return st;
}

yg_status yg_r_import_part(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	char batch[YG_BATCH_ID_MAX];
	struct yg_sb b = yg_sb_init(batch, sizeof batch);
	struct yg_value v[FIELDS];
	struct yg_submit s = {0};
	struct yg_sv header;
	struct yg_job job;
	uint64_t n = 0;
	bool known = false;
	if (yg_parse_u64(yg_param(q, "n"), &n, NULL) != YG_OK || n >= YG_IMPORT_PARTS)
		return YG_FAIL(err, YG_NOTFOUND, "no such part");
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = find(q, l.db, &job, v, err);
	if (st == YG_OK)
		st = yg_part_known(l.db, job.id, (int64_t)n, q->arena, &known, &header, err);
	yg_lease_end(&l);
	l = (struct yg_lease){0};
	if (st != YG_OK)
		return st;
	(void)yg_source_parse(v[1].text, &s.source, &s.mapping, NULL);
	bool zeek = s.source == YG_SOURCE_ZEEK;
	struct yg_sv own = zeek && n == 0 ? zeek_header(q->body) : YG_SV("");
	yg_sb_put(&b, job.id);
	yg_sb_printf(&b, "-%llu", (unsigned long long)n);
	s.org = job.org;
	s.sensor = v[2].text;
	s.batch = yg_sb_sv(&b);
	if (!known && q->body.n > 0) {
		st = part_bytes(q, &s, zeek ? header : YG_SV(""), err);
		if (st == YG_OK)
			st = submit(api, q, r, &s, err);
	}
	return st == YG_OK ? note_part(api, q, r, &job, (int64_t)n, own, err) : st;
}

yg_status yg_r_import_finish(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			     struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	char text[96];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	struct yg_value v[FIELDS];
	struct yg_job job;
	int64_t parts = 0, bytes = 0;
	yg_status st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = find(q, l.db, &job, v, err);
	if (st == YG_OK)
		st = yg_part_sum(l.db, job.id, &parts, &bytes, err);
	if (st == YG_OK && bytes != v[3].number)
		st = YG_FAIL(err, YG_CONFLICT, "%lld of %lld bytes have come", (long long)bytes,
			     (long long)v[3].number);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	yg_sb_printf(&b, "{\"parts\":%lld,\"bytes\":%lld}", (long long)parts, (long long)bytes);
	st = yg_job_end(&act, job.id, YG_JOB_DONE, YG_SV(""), yg_sb_sv(&b), err);
	if (st == YG_OK)
		st = yg_part_forget(l.db, job.id, err);
	if (st == YG_OK)
		st = yg_job_get(l.db, job.id, q->arena, &job, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 200);
	yg_put_job(&j, &job);
	st = yg_lease_commit(&l, q, r, YG_OK, err);
	if (st == YG_OK)
		yg_announce(api, YG_TOPIC_JOBS, job.org, YG_SV(""), job.id, "done");
	return st;
}
