/* Exports: ordered here, made by a job, fetched here for a day. */
#include <fcntl.h>
#include <sys/stat.h>

#include "api/export.h"
#include "org/job.h"
#include "os/file.h"

/* The list is asked once, so that what is wrong with the filter is said at once. */
static yg_status try_out(struct yg_api *api, struct yg_request *q, const struct yg_export *e,
			 struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_request *ask = YG_NEW(q->arena, struct yg_request);
	struct yg_response answer = {0};
	if (ask == NULL)
		return YG_FAIL(err, YG_NOMEM, "the request is too large");
	*ask = *q;
	ask->route = e->route;
	ask->method = YG_HTTP_GET;
	ask->body = YG_SV("");
	yg_export_put_query(e, ask);
	ask->query[ask->query_count++] = (struct yg_http_pair){YG_SV("limit"), YG_SV("1")};
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = yg_who_reach(&q->who, l.db, e->route->scope, q->arena, &ask->who.reach, err);
	yg_lease_end(&l);
	l = (struct yg_lease){0};
	if (st == YG_OK && (e->route->flags & YG_RT_CENTRAL) != 0 && !ask->who.reach.all)
		st = YG_FAIL(err, YG_DENIED, "this is not for one organisation's rights");
	if (st != YG_OK)
		return st;
	yg_buf_init(&answer.body, YG_SERVER_ANSWER_BYTES);
	st = e->route->handler(api, ask, &answer, err);
	yg_buf_free(&answer.body);
	for (size_t i = 0; i < ask->error_count; i++)
		yg_request_error(q, ask->errors[i].code, ask->errors[i].pointer, YG_SV_FMT,
				 YG_SV_ARG(ask->errors[i].message));
	return st;
}

/* The order as it is kept: the job knows nothing of who reads but what stands there. */
static yg_status kept(struct yg_request *q, const struct yg_export *e, struct yg_sv *out,
		      struct yg_err *err)
{
	static const char begin[] = "{\"lang\":\"ja\",";
	*out = q->body;
	size_t at = yg_sv_find(q->body, '{', 0) + 1;
	if (!e->japanese || e->told_language || at > q->body.n)
		return YG_OK;
	char *p = yg_arena_alloc(q->arena, sizeof begin + q->body.n, 1);
	if (p == NULL)
		return YG_FAIL(err, YG_NOMEM, "the request is too large");
	memcpy(p, begin, sizeof begin - 1);
	memcpy(p + sizeof begin - 1, q->body.p + at, q->body.n - at);
	*out = (struct yg_sv){p, sizeof begin - 1 + q->body.n - at};
	return YG_OK;
}

yg_status yg_r_export_add(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			  struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_export e;
	struct yg_sv params = {NULL, 0};
	yg_status st = yg_export_read(q, &e, err);
	/* without a scope: of oneself, and the route looks who that is */
	if (st == YG_OK && e.route->scope != NULL && !yg_who_may(&q->who, e.route->scope))
		st = YG_FAIL(err, YG_DENIED, "this needs %s", e.route->scope);
	if (st == YG_OK)
		st = try_out(api, q, &e, err);
	if (st == YG_OK)
		st = kept(q, &e, &params, err);
	if (st == YG_OK)
		st = yg_lease_state(api, &l, err);
	return st == YG_OK ? yg_answer_new_job(api, q, r, &l, YG_SV(YG_EXPORT_KIND), q->who.root,
					       params, err)
			   : st;
}

/* "yagura-alerts-shiokaze-20261122T054000Z.csv" */
static struct yg_sv disposition(struct yg_request *q, const struct yg_job *job,
				const struct yg_export *e)
{
	char text[256], time[40];
	struct yg_sb b = yg_sb_init(text, sizeof text), t = yg_sb_init(time, sizeof time);
	struct yg_sv scope = YG_SV("all");
	for (size_t i = 0; i < e->query_count; i++) {
		if (YG_SV_IS(e->query[i].name, "org"))
			scope = e->query[i].value;
	}
	if (job->org.n > 0 && YG_SV_IS(scope, "all"))
		scope = job->org;
	yg_time_format(&t, job->created);
	yg_sb_put(&b, YG_SV("attachment; filename=\"yagura-"));
	yg_sb_put(&b, e->kind);
	yg_sb_putc(&b, '-');
	yg_sb_put(&b, scope);
	yg_sb_putc(&b, '-');
	for (size_t i = 0; i < t.n && time[i] != '.' && time[i] != 'Z'; i++) {
		if (time[i] != '-' && time[i] != ':')
			yg_sb_putc(&b, time[i]);
	}
	yg_sb_put(&b, YG_SV("Z."));
	yg_sb_put(&b, yg_sv_of(yg_sheet_ending(e->format)));
	yg_sb_putc(&b, '"');
	return yg_arena_dup(q->arena, yg_sb_sv(&b));
}

/* Only who ordered it has it, while they have the rights it was made with. */
static yg_status find(struct yg_request *q, struct yg_state *db, struct yg_job *job,
		      struct yg_err *err)
{
	yg_status st = yg_job_get(db, yg_param(q, "id"), q->arena, job, err);
	if (st == YG_OK &&
	    (!YG_SV_IS(job->kind, YG_EXPORT_KIND) || !yg_sv_eq(job->actor, yg_sv_of(q->who.actor))))
		st = YG_FAIL(err, YG_NOTFOUND, "no such object");
	return st;
}

yg_status yg_r_export_get(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			  struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_request *params = YG_NEW(q->arena, struct yg_request);
	struct yg_export e;
	struct yg_job job;
	struct yg_reach reach;
	struct stat sb;
	char path[192];
	struct yg_sb p = yg_sb_init(path, sizeof path);
	if (params == NULL)
		return YG_FAIL(err, YG_NOMEM, "the request is too large");
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = find(q, l.db, &job, err);
	if (st == YG_OK && job.state != YG_JOB_DONE)
		st = YG_FAIL(err, YG_CONFLICT, "the export is %s", yg_job_state_name(job.state));
	if (st != YG_OK)
		return st;
	params->arena = q->arena;
	params->body = job.params;
	st = yg_export_read(params, &e, err);
	if (st == YG_OK)
		st = yg_who_reach(&q->who, l.db, e.route->scope, q->arena, &reach, err);
	if (st == YG_OK)
		st = yg_export_covered(api->export_path, job.id, &reach, err);
	if (st != YG_OK)
		return st;
	yg_export_path(&p, api->export_path, job.id, e.format);
	int fd = open(yg_sb_cstr(&p), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &sb) != 0) {
		yg_fd_close(&fd);
		return YG_FAIL(err, YG_NOTFOUND, "the file was removed; order it again");
	}
	r->status = 200;
	r->type = yg_sheet_type(e.format);
	r->file = true;
	r->fd = fd;
	r->file_bytes = (uint64_t)sb.st_size;
	yg_response_header(r, "Content-Disposition", disposition(q, &job, &e));
	return YG_OK;
}
