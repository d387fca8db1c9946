#include "dns/compile_data.h"

#include "format/dns.h"

static yg_status finish_piece(struct yg_db_out *o, size_t begin, uint32_t *out, struct yg_err *err)
{
	if (o->data.bad)
		return o->data.nomem ? YG_FAIL(err, YG_NOMEM, "no memory for the policy")
				     : YG_FAIL(err, YG_LIMIT, "too much local data for one policy");
	uint32_t n = (uint32_t)(o->data.n - begin - 4);
	memcpy(o->data.p + begin, &n, sizeof n);
	*out = (uint32_t)begin;
	return YG_OK;
}

/* Begins a piece: u32 length, filled in by finish_piece(). */
static size_t begin_piece(struct yg_db_out *o)
{
	size_t begin = o->data.n;
	yg_buf_put(&o->data, (struct yg_sv){"\0\0\0", 4});
	return begin;
}

static void put_u16(struct yg_buf *b, unsigned v)
{
	uint16_t le = (uint16_t)v;
	yg_buf_put(b, (struct yg_sv){(const char *)&le, 2});
}

static void put_u32(struct yg_buf *b, uint32_t v)
{
	yg_buf_put(b, (struct yg_sv){(const char *)&v, 4});
}

/* type, class, TTL, length, data: as in a message. */
static void put_wire(struct yg_buf *b, uint16_t type, uint32_t ttl, struct yg_sv data)
{
	uint8_t head[10];
	yg_dns_put16(head, type);
	yg_dns_put16(head + 2, YG_DNS_IN);
	yg_dns_put32(head + 4, ttl);
	yg_dns_put16(head + 8, (unsigned)data.n);
	yg_buf_put(b, (struct yg_sv){(const char *)head, sizeof head});
	yg_buf_put(b, data);
}

static struct yg_sv data_of(const struct yg_dns_builder *b, const struct yg_db_rr *r)
{
	return (struct yg_sv){b->bytes.p + r->data_at, r->n};
}

/* Target without its "*". */
static void put_cname(struct yg_buf *b, uint32_t ttl, bool wild, struct yg_sv target)
{
	put_u32(b, ttl);
	yg_buf_putc(b, wild ? 1 : 0);
	yg_buf_put(b, target);
}

/* The chain's records by type, each type as one RRset in the order of the file; of
 * different TTLs the least (RFC 2181 5.2). */
static void put_rrsets(const struct yg_dns_builder *b, struct yg_buf *out, uint32_t node)
{
	const struct yg_db_rr *rrs = b->rrs.p, *chain[YG_DNS_OWNER_RRS_MAX];
	bool done[YG_DNS_OWNER_RRS_MAX] = {false};
	size_t n = yg_db_node_at(b, node)->length;
	for (size_t i = n; i > 0; i--) { /* the last one comes first */
		chain[i - 1] = &rrs[yg_db_node_at(b, node)->rr];
		node = yg_db_node_at(b, node)->parent;
	}
	for (size_t i = 0; i < n; i++) {
		unsigned count = 0;
		uint32_t bytes = 0, ttl = UINT32_MAX;
		for (size_t k = i; k < n && !done[i]; k++)
			if (chain[k]->type == chain[i]->type) {
				count++;
				bytes += 10u + chain[k]->n;
				ttl = YG_MIN(ttl, chain[k]->ttl);
			}
		if (count == 0)
			continue;
		put_u16(out, chain[i]->type);
		put_u16(out, count);
		put_u32(out, bytes);
		for (size_t k = n; k > i; k--)
			if (k - 1 != i && chain[k - 1]->type == chain[i]->type)
				done[k - 1] = true;
		for (size_t k = i; k < n; k++)
			if (chain[k]->type == chain[i]->type)
				put_wire(out, chain[k]->type, ttl, data_of(b, chain[k]));
	}
}

yg_status yg_db_rule_out(struct yg_dns_builder *b, struct yg_db_out *o, uint32_t node,
			 uint32_t *out, struct yg_err *err)
{
	struct yg_db_node *n = yg_db_node_at(b, node);
	uint32_t data = 0;
	yg_status st = YG_OK;
	if (n->final != YG_DB_NONE) {
		*out = n->final;
		return YG_OK;
	}
	if (n->action == YG_DNS_ACTION_DATA || n->action == YG_DNS_ACTION_CNAME) {
		size_t begin = begin_piece(o);
		const struct yg_db_rr *rr = (const struct yg_db_rr *)b->rrs.p + n->rr;
		if (n->action == YG_DNS_ACTION_CNAME)
			put_cname(&o->data, rr->ttl, n->wild != 0, data_of(b, rr));
		else
			put_rrsets(b, &o->data, node);
		st = finish_piece(o, begin, &data, err);
	}
	struct yg_dns_rule_rec *r = st == YG_OK ? yg_vec_add(&o->rules, sizeof *r) : NULL;
	if (r == NULL)
		return st != YG_OK ? st : YG_FAIL(err, YG_NOMEM, "no memory for the policy");
	*r = (struct yg_dns_rule_rec){
		.data = data,
		.zone = yg_db_zone_at(b, n->zone)->final,
		.action = n->action,
		.flags = n->action == YG_DNS_ACTION_NONE && n->wild != 0 ? YG_DR_GONE : 0};
	n->final = (uint32_t)(o->rules.n - 1);
	*out = n->final;
	return YG_OK;
}

static void put_sinkhole(struct yg_buf *out, const struct yg_dns_answer_spec *s, bool six)
{
	unsigned count = 0, size = six ? 16 : 4;
	for (size_t i = 0; i < s->sinkhole_count; i++)
		count += yg_ip_is_v4(s->sinkhole[i]) != six;
	if (count == 0)
		return;
	put_u16(out, six ? YG_DNS_AAAA : YG_DNS_A);
	put_u16(out, count);
	put_u32(out, count * (10u + size));
	for (size_t i = 0; i < s->sinkhole_count; i++)
		if (yg_ip_is_v4(s->sinkhole[i]) != six)
			put_wire(out, six ? YG_DNS_AAAA : YG_DNS_A, s->ttl,
				 (struct yg_sv){(const char *)s->sinkhole[i].b + 16 - size, size});
}

yg_status yg_db_answer_out(struct yg_db_out *o, enum yg_dns_action action,
			   const struct yg_dns_answer_spec *spec, uint32_t *out, struct yg_err *err)
{
	*out = 0;
	if (action != YG_DNS_ACTION_CNAME && action != YG_DNS_ACTION_DATA)
		return YG_OK;
	size_t begin = begin_piece(o);
	if (action == YG_DNS_ACTION_CNAME) {
		bool wild = yg_dns_name_is_wild(&spec->target);
		put_cname(&o->data, spec->ttl, wild, yg_dns_name_from(&spec->target, wild ? 1 : 0));
	} else {
		put_sinkhole(&o->data, spec, false);
		put_sinkhole(&o->data, spec, true);
	}
	return finish_piece(o, begin, out, err);
}

yg_status yg_db_soa_out(const struct yg_dns_builder *b, struct yg_db_out *o, uint32_t rr,
			uint32_t *out, struct yg_err *err)
{
	const struct yg_db_rr *r = (const struct yg_db_rr *)b->rrs.p + rr;
	size_t begin = begin_piece(o);
	put_wire(&o->data, YG_DNS_SOA, r->ttl, data_of(b, r));
	return finish_piece(o, begin, out, err);
}
