#include "event/table.h"
#include "format/lines.h"
#include "role/ingest_process_internal.h"

#define CLOCK_EVERY 256u

void process_text(char *out, size_t cap, struct yg_sv s)
{
	struct yg_sb b = yg_sb_init(out, cap);
	yg_sb_put(&b, yg_sv_sub(s, 0, cap - 1));
	(void)yg_sb_cstr(&b);
}

void yg_tally_set(struct yg_tally *t, struct yg_sv org, struct yg_sv source, struct yg_sv sensor)
{
	*t = (struct yg_tally){0};
	process_text(t->org, sizeof t->org, org);
	process_text(t->source, sizeof t->source, source);
	process_text(t->sensor, sizeof t->sensor, sensor);
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

void yg_process_free(struct yg_process *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->slot_n; i++)
		yg_norm_free(p->slots[i].norm);
	process_own_free(p);
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

struct yg_tally *process_tally(struct yg_process *p)
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
	process_tally(p)->unparsed++;
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
		process_tally(p)->unparsed++;
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
		process_dns_out(p);
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
	if (p->intel == NULL)
		return;
	struct yg_match_set *set = p->set[i];
	yg_intel_finish(p->intel, ev, yg_env_wall(p->conf.env), set);
	p->c.matches_cut += set->more;
	for (uint32_t k = 0; k < set->n; k++)
		yg_finding_put(ev, &set->m[k], k, false, &p->scratch, &p->plan);
	p->findings += set->n;
}

/* Rows of the batch at hand until it ends (false: it has not) or until the
 * block or the time is used up. */
static bool batch_step(struct yg_process *p, struct yg_block *block, yg_mono until)
{
	for (uint32_t n = 1;; n++) {
		unsigned i = p->cur;
		bool more = record_next(p, &p->ev[i]);
		if (more && p->ask_rules) /* while the normaliser still has its values */
			yg_rules_run_event(p->rules, &p->ev[i], &p->scratch, &p->plan,
					   &p->findings);
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
				st = process_begin(p, by, err);
			if (st != YG_OK)
				break;
		}
		if (yg_block_empty(block))
			block->begun = now;
		if (batch_step(p, block, until)) {
			process_end(p, block);
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
