#include "org/organisation.h"

#include "org/audit_log.h"
#include "org/reach.h"
#include "org/rows.h"
#include "org/tree.h"

#define COLUMNS                                                                                    \
	"slug, title_ja, title_en, parent, demo, created, updated, version, kind, prefecture"

static const char *const kind_names[] = {[YG_ORG_KIND_NONE] = "",
#define X(id, num, name) [num] = name,
					 YG_ORG_KINDS(X)
#undef X
};

const char *yg_org_kind_name(enum yg_org_kind k)
{
	return (size_t)k < YG_LEN(kind_names) ? kind_names[k] : "";
}

yg_status yg_org_kind_parse(struct yg_sv s, enum yg_org_kind *out)
{
	for (size_t i = 1; i < YG_LEN(kind_names); i++)
		if (yg_sv_eq(s, yg_sv_of(kind_names[i]))) {
			*out = (enum yg_org_kind)i;
			return YG_OK;
		}
	return YG_PARSE;
}

bool yg_org_slug_ok(struct yg_sv s)
{
	if (s.n == 0 || s.n > YG_ORG_NAME_MAX || s.p[0] == '-' || s.p[s.n - 1] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] < 'a' || s.p[i] > 'z') && (s.p[i] < '0' || s.p[i] > '9') &&
		    s.p[i] != '-')
			return false;
	return true;
}

static bool title_ok(struct yg_sv s)
{
	if (s.n == 0 || s.n > (size_t)YG_TITLE_MAX * 4 || yg_utf8_valid(s) != s.n)
		return false;
	size_t characters = 0;
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
		characters += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	}
	return characters <= YG_TITLE_MAX;
}

static yg_status insert(struct yg_act *act, const struct yg_org *o, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("INSERT INTO organisation (slug, title_ja, title_en, parent, demo, created, updated, kind, prefecture)"
		       " VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8)"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, o->slug);
	yg_stmt_text(s, 2, o->title_ja);
	yg_stmt_text(s, 3, o->title_en);
	yg_stmt_text_or_null(s, 4, o->parent);
	yg_stmt_i64(s, 5, o->demo);
	yg_stmt_i64(s, 6, yg_env_wall(act->env).us);
	yg_stmt_text(s, 7, yg_sv_of(yg_org_kind_name(o->kind)));
	yg_stmt_i64(s, 8, o->prefecture);
	return yg_stmt_run(s, err);
}

/* Where an organisation stands is the centre's to know: its own people may see
 * nothing of the node above. */
static yg_status note_place(struct yg_act *act, const struct yg_org *o, struct yg_sv from,
			    struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	yg_detail_init(&d);
	(void)yg_detail_text(&d, "parent", from, o->parent);
	return yg_audit_add(act, "org.move", o->slug, YG_SV(""), &d, err);
}

yg_status yg_org_add(struct yg_act *act, const struct yg_org *o, struct yg_err *err)
{
	struct yg_org full = *o;
	if (!yg_org_slug_ok(o->slug))
		return YG_FAIL(err, YG_INVAL,
			       "a name of an organisation has a-z, 0-9 and '-' inside, at most %d",
			       YG_ORG_NAME_MAX);
	if (full.title_en.n == 0)
		full.title_en = full.title_ja.n > 0 ? full.title_ja : full.slug;
	if (full.title_ja.n == 0)
		full.title_ja = full.title_en;
	if (full.kind == YG_ORG_KIND_NONE)
		full.kind = YG_ORG_ORGANISATION;
	if (!title_ok(full.title_ja) || !title_ok(full.title_en))
		return YG_FAIL(err, YG_INVAL, "a title has 1 to %d characters on one line",
			       YG_TITLE_MAX);
	if (full.prefecture < 0 || full.prefecture > YG_PREFECTURE_MAX)
		return YG_FAIL(err, YG_INVAL, "a prefecture is a number from 1 to 47");
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_tx tx;
	yg_detail_init(&d);
	yg_detail_note(&d, "title_ja", full.title_ja);
	yg_detail_note(&d, "title_en", full.title_en);
	yg_detail_count(&d, "demo", full.demo);
	yg_detail_note(&d, "kind", yg_sv_of(yg_org_kind_name(full.kind)));
	yg_status st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	st = yg_tree_check(act->db, &full, err);
	if (st == YG_OK)
		st = insert(act, &full, err);
	if (st == YG_CONFLICT)
		st = YG_FAIL(err, YG_CONFLICT, "the organisation exists already");
	if (st == YG_OK)
		st = yg_tree_add(act->db, full.slug, full.parent, err);
	if (st == YG_OK)
		st = yg_audit_add(act, "org.add", full.slug, full.slug, &d, err);
	if (st == YG_OK && full.parent.n > 0)
		st = note_place(act, &full, YG_SV(""), err);
	return yg_tx_end(&tx, st, err);
}

static yg_status take(struct yg_stmt *s, struct yg_arena *arena, void *to, struct yg_err *err)
{
	struct yg_org *o = to;
	*o = (struct yg_org){
		.slug = yg_arena_dup(arena, yg_col_text(s, 0)),
		.title_ja = yg_arena_dup(arena, yg_col_text(s, 1)),
		.title_en = yg_arena_dup(arena, yg_col_text(s, 2)),
		.parent = yg_arena_dup(arena, yg_col_text(s, 3)),
		.demo = yg_col_i64(s, 4) != 0,
		.created = {yg_col_i64(s, 5)},
		.updated = {yg_col_i64(s, 6)},
		.version = yg_col_i64(s, 7),
		.prefecture = (int)yg_col_i64(s, 9),
	};
	(void)yg_org_kind_parse(yg_col_text(s, 8), &o->kind);
	if (o->slug.p == NULL || o->title_ja.p == NULL || o->title_en.p == NULL ||
	    o->parent.p == NULL)
		return YG_FAIL(err, YG_NOMEM, "organisation");
	return YG_OK;
}

yg_status yg_org_get(struct yg_state *db, struct yg_sv slug, struct yg_arena *arena,
		     struct yg_org *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT " COLUMNS " FROM organisation WHERE slug = $1"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, slug);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && !row)
		return YG_FAIL(err, YG_NOTFOUND, "no such organisation");
	return st == YG_OK ? take(s, arena, out, err) : st;
}

yg_status yg_org_known(struct yg_state *db, struct yg_sv slug, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st =
		yg_state_prepare(db, YG_SQL("SELECT 1 FROM organisation WHERE slug = $1"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, slug);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && !row)
		return YG_FAIL(err, YG_NOTFOUND, "no such organisation");
	return st;
}

yg_status yg_org_list(struct yg_state *db, const struct yg_reach *reach, struct yg_sv after,
		      uint32_t limit, struct yg_arena *arena, struct yg_org **out, size_t *out_n,
		      struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	limit = YG_MIN(limit, (uint32_t)YG_PAGE_MAX + 1);
	struct yg_org *list = YG_NEW_N(arena, struct yg_org, limit);
	if (list == NULL && limit > 0)
		return YG_FAIL(err, YG_NOMEM, "organisations");
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT " COLUMNS
		       " FROM organisation WHERE slug > $1 AND ($3 = 1 OR slug IN yg_set($4))"
		       " AND created < $5 ORDER BY slug LIMIT $2"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, after);
	yg_stmt_i64(s, 2, limit);
	yg_stmt_i64(s, 3, yg_reach_all_flag(reach));
	yg_stmt_set(s, 4, reach->orgs, reach->org_count);
	yg_stmt_i64(s, 5, yg_reach_until(reach));
	*out = list;
	return yg_rows_take(s, take, arena, list, sizeof *list, limit, out_n, err);
}

static yg_status update(struct yg_act *act, const struct yg_org *o, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("UPDATE organisation SET title_ja = $2, title_en = $3, parent = $4, kind = $5,"
		       " prefecture = $6, updated = $7, version = version + 1 WHERE slug = $1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, o->slug);
	yg_stmt_text(s, 2, o->title_ja);
	yg_stmt_text(s, 3, o->title_en);
	yg_stmt_text_or_null(s, 4, o->parent);
	yg_stmt_text(s, 5, yg_sv_of(yg_org_kind_name(o->kind)));
	yg_stmt_i64(s, 6, o->prefecture);
	yg_stmt_i64(s, 7, yg_env_wall(act->env).us);
	return yg_stmt_run(s, err);
}

/* `old` with what is set. */
static struct yg_org changed(const struct yg_org *old, const struct yg_org_edit *set)
{
	struct yg_org o = *old;
	if (set->title_ja != NULL)
		o.title_ja = *set->title_ja;
	if (set->title_en != NULL)
		o.title_en = *set->title_en;
	if (set->parent != NULL)
		o.parent = *set->parent;
	if (set->kind != YG_ORG_KIND_NONE)
		o.kind = set->kind;
	if (set->prefecture >= 0)
		o.prefecture = set->prefecture;
	return o;
}

static yg_status change(struct yg_act *act, const struct yg_org *old, int64_t version,
			const struct yg_org_edit *set, struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_org o = changed(old, set);
	yg_detail_init(&d);
	if (version != YG_ANY_VERSION && version != o.version)
		return YG_FAIL(err, YG_CONFLICT, "the organisation was changed meanwhile");
	if (!title_ok(o.title_ja) || !title_ok(o.title_en))
		return YG_FAIL(err, YG_INVAL, "a title has 1 to %d characters on one line",
			       YG_TITLE_MAX);
	if (o.prefecture > YG_PREFECTURE_MAX)
		return YG_FAIL(err, YG_INVAL, "a prefecture is a number from 1 to 47");
	bool differs = yg_detail_text(&d, "title_ja", old->title_ja, o.title_ja);
	differs |= yg_detail_text(&d, "title_en", old->title_en, o.title_en);
	bool moved = !yg_sv_eq(old->parent, o.parent);
	differs |= yg_detail_text(&d, "kind", yg_sv_of(yg_org_kind_name(old->kind)),
				  yg_sv_of(yg_org_kind_name(o.kind)));
	differs |= yg_detail_i64(&d, "prefecture", old->prefecture, o.prefecture);
	if (!differs && !moved)
		return YG_OK;
	bool placed = moved || old->kind != o.kind;
	yg_status st = placed ? yg_tree_check(act->db, &o, err) : YG_OK;
	if (st == YG_OK && moved)
		st = yg_tree_move(act->db, o.slug, o.parent, err);
	if (st == YG_OK)
		st = update(act, &o, err);
	if (st == YG_OK && differs)
		st = yg_audit_add(act, "org.update", o.slug, o.slug, &d, err);
	return st == YG_OK && moved ? note_place(act, &o, old->parent, err) : st;
}

yg_status yg_org_change(struct yg_act *act, struct yg_sv slug, int64_t version,
			const struct yg_org_edit *set, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_tx tx;
	struct yg_org old = {0};
	yg_arena_init(&arena, 65536);
	yg_status st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	st = yg_org_get(act->db, slug, &arena, &old, err);
	if (st == YG_OK)
		st = change(act, &old, version, set, err);
	return yg_tx_end(&tx, st, err);
}

/* What keeps an organisation from being removed; NULL when nothing does. */
static yg_status owns(struct yg_act *act, struct yg_sv slug, const char **out, struct yg_err *err)
{
	static const char *const what[] = {
		"alerts",          "indicator lists",        "allow entries",       "sources",
		"valid tokens",    "organisations below it", "information systems", "block entries",
		"detection rules", "detection exceptions"};
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("SELECT (SELECT count(*) FROM alert WHERE org = $1),"
		       " (SELECT count(*) FROM indicator_list WHERE org = $1),"
		       " (SELECT count(*) FROM allow_entry WHERE org = $1),"
		       " (SELECT count(*) FROM source WHERE org = $1),"
		       " (SELECT count(*) FROM token WHERE org = $1 AND revoked = 0 AND (expires = 0 OR expires > $2)),"
		       " (SELECT count(*) FROM organisation WHERE parent = $1),"
		       " (SELECT count(*) FROM information_system WHERE org = $1),"
		       " (SELECT count(*) FROM block_entry WHERE org = $1),"
		       " (SELECT count(*) FROM detect_rule WHERE org = $1),"
		       " (SELECT count(*) FROM detect_exception WHERE org = $1)"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, slug);
	yg_stmt_i64(s, 2, yg_env_wall(act->env).us);
	st = yg_stmt_step(s, &row, err);
	*out = NULL;
	for (size_t i = 0; st == YG_OK && i < YG_LEN(what) && *out == NULL; i++)
		if (yg_col_i64(s, (int)i) > 0)
			*out = what[i];
	return st;
}

/* Each with the organisation as its only parameter. */
static yg_status run_all(struct yg_act *act, const char *const *texts, size_t n, struct yg_sv slug,
			 struct yg_err *err)
{
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < n; i++) {
		struct yg_stmt *s = NULL;
		st = yg_state_prepare(act->db, texts[i], &s, err);
		if (st != YG_OK)
			return st;
		yg_stmt_text(s, 1, slug);
		st = yg_stmt_run(s, err);
	}
	return st;
}

static yg_status delete_detection(struct yg_act *act, struct yg_sv slug, struct yg_err *err)
{
	const char *const texts[] = {
		YG_SQL("DELETE FROM detect_override WHERE org = $1"),
		YG_SQL("DELETE FROM detect_stat WHERE org = $1"),
		YG_SQL("DELETE FROM detect_sample WHERE org = $1"),
		YG_SQL("DELETE FROM detect_source WHERE org = $1"),
		YG_SQL("DELETE FROM detect_state WHERE org = $1"),
		YG_SQL("DELETE FROM detect_notice WHERE org = $1"),
		YG_SQL("DELETE FROM hunted_stage WHERE org = $1"),
		YG_SQL("DELETE FROM retro_hunt_item WHERE hunt IN (SELECT seq FROM retro_hunt WHERE org = $1)"),
		YG_SQL("DELETE FROM retro_hunt_state WHERE org = $1 OR hunt IN (SELECT seq FROM retro_hunt WHERE org = $1)"),
		YG_SQL("DELETE FROM retro_hunt WHERE org = $1"),
		YG_SQL("DELETE FROM notice_finding WHERE org = $1"),
	};
	return run_all(act, texts, YG_LEN(texts), slug, err);
}

/* The organisation and what only tells of it. */
static yg_status delete_org(struct yg_act *act, struct yg_sv slug, struct yg_err *err)
{
	const char *const texts[] = {
		YG_SQL("DELETE FROM token WHERE org = $1"),
		YG_SQL("DELETE FROM source_expectation WHERE org = $1"),
		YG_SQL("DELETE FROM saved_search WHERE org = $1"),
		YG_SQL("DELETE FROM event_hour WHERE org = $1"),
		YG_SQL("DELETE FROM alert_hour WHERE org = $1"),
		YG_SQL("DELETE FROM alert_count WHERE org = $1"),
		YG_SQL("DELETE FROM role_grant WHERE node = $1"),
		YG_SQL("DELETE FROM dns_mode WHERE org = $1"),
		YG_SQL("DELETE FROM dns_allow_request WHERE org = $1"),
		YG_SQL("DELETE FROM dns_answer WHERE org = $1"),
		YG_SQL("DELETE FROM due_policy WHERE org = $1"),
		YG_SQL("UPDATE person SET org = '' WHERE org = $1"),
		YG_SQL("DELETE FROM organisation_path WHERE slug = $1"),
		YG_SQL("DELETE FROM organisation WHERE slug = $1"),
	};
	yg_status st = delete_detection(act, slug, err);
	return st == YG_OK ? run_all(act, texts, YG_LEN(texts), slug, err) : st;
}

yg_status yg_org_remove(struct yg_act *act, struct yg_sv slug, struct yg_err *err)
{
	struct yg_tx tx;
	const char *what = NULL;
	yg_status st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	st = yg_org_known(act->db, slug, err);
	if (st == YG_OK)
		st = owns(act, slug, &what, err);
	if (st == YG_OK && what != NULL)
		st = YG_FAIL(err, YG_CONFLICT, "the organisation still has %s", what);
	if (st == YG_OK)
		st = delete_org(act, slug, err);
	if (st == YG_OK)
		st = yg_audit_add(act, "org.remove", slug, slug, NULL, err);
	return yg_tx_end(&tx, st, err);
}

yg_status yg_org_demo(struct yg_state *db, struct yg_arena *arena, struct yg_sv **out,
		      size_t *out_n, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	const size_t cap = 1024; /* the demonstration makes a dozen */
	struct yg_sv *list = YG_NEW_N(arena, struct yg_sv, cap);
	if (list == NULL)
		return YG_FAIL(err, YG_NOMEM, "organisations");
	size_t n = 0;
	bool row = true;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT o.slug FROM organisation o WHERE o.demo = 1 ORDER BY"
		       " (SELECT count(*) FROM organisation_path p WHERE p.slug = o.slug) DESC, o.slug"),
		&s, err);
	while (st == YG_OK && n < cap && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		list[n] = yg_arena_dup(arena, yg_col_text(s, 0));
		if (list[n++].p == NULL)
			return YG_FAIL(err, YG_NOMEM, "organisations");
	}
	*out = list;
	*out_n = n;
	return st;
}
