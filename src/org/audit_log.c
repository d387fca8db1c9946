#include "org/audit_log.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>

#include "base/check.h"
#include "base/codec.h"
#include "base/limits.h"
#include "format/json.h"

#define DOMAIN "yagura audit 1\n" /* separates this hash from every other use of BLAKE2b */

static_assert(YG_AUDIT_HASH == crypto_generichash_BYTES, "BLAKE2b-256");

void yg_detail_init(struct yg_detail *d)
{
	yg_buf_init(&d->buf, YG_AUDIT_DETAIL_MAX);
}

void yg_detail_free(struct yg_detail *d)
{
	yg_buf_free(&d->buf);
}

static void name_of(struct yg_detail *d, const char *name)
{
	yg_buf_putc(&d->buf, d->buf.n == 0 ? '{' : ',');
	yg_json_put_str(&d->buf, yg_sv_of(name));
	yg_buf_putc(&d->buf, ':');
}

bool yg_detail_text(struct yg_detail *d, const char *name, struct yg_sv from, struct yg_sv to)
{
	if (yg_sv_eq(from, to))
		return false;
	name_of(d, name);
	yg_buf_put(&d->buf, YG_SV("{\"from\":"));
	yg_json_put_str(&d->buf, from);
	yg_buf_put(&d->buf, YG_SV(",\"to\":"));
	yg_json_put_str(&d->buf, to);
	yg_buf_putc(&d->buf, '}');
	return true;
}

bool yg_detail_i64(struct yg_detail *d, const char *name, int64_t from, int64_t to)
{
	if (from == to)
		return false;
	name_of(d, name);
	yg_buf_printf(&d->buf, "{\"from\":%" PRId64 ",\"to\":%" PRId64 "}", from, to);
	return true;
}

static void put_time(struct yg_buf *b, int64_t us)
{
	char text[32];
	struct yg_sb t = yg_sb_init(text, sizeof text);
	yg_time_format(&t, (yg_wall){us});
	if (us == 0)
		yg_buf_put(b, YG_SV("null"));
	else
		yg_json_put_str(b, yg_sb_sv(&t));
}

bool yg_detail_time(struct yg_detail *d, const char *name, int64_t from_us, int64_t to_us)
{
	if (from_us == to_us)
		return false;
	name_of(d, name);
	yg_buf_put(&d->buf, YG_SV("{\"from\":"));
	put_time(&d->buf, from_us);
	yg_buf_put(&d->buf, YG_SV(",\"to\":"));
	put_time(&d->buf, to_us);
	yg_buf_putc(&d->buf, '}');
	return true;
}

void yg_detail_note(struct yg_detail *d, const char *name, struct yg_sv value)
{
	name_of(d, name);
	yg_json_put_str(&d->buf, value);
}

void yg_detail_notes(struct yg_detail *d, const char *name, const struct yg_sv *values, size_t n)
{
	name_of(d, name);
	yg_buf_putc(&d->buf, '[');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			yg_buf_putc(&d->buf, ',');
		yg_json_put_str(&d->buf, values[i]);
	}
	yg_buf_putc(&d->buf, ']');
}

void yg_detail_count(struct yg_detail *d, const char *name, int64_t value)
{
	name_of(d, name);
	yg_buf_printf(&d->buf, "%" PRId64, value);
}

static void hash_i64(crypto_generichash_state *h, int64_t v)
{
	uint8_t le[8];
	for (size_t i = 0; i < sizeof le; i++)
		le[i] = (uint8_t)((uint64_t)v >> (8 * i));
	(void)crypto_generichash_update(h, le, sizeof le);
}

static void hash_sv(crypto_generichash_state *h, struct yg_sv s)
{
	hash_i64(h, (int64_t)s.n);
	(void)crypto_generichash_update(h, (const unsigned char *)s.p, s.n);
}

/* Lengths stand before texts, so that no two entries have the same encoding. */
static void hash_entry(const struct yg_audit_entry *e, const uint8_t prev[static YG_AUDIT_HASH],
		       uint8_t out[static YG_AUDIT_HASH])
{
	crypto_generichash_state h;
	(void)crypto_generichash_init(&h, NULL, 0, YG_AUDIT_HASH);
	(void)crypto_generichash_update(&h, (const unsigned char *)DOMAIN, sizeof DOMAIN - 1);
	(void)crypto_generichash_update(&h, prev, YG_AUDIT_HASH);
	hash_i64(&h, e->seq);
	hash_i64(&h, e->time.us);
	hash_sv(&h, e->actor);
	hash_sv(&h, e->action);
	hash_sv(&h, e->object);
	hash_sv(&h, e->org);
	hash_sv(&h, e->detail);
	(void)crypto_generichash_final(&h, out, YG_AUDIT_HASH);
}

/* An empty hash stands before the first entry: 32 zero bytes. */
static bool read_hash(struct yg_sv s, uint8_t out[static YG_AUDIT_HASH])
{
	memset(out, 0, YG_AUDIT_HASH);
	if (s.n == YG_AUDIT_HASH)
		memcpy(out, s.p, YG_AUDIT_HASH);
	return s.n == YG_AUDIT_HASH || s.n == 0;
}

static yg_status read_head(struct yg_state *db, struct yg_audit_anchor *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(db, YG_SQL("SELECT seq, hash FROM audit_head WHERE id = 1"),
					&s, err);
	if (st == YG_OK)
		st = yg_stmt_step(s, &row, err);
	if (st != YG_OK)
		return st;
	if (!row || !read_hash(yg_col_text(s, 1), out->hash))
		return YG_FAIL(err, YG_CORRUPT, "the head of the audit log is missing");
	out->seq = yg_col_i64(s, 0);
	return YG_OK;
}

static yg_status insert(struct yg_state *db, const struct yg_audit_entry *e, const uint8_t *prev,
			struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("INSERT INTO audit_log (seq, time, actor, action, object, org, detail, prev, hash)"
		       " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, e->seq);
	yg_stmt_i64(s, 2, e->time.us);
	yg_stmt_text(s, 3, e->actor);
	yg_stmt_text(s, 4, e->action);
	yg_stmt_text(s, 5, e->object);
	yg_stmt_text(s, 6, e->org);
	yg_stmt_text(s, 7, e->detail);
	yg_stmt_blob(s, 8, (struct yg_sv){(const char *)prev, YG_AUDIT_HASH});
	yg_stmt_blob(s, 9, (struct yg_sv){(const char *)e->hash, YG_AUDIT_HASH});
	return yg_stmt_run(s, err);
}

yg_status yg_audit_add(struct yg_act *act, const char *action, struct yg_sv object,
		       struct yg_sv org, const struct yg_detail *detail, struct yg_err *err)
{
	if (!yg_state_in_transaction(act->db))
		return YG_FAIL(err, YG_INTERNAL,
			       "audit entry '%s' outside of its change's transaction", action);
	YG_AUTO(yg_detail_free) struct yg_detail end = {0};
	yg_detail_init(&end);
	if (detail != NULL && detail->buf.n > 0)
		yg_buf_put(&end.buf, yg_buf_sv(&detail->buf));
	else
		yg_buf_putc(&end.buf, '{');
	yg_buf_putc(&end.buf, '}');
	if (yg_buf_done(&end.buf) == YG_NOMEM ||
	    (detail != NULL && yg_buf_done(&detail->buf) == YG_NOMEM))
		return YG_FAIL(err, YG_NOMEM, "audit entry '%s'", action);
	if (end.buf.bad || (detail != NULL && detail->buf.bad))
		return YG_FAIL(err, YG_TOOBIG, "the change is too large for one audit entry");
	struct yg_audit_anchor head = {0};
	yg_status st = read_head(act->db, &head, err);
	if (st != YG_OK)
		return st;
	struct yg_audit_entry e = {
		.seq = head.seq + 1,
		.time = yg_env_wall(act->env),
		.actor = act->who,
		.action = yg_sv_of(action),
		.object = object,
		.org = org,
		.detail = yg_buf_sv(&end.buf),
	};
	hash_entry(&e, head.hash, e.hash);
	st = insert(act->db, &e, head.hash, err);
	struct yg_stmt *s = NULL;
	if (st == YG_OK)
		st = yg_state_prepare(
			act->db, YG_SQL("UPDATE audit_head SET seq = $1, hash = $2 WHERE id = 1"),
			&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, e.seq);
	yg_stmt_blob(s, 2, (struct yg_sv){(const char *)e.hash, sizeof e.hash});
	return yg_stmt_run(s, err);
}

static void take_entry(struct yg_stmt *s, struct yg_audit_entry *e)
{
	*e = (struct yg_audit_entry){
		.seq = yg_col_i64(s, 0),
		.time = {yg_col_i64(s, 1)},
		.actor = yg_col_text(s, 2),
		.action = yg_col_text(s, 3),
		.object = yg_col_text(s, 4),
		.org = yg_col_text(s, 5),
		.detail = yg_col_text(s, 6),
	};
}

#define ENTRY_COLUMNS "l.seq, l.time, l.actor, l.action, l.object, l.org, l.detail, l.hash"
#define ENTRY_WHERE                                                                                \
	" ($2 = '' OR l.actor = $2) AND ($3 = '' OR substr(l.action, 1, length($3)) = $3)"         \
	" AND l.time >= $4 AND l.time < $5 AND l.seq < $6"

/* An object's history goes by its own index, the log of some organisations by
 * theirs (the newest of each, then the newest of those), the rest by number. */
static yg_status prepare_list(struct yg_state *db, const struct yg_audit_filter *f,
			      struct yg_stmt **out, struct yg_err *err)
{
	if (f->object.n > 0)
		return yg_state_prepare(
			db,
			YG_SQL("SELECT " ENTRY_COLUMNS
			       " FROM audit_log l WHERE l.object = $1 AND" ENTRY_WHERE
			       " AND ($7 = 1 OR l.org IN yg_set($8)) ORDER BY l.seq DESC LIMIT $9"),
			out, err);
	if (!f->reach.all)
		return yg_state_prepare(
			db,
			YG_SQL("SELECT " ENTRY_COLUMNS
			       " FROM yg_set($8) o JOIN audit_log l ON l.seq IN"
			       " (SELECT l.seq FROM audit_log l WHERE l.org = o.item AND $7 = 0 AND $1 = '' AND" ENTRY_WHERE
			       " ORDER BY l.seq DESC LIMIT $9) ORDER BY l.seq DESC LIMIT $9"),
			out, err);
	return yg_state_prepare(db,
				YG_SQL("SELECT " ENTRY_COLUMNS
				       " FROM audit_log l WHERE $1 = '' AND" ENTRY_WHERE
				       " AND ($7 = 1 OR l.org IN yg_set($8))"
				       " ORDER BY l.seq DESC LIMIT $9"),
				out, err);
}

yg_status yg_audit_list(struct yg_state *db, const struct yg_audit_filter *f,
			struct yg_arena *arena, struct yg_audit_entry **out, size_t *out_n,
			struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	uint32_t limit = YG_MIN(f->limit, (uint32_t)YG_PAGE_MAX + 1);
	struct yg_audit_entry *list = YG_NEW_N(arena, struct yg_audit_entry, limit);
	if (list == NULL && limit > 0)
		return YG_FAIL(err, YG_NOMEM, "audit entries");
	yg_status st = prepare_list(db, f, &s, err);
	if (st != YG_OK)
		return st;
	int64_t to = f->to_us != 0 ? f->to_us : INT64_MAX;
	yg_stmt_text(s, 1, f->object);
	yg_stmt_text(s, 2, f->actor);
	yg_stmt_text(s, 3, f->action);
	yg_stmt_i64(s, 4, YG_MAX(f->from_us, f->reach.from.us));
	yg_stmt_i64(s, 5, f->reach.to.us != 0 ? YG_MIN(to, f->reach.to.us) : to);
	yg_stmt_i64(s, 6, f->before > 0 ? f->before : INT64_MAX);
	yg_stmt_i64(s, 7, yg_reach_all_flag(&f->reach));
	yg_stmt_set(s, 8, f->reach.orgs, f->reach.org_count);
	yg_stmt_i64(s, 9, limit);
	size_t n = 0;
	bool row = true;
	while (n < limit && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		struct yg_audit_entry *e = &list[n++];
		take_entry(s, e);
		(void)read_hash(yg_col_text(s, 7), e->hash);
		struct yg_sv *keep[] = {&e->actor, &e->action, &e->object, &e->org, &e->detail};
		for (size_t i = 0; i < YG_LEN(keep); i++) {
			*keep[i] = yg_arena_dup(arena, *keep[i]);
			if (keep[i]->p == NULL)
				return YG_FAIL(err, YG_NOMEM, "audit entries");
		}
	}
	*out = list;
	*out_n = n;
	return st;
}

yg_status yg_audit_anchor_parse(struct yg_sv s, struct yg_audit_anchor *out, struct yg_err *err)
{
	struct yg_sv rest = s, number;
	uint64_t seq;
	struct yg_audit_anchor a = {0};
	(void)yg_sv_cut(&rest, ':', &number);
	if (yg_parse_u64(number, &seq, NULL) != YG_OK || seq > INT64_MAX ||
	    rest.n != YG_AUDIT_HASH * 2 || yg_parse_hex(rest, a.hash, sizeof a.hash, NULL) != YG_OK)
		return YG_FAIL(err, YG_PARSE,
			       "expected NUMBER:HASH as printed by audit-log verify");
	a.seq = (int64_t)seq;
	*out = a;
	return YG_OK;
}

void yg_audit_anchor_format(struct yg_sb *b, const struct yg_audit_anchor *a)
{
	yg_sb_i64(b, a->seq);
	yg_sb_putc(b, ':');
	yg_sb_hex(b, a->hash, sizeof a->hash);
}

static void YG_PRINTF(3, 4) bad(struct yg_audit_report *out, int64_t seq, const char *fmt, ...)
{
	va_list ap;
	out->ok = false;
	out->first_bad = seq;
	va_start(ap, fmt);
	(void)vsnprintf(out->text, sizeof out->text, fmt, ap);
	va_end(ap);
}

/* Judges the entry in `s` against what came before; false ends the walk. */
static bool fits(struct yg_stmt *s, const struct yg_audit_anchor *anchor,
		 struct yg_audit_report *out)
{
	struct yg_audit_entry e;
	uint8_t prev[YG_AUDIT_HASH], stored[YG_AUDIT_HASH];
	take_entry(s, &e);
	if (e.seq != out->head.seq + 1) {
		bad(out, e.seq,
		    "entry %" PRId64 " follows entry %" PRId64
		    ": entries are missing or out of order",
		    e.seq, out->head.seq);
		return false;
	}
	if (!read_hash(yg_col_text(s, 7), prev) || memcmp(prev, out->head.hash, sizeof prev) != 0) {
		bad(out, e.seq, "entry %" PRId64 " does not continue entry %" PRId64, e.seq,
		    out->head.seq);
		return false;
	}
	hash_entry(&e, prev, e.hash);
	if (yg_col_text(s, 8).n != YG_AUDIT_HASH || !read_hash(yg_col_text(s, 8), stored) ||
	    memcmp(stored, e.hash, sizeof stored) != 0) {
		bad(out, e.seq, "entry %" PRId64 " was changed: its hash does not fit", e.seq);
		return false;
	}
	if (anchor != NULL && anchor->seq == e.seq &&
	    memcmp(anchor->hash, e.hash, sizeof e.hash) != 0) {
		bad(out, e.seq,
		    "entry %" PRId64 " is not the one that the anchor names: the log was rewritten",
		    e.seq);
		return false;
	}
	out->head.seq = e.seq;
	memcpy(out->head.hash, e.hash, sizeof e.hash);
	out->entries++;
	return true;
}

static void judge_head(const struct yg_audit_anchor *head, const struct yg_audit_anchor *anchor,
		       struct yg_audit_report *out)
{
	if (out->head.seq < head->seq)
		bad(out, out->head.seq + 1,
		    "the log ends at entry %" PRId64 ", its head says %" PRId64
		    ": the end was cut off",
		    out->head.seq, head->seq);
	else if (out->head.seq > head->seq)
		bad(out, head->seq + 1, "entry %" PRId64 " stands behind the head: it was inserted",
		    head->seq + 1);
	else if (memcmp(head->hash, out->head.hash, sizeof head->hash) != 0)
		bad(out, out->head.seq, "the head does not fit entry %" PRId64, out->head.seq);
	else if (anchor != NULL && anchor->seq > out->head.seq)
		bad(out, out->head.seq + 1,
		    "the log ends at entry %" PRId64 ", the anchor names %" PRId64
		    ": the end was cut off",
		    out->head.seq, anchor->seq);
	else
		(void)snprintf(out->text, sizeof out->text, "%" PRIu64 " entries, none changed",
			       out->entries);
}

yg_status yg_audit_verify(struct yg_state *db, const struct yg_audit_anchor *anchor,
			  struct yg_audit_report *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct yg_audit_anchor head = {0};
	bool row = false, any = false;
	*out = (struct yg_audit_report){.ok = true};
	/* one statement, so that head and entries are of one moment */
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT l.seq, l.time, l.actor, l.action, l.object, l.org, l.detail, l.prev, l.hash,"
		       " h.seq, h.hash FROM audit_head h LEFT JOIN audit_log l ON l.seq IS NOT NULL WHERE h.id = 1"
		       " ORDER BY l.seq"),
		&s, err);
	while (st == YG_OK && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		if (!any) {
			head.seq = yg_col_i64(s, 9);
			if (!read_hash(yg_col_text(s, 10), head.hash))
				bad(out, 1, "the head of the log is damaged");
		}
		any = true;
		if (yg_col_null(s, 0))
			break;
		if (!out->ok || !fits(s, anchor, out))
			return YG_OK;
	}
	if (st == YG_OK && !any)
		bad(out, 1, "the head of the log is missing");
	else if (st == YG_OK && out->ok)
		judge_head(&head, anchor, out);
	return st;
}
