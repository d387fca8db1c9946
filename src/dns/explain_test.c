/* What `dns explain` says against what the resolver does: generated zones, policies, answers of
 * upstreams and queries.  Before each query it is asked what would be answered; then the query is.
 * Where it claims to know, the two must agree: in verdict, layer, zone, trigger and record, and,
 * when the answer was at hand, in where it came from.  It must change nothing, and once all is in
 * the cache it must know.  A failure prints the seed: run with it to see that world alone. */
#include "dns/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/env.h"
#include "dns/compile.h"
#include "dns/core.h"
#include "format/zone_file.h"
#include "tap.h"

#define WORLDS    400u
#define QUERIES   60u
#define ASKED_MAX 256u
#define TURNS_MAX 200u
#define TTL       300u

static uint64_t state, truth_seed;
static unsigned current; /* seed of the world */
static uint32_t rnd(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state >> 16) % below);
}

static struct {
	struct yg_dns_core *core;
	struct yg_dns_zones *zones;
	struct yg_dns_policy *policy;
	void *cache;
	yg_mono now;
	struct {
		uint64_t token;
		struct yg_dns_name name;
		uint16_t type;
	} asked[ASKED_MAX];
	size_t asked_n, answered_n;
	bool lost; /* more was asked than there is room for */
} world;
static struct { /* what happened to the query at hand */
	bool ended, refused;
	uint8_t source;
	char says[600];
} got;
static struct {
	unsigned at_hand, waited, unknown, by_word[6];
} seen;

static struct yg_dns_name name_of(const char *text)
{
	struct yg_dns_name n;
	if (yg_dns_name_parse(yg_sv_of(text), NULL, &n, NULL) != YG_OK)
		abort();
	return n;
}

static void put_name(struct yg_sb *b, uint64_t h, unsigned labels)
{
	static const char words[] = "abcd";
	for (unsigned i = 0; i < labels; i++, h >>= 3) {
		yg_sb_putc(b, words[h % (i + 1 == labels ? 2 : 4)]);
		yg_sb_putc(b, '.');
	}
}

static struct yg_dns_name some_name(uint64_t h)
{
	char text[32];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	put_name(&b, h >> 4, 2 + (unsigned)(h % 3));
	return name_of(yg_sb_cstr(&b));
}

/* ---- the policy ---- */

static struct yg_dns_builder *builder;
static uint32_t builder_zone;

static yg_status take_rr(void *ctx, const struct yg_zone_rr *rr, struct yg_err *err)
{
	(void)ctx;
	return yg_dns_builder_rr(builder, builder_zone, rr, err);
}

static void put_trigger(struct yg_sb *b)
{
	switch (rnd(6)) {
	case 0: yg_sb_printf(b, "32.%u.2.0.192.rpz-ip ", rnd(8)); return;
	case 1: yg_sb_printf(b, "32.%u.100.51.198.rpz-nsip ", rnd(3)); return;
	case 2:
		if (rnd(3) == 0) {
			yg_sb_printf(b, "32.%u.113.0.203.rpz-client-ip ", rnd(4));
			return;
		}
		put_name(b, rnd(1u << 16), 2);
		yg_sb_put(b, YG_SV("rpz-nsdname "));
		return;
	default:
		if (rnd(3) == 0)
			yg_sb_put(b, YG_SV("*."));
		put_name(b, rnd(1u << 16), 1 + rnd(3));
		b->n--; /* relative to the zone */
		yg_sb_putc(b, ' ');
	}
}

static void make_zone(unsigned number)
{
	static const char *const actions[] = {"CNAME .",
					      "CNAME *.",
					      "CNAME rpz-passthru.",
					      "CNAME rpz-drop.",
					      "CNAME rpz-tcp-only.",
					      "CNAME garden.example.",
					      "A 203.0.113.80",
					      "CNAME *.garden.example."};
	static const enum yg_dns_layer layers[] = {
		YG_DNS_LAYER_CENTRE_ZONE, YG_DNS_LAYER_CENTRE_ZONE, YG_DNS_LAYER_INDICATORS};
	char text[256], name[16];
	struct yg_dns_name origin;
	struct yg_zone_reader *z = NULL;
	struct yg_err err = {.msg = ""};
	(void)snprintf(name, sizeof name, "zone%u", number);
	(void)snprintf(text, sizeof text, "zone%u.policy.", number);
	origin = name_of(text);
	const struct yg_dns_zone_spec spec = {
		.name = yg_sv_of(name),
		.origin = &origin,
		.layer = layers[rnd(YG_LEN(layers))],
		.mode = rnd(5) == 0 ? YG_DNS_MODE_AUDIT_ONLY : YG_DNS_MODE_ENFORCE,
		.override = rnd(5) == 0 ? YG_DNS_OVERRIDE_DISABLED : YG_DNS_OVERRIDE_GIVEN};
	const struct yg_zone_opts o = {.origin = &origin, .record = take_rr, .ttl = 60};
	if (yg_dns_builder_zone(builder, &spec, &builder_zone, &err) != YG_OK ||
	    yg_zone_reader_new(&o, &z, &err) != YG_OK)
		abort();
	for (unsigned i = 1 + rnd(6); i > 0; i--) {
		struct yg_sb b = yg_sb_init(text, sizeof text);
		put_trigger(&b);
		yg_sb_printf(&b, "%s\n", actions[rnd(YG_LEN(actions))]);
		if (yg_zone_reader_feed(z, yg_sb_sv(&b), &err) != YG_OK) {
			(void)printf("# %s: %s", err.msg, yg_sb_cstr(&b));
			abort();
		}
	}
	if (yg_zone_reader_end(z, &err) != YG_OK)
		abort();
	yg_zone_reader_free(z);
}

static void random_bytes(void *ctx, void *out, size_t n)
{
	(void)ctx;
	memset(out, 7, n);
}
static yg_wall wall(void *ctx)
{
	(void)ctx;
	return (yg_wall){1800000000000000};
}

static void make_policy(void)
{
	static const struct yg_env env = {.random = random_bytes, .wall = wall};
	const struct yg_dns_build_opts o = {.env = &env};
	int fd = memfd_create("policy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || yg_dns_builder_new(&o, &builder, NULL) != YG_OK)
		abort();
	for (unsigned i = 0, n = 1 + rnd(4); i < n; i++)
		make_zone(i);
	if (yg_dns_builder_finish(builder, fd, 1, NULL, NULL) != YG_OK ||
	    yg_dns_policy_open_fd(fd, 0, &world.policy, NULL) != YG_OK)
		abort();
	yg_dns_builder_free(builder);
	(void)close(fd);
}

/* ---- what upstreams know ---- */

static uint64_t hash_of(const struct yg_dns_name *n, uint64_t salt)
{
	uint64_t h = truth_seed ^ salt * 0x9e3779b97f4a7c15ull;
	for (unsigned i = 0; i < n->n; i++)
		h = (h ^ n->b[i]) * 0x100000001b3ull;
	return h ^ h >> 29;
}

static struct yg_dns_wr w;

static void put_soa(const struct yg_dns_name *name)
{
	static const uint8_t rdata[22] = {[21] = 250};
	struct yg_dns_name apex = *name;
	if (name->labels > 2)
		yg_dns_name_above(name, name->labels - 2u, &apex);
	(void)yg_dns_wr_rr(&w, YG_DNS_AUTHORITY, &apex, YG_DNS_SOA, YG_DNS_IN, TTL,
			   (struct yg_sv){(const char *)rdata, sizeof rdata});
}

static void put_rr(const struct yg_dns_name *name, uint16_t type, struct yg_sv rdata)
{
	(void)yg_dns_wr_rr(&w, YG_DNS_ANSWER, name, type, YG_DNS_IN, TTL, rdata);
}

static void put_servers(const struct yg_dns_name *name, uint64_t h)
{
	for (unsigned i = 0; i < 1 + h % 2; i++) {
		struct yg_dns_name server = some_name((h >> 8) + i * 77u);
		put_rr(name, YG_DNS_NS, yg_dns_name_from(&server, 0));
	}
}

static void put_addresses(const struct yg_dns_name *name, uint64_t h)
{
	for (unsigned i = 0; i < 1 + h % 2; i++) {
		uint8_t a[4] = {192, 0, 2, (uint8_t)((h >> 8) + i) % 8};
		if ((h >> 16) % 6 == 0)
			memcpy(a, (uint8_t[]){10, 0, 0, 1}, 4); /* rebinding */
		else if ((h >> 16) % 3 == 0)
			memcpy(a, (uint8_t[]){198, 51, 100, (uint8_t)(h >> 24) % 3}, 4);
		put_rr(name, YG_DNS_A, (struct yg_sv){(const char *)a, 4});
	}
}

/* The answer into out; false: nobody answers. */
static bool truth(const struct yg_dns_name *name, uint16_t type, uint8_t *out, size_t cap)
{
	uint64_t h = hash_of(name, 1), of_type = hash_of(name, type);
	unsigned kind = (unsigned)((h >> 20) % 12);
	if (kind == 0 && of_type % 2 == 0)
		return false;
	yg_dns_wr_begin(&w, out, cap, 1,
			(uint16_t)(YG_DNS_QR | YG_DNS_RD | YG_DNS_RA |
				   (kind == 1 ? YG_DNS_RCODE_NXDOMAIN : 0)));
	yg_dns_wr_question(&w, name, type, YG_DNS_IN);
	bool negative = kind == 1 || kind == 11;
	if (!negative && kind < 6 && type != YG_DNS_NS) {
		struct yg_dns_name to = some_name(h >> 24);
		put_rr(name, YG_DNS_CNAME, yg_dns_name_from(&to, 0));
		if (h % 3 != 0 && type == YG_DNS_A) /* some tell the end of it, too */
			put_addresses(&to, hash_of(&to, type));
	} else if (kind != 1 && type == YG_DNS_NS && name->labels == 2) {
		put_servers(name, of_type);
	} else if (!negative && type == YG_DNS_A) {
		put_addresses(name, of_type);
	} else {
		put_soa(name);
	}
	return true;
}

static void answer_all(void)
{
	static uint8_t msg[4096];
	for (unsigned i = 0; i < TURNS_MAX && world.answered_n < world.asked_n; i++) {
		size_t k = world.answered_n++;
		struct yg_dns_name name = world.asked[k].name;
		if (truth(&name, world.asked[k].type, msg, sizeof msg))
			(void)yg_dns_core_answer(world.core, world.asked[k].token, msg, w.n,
						 YG_DNS_INSECURE, YG_DNS_EDE_NONE, world.now);
		else
			(void)yg_dns_core_failed(world.core, world.asked[k].token,
						 YG_DNS_EDE_NO_AUTHORITY, world.now);
	}
	if (world.answered_n == world.asked_n)
		world.answered_n = world.asked_n = 0;
}

/* ---- the core's way out ---- */

static void on_reply(void *ctx, const struct yg_dns_peer *peer, uint8_t transport,
		     const uint8_t *msg, size_t n)
{
	(void)ctx;
	(void)peer;
	(void)transport;
	(void)msg;
	(void)n;
}

static void on_ask(void *ctx, const struct yg_dns_question *q)
{
	(void)ctx;
	if (world.asked_n == ASKED_MAX) {
		world.lost = true;
		return;
	}
	world.asked[world.asked_n].token = q->token;
	world.asked[world.asked_n].name = *q->name;
	world.asked[world.asked_n++].type = q->type;
}

/* "blocked zone1/centre-zone qname RECORD" */
static void put_says(struct yg_sb *b, enum yg_dns_verdict_word word, const struct yg_dns_verdict *v,
		     const struct yg_dns_eval *eval)
{
	yg_sb_put(b, yg_sv_of(yg_dns_verdict_word(word)));
	if (v == NULL)
		return;
	yg_sb_printf(b, " " YG_SV_FMT "/%s %s %s ", YG_SV_ARG(v->zone.name),
		     yg_dns_layer_name(v->zone.layer), yg_dns_trigger_name(v->trigger),
		     yg_dns_action_name(v->action));
	yg_dns_eval_record(eval, SIZE_MAX, b);
}

static bool is_rewritten(const struct yg_dns_event *ev)
{
	return ev->action != YG_DNS_ACTION_NONE && ev->action != YG_DNS_ACTION_PASSTHRU &&
	       !ev->client->audit;
}

static enum yg_dns_verdict_word word_of(const struct yg_dns_event *ev)
{
	bool decided = ev->action != YG_DNS_ACTION_NONE;
	if (is_rewritten(ev))
		return YG_DNS_SAYS_BLOCKED; /* also when its CNAME leads nowhere, or to where the guard is */
	if (ev->source == YG_DNS_FROM_GUARD)
		return YG_DNS_SAYS_BLOCKED;
	if (ev->source == YG_DNS_FROM_FAILURE)
		return YG_DNS_SAYS_FAILED;
	if (ev->source == YG_DNS_FROM_NONE || ev->rcode == YG_DNS_RCODE_REFUSED)
		return YG_DNS_SAYS_REFUSED;
	if (decided)
		return ev->action == YG_DNS_ACTION_PASSTHRU ? YG_DNS_SAYS_ALLOWED
							    : YG_DNS_SAYS_NOTED;
	return ev->eval != NULL && ev->eval->note_count > 0 ? YG_DNS_SAYS_NOTED
							    : YG_DNS_SAYS_ANSWERED;
}

static bool names_record(enum yg_dns_verdict_word word)
{
	return word == YG_DNS_SAYS_BLOCKED || word == YG_DNS_SAYS_ALLOWED;
}

static void on_event(void *ctx, const struct yg_dns_event *ev)
{
	struct yg_sb b = yg_sb_init(got.says, sizeof got.says);
	enum yg_dns_verdict_word word = word_of(ev);
	(void)ctx;
	got.ended = true;
	got.source = ev->source;
	got.refused = word == YG_DNS_SAYS_REFUSED;
	bool record = word == YG_DNS_SAYS_ALLOWED || is_rewritten(ev);
	put_says(&b, word, record ? ev->verdict : NULL, ev->eval);
	(void)yg_sb_cstr(&b);
}

/* ---- a query ---- */

struct asking {
	struct yg_dns_name name;
	uint16_t type;
	struct yg_dns_client client;
};

static bool wrong(const struct asking *a, const char *what, const char *said)
{
	char text[YG_DNS_NAME_TEXT_MAX];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_dns_name_format(&b, &a->name);
	(void)printf("# seed %u, %s type %u%s: %s: said '%s', was '%s' (source %s)\n", current,
		     yg_sb_cstr(&b), a->type,
		     a->client.refused ? " stranger"
		     : a->client.audit ? " audit"
				       : "",
		     what, said, got.says, yg_dns_source_word(got.source));
	return false;
}

/* It was said, and then it was: do they agree?  whole: all is in the cache, so it must know. */
static bool ask(const struct asking *a, bool whole)
{
	static uint8_t msg[512], out[65535];
	static struct yg_dns_explained e;
	static struct yg_dns_wr q;
	char said[600];
	const struct yg_dns_explain_ask how = {
		.client = &a->client, .name = &a->name, .type = a->type};
	struct yg_sb b = yg_sb_init(said, sizeof said);
	struct yg_dns_counts before = yg_dns_core_counts(world.core), after;
	yg_dns_explain(world.core, &how, world.now, &e);
	after = yg_dns_core_counts(world.core);
	put_says(&b, e.says,
		 names_record(e.says) && e.source != YG_DNS_FROM_GUARD ? &e.verdict : NULL,
		 &e.eval);
	(void)yg_sb_cstr(&b);
	yg_dns_wr_begin(&q, msg, sizeof msg, 1, YG_DNS_RD);
	yg_dns_wr_question(&q, &a->name, a->type, YG_DNS_IN);
	struct yg_dns_peer peer = {.b = {0}};
	struct yg_dns_in in = {.msg = msg,
			       .n = q.n,
			       .client = &a->client,
			       .peer = &peer,
			       .transport = YG_DNS_UDP,
			       .out = out,
			       .out_cap = sizeof out};
	got.ended = false;
	yg_dns_core_batch(world.core, &in, 1, world.now);
	bool at_hand = in.result != YG_DNS_WAITING;
	answer_all();
	if (memcmp(&before, &after, sizeof before) != 0)
		return wrong(a, "explaining has changed something", said);
	if (!got.ended || world.lost)
		return wrong(a, "the query did not end", said);
	seen.at_hand += at_hand;
	seen.waited += !at_hand;
	seen.unknown += e.unknown;
	seen.by_word[e.says]++;
	if (whole && e.unknown && at_hand)
		return wrong(a, "all is known, and it says that it is not", said);
	if (e.unknown)
		return true;
	/* who had to be asked may have failed, told a private address, or led to where nobody is asked */
	if (!at_hand && e.source == YG_DNS_FROM_UPSTREAM &&
	    (got.source == YG_DNS_FROM_FAILURE || got.source == YG_DNS_FROM_GUARD || got.refused))
		return true;
	if (strcmp(said, got.says) != 0)
		return wrong(a, "they differ", said);
	/* what stands behind a policy's CNAME has a source of its own, and so has what came before a
	 * name that nobody answers for */
	bool other = (e.decided && e.verdict.action == YG_DNS_ACTION_CNAME) ||
		     e.says == YG_DNS_SAYS_REFUSED;
	if (at_hand && !other && e.source != got.source)
		return wrong(a, yg_dns_source_word(e.source), said);
	return true;
}

/* ---- a world ---- */

static void world_begin(void)
{
	static const struct yg_dns_core_opts base = {
		.ops = {.reply = on_reply, .ask = on_ask, .event = on_event},
		.cache_bytes = YG_DNS_CACHE_LEAST,
		.random = {1, 2},
		.no_prefetch = true};
	struct yg_dns_core_opts o = base;
	struct yg_dns_name root;
	memset(&world, 0, sizeof world);
	world.now = (yg_mono){1000 * YG_US_PER_S};
	world.cache = aligned_alloc(64, o.cache_bytes);
	if (world.cache == NULL)
		abort();
	memset(world.cache, 0, o.cache_bytes);
	o.cache = world.cache;
	world.zones = yg_dns_zones_new();
	yg_dns_name_root(&root);
	struct yg_dns_name local = name_of("c.b."), refused = name_of("d.b.");
	if (yg_dns_core_new(&o, &world.core, NULL) != YG_OK ||
	    yg_dns_zones_add(world.zones, 0, &root, YG_DNS_ZONE_SET, 1, false, NULL) != YG_OK ||
	    yg_dns_zones_add(world.zones, 0, &local, YG_DNS_ZONE_LOCAL, 0, false, NULL) != YG_OK ||
	    yg_dns_zones_add(world.zones, 0, &refused, YG_DNS_ZONE_REFUSE, 0, false, NULL) != YG_OK)
		abort();
	make_policy();
	yg_dns_core_zones(world.core, world.zones);
	yg_dns_core_policy(world.core, world.policy);
}

static void world_end(void)
{
	yg_dns_core_free(world.core);
	yg_dns_policy_close(world.policy);
	yg_dns_zones_free(world.zones);
	free(world.cache);
}

static bool one_world(unsigned seed)
{
	static const uint16_t types[] = {YG_DNS_A, YG_DNS_A, YG_DNS_AAAA, YG_DNS_TXT, YG_DNS_CNAME};
	bool good = true;
	current = seed;
	state = seed * 0x9e3779b97f4a7c15ull + 1;
	truth_seed = (uint64_t)rnd(1u << 30) << 20 | rnd(1u << 20);
	world_begin();
	for (unsigned i = 0; i < QUERIES && good; i++) {
		struct asking a = {.name = some_name(rnd(1u << 20)),
				   .type = types[rnd(YG_LEN(types))],
				   .client = {.audit = rnd(10) == 0, .refused = rnd(20) == 0}};
		(void)yg_ip_parse(YG_SV("203.0.113.0"), &a.client.ip);
		a.client.ip.b[15] = (uint8_t)rnd(8);
		if (rnd(4) == 0) /* some entries are past their time, and may be given stale */
			world.now.us += (int64_t)rnd(2 * TTL) * YG_US_PER_S;
		good = ask(&a, false) && ask(&a, true);
	}
	world_end();
	return good;
}

int main(int argc, char **argv)
{
	uint64_t one = 0;
	unsigned bad = 0;
	if (argc > 1 && yg_parse_u64(yg_sv_of(argv[1]), &one, NULL) == YG_OK) {
		T_OK(one_world((unsigned)one));
		return tap_done();
	}
	for (unsigned seed = 1; seed <= WORLDS && bad < 5; seed++)
		bad += !one_world(seed);
	T_NAMED(bad == 0, "what is explained is what is answered");
	(void)printf("# %u answers at hand, %u waited for, %u of which it did not know all:",
		     seen.at_hand, seen.waited, seen.unknown);
	for (unsigned i = 0; i < YG_LEN(seen.by_word); i++)
		(void)printf(" %s %u", yg_dns_verdict_word((enum yg_dns_verdict_word)i),
			     seen.by_word[i]);
	(void)printf("\n");
	bool every = true;
	for (unsigned i = 0; i < YG_LEN(seen.by_word); i++)
		every = every && seen.by_word[i] >= 100;
	T_NAMED(every && seen.at_hand >= 1000 && seen.waited >= 1000 && seen.unknown >= 100,
		"every kind of answer was drawn");
	return tap_done();
}
