#include "snapshot/intern.h"

#include <stdlib.h>

#include "base/breath.h"

void *yg_vec_add(struct yg_vec *v, size_t elem)
{
	if (v->n == v->cap) {
		size_t cap = v->cap < 256 ? 256 : v->cap + v->cap / 2;
		void *p = reallocarray(v->p, cap, elem);
		if (p == NULL)
			return NULL;
		v->p = p;
		v->cap = cap;
	}
	return (char *)v->p + v->n++ * elem;
}

bool yg_index_room(struct yg_index *ix)
{
	if (ix->n * 3 < ix->cap * 2)
		return true;
	size_t cap = ix->cap < 64 ? 64 : ix->cap * 2;
	uint64_t *slots = calloc(cap, sizeof *slots);
	if (slots == NULL)
		return false;
	for (size_t i = 0; i < ix->cap; i++) {
		if (i % 64 == 0)
			yg_breathe(64);
		if (ix->slots[i] == 0)
			continue;
		size_t at = (ix->slots[i] >> 32) & (cap - 1);
		while (slots[at] != 0)
			at = (at + 1) & (cap - 1);
		slots[at] = ix->slots[i];
	}
	free(ix->slots);
	ix->slots = slots;
	ix->cap = cap;
	return true;
}
