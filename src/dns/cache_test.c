#include "dns/cache.h"

#include <sys/mman.h>
#include <unistd.h>

#include "tap.h"

#define KEYS 4000

static struct yg_dns_cache cache;
static const uint64_t keys[2] = {1, 2};
static uint64_t seed = 88172645463325252ull;
static uint32_t rnd(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 33) % below;
}

static struct yg_dns_name name_of(unsigned i)
{
	char text[64];
	struct yg_dns_name n;
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_printf(&b, "n%u.%s", i, i % 3 == 0 ? "below.example" : "other.test");
	if (yg_dns_name_parse(yg_sb_sv(&b), NULL, &n, NULL) != YG_OK)
		abort();
	return n;
}

/* An empty cache in that memory. */
static void begin(void *memory)
{
	memset(memory, 0, YG_DNS_CACHE_LEAST);
	(void)yg_dns_cache_init(&cache, memory, YG_DNS_CACHE_LEAST, keys,
				&(struct yg_dns_cache_opts){0});
}

/* Memory that has never been touched is not touched by a cache that holds nothing. */
static void test_untouched(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), n = (size_t)64 << 20;
	static unsigned char in[16384];
	struct yg_dns_name name = name_of(1);
	unsigned touched = 0;
	void *memory = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	T_OK(memory != MAP_FAILED && n / page <= sizeof in);
	T_OK(yg_dns_cache_init(&cache, memory, n, keys, &(struct yg_dns_cache_opts){0}) == YG_OK);
	struct yg_dns_key k = yg_dns_cache_key(&cache, 1, &name, YG_DNS_A, 0);
	T_OK(mincore(memory, n, in) == 0);
	for (size_t i = 0; i < n / page; i++)
		touched += in[i] & 1u;
	T_OK(touched == 0 && yg_dns_cache_find(&cache, &k) == NULL);
	(void)munmap(memory, n);
}

/* A message for the name, `size` bytes long, with `mark` in its last four. */
static size_t message(uint8_t *to, const struct yg_dns_name *name, size_t size, uint32_t mark)
{
	static struct yg_dns_wr w;
	yg_dns_wr_begin(&w, to, 65535, 0, YG_DNS_QR);
	yg_dns_wr_question(&w, name, YG_DNS_A, YG_DNS_IN);
	size = YG_MAX(size, w.n + 4);
	memset(to + w.n, 0x55, size - w.n);
	memcpy(to + size - 4, &mark, 4);
	return size;
}

/* Against a plain table: what is found is the last that was put, its bytes whole. */
static void test_against_table(void *memory, size_t most)
{
	static struct {
		uint32_t mark;
		size_t n;
	} table[KEYS];
	static uint8_t msg[65535];
	const uint16_t ttls[] = {17, 19};
	struct yg_dns_entry like = {.stored = 1};
	uint64_t found = 0, asked = 0;
	bool whole = true, bounded = true;
	memset(table, 0, sizeof table);
	begin(memory);
	for (uint32_t round = 1; round < 60000; round++) {
		unsigned i = rnd(rnd(2) ? KEYS : 200); /* some are asked more than others */
		struct yg_dns_name name = name_of(i);
		struct yg_dns_key k = yg_dns_cache_key(&cache, i % 5, &name, YG_DNS_A, i & 3);
		struct yg_dns_entry *e = yg_dns_cache_find(&cache, &k);
		asked++;
		if (e != NULL) {
			uint32_t mark;
			memcpy(&mark, e->msg + e->msg_n - 4, 4);
			found++;
			whole &= mark == table[i].mark && e->msg_n == table[i].n &&
				 e->ttl_count == 2 && yg_dns_entry_ttls(e)[1] == 19 &&
				 e->set == i % 5;
		}
		if (e != NULL && rnd(4) != 0)
			continue;
		table[i].mark = round;
		table[i].n = message(msg, &name, rnd((uint32_t)most), round);
		whole &= yg_dns_cache_put(&cache, &k, &like, msg, table[i].n, ttls, 2) != NULL;
		bounded &= cache.used <= cache.blocks && cache.head < cache.blocks &&
			   cache.tail < cache.blocks;
	}
	T_NAMED(whole, "what is found is what was put last");
	T_NAMED(bounded, "the ring stays in its bounds");
	T_OK(found > (most > 1000 ? 0 : asked / 10) && cache.evicted > 0 && cache.replaced > 0);
	uint64_t before = cache.entries, gone;
	struct yg_dns_name top;
	if (yg_dns_name_parse(YG_SV("below.example"), NULL, &top, NULL) != YG_OK)
		abort();
	gone = yg_dns_cache_flush(&cache, &top);
	T_OK(gone > 0 && gone < before && cache.entries == before - gone);
	for (unsigned i = 0; i < KEYS; i += 3) {
		struct yg_dns_name name = name_of(i);
		struct yg_dns_key k = yg_dns_cache_key(&cache, i % 5, &name, YG_DNS_A, i & 3);
		whole &= yg_dns_cache_find(&cache, &k) == NULL;
	}
	T_NAMED(whole, "nothing below the name is left");
	T_OK(yg_dns_cache_flush(&cache, NULL) == before - gone && cache.entries == 0);
}

/* A flood of names that are asked once does not drive out what is in use. */
static void test_flood(void *memory)
{
	static uint8_t msg[600];
	struct yg_dns_entry like = {.stored = 1};
	unsigned kept = 0;
	begin(memory);
	for (unsigned i = 0; i < 100000; i++) {
		unsigned id = i < 300 ? i : 10000 + i;
		struct yg_dns_name name = name_of(id);
		struct yg_dns_key k = yg_dns_cache_key(&cache, 1, &name, YG_DNS_A, 0);
		size_t n = message(msg, &name, 200, i);
		(void)yg_dns_cache_put(&cache, &k, &like, msg, n, NULL, 0);
		for (unsigned u = 0; u < 3; u++) { /* the first 300 are in use */
			name = name_of(rnd(300));
			k = yg_dns_cache_key(&cache, 1, &name, YG_DNS_A, 0);
			(void)yg_dns_cache_find(&cache, &k);
		}
	}
	for (unsigned i = 0; i < 300; i++) {
		struct yg_dns_name name = name_of(i);
		struct yg_dns_key k = yg_dns_cache_key(&cache, 1, &name, YG_DNS_A, 0);
		kept += yg_dns_cache_find(&cache, &k) != NULL;
	}
	(void)printf("# %u of 300 in use are kept\n", kept);
	T_OK(kept > 285);
}

int main(void)
{
	void *memory = aligned_alloc(64, YG_DNS_CACHE_LEAST);
	const struct yg_dns_cache_opts none = {0};
	static uint8_t msg[65535];
	T_OK(yg_dns_cache_init(&cache, memory, YG_DNS_CACHE_LEAST - 1, keys, &none) == YG_INVAL);
	T_OK(yg_dns_cache_init(&cache, (char *)memory + 8, YG_DNS_CACHE_LEAST, keys, &none) ==
	     YG_INVAL);
	test_untouched();
	test_against_table(memory, 600);
	test_against_table(memory, 60000);
	test_flood(memory);
	struct yg_dns_name name = name_of(1);
	struct yg_dns_entry like = {.stored = 1};
	begin(memory);
	struct yg_dns_key k = yg_dns_cache_key(&cache, 1, &name, YG_DNS_A, 0), other = k;
	(void)message(msg, &name, 65535, 1);
	T_OK(yg_dns_cache_put(&cache, &k, &like, msg, 65535, NULL, 0) != NULL);
	other.flags = YG_DNS_KEY_CD; /* the same hash, another key: never mistaken */
	T_OK(yg_dns_cache_find(&cache, &other) == NULL);
	other = k;
	other.type = YG_DNS_AAAA;
	T_OK(yg_dns_cache_find(&cache, &other) == NULL);
	other = k;
	other.set = 2;
	T_OK(yg_dns_cache_find(&cache, &other) == NULL && yg_dns_cache_find(&cache, &k) != NULL);
	free(memory);
	return tap_done();
}
