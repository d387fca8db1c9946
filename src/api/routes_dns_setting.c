/* How protective DNS treats an organisation: modes of the layers, answers. */
#include "api/routes.h"
#include "api/setting.h"
#include "dns/setting.h"

#define LAYER_WORDS  "org-allow centre-allow org-block centre-zone indicators"
#define MODE_WORDS   "enforce audit-only off"
#define ANSWER_WORDS "nxdomain nodata cname sinkhole"

static void put_words(struct yg_jo *j, const char *key, struct yg_sv rest)
{
	struct yg_sv one;
	yg_jo_key(j, key);
	yg_jo_begin(j, '[');
	while (rest.n > 0) {
		(void)yg_sv_cut(&rest, ' ', &one);
		yg_jo_text(j, one);
	}
	yg_jo_end(j, ']');
}

static void put_settings(struct yg_jo *j, struct yg_sv org, const struct yg_dns_settings *s)
{
	yg_jo_begin(j, '{');
	yg_jo_str_or_null(j, "org", org);
	yg_jo_key(j, "layers");
	yg_jo_begin(j, '[');
	for (unsigned i = 0; i < YG_DNS_LAYER_COUNT; i++) {
		yg_jo_begin(j, '{');
		yg_jo_str(j, "layer", yg_sv_of(yg_dns_layer_name((enum yg_dns_layer)i)));
		yg_jo_str(j, "mode", yg_sv_of(yg_dns_mode_name(s->mode[i])));
		yg_jo_bool(j, "own", s->own[i]);
		yg_jo_end(j, '}');
	}
	yg_jo_end(j, ']');
	yg_jo_key(j, "answers");
	yg_jo_begin(j, '[');
	for (size_t i = 0; i < s->answer_count; i++) {
		const struct yg_dns_answer_row *a = &s->answers[i];
		yg_jo_begin(j, '{');
		yg_jo_str(j, "category", a->category);
		yg_jo_str(j, "answer", yg_sv_of(yg_dns_override_name(a->answer)));
		yg_jo_str_or_null(j, "target", a->target);
		put_words(j, "addresses", a->addresses);
		yg_jo_int(j, "ttl", a->ttl);
		yg_jo_bool(j, "own", a->own);
		yg_jo_end(j, '}');
	}
	yg_jo_end(j, ']');
	yg_jo_end(j, '}');
}

static yg_status answer(struct yg_request *q, struct yg_response *r, struct yg_state *db,
			struct yg_sv org, struct yg_err *err)
{
	struct yg_dns_settings s;
	yg_status st = yg_dns_settings_get(db, org, q->arena, &s, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 200);
	put_settings(&j, org, &s);
	return YG_OK;
}

yg_status yg_r_dns_settings(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	return yg_setting_get(api, q, r, answer, err);
}

static yg_status end_change(struct yg_lease *l, const struct yg_request *q, struct yg_response *r,
			    yg_status st, struct yg_err *err)
{
	if (st != YG_OK)
		return st;
	r->status = 204;
	return yg_lease_commit_then(l, q, r, st, yg_dns_changed, err);
}

yg_status yg_r_dns_mode_set(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	YG_AUTO(yg_setting_done) struct yg_setting s = {.answer = answer};
	static const struct yg_field fields[] = {
		{"org", YG_F_TEXT, YG_F_NULL, 1, 63, NULL},
		{"layer", YG_F_TEXT, YG_F_NEEDED, 0, 0, LAYER_WORDS},
		{"mode", YG_F_TEXT, YG_F_NEEDED | YG_F_NULL, 0, 0, MODE_WORDS},
	};
	struct yg_value v[YG_LEN(fields)];
	enum yg_dns_layer layer = YG_DNS_LAYER_ORG_ALLOW;
	enum yg_dns_mode mode = YG_DNS_MODE_ENFORCE;
	yg_status st = yg_setting_begin(api, q, r, fields, YG_LEN(fields), v, &s, err);
	if (st == YG_OK)
		st = yg_dns_layer_parse(v[1].text, &layer);
	if (st == YG_OK && !v[2].null)
		st = yg_dns_mode_parse(v[2].text, &mode);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, s.l.db);
	st = yg_dns_mode_set(&act, s.org, layer, v[2].null ? NULL : &mode, err);
	return end_change(&s.l, q, r, st, err);
}

/* The addresses in their one spelling, with blanks between. */
static yg_status addresses_of(struct yg_request *q, const struct yg_value *v, struct yg_sv *out,
			      struct yg_err *err)
{
	char *text = yg_arena_alloc(q->arena, 1024, 1);
	struct yg_sb b = yg_sb_init(text, 1024);
	if (text == NULL)
		return YG_FAIL(err, YG_NOMEM, "the request is too large");
	for (size_t i = 0; i < v->text_count; i++) {
		struct yg_ip ip;
		if (yg_ip_parse(v->texts[i], &ip) != YG_OK) {
			yg_request_error(q, "bad_value", YG_SV("/addresses"), "not an address");
			return YG_FAIL(err, YG_PARSE, "the body has errors");
		}
		yg_sb_put(&b, i > 0 ? YG_SV(" ") : YG_SV(""));
		yg_ip_format(&b, ip);
	}
	*out = yg_sb_sv(&b);
	return YG_OK;
}

yg_status yg_r_dns_answer_set(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			      struct yg_err *err)
{
	YG_AUTO(yg_setting_done) struct yg_setting s = {.answer = answer};
	static const struct yg_field fields[] = {
		{"org", YG_F_TEXT, YG_F_NULL, 1, 63, NULL},
		{"category", YG_F_TEXT, 0, 0, YG_DNS_CATEGORY_MAX, NULL},
		{"answer", YG_F_TEXT, YG_F_NEEDED | YG_F_NULL, 0, 0, ANSWER_WORDS},
		{"target", YG_F_TEXT, YG_F_NULL, 1, 253, NULL},
		{"addresses", YG_F_TEXTS, 0, 1, YG_DNS_SINKHOLES_MAX, NULL},
		{"ttl", YG_F_INT, 0, 0, YG_DNS_ANSWER_TTL_MAX, NULL},
	};
	struct yg_value v[YG_LEN(fields)];
	struct yg_dns_answer_row row = {.answer = YG_DNS_OVERRIDE_GIVEN,
					.org = YG_SV_INIT(""),
					.category = YG_SV_INIT(""),
					.target = YG_SV_INIT(""),
					.addresses = YG_SV_INIT("")};
	yg_status st = yg_setting_begin(api, q, r, fields, YG_LEN(fields), v, &s, err);
	if (st == YG_OK && !v[2].null)
		st = yg_dns_override_parse(v[2].text, &row.answer);
	if (st == YG_OK)
		st = addresses_of(q, &v[4], &row.addresses, err);
	if (st != YG_OK)
		return st;
	row.org = s.org;
	row.category = v[1].given ? v[1].text : row.category;
	row.target = v[3].given && !v[3].null ? v[3].text : row.target;
	row.ttl = v[5].given ? (uint32_t)v[5].number : YG_DNS_ANSWER_TTL;
	struct yg_act act = yg_request_act(q, api, s.l.db);
	st = yg_dns_answer_set(&act, &row, err);
	return end_change(&s.l, q, r, st, err);
}
