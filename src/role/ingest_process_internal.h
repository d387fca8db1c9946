/* ingest_process_internal.h - a batch on its way, between the files that begin it, take its
 * records and end it. */
#pragma once
#include "role/ingest_process.h"

#define PLAN_HEAD    16u
#define PLAN_ASIDE   1u
#define PLAN_VERSION 2u
#define MAPPINGS_MAX 16u
#define KEEP_PLAIN   (32u << 20)
#define DNS_GROUPS                                                                                 \
	256u /* findings of DNS policies gathered of one batch; then they are given out */

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

/* ingest_process.c */
void process_text(char *out, size_t cap, struct yg_sv s); /* cut to cap - 1, ended by a zero */
struct yg_tally *process_tally(struct yg_process *p);     /* of the batch's owner and source */

/* ingest_process_begin.c: what was read from the spool is made ready; nothing has begun
 * unless YG_OK. */
yg_status process_begin(struct yg_process *p, struct yg_process_by by, struct yg_err *err);
void process_own_free(struct yg_process *p);
uint32_t process_plan_schema(void);

/* ingest_process_end.c */
void process_dns_out(struct yg_process *p);
void process_end(struct yg_process *p, struct yg_block *block);
