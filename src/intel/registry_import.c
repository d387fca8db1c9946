#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "intel/registry.h"
#include "intel/registry_internal.h"
#include "org/audit_log.h"

/* Entries in random order would touch every page of the value index with every
 * transaction.  So they are collected into runs, each run is sorted, and a chunk
 * of a run touches one stretch of the index. */
#define RUN_ENTRIES   262144      /* 1.6 million are seven passes over the index */
#define RUN_BYTES     (96u << 20) /* of values and texts; longer values end a run earlier */
#define CHUNK_ENTRIES 16384       /* one transaction: about a fifth of a second */

struct yg_import {
	struct yg_act *act; /* borrowed */
	struct yg_list list;
	struct yg_suffixes *suffixes; /* NULL: forced */
	struct yg_arena names;        /* of `list` */
	struct yg_arena texts;        /* of the run */
	struct yg_stored *run;        /* owned */
	size_t run_n;
	uint64_t written;
	int64_t entries_before;
	struct yg_import_stats stats;
	yg_progress_fn *progress;
	void *progress_ctx;
	yg_import_refused_fn *refused;
	void *refused_ctx;
};

static void end(struct yg_import *im)
{
	yg_suffixes_free(im->suffixes);
	yg_arena_free(&im->names);
	yg_arena_free(&im->texts);
	free(im->run);
	free(im);
}

static yg_status count_entries(struct yg_import *im, int64_t *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		im->act->db, YG_SQL("SELECT count(*) FROM indicator WHERE list = $1"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, im->list.seq);
	st = yg_stmt_step(s, &row, err);
	*out = st == YG_OK && row ? yg_col_i64(s, 0) : 0;
	return st;
}

yg_status yg_import_begin(struct yg_act *act, struct yg_sv list, bool force, struct yg_import **out,
			  struct yg_err *err)
{
	if (yg_state_in_transaction(act->db))
		return YG_FAIL(err, YG_INTERNAL, "an import runs in transactions of its own");
	struct yg_import *im = calloc(1, sizeof *im);
	if (im == NULL)
		return YG_FAIL(err, YG_NOMEM, "import");
	im->act = act;
	yg_arena_init(&im->names, 65536);
	yg_arena_init(&im->texts, RUN_BYTES);
	im->run = malloc(RUN_ENTRIES * sizeof im->run[0]);
	yg_status st = im->run != NULL ? YG_OK : YG_FAIL(err, YG_NOMEM, "import");
	if (st == YG_OK && !force)
		st = yg_suffixes_new(&im->suffixes, err);
	if (st == YG_OK)
		st = yg_list_get(act->db, list, &im->names, &im->list, err);
	if (st == YG_OK)
		st = count_entries(im, &im->entries_before, err);
	if (st == YG_OK)
		*out = im;
	else
		end(im);
	return st;
}

void yg_import_progress(struct yg_import *im, yg_progress_fn *progress, void *ctx)
{
	im->progress = progress;
	im->progress_ctx = ctx;
}

void yg_import_on_refused(struct yg_import *im, yg_import_refused_fn *fn, void *ctx)
{
	im->refused = fn;
	im->refused_ctx = ctx;
}

const struct yg_import_stats *yg_import_so_far(const struct yg_import *im)
{
	return &im->stats;
}

static int by_value(const void *a, const void *b)
{
	const struct yg_stored *x = a, *y = b;
	int c = yg_sv_cmp(x->value, y->value);
	return c != 0 ? c : (x->type > y->type) - (x->type < y->type);
}

static yg_status write_chunk(struct yg_import *im, const struct yg_stored *e, size_t n,
			     struct yg_err *err)
{
	struct yg_tx tx;
	uint64_t changed = 0;
	int64_t now = yg_env_wall(im->act->env).us;
	yg_status st = yg_tx_begin(&tx, im->act->db, err);
	if (st != YG_OK)
		return st;
	for (size_t i = 0; st == YG_OK && i < n; i++) {
		st = yg_registry_put(im->act->db, im->list.seq, &e[i], now, err);
		changed += st == YG_OK ? yg_state_changes(im->act->db) : 0;
	}
	if (st == YG_OK && changed > 0)
		st = yg_registry_touch(im->act->db, err);
	st = yg_tx_end(&tx, st, err);
	if (st != YG_OK)
		return st;
	im->written += n;
	im->stats.updated += changed; /* added and updated are told apart at the end */
	im->stats.unchanged += n - changed;
	if (im->progress != NULL && !im->progress(im->progress_ctx, im->written, 0))
		return YG_FAIL(err, YG_AGAIN, "stopped while importing");
	return YG_OK;
}

static yg_status write_run(struct yg_import *im, struct yg_err *err)
{
	yg_status st = YG_OK;
	qsort(im->run, im->run_n, sizeof im->run[0], by_value);
	for (size_t i = 0; st == YG_OK && i < im->run_n; i += CHUNK_ENTRIES)
		st = write_chunk(im, im->run + i, YG_MIN(im->run_n - i, (size_t)CHUNK_ENTRIES),
				 err);
	im->run_n = 0;
	yg_arena_reset(&im->texts);
	return st;
}

/* Texts of a run repeat a lot: the last category and family are often the next. */
static struct yg_sv keep_text(struct yg_import *im, struct yg_sv s, struct yg_sv last)
{
	return im->run_n > 0 && yg_sv_eq(s, last) ? last : yg_arena_dup(&im->texts, s);
}

static bool keep(struct yg_import *im, const struct yg_stored *e)
{
	struct yg_stored *to = &im->run[im->run_n];
	struct yg_stored last = im->run_n > 0 ? to[-1] : (struct yg_stored){0};
	*to = *e;
	to->value = yg_arena_dup(&im->texts, e->value);
	to->category = keep_text(im, e->category, last.category);
	to->family = keep_text(im, e->family, last.family);
	return to->value.p != NULL && to->category.p != NULL && to->family.p != NULL;
}

static void note_first(char *to, size_t n, uint64_t count, const struct yg_indicator *ind,
		       const struct yg_err *why)
{
	if (count != 1)
		return;
	struct yg_sb b = yg_sb_init(to, n - 1);
	yg_sb_putc(&b, '\'');
	yg_sb_put_untrusted(&b, yg_sv_sub(ind->value, 0, 20));
	yg_sb_put(&b, YG_SV("': "));
	yg_sb_put(&b, yg_sv_sub(yg_sv_of(why->msg), 0, 100));
	(void)yg_sb_cstr(&b);
}

yg_status yg_import_add(struct yg_import *im, const struct yg_indicator *ind, struct yg_err *err)
{
	char buf[YG_KEY_MAX];
	struct yg_sb value = yg_sb_init(buf, sizeof buf);
	struct yg_stored e;
	struct yg_err why = {0};
	im->stats.read++;
	yg_status st = yg_registry_stored(ind, im->suffixes, &value, &e, &why);
	bool not_taken = st == YG_DENIED || st == YG_PARSE || st == YG_TOOBIG || st == YG_LIMIT;
	if (not_taken && im->refused != NULL)
		im->refused(im->refused_ctx, ind, why.msg);
	if (st == YG_DENIED) {
		note_first(im->stats.first_refused, sizeof im->stats.first_refused,
			   ++im->stats.refused, ind, &why);
		return YG_OK;
	}
	if (not_taken) {
		note_first(im->stats.first_bad, sizeof im->stats.first_bad, ++im->stats.bad, ind,
			   &why);
		return YG_OK;
	}
	if (st != YG_OK) {
		if (err != NULL)
			*err = why;
		return st;
	}
	if (!keep(im, &e)) { /* the run is full of long values */
		st = write_run(im, err);
		if (st == YG_OK && !keep(im, &e))
			st = YG_FAIL(err, YG_NOMEM, "import");
		if (st != YG_OK)
			return st;
	}
	im->run_n++;
	return im->run_n == RUN_ENTRIES ? write_run(im, err) : YG_OK;
}

/* The list's count and the audit entry; what came in is in already. */
static yg_status conclude(struct yg_import *im, bool whole, struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_stmt *s = NULL;
	struct yg_tx tx;
	int64_t entries = 0;
	struct yg_import_stats *t = &im->stats;
	yg_detail_init(&d);
	yg_status st = count_entries(im, &entries, err);
	uint64_t added =
		entries > im->entries_before ? (uint64_t)(entries - im->entries_before) : 0;
	t->added = YG_MIN(added, t->updated);
	t->updated -= t->added;
	if (st == YG_OK)
		st = yg_tx_begin(&tx, im->act->db, err);
	if (st != YG_OK)
		return st;
	st = yg_state_prepare(
		im->act->db,
		YG_SQL("UPDATE indicator_list SET entries = $2, updated = $3, version = version + 1 WHERE id = $1"),
		&s, err);
	if (st == YG_OK) {
		yg_stmt_i64(s, 1, im->list.seq);
		yg_stmt_i64(s, 2, entries);
		yg_stmt_i64(s, 3, yg_env_wall(im->act->env).us);
		st = yg_stmt_run(s, err);
	}
	const struct {
		const char *name;
		uint64_t n;
	} counts[] = {{"read", t->read},           {"added", t->added}, {"updated", t->updated},
		      {"unchanged", t->unchanged}, {"bad", t->bad},     {"refused", t->refused}};
	yg_detail_note(&d, "list", im->list.name);
	for (size_t i = 0; i < YG_LEN(counts); i++)
		yg_detail_count(&d, counts[i].name, (int64_t)counts[i].n);
	yg_detail_count(&d, "whole", whole);
	yg_detail_count(&d, "forced", im->suffixes == NULL);
	if (st == YG_OK)
		st = yg_audit_add(im->act, "list.import", im->list.uid, im->list.org, &d, err);
	return yg_tx_end(&tx, st, err);
}

yg_status yg_import_end(struct yg_import *im, struct yg_import_stats *out, struct yg_err *err)
{
	yg_status st = write_run(im, err);
	if (st == YG_OK)
		st = conclude(im, true, err);
	else
		(void)conclude(im, false, NULL); /* the first error is the one to tell */
	if (st == YG_OK)
		*out = im->stats;
	end(im);
	return st;
}

void yg_import_abort(struct yg_import *im)
{
	if (im == NULL)
		return;
	if (im->written > 0)
		(void)conclude(im, false, NULL); /* nothing is left to tell it to */
	end(im);
}
