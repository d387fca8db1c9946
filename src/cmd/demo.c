/* demo.c - a demonstration that goes through the same doors as real logs. */
#include "event/demo.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/event_import.h"
#include "cmd/print.h"
#include "cmd/tables.h"

#define DEMO "/api/v1/demo"
#define SEED 20261122 /* any number; the same one makes the same demonstration */

/* POST that finds its object there already is as good as one that makes it. */
static yg_status make(struct yg_client *client, const char *path, json_t *body, char *id,
		      size_t cap, struct yg_err *err)
{
	char *text = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	if (text == NULL)
		return YG_FAIL(err, YG_NOMEM, "request");
	struct yg_reply r;
	yg_status st = yg_client_call(
		client, &(struct yg_call){.method = "POST", .path = path, .body = yg_sv_of(text)},
		&r, err);
	if (id != NULL)
		(void)yg_member_text(r.json, "id", id, cap);
	yg_reply_free(&r);
	free(text);
	return st == YG_CONFLICT ? YG_OK : st;
}

static yg_status make_orgs(const struct yg_cli *c, struct yg_client *client, struct yg_err *err)
{
	yg_status st = YG_OK;
	for (size_t i = 0; i < YG_DEMO_ORGS && st == YG_OK; i++) {
		const struct yg_demo_org *o = &yg_demo_orgs[i];
		st = make(client, "/api/v1/organisations",
			  json_pack("{s:s, s:s, s:s, s:b, s:i, s:s?}", "name", o->name, "title_ja",
				    o->title_ja, "title_en", o->title_en, "demo", 1, "prefecture",
				    o->prefecture, "parent", o->parent),
			  NULL, 0, err);
	}
	yg_note(c, "%d organisations\n", YG_DEMO_ORGS);
	return st;
}

/* The id of the demonstration's list, made when it is not there. */
static yg_status make_list(struct yg_client *client, char *id, size_t cap, struct yg_err *err)
{
	id[0] = '\0';
	yg_status st = make(client, "/api/v1/indicator-lists",
			    json_pack("{s:s, s:s, s:i, s:s}", "name", YG_DEMO_LIST, "title",
				      "デモ用の架空の指標 (made-up indicators)", "confidence", 80,
				      "tlp", "clear"),
			    id, cap, err);
	if (st != YG_OK || id[0] != '\0')
		return st;
	struct yg_reply r;
	st = yg_client_call(
		client,
		&(struct yg_call){.method = "GET", .path = "/api/v1/indicator-lists?limit=200"}, &r,
		err);
	size_t i;
	json_t *item;
	json_array_foreach(json_object_get(r.json, "items"), i, item)
	{
		char name[128];
		if (yg_sv_eq(yg_sv_of(yg_member_text(item, "name", name, sizeof name)),
			     YG_SV(YG_DEMO_LIST)))
			(void)yg_member_text(item, "id", id, cap);
	}
	yg_reply_free(&r);
	if (st == YG_OK && id[0] == '\0')
		return YG_FAIL(err, YG_NOTFOUND, "the list '" YG_DEMO_LIST "' is not to be found");
	return st;
}

/* Runs a request that answers with a job, to the job's end. */
static yg_status run_job(const struct yg_cli *c, struct yg_client *client,
			 const struct yg_call *call, struct yg_err *err)
{
	struct yg_reply r;
	char job[80];
	yg_status st = yg_client_call(client, call, &r, err);
	(void)yg_member_text(r.json, "id", job, sizeof job);
	yg_reply_free(&r);
	return st == YG_OK ? yg_wait_job(c, client, job, NULL, err) : st;
}

static yg_status load_indicators(const struct yg_cli *c, struct yg_client *client,
				 struct yg_err *err)
{
	char id[80], path[256];
	yg_status st = make_list(client, id, sizeof id, err);
	if (st != YG_OK)
		return st;
	struct yg_buf csv;
	yg_buf_init(&csv, 16u << 20);
	yg_demo_indicators(&csv);
	(void)yg_path(path, sizeof path, "/api/v1/indicator-lists", id, "/indicators?format=csv");
	st = csv.bad ? YG_FAIL(err, YG_NOMEM, "indicators")
		     : run_job(c, client,
			       &(struct yg_call){.method = "POST",
						 .path = path,
						 .body = yg_buf_sv(&csv),
						 .type = "text/csv"},
			       err);
	yg_buf_free(&csv);
	if (st == YG_OK)
		st = run_job(
			c, client,
			&(struct yg_call){.method = "POST", .path = "/api/v1/indicators/compile"},
			err);
	(void)sleep(1); /* a published snapshot is in force within a second */
	return st;
}

static yg_status load_events(const struct yg_cli *c, struct yg_client *client, uint64_t records,
			     struct yg_err *err)
{
	struct yg_demo *demo = NULL;
	struct yg_import_count count = {0};
	yg_status st = yg_demo_new(SEED, yg_env_wall(yg_cli_env(c)), records, &demo, err);
	if (st != YG_OK)
		return st;
	struct yg_demo_batch b;
	bool tell = isatty(STDERR_FILENO) != 0;
	while (st == YG_OK && yg_demo_next(demo, &b)) {
		char name[YG_BATCH_ID_MAX + 1];
		(void)snprintf(name, sizeof name, "%.*s", YG_SV_ARG(b.id));
		const struct yg_import import = {
			.org = b.org, .source = yg_source_name(b.source), .sensor = b.sensor};
		st = yg_import_batch(c, client, &import, b.bytes, name, &count, err);
		count.records += b.records;
		if (tell)
			yg_note(c, "\r%llu of %zu batches, %llu records",
				(unsigned long long)count.batches, yg_demo_batches(demo),
				(unsigned long long)count.records);
	}
	if (st == YG_OK && yg_demo_failed(demo))
		st = YG_FAIL(err, YG_NOMEM, "the demonstration does not fit the memory");
	yg_demo_free(demo);
	if (st == YG_OK)
		yg_note(c, "%s%llu records in %llu batches\n", tell ? "\r" : "",
			(unsigned long long)count.records, (unsigned long long)count.batches);
	return st;
}

static int run_load(struct yg_cli *c)
{
	YG_AUTO(yg_client_closep) struct yg_client *client = NULL;
	struct yg_err err;
	uint64_t records = 0;
	const char *want = yg_cli_get(c, "records");
	if (want != NULL && yg_parse_u64(yg_sv_of(want), &records, &err) != YG_OK)
		return yg_cli_usage(c, "--records: %s", err.msg);
	yg_status st = yg_client_open(c, &client, &err);
	if (st == YG_OK)
		st = make_orgs(c, client, &err);
	if (st == YG_OK)
		st = load_indicators(c, client, &err);
	if (st == YG_OK)
		st = load_events(c, client, records, &err);
	return st == YG_OK ? 0 : yg_cli_fail(&err);
}

static int run_status(struct yg_cli *c)
{
	return yg_call_and_print(c, &(struct yg_call){.method = "GET", .path = DEMO});
}

static int run_remove(struct yg_cli *c)
{
	return yg_send(c, "DELETE", DEMO, NULL, NULL);
}

static const struct yg_opt load_opts[] = {YG_O_VALUE("records", "N",
						     "About how many records (default 200,000).",
						     "おおよその記録数(既定 200,000)。"),
					  YG_OPTS_END};
static const struct yg_opt remove_opts[] = {
	YG_O_FLAG("no-wait", "Do not wait for the job.", "ジョブの終了を待たない。"), YG_OPTS_END};

const struct yg_cmd yg_cmds_demo[] = {
	{.noun = "demo",
	 .verb = "load",
	 .opts = load_opts,
	 .doc = "Load twelve made-up organisations with a day of logs and the indicators that match some of them.",
	 .doc_ja = "架空の 12 組織と一日分のログ、それに合う指標を読み込む。",
	 .run = run_load},
	{.noun = "demo",
	 .verb = "status",
	 .doc = "Is there a demonstration?",
	 .doc_ja = "デモの有無を表示する。",
	 .run = run_status},
	{.noun = "demo",
	 .verb = "remove",
	 .opts = remove_opts,
	 .doc = "Remove the demonstration with all its data.",
	 .doc_ja = "デモをデータごと削除する。",
	 .run = run_remove},
	{.noun = NULL},
};
