/* Roles, grants, and who can see what, and why. */
#include "api/body.h"
#include "api/routes.h"
#include "api/sign_in.h"
#include "org/grant.h"
#include "org/organisation.h"
#include "org/person.h"
#include "org/system.h"

static void put_scopes(struct yg_jo *j, uint64_t bits)
{
	yg_jo_key(j, "scopes");
	yg_jo_begin(j, '[');
	for (unsigned i = 0; i < YG_SCOPE_COUNT; i++)
		if ((bits >> i & 1) != 0)
			yg_jo_text(j, yg_sv_of(yg_scope_name(i)));
	yg_jo_end(j, ']');
}

yg_status yg_r_roles_list(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			  struct yg_err *err)
{
	struct yg_jo j = yg_answer_list(r);
	for (int i = YG_ROLE_NONE + 1; i < YG_ROLE_COUNT; i++) {
		const struct yg_role_info *role = yg_role_info((enum yg_role_kind)i);
		yg_jo_begin(&j, '{');
		yg_jo_str(&j, "role", yg_sv_of(role->name));
		yg_jo_str(&j, "title", yg_sv_of(q->japanese ? role->title_ja : role->title_en));
		yg_jo_str(&j, "title_ja", yg_sv_of(role->title_ja));
		yg_jo_str(&j, "title_en", yg_sv_of(role->title_en));
		yg_jo_bool(&j, "of_system", i == YG_ROLE_SYSTEM_OWNER);
		yg_jo_bool(&j, "of_period", i == YG_ROLE_AUDITOR);
		put_scopes(&j, role->scopes);
		yg_jo_end(&j, '}');
	}
	return yg_answer_page(api, q, &j, NULL, err);
}

/* A node that the caller may not see is not named, nor is who gave a role there, and why. */
static void put_grant(struct yg_jo *j, const struct yg_request *q, const struct yg_grant *g)
{
	bool seen = yg_reach_has(&q->who.reach, g->node, YG_SV(""));
	yg_jo_begin(j, '{');
	yg_jo_str_or_null(j, "id", g->id);
	yg_jo_str(j, "person", g->person);
	yg_jo_str(j, "role", yg_sv_of(yg_role_info(g->role)->name));
	yg_jo_str_or_null(j, "node", seen ? g->node : YG_SV(""));
	yg_jo_bool(j, "whole", g->node.n == 0);
	yg_jo_str_or_null(j, "system", g->system);
	yg_jo_time(j, "period_from", g->from.us);
	yg_jo_time(j, "period_to", g->to.us);
	yg_jo_time(j, "expires_at", g->expires.us);
	yg_jo_time(j, "created_at", g->created.us);
	yg_jo_str_or_null(j, "created_by", seen ? g->created_by : YG_SV(""));
	yg_jo_str(j, "reason", seen ? g->reason : YG_SV(""));
}

static struct yg_grant_reach grants_within(const struct yg_reach *r)
{
	return (struct yg_grant_reach){
		.all = r->all, .orgs = r->orgs, .org_count = r->org_count, .to = r->to};
}

yg_status yg_r_grants_list(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_page page;
	struct yg_reach reach;
	struct yg_grant *list = NULL;
	struct yg_sv person = yg_query(q, "person");
	size_t n = 0;
	yg_status st = yg_page_begin(api, q, &l, &page, &reach, err);
	if (st != YG_OK)
		return st;
	struct yg_grant_filter f = {.reach = grants_within(&reach),
				    .person = person.p != NULL ? person : YG_SV(""),
				    .before = page.after,
				    .limit = page.limit};
	st = yg_grant_list(l.db, &f, q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer_list(r);
	for (size_t i = 0; i < n; i++) {
		put_grant(&j, q, &list[i]);
		yg_jo_end(&j, '}');
	}
	return yg_answer_page(api, q, &j, n == page.limit ? &list[n - 1].id : NULL, err);
}

yg_status yg_may_give(struct yg_request *q, struct yg_state *db, const struct yg_grant *g,
		      struct yg_err *err)
{
	uint64_t bits = yg_role_info(g->role)->scopes;
	yg_status st = YG_OK;
	for (unsigned i = 0; st == YG_OK && i < YG_SCOPE_COUNT; i++) {
		struct yg_reach reach;
		if ((bits >> i & 1) == 0)
			continue;
		st = yg_who_reach(&q->who, db, yg_scope_name(i), q->arena, &reach, err);
		bool held =
			reach.all || (g->node.n > 0 && yg_reach_has(&reach, g->node, g->system));
		if (st == YG_OK && !held)
			st = YG_FAIL(err, YG_DENIED,
				     "nobody gives a role with rights that they do not have there");
	}
	return st;
}

static yg_status place_system(struct yg_request *q, struct yg_state *db, struct yg_grant *g,
			      struct yg_err *err)
{
	struct yg_system y;
	if (g->system.n == 0)
		return YG_OK;
	yg_status st = yg_system_get(db, g->system, q->arena, &y, err);
	if (st == YG_OK && g->node.n > 0 && !yg_sv_eq(g->node, y.org))
		st = YG_FAIL(err, YG_NOTFOUND, "no such system");
	if (st == YG_OK)
		g->node = y.org;
	return st;
}

static yg_status answer_grant(struct yg_request *q, struct yg_response *r, struct yg_state *db,
			      int status, struct yg_sv id, struct yg_err *err)
{
	struct yg_grant g;
	yg_status st = yg_grant_get(db, id, q->arena, &g, err);
	if (st == YG_OK)
		st = yg_scope_object(q, g.node, false, err);
	if (st == YG_OK)
		st = yg_scope_made(q, g.created, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, status);
	put_grant(&j, q, &g);
	yg_jo_end(&j, '}');
	return YG_OK;
}

static const struct yg_field grant_fields[] = {
	{"person", YG_F_TEXT, YG_F_NEEDED, 1, 64, NULL},
	{"role", YG_F_TEXT, YG_F_NEEDED, 0, 0,
	 "administrator centre_analyst organisation_csirt ciso_office system_owner auditor collector"},
	{"node", YG_F_TEXT, YG_F_NULL, 1, 63, NULL},
	{"system", YG_F_TEXT, YG_F_NULL, 1, 64, NULL},
	{"period_from", YG_F_TIME, YG_F_NULL, 0, 0, NULL},
	{"period_to", YG_F_TIME, YG_F_NULL, 0, 0, NULL},
	{"expires_at", YG_F_TIME, YG_F_NULL, 0, 0, NULL},
	{"reason", YG_F_TEXT, 0, 0, 8000, NULL},
};

static void read_grant(const struct yg_value *v, struct yg_grant *out)
{
	*out = (struct yg_grant){.person = v[0].text,
				 .node = v[2].text,
				 .system = v[3].text,
				 .from = {v[4].number},
				 .to = {v[5].number},
				 .expires = {v[6].number},
				 .created_by = YG_SV_INIT(""),
				 .reason = v[7].given ? v[7].text : YG_SV("")};
	(void)yg_role_parse(v[1].text, &out->role); /* one of the words it may be */
}

yg_status yg_r_grants_add(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			  struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	struct yg_value v[YG_LEN(grant_fields)];
	struct yg_grant g;
	struct yg_person p;
	struct yg_id id;
	yg_status st = yg_body_read(&b, q, grant_fields, YG_LEN(grant_fields), v, err);
	if (st == YG_OK)
		st = yg_lease_change(api, &l, err);
	if (st != YG_OK)
		return st;
	read_grant(v, &g);
	st = place_system(q, l.db, &g, err);
	if (st == YG_OK)
		st = yg_scope_object(q, g.node, false, err);
	if (st == YG_OK)
		st = yg_may_give(q, l.db, &g, err);
	/* a person of another organisation is as one that is not there */
	if (st == YG_OK)
		st = yg_person_within(l.db, g.person, &q->who.reach, q->now, q->arena, &p, err);
	if (st == YG_OK && g.role == YG_ROLE_ADMINISTRATOR && g.node.n == 0)
		st = yg_approval_needed(q, r, l.db, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_grant_add(&act, &g, &id, err);
	if (st == YG_OK)
		st = answer_grant(q, r, l.db, 201, yg_id_sv(&id), err);
	yg_answer_location(q, r, "/api/v1/grants", yg_id_sv(&id));
	return yg_lease_commit_then(&l, q, r, st, yg_rights_changed, err);
}

yg_status yg_r_grant_get(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			 struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	yg_status st = yg_lease_state(api, &l, err);
	return st == YG_OK ? answer_grant(q, r, l.db, 200, yg_param(q, "id"), err) : st;
}

/* Without this grant, does somebody stop being an administrator? */
static yg_status may_remove(const struct yg_request *q, struct yg_response *r, struct yg_state *db,
			    const struct yg_grant *g, struct yg_err *err)
{
	bool before = false, after = false;
	if (g->role != YG_ROLE_ADMINISTRATOR || g->node.n > 0)
		return YG_OK;
	yg_status st = yg_person_is_administrator(db, g->person, q->now, YG_SV(""), &before, err);
	if (st == YG_OK)
		st = yg_person_is_administrator(db, g->person, q->now, g->id, &after, err);
	return st == YG_OK && before && !after ? yg_may_lose_administrator(q, r, db, g->person, err)
					       : st;
}

yg_status yg_r_grant_remove(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_grant g;
	yg_status st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = yg_grant_get(l.db, yg_param(q, "id"), q->arena, &g, err);
	if (st == YG_OK)
		st = yg_scope_object(q, g.node, false, err);
	if (st == YG_OK)
		st = may_remove(q, r, l.db, &g, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_grant_remove(&act, g.id, err);
	r->status = 204;
	return yg_lease_commit_then(&l, q, r, st, yg_rights_changed, err);
}

/* Who can see an organisation: by which grant, and whether it comes from above. */
yg_status yg_r_organisation_access(struct yg_api *api, struct yg_request *q, struct yg_response *r,
				   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_grant *list = NULL;
	struct yg_sv name = yg_param(q, "name");
	size_t n = 0;
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = yg_scope_object(q, name, false, err);
	if (st == YG_OK)
		st = yg_org_known(l.db, name, err);
	if (st == YG_OK)
		st = yg_grant_reaching(l.db, name, q->now, q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer_list(r);
	for (size_t i = 0; i < n; i++) {
		if (yg_scope_made(q, list[i].created, NULL) != YG_OK)
			continue;
		put_grant(&j, q, &list[i]);
		yg_jo_bool(&j, "inherited", !yg_sv_eq(list[i].node, name));
		put_scopes(&j, yg_role_info(list[i].role)->scopes);
		yg_jo_end(&j, '}');
	}
	return yg_answer_page(api, q, &j, NULL, err);
}

/* The person's rights as far as the caller may know of them. */
static yg_status known_rights(struct yg_request *q, struct yg_state *db, struct yg_rights *out,
			      struct yg_err *err)
{
	struct yg_person p;
	struct yg_rights all;
	struct yg_sv id = yg_param(q, "id");
	bool own = q->who.person.n > 0 && yg_sv_eq(id, q->who.person);
	yg_status st = own ? yg_person_get(db, id, q->arena, &p, err)
			   : yg_person_within(db, id, &q->who.reach, q->now, q->arena, &p, err);
	if (st == YG_OK)
		st = yg_rights_of(db, p.id, q->now, q->arena, &all, err);
	if (st != YG_OK)
		return st;
	*out = (struct yg_rights){.grants = all.grants, .until = all.until};
	for (size_t i = 0; i < all.count; i++)
		if (yg_reach_has(&q->who.reach, all.grants[i].node, YG_SV("")) &&
		    (own || yg_scope_made(q, all.grants[i].created, NULL) == YG_OK))
			out->grants[out->count++] = all.grants[i];
	return YG_OK;
}

yg_status yg_r_person_access(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			     struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_rights rights;
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = known_rights(q, l.db, &rights, err);
	if (st != YG_OK)
		return st;
	uint64_t bits = yg_rights_scopes(&rights);
	struct yg_jo j = yg_answer(r, 200);
	yg_jo_begin(&j, '{');
	yg_jo_str(&j, "person", yg_param(q, "id"));
	yg_jo_key(&j, "grants");
	yg_jo_begin(&j, '[');
	for (size_t i = 0; i < rights.count; i++) {
		put_grant(&j, q, &rights.grants[i]);
		put_scopes(&j, yg_role_info(rights.grants[i].role)->scopes);
		yg_jo_end(&j, '}');
	}
	yg_jo_end(&j, ']');
	yg_jo_key(&j, "permissions");
	yg_jo_begin(&j, '{');
	for (unsigned i = 0; st == YG_OK && i < YG_SCOPE_COUNT; i++) {
		struct yg_reach reach;
		if ((bits >> i & 1) == 0)
			continue;
		st = yg_rights_reach(l.db, &rights, 1ull << i, q->arena, &reach, err);
		yg_jo_key(&j, yg_scope_name(i));
		yg_put_reach(&j, &reach);
	}
	yg_jo_end(&j, '}');
	yg_jo_time(&j, "as_of", q->now.us);
	yg_jo_end(&j, '}');
	return st;
}
