#include "org/purge.h"

#include <stdio.h>

#include "org/audit_log.h"
#include "org/organisation.h"

#define CHUNK            2000 /* rows per transaction */
#define MUTATION_S       3600 /* longest wait for the event store to finish */
#define MUTATION_SQL_MAX 512

struct purge {
	struct yg_act *act;
	const struct yg_purge_opts *o;
	struct yg_sv slug;
	uint64_t done;
};

static yg_status go_on(struct purge *p, const char *what, struct yg_err *err)
{
	if (p->o->progress != NULL && !p->o->progress(p->o->progress_ctx, p->done, what))
		return YG_FAIL(err, YG_AGAIN, "stopped while removing %s", what);
	return YG_OK;
}

/* Runs `sql` ($1 the slug, $2 the chunk) in transactions of its own until it
 * finds no more rows. */
static yg_status drain(struct purge *p, const char *sql, const char *what, uint64_t *count,
		       struct yg_err *err)
{
	yg_status st = YG_OK;
	for (bool more = true; st == YG_OK && more;) {
		struct yg_stmt *s = NULL;
		st = yg_state_prepare(p->act->db, sql, &s, err);
		if (st != YG_OK)
			return st;
		yg_stmt_text(s, 1, p->slug);
		yg_stmt_i64(s, 2, CHUNK);
		st = yg_stmt_run(s, err);
		uint64_t n = st == YG_OK ? yg_state_changes(p->act->db) : 0;
		if (count != NULL)
			*count += n;
		p->done += n;
		more = n > 0;
		if (st == YG_OK)
			st = go_on(p, what, err);
	}
	return st;
}

static yg_status purge_alerts(struct purge *p, struct yg_purge_counts *out, struct yg_err *err)
{
	/* children first: the foreign keys hold at every moment */
	yg_status st = drain(
		p,
		YG_SQL("DELETE FROM alert_evidence WHERE part IN (SELECT e.part FROM alert_evidence e"
		       " JOIN alert_part p ON p.id = e.part WHERE p.org = $1 LIMIT $2)"),
		"evidence", NULL, err);
	if (st == YG_OK)
		st = drain(
			p,
			YG_SQL("DELETE FROM alert_hunt WHERE part IN (SELECT h.part FROM alert_hunt h"
			       " JOIN alert_part p ON p.id = h.part WHERE p.org = $1 LIMIT $2)"),
			"alerts", NULL, err);
	if (st == YG_OK)
		st = drain(
			p,
			YG_SQL("DELETE FROM alert_part WHERE id IN (SELECT id FROM alert_part WHERE org = $1 LIMIT $2)"),
			"alerts", NULL, err);
	if (st == YG_OK)
		st = drain(
			p,
			YG_SQL("DELETE FROM alert_comment WHERE id IN (SELECT c.id FROM alert_comment c"
			       " JOIN alert a ON a.seq = c.alert WHERE a.org = $1 LIMIT $2)"),
			"comments", NULL, err);
	if (st == YG_OK)
		st = drain(
			p,
			YG_SQL("DELETE FROM alert_undo WHERE (alert, version) IN (SELECT u.alert, u.version"
			       " FROM alert a JOIN alert_undo u ON u.alert = a.seq WHERE a.org = $1 LIMIT $2)"),
			"alerts", NULL, err);
	if (st == YG_OK)
		st = drain(
			p,
			YG_SQL("DELETE FROM alert WHERE seq IN (SELECT seq FROM alert WHERE org = $1 LIMIT $2)"),
			"alerts", &out->alerts, err);
	return st;
}

/* The organisation's own rules with what hangs on them, and what it said of others'. */
static yg_status purge_rules(struct purge *p, struct yg_err *err)
{
	const char *const texts[] = {
		YG_SQL("DELETE FROM detect_exception WHERE id IN (SELECT id FROM detect_exception WHERE org = $1"
		       " OR rule IN (SELECT uid FROM detect_rule WHERE org = $1) LIMIT $2)"),
		YG_SQL("DELETE FROM detect_override WHERE (rule, org) IN (SELECT rule, org FROM detect_override"
		       " WHERE org = $1 OR rule IN (SELECT uid FROM detect_rule WHERE org = $1) LIMIT $2)"),
		YG_SQL("DELETE FROM detect_rule_past WHERE (rule, version) IN (SELECT p.rule, p.version"
		       " FROM detect_rule r JOIN detect_rule_past p ON p.rule = r.uid WHERE r.org = $1 LIMIT $2)"),
		YG_SQL("DELETE FROM detect_rule_text WHERE (rule, version) IN (SELECT t.rule, t.version"
		       " FROM detect_rule r JOIN detect_rule_text t ON t.rule = r.uid WHERE r.org = $1 LIMIT $2)"),
		YG_SQL("DELETE FROM detect_stat WHERE (rule, hour, org) IN (SELECT rule, hour, org"
		       " FROM detect_stat WHERE org = $1 LIMIT $2)"),
		YG_SQL("DELETE FROM hunted_stage WHERE (rule, org) IN (SELECT h.rule, h.org"
		       " FROM detect_rule r JOIN hunted_stage h ON h.rule = r.uid WHERE r.org = $1 LIMIT $2)"),
		YG_SQL("DELETE FROM detect_rule WHERE uid IN (SELECT uid FROM detect_rule WHERE org = $1 LIMIT $2)"),
	};
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < YG_LEN(texts); i++)
		st = drain(p, texts[i], "detection rules", NULL, err);
	return st;
}

/* Before the jobs that they are rows of. */
static yg_status purge_hunts(struct purge *p, struct yg_err *err)
{
	yg_status st = drain(
		p,
		YG_SQL("DELETE FROM retro_hunt_item WHERE (hunt, n) IN (SELECT i.hunt, i.n"
		       " FROM retro_hunt h JOIN retro_hunt_item i ON i.hunt = h.seq WHERE h.org = $1 LIMIT $2)"),
		"retro-hunts", NULL, err);
	if (st == YG_OK)
		st = drain(
			p,
			YG_SQL("DELETE FROM retro_hunt_state WHERE (hunt, org) IN (SELECT s.hunt, s.org"
			       " FROM retro_hunt h JOIN retro_hunt_state s ON s.hunt = h.seq WHERE h.org = $1 LIMIT $2)"),
			"retro-hunts", NULL, err);
	if (st == YG_OK)
		st = drain(
			p,
			YG_SQL("DELETE FROM alert_hunt WHERE (hunt, part) IN (SELECT a.hunt, a.part"
			       " FROM retro_hunt h JOIN alert_hunt a ON a.hunt = h.seq WHERE h.org = $1 LIMIT $2)"),
			"retro-hunts", NULL, err);
	return st == YG_OK
		       ? drain(p,
			       YG_SQL("DELETE FROM retro_hunt WHERE seq IN (SELECT seq FROM retro_hunt WHERE org = $1 LIMIT $2)"),
			       "retro-hunts", NULL, err)
		       : st;
}

/* What the organisation had listed, allowed and blocked. */
static yg_status purge_entries(struct purge *p, struct yg_purge_counts *out, struct yg_err *err)
{
	yg_status st = drain(
		p,
		YG_SQL("DELETE FROM indicator WHERE id IN (SELECT id FROM indicator WHERE list IN"
		       " (SELECT id FROM indicator_list WHERE org = $1) LIMIT $2)"),
		"indicators", &out->indicators, err);
	if (st == YG_OK)
		st = drain(
			p,
			YG_SQL("DELETE FROM indicator_list WHERE id IN (SELECT id FROM indicator_list WHERE org = $1 LIMIT $2)"),
			"lists", &out->lists, err);
	if (st == YG_OK)
		st = drain(
			p,
			YG_SQL("DELETE FROM allow_entry WHERE id IN (SELECT id FROM allow_entry WHERE org = $1 LIMIT $2)"),
			"allow entries", &out->allow_entries, err);
	if (st == YG_OK)
		st = drain(
			p,
			YG_SQL("DELETE FROM block_entry WHERE id IN (SELECT id FROM block_entry WHERE org = $1 LIMIT $2)"),
			"block entries", &out->block_entries, err);
	return st;
}

/* Tokens first: from then on nothing new comes in. */
static yg_status purge_rows(struct purge *p, struct yg_purge_counts *out, struct yg_err *err)
{
	yg_status st = drain(
		p,
		YG_SQL("DELETE FROM token WHERE id IN (SELECT id FROM token WHERE org = $1 LIMIT $2)"),
		"tokens", &out->tokens, err);
	if (st == YG_OK)
		st = purge_alerts(p, out, err);
	if (st == YG_OK)
		st = purge_entries(p, out, err);
	if (st == YG_OK)
		st = purge_rules(p, err);
	if (st == YG_OK)
		st = purge_hunts(p, err);
	if (st == YG_OK)
		st = drain(
			p,
			YG_SQL("DELETE FROM dns_allow_request WHERE id IN (SELECT id FROM dns_allow_request WHERE org = $1 LIMIT $2)"),
			"allow requests", NULL, err);
	if (st == YG_OK)
		st = drain(
			p,
			YG_SQL("DELETE FROM source WHERE (org, source, sensor) IN (SELECT org, source, sensor FROM source WHERE org = $1 LIMIT $2)"),
			"sources", &out->sources, err);
	if (st == YG_OK)
		st = drain(
			p,
			YG_SQL("DELETE FROM import_part WHERE (job, n) IN (SELECT i.job, i.n FROM import_part i"
			       " JOIN job j ON j.id = i.job WHERE j.org = $1"
			       " AND j.state NOT IN ('queued', 'running') LIMIT $2)"),
			"imports", NULL, err);
	if (st == YG_OK)
		st = drain(
			p,
			YG_SQL("DELETE FROM job WHERE id IN (SELECT id FROM job WHERE org = $1 AND state NOT IN ('queued', 'running') LIMIT $2)"),
			"jobs", NULL, err);
	if (st == YG_OK)
		st = drain(
			p,
			YG_SQL("DELETE FROM system_member WHERE system IN"
			       " (SELECT s.id FROM information_system s JOIN system_member m ON m.system = s.id"
			       " WHERE s.org = $1 LIMIT $2)"),
			"systems", NULL, err);
	if (st == YG_OK)
		st = drain(p,
			   YG_SQL("DELETE FROM information_system WHERE id IN"
				  " (SELECT id FROM information_system WHERE org = $1 LIMIT $2)"),
			   "systems", NULL, err);
	return st;
}

static yg_status ask_u64(struct purge *p, const char *sql, uint64_t *out, struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf answer = {0};
	const struct yg_ch_param params[] = {
		{.name = "db", .value = yg_sv_of(yg_ch_database(p->o->ch))},
		{.name = "table", .value = yg_sv_of(p->o->event_table)},
	};
	struct yg_ch_query q = {.sql = yg_sv_of(sql),
				.format = "TabSeparated",
				.params = params,
				.param_count = YG_LEN(params),
				.max_seconds = 300};
	yg_buf_init(&answer, 4096);
	yg_status st = yg_ch_query(p->o->ch, &q, &answer, err);
	return st == YG_OK ? yg_parse_u64(yg_sv_trim(yg_buf_sv(&answer)), out, err) : st;
}

/* org IN ('a','b'): slugs have no character that would need escaping. */
static yg_status of_orgs(const char *before, const struct yg_sv *slugs, size_t n,
			 struct yg_buf *out, struct yg_err *err)
{
	yg_buf_put(out, yg_sv_of(before));
	yg_buf_put(out, YG_SV(" WHERE org IN ("));
	for (size_t i = 0; i < n; i++) {
		if (!yg_org_slug_ok(slugs[i]))
			return YG_FAIL(err, YG_INTERNAL, "a slug that is none");
		yg_buf_put(out, i > 0 ? YG_SV(",'") : YG_SV("'"));
		yg_buf_put(out, slugs[i]);
		yg_buf_putc(out, '\'');
	}
	yg_buf_put(out, YG_SV(")"));
	yg_buf_putc(out, '\0');
	return out->bad ? YG_FAIL(err, YG_NOMEM, "purge") : YG_OK;
}

/* The engine works a mutation off by itself; asks until it has. */
static yg_status wait_for_mutation(struct purge *p, struct yg_err *err)
{
	uint64_t waiting = 1;
	yg_status st = YG_OK;
	for (int i = 0; st == YG_OK && waiting > 0 && i < MUTATION_S; i++) {
		st = ask_u64(
			p,
			"SELECT count() + sleep(0.5) FROM system.mutations WHERE database = {db:String}"
			" AND table = {table:String} AND is_done = 0",
			&waiting, err);
		if (st == YG_OK)
			st = go_on(p, "events", err);
	}
	if (st == YG_OK && waiting > 0)
		st = YG_FAIL(err, YG_AGAIN, "the event store has not removed the events yet");
	return st;
}

/* One mutation for all of them: each one rewrites the parts it touches. */
static yg_status purge_events(struct purge *p, const struct yg_sv *slugs, size_t n,
			      uint64_t *out_rows, struct yg_err *err)
{
	char before[MUTATION_SQL_MAX];
	YG_AUTO(yg_buf_free) struct yg_buf ask = {.limit = 1 << 20};
	YG_AUTO(yg_buf_free) struct yg_buf alter = {.limit = 1 << 20};
	YG_AUTO(yg_buf_free) struct yg_buf answer = {.limit = 4096};
	uint64_t rows = 0;
	(void)snprintf(before, sizeof before, "SELECT count() FROM %s", p->o->event_table);
	yg_status st = of_orgs(before, slugs, n, &ask, err);
	(void)snprintf(before, sizeof before, "ALTER TABLE %s DELETE", p->o->event_table);
	if (st == YG_OK)
		st = of_orgs(before, slugs, n, &alter, err);
	if (st == YG_OK)
		st = ask_u64(p, ask.p, &rows, err);
	if (st == YG_NOTFOUND || (st == YG_OK && rows == 0))
		return YG_OK; /* no table yet, or nothing in it */
	if (st != YG_OK)
		return st;
	struct yg_ch_query q = {.sql = yg_sv_of(alter.p), .max_seconds = MUTATION_S};
	st = yg_ch_query(p->o->ch, &q, &answer, err);
	if (st == YG_OK)
		st = wait_for_mutation(p, err);
	if (st == YG_OK)
		*out_rows += rows;
	return st;
}

static yg_status conclude(struct purge *p, const struct yg_purge_counts *c, struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_tx tx;
	struct yg_stmt *s = NULL;
	const struct {
		const char *name;
		uint64_t n;
	} counts[] = {{"alerts", c->alerts},
		      {"lists", c->lists},
		      {"indicators", c->indicators},
		      {"allow_entries", c->allow_entries},
		      {"block_entries", c->block_entries},
		      {"tokens", c->tokens},
		      {"sources", c->sources},
		      {"events", c->events}};
	yg_detail_init(&d);
	for (size_t i = 0; i < YG_LEN(counts); i++)
		yg_detail_count(&d, counts[i].name, (int64_t)counts[i].n);
	yg_status st = yg_tx_begin(&tx, p->act->db, err);
	if (st != YG_OK)
		return st;
	st = yg_org_remove(p->act, p->slug, err);
	if (st == YG_OK)
		st = yg_state_prepare(
			p->act->db,
			YG_SQL("UPDATE indicator_change SET changes = changes + 1 WHERE id = 1"),
			&s, err);
	if (st == YG_OK)
		st = yg_stmt_run(s, err);
	if (st == YG_OK)
		st = yg_audit_add(p->act, "org.purge", p->slug, p->slug, &d, err);
	return yg_tx_end(&tx, st, err);
}

static void add_counts(struct yg_purge_counts *to, const struct yg_purge_counts *c)
{
	to->alerts += c->alerts;
	to->lists += c->lists;
	to->indicators += c->indicators;
	to->allow_entries += c->allow_entries;
	to->block_entries += c->block_entries;
	to->tokens += c->tokens;
	to->sources += c->sources;
	to->events += c->events;
	to->organisations++;
}

yg_status yg_org_purge(struct yg_act *act, struct yg_sv slug, const struct yg_purge_opts *o,
		       struct yg_purge_counts *out, struct yg_err *err)
{
	struct purge p = {.act = act, .o = o, .slug = slug};
	struct yg_purge_counts c = {0};
	if (yg_state_in_transaction(act->db))
		return YG_FAIL(err, YG_INTERNAL,
			       "an organisation is removed in transactions of its own");
	yg_status st = yg_org_known(act->db, slug, err);
	if (st == YG_OK)
		st = purge_rows(&p, &c, err);
	if (st == YG_OK && o->ch != NULL)
		st = purge_events(&p, &slug, 1, &c.events, err);
	if (st == YG_OK)
		st = conclude(&p, &c, err);
	if (st == YG_OK)
		add_counts(out, &c);
	return st;
}

yg_status yg_demo_purge(struct yg_act *act, const struct yg_purge_opts *o,
			struct yg_purge_counts *out, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_sv *slugs = NULL;
	size_t n = 0;
	yg_arena_init(&arena, 1 << 20);
	yg_status st = yg_org_demo(act->db, &arena, &slugs, &n, err);
	struct purge p = {.act = act, .o = o};
	if (st == YG_OK && n > 0 && o->ch != NULL)
		st = purge_events(&p, slugs, n, &out->events, err);
	for (size_t i = 0; st == YG_OK && i < n; i++)
		st = yg_org_purge(act, slugs[i], o, out, err);
	return st;
}
