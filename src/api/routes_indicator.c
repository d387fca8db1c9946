/* Indicator lists, indicators, allow entries, snapshots. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "api/body.h"
#include "api/routes.h"
#include "format/inflate.h"
#include "intel/registry.h"
#include "org/job.h"
#include "os/file.h"

static void changed(struct yg_api *api)
{
	if (api->hooks.indicators_changed != NULL)
		api->hooks.indicators_changed(api->hooks.ctx);
}

static yg_status committed(struct yg_api *api, struct yg_lease *l, const struct yg_request *q,
			   const struct yg_response *r, yg_status st, struct yg_err *err)
{
	st = yg_lease_commit(l, q, r, st, err);
	if (st == YG_OK)
		changed(api);
	return st;
}

static struct yg_sv tlp_text(uint8_t tlp)
{
	const char *s = yg_tlp_name((enum yg_tlp)tlp);
	return yg_sv_of(s[0] != '\0' ? s : "clear");
}

static void put_list(struct yg_jo *j, const struct yg_list *l)
{
	yg_jo_begin(j, '{');
	yg_jo_str(j, "id", l->uid);
	yg_jo_str_or_null(j, "org", l->org);
	yg_jo_str(j, "name", l->name);
	yg_jo_str(j, "title", l->title);
	yg_jo_str(j, "tlp", tlp_text((uint8_t)l->tlp));
	yg_jo_int(j, "confidence", l->confidence);
	yg_jo_str(j, "category", l->category);
	yg_jo_bool(j, "enabled", l->enabled);
	yg_jo_int(j, "indicators", l->entries);
	yg_jo_time(j, "created_at", l->created.us);
	yg_jo_time(j, "updated_at", l->updated.us);
	yg_put_etag(j, l->version);
	yg_jo_end(j, '}');
}

/* For reading a list for all organisations is everybody's; for changing it is the centre's. */
static yg_status find_list(struct yg_request *q, struct yg_state *db, struct yg_sv id, bool change,
			   struct yg_list *out, struct yg_err *err)
{
	yg_status st = yg_list_get(db, id, q->arena, out, err);
	if (st == YG_OK)
		st = yg_scope_object(q, out->org, true, err);
	if (st == YG_OK && change)
		st = yg_scope_shared(q, out->org, err);
	return st;
}

static yg_status answer_list(struct yg_request *q, struct yg_response *r, struct yg_state *db,
			     int status, struct yg_sv id, struct yg_err *err)
{
	struct yg_list list;
	yg_status st = find_list(q, db, id, false, &list, err);
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

#define TLP_WORDS  "clear green amber amber+strict red"
#define TYPE_WORDS "ip ip-port domain fqdn url hash email"

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
		st = find_list(q, l.db, yg_param(q, "id"), true, &list, err);
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
	return committed(api, &l, q, r, st, err);
}

yg_status yg_r_list_remove(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_list list;
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = find_list(q, l.db, yg_param(q, "id"), true, &list, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_list_remove(&act, list.uid, NULL, NULL, err);
	if (st == YG_OK)
		changed(api);
	r->status = 204;
	return st;
}

/* The body waits in a file until its job has read it, so that a job survives
 * its request and bodies do not fill the memory. */
static yg_status keep_body(struct yg_api *api, struct yg_request *q, enum yg_encoding enc,
			   char name[static 64], struct yg_err *err)
{
	char path[160];
	struct yg_buf plain = {0};
	struct yg_id_source ids = {0};
	struct yg_id id = yg_id_new(&ids, api->env, "b");
	struct yg_sb p = yg_sb_init(path, sizeof path), n = yg_sb_init(name, 64);
	yg_sb_printf(&n, "%s.list", id.s);
	yg_sb_printf(&p, "%s/%s", api->import_path, yg_sb_cstr(&n));
	yg_buf_init(&plain, YG_BATCH_PLAIN_MAX);
	yg_status st = yg_inflate_all(enc, q->body, &plain, err);
	if (st == YG_OK)
		st = yg_dir_make(api->import_path, 0700, err);
	if (st == YG_OK)
		st = yg_file_write(yg_sb_cstr(&p), yg_buf_sv(&plain), 0600, err);
	yg_buf_free(&plain);
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

yg_status yg_r_list_import(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_list list;
	struct yg_sv format = yg_query(q, "format");
	enum yg_encoding enc;
	bool replace, force;
	char file[64];
	yg_status st = yg_query_bool(q, "replace", &replace, err);
	if (st == YG_OK)
		st = yg_query_bool(q, "force", &force, err);
	if (st == YG_OK && format.p != NULL && !yg_words_have("csv plain hosts", format)) {
		yg_request_error(q, "unknown_value", YG_SV("format"),
				 "expected csv, plain or hosts");
		st = YG_FAIL(err, YG_PARSE, "a parameter is wrong");
	}
	if (st == YG_OK)
		st = yg_read_encoding(q, r, &enc, err);
	if (st == YG_OK)
		st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = find_list(q, l.db, yg_param(q, "id"), true, &list, err);
	if (st == YG_OK)
		st = keep_body(api, q, enc, file, err);
	if (st != YG_OK)
		return st;
	struct yg_buf params;
	yg_buf_init(&params, 4096);
	struct yg_jo j = yg_jo_init(&params);
	yg_jo_begin(&j, '{');
	yg_jo_str(&j, "list", list.uid);
	yg_jo_str(&j, "file", yg_sv_of(file));
	yg_jo_str_or_null(&j, "format", format);
	yg_jo_bool(&j, "replace", replace);
	yg_jo_bool(&j, "force", force);
	yg_jo_end(&j, '}');
	st = yg_buf_done(&params);
	if (st == YG_OK)
		st = yg_answer_new_job(api, q, r, &l, YG_SV("indicators.import"), list.org,
				       yg_buf_sv(&params), err);
	yg_buf_free(&params);
	return st;
}

void yg_put_indicator(struct yg_jo *j, const struct yg_indicator_row *row)
{
	char id[32];
	struct yg_sb b = yg_sb_init(id, sizeof id);
	yg_sb_printf(&b, "i-%lld", (long long)row->id);
	yg_jo_begin(j, '{');
	yg_jo_str(j, "id", yg_sb_sv(&b));
	yg_jo_str(j, "list", row->list_uid);
	yg_jo_str(j, "list_name", row->ind.list);
	yg_jo_str_or_null(j, "org", row->ind.org);
	yg_jo_str(j, "type", yg_sv_of(yg_indicator_type_name(row->ind.type)));
	yg_jo_str(j, "value", row->ind.value);
	yg_jo_int(j, "confidence", row->ind.confidence);
	yg_jo_int(j, "severity_id", row->ind.severity_id);
	yg_jo_str(j, "tlp", tlp_text(row->ind.tlp));
	yg_jo_str(j, "category", row->ind.category);
	yg_jo_str(j, "family", row->ind.family);
	yg_jo_time(j, "valid_from", row->ind.valid_from.us);
	yg_jo_time(j, "valid_until", row->ind.valid_until.us);
	yg_jo_time(j, "created_at", row->created.us);
	yg_jo_time(j, "updated_at", row->updated.us);
	yg_put_etag(j, row->updated.us);
	yg_jo_end(j, '}');
}

static yg_status find_indicator(struct yg_request *q, struct yg_state *db, int64_t id, bool change,
				struct yg_indicator_row *out, struct yg_err *err)
{
	yg_status st = yg_indicator_get(db, id, q->arena, out, err);
	if (st == YG_OK)
		st = yg_scope_object(q, out->ind.org, true, err);
	if (st == YG_OK && change)
		st = yg_scope_shared(q, out->ind.org, err);
	return st;
}

/* "i-17" -> 17. */
static yg_status indicator_id(struct yg_request *q, int64_t *out, struct yg_err *err)
{
	struct yg_sv id = yg_param(q, "id");
	if (!yg_sv_starts(id, YG_SV("i-")) ||
	    yg_parse_i64(yg_sv_sub(id, 2, id.n), out, NULL) != YG_OK || *out <= 0)
		return YG_FAIL(err, YG_NOTFOUND, "no such object");
	return YG_OK;
}

static yg_status answer_indicator(struct yg_request *q, struct yg_response *r, struct yg_state *db,
				  int status, int64_t id, struct yg_err *err)
{
	struct yg_indicator_row row;
	yg_status st = find_indicator(q, db, id, false, &row, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, status);
	yg_put_indicator(&j, &row);
	yg_answer_etag(q, r, NULL, row.updated.us);
	return YG_OK;
}

static yg_status read_indicator_filter(struct yg_request *q, struct yg_indicator_filter *f,
				       struct yg_err *err)
{
	struct yg_sv type = yg_query(q, "type");
	if (yg_query(q, "value").p != NULL)
		f->value = yg_query(q, "value");
	if (yg_query(q, "q").p != NULL)
		f->part = yg_query(q, "q");
	if (yg_query(q, "list").p != NULL)
		f->list = yg_query(q, "list");
	if (type.p == NULL)
		return YG_OK;
	if (!yg_words_have(TYPE_WORDS, type) || yg_indicator_type_parse(type, &f->type) != YG_OK) {
		yg_request_error(q, "unknown_value", YG_SV("type"), "expected one of: %s",
				 TYPE_WORDS);
		return YG_FAIL(err, YG_PARSE, "a parameter is wrong");
	}
	return YG_OK;
}

yg_status yg_r_indicators_list(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			       struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_page page;
	struct yg_indicator_filter f = {0};
	struct yg_indicator_row *list = NULL;
	size_t n = 0;
	yg_status st = yg_page_begin(api, q, &l, &page, &f.reach, err);
	if (st == YG_OK)
		st = read_indicator_filter(q, &f, err);
	if (st != YG_OK)
		return st;
	f.before = page.number;
	f.limit = page.limit;
	st = yg_indicator_list(l.db, &f, q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer_list(r);
	for (size_t i = 0; i < n; i++)
		yg_put_indicator(&j, &list[i]);
	return yg_answer_page_number(api, q, &j, n == page.limit, n > 0 ? list[n - 1].id : 0, err);
}

static const struct yg_field indicator_fields[] = {
	{"list", YG_F_TEXT, YG_F_NEEDED, 1, 64, NULL},
	{"type", YG_F_TEXT, YG_F_NEEDED, 0, 0, TYPE_WORDS},
	{"value", YG_F_TEXT, YG_F_NEEDED, 1, 8192, NULL},
	{"confidence", YG_F_INT, 0, 0, 100, NULL},
	{"severity_id", YG_F_INT, 0, 0, 6, NULL},
	{"tlp", YG_F_TEXT, 0, 0, 0, TLP_WORDS},
	{"category", YG_F_TEXT, 0, 0, 64, NULL},
	{"family", YG_F_TEXT, 0, 0, 128, NULL},
	{"valid_from", YG_F_TIME, YG_F_NULL, 0, 0, NULL},
	{"valid_until", YG_F_TIME, YG_F_NULL, 0, 0, NULL},
	{"force", YG_F_BOOL, 0, 0, 0, NULL},
};
enum {
	I_LIST,
	I_TYPE,
	I_VALUE,
	I_CONFIDENCE,
	I_SEVERITY,
	I_TLP,
	I_CATEGORY,
	I_FAMILY,
	I_FROM,
	I_UNTIL,
	I_FORCE
};

yg_status yg_r_indicators_add(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			      struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	struct yg_value v[YG_LEN(indicator_fields)];
	struct yg_list list;
	struct yg_indicator ind = {0};
	enum yg_tlp tlp = YG_TLP_NONE;
	int64_t id = 0;
	yg_status st = yg_body_read(&b, q, indicator_fields, YG_LEN(indicator_fields), v, err);
	if (st == YG_OK)
		st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = find_list(q, l.db, v[I_LIST].text, true, &list, err);
	if (st == YG_OK)
		st = yg_indicator_type_parse(v[I_TYPE].text, &ind.type);
	if (st == YG_OK && v[I_TLP].given)
		st = yg_tlp_parse(v[I_TLP].text, &tlp);
	if (st != YG_OK)
		return st;
	ind.value = v[I_VALUE].text;
	ind.confidence = (uint8_t)v[I_CONFIDENCE].number;
	ind.severity_id = (uint8_t)v[I_SEVERITY].number;
	ind.tlp = (uint8_t)tlp;
	ind.category = v[I_CATEGORY].given ? v[I_CATEGORY].text : YG_SV("");
	ind.family = v[I_FAMILY].given ? v[I_FAMILY].text : YG_SV("");
	ind.valid_from.us = v[I_FROM].number;
	ind.valid_until.us = v[I_UNTIL].number;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_indicator_add(&act, list.uid, &ind, v[I_FORCE].truth, &id, err);
	if (st == YG_DENIED) { /* not a matter of rights: the value is too wide */
		yg_request_error(q, "too_wide", YG_SV("/value"), "%s", err->msg);
		return YG_FAIL(err, YG_PARSE,
			       "the value covers too much; say force to take it all the same");
	}
	if (st == YG_PARSE)
		yg_request_error(q, "bad_value", YG_SV("/value"), "%s", err->msg);
	if (st != YG_OK)
		return st;
	char text[32];
	struct yg_sb t = yg_sb_init(text, sizeof text);
	yg_sb_printf(&t, "i-%lld", (long long)id);
	yg_answer_location(q, r, "/api/v1/indicators", yg_sb_sv(&t));
	st = answer_indicator(q, r, l.db, 201, id, err);
	return committed(api, &l, q, r, st, err);
}

yg_status yg_r_indicator_get(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			     struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	int64_t id = 0;
	yg_status st = indicator_id(q, &id, err);
	if (st == YG_OK)
		st = yg_lease_state(api, &l, err);
	return st == YG_OK ? answer_indicator(q, r, l.db, 200, id, err) : st;
}

yg_status yg_r_indicator_change(struct yg_api *api, struct yg_request *q, struct yg_response *r,
				struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"confidence", YG_F_INT, 0, 0, 100, NULL},
		{"severity_id", YG_F_INT, 0, 0, 6, NULL},
		{"tlp", YG_F_TEXT, 0, 0, 0, TLP_WORDS},
		{"category", YG_F_TEXT, 0, 0, 64, NULL},
		{"family", YG_F_TEXT, 0, 0, 128, NULL},
		{"valid_until", YG_F_TIME, YG_F_NULL, 0, 0, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_indicator_row row;
	int64_t id = 0;
	yg_status st = indicator_id(q, &id, err);
	if (st == YG_OK)
		st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = find_indicator(q, l.db, id, true, &row, err);
	if (st == YG_OK)
		st = yg_check_match(q, r, row.updated.us, err);
	if (st == YG_OK)
		st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st != YG_OK)
		return st;
	yg_wall until = {v[5].number};
	struct yg_indicator_set set = {.confidence = v[0].given ? (int)v[0].number : -1,
				       .severity_id = (int)v[1].number};
	if (v[2].given)
		(void)yg_tlp_parse(v[2].text, &set.tlp);
	set.category = v[3].given ? &v[3].text : NULL;
	set.family = v[4].given ? &v[4].text : NULL;
	set.valid_until = v[5].given ? &until : NULL;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_indicator_change(&act, id, row.updated.us, &set, err);
	if (st != YG_OK)
		return yg_changed(r, st);
	st = answer_indicator(q, r, l.db, 200, id, err);
	return committed(api, &l, q, r, st, err);
}

yg_status yg_r_indicator_remove(struct yg_api *api, struct yg_request *q, struct yg_response *r,
				struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_indicator_row row;
	int64_t id = 0;
	yg_status st = indicator_id(q, &id, err);
	if (st == YG_OK)
		st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = find_indicator(q, l.db, id, true, &row, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_indicator_remove(&act, id, err);
	if (st == YG_OK)
		changed(api);
	r->status = 204;
	return st;
}

yg_status yg_r_indicators_compile(struct yg_api *api, struct yg_request *q, struct yg_response *r,
				  struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	yg_status st = yg_lease_state(api, &l, err);
	if (st != YG_OK)
		return st;
	return yg_answer_new_job(api, q, r, &l, YG_SV("indicators.compile"), YG_SV(""), YG_SV(""),
				 err);
}

yg_status yg_r_snapshots_list(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			      struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_page page;
	struct yg_snapshot_row *list = NULL;
	uint64_t before = 0;
	size_t n = 0;
	yg_status st = yg_page_begin(api, q, &l, &page, NULL, err);
	if (st != YG_OK)
		return st;
	before = (uint64_t)page.number;
	st = yg_snapshot_list(l.db, before, page.limit, q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer_list(r);
	bool current = before == 0; /* the newest that is ready */
	for (size_t i = 0; i < n; i++) {
		bool ready = YG_SV_IS(list[i].state, "ready");
		yg_jo_begin(&j, '{');
		yg_jo_int(&j, "generation", (int64_t)list[i].generation);
		yg_jo_str(&j, "state", list[i].state);
		yg_jo_int(&j, "indicators", (int64_t)list[i].entries);
		yg_jo_int(&j, "allow_entries", (int64_t)list[i].allow_entries);
		yg_jo_int(&j, "refused", (int64_t)list[i].refused);
		yg_jo_int(&j, "bytes", (int64_t)list[i].bytes);
		yg_jo_time(&j, "created_at", list[i].created.us);
		yg_jo_time(&j, "finished_at", list[i].finished.us);
		yg_jo_bool(&j, "current", current && ready);
		yg_jo_end(&j, '}');
		current = current && !ready;
	}
	return yg_answer_page_number(api, q, &j, n == page.limit,
				     n > 0 ? (int64_t)list[n - 1].generation : 0, err);
}

void yg_put_allow(struct yg_jo *j, const struct yg_allow *w)
{
	yg_jo_begin(j, '{');
	yg_jo_str(j, "id", w->id);
	yg_jo_str_or_null(j, "org", w->org);
	yg_jo_str(j, "type", yg_sv_of(yg_indicator_type_name(w->type)));
	yg_jo_str(j, "value", w->value);
	yg_jo_str(j, "reason", w->reason);
	yg_jo_str_or_null(j, "alert", w->alert);
	yg_jo_time(j, "expires_at", w->expires.us);
	yg_jo_time(j, "created_at", w->created.us);
	yg_jo_time(j, "updated_at", w->updated.us);
	yg_jo_str(j, "created_by", w->actor);
	yg_put_etag(j, w->version);
	yg_jo_end(j, '}');
}

static yg_status find_allow(struct yg_request *q, struct yg_state *db, struct yg_sv id, bool change,
			    struct yg_allow *out, struct yg_err *err)
{
	yg_status st = yg_allow_get(db, id, q->arena, out, err);
	if (st == YG_OK)
		st = yg_scope_object(q, out->org, true, err);
	if (st == YG_OK && change)
		st = yg_scope_shared(q, out->org, err);
	return st;
}

static yg_status answer_allow(struct yg_request *q, struct yg_response *r, struct yg_state *db,
			      int status, struct yg_sv id, struct yg_err *err)
{
	struct yg_allow w;
	yg_status st = find_allow(q, db, id, false, &w, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, status);
	yg_put_allow(&j, &w);
	yg_answer_etag(q, r, NULL, w.version);
	return YG_OK;
}

yg_status yg_r_allows_list(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_page page;
	struct yg_allow *list = NULL;
	size_t n = 0;
	struct yg_reach reach;
	yg_status st = yg_page_begin(api, q, &l, &page, &reach, err);
	if (st == YG_OK)
		st = yg_allow_list(l.db,
				   &(struct yg_allow_filter){.reach = reach,
							     .before = page.after,
							     .limit = page.limit},
				   q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer_list(r);
	for (size_t i = 0; i < n; i++)
		yg_put_allow(&j, &list[i]);
	return yg_answer_page(api, q, &j, n == page.limit ? &list[n - 1].id : NULL, err);
}

yg_status yg_r_allows_add(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			  struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"org", YG_F_TEXT, YG_F_NULL, 1, 63, NULL},
		{"type", YG_F_TEXT, YG_F_NEEDED, 0, 0, TYPE_WORDS},
		{"value", YG_F_TEXT, YG_F_NEEDED, 1, 8192, NULL},
		{"reason", YG_F_TEXT, YG_F_NEEDED, 1, 8000, NULL},
		{"expires_at", YG_F_TIME, YG_F_NULL, 0, 0, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_allow_new n = {0};
	struct yg_id id;
	yg_status st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK)
		st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = yg_scope_body_org(q, l.db, v[0].given, v[0].text, &n.org, err);
	if (st == YG_OK)
		st = yg_indicator_type_parse(v[1].text, &n.type);
	if (st != YG_OK)
		return st;
	n.value = v[2].text;
	n.reason = v[3].text;
	n.expires.us = v[4].number;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_allow_add(&act, &n, &id, err);
	if (st == YG_PARSE)
		yg_request_error(q, "bad_value", YG_SV("/value"), "%s", err->msg);
	if (st != YG_OK)
		return st;
	yg_answer_location(q, r, "/api/v1/allow-entries", yg_id_sv(&id));
	st = answer_allow(q, r, l.db, 201, yg_id_sv(&id), err);
	return committed(api, &l, q, r, st, err);
}

yg_status yg_r_allow_get(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			 struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	yg_status st = yg_lease_state(api, &l, err);
	return st == YG_OK ? answer_allow(q, r, l.db, 200, yg_param(q, "id"), err) : st;
}

yg_status yg_r_allow_change(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"reason", YG_F_TEXT, 0, 1, 8000, NULL},
		{"expires_at", YG_F_TIME, YG_F_NULL, 0, 0, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_allow w;
	yg_status st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = find_allow(q, l.db, yg_param(q, "id"), true, &w, err);
	if (st == YG_OK)
		st = yg_check_match(q, r, w.version, err);
	if (st == YG_OK)
		st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st != YG_OK)
		return st;
	yg_wall expires = {v[1].number};
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_allow_change(&act, w.id, w.version, v[0].given ? &v[0].text : NULL,
			     v[1].given ? &expires : NULL, err);
	if (st != YG_OK)
		return yg_changed(r, st);
	st = answer_allow(q, r, l.db, 200, w.id, err);
	return committed(api, &l, q, r, st, err);
}

yg_status yg_r_allow_remove(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_allow w;
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = find_allow(q, l.db, yg_param(q, "id"), true, &w, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_allow_remove(&act, w.id, err);
	if (st == YG_OK)
		changed(api);
	r->status = 204;
	return st;
}
