/* What a person sets of an alert, and the same of many by a job. */
#include "api/body.h"
#include "api/routes_alert.h"
#include "org/system.h"

const struct yg_field yg_alert_set_fields[YG_ALERT_SET_FIELDS] = {
	{"state", YG_F_TEXT, 0, 0, 0, "new in_progress on_hold closed"},
	{"verdict", YG_F_TEXT, YG_F_NULL, 0, 0, "true false benign duplicate"},
	{"reason", YG_F_TEXT, 0, 0, YG_REASON_MAX, NULL},
	{"assignee", YG_F_TEXT, YG_F_NULL, 0, 512, NULL},
	{"severity_id", YG_F_INT, 0, 0, 6, NULL},
	{"due_at", YG_F_TIME, YG_F_NULL, 0, 0, NULL},
	{"due_reason", YG_F_TEXT, 0, 0, YG_REASON_MAX, NULL},
	{"snoozed_until", YG_F_TIME, YG_F_NULL, 0, 0, NULL},
	{"snooze_reason", YG_F_TEXT, 0, 0, YG_REASON_MAX, NULL},
};

/* A time to come; null is 0, "no longer". */
static const yg_wall *when(const struct yg_value *v, yg_wall *at)
{
	at->us = v->null ? 0 : YG_MAX(v->number, 1);
	return v->given ? at : NULL;
}

void yg_alert_read_set(const struct yg_value v[static YG_ALERT_SET_FIELDS], yg_wall times[static 2],
		       struct yg_alert_set *out)
{
	*out = (struct yg_alert_set){0};
	if (v[0].given)
		(void)yg_alert_state_parse(v[0].text, &out->state); /* one of the words it may be */
	if (v[1].given && !v[1].null)
		(void)yg_verdict_parse(v[1].text, &out->verdict);
	if (v[2].given)
		out->reason = &v[2].text;
	if (v[3].given)
		out->assignee = &v[3].text; /* null: nobody */
	if (v[4].given)
		out->severity_id = (int)v[4].number;
	out->due = when(&v[5], &times[0]);
	out->due_reason = v[6].given ? &v[6].text : NULL;
	out->snooze = when(&v[7], &times[1]);
	out->snooze_reason = v[8].given ? &v[8].text : NULL;
}

static const struct yg_field filter_fields[] = {
	{"org", YG_F_TEXT, 0, 1, 63, NULL},         {"state", YG_F_TEXT, 0, 1, 64, NULL},
	{"severity", YG_F_INT, 0, 0, 6, NULL},      {"assignee", YG_F_TEXT, 0, 1, 512, NULL},
	{"indicator", YG_F_TEXT, 0, 1, 8192, NULL}, {"q", YG_F_TEXT, 0, 1, 1024, NULL},
	{"severity_max", YG_F_INT, 0, 0, 6, NULL},  {"asset", YG_F_TEXT, 0, 1, 8192, NULL},
	{"list", YG_F_TEXT, 0, 1, 512, NULL},       {"category", YG_F_TEXT, 0, 1, 512, NULL},
	{"from", YG_F_TIME, 0, 0, 0, NULL},         {"to", YG_F_TIME, 0, 0, 0, NULL},
	{"system", YG_F_TEXT, 0, 1, 64, NULL},      {"watched", YG_F_BOOL, 0, 0, 0, NULL},
	{"overdue", YG_F_BOOL, 0, 0, 0, NULL},      {"hunt", YG_F_TEXT, 0, 1, 64, NULL},
};
enum {
	BY_ORG,
	BY_STATE,
	BY_SEVERITY,
	BY_ASSIGNEE,
	BY_INDICATOR,
	BY_WORDS,
	BY_SEVERITY_MAX,
	BY_ASSET,
	BY_LIST,
	BY_CATEGORY,
	BY_FROM,
	BY_TO,
	BY_SYSTEM,
	BY_WATCHED,
	BY_OVERDUE,
	BY_HUNT,
};

/* A system that the caller's rights reach; else as if there were none. */
static yg_status bulk_system(struct yg_request *q, struct yg_state *db, struct yg_sv id,
			     struct yg_err *err)
{
	struct yg_system y;
	yg_status st = yg_system_get(db, id, q->arena, &y, err);
	if (st == YG_OK && !yg_reach_has(&q->who.reach, y.org, id))
		return YG_FAIL(err, YG_NOTFOUND, "no such system");
	return st;
}

/* The body as the job keeps it: checked, and with the organisation it is for.
 * center's job reads it back with the same words (role/center_jobs.c). */
static yg_status bulk_params(struct yg_request *q, struct yg_state *db, struct yg_body *b,
			     const struct yg_value *v, struct yg_sv *org, struct yg_err *err)
{
	struct yg_value f[YG_LEN(filter_fields)], set[YG_ALERT_SET_FIELDS];
	yg_status st = YG_OK;
	memset(f, 0, sizeof f);
	if (v[0].given == v[1].given) {
		yg_request_error(q, "missing", YG_SV(""),
				 "exactly one of ids and filter is needed");
		return YG_FAIL(err, YG_PARSE, "the body has errors");
	}
	if (v[1].given)
		st = yg_body_read_at(b, q, v[1].node, "/filter", filter_fields,
				     YG_LEN(filter_fields), f, err);
	if (st == YG_OK)
		st = yg_body_read_at(b, q, v[2].node, "/set", yg_alert_set_fields,
				     YG_ALERT_SET_FIELDS, set, err);
	if (st == YG_OK && f[BY_STATE].given)
		(void)yg_read_states(q, f[BY_STATE].text, YG_SV("/filter/state"));
	if (st == YG_OK && q->error_count > 0)
		st = YG_FAIL(err, YG_PARSE, "the body has errors");
	if (st == YG_OK && f[BY_SYSTEM].given)
		st = bulk_system(q, db, f[BY_SYSTEM].text, err);
	*org = q->who.root;
	if (st == YG_OK && f[BY_ORG].given)
		st = yg_scope_body_org(q, db, true, f[BY_ORG].text, org, err);
	return st;
}

yg_status yg_r_alerts_bulk(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"ids", YG_F_TEXTS, 0, 1, 10000, NULL},
		{"filter", YG_F_OBJECT, 0, 0, 0, NULL},
		{"set", YG_F_OBJECT, YG_F_NEEDED, 0, 0, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_alert a;
	struct yg_sv org = YG_SV("");
	yg_status st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK)
		st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = bulk_params(q, l.db, &b, v, &org, err);
	for (size_t i = 0; st == YG_OK && i < v[0].text_count && !q->who.reach.all; i++)
		st = yg_alert_seen(q, l.db, v[0].texts[i], &a, err);
	if (st != YG_OK)
		return st;
	/* the job looks at the rights of who asked, as they are when it runs */
	return yg_answer_new_job(api, q, r, &l, YG_SV("alert.bulk"), org, q->body, err);
}

/* All that the list of alerts filters by: what is shown is what is changed. */
static void read_bulk_filter(struct yg_request *q, const struct yg_value *f, struct yg_bulk *out)
{
	struct yg_alert_filter *t = &out->filter;
	const struct {
		int from;
		struct yg_sv *to;
	} texts[] = {{BY_ORG, &out->org},           {BY_SYSTEM, &out->system}, {BY_WORDS, &t->q},
		     {BY_INDICATOR, &t->indicator}, {BY_ASSET, &t->asset},     {BY_LIST, &t->list},
		     {BY_CATEGORY, &t->category},   {BY_HUNT, &t->hunt}};
	for (size_t i = 0; i < YG_LEN(texts); i++)
		*texts[i].to = f[texts[i].from].given ? f[texts[i].from].text : YG_SV("");
	if (f[BY_STATE].given)
		t->states = yg_read_states(q, f[BY_STATE].text, YG_SV("/filter/state"));
	t->severity_min = (int)f[BY_SEVERITY].number;
	t->severity_max = (int)f[BY_SEVERITY_MAX].number;
	t->assignee = f[BY_ASSIGNEE].given ? yg_read_assignee(f[BY_ASSIGNEE].text) : YG_SV("");
	t->overdue = f[BY_OVERDUE].truth;
	out->watched = f[BY_WATCHED].truth;
	t->from_us = f[BY_FROM].number;
	t->to_us = f[BY_TO].number;
}

yg_status yg_bulk_read(struct yg_request *q, struct yg_bulk *out, struct yg_err *err)
{
	static const struct yg_field fields[] = {
		{"ids", YG_F_TEXTS, 0, 1, 10000, NULL},
		{"filter", YG_F_OBJECT, 0, 0, 0, NULL},
		{"set", YG_F_OBJECT, YG_F_NEEDED, 0, 0, NULL},
	};
	struct yg_value v[YG_LEN(fields)], f[YG_LEN(filter_fields)];
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	memset(f, 0, sizeof f);
	*out = (struct yg_bulk){0};
	yg_status st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK && v[1].given)
		st = yg_body_read_at(&b, q, v[1].node, "/filter", filter_fields,
				     YG_LEN(filter_fields), f, err);
	if (st == YG_OK)
		st = yg_body_read_at(&b, q, v[2].node, "/set", yg_alert_set_fields,
				     YG_ALERT_SET_FIELDS, out->values, err);
	if (st != YG_OK)
		return st;
	out->ids = v[0].texts;
	out->id_count = v[0].text_count;
	read_bulk_filter(q, f, out);
	yg_alert_read_set(out->values, out->times, &out->set);
	return YG_OK;
}
