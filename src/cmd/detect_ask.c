#include "cmd/detect_ask.h"

#include <stdlib.h>

#include "cmd/log_file.h"
#include "cmd/print.h"
#include "event/mapping.h"

enum { TOLD_MOST = 3 };

/* NDJSON without a mapping: its own fields, and the time where it usually stands. */
static const char plain_mapping[] =
	"{\"fields\":{\"time\":[\"@timestamp\",\"timestamp\",\"time\",\"eventTime\",\"published\"]}}";

struct yg_ask {
	struct yg_ask_opts opts;
	struct yg_norm *norm;        /* owned */
	struct yg_mapping *plain;    /* owned; NULL: not needed */
	struct yg_detect_view *view; /* owned */
	struct yg_detect_eval *eval; /* owned */
	const char *file;
	yg_wall now;
	uint64_t record, before; /* of the file; hits before this record */
	const struct yg_detect_record *event;
	struct yg_ask_counts counts;
	const struct yg_cli *cli;
	unsigned told; /* reasons of records that could not be parsed */
	yg_status failed;
	struct yg_err *err;
};

static void on_match(void *ctx, uint32_t rule)
{
	struct yg_ask *a = ctx;
	const struct yg_ask_hit hit = {rule, a->file, a->record, a->event, a->eval};
	a->counts.hits++;
	a->opts.hit(a->opts.ctx, &hit);
}

/* The first of each file; of what is quite another kind of file every record is wrong. */
static void tell(struct yg_ask *a, struct yg_sv reason)
{
	char safe[512];
	struct yg_sb b = yg_sb_init(safe, sizeof safe);
	if (a->told++ >= TOLD_MOST)
		return;
	yg_sb_put_untrusted(&b, yg_sv_sub(reason, 0, 120));
	yg_note(a->cli, "%s: record %llu: %s\n", a->file, (unsigned long long)a->record,
		yg_sb_cstr(&b));
}

static bool batch(void *ctx, struct yg_sv bytes)
{
	struct yg_ask *a = ctx;
	struct yg_event ev;
	struct yg_detect_record event;
	uint64_t unparsed = 0;
	yg_norm_begin(a->norm, bytes, a->now, false);
	while (a->failed == YG_OK && yg_norm_next(a->norm, &ev)) {
		a->record++;
		if (yg_norm_unparsed(a->norm) > unparsed)
			tell(a, ev.parse_error);
		unparsed = yg_norm_unparsed(a->norm);
		a->before = a->counts.hits;
		a->failed = yg_detect_view_make(a->view, &ev, &event, a->err);
		a->event = &event;
		if (a->failed == YG_OK)
			yg_detect_run(a->eval, &event, on_match, a);
		if (a->opts.record != NULL)
			a->opts.record(a->opts.ctx, a->record, a->counts.hits - a->before);
	}
	a->counts.unparsed += yg_norm_unparsed(a->norm);
	return a->failed == YG_OK;
}

yg_status yg_ask_new(const struct yg_cli *cli, const struct yg_ask_opts *opts, struct yg_ask **out,
		     struct yg_err *err)
{
	struct yg_ask *a = calloc(1, sizeof *a);
	if (a == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory to read log files");
	a->opts = *opts;
	a->cli = cli;
	a->now = yg_env_wall(yg_cli_env(cli));
	yg_status st = YG_OK;
	if (opts->source == YG_SOURCE_NDJSON && opts->mapping == NULL)
		st = yg_mapping_read(yg_sv_of(plain_mapping), "plain", &a->plain, err);
	if (st == YG_OK)
		st = yg_norm_new(opts->source, a->plain != NULL ? a->plain : opts->mapping,
				 &a->norm, err);
	if (st == YG_OK)
		st = yg_detect_view_new(opts->source, opts->own, yg_cli_env(cli), &a->view, err);
	if (st == YG_OK) {
		yg_detect_view_follow(a->view, a->norm);
		yg_detect_view_only(a->view, opts->engine);
	}
	if (st == YG_OK)
		st = yg_detect_eval_new(opts->engine, &a->eval, err);
	if (st != YG_OK) {
		yg_ask_free(a);
		return st;
	}
	*out = a;
	return YG_OK;
}

void yg_ask_free(struct yg_ask *a)
{
	if (a == NULL)
		return;
	yg_norm_free(a->norm);
	yg_mapping_free(a->plain);
	yg_detect_view_free(a->view);
	yg_detect_eval_free(a->eval);
	free(a);
}

yg_status yg_ask_file(struct yg_ask *a, const char *file, struct yg_err *err)
{
	a->file = file;
	a->record = 0;
	a->told = 0;
	a->failed = YG_OK;
	a->err = err;
	yg_status st = yg_log_file_read(file, a->opts.source, batch, a, err);
	a->counts.records += a->record;
	return a->failed != YG_OK ? a->failed : st;
}

struct yg_ask_counts yg_ask_counts(const struct yg_ask *a)
{
	return a->counts;
}
