/* Block entries: what protective DNS refuses because an organisation says so. */
#include "api/routes.h"
#include "dns/block.h"

static const struct {
	uint16_t code;
	const char *name;
} ede_words[] = {{15, "blocked"}, {16, "censored"}, {17, "filtered"}};

void yg_dns_changed(struct yg_api *api)
{
	if (api->hooks.dns_changed != NULL)
		api->hooks.dns_changed(api->hooks.ctx);
}

static struct yg_sv ede_word(uint16_t code)
{
	for (size_t i = 0; i < YG_LEN(ede_words); i++)
		if (ede_words[i].code == code)
			return yg_sv_of(ede_words[i].name);
	return YG_SV("");
}

static void put_block(struct yg_jo *j, const struct yg_block *k)
{
	yg_jo_begin(j, '{');
	yg_jo_str(j, "id", k->id);
	yg_jo_str_or_null(j, "org", k->org);
	yg_jo_str(j, "type", yg_sv_of(yg_indicator_type_name(k->type)));
	yg_jo_str(j, "value", k->value);
	yg_jo_str(j, "category", k->category);
	yg_jo_str_or_null(j, "ede", ede_word(k->ede));
	yg_jo_str(j, "reason", k->reason);
	yg_jo_time(j, "expires_at", k->expires.us);
	yg_jo_time(j, "created_at", k->created.us);
	yg_jo_time(j, "updated_at", k->updated.us);
	yg_jo_str(j, "created_by", k->actor);
	yg_put_etag(j, k->version);
	yg_jo_end(j, '}');
}

/* Those for all are everybody's to read and the centre's to change. */
static yg_status find_block(struct yg_request *q, struct yg_state *db, struct yg_sv id, bool change,
			    struct yg_block *out, struct yg_err *err)
{
	yg_status st = yg_block_get(db, id, q->arena, out, err);
	if (st == YG_OK)
		st = yg_scope_object(q, out->org, true, err);
	if (st == YG_OK)
		st = yg_scope_made(q, out->created, err);
	if (st == YG_OK && change)
		st = yg_scope_shared(q, out->org, err);
	return st;
}

static yg_status answer_block(struct yg_request *q, struct yg_response *r, struct yg_state *db,
			      int status, struct yg_sv id, struct yg_err *err)
{
	struct yg_block k;
	yg_status st = find_block(q, db, id, false, &k, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, status);
	put_block(&j, &k);
	yg_answer_etag(q, r, NULL, k.version);
	return YG_OK;
}

yg_status yg_r_blocks_list(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_page page;
	struct yg_block *list = NULL;
	size_t n = 0;
	struct yg_reach reach;
	yg_status st = yg_page_begin(api, q, &l, &page, &reach, err);
	if (st == YG_OK)
		st = yg_block_list(l.db,
				   &(struct yg_block_filter){.reach = reach,
							     .before = page.after,
							     .limit = page.limit},
				   q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer_list(r);
	for (size_t i = 0; i < n; i++)
		put_block(&j, &list[i]);
	return yg_answer_page(api, q, &j, n == page.limit ? &list[n - 1].id : NULL, err);
}

static yg_status add_block(struct yg_request *q, struct yg_act *act, const struct yg_block_new *n,
			   struct yg_id *id, struct yg_err *err)
{
	yg_status st = yg_block_add(act, n, id, err);
	if (st == YG_DENIED) { /* not a matter of rights: the value is too wide */
		yg_request_error(q, "too_wide", YG_SV("/value"), "%s", err->msg);
		return YG_FAIL(err, YG_PARSE,
			       "the value covers too much; say force to take it all the same");
	}
	if (st == YG_PARSE)
		yg_request_error(q, "bad_value", YG_SV("/value"), "%s", err->msg);
	return st;
}

yg_status yg_r_blocks_add(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			  struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"org", YG_F_TEXT, YG_F_NULL, 1, 63, NULL},
		{"type", YG_F_TEXT, YG_F_NEEDED, 0, 0, "domain fqdn ip"},
		{"value", YG_F_TEXT, YG_F_NEEDED, 1, 1024, NULL},
		{"reason", YG_F_TEXT, YG_F_NEEDED, 1, 8000, NULL},
		{"category", YG_F_TEXT, 0, 0, YG_DNS_CATEGORY_MAX, NULL},
		{"ede", YG_F_TEXT, YG_F_NULL, 0, 0, "blocked censored filtered"},
		{"expires_at", YG_F_TIME, YG_F_NULL, 0, 0, NULL},
		{"force", YG_F_BOOL, 0, 0, 0, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_block_new n = {.force = false};
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
	n.category = v[4].text;
	for (size_t i = 0; i < YG_LEN(ede_words); i++)
		if (yg_sv_eq(v[5].text, yg_sv_of(ede_words[i].name)))
			n.ede = ede_words[i].code;
	n.expires.us = v[6].number;
	n.force = v[7].truth;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = add_block(q, &act, &n, &id, err);
	if (st != YG_OK)
		return st;
	yg_answer_location(q, r, "/api/v1/block-entries", yg_id_sv(&id));
	st = answer_block(q, r, l.db, 201, yg_id_sv(&id), err);
	return yg_lease_commit_then(&l, q, r, st, yg_dns_changed, err);
}

yg_status yg_r_block_get(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			 struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	yg_status st = yg_lease_state(api, &l, err);
	return st == YG_OK ? answer_block(q, r, l.db, 200, yg_param(q, "id"), err) : st;
}

yg_status yg_r_block_change(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"category", YG_F_TEXT, 0, 0, YG_DNS_CATEGORY_MAX, NULL},
		{"reason", YG_F_TEXT, 0, 1, 8000, NULL},
		{"expires_at", YG_F_TIME, YG_F_NULL, 0, 0, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_block k;
	yg_status st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = find_block(q, l.db, yg_param(q, "id"), true, &k, err);
	if (st == YG_OK)
		st = yg_check_match(q, r, k.version, err);
	if (st == YG_OK)
		st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st != YG_OK)
		return st;
	yg_wall expires = {v[2].number};
	const struct yg_block_set set = {.category = v[0].given ? &v[0].text : NULL,
					 .reason = v[1].given ? &v[1].text : NULL,
					 .expires = v[2].given ? &expires : NULL};
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_block_change(&act, k.id, k.version, &set, err);
	if (st != YG_OK)
		return yg_changed(r, st);
	st = answer_block(q, r, l.db, 200, k.id, err);
	return yg_lease_commit_then(&l, q, r, st, yg_dns_changed, err);
}

yg_status yg_r_block_remove(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_block k;
	yg_status st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = find_block(q, l.db, yg_param(q, "id"), true, &k, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_block_remove(&act, k.id, err);
	r->status = 204;
	return yg_lease_commit_then(&l, q, r, st, yg_dns_changed, err);
}
