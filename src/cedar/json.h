/* json.h - values, entities and requests as Cedar's JSON has them: plain JSON, with
 * {"__entity": {"type", "id"}} and {"__extn": {"fn", "arg"}}; where a type is known
 * from a schema, entities also as {"type", "id"} and extensions as their text alone.
 * Pure. */
#pragma once
#include "cedar/entity.h"
#include "cedar/eval.h"
#include "cedar/schema.h"
#include "format/json.h"

#define YG_CEDAR_JSON_NODES 100000000 /* values of one document; memory is bounded by its size */

/* Reads values of one document. */
struct yg_cedar_json {
	const struct yg_json *j;            /* borrowed */
	struct yg_arena *arena;             /* borrowed; what values are made of */
	struct yg_vec stack;                /* owned; values that are not used yet */
	const struct yg_cedar_type **types; /* owned; of each node of the value at hand */
	uint8_t *roles;                     /* owned; the same: what it stands for */
	uint32_t room;                      /* nodes that these two have room for */
};
void yg_cedar_json_init(struct yg_cedar_json *r, const struct yg_json *j, struct yg_arena *arena);
void yg_cedar_json_free(struct yg_cedar_json *r);
/* The value at a node; `type` may be NULL.  Texts are copied.
 * YG_OK | YG_PARSE | YG_NOMEM. */
yg_status yg_cedar_json_value(struct yg_cedar_json *r, uint32_t node,
			      const struct yg_cedar_type *type, struct yg_cedar_value *out,
			      struct yg_err *err);
/* The same of an object that is a record whatever its members are called: none is an escape. */
yg_status yg_cedar_json_record(struct yg_cedar_json *r, uint32_t node,
			       const struct yg_cedar_type *type, struct yg_cedar_value *out,
			       struct yg_err *err);
/* The object has these members and no others; an optional one begins with '?'.
 * *out: their nodes, 0 where it is absent.  YG_OK | YG_PARSE. */
yg_status yg_cedar_json_members(const struct yg_json *j, uint32_t node, const char *const *names,
				size_t n, uint32_t *out, struct yg_err *err);
/* The member's value, which must not be there twice; 0: absent.  YG_OK | YG_PARSE. */
yg_status yg_cedar_json_once(const struct yg_json *j, uint32_t node, const char *key, uint32_t *out,
			     struct yg_err *err);
/* YG_PARSE: "byte 12: expected ...". */
yg_status yg_cedar_json_fail(const struct yg_json *j, uint32_t node, const char *expected,
			     struct yg_err *err);
/* {"type", "id"}, or that inside of {"__entity"}. */
yg_status yg_cedar_json_uid(struct yg_cedar_json *r, uint32_t node, struct yg_cedar_uid *out,
			    struct yg_err *err);

/* Adds the entities of a JSON array and works ancestors out; with a schema its actions,
 * too, and everything must be what the schema says.  YG_OK | YG_PARSE | YG_CONFLICT
 * (twice and different; its own ancestor) | YG_LIMIT | YG_NOMEM. */
yg_status yg_cedar_entities_json(struct yg_cedar_entities *e, struct yg_sv text,
				 const struct yg_cedar_schema *schema, struct yg_err *err);
/* A request: {"principal", "action", "resource", "context"}.  YG_OK | YG_PARSE |
 * YG_NOMEM (the arena). */
yg_status yg_cedar_request_json(struct yg_cedar_json *r, uint32_t node,
				const struct yg_cedar_schema *schema, struct yg_cedar_request *out,
				struct yg_err *err);
