/* Counters: what went in, where it is, and everything that was not kept. */
#include "format/json.h"
#include "role/ingest_internal.h"

#define SOURCES_SHOWN 200

static void tally_add(struct yg_tally *to, const struct yg_tally *t)
{
	to->batches += t->batches;
	to->bytes += t->bytes;
	to->events += t->events;
	to->unparsed += t->unparsed;
	to->findings += t->findings;
	to->aside += t->aside;
	to->last_us = YG_MAX(to->last_us, t->last_us);
}

/* The row of that owner and source; the rest's when there are too many. */
static struct yg_tally *tally_of(struct ingest *in, const struct yg_tally *like)
{
	size_t k = 0;
	while (k < in->tally_n && !yg_tally_same(&in->tallies[k], like))
		k++;
	if (k == in->tally_n && k == in->tally_cap && k < INGEST_TALLIES_MAX) {
		size_t cap = in->tally_cap == 0 ? 16 : in->tally_cap * 2;
		struct yg_tally *more = realloc(in->tallies, cap * sizeof *more);
		if (more != NULL) {
			in->tallies = more;
			in->tally_cap = cap;
		}
	}
	if (k == in->tally_n && k < in->tally_cap) {
		yg_tally_set(&in->tallies[k], yg_sv_of(like->org), yg_sv_of(like->source),
			     yg_sv_of(like->sensor));
		in->tally_n++;
	}
	return k < in->tally_n ? &in->tallies[k] : &in->tally_rest;
}

void stats_dropped(struct ingest *in, const struct gather *g, uint64_t more)
{
	char source[YG_SPOOL_MAPPING_MAX + 17];
	struct yg_tally like;
	struct yg_sb s = yg_sb_init(source, sizeof source);
	uint64_t dropped = g->dropped + more;
	yg_sb_put(&s, yg_sv_of(yg_source_name((enum yg_source)g->source)));
	if (g->mapping.n > 0) {
		yg_sb_putc(&s, ':');
		yg_sb_put(&s, g->mapping);
	}
	yg_tally_set(&like, g->org, yg_sb_sv(&s), g->name);
	if (dropped == 0)
		return;
	struct yg_tally *t = tally_of(in, &like);
	t->dropped = dropped;
	if (t->last_us == 0) /* nothing of it was ever kept */
		t->last_us = yg_env_wall(&in->ctx->env).us;
}

void stats_merge(struct ingest *in, const struct yg_tally *t, size_t n)
{
	for (size_t i = 0; i < n; i++)
		tally_add(tally_of(in, &t[i]), &t[i]);
}

static void number(struct yg_buf *b, const char *key, uint64_t v)
{
	yg_buf_printf(b, ",\"%s\":%llu", key, (unsigned long long)v);
}

static void tally_json(const struct yg_tally *t, struct yg_buf *b)
{
	char time[40];
	struct yg_sb s = yg_sb_init(time, sizeof time);
	yg_time_format(&s, (yg_wall){t->last_us});
	yg_buf_printf(b, "{\"org\":");
	yg_json_put_str(b, yg_sv_of(t->org));
	yg_buf_printf(b, ",\"source\":");
	yg_json_put_str(b, yg_sv_of(t->source));
	yg_buf_printf(b, ",\"sensor\":");
	yg_json_put_str(b, yg_sv_of(t->sensor));
	number(b, "batches", t->batches);
	number(b, "bytes", t->bytes);
	number(b, "events", t->events);
	number(b, "unparsed", t->unparsed);
	number(b, "findings", t->findings);
	number(b, "set_aside", t->aside);
	number(b, "dropped", t->dropped);
	yg_buf_printf(b, ",\"last_received\":\"%s\"}", yg_sb_cstr(&s));
}

static void rules_json(const struct yg_rules_counts *c, struct yg_buf *b)
{
	number(b, "rules_judged", c->judged);
	number(b, "rules_us", c->us);
	number(b, "rule_hits", c->hits);
	number(b, "rule_hits_excepted", c->excepted);
	number(b, "rule_findings", c->findings);
	number(b, "rule_findings_cut", c->cut);
	number(b, "feed_matches", c->matches);
	number(b, "feed_connections", c->connections);
	number(b, "feed_logins", c->logins);
}

static void pipe_json(const struct pipe *p, struct yg_buf *b)
{
	struct yg_spool_counts c;
	struct yg_process_counts k = p->shown.process;
	yg_spool_counts(p->spool, &c);
	yg_buf_printf(b, "{\"spool\":%u", p->number);
	number(b, "bytes", c.bytes);
	number(b, "bytes_max", c.most_bytes);
	number(b, "segments", c.segments);
	number(b, "journal_bytes", p->shown.journal_bytes);
	number(b, "durable", c.durable);
	number(b, "stored", p->stored);
	number(b, "released", p->released);
	number(b, "batches_taken", c.appended);
	number(b, "duplicates", c.duplicates);
	number(b, "refused_full", c.refused_full);
	number(b, "groups", c.groups);
	number(b, "groups_failed", c.failed_groups);
	number(b, "torn_bytes", c.torn_bytes);
	number(b, "damaged", k.damaged);
	number(b, "damaged_bytes", k.damaged_bytes);
	number(b, "set_aside", k.aside);
	number(b, "events", k.events);
	number(b, "unparsed", k.unparsed);
	number(b, "findings", k.findings);
	number(b, "matches_cut", k.matches_cut);
	number(b, "unpack_failed", k.inflate_failed);
	rules_json(&k.rules, b);
	number(b, "rows_stored", p->shown.rows);
	number(b, "blocks_stored", p->shown.blocks);
	number(b, "blocks_again", p->shown.again);
	number(b, "store_refused", p->shown.refused);
	number(b, "store_failures", p->retry_deliver.failures);
	yg_buf_printf(b, ",\"store_waiting\":%s", p->retry_deliver.wait_us != 0 ? "true" : "false");
	number(b, "findings_messages", p->findings_sent);
	number(b, "findings_refused", p->shown.findings_refused);
	number(b, "center_failures", p->retry_send.failures);
	yg_buf_printf(b, ",\"center_waiting\":%s", p->retry_send.wait_us != 0 ? "true" : "false");
	number(b, "findings_waiting_bytes", p->msg_bytes);
	yg_buf_putc(b, '}');
}

void stats_json(struct ingest *in, struct yg_buf *b)
{
	size_t shown = 0;
	udp_drops(in);
	stream_drops(in);
	char time[40];
	struct yg_sb s = yg_sb_init(time, sizeof time);
	yg_time_format(&s, in->started);
	yg_buf_printf(b, "{\"worker\":%u,\"started\":\"%s\"", in->ctx->index, yg_sb_cstr(&s));
	number(b, "snapshot", in->intel != NULL ? yg_intel_generation(in->intel->intel) : 0);
	number(b, "indicators", in->intel != NULL ? yg_intel_count(in->intel->intel) : 0);
	number(b, "snapshots_refused", in->snapshots_refused);
	const struct yg_ruleset *rules = in->rules != NULL ? in->rules->rules : NULL;
	number(b, "rules_generation", rules != NULL ? yg_ruleset_generation(rules) : 0);
	number(b, "rules", rules != NULL ? yg_ruleset_count(rules) : 0);
	number(b, "rules_refused", in->rules_refused);
	number(b, "spool_refused", in->spool_refused);
	number(b, "waiting_bytes", in->waiting_bytes);
	yg_buf_printf(b, ",\"spools\":[");
	for (size_t i = 0; i < in->pipe_n; i++) {
		if (i > 0)
			yg_buf_putc(b, ',');
		pipe_json(in->pipes[i], b);
	}
	yg_buf_printf(b, "],\"listeners\":[");
	udp_stats(in, b);
	stream_stats(in, b);
	yg_buf_printf(b, "],\"follow\":[");
	follow_stats(in, b);
	yg_buf_printf(b, "],\"dnslog\":[");
	dnslog_stats(in, b);
	yg_buf_printf(b, "],\"sources\":[");
	for (; shown < in->tally_n && shown < SOURCES_SHOWN && b->n + 4096 < b->limit; shown++) {
		if (shown > 0)
			yg_buf_putc(b, ',');
		tally_json(&in->tallies[shown], b);
	}
	yg_buf_printf(b, "],\"sources_more\":%zu,\"sources_rest\":", in->tally_n - shown);
	tally_json(&in->tally_rest, b);
	yg_buf_putc(b, '}');
}
