/* Alerts: lists, one, and everything people do with them. */
#include "alert/alert.h"
#include "api/body.h"
#include "api/routes.h"
#include "api/sign_in.h"
#include "intel/registry.h"
#include "org/audit_log.h"
#include "org/job.h"
#include "org/system.h"

void yg_put_alert(struct yg_jo *j, const struct yg_alert *a, const struct yg_sv *reasons,
		  size_t reason_count)
{
	yg_jo_begin(j, '{');
	yg_jo_str(j, "id", a->id);
	yg_jo_str(j, "org", a->org);
	yg_jo_str(j, "title", a->title);
	yg_jo_str(j, "state", yg_sv_of(yg_alert_state_name(a->state)));
	yg_jo_str_or_null(j, "verdict", yg_sv_of(yg_verdict_name(a->verdict)));
	yg_jo_str(j, "reason", a->reason);
	yg_jo_str_or_null(j, "assignee", a->assignee);
	yg_jo_int(j, "severity_id", a->severity_id);
	yg_jo_int(j, "confidence", a->confidence);
	yg_jo_str(j, "indicator", a->indicator);
	yg_jo_str(j, "indicator_type", a->indicator_type);
	yg_jo_str(j, "list", a->list);
	yg_jo_str(j, "category", a->category);
	yg_jo_str(j, "family", a->family);
	yg_jo_str(j, "tlp", a->tlp.n > 0 ? a->tlp : YG_SV("clear"));
	yg_jo_str(j, "asset", a->asset);
	yg_jo_str_or_null(j, "system", a->system);
	if (reasons != NULL) {
		yg_jo_key(j, "reasons");
		yg_jo_begin(j, '[');
		for (size_t i = 0; i < reason_count; i++)
			yg_jo_text(j, reasons[i]);
		yg_jo_end(j, ']');
	}
	yg_jo_int(j, "count", a->count);
	yg_jo_time(j, "first_seen", a->first_seen.us);
	yg_jo_time(j, "last_seen", a->last_seen.us);
	yg_jo_str_or_null(j, "merged_into", a->merged_into);
	yg_jo_str_or_null(j, "previous", a->previous);
	yg_jo_time(j, "created_at", a->created.us);
	yg_jo_time(j, "updated_at", a->updated.us);
	yg_jo_time(j, "closed_at", a->closed.us);
	yg_put_etag(j, a->version);
	yg_jo_end(j, '}');
}

/* The alert of that id, when the caller may see it. */
static yg_status find(struct yg_request *q, struct yg_state *db, struct yg_sv id,
		      struct yg_alert *out, struct yg_err *err)
{
	yg_status st = yg_alert_get_at(db, id, q->who.reach.to, q->arena, out, err);
	return st == YG_OK ? yg_scope_row(q, out->org, out->system, out->created, err) : st;
}

static yg_status answer_alert(struct yg_request *q, struct yg_response *r, struct yg_state *db,
			      int status, struct yg_sv id, struct yg_err *err)
{
	struct yg_alert a;
	struct yg_sv *reasons = NULL;
	size_t n = 0;
	yg_status st = find(q, db, id, &a, err);
	struct yg_sv past;
	if (st == YG_OK && q->who.reach.to.us == 0) {
		st = yg_alert_reasons(db, a.id, q->arena, &reasons, &n, err);
	} else if (st == YG_OK) {
		reasons = &past;
		n = 1;
		st = yg_alert_reason(&a, q->arena, &past, err);
	}
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, status);
	static const struct yg_sv none[1];
	yg_put_alert(&j, &a, reasons != NULL ? reasons : none, n);
	yg_answer_etag(q, r, NULL, a.version);
	return YG_OK;
}

/* "new,on_hold", "open"; noted against `at` when it is neither. */
unsigned yg_read_states(struct yg_request *q, struct yg_sv text, struct yg_sv at)
{
	unsigned set = 0;
	struct yg_sv one;
	enum yg_alert_state state;
	while (text.p != NULL && yg_sv_cut(&text, ',', &one)) {
		if (YG_SV_IS(one, "open"))
			set |= 1u << YG_ALERT_NEW | 1u << YG_ALERT_IN_PROGRESS |
			       1u << YG_ALERT_ON_HOLD;
		else if (yg_alert_state_parse(one, &state) == YG_OK)
			set |= 1u << state;
		else
			yg_request_error(q, "unknown_value", at,
					 "expected open, new, in_progress, on_hold or closed");
	}
	return set;
}

struct yg_sv yg_read_assignee(struct yg_sv s)
{
	return YG_SV_IS(s, "none") ? YG_SV("-") : s.p != NULL ? s : YG_SV("");
}

yg_status yg_r_alert_get(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			 struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	yg_status st = yg_lease_state(api, &l, err);
	return st == YG_OK ? answer_alert(q, r, l.db, 200, yg_param(q, "id"), err) : st;
}

static const struct yg_field set_fields[] = {
	{"state", YG_F_TEXT, 0, 0, 0, "new in_progress on_hold closed"},
	{"verdict", YG_F_TEXT, YG_F_NULL, 0, 0, "true false benign duplicate"},
	{"reason", YG_F_TEXT, 0, 0, YG_REASON_MAX, NULL},
	{"assignee", YG_F_TEXT, YG_F_NULL, 0, 512, NULL},
	{"severity_id", YG_F_INT, 0, 0, 6, NULL},
};
#define SET_FIELDS YG_LEN(set_fields)

/* out->reason and ->assignee point into v. */
static void read_set(const struct yg_value v[static SET_FIELDS], struct yg_alert_set *out)
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
}

yg_status yg_r_alert_change(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	struct yg_value v[SET_FIELDS];
	struct yg_alert_set set;
	struct yg_alert a;
	yg_status st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = find(q, l.db, yg_param(q, "id"), &a, err);
	if (st == YG_OK)
		st = yg_check_match(q, r, a.version, err);
	if (st == YG_OK)
		st = yg_body_read(&b, q, set_fields, SET_FIELDS, v, err);
	if (st != YG_OK)
		return st;
	read_set(v, &set);
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_alert_change(&act, a.id, a.version, &set, NULL, err);
	if (st == YG_OK)
		st = answer_alert(q, r, l.db, 200, a.id, err);
	st = yg_lease_commit(&l, q, r, st, err);
	if (st == YG_OK)
		yg_announce(api, YG_TOPIC_ALERTS, a.org, a.system, a.id, "updated");
	return st;
}

static void put_comment(struct yg_jo *j, const struct yg_comment *c)
{
	yg_jo_begin(j, '{');
	yg_jo_str(j, "id", c->id);
	yg_jo_str(j, "author", c->actor);
	yg_jo_str(j, "text", c->body);
	yg_jo_time(j, "created_at", c->time.us);
	yg_jo_end(j, '}');
}

/* What an auditor sees of an alert is of the period, too. */
static struct yg_alert_of part_of(const struct yg_request *q, const struct yg_alert *a)
{
	return (struct yg_alert_of){a->id, q->who.reach.from.us, q->who.reach.to.us};
}

yg_status yg_r_alert_comments(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			      struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_page page;
	struct yg_comment *list = NULL;
	struct yg_alert_of of = {0};
	struct yg_alert a;
	size_t n = 0;
	yg_status st = yg_page_begin(api, q, &l, &page, NULL, err);
	if (st == YG_OK)
		st = find(q, l.db, yg_param(q, "id"), &a, err);
	if (st == YG_OK)
		of = part_of(q, &a);
	if (st == YG_OK)
		st = yg_alert_comments(l.db, &of, page.after, page.limit, q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer_list(r);
	for (size_t i = 0; i < n; i++)
		put_comment(&j, &list[i]);
	return yg_answer_page(api, q, &j, n == page.limit ? &list[n - 1].id : NULL, err);
}

yg_status yg_r_alert_comment(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			     struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"text", YG_F_TEXT, YG_F_NEEDED, 1, YG_COMMENT_MAX, NULL}};
	struct yg_value v[1];
	struct yg_alert a;
	struct yg_id id;
	yg_status st = yg_body_read(&b, q, fields, 1, v, err);
	if (st == YG_OK)
		st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = find(q, l.db, yg_param(q, "id"), &a, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_alert_comment(&act, a.id, v[0].text, &id, err);
	if (st != YG_OK)
		return st;
	struct yg_comment c = {yg_id_sv(&id), yg_sv_of(q->who.actor), v[0].text, q->now};
	struct yg_jo j = yg_answer(r, 201);
	put_comment(&j, &c);
	st = yg_lease_commit(&l, q, r, YG_OK, err);
	if (st == YG_OK)
		yg_announce(api, YG_TOPIC_ALERTS, a.org, a.system, a.id, "commented");
	return st;
}

yg_status yg_r_alert_events(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_page page;
	struct yg_evidence *list = NULL;
	struct yg_alert a;
	uint64_t from = 0;
	size_t n = 0;
	yg_status st = yg_page_begin(api, q, &l, &page, NULL, err);
	if (st == YG_OK)
		st = find(q, l.db, yg_param(q, "id"), &a, err);
	if (st != YG_OK)
		return st;
	from = (uint64_t)page.number;
	struct yg_alert_of of = part_of(q, &a);
	st = yg_alert_evidence(l.db, &of, (uint32_t)from, page.limit, q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer_list(r);
	for (size_t i = 0; i < n; i++) {
		yg_jo_begin(&j, '{');
		yg_jo_str(&j, "event", list[i].event_id);
		yg_jo_str(&j, "finding", list[i].finding_uid);
		yg_jo_time(&j, "time", list[i].time.us);
		yg_jo_str(&j, "field", list[i].field);
		yg_jo_str(&j, "value", list[i].value);
		yg_jo_str(&j, "title", list[i].title);
		yg_jo_str(&j, "asset", list[i].asset);
		yg_jo_str(&j, "indicator", list[i].indicator);
		yg_jo_end(&j, '}');
	}
	char buf[24];
	struct yg_sb b = yg_sb_init(buf, sizeof buf);
	yg_sb_u64(&b, from + n);
	struct yg_sv position = yg_sb_sv(&b);
	return yg_answer_page(api, q, &j, n == page.limit ? &position : NULL, err);
}

/* The history of an alert of `org` that the caller may see, within the caller's period. */
static struct yg_reach history_reach(const struct yg_request *q, struct yg_sv org)
{
	struct yg_sv *one = YG_NEW(q->arena, struct yg_sv);
	if (one == NULL)
		return (struct yg_reach){0};
	*one = org;
	return (struct yg_reach){
		.orgs = one, .org_count = 1, .from = q->who.reach.from, .to = q->who.reach.to};
}

yg_status yg_r_alert_history(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			     struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_page page;
	struct yg_audit_filter f = {0};
	struct yg_audit_entry *list = NULL;
	struct yg_alert a;
	size_t n = 0;
	yg_status st = yg_page_begin(api, q, &l, &page, NULL, err);
	if (st == YG_OK)
		st = find(q, l.db, yg_param(q, "id"), &a, err);
	if (st != YG_OK)
		return st;
	f.object = a.id;
	f.reach = history_reach(q, a.org);
	f.limit = page.limit;
	f.before = page.number;
	st = yg_audit_list(l.db, &f, q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer_list(r);
	for (size_t i = 0; i < n; i++)
		yg_put_audit(&j, &list[i]);
	return yg_answer_page_number(api, q, &j, n == page.limit, n > 0 ? list[n - 1].seq : 0, err);
}

yg_status yg_r_alert_merge(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"into", YG_F_TEXT, 0, 1, 64, NULL},
		{"others", YG_F_TEXTS, 0, 1, 200, NULL},
		{"reason", YG_F_TEXT, 0, 0, YG_REASON_MAX, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_alert a, other;
	yg_status st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK && v[0].given == v[1].given) {
		yg_request_error(q, "missing", YG_SV(""),
				 "exactly one of into and others is needed");
		st = YG_FAIL(err, YG_PARSE, "the body has errors");
	}
	if (st == YG_OK)
		st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = find(q, l.db, yg_param(q, "id"), &a, err);
	const struct yg_sv *others = v[0].given ? &a.id : v[1].texts;
	size_t n = v[0].given ? 1 : v[1].text_count;
	/* ids of another organisation must look like ids that are not there */
	struct yg_sv *systems = YG_NEW_N(q->arena, struct yg_sv, n + 1);
	if (systems == NULL)
		return YG_FAIL(err, YG_NOMEM, "the request is too large");
	for (size_t i = 0; st == YG_OK && i < n; i++) {
		st = find(q, l.db, others[i], &other, err);
		systems[i] = st == YG_OK ? other.system : YG_SV("");
	}
	struct yg_alert into = a;
	if (st == YG_OK && v[0].given)
		st = find(q, l.db, v[0].text, &into, err);
	if (st == YG_OK)
		st = yg_check_match(q, r, into.version, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_alert_merge(&act, into.id, into.version, others, n,
			    v[2].given ? v[2].text : YG_SV(""), err);
	if (st == YG_OK)
		st = answer_alert(q, r, l.db, 200, into.id, err);
	st = yg_lease_commit(&l, q, r, st, err);
	if (st != YG_OK)
		return st;
	for (size_t i = 0; i < n; i++)
		yg_announce(api, YG_TOPIC_ALERTS, into.org, systems[i], others[i], "merged");
	yg_announce(api, YG_TOPIC_ALERTS, into.org, into.system, into.id, "updated");
	return YG_OK;
}

yg_status yg_r_alert_unmerge(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			     struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_alert a;
	yg_status st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = find(q, l.db, yg_param(q, "id"), &a, err);
	if (st == YG_OK)
		st = yg_check_match(q, r, a.version, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_alert_unmerge(&act, a.id, a.version, err);
	if (st == YG_OK)
		st = answer_alert(q, r, l.db, 200, a.id, err);
	st = yg_lease_commit(&l, q, r, st, err);
	if (st != YG_OK)
		return st;
	yg_announce(api, YG_TOPIC_ALERTS, a.org, a.system, a.id, "updated");
	yg_announce(api, YG_TOPIC_ALERTS, a.org, a.system, a.merged_into, "updated");
	return YG_OK;
}

yg_status yg_r_alert_split(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"events", YG_F_TEXTS, YG_F_NEEDED, 1, 200, NULL},
		{"reason", YG_F_TEXT, 0, 0, YG_REASON_MAX, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_alert a;
	struct yg_id id;
	yg_status st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK)
		st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = find(q, l.db, yg_param(q, "id"), &a, err);
	if (st == YG_OK)
		st = yg_check_match(q, r, a.version, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_alert_split(&act, a.id, a.version, v[0].texts, v[0].text_count,
			    v[1].given ? v[1].text : YG_SV(""), &id, err);
	if (st != YG_OK)
		return st;
	yg_answer_location(q, r, "/api/v1/alerts", yg_id_sv(&id));
	st = answer_alert(q, r, l.db, 201, yg_id_sv(&id), err);
	st = yg_lease_commit(&l, q, r, st, err);
	if (st != YG_OK)
		return st;
	yg_announce(api, YG_TOPIC_ALERTS, a.org, a.system, a.id, "updated");
	yg_announce(api, YG_TOPIC_ALERTS, a.org, a.system, yg_id_sv(&id), "created");
	return YG_OK;
}

static yg_status close_allowed(struct yg_act *act, const struct yg_alert *a, struct yg_sv reason,
			       struct yg_err *err)
{
	struct yg_alert_set set = {
		.state = YG_ALERT_CLOSED, .verdict = YG_VERDICT_FALSE, .reason = &reason};
	return a->state == YG_ALERT_CLOSED
		       ? YG_OK
		       : yg_alert_change(act, a->id, YG_ANY_VERSION, &set, NULL, err);
}

static yg_status ask_another(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			     struct yg_lease *l, const struct yg_allow_new *n, struct yg_err *err)
{
	char who[48];
	struct yg_act act = yg_person_act(q, api, l->db, who);
	r->problem = NULL;
	yg_status st = yg_approval_ask_allow(q, r, &act, n, err);
	return yg_lease_commit(l, q, r, st, err);
}

yg_status yg_r_alert_allow(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"reason", YG_F_TEXT, YG_F_NEEDED, 1, YG_REASON_MAX, NULL},
		{"expires_at", YG_F_TIME, YG_F_NULL, 0, 0, NULL},
		{"scope", YG_F_TEXT, 0, 0, 0, "organisation all"},
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_alert a;
	struct yg_allow w;
	struct yg_id id;
	yg_status st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK)
		st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = find(q, l.db, yg_param(q, "id"), &a, err);
	bool all = v[2].given && YG_SV_IS(v[2].text, "all");
	if (st == YG_OK && all && !q->who.reach.all)
		st = YG_FAIL(err, YG_DENIED,
			     "only the centre can allow something for all organisations");
	struct yg_allow_new n = {.value = a.indicator,
				 .reason = v[0].text,
				 .alert = a.id,
				 .org = all ? YG_SV("") : a.org};
	if (st == YG_OK)
		st = yg_indicator_type_parse(a.indicator_type, &n.type);
	if (st != YG_OK)
		return st;
	n.expires.us = v[1].given ? v[1].number : q->now.us + 30 * YG_US_PER_DAY;
	st = all ? yg_approval_needed(q, r, l.db, err) : YG_OK;
	if (st == YG_DENIED)
		return ask_another(api, q, r, &l, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_allow_add(&act, &n, &id, err);
	if (st == YG_OK)
		st = close_allowed(&act, &a, v[0].text, err);
	if (st == YG_OK)
		st = yg_allow_get(l.db, yg_id_sv(&id), q->arena, &w, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 201);
	yg_put_allow(&j, &w);
	yg_answer_location(q, r, "/api/v1/allow-entries", w.id);
	st = yg_lease_commit(&l, q, r, YG_OK, err);
	if (st != YG_OK)
		return st;
	yg_announce(api, YG_TOPIC_ALERTS, a.org, a.system, a.id, "updated");
	if (api->hooks.indicators_changed != NULL)
		api->hooks.indicators_changed(api->hooks.ctx);
	return YG_OK;
}

static const struct yg_field filter_fields[] = {
	{"org", YG_F_TEXT, 0, 1, 63, NULL},         {"state", YG_F_TEXT, 0, 1, 64, NULL},
	{"severity", YG_F_INT, 0, 0, 6, NULL},      {"assignee", YG_F_TEXT, 0, 1, 512, NULL},
	{"indicator", YG_F_TEXT, 0, 1, 8192, NULL}, {"q", YG_F_TEXT, 0, 1, 1024, NULL},
	{"severity_max", YG_F_INT, 0, 0, 6, NULL},  {"asset", YG_F_TEXT, 0, 1, 8192, NULL},
	{"list", YG_F_TEXT, 0, 1, 512, NULL},       {"category", YG_F_TEXT, 0, 1, 512, NULL},
	{"from", YG_F_TIME, 0, 0, 0, NULL},         {"to", YG_F_TIME, 0, 0, 0, NULL},
	{"system", YG_F_TEXT, 0, 1, 64, NULL},
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
	struct yg_value f[YG_LEN(filter_fields)], set[SET_FIELDS];
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
		st = yg_body_read_at(b, q, v[2].node, "/set", set_fields, SET_FIELDS, set, err);
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
		st = find(q, l.db, v[0].texts[i], &a, err);
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
		     {BY_CATEGORY, &t->category}};
	for (size_t i = 0; i < YG_LEN(texts); i++)
		*texts[i].to = f[texts[i].from].given ? f[texts[i].from].text : YG_SV("");
	if (f[BY_STATE].given)
		t->states = yg_read_states(q, f[BY_STATE].text, YG_SV("/filter/state"));
	t->severity_min = (int)f[BY_SEVERITY].number;
	t->severity_max = (int)f[BY_SEVERITY_MAX].number;
	t->assignee = f[BY_ASSIGNEE].given ? yg_read_assignee(f[BY_ASSIGNEE].text) : YG_SV("");
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
		st = yg_body_read_at(&b, q, v[2].node, "/set", set_fields, SET_FIELDS, out->values,
				     err);
	if (st != YG_OK)
		return st;
	out->ids = v[0].texts;
	out->id_count = v[0].text_count;
	read_bulk_filter(q, f, out);
	read_set(out->values, &out->set);
	return YG_OK;
}
