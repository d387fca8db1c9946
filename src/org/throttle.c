#include "org/throttle.h"

static uint32_t left_of(const struct yg_throttle_entry *e, yg_mono now)
{
	int64_t halves = (now.us - e->at) / (YG_THROTTLE_HALF_S * YG_US_PER_S);
	return halves >= 32 ? 0 : e->failed >> YG_MAX(halves, 0);
}

static uint64_t real_key(uint64_t key)
{
	return key != 0 ? key : 1;
}

uint32_t yg_throttle_wait(const struct yg_throttle *t, uint64_t key, yg_mono now)
{
	key = real_key(key);
	const struct yg_throttle_entry *row = t->e[key % YG_THROTTLE_ROWS];
	for (size_t i = 0; i < YG_THROTTLE_WAYS; i++) {
		if (row[i].key == key && row[i].until > now.us)
			return (uint32_t)((row[i].until - now.us + YG_US_PER_S - 1) / YG_US_PER_S);
	}
	return 0;
}

uint32_t yg_throttle_left(const struct yg_throttle *t, uint64_t key, yg_mono now, uint32_t *out_s)
{
	const struct yg_throttle_entry *row = t->e[real_key(key) % YG_THROTTLE_ROWS];
	*out_s = yg_throttle_wait(t, key, now);
	for (size_t i = 0; i < YG_THROTTLE_WAYS; i++) {
		uint32_t failed = row[i].key == real_key(key) ? left_of(&row[i], now) : 0;
		if (failed == 0)
			continue;
		int64_t since = (now.us - row[i].at) / YG_US_PER_S % YG_THROTTLE_HALF_S;
		if (*out_s == 0)
			*out_s = (uint32_t)(YG_THROTTLE_HALF_S - since);
		return failed < YG_THROTTLE_FREE ? YG_THROTTLE_FREE - failed : 0;
	}
	return YG_THROTTLE_FREE;
}

void yg_throttle_failed(struct yg_throttle *t, uint64_t key, yg_mono now)
{
	key = real_key(key);
	struct yg_throttle_entry *row = t->e[key % YG_THROTTLE_ROWS], *e = NULL;
	for (size_t i = 0; i < YG_THROTTLE_WAYS; i++) {
		if (row[i].key == key) {
			e = &row[i];
			break;
		}
		if (e == NULL || row[i].key == 0 || left_of(&row[i], now) < left_of(e, now))
			e = &row[i];
	}
	e->failed = e->key == key ? left_of(e, now) + 1 : 1;
	e->key = key;
	e->at = now.us;
	e->until = 0;
	if (e->failed > YG_THROTTLE_FREE) {
		uint32_t doubled = YG_MIN(e->failed - YG_THROTTLE_FREE, 16u);
		int64_t s = YG_MIN((int64_t)1 << doubled, (int64_t)YG_THROTTLE_MOST_S);
		e->until = now.us + s * YG_US_PER_S;
	}
}

void yg_throttle_passed(struct yg_throttle *t, uint64_t key)
{
	key = real_key(key);
	struct yg_throttle_entry *row = t->e[key % YG_THROTTLE_ROWS];
	for (size_t i = 0; i < YG_THROTTLE_WAYS; i++) {
		if (row[i].key == key)
			row[i] = (struct yg_throttle_entry){0};
	}
}
