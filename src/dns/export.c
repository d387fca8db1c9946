#include "dns/export.h"

#include "dns/compile_internal.h"
#include "dns/rpz.h"

struct exporting {
	const struct yg_dns_builder *b;
	struct yg_dns_records *to; /* borrowed */
	const struct yg_dns_name *origin;
	uint16_t chain[YG_DNS_VIEW_SCOPES]; /* whose zones count, nearest first */
	size_t chain_n;
	struct yg_dns_export_stats *stats;
	struct yg_err *err;
};

/* Does the zone count for whom this is, and does it act? */
static bool applies(const struct exporting *x, const struct yg_db_zone *z)
{
	return yg_db_in_chain(x->chain, x->chain_n, z->scope) &&
	       z->override != YG_DNS_OVERRIDE_DISABLED &&
	       yg_db_mode(x->b, x->chain, x->chain_n, z->layer, z->mode) == YG_DNS_MODE_ENFORCE;
}

/* The entries of one key, of everyone whose word counts; NULL when another of them
 * has it, too, and stands before this one: all are weighed once. */
struct same {
	const struct yg_db_entry *e[YG_DNS_VIEW_SCOPES];
	size_t n;
};
static bool gather(const struct exporting *x, const struct yg_db_entry *e, struct same *out)
{
	struct yg_db_key k = {
		.hash = e->hash, .key = {x->b->keys.p + e->key_at, e->key_n}, .kind = e->kind};
	out->n = 0;
	for (size_t i = 0; i < x->chain_n; i++) {
		k.scope = x->chain[i];
		uint32_t at = k.scope == e->scope ? (uint32_t)(e - yg_db_entry_at(x->b, 0))
						  : yg_db_find(x->b, &k);
		if (at == YG_DB_NONE)
			continue;
		if (out->n == 0 && k.scope != e->scope)
			return false;
		out->e[out->n++] = yg_db_entry_at(x->b, at);
	}
	return true;
}

/* The rule with these bits that decides: of the first layer, then the first zone. */
static uint32_t best(const struct exporting *x, const struct same *all, bool prefix, unsigned bits)
{
	uint32_t value, found = YG_DB_NONE, rank = UINT32_MAX;
	for (size_t i = 0; i < all->n; i++) {
		struct yg_db_walk w = {.next = 0};
		while (yg_db_value(x->b, all->e[i], &w, &value)) {
			const struct yg_db_node *n = yg_db_node_at(x->b, value >> 2);
			const struct yg_db_zone *z = yg_db_zone_at(x->b, n->zone);
			uint32_t r = (uint32_t)z->layer << 16 | n->zone;
			bool fits = prefix ? (value & 3) == bits : (value & bits) != 0;
			if (!fits || n->action == YG_DNS_ACTION_NONE || r >= rank || !applies(x, z))
				continue;
			rank = r;
			found = value >> 2;
		}
	}
	return found;
}

static yg_status put(struct exporting *x, const struct yg_dns_name *owner, uint16_t type,
		     uint32_t ttl, struct yg_sv rdata)
{
	const struct yg_zone_rr rr = {
		.owner = owner, .type = type, .cls = YG_DNS_IN, .ttl = ttl, .rdata = rdata};
	x->stats->records++;
	return yg_dns_records_add(x->to, &rr, x->err);
}

static yg_status put_cname(struct exporting *x, const struct yg_dns_name *owner, uint32_t ttl,
			   bool wild, struct yg_sv target)
{
	char wire[2 + YG_DNS_NAME_MAX];
	struct yg_sb b = yg_sb_init(wire, sizeof wire);
	yg_sb_put(&b, wild ? YG_SV("\1*") : YG_SV(""));
	yg_sb_put(&b, target);
	return put(x, owner, YG_DNS_CNAME, ttl, yg_sb_sv(&b));
}

static yg_status put_action(struct exporting *x, const struct yg_dns_name *owner,
			    enum yg_dns_action a)
{
	static const struct yg_sv words[YG_DNS_ACTION_COUNT] = {
		[YG_DNS_ACTION_NXDOMAIN] = YG_SV_INIT("\0"),
		[YG_DNS_ACTION_NODATA] = YG_SV_INIT("\1*\0"),
		[YG_DNS_ACTION_PASSTHRU] = YG_SV_INIT("\14rpz-passthru\0"),
		[YG_DNS_ACTION_DROP] = YG_SV_INIT("\10rpz-drop\0"),
		[YG_DNS_ACTION_TCP_ONLY] = YG_SV_INIT("\14rpz-tcp-only\0")};
	return put(x, owner, YG_DNS_CNAME, YG_DNS_EXPORT_TTL, words[a]);
}

static yg_status put_sinkhole(struct exporting *x, const struct yg_dns_name *owner,
			      const struct yg_dns_answer_spec *s)
{
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < s->sinkhole_count; i++) {
		bool v4 = yg_ip_is_v4(s->sinkhole[i]);
		size_t n = v4 ? 4 : 16;
		st = put(x, owner, v4 ? YG_DNS_A : YG_DNS_AAAA, s->ttl,
			 (struct yg_sv){(const char *)s->sinkhole[i].b + 16 - n, n});
	}
	return st;
}

static yg_status put_data(struct exporting *x, const struct yg_dns_name *owner, uint32_t node)
{
	yg_status st = YG_OK;
	while (st == YG_OK && node != YG_DB_NONE) {
		const struct yg_db_node *n = yg_db_node_at(x->b, node);
		const struct yg_db_rr *r = (const struct yg_db_rr *)x->b->rrs.p + n->rr;
		st = put(x, owner, r->type, r->ttl,
			 (struct yg_sv){x->b->bytes.p + r->data_at, r->n});
		node = n->parent;
	}
	return st;
}

static yg_status put_rule(struct exporting *x, const struct yg_dns_name *owner, uint32_t node)
{
	const struct yg_db_node *n = yg_db_node_at(x->b, node);
	const struct yg_db_zone *z = yg_db_zone_at(x->b, n->zone);
	const struct yg_db_rr *r = (const struct yg_db_rr *)x->b->rrs.p + n->rr;
	const struct yg_dns_name *target = &z->answer.target;
	bool excepted = z->is_list && n->action == YG_DNS_ACTION_PASSTHRU;
	switch (excepted ? YG_DNS_OVERRIDE_GIVEN : (enum yg_dns_override)z->override) {
	case YG_DNS_OVERRIDE_NXDOMAIN: return put_action(x, owner, YG_DNS_ACTION_NXDOMAIN);
	case YG_DNS_OVERRIDE_NODATA: return put_action(x, owner, YG_DNS_ACTION_NODATA);
	case YG_DNS_OVERRIDE_PASSTHRU: return put_action(x, owner, YG_DNS_ACTION_PASSTHRU);
	case YG_DNS_OVERRIDE_DROP: return put_action(x, owner, YG_DNS_ACTION_DROP);
	case YG_DNS_OVERRIDE_TCP_ONLY: return put_action(x, owner, YG_DNS_ACTION_TCP_ONLY);
	case YG_DNS_OVERRIDE_CNAME:
		return put_cname(x, owner, z->answer.ttl, false, yg_dns_name_from(target, 0));
	case YG_DNS_OVERRIDE_SINKHOLE: return put_sinkhole(x, owner, &z->answer);
	default: break;
	}
	if (n->action == YG_DNS_ACTION_DATA)
		return put_data(x, owner, node);
	if (n->action == YG_DNS_ACTION_CNAME)
		return put_cname(x, owner, r->ttl, n->wild != 0,
				 (struct yg_sv){x->b->bytes.p + r->data_at, r->n});
	return put_action(x, owner, (enum yg_dns_action)n->action);
}

/* ---- owners ---- */

/* front (labels in wire form without the root), a label, the zone: false when too long. */
static bool owner_of(const struct exporting *x, bool wild, struct yg_sv front, const char *suffix,
		     struct yg_dns_name *out)
{
	char wire[2 * YG_DNS_NAME_MAX + YG_DNS_LABEL_MAX + 4];
	struct yg_sb b = yg_sb_init(wire, sizeof wire);
	struct yg_sv label = yg_sv_of(suffix);
	size_t at = 0;
	yg_sb_put(&b, wild ? YG_SV("\1*") : YG_SV(""));
	yg_sb_put(&b, front);
	if (label.n > 0)
		yg_sb_putc(&b, (char)label.n);
	yg_sb_put(&b, label);
	yg_sb_put(&b, yg_dns_name_from(x->origin, 0));
	return !b.cut && yg_dns_name_read_plain((const uint8_t *)wire, b.n, &at, out) == YG_OK &&
	       at == b.n;
}

static yg_status put_name(struct exporting *x, const struct yg_db_entry *e)
{
	const struct yg_sv key = {x->b->keys.p + e->key_at, e->key_n};
	const char *suffix = yg_rpz_suffix(e->kind == YG_DK_NSDNAME ? YG_DNS_TRIGGER_NSDNAME
								    : YG_DNS_TRIGGER_QNAME);
	struct same all;
	if (!gather(x, e, &all))
		return YG_OK;
	yg_status st = YG_OK;
	for (unsigned bits = YG_DV_EXACT; st == YG_OK && bits <= YG_DV_WILD; bits++) {
		struct yg_dns_name owner;
		uint32_t node = best(x, &all, false, bits);
		if (node == YG_DB_NONE)
			continue;
		if (owner_of(x, bits == YG_DV_WILD, key, suffix, &owner))
			st = put_rule(x, &owner, node);
		else
			x->stats->left_out++;
	}
	return st;
}

static yg_status put_prefix(struct exporting *x, const struct yg_db_entry *e)
{
	static const enum yg_dns_trigger triggers[] = {[YG_DV_CLIENT] = YG_DNS_TRIGGER_CLIENT_IP,
						       [YG_DV_RESPONSE] =
							       YG_DNS_TRIGGER_RESPONSE_IP,
						       [YG_DV_NSIP] = YG_DNS_TRIGGER_NSIP};
	char text[160];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	struct yg_dns_name front, owner;
	struct same all;
	struct yg_ip ip;
	const char *key = x->b->keys.p + e->key_at;
	if (!gather(x, e, &all))
		return YG_OK;
	memcpy(ip.b, key, sizeof ip.b);
	yg_rpz_prefix_format(&b, ip, (uint8_t)key[16]);
	yg_status st = yg_dns_name_parse(yg_sb_sv(&b), NULL, &front, x->err);
	for (unsigned bits = 0; st == YG_OK && bits < YG_LEN(triggers); bits++) {
		uint32_t node = best(x, &all, true, bits);
		struct yg_sv wire = {(const char *)front.b, (size_t)front.n - 1};
		if (node == YG_DB_NONE)
			continue;
		if (owner_of(x, false, wire, yg_rpz_suffix(triggers[bits]), &owner))
			st = put_rule(x, &owner, node);
		else
			x->stats->left_out++;
	}
	return st;
}

yg_status yg_dns_export(const struct yg_dns_builder *b, struct yg_sv org, struct yg_dns_records *to,
			struct yg_dns_export_stats *out, struct yg_err *err)
{
	*out = (struct yg_dns_export_stats){.records = 0};
	struct exporting x = {
		.b = b, .to = to, .origin = yg_dns_records_origin(to), .stats = out, .err = err};
	uint16_t scope = org.n > 0 ? yg_db_scope(b, org) : 0;
	x.chain_n = yg_db_chain(b, scope != UINT16_MAX ? scope : 0, x.chain);
	yg_status st = YG_OK;
	for (uint32_t i = 0; st == YG_OK && i < b->entries.n; i++) {
		const struct yg_db_entry *e = yg_db_entry_at(b, i);
		if (yg_db_in_chain(x.chain, x.chain_n, e->scope))
			st = e->kind == YG_DK_PREFIX ? put_prefix(&x, e) : put_name(&x, e);
	}
	return st;
}

yg_status yg_dns_export_top(struct yg_dns_records *to, uint32_t serial, struct yg_err *err)
{
	uint8_t soa[64] = "\11localhost\0\12hostmaster\11localhost";
	size_t n = 11 + 22;
	const uint32_t numbers[] = {serial, 60, 30, 604800, YG_DNS_EXPORT_TTL};
	for (size_t i = 0; i < YG_LEN(numbers); i++, n += 4)
		yg_dns_put32(soa + n, numbers[i]);
	struct yg_zone_rr rr = {.owner = yg_dns_records_origin(to),
				.type = YG_DNS_SOA,
				.cls = YG_DNS_IN,
				.ttl = YG_DNS_EXPORT_TTL,
				.rdata = {(const char *)soa, n}};
	yg_status st = yg_dns_records_add(to, &rr, err);
	rr.type = YG_DNS_NS;
	rr.rdata.n = 11;
	return st == YG_OK ? yg_dns_records_add(to, &rr, err) : st;
}

static void put_soa(const struct yg_dns_records *r, struct yg_buf *out, uint8_t mark)
{
	struct yg_dns_name owner;
	struct yg_zone_rr rr;
	if (yg_dns_records_soa(r, &owner, &rr))
		yg_dns_record_pack(out, &rr, yg_dns_records_origin(r), mark);
}

/* Records of `a` that `b` has not; the SOA aside. */
static uint64_t put_missing(const struct yg_dns_records *a, struct yg_dns_records *b,
			    struct yg_buf *out, uint8_t mark)
{
	const struct yg_dns_name *origin = yg_dns_records_origin(a);
	struct yg_dns_name owner;
	struct yg_zone_rr rr;
	uint64_t count = 0;
	size_t at = 0;
	while (!out->bad && yg_dns_records_next(a, &at, &owner, &rr)) {
		if (rr.type == YG_DNS_SOA || yg_dns_records_has(b, &rr))
			continue;
		yg_dns_record_pack(out, &rr, origin, mark);
		count++;
	}
	return count;
}

uint64_t yg_dns_export_diff(struct yg_dns_records *from, struct yg_dns_records *to,
			    struct yg_buf *out)
{
	put_soa(from, out, 1);
	uint64_t count = put_missing(from, to, out, 1);
	put_soa(to, out, 0);
	return count + put_missing(to, from, out, 0);
}
