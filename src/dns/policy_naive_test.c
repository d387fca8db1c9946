/* The look-up against the draft, read rule by rule: generated zones, organisations and
 * queries; every match is found by walking every record, and the best of them by the
 * precedence rules in the order in which section 5 lists them.  A failure prints the seed
 * and the least size at which it still fails; run with "SEED SIZE" to see that case. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dns/changes.h"
#include "dns/compile.h"
#include "dns/policy.h"
#include "dns/rpz.h"
#include "tap.h"

#define ZONES_MAX   6
#define RECORDS_MAX 60
#define STAGES_MAX  3
#define SERVERS_MAX 3
#define ORGS        5 /* the first is everyone */
#define STEPS_MAX   4 /* changes after the base */

static uint64_t state;
static uint32_t rnd(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state >> 16) % below);
}

static const struct {
	const char *rdata;
	enum yg_dns_action action;
} actions[] = {
	{"CNAME .", YG_DNS_ACTION_NXDOMAIN},
	{"CNAME *.", YG_DNS_ACTION_NODATA},
	{"CNAME rpz-passthru.", YG_DNS_ACTION_PASSTHRU},
	{"CNAME rpz-drop.", YG_DNS_ACTION_DROP},
	{"CNAME rpz-tcp-only.", YG_DNS_ACTION_TCP_ONLY},
	{"CNAME garden.example.", YG_DNS_ACTION_CNAME},
	{"CNAME *.garden.example.", YG_DNS_ACTION_CNAME},
	{"A 192.0.2.1", YG_DNS_ACTION_DATA},
};
struct record {
	enum yg_dns_trigger trigger;
	struct yg_dns_name name; /* with its "*" */
	struct yg_ip ip;
	unsigned bits, action;
};
struct zone {
	struct record r[RECORDS_MAX];
	size_t n;
	unsigned id; /* its name */
	enum yg_dns_override override;
	enum yg_dns_mode mode;
	enum yg_dns_layer layer;
	unsigned org; /* 0: everyone */
	unsigned kinds;
	struct yg_dns_changes *changes; /* since the base; NULL: it is not in it */
	size_t base_n;                  /* records it had there */
};
struct stage {
	struct yg_dns_name name, servers[SERVERS_MAX];
	struct yg_ip addresses[SERVERS_MAX], server_addresses[SERVERS_MAX];
	unsigned server_count, address_count, server_address_count;
};
struct world {
	struct zone z[ZONES_MAX];
	size_t zone_count;
	unsigned next_id;
	int org_mode[ORGS][YG_DNS_LAYER_COUNT]; /* -1: it says nothing */
	unsigned above[ORGS];                   /* in the tree; 0: nobody but everyone */
};
struct query {
	unsigned org;
	struct yg_ip client;
	struct stage s[STAGES_MAX];
	unsigned stages;
};
static const char *const orgs[ORGS] = {"", "one", "two", "three", "four"};

/* ---- making one ---- */

static void make_name(struct yg_dns_name *out, bool wild)
{
	static const char *const labels[] = {"a", "b", "c", "d"};
	char text[64];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	unsigned n = 1 + rnd(4);
	if (wild)
		yg_sb_put(&b, YG_SV("*."));
	for (unsigned i = wild ? 1 : 0; i < n; i++) {
		yg_sb_put(&b, yg_sv_of(labels[rnd(i + 1 == n ? 2 : 4)]));
		yg_sb_putc(&b, '.');
	}
	if (yg_dns_name_parse(yg_sb_sv(&b), NULL, out, NULL) != YG_OK)
		abort();
}

static struct yg_ip make_ip(void)
{
	struct yg_ip ip = {{0}};
	if (rnd(3) > 0) {
		ip.b[10] = ip.b[11] = 0xff;
		ip.b[12] = 10;
		ip.b[15] = (uint8_t)rnd(8);
		ip.b[14] = (uint8_t)rnd(2);
	} else {
		ip.b[0] = 0x20;
		ip.b[7] = (uint8_t)rnd(2);
		ip.b[15] = (uint8_t)rnd(4);
	}
	return ip;
}

static void mask(struct yg_ip *ip, unsigned bits)
{
	for (unsigned i = bits; i < 128; i++)
		ip->b[i / 8] &= (uint8_t) ~(0x80u >> (i & 7));
}

static bool same_owner(const struct record *a, const struct record *b)
{
	if (a->trigger != b->trigger)
		return false;
	if (a->trigger == YG_DNS_TRIGGER_QNAME || a->trigger == YG_DNS_TRIGGER_NSDNAME)
		return yg_dns_name_eq(&a->name, &b->name);
	return a->bits == b->bits && yg_ip_eq(a->ip, b->ip);
}

/* One more that is not there yet; false: this time none. */
static bool make_record(struct zone *z)
{
	struct record r = {.trigger = (enum yg_dns_trigger)(1 + (rnd(2) > 0 ? 1 : rnd(z->kinds))),
			   .action = rnd(YG_LEN(actions))};
	if (z->n == RECORDS_MAX)
		return false;
	if (r.trigger == YG_DNS_TRIGGER_QNAME || r.trigger == YG_DNS_TRIGGER_NSDNAME) {
		make_name(&r.name, rnd(3) == 0);
	} else {
		r.ip = make_ip();
		r.bits = yg_ip_is_v4(r.ip) ? 96 + 20 + rnd(13) : 1 + rnd(128);
		mask(&r.ip, r.bits);
		if (r.bits >= 96 && !yg_ip_is_v4(r.ip) && r.ip.b[12] == 10)
			return false;
	}
	for (size_t k = 0; k < z->n; k++)
		if (same_owner(&z->r[k], &r))
			return false;
	z->r[z->n++] = r;
	return true;
}

static void make_zone(struct zone *z, size_t records)
{
	static const enum yg_dns_layer layers[] = {
		YG_DNS_LAYER_ORG_ALLOW, YG_DNS_LAYER_CENTRE_ALLOW, YG_DNS_LAYER_ORG_BLOCK,
		YG_DNS_LAYER_CENTRE_ZONE, YG_DNS_LAYER_INDICATORS};
	z->n = 0;
	z->layer = layers[rnd(YG_LEN(layers))];
	bool of_org = z->layer == YG_DNS_LAYER_ORG_ALLOW || z->layer == YG_DNS_LAYER_ORG_BLOCK;
	z->org = of_org || rnd(4) == 0 ? 1 + rnd(ORGS - 1) : 0;
	z->override = rnd(3) > 0 ? YG_DNS_OVERRIDE_GIVEN
				 : (enum yg_dns_override)rnd(YG_DNS_OVERRIDE_COUNT);
	z->mode = rnd(4) > 0 ? YG_DNS_MODE_ENFORCE : (enum yg_dns_mode)rnd(YG_DNS_MODE_COUNT);
	z->kinds = 1 + rnd(5); /* some zones have one kind of trigger only */
	for (size_t i = 0; i < records; i++)
		(void)make_record(z);
}

static void make_world(struct world *w, size_t size)
{
	memset(w, 0, sizeof *w);
	w->zone_count = 1 + rnd(ZONES_MAX);
	for (size_t i = 0; i < w->zone_count; i++) {
		make_zone(&w->z[i], 1 + rnd((uint32_t)YG_MIN(size, RECORDS_MAX)));
		w->z[i].id = (unsigned)i;
	}
	w->next_id = ZONES_MAX;
	for (unsigned o = 0; o < ORGS; o++) {
		w->above[o] = o == 0 || rnd(3) == 0 ? 0 : rnd(o);
		for (unsigned l = 0; l < YG_DNS_LAYER_COUNT; l++)
			w->org_mode[o][l] = rnd(6) > 0 ? -1 : (int)rnd(YG_DNS_MODE_COUNT);
	}
}

static void make_query(struct query *q)
{
	q->org = rnd(ORGS);
	q->client = make_ip();
	q->stages = 1 + rnd(STAGES_MAX);
	for (unsigned i = 0; i < q->stages; i++) {
		struct stage *s = &q->s[i];
		make_name(&s->name, false);
		s->server_count = rnd(SERVERS_MAX + 1);
		s->address_count = rnd(SERVERS_MAX + 1);
		s->server_address_count = rnd(SERVERS_MAX + 1);
		for (unsigned k = 0; k < SERVERS_MAX; k++) {
			make_name(&s->servers[k], false);
			s->addresses[k] = make_ip();
			s->server_addresses[k] = make_ip();
		}
	}
}

/* ---- the draft, naively ---- */

struct match {
	const struct zone *z;
	size_t order; /* of the zone */
	const struct record *r;
	struct yg_dns_name server;
};

/* RFC 4592: does the name exist among the owners of a kind, itself or by one below it? */
static bool exists(const struct zone *z, enum yg_dns_trigger t, const struct yg_dns_name *name)
{
	for (size_t i = 0; i < z->n; i++)
		if (z->r[i].trigger == t && yg_dns_name_is_in(&z->r[i].name, name))
			return true;
	return name->labels == 0;
}

static const struct record *naive_name(const struct zone *z, enum yg_dns_trigger t,
				       const struct yg_dns_name *name)
{
	for (size_t i = 0; i < z->n; i++)
		if (z->r[i].trigger == t && yg_dns_name_eq(&z->r[i].name, name))
			return &z->r[i];
	for (unsigned up = 0; up <= name->labels; up++) {
		struct yg_dns_name above;
		yg_dns_name_above(name, up, &above);
		if (!exists(z, t, &above))
			continue;
		for (size_t i = 0; up > 0 && i < z->n; i++) { /* the closest encloser */
			struct yg_dns_name base;
			if (z->r[i].trigger != t || !yg_dns_name_is_wild(&z->r[i].name))
				continue;
			yg_dns_name_above(&z->r[i].name, 1, &base);
			if (yg_dns_name_eq(&base, &above))
				return &z->r[i];
		}
		return NULL;
	}
	return NULL;
}

static bool holds(const struct record *r, struct yg_ip ip)
{
	bool four = r->bits >= 96 && yg_ip_is_v4(r->ip);
	if (four != yg_ip_is_v4(ip))
		return false;
	mask(&ip, r->bits);
	return yg_ip_eq(ip, r->ip);
}

static struct yg_ip low(struct yg_ip ip)
{
	if (yg_ip_is_v4(ip))
		ip.b[10] = ip.b[11] = 0;
	return ip;
}

/* Section 5, rules 5.2 to 5.7 in their order: is a better than b? */
static bool better(const struct match *a, const struct match *b)
{
	if (a->order != b->order)
		return a->order < b->order;
	if (a->r->trigger == b->r->trigger && a->r->trigger == YG_DNS_TRIGGER_NSDNAME) {
		bool aw = yg_dns_name_is_wild(&a->r->name), bw = yg_dns_name_is_wild(&b->r->name);
		if (aw != bw)
			return bw;
		if (a->r->name.labels != b->r->name.labels && aw)
			return a->r->name.labels > b->r->name.labels;
		if (a->r->name.labels != b->r->name.labels)
			return a->r->name.labels > b->r->name.labels;
	}
	if (a->r->trigger != b->r->trigger)
		return a->r->trigger < b->r->trigger;
	if (a->r->trigger == YG_DNS_TRIGGER_NSDNAME)
		return yg_dns_name_cmp(&a->server, &b->server) > 0;
	if (a->r->trigger == YG_DNS_TRIGGER_QNAME)
		return false;
	if (a->r->bits != b->r->bits)
		return a->r->bits > b->r->bits;
	return memcmp(low(a->r->ip).b, low(b->r->ip).b, 16) < 0;
}

struct naive {
	struct match best;
	bool have;
	unsigned stage;
	uint32_t noted; /* zones that would have */
};

/* What the nearest in the tree says; everyone is the farthest. */
static enum yg_dns_mode mode_of(const struct world *w, const struct zone *z, unsigned org)
{
	while (org != 0 && w->org_mode[org][z->layer] < 0)
		org = w->above[org];
	int said = w->org_mode[org][z->layer];
	return said < 0 ? z->mode : YG_MAX(z->mode, (enum yg_dns_mode)said);
}

static bool sees(const struct world *w, unsigned org, unsigned owner)
{
	while (org != 0 && org != owner)
		org = w->above[org];
	return org == owner;
}

static void consider(struct naive *n, const struct world *w, const struct zone *z, unsigned org,
		     const struct match *m)
{
	enum yg_dns_mode mode = mode_of(w, z, org);
	if (mode == YG_DNS_MODE_OFF)
		return;
	if (mode == YG_DNS_MODE_AUDIT_ONLY || z->override == YG_DNS_OVERRIDE_DISABLED) {
		n->noted |= 1u << m->order;
	} else if (!n->have || better(m, &n->best)) {
		n->best = *m;
		n->have = true;
	}
}

static void consider_ips(struct naive *n, const struct world *w, struct match m, unsigned org,
			 enum yg_dns_trigger t, const struct yg_ip *ips, unsigned count)
{
	for (size_t i = 0; i < m.z->n; i++)
		for (unsigned k = 0; k < count; k++)
			if (m.z->r[i].trigger == t && holds(&m.z->r[i], ips[k])) {
				m.r = &m.z->r[i];
				consider(n, w, m.z, org, &m);
			}
}

static void naive_stage(const struct world *w, const struct query *q, unsigned at, struct naive *n)
{
	const struct stage *s = &q->s[at];
	size_t order = 0;
	for (unsigned layer = 0; layer < YG_DNS_LAYER_COUNT; layer++)
		for (size_t i = 0; i < w->zone_count; i++) {
			const struct zone *z = &w->z[i];
			if (z->layer != layer)
				continue;
			struct match m = {.z = z, .order = order++};
			if (!sees(w, q->org, z->org))
				continue;
			if (at == 0)
				consider_ips(n, w, m, q->org, YG_DNS_TRIGGER_CLIENT_IP, &q->client,
					     1);
			m.r = naive_name(z, YG_DNS_TRIGGER_QNAME, &s->name);
			if (m.r != NULL)
				consider(n, w, z, q->org, &m);
			consider_ips(n, w, m, q->org, YG_DNS_TRIGGER_RESPONSE_IP, s->addresses,
				     s->address_count);
			for (unsigned k = 0; k < s->server_count; k++) {
				m.server = s->servers[k];
				m.r = naive_name(z, YG_DNS_TRIGGER_NSDNAME, &m.server);
				if (m.r != NULL)
					consider(n, w, z, q->org, &m);
			}
			consider_ips(n, w, m, q->org, YG_DNS_TRIGGER_NSIP, s->server_addresses,
				     s->server_address_count);
		}
}

static struct naive naive_judge(const struct world *w, const struct query *q)
{
	struct naive n = {.have = false};
	for (unsigned i = 0; i < q->stages && !n.have; i++) {
		n.stage = i;
		naive_stage(w, q, i, &n);
	}
	return n;
}

/* ---- the real one ---- */

static void put_owner(struct yg_buf *text, const struct record *r)
{
	char line[1200];
	struct yg_sb b = yg_sb_init(line, sizeof line);
	if (r->trigger == YG_DNS_TRIGGER_QNAME || r->trigger == YG_DNS_TRIGGER_NSDNAME)
		yg_dns_name_format(&b, &r->name);
	else
		yg_rpz_prefix_format(&b, r->ip, r->bits);
	yg_buf_printf(text, "%s%s%s 60 IN %s\n", yg_sb_cstr(&b),
		      r->trigger == YG_DNS_TRIGGER_QNAME ? "" : ".", yg_rpz_suffix(r->trigger),
		      actions[r->action].rdata);
}

/* Records as the master file's reader gives them. */
struct rrs {
	struct {
		struct yg_dns_name owner;
		struct yg_zone_rr rr;
		char rdata[64];
	} rr[RECORDS_MAX + 1];
	size_t n, at, changed_at;
	const struct yg_dns_changes *changes;
};

static yg_status keep_rr(void *ctx, const struct yg_zone_rr *rr, struct yg_err *err)
{
	struct rrs *to = ctx;
	(void)err;
	if (to->n == YG_LEN(to->rr) || rr->rdata.n > sizeof to->rr[0].rdata)
		abort();
	to->rr[to->n].owner = *rr->owner;
	to->rr[to->n].rr = *rr;
	memcpy(to->rr[to->n].rdata, rr->rdata.p, rr->rdata.n);
	to->rr[to->n].rr.owner = &to->rr[to->n].owner;
	to->rr[to->n].rr.rdata.p = to->rr[to->n].rdata;
	to->n++;
	return YG_OK;
}

static bool next_rr(void *ctx, struct yg_dns_name *owner, struct yg_zone_rr *rr)
{
	struct rrs *from = ctx;
	if (from->at == from->n)
		return false;
	*owner = from->rr[from->at].owner;
	*rr = from->rr[from->at++].rr;
	rr->owner = owner;
	return true;
}

/* What the filter lets through. */
static bool next_changed(void *ctx, struct yg_dns_name *owner, struct yg_zone_rr *rr)
{
	struct rrs *from = ctx;
	unsigned labels = from->rr[0].owner.labels;
	for (;;) {
		if (from->changed_at == from->n)
			return false;
		*owner = from->rr[from->changed_at].owner;
		*rr = from->rr[from->changed_at++].rr;
		rr->owner = owner;
		if (yg_dns_changes_may(from->changes,
				       (struct yg_sv){(const char *)owner->b,
						      owner->at[owner->labels - labels]}))
			return true;
	}
}

static bool read_rrs(const struct zone *z, const struct record *r, size_t n, bool verbose,
		     struct rrs *out)
{
	struct yg_zone_opts opts = {.ctx = out, .record = keep_rr};
	struct yg_zone_reader *reader = NULL;
	struct yg_buf text;
	struct yg_err err = {.msg = ""};
	out->n = out->at = out->changed_at = 0;
	yg_buf_init(&text, 1 << 20);
	yg_buf_printf(&text, "$ORIGIN z%u.rpz.\n@ 60 SOA a. b. 1 2 3 4 5\n", z->id);
	for (size_t k = 0; k < n; k++)
		put_owner(&text, &r[k]);
	if (verbose)
		(void)printf("# layer %s org %s override %s mode %s\n%.*s",
			     yg_dns_layer_name(z->layer), orgs[z->org],
			     yg_dns_override_name(z->override), yg_dns_mode_name(z->mode),
			     (int)text.n, text.p);
	bool ok = yg_zone_reader_new(&opts, &reader, &err) == YG_OK &&
		  yg_zone_reader_feed(reader, yg_buf_sv(&text), &err) == YG_OK &&
		  yg_zone_reader_end(reader, &err) == YG_OK;
	if (!ok)
		(void)printf("# zone %u: %s\n", z->id, err.msg);
	yg_zone_reader_free(reader);
	yg_buf_free(&text);
	return ok;
}

static bool give_all(struct yg_dns_builder *b, uint32_t zone, struct rrs *from, struct yg_err *err)
{
	struct yg_dns_name owner;
	struct yg_zone_rr rr;
	bool ok = true;
	while (ok && next_rr(from, &owner, &rr))
		ok = yg_dns_builder_rr(b, zone, &rr, err) == YG_OK;
	return ok;
}

/* over: what is not changed is the base's. */
static bool add_zone(struct yg_dns_builder *b, const struct zone *z, bool over, bool verbose)
{
	static struct rrs from;
	struct yg_err err = {.msg = ""};
	uint32_t zone = 0;
	char name[16];
	struct yg_dns_name origin;
	(void)snprintf(name, sizeof name, "z%u", z->id);
	struct yg_dns_zone_spec spec = {.name = yg_sv_of(name),
					.org = yg_sv_of(orgs[z->org]),
					.layer = z->layer,
					.override = z->override,
					.mode = z->mode};
	spec.answer.sinkhole_count = 1;
	spec.answer.sinkhole[0] = (struct yg_ip){{[10] = 0xff, 0xff, 192, 0, 2, 9}};
	(void)yg_dns_name_parse(YG_SV("walled.example."), NULL, &spec.answer.target, NULL);
	bool ok = read_rrs(z, z->r, z->n, verbose, &from) &&
		  yg_dns_builder_zone(b, &spec, &zone, &err) == YG_OK;
	if (ok && over) {
		const struct yg_dns_zone_stats was = {.taken = z->base_n};
		const struct yg_dns_changes_source source = {&from, next_rr, next_changed};
		from.changes = z->changes;
		origin = from.rr[0].owner;
		ok = yg_dns_builder_continue(b, zone, &was, &err) == YG_OK &&
		     yg_dns_builder_rr(b, zone, &from.rr[0].rr, &err) == YG_OK &&
		     yg_dns_changes_apply(z->changes, b, zone, &origin, &source, &err) == YG_OK;
	} else if (ok) {
		ok = give_all(b, zone, &from, &err);
	}
	struct yg_dns_zone_stats s = yg_dns_builder_stats(b, zone);
	uint64_t rules = 0;
	for (unsigned t = 0; t < YG_DNS_TRIGGER_COUNT; t++)
		rules += s.rules[t];
	if (!ok || s.taken != z->n || rules != z->n || s.refused != 0) {
		(void)printf("# zone %u over %d: %s, %llu taken of %zu, %llu rules\n", z->id, over,
			     err.msg, (unsigned long long)s.taken, z->n, (unsigned long long)rules);
		ok = false;
	}
	return ok;
}

static bool add_orgs(struct yg_dns_builder *b, const struct world *w)
{
	bool ok = true;
	unsigned first = rnd(ORGS); /* numbers of scopes are no one's business */
	for (unsigned i = 0; ok && i < ORGS; i++) {
		unsigned o = (first + i) % ORGS;
		if (o > 0)
			ok = yg_dns_builder_org(b, yg_sv_of(orgs[o]), yg_sv_of(orgs[w->above[o]]),
						NULL) == YG_OK;
		for (unsigned l = 0; l < YG_DNS_LAYER_COUNT; l++)
			ok = ok && (w->org_mode[o][l] < 0 ||
				    yg_dns_builder_mode(b, yg_sv_of(orgs[o]), (enum yg_dns_layer)l,
							(enum yg_dns_mode)w->org_mode[o][l],
							NULL) == YG_OK);
	}
	return ok;
}

/* Whole, or over a base: then zones that have changes are continued, most of the time. */
static struct yg_dns_policy *compile(const struct world *w, struct yg_dns_policy *base,
				     bool verbose)
{
	static struct yg_env_sim sim = {.seed = 7};
	struct yg_env env = yg_env_sim(&sim);
	struct yg_dns_build_opts opts = {.env = &env, .base = base};
	struct yg_dns_builder *b = NULL;
	struct yg_dns_policy *p = NULL;
	struct yg_err err = {.msg = ""};
	int fd = memfd_create("policy", MFD_CLOEXEC);
	bool ok = yg_dns_builder_new(&opts, &b, &err) == YG_OK;
	bool orgs_first = rnd(2) == 0;
	if (ok && orgs_first)
		ok = add_orgs(b, w);
	for (size_t i = 0; ok && i < w->zone_count; i++)
		ok = add_zone(b, &w->z[i], base != NULL && w->z[i].changes != NULL && rnd(5) > 0,
			      verbose);
	if (ok && !orgs_first)
		ok = add_orgs(b, w);
	ok = ok && yg_dns_builder_finish(b, fd, base != NULL ? 2 : 1, NULL, &err) == YG_OK &&
	     yg_dns_policy_open_over(fd, 0, base, &p, &err) == YG_OK;
	if (ok && base != NULL) { /* without the base it is nothing */
		struct yg_dns_policy *alone = NULL;
		ok = yg_dns_policy_open_fd(fd, 0, &alone, NULL) == YG_CONFLICT &&
		     yg_dns_policy_base(p) == 1 && yg_dns_policy_whole(p) == base;
	}
	if (!ok)
		(void)printf("# not compiled: %s\n", err.msg);
	yg_dns_builder_free(b);
	(void)close(fd);
	return p;
}

/* ---- changes ---- */

static void note_change(struct zone *z, const struct record *r)
{
	static struct rrs one;
	if (z->changes != NULL &&
	    (!read_rrs(z, r, 1, false, &one) ||
	     yg_dns_changes_add(z->changes, &one.rr[1].owner, &one.rr[0].owner, NULL) != YG_OK))
		abort();
}

static void change_zone(struct zone *z)
{
	for (unsigned n = 1 + rnd(6); n > 0; n--) {
		if (rnd(2) == 0 && z->n > 0) {
			struct record *r = &z->r[rnd((uint32_t)z->n)], gone = *r;
			memmove(r, r + 1, (size_t)(&z->r[z->n] - (r + 1)) * sizeof *r);
			z->n--;
			note_change(z, &gone);
		} else if (make_record(z)) {
			note_change(z, &z->r[z->n - 1]);
		}
	}
	if (rnd(4) == 0)
		z->override = (enum yg_dns_override)rnd(YG_DNS_OVERRIDE_COUNT);
	if (rnd(4) == 0)
		z->mode = (enum yg_dns_mode)rnd(YG_DNS_MODE_COUNT);
}

static void change_world(struct world *w)
{
	if (rnd(4) == 0) { /* a zone goes */
		size_t i = rnd((uint32_t)w->zone_count);
		if (w->zone_count > 1) {
			yg_dns_changes_free(w->z[i].changes);
			w->zone_count--;
			memmove(&w->z[i], &w->z[i + 1], (w->zone_count - i) * sizeof w->z[0]);
		}
	}
	if (rnd(4) == 0 && w->zone_count < ZONES_MAX) { /* one comes, somewhere */
		size_t i = rnd((uint32_t)w->zone_count + 1);
		memmove(&w->z[i + 1], &w->z[i], (w->zone_count - i) * sizeof w->z[0]);
		w->zone_count++;
		w->z[i].changes = NULL;
		make_zone(&w->z[i], 1 + rnd(12));
		w->z[i].id = w->next_id++;
	}
	if (rnd(3) == 0)
		w->org_mode[rnd(ORGS)][rnd(YG_DNS_LAYER_COUNT)] = (int)rnd(YG_DNS_MODE_COUNT) - 1;
	for (size_t i = 0; i < w->zone_count; i++)
		if (rnd(3) > 0)
			change_zone(&w->z[i]);
}

static void learn(struct zone *z, struct yg_dns_changes *c)
{
	static struct rrs from;
	const struct yg_dns_changes_source source = {&from, next_rr, NULL};
	if (!read_rrs(z, z->r, z->n, false, &from) ||
	    yg_dns_changes_learn(c, &from.rr[0].owner, &source, NULL) != YG_OK)
		abort();
}

static void note_base(struct world *w, const struct yg_dns_policy *base)
{
	for (size_t i = 0; i < w->zone_count; i++) {
		struct zone *z = &w->z[i];
		z->base_n = z->n;
		if (yg_dns_changes_new(base, &z->changes, NULL) != YG_OK)
			abort();
		if (rnd(3) == 0)
			learn(z, z->changes);
	}
}

/* When something has changed already, by a set of its own. */
static void learn_later(struct world *w, const struct yg_dns_policy *base)
{
	for (size_t i = 0; i < w->zone_count; i++) {
		struct zone *z = &w->z[i];
		struct yg_dns_changes *c = NULL;
		if (z->changes == NULL || rnd(3) == 0)
			continue;
		if (yg_dns_changes_new(base, &c, NULL) != YG_OK)
			abort();
		learn(z, c);
		yg_dns_changes_take_learnt(z->changes, c);
		if (!yg_dns_changes_learnt(z->changes))
			abort();
		yg_dns_changes_free(c);
	}
}

/* Asks as a resolver does: what needs() says is not needed is not told. */
static void judge(const struct yg_dns_policy *p, const struct query *q, bool all,
		  struct yg_dns_eval *e)
{
	yg_dns_eval_begin(e, p, yg_dns_policy_view(p, yg_sv_of(orgs[q->org])), q->client);
	for (unsigned i = 0; i < q->stages; i++) {
		const struct stage *s = &q->s[i];
		struct yg_dns_probe probe;
		yg_dns_policy_hash(p, &s->name, &probe);
		(void)yg_dns_policy_touch(p, &probe);
		yg_dns_policy_fetch(p, &probe);
		yg_dns_eval_name(e, &s->name, all ? NULL : &probe);
		if (all || (yg_dns_eval_needs(e) & YG_DNS_NEEDS_SERVERS) != 0)
			for (unsigned k = 0; k < s->server_count; k++)
				yg_dns_eval_server(e, &s->servers[k]);
		if (all || (yg_dns_eval_needs(e) & YG_DNS_NEEDS_ADDRESSES) != 0)
			for (unsigned k = 0; k < s->address_count; k++)
				yg_dns_eval_address(e, s->addresses[k]);
		if (all || (yg_dns_eval_needs(e) & YG_DNS_NEEDS_SERVER_ADDRESSES) != 0)
			for (unsigned k = 0; k < s->server_address_count; k++)
				yg_dns_eval_server_address(e, s->server_addresses[k]);
		if (yg_dns_eval_stage_end(e))
			break;
	}
}

static enum yg_dns_action overridden(const struct match *m)
{
	switch (m->z->override) {
	case YG_DNS_OVERRIDE_NXDOMAIN: return YG_DNS_ACTION_NXDOMAIN;
	case YG_DNS_OVERRIDE_NODATA: return YG_DNS_ACTION_NODATA;
	case YG_DNS_OVERRIDE_PASSTHRU: return YG_DNS_ACTION_PASSTHRU;
	case YG_DNS_OVERRIDE_DROP: return YG_DNS_ACTION_DROP;
	case YG_DNS_OVERRIDE_TCP_ONLY: return YG_DNS_ACTION_TCP_ONLY;
	case YG_DNS_OVERRIDE_CNAME: return YG_DNS_ACTION_CNAME;
	case YG_DNS_OVERRIDE_SINKHOLE: return YG_DNS_ACTION_DATA;
	default: return actions[m->r->action].action;
	}
}

static void print_record(const struct record *r, char *out, size_t cap)
{
	struct yg_buf text;
	yg_buf_init(&text, 4096);
	put_owner(&text, r);
	(void)snprintf(out, cap, "%.*s", (int)strcspn(text.p, " "), text.p);
	yg_buf_free(&text);
}

static bool same(const struct naive *n, const struct yg_dns_eval *e, bool verbose, bool notes)
{
	struct yg_dns_verdict v;
	char want[1200] = "none", have[1200];
	struct yg_sb b = yg_sb_init(have, sizeof have);
	uint32_t noted = 0;
	yg_dns_eval_verdict(e, &v);
	yg_dns_eval_record(e, SIZE_MAX, &b);
	for (size_t i = 0; i < e->note_count; i++)
		noted |= 1u << e->notes[i].zone;
	bool ok = (v.action != YG_DNS_ACTION_NONE) == n->have && (!notes || noted == n->noted);
	if (n->have)
		print_record(n->best.r, want, sizeof want);
	if (ok && n->have)
		ok = v.hit.zone == n->best.order && v.trigger == n->best.r->trigger &&
		     v.hit.stage == n->stage && v.given == actions[n->best.r->action].action &&
		     v.action == overridden(&n->best) && strcmp(want, yg_sb_cstr(&b)) == 0;
	if (verbose)
		(void)printf("# want zone %zu %s stage %u noted %x; have %s zone %u %s stage %u "
			     "noted %x\n",
			     n->have ? n->best.order : 99, want, n->stage, n->noted,
			     yg_dns_action_name(v.action), v.hit.zone, yg_sb_cstr(&b), v.hit.stage,
			     noted);
	return ok;
}

static bool queries(const struct world *w, const struct yg_dns_policy *p, unsigned count,
		    bool verbose)
{
	static struct yg_dns_eval e;
	bool ok = p != NULL;
	for (unsigned i = 0; ok && i < count; i++) {
		struct query q;
		make_query(&q);
		struct naive n = naive_judge(w, &q);
		judge(p, &q, true, &e);
		ok = same(&n, &e, false, true);
		if (!ok && verbose) {
			char name[1200];
			struct yg_sb b = yg_sb_init(name, sizeof name);
			yg_dns_name_format(&b, &q.s[n.stage].name);
			(void)printf("# query %u org %s name %s\n", i, orgs[q.org], yg_sb_cstr(&b));
			(void)same(&n, &e, true, true);
		}
		judge(p, &q, false, &e); /* the same verdict without what is not needed */
		ok = ok && same(&n, &e, verbose && false, false);
		if (!ok && verbose)
			(void)same(&n, &e, true, false);
	}
	return ok;
}

static bool run(uint64_t seed, size_t size, bool verbose)
{
	static struct world w;
	state = seed * 0x9e3779b97f4a7c15ull | 1;
	for (int i = 0; i < 8; i++)
		(void)rnd(2);
	make_world(&w, size);
	struct yg_dns_policy *base = compile(&w, NULL, verbose);
	bool ok = queries(&w, base, 200, verbose);
	if (ok)
		note_base(&w, base);
	for (unsigned step = 0; ok && step < STEPS_MAX; step++) {
		change_world(&w);
		if (step > 0)
			learn_later(&w, base);
		if (verbose)
			(void)printf("# ---- change %u\n", step);
		struct yg_dns_policy *p = compile(&w, base, verbose);
		ok = queries(&w, p, 100, verbose);
		yg_dns_policy_close(p);
	}
	for (size_t i = 0; i < w.zone_count; i++) {
		yg_dns_changes_free(w.z[i].changes);
		w.z[i].changes = NULL;
	}
	yg_dns_policy_close(base);
	return ok;
}

int main(int argc, char **argv)
{
	uint64_t first = 1, rounds = 300;
	if (argc == 3) {
		T_OK(run(strtoull(argv[1], NULL, 10), strtoull(argv[2], NULL, 10), true));
		return tap_done();
	}
	const char *asked = getenv("YG_ROUNDS");
	if (asked != NULL)
		rounds = strtoull(asked, NULL, 10);
	bool ok = true;
	for (uint64_t seed = first; ok && seed < first + rounds; seed++) {
		ok = run(seed, 4 + seed % RECORDS_MAX, false);
		for (size_t size = 1; !ok && size <= RECORDS_MAX; size++)
			if (!run(seed, size, false)) {
				(void)printf("# fails with seed %llu, size %zu\n",
					     (unsigned long long)seed, size);
				(void)run(seed, size, true);
				break;
			}
	}
	T_NAMED(ok, "the verdict is the draft's, for generated zones, changes of them and queries");
	return tap_done();
}
