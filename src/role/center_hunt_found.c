/* What a slice found, until it is told: findings one after the other in a buffer, each counted
 * for its rule or indicator, so that one of them leaves room for the others. */
#include <stdlib.h>

#include "role/center_hunt.h"

void hunt_slice_begin(struct hunt *t)
{
	t->n = 0;
	t->slice_n = 0;
	t->beyond = 0;
	t->cuts.n = 0;
	t->found.n = 0;
	t->found.bad = t->scratch.bad = t->full = false;
	for (size_t i = 0; i < t->of_n; i++)
		t->of[i].now = t->of[i].cut_now = 0;
	yg_arena_reset(&t->slice);
}

void hunt_found_free(struct hunt *t)
{
	free(t->items);
	free(t->cuts.p);
	free(t->of);
	free(t->of_names.slots);
	yg_buf_free(&t->found);
	yg_buf_free(&t->scratch);
	yg_buf_free(&t->fields);
	yg_arena_free(&t->slice);
}

/* ---- by name ---- */

static bool find(const struct hunt *t, struct yg_sv name, uint64_t hash, size_t *at, uint32_t *out)
{
	*at = SIZE_MAX;
	while (yg_index_next(&t->of_names, hash, at, out))
		if (yg_sv_eq(t->of[*out].name, name))
			return true;
	return false;
}

bool hunt_of(struct hunt *t, struct yg_sv name, uint32_t *out)
{
	size_t at;
	uint64_t hash = yg_hash_of(&t->key, 0, name);
	if (!yg_index_room(&t->of_names))
		return false;
	if (find(t, name, hash, &at, out))
		return true;
	if (t->of_n == t->of_cap) {
		size_t cap = t->of_cap > 0 ? t->of_cap * 2 : 64;
		struct hunt_of *more = reallocarray(t->of, cap, sizeof *more);
		if (more == NULL)
			return false;
		t->of = more;
		t->of_cap = cap;
	}
	struct hunt_of *o = &t->of[t->of_n];
	*o = (struct hunt_of){.name = yg_arena_dup(t->r->arena, name), .item = -1};
	if (o->name.p == NULL)
		return false;
	*out = (uint32_t)t->of_n++;
	yg_index_put(&t->of_names, at, hash, *out);
	return true;
}

static void cut(struct hunt *t, uint32_t of)
{
	uint32_t *to = yg_vec_add(&t->cuts, sizeof *to);
	t->beyond++;
	t->nomem |= to == NULL;
	if (to == NULL)
		return;
	*to = of;
	t->of[of].cut_now++;
}

/* Of several each tells so many that the others have their turn. */
static bool own_room(const struct hunt *t, uint32_t of)
{
	const struct hunt_of *o = &t->of[of];
	return t->h.items <= 1 || o->told + o->now < YG_HUNT_EACH_MAX;
}

bool hunt_room(struct hunt *t, struct yg_sv name)
{
	bool all = t->h.told + (int64_t)t->n < YG_HUNT_MATCHES_MAX;
	uint32_t of = 0;
	t->h.matches++;
	/* of indicators there may be any number, and none is ordered again */
	if (!all && t->h.what == YG_HUNT_INDICATOR) {
		t->beyond++;
		return false;
	}
	if (!hunt_of(t, name, &of)) {
		t->nomem = true;
		return false;
	}
	if (all && own_room(t, of))
		return true;
	cut(t, of);
	return false;
}

/* ---- findings ---- */

static struct hunt_item *item_room(struct hunt *t)
{
	if (t->n == t->cap) {
		size_t cap = t->cap > 0 ? t->cap * 2 : 256;
		struct hunt_item *more = reallocarray(t->items, cap, sizeof *more);
		if (more == NULL)
			return NULL;
		t->items = more;
		t->cap = cap;
	}
	return &t->items[t->n];
}

/* False: no memory. */
static bool put_item(struct hunt *t, const struct hunt_about *about, size_t at, uint32_t of,
		     struct hunt_item *i)
{
	struct yg_rd rd = yg_rd_init(t->found.p + at, t->found.n - at);
	struct yg_sv json = yg_rd_sv32(&rd), row = yg_rd_sv32(&rd);
	*i = (struct hunt_item){.json = (size_t)(json.p - t->found.p),
				.json_n = json.n,
				.row = (size_t)(row.p - t->found.p),
				.row_n = row.n,
				.time = about->time,
				.org = yg_arena_dup(&t->slice, about->org),
				.indicator = yg_arena_dup(&t->slice, about->name),
				.group = yg_arena_dup(&t->slice, about->group),
				.first = about->first,
				.near = about->near,
				.events = YG_NEW_N(&t->slice, struct yg_sv, about->id_n + 1),
				.of = of};
	bool ok = !rd.bad && i->org.p != NULL && i->indicator.p != NULL && i->events != NULL &&
		  i->group.p != NULL;
	for (; ok && i->event_n < about->id_n; i->event_n++) {
		char id[YG_EVENT_ID_MAX];
		struct yg_sb b = yg_sb_init(id, sizeof id);
		uint32_t spool, number;
		uint64_t batch;
		yg_feed_id_parts(about->ids[i->event_n], &spool, &batch, &number);
		yg_event_id_format(&b, spool, batch, number);
		i->events[i->event_n] = yg_arena_dup(&t->slice, yg_sb_sv(&b));
		ok = i->events[i->event_n].p != NULL;
		if (about->alone) {
			i->spool = spool;
			i->batch = batch;
		}
	}
	return ok;
}

void hunt_found(struct hunt *t, const struct hunt_about *about, size_t at)
{
	uint32_t of = 0;
	struct hunt_item *i = item_room(t);
	if (i == NULL || t->found.nomem || !hunt_of(t, about->name, &of)) {
		t->nomem = true;
		return;
	}
	if (t->found.bad) { /* no room: of this event alone it is not told */
		t->full = true;
		t->found.n = at;
		t->found.bad = t->scratch.bad = false;
		cut(t, of);
		return;
	}
	t->nomem |= !put_item(t, about, at, of, i);
	t->of[of].now++;
	t->n++;
}

void hunt_found_event(struct hunt *t, const struct yg_event *ev, struct yg_sv name, size_t at)
{
	uint64_t id[1][2];
	yg_feed_id(ev->spool, ev->batch, ev->row, id[0]);
	const struct hunt_about about = {.org = ev->org,
					 .name = name,
					 .time = ev->time,
					 .ids = (const uint64_t(*)[2])id,
					 .id_n = 1,
					 .alone = true,
					 .group = YG_SV_INIT("")};
	hunt_found(t, &about, at);
}

void hunt_row_begin(struct hunt *t)
{
	t->full = false;
	t->mark = (struct hunt_mark){.n = t->n,
				     .found = t->found.n,
				     .cuts = t->cuts.n,
				     .matches = t->h.matches,
				     .beyond = t->beyond};
}

static void take_back(struct hunt *t)
{
	const uint32_t *cuts = t->cuts.p;
	for (size_t i = t->mark.n; i < t->n; i++)
		t->of[t->items[i].of].now--;
	for (size_t i = t->mark.cuts; i < t->cuts.n; i++)
		t->of[cuts[i]].cut_now--;
	t->n = t->mark.n;
	t->cuts.n = t->mark.cuts;
	t->found.n = t->mark.found;
	t->h.matches = t->mark.matches;
	t->beyond = t->mark.beyond;
}

yg_status hunt_row_end(struct hunt *t, struct yg_err *err)
{
	if (t->nomem)
		return YG_FAIL(err, YG_NOMEM, "what a hunt found");
	if (!t->full || t->mark.n == 0)
		return YG_OK;
	take_back(t); /* what was found before is told first */
	return YG_FAIL(err, YG_LIMIT, "what a hunt found");
}
