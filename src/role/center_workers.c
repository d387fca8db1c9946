/* What center asks of the workers (batches, counters) and of the event store. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "event/table.h"
#include "format/json.h"
#include "org/source.h"
#include "os/file.h"
#include "role/center.h"
#include "store/backup.h"

#define SUBMIT_TIMEOUT_MS   30000 /* an fsync on a busy disk; then 503, and the batch id settles it */
#define STATS_TIMEOUT_MS    2000
#define STARTED_TOGETHER_US (10 * YG_US_PER_S)

static yg_status call(const char *path, struct yg_sv frame, uint32_t reply_type,
		      struct yg_buf *reply, uint32_t timeout_ms, struct yg_err *err)
{
	YG_AUTO(yg_fd_close) int sock = -1;
	int fd = -1;
	struct yg_ipc_head head = {0};
	yg_status st = yg_ipc_connect(path, &sock, err);
	if (st == YG_OK)
		st = yg_ipc_send(sock, frame, -1, timeout_ms, err);
	if (st == YG_OK)
		st = yg_ipc_recv(sock, reply, &head, yg_ipc_max(reply_type), &fd, timeout_ms, err);
	yg_fd_close(&fd);
	if (st == YG_OK && (head.type != reply_type ||
			    !yg_ipc_allowed(head.type, head.n, YG_R_INGEST, YG_R_CENTER)))
		st = YG_FAIL(err, YG_INTERNAL, "the worker answered with a message of type %u",
			     head.type);
	return st;
}

static void worker_path(char *path, size_t n, uint32_t worker)
{
	(void)snprintf(path, n, "run/ingest-%u.sock", worker);
}

static void put_submit(struct yg_buf *b, const struct yg_submit *s)
{
	size_t at = yg_ipc_begin(b, YG_IPC_SUBMIT);
	yg_wr_le8(b, (uint8_t)s->source);
	yg_wr_le8(b, (uint8_t)s->encoding);
	yg_wr_le8(b, 0);
	yg_wr_le8(b, 0);
	yg_wr_le64(b, (uint64_t)s->received.us);
	yg_wr_sv32(b, s->org);
	yg_wr_sv32(b, s->sensor);
	yg_wr_sv32(b, s->mapping);
	yg_wr_sv32(b, s->batch);
	yg_wr_sv32(b, s->bytes);
	yg_ipc_end(b, at);
}

yg_status center_submit(void *ctx, const struct yg_submit *s, struct yg_arena *arena,
			struct yg_submitted *out, struct yg_err *err)
{
	char path[64];
	YG_AUTO(yg_buf_free) struct yg_buf frame = {0};
	YG_AUTO(yg_buf_free) struct yg_buf reply = {0};
	(void)ctx;
	yg_buf_init(&frame, YG_BATCH_MAX + 8192);
	yg_buf_init(&reply, 4096);
	put_submit(&frame, s);
	if (frame.bad)
		return YG_FAIL(err, YG_NOMEM, "no memory for the batch");
	worker_path(path, sizeof path, s->worker);
	yg_status st =
		call(path, yg_buf_sv(&frame), YG_IPC_SUBMIT_REPLY, &reply, SUBMIT_TIMEOUT_MS, err);
	if (st != YG_OK)
		return yg_err_set(err, YG_AGAIN, 0, __FILE__,
				  "the worker that takes this batch does not answer");
	struct yg_rd rd = yg_rd_init(reply.p, reply.n);
	out->status = (yg_status)yg_rd_le32(&rd);
	out->duplicate = (yg_rd_le32(&rd) & 1) != 0;
	out->retry_after_ms = (int64_t)yg_rd_le64(&rd);
	out->message = yg_arena_dup(arena, yg_rd_sv32(&rd));
	return out->message.p != NULL ? YG_OK
				      : YG_FAIL(err, YG_NOMEM, "no memory for the worker's answer");
}

/* --- counters --- */

/* What a worker had dropped of one source when it was asked last.  All else comes
 * with its batches (COUNTS), once; what was never in a batch can only be asked for. */
struct baseline {
	uint32_t worker;
	int64_t started; /* of the worker: another one counts from zero */
	char key[448];   /* org, source, sensor with tabs between */
	int64_t dropped;
};

void center_baselines_free(struct center *c)
{
	free(c->baselines);
	c->baselines = NULL;
	c->baseline_count = c->baseline_cap = 0;
}

static struct baseline *find_baseline(struct center *c, uint32_t worker, const char *key,
				      bool *out_new)
{
	for (size_t i = 0; i < c->baseline_count; i++) {
		*out_new = false;
		if (c->baselines[i].worker == worker && strcmp(c->baselines[i].key, key) == 0)
			return &c->baselines[i];
	}
	*out_new = true;
	if (c->baseline_count == c->baseline_cap) {
		size_t cap = c->baseline_cap == 0 ? 64 : c->baseline_cap * 2;
		struct baseline *more =
			cap <= 65536 ? realloc(c->baselines, cap * sizeof *more) : NULL;
		if (more == NULL)
			return NULL;
		c->baselines = more;
		c->baseline_cap = cap;
	}
	struct baseline *b = &c->baselines[c->baseline_count++];
	*b = (struct baseline){.worker = worker};
	(void)snprintf(b->key, sizeof b->key, "%s", key);
	return b;
}

struct stats { /* one answer of one worker */
	struct center *c;
	uint32_t worker;
	struct yg_json json;
	struct yg_arena *arena;
	int64_t started;
	bool first;                 /* of this worker process that we see */
	struct yg_source_row *rows; /* deltas, arena */
	size_t row_count;
};

static struct yg_sv text_of(struct stats *s, uint32_t obj, const char *key)
{
	uint32_t at = yg_json_get(&s->json, obj, yg_sv_of(key));
	struct yg_sv v = at != 0 ? yg_json_str(&s->json, at, s->arena) : YG_SV("");
	return v.p != NULL ? v : YG_SV("");
}

static int64_t number_of(struct stats *s, uint32_t obj, const char *key)
{
	uint32_t at = yg_json_get(&s->json, obj, yg_sv_of(key));
	return at != 0 ? yg_json_i64(&s->json, at, 0) : 0;
}

static bool truth_of(struct stats *s, uint32_t obj, const char *key)
{
	uint32_t at = yg_json_get(&s->json, obj, yg_sv_of(key));
	return at != 0 && yg_json_at(&s->json, at)->type == YG_JSON_TRUE;
}

/* A worker that ran before us may have counted what is in the table already: its
 * first answer is where we begin.  One that began with us or after, and a source
 * that shows later, count whole. */
static void add_delta(struct stats *s, uint32_t obj)
{
	char key[448];
	bool fresh;
	yg_wall last = {0};
	struct yg_source_row *row = &s->rows[s->row_count];
	*row = (struct yg_source_row){.org = text_of(s, obj, "org"),
				      .source = text_of(s, obj, "source"),
				      .sensor = text_of(s, obj, "sensor")};
	struct yg_sb k = yg_sb_init(key, sizeof key);
	yg_sb_put(&k, row->org);
	yg_sb_putc(&k, '\t');
	yg_sb_put(&k, row->source);
	yg_sb_putc(&k, '\t');
	yg_sb_put(&k, row->sensor);
	struct baseline *b = find_baseline(s->c, s->worker, yg_sb_cstr(&k), &fresh);
	if (b == NULL || row->org.n == 0)
		return;
	if (b->started != s->started) {
		bool older = fresh && s->first &&
			     s->started < s->c->api.started.us - STARTED_TOGETHER_US;
		b->dropped = older ? number_of(s, obj, "dropped") : 0;
		b->started = s->started;
	}
	row->dropped = number_of(s, obj, "dropped") - b->dropped;
	if (row->dropped == 0)
		return;
	(void)yg_time_parse(text_of(s, obj, "last_received"), &last, NULL);
	row->first_received = row->last_received = row->last_event = last;
	b->dropped += row->dropped;
	s->row_count++;
}

static void read_sources(struct stats *s)
{
	uint32_t list = yg_json_get(&s->json, 0, YG_SV("sources"));
	if (list == 0 || yg_json_at(&s->json, list)->type != YG_JSON_ARRAY)
		return;
	uint32_t n = yg_json_at(&s->json, list)->n;
	s->rows = YG_NEW_N(s->arena, struct yg_source_row, n + 1);
	for (uint32_t k = 0, at = list + 1; s->rows != NULL && k < n; k++) {
		if (yg_json_at(&s->json, at)->type == YG_JSON_OBJECT)
			add_delta(s, at);
		at = yg_json_at(&s->json, at)->next;
	}
}

/* One line for people about a worker's spools; the worst decides. */
static enum yg_health read_spools(struct stats *s, struct yg_sb *text)
{
	uint32_t list = yg_json_get(&s->json, 0, YG_SV("spools"));
	enum yg_health health = YG_HEALTH_OK;
	if (list == 0 || yg_json_at(&s->json, list)->type != YG_JSON_ARRAY)
		return health;
	for (uint32_t k = 0, at = list + 1; k < yg_json_at(&s->json, list)->n; k++) {
		/* released: batches without a row as well */
		int64_t stored = YG_MAX(number_of(s, at, "stored"), number_of(s, at, "released"));
		center_delivered_spool(&s->c->delivered, (uint32_t)number_of(s, at, "spool"),
				       (uint64_t)number_of(s, at, "durable"), (uint64_t)stored);
		int64_t bytes = number_of(s, at, "bytes"), most = number_of(s, at, "bytes_max");
		int64_t percent = most > 0 ? bytes / YG_MAX(most / 100, 1) : 0;
		if (truth_of(s, at, "store_waiting")) {
			health = YG_HEALTH_DEGRADED;
			yg_sb_put(text, YG_SV("waits for the event store; "));
		}
		int64_t refused = number_of(s, at, "store_refused");
		if (refused > 0) {
			health = YG_HEALTH_DEGRADED;
			yg_sb_printf(text, "%lld batches refused by the event store; ",
				     (long long)refused);
		}
		if (percent >= 80)
			health = YG_HEALTH_DEGRADED;
		yg_sb_printf(text, "spool %lld: %lld %% full; ",
			     (long long)number_of(s, at, "spool"), (long long)percent);
		at = yg_json_at(&s->json, at)->next;
	}
	if (text->n >= 2)
		text->n -= 2;
	return health;
}

/* False: it cannot be read. */
static bool read_stats(struct center *c, uint32_t worker, struct yg_sv json, struct yg_arena *arena,
		       struct yg_state *db, const char *name)
{
	char line[160];
	struct yg_sb text = yg_sb_init(line, sizeof line);
	struct stats s = {.c = c, .worker = worker, .arena = arena};
	yg_wall started = {0};
	yg_json_init(&s.json, 65536);
	bool whole = yg_json_parse(&s.json, json, NULL) == YG_OK &&
		     yg_json_at(&s.json, 0)->type == YG_JSON_OBJECT;
	if (!whole) {
		yg_api_set_part(&c->api, name, YG_HEALTH_DEGRADED,
				YG_SV("its counters cannot be read"), YG_SV(""));
	} else {
		(void)yg_time_parse(text_of(&s, 0, "started"), &started, NULL);
		s.started = started.us;
		s.first = c->worker_started[worker] != s.started;
		c->worker_started[worker] = s.started;
		enum yg_health health = read_spools(&s, &text);
		yg_api_set_part(&c->api, name, health, yg_sb_sv(&text), json);
		read_sources(&s);
		struct yg_err err = {0};
		if (s.row_count > 0 && yg_source_add(db, s.rows, s.row_count, &err) != YG_OK)
			yg_role_log(c->ctx, YG_EV_API_NOTE, YG_KERR(&err));
	}
	yg_json_free(&s.json);
	return whole;
}

static bool look_worker(struct center *c, uint32_t worker, struct yg_arena *arena,
			struct yg_state *db)
{
	char path[64], name[24];
	struct yg_err err = {0};
	YG_AUTO(yg_buf_free) struct yg_buf frame = {0};
	YG_AUTO(yg_buf_free) struct yg_buf reply = {0};
	worker_path(path, sizeof path, worker);
	(void)snprintf(name, sizeof name, "ingest-%u", worker);
	yg_buf_init(&frame, 64);
	yg_buf_init(&reply, yg_ipc_max(YG_IPC_STATS_REPLY));
	yg_ipc_end(&frame, yg_ipc_begin(&frame, YG_IPC_STATS));
	if (call(path, yg_buf_sv(&frame), YG_IPC_STATS_REPLY, &reply, STATS_TIMEOUT_MS, &err) ==
	    YG_OK)
		return read_stats(c, worker, yg_buf_sv(&reply), arena, db, name);
	yg_api_set_part(&c->api, name, YG_HEALTH_DOWN, YG_SV("does not answer"), YG_SV(""));
	return false;
}

static void look_store(struct center *c)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_err err = {0};
	char text[64];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_status st = yg_lease_store(&c->api, &l, &err);
	if (st == YG_OK && !yg_ch_ping(l.ch))
		st = YG_AGAIN;
	if (st == YG_OK && !c->table_ensured) {
		st = yg_event_table_ensure(l.ch, &err);
		c->table_ensured = st == YG_OK;
		if (st != YG_OK)
			yg_role_log(c->ctx, YG_EV_API_NOTE, YG_KERR(&err));
	}
	bool back = st == YG_OK && !c->store_seen;
	c->store_seen = st == YG_OK;
	if (st != YG_OK) {
		yg_api_set_part(&c->api, "store", YG_HEALTH_DOWN, YG_SV("does not answer"),
				YG_SV(""));
		return;
	}
	if (yg_backup_pending("state")) { /* events of a restored backup */
		uint64_t rows = 0;
		st = yg_backup_load_events("state", l.ch, YG_EVENT_TABLE, NULL, NULL, &rows, &err);
		if (st != YG_OK)
			yg_role_log(c->ctx, YG_EV_API_NOTE, YG_KERR(&err));
		else
			yg_role_log(c->ctx, YG_EV_CENTER_RESTORED, YG_KN("rows", rows));
	}
	if (back) {
		__atomic_store_n(&c->warm_asked, true, __ATOMIC_RELEASE);
		(void)uv_async_send(&c->wake);
	}
	uint32_t version = yg_ch_version(l.ch);
	yg_sb_printf(&b, "version %u.%u", version / 100, version % 100);
	yg_api_set_part(&c->api, "store", YG_HEALTH_OK, version != 0 ? yg_sb_sv(&b) : YG_SV(""),
			YG_SV(""));
}

/* What center says of itself. */
static void own_part(struct center *c)
{
	char json[1024], text[160];
	struct center_detect_counts n;
	struct yg_sb b = yg_sb_init(json, sizeof json), t = yg_sb_init(text, sizeof text);
	center_detect_counts(c, &n);
#define X(name)                                                                                    \
	yg_sb_printf(&b, "%s\"detect_" #name "\":%llu", b.n > 0 ? "," : "{",                       \
		     (unsigned long long)n.name);
	CENTER_DETECT_COUNTS(X)
#undef X
	yg_sb_putc(&b, '}');
	if (n.dropped > 0)
		yg_sb_printf(&t, "%llu messages for correlations were dropped for want of room",
			     (unsigned long long)n.dropped);
	yg_api_set_part(&c->api, "center", YG_HEALTH_OK, yg_sb_sv(&t),
			yg_sb_done(&b) == YG_OK ? yg_sb_sv(&b) : YG_SV(""));
}

void center_look(struct center *c)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_err err = {0};
	struct yg_arena arena;
	uint64_t workers = yg_api_conf(&c->api)->ingest_workers;
	look_store(c);
	center_look_resolvers(c); /* without a lease of the state: they may be slow */
	if (yg_lease_state(&c->api, &l, &err) != YG_OK) {
		yg_api_set_part(&c->api, "center", YG_HEALTH_DOWN,
				YG_SV("the state database does not open"), YG_SV(""));
		return;
	}
	own_part(c);
	yg_arena_init(&arena, 16u << 20);
	bool all = true;
	center_delivered_begin(&c->delivered, yg_env_wall(&c->ctx->env));
	for (uint32_t i = 0; i < workers && i < YG_INGEST_WORKERS; i++) {
		all &= look_worker(c, i, &arena, l.db);
		yg_arena_reset(&arena);
	}
	__atomic_store_n(&c->delivered_us, center_delivered_end(&c->delivered, all).us,
			 __ATOMIC_RELEASE);
	yg_arena_free(&arena);
}
