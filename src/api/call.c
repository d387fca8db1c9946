/* What handlers have in common: pages, versions, jobs. */
#include "api/api.h"
#include "org/job.h"

struct yg_sv yg_request_owner(const struct yg_request *q)
{
	return q->who.person.n > 0 ? q->who.person : yg_sv_of(q->who.actor);
}

void yg_query_time(struct yg_request *q, const char *name, int64_t dflt, int64_t *out_us)
{
	struct yg_sv s = yg_query(q, name);
	int64_t span = 0;
	yg_wall t = {dflt};
	bool good = true;
	if (s.p == NULL)
		good = true;
	else if (YG_SV_IS(s, "now"))
		t = q->now;
	else if (yg_sv_starts(s, YG_SV("now-")))
		good = yg_parse_span(yg_sv_sub(s, 4, s.n), &span, NULL) == YG_OK &&
		       !__builtin_sub_overflow(q->now.us, span, &t.us);
	else
		good = yg_time_parse(s, &t, NULL) == YG_OK;
	*out_us = t.us;
	if (!good)
		yg_request_error(q, "bad_time", yg_sv_of(name),
				 "expected a time as 2026-01-02T03:04:05Z, or now-24h");
}

void yg_query_period(struct yg_request *q, int64_t *out_from_us, int64_t *out_to_us)
{
	yg_query_time(q, "from", 0, out_from_us);
	yg_query_time(q, "to", 0, out_to_us);
	if (*out_to_us != 0 && *out_from_us >= *out_to_us && q->error_count == 0)
		yg_request_error(q, "out_of_range", YG_SV("from"), "from must be before to");
}

unsigned yg_query_severity(struct yg_request *q, const char *name)
{
	struct yg_sv s = yg_query(q, name);
	uint64_t n = 0;
	if (s.p != NULL && (yg_parse_u64(s, &n, NULL) != YG_OK || n > 6))
		yg_request_error(q, "out_of_range", yg_sv_of(name),
				 "expected a number from 0 to 6");
	return (unsigned)n;
}

unsigned yg_query_word(struct yg_request *q, const char *name, const char *words)
{
	struct yg_sv s = yg_query(q, name), rest = yg_sv_of(words), word;
	for (unsigned i = 1; s.p != NULL && yg_sv_cut(&rest, ' ', &word); i++)
		if (yg_sv_eq(word, s))
			return i;
	if (s.p != NULL)
		yg_request_error(q, "unknown_value", yg_sv_of(name), "expected one of: %s", words);
	return 0;
}

struct yg_sv yg_query_text(const struct yg_request *q, const char *name)
{
	struct yg_sv s = yg_query(q, name);
	return s.p != NULL ? s : YG_SV("");
}

struct yg_act yg_request_act(const struct yg_request *q, struct yg_api *api, struct yg_state *db)
{
	return yg_act_make(db, api->env, yg_sv_of(q->who.actor));
}

struct yg_jo yg_answer(struct yg_response *r, int status)
{
	r->status = status;
	r->type = "application/json";
	return yg_jo_init(&r->body);
}

void yg_answer_items(struct yg_jo *j)
{
	yg_jo_begin(j, '{');
	yg_jo_key(j, "items");
	yg_jo_begin(j, '[');
}

yg_status yg_answer_page(struct yg_api *api, struct yg_request *q, struct yg_jo *j,
			 const struct yg_sv *position, struct yg_err *err)
{
	yg_jo_end(j, ']');
	yg_jo_key(j, "next_cursor");
	if (position == NULL) {
		yg_jo_raw(j, YG_SV("null"));
	} else {
		struct yg_sv cursor = yg_page_cursor(q, api->cursor_key, *position);
		if (cursor.p == NULL)
			return YG_FAIL(err, YG_NOMEM, "the request is too large");
		yg_jo_text(j, cursor);
	}
	yg_jo_time(j, "as_of", q->now.us);
	yg_jo_end(j, '}');
	return YG_OK;
}

yg_status yg_page_begin(struct yg_api *api, struct yg_request *q, struct yg_lease *l,
			struct yg_page *page, struct yg_reach *out_reach, struct yg_err *err)
{
	yg_status st = yg_page_read(q, api->cursor_key, page, err);
	if (st == YG_OK)
		st = yg_lease_state(api, l, err);
	return st == YG_OK && out_reach != NULL ? yg_scope_reach(q, l->db, out_reach, err) : st;
}

struct yg_jo yg_answer_list(struct yg_response *r)
{
	struct yg_jo j = yg_answer(r, 200);
	yg_answer_items(&j);
	return j;
}

yg_status yg_answer_page_number(struct yg_api *api, struct yg_request *q, struct yg_jo *j,
				bool more, int64_t position, struct yg_err *err)
{
	char buf[24];
	struct yg_sb b = yg_sb_init(buf, sizeof buf);
	yg_sb_i64(&b, position);
	struct yg_sv text = yg_sb_sv(&b);
	return yg_answer_page(api, q, j, more ? &text : NULL, err);
}

yg_status yg_answer_page_keyed(struct yg_api *api, struct yg_request *q, struct yg_jo *j, bool more,
			       int64_t key, struct yg_sv text, struct yg_err *err)
{
	char buf[24 + YG_ID_MAX];
	struct yg_sb b = yg_sb_init(buf, sizeof buf);
	yg_sb_i64(&b, key);
	yg_sb_putc(&b, '.');
	yg_sb_put(&b, text);
	struct yg_sv position = yg_sb_sv(&b);
	return yg_answer_page(api, q, j, more ? &position : NULL, err);
}

yg_status yg_answer_new_job(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_lease *l, struct yg_sv kind, struct yg_sv org,
			    struct yg_sv params, struct yg_err *err)
{
	struct yg_id id;
	struct yg_act act = yg_request_act(q, api, l->db);
	yg_status st = yg_state_begin(l->db, err);
	if (st == YG_OK)
		st = yg_job_add(&act, kind, org, params, &id, err);
	return st == YG_OK ? yg_answer_job(api, q, r, l, yg_id_sv(&id), err) : st;
}

static struct yg_sv etag_of(char buf[static 32], int64_t version)
{
	struct yg_sb b = yg_sb_init(buf, 32);
	yg_sb_putc(&b, '"');
	yg_sb_i64(&b, version);
	yg_sb_putc(&b, '"');
	return yg_sb_sv(&b);
}

void yg_put_etag(struct yg_jo *j, int64_t version)
{
	char buf[32];
	yg_jo_str(j, "etag", etag_of(buf, version));
}

void yg_answer_etag(struct yg_request *q, struct yg_response *r, struct yg_jo *j, int64_t version)
{
	char buf[32];
	struct yg_sv etag = yg_arena_dup(q->arena, etag_of(buf, version));
	if (etag.p != NULL)
		yg_response_header(r, "ETag", etag);
	if (j != NULL)
		yg_put_etag(j, version);
}

void yg_answer_location(struct yg_request *q, struct yg_response *r, const char *path,
			struct yg_sv id)
{
	char buf[128];
	struct yg_sb b = yg_sb_init(buf, sizeof buf);
	yg_sb_put(&b, yg_sv_of(path));
	yg_sb_putc(&b, '/');
	yg_sb_put(&b, id);
	struct yg_sv at = yg_arena_dup(q->arena, yg_sb_sv(&b));
	if (at.p != NULL && !b.cut)
		yg_response_header(r, "Location", at);
}

/* Is it among the tags of a header, or the header "*"? */
static bool has_tag(struct yg_sv rest, struct yg_sv etag)
{
	char more[48];
	struct yg_sv one;
	struct yg_sb gzip = yg_sb_init(more, sizeof more); /* as api/compress.c tags it */
	yg_sb_put(&gzip, yg_sv_sub(etag, 0, etag.n - 1));
	yg_sb_put(&gzip, YG_SV("-gzip\""));
	while (yg_sv_cut(&rest, ',', &one)) {
		one = yg_sv_trim(one);
		if (YG_SV_IS(one, "*") || yg_sv_eq(one, etag) || yg_sv_eq(one, yg_sb_sv(&gzip)))
			return true;
	}
	return false;
}

yg_status yg_check_match(struct yg_request *q, struct yg_response *r, int64_t version,
			 struct yg_err *err)
{
	char buf[32];
	struct yg_sv wanted = q->header[YG_HH_IF_MATCH], etag = etag_of(buf, version);
	if (wanted.p == NULL || has_tag(wanted, etag))
		return YG_OK;
	r->problem = "precondition-failed";
	yg_answer_etag(q, r, NULL, version);
	return YG_FAIL(err, YG_CONFLICT, "the object's ETag is " YG_SV_FMT " now", YG_SV_ARG(etag));
}

yg_status yg_check_replace(struct yg_request *q, struct yg_response *r, const int64_t *version,
			   struct yg_err *err)
{
	struct yg_sv wanted = q->header[YG_HH_IF_MATCH], others = q->header[YG_HH_IF_NONE_MATCH];
	char buf[32];
	if (version == NULL && wanted.p == NULL)
		return YG_OK; /* it is made, and nothing is lost */
	if (version == NULL) {
		r->problem = "precondition-failed";
		return YG_FAIL(err, YG_CONFLICT, "the object was removed meanwhile");
	}
	struct yg_sv etag = etag_of(buf, *version);
	if (others.p != NULL && has_tag(others, etag)) {
		r->problem = "precondition-failed";
		yg_answer_etag(q, r, NULL, *version);
		return YG_FAIL(err, YG_CONFLICT, "somebody else has made it meanwhile");
	}
	if (wanted.p == NULL) {
		r->problem = "precondition-required";
		return YG_FAIL(err, YG_INVAL, "send the object's ETag as If-Match");
	}
	return yg_check_match(q, r, *version, err);
}

yg_status yg_changed(struct yg_response *r, yg_status st)
{
	if (st == YG_CONFLICT)
		r->problem = "precondition-failed";
	return st;
}

void yg_announce(struct yg_api *api, enum yg_stream_topic topic, struct yg_sv org,
		 struct yg_sv system, struct yg_sv id, const char *change)
{
	struct yg_buf b;
	yg_buf_init(&b, YG_STREAM_MESSAGE_MAX);
	struct yg_jo j = yg_jo_init(&b);
	yg_jo_begin(&j, '{');
	yg_jo_str_or_null(&j, "id", id);
	yg_jo_str_or_null(&j, "org", org);
	yg_jo_str(&j, "change", yg_sv_of(change));
	yg_jo_end(&j, '}');
	if (!b.bad)
		yg_stream_publish(api->stream, topic, org, system, yg_buf_sv(&b));
	yg_buf_free(&b);
}
