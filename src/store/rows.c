#include "store/rows.h"

#include <string.h>

#include "base/limits.h"

yg_status yg_row_texts(struct yg_stmt *s, struct yg_arena *arena, const struct yg_row_text *texts,
		       size_t n, struct yg_err *err)
{
	for (size_t i = 0; i < n; i++) {
		*texts[i].to = yg_arena_dup(arena, yg_col_text(s, texts[i].column));
		if (texts[i].to->p == NULL)
			return YG_FAIL(err, YG_NOMEM, "no memory for a row");
	}
	return YG_OK;
}

yg_status yg_row_list(struct yg_stmt *s, const struct yg_row_list *how, struct yg_arena *arena,
		      void *out_list, size_t *out_n, struct yg_err *err)
{
	size_t limit = YG_MIN(how->limit, (uint32_t)YG_PAGE_MAX + 1), n = 0;
	char *list = yg_arena_alloc(arena, YG_MAX(limit, (size_t)1) * how->each, 16);
	bool row = true;
	yg_status st = YG_OK;
	if (list == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for a page");
	memset(list, 0, limit * how->each);
	while (n < limit && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		st = how->take(s, arena, list + n++ * how->each, err);
		if (st != YG_OK)
			return st;
	}
	memcpy(out_list, &list, sizeof list); /* a pointer to whatever they are */
	*out_n = n;
	return st;
}

struct yg_sv yg_row_part(struct yg_arena *arena, struct yg_sv part)
{
	char *p = yg_arena_alloc(arena, part.n * 2 + 3, 1);
	size_t at = 0;
	if (p == NULL || part.n == 0)
		return YG_SV("");
	p[at++] = '%';
	for (size_t i = 0; i < part.n; i++) {
		char c = part.p[i];
		if (c == '%' || c == '_' || c == '\\')
			p[at++] = '\\';
		p[at++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	p[at++] = '%';
	return (struct yg_sv){p, at};
}
