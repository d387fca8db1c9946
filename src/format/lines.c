#include "format/lines.h"

#include <stdlib.h>

#include "base/check.h"

bool yg_line_next(struct yg_sv *rest, size_t most, struct yg_sv *out_line, bool *out_cut)
{
	*out_cut = false;
	if (rest->n == 0)
		return false;
	const char *lf = memchr(rest->p, '\n', rest->n);
	size_t n = lf != NULL ? (size_t)(lf - rest->p) : rest->n;
	struct yg_sv line = {rest->p, n};
	size_t used = lf != NULL ? n + 1 : n;
	rest->p += used;
	rest->n -= used;
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	if (line.n > most) {
		line.n = most;
		*out_cut = true;
	}
	*out_line = line;
	return true;
}

yg_status yg_gather_init(struct yg_gather *g, size_t cap, size_t most, struct yg_err *err)
{
	*g = (struct yg_gather){.cap = cap, .most = most};
	YG_REQUIRE(most <= cap - 2);
	g->p = malloc(cap);
	return g->p != NULL ? YG_OK : YG_FAIL(err, YG_NOMEM, "no memory for a batch of lines");
}

void yg_gather_free(struct yg_gather *g)
{
	free(g->p);
	*g = (struct yg_gather){0};
}

char *yg_gather_room(struct yg_gather *g, size_t *out_n)
{
	if (g->taken > 0) {
		memmove(g->p, g->p + g->taken, g->n - g->taken);
		g->n -= g->taken;
		g->taken = 0;
	}
	*out_n = g->cap - g->n;
	return g->p + g->n;
}

void yg_gather_add(struct yg_gather *g, size_t n)
{
	YG_REQUIRE(n <= g->cap - g->n);
	char *fresh = g->p + g->n;
	if (g->skipping && n > 0) { /* the head stands before `fresh`, with its newline */
		const char *lf = memchr(fresh, '\n', n);
		size_t skip = lf != NULL ? (size_t)(lf - fresh) + 1 : n;
		g->dropped += lf != NULL ? skip - 1 : skip;
		g->skipping = lf == NULL;
		memmove(fresh, fresh + skip, n - skip);
		n -= skip;
	}
	g->n += n;
}

struct yg_sv yg_gather_take(struct yg_gather *g, bool end)
{
	const char *from = g->p + g->taken;
	size_t n = g->n - g->taken;
	if (!end) {
		const char *lf = n > 0 ? memrchr(from, '\n', n) : NULL;
		size_t whole = lf != NULL ? (size_t)(lf - from) + 1 : 0;
		if (whole == 0 && n > g->most + 1) {
			g->dropped += n - g->most - 1;
			g->p[g->taken + g->most + 1] = '\n';
			g->n = g->taken + g->most + 2;
			whole = g->most + 2;
			g->skipping = true;
		}
		n = whole;
	}
	g->taken += n;
	return (struct yg_sv){from, n};
}
