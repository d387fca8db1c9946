/* indicator_offline.c - `indicator compile` and `indicator match`: lists to a
 * snapshot, and log files against it, without a server. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/print.h"
#include "cmd/tables.h"
#include "event/mapping.h"
#include "event/split.h"
#include "format/json.h"
#include "intel/compile.h"
#include "intel/list.h"
#include "intel/match.h"
#include "os/file.h"

#define PLAIN_BYTES    1048576u
#define LINE_MAX_BYTES 1048576u /* one JSON line of output */

/* ---- files in pieces ---- */

/* "-" is standard input.  Pieces are whole blocks, so that the first holds the magic. */
static yg_status read_pieces(const char *file, yg_piece_fn piece, void *ctx, struct yg_err *err)
{
	bool standard = yg_sv_eq(yg_sv_of(file), YG_SV("-"));
	YG_AUTO(yg_fd_close) int own = standard ? -1 : open(file, O_RDONLY | O_CLOEXEC);
	int fd = standard ? STDIN_FILENO : own;
	if (fd < 0)
		return YG_FAIL_OS(err, errno, "%s", file);
	yg_status st = yg_fd_each(fd, piece, ctx, err);
	return st == YG_IO ? yg_err_wrap(err, "%s: ", file) : st;
}

/* ---- compile ---- */

struct compiling {
	const struct yg_cli *cli;
	const char *file;
	struct yg_intel_builder *builder; /* owned */
	struct yg_list_reader *list;      /* owned */
	uint64_t refused;
};

static void compiling_free(struct compiling *c)
{
	yg_intel_builder_free(c->builder);
	yg_list_free(c->list);
}

static yg_status add_entry(void *ctx, const struct yg_indicator *ind, uint64_t line,
			   struct yg_err *err)
{
	struct compiling *c = ctx;
	(void)line;
	return yg_intel_builder_add(c->builder, ind, err);
}

static void print_refused(void *ctx, uint64_t line, const char *reason, struct yg_sv text)
{
	const struct compiling *c = ctx;
	char safe[1024];
	struct yg_sb b = yg_sb_init(safe, sizeof safe);
	yg_sb_put_untrusted(&b, text);
	(void)fprintf(stderr, "%s:%llu: refused: %s: %s\n", c->file, (unsigned long long)line,
		      reason, yg_sb_cstr(&b));
}

static yg_status feed_list(void *ctx, struct yg_sv bytes, struct yg_err *err)
{
	return yg_list_feed(((struct compiling *)ctx)->list, bytes, err);
}

/* "intel/domains.csv.gz" is the list "domains". */
static struct yg_sv list_name(const char *file)
{
	const char *slash = strrchr(file, '/');
	struct yg_sv name = yg_sv_of(slash != NULL ? slash + 1 : file);
	size_t dot = yg_sv_find(name, '.', 1);
	return yg_sv_eq(name, YG_SV("-")) ? YG_SV("stdin") : yg_sv_sub(name, 0, dot);
}

static yg_status add_list(struct compiling *c, const struct yg_list_opts *opts, struct yg_err *err)
{
	yg_status st = yg_list_new(opts, &c->list, err);
	if (st == YG_OK)
		st = read_pieces(c->file, feed_list, c, err);
	if (st == YG_OK)
		st = yg_list_end(c->list, err);
	if (st != YG_OK)
		return st == YG_IO ? st : (yg_err_wrap(err, "%s: ", c->file), st);
	struct yg_list_counts n = yg_list_counts(c->list);
	yg_note(c->cli, "%s: %llu entries of %llu lines, %llu refused\n", c->file,
		(unsigned long long)n.entries, (unsigned long long)n.lines,
		(unsigned long long)n.refused);
	c->refused += n.refused;
	yg_list_free(c->list);
	c->list = NULL;
	return YG_OK;
}

static yg_status add_lists(const struct yg_cli *cli, struct compiling *c, struct yg_err *err)
{
	struct yg_list_opts opts = {.ctx = c, .entry = add_entry, .refused = print_refused};
	const char *format = yg_cli_get(cli, "format");
	enum yg_tlp tlp = YG_TLP_NONE;
	if (format != NULL && yg_list_format_parse(yg_sv_of(format), &opts.format) != YG_OK)
		return YG_FAIL(err, YG_INVAL, "--format is auto, csv, plain or hosts");
	if (yg_tlp_parse(yg_sv_of(yg_cli_get(cli, "tlp")), &tlp) != YG_OK)
		return YG_FAIL(err, YG_INVAL, "--tlp is clear, green, amber, amber+strict or red");
	opts.defaults.tlp = (uint8_t)tlp;
	opts.defaults.category = yg_sv_of(yg_cli_get(cli, "category"));
	opts.defaults.org = yg_sv_of(yg_cli_get(cli, "org"));
	opts.defaults.allow = yg_cli_has(cli, "allow");
	for (size_t i = 0; i < yg_cli_argc(cli); i++) {
		const char *name = yg_cli_nth(cli, "list-name", i);
		c->file = yg_cli_arg(cli, i);
		opts.defaults.list = name != NULL ? yg_sv_of(name) : list_name(c->file);
		yg_status st = add_list(c, &opts, err);
		if (st != YG_OK)
			return st;
	}
	return YG_OK;
}

struct writing {
	struct yg_intel_builder *builder;
	uint64_t generation;
	struct yg_intel_build_stats *stats;
};

static yg_status write_snapshot(void *ctx, int fd, struct yg_err *err)
{
	const struct writing *w = ctx;
	return yg_intel_builder_finish(w->builder, fd, w->generation, w->stats, err);
}

static void print_stats(const struct yg_cli *cli, const struct compiling *c, const char *out,
			const struct yg_intel_build_stats *s)
{
	double each = s->indicators > 0 ? (double)s->bytes / (double)s->indicators : 0;
	if (!yg_cli_json(cli)) {
		(void)printf(
			"%s: %llu indicators, %llu bytes (%.1f each), %llu merged, %llu refused\n",
			out, (unsigned long long)s->indicators, (unsigned long long)s->bytes, each,
			(unsigned long long)s->merged, (unsigned long long)c->refused);
		return;
	}
	json_t *types = json_object();
	for (unsigned t = 1; t < YG_IND_TYPE_COUNT; t++)
		(void)json_object_set_new(types, yg_indicator_type_name((enum yg_indicator_type)t),
					  json_integer((json_int_t)s->by_type[t]));
	json_t *o = json_pack("{s:s, s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:f}", "snapshot", out,
			      "indicators", (json_int_t)s->indicators, "by_type", types, "allow",
			      (json_int_t)s->allow, "merged", (json_int_t)s->merged, "refused",
			      (json_int_t)c->refused, "sources", (json_int_t)s->sources, "bytes",
			      (json_int_t)s->bytes, "bytes_per_indicator", each);
	yg_print_object(cli, o);
	json_decref(o);
}

static int run_compile(struct yg_cli *cli)
{
	YG_AUTO(compiling_free) struct compiling c = {.cli = cli};
	struct yg_err err;
	struct yg_intel_build_stats stats = {.indicators = 0};
	uint64_t generation = (uint64_t)(yg_env_wall(yg_cli_env(cli)).us / YG_US_PER_S);
	const char *given = yg_cli_get(cli, "generation"), *out = yg_cli_get(cli, "out");
	if (given != NULL && yg_parse_u64(yg_sv_of(given), &generation, &err) != YG_OK)
		return yg_cli_usage(cli, "--generation is a number");
	const struct yg_intel_build_opts opts = {.env = yg_cli_env(cli),
						 .force_suffix = yg_cli_has(cli, "force-suffix")};
	yg_status st = yg_intel_builder_new(&opts, &c.builder, &err);
	if (st == YG_OK)
		st = add_lists(cli, &c, &err);
	if (st == YG_OK)
		st = yg_file_make(out, 0644, write_snapshot,
				  &(struct writing){c.builder, generation, &stats}, &err);
	if (st != YG_OK)
		return yg_cli_fail(&err);
	print_stats(cli, &c, out, &stats);
	return 0;
}

/* ---- match ---- */

struct matching {
	const struct yg_cli *cli;
	const char *file;
	struct yg_sv org;
	yg_wall now;
	struct yg_intel *intel;     /* owned */
	struct yg_mapping *mapping; /* owned; NULL: none */
	struct yg_norm *norm;       /* owned */
	struct yg_match_set *sets;  /* owned: two */
	struct yg_split *split;     /* owned; one per file */
	struct yg_inflate *inflate; /* owned; one per file, NULL: plain */
	char *plain;                /* owned */
	struct yg_buf line;         /* owned */
	bool begun;
	uint64_t record; /* of this file, from 1 */
	uint64_t records, matches, unparsed;
};

static void file_done(struct matching *m)
{
	yg_split_free(m->split);
	yg_inflate_free(m->inflate);
	m->split = NULL;
	m->inflate = NULL;
}

static void matching_free(struct matching *m)
{
	file_done(m);
	yg_intel_close(m->intel);
	yg_norm_free(m->norm);
	yg_mapping_free(m->mapping);
	free(m->sets);
	free(m->plain);
	yg_buf_free(&m->line);
}

static void put_member(struct yg_buf *b, const char *name, struct yg_sv value)
{
	yg_buf_printf(b, ",\"%s\":", name);
	yg_json_put_str(b, value);
}

/* The value a match stands on, as text; addresses are not text in the event. */
static struct yg_sv value_text(const struct yg_event *ev, const struct yg_match *match,
			       struct yg_sb *b)
{
	const struct yg_event_field_info *f = &yg_event_fields[match->field];
	if (f->type != YG_ET_IP)
		return match->value;
	struct yg_ip ip;
	memcpy(&ip, (const char *)ev + f->offset, sizeof ip);
	yg_ip_format(b, ip);
	return yg_sb_sv(b);
}

static void put_json(struct matching *m, const struct yg_event *ev, const struct yg_match *match,
		     struct yg_sv value)
{
	struct yg_buf *b = &m->line;
	char time[40];
	struct yg_sb tb = yg_sb_init(time, sizeof time);
	yg_time_format(&tb, (yg_wall){ev->time});
	yg_buf_put(b, YG_SV("{\"indicator\":"));
	yg_json_put_str(b, match->indicator);
	put_member(b, "type", yg_sv_of(yg_indicator_type_name(match->type)));
	put_member(b, "list", match->list);
	yg_buf_put(b, YG_SV(",\"lists\":["));
	for (uint32_t i = 0; i < match->list_count; i++) {
		if (i > 0)
			yg_buf_putc(b, ',');
		yg_json_put_str(b, match->lists[i]);
	}
	yg_buf_putc(b, ']');
	put_member(b, "category", match->category);
	put_member(b, "family", match->family);
	yg_buf_printf(b, ",\"confidence\":%u,\"severity_id\":%u", match->confidence,
		      match->severity_id);
	put_member(b, "tlp", yg_sv_of(yg_tlp_name((enum yg_tlp)match->tlp)));
	put_member(b, "file", yg_sv_of(m->file));
	yg_buf_printf(b, ",\"record\":%llu", (unsigned long long)m->record);
	put_member(b, "field", yg_sv_of(yg_event_fields[match->field].name));
	put_member(b, "value", value);
	put_member(b, "time", yg_sb_sv(&tb));
	yg_buf_put(b, YG_SV("}\n"));
}

static void put_text(struct matching *m, const struct yg_match *match, struct yg_sv value)
{
	char safe[4096];
	struct yg_sb s = yg_sb_init(safe, sizeof safe);
	yg_sb_put_untrusted(&s, yg_sv_sub(value, 0, 500));
	yg_sb_put(&s, YG_SV(" is "));
	yg_sb_put(&s, yg_sv_of(yg_indicator_type_name(match->type)));
	yg_sb_putc(&s, ' ');
	yg_sb_put_untrusted(&s, yg_sv_sub(match->indicator, 0, 500));
	yg_sb_put(&s, YG_SV(" ("));
	yg_sb_put_untrusted(&s, yg_sv_sub(match->list, 0, 80));
	yg_sb_put(&s, YG_SV(": "));
	yg_sb_put_untrusted(&s, yg_sv_sub(match->category, 0, 80));
	yg_sb_putc(&s, ' ');
	yg_sb_put_untrusted(&s, yg_sv_sub(match->family, 0, 80));
	yg_buf_printf(&m->line, "%s:%llu: %s %s)\n", m->file, (unsigned long long)m->record,
		      yg_event_fields[match->field].name, yg_sb_cstr(&s));
}

static void print_matches(struct matching *m, const struct yg_event *ev,
			  const struct yg_match_set *set)
{
	for (uint32_t i = 0; i < set->n; i++) {
		const struct yg_match *match = &set->m[i];
		char ip[YG_IP_TEXT_MAX];
		struct yg_sb b = yg_sb_init(ip, sizeof ip);
		struct yg_sv value = value_text(ev, match, &b);
		m->line.n = 0;
		m->line.bad = false;
		if (yg_cli_json(m->cli))
			put_json(m, ev, match, value);
		else
			put_text(m, match, value);
		(void)fwrite(m->line.p, 1, m->line.n, stdout);
	}
	m->matches += set->n + set->more;
}

static void finish_event(struct matching *m, const struct yg_event *ev, struct yg_match_set *set)
{
	m->record++;
	yg_intel_finish(m->intel, ev, m->now, set);
	if (set->n > 0)
		print_matches(m, ev, set);
}

/* One event ahead: while one is judged, the memory the next one needs arrives. */
static void match_batch(struct matching *m, const struct yg_split_batch *batch)
{
	struct yg_event ev[2];
	size_t n = 0;
	yg_norm_begin(m->norm, batch->bytes, m->now, false);
	for (; yg_norm_next(m->norm, &ev[n & 1]); n++) {
		ev[n & 1].org = m->org;
		yg_intel_prepare(m->intel, &ev[n & 1], &m->sets[n & 1]);
		if (n > 0)
			finish_event(m, &ev[(n - 1) & 1], &m->sets[(n - 1) & 1]);
	}
	if (n > 0)
		finish_event(m, &ev[(n - 1) & 1], &m->sets[(n - 1) & 1]);
	m->unparsed += yg_norm_unparsed(m->norm);
}

static void match_plain(struct matching *m, struct yg_sv bytes)
{
	struct yg_split_batch batch;
	while (yg_split_next(m->split, &bytes, &batch))
		match_batch(m, &batch);
}

static yg_status match_piece(void *ctx, struct yg_sv bytes, struct yg_err *err)
{
	struct matching *m = ctx;
	enum yg_encoding enc = m->begun ? YG_PLAIN : yg_encoding_sniff(bytes);
	yg_status st = YG_OK;
	m->begun = true;
	if (enc != YG_PLAIN)
		st = yg_inflate_new(enc, UINT64_MAX, &m->inflate, err);
	if (st == YG_OK && m->inflate == NULL)
		match_plain(m, bytes);
	while (st == YG_OK && m->inflate != NULL) {
		size_t n;
		st = yg_inflate(m->inflate, &bytes, m->plain, PLAIN_BYTES, &n, err);
		if (st == YG_OK && n == 0 && bytes.n == 0)
			break;
		if (st == YG_OK)
			match_plain(m, (struct yg_sv){m->plain, n});
	}
	return st;
}

static yg_status match_file(struct matching *m, enum yg_source source, struct yg_err *err)
{
	struct yg_split_batch batch;
	m->begun = false;
	m->record = 0;
	yg_status st = yg_split_new(source, 0, &m->split, err);
	if (st == YG_OK)
		st = read_pieces(m->file, match_piece, m, err);
	while (m->split != NULL &&
	       yg_split_end(m->split, &batch)) /* what was there, also of a cut file */
		match_batch(m, &batch);
	if (st == YG_OK && m->inflate != NULL && !yg_inflate_complete(m->inflate))
		st = YG_FAIL(err, YG_PARSE,
			     "the compressed file is cut short; what was there was matched");
	m->records += m->record;
	file_done(m);
	return st == YG_OK || st == YG_IO ? st : (yg_err_wrap(err, "%s: ", m->file), st);
}

static yg_status open_snapshot(const char *file, struct yg_intel **out, struct yg_err *err)
{
	YG_AUTO(yg_fd_close) int fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return YG_FAIL_OS(err, errno, "%s", file);
	yg_status st = yg_intel_open_fd(fd, 0, out, err);
	return st == YG_OK ? st : (yg_err_wrap(err, "%s: ", file), st);
}

static yg_status read_mapping(struct matching *m, const char *file, struct yg_err *err)
{
	struct yg_buf text;
	yg_buf_init(&text, YG_MAPPING_BYTES_MAX);
	yg_status st = yg_file_read(file, YG_MAPPING_BYTES_MAX, &text, err);
	if (st == YG_OK)
		st = yg_mapping_read(yg_buf_sv(&text), file, &m->mapping, err);
	yg_buf_free(&text);
	return st;
}

static yg_status begin_matching(struct matching *m, enum yg_source *source, struct yg_err *err)
{
	struct yg_sv mapping;
	const char *at = yg_cli_get(m->cli, "at"), *mapping_file = yg_cli_get(m->cli, "mapping");
	yg_status st =
		yg_source_parse(yg_sv_of(yg_cli_get(m->cli, "source")), source, &mapping, err);
	m->now = yg_env_wall(yg_cli_env(m->cli));
	m->org = yg_sv_of(yg_cli_get(m->cli, "org"));
	if (st == YG_OK && at != NULL)
		st = yg_time_parse(yg_sv_of(at), &m->now, err);
	if (st == YG_OK)
		st = open_snapshot(yg_cli_get(m->cli, "snapshot"), &m->intel, err);
	if (st == YG_OK && mapping_file != NULL)
		st = *source == YG_SOURCE_NDJSON
			     ? read_mapping(m, mapping_file, err)
			     : YG_FAIL(err, YG_INVAL, "only source ndjson takes a mapping");
	if (st == YG_OK)
		st = yg_norm_new(*source, m->mapping, &m->norm, err);
	if (st != YG_OK)
		return st;
	yg_buf_init(&m->line, LINE_MAX_BYTES);
	m->sets = malloc(2 * sizeof *m->sets);
	m->plain = malloc(PLAIN_BYTES);
	return m->sets != NULL && m->plain != NULL ? YG_OK
						   : YG_FAIL(err, YG_NOMEM, "match buffers");
}

static int run_match(struct yg_cli *cli)
{
	YG_AUTO(matching_free) struct matching m = {.cli = cli};
	struct yg_err err;
	enum yg_source source;
	int rc = 0;
	if (begin_matching(&m, &source, &err) != YG_OK)
		return yg_cli_fail(&err);
	for (size_t i = 0; i < yg_cli_argc(cli); i++) {
		m.file = yg_cli_arg(cli, i);
		if (match_file(&m, source, &err) != YG_OK) {
			int one = yg_cli_fail(&err); /* the other files are still read */
			rc = rc != 0 ? rc : one;
		}
	}
	if (fflush(stdout) != 0 || ferror(stdout) != 0) {
		(void)YG_FAIL_OS(&err, errno, "standard output");
		return yg_cli_fail(&err);
	}
	yg_note(cli, "%llu records, %llu of them not parsed, %llu matches\n",
		(unsigned long long)m.records, (unsigned long long)m.unparsed,
		(unsigned long long)m.matches);
	return rc;
}

static const struct yg_opt compile_opts[] = {
	{"out", 0, YG_OPT_FILE, "SNAP", true, "Snapshot to write.", "書き出すスナップショット。"},
	{"list-name", 0, YG_OPT_LIST, "NAME", false,
	 "Name of the list in the place of its file's; once per LIST, in their order.",
	 "リスト名(ファイル名の代わり)。LIST の順に一つずつ。"},
	YG_O_VALUE("format", "FORMAT", "auto, csv, plain or hosts (default auto).",
		   "auto、csv、plain、hosts のどれか(既定 auto)。"),
	YG_O_VALUE("category", "TEXT", "Category of entries that name none.",
		   "分類の書かれていない項目の分類。"),
	YG_O_VALUE("tlp", "TLP", "Marking of entries that have none.", "TLP 2.0 の区分(既定値)。"),
	YG_O_VALUE("org", "ORG", "Only for this organisation.", "この組織だけ。"),
	YG_O_FLAG("allow", "The lists are allow lists: they win over what they cover.",
		  "許可リストとして読む(許可が勝つ)。"),
	YG_O_FLAG("force-suffix", "Take entries that cover a whole public suffix.",
		  "公開サフィックス全体を覆う項目も受け入れる。"),
	YG_O_VALUE("generation", "N", "Generation of the snapshot (default: seconds since 1970).",
		   "スナップショットの世代(既定は 1970 年からの秒数)。"),
	YG_OPTS_END};
static const struct yg_opt match_opts[] = {
	{"snapshot", 0, YG_OPT_FILE, "SNAP", true, "Snapshot of indicators.",
	 "指標のスナップショット。"},
	{"source", 0, YG_OPT_VALUE, "SOURCE", true,
	 "What the files are: suricata, zeek, syslog, cloudtrail, windows, ocsf, dnstap, evtx, ndjson.",
	 "ファイルの種類。suricata、zeek、syslog、cloudtrail、windows、ocsf、dnstap、evtx。"},
	YG_O_FILE("mapping", "FILE", "Mapping file, for ndjson.", "ndjson のマッピングファイル。"),
	YG_O_VALUE("org", "ORG", "Match as this organisation's events.",
		   "この組織のイベントとして照合する。"),
	YG_O_VALUE("at", "TIME", "Indicators valid at this time (default now).",
		   "この時刻に有効な指標で照合する(既定は現在)。"),
	YG_OPTS_END};

const struct yg_cmd yg_cmds_indicator_offline[] = {
	{.noun = "indicator",
	 .verb = "compile",
	 .args = "LIST...",
	 .args_min = 1,
	 .args_max = SIZE_MAX,
	 .opts = compile_opts,
	 .doc = "Compile lists of indicators into a snapshot, offline.",
	 .doc_ja = "指標のリストをスナップショットにする(サーバー不要)。",
	 .more = "A list is CSV with a header (indicator,type,category,family and more), plain text or a "
		 "hosts file, plain or packed by gzip or zstd; - is standard input.  A line that is "
		 "refused is named on standard error with its number and the reason.",
	 .run = run_compile},
	{.noun = "indicator",
	 .verb = "match",
	 .args = "FILE...",
	 .args_min = 1,
	 .args_max = SIZE_MAX,
	 .opts = match_opts,
	 .doc = "Say which indicators of a snapshot log files hold, offline.",
	 .doc_ja = "ログファイルにある指標を示す(サーバー不要)。",
	 .more = "Prints one line per match; with --json one object with indicator, type, list, family, "
		 "file, record and field.  Files may be packed by gzip or zstd; - is standard input.",
	 .run = run_match},
	{.noun = NULL},
};
