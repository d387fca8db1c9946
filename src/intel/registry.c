#include "intel/registry.h"

#include "base/limits.h"
#include "intel/registry_internal.h"
#include "org/audit_log.h"
#include "org/organisation.h"
#include "store/compiled.h"

#define LIST_COLUMNS                                                                                                \
	"id, uid, name, title, source, format, category, org, tlp, confidence, enabled, entries, created, updated," \
	" version"
#define REMOVE_CHUNK 20000 /* row numbers per transaction */

bool yg_registry_text_ok(struct yg_sv s, size_t max)
{
	if (s.n > max || yg_utf8_valid(s) != s.n)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return true;
}

yg_status yg_registry_touch(struct yg_state *db, struct yg_err *err)
{
	return yg_compiled_touch(YG_COMPILED_INDICATORS, db, err);
}

static bool name_ok(struct yg_sv s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') &&
		    c != '.' && c != '_' && c != '-')
			return false;
	}
	return s.n >= 1 && s.n <= 64;
}

static yg_status check_list(const struct yg_list *l, struct yg_err *err)
{
	if (!name_ok(l->name))
		return YG_FAIL(err, YG_INVAL, "a list's name has 1 to 64 of A-Z a-z 0-9 . _ -");
	if (!yg_registry_text_ok(l->title, 800) || !yg_registry_text_ok(l->source, 1024) ||
	    !yg_registry_text_ok(l->format, 64) || !yg_registry_text_ok(l->category, 64))
		return YG_FAIL(err, YG_INVAL,
			       "a text of the list is too long or not one line of text");
	if (l->confidence < 0 || l->confidence > 100)
		return YG_FAIL(err, YG_INVAL, "confidence is 0 to 100");
	if (l->tlp == YG_TLP_NONE || l->tlp >= YG_TLP_COUNT)
		return YG_FAIL(err, YG_INVAL, "a list has a TLP marking");
	return YG_OK;
}

static yg_status insert_list(struct yg_act *act, const struct yg_list *l, struct yg_sv uid,
			     struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("INSERT INTO indicator_list (uid, name, title, source, format, category, org, tlp, confidence,"
		       " enabled, created, updated) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, uid);
	yg_stmt_text(s, 2, l->name);
	yg_stmt_text(s, 3, l->title.n > 0 ? l->title : l->name);
	yg_stmt_text(s, 4, l->source);
	yg_stmt_text(s, 5, l->format);
	yg_stmt_text(s, 6, l->category);
	yg_stmt_text_or_null(s, 7, l->org);
	yg_stmt_text(s, 8, yg_sv_of(yg_tlp_name(l->tlp)));
	yg_stmt_i64(s, 9, l->confidence);
	yg_stmt_i64(s, 10, l->enabled);
	yg_stmt_i64(s, 11, yg_env_wall(act->env).us);
	return yg_stmt_run(s, err);
}

yg_status yg_list_add(struct yg_act *act, const struct yg_list *l, struct yg_id *out_uid,
		      struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_tx tx;
	struct yg_id uid = yg_id_new(&act->ids, act->env, "l");
	yg_status st = check_list(l, err);
	if (st == YG_OK)
		st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	yg_detail_init(&d);
	yg_detail_note(&d, "name", l->name);
	yg_detail_note(&d, "tlp", yg_sv_of(yg_tlp_name(l->tlp)));
	yg_detail_count(&d, "confidence", l->confidence);
	if (l->org.n > 0)
		st = yg_org_known(act->db, l->org, err);
	if (st == YG_OK)
		st = insert_list(act, l, yg_id_sv(&uid), err);
	if (st == YG_CONFLICT)
		st = YG_FAIL(err, YG_CONFLICT, "a list of that name exists already");
	if (st == YG_OK)
		st = yg_audit_add(act, "list.add", yg_id_sv(&uid), l->org, &d, err);
	st = yg_tx_end(&tx, st, err);
	if (st == YG_OK)
		*out_uid = uid;
	return st;
}

static yg_status take_list(struct yg_stmt *s, struct yg_arena *arena, struct yg_list *l,
			   struct yg_err *err)
{
	struct yg_sv *text[] = {&l->uid,    &l->name,     &l->title, &l->source,
				&l->format, &l->category, &l->org};
	for (size_t i = 0; i < YG_LEN(text); i++) {
		*text[i] = yg_arena_dup(arena, yg_col_text(s, (int)i + 1));
		if (text[i]->p == NULL)
			return YG_FAIL(err, YG_NOMEM, "lists");
	}
	l->seq = yg_col_i64(s, 0);
	l->tlp = YG_TLP_NONE;
	(void)yg_tlp_parse(yg_col_text(s, 8), &l->tlp);
	l->confidence = (int)yg_col_i64(s, 9);
	l->enabled = yg_col_i64(s, 10) != 0;
	l->entries = yg_col_i64(s, 11);
	l->created.us = yg_col_i64(s, 12);
	l->updated.us = yg_col_i64(s, 13);
	l->version = yg_col_i64(s, 14);
	return YG_OK;
}

yg_status yg_list_get(struct yg_state *db, struct yg_sv uid_or_name, struct yg_arena *arena,
		      struct yg_list *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct yg_list l = {0};
	bool row = false;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT " LIST_COLUMNS " FROM indicator_list WHERE uid = $1 OR name = $1"
		       " ORDER BY CASE WHEN uid = $1 THEN 0 ELSE 1 END LIMIT 1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, uid_or_name);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && !row)
		return YG_FAIL(err, YG_NOTFOUND, "no such list");
	if (st == YG_OK)
		st = take_list(s, arena, &l, err);
	if (st == YG_OK)
		*out = l;
	return st;
}

yg_status yg_list_list(struct yg_state *db, const struct yg_reach *reach, struct yg_sv after,
		       uint32_t limit, struct yg_arena *arena, struct yg_list **out, size_t *out_n,
		       struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	limit = YG_MIN(limit, (uint32_t)YG_PAGE_MAX + 1);
	struct yg_list *list = YG_NEW_N(arena, struct yg_list, limit);
	if (list == NULL && limit > 0)
		return YG_FAIL(err, YG_NOMEM, "lists");
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT " LIST_COLUMNS
		       " FROM indicator_list WHERE ($1 = 1 OR org IS NULL OR org IN yg_set($4))"
		       " AND uid > $2 AND created < $5 ORDER BY uid LIMIT $3"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, yg_reach_all_flag(reach));
	yg_stmt_set(s, 4, reach->orgs, reach->org_count);
	yg_stmt_text(s, 2, after);
	yg_stmt_i64(s, 3, limit);
	yg_stmt_i64(s, 5, yg_reach_until(reach));
	size_t n = 0;
	bool row = true;
	while (n < limit && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		st = take_list(s, arena, &list[n++], err);
		if (st != YG_OK)
			return st;
	}
	*out = list;
	*out_n = n;
	return st;
}

static yg_status write_list(struct yg_act *act, const struct yg_list *l, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("UPDATE indicator_list SET title = $2, category = $3, tlp = $4, confidence = $5,"
		       " again = CASE WHEN enabled = 0 AND $6 = 1 THEN 1 ELSE again END, enabled = $6,"
		       " updated = $7, version = version + 1 WHERE id = $1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, l->seq);
	yg_stmt_text(s, 2, l->title);
	yg_stmt_text(s, 3, l->category);
	yg_stmt_text(s, 4, yg_sv_of(yg_tlp_name(l->tlp)));
	yg_stmt_i64(s, 5, l->confidence);
	yg_stmt_i64(s, 6, l->enabled);
	yg_stmt_i64(s, 7, yg_env_wall(act->env).us);
	return yg_stmt_run(s, err);
}

static yg_status change_list(struct yg_act *act, struct yg_sv uid, int64_t version,
			     const struct yg_list_set *set, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_list old = {0}, l = {0};
	yg_arena_init(&arena, 65536);
	yg_detail_init(&d);
	yg_status st = yg_list_get(act->db, uid, &arena, &old, err);
	if (st != YG_OK)
		return st;
	if (version != YG_ANY_VERSION && version != old.version)
		return YG_FAIL(err, YG_CONFLICT, "the list was changed meanwhile");
	l = old;
	l.title = set->title != NULL ? *set->title : l.title;
	l.category = set->category != NULL ? *set->category : l.category;
	l.tlp = set->tlp != YG_TLP_NONE ? set->tlp : l.tlp;
	l.confidence = set->confidence >= 0 ? set->confidence : l.confidence;
	l.enabled = set->enabled >= 0 ? set->enabled != 0 : l.enabled;
	st = check_list(&l, err);
	bool differs = yg_detail_text(&d, "title", old.title, l.title);
	differs |= yg_detail_text(&d, "category", old.category, l.category);
	differs |= yg_detail_text(&d, "tlp", yg_sv_of(yg_tlp_name(old.tlp)),
				  yg_sv_of(yg_tlp_name(l.tlp)));
	differs |= yg_detail_i64(&d, "confidence", old.confidence, l.confidence);
	differs |= yg_detail_i64(&d, "enabled", old.enabled, l.enabled);
	if (st != YG_OK || !differs)
		return st;
	st = write_list(act, &l, err);
	if (st == YG_OK)
		st = yg_registry_touch(act->db, err);
	return st == YG_OK ? yg_audit_add(act, "list.update", l.uid, l.org, &d, err) : st;
}

yg_status yg_list_change(struct yg_act *act, struct yg_sv uid, int64_t version,
			 const struct yg_list_set *set, struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, change_list(act, uid, version, set, err), err) : st;
}

static yg_status highest_entry(struct yg_state *db, int64_t *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st =
		yg_state_prepare(db, YG_SQL("SELECT coalesce(max(id), 0) FROM indicator"), &s, err);
	if (st == YG_OK)
		st = yg_stmt_step(s, &row, err);
	*out = st == YG_OK && row ? yg_col_i64(s, 0) : 0;
	return st;
}

/* The entries go window by window of row numbers, each in its own transaction. */
static yg_status remove_entries(struct yg_act *act, int64_t list, yg_progress_fn *progress,
				void *ctx, struct yg_err *err)
{
	int64_t top = 0;
	yg_status st = highest_entry(act->db, &top, err);
	for (int64_t from = 0; st == YG_OK && from < top; from += REMOVE_CHUNK) {
		struct yg_stmt *s = NULL;
		st = yg_state_prepare(
			act->db,
			YG_SQL("DELETE FROM indicator WHERE list = $1 AND id > $2 AND id <= $3"),
			&s, err);
		if (st == YG_OK) {
			yg_stmt_i64(s, 1, list);
			yg_stmt_i64(s, 2, from);
			yg_stmt_i64(s, 3, from + REMOVE_CHUNK);
			st = yg_stmt_run(s, err);
		}
		if (st == YG_OK && progress != NULL &&
		    !progress(ctx, (uint64_t)YG_MIN(from + REMOVE_CHUNK, top), (uint64_t)top))
			st = YG_FAIL(err, YG_AGAIN, "stopped while removing entries");
	}
	return st;
}

static yg_status delete_list(struct yg_act *act, const struct yg_list *l, struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_stmt *s = NULL;
	struct yg_tx tx;
	yg_detail_init(&d);
	yg_detail_note(&d, "name", l->name);
	yg_detail_count(&d, "entries", l->entries);
	yg_status st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	st = yg_state_prepare(act->db, YG_SQL("DELETE FROM indicator_list WHERE id = $1"), &s, err);
	if (st == YG_OK) {
		yg_stmt_i64(s, 1, l->seq);
		st = yg_stmt_run(s, err);
	}
	if (st == YG_OK)
		st = yg_registry_touch(act->db, err);
	if (st == YG_OK)
		st = yg_audit_add(act, "list.remove", l->uid, l->org, &d, err);
	return yg_tx_end(&tx, st, err);
}

yg_status yg_list_remove(struct yg_act *act, struct yg_sv uid, yg_progress_fn *progress, void *ctx,
			 struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_list l = {0};
	struct yg_list_set off = {.confidence = -1, .enabled = 0};
	yg_arena_init(&arena, 65536);
	if (yg_state_in_transaction(act->db))
		return YG_FAIL(err, YG_INTERNAL, "a list is removed in transactions of its own");
	/* out of force at once, though its entries take a while to go */
	yg_status st = yg_list_get(act->db, uid, &arena, &l, err);
	if (st == YG_OK && l.enabled)
		st = yg_list_change(act, l.uid, YG_ANY_VERSION, &off, err);
	if (st == YG_OK)
		st = remove_entries(act, l.seq, progress, ctx, err);
	return st == YG_OK ? delete_list(act, &l, err) : st;
}
