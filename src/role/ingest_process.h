/* ingest_process.h - from a batch in the spool to rows, findings and plans.
 *
 * spool record -> inflate (bounded) -> normalise -> owner set -> indicators ->
 * rows of the batch: its events in order, then one detection finding (OCSF
 * 2004) per match.  What a batch gives is the same every time: rows follow from
 * its bytes alone, findings from the plan once one was journaled.
 *
 * Blocking file reads, no sockets.  One thread at a time per yg_process.
 */
#pragma once
#include "event/normalize.h"
#include "intel/match.h"
#include "role/ingest_block.h"
#include "role/ingest_finding.h"
#include "role/ingest_rules.h"

#define YG_TALLY_MAX 64

/* What a run did per owner and source; merged into the role's counters. */
struct yg_tally {
	char org[YG_ORG_NAME_MAX + 1];
	char source[YG_SPOOL_MAPPING_MAX + 17]; /* "zeek", "ndjson:fw" */
	char sensor[YG_SPOOL_SENSOR_MAX + 1];
	uint64_t batches, bytes, events, unparsed, findings, aside;
	uint64_t dropped; /* by a listener, before any batch; an absolute count */
	int64_t last_us;  /* received time of the newest batch */
};
void yg_tally_set(struct yg_tally *t, struct yg_sv org, struct yg_sv source, struct yg_sv sensor);
bool yg_tally_same(const struct yg_tally *a, const struct yg_tally *b);

struct yg_process_conf {
	const struct yg_spool_conf *spool; /* borrowed */
	struct yg_spool_journal *journal;  /* borrowed; only what was recovered is read */
	const struct yg_env *env;          /* borrowed */
	uint64_t after;                    /* batches up to here are delivered */
	uint64_t rows_most;                /* per block */
	/* The mapping of that name, NULL when there is none.  Called in the
	 * processing thread; what it gives must stay. */
	const struct yg_mapping *(*mapping)(void *ctx, struct yg_sv name);
	void *mapping_ctx;
	struct yg_spool_busy busy; /* of the process before */
	int busy_fd;               /* borrowed; -1: no marker */
	uint32_t deaths_most;      /* a batch that this many processes died on is set aside */
};
struct yg_process; /* owned: yg_process_free() */

yg_status yg_process_new(const struct yg_process_conf *conf, struct yg_process **out,
			 struct yg_err *err) YG_MUST_USE;
void yg_process_free(struct yg_process *p);

struct yg_process_by { /* snapshots in force; NULL: none */
	const struct yg_intel *intel;
	const struct yg_ruleset *rules;
};
/* Goes on where the last run ended, until the block is full, no batch is left
 * within `limit` (*out_idle), or about budget_us have passed.  What it works by
 * takes effect with the next batch.
 * YG_OK; or YG_IO, YG_NOMEM: nothing is lost, run again later. */
yg_status yg_process_run(struct yg_process *p, struct yg_spool_limit limit, struct yg_process_by by,
			 struct yg_block *block, int64_t budget_us, bool *out_idle,
			 struct yg_err *err) YG_MUST_USE;
/* True in the middle of a batch: `intel` of the last run is still in use. */
bool yg_process_in_batch(const struct yg_process *p);
const struct yg_intel *yg_process_intel(const struct yg_process *p);
/* The rules that the next event would be asked of, also between two batches: they stay. */
const struct yg_ruleset *yg_process_rules(const struct yg_process *p);
/* Of the runs since the last call; valid until the next run. */
size_t yg_process_tallies(struct yg_process *p, const struct yg_tally **out);

struct yg_process_counts {
	uint64_t batches, events, unparsed, findings, matches_cut, damaged, damaged_bytes, aside,
		inflate_failed;
	struct yg_rules_counts rules;
};
void yg_process_counts(const struct yg_process *p, struct yg_process_counts *out);
/* A batch was set aside since the last call: its seq, else 0. */
uint64_t yg_process_aside(struct yg_process *p);
