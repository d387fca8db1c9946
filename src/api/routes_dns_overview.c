/* What the resolver did: queries, blocks, by reason, zone, organisation, network, over
 * time; counted in the event store within the caller's reach. */
#include "api/routes.h"
#include "event/dns_summary.h"
#include "org/coverage.h"

#define SOURCES_MAX 500u

yg_status yg_dns_summary_of(struct yg_api *api, struct yg_request *q, struct yg_lease *l,
			    struct yg_search_scope *scope, struct yg_dns_summary *out,
			    struct yg_err *err)
{
	struct yg_sv text = yg_query(q, "buckets");
	struct yg_reach reach;
	uint64_t buckets = 48;
	/* of a period that has ended, its last day */
	int64_t end = q->who.reach.to.us;
	bool past = end != 0 && end < q->now.us && yg_query(q, "from").p == NULL;
	yg_query_time(q, "to", past ? end : q->now.us, &scope->to.us);
	yg_query_time(q, "from", (past ? end : q->now.us) - YG_US_PER_DAY, &scope->from.us);
	if (q->error_count == 0 && scope->from.us >= scope->to.us)
		yg_request_error(q, "out_of_range", YG_SV("from"), "from must be before to");
	if (text.p != NULL &&
	    (yg_parse_u64(text, &buckets, NULL) != YG_OK || buckets < 1 || buckets > 200))
		yg_request_error(q, "out_of_range", YG_SV("buckets"),
				 "expected a number from 1 to 200");
	if (q->error_count > 0)
		return YG_FAIL(err, YG_PARSE, "a parameter is wrong");
	yg_status st = yg_lease_state(api, l, err);
	if (st == YG_OK)
		st = yg_scope_reach(q, l->db, &reach, err);
	if (st == YG_OK)
		st = yg_scope_events(q, l->db, &reach, scope, err);
	if (st == YG_OK)
		st = yg_lease_store(api, l, err);
	return st == YG_OK ? yg_store_status(yg_dns_summary_run(l->ch, scope, (uint32_t)buckets,
								q->arena, out, err),
					     err)
			   : st;
}

struct totals {
	uint64_t queries, blocked, noted, failed, refused, allowed;
	int64_t last_us;
};

static struct totals add_up(const struct yg_dns_summary *s)
{
	struct totals t = {.queries = 0};
	for (size_t i = 0; i < s->n; i++) {
		const struct yg_dns_sum *r = &s->rows[i];
		if (r->group != YG_DNS_BY_VERDICT)
			continue;
		t.queries += r->n;
		t.blocked += r->blocked;
		t.noted += r->noted;
		t.refused += YG_SV_IS(r->a, "refused") ? r->n : 0;
		t.failed += YG_SV_IS(r->a, "failed") ? r->n : 0;
		t.allowed += YG_SV_IS(r->a, "passed") ? r->n : 0;
		t.last_us = YG_MAX(t.last_us, r->last_us);
	}
	return t;
}

static void put_counts(struct yg_jo *j, const struct yg_dns_sum *r)
{
	yg_jo_int(j, "queries", (int64_t)r->n);
	yg_jo_int(j, "blocked", (int64_t)r->blocked);
	yg_jo_int(j, "noted", (int64_t)r->noted);
	yg_jo_int(j, "failed", (int64_t)r->failed);
	yg_jo_time(j, "last", r->last_us);
}

static void put_row(struct yg_jo *j, const struct yg_dns_sum *r)
{
	yg_jo_begin(j, '{');
	switch (r->group) {
	case YG_DNS_BY_VERDICT: yg_jo_str(j, "verdict", r->a); break;
	case YG_DNS_BY_ORIGIN: yg_jo_str(j, "origin", r->a); break;
	case YG_DNS_BY_ZONE:
		yg_jo_str(j, "zone", r->a);
		yg_jo_str(j, "layer", r->b);
		yg_jo_str(j, "category", r->c);
		yg_jo_str(j, "trigger", r->d);
		break;
	case YG_DNS_BY_NETWORK:
		yg_jo_str(j, "org", r->a);
		yg_jo_str(j, "network", r->b);
		break;
	case YG_DNS_BY_NAME:
		yg_jo_str(j, "name", r->a);
		yg_jo_str(j, "zone", r->b);
		yg_jo_str(j, "category", r->c);
		yg_jo_str(j, "layer", r->d);
		yg_jo_int(j, "clients", (int64_t)r->clients);
		yg_jo_int(j, "organisations", (int64_t)r->orgs);
		break;
	default: yg_jo_str(j, "org", r->a); break;
	}
	put_counts(j, r);
	yg_jo_end(j, '}');
}

static void put_group(struct yg_jo *j, const char *key, const struct yg_dns_summary *s,
		      enum yg_dns_group group)
{
	yg_jo_key(j, key);
	yg_jo_begin(j, '[');
	for (size_t i = 0; i < s->n; i++) {
		const struct yg_dns_sum *r = &s->rows[i];
		/* what no zone was about, and networks without a name, are no group */
		bool named = group != YG_DNS_BY_ZONE || r->a.n > 0;
		if (r->group == group && named)
			put_row(j, r);
	}
	yg_jo_end(j, ']');
}

static void put_trend(struct yg_jo *j, const struct yg_dns_summary *s)
{
	yg_jo_int(j, "bucket_s", s->width_us / YG_US_PER_S);
	yg_jo_key(j, "trend");
	yg_jo_begin(j, '[');
	for (size_t at = 0; at < s->buckets; at++) {
		const struct yg_dns_sum *found = NULL;
		for (size_t i = 0; i < s->n && found == NULL; i++)
			if (s->rows[i].group == YG_DNS_BY_TIME && s->rows[i].at == at)
				found = &s->rows[i];
		yg_jo_begin(j, '{');
		yg_jo_time(j, "time", s->from_us + (int64_t)at * s->width_us);
		yg_jo_int(j, "queries", found != NULL ? (int64_t)found->n : 0);
		yg_jo_int(j, "blocked", found != NULL ? (int64_t)found->blocked : 0);
		yg_jo_int(j, "noted", found != NULL ? (int64_t)found->noted : 0);
		yg_jo_end(j, '}');
	}
	yg_jo_end(j, ']');
}

/* Of the sources of queries that are expected, how many are heard. */
static yg_status put_coverage(struct yg_jo *j, struct yg_request *q, struct yg_state *db,
			      struct yg_err *err)
{
	struct yg_org_set set;
	struct yg_coverage *list = NULL;
	size_t n = 0;
	int64_t expected = 0, reporting = 0;
	yg_status st = yg_scope_orgs(q, db, &set, err);
	struct yg_coverage_filter f = {.set = &set, .now = q->now, .limit = SOURCES_MAX};
	if (st == YG_OK)
		st = yg_coverage_list(db, &f, q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	for (size_t i = 0; i < n; i++) {
		if (!YG_SV_IS(list[i].row.source, "dnstap"))
			continue;
		expected++;
		reporting += list[i].state == YG_SOURCE_OK_ || list[i].state == YG_SOURCE_LATE_;
	}
	yg_jo_key(j, "coverage");
	yg_jo_begin(j, '{');
	yg_jo_int(j, "expected", expected);
	yg_jo_int(j, "reporting", reporting);
	yg_jo_end(j, '}');
	return YG_OK;
}

yg_status yg_r_dns_overview(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_search_scope scope = {0};
	struct yg_dns_summary s = {.n = 0};
	yg_status st = yg_dns_summary_of(api, q, &l, &scope, &s, err);
	if (st != YG_OK)
		return st;
	struct totals t = add_up(&s);
	struct yg_jo j = yg_answer(r, 200);
	yg_jo_begin(&j, '{');
	yg_jo_time(&j, "from", scope.from.us);
	yg_jo_time(&j, "to", scope.to.us);
	yg_jo_int(&j, "queries", (int64_t)t.queries);
	yg_jo_int(&j, "blocked", (int64_t)t.blocked);
	yg_jo_int(&j, "noted", (int64_t)t.noted);
	yg_jo_int(&j, "passed", (int64_t)t.allowed);
	yg_jo_int(&j, "refused", (int64_t)t.refused);
	yg_jo_int(&j, "failed", (int64_t)t.failed);
	put_group(&j, "verdicts", &s, YG_DNS_BY_VERDICT);
	put_group(&j, "origins", &s, YG_DNS_BY_ORIGIN);
	put_group(&j, "zones", &s, YG_DNS_BY_ZONE);
	put_group(&j, "organisations", &s, YG_DNS_BY_ORG);
	put_group(&j, "networks", &s, YG_DNS_BY_NETWORK);
	put_group(&j, "names", &s, YG_DNS_BY_NAME);
	put_trend(&j, &s);
	st = put_coverage(&j, q, l.db, err);
	yg_jo_time(&j, "last_event", t.last_us);
	yg_jo_time(&j, "as_of", q->now.us);
	yg_jo_end(&j, '}');
	return st;
}
