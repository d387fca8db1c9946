#include "detect/hunt_state.h"

#include "base/limits.h"
#include "store/rows.h"

#define COLUMNS                                                                                         \
	"h.seq, h.kind, h.automatic, h.org, h.name, h.items, h.first, h.last, h.time_from, h.time_to,"  \
	" h.received, h.place, h.batch, h.looked_at, h.matches, h.told, h.known, h.cut, j.id, j.actor," \
	" j.message, j.state, j.done, j.total, j.created, j.started, j.finished, j.cancel, h.alerts,"   \
	" " TITLE ", h.correlates, h.kept_place"
#define TITLE                                                                                      \
	"coalesce((SELECT title FROM detect_rule WHERE uid = h.name),"                             \
	" (SELECT CASE title WHEN '' THEN name ELSE title END FROM indicator_list WHERE uid = h.name), '')"

static yg_status take(struct yg_stmt *s, struct yg_arena *arena, void *to, struct yg_err *err)
{
	struct yg_hunt *h = to;
	*h = (struct yg_hunt){.seq = yg_col_i64(s, 0)};
	const struct yg_row_text texts[] = {
		{&h->org, 3},        {&h->name, 4},         {&h->place, 11}, {&h->job.id, 18},
		{&h->job.actor, 19}, {&h->job.message, 20}, {&h->title, 29}, {&h->kept_place, 31}};
	h->what = YG_SV_IS(yg_col_text(s, 1), "rule") ? YG_HUNT_RULE : YG_HUNT_INDICATOR;
	if (yg_col_i64(s, 30) != 0)
		h->what = YG_HUNT_CORRELATION;
	h->automatic = yg_col_i64(s, 2) != 0;
	int64_t *numbers[] = {&h->items,       &h->first, &h->last,  &h->from.us,   &h->to.us,
			      &h->received.us, NULL,      &h->batch, &h->looked_at, &h->matches,
			      &h->told,        &h->known, &h->cut};
	for (size_t i = 0; i < YG_LEN(numbers); i++)
		if (numbers[i] != NULL)
			*numbers[i] = yg_col_i64(s, (int)i + 5);
	h->job.state = yg_job_state_parse(yg_col_text(s, 21));
	int64_t *of_job[] = {&h->job.done, &h->job.total, &h->job.created.us, &h->job.started.us,
			     &h->job.finished.us};
	for (size_t i = 0; i < YG_LEN(of_job); i++)
		*of_job[i] = yg_col_i64(s, (int)i + 22);
	h->job.cancel = yg_col_i64(s, 27) != 0;
	h->alerts = yg_col_i64(s, 28);
	return yg_row_texts(s, arena, texts, YG_LEN(texts), err);
}

static yg_status insert(struct yg_state *db, const struct yg_hunt *h, struct yg_sv job,
			size_t items, int64_t *out_seq, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("INSERT INTO retro_hunt (job, kind, automatic, org, name, items, first, last, time_from,"
		       " time_to, received, correlates) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
		       " RETURNING seq"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, job);
	yg_stmt_text(s, 2, h->what == YG_HUNT_INDICATOR ? YG_SV("indicator") : YG_SV("rule"));
	yg_stmt_i64(s, 3, h->automatic);
	yg_stmt_text(s, 4, h->org);
	yg_stmt_text(s, 5, h->name);
	yg_stmt_i64(s, 6, items > 0 ? (int64_t)items : h->items);
	const int64_t numbers[] = {h->first, h->last, h->from.us, h->to.us, h->received.us};
	for (size_t i = 0; i < YG_LEN(numbers); i++)
		yg_stmt_i64(s, (int)i + 7, numbers[i]);
	yg_stmt_i64(s, 12, h->what == YG_HUNT_CORRELATION);
	st = yg_stmt_step(s, &row, err);
	if (st != YG_OK)
		return st;
	*out_seq = yg_col_i64(s, 0);
	return yg_stmt_step(s, &row, err);
}

static yg_status insert_items(struct yg_state *db, int64_t seq, const struct yg_sv *items, size_t n,
			      struct yg_err *err)
{
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < n; i++) {
		struct yg_stmt *s = NULL;
		st = yg_state_prepare(
			db,
			YG_SQL("INSERT INTO retro_hunt_item (hunt, n, item) VALUES ($1, $2, $3)"),
			&s, err);
		if (st != YG_OK)
			return st;
		yg_stmt_i64(s, 1, seq);
		yg_stmt_i64(s, 2, (int64_t)i);
		yg_stmt_text(s, 3, items[i]);
		st = yg_stmt_run(s, err);
	}
	return st;
}

yg_status yg_hunt_add(struct yg_act *act, const struct yg_hunt *h, const struct yg_sv *items,
		      size_t n, struct yg_id *out_job, struct yg_err *err)
{
	struct yg_tx tx;
	struct yg_id job;
	int64_t seq = 0;
	if (n > YG_HUNT_ITEMS_MAX)
		return YG_FAIL(err, YG_LIMIT, "a hunt is for at most %d rules or indicators",
			       YG_HUNT_ITEMS_MAX);
	yg_status st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	st = yg_job_add(act, YG_SV(YG_HUNT_KIND), h->org, YG_SV(""), &job, err);
	if (st == YG_OK)
		st = insert(act->db, h, yg_id_sv(&job), n, &seq, err);
	if (st == YG_OK)
		st = insert_items(act->db, seq, items, n, err);
	st = yg_tx_end(&tx, st, err);
	if (st == YG_OK)
		*out_job = job;
	return st;
}

yg_status yg_hunt_get(struct yg_state *db, struct yg_sv job, struct yg_arena *arena,
		      struct yg_hunt *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT " COLUMNS
		       " FROM retro_hunt h JOIN job j ON j.id = h.job WHERE h.job = $1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, job);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && !row)
		return YG_FAIL(err, YG_NOTFOUND, "no such hunt");
	return st == YG_OK ? take(s, arena, out, err) : st;
}

#define BY "CASE WHEN $9 = 0 THEN 0 ELSE h.matches END"
#define KIND                                                                                       \
	"CASE WHEN h.correlates = 1 THEN 'correlation' WHEN h.kind = 'rule' THEN 'rule'"           \
	" WHEN h.name LIKE 'l-%' THEN 'list' ELSE 'indicators' END"

yg_status yg_hunt_list(struct yg_state *db, const struct yg_hunt_filter *f, struct yg_arena *arena,
		       struct yg_hunt **out, size_t *out_n, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct yg_sv part = yg_row_part(arena, f->part);
	if (arena->refused)
		return YG_FAIL(err, YG_NOMEM, "hunts");
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT " COLUMNS " FROM retro_hunt h JOIN job j ON j.id = h.job"
		       " WHERE ($1 = 1 OR h.org IN yg_set($2)) AND ($3 = '' OR " BY " < $8 OR (" BY
		       " = $8"
		       " AND h.job < $3)) AND ($5 = '' OR j.state = $5) AND j.created >= $6"
		       " AND ($7 = 0 OR (j.finished > 0 AND j.finished < $7)) AND ($10 = 0 OR j.created < $10)"
		       " AND ($11 = '' OR $11 = " KIND ") AND ($12 = 0 OR h.matches > 0)"
		       " AND ($13 = '' OR lower(h.name || ' ' || " TITLE ") LIKE $13 ESCAPE '\\'"
		       " OR (h.kind = 'indicator' AND h.last = 0 AND EXISTS (SELECT 1 FROM retro_hunt_item i"
		       " WHERE i.hunt = h.seq AND lower(i.item) LIKE $13 ESCAPE '\\')))"
		       " ORDER BY " BY " DESC, h.job DESC LIMIT $4"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, yg_reach_all_flag(&f->reach));
	yg_stmt_set(s, 2, f->reach.orgs, f->reach.org_count);
	yg_stmt_text(s, 3, f->before);
	yg_stmt_i64(s, 4, f->limit);
	yg_stmt_text(s, 5, f->state);
	yg_stmt_i64(s, 6, YG_MAX(f->reach.from.us, f->from_us));
	yg_stmt_i64(s, 7, f->reach.to.us);
	yg_stmt_i64(s, 8, f->by_matches ? f->before_matches : 0);
	yg_stmt_i64(s, 9, f->by_matches);
	yg_stmt_i64(s, 10, f->to_us);
	yg_stmt_text(s, 11, f->kind);
	yg_stmt_i64(s, 12, f->hits);
	yg_stmt_text(s, 13, part);
	const struct yg_row_list how = {sizeof(struct yg_hunt), f->limit, take};
	return yg_row_list(s, &how, arena, out, out_n, err);
}

yg_status yg_hunt_items(struct yg_state *db, int64_t seq, uint32_t limit, struct yg_arena *arena,
			struct yg_hunt_item **out, size_t *out_n, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct yg_hunt_item *list = YG_NEW_N(arena, struct yg_hunt_item, limit + 1);
	bool row = true;
	size_t n = 0;
	if (list == NULL)
		return YG_FAIL(err, YG_NOMEM, "what a hunt is for");
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT item, told, cut FROM retro_hunt_item WHERE hunt = $1 ORDER BY n LIMIT $2"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, seq);
	yg_stmt_i64(s, 2, limit);
	while (n < limit && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		list[n] = (struct yg_hunt_item){yg_arena_dup(arena, yg_col_text(s, 0)),
						yg_col_i64(s, 1), yg_col_i64(s, 2)};
		if (list[n++].text.p == NULL)
			return YG_FAIL(err, YG_NOMEM, "what a hunt is for");
	}
	*out = list;
	*out_n = n;
	return st;
}

yg_status yg_hunt_item_save(struct yg_state *db, int64_t seq, int64_t n, int64_t told, int64_t cut,
			    struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("UPDATE retro_hunt_item SET told = $3, cut = $4 WHERE hunt = $1 AND n = $2"),
		&s, err);
	if (st != YG_OK)
		return st;
	const int64_t numbers[] = {seq, n, told, cut};
	for (size_t i = 0; i < YG_LEN(numbers); i++)
		yg_stmt_i64(s, (int)i + 1, numbers[i]);
	return yg_stmt_run(s, err);
}

yg_status yg_hunt_save(struct yg_state *db, const struct yg_hunt *h, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("UPDATE retro_hunt SET place = $2, batch = $3, looked_at = $4, matches = $5,"
		       " told = $6, known = $7, cut = $8, alerts = $9, kept_place = $10 WHERE seq = $1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, h->seq);
	yg_stmt_text(s, 2, h->place);
	const int64_t numbers[] = {h->batch, h->looked_at, h->matches, h->told,
				   h->known, h->cut,       h->alerts};
	for (size_t i = 0; i < YG_LEN(numbers); i++)
		yg_stmt_i64(s, (int)i + 3, numbers[i]);
	yg_stmt_text(s, 10, h->kept_place);
	return yg_stmt_run(s, err);
}

/* ---- states of correlations ---- */

yg_status yg_hunt_state_save(struct yg_state *db, int64_t seq, struct yg_sv org, struct yg_sv bytes,
			     struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("INSERT INTO retro_hunt_state (hunt, org, data) VALUES ($1, $2, $3)"
		       " ON CONFLICT (hunt, org) DO UPDATE SET data = excluded.data"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, seq);
	yg_stmt_text(s, 2, org);
	yg_stmt_blob(s, 3, bytes);
	return yg_stmt_run(s, err);
}

yg_status yg_hunt_state_drop(struct yg_state *db, int64_t seq, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(db, YG_SQL("DELETE FROM retro_hunt_state WHERE hunt = $1"),
					&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, seq);
	return yg_stmt_run(s, err);
}

yg_status yg_hunt_states(struct yg_state *db, int64_t seq, yg_hunt_state_fn *fn, void *ctx,
			 struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = true;
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT org, data FROM retro_hunt_state WHERE hunt = $1 ORDER BY org"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, seq);
	while ((st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		st = fn(ctx, yg_col_text(s, 0), yg_col_text(s, 1), err);
		if (st != YG_OK)
			return st;
	}
	return st;
}

yg_status yg_hunt_requeue(struct yg_act *act, uint64_t *out_n, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("UPDATE job SET state = 'queued', updated = $1 WHERE state IN ('queued', 'running')"
		       " AND kind = 'retro-hunt'"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, yg_env_wall(act->env).us);
	st = yg_stmt_run(s, err);
	if (st == YG_OK)
		*out_n = yg_state_changes(act->db);
	/* one that was cancelled while it waited to go on does not come to clear up */
	if (st == YG_OK)
		st = yg_state_prepare(
			act->db,
			YG_SQL("DELETE FROM retro_hunt_state WHERE hunt NOT IN (SELECT h.seq"
			       " FROM retro_hunt h JOIN job j ON j.id = h.job WHERE j.state = 'queued')"),
			&s, err);
	return st == YG_OK ? yg_stmt_run(s, err) : st;
}
