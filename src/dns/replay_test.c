/* Runs the cases of test/replay/dns through the core with simulated time;
 * the words of a case are explained in test/replay/dns/README.md. */
#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/env.h"
#include "dns/ask.h"
#include "dns/compile.h"
#include "dns/core.h"
#include "dns/explain.h"
#include "format/json.h"
#include "format/zone_file.h"
#include "tap.h"

#define QUERIES 64
#define ASKS    256
#define TEXT    16384

struct asked {
	struct yg_dns_ask ask;
	char text[1200];
	uint64_t token;
	bool told, open; /* the case has expected it; not yet answered */
};
struct queried {
	char name[16];
	bool waits, done, dropped;
	char text[TEXT];  /* the answer */
	char event[2048]; /* its event */
};
static struct {
	struct yg_dns_core *core;
	struct yg_dns_zones *zones;
	struct yg_dns_policy *policy, *old_policy;
	void *cache;
	struct yg_dns_core_opts opts;
	struct asked asks[ASKS];
	struct queried queries[QUERIES];
	size_t ask_count, query_count;
	yg_mono now;
	uint64_t random, generation;
	const char *file;
	char about[200];
	unsigned line, bad;
	bool flooding; /* what is asked now is not looked at */
} world;

YG_PRINTF(1, 2) static void wrong(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	(void)printf("# %s:%u: ", world.file, world.line);
	(void)vprintf(fmt, ap); // NOLINT
	(void)printf("\n");
	va_end(ap);
	world.bad++;
}

/* ---- allocations ---- */

static unsigned long allocations; /* linked with --wrap */

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
void *__wrap_malloc(size_t n)
{
	allocations++;
	return __real_malloc(n);
}
void *__wrap_calloc(size_t n, size_t size)
{
	allocations++;
	return __real_calloc(n, size);
}
void *__wrap_realloc(void *p, size_t n)
{
	allocations++;
	return __real_realloc(p, n);
}
void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	allocations++;
	return __real_reallocarray(p, n, size);
}

/* ---- words of a line ---- */

static bool word(struct yg_sv *rest, struct yg_sv *out)
{
	while (rest->n > 0 && (rest->p[0] == ' ' || rest->p[0] == '\t'))
		*rest = yg_sv_sub(*rest, 1, rest->n);
	size_t n = 0;
	bool quoted = false;
	while (n < rest->n && (quoted || (rest->p[n] != ' ' && rest->p[n] != '\t')))
		quoted ^= rest->p[n++] == '"';
	*out = yg_sv_sub(*rest, 0, n);
	*rest = yg_sv_sub(*rest, n, rest->n);
	return n > 0;
}

/* "key=value" in the words of a line; quotes off. */
static bool option(struct yg_sv line, const char *key, struct yg_sv *out)
{
	struct yg_sv w, k = yg_sv_of(key);
	while (word(&line, &w)) {
		if (!yg_sv_starts(w, k) || (w.n > k.n && w.p[k.n] != '='))
			continue;
		*out = w.n > k.n ? yg_sv_sub(w, k.n + 1, w.n) : (struct yg_sv){"", 0};
		if (out->n >= 2 && out->p[0] == '"')
			*out = yg_sv_sub(*out, 1, out->n - 2);
		return true;
	}
	return false;
}

static uint64_t number(struct yg_sv line, const char *key, uint64_t dflt)
{
	struct yg_sv v;
	uint64_t n = dflt;
	if (option(line, key, &v) && v.n > 0 && yg_parse_u64(v, &n, NULL) != YG_OK)
		wrong("%s is no number", key);
	return n;
}

static bool flag(struct yg_sv line, const char *key)
{
	struct yg_sv v;
	return option(line, key, &v);
}

static struct yg_dns_name name_of(struct yg_sv s)
{
	struct yg_dns_name n;
	struct yg_err err = {.msg = ""};
	if (yg_dns_name_parse(s, NULL, &n, &err) != YG_OK) {
		wrong("name '%.*s': %s", YG_SV_ARG(s), err.msg);
		yg_dns_name_root(&n);
	}
	return n;
}

static struct yg_sv take_name(struct yg_sv *rest)
{
	struct yg_sv w = {".", 1};
	if (!word(rest, &w))
		wrong("a name is missing");
	return w;
}

/* ---- text of messages ---- */

static void put_flags(struct yg_sb *b, uint16_t f)
{
	static const struct {
		uint16_t bit;
		const char *name;
	} bits[] = {{YG_DNS_AA, " aa"}, {YG_DNS_TC, " tc"}, {YG_DNS_RD, " rd"},
		    {YG_DNS_RA, " ra"}, {YG_DNS_AD, " ad"}, {YG_DNS_CD, " cd"}};
	for (size_t i = 0; i < YG_LEN(bits); i++)
		if ((f & bits[i].bit) != 0)
			yg_sb_put(b, yg_sv_of(bits[i].name));
}

static void put_edns(struct yg_sb *b, const struct yg_dns_msg *m)
{
	struct yg_dns_edns e;
	struct yg_sv v;
	uint16_t code;
	yg_dns_edns_read(m, &e);
	if (e.bad)
		yg_sb_put(b, YG_SV(" BAD-EDNS"));
	if (!e.found)
		return;
	yg_sb_printf(b, " edns=%u%s", e.udp, (e.flags & 0x8000) != 0 ? " do" : "");
	while (yg_dns_option_next(&e.options, &code, &v)) {
		if (code == YG_DNS_OPT_EDE && v.n >= 2) {
			yg_sb_printf(b, " ede=%u", yg_dns_get16((const uint8_t *)v.p));
			if (v.n > 2)
				yg_sb_printf(b, " \"%.*s\"", (int)v.n - 2, v.p + 2);
		} else if (code == YG_DNS_OPT_COOKIE) {
			yg_sb_printf(b, " cookie=%zu", v.n);
		} else {
			yg_sb_printf(b, " opt%u", code);
		}
	}
}

/* "NXDOMAIN rd ra edns=1232 ede=15 "text"" and a line per record. */
static void message_text(struct yg_sb *b, const uint8_t *p, size_t n)
{
	static const char *const sections[] = {"  ", "  auth: ", "  add: "};
	struct yg_dns_msg m;
	struct yg_dns_rr rr;
	struct yg_dns_name owner;
	if (yg_dns_msg_read(p, n, &m) != YG_OK || yg_dns_msg_check(&m) != YG_OK) {
		yg_sb_put(b, YG_SV("BROKEN\n"));
		return;
	}
	struct yg_dns_edns e;
	yg_dns_edns_read(&m, &e);
	yg_dns_rcode_format(b, (unsigned)e.rcode_high << 4 | (m.flags & YG_DNS_RCODE));
	put_flags(b, m.flags);
	put_edns(b, &m);
	yg_sb_putc(b, '\n');
	struct yg_dns_iter it = yg_dns_records(&m);
	while (yg_dns_rr_next(&it, &rr)) {
		if (rr.type == YG_DNS_OPT || yg_dns_rr_owner(&m, &rr, &owner) != YG_OK)
			continue;
		yg_sb_put(b, yg_sv_of(sections[rr.section]));
		yg_dns_name_format(b, &owner);
		yg_sb_printf(b, " %u ", rr.ttl);
		yg_dns_type_format(b, rr.type);
		yg_sb_putc(b, ' ');
		yg_dns_rdata_format(b, &m, &rr);
		yg_sb_putc(b, '\n');
	}
}

/* ---- the core's way out ---- */

static struct queried *query_of(const struct yg_dns_peer *peer)
{
	return &world.queries[peer->b[0]];
}

static void take_answer(struct queried *q, const uint8_t *msg, size_t n)
{
	struct yg_sb b = yg_sb_init(q->text, sizeof q->text);
	if (q == &world.queries[QUERIES - 1])
		return; /* of a flood */
	if (q->done)
		wrong("query %s is answered twice", q->name);
	q->done = true;
	q->waits = false;
	q->dropped = n == 0;
	if (n > 0)
		message_text(&b, msg, n);
	(void)yg_sb_cstr(&b);
}

static void on_reply(void *ctx, const struct yg_dns_peer *peer, uint8_t transport,
		     const uint8_t *msg, size_t n)
{
	(void)ctx;
	(void)transport;
	take_answer(query_of(peer), msg, n);
}

static void on_ask(void *ctx, const struct yg_dns_question *q)
{
	(void)ctx;
	if (world.ask_count == ASKS) {
		wrong("too many questions");
		return;
	}
	struct asked *a = &world.asks[world.ask_count++];
	world.random = world.random * 6364136223846793005ull + 1442695040888963407ull;
	const struct yg_dns_ask_opts how = {.dnssec_ok = q->dnssec_ok,
					    .checking_disabled = q->checking_disabled,
					    .same_case = true};
	yg_dns_ask_build(&a->ask, q->name, q->type, &how, world.random);
	struct yg_sb b = yg_sb_init(a->text, sizeof a->text);
	yg_sb_printf(&b, "%u ", q->set);
	yg_dns_name_format(&b, q->name);
	yg_sb_putc(&b, ' ');
	yg_dns_type_format(&b, q->type);
	if (q->dnssec_ok)
		yg_sb_put(&b, YG_SV(" do"));
	if (q->checking_disabled)
		yg_sb_put(&b, YG_SV(" cd"));
	(void)yg_sb_cstr(&b);
	a->token = q->token;
	a->open = true;
	a->told = world.flooding;
}

static void on_event(void *ctx, const struct yg_dns_event *ev)
{
	static const char *const sources[] = {"none",  "cache",  "stale", "upstream",
					      "local", "policy", "guard", "failure"};
	struct queried *q = query_of(ev->peer);
	struct yg_sb b = yg_sb_init(q->event, sizeof q->event);
	(void)ctx;
	if (q->event[0] != 0 && q != &world.queries[QUERIES - 1])
		wrong("query %s has two events", q->name);
	yg_sb_printf(&b, "source=%s set=%u rcode=", sources[ev->source], ev->set);
	yg_dns_rcode_format(&b, ev->rcode);
	yg_sb_printf(&b, " took=%lld action=%s", (long long)(ev->took_us / 1000),
		     yg_dns_action_name(ev->action));
	if (ev->eval != NULL) {
		struct yg_dns_verdict v;
		yg_dns_eval_verdict(ev->eval, &v);
		if (v.action != YG_DNS_ACTION_NONE) {
			yg_sb_printf(&b, " trigger=%s zone=%.*s record=",
				     yg_dns_trigger_name(v.trigger), YG_SV_ARG(v.zone.name));
			yg_dns_eval_record(ev->eval, SIZE_MAX, &b);
		}
		for (size_t i = 0; i < ev->eval->note_count; i++) {
			yg_dns_eval_note(ev->eval, i, &v);
			yg_sb_printf(&b, " note=%.*s:", YG_SV_ARG(v.zone.name));
			yg_dns_eval_record(ev->eval, i, &b);
		}
	}
	if ((ev->answer_n == 0) != (ev->action == YG_DNS_ACTION_DROP))
		yg_sb_put(&b, YG_SV(" EMPTY"));
	(void)yg_sb_cstr(&b);
}

/* ---- building worlds ---- */

static void random_bytes(void *ctx, void *out, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++)
		((uint8_t *)out)[i] = (uint8_t)(i * 37 + 11);
}
static yg_wall wall(void *ctx)
{
	(void)ctx;
	return (yg_wall){1800000000000000};
}

static void world_begin(void)
{
	size_t bytes = YG_DNS_CACHE_LEAST;
	struct yg_dns_core_opts o = {.ops = {.reply = on_reply, .ask = on_ask, .event = on_event},
				     .cache_bytes = bytes,
				     .random = {1, 2}};
	world.cache = aligned_alloc(64, bytes);
	memset(world.cache, 0, bytes);
	o.cache = world.cache;
	world.opts = o;
	world.zones = yg_dns_zones_new();
	world.core = NULL;
	world.policy = world.old_policy = NULL;
	world.ask_count = world.query_count = 0;
	world.now = YG_SECONDS(1000).us > 0 ? (yg_mono){1000000000} : (yg_mono){0};
	world.bad = 0;
	world.generation = 0;
	world.random = 42;
	memset(world.queries, 0, sizeof world.queries);
}

static void world_end(void)
{
	yg_dns_core_free(world.core);
	yg_dns_policy_close(world.policy);
	yg_dns_policy_close(world.old_policy);
	yg_dns_zones_free(world.zones);
	free(world.cache);
}

static struct yg_dns_core *core(void)
{
	struct yg_err err = {.msg = ""};
	if (world.core == NULL) {
		if (yg_dns_core_new(&world.opts, &world.core, &err) != YG_OK) {
			(void)printf("Bail out! %s\n", err.msg);
			exit(1);
		}
		yg_dns_core_zones(world.core, world.zones);
		yg_dns_core_policy(world.core, world.policy);
		yg_dns_core_wall(world.core, 1800000000);
	}
	return world.core;
}

static void do_zone(struct yg_sv kind, struct yg_sv rest)
{
	struct yg_dns_name name = name_of(take_name(&rest));
	struct yg_err err = {.msg = ""};
	enum yg_dns_zone_kind k = YG_SV_IS(kind, "set")       ? YG_DNS_ZONE_SET
				  : YG_SV_IS(kind, "local")   ? YG_DNS_ZONE_LOCAL
				  : YG_SV_IS(kind, "overlay") ? YG_DNS_ZONE_OVERLAY
							      : YG_DNS_ZONE_REFUSE;
	if (yg_dns_zones_add(world.zones, (uint32_t)number(rest, "org", 0), &name, k,
			     (uint32_t)number(rest, "to", 1), flag(rest, "private"), &err) != YG_OK)
		wrong("%s", err.msg);
}

struct rr_list { /* records read from text lines */
	struct yg_dns_wr w;
	uint8_t msg[65535];
	unsigned section;
	uint32_t org;
	bool local;
};
static struct rr_list rrs;

static yg_status take_rr(void *ctx, const struct yg_zone_rr *rr, struct yg_err *err)
{
	struct rr_list *l = ctx;
	if (rr->unread)
		return YG_FAIL(err, YG_PARSE, "type %u has no text here", rr->type);
	if (l->local)
		return yg_dns_zones_record(world.zones, l->org, rr->owner, rr->type, rr->ttl,
					   rr->rdata, err);
	if (!yg_dns_wr_rr(&l->w, l->section, rr->owner, rr->type, rr->cls, rr->ttl, rr->rdata))
		return YG_FAIL(err, YG_PARSE, "record does not fit");
	return YG_OK;
}

static void read_rr(struct yg_sv line)
{
	struct yg_zone_reader *z = NULL;
	struct yg_zone_opts o = {.ctx = &rrs, .record = take_rr};
	struct yg_err err = {.msg = ""};
	if (yg_zone_reader_new(&o, &z, &err) != YG_OK ||
	    yg_zone_reader_feed(z, line, &err) != YG_OK || yg_zone_reader_end(z, &err) != YG_OK)
		wrong("record: %s", err.msg);
	yg_zone_reader_free(z);
}

/* ---- policies ---- */

struct policy_text {
	struct yg_dns_builder *b;
	struct yg_zone_reader *reader;
	uint32_t zone;
	bool open;
};
static struct policy_text pt;

static yg_status take_policy_rr(void *ctx, const struct yg_zone_rr *rr, struct yg_err *err)
{
	(void)ctx;
	return yg_dns_builder_rr(pt.b, pt.zone, rr, err);
}

static void policy_zone_end(void)
{
	struct yg_err err = {.msg = ""};
	if (pt.reader != NULL && yg_zone_reader_end(pt.reader, &err) != YG_OK)
		wrong("policy: %s", err.msg);
	yg_zone_reader_free(pt.reader);
	pt.reader = NULL;
}

static void policy_zone(struct yg_sv rest)
{
	struct yg_err err = {.msg = ""};
	struct yg_sv v, name;
	struct yg_dns_name origin;
	struct yg_dns_zone_spec spec = {.layer = YG_DNS_LAYER_CENTRE_ZONE,
					.mode = YG_DNS_MODE_ENFORCE,
					.override = YG_DNS_OVERRIDE_GIVEN};
	policy_zone_end();
	name = take_name(&rest);
	origin = name_of(name);
	spec.name = name;
	spec.origin = &origin;
	if (option(rest, "layer", &v) && yg_dns_layer_parse(v, &spec.layer) != YG_OK)
		wrong("layer");
	if (option(rest, "mode", &v) && yg_dns_mode_parse(v, &spec.mode) != YG_OK)
		wrong("mode");
	if (option(rest, "override", &v) && yg_dns_override_parse(v, &spec.override) != YG_OK)
		wrong("override");
	if (option(rest, "org", &v))
		spec.org = v;
	if (option(rest, "text", &v))
		spec.ede_text = v;
	spec.ede_code = (uint16_t)number(rest, "ede", 0);
	struct yg_zone_opts o = {.origin = &origin, .record = take_policy_rr};
	if (yg_dns_builder_zone(pt.b, &spec, &pt.zone, &err) != YG_OK ||
	    yg_zone_reader_new(&o, &pt.reader, &err) != YG_OK)
		wrong("policy zone: %s", err.msg);
}

static void policy_begin(void)
{
	static const struct yg_env env = {.random = random_bytes, .wall = wall};
	struct yg_dns_build_opts o = {.env = &env};
	if (yg_dns_builder_new(&o, &pt.b, NULL) != YG_OK)
		wrong("policy");
	pt.open = true;
}

static void policy_end(void)
{
	struct yg_err err = {.msg = ""};
	struct yg_dns_build_stats stats;
	int fd = memfd_create("policy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	policy_zone_end();
	pt.open = false;
	yg_dns_policy_close(world.old_policy);
	world.old_policy = world.policy;
	world.policy = NULL;
	if (yg_dns_builder_finish(pt.b, fd, ++world.generation, &stats, &err) != YG_OK ||
	    yg_dns_policy_open_fd(fd, 0, &world.policy, &err) != YG_OK)
		wrong("policy: %s", err.msg);
	(void)close(fd);
	yg_dns_builder_free(pt.b);
	if (world.core != NULL)
		yg_dns_core_policy(world.core, world.policy);
}

/* ---- queries ---- */

static size_t query_bytes(uint8_t *out, size_t cap, struct yg_sv *rest)
{
	static struct yg_dns_wr w;
	struct yg_sv v, t;
	uint16_t type = YG_DNS_A, cls = YG_DNS_IN;
	struct yg_dns_name name = name_of(take_name(rest));
	if (!word(rest, &t) || yg_dns_type_parse(t, &type) != YG_OK)
		wrong("type");
	if (option(*rest, "class", &v) && yg_dns_class_parse(v, &cls) != YG_OK)
		wrong("class");
	uint16_t flags = flag(*rest, "rd0") ? 0 : YG_DNS_RD;
	flags |= flag(*rest, "cd") ? YG_DNS_CD : 0;
	flags |= flag(*rest, "ad") ? YG_DNS_AD : 0;
	flags |= (uint16_t)(number(*rest, "opcode", 0) << 11);
	yg_dns_wr_begin(&w, out, cap, 4711, flags);
	yg_dns_wr_question(&w, &name, type, cls);
	uint16_t size = (uint16_t)number(*rest, "edns", flag(*rest, "do") ? 1232 : 0);
	if (size != 0 && yg_dns_wr_opt_begin(&w, size, 0, flag(*rest, "do"))) {
		if (flag(*rest, "cookie"))
			(void)yg_dns_wr_option(&w, YG_DNS_OPT_COOKIE, YG_SV("12345678"));
		if (flag(*rest, "pad"))
			yg_dns_wr_padding(&w, 128);
		yg_dns_wr_opt_end(&w);
		out[w.opt_at - 3] = (uint8_t)number(*rest, "version", 0);
	}
	if (flag(*rest, "mixed"))
		out[YG_DNS_HEADER + 1] ^= 0x20;
	return w.n;
}

/* What is said beforehand of a query that is then answered at once must be what
 * happened, and saying it changes nothing. */
struct foretold {
	bool holds; /* there is something to compare */
	bool unknown;
	char words[2048];
};

static void foretell(struct foretold *f, const uint8_t *msg, size_t n,
		     const struct yg_dns_client *client, unsigned transport)
{
	static struct yg_dns_explained e;
	struct yg_dns_query q;
	*f = (struct foretold){.holds = false};
	if (yg_dns_query_read(msg, n, &q) != YG_OK || q.rcode != 0 || !q.has_question ||
	    q.cls != YG_DNS_IN || (q.flags & YG_DNS_RD) == 0 || (q.flags & YG_DNS_CD) != 0 ||
	    yg_dns_type_is_meta(q.type) || transport != YG_DNS_UDP)
		return;
	struct yg_dns_explain_ask ask = {
		.client = client, .name = &q.name, .type = q.type, .dnssec_ok = q.dnssec_ok};
	struct yg_dns_counts before = yg_dns_core_counts(core()), after;
	yg_dns_explain(core(), &ask, world.now, &e);
	after = yg_dns_core_counts(core());
	if (memcmp(&before, &after, sizeof before) != 0)
		wrong("explaining has changed something");
	f->holds = true;
	f->unknown = e.unknown;
	struct yg_sb b = yg_sb_init(f->words, sizeof f->words);
	yg_sb_printf(&b, "source=%s ", yg_dns_source_word(e.source));
	if (e.says == YG_DNS_SAYS_BLOCKED && e.source == YG_DNS_FROM_POLICY) {
		yg_sb_printf(&b, "zone=%.*s record=", YG_SV_ARG(e.verdict.zone.name));
		yg_dns_eval_record(&e.eval, SIZE_MAX, &b);
	}
	(void)yg_sb_cstr(&b);
	struct yg_buf json;
	const struct yg_dns_explain_text t = {.ask = &ask};
	yg_buf_init(&json, 1 << 20);
	yg_buf_putc(&json, '{');
	yg_dns_explain_json(&e, &t, &json);
	yg_buf_putc(&json, '}');
	struct yg_json doc;
	yg_json_init(&doc, 65536);
	if (json.bad || yg_json_parse(&doc, yg_buf_sv(&json), NULL) != YG_OK)
		wrong("the explanation is not JSON: %.*s", (int)json.n, json.p);
	yg_json_free(&doc);
	yg_buf_free(&json);
}

static void compare(const struct foretold *f, const struct queried *q, bool answered)
{
	struct yg_sv said = yg_sv_of(f->words), part;
	struct yg_sv event = yg_sv_of(q->event);
	if (!f->holds || !answered || f->unknown)
		return;
	/* somebody would be asked, but for a limit */
	if (yg_sv_has(said, YG_SV("source=upstream")) && yg_sv_has(event, YG_SV("source=failure")))
		return;
	while (yg_sv_cut(&said, ' ', &part) && part.n > 0)
		if (!yg_sv_has(event, part))
			wrong("foretold '%s', but it was '%s'", f->words, q->event);
}

static void do_query(struct yg_sv rest)
{
	static uint8_t msg[1024], out[65535];
	struct yg_sv v, id = take_name(&rest);
	if (world.query_count == QUERIES) {
		wrong("too many queries");
		return;
	}
	struct queried *q = &world.queries[world.query_count];
	struct yg_dns_peer peer = {.b = {(uint8_t)world.query_count++}};
	memcpy(q->name, id.p, YG_MIN(id.n, sizeof q->name - 1));
	size_t n = query_bytes(msg, sizeof msg, &rest);
	struct yg_dns_client client = {.org = (uint32_t)number(rest, "org", 0),
				       .refused = flag(rest, "unknown"),
				       .audit = flag(rest, "audit")};
	if (yg_ip_parse(option(rest, "client", &v) ? v : YG_SV("192.0.2.1"), &client.ip) != YG_OK)
		wrong("client");
	(void)core();
	if (option(rest, "view", &v))
		client.view = yg_dns_policy_view(world.policy, v);
	struct yg_dns_in in = {.msg = msg,
			       .n = YG_MIN(n, number(rest, "cut", n)),
			       .client = &client,
			       .peer = &peer,
			       .transport = flag(rest, "tcp")   ? YG_DNS_TCP
					    : flag(rest, "dot") ? YG_DNS_DOT
								: YG_DNS_UDP,
			       .out = out,
			       .out_cap = sizeof out};
	struct foretold f;
	foretell(&f, msg, in.n, &client, in.transport);
	struct yg_dns_core *c = core();
	unsigned long before = allocations;
	yg_dns_core_batch(c, &in, 1, world.now);
	if (in.result != YG_DNS_WAITING && allocations != before)
		wrong("query %s: memory was allocated for an answer that was at hand", q->name);
	compare(&f, q, in.result != YG_DNS_WAITING);
	if (in.result == YG_DNS_WAITING)
		q->waits = true;
	else
		take_answer(q, out, in.result == YG_DNS_ANSWERED ? in.out_n : 0);
	if (flag(rest, "mixed") && in.result == YG_DNS_ANSWERED &&
	    memcmp(out + 12, msg + 12, 5) != 0)
		wrong("the letter case of the question is lost");
}

static void do_flood(struct yg_sv rest) /* flood COUNT SUFFIX [options]: answers are not kept */
{
	static uint8_t msg[1024], out[65535];
	struct yg_sv count = YG_SV(""), suffix = YG_SV("");
	char text[300];
	uint64_t n = 0;
	if (!word(&rest, &count) || yg_parse_u64(count, &n, NULL) != YG_OK || !word(&rest, &suffix))
		wrong("flood");
	struct yg_dns_client client = {.org = 0};
	struct yg_sv v;
	if (yg_ip_parse(option(rest, "client", &v) ? v : YG_SV("192.0.2.66"), &client.ip) != YG_OK)
		wrong("client");
	world.queries[QUERIES - 1].done = false;
	struct yg_dns_peer peer = {.b = {QUERIES - 1}};
	world.flooding = true;
	for (uint64_t i = 0; i < n; i++) {
		struct yg_sb b = yg_sb_init(text, sizeof text);
		yg_sb_printf(&b, "r%llu.%.*s A", (unsigned long long)i, YG_SV_ARG(suffix));
		struct yg_sv line = yg_sb_sv(&b);
		size_t len = query_bytes(msg, sizeof msg, &line);
		struct yg_dns_in in = {.msg = msg,
				       .n = len,
				       .client = &client,
				       .peer = &peer,
				       .transport = YG_DNS_UDP,
				       .out = out,
				       .out_cap = sizeof out};
		world.queries[QUERIES - 1].event[0] = 0;
		yg_dns_core_batch(core(), &in, 1, world.now);
	}
	world.flooding = false;
}

/* ---- upstream ---- */

static struct asked *oldest_open(void)
{
	for (size_t i = 0; i < world.ask_count; i++)
		if (world.asks[i].open)
			return &world.asks[i];
	wrong("nothing has been asked");
	return NULL;
}

static void do_asked(struct yg_sv rest)
{
	rest = yg_sv_trim(rest);
	for (size_t i = 0; i < world.ask_count; i++) {
		if (world.asks[i].told)
			continue;
		world.asks[i].told = true;
		if (!yg_sv_eq(rest, yg_sv_of(world.asks[i].text)))
			wrong("asked '%s'", world.asks[i].text);
		return;
	}
	wrong("not asked: %.*s", YG_SV_ARG(rest));
}

static void all_told(void)
{
	for (size_t i = 0; i < world.ask_count; i++)
		if (!world.asks[i].told) {
			wrong("asked '%s', which the case does not know", world.asks[i].text);
			world.asks[i].told = true;
		}
}

static void reply_begin(struct yg_sv rest, const struct asked *a)
{
	struct yg_sv w;
	unsigned rcode = 0;
	struct yg_dns_msg m;
	if (!word(&rest, &w) || yg_dns_rcode_parse(w, &rcode) != YG_OK)
		wrong("rcode");
	uint16_t flags = (uint16_t)(YG_DNS_QR | YG_DNS_RD | YG_DNS_RA | rcode);
	flags |= flag(rest, "tc") ? YG_DNS_TC : 0;
	if (flag(rest, "query"))
		flags &= (uint16_t)~YG_DNS_QR;
	uint16_t id = (uint16_t)(a->ask.id ^ (flag(rest, "wrong-id") ? 1 : 0));
	if (yg_dns_msg_read(a->ask.msg, a->ask.n, &m) != YG_OK)
		wrong("our own question");
	if (option(rest, "question", &w))
		m.name = name_of(w);
	if (option(rest, "qtype", &w) && yg_dns_type_parse(w, &m.type) != YG_OK)
		wrong("type");
	yg_dns_wr_begin(&rrs.w, rrs.msg, sizeof rrs.msg, id, flags);
	if (!flag(rest, "no-question"))
		yg_dns_wr_question(&rrs.w, &m.name, m.type, m.cls);
	if (!flag(rest, "no-question") && !flag(rest, "question") && !flag(rest, "wrong-case"))
		memcpy(rrs.msg + 12, a->ask.msg + 12, a->ask.question_n - 4u);
	rrs.local = false;
}

static void reply_end(struct yg_sv rest, struct asked *a)
{
	static const char *const names[] = {"",          "match", "mismatch", "case",
					    "truncated", "lame",  "no-edns",  "broken"};
	struct yg_sv want = YG_SV("match");
	(void)option(rest, "is", &want);
	size_t n = rrs.w.n - YG_MIN(rrs.w.n, number(rest, "cut", 0));
	if (flag(rest, "loop")) /* the first record's owner is a pointer to itself */
		yg_dns_put16(rrs.msg + 12 + a->ask.question_n, 0xc000u | (12u + a->ask.question_n));
	enum yg_dns_match match = yg_dns_ask_match(&a->ask, rrs.msg, n);
	if (!yg_sv_eq(want, yg_sv_of(names[match])))
		wrong("the answer is '%s', not '%.*s'", names[match], YG_SV_ARG(want));
	if (match != YG_DNS_MATCH && !flag(rest, "force"))
		return;
	a->open = false;
	enum yg_dns_security s = flag(rest, "secure")  ? YG_DNS_SECURE
				 : flag(rest, "bogus") ? YG_DNS_BOGUS
						       : YG_DNS_INSECURE;
	(void)yg_dns_core_answer(core(), a->token, rrs.msg, n, s,
				 (uint16_t)number(rest, "bogus", YG_DNS_EDE_NONE), world.now);
	if (yg_dns_core_answer(core(), a->token, rrs.msg, n, s, 0, world.now) != YG_NOTFOUND)
		wrong("a token is taken twice");
}

static void do_fail(struct yg_sv rest)
{
	struct asked *a = oldest_open();
	if (a == NULL)
		return;
	a->open = false;
	if (yg_dns_core_failed(core(), a->token, (uint16_t)number(rest, "ede", YG_DNS_EDE_NONE),
			       world.now) != YG_OK)
		wrong("the core does not know the question");
}

/* ---- what is expected ---- */

static struct queried *named(struct yg_sv *rest)
{
	struct yg_sv id = take_name(rest);
	for (size_t i = 0; i < world.query_count; i++)
		if (yg_sv_eq(id, yg_sv_of(world.queries[i].name)))
			return &world.queries[i];
	wrong("there is no query %.*s", YG_SV_ARG(id));
	return NULL;
}

static void do_event(struct yg_sv rest)
{
	struct queried *q = named(&rest);
	struct yg_sv w;
	while (q != NULL && word(&rest, &w)) {
		struct yg_sv all = yg_sv_of(q->event), have;
		bool found = false;
		while (word(&all, &have))
			found |= yg_sv_eq(have, w);
		if (!found)
			wrong("the event has no %.*s: %s", YG_SV_ARG(w), q->event);
	}
}

static void do_count(struct yg_sv rest)
{
	struct yg_dns_counts c = yg_dns_core_counts(core());
#define X(f)                                                                                       \
	{                                                                                          \
#f, c.f                                                                            \
	}
	const struct {
		const char *name;
		uint64_t v;
	} all[] = {
		X(hits),        X(stale),       X(misses),      X(joined),         X(asked),
		X(prefetched),  X(blocked),     X(noted),       X(dropped),        X(refused),
		X(malformed),   X(failures),    X(guard),       X(limited_client), X(limited_zone),
		X(limited_all), X(bad_answers), X(out_of_zone), X(truncated),      X(clean_hits),
		X(waiting),     X(jobs)};
#undef X
	for (size_t i = 0; i < YG_LEN(all); i++) {
		struct yg_sv v;
		uint64_t n;
		if (option(rest, all[i].name, &v) &&
		    (yg_parse_u64(v, &n, NULL) != YG_OK || n != all[i].v))
			wrong("%s is %llu", all[i].name, (unsigned long long)all[i].v);
	}
}

static void do_option(struct yg_sv rest)
{
	struct yg_dns_core_opts *o = &world.opts;
	o->no_stale |= flag(rest, "no-stale");
	o->no_prefetch |= flag(rest, "no-prefetch");
	o->break_dnssec |= flag(rest, "break-dnssec");
	o->no_rebind_guard |= flag(rest, "no-guard");
	if (flag(rest, "below"))
		o->below = YG_DNS_BELOW_ANY;
	if (flag(rest, "no-below"))
		o->below = YG_DNS_BELOW_NOTHING;
	o->queries_max = (uint32_t)number(rest, "queries", o->queries_max);
	o->per_client_max = (uint32_t)number(rest, "per-client", o->per_client_max);
	o->jobs_max = (uint32_t)number(rest, "jobs", o->jobs_max);
	o->per_zone_max = (uint32_t)number(rest, "per-zone", o->per_zone_max);
	o->ttl.most = (uint32_t)number(rest, "ttl-most", o->ttl.most);
	o->ttl.least = (uint32_t)number(rest, "ttl-least", o->ttl.least);
	o->ttl.negative_most = (uint32_t)number(rest, "negative-most", o->ttl.negative_most);
	o->ttl.stale = (uint32_t)number(rest, "stale", o->ttl.stale);
	if (flag(rest, "cookies"))
		o->cookie_key[0] = 1;
}

/* ---- the reader of cases ---- */

enum mode { MODE_LINES, MODE_POLICY, MODE_REPLY, MODE_EXPECT };
static struct {
	enum mode mode;
	struct yg_sv head; /* of what is open */
	char head_text[1024], body[TEXT];
	struct yg_sb text;
	struct asked *ask;
} rd;

static void expect_end(void)
{
	struct yg_sv rest = rd.head;
	struct queried *q = named(&rest);
	rest = yg_sv_trim(rest);
	if (q == NULL)
		return;
	if (YG_SV_IS(rest, "waits") || YG_SV_IS(rest, "drop")) {
		if (YG_SV_IS(rest, "waits") ? !q->waits : !q->dropped)
			wrong("%s: %s%s", q->name, q->waits ? "waits" : "", q->text);
		return;
	}
	static char have[TEXT];
	struct yg_sb want = yg_sb_init(have, sizeof have);
	yg_sb_put(&want, rest);
	yg_sb_putc(&want, '\n');
	yg_sb_put(&want, yg_sb_sv(&rd.text));
	if (!q->done || !yg_sv_eq(yg_sb_sv(&want), yg_sv_of(q->text)))
		wrong("%s is%s\n%s# wanted\n%s", q->name, q->waits ? " waiting" : "", q->text,
		      yg_sb_cstr(&want));
}

static void close_block(void)
{
	enum mode m = rd.mode;
	rd.mode = MODE_LINES;
	if (m == MODE_POLICY)
		policy_end();
	else if (m == MODE_REPLY && rd.ask != NULL)
		reply_end(rd.head, rd.ask);
	else if (m == MODE_EXPECT)
		expect_end();
}

static void open_block(enum mode m, struct yg_sv rest)
{
	rd.mode = m;
	rd.head = (struct yg_sv){rd.head_text, YG_MIN(rest.n, sizeof rd.head_text)};
	memcpy(rd.head_text, rest.p, rd.head.n);
	rd.text = yg_sb_init(rd.body, sizeof rd.body);
	if (m == MODE_POLICY) {
		policy_begin();
	} else if (m == MODE_REPLY) {
		rd.ask = oldest_open();
		if (rd.ask != NULL)
			reply_begin(rest, rd.ask);
	}
}

static void block_line(struct yg_sv line)
{
	struct yg_sv rest = line, w;
	struct yg_err err = {.msg = ""};
	if (rd.mode == MODE_POLICY) {
		if (word(&rest, &w) && YG_SV_IS(w, "zone"))
			policy_zone(rest);
		else if (pt.reader != NULL &&
			 (yg_zone_reader_feed(pt.reader, yg_sv_trim(line), &err) != YG_OK ||
			  yg_zone_reader_feed(pt.reader, YG_SV("\n"), &err) != YG_OK))
			wrong("policy: %s", err.msg);
		return;
	}
	line = yg_sv_trim(line);
	if (rd.mode == MODE_EXPECT) {
		yg_sb_put(&rd.text, YG_SV("  "));
		yg_sb_put(&rd.text, line);
		yg_sb_putc(&rd.text, '\n');
		return;
	}
	rrs.section = yg_sv_starts(line, YG_SV("auth:"))  ? 1
		      : yg_sv_starts(line, YG_SV("add:")) ? 2
							  : 0;
	if (rrs.section > 0)
		(void)word(&line, &w);
	read_rr(yg_sv_trim(line));
}

static void do_more(struct yg_sv w, struct yg_sv rest)
{
	uint64_t ms = 0;
	if (YG_SV_IS(w, "after")) {
		struct yg_sv t = yg_sv_trim(rest);
		if (yg_parse_u64(t, &ms, NULL) != YG_OK)
			wrong("milliseconds");
		world.now.us += (int64_t)ms * 1000;
	} else if (YG_SV_IS(w, "tick")) {
		(void)yg_dns_core_tick(core(), world.now);
	} else if (YG_SV_IS(w, "fail")) {
		do_fail(rest);
	} else if (YG_SV_IS(w, "event")) {
		do_event(rest);
	} else if (YG_SV_IS(w, "count")) {
		do_count(rest);
	} else if (YG_SV_IS(w, "option")) {
		do_option(rest);
	} else if (YG_SV_IS(w, "flood")) {
		do_flood(rest);
	} else if (YG_SV_IS(w, "allow-private")) {
		struct yg_dns_name n = name_of(take_name(&rest));
		(void)yg_dns_zones_allow_private(world.zones, (uint32_t)number(rest, "org", 0), &n);
	} else if (YG_SV_IS(w, "defaults")) {
		if (yg_dns_zones_defaults(world.zones, NULL) != YG_OK)
			wrong("defaults");
	} else if (YG_SV_IS(w, "record")) {
		rrs.local = true;
		rrs.org = 0;
		if (yg_sv_starts(yg_sv_trim(rest), YG_SV("org="))) {
			rrs.org = (uint32_t)number(rest, "org", 0);
			(void)word(&rest, &w);
		}
		read_rr(yg_sv_trim(rest));
	} else {
		wrong("what is '%.*s'?", YG_SV_ARG(w));
	}
}

static void case_end(void)
{
	if (world.about[0] == 0)
		return;
	close_block();
	all_told();
	(void)tap_ok(world.bad == 0, world.about, world.file, (int)world.line);
	world_end();
	world.about[0] = 0;
}

static void one_line(struct yg_sv line)
{
	struct yg_sv rest = line, w;
	bool inside = line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\t');
	if (!word(&rest, &w) || w.p[0] == '#')
		return;
	if (inside && rd.mode != MODE_LINES) {
		block_line(line);
		return;
	}
	close_block();
	if (YG_SV_IS(w, "case")) {
		case_end();
		world_begin();
		rest = yg_sv_trim(rest);
		memcpy(world.about, rest.p, YG_MIN(rest.n, sizeof world.about - 1));
		world.about[YG_MIN(rest.n, sizeof world.about - 1)] = 0;
	} else if (YG_SV_IS(w, "set") || YG_SV_IS(w, "local") || YG_SV_IS(w, "overlay") ||
		   YG_SV_IS(w, "refuse")) {
		do_zone(w, rest);
	} else if (YG_SV_IS(w, "policy")) {
		open_block(MODE_POLICY, rest);
	} else if (YG_SV_IS(w, "reply")) {
		open_block(MODE_REPLY, rest);
	} else if (YG_SV_IS(w, "expect")) {
		open_block(MODE_EXPECT, rest);
	} else if (YG_SV_IS(w, "query")) {
		all_told();
		do_query(rest);
	} else if (YG_SV_IS(w, "asked")) {
		do_asked(rest);
	} else {
		do_more(w, rest);
	}
}

static void run_file(const char *path)
{
	static char buf[1 << 20];
	FILE *f = fopen(path, "rb");
	if (f == NULL) {
		(void)tap_ok(0, path, path, 0);
		return;
	}
	struct yg_sv rest = {buf, fread(buf, 1, sizeof buf, f)}, line;
	(void)fclose(f);
	const char *slash = strrchr(path, '/');
	world.file = slash != NULL ? slash + 1 : path;
	world.line = 0;
	while (rest.n > 0 && yg_sv_cut(&rest, '\n', &line)) {
		world.line++;
		one_line(line);
	}
	case_end();
}

static int is_replay(const struct dirent *e)
{
	size_t n = strlen(e->d_name);
	return n > 7 && strcmp(e->d_name + n - 7, ".replay") == 0;
}

int main(int argc, char **argv)
{
	const char *dir = argc > 1 ? argv[1] : "test/replay/dns";
	struct dirent **files = NULL;
	int n = scandir(dir, &files, is_replay, alphasort);
	T_OK(n > 0);
	for (int i = 0; i < n; i++) {
		char path[4096];
		(void)snprintf(path, sizeof path, "%s/%s", dir, files[i]->d_name);
		free(files[i]);
		run_file(path);
		world.file = ""; /* it was of path */
	}
	free(files);
	return tap_done();
}
