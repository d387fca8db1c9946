/* What a person may do, and how the session document tells it. */
#include "api/sign_in.h"

yg_status yg_who_rights(struct yg_request *q, struct yg_state *db, struct yg_err *err)
{
	yg_status st = yg_rights_of(db, q->who.person, q->now, q->arena, &q->who.rights, err);
	return st == YG_OK ? yg_rights_words(&q->who.rights, q->arena, &q->who.scopes, err) : st;
}

static void put_words(struct yg_jo *j, const char *name, const struct yg_sv *words, size_t n)
{
	yg_jo_key(j, name);
	yg_jo_begin(j, '[');
	for (size_t i = 0; i < n; i++)
		yg_jo_text(j, words[i]);
	yg_jo_end(j, ']');
}

void yg_put_reach(struct yg_jo *j, const struct yg_reach *r)
{
	yg_jo_begin(j, '{');
	if (r->all) {
		yg_jo_bool(j, "all", true);
	} else {
		put_words(j, "orgs", r->orgs, r->org_count);
		put_words(j, "systems", r->systems, r->system_count);
	}
	if (r->from.us != 0 || r->to.us != 0) {
		yg_jo_time(j, "period_from", r->from.us);
		yg_jo_time(j, "period_to", r->to.us);
	}
	yg_jo_end(j, '}');
}

static yg_status put_permissions(struct yg_jo *j, const struct yg_request *q, struct yg_state *db,
				 struct yg_err *err)
{
	struct yg_reach reach;
	yg_status st = YG_OK;
	yg_jo_key(j, "permissions");
	yg_jo_begin(j, '{');
	for (unsigned i = 0; st == YG_OK && i < YG_SCOPE_COUNT; i++) {
		if (!yg_who_may(&q->who, yg_scope_name(i)))
			continue;
		st = yg_who_reach(&q->who, db, yg_scope_name(i), q->arena, &reach, err);
		yg_jo_key(j, yg_scope_name(i));
		yg_put_reach(j, &reach);
	}
	yg_jo_end(j, '}');
	return st;
}

yg_status yg_put_rights(struct yg_jo *j, const struct yg_request *q, struct yg_state *db,
			struct yg_err *err)
{
	yg_status st = put_permissions(j, q, db, err);
	yg_jo_key(j, "roles");
	yg_jo_begin(j, '[');
	for (size_t i = 0; i < q->who.rights.count; i++) {
		const struct yg_grant *g = &q->who.rights.grants[i];
		yg_jo_begin(j, '{');
		yg_jo_str(j, "role", yg_sv_of(yg_role_info(g->role)->name));
		yg_jo_str(j, "node", g->node);
		yg_jo_str(j, "system", g->system);
		yg_jo_time(j, "period_from", g->from.us);
		yg_jo_time(j, "period_to", g->to.us);
		yg_jo_end(j, '}');
	}
	yg_jo_end(j, ']');
	return st;
}

void yg_first_rights(struct yg_person *p)
{
	p->administrator = true;
}
