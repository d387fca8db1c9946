#include "detect/exception.h"

#include "detect/read.h"

#define HEAD "title: exception\nlogsource: {}\ndetection:\n"
enum { HEAD_LINES = 3, INDENT = 4 };

struct fault {
	struct yg_err *err;
	bool told;
};

static void on_refused(void *ctx, const char *file, size_t line, const char *reason)
{
	struct fault *f = ctx;
	(void)file;
	if (!f->told)
		(void)YG_FAIL(f->err, YG_PARSE, "line %zu: %s",
			      line > HEAD_LINES ? line - HEAD_LINES : 1, reason);
	f->told = true;
}

/* The text with every line indented, below the head. */
static struct yg_sv as_rule(struct yg_sv text, struct yg_arena *arena)
{
	size_t lines = 1, at = sizeof HEAD - 1;
	for (size_t i = 0; i < text.n; i++)
		lines += text.p[i] == '\n';
	char *p = yg_arena_alloc(arena, at + text.n + lines * INDENT + 1, 1);
	if (p == NULL)
		return (struct yg_sv){NULL, 0};
	memcpy(p, HEAD, at);
	for (size_t i = 0; i < text.n; i++) {
		if (i == 0 || text.p[i - 1] == '\n') {
			memset(p + at, ' ', INDENT);
			at += INDENT;
		}
		p[at++] = text.p[i];
	}
	p[at++] = '\n';
	return (struct yg_sv){p, at};
}

yg_status yg_detect_exception_read(struct yg_sv text, struct yg_arena *arena,
				   struct yg_sigma_rule *out, struct yg_err *err)
{
	struct yg_err own = {.code = YG_OK};
	struct yg_sigma_file f;
	struct fault fault = {.err = err};
	if (text.n > YG_DETECT_EXCEPTION_MAX)
		return YG_FAIL(err, YG_LIMIT, "an exception has at most %d bytes",
			       YG_DETECT_EXCEPTION_MAX);
	struct yg_sv whole = as_rule(text, arena);
	if (whole.p == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the exception");
	yg_status st = yg_sigma_read(whole, "x", on_refused, &fault, arena, &f, &own);
	if (st == YG_OK && f.refused > 0)
		return YG_PARSE; /* told */
	if (st == YG_OK && f.count != 1)
		return YG_FAIL(err, YG_PARSE, "line 1: expected searches and a condition");
	if (st == YG_OK) {
		*out = f.rules[0];
		return YG_OK;
	}
	if (st != YG_PARSE)
		return YG_FAIL(err, st, "%s", own.msg);
	struct yg_sv rest = yg_sv_of(own.msg), number;
	uint64_t line = 0;
	if (yg_sv_starts(rest, YG_SV("x:"))) {
		rest = yg_sv_sub(rest, 2, rest.n);
		(void)yg_sv_cut(&rest, ':', &number);
		(void)yg_parse_u64(number, &line, NULL);
	}
	rest = yg_sv_trim(rest);
	return YG_FAIL(err, YG_PARSE, "line %llu: " YG_SV_FMT,
		       (unsigned long long)(line > HEAD_LINES ? line - HEAD_LINES : 1),
		       YG_SV_ARG(rest));
}

/* ---- from correlations ---- */

static yg_status check_field(struct yg_sv field, size_t line, const struct yg_sigma_correlation *c,
			     struct yg_err *err)
{
	for (size_t i = 0; i < c->group_count; i++)
		if (yg_sv_eq(c->group_by[i], field))
			return YG_OK;
	line = line > HEAD_LINES ? line - HEAD_LINES : 1;
	if (field.n == 0)
		return YG_FAIL(
			err, YG_PARSE,
			"line %zu: keywords cannot be looked for in what a correlation tells",
			line);
	return YG_FAIL(err, YG_PARSE, "line %zu: the correlation does not group by " YG_SV_FMT,
		       line, YG_SV_ARG(yg_sv_sub(field, 0, 64)));
}

static yg_status check_item(const struct yg_sigma_item *item, const struct yg_sigma_correlation *c,
			    struct yg_err *err)
{
	yg_status st = check_field(item->field, item->line, c, err);
	for (size_t i = 0; st == YG_OK && i < item->value_count; i++)
		if (item->values[i].test == YG_SIGMA_FIELD)
			st = check_field(item->values[i].text, item->values[i].line, c, err);
	return st;
}

yg_status yg_detect_exception_of_group(struct yg_sv text, const struct yg_sigma_correlation *c,
				       struct yg_arena *arena, struct yg_sigma_rule *out,
				       struct yg_err *err)
{
	yg_status st = yg_detect_exception_read(text, arena, out, err);
	for (size_t s = 0; st == YG_OK && s < out->detection.search_count; s++)
		for (size_t m = 0; st == YG_OK && m < out->detection.searches[s].count; m++) {
			const struct yg_sigma_map *map = &out->detection.searches[s].maps[m];
			for (size_t i = 0; st == YG_OK && i < map->count; i++)
				st = check_item(&map->items[i], c, err);
		}
	return st;
}
