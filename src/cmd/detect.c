/* detect.c - `detect compile`, `check`, `run`: Sigma rules and log files, without a server. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/detect_ask.h"
#include "cmd/detect_correlate.h"
#include "cmd/detect_rules.h"
#include "cmd/print.h"
#include "cmd/tables.h"
#include "event/mapping.h"
#include "format/json.h"
#include "os/file.h"

#define LINE_BYTES   4194304 /* one line of output */
#define VALUE_SHOWN  1024    /* bytes of a field's value */
#define FIELDS_SHOWN 32

/* ---- compile, check ---- */

struct writing {
	const struct yg_detect *engine;
	uint64_t generation, bytes;
	yg_wall created;
};

static yg_status write_snapshot(void *ctx, int fd, struct yg_err *err)
{
	struct writing *w = ctx;
	return yg_detect_write(w->engine, fd, w->generation, w->created, &w->bytes, err);
}

static void print_counts(const struct yg_cli *cli, const struct yg_rule_counts *n, uint64_t bytes)
{
	json_t *o = json_pack("{s:I, s:I, s:I, s:I, s:I}", "files", (json_int_t)n->files, "rules",
			      (json_int_t)n->rules, "correlations", (json_int_t)n->correlations,
			      "filters", (json_int_t)n->filters, "refused", (json_int_t)n->refused);
	if (bytes > 0)
		(void)json_object_set_new(o, "bytes", json_integer((json_int_t)bytes));
	yg_print_object(cli, o);
	json_decref(o);
}

static int run_compile(struct yg_cli *cli)
{
	struct yg_err err;
	struct yg_rule_counts counts;
	struct yg_rule_correlations correlations;
	struct yg_correlating *correlating = NULL;
	struct yg_detect *engine = NULL;
	const char *out = yg_cli_get(cli, "out"), *given = yg_cli_get(cli, "generation");
	struct writing w = {.created = yg_env_wall(yg_cli_env(cli))};
	w.generation = (uint64_t)(w.created.us / YG_US_PER_S);
	if (given != NULL && yg_parse_u64(yg_sv_of(given), &w.generation, &err) != YG_OK)
		return yg_cli_usage(cli, "--generation is a number");
	yg_status st = yg_rules_load(cli, yg_cli_get(cli, "rules"), false, &engine, &correlations,
				     &counts, &err);
	w.engine = engine;
	if (st == YG_OK) /* those that cannot be are told */
		st = yg_correlating_new(cli, engine, &correlations, &counts, NULL, NULL,
					&correlating, &err);
	yg_correlating_free(correlating);
	if (st == YG_OK && out != NULL)
		st = yg_file_make(out, 0644, write_snapshot, &w, &err);
	yg_detect_free(engine);
	yg_rule_correlations_free(&correlations);
	if (st != YG_OK)
		return yg_cli_fail(&err);
	print_counts(cli, &counts, w.bytes);
	return counts.refused > 0 ? 3 : 0;
}

/* ---- run ---- */

struct running {
	const struct yg_cli *cli;
	struct yg_detect *engine;   /* owned */
	struct yg_mapping *mapping; /* owned */
	struct yg_ask *ask;         /* owned */
	struct yg_buf line;         /* owned */
	struct yg_detect_logsource own;
	struct yg_rule_counts counts;
	struct yg_rule_correlations correlations; /* owned */
	struct yg_correlating *correlating;       /* owned; NULL: there are none */
	size_t file;                              /* argument that is read */
};

static void running_free(struct running *r)
{
	yg_ask_free(r->ask);
	yg_correlating_free(r->correlating);
	yg_rule_correlations_free(&r->correlations);
	yg_detect_free(r->engine);
	yg_mapping_free(r->mapping);
	yg_buf_free(&r->line);
}

static void put_fields(struct yg_buf *b, const struct yg_ask_hit *hit)
{
	struct yg_sv fields[FIELDS_SHOWN], value;
	size_t n = yg_detect_fields(hit->eval, hit->rule, fields, FIELDS_SHOWN);
	bool first = true;
	yg_buf_put(b, YG_SV(",\"fields\":{"));
	for (size_t i = 0; i < n; i++) {
		if (!yg_detect_value(hit->event, fields[i], &value))
			continue;
		if (!first)
			yg_buf_putc(b, ',');
		first = false;
		yg_json_put_str(b, fields[i]);
		yg_buf_putc(b, ':');
		yg_json_put_str(b, yg_sv_sub(value, 0, VALUE_SHOWN));
	}
	yg_buf_putc(b, '}');
}

static void put_member(struct yg_buf *b, const char *name, struct yg_sv value)
{
	yg_buf_printf(b, "\"%s\":", name);
	yg_json_put_str(b, value);
}

static void put_json(struct yg_buf *b, const struct yg_detect_about *about,
		     const struct yg_ask_hit *hit)
{
	char time[40];
	struct yg_sb t = yg_sb_init(time, sizeof time);
	yg_time_format(&t, (yg_wall){hit->event->time});
	yg_buf_putc(b, '{');
	put_member(b, "rule", about->id);
	yg_buf_putc(b, ',');
	put_member(b, "title", about->title);
	yg_buf_putc(b, ',');
	put_member(b, "level", yg_sv_of(yg_rule_level_name(about->level)));
	yg_buf_putc(b, ',');
	put_member(b, "rule_file", about->file);
	yg_buf_putc(b, ',');
	put_member(b, "file", yg_sv_of(hit->file));
	yg_buf_printf(b, ",\"record\":%llu,", (unsigned long long)hit->record);
	put_member(b, "time", yg_sb_sv(&t));
	put_fields(b, hit);
	yg_buf_put(b, YG_SV("}\n"));
}

static void put_text(struct yg_buf *b, const struct yg_detect_about *about,
		     const struct yg_ask_hit *hit)
{
	char safe[2048];
	struct yg_sb s = yg_sb_init(safe, sizeof safe);
	struct yg_sv fields[FIELDS_SHOWN], value;
	size_t n = yg_detect_fields(hit->eval, hit->rule, fields, FIELDS_SHOWN);
	yg_sb_put_untrusted(&s, yg_sv_sub(about->title, 0, 200));
	for (size_t i = 0; i < n; i++) {
		if (!yg_detect_value(hit->event, fields[i], &value))
			continue;
		yg_sb_put(&s, YG_SV("  "));
		yg_sb_put_untrusted(&s, yg_sv_sub(fields[i], 0, 60));
		yg_sb_putc(&s, '=');
		yg_sb_put_untrusted(&s, yg_sv_sub(value, 0, 100));
	}
	yg_buf_printf(b, "%s:%llu: %s: %s\n", hit->file, (unsigned long long)hit->record,
		      yg_rule_level_name(about->level), yg_sb_cstr(&s));
}

static void on_hit(void *ctx, const struct yg_ask_hit *hit)
{
	struct running *r = ctx;
	if (r->correlating != NULL && !yg_correlating_take(r->correlating, hit, r->file))
		return;
	const struct yg_detect_about about = yg_detect_about(r->engine, hit->rule);
	r->line.n = 0;
	r->line.bad = false;
	if (yg_cli_json(r->cli))
		put_json(&r->line, &about, hit);
	else
		put_text(&r->line, &about, hit);
	(void)fwrite(r->line.p, 1, r->line.n, stdout);
}

static yg_status open_engine(struct running *r, struct yg_err *err)
{
	const char *rules = yg_cli_get(r->cli, "rules"), *snap = yg_cli_get(r->cli, "snapshot");
	if ((rules == NULL) == (snap == NULL))
		return YG_FAIL(err, YG_INVAL, "one of --rules and --snapshot is needed");
	if (rules != NULL) {
		yg_status st = yg_rules_load(r->cli, rules, false, &r->engine, &r->correlations,
					     &r->counts, err);
		if (st == YG_OK && r->counts.rules == 0)
			st = YG_FAIL(err, YG_NOTFOUND, "%s: no rule that can be used", rules);
		return st == YG_OK
			       ? yg_correlating_new(r->cli, r->engine, &r->correlations, &r->counts,
						    NULL, NULL, &r->correlating, err)
			       : st;
	}
	YG_AUTO(yg_fd_close) int fd = open(snap, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return YG_FAIL_OS(err, errno, "%s", snap);
	yg_status st = yg_detect_open_fd(fd, 0, &r->engine, err);
	if (st == YG_OK)
		st = yg_rules_correlations(r->engine, &r->correlations, &r->counts, err);
	if (st == YG_OK)
		st = yg_correlating_new(r->cli, r->engine, &r->correlations, &r->counts, NULL, NULL,
					&r->correlating, err);
	if (st != YG_OK)
		yg_err_wrap(err, "%s: ", snap);
	return st;
}

static yg_status read_mapping(struct running *r, enum yg_source source, struct yg_err *err)
{
	const char *file = yg_cli_get(r->cli, "mapping");
	struct yg_buf text;
	if (file == NULL)
		return YG_OK;
	if (source != YG_SOURCE_NDJSON)
		return YG_FAIL(err, YG_INVAL, "only source ndjson takes a mapping");
	yg_buf_init(&text, YG_MAPPING_BYTES_MAX);
	yg_status st = yg_file_read(file, YG_MAPPING_BYTES_MAX, &text, err);
	if (st == YG_OK)
		st = yg_mapping_read(yg_buf_sv(&text), file, &r->mapping, err);
	yg_buf_free(&text);
	return st;
}

static yg_status start(struct running *r, struct yg_err *err)
{
	enum yg_source source;
	struct yg_sv name;
	const char *words[] = {yg_cli_get(r->cli, "category"), yg_cli_get(r->cli, "product"),
			       yg_cli_get(r->cli, "service")};
	yg_status st = yg_source_parse(yg_sv_of(yg_cli_get(r->cli, "source")), &source, &name, err);
	if (st == YG_OK)
		st = read_mapping(r, source, err);
	if (st == YG_OK)
		st = open_engine(r, err);
	if (st != YG_OK)
		return st;
	r->own = (struct yg_detect_logsource){yg_sv_of(words[0]), yg_sv_of(words[1]),
					      yg_sv_of(words[2])};
	bool known = words[0] != NULL || words[1] != NULL || words[2] != NULL;
	const struct yg_ask_opts opts = {.engine = r->engine,
					 .source = source,
					 .mapping = r->mapping,
					 .own = known ? &r->own : NULL,
					 .hit = on_hit,
					 .ctx = r};
	yg_buf_init(&r->line, LINE_BYTES);
	return yg_ask_new(r->cli, &opts, &r->ask, err);
}

static int run_run(struct yg_cli *cli)
{
	YG_AUTO(running_free) struct running r = {.cli = cli};
	struct yg_err err;
	int rc = 0;
	yg_status st = start(&r, &err);
	if (st != YG_OK)
		return st == YG_INVAL ? yg_cli_usage(cli, "%s", err.msg) : yg_cli_fail(&err);
	for (; r.file < yg_cli_argc(cli); r.file++)
		if (yg_ask_file(r.ask, yg_cli_arg(cli, r.file), &err) != YG_OK) {
			int one = yg_cli_fail(&err); /* the other files are still read */
			rc = rc != 0 ? rc : one;
		}
	if (r.correlating != NULL && yg_correlating_end(r.correlating, &err) != YG_OK)
		rc = yg_cli_fail(&err);
	if (fflush(stdout) != 0 || ferror(stdout) != 0) {
		(void)YG_FAIL_OS(&err, errno, "standard output");
		return yg_cli_fail(&err);
	}
	struct yg_ask_counts n = yg_ask_counts(r.ask);
	yg_note(cli, "%llu records, %llu of them not parsed, %llu matches\n",
		(unsigned long long)n.records, (unsigned long long)n.unparsed,
		(unsigned long long)n.hits);
	return rc;
}

static const struct yg_opt compile_opts[] = {
	{"rules", 0, YG_OPT_FILE, "DIR", true, "Folder of Sigma rules, or one file.",
	 "Sigma ルールのフォルダー、または一つのファイル。"},
	{"out", 0, YG_OPT_FILE, "SNAP", true, "Snapshot to write.", "書き出すスナップショット。"},
	YG_O_FILE("values", "FILE", "Values of placeholders: YAML, a name and a text or a list.",
		  "プレースホルダーの値(YAML、名前と文字列またはリスト)。"),
	YG_O_VALUE("generation", "N", "Generation of the snapshot (default: seconds since 1970).",
		   "スナップショットの世代(既定は 1970 年からの秒数)。"),
	YG_OPTS_END};
static const struct yg_opt check_opts[] = {
	{"rules", 0, YG_OPT_FILE, "DIR", true, "Folder of Sigma rules, or one file.",
	 "Sigma ルールのフォルダー、または一つのファイル。"},
	YG_O_FILE("values", "FILE", "Values of placeholders: YAML, a name and a text or a list.",
		  "プレースホルダーの値(YAML、名前と文字列またはリスト)。"),
	YG_OPTS_END};
static const struct yg_opt run_opts[] = {
	YG_O_FILE("rules", "DIR", "Folder of Sigma rules, or one file.",
		  "Sigma ルールのフォルダー、または一つのファイル。"),
	YG_O_FILE("values", "FILE", "Values of placeholders: YAML, a name and a text or a list.",
		  "プレースホルダーの値(YAML、名前と文字列またはリスト)。"),
	YG_O_FILE("snapshot", "SNAP", "Snapshot of rules, in the place of --rules.",
		  "ルールのスナップショット(--rules の代わり)。"),
	YG_O_NEEDED("source", "SOURCE",
		    "suricata, zeek, syslog, cloudtrail, windows, ocsf, dnstap, evtx or ndjson.",
		    "suricata、zeek、syslog、cloudtrail、windows、ocsf、dnstap、evtx、ndjson。"),
	YG_O_FILE("mapping", "FILE", "Mapping file, for ndjson (default: its own fields).",
		  "ndjson のマッピングファイル(既定は記録自身の項目)。"),
	YG_O_VALUE("category", "WORD", "Category of the log source, in the place of the table's.",
		   "ログソースの category(表の代わり)。"),
	YG_O_VALUE("product", "WORD", "Product of the log source, in the place of the table's.",
		   "ログソースの product(表の代わり)。"),
	YG_O_VALUE("service", "WORD", "Service of the log source, in the place of the table's.",
		   "ログソースの service(表の代わり)。"),
	YG_OPTS_END};

const struct yg_cmd yg_cmds_detect[] = {
	{.noun = "detect",
	 .verb = "check",
	 .opts = check_opts,
	 .doc = "Say which Sigma rules cannot be used, and why, offline.",
	 .doc_ja = "使えない Sigma ルールとその理由を示す(サーバー不要)。",
	 .more = "Every document that is refused is named on standard error with its file, line and "
		 "reason; then the exit status is 3.  The others are compiled as detect compile would.",
	 .run = run_compile},
	{.noun = "detect",
	 .verb = "compile",
	 .opts = compile_opts,
	 .doc = "Compile Sigma rules into a snapshot, offline.",
	 .doc_ja = "Sigma ルールをスナップショットにする(サーバー不要)。",
	 .more = "A rule that is refused is named as by detect check and left out; then the exit status "
		 "is 3.  Filters narrow the rules they name.  The files that have correlations are in the "
		 "snapshot as they are.",
	 .run = run_compile},
	{.noun = "detect",
	 .verb = "run",
	 .args = "FILE...",
	 .args_min = 1,
	 .args_max = SIZE_MAX,
	 .opts = run_opts,
	 .doc = "Say which Sigma rules the records of log files match, offline.",
	 .doc_ja = "ログファイルの記録がどの Sigma ルールに合うかを示す(サーバー不要)。",
	 .more = "Prints one line per match; with --json one object with rule, title, level, file, record, "
		 "time and the fields that matched.  Correlations are evaluated over all files "
		 "in the order of the records' times, and printed at the end; a rule that one refers to is "
		 "then not printed by itself, unless it says generate.  Files may be packed by gzip or "
		 "zstd; - is standard input.  Of records that cannot be parsed the first reasons are told.  Log sources and fields are those of doc/detect.md; a record's own fields are there "
		 "too.",
	 .run = run_run},
	{.noun = NULL},
};
