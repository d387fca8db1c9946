#include "org/id.h"

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

void yg_sb_base32(struct yg_sb *b, const uint8_t *bytes, size_t n)
{
	unsigned bits = 0, have = 0;
	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | bytes[i];
		for (have += 8; have >= 5; have -= 5)
			yg_sb_putc(b, alphabet[bits >> (have - 5) & 31]);
		bits &= (1u << have) - 1;
	}
	if (have > 0)
		yg_sb_putc(b, alphabet[bits << (5 - have) & 31]);
}

/* The next id of the same millisecond is the last one plus one. */
static bool add_one(uint8_t random[static 10])
{
	for (size_t i = 10; i-- > 0;)
		if (++random[i] != 0)
			return true;
	return false;
}

struct yg_id yg_id_new(struct yg_id_source *src, const struct yg_env *env, const char *prefix)
{
	int64_t us = yg_env_wall(env).us;
	uint64_t now = us > 0 ? (uint64_t)us / 1000 : 0;
	if (now > src->ms || (src->ms == now && src->ms == 0)) {
		src->ms = now;
		env->random(env->ctx, src->random, sizeof src->random);
	} else if (!add_one(src->random)) {
		src->ms++; /* 2^80 ids in a millisecond: unheard of, still rising */
	}
	/* 26 characters carry 130 bits: two zero bits, 48 of time, 80 random */
	char text[YG_ULID_TEXT];
	for (size_t i = 0; i < 10; i++)
		text[i] = alphabet[src->ms >> (45 - 5 * i) & 31];
	struct yg_sb low = yg_sb_init(text + 10, sizeof text - 10);
	yg_sb_base32(&low, src->random, sizeof src->random);
	struct yg_id id = {{0}};
	struct yg_sb b = yg_sb_init(id.s, sizeof id.s - 1);
	yg_sb_put(&b, yg_sv_of(prefix));
	yg_sb_putc(&b, '-');
	yg_sb_put(&b, (struct yg_sv){text, sizeof text});
	return id;
}

bool yg_id_is(struct yg_sv s, struct yg_sv prefix)
{
	if (s.n != prefix.n + 1 + YG_ULID_TEXT || !yg_sv_starts(s, prefix) || s.p[prefix.n] != '-')
		return false;
	for (size_t i = prefix.n + 1; i < s.n; i++)
		if (memchr(alphabet, s.p[i], sizeof alphabet - 1) == NULL)
			return false;
	return true;
}
