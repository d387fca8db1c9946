/* Sources: what is expected, what was heard, what depends on it. */
#include "api/routes.h"
#include "event/feeds.h"
#include "org/coverage.h"

/* The position of a source in its list: its three names with tabs between. */
static bool source_after(struct yg_sv position, struct yg_source_row *out)
{
	*out = (struct yg_source_row){0};
	if (position.n == 0)
		return false;
	return yg_sv_cut(&position, '\t', &out->org) && yg_sv_cut(&position, '\t', &out->source) &&
	       yg_sv_cut(&position, '\t', &out->sensor);
}

static void put_depends(struct yg_jo *j, struct yg_sv source)
{
	const struct yg_feed *f = NULL;
	size_t n = yg_source_feeds(source, &f);
	yg_jo_key(j, "depends");
	yg_jo_begin(j, '[');
	for (size_t i = 0; i < n; i++) {
		yg_jo_begin(j, '{');
		yg_jo_str(j, "kind", yg_sv_of(f[i].kind));
		yg_jo_str(j, "value", yg_sv_of(f[i].value));
		yg_jo_end(j, '}');
	}
	yg_jo_end(j, ']');
}

static void put_source(struct yg_jo *j, const struct yg_coverage *c)
{
	const struct yg_source_row *s = &c->row;
	yg_jo_begin(j, '{');
	yg_jo_str(j, "org", s->org);
	yg_jo_str(j, "source", s->source);
	yg_jo_str(j, "sensor", s->sensor);
	yg_jo_str(j, "state", yg_sv_of(yg_source_state_name(c->state)));
	if (c->lag_us >= 0)
		yg_jo_int(j, "lag_s", c->lag_us / YG_US_PER_S);
	else
		yg_jo_str_or_null(j, "lag_s", YG_SV(""));
	yg_jo_int(j, "expected_every_s", c->every_s > 0 ? c->every_s : YG_EXPECT_DEFAULT_S);
	yg_jo_bool(j, "expected", c->every_s > 0);
	yg_jo_int(j, "records", s->events);
	yg_jo_int(j, "unparsed", s->unparsed);
	yg_jo_int(j, "bytes", s->bytes);
	yg_jo_int(j, "dropped", s->dropped);
	yg_jo_time(j, "first_received_at", s->first_received.us);
	yg_jo_time(j, "last_event_at", s->last_event.us);
	yg_jo_time(j, "last_received_at", s->last_received.us);
	put_depends(j, s->source);
	yg_put_etag(j, c->every_s); /* of all this only what is expected is changed by people */
	yg_jo_end(j, '}');
}

yg_status yg_r_sources_list(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_page page;
	struct yg_source_row after;
	struct yg_org_set set;
	struct yg_coverage *list = NULL;
	size_t n = 0;
	yg_status st = yg_page_begin(api, q, &l, &page, NULL, err);
	if (st == YG_OK)
		st = yg_scope_orgs(q, l.db, &set, err);
	if (st != YG_OK)
		return st;
	bool go_on = source_after(page.after, &after);
	struct yg_coverage_filter f = {
		.set = &set, .now = q->now, .after = go_on ? &after : NULL, .limit = page.limit};
	st = yg_coverage_list(l.db, &f, q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer_list(r);
	for (size_t i = 0; i < n; i++)
		put_source(&j, &list[i]);
	if (n < page.limit)
		return yg_answer_page(api, q, &j, NULL, err);
	char text[YG_CURSOR_MAX];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_put(&b, list[n - 1].row.org);
	yg_sb_putc(&b, '\t');
	yg_sb_put(&b, list[n - 1].row.source);
	yg_sb_putc(&b, '\t');
	yg_sb_put(&b, list[n - 1].row.sensor);
	struct yg_sv position = yg_sb_sv(&b);
	return yg_answer_page(api, q, &j, &position, err);
}

yg_status yg_r_expectation_set(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			       struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"org", YG_F_TEXT, YG_F_NEEDED, 1, 63, NULL},
		{"source", YG_F_TEXT, YG_F_NEEDED, 1, 128, NULL},
		{"sensor", YG_F_TEXT, YG_F_NEEDED, 1, 128, NULL},
		{"every_s", YG_F_INT, YG_F_NEEDED, 60, 31536000, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_sv org = YG_SV("");
	int64_t was = 0;
	yg_status st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK)
		st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = yg_scope_body_org(q, l.db, true, v[0].text, &org, err);
	if (st == YG_OK)
		st = yg_expect_get(l.db, org, v[1].text, v[2].text, &was, err);
	if (st == YG_OK)
		st = yg_check_match(q, r, was, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_expect_set(&act, org, v[1].text, v[2].text, v[3].number, err);
	if (st != YG_OK)
		return st;
	r->status = 204;
	return yg_lease_commit(&l, q, r, YG_OK, err);
}

yg_status yg_r_expectation_remove(struct yg_api *api, struct yg_request *q, struct yg_response *r,
				  struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	static const char *const names[] = {"org", "source", "sensor"};
	struct yg_sv org;
	for (size_t i = 0; i < YG_LEN(names); i++) {
		if (yg_query(q, names[i]).p == NULL)
			yg_request_error(q, "missing", yg_sv_of(names[i]), "say which source");
	}
	if (q->error_count > 0)
		return YG_FAIL(err, YG_PARSE, "a parameter is wrong");
	yg_status st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = yg_scope_body_org(q, l.db, true, yg_query(q, "org"), &org, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_expect_remove(&act, org, yg_query(q, "source"), yg_query(q, "sensor"), err);
	r->status = 204;
	return yg_lease_commit(&l, q, r, st, err);
}
