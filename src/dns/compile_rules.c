/* compile_rules.c - strings, records and rules, each kept once. */
#include "dns/compile_internal.h"

#define RULES_MAX YG_DNS_RULE_MAX

static yg_status no_memory(const struct yg_buf *buf, struct yg_err *err)
{
	return buf->nomem ? YG_FAIL(err, YG_NOMEM, "no memory for the policy")
			  : YG_FAIL(err, YG_LIMIT, "the policy takes more memory than allowed");
}

yg_status yg_db_string(struct yg_dns_builder *b, struct yg_sv s, uint32_t *out, struct yg_err *err)
{
	*out = 0;
	if (s.n == 0)
		return YG_OK;
	if (s.n > 1024)
		return YG_FAIL(err, YG_INVAL, "a text of %zu bytes is too long", s.n);
	if (!yg_index_room(&b->by_string))
		return YG_FAIL(err, YG_NOMEM, "no memory for the policy");
	uint64_t hash = yg_hash_of(&b->key, 0, s);
	size_t at = SIZE_MAX;
	while (yg_index_next(&b->by_string, hash, &at, out))
		if (yg_sv_eq(yg_db_string_at(b, *out), s))
			return YG_OK;
	char *to = yg_buf_room(&b->strings, s.n + 2);
	if (to == NULL)
		return no_memory(&b->strings, err);
	uint16_t n = (uint16_t)s.n;
	memcpy(to, &n, sizeof n);
	memcpy(to + 2, s.p, s.n);
	*out = (uint32_t)b->strings.n;
	b->strings.n += s.n + 2;
	yg_index_put(&b->by_string, at, hash, *out);
	return YG_OK;
}

yg_status yg_db_rr_intern(struct yg_dns_builder *b, uint16_t type, uint32_t ttl, struct yg_sv data,
			  uint32_t *out, struct yg_err *err)
{
	const struct yg_db_rr *rrs = b->rrs.p;
	if (!yg_index_room(&b->by_rr))
		return YG_FAIL(err, YG_NOMEM, "no memory for the policy");
	uint64_t hash = yg_hash_of(&b->key, type, data) ^ ((uint64_t)ttl * 0x9e3779b97f4a7c15ull);
	hash = yg_hash_end(&b->key, hash);
	size_t at = SIZE_MAX;
	while (yg_index_next(&b->by_rr, hash, &at, out)) {
		const struct yg_db_rr *r = &rrs[*out];
		if (r->type == type && r->ttl == ttl && r->n == data.n &&
		    memcmp(b->bytes.p + r->data_at, data.p, data.n) == 0)
			return YG_OK;
	}
	char *to = yg_buf_room(&b->bytes, data.n + 1);
	if (to == NULL)
		return no_memory(&b->bytes, err);
	struct yg_db_rr *r = b->rrs.n < RULES_MAX ? yg_vec_add(&b->rrs, sizeof *r) : NULL;
	if (r == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the policy");
	if (data.n > 0)
		memcpy(to, data.p, data.n);
	*r = (struct yg_db_rr){(uint32_t)b->bytes.n, ttl, type, (uint16_t)data.n};
	b->bytes.n += data.n;
	*out = (uint32_t)(b->rrs.n - 1);
	yg_index_put(&b->by_rr, at, hash, *out);
	return YG_OK;
}

static bool same_node(const struct yg_db_node *a, const struct yg_db_node *b)
{
	return a->zone == b->zone && a->action == b->action && a->wild == b->wild &&
	       a->parent == b->parent && a->rr == b->rr;
}

static yg_status intern_node(struct yg_dns_builder *b, const struct yg_db_node *want, uint32_t *out,
			     struct yg_err *err)
{
	if (!yg_index_room(&b->by_node))
		return YG_FAIL(err, YG_NOMEM, "no memory for the policy");
	uint64_t hash = yg_hash_mix((uint64_t)want->parent << 32 | want->rr,
				    b->key.k[0] ^ ((uint64_t)want->zone << 32 |
						   (uint64_t)want->action << 8 | want->wild));
	hash = yg_hash_end(&b->key, hash);
	size_t at = SIZE_MAX;
	while (yg_index_next(&b->by_node, hash, &at, out))
		if (same_node(yg_db_node_at(b, *out), want))
			return YG_OK;
	struct yg_db_node *n = b->nodes.n < RULES_MAX ? yg_vec_add(&b->nodes, sizeof *n) : NULL;
	if (n == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the policy");
	*n = *want;
	n->final = YG_DB_NONE;
	*out = (uint32_t)(b->nodes.n - 1);
	yg_index_put(&b->by_node, at, hash, *out);
	return YG_OK;
}

yg_status yg_db_plain(struct yg_dns_builder *b, uint16_t zone, enum yg_dns_action action, bool wild,
		      uint32_t rr, uint32_t *out, struct yg_err *err)
{
	struct yg_db_zone *z = yg_db_zone_at(b, zone);
	if (rr == YG_DB_NONE && z->plain[action] != YG_DB_NONE) {
		*out = z->plain[action];
		return YG_OK;
	}
	const struct yg_db_node want = {.zone = zone,
					.action = (uint8_t)action,
					.wild = wild,
					.parent = YG_DB_NONE,
					.rr = rr};
	yg_status st = intern_node(b, &want, out, err);
	if (st == YG_OK && rr == YG_DB_NONE)
		z->plain[action] = *out;
	return st;
}

yg_status yg_db_gone(struct yg_dns_builder *b, uint16_t zone, uint32_t *out, struct yg_err *err)
{
	const struct yg_db_node want = {.zone = zone,
					.action = YG_DNS_ACTION_NONE,
					.wild = 1,
					.parent = YG_DB_NONE,
					.rr = YG_DB_NONE};
	return intern_node(b, &want, out, err);
}

yg_status yg_db_extend(struct yg_dns_builder *b, uint16_t zone, uint32_t node, uint32_t rr,
		       uint32_t *out, struct yg_err *err)
{
	struct yg_db_node want = {
		.zone = zone, .action = YG_DNS_ACTION_DATA, .parent = node, .rr = rr, .length = 1};
	for (uint32_t i = node; i != YG_DB_NONE; i = yg_db_node_at(b, i)->parent)
		if (yg_db_node_at(b, i)->rr == rr)
			return YG_CONFLICT;
	if (node != YG_DB_NONE)
		want.length = yg_db_node_at(b, node)->length + 1;
	if (want.length > YG_DNS_OWNER_RRS_MAX)
		return YG_LIMIT;
	return intern_node(b, &want, out, err);
}
