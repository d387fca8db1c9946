/* build.c - rules into programs over bits. */
#include <stdlib.h>

#include "detect/build_internal.h"

static yg_status nomem(struct yg_err *err)
{
	return YG_FAIL(err, YG_NOMEM, "no memory to compile a rule");
}

static bool new_slots(struct yg_arena *arena, uint32_t **out, size_t n)
{
	*out = YG_NEW_N(arena, uint32_t, n);
	if (*out != NULL)
		memset(*out, 0xff, n * sizeof **out);
	return *out != NULL;
}

yg_status yg_detect_builder_new(const struct yg_env *env, size_t memory,
				struct yg_detect_builder **out, struct yg_err *err)
{
	struct yg_detect_builder *b = calloc(1, sizeof *b);
	struct yg_detect *d = calloc(1, sizeof *d);
	if (b == NULL || d == NULL) {
		free(b);
		free(d);
		return nomem(err);
	}
	b->d = d;
	yg_arena_init(&d->arena, memory);
	yg_arena_init(&b->scratch, memory);
	yg_buf_init(&b->text, memory);
	env->random(env->ctx, &d->key, sizeof d->key);
	d->field_mask = YG_DETECT_FIELD_SLOTS - 1;
	if (!new_slots(&d->arena, &d->field_slots, YG_DETECT_FIELD_SLOTS) ||
	    !new_slots(&b->scratch, &b->group_slots, YG_DETECT_GROUP_SLOTS) ||
	    yg_detect_field_of(b, YG_SV("")) != 0) {
		yg_detect_builder_free(b);
		return nomem(err);
	}
	*out = b;
	return YG_OK;
}

void yg_detect_builder_free(struct yg_detect_builder *b)
{
	if (b == NULL)
		return;
	yg_detect_free(b->d);
	yg_arena_free(&b->scratch);
	yg_buf_free(&b->text);
	free(b);
}

/* ---- programs ---- */

struct emitter {
	struct yg_detect_builder *b;
	size_t depth;
};

static void emit(struct emitter *e, enum yg_detect_op op, uint32_t bit)
{
	struct yg_detect_builder *b = e->b;
	struct yg_detect *d = b->d;
	if (b->broken || bit == YG_DETECT_NONE ||
	    !YG_DETECT_ROOM(b, &d->arena, d->steps, b->step_cap, b->step_count)) {
		b->broken = true;
		return;
	}
	d->steps[b->step_count++] =
		(struct yg_detect_step){.op = (unsigned)op & 7, .bit = bit & 0x1fffffff};
	if (op == YG_OP_BIT)
		e->depth++;
	else if (op != YG_OP_NOT)
		e->depth--;
	d->stack_max = YG_MAX(d->stack_max, e->depth);
}

static void emit_item(struct emitter *e, const struct yg_sigma_item *item)
{
	const struct yg_sigma_value *v = item->values;
	if (v->test == YG_SIGMA_NULL || v->test == YG_SIGMA_EXISTS) {
		uint32_t field = yg_detect_field_of(e->b, item->field);
		bool null = v->test == YG_SIGMA_NULL;
		if (field == YG_DETECT_NONE)
			return;
		emit(e, YG_OP_BIT, e->b->d->fields[field].present + null);
		if (null || !v->yes)
			emit(e, YG_OP_NOT, 0);
	} else if (item->all) {
		for (size_t i = 0; i < item->value_count; i++) {
			emit(e, YG_OP_BIT, yg_detect_group_of(e->b, item, &v[i], 1));
			if (i > 0)
				emit(e, YG_OP_AND, 0);
		}
	} else {
		emit(e, YG_OP_BIT, yg_detect_group_of(e->b, item, v, item->value_count));
	}
	if (item->neq)
		emit(e, YG_OP_NOT, 0);
}

static void emit_search(struct emitter *e, const struct yg_sigma_search *s)
{
	for (size_t m = 0; m < s->count; m++) {
		for (size_t i = 0; i < s->maps[m].count; i++) {
			emit_item(e, &s->maps[m].items[i]);
			if (i > 0)
				emit(e, YG_OP_AND, 0);
		}
		if (m > 0)
			emit(e, YG_OP_OR, 0);
	}
}

static void emit_condition(struct emitter *e, const struct yg_sigma_detection *d)
{
	for (size_t i = 0; !e->b->broken && i < d->step_count; i++)
		switch (d->steps[i].kind) {
		case YG_SIGMA_SEARCH: emit_search(e, &d->searches[d->steps[i].search]); break;
		case YG_SIGMA_AND: emit(e, YG_OP_AND, 0); break;
		case YG_SIGMA_OR: emit(e, YG_OP_OR, 0); break;
		case YG_SIGMA_NOT: emit(e, YG_OP_NOT, 0); break;
		}
}

static uint32_t source_of(struct yg_detect_builder *b, const struct yg_sigma_rule *rule)
{
	struct yg_detect *d = b->d;
	for (size_t i = 0; i < d->source_count; i++)
		if (yg_sv_eq(d->sources[i].category, rule->category) &&
		    yg_sv_eq(d->sources[i].product, rule->product) &&
		    yg_sv_eq(d->sources[i].service, rule->service))
			return (uint32_t)i;
	if (!YG_DETECT_ROOM(b, &d->arena, d->sources, b->source_cap, d->source_count))
		return 0;
	struct yg_detect_source *s = &d->sources[d->source_count];
	s->category = yg_arena_dup(&d->arena, rule->category);
	s->product = yg_arena_dup(&d->arena, rule->product);
	s->service = yg_arena_dup(&d->arena, rule->service);
	b->broken =
		b->broken || s->category.p == NULL || s->product.p == NULL || s->service.p == NULL;
	return (uint32_t)d->source_count++;
}

yg_status yg_detect_builder_add(struct yg_detect_builder *b, const struct yg_sigma_rule *rule,
				struct yg_err *err)
{
	struct yg_detect *d = b->d;
	struct emitter e = {.b = b};
	if (b->broken)
		return nomem(err);
	if (d->rule_count == YG_DETECT_RULES_MAX)
		return YG_FAIL(err, YG_LIMIT, "more than %d rules", YG_DETECT_RULES_MAX);
	yg_status st = yg_detect_check(b, rule, err);
	if (st != YG_OK)
		return st;
	size_t first = b->step_count;
	if (!YG_DETECT_ROOM(b, &d->arena, d->programs, b->program_cap, d->rule_count))
		return nomem(err);
	uint32_t source = source_of(b, rule);
	emit_condition(&e, &rule->detection);
	if (b->broken || b->step_count > UINT32_MAX)
		return nomem(err);
	d->programs[d->rule_count++] = (struct yg_detect_program){
		(uint32_t)first, (uint32_t)(b->step_count - first), source};
	return YG_OK;
}

yg_status yg_detect_builder_build(struct yg_detect_builder *b, struct yg_detect **out,
				  struct yg_err *err)
{
	if (b->broken)
		return nomem(err);
	b->broken = true; /* used up */
	yg_status st = yg_detect_finish(b, err);
	if (st != YG_OK)
		return st;
	*out = b->d;
	b->d = NULL;
	return YG_OK;
}

void yg_detect_free(struct yg_detect *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < d->field_count; i++)
		(void)hs_free_database(d->fields[i].automaton);
	yg_arena_free(&d->arena);
	free(d);
}

size_t yg_detect_rule_count(const struct yg_detect *d)
{
	return d->rule_count;
}
