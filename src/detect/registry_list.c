/* registry_list.c - rules as they are looked for, and as they stood when a period ended. */
#include "base/limits.h"
#include "detect/read.h"
#include "detect/registry_internal.h"

/* "%,attack.t1059,%" and "%,attack.t1059.%". */
static struct yg_sv like_tag(struct yg_arena *arena, struct yg_sv tag, char behind)
{
	char *p = yg_arena_alloc(arena, tag.n + 2, 1);
	if (p == NULL || tag.n == 0)
		return YG_SV("");
	p[0] = ',';
	memcpy(p + 1, tag.p, tag.n);
	p[tag.n + 1] = behind;
	return yg_row_part(arena, (struct yg_sv){p, tag.n + 2});
}

static void bind_words(struct yg_stmt *s, const struct yg_drule_filter *f)
{
	struct yg_sv stages[YG_STAGE_COUNT];
	size_t n = 0;
	for (unsigned i = 0; i < YG_STAGE_COUNT; i++)
		if ((f->stages & 1u << i) != 0)
			stages[n++] = yg_sv_of(yg_detect_stage_name((enum yg_detect_stage)i));
	yg_stmt_set(s, 8, stages, n);
	for (unsigned i = 0; i <= YG_SIGMA_CRITICAL; i++)
		yg_stmt_i64(s, 9 + (int)i,
			    f->levels == 0 || (f->levels & 1u << i) != 0 ? (int64_t)i : -1);
	yg_stmt_text(s, 15, f->category);
	yg_stmt_text(s, 16, f->product);
	yg_stmt_text(s, 17, f->service);
	yg_stmt_text(s, 18, yg_sv_of(yg_sigma_kind_name(f->kind)));
	yg_stmt_i64(s, 26, f->stages);
	yg_stmt_i64(s, 27, (int64_t)f->one_of_count);
	yg_stmt_set(s, 28, f->one_of, f->one_of_count);
	yg_stmt_i64(s, 29, (int64_t)f->none_of_count);
	yg_stmt_set(s, 30, f->none_of, f->none_of_count);
}

static yg_status take_listed(struct yg_stmt *s, struct yg_arena *arena, void *to,
			     struct yg_err *err)
{
	struct yg_drule *r = to;
	yg_status st = yg_drule_take(s, arena, r, err);
	(void)yg_detect_stage_parse(yg_col_text(s, 22), &r->in_force);
	r->sort_key = yg_col_i64(s, 23);
	return st;
}

#define SEEN                                                                                       \
	"($1 = 1 OR r.org IS NULL OR r.org IN yg_set($2)"                                          \
	" OR ($22 = 1 AND r.org IN (SELECT p.ancestor FROM organisation_path p"                    \
	" WHERE p.slug IN yg_set($2)))) AND r.created < $25"
/* The text of a period's end may be another one, and is not looked into. */
#define HAS_PART                                                                                   \
	"($5 = '' OR lower(r.title) LIKE $5 ESCAPE '\\' OR lower(r.sigma_id) LIKE $5 ESCAPE '\\'"  \
	" OR lower(r.name) LIKE $5 ESCAPE '\\' OR r.tags LIKE $5 ESCAPE '\\'"                      \
	" OR lower(r.file) LIKE $5 ESCAPE '\\' OR (r.updated < $25 AND EXISTS (SELECT 1"           \
	" FROM detect_rule_text t WHERE t.rule = r.uid AND t.version = r.text_version"             \
	" AND lower(t.text) LIKE $5 ESCAPE '\\')))"
#define HAS_TAGS                                                                                   \
	"($6 = '' OR r.tags LIKE $6 ESCAPE '\\' OR ($7 <> '' AND r.tags LIKE $7 ESCAPE '\\'))"     \
	" AND ($27 = 0 OR EXISTS (SELECT 1 FROM yg_set($28) x"                                     \
	" WHERE r.tags LIKE '%,' || x.item || '%'))"                                               \
	" AND ($29 = 0 OR NOT EXISTS (SELECT 1 FROM yg_set($30) x"                                 \
	" WHERE r.tags LIKE '%,' || x.item || '%'))"
/* Why a rule is not compiled is known of now alone. */
#define IN_FORCE YG_DRULE_IN_FORCE("$23", "$24", "$25")

/* Of each rule what a list is sorted by: as yg_drule_numbers() counts it, for all at once. */
#define WITHIN(time, org) time " >= $34 AND " time " < $35 AND ($1 = 1 OR " org " IN yg_set($2))"
#define OF_STAT(what, where)                                                                       \
	" LEFT JOIN (SELECT rule, " what " AS n FROM detect_stat WHERE " where                     \
	" AND " WITHIN("hour", "org") " GROUP BY rule) k ON k.rule = r.uid"
#define OF_ALERTS                                                                                  \
	" LEFT JOIN (SELECT indicator AS rule, count(*) AS n FROM alert WHERE verdict = 'false'"   \
	" AND closed < $35 AND indicator_type = 'rule' AND " WITHIN(                               \
		"+created", "org") " GROUP BY indicator) k ON k.rule = r.uid"
/* Without `rule >` SQLite would look by hour and read every row of the month; without the sign
 * before `created` every alert of it. */
#define DID    "rule > '' AND (hits > 0 OR excepted > 0)"
#define NUMBER "coalesce(k.n, 0)"
#define LISTED(key, join, order)                                                                   \
	YG_SQL("SELECT " YG_DRULE_COLUMNS ", " IN_FORCE ", " key " FROM detect_rule r" join        \
	       " WHERE " SEEN " AND ($3 = '' OR " key " < $33 OR (" key " = $33 AND r.uid < $3))"  \
	       " AND ($4 = '' OR r.collection = $4)"                                               \
	       " AND ($20 = '' OR r.uid = $20) AND r.level IN ($9, $10, $11, $12, $13, $14)"       \
	       " AND ($15 = '' OR r.category = $15) AND ($16 = '' OR r.product = $16)"             \
	       " AND ($17 = '' OR r.service = $17) AND ($18 = '' OR r.kind = $18)"                 \
	       " AND ($19 = 0 OR (r.refused <> '' AND $32 = 0))"                                   \
	       " AND ($31 = 0 OR (r.kind <> 'filter' AND (r.refused = '' OR $32 = 1)))"            \
	       " AND " HAS_TAGS " AND " HAS_PART " AND ($26 = 0 OR " IN_FORCE                      \
	       " IN yg_set($8)) ORDER BY " order "r.uid DESC LIMIT $21")

static const char *list_of(enum yg_drule_sort sort)
{
	switch (sort) {
	case YG_DRULE_HITS: return LISTED(NUMBER, OF_STAT("sum(hits)", DID), NUMBER " DESC, ");
	case YG_DRULE_FALSE: return LISTED(NUMBER, OF_ALERTS, NUMBER " DESC, ");
	case YG_DRULE_COST:
		return LISTED(NUMBER, OF_STAT("sum(cost_ns)", "cost_ns > 0"), NUMBER " DESC, ");
	case YG_DRULE_LAST: return LISTED(NUMBER, OF_STAT("max(last)", DID), NUMBER " DESC, ");
	case YG_DRULE_NEWEST: break;
	}
	return LISTED("0", "", "");
}

/* What rules are sorted by is counted of $34 <= time < $35. */
static void bind_sort(struct yg_stmt *s, const struct yg_drule_filter *f)
{
	struct yg_stat_window w = yg_stat_window(
		&f->reach, f->now, f->sort == YG_DRULE_COST ? YG_US_PER_DAY : YG_STAT_MONTH);
	yg_stmt_i64(s, 33, f->before_key);
	if (f->sort == YG_DRULE_NEWEST)
		return;
	yg_stmt_i64(s, 34, w.from_us);
	yg_stmt_i64(s, 35, f->sort == YG_DRULE_FALSE ? yg_reach_until(&f->reach) : w.to_us);
}

static yg_status rows(struct yg_state *db, const struct yg_drule_filter *f, struct yg_arena *arena,
		      struct yg_drule **out, size_t *out_n, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(db, list_of(f->sort), &s, err);
	if (st != YG_OK)
		return st;
	struct yg_sv part = yg_row_part(arena, f->part), tag = like_tag(arena, f->tag, ','),
		     below = f->exact ? YG_SV("") : like_tag(arena, f->tag, '.');
	if (arena->refused)
		return YG_FAIL(err, YG_NOMEM, "no memory for the rules");
	yg_stmt_i64(s, 1, yg_reach_all_flag(&f->reach));
	yg_stmt_set(s, 2, f->reach.orgs, f->reach.org_count);
	yg_stmt_text(s, 3, f->before);
	yg_stmt_text(s, 4, f->collection);
	yg_stmt_text(s, 5, part);
	yg_stmt_text(s, 6, tag);
	yg_stmt_text(s, 7, below);
	bind_words(s, f);
	yg_stmt_i64(s, 19, f->refused);
	yg_stmt_text(s, 20, f->uid);
	yg_stmt_i64(s, 21, f->limit);
	yg_stmt_i64(s, 22, f->above);
	yg_stmt_text(s, 23, f->org);
	yg_stmt_i64(s, 24, yg_reach_now(&f->reach, f->now).us);
	yg_stmt_i64(s, 25, yg_reach_until(&f->reach));
	bind_sort(s, f);
	yg_stmt_i64(s, 31, f->exact);
	yg_stmt_i64(s, 32, f->reach.to.us != 0);
	const struct yg_row_list how = {
		.each = sizeof(struct yg_drule), .limit = f->limit, .take = take_listed};
	return yg_row_list(s, &how, arena, out, out_n, err);
}

yg_status yg_drule_list(struct yg_state *db, const struct yg_drule_filter *f,
			struct yg_arena *arena, struct yg_drule **out, size_t *out_n,
			struct yg_err *err)
{
	yg_status st = rows(db, f, arena, out, out_n, err);
	for (size_t i = 0; st == YG_OK && i < *out_n; i++)
		st = yg_drule_as_of(db, yg_reach_until(&f->reach), arena, &(*out)[i], err);
	return st;
}

yg_status yg_drule_in_force(struct yg_state *db, const struct yg_reach *reach, struct yg_sv org,
			    yg_wall now, struct yg_drule *r, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st =
		yg_state_prepare(db,
				 YG_SQL("SELECT " YG_DRULE_IN_FORCE(
					 "$2", "$3", "$4") " FROM detect_rule r WHERE r.uid = $1"),
				 &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, r->uid);
	yg_stmt_text(s, 2, org);
	yg_stmt_i64(s, 3, yg_reach_now(reach, now).us);
	yg_stmt_i64(s, 4, yg_reach_until(reach));
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && row)
		(void)yg_detect_stage_parse(yg_col_text(s, 0), &r->in_force);
	return st;
}

/* ---- of a period that has ended ---- */

/* What a text says of itself, over what a later one says. */
static yg_status describe(struct yg_sv text, struct yg_arena *arena, struct yg_drule *r,
			  struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena one = {0};
	struct yg_sigma_file f = {NULL, 0, 0};
	yg_arena_init(&one, 64 << 20);
	yg_status st = yg_sigma_read(text, "rule", NULL, NULL, &one, &f, err);
	if (st != YG_OK || f.count != 1)
		return st == YG_NOMEM ? st : YG_OK; /* a text of an older reader */
	const struct yg_sigma_rule *d = &f.rules[0];
	const struct {
		struct yg_sv from, *to;
	} texts[] = {{d->id, &r->sigma_id},
		     {d->name, &r->name},
		     {d->author, &r->author},
		     {d->category, &r->category},
		     {d->product, &r->product},
		     {d->service, &r->service},
		     {yg_sv_of(yg_sigma_status_name(d->status)), &r->status}};
	for (size_t i = 0; i < YG_LEN(texts); i++) {
		*texts[i].to = yg_arena_dup(arena, texts[i].from);
		if (texts[i].to->p == NULL)
			return YG_FAIL(err, YG_NOMEM, "no memory for the rules");
	}
	r->kind = d->kind;
	r->level = d->level;
	return yg_detect_tags(&d->tags, arena, &r->tags) == YG_OK
		       ? YG_OK
		       : YG_FAIL(err, YG_NOMEM, "no memory for the rules");
}

yg_status yg_drule_as_of(struct yg_state *db, int64_t until_us, struct yg_arena *arena,
			 struct yg_drule *r, struct yg_err *err)
{
	const struct yg_drule_history_of of = {.rule = r->uid, .until_us = until_us, .limit = 1};
	struct yg_drule_past *then = NULL;
	size_t n = 0;
	if (until_us == INT64_MAX)
		return YG_OK;
	r->refused = YG_SV("");
	if (r->updated.us < until_us)
		return YG_OK;
	yg_status st = yg_drule_history(db, &of, arena, &then, &n, err);
	if (st != YG_OK || n == 0)
		return st;
	(void)yg_detect_stage_parse(then->stage, &r->stage);
	r->title = then->title;
	r->version = then->version;
	r->updated = then->created;
	if (then->text_version == r->text_version)
		return YG_OK;
	r->text_version = then->text_version;
	r->text = r->text.n > 0 ? then->text : r->text;
	return describe(then->text, arena, r, err);
}
