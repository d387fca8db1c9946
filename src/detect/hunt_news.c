/* hunt_news.c - what hunts by themselves look for: what is new, and what is in force anew. */
#include "base/limits.h"
#include "detect/document.h"
#include "detect/hunt_state.h"
#include "store/rows.h"

static yg_status ask_flag(struct yg_stmt *s, bool *out, struct yg_err *err)
{
	bool row = false;
	yg_status st = yg_stmt_step(s, &row, err);
	*out = st == YG_OK && row && yg_col_i64(s, 0) != 0;
	return st;
}

yg_status yg_hunt_going(struct yg_state *db, enum yg_hunt_what what, bool *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT count(*) FROM retro_hunt h JOIN job j ON j.id = h.job"
		       " WHERE h.automatic = 1 AND h.kind = $1 AND h.correlates = $2"
		       " AND j.state IN ('queued', 'running')"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, what == YG_HUNT_INDICATOR ? YG_SV("indicator") : YG_SV("rule"));
	yg_stmt_i64(s, 2, what == YG_HUNT_CORRELATION);
	return ask_flag(s, out, err);
}

/* What is being compiled counts as compiled from its beginning: the newest must be ready. */
#define SETTLED(table, change)                                                                     \
	"SELECT CASE WHEN coalesce(max(s.finished), 0) BETWEEN 1 AND $1"                           \
	" AND min(c.changes) = min(c.compiled) AND (SELECT n.state FROM " table                    \
	" n ORDER BY n.generation DESC LIMIT 1) = 'ready' THEN 1 ELSE 0 END FROM " change          \
	" c LEFT JOIN " table " s ON s.state = 'ready'"

yg_status yg_hunt_settled(struct yg_state *db, enum yg_hunt_what what, yg_wall before, bool *out,
			  struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		what == YG_HUNT_INDICATOR ? YG_SQL(SETTLED("snapshot", "indicator_change"))
					  : YG_SQL(SETTLED("detect_snapshot", "detect_change")),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, before.us);
	return ask_flag(s, out, err);
}

yg_status yg_hunt_rule_since(struct yg_state *db, struct yg_sv uid, yg_wall now, int64_t *out_us,
			     struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		db,
		/* a snapshot that was begun after the change has it; an exception ends by itself */
		YG_SQL("SELECT r.widened, (SELECT min(n.finished) FROM detect_snapshot n"
		       " WHERE n.state = 'ready' AND n.created >= r.widened),"
		       " (SELECT max(x.expires) FROM detect_exception x"
		       " WHERE (x.rule = r.uid OR x.rule IS NULL) AND x.expires > 0 AND x.expires <= $2)"
		       " FROM detect_rule r WHERE r.uid = $1"),
		&s, err);
	*out_us = 0;
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, uid);
	yg_stmt_i64(s, 2, now.us);
	st = yg_stmt_step(s, &row, err);
	if (st != YG_OK || !row)
		return st;
	int64_t there = yg_col_i64(s, 1);
	if (yg_col_i64(s, 0) > 0)
		*out_us = there > 0 ? there + YG_HUNT_SETTLE_US : INT64_MAX;
	*out_us = YG_MAX(*out_us, yg_col_i64(s, 2));
	return YG_OK;
}

/* ---- indicators ---- */

yg_status yg_hunt_news(struct yg_state *db, yg_wall now, int64_t *out_first, int64_t *out_last,
		       int64_t *out_count, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		db,
		/* not a join with the mark: every indicator would be read to compare it with that */
		YG_SQL("SELECT (SELECT indicator FROM hunt_mark), coalesce(max(i.id), 0),"
		       " sum(CASE WHEN l.enabled = 1 AND i.valid_from <= $1"
		       " AND (i.valid_until = 0 OR i.valid_until > $1) THEN 1 ELSE 0 END)"
		       " FROM indicator i JOIN indicator_list l ON l.id = i.list"
		       " WHERE i.id > (SELECT indicator FROM hunt_mark)"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, now.us);
	st = yg_stmt_step(s, &row, err);
	*out_first = st == YG_OK && row ? yg_col_i64(s, 0) + 1 : 1;
	*out_last = st == YG_OK && row ? yg_col_i64(s, 1) : 0;
	*out_count = st == YG_OK && row ? yg_col_i64(s, 2) : 0;
	return st;
}

yg_status yg_hunt_mark(struct yg_state *db, int64_t last, yg_wall now, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("UPDATE indicator SET again = 1 WHERE id > (SELECT indicator FROM hunt_mark)"
		       " AND id <= $1 AND valid_from > $2"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, last);
	yg_stmt_i64(s, 2, now.us);
	st = yg_stmt_run(s, err);
	if (st == YG_OK)
		st = yg_state_prepare(
			db,
			YG_SQL("UPDATE hunt_mark SET indicator = $1 WHERE id = 1 AND indicator < $1"),
			&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, last);
	return yg_stmt_run(s, err);
}

yg_status yg_hunt_again(struct yg_state *db, yg_wall now, struct yg_arena *arena,
			struct yg_sv **out, size_t *out_n, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct yg_sv *list = YG_NEW_N(arena, struct yg_sv, YG_HUNT_ITEMS_MAX);
	bool row = true;
	size_t n = 0;
	if (list == NULL)
		return YG_FAIL(err, YG_NOMEM, "indicators that are in force anew");
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT CAST(i.id AS TEXT) FROM indicator i JOIN indicator_list l ON l.id = i.list"
		       " WHERE i.again = 1 AND l.enabled = 1 AND i.valid_from <= $1"
		       " AND (i.valid_until = 0 OR i.valid_until > $1) ORDER BY i.id LIMIT $2"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, now.us);
	yg_stmt_i64(s, 2, YG_HUNT_ITEMS_MAX);
	while (n < YG_HUNT_ITEMS_MAX && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		list[n] = yg_arena_dup(arena, yg_col_text(s, 0));
		if (list[n++].p == NULL)
			return YG_FAIL(err, YG_NOMEM, "indicators that are in force anew");
	}
	*out = list;
	*out_n = n;
	return st;
}

yg_status yg_hunt_again_done(struct yg_state *db, const struct yg_sv *ids, size_t n,
			     struct yg_err *err)
{
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < n; i++) {
		struct yg_stmt *s = NULL;
		int64_t id = 0;
		st = yg_parse_i64(ids[i], &id, err);
		if (st == YG_OK)
			st = yg_state_prepare(
				db, YG_SQL("UPDATE indicator SET again = 0 WHERE id = $1"), &s,
				err);
		if (st != YG_OK)
			return st;
		yg_stmt_i64(s, 1, id);
		st = yg_stmt_run(s, err);
	}
	return st;
}

yg_status yg_hunt_again_list(struct yg_state *db, struct yg_arena *arena, struct yg_sv *out_uid,
			     int64_t *out_entries, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	*out_uid = (struct yg_sv){"", 0};
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT uid, entries FROM indicator_list WHERE again = 1 AND enabled = 1"
		       " ORDER BY id LIMIT 1"),
		&s, err);
	if (st == YG_OK)
		st = yg_stmt_step(s, &row, err);
	if (st != YG_OK || !row)
		return st;
	*out_uid = yg_arena_dup(arena, yg_col_text(s, 0));
	*out_entries = yg_col_i64(s, 1);
	return out_uid->p != NULL ? YG_OK : YG_FAIL(err, YG_NOMEM, "a list");
}

yg_status yg_hunt_again_list_done(struct yg_state *db, struct yg_sv uid, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db, YG_SQL("UPDATE indicator_list SET again = 0 WHERE uid = $1"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, uid);
	return yg_stmt_run(s, err);
}

/* ---- rules ---- */

/* Rows of (organisation, rule), as long as the organisation is the first row's. */
static yg_status take_rules(struct yg_stmt *s, struct yg_arena *arena,
			    struct yg_hunt_rules_new *out, struct yg_err *err)
{
	bool row = true;
	yg_status st = YG_OK;
	while (out->n < YG_HUNT_ITEMS_MAX && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		struct yg_sv org = yg_col_text(s, 0);
		if (out->n > 0 && !yg_sv_eq(org, out->org))
			break;
		if (out->n == 0)
			out->org = yg_arena_dup(arena, org);
		out->uids[out->n] = yg_arena_dup(arena, yg_col_text(s, 1));
		if (out->org.p == NULL || out->uids[out->n++].p == NULL)
			return YG_FAIL(err, YG_NOMEM, "rules that are new");
	}
	return st;
}

/* The stage of rule r at node n: of the nearest override in force, else its own. */
#define STAGE_AT(rule, node, now)                                                                  \
	"coalesce((SELECT o.stage FROM detect_override o JOIN organisation_path p"                 \
	" ON p.ancestor = o.org AND p.slug = " node " WHERE o.rule = " rule                        \
	" AND (o.expires = 0 OR o.expires > " now ") ORDER BY p.depth LIMIT 1), r.stage)"

/* Nodes that stand out of a rule: with a stage of their own, or looked at for themselves.  What
 * is below one shares in what was looked at there.
 * A rule is new where it is live and the nearest of these, or the whole, has not seen its text. */
#define NEW_SOMEWHERE                                                                                                          \
	"SELECT n.org, n.rule FROM (SELECT rule, org FROM detect_override"                                                     \
	" UNION SELECT rule, org FROM hunted_stage WHERE org <> '') n JOIN detect_rule r ON r.uid = n.rule"                    \
	" WHERE r.kind = $3 AND r.refused = '' AND " STAGE_AT(                                                                 \
		"n.rule", "n.org",                                                                                             \
		"$2") " = 'live'"                                                                                              \
		      " AND (r.org IS NULL OR EXISTS (SELECT 1 FROM organisation_path p WHERE p.slug = n.org"                  \
		      " AND p.ancestor = r.org))"                                                                              \
		      " AND coalesce((SELECT h.text_version FROM hunted_stage h JOIN organisation_path p"                      \
		      " ON p.ancestor = h.org AND p.slug = n.org WHERE h.rule = n.rule ORDER BY p.depth LIMIT 1),"             \
		      " (SELECT h.text_version FROM hunted_stage h WHERE h.rule = n.rule AND h.org = ''), 0) < r.text_version" \
		      " ORDER BY n.org, n.rule LIMIT $1"

yg_status yg_hunt_new_rules(struct yg_state *db, enum yg_hunt_what what, yg_wall now,
			    struct yg_arena *arena, struct yg_hunt_rules_new *out,
			    struct yg_err *err)
{
	const char *const texts[] = {
		YG_SQL("SELECT '', r.uid FROM detect_rule r WHERE r.stage = 'live' AND r.kind = $2 AND r.refused = ''"
		       " AND NOT EXISTS (SELECT 1 FROM hunted_stage h WHERE h.rule = r.uid AND h.org = ''"
		       " AND h.text_version >= r.text_version) ORDER BY r.uid LIMIT $1"),
		YG_SQL(NEW_SOMEWHERE),
	};
	yg_status st = YG_OK;
	*out = (struct yg_hunt_rules_new){.uids = YG_NEW_N(arena, struct yg_sv, YG_HUNT_ITEMS_MAX),
					  .org = YG_SV_INIT("")};
	if (out->uids == NULL)
		return YG_FAIL(err, YG_NOMEM, "rules that are new");
	for (size_t i = 0; st == YG_OK && i < YG_LEN(texts) && out->n == 0; i++) {
		YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
		st = yg_state_prepare(db, texts[i], &s, err);
		if (st != YG_OK)
			return st;
		yg_stmt_i64(s, 1, YG_HUNT_ITEMS_MAX);
		if (i > 0)
			yg_stmt_i64(s, 2, now.us);
		yg_stmt_text(s, i > 0 ? 3 : 2,
			     yg_sv_of(yg_sigma_kind_name(what == YG_HUNT_CORRELATION
								 ? YG_SIGMA_CORRELATION
								 : YG_SIGMA_RULE)));
		st = take_rules(s, arena, out, err);
	}
	return st;
}

static yg_status mark_rule(struct yg_state *db, struct yg_sv rule, struct yg_sv org, yg_wall now,
			   struct yg_err *err)
{
	const char *const texts[] = {
		YG_SQL("INSERT INTO hunted_stage (rule, org, at, text_version) SELECT $1, $2, $3, r.text_version"
		       " FROM detect_rule r WHERE r.uid = $1 ON CONFLICT (rule, org) DO UPDATE SET at = excluded.at,"
		       " text_version = excluded.text_version"),
		/* not where it is not live: that is to be remembered, for when it is */
		YG_SQL("INSERT INTO hunted_stage (rule, org, at, text_version) SELECT o.rule, o.org, $3, 0"
		       " FROM detect_override o WHERE o.rule = $1 AND o.org <> $2 AND ($2 = '' OR o.org IN"
		       " (SELECT slug FROM organisation_path WHERE ancestor = $2)) ON CONFLICT (rule, org) DO NOTHING"),
		YG_SQL("UPDATE hunted_stage SET text_version = (SELECT r.text_version FROM detect_rule r WHERE r.uid = $1)"
		       " WHERE rule = $1 AND org <> $2 AND ($2 = '' OR org IN (SELECT slug FROM organisation_path"
		       " WHERE ancestor = $2)) AND (SELECT " STAGE_AT(
			       "$1", "hunted_stage.org",
			       "$3") " FROM detect_rule r WHERE r.uid = $1) = 'live'"),
	};
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < YG_LEN(texts); i++) {
		struct yg_stmt *s = NULL;
		st = yg_state_prepare(db, texts[i], &s, err);
		if (st != YG_OK)
			return st;
		yg_stmt_text(s, 1, rule);
		yg_stmt_text(s, 2, org);
		yg_stmt_i64(s, 3, now.us);
		st = yg_stmt_run(s, err);
	}
	return st;
}

yg_status yg_hunt_mark_rules(struct yg_state *db, const struct yg_hunt_rules_new *rules,
			     yg_wall now, struct yg_err *err)
{
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < rules->n; i++)
		st = mark_rule(db, rules->uids[i], rules->org, now, err);
	return st;
}
