/* Our policy as a zone: of generated policies, what is exported of one over a base is what
 * is exported of the same compiled whole; the differences lead from one to the next; and
 * a transfer has all of it. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dns/changes.h"
#include "dns/compile.h"
#include "dns/xfr_out.h"
#include "tap.h"

#define ZONES 4
#define OWNED 40 /* records a zone may have */
#define STEPS 5
#define SINKHOLE_1                                                                                 \
	(struct yg_ip)                                                                             \
	{                                                                                          \
		{                                                                                  \
			0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 80                    \
		}                                                                                  \
	}
#define SINKHOLE_2                                                                                 \
	(struct yg_ip)                                                                             \
	{                                                                                          \
		{                                                                                  \
			0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80                  \
		}                                                                                  \
	}
#define ALL 4096

struct record {
	struct yg_dns_name owner;
	struct yg_zone_rr rr;
	bool there;
};
struct zone {
	struct record r[OWNED];
	size_t n;
	struct yg_dns_name origin;
	enum yg_dns_override override;
	enum yg_dns_mode mode;
	enum yg_dns_layer layer;
	const char *org;
	struct yg_dns_changes *changes; /* owned; NULL: not of the base */
	uint64_t base_n;
};
static struct zone zones[ZONES];
static struct yg_dns_name out_origin;
static unsigned answer_is; /* of refusals of category "c1" to organisation one: 0: none */
static uint64_t state;

static uint32_t rnd(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state >> 16) % below);
}

/* ---- policies ---- */

static void make_owner(const struct zone *z, struct yg_dns_name *out)
{
	char text[200], origin[64];
	struct yg_sb b = yg_sb_init(text, sizeof text), o = yg_sb_init(origin, sizeof origin);
	static const char *const labels[] = {"a", "b", "c"};
	yg_dns_name_format(&o, &z->origin);
	if (rnd(6) == 0) {
		yg_sb_printf(&b, "%u.0.0.0.10.rpz-%s", 24 + rnd(9),
			     rnd(2) == 0 ? "ip" : "client-ip");
	} else {
		yg_sb_put(&b, rnd(3) == 0 ? YG_SV("*.") : YG_SV(""));
		for (unsigned n = 1 + rnd(3); n > 0; n--) {
			yg_sb_put(&b, yg_sv_of(labels[rnd(3)]));
			yg_sb_putc(&b, '.');
		}
		yg_sb_put(&b, rnd(5) == 0 ? YG_SV("ns.rpz-nsdname") : YG_SV("x"));
	}
	yg_sb_putc(&b, '.');
	yg_sb_put(&b, yg_sb_sv(&o));
	if (yg_dns_name_parse(yg_sb_sv(&b), NULL, out, NULL) != YG_OK)
		abort();
}

static void make_zone(struct zone *z, unsigned number)
{
	static const struct {
		uint16_t type;
		struct yg_sv rdata;
	} data[] = {{YG_DNS_CNAME, YG_SV_INIT("\0")},
		    {YG_DNS_CNAME, YG_SV_INIT("\1*\0")},
		    {YG_DNS_CNAME, YG_SV_INIT("\14rpz-passthru\0")},
		    {YG_DNS_CNAME, YG_SV_INIT("\6garden\7example\0")},
		    {YG_DNS_CNAME, YG_SV_INIT("\1*\6garden\7example\0")},
		    {YG_DNS_A, YG_SV_INIT("\xc0\0\2\1")},
		    {YG_DNS_A, YG_SV_INIT("\xc0\0\2\2")}};
	char text[32];
	(void)snprintf(text, sizeof text, "z%u.example.", number);
	*z = (struct zone){.org = number == ZONES - 1 ? "one" : ""};
	if (yg_dns_name_parse(yg_sv_of(text), NULL, &z->origin, NULL) != YG_OK)
		abort();
	z->layer = number == ZONES - 1 ? YG_DNS_LAYER_ORG_BLOCK : YG_DNS_LAYER_CENTRE_ZONE;
	for (unsigned i = 0; i < OWNED; i++) {
		struct record *r = &z->r[z->n];
		bool twice = false;
		make_owner(z, &r->owner);
		for (size_t k = 0; k < z->n; k++)
			twice = twice || yg_dns_name_eq(&z->r[k].owner, &r->owner);
		if (twice)
			continue;
		size_t d = rnd(YG_LEN(data));
		r->rr = (struct yg_zone_rr){.owner = &r->owner,
					    .type = data[d].type,
					    .cls = YG_DNS_IN,
					    .ttl = 60 + rnd(2),
					    .rdata = data[d].rdata};
		r->there = rnd(2) == 0;
		z->n++;
	}
}

struct walk {
	const struct zone *z;
	size_t at[2];
};
static bool step(struct walk *w, size_t which, struct yg_dns_name *owner, struct yg_zone_rr *rr)
{
	while (w->at[which] < w->z->n) {
		const struct record *r = &w->z->r[w->at[which]++];
		if (!r->there)
			continue;
		*owner = r->owner;
		*rr = r->rr;
		rr->owner = owner;
		return true;
	}
	return false;
}
static bool next_rr(void *ctx, struct yg_dns_name *owner, struct yg_zone_rr *rr)
{
	return step(ctx, 0, owner, rr);
}
static bool next_changed(void *ctx, struct yg_dns_name *owner, struct yg_zone_rr *rr)
{
	return step(ctx, 1, owner, rr);
}

static bool add_zone(struct yg_dns_builder *b, struct zone *z, unsigned number, bool continues)
{
	static const char soa[] = "\2ns\0\1r\0\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1";
	char name[8];
	uint32_t at;
	struct yg_dns_name owner;
	struct yg_zone_rr rr = {.owner = &z->origin,
				.type = YG_DNS_SOA,
				.cls = YG_DNS_IN,
				.rdata = {soa, sizeof soa - 1}};
	struct walk w = {.z = z};
	const struct yg_dns_changes_source from = {&w, next_rr, next_changed};
	const struct yg_dns_zone_stats was = {.taken = z->base_n};
	(void)snprintf(name, sizeof name, "z%u", number);
	struct yg_dns_zone_spec spec = {.name = yg_sv_of(name),
					.org = yg_sv_of(z->org),
					.category = number % 2 != 0 ? YG_SV("c1") : YG_SV(""),
					.origin = &z->origin,
					.layer = z->layer,
					.override = z->override,
					.mode = z->mode};
	bool ok = yg_dns_builder_zone(b, &spec, &at, NULL) == YG_OK;
	if (ok && continues)
		ok = yg_dns_builder_continue(b, at, &was, NULL) == YG_OK;
	ok = ok && yg_dns_builder_rr(b, at, &rr, NULL) == YG_OK;
	if (ok && continues)
		return yg_dns_changes_apply(z->changes, b, at, &z->origin, &from, NULL) == YG_OK;
	while (ok && next_rr(&w, &owner, &rr))
		ok = yg_dns_builder_rr(b, at, &rr, NULL) == YG_OK;
	return ok;
}

static bool add_answer(struct yg_dns_builder *b)
{
	struct yg_dns_answer_spec spec = {.ttl = 30};
	bool garden = answer_is == 3;
	if (answer_is == 0)
		return true;
	spec.sinkhole_count = 1;
	spec.sinkhole[0] = answer_is == 1 ? SINKHOLE_1 : SINKHOLE_2;
	return yg_dns_name_parse(YG_SV("wall.example."), NULL, &spec.target, NULL) == YG_OK &&
	       yg_dns_builder_answer(b, YG_SV("one"), YG_SV("c1"),
				     garden ? YG_DNS_ACTION_CNAME : YG_DNS_ACTION_DATA, &spec,
				     NULL) == YG_OK;
}

static struct yg_dns_policy *compile(struct yg_dns_policy *base, uint64_t seed,
				     const unsigned order[ZONES])
{
	struct yg_env_sim sim = {.seed = seed};
	struct yg_env env = yg_env_sim(&sim);
	const struct yg_dns_build_opts opts = {.env = &env, .base = base};
	struct yg_dns_builder *b = NULL;
	struct yg_dns_policy *p = NULL;
	int fd = memfd_create("policy", MFD_CLOEXEC);
	bool ok = yg_dns_builder_new(&opts, &b, NULL) == YG_OK &&
		  yg_dns_builder_org(b, YG_SV("one"), YG_SV(""), NULL) == YG_OK;
	for (unsigned i = 0; ok && i < ZONES; i++) {
		struct zone *z = &zones[order[i]];
		ok = add_zone(b, z, order[i], base != NULL && z->changes != NULL && rnd(4) > 0);
	}
	ok = ok && add_answer(b) &&
	     yg_dns_builder_finish(b, fd, base != NULL ? 2 : 1, NULL, NULL) == YG_OK &&
	     yg_dns_policy_open_over(fd, 0, base, &p, NULL) == YG_OK;
	yg_dns_builder_free(b);
	(void)close(fd);
	if (!ok)
		abort();
	return p;
}

static void change(unsigned order[ZONES])
{
	for (unsigned i = 0; i < ZONES; i++) {
		struct zone *z = &zones[i];
		for (unsigned n = rnd(5); n > 0 && z->n > 0; n--) {
			struct record *r = &z->r[rnd((uint32_t)z->n)];
			r->there = !r->there;
			if (z->changes != NULL &&
			    yg_dns_changes_add(z->changes, &r->owner, &z->origin, NULL) != YG_OK)
				abort();
		}
		if (rnd(5) == 0)
			z->override =
				rnd(2) == 0
					? YG_DNS_OVERRIDE_GIVEN
					: (enum yg_dns_override)rnd(YG_DNS_OVERRIDE_TCP_ONLY + 1);
		if (rnd(5) == 0)
			z->mode = rnd(2) == 0 ? YG_DNS_MODE_ENFORCE
					      : (enum yg_dns_mode)rnd(YG_DNS_MODE_COUNT);
	}
	if (rnd(3) == 0)
		answer_is = rnd(4);
	if (rnd(4) == 0) {
		unsigned i = rnd(ZONES), k = rnd(ZONES), was = order[i];
		order[i] = order[k];
		order[k] = was;
	}
}

/* ---- what is exported ---- */

struct dump {
	struct yg_buf b; /* owned */
	struct yg_sv one[ALL];
	size_t n;
};

static int by_bytes(const void *x, const void *y)
{
	return yg_sv_cmp(*(const struct yg_sv *)x, *(const struct yg_sv *)y);
}

static void split(struct dump *d)
{
	struct yg_sv rest = yg_buf_sv(&d->b);
	struct yg_dns_name owner;
	struct yg_zone_rr rr;
	uint8_t mark;
	d->n = 0;
	for (struct yg_sv was = rest;
	     d->n < ALL && yg_dns_record_unpack(&rest, &out_origin, &mark, &owner, &rr); was = rest)
		d->one[d->n++] = yg_sv_sub(was, 0, was.n - rest.n);
}

static void dump(const struct yg_dns_export *x, struct dump *d)
{
	struct yg_dns_export_at at = {.part = 0};
	yg_buf_free(&d->b);
	yg_buf_init(&d->b, 1 << 20);
	while (yg_dns_export_next(x, &at, &d->b, NULL))
		;
	split(d);
	qsort(d->one, d->n, sizeof d->one[0], by_bytes);
}

static bool same(const struct dump *a, const struct dump *b)
{
	bool ok = a->n == b->n;
	for (size_t i = 0; ok && i < a->n; i++)
		ok = yg_sv_eq(a->one[i], b->one[i]) &&
		     (i == 0 || !yg_sv_eq(a->one[i], a->one[i - 1]));
	return ok;
}

/* Takes `gone` away from d: false when it is not there. */
static bool take_away(struct dump *d, struct yg_sv gone)
{
	for (size_t i = 0; i < d->n; i++)
		if (yg_sv_eq(d->one[i], gone)) {
			d->one[i] = d->one[--d->n];
			return true;
		}
	return false;
}

/* What the differences make of `a` is `b`. */
static bool leads(const struct yg_dns_export *from, const struct yg_dns_export *to)
{
	static struct dump a, b, diff;
	struct yg_dns_export_changes n;
	unsigned soas = 0;
	uint64_t gone = 0, come = 0;
	dump(from, &a);
	dump(to, &b);
	yg_buf_free(&diff.b);
	yg_buf_init(&diff.b, 1 << 20);
	bool ok = yg_dns_export_diff(from, to, &diff.b, &n, NULL) == YG_OK && !diff.b.bad;
	split(&diff);
	for (size_t i = 0; ok && i < diff.n; i++) {
		bool goes = diff.one[i].p[1] == 1, soa = (uint8_t)diff.one[i].p[4] == YG_DNS_SOA;
		soas += soa;
		ok = goes == (soas == 1); /* first what goes, then what comes */
		((char *)(uintptr_t)diff.one[i].p)[1] = 0;
		if (ok && !soa && goes)
			ok = take_away(&a, diff.one[i]);
		else if (ok && !soa)
			a.one[a.n++] = diff.one[i];
		gone += goes && !soa;
		come += !goes && !soa;
	}
	qsort(a.one, a.n, sizeof a.one[0], by_bytes);
	return ok && soas == 2 && gone == n.gone && come == n.come && same(&a, &b);
}

/* Message by message: so many records as there are, the SOA twice. */
static bool transfers(const struct yg_dns_export *x)
{
	struct yg_dns_export_stats s;
	struct yg_dns_xfr_out o = {.phase = 0};
	uint64_t records = 0;
	uint8_t p[700];
	if (yg_dns_export_count(x, &s, NULL) != YG_OK)
		return false;
	yg_dns_xfr_out_begin(&o, x, YG_DNS_XFR_OUT_FULL, (struct yg_sv){"", 0});
	for (size_t n; (n = yg_dns_xfr_out_next(&o, 7, YG_DNS_AXFR, p, sizeof p)) > 0;)
		records += yg_dns_get16(p + 6);
	yg_dns_xfr_out_end(&o);
	return records == s.records + 2;
}

static struct yg_dns_export of(const struct yg_dns_policy *p, const char *org, uint32_t serial)
{
	return (struct yg_dns_export){.policy = p,
				      .origin = &out_origin,
				      .view = yg_dns_policy_view(p, yg_sv_of(org)),
				      .serial = serial};
}

static bool check_step(const struct yg_dns_policy *before, const struct yg_dns_policy *now,
		       const struct yg_dns_policy *whole)
{
	static const char *const orgs[] = {"", "one"};
	bool ok = true;
	for (size_t i = 0; ok && i < YG_LEN(orgs); i++) {
		static struct dump a, b;
		struct yg_dns_export was = of(before, orgs[i], 4), is = of(now, orgs[i], 5),
				     other = of(whole, orgs[i], 6);
		dump(&is, &a);
		dump(&other, &b);
		ok = same(&a, &b) && leads(&was, &is) && leads(&was, &other) && leads(&is, &was) &&
		     leads(&other, &is) && transfers(&is);
	}
	return ok;
}

static bool run(uint64_t seed)
{
	unsigned order[ZONES];
	bool ok = true;
	state = seed * 0x9e3779b97f4a7c15ull | 1;
	for (unsigned i = 0; i < ZONES; i++) {
		order[i] = i;
		make_zone(&zones[i], i);
	}
	struct yg_dns_policy *base = compile(NULL, seed, order), *before = yg_dns_policy_ref(base);
	for (unsigned i = 0; i < ZONES; i++) {
		for (size_t k = 0; k < zones[i].n; k++)
			zones[i].base_n += zones[i].r[k].there;
		if (yg_dns_changes_new(base, &zones[i].changes, NULL) != YG_OK)
			abort();
	}
	for (unsigned s = 0; ok && s < STEPS; s++) {
		change(order);
		struct yg_dns_policy *now = compile(base, seed, order),
				     *whole = compile(NULL, seed + 1, order);
		ok = check_step(before, now, whole);
		yg_dns_policy_close(whole);
		yg_dns_policy_close(before);
		before = now;
	}
	for (unsigned i = 0; i < ZONES; i++)
		yg_dns_changes_free(zones[i].changes);
	yg_dns_policy_close(before);
	yg_dns_policy_close(base);
	if (!ok)
		(void)printf("# fails with seed %llu\n", (unsigned long long)seed);
	return ok;
}

/* What an organisation asks to have said instead of a refusal is in its zone, and not in that
 * of another; a refusal of another category stays one. */
static const char *said(const struct yg_dns_policy *p, const char *org, const char *name)
{
	static char text[200];
	static struct dump d;
	struct yg_sb b = yg_sb_init(text, sizeof text);
	struct yg_dns_export x = of(p, org, 1);
	struct yg_dns_name owner, want;
	struct yg_zone_rr rr;
	uint8_t mark;
	if (yg_dns_name_parse(yg_sv_of(name), NULL, &want, NULL) != YG_OK)
		abort();
	dump(&x, &d);
	for (size_t i = 0; i < d.n; i++) {
		struct yg_sv one = d.one[i];
		if (!yg_dns_record_unpack(&one, &out_origin, &mark, &owner, &rr) ||
		    !yg_dns_name_eq(&owner, &want))
			continue;
		yg_sb_printf(&b, "%s%u ", b.n > 0 ? ", " : "", rr.ttl);
		yg_dns_type_format(&b, rr.type);
		for (size_t k = 0; k < rr.rdata.n; k++)
			yg_sb_printf(&b, "%s%02x", k == 0 ? " " : "", (uint8_t)rr.rdata.p[k]);
	}
	return yg_sb_cstr(&b);
}

static void make_refusal(struct zone *z, unsigned number, const char *owner)
{
	state = 1;
	make_zone(z, number);
	z->n = 1;
	z->r[0].there = true;
	z->r[0].rr = (struct yg_zone_rr){.owner = &z->r[0].owner,
					 .type = YG_DNS_CNAME,
					 .cls = YG_DNS_IN,
					 .ttl = 60,
					 .rdata = {"", 1}};
	if (yg_dns_name_parse(yg_sv_of(owner), NULL, &z->r[0].owner, NULL) != YG_OK)
		abort();
}

static void test_answers(void)
{
	static const unsigned order[ZONES] = {0, 1, 2, 3};
	static const struct {
		unsigned is;
		const char *one, *all;
	} rows[] = {{0, "60 CNAME 00", "60 CNAME 00"},
		    {1, "30 A c0000250", "60 CNAME 00"},
		    {2, "30 AAAA 20010db8000000000000000000000080", "60 CNAME 00"},
		    {3, "30 CNAME 0477616c6c076578616d706c6500", "60 CNAME 00"}};
	for (unsigned i = 0; i < ZONES; i++) {
		zones[i] = (struct zone){.org = ""};
		make_zone(&zones[i], i);
		zones[i].n = 0;
	}
	make_refusal(&zones[0], 0, "plain.z0.example.");
	make_refusal(&zones[1], 1, "bad.z1.example.");
	for (size_t i = 0; i < YG_LEN(rows); i++) {
		answer_is = rows[i].is;
		struct yg_dns_policy *p = compile(NULL, 1, order);
		T_OK(strcmp(said(p, "one", "bad.rpz.ours.example."), rows[i].one) == 0);
		T_OK(strcmp(said(p, "", "bad.rpz.ours.example."), rows[i].all) == 0);
		T_OK(strcmp(said(p, "one", "plain.rpz.ours.example."), "60 CNAME 00") == 0);
		yg_dns_policy_close(p);
	}
	answer_is = 0;
}

int main(void)
{
	bool ok = yg_dns_name_parse(YG_SV("rpz.ours.example."), NULL, &out_origin, NULL) == YG_OK;
	test_answers();
	for (uint64_t seed = 1; ok && seed <= 200; seed++)
		ok = run(seed);
	T_NAMED(ok,
		"a zone of ours is that of the policy compiled whole, and so are its differences");
	return tap_done();
}
