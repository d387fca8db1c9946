/* The calls to store and center, one attempt at a time, in the pool; and what is
 * to be said to center. */
#include "role/ingest_internal.h"

static yg_status op_insert(void *ctx, const char *query_id, struct yg_sv rows, struct yg_err *err)
{
	struct pipe *p = ctx;
	return yg_event_table_insert_with(p->ch, query_id, rows, &p->native, err);
}
static yg_status op_settle(void *ctx, const char *query_id, struct yg_err *err)
{
	struct pipe *p = ctx;
	return yg_ch_settle(p->ch, query_id, err);
}
static yg_status op_delivered(void *ctx, uint64_t first, uint64_t last, uint64_t *out,
			      struct yg_err *err)
{
	struct pipe *p = ctx;
	return yg_event_table_delivered(p->ch, p->number, first, last, out, err);
}
static yg_status op_rows(void *ctx, uint64_t batch, struct yg_arena *arena, uint32_t **out,
			 size_t *out_n, struct yg_err *err)
{
	struct pipe *p = ctx;
	return yg_event_table_rows(p->ch, p->number, batch, arena, out, out_n, err);
}

/* quarantine/spool-1-17-0.rows: a line that says what it is and why, then the rows. */
static yg_status op_aside(void *ctx, const struct yg_refused *r, struct yg_err *err)
{
	struct pipe *p = ctx;
	char name[96], head[512];
	struct yg_sb n = yg_sb_init(name, sizeof name), h = yg_sb_init(head, sizeof head);
	yg_sb_printf(&n, "spool-%u-%llu-%u.rows", p->number, (unsigned long long)r->batch,
		     r->first_row);
	yg_sb_printf(&h,
		     "yagura rows spool=%u batch=%llu first_row=%u format=RowBinary bytes=%zu"
		     " refused=",
		     p->number, (unsigned long long)r->batch, r->first_row, r->rows.n);
	yg_sb_put_untrusted(&h, r->reason);
	yg_sb_putc(&h, '\n');
	return yg_spool_set_aside(&p->conf, yg_sb_cstr(&n), yg_sb_sv(&h), r->rows, err);
}

yg_status pipe_store_open(struct pipe *p, struct yg_err *err)
{
	struct ingest *in = p->in;
	struct yg_ch_conf conf = {.url = in->store_url,
				  .database = in->store_database,
				  .user = in->store_user[0] != '\0' ? in->store_user : NULL,
				  .password = in->store_pass[0] != '\0' ? in->store_pass : NULL};
	p->ops = (struct yg_deliver_ops){.ctx = p,
					 .insert = op_insert,
					 .settle = op_settle,
					 .delivered = op_delivered,
					 .rows = op_rows,
					 .aside = op_aside};
	return yg_ch_open(&conf, &p->ch, err);
}

void work_store(struct pipe *p)
{
	p->deliver_st = YG_OK;
	if (p->note_only) {
		p->deliver_st = yg_deliver_note(&p->d, &p->deliver_err);
		return;
	}
	if (!p->table_there) {
		p->deliver_st = yg_event_table_ensure(p->ch, &p->deliver_err);
		if (p->deliver_st != YG_OK)
			return;
		p->table_there = true;
	}
	p->deliver_st = yg_deliver_block(&p->d, p->queue[0], &p->deliver_err);
	if (p->deliver_st == YG_NOTFOUND || p->deliver_st == YG_PARSE)
		p->table_there = false; /* somebody took it or a column away: made again */
}

/* ---- center ---- */
static void message_add(struct pipe *p, uint32_t type, uint64_t batch, struct yg_sv body)
{
	struct message *m = malloc(sizeof *m + YG_IPC_HEAD + body.n);
	if (m == NULL) {
		struct yg_err err;
		(void)YG_FAIL(&err, YG_NOMEM, "messages for center");
		ingest_fatal(p->in, "messages", &err); /* the spool still has it all */
		return;
	}
	uint32_t head[2] = {type, (uint32_t)body.n};
	*m = (struct message){.batch = batch, .n = YG_IPC_HEAD + body.n};
	memcpy(m->bytes, head, sizeof head);
	memcpy(m->bytes + YG_IPC_HEAD, body.p, body.n);
	if (p->msg_last != NULL)
		p->msg_last->next = m;
	else
		p->msg_first = m;
	p->msg_last = m;
	p->msg_bytes += m->n;
}

/* Counts and findings go to center only after their events are in the store, and
 * in the order of their first batches: none is released before center has it. */
void pipe_messages(struct pipe *p, const struct yg_block *b)
{
	if (b->count_n > 0) {
		struct yg_buf body;
		yg_buf_init(&body, yg_ipc_max(YG_IPC_COUNTS));
		yg_block_counts(b, p->number, &body);
		if (body.bad) {
			struct yg_err err;
			(void)YG_FAIL(&err, YG_NOMEM, "counts for center");
			ingest_fatal(p->in, "counts", &err);
		}
		message_add(p, YG_IPC_COUNTS, b->count[0].batch, yg_buf_sv(&body));
		yg_buf_free(&body);
	}
	for (size_t i = 0; i < b->message_n; i++)
		message_add(p, b->message[i].type, b->message[i].batch,
			    (struct yg_sv){b->messages.p + b->message[i].at, b->message[i].n});
}

static yg_status center_ask(struct pipe *p, const struct message *m, uint32_t *out,
			    struct yg_err *err)
{
	struct yg_ipc_head head;
	struct yg_buf body;
	int fd = -1;
	yg_status st = YG_OK;
	if (p->center_fd < 0)
		st = yg_ipc_connect("run/center.sock", &p->center_fd, err);
	if (st == YG_OK)
		st = yg_ipc_send(p->center_fd, (struct yg_sv){m->bytes, m->n}, -1, 30000, err);
	yg_buf_init(&body, 4096);
	if (st == YG_OK)
		st = yg_ipc_recv(p->center_fd, &body, &head, 1024, &fd, 60000, err);
	yg_fd_close(&fd);
	if (st == YG_OK) {
		struct yg_rd r = yg_rd_init(body.p, body.n);
		*out = yg_rd_le32(&r);
		if (head.type != YG_IPC_FINDINGS_REPLY || r.bad)
			st = YG_FAIL(err, YG_PARSE, "center answered with something else");
	}
	yg_buf_free(&body);
	if (st != YG_OK)
		yg_fd_close(&p->center_fd);
	return st;
}

void work_center(struct pipe *p)
{
	uint32_t answer = YG_OK;
	p->send_st = center_ask(p, p->msg_first, &answer, &p->send_err);
	if (p->send_st != YG_OK || answer == YG_OK)
		return;
	if (answer == YG_PARSE || answer == YG_INVAL || answer == YG_TOOBIG) {
		/* It will never be taken: kept for people, counted, and the rest goes on. */
		const struct message *m = p->msg_first;
		char name[96];
		struct yg_sb n = yg_sb_init(name, sizeof name);
		struct yg_rd r = yg_rd_init(m->bytes, m->n);
		uint32_t type = yg_rd_le32(&r);
		(void)yg_rd_le32(&r);
		uint32_t part = yg_rd_le32(&r) >> 16; /* a batch may take several messages */
		yg_sb_printf(&n, "spool-%u-%llu-%u.%s", p->number, (unsigned long long)m->batch,
			     part,
			     type == YG_IPC_COUNTS ? "counts"
			     : type == YG_IPC_FEED ? "feed"
						   : "findings");
		p->send_st = yg_spool_set_aside(&p->conf, yg_sb_cstr(&n), (struct yg_sv){"", 0},
						(struct yg_sv){m->bytes, m->n}, &p->send_err);
		p->send_refused += p->send_st == YG_OK;
		return;
	}
	p->send_st = YG_FAIL(&p->send_err, YG_AGAIN, "center could not take a message: %s",
			     yg_status_name((yg_status)answer));
}
