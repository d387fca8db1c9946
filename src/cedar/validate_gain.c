/* validate_gain.c - what tests have shown to be there.  Each such fact has a number for the
 * kind of request at hand; lists of numbers say what an expression shows when it is true,
 * and a count per fact whether it is known where one is. */
#include "cedar/validate_internal.h"
#include "snapshot/hashset.h"

static struct yg_cy_fact *fact_at(const struct yg_cy *c, uint32_t i)
{
	return (struct yg_cy_fact *)c->facts.p + i;
}

void yg_cy_forget(struct yg_cy *c)
{
	c->facts.n = 0;
	c->stamp = 0;
	if (c->fact_index.n > 0)
		memset(c->fact_index.slots, 0, c->fact_index.cap * sizeof *c->fact_index.slots);
	c->fact_index.n = 0;
}

static bool same(struct yg_cy *c, const struct yg_cy_fact *a, const struct yg_cy_fact *b)
{
	bool same = a->n == b->n && yg_cedar_code_same(c->code, a->of, b->of);
	for (uint32_t i = 0; same && i < a->n; i++)
		same = yg_sv_eq(a->path[i], b->path[i]);
	return same && (a->n > 0 || yg_cedar_code_same(c->code, a->tag, b->tag));
}

/* Its number, which is a new one when nobody has named it; UINT32_MAX: c->bad. */
static uint32_t number_of(struct yg_cy *c, struct yg_cy_fact f)
{
	static const struct yg_hash_key key = {{1, 2}}; /* steps bound what colliding ones cost */
	uint64_t hash = yg_cedar_code_hash(c->code, f.of) + yg_cedar_code_hash(c->code, f.tag);
	uint64_t work = f.n + (uint64_t)(f.of.end - f.of.first) + (f.tag.end - f.tag.first);
	for (uint32_t i = 0; i < f.n; i++)
		hash = yg_hash_more(&key, hash, f.path[i].p, f.path[i].n);
	size_t at = SIZE_MAX;
	uint32_t i;
	yg_cy_work(c, work);
	if (!yg_index_room(&c->fact_index)) {
		yg_cy_nomem(c);
		return UINT32_MAX;
	}
	while (c->bad == YG_OK && yg_index_next(&c->fact_index, hash, &at, &i)) {
		yg_cy_work(c, work);
		if (same(c, fact_at(c, i), &f))
			return i;
	}
	struct yg_cy_fact *to = c->bad == YG_OK ? yg_vec_add(&c->facts, sizeof *to) : NULL;
	if (to == NULL) {
		yg_cy_nomem(c);
		return UINT32_MAX;
	}
	*to = f;
	i = (uint32_t)(c->facts.n - 1);
	yg_index_put(&c->fact_index, at, hash, i);
	return i;
}

bool yg_cy_path(struct yg_cy *c, struct yg_cedar_range of, const uint32_t *names, uint32_t n,
		struct yg_cy_path *out)
{
	uint32_t before = 0;
	while (yg_cedar_op(c->code, of.end - 1 - before)->op == YG_CO_ATTR)
		before++;
	struct yg_sv *path = yg_cy_alloc(c, ((size_t)before + n) * sizeof *path);
	if (path == NULL)
		return false;
	of.end -= before;
	for (uint32_t i = 0; i < before; i++)
		path[i] = yg_cedar_code_str(c->code, yg_cedar_op(c->code, of.end + i)->a);
	for (uint32_t i = 0; i < n; i++)
		path[before + i] = yg_cedar_code_str(c->code, names[i]);
	yg_cy_work(c, (uint64_t)before + n);
	*out = (struct yg_cy_path){of, path, before};
	return true;
}

uint32_t yg_cy_fact_path(struct yg_cy *c, const struct yg_cy_path *path, uint32_t n)
{
	return number_of(
		c, (struct yg_cy_fact){.of = path->of, .path = path->texts, .n = path->before + n});
}

uint32_t yg_cy_fact_tag(struct yg_cy *c, struct yg_cedar_range of, struct yg_cedar_range tag)
{
	return number_of(c, (struct yg_cy_fact){.of = of, .tag = tag});
}

bool yg_cy_knows(const struct yg_cy *c, uint32_t fact)
{
	return fact != UINT32_MAX && fact_at(c, fact)->known > 0;
}

void yg_cy_learn(struct yg_cy *c, const struct yg_cy_gain *list)
{
	for (; list != NULL; list = list->next) {
		fact_at(c, list->fact)->known++;
		yg_cy_work(c, 1);
	}
}

void yg_cy_unlearn(struct yg_cy *c, const struct yg_cy_gain *list)
{
	for (; list != NULL; list = list->next)
		fact_at(c, list->fact)->known--;
}

const struct yg_cy_gain *yg_cy_gain(struct yg_cy *c, uint32_t fact, const struct yg_cy_gain *next)
{
	struct yg_cy_gain *to = fact != UINT32_MAX ? yg_cy_alloc(c, sizeof *to) : NULL;
	if (to == NULL)
		return next;
	*to = (struct yg_cy_gain){next, 1 + (next != NULL ? next->count : 0), fact};
	return to;
}

/* Marks what is in the list; what is not has another mark. */
static void mark(struct yg_cy *c, const struct yg_cy_gain *list)
{
	c->stamp++;
	for (; list != NULL; list = list->next) {
		fact_at(c, list->fact)->mark = c->stamp;
		yg_cy_work(c, 1);
	}
}

const struct yg_cy_gain *yg_cy_either(struct yg_cy *c, const struct yg_cy_gain *a,
				      const struct yg_cy_gain *b)
{
	if (a != NULL && (b == NULL || a->count > b->count)) { /* the longer one is shared */
		const struct yg_cy_gain *longer = a;
		a = b;
		b = longer;
	}
	if (a == NULL)
		return b;
	mark(c, b);
	for (; a != NULL && c->bad == YG_OK; a = a->next)
		if (fact_at(c, a->fact)->mark != c->stamp)
			b = yg_cy_gain(c, a->fact, b);
	return b;
}

const struct yg_cy_gain *yg_cy_both(struct yg_cy *c, const struct yg_cy_gain *a,
				    const struct yg_cy_gain *b)
{
	const struct yg_cy_gain *kept = NULL;
	mark(c, b);
	for (; a != NULL && c->bad == YG_OK; a = a->next) {
		yg_cy_work(c, 1);
		if (fact_at(c, a->fact)->mark == c->stamp)
			kept = yg_cy_gain(c, a->fact, kept);
	}
	return kept;
}
