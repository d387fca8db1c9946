/* Who asks: the local administrator, a token, a person's session; and whether a
 * browser means it. */
#include "api/sign_in.h"
#include "org/token.h"

static void set_actor(struct yg_who *w, const char *kind, struct yg_sv id)
{
	struct yg_sb b = yg_sb_init(w->actor, sizeof w->actor);
	yg_sb_put(&b, yg_sv_of(kind));
	yg_sb_put(&b, id);
	(void)yg_sb_cstr(&b);
}

/* A person's own token may do what it names and the person may too. */
static yg_status cut_to_person(struct yg_request *q, struct yg_state *db, struct yg_sv wanted,
			       struct yg_err *err)
{
	struct yg_person p;
	struct yg_sv rest = wanted, one;
	yg_status st = yg_person_get(db, q->who.person, q->arena, &p, err);
	if (st == YG_OK && !YG_SV_IS(p.state, "active"))
		return YG_FAIL(err, YG_UNAUTH, "the token is not valid");
	if (st == YG_OK)
		st = yg_who_rights(q, db, err);
	char *text = st == YG_OK ? yg_arena_alloc(q->arena, wanted.n + 1, 1) : NULL;
	if (text == NULL)
		return st != YG_OK ? st : YG_FAIL(err, YG_NOMEM, "the token's scopes");
	struct yg_sb b = yg_sb_init(text, wanted.n + 1);
	while (yg_sv_cut(&rest, ' ', &one)) {
		char scope[40];
		struct yg_sb name = yg_sb_init(scope, sizeof scope);
		yg_sb_put(&name, one);
		if (one.n == 0 || !yg_who_may(&q->who, yg_sb_cstr(&name)))
			continue;
		if (b.n > 0)
			yg_sb_putc(&b, ' ');
		yg_sb_put(&b, one);
	}
	q->who.scopes = yg_sb_sv(&b);
	return YG_OK;
}

static yg_status by_token(struct yg_api *api, struct yg_request *q, struct yg_sv head,
			  struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_token token;
	if (head.n <= 7 || !yg_sv_ieq(yg_sv_sub(head, 0, 7), YG_SV("Bearer ")))
		return YG_FAIL(err, YG_UNAUTH, "expected Authorization: Bearer");
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = yg_token_check(l.db, q->now, yg_sv_trim(yg_sv_sub(head, 7, head.n)), q->arena,
				    &token, err);
	if (st != YG_OK)
		return st;
	set_actor(&q->who, "token:", token.id);
	q->who.kind = YG_WHO_TOKEN;
	q->who.id = token.id;
	q->who.bound = token.org;
	q->who.name = token.name;
	q->who.scopes = token.scopes;
	q->who.person = token.person;
	q->who.expires = token.expires;
	if (token.person.n > 0)
		st = cut_to_person(q, l.db, token.scopes, err);
	if (st == YG_OK)
		st = yg_who_settle(q, l.db, err);
	if (st != YG_OK)
		q->who = (struct yg_who){.kind = YG_WHO_NOBODY};
	return st;
}

static yg_status by_cookie(struct yg_api *api, struct yg_request *q, struct yg_sv cookie,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	const struct yg_conf *conf = yg_api_conf(api);
	struct yg_session s;
	struct yg_person p;
	/* an open stream is no use: a page left open does not stay signed in by it */
	bool touch = (q->route->flags & YG_RT_STREAM) == 0;
	struct yg_session_use use = {q->now, {conf->session_idle_us}, touch};
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = yg_session_check(l.db, &use, cookie, q->arena, &s, &p, err);
	if (st != YG_OK)
		return st;
	set_actor(&q->who, "person:", p.id);
	q->who.kind = YG_WHO_PERSON;
	q->who.id = s.id;
	q->who.person = p.id;
	q->who.name = p.login;
	q->who.step_up_until = s.step_up_until;
	q->who.expires.us = YG_MIN(s.expires.us, YG_MAX(s.last_used.us, touch ? q->now.us : 0) +
							 conf->session_idle_us);
	st = yg_who_rights(q, l.db, err);
	if (st == YG_OK)
		st = yg_who_settle(q, l.db, err);
	if (st != YG_OK)
		q->who = (struct yg_who){.kind = YG_WHO_NOBODY};
	return st;
}

yg_status yg_same_site(const struct yg_request *q, struct yg_response *r, bool cookie,
		       struct yg_err *err)
{
	struct yg_sv site = q->header[YG_HH_FETCH_SITE], origin = q->header[YG_HH_ORIGIN];
	struct yg_sv host = q->header[YG_HH_HOST];
	bool good = !cookie;
	if (site.p != NULL)
		good = YG_SV_IS(site, "same-origin") || YG_SV_IS(site, "none");
	else if (origin.p != NULL)
		good = yg_sv_starts(origin, YG_SV("https://")) &&
		       yg_sv_ieq(yg_sv_sub(origin, 8, origin.n), host);
	if (good)
		return YG_OK;
	r->problem = "cross-site";
	return YG_FAIL(err, YG_DENIED,
		       "a browser has to say that it comes from this site"
		       " (Sec-Fetch-Site or Origin)");
}

yg_status yg_api_authenticate(struct yg_api *api, struct yg_request *q, bool needed,
			      struct yg_err *err)
{
	struct yg_sv head = q->header[YG_HH_AUTHORIZATION];
	struct yg_sv cookie = q->tls && head.p == NULL
				      ? yg_http_cookie(q->header[YG_HH_COOKIE], YG_SV(YG_COOKIE))
				      : head;
	if (head.p != NULL) {
		/* a token restricts the administrator too */
		q->who = (struct yg_who){.kind = YG_WHO_NOBODY};
		return by_token(api, q, head, err);
	}
	if (cookie.p != NULL) {
		yg_status st = by_cookie(api, q, cookie, err);
		return st == YG_UNAUTH && !needed ? YG_OK : st;
	}
	if (q->who.kind == YG_WHO_LOCAL || !needed)
		return YG_OK;
	return YG_FAIL(err, YG_UNAUTH, "sign in, or send a token as Authorization: Bearer");
}

yg_status yg_need_step_up(const struct yg_request *q, struct yg_response *r, struct yg_err *err)
{
	if (q->who.kind == YG_WHO_LOCAL ||
	    (q->who.kind == YG_WHO_PERSON && q->who.step_up_until.us > q->now.us))
		return YG_OK;
	r->problem = "step-up-needed";
	return YG_FAIL(err, YG_DENIED,
		       q->who.kind == YG_WHO_PERSON ? "prove that it is you, then repeat this"
						    : "a token cannot do this: sign in");
}

yg_status yg_who_proved(const struct yg_request *q, struct yg_response *r, struct yg_err *err)
{
	bool safe = q->method == YG_HTTP_GET || q->method == YG_HTTP_OPTIONS;
	if (q->who.kind == YG_WHO_PERSON && !safe) {
		yg_status st = yg_same_site(q, r, true, err);
		if (st != YG_OK)
			return st;
	}
	return (q->route->flags & YG_RT_STEP_UP) != 0 ? yg_need_step_up(q, r, err) : YG_OK;
}

yg_status yg_need_session(const struct yg_request *q, struct yg_err *err)
{
	return q->who.kind == YG_WHO_PERSON
		       ? YG_OK
		       : YG_FAIL(err, YG_DENIED, "this is for a person who signed in");
}
