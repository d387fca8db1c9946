#include "alert/built.h"

#include "alert/title.h"

#define TABLE " FROM alert a" /* of every statement but those of counters, once */

void built_put(struct built *b, const char *text)
{
	yg_buf_put(&b->sql, yg_sv_of(text));
}

/* Appends `before`, the parameter, `behind`. */
static void put_value(struct built *b, const char *before, const char *behind)
{
	built_put(b, before);
	yg_buf_printf(&b->sql, "$%d", ++b->n);
	built_put(b, behind);
}

void built_number(struct built *b, const char *before, int64_t v)
{
	b->value[b->n].kind = IS_I64;
	b->value[b->n].number = v;
	put_value(b, before, "");
}

void built_text(struct built *b, const char *before, struct yg_sv v, const char *behind)
{
	b->value[b->n].kind = IS_TEXT;
	b->value[b->n].text = v;
	put_value(b, before, behind);
}

void built_set(struct built *b, const char *before, const struct yg_sv *set, size_t n,
	       const char *behind)
{
	b->value[b->n].kind = IS_SET;
	b->value[b->n].set = set;
	b->value[b->n].set_n = n;
	put_value(b, before, behind);
}

/* Of a period, made within it.  Newest first it goes by the number, from the last one of the
 * period on: by the index of times all of the period would be sorted. */
static void with_period(struct built *b, const struct yg_reach *r, bool newest)
{
	const char *by = newest ? " AND a.created + 0" : " AND a.created";
	if (newest && r->to.us != 0) {
		built_number(b, " AND a.seq <= (SELECT max(m.seq) FROM alert m WHERE m.created < ",
			     r->to.us);
		if (r->from.us != 0)
			built_number(b, " AND m.created >= ", r->from.us);
		built_put(b, ")");
	}
	if (r->from.us != 0) {
		built_put(b, by);
		built_number(b, " >= ", r->from.us);
	}
	if (r->to.us != 0) {
		built_put(b, by);
		built_number(b, " < ", r->to.us);
	}
}

/* One organisation or system by its index.  Of several, rows are looked at in the
 * order asked for and left out by the organisation in the same index: joined by
 * the organisation they would have to be sorted, all of them. */
void built_reach(struct built *b, const struct yg_reach *r, bool sorted)
{
	if (r->all)
		return;
	if (r->org_count == 1 && r->system_count == 0) {
		built_text(b, " AND a.org = ", r->orgs[0], "");
	} else if (r->org_count == 0 && r->system_count == 1) {
		built_text(b, " AND a.system = ", r->systems[0], "");
	} else if (r->system_count == 0) {
		built_set(b, sorted ? " AND (a.org || '') IN yg_set(" : " AND a.org IN yg_set(",
			  r->orgs, r->org_count, ")");
	} else {
		built_set(b, " AND (a.org IN yg_set(", r->orgs, r->org_count, ")");
		built_set(b, " OR a.system IN yg_set(", r->systems, r->system_count, "))");
	}
}

/* As the index of what is put off has it.  What is not is told by the numbers of the few that
 * are: so the indexes of open alerts need not have the time, too.  Of a period that has ended
 * only the alerts themselves know it. */
static void with_snooze(struct built *b, const struct yg_alert_filter *f)
{
	built_put(b, " AND a.state <> 'closed'");
	if ((f->states & YG_ALERT_ACTIVE) == 0) {
		built_number(b, " AND a.snoozed_until > 0 AND a.snoozed_until > ", f->now.us);
	} else if (f->reach.to.us != 0) {
		built_number(b, " AND a.snoozed_until <= ", f->now.us);
	} else {
		built_number(
			b,
			" AND a.seq NOT IN (SELECT z.seq FROM alert z WHERE z.snoozed_until > 0"
			" AND z.snoozed_until > ",
			f->now.us);
		built_put(b, ")");
	}
}

static void with_states(struct built *b, unsigned states)
{
	bool first = true;
	states &= EVERY_STATE;
	if (states == 0 || states == EVERY_STATE)
		return;
	if ((states & ~OPEN_STATES) == 0)
		built_put(b, " AND a.state <> 'closed'"); /* as the partial indexes have it */
	if (states == OPEN_STATES)
		return;
	for (unsigned i = YG_ALERT_NEW; i <= YG_ALERT_CLOSED; i++) {
		if ((states & 1u << i) == 0)
			continue;
		built_put(b, first ? " AND a.state IN ('" : ", '");
		built_put(b, yg_alert_state_name((enum yg_alert_state)i));
		built_put(b, "'");
		first = false;
	}
	built_put(b, ")");
}

/* " AND ((a title in whose Japanese form the words stand) OR (1 = 1".  False: there is none. */
static bool or_forms(struct built *b, struct yg_sv q)
{
	char text[128];
	struct yg_sb form = yg_sb_init(text, sizeof text);
	size_t at = 0;
	bool any = false;
	while (yg_alert_words_form(q, &at, &form)) {
		built_put(b, any ? " OR (" : " AND ((");
		yg_buf_put(&b->sql, yg_sb_sv(&form));
		built_put(b, ")");
		any = true;
	}
	if (any)
		built_put(b, " OR (1 = 1");
	return any;
}

/* A part of the text: by an index which alerts may hold it, then by their texts. */
static void with_words(struct built *b, struct yg_sv q, struct yg_sb *pattern)
{
	struct yg_sb words = yg_sb_init(b->words, sizeof b->words);
	bool forms = or_forms(b, yg_sv_trim(q));
	q = yg_alert_words_kept(q, &words);
	struct yg_sb key = yg_sb_init(b->near, sizeof b->near);
	enum yg_near near = yg_state_near(b->db, yg_sv_trim(q), &key);
	if (near != YG_NEAR_NOT)
		built_text(b,
			   near == YG_NEAR_FEW ? " AND a.seq IN yg_near("
					       : " AND a.seq + 0 IN yg_near(",
			   yg_sb_sv(&key), ")");
	built_text(b,
		   " AND lower(a.title || ' ' || a.indicator || ' ' || a.asset || ' ' || a.list"
		   " || ' ' || a.category || ' ' || a.family || ' ' || a.id) LIKE ",
		   yg_alert_pattern(q, pattern), forms ? " ESCAPE '!'))" : " ESCAPE '!'");
}

yg_status built_filter(struct built *b, const struct yg_alert_filter *f, struct yg_err *err)
{
	struct yg_sb pattern = yg_sb_init(b->pattern, sizeof b->pattern);
	if ((f->states & BY_TIME) != 0)
		with_snooze(b, f);
	else
		with_states(b, f->states);
	if (f->overdue)
		built_number(b, " AND a.state <> 'closed' AND a.due <= ", f->now.us);
	if (f->severity_min > 0)
		built_number(b, " AND a.severity_id >= ", f->severity_min);
	if (f->severity_max > 0)
		built_number(b, " AND a.severity_id <= ", f->severity_max);
	if (YG_SV_IS(f->assignee, "-"))
		built_put(b, " AND a.assignee = ''");
	else if (f->assignee.n > 0)
		built_text(b, " AND a.assignee <> '' AND a.assignee = ", f->assignee, "");
	if (f->watcher.n > 0)
		built_text(b, " AND a.seq IN (SELECT w.alert FROM alert_watch w WHERE w.owner = ",
			   f->watcher, ")");
	if (f->indicator.n > 0)
		built_text(b, " AND a.indicator = ", f->indicator, "");
	if (f->asset.n > 0)
		built_text(b, " AND a.asset = ", f->asset, "");
	if (f->list.n > 0)
		built_text(b, " AND a.list = ", f->list, "");
	if (f->category.n > 0)
		built_text(b, " AND a.category = ", f->category, "");
	if (f->hunt.n > 0)
		built_text(
			b,
			" AND a.seq IN (SELECT p.alert FROM retro_hunt r JOIN alert_hunt h ON h.hunt = r.seq"
			" JOIN alert_part p ON p.id = h.part WHERE r.job = ",
			f->hunt, ")");
	if (yg_sv_trim(f->q).n > 0)
		with_words(b, f->q, &pattern);
	if (f->from_us != 0)
		built_number(b, " AND a.last_seen >= ", f->from_us);
	if (f->to_us != 0)
		built_number(b, " AND a.last_seen < ", f->to_us);
	return pattern.cut ? YG_FAIL(err, YG_INVAL, "the words to look for are too long") : YG_OK;
}

yg_status built_begin(struct built *b, const char *select, const struct yg_alert_query *q,
		      bool sorted, struct yg_err *err)
{
	/* all that is asked of a period is asked of what was there at its end */
	const char *table = q->f.reach.to.us != 0 ? strstr(select, TABLE) : NULL;
	b->n = 0;
	yg_buf_init(&b->sql, 16384);
	if (table != NULL) {
		b->value[b->n].kind = IS_I64;
		b->value[b->n++].number = q->f.reach.to.us;
		yg_buf_put(&b->sql, (struct yg_sv){select, (size_t)(table - select)});
		built_put(b, " FROM " YG_ALERT_AS_OF("$1"));
		built_put(b, table + sizeof TABLE - 1);
	} else {
		built_put(b, select);
	}
	built_put(b, " WHERE 1 = 1");
	with_period(b, &q->f.reach, sorted && q->sort == YG_SORT_NEWEST);
	built_reach(b, &q->f.reach, sorted);
	return built_filter(b, &q->f, err);
}

yg_status built_prepare(struct built *b, struct yg_state *db, struct yg_stmt **out,
			struct yg_err *err)
{
	yg_buf_putc(&b->sql, '\0');
	if (b->sql.bad)
		return YG_FAIL(err, YG_NOMEM, "alerts");
	yg_status st = yg_state_prepare(db, b->sql.p, out, err);
	for (int i = 0; st == YG_OK && i < b->n; i++) {
		if (b->value[i].kind == IS_I64)
			yg_stmt_i64(*out, i + 1, b->value[i].number);
		else if (b->value[i].kind == IS_TEXT)
			yg_stmt_text(*out, i + 1, b->value[i].text);
		else
			yg_stmt_set(*out, i + 1, b->value[i].set, b->value[i].set_n);
	}
	return st;
}

bool built_counted(const struct yg_alert_filter *f)
{
	const struct yg_reach *r = &f->reach;
	if (r->system_count > 0 || r->from.us != 0 || r->to.us != 0 || f->overdue)
		return false;
	return f->assignee.n == 0 && f->watcher.n == 0 && f->indicator.n == 0 && f->asset.n == 0 &&
	       f->list.n == 0 && f->category.n == 0 && f->hunt.n == 0 && f->q.n == 0 &&
	       f->from_us == 0 && f->to_us == 0;
}
