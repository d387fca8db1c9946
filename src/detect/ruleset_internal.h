/* ruleset_internal.h - tables that stand in a snapshot beside the engine's. */
#pragma once
#include "detect/engine_internal.h"
#include "detect/ruleset.h"

enum { YG_ROW_RULE, YG_ROW_EXCEPTION, YG_ROW_FILTER }; /* the last two are judged, never told */
struct yg_ruleset_staged {                             /* how far something goes, for whom */
	uint32_t stage;
	uint32_t scope; /* organisation; NONE: all */
	uint32_t overrides, override_count;
};
struct yg_ruleset_row { /* by number of the engine's rule */
	uint32_t kind;
	struct yg_ruleset_staged is;
	uint32_t exceptions, exception_count;
	uint32_t refs, ref_count;
	uint32_t fields, field_count;
	struct yg_detect_text uid, collection;
};
struct yg_ruleset_org { /* ascending by slug */
	struct yg_detect_text slug;
	uint32_t parent; /* NONE: a root */
};
struct yg_ruleset_over { /* of a row or correlation: ascending by organisation; NONE (all) is the last */
	uint32_t org, stage;
	int64_t expires;
};
struct yg_ruleset_except { /* of a row, or of all: ascending by organisation */
	uint32_t org, row; /* the row that says whether it holds */
	int64_t expires;
};
struct yg_ruleset_ref { /* a correlation that takes the row's matches */
	struct yg_ruleset_staged is;
	uint32_t generates; /* they are told of beside it; else, where it is live, in their place */
};
struct yg_ruleset_info {
	uint32_t common; /* exceptions for all rules: the first of the table */
	uint32_t rules;  /* rows that are rules */
};

/* id, name, type of every table; ids go on from YG_DETECT_TABLES */
#define YG_RULESET_TABLES(X)                                                                       \
	X(32, infos, struct yg_ruleset_info)                                                       \
	X(33, rows, struct yg_ruleset_row)                                                         \
	X(34, orgs, struct yg_ruleset_org)                                                         \
	X(35, overs, struct yg_ruleset_over)                                                       \
	X(36, excepts, struct yg_ruleset_except)                                                   \
	X(37, refs, struct yg_ruleset_ref)                                                         \
	X(38, fields, struct yg_detect_text)                                                       \
	X(39, texts, char)

#define YG_RULESET_DEPTH_MAX 64 /* nodes from an organisation to its root */

struct yg_ruleset {
	struct yg_detect *engine; /* owned; the tables are in its snapshot */
#define X(id, name, type)                                                                          \
	const type *name;                                                                          \
	uint64_t name##_count;
	YG_RULESET_TABLES(X)
#undef X
};

/* What the layout depends on beside the engine's. */
struct yg_sv yg_ruleset_schema(char *buf, size_t n);
static inline struct yg_sv yg_ruleset_sv(const struct yg_ruleset *r, struct yg_detect_text t)
{
	return (struct yg_sv){r->texts + t.at, t.n};
}
