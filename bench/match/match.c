/* bench_match.c - cost of matching one event with 1 thousand, 100 thousand and
 * 1.6 million indicators; compile time, open time, bytes per indicator.
 *
 * bench_match [--dump DIR] [LIST...]   lists to take indicators from; without,
 * made-up ones.  --dump writes indicators and events as text for the peers.
 * One JSON object on stdout; bench/match prints it for people beside its peer.
 *
 * Events: 60,000 different ones in the proportions seen at a site's border
 * (45 % DNS, 30 % connections, 15 % HTTP, 10 % TLS), none of them on a list by
 * design, walked over and over; sizes are measured in turn and the best of
 * 21 rounds counts, so that a busy machine disturbs all alike.
 */
#include "intel/match.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "intel/compile.h"
#include "intel/list.h"

#define EVENTS 60000u
#define ROUNDS 21
#define SIZES  3

static uint64_t seed = 0x9e3779b97f4a7c15ull;
static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}
static double now_s(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
static double cpu_s(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- indicators, kept as text so that subsets can be compiled ---- */

struct item {
	char *value;
	enum yg_indicator_type type;
	uint32_t source;
};
static struct item *items;
static size_t item_count, item_cap;
static struct {
	char category[32], family[64];
} sources[65536];
static uint32_t source_count;

static void add_item(enum yg_indicator_type type, const char *value, size_t n, uint32_t source)
{
	if (item_count == item_cap) {
		item_cap = item_cap == 0 ? 1 << 16 : item_cap * 2;
		items = realloc(items, item_cap * sizeof *items);
	}
	items[item_count++] = (struct item){strndup(value, n), type, source};
}

static uint32_t source_of(struct yg_sv category, struct yg_sv family)
{
	char c[32], f[64];
	(void)snprintf(c, sizeof c, "%.*s", (int)category.n, category.p);
	(void)snprintf(f, sizeof f, "%.*s", (int)family.n, family.p);
	uint32_t at = (uint32_t)((family.n * 31 + (family.n > 0 ? (unsigned char)family.p[0] : 0)) *
				 131 % 65536);
	for (uint32_t i = 0; i < family.n && i < 63; i++)
		at = (at * 33 + (unsigned char)family.p[i]) % 65536;
	while (sources[at].category[0] != 0 &&
	       (strcmp(sources[at].category, c) != 0 || strcmp(sources[at].family, f) != 0))
		at = (at + 1) % 65536;
	if (sources[at].category[0] == 0) {
		source_count++;
		memcpy(sources[at].category, c, sizeof c);
		memcpy(sources[at].family, f, sizeof f);
	}
	return at;
}

static yg_status take_entry(void *ctx, const struct yg_indicator *ind, uint64_t line,
			    struct yg_err *err)
{
	(void)ctx;
	(void)line;
	(void)err;
	add_item(ind->type, ind->value.p, ind->value.n, source_of(ind->category, ind->family));
	return YG_OK;
}

static bool read_list(const char *file)
{
	struct yg_list_opts opts = {.entry = take_entry};
	struct yg_list_reader *list = NULL;
	static char buf[1 << 16];
	FILE *f = fopen(file, "rb");
	if (f == NULL || yg_list_new(&opts, &list, NULL) != YG_OK)
		return false;
	for (size_t n; (n = fread(buf, 1, sizeof buf, f)) > 0;)
		if (yg_list_feed(list, (struct yg_sv){buf, n}, NULL) != YG_OK)
			return false;
	(void)yg_list_end(list, NULL);
	yg_list_free(list);
	(void)fclose(f);
	return true;
}

static size_t word(char *to, size_t least, size_t most)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	size_t n = least + rnd() % (most - least + 1);
	for (size_t i = 0; i < n; i++)
		to[i] = letters[rnd() % 36];
	return n;
}

static const char *const tops[] = {"com", "net",  "org",   "ru",     "top",
				   "xyz", "info", "co.jp", "com.br", "de"};

/* The proportions of real lists: 72 % names, 17 % address and port, 10 % URLs,
 * some addresses and prefixes. */
static void make_items(size_t n)
{
	char v[256];
	for (size_t i = 0; i < n; i++) {
		unsigned kind = (unsigned)(rnd() % 1000), w = (unsigned)rnd();
		uint32_t source = source_of(YG_SV("malware"),
					    (struct yg_sv){"abcdefghijklmnopqrst", 1 + i % 20});
		size_t k = word(v, 4, 16);
		if (kind < 720) {
			k += (size_t)snprintf(v + k, sizeof v - k, ".%s", tops[rnd() % 10]);
			add_item(YG_IND_DOMAIN, v, k, source);
		} else if (kind < 893) {
			k = (size_t)snprintf(v, sizeof v, "%u.%u.%u.%u:%u", 1 + (w & 127),
					     w >> 8 & 255, w >> 16 & 255, w >> 24,
					     1 + (unsigned)(rnd() % 65535));
			add_item(YG_IND_IPPORT, v, k, source);
		} else if (kind < 992) {
			k += (size_t)snprintf(v + k, sizeof v - k, ".%s/%u/gate.php",
					      tops[rnd() % 10], w % 1000);
			add_item(YG_IND_URL, v, k, source);
		} else if (kind < 996) {
			k = (size_t)snprintf(v, sizeof v, "%u.%u.%u.0/24", 1 + (w & 127),
					     w >> 8 & 255, w >> 16 & 255);
			add_item(YG_IND_IP, v, k, source);
		} else {
			k = (size_t)snprintf(v, sizeof v, "%u.%u.%u.%u", 1 + (w & 127),
					     w >> 8 & 255, w >> 16 & 255, w >> 24);
			add_item(YG_IND_IP, v, k, source);
		}
	}
}

static void shuffle(void)
{
	for (size_t i = item_count; i > 1; i--) {
		size_t j = rnd() % i;
		struct item t = items[i - 1];
		items[i - 1] = items[j];
		items[j] = t;
	}
}

/* ---- events ---- */

struct compact { /* as the normaliser leaves it: a few views and addresses */
	struct yg_sv query, host, url, answer;
	struct yg_ip src, dst;
	uint16_t port;
};
static struct compact *events;

static struct yg_sv text(const char *p, size_t n)
{
	return (struct yg_sv){strndup(p, n), n};
}

static void make_events(void)
{
	char v[512];
	events = calloc(EVENTS, sizeof *events);
	for (size_t i = 0; events != NULL && i < EVENTS; i++) {
		struct compact *e = &events[i];
		unsigned kind = (unsigned)(rnd() % 100);
		size_t n = 0;
		e->src.b[10] = e->src.b[11] = e->dst.b[10] = e->dst.b[11] = 0xff;
		e->src.b[12] = 10;
		e->src.b[14] = (uint8_t)rnd();
		e->src.b[15] = (uint8_t)rnd();
		uint32_t ip = (uint32_t)rnd();
		memcpy(e->dst.b + 12, &ip, 4);
		e->port = kind < 45 ? 53 : kind < 75 ? (uint16_t)rnd() : kind < 90 ? 80 : 443;
		for (unsigned labels = (unsigned)(rnd() % 3); labels > 0; labels--) {
			n += word(v + n, 2, 9);
			v[n++] = '.';
		}
		n += word(v + n, 4, 14);
		n += (size_t)snprintf(v + n, sizeof v - n, ".%s", tops[rnd() % 10]);
		if (kind < 45) {
			e->query = text(v, n);
			n = (size_t)snprintf(v, sizeof v, "%u.%u.%u.%u", 1 + (ip & 127),
					     ip >> 8 & 255, ip >> 16 & 255, ip >> 24);
			e->answer = text(v, n);
		} else if (kind >= 75) {
			e->host = text(v, n);
		}
		if (kind >= 75 && kind < 90) {
			char u[600];
			size_t k = (size_t)snprintf(u, sizeof u, "http://%.*s/", (int)n, v);
			k += word(u + k, 3, 9);
			u[k++] = '/';
			k += word(u + k, 3, 20);
			k += (size_t)snprintf(u + k, sizeof u - k, "?id=%u", (unsigned)rnd());
			e->url = text(u, k);
		}
	}
}

static void expand(const struct compact *c, struct yg_event *ev)
{
	ev->query = c->query;
	ev->answers = (struct yg_strs){(struct yg_sv *)(uintptr_t)&c->answer, c->answer.n > 0};
	ev->dst_host = c->host;
	ev->url = c->url;
	ev->src_ip = c->src;
	ev->dst_ip = c->dst;
	ev->src_port = 50000;
	ev->dst_port = c->port;
}

/* ---- measuring ---- */

struct built {
	size_t count;
	struct yg_intel *intel;
	double compile_s, compile_cpu_s, open_s, open_cpu_s, bytes_each;
	double plain_ns, piped_ns;
	uint64_t matches;
};

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

static bool build(size_t n, struct built *out)
{
	struct yg_env env = {.random = random_bytes, .wall = wall};
	struct yg_intel_build_opts opts = {.env = &env};
	struct yg_intel_builder *b = NULL;
	struct yg_intel_build_stats stats;
	struct yg_err err = {.msg = ""};
	int fd = memfd_create("bench", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	double t = now_s(), cpu = cpu_s();
	if (fd < 0 || yg_intel_builder_new(&opts, &b, &err) != YG_OK)
		return false;
	for (size_t i = 0; i < item_count && i < n; i++) {
		struct yg_indicator ind = {.type = items[i].type,
					   .value = yg_sv_of(items[i].value),
					   .list = YG_SV("bench"),
					   .category = yg_sv_of(sources[items[i].source].category),
					   .family = yg_sv_of(sources[items[i].source].family),
					   .confidence = 75,
					   .severity_id = 4};
		(void)yg_intel_builder_add(b, &ind, NULL);
	}
	if (yg_intel_builder_finish(b, fd, 1, &stats, &err) != YG_OK) {
		(void)fprintf(stderr, "bench_match: %s\n", err.msg);
		return false;
	}
	out->compile_s = now_s() - t;
	out->compile_cpu_s = cpu_s() - cpu;
	yg_intel_builder_free(b);
	(void)fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	out->open_s = out->open_cpu_s = 1e9;
	for (int i = 0; i < 5; i++) {
		yg_intel_close(out->intel);
		out->intel = NULL;
		t = now_s();
		cpu = cpu_s();
		if (yg_intel_open_fd(fd, 0, &out->intel, &err) != YG_OK)
			return false;
		t = now_s() - t;
		cpu = cpu_s() - cpu;
		out->open_s = t < out->open_s ? t : out->open_s;
		out->open_cpu_s = cpu < out->open_cpu_s ? cpu : out->open_cpu_s;
	}
	(void)close(fd);
	out->count = stats.indicators;
	out->bytes_each = (double)stats.bytes / (double)stats.indicators;
	return true;
}

static double run_plain(const struct yg_intel *in, struct yg_match_set *set, uint64_t *matches)
{
	struct yg_event ev = {.org = YG_SV("bench")};
	double t = cpu_s();
	for (size_t i = 0; i < EVENTS; i++) {
		expand(&events[i], &ev);
		yg_intel_match(in, &ev, wall(NULL), set);
		*matches += set->n;
	}
	return (cpu_s() - t) / EVENTS * 1e9;
}

static double run_piped(const struct yg_intel *in, struct yg_match_set *sets, uint64_t *matches)
{
	struct yg_event ev[2] = {{.org = YG_SV("bench")}, {.org = YG_SV("bench")}};
	double t = cpu_s();
	expand(&events[0], &ev[0]);
	yg_intel_prepare(in, &ev[0], &sets[0]);
	for (size_t i = 0; i < EVENTS; i++) {
		size_t next = (i + 1) & 1;
		if (i + 1 < EVENTS) {
			expand(&events[i + 1], &ev[next]);
			yg_intel_prepare(in, &ev[next], &sets[next]);
		}
		yg_intel_finish(in, &ev[i & 1], wall(NULL), &sets[i & 1]);
		*matches += sets[i & 1].n;
	}
	return (cpu_s() - t) / EVENTS * 1e9;
}

static bool dump(const char *dir)
{
	char path[4096], ip[YG_IP_TEXT_MAX];
	(void)snprintf(path, sizeof path, "%s/indicators.txt", dir);
	FILE *f = fopen(path, "w");
	for (size_t i = 0; f != NULL && i < item_count; i++)
		(void)fprintf(f, "%s\n", items[i].value);
	if (f == NULL || fclose(f) != 0)
		return false;
	(void)snprintf(path, sizeof path, "%s/events.tsv", dir);
	f = fopen(path, "w");
	for (size_t i = 0; f != NULL && i < EVENTS; i++) {
		const struct compact *e = &events[i];
		struct yg_sb b = yg_sb_init(ip, sizeof ip);
		yg_ip_format(&b, e->dst);
		(void)fprintf(f, "%.*s\t%.*s\t%.*s\t%s\t%u\t%.*s\n", YG_SV_ARG(e->query),
			      YG_SV_ARG(e->host), YG_SV_ARG(e->url), yg_sb_cstr(&b), e->port,
			      YG_SV_ARG(e->answer));
	}
	return f != NULL && fclose(f) == 0;
}

int main(int argc, char **argv)
{
	static const size_t want[SIZES] = {1000, 100000, SIZE_MAX};
	struct built b[SIZES] = {{.plain_ns = 1e18, .piped_ns = 1e18},
				 {.plain_ns = 1e18, .piped_ns = 1e18},
				 {.plain_ns = 1e18, .piped_ns = 1e18}};
	struct yg_match_set *sets = malloc(2 * sizeof *sets);
	const char *dir = argc > 2 && strcmp(argv[1], "--dump") == 0 ? argv[2] : NULL;
	int first = dir != NULL ? 3 : 1;
	for (int i = first; i < argc; i++)
		if (!read_list(argv[i]))
			return 1;
	if (argc <= first)
		make_items(1612362);
	shuffle();
	make_events();
	if (events == NULL || sets == NULL)
		return 1;
	if (dir != NULL)
		return !dump(dir);
	for (size_t i = 0; i < SIZES; i++)
		if (!build(want[i], &b[i]))
			return 1;
	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < SIZES; i++) {
			uint64_t matches = 0;
			double plain = run_plain(b[i].intel, sets, &matches);
			double piped = run_piped(b[i].intel, sets, &matches);
			b[i].plain_ns = YG_MIN(b[i].plain_ns, plain);
			b[i].piped_ns = YG_MIN(b[i].piped_ns, piped);
			b[i].matches = matches / 2;
		}
	}
	struct rusage ru;
	(void)getrusage(RUSAGE_SELF, &ru);
	(void)printf("{\"real\":%s,\"events\":%u,\"sizes\":[", argc > first ? "true" : "false",
		     EVENTS);
	for (size_t i = 0; i < SIZES; i++)
		(void)printf(
			"%s{\"indicators\":%zu,\"compile_s\":%.3f,\"compile_cpu_s\":%.3f,\"open_ms\":%.1f,\"open_cpu_ms\":%.1f,\"bytes_each\":%.1f,"
			"\"ns_per_event\":%.0f,\"piped_ns_per_event\":%.0f,\"matches\":%llu}",
			i > 0 ? "," : "", b[i].count, b[i].compile_s, b[i].compile_cpu_s,
			b[i].open_s * 1e3, b[i].open_cpu_s * 1e3, b[i].bytes_each, b[i].plain_ns,
			b[i].piped_ns, (unsigned long long)b[i].matches);
	(void)printf("],\"peak_mb\":%ld}\n", ru.ru_maxrss / 1024);
	return 0;
}
