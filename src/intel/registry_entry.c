#include <inttypes.h>
#include <stdio.h>

#include "base/limits.h"
#include "intel/registry.h"
#include "intel/registry_internal.h"
#include "org/audit_log.h"
#include "org/organisation.h"

#define CATEGORY_MAX 64
#define FAMILY_MAX   256

static yg_status check_breadth(enum yg_indicator_type type, struct yg_sv value,
			       const struct yg_suffixes *suffixes, struct yg_err *err)
{
	char buf[YG_KEY_MAX];
	struct yg_indicator_key key;
	if (type == YG_IND_DOMAIN) {
		struct yg_sb name = yg_sb_init(buf, sizeof buf);
		yg_sb_put(&name, value);
		if (yg_suffixes_covers(suffixes, yg_sb_cstr(&name)))
			return YG_FAIL(err, YG_DENIED, "'%.100s' covers a whole public suffix",
				       buf);
	} else if (type == YG_IND_IP &&
		   yg_indicator_key(type, value, buf, sizeof buf, &key, NULL) == YG_OK) {
		/* a prefix has its length behind the address */
		if ((key.key.n == 5 && (uint8_t)key.key.p[4] < 8) ||
		    (key.key.n == 17 && (uint8_t)key.key.p[16] < 16))
			return YG_FAIL(err, YG_DENIED, "the prefix covers too much");
	}
	return YG_OK;
}

yg_status yg_registry_stored(const struct yg_indicator *ind, const struct yg_suffixes *suffixes,
			     struct yg_sb *value, struct yg_stored *out, struct yg_err *err)
{
	size_t from = value->n;
	if (ind->type == YG_IND_NONE || ind->type >= YG_IND_TYPE_COUNT)
		return YG_FAIL(err, YG_PARSE, "an indicator has a type");
	if (!yg_registry_text_ok(ind->category, CATEGORY_MAX) ||
	    !yg_registry_text_ok(ind->family, FAMILY_MAX))
		return YG_FAIL(err, YG_PARSE, "category or family is too long or not text");
	if (ind->valid_until.us != 0 && ind->valid_until.us <= ind->valid_from.us)
		return YG_FAIL(err, YG_PARSE, "the entry would end before it begins");
	if (ind->confidence > 100 || ind->severity_id > 6 || ind->tlp >= YG_TLP_COUNT)
		return YG_FAIL(err, YG_PARSE, "confidence, severity or TLP is out of range");
	yg_status st = yg_indicator_normalize(ind->type, ind->value, value, err);
	if (st != YG_OK)
		return st == YG_LIMIT ? YG_FAIL(err, YG_PARSE, "the value is too long") : st;
	*out = (struct yg_stored){
		.value = {value->p + from, value->n - from},
		.category = ind->category,
		.family = ind->family,
		.type = ind->type,
		.confidence = ind->confidence != 0 ? ind->confidence : -1,
		.severity_id = ind->severity_id != 0 ? ind->severity_id : -1,
		.tlp = ind->tlp != YG_TLP_NONE ? ind->tlp : -1,
		.valid_from = ind->valid_from.us,
		.valid_until = ind->valid_until.us,
	};
	return suffixes != NULL ? check_breadth(ind->type, out->value, suffixes, err) : YG_OK;
}

yg_status yg_registry_put(struct yg_state *db, int64_t list, const struct yg_stored *e, int64_t now,
			  struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("INSERT INTO indicator (list, type, value, category, family, confidence, severity_id, tlp, valid_from,"
		       " valid_until, created, updated) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)"
		       " ON CONFLICT (value, type, list) DO UPDATE SET category = excluded.category, family = excluded.family,"
		       " confidence = excluded.confidence, severity_id = excluded.severity_id, tlp = excluded.tlp,"
		       " valid_from = excluded.valid_from, valid_until = excluded.valid_until, updated = excluded.updated,"
		       /* it had ended: hunts look for it again */
		       " again = CASE WHEN indicator.valid_until > 0 AND indicator.valid_until <= excluded.updated"
		       " THEN 1 ELSE indicator.again END"
		       " WHERE indicator.category <> excluded.category OR indicator.family <> excluded.family"
		       " OR indicator.confidence <> excluded.confidence OR indicator.severity_id <> excluded.severity_id"
		       " OR indicator.tlp <> excluded.tlp OR indicator.valid_from <> excluded.valid_from"
		       " OR indicator.valid_until <> excluded.valid_until"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, list);
	yg_stmt_i64(s, 2, e->type);
	yg_stmt_text(s, 3, e->value);
	yg_stmt_text(s, 4, e->category);
	yg_stmt_text(s, 5, e->family);
	yg_stmt_i64(s, 6, e->confidence);
	yg_stmt_i64(s, 7, e->severity_id);
	yg_stmt_i64(s, 8, e->tlp);
	yg_stmt_i64(s, 9, e->valid_from);
	yg_stmt_i64(s, 10, e->valid_until);
	yg_stmt_i64(s, 11, now);
	return yg_stmt_run(s, err);
}

#define ROW_COLUMNS                                                                                      \
	"i.id, i.type, i.value, i.category, i.family, i.confidence, i.severity_id, i.tlp, i.valid_from," \
	" i.valid_until, i.created, i.updated, l.uid, l.name, l.org, l.confidence, l.tlp, l.category"

static yg_status take_row(struct yg_stmt *s, struct yg_arena *arena, struct yg_indicator_row *r,
			  struct yg_err *err)
{
	struct yg_indicator *i = &r->ind;
	const struct {
		struct yg_sv *to;
		int column;
	} texts[] = {{&i->value, 2},     {&i->category, 3}, {&i->family, 4},
		     {&r->list_uid, 12}, {&i->list, 13},    {&i->org, 14}};
	for (size_t k = 0; k < YG_LEN(texts); k++) {
		struct yg_sv v = yg_col_text(s, texts[k].column);
		if (texts[k].column == 3 && v.n == 0)
			v = yg_col_text(s, 17);
		*texts[k].to = yg_arena_dup(arena, v);
		if (texts[k].to->p == NULL)
			return YG_FAIL(err, YG_NOMEM, "indicators");
	}
	enum yg_tlp list_tlp = YG_TLP_NONE;
	(void)yg_tlp_parse(yg_col_text(s, 16), &list_tlp);
	int64_t confidence = yg_col_i64(s, 5), severity = yg_col_i64(s, 6), tlp = yg_col_i64(s, 7);
	r->id = yg_col_i64(s, 0);
	i->type = (enum yg_indicator_type)yg_col_i64(s, 1);
	i->confidence = (uint8_t)(confidence >= 0 ? confidence : yg_col_i64(s, 15));
	i->severity_id = severity >= 0 ? (uint8_t)severity : yg_category_severity(i->category);
	i->tlp = tlp >= 0 ? (uint8_t)tlp : (uint8_t)list_tlp;
	i->valid_from.us = yg_col_i64(s, 8);
	i->valid_until.us = yg_col_i64(s, 9);
	r->created.us = yg_col_i64(s, 10);
	r->updated.us = yg_col_i64(s, 11);
	return YG_OK;
}

/* "abc*" is a range of values; anything else the spellings that its text could
 * be stored as: as typed, and as its likely type writes it.  A part is a
 * pattern: every value is looked at, newest first, until there are enough. */
#define PART_MAX 256

struct wanted {
	char text[YG_KEY_MAX];
	struct yg_sv value, low, high;
	bool prefix, part;
};

static void want_part(struct yg_sv v, struct wanted *w)
{
	struct yg_sb b = yg_sb_init(w->text, sizeof w->text);
	w->part = true;
	yg_sb_putc(&b, '%');
	for (size_t i = 0; i < YG_MIN(v.n, (size_t)PART_MAX); i++) {
		if (v.p[i] == '%' || v.p[i] == '_' || v.p[i] == '!')
			yg_sb_putc(&b, '!');
		yg_sb_putc(&b, v.p[i]);
	}
	yg_sb_putc(&b, '%');
	w->low = w->value = yg_sb_sv(&b);
}

static void want(const struct yg_indicator_filter *f, struct wanted *w)
{
	struct yg_sb b = yg_sb_init(w->text, sizeof w->text);
	struct yg_sv v = yg_sv_trim(f->value), part = yg_sv_trim(f->part);
	bool begins = part.n > 1 && part.p[part.n - 1] == '*';
	if (v.n == 0 && begins)
		v = part;
	*w = (struct wanted){.value = v, .low = {"", 0}, .high = {"", 0}};
	b.p = w->text;
	if (v.n == 0 && part.n > 0) {
		want_part(part, w);
		return;
	}
	if (v.n > 1 && v.p[v.n - 1] == '*' && v.n < sizeof w->text - 4) {
		v.n--;
		w->prefix = true;
		w->low = v;
		yg_sb_put(&b, v);
		yg_sb_put(&b, YG_SV("\xf4\x8f\xbf\xbf")); /* behind every text that begins so */
		w->high = yg_sb_sv(&b);
		return;
	}
	enum yg_indicator_type type = f->type != YG_IND_NONE ? f->type : yg_indicator_guess(v);
	if (v.n > 0 && type != YG_IND_NONE && yg_indicator_normalize(type, v, &b, NULL) == YG_OK)
		w->low = yg_sb_sv(&b);
	else
		w->low = v;
}

/* What every search of indicators has behind its own condition. */
#define ROW_FILTER                                                                                 \
	" AND ($3 = 0 OR i.type = $3) AND ($4 = '' OR l.uid = $4 OR l.name = $4)"                  \
	" AND ($5 = 1 OR l.org IS NULL OR l.org IN yg_set($8))"                                    \
	" AND ($9 <> 1 OR (i.valid_from <= $10 AND (i.valid_until = 0 OR i.valid_until > $10)))"   \
	" AND ($9 <> 2 OR (i.valid_until > 0 AND i.valid_until <= $10))"                           \
	" AND ($9 <> 1 OR l.enabled = 1) AND i.created < $11"                                      \
	" AND i.id < $6 ORDER BY i.id DESC LIMIT $7"

static yg_status prepare_list(struct yg_state *db, const struct wanted *w, struct yg_stmt **out,
			      struct yg_err *err)
{
	if (w->prefix)
		return yg_state_prepare(
			db,
			YG_SQL("SELECT " ROW_COLUMNS
			       " FROM indicator i JOIN indicator_list l ON l.id = i.list"
			       " WHERE i.value >= $1 AND i.value < $2" ROW_FILTER),
			out, err);
	if (w->part)
		return yg_state_prepare(
			db,
			YG_SQL("SELECT " ROW_COLUMNS
			       " FROM indicator i JOIN indicator_list l ON l.id = i.list"
			       " WHERE i.value LIKE $1 ESCAPE '!' AND $1 = $2" ROW_FILTER),
			out, err);
	if (w->low.n > 0)
		return yg_state_prepare(
			db,
			YG_SQL("SELECT " ROW_COLUMNS
			       " FROM indicator i JOIN indicator_list l ON l.id = i.list"
			       " WHERE i.value IN ($1, $2)" ROW_FILTER),
			out, err);
	return yg_state_prepare(db,
				YG_SQL("SELECT " ROW_COLUMNS
				       " FROM indicator i JOIN indicator_list l ON l.id = i.list"
				       " WHERE $1 = $2" ROW_FILTER),
				out, err);
}

yg_status yg_indicator_list(struct yg_state *db, const struct yg_indicator_filter *f,
			    struct yg_arena *arena, struct yg_indicator_row **out, size_t *out_n,
			    struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	uint32_t limit = YG_MIN(f->limit, (uint32_t)YG_PAGE_MAX + 1);
	struct yg_indicator_row *list = YG_NEW_N(arena, struct yg_indicator_row, limit);
	struct wanted *w = YG_NEW(arena, struct wanted);
	if (w == NULL || (list == NULL && limit > 0))
		return YG_FAIL(err, YG_NOMEM, "indicators");
	want(f, w);
	yg_status st = prepare_list(db, w, &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, w->low);
	yg_stmt_text(s, 2, w->prefix ? w->high : w->value);
	yg_stmt_i64(s, 3, f->type);
	yg_stmt_text(s, 4, f->list);
	yg_stmt_i64(s, 5, yg_reach_all_flag(&f->reach));
	yg_stmt_set(s, 8, f->reach.orgs, f->reach.org_count);
	yg_stmt_i64(s, 6, f->before > 0 ? f->before : INT64_MAX);
	yg_stmt_i64(s, 7, limit);
	yg_stmt_i64(s, 9, f->validity);
	yg_stmt_i64(s, 10, yg_reach_now(&f->reach, f->now).us);
	yg_stmt_i64(s, 11, yg_reach_until(&f->reach));
	size_t n = 0;
	bool row = true;
	while (n < limit && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		st = take_row(s, arena, &list[n++], err);
		if (st != YG_OK)
			return st;
	}
	*out = list;
	*out_n = n;
	return st;
}

yg_status yg_indicator_get(struct yg_state *db, int64_t id, struct yg_arena *arena,
			   struct yg_indicator_row *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct yg_indicator_row r = {0};
	bool row = false;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT " ROW_COLUMNS
		       " FROM indicator i JOIN indicator_list l ON l.id = i.list WHERE i.id = $1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, id);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && !row)
		return YG_FAIL(err, YG_NOTFOUND, "no such indicator");
	if (st == YG_OK)
		st = take_row(s, arena, &r, err);
	if (st == YG_OK)
		*out = r;
	return st;
}

static yg_status count_entry(struct yg_state *db, int64_t list, int64_t more, int64_t now,
			     struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("UPDATE indicator_list SET entries = entries + $2, updated = $3 WHERE id = $1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, list);
	yg_stmt_i64(s, 2, more);
	yg_stmt_i64(s, 3, now);
	return yg_stmt_run(s, err);
}

static yg_status find_entry(struct yg_state *db, int64_t list, const struct yg_stored *e,
			    int64_t *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT id FROM indicator WHERE value = $1 AND type = $2 AND list = $3"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, e->value);
	yg_stmt_i64(s, 2, e->type);
	yg_stmt_i64(s, 3, list);
	st = yg_stmt_step(s, &row, err);
	*out = st == YG_OK && row ? yg_col_i64(s, 0) : 0;
	return st;
}

static yg_status id_text(int64_t id, char *buf, size_t n, struct yg_sv *out)
{
	struct yg_sb b = yg_sb_init(buf, n);
	yg_sb_put(&b, YG_SV("i-"));
	yg_sb_i64(&b, id);
	*out = yg_sb_sv(&b);
	return yg_sb_done(&b);
}

static yg_status add_entry(struct yg_act *act, struct yg_sv list, const struct yg_stored *e,
			   int64_t *out_id, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_list l = {0};
	char buf[32];
	struct yg_sv object = {"", 0};
	int64_t now = yg_env_wall(act->env).us;
	yg_arena_init(&arena, 65536);
	yg_detail_init(&d);
	yg_status st = yg_list_get(act->db, list, &arena, &l, err);
	if (st == YG_OK)
		st = find_entry(act->db, l.seq, e, out_id, err);
	if (st == YG_OK && *out_id != 0)
		return YG_FAIL(err, YG_CONFLICT, "the list has this indicator already");
	if (st == YG_OK)
		st = yg_registry_put(act->db, l.seq, e, now, err);
	if (st == YG_OK)
		st = find_entry(act->db, l.seq, e, out_id, err);
	if (st == YG_OK)
		st = count_entry(act->db, l.seq, 1, now, err);
	if (st == YG_OK)
		st = yg_registry_touch(act->db, err);
	if (st != YG_OK)
		return st;
	yg_detail_note(&d, "list", l.name);
	yg_detail_note(&d, "type",
		       yg_sv_of(yg_indicator_type_name((enum yg_indicator_type)e->type)));
	yg_detail_note(&d, "value", e->value);
	(void)id_text(*out_id, buf, sizeof buf, &object);
	return yg_audit_add(act, "indicator.add", object, l.org, &d, err);
}

yg_status yg_indicator_add(struct yg_act *act, struct yg_sv list, const struct yg_indicator *ind,
			   bool force, int64_t *out_id, struct yg_err *err)
{
	char buf[YG_KEY_MAX];
	struct yg_sb value = yg_sb_init(buf, sizeof buf);
	struct yg_suffixes *suffixes = NULL;
	struct yg_stored e = {0};
	struct yg_tx tx;
	yg_status st = force ? YG_OK : yg_suffixes_new(&suffixes, err);
	if (st == YG_OK)
		st = yg_registry_stored(ind, suffixes, &value, &e, err);
	yg_suffixes_free(suffixes);
	if (st == YG_OK)
		st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, add_entry(act, list, &e, out_id, err), err) : st;
}

static yg_status write_entry(struct yg_act *act, int64_t id, const struct yg_indicator *i,
			     const struct yg_indicator_set *set, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("UPDATE indicator SET category = CASE WHEN $8 = 1 THEN $2 ELSE category END, family = $3,"
		       " confidence = CASE WHEN $4 >= 0 THEN $4 ELSE confidence END,"
		       " severity_id = CASE WHEN $5 > 0 THEN $5 ELSE severity_id END,"
		       " tlp = CASE WHEN $6 > 0 THEN $6 ELSE tlp END, valid_until = $7, updated = $9,"
		       " again = CASE WHEN valid_until > 0 AND valid_until <= $9 THEN 1 ELSE again END WHERE id = $1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, id);
	yg_stmt_text(s, 2, i->category);
	yg_stmt_text(s, 3, i->family);
	yg_stmt_i64(s, 4, set->confidence);
	yg_stmt_i64(s, 5, set->severity_id);
	yg_stmt_i64(s, 6, set->tlp);
	yg_stmt_i64(s, 7, i->valid_until.us);
	yg_stmt_i64(s, 8, set->category != NULL);
	yg_stmt_i64(s, 9, yg_env_wall(act->env).us);
	return yg_stmt_run(s, err);
}

static yg_status change_entry(struct yg_act *act, int64_t id, int64_t version,
			      const struct yg_indicator_set *set, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_indicator_row old = {0};
	char buf[32];
	struct yg_sv object = {"", 0};
	yg_arena_init(&arena, 1 << 20);
	yg_detail_init(&d);
	yg_status st = yg_indicator_get(act->db, id, &arena, &old, err);
	if (st != YG_OK)
		return st;
	if (version != YG_ANY_VERSION && version != old.updated.us)
		return YG_FAIL(err, YG_CONFLICT, "the indicator was changed meanwhile");
	struct yg_indicator i = old.ind;
	i.category = set->category != NULL ? *set->category : i.category;
	i.family = set->family != NULL ? *set->family : i.family;
	i.valid_until = set->valid_until != NULL ? *set->valid_until : i.valid_until;
	if (!yg_registry_text_ok(i.category, CATEGORY_MAX) ||
	    !yg_registry_text_ok(i.family, FAMILY_MAX) || set->confidence > 100 ||
	    set->severity_id < 0 || set->severity_id > 6 || set->tlp >= YG_TLP_COUNT)
		return YG_FAIL(err, YG_INVAL, "a value of the indicator is out of range");
	bool differs = yg_detail_text(&d, "category", old.ind.category, i.category);
	differs |= yg_detail_text(&d, "family", old.ind.family, i.family);
	differs |= set->confidence >= 0 &&
		   yg_detail_i64(&d, "confidence", old.ind.confidence, set->confidence);
	differs |= set->severity_id > 0 &&
		   yg_detail_i64(&d, "severity_id", old.ind.severity_id, set->severity_id);
	differs |= set->tlp != YG_TLP_NONE &&
		   yg_detail_text(&d, "tlp", yg_sv_of(yg_tlp_name(old.ind.tlp)),
				  yg_sv_of(yg_tlp_name(set->tlp)));
	differs |= yg_detail_time(&d, "valid_until", old.ind.valid_until.us, i.valid_until.us);
	if (!differs)
		return YG_OK;
	st = write_entry(act, id, &i, set, err);
	if (st == YG_OK)
		st = yg_registry_touch(act->db, err);
	(void)id_text(id, buf, sizeof buf, &object);
	return st == YG_OK ? yg_audit_add(act, "indicator.update", object, old.ind.org, &d, err)
			   : st;
}

yg_status yg_indicator_change(struct yg_act *act, int64_t id, int64_t version,
			      const struct yg_indicator_set *set, struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, change_entry(act, id, version, set, err), err) : st;
}

static yg_status delete_entry(struct yg_act *act, int64_t id, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct yg_indicator_row old = {0};
	char buf[32];
	struct yg_sv object = {"", 0};
	bool row = false;
	yg_arena_init(&arena, 1 << 20);
	yg_detail_init(&d);
	yg_status st = yg_indicator_get(act->db, id, &arena, &old, err);
	if (st == YG_OK)
		st = yg_state_prepare(act->db,
				      YG_SQL("DELETE FROM indicator WHERE id = $1 RETURNING list"),
				      &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, id);
	st = yg_stmt_step(s, &row, err);
	int64_t list = st == YG_OK && row ? yg_col_i64(s, 0) : 0;
	if (st == YG_OK)
		st = yg_stmt_step(s, &row, err);
	if (st == YG_OK)
		st = count_entry(act->db, list, -1, yg_env_wall(act->env).us, err);
	if (st == YG_OK)
		st = yg_registry_touch(act->db, err);
	yg_detail_note(&d, "list", old.ind.list);
	yg_detail_note(&d, "value", old.ind.value);
	(void)id_text(id, buf, sizeof buf, &object);
	return st == YG_OK ? yg_audit_add(act, "indicator.remove", object, old.ind.org, &d, err)
			   : st;
}

yg_status yg_indicator_remove(struct yg_act *act, int64_t id, struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, delete_entry(act, id, err), err) : st;
}
