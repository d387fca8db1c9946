/* read_internal.h - what the files of the reader share. */
#pragma once
#include "conf/tree.h"
#include "detect/read.h"
#include "detect/value.h"

struct yg_sigma_reader {
	const char *file;
	struct yg_arena *arena;
	struct yg_err *err;
	size_t line; /* of the last failure */
};

/* "key: what" at the node's line into err; YG_PARSE. */
yg_status yg_sigma_fail(struct yg_sigma_reader *r, const struct yg_yaml *n, const char *fmt, ...)
	YG_PRINTF(3, 4);
yg_status yg_sigma_nomem(struct yg_sigma_reader *r);
/* Untrusted text for a message: at most 48 bytes of it, escaped. */
struct yg_sigma_quote {
	char text[200];
};
const char *yg_sigma_quoted(struct yg_sigma_quote *q, struct yg_sv s);

/* One text of 1 to `most` bytes. */
yg_status yg_sigma_text(struct yg_sigma_reader *r, const struct yg_yaml *n, size_t most,
			struct yg_sv *out);
/* A list of texts, or one text. */
yg_status yg_sigma_texts(struct yg_sigma_reader *r, const struct yg_yaml *n, size_t most,
			 struct yg_sigma_list *out);

/* ---- modifier.c ---- */
enum yg_sigma_modifier {
	YG_SIGMA_M_ALL,
	YG_SIGMA_M_STARTSWITH,
	YG_SIGMA_M_ENDSWITH,
	YG_SIGMA_M_CONTAINS,
	YG_SIGMA_M_EXISTS,
	YG_SIGMA_M_CASED,
	YG_SIGMA_M_NEQ,
	YG_SIGMA_M_WINDASH,
	YG_SIGMA_M_RE,
	YG_SIGMA_M_I,
	YG_SIGMA_M_M,
	YG_SIGMA_M_S,
	YG_SIGMA_M_BASE64,
	YG_SIGMA_M_BASE64OFFSET,
	YG_SIGMA_M_UTF16LE,
	YG_SIGMA_M_UTF16BE,
	YG_SIGMA_M_UTF16,
	YG_SIGMA_M_WIDE,
	YG_SIGMA_M_LT,
	YG_SIGMA_M_LTE,
	YG_SIGMA_M_GT,
	YG_SIGMA_M_GTE,
	YG_SIGMA_M_MINUTE,
	YG_SIGMA_M_HOUR,
	YG_SIGMA_M_DAY,
	YG_SIGMA_M_WEEK,
	YG_SIGMA_M_MONTH,
	YG_SIGMA_M_YEAR,
	YG_SIGMA_M_CIDR,
	YG_SIGMA_M_EXPAND,
	YG_SIGMA_M_FIELDREF,
	YG_SIGMA_M_COUNT,
};
struct yg_sigma_key { /* "field|mod|mod" */
	struct yg_sv field;
	enum yg_sigma_modifier order[YG_SIGMA_MODIFIERS_MAX];
	size_t count;
	uint64_t set; /* bit per modifier */
	enum yg_sigma_test test;
};
/* The key of an item taken apart and its combination checked; the item's own fields are
 * filled in, its values not. */
yg_status yg_sigma_key_read(struct yg_sigma_reader *r, const struct yg_yaml *n,
			    struct yg_sigma_key *out, struct yg_sigma_item *item);
static inline bool yg_sigma_key_has(const struct yg_sigma_key *k, enum yg_sigma_modifier m)
{
	return (k->set >> m & 1) != 0;
}

/* ---- pattern.c, encode.c ---- */
/* A value of text as its patterns, the modifiers of the key applied in order. */
yg_status yg_sigma_patterns(struct yg_sigma_reader *r, const struct yg_yaml *n,
			    const struct yg_sigma_key *key, struct yg_sigma_value *out);
struct yg_sigma_patterns {
	struct yg_sigma_pattern *list;
	size_t count;
};
/* One modifier of encoding over every pattern. */
yg_status yg_sigma_encode(struct yg_sigma_reader *r, const struct yg_yaml *n,
			  enum yg_sigma_modifier m, struct yg_sigma_patterns *io);

/* ---- condition.c ---- */
/* `n` is the value of the key `condition`; the searches are there already. */
yg_status yg_sigma_condition(struct yg_sigma_reader *r, const struct yg_yaml *n,
			     struct yg_sigma_detection *io);

/* ---- detection.c, correlation.c ---- */
/* The map `detection:`, or a filter's `filter:` whose key `rules` is skipped. */
yg_status yg_sigma_detection_read(struct yg_sigma_reader *r, const struct yg_yaml *n, bool filter,
				  struct yg_sigma_detection *out);
yg_status yg_sigma_correlation_read(struct yg_sigma_reader *r, const struct yg_yaml *doc,
				    const struct yg_yaml *n, struct yg_sigma_correlation *out);
