/* detect_test_rules.c - `detect test`: rules beside records that must and must not match. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/detect_ask.h"
#include "cmd/detect_correlate.h"
#include "cmd/detect_rules.h"
#include "cmd/print.h"
#include "cmd/tables.h"

struct testing {
	const struct yg_cli *cli;
	struct yg_arena names;          /* owned */
	const char *rule;               /* the file at hand */
	const char *file;               /* of samples */
	bool want;                      /* its records are to match; its correlations are to hold */
	struct yg_detect_logsource own; /* of the file's first rule; borrowed of its engine */
	bool has_own;
	/* all rules together, for correlations */
	struct yg_detect *all;                    /* owned */
	struct yg_rule_correlations correlations; /* owned */
	uint64_t held;                            /* correlations of the file at hand */
	uint64_t rules, correlation_n, without, records, failed, refused;
};

static void testing_free(struct testing *t)
{
	yg_detect_free(t->all);
	yg_rule_correlations_free(&t->correlations);
	yg_arena_free(&t->names);
}

/* ---- one rule after the other: every record ---- */

static void on_hit(void *ctx, const struct yg_ask_hit *hit)
{
	(void)ctx; /* how many there were is told with the record */
	(void)hit;
}

static void on_record(void *ctx, uint64_t record, uint64_t hits)
{
	struct testing *t = ctx;
	t->records++;
	if ((hits > 0) == t->want)
		return;
	t->failed++;
	(void)printf("%s:%llu: %s\n", t->file, (unsigned long long)record,
		     t->want ? "matches no rule, and must" : "matches, and must not");
}

static yg_status asked_as(const struct testing *t, struct yg_sv source, struct yg_ask_opts *opts,
			  struct yg_err *err)
{
	struct yg_sv mapping;
	yg_status st = yg_source_parse(source, &opts->source, &mapping, err);
	if (opts->source == YG_SOURCE_NDJSON && t->has_own) /* of the rule's own log source */
		opts->own = &t->own;
	return st;
}

static yg_status test_samples(struct testing *t, const struct yg_detect *engine,
			      struct yg_sv source, struct yg_err *err)
{
	struct yg_ask_opts opts = {.engine = engine, .hit = on_hit, .record = on_record, .ctx = t};
	struct yg_ask *ask = NULL;
	yg_status st = asked_as(t, source, &opts, err);
	if (st == YG_OK)
		st = yg_ask_new(t->cli, &opts, &ask, err);
	if (st == YG_OK)
		st = yg_ask_file(ask, t->file, err);
	yg_ask_free(ask);
	return st;
}

/* ---- correlations: all records of a file together ---- */

static void on_held(void *ctx, const char *file, const struct yg_sigma_rule *rule)
{
	struct testing *t = ctx;
	if (strcmp(file, t->rule) != 0)
		return;
	t->held++;
	if (!t->want)
		(void)printf("%s: '" YG_SV_FMT "' holds, and must not\n", t->file,
			     YG_SV_ARG(yg_sv_sub(rule->title, 0, 200)));
}

static void on_taken(void *ctx, const struct yg_ask_hit *hit)
{
	(void)yg_correlating_take(ctx, hit, 0);
}

static yg_status test_together(struct testing *t, struct yg_sv source, struct yg_err *err)
{
	struct yg_correlating *c = NULL;
	struct yg_rule_counts counts = {0, 0, 0, 0, 0};
	struct yg_ask_opts opts = {.engine = t->all, .hit = on_taken};
	struct yg_ask *ask = NULL;
	t->held = 0;
	yg_status st = asked_as(t, source, &opts, err);
	if (st == YG_OK)
		st = yg_correlating_new(t->cli, t->all, &t->correlations, &counts, on_held, t, &c,
					err);
	opts.ctx = c;
	if (st == YG_OK && c != NULL)
		st = yg_ask_new(t->cli, &opts, &ask, err);
	if (ask != NULL)
		st = yg_ask_file(ask, t->file, err);
	if (st == YG_OK && c != NULL)
		st = yg_correlating_end(c, err);
	t->records += ask != NULL ? yg_ask_counts(ask).records : 0;
	yg_ask_free(ask);
	yg_correlating_free(c);
	if (st == YG_OK && t->want && t->held == 0)
		(void)printf("%s: no correlation holds, and one must\n", t->file);
	t->failed += st == YG_OK && (t->held > 0) != t->want;
	return st;
}

/* ---- what stands beside a file of rules ---- */

static const struct sample_kind {
	struct yg_sv end;
	bool together, want;
} kinds[] = {{YG_SV_INIT(".match"), false, true},
	     {YG_SV_INIT(".nomatch"), false, false},
	     {YG_SV_INIT(".correlate"), true, true},
	     {YG_SV_INIT(".nocorrelate"), true, false}};

/* "NAME.SOURCE.match" and the like beside NAME.yml: the source; else empty. */
static struct yg_sv samples_of(struct yg_sv stem, struct yg_sv name,
			       const struct sample_kind **kind)
{
	for (size_t i = 0; i < YG_LEN(kinds); i++)
		if (yg_sv_starts(name, stem) && yg_sv_ends(name, kinds[i].end) &&
		    name.n > stem.n + 1 + kinds[i].end.n && name.p[stem.n] == '.') {
			*kind = &kinds[i];
			return yg_sv_sub(name, stem.n + 1, name.n - stem.n - 1 - kinds[i].end.n);
		}
	return YG_SV("");
}

static yg_status test_one(struct testing *t, const struct yg_detect *engine,
			  const struct sample_kind *kind, struct yg_sv source, struct yg_err *err)
{
	t->want = kind->want;
	yg_status st = kind->together ? test_together(t, source, err)
				      : test_samples(t, engine, source, err);
	if (st != YG_OK)
		yg_err_wrap(err, "%s: ", t->file);
	return st;
}

/* Samples of the file at hand: of its rules, or (engine NULL) of its correlations. */
static yg_status test_beside(struct testing *t, const struct yg_detect *engine, struct yg_err *err)
{
	struct yg_sv path = yg_sv_of(t->rule);
	size_t slash = path.n;
	while (slash > 0 && path.p[slash - 1] != '/')
		slash--;
	struct yg_sv file = yg_sv_sub(path, slash, path.n), stem = file;
	while (stem.n > 0 && stem.p[stem.n - 1] != '.')
		stem.n--;
	stem.n -= stem.n > 0;
	struct yg_sv dir =
		yg_arena_dup(&t->names, slash > 0 ? yg_sv_sub(path, 0, slash) : YG_SV("./"));
	DIR *d = dir.p != NULL ? opendir(dir.p) : NULL;
	uint64_t samples = 0;
	yg_status st = d != NULL ? YG_OK : YG_FAIL_OS(err, errno, "%s", t->rule);
	for (struct dirent *e; st == YG_OK && (e = readdir(d)) != NULL;) { /* NOLINT: one thread */
		const struct sample_kind *kind = NULL;
		struct yg_sv source = samples_of(stem, yg_sv_of(e->d_name), &kind);
		if (source.n == 0 || kind->together != (engine == NULL))
			continue;
		struct yg_sb b;
		char name[4096];
		b = yg_sb_init(name, sizeof name);
		yg_sb_put(&b, dir);
		yg_sb_put(&b, yg_sv_of(e->d_name));
		t->file = yg_sb_cstr(&b);
		samples++;
		st = test_one(t, engine, kind, source, err);
	}
	if (d != NULL)
		(void)closedir(d);
	t->without += samples == 0;
	return st;
}

/* Rules by the records beside them; correlations are left for when all rules are there. */
static yg_status test_rules(struct testing *t, struct yg_err *err)
{
	struct yg_detect *engine = NULL;
	struct yg_rule_correlations correlations;
	struct yg_rule_counts n;
	yg_status st = yg_rules_load(t->cli, t->rule, false, &engine, &correlations, &n, err);
	yg_rule_correlations_free(&correlations);
	t->rules += n.rules;
	t->correlation_n += n.correlations;
	t->refused += n.refused;
	t->has_own = n.rules > 0;
	if (st == YG_OK && n.rules > 0) {
		t->own = yg_detect_about(engine, 0).logsource;
		st = test_beside(t, engine, err);
	}
	yg_detect_free(engine);
	return st;
}

static bool has_correlation(const struct testing *t)
{
	for (size_t i = 0; i < t->correlations.count; i++)
		if (strcmp(t->correlations.files[i], t->rule) == 0)
			return true;
	return false;
}

/* The log source of the file's first rule, as the engine of all rules has it. */
static void find_own(struct testing *t)
{
	size_t n = yg_detect_rule_count(t->all);
	t->has_own = false;
	for (size_t i = 0; !t->has_own && i < n; i++) {
		const struct yg_detect_about about = yg_detect_about(t->all, (uint32_t)i);
		t->has_own = yg_sv_eq(about.file, yg_sv_of(t->rule));
		t->own = about.logsource;
	}
}

static yg_status test_correlations(struct testing *t, const char **files, size_t count,
				   struct yg_err *err)
{
	struct yg_rule_counts n;
	struct yg_correlating *c = NULL;
	yg_status st = yg_rules_load(t->cli, yg_cli_arg(t->cli, 0), true, &t->all, &t->correlations,
				     &n, err);
	n.refused = 0; /* told already; those that cannot be are told now */
	if (st == YG_OK)
		st = yg_correlating_new(t->cli, t->all, &t->correlations, &n, NULL, NULL, &c, err);
	yg_correlating_free(c);
	t->refused += n.refused;
	for (size_t i = 0; st == YG_OK && i < count; i++) {
		t->rule = files[i];
		if (!has_correlation(t))
			continue;
		find_own(t);
		st = test_beside(t, NULL, err);
	}
	return st;
}

static int run_test(struct yg_cli *cli)
{
	YG_AUTO(testing_free) struct testing t = {.cli = cli};
	struct yg_err err;
	const char **files = NULL;
	size_t count = 0;
	yg_arena_init(&t.names, (size_t)128 << 20);
	yg_status st = yg_rule_files(yg_cli_arg(cli, 0), &t.names, &files, &count, &err);
	for (size_t i = 0; st == YG_OK && i < count; i++) {
		t.rule = files[i];
		st = test_rules(&t, &err);
	}
	if (st == YG_OK && t.correlation_n > 0)
		st = test_correlations(&t, files, count, &err);
	if (st != YG_OK)
		return yg_cli_fail(&err);
	json_t *o = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "rules", (json_int_t)t.rules,
			      "correlations", (json_int_t)t.correlation_n, "files_without_samples",
			      (json_int_t)t.without, "records", (json_int_t)t.records, "failed",
			      (json_int_t)t.failed, "refused", (json_int_t)t.refused);
	yg_print_object(cli, o);
	json_decref(o);
	return t.failed > 0 ? 1 : t.refused > 0 ? 3 : 0;
}

static const struct yg_opt opts[] = {
	YG_O_FILE("values", "FILE", "Values of placeholders: YAML, a name and a text or a list.",
		  "プレースホルダーの値(YAML、名前と文字列またはリスト)。"),
	YG_OPTS_END};

const struct yg_cmd yg_cmds_detect_test[] = {
	{.noun = "detect",
	 .verb = "test",
	 .args = "DIR",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = opts,
	 .doc = "Test Sigma rules by records beside them, offline.",
	 .doc_ja = "横に置いた記録で Sigma ルールを試す(サーバー不要)。",
	 .more = "Beside NAME.yml the records of NAME.SOURCE.match must each match a rule of that file, and "
		 "those of NAME.SOURCE.nomatch none; SOURCE as for detect run.  Records of source ndjson are "
		 "of the log source of the file's first rule.  The records of NAME.SOURCE.correlate together must "
		 "make a correlation of that file hold, those of NAME.SOURCE.nocorrelate none; it may refer to rules "
		 "of other files in DIR.  Everything that is not as it must be is printed; then the exit status is 1.",
	 .run = run_test},
	{.noun = NULL},
};
