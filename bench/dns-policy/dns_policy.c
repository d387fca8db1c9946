/* bench_dns_policy.c - compile and open time, memory, and nanoseconds per look-up at 1
 * thousand, 1 million and 10 million names.
 *
 * bench_dns_policy [--names FILE] [SIZE...]   FILE: a list (CSV, plain) whose names are
 * one more size; sizes default to 1000 1000000 10000000.
 * One JSON object per size on stdout; bench/dns-policy/run prints them for people.
 *
 * From text: every name is two records of a master file, "NAME CNAME ." and
 * "*.NAME CNAME .".  Look-ups go in batches of 64 as the resolver makes them: hash all,
 * ask the filter for all, fetch for all, judge all; reading
 * the names themselves is measured alone and taken off.  `hit`: names and sub-domains of the
 * policy; `miss`: names that are not in it; `mixed`: one in twenty a hit.  The sizes are
 * asked in turn and the best of ROUNDS counts, so that a busy machine disturbs all alike.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "dns/compile.h"
#include "dns/policy.h"
#include "dns/source.h"

#define BATCH     64u
#define QUERIES   262144u
#define ROUNDS    15
#define SIZES_MAX 6

static uint64_t seed = 0x9e3779b97f4a7c15ull;
static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}
static double clock_s(clockid_t id)
{
	struct timespec t;
	(void)clock_gettime(id, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The shape of the real list: 7 to 16 letters, one name in five with a label more. */
static size_t make_name(char *to, uint64_t i, const char *salt)
{
	static const char *const tops[] = {"com", "net",  "org",   "ru",     "top",
					   "xyz", "info", "co.jp", "com.br", "de"};
	uint64_t h = (i + 1) * 0x9e3779b97f4a7c15ull;
	h ^= h >> 29;
	size_t n = 0, letters = 4 + (size_t)(h % 10);
	if (h % 5 == 0)
		n += (size_t)sprintf(to, "www.");
	for (size_t k = 0; k < letters;
	     k++, h = h * 6364136223846793005ull + 1442695040888963407ull)
		to[n++] = (char)('a' + (h >> 33) % 26);
	n += (size_t)sprintf(to + n, "%s%llu.%s", salt, (unsigned long long)i,
			     tops[(h >> 40) % 10]);
	return n;
}

/* Queries as they come: names in wire form one behind the other, so that walking them
 * costs next to nothing and what is measured is the policy. */
struct packed {
	uint8_t *p;
	size_t n;
};
struct size {
	char label[32];
	uint64_t names, bytes;
	double compile_s, open_cpu_ms, rss_mb;
	double hit, miss, mixed; /* ns */
	struct yg_dns_policy *policy;
	struct packed hits, misses, mix;
	int fd;
};
static struct size sizes[SIZES_MAX];
static size_t size_count;

static double rss_mb(void)
{
	long pages = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (f != NULL) {
		if (fscanf(f, "%ld %ld", &pages, &resident) != 2)
			resident = 0;
		(void)fclose(f);
	}
	return (double)resident * 4096 / 1e6;
}

static void die(const struct yg_err *err)
{
	(void)fprintf(stderr, "%s\n", err->msg);
	exit(1);
}

/* ---- compiling ---- */

static void feed_made_up(struct yg_dns_source *s, uint64_t names, double *cpu, struct yg_err *err)
{
	static char text[1 << 20];
	size_t n = (size_t)sprintf(
		text, "$TTL 300\n$ORIGIN feed.rpz.\n@ SOA a. b. 1 2 3 4 60\n@ NS a.\n");
	for (uint64_t i = 0; i < names; i++) {
		char name[80];
		size_t k = make_name(name, i, "");
		n += (size_t)sprintf(text + n, "%.*s CNAME .\n*.%.*s CNAME .\n", (int)k, name,
				     (int)k, name);
		if (n < sizeof text - 512 && i + 1 < names)
			continue;
		double before =
			clock_s(CLOCK_PROCESS_CPUTIME_ID); /* making the text is not counted */
		if (yg_dns_source_feed(s, (struct yg_sv){text, n}, err) != YG_OK)
			die(err);
		*cpu += clock_s(CLOCK_PROCESS_CPUTIME_ID) - before;
		n = 0;
	}
}

static void feed_file(struct yg_dns_source *s, const char *file, double *cpu, struct yg_err *err)
{
	static char text[1 << 18];
	FILE *f = fopen(file, "rb");
	double before = clock_s(CLOCK_PROCESS_CPUTIME_ID);
	if (f == NULL)
		exit(1);
	for (size_t n; (n = fread(text, 1, sizeof text, f)) > 0;)
		if (yg_dns_source_feed(s, (struct yg_sv){text, n}, err) != YG_OK)
			die(err);
	(void)fclose(f);
	*cpu += clock_s(CLOCK_PROCESS_CPUTIME_ID) - before;
}

static void compile(struct size *z, const char *file)
{
	static struct yg_env_sim sim = {.seed = 1};
	struct yg_env env = yg_env_sim(&sim);
	struct yg_dns_build_opts opts = {.env = &env};
	struct yg_dns_zone_spec spec = {
		.name = YG_SV("feed"), .layer = YG_DNS_LAYER_CENTRE_ZONE, .is_list = file != NULL};
	struct yg_dns_builder *b = NULL;
	struct yg_dns_source *s = NULL;
	struct yg_dns_build_stats stats;
	struct yg_err err = {.msg = ""};
	struct yg_dns_source_opts from = {.is_list = file != NULL};
	if (yg_dns_builder_new(&opts, &b, &err) != YG_OK ||
	    yg_dns_builder_zone(b, &spec, &from.zone, &err) != YG_OK)
		die(&err);
	from.builder = b;
	if (yg_dns_source_new(&from, &s, &err) != YG_OK)
		die(&err);
	if (file != NULL)
		feed_file(s, file, &z->compile_s, &err);
	else
		feed_made_up(s, z->names, &z->compile_s, &err);
	double before = clock_s(CLOCK_PROCESS_CPUTIME_ID);
	z->fd = memfd_create("policy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (yg_dns_source_end(s, &err) != YG_OK ||
	    yg_dns_builder_finish(b, z->fd, 1, &stats, &err) != YG_OK)
		die(&err);
	z->compile_s += clock_s(CLOCK_PROCESS_CPUTIME_ID) - before;
	(void)fcntl(z->fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	z->names = stats.names;
	z->bytes = stats.bytes;
	yg_dns_source_free(s);
	yg_dns_builder_free(b);
}

static void open_it(struct size *z)
{
	struct yg_err err = {.msg = ""};
	double had = rss_mb();
	for (int i = 0; i < 5; i++) {
		yg_dns_policy_close(z->policy);
		double before = clock_s(CLOCK_PROCESS_CPUTIME_ID);
		if (yg_dns_policy_open_fd(z->fd, 0, &z->policy, &err) != YG_OK)
			die(&err);
		double ms = (clock_s(CLOCK_PROCESS_CPUTIME_ID) - before) * 1e3;
		z->open_cpu_ms = i == 0 || ms < z->open_cpu_ms ? ms : z->open_cpu_ms;
	}
	z->rss_mb = rss_mb() - had;
}

/* The same names over a base, beside 1,000 others that came since. */
static void stand_over(const struct size *base, struct size *z)
{
	static struct yg_env_sim sim = {.seed = 2};
	static const struct yg_dns_zone_stats none;
	struct yg_env env = yg_env_sim(&sim);
	struct yg_dns_build_opts opts = {.env = &env, .base = base->policy};
	struct yg_dns_zone_spec feed = {.name = YG_SV("feed"), .layer = YG_DNS_LAYER_CENTRE_ZONE};
	struct yg_dns_zone_spec new = {
		.name = YG_SV("new"), .layer = YG_DNS_LAYER_CENTRE_ZONE, .is_list = true};
	struct yg_dns_builder *b = NULL;
	struct yg_err err = {.msg = ""};
	uint32_t zone;
	*z = *base;
	(void)snprintf(z->label, sizeof z->label, "%.16s+1000", base->label);
	double before = clock_s(CLOCK_PROCESS_CPUTIME_ID);
	if (yg_dns_builder_new(&opts, &b, &err) != YG_OK ||
	    yg_dns_builder_zone(b, &feed, &zone, &err) != YG_OK ||
	    yg_dns_builder_continue(b, zone, &none, &err) != YG_OK ||
	    yg_dns_builder_zone(b, &new, &zone, &err) != YG_OK)
		die(&err);
	for (uint64_t i = 0; i < 1000; i++) {
		char text[80];
		struct yg_dns_name name;
		size_t n = make_name(text, i, "new");
		if (yg_dns_name_parse((struct yg_sv){text, n}, NULL, &name, &err) != YG_OK ||
		    yg_dns_builder_name(b, zone, &name, true, true, YG_DNS_ACTION_NXDOMAIN, &err) !=
			    YG_OK)
			die(&err);
	}
	z->fd = memfd_create("policy", MFD_CLOEXEC);
	if (yg_dns_builder_finish(b, z->fd, 2, NULL, &err) != YG_OK)
		die(&err);
	z->compile_s = clock_s(CLOCK_PROCESS_CPUTIME_ID) - before;
	before = clock_s(CLOCK_PROCESS_CPUTIME_ID);
	if (yg_dns_policy_open_over(z->fd, 0, base->policy, &z->policy, &err) != YG_OK)
		die(&err);
	z->open_cpu_ms = (clock_s(CLOCK_PROCESS_CPUTIME_ID) - before) * 1e3;
	yg_dns_builder_free(b);
}

/* ---- asking ---- */

static void pack(struct packed *to, const char *text, size_t n)
{
	struct yg_dns_name name;
	if (yg_dns_name_parse((struct yg_sv){text, n}, NULL, &name, NULL) != YG_OK)
		yg_dns_name_root(&name);
	memcpy(to->p + to->n, name.b, name.n);
	to->n += name.n;
}

static void make_queries(struct size *z, char **names, uint64_t count)
{
	z->hits.p = malloc((size_t)QUERIES * 256);
	z->misses.p = malloc((size_t)QUERIES * 256);
	z->mix.p = malloc((size_t)QUERIES * 256);
	for (size_t i = 0; i < QUERIES; i++) {
		char text[300], other[300];
		size_t n = 0;
		uint64_t at = rnd() % count;
		if (i % 2 == 1)
			n = (size_t)sprintf(text, "mail.");
		if (names != NULL)
			n += (size_t)sprintf(text + n, "%s", names[at]);
		else
			n += make_name(text + n, at, "");
		pack(&z->hits, text, n);
		size_t k = i % 2 == 1 ? (size_t)sprintf(other, "www.") : 0;
		k += make_name(other + k, rnd() % 100000000, "z");
		pack(&z->misses, other, k);
		if (i % 20 == 7)
			pack(&z->mix, text, n);
		else
			pack(&z->mix, other, k);
	}
}

static uint64_t decided;
/* ns per query; without `judge` only the names are read: what is taken off again. */
static double ask(const struct size *z, const struct packed *q, bool judge)
{
	static struct yg_dns_name name[BATCH];
	static struct yg_dns_probe probe[BATCH];
	static struct yg_dns_eval e;
	struct yg_ip client = {{0}};
	size_t at = 0;
	double before = clock_s(CLOCK_PROCESS_CPUTIME_ID);
	for (size_t i = 0; i < QUERIES; i += BATCH) {
		for (size_t k = 0; k < BATCH; k++)
			if (yg_dns_name_read_plain(q->p, q->n, &at, &name[k]) != YG_OK)
				exit(1);
		for (size_t k = 0; judge && k < BATCH; k++)
			yg_dns_policy_hash(z->policy, &name[k], &probe[k]);
		for (size_t k = 0; judge && k < BATCH; k++)
			(void)yg_dns_policy_touch(z->policy, &probe[k]);
		for (size_t k = 0; judge && k < BATCH; k++)
			yg_dns_policy_fetch(z->policy, &probe[k]);
		for (size_t k = 0; judge && k < BATCH; k++) {
			if (!probe[k].maybe)
				continue;
			yg_dns_eval_begin(&e, z->policy, 0, client);
			yg_dns_eval_name(&e, &name[k], &probe[k]);
			decided += yg_dns_eval_stage_end(&e);
		}
	}
	return (clock_s(CLOCK_PROCESS_CPUTIME_ID) - before) * 1e9 / QUERIES;
}

static double least(double a, double b)
{
	return a == 0 || b < a ? b : a;
}

static char **read_names(const char *file, uint64_t *count)
{
	char *line = NULL, **names = NULL;
	size_t cap = 0, n = 0, room = 0;
	FILE *f = fopen(file, "r");
	if (f == NULL)
		exit(1);
	for (ssize_t k; (k = getline(&line, &cap, f)) > 0;) {
		size_t len = strcspn(line, ",\r\n");
		if (len == 0 || len > 250 || strncmp(line, "indicator", 9) == 0)
			continue;
		if (n == room) {
			room = room == 0 ? 65536 : room * 2;
			names = realloc(names, room * sizeof *names);
		}
		names[n++] = strndup(line, len);
	}
	free(line);
	(void)fclose(f);
	*count = n;
	return names;
}

static void add_size(uint64_t names, const char *file)
{
	struct size *z = &sizes[size_count++];
	char **list = NULL;
	uint64_t count = names;
	if (file != NULL)
		list = read_names(file, &count);
	(void)snprintf(z->label, sizeof z->label, file != NULL ? "real" : "%llu",
		       (unsigned long long)names);
	z->names = names;
	compile(z, file);
	open_it(z);
	make_queries(z, list, count);
}

int main(int argc, char **argv)
{
	const char *file = NULL;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--names") == 0 && i + 1 < argc)
			file = argv[++i];
		else if (strcmp(argv[i], "--over") == 0 && size_count > 0 &&
			 size_count < SIZES_MAX - 1) {
			stand_over(&sizes[size_count - 1], &sizes[size_count]);
			size_count++;
		} else if (size_count < SIZES_MAX - 1)
			add_size(strtoull(argv[i], NULL, 10), NULL);
	}
	if (size_count == 0) {
		add_size(1000, NULL);
		add_size(1000000, NULL);
		add_size(10000000, NULL);
	}
	if (file != NULL)
		add_size(0, file);
	double bare = 0;
	for (int r = 0; r < ROUNDS; r++)
		for (size_t i = 0; i < size_count; i++) {
			struct size *z = &sizes[i];
			bare = least(bare, ask(z, &z->misses, false));
			z->hit = least(z->hit, ask(z, &z->hits, true));
			z->miss = least(z->miss, ask(z, &z->misses, true));
			z->mixed = least(z->mixed, ask(z, &z->mix, true));
		}
	for (size_t i = 0; i < size_count; i++) {
		const struct size *z = &sizes[i];
		(void)printf(
			"{\"size\":\"%s\",\"names\":%llu,\"compile_cpu_s\":%.2f,\"open_cpu_ms\":%.1f,"
			"\"file_mb\":%.1f,\"rss_mb\":%.1f,\"hit_ns\":%.0f,\"miss_ns\":%.0f,"
			"\"mixed_ns\":%.0f}\n",
			z->label, (unsigned long long)z->names, z->compile_s, z->open_cpu_ms,
			(double)z->bytes / 1e6, z->rss_mb, z->hit - bare, z->miss - bare,
			z->mixed - bare);
	}
	return decided > 0 ? 0 : 1;
}
