#include "dns/setting.h"

#include "dns/block.h"
#include "org/audit_log.h"
#include "org/organisation.h"

#define ROWS_MAX 1024 /* that one organisation sees: its own and of all above it */

static yg_status run_texts(struct yg_act *act, const char *sql, const struct yg_sv *texts, size_t n,
			   const int64_t *number, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(act->db, sql, &s, err);
	if (st != YG_OK)
		return st;
	for (size_t i = 0; i < n; i++)
		yg_stmt_text(s, (int)i + 1, texts[i]);
	if (number != NULL) {
		yg_stmt_i64(s, (int)n + 1, *number);
		yg_stmt_i64(s, (int)n + 2, yg_env_wall(act->env).us);
	}
	return yg_stmt_run(s, err);
}

/* ---- modes ---- */

static yg_status set_mode(struct yg_act *act, struct yg_sv org, struct yg_sv layer,
			  const enum yg_dns_mode *mode, struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_sv word = mode != NULL ? yg_sv_of(yg_dns_mode_name(*mode)) : YG_SV("inherited");
	const struct yg_sv key[] = {org, layer}, row[] = {org, layer, word, act->who};
	const int64_t version = 1;
	yg_detail_init(&d);
	yg_status st = org.n > 0 ? yg_org_known(act->db, org, err) : YG_OK;
	if (st == YG_OK)
		st = run_texts(act, YG_SQL("DELETE FROM dns_mode WHERE org = $1 AND layer = $2"),
			       key, 2, NULL, err);
	if (st == YG_OK && mode != NULL)
		st = run_texts(
			act,
			YG_SQL("INSERT INTO dns_mode (org, layer, mode, actor, version, updated) VALUES ($1, $2, $3, $4, $5, $6)"),
			row, 4, &version, err);
	if (st == YG_OK)
		st = yg_dns_state_touch(act->db, err);
	yg_detail_note(&d, "layer", layer);
	yg_detail_note(&d, "mode", word);
	return st == YG_OK ? yg_audit_add(act, "dns.mode", org, org, &d, err) : st;
}

yg_status yg_dns_mode_set(struct yg_act *act, struct yg_sv org, enum yg_dns_layer layer,
			  const enum yg_dns_mode *mode, struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx,
				       set_mode(act, org, yg_sv_of(yg_dns_layer_name(layer)), mode,
						err),
				       err)
			   : st;
}

/* ---- answers ---- */

static yg_status count_answers(struct yg_act *act, struct yg_sv org, int64_t *out,
			       struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		act->db, YG_SQL("SELECT count(*) FROM dns_answer WHERE org = $1"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, org);
	st = yg_stmt_step(s, &row, err);
	*out = st == YG_OK && row ? yg_col_i64(s, 0) : 0;
	return st;
}

static yg_status set_answer(struct yg_act *act, const struct yg_dns_answer_row *r,
			    struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	bool gone = r->answer == YG_DNS_OVERRIDE_GIVEN;
	struct yg_sv word = gone ? YG_SV("inherited") : yg_sv_of(yg_dns_override_name(r->answer));
	const struct yg_sv key[] = {r->org, r->category},
			   row[] = {r->org, r->category, word, r->target, r->addresses, act->who};
	const int64_t ttl = r->ttl;
	int64_t count = 0;
	yg_detail_init(&d);
	yg_status st = r->org.n > 0 ? yg_org_known(act->db, r->org, err) : YG_OK;
	if (st == YG_OK)
		st = run_texts(act,
			       YG_SQL("DELETE FROM dns_answer WHERE org = $1 AND category = $2"),
			       key, 2, NULL, err);
	if (st == YG_OK)
		st = count_answers(act, r->org, &count, err);
	if (st == YG_OK && !gone && count >= YG_DNS_ANSWERS_MAX)
		st = YG_FAIL(err, YG_LIMIT, "at most %d answers", YG_DNS_ANSWERS_MAX);
	if (st == YG_OK && !gone)
		st = run_texts(
			act,
			YG_SQL("INSERT INTO dns_answer (org, category, answer, target, addresses, actor, ttl, updated)"
			       " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"),
			row, 6, &ttl, err);
	if (st == YG_OK)
		st = yg_dns_state_touch(act->db, err);
	yg_detail_note(&d, "category", r->category);
	yg_detail_note(&d, "answer", word);
	if (r->target.n + r->addresses.n > 0)
		yg_detail_note(&d, "to", r->target.n > 0 ? r->target : r->addresses);
	return st == YG_OK ? yg_audit_add(act, "dns.answer", r->org, r->org, &d, err) : st;
}

yg_status yg_dns_answer_set(struct yg_act *act, const struct yg_dns_answer_row *row,
			    struct yg_err *err)
{
	struct yg_dns_answer_spec spec;
	enum yg_dns_action action;
	struct yg_tx tx;
	yg_status st = YG_OK;
	if (row->answer != YG_DNS_OVERRIDE_GIVEN)
		st = yg_dns_answer_read(row, &action, &spec, err);
	else if (!yg_dns_category_ok(row->category))
		st = YG_FAIL(err, YG_INVAL, "there is no such category");
	if (st == YG_OK)
		st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, set_answer(act, row, err), err) : st;
}

/* ---- what is in force ---- */

/* From what is said for all down to the organisation's own. */
static yg_status get_modes(struct yg_state *db, struct yg_sv org, struct yg_dns_settings *out,
			   struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = true;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT m.layer, m.mode, m.org FROM dns_mode m"
		       " LEFT JOIN organisation_path p ON p.ancestor = m.org AND p.slug = $1"
		       " WHERE m.org = '' OR p.slug IS NOT NULL"
		       " ORDER BY CASE WHEN m.org = '' THEN 1000 ELSE p.depth END DESC"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, org);
	while ((st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		enum yg_dns_layer layer;
		enum yg_dns_mode mode;
		if (yg_dns_layer_parse(yg_col_text(s, 0), &layer) != YG_OK ||
		    yg_dns_mode_parse(yg_col_text(s, 1), &mode) != YG_OK)
			continue; /* of a newer program's making */
		out->mode[layer] = mode;
		out->own[layer] = yg_sv_eq(yg_col_text(s, 2), org);
	}
	return st;
}

static yg_status take_answer(struct yg_stmt *s, struct yg_sv org, struct yg_arena *arena,
			     struct yg_dns_answer_row *a, struct yg_err *err)
{
	struct yg_sv *const texts[] = {&a->org, &a->category, &a->target, &a->addresses};
	for (size_t i = 0; i < YG_LEN(texts); i++) {
		*texts[i] = yg_arena_dup(arena, yg_col_text(s, (int)i));
		if (texts[i]->p == NULL)
			return YG_FAIL(err, YG_NOMEM, "answers");
	}
	a->ttl = (uint32_t)yg_col_i64(s, 5);
	a->own = yg_sv_eq(a->org, org);
	return yg_dns_override_parse(yg_col_text(s, 4), &a->answer);
}

static yg_status get_answers(struct yg_state *db, struct yg_sv org, struct yg_arena *arena,
			     struct yg_dns_settings *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = true;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT a.org, a.category, a.target, a.addresses, a.answer, a.ttl FROM dns_answer a"
		       " LEFT JOIN organisation_path p ON p.ancestor = a.org AND p.slug = $1"
		       " WHERE a.org = '' OR p.slug IS NOT NULL"
		       " ORDER BY CASE WHEN a.org = '' THEN 1000 ELSE p.depth END,"
		       " CASE WHEN a.category = '' THEN 1 ELSE 0 END, a.category LIMIT $2"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, org);
	yg_stmt_i64(s, 2, ROWS_MAX);
	out->answers = YG_NEW_N(arena, struct yg_dns_answer_row, ROWS_MAX);
	if (out->answers == NULL)
		return YG_FAIL(err, YG_NOMEM, "answers");
	while (out->answer_count < ROWS_MAX && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		st = take_answer(s, org, arena, &out->answers[out->answer_count++], err);
		if (st == YG_PARSE) /* of a newer program's making */
			out->answer_count--;
		else if (st != YG_OK)
			return st;
	}
	return st;
}

yg_status yg_dns_settings_get(struct yg_state *db, struct yg_sv org, struct yg_arena *arena,
			      struct yg_dns_settings *out, struct yg_err *err)
{
	*out = (struct yg_dns_settings){.answer_count = 0};
	yg_status st = get_modes(db, org, out, err);
	return st == YG_OK ? get_answers(db, org, arena, out, err) : st;
}
