#include "api/console.h"

#include "api/routes.h"

const struct yg_asset *yg_asset_named(const char *name)
{
	for (const struct yg_asset *a = yg_assets; a->name != NULL; a++) {
		if (strcmp(a->name, name) == 0)
			return a;
	}
	return NULL;
}

const struct yg_asset *yg_asset_served(struct yg_sv file)
{
	for (const struct yg_asset *a = yg_assets; a->name != NULL; a++) {
		if (yg_sv_eq(yg_sv_of(a->file), file))
			return a;
	}
	return NULL;
}

bool yg_console_is_page(struct yg_sv path)
{
	static const char *const scope[] = {"o", "s", "a"};
	struct yg_sv part;
	if (!yg_sv_cut(&path, '/', &part) || part.n > 0 || !yg_sv_cut(&path, '/', &part))
		return false; /* it begins with '/' */
	for (size_t i = 0; i < YG_LEN(scope); i++) {
		bool here = yg_sv_eq(part, yg_sv_of(scope[i]));
		if (!here && i != 1)
			break;
		if (!here)
			continue; /* an asset may belong to no system */
		if (!yg_sv_cut(&path, '/', &part) || part.n == 0)
			return false;
		if (!yg_sv_cut(&path, '/', &part))
			return true; /* the overview of that scope */
	}
	if (part.n == 0)
		return path.p == NULL;
	for (const char *const *page = yg_console_pages; *page != NULL; page++) {
		if (yg_sv_eq(part, yg_sv_of(*page)))
			return true;
	}
	return false;
}

/* One entry of the header: "br;q=0.5". */
static bool takes(struct yg_sv entry, struct yg_sv coding)
{
	struct yg_sv rest = entry, name, param;
	(void)yg_sv_cut(&rest, ';', &name);
	if (!yg_sv_ieq(yg_sv_trim(name), coding))
		return false;
	while (yg_sv_cut(&rest, ';', &param)) {
		param = yg_sv_trim(param);
		if (YG_SV_IS(param, "q=0") || YG_SV_IS(param, "q=0.0") ||
		    YG_SV_IS(param, "q=0.00") || YG_SV_IS(param, "q=0.000"))
			return false;
	}
	return true;
}

enum yg_coding yg_coding_for(struct yg_sv accept_encoding)
{
	enum yg_coding best = YG_CODING_NONE;
	struct yg_sv entry;
	while (yg_sv_cut(&accept_encoding, ',', &entry)) {
		if (takes(entry, YG_SV("br")))
			return YG_CODING_BR;
		if (takes(entry, YG_SV("gzip")))
			best = YG_CODING_GZIP;
	}
	return best;
}

static yg_status put_asset(const struct yg_asset *a, struct yg_request *q, struct yg_response *r)
{
	static const struct yg_sv names[YG_CODING_COUNT] = {
		[YG_CODING_GZIP] = YG_SV_INIT("gzip"),
		[YG_CODING_BR] = YG_SV_INIT("br"),
	};
	enum yg_coding coding = yg_coding_for(q->header[YG_HH_ACCEPT_ENCODING]);
	r->status = 200;
	r->type = a->type;
	r->immutable = a->immutable;
	if (coding != YG_CODING_NONE)
		yg_response_header(r, "Content-Encoding", names[coding]);
	yg_response_header(r, "Vary", YG_SV("Accept-Encoding"));
	yg_buf_put(&r->body, (struct yg_sv){(const char *)a->bytes[coding].p, a->bytes[coding].n});
	return YG_OK;
}

yg_status yg_r_console(struct yg_api *api, struct yg_request *q, struct yg_response *r,
		       struct yg_err *err)
{
	(void)api;
	(void)err;
	yg_status st = put_asset(yg_asset_named("index.html"), q, r);
	if (!yg_console_is_page(q->path))
		r->status = 404; /* the console says so, in its frame */
	return st;
}

yg_status yg_r_asset(struct yg_api *api, struct yg_request *q, struct yg_response *r,
		     struct yg_err *err)
{
	const struct yg_asset *a = yg_asset_served(yg_param(q, "name"));
	(void)api;
	if (a == NULL || !a->immutable)
		return YG_FAIL(err, YG_NOTFOUND, "there is no such file");
	return put_asset(a, q, r);
}
