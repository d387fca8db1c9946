#include "detect/watch.h"

#include <stdlib.h>

#include "snapshot/prefix.h"

#define MAGIC   0x57414359u /* before the state of correlations: what the clock needs */
#define CLOCK_N 20u

struct by_uid { /* sorted */
	struct yg_sv uid;
	uint32_t doc;
};
/* A tree has 80 KiB however few prefixes are in it: so few are compared one by one. */
#define NETWORKS_FEW 16
struct networks {
	struct yg_watch_network *list; /* owned */
	size_t n;
	struct yg_prefix_tree tree; /* of more; its arrays are owned */
};
struct yg_watch {
	struct yg_watch_opts opts;
	struct yg_env env;
	struct yg_correlate *correlate; /* NULL: no documents */
	struct yg_notices *notices;
	const struct yg_sigma_rule **rules; /* owned array */
	struct yg_watch_doc *docs;          /* owned array */
	struct by_uid *index;               /* owned array */
	size_t doc_n;
	struct networks networks;
	int64_t came, latest; /* when the newest message came; the latest event by then */
	int64_t seen;         /* the latest event of the message at hand */
	uint64_t unknown;
};
struct told { /* what the callbacks of both machines need */
	struct yg_watch *w;
	const struct yg_watch_out *out;
	const uint64_t *event;
};

struct yg_correlate_opts yg_watch_bounds(void)
{
	struct yg_correlate_opts o = yg_correlate_defaults();
	o.groups = 20000;
	o.pending = 50000;
	o.memory = (size_t)64 << 20;
	return o;
}

yg_status yg_watch_new(const struct yg_watch_opts *opts, const struct yg_env *env,
		       struct yg_watch **out, struct yg_err *err)
{
	struct yg_watch *w = calloc(1, sizeof *w);
	if (w == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for what is watched");
	w->opts = *opts;
	w->env = *env;
	yg_status st = yg_notices_new(&opts->notices, env, &w->notices, err);
	if (st != YG_OK) {
		yg_watch_free(w);
		return st;
	}
	*out = w;
	return YG_OK;
}

static void rules_free(struct yg_watch *w)
{
	yg_correlate_free(w->correlate);
	free(w->rules);
	free(w->docs);
	free(w->index);
	w->correlate = NULL;
	w->rules = NULL;
	w->docs = NULL;
	w->index = NULL;
	w->doc_n = 0;
}

static void networks_free(struct networks *n)
{
	free(n->list);
	free((void *)(uintptr_t)n->tree.nodes);
	free((void *)(uintptr_t)n->tree.values);
	free((void *)(uintptr_t)n->tree.front);
}

void yg_watch_free(struct yg_watch *w)
{
	if (w == NULL)
		return;
	rules_free(w);
	networks_free(&w->networks);
	yg_notices_free(w->notices);
	free(w);
}

/* ---- rules ---- */

static int uid_cmp(const void *a, const void *b)
{
	const struct by_uid *x = a, *y = b;
	return yg_sv_cmp(x->uid, y->uid);
}

static yg_status rules_copy(struct yg_watch *to, const struct yg_watch_doc *docs, size_t n,
			    struct yg_err *err)
{
	to->rules = calloc(n + 1, sizeof(void *));
	to->docs = calloc(n + 1, sizeof *to->docs);
	to->index = calloc(n + 1, sizeof *to->index);
	if (to->rules == NULL || to->docs == NULL || to->index == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for correlations");
	for (size_t i = 0; i < n; i++) {
		to->rules[i] = docs[i].rule;
		to->docs[i] = docs[i];
		to->index[i] = (struct by_uid){docs[i].uid, (uint32_t)i};
	}
	if (n > 1)
		qsort(to->index, n, sizeof *to->index, uid_cmp);
	to->doc_n = n;
	return YG_OK;
}

/* What the old one knows goes over. */
static yg_status state_over(const struct yg_correlate *from, struct yg_correlate *to, size_t *lost,
			    struct yg_err *err)
{
	struct yg_buf state;
	yg_buf_init(&state, YG_CORRELATE_STATE_MAX);
	yg_status st = yg_correlate_save(from, &state);
	if (st == YG_OK)
		st = yg_correlate_restore(to, yg_buf_sv(&state), lost, err);
	yg_buf_free(&state);
	return st;
}

yg_status yg_watch_rules(struct yg_watch *w, const struct yg_watch_doc *docs, size_t n,
			 yg_correlate_report_fn *report, void *ctx, size_t *lost,
			 struct yg_err *err)
{
	struct yg_watch next = {0};
	*lost = 0;
	yg_status st = rules_copy(&next, docs, n, err);
	if (st == YG_OK && n > 0)
		st = yg_correlate_new(next.rules, n, &w->opts.correlate, &w->env, report, ctx,
				      &next.correlate, err);
	if (st == YG_OK && w->correlate != NULL && next.correlate != NULL)
		st = state_over(w->correlate, next.correlate, lost, err);
	if (st != YG_OK) {
		rules_free(&next);
		return st;
	}
	if (next.correlate == NULL && w->correlate != NULL)
		*lost = yg_correlate_count(w->correlate);
	rules_free(w);
	w->correlate = next.correlate;
	w->rules = next.rules;
	w->docs = next.docs;
	w->index = next.index;
	w->doc_n = n;
	return YG_OK;
}

/* ---- entries ---- */

static bool on_hit(void *ctx, const struct yg_correlate_hit *hit)
{
	const struct told *t = ctx;
	return t->out->hit == NULL || hit->rule >= t->w->doc_n ||
	       t->out->hit(t->out->ctx, &t->w->docs[hit->rule], hit);
}

static void on_notice(void *ctx, const struct yg_notice *n)
{
	const struct told *t = ctx;
	if (t->out->notice != NULL)
		t->out->notice(t->out->ctx, n, t->event);
}

static bool field_of(void *ctx, struct yg_sv field, struct yg_sv *out)
{
	const struct yg_feed_entry *e = ctx;
	for (uint32_t i = 0; i < e->match.field_count; i++) {
		if (yg_sv_eq(e->match.fields[i].name, field)) {
			*out = e->match.fields[i].value;
			return true;
		}
	}
	return false;
}

static bool time_ok(yg_wall t)
{
	return t.us >= 0 && t.us <= INT64_MAX / 4;
}

static yg_status match(struct yg_watch *w, const struct yg_feed_head *h,
		       const struct yg_feed_entry *e, struct told *t)
{
	const struct by_uid key = {e->match.rule, 0};
	const struct by_uid *at =
		w->doc_n > 0 ? bsearch(&key, w->index, w->doc_n, sizeof key, uid_cmp) : NULL;
	if (at == NULL || w->correlate == NULL) { /* it was changed meanwhile */
		w->unknown++;
		return YG_OK;
	}
	struct yg_feed_entry copy = *e; /* the context of field_of is not const */
	struct yg_correlate_event ev = {.time = e->match.time,
					.arrived = h->received,
					.id = {e->match.id[0], e->match.id[1]},
					.field = field_of,
					.ctx = &copy};
	if (time_ok(e->match.time) && time_ok(h->received) &&
	    e->match.time.us <= h->received.us + w->opts.correlate.ahead.us)
		w->seen = YG_MAX(w->seen, e->match.time.us);
	return yg_correlate_event(w->correlate, at->doc, &ev, on_hit, t);
}

static yg_status make_tree(struct networks *to, struct yg_err *err)
{
	struct yg_prefix_item *items = calloc(to->n, sizeof *items);
	if (items == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for networks");
	for (size_t i = 0; i < to->n; i++)
		items[i] = (struct yg_prefix_item){.ip = to->list[i].ip,
						   .bits = (uint8_t)to->list[i].bits};
	yg_status st = yg_prefix_build(items, to->n, &to->tree, err);
	free(items);
	return st;
}

static bool same_networks(const struct networks *a, const struct yg_watch_network *list, size_t n)
{
	bool same = a->n == n;
	for (size_t i = 0; same && i < n; i++)
		same = a->list[i].bits == list[i].bits &&
		       memcmp(a->list[i].ip.b, list[i].ip.b, sizeof list[i].ip.b) == 0;
	return same;
}

yg_status yg_watch_networks(struct yg_watch *w, const struct yg_watch_network *list, size_t n,
			    struct yg_err *err)
{
	struct networks next = {.n = n};
	if (same_networks(&w->networks, list, n))
		return YG_OK;
	next.list = calloc(n + 1, sizeof *list);
	if (next.list == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for networks");
	for (size_t i = 0; i < n; i++)
		next.list[i] = list[i];
	yg_status st = n > NETWORKS_FEW ? make_tree(&next, err) : YG_OK;
	if (st != YG_OK) {
		free(next.list);
		return st;
	}
	networks_free(&w->networks);
	w->networks = next;
	return YG_OK;
}

static bool is_within(struct yg_ip ip, const struct yg_watch_network *n)
{
	unsigned bytes = n->bits / 8, rest = n->bits % 8;
	if (memcmp(ip.b, n->ip.b, bytes) != 0)
		return false;
	return rest == 0 || ((ip.b[bytes] ^ n->ip.b[bytes]) >> (8 - rest)) == 0;
}

static bool is_inside(const struct yg_watch *w, struct yg_ip ip)
{
	const struct networks *own = &w->networks;
	uint32_t hits[YG_PREFIX_HITS_MAX];
	if (own->n > NETWORKS_FEW)
		return yg_prefix_find(&own->tree, ip, hits) > 0;
	for (size_t i = 0; i < own->n; i++)
		if (is_within(ip, &own->list[i]))
			return true;
	return false;
}

static yg_status connection(struct yg_watch *w, const struct yg_feed_entry *e, struct told *t)
{
	const struct yg_notice_connection c = {
		.time = e->connection.time,
		.src = e->connection.src,
		.dst = e->connection.dst,
		.port = e->connection.port,
		.src_port = e->connection.src_port,
		.ok = (e->connection.flags & YG_FEED_OK) != 0,
		.src_inside = (e->connection.flags & YG_FEED_SRC_INSIDE) != 0 ||
			      is_inside(w, e->connection.src),
		.dst_inside = (e->connection.flags & YG_FEED_DST_INSIDE) != 0 ||
			      is_inside(w, e->connection.dst),
		.bytes_out = e->connection.bytes_out,
	};
	t->event = e->connection.id;
	return yg_notices_connection(w->notices, &c, on_notice, t);
}

static yg_status login(struct yg_watch *w, const struct yg_feed_entry *e, struct told *t)
{
	struct yg_notice_login l = {
		.time = e->login.time,
		.user = e->login.user,
		.src = e->login.src,
		.ok = (e->login.flags & YG_FEED_OK) != 0,
	};
	struct yg_place place;
	if (w->opts.places != NULL && yg_places_find(w->opts.places, l.src, &place)) {
		l.placed = true;
		l.latitude = place.latitude;
		l.longitude = place.longitude;
		l.radius = place.radius;
	}
	t->event = e->login.id;
	return yg_notices_login(w->notices, &l, on_notice, t);
}

/* "zeek", or "zeek of sensor-1". */
static yg_status records(struct yg_watch *w, const struct yg_feed_head *h)
{
	char text[512];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_put(&b, yg_sv_sub(h->source, 0, 200));
	if (h->sensor.n > 0) {
		yg_sb_put(&b, YG_SV(" of "));
		yg_sb_put(&b, yg_sv_sub(h->sensor, 0, 200));
	}
	/* when it came, not of when it tells: one that is always late is not silent */
	return yg_notices_record(w->notices, yg_sb_sv(&b), h->received);
}

yg_status yg_watch_entry(struct yg_watch *w, const struct yg_feed_head *h,
			 const struct yg_feed_entry *e, const struct yg_watch_out *out)
{
	struct told t = {.w = w, .out = out};
	switch (e->kind) {
	case YG_FEED_MATCH: return match(w, h, e, &t);
	case YG_FEED_CONNECTION: return connection(w, e, &t);
	case YG_FEED_LOGIN: return login(w, e, &t);
	case YG_FEED_RECORDS: return records(w, h);
	case YG_FEED_STAT:
	case YG_FEED_SOURCE: break;
	}
	return YG_OK;
}

void yg_watch_comes(struct yg_watch *w, const struct yg_feed_head *h)
{
	/* or what it tells would be ahead of a clock that has stood still */
	if (time_ok(h->received))
		yg_notices_clock(w->notices, h->received);
}

void yg_watch_came(struct yg_watch *w, const struct yg_feed_head *h)
{
	if (w->seen == 0 || !time_ok(h->received))
		return; /* no matches: it says nothing about their time */
	w->came = YG_MAX(w->came, h->received.us);
	w->latest = YG_MAX(w->latest, w->seen);
	w->seen = 0;
}

yg_status yg_watch_clock(struct yg_watch *w, yg_wall now, const struct yg_watch_out *out)
{
	struct told t = {.w = w, .out = out};
	yg_status st = YG_OK;
	if (w->correlate != NULL && w->latest > 0 && time_ok(now) && now.us > w->came) {
		int64_t since = now.us - w->came;
		int64_t time = w->latest + since - w->opts.correlate.lateness.us;
		if (time > 0)
			st = yg_correlate_advance(w->correlate, (yg_wall){time}, on_hit, &t);
	}
	yg_notices_tick(w->notices, now, on_notice, &t);
	return st;
}

/* ---- saved ---- */

yg_status yg_watch_save(const struct yg_watch *w, struct yg_buf *correlate, struct yg_buf *notice)
{
	yg_status st = YG_OK;
	if (w->correlate != NULL) {
		yg_wr_le32(correlate, MAGIC);
		yg_wr_le64(correlate, (uint64_t)w->came);
		yg_wr_le64(correlate, (uint64_t)w->latest);
		st = yg_correlate_save(w->correlate, correlate);
	}
	return st == YG_OK ? yg_notices_save(w->notices, notice) : st;
}

static yg_status restore_correlate(struct yg_watch *w, struct yg_sv bytes, size_t *lost,
				   struct yg_err *err)
{
	struct yg_rd r = yg_rd_init(bytes.p, bytes.n);
	uint32_t magic = yg_rd_le32(&r);
	int64_t came = (int64_t)yg_rd_le64(&r), latest = (int64_t)yg_rd_le64(&r);
	if (r.bad || magic != MAGIC || came < 0 || latest < 0 || came > INT64_MAX / 4 ||
	    latest > INT64_MAX / 4)
		return YG_FAIL(err, YG_CORRUPT, "this is no saved state of correlations");
	yg_status st =
		yg_correlate_restore(w->correlate, yg_sv_sub(bytes, CLOCK_N, bytes.n), lost, err);
	if (st != YG_OK)
		return st;
	w->came = came;
	w->latest = latest;
	return YG_OK;
}

yg_status yg_watch_restore(struct yg_watch *w, struct yg_sv correlate, struct yg_sv notice,
			   size_t *lost, struct yg_err *err)
{
	yg_status st = YG_OK, st2 = YG_OK;
	*lost = 0;
	if (correlate.n > 0 && w->correlate != NULL)
		st = restore_correlate(w, correlate, lost, err);
	if (notice.n > 0)
		st2 = yg_notices_restore(w->notices, notice, err);
	return st != YG_OK ? st : st2;
}

/* ---- counted ---- */

size_t yg_watch_network_count(const struct yg_watch *w)
{
	return w->networks.n;
}

size_t yg_watch_doc_count(const struct yg_watch *w)
{
	return w->doc_n;
}

uint32_t yg_watch_doc_tag(const struct yg_watch *w, size_t doc)
{
	return doc < w->doc_n ? w->docs[doc].tag : UINT32_MAX;
}

bool yg_watch_state(const struct yg_watch *w, size_t doc, struct yg_watch_state *out)
{
	if (w->correlate == NULL || doc >= w->doc_n ||
	    !yg_correlate_counts(w->correlate, (uint32_t)doc, &out->counts))
		return false;
	out->groups = yg_correlate_groups(w->correlate, (uint32_t)doc);
	return true;
}

struct yg_correlate_usage yg_watch_usage(const struct yg_watch *w)
{
	return w->correlate != NULL ? yg_correlate_usage(w->correlate)
				    : (struct yg_correlate_usage){0};
}

const struct yg_notices *yg_watch_notices(const struct yg_watch *w)
{
	return w->notices;
}

uint64_t yg_watch_unknown(const struct yg_watch *w)
{
	return w->unknown;
}
