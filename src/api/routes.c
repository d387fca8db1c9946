#include "api/routes.h"

/* clang-format off */
const struct yg_route yg_routes[] = {
#define X(method, path, operation, scope, flags, body, types, query, fn) \
	{YG_HTTP_##method, path, operation, scope, flags, body, types, query, yg_r_##fn},
	YG_ROUTES(X)
#undef X
	{.handler = NULL},
};
const struct yg_route yg_metrics_routes[] = {
	{YG_HTTP_GET, "/metrics", "getMetrics", NULL, YG_RT_PUBLIC, 0, NULL, NULL, yg_r_metrics},
	{YG_HTTP_GET, "/livez", "getLive", NULL, YG_RT_PUBLIC, 0, NULL, NULL, yg_r_livez},
	{YG_HTTP_GET, "/readyz", "getReady", NULL, YG_RT_PUBLIC, 0, NULL, "verbose", yg_r_readyz},
	{YG_HTTP_GET, "/startupz", "getStartup", NULL, YG_RT_PUBLIC, 0, NULL, NULL, yg_r_startupz},
	{.handler = NULL},
};
/* clang-format on */

yg_status yg_query_bool(struct yg_request *q, const char *name, bool *out, struct yg_err *err)
{
	struct yg_sv s = yg_query(q, name);
	*out = s.p != NULL && (YG_SV_IS(s, "true") || YG_SV_IS(s, "1"));
	if (s.p == NULL || *out || YG_SV_IS(s, "false") || YG_SV_IS(s, "0"))
		return YG_OK;
	yg_request_error(q, "bad_type", yg_sv_of(name), "expected true or false");
	return YG_FAIL(err, YG_PARSE, "a parameter is wrong");
}

struct yg_sv yg_file_get(const char *name)
{
	for (const struct yg_file *f = yg_files; f->name != NULL; f++) {
		if (strcmp(f->name, name) == 0)
			return (struct yg_sv){(const char *)f->bytes, f->n};
	}
	return YG_SV("");
}
