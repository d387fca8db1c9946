/* event.c - logs in by file, and events out by search. */
#include <stdio.h>

#include "cmd/event_import.h"
#include "cmd/print.h"
#include "cmd/tables.h"

#define EVENTS "/api/v1/events"

static const struct yg_column columns[] = {{"TIME", "time", 27},      {"ORG", "org", 16},
					   {"CLASS", "class_uid", 6}, {"LOG", "log_name", 10},
					   {"SOURCE", "src_ip", 15},  {"DESTINATION", "dst_ip", 15},
					   {"ID", "id", 28},          {"MESSAGE", "message", 0}};

static int run_search(struct yg_cli *c)
{
	char url[2048];
	struct yg_sb b = yg_sb_init(url, sizeof url);
	char words[4096];
	struct yg_sb q = yg_sb_init(words, sizeof words);
	for (size_t i = 0; i < yg_cli_argc(c); i++) {
		if (i > 0)
			yg_sb_putc(&q, ' ');
		yg_sb_put(&q, yg_sv_of(yg_cli_arg(c, i)));
	}
	yg_sb_put(&b, YG_SV(EVENTS));
	if (q.n > 0)
		yg_url_query(&b, "q", yg_sb_cstr(&q));
	if (q.cut || b.cut)
		return yg_cli_usage(c, "the search is too long");
	static const char *const filters[] = {"org", "from", "to", NULL};
	return yg_list(c, yg_sb_cstr(&b), filters, columns, YG_LEN(columns));
}

static int run_show(struct yg_cli *c)
{
	char path[256];
	return yg_call_and_print(c, &(struct yg_call){.method = "GET",
						      .path = yg_path(path, sizeof path, EVENTS,
								      yg_cli_arg(c, 0), "")});
}

static int run_import(struct yg_cli *c)
{
	YG_AUTO(yg_client_closep) struct yg_client *client = NULL;
	struct yg_err err;
	uint64_t batch = 0;
	const char *size = yg_cli_get(c, "batch-bytes");
	if (size != NULL && yg_parse_bytes(yg_sv_of(size), &batch, &err) != YG_OK)
		return yg_cli_usage(c, "--batch-bytes: %s", err.msg);
	yg_status st = yg_client_open(c, &client, &err);
	if (st != YG_OK)
		return yg_cli_fail(&err);
	struct yg_import import = {.org = yg_cli_get(c, "org"),
				   .source = yg_cli_get(c, "source"),
				   .sensor = yg_cli_get(c, "sensor"),
				   .batch_bytes = (size_t)batch};
	int rc = 0;
	for (size_t i = 0; i < yg_cli_argc(c) && rc != yg_status_exit(YG_INVAL); i++) {
		st = yg_import_file(c, client, &import, yg_cli_arg(c, i), &err);
		if (st != YG_OK)
			rc = yg_cli_fail(&err); /* the other files still go */
	}
	return rc;
}

static const struct yg_opt search_opts[] = {
	YG_O_VALUE("from", "WHEN", "RFC 3339 or now-24h (the default).",
		   "開始。RFC 3339 または now-24h(既定)。"),
	YG_O_VALUE("to", "WHEN", "RFC 3339 or now (the default).",
		   "終了。RFC 3339 または now(既定)。"),
	YG_O_VALUE("org", "ORG", "Only this organisation.", "この組織だけ。"),
	YG_O_VALUE("limit", "N", "At most N rows; 0 for all (default 50).",
		   "最大 N 行。0 は全部(既定 50)。"),
	YG_OPTS_END};
static const struct yg_opt import_opts[] = {
	YG_O_NEEDED("org", "ORG", "Organisation that owns the logs.", "ログの所有組織。"),
	YG_O_NEEDED(
		"source", "SOURCE",
		"suricata, zeek, syslog, cloudtrail, windows, ocsf, dnstap, evtx or ndjson:MAPPING.",
		"suricata、zeek、syslog、cloudtrail、windows、ocsf、dnstap、evtx、ndjson:マッピング名。"),
	YG_O_VALUE("sensor", "NAME", "Who saw it (default: import).",
		   "観測点の名前(既定 import)。"),
	YG_O_VALUE("batch-bytes", "SIZE", "Size of one batch (default 4MiB).",
		   "一括送信の大きさ(既定 4MiB)。"),
	YG_OPTS_END};

const struct yg_cmd yg_cmds_event[] = {
	{.noun = "event",
	 .verb = "search",
	 .args = "[WORD...]",
	 .args_max = 64,
	 .opts = search_opts,
	 .doc = "Search events, newest first.",
	 .doc_ja = "イベントを検索する(新しい順)。",
	 .more = "Words are field:value conditions (dst_ip:192.0.2.1, query:evil.example, class_uid:4003)\n"
		 "or plain words: a name, address or hash is looked up exactly, other text in the record.",
	 .run = run_search},
	{.noun = "event",
	 .verb = "show",
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .doc = "Show one event with its record.",
	 .doc_ja = "イベントを元の記録とともに表示する。",
	 .run = run_show},
	{.noun = "event",
	 .verb = "import",
	 .args = "FILE...",
	 .args_min = 1,
	 .args_max = 100000,
	 .opts = import_opts,
	 .doc = "Import log files, plain, gzip or zstd; a second import of the same file adds nothing.",
	 .doc_ja =
		 "ログファイル(無圧縮・gzip・zstd)を取り込む。同じファイルの再取り込みでは何も増えない。",
	 .more = "An interrupted import is resumed by giving the same command again.\n- is standard input.",
	 .run = run_import},
	{.noun = NULL},
};
