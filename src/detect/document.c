#include "detect/document.h"

#include <stdio.h>

#include "detect/engine.h"
#include "detect/expand.h"
#include "detect/read.h"

enum { KEPT = 256 << 20, ONE = 256 << 20, BUILDER = 512 << 20, FIRST = 64 };

static const char *const kinds[] = {"", "rule", "correlation", "filter"};
static const char *const levels[] = {"", "informational", "low", "medium", "high", "critical"};
static const char *const statuses[] = {"",           "stable",     "test", "experimental",
				       "deprecated", "unsupported"};

const char *yg_sigma_kind_name(enum yg_sigma_kind k)
{
	return (size_t)k < YG_LEN(kinds) ? kinds[k] : "";
}

const char *yg_sigma_level_name(enum yg_sigma_level l)
{
	return (size_t)l < YG_LEN(levels) ? levels[l] : "";
}

const char *yg_sigma_status_name(enum yg_sigma_status s)
{
	return (size_t)s < YG_LEN(statuses) ? statuses[s] : "";
}

static bool find_word(const char *const *words, size_t n, struct yg_sv s, size_t *out)
{
	for (*out = 1; *out < n; ++*out)
		if (yg_sv_eq(s, yg_sv_of(words[*out])))
			return true;
	return false;
}

yg_status yg_sigma_kind_parse(struct yg_sv s, enum yg_sigma_kind *out)
{
	size_t at = 0;
	if (!find_word(kinds, YG_LEN(kinds), s, &at))
		return YG_PARSE;
	*out = (enum yg_sigma_kind)at;
	return YG_OK;
}

yg_status yg_sigma_level_parse(struct yg_sv s, enum yg_sigma_level *out)
{
	size_t at = 0;
	if (!find_word(levels, YG_LEN(levels), s, &at))
		return YG_PARSE;
	*out = (enum yg_sigma_level)at;
	return YG_OK;
}

yg_status yg_detect_documents_begin(struct yg_detect_documents *d, const struct yg_env *env,
				    struct yg_err *err)
{
	*d = (struct yg_detect_documents){.count = 0};
	yg_arena_init(&d->kept, KEPT);
	yg_arena_init(&d->one, ONE);
	return yg_detect_builder_new(env, BUILDER, &d->builder, err);
}

void yg_detect_documents_free(struct yg_detect_documents *d)
{
	yg_detect_builder_free(d->builder);
	yg_arena_free(&d->kept);
	yg_arena_free(&d->one);
	*d = (struct yg_detect_documents){.count = 0};
}

/* ---- problems ---- */

static void refuse(struct yg_detect_documents *d, size_t line, struct yg_sv reason)
{
	d->refused++;
	if (d->problems == NULL)
		d->problems = YG_NEW_N(&d->kept, struct yg_detect_problem, YG_DETECT_PROBLEMS_MAX);
	if (d->problems == NULL || d->problem_count == YG_DETECT_PROBLEMS_MAX)
		return;
	struct yg_sv kept = yg_arena_dup(&d->kept, reason);
	if (kept.p != NULL)
		d->problems[d->problem_count++] = (struct yg_detect_problem){d->file, line, kept};
}

void yg_detect_documents_refuse(struct yg_detect_documents *d, const struct yg_detect_document *doc,
				struct yg_sv reason)
{
	d->file = doc->file;
	refuse(d, doc->line, reason);
}

static void on_refused(void *ctx, const char *file, size_t line, const char *reason)
{
	struct yg_detect_documents *d = ctx;
	(void)file;
	refuse(d, line > 0 ? d->line + line - 1 : d->line, yg_sv_of(reason));
}

/* "x:12: reason" of a document that is not YAML at all. */
static void refuse_whole(struct yg_detect_documents *d, const struct yg_err *err)
{
	struct yg_sv rest = yg_sv_of(err->msg), number;
	uint64_t line = 0;
	if (yg_sv_starts(rest, YG_SV("x:"))) {
		rest = yg_sv_sub(rest, 2, rest.n);
		struct yg_sv after = rest;
		if (yg_sv_cut(&after, ':', &number) && yg_parse_u64(number, &line, NULL) == YG_OK)
			rest = after;
	}
	refuse(d, line > 0 ? d->line + line - 1 : d->line, yg_sv_trim(rest));
}

/* ---- one document ---- */

yg_status yg_detect_tags(const struct yg_sigma_list *tags, struct yg_arena *arena,
			 struct yg_sv *out)
{
	size_t n = 1, at = 0;
	for (size_t i = 0; i < tags->count; i++)
		n += tags->texts[i].n + 1;
	*out = YG_SV("");
	if (tags->count == 0)
		return YG_OK;
	char *p = yg_arena_alloc(arena, n, 1);
	if (p == NULL)
		return YG_NOMEM;
	p[at++] = ',';
	for (size_t i = 0; i < tags->count; i++) {
		for (size_t k = 0; k < tags->texts[i].n; k++) {
			char c = tags->texts[i].p[k];
			p[at++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c == ',' ? ' ' : c;
		}
		p[at++] = ',';
	}
	*out = (struct yg_sv){p, at};
	return YG_OK;
}

static bool room(struct yg_detect_documents *d)
{
	if (d->count < d->cap)
		return true;
	size_t cap = d->cap > 0 ? d->cap * 2 : FIRST;
	struct yg_detect_document *list = YG_NEW_N(&d->kept, struct yg_detect_document, cap);
	if (list == NULL)
		return false;
	if (d->count > 0)
		memcpy(list, d->list, d->count * sizeof *list);
	d->list = list;
	d->cap = cap;
	return true;
}

static yg_status keep(struct yg_detect_documents *d, const struct yg_sigma_rule *r,
		      struct yg_sv text, struct yg_err *err)
{
	if (d->count >= YG_DETECT_DOCUMENTS_MAX)
		return YG_FAIL(err, YG_LIMIT, "more than %d rules at once",
			       YG_DETECT_DOCUMENTS_MAX);
	if (!room(d))
		return YG_FAIL(err, YG_NOMEM, "no memory for the rules");
	struct yg_detect_document *to = &d->list[d->count];
	const struct {
		struct yg_sv from, *to;
	} texts[] = {{r->id, &to->sigma_id},       {r->name, &to->name},
		     {r->title, &to->title},       {r->author, &to->author},
		     {r->category, &to->category}, {r->product, &to->product},
		     {r->service, &to->service}};
	for (size_t i = 0; i < YG_LEN(texts); i++) {
		*texts[i].to = yg_arena_dup(&d->kept, texts[i].from);
		if (texts[i].to->p == NULL)
			return YG_FAIL(err, YG_NOMEM, "no memory for the rules");
	}
	to->text = text;
	to->file = d->file;
	to->line = d->line;
	to->kind = r->kind;
	to->level = r->level;
	to->status = r->status;
	if (yg_detect_tags(&r->tags, &d->kept, &to->tags) != YG_OK)
		return YG_FAIL(err, YG_NOMEM, "no memory for the rules");
	d->count++;
	return YG_OK;
}

/* "line 12: reason", or a reason that is of all of it. */
static void refuse_check(struct yg_detect_documents *d, const struct yg_sigma_rule *r,
			 const struct yg_err *err)
{
	struct yg_sv rest = yg_sv_of(err->msg), number;
	uint64_t line = r->line;
	if (yg_sv_starts(rest, YG_SV("line "))) {
		struct yg_sv after = yg_sv_sub(rest, 5, rest.n);
		if (yg_sv_cut(&after, ':', &number) && yg_parse_u64(number, &line, NULL) == YG_OK)
			rest = yg_sv_trim(after);
	}
	refuse(d, d->line + (line > 0 ? line - 1 : 0), rest);
}

/* YG_OK: it would be compiled; YG_PARSE, YG_LIMIT: told. */
static yg_status check(struct yg_detect_documents *d, const struct yg_sigma_rule *r,
		       struct yg_err *err)
{
	struct yg_sigma_rule rule = *r;
	struct yg_err own = {.code = YG_OK};
	if (r->kind == YG_SIGMA_CORRELATION)
		return YG_OK;
	rule.kind = YG_SIGMA_RULE; /* what a filter says is compiled as a part of rules */
	const struct yg_sigma_values none = {NULL}; /* a placeholder is refused by its name */
	yg_status st = yg_sigma_expand(&rule, &none, &d->one, &own);
	if (st == YG_OK)
		st = yg_detect_builder_add(d->builder, &rule, YG_SV(""), NULL, 0, &own);
	if (st == YG_NOMEM)
		return YG_FAIL(err, YG_NOMEM, "%s", own.msg);
	if (st != YG_OK)
		refuse_check(d, r, &own);
	return st;
}

static yg_status add_one(struct yg_detect_documents *d, struct yg_sv text, struct yg_err *err)
{
	struct yg_sigma_file f;
	struct yg_err own = {.code = YG_OK};
	yg_arena_reset(&d->one);
	yg_status st = yg_sigma_read(text, "x", on_refused, d, &d->one, &f, &own);
	if (st == YG_NOMEM)
		return YG_FAIL(err, YG_NOMEM, "%s", own.msg);
	if (st != YG_OK) {
		refuse_whole(d, &own);
		return YG_OK;
	}
	for (size_t i = 0; i < f.count; i++) { /* one, or none */
		st = check(d, &f.rules[i], err);
		if (st == YG_OK && (st = keep(d, &f.rules[i], text, err)) != YG_OK)
			return st;
		if (st == YG_NOMEM)
			return st;
	}
	return YG_OK;
}

/* ---- documents of a file ---- */

/* Blank lines, comments and directives alone are no document. */
static bool is_empty(struct yg_sv text)
{
	struct yg_sv rest = text, line;
	while (rest.n > 0) {
		(void)yg_sv_cut(&rest, '\n', &line);
		line = yg_sv_trim(line);
		if (line.n > 0 && line.p[0] != '#' && line.p[0] != '%')
			return false;
	}
	return true;
}

/* Blank lines off both ends; the first are counted. */
static struct yg_sv strip(struct yg_sv text, size_t *line)
{
	for (;;) {
		size_t end = yg_sv_find(text, '\n', 0);
		if (end >= text.n || yg_sv_trim(yg_sv_sub(text, 0, end)).n > 0)
			break;
		text = yg_sv_sub(text, end + 1, text.n);
		++*line;
	}
	size_t n = text.n;
	while (n > 0 && (text.p[n - 1] == '\n' || text.p[n - 1] == '\r' || text.p[n - 1] == ' '))
		n--;
	return (struct yg_sv){text.p, n + (n < text.n)};
}

/* A line "---" or "..." stands between two, whatever follows it after a blank. */
static bool is_mark(struct yg_sv line)
{
	return (yg_sv_starts(line, YG_SV("---")) || yg_sv_starts(line, YG_SV("..."))) &&
	       (line.n == 3 || line.p[3] == ' ' || line.p[3] == '\t' || line.p[3] == '\r');
}

yg_status yg_detect_documents_add(struct yg_detect_documents *d, struct yg_sv file,
				  struct yg_sv text, struct yg_err *err)
{
	yg_status st = YG_OK;
	size_t line = 1, from_line = 1, from = 0;
	d->file = file;
	for (size_t at = 0; st == YG_OK && at <= text.n; line++) {
		size_t end = YG_MIN(yg_sv_find(text, '\n', at), text.n);
		bool last = end >= text.n, mark = is_mark(yg_sv_sub(text, at, end - at));
		if (mark || last) {
			struct yg_sv one = yg_sv_sub(text, from, (mark ? at : text.n) - from);
			d->line = from_line;
			one = strip(one, &d->line);
			if (!is_empty(one))
				st = add_one(d, one, err);
			from = at + 3;
			from_line = line;
		}
		if (mark && last && st == YG_OK && at + 3 < text.n) { /* "--- {...}" at the end */
			d->line = line;
			struct yg_sv one = yg_sv_sub(text, at + 3, text.n);
			if (!is_empty(one))
				st = add_one(d, one, err);
		}
		at = end + 1;
	}
	if (st == YG_OK && (d->kept.refused || d->one.refused))
		st = YG_FAIL(err, YG_NOMEM, "no memory for the rules");
	return st;
}
