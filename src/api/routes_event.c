/* Events: batches in, searches out. */
#include "api/routes.h"
#include "base/codec.h"
#include "event/normalize.h"
#include "event/search.h"

static bool printable(struct yg_sv s, size_t max)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '!' || s.p[i] > '~')
			return false;
	}
	return s.n > 0 && s.n <= max;
}

static yg_status read_source(struct yg_api *api, struct yg_request *q, struct yg_submit *s,
			     struct yg_err *err)
{
	const struct yg_conf *conf = yg_api_conf(api);
	struct yg_sv source = yg_query(q, "source");
	if (source.p == NULL) {
		yg_request_error(q, "missing", YG_SV("source"),
				 "say which kind of records these are");
		return YG_FAIL(err, YG_PARSE, "a parameter is wrong");
	}
	yg_status st = yg_source_parse(source, &s->source, &s->mapping, NULL);
	bool known = st == YG_OK && s->source != YG_SOURCE_NDJSON;
	for (size_t i = 0; st == YG_OK && !known && i < conf->mapping_count; i++)
		known = yg_sv_eq(conf->mappings[i].name, s->mapping);
	if (known)
		return YG_OK;
	yg_request_error(
		q, "unknown_value", YG_SV("source"),
		st == YG_OK
			? "there is no mapping of that name in ingest.mappings"
			: "expected suricata, zeek, syslog, cloudtrail, windows, ocsf, dnstap, evtx or ndjson:MAPPING");
	return YG_FAIL(err, YG_PARSE, "a parameter is wrong");
}

static yg_status read_submit(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			     struct yg_submit *s, struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_sv sensor = yg_query(q, "sensor"), batch = q->header[YG_HH_BATCH_ID];
	yg_status st = read_source(api, q, s, err);
	if (st == YG_OK)
		st = yg_read_encoding(q, r, &s->encoding, err);
	if (st == YG_OK)
		st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = yg_scope_owner(q, l.db, &s->org, err);
	if (st != YG_OK)
		return st;
	s->org = yg_arena_dup(q->arena, s->org);
	s->sensor = sensor.p != NULL              ? sensor
		    : q->who.kind == YG_WHO_TOKEN ? q->who.name
						  : YG_SV("local");
	s->batch = batch.p != NULL ? batch : YG_SV("");
	s->bytes = q->body;
	if (s->org.n == 0)
		yg_request_error(q, "missing", YG_SV("org"), "say whose records these are");
	if (s->sensor.n == 0 || s->sensor.n > 128)
		yg_request_error(q, "out_of_range", YG_SV("sensor"), "expected 1 to 128 bytes");
	if (batch.p != NULL && !printable(batch, YG_BATCH_ID_MAX))
		yg_request_error(q, "bad_text", YG_SV("Yagura-Batch-Id"),
				 "expected 1 to %d printable ASCII characters", YG_BATCH_ID_MAX);
	if (q->body.n == 0)
		yg_request_error(q, "missing", YG_SV(""), "the body is empty");
	return q->error_count == 0 ? YG_OK : YG_FAIL(err, YG_PARSE, "the request has errors");
}

/* The same batch id of one organisation always goes to the same worker, which
 * remembers it; a batch without one goes where chance says. */
uint32_t yg_choose_worker(struct yg_api *api, const struct yg_submit *s)
{
	static const uint8_t key[16] = "yagura batch id"; /* fixed: must survive restarts */
	uint64_t count = YG_MAX(yg_api_conf(api)->ingest_workers, (uint64_t)1), h;
	char text[YG_ORG_NAME_MAX + 1 + YG_BATCH_ID_MAX];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	if (s->batch.n == 0) {
		api->env->random(api->env->ctx, &h, sizeof h);
	} else {
		yg_sb_put(&b, s->org);
		yg_sb_putc(&b, '/');
		yg_sb_put(&b, s->batch);
		h = yg_siphash(key, b.p, b.n);
	}
	return (uint32_t)(h % count);
}

yg_status yg_r_events_submit(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			     struct yg_err *err)
{
	struct yg_submit s = {0};
	struct yg_submitted done = {0};
	yg_status st = read_submit(api, q, r, &s, err);
	if (st != YG_OK)
		return st;
	s.worker = yg_choose_worker(api, &s);
	s.received = q->now;
	st = api->hooks.submit(api->hooks.ctx, &s, q->arena, &done, err);
	if (st != YG_OK)
		return st;
	if (done.status != YG_OK) {
		r->retry_after_s = (uint32_t)YG_MIN(YG_MAX(done.retry_after_ms, 0) / 1000, 3600);
		return YG_FAIL(err,
			       (unsigned)done.status < YG_STATUS_COUNT ? done.status : YG_INTERNAL,
			       YG_SV_FMT, YG_SV_ARG(done.message));
	}
	struct yg_jo j = yg_answer(r, done.duplicate ? 200 : 202);
	yg_jo_begin(&j, '{');
	yg_jo_str_or_null(&j, "batch", s.batch);
	yg_jo_int(&j, "bytes", (int64_t)q->body.n);
	yg_jo_bool(&j, "duplicate", done.duplicate);
	yg_jo_end(&j, '}');
	return YG_OK;
}

/* --- search --- */

static void put_strs(struct yg_jo *j, const char *name, const struct yg_strs *list)
{
	if (list->n == 0)
		return;
	yg_jo_key(j, name);
	yg_jo_begin(j, '[');
	for (uint32_t i = 0; i < list->n; i++)
		yg_jo_text(j, list->v[i]);
	yg_jo_end(j, ']');
}

static void put_number(struct yg_jo *j, enum yg_event_field f, int64_t v)
{
	const char *name = yg_event_fields[f].name;
	bool always = f == YG_EF_class_uid || f == YG_EF_severity_id;
	if (f == YG_EF_time || f == YG_EF_received)
		yg_jo_time(j, name, v != 0 ? v : 1);
	else if (v != 0 || always)
		yg_jo_int(j, name, v);
}

static void put_field(struct yg_jo *j, const struct yg_event *ev, enum yg_event_field f)
{
	const struct yg_event_field_info *info = &yg_event_fields[f];
	const void *at = (const char *)ev + info->offset;
	char text[YG_IP_TEXT_MAX];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	switch (info->type) {
	case YG_ET_I64: put_number(j, f, *(const int64_t *)at); break;
	case YG_ET_U64: put_number(j, f, (int64_t) * (const uint64_t *)at); break;
	case YG_ET_U32: put_number(j, f, *(const uint32_t *)at); break;
	case YG_ET_U16: put_number(j, f, *(const uint16_t *)at); break;
	case YG_ET_U8: put_number(j, f, *(const uint8_t *)at); break;
	case YG_ET_STR:
	case YG_ET_LSTR:
		if (((const struct yg_sv *)at)->n > 0)
			yg_jo_str(j, info->name, *(const struct yg_sv *)at);
		break;
	case YG_ET_IP:
		if (!yg_ip_is_zero(*(const struct yg_ip *)at)) {
			yg_ip_format(&b, *(const struct yg_ip *)at);
			yg_jo_str(j, info->name, yg_sb_sv(&b));
		}
		break;
	case YG_ET_STRS: put_strs(j, info->name, at); break;
	}
}

void yg_put_event(struct yg_jo *j, const struct yg_event *ev, bool whole)
{
	char id[YG_EVENT_ID_MAX];
	struct yg_sb b = yg_sb_init(id, sizeof id);
	yg_event_id_format(&b, ev->spool, ev->batch, ev->row);
	yg_jo_begin(j, '{');
	yg_jo_str(j, "id", yg_sb_sv(&b));
	for (int f = 0; f < YG_EVENT_FIELD_COUNT; f++) {
		bool hidden =
			f == YG_EF_spool || f == YG_EF_batch || f == YG_EF_row || f == YG_EF_day;
		bool heavy = f == YG_EF_raw || f == YG_EF_names;
		if (!hidden && (whole || !heavy))
			put_field(j, ev, (enum yg_event_field)f);
	}
	if (whole && ev->raw.n == 0)
		yg_jo_str(j, "raw", YG_SV(""));
	yg_jo_str(j, "class", yg_sv_of(yg_ocsf_class_name(ev->class_uid)));
	yg_jo_end(j, '}');
}

/* RFC 3339, or "now", "now-24h". */
static void read_time(struct yg_request *q, const char *name, int64_t dflt, yg_wall *out)
{
	struct yg_sv s = yg_query(q, name);
	int64_t span = 0;
	bool good = true;
	out->us = dflt;
	if (s.p == NULL)
		return;
	if (YG_SV_IS(s, "now"))
		out->us = q->now.us;
	else if (yg_sv_starts(s, YG_SV("now-")))
		good = yg_parse_span(yg_sv_sub(s, 4, s.n), &span, NULL) == YG_OK &&
		       !__builtin_sub_overflow(q->now.us, span, &out->us);
	else
		good = yg_time_parse(s, out, NULL) == YG_OK;
	if (!good)
		yg_request_error(q, "bad_time", yg_sv_of(name),
				 "expected a time as 2026-01-02T03:04:05Z, or now-24h");
}

yg_status yg_events_read_search(struct yg_api *api, struct yg_request *q, struct yg_search *search,
				struct yg_search_scope *scope, struct yg_err *err)
{
	struct yg_page page;
	struct yg_err why = {0};
	struct yg_sv text = yg_query(q, "q");
	yg_status st = yg_page_read(q, api->cursor_key, &page, err);
	if (st == YG_NOMEM)
		return st;
	/* without a range: the newest day, of an auditor's period its last */
	const struct yg_reach *r = &q->who.reach;
	bool past = r->to.us != 0 && r->to.us < q->now.us && yg_query(q, "from").p == NULL;
	read_time(q, "to", past ? r->to.us : q->now.us + 60 * YG_US_PER_S, &scope->to);
	read_time(q, "from", (past ? r->to.us : q->now.us) - YG_US_PER_DAY, &scope->from);
	if (q->error_count == 0 && scope->from.us >= scope->to.us)
		yg_request_error(q, "out_of_range", YG_SV("from"), "from must be before to");
	scope->limit = page.limit;
	scope->has_after = page.after.n > 0;
	if (scope->has_after && yg_search_cursor_parse(page.after, &scope->after, NULL) != YG_OK)
		yg_request_error(q, "bad_cursor", YG_SV("cursor"), "not a cursor of this list");
	st = yg_search_compile(text.p != NULL ? text : YG_SV(""), q->arena, search, &why);
	if (st == YG_NOMEM)
		return YG_FAIL(err, YG_NOMEM, "the query is too large");
	if (st != YG_OK)
		yg_request_error(q, "bad_query", YG_SV("q"), "%s", why.msg);
	return q->error_count == 0 ? YG_OK : YG_FAIL(err, YG_PARSE, "a parameter is wrong");
}

/* An error of the store is not the asker's fault. */
yg_status yg_store_status(yg_status st, struct yg_err *err)
{
	if (st == YG_INVAL || st == YG_PARSE)
		return yg_err_set(err, YG_INTERNAL, 0, __FILE__,
				  "the event store refused the query");
	return st;
}

yg_status yg_r_events_search(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			     struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_search search = {0};
	struct yg_search_scope scope = {0};
	struct yg_search_page page = {0};
	struct yg_reach reach;
	if (yg_query(q, "after").p != NULL)
		return yg_events_tail(api, q, r, err);
	yg_status st = yg_events_read_search(api, q, &search, &scope, err);
	if (st == YG_OK)
		st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = yg_scope_reach(q, l.db, &reach, err);
	if (st == YG_OK)
		st = yg_scope_events(q, l.db, &reach, &scope, err);
	if (st == YG_OK)
		st = yg_lease_store(api, &l, err);
	if (st != YG_OK)
		return st;
	st = yg_store_status(yg_search_run(l.ch, &search, &scope, api->env, q->arena, &page, err),
			     err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 200);
	yg_jo_begin(&j, '{');
	yg_jo_time(&j, "from", scope.from.us);
	yg_jo_time(&j, "to", scope.to.us);
	yg_jo_bool(&j, "incomplete", page.incomplete);
	yg_jo_key(&j, "items");
	yg_jo_begin(&j, '[');
	for (size_t i = 0; i < page.n; i++)
		yg_put_event(&j, &page.events[i], false);
	char text[YG_SEARCH_CURSOR_MAX];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_search_cursor_format(&b, page.next);
	struct yg_sv position = yg_sb_sv(&b);
	return yg_answer_page(api, q, &j, page.more ? &position : NULL, err);
}

yg_status yg_r_event_get(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			 struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_search_scope scope = {.limit = 1};
	uint32_t spool, row;
	uint64_t batch;
	struct yg_event ev;
	if (yg_event_id_parse(yg_param(q, "id"), &spool, &batch, &row) != YG_OK)
		return YG_FAIL(err, YG_NOTFOUND, "no such object");
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = yg_scope_events(q, l.db, &q->who.reach, &scope, err);
	if (st == YG_OK)
		st = yg_lease_store(api, &l, err);
	if (st == YG_OK)
		st = yg_store_status(
			yg_search_get(l.ch, &scope, spool, batch, row, q->arena, &ev, err), err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 200);
	yg_put_event(&j, &ev, true);
	return YG_OK;
}
