/* Events over time: the histogram of a search, the live tail, and the fields. */
#include "alert/finding.h"
#include "api/routes.h"
#include "event/fields.h"
#include "event/histogram.h"

static void read_words(struct yg_request *q, struct yg_search *search, yg_status *st)
{
	struct yg_err why = {0};
	struct yg_sv text = yg_query(q, "q");
	*st = yg_search_compile(text.p != NULL ? text : YG_SV(""), q->arena, search, &why);
	if (*st != YG_OK && *st != YG_NOMEM)
		yg_request_error(q, "bad_query", YG_SV("q"), "%s", why.msg);
}

static yg_status begin(struct yg_api *api, struct yg_request *q, struct yg_lease *l,
		       struct yg_search_scope *scope, struct yg_err *err)
{
	struct yg_reach reach;
	if (q->error_count > 0)
		return YG_FAIL(err, YG_PARSE, "a parameter is wrong");
	yg_status st = yg_lease_state(api, l, err);
	if (st == YG_OK)
		st = yg_scope_reach(q, l->db, &reach, err);
	if (st == YG_OK)
		st = yg_scope_events(q, l->db, &reach, scope, err);
	return st == YG_OK ? yg_lease_store(api, l, err) : st;
}

/* How much of it, and for how long. */
static void read_ask(struct yg_request *q, struct yg_histogram_ask *ask)
{
	struct yg_sv buckets = yg_query(q, "buckets"), most = yg_query(q, "max_ms");
	uint64_t n = 60, ms = 0;
	if (buckets.p != NULL && (yg_parse_u64(buckets, &n, NULL) != YG_OK || n < 1 || n > 200))
		yg_request_error(q, "out_of_range", YG_SV("buckets"),
				 "expected a number from 1 to 200");
	if (most.p != NULL && (yg_parse_u64(most, &ms, NULL) != YG_OK || ms < 50 || ms > 15000))
		yg_request_error(q, "out_of_range", YG_SV("max_ms"),
				 "expected a number from 50 to 15000");
	yg_query_time(q, "before", 0, &ask->before_us);
	ask->buckets = (uint32_t)n;
	ask->most_us = (int64_t)ms * 1000;
}

yg_status yg_r_event_histogram(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			       struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_search search = {0};
	struct yg_search_scope scope = {0};
	struct yg_histogram *h = YG_NEW(q->arena, struct yg_histogram);
	struct yg_histogram_ask ask = {0};
	yg_status st = YG_OK;
	/* as of the list: of a period that has ended, its last day */
	int64_t end = q->who.reach.to.us;
	bool past = end != 0 && end < q->now.us && yg_query(q, "from").p == NULL;
	yg_query_time(q, "to", past ? end : q->now.us + 60 * YG_US_PER_S, &scope.to.us);
	yg_query_time(q, "from", (past ? end : q->now.us) - YG_US_PER_DAY, &scope.from.us);
	if (q->error_count == 0 && scope.from.us >= scope.to.us)
		yg_request_error(q, "out_of_range", YG_SV("from"), "from must be before to");
	read_ask(q, &ask);
	read_words(q, &search, &st);
	if (h == NULL || st == YG_NOMEM)
		return YG_FAIL(err, YG_NOMEM, "the request is too large");
	st = begin(api, q, &l, &scope, err);
	if (st == YG_OK)
		st = yg_store_status(
			yg_histogram_newest(l.ch, &search, &scope, &ask, api->env, h, err), err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 200);
	yg_jo_begin(&j, '{');
	yg_jo_time(&j, "from", scope.from.us);
	yg_jo_time(&j, "to", scope.to.us);
	yg_jo_int(&j, "bucket_s", h->width_us / YG_US_PER_S);
	yg_jo_int(&j, "total", (int64_t)h->total);
	yg_jo_bool(&j, "incomplete", h->counted_from > scope.from.us);
	yg_jo_time(&j, "counted_from", h->counted_from);
	yg_jo_key(&j, "items");
	yg_jo_begin(&j, '[');
	for (size_t i = 0; i < h->n; i++) {
		yg_jo_begin(&j, '{');
		yg_jo_time(&j, "time", h->from_us + (int64_t)i * h->width_us);
		yg_jo_int(&j, "count", (int64_t)h->count[i]);
		yg_jo_end(&j, '}');
	}
	yg_jo_end(&j, ']');
	yg_jo_time(&j, "as_of", q->now.us);
	yg_jo_end(&j, '}');
	return YG_OK;
}

/* --- tail --- */

/* From now on: behind the newest batch of every spool that center knows. */
static yg_status from_now(struct yg_request *q, struct yg_state *db, struct yg_tail *t,
			  struct yg_err *err)
{
	struct yg_mark *marks = NULL;
	size_t n = 0;
	yg_status st = yg_findings_marks(db, YG_TAIL_SPOOLS, q->arena, &marks, &n, err);
	*t = (struct yg_tail){.since = q->now.us};
	for (size_t i = 0; st == YG_OK && i < n; i++)
		t->mark[t->n++] = (struct yg_tail_mark){marks[i].spool, UINT32_MAX, marks[i].batch};
	return st;
}

yg_status yg_events_tail(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			 struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_search search = {0};
	struct yg_search_scope scope = {0};
	struct yg_search_page page = {0};
	struct yg_page limits;
	struct yg_tail *t = YG_NEW(q->arena, struct yg_tail);
	struct yg_sv after = yg_query(q, "after");
	bool first = YG_SV_IS(after, "now");
	yg_status st = yg_page_read(q, api->cursor_key, &limits, err);
	if (t == NULL || st == YG_NOMEM)
		return YG_FAIL(err, YG_NOMEM, "the request is too large");
	if (!first && yg_tail_parse(after, t, NULL) != YG_OK)
		yg_request_error(q, "bad_cursor", YG_SV("after"),
				 "expected now, or next_after of the answer before");
	if (yg_query(q, "from").p != NULL || yg_query(q, "to").p != NULL ||
	    yg_query(q, "cursor").p != NULL)
		yg_request_error(q, "bad_cursor", YG_SV("after"),
				 "from, to and cursor do not go with it");
	read_words(q, &search, &st);
	scope.limit = limits.limit;
	st = begin(api, q, &l, &scope, err);
	if (st == YG_OK && first)
		st = from_now(q, l.db, t, err);
	else if (st == YG_OK)
		st = yg_store_status(yg_tail_run(l.ch, &search, &scope, t, q->arena, &page, err),
				     err);
	if (st != YG_OK)
		return st;
	char text[YG_TAIL_TEXT_MAX];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_tail_format(&b, t);
	struct yg_jo j = yg_answer(r, 200);
	yg_jo_begin(&j, '{');
	yg_jo_time(&j, "from", t->since);
	yg_jo_time(&j, "to", q->now.us);
	yg_jo_bool(&j, "incomplete", page.more);
	yg_jo_str(&j, "next_after", yg_sb_sv(&b));
	yg_jo_key(&j, "items");
	yg_jo_begin(&j, '[');
	for (size_t i = 0; i < page.n; i++)
		yg_put_event(&j, &page.events[i], false);
	return yg_answer_page(api, q, &j, NULL, err);
}

/* --- fields --- */

struct named { /* a value that stands for a word */
	const char *value, *name;
};

static void put_values(struct yg_jo *j, const struct named *v, size_t n)
{
	yg_jo_key(j, "values");
	yg_jo_begin(j, '[');
	for (size_t i = 0; i < n; i++) {
		yg_jo_begin(j, '{');
		yg_jo_str(j, "value", yg_sv_of(v[i].value));
		yg_jo_str(j, "name", yg_sv_of(v[i].name));
		yg_jo_end(j, '}');
	}
	yg_jo_end(j, ']');
}

static void put_known_values(struct yg_jo *j, enum yg_event_field f)
{
	static const struct named classes[] = {
#define X(name, uid, caption) {#uid, caption},
		YG_OCSF_CLASSES(X)
#undef X
	};
	static const struct named severities[] = {
		{"0", "unknown"}, {"1", "informational"}, {"2", "low"},  {"3", "medium"},
		{"4", "high"},    {"5", "critical"},      {"6", "fatal"}};
	static const struct named statuses[] = {
		{"0", "unknown"}, {"1", "success"}, {"2", "failure"}};
	static const struct named sources[] = {
#define X(id, name, doc) {name, doc},
		YG_SOURCES(X)
#undef X
	};
	static const struct named protocols[] = {{"tcp", "tcp"}, {"udp", "udp"}, {"icmp", "icmp"}};
	if (f == YG_EF_class_uid)
		put_values(j, classes, YG_LEN(classes));
	else if (f == YG_EF_severity_id)
		put_values(j, severities, YG_LEN(severities));
	else if (f == YG_EF_status_id)
		put_values(j, statuses, YG_LEN(statuses));
	else if (f == YG_EF_source)
		put_values(j, sources, YG_LEN(sources));
	else if (f == YG_EF_proto)
		put_values(j, protocols, YG_LEN(protocols));
}

yg_status yg_r_event_fields(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	(void)api;
	(void)q;
	(void)err;
	struct yg_jo j = yg_answer(r, 200);
	yg_answer_items(&j);
	for (int i = 0; i < YG_EVENT_FIELD_COUNT; i++) {
		enum yg_event_field f = (enum yg_event_field)i;
		bool time = f == YG_EF_time || f == YG_EF_received;
		if (f == YG_EF_spool || f == YG_EF_batch || f == YG_EF_row || f == YG_EF_day)
			continue;
		yg_jo_begin(&j, '{');
		yg_jo_str(&j, "name", yg_sv_of(yg_event_fields[i].name));
		yg_jo_str(&j, "type",
			  yg_sv_of(time ? "time" : yg_event_type_name(yg_event_fields[i].type)));
		yg_jo_str(&j, "path", yg_sv_of(yg_event_fields[i].path));
		yg_jo_str(&j, "description_ja", yg_sv_of(yg_event_field_text(f, true)));
		yg_jo_str(&j, "description_en", yg_sv_of(yg_event_field_text(f, false)));
		put_known_values(&j, f);
		yg_jo_end(&j, '}');
	}
	yg_jo_end(&j, ']');
	yg_jo_end(&j, '}');
	return YG_OK;
}
