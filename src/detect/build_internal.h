/* build_internal.h - the compiler's own state, between its files. */
#pragma once
#include "base/sb.h"
#include "detect/engine_internal.h"
#include "snapshot/intern.h"

struct yg_detect_group {           /* equal tests share one */
	struct yg_detect_text key; /* in `keys` */
	uint32_t step;
};
struct yg_detect_gram_use { /* how many literals of its field have this gram */
	uint32_t field, gram, n, count;
};
struct yg_detect_builder {
#define X(id, name, type) struct yg_vec name;
	YG_DETECT_TABLES(X)
#undef X
	struct yg_detect_info info;
	struct yg_hash_key key;
	size_t memory;
	bool broken; /* memory ran out half-way through a rule */
	struct yg_env env;
	struct { /* what expressions take */
		size_t all, owners, rule, rule_count;
		yg_mono rule_began;
		struct yg_vec by_owner; /* size_t */
	} spent;
	uint32_t owner;        /* of the rule that is being added */
	struct yg_vec keys;    /* bytes of the groups' keys, kinds of expressions */
	struct yg_buf text;    /* of what is being made */
	struct yg_vec anchors; /* until they are moved to the words */
	struct yg_vec steps, groups, weights, owners; /* weights, owners: by bit */
	struct yg_vec regex_keys;                     /* text in `keys`, by regex */
	struct yg_vec automata;                       /* by regex */
	struct yg_index name_index, field_index, exact_index, literal_index, group_index,
		regex_index, text_index;
	struct yg_vec texts;          /* of text_index: struct yg_detect_text */
	struct yg_vec keyword_fields; /* by source */
	uint32_t source;              /* of the rule that is being added */
};

#define YG_AT(b, table, type, i) (&((type *)(b)->table.p)[i])
/* A new element; NULL: no memory, the builder is broken. */
void *yg_detect_more(struct yg_detect_builder *b, struct yg_vec *v, size_t elem);
#define YG_MORE(b, table, type) ((type *)yg_detect_more((b), &(b)->table, sizeof(type)))
/* Bytes into the pool (`once`: equal ones share a place) or the keys. */
struct yg_detect_text yg_detect_keep(struct yg_detect_builder *b, struct yg_sv s, bool once);
struct yg_detect_text yg_detect_keep_key(struct yg_detect_builder *b, struct yg_sv s);
static inline struct yg_sv yg_detect_kept(const struct yg_vec *bytes, struct yg_detect_text t)
{
	return (struct yg_sv){(const char *)bytes->p + t.at, t.n};
}
/* `value` in front of the list at *head. */
void yg_detect_link(struct yg_detect_builder *b, uint32_t *head, uint32_t value);

/* ---- regex.c ---- */
/* The number of an expression, compiled once.  YG_OK | YG_PARSE | YG_LIMIT | YG_NOMEM. */
yg_status yg_detect_regex(struct yg_detect_builder *b, const struct yg_sigma_item *item,
			  const struct yg_sigma_value *v, uint32_t *out, struct yg_err *err);
/* Bytes that every match of the expression has, whatever their case; empty: none known. */
struct yg_sv yg_detect_required(struct yg_sv expression, char *buf, size_t most);
/* Every test of a rule or filter can be had. */
yg_status yg_detect_check(struct yg_detect_builder *b, const struct yg_sigma_detection *d,
			  struct yg_err *err);

/* ---- field.c ---- */
/* The field's number in the rule's log source; no name: keywords.  YG_DETECT_NONE: no memory. */
uint32_t yg_detect_field_of(struct yg_detect_builder *b, struct yg_sv name);
/* A new bit of a field: `weight` says how often it is likely to be set. */
uint32_t yg_detect_bit(struct yg_detect_builder *b, uint32_t field, uint8_t weight);
void yg_detect_add_exact(struct yg_detect_builder *b, uint32_t field,
			 enum yg_detect_exact_kind kind, struct yg_sv value, uint32_t bit);
/* pattern: NONE, then the literal sets `bit`. */
void yg_detect_add_literal(struct yg_detect_builder *b, uint32_t field, struct yg_sv text,
			   uint32_t flags, uint32_t bit, uint32_t pattern);

/* ---- group.c ---- */
/* The step that asks `count` values of an item, linked by OR. */
uint32_t yg_detect_group_of(struct yg_detect_builder *b, const struct yg_sigma_item *item,
			    const struct yg_sigma_value *values, size_t count);

/* ---- finish.c, trigger.c ---- */
yg_status yg_detect_finish(struct yg_detect_builder *b, struct yg_err *err);
void yg_detect_find_triggers(struct yg_detect_builder *b);
