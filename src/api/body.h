/* body.h - JSON bodies of requests: one table per route says which members
 * there are; everything else about them is checked here, and every fault is
 * noted with its JSON pointer, not only the first. */
#pragma once
#include "api/http.h"
#include "format/json.h"

enum yg_field_kind {
	YG_F_TEXT,
	YG_F_INT,
	YG_F_BOOL,
	YG_F_TIME,
	YG_F_TEXTS,
	YG_F_OBJECT,
	YG_F_LIST
};
enum yg_field_flag { YG_F_NEEDED = 1, YG_F_NULL = 2 };
struct yg_field {
	const char *name;
	enum yg_field_kind kind;
	unsigned flags;
	int64_t min, max;  /* of a number; bytes of a text; elements of a list */
	const char *words; /* TEXT: one of these, with blanks between; NULL: any */
};
struct yg_value { /* all zero when not given */
	bool given, null;
	struct yg_sv text;
	int64_t number; /* INT; TIME in us UTC; LIST: its elements */
	bool truth;
	struct yg_sv *texts;
	size_t text_count;
	uint32_t node; /* OBJECT, LIST */
};
struct yg_body {
	struct yg_json json; /* owned */
};
void yg_body_free(struct yg_body *b); /* for YG_AUTO; zero is fine */

/* Parses q->body, which must be one object (an empty body counts as {}), and
 * fills values[i] by fields[i].  YG_PARSE with the faults noted in q. */
yg_status yg_body_read(struct yg_body *b, struct yg_request *q, const struct yg_field *fields,
		       size_t n, struct yg_value *values, struct yg_err *err);
/* The same for a nested object `node` that stands at `pointer` ("/set"). */
yg_status yg_body_read_at(struct yg_body *b, struct yg_request *q, uint32_t node,
			  const char *pointer, const struct yg_field *fields, size_t n,
			  struct yg_value *values, struct yg_err *err);
