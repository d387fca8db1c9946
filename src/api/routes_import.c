/* Log files through the browser: what are they, then part after part to the workers. */
#include "api/routes.h"
#include "api/text.h"
#include "event/guess.h"
#include "event/mapping.h"
#include "format/evtx.h"
#include "org/file_import.h"
#include "org/job.h"

#define PREVIEW_MAX   50 /* records shown */
#define PREVIEW_FIRST 20 /* of them whatever comes first; then those that nobody can read */
#define MAPPING_MAX   16384
#define SOURCES_TOLD                                                                               \
	"expected suricata, zeek, syslog, cloudtrail, windows, ocsf, dnstap, evtx or ndjson:MAPPING"

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

/* The line of the sample that a record begins in, counted on from the last one. */
struct lines {
	struct yg_sv sample;
	size_t at;
	int64_t line;
};

static int64_t line_of(struct lines *l, struct yg_sv record)
{
	uintptr_t from = (uintptr_t)l->sample.p, to = (uintptr_t)record.p;
	if (record.n == 0 || to < from + l->at || to >= from + l->sample.n)
		return l->line;
	for (; l->at < to - from; l->at++)
		l->line += l->sample.p[l->at] == '\n';
	return l->line;
}

static void put_record(struct yg_jo *j, const struct yg_request *q, const struct yg_event *ev,
		       int64_t line)
{
	yg_jo_begin(j, '{');
	yg_jo_int(j, "line", line);
	yg_jo_bool(j, "ok", ev->parse_error.n == 0);
	yg_jo_str_or_null(j, "error", yg_text(q, ev->parse_error));
	yg_jo_key(j, "event");
	yg_put_event(j, ev, false);
	yg_jo_end(j, '}');
}

static yg_status put_preview(struct yg_jo *j, const struct yg_request *q, struct yg_norm *n,
			     struct yg_sv sample)
{
	struct yg_event ev;
	struct lines lines = {sample, 0, 1};
	unsigned shown = 0;
	if (n != NULL)
		yg_norm_begin(n, sample, q->now, false);
	yg_jo_key(j, "preview");
	yg_jo_begin(j, '[');
	while (n != NULL && shown < PREVIEW_MAX && yg_norm_next(n, &ev)) {
		int64_t line = yg_evtx_is_file(sample) ? (int64_t)yg_norm_records(n)
						       : line_of(&lines, yg_norm_record(n));
		if (shown >= PREVIEW_FIRST && ev.parse_error.n == 0)
			continue;
		put_record(j, q, &ev, line);
		shown++;
	}
	while (n != NULL && yg_norm_next(n, &ev))
		continue;
	yg_jo_end(j, ']');
	yg_jo_int(j, "records", n != NULL ? (int64_t)yg_norm_records(n) : 0);
	yg_jo_int(j, "unparsed", n != NULL ? (int64_t)yg_norm_unparsed(n) : 0);
	return YG_OK;
}

/* ndjson: the mapping stands before the records, on a line of its own. */
static yg_status take_mapping(struct yg_request *q, struct yg_sv text, const char *pointer,
			      struct yg_mapping **out, struct yg_err *err)
{
	yg_status st = yg_mapping_read(text, "mapping", out, err);
	if (st != YG_PARSE && st != YG_TOOBIG)
		return st;
	yg_request_error(q, "bad_mapping", yg_sv_of(pointer), "%s", err->msg);
	return YG_FAIL(err, YG_PARSE, "a parameter is wrong");
}

static yg_status read_source(struct yg_request *q, struct yg_sv text, const char *pointer,
			     enum yg_source *out, struct yg_err *err)
{
	struct yg_sv mapping = {"", 0};
	yg_status st = yg_source_parse(text, out, &mapping, NULL);
	bool own = st == YG_OK && *out == YG_SOURCE_NDJSON;
	for (size_t i = 0; own && i < mapping.n; i++) {
		char c = mapping.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
			own = false;
	}
	if (st == YG_OK && (*out != YG_SOURCE_NDJSON || (own && mapping.n > 0 && mapping.n <= 32)))
		return YG_OK;
	yg_request_error(q, "unknown_value", yg_sv_of(pointer), SOURCES_TOLD);
	return YG_FAIL(err, YG_PARSE, "a parameter is wrong");
}

yg_status yg_r_import_guess(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	struct yg_guess g[YG_SOURCE_COUNT];
	struct yg_sv source = yg_query(q, "source"), sample = q->body;
	enum yg_source chosen = YG_SOURCE_NONE;
	struct yg_mapping *mapping = NULL;
	struct yg_norm *norm = NULL;
	size_t n = 0;
	yg_status st = YG_OK;
	(void)api;
	if (source.p != NULL)
		st = read_source(q, source, "source", &chosen, err);
	if (st == YG_OK && chosen == YG_SOURCE_NDJSON) {
		size_t end = yg_sv_find(sample, '\n', 0);
		st = take_mapping(q, yg_sv_sub(sample, 0, end), "mapping", &mapping, err);
		sample = yg_sv_sub(sample, YG_MIN(end + 1, sample.n), sample.n);
	}
	if (st == YG_OK)
		st = yg_source_guess(sample, q->now, g, &n, err);
	if (st == YG_OK && chosen == YG_SOURCE_NONE && n > 0)
		chosen = g[0].source;
	if (st == YG_OK && chosen != YG_SOURCE_NONE)
		st = yg_norm_new(chosen, mapping, &norm, err);
	if (st == YG_OK) {
		struct yg_jo j = yg_answer(r, 200);
		yg_jo_begin(&j, '{');
		put_guesses(&j, g, n);
		st = put_preview(&j, q, norm, yg_guess_whole(sample));
		yg_jo_end(&j, '}');
	}
	yg_norm_free(norm);
	yg_mapping_free(mapping);
	return st;
}

static const struct yg_field fields[] = {
	{"org", YG_F_TEXT, YG_F_NEEDED, 1, 63, NULL},
	{"source", YG_F_TEXT, YG_F_NEEDED, 1, 128, NULL},
	{"name", YG_F_TEXT, YG_F_NEEDED, 1, 128, NULL},
	{"bytes", YG_F_INT, YG_F_NEEDED, 0, INT64_MAX, NULL},
	{"mapping", YG_F_TEXT, 0, 2, MAPPING_MAX, NULL},
};
#define FIELDS YG_LEN(fields)

/* Of what POST /imports says: which source, and the mapping that ndjson needs. */
static yg_status check_source(struct yg_request *q, const struct yg_value v[static FIELDS],
			      struct yg_err *err)
{
	enum yg_source source;
	struct yg_mapping *mapping = NULL;
	yg_status st = read_source(q, v[1].text, "/source", &source, err);
	if (st == YG_OK && v[4].given != (source == YG_SOURCE_NDJSON)) {
		yg_request_error(q, v[4].given ? "unknown_member" : "missing", YG_SV("/mapping"),
				 "ndjson takes a mapping, and nothing else does");
		return YG_FAIL(err, YG_PARSE, "the body has errors");
	}
	if (st == YG_OK && v[4].given)
		st = take_mapping(q, v[4].text, "/mapping", &mapping, err);
	yg_mapping_free(mapping);
	return st;
}

yg_status yg_r_import_add(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			  struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	struct yg_value v[FIELDS];
	struct yg_sv org;
	struct yg_id id;
	bool cancel;
	yg_status st = yg_body_read(&b, q, fields, FIELDS, v, err);
	if (st == YG_OK)
		st = check_source(q, v, err);
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
	if (st == YG_OK) /* the right to it may have ended since it began */
		st = yg_scope_object(q, job->org, false, err);
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

/* ndjson: every part begins with the mapping on one line, which its name says with an @. */
static yg_status own_mapping(struct yg_request *q, struct yg_submit *s, struct yg_sv text,
			     struct yg_sv *out_header, struct yg_err *err)
{
	char *name = yg_arena_alloc(q->arena, s->mapping.n + 1, 1);
	char *line = yg_arena_alloc(q->arena, text.n + 1, 1);
	if (name == NULL || line == NULL)
		return YG_FAIL(err, YG_NOMEM, "the request is too large");
	name[0] = '@';
	memcpy(name + 1, s->mapping.p, s->mapping.n);
	for (size_t i = 0; i < text.n; i++) /* a line break stands only between JSON's tokens */
		line[i] = text.p[i] == '\n' || text.p[i] == '\r' ? ' ' : text.p[i];
	line[text.n] = '\n';
	s->mapping = (struct yg_sv){name, s->mapping.n + 1};
	*out_header = (struct yg_sv){line, text.n + 1};
	return YG_OK;
}

/* What the worker gets: a part of a Zeek file begins with the header of the first. */
static yg_status part_bytes(struct yg_request *q, struct yg_submit *s, struct yg_sv header,
			    struct yg_err *err)
{
	bool has = s->source == YG_SOURCE_ZEEK && q->body.n > 0 && q->body.p[0] == '#';
	s->bytes = q->body;
	if (header.n == 0 || has)
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
	if (!zeek)
		header = YG_SV("");
	if (s.source == YG_SOURCE_NDJSON)
		st = own_mapping(q, &s, v[4].text, &header, err);
	if (st == YG_OK && !known && q->body.n > 0) {
		st = part_bytes(q, &s, header, err);
		if (st == YG_OK)
			st = submit(api, q, r, &s, err);
	}
	return st == YG_OK ? note_part(api, q, r, &job, (int64_t)n, own, err) : st;
}

/* With what finds its events: the source and the sensor that they have. */
static void put_result(struct yg_buf *b, const struct yg_value v[static FIELDS], int64_t parts,
		       int64_t bytes)
{
	yg_buf_init(b, 4096);
	struct yg_jo j = yg_jo_init(b);
	yg_jo_begin(&j, '{');
	yg_jo_str(&j, "source", v[1].text);
	yg_jo_str(&j, "sensor", v[2].text);
	yg_jo_int(&j, "parts", parts);
	yg_jo_int(&j, "bytes", bytes);
	yg_jo_end(&j, '}');
}

yg_status yg_r_import_finish(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			     struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_buf_free) struct yg_buf result = {0};
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
	put_result(&result, v, parts, bytes);
	st = yg_job_end(&act, job.id, YG_JOB_DONE, YG_SV(""), yg_buf_sv(&result), err);
	if (st == YG_OK)
		st = yg_part_forget(l.db, job.id, err);
	if (st == YG_OK)
		st = yg_job_get(l.db, job.id, q->arena, &job, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 200);
	yg_put_job(&j, q, &job);
	st = yg_lease_commit(&l, q, r, YG_OK, err);
	if (st == YG_OK)
		yg_announce(api, YG_TOPIC_JOBS, job.org, YG_SV(""), job.id, "done");
	return st;
}
