/* breath.h - whoever takes long says so now and then; what comes of it is up to the thread it
 * runs in (os/thread.h): nothing, or it offers its core to those who answer somebody. */
#pragma once
#include <stdlib.h>

#define YG_BREATH        512u /* between two breaths, about 0.1 ms of a core */
#define YG_BREATH_STEP   1u   /* a record or key that is looked at */
#define YG_BREATH_RECORD 4u   /* one that is read, taken or written */

struct yg_breath {
	unsigned work;
	void (*take)(void); /* NULL: nothing */
	/* The pages of large memory that is to be freed, a little at a time; NULL: nothing. */
	void (*give_back)(void *p, size_t n);
};
extern _Thread_local struct yg_breath yg_breath_of_thread;

/* work: about how much was done since the last call, in quarters of a microsecond. */
static inline void yg_breathe(unsigned work)
{
	struct yg_breath *b = &yg_breath_of_thread;
	b->work += work;
	if (b->work < YG_BREATH)
		return;
	b->work = 0;
	if (b->take != NULL)
		b->take();
}

/* free() of n bytes.  NULL is fine. */
static inline void yg_breathe_free(void *p, size_t n)
{
	if (p != NULL && yg_breath_of_thread.give_back != NULL)
		yg_breath_of_thread.give_back(p, n);
	free(p);
}
