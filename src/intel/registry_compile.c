#include <stdlib.h>

#include "base/limits.h"
#include "intel/registry.h"
#include "intel/registry_internal.h"
#include "org/audit_log.h"
#include "store/compiled.h"

#define LISTS_MAX      100000
#define PROGRESS_EVERY 65536

struct list_info {
	int64_t seq;
	struct yg_sv name, category, org;
	uint8_t confidence, tlp;
};

static yg_status read_lists(struct yg_state *db, struct yg_arena *arena, struct list_info **out,
			    size_t *out_n, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	size_t n = 0, cap = 0;
	struct list_info *lists = NULL;
	bool row = true;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT id, name, category, org, confidence, tlp FROM indicator_list WHERE enabled = 1 ORDER BY id"),
		&s, err);
	while (st == YG_OK && n < LISTS_MAX && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		if (n == cap) {
			size_t more = cap > 0 ? cap * 2 : 64;
			struct list_info *grown = YG_NEW_N(arena, struct list_info, more);
			if (grown == NULL)
				return YG_FAIL(err, YG_NOMEM, "lists");
			if (n > 0)
				memcpy(grown, lists, n * sizeof lists[0]);
			lists = grown;
			cap = more;
		}
		struct list_info *l = &lists[n++];
		enum yg_tlp tlp = YG_TLP_NONE;
		(void)yg_tlp_parse(yg_col_text(s, 5), &tlp);
		*l = (struct list_info){
			.seq = yg_col_i64(s, 0),
			.name = yg_arena_dup(arena, yg_col_text(s, 1)),
			.category = yg_arena_dup(arena, yg_col_text(s, 2)),
			.org = yg_arena_dup(arena, yg_col_text(s, 3)),
			.confidence = (uint8_t)yg_col_i64(s, 4),
			.tlp = (uint8_t)tlp,
		};
		if (l->name.p == NULL || l->category.p == NULL || l->org.p == NULL)
			return YG_FAIL(err, YG_NOMEM, "lists");
	}
	*out = lists;
	*out_n = n;
	return st;
}

static int by_seq(const void *key, const void *elem)
{
	int64_t seq = *(const int64_t *)key;
	const struct list_info *l = elem;
	return (seq > l->seq) - (seq < l->seq);
}

static yg_status each_entry(struct yg_state *db, yg_wall now, const struct yg_registry_part *part,
			    const struct list_info *lists, size_t n, yg_registry_fn *fn, void *ctx,
			    struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = true;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT list, type, value, category, family, confidence, severity_id, tlp, valid_from, valid_until"
		       " FROM indicator WHERE (valid_until = 0 OR valid_until > $1) AND id >= $2 AND id <= $3"
		       " AND ($4 = '' OR list = (SELECT id FROM indicator_list WHERE uid = $4))"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, now.us);
	yg_stmt_i64(s, 2, part->first);
	yg_stmt_i64(s, 3, part->last);
	yg_stmt_text(s, 4, part->list);
	while (st == YG_OK && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		int64_t seq = yg_col_i64(s, 0), confidence = yg_col_i64(s, 5),
			severity = yg_col_i64(s, 6), tlp = yg_col_i64(s, 7);
		const struct list_info *l =
			n > 0 ? bsearch(&seq, lists, n, sizeof lists[0], by_seq) : NULL;
		if (l == NULL)
			continue;
		struct yg_indicator ind = {
			.type = (enum yg_indicator_type)yg_col_i64(s, 1),
			.value = yg_col_text(s, 2),
			.list = l->name,
			.category = yg_col_text(s, 3).n > 0 ? yg_col_text(s, 3) : l->category,
			.family = yg_col_text(s, 4),
			.org = l->org,
			.valid_from = {yg_col_i64(s, 8)},
			.valid_until = {yg_col_i64(s, 9)},
			.confidence = confidence >= 0 ? (uint8_t)confidence : l->confidence,
			.tlp = tlp >= 0 ? (uint8_t)tlp : l->tlp,
		};
		ind.severity_id =
			severity >= 0 ? (uint8_t)severity : yg_category_severity(ind.category);
		st = fn(ctx, &ind, err);
	}
	return st;
}

static yg_status each_allow(struct yg_state *db, yg_wall now, yg_registry_fn *fn, void *ctx,
			    struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = true;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT type, value, org, expires FROM allow_entry WHERE expires = 0 OR expires > $1 ORDER BY id"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, now.us);
	while (st == YG_OK && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		struct yg_indicator ind = {
			.type = (enum yg_indicator_type)yg_col_i64(s, 0),
			.value = yg_col_text(s, 1),
			.list = YG_SV("allow"),
			.org = yg_col_text(s, 2),
			.valid_until = {yg_col_i64(s, 3)},
			.confidence = 100,
			.severity_id = 1,
			.tlp = YG_TLP_CLEAR,
			.allow = true,
		};
		st = fn(ctx, &ind, err);
	}
	return st;
}

yg_status yg_registry_each_of(struct yg_state *db, yg_wall now, const struct yg_registry_part *part,
			      yg_registry_fn *fn, void *ctx, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct list_info *lists = NULL;
	size_t n = 0;
	yg_arena_init(&arena, 64 << 20);
	yg_status st = read_lists(db, &arena, &lists, &n, err);
	struct yg_registry_part one = *part;
	for (size_t i = 0; st == YG_OK && i < (part->ids != NULL ? part->id_count : 1); i++) {
		if (part->ids != NULL)
			one.first = one.last = part->ids[i];
		st = each_entry(db, now, &one, lists, n, fn, ctx, err);
	}
	return st == YG_OK ? each_allow(db, now, fn, ctx, err) : st;
}

yg_status yg_registry_each(struct yg_state *db, yg_wall now, yg_registry_fn *fn, void *ctx,
			   struct yg_err *err)
{
	static const struct yg_registry_part all = {
		.first = INT64_MIN, .last = INT64_MAX, .list = YG_SV_INIT("")};
	return yg_registry_each_of(db, now, &all, fn, ctx, err);
}

struct feed {
	struct yg_intel_builder *b; /* owned */
	struct yg_compile_result r;
	uint64_t fed;
	yg_progress_fn *progress;
	void *ctx;
};

static yg_status feed(void *ctx, const struct yg_indicator *ind, struct yg_err *err)
{
	struct feed *f = ctx;
	yg_status st = yg_intel_builder_add(f->b, ind, err);
	if (st == YG_PARSE ||
	    st == YG_DENIED) { /* of an older program's making: left out, counted */
		f->r.refused++;
		st = YG_OK;
	}
	if (st == YG_OK && ++f->fed % PROGRESS_EVERY == 0 && f->progress != NULL &&
	    !f->progress(f->ctx, f->fed, 0))
		return YG_FAIL(err, YG_AGAIN, "stopped while compiling");
	return st;
}

static yg_status fill(void *ctx, int fd, struct yg_err *err)
{
	struct feed *f = ctx;
	return yg_intel_builder_finish(f->b, fd, f->r.generation, &f->r.stats, err);
}

static yg_status end_generation(struct yg_act *act, const struct yg_compile_result *r, bool ready,
				struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_stmt *s = NULL;
	struct yg_tx tx;
	yg_detail_init(&d);
	yg_status st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	st = yg_state_prepare(
		act->db,
		YG_SQL("UPDATE snapshot SET state = $2, file = $3, entries = $4, allow_entries = $5, bytes = $6,"
		       " refused = $7, finished = $8 WHERE generation = $1"),
		&s, err);
	if (st == YG_OK) {
		yg_stmt_i64(s, 1, (int64_t)r->generation);
		yg_stmt_text(s, 2, ready ? YG_SV("ready") : YG_SV("failed"));
		yg_stmt_text(s, 3, yg_sv_of(ready ? r->file : ""));
		uint64_t others =
			r->stats.merged + r->stats.allow; /* equal to another, or allow entries */
		yg_stmt_i64(s, 4, (int64_t)(r->stats.added - YG_MIN(others, r->stats.added)));
		yg_stmt_i64(s, 5, (int64_t)r->stats.allow);
		yg_stmt_i64(s, 6, (int64_t)r->stats.bytes);
		yg_stmt_i64(s, 7, (int64_t)r->refused);
		yg_stmt_i64(s, 8, yg_env_wall(act->env).us);
		st = yg_stmt_run(s, err);
	}
	/* a failed one must be tried again */
	if (st == YG_OK && !ready)
		st = yg_registry_touch(act->db, err);
	yg_detail_count(&d, "indicators", (int64_t)r->stats.indicators);
	yg_detail_count(&d, "ready", ready);
	char object[32];
	struct yg_sb b = yg_sb_init(object, sizeof object);
	yg_sb_put(&b, YG_SV("snapshot-"));
	yg_sb_u64(&b, r->generation);
	if (st == YG_OK)
		st = yg_audit_add(act, "snapshot.compile", yg_sb_sv(&b), YG_SV(""), &d, err);
	return yg_tx_end(&tx, st, err);
}

yg_status yg_registry_compile(struct yg_act *act, const char *dir, yg_progress_fn *progress,
			      void *ctx, struct yg_compile_result *out, struct yg_err *err)
{
	/* what may not be compiled was refused or forced when it came in */
	struct yg_intel_build_opts opts = {.env = act->env, .force_suffix = true};
	struct feed f = {.progress = progress, .ctx = ctx};
	if (yg_state_in_transaction(act->db))
		return YG_FAIL(err, YG_INTERNAL, "a snapshot is compiled outside of transactions");
	yg_status st = yg_compiled_begin(YG_COMPILED_INDICATORS, act->db, dir,
					 yg_env_wall(act->env), act->who, &f.r.generation, err);
	if (st != YG_OK)
		return st;
	st = yg_intel_builder_new(&opts, &f.b, err);
	if (st == YG_OK)
		st = yg_registry_each(act->db, yg_env_wall(act->env), feed, &f, err);
	if (st == YG_OK)
		st = yg_compiled_write(YG_COMPILED_INDICATORS, dir, f.r.generation, f.r.file, fill,
				       &f, err);
	yg_intel_builder_free(f.b);
	if (st != YG_OK) {
		(void)end_generation(act, &f.r, false,
				     NULL); /* the first error is the one to tell */
		return st;
	}
	st = end_generation(act, &f.r, true, err);
	yg_compiled_prune(YG_COMPILED_INDICATORS, act->db, dir, f.r.generation);
	if (st == YG_OK)
		*out = f.r;
	return st;
}

yg_status yg_registry_dirty(struct yg_state *db, bool *out, struct yg_err *err)
{
	return yg_compiled_dirty(YG_COMPILED_INDICATORS, db, out, err);
}

yg_status yg_snapshot_list(struct yg_state *db, uint64_t before, uint32_t limit,
			   struct yg_arena *arena, struct yg_snapshot_row **out, size_t *out_n,
			   struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	limit = YG_MIN(limit, (uint32_t)YG_PAGE_MAX + 1);
	struct yg_snapshot_row *list = YG_NEW_N(arena, struct yg_snapshot_row, limit);
	if (list == NULL && limit > 0)
		return YG_FAIL(err, YG_NOMEM, "snapshots");
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT generation, entries, allow_entries, bytes, refused, state, file, actor, created, finished"
		       " FROM snapshot WHERE generation < $1 ORDER BY generation DESC LIMIT $2"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, before > 0 && before < INT64_MAX ? (int64_t)before : INT64_MAX);
	yg_stmt_i64(s, 2, limit);
	size_t n = 0;
	bool row = true;
	while (n < limit && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		struct yg_snapshot_row *r = &list[n++];
		uint64_t *numbers[] = {&r->generation, &r->entries, &r->allow_entries, &r->bytes,
				       &r->refused};
		struct yg_sv *texts[] = {&r->state, &r->file, &r->actor};
		for (size_t i = 0; i < YG_LEN(numbers); i++)
			*numbers[i] = (uint64_t)yg_col_i64(s, (int)i);
		for (size_t i = 0; i < YG_LEN(texts); i++) {
			*texts[i] = yg_arena_dup(arena, yg_col_text(s, (int)i + 5));
			if (texts[i]->p == NULL)
				return YG_FAIL(err, YG_NOMEM, "snapshots");
		}
		r->created.us = yg_col_i64(s, 8);
		r->finished.us = yg_col_i64(s, 9);
	}
	*out = list;
	*out_n = n;
	return st;
}
