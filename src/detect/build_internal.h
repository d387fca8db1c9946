/* build_internal.h - the compiler's own state, between its files. */
#pragma once
#include "base/sb.h"
#include "detect/engine_internal.h"

#define YG_DETECT_FIELD_SLOTS 65536  /* chained */
#define YG_DETECT_GROUP_SLOTS 131072 /* chained */

struct yg_detect_group {
	struct yg_sv key;
	uint32_t bit, next;
};
struct yg_detect_builder {
	struct yg_detect *d;
	bool broken; /* memory ran out half-way through a rule */
	struct yg_arena scratch;
	struct yg_buf text; /* of the key or expression that is being made */
	struct yg_detect_group *groups;
	uint32_t *group_slots;
	struct yg_detect_expression *expressions;
	uint8_t *weights; /* by bit: how often it is likely to be set */
	size_t group_count, expression_count, exact_count, net_count, number_count, step_count;
	size_t field_cap, group_cap, expression_cap, exact_cap, net_cap, number_cap, ref_cap,
		source_cap, step_cap, program_cap, weight_cap;
};

/* Room for one more of `count` things; `list` is the address of the pointer to them.
 * False: no memory, the builder is broken. */
bool yg_detect_room(struct yg_detect_builder *b, struct yg_arena *arena, void *list, size_t *cap,
		    size_t count, size_t size);
#define YG_DETECT_ROOM(b, arena, list, cap, count)                                                 \
	yg_detect_room((b), (arena), &(list), &(cap), (count), sizeof *(list))

/* ---- expression.c ---- */
/* A pattern as a regular expression into b->text, NUL-terminated. */
void yg_detect_expression_put(struct yg_buf *out, const struct yg_sigma_pattern *p);
unsigned yg_detect_expression_flags(const struct yg_sigma_item *item, enum yg_sigma_test test);
/* Every expression of the rule can be had, and nothing else is in the way. */
yg_status yg_detect_check(struct yg_detect_builder *b, const struct yg_sigma_rule *rule,
			  struct yg_err *err);

/* ---- group.c ---- */
/* The field's number; YG_DETECT_NONE: no memory. */
uint32_t yg_detect_field_of(struct yg_detect_builder *b, struct yg_sv name);
/* The bit of `count` values of an item, linked by OR. */
uint32_t yg_detect_group_of(struct yg_detect_builder *b, const struct yg_sigma_item *item,
			    const struct yg_sigma_value *values, size_t count);

/* ---- finish.c ---- */
yg_status yg_detect_finish(struct yg_detect_builder *b, struct yg_err *err);
