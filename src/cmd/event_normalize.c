/* event_normalize.c - `event normalize`: log files to OCSF JSON lines, without a server. */
#include <stdio.h>

#include "cmd/log_file.h"
#include "cmd/print.h"
#include "cmd/tables.h"
#include "event/mapping.h"
#include "os/file.h"

enum {
	LINE_MOST = 16777216, /* a record of 1 MiB, every byte escaped, and its columns */
	KEEP = 65536,         /* bytes gathered before they are written */
	SHOWN = 10,           /* reasons told on stderr; the rest is counted */
};

struct normalizing {
	const struct yg_cli *cli;
	const char *file;
	struct yg_norm *norm;       /* owned */
	struct yg_mapping *mapping; /* owned; NULL: none */
	struct yg_buf out;          /* owned */
	struct yg_sv source;
	yg_wall received;
	uint64_t records, unparsed, recovered, shown;
	bool broken; /* nobody reads the output any more */
};

static void normalizing_free(struct normalizing *z)
{
	yg_norm_free(z->norm);
	yg_mapping_free(z->mapping);
	yg_buf_free(&z->out);
}

static void flush(struct normalizing *z)
{
	if (z->out.n > 0 && fwrite(z->out.p, 1, z->out.n, stdout) != z->out.n)
		z->broken = true;
	z->out.n = 0;
}

static void tell(struct normalizing *z, uint64_t record, struct yg_sv reason)
{
	char safe[512];
	struct yg_sb b = yg_sb_init(safe, sizeof safe);
	if (z->shown++ >= SHOWN)
		return;
	yg_sb_put_untrusted(&b, yg_sv_sub(reason, 0, 120));
	yg_note(z->cli, "%s: record %llu: %s\n", z->file, (unsigned long long)record,
		yg_sb_cstr(&b));
}

static bool batch(void *ctx, struct yg_sv bytes)
{
	struct normalizing *z = ctx;
	struct yg_event ev;
	uint64_t recovered = 0;
	memset(&ev, 0, sizeof ev);
	yg_norm_begin(z->norm, bytes, z->received, false);
	while (!z->broken && yg_norm_next(z->norm, &ev)) {
		ev.source = z->source;
		z->records++;
		/* recovered ones are told of in sum */
		if (ev.parse_error.n > 0 && yg_norm_recovered(z->norm) == recovered)
			tell(z, z->records, ev.parse_error);
		recovered = yg_norm_recovered(z->norm);
		size_t before = z->out.n;
		if (yg_event_ocsf_json(&ev, &z->out) !=
		    YG_OK) { /* cannot be: LINE_MOST is more than any */
			z->out.n = before;
			z->out.bad = false;
			tell(z, z->records, YG_SV("larger than a line of output may be"));
			continue;
		}
		yg_buf_putc(&z->out, '\n');
		if (z->out.n >= KEEP)
			flush(z);
	}
	z->unparsed += yg_norm_unparsed(z->norm);
	z->recovered += yg_norm_recovered(z->norm);
	return !z->broken;
}

static yg_status read_mapping(struct normalizing *z, const char *file, struct yg_err *err)
{
	struct yg_buf text;
	yg_buf_init(&text, YG_MAPPING_BYTES_MAX);
	yg_status st = yg_file_read(file, YG_MAPPING_BYTES_MAX, &text, err);
	if (st == YG_OK)
		st = yg_mapping_read(yg_buf_sv(&text), file, &z->mapping, err);
	yg_buf_free(&text);
	return st;
}

static yg_status start(struct normalizing *z, enum yg_source *source, struct yg_err *err)
{
	struct yg_sv name;
	const char *mapping = yg_cli_get(z->cli, "mapping");
	const char *received = yg_cli_get(z->cli, "received");
	yg_status st = yg_source_parse(yg_sv_of(yg_cli_get(z->cli, "source")), source, &name, err);
	z->received = yg_env_wall(yg_cli_env(z->cli));
	if (st == YG_OK && received != NULL)
		st = yg_time_parse(yg_sv_of(received), &z->received, err);
	if (st == YG_OK)
		z->source = yg_sv_of(yg_source_name(*source));
	if (st == YG_OK && mapping != NULL)
		st = *source == YG_SOURCE_NDJSON
			     ? read_mapping(z, mapping, err)
			     : YG_FAIL(err, YG_INVAL, "only source ndjson takes a mapping");
	if (st == YG_OK)
		st = yg_norm_new(*source, z->mapping, &z->norm, err);
	yg_buf_init(&z->out, LINE_MOST + KEEP);
	return st;
}

static int run(struct yg_cli *c)
{
	YG_AUTO(normalizing_free) struct normalizing z = {.cli = c};
	enum yg_source source;
	struct yg_err err;
	int rc = 0;
	if (start(&z, &source, &err) != YG_OK)
		return yg_cli_usage(c, "%s", err.msg);
	size_t files = yg_cli_argc(c);
	for (size_t i = 0; i < (files > 0 ? files : 1) && !z.broken; i++) {
		z.file = files > 0 ? yg_cli_arg(c, i) : "-";
		if (yg_log_file_read(z.file, source, batch, &z, &err) != YG_OK)
			rc = yg_cli_fail(&err); /* the other files still go */
	}
	flush(&z);
	if (z.broken || fflush(stdout) != 0) {
		(void)YG_FAIL(&err, YG_IO, "cannot write the output");
		return yg_cli_fail(&err);
	}
	yg_note(c, "%llu records, %llu not parsed", (unsigned long long)z.records,
		(unsigned long long)z.unparsed);
	if (z.recovered > 0)
		yg_note(c, ", %llu recovered", (unsigned long long)z.recovered);
	yg_note(c, "\n");
	return rc != 0 ? rc : z.unparsed > 0 ? 3 : 0;
}

static const struct yg_opt opts[] = {
	YG_O_NEEDED("source", "SOURCE",
		    "suricata, zeek, syslog, cloudtrail, windows, ocsf, dnstap, evtx or ndjson.",
		    "suricata、zeek、syslog、cloudtrail、windows、ocsf、dnstap、evtx、ndjson。"),
	YG_O_FILE("mapping", "FILE", "Mapping file, for ndjson.", "ndjson のマッピングファイル。"),
	YG_O_VALUE("received", "WHEN", "Time given to records that have none (default: now).",
		   "時刻のない記録に与える時刻(既定は現在)。"),
	YG_OPTS_END};

const struct yg_cmd yg_cmds_event_normalize[] = {
	{.noun = "event",
	 .verb = "normalize",
	 .args = "[FILE...]",
	 .args_max = 100000,
	 .opts = opts,
	 .doc = "Print log files as OCSF JSON lines, without a server.",
	 .doc_ja = "ログファイルを OCSF の JSON 行として出力する(サーバー不要)。",
	 .more = "Windows event log files (EVTX) are taken by source evtx, and by windows.\n"
		 "Records of theirs that no chunk lists are recovered, counted and marked.\n"
		 "Files may be plain, gzip or zstd; without a file, or for -, standard input is read.\n"
		 "A record that cannot be parsed is printed as a base event with its text under raw_data\n"
		 "and the reason under unmapped.parse_error; then the exit status is 3.",
	 .run = run},
	{.noun = NULL},
};
