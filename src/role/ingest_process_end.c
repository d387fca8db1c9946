/* A batch ends: its plan is kept, its findings become rows and messages, what it was is counted. */
#include "base/check.h"
#include "detect/feed.h"
#include "role/ingest_process_internal.h"
#include "role/message.h"

#define MESSAGE_MOST (8u << 20)

void process_dns_out(struct yg_process *p)
{
	for (size_t i = 0; i < p->dns_n; i++)
		yg_finding_put_dns(&p->dns[i].ev, p->dns[i].count, &p->scratch, &p->plan);
	p->findings += (uint32_t)p->dns_n;
	p->dns_n = 0;
}

/* One message of the feed: the head, and the entries as the plan has them. */
static void feed_out(struct yg_process *p, struct yg_block *block, struct yg_rd *r, uint32_t part)
{
	const struct yg_feed_head head = {.spool = p->conf.spool->number | part << 16,
					  .entries = yg_rd_le32(r),
					  .batch = p->b.seq,
					  .org = p->b.org,
					  .source = yg_sv_of(p->source),
					  .sensor = p->b.sensor,
					  .received = p->b.received};
	struct yg_sv entries = yg_rd_sv32(r);
	size_t begun = yg_block_message_begin(block);
	yg_feed_put_head(&block->messages, &head);
	yg_buf_put(&block->messages, entries);
	yg_block_message_end(block, p->b.seq, YG_IPC_FEED, begun);
}

struct sending { /* findings on their way into a message for center */
	size_t begun;
	uint32_t part, count;
};

static void finding_send(struct yg_process *p, struct yg_block *block, struct sending *s,
			 struct yg_sv json)
{
	struct yg_buf *m = &block->messages;
	if (s->count > 0 && m->n - s->begun + json.n > MESSAGE_MOST) {
		yg_block_message_end(block, p->b.seq, YG_IPC_FINDINGS, s->begun);
		s->part++;
		s->count = 0;
	}
	if (s->count == 0) { /* parts of one batch have marks of their own at center */
		s->begun = yg_block_message_begin(block);
		yg_wr_le32(m, p->conf.spool->number | s->part << 16);
		yg_wr_le32(m, 0);
		yg_wr_le64(m, p->b.seq);
	}
	yg_wr_sv32(m, json);
	s->count++;
	if (!m->bad)
		memcpy(m->p + s->begun + 4, &s->count, 4);
}

static void findings_out(struct yg_process *p, struct yg_block *block, uint32_t base)
{
	struct yg_rd r = yg_rd_init(p->plan.p + PLAN_HEAD, p->plan.n - PLAN_HEAD);
	struct sending sending = {0};
	for (uint32_t k = 0; k < p->findings; k++) {
		struct yg_sv json = yg_rd_sv32(&r), row = yg_rd_sv32(&r);
		if (r.bad) {
			block->bad = true;
			return;
		}
		size_t at = block->rows.n;
		yg_buf_put(&block->rows, row);
		if (!block->rows.bad &&
		    !YG_CHECK(yg_finding_row_number(block->rows.p + at, row.n, base + k) == YG_OK))
			block->bad = true;
		yg_block_row(block, p->b.seq, base + k, at);
		if (json.n > 0) /* else among the events alone */
			finding_send(p, block, &sending, json);
	}
	if (sending.count > 0)
		yg_block_message_end(block, p->b.seq, YG_IPC_FINDINGS, sending.begun);
	uint32_t parts = yg_rd_le32(&r);
	for (uint32_t part = 0; part < parts && !r.bad; part++)
		feed_out(p, block, &r, part);
	if (r.bad)
		block->bad = true;
}

void process_end(struct yg_process *p, struct yg_block *block)
{
	uint32_t base = p->replay ? p->replay_events : p->next_row;
	struct yg_tally *t = process_tally(p);
	process_dns_out(p);
	if (p->ask_rules)
		p->plan.bad |= !yg_rules_run_end(p->rules, &p->scratch, &p->plan, &p->findings);
	else if (!p->replay)
		yg_wr_le32(&p->plan, 0); /* no feed */
	if (!p->replay && !p->plan.bad) {
		uint32_t head[4] = {process_plan_schema(), p->aside ? PLAN_ASIDE : 0, p->next_row,
				    p->findings};
		memcpy(p->plan.p, head, sizeof head);
		yg_block_plan(block, p->b.seq, yg_buf_sv(&p->plan));
	}
	if (p->plan.bad)
		block->bad = true;
	else
		findings_out(p, block, base);
	yg_block_end(block, p->b.seq, base + p->findings);
	uint64_t unparsed = p->norm != NULL ? yg_norm_unparsed(p->norm) : 0;
	const struct yg_block_count count = {.batch = p->b.seq,
					     .received = p->b.received,
					     .events = p->next_row,
					     .bytes = p->b.body.n,
					     .unparsed = p->odd + unparsed};
	yg_block_count(block, &count, p->b.org, yg_sv_of(p->source), p->b.sensor);
	t->batches++;
	t->bytes += p->b.body.n;
	t->events += p->next_row;
	t->unparsed += unparsed;
	t->findings += p->findings;
	t->aside += p->aside;
	t->last_us = p->b.received.us;
	p->c.batches++;
	p->c.events += p->next_row;
	p->c.unparsed += unparsed;
	p->c.findings += p->findings;
	p->c.aside += p->aside;
	p->active = false;
	if (p->plan.cap > KEEP_PLAIN)
		yg_buf_free(&p->plan);
}
