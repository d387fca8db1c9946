/* record.h - an event as rules see it: its log sources, fields and their values, and the
 * record as it came.
 *
 * Everything is borrowed.  A field with several values has several pairs; names are
 * compared as they are written.
 */
#pragma once
#include "base/base.h"

struct yg_detect_logsource { /* as rules name it; empty: not that kind of word */
	struct yg_sv category, product, service;
};
struct yg_detect_pair {
	struct yg_sv field;
	struct yg_sv value; /* text; numbers and truth values as JSON writes them */
	bool null;          /* the field is there and is null; value is empty */
	uint32_t name;      /* the field's number in the record's `names` and 1; 0: not known */
};
struct yg_detect;
struct yg_detect_record {
	const struct yg_detect_logsource *sources; /* an event may be of several */
	size_t source_count;
	const struct yg_detect_pair *pairs;
	size_t count;
	struct yg_sv raw;              /* for keywords; may be empty */
	int64_t time;                  /* of the event, yg_wall.us */
	const struct yg_detect *names; /* whose numbers of names the pairs have; NULL: nobody's */
};

/* The field's first value that is not null; false: there is none. */
static inline bool yg_detect_value(const struct yg_detect_record *r, struct yg_sv field,
				   struct yg_sv *out)
{
	for (size_t i = 0; i < r->count; i++)
		if (!r->pairs[i].null && yg_sv_eq(r->pairs[i].field, field)) {
			*out = r->pairs[i].value;
			return true;
		}
	return false;
}
