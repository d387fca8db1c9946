/* detect_test_rules.c - `detect test`: rules beside records that must and must not match. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/detect_ask.h"
#include "cmd/detect_rules.h"
#include "cmd/print.h"
#include "cmd/tables.h"

struct testing {
	const struct yg_cli *cli;
	struct yg_arena names; /* owned */
	const char *file;      /* of samples */
	bool want;             /* its records are to match */
	uint64_t rules, without, records, failed, refused;
};

static void testing_free(struct testing *t)
{
	yg_arena_free(&t->names);
}

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

static yg_status test_samples(struct testing *t, const struct yg_detect *engine,
			      struct yg_sv source, struct yg_err *err)
{
	const struct yg_detect_about about = yg_detect_about(engine, 0);
	struct yg_ask_opts opts = {.engine = engine, .hit = on_hit, .record = on_record, .ctx = t};
	struct yg_ask *ask = NULL;
	struct yg_sv mapping;
	yg_status st = yg_source_parse(source, &opts.source, &mapping, err);
	if (opts.source == YG_SOURCE_NDJSON) /* records of the rule's own log source */
		opts.own = &about.logsource;
	if (st == YG_OK)
		st = yg_ask_new(t->cli, &opts, &ask, err);
	if (st == YG_OK)
		st = yg_ask_file(ask, t->file, err);
	yg_ask_free(ask);
	if (st != YG_OK)
		yg_err_wrap(err, "%s: ", t->file);
	return st;
}

/* "NAME.SOURCE.match" or "NAME.SOURCE.nomatch" beside NAME.yml: the source; else empty. */
static struct yg_sv samples_of(struct yg_sv stem, struct yg_sv name, bool *want)
{
	static const struct yg_sv ends[] = {YG_SV_INIT(".match"), YG_SV_INIT(".nomatch")};
	for (size_t i = 0; i < YG_LEN(ends); i++)
		if (yg_sv_starts(name, stem) && yg_sv_ends(name, ends[i]) &&
		    name.n > stem.n + 1 + ends[i].n && name.p[stem.n] == '.') {
			*want = i == 0;
			return yg_sv_sub(name, stem.n + 1, name.n - stem.n - 1 - ends[i].n);
		}
	return YG_SV("");
}

static yg_status test_beside(struct testing *t, const char *rule, const struct yg_detect *engine,
			     struct yg_err *err)
{
	struct yg_sv path = yg_sv_of(rule);
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
	yg_status st = d != NULL ? YG_OK : YG_FAIL_OS(err, errno, "%s", rule);
	for (struct dirent *e; st == YG_OK && (e = readdir(d)) != NULL;) { /* NOLINT: one thread */
		struct yg_sv source = samples_of(stem, yg_sv_of(e->d_name), &t->want);
		if (source.n == 0)
			continue;
		struct yg_sb b;
		char name[4096];
		b = yg_sb_init(name, sizeof name);
		yg_sb_put(&b, dir);
		yg_sb_put(&b, yg_sv_of(e->d_name));
		t->file = yg_sb_cstr(&b);
		samples++;
		st = test_samples(t, engine, source, err);
	}
	if (d != NULL)
		(void)closedir(d);
	t->without += samples == 0;
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
		struct yg_detect *engine = NULL;
		struct yg_rule_correlations correlations;
		struct yg_rule_counts n;
		st = yg_rules_load(cli, files[i], &engine, &correlations, &n, &err);
		yg_rule_correlations_free(&correlations);
		t.rules += n.rules;
		t.refused += n.refused;
		if (st == YG_OK && n.rules > 0)
			st = test_beside(&t, files[i], engine, &err);
		yg_detect_free(engine);
	}
	if (st != YG_OK)
		return yg_cli_fail(&err);
	json_t *o = json_pack("{s:I, s:I, s:I, s:I, s:I}", "rules", (json_int_t)t.rules,
			      "files_without_samples", (json_int_t)t.without, "records",
			      (json_int_t)t.records, "failed", (json_int_t)t.failed, "refused",
			      (json_int_t)t.refused);
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
		 "of the log source of the file's first rule.  Every record that is not as it must be is "
		 "printed; then the exit status is 1.",
	 .run = run_test},
	{.noun = NULL},
};
