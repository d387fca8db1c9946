#include "role/center_delivered.h"

void center_delivered_begin(struct center_delivered *d, yg_wall now)
{
	d->now = now;
	d->more = false;
	for (size_t i = 0; i < d->n; i++)
		d->spools[i].seen = false;
}

static struct center_delivered_spool *find(struct center_delivered *d, uint32_t spool)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->spools[i].spool == spool)
			return &d->spools[i];
	if (d->n == CENTER_SPOOLS_MAX)
		return NULL;
	d->spools[d->n] = (struct center_delivered_spool){.spool = spool};
	return &d->spools[d->n++];
}

void center_delivered_spool(struct center_delivered *d, uint32_t spool, uint64_t durable,
			    uint64_t stored)
{
	struct center_delivered_spool *s = find(d, spool);
	if (s == NULL) {
		d->more = true;
		return;
	}
	s->seen = true;
	if (s->at.us != 0 && stored >= s->mark)
		s->done = s->at;
	if (s->at.us == 0 || stored >= s->mark) {
		s->mark = durable;
		s->at = d->now;
	}
	if (stored >= durable)
		s->done = d->now;
}

yg_wall center_delivered_end(struct center_delivered *d, bool all)
{
	yg_wall until = d->now;
	size_t n = 0;
	if (!all || d->more)
		return d->until;
	for (size_t i = 0; i < d->n; i++) {
		if (!d->spools[i].seen) /* it is no more */
			continue;
		until.us = YG_MIN(until.us, d->spools[i].done.us);
		d->spools[n++] = d->spools[i];
	}
	d->n = n;
	d->until.us = YG_MAX(d->until.us, until.us);
	return d->until;
}
