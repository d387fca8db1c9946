/* arena.h - memory for one unit of work (a query, a batch, an HTTP request).
 *
 * Nothing in an arena is freed one by one.  `limit` is hard: a hostile request
 * runs out of its own arena, not out of the machine.  Under AddressSanitizer
 * every object is a malloc of its own, so overflows and late uses show.
 * One thread at a time per arena.
 */
#pragma once
#include "base/sv.h"

struct yg_arena_block;
struct yg_arena {
	struct yg_arena_block *head;
	size_t used;  /* bytes handed out */
	size_t limit; /* most bytes that may be handed out */
	bool refused; /* an allocation was; the owner may clear it, reset does */
};

void yg_arena_init(struct yg_arena *a, size_t limit);
/* NULL when the limit or the machine is out; align is a power of two <= 16. */
void *yg_arena_alloc(struct yg_arena *a, size_t n, size_t align) YG_MUST_USE;
void *yg_arena_zalloc(struct yg_arena *a, size_t count, size_t size, size_t align) YG_MUST_USE;
void yg_arena_reset(struct yg_arena *a); /* all objects end; keeps one block for reuse */
void yg_arena_free(struct yg_arena *a);  /* all objects end; usable again */
/* What is allocated behind a mark ends with its rewind; marks are rewound last to first, and
 * not across a reset. */
struct yg_arena_mark {
	struct yg_arena_block *head;
	size_t len, used;
};
struct yg_arena_mark yg_arena_mark(const struct yg_arena *a);
void yg_arena_rewind(struct yg_arena *a, struct yg_arena_mark mark);
#define YG_NEW(a, T)      ((T *)yg_arena_zalloc((a), 1, sizeof(T), alignof(T)))
#define YG_NEW_N(a, T, n) ((T *)yg_arena_zalloc((a), (n), sizeof(T), alignof(T)))
/* A copy in the arena, with a NUL behind it that n does not count; p is NULL
 * when the arena is out. */
struct yg_sv yg_arena_dup(struct yg_arena *a, struct yg_sv s) YG_MUST_USE;
