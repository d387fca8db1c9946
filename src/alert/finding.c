#include "alert/finding.h"

#include <stdio.h>
#include <stdlib.h>

#include "alert/alert.h"
#include "alert/due.h"
#include "base/codec.h"
#include "detect/hunt_state.h"
#include "format/json.h"
#include "org/audit_log.h"
#include "org/system.h"

#define ARENA_MAX  (192u << 20) /* the largest message, parsed */
#define NODES_MAX  256          /* values in one finding; it has 20, and 16 pairs of fields */
#define PAIRS_MAX  16           /* fields of a rule's match */
#define COUNT_MAX  1000000000
#define TEXT_MAX   YG_URL_MAX /* bytes of one text of a finding */
#define FIELDS_MAX 200        /* bytes of the list of field names */

struct item { /* one finding, in the order of its subject */
	struct yg_finding f;
	uint32_t at; /* place in the message */
};

struct part { /* the row that a run of findings joins */
	int64_t id, alert, count, seen, first, last, severity, confidence;
	char fields[FIELDS_MAX];
	size_t fields_n;
};

static yg_status text_of(const struct yg_json *j, const char *key, struct yg_arena *arena,
			 struct yg_sv *out, struct yg_err *err)
{
	uint32_t at = yg_json_get(j, 0, yg_sv_of(key));
	*out = (struct yg_sv){"", 0};
	if (at == 0 || yg_json_at(j, at)->type == YG_JSON_NULL)
		return YG_OK;
	if (yg_json_at(j, at)->type != YG_JSON_STRING)
		return YG_FAIL(err, YG_PARSE, "finding: %s is not a text", key);
	*out = yg_json_str(j, at, arena);
	if (out->p == NULL)
		return YG_FAIL(err, YG_NOMEM, "finding");
	return out->n <= TEXT_MAX ? YG_OK : YG_FAIL(err, YG_PARSE, "finding: %s is too long", key);
}

/* A list of pairs of texts, as it stands; anything else is no finding. */
static yg_status fields_of(const struct yg_json *j, struct yg_arena *arena, struct yg_finding *f,
			   struct yg_err *err)
{
	uint32_t list = yg_json_get(j, 0, YG_SV("fields"));
	if (list == 0)
		return YG_OK;
	uint32_t pair = list + 1, n = yg_json_at(j, list)->n;
	bool good = yg_json_at(j, list)->type == YG_JSON_ARRAY && n <= PAIRS_MAX;
	for (uint32_t i = 0; good && i < n; i++, pair = yg_json_at(j, pair)->next)
		good = yg_json_at(j, pair)->type == YG_JSON_ARRAY && yg_json_at(j, pair)->n == 2 &&
		       yg_json_at(j, pair + 1)->type == YG_JSON_STRING &&
		       yg_json_at(j, yg_json_at(j, pair + 1)->next)->type == YG_JSON_STRING;
	struct yg_sv text = good && n > 0 ? yg_json_text(j, list) : YG_SV("");
	if (!good || text.n > TEXT_MAX * PAIRS_MAX)
		return YG_FAIL(err, YG_PARSE, "finding: fields are no pairs of texts");
	f->fields = yg_arena_dup(arena, text);
	return f->fields.p != NULL ? YG_OK : YG_FAIL(err, YG_NOMEM, "finding");
}

static yg_status numbers_of(const struct yg_json *j, struct yg_finding *f, struct yg_err *err)
{
	uint32_t time = yg_json_get(j, 0, YG_SV("time"));
	int64_t severity = yg_json_i64(j, yg_json_get(j, 0, YG_SV("severity_id")), 1);
	int64_t confidence = yg_json_i64(j, yg_json_get(j, 0, YG_SV("confidence")), 0);
	int64_t count = yg_json_i64(j, yg_json_get(j, 0, YG_SV("count")), 1);
	uint32_t historical = yg_json_get(j, 0, YG_SV("historical"));
	f->count = YG_MAX(1, YG_MIN(count, COUNT_MAX));
	f->historical = historical != 0 && yg_json_at(j, historical)->type == YG_JSON_TRUE;
	f->severity_id = (int)YG_MAX(1, YG_MIN(severity, 6));
	f->confidence = (int)YG_MAX(0, YG_MIN(confidence, 100));
	if (time == 0)
		return YG_FAIL(err, YG_PARSE, "finding: no time");
	if (yg_json_at(j, time)->type == YG_JSON_NUMBER) {
		f->time.us = yg_json_i64(j, time, -1);
		return f->time.us >= 0 ? YG_OK
				       : YG_FAIL(err, YG_PARSE, "finding: time is out of range");
	}
	return yg_time_parse(yg_json_raw(j, time), &f->time, err);
}

static yg_status parse_with(struct yg_json *j, struct yg_sv json, struct yg_arena *arena,
			    struct yg_finding *out, struct yg_err *err)
{
	struct yg_finding f = {0};
	const struct {
		const char *key;
		struct yg_sv *to;
	} texts[] = {
		{"finding_uid", &f.uid},     {"org", &f.org},
		{"indicator", &f.indicator}, {"indicator_type", &f.indicator_type},
		{"list", &f.list},           {"category", &f.category},
		{"family", &f.family},       {"tlp", &f.tlp},
		{"asset", &f.asset},         {"field", &f.field},
		{"value", &f.value},         {"event_id", &f.event_id},
		{"title", &f.title},
	};
	yg_status st = yg_json_parse(j, json, err);
	if (st != YG_OK)
		return st;
	if (yg_json_at(j, 0)->type != YG_JSON_OBJECT)
		return YG_FAIL(err, YG_PARSE, "finding: not an object");
	for (size_t i = 0; st == YG_OK && i < YG_LEN(texts); i++)
		st = text_of(j, texts[i].key, arena, texts[i].to, err);
	if (st == YG_OK)
		st = fields_of(j, arena, &f, err);
	if (st == YG_OK)
		st = numbers_of(j, &f, err);
	if (st != YG_OK)
		return st;
	if (f.org.n == 0 || f.indicator.n == 0 || f.indicator_type.n == 0)
		return YG_FAIL(err, YG_PARSE,
			       "finding: org, indicator and indicator_type are required");
	*out = f;
	return YG_OK;
}

yg_status yg_finding_parse(struct yg_sv json, struct yg_arena *arena, struct yg_finding *out,
			   struct yg_err *err)
{
	struct yg_json j;
	yg_json_init(&j, NODES_MAX);
	yg_status st = parse_with(&j, json, arena, out, err);
	yg_json_free(&j);
	return st;
}

static int by_subject(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int c = yg_sv_cmp(x->f.org, y->f.org);
	if (c == 0)
		c = yg_sv_cmp(x->f.indicator_type, y->f.indicator_type);
	if (c == 0)
		c = yg_sv_cmp(x->f.indicator, y->f.indicator);
	if (c == 0)
		c = yg_sv_cmp(x->f.asset, y->f.asset);
	return c != 0 ? c : (x->at > y->at) - (x->at < y->at);
}

static bool same_subject(const struct yg_finding *a, const struct yg_finding *b)
{
	return yg_sv_eq(a->org, b->org) && yg_sv_eq(a->indicator_type, b->indicator_type) &&
	       yg_sv_eq(a->indicator, b->indicator) && yg_sv_eq(a->asset, b->asset);
}

static yg_status read_items(struct yg_rd *r, uint32_t count, struct yg_arena *arena,
			    struct item **out, size_t *out_n, struct yg_finding_result *result,
			    struct yg_err *err)
{
	/* a finding takes 4 bytes at least, so count cannot ask for more than the message holds */
	if (count > yg_rd_left(r) / 4)
		return YG_FAIL(err, YG_PARSE, "findings: the message is cut short");
	struct item *items = YG_NEW_N(arena, struct item, count > 0 ? count : 1);
	struct yg_json j;
	size_t n = 0;
	yg_status st = items != NULL ? YG_OK : YG_FAIL(err, YG_NOMEM, "findings");
	yg_json_init(&j, NODES_MAX);
	for (uint32_t i = 0; st == YG_OK && i < count && !r->bad; i++) {
		struct yg_sv json = yg_rd_sv32(r);
		st = r->bad ? YG_OK : parse_with(&j, json, arena, &items[n].f, err);
		if (st == YG_OK) {
			items[n++].at = i;
		} else if (st != YG_NOMEM) {
			result->bad++;
			st = YG_OK;
		}
	}
	yg_json_free(&j);
	if (st == YG_OK && !yg_rd_done(r))
		st = YG_FAIL(err, YG_PARSE, "findings: the message is cut short or has too much");
	*out = items;
	*out_n = n;
	return st;
}

static void bind_subject(struct yg_stmt *s, const struct yg_finding *f)
{
	yg_stmt_text(s, 1, f->org);
	yg_stmt_text(s, 2, f->indicator_type);
	yg_stmt_text(s, 3, f->indicator);
	yg_stmt_text(s, 4, f->asset);
}

static yg_status find_part(struct yg_state *db, const struct yg_finding *f, struct part *out,
			   bool *out_found, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT id, alert, count, seen, first_seen, last_seen, severity_id, confidence, fields"
		       " FROM alert_part WHERE org = $1 AND indicator_type = $2 AND indicator = $3"
		       " AND asset = $4 AND collects = 1"),
		&s, err);
	if (st != YG_OK)
		return st;
	bind_subject(s, f);
	st = yg_stmt_step(s, out_found, err);
	if (st != YG_OK || !*out_found)
		return st;
	int64_t *to[] = {&out->id,    &out->alert, &out->count,    &out->seen,
			 &out->first, &out->last,  &out->severity, &out->confidence};
	for (size_t i = 0; i < YG_LEN(to); i++)
		*to[i] = yg_col_i64(s, (int)i);
	struct yg_sv fields = yg_col_text(s, 8);
	out->fields_n = YG_MIN(fields.n, sizeof out->fields);
	if (out->fields_n > 0)
		memcpy(out->fields, fields.p, out->fields_n);
	return YG_OK;
}

/* The last alert of the same subject, which must be closed; empty when there is none. */
static yg_status find_previous(struct yg_state *db, const struct yg_finding *f,
			       struct yg_arena *arena, struct yg_sv *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT a.id FROM alert_part p JOIN alert a ON a.seq = p.alert WHERE p.org = $1"
		       " AND p.indicator_type = $2 AND p.indicator = $3 AND p.asset = $4"
		       " ORDER BY p.id DESC LIMIT 1"),
		&s, err);
	if (st != YG_OK)
		return st;
	bind_subject(s, f);
	st = yg_stmt_step(s, &row, err);
	*out = YG_SV("");
	if (st == YG_OK && row) {
		*out = yg_arena_dup(arena, yg_col_text(s, 0));
		if (out->p == NULL)
			return YG_FAIL(err, YG_NOMEM, "findings");
	}
	return st;
}

static yg_status insert_alert(struct yg_act *act, const struct yg_finding *f, struct yg_sv id,
			      struct yg_sv previous, struct yg_sv system, int64_t made,
			      int64_t *out_seq, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	int64_t due = YG_NO_DUE;
	yg_status st = yg_due_at(act->db, f->org, f->severity_id, made, &due, err);
	if (st != YG_OK)
		return st;
	st = yg_state_prepare(
		act->db,
		YG_SQL("INSERT INTO alert (org, indicator_type, indicator, asset, id, title, state, severity_id,"
		       " confidence, tlp, list, category, family, count, first_seen, last_seen, created, updated, previous, system, due)"
		       " VALUES ($1, $2, $3, $4, $5, $6, 'new', $7, $8, $9, $10, $11, $12, 0, $13, $13, $14, $18, $15, $16, $17)"
		       " RETURNING seq"),
		&s, err);
	if (st != YG_OK)
		return st;
	bind_subject(s, f);
	yg_stmt_text(s, 5, id);
	yg_stmt_text(s, 6, f->title);
	yg_stmt_i64(s, 7, f->severity_id);
	yg_stmt_i64(s, 8, f->confidence);
	yg_stmt_text(s, 9, f->tlp);
	yg_stmt_text(s, 10, f->list);
	yg_stmt_text(s, 11, f->category);
	yg_stmt_text(s, 12, f->family);
	yg_stmt_i64(s, 13, f->time.us);
	yg_stmt_i64(s, 14, made);
	yg_stmt_text(s, 15, previous);
	yg_stmt_text(s, 16, system);
	yg_stmt_i64(s, 17, due);
	yg_stmt_i64(s, 18, yg_env_wall(act->env).us);
	st = yg_stmt_step(s, &row, err);
	if (st != YG_OK)
		return st;
	*out_seq = yg_col_i64(s, 0);
	return yg_stmt_step(s, &row, err);
}

static yg_status insert_part(struct yg_state *db, const struct yg_finding *f, struct part *p,
			     struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("INSERT INTO alert_part (org, indicator_type, indicator, asset, alert, list, category, family,"
		       " severity_id, confidence, tlp, title, fields, count, seen, first_seen, last_seen, collects)"
		       " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '', 0, 0, $13, $13, 1)"
		       " RETURNING id"),
		&s, err);
	if (st != YG_OK)
		return st;
	bind_subject(s, f);
	yg_stmt_i64(s, 5, p->alert);
	yg_stmt_text(s, 6, f->list);
	yg_stmt_text(s, 7, f->category);
	yg_stmt_text(s, 8, f->family);
	yg_stmt_i64(s, 9, f->severity_id);
	yg_stmt_i64(s, 10, f->confidence);
	yg_stmt_text(s, 11, f->tlp);
	yg_stmt_text(s, 12, f->title);
	yg_stmt_i64(s, 13, f->time.us);
	st = yg_stmt_step(s, &row, err);
	if (st != YG_OK)
		return st;
	p->id = yg_col_i64(s, 0);
	return yg_stmt_step(s, &row, err);
}

static yg_status open_alert(struct yg_act *act, const struct yg_finding *first, bool made_up,
			    struct yg_arena *arena, struct part *p, struct yg_err *err)
{
	int64_t now = yg_env_wall(act->env).us;
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_id id = yg_id_new(&act->ids, act->env, "a");
	struct yg_sv previous, system;
	struct yg_finding f = *first;
	char title[512];
	if (f.title.n == 0) {
		struct yg_sb b = yg_sb_init(title, sizeof title);
		yg_sb_put(&b, yg_sv_sub(f.indicator, 0, 256));
		yg_sb_put(&b, YG_SV(" at "));
		yg_sb_put(&b, f.asset.n > 0 ? yg_sv_sub(f.asset, 0, 200) : YG_SV("unknown asset"));
		f.title = yg_sb_sv(&b);
		f.title.n = yg_utf8_valid(f.title);
	}
	yg_status st = find_previous(act->db, &f, arena, &previous, err);
	if (st == YG_OK)
		st = yg_system_of(act->db, f.org, f.asset, arena, &system, err);
	if (st == YG_OK)
		st = insert_alert(act, &f, yg_id_sv(&id), previous, system,
				  made_up ? YG_MIN(f.time.us, now) : now, &p->alert, err);
	if (st == YG_OK)
		st = insert_part(act->db, &f, p, err);
	if (st != YG_OK)
		return st;
	p->first = p->last = f.time.us;
	yg_detail_init(&d);
	yg_detail_note(&d, "indicator", f.indicator);
	yg_detail_note(&d, "asset", f.asset);
	if (previous.n > 0)
		yg_detail_note(&d, "previous", previous);
	return yg_audit_add(act, "alert.open", yg_id_sv(&id), f.org, &d, err);
}

/* Where the link of the n-th finding (from 1) stands: the first ones keep their
 * place, the newest turn in a ring behind them. */
static int64_t link_slot(int64_t n)
{
	return n <= YG_EVIDENCE_FIRST
		       ? n
		       : YG_EVIDENCE_FIRST + 1 + (n - YG_EVIDENCE_FIRST - 1) % YG_EVIDENCE_NEWEST;
}

static yg_status put_link(struct yg_state *db, int64_t part, int64_t slot,
			  const struct yg_finding *f, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("INSERT INTO alert_evidence (part, n, event_id, finding_uid, time, field, value, fields, historical)"
		       " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (part, n) DO UPDATE SET"
		       " event_id = excluded.event_id, finding_uid = excluded.finding_uid,"
		       " time = excluded.time, field = excluded.field, value = excluded.value,"
		       " fields = excluded.fields, historical = excluded.historical"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, part);
	yg_stmt_i64(s, 2, slot);
	yg_stmt_text(s, 3, f->event_id);
	yg_stmt_text(s, 4, f->uid);
	yg_stmt_i64(s, 5, f->time.us);
	yg_stmt_text(s, 6, f->field);
	yg_stmt_text(s, 7, f->value);
	yg_stmt_text(s, 8, f->fields);
	yg_stmt_i64(s, 9, f->historical);
	return yg_stmt_run(s, err);
}

/* Adds a field name to the comma-separated list unless it is there. */
static void add_field(struct part *p, struct yg_sv field)
{
	struct yg_sv rest = {p->fields, p->fields_n}, part;
	while (p->fields_n > 0 && yg_sv_cut(&rest, ',', &part))
		if (yg_sv_eq(part, field))
			return;
	size_t comma = p->fields_n > 0;
	if (field.n == 0 || field.n + comma > sizeof p->fields - p->fields_n)
		return;
	if (comma > 0)
		p->fields[p->fields_n++] = ',';
	memcpy(p->fields + p->fields_n, field.p, field.n);
	p->fields_n += field.n;
}

static yg_status save_part(struct yg_state *db, const struct part *p, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("UPDATE alert_part SET count = $2, seen = $3, first_seen = $4, last_seen = $5,"
		       " severity_id = $6, confidence = $7, fields = $8 WHERE id = $1"),
		&s, err);
	if (st != YG_OK)
		return st;
	const int64_t v[] = {p->id,   p->count,    p->seen,      p->first,
			     p->last, p->severity, p->confidence};
	for (size_t i = 0; i < YG_LEN(v); i++)
		yg_stmt_i64(s, (int)i + 1, v[i]);
	yg_stmt_text(s, 8, (struct yg_sv){p->fields, p->fields_n});
	return yg_stmt_run(s, err);
}

/* `raised`: the findings are more severe than any before, so the alert is too,
 * also when a person had set it lower: due earlier, and no longer put off. */
static yg_status save_alert(struct yg_act *act, struct yg_sv org, const struct part *p,
			    int64_t more, bool raised, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	int64_t now = yg_env_wall(act->env).us, due = YG_NO_DUE;
	yg_status st = raised ? yg_due_at(act->db, org, (int)p->severity, now, &due, err) : YG_OK;
	if (st != YG_OK)
		return st;
	st = yg_state_prepare(
		act->db,
		YG_SQL("UPDATE alert SET count = count + $2, updated = $3,"
		       " first_seen = CASE WHEN first_seen > $4 THEN $4 ELSE first_seen END,"
		       " last_seen = CASE WHEN last_seen < $5 THEN $5 ELSE last_seen END,"
		       " due = CASE WHEN severity_id < $6 AND due_reason = '' AND due > $8 THEN $8 ELSE due END,"
		       " snoozed_until = CASE WHEN severity_id < $6 THEN 0 ELSE snoozed_until END,"
		       " severity_id = CASE WHEN severity_id < $6 THEN $6 ELSE severity_id END,"
		       " confidence = CASE WHEN confidence < $7 THEN $7 ELSE confidence END WHERE seq = $1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, p->alert);
	yg_stmt_i64(s, 2, more);
	yg_stmt_i64(s, 3, now);
	yg_stmt_i64(s, 4, p->first);
	yg_stmt_i64(s, 5, p->last);
	yg_stmt_i64(s, 6, raised ? p->severity : 0);
	yg_stmt_i64(s, 7, p->confidence);
	yg_stmt_i64(s, 8, due);
	return yg_stmt_run(s, err);
}

/* A hunt's findings joined it: its number is that of the spool. */
static yg_status note_hunt(struct yg_state *db, uint32_t spool, int64_t part, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	if (spool < YG_HUNT_SPOOL)
		return YG_OK;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("INSERT INTO alert_hunt (hunt, part) SELECT seq, $2 FROM retro_hunt WHERE seq = $1"
		       " ON CONFLICT (hunt, part) DO NOTHING"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, spool - YG_HUNT_SPOOL);
	yg_stmt_i64(s, 2, part);
	return yg_stmt_run(s, err);
}

/* A run of findings about one subject joins its alert.  made_up: of the demonstration,
 * whose alerts are as old as what was found, as if they had been watched for all the time. */
static yg_status join(struct yg_act *act, const struct item *run, size_t n, uint32_t spool,
		      bool made_up, struct yg_arena *arena, struct yg_finding_result *result,
		      struct yg_err *err)
{
	struct part p = {0};
	bool found = false, raised = false;
	int64_t more = 0;
	yg_status st = find_part(act->db, &run[0].f, &p, &found, err);
	if (st == YG_OK && !found) {
		st = open_alert(act, &run[0].f, made_up, arena, &p, err);
		result->opened++;
	}
	for (size_t i = 0; st == YG_OK && i < n; i++) {
		const struct yg_finding *f = &run[i].f;
		int64_t at = ++p.seen;
		more += f->count;
		raised |= f->severity_id > p.severity;
		p.first = YG_MIN(p.first, f->time.us);
		p.last = YG_MAX(p.last, f->time.us);
		p.severity = YG_MAX(p.severity, f->severity_id);
		p.confidence = YG_MAX(p.confidence, f->confidence);
		add_field(&p, f->field);
		/* in the ring only what the rest of the run will not overwrite */
		if (at <= YG_EVIDENCE_FIRST || n - i <= YG_EVIDENCE_NEWEST)
			st = put_link(act->db, p.id, link_slot(at), f, err);
	}
	p.count += more;
	if (st == YG_OK)
		st = save_part(act->db, &p, err);
	if (st == YG_OK)
		st = save_alert(act, run[0].f.org, &p, more, raised, err);
	if (st == YG_OK)
		st = note_hunt(act->db, spool, p.id, err);
	result->applied += (uint32_t)n;
	return st;
}

static yg_status org_known(struct yg_state *db, struct yg_sv org, bool *out, bool *out_made_up,
			   struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(db, YG_SQL("SELECT demo FROM organisation WHERE slug = $1"),
					&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, org);
	st = yg_stmt_step(s, out, err);
	*out_made_up = st == YG_OK && *out && yg_col_i64(s, 0) != 0;
	return st;
}

static yg_status join_all(struct yg_act *act, const struct item *items, size_t n, uint32_t spool,
			  struct yg_arena *arena, struct yg_finding_result *result,
			  struct yg_err *err)
{
	yg_status st = YG_OK;
	struct yg_sv org = {"", 0};
	bool known = false, made_up = false;
	for (size_t i = 0, end; st == YG_OK && i < n; i = end) {
		for (end = i + 1; end < n && same_subject(&items[i].f, &items[end].f);)
			end++;
		if (!yg_sv_eq(org, items[i].f.org)) {
			org = items[i].f.org;
			st = org_known(act->db, org, &known, &made_up, err);
		}
		if (st == YG_OK && known)
			st = join(act, &items[i], end - i, spool, made_up, arena, result, err);
		else
			result->unknown += (uint32_t)(end - i);
	}
	return st;
}

static yg_status read_mark(struct yg_state *db, uint32_t spool, bool *out_any, uint64_t *out,
			   struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT batch FROM finding_mark WHERE spool = $1"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, spool);
	st = yg_stmt_step(s, out_any, err);
	*out = st == YG_OK && *out_any ? (uint64_t)yg_col_i64(s, 0) : 0;
	return st;
}

yg_status yg_findings_marks(struct yg_state *db, uint32_t limit, struct yg_arena *arena,
			    struct yg_mark **out, size_t *out_n, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct yg_mark *list = YG_NEW_N(arena, struct yg_mark, limit + 1);
	size_t n = 0;
	bool row = true;
	if (list == NULL)
		return YG_FAIL(err, YG_NOMEM, "marks");
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT spool, batch FROM finding_mark ORDER BY time DESC, spool LIMIT $1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, limit);
	while (n < limit && (st = yg_stmt_step(s, &row, err)) == YG_OK && row)
		list[n++] =
			(struct yg_mark){(uint32_t)yg_col_i64(s, 0), (uint64_t)yg_col_i64(s, 1)};
	*out = list;
	*out_n = n;
	return st;
}

yg_status yg_findings_mark(struct yg_state *db, uint32_t spool, uint64_t *out, struct yg_err *err)
{
	bool any;
	return read_mark(db, spool, &any, out, err);
}

static yg_status save_mark(struct yg_act *act, uint32_t spool, uint64_t batch, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("INSERT INTO finding_mark (spool, batch, time) VALUES ($1, $2, $3)"
		       " ON CONFLICT (spool) DO UPDATE SET batch = excluded.batch, time = excluded.time"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, spool);
	yg_stmt_i64(s, 2, (int64_t)batch);
	yg_stmt_i64(s, 3, yg_env_wall(act->env).us);
	return yg_stmt_run(s, err);
}

static yg_status apply(struct yg_act *act, struct yg_rd *r, struct yg_arena *arena,
		       struct yg_finding_result *result, struct yg_err *err)
{
	uint32_t spool = yg_rd_le32(r), count = yg_rd_le32(r);
	uint64_t batch = yg_rd_le64(r), mark = 0;
	struct item *items = NULL;
	struct yg_tx tx;
	size_t n = 0;
	bool any = false;
	if (r->bad || batch > INT64_MAX)
		return YG_FAIL(err, YG_PARSE, "findings: the message is cut short");
	/* parsed before the write lock is taken */
	yg_status st = read_items(r, count, arena, &items, &n, result, err);
	if (st != YG_OK)
		return st;
	if (n > 0)
		qsort(items, n, sizeof items[0], by_subject);
	st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	st = read_mark(act->db, spool, &any, &mark, err);
	if (st == YG_OK && any && batch <= mark) {
		*result = (struct yg_finding_result){.duplicate = true};
		return yg_tx_end(&tx, YG_OK, err);
	}
	if (st == YG_OK)
		st = join_all(act, items, n, spool, arena, result, err);
	if (st == YG_OK)
		st = save_mark(act, spool, batch, err);
	return yg_tx_end(&tx, st, err);
}

yg_status yg_findings_apply(struct yg_act *act, struct yg_sv body, struct yg_finding_result *out,
			    struct yg_err *err)
{
	struct yg_arena arena;
	struct yg_rd r = yg_rd_init(body.p, body.n);
	struct yg_finding_result result = {0};
	yg_arena_init(&arena, ARENA_MAX);
	yg_status st = apply(act, &r, &arena, &result, err);
	yg_arena_free(&arena);
	if (st == YG_OK)
		*out = result;
	return st;
}
