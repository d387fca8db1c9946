/* Organisations beside each other, and beside the median of all. */
#include "alert/compare.h"
#include "api/routes.h"
#include "event/dns_summary.h"

#define JST_US (9 * YG_HOUR_US)

struct ask {
	int64_t days;
	bool dns;
	struct yg_org_set set;
	struct yg_compare_times now, day; /* day: as it stood when the day began, in Japan */
	struct yg_compare mine, all;
	struct yg_peers peers;
	bool dns_cut; /* not all organisations are in the event store's answer */
};

/* Periods are of a fixed length and end now, or with the last whole day. */
static yg_status read_ask(struct yg_request *q, struct ask *a, struct yg_err *err)
{
	static const struct {
		const char *name;
		int64_t days;
	} periods[] = {{"7d", 7}, {"30d", 30}, {"90d", 90}};
	struct yg_sv s = yg_query(q, "period");
	a->days = s.p == NULL ? 30 : 0;
	for (size_t i = 0; s.p != NULL && i < YG_LEN(periods); i++) {
		if (yg_sv_eq(s, yg_sv_of(periods[i].name)))
			a->days = periods[i].days;
	}
	if (a->days == 0)
		yg_request_error(q, "unknown_value", YG_SV("period"), "expected 7d, 30d or 90d");
	yg_status st = yg_query_bool(q, "dns", &a->dns, err);
	if (st == YG_OK && q->error_count > 0)
		st = YG_FAIL(err, YG_PARSE, "a parameter is wrong");
	int64_t hours = a->days * 24, hour = (q->now.us + YG_HOUR_US - 1) / YG_HOUR_US;
	int64_t day = (q->now.us + JST_US) / YG_US_PER_DAY * 24 - JST_US / YG_HOUR_US;
	a->now = (struct yg_compare_times){q->now, hour - 2 * hours, hour - hours};
	a->day = (struct yg_compare_times){{day * YG_HOUR_US}, day - 2 * hours, day - hours};
	return st;
}

/* Adds what protective DNS blocked within `reach` to the rows. */
static yg_status add_blocks(struct yg_request *q, struct yg_lease *l, const struct yg_reach *reach,
			    const struct yg_compare_times *t, struct yg_compare *c, bool *out_cut,
			    struct yg_err *err)
{
	struct yg_search_scope scope = {.from = {t->middle * YG_HOUR_US}, .to = t->now};
	struct yg_dns_summary s = {.n = 0};
	yg_status st = yg_scope_events(q, l->db, reach, &scope, err);
	if (st == YG_OK)
		st = yg_store_status(
			yg_dns_blocks_run(l->ch, &scope, t->from * YG_HOUR_US, q->arena, &s, err),
			err);
	for (size_t i = 0; st == YG_OK && i < s.n; i++)
		yg_compare_add(c, YG_MEASURE_DNS_BLOCKED, s.rows[i].a, (int64_t)s.rows[i].blocked,
			       (int64_t)s.rows[i].noted);
	*out_cut = s.n >= YG_DNS_SUM_ROWS;
	return st;
}

/* The organisations asked for whose events the caller may read as well. */
static yg_status event_reach(struct yg_request *q, struct yg_state *db, struct yg_reach *out,
			     struct yg_err *err)
{
	struct yg_sv org = yg_query(q, "org");
	yg_status st = yg_who_reach(&q->who, db, "events:read", q->arena, out, err);
	if (st == YG_OK && org.p != NULL)
		st = yg_reach_narrow(db, out, org, q->arena, out, err);
	if (st == YG_NOTFOUND) {
		*out = (struct yg_reach){0};
		st = YG_OK;
	}
	out->systems = NULL;
	out->system_count = 0;
	return st;
}

static yg_status read_mine(struct yg_request *q, struct yg_lease *l, struct ask *a,
			   struct yg_err *err)
{
	struct yg_reach reach;
	yg_status st = yg_scope_orgs(q, l->db, &a->set, err);
	if (st == YG_OK)
		st = yg_compare_read(l->db, &a->set, &a->now, q->arena, &a->mine, err);
	if (st == YG_OK && a->dns)
		st = event_reach(q, l->db, &reach, err);
	a->dns = a->dns && st == YG_OK && !yg_reach_none(&reach);
	if (a->dns)
		st = add_blocks(q, l, &reach, &a->now, &a->mine, &a->dns_cut, err);
	if (st == YG_OK)
		yg_compare_end(&a->mine);
	return st;
}

/* The median of all organisations: whatever is asked for, it is the same. */
static yg_status read_peers(struct yg_request *q, struct yg_lease *l, struct ask *a,
			    struct yg_err *err)
{
	const struct yg_org_set every = {.all = true}, own = yg_reach_set(&q->who.reach);
	bool cut = false;
	if (a->mine.n == 0)
		return YG_OK; /* who sees no organisation is told nothing about others */
	yg_status st = yg_compare_read(l->db, &every, &a->day, q->arena, &a->all, err);
	if (st == YG_OK && a->dns)
		st = add_blocks(q, l, &YG_REACH_ALL, &a->day, &a->all, &cut, err);
	yg_compare_end(&a->all);
	if (st == YG_OK)
		st = yg_compare_peers(&a->all, &own, q->arena, &a->peers, err);
	if (!a->dns || cut)
		a->peers.median[YG_MEASURE_DNS_BLOCKED] = YG_NO_MEASURE;
	return st;
}

static void put_number(struct yg_jo *j, const char *key, int64_t v)
{
	if (v == YG_NO_MEASURE)
		yg_jo_str_or_null(j, key, YG_SV(""));
	else
		yg_jo_int(j, key, v);
}

static void put_row(struct yg_jo *j, const struct ask *a, const struct yg_compare_row *r)
{
	const int64_t *value = r->value, *before = r->before;
	bool dns = a->dns && !(a->dns_cut && value[YG_MEASURE_DNS_BLOCKED] == 0);
	yg_jo_begin(j, '{');
	yg_jo_str(j, "org", r->org);
	yg_jo_str(j, "title_ja", r->title_ja);
	yg_jo_str(j, "title_en", r->title_en);
	yg_jo_str(j, "kind", yg_sv_of(yg_org_kind_name(r->kind)));
	put_number(j, "grave", value[YG_MEASURE_GRAVE]);
	put_number(j, "grave_before", before[YG_MEASURE_GRAVE]);
	put_number(j, "opened", value[YG_MEASURE_OPENED]);
	put_number(j, "opened_before", before[YG_MEASURE_OPENED]);
	yg_jo_int(j, "triaged", r->triaged);
	put_number(j, "triage_s", value[YG_MEASURE_TRIAGE_S]);
	put_number(j, "triage_s_before", before[YG_MEASURE_TRIAGE_S]);
	put_number(j, "silent", value[YG_MEASURE_SILENT]);
	yg_jo_int(j, "expected", r->expected);
	yg_jo_int(j, "reporting", r->reporting);
	put_number(j, "heard_pct", value[YG_MEASURE_HEARD_PCT]);
	put_number(j, "dns_blocked", dns ? value[YG_MEASURE_DNS_BLOCKED] : YG_NO_MEASURE);
	put_number(j, "dns_blocked_before", dns ? before[YG_MEASURE_DNS_BLOCKED] : YG_NO_MEASURE);
	yg_jo_time(j, "last_event", r->last_received.us);
	yg_jo_end(j, '}');
}

static void put_peers(struct yg_jo *j, const struct ask *a)
{
	static const char *const names[] = {
#define X(id, name) name,
		YG_MEASURES(X)
#undef X
	};
	yg_jo_key(j, "peers");
	if (a->peers.organisations == 0) {
		yg_jo_raw(j, YG_SV("null"));
		return;
	}
	yg_jo_begin(j, '{');
	yg_jo_int(j, "at_least", a->peers.organisations);
	yg_jo_time(j, "as_of", a->day.now.us);
	for (size_t i = 0; i < YG_LEN(names); i++)
		put_number(j, names[i], a->peers.median[i]);
	yg_jo_end(j, '}');
}

yg_status yg_r_compare(struct yg_api *api, struct yg_request *q, struct yg_response *r,
		       struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct ask *a = YG_NEW(q->arena, struct ask);
	if (a == NULL)
		return YG_FAIL(err, YG_NOMEM, "the request is too large");
	yg_status st = read_ask(q, a, err);
	if (st == YG_OK)
		st = yg_lease_state(api, &l, err);
	if (st == YG_OK && a->dns)
		st = yg_lease_store(api, &l, err);
	if (st == YG_OK)
		st = read_mine(q, &l, a, err);
	if (st == YG_OK)
		st = read_peers(q, &l, a, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 200);
	yg_jo_begin(&j, '{');
	yg_jo_time(&j, "as_of", q->now.us);
	yg_jo_time(&j, "from", a->now.middle * YG_HOUR_US);
	yg_jo_time(&j, "before", a->now.from * YG_HOUR_US);
	yg_jo_int(&j, "total", (int64_t)a->mine.n);
	yg_jo_key(&j, "items");
	yg_jo_begin(&j, '[');
	for (size_t i = 0; i < a->mine.n && i < YG_COMPARE_MAX; i++)
		put_row(&j, a, &a->mine.rows[i]);
	yg_jo_end(&j, ']');
	put_peers(&j, a);
	yg_jo_end(&j, '}');
	return YG_OK;
}
