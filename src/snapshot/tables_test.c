/* The hash set and the prefix tree against what they are to hold. */
#include <stdlib.h>

#include "snapshot/hashset.h"
#include "snapshot/prefix.h"
#include "tap.h"

static uint64_t seed = 0x2545f4914f6cdd1dull;
static uint32_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 20);
}

static const struct yg_hash_key key = {{0x0123456789abcdefull, 0xfedcba9876543210ull}};

static void test_hashes(void)
{
	static const char name[] = "www.evil.example.com";
	struct yg_name_hash h[8];
	size_t n = yg_name_hashes(&key, 1, YG_SV("www.evil.example.com"), h, 8);
	T_OK(n == 4 && h[0].at == 17 && h[1].at == 9 && h[2].at == 4 && h[3].at == 0);
	bool same = true;
	for (size_t i = 0; i < n; i++)
		same = same && h[i].hash == yg_name_hash(&key, 1, yg_sv_of(name + h[i].at));
	T_NAMED(same, "a suffix hashes as the name it is");
	T_OK(yg_name_hashes(&key, 1, YG_SV("a.b.c"), h, 2) == 2);
	T_OK(yg_name_hashes(&key, 1, YG_SV(""), h, 8) == 1);
	T_OK(yg_name_hash(&key, 1, YG_SV("ab.c")) != yg_name_hash(&key, 1, YG_SV("a.bc")));
	T_OK(yg_name_hash(&key, 1, YG_SV("a.b")) != yg_name_hash(&key, 2, YG_SV("a.b")));
	struct yg_hash_key other = {{1, 2}};
	T_OK(yg_name_hash(&key, 1, YG_SV("a.b")) != yg_name_hash(&other, 1, YG_SV("a.b")));
	T_OK(yg_hash_of(&key, 1, YG_SV("")) != yg_hash_of(&key, 1, (struct yg_sv){"\0", 1}));
	/* lengths around the steps of 4, 8 and 16 bytes: each byte counts */
	char text[40];
	unsigned equal = 0;
	for (size_t len = 1; len < sizeof text; len++) {
		memset(text, 'x', sizeof text);
		uint64_t first = yg_hash_of(&key, 1, (struct yg_sv){text, len});
		for (size_t i = 0; i < len; i++) {
			text[i] ^= 1;
			equal += yg_hash_of(&key, 1, (struct yg_sv){text, len}) == first;
			text[i] ^= 1;
		}
		equal += yg_hash_of(&key, 1, (struct yg_sv){text, len - 1}) == first;
	}
	T_OK(equal == 0);
}

#define KEYS 20000u

static struct yg_sv numbered(char *buf, size_t cap, uint32_t i)
{
	int n = snprintf(buf, cap, "key-%u", i);
	return (struct yg_sv){buf, (size_t)n};
}

static void fill(struct yg_buf *pool, struct yg_hashset *s)
{
	struct yg_hashset_item *items = calloc(KEYS, sizeof *items);
	char buf[32];
	bool ok = items != NULL;
	for (uint32_t i = 0; ok && i < KEYS; i++) {
		uint64_t off;
		uint32_t values[3] = {i, i * 7, UINT32_MAX};
		struct yg_sv k = numbered(buf, sizeof buf, i);
		ok = yg_hashset_put(pool, (uint8_t)(i & 15), k, values, 1 + i % 3, &off) == YG_OK;
		items[i] = (struct yg_hashset_item){yg_hash_of(&key, 3, k), (uint32_t)off, 0};
	}
	T_OK(ok && yg_hashset_build(&key, items, KEYS, pool->n, s, NULL) == YG_OK);
	s->pool = (const uint8_t *)pool->p;
	free(items);
}

static void test_set(void)
{
	struct yg_buf pool;
	struct yg_hashset s = {.off_bits = 0};
	struct yg_hashset_rec rec[2];
	uint64_t count = 0, wrong = 0, maybe = 0;
	char buf[32];
	yg_buf_init(&pool, 1 << 24);
	fill(&pool, &s);
	T_OK(yg_hashset_check(&s, UINT64_MAX, &count, NULL) == YG_OK && count == KEYS);
	T_OK(yg_hashset_check(&s, UINT32_MAX, &count, NULL) ==
	     YG_CORRUPT); /* the largest value is there */
	T_OK(yg_hashset_check(&s, (uint64_t)UINT32_MAX + 1, &count, NULL) == YG_OK);
	for (uint32_t i = 0; i < KEYS; i++) {
		struct yg_sv k = numbered(buf, sizeof buf, i);
		uint64_t h = yg_hash_of(&key, 3, k);
		uint32_t v = 0;
		bool ok = yg_hashset_maybe(&s, h) && yg_hashset_find(&s, h, k, rec, 2) == 1 &&
			  rec[0].head == (i & 15) && yg_sv_eq(rec[0].key, k) &&
			  rec[0].value_count == 1 + i % 3 && yg_hashset_value(&rec[0], &v) &&
			  v == i;
		for (uint32_t left = i % 3; left > 0; left--)
			ok = ok && yg_hashset_value(&rec[0], &v);
		wrong += !ok || yg_hashset_value(&rec[0], &v);
	}
	T_NAMED(wrong == 0, "every key is found with its values");
	for (uint32_t i = KEYS; i < 10 * KEYS; i++) {
		struct yg_sv k = numbered(buf, sizeof buf, i);
		uint64_t h = yg_hash_of(&key, 3, k);
		maybe += yg_hashset_maybe(&s, h);
		wrong += yg_hashset_find(&s, h, k, rec, 2) != 0;
	}
	T_NAMED(wrong == 0, "no other key is found");
	(void)printf("# the filter lets %.2f %% of other keys through\n",
		     (double)maybe / (9 * KEYS) * 100);
	T_OK(maybe < 9 * KEYS / 100);
	T_OK(!yg_hashset_rec(&s, s.pool_bytes, rec) && !yg_hashset_rec(&s, UINT64_MAX, rec));
	free((void *)(uintptr_t)s.filter);
	free((void *)(uintptr_t)s.slots);
	yg_buf_free(&pool);
}

static void test_empty_set(void)
{
	struct yg_hashset s = {.off_bits = 0};
	struct yg_hashset_rec rec;
	uint64_t count = 7;
	T_OK(yg_hashset_build(&key, NULL, 0, 0, &s, NULL) == YG_OK);
	s.pool = (const uint8_t *)"";
	T_OK(yg_hashset_check(&s, 0, &count, NULL) == YG_OK && count == 0);
	T_OK(!yg_hashset_maybe(&s, 12345) && yg_hashset_find(&s, 12345, YG_SV("x"), &rec, 1) == 0);
	free((void *)(uintptr_t)s.filter);
	free((void *)(uintptr_t)s.slots);
}

#define PREFIXES 3000u
static struct yg_prefix_item items[PREFIXES], sorted[PREFIXES];

static bool covers(const struct yg_prefix_item *p, struct yg_ip ip)
{
	if (yg_ip_is_v4(ip) != (p->bits >= 96 && yg_ip_is_v4(p->ip)))
		return false;
	for (unsigned i = 0; i < p->bits; i++)
		if (((p->ip.b[i / 8] ^ ip.b[i / 8]) & (0x80 >> (i % 8))) != 0)
			return false;
	return true;
}

static struct yg_ip random_ip(void)
{
	struct yg_ip ip = {.b = {0}};
	uint32_t tail = rnd() & 0xf000ffff, v6 = rnd() & 3;
	if (v6 == 0) {
		ip.b[0] = 0x20;
		ip.b[1] = (uint8_t)(rnd() & 3);
		ip.b[7] = (uint8_t)(rnd() & 0xf1);
		ip.b[15] = (uint8_t)(rnd() & 7);
	} else {
		ip.b[10] = ip.b[11] = 0xff;
		memcpy(ip.b + 12, &tail, 4);
	}
	return ip;
}

/* `least`: bits of the shortest IPv4 prefix; from 17 on the bitmaps say "no" often. */
static void test_prefixes(unsigned least, uint64_t hits_least)
{
	struct yg_prefix_tree t;
	for (uint32_t i = 0; i < PREFIXES; i++) {
		struct yg_ip ip = random_ip();
		unsigned bits = yg_ip_is_v4(ip) ? 96 + least + rnd() % (33 - least) : rnd() % 129;
		for (unsigned k = bits; k < 128; k++)
			ip.b[k / 8] &= (uint8_t) ~(0x80u >> (k % 8));
		items[i] = (struct yg_prefix_item){ip, (uint8_t)bits, (uint32_t)i};
	}
	memcpy(sorted, items, sizeof items);
	T_OK(yg_prefix_build(sorted, PREFIXES, &t, NULL) == YG_OK);
	T_OK(yg_prefix_check(&t, NULL) == YG_OK);
	uint64_t wrong = 0, hits = 0;
	for (int round = 0; round < 600; round++) {
		struct yg_ip ip = round % 3 == 0 ? items[rnd() % PREFIXES].ip : random_ip();
		uint32_t got[YG_PREFIX_HITS_MAX];
		size_t n = yg_prefix_find(&t, ip, got), want = 0;
		bool lengths[129] = {false};
		for (uint32_t i = 0; i < PREFIXES; i++) {
			if (covers(&items[i], ip) && !lengths[items[i].bits]) {
				lengths[items[i].bits] = true;
				want++;
			}
		}
		wrong += n != want;
		for (size_t i = 0; i < n; i++) {
			wrong += got[i] >= PREFIXES || !covers(&items[got[i]], ip);
			wrong += i > 0 && items[got[i]].bits >= items[got[i - 1]].bits;
		}
		hits += n;
	}
	(void)printf("# %llu prefixes found\n", (unsigned long long)hits);
	T_NAMED(wrong == 0 && hits > hits_least, "all prefixes of an address, the longest first");
	struct yg_prefix_node *bad = (struct yg_prefix_node *)(uintptr_t)t.nodes;
	struct yg_prefix_node keep = bad[1];
	bad[1].child_base = 0;
	T_OK(yg_prefix_check(&t, NULL) == YG_CORRUPT);
	bad[1] = keep;
	bad[1].value_base = (uint32_t)t.value_count;
	bad[1].inner |= 2;
	T_OK(yg_prefix_check(&t, NULL) == YG_CORRUPT);
	free((void *)(uintptr_t)t.nodes);
	free((void *)(uintptr_t)t.values);
	free((void *)(uintptr_t)t.front);
	T_OK(yg_prefix_build(NULL, 0, &t, NULL) == YG_OK && t.node_count == 2 &&
	     t.value_count == 0);
	uint32_t got[YG_PREFIX_HITS_MAX];
	T_OK(yg_prefix_find(&t, random_ip(), got) == 0);
	free((void *)(uintptr_t)t.nodes);
	free((void *)(uintptr_t)t.values);
	free((void *)(uintptr_t)t.front);
}

int main(void)
{
	test_hashes();
	test_set();
	test_empty_set();
	test_prefixes(0, 3000);
	test_prefixes(17, 200);
	return tap_done();
}
