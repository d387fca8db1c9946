#include <stdlib.h>

#include "alert/alert.h"
#include "base/check.h"
#include "org/audit_log.h"
#include "org/system.h"

/* Merging and splitting: parts move between alerts, then the totals of both are
 * reckoned again from their parts. */

#define LINKS_MAX ((size_t)YG_PARTS_MAX * (YG_EVIDENCE_FIRST + YG_EVIDENCE_NEWEST))

static yg_status run_i64(struct yg_state *db, const char *sql, const int64_t *v, size_t n,
			 struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(db, sql, &s, err);
	if (st != YG_OK)
		return st;
	for (size_t i = 0; i < n; i++)
		yg_stmt_i64(s, (int)i + 1, v[i]);
	return yg_stmt_run(s, err);
}

/* Count and times are the sums of the parts; severity and confidence never fall
 * below what the parts say. */
static yg_status reckon(struct yg_act *act, int64_t seq, struct yg_err *err)
{
	const int64_t v[] = {seq, yg_env_wall(act->env).us};
	yg_status st = run_i64(
		act->db,
		YG_SQL("UPDATE alert SET updated = $2, version = version + 1,"
		       " count = (SELECT sum(count) FROM alert_part WHERE alert = $1),"
		       " first_seen = (SELECT min(first_seen) FROM alert_part WHERE alert = $1),"
		       " last_seen = (SELECT max(last_seen) FROM alert_part WHERE alert = $1),"
		       " severity_id = (SELECT CASE WHEN max(severity_id) > alert.severity_id THEN max(severity_id)"
		       " ELSE alert.severity_id END FROM alert_part WHERE alert = $1),"
		       " confidence = (SELECT CASE WHEN max(confidence) > alert.confidence THEN max(confidence)"
		       " ELSE alert.confidence END FROM alert_part WHERE alert = $1) WHERE seq = $1"),
		v, YG_LEN(v), err);
	return st == YG_OK ? yg_system_mark(act, seq, err) : st;
}

/* The alert is named after its first part when the part it was named after has left. */
static yg_status rename_after_part(struct yg_state *db, int64_t seq, struct yg_err *err)
{
	const int64_t v[] = {seq};
	return run_i64(
		db,
		YG_SQL("UPDATE alert SET (title, indicator, indicator_type, asset, list, category, family, tlp) ="
		       " (SELECT p.title, p.indicator, p.indicator_type, p.asset, p.list, p.category, p.family, p.tlp"
		       " FROM alert_part p WHERE p.alert = $1 ORDER BY p.id LIMIT 1) WHERE seq = $1 AND NOT EXISTS"
		       " (SELECT 1 FROM alert_part p WHERE p.alert = $1 AND p.indicator = alert.indicator"
		       " AND p.indicator_type = alert.indicator_type AND p.asset = alert.asset)"),
		v, YG_LEN(v), err);
}

static yg_status count_parts(struct yg_state *db, int64_t seq, int64_t *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT count(*) FROM alert_part WHERE alert = $1"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, seq);
	st = yg_stmt_step(s, &row, err);
	*out = st == YG_OK && row ? yg_col_i64(s, 0) : 0;
	return st;
}

static yg_status close_merged(struct yg_act *act, const struct yg_alert *a,
			      const struct yg_alert *into, struct yg_sv reason, struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("UPDATE alert SET state = 'closed', verdict = 'duplicate', reason = $2, closed = $3,"
		       " updated = $3, merged_into = $4, snoozed_until = 0, snooze_reason = '', snoozed_by = '', version = version + 1 WHERE seq = $1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, a->seq);
	yg_stmt_text(s, 2, reason);
	yg_stmt_i64(s, 3, YG_MAX(yg_env_wall(act->env).us, 1));
	yg_stmt_text(s, 4, into->id);
	st = yg_stmt_run(s, err);
	if (st != YG_OK)
		return st;
	yg_detail_init(&d);
	(void)yg_detail_text(&d, "state", yg_sv_of(yg_alert_state_name(a->state)), YG_SV("closed"));
	(void)yg_detail_text(&d, "verdict", YG_SV(""), YG_SV("duplicate"));
	(void)yg_detail_text(&d, "merged_into", YG_SV(""), into->id);
	yg_detail_note(&d, "reason", reason);
	return yg_audit_add(act, "alert.merged", a->id, a->org, &d, err);
}

static yg_status merge_one(struct yg_act *act, const struct yg_alert *into, struct yg_sv other,
			   struct yg_sv reason, struct yg_arena *arena, struct yg_err *err)
{
	struct yg_alert a = {0};
	yg_status st = yg_alert_get(act->db, other, arena, &a, err);
	if (st != YG_OK)
		return st;
	if (a.seq == into->seq)
		return YG_FAIL(err, YG_INVAL, "an alert is not merged into itself");
	if (!yg_sv_eq(a.org, into->org))
		return YG_FAIL(err, YG_INVAL, "alerts of different organisations are not merged");
	if (a.state == YG_ALERT_CLOSED)
		return YG_FAIL(err, YG_CONFLICT, "a closed alert is not merged");
	const int64_t v[] = {a.seq, into->seq};
	st = run_i64(act->db,
		     YG_SQL("UPDATE alert_part SET alert = $2, merged_from = $1 WHERE alert = $1"),
		     v, YG_LEN(v), err);
	/* the story is due when the first of its alerts was */
	if (st == YG_OK)
		st = run_i64(
			act->db,
			YG_SQL("UPDATE alert SET due = (SELECT min(a.due) FROM alert a WHERE a.seq IN ($1, $2))"
			       " WHERE seq = $2 AND due_reason = ''"),
			v, YG_LEN(v), err);
	return st == YG_OK ? close_merged(act, &a, into, reason, err) : st;
}

static yg_status merge(struct yg_act *act, struct yg_sv into_id, int64_t version,
		       const struct yg_sv *others, size_t n, struct yg_sv reason,
		       struct yg_arena *arena, struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_alert into = {0};
	int64_t parts = 0;
	yg_detail_init(&d);
	yg_status st = yg_alert_get(act->db, into_id, arena, &into, err);
	if (st == YG_OK && version != YG_ANY_VERSION && version != into.version)
		st = YG_FAIL(err, YG_CONFLICT, "the alert was changed meanwhile");
	if (st == YG_OK && into.state == YG_ALERT_CLOSED)
		st = YG_FAIL(err, YG_CONFLICT, "nothing is merged into a closed alert");
	for (size_t i = 0; st == YG_OK && i < n; i++)
		st = merge_one(act, &into, others[i], reason, arena, err);
	yg_detail_notes(&d, "others", others, n);
	if (st == YG_OK)
		st = count_parts(act->db, into.seq, &parts, err);
	if (st == YG_OK && parts > YG_PARTS_MAX)
		st = YG_FAIL(err, YG_TOOBIG, "an alert has at most %d parts", YG_PARTS_MAX);
	if (st == YG_OK)
		st = reckon(act, into.seq, err);
	yg_detail_note(&d, "reason", reason);
	return st == YG_OK ? yg_audit_add(act, "alert.merge", into.id, into.org, &d, err) : st;
}

yg_status yg_alert_merge(struct yg_act *act, struct yg_sv into, int64_t version,
			 const struct yg_sv *others, size_t other_count, struct yg_sv reason,
			 struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_tx tx;
	reason = yg_sv_trim(reason);
	if (other_count == 0 || other_count > YG_PARTS_MAX)
		return YG_FAIL(err, YG_INVAL, "1 to %d alerts are merged into one", YG_PARTS_MAX);
	if (reason.n > YG_REASON_MAX || yg_utf8_valid(reason) != reason.n)
		return YG_FAIL(err, YG_INVAL, "the reason is too long or not text");
	yg_arena_init(&arena, 64 << 20);
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx,
				       merge(act, into, version, others, other_count, reason,
					     &arena, err),
				       err)
			   : st;
}

/* Open again, as its own. */
static yg_status reopen_merged(struct yg_act *act, const struct yg_alert *a, struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	const int64_t v[] = {a->seq, yg_env_wall(act->env).us};
	yg_status st = run_i64(
		act->db,
		YG_SQL("UPDATE alert SET state = 'in_progress', verdict = '', reason = '', closed = 0,"
		       " updated = $2, merged_into = '' WHERE seq = $1"),
		v, YG_LEN(v), err);
	if (st != YG_OK)
		return st;
	yg_detail_init(&d);
	(void)yg_detail_text(&d, "state", YG_SV("closed"), YG_SV("in_progress"));
	(void)yg_detail_text(&d, "verdict", YG_SV("duplicate"), YG_SV(""));
	(void)yg_detail_text(&d, "merged_into", a->merged_into, YG_SV(""));
	return yg_audit_add(act, "alert.unmerged", a->id, a->org, &d, err);
}

static yg_status unmerge(struct yg_act *act, struct yg_sv id, int64_t version,
			 struct yg_arena *arena, struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_alert a = {0}, into = {0};
	int64_t parts = 0, left = 0;
	yg_status st = yg_alert_get(act->db, id, arena, &a, err);
	if (st == YG_OK && version != YG_ANY_VERSION && version != a.version)
		st = YG_FAIL(err, YG_CONFLICT, "the alert was changed meanwhile");
	if (st == YG_OK && a.merged_into.n == 0)
		st = YG_FAIL(err, YG_CONFLICT, "the alert is not merged into another");
	if (st == YG_OK)
		st = yg_alert_get(act->db, a.merged_into, arena, &into, err);
	if (st == YG_OK && into.state == YG_ALERT_CLOSED)
		st = YG_FAIL(err, YG_CONFLICT,
			     "the alert that it was merged into is closed: reopen that first");
	if (st != YG_OK)
		return st;
	const int64_t v[] = {a.seq, into.seq};
	st = run_i64(
		act->db,
		YG_SQL("UPDATE alert_part SET alert = $1, merged_from = 0 WHERE alert = $2 AND merged_from = $1"),
		v, YG_LEN(v), err);
	if (st == YG_OK)
		st = count_parts(act->db, a.seq, &parts, err);
	if (st == YG_OK)
		st = count_parts(act->db, into.seq, &left, err);
	if (st == YG_OK && (parts == 0 || left == 0))
		st = YG_FAIL(err, YG_CONFLICT,
			     "what was merged has been split or merged again since");
	if (st == YG_OK)
		st = reopen_merged(act, &a, err);
	const int64_t both[] = {a.seq, into.seq};
	for (size_t i = 0; st == YG_OK && i < YG_LEN(both); i++) {
		st = rename_after_part(act->db, both[i], err);
		if (st == YG_OK)
			st = reckon(act, both[i], err);
	}
	yg_detail_init(&d);
	yg_detail_note(&d, "other", a.id);
	if (st == YG_OK)
		st = yg_audit_add(act, "alert.unmerge", into.id, into.org, &d, err);
	return st;
}

yg_status yg_alert_unmerge(struct yg_act *act, struct yg_sv id, int64_t version, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_tx tx;
	yg_arena_init(&arena, 1 << 20);
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, unmerge(act, id, version, &arena, err), err) : st;
}

struct link { /* one row of alert_evidence */
	int64_t part, n;
	bool named; /* its event is among those to be split off */
};

static int by_text(const void *a, const void *b)
{
	return yg_sv_cmp(*(const struct yg_sv *)a, *(const struct yg_sv *)b);
}

/* All links of the alert, by part; `events` is sorted. */
static yg_status read_links(struct yg_state *db, int64_t alert, const struct yg_sv *events,
			    size_t event_count, struct yg_arena *arena, struct link **out,
			    size_t *out_n, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	size_t cap = 0, n = 0;
	struct link *links = NULL;
	bool row = true;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT e.part, e.n, e.event_id FROM alert_part p JOIN alert_evidence e ON e.part = p.id"
		       " WHERE p.alert = $1 ORDER BY e.part, e.n"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, alert);
	while ((st = yg_stmt_step(s, &row, err)) == YG_OK && row && n < LINKS_MAX) {
		if (n == cap) {
			size_t more = cap > 0 ? cap * 2 : 256;
			struct link *grown = YG_NEW_N(arena, struct link, more);
			if (grown == NULL)
				return YG_FAIL(err, YG_NOMEM, "evidence");
			if (n > 0)
				memcpy(grown, links, n * sizeof links[0]);
			links = grown;
			cap = more;
		}
		struct yg_sv event = yg_col_text(s, 2);
		links[n++] = (struct link){
			yg_col_i64(s, 0), yg_col_i64(s, 1),
			bsearch(&event, events, event_count, sizeof events[0], by_text) != NULL};
	}
	*out = links;
	*out_n = n;
	return st;
}

static yg_status insert_split(struct yg_act *act, const struct yg_alert *from, struct yg_sv id,
			      int64_t *out_seq, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("INSERT INTO alert (id, org, title, state, assignee, severity_id, confidence, tlp, indicator,"
		       " indicator_type, asset, list, category, family, count, first_seen, last_seen, created, updated,"
		       " due, due_reason, version) SELECT $2, org, title, 'new', assignee, severity_id, confidence, tlp, '', '', '', list,"
		       " category, family, 0, first_seen, last_seen, $3, $3, due, due_reason, 0 FROM alert WHERE seq = $1 RETURNING seq"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, from->seq);
	yg_stmt_text(s, 2, id);
	yg_stmt_i64(s, 3, yg_env_wall(act->env).us);
	st = yg_stmt_step(s, &row, err);
	if (st != YG_OK)
		return st;
	*out_seq = yg_col_i64(s, 0);
	return yg_stmt_step(s, &row, err);
}

/* A part of which only some links go: the named ones get a part of their own. */
static yg_status split_part(struct yg_act *act, int64_t to, const struct link *run, size_t n,
			    size_t named, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	int64_t copy = 0;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("INSERT INTO alert_part (alert, org, indicator, indicator_type, asset, list, category, family,"
		       " severity_id, confidence, tlp, title, fields, count, seen, first_seen, last_seen, collects)"
		       " SELECT $2, org, indicator, indicator_type, asset, list, category, family, severity_id, confidence,"
		       " tlp, title, fields, $3, $3, first_seen, last_seen, -1 FROM alert_part WHERE id = $1 RETURNING id"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, run[0].part);
	yg_stmt_i64(s, 2, to);
	yg_stmt_i64(s, 3, (int64_t)named);
	st = yg_stmt_step(s, &row, err);
	if (st != YG_OK)
		return st;
	copy = yg_col_i64(s, 0);
	st = yg_stmt_step(s, &row, err);
	for (size_t i = 0; st == YG_OK && i < n; i++) {
		const int64_t v[] = {run[i].part, run[i].n, copy};
		if (run[i].named)
			st = run_i64(
				act->db,
				YG_SQL("UPDATE alert_evidence SET part = $3 WHERE part = $1 AND n = $2"),
				v, YG_LEN(v), err);
	}
	const int64_t less[] = {run[0].part, (int64_t)named}, times[] = {copy};
	if (st == YG_OK)
		st = run_i64(act->db,
			     YG_SQL("UPDATE alert_part SET count = count - $2 WHERE id = $1"), less,
			     YG_LEN(less), err);
	if (st == YG_OK)
		st = run_i64(
			act->db,
			YG_SQL("UPDATE alert_part SET first_seen = (SELECT min(time) FROM alert_evidence WHERE part = $1),"
			       " last_seen = (SELECT max(time) FROM alert_evidence WHERE part = $1) WHERE id = $1"),
			times, YG_LEN(times), err);
	return st;
}

/* Moves what is named from part to part; *out_whole: parts that went whole. */
static yg_status move_links(struct yg_act *act, int64_t to, const struct link *links, size_t n,
			    int64_t *out_whole, struct yg_err *err)
{
	yg_status st = YG_OK;
	*out_whole = 0;
	for (size_t i = 0, end; st == YG_OK && i < n; i = end) {
		size_t named = 0;
		for (end = i; end < n && links[end].part == links[i].part; end++)
			named += links[end].named;
		if (named == end - i) {
			const int64_t v[] = {links[i].part, to};
			st = run_i64(act->db,
				     YG_SQL("UPDATE alert_part SET alert = $2 WHERE id = $1"), v,
				     YG_LEN(v), err);
			++*out_whole;
		} else if (named > 0) {
			st = split_part(act, to, &links[i], end - i, named, err);
		}
	}
	return st;
}

struct split {
	struct yg_alert a;
	struct yg_sv new_id, reason;
	struct link *links;
	size_t n, named;
	int64_t to, whole;
};

/* What may be split, and which links go. */
static yg_status plan_split(struct yg_act *act, struct split *s, int64_t version,
			    const struct yg_sv *events, size_t event_count, struct yg_arena *arena,
			    struct yg_err *err)
{
	if (version != YG_ANY_VERSION && version != s->a.version)
		return YG_FAIL(err, YG_CONFLICT, "the alert was changed meanwhile");
	if (s->a.state == YG_ALERT_CLOSED)
		return YG_FAIL(err, YG_CONFLICT, "a closed alert is not split");
	yg_status st =
		read_links(act->db, s->a.seq, events, event_count, arena, &s->links, &s->n, err);
	if (st != YG_OK)
		return st;
	for (size_t i = 0; i < s->n; i++)
		s->named += s->links[i].named;
	if (s->named == 0)
		return YG_FAIL(err, YG_NOTFOUND, "the alert has no link to these events");
	if (s->named == s->n)
		return YG_FAIL(err, YG_INVAL, "something must stay with the alert");
	return YG_OK;
}

static yg_status do_split(struct yg_act *act, struct split *s, struct yg_err *err)
{
	int64_t parts = 0;
	yg_status st = insert_split(act, &s->a, s->new_id, &s->to, err);
	if (st == YG_OK)
		st = move_links(act, s->to, s->links, s->n, &s->whole, err);
	if (st == YG_OK)
		st = count_parts(act->db, s->a.seq, &parts, err);
	if (st == YG_OK && !YG_CHECK(parts > 0))
		st = YG_FAIL(err, YG_INTERNAL, "the alert lost all of its parts");
	const int64_t both[] = {s->to, s->a.seq};
	for (size_t i = 0; st == YG_OK && i < YG_LEN(both); i++) {
		st = rename_after_part(act->db, both[i], err);
		if (st == YG_OK)
			st = reckon(act, both[i], err);
	}
	return st;
}

static yg_status audit_split(struct yg_act *act, const struct split *s, struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	YG_AUTO(yg_detail_free) struct yg_detail fresh = {0};
	yg_detail_init(&d);
	yg_detail_init(&fresh);
	yg_detail_note(&d, "into", s->new_id);
	yg_detail_count(&d, "links", (int64_t)s->named);
	yg_detail_count(&d, "parts", s->whole);
	yg_detail_note(&d, "reason", s->reason);
	yg_detail_note(&fresh, "split_from", s->a.id);
	yg_status st = yg_audit_add(act, "alert.split", s->a.id, s->a.org, &d, err);
	return st == YG_OK ? yg_audit_add(act, "alert.open", s->new_id, s->a.org, &fresh, err) : st;
}

yg_status yg_alert_split(struct yg_act *act, struct yg_sv id, int64_t version,
			 const struct yg_sv *events, size_t event_count, struct yg_sv reason,
			 struct yg_id *out_id, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_tx tx;
	struct yg_id new_id = yg_id_new(&act->ids, act->env, "a");
	reason = yg_sv_trim(reason);
	if (event_count == 0 || event_count > LINKS_MAX)
		return YG_FAIL(err, YG_INVAL, "name the events to split off");
	if (reason.n > YG_REASON_MAX || yg_utf8_valid(reason) != reason.n)
		return YG_FAIL(err, YG_INVAL, "the reason is too long or not text");
	yg_arena_init(&arena, 64 << 20);
	struct yg_sv *sorted = YG_NEW_N(&arena, struct yg_sv, event_count);
	if (sorted == NULL)
		return YG_FAIL(err, YG_NOMEM, "events");
	memcpy(sorted, events, event_count * sizeof events[0]);
	qsort(sorted, event_count, sizeof sorted[0], by_text);
	yg_status st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	struct split s = {.new_id = yg_id_sv(&new_id), .reason = reason};
	st = yg_alert_get(act->db, id, &arena, &s.a, err);
	if (st == YG_OK)
		st = plan_split(act, &s, version, sorted, event_count, &arena, err);
	if (st == YG_OK)
		st = do_split(act, &s, err);
	if (st == YG_OK)
		st = audit_split(act, &s, err);
	st = yg_tx_end(&tx, st, err);
	if (st == YG_OK)
		*out_id = new_id;
	return st;
}
