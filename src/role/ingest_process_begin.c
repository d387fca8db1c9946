/* A batch begins: its normaliser, its bytes, the plan of an earlier attempt, what it is worked by. */
#include "event/mapping.h"
#include "event/table.h"
#include "format/inflate.h"
#include "role/ingest_process_internal.h"

#define ASIDE_REASON "the batch was set aside: it ended the worker each time"

void process_own_free(struct yg_process *p)
{
	yg_norm_free(p->own_norm);
	yg_mapping_free(p->own_mapping);
	p->own_norm = NULL;
	p->own_mapping = NULL;
}

static yg_status norm_get(struct yg_process *p, struct yg_err *err)
{
	const struct yg_spool_batch *b = &p->b;
	const struct yg_mapping *m = NULL;
	size_t i = 0;
	p->norm = NULL;
	p->fb = (struct fallback){0};
	while (i < p->slot_n && (p->slots[i].source != b->source ||
				 !yg_sv_eq(yg_sv_of(p->slots[i].mapping), b->mapping)))
		i++;
	if (i < p->slot_n) {
		p->norm = p->slots[i].norm;
		return YG_OK;
	}
	if (b->source == YG_SOURCE_NDJSON && p->conf.mapping != NULL)
		m = p->conf.mapping(p->conf.mapping_ctx, b->mapping);
	if (b->source == YG_SOURCE_NDJSON && m == NULL) {
		p->fb.reason = "no such mapping is configured";
		return YG_OK;
	}
	if (p->slot_n == YG_LEN(p->slots)) { /* more mappings than slots: the last one changes */
		p->slot_n--;
		yg_norm_free(p->slots[p->slot_n].norm);
	}
	struct norm_slot *s = &p->slots[p->slot_n];
	*s = (struct norm_slot){.source = (enum yg_source)b->source};
	process_text(s->mapping, sizeof s->mapping, b->mapping);
	yg_status st = yg_norm_new(s->source, m, &s->norm, err);
	if (st == YG_INVAL) { /* a source that this program cannot read */
		p->fb.reason = "the source is not known to this program";
		return YG_OK;
	}
	if (st == YG_OK) {
		p->norm = s->norm;
		p->slot_n++;
	}
	return st;
}

/* ndjson:@NAME: the first line of the batch is the mapping of the others. */
static bool has_own(const struct yg_spool_batch *b)
{
	return b->source == YG_SOURCE_NDJSON && b->mapping.n > 0 && b->mapping.p[0] == '@' &&
	       !b->framed;
}

static yg_status own_get(struct yg_process *p, struct yg_sv *body, struct yg_err *err)
{
	struct yg_err why;
	size_t end = yg_sv_find(*body, '\n', 0);
	struct yg_sv text = yg_sv_sub(*body, 0, end);
	p->norm = NULL;
	p->fb = (struct fallback){0};
	process_own_free(p);
	*body = yg_sv_sub(*body, YG_MIN(end + 1, body->n), body->n);
	yg_status st = yg_mapping_read(text, "mapping", &p->own_mapping, &why);
	if (st == YG_NOMEM)
		return YG_FAIL(err, YG_NOMEM, "the mapping of a batch");
	if (st != YG_OK) {
		p->fb.reason = "the mapping that the batch begins with is wrong";
		return YG_OK;
	}
	st = yg_norm_new(YG_SOURCE_NDJSON, p->own_mapping, &p->own_norm, err);
	p->norm = p->own_norm;
	return st;
}

static yg_status body_get(struct yg_process *p, struct yg_sv *out, struct yg_err *err)
{
	struct yg_err why;
	p->tail_error = NULL;
	*out = p->b.body;
	if (p->b.encoding == YG_PLAIN)
		return YG_OK;
	if (p->plain.cap > KEEP_PLAIN)
		yg_buf_free(&p->plain);
	p->plain.n = 0;
	p->plain.bad = false;
	yg_status st = yg_inflate_all((enum yg_encoding)p->b.encoding, p->b.body, &p->plain, &why);
	if (st == YG_NOMEM && p->plain.n == 0)
		return YG_FAIL(err, YG_NOMEM, "unpacking a batch");
	/* What was unpacked before the damage or the bound is kept. */
	if (st != YG_OK) {
		p->c.inflate_failed++;
		p->tail_error =
			st == YG_TOOBIG || st == YG_NOMEM || st == YG_LIMIT
				? "the batch unpacks to more than the limit; the rest was refused"
				: "the compressed batch is damaged; the rest could not be unpacked";
	}
	*out = yg_buf_sv(&p->plain);
	return YG_OK;
}

uint32_t process_plan_schema(void)
{
	struct yg_sv all = yg_event_table_columns();
	return yg_crc32c(PLAN_VERSION, all.p, all.n);
}

/* The plan of an earlier attempt, when there is one that this program can use. */
static yg_status plan_get(struct yg_process *p, struct yg_err *err)
{
	p->plan.n = 0;
	p->plan.bad = false;
	p->replay = false;
	p->findings = 0;
	if (!yg_spool_journal_has_plan(p->conf.journal, p->b.seq)) {
		for (unsigned i = 0; i < PLAN_HEAD; i++)
			yg_wr_le8(&p->plan, 0);
		return YG_OK;
	}
	yg_status st = yg_spool_journal_read_plan(p->conf.journal, p->b.seq, &p->plan, err);
	if (st != YG_OK)
		return st;
	struct yg_rd r = yg_rd_init(p->plan.p, p->plan.n);
	uint32_t schema = yg_rd_le32(&r), flags = yg_rd_le32(&r);
	p->replay_events = yg_rd_le32(&r);
	p->findings = yg_rd_le32(&r);
	p->replay = !r.bad && schema == process_plan_schema();
	p->aside = p->replay && (flags & PLAN_ASIDE) != 0;
	if (!p->replay) {
		p->findings = 0;
		p->plan.n = PLAN_HEAD;
	}
	return YG_OK;
}

static yg_status set_aside(struct yg_process *p, struct yg_err *err)
{
	const struct yg_spool_batch *b = &p->b;
	char name[96], head[512];
	struct yg_sb n = yg_sb_init(name, sizeof name), h = yg_sb_init(head, sizeof head);
	yg_sb_printf(&n, "spool-%u-%llu.batch", p->conf.spool->number, (unsigned long long)b->seq);
	yg_sb_printf(&h,
		     "yagura batch org=" YG_SV_FMT " source=%s encoding=%u framed=%u bytes=%zu\n",
		     YG_SV_ARG(b->org), p->source, b->encoding, b->framed, b->body.n);
	yg_status st =
		yg_spool_set_aside(p->conf.spool, yg_sb_cstr(&n), yg_sb_sv(&h), b->body, err);
	if (st == YG_OK) {
		p->aside = true;
		p->aside_seq = b->seq;
	}
	return st;
}

/* What the batch is worked by; nothing when its plan was made already. */
static yg_status by_begin(struct yg_process *p, struct yg_process_by by, struct yg_err *err)
{
	p->intel = p->replay ? NULL : by.intel;
	p->ask_rules = !p->replay && !p->aside;
	const struct yg_rules_batch b = {.set = by.rules,
					 .source = (enum yg_source)p->b.source,
					 .norm = p->norm,
					 .org = p->b.org};
	return p->ask_rules ? yg_rules_run_begin(p->rules, &b, err) : YG_OK;
}

yg_status process_begin(struct yg_process *p, struct yg_process_by by, struct yg_err *err)
{
	struct yg_sv body;
	struct yg_sb s = yg_sb_init(p->source, sizeof p->source);
	yg_sb_put(&s, yg_sv_of(yg_source_name((enum yg_source)p->b.source)));
	if (p->b.mapping.n > 0) {
		yg_sb_putc(&s, ':');
		yg_sb_put(&s, yg_sv_sub(p->b.mapping, has_own(&p->b), p->b.mapping.n));
	}
	(void)yg_sb_cstr(&s);
	p->aside = false;
	p->deaths = p->conf.busy.seq == p->b.seq ? p->conf.busy.deaths : 0;
	yg_status st = plan_get(p, err);
	if (st == YG_OK && !p->replay && p->deaths >= p->conf.deaths_most &&
	    p->conf.deaths_most > 0)
		st = set_aside(p, err);
	if (st != YG_OK)
		return st;
	p->next_row = 0;
	p->odd = 0;
	p->dns_n = 0;
	p->pending = false;
	if (p->conf.busy_fd >= 0 && !p->aside)
		yg_spool_busy_set(p->conf.spool, p->conf.busy_fd, p->b.seq, p->deaths);
	if (p->aside) {
		p->norm = NULL;
		p->fb = (struct fallback){.reason = ASIDE_REASON, .rest = {"", 0}};
		p->tail_error = ASIDE_REASON;
		st = by_begin(p, by, err);
		p->active = st == YG_OK;
		return st;
	}
	st = body_get(p, &body, err);
	if (st == YG_OK)
		st = has_own(&p->b) ? own_get(p, &body, err) : norm_get(p, err);
	if (st == YG_OK)
		st = by_begin(p, by, err);
	if (st != YG_OK)
		return st;
	if (p->norm != NULL)
		yg_norm_begin(p->norm, body, p->b.received, p->b.framed);
	else
		p->fb.rest = body;
	p->active = true;
	return YG_OK;
}
