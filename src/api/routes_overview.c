/* The overview: what a watch begins with.  The numbers of organisations come from
 * counters, those of a system, an asset or an auditor's period from their alerts. */
#include "alert/query.h"
#include "alert/tally.h"
#include "api/routes_alert.h"
#include "org/coverage.h"
#include "org/visit.h"

#define ORGS_MAX   200 /* worst first; a centre with more sees the rest in the list */
#define SILENT_MAX 50
#define STEPS_MAX  400
#define RANGE_MAX  (366 * YG_US_PER_DAY)

struct view { /* all of one answer */
	struct yg_reach reach;
	struct yg_org_set set;
	struct yg_org_set heard; /* whose sources: the organisation of a system, too */
	struct yg_sv asset;
	bool counted;     /* by the counters, which know organisations alone */
	bool past;        /* of an auditor's period, as of its end */
	bool hours;       /* events by hour are known */
	int64_t from, to; /* hours */
	int64_t step;     /* hours */
	size_t steps;
	int64_t now[7], then[7];
	struct yg_tally_step trend[STEPS_MAX];
	struct yg_tally_step before; /* as long as from..to, and just before it */
	int64_t events[STEPS_MAX], events_before;
	struct yg_tally_org *orgs;
	size_t org_count;
	struct yg_coverage_sum *cover, sum;
	size_t cover_count;
	struct yg_coverage *silent;
	size_t silent_count;
	yg_wall visit;
	int64_t new_alerts, closed_alerts, new_orgs;
	int64_t overdue, snoozed; /* of the open ones */
	bool overdue_exact;
};

/* Hours up to eight days, then days. */
static yg_status read_range(struct yg_request *q, struct view *v, struct yg_err *err)
{
	int64_t from, to;
	const struct yg_reach *r = &q->who.reach;
	yg_query_time(q, "to", q->now.us, &to);
	int64_t end = r->to.us != 0 ? YG_MIN(to, r->to.us) : to;
	yg_query_time(q, "from", end - 7 * YG_US_PER_DAY, &from);
	if (q->error_count == 0 && (from >= to || from < 0))
		yg_request_error(q, "out_of_range", YG_SV("from"), "from must be before to");
	if (r->to.us != 0) { /* what is outside the period is not there */
		to = end;
		from = YG_MIN(YG_MAX(from, r->from.us), to);
	}
	if (q->error_count == 0 && to - from > RANGE_MAX)
		yg_request_error(q, "out_of_range", YG_SV("from"), "at most 366 days");
	if (q->error_count > 0)
		return YG_FAIL(err, YG_PARSE, "a parameter is wrong");
	v->past = r->to.us != 0;
	v->from = from / YG_HOUR_US;
	v->to = from < to ? (to + YG_HOUR_US - 1) / YG_HOUR_US : v->from;
	v->step = v->to - v->from <= 8 * 24 + 1 ? 1 : 24;
	v->steps = (size_t)((v->to - v->from + v->step - 1) / v->step);
	return YG_OK;
}

/* What was before from..to, as long as it. */
static yg_status read_before(struct yg_state *db, struct view *v, struct yg_err *err)
{
	int64_t all = v->step * (int64_t)v->steps;
	yg_status st = yg_tally_trend(db, &v->set, v->from - all, all, &v->before, 1, err);
	return st == YG_OK ? yg_event_hours(db, &v->set,
					    (struct yg_event_range){v->from - all, v->from, all},
					    &v->events_before, 1, err)
			   : st;
}

/* Events are counted by hour: of a period only the hours that lie within it whole, so its first
 * step may lack its first hour.  Alerts are told to the moment. */
static yg_status read_hours(struct yg_state *db, struct view *v, const struct yg_org_set *set,
			    struct yg_err *err)
{
	bool part = v->past && v->steps > 0 && v->from * YG_HOUR_US < v->reach.from.us;
	int64_t end = v->past ? v->reach.to.us / YG_HOUR_US : INT64_MAX, rest = v->from;
	yg_status st = YG_OK;
	v->events[0] = 0;
	if (part) {
		rest = v->from + v->step;
		if (v->step > 1)
			st = yg_event_hours(
				db, set,
				(struct yg_event_range){v->from + 1, YG_MIN(end, rest), v->step},
				v->events, 1, err);
	}
	return st == YG_OK ? yg_event_hours(db, set, (struct yg_event_range){rest, end, v->step},
					    v->events + part, v->steps - part, err)
			   : st;
}

static yg_status read_counted(struct yg_request *q, struct yg_state *db, struct view *v,
			      struct yg_err *err)
{
	yg_status st = yg_tally_open(db, &v->set, v->from, v->now, v->then, err);
	if (st == YG_OK)
		st = yg_tally_trend(db, &v->set, v->from, v->step, v->trend, v->steps, err);
	if (st == YG_OK)
		st = read_hours(db, v, &v->set, err);
	if (st == YG_OK)
		st = read_before(db, v, err);
	if (st == YG_OK)
		st = yg_tally_orgs(db, &v->set, ORGS_MAX, q->arena, &v->orgs, &v->org_count, err);
	if (st == YG_OK)
		st = yg_tally_orgs_then(db, &v->set, v->from, v->orgs, v->org_count, err);
	if (st == YG_OK && v->visit.us != 0)
		st = yg_tally_since(db, &v->set, v->visit, &v->new_alerts, &v->closed_alerts, err);
	return st;
}

static yg_status read_rows(struct yg_request *q, struct yg_state *db, struct view *v,
			   struct yg_err *err)
{
	struct yg_alert_filter of = {.reach = v->reach, .asset = v->asset};
	struct yg_tally_few t = {.of = &of,
				 .from = v->from,
				 .step = v->step,
				 .steps = v->steps,
				 .trend = v->trend,
				 .since = v->visit,
				 .orgs = YG_NEW_N(q->arena, struct yg_tally_org, ORGS_MAX),
				 .orgs_max = ORGS_MAX};
	if (t.orgs == NULL)
		return YG_FAIL(err, YG_NOMEM, "the request is too large");
	yg_status st = yg_tally_rows(db, q->arena, &t, err);
	struct yg_org_set orgs = yg_reach_set(&v->reach);
	if (st == YG_OK && v->hours)
		st = read_hours(db, v, &orgs, err);
	memcpy(v->now, t.now, sizeof v->now);
	memcpy(v->then, t.then, sizeof v->then);
	v->before = t.before;
	v->new_alerts = t.fresh;
	v->closed_alerts = t.closed;
	v->orgs = t.orgs;
	v->org_count = t.org_count;
	return st;
}

/* Those that are late, and those that are put off. */
static yg_status read_times(struct yg_request *q, struct yg_state *db, struct view *v,
			    struct yg_err *err)
{
	struct yg_alert_query late = {.f = {.reach = v->reach,
					    .asset = v->asset,
					    .now = yg_alert_now(q),
					    .overdue = true}};
	struct yg_alert_query away = late;
	bool exact;
	away.f.overdue = false;
	away.f.states = YG_ALERT_SNOOZED;
	yg_status st = yg_alert_total(db, &late, &v->overdue, &v->overdue_exact, err);
	return st == YG_OK ? yg_alert_total(db, &away, &v->snoozed, &exact, err) : st;
}

/* Whose numbers. */
static yg_status read_scope(struct yg_request *q, struct yg_state *db, struct view *v,
			    struct yg_err *err)
{
	struct yg_sv org = yg_query(q, "org"), asset = yg_query(q, "asset");
	struct yg_reach wide;
	yg_status st = yg_scope_orgs(q, db, &v->set, err);
	if (st == YG_OK)
		st = yg_scope_reach(q, db, &v->reach, err);
	if (st != YG_OK)
		return st;
	v->asset = asset.p != NULL ? asset : YG_SV("");
	v->counted = v->reach.system_count == 0 && v->reach.from.us == 0 && v->reach.to.us == 0 &&
		     v->asset.n == 0;
	v->hours = v->counted || (v->past && v->reach.system_count == 0 && v->asset.n == 0);
	v->heard = v->set;
	if (v->reach.from.us == 0 && v->reach.to.us == 0 && org.p != NULL &&
	    yg_query(q, "system").p != NULL) {
		st = yg_reach_narrow(db, &q->who.reach, org, q->arena, &wide, err);
		if (st == YG_OK)
			v->heard = yg_reach_set(&wide);
	}
	return st;
}

static yg_status read_coverage(struct yg_request *q, struct yg_state *db, struct view *v,
			       struct yg_err *err)
{
	struct yg_coverage_filter f = {.set = &v->heard, .now = q->now, .limit = SILENT_MAX};
	yg_status st = yg_coverage_by_org(db, &v->heard, q->now, v->visit, q->arena, &v->cover,
					  &v->cover_count, err);
	for (size_t i = 0; st == YG_OK && i < v->cover_count; i++) {
		v->sum.expected += v->cover[i].expected;
		v->sum.reporting += v->cover[i].reporting;
		v->sum.silent += v->cover[i].silent;
		v->sum.silent_since += v->cover[i].silent_since;
		v->sum.last_received.us =
			YG_MAX(v->sum.last_received.us, v->cover[i].last_received.us);
	}
	if (st == YG_OK)
		st = yg_coverage_silent(db, &f, q->arena, &v->silent, &v->silent_count, err);
	if (st == YG_OK && v->visit.us != 0)
		st = yg_visit_new_orgs(db, &v->set, v->visit, &v->new_orgs, err);
	return st;
}

static void put_coverage(struct yg_jo *j, const struct yg_coverage_sum *c, bool last)
{
	yg_jo_key(j, "coverage");
	yg_jo_begin(j, '{');
	yg_jo_int(j, "expected", c != NULL ? c->expected : 0);
	yg_jo_int(j, "reporting", c != NULL ? c->reporting : 0);
	if (last)
		yg_jo_time(j, "last_event", c != NULL ? c->last_received.us : 0);
	yg_jo_end(j, '}');
}

/* Of a system or an asset the event store alone knows: null. */
static void put_events(struct yg_jo *j, const struct view *v)
{
	yg_jo_key(j, "events_per_hour");
	if (!v->hours) {
		yg_jo_raw(j, YG_SV("null"));
		return;
	}
	yg_jo_begin(j, '[');
	for (size_t i = 0; i < v->steps; i++) {
		yg_jo_begin(j, '{');
		yg_jo_time(j, "time", (v->from + (int64_t)i * v->step) * YG_HOUR_US);
		yg_jo_int(j, "count", v->events[i]);
		yg_jo_end(j, '}');
	}
	yg_jo_end(j, ']');
}

/* The period before, as long as this one. */
static void put_before(struct yg_jo *j, const struct view *v)
{
	yg_jo_key(j, "before");
	yg_jo_begin(j, '{');
	yg_jo_int(j, "new", v->before.created);
	yg_jo_int(j, "closed", v->before.closed);
	if (v->counted)
		yg_jo_int(j, "events", v->events_before);
	yg_jo_end(j, '}');
}

/* How many were open at the end of each step. */
static void put_open(struct yg_jo *j, const struct view *v, int severity)
{
	int64_t open = v->then[severity];
	yg_jo_key(j, "trend");
	yg_jo_begin(j, '[');
	for (size_t i = 0; i < v->steps; i++) {
		open += v->trend[i].change[severity];
		yg_jo_i64(j, open);
	}
	yg_jo_end(j, ']');
}

static void put_alerts(struct yg_jo *j, const struct view *v)
{
	yg_jo_key(j, "open_by_severity");
	yg_jo_begin(j, '[');
	for (int i = 6; i >= 1; i--) {
		yg_jo_begin(j, '{');
		yg_jo_int(j, "severity_id", i);
		yg_jo_int(j, "count", v->now[i]);
		yg_jo_int(j, "previous", v->then[i]);
		put_open(j, v, i);
		yg_jo_end(j, '}');
	}
	yg_jo_end(j, ']');
	yg_jo_int(j, "bucket_s", v->step * 3600);
	yg_jo_key(j, "trend");
	yg_jo_begin(j, '[');
	for (size_t i = 0; i < v->steps; i++) {
		yg_jo_begin(j, '{');
		yg_jo_time(j, "time", (v->from + (int64_t)i * v->step) * YG_HOUR_US);
		yg_jo_int(j, "new", v->trend[i].created);
		yg_jo_int(j, "closed", v->trend[i].closed);
		yg_jo_end(j, '}');
	}
	yg_jo_end(j, ']');
}

/* v->cover is sorted by organisation. */
static const struct yg_coverage_sum *cover_of(const struct view *v, struct yg_sv org)
{
	size_t low = 0, high = v->cover_count;
	while (low < high) {
		size_t at = low + (high - low) / 2;
		int c = yg_sv_cmp(v->cover[at].org, org);
		if (c == 0)
			return &v->cover[at];
		if (c < 0)
			low = at + 1;
		else
			high = at;
	}
	return NULL;
}

static void put_orgs(struct yg_jo *j, const struct view *v)
{
	yg_jo_key(j, "organisations");
	yg_jo_begin(j, '[');
	for (size_t i = 0; i < v->org_count; i++) {
		const struct yg_tally_org *o = &v->orgs[i];
		const struct yg_coverage_sum *c = cover_of(v, o->org);
		yg_jo_begin(j, '{');
		yg_jo_str(j, "org", o->org);
		yg_jo_str(j, "title_ja", o->title_ja);
		yg_jo_str(j, "title_en", o->title_en);
		yg_jo_int(j, "open", o->open);
		yg_jo_int(j, "critical", o->critical);
		yg_jo_int(j, "high", o->high);
		yg_jo_int(j, "previous", o->previous);
		yg_jo_str_or_null(j, "worst_id", o->worst);
		yg_jo_int(j, "worst_severity_id", o->worst_severity);
		yg_jo_time(j, "last_event", c != NULL ? c->last_received.us : 0);
		put_coverage(j, c, false);
		yg_jo_end(j, '}');
	}
	yg_jo_end(j, ']');
}

static void put_silent(struct yg_jo *j, const struct view *v)
{
	yg_jo_key(j, "silent");
	yg_jo_begin(j, '[');
	for (size_t i = 0; i < v->silent_count; i++) {
		const struct yg_coverage *c = &v->silent[i];
		yg_jo_begin(j, '{');
		yg_jo_str(j, "org", c->row.org);
		yg_jo_str(j, "source", c->row.source);
		yg_jo_str(j, "sensor", c->row.sensor);
		yg_jo_str(j, "state", yg_sv_of(yg_source_state_name(c->state)));
		yg_jo_time(j, "last_received", c->row.last_received.us);
		yg_jo_int(j, "expected_every_s", c->every_s > 0 ? c->every_s : YG_EXPECT_DEFAULT_S);
		yg_jo_end(j, '}');
	}
	yg_jo_end(j, ']');
}

static void put_since(struct yg_jo *j, const struct view *v)
{
	yg_jo_key(j, "since");
	if (v->visit.us == 0 || v->past) {
		yg_jo_raw(j, YG_SV("null"));
		return;
	}
	yg_jo_begin(j, '{');
	yg_jo_time(j, "time", v->visit.us);
	yg_jo_int(j, "new_alerts", v->new_alerts);
	yg_jo_int(j, "closed_alerts", v->closed_alerts);
	yg_jo_int(j, "silent", v->sum.silent_since);
	yg_jo_int(j, "new_organisations", v->new_orgs);
	yg_jo_end(j, '}');
}

yg_status yg_r_overview(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct view *v = YG_NEW(q->arena, struct view);
	if (v == NULL)
		return YG_FAIL(err, YG_NOMEM, "the request is too large");
	yg_status st = read_range(q, v, err);
	if (st == YG_OK)
		st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = read_scope(q, l.db, v, err);
	if (st == YG_OK)
		st = yg_visit_before(l.db, yg_request_owner(q), q->now, &v->visit, err);
	if (st == YG_OK)
		st = v->counted ? read_counted(q, l.db, v, err) : read_rows(q, l.db, v, err);
	if (st == YG_OK)
		st = read_times(q, l.db, v, err);
	if (st == YG_OK)
		st = read_coverage(q, l.db, v, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 200);
	yg_jo_begin(&j, '{');
	yg_jo_time(&j, "as_of", v->past ? YG_MIN(q->now.us, v->reach.to.us) : q->now.us);
	yg_jo_time(&j, "from", YG_MAX(v->from * YG_HOUR_US, v->reach.from.us));
	yg_jo_time(&j, "to",
		   v->past ? YG_MIN(v->to * YG_HOUR_US, v->reach.to.us) : v->to * YG_HOUR_US);
	put_coverage(&j, &v->sum, true);
	put_alerts(&j, v);
	yg_jo_int(&j, "overdue", v->overdue);
	yg_jo_bool(&j, "overdue_exact", v->overdue_exact);
	yg_jo_int(&j, "snoozed", v->snoozed);
	put_events(&j, v);
	put_before(&j, v);
	put_orgs(&j, v);
	put_silent(&j, v);
	yg_jo_int(&j, "silent_total", v->sum.silent);
	put_since(&j, v);
	yg_jo_end(&j, '}');
	return YG_OK;
}

yg_status yg_r_visit(struct yg_api *api, struct yg_request *q, struct yg_response *r,
		     struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = yg_visit_set(l.db, yg_request_owner(q), q->now, err);
	if (st != YG_OK)
		return st;
	r->status = 204;
	return YG_OK;
}
