/* Detection rules: reading them. */
#include "api/routes_detect.h"

#include "api/text.h"
#include "base/limits.h"
#include "detect/watch.h"

void yg_rules_changed(struct yg_api *api)
{
	if (api->hooks.rules_changed != NULL)
		api->hooks.rules_changed(api->hooks.ctx);
}

yg_status yg_find_rule(struct yg_request *q, struct yg_state *db, struct yg_sv uid, bool change,
		       struct yg_drule *out, struct yg_err *err)
{
	yg_status st = yg_drule_get(db, uid, q->arena, out, err);
	if (st == YG_OK)
		st = yg_scope_holds(q, db, out->org, err);
	if (st == YG_OK)
		st = yg_scope_made(q, out->created, err);
	if (st == YG_OK)
		st = yg_drule_as_of(db, yg_reach_until(&q->who.reach), q->arena, out, err);
	if (st == YG_OK && change)
		st = yg_scope_shared(q, out->org, err);
	return st;
}

struct yg_sv yg_stage_org(const struct yg_request *q)
{
	struct yg_sv org = yg_query(q, "org");
	return org.p != NULL ? org : q->who.root;
}

/* ---- tags ---- */

struct yg_sv yg_attack_tag(struct yg_request *q, struct yg_sv word)
{
	size_t cap = word.n + sizeof "attack.";
	char *p = yg_arena_alloc(q->arena, cap, 1);
	struct yg_sb b = yg_sb_init(p, cap);
	if (p == NULL || word.n == 0)
		return YG_SV("");
	yg_sb_put(&b, YG_SV("attack."));
	for (size_t i = 0; i < word.n; i++) {
		char c = word.p[i];
		yg_sb_putc(&b, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
	}
	return yg_sb_sv(&b);
}

/* "attack.t1059.001": 't' and digits, a dot and digits perhaps. */
static bool is_technique(struct yg_sv tag)
{
	size_t digits = 0;
	if (!yg_sv_starts(tag, YG_SV("attack.t")) || tag.n > 16)
		return false;
	for (size_t i = 8; i < tag.n; i++) {
		bool digit = tag.p[i] >= '0' && tag.p[i] <= '9';
		if (!digit && (tag.p[i] != '.' || i + 1 == tag.n))
			return false;
		digits += digit;
	}
	return digits >= 4;
}

bool yg_attack_technique(struct yg_sv tags, size_t i, struct yg_sb *out)
{
	struct yg_sv one;
	while (yg_sv_cut(&tags, ',', &one)) {
		if (!is_technique(one) || i-- > 0)
			continue;
		yg_sb_putc(out, 'T');
		yg_sb_put(out, yg_sv_sub(one, 8, one.n));
		return true;
	}
	return false;
}

static void put_tags(struct yg_jo *j, struct yg_sv tags)
{
	struct yg_sv rest = tags, one;
	yg_jo_key(j, "tags");
	yg_jo_begin(j, '[');
	while (yg_sv_cut(&rest, ',', &one))
		if (one.n > 0)
			yg_jo_text(j, one);
	yg_jo_end(j, ']');
	yg_jo_key(j, "techniques");
	yg_jo_begin(j, '[');
	for (size_t i = 0;; i++) {
		char text[24];
		struct yg_sb b = yg_sb_init(text, sizeof text);
		if (!yg_attack_technique(tags, i, &b))
			break;
		yg_jo_text(j, yg_sb_sv(&b));
	}
	yg_jo_end(j, ']');
}

/* ---- a rule ---- */

static void put_rule(struct yg_jo *j, const struct yg_request *q, const struct yg_drule *r)
{
	bool inherited = yg_is_inherited(q, r->org);
	yg_jo_str(j, "id", r->uid);
	yg_jo_str_or_null(j, "org", inherited ? YG_SV("") : r->org);
	yg_jo_bool(j, "inherited", inherited);
	yg_jo_str(j, "sigma_id", r->sigma_id);
	yg_jo_str(j, "name", r->name);
	yg_jo_str(j, "title", r->title);
	yg_jo_str(j, "kind", yg_sv_of(yg_sigma_kind_name(r->kind)));
	yg_jo_str(j, "level", yg_sv_of(yg_sigma_level_name(r->level)));
	yg_jo_str(j, "status", r->status);
	yg_jo_key(j, "logsource");
	yg_jo_begin(j, '{');
	yg_jo_str(j, "category", r->category);
	yg_jo_str(j, "product", r->product);
	yg_jo_str(j, "service", r->service);
	yg_jo_end(j, '}');
	put_tags(j, r->tags);
	yg_jo_str(j, "collection", r->collection);
	yg_jo_str(j, "file", r->file);
	yg_jo_str(j, "stage", yg_sv_of(yg_detect_stage_name(r->stage)));
	yg_jo_str(j, "stage_in_force", yg_sv_of(yg_detect_stage_name(r->in_force)));
	yg_jo_str(j, "refused", yg_text(q, r->refused));
	yg_jo_str(j, "author", r->author);
	yg_jo_str(j, "created_by", inherited ? YG_SV("") : r->actor);
	yg_jo_time(j, "created_at", r->created.us);
	yg_jo_time(j, "updated_at", r->updated.us);
	yg_jo_int(j, "version", r->version);
	yg_put_etag(j, r->version);
}

/* total: nanoseconds that all rules took in the same day. */
static void put_numbers(struct yg_jo *j, const struct yg_drule_numbers *n, int64_t total)
{
	char text[32];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_jo_int(j, "hits_24h", n->hits_24h);
	yg_jo_int(j, "hits_30d", n->hits_30d);
	yg_jo_int(j, "alerts_30d", n->alerts_30d);
	yg_jo_int(j, "false_30d", n->false_30d);
	yg_jo_int(j, "excepted_30d", n->excepted_30d);
	yg_sb_printf(&b, "%.6f", total > 0 ? (double)n->cost_24h_ns / (double)total : 0.0);
	yg_jo_key(j, "cost_share");
	yg_jo_raw(j, yg_sb_sv(&b));
	yg_jo_time(j, "last_hit_at", n->last.us);
}

static yg_status put_said(struct yg_jo *j, struct yg_request *q, struct yg_state *db,
			  struct yg_sv uid, const struct yg_reach *reach, struct yg_err *err)
{
	struct yg_detect_override *overrides = NULL;
	struct yg_detect_exception *exceptions = NULL;
	const struct yg_detect_exception_filter f = {
		.reach = *reach, .rule = uid, .limit = YG_PAGE_MAX};
	const struct yg_detect_override_filter of = {
		.reach = *reach, .rule = uid, .after = YG_SV_INIT(""), .limit = YG_PAGE_MAX};
	size_t n = 0, xn = 0;
	yg_status st = yg_detect_override_list(db, &of, q->arena, &overrides, &n, err);
	if (st == YG_OK)
		st = yg_detect_exception_list(db, &f, q->arena, &exceptions, &xn, err);
	if (st != YG_OK)
		return st;
	yg_jo_key(j, "overrides");
	yg_jo_begin(j, '[');
	for (size_t i = 0; i < n; i++)
		yg_put_override(j, q, &overrides[i]);
	yg_jo_end(j, ']');
	yg_jo_key(j, "exceptions");
	yg_jo_begin(j, '[');
	for (size_t i = 0; i < xn; i++)
		yg_put_exception(j, q, &exceptions[i]);
	yg_jo_end(j, ']');
	return YG_OK;
}

/* What a correlation counts is of now, and of all organisations together: for those who see
 * them all. */
static void put_state(struct yg_jo *j, struct yg_api *api, const struct yg_request *q,
		      const struct yg_drule *r)
{
	struct yg_watch_state n;
	yg_jo_key(j, "state");
	if (r->kind != YG_SIGMA_CORRELATION || !q->who.reach.all ||
	    !yg_reach_at(&q->who.reach, q->now) || api->hooks.correlation == NULL ||
	    !api->hooks.correlation(api->hooks.ctx, r->uid, &n)) {
		yg_jo_raw(j, YG_SV("null"));
		return;
	}
	yg_jo_begin(j, '{');
	yg_jo_int(j, "groups", (int64_t)n.groups);
#define X(name, meaning) yg_jo_int(j, #name, (int64_t)n.counts.name);
	YG_CORRELATE_COUNTERS(X)
#undef X
	yg_jo_end(j, '}');
}

yg_status yg_answer_rule(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			 struct yg_state *db, int status, struct yg_sv uid, struct yg_err *err)
{
	struct yg_drule rule;
	struct yg_drule_numbers n;
	struct yg_reach reach;
	int64_t total = 0;
	yg_status st = yg_scope_reach(q, db, &reach, err);
	if (st == YG_OK)
		st = yg_find_rule(q, db, uid, false, &rule, err);
	if (st == YG_OK)
		st = yg_drule_in_force(db, &reach, yg_stage_org(q), q->now, &rule, err);
	if (st == YG_OK)
		st = yg_drule_numbers(db, &rule.uid, 1, &reach, q->now, &n, err);
	if (st == YG_OK)
		st = yg_drule_cost(db, &reach, q->now, &total, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, status);
	yg_jo_begin(&j, '{');
	put_rule(&j, q, &rule);
	put_numbers(&j, &n, total);
	yg_jo_str(&j, "text", rule.text);
	put_state(&j, api, q, &rule);
	st = put_said(&j, q, db, rule.uid, &reach, err);
	yg_jo_end(&j, '}');
	yg_answer_etag(q, r, NULL, rule.version);
	return st;
}

yg_status yg_r_rule_get(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	yg_status st = yg_lease_state(api, &l, err);
	return st == YG_OK ? yg_answer_rule(api, q, r, l.db, 200, yg_param(q, "id"), err) : st;
}

/* ---- the list ---- */

/* Numbers of a page's rules, in its order. */
static yg_status numbers_of(struct yg_request *q, struct yg_state *db, const struct yg_reach *reach,
			    const struct yg_drule *list, size_t n, struct yg_drule_numbers **out,
			    struct yg_err *err)
{
	struct yg_sv *uids = YG_NEW_N(q->arena, struct yg_sv, n + 1);
	*out = YG_NEW_N(q->arena, struct yg_drule_numbers, n + 1);
	if (uids == NULL || *out == NULL)
		return YG_FAIL(err, YG_NOMEM, "the request is too large");
	for (size_t i = 0; i < n; i++)
		uids[i] = list[i].uid;
	return yg_drule_numbers(db, uids, n, reach, q->now, *out, err);
}

yg_status yg_r_rules_list(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			  struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_page page;
	struct yg_drule_filter f = {.limit = 0};
	struct yg_drule *list = NULL;
	struct yg_drule_numbers *numbers = NULL;
	size_t n = 0;
	int64_t total = 0;
	yg_status st = yg_page_begin(api, q, &l, &page, &f.reach, err);
	if (st == YG_OK)
		st = yg_rules_read_filter(q, &f, err);
	if (st != YG_OK)
		return st;
	f.above = true;
	(void)yg_page_keyed(&page, &f.before_key, &f.before);
	f.limit = page.limit;
	st = yg_drule_list(l.db, &f, q->arena, &list, &n, err);
	if (st == YG_OK)
		st = numbers_of(q, l.db, &f.reach, list, n, &numbers, err);
	if (st == YG_OK)
		st = yg_drule_cost(l.db, &f.reach, q->now, &total, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer_list(r);
	for (size_t i = 0; i < n; i++) {
		yg_jo_begin(&j, '{');
		put_rule(&j, q, &list[i]);
		put_numbers(&j, &numbers[i], total);
		put_state(&j, api, q, &list[i]);
		yg_jo_end(&j, '}');
	}
	const struct yg_drule *last = n > 0 ? &list[n - 1] : NULL;
	return yg_answer_page_keyed(api, q, &j, n == page.limit, last != NULL ? last->sort_key : 0,
				    last != NULL ? last->uid : YG_SV(""), err);
}

/* ---- what belongs to one ---- */

yg_status yg_r_rule_history(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_page page;
	struct yg_drule rule;
	struct yg_drule_past *list = NULL;
	size_t n = 0;
	yg_status st = yg_page_begin(api, q, &l, &page, NULL, err);
	if (st == YG_OK)
		st = yg_find_rule(q, l.db, yg_param(q, "id"), false, &rule, err);
	const struct yg_drule_history_of of = {.rule = yg_param(q, "id"),
					       .before = page.number,
					       .until_us = yg_reach_until(&q->who.reach),
					       .limit = page.limit};
	if (st == YG_OK)
		st = yg_drule_history(l.db, &of, q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer_list(r);
	for (size_t i = 0; i < n; i++) {
		yg_jo_begin(&j, '{');
		yg_jo_int(&j, "version", list[i].version);
		yg_jo_str(&j, "stage", list[i].stage);
		yg_jo_str(&j, "title", list[i].title);
		yg_jo_str(&j, "text", list[i].text);
		yg_jo_time(&j, "created_at", list[i].created.us);
		yg_jo_str(&j, "created_by",
			  yg_is_inherited(q, rule.org) ? YG_SV("") : list[i].actor);
		yg_jo_end(&j, '}');
	}
	return yg_answer_page_number(api, q, &j, n == page.limit, n > 0 ? list[n - 1].version : 0,
				     err);
}

yg_status yg_r_rule_stats(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			  struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_drule rule;
	struct yg_drule_hours_of of = {.reach = q->who.reach, .now = q->now};
	struct yg_detect_hour *list = NULL;
	size_t n = 0;
	/* without a range: the newest week, of an auditor's period its last */
	yg_wall end = yg_reach_now(&of.reach, q->now);
	yg_query_time(q, "from", end.us - 7 * YG_US_PER_DAY, &of.from.us);
	yg_query_time(q, "to", end.us, &of.to.us);
	if (q->error_count > 0)
		return YG_FAIL(err, YG_PARSE, "a parameter is wrong");
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = yg_find_rule(q, l.db, yg_param(q, "id"), false, &rule, err);
	if (st != YG_OK)
		return st;
	of.rule = rule.uid;
	st = yg_drule_hours(l.db, &of, q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 200);
	yg_answer_items(&j);
	for (size_t i = 0; i < n; i++) {
		yg_jo_begin(&j, '{');
		yg_jo_time(&j, "hour", list[i].hour.us);
		yg_jo_int(&j, "span_s", list[i].day ? 86400 : 3600);
		yg_jo_int(&j, "looked_at", list[i].looked_at);
		yg_jo_int(&j, "hits", list[i].hits);
		yg_jo_int(&j, "excepted", list[i].excepted);
		yg_jo_int(&j, "cost_ns", list[i].cost_ns);
		yg_jo_end(&j, '}');
	}
	yg_jo_end(&j, ']');
	yg_jo_end(&j, '}');
	return YG_OK;
}

yg_status yg_r_rule_hits(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			 struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_drule rule;
	struct yg_detect_sample *list = NULL;
	size_t n = 0;
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = yg_find_rule(q, l.db, yg_param(q, "id"), false, &rule, err);
	if (st == YG_OK)
		st = yg_drule_samples(l.db, rule.uid, &q->who.reach, q->arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 200);
	yg_answer_items(&j);
	for (size_t i = 0; i < n; i++) {
		yg_jo_begin(&j, '{');
		yg_jo_str(&j, "org", list[i].org);
		yg_jo_str(&j, "event", list[i].event);
		yg_jo_time(&j, "time", list[i].at.us);
		yg_jo_end(&j, '}');
	}
	yg_jo_end(&j, ']');
	yg_jo_end(&j, '}');
	return YG_OK;
}
