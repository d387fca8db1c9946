/* Looking back: a rule tried against a day, rules and indicators over the past.  The work is
 * jobs' (role/center_try.c, role/center_hunt.c). */
#include "api/hunt.h"
#include "api/routes_detect.h"
#include "detect/hunt.h"
#include "detect/hunt_correlate.h"
#include "detect/hunt_state.h"
#include "intel/registry.h"
#include "org/organisation.h"

static const struct yg_field try_fields[] = {
	{"text", YG_F_TEXT, 0, 1, YG_TRY_TEXT_MAX, NULL},
	{"org", YG_F_TEXT, 0, 1, YG_ORG_NAME_MAX, NULL},
	{"day", YG_F_TEXT, YG_F_NEEDED, 10, 40, NULL},
	{"rule", YG_F_TEXT, 0, 1, 64, NULL},
};

/* "2026-11-20" in UTC, or the time at which the 24 hours begin. */
static yg_status read_day(struct yg_request *q, struct yg_sv day, struct yg_try *out)
{
	char text[40];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_put(&b, yg_sv_sub(day, 0, sizeof text - 16));
	if (day.n == 10)
		yg_sb_put(&b, YG_SV("T00:00:00Z"));
	if (yg_time_parse(yg_sb_sv(&b), &out->from, NULL) != YG_OK) {
		yg_request_error(q, "bad_time", YG_SV("/day"),
				 "expected a day such as 2026-11-20, or a time in RFC 3339");
		return YG_PARSE;
	}
	out->to.us = out->from.us + YG_US_PER_DAY;
	return YG_OK;
}

yg_status yg_hunt_orgs(struct yg_state *db, const struct yg_reach *reach, struct yg_sv org,
		       struct yg_arena *arena, struct yg_reach *out, struct yg_err *err)
{
	struct yg_reach all;
	if (org.n > 0 || !reach->all) {
		yg_status st = org.n > 0 ? yg_reach_narrow(db, reach, org, arena, out, err) : YG_OK;
		if (st != YG_OK)
			return st;
		if (org.n == 0)
			*out = *reach;
		if (!out->all && out->org_count > 0)
			return YG_OK;
		return YG_FAIL(err, YG_NOTFOUND, "no such organisation");
	}
	/* every one that there is */
	struct yg_org *list = NULL;
	struct yg_sv after = YG_SV(""), *slugs = NULL;
	size_t n = YG_PAGE_MAX, count = 0, cap = 0;
	yg_status st = YG_OK;
	all = YG_REACH_ALL;
	while (st == YG_OK && n == YG_PAGE_MAX) {
		st = yg_org_list(db, &all, after, YG_PAGE_MAX, arena, &list, &n, err);
		if (st == YG_OK && count + n > cap) {
			struct yg_sv *more = YG_NEW_N(arena, struct yg_sv, cap * 2 + YG_PAGE_MAX);
			if (more == NULL)
				return YG_FAIL(err, YG_NOMEM, "organisations");
			if (count > 0)
				memcpy(more, slugs, count * sizeof *more);
			slugs = more;
			cap = cap * 2 + YG_PAGE_MAX;
		}
		for (size_t i = 0; st == YG_OK && i < n; i++)
			slugs[count++] = after = list[i].slug;
	}
	*out = (struct yg_reach){.orgs = slugs, .org_count = count};
	return st;
}

/* Of a right that holds for a time only what lies within it is looked at. */
static void within(const struct yg_reach *reach, struct yg_try *t)
{
	t->from.us = YG_MAX(t->from.us, reach->from.us);
	if (reach->to.us != 0)
		t->to.us = YG_MIN(t->to.us, reach->to.us);
	t->to.us = YG_MAX(t->to.us, t->from.us);
}

/* The text that was given, or of the rule that was named, which the caller may read. */
static yg_status read_text(struct yg_request *q, struct yg_state *db, const struct yg_value *text,
			   const struct yg_value *rule, struct yg_sv *out, struct yg_err *err)
{
	struct yg_drule r;
	struct yg_reach reach;
	bool holds = true;
	if (text->given == rule->given) {
		yg_request_error(q, "missing", YG_SV("/text"), "say a rule's text or its id");
		return YG_FAIL(err, YG_PARSE, "the body has errors");
	}
	*out = text->text;
	if (text->given)
		return YG_OK;
	if (!yg_who_may(&q->who, "indicators:read"))
		return YG_FAIL(err, YG_DENIED, "this needs indicators:read");
	yg_status st = yg_who_reach(&q->who, db, "indicators:read", q->arena, &reach, err);
	if (st == YG_OK)
		st = yg_drule_get(db, rule->text, q->arena, &r, err);
	if (st == YG_OK && r.org.n > 0)
		st = yg_reach_below(db, &reach, r.org, &holds, err);
	if (st == YG_OK && (!holds || r.created.us >= yg_reach_until(&reach)))
		st = YG_FAIL(err, YG_NOTFOUND, "no such object");
	if (st == YG_OK)
		st = yg_drule_as_of(db, yg_reach_until(&reach), q->arena, &r, err);
	*out = st == YG_OK ? r.text : YG_SV("");
	return st;
}

yg_status yg_try_read(struct yg_request *q, struct yg_state *db, struct yg_try *out,
		      struct yg_err *err)
{
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	struct yg_value v[YG_LEN(try_fields)];
	*out = (struct yg_try){.text = YG_SV_INIT("")};
	yg_status st = yg_body_read(&b, q, try_fields, YG_LEN(try_fields), v, err);
	if (st == YG_OK)
		st = yg_scope_body_org(q, db, v[1].given, v[1].text, &out->org, err);
	if (st == YG_OK && read_day(q, v[2].text, out) != YG_OK)
		st = YG_FAIL(err, YG_PARSE, "the body has errors");
	struct yg_sv text = YG_SV("");
	if (st == YG_OK)
		st = read_text(q, db, &v[0], &v[3], &text, err);
	if (st != YG_OK)
		return st;
	out->text = yg_arena_dup(q->arena, text);
	out->org = yg_arena_dup(q->arena, out->org);
	within(&q->who.reach, out);
	return out->text.p != NULL && out->org.p != NULL
		       ? YG_OK
		       : YG_FAIL(err, YG_NOMEM, "the request is too large");
}

/* Do the rules that a correlation refers to stand as it needs them? */
static yg_status check_correlation(struct yg_api *api, struct yg_state *db, struct yg_request *q,
				   const struct yg_sigma_rule *rule, const struct yg_try *t,
				   struct yg_err *err)
{
	struct yg_hunt_correlate *past = NULL;
	struct yg_drule is = {.uid = YG_SV("rule")};
	struct yg_reach reach = q->who.reach;
	yg_status st = YG_OK;
	if (t->org.n > 0)
		st = yg_reach_narrow(db, &q->who.reach, t->org, q->arena, &reach, err);
	if (st == YG_OK)
		st = yg_drule_of_id(db, rule->id, &reach, q->arena, &is.uid, err);
	if (st == YG_OK)
		st = yg_drule_get(db, is.uid, q->arena, &is, err);
	if (st != YG_OK && st != YG_NOTFOUND)
		return st;
	const struct yg_ruleset_doc doc = {.uid = is.uid, .org = is.org, .text = t->text};
	const struct yg_watch_asked asked = {.tried = &doc, .reach = &reach};
	st = yg_hunt_correlate_new(db, &asked, q->now, api->env, &past, err);
	yg_hunt_correlate_free(past);
	return st;
}

/* What is wrong with the rule is said at once, not by the job. */
static yg_status check_rule(struct yg_api *api, struct yg_state *db, struct yg_request *q,
			    const struct yg_try *t, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_sigma_rule *rule = NULL;
	struct yg_err why = {0};
	yg_arena_init(&arena, YG_HUNT_RULE_ARENA);
	yg_status st = yg_hunt_rule_read(api->env, t->text, &arena, &rule, &why);
	if (st == YG_OK && rule->kind == YG_SIGMA_CORRELATION)
		st = check_correlation(api, db, q, rule, t, &why);
	if (st == YG_OK)
		return YG_OK;
	if (st != YG_PARSE && st != YG_LIMIT)
		return YG_FAIL(err, st, "%s", why.msg);
	yg_request_error(q, "bad_value", YG_SV("/text"), "%s", why.msg);
	return YG_FAIL(err, YG_PARSE, "the body has errors");
}

yg_status yg_r_rule_try(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_buf_free) struct yg_buf params = {0};
	struct yg_try t;
	yg_buf_init(&params, 8 * YG_TRY_TEXT_MAX);
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = yg_try_read(q, l.db, &t, err);
	if (st == YG_OK)
		st = check_rule(api, l.db, q, &t, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_jo_init(&params);
	yg_jo_begin(&j, '{');
	yg_jo_str(&j, "text", t.text);
	yg_jo_str(&j, "org", t.org);
	yg_jo_int(&j, "from", t.from.us);
	yg_jo_int(&j, "to", t.to.us);
	yg_jo_end(&j, '}');
	if (params.bad)
		return YG_FAIL(err, YG_NOMEM, "the request is too large");
	/* of no organisation: what it finds is for who asked, and for the centre */
	return yg_answer_new_job(api, q, r, &l, YG_SV(YG_TRY_KIND), YG_SV(""), yg_buf_sv(&params),
				 err);
}

/* ---- hunts ---- */

static const char *kind_of(const struct yg_hunt *h)
{
	if (h->what != YG_HUNT_INDICATOR)
		return h->what == YG_HUNT_RULE ? "rule" : "correlation";
	return yg_sv_starts(h->name, YG_SV("l-")) ? "list" : "indicators";
}

/* Of several that were new: how many.  One that is gone has no title. */
static struct yg_sv title_of(const struct yg_hunt *h, char *buf, size_t cap)
{
	struct yg_sb b = yg_sb_init(buf, cap);
	if (h->title.n > 0 || h->name.n > 0)
		return h->title.n > 0 ? h->title : h->name;
	yg_sb_printf(&b, "%lld %s%s", (long long)h->items, h->automatic ? "new " : "",
		     h->what == YG_HUNT_RULE          ? "rules"
		     : h->what == YG_HUNT_CORRELATION ? "correlations"
						      : "indicators");
	return yg_sb_sv(&b);
}

static yg_status put_hunt(struct yg_jo *j, struct yg_request *q, struct yg_state *db,
			  const struct yg_hunt *h, struct yg_err *err)
{
	const char *kind = kind_of(h);
	char title[80];
	struct yg_hunt_item *items = NULL;
	size_t n = 0;
	bool given = kind[0] == 'i' && h->last == 0;
	yg_status st = given ? yg_hunt_items(db, h->seq, 20, q->arena, &items, &n, err) : YG_OK;
	yg_jo_begin(j, '{');
	yg_jo_str(j, "id", h->job.id);
	yg_jo_str(j, "job", h->job.id);
	yg_jo_str(j, "kind", yg_sv_of(kind));
	yg_jo_bool(j, "automatic", h->automatic);
	yg_jo_str_or_null(j, "org", h->org);
	yg_jo_str(j, "title", title_of(h, title, sizeof title));
	yg_jo_str_or_null(j, "rule", h->what != YG_HUNT_INDICATOR ? h->name : YG_SV(""));
	yg_jo_str_or_null(j, "list", kind[0] == 'l' ? h->name : YG_SV(""));
	yg_jo_key(j, "indicators");
	if (given) {
		yg_jo_begin(j, '[');
		for (size_t i = 0; i < n; i++)
			yg_jo_text(j,
				   yg_sv_sub(items[i].text, yg_sv_find(items[i].text, ' ', 0) + 1,
					     items[i].text.n));
		yg_jo_end(j, ']');
	} else {
		yg_jo_raw(j, YG_SV(""));
	}
	yg_jo_int(j, "items", h->items);
	yg_jo_time(j, "from", h->from.us);
	yg_jo_time(j, "until", h->to.us);
	yg_jo_str(j, "state", yg_sv_of(yg_job_state_name(h->job.state)));
	yg_jo_int(j, "done", h->job.done);
	if (h->job.total > 0)
		yg_jo_int(j, "total", h->job.total);
	else
		yg_jo_str_or_null(j, "total", YG_SV(""));
	yg_jo_int(j, "events", h->looked_at);
	yg_jo_int(j, "matches", h->matches);
	yg_jo_int(j, "findings", h->told);
	yg_jo_int(j, "alerts", h->alerts);
	yg_jo_int(j, "known", h->known);
	yg_jo_int(j, "cut", h->cut);
	yg_jo_str(j, "message", h->job.message);
	yg_jo_str(j, "created_by", h->job.actor);
	yg_jo_time(j, "created_at", h->job.created.us);
	yg_jo_time(j, "started_at", h->job.started.us);
	yg_jo_time(j, "finished_at", h->job.finished.us);
	yg_jo_end(j, '}');
	return st;
}

yg_status yg_r_hunts_list(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			  struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_page page;
	struct yg_hunt *list = NULL;
	struct yg_hunt_filter f = {.state = yg_query_text(q, "state"),
				   .kind = YG_SV_INIT(""),
				   .before = YG_SV_INIT("")};
	size_t n = 0;
	yg_status st = yg_page_begin(api, q, &l, &page, &f.reach, err);
	if (f.state.n > 0 && yg_job_state_parse(f.state) == YG_JOB_NONE)
		yg_request_error(
			q, "unknown_value", YG_SV("state"),
			"expected queued, running, done, failed, cancelled or interrupted");
	if (yg_query_word(q, "kind", "rule correlation indicators list") > 0)
		f.kind = yg_query_text(q, "kind");
	f.part = yg_query_text(q, "q");
	f.by_matches = yg_query_word(q, "sort", "newest matches") == 2;
	yg_query_period(q, &f.from_us, &f.to_us);
	if (st == YG_OK)
		st = yg_query_bool(q, "hits", &f.hits, err);
	if (st == YG_OK && q->error_count > 0)
		st = YG_FAIL(err, YG_PARSE, "a parameter is wrong");
	(void)yg_page_keyed(&page, &f.before_matches, &f.before);
	f.limit = page.limit;
	if (st == YG_OK)
		st = yg_hunt_list(l.db, &f, q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer_list(r);
	for (size_t i = 0; st == YG_OK && i < n; i++)
		st = put_hunt(&j, q, l.db, &list[i], err);
	const struct yg_hunt *last = n > 0 ? &list[n - 1] : NULL;
	return st == YG_OK ? yg_answer_page_keyed(api, q, &j, n == page.limit,
						  last != NULL ? last->matches : 0,
						  last != NULL ? last->job.id : YG_SV(""), err)
			   : st;
}

yg_status yg_r_hunt_get(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_hunt h;
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = yg_hunt_get(l.db, yg_param(q, "id"), q->arena, &h, err);
	if (st == YG_OK)
		st = yg_scope_row(q, h.org, YG_SV(""), h.job.created, err);
	/* how far it had come by the end of a period is not known */
	if (st == YG_OK && q->who.reach.to.us != 0 &&
	    (h.job.finished.us == 0 || !yg_reach_at(&q->who.reach, h.job.finished)))
		st = YG_FAIL(err, YG_NOTFOUND, "no such object");
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 200);
	return put_hunt(&j, q, l.db, &h, err);
}

struct order {
	struct yg_hunt h;
	struct yg_sv *items; /* arena */
	size_t n;
};

static yg_status wrong(struct yg_err *err)
{
	return YG_FAIL(err, YG_PARSE, "the body has errors");
}

static yg_status order_rule(struct yg_request *q, struct yg_state *db, struct yg_sv uid,
			    struct order *o, struct yg_err *err)
{
	struct yg_drule rule;
	yg_status st = yg_find_rule(q, db, uid, false, &rule, err);
	if (st != YG_OK)
		return st;
	if (rule.kind == YG_SIGMA_FILTER) {
		yg_request_error(q, "bad_value", YG_SV("/rule"),
				 "a filter cannot be looked for in the past");
		return wrong(err);
	}
	o->h.what = rule.kind == YG_SIGMA_RULE ? YG_HUNT_RULE : YG_HUNT_CORRELATION;
	o->h.name = rule.uid;
	o->items = YG_NEW(q->arena, struct yg_sv);
	if (o->items == NULL)
		return YG_FAIL(err, YG_NOMEM, "the request is too large");
	o->items[o->n++] = rule.uid;
	return YG_OK;
}

static yg_status order_list(struct yg_request *q, struct yg_state *db, struct yg_sv name,
			    struct order *o, struct yg_err *err)
{
	struct yg_list list;
	yg_status st = yg_list_get(db, name, q->arena, &list, err);
	if (st == YG_OK)
		st = yg_scope_object(q, list.org, true, err);
	if (st != YG_OK)
		return st;
	o->h.what = YG_HUNT_INDICATOR;
	o->h.name = list.uid;
	o->h.items = list.entries;
	return YG_OK;
}

/* Each as "type value", in its one spelling. */
static yg_status order_values(struct yg_request *q, const struct yg_value *v, struct order *o,
			      struct yg_err *err)
{
	o->h.what = YG_HUNT_INDICATOR;
	o->items = YG_NEW_N(q->arena, struct yg_sv, v->text_count + 1);
	for (size_t i = 0; o->items != NULL && i < v->text_count; i++) {
		char text[YG_KEY_MAX + 16], at[40];
		struct yg_sb b = yg_sb_init(text, sizeof text), p = yg_sb_init(at, sizeof at);
		struct yg_err why = {0};
		enum yg_indicator_type type = yg_indicator_guess(v->texts[i]);
		yg_sb_printf(&p, "/indicators/%zu", i);
		yg_sb_put(&b, yg_sv_of(yg_indicator_type_name(type)));
		yg_sb_putc(&b, ' ');
		if (type == YG_IND_NONE)
			yg_request_error(
				q, "bad_text", yg_sb_sv(&p),
				"neither an address, a name, a URL, a hash nor a mail address");
		else if (yg_indicator_normalize(type, v->texts[i], &b, &why) != YG_OK)
			yg_request_error(q, "bad_text", yg_sb_sv(&p), "%s", why.msg);
		o->items[o->n] = yg_arena_dup(q->arena, yg_sb_sv(&b));
		if (o->items[o->n++].p == NULL)
			o->items = NULL;
	}
	if (o->items == NULL)
		return YG_FAIL(err, YG_NOMEM, "the request is too large");
	if (o->n == 1)
		o->h.name = v->texts[0];
	return q->error_count == 0 ? YG_OK : wrong(err);
}

/* As many days until now as are looked at by themselves; of a right that holds for a time only what lies within it. */
static yg_status order_times(const struct yg_api *api, struct yg_request *q,
			     const struct yg_value *from, const struct yg_value *until,
			     struct order *o, struct yg_err *err)
{
	uint64_t days = yg_api_conf(api)->detect_hunt_days;
	const struct yg_reach *reach = &q->who.reach;
	struct yg_hunt *h = &o->h;
	h->received = q->now;
	h->to.us = until->given ? YG_MIN(until->number, q->now.us) : q->now.us;
	h->from.us = from->given
			     ? from->number
			     : h->to.us - (int64_t)(days > 0 ? days : YG_HUNT_DAYS) * YG_US_PER_DAY;
	h->from.us = YG_MAX(h->from.us, reach->from.us);
	if (reach->to.us != 0)
		h->to.us = YG_MIN(h->to.us, reach->to.us);
	if (h->from.us < h->to.us)
		return YG_OK;
	yg_request_error(q, "bad_time", YG_SV("/from"), "it begins after it ends");
	return wrong(err);
}

/* What it finds are values of events. */
static yg_status may_look(struct yg_request *q, struct yg_state *db, struct yg_sv org,
			  struct yg_err *err)
{
	struct yg_reach events;
	yg_status st = yg_who_reach(&q->who, db, "events:read", q->arena, &events, err);
	return st != YG_OK || yg_reach_has(&events, org, YG_SV(""))
		       ? st
		       : YG_FAIL(err, YG_DENIED, "a hunt reads events: it needs events:read there");
}

static yg_status read_order(const struct yg_api *api, struct yg_request *q, struct yg_state *db,
			    struct order *o, struct yg_err *err)
{
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"rule", YG_F_TEXT, 0, 1, 64, NULL},
		{"indicators", YG_F_TEXTS, 0, 1, 1000, NULL},
		{"list", YG_F_TEXT, 0, 1, 64, NULL},
		{"org", YG_F_TEXT, YG_F_NULL, 1, YG_ORG_NAME_MAX, NULL},
		{"from", YG_F_TIME, 0, 0, 0, NULL},
		{"until", YG_F_TIME, 0, 0, 0, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	yg_status st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK && v[0].given + v[1].given + v[2].given != 1) {
		yg_request_error(q, "missing", YG_SV(""), "say a rule, indicators or a list");
		st = wrong(err);
	}
	if (st == YG_OK)
		st = yg_scope_body_org(q, db, v[3].given, v[3].text, &o->h.org, err);
	if (st == YG_OK)
		st = may_look(q, db, o->h.org, err);
	if (st == YG_OK)
		st = order_times(api, q, &v[4], &v[5], o, err);
	if (st == YG_OK)
		st = v[0].given   ? order_rule(q, db, v[0].text, o, err)
		     : v[1].given ? order_values(q, &v[1], o, err)
				  : order_list(q, db, v[2].text, o, err);
	o->h.org = yg_arena_dup(q->arena, o->h.org);
	o->h.name = yg_arena_dup(q->arena, o->h.name);
	return st;
}

yg_status yg_r_hunts_add(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			 struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct order o = {.n = 0};
	struct yg_id job;
	yg_status st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = read_order(api, q, l.db, &o, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_hunt_add(&act, &o.h, o.items, o.n, &job, err);
	return st == YG_OK ? yg_answer_job(api, q, r, &l, yg_id_sv(&job), err) : st;
}
