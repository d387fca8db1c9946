/* json_out.h - writes one JSON document into a buffer; commas and quotes are
 * its business.  The buffer's sticky `bad` is the error. */
#pragma once
#include "base/units.h"
#include "format/json.h"

#define YG_JO_DEPTH_MAX 32
struct yg_jo {
	struct yg_buf *out; /* borrowed */
	uint32_t some;      /* bit per level: something stands before */
	unsigned depth;
	bool after_key;
};

static inline struct yg_jo yg_jo_init(struct yg_buf *out)
{
	return (struct yg_jo){.out = out};
}
void yg_jo_begin(struct yg_jo *j, char bracket);  /* '{' or '[' */
void yg_jo_end(struct yg_jo *j, char bracket);    /* '}' or ']' */
void yg_jo_key(struct yg_jo *j, const char *key); /* a name of ours: nothing to escape in it */
void yg_jo_key_sv(struct yg_jo *j, struct yg_sv key);
/* Values: after a key or as array elements. */
void yg_jo_text(struct yg_jo *j, struct yg_sv s);
void yg_jo_i64(struct yg_jo *j, int64_t v);
void yg_jo_raw(struct yg_jo *j, struct yg_sv json); /* JSON made elsewhere, trusted; empty: null */
/* Members in one call. */
void yg_jo_str(struct yg_jo *j, const char *key, struct yg_sv s);
void yg_jo_str_or_null(struct yg_jo *j, const char *key, struct yg_sv s); /* empty: null */
void yg_jo_int(struct yg_jo *j, const char *key, int64_t v);
void yg_jo_bool(struct yg_jo *j, const char *key, bool v);
void yg_jo_time(struct yg_jo *j, const char *key, int64_t us); /* 0: null */
