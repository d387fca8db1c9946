/* reason.c - why an alert is one, in the reader's language. */
#include "alert/alert_internal.h"
#include "alert/title.h"
#include "detect/watch_finding.h"

/* What a reason is made of. */
struct because {
	struct yg_sv type, indicator, list, category, family, fields, asset, title;
	int64_t count;
	struct yg_sv newest; /* of a finding beside rules: its numbers */
};

/* Of a finding beside rules: its words, from its kind and numbers, in the reader's language. */
static void put_notice(struct yg_buf *b, const struct because *w, bool japanese,
		       struct yg_arena *arena)
{
	char text[1536];
	struct yg_sb s = yg_sb_init(text, sizeof text);
	struct yg_notice n;
	bool told = w->newest.n > 0 && yg_watch_read_fields(w->newest, arena, &n);
	if (told)
		yg_notice_words(&n, japanese, &s);
	else if (!yg_watch_title(w->indicator, japanese, &s))
		yg_sb_put(&s, w->title);
	struct yg_sv words = yg_sb_sv(&s);
	words.n = yg_utf8_valid(words);
	yg_buf_put(b, words);
	if (told)
		yg_buf_printf(b, japanese ? "（スコア%u、%lld回）" : " (score %u; %lld times)",
			      n.score, (long long)w->count);
	else
		yg_buf_printf(b, japanese ? "（%lld回）" : " (%lld times)", (long long)w->count);
}

/* " (T1059)", or in Japanese brackets; nothing when there is none. */
static void put_in_brackets(struct yg_buf *b, struct yg_sv s, bool japanese)
{
	if (s.n == 0)
		return;
	yg_buf_put(b, japanese ? YG_SV("（") : YG_SV(" ("));
	yg_buf_put(b, s);
	yg_buf_put(b, japanese ? YG_SV("）") : YG_SV(")"));
}

/* Of a rule: which matched, for what. */
static void put_rule(struct yg_buf *b, const struct because *w, bool japanese)
{
	yg_buf_put(b, japanese ? YG_SV("ルール「") : YG_SV("rule '"));
	yg_buf_put(b, w->title);
	yg_buf_put(b, japanese ? YG_SV("」に一致") : YG_SV("' matched"));
	put_in_brackets(b, w->family, japanese);
}

/* Of a DNS policy: what it did. */
static void put_dns(struct yg_buf *b, const struct because *w, bool japanese)
{
	bool noted = YG_SV_IS(w->type, "dns-note");
	if (japanese) {
		yg_buf_put(b, YG_SV("DNS ポリシー「"));
		yg_buf_put(b, w->indicator);
		yg_buf_put(b, noted ? YG_SV("」で記録のみ（遮断せず）") : YG_SV("」で遮断"));
	} else {
		yg_buf_put(b, noted ? YG_SV("not blocked, only noted by DNS policy '")
				    : YG_SV("blocked by DNS policy '"));
		yg_buf_put(b, w->indicator);
		yg_buf_putc(b, '\'');
	}
	put_in_brackets(b, w->category, japanese);
}

static void put_listed(struct yg_buf *b, const struct because *w, bool japanese)
{
	yg_buf_put(b, japanese ? yg_alert_type_ja(w->type) : w->type);
	yg_buf_putc(b, ' ');
	yg_buf_put(b, w->indicator);
	yg_buf_put(b, japanese ? YG_SV(" がリスト「") : YG_SV(" is on list '"));
	yg_buf_put(b, w->list);
	yg_buf_put(b, japanese ? YG_SV("」に掲載") : YG_SV("'"));
	if (w->category.n > 0) {
		yg_buf_put(b, japanese ? YG_SV("、分類: ") : YG_SV(" as "));
		yg_buf_put(b, w->category);
	}
	put_in_brackets(b, w->family, japanese);
}

/* What was read of the events, and where. */
static void put_seen(struct yg_buf *b, const struct because *w, bool japanese)
{
	long long n = (long long)w->count;
	if (japanese) {
		yg_buf_put(b, YG_SV("。"));
		yg_buf_put(b, w->asset.n > 0 ? w->asset : YG_SV("不明な資産"));
		yg_buf_printf(b, " で%lld回", n);
		if (w->fields.n > 0) {
			yg_buf_put(b, YG_SV("、項目: "));
			yg_buf_put(b, w->fields);
		}
		return;
	}
	if (w->fields.n > 0) {
		yg_buf_put(b, YG_SV("; seen in "));
		yg_buf_put(b, w->fields);
	}
	yg_buf_put(b, YG_SV(" at "));
	yg_buf_put(b, w->asset.n > 0 ? w->asset : YG_SV("an unknown asset"));
	yg_buf_printf(b, ", %lld times", n);
}

static struct yg_sv reason_of(const struct because *w, bool japanese, struct yg_arena *arena)
{
	YG_AUTO(yg_buf_free) struct yg_buf b = {0};
	yg_buf_init(&b, 65536);
	if (YG_SV_IS(w->type, "notice")) {
		put_notice(&b, w, japanese, arena);
	} else {
		if (YG_SV_IS(w->type, "rule"))
			put_rule(&b, w, japanese);
		else if (yg_sv_starts(w->type, YG_SV("dns-")))
			put_dns(&b, w, japanese);
		else
			put_listed(&b, w, japanese);
		put_seen(&b, w, japanese);
	}
	return b.bad ? (struct yg_sv){NULL, 0} : yg_arena_dup(arena, yg_buf_sv(&b));
}

yg_status yg_alert_reason(const struct yg_alert *a, bool japanese, struct yg_arena *arena,
			  struct yg_sv *out, struct yg_err *err)
{
	struct because w = {.type = a->indicator_type,
			    .indicator = a->indicator,
			    .list = a->list,
			    .category = a->category,
			    .family = a->family,
			    .fields = YG_SV(""),
			    .asset = a->asset,
			    .title = a->title,
			    .count = a->count,
			    .newest = YG_SV("")};
	*out = reason_of(&w, japanese, arena);
	return out->p != NULL ? YG_OK : YG_FAIL(err, YG_NOMEM, "reasons");
}

yg_status yg_alert_reasons(struct yg_state *db, struct yg_sv id, bool japanese,
			   struct yg_arena *arena, struct yg_sv **out, size_t *out_n,
			   struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	const size_t cap = 32; /* a merged alert of more parts shows the largest ones */
	struct yg_sv *list = YG_NEW_N(arena, struct yg_sv, cap);
	if (list == NULL)
		return YG_FAIL(err, YG_NOMEM, "reasons");
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT p.indicator_type, p.indicator, p.list, p.category, p.family, p.fields, p.asset, p.title, p.count,"
		       " CASE WHEN p.indicator_type = 'notice' THEN (SELECT e.fields FROM alert_evidence e"
		       " WHERE e.part = p.id ORDER BY e.time DESC, e.n DESC LIMIT 1) ELSE '' END"
		       " FROM alert a JOIN alert_part p ON p.alert = a.seq WHERE a.id = $1"
		       " ORDER BY p.count DESC, p.id LIMIT $2"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	yg_stmt_i64(s, 2, (int64_t)cap);
	size_t n = 0;
	bool row = true;
	while (n < cap && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		struct because w = {yg_col_text(s, 0), yg_col_text(s, 1), yg_col_text(s, 2),
				    yg_col_text(s, 3), yg_col_text(s, 4), yg_col_text(s, 5),
				    yg_col_text(s, 6), yg_col_text(s, 7), yg_col_i64(s, 8),
				    yg_col_text(s, 9)};
		list[n] = reason_of(&w, japanese, arena);
		if (list[n++].p == NULL)
			return YG_FAIL(err, YG_NOMEM, "reasons");
	}
	*out = list;
	*out_n = n;
	return st;
}
