#include "org/system.h"

#include "org/audit_log.h"
#include "org/organisation.h"
#include "org/rows.h"

#define COLUMNS                                                                                                   \
	"id, org, name, title_ja, title_en, owner, scheme, confidentiality, importance, integrity, availability," \
	" created, updated, version"

static bool title_ok(struct yg_sv s)
{
	if (s.n == 0 || s.n > (size_t)YG_TITLE_MAX * 4 || yg_utf8_valid(s) != s.n)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return true;
}

static bool among(struct yg_sv s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (yg_sv_eq(s, yg_sv_of(words[i])))
			return true;
	return false;
}

static yg_status check(const struct yg_system *y, struct yg_err *err)
{
	static const char *const schemes[] = {"cia3", "local5"};
	static const char *const three[] = {"1", "2", "3"};
	static const char *const five[] = {"1", "2", "3C", "3B", "3A"};
	bool local = YG_SV_IS(y->scheme, "local5");
	if (!yg_org_slug_ok(y->name))
		return YG_FAIL(err, YG_INVAL,
			       "a name of a system has a-z, 0-9 and '-' inside, at most %d",
			       YG_ORG_NAME_MAX);
	if (!title_ok(y->title_ja) || !title_ok(y->title_en))
		return YG_FAIL(err, YG_INVAL, "a title has 1 to %d characters on one line",
			       YG_TITLE_MAX);
	if (!among(y->scheme, schemes, YG_LEN(schemes)))
		return YG_FAIL(err, YG_INVAL, "a scheme of grades is cia3 or local5");
	if (local ? !among(y->confidentiality, five, YG_LEN(five))
		  : !among(y->confidentiality, three, YG_LEN(three)))
		return YG_FAIL(err, YG_INVAL, "confidentiality is one of %s in this scheme",
			       local ? "1, 2, 3C, 3B, 3A" : "1, 2, 3");
	if (y->importance < 1 || y->importance > 3 || y->integrity < 1 || y->integrity > 2 ||
	    y->availability < 1 || y->availability > 2)
		return YG_FAIL(err, YG_INVAL,
			       "importance is 1 to 3, integrity and availability are 1 or 2");
	if (y->owner.n > 64)
		return YG_FAIL(err, YG_INVAL, "an owner is a person's id");
	return YG_OK;
}

static void bind(struct yg_stmt *s, const struct yg_system *y)
{
	yg_stmt_text(s, 1, y->id);
	yg_stmt_text(s, 2, y->title_ja);
	yg_stmt_text(s, 3, y->title_en);
	yg_stmt_text(s, 4, y->owner);
	yg_stmt_text(s, 5, y->scheme);
	yg_stmt_text(s, 6, y->confidentiality);
	yg_stmt_i64(s, 7, y->importance);
	yg_stmt_i64(s, 8, y->integrity);
	yg_stmt_i64(s, 9, y->availability);
}

static yg_status insert(struct yg_act *act, const struct yg_system *y, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("INSERT INTO information_system (id, title_ja, title_en, owner, scheme, confidentiality,"
		       " importance, integrity, availability, org, name, created, updated)"
		       " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)"),
		&s, err);
	if (st != YG_OK)
		return st;
	bind(s, y);
	yg_stmt_text(s, 10, y->org);
	yg_stmt_text(s, 11, y->name);
	yg_stmt_i64(s, 12, yg_env_wall(act->env).us);
	return yg_stmt_run(s, err);
}

static void note_grades(struct yg_detail *d, const struct yg_system *from,
			const struct yg_system *to, bool *differs)
{
	*differs |= yg_detail_text(d, "title_ja", from->title_ja, to->title_ja);
	*differs |= yg_detail_text(d, "title_en", from->title_en, to->title_en);
	*differs |= yg_detail_text(d, "owner", from->owner, to->owner);
	*differs |= yg_detail_text(d, "scheme", from->scheme, to->scheme);
	*differs |=
		yg_detail_text(d, "confidentiality", from->confidentiality, to->confidentiality);
	*differs |= yg_detail_i64(d, "importance", from->importance, to->importance);
	*differs |= yg_detail_i64(d, "integrity", from->integrity, to->integrity);
	*differs |= yg_detail_i64(d, "availability", from->availability, to->availability);
}

static yg_status add(struct yg_act *act, const struct yg_system *y, struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_system none = {.title_ja = YG_SV_INIT(""),
				 .title_en = YG_SV_INIT(""),
				 .owner = YG_SV_INIT(""),
				 .scheme = YG_SV_INIT(""),
				 .confidentiality = YG_SV_INIT("")};
	bool differs = false;
	yg_detail_init(&d);
	yg_detail_note(&d, "name", y->name);
	note_grades(&d, &none, y, &differs);
	yg_status st = yg_org_known(act->db, y->org, err);
	if (st == YG_OK)
		st = insert(act, y, err);
	if (st == YG_CONFLICT)
		return YG_FAIL(err, YG_CONFLICT, "the organisation has a system of that name");
	return st == YG_OK ? yg_audit_add(act, "system.add", y->id, y->org, &d, err) : st;
}

yg_status yg_system_add(struct yg_act *act, const struct yg_system *y, struct yg_id *out_id,
			struct yg_err *err)
{
	struct yg_system full = *y;
	struct yg_id id = yg_id_new(&act->ids, act->env, "y");
	struct yg_tx tx;
	full.id = yg_id_sv(&id);
	if (full.title_en.n == 0)
		full.title_en = full.title_ja.n > 0 ? full.title_ja : full.name;
	if (full.title_ja.n == 0)
		full.title_ja = full.title_en;
	if (full.scheme.n == 0)
		full.scheme = YG_SV("cia3");
	if (full.confidentiality.n == 0)
		full.confidentiality = YG_SV("1");
	full.importance += full.importance == 0;
	full.integrity += full.integrity == 0;
	full.availability += full.availability == 0;
	yg_status st = check(&full, err);
	if (st == YG_OK)
		st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	st = yg_tx_end(&tx, add(act, &full, err), err);
	if (st == YG_OK)
		*out_id = id;
	return st;
}

static yg_status take(struct yg_stmt *s, struct yg_arena *arena, void *to, struct yg_err *err)
{
	struct yg_system *y = to;
	struct yg_sv *texts[] = {&y->id,       &y->org,   &y->name,   &y->title_ja,
				 &y->title_en, &y->owner, &y->scheme, &y->confidentiality};
	for (size_t i = 0; i < YG_LEN(texts); i++) {
		*texts[i] = yg_arena_dup(arena, yg_col_text(s, (int)i));
		if (texts[i]->p == NULL)
			return YG_FAIL(err, YG_NOMEM, "systems");
	}
	y->importance = (int)yg_col_i64(s, 8);
	y->integrity = (int)yg_col_i64(s, 9);
	y->availability = (int)yg_col_i64(s, 10);
	y->created.us = yg_col_i64(s, 11);
	y->updated.us = yg_col_i64(s, 12);
	y->version = yg_col_i64(s, 13);
	return YG_OK;
}

yg_status yg_system_get(struct yg_state *db, struct yg_sv id, struct yg_arena *arena,
			struct yg_system *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT " COLUMNS " FROM information_system WHERE id = $1"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && !row)
		return YG_FAIL(err, YG_NOTFOUND, "no such system");
	return st == YG_OK ? take(s, arena, out, err) : st;
}

yg_status yg_system_list(struct yg_state *db, const struct yg_reach *reach, struct yg_sv after,
			 uint32_t limit, struct yg_arena *arena, struct yg_system **out,
			 size_t *out_n, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	limit = YG_MIN(limit, (uint32_t)YG_PAGE_MAX + 1);
	struct yg_system *list = YG_NEW_N(arena, struct yg_system, limit);
	if (list == NULL && limit > 0)
		return YG_FAIL(err, YG_NOMEM, "systems");
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT " COLUMNS " FROM information_system WHERE id > $1"
		       " AND ($2 = 1 OR org IN yg_set($3) OR id IN yg_set($4)) AND created < $6"
		       " ORDER BY id LIMIT $5"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, after);
	yg_stmt_i64(s, 2, yg_reach_all_flag(reach));
	yg_stmt_set(s, 3, reach->orgs, reach->org_count);
	yg_stmt_set(s, 4, reach->systems, reach->system_count);
	yg_stmt_i64(s, 5, limit);
	yg_stmt_i64(s, 6, yg_reach_until(reach));
	*out = list;
	return yg_rows_take(s, take, arena, list, sizeof *list, limit, out_n, err);
}

static yg_status update(struct yg_act *act, const struct yg_system *y, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("UPDATE information_system SET title_ja = $2, title_en = $3, owner = $4, scheme = $5,"
		       " confidentiality = $6, importance = $7, integrity = $8, availability = $9,"
		       " updated = $10, version = version + 1 WHERE id = $1"),
		&s, err);
	if (st != YG_OK)
		return st;
	bind(s, y);
	yg_stmt_i64(s, 10, yg_env_wall(act->env).us);
	return yg_stmt_run(s, err);
}

static yg_status change(struct yg_act *act, const struct yg_system *old, int64_t version,
			const struct yg_system_set *set, struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_system y = *old;
	bool differs = false;
	yg_detail_init(&d);
	if (version != YG_ANY_VERSION && version != old->version)
		return YG_FAIL(err, YG_CONFLICT, "the system was changed meanwhile");
	const struct {
		struct yg_sv *to;
		const struct yg_sv *from;
	} texts[] = {{&y.title_ja, set->title_ja},
		     {&y.title_en, set->title_en},
		     {&y.owner, set->owner},
		     {&y.scheme, set->scheme},
		     {&y.confidentiality, set->confidentiality}};
	for (size_t i = 0; i < YG_LEN(texts); i++)
		if (texts[i].from != NULL)
			*texts[i].to = *texts[i].from;
	y.importance = set->importance != 0 ? set->importance : y.importance;
	y.integrity = set->integrity != 0 ? set->integrity : y.integrity;
	y.availability = set->availability != 0 ? set->availability : y.availability;
	yg_status st = check(&y, err);
	if (st != YG_OK)
		return st;
	note_grades(&d, old, &y, &differs);
	if (!differs)
		return YG_OK;
	st = update(act, &y, err);
	return st == YG_OK ? yg_audit_add(act, "system.update", y.id, y.org, &d, err) : st;
}

yg_status yg_system_change(struct yg_act *act, struct yg_sv id, int64_t version,
			   const struct yg_system_set *set, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_tx tx;
	struct yg_system old = {0};
	yg_arena_init(&arena, 65536);
	yg_status st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	st = yg_system_get(act->db, id, &arena, &old, err);
	if (st == YG_OK)
		st = change(act, &old, version, set, err);
	return yg_tx_end(&tx, st, err);
}

static yg_status remove_one(struct yg_act *act, struct yg_sv id, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_system y = {0};
	const char *const steps[] = {
		YG_SQL("UPDATE alert SET system = '' WHERE system = $1"),
		YG_SQL("DELETE FROM role_grant WHERE system = $1"),
		YG_SQL("DELETE FROM system_member WHERE system = $1"),
		YG_SQL("DELETE FROM information_system WHERE id = $1"),
	};
	yg_arena_init(&arena, 65536);
	yg_detail_init(&d);
	yg_status st = yg_system_get(act->db, id, &arena, &y, err);
	for (size_t i = 0; st == YG_OK && i < YG_LEN(steps); i++) {
		struct yg_stmt *s = NULL;
		st = yg_state_prepare(act->db, steps[i], &s, err);
		if (st != YG_OK)
			break;
		yg_stmt_text(s, 1, id);
		st = yg_stmt_run(s, err);
	}
	if (st != YG_OK)
		return st;
	yg_detail_note(&d, "name", y.name);
	return yg_audit_add(act, "system.remove", id, y.org, &d, err);
}

yg_status yg_system_remove(struct yg_act *act, struct yg_sv id, struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, remove_one(act, id, err), err) : st;
}
