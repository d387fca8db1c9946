#include "detect/notice.h"

#include <stdlib.h>

#include "detect/notice_internal.h"

#define MAGIC    "YGNOTE\r\n"
#define VERSION  2U
#define HEAD     24U
#define HEAD_MAX (YG_NOTICE_KEY_MAX - 17)

static const struct {
	size_t bytes;
	bool (*valid)(const union yg_nt_state *s);
} kinds[YG_NOTICE_KIND_COUNT] = {
#define ROW(K, part)                                                                               \
	[YG_NOTICE_##K] = {.bytes = sizeof(((union yg_nt_state *)NULL)->part),                     \
			   .valid = yg_nt_##part##_valid}
	ROW(BEACON, beacon), ROW(SPRAY, spray),     ROW(TRAVEL, travel), ROW(SCAN, scan),
	ROW(VOLUME, volume), ROW(SILENCE, silence), ROW(FLOOD, flood),
#undef ROW
};
static const struct {
	const char *name, *en, *ja;
} words[YG_NOTICE_KIND_COUNT] = {
#define X(K, name, en, ja) [YG_NOTICE_##K] = {name, en, ja},
	YG_NOTICE_KINDS(X)
#undef X
};

const char *yg_notice_name(enum yg_notice_kind k)
{
	return words[k].name;
}

const char *yg_notice_title(enum yg_notice_kind k, bool japanese)
{
	return japanese ? words[k].ja : words[k].en;
}

yg_status yg_notice_parse(struct yg_sv name, enum yg_notice_kind *out)
{
	for (int k = 0; k < YG_NOTICE_KIND_COUNT; k++) {
		if (yg_sv_eq(name, yg_sv_of(yg_notice_name((enum yg_notice_kind)k)))) {
			*out = (enum yg_notice_kind)k;
			return YG_OK;
		}
	}
	return YG_PARSE;
}

/* ---- tables ---- */

yg_status yg_notices_new(const struct yg_notices_opts *opts, const struct yg_env *env,
			 struct yg_notices **out, struct yg_err *err)
{
	if (opts->keys == 0 || opts->keys > YG_NOTICE_KEYS)
		return YG_FAIL(err, YG_INVAL, "expected 1 to %d keys", YG_NOTICE_KEYS);
	struct yg_notices *n = calloc(1, sizeof *n);
	if (n == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for findings");
	n->opts = *opts;
	env->random(env->ctx, n->key, sizeof n->key);
	for (size_t k = 0; k < YG_NOTICE_KIND_COUNT; k++) {
		struct yg_nt_table *t = &n->tables[k];
		t->bucket_count = 64;
		t->words = kinds[k].bytes / 8;
		t->buckets = calloc(t->bucket_count, sizeof(void *));
		if (t->buckets == NULL) {
			yg_notices_free(n);
			return YG_FAIL(err, YG_NOMEM, "no memory for findings");
		}
	}
	*out = n;
	return YG_OK;
}

static void unlink_entry(struct yg_nt_table *t, struct yg_nt_entry *e)
{
	*(e->prev != NULL ? &e->prev->next : &t->first) = e->next;
	*(e->next != NULL ? &e->next->prev : &t->last) = e->prev;
}

static void link_last(struct yg_nt_table *t, struct yg_nt_entry *e)
{
	e->prev = t->last;
	e->next = NULL;
	*(t->last != NULL ? &t->last->next : &t->first) = e;
	t->last = e;
}

static void remove_first(struct yg_nt_table *t)
{
	struct yg_nt_entry *e = t->first;
	struct yg_nt_entry **at = &t->buckets[e->hash & (t->bucket_count - 1)];
	while (*at != e)
		at = &(*at)->in_bucket;
	*at = e->in_bucket;
	unlink_entry(t, e);
	t->count--;
	free(e);
}

static void clear(struct yg_notices *n)
{
	n->now = 0;
	n->ahead = 0;
	for (size_t k = 0; k < YG_NOTICE_KIND_COUNT; k++) {
		struct yg_nt_table *t = &n->tables[k];
		while (t->first != NULL)
			remove_first(t);
		t->current = NULL;
		t->evicted = 0;
		t->late = 0;
		t->told = 0;
	}
}

void yg_notices_free(struct yg_notices *n)
{
	if (n == NULL)
		return;
	clear(n);
	for (size_t k = 0; k < YG_NOTICE_KIND_COUNT; k++)
		free(n->tables[k].buckets);
	free(n);
}

static void more_buckets(struct yg_nt_table *t)
{
	size_t count = t->bucket_count * 2;
	struct yg_nt_entry **b = calloc(count, sizeof(void *));
	if (b == NULL)
		return; /* longer chains do too */
	for (struct yg_nt_entry *e = t->first; e != NULL; e = e->next) {
		e->in_bucket = b[e->hash & (count - 1)];
		b[e->hash & (count - 1)] = e;
	}
	free(t->buckets);
	t->buckets = b;
	t->bucket_count = count;
}

static struct yg_nt_entry *find(const struct yg_nt_table *t, uint64_t hash, struct yg_sv key)
{
	struct yg_nt_entry *e = t->buckets[hash & (t->bucket_count - 1)];
	while (e != NULL && (e->hash != hash || !yg_sv_eq((struct yg_sv){e->key, e->key_n}, key)))
		e = e->in_bucket;
	return e;
}

static struct yg_nt_entry *add(struct yg_nt_table *t, uint64_t hash, struct yg_sv key)
{
	struct yg_nt_entry *e = calloc(1, sizeof *e + t->words * 8 + key.n + 1);
	if (e == NULL)
		return NULL;
	e->hash = hash;
	e->state = (union yg_nt_state *)(void *)(e + 1);
	e->key = (char *)(e + 1) + t->words * 8;
	e->key_n = (uint32_t)key.n;
	if (key.n > 0)
		memcpy(e->key, key.p, key.n);
	if (t->count >= t->bucket_count)
		more_buckets(t);
	e->in_bucket = t->buckets[hash & (t->bucket_count - 1)];
	t->buckets[hash & (t->bucket_count - 1)] = e;
	link_last(t, e);
	t->count++;
	return e;
}

/* The state of a key, all zero when it is new; it is the one seen last now. */
static union yg_nt_state *get(struct yg_notices *n, enum yg_notice_kind k, struct yg_sv key)
{
	struct yg_nt_table *t = &n->tables[k];
	uint64_t hash = yg_siphash(n->key, key.p, key.n);
	struct yg_nt_entry *e = find(t, hash, key);
	if (e != NULL) {
		unlink_entry(t, e);
		link_last(t, e);
	} else {
		if (t->count >= n->opts.keys) {
			remove_first(t);
			t->evicted++;
		}
		e = add(t, hash, key);
	}
	t->current = e;
	return e != NULL ? e->state : NULL;
}

struct yg_sv yg_nt_key(const struct yg_notices *n, enum yg_notice_kind k)
{
	const struct yg_nt_entry *e = n->tables[k].current;
	return (struct yg_sv){e->key, e->key_n};
}

void yg_nt_tell(struct yg_notices *n, const struct yg_notice *notice, const struct yg_nt_out *out)
{
	n->tables[notice->kind].told++;
	if (out->told != NULL)
		out->told(out->ctx, notice);
}

unsigned yg_nt_score(double s)
{
	return !(s > 1) ? 1 : s >= 100 ? 100 : (unsigned)(s + 0.5);
}

bool yg_nt_time_ok(int64_t t)
{
	return t >= 0 && t <= YG_NT_TIME_MAX;
}

bool yg_nt_finite(double d)
{
	return d > -1e300 && d < 1e300;
}

struct yg_notice_counts yg_notices_counts(const struct yg_notices *n, enum yg_notice_kind k)
{
	const struct yg_nt_table *t = &n->tables[k];
	return (struct yg_notice_counts){t->count, t->evicted, t->late, t->told};
}

uint64_t yg_notices_ahead(const struct yg_notices *n)
{
	return n->ahead;
}

/* ---- events in ---- */

static bool takes(struct yg_notices *n, int64_t time)
{
	if (!yg_nt_time_ok(time))
		return false;
	if (n->now == 0 || time <= n->now + YG_NOTICE_AHEAD)
		return true;
	n->ahead++;
	return false;
}

struct key {
	char text[YG_NOTICE_KEY_MAX + 1];
	struct yg_sb b;
};

/* ASCII letters fold; of a long name its head and a hash of all of it. */
static void put_name(const struct yg_notices *n, struct key *to, struct yg_sv s)
{
	size_t count = s.n > YG_NOTICE_KEY_MAX ? HEAD_MAX : s.n;
	for (size_t i = 0; i < count; i++)
		yg_sb_putc(&to->b, (char)(s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] + 32 : s.p[i]));
	if (s.n > YG_NOTICE_KEY_MAX) {
		uint64_t hash = yg_siphash(n->key, s.p, s.n);
		yg_sb_putc(&to->b, '#');
		yg_sb_hex(&to->b, &hash, sizeof hash);
	}
}

static void put_service(struct key *to, struct yg_ip ip, uint16_t port)
{
	if (!yg_ip_is_v4(ip))
		yg_sb_putc(&to->b, '[');
	yg_ip_format(&to->b, ip);
	if (!yg_ip_is_v4(ip))
		yg_sb_putc(&to->b, ']');
	yg_sb_printf(&to->b, ":%u", (unsigned)port);
}

static void begin(struct key *k)
{
	k->b = yg_sb_init(k->text, sizeof k->text);
}

/* From a service that its destination has tried in the last hour: no scan, but whatever else a
 * connection is, for whoever was tried once could hide behind it. */
static bool is_answer(const struct yg_notices *n, const struct yg_notice_connection *c)
{
	struct key dst;
	if (c->src_port == 0)
		return false;
	begin(&dst);
	yg_ip_format(&dst.b, c->dst);
	struct yg_sv key = yg_sb_sv(&dst.b);
	const struct yg_nt_entry *e =
		find(&n->tables[YG_NOTICE_SCAN], yg_siphash(n->key, key.p, key.n), key);
	return e != NULL && yg_nt_scan_asked(n, &e->state->scan, c);
}

yg_status yg_notices_connection(struct yg_notices *n, const struct yg_notice_connection *c,
				yg_notice_fn *told, void *ctx)
{
	struct yg_nt_out out = {told, ctx};
	struct key src, service, pair;
	union yg_nt_state *s = NULL;
	bool nomem = false;
	if (!takes(n, c->time.us) || yg_ip_is_zero(c->src) || yg_ip_is_zero(c->dst))
		return YG_OK;
	begin(&src);
	begin(&service);
	begin(&pair);
	yg_ip_format(&src.b, c->src);
	put_service(&service, c->dst, c->port);
	yg_sb_put(&pair.b, yg_sb_sv(&src.b));
	yg_sb_put(&pair.b, YG_SV(" > "));
	yg_sb_put(&pair.b, yg_sb_sv(&service.b));
	if (!is_answer(n, c)) {
		if ((s = get(n, YG_NOTICE_SCAN, yg_sb_sv(&src.b))) != NULL) {
			s->scan.outside = !c->src_inside;
			yg_nt_scan_see(n, &s->scan, c, &out);
		}
		nomem = s == NULL;
	}
	if (c->src_inside && !c->dst_inside) {
		if ((s = get(n, YG_NOTICE_BEACON, yg_sb_sv(&pair.b))) != NULL)
			yg_nt_beacon_see(n, &s->beacon, c->time.us, &out);
		nomem = nomem || s == NULL;
		if ((s = get(n, YG_NOTICE_VOLUME, yg_sb_sv(&src.b))) != NULL)
			yg_nt_volume_see(n, &s->volume, c->time.us, c->bytes_out, &out);
		nomem = nomem || s == NULL;
	}
	if (c->dst_inside) {
		if ((s = get(n, YG_NOTICE_FLOOD, yg_sb_sv(&service.b))) != NULL)
			yg_nt_flood_see(n, &s->flood, c->time.us, c->src, &out);
		nomem = nomem || s == NULL;
	}
	return nomem ? YG_NOMEM : YG_OK;
}

yg_status yg_notices_login(struct yg_notices *n, const struct yg_notice_login *l,
			   yg_notice_fn *told, void *ctx)
{
	struct yg_nt_out out = {told, ctx};
	struct key user, src;
	struct yg_notice_login folded = *l;
	union yg_nt_state *s;
	bool nomem = false;
	if (!takes(n, l->time.us) || l->user.n == 0)
		return YG_OK;
	begin(&user);
	begin(&src);
	put_name(n, &user, l->user);
	yg_ip_format(&src.b, l->src);
	folded.user = yg_sb_sv(&user.b);
	if (!yg_ip_is_zero(l->src)) {
		if ((s = get(n, YG_NOTICE_SPRAY, yg_sb_sv(&src.b))) != NULL)
			yg_nt_spray_see(n, &s->spray, &folded, &out);
		nomem = s == NULL;
	}
	if (l->ok && l->placed && l->latitude >= -90 && l->latitude <= 90 && l->longitude >= -180 &&
	    l->longitude <= 180 && l->radius >= 0 && l->radius < 1e5) {
		if ((s = get(n, YG_NOTICE_TRAVEL, yg_sb_sv(&user.b))) != NULL)
			yg_nt_travel_see(n, &s->travel, &folded, &out);
		nomem = nomem || s == NULL;
	}
	return nomem ? YG_NOMEM : YG_OK;
}

yg_status yg_notices_record(struct yg_notices *n, struct yg_sv source, yg_wall time)
{
	struct key key;
	if (!takes(n, time.us) || source.n == 0)
		return YG_OK;
	begin(&key);
	put_name(n, &key, source);
	union yg_nt_state *s = get(n, YG_NOTICE_SILENCE, yg_sb_sv(&key.b));
	if (s == NULL)
		return YG_NOMEM;
	yg_nt_silence_see(&s->silence, time.us);
	return YG_OK;
}

void yg_notices_clock(struct yg_notices *n, yg_wall now)
{
	if (yg_nt_time_ok(now.us))
		n->now = YG_MAX(n->now, now.us);
}

void yg_notices_tick(struct yg_notices *n, yg_wall now, yg_notice_fn *told, void *ctx)
{
	struct yg_nt_out out = {told, ctx};
	struct yg_nt_table *silence = &n->tables[YG_NOTICE_SILENCE];
	struct yg_nt_table *flood = &n->tables[YG_NOTICE_FLOOD];
	if (!yg_nt_time_ok(now.us))
		return;
	n->now = YG_MAX(n->now, now.us);
	for (struct yg_nt_entry *e = silence->first; e != NULL; e = e->next) {
		silence->current = e;
		yg_nt_silence_tick(n, &e->state->silence, now.us, &out);
	}
	for (struct yg_nt_entry *e = flood->first; e != NULL; e = e->next) {
		flood->current = e;
		yg_nt_flood_until(n, &e->state->flood, now.us, &out);
	}
}

/* ---- saved ---- */

yg_status yg_notices_save(const struct yg_notices *n, struct yg_buf *out)
{
	size_t begin_at = out->n;
	yg_buf_put(out, YG_SV(MAGIC));
	yg_wr_le32(out, VERSION);
	yg_wr_le32(out, 0);
	yg_wr_le64(out, 0);
	yg_buf_put(out, (struct yg_sv){(const char *)n->key, sizeof n->key});
	yg_wr_le64(out, (uint64_t)n->now);
	yg_wr_le64(out, n->ahead);
	for (size_t k = 0; k < YG_NOTICE_KIND_COUNT; k++) {
		const struct yg_nt_table *t = &n->tables[k];
		yg_wr_le64(out, t->evicted);
		yg_wr_le64(out, t->late);
		yg_wr_le64(out, t->told);
		yg_wr_le64(out, t->count);
		for (const struct yg_nt_entry *e = t->first; e != NULL; e = e->next) {
			yg_wr_sv32(out, (struct yg_sv){e->key, e->key_n});
			for (size_t i = 0; i < t->words; i++) {
				uint64_t word;
				memcpy(&word, (const char *)e->state + i * 8, sizeof word);
				yg_wr_le64(out, word);
			}
		}
	}
	if (out->bad)
		return yg_buf_done(out);
	uint64_t length = out->n - begin_at - HEAD;
	uint32_t crc = yg_crc32c(0, out->p + begin_at + HEAD, length);
	memcpy(out->p + begin_at + 12, &crc, sizeof crc);
	memcpy(out->p + begin_at + 16, &length, sizeof length);
	return YG_OK;
}

static bool get_table(struct yg_notices *n, size_t k, struct yg_rd *r, bool *nomem)
{
	struct yg_nt_table *t = &n->tables[k];
	t->evicted = yg_rd_le64(r);
	t->late = yg_rd_le64(r);
	t->told = yg_rd_le64(r);
	uint64_t count = yg_rd_le64(r);
	for (uint64_t i = 0; i < count; i++) {
		struct yg_sv key = yg_rd_sv32(r);
		const uint8_t *bytes = yg_rd_take(r, t->words * 8);
		uint64_t hash = yg_siphash(n->key, key.p, key.n);
		if (r->bad || key.n == 0 || key.n > YG_NOTICE_KEY_MAX || find(t, hash, key) != NULL)
			return false;
		if (t->count >= n->opts.keys) { /* there are to be fewer now */
			remove_first(t);
			t->evicted++;
		}
		struct yg_nt_entry *e = add(t, hash, key);
		if (e == NULL) {
			*nomem = true;
			return false;
		}
		memcpy(e->state, bytes, t->words * 8);
		if (!kinds[k].valid(e->state))
			return false;
	}
	return true;
}

yg_status yg_notices_restore(struct yg_notices *n, struct yg_sv bytes, struct yg_err *err)
{
	struct yg_rd r = yg_rd_init(bytes.p, bytes.n);
	const uint8_t *magic = yg_rd_take(&r, 8);
	uint32_t version = yg_rd_le32(&r), crc = yg_rd_le32(&r);
	uint64_t length = yg_rd_le64(&r);
	uint8_t own[16];
	bool ok = true, nomem = false;
	if (r.bad || memcmp(magic, MAGIC, 8) != 0)
		return YG_FAIL(err, YG_CORRUPT, "this is no saved state of findings");
	if (version != VERSION)
		return YG_FAIL(err, YG_CORRUPT, "saved state of version %u, expected %u", version,
			       VERSION);
	if (length != yg_rd_left(&r) || yg_crc32c(0, r.p, length) != crc)
		return YG_FAIL(err, YG_CORRUPT, "the saved state is torn or changed");
	memcpy(own, n->key, sizeof own);
	clear(n);
	const uint8_t *key = yg_rd_take(&r, sizeof n->key);
	if (key != NULL)
		memcpy(n->key, key, sizeof n->key);
	n->now = (int64_t)yg_rd_le64(&r);
	n->ahead = yg_rd_le64(&r);
	ok = yg_nt_time_ok(n->now);
	for (size_t k = 0; ok && k < YG_NOTICE_KIND_COUNT; k++)
		ok = get_table(n, k, &r, &nomem);
	if (ok && yg_rd_done(&r))
		return YG_OK;
	clear(n);
	memcpy(n->key, own, sizeof own);
	return nomem ? YG_FAIL(err, YG_NOMEM, "no memory for the saved state")
		     : YG_FAIL(err, YG_CORRUPT, "the saved state contradicts itself");
}
