#include "alert/alert.h"

#include "alert/alert_internal.h"
#include "org/audit_log.h"

#define COLUMNS                                                                                                      \
	"a.seq, a.id, a.org, a.title, a.state, a.verdict, a.reason, a.assignee, a.severity_id, a.confidence, a.tlp," \
	" a.indicator, a.indicator_type, a.asset, a.list, a.category, a.family, a.count, a.first_seen, a.last_seen," \
	" a.created, a.updated, a.closed, a.previous, a.merged_into, a.version, a.system, a.due, a.due_reason,"      \
	" a.snoozed_until, a.snooze_reason, a.snoozed_by"
/* $1 states, $2 severity, $3 assignee, $4 indicator, $5 asset, $6 pattern, $7
 * before, $8 from, $9 to, $10 and $11 the period, $12 organisations, $13 systems,
 * $14 limit.  What is not asked for matches all. */
#define WHERE                                                                                               \
	" b.severity_id >= $2 AND ($3 = '' OR b.assignee = $3 OR ($3 = '-' AND b.assignee = ''))"           \
	" AND ($4 = '' OR b.indicator = $4) AND ($5 = '' OR b.asset = $5)"                                  \
	" AND ($6 = '' OR lower(b.title || ' ' || b.indicator || ' ' || b.asset || ' ' || b.list || ' ' ||" \
	" b.category || ' ' || b.family || ' ' || b.id) LIKE $6 ESCAPE '!')"                                \
	" AND ($8 = 0 OR b.last_seen >= $8) AND ($9 = 0 OR b.last_seen < $9)"                               \
	" AND ($10 = 0 OR b.created >= $10) AND ($11 = 0 OR b.created < $11)"
/* The newest of each state, of each organisation and state, of each system and
 * state, each by its index; the caller takes the newest of those. */
#define NEWEST(of)                                                                                 \
	"SELECT b.seq FROM alert b WHERE b.state = st.item" of " AND b.seq < $7 AND" WHERE         \
	" ORDER BY b.seq DESC LIMIT $14"
#define SOME                                                                                                                          \
	" (SELECT c.seq FROM yg_set($12) o CROSS JOIN yg_set($1) st JOIN alert c ON c.seq IN"                                         \
	" (" NEWEST(                                                                                                                  \
		" AND b.org = o.item") ")"                                                                                            \
				       " UNION ALL SELECT c.seq FROM yg_set($13) o CROSS JOIN yg_set($1) st JOIN alert c ON c.seq IN" \
				       " (" NEWEST(" AND b.system = o.item") "))"

static const char *const state_names[] = {[YG_ALERT_NONE] = "",
#define X(id, num, name) [num] = name,
					  YG_ALERT_STATES(X)
#undef X
};
static const char *const verdict_names[] = {[YG_VERDICT_NONE] = "",
#define X(id, num, name) [num] = name,
					    YG_VERDICTS(X)
#undef X
};

const char *yg_alert_state_name(enum yg_alert_state s)
{
	return (size_t)s < YG_LEN(state_names) ? state_names[s] : "";
}

const char *yg_verdict_name(enum yg_verdict v)
{
	return (size_t)v < YG_LEN(verdict_names) ? verdict_names[v] : "";
}

yg_status yg_alert_state_parse(struct yg_sv s, enum yg_alert_state *out)
{
	for (size_t i = 1; i < YG_LEN(state_names); i++)
		if (yg_sv_eq(s, yg_sv_of(state_names[i]))) {
			*out = (enum yg_alert_state)i;
			return YG_OK;
		}
	return YG_PARSE;
}

yg_status yg_verdict_parse(struct yg_sv s, enum yg_verdict *out)
{
	if (yg_sv_ends(s, YG_SV("_positive")))
		s.n -= sizeof "_positive" - 1;
	for (size_t i = 1; i < YG_LEN(verdict_names); i++)
		if (yg_sv_eq(s, yg_sv_of(verdict_names[i]))) {
			*out = (enum yg_verdict)i;
			return YG_OK;
		}
	return YG_PARSE;
}

const char yg_alert_select[] = "SELECT " COLUMNS " FROM alert a";

yg_status yg_alert_take(struct yg_stmt *s, struct yg_arena *arena, struct yg_alert *a,
			struct yg_err *err)
{
	const struct {
		struct yg_sv *to;
		int column;
	} texts[] = {
		{&a->id, 1},
		{&a->org, 2},
		{&a->title, 3},
		{&a->reason, 6},
		{&a->assignee, 7},
		{&a->tlp, 10},
		{&a->indicator, 11},
		{&a->indicator_type, 12},
		{&a->asset, 13},
		{&a->list, 14},
		{&a->category, 15},
		{&a->family, 16},
		{&a->previous, 23},
		{&a->merged_into, 24},
		{&a->system, 26},
		{&a->due_reason, 28},
		{&a->snooze_reason, 30},
		{&a->snoozed_by, 31},
	};
	for (size_t i = 0; i < YG_LEN(texts); i++) {
		*texts[i].to = yg_arena_dup(arena, yg_col_text(s, texts[i].column));
		if (texts[i].to->p == NULL)
			return YG_FAIL(err, YG_NOMEM, "alerts");
	}
	a->seq = yg_col_i64(s, 0);
	a->state = YG_ALERT_NONE;
	a->verdict = YG_VERDICT_NONE;
	(void)yg_alert_state_parse(yg_col_text(s, 4), &a->state);
	(void)yg_verdict_parse(yg_col_text(s, 5), &a->verdict);
	a->severity_id = (int)yg_col_i64(s, 8);
	a->confidence = (int)yg_col_i64(s, 9);
	a->count = yg_col_i64(s, 17);
	yg_wall *times[] = {&a->first_seen, &a->last_seen, &a->created, &a->updated, &a->closed};
	for (size_t i = 0; i < YG_LEN(times); i++)
		times[i]->us = yg_col_i64(s, 18 + (int)i);
	a->version = yg_col_i64(s, 25);
	a->due.us = yg_col_i64(s, 27);
	a->snoozed_until.us = yg_col_i64(s, 29);
	return YG_OK;
}

/* "%word%" with its wildcards escaped, lower case in ASCII. */
struct yg_sv yg_alert_pattern(struct yg_sv q, struct yg_sb *b)
{
	q = yg_sv_trim(q);
	if (q.n == 0)
		return (struct yg_sv){"", 0};
	yg_sb_putc(b, '%');
	for (size_t i = 0; i < q.n; i++) {
		char c = q.p[i];
		if (c == '%' || c == '_' || c == '!')
			yg_sb_putc(b, '!');
		yg_sb_putc(b, c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
	}
	yg_sb_putc(b, '%');
	return yg_sb_sv(b);
}

static yg_status bind_filter(struct yg_stmt *s, const struct yg_alert_filter *f,
			     struct yg_sb *pattern, struct yg_err *err)
{
	struct yg_sv states[YG_LEN(state_names)];
	size_t n = 0;
	for (size_t i = 1; i < YG_LEN(state_names); i++)
		if (f->states == 0 || (f->states & 1u << i) != 0)
			states[n++] = yg_sv_of(state_names[i]);
	yg_stmt_set(s, 1, states, n);
	yg_stmt_i64(s, 2, f->severity_min);
	yg_stmt_text(s, 3, f->assignee);
	yg_stmt_text(s, 4, f->indicator);
	yg_stmt_text(s, 5, f->asset);
	yg_stmt_text(s, 6, yg_alert_pattern(f->q, pattern));
	yg_stmt_i64(s, 7, f->before > 0 ? f->before : INT64_MAX);
	yg_stmt_i64(s, 8, f->from_us);
	yg_stmt_i64(s, 9, f->to_us);
	yg_stmt_i64(s, 10, f->reach.from.us);
	yg_stmt_i64(s, 11, f->reach.to.us);
	yg_stmt_set(s, 12, f->reach.orgs, f->reach.org_count);
	yg_stmt_set(s, 13, f->reach.systems, f->reach.system_count);
	yg_stmt_i64(s, 14, f->limit);
	return pattern->cut ? YG_FAIL(err, YG_INVAL, "the words to look for are too long") : YG_OK;
}

yg_status yg_alert_list(struct yg_state *db, const struct yg_alert_filter *f,
			struct yg_arena *arena, struct yg_alert **out, size_t *out_n,
			struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	char text[1024];
	struct yg_sb pattern = yg_sb_init(text, sizeof text);
	uint32_t limit = YG_MIN(f->limit, (uint32_t)YG_PAGE_MAX + 1);
	struct yg_alert *list = YG_NEW_N(arena, struct yg_alert, limit);
	if (list == NULL && limit > 0)
		return YG_FAIL(err, YG_NOMEM, "alerts");
	/* two texts: one that does not look at organisations at all is the faster */
	yg_status st =
		f->reach.all
			? yg_state_prepare(
				  db,
				  YG_SQL("SELECT " COLUMNS
					 " FROM yg_set($1) st JOIN alert a ON a.seq IN"
					 " (" NEWEST(
						 " AND $12 = $12 AND $13 = $13") ") ORDER BY a.seq DESC LIMIT $14"),
				  &s, err)
			: yg_state_prepare(db,
					   YG_SQL("SELECT " COLUMNS " FROM" SOME
						  " f JOIN alert a ON a.seq = f.seq"
						  " ORDER BY a.seq DESC LIMIT $14"),
					   &s, err);
	if (st == YG_OK)
		st = bind_filter(s, f, &pattern, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 14, limit);
	size_t n = 0;
	bool row = true;
	while (n < limit && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		st = yg_alert_take(s, arena, &list[n++], err);
		if (st != YG_OK)
			return st;
	}
	*out = list;
	*out_n = n;
	return st;
}

static yg_status take_one(struct yg_stmt *s, struct yg_sv id, struct yg_arena *arena,
			  struct yg_alert *out, struct yg_err *err)
{
	struct yg_alert a = {0};
	bool row = false;
	yg_stmt_text(s, 1, id);
	yg_status st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && !row)
		return YG_FAIL(err, YG_NOTFOUND, "no such alert");
	if (st == YG_OK)
		st = yg_alert_take(s, arena, &a, err);
	if (st == YG_OK)
		*out = a;
	return st;
}

yg_status yg_alert_get(struct yg_state *db, struct yg_sv id, struct yg_arena *arena,
		       struct yg_alert *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT " COLUMNS " FROM alert a WHERE a.id = $1"), &s, err);
	return st == YG_OK ? take_one(s, id, arena, out, err) : st;
}

yg_status yg_alert_get_at(struct yg_state *db, struct yg_sv id, yg_wall at, struct yg_arena *arena,
			  struct yg_alert *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	if (at.us == 0)
		return yg_alert_get(db, id, arena, out, err);
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT " COLUMNS " FROM " YG_ALERT_AS_OF("$2") " WHERE a.id = $1"), &s,
		err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 2, at.us);
	return take_one(s, id, arena, out, err);
}

#define OPEN "('new', 'in_progress', 'on_hold')"
yg_status yg_alert_counts(struct yg_state *db, const struct yg_reach *reach, int64_t out[static 7],
			  struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = true;
	memset(out, 0, 7 * sizeof out[0]);
	/* counted ahead (0002-console.sql); not by system, nor as of a period */
	yg_status st =
		reach->from.us == 0 && reach->to.us == 0
			? yg_state_prepare(
				  db,
				  YG_SQL("SELECT c.severity_id, sum(c.n) FROM alert_count c WHERE c.state <> 'closed'"
					 " AND ($5 = 1 OR c.org IN yg_set($1)) GROUP BY c.severity_id"
					 " UNION ALL SELECT b.severity_id, count(*) FROM yg_set($2) o JOIN alert b"
					 " ON b.system = o.item WHERE b.state IN " OPEN
					 " AND $3 = $4 GROUP BY b.severity_id"),
				  &s, err)
			: yg_state_prepare(
				  db,
				  YG_SQL("SELECT a.severity_id, count(*) FROM " YG_ALERT_AS_OF(
					  "$4") " WHERE a.state IN " OPEN
						" AND ($5 = 1 OR a.org IN yg_set($1) OR a.system IN yg_set($2))"
						" AND a.created >= $3 AND a.created < $4 GROUP BY a.severity_id"),
				  &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_set(s, 1, reach->orgs, reach->org_count);
	yg_stmt_set(s, 2, reach->systems, reach->system_count);
	yg_stmt_i64(s, 3, reach->from.us);
	/* equal in the other statement, which has no period */
	bool ends = reach->from.us != 0 && reach->to.us == 0;
	yg_stmt_i64(s, 4, ends ? INT64_MAX : reach->to.us);
	yg_stmt_i64(s, 5, yg_reach_all_flag(reach));
	while ((st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		int64_t severity = yg_col_i64(s, 0);
		if (severity >= 0 && severity < 7)
			out[severity] += yg_col_i64(s, 1);
	}
	return st;
}

yg_status yg_alert_evidence(struct yg_state *db, const struct yg_alert_of *of, uint32_t skip,
			    uint32_t limit, struct yg_arena *arena, struct yg_evidence **out,
			    size_t *out_n, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	limit = YG_MIN(limit, (uint32_t)YG_PAGE_MAX + 1);
	struct yg_evidence *list = YG_NEW_N(arena, struct yg_evidence, limit);
	if (list == NULL && limit > 0)
		return YG_FAIL(err, YG_NOMEM, "evidence");
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT e.event_id, e.finding_uid, e.field, e.value, p.title, p.asset, p.indicator, e.fields, e.time, e.historical"
		       " FROM alert a JOIN alert_part p ON p.alert = a.seq JOIN alert_evidence e ON e.part = p.id"
		       " WHERE a.id = $1 AND e.time >= $4 AND e.time < $5"
		       " ORDER BY e.time DESC, e.part DESC, e.n DESC LIMIT $2 OFFSET $3"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, of->id);
	yg_stmt_i64(s, 2, limit);
	yg_stmt_i64(s, 3, skip);
	yg_stmt_i64(s, 4, of->from_us);
	yg_stmt_i64(s, 5, of->to_us != 0 ? of->to_us : INT64_MAX);
	size_t n = 0;
	bool row = true;
	while (n < limit && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		struct yg_evidence *e = &list[n++];
		struct yg_sv *text[] = {&e->event_id, &e->finding_uid, &e->field,     &e->value,
					&e->title,    &e->asset,       &e->indicator, &e->fields};
		for (size_t i = 0; i < YG_LEN(text); i++) {
			*text[i] = yg_arena_dup(arena, yg_col_text(s, (int)i));
			if (text[i]->p == NULL)
				return YG_FAIL(err, YG_NOMEM, "evidence");
		}
		e->time.us = yg_col_i64(s, 8);
		e->historical = yg_col_i64(s, 9) != 0;
	}
	*out = list;
	*out_n = n;
	return st;
}

static yg_status insert_comment(struct yg_act *act, struct yg_sv comment, int64_t alert,
				struct yg_sv body, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("INSERT INTO alert_comment (id, alert, time, actor, body) VALUES ($1, $2, $3, $4, $5)"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, comment);
	yg_stmt_i64(s, 2, alert);
	yg_stmt_i64(s, 3, yg_env_wall(act->env).us);
	yg_stmt_text(s, 4, act->who);
	yg_stmt_text(s, 5, body);
	return yg_stmt_run(s, err);
}

static yg_status comment(struct yg_act *act, struct yg_sv id, struct yg_sv body,
			 struct yg_sv comment_id, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_alert a = {0};
	yg_arena_init(&arena, 1 << 20);
	yg_detail_init(&d);
	yg_status st = yg_alert_get(act->db, id, &arena, &a, err);
	if (st == YG_OK)
		st = insert_comment(act, comment_id, a.seq, body, err);
	if (st != YG_OK)
		return st;
	yg_detail_note(&d, "comment", comment_id);
	yg_detail_note(&d, "text", body);
	return yg_audit_add(act, "alert.comment", id, a.org, &d, err);
}

yg_status yg_alert_comment(struct yg_act *act, struct yg_sv id, struct yg_sv body,
			   struct yg_id *out_id, struct yg_err *err)
{
	struct yg_tx tx;
	struct yg_id c = yg_id_new(&act->ids, act->env, "c");
	body = yg_sv_trim(body);
	if (body.n == 0 || body.n > YG_COMMENT_MAX || yg_utf8_valid(body) != body.n)
		return YG_FAIL(err, YG_INVAL, "a comment has 1 to 10000 characters");
	yg_status st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	st = yg_tx_end(&tx, comment(act, id, body, yg_id_sv(&c), err), err);
	if (st == YG_OK)
		*out_id = c;
	return st;
}

yg_status yg_alert_comments(struct yg_state *db, const struct yg_alert_of *of, struct yg_sv after,
			    uint32_t limit, struct yg_arena *arena, struct yg_comment **out,
			    size_t *out_n, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	limit = YG_MIN(limit, (uint32_t)YG_PAGE_MAX + 1);
	struct yg_comment *list = YG_NEW_N(arena, struct yg_comment, limit);
	if (list == NULL && limit > 0)
		return YG_FAIL(err, YG_NOMEM, "comments");
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT c.id, c.actor, c.body, c.time FROM alert a JOIN alert_comment c ON c.alert = a.seq"
		       " WHERE a.id = $1 AND c.id > $2 AND c.time >= $4 AND c.time < $5 ORDER BY c.id LIMIT $3"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 4, of->from_us);
	yg_stmt_i64(s, 5, of->to_us != 0 ? of->to_us : INT64_MAX);
	yg_stmt_text(s, 1, of->id);
	yg_stmt_text(s, 2, after);
	yg_stmt_i64(s, 3, limit);
	size_t n = 0;
	bool row = true;
	while (n < limit && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		struct yg_comment *c = &list[n++];
		struct yg_sv *text[] = {&c->id, &c->actor, &c->body};
		for (size_t i = 0; i < YG_LEN(text); i++) {
			*text[i] = yg_arena_dup(arena, yg_col_text(s, (int)i));
			if (text[i]->p == NULL)
				return YG_FAIL(err, YG_NOMEM, "comments");
		}
		c->time.us = yg_col_i64(s, 3);
	}
	*out = list;
	*out_n = n;
	return st;
}
