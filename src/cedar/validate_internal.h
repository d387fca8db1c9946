/* validate_internal.h - the types of expressions; private to cedar. */
#pragma once
#include "cedar/validate.h"

/* Kinds of types beside those of values: conditions whose outcome is known. */
enum {
	YG_CY_TRUE = 64,
	YG_CY_FALSE,
};
#define YG_CY_DEPTH 256 /* types within each other */

/* Something that was tested to be there: an attribute or a tag of what an expression
 * gives (validate_gain.c). */
struct yg_cy_fact {
	struct yg_cedar_range of;  /* without the attributes at its end: they are in `path` */
	const struct yg_sv *path;  /* of.path[0].path[1] ... */
	uint32_t n;                /* 0: a tag */
	struct yg_cedar_range tag; /* the expression that gives its name */
	uint32_t known;            /* at the operation at hand: how many say it */
	uint32_t mark;
};
/* Numbers of facts.  Lists are never changed, so that they can share their ends. */
struct yg_cy_gain {
	const struct yg_cy_gain *next;
	uint32_t count; /* of this one and all behind it */
	uint32_t fact;
};
struct yg_cy_value {
	const struct yg_cedar_type *type; /* NULL: it was at fault, and that was told */
	const struct yg_cy_gain *gains;   /* there when it is true */
	struct yg_cedar_range code;
};
struct yg_cy_frame; /* a && || if whose jump was met (validate_expr.c) */

/* A policy over requests of one action, principal's and resource's type. */
struct yg_cy {
	const struct yg_cedar_code *code;
	const struct yg_cedar_schema *schema;
	const struct yg_cedar_action_type *action;
	enum { YG_CY_UNASKED, YG_CY_NOT_IN, YG_CY_IN } in_scope; /* the action, of the policy */
	struct yg_sv principal, resource;                        /* entity types */
	struct yg_vec values, frames; /* owned; struct yg_cy_value, struct yg_cy_frame */
	struct yg_vec facts;          /* owned; struct yg_cy_fact */
	struct yg_index fact_index;   /* owned */
	uint32_t stamp;               /* of the last mark of facts */
	struct yg_cedar_steps steps;  /* of the policy */
	struct yg_arena *arena;       /* borrowed; of the types made */
	struct yg_cedar_faults *faults;
	uint32_t policy;
	size_t from;   /* first fault of this policy */
	yg_status bad; /* sticky */
	struct yg_err *err;
};

void yg_cy_nomem(struct yg_cy *c);
/* Counts; out of steps, or of the arena's bound, c->bad is YG_LIMIT. */
void yg_cy_work(struct yg_cy *c, uint64_t n);
/* Zeroed; NULL: c->bad. */
void *yg_cy_alloc(struct yg_cy *c, size_t n);
void yg_cy_fault(struct yg_cy *c, uint32_t at, bool warning, const char *fmt, ...) YG_PRINTF(4, 5);
/* "; did you mean X?" of the nearest candidate, when one is near. */
struct yg_cy_near {
	struct yg_sv name, best;
	size_t distance;
};
void yg_cy_consider(struct yg_cy_near *n, struct yg_sv candidate);
void yg_cy_put_near(struct yg_sb *b, const struct yg_cy_near *n);

const struct yg_cedar_type *yg_cy_of_kind(uint8_t kind); /* of a plain kind; static */
const struct yg_cedar_type *yg_cy_entity(struct yg_cy *c, struct yg_sv name);
/* The type that both are of, when they are compatible; else NULL. */
const struct yg_cedar_type *yg_cy_join(struct yg_cy *c, const struct yg_cedar_type *a,
				       const struct yg_cedar_type *b);
void yg_cy_put_type(struct yg_sb *b, const struct yg_cedar_type *t);
bool yg_cy_is_bool(const struct yg_cedar_type *t);
/* Attributes of an entity or record: NULL when it has none of this name. */
const struct yg_cedar_type_field *yg_cy_attribute(struct yg_cy *c, const struct yg_cedar_type *t,
						  struct yg_sv name);
/* May an entity of the one type be the other or below it? */
bool yg_cy_may_be_in(const struct yg_cedar_schema *s, struct yg_sv type, struct yg_sv above);

/* The attributes names[0].names[1] .. of what the expression gives; false: c->bad. */
struct yg_cy_path {
	struct yg_cedar_range of;
	const struct yg_sv *texts;
	uint32_t before; /* of the expression itself */
};
bool yg_cy_path(struct yg_cy *c, struct yg_cedar_range of, const uint32_t *names, uint32_t n,
		struct yg_cy_path *out);
/* The first n names of it; a tag.  UINT32_MAX: c->bad, and then nothing is known or gained. */
uint32_t yg_cy_fact_path(struct yg_cy *c, const struct yg_cy_path *path, uint32_t n);
uint32_t yg_cy_fact_tag(struct yg_cy *c, struct yg_cedar_range of, struct yg_cedar_range tag);
bool yg_cy_knows(const struct yg_cy *c, uint32_t fact);
/* What the list says is known, until it is unlearned, or all is forgotten. */
void yg_cy_learn(struct yg_cy *c, const struct yg_cy_gain *list);
void yg_cy_unlearn(struct yg_cy *c, const struct yg_cy_gain *list);
void yg_cy_forget(struct yg_cy *c);
const struct yg_cy_gain *yg_cy_gain(struct yg_cy *c, uint32_t fact, const struct yg_cy_gain *next);
const struct yg_cy_gain *yg_cy_either(struct yg_cy *c, const struct yg_cy_gain *a,
				      const struct yg_cy_gain *b);
const struct yg_cy_gain *yg_cy_both(struct yg_cy *c, const struct yg_cy_gain *a,
				    const struct yg_cy_gain *b);

/* The value must be of the kind; else told, and false. */
bool yg_cy_need(struct yg_cy *c, const struct yg_cy_value *v, uint8_t kind);
bool yg_cy_need_both(struct yg_cy *c, const struct yg_cy_value *a, uint8_t first, uint8_t second);
void yg_cy_tell_kind(struct yg_cy *c, const struct yg_cy_value *v, const char *want);
/* x.a, x has a.b, x.hasTag(t), x.getTag(t) (validate_attr.c). */
const struct yg_cedar_type *yg_cy_member(struct yg_cy *c, const struct yg_cedar_op *op,
					 const struct yg_cy_value *a);
struct yg_cy_value yg_cy_has(struct yg_cy *c, const struct yg_cedar_op *op,
			     const struct yg_cy_value *a);
struct yg_cy_value yg_cy_has_tag(struct yg_cy *c, const struct yg_cy_value *a);
const struct yg_cedar_type *yg_cy_get_tag(struct yg_cy *c, const struct yg_cedar_op *op,
					  const struct yg_cy_value *a);
/* One operation that has its operands: its type (validate_op.c). */
struct yg_cy_value yg_cy_op(struct yg_cy *c, const struct yg_cedar_op *op, uint32_t at,
			    const struct yg_cy_value *a, uint32_t n);
/* The value must be a condition; else told, and false. */
bool yg_cy_need_bool(struct yg_cy *c, const struct yg_cy_value *v);
/* The type and gains of an expression, with what is known (c->known). */
struct yg_cy_value yg_cy_expression(struct yg_cy *c, struct yg_cedar_range code);
