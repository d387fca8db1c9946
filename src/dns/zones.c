#include "dns/zones.h"

#include <stdlib.h>

#include "snapshot/hashset.h"

#define POOL_MAX (256u << 20)

struct node {                  /* a name of one organisation */
	uint32_t org, name_at; /* in the pool: wire form */
	uint32_t route, rr;    /* + 1; 0: none */
	uint8_t name_n;
	bool exists; /* is a name of a local zone, perhaps without records */
	bool may_private;
};
struct stored {
	uint32_t ttl, at, next; /* next + 1 */
	uint16_t type, n;
	bool made; /* a SOA that nobody gave */
};
struct yg_dns_zones {
	struct node *nodes;
	uint32_t node_count, node_cap;
	uint32_t *slots; /* node + 1 */
	uint32_t slot_count;
	struct yg_dns_route *routes;
	uint32_t route_count, route_cap;
	struct stored *rrs;
	uint32_t rr_count, rr_cap;
	struct yg_buf pool;
	uint64_t tops[16]; /* a bit for the hash of the rightmost label of every node */
	bool own;          /* organisations have nodes */
	bool privates;     /* some node has may_private */
	uint32_t root;     /* route + 1 of everyone's root */
};
static const struct yg_hash_key key = {{0x243f6a8885a308d3ull, 0x13198a2e03707344ull}};

struct yg_dns_zones *yg_dns_zones_new(void)
{
	struct yg_dns_zones *z = calloc(1, sizeof *z);
	if (z != NULL)
		yg_buf_init(&z->pool, POOL_MAX);
	return z;
}

void yg_dns_zones_free(struct yg_dns_zones *z)
{
	if (z == NULL)
		return;
	free(z->nodes);
	free(z->slots);
	free(z->routes);
	free(z->rrs);
	yg_buf_free(&z->pool);
	free(z);
}

/* ---- nodes ---- */

static uint64_t hash_of(uint32_t org, struct yg_sv wire)
{
	return yg_hash_of(&key, org, wire);
}

static unsigned top_bit(const struct yg_dns_name *name)
{
	struct yg_sv l = yg_dns_name_label(name, name->labels - 1u);
	return (unsigned)(yg_hash_of(&key, 0, l) >> 54);
}

static struct node *node_find(const struct yg_dns_zones *z, uint32_t org, struct yg_sv wire)
{
	if (z->slot_count == 0)
		return NULL;
	uint32_t mask = z->slot_count - 1;
	for (uint32_t i = (uint32_t)hash_of(org, wire) & mask; z->slots[i] != 0;
	     i = (i + 1) & mask) {
		struct node *n = &z->nodes[z->slots[i] - 1];
		if (n->org == org && n->name_n == wire.n &&
		    memcmp(z->pool.p + n->name_at, wire.p, wire.n) == 0)
			return n;
	}
	return NULL;
}

/* One more element of `size` behind `count`; false: no memory. */
static bool grow(void **array, uint32_t *cap, uint32_t count, size_t size)
{
	if (count < *cap)
		return true;
	uint32_t more = *cap == 0 ? 16 : *cap * 2;
	void *p = more > *cap ? reallocarray(*array, more, size) : NULL;
	if (p == NULL)
		return false;
	*array = p;
	*cap = more;
	return true;
}

static void place(struct yg_dns_zones *z, uint32_t i)
{
	const struct node *n = &z->nodes[i];
	struct yg_sv wire = {z->pool.p + n->name_at, n->name_n};
	uint32_t at = (uint32_t)hash_of(n->org, wire) & (z->slot_count - 1);
	while (z->slots[at] != 0)
		at = (at + 1) & (z->slot_count - 1);
	z->slots[at] = i + 1;
}

static bool grow_slots(struct yg_dns_zones *z)
{
	if ((uint64_t)(z->node_count + 1) * 2 <= z->slot_count)
		return true;
	uint32_t more = z->slot_count == 0 ? 64 : z->slot_count * 2;
	uint32_t *p = more > z->slot_count ? calloc(more, sizeof *p) : NULL;
	if (p == NULL)
		return false;
	free(z->slots);
	z->slots = p;
	z->slot_count = more;
	for (uint32_t i = 0; i < z->node_count; i++)
		place(z, i);
	return true;
}

/* The node of a name, made when there is none; NULL: no memory. */
static struct node *node_make(struct yg_dns_zones *z, uint32_t org, const struct yg_dns_name *name)
{
	struct node *n = node_find(z, org, yg_dns_name_from(name, 0));
	if (n != NULL)
		return n;
	void *nodes = z->nodes;
	bool ok = grow_slots(z) && grow(&nodes, &z->node_cap, z->node_count, sizeof *z->nodes);
	z->nodes = nodes;
	uint32_t at = (uint32_t)z->pool.n;
	yg_buf_put(&z->pool, yg_dns_name_from(name, 0));
	if (!ok || z->pool.bad)
		return NULL;
	n = &z->nodes[z->node_count];
	*n = (struct node){.org = org, .name_at = at, .name_n = name->n};
	place(z, z->node_count++);
	if (name->labels > 0) {
		unsigned bit = top_bit(name);
		z->tops[bit / 64] |= 1ull << (bit & 63);
	}
	z->own |= org != 0;
	return n;
}

/* ---- building ---- */

static yg_status put_rr(struct yg_dns_zones *z, struct node *n, uint16_t type, uint32_t ttl,
			struct yg_sv rdata, struct yg_err *err)
{
	uint32_t node = (uint32_t)(n - z->nodes), at = (uint32_t)z->pool.n;
	void *rrs = z->rrs;
	bool ok = grow(&rrs, &z->rr_cap, z->rr_count, sizeof *z->rrs);
	z->rrs = rrs;
	yg_buf_put(&z->pool, rdata);
	if (!ok || z->pool.bad)
		return YG_FAIL(err, YG_NOMEM, "local data");
	z->rrs[z->rr_count] =
		(struct stored){.ttl = ttl, .at = at, .type = type, .n = (uint16_t)rdata.n};
	uint32_t *link = &z->nodes[node].rr; /* behind the others: in the order given */
	while (*link != 0)
		link = &z->rrs[*link - 1].next;
	*link = ++z->rr_count;
	return YG_OK;
}

static yg_status put_soa(struct yg_dns_zones *z, struct node *n, struct yg_err *err)
{
	/* localhost., nobody.invalid., 1 3600 1200 604800 10800: as RFC 6303 3 has it */
	static const char soa[] = "\11localhost\0\6nobody\7invalid\0\0\0\0\1\0\0\x0e\x10\0\0\4\xb0"
				  "\0\x09\x3a\x80\0\0\x2a\x30";
	yg_status st = put_rr(z, n, YG_DNS_SOA, 10800, (struct yg_sv){soa, sizeof soa - 1}, err);
	if (st == YG_OK)
		z->rrs[z->rr_count - 1].made = true;
	return st;
}

yg_status yg_dns_zones_add(struct yg_dns_zones *z, uint32_t org, const struct yg_dns_name *name,
			   enum yg_dns_zone_kind kind, uint32_t set, bool may_private,
			   struct yg_err *err)
{
	if (kind < YG_DNS_ZONE_SET || kind > YG_DNS_ZONE_REFUSE ||
	    (kind == YG_DNS_ZONE_SET && set == 0))
		return YG_FAIL(err, YG_INVAL, "zone without a set");
	struct node *n = node_make(z, org, name);
	void *routes = z->routes;
	bool ok = n != NULL && grow(&routes, &z->route_cap, z->route_count, sizeof *z->routes);
	z->routes = routes;
	if (!ok)
		return YG_FAIL(err, YG_NOMEM, "zones");
	if (n->route != 0)
		return YG_FAIL(err, YG_CONFLICT, "the zone is there twice");
	bool local = kind == YG_DNS_ZONE_LOCAL || kind == YG_DNS_ZONE_OVERLAY;
	if (local && put_soa(z, n, err) != YG_OK)
		return YG_NOMEM;
	z->routes[z->route_count] = (struct yg_dns_route){.kind = (uint8_t)kind,
							  .may_private = may_private || local,
							  .set = kind == YG_DNS_ZONE_SET ? set : 0,
							  .org = org,
							  .labels = name->labels};
	n->route = ++z->route_count;
	n->exists |= local;
	if (org == 0 && name->labels == 0)
		z->root = n->route;
	return YG_OK;
}

/* The local zone that a record belongs to. */
static const struct yg_dns_route *zone_of(const struct yg_dns_zones *z, uint32_t org,
					  const struct yg_dns_name *name)
{
	for (unsigned i = 0; i <= name->labels; i++) {
		const struct node *n = node_find(z, org, yg_dns_name_from(name, i));
		const struct yg_dns_route *r =
			n != NULL && n->route != 0 ? &z->routes[n->route - 1] : NULL;
		if (r != NULL)
			return r->kind == YG_DNS_ZONE_LOCAL || r->kind == YG_DNS_ZONE_OVERLAY
				       ? r
				       : NULL;
	}
	return NULL;
}

static bool clashes(const struct yg_dns_zones *z, const struct node *n, uint16_t type)
{
	for (uint32_t i = n->rr; i != 0; i = z->rrs[i - 1].next)
		if (z->rrs[i - 1].type == YG_DNS_CNAME || type == YG_DNS_CNAME)
			return true;
	return false;
}

static void drop_made_soa(struct yg_dns_zones *z, struct node *n)
{
	for (uint32_t *link = &n->rr; *link != 0; link = &z->rrs[*link - 1].next)
		if (z->rrs[*link - 1].made) {
			*link = z->rrs[*link - 1].next;
			return;
		}
}

yg_status yg_dns_zones_record(struct yg_dns_zones *z, uint32_t org, const struct yg_dns_name *owner,
			      uint16_t type, uint32_t ttl, struct yg_sv rdata, struct yg_err *err)
{
	uint8_t probe[1024];
	static const struct yg_dns_name root = {.n = 1};
	struct yg_dns_name above;
	struct yg_dns_wr w;
	if (yg_dns_type_is_meta(type) || rdata.n > UINT16_MAX)
		return YG_FAIL(err, YG_INVAL, "type %u is not for zone data", type);
	yg_dns_wr_begin(&w, probe, sizeof probe, 0, 0);
	if (!yg_dns_wr_rr(&w, 0, &root, type, YG_DNS_IN, ttl, rdata) && !w.full)
		return YG_FAIL(err, YG_INVAL, "the data does not fit type %u", type);
	const struct yg_dns_route *zone = zone_of(z, org, owner);
	if (zone == NULL)
		return YG_FAIL(err, YG_NOTFOUND, "no local zone has this name");
	unsigned zone_labels = zone->labels;
	for (unsigned up = owner->labels - zone_labels; up > 0; up--) {
		yg_dns_name_above(owner, up, &above);
		struct node *n = node_make(z, org, &above);
		if (n == NULL)
			return YG_FAIL(err, YG_NOMEM, "local data");
		n->exists = true;
	}
	struct node *n = node_make(z, org, owner);
	if (n == NULL)
		return YG_FAIL(err, YG_NOMEM, "local data");
	if (type == YG_DNS_SOA)
		drop_made_soa(z, n);
	if (clashes(z, n, type))
		return YG_FAIL(err, YG_CONFLICT, "a CNAME stands alone at its name");
	n->exists = true;
	return put_rr(z, n, type, ttl, rdata, err);
}

yg_status yg_dns_zones_allow_private(struct yg_dns_zones *z, uint32_t org,
				     const struct yg_dns_name *name)
{
	struct node *n = node_make(z, org, name);
	if (n == NULL)
		return YG_NOMEM;
	n->may_private = z->privates = true;
	return YG_OK;
}

/* ---- asking ---- */

static bool maybe(const struct yg_dns_zones *z, const struct yg_dns_name *name)
{
	if (name->labels == 0)
		return true;
	unsigned bit = top_bit(name);
	return (z->tops[bit / 64] >> (bit & 63) & 1) != 0;
}

static const struct yg_dns_route *find(const struct yg_dns_zones *z, uint32_t org,
				       const struct yg_dns_name *name, bool overlays)
{
	const struct yg_dns_route *root = z->root != 0 ? &z->routes[z->root - 1] : NULL;
	bool near = maybe(z, name), own = org != 0 && z->own;
	if (!near && !own)
		return root != NULL && (overlays || root->kind != YG_DNS_ZONE_OVERLAY) ? root
										       : NULL;
	for (unsigned i = near ? 0 : name->labels; i <= name->labels; i++) {
		struct yg_sv wire = yg_dns_name_from(name, i);
		for (unsigned k = own ? 0 : 1; k < 2; k++) {
			const struct node *n = node_find(z, k == 0 ? org : 0, wire);
			if (n == NULL || n->route == 0)
				continue;
			const struct yg_dns_route *r = &z->routes[n->route - 1];
			if (overlays || r->kind != YG_DNS_ZONE_OVERLAY)
				return r;
		}
	}
	return NULL;
}

const struct yg_dns_route *yg_dns_zones_find(const struct yg_dns_zones *z, uint32_t org,
					     const struct yg_dns_name *name)
{
	return find(z, org, name, true);
}

const struct yg_dns_route *yg_dns_zones_behind(const struct yg_dns_zones *z, uint32_t org,
					       const struct yg_dns_name *name)
{
	return find(z, org, name, false);
}

bool yg_dns_zones_may_private(const struct yg_dns_zones *z, uint32_t org,
			      const struct yg_dns_name *name)
{
	for (unsigned i = 0; z->privates && i <= name->labels; i++) {
		struct yg_sv wire = yg_dns_name_from(name, i);
		const struct node *all = node_find(z, 0, wire);
		const struct node *own = org != 0 ? node_find(z, org, wire) : NULL;
		if ((all != NULL && all->may_private) || (own != NULL && own->may_private))
			return true;
	}
	return false;
}

/* The node that answers for a name: its own, or the wildcard at its closest encloser. */
static const struct node *node_for(const struct yg_dns_zones *z, const struct yg_dns_route *route,
				   const struct yg_dns_name *name)
{
	char wild[YG_DNS_NAME_MAX + 3] = {1, '*'};
	for (unsigned i = 0; i + route->labels <= name->labels; i++) {
		struct yg_sv wire = yg_dns_name_from(name, i);
		const struct node *n = node_find(z, route->org, wire);
		if (n == NULL || !n->exists)
			continue;
		if (i == 0)
			return n;
		memcpy(wild + 2, wire.p, wire.n);
		return node_find(z, route->org, (struct yg_sv){wild, wire.n + 2});
	}
	return NULL;
}

static bool has(const struct yg_dns_zones *z, const struct node *n, uint16_t type)
{
	for (uint32_t i = n->rr; i != 0; i = z->rrs[i - 1].next)
		if (z->rrs[i - 1].type == type || (type == YG_DNS_ANY && !z->rrs[i - 1].made))
			return true;
	return false;
}

enum yg_dns_local yg_dns_zones_local(const struct yg_dns_zones *z, const struct yg_dns_route *route,
				     const struct yg_dns_name *name, uint16_t type,
				     struct yg_dns_local_rr *rr)
{
	const struct node *n = node_for(z, route, name);
	const struct node *apex = node_find(
		z, route->org, yg_dns_name_from(name, (unsigned)name->labels - route->labels));
	bool bare = n != NULL && route->kind == YG_DNS_ZONE_OVERLAY && n == apex &&
		    (n->rr == 0 || (z->rrs[n->rr - 1].made && z->rrs[n->rr - 1].next == 0));
	rr->want = type;
	if ((n == NULL || bare) && route->kind == YG_DNS_ZONE_OVERLAY)
		return YG_DNS_LOCAL_NONE;
	if (n != NULL && has(z, n, type)) {
		rr->next = n->rr;
		return YG_DNS_LOCAL_DATA;
	}
	if (n != NULL && has(z, n, YG_DNS_CNAME)) {
		rr->next = n->rr;
		rr->want = YG_DNS_CNAME;
		return YG_DNS_LOCAL_CNAME;
	}
	rr->next = apex != NULL ? apex->rr : 0;
	rr->want = YG_DNS_SOA;
	return n != NULL ? YG_DNS_LOCAL_NODATA : YG_DNS_LOCAL_NXDOMAIN;
}

bool yg_dns_zones_next(const struct yg_dns_zones *z, struct yg_dns_local_rr *rr)
{
	while (rr->next != 0) {
		const struct stored *s = &z->rrs[rr->next - 1];
		rr->next = s->next;
		if (s->type != rr->want && rr->want != YG_DNS_ANY)
			continue;
		rr->type = s->type;
		rr->ttl = s->ttl;
		rr->rdata = (struct yg_sv){z->pool.p + s->at, s->n};
		return true;
	}
	return false;
}

/* ---- zones that never leave ---- */

static const char *const defaults[] = {
	/* RFC 6303, 6761, 7686, 8375, 9476 */
	"localhost",
	"invalid",
	"test",
	"onion",
	"alt",
	"home.arpa",
	"0.in-addr.arpa",
	"10.in-addr.arpa",
	"127.in-addr.arpa",
	"254.169.in-addr.arpa",
	"168.192.in-addr.arpa",
	"2.0.192.in-addr.arpa",
	"100.51.198.in-addr.arpa",
	"113.0.203.in-addr.arpa",
	"255.255.255.255.in-addr.arpa",
	"d.f.ip6.arpa",
	"8.e.f.ip6.arpa",
	"9.e.f.ip6.arpa",
	"a.e.f.ip6.arpa",
	"b.e.f.ip6.arpa",
	"8.b.d.0.1.0.0.2.ip6.arpa",
	"0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa",
	"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa"};

static yg_status add_default(struct yg_dns_zones *z, const char *text, struct yg_err *err)
{
	struct yg_dns_name name;
	if (yg_dns_name_parse(yg_sv_of(text), NULL, &name, err) != YG_OK)
		return YG_INVAL;
	const struct node *n = node_find(z, 0, yg_dns_name_from(&name, 0));
	return n != NULL && n->route != 0
		       ? YG_OK
		       : yg_dns_zones_add(z, 0, &name, YG_DNS_ZONE_LOCAL, 0, true, err);
}

yg_status yg_dns_zones_defaults(struct yg_dns_zones *z, struct yg_err *err)
{
	char text[40];
	yg_status st = YG_OK;
	for (size_t i = 0; i < YG_LEN(defaults) && st == YG_OK; i++)
		st = add_default(z, defaults[i], err);
	for (unsigned i = 16; i < 128 && st == YG_OK; i = i == 31 ? 64 : i + 1) {
		struct yg_sb b = yg_sb_init(text, sizeof text);
		yg_sb_printf(&b, i < 32 ? "%u.172.in-addr.arpa" : "%u.100.in-addr.arpa", i);
		st = add_default(z, yg_sb_cstr(&b), err);
	}
	if (st != YG_OK)
		return st;
	struct yg_dns_name host;
	if (yg_dns_name_parse(YG_SV("localhost"), NULL, &host, err) != YG_OK)
		return YG_INVAL;
	const struct node *n = node_find(z, 0, yg_dns_name_from(&host, 0));
	if (n == NULL || has(z, n, YG_DNS_A) || zone_of(z, 0, &host) == NULL)
		return YG_OK;
	st = yg_dns_zones_record(z, 0, &host, YG_DNS_A, 10800, YG_SV("\177\0\0\1"), err);
	return st != YG_OK ? st
			   : yg_dns_zones_record(z, 0, &host, YG_DNS_AAAA, 10800,
						 YG_SV("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"), err);
}
