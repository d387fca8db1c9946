/* registry_say.c - what organisations say of rules: stages of their own, exceptions. */
#include "base/limits.h"
#include "detect/read.h"
#include "detect/registry_internal.h"

#define EXCEPTION_COLUMNS                                                                           \
	"x.id, x.rule, x.org, x.text, x.reason, x.alert, x.actor, x.created, x.updated, x.expires," \
	" x.version, r.title FROM detect_exception x LEFT JOIN detect_rule r ON r.uid = x.rule"
/* What holds within a reach: for all, of its organisations, and of the nodes above them. */
#define ABOVE(set) "(SELECT p.ancestor FROM organisation_path p WHERE p.slug IN yg_set(" set "))"

yg_status yg_drule_check_reason(struct yg_sv reason, struct yg_err *err)
{
	if (yg_sv_trim(reason).n > 0 && reason.n <= YG_DRULE_REASON_MAX &&
	    yg_utf8_valid(reason) == reason.n)
		return YG_OK;
	return YG_FAIL(err, YG_INVAL, "a reason of 1 to 2000 characters is needed");
}

yg_status yg_drule_check_end(struct yg_act *act, yg_wall expires, struct yg_err *err)
{
	if (expires.us == 0 || expires.us > yg_env_wall(act->env).us)
		return YG_OK;
	return YG_FAIL(err, YG_INVAL, "it would have expired already");
}

/* YG_NOTFOUND: there is no such rule. */
static yg_status rule_known(struct yg_state *db, struct yg_sv uid, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st =
		yg_state_prepare(db, YG_SQL("SELECT uid FROM detect_rule WHERE uid = $1"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, uid);
	st = yg_stmt_step(s, &row, err);
	return st == YG_OK && !row ? YG_FAIL(err, YG_NOTFOUND, "no such rule") : st;
}

/* ---- stages ---- */

static yg_status write_override(struct yg_act *act, const struct yg_detect_override *o,
				struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("INSERT INTO detect_override (rule, org, stage, reason, actor, updated, expires)"
		       " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (rule, org) DO UPDATE SET"
		       " stage = excluded.stage, reason = excluded.reason, actor = excluded.actor,"
		       " updated = excluded.updated, expires = excluded.expires"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, o->rule);
	yg_stmt_text(s, 2, o->org);
	yg_stmt_text(s, 3, yg_sv_of(yg_detect_stage_name(o->stage)));
	yg_stmt_text(s, 4, o->reason);
	yg_stmt_text(s, 5, act->who);
	yg_stmt_i64(s, 6, yg_env_wall(act->env).us);
	yg_stmt_i64(s, 7, o->expires.us);
	return yg_stmt_run(s, err);
}

static yg_status set_override(struct yg_act *act, const struct yg_detect_override *o,
			      struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	yg_detail_init(&d);
	yg_status st = rule_known(act->db, o->rule, err);
	if (st == YG_OK)
		st = yg_org_known(act->db, o->org, err);
	if (st == YG_OK)
		st = write_override(act, o, err);
	if (st == YG_OK)
		st = yg_detect_touch(act->db, err);
	yg_detail_note(&d, "stage", yg_sv_of(yg_detect_stage_name(o->stage)));
	yg_detail_note(&d, "reason", o->reason);
	(void)yg_detail_time(&d, "expires", 0, o->expires.us);
	return st == YG_OK ? yg_audit_add(act, "rule.override", o->rule, o->org, &d, err) : st;
}

yg_status yg_detect_override_set(struct yg_act *act, const struct yg_detect_override *o,
				 struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = yg_drule_check_reason(o->reason, err);
	if (st == YG_OK)
		st = yg_drule_check_end(act, o->expires, err);
	if (st == YG_OK)
		st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, set_override(act, o, err), err) : st;
}

static yg_status remove_override(struct yg_act *act, struct yg_sv rule, struct yg_sv org,
				 struct yg_err *err)
{
	const struct yg_sv key[] = {rule, org};
	yg_status st = yg_drule_run(
		act->db, YG_SQL("DELETE FROM detect_override WHERE rule = $1 AND org = $2"), key, 2,
		err);
	if (st == YG_OK && yg_state_changes(act->db) == 0)
		st = YG_FAIL(err, YG_NOTFOUND, "the organisation has no stage of its own");
	if (st == YG_OK)
		st = yg_detect_touch(act->db, err);
	return st == YG_OK ? yg_audit_add(act, "rule.override_remove", rule, org, NULL, err) : st;
}

yg_status yg_detect_override_remove(struct yg_act *act, struct yg_sv rule, struct yg_sv org,
				    struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, remove_override(act, rule, org, err), err) : st;
}

static yg_status take_override(struct yg_stmt *s, struct yg_arena *arena, void *to,
			       struct yg_err *err)
{
	struct yg_detect_override *o = to;
	const struct yg_row_text texts[] = {
		{&o->rule, 0}, {&o->org, 1}, {&o->reason, 3}, {&o->actor, 4}};
	(void)yg_detect_stage_parse(yg_col_text(s, 2), &o->stage);
	o->updated.us = yg_col_i64(s, 5);
	o->expires.us = yg_col_i64(s, 6);
	return yg_row_texts(s, arena, texts, YG_LEN(texts), err);
}

yg_status yg_detect_override_get(struct yg_state *db, struct yg_sv rule, struct yg_sv org,
				 struct yg_arena *arena, struct yg_detect_override *out,
				 struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT rule, org, stage, reason, actor, updated, expires FROM detect_override"
		       " WHERE rule = $1 AND org = $2"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, rule);
	yg_stmt_text(s, 2, org);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && !row)
		st = YG_FAIL(err, YG_NOTFOUND, "the organisation has no stage of its own");
	return st == YG_OK ? take_override(s, arena, out, err) : st;
}

yg_status yg_detect_override_list(struct yg_state *db, const struct yg_detect_override_filter *f,
				  struct yg_arena *arena, struct yg_detect_override **out,
				  size_t *out_n, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT rule, org, stage, reason, actor, updated, expires FROM detect_override"
		       " WHERE rule = $1 AND ($2 = 1 OR org IN " ABOVE(
			       "$3") ") AND updated < $6 AND org > $4 ORDER BY org LIMIT $5"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, f->rule);
	yg_stmt_i64(s, 2, yg_reach_all_flag(&f->reach));
	yg_stmt_set(s, 3, f->reach.orgs, f->reach.org_count);
	yg_stmt_text(s, 4, f->after);
	yg_stmt_i64(s, 5, f->limit);
	yg_stmt_i64(s, 6, yg_reach_until(&f->reach));
	const struct yg_row_list how = {.each = sizeof(struct yg_detect_override),
					.limit = f->limit,
					.take = take_override};
	return yg_row_list(s, &how, arena, out, out_n, err);
}

/* ---- exceptions ---- */

/* What the text may say depends on what it is an exception from; empty: all rules. */
static yg_status check_text(struct yg_state *db, struct yg_sv uid, struct yg_sv text,
			    struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_sigma_rule rule;
	struct yg_sigma_file f = {NULL, 0, 0};
	struct yg_drule from = {.kind = YG_SIGMA_RULE};
	yg_arena_init(&arena, 64 << 20);
	yg_status st = uid.n > 0 ? yg_drule_get(db, uid, &arena, &from, err) : YG_OK;
	if (st == YG_OK && from.kind == YG_SIGMA_CORRELATION)
		st = yg_sigma_read(from.text, "rule", NULL, NULL, &arena, &f, err);
	if (st != YG_OK)
		return st;
	return f.count == 1 && f.rules[0].kind == YG_SIGMA_CORRELATION
		       ? yg_detect_exception_of_group(text, &f.rules[0].correlation, &arena, &rule,
						      err)
		       : yg_detect_exception_read(text, &arena, &rule, err);
}

static yg_status check_fits(struct yg_stmt *s, const struct yg_sigma_correlation *c,
			    struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_sigma_rule rule;
	struct yg_err why = {0};
	yg_arena_init(&arena, 64 << 20);
	yg_status st = yg_detect_exception_of_group(yg_col_text(s, 1), c, &arena, &rule, &why);
	if (st == YG_OK)
		return st;
	if (st != YG_PARSE && st != YG_LIMIT)
		return YG_FAIL(err, st, "%s", why.msg);
	return YG_FAIL(err, YG_CONFLICT,
		       "the exception " YG_SV_FMT " does not fit the new text: %s",
		       YG_SV_ARG(yg_col_text(s, 0)), why.msg);
}

yg_status yg_drule_check_exceptions(struct yg_act *act, struct yg_sv uid,
				    const struct yg_detect_document *doc, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_sigma_file f = {NULL, 0, 0};
	bool row = true;
	if (doc->kind != YG_SIGMA_CORRELATION)
		return YG_OK;
	yg_arena_init(&arena, 64 << 20);
	yg_status st = yg_sigma_read(doc->text, "rule", NULL, NULL, &arena, &f, err);
	if (st != YG_OK || f.count != 1)
		return st;
	st = yg_state_prepare(act->db,
			      YG_SQL("SELECT id, text FROM detect_exception WHERE rule = $1"
				     " AND (expires = 0 OR expires > $2) ORDER BY id"),
			      &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, uid);
	yg_stmt_i64(s, 2, yg_env_wall(act->env).us);
	while (st == YG_OK && (st = yg_stmt_step(s, &row, err)) == YG_OK && row)
		st = check_fits(s, &f.rules[0].correlation, err);
	return st;
}

static yg_status insert_exception(struct yg_act *act, const struct yg_detect_exception *x,
				  struct yg_sv id, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("INSERT INTO detect_exception (id, rule, org, text, reason, alert, actor, created, updated, expires)"
		       " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	yg_stmt_text_or_null(s, 2, x->rule);
	yg_stmt_text_or_null(s, 3, x->org);
	yg_stmt_text(s, 4, x->text);
	yg_stmt_text(s, 5, x->reason);
	yg_stmt_text(s, 6, x->alert);
	yg_stmt_text(s, 7, act->who);
	yg_stmt_i64(s, 8, yg_env_wall(act->env).us);
	yg_stmt_i64(s, 9, x->expires.us);
	return yg_stmt_run(s, err);
}

static yg_status add_exception(struct yg_act *act, const struct yg_detect_exception *x,
			       struct yg_sv id, struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	yg_detail_init(&d);
	yg_status st = x->rule.n > 0 ? rule_known(act->db, x->rule, err) : YG_OK;
	if (st == YG_OK && x->org.n > 0)
		st = yg_org_known(act->db, x->org, err);
	if (st == YG_OK)
		st = insert_exception(act, x, id, err);
	if (st == YG_OK)
		st = yg_detect_touch(act->db, err);
	yg_detail_note(&d, "rule", x->rule);
	yg_detail_note(&d, "text", yg_sv_sub(x->text, 0, 4096));
	yg_detail_note(&d, "reason", x->reason);
	(void)yg_detail_time(&d, "expires", 0, x->expires.us);
	return st == YG_OK ? yg_audit_add(act, "rule_exception.add", id, x->org, &d, err) : st;
}

yg_status yg_detect_exception_add(struct yg_act *act, const struct yg_detect_exception *x,
				  struct yg_id *out_id, struct yg_err *err)
{
	struct yg_tx tx;
	struct yg_id id = yg_id_new(&act->ids, act->env, "x");
	yg_status st = yg_drule_check_reason(x->reason, err);
	if (st == YG_OK)
		st = yg_drule_check_end(act, x->expires, err);
	if (st == YG_OK)
		st = check_text(act->db, x->rule, x->text, err);
	if (st == YG_OK)
		st = yg_tx_begin(&tx, act->db, err);
	if (st == YG_OK)
		st = yg_tx_end(&tx, add_exception(act, x, yg_id_sv(&id), err), err);
	if (st == YG_OK)
		*out_id = id;
	return st;
}

static yg_status take_exception(struct yg_stmt *s, struct yg_arena *arena, void *to,
				struct yg_err *err)
{
	struct yg_detect_exception *x = to;
	const struct yg_row_text texts[] = {{&x->id, 0},    {&x->rule, 1},       {&x->org, 2},
					    {&x->text, 3},  {&x->reason, 4},     {&x->alert, 5},
					    {&x->actor, 6}, {&x->rule_title, 11}};
	x->created.us = yg_col_i64(s, 7);
	x->updated.us = yg_col_i64(s, 8);
	x->expires.us = yg_col_i64(s, 9);
	x->version = yg_col_i64(s, 10);
	return yg_row_texts(s, arena, texts, YG_LEN(texts), err);
}

yg_status yg_detect_exception_get(struct yg_state *db, struct yg_sv id, struct yg_arena *arena,
				  struct yg_detect_exception *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct yg_detect_exception x = {.version = 0};
	bool row = false;
	yg_status st = yg_state_prepare(db, YG_SQL("SELECT " EXCEPTION_COLUMNS " WHERE x.id = $1"),
					&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && !row)
		return YG_FAIL(err, YG_NOTFOUND, "no such exception");
	if (st == YG_OK)
		st = take_exception(s, arena, &x, err);
	if (st == YG_OK)
		*out = x;
	return st;
}

int64_t yg_detect_exception_end(const struct yg_detect_exception *x)
{
	return x->expires.us == 0 ? INT64_MAX : x->expires.us;
}
/* As above; the same of all where the list is not sorted by it. */
#define END "CASE WHEN $8 = 0 THEN 0 WHEN x.expires = 0 THEN 9223372036854775807 ELSE x.expires END"

yg_status yg_detect_exception_list(struct yg_state *db, const struct yg_detect_exception_filter *f,
				   struct yg_arena *arena, struct yg_detect_exception **out,
				   size_t *out_n, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct yg_sv part = yg_row_part(arena, f->part);
	if (arena->refused)
		return YG_FAIL(err, YG_NOMEM, "no memory for the exceptions");
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT " EXCEPTION_COLUMNS
		       " WHERE ($1 = 1 OR ((x.org IS NULL OR x.org IN " ABOVE("$2") ") AND (r.org IS NULL OR r.org IN " ABOVE(
			       "$2") ")))"
				     " AND ($3 = '' OR x.rule = $3) AND x.created < $6 AND ($4 = '' OR " END
				     " > $7"
				     " OR (" END
				     " = $7 AND x.id < $4)) AND ($9 = 0 OR ($9 = 1) = (x.expires = 0 OR x.expires > $10))"
				     " AND ($11 = '' OR lower(x.reason) LIKE $11 ESCAPE '\\' OR lower(x.text) LIKE $11 ESCAPE '\\'"
				     " OR (r.updated < $6 AND lower(r.title) LIKE $11 ESCAPE '\\'))"
				     " ORDER BY " END ", x.id DESC LIMIT $5"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, yg_reach_all_flag(&f->reach));
	yg_stmt_set(s, 2, f->reach.orgs, f->reach.org_count);
	yg_stmt_text(s, 3, f->rule);
	yg_stmt_text(s, 4, f->before);
	yg_stmt_i64(s, 5, f->limit);
	yg_stmt_i64(s, 6, yg_reach_until(&f->reach));
	yg_stmt_i64(s, 7, f->by_end ? f->before_end : 0);
	yg_stmt_i64(s, 8, f->by_end);
	yg_stmt_i64(s, 9, f->validity);
	yg_stmt_i64(s, 10, yg_reach_now(&f->reach, f->now).us);
	yg_stmt_text(s, 11, part);
	const struct yg_row_list how = {.each = sizeof(struct yg_detect_exception),
					.limit = f->limit,
					.take = take_exception};
	return yg_row_list(s, &how, arena, out, out_n, err);
}

static yg_status write_exception(struct yg_act *act, const struct yg_detect_exception *x,
				 struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("UPDATE detect_exception SET text = $2, reason = $3, expires = $4, updated = $5,"
		       " version = version + 1 WHERE id = $1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, x->id);
	yg_stmt_text(s, 2, x->text);
	yg_stmt_text(s, 3, x->reason);
	yg_stmt_i64(s, 4, x->expires.us);
	yg_stmt_i64(s, 5, yg_env_wall(act->env).us);
	return yg_stmt_run(s, err);
}

static yg_status change(struct yg_act *act, struct yg_sv id, int64_t version,
			const struct yg_detect_exception_set *set, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_detect_exception old = {.version = 0}, x;
	yg_arena_init(&arena, 1 << 20);
	yg_detail_init(&d);
	yg_status st = yg_detect_exception_get(act->db, id, &arena, &old, err);
	if (st != YG_OK)
		return st;
	if (version != YG_ANY_VERSION && version != old.version)
		return YG_FAIL(err, YG_CONFLICT, "the exception was changed meanwhile");
	x = old;
	x.text = set->text != NULL ? *set->text : x.text;
	x.reason = set->reason != NULL ? *set->reason : x.reason;
	x.expires = set->expires != NULL ? *set->expires : x.expires;
	if (set->text != NULL) {
		st = check_text(act->db, old.rule, x.text, err);
		if (st != YG_OK)
			return st;
	}
	bool differs = yg_detail_text(&d, "text", yg_sv_sub(old.text, 0, 4096),
				      yg_sv_sub(x.text, 0, 4096));
	differs |= !yg_sv_eq(old.text, x.text);
	differs |= yg_detail_text(&d, "reason", old.reason, x.reason);
	differs |= yg_detail_time(&d, "expires", old.expires.us, x.expires.us);
	if (!differs)
		return YG_OK;
	st = write_exception(act, &x, err);
	if (st == YG_OK)
		st = yg_drule_widen(act, old.rule, err);
	if (st == YG_OK)
		st = yg_detect_touch(act->db, err);
	return st == YG_OK ? yg_audit_add(act, "rule_exception.update", id, x.org, &d, err) : st;
}

yg_status yg_detect_exception_change(struct yg_act *act, struct yg_sv id, int64_t version,
				     const struct yg_detect_exception_set *set, struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = set->reason != NULL ? yg_drule_check_reason(*set->reason, err) : YG_OK;
	if (st == YG_OK)
		st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, change(act, id, version, set, err), err) : st;
}

static yg_status remove_exception(struct yg_act *act, struct yg_sv id, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_detect_exception x = {.version = 0};
	yg_arena_init(&arena, 1 << 20);
	yg_detail_init(&d);
	yg_status st = yg_detect_exception_get(act->db, id, &arena, &x, err);
	if (st == YG_OK)
		st = yg_drule_run(act->db, YG_SQL("DELETE FROM detect_exception WHERE id = $1"),
				  &id, 1, err);
	if (st == YG_OK)
		st = yg_drule_widen(act, x.rule, err);
	if (st == YG_OK)
		st = yg_detect_touch(act->db, err);
	if (st != YG_OK)
		return st;
	yg_detail_note(&d, "rule", x.rule);
	yg_detail_note(&d, "text", yg_sv_sub(x.text, 0, 4096));
	return yg_audit_add(act, "rule_exception.remove", id, x.org, &d, err);
}

yg_status yg_detect_exception_remove(struct yg_act *act, struct yg_sv id, struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, remove_exception(act, id, err), err) : st;
}
