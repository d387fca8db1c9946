/* json.h - the JSON reader of the hot path: strict RFC 8259, no recursion, no
 * allocation per value.
 *
 * A document is parsed in one pass into a flat tape of nodes that the caller
 * owns and reuses.  Strings stay where they are in the input; one with escapes
 * is unescaped into the arena on demand.  Same answer or same refusal as
 * jansson (differential fuzz target test/fuzz/fuzz_json.c).
 *
 * Duplicate keys: accepted as RFC 8259 section 4 allows; look-ups give the
 * last one, as most readers do.
 */
#pragma once
#include "base/arena.h"
#include "base/limits.h"
#include "base/sb.h"

enum yg_json_type {
	YG_JSON_NULL = 1,
	YG_JSON_FALSE,
	YG_JSON_TRUE,
	YG_JSON_NUMBER, /* text as in the input */
	YG_JSON_STRING,
	YG_JSON_OBJECT,
	YG_JSON_ARRAY,
};

struct yg_json_node {
	uint8_t type;    /* enum yg_json_type */
	uint8_t escaped; /* a string with escapes: read it with yg_json_str() */
	uint16_t reserved;
	uint32_t at;   /* offset of the value's text (a string's: behind its quote) */
	uint32_t n;    /* bytes of text; for object and array: number of members */
	uint32_t next; /* index of the node behind this value and all in it */
};
/* An object's members are pairs of nodes (string key, value) behind it. */

struct yg_json {
	const char *text;           /* borrowed */
	struct yg_json_node *nodes; /* owned; grown up to `limit` */
	uint32_t count, cap, limit;
	uint32_t depth; /* most levels: YG_JSON_DEPTH_MAX unless the owner says otherwise */
	bool has_codes; /* some string or key has an escape \uXXXX */
};
void yg_json_init(struct yg_json *j, uint32_t node_limit);
void yg_json_free(struct yg_json *j);

/* Parses exactly one value that fills `text` (white space around it allowed).
 * YG_OK | YG_PARSE (with the byte offset in the message) | YG_LIMIT (depth,
 * nodes, 4 GiB) | YG_NOMEM.  Node 0 is the value. */
yg_status yg_json_parse(struct yg_json *j, struct yg_sv text, struct yg_err *err);
/* Parses one value at the start of `text` and says how many bytes it took:
 * for values that follow each other. */
yg_status yg_json_parse_prefix(struct yg_json *j, struct yg_sv text, size_t *out_used,
			       struct yg_err *err);

static inline const struct yg_json_node *yg_json_at(const struct yg_json *j, uint32_t i)
{
	return &j->nodes[i];
}
/* Raw text of a node: a string without its quotes, still escaped. */
static inline struct yg_sv yg_json_raw(const struct yg_json *j, uint32_t i)
{
	return (struct yg_sv){j->text + j->nodes[i].at, j->nodes[i].n};
}
/* Text of any value as it stands in the input, with its quotes or brackets: for
 * records inside a larger document.  Time in proportion to the value. */
struct yg_sv yg_json_text(const struct yg_json *j, uint32_t i);
/* A string's value; escapes are undone into `arena`.  Of a number or literal,
 * its text; of an object, array or null, empty.  {NULL,0} when the arena is out. */
struct yg_sv yg_json_str(const struct yg_json *j, uint32_t i, struct yg_arena *arena);
/* The same of a piece of a checked string that cuts no escape in two. */
struct yg_sv yg_json_unescape(struct yg_sv raw, struct yg_arena *arena);
/* Is it a string that says this?  Escapes are undone without memory. */
bool yg_json_is(const struct yg_json *j, uint32_t i, struct yg_sv text);
/* Value node of `key` in object node `obj`, 0 when absent (0 is never a member). */
uint32_t yg_json_get(const struct yg_json *j, uint32_t obj, struct yg_sv key);
/* The same down a dotted path ("a.b.c"); a key that itself holds the dots wins. */
uint32_t yg_json_path(const struct yg_json *j, uint32_t obj, struct yg_sv path);
/* Numbers, also as digits in a string; `dflt` when it is neither or does not fit. */
int64_t yg_json_i64(const struct yg_json *j, uint32_t i, int64_t dflt);
double yg_json_f64(const struct yg_json *j, uint32_t i, double dflt);

/* Writing: appends s as a JSON string with its quotes; invalid UTF-8 becomes U+FFFD. */
void yg_json_put_str(struct yg_buf *b, struct yg_sv s);
