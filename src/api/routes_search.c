/* Saved searches. */
#include "api/routes.h"
#include "org/saved_search.h"

static void put_saved(const struct yg_request *q, struct yg_jo *j, const struct yg_saved_search *s)
{
	yg_jo_begin(j, '{');
	yg_jo_str(j, "id", s->id);
	yg_jo_str(j, "owner", s->owner);
	yg_jo_bool(j, "mine", yg_sv_eq(s->owner, yg_request_owner(q)));
	yg_jo_str_or_null(j, "org", s->org);
	yg_jo_str(j, "name", s->name);
	yg_jo_str(j, "page", s->page);
	yg_jo_str(j, "query", s->query);
	yg_jo_bool(j, "shared", s->shared);
	yg_jo_time(j, "created_at", s->created.us);
	yg_jo_time(j, "updated_at", s->updated.us);
	yg_put_etag(j, s->version);
	yg_jo_end(j, '}');
}

/* One that the caller may see, or, to change it, owns: another's looks like none. */
static yg_status find(struct yg_request *q, struct yg_state *db, struct yg_sv id, bool own,
		      struct yg_saved_search *out, struct yg_err *err)
{
	struct yg_org_set set;
	yg_status st = yg_scope_orgs(q, db, &set, err);
	if (st == YG_OK)
		st = yg_saved_get(db, id, yg_request_owner(q), &set, q->arena, out, err);
	if (st == YG_OK && own && !yg_sv_eq(out->owner, yg_request_owner(q)))
		st = YG_FAIL(err, YG_DENIED, "only its owner changes a saved search");
	return st;
}

static yg_status answer(struct yg_request *q, struct yg_response *r, struct yg_state *db,
			int status, struct yg_sv id, struct yg_err *err)
{
	struct yg_saved_search s;
	yg_status st = find(q, db, id, false, &s, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, status);
	put_saved(q, &j, &s);
	yg_answer_etag(q, r, NULL, s.version);
	return YG_OK;
}

yg_status yg_r_saved_list(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			  struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_page page;
	struct yg_org_set set;
	struct yg_saved_search *list = NULL;
	size_t n = 0;
	struct yg_sv of = yg_query(q, "page");
	yg_status st = yg_page_begin(api, q, &l, &page, NULL, err);
	if (st == YG_OK)
		st = yg_scope_orgs(q, l.db, &set, err);
	if (st != YG_OK)
		return st;
	struct yg_saved_filter f = {.owner = yg_request_owner(q),
				    .page = of.p != NULL ? of : YG_SV(""),
				    .set = &set,
				    .before = page.after,
				    .limit = page.limit};
	st = yg_saved_list(l.db, &f, q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer_list(r);
	for (size_t i = 0; i < n; i++)
		put_saved(q, &j, &list[i]);
	return yg_answer_page(api, q, &j, n == page.limit ? &list[n - 1].id : NULL, err);
}

enum { S_NAME, S_PAGE, S_QUERY, S_SHARED, S_ORG, S_COUNT };
static const struct yg_field fields[S_COUNT] = {
	[S_NAME] = {"name", YG_F_TEXT, 0, 1, 200, NULL},
	[S_PAGE] = {"page", YG_F_TEXT, 0, 1, 64, NULL},
	[S_QUERY] = {"query", YG_F_TEXT, 0, 0, 8192, NULL},
	[S_SHARED] = {"shared", YG_F_BOOL, 0, 0, 0, NULL},
	[S_ORG] = {"org", YG_F_TEXT, YG_F_NULL, 1, 63, NULL},
};

/* What was given over what `s` has.  Shared with an organisation within reach, or
 * with all by who reaches all. */
static yg_status merge(struct yg_request *q, struct yg_state *db, const struct yg_value *v,
		       struct yg_saved_search *s, struct yg_err *err)
{
	if (v[S_NAME].given)
		s->name = v[S_NAME].text;
	if (v[S_PAGE].given)
		s->page = v[S_PAGE].text;
	if (v[S_QUERY].given)
		s->query = v[S_QUERY].text;
	if (v[S_SHARED].given)
		s->shared = v[S_SHARED].truth;
	if (!v[S_ORG].given && !v[S_SHARED].given)
		return YG_OK;
	if (!s->shared) {
		s->org = YG_SV("");
		return YG_OK;
	}
	return yg_scope_body_org(q, db, v[S_ORG].given, v[S_ORG].text, &s->org, err);
}

yg_status yg_r_saved_add(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			 struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	struct yg_value v[S_COUNT];
	struct yg_saved_search s = {.query = YG_SV_INIT("")};
	struct yg_id id;
	yg_status st = yg_body_read(&b, q, fields, S_COUNT, v, err);
	if (st == YG_OK && (!v[S_NAME].given || !v[S_PAGE].given)) {
		yg_request_error(q, "missing", v[S_NAME].given ? YG_SV("/page") : YG_SV("/name"),
				 "the member is needed");
		st = YG_FAIL(err, YG_PARSE, "the body has errors");
	}
	if (st == YG_OK)
		st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = merge(q, l.db, v, &s, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_saved_add(&act, yg_request_owner(q), &s, &id, err);
	if (st == YG_OK)
		st = answer(q, r, l.db, 201, yg_id_sv(&id), err);
	if (st != YG_OK)
		return st;
	yg_answer_location(q, r, "/api/v1/saved-searches", yg_id_sv(&id));
	return yg_lease_commit(&l, q, r, YG_OK, err);
}

yg_status yg_r_saved_change(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	struct yg_value v[S_COUNT];
	struct yg_saved_search s;
	yg_status st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = find(q, l.db, yg_param(q, "id"), true, &s, err);
	if (st == YG_OK)
		st = yg_check_match(q, r, s.version, err);
	if (st == YG_OK)
		st = yg_body_read(&b, q, fields, S_COUNT, v, err);
	if (st == YG_OK)
		st = merge(q, l.db, v, &s, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_saved_change(&act, &s, s.version, err);
	if (st != YG_OK)
		return yg_changed(r, st);
	st = answer(q, r, l.db, 200, s.id, err);
	return yg_lease_commit(&l, q, r, st, err);
}

yg_status yg_r_saved_remove(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_saved_search s;
	yg_status st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = find(q, l.db, yg_param(q, "id"), true, &s, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_saved_remove(&act, &s, err);
	r->status = 204;
	return yg_lease_commit(&l, q, r, st, err);
}
