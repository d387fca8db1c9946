#include "detect/watch_except.h"

#include <stdlib.h>

#include "detect/engine.h"
#include "detect/exception.h"
#include "snapshot/intern.h"

#define READ_MAX ((size_t)64 << 20) /* one text, read */

struct except {
	uint32_t rule, tag;
};
struct yg_watch_excepts {
	struct yg_detect_builder *builder; /* owned; until the end */
	struct yg_detect *engine;          /* owned; NULL: there are none */
	struct yg_detect_eval *eval;       /* owned */
	struct yg_vec list;                /* owned: struct except, by number in the engine */
};

yg_status yg_watch_excepts_new(const struct yg_env *env, struct yg_watch_excepts **out,
			       struct yg_err *err)
{
	struct yg_watch_excepts *x = calloc(1, sizeof *x);
	if (x == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for exceptions");
	yg_status st = yg_detect_builder_new(env, YG_DETECT_MEMORY, &x->builder, err);
	if (st != YG_OK) {
		yg_watch_excepts_free(x);
		return st;
	}
	*out = x;
	return YG_OK;
}

void yg_watch_excepts_free(struct yg_watch_excepts *x)
{
	if (x == NULL)
		return;
	yg_detect_eval_free(x->eval);
	yg_detect_free(x->engine);
	yg_detect_builder_free(x->builder);
	free(x->list.p);
	free(x);
}

yg_status yg_watch_excepts_add(struct yg_watch_excepts *x, const struct yg_watch_exception *e,
			       struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_sigma_rule rule;
	yg_arena_init(&arena, READ_MAX);
	yg_status st = yg_detect_exception_read(e->text, &arena, &rule, err);
	if (st == YG_OK)
		st = yg_detect_builder_add(x->builder, &rule, YG_SV(""), NULL, 0, err);
	if (st != YG_OK)
		return st;
	struct except *to = yg_vec_add(&x->list, sizeof *to);
	if (to == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for exceptions");
	*to = (struct except){e->rule, e->tag};
	return YG_OK;
}

yg_status yg_watch_excepts_end(struct yg_watch_excepts *x, struct yg_err *err)
{
	if (x->list.n == 0)
		return YG_OK;
	yg_status st = yg_detect_builder_build(x->builder, &x->engine, err);
	return st == YG_OK ? yg_detect_eval_new(x->engine, &x->eval, err) : st;
}

struct asking {
	const struct yg_watch_excepts *x;
	uint32_t rule;
	yg_watch_holds_fn *holds;
	void *ctx;
	bool yes;
};

static void on_match(void *ctx, uint32_t number)
{
	struct asking *a = ctx;
	const struct except *e = (const struct except *)a->x->list.p + number;
	a->yes = a->yes || (e->rule == a->rule && a->holds(a->ctx, e->tag));
}

bool yg_watch_excepted(struct yg_watch_excepts *x, uint32_t rule,
		       const struct yg_correlate_hit *hit, yg_watch_holds_fn *holds, void *ctx)
{
	static const struct yg_detect_logsource any;
	struct yg_detect_pair pairs[YG_SIGMA_GROUP_MAX];
	struct asking a = {x, rule, holds, ctx, false};
	if (x->eval == NULL)
		return false;
	struct yg_detect_record record = {.sources = &any, .source_count = 1, .pairs = pairs};
	record.time = hit->time.us;
	for (; record.count < hit->group_count; record.count++)
		pairs[record.count] = (struct yg_detect_pair){.field = hit->names[record.count],
							      .value = hit->values[record.count]};
	yg_detect_run(x->eval, &record, on_match, &a);
	return a.yes;
}
