/* Whose data a request is about: what its rights reach, narrowed by ?org= and ?system=. */
#include "api/api.h"
#include "org/organisation.h"
#include "org/system.h"
#include "org/token.h"

static yg_status no_org(struct yg_err *err)
{
	return YG_FAIL(err, YG_NOTFOUND, "no such organisation");
}

yg_status yg_who_reach(const struct yg_who *w, struct yg_state *db, const char *scope,
		       struct yg_arena *arena, struct yg_reach *out, struct yg_err *err)
{
	yg_status st = YG_OK;
	*out = (struct yg_reach){0};
	if (scope == NULL || !yg_who_may(w, scope))
		return YG_OK;
	if (w->kind == YG_WHO_LOCAL) {
		out->all = true;
		return YG_OK;
	}
	struct yg_reach own = {.all = w->person.n == 0};
	if (w->person.n > 0)
		st = yg_rights_reach(db, &w->rights, yg_scope_bit(yg_sv_of(scope)), arena, &own,
				     err);
	if (st == YG_OK && w->bound.n > 0)
		st = yg_reach_narrow(db, &own, w->bound, arena, &own, err);
	if (st == YG_NOTFOUND) { /* what the token is bound to is not the person's any more */
		own = (struct yg_reach){0};
		st = YG_OK;
	}
	*out = own;
	return st;
}

yg_status yg_actor_who(struct yg_state *db, struct yg_sv actor, yg_wall now, struct yg_arena *arena,
		       struct yg_who *out, struct yg_err *err)
{
	struct yg_who w = {.kind = YG_WHO_NOBODY};
	struct yg_sb text = yg_sb_init(w.actor, sizeof w.actor);
	struct yg_sv rest = actor, kind;
	struct yg_token t;
	yg_status st = YG_OK;
	yg_sb_put(&text, actor);
	(void)yg_sb_cstr(&text);
	(void)yg_sv_cut(&rest, ':', &kind);
	if (YG_SV_IS(kind, "local")) {
		w.kind = YG_WHO_LOCAL;
	} else if (YG_SV_IS(kind, "token")) {
		st = yg_token_get(db, rest, arena, &t, err);
		if (st != YG_OK)
			return st;
		w.kind = YG_WHO_TOKEN;
		w.bound = t.org;
		w.person = t.person;
		w.scopes = t.revoked.us == 0 && (t.expires.us == 0 || t.expires.us > now.us)
				   ? t.scopes
				   : YG_SV("");
	} else if (YG_SV_IS(kind, "person")) {
		w.kind = YG_WHO_PERSON;
		w.person = rest;
		st = yg_rights_of(db, rest, now, arena, &w.rights, err);
		if (st == YG_OK)
			st = yg_rights_words(&w.rights, arena, &w.scopes, err);
	}
	if (st == YG_OK && w.kind == YG_WHO_TOKEN && w.person.n > 0)
		st = yg_rights_of(db, w.person, now, arena, &w.rights, err);
	if (st == YG_OK)
		*out = w;
	return st;
}

yg_status yg_actor_reach(struct yg_state *db, struct yg_sv actor, const char *scope, yg_wall now,
			 struct yg_arena *arena, struct yg_reach *out, struct yg_err *err)
{
	struct yg_who w;
	yg_status st = yg_actor_who(db, actor, now, arena, &w, err);
	return st == YG_OK ? yg_who_reach(&w, db, scope, arena, out, err) : st;
}

yg_status yg_who_settle(struct yg_request *q, struct yg_state *db, struct yg_err *err)
{
	struct yg_who *w = &q->who;
	yg_wall until = w->rights.until;
	w->root = w->bound.n > 0 ? w->bound : yg_rights_root(&w->rights);
	w->audits = yg_rights_audits(&w->rights);
	if (until.us != 0 && (w->expires.us == 0 || until.us < w->expires.us))
		w->expires = until;
	yg_status st = yg_who_reach(w, db, q->route->scope, q->arena, &w->reach, err);
	/* a token may be bound to what is not its person's any more: that names nothing */
	if (q->route->scope != NULL && w->bound.n > 0 && yg_reach_none(&w->reach))
		w->root = YG_SV("");
	return st;
}

yg_status yg_scope_gives(struct yg_request *q, struct yg_state *db, const struct yg_sv *scopes,
			 size_t n, struct yg_sv org, struct yg_err *err)
{
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < n; i++) {
		struct yg_reach reach;
		char scope[40];
		struct yg_sb s = yg_sb_init(scope, sizeof scope);
		yg_sb_put(&s, scopes[i]);
		st = yg_who_reach(&q->who, db, yg_sb_cstr(&s), q->arena, &reach, err);
		if (st == YG_OK && !yg_reach_has(&reach, org, YG_SV("")))
			st = YG_FAIL(err, YG_DENIED, "a token cannot give a scope that it has not");
	}
	return st;
}

yg_status yg_scope_binds(struct yg_request *q, struct yg_state *db, const struct yg_sv *scopes,
			 size_t n, struct yg_sv org, struct yg_err *err)
{
	size_t held = 0;
	for (size_t i = 0; i < n; i++) {
		struct yg_reach reach;
		char scope[40];
		struct yg_sb s = yg_sb_init(scope, sizeof scope);
		yg_sb_put(&s, scopes[i]);
		yg_status st = yg_who_reach(&q->who, db, yg_sb_cstr(&s), q->arena, &reach, err);
		if (st == YG_OK)
			st = yg_reach_narrow(db, &reach, org, q->arena, &reach, err);
		if (st == YG_OK)
			held++;
		else if (st != YG_NOTFOUND)
			return st;
	}
	if (held == 0)
		return no_org(err);
	return held == n ? YG_OK
			 : YG_FAIL(err, YG_DENIED, "a token cannot give a scope that it has not");
}

/* The system asked for, when it is within `r`: then only it. */
static yg_status only_system(struct yg_request *q, struct yg_state *db, struct yg_sv id,
			     struct yg_reach *r, struct yg_err *err)
{
	struct yg_system y;
	struct yg_sv *one = YG_NEW(q->arena, struct yg_sv);
	if (one == NULL)
		return YG_FAIL(err, YG_NOMEM, "the request is too large");
	yg_status st = yg_system_get(db, id, q->arena, &y, err);
	if (st == YG_OK && !yg_reach_has(r, y.org, y.id))
		st = YG_FAIL(err, YG_NOTFOUND, "no such system");
	if (st != YG_OK)
		return st;
	*one = y.id;
	*r = (struct yg_reach){.systems = one, .system_count = 1, .from = r->from, .to = r->to};
	return YG_OK;
}

yg_status yg_scope_reach(struct yg_request *q, struct yg_state *db, struct yg_reach *out,
			 struct yg_err *err)
{
	struct yg_sv org = yg_query(q, "org"), system = yg_query(q, "system");
	yg_status st = YG_OK;
	*out = q->who.reach;
	if (org.p != NULL && !yg_org_slug_ok(org)) {
		yg_request_error(q, "bad_name", YG_SV("org"), "not the name of an organisation");
		return YG_FAIL(err, YG_PARSE, "a parameter is wrong");
	}
	if (org.p != NULL)
		st = yg_reach_narrow(db, &q->who.reach, org, q->arena, out, err);
	return st == YG_OK && system.p != NULL ? only_system(q, db, system, out, err) : st;
}

yg_status yg_scope_orgs(struct yg_request *q, struct yg_state *db, struct yg_org_set *out,
			struct yg_err *err)
{
	struct yg_reach reach;
	yg_status st = yg_scope_reach(q, db, &reach, err);
	if (st == YG_OK && (reach.from.us != 0 || reach.to.us != 0))
		reach = (struct yg_reach){0};
	*out = yg_reach_set(&reach);
	return st;
}

yg_status yg_scope_owner(struct yg_request *q, struct yg_state *db, struct yg_sv *out,
			 struct yg_err *err)
{
	struct yg_sv asked = yg_query(q, "org");
	*out = yg_reach_has(&q->who.reach, q->who.root, YG_SV("")) ? q->who.root : YG_SV("");
	if (asked.p == NULL)
		return YG_OK;
	if (!yg_org_slug_ok(asked)) {
		yg_request_error(q, "bad_name", YG_SV("org"), "not the name of an organisation");
		return YG_FAIL(err, YG_PARSE, "a parameter is wrong");
	}
	*out = asked;
	return yg_reach_has(&q->who.reach, asked, YG_SV("")) ? yg_org_known(db, asked, err)
							     : no_org(err);
}

yg_status yg_scope_body_org(struct yg_request *q, struct yg_state *db, bool given, struct yg_sv org,
			    struct yg_sv *out, struct yg_err *err)
{
	const struct yg_reach *r = &q->who.reach;
	*out = q->who.root;
	if (!given && yg_reach_has(r, q->who.root, YG_SV("")))
		return YG_OK;
	if (!given) {
		yg_request_error(q, "missing", YG_SV("/org"), "say for which organisation");
		return YG_FAIL(err, YG_PARSE, "the body has errors");
	}
	if (org.n == 0) { /* null: for all organisations */
		*out = YG_SV("");
		return r->all ? YG_OK
			      : YG_FAIL(err, YG_DENIED,
					"only the centre can make this for all organisations");
	}
	*out = org;
	if (!yg_org_slug_ok(org)) {
		yg_request_error(q, "bad_name", YG_SV("/org"), "not the name of an organisation");
		return YG_FAIL(err, YG_PARSE, "the body has errors");
	}
	return yg_reach_has(r, org, YG_SV("")) ? yg_org_known(db, org, err) : no_org(err);
}

yg_status yg_scope_object(const struct yg_request *q, struct yg_sv org, bool shared,
			  struct yg_err *err)
{
	if (yg_reach_has(&q->who.reach, org, YG_SV("")) || (shared && org.n == 0))
		return YG_OK;
	return YG_FAIL(err, YG_NOTFOUND, "no such object");
}

yg_status yg_scope_holds(const struct yg_request *q, struct yg_state *db, struct yg_sv org,
			 struct yg_err *err)
{
	bool below = false;
	if (yg_scope_object(q, org, true, NULL) == YG_OK)
		return YG_OK;
	yg_status st = yg_reach_below(db, &q->who.reach, org, &below, err);
	return st != YG_OK || below ? st : YG_FAIL(err, YG_NOTFOUND, "no such object");
}

yg_status yg_scope_row(const struct yg_request *q, struct yg_sv org, struct yg_sv system,
		       yg_wall at, struct yg_err *err)
{
	if (yg_reach_has(&q->who.reach, org, system) && yg_reach_at(&q->who.reach, at))
		return YG_OK;
	return YG_FAIL(err, YG_NOTFOUND, "no such object");
}

yg_status yg_scope_made(const struct yg_request *q, yg_wall created, struct yg_err *err)
{
	if (created.us < yg_reach_until(&q->who.reach))
		return YG_OK;
	return YG_FAIL(err, YG_NOTFOUND, "no such object");
}

yg_status yg_scope_now(const struct yg_request *q, struct yg_err *err)
{
	if (yg_reach_at(&q->who.reach, q->now))
		return YG_OK;
	return YG_FAIL(err, YG_DENIED, "this is of now, not of a period");
}

yg_status yg_scope_shared(const struct yg_request *q, struct yg_sv org, struct yg_err *err)
{
	if (yg_reach_has(&q->who.reach, org, YG_SV("")))
		return YG_OK;
	if (org.n > 0)
		return YG_FAIL(err, YG_DENIED,
			       "this is from an organisation above; it is changed there");
	return YG_FAIL(err, YG_DENIED, "this is for all organisations; only the centre changes it");
}

/* One system as the event search restricts by it. */
static yg_status event_system(struct yg_request *q, struct yg_state *db, struct yg_sv id,
			      struct yg_search_system *out, struct yg_err *err)
{
	struct yg_system y;
	struct yg_member *members = NULL;
	size_t n = 0;
	yg_status st = yg_system_get(db, id, q->arena, &y, err);
	if (st == YG_OK)
		st = yg_system_members(db, id, q->arena, &members, &n, err);
	if (st != YG_OK)
		return st;
	*out = (struct yg_search_system){.org = y.org,
					 .nets = YG_NEW_N(q->arena, struct yg_search_net, n + 1),
					 .hosts = YG_NEW_N(q->arena, struct yg_sv, n + 1)};
	if (out->nets == NULL || out->hosts == NULL)
		return YG_FAIL(err, YG_NOMEM, "the request is too large");
	for (size_t i = 0; i < n; i++) {
		struct yg_search_net *net = &out->nets[out->net_count];
		net->bits = 128;
		if (yg_ip_parse(members[i].value, &net->ip) == YG_OK ||
		    (members[i].network &&
		     yg_ip_prefix_parse(members[i].value, &net->ip, &net->bits, NULL) == YG_OK))
			out->net_count++;
		else if (!members[i].network)
			out->hosts[out->host_count++] = members[i].value;
	}
	return YG_OK;
}

yg_status yg_scope_events(struct yg_request *q, struct yg_state *db, const struct yg_reach *reach,
			  struct yg_search_scope *out, struct yg_err *err)
{
	struct yg_search_system *systems =
		YG_NEW_N(q->arena, struct yg_search_system, reach->system_count + 1);
	yg_status st = systems != NULL ? YG_OK : YG_FAIL(err, YG_NOMEM, "the request is too large");
	out->all_orgs = reach->all;
	out->orgs = reach->orgs;
	out->org_count = reach->org_count;
	out->systems = systems;
	out->system_count = 0;
	out->period_from = reach->from;
	out->period_to = reach->to;
	for (size_t i = 0; st == YG_OK && i < reach->system_count; i++)
		st = event_system(q, db, reach->systems[i], &systems[out->system_count++], err);
	return st;
}
