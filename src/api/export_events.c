/* Events are exported from the store in one pass.  The filter is read by the list's own
 * code, and the rights are made of the same reach, anew for every chunk. */
#include "api/export_internal.h"
#include "event/scan.h"

#define QUESTION_ARENA (16u << 20)
#define ROW_BYTES      (64u << 20) /* one event as JSON, without its record */

struct events {
	struct yg_export_work *w;
	struct yg_arena whole, chunk; /* of the export; of the question for one chunk */
	struct yg_search search;
	struct yg_scan scan;
	struct yg_buf row;
};

/* What may be seen now. */
static yg_status look(struct events *x, struct yg_request *q, struct yg_search_scope *scope,
		      struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_reach reach;
	yg_status st = yg_lease_state(x->w->api, &l, err);
	if (st == YG_OK)
		st = yg_scope_reach(q, l.db, &reach, err);
	return st == YG_OK ? yg_scope_events(q, l.db, &reach, scope, err) : st;
}

static yg_status begin(struct events *x, struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_search_scope scope = {0};
	struct yg_request *q = NULL;
	yg_status st = yg_export_request(x->w, &x->whole, &q, err);
	if (st == YG_OK)
		st = yg_events_read_search(x->w->api, q, &x->search, &scope, err);
	if (st == YG_OK)
		st = look(x, q, &scope, err);
	if (st == YG_OK)
		st = yg_lease_store(x->w->api, &l, err);
	scope.limit = 0;
	if (st == YG_OK)
		st = yg_store_status(
			yg_scan_begin(l.ch, &x->search, &scope, &x->whole, &x->scan, err), err);
	x->w->total = x->scan.counted ? x->scan.total : 0;
	return st;
}

static yg_status on_event(void *ctx, const struct yg_event *ev, struct yg_err *err)
{
	struct events *x = ctx;
	struct yg_export_work *w = x->w;
	struct yg_jo j = yg_jo_init(&x->row);
	yg_status st = YG_OK;
	x->row.n = 0;
	yg_arena_reset(&w->arena);
	yg_put_event(&j, ev, false);
	if (x->row.bad)
		return YG_FAIL(err, YG_NOMEM, "an event is too large");
	if (w->e->format != YG_SHEET_JSONL)
		st = yg_json_parse(&w->json, yg_buf_sv(&x->row), err);
	return st == YG_OK ? yg_export_row(w, 0, yg_buf_sv(&x->row), err) : st;
}

static yg_status chunk(struct events *x, struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_search_scope scope = {0};
	struct yg_request *q = NULL;
	yg_arena_reset(&x->chunk);
	yg_status st = yg_export_request(x->w, &x->chunk, &q, err);
	if (st == YG_OK)
		st = look(x, q, &scope, err);
	if (st == YG_OK)
		st = yg_lease_store(x->w->api, &l, err);
	return st == YG_OK ? yg_store_status(yg_scan_next(l.ch, &x->search, &scope, &x->scan,
							  on_event, x, err),
					     err)
			   : st;
}

yg_status yg_export_events(struct yg_export_work *w, struct yg_err *err)
{
	struct events x = {.w = w};
	yg_arena_init(&x.whole, QUESTION_ARENA);
	yg_arena_init(&x.chunk, QUESTION_ARENA);
	yg_buf_init(&x.row, ROW_BYTES);
	yg_status st = begin(&x, err);
	while (st == YG_OK && !x.scan.done) {
		st = chunk(&x, err);
		if (st == YG_OK)
			st = yg_export_tell(w, err);
	}
	yg_buf_free(&x.row);
	yg_arena_free(&x.chunk);
	yg_arena_free(&x.whole);
	return st;
}
