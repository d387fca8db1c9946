/* policy.h - policies and templates of the Cedar language, and the sets of them that
 * texts and JSON documents hold.  Pure. */
#pragma once
#include "cedar/code.h"
#include "snapshot/hashset.h"

enum yg_cedar_effect {
	YG_CEDAR_PERMIT = 1,
	YG_CEDAR_FORBID,
};
enum yg_cedar_scope_kind {
	YG_CEDAR_ANY = 1,
	YG_CEDAR_IS_ENTITY, /* == */
	YG_CEDAR_IN,
	YG_CEDAR_IS,
	YG_CEDAR_IS_TYPE_IN, /* is .. in */
};
struct yg_cedar_scope {
	enum yg_cedar_scope_kind kind;
	bool slot;                /* instead of the entity: filled in by a link */
	struct yg_sv type;        /* IS, IS_TYPE_IN */
	struct yg_cedar_uid *uid; /* of principal and resource one, of action several */
	uint32_t n;
};
struct yg_cedar_condition {
	bool unless;
	struct yg_cedar_range code;
	uint32_t stack; /* values that its evaluation holds at most */
};
struct yg_cedar_annotation {
	struct yg_sv key, value;
	bool bare; /* without a value: @key */
};
struct yg_cedar_policy {
	struct yg_sv id;
	struct yg_sv template_id; /* .p NULL: it is no link */
	enum yg_cedar_effect effect;
	struct yg_cedar_scope principal, action, resource;
	struct yg_cedar_condition *conditions;
	struct yg_cedar_annotation *annotations;
	uint32_t condition_n, annotation_n;
	bool is_template; /* has a slot: only what is linked to it decides */
	uint32_t at;      /* offset in the text it was read from */
};

struct yg_cedar_policies {
	struct yg_cedar_code code;
	struct yg_vec list;     /* struct yg_cedar_policy, in the order of the file */
	struct yg_index ids;    /* of the list */
	struct yg_hash_key key; /* of that index: ids may be of whoever sends a set */
	uint32_t stack;         /* most values that an evaluation holds */
};

void yg_cedar_policies_init(struct yg_cedar_policies *p, const struct yg_hash_key *key,
			    size_t limit);
void yg_cedar_policies_free(struct yg_cedar_policies *p);
static inline struct yg_cedar_policy *yg_cedar_policy_at(const struct yg_cedar_policies *p,
							 size_t i)
{
	return (struct yg_cedar_policy *)p->list.p + i;
}
/* NULL when there is none. */
struct yg_cedar_policy *yg_cedar_policy_find(const struct yg_cedar_policies *p, struct yg_sv id);

/* Adds the policies of a text.  Ids are policy0, policy1 ... by their place in the
 * set, unless @id names them; one that is there already is refused.
 * YG_OK | YG_PARSE ("line 3, column 5: ...") | YG_CONFLICT | YG_LIMIT | YG_NOMEM;
 * after a failure the set is of no use but to be freed. */
yg_status yg_cedar_policies_text(struct yg_cedar_policies *p, struct yg_sv text,
				 struct yg_err *err);
/* Adds the policies of a JSON document: a set ({"staticPolicies", "templates",
 * "templateLinks"}), one policy, or an array of them (policy_json.c). */
yg_status yg_cedar_policies_json(struct yg_cedar_policies *p, struct yg_sv text,
				 struct yg_err *err);

/* For the readers: takes a finished policy in; an empty id is made up. */
yg_status yg_cedar_policy_add(struct yg_cedar_policies *p, struct yg_cedar_policy *policy,
			      struct yg_err *err);
const struct yg_cedar_annotation *yg_cedar_annotation_of(const struct yg_cedar_policy *p,
							 struct yg_sv key);
/* A link of a template: its slots filled in.  A slot without a value, or a value
 * without a slot, is YG_PARSE. */
yg_status yg_cedar_policy_link(struct yg_cedar_policies *p, struct yg_sv template_id,
			       struct yg_sv id, struct yg_cedar_uid *principal,
			       struct yg_cedar_uid *resource, struct yg_err *err);
bool yg_cedar_is_action(struct yg_sv type); /* "Action", "Org::Action" */
