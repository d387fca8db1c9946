/* Indicator lists, and filling one from a file. */
#include <unistd.h>

#include "api/list_body.h"
#include "api/routes_indicator.h"
#include "format/inflate.h"
#include "org/job.h"

static void put_list(struct yg_jo *j, const struct yg_list *l)
{
	yg_jo_begin(j, '{');
	yg_jo_str(j, "id", l->uid);
	yg_jo_str_or_null(j, "org", l->org);
	yg_jo_str(j, "name", l->name);
	yg_jo_str(j, "title", l->title);
	yg_jo_str(j, "tlp", yg_tlp_text((uint8_t)l->tlp));
	yg_jo_int(j, "confidence", l->confidence);
	yg_jo_str(j, "category", l->category);
	yg_jo_bool(j, "enabled", l->enabled);
	yg_jo_int(j, "indicators", l->entries);
	yg_jo_time(j, "created_at", l->created.us);
	yg_jo_time(j, "updated_at", l->updated.us);
	yg_put_etag(j, l->version);
	yg_jo_end(j, '}');
}

yg_status yg_find_list(struct yg_request *q, struct yg_state *db, struct yg_sv id, bool change,
		       struct yg_list *out, struct yg_err *err)
{
	yg_status st = yg_list_get(db, id, q->arena, out, err);
	if (st == YG_OK)
		st = yg_scope_object(q, out->org, true, err);
	if (st == YG_OK)
		st = yg_scope_made(q, out->created, err);
	if (st == YG_OK && change)
		st = yg_scope_shared(q, out->org, err);
	return st;
}

static yg_status answer_list(struct yg_request *q, struct yg_response *r, struct yg_state *db,
			     int status, struct yg_sv id, struct yg_err *err)
{
	struct yg_list list;
	yg_status st = yg_find_list(q, db, id, false, &list, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, status);
	put_list(&j, &list);
	yg_answer_etag(q, r, NULL, list.version);
	return YG_OK;
}

yg_status yg_r_lists_list(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			  struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_page page;
	struct yg_list *list = NULL;
	size_t n = 0;
	struct yg_reach reach;
	yg_status st = yg_page_begin(api, q, &l, &page, &reach, err);
	if (st == YG_OK)
		st = yg_list_list(l.db, &reach, page.after, page.limit, q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer_list(r);
	for (size_t i = 0; i < n; i++)
		put_list(&j, &list[i]);
	return yg_answer_page(api, q, &j, n == page.limit ? &list[n - 1].uid : NULL, err);
}

yg_status yg_r_lists_add(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			 struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"org", YG_F_TEXT, YG_F_NULL, 1, 63, NULL},
		{"name", YG_F_TEXT, YG_F_NEEDED, 1, 64, NULL},
		{"title", YG_F_TEXT, 0, 0, 800, NULL},
		{"tlp", YG_F_TEXT, 0, 0, 0, TLP_WORDS},
		{"confidence", YG_F_INT, 0, 0, 100, NULL},
		{"category", YG_F_TEXT, 0, 0, 64, NULL},
		{"enabled", YG_F_BOOL, 0, 0, 0, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_id id;
	struct yg_list list = {.tlp = YG_TLP_GREEN, .confidence = 50, .enabled = true};
	yg_status st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK)
		st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = yg_scope_body_org(q, l.db, v[0].given, v[0].text, &list.org, err);
	if (st != YG_OK)
		return st;
	list.name = v[1].text;
	list.title = v[2].given ? v[2].text : v[1].text;
	if (v[3].given)
		(void)yg_tlp_parse(v[3].text, &list.tlp);
	if (v[4].given)
		list.confidence = (int)v[4].number;
	list.category = v[5].given ? v[5].text : YG_SV("");
	list.enabled = !v[6].given || v[6].truth;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_list_add(&act, &list, &id, err);
	if (st != YG_OK)
		return st;
	yg_answer_location(q, r, "/api/v1/indicator-lists", yg_id_sv(&id));
	st = answer_list(q, r, l.db, 201, yg_id_sv(&id), err);
	return yg_lease_commit(&l, q, r, st, err);
}

yg_status yg_r_list_get(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	yg_status st = yg_lease_state(api, &l, err);
	return st == YG_OK ? answer_list(q, r, l.db, 200, yg_param(q, "id"), err) : st;
}

yg_status yg_r_list_change(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"title", YG_F_TEXT, 0, 0, 800, NULL},     {"tlp", YG_F_TEXT, 0, 0, 0, TLP_WORDS},
		{"confidence", YG_F_INT, 0, 0, 100, NULL}, {"category", YG_F_TEXT, 0, 0, 64, NULL},
		{"enabled", YG_F_BOOL, 0, 0, 0, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_list list;
	yg_status st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = yg_find_list(q, l.db, yg_param(q, "id"), true, &list, err);
	if (st == YG_OK)
		st = yg_check_match(q, r, list.version, err);
	if (st == YG_OK)
		st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st != YG_OK)
		return st;
	struct yg_list_set set = {.confidence = v[2].given ? (int)v[2].number : -1,
				  .enabled = v[4].given ? v[4].truth : -1};
	set.title = v[0].given ? &v[0].text : NULL;
	set.category = v[3].given ? &v[3].text : NULL;
	if (v[1].given)
		(void)yg_tlp_parse(v[1].text, &set.tlp);
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_list_change(&act, list.uid, list.version, &set, err);
	if (st != YG_OK)
		return yg_changed(r, st);
	st = answer_list(q, r, l.db, 200, list.uid, err);
	return yg_lease_commit_then(&l, q, r, st, yg_indicators_changed, err);
}

yg_status yg_r_list_remove(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_list list;
	/* a list is removed in transactions of its own: it may be large */
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = yg_find_list(q, l.db, yg_param(q, "id"), true, &list, err);
	if (st != YG_OK)
		return st;
	r->status = 204;
	if (q->dry_run) /* what can be wrong with it was looked at */
		return YG_OK;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_list_remove(&act, list.uid, NULL, NULL, err);
	if (st == YG_OK)
		yg_indicators_changed(api);
	return st;
}

yg_status yg_read_encoding(struct yg_request *q, struct yg_response *r, enum yg_encoding *out,
			   struct yg_err *err)
{
	struct yg_sv enc = q->header[YG_HH_CONTENT_ENCODING];
	*out = YG_PLAIN;
	if (enc.p == NULL || yg_sv_ieq(enc, YG_SV("identity")))
		return YG_OK;
	if (yg_sv_ieq(enc, YG_SV("gzip")))
		*out = YG_GZIP;
	else if (yg_sv_ieq(enc, YG_SV("zstd")))
		*out = YG_ZSTD;
	else {
		r->problem = "unsupported-media-type";
		return YG_FAIL(err, YG_INVAL, "expected Content-Encoding gzip, zstd or identity");
	}
	return YG_OK;
}

struct import { /* of a request that fills a list */
	struct yg_sv format;
	bool replace, force;
	enum yg_encoding enc;
};

static yg_status read_import(struct yg_request *q, struct yg_response *r, struct import *im,
			     struct yg_err *err)
{
	im->format = yg_query(q, "format");
	yg_status st = yg_query_bool(q, "replace", &im->replace, err);
	if (st == YG_OK)
		st = yg_query_bool(q, "force", &im->force, err);
	if (st == YG_OK && im->format.p != NULL && !yg_words_have("csv plain hosts", im->format)) {
		yg_request_error(q, "unknown_value", YG_SV("format"),
				 "expected csv, plain or hosts");
		st = YG_FAIL(err, YG_PARSE, "a parameter is wrong");
	}
	return st == YG_OK ? yg_read_encoding(q, r, &im->enc, err) : st;
}

/* The file first, then the job that reads it: a job without its file is none. */
static yg_status add_import(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_lease *l, const struct yg_list *list, const struct import *im,
			    struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf plain = {0};
	YG_AUTO(yg_buf_free) struct yg_buf params = {0};
	char path[YG_LIST_BODY_PATH], name[64];
	struct yg_id_source ids = {0};
	struct yg_id id = yg_id_new(&ids, api->env, "b");
	struct yg_sb n = yg_sb_init(name, sizeof name);
	yg_sb_printf(&n, "%s.list", id.s);
	yg_buf_init(&params, 4096);
	struct yg_jo j = yg_jo_init(&params);
	yg_jo_begin(&j, '{');
	yg_jo_str(&j, "list", list->uid);
	yg_jo_str(&j, "file", yg_sb_sv(&n));
	yg_jo_str_or_null(&j, "format", im->format);
	yg_jo_bool(&j, "replace", im->replace);
	yg_jo_bool(&j, "force", im->force);
	yg_jo_end(&j, '}');
	yg_status st = yg_buf_done(&params);
	if (st != YG_OK)
		return YG_FAIL(err, YG_NOMEM, "the request is too large");
	yg_buf_init(&plain, YG_BATCH_PLAIN_MAX);
	st = yg_inflate_all(im->enc, q->body, &plain, err);
	if (st == YG_OK)
		st = yg_list_body_keep(api->import_path, yg_sb_sv(&n), yg_buf_sv(&plain), path,
				       err);
	if (st != YG_OK)
		return st;
	st = yg_answer_new_job(api, q, r, l, YG_SV(YG_LIST_JOB), list->org, yg_buf_sv(&params),
			       err);
	if (st != YG_OK || q->dry_run)
		(void)unlink(path);
	return st;
}

yg_status yg_r_list_import(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_list list;
	struct import im;
	yg_status st = read_import(q, r, &im, err);
	if (st == YG_OK)
		st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = yg_find_list(q, l.db, yg_param(q, "id"), true, &list, err);
	return st == YG_OK ? add_import(api, q, r, &l, &list, &im, err) : st;
}
