/* Indicators over the past: a snapshot of those that are looked for, and of every allow entry,
 * is asked as the workers ask theirs. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "detect/hunt_indicator.h"
#include "intel/registry.h"
#include "os/file.h"
#include "role/center_hunt.h"
#include "role/ingest_finding.h"

struct taking {
	struct hunt *t;
	struct yg_intel_builder *b;
	struct yg_hunt_near *near;
	uint64_t taken;
};

static yg_status take(void *ctx, const struct yg_indicator *ind, struct yg_err *err)
{
	struct taking *k = ctx;
	char text[YG_KEY_MAX];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_status st = yg_intel_builder_add(k->b, ind, err);
	if (st == YG_PARSE || st == YG_DENIED)
		return YG_OK; /* as when a snapshot is compiled: left out */
	if (st != YG_OK || ind->allow)
		return st;
	if (yg_indicator_normalize(ind->type, ind->value, &b, NULL) != YG_OK)
		return YG_OK;
	k->taken++;
	return yg_hunt_near_add(k->near, ind->type, yg_sb_sv(&b), err);
}

/* Values that were given: of the list that the hunt is. */
static yg_status take_given(struct taking *k, struct yg_err *err)
{
	static const struct yg_registry_part none = {.first = 1, .last = 0, .list = YG_SV_INIT("")};
	struct run *r = k->t->r;
	struct yg_hunt_item *items = NULL;
	size_t n = 0;
	yg_status st =
		yg_hunt_items(r->act.db, k->t->h.seq, YG_HUNT_ITEMS_MAX, r->arena, &items, &n, err);
	for (size_t i = 0; st == YG_OK && i < n; i++) {
		struct yg_sv value = items[i].text, type;
		struct yg_indicator ind = {.list = YG_SV_INIT(YG_HUNT_KIND),
					   .confidence = 50,
					   .severity_id = 3,
					   .tlp = YG_TLP_AMBER};
		if (!yg_sv_cut(&value, ' ', &type) ||
		    yg_indicator_type_parse(type, &ind.type) != YG_OK)
			continue;
		ind.value = value;
		st = take(k, &ind, err);
	}
	return st == YG_OK ? yg_registry_each_of(r->act.db, k->t->now, &none, take, k, err) : st;
}

/* Entries by their ids. */
static yg_status take_ids(struct taking *k, struct yg_err *err)
{
	struct run *r = k->t->r;
	struct yg_hunt_item *items = NULL;
	size_t n = 0;
	yg_status st =
		yg_hunt_items(r->act.db, k->t->h.seq, YG_HUNT_ITEMS_MAX, r->arena, &items, &n, err);
	int64_t *ids = YG_NEW_N(r->arena, int64_t, n + 1);
	if (st == YG_OK && ids == NULL)
		st = YG_FAIL(err, YG_NOMEM, "a hunt");
	for (size_t i = 0; st == YG_OK && i < n; i++)
		st = yg_parse_i64(items[i].text, &ids[i], err);
	const struct yg_registry_part part = {.ids = ids, .id_count = n, .list = YG_SV_INIT("")};
	return st == YG_OK ? yg_registry_each_of(r->act.db, k->t->now, &part, take, k, err) : st;
}

static yg_status take_all(struct taking *k, struct yg_err *err)
{
	const struct yg_hunt *h = &k->t->h;
	if (h->last < 0)
		return take_ids(k, err);
	bool listed = h->last == 0 && yg_sv_starts(h->name, YG_SV("l-"));
	struct yg_registry_part part = {.first = h->first, .last = h->last, .list = YG_SV_INIT("")};
	if (h->last == 0 && !listed)
		return take_given(k, err);
	if (listed)
		part = (struct yg_registry_part){
			.first = INT64_MIN, .last = INT64_MAX, .list = h->name};
	return yg_registry_each_of(k->t->r->act.db, k->t->now, &part, take, k, err);
}

/* Written to a file that has no name any more, and opened from there. */
static yg_status open_set(struct taking *k, struct yg_err *err)
{
	char path[80];
	struct yg_intel_build_stats stats;
	(void)snprintf(path, sizeof path, "snapshot/hunt-%lld.tmp", (long long)k->t->h.seq);
	YG_AUTO(yg_fd_close)
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return YG_FAIL_OS(err, errno, "'%s'", path);
	(void)unlink(path);
	yg_status st = yg_intel_builder_finish(k->b, fd, 1, &stats, err);
	return st == YG_OK ? yg_intel_open_fd(fd, 0, &k->t->intel, err) : st;
}

/* 0: it is not there now. */
static uint32_t store_version(const struct hunt *t)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	return yg_lease_store(&t->r->c->api, &l, NULL) == YG_OK ? yg_ch_version(l.ch) : 0;
}

yg_status hunt_intel_ready(struct hunt *t, struct yg_err *err)
{
	struct yg_intel_build_opts opts = {.env = &t->r->c->ctx->env, .force_suffix = true};
	struct taking k = {.t = t};
	t->matches = calloc(1, sizeof *t->matches);
	yg_status st = t->matches != NULL ? YG_OK : YG_FAIL(err, YG_NOMEM, "a hunt");
	if (st == YG_OK)
		st = yg_intel_builder_new(&opts, &k.b, err);
	if (st == YG_OK)
		st = yg_hunt_near_new(&k.near, err);
	if (st == YG_OK)
		st = take_all(&k, err);
	if (st == YG_OK)
		st = yg_hunt_near_where(k.near, store_version(t), &t->where_text, err);
	if (st == YG_OK)
		st = open_set(&k, err);
	t->where = yg_buf_sv(&t->where_text);
	t->scan.lean = true;
	yg_hunt_near_free(k.near);
	yg_intel_builder_free(k.b);
	return st;
}

yg_status hunt_intel_row(void *ctx, const struct yg_event *ev, struct yg_err *err)
{
	struct hunt *t = ctx;
	hunt_row_begin(t);
	yg_intel_match(t->intel, ev, t->now, t->matches);
	for (uint32_t i = 0; i < t->matches->n; i++) {
		struct yg_sv name = t->matches->m[i].indicator;
		size_t at = t->found.n;
		if (!hunt_room(t, name))
			continue;
		yg_finding_put(ev, &t->matches->m[i], i, true, &t->scratch, &t->found);
		hunt_found_event(t, ev, name, at);
	}
	return hunt_row_end(t, err);
}
