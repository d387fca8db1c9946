/* evtx_in.h - event log files as records of the Windows normaliser; private to event/.
 *
 * A batch is a file, or a part of one: the header, then whole chunks.  Every record becomes
 * the JSON of format/binxml.h, which is its `raw`; what is damaged is a record that could
 * not be read, with place and reason.  A record that its chunk does not list says so in
 * "Evtx" beside "Event", and in parse_error. */
#pragma once
#include "event/norm.h"
#include "format/binxml.h"
#include "format/evtx.h"

struct yg_evtx_in {
	bool is_evtx;   /* the batch at hand is one */
	bool is_other;  /* ... is none, and was given as one: it is a record as a whole */
	bool is_broken; /* the record at hand is damage: err says what */
	bool in_chunk;
	bool has_said;        /* what is wrong with the header */
	enum yg_evtx_how how; /* of the record at hand */
	struct yg_err err;
	struct yg_evtx_file file;
	struct yg_evtx_chunk chunk;
	uint64_t next_chunk;
	struct yg_buf json;   /* owned */
	struct yg_binxml xml; /* owned */
};
void yg_evtx_in_init(struct yg_evtx_in *in);
void yg_evtx_in_free(struct yg_evtx_in *in);
/* At the begin of a batch: is it an event log file? */
void yg_evtx_in_begin(struct yg_evtx_in *in, struct yg_norm *n);
/* The next record as JSON in n->arena, or what is damaged as it came. */
bool yg_evtx_in_next(struct yg_evtx_in *in, struct yg_norm *n, struct yg_sv *out);
/* Of the record that was given last: the damage as an error, or YG_OK and the remark that
 * it was recovered. */
yg_status yg_evtx_in_judge(const struct yg_evtx_in *in, struct yg_norm *n, struct yg_event *ev,
			   struct yg_err *err);
