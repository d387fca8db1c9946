/* build.c - rules into steps over bits. */
#include <stdlib.h>

#include "detect/build_internal.h"

static yg_status nomem(struct yg_err *err)
{
	return YG_FAIL(err, YG_NOMEM, "no memory to compile the rules");
}

/* ---- tables that grow ---- */

void *yg_detect_more(struct yg_detect_builder *b, struct yg_vec *v, size_t elem)
{
	void *p = b->broken || v->n >= UINT32_MAX - 1 || v->n * elem > b->memory
			  ? NULL
			  : yg_vec_add(v, elem);
	if (p == NULL) {
		b->broken = true;
		return NULL;
	}
	return memset(p, 0, elem);
}

static struct yg_detect_text keep_in(struct yg_detect_builder *b, struct yg_vec *v, struct yg_sv s)
{
	if (b->broken || v->n + s.n > b->memory || v->n + s.n > UINT32_MAX / 2) {
		b->broken = true;
		return (struct yg_detect_text){0, 0};
	}
	if (v->n + s.n > v->cap) {
		size_t cap = YG_MAX(v->cap + v->cap / 2, v->n + s.n + 65536);
		char *p = realloc(v->p, cap);
		if (p == NULL) {
			b->broken = true;
			return (struct yg_detect_text){0, 0};
		}
		v->p = p;
		v->cap = cap;
	}
	struct yg_detect_text t = {(uint32_t)v->n, (uint32_t)s.n};
	if (s.n > 0)
		memcpy((char *)v->p + v->n, s.p, s.n);
	v->n += s.n;
	return t;
}

struct yg_detect_text yg_detect_keep(struct yg_detect_builder *b, struct yg_sv s, bool once)
{
	uint64_t hash = once ? yg_detect_hash(&b->key, 0, s) : 0;
	size_t at = SIZE_MAX;
	uint32_t i;
	if (!once)
		return keep_in(b, &b->pool, s);
	if (b->broken || !yg_index_room(&b->text_index)) {
		b->broken = true;
		return (struct yg_detect_text){0, 0};
	}
	while (yg_index_next(&b->text_index, hash, &at, &i)) {
		struct yg_detect_text t = *YG_AT(b, texts, struct yg_detect_text, i);
		if (yg_sv_eq(yg_detect_kept(&b->pool, t), s))
			return t;
	}
	struct yg_detect_text t = keep_in(b, &b->pool, s),
			      *slot = YG_MORE(b, texts, struct yg_detect_text);
	if (slot != NULL) {
		*slot = t;
		yg_index_put(&b->text_index, at, hash, (uint32_t)b->texts.n - 1);
	}
	return t;
}

struct yg_detect_text yg_detect_keep_key(struct yg_detect_builder *b, struct yg_sv s)
{
	return keep_in(b, &b->keys, s);
}

void yg_detect_link(struct yg_detect_builder *b, uint32_t *head, uint32_t value)
{
	struct yg_detect_link *l = YG_MORE(b, links, struct yg_detect_link);
	if (l == NULL)
		return;
	*l = (struct yg_detect_link){value, *head};
	*head = (uint32_t)b->links.n - 1;
}

yg_status yg_detect_builder_new(const struct yg_env *env, size_t memory,
				struct yg_detect_builder **out, struct yg_err *err)
{
	struct yg_detect_builder *b = calloc(1, sizeof *b);
	if (b == NULL)
		return nomem(err);
	b->memory = memory;
	b->env = *env;
	b->owner = YG_DETECT_NOBODY;
	yg_buf_init(&b->text, memory);
	env->random(env->ctx, &b->key, sizeof b->key);
	memcpy(b->info.key, &b->key, sizeof b->info.key);
	*out = b;
	return YG_OK;
}

void yg_detect_builder_owner(struct yg_detect_builder *b, uint32_t owner)
{
	b->owner = owner;
}

void yg_detect_builder_free(struct yg_detect_builder *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->automata.n; i++)
		(void)hs_free_database(*YG_AT(b, automata, hs_database_t *, i));
	struct yg_vec *const all[] = {
		&b->keys,           &b->steps,      &b->groups, &b->weights, &b->owners,
		&b->automata,       &b->regex_keys, &b->texts,  &b->anchors, &b->keyword_fields,
#define X(id, name, type) &b->name,
		YG_DETECT_TABLES(X)
#undef X
	};
	for (size_t i = 0; i < YG_LEN(all); i++)
		free(all[i]->p);
	struct yg_index *const indexes[] = {&b->name_index,    &b->field_index, &b->exact_index,
					    &b->literal_index, &b->group_index, &b->regex_index,
					    &b->text_index};
	for (size_t i = 0; i < YG_LEN(indexes); i++)
		free(indexes[i]->slots);
	free(b->spent.by_owner.p);
	yg_buf_free(&b->text);
	free(b);
}

/* ---- steps ---- */

struct emitter {
	struct yg_detect_builder *b;
	size_t depth;
};

static void emit(struct emitter *e, uint32_t step)
{
	uint32_t *s = YG_MORE(e->b, steps, uint32_t);
	if (s == NULL)
		return;
	*s = step;
	enum yg_detect_op op = YG_STEP_OP(step);
	if (op == YG_OP_BIT || op == YG_OP_LAZY)
		e->depth++;
	else if (op != YG_OP_NOT)
		e->depth--;
	e->b->info.stack = YG_MAX(e->b->info.stack, (uint32_t)e->depth);
}

static void emit_item(struct emitter *e, const struct yg_sigma_item *item)
{
	struct yg_detect_builder *b = e->b;
	const struct yg_sigma_value *v = item->values;
	if (v->test == YG_SIGMA_NULL || v->test == YG_SIGMA_EXISTS) {
		uint32_t field = yg_detect_field_of(b, item->field);
		bool null = v->test == YG_SIGMA_NULL;
		if (field == YG_DETECT_NONE)
			return;
		uint32_t present = YG_AT(b, fields, struct yg_detect_field, field)->present;
		emit(e, YG_STEP(YG_OP_BIT, present + null));
		if (null || !v->yes)
			emit(e, YG_STEP(YG_OP_NOT, 0));
	} else if (item->all) {
		for (size_t i = 0; i < item->value_count; i++) {
			emit(e, yg_detect_group_of(b, item, &v[i], 1));
			if (i > 0)
				emit(e, YG_STEP(YG_OP_AND, 0));
		}
	} else {
		emit(e, yg_detect_group_of(b, item, v, item->value_count));
	}
	if (item->neq)
		emit(e, YG_STEP(YG_OP_NOT, 0));
}

static void emit_search(struct emitter *e, const struct yg_sigma_search *s)
{
	for (size_t m = 0; m < s->count; m++) {
		for (size_t i = 0; i < s->maps[m].count; i++) {
			emit_item(e, &s->maps[m].items[i]);
			if (i > 0)
				emit(e, YG_STEP(YG_OP_AND, 0));
		}
		if (m > 0)
			emit(e, YG_STEP(YG_OP_OR, 0));
	}
}

static void emit_condition(struct emitter *e, const struct yg_sigma_detection *d)
{
	for (size_t i = 0; !e->b->broken && i < d->step_count; i++)
		switch (d->steps[i].kind) {
		case YG_SIGMA_SEARCH: emit_search(e, &d->searches[d->steps[i].search]); break;
		case YG_SIGMA_AND: emit(e, YG_STEP(YG_OP_AND, 0)); break;
		case YG_SIGMA_OR: emit(e, YG_STEP(YG_OP_OR, 0)); break;
		case YG_SIGMA_NOT: emit(e, YG_STEP(YG_OP_NOT, 0)); break;
		}
}

/* ---- rules ---- */

static uint32_t source_of(struct yg_detect_builder *b, const struct yg_sigma_rule *rule)
{
	const struct yg_sv words[] = {rule->category, rule->product, rule->service};
	for (size_t i = 0; i < b->sources.n; i++) {
		const struct yg_detect_source *s = YG_AT(b, sources, struct yg_detect_source, i);
		if (yg_sv_eq(yg_detect_kept(&b->pool, s->category), words[0]) &&
		    yg_sv_eq(yg_detect_kept(&b->pool, s->product), words[1]) &&
		    yg_sv_eq(yg_detect_kept(&b->pool, s->service), words[2]))
			return (uint32_t)i;
	}
	struct yg_detect_source *s = YG_MORE(b, sources, struct yg_detect_source);
	uint32_t *keywords = YG_MORE(b, keyword_fields, uint32_t);
	if (s == NULL || keywords == NULL)
		return 0;
	*keywords = YG_DETECT_NONE;
	s->category = yg_detect_keep(b, words[0], true);
	s->product = yg_detect_keep(b, words[1], true);
	s->service = yg_detect_keep(b, words[2], true);
	return (uint32_t)b->sources.n - 1;
}

bool yg_detect_narrows(const struct yg_sigma_rule *filter, const struct yg_sigma_rule *rule)
{
	if (!yg_sv_eq(filter->category, rule->category) ||
	    !yg_sv_eq(filter->product, rule->product) || !yg_sv_eq(filter->service, rule->service))
		return false;
	bool named = filter->filters_all;
	for (size_t i = 0; !named && i < filter->filtered.count; i++) {
		struct yg_sv who = filter->filtered.texts[i];
		named = (rule->id.n > 0 && yg_sv_eq(who, rule->id)) ||
			(rule->name.n > 0 && yg_sv_eq(who, rule->name));
	}
	return named;
}

/* With a comma between two. */
static struct yg_detect_text join(struct yg_detect_builder *b, const struct yg_sigma_list *list)
{
	b->text.n = 0;
	for (size_t i = 0; i < list->count; i++) {
		if (i > 0)
			yg_buf_putc(&b->text, ',');
		yg_buf_put(&b->text, list->texts[i]);
	}
	b->broken = b->broken || yg_buf_done(&b->text) != YG_OK;
	return yg_detect_keep(b, yg_buf_sv(&b->text), true);
}

static void put_rule(struct yg_detect_builder *b, const struct yg_sigma_rule *rule,
		     struct yg_sv file, uint32_t first)
{
	struct yg_detect_rule *r = YG_MORE(b, rules, struct yg_detect_rule);
	if (r == NULL)
		return;
	*r = (struct yg_detect_rule){.first = first,
				     .count = (uint32_t)b->steps.n - first,
				     .source = b->source,
				     .level = rule->level,
				     .line = (uint32_t)rule->line};
	r->title = yg_detect_keep(b, rule->title, true);
	r->id = yg_detect_keep(b, rule->id, true);
	r->name = yg_detect_keep(b, rule->name, true);
	r->file = yg_detect_keep(b, file, true);
	r->tags = join(b, &rule->tags);
}

yg_status yg_detect_builder_add(struct yg_detect_builder *b, const struct yg_sigma_rule *rule,
				struct yg_sv file, const struct yg_sigma_rule *const *filters,
				size_t filter_count, struct yg_err *err)
{
	struct emitter e = {.b = b};
	if (b->broken)
		return nomem(err);
	if (rule->kind != YG_SIGMA_RULE)
		return YG_FAIL(err, YG_PARSE, "line %zu: not a rule by itself", rule->line);
	if (b->rules.n >= YG_DETECT_RULES_MAX)
		return YG_FAIL(err, YG_LIMIT, "more than %d rules", YG_DETECT_RULES_MAX);
	b->spent.rule = b->spent.rule_count = 0;
	b->spent.rule_began = yg_env_mono(&b->env);
	yg_status st = yg_detect_check(b, &rule->detection, err);
	for (size_t i = 0; st == YG_OK && i < filter_count; i++)
		if (yg_detect_narrows(filters[i], rule))
			st = yg_detect_check(b, &filters[i]->detection, err);
	if (st != YG_OK)
		return st;
	uint32_t first = (uint32_t)b->steps.n;
	b->source = source_of(b, rule);
	emit_condition(&e, &rule->detection);
	for (size_t i = 0; i < filter_count; i++)
		if (yg_detect_narrows(filters[i], rule)) {
			emit_condition(&e, &filters[i]->detection);
			emit(&e, YG_STEP(YG_OP_AND, 0));
		}
	put_rule(b, rule, file, first);
	return b->broken ? nomem(err) : YG_OK;
}

static void put_length(struct yg_detect_builder *b, size_t n)
{
	char text[4];
	uint32_t length = (uint32_t)n;
	memcpy(text, &length, sizeof text);
	(void)keep_in(b, &b->files, (struct yg_sv){text, sizeof text});
}

void yg_detect_builder_file(struct yg_detect_builder *b, struct yg_sv name, struct yg_sv text)
{
	put_length(b, name.n);
	(void)keep_in(b, &b->files, name);
	put_length(b, text.n);
	(void)keep_in(b, &b->files, text);
}

/* The tables change hands. */
static void hand_over(struct yg_detect_builder *b, struct yg_detect *d)
{
	d->own = true;
#define X(id, name, type)                                                                          \
	d->name = b->name.p;                                                                       \
	d->name##_count = b->name.n;                                                               \
	b->name = (struct yg_vec){NULL, 0, 0};
	YG_DETECT_TABLES(X)
#undef X
	d->automata = b->automata.p;
	b->automata = (struct yg_vec){NULL, 0, 0};
}

yg_status yg_detect_builder_build(struct yg_detect_builder *b, struct yg_detect **out,
				  struct yg_err *err)
{
	if (b->broken)
		return nomem(err);
	yg_status st = yg_detect_finish(b, err);
	struct yg_detect *d = st == YG_OK ? calloc(1, sizeof *d) : NULL;
	b->broken = true; /* used up */
	if (st != YG_OK || d == NULL)
		return st != YG_OK ? st : nomem(err);
	hand_over(b, d);
	st = yg_detect_ready(d, err);
	if (st != YG_OK) {
		yg_detect_free(d);
		return st;
	}
	*out = d;
	return YG_OK;
}
