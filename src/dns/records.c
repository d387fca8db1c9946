#include "dns/records.h"

#include <stdlib.h>

#include "base/breath.h"
#include "os/pages.h"
#include "snapshot/intern.h"

#define BYTES_MAX   (((uint64_t)1 << 32) - 2) /* offsets are 32 bits, one more is "none" */
#define HEAD        16u
#define MAGIC       YG_SV("YGRR0001")
#define SLOTS_FIRST 4096u
#define RUN         ((size_t)1 << 18) /* bytes that are given away at once */
#define SPILL       ((size_t)1 << 20) /* a larger piece lies in a file */

enum { /* of a packed record */
       F_DEAD = 1,
       F_BELOW = 2,  /* the owner stands without the origin behind it */
       F_UNREAD = 4, /* yg_zone_rr.unread */
};

/* HEAD: u8 flags, u8 mark, u8 octets of the owner, u8 0, u16 type, u16 class, u32 TTL,
 * u16 octets of the data, u16 line (the lower part); then owner and data. */
struct yg_dns_records {
	struct yg_dns_name origin;
	bool has_origin;
	uint8_t key[16];
	struct yg_buf b;
	const char *folder;              /* NULL: nothing lies in a file */
	struct yg_pages pages, in_slots; /* owned: where b and slots lie, if not on the heap */
	/* views of it; and of what this is one (or NULL) */
	size_t views;
	bool orphan; /* freed, but for its views */
	struct yg_dns_records *of;
	uint64_t count, dead_bytes;
	uint32_t soa;    /* its offset + 1; 0: none */
	uint32_t *slots; /* owned: offset + 1; NULL: no index */
	size_t slot_count, slot_used;
	uint64_t index_turn; /* so often it had none, or another */
	/* of a change under way */
	bool changing;
	size_t mark_n;
	uint64_t mark_count;
	uint32_t mark_soa;
	struct yg_vec killed; /* uint32_t: offsets before mark_n; of a view's index: twins */
};

yg_status yg_dns_records_new(const struct yg_dns_records_opts *opts, struct yg_dns_records **out,
			     struct yg_err *err)
{
	struct yg_dns_records *r = calloc(1, sizeof *r);
	if (r == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for a zone");
	yg_buf_init(&r->b, opts->bytes_max > 0 ? YG_MIN(opts->bytes_max, BYTES_MAX) : BYTES_MAX);
	memcpy(r->key, opts->key, sizeof r->key);
	r->folder = opts->folder;
	r->pages.fd = r->in_slots.fd = -1;
	r->has_origin = opts->origin != NULL;
	if (r->has_origin)
		r->origin = *opts->origin;
	*out = r;
	return YG_OK;
}

static void drop_index(struct yg_dns_records *r)
{
	if (r->in_slots.p != NULL)
		yg_pages_close(&r->in_slots);
	else
		free(r->slots);
	r->slots = NULL;
	r->slot_count = r->slot_used = 0;
	r->index_turn++;
}

/* Others may read them, or change them, meanwhile. */
static unsigned flags(const char *p)
{
	return (uint8_t)__atomic_load_n(p, __ATOMIC_RELAXED);
}

static bool is_dead(const char *p)
{
	return (flags(p) & F_DEAD) != 0;
}

static void view_end(struct yg_dns_records *v)
{
	struct yg_dns_records *of = v->of;
	if (of == NULL) { /* a copy */
		yg_buf_free(&v->b);
		return;
	}
	of->views--;
	if (of->orphan && of->views == 0)
		yg_dns_records_free(of);
}

void yg_dns_records_free(struct yg_dns_records *r)
{
	if (r == NULL)
		return;
	if (r->views > 0) {
		r->orphan = true;
		return;
	}
	drop_index(r);
	free(r->killed.p);
	if (r->of != NULL) {
		view_end(r);
		free(r);
		return;
	}
	if (r->pages.p != NULL)
		yg_pages_close(&r->pages);
	else
		yg_buf_free(&r->b);
	free(r);
}

void yg_dns_records_rest(const struct yg_dns_records *r)
{
	yg_pages_rest(&r->pages);
	yg_pages_rest(&r->in_slots);
}

/* From the heap into a file, where it never moves again.  Without one it stays. */
static void spill(struct yg_dns_records *r)
{
	size_t most = r->b.limit, n = r->b.n;
	if (yg_pages_open(r->folder, most, &r->pages, NULL) != YG_OK ||
	    !yg_pages_back(&r->pages, n)) {
		yg_pages_close(&r->pages);
		r->folder = NULL;
		return;
	}
	memcpy(r->pages.p, r->b.p, n);
	yg_buf_free(&r->b);
	yg_buf_init(&r->b, most);
	r->b.p = r->pages.p;
	r->b.cap = most;
	r->b.n = n;
}

/* Room for one record more where the others are. */
static yg_status room(struct yg_dns_records *r, const struct yg_zone_rr *rr, struct yg_err *err)
{
	if (r->folder != NULL && r->pages.p == NULL && r->b.n > SPILL)
		spill(r);
	size_t want = r->b.n + HEAD + YG_DNS_NAME_MAX + rr->rdata.n;
	if (r->pages.p == NULL || yg_pages_back(&r->pages, YG_MIN(want, r->pages.reserved)))
		return YG_OK;
	return YG_FAIL(err, YG_IO, "no room on the disk for a zone");
}

struct yg_dns_records *yg_dns_records_view(struct yg_dns_records *r)
{
	struct yg_dns_records *v = calloc(1, sizeof *v);
	if (v == NULL)
		return NULL;
	v->origin = r->origin;
	v->has_origin = r->has_origin;
	v->count = r->count;
	v->soa = r->soa;
	v->pages.fd = v->in_slots.fd = -1;
	yg_buf_init(&v->b, r->b.limit);
	if (r->pages.p == NULL) { /* it may move: a copy, which is small, or there was no disk */
		yg_buf_put(&v->b, yg_buf_sv(&r->b));
		if (!v->b.bad)
			return v;
		yg_dns_records_free(v);
		return NULL;
	}
	v->b.p = r->b.p;
	v->b.n = v->b.cap = r->b.n;
	v->of = r;
	v->folder = r->folder;
	v->index_turn = r->index_turn;
	memcpy(v->key, r->key, sizeof v->key);
	r->views++;
	return v;
}

/* ---- one record ---- */

void yg_dns_record_pack(struct yg_buf *b, const struct yg_zone_rr *rr,
			const struct yg_dns_name *origin, uint8_t mark)
{
	bool below = origin != NULL && yg_dns_name_is_in(rr->owner, origin);
	size_t n = below ? rr->owner->at[rr->owner->labels - origin->labels] : rr->owner->n;
	yg_wr_le8(b, (uint8_t)((below ? F_BELOW : 0) | (rr->unread ? F_UNREAD : 0)));
	yg_wr_le8(b, mark);
	yg_wr_le8(b, (uint8_t)n);
	yg_wr_le8(b, 0);
	yg_wr_le16(b, rr->type);
	yg_wr_le16(b, rr->cls);
	yg_wr_le32(b, rr->ttl);
	yg_wr_le16(b, (uint16_t)rr->rdata.n);
	yg_wr_le16(b, (uint16_t)YG_MIN(rr->line, 65535u));
	yg_buf_put(b, (struct yg_sv){(const char *)rr->owner->b, n});
	yg_buf_put(b, rr->rdata);
}

/* The owner from its packed bytes: false when they are no name.  Every policy is compiled
 * through here: the origin's labels are known, only those before it are walked. */
static bool owner_of(const uint8_t *p, size_t n, const struct yg_dns_name *origin, bool below,
		     struct yg_dns_name *out)
{
	size_t at = 0, tail = below && origin != NULL ? origin->n : 1, labels = 0;
	size_t front = below ? n : n - 1, more = below && origin != NULL ? origin->labels : 0;
	if ((below && origin == NULL) || (!below && (n == 0 || p[n - 1] != 0)) ||
	    front + tail > YG_DNS_NAME_MAX)
		return false;
	memcpy(out->b, p, n);
	if (below)
		memcpy(out->b + n, origin->b, tail);
	while (at < front) {
		if (labels + more >= YG_DNS_LABELS_MAX || p[at] == 0 || p[at] > YG_DNS_LABEL_MAX)
			return false;
		out->at[labels++] = (uint8_t)at;
		at += (size_t)p[at] + 1;
	}
	if (at != front)
		return false;
	for (size_t i = 0; i < more; i++)
		out->at[labels++] = (uint8_t)(front + origin->at[i]);
	out->at[labels] = (uint8_t)(front + tail - 1);
	out->labels = (uint8_t)labels;
	out->n = (uint8_t)(front + tail);
	return true;
}

static uint16_t get_le16(const uint8_t *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

bool yg_dns_record_unpack(struct yg_sv *rest, const struct yg_dns_name *origin, uint8_t *mark,
			  struct yg_dns_name *owner, struct yg_zone_rr *rr)
{
	const uint8_t *p = (const uint8_t *)rest->p;
	if (rest->n < HEAD)
		return false;
	size_t owner_n = p[2], rdata_n = get_le16(p + 12), all = HEAD + owner_n + rdata_n;
	if (rest->n < all || !owner_of(p + HEAD, owner_n, origin, (p[0] & F_BELOW) != 0, owner))
		return false;
	*mark = p[1];
	*rr = (struct yg_zone_rr){.owner = owner,
				  .type = get_le16(p + 4),
				  .cls = get_le16(p + 6),
				  .rdata = {rest->p + HEAD + owner_n, rdata_n},
				  .unread = (p[0] & F_UNREAD) != 0,
				  .line = get_le16(p + 14)};
	memcpy(&rr->ttl, p + 8, sizeof rr->ttl);
	*rest = yg_sv_sub(*rest, all, rest->n);
	return true;
}

/* ---- the index ---- */

static size_t size_at(const struct yg_dns_records *r, size_t at)
{
	const uint8_t *p = (const uint8_t *)r->b.p + at;
	return HEAD + p[2] + ((size_t)p[12] | (size_t)p[13] << 8);
}

/* Of what two equal records have in common: owner and data; not the TTL.  Type and class
 * are compared, and few records differ in them alone. */
static uint64_t hash_at(const struct yg_dns_records *r, size_t at)
{
	return yg_siphash(r->key, r->b.p + at + HEAD, size_at(r, at) - HEAD);
}

static bool same(const struct yg_dns_records *r, size_t a, size_t b)
{
	const char *p = r->b.p + a, *q = r->b.p + b;
	size_t n = size_at(r, a);
	return n == size_at(r, b) && p[2] == q[2] && ((flags(p) ^ flags(q)) & F_BELOW) == 0 &&
	       memcmp(p + 4, q + 4, 4) == 0 && memcmp(p + HEAD, q + HEAD, n - HEAD) == 0;
}

/* The slot of the living record that equals the one at `at`, not itself, or the free one
 * where it would stand; *out: its offset, UINT32_MAX: none. */
static size_t slot_of(const struct yg_dns_records *r, size_t at, uint32_t *out)
{
	size_t mask = r->slot_count - 1, i = hash_at(r, at) & mask;
	*out = UINT32_MAX;
	for (; r->slots[i] != 0; i = (i + 1) & mask) {
		uint32_t o = r->slots[i] - 1;
		if (o != at && !is_dead(r->b.p + o) && same(r, o, at)) {
			*out = o;
			break;
		}
	}
	return i;
}

static void put_slot(struct yg_dns_records *r, size_t slot, size_t at)
{
	r->slots[slot] = (uint32_t)at + 1;
	r->slot_used++;
}

static void kill_at(struct yg_dns_records *r, size_t at)
{
	__atomic_store_n(&r->b.p[at], (char)(r->b.p[at] | F_DEAD), __ATOMIC_RELAXED);
	r->dead_bytes += size_at(r, at);
	r->count--;
	if (r->soa == at + 1)
		r->soa = 0;
}

static yg_status index_room(struct yg_dns_records *r, struct yg_err *err)
{
	size_t n = SLOTS_FIRST;
	drop_index(r);
	while (n / 2 < r->count + 1)
		n *= 2;
	if (yg_dns_records_is_large(r) && n * sizeof *r->slots > SPILL &&
	    yg_pages_open(r->folder, n * sizeof *r->slots, &r->in_slots, NULL) == YG_OK &&
	    !yg_pages_back(&r->in_slots, n * sizeof *r->slots))
		yg_pages_close(&r->in_slots);
	r->slots = r->in_slots.p != NULL ? (void *)r->in_slots.p : calloc(n, sizeof *r->slots);
	if (r->slots == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the index of a zone");
	r->slot_count = n;
	return YG_OK;
}

/* Those from there on; what is in twice is taken out.  A view's records are not its own: which
 * those are is only noted. */
static bool index_from(struct yg_dns_records *r, size_t at)
{
	for (; at < r->b.n; at += size_at(r, at)) {
		yg_breathe(YG_BREATH_STEP);
		if (is_dead(r->b.p + at))
			continue;
		uint32_t twin;
		size_t slot = slot_of(r, at, &twin);
		if (twin == UINT32_MAX) {
			put_slot(r, slot, at);
		} else if (r->of != NULL) {
			uint32_t *k = yg_vec_add(&r->killed, sizeof *k);
			if (k == NULL)
				return false;
			*k = (uint32_t)at;
		} else if (!r->changing) {
			kill_at(r, at);
		}
	}
	return true;
}

/* An index with room for one more. */
static yg_status index_ready(struct yg_dns_records *r, struct yg_err *err)
{
	if (r->slots != NULL && r->slot_used + 1 < r->slot_count / 4 * 3)
		return YG_OK;
	yg_status st = index_room(r, err);
	if (st == YG_OK)
		(void)index_from(r, 0);
	return st;
}

bool yg_dns_records_is_large(const struct yg_dns_records *r)
{
	return r->pages.p != NULL || r->of != NULL;
}

bool yg_dns_records_is_indexed(const struct yg_dns_records *r)
{
	return r->slots != NULL;
}

yg_status yg_dns_records_view_index(struct yg_dns_records *view)
{
	if (view->of == NULL)
		return YG_OK;
	uint64_t turn = view->index_turn;
	yg_status st = index_room(view, NULL);
	view->index_turn = turn;
	if (st == YG_OK && !index_from(view, 0)) {
		drop_index(view);
		st = YG_NOMEM;
	}
	return st;
}

void yg_dns_records_take_index(struct yg_dns_records *r, struct yg_dns_records *view)
{
	const uint32_t *k = view->killed.p;
	/* another one, one that was indexed meanwhile, or much larger now */
	if (view->of != r || view->slots == NULL || r->slots != NULL || r->changing ||
	    r->index_turn != view->index_turn ||
	    view->slot_used + (r->b.n - view->b.n) / HEAD >= view->slot_count / 4 * 3)
		return;
	r->slots = view->slots;
	r->in_slots = view->in_slots;
	r->slot_count = view->slot_count;
	r->slot_used = view->slot_used;
	view->slots = NULL;
	view->in_slots = (struct yg_pages){.fd = -1};
	for (size_t i = 0; i < view->killed.n; i++)
		kill_at(r, k[i]);
	(void)index_from(r, view->b.n);
}

/* ---- changes ---- */

static bool is_top_soa(const struct yg_dns_records *r, const struct yg_zone_rr *rr)
{
	return rr->type == YG_DNS_SOA && r->has_origin && yg_dns_name_eq(rr->owner, &r->origin);
}

yg_status yg_dns_records_add(struct yg_dns_records *r, const struct yg_zone_rr *rr,
			     struct yg_err *err)
{
	if (!r->has_origin) {
		if (rr->type != YG_DNS_SOA)
			return YG_FAIL(err, YG_PARSE,
				       "line %llu: the zone does not begin with its SOA record",
				       (unsigned long long)rr->line);
		r->origin = *rr->owner;
		r->has_origin = true;
	}
	if (rr->rdata.n > UINT16_MAX)
		return YG_FAIL(err, YG_LIMIT, "a record of more than 65535 octets");
	yg_breathe(YG_BREATH_RECORD);
	yg_status st = r->slots != NULL ? index_ready(r, err) : YG_OK;
	if (st == YG_OK)
		st = room(r, rr, err);
	if (st != YG_OK)
		return st;
	size_t at = r->b.n;
	yg_dns_record_pack(&r->b, rr, &r->origin, 0);
	if (r->b.bad)
		return YG_FAIL(err, YG_LIMIT, "the zone is larger than it may be");
	r->count++;
	if (r->slots != NULL) {
		uint32_t twin;
		size_t slot = slot_of(r, at, &twin);
		if (twin != UINT32_MAX) {
			r->b.n = at;
			r->count--;
			return YG_OK;
		}
		put_slot(r, slot, at);
	}
	if (is_top_soa(r, rr))
		r->soa = (uint32_t)at + 1;
	return YG_OK;
}

/* Where the record is: YG_OK | YG_NOTFOUND | YG_NOMEM | YG_LIMIT. */
static yg_status locate(struct yg_dns_records *r, const struct yg_zone_rr *rr, uint32_t *out,
			struct yg_err *err)
{
	yg_status st = index_ready(r, err);
	if (st == YG_OK)
		st = room(r, rr, err);
	if (st != YG_OK)
		return st;
	size_t at = r->b.n; /* packed behind the others to be compared */
	yg_dns_record_pack(&r->b, rr, r->has_origin ? &r->origin : NULL, 0);
	if (r->b.bad)
		return YG_FAIL(err, YG_LIMIT, "the zone is larger than it may be");
	(void)slot_of(r, at, out);
	r->b.n = at;
	return *out != UINT32_MAX
		       ? YG_OK
		       : YG_FAIL(err, YG_NOTFOUND, "a record that is to go is not in the zone");
}

bool yg_dns_records_has(struct yg_dns_records *r, const struct yg_zone_rr *rr)
{
	uint32_t at;
	return locate(r, rr, &at, NULL) == YG_OK;
}

yg_status yg_dns_records_remove(struct yg_dns_records *r, const struct yg_zone_rr *rr,
				struct yg_err *err)
{
	uint32_t o = 0;
	yg_status st = locate(r, rr, &o, err);
	if (st != YG_OK)
		return st;
	if (r->changing && o < r->mark_n) {
		uint32_t *k = yg_vec_add(&r->killed, sizeof *k);
		if (k == NULL)
			return YG_FAIL(err, YG_NOMEM, "no memory to change a zone");
		*k = o;
	}
	kill_at(r, o);
	return YG_OK;
}

void yg_dns_records_begin(struct yg_dns_records *r)
{
	(void)index_ready(r, NULL); /* without memory the first removal says so */
	r->changing = true;
	r->mark_n = r->b.n;
	r->mark_count = r->count;
	r->mark_soa = r->soa;
	r->killed.n = 0;
}

bool yg_dns_records_prepare(struct yg_dns_records *r)
{
	const uint32_t *had = r->slots;
	(void)index_ready(r, NULL);
	return r->slots != had;
}

void yg_dns_records_undo(struct yg_dns_records *r)
{
	const uint32_t *k = r->killed.p;
	for (size_t i = 0; i < r->killed.n; i++) {
		__atomic_store_n(&r->b.p[k[i]], (char)(r->b.p[k[i]] & ~F_DEAD), __ATOMIC_RELAXED);
		r->dead_bytes -= size_at(r, k[i]);
	}
	for (size_t at = r->mark_n; at < r->b.n; at += size_at(r, at))
		if ((r->b.p[at] & F_DEAD) != 0)
			r->dead_bytes -= size_at(r, at);
	r->b.n = r->mark_n;
	r->b.bad = false;
	r->count = r->mark_count;
	r->soa = r->mark_soa;
	r->changing = false;
	drop_index(r);
}

/* Without the dead ones, when they are half of it. */
static void compact(struct yg_dns_records *r)
{
	size_t to = 0;
	for (size_t at = 0, n; at < r->b.n; at += n) {
		n = size_at(r, at);
		if ((r->b.p[at] & F_DEAD) != 0)
			continue;
		if (r->soa == at + 1)
			r->soa = (uint32_t)to + 1;
		if (to != at)
			memmove(r->b.p + to, r->b.p + at, n);
		to += n;
	}
	r->b.n = to;
	r->dead_bytes = 0;
	drop_index(r);
}

void yg_dns_records_commit(struct yg_dns_records *r)
{
	r->changing = false;
	r->killed.n = 0;
	if (r->dead_bytes > r->b.n / 2 && r->views == 0)
		compact(r);
}

/* ---- reading ---- */

bool yg_dns_records_next(const struct yg_dns_records *r, size_t *at, struct yg_dns_name *owner,
			 struct yg_zone_rr *rr)
{
	uint8_t mark;
	while (*at < r->b.n) {
		struct yg_sv rest = {r->b.p + *at, r->b.n - *at};
		bool dead = is_dead(r->b.p + *at);
		yg_breathe(YG_BREATH_STEP);
		*at += size_at(r, *at);
		if (!dead)
			return yg_dns_record_unpack(&rest, r->has_origin ? &r->origin : NULL, &mark,
						    owner, rr);
	}
	return false;
}

bool yg_dns_records_next_if(const struct yg_dns_records *r, size_t *at,
			    bool (*may)(const void *ctx, struct yg_sv front), const void *ctx,
			    struct yg_dns_name *owner, struct yg_zone_rr *rr)
{
	while (*at < r->b.n) {
		const uint8_t *p = (const uint8_t *)r->b.p + *at;
		bool below = (p[0] & (F_DEAD | F_BELOW)) == F_BELOW;
		yg_breathe(YG_BREATH_STEP);
		if ((p[0] & F_DEAD) == 0 &&
		    (!below || may(ctx, (struct yg_sv){(const char *)p + HEAD, p[2]})))
			return yg_dns_records_next(r, at, owner, rr);
		*at += size_at(r, *at);
	}
	return false;
}

const struct yg_dns_name *yg_dns_records_origin(const struct yg_dns_records *r)
{
	return r->has_origin ? &r->origin : NULL;
}

bool yg_dns_records_soa(const struct yg_dns_records *r, struct yg_dns_name *owner,
			struct yg_zone_rr *rr)
{
	size_t at = r->soa - (size_t)1;
	return r->soa != 0 && yg_dns_records_next(r, &at, owner, rr);
}

uint64_t yg_dns_records_count(const struct yg_dns_records *r)
{
	return r->count;
}

uint64_t yg_dns_records_bytes(const struct yg_dns_records *r)
{
	return r->b.n + r->slot_count * sizeof *r->slots;
}

bool yg_dns_soa_read(struct yg_sv rdata, struct yg_dns_soa *out)
{
	struct yg_dns_name name;
	const uint8_t *p = (const uint8_t *)rdata.p;
	size_t at = 0;
	for (unsigned i = 0; i < 2; i++) /* the server's and the person's */
		if (yg_dns_name_read_plain(p, rdata.n, &at, &name) != YG_OK)
			return false;
	if (rdata.n - at != 20)
		return false;
	*out = (struct yg_dns_soa){yg_dns_get32(p + at), yg_dns_get32(p + at + 4),
				   yg_dns_get32(p + at + 8), yg_dns_get32(p + at + 12),
				   yg_dns_get32(p + at + 16)};
	return true;
}

/* ---- on disk ---- */

/* The living ones, as many as lie behind one another, and no more than a while. */
bool yg_dns_records_run(const struct yg_dns_records *r, size_t *at, struct yg_sv *out)
{
	size_t from = *at, to;
	while (from < r->b.n && is_dead(r->b.p + from))
		from += size_at(r, from);
	for (to = from; to < r->b.n && to - from < RUN && !is_dead(r->b.p + to);)
		to += size_at(r, to);
	*at = to;
	*out = (struct yg_sv){r->b.p + from, to - from};
	return to > from;
}

void yg_dns_records_head(const struct yg_dns_records *r, uint32_t crc, struct yg_buf *out)
{
	yg_buf_put(out, MAGIC);
	yg_wr_le32(out, crc);
	yg_wr_sv32(out, r->has_origin ? (struct yg_sv){(const char *)r->origin.b, r->origin.n}
				      : YG_SV(""));
}

void yg_dns_records_save(const struct yg_dns_records *r, struct yg_buf *out)
{
	size_t at = 0, head = out->n;
	uint32_t crc = 0;
	struct yg_sv run;
	yg_dns_records_head(r, 0, out);
	while (yg_dns_records_run(r, &at, &run)) {
		yg_buf_put(out, run);
		crc = yg_crc32c(crc, run.p, run.n);
	}
	if (!out->bad)
		memcpy(out->p + head + YG_DNS_RECORDS_CRC_AT, &crc, sizeof crc);
}

yg_status yg_dns_records_load(struct yg_dns_records *r, struct yg_sv bytes, struct yg_err *err)
{
	struct yg_rd rd = yg_rd_init(bytes.p, bytes.n);
	const uint8_t *magic = yg_rd_take(&rd, MAGIC.n);
	uint32_t crc = yg_rd_le32(&rd);
	struct yg_sv origin = yg_rd_sv32(&rd);
	struct yg_dns_name owner;
	struct yg_zone_rr rr;
	size_t at = 0;
	uint8_t mark;
	if (rd.bad || memcmp(magic, MAGIC.p, MAGIC.n) != 0 ||
	    yg_dns_name_read_plain((const uint8_t *)origin.p, origin.n, &at, &owner) != YG_OK)
		return YG_FAIL(err, YG_PARSE, "not a zone that was kept");
	struct yg_sv rest = {(const char *)rd.p, yg_rd_left(&rd)};
	if (yg_crc32c(0, rest.p, rest.n) != crc)
		return YG_FAIL(err, YG_PARSE, "the checksum of the kept zone is wrong");
	if (r->has_origin && !yg_dns_name_eq(&owner, &r->origin))
		return YG_FAIL(err, YG_PARSE, "the kept zone has another name");
	struct yg_dns_name top = owner;
	r->origin = top;
	r->has_origin = true;
	yg_status st = YG_OK;
	while (st == YG_OK && rest.n > 0) {
		bool dead = is_dead(rest.p); /* it went while it was written */
		if (!yg_dns_record_unpack(&rest, &top, &mark, &owner, &rr))
			break;
		st = dead ? YG_OK : yg_dns_records_add(r, &rr, err);
	}
	return st != YG_OK || rest.n == 0 ? st : YG_FAIL(err, YG_PARSE, "the kept zone is broken");
}
