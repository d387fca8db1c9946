/* bench_dns_core - what one query costs the resolver's core, without sockets: in
 * batches of 1, 8 and 64 through yg_dns_core_batch(), with policies of so many names
 * in the pages the supervisor gives them.
 *
 * bench_dns_core [NAMES...]     default: 1000
 * For each size: all cached (60,000 different names, none listed), 5 % blocked, all
 * blocked (listed names at random); the whole packet in, the whole answer out (EDNS,
 * EDE with text), event told.  The best of five rounds counts.
 * A million queries are walked over, so that what they look at is not in the caches of
 * the processor from the round before.
 * One JSON object on stdout.
 */
#include "dns/core.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/env.h"
#include "dns/compile.h"
#include "os/memfd.h"

#define CACHED  60000u
#define PACKETS (1u << 20) /* queries walked over */
#define STRIDE  64u        /* bytes of a packet */
#define ROUNDS  5
#define MEMORY  (256u << 20)

static uint64_t seed = 0x9e3779b97f4a7c15ull;
static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static double cpu_s(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Listed names and benign ones are made of their number alone. */
static void make_name(struct yg_dns_name *out, uint64_t i, bool listed)
{
	static const char *const tops[] = {"com", "net", "org", "ru", "top", "xyz", "info", "de"};
	char text[64];
	uint64_t h = (i + 1) * 0x9e3779b97f4a7c15ull;
	struct yg_sb b = yg_sb_init(text, sizeof text);
	h ^= h >> 29;
	if (!listed)
		yg_sb_put(&b, YG_SV("www."));
	for (unsigned k = 0; k < 5 + h % 8; k++)
		yg_sb_putc(&b, (char)('a' + (h >> (k * 4) & 15)));
	yg_sb_printf(&b, "%s%llu.%s", listed ? "x" : "-", (unsigned long long)i, tops[h >> 60 & 7]);
	if (yg_dns_name_parse(yg_sb_sv(&b), NULL, out, NULL) != YG_OK)
		abort();
}

static void random_bytes(void *ctx, void *out, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++)
		((uint8_t *)out)[i] = (uint8_t)(rnd() >> 24);
}
static yg_wall wall(void *ctx)
{
	(void)ctx;
	return (yg_wall){1800000000000000};
}

static struct yg_dns_policy *make_policy(uint64_t names)
{
	static const struct yg_env env = {.random = random_bytes, .wall = wall};
	struct yg_dns_build_opts o = {.env = &env, .bytes_max = 16ull << 30};
	struct yg_dns_builder *b = NULL;
	struct yg_dns_policy *p = NULL;
	struct yg_dns_build_stats stats;
	struct yg_err err = {.msg = ""};
	struct yg_dns_name name;
	uint32_t zone;
	struct yg_dns_zone_spec spec = {.name = YG_SV("feed1"),
					.category = YG_SV("malware"),
					.ede_text =
						YG_SV("blocked: malware, feed1, reference 4711"),
					.layer = YG_DNS_LAYER_CENTRE_ZONE,
					.override = YG_DNS_OVERRIDE_GIVEN,
					.mode = YG_DNS_MODE_ENFORCE,
					.ede_code = YG_DNS_EDE_BLOCKED};
	struct yg_dns_name origin;
	if (yg_dns_name_parse(YG_SV("feed1.rpz"), NULL, &origin, NULL) != YG_OK)
		return NULL;
	spec.origin = &origin;
	int fd = memfd_create("bench", MFD_CLOEXEC | MFD_ALLOW_SEALING), given = -1;
	if (fd < 0 || yg_dns_builder_new(&o, &b, &err) != YG_OK ||
	    yg_dns_builder_zone(b, &spec, &zone, &err) != YG_OK)
		return NULL;
	for (uint64_t i = 0; i < names; i++) {
		make_name(&name, i, true);
		if (yg_dns_builder_name(b, zone, &name, true, true, YG_DNS_ACTION_NXDOMAIN, &err) !=
		    YG_OK)
			break;
	}
	if (yg_dns_builder_finish(b, fd, 1, &stats, &err) != YG_OK ||
	    yg_memfd_from_fd("policy", fd, UINT64_MAX, &given, &err) != YG_OK ||
	    yg_dns_policy_open_fd(given, 0, &p, &err) != YG_OK)
		(void)fprintf(stderr, "bench_dns_core: %s\n", err.msg);
	yg_dns_builder_free(b);
	(void)close(fd);
	if (given >= 0)
		(void)close(given);
	return p;
}

/* ---- the core's surroundings ---- */

static uint64_t asked_token, events, blocked;
static struct yg_dns_name asked_name;

static void on_reply(void *ctx, const struct yg_dns_peer *peer, uint8_t transport,
		     const uint8_t *msg, size_t n)
{
	(void)ctx, (void)peer, (void)transport, (void)msg, (void)n;
}
static void on_ask(void *ctx, const struct yg_dns_question *q)
{
	(void)ctx;
	asked_token = q->token;
	asked_name = *q->name;
}
static void on_event(void *ctx, const struct yg_dns_event *ev)
{
	(void)ctx;
	events++;
	blocked += ev->source == YG_DNS_FROM_POLICY;
}

static struct yg_dns_wr w;

static size_t make_packet(uint8_t *to, const struct yg_dns_name *name)
{
	yg_dns_wr_begin(&w, to, STRIDE, (uint16_t)rnd(), YG_DNS_RD);
	yg_dns_wr_question(&w, name, YG_DNS_A, YG_DNS_IN);
	if (!yg_dns_wr_opt_begin(&w, 1232, 0, false))
		abort();
	yg_dns_wr_opt_end(&w);
	return w.n;
}

static const struct yg_dns_client client = {
	.ip = {.b = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1}}};
static const struct yg_dns_peer peer;
static uint8_t (*packets)[STRIDE];
static uint16_t *lengths;
static uint8_t out[YG_DNS_BATCH][1232];
static const yg_mono now = {1000000000};

static void fill_cache(struct yg_dns_core *c)
{
	uint8_t msg[256], reply[512];
	struct yg_dns_name name;
	for (uint64_t i = 0; i < CACHED; i++) {
		make_name(&name, i, false);
		struct yg_dns_in in = {.msg = msg,
				       .n = make_packet(msg, &name),
				       .client = &client,
				       .peer = &peer,
				       .transport = YG_DNS_UDP,
				       .out = reply,
				       .out_cap = sizeof reply};
		yg_dns_core_batch(c, &in, 1, now);
		if (in.result != YG_DNS_WAITING)
			continue;
		yg_dns_wr_begin(&w, msg, sizeof msg, 0, YG_DNS_QR | YG_DNS_RA);
		yg_dns_wr_question(&w, &name, YG_DNS_A, YG_DNS_IN);
		(void)yg_dns_wr_rr(&w, 0, &name, YG_DNS_A, YG_DNS_IN, 3600,
				   (struct yg_sv){(const char *)&i, 4});
		if (yg_dns_core_answer(c, asked_token, msg, w.n, YG_DNS_INSECURE, 0, now) != YG_OK)
			abort();
	}
}

static void fill_packets(uint64_t names, unsigned blocked_of_1000)
{
	struct yg_dns_name name;
	for (size_t i = 0; i < PACKETS; i++) {
		bool listed = rnd() % 1000 < blocked_of_1000;
		make_name(&name, rnd() % (listed ? names : CACHED), listed);
		lengths[i] = (uint16_t)make_packet(packets[i], &name);
	}
}

static const size_t batches[] = {1, 8, YG_DNS_BATCH};

static double run(struct yg_dns_core *c, size_t batch)
{
	struct yg_dns_in in[YG_DNS_BATCH];
	double best = 1e9;
	for (int round = 0; round < ROUNDS; round++) {
		double t = cpu_s();
		for (size_t at = 0; at < PACKETS; at += batch) {
			for (size_t i = 0; i < batch; i++)
				in[i] = (struct yg_dns_in){.msg = packets[at + i],
							   .n = lengths[at + i],
							   .client = &client,
							   .peer = &peer,
							   .transport = YG_DNS_UDP,
							   .out = out[i],
							   .out_cap = sizeof out[i]};
			yg_dns_core_batch(c, in, batch, now);
		}
		t = (cpu_s() - t) / PACKETS * 1e9;
		best = YG_MIN(best, t);
	}
	return best;
}

static bool measure(uint64_t names, bool first)
{
	static const unsigned mixes[] = {0, 50, 1000};
	double ns[YG_LEN(mixes)][YG_LEN(batches)];
	struct yg_err err = {.msg = ""};
	struct yg_dns_name root;
	struct yg_dns_core *c = NULL;
	struct yg_dns_zones *z = yg_dns_zones_new();
	void *cache =
		mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct yg_dns_policy *p = make_policy(names);
	yg_dns_name_root(&root);
	if (p == NULL || z == NULL || cache == MAP_FAILED ||
	    yg_dns_zones_add(z, 0, &root, YG_DNS_ZONE_SET, 1, true, &err) != YG_OK ||
	    yg_dns_zones_defaults(z, &err) != YG_OK)
		return false;
	(void)madvise(cache, MEMORY, MADV_HUGEPAGE);
	struct yg_dns_core_opts o = {.ops = {NULL, on_reply, on_ask, on_event, NULL},
				     .cache = cache,
				     .cache_bytes = MEMORY,
				     .random = {rnd(), rnd()}};
	if (yg_dns_core_new(&o, &c, &err) != YG_OK)
		return false;
	yg_dns_core_zones(c, z);
	yg_dns_core_policy(c, p);
	fill_cache(c);
	for (size_t m = 0; m < YG_LEN(mixes); m++) {
		fill_packets(names, mixes[m]);
		blocked = 0;
		for (size_t k = 0; k < YG_LEN(batches); k++)
			ns[m][k] = run(c, batches[k]);
		if (blocked / ROUNDS / YG_LEN(batches) < PACKETS / 1000 * mixes[m] * 9 / 10)
			(void)fprintf(stderr, "bench_dns_core: only %llu were blocked\n",
				      (unsigned long long)blocked);
	}
	(void)printf("%s{\"names\":%llu,\"snapshot_mb\":%.1f", first ? "" : ",",
		     (unsigned long long)names, (double)yg_dns_policy_info(p).bytes / 1e6);
	for (size_t k = 0; k < YG_LEN(batches); k++)
		(void)printf(
			",\"%zu\":{\"cached_ns\":%.0f,\"blocked_5_ns\":%.0f,\"blocked_ns\":%.0f}",
			batches[k], ns[0][k], ns[1][k], ns[2][k]);
	(void)printf("}");
	yg_dns_core_free(c);
	yg_dns_policy_close(p);
	yg_dns_zones_free(z);
	(void)munmap(cache, MEMORY);
	return true;
}

int main(int argc, char **argv)
{
	packets = calloc(PACKETS, sizeof *packets);
	lengths = calloc(PACKETS, sizeof *lengths);
	if (packets == NULL || lengths == NULL)
		return 1;
	(void)printf("{\"batches\":[%zu,%zu,%zu],\"cached_names\":%u,\"sizes\":[", batches[0],
		     batches[1], batches[2], CACHED);
	for (int i = 1; i < argc || i == 1; i++) {
		uint64_t n = 1000;
		if (argc > 1 && yg_parse_u64(yg_sv_of(argv[i]), &n, NULL) != YG_OK)
			return 2;
		if (!measure(n, i == 1))
			return 1;
	}
	(void)printf("]}\n");
	return 0;
}
