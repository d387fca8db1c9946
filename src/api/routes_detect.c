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
	if (st == YG_OK && change)
		st = yg_scope_shared(q, out->org, err);
	return st;
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

/* From above: who may not see the node does not learn its name, nor who works there. */
static bool is_inherited(const struct yg_request *q, const struct yg_drule *r)
{
	return r->org.n > 0 && !yg_reach_has(&q->who.reach, r->org, YG_SV(""));
}

static void put_rule(struct yg_jo *j, const struct yg_request *q, const struct yg_drule *r)
{
	bool inherited = is_inherited(q, r);
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

/* Rule and numbers, without the closing bracket. */
static yg_status begin_rule(struct yg_jo *j, struct yg_request *q, struct yg_state *db,
			    const struct yg_drule *r, int64_t total, struct yg_err *err)
{
	struct yg_drule_numbers n;
	yg_status st = yg_drule_numbers(db, r->uid, &q->who.reach, q->now, &n, err);
	if (st != YG_OK)
		return st;
	yg_jo_begin(j, '{');
	put_rule(j, q, r);
	put_numbers(j, &n, total);
	return YG_OK;
}

static yg_status total_cost(struct yg_request *q, struct yg_state *db, int64_t *out,
			    struct yg_err *err)
{
	struct yg_drule_numbers all;
	yg_status st = yg_drule_numbers(db, YG_SV(""), &q->who.reach, q->now, &all, err);
	*out = st == YG_OK ? all.cost_24h_ns : 0;
	return st;
}

static yg_status put_said(struct yg_jo *j, struct yg_request *q, struct yg_state *db,
			  struct yg_sv uid, struct yg_err *err)
{
	struct yg_detect_override *overrides = NULL;
	struct yg_detect_exception *exceptions = NULL;
	const struct yg_detect_exception_filter f = {
		.reach = q->who.reach, .rule = uid, .limit = YG_PAGE_MAX};
	size_t n = 0, xn = 0;
	yg_status st =
		yg_detect_override_list(db, uid, &q->who.reach, q->arena, &overrides, &n, err);
	if (st == YG_OK)
		st = yg_detect_exception_list(db, &f, q->arena, &exceptions, &xn, err);
	if (st != YG_OK)
		return st;
	yg_jo_key(j, "overrides");
	yg_jo_begin(j, '[');
	for (size_t i = 0; i < n; i++)
		yg_put_override(j, &overrides[i]);
	yg_jo_end(j, ']');
	yg_jo_key(j, "exceptions");
	yg_jo_begin(j, '[');
	for (size_t i = 0; i < xn; i++)
		yg_put_exception(j, &exceptions[i]);
	yg_jo_end(j, ']');
	return YG_OK;
}

/* What a correlation counts is of all organisations together: for those who see them all. */
static void put_state(struct yg_jo *j, struct yg_api *api, const struct yg_request *q,
		      const struct yg_drule *r)
{
	struct yg_watch_state n;
	yg_jo_key(j, "state");
	if (r->kind != YG_SIGMA_CORRELATION || !q->who.reach.all ||
	    api->hooks.correlation == NULL || !api->hooks.correlation(api->hooks.ctx, r->uid, &n)) {
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
	int64_t total = 0;
	yg_status st = yg_find_rule(q, db, uid, false, &rule, err);
	if (st == YG_OK)
		st = total_cost(q, db, &total, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, status);
	st = begin_rule(&j, q, db, &rule, total, err);
	if (st != YG_OK)
		return st;
	yg_jo_str(&j, "text", rule.text);
	put_state(&j, api, q, &rule);
	st = put_said(&j, q, db, rule.uid, err);
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

/* "live,test" to bits of the words' places; absent: 0. */
static unsigned read_words(struct yg_request *q, const char *name, const char *words)
{
	struct yg_sv text = yg_query(q, name), one;
	unsigned bits = 0;
	while (text.p != NULL && yg_sv_cut(&text, ',', &one)) {
		struct yg_sv rest = yg_sv_of(words), word;
		unsigned at = 0, found = 32;
		for (; yg_sv_cut(&rest, ' ', &word); at++)
			if (yg_sv_eq(word, one))
				found = at;
		if (found < 32)
			bits |= 1u << found;
		else
			yg_request_error(q, "unknown_value", yg_sv_of(name), "expected one of: %s",
					 words);
	}
	return bits;
}

/* An empty value stands for none said. */
static struct yg_sv query_text(const struct yg_request *q, const char *name)
{
	struct yg_sv s = yg_query(q, name);
	return s.p != NULL ? s : YG_SV("");
}

static yg_status read_filter(struct yg_request *q, struct yg_drule_filter *f, struct yg_err *err)
{
	struct yg_sv source = query_text(q, "logsource"), kind = query_text(q, "kind");
	struct yg_sv *const parts[] = {&f->category, &f->product, &f->service};
	f->part = query_text(q, "q");
	f->collection = query_text(q, "collection");
	f->tag = yg_attack_tag(q, query_text(q, "technique"));
	for (size_t i = 0; i < YG_LEN(parts); i++)
		if (source.n == 0 || !yg_sv_cut(&source, '/', parts[i]))
			*parts[i] = YG_SV("");
	f->stages = read_words(q, "stage", YG_STAGE_WORDS);
	f->levels = read_words(q, "level", LEVEL_WORDS) << 1;
	if (kind.n > 0 && yg_sigma_kind_parse(kind, &f->kind) != YG_OK)
		yg_request_error(q, "unknown_value", YG_SV("kind"), "expected one of: %s",
				 "rule correlation filter");
	yg_status st = yg_query_bool(q, "refused", &f->refused, err);
	return st == YG_OK && q->error_count > 0 ? YG_FAIL(err, YG_PARSE, "a parameter is wrong")
						 : st;
}

yg_status yg_r_rules_list(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			  struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_page page;
	struct yg_drule_filter f = {.limit = 0};
	struct yg_drule *list = NULL;
	size_t n = 0;
	int64_t total = 0;
	yg_status st = yg_page_begin(api, q, &l, &page, &f.reach, err);
	if (st == YG_OK)
		st = read_filter(q, &f, err);
	if (st != YG_OK)
		return st;
	f.above = true;
	f.before = page.after;
	f.limit = page.limit;
	st = yg_drule_list(l.db, &f, q->arena, &list, &n, err);
	if (st == YG_OK)
		st = total_cost(q, l.db, &total, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer_list(r);
	for (size_t i = 0; st == YG_OK && i < n; i++) {
		st = begin_rule(&j, q, l.db, &list[i], total, err);
		put_state(&j, api, q, &list[i]);
		yg_jo_end(&j, '}');
	}
	return st == YG_OK
		       ? yg_answer_page(api, q, &j, n == page.limit ? &list[n - 1].uid : NULL, err)
		       : st;
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
	if (st == YG_OK)
		st = yg_drule_history(l.db, rule.uid, page.number, page.limit, q->arena, &list, &n,
				      err);
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
		yg_jo_str(&j, "created_by", is_inherited(q, &rule) ? YG_SV("") : list[i].actor);
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
	struct yg_drule_hours_of of = {.reach = q->who.reach};
	struct yg_detect_hour *list = NULL;
	size_t n = 0;
	yg_query_time(q, "from", q->now.us - 7 * 86400 * YG_US_PER_S, &of.from.us);
	yg_query_time(q, "to", q->now.us, &of.to.us);
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
