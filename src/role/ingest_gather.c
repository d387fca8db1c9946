/* Records of one listener become batches: framed, at most INGEST_GATHER_BYTES,
 * waiting no longer than ingest.flush. */
#include "format/json.h"
#include "role/ingest_internal.h"

static void on_flush(uv_timer_t *t)
{
	gather_flush(t->data);
}

yg_status gather_open(struct gather *g, struct ingest *in, const struct yg_conf_listener *l,
		      struct yg_err *err)
{
	enum yg_source source;
	*g = (struct gather){.in = in, .name = l->name, .org = l->org};
	yg_status st = yg_source_parse(l->source, &source, &g->mapping, err);
	if (st != YG_OK)
		return st;
	g->source = (uint8_t)source;
	yg_buf_init(&g->buf, INGEST_GATHER_BYTES + 2 * (YG_RECORD_MAX + 65536));
	if (uv_timer_init(in->ctx->loop, &g->flush) != 0)
		return YG_FAIL(err, YG_INTERNAL, "a timer of the loop");
	g->flush.data = g;
	return YG_OK;
}

static void on_done(struct ingest_req *r, yg_status st, const struct yg_err *err)
{
	struct gather *g = r->ctx;
	(void)err;
	g->settled++;
	if (st == YG_OK) {
		g->batches++;
	} else {
		/* The disk refused what the network has already given; nobody was told
		 * that it was taken. */
		g->dropped += r->tag;
		g->failed++;
	}
	if (g->on_settled != NULL)
		g->on_settled(g);
}

bool gather_has_room(const struct gather *g)
{
	return !g->stuck && g->buf.n < INGEST_GATHER_BYTES;
}

void gather_flush(struct gather *g)
{
	struct yg_err err;
	(void)uv_timer_stop(&g->flush);
	if (g->records == 0)
		return;
	struct pipe *p = g->in->pipes[0];
	bool room = pipe_has_room(p, g->buf.n);
	struct yg_spool_batch b = {.received = yg_env_wall(&g->in->ctx->env),
				   .source = g->source,
				   .framed = true,
				   .org = g->org,
				   .sensor = g->name,
				   .mapping = g->mapping,
				   .body = yg_buf_sv(&g->buf)};
	struct ingest_req *r = room ? ingest_req_new(&b) : NULL;
	if (r != NULL) {
		r->done = on_done;
		r->ctx = g;
		r->tag = g->records;
		g->sent++; /* first: it may be done at once */
		if (pipe_append(p, r, &err) != YG_OK) {
			ingest_req_free(r);
			g->sent--;
			r = NULL;
		}
	}
	if (r == NULL && !g->lossy) { /* kept; the senders wait until doors_resume() */
		g->stuck = true;
		return;
	}
	if (r == NULL)
		g->dropped += g->records;
	g->stuck = false;
	g->records = 0;
	g->buf.n = 0;
	g->buf.bad = false;
}

bool gather_add(struct gather *g, struct yg_sv record)
{
	size_t before = g->buf.n;
	yg_wr_sv32(&g->buf, record);
	if (g->buf.bad) { /* no memory */
		g->buf.n = before;
		g->buf.bad = false;
		return false;
	}
	g->records++;
	g->in_records++;
	g->in_bytes += record.n;
	if (g->buf.n >= INGEST_GATHER_BYTES)
		gather_flush(g);
	else if (g->records == 1)
		(void)uv_timer_start(&g->flush, on_flush,
				     (uint64_t)YG_MAX(g->in->conf->ingest_flush_us / 1000, 1), 0);
	return true;
}

void gather_stats(const struct gather *g, const char *protocol, struct yg_buf *out)
{
	yg_buf_printf(out, "%s{\"name\":", out->n > 0 && out->p[out->n - 1] == '[' ? "" : ",");
	yg_json_put_str(out, g->name);
	yg_buf_printf(out, ",\"org\":");
	yg_json_put_str(out, g->org);
	yg_buf_printf(
		out,
		",\"protocol\":\"%s\",\"records\":%llu,\"bytes\":%llu,\"batches\":%llu,\"dropped\":%llu",
		protocol, (unsigned long long)g->in_records, (unsigned long long)g->in_bytes,
		(unsigned long long)g->batches, (unsigned long long)g->dropped);
}
