/* schema.h - what a Cedar schema declares: types of entities, their attributes, tags
 * and parents; actions, and what they apply to.  Read from the text form or JSON;
 * names are looked up when all of it is in.  Pure. */
#pragma once
#include "cedar/value.h"
#include "snapshot/intern.h"

/* What is above entity types and actions, counted over all of them while a schema is read; a
 * schema that has more is refused. */
#define YG_CEDAR_SCHEMA_ABOVE_MAX 10000000

struct yg_cedar_type_field;
struct yg_cedar_type {
	uint8_t kind;      /* enum yg_cedar_kind; 0: a name, see `same` */
	uint32_t n;        /* fields */
	struct yg_sv name; /* of an entity type */
	union {
		struct yg_cedar_type *element;      /* YG_CEDAR_SET */
		struct yg_cedar_type_field *fields; /* YG_CEDAR_RECORD, sorted */
		const struct yg_cedar_type *same;   /* 0: the declared type it names */
	};
};
struct yg_cedar_type_field {
	struct yg_sv key;
	struct yg_cedar_type *type;
	bool required;
};
struct yg_cedar_entity_type {
	struct yg_sv name;
	struct yg_cedar_type attrs, tags;
	bool has_tags, is_enum;
	struct yg_sv *ids; /* of an enumeration; when finished, sorted */
	uint32_t id_n;
	struct yg_sv *parents; /* entity types; when finished, all that it may be in, sorted */
	uint32_t parent_n;
	const struct yg_cedar_entity_type *like; /* while it is read: declared together */
};
struct yg_cedar_action_type {
	struct yg_cedar_uid uid;
	struct yg_cedar_uid *parents;
	uint32_t parent_n;
	struct yg_sv *principals, *resources; /* entity types */
	uint32_t principal_n, resource_n;
	struct yg_cedar_type context;
	const struct yg_cedar_action_type *like; /* while it is read: declared together */
	uint32_t number;                         /* its place among the sorted actions */
	uint32_t *above, above_n;                /* numbers of all that it is in, sorted */
};
struct yg_cedar_schema {
	struct yg_arena arena; /* owned */
	struct yg_vec types;   /* struct yg_cedar_entity_type *, sorted by name when finished */
	struct yg_vec actions; /* struct yg_cedar_action_type *, sorted by uid when finished */
	/* while it is read (schema_internal.h) */
	struct yg_vec commons, names;
};

void yg_cedar_schema_init(struct yg_cedar_schema *s, size_t limit);
void yg_cedar_schema_free(struct yg_cedar_schema *s);
/* YG_OK | YG_PARSE ("line 3, column 5: ...", or the place in the JSON) | YG_CONFLICT
 * (declared twice, a type or action inside of itself) | YG_NOTFOUND (a name that nothing
 * declares) | YG_LIMIT | YG_NOMEM. */
yg_status yg_cedar_schema_text(struct yg_cedar_schema *s, struct yg_sv text, struct yg_err *err);
yg_status yg_cedar_schema_json(struct yg_cedar_schema *s, struct yg_sv text, struct yg_err *err);
/* Whichever it is: JSON begins with a brace. */
yg_status yg_cedar_schema_read(struct yg_cedar_schema *s, struct yg_sv text, struct yg_err *err);

/* The type itself, where a name stands for it. */
static inline const struct yg_cedar_type *yg_cedar_type_of(const struct yg_cedar_type *t)
{
	while (t->kind == 0)
		t = t->same;
	return t;
}
/* NULL: the record has no field of this name. */
const struct yg_cedar_type_field *yg_cedar_field_of(const struct yg_cedar_type *record,
						    struct yg_sv key);
const struct yg_cedar_type *yg_cedar_type_field(const struct yg_cedar_type *record,
						struct yg_sv key);
/* NULL: not declared. */
const struct yg_cedar_entity_type *yg_cedar_schema_type(const struct yg_cedar_schema *s,
							struct yg_sv name);
const struct yg_cedar_action_type *yg_cedar_schema_action(const struct yg_cedar_schema *s,
							  const struct yg_cedar_uid *uid);

/* May an entity of the type be below one of the other? */
bool yg_cedar_type_may_be_in(const struct yg_cedar_entity_type *t, struct yg_sv above);
/* Is it one of an enumeration's ids? */
bool yg_cedar_type_has_id(const struct yg_cedar_entity_type *t, struct yg_sv id);
/* Is the action the other, or below it? */
bool yg_cedar_action_in(const struct yg_cedar_schema *s, const struct yg_cedar_action_type *a,
			const struct yg_cedar_uid *above);

/* Is the value of the type?  YG_OK | YG_PARSE (why not) | YG_NOMEM. */
yg_status yg_cedar_conforms(const struct yg_cedar_schema *s, const struct yg_cedar_value *v,
			    const struct yg_cedar_type *type, struct yg_err *err);
/* May there be such an entity?  (An id of an enumeration is one of those declared.) */
yg_status yg_cedar_uid_conforms(const struct yg_cedar_schema *s, const struct yg_cedar_uid *uid,
				struct yg_err *err);
