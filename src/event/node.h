/* node.h - short words for reading n->json by name; private to event/.
 * A member that is absent is YG_NODE_NONE, which every word here takes. */
#pragma once
#include "event/norm.h"

#define YG_NODE_NONE UINT32_MAX

/* Value of a direct member; `obj` may be of any type. */
static inline uint32_t yg_node(const struct yg_norm *n, uint32_t obj, struct yg_sv key)
{
	uint32_t i = obj != YG_NODE_NONE ? yg_json_get(&n->json, obj, key) : 0;
	return i != 0 ? i : YG_NODE_NONE;
}
/* Text of a string or number; empty for everything else. */
static inline struct yg_sv yg_node_text(struct yg_norm *n, uint32_t i)
{
	if (i == YG_NODE_NONE)
		return YG_SV("");
	uint8_t type = yg_json_at(&n->json, i)->type;
	if (type != YG_JSON_STRING && type != YG_JSON_NUMBER)
		return YG_SV("");
	struct yg_sv s = yg_json_str(&n->json, i, &n->arena);
	return s.p != NULL ? s : YG_SV("");
}
static inline struct yg_sv yg_node_member(struct yg_norm *n, uint32_t obj, struct yg_sv key)
{
	return yg_node_text(n, yg_node(n, obj, key));
}
static inline bool yg_node_is(const struct yg_norm *n, uint32_t i, enum yg_json_type type)
{
	return i != YG_NODE_NONE && yg_json_at(&n->json, i)->type == type;
}
/* The first element of an array. */
static inline uint32_t yg_node_first(const struct yg_norm *n, uint32_t i)
{
	return yg_node_is(n, i, YG_JSON_ARRAY) && yg_json_at(&n->json, i)->n > 0 ? i + 1
										 : YG_NODE_NONE;
}
/* The first of two that is not empty. */
static inline struct yg_sv yg_sv_or(struct yg_sv a, struct yg_sv b)
{
	return a.n > 0 ? a : b;
}
