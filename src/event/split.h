/* split.h - cuts a source's byte stream into batches for `yagura event import`.
 *
 * A batch ends at a record's border and can be parsed by itself:
 *   lines       NDJSON, syslog, Windows, OCSF, Suricata: whole lines
 *   Zeek        whole lines; a batch that begins behind a TSV header has that
 *               header put in front again
 *   dnstap      whole frames behind a START frame; the end of a broken stream as it came
 *   EVTX        (as source windows or evtx, told by its magic) whole chunks behind the file
 *               header, which says for a later part where in the file it was; as source
 *               evtx without the magic, all of it is one record
 *   CloudTrail  one record per line, taken out of {"Records":[...]} documents
 * Where the borders lie depends on the bytes alone, not on how they arrive, so
 * that offset and content name a batch the same way at a second import.
 *
 * A record longer than YG_RECORD_MAX keeps its first YG_RECORD_MAX + 1 bytes
 * (one more than a record may have, so that the parser sees it too) and is
 * counted in `cut`; memory stays at batch_bytes + YG_RECORD_MAX + a header,
 * whatever comes.  Pure; one thread at a time per splitter.
 */
#pragma once
#include "event/normalize.h"

#define YG_SPLIT_BATCH_DEFAULT 4194304
#define YG_SPLIT_HEADER_MAX                                                                        \
	65536 /* of a Zeek header; real ones stay under 8 KiB; more is not repeated */

struct yg_split; /* owned: yg_split_free() */

struct yg_split_batch {
	struct yg_sv bytes; /* what to send; borrowed until the next call */
	uint64_t offset;    /* in the plain stream, of the batch's first record */
	uint64_t records;   /* lines, documents, frames, records in chunks; Zeek: no '#' lines */
	uint64_t cut;       /* of these, records that lost their tail; dnstap: frames left out */
};

/* batch_bytes: most bytes of a batch, YG_RECORD_MAX + YG_SPLIT_HEADER_MAX + 2 at
 * least and YG_BATCH_MAX at most; 0: the default. */
yg_status yg_split_new(enum yg_source source, size_t batch_bytes, struct yg_split **out,
		       struct yg_err *err);
void yg_split_free(struct yg_split *s);
/* Takes from *in (advancing it) until a batch is full: true, and *out is set.
 * False: *in is used up, give more. */
bool yg_split_next(struct yg_split *s, struct yg_sv *in, struct yg_split_batch *out);
/* The stream has ended.  Call until it is false; a last line without LF is a record. */
bool yg_split_end(struct yg_split *s, struct yg_split_batch *out);
