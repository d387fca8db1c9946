#include "org/challenge.h"

#include <sodium.h>
#include <stdlib.h>
#include <uv.h>

#include "base/codec.h"

#define RANDOM 16
#define TAG    16
#define BYTES  (RANDOM + 8 + TAG)

struct yg_challenges {
	const struct yg_env *env; /* borrowed */
	uint8_t key[32];
	uv_mutex_t lock;
	struct {
		uint8_t tag[TAG];
		int64_t ends; /* 0: free */
	} used[YG_CHALLENGE_USED];
};

struct yg_challenges *yg_challenges_new(const struct yg_env *env)
{
	struct yg_challenges *c = calloc(1, sizeof *c);
	if (c == NULL || uv_mutex_init(&c->lock) != 0) {
		free(c);
		return NULL;
	}
	c->env = env;
	env->random(env->ctx, c->key, sizeof c->key);
	return c;
}

void yg_challenges_free(struct yg_challenges *c)
{
	if (c == NULL)
		return;
	uv_mutex_destroy(&c->lock);
	sodium_memzero(c->key, sizeof c->key);
	free(c);
}

static void tag_of(const struct yg_challenges *c, const char *purpose, struct yg_sv bound,
		   const uint8_t head[static RANDOM + 8], uint8_t out[static TAG])
{
	crypto_generichash_state h;
	uint64_t n = strlen(purpose);
	(void)crypto_generichash_init(&h, c->key, sizeof c->key, TAG);
	(void)crypto_generichash_update(&h, (const uint8_t *)&n, sizeof n);
	(void)crypto_generichash_update(&h, (const uint8_t *)purpose, n);
	(void)crypto_generichash_update(&h, head, RANDOM + 8);
	(void)crypto_generichash_update(&h, (const uint8_t *)bound.p, bound.n);
	(void)crypto_generichash_final(&h, out, TAG);
}

void yg_challenge_make(struct yg_challenges *c, const char *purpose, struct yg_sv bound,
		       char out[static YG_CHALLENGE_TEXT + 1])
{
	uint8_t bytes[BYTES];
	int64_t ends = yg_env_wall(c->env).us + YG_CHALLENGE_S * YG_US_PER_S;
	struct yg_sb b = yg_sb_init(out, YG_CHALLENGE_TEXT + 1);
	c->env->random(c->env->ctx, bytes, RANDOM);
	memcpy(bytes + RANDOM, &ends, sizeof ends);
	tag_of(c, purpose, bound, bytes, bytes + RANDOM + 8);
	yg_sb_base64url(&b, bytes, sizeof bytes);
	(void)yg_sb_cstr(&b);
}

static bool from_text(struct yg_sv text, uint8_t out[static BYTES])
{
	size_t n = 0;
	return text.n == YG_CHALLENGE_TEXT &&
	       sodium_base642bin(out, BYTES, text.p, text.n, NULL, &n, NULL,
				 sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
	       n == BYTES;
}

static yg_status check(const struct yg_challenges *c, const char *purpose, struct yg_sv bound,
		       struct yg_sv text, uint8_t bytes[static BYTES], struct yg_err *err)
{
	uint8_t tag[TAG];
	int64_t ends = 0;
	if (!from_text(text, bytes))
		return YG_FAIL(err, YG_UNAUTH, "the challenge is not one of ours");
	tag_of(c, purpose, bound, bytes, tag);
	memcpy(&ends, bytes + RANDOM, sizeof ends);
	if (sodium_memcmp(tag, bytes + RANDOM + 8, TAG) != 0)
		return YG_FAIL(err, YG_UNAUTH, "the challenge is not one of ours");
	if (ends <= yg_env_wall(c->env).us)
		return YG_FAIL(err, YG_UNAUTH, "the challenge is too old: begin again");
	return YG_OK;
}

yg_status yg_challenge_check(struct yg_challenges *c, const char *purpose, struct yg_sv bound,
			     struct yg_sv text, struct yg_err *err)
{
	uint8_t bytes[BYTES];
	return check(c, purpose, bound, text, bytes, err);
}

static yg_status note_used(struct yg_challenges *c, const uint8_t tag[static TAG], int64_t ends,
			   struct yg_err *err)
{
	int64_t now = yg_env_wall(c->env).us;
	size_t place = YG_CHALLENGE_USED;
	for (size_t i = 0; i < YG_CHALLENGE_USED; i++) {
		if (c->used[i].ends <= now)
			place = i;
		else if (memcmp(c->used[i].tag, tag, TAG) == 0)
			return YG_FAIL(err, YG_UNAUTH, "the challenge was used: begin again");
	}
	if (place == YG_CHALLENGE_USED)
		return YG_FAIL(err, YG_LIMIT, "too many people sign in at the moment");
	memcpy(c->used[place].tag, tag, TAG);
	c->used[place].ends = ends;
	return YG_OK;
}

yg_status yg_challenge_use(struct yg_challenges *c, const char *purpose, struct yg_sv bound,
			   struct yg_sv text, struct yg_err *err)
{
	uint8_t bytes[BYTES];
	int64_t ends = 0;
	yg_status st = check(c, purpose, bound, text, bytes, err);
	if (st != YG_OK)
		return st;
	memcpy(&ends, bytes + RANDOM, sizeof ends);
	uv_mutex_lock(&c->lock);
	st = note_used(c, bytes + RANDOM + 8, ends, err);
	uv_mutex_unlock(&c->lock);
	return st;
}
