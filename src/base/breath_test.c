#include "base/breath.h"

#include <pthread.h>

#include "tap.h"

static unsigned taken;
static void take(void)
{
	taken++;
}

static void *elsewhere(void *arg)
{
	unsigned *n = arg;
	yg_breathe(YG_BREATH);
	*n = taken;
	yg_breath_of_thread.take = take;
	yg_breathe(YG_BREATH);
	return NULL;
}

int main(void)
{
	pthread_t t;
	unsigned n = 0;
	yg_breathe(2 * YG_BREATH);
	T_NAMED(taken == 0, "nothing comes of it");
	yg_breath_of_thread.take = take;
	for (unsigned i = 0; i < YG_BREATH - 1; i++)
		yg_breathe(1);
	T_NAMED(taken == 0, "little was done");
	yg_breathe(1);
	T_NAMED(taken == 1, "it breathes");
	yg_breathe(YG_BREATH - 1);
	T_NAMED(taken == 1, "and begins anew");
	T_OK(pthread_create(&t, NULL, elsewhere, &n) == 0 && pthread_join(t, NULL) == 0);
	T_NAMED(n == 1 && taken == 2, "each thread for itself");
	return tap_done();
}
