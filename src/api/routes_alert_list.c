/* Alerts as a list and as groups. */
#include "alert/query.h"
#include "api/routes_alert.h"

static void read_texts(struct yg_request *q, struct yg_alert_filter *f)
{
	const struct {
		const char *name;
		struct yg_sv *to;
	} texts[] = {{"indicator", &f->indicator}, {"asset", &f->asset}, {"list", &f->list},
		     {"category", &f->category},   {"hunt", &f->hunt},   {"q", &f->q}};
	for (size_t i = 0; i < YG_LEN(texts); i++) {
		struct yg_sv s = yg_query(q, texts[i].name);
		if (s.p != NULL)
			*texts[i].to = s;
	}
}

static yg_status read_query(struct yg_request *q, struct yg_state *db, struct yg_alert_query *out,
			    struct yg_err *err)
{
	struct yg_sv sort = yg_query(q, "sort");
	struct yg_alert_filter *f = &out->f;
	f->states = yg_read_states(q, yg_query(q, "state"), YG_SV("state"));
	f->severity_min = (int)yg_query_severity(q, "severity");
	f->severity_max = (int)yg_query_severity(q, "severity_max");
	f->assignee = yg_read_assignee(yg_query(q, "assignee"));
	read_texts(q, f);
	bool watched = false;
	if (yg_query_bool(q, "watched", &watched, err) == YG_OK && watched)
		f->watcher = yg_request_owner(q);
	(void)yg_query_bool(q, "overdue", &f->overdue, NULL);
	f->now = yg_alert_now(q);
	yg_query_period(q, &f->from_us, &f->to_us);
	if (sort.p != NULL && yg_alert_sort_parse(sort, &out->sort) != YG_OK)
		yg_request_error(q, "unknown_value", YG_SV("sort"),
				 "expected newest, severity, last_seen or due");
	if (q->error_count > 0)
		return YG_FAIL(err, YG_PARSE, "a parameter is wrong");
	return yg_scope_reach(q, db, &f->reach, err);
}

static void put_total(struct yg_jo *j, int64_t total, bool exact)
{
	if (total >= 0)
		yg_jo_int(j, "total", total);
	else
		yg_jo_str_or_null(j, "total", YG_SV(""));
	yg_jo_bool(j, "total_exact", total >= 0 && exact);
}

yg_status yg_r_alerts_list(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_page page;
	struct yg_alert_query ask = {0};
	struct yg_alert *list = NULL;
	size_t n = 0;
	int64_t total = -1;
	bool exact = false;
	yg_status st = yg_page_read(q, api->cursor_key, &page, err);
	if (st == YG_OK)
		st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = read_query(q, l.db, &ask, err);
	if (st != YG_OK)
		return st;
	struct yg_sv seq;
	ask.has_after = yg_page_keyed(&page, &ask.after, &seq) &&
			yg_parse_i64(seq, &ask.after_seq, NULL) == YG_OK;
	ask.limit = page.limit;
	st = yg_alert_find(l.db, &ask, q->arena, &list, &n, err);
	if (st == YG_OK && !q->uncounted)
		st = yg_alert_total(l.db, &ask, &total, &exact, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 200);
	yg_jo_begin(&j, '{');
	put_total(&j, total, exact);
	yg_jo_key(&j, "items");
	yg_jo_begin(&j, '[');
	for (size_t i = 0; i < n; i++)
		yg_put_alert(&j, q, &list[i], ask.f.now, NULL, 0);
	char buf[24];
	struct yg_sb b = yg_sb_init(buf, sizeof buf);
	const struct yg_alert *last = n > 0 ? &list[n - 1] : NULL;
	if (last != NULL)
		yg_sb_i64(&b, last->seq);
	return yg_answer_page_keyed(api, q, &j, n == page.limit,
				    last != NULL ? yg_alert_sort_key(ask.sort, last) : 0,
				    yg_sb_sv(&b), err);
}

static struct yg_sv bundle_title(const struct yg_request *q, const struct yg_alert_bundle *g,
				 enum yg_alert_group by)
{
	struct yg_sv english = g->title, japanese;
	if (by == YG_GROUP_ORG && g->title.n > 0 && yg_sv_cut(&english, '\t', &japanese))
		return q->japanese ? japanese : english;
	return yg_alert_title(q, g->type, g->key, g->title.n > 0 ? g->title : g->key);
}

static void put_bundle(struct yg_request *q, struct yg_jo *j, const struct yg_alert_bundle *g,
		       enum yg_alert_group by)
{
	yg_jo_begin(j, '{');
	yg_jo_str(j, "key", g->key);
	yg_jo_str(j, "title", bundle_title(q, g, by));
	yg_jo_str_or_null(j, "type", g->type);
	yg_jo_int(j, "count", g->count);
	yg_jo_int(j, "orgs", g->orgs);
	yg_jo_int(j, "findings", g->findings);
	yg_jo_int(j, "severity_id", g->severity_id);
	yg_jo_time(j, "first_seen", g->first_seen.us);
	yg_jo_time(j, "last_seen", g->last_seen.us);
	yg_jo_end(j, '}');
}

yg_status yg_r_alert_groups(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_page page;
	struct yg_alert_query ask = {0};
	struct yg_alert_bundles g = {0};
	struct yg_sv by = yg_query(q, "by");
	enum yg_alert_group group = YG_GROUP_INDICATOR;
	uint64_t from = 0;
	yg_status st = yg_page_read(q, api->cursor_key, &page, err);
	if (by.p != NULL && yg_alert_group_parse(by, &group) != YG_OK)
		yg_request_error(q, "unknown_value", YG_SV("by"),
				 "expected indicator, org, asset, category or list");
	if (st == YG_OK)
		st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = read_query(q, l.db, &ask, err);
	if (st != YG_OK)
		return st;
	if (page.after.n > 0)
		(void)yg_parse_u64(page.after, &from, NULL);
	ask.limit = page.limit;
	st = yg_alert_bundle(l.db, &ask, group, (uint32_t)from, q->arena, &g, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 200);
	yg_jo_begin(&j, '{');
	yg_jo_int(&j, "total", g.groups);
	yg_jo_key(&j, "items");
	yg_jo_begin(&j, '[');
	for (size_t i = 0; i < g.n; i++)
		put_bundle(q, &j, &g.list[i], group);
	char buf[24];
	struct yg_sb b = yg_sb_init(buf, sizeof buf);
	yg_sb_u64(&b, from + g.n);
	struct yg_sv position = yg_sb_sv(&b);
	return yg_answer_page(api, q, &j, g.n == page.limit ? &position : NULL, err);
}
