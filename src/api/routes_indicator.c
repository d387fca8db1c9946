/* Indicators, and the snapshots that are compiled of them. */
#include "api/routes_indicator.h"

void yg_indicators_changed(struct yg_api *api)
{
	if (api->hooks.indicators_changed != NULL)
		api->hooks.indicators_changed(api->hooks.ctx);
}

struct yg_sv yg_tlp_text(uint8_t tlp)
{
	const char *s = yg_tlp_name((enum yg_tlp)tlp);
	return yg_sv_of(s[0] != '\0' ? s : "clear");
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
	yg_jo_str(j, "tlp", yg_tlp_text(row->ind.tlp));
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
	if (st == YG_OK)
		st = yg_scope_made(q, out->created, err);
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
	struct yg_sv validity = yg_query(q, "validity");
	if (validity.p != NULL && !YG_SV_IS(validity, "in_force") &&
	    !YG_SV_IS(validity, "expired")) {
		yg_request_error(q, "unknown_value", YG_SV("validity"), "expected one of: %s",
				 "in_force expired");
		return YG_FAIL(err, YG_PARSE, "a parameter is wrong");
	}
	if (validity.p != NULL)
		f->validity = YG_SV_IS(validity, "expired") ? YG_VALID_EXPIRED : YG_VALID_NOW;
	f->now = q->now;
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
		st = yg_find_list(q, l.db, v[I_LIST].text, true, &list, err);
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
	return yg_lease_commit_then(&l, q, r, st, yg_indicators_changed, err);
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
	return yg_lease_commit_then(&l, q, r, st, yg_indicators_changed, err);
}

yg_status yg_r_indicator_remove(struct yg_api *api, struct yg_request *q, struct yg_response *r,
				struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_indicator_row row;
	int64_t id = 0;
	yg_status st = indicator_id(q, &id, err);
	if (st == YG_OK)
		st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = find_indicator(q, l.db, id, true, &row, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_indicator_remove(&act, id, err);
	r->status = 204;
	return yg_lease_commit_then(&l, q, r, st, yg_indicators_changed, err);
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
	st = yg_scope_now(q, err);
	if (st == YG_OK)
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
