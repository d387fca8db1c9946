/* registry_import.c - many rules at once, all of them or none. */
#include "detect/registry_internal.h"

struct importing {
	struct yg_act *act;
	const struct yg_drule_place *at;
	struct yg_detect_documents *docs;
	struct yg_arena one; /* of the document at hand */
	struct yg_drule_imported n;
};

/* The rule with that key as it is; uid empty: there is none. */
static yg_status find(struct importing *im, struct yg_sv key, struct yg_drule *out,
		      struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	const struct yg_row_text text = {&out->text, 22};
	bool row = false;
	*out = (struct yg_drule){.uid = YG_SV("")};
	yg_status st = yg_state_prepare(
		im->act->db,
		YG_SQL("SELECT " YG_DRULE_COLUMNS
		       ", t.text FROM detect_rule r JOIN detect_rule_text t ON t.rule = r.uid"
		       " AND t.version = r.text_version WHERE r.collection = $1 AND r.key = $2"
		       " AND coalesce(r.org, '') = $3 ORDER BY r.uid LIMIT 1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, im->at->collection);
	yg_stmt_text(s, 2, key);
	yg_stmt_text(s, 3, im->at->org);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && row)
		st = yg_drule_take(s, &im->one, out, err);
	if (st == YG_OK && row)
		st = yg_row_texts(s, &im->one, &text, 1, err);
	return st;
}

static yg_status import_one(struct importing *im, const struct yg_detect_document *doc,
			    struct yg_err *err)
{
	struct yg_drule was;
	struct yg_sv key;
	yg_arena_reset(&im->one);
	yg_status st = yg_drule_key(doc, &im->one, &key, err);
	if (st == YG_OK)
		st = find(im, key, &was, err);
	if (st != YG_OK)
		return st;
	if (was.uid.n == 0) {
		struct yg_id uid = yg_id_new(&im->act->ids, im->act->env, "r");
		im->n.added++;
		return yg_drule_insert(im->act, im->at, doc, yg_id_sv(&uid), err);
	}
	if (yg_sv_eq(was.text, doc->text)) {
		im->n.unchanged++;
		return YG_OK;
	}
	struct yg_err why = {0};
	st = yg_drule_check_exceptions(im->act, was.uid, doc, &why);
	if (st == YG_CONFLICT) {
		yg_detect_documents_refuse(im->docs, doc, yg_sv_of(why.msg));
		return YG_OK;
	}
	if (st != YG_OK)
		return YG_FAIL(err, st, "%s", why.msg);
	im->n.changed++;
	return yg_drule_update(im->act, &was, &(struct yg_drule_set){.doc = doc}, err);
}

static yg_status import(struct importing *im, struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	yg_detail_init(&d);
	yg_status st = im->at->org.n > 0 ? yg_org_known(im->act->db, im->at->org, err) : YG_OK;
	if (st == YG_OK && !yg_drule_collection_ok(im->at->collection))
		st = YG_FAIL(err, YG_INVAL, "a collection has 1 to 64 of A-Z a-z 0-9 . _ -");
	for (size_t i = 0; st == YG_OK && i < im->docs->count; i++)
		st = import_one(im, &im->docs->list[i], err);
	if (st != YG_OK || im->n.added + im->n.changed == 0)
		return st;
	st = yg_drule_check_references(im->act, err);
	if (st == YG_OK)
		st = yg_detect_touch(im->act->db, err);
	yg_detail_count(&d, "added", (int64_t)im->n.added);
	yg_detail_count(&d, "changed", (int64_t)im->n.changed);
	yg_detail_note(&d, "stage", yg_sv_of(yg_detect_stage_name(im->at->stage)));
	return st == YG_OK ? yg_audit_add(im->act, "rule.import", im->at->collection, im->at->org,
					  &d, err)
			   : st;
}

yg_status yg_drule_import(struct yg_act *act, const struct yg_drule_place *at,
			  struct yg_detect_documents *docs, struct yg_drule_imported *out,
			  struct yg_err *err)
{
	struct importing im = {.act = act, .at = at, .docs = docs};
	struct yg_tx tx;
	yg_arena_init(&im.one, 32 << 20);
	yg_status st = yg_tx_begin(&tx, act->db, err);
	if (st == YG_OK)
		st = yg_tx_end(&tx, import(&im, err), err);
	yg_arena_free(&im.one);
	if (st == YG_OK)
		*out = im.n;
	return st;
}

/* ---- stages ---- */

struct staging {
	struct yg_act *act;
	enum yg_detect_stage stage;
	struct yg_arena arena;
	uint64_t changed, unchanged;
};

static yg_status stage_one(struct staging *g, const struct yg_drule *r, struct yg_err *err)
{
	if (r->stage == g->stage) {
		g->unchanged++;
		return YG_OK;
	}
	g->changed++;
	return yg_drule_update(g->act, r, &(struct yg_drule_set){.stage = &g->stage}, err);
}

static yg_status stage_some(struct staging *g, const struct yg_drule_bulk *b, struct yg_err *err)
{
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < b->uid_count; i++) {
		struct yg_drule r;
		yg_arena_reset(&g->arena);
		st = yg_drule_get(g->act->db, b->uids[i], &g->arena, &r, err);
		if (st == YG_OK)
			st = stage_one(g, &r, err);
	}
	return st;
}

/* The rules of a collection, a page at a time. */
static yg_status stage_collection(struct staging *g, const struct yg_drule_bulk *b,
				  struct yg_err *err)
{
	struct yg_drule_filter f = {.reach = YG_REACH_ALL,
				    .collection = b->collection,
				    .levels = b->levels,
				    .limit = YG_PAGE_MAX};
	char before[YG_ID_MAX];
	struct yg_drule *list = NULL;
	size_t n = YG_PAGE_MAX;
	yg_status st = YG_OK;
	while (st == YG_OK && n == YG_PAGE_MAX) {
		struct yg_sb last = yg_sb_init(before, sizeof before);
		yg_arena_reset(&g->arena);
		st = yg_drule_list(g->act->db, &f, &g->arena, &list, &n, err);
		for (size_t i = 0; st == YG_OK && i < n; i++)
			if (yg_sv_eq(list[i].org, b->org))
				st = stage_one(g, &list[i], err);
		if (st == YG_OK && n > 0)
			yg_sb_put(&last, list[n - 1].uid);
		f.before = yg_sb_sv(&last);
	}
	return st;
}

static yg_status stage_all(struct staging *g, const struct yg_drule_bulk *b, struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	yg_detail_init(&d);
	yg_status st = b->uids != NULL ? stage_some(g, b, err) : stage_collection(g, b, err);
	if (st != YG_OK || g->changed == 0)
		return st;
	st = yg_detect_touch(g->act->db, err);
	yg_detail_note(&d, "stage", yg_sv_of(yg_detect_stage_name(g->stage)));
	yg_detail_count(&d, "changed", (int64_t)g->changed);
	return st == YG_OK ? yg_audit_add(g->act, "rule.stage",
					  b->uids != NULL ? YG_SV("rules") : b->collection, b->org,
					  &d, err)
			   : st;
}

yg_status yg_drule_stage_all(struct yg_act *act, const struct yg_drule_bulk *b, uint64_t *changed,
			     uint64_t *unchanged, struct yg_err *err)
{
	struct staging g = {.act = act, .stage = b->stage};
	struct yg_tx tx;
	yg_arena_init(&g.arena, 32 << 20);
	yg_status st = yg_tx_begin(&tx, act->db, err);
	if (st == YG_OK)
		st = yg_tx_end(&tx, stage_all(&g, b, err), err);
	yg_arena_free(&g.arena);
	*changed = g.changed;
	*unchanged = g.unchanged;
	return st;
}

/* ---- away ---- */

static yg_status remove_all(struct yg_act *act, struct yg_sv org, struct yg_sv collection,
			    struct yg_arena *arena, uint64_t *out_n, struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_drule_filter f = {
		.reach = YG_REACH_ALL, .collection = collection, .limit = YG_PAGE_MAX};
	char before[YG_ID_MAX];
	struct yg_drule *list = NULL;
	size_t n = YG_PAGE_MAX;
	yg_status st = YG_OK;
	yg_detail_init(&d);
	while (st == YG_OK && n == YG_PAGE_MAX) {
		struct yg_sb last = yg_sb_init(before, sizeof before);
		yg_arena_reset(arena);
		st = yg_drule_list(act->db, &f, arena, &list, &n, err);
		for (size_t i = 0; st == YG_OK && i < n; i++) {
			if (!yg_sv_eq(list[i].org, org))
				continue;
			st = yg_drule_delete(act, list[i].uid, err);
			++*out_n;
		}
		if (st == YG_OK && n > 0)
			yg_sb_put(&last, list[n - 1].uid);
		f.before = yg_sb_sv(&last);
	}
	if (st != YG_OK || *out_n == 0)
		return st;
	st = yg_drule_check_references(act, err);
	if (st == YG_OK)
		st = yg_detect_touch(act->db, err);
	yg_detail_count(&d, "rules", (int64_t)*out_n);
	return st == YG_OK ? yg_audit_add(act, "rule.remove", collection, org, &d, err) : st;
}

yg_status yg_drule_remove_all(struct yg_act *act, struct yg_sv org, struct yg_sv collection,
			      uint64_t *out_n, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_tx tx;
	*out_n = 0;
	yg_arena_init(&arena, 32 << 20);
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK
		       ? yg_tx_end(&tx, remove_all(act, org, collection, &arena, out_n, err), err)
		       : st;
}
