/* Findings beside rules: how far they go, and those there are. */
#include "api/routes.h"
#include "api/setting.h"
#include "detect/notice_found.h"
#include "detect/notice_setting.h"
#include "detect/watch_finding.h"

#define KIND_WORDS "beacon spray travel scan volume silence flood"

static yg_status answer(struct yg_request *q, struct yg_response *r, struct yg_state *db,
			struct yg_sv org, struct yg_err *err)
{
	struct yg_notice_setting s[YG_NOTICE_KIND_COUNT];
	(void)q;
	yg_status st = yg_notice_settings(db, org, s, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 200);
	yg_jo_begin(&j, '{');
	yg_jo_str_or_null(&j, "org", org);
	yg_jo_key(&j, "items");
	yg_jo_begin(&j, '[');
	for (int k = 0; k < YG_NOTICE_KIND_COUNT; k++) {
		yg_jo_begin(&j, '{');
		yg_jo_str(&j, "kind", yg_sv_of(yg_notice_name((enum yg_notice_kind)k)));
		yg_jo_str(&j, "stage", yg_sv_of(yg_detect_stage_name(s[k].stage)));
		yg_jo_bool(&j, "own", s[k].own);
		yg_jo_end(&j, '}');
	}
	yg_jo_end(&j, ']');
	yg_jo_end(&j, '}');
	return YG_OK;
}

yg_status yg_r_notices_get(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	return yg_setting_get(api, q, r, answer, err);
}

yg_status yg_r_notices_set(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_setting_done) struct yg_setting s = {.answer = answer};
	static const struct yg_field fields[] = {
		{"org", YG_F_TEXT, YG_F_NULL, 1, 63, NULL},
		{"kind", YG_F_TEXT, YG_F_NEEDED, 1, 16, KIND_WORDS},
		{"stage", YG_F_TEXT, YG_F_NEEDED | YG_F_NULL, 1, 16, YG_STAGE_WORDS},
	};
	struct yg_value v[YG_LEN(fields)];
	enum yg_notice_kind kind = YG_NOTICE_BEACON;
	enum yg_detect_stage stage = YG_STAGE_OFF;
	yg_status st = yg_setting_begin(api, q, r, fields, YG_LEN(fields), v, &s, err);
	if (st != YG_OK)
		return st;
	(void)yg_notice_parse(v[1].text, &kind); /* the body's words are these */
	if (!v[2].null)
		(void)yg_detect_stage_parse(v[2].text, &stage);
	struct yg_act act = yg_request_act(q, api, s.l.db);
	st = yg_notice_setting_set(&act, s.org, kind, v[2].null ? NULL : &stage, err);
	return yg_setting_answer(q, r, &s, st, err);
}

/* ---- those there are ---- */

static yg_status put_finding(struct yg_jo *j, const struct yg_request *q,
			     const struct yg_notice_found *f, struct yg_err *err)
{
	char words[1536], indicator[YG_NOTICE_KEY_MAX + 32], title[YG_NOTICE_KEY_MAX * 4 + 128];
	struct yg_sb w = yg_sb_init(words, sizeof words);
	struct yg_sb i = yg_sb_init(indicator, sizeof indicator);
	struct yg_sb t = yg_sb_init(title, sizeof title);
	struct yg_notice n;
	if (!yg_watch_read_fields(f->fields, q->arena, &n))
		return YG_FAIL(err, YG_CORRUPT, "the fields of a finding");
	n.kind = f->kind;
	n.who = f->who;
	yg_notice_words(&n, q->japanese, &w);
	yg_watch_indicator(&n, &i);
	(void)yg_watch_title(yg_sb_sv(&i), q->japanese, &t);
	yg_jo_begin(j, '{');
	yg_jo_str(j, "org", f->org);
	yg_jo_str(j, "kind", yg_sv_of(yg_notice_name(f->kind)));
	yg_jo_str(j, "title", yg_sb_sv(&t));
	yg_jo_str(j, "reason", yg_sb_sv(&w));
	yg_jo_int(j, "score", f->score);
	yg_jo_int(j, "severity_id", f->severity_id);
	yg_jo_str(j, "stage", yg_sv_of(yg_detect_stage_name(f->stage)));
	yg_jo_str(j, "indicator", yg_sb_sv(&i));
	yg_jo_str(j, "asset", f->asset);
	yg_jo_str_or_null(j, "event", f->event);
	yg_jo_int(j, "count", f->count);
	yg_jo_time(j, "first_seen", f->first.us);
	yg_jo_time(j, "last_seen", f->last.us);
	yg_jo_end(j, '}');
	return YG_OK;
}

static struct yg_sv word_of(struct yg_request *q, const char *name, bool known)
{
	struct yg_sv word = yg_query(q, name);
	if (word.n > 0 && !known)
		yg_request_error(q, "unknown_value", yg_sv_of(name),
				 "there is no such kind or stage");
	return word.p != NULL ? word : YG_SV("");
}

yg_status yg_r_notices_found(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			     struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_page page;
	struct yg_notice_found *list = NULL;
	struct yg_notice_found_filter f = {.limit = 0};
	enum yg_notice_kind kind;
	enum yg_detect_stage stage;
	struct yg_sv place;
	size_t n = 0;
	yg_status st = yg_page_begin(api, q, &l, &page, &f.reach, err);
	f.kind = word_of(q, "kind", yg_notice_parse(yg_query(q, "kind"), &kind) == YG_OK);
	f.stage = word_of(q, "stage", yg_detect_stage_parse(yg_query(q, "stage"), &stage) == YG_OK);
	f.part = yg_query_text(q, "q");
	f.severity_min = yg_query_severity(q, "severity");
	yg_query_period(q, &f.from_us, &f.to_us);
	f.by_score = yg_query_word(q, "sort", "newest score") == 2;
	if (st == YG_OK && q->error_count > 0)
		st = YG_FAIL(err, YG_PARSE, "a parameter is wrong");
	if (yg_page_keyed(&page, &f.before_score, &place))
		(void)yg_parse_i64(place, &f.before, NULL);
	f.limit = page.limit;
	if (st == YG_OK)
		st = yg_notice_found_list(l.db, &f, q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer_list(r);
	for (size_t i = 0; st == YG_OK && i < n; i++)
		st = put_finding(&j, q, &list[i], err);
	char buf[24];
	struct yg_sb place_text = yg_sb_init(buf, sizeof buf);
	const struct yg_notice_found *last = n > 0 ? &list[n - 1] : NULL;
	if (last != NULL)
		yg_sb_i64(&place_text, last->place);
	return st == YG_OK ? yg_answer_page_keyed(api, q, &j, n == page.limit,
						  last != NULL ? last->score : 0,
						  yg_sb_sv(&place_text), err)
			   : st;
}
