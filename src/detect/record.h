/* record.h - an event as rules see it: fields and their values, and the record as it came.
 *
 * Everything is borrowed.  A field with several values has several pairs; names are
 * compared as they are written.
 */
#pragma once
#include "base/base.h"

struct yg_detect_pair {
	struct yg_sv field;
	struct yg_sv value; /* text; numbers and truth values as JSON writes them */
	bool null;          /* the field is there and is null; value is empty */
};
struct yg_detect_record {
	struct yg_sv category, product, service; /* of its log source; empty: unknown */
	const struct yg_detect_pair *pairs;
	size_t count;
	struct yg_sv raw; /* for keywords; may be empty */
};
