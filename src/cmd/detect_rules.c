#include "cmd/detect_rules.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "detect/expand.h"
#include "detect/read.h"
#include "os/file.h"

enum { DEPTH_MAX = 32, ARENA = 128 << 20 };

struct loading {
	struct yg_arena names, file; /* owned: names of files, one file */
	const char **files;          /* owned, in `names` */
	size_t file_count, file_cap;
	const struct yg_sigma_rule **filters; /* owned */
	size_t filter_count, filter_cap;
	struct yg_detect_builder *builder;         /* owned */
	struct yg_rule_correlations *correlations; /* borrowed; its arena has the filters too */
	struct yg_rule_counts *counts;
	struct yg_sigma_values values; /* of placeholders; in the correlations' arena */
	struct yg_buf text;
	bool telling; /* second pass: what is refused is told once */
	bool quiet;   /* nor then */
};

static void loading_free(struct loading *l)
{
	yg_arena_free(&l->names);
	yg_arena_free(&l->file);
	yg_buf_free(&l->text);
	yg_detect_builder_free(l->builder);
	free(l->files);
	free(l->filters);
}

/* Room for one more pointer; false: no memory. */
static bool room(void *list, size_t *cap, size_t n)
{
	void **p;
	memcpy(&p, list, sizeof p);
	if (n < *cap)
		return true;
	size_t more = *cap > 0 ? *cap * 2 : 256;
	void **to = reallocarray(p, more, sizeof *to);
	if (to == NULL)
		return false;
	memcpy(list, &to, sizeof to);
	*cap = more;
	return true;
}

/* ---- files ---- */

static bool is_rule_file(const char *name)
{
	struct yg_sv s = yg_sv_of(name);
	return yg_sv_ends(s, YG_SV(".yml")) || yg_sv_ends(s, YG_SV(".yaml"));
}

static yg_status add_path(struct loading *l, const char *dir, const char *name, const char **out,
			  struct yg_err *err)
{
	struct yg_sv d = yg_sv_of(dir), n = yg_sv_of(name);
	char *p = yg_arena_alloc(&l->names, d.n + n.n + 2, 1);
	if (p == NULL || !room(&l->files, &l->file_cap, l->file_count))
		return YG_FAIL(err, YG_NOMEM, "no memory for the names of the rule files");
	(void)snprintf(p, d.n + n.n + 2, "%s%s%s", dir, n.n > 0 ? "/" : "", name);
	*out = p;
	return YG_OK;
}

/* The folder's files to the list; its folders to `dirs`. */
static yg_status list_dir(struct loading *l, const char *dir, const char ***dirs, size_t *dir_count,
			  size_t *dir_cap, struct yg_err *err)
{
	DIR *d = opendir(dir);
	yg_status st = d != NULL ? YG_OK : YG_FAIL_OS(err, errno, "%s", dir);
	for (struct dirent *e; st == YG_OK && (e = readdir(d)) != NULL;) { /* NOLINT: one thread */
		const char *path = NULL;
		struct stat info;
		if (e->d_name[0] == '.')
			continue;
		st = add_path(l, dir, e->d_name, &path, err);
		if (st != YG_OK || stat(path, &info) != 0)
			continue;
		if (S_ISREG(info.st_mode) && is_rule_file(e->d_name)) {
			if (l->file_count == YG_RULE_FILES_MAX)
				st = YG_FAIL(err, YG_LIMIT, "%s: more than %d rule files", dir,
					     YG_RULE_FILES_MAX);
			else
				l->files[l->file_count++] = path;
		} else if (S_ISDIR(info.st_mode)) {
			if (!room(dirs, dir_cap, *dir_count))
				st = YG_FAIL(err, YG_NOMEM, "no memory for the rule folders");
			else
				(*dirs)[(*dir_count)++] = path;
		}
	}
	if (d != NULL)
		(void)closedir(d);
	return st;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static yg_status find_files(struct loading *l, const char *path, struct yg_err *err)
{
	struct stat info;
	const char **dirs = NULL, *own = NULL;
	size_t count = 0, cap = 0;
	if (stat(path, &info) != 0)
		return YG_FAIL_OS(err, errno, "%s", path);
	yg_status st = add_path(l, path, "", &own, err);
	if (st == YG_OK && !S_ISDIR(info.st_mode)) {
		l->files[l->file_count++] = own;
		return YG_OK;
	}
	if (st == YG_OK)
		st = list_dir(l, own, &dirs, &count, &cap, err);
	for (size_t i = 0; st == YG_OK && i < count && i < YG_RULE_FILES_MAX; i++)
		st = list_dir(l, dirs[i], &dirs, &count, &cap, err);
	free(dirs);
	if (l->file_count > 0)
		qsort(l->files, l->file_count, sizeof *l->files, by_name);
	return st;
}

/* ---- documents ---- */

static void tell(void *ctx, const char *file, size_t line, const char *reason)
{
	struct loading *l = ctx;
	if (!l->telling)
		return;
	l->counts->refused++;
	/* a reason may name a line of its own, which is nearer than that of the document */
	struct yg_sv rest = yg_sv_of(reason), own;
	uint64_t nearer = line;
	if (yg_sv_starts(rest, YG_SV("line ")) && yg_sv_cut(&rest, ':', &own) &&
	    yg_parse_u64(yg_sv_sub(own, 5, own.n), &nearer, NULL) == YG_OK)
		reason = rest.p + 1;
	(void)fprintf(stderr, "%s:%llu: refused: %s\n", file, (unsigned long long)nearer, reason);
}

/* Refused as a whole; the message names file and, where there is one, line. */
static void tell_whole(struct loading *l, const char *file, const struct yg_err *err)
{
	if (!l->telling)
		return;
	struct yg_sv name = yg_sv_of(file), reason = yg_sv_of(err->msg);
	size_t at = 0;
	if (yg_sv_starts(reason, name)) {
		at = name.n;
		while (at < reason.n &&
		       (reason.p[at] == ':' || (reason.p[at] >= '0' && reason.p[at] <= '9')))
			at++;
		name = yg_sv_sub(reason, 0, at - (reason.p[at - 1] == ':'));
		reason = yg_sv_trim(yg_sv_sub(reason, at, reason.n));
	}
	l->counts->refused++;
	(void)fprintf(stderr, YG_SV_FMT ": refused: " YG_SV_FMT "\n", YG_SV_ARG(name),
		      YG_SV_ARG(reason));
}

/* The file's documents in `arena`; count 0 when it is refused as a whole. */
static yg_status read_file(struct loading *l, const char *file, struct yg_arena *arena,
			   struct yg_sigma_file *out, struct yg_err *err)
{
	struct yg_err own = {.code = YG_OK};
	*out = (struct yg_sigma_file){NULL, 0, 0};
	l->text.n = 0;
	yg_status st = yg_file_read(file, YG_SIGMA_FILE_MAX, &l->text, &own);
	if (st == YG_OK)
		st = yg_sigma_read(yg_buf_sv(&l->text), file, tell, l, arena, out, &own);
	if (st == YG_NOMEM)
		return YG_FAIL(err, YG_NOMEM, "%s", own.msg);
	if (st != YG_OK) {
		tell_whole(l, file, &own);
		out->count = 0;
	}
	return YG_OK;
}

static yg_status keep_correlation(struct yg_rule_correlations *c, struct yg_sv file,
				  const struct yg_sigma_rule *rule, struct yg_err *err)
{
	size_t cap = c->cap;
	const char *name = yg_arena_dup(&c->kept, file).p;
	if (name == NULL || !room(&c->files, &cap, c->count) || !room(&c->rules, &c->cap, c->count))
		return YG_FAIL(err, YG_NOMEM, "no memory for the correlations");
	c->files[c->count] = name;
	c->rules[c->count++] = rule;
	return YG_OK;
}

static yg_status keep_filter(struct loading *l, const struct yg_sigma_rule *rule,
			     struct yg_err *err)
{
	if (!room(&l->filters, &l->filter_cap, l->filter_count))
		return YG_FAIL(err, YG_NOMEM, "no memory for the filters");
	l->filters[l->filter_count++] = rule;
	return YG_OK;
}

/* The file's filters and correlations.  A file that has correlations goes with the snapshot. */
static yg_status keep(struct loading *l, const char *file, const struct yg_sigma_file *f,
		      struct yg_err *err)
{
	struct yg_rule_correlations *c = l->correlations;
	size_t had = c->count;
	yg_status st = YG_OK;
	for (size_t r = 0; st == YG_OK && r < f->count; r++) {
		if (f->rules[r].kind == YG_SIGMA_FILTER) {
			st = yg_sigma_expand(&f->rules[r], &l->values, &c->kept, err);
			if (st != YG_OK)
				yg_err_wrap(err, "%s: ", file);
			else
				st = keep_filter(l, &f->rules[r], err);
		} else if (f->rules[r].kind == YG_SIGMA_CORRELATION) {
			yg_detect_builder_reads(l->builder, &f->rules[r].correlation);
			st = keep_correlation(c, yg_sv_of(file), &f->rules[r], err);
		}
	}
	if (c->count > had)
		yg_detect_builder_file(l->builder, yg_sv_of(file), yg_buf_sv(&l->text));
	return st;
}

/* First pass: filters, which must be known before the rules they narrow, and correlations,
 * which are kept. */
static yg_status find_filters(struct loading *l, struct yg_err *err)
{
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < l->file_count; i++) {
		struct yg_sigma_file f;
		l->text.n = 0;
		if (yg_file_read(l->files[i], YG_SIGMA_FILE_MAX, &l->text, NULL) != YG_OK ||
		    (!yg_sv_has(yg_buf_sv(&l->text), YG_SV("filter:")) &&
		     !yg_sv_has(yg_buf_sv(&l->text), YG_SV("correlation:"))))
			continue;
		st = read_file(l, l->files[i], &l->correlations->kept, &f, err);
		if (st == YG_OK)
			st = keep(l, l->files[i], &f, err);
	}
	return st;
}

static yg_status add_rule(struct loading *l, const char *file, struct yg_sigma_rule *rule,
			  struct yg_err *err)
{
	struct yg_err own = {.code = YG_OK};
	const char *doubt = yg_sigma_doubt(rule);
	if (doubt != NULL && l->telling)
		(void)fprintf(stderr, "%s:%zu: note: %s\n", file, rule->line, doubt);
	if (rule->kind == YG_SIGMA_CORRELATION) {
		l->counts->correlations++;
		return YG_OK;
	}
	if (rule->kind == YG_SIGMA_FILTER) {
		l->counts->filters++;
		return YG_OK;
	}
	yg_status st = yg_sigma_expand(rule, &l->values, &l->file, &own);
	if (st == YG_OK)
		st = yg_detect_builder_add(l->builder, rule, yg_sv_of(file), l->filters,
					   l->filter_count, &own);
	if (st == YG_OK) {
		l->counts->rules++;
		return st;
	}
	if (st == YG_NOMEM)
		return YG_FAIL(err, YG_NOMEM, "%s", own.msg);
	tell(l, file, rule->line, own.msg);
	return YG_OK;
}

static yg_status add_rules(struct loading *l, struct yg_err *err)
{
	yg_status st = YG_OK;
	l->telling = !l->quiet;
	for (size_t i = 0; st == YG_OK && i < l->file_count; i++) {
		struct yg_sigma_file f;
		yg_arena_reset(&l->file);
		st = read_file(l, l->files[i], &l->file, &f, err);
		for (size_t r = 0; st == YG_OK && r < f.count; r++)
			st = add_rule(l, l->files[i], &f.rules[r], err);
	}
	return st;
}

yg_status yg_rule_files(const char *path, struct yg_arena *names, const char ***out, size_t *count,
			struct yg_err *err)
{
	YG_AUTO(loading_free) struct loading l = {.counts = NULL};
	yg_arena_init(&l.names, ARENA);
	yg_status st = find_files(&l, path, err);
	const char **list = st == YG_OK ? YG_NEW_N(names, const char *, l.file_count + 1) : NULL;
	for (size_t i = 0; list != NULL && i < l.file_count; i++)
		list[i] = yg_arena_dup(names, yg_sv_of(l.files[i])).p;
	if (st == YG_OK && (list == NULL || names->refused))
		st = YG_FAIL(err, YG_NOMEM, "no memory for the names of the rule files");
	*out = list;
	*count = l.file_count;
	return st;
}

static yg_status read_values(struct loading *l, const char *file, struct yg_err *err)
{
	if (file == NULL)
		return YG_OK;
	l->text.n = 0;
	yg_status st = yg_file_read(file, YG_SIGMA_FILE_MAX, &l->text, err);
	return st == YG_OK ? yg_sigma_values_read(yg_buf_sv(&l->text), file, &l->correlations->kept,
						  &l->values, err)
			   : st;
}

yg_status yg_rules_load(const struct yg_cli *cli, const char *path, bool quiet,
			struct yg_detect **out, struct yg_rule_correlations *correlations,
			struct yg_rule_counts *counts, struct yg_err *err)
{
	YG_AUTO(loading_free)
	struct loading l = {.counts = counts, .correlations = correlations, .quiet = quiet};
	*correlations = (struct yg_rule_correlations){.count = 0};
	*counts = (struct yg_rule_counts){0, 0, 0, 0, 0};
	yg_arena_init(&l.names, ARENA);
	yg_arena_init(&l.file, ARENA);
	yg_arena_init(&correlations->kept, ARENA);
	yg_buf_init(&l.text, YG_SIGMA_FILE_MAX + 1);
	yg_status st = find_files(&l, path, err);
	counts->files = l.file_count;
	if (st == YG_OK)
		st = yg_detect_builder_new(yg_cli_env(cli), YG_DETECT_MEMORY, &l.builder, err);
	if (st == YG_OK)
		st = read_values(&l, yg_cli_get(cli, "values"), err);
	if (st == YG_OK)
		st = find_filters(&l, err);
	if (st == YG_OK)
		st = add_rules(&l, err);
	return st == YG_OK ? yg_detect_builder_build(l.builder, out, err) : st;
}

yg_status yg_rules_correlations(const struct yg_detect *engine,
				struct yg_rule_correlations *correlations,
				struct yg_rule_counts *counts, struct yg_err *err)
{
	struct yg_sv name, text;
	yg_status st = YG_OK;
	*correlations = (struct yg_rule_correlations){.count = 0};
	*counts = (struct yg_rule_counts){0, 0, 0, 0, 0};
	yg_arena_init(&correlations->kept, ARENA);
	for (size_t at = 0; st == YG_OK && yg_detect_file(engine, &at, &name, &text);) {
		struct yg_sigma_file f;
		st = yg_sigma_read(text, "snapshot", NULL, NULL, &correlations->kept, &f, err);
		for (size_t i = 0; st == YG_OK && i < f.count; i++)
			if (f.rules[i].kind == YG_SIGMA_CORRELATION)
				st = keep_correlation(correlations, name, &f.rules[i], err);
	}
	counts->correlations = correlations->count;
	return st == YG_OK || st == YG_NOMEM
		       ? st
		       : YG_FAIL(err, YG_CORRUPT, "the correlations of the snapshot are damaged");
}

void yg_rule_correlations_free(struct yg_rule_correlations *c)
{
	free(c->rules);
	free(c->files);
	yg_arena_free(&c->kept);
	*c = (struct yg_rule_correlations){.count = 0};
}

const char *yg_rule_level_name(enum yg_sigma_level level)
{
	static const char *const names[] = {"",       "informational", "low",
					    "medium", "high",          "critical"};
	return names[level <= YG_SIGMA_CRITICAL ? level : YG_SIGMA_LEVEL_NONE];
}
