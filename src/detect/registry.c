#include "base/limits.h"
#include "detect/registry_internal.h"
#include "store/compiled.h"

#define KEY_MAX 4096

yg_status yg_detect_touch(struct yg_state *db, struct yg_err *err)
{
	return yg_compiled_touch(YG_COMPILED_RULES, db, err);
}

yg_status yg_drule_run(struct yg_state *db, const char *sql, const struct yg_sv *texts, size_t n,
		       struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(db, sql, &s, err);
	if (st != YG_OK)
		return st;
	for (size_t i = 0; i < n; i++)
		yg_stmt_text(s, (int)i + 1, texts[i]);
	return yg_stmt_run(s, err);
}

bool yg_drule_collection_ok(struct yg_sv s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') &&
		    c != '.' && c != '_' && c != '-')
			return false;
	}
	return s.n >= 1 && s.n <= YG_DRULE_COLLECTION_MAX;
}

static yg_status check_place(struct yg_state *db, const struct yg_drule_place *at,
			     struct yg_err *err)
{
	if (!yg_drule_collection_ok(at->collection))
		return YG_FAIL(err, YG_INVAL, "a collection has 1 to 64 of A-Z a-z 0-9 . _ -");
	return at->org.n > 0 ? yg_org_known(db, at->org, err) : YG_OK;
}

/* ---- rows ---- */

yg_status yg_drule_take(struct yg_stmt *s, struct yg_arena *arena, void *to, struct yg_err *err)
{
	struct yg_drule *r = to;
	const struct yg_row_text texts[] = {
		{&r->uid, 0},      {&r->org, 1},      {&r->collection, 2}, {&r->sigma_id, 4},
		{&r->name, 5},     {&r->title, 6},    {&r->status, 8},     {&r->category, 9},
		{&r->product, 10}, {&r->service, 11}, {&r->tags, 12},      {&r->file, 13},
		{&r->refused, 15}, {&r->author, 16},  {&r->actor, 17}};
	r->kind = YG_SIGMA_RULE;
	r->stage = YG_STAGE_OFF;
	(void)yg_sigma_kind_parse(yg_col_text(s, 3), &r->kind);
	(void)yg_detect_stage_parse(yg_col_text(s, 14), &r->stage);
	r->in_force = r->stage;
	r->level = (enum yg_sigma_level)yg_col_i64(s, 7);
	r->created.us = yg_col_i64(s, 18);
	r->updated.us = yg_col_i64(s, 19);
	r->version = yg_col_i64(s, 20);
	r->text_version = yg_col_i64(s, 21);
	return yg_row_texts(s, arena, texts, YG_LEN(texts), err);
}

yg_status yg_drule_get(struct yg_state *db, struct yg_sv uid, struct yg_arena *arena,
		       struct yg_drule *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct yg_drule r = {.version = 0};
	const struct yg_row_text text = {&r.text, 22};
	bool row = false;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT " YG_DRULE_COLUMNS
		       ", t.text FROM detect_rule r JOIN detect_rule_text t ON t.rule = r.uid"
		       " AND t.version = r.text_version WHERE r.uid = $1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, uid);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && !row)
		return YG_FAIL(err, YG_NOTFOUND, "no such rule");
	if (st == YG_OK)
		st = yg_drule_take(s, arena, &r, err);
	if (st == YG_OK)
		st = yg_row_texts(s, arena, &text, 1, err);
	if (st == YG_OK)
		*out = r;
	return st;
}

/* ---- new and changed ---- */

yg_status yg_drule_key(const struct yg_detect_document *doc, struct yg_arena *arena,
		       struct yg_sv *out, struct yg_err *err)
{
	struct yg_sv last = doc->name.n > 0 ? doc->name : doc->title;
	*out = doc->sigma_id;
	if (doc->sigma_id.n > 0)
		return YG_OK;
	char *p = yg_arena_alloc(arena, KEY_MAX, 1);
	struct yg_sb b = yg_sb_init(p, KEY_MAX);
	if (p == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the rules");
	yg_sb_put(&b, doc->file);
	yg_sb_putc(&b, '#');
	yg_sb_put(&b, last);
	*out = yg_sb_sv(&b);
	return YG_OK;
}

/* Is there one with that key?  *out_uid in the arena, empty: no. */
static yg_status find_key(struct yg_state *db, const struct yg_drule_place *at, struct yg_sv key,
			  struct yg_arena *arena, struct yg_sv *out_uid, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	const struct yg_sv texts[] = {at->collection, key, at->org};
	bool row = false;
	*out_uid = YG_SV("");
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT uid FROM detect_rule WHERE collection = $1 AND key = $2"
		       " AND coalesce(org, '') = $3 ORDER BY uid LIMIT 1"),
		&s, err);
	if (st != YG_OK)
		return st;
	for (size_t i = 0; i < YG_LEN(texts); i++)
		yg_stmt_text(s, (int)i + 1, texts[i]);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && row) {
		*out_uid = yg_arena_dup(arena, yg_col_text(s, 0));
		if (out_uid->p == NULL)
			st = YG_FAIL(err, YG_NOMEM, "no memory for the rules");
	}
	return st;
}

/* The text and the row of the past that belong to a version. */
static yg_status keep_version(struct yg_act *act, struct yg_sv uid, int64_t version,
			      int64_t text_version, const struct yg_detect_document *doc,
			      enum yg_detect_stage stage, struct yg_sv title, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = YG_OK;
	if (doc != NULL) {
		st = yg_state_prepare(
			act->db,
			YG_SQL("INSERT INTO detect_rule_text (rule, version, text) VALUES ($1, $2, $3)"),
			&s, err);
		if (st != YG_OK)
			return st;
		yg_stmt_text(s, 1, uid);
		yg_stmt_i64(s, 2, text_version);
		yg_stmt_text(s, 3, doc->text);
		st = yg_stmt_run(s, err);
	}
	if (st == YG_OK)
		st = yg_state_prepare(
			act->db,
			YG_SQL("INSERT INTO detect_rule_past (rule, version, text_version, stage, title, actor, created)"
			       " VALUES ($1, $2, $3, $4, $5, $6, $7)"),
			&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, uid);
	yg_stmt_i64(s, 2, version);
	yg_stmt_i64(s, 3, text_version);
	yg_stmt_text(s, 4, yg_sv_of(yg_detect_stage_name(stage)));
	yg_stmt_text(s, 5, title);
	yg_stmt_text(s, 6, act->who);
	yg_stmt_i64(s, 7, yg_env_wall(act->env).us);
	return yg_stmt_run(s, err);
}

/* What a document says of itself, from parameter `at` on. */
static void bind_document(struct yg_stmt *s, int at, const struct yg_detect_document *doc,
			  struct yg_sv key)
{
	const struct yg_sv texts[] = {key,           yg_sv_of(yg_sigma_kind_name(doc->kind)),
				      doc->sigma_id, doc->name,
				      doc->title,    yg_sv_of(yg_sigma_status_name(doc->status)),
				      doc->category, doc->product,
				      doc->service,  doc->tags,
				      doc->author};
	for (size_t i = 0; i < YG_LEN(texts); i++)
		yg_stmt_text(s, at + (int)i, texts[i]);
	yg_stmt_i64(s, at + (int)YG_LEN(texts), doc->level);
}

yg_status yg_drule_insert(struct yg_act *act, const struct yg_drule_place *at,
			  const struct yg_detect_document *doc, struct yg_sv uid,
			  struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_stmt *s = NULL;
	struct yg_sv key;
	yg_arena_init(&arena, 65536);
	yg_status st = yg_drule_key(doc, &arena, &key, err);
	if (st == YG_OK)
		st = yg_state_prepare(
			act->db,
			YG_SQL("INSERT INTO detect_rule (key, kind, sigma_id, name, title, status, category, product,"
			       " service, tags, author, level, uid, org, collection, file, stage, refused, actor, created,"
			       " updated) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,"
			       " $17, '', $18, $19, $19)"),
			&s, err);
	if (st != YG_OK)
		return st;
	bind_document(s, 1, doc, key);
	yg_stmt_text(s, 13, uid);
	yg_stmt_text_or_null(s, 14, at->org);
	yg_stmt_text(s, 15, at->collection);
	yg_stmt_text(s, 16, yg_sv_sub(doc->file, 0, YG_DRULE_FILE_MAX));
	yg_stmt_text(s, 17, yg_sv_of(yg_detect_stage_name(at->stage)));
	yg_stmt_text(s, 18, act->who);
	yg_stmt_i64(s, 19, yg_env_wall(act->env).us);
	st = yg_stmt_run(s, err);
	return st == YG_OK ? keep_version(act, uid, 1, 1, doc, at->stage, doc->title, err) : st;
}

static yg_status add(struct yg_act *act, const struct yg_drule_place *at,
		     const struct yg_detect_document *doc, struct yg_sv uid, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_sv there = YG_SV("");
	yg_arena_init(&arena, 65536);
	yg_detail_init(&d);
	yg_status st = check_place(act->db, at, err);
	if (st == YG_OK && doc->sigma_id.n > 0)
		st = find_key(act->db, at, doc->sigma_id, &arena, &there, err);
	if (st == YG_OK && there.n > 0)
		st = YG_FAIL(err, YG_CONFLICT, "the collection has a rule of that id already");
	if (st == YG_OK)
		st = yg_drule_insert(act, at, doc, uid, err);
	if (st == YG_OK)
		st = yg_drule_check_references(act, err);
	if (st == YG_OK)
		st = yg_detect_touch(act->db, err);
	yg_detail_note(&d, "title", doc->title);
	yg_detail_note(&d, "collection", at->collection);
	yg_detail_note(&d, "stage", yg_sv_of(yg_detect_stage_name(at->stage)));
	return st == YG_OK ? yg_audit_add(act, "rule.add", uid, at->org, &d, err) : st;
}

yg_status yg_drule_add(struct yg_act *act, const struct yg_drule_place *at,
		       const struct yg_detect_document *doc, struct yg_id *out_uid,
		       struct yg_err *err)
{
	struct yg_tx tx;
	struct yg_id uid = yg_id_new(&act->ids, act->env, "r");
	yg_status st = yg_tx_begin(&tx, act->db, err);
	if (st == YG_OK)
		st = yg_tx_end(&tx, add(act, at, doc, yg_id_sv(&uid), err), err);
	if (st == YG_OK)
		*out_uid = uid;
	return st;
}

/* What makes the rule the same one again once it is `doc`: the file is that of before. */
static yg_status key_after(const struct yg_drule *was, const struct yg_detect_document *doc,
			   struct yg_arena *arena, struct yg_sv *out, struct yg_err *err)
{
	struct yg_detect_document d = {
		.sigma_id = was->sigma_id, .name = was->name, .title = was->title};
	if (doc != NULL)
		d = *doc;
	d.file = was->file;
	return yg_drule_key(&d, arena, out, err);
}

static yg_status write_document(struct yg_act *act, const struct yg_drule *was,
				const struct yg_detect_document *doc, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_stmt *s = NULL;
	struct yg_sv key;
	yg_arena_init(&arena, 65536);
	yg_status st = key_after(was, doc, &arena, &key, err);
	if (st == YG_OK)
		st = yg_state_prepare(
			act->db,
			YG_SQL("UPDATE detect_rule SET key = $1, kind = $2, sigma_id = $3, name = $4, title = $5,"
			       " status = $6, category = $7, product = $8, service = $9, tags = $10, author = $11,"
			       " level = $12, refused = '', text_version = $13 WHERE uid = $14"),
			&s, err);
	if (st != YG_OK)
		return st;
	bind_document(s, 1, doc, key);
	yg_stmt_i64(s, 13, was->version + 1);
	yg_stmt_text(s, 14, was->uid);
	return yg_stmt_run(s, err);
}

yg_status yg_drule_widen(struct yg_act *act, struct yg_sv uid, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db, YG_SQL("UPDATE detect_rule SET widened = $2 WHERE uid = $1 OR $1 = ''"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, uid);
	yg_stmt_i64(s, 2, yg_env_wall(act->env).us);
	return yg_stmt_run(s, err);
}

/* Of a filter any rule may be meant, whatever its stage or text was. */
static yg_status widen_after(struct yg_act *act, const struct yg_drule *was,
			     const struct yg_drule_set *set, struct yg_err *err)
{
	bool filters = was->kind == YG_SIGMA_FILTER ||
		       (set->doc != NULL && set->doc->kind == YG_SIGMA_FILTER);
	if (!filters && set->doc == NULL)
		return YG_OK;
	return yg_drule_widen(act, filters ? YG_SV("") : was->uid, err);
}

yg_status yg_drule_update(struct yg_act *act, const struct yg_drule *was,
			  const struct yg_drule_set *set, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	enum yg_detect_stage stage = set->stage != NULL ? *set->stage : was->stage;
	int64_t version = was->version + 1;
	yg_status st = set->doc != NULL ? write_document(act, was, set->doc, err) : YG_OK;
	if (st == YG_OK)
		st = yg_state_prepare(
			act->db,
			YG_SQL("UPDATE detect_rule SET stage = $2, collection = $3, version = $4, updated = $5 WHERE uid = $1"),
			&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, was->uid);
	yg_stmt_text(s, 2, yg_sv_of(yg_detect_stage_name(stage)));
	yg_stmt_text(s, 3, set->collection != NULL ? *set->collection : was->collection);
	yg_stmt_i64(s, 4, version);
	yg_stmt_i64(s, 5, yg_env_wall(act->env).us);
	st = yg_stmt_run(s, err);
	if (st == YG_OK)
		st = widen_after(act, was, set, err);
	return st == YG_OK
		       ? keep_version(act, was->uid, version,
				      set->doc != NULL ? version : was->text_version, set->doc,
				      stage, set->doc != NULL ? set->doc->title : was->title, err)
		       : st;
}

/* Would the rule take the place of another one of its collection? */
static yg_status check_key(struct yg_act *act, const struct yg_drule *was,
			   const struct yg_drule_set *set, struct yg_arena *arena,
			   struct yg_err *err)
{
	const struct yg_drule_place at = {.org = was->org,
					  .collection = set->collection != NULL ? *set->collection
										: was->collection};
	struct yg_sv id = set->doc != NULL ? set->doc->sigma_id : was->sigma_id, there = YG_SV("");
	struct yg_sv key;
	if (id.n == 0 && was->file.n == 0)
		return YG_OK; /* no import looks for it */
	yg_status st = key_after(was, set->doc, arena, &key, err);
	if (st == YG_OK)
		st = find_key(act->db, &at, key, arena, &there, err);
	if (st != YG_OK || there.n == 0 || yg_sv_eq(there, was->uid))
		return st;
	return id.n > 0 ? YG_FAIL(err, YG_CONFLICT, "the collection has a rule of that id already")
			: YG_FAIL(err, YG_CONFLICT,
				  "the collection has a rule of that file and title already");
}

static yg_status change(struct yg_act *act, struct yg_sv uid, int64_t version,
			const struct yg_drule_set *given, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_drule_set set = *given;
	struct yg_drule old = {.version = 0};
	yg_arena_init(&arena, 16 << 20);
	yg_detail_init(&d);
	yg_status st = yg_drule_get(act->db, uid, &arena, &old, err);
	if (st != YG_OK)
		return st;
	if (version != YG_ANY_VERSION && version != old.version)
		return YG_FAIL(err, YG_CONFLICT, "the rule was changed meanwhile");
	if (set.collection != NULL && !yg_drule_collection_ok(*set.collection))
		return YG_FAIL(err, YG_INVAL, "a collection has 1 to 64 of A-Z a-z 0-9 . _ -");
	bool text = set.doc != NULL && !yg_sv_eq(set.doc->text, old.text), differs = text;
	if (!text)
		set.doc = NULL;
	if (text) {
		(void)yg_detail_text(&d, "title", old.title, set.doc->title);
		yg_detail_count(&d, "text_version", old.version + 1);
	}
	if (set.stage != NULL)
		differs |= yg_detail_text(&d, "stage", yg_sv_of(yg_detect_stage_name(old.stage)),
					  yg_sv_of(yg_detect_stage_name(*set.stage)));
	if (set.collection != NULL)
		differs |= yg_detail_text(&d, "collection", old.collection, *set.collection);
	if (!differs)
		return YG_OK;
	st = check_key(act, &old, &set, &arena, err);
	if (st == YG_OK && text)
		st = yg_drule_check_exceptions(act, uid, set.doc, err);
	if (st == YG_OK)
		st = yg_drule_update(act, &old, &set, err);
	if (st == YG_OK && text)
		st = yg_drule_check_references(act, err);
	if (st == YG_OK)
		st = yg_detect_touch(act->db, err);
	return st == YG_OK ? yg_audit_add(act, "rule.update", uid, old.org, &d, err) : st;
}

yg_status yg_drule_change(struct yg_act *act, struct yg_sv uid, int64_t version,
			  const struct yg_drule_set *set, struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, change(act, uid, version, set, err), err) : st;
}

/* ---- away ---- */

static yg_status is_filter(struct yg_state *db, struct yg_sv uid, bool *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT 1 FROM detect_rule WHERE uid = $1 AND kind = 'filter'"), &s,
		err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, uid);
	return yg_stmt_step(s, out, err);
}

yg_status yg_drule_delete(struct yg_act *act, struct yg_sv uid, struct yg_err *err)
{
	const char *const texts[] = {
		YG_SQL("DELETE FROM detect_rule_text WHERE rule = $1"),
		YG_SQL("DELETE FROM detect_rule_past WHERE rule = $1"),
		YG_SQL("DELETE FROM detect_override WHERE rule = $1"),
		YG_SQL("DELETE FROM detect_exception WHERE rule = $1"),
		YG_SQL("DELETE FROM detect_stat WHERE rule = $1"),
		YG_SQL("DELETE FROM detect_sample WHERE rule = $1"),
		YG_SQL("DELETE FROM hunted_stage WHERE rule = $1"),
		YG_SQL("DELETE FROM detect_rule WHERE uid = $1"),
	};
	bool filters = false;
	yg_status st = is_filter(act->db, uid, &filters, err);
	for (size_t i = 0; st == YG_OK && i < YG_LEN(texts); i++)
		st = yg_drule_run(act->db, texts[i], &uid, 1, err);
	return st == YG_OK && filters ? yg_drule_widen(act, YG_SV(""), err) : st;
}

static yg_status remove_rule(struct yg_act *act, struct yg_sv uid, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_drule r = {.version = 0};
	yg_arena_init(&arena, 16 << 20);
	yg_detail_init(&d);
	yg_status st = yg_drule_get(act->db, uid, &arena, &r, err);
	if (st == YG_OK)
		st = yg_drule_delete(act, uid, err);
	if (st == YG_OK)
		st = yg_drule_check_references(act, err);
	if (st == YG_OK)
		st = yg_detect_touch(act->db, err);
	if (st != YG_OK)
		return st;
	yg_detail_note(&d, "title", r.title);
	yg_detail_note(&d, "collection", r.collection);
	return yg_audit_add(act, "rule.remove", uid, r.org, &d, err);
}

yg_status yg_drule_remove(struct yg_act *act, struct yg_sv uid, struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, remove_rule(act, uid, err), err) : st;
}

/* ---- the past ---- */

static yg_status take_past(struct yg_stmt *s, struct yg_arena *arena, void *to, struct yg_err *err)
{
	struct yg_drule_past *p = to;
	const struct yg_row_text texts[] = {
		{&p->stage, 2}, {&p->title, 3}, {&p->actor, 4}, {&p->text, 6}};
	p->version = yg_col_i64(s, 0);
	p->text_version = yg_col_i64(s, 1);
	p->created.us = yg_col_i64(s, 5);
	return yg_row_texts(s, arena, texts, YG_LEN(texts), err);
}

yg_status yg_drule_history(struct yg_state *db, const struct yg_drule_history_of *of,
			   struct yg_arena *arena, struct yg_drule_past **out, size_t *out_n,
			   struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT p.version, p.text_version, p.stage, p.title, p.actor, p.created, t.text"
		       " FROM detect_rule_past p JOIN detect_rule_text t ON t.rule = p.rule"
		       " AND t.version = p.text_version WHERE p.rule = $1 AND ($2 = 0 OR p.version < $2)"
		       " AND p.created < $4 ORDER BY p.version DESC LIMIT $3"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, of->rule);
	yg_stmt_i64(s, 2, of->before);
	yg_stmt_i64(s, 3, of->limit);
	yg_stmt_i64(s, 4, of->until_us);
	const struct yg_row_list how = {
		.each = sizeof(struct yg_drule_past), .limit = of->limit, .take = take_past};
	return yg_row_list(s, &how, arena, out, out_n, err);
}
