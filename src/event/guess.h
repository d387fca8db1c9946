/* guess.h - which source a sample of a file comes from: every normaliser reads
 * it, and who understands most of it wins.  Pure, but for memory. */
#pragma once
#include "event/normalize.h"

#define YG_GUESS_SAMPLE 262144u /* bytes that are looked at */

struct yg_guess {
	enum yg_source source;
	unsigned score;   /* 0..100: half for records read, half for those of a known class */
	uint64_t records; /* in the sample */
	uint64_t unparsed;
};
/* All sources but ndjson, best first; *out_n of them that read any record at all. */
yg_status yg_source_guess(struct yg_sv sample, yg_wall now, struct yg_guess out[YG_SOURCE_COUNT],
			  size_t *out_n, struct yg_err *err);
/* The sample without a last line, or chunk of an event log, that is cut. */
struct yg_sv yg_guess_whole(struct yg_sv sample);
