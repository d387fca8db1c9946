#include "base/arena.h"

#include <stdlib.h>

#include "base/check.h"

#if defined(__SANITIZE_ADDRESS__)
#define YG_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define YG_ASAN 1
#endif
#endif

struct yg_arena_block {
	struct yg_arena_block *next;
	size_t cap, len;
	alignas(16) unsigned char mem[];
};
enum { YG_ARENA_BLOCK = 16384 };

void yg_arena_init(struct yg_arena *a, size_t limit)
{
	*a = (struct yg_arena){.limit = limit};
}

static struct yg_arena_block *block_new(struct yg_arena *a, size_t n)
{
	size_t cap = n > YG_ARENA_BLOCK ? n : YG_ARENA_BLOCK;
#ifdef YG_ASAN
	cap = n;
#endif
	struct yg_arena_block *b = NULL;
	if (cap > SIZE_MAX - sizeof *b)
		return NULL;
	b = malloc(sizeof *b + cap);
	if (b == NULL)
		return NULL;
	*b = (struct yg_arena_block){.next = a->head, .cap = cap};
	a->head = b;
	return b;
}

void *yg_arena_alloc(struct yg_arena *a, size_t n, size_t align)
{
	YG_REQUIRE(align != 0 && (align & (align - 1)) == 0 && align <= 16);
	if (n > a->limit || a->used > a->limit - n) {
		a->refused = true;
		return NULL;
	}
	struct yg_arena_block *b = a->head;
#ifdef YG_ASAN /* one malloc per object: overflows and late uses become visible */
	b = NULL;
#endif
	size_t at = b != NULL ? (b->len + align - 1) & ~(align - 1) : 0;
	if (b == NULL || at > b->cap || b->cap - at < n) {
		b = block_new(a, n);
		if (b == NULL) {
			a->refused = true;
			return NULL;
		}
		at = 0;
	}
	a->used += n;
	b->len = at + n;
	return b->mem + at;
}

void *yg_arena_zalloc(struct yg_arena *a, size_t count, size_t size, size_t align)
{
	size_t n;
	if (__builtin_mul_overflow(count, size, &n))
		return NULL;
	void *p = yg_arena_alloc(a, n, align);
	return p != NULL ? memset(p, 0, n) : NULL;
}

struct yg_sv yg_arena_dup(struct yg_arena *a, struct yg_sv s)
{
	if (s.n == SIZE_MAX)
		return (struct yg_sv){NULL, 0};
	char *p = yg_arena_alloc(a, s.n + 1, 1);
	if (p == NULL)
		return (struct yg_sv){NULL, 0};
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return (struct yg_sv){p, s.n};
}

struct yg_arena_mark yg_arena_mark(const struct yg_arena *a)
{
	return (struct yg_arena_mark){a->head, a->head != NULL ? a->head->len : 0, a->used};
}

void yg_arena_rewind(struct yg_arena *a, struct yg_arena_mark mark)
{
	while (a->head != mark.head) {
		struct yg_arena_block *b = a->head;
		YG_REQUIRE(b != NULL);
		a->head = b->next;
		free(b);
	}
	if (a->head != NULL)
		a->head->len = mark.len;
	a->used = mark.used;
}

void yg_arena_free(struct yg_arena *a)
{
	for (struct yg_arena_block *b = a->head, *next; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	a->head = NULL;
	a->used = 0;
	a->refused = false;
}

void yg_arena_reset(struct yg_arena *a)
{
#ifdef YG_ASAN
	yg_arena_free(a);
#else
	struct yg_arena_block *keep = a->head;
	a->refused = false;
	if (keep == NULL)
		return;
	a->head = keep->next;
	yg_arena_free(a);
	keep->next = NULL;
	keep->len = 0;
	a->head = keep;
#endif
}
