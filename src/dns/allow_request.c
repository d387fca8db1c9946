#include "dns/allow_request.h"

#include "base/limits.h"
#include "intel/registry.h"
#include "org/audit_log.h"
#include "org/organisation.h"
#include "store/rows.h"

#define COLUMNS                                                                                    \
	"id, org, name, reason, requested_by, state, approval, allow_entry, decided_by,"           \
	" decision_reason, for_all, created, decided"

static yg_status take(struct yg_stmt *s, struct yg_arena *arena, void *to, struct yg_err *err)
{
	struct yg_allow_request *r = to;
	const struct yg_row_text texts[] = {{&r->id, 0},           {&r->org, 1},
					    {&r->name, 2},         {&r->reason, 3},
					    {&r->requested_by, 4}, {&r->state, 5},
					    {&r->approval, 6},     {&r->entry, 7},
					    {&r->decided_by, 8},   {&r->decision_reason, 9}};
	r->for_all = yg_col_i64(s, 10) != 0;
	r->created.us = yg_col_i64(s, 11);
	r->decided.us = yg_col_i64(s, 12);
	return yg_row_texts(s, arena, texts, YG_LEN(texts), err);
}

/* An open one of the same name, and how many there are. */
static yg_status look(struct yg_state *db, struct yg_sv org, struct yg_sv name,
		      struct yg_arena *arena, struct yg_sv *out_same, int64_t *out_open,
		      struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	*out_same = YG_SV("");
	*out_open = 0;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT count(*), coalesce(max(CASE WHEN name = $2 THEN id ELSE '' END), '')"
		       " FROM dns_allow_request WHERE org = $1 AND state = 'open'"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, org);
	yg_stmt_text(s, 2, name);
	st = yg_stmt_step(s, &row, err);
	if (st != YG_OK || !row)
		return st;
	*out_open = yg_col_i64(s, 0);
	*out_same = yg_arena_dup(arena, yg_col_text(s, 1));
	return out_same->p != NULL ? YG_OK : YG_FAIL(err, YG_NOMEM, "allow requests");
}

static yg_status insert(struct yg_act *act, struct yg_sv id, struct yg_sv org, struct yg_sv name,
			struct yg_sv reason, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("INSERT INTO dns_allow_request (id, org, name, reason, requested_by, state, created)"
		       " VALUES ($1, $2, $3, $4, $5, 'open', $6)"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	yg_stmt_text(s, 2, org);
	yg_stmt_text(s, 3, name);
	yg_stmt_text(s, 4, reason);
	yg_stmt_text(s, 5, act->who);
	yg_stmt_i64(s, 6, yg_env_wall(act->env).us);
	return yg_stmt_run(s, err);
}

static yg_status add(struct yg_act *act, struct yg_sv id, struct yg_sv org, struct yg_sv name,
		     struct yg_sv reason, struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	yg_detail_init(&d);
	yg_status st = insert(act, id, org, name, reason, err);
	yg_detail_note(&d, "name", name);
	yg_detail_note(&d, "reason", reason);
	return st == YG_OK ? yg_audit_add(act, "dns.allow-request", id, org, &d, err) : st;
}

yg_status yg_allow_request_add(struct yg_act *act, struct yg_sv org, struct yg_sv name,
			       struct yg_sv reason, struct yg_arena *arena, struct yg_sv *out_id,
			       bool *out_new, struct yg_err *err)
{
	char buf[YG_KEY_MAX];
	struct yg_sb b = yg_sb_init(buf, sizeof buf);
	struct yg_sv same;
	struct yg_tx tx;
	int64_t open = 0;
	*out_new = false;
	yg_status st = yg_indicator_normalize(YG_IND_DOMAIN, name, &b, err);
	if (st == YG_OK && (yg_sv_trim(reason).n == 0 || reason.n > YG_ALLOW_REASON_MAX ||
			    yg_utf8_valid(reason) != reason.n))
		st = YG_FAIL(err, YG_INVAL, "a request has a reason of up to 1000 bytes");
	if (st == YG_OK)
		st = yg_org_known(act->db, org, err);
	if (st == YG_OK)
		st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	st = look(act->db, org, yg_sb_sv(&b), arena, &same, &open, err);
	*out_id = same;
	if (st == YG_OK && same.n == 0 && open >= YG_ALLOW_OPEN_MAX)
		st = YG_FAIL(err, YG_LIMIT, "too many requests of this organisation are open");
	if (st == YG_OK && same.n == 0) {
		struct yg_id id = yg_id_new(&act->ids, act->env, "u");
		*out_id = yg_arena_dup(arena, yg_id_sv(&id));
		*out_new = true;
		st = out_id->p != NULL ? add(act, *out_id, org, yg_sb_sv(&b), reason, err)
				       : YG_FAIL(err, YG_NOMEM, "allow requests");
	}
	return yg_tx_end(&tx, st, err);
}

yg_status yg_allow_request_get(struct yg_state *db, struct yg_sv id, struct yg_arena *arena,
			       struct yg_allow_request *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	*out = (struct yg_allow_request){.for_all = false};
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT " COLUMNS " FROM dns_allow_request WHERE id = $1"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && !row)
		return YG_FAIL(err, YG_NOTFOUND, "no such request");
	return st == YG_OK ? take(s, arena, out, err) : st;
}

/* What was decided later, was open. */
static void as_of(int64_t until_us, struct yg_allow_request *r)
{
	if (r->decided.us < until_us)
		return;
	r->state = YG_SV("open");
	r->approval = r->entry = r->decided_by = r->decision_reason = YG_SV("");
	r->for_all = false;
	r->decided.us = 0;
}

yg_status yg_allow_request_list(struct yg_state *db, const struct yg_allow_request_filter *f,
				struct yg_arena *arena, struct yg_allow_request **out,
				size_t *out_n, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT " COLUMNS
		       " FROM dns_allow_request WHERE ($1 = 1 OR org IN yg_set($4)) AND ($2 = '' OR id < $2)"
		       " AND ($5 = '' OR CASE WHEN decided < $7 THEN state ELSE 'open' END = $5)"
		       " AND created >= $6 AND created < $7 ORDER BY id DESC LIMIT $3"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, yg_reach_all_flag(&f->reach));
	yg_stmt_text(s, 2, f->before);
	yg_stmt_i64(s, 3, f->limit);
	yg_stmt_set(s, 4, f->reach.orgs, f->reach.org_count);
	yg_stmt_text(s, 5, f->state);
	yg_stmt_i64(s, 6, f->reach.from.us);
	yg_stmt_i64(s, 7, yg_reach_until(&f->reach));
	const struct yg_row_list how = {
		.each = sizeof(struct yg_allow_request), .limit = f->limit, .take = take};
	st = yg_row_list(s, &how, arena, out, out_n, err);
	for (size_t i = 0; st == YG_OK && i < *out_n; i++)
		as_of(yg_reach_until(&f->reach), &(*out)[i]);
	return st;
}

static yg_status write_decision(struct yg_act *act, const struct yg_allow_request *r,
				struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("UPDATE dns_allow_request SET state = $2, for_all = $3, allow_entry = $4, decided_by = $5,"
		       " decision_reason = $6, decided = $7 WHERE id = $1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, r->id);
	yg_stmt_text(s, 2, r->state);
	yg_stmt_i64(s, 3, r->for_all ? 1 : 0);
	yg_stmt_text(s, 4, r->entry);
	yg_stmt_text(s, 5, act->who);
	yg_stmt_text(s, 6, r->decision_reason);
	yg_stmt_i64(s, 7, yg_env_wall(act->env).us);
	return yg_stmt_run(s, err);
}

static yg_status decide(struct yg_act *act, struct yg_allow_request *r, bool grant,
			struct yg_id *entry, struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	yg_status st = YG_OK;
	yg_detail_init(&d);
	if (!YG_SV_IS(r->state, "open"))
		return YG_FAIL(err, YG_CONFLICT, "the request is not open any more");
	r->state = grant ? YG_SV("granted") : YG_SV("refused");
	if (grant) {
		const struct yg_allow_new n = {.type = YG_IND_DOMAIN,
					       .value = r->name,
					       .org = r->for_all ? YG_SV("") : r->org,
					       .reason = r->reason};
		st = yg_allow_add(act, &n, entry, err);
		r->entry = st == YG_OK ? yg_id_sv(entry) : YG_SV("");
	}
	if (st == YG_OK)
		st = write_decision(act, r, err);
	yg_detail_note(&d, "name", r->name);
	yg_detail_note(&d, "for", r->for_all ? YG_SV("all") : r->org);
	yg_detail_note(&d, "reason", r->decision_reason);
	const char *what = grant ? "dns.allow-grant" : "dns.allow-refuse";
	return st == YG_OK ? yg_audit_add(act, what, r->id, r->org, &d, err) : st;
}

yg_status yg_allow_request_decide(struct yg_act *act, struct yg_sv id, bool grant, bool for_all,
				  struct yg_sv reason, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_allow_request r;
	struct yg_id entry;
	struct yg_tx tx;
	yg_arena_init(&arena, 1 << 20);
	yg_status st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	st = yg_allow_request_get(act->db, id, &arena, &r, err);
	r.for_all = for_all && grant;
	r.decision_reason = reason;
	if (st == YG_OK)
		st = decide(act, &r, grant, &entry, err);
	return yg_tx_end(&tx, st, err);
}

yg_status yg_allow_request_hand_on(struct yg_act *act, struct yg_sv id, struct yg_sv approval,
				   struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("UPDATE dns_allow_request SET approval = $2 WHERE id = $1 AND state = 'open'"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	yg_stmt_text(s, 2, approval);
	return yg_stmt_run(s, err);
}
