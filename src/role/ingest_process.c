#include "role/ingest_process.h"

#include "base/check.h"
#include "detect/feed.h"
#include "event/mapping.h"
#include "event/table.h"
#include "format/inflate.h"
#include "format/lines.h"
#include "role/message.h"

#define PLAN_HEAD    16u
#define PLAN_ASIDE   1u
#define PLAN_VERSION 2u
#define MESSAGE_MOST (8u << 20)
#define MAPPINGS_MAX 16u
#define CLOCK_EVERY  256u
#define KEEP_PLAIN   (32u << 20)
#define DNS_GROUPS                                                                                 \
	256u /* findings of DNS policies gathered of one batch; then they are given out */
#define ASIDE_REASON "the batch was set aside: it ended the worker each time"

struct norm_slot {
	enum yg_source source;
	char mapping[YG_SPOOL_MAPPING_MAX + 1];
	struct yg_norm *norm; /* owned */
};
/* Records of a batch that no normaliser can be had for. */
struct fallback {
	const char *reason; /* NULL: not in use */
	struct yg_sv rest;
	char text[YG_SPOOL_MAPPING_MAX + 64];
};
struct dns_group {          /* blocked alike: one finding */
	struct yg_event ev; /* the first; its views are the batch's */
	uint32_t count;
};
struct yg_process {
	struct yg_process_conf conf;
	struct yg_spool_reader *reader;
	struct norm_slot slots[YG_SOURCE_COUNT + MAPPINGS_MAX];
	size_t slot_n;
	struct yg_mapping *own_mapping; /* owned: of a batch that begins with it */
	struct yg_norm *own_norm;       /* owned */
	/* the batch at hand */
	bool active;
	struct yg_spool_batch b;
	struct yg_norm *norm; /* of a slot; NULL: fallback */
	struct fallback fb;
	struct yg_buf plain;
	const struct yg_intel *intel;
	struct yg_rules_run *rules; /* owned */
	bool ask_rules;             /* of this batch */
	const char *tail_error;     /* one more row says what was wrong with the whole */
	char source[YG_SPOOL_MAPPING_MAX + 17];
	uint32_t next_row;
	bool replay, aside;
	uint32_t deaths; /* processes that ended on it so far */
	uint32_t replay_events, findings;
	struct dns_group *dns; /* owned; [DNS_GROUPS] */
	size_t dns_n;
	uint64_t odd; /* records of this batch that no normaliser saw */
	struct yg_buf plan, scratch;
	/* Two events under way: one prepared, one being finished. */
	struct yg_event ev[2];
	struct yg_match_set *set[2]; /* owned */
	unsigned cur;
	bool pending;
	struct yg_tally tallies[YG_TALLY_MAX];
	size_t tally_n;
	bool tallies_given;
	struct yg_process_counts c;
	uint64_t aside_seq;
};

static void text_of(char *out, size_t cap, struct yg_sv s)
{
	struct yg_sb b = yg_sb_init(out, cap);
	yg_sb_put(&b, yg_sv_sub(s, 0, cap - 1));
	(void)yg_sb_cstr(&b);
}

void yg_tally_set(struct yg_tally *t, struct yg_sv org, struct yg_sv source, struct yg_sv sensor)
{
	*t = (struct yg_tally){0};
	text_of(t->org, sizeof t->org, org);
	text_of(t->source, sizeof t->source, source);
	text_of(t->sensor, sizeof t->sensor, sensor);
}

bool yg_tally_same(const struct yg_tally *a, const struct yg_tally *b)
{
	return strcmp(a->org, b->org) == 0 && strcmp(a->source, b->source) == 0 &&
	       strcmp(a->sensor, b->sensor) == 0;
}

yg_status yg_process_new(const struct yg_process_conf *conf, struct yg_process **out,
			 struct yg_err *err)
{
	struct yg_process *p = calloc(1, sizeof *p);
	if (p == NULL)
		return YG_FAIL(err, YG_NOMEM, "processing");
	p->conf = *conf;
	yg_buf_init(&p->plain, YG_BATCH_PLAIN_MAX);
	yg_buf_init(&p->plan, SIZE_MAX / 2);
	yg_buf_init(&p->scratch, 1u << 20);
	for (unsigned i = 0; i < 2; i++)
		p->set[i] = calloc(1, sizeof *p->set[i]);
	p->dns = malloc(DNS_GROUPS * sizeof *p->dns);
	yg_status st = p->set[0] == NULL || p->set[1] == NULL || p->dns == NULL
			       ? YG_FAIL(err, YG_NOMEM, "processing")
			       : yg_spool_reader_open(conf->spool, conf->after, &p->reader, err);
	if (st == YG_OK)
		st = yg_rules_run_new(conf->env, &p->rules, err);
	if (st != YG_OK) {
		yg_process_free(p);
		return st;
	}
	*out = p;
	return YG_OK;
}

static void own_free(struct yg_process *p)
{
	yg_norm_free(p->own_norm);
	yg_mapping_free(p->own_mapping);
	p->own_norm = NULL;
	p->own_mapping = NULL;
}

void yg_process_free(struct yg_process *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->slot_n; i++)
		yg_norm_free(p->slots[i].norm);
	own_free(p);
	yg_rules_run_free(p->rules);
	yg_spool_reader_close(p->reader);
	yg_buf_free(&p->plain);
	yg_buf_free(&p->plan);
	yg_buf_free(&p->scratch);
	free(p->set[0]);
	free(p->set[1]);
	free(p->dns);
	free(p);
}

bool yg_process_in_batch(const struct yg_process *p)
{
	return p->active;
}
const struct yg_intel *yg_process_intel(const struct yg_process *p)
{
	return p->active ? p->intel : NULL;
}
const struct yg_ruleset *yg_process_rules(const struct yg_process *p)
{
	return yg_rules_run_set(p->rules);
}
void yg_process_counts(const struct yg_process *p, struct yg_process_counts *out)
{
	*out = p->c;
	yg_rules_run_counts(p->rules, &out->rules);
	out->damaged = yg_spool_reader_damaged(p->reader);
	out->damaged_bytes = yg_spool_reader_damaged_bytes(p->reader);
}
uint64_t yg_process_aside(struct yg_process *p)
{
	uint64_t seq = p->aside_seq;
	p->aside_seq = 0;
	return seq;
}
size_t yg_process_tallies(struct yg_process *p, const struct yg_tally **out)
{
	*out = p->tallies;
	p->tallies_given = true;
	return p->tally_n;
}

static struct yg_tally *tally(struct yg_process *p)
{
	struct yg_tally want;
	yg_tally_set(&want, p->b.org, yg_sv_of(p->source), p->b.sensor);
	for (size_t i = 0; i < p->tally_n; i++) {
		if (yg_tally_same(&p->tallies[i], &want))
			return &p->tallies[i];
	}
	if (p->tally_n == YG_TALLY_MAX)
		return &p->tallies[YG_TALLY_MAX - 1]; /* runs end before that */
	p->tallies[p->tally_n] = want;
	return &p->tallies[p->tally_n++];
}

/* ---- beginning a batch ---- */
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
	text_of(s->mapping, sizeof s->mapping, b->mapping);
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
	own_free(p);
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

static uint32_t plan_schema(void)
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
	p->replay = !r.bad && schema == plan_schema();
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
	return p->ask_rules ? yg_rules_run_begin(p->rules, by.rules, (enum yg_source)p->b.source,
						 p->b.org, err)
			    : YG_OK;
}

static yg_status batch_begin(struct yg_process *p, struct yg_process_by by, struct yg_err *err)
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
	if (st == YG_OK)
		st = by_begin(p, by, err);
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
		p->active = true;
		return YG_OK;
	}
	st = body_get(p, &body, err);
	if (st == YG_OK)
		st = has_own(&p->b) ? own_get(p, &body, err) : norm_get(p, err);
	if (st != YG_OK)
		return st;
	if (p->norm != NULL)
		yg_norm_begin(p->norm, body, p->b.received, p->b.framed);
	else
		p->fb.rest = body;
	p->active = true;
	return YG_OK;
}

/* ---- records ---- */
static bool fallback_next(struct yg_process *p, struct yg_event *ev)
{
	struct yg_sv rec = {"", 0};
	if (p->b.framed) {
		struct yg_rd r = yg_rd_init(p->fb.rest.p, p->fb.rest.n);
		if (p->fb.rest.n == 0)
			return false;
		rec = yg_rd_sv32(&r);
		if (r.bad)
			rec = p->fb.rest;
		p->fb.rest = r.bad ? (struct yg_sv){"", 0}
				   : (struct yg_sv){(const char *)r.p, yg_rd_left(&r)};
	} else {
		bool cut;
		do {
			if (!yg_line_next(&p->fb.rest, YG_RECORD_MAX, &rec, &cut))
				return false;
		} while (rec.n == 0);
	}
	*ev = (struct yg_event){.time = p->b.received.us,
				.raw = yg_sv_sub(rec, 0, YG_RECORD_MAX),
				.parse_error = yg_sv_of(p->fb.reason)};
	p->c.unparsed++;
	tally(p)->unparsed++;
	p->odd++;
	return true;
}

static bool record_next(struct yg_process *p, struct yg_event *ev)
{
	bool more = p->norm != NULL ? yg_norm_next(p->norm, ev) : fallback_next(p, ev);
	if (!more && p->tail_error != NULL) {
		*ev = (struct yg_event){.time = p->b.received.us,
					.parse_error = yg_sv_of(p->tail_error)};
		p->tail_error = NULL;
		p->c.unparsed++;
		tally(p)->unparsed++;
		p->odd++;
		more = true;
	}
	if (!more)
		return false;
	ev->org = p->b.org;
	ev->received = p->b.received.us;
	ev->day = yg_day_number(p->b.received);
	ev->spool = p->conf.spool->number;
	ev->batch = p->b.seq;
	ev->row = p->next_row++;
	ev->source = yg_sv_of(p->source);
	ev->sensor = p->b.sensor;
	return true;
}

static void dns_out(struct yg_process *p)
{
	for (size_t i = 0; i < p->dns_n; i++)
		yg_finding_put_dns(&p->dns[i].ev, p->dns[i].count, &p->scratch, &p->plan);
	p->findings += (uint32_t)p->dns_n;
	p->dns_n = 0;
}

static void dns_note(struct yg_process *p, const struct yg_event *ev)
{
	size_t i = 0;
	while (i < p->dns_n && !yg_finding_dns_same(&p->dns[i].ev, ev))
		i++;
	if (i < p->dns_n) {
		p->dns[i].count++;
		return;
	}
	if (p->dns_n == DNS_GROUPS)
		dns_out(p);
	p->dns[p->dns_n++] = (struct dns_group){*ev, 1};
}

static void event_finish(struct yg_process *p, unsigned i, struct yg_block *block)
{
	const struct yg_event *ev = &p->ev[i];
	size_t at = block->rows.n;
	yg_event_row(ev, &block->rows);
	yg_block_row(block, ev->batch, ev->row, at);
	if (!p->replay && yg_finding_is_dns(ev))
		dns_note(p, ev);
	if (p->ask_rules)
		yg_rules_run_event(p->rules, ev, &p->scratch, &p->plan, &p->findings);
	if (p->intel == NULL)
		return;
	struct yg_match_set *set = p->set[i];
	yg_intel_finish(p->intel, ev, yg_env_wall(p->conf.env), set);
	p->c.matches_cut += set->more;
	for (uint32_t k = 0; k < set->n; k++)
		yg_finding_put(ev, &set->m[k], k, &p->scratch, &p->plan);
	p->findings += set->n;
}

/* ---- ending a batch ---- */
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

static void batch_end(struct yg_process *p, struct yg_block *block)
{
	uint32_t base = p->replay ? p->replay_events : p->next_row;
	struct yg_tally *t = tally(p);
	dns_out(p);
	if (p->ask_rules)
		p->plan.bad |= !yg_rules_run_end(p->rules, &p->scratch, &p->plan, &p->findings);
	else if (!p->replay)
		yg_wr_le32(&p->plan, 0); /* no feed */
	if (!p->replay && !p->plan.bad) {
		uint32_t head[4] = {plan_schema(), p->aside ? PLAN_ASIDE : 0, p->next_row,
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

/* Rows of the batch at hand until it ends (false: it has not) or until the
 * block or the time is used up. */
static bool batch_step(struct yg_process *p, struct yg_block *block, yg_mono until)
{
	for (uint32_t n = 1;; n++) {
		unsigned i = p->cur;
		bool more = record_next(p, &p->ev[i]);
		if (more && p->intel != NULL)
			yg_intel_prepare(p->intel, &p->ev[i], p->set[i]);
		if (p->pending)
			event_finish(p, i ^ 1u, block);
		p->pending = more;
		if (!more)
			return true;
		p->cur = i ^ 1u;
		if (block->row_n >= p->conf.rows_most || block->rows.n >= YG_BLOCK_BYTES ||
		    block->bad)
			return false;
		if (n % CLOCK_EVERY == 0 && yg_mono_due(until, yg_env_mono(p->conf.env)))
			return false;
	}
}

yg_status yg_process_run(struct yg_process *p, struct yg_spool_limit limit, struct yg_process_by by,
			 struct yg_block *block, int64_t budget_us, bool *out_idle,
			 struct yg_err *err)
{
	yg_mono now = yg_env_mono(p->conf.env);
	yg_mono until = yg_mono_add(now, (yg_span){budget_us});
	yg_status st = YG_OK;
	*out_idle = false;
	if (p->tallies_given)
		p->tally_n = 0;
	p->tallies_given = false;
	if (p->active && p->conf.busy_fd >= 0)
		yg_spool_busy_set(p->conf.spool, p->conf.busy_fd, p->b.seq, p->deaths);
	while (st == YG_OK && block->row_n < p->conf.rows_most && block->rows.n < YG_BLOCK_BYTES &&
	       block->part_n < YG_BLOCK_BATCHES && p->tally_n < YG_TALLY_MAX - 1) {
		if (!p->active) {
			if (p->b.seq == 0) /* none read that waits to be begun */
				st = yg_spool_reader_next(p->reader, limit, &p->b, err);
			if (st == YG_OK)
				st = batch_begin(p, by, err);
			if (st != YG_OK)
				break;
		}
		if (yg_block_empty(block))
			block->begun = now;
		if (batch_step(p, block, until)) {
			batch_end(p, block);
			p->b.seq = 0;
		}
		if (block->bad) {
			st = YG_FAIL(err, YG_CORRUPT, "no memory for a block of rows");
			break;
		}
		if (yg_mono_due(until, yg_env_mono(p->conf.env)))
			break;
	}
	if (p->conf.busy_fd >= 0)
		yg_spool_busy_set(p->conf.spool, p->conf.busy_fd, 0, 0);
	if (st == YG_NOTFOUND) {
		*out_idle = true;
		st = YG_OK;
	}
	return st;
}
