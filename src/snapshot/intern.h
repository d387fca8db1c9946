/* intern.h - what compilers keep their entries in: a growing array, and an index
 * from hashes to its elements.  Plain memory, for building only; nothing of it is
 * in the file. */
#pragma once
#include "base/base.h"

/* A growing array of plain elements. */
struct yg_vec {
	void *p; /* owned: free() */
	size_t n, cap;
};
/* A new element at the end, its bytes undefined; NULL: no memory. */
void *yg_vec_add(struct yg_vec *v, size_t elem);

/* Open addressing: which element has this hash?  A slot is 32 bits of the hash
 * and the element's number + 1, so that neither a miss nor growing looks at the
 * elements themselves; 0 is empty. */
struct yg_index {
	uint64_t *slots; /* owned: free() */
	size_t cap, n;   /* cap: power of two */
};
/* Room for one more; false when memory is out. */
bool yg_index_room(struct yg_index *ix);

/* Walks the elements that may have this hash: start with *at = SIZE_MAX.  False
 * at a free slot, which is then *at.  The index has room. */
static inline bool yg_index_next(const struct yg_index *ix, uint64_t hash, size_t *at,
				 uint32_t *out)
{
	size_t mask = ix->cap - 1;
	*at = *at == SIZE_MAX ? (hash & UINT32_MAX) & mask : (*at + 1) & mask;
	for (; ix->slots[*at] != 0; *at = (*at + 1) & mask) {
		if (ix->slots[*at] >> 32 == (hash & UINT32_MAX)) {
			*out = (uint32_t)ix->slots[*at] - 1;
			return true;
		}
	}
	return false;
}
static inline void yg_index_put(struct yg_index *ix, size_t at, uint64_t hash, uint32_t element)
{
	ix->slots[at] = hash << 32 | ((uint64_t)element + 1);
	ix->n++;
}
static inline void yg_index_prefetch(const struct yg_index *ix, uint64_t hash)
{
	if (ix->cap > 0)
		__builtin_prefetch(&ix->slots[(hash & UINT32_MAX) & (ix->cap - 1)], 1);
}
