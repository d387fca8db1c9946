#include "cmd/print.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/list_out.h"
#include "cmd/list_sort.h"

void yg_note(const struct yg_cli *c, const char *fmt, ...)
{
	if (yg_cli_has(c, "quiet"))
		return;
	va_list ap;
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
}

void yg_print_untrusted(struct yg_buf *out, struct yg_sv text)
{
	while (text.n > 0) {
		char safe[1024];
		struct yg_sb b = yg_sb_init(safe, sizeof safe);
		size_t n = YG_MIN(text.n, sizeof safe / 4); /* a byte is four at most */
		yg_sb_put_untrusted(&b, yg_sv_sub(text, 0, n));
		yg_buf_put(out, yg_sb_sv(&b));
		text = yg_sv_sub(text, n, SIZE_MAX);
	}
}

/* One page; *cursor: of the next one, or empty.  Its rows are printed, or kept in `all`. */
static yg_status take_page(struct yg_client *client, const char *path, uint64_t limit,
			   char cursor[static 1024], struct yg_list_out *out, json_t *all,
			   struct yg_err *err)
{
	char url[3072], number[24];
	struct yg_sb b = yg_sb_init(url, sizeof url);
	struct yg_reply r;
	(void)snprintf(number, sizeof number, "%llu", (unsigned long long)limit);
	yg_sb_put(&b, yg_sv_of(path));
	yg_url_query(&b, "limit", number);
	yg_url_query(&b, "cursor", cursor[0] != '\0' ? cursor : NULL);
	yg_status st = yg_client_call(
		client, &(struct yg_call){.method = "GET", .path = yg_sb_cstr(&b)}, &r, err);
	json_t *items = json_object_get(r.json, "items");
	if (st == YG_OK && !json_is_array(items))
		st = YG_FAIL(err, YG_INVAL, "the answer is no list");
	if (st == YG_OK && all != NULL)
		(void)json_array_extend(all, items);
	else if (st == YG_OK)
		yg_list_out_rows(out, items);
	if (st == YG_OK)
		(void)yg_member_text(r.json, "next_cursor", cursor, 1024);
	yg_reply_free(&r);
	return st;
}

/* A search may give an empty page with a cursor: older slices follow. */
static yg_status print_in_turn(struct yg_client *client, const char *path, uint64_t most,
			       char cursor[static 1024], struct yg_list_out *out,
			       struct yg_err *err)
{
	yg_status st = YG_OK;
	do {
		uint64_t page = most == 0 ? 200 : YG_MIN(most - out->rows, (uint64_t)200);
		st = take_page(client, path, page, cursor, out, NULL, err);
	} while (st == YG_OK && cursor[0] != '\0' && (most == 0 || out->rows < most));
	return st;
}

/* Every row, and then, by `fields`, as many as are wanted. */
static yg_status print_sorted(struct yg_client *client, const char *path, uint64_t most,
			      const char *fields, struct yg_list_out *out, struct yg_err *err)
{
	char cursor[1024] = "";
	json_t *rows = json_array();
	yg_status st = YG_OK;
	do {
		st = take_page(client, path, 200, cursor, out, rows, err);
		if (st == YG_OK && json_array_size(rows) > YG_SORT_ROWS_MAX)
			st = YG_FAIL(err, YG_LIMIT, "--sort takes at most %d rows: filter them",
				     YG_SORT_ROWS_MAX);
	} while (st == YG_OK && cursor[0] != '\0');
	if (st == YG_OK)
		st = yg_list_sort(rows, fields, err);
	while (st == YG_OK && most > 0 && json_array_size(rows) > most)
		(void)json_array_remove(rows, json_array_size(rows) - 1);
	if (st == YG_OK)
		yg_list_out_rows(out, rows);
	json_decref(rows);
	return st;
}

int yg_print_pages(const struct yg_cli *c, struct yg_client *client, const char *path,
		   uint64_t most, const struct yg_column *columns, size_t count)
{
	char cursor[1024] = "";
	struct yg_list_out out;
	struct yg_err err;
	/* alert list has a --sort of its own, which the server goes by */
	const char *fields = yg_cmd_own_opt(yg_cli_cmd(c), "sort") ? NULL : yg_cli_get(c, "sort");
	yg_status st = yg_list_out_begin(c, columns, count, &out, &err);
	if (st != YG_OK)
		return yg_cli_usage(c, "%s", err.msg);
	st = fields != NULL ? print_sorted(client, path, most, fields, &out, &err)
			    : print_in_turn(client, path, most, cursor, &out, &err);
	if (st != YG_OK)
		return yg_cli_fail(&err);
	yg_list_out_end(&out);
	if (out.rows == 0)
		yg_note(c, "nothing found\n");
	else if (cursor[0] != '\0')
		yg_note(c, "(more: raise --limit, or --all)\n");
	return 0;
}

int yg_fetch(const struct yg_cli *c, const char *path, json_t **out)
{
	YG_AUTO(yg_client_closep) struct yg_client *client = NULL;
	struct yg_err err;
	struct yg_reply r = {0};
	yg_status st = yg_client_open(c, &client, &err);
	*out = NULL;
	if (st == YG_OK)
		st = yg_client_call(client, &(struct yg_call){.method = "GET", .path = path}, &r,
				    &err);
	if (st == YG_OK)
		*out = json_incref(r.json);
	yg_reply_free(&r);
	return st == YG_OK ? 0 : yg_cli_fail(&err);
}

int yg_call_and_print(const struct yg_cli *c, const struct yg_call *call)
{
	YG_AUTO(yg_client_closep) struct yg_client *client = NULL;
	struct yg_err err;
	struct yg_reply r = {0};
	yg_status st = yg_client_open(c, &client, &err);
	if (st != YG_OK)
		return yg_cli_fail(&err);
	st = yg_client_call(client, call, &r, &err);
	if (st == YG_OK)
		yg_print_object(c, r.json);
	yg_reply_free(&r);
	return st == YG_OK ? 0 : yg_cli_fail(&err);
}

static void progress(const struct yg_cli *c, json_t *job, bool last)
{
	char done[32], total[32], state[32];
	if (!last && !yg_cli_progress(c))
		return;
	yg_member_text(job, "total", total, sizeof total);
	bool known = total[0] != '\0';
	yg_note(c, "\r%s %s%s%s%s", yg_member_text(job, "state", state, sizeof state),
		yg_member_text(job, "done", done, sizeof done), known ? " of " : "",
		known ? total : "", last ? "\n" : "   ");
}

yg_status yg_wait_job(const struct yg_cli *c, struct yg_client *client, const char *job_id,
		      json_t **out_job, struct yg_err *err)
{
	char path[160], state[32], message[256];
	(void)snprintf(path, sizeof path, "/api/v1/jobs/%s", job_id);
	for (unsigned wait_ms = 50;; wait_ms = YG_MIN(wait_ms * 2, 1000u)) {
		struct yg_reply r;
		yg_status st = yg_client_call(
			client, &(struct yg_call){.method = "GET", .path = path}, &r, err);
		struct yg_sv s = yg_sv_of(yg_member_text(r.json, "state", state, sizeof state));
		bool ended = !YG_SV_IS(s, "queued") && !YG_SV_IS(s, "running");
		if (st == YG_OK)
			progress(c, r.json, ended);
		if (st == YG_OK && ended && !YG_SV_IS(s, "done"))
			st = YG_FAIL(err, YG_IO, "job %s %s: %s", job_id, state,
				     yg_member_text(r.json, "message", message, sizeof message));
		if (ended && out_job != NULL)
			*out_job = json_incref(r.json);
		yg_reply_free(&r);
		if (st != YG_OK || ended)
			return st;
		(void)usleep(wait_ms * 1000);
	}
}

int yg_follow_job(const struct yg_cli *c, struct yg_client *client, const char *job_id)
{
	json_t *job = NULL;
	struct yg_err err;
	yg_status st = yg_wait_job(c, client, job_id, &job, &err);
	yg_print_object(c, job);
	json_decref(job);
	return st == YG_OK ? 0 : yg_cli_fail(&err);
}

/* Once, or with --watch again and again until it is stopped; what is temporary is waited
 * out. */
static int print_again(const struct yg_cli *c, struct yg_client *client, const char *path,
		       uint64_t most, const struct yg_column *columns, size_t count)
{
	const char *every = yg_cli_get(c, "watch");
	int64_t us = 0;
	if (every != NULL && (yg_parse_span(yg_sv_of(every), &us, NULL) != YG_OK ||
			      us < YG_US_PER_S || us > 3600 * YG_US_PER_S))
		return yg_cli_usage(c, "--watch: expected a span from 1s to 1h");
	for (;;) {
		if (us > 0 && isatty(STDOUT_FILENO) != 0)
			(void)fputs("\033[H\033[2J", stdout);
		int rc = yg_print_pages(c, client, path, most, columns, count);
		if (us == 0 || (rc != 0 && rc != yg_status_exit(YG_AGAIN)))
			return rc;
		(void)fflush(stdout);
		(void)poll(NULL, 0, (int)(us / 1000));
	}
}

int yg_list(const struct yg_cli *c, const char *path, const char *const *filters,
	    const struct yg_column *columns, size_t count)
{
	YG_AUTO(yg_client_closep) struct yg_client *client = NULL;
	struct yg_err err;
	uint64_t most = 50;
	const char *limit = yg_cli_get(c, "limit");
	if (yg_cli_has(c, "all"))
		most = 0;
	else if (limit != NULL && yg_parse_u64(yg_sv_of(limit), &most, &err) != YG_OK)
		return yg_cli_usage(c, "--limit: %s", err.msg);
	char url[2048];
	struct yg_sb b = yg_sb_init(url, sizeof url);
	yg_sb_put(&b, yg_sv_of(path));
	for (size_t i = 0; filters != NULL && filters[i] != NULL; i++)
		yg_url_query(&b, filters[i], yg_cli_get(c, filters[i]));
	if (yg_sb_done(&b) != YG_OK)
		return yg_cli_usage(c, "the filters are too long");
	yg_status st = yg_client_open(c, &client, &err);
	if (st != YG_OK)
		return yg_cli_fail(&err);
	return print_again(c, client, yg_sb_cstr(&b), most, columns, count);
}

void yg_set_text(json_t *object, const char *member_name, const char *value)
{
	if (value != NULL)
		(void)json_object_set_new(object, member_name, json_string(value));
}

static yg_status set_time(json_t *object, const char *member_name, yg_wall t)
{
	char buf[32];
	struct yg_sb b = yg_sb_init(buf, sizeof buf);
	yg_time_format(&b, t);
	yg_set_text(object, member_name, yg_sb_cstr(&b));
	return YG_OK;
}

yg_status yg_set_when(const struct yg_cli *c, json_t *object, const char *member_name,
		      const char *option, struct yg_err *err)
{
	const char *text = yg_cli_get(c, option);
	if (text == NULL)
		return YG_OK;
	yg_wall t;
	int64_t span;
	if (yg_sv_eq(yg_sv_of(text), YG_SV("never"))) {
		(void)json_object_set_new(object, member_name, json_null());
		return YG_OK;
	}
	if (yg_parse_span(yg_sv_of(text), &span, NULL) == YG_OK) {
		int64_t now = yg_env_wall(yg_cli_env(c)).us;
		if (__builtin_add_overflow(now, span, &t.us))
			return YG_FAIL(err, YG_INVAL, "--%s: too far away", option);
	} else if (yg_time_parse(yg_sv_of(text), &t, NULL) != YG_OK) {
		return YG_FAIL(
			err, YG_INVAL,
			"--%s: expected a time such as 2027-01-02T00:00:00Z, a span such as 30d, or never",
			option);
	}
	return set_time(object, member_name, t);
}

yg_status yg_set_past(const struct yg_cli *c, json_t *object, const char *member_name,
		      const char *option, struct yg_err *err)
{
	const char *text = yg_cli_get(c, option);
	struct yg_sv s = yg_sv_of(text);
	yg_wall t = yg_env_wall(yg_cli_env(c));
	int64_t span = 0;
	if (text == NULL)
		return YG_OK;
	if (yg_sv_starts(s, YG_SV("now-"))) {
		if (yg_parse_span(yg_sv_sub(s, 4, s.n), &span, NULL) != YG_OK || span > t.us)
			return YG_FAIL(err, YG_INVAL,
				       "--%s: expected a span such as 30d behind now-", option);
		t.us -= span;
	} else if (!YG_SV_IS(s, "now") && yg_time_parse(s, &t, NULL) != YG_OK) {
		return YG_FAIL(err, YG_INVAL,
			       "--%s: expected a time such as 2026-01-02T00:00:00Z, now or now-30d",
			       option);
	}
	return set_time(object, member_name, t);
}

yg_status yg_set_number(const struct yg_cli *c, json_t *object, const char *member_name,
			const char *option, uint64_t most, struct yg_err *err)
{
	const char *text = yg_cli_get(c, option);
	uint64_t v;
	if (text == NULL)
		return YG_OK;
	if (yg_parse_u64(yg_sv_of(text), &v, NULL) != YG_OK || v > most)
		return YG_FAIL(err, YG_INVAL, "--%s: expected a number from 0 to %llu", option,
			       (unsigned long long)most);
	(void)json_object_set_new(object, member_name, json_integer((json_int_t)v));
	return YG_OK;
}

/* A job is recognised by its id; the caller wants its outcome, not its ticket. */
static int show_answer(const struct yg_cli *c, struct yg_client *client, struct yg_reply *r)
{
	char id[80];
	bool job = r->status == 202 && json_object_get(r->json, "kind") != NULL;
	if (job && !yg_cli_has(c, "no-wait") && !yg_cli_has(c, "dry-run"))
		return yg_follow_job(c, client, yg_member_text(r->json, "id", id, sizeof id));
	yg_print_object(c, r->json);
	return 0;
}

int yg_send(const struct yg_cli *c, const char *method, const char *path, json_t *body,
	    const char *etag_of)
{
	YG_AUTO(yg_client_closep) struct yg_client *client = NULL;
	struct yg_err err;
	struct yg_reply r = {0};
	char etag[80] = "", url[1200];
	struct yg_sb b = yg_sb_init(url, sizeof url);
	char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	yg_sb_put(&b, yg_sv_of(path));
	yg_url_query(&b, "dry_run", yg_cli_has(c, "dry-run") ? "1" : NULL);
	yg_status st = yg_sb_done(&b) == YG_OK ? yg_client_open(c, &client, &err)
					       : YG_FAIL(&err, YG_INVAL, "the path is too long");
	if (st == YG_OK && etag_of != NULL) {
		st = yg_client_call(client, &(struct yg_call){.method = "GET", .path = etag_of}, &r,
				    &err);
		(void)snprintf(etag, sizeof etag, "%s", r.etag);
		yg_reply_free(&r);
		r = (struct yg_reply){0};
		/* what is not there yet is made by PUT */
		if (st == YG_NOTFOUND && yg_sv_eq(yg_sv_of(method), YG_SV("PUT")))
			st = YG_OK;
	}
	if (st == YG_OK)
		st = yg_client_call(client,
				    &(struct yg_call){.method = method,
						      .path = yg_sb_cstr(&b),
						      .body = text != NULL
								      ? yg_sv_of(text)
								      : (struct yg_sv){NULL, 0},
						      .if_match = etag[0] != '\0' ? etag : NULL},
				    &r, &err);
	int rc = st == YG_OK ? show_answer(c, client, &r) : yg_cli_fail(&err);
	if (st == YG_OK && yg_cli_has(c, "dry-run"))
		yg_note(c, "nothing was changed (--dry-run)\n");
	yg_reply_free(&r);
	free(text);
	return rc;
}

bool yg_name_value(const char *text, char *buf, size_t cap, const char **value)
{
	const char *sign = strchr(text, '=');
	size_t n = sign != NULL ? (size_t)(sign - text) : 0;
	if (n == 0 || n >= cap)
		return false;
	memcpy(buf, text, n);
	buf[n] = '\0';
	*value = sign + 1;
	return true;
}

const char *yg_path(char *buf, size_t cap, const char *base, const char *part, const char *tail)
{
	struct yg_sb b = yg_sb_init(buf, cap);
	yg_sb_put(&b, yg_sv_of(base));
	yg_sb_putc(&b, '/');
	yg_url_put(&b, yg_sv_of(part));
	yg_sb_put(&b, yg_sv_of(tail));
	return yg_sb_cstr(&b);
}
