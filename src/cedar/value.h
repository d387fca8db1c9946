/* value.h - the values of the Cedar language: what expressions are about.
 *
 * Sets are sorted and without duplicates, records sorted by key, so that equal
 * values have one form.  Values point into arenas; whoever made them says how
 * long they live.  Pure.
 */
#pragma once
#include "base/arena.h"
#include "base/sb.h"

#define YG_CEDAR_VALUE_DEPTH 128 /* sets and records within each other; deeper is an error */

enum yg_cedar_kind {
	YG_CEDAR_BOOL = 1,
	YG_CEDAR_LONG,
	YG_CEDAR_STRING,
	YG_CEDAR_ENTITY,
	YG_CEDAR_SET,
	YG_CEDAR_RECORD,
	YG_CEDAR_DECIMAL,  /* ten-thousandths in `i` */
	YG_CEDAR_IP,       /* address and prefix length */
	YG_CEDAR_DATETIME, /* milliseconds since 1970 in `i` */
	YG_CEDAR_DURATION, /* milliseconds in `i` */
};

struct yg_cedar_uid {
	struct yg_sv type, id; /* `type` with its namespaces: "Org::User" */
};
struct yg_cedar_field;

struct yg_cedar_value {
	uint8_t kind;  /* enum yg_cedar_kind */
	uint8_t bits;  /* YG_CEDAR_IP: prefix length */
	bool v6;       /* YG_CEDAR_IP */
	uint8_t depth; /* of sets and records; 0 for all others */
	uint32_t n;    /* bytes, elements or fields */
	union {
		int64_t i; /* long, bool, decimal, datetime, duration */
		const char *s;
		const struct yg_cedar_uid *uid;
		const struct yg_cedar_value *items;
		const struct yg_cedar_field *fields;
		const uint8_t *ip; /* 4 or 16 bytes, network order */
	};
};
struct yg_cedar_field {
	struct yg_sv key;
	struct yg_cedar_value value;
};
static_assert(sizeof(struct yg_cedar_value) == 16, "a value is two words");
static_assert(YG_CEDAR_VALUE_DEPTH <= UINT8_MAX, "depth is a byte");

static inline struct yg_cedar_value yg_cedar_bool(bool b)
{
	return (struct yg_cedar_value){.kind = YG_CEDAR_BOOL, .i = b};
}
static inline struct yg_cedar_value yg_cedar_number(enum yg_cedar_kind kind, int64_t i)
{
	return (struct yg_cedar_value){.kind = (uint8_t)kind, .i = i};
}
static inline struct yg_cedar_value yg_cedar_entity_value(const struct yg_cedar_uid *uid)
{
	return (struct yg_cedar_value){.kind = YG_CEDAR_ENTITY, .uid = uid};
}
static inline struct yg_cedar_value yg_cedar_string(struct yg_sv s) /* under 4 GiB */
{
	return (struct yg_cedar_value){.kind = YG_CEDAR_STRING, .n = (uint32_t)s.n, .s = s.p};
}
static inline struct yg_sv yg_cedar_str(const struct yg_cedar_value *v)
{
	return (struct yg_sv){v->s, v->n};
}
/* The entity; NULL: the value is of another kind.  Whoever has not made the value, or
 * looked at its kind, asks by this. */
static inline const struct yg_cedar_uid *yg_cedar_uid_of(const struct yg_cedar_value *v)
{
	return v->kind == YG_CEDAR_ENTITY ? v->uid : NULL;
}
static inline bool yg_cedar_uid_eq(const struct yg_cedar_uid *a, const struct yg_cedar_uid *b)
{
	return a == b || (yg_sv_eq(a->id, b->id) && yg_sv_eq(a->type, b->type));
}

const char *yg_cedar_kind_name(enum yg_cedar_kind kind); /* "long"; static */

/* What may be looked at, and what was: a value compared is a step, so are
 * YG_CEDAR_STEP_BYTES of text.  When they are out, what counts them ends at once with some
 * answer, and whoever gave them must look at them before using it. */
#define YG_CEDAR_STEP_BYTES 16
struct yg_cedar_steps {
	uint64_t made, most;
};
static inline void yg_cedar_step(struct yg_cedar_steps *s, size_t bytes)
{
	s->made += 1 + bytes / YG_CEDAR_STEP_BYTES;
}
static inline bool yg_cedar_steps_out(const struct yg_cedar_steps *s)
{
	return s->made > s->most;
}

/* A total order over all values: 0 is Cedar's equality.  Values of different
 * kinds differ.  `steps` may be NULL: not counted. */
int yg_cedar_cmp(const struct yg_cedar_value *a, const struct yg_cedar_value *b,
		 struct yg_cedar_steps *steps);
static inline bool yg_cedar_eq(const struct yg_cedar_value *a, const struct yg_cedar_value *b,
			       struct yg_cedar_steps *steps)
{
	return yg_cedar_cmp(a, b, steps) == 0;
}

/* Makes a set of `items`, which are sorted in place and kept: they must live as
 * long as it; `steps` may be NULL.  YG_OK | YG_LIMIT (YG_CEDAR_VALUE_DEPTH). */
yg_status yg_cedar_set(struct yg_cedar_value *items, size_t n, struct yg_cedar_steps *steps,
		       struct yg_cedar_value *out);
/* The same of a record; a key that is there twice is YG_CONFLICT. */
yg_status yg_cedar_record(struct yg_cedar_field *fields, size_t n, struct yg_cedar_value *out);
bool yg_cedar_set_has(const struct yg_cedar_value *set, const struct yg_cedar_value *item,
		      struct yg_cedar_steps *steps);
/* The field's value; NULL when there is none. */
const struct yg_cedar_value *yg_cedar_get(const struct yg_cedar_value *record, struct yg_sv key);

/* As Cedar writes it: User::"alice", quotes and control characters escaped. */
void yg_cedar_uid_print(struct yg_sb *b, const struct yg_cedar_uid *uid);
