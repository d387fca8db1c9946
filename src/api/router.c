#include "api/router.h"

#include "api/console.h"

bool yg_words_have(const char *list, struct yg_sv word)
{
	struct yg_sv rest = yg_sv_of(list), one;
	if (word.n == 0)
		return false;
	while (yg_sv_cut(&rest, ' ', &one)) {
		if (yg_sv_eq(one, word))
			return true;
	}
	return false;
}

/* Does the escaped path fit the template?  *out_fixed: segments that are no
 * placeholders, by which "/indicators/compile" is preferred to "/indicators/{id}". */
static bool fits(const char *template, struct yg_sv path, unsigned *out_fixed)
{
	struct yg_sv t = yg_sv_of(template), t_part, p_part;
	*out_fixed = 0;
	while (yg_sv_cut(&t, '/', &t_part)) {
		if (!yg_sv_cut(&path, '/', &p_part))
			return false;
		if (t_part.n > 0 && t_part.p[0] == '{') {
			if (p_part.n == 0)
				return false;
		} else if (yg_sv_eq(t_part, p_part)) {
			(*out_fixed)++;
		} else {
			return false;
		}
	}
	return path.p == NULL;
}

static const char *best_template(const struct yg_route *table, struct yg_sv path)
{
	const char *best = NULL;
	unsigned best_fixed = 0;
	for (const struct yg_route *r = table; r->handler != NULL; r++) {
		unsigned fixed;
		if (fits(r->path, path, &fixed) && (best == NULL || fixed > best_fixed)) {
			best = r->path;
			best_fixed = fixed;
		}
	}
	return best;
}

/* Somebody who is signed in typed it, or followed a link. */
static bool is_visit(const struct yg_request *q)
{
	return yg_sv_has(q->header[YG_HH_COOKIE], YG_SV("__Host-yagura=")) &&
	       YG_SV_IS(q->header[YG_HH_FETCH_DEST], "document") &&
	       !yg_sv_starts(q->path, YG_SV("/api/")) && !yg_sv_starts(q->path, YG_SV("/assets/"));
}

/* The row that serves the console, when the path is one of its pages; it also says to
 * a browser that there is no such page. */
static const struct yg_route *page_route(const struct yg_route *table, const struct yg_request *q)
{
	if (q->method != YG_HTTP_GET || (!yg_console_is_page(q->path) && !is_visit(q)))
		return NULL;
	for (const struct yg_route *r = table; r->handler != NULL; r++) {
		if ((r->flags & YG_RT_PAGE) != 0)
			return r;
	}
	return NULL;
}

static yg_status fill_params(struct yg_request *q, struct yg_err *err)
{
	struct yg_sv t = yg_sv_of(q->route->path), path = q->path, t_part, p_part;
	q->param_count = 0;
	while (yg_sv_cut(&t, '/', &t_part) && yg_sv_cut(&path, '/', &p_part)) {
		if (t_part.n < 2 || t_part.p[0] != '{' || q->param_count == YG_HTTP_PARAMS_MAX)
			continue;
		struct yg_http_pair *at = &q->params[q->param_count];
		at->name = yg_sv_sub(t_part, 1, t_part.n - 2);
		yg_status st = yg_percent_decode(q->arena, p_part, false, &at->value, err);
		if (st != YG_OK)
			return st;
		q->param_count++;
	}
	return YG_OK;
}

yg_status yg_route_find(const struct yg_route *table, struct yg_request *q, struct yg_err *err)
{
	const char *template = best_template(table, q->path);
	if (template == NULL) {
		q->route = page_route(table, q);
		if (q->route != NULL)
			return YG_OK;
		return YG_FAIL(err, YG_NOTFOUND, "there is nothing at this path");
	}
	for (const struct yg_route *r = table; r->handler != NULL; r++) {
		if (r->method == q->method && strcmp(r->path, template) == 0) {
			q->route = r;
			return fill_params(q, err);
		}
	}
	return YG_FAIL(err, YG_DENIED, "this path does not take that method");
}

void yg_route_methods(const struct yg_route *table, struct yg_sv path, struct yg_sb *out)
{
	const char *template = best_template(table, path);
	for (const struct yg_route *r = table; template != NULL && r->handler != NULL; r++) {
		if (strcmp(r->path, template) != 0)
			continue;
		yg_sb_put(out, yg_sv_of(yg_http_method_name(r->method)));
		yg_sb_put(out, r->method == YG_HTTP_GET ? YG_SV(", HEAD, ") : YG_SV(", "));
	}
	if (template != NULL)
		yg_sb_put(out, YG_SV("OPTIONS"));
}

yg_status yg_route_check_query(struct yg_request *q, struct yg_err *err)
{
	for (size_t i = 0; i < q->query_count && (q->route->flags & YG_RT_PAGE) == 0; i++) {
		if (!yg_words_have(q->route->query, q->query[i].name))
			yg_request_error(q, "unknown_parameter", q->query[i].name,
					 "this route has no such query parameter");
	}
	return q->error_count == 0 ? YG_OK : YG_FAIL(err, YG_PARSE, "unknown query parameter");
}
