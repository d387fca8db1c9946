/* Organisations, tokens. */
#include "api/body.h"
#include "api/routes.h"
#include "api/sign_in.h"
#include "org/job.h"
#include "org/organisation.h"
#include "org/token.h"

static void put_org(struct yg_jo *j, const struct yg_request *q, const struct yg_org *o)
{
	yg_jo_begin(j, '{');
	yg_jo_str(j, "name", o->slug);
	yg_jo_str(j, "title", q->japanese ? o->title_ja : o->title_en);
	yg_jo_str(j, "title_ja", o->title_ja);
	yg_jo_str(j, "title_en", o->title_en);
	yg_jo_str(j, "kind", yg_sv_of(yg_org_kind_name(o->kind)));
	/* who may not see the node above does not learn its name */
	yg_jo_str_or_null(j, "parent",
			  yg_reach_has(&q->who.reach, o->parent, YG_SV("")) ? o->parent
									    : YG_SV(""));
	yg_jo_int(j, "prefecture", o->prefecture);
	yg_jo_bool(j, "demo", o->demo);
	yg_jo_time(j, "created_at", o->created.us);
	yg_jo_time(j, "updated_at", o->updated.us);
	yg_put_etag(j, o->version);
	yg_jo_end(j, '}');
}

static yg_status answer_org(struct yg_request *q, struct yg_response *r, struct yg_state *db,
			    int status, struct yg_sv name, struct yg_err *err)
{
	struct yg_org o;
	yg_status st = yg_org_get(db, name, q->arena, &o, err);
	if (st == YG_OK)
		st = yg_scope_made(q, o.created, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, status);
	put_org(&j, q, &o);
	yg_answer_etag(q, r, NULL, o.version);
	return YG_OK;
}

yg_status yg_r_organisations_list(struct yg_api *api, struct yg_request *q, struct yg_response *r,
				  struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_page page;
	struct yg_org *list = NULL;
	size_t n = 0;
	struct yg_reach reach;
	yg_status st = yg_page_begin(api, q, &l, &page, &reach, err);
	if (st == YG_OK)
		st = yg_org_list(l.db, &reach, page.after, page.limit, q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer_list(r);
	for (size_t i = 0; i < n; i++)
		put_org(&j, q, &list[i]);
	return yg_answer_page(api, q, &j, n == page.limit ? &list[n - 1].slug : NULL, err);
}

#define KIND_WORDS "centre sector organisation unit"
static const struct yg_field org_fields[] = {
	{"name", YG_F_TEXT, YG_F_NEEDED, 1, 63, NULL},
	{"title", YG_F_TEXT, 0, 0, 800, NULL},
	{"title_ja", YG_F_TEXT, 0, 0, 800, NULL},
	{"title_en", YG_F_TEXT, 0, 0, 800, NULL},
	{"demo", YG_F_BOOL, 0, 0, 0, NULL},
	{"kind", YG_F_TEXT, 0, 0, 0, KIND_WORDS},
	{"parent", YG_F_TEXT, YG_F_NULL, 1, 63, NULL},
	{"prefecture", YG_F_INT, 0, 0, YG_PREFECTURE_MAX, NULL},
};
enum { F_NAME, F_TITLE, F_TITLE_JA, F_TITLE_EN, F_DEMO, F_KIND, F_PARENT, F_PREFECTURE };

/* Below a node that the caller may change, or anywhere with all of it in reach. */
static yg_status check_parent(const struct yg_request *q, struct yg_sv parent, struct yg_err *err)
{
	if (parent.n == 0)
		return q->who.reach.all
			       ? YG_OK
			       : YG_FAIL(err, YG_DENIED,
					 "only the centre makes an organisation that stands below no other");
	return yg_reach_has(&q->who.reach, parent, YG_SV(""))
		       ? YG_OK
		       : YG_FAIL(err, YG_NOTFOUND, "no such organisation");
}

yg_status yg_r_organisations_add(struct yg_api *api, struct yg_request *q, struct yg_response *r,
				 struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	struct yg_value v[YG_LEN(org_fields)];
	yg_status st = yg_body_read(&b, q, org_fields, YG_LEN(org_fields), v, err);
	if (st == YG_OK && !yg_org_slug_ok(v[F_NAME].text)) {
		yg_request_error(q, "bad_name", YG_SV("/name"),
				 "expected a-z, 0-9 and '-' inside, at most 63");
		st = YG_FAIL(err, YG_PARSE, "the body has errors");
	}
	if (st == YG_OK)
		st = check_parent(q, v[F_PARENT].text, err);
	if (st == YG_OK)
		st = yg_lease_change(api, &l, err);
	if (st != YG_OK)
		return st;
	struct yg_org o = {
		.slug = v[F_NAME].text,
		.title_ja = v[F_TITLE_JA].given ? v[F_TITLE_JA].text : v[F_TITLE].text,
		.title_en = v[F_TITLE_EN].given ? v[F_TITLE_EN].text : v[F_TITLE].text,
		.demo = v[F_DEMO].truth,
		.parent = v[F_PARENT].text,
		.prefecture = (int)v[F_PREFECTURE].number,
	};
	if (v[F_KIND].given)
		(void)yg_org_kind_parse(v[F_KIND].text, &o.kind);
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_org_add(&act, &o, err);
	if (st == YG_OK)
		st = answer_org(q, r, l.db, 201, o.slug, err);
	yg_answer_location(q, r, "/api/v1/organisations", o.slug);
	return yg_lease_commit_then(&l, q, r, st, yg_rights_changed, err);
}

yg_status yg_r_organisation_get(struct yg_api *api, struct yg_request *q, struct yg_response *r,
				struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_sv name = yg_param(q, "name");
	yg_status st = yg_scope_object(q, name, false, err);
	if (st == YG_OK)
		st = yg_lease_state(api, &l, err);
	return st == YG_OK ? answer_org(q, r, l.db, 200, name, err) : st;
}

yg_status yg_r_organisation_change(struct yg_api *api, struct yg_request *q, struct yg_response *r,
				   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"title", YG_F_TEXT, 0, 1, 800, NULL},
		{"title_ja", YG_F_TEXT, 0, 1, 800, NULL},
		{"title_en", YG_F_TEXT, 0, 1, 800, NULL},
		{"kind", YG_F_TEXT, 0, 0, 0, KIND_WORDS},
		{"parent", YG_F_TEXT, YG_F_NULL, 1, 63, NULL},
		{"prefecture", YG_F_INT, 0, 0, YG_PREFECTURE_MAX, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_org o;
	struct yg_sv name = yg_param(q, "name");
	yg_status st = yg_scope_object(q, name, false, err);
	if (st == YG_OK)
		st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = yg_org_get(l.db, name, q->arena, &o, err);
	if (st == YG_OK)
		st = yg_check_match(q, r, o.version, err);
	if (st == YG_OK)
		st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	bool moves = st == YG_OK && (v[3].given || v[4].given);
	if (st == YG_OK && moves && !q->who.reach.all)
		st = YG_FAIL(err, YG_DENIED, "only the centre moves an organisation in the tree");
	if (st == YG_OK && moves) /* rights from above end and begin with it */
		st = yg_need_step_up(q, r, err);
	if (st != YG_OK)
		return st;
	struct yg_org_edit set = {
		.title_ja = v[1].given   ? &v[1].text
			    : v[0].given ? &v[0].text
					 : NULL,
		.title_en = v[2].given   ? &v[2].text
			    : v[0].given ? &v[0].text
					 : NULL,
		.parent = v[4].given ? &v[4].text : NULL,
		.prefecture = v[5].given ? (int)v[5].number : -1,
	};
	if (v[3].given)
		(void)yg_org_kind_parse(v[3].text, &set.kind);
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_org_change(&act, name, o.version, &set, err);
	if (st != YG_OK)
		return st == YG_CONFLICT && moves ? st : yg_changed(r, st);
	st = answer_org(q, r, l.db, 200, name, err);
	st = yg_lease_commit(&l, q, r, st, err);
	if (st == YG_OK && moves && !q->dry_run)
		yg_stream_rights_changed(api->stream);
	return st;
}

yg_status yg_r_organisation_remove(struct yg_api *api, struct yg_request *q, struct yg_response *r,
				   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_sv name = yg_param(q, "name");
	bool force;
	yg_status st = yg_query_bool(q, "force", &force, err);
	if (st == YG_OK)
		st = force ? yg_lease_state(api, &l, err) : yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = yg_org_known(l.db, name, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	if (!force) {
		st = yg_org_remove(&act, name, err);
		r->status = 204;
		return yg_lease_commit(&l, q, r, st, err);
	}
	st = yg_approval_needed(q, r, l.db, err);
	if (st != YG_OK)
		return st;
	struct yg_buf params;
	yg_buf_init(&params, 1024);
	struct yg_jo j = yg_jo_init(&params);
	yg_jo_begin(&j, '{');
	yg_jo_str(&j, "org", name);
	yg_jo_end(&j, '}');
	st = yg_buf_done(&params);
	if (st == YG_OK)
		st = yg_answer_new_job(api, q, r, &l, YG_SV("org.purge"), YG_SV(""),
				       yg_buf_sv(&params), err);
	yg_buf_free(&params);
	return st;
}

void yg_put_token(struct yg_jo *j, const struct yg_token *t, const char *secret)
{
	struct yg_sv rest = t->scopes, one;
	yg_jo_begin(j, '{');
	yg_jo_str(j, "id", t->id);
	yg_jo_str_or_null(j, "org", t->org);
	yg_jo_str(j, "name", t->name);
	yg_jo_key(j, "scopes");
	yg_jo_begin(j, '[');
	while (yg_sv_cut(&rest, ' ', &one)) {
		if (one.n > 0)
			yg_jo_text(j, one);
	}
	yg_jo_end(j, ']');
	yg_jo_str(j, "prefix", t->prefix);
	yg_jo_time(j, "created_at", t->created.us);
	yg_jo_time(j, "expires_at", t->expires.us);
	yg_jo_time(j, "last_used_at", t->last_used.us);
	yg_jo_time(j, "revoked_at", t->revoked.us);
	if (secret != NULL)
		yg_jo_str_or_null(j, "secret", yg_sv_of(secret));
	yg_jo_end(j, '}');
}

yg_status yg_r_tokens_list(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_page page;
	struct yg_token *list = NULL;
	size_t n = 0;
	struct yg_reach reach;
	yg_status st = yg_page_begin(api, q, &l, &page, &reach, err);
	if (st == YG_OK)
		st = yg_token_list(l.db, &reach, page.after, page.limit, q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer_list(r);
	for (size_t i = 0; i < n; i++)
		yg_put_token(&j, &list[i], NULL);
	return yg_answer_page(api, q, &j, n == page.limit ? &list[n - 1].id : NULL, err);
}

/* Nobody gives what they have not. */
static yg_status check_grant(struct yg_request *q, const struct yg_value *scopes,
			     struct yg_err *err)
{
	for (size_t i = 0; i < scopes->text_count; i++) {
		char at[32], scope[40];
		struct yg_sb b = yg_sb_init(at, sizeof at), s = yg_sb_init(scope, sizeof scope);
		yg_sb_printf(&b, "/scopes/%zu", i);
		yg_sb_put(&s, scopes->texts[i]);
		if (!yg_scope_ok(scopes->texts[i]))
			yg_request_error(q, "unknown_value", yg_sb_sv(&b),
					 "there is no such scope");
		else if (!yg_who_may(&q->who, yg_sb_cstr(&s)))
			return YG_FAIL(err, YG_DENIED,
				       "a token cannot give a scope that it has not");
	}
	return q->error_count == 0 ? YG_OK : YG_FAIL(err, YG_PARSE, "the body has errors");
}

yg_status yg_r_tokens_add(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			  struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	YG_AUTO(yg_token_secret_wipe) struct yg_token_secret secret = {0};
	static const struct yg_field fields[] = {
		{"org", YG_F_TEXT, YG_F_NULL | YG_F_NEEDED, 1, 63, NULL},
		{"name", YG_F_TEXT, YG_F_NEEDED, 1, 64, NULL},
		{"scopes", YG_F_TEXTS, YG_F_NEEDED, 1, 32, NULL},
		{"expires_at", YG_F_TIME, YG_F_NULL, 0, 0, NULL},
	};
	enum { ORG, NAME, SCOPES, EXPIRES };
	struct yg_value v[YG_LEN(fields)];
	struct yg_token token;
	struct yg_sv org = YG_SV("");
	yg_status st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK)
		st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = yg_scope_body_org(q, l.db, true, v[ORG].text, &org, err);
	if (st == YG_OK && v[EXPIRES].given && !v[EXPIRES].null && v[EXPIRES].number <= q->now.us) {
		yg_request_error(q, "out_of_range", YG_SV("/expires_at"),
				 "expected a time to come");
		st = YG_FAIL(err, YG_PARSE, "the body has errors");
	}
	if (st != YG_OK)
		return st;
	int64_t expires = v[EXPIRES].given ? v[EXPIRES].number : q->now.us + 365 * YG_US_PER_DAY;
	st = check_grant(q, &v[SCOPES], err);
	if (st == YG_OK)
		st = yg_scope_gives(q, l.db, v[SCOPES].texts, v[SCOPES].text_count, org, err);
	if (st != YG_OK)
		return st;
	struct yg_token_new n = {v[NAME].text,         org,       v[SCOPES].texts,
				 v[SCOPES].text_count, {expires}, YG_SV_INIT("")};
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_token_add(&act, &n, q->arena, &token, &secret, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 201);
	yg_put_token(&j, &token, q->dry_run ? "" : secret.s); /* there is none to keep */
	yg_answer_location(q, r, "/api/v1/tokens", token.id);
	return yg_lease_commit(&l, q, r, YG_OK, err);
}

static yg_status find_token(struct yg_request *q, struct yg_state *db, struct yg_token *out,
			    struct yg_err *err)
{
	yg_status st = yg_token_get(db, yg_param(q, "id"), q->arena, out, err);
	return st == YG_OK ? yg_scope_object(q, out->org, false, err) : st;
}

yg_status yg_r_token_get(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			 struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_token token;
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = find_token(q, l.db, &token, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 200);
	yg_put_token(&j, &token, NULL);
	return YG_OK;
}

yg_status yg_r_token_revoke(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_token token;
	yg_status st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = find_token(q, l.db, &token, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	r->status = 204;
	st = yg_lease_commit(&l, q, r, yg_token_revoke(&act, token.id, err), err);
	if (st == YG_OK && !q->dry_run) {
		yg_session_ended(api, token.id);
		yg_stream_rights_changed(api->stream);
	}
	return st;
}
