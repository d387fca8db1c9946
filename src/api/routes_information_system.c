/* Information systems and what belongs to them. */
#include "api/body.h"
#include "api/routes.h"
#include "org/system.h"

static void put_system(struct yg_jo *j, const struct yg_request *q, const struct yg_system *y)
{
	yg_jo_begin(j, '{');
	yg_jo_str(j, "id", y->id);
	yg_jo_str(j, "org", y->org);
	yg_jo_str(j, "name", y->name);
	yg_jo_str(j, "title", q->japanese ? y->title_ja : y->title_en);
	yg_jo_str(j, "title_ja", y->title_ja);
	yg_jo_str(j, "title_en", y->title_en);
	yg_jo_str_or_null(j, "owner", y->owner);
	yg_jo_int(j, "importance", y->importance);
	yg_jo_str(j, "scheme", y->scheme);
	yg_jo_str(j, "confidentiality", y->confidentiality);
	yg_jo_int(j, "integrity", y->integrity);
	yg_jo_int(j, "availability", y->availability);
	yg_jo_time(j, "created_at", y->created.us);
	yg_jo_time(j, "updated_at", y->updated.us);
	yg_put_etag(j, y->version);
}

static void put_members(struct yg_jo *j, const char *name, bool networks,
			const struct yg_member *list, size_t n)
{
	yg_jo_key(j, name);
	yg_jo_begin(j, '[');
	for (size_t i = 0; i < n; i++)
		if (list[i].network == networks)
			yg_jo_text(j, list[i].value);
	yg_jo_end(j, ']');
}

static yg_status find(struct yg_request *q, struct yg_state *db, struct yg_system *out,
		      struct yg_err *err)
{
	yg_status st = yg_system_get(db, yg_param(q, "id"), q->arena, out, err);
	if (st == YG_OK && !yg_reach_has(&q->who.reach, out->org, out->id))
		st = YG_FAIL(err, YG_NOTFOUND, "no such object");
	return st == YG_OK ? yg_scope_made(q, out->created, err) : st;
}

static yg_status answer_system(struct yg_request *q, struct yg_response *r, struct yg_state *db,
			       int status, struct yg_sv id, struct yg_err *err)
{
	struct yg_system y;
	struct yg_member *members = NULL;
	size_t n = 0;
	yg_status st = yg_system_get(db, id, q->arena, &y, err);
	if (st == YG_OK)
		st = yg_system_members(db, id, q->arena, &members, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, status);
	put_system(&j, q, &y);
	put_members(&j, "networks", true, members, n);
	put_members(&j, "hosts", false, members, n);
	yg_jo_end(&j, '}');
	yg_answer_etag(q, r, NULL, y.version);
	return YG_OK;
}

yg_status yg_r_systems_list(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_page page;
	struct yg_reach reach;
	struct yg_system *list = NULL;
	size_t n = 0;
	yg_status st = yg_page_begin(api, q, &l, &page, &reach, err);
	if (st == YG_OK)
		st = yg_system_list(l.db, &reach, page.after, page.limit, q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer_list(r);
	for (size_t i = 0; i < n; i++) {
		put_system(&j, q, &list[i]);
		yg_jo_end(&j, '}');
	}
	return yg_answer_page(api, q, &j, n == page.limit ? &list[n - 1].id : NULL, err);
}

/* What a new one and a change have in common stands first. */
#define SHARED                                                                                     \
	{"title_ja", YG_F_TEXT, 0, 1, 800, NULL}, {"title_en", YG_F_TEXT, 0, 1, 800, NULL},        \
		{"owner", YG_F_TEXT, YG_F_NULL, 1, 64, NULL},                                      \
		{"importance", YG_F_INT, 0, 1, 3, NULL},                                           \
		{"scheme", YG_F_TEXT, 0, 0, 0, "cia3 local5"},                                     \
		{"confidentiality", YG_F_TEXT, 0, 0, 0, "1 2 3 3C 3B 3A"},                         \
		{"integrity", YG_F_INT, 0, 1, 2, NULL}, {"availability", YG_F_INT, 0, 1, 2, NULL}, \
		{"networks", YG_F_TEXTS, 0, 0, YG_SYSTEM_MEMBERS_MAX, NULL},                       \
	{                                                                                          \
		"hosts", YG_F_TEXTS, 0, 0, YG_SYSTEM_MEMBERS_MAX, NULL                             \
	}
enum {
	TITLE_JA,
	TITLE_EN,
	OWNER,
	IMPORTANCE,
	SCHEME,
	CONFIDENTIALITY,
	INTEGRITY,
	AVAILABILITY,
	NETWORKS,
	HOSTS,
	ORG,
	NAME
};

/* The members as the body says; of a kind it does not name, those there are. */
static yg_status set_members(struct yg_request *q, struct yg_act *act, struct yg_sv id,
			     const struct yg_value *v, struct yg_err *err)
{
	struct yg_member *old = NULL, *list;
	size_t old_n = 0, n = 0;
	if (!v[NETWORKS].given && !v[HOSTS].given)
		return YG_OK;
	yg_status st = yg_system_members(act->db, id, q->arena, &old, &old_n, err);
	list = YG_NEW_N(q->arena, struct yg_member,
			old_n + v[NETWORKS].text_count + v[HOSTS].text_count + 1);
	if (st == YG_OK && list == NULL)
		st = YG_FAIL(err, YG_NOMEM, "the request is too large");
	if (st != YG_OK)
		return st;
	for (size_t i = 0; i < old_n; i++)
		if (!v[old[i].network ? NETWORKS : HOSTS].given)
			list[n++] = old[i];
	for (size_t i = 0; i < v[NETWORKS].text_count; i++)
		list[n++] = (struct yg_member){true, v[NETWORKS].texts[i]};
	for (size_t i = 0; i < v[HOSTS].text_count; i++)
		list[n++] = (struct yg_member){false, v[HOSTS].texts[i]};
	return yg_system_set_members(act, id, YG_ANY_VERSION, list, n, err);
}

yg_status yg_r_systems_add(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {SHARED,
						 {"org", YG_F_TEXT, 0, 1, 63, NULL},
						 {"name", YG_F_TEXT, YG_F_NEEDED, 1, 63, NULL}};
	struct yg_value v[YG_LEN(fields)];
	struct yg_system y = {0};
	struct yg_id id;
	yg_status st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK)
		st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = yg_scope_body_org(q, l.db, v[ORG].given, v[ORG].text, &y.org, err);
	if (st == YG_OK && y.org.n == 0) {
		yg_request_error(q, "missing", YG_SV("/org"), "say of which organisation");
		st = YG_FAIL(err, YG_PARSE, "the body has errors");
	}
	if (st != YG_OK)
		return st;
	y.name = v[NAME].text;
	y.title_ja = v[TITLE_JA].text;
	y.title_en = v[TITLE_EN].text;
	y.owner = v[OWNER].text;
	y.scheme = v[SCHEME].text;
	y.confidentiality = v[CONFIDENTIALITY].text;
	y.importance = (int)v[IMPORTANCE].number;
	y.integrity = (int)v[INTEGRITY].number;
	y.availability = (int)v[AVAILABILITY].number;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_system_add(&act, &y, &id, err);
	if (st == YG_OK)
		st = set_members(q, &act, yg_id_sv(&id), v, err);
	if (st == YG_OK)
		st = answer_system(q, r, l.db, 201, yg_id_sv(&id), err);
	if (st != YG_OK)
		return st;
	yg_answer_location(q, r, "/api/v1/systems", yg_id_sv(&id));
	return yg_lease_commit(&l, q, r, st, err);
}

yg_status yg_r_system_get(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			  struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_system y;
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = find(q, l.db, &y, err);
	return st == YG_OK ? answer_system(q, r, l.db, 200, y.id, err) : st;
}

yg_status yg_r_system_change(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			     struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {SHARED};
	struct yg_value v[YG_LEN(fields)];
	struct yg_system y;
	yg_status st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = find(q, l.db, &y, err);
	if (st == YG_OK)
		st = yg_check_match(q, r, y.version, err);
	if (st == YG_OK)
		st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st != YG_OK)
		return st;
	struct yg_system_set set = {
		.title_ja = v[TITLE_JA].given ? &v[TITLE_JA].text : NULL,
		.title_en = v[TITLE_EN].given ? &v[TITLE_EN].text : NULL,
		.owner = v[OWNER].given ? &v[OWNER].text : NULL,
		.scheme = v[SCHEME].given ? &v[SCHEME].text : NULL,
		.confidentiality = v[CONFIDENTIALITY].given ? &v[CONFIDENTIALITY].text : NULL,
		.importance = (int)v[IMPORTANCE].number,
		.integrity = (int)v[INTEGRITY].number,
		.availability = (int)v[AVAILABILITY].number,
	};
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_system_change(&act, y.id, y.version, &set, err);
	if (st == YG_OK)
		st = set_members(q, &act, y.id, v, err);
	if (st != YG_OK)
		return yg_changed(r, st);
	st = answer_system(q, r, l.db, 200, y.id, err);
	return yg_lease_commit_then(&l, q, r, st, yg_rights_changed, err);
}

yg_status yg_r_system_remove(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			     struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_system y;
	yg_status st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = find(q, l.db, &y, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_system_remove(&act, y.id, err);
	r->status = 204;
	return yg_lease_commit_then(&l, q, r, st, yg_rights_changed, err);
}
