/* Alerts: lists, one, and everything people do with them. */
#include "api/routes_alert.h"

#include "alert/due.h"
#include "alert/title.h"
#include "api/body.h"
#include "detect/watch_finding.h"
#include "org/audit_log.h"

yg_wall yg_alert_now(const struct yg_request *q)
{
	yg_wall end = q->who.reach.to;
	return end.us != 0 && end.us < q->now.us ? end : q->now;
}

static void put_times(struct yg_jo *j, const struct yg_alert *a, yg_wall now)
{
	bool away = a->snoozed_until.us > now.us, due = a->due.us != YG_NO_DUE;
	yg_jo_time(j, "due_at", due ? a->due.us : 0);
	yg_jo_str(j, "due_reason", a->due_reason);
	yg_jo_bool(j, "overdue", a->state != YG_ALERT_CLOSED && a->due.us <= now.us);
	yg_jo_time(j, "snoozed_until", away ? a->snoozed_until.us : 0);
	yg_jo_str(j, "snooze_reason", away ? a->snooze_reason : YG_SV(""));
	yg_jo_str_or_null(j, "snoozed_by", away ? a->snoozed_by : YG_SV(""));
}

struct yg_sv yg_alert_title(const struct yg_request *q, struct yg_sv type, struct yg_sv indicator,
			    struct yg_sv title)
{
	size_t cap = title.n + indicator.n * 4 + 128;
	char *text = q->japanese ? yg_arena_alloc(q->arena, cap, 1) : NULL;
	if (text == NULL)
		return title;
	struct yg_sb b = yg_sb_init(text, cap);
	yg_alert_title_ja(type, indicator, title, &b);
	return b.cut ? title : yg_sb_sv(&b);
}

void yg_put_alert(struct yg_jo *j, const struct yg_request *q, const struct yg_alert *a,
		  yg_wall now, const struct yg_sv *reasons, size_t reason_count)
{
	yg_jo_begin(j, '{');
	yg_jo_str(j, "id", a->id);
	yg_jo_str(j, "org", a->org);
	yg_jo_str(j, "title", yg_alert_title(q, a->indicator_type, a->indicator, a->title));
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
	put_times(j, a, now);
	yg_put_etag(j, a->version);
	yg_jo_end(j, '}');
}

/* The alert of that id, when the caller may see it. */
yg_status yg_alert_seen(struct yg_request *q, struct yg_state *db, struct yg_sv id,
			struct yg_alert *out, struct yg_err *err)
{
	yg_status st = yg_alert_get_at(db, id, q->who.reach.to, q->arena, out, err);
	return st == YG_OK ? yg_scope_row(q, out->org, out->system, out->created, err) : st;
}

yg_status yg_answer_alert(struct yg_request *q, struct yg_response *r, struct yg_state *db,
			  int status, struct yg_sv id, struct yg_err *err)
{
	struct yg_alert a;
	struct yg_sv *reasons = NULL;
	size_t n = 0;
	yg_status st = yg_alert_seen(q, db, id, &a, err);
	struct yg_sv past;
	if (st == YG_OK && q->who.reach.to.us == 0) {
		st = yg_alert_reasons(db, a.id, q->japanese, q->arena, &reasons, &n, err);
	} else if (st == YG_OK) {
		reasons = &past;
		n = 1;
		st = yg_alert_reason(&a, q->japanese, q->arena, &past, err);
	}
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, status);
	static const struct yg_sv none[1];
	yg_put_alert(&j, q, &a, yg_alert_now(q), reasons != NULL ? reasons : none, n);
	yg_answer_etag(q, r, NULL, a.version);
	return YG_OK;
}

/* "new,on_hold", "open", or "active" or "snoozed" alone; noted against `at` when it is none. */
unsigned yg_read_states(struct yg_request *q, struct yg_sv text, struct yg_sv at)
{
	unsigned set = 0;
	struct yg_sv one;
	enum yg_alert_state state;
	if (text.p != NULL && YG_SV_IS(text, "active"))
		return YG_ALERT_ACTIVE;
	if (text.p != NULL && YG_SV_IS(text, "snoozed"))
		return YG_ALERT_SNOOZED;
	while (text.p != NULL && yg_sv_cut(&text, ',', &one)) {
		if (YG_SV_IS(one, "open"))
			set |= 1u << YG_ALERT_NEW | 1u << YG_ALERT_IN_PROGRESS |
			       1u << YG_ALERT_ON_HOLD;
		else if (yg_alert_state_parse(one, &state) == YG_OK)
			set |= 1u << state;
		else
			yg_request_error(
				q, "unknown_value", at,
				"expected active, snoozed, open, new, in_progress, on_hold or closed");
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
	return st == YG_OK ? yg_answer_alert(q, r, l.db, 200, yg_param(q, "id"), err) : st;
}

yg_status yg_r_alert_change(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	struct yg_value v[YG_ALERT_SET_FIELDS];
	struct yg_alert_set set;
	yg_wall times[2];
	struct yg_alert a;
	yg_status st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = yg_alert_seen(q, l.db, yg_param(q, "id"), &a, err);
	if (st == YG_OK)
		st = yg_check_match(q, r, a.version, err);
	if (st == YG_OK)
		st = yg_body_read(&b, q, yg_alert_set_fields, YG_ALERT_SET_FIELDS, v, err);
	if (st != YG_OK)
		return st;
	yg_alert_read_set(v, times, &set);
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_alert_change(&act, a.id, a.version, &set, NULL, err);
	if (st == YG_OK)
		st = yg_answer_alert(q, r, l.db, 200, a.id, err);
	st = yg_lease_commit(&l, q, r, st, err);
	if (st == YG_OK && !q->dry_run)
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
		st = yg_alert_seen(q, l.db, yg_param(q, "id"), &a, err);
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
		st = yg_alert_seen(q, l.db, yg_param(q, "id"), &a, err);
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
	if (st == YG_OK && !q->dry_run)
		yg_announce(api, YG_TOPIC_ALERTS, a.org, a.system, a.id, "commented");
	return st;
}

/* [["name","value"],...] as objects; without it what field and value say. */
static void put_fields(struct yg_jo *j, struct yg_json *json, const struct yg_evidence *e,
		       struct yg_arena *arena)
{
	yg_jo_key(j, "fields");
	yg_jo_begin(j, '[');
	bool list = e->fields.n > 0 && yg_json_parse(json, e->fields, NULL) == YG_OK &&
		    yg_json_at(json, 0)->type == YG_JSON_ARRAY;
	uint32_t pair = 1, n = list ? yg_json_at(json, 0)->n : e->field.n > 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t value = list ? yg_json_at(json, pair + 1)->next : 0;
		yg_jo_begin(j, '{');
		yg_jo_str(j, "name", list ? yg_json_str(json, pair + 1, arena) : e->field);
		yg_jo_str(j, "value", list ? yg_json_str(json, value, arena) : e->value);
		yg_jo_end(j, '}');
		pair = list ? yg_json_at(json, pair)->next : 0;
	}
	yg_jo_end(j, ']');
}

/* Of a finding beside rules its sentence, else null. */
static void put_words(struct yg_jo *j, struct yg_request *q, const struct yg_evidence *e)
{
	char text[1536], indicator[YG_NOTICE_KEY_MAX + 32];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	struct yg_sb i = yg_sb_init(indicator, sizeof indicator);
	struct yg_notice n;
	bool told = e->fields.n > 0 && yg_watch_read_fields(e->fields, q->arena, &n);
	if (told) /* a rule may match a field that is called kind, too */
		yg_watch_indicator(&n, &i);
	if (told && yg_sv_eq(yg_sb_sv(&i), e->indicator))
		yg_notice_words(&n, q->japanese, &b);
	yg_jo_str_or_null(j, "words", yg_sb_sv(&b));
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
		st = yg_alert_seen(q, l.db, yg_param(q, "id"), &a, err);
	if (st != YG_OK)
		return st;
	from = (uint64_t)page.number;
	struct yg_alert_of of = part_of(q, &a);
	st = yg_alert_evidence(l.db, &of, (uint32_t)from, page.limit, q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer_list(r);
	struct yg_json json;
	yg_json_init(&json, 256);
	for (size_t i = 0; i < n; i++) {
		yg_jo_begin(&j, '{');
		yg_jo_str(&j, "event", list[i].event_id);
		yg_jo_str(&j, "finding", list[i].finding_uid);
		yg_jo_time(&j, "time", list[i].time.us);
		yg_jo_str(&j, "field", list[i].field);
		yg_jo_str(&j, "value", list[i].value);
		yg_jo_str(&j, "title",
			  yg_alert_title(q, a.indicator_type, list[i].indicator, list[i].title));
		yg_jo_str(&j, "asset", list[i].asset);
		yg_jo_str(&j, "indicator", list[i].indicator);
		put_fields(&j, &json, &list[i], q->arena);
		put_words(&j, q, &list[i]);
		yg_jo_bool(&j, "historical", list[i].historical);
		yg_jo_end(&j, '}');
	}
	yg_json_free(&json);
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
		st = yg_alert_seen(q, l.db, yg_param(q, "id"), &a, err);
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
