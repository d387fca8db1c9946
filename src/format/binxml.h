/* binxml.h - Windows' binary XML, as event records hold it, to one line of JSON.
 *
 * [MS-EVEN6] 2.2.12 has the tokens, J. Metz's "Windows XML Event Log (EVTX) format" how they
 * lie in a chunk: names and templates are stored once and pointed at by their offset in the
 * chunk, so a record can be read beside its chunk only.
 *
 * How XML becomes JSON (the form that most tools give EVTX):
 *   <a>text</a>              "a": "text"; a substitution that is an integer: a number
 *   <a b="c">text</a>        "a": {"#attributes": {"b": "c"}, "#text": "text"}
 *   <a><b/><b/></a>          "a": {"b": ["", ""]}
 *   <Data Name="x">y</Data>  "x": "y"
 * An optional substitution without a value leaves out its element or attribute; an array is
 * a list; the namespace of the outermost element is left out.
 *
 * Bounded, whatever the bytes say: nesting, elements, and per chunk the tokens read and the
 * JSON written, so templates that hold themselves, or each other many times, end in an error.
 * Pure; one thread at a time. */
#pragma once
#include "base/arena.h"
#include "base/limits.h"
#include "base/sb.h"

#define YG_BINXML_DEPTH_MAX    48      /* open elements; Windows' own stay under 10 */
#define YG_BINXML_NEST_MAX     12      /* templates and fragments in each other; usual: 4 */
#define YG_BINXML_ELEMENTS_MAX 8192    /* of one record */
#define YG_BINXML_TOKENS_MAX   262144  /* of all records of a chunk; usual: under 40,000 */
#define YG_BINXML_JSON_MAX     4194304 /* bytes made of one chunk; usual: under 300,000 */
#define YG_BINXML_NAMES        512     /* names of a chunk that are kept; a power of two */

struct yg_binxml_name {   /* a name of the chunk, by where it lies; used slots have at != 0 */
	uint32_t at, end; /* end: offset behind it */
	struct yg_sv text;
};
struct yg_binxml {
	struct yg_arena record, names; /* owned */
	struct yg_sv chunk;            /* borrowed */
	struct yg_binxml_name known[YG_BINXML_NAMES];
	uint32_t known_n, tokens_left, elements;
	size_t json_left;
};

void yg_binxml_init(struct yg_binxml *x);
void yg_binxml_free(struct yg_binxml *x);
/* What follows is of this chunk.  chunk: borrowed until the next; at most 64 KiB. */
void yg_binxml_begin(struct yg_binxml *x, struct yg_sv chunk);
/* The binary XML in [at, end) of the chunk, appended to `out` as one JSON object with one
 * member, the outermost element, but without the last brace, so that more can be said.
 *
 * YG_OK | YG_PARSE (with offset and reason) | YG_LIMIT (one of those above, or out's) |
 * YG_NOMEM.  On all but YG_OK `out` is as it was. */
yg_status yg_binxml_json(struct yg_binxml *x, uint32_t at, uint32_t end, struct yg_buf *out,
			 struct yg_err *err);
