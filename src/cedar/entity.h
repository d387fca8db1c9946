/* entity.h - entities: attributes, tags, parents, and all ancestors, worked out when
 * the last is in.  Pure. */
#pragma once
#include "cedar/value.h"
#include "snapshot/hashset.h"
#include "snapshot/intern.h"

struct yg_cedar_entity {
	struct yg_cedar_uid uid;
	struct yg_cedar_value attrs, tags; /* records */
	uint32_t *parents;                 /* numbers of entities, sorted, each once */
	uint32_t *ancestors;               /* the same of all above */
	uint32_t parent_n, ancestor_n;
	bool known; /* it was given; else another only names it as a parent */
};
struct yg_cedar_entities {
	struct yg_arena arena;  /* owned */
	struct yg_vec list;     /* struct yg_cedar_entity *, in the arena */
	struct yg_index index;  /* of the list by uid */
	struct yg_hash_key key; /* of the index: ids come from outside */
};

void yg_cedar_entities_init(struct yg_cedar_entities *e, const struct yg_hash_key *key,
			    size_t limit);
void yg_cedar_entities_free(struct yg_cedar_entities *e);

/* The entity, made when there is none yet; its texts are copied.  NULL: no memory. */
struct yg_cedar_entity *yg_cedar_entity_make(struct yg_cedar_entities *e,
					     const struct yg_cedar_uid *uid, uint32_t *out_number);
/* NULL when nobody has named it. */
const struct yg_cedar_entity *yg_cedar_entity_find(const struct yg_cedar_entities *e,
						   const struct yg_cedar_uid *uid,
						   uint32_t *out_number);
static inline struct yg_cedar_entity *yg_cedar_entity_at(const struct yg_cedar_entities *e,
							 uint32_t i)
{
	return ((struct yg_cedar_entity **)e->list.p)[i];
}
/* Attributes, tags and parents of an entity; the values live in the arena of the
 * entities.  Given twice, it must be the same: else YG_CONFLICT.  YG_OK | YG_NOMEM. */
yg_status yg_cedar_entity_set(struct yg_cedar_entities *e, const struct yg_cedar_uid *uid,
			      const struct yg_cedar_value *attrs, const struct yg_cedar_value *tags,
			      const struct yg_cedar_uid *parents, uint32_t parent_n,
			      struct yg_err *err);
/* Works the ancestors out.  YG_OK | YG_CONFLICT (an entity is its own ancestor) |
 * YG_NOMEM. */
yg_status yg_cedar_entities_close(struct yg_cedar_entities *e, struct yg_err *err);
/* The first is the second or below it.  `x`: the first's entity, which whoever asks more than
 * once looks up once (ids may be long); NULL: nobody has named it. */
bool yg_cedar_entity_in(const struct yg_cedar_entities *e, const struct yg_cedar_uid *a,
			const struct yg_cedar_entity *x, const struct yg_cedar_uid *b);
