/* schema_internal.h - a schema while it is read; private to cedar. */
#pragma once
#include "cedar/schema.h"

/* `type X = ...`; each in the arena, so that it stays where it is. */
struct yg_cs_name;
struct yg_cs_common {
	struct yg_sv name; /* with its namespace */
	struct yg_cedar_type type;
	/* scratch of the search for circles */
	uint32_t uses;             /* of others that are not finished */
	struct yg_cs_name *users;  /* names of it inside of others */
	struct yg_cs_common *next; /* that uses nothing any more */
};
/* A name to look up. */
struct yg_cs_name {
	struct yg_cedar_type *type; /* becomes what it names; or: */
	struct yg_sv *entity;       /* becomes the entity type's full name */
	struct yg_sv text, space;   /* the namespace it stands in */
	struct yg_cs_common *owner; /* the declared type it stands in, or NULL */
	struct yg_cs_common *uses;
	struct yg_cs_name *next;    /* of those that use the same (schema.c) */
	bool only_entity, only_own; /* what it may name: entity types, Cedar's own types */
};

struct yg_cs_reading {
	struct yg_cedar_schema *s;
	struct yg_sv space;         /* namespace at hand */
	struct yg_cs_common *owner; /* declared type at hand */
	struct yg_err *err;
};

yg_status yg_cs_nomem(struct yg_err *err);
/* "Space::name", in the arena; .p NULL: no memory. */
struct yg_sv yg_cs_full(struct yg_cs_reading *r, struct yg_sv name);
/* May a type have this name?  YG_PARSE: the grammar, or Cedar itself, has it. */
yg_status yg_cs_common_name(struct yg_sv name, struct yg_err *err);
yg_status yg_cs_entity_name(struct yg_sv name, struct yg_err *err);
/* Declarations; a second one of the same name is found when finished. */
struct yg_cedar_entity_type *yg_cs_entity(struct yg_cs_reading *r, struct yg_sv name);
struct yg_cedar_action_type *yg_cs_action(struct yg_cs_reading *r, struct yg_sv id);
struct yg_cs_common *yg_cs_declare(struct yg_cs_reading *r, struct yg_sv name);
/* A name that is to become a type, or the name of an entity type. */
yg_status yg_cs_name_type(struct yg_cs_reading *r, struct yg_cedar_type *type, struct yg_sv text,
			  bool only_entity, bool only_own);
yg_status yg_cs_name_entity(struct yg_cs_reading *r, struct yg_sv *entity, struct yg_sv text);
/* Sorts the fields; one that is there twice is YG_CONFLICT. */
yg_status yg_cs_fields(struct yg_cedar_type *record, struct yg_err *err);
/* A gathered list in the arena, the vector emptied; *out_n.  NULL: no memory. */
void *yg_cs_keep(struct yg_cs_reading *r, struct yg_vec *v, size_t size, uint32_t *out_n);
/* "'name' what". */
yg_status yg_cs_fail_name(yg_status code, const char *what, struct yg_sv name, struct yg_err *err);
/* Works out what is above each type and action (schema_close.c).  YG_CONFLICT: an action is
 * above itself. */
yg_status yg_cs_close(struct yg_cs_reading *r);
/* Looks names up, finds circles, sorts. */
yg_status yg_cs_finish(struct yg_cs_reading *r);
