#include "dns/export.h"

#include <stdlib.h>

#include "base/breath.h"
#include "dns/policy_internal.h"
#include "dns/rpz.h"

#define NEXT_BYTES 4096u              /* at least, of one call */
#define KEY_BYTES  ((size_t)32 << 20) /* of one key's records, at most */

struct key {
	struct yg_sv key; /* as in the pool */
	uint64_t hash;    /* without scope */
	enum yg_dns_kind kind;
};

static struct key key_of(const struct yg_dns_policy *p, const struct yg_hashset_rec *rec)
{
	struct key k = {.key = rec->key, .kind = (enum yg_dns_kind)(rec->head & 0x7f)};
	k.hash = k.kind == YG_DK_PREFIX ? yg_hash_of(&p->key, YG_DK_PREFIX, k.key)
					: yg_dns_hash_key(&p->key, k.kind, k.key);
	return k;
}

/* ---- records of a rule ---- */

static void put(const struct yg_dns_export *x, struct yg_buf *out, const struct yg_dns_name *owner,
		uint16_t type, uint32_t ttl, struct yg_sv rdata)
{
	const struct yg_zone_rr rr = {
		.owner = owner, .type = type, .cls = YG_DNS_IN, .ttl = ttl, .rdata = rdata};
	yg_dns_record_pack(out, &rr, x->origin, 0);
}

static void put_action(const struct yg_dns_export *x, struct yg_buf *out,
		       const struct yg_dns_name *owner, enum yg_dns_action a)
{
	static const struct yg_sv words[YG_DNS_ACTION_COUNT] = {
		[YG_DNS_ACTION_NXDOMAIN] = YG_SV_INIT("\0"),
		[YG_DNS_ACTION_NODATA] = YG_SV_INIT("\1*\0"),
		[YG_DNS_ACTION_PASSTHRU] = YG_SV_INIT("\14rpz-passthru\0"),
		[YG_DNS_ACTION_DROP] = YG_SV_INIT("\10rpz-drop\0"),
		[YG_DNS_ACTION_TCP_ONLY] = YG_SV_INIT("\14rpz-tcp-only\0")};
	if (words[a].n > 0)
		put(x, out, owner, YG_DNS_CNAME, YG_DNS_EXPORT_TTL, words[a]);
}

/* data: u32 TTL, u8 wild, the target without its "*". */
static void put_cname(const struct yg_dns_export *x, struct yg_buf *out,
		      const struct yg_dns_name *owner, struct yg_sv data)
{
	char wire[2 + YG_DNS_NAME_MAX];
	struct yg_sb b = yg_sb_init(wire, sizeof wire);
	uint32_t ttl;
	if (data.n <= YG_DNS_CNAME_HEAD)
		return;
	memcpy(&ttl, data.p, sizeof ttl);
	yg_sb_put(&b, data.p[4] != 0 ? YG_SV("\1*") : YG_SV(""));
	yg_sb_put(&b, yg_sv_sub(data, YG_DNS_CNAME_HEAD, data.n));
	if (!b.cut)
		put(x, out, owner, YG_DNS_CNAME, ttl, yg_sb_sv(&b));
}

static void put_rrsets(const struct yg_dns_export *x, struct yg_buf *out,
		       const struct yg_dns_name *owner, struct yg_sv data)
{
	struct yg_dns_rrset set;
	while (yg_dns_rrset_next(&data, &set)) {
		struct yg_sv rest = set.rrs;
		for (unsigned i = 0; i < set.count && rest.n >= 10; i++) {
			const uint8_t *p = (const uint8_t *)rest.p;
			size_t n = 10 + (size_t)yg_dns_get16(p + 8);
			put(x, out, owner, set.type, yg_dns_get32(p + 4), yg_sv_sub(rest, 10, n));
			rest = yg_sv_sub(rest, n, rest.n);
		}
	}
}

static void put_rule(const struct yg_dns_export *x, struct yg_buf *out,
		     const struct yg_dns_name *owner, uint32_t rule, uint16_t zone)
{
	struct yg_dns_meaning m;
	yg_dns_policy_meaning(x->policy, &x->policy->views[x->view], rule, zone, &m);
	if (m.action == YG_DNS_ACTION_DATA)
		put_rrsets(x, out, owner, m.data);
	else if (m.action == YG_DNS_ACTION_CNAME)
		put_cname(x, out, owner, m.data);
	else
		put_action(x, out, owner, m.action);
}

/* ---- owners ---- */

/* front (labels in wire form without the root), a label, the zone: false when too long. */
static bool owner_of(const struct yg_dns_export *x, bool wild, struct yg_sv front,
		     const char *suffix, struct yg_dns_name *out)
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

static void put_name(const struct yg_dns_export *x, const struct key *k, struct yg_buf *out,
		     uint64_t *left_out)
{
	const char *suffix = yg_rpz_suffix(k->kind == YG_DK_NSDNAME ? YG_DNS_TRIGGER_NSDNAME
								    : YG_DNS_TRIGGER_QNAME);
	for (unsigned bits = YG_DV_EXACT; bits <= YG_DV_WILD; bits++) {
		struct yg_dns_name owner;
		uint32_t rule;
		uint16_t zone;
		if (!yg_dns_policy_decides(x->policy, x->view, k->kind, k->hash, k->key, bits,
					   &rule, &zone))
			continue;
		if (owner_of(x, bits == YG_DV_WILD, k->key, suffix, &owner))
			put_rule(x, out, &owner, rule, zone);
		else
			*left_out += 1;
	}
}

static void put_prefix(const struct yg_dns_export *x, const struct key *k, struct yg_buf *out,
		       uint64_t *left_out)
{
	static const enum yg_dns_trigger triggers[] = {[YG_DV_CLIENT] = YG_DNS_TRIGGER_CLIENT_IP,
						       [YG_DV_RESPONSE] =
							       YG_DNS_TRIGGER_RESPONSE_IP,
						       [YG_DV_NSIP] = YG_DNS_TRIGGER_NSIP};
	char text[160];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	struct yg_dns_name front, owner;
	struct yg_ip ip;
	if (k->key.n != 17)
		return;
	memcpy(ip.b, k->key.p, sizeof ip.b);
	yg_rpz_prefix_format(&b, ip, (uint8_t)k->key.p[16]);
	if (yg_dns_name_parse(yg_sb_sv(&b), NULL, &front, NULL) != YG_OK)
		return;
	struct yg_sv wire = {(const char *)front.b, (size_t)front.n - 1};
	for (unsigned bits = 0; bits < YG_LEN(triggers); bits++) {
		uint32_t rule;
		uint16_t zone;
		if (!yg_dns_policy_decides(x->policy, x->view, k->kind, k->hash, k->key, bits,
					   &rule, &zone))
			continue;
		if (owner_of(x, false, wire, yg_rpz_suffix(triggers[bits]), &owner))
			put_rule(x, out, &owner, rule, zone);
		else
			*left_out += 1;
	}
}

static void put_key(const struct yg_dns_export *x, const struct key *k, struct yg_buf *out,
		    uint64_t *left_out)
{
	if (k->kind == YG_DK_PREFIX)
		put_prefix(x, k, out, left_out);
	else
		put_name(x, k, out, left_out);
}

/* ---- keys ---- */

/* The next record of a part that begins a key; continuations are passed over. */
static bool next_key(const struct yg_dns_policy *part, uint64_t *off, struct yg_hashset_rec *out)
{
	bool more = true;
	yg_breathe(YG_BREATH_RECORD);
	if (!yg_hashset_rec(&part->set, *off, out))
		return false;
	struct yg_hashset_rec at = *out;
	while (more) {
		uint32_t value;
		while (yg_hashset_value(&at, &value))
			;
		*off = yg_hashset_behind(&part->set, &at);
		more = (at.head & YG_DK_MORE) != 0 && yg_hashset_rec(&part->set, *off, &at);
	}
	return true;
}

/* The part's record of the key under the view's scope number `s`: false when it has none. */
static bool record_in(const struct yg_dns_export *x, const struct yg_dns_policy *part,
		      const struct key *k, unsigned s, struct yg_hashset_rec *out)
{
	const struct yg_dns_policy *p = x->policy;
	struct yg_hashset_rec rec[4] __attribute__((uninitialized));
	uint32_t scope = p->views[x->view].scopes[s];
	scope = part == p ? scope : yg_dns_base_scope(p, scope);
	if (scope == YG_DNS_NO_SCOPE)
		return false;
	size_t n = yg_hashset_find(&part->set, yg_hash_scoped(&p->key, k->hash, scope), k->key, rec,
				   YG_LEN(rec));
	for (size_t i = 0; i < n; i++)
		if ((rec[i].head & 0x7f) == (unsigned)k->kind) {
			*out = rec[i];
			return true;
		}
	return false;
}

/* Where the part first has the key under a scope of the view; NULL: nowhere. */
static const uint8_t *first_in(const struct yg_dns_export *x, const struct yg_dns_policy *part,
			       const struct key *k)
{
	struct yg_hashset_rec rec;
	for (unsigned s = 0; s < x->policy->views[x->view].scope_count; s++)
		if (record_in(x, part, k, s, &rec))
			return rec.values;
	return NULL;
}

/* The same of all of the policy. */
static const uint8_t *first_of(const struct yg_dns_export *x, const struct key *k)
{
	const uint8_t *at = first_in(x, x->policy, k);
	return at != NULL || x->policy->base == NULL ? at : first_in(x, x->policy->base, k);
}

bool yg_dns_export_next(const struct yg_dns_export *x, struct yg_dns_export_at *at,
			struct yg_buf *out, uint64_t *left_out)
{
	uint64_t none = 0;
	size_t before = out->n;
	while (at->part < 2 && out->n - before < NEXT_BYTES && !out->bad) {
		const struct yg_dns_policy *part = x->policy;
		struct yg_hashset_rec rec;
		if (at->part == 1 && part->base != NULL)
			part = part->base;
		else if (at->part == 1)
			break;
		if (!next_key(part, &at->off, &rec)) {
			*at = (struct yg_dns_export_at){.part = at->part + 1};
			continue;
		}
		struct key k = key_of(x->policy, &rec);
		if (first_of(x, &k) == rec.values)
			put_key(x, &k, out, left_out != NULL ? left_out : &none);
	}
	return out->n > before;
}

void yg_dns_export_top(const struct yg_dns_export *x, bool ns, uint8_t mark, struct yg_buf *out)
{
	uint8_t soa[64] = "\11localhost\0\12hostmaster\11localhost";
	size_t n = 11 + 22;
	const uint32_t numbers[] = {x->serial, 60, 30, 604800, YG_DNS_EXPORT_TTL};
	for (size_t i = 0; i < YG_LEN(numbers); i++, n += 4)
		yg_dns_put32(soa + n, numbers[i]);
	struct yg_zone_rr rr = {.owner = x->origin,
				.type = YG_DNS_SOA,
				.cls = YG_DNS_IN,
				.ttl = YG_DNS_EXPORT_TTL,
				.rdata = {(const char *)soa, n}};
	yg_dns_record_pack(out, &rr, x->origin, mark);
	rr.type = YG_DNS_NS;
	rr.rdata.n = 11;
	if (ns)
		yg_dns_record_pack(out, &rr, x->origin, mark);
}

/* The length of the first packed record; 0: there is none. */
static size_t first_record(struct yg_sv packed, const struct yg_dns_export *x)
{
	struct yg_dns_name owner;
	struct yg_zone_rr rr;
	struct yg_sv rest = packed;
	uint8_t mark;
	return yg_dns_record_unpack(&rest, x->origin, &mark, &owner, &rr) ? packed.n - rest.n : 0;
}

yg_status yg_dns_export_count(const struct yg_dns_export *x, struct yg_dns_export_stats *out,
			      struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf some = {0};
	struct yg_dns_export_at at = {.part = 0};
	yg_buf_init(&some, KEY_BYTES);
	*out = (struct yg_dns_export_stats){.records = 1};
	while (yg_dns_export_next(x, &at, &some, &out->left_out) && !some.bad) {
		struct yg_sv rest = yg_buf_sv(&some);
		for (size_t n; (n = first_record(rest, x)) > 0; out->records++)
			rest = yg_sv_sub(rest, n, rest.n);
		some.n = 0;
	}
	return some.bad ? YG_FAIL(err, YG_NOMEM, "no memory for a zone of ours") : YG_OK;
}

/* ---- what differs ---- */

struct differing {
	const struct yg_dns_export *from, *to;
	struct yg_buf was, is, gone, come; /* owned */
	struct yg_dns_export_changes n;
	uint8_t *zones;     /* owned: by number in the base: something else is said of it now */
	uint16_t *in_order; /* owned: the base's zones by their place in `from` */
	size_t in_order_n;
	bool any_zone;
};

static void differing_end(struct differing *d)
{
	yg_buf_free(&d->was);
	yg_buf_free(&d->is);
	yg_buf_free(&d->gone);
	yg_buf_free(&d->come);
	free(d->zones);
	free(d->in_order);
}

static bool has_record(struct yg_sv all, struct yg_sv one, const struct yg_dns_export *x)
{
	for (size_t n; (n = first_record(all, x)) > 0; all = yg_sv_sub(all, n, all.n))
		if (n == one.n && memcmp(all.p, one.p, n) == 0)
			return true;
	return false;
}

/* Records of `a` that `b` has not. */
static uint64_t put_missing(const struct differing *d, struct yg_sv a, struct yg_sv b, uint8_t mark,
			    struct yg_buf *out)
{
	uint64_t count = 0;
	for (size_t n; (n = first_record(a, d->from)) > 0; a = yg_sv_sub(a, n, a.n)) {
		struct yg_sv one = yg_sv_sub(a, 0, n);
		if (has_record(b, one, d->from))
			continue;
		size_t at = out->n;
		yg_buf_put(out, one);
		if (!out->bad)
			out->p[at + 1] = (char)mark;
		count++;
	}
	return count;
}

/* One key, which each of the two hashes in its own way. */
static void compare(struct differing *d, const struct key *in_from, const struct key *in_to)
{
	d->was.n = d->is.n = 0;
	put_key(d->from, in_from, &d->was, &d->n.left_out_gone);
	put_key(d->to, in_to, &d->is, &d->n.left_out_come);
	struct yg_sv was = yg_buf_sv(&d->was), is = yg_buf_sv(&d->is);
	if (yg_sv_eq(was, is))
		return;
	d->n.gone += put_missing(d, was, is, 1, &d->gone);
	d->n.come += put_missing(d, is, was, 0, &d->come);
}

/* Policies over different bases: every key of both; second: of `to`, those alone that
 * `from` has not. */
static void compare_part(struct differing *d, const struct yg_dns_policy *part, bool second)
{
	const struct yg_dns_export *x = second ? d->to : d->from;
	struct yg_hashset_rec rec;
	uint64_t off = 0;
	while (next_key(part, &off, &rec)) {
		struct key in_from = key_of(d->from->policy, &rec),
			   in_to = key_of(d->to->policy, &rec);
		if (first_of(x, second ? &in_to : &in_from) == rec.values &&
		    (!second || first_of(d->from, &in_from) == NULL))
			compare(d, &in_from, &in_to);
	}
}

static void compare_all(struct differing *d)
{
	const struct yg_dns_policy *from = d->from->policy, *to = d->to->policy;
	compare_part(d, from, false);
	if (from->base != NULL)
		compare_part(d, from->base, false);
	compare_part(d, to, true);
	if (to->base != NULL)
		compare_part(d, to->base, true);
}

/* ---- policies over one base ---- */

/* What a policy says of a zone of the base; NULL: nothing, or it does not act. */
static const struct yg_dns_zone_rec *acting(const struct yg_dns_export *x, uint32_t in_base,
					    uint16_t *out)
{
	const struct yg_dns_policy *p = x->policy;
	const struct yg_dns_view_rec *v = &p->views[x->view];
	uint16_t zone = p->base == NULL ? (uint16_t)in_base : p->zone_of[in_base];
	if (zone == YG_DNS_NO_ZONE || p->zones[zone].override == YG_DNS_OVERRIDE_DISABLED)
		return NULL;
	for (uint32_t i = 0; i < v->zone_count; i++) {
		const struct yg_dns_view_zone *z = &p->view_zones[v->zones_at + i];
		if (z->zone == zone && z->mode == YG_DNS_MODE_ENFORCE) {
			*out = zone;
			return &p->zones[zone];
		}
	}
	return NULL;
}

/* Does a refusal by the zone become the same in both? */
static bool same_answer(const struct differing *d, const struct yg_dns_zone_rec *a,
			const struct yg_dns_zone_rec *b)
{
	const struct yg_dns_policy *from = d->from->policy, *to = d->to->policy;
	const struct yg_dns_answer_rec *was =
		yg_dns_policy_answer(from, &from->views[d->from->view], a);
	const struct yg_dns_answer_rec *is = yg_dns_policy_answer(to, &to->views[d->to->view], b);
	if (was == NULL || is == NULL)
		return was == is;
	return was->action == is->action &&
	       yg_sv_eq(yg_dns_policy_data(from, was->data), yg_dns_policy_data(to, is->data));
}

static bool same_zone(const struct differing *d, const struct yg_dns_zone_rec *a,
		      const struct yg_dns_zone_rec *b)
{
	return same_answer(d, a, b) && a->override == b->override && a->is_list == b->is_list &&
	       yg_sv_eq(yg_dns_policy_data(d->from->policy, a->override_data),
			yg_dns_policy_data(d->to->policy, b->override_data));
}

static int by_place(const void *x, const void *y, void *ctx)
{
	const struct yg_dns_policy *p = ctx;
	uint16_t a = *(const uint16_t *)x, b = *(const uint16_t *)y;
	unsigned pa = p->base == NULL ? a : p->zone_of[a], pb = p->base == NULL ? b : p->zone_of[b];
	return pa < pb ? -1 : pa > pb;
}

/* Zones of the base that say something else than before, or in another order. */
static yg_status find_zones(struct differing *d, const struct yg_dns_policy *base,
			    struct yg_err *err)
{
	uint16_t a, b;
	d->zones = calloc(base->zone_count + 1, 1);
	d->in_order = malloc((base->zone_count + 1) * sizeof *d->in_order);
	if (d->zones == NULL || d->in_order == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory to compare two policies");
	for (uint32_t i = 0; i < base->zone_count; i++) {
		const struct yg_dns_zone_rec *was = acting(d->from, i, &a),
					     *is = acting(d->to, i, &b);
		bool both = was != NULL && is != NULL;
		d->zones[i] = both ? !same_zone(d, was, is) : was != is;
		d->any_zone = d->any_zone || d->zones[i] != 0;
		if (both)
			d->in_order[d->in_order_n++] = (uint16_t)i;
	}
	qsort_r(d->in_order, d->in_order_n, sizeof *d->in_order, by_place,
		(void *)(uintptr_t)d->from->policy);
	for (size_t i = 1; i < d->in_order_n; i++)
		if (by_place(&d->in_order[i - 1], &d->in_order[i],
			     (void *)(uintptr_t)d->to->policy) > 0) {
			memset(d->zones, 1, base->zone_count);
			d->any_zone = true;
			break;
		}
	return YG_OK;
}

/* Has the key a value of such a zone? */
static bool touches(const struct differing *d, const struct yg_dns_policy *base,
		    struct yg_hashset_rec rec)
{
	for (;;) {
		uint32_t value;
		while (yg_hashset_value(&rec, &value))
			if (value >> 2 < base->rule_count &&
			    d->zones[base->rules[value >> 2].zone] != 0)
				return true;
		if ((rec.head & YG_DK_MORE) == 0 ||
		    !yg_hashset_rec(&base->set, yg_hashset_behind(&base->set, &rec), &rec))
			return false;
	}
}

/* The first record of the key in the base, of what either of the two sees, that does. */
static const uint8_t *first_touching(const struct differing *d, const struct yg_dns_policy *base,
				     const struct key *k)
{
	const struct yg_dns_export *both[] = {d->from, d->to};
	struct yg_hashset_rec rec;
	for (unsigned i = 0; i < 2; i++)
		for (unsigned s = 0; s < both[i]->policy->views[both[i]->view].scope_count; s++)
			if (record_in(both[i], base, k, s, &rec) && touches(d, base, rec))
				return rec.values;
	return NULL;
}

/* Does what stands over the base have the key? */
static bool in_over(const struct yg_dns_export *x, const struct key *k)
{
	return x->policy->base != NULL && first_in(x, x->policy, k) != NULL;
}

static void compare_over(struct differing *d, const struct yg_dns_policy *base)
{
	const struct yg_dns_export *both[] = {d->from, d->to};
	struct yg_hashset_rec rec;
	for (unsigned i = 0; i < 2; i++)
		for (uint64_t off = 0;
		     both[i]->policy->base != NULL && next_key(both[i]->policy, &off, &rec);) {
			struct key k = key_of(base, &rec);
			if (first_in(both[i], both[i]->policy, &k) == rec.values &&
			    (i == 0 || !in_over(d->from, &k)))
				compare(d, &k, &k);
		}
	for (uint64_t off = 0; d->any_zone && next_key(base, &off, &rec);) {
		if (!touches(d, base, rec))
			continue;
		struct key k = key_of(base, &rec);
		if (first_touching(d, base, &k) == rec.values && !in_over(d->from, &k) &&
		    !in_over(d->to, &k))
			compare(d, &k, &k);
	}
}

yg_status yg_dns_export_diff(const struct yg_dns_export *from, const struct yg_dns_export *to,
			     struct yg_buf *out, struct yg_dns_export_changes *changes,
			     struct yg_err *err)
{
	YG_AUTO(differing_end) struct differing d = {.from = from, .to = to};
	const struct yg_dns_policy *a = from->policy, *b = to->policy;
	const struct yg_dns_policy *base = a->base != NULL ? a->base : a;
	yg_status st = YG_OK;
	yg_buf_init(&d.was, KEY_BYTES);
	yg_buf_init(&d.is, KEY_BYTES);
	yg_buf_init(&d.gone, out->limit);
	yg_buf_init(&d.come, out->limit);
	if (base == (b->base != NULL ? b->base : b)) {
		st = find_zones(&d, base, err);
		if (st == YG_OK)
			compare_over(&d, base);
	} else {
		compare_all(&d);
	}
	yg_dns_export_top(from, false, 1, out);
	yg_buf_put(out, yg_buf_sv(&d.gone));
	yg_dns_export_top(to, false, 0, out);
	yg_buf_put(out, yg_buf_sv(&d.come));
	out->bad = out->bad || d.gone.bad || d.come.bad || d.was.bad || d.is.bad;
	*changes = d.n;
	return st;
}
