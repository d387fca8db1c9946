/* normalize.h - the property every source's target checks: a batch gives the same
 * events twice, each within its bounds, none with an owner of its own choice,
 * and each as OCSF is JSON that jansson reads, without a duplicate key. */
#pragma once
#include <jansson.h>

#include "event/normalize.h"
#include "fuzz/replay.h"

static inline void fuzz_check(const struct yg_event *ev, struct yg_buf *b, uint64_t *digest)
{
	if (ev->org.n != 0 || ev->spool != 0 || ev->batch != 0 || ev->row != 0 || ev->received != 0)
		abort();
	if (ev->names.n > YG_ARRAY_MAX || ev->answers.n > YG_ARRAY_MAX || ev->raw.n > YG_RECORD_MAX)
		abort();
	if (ev->time < 0)
		abort();
	b->n = 0;
	if (yg_event_ocsf_json(ev, b) != YG_OK)
		abort();
	json_t *j = json_loadb(b->p, b->n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	if (j == NULL)
		abort();
	json_decref(j);
	for (size_t i = 0; i < b->n; i++)
		*digest = *digest * 1099511628211u ^ (unsigned char)b->p[i];
}

static inline int fuzz_normalize(enum yg_source source, const uint8_t *data, size_t size)
{
	static struct yg_norm *n;
	uint8_t *exact = fuzz_exact(data, size);
	uint64_t digest[2] = {0, 0}, records = 0;
	struct yg_buf b;
	if (n == NULL && yg_norm_new(source, NULL, &n, NULL) != YG_OK)
		abort();
	if (exact == NULL)
		return 0;
	yg_buf_init(&b, 64 << 20);
	bool framed = size > 4 && data[1] == 0 && data[2] == 0 && data[3] == 0;
	for (int round = 0; round < 2; round++) {
		struct yg_event ev;
		memset(&ev, 0, sizeof ev);
		records = 0;
		yg_norm_begin(n, (struct yg_sv){(const char *)exact, size}, (yg_wall){77}, framed);
		while (yg_norm_next(n, &ev)) {
			fuzz_check(&ev, &b, &digest[round]);
			records++;
		}
		if (records != yg_norm_records(n) || yg_norm_unparsed(n) > records)
			abort();
	}
	if (digest[0] != digest[1])
		abort();
	yg_buf_free(&b);
	free(exact);
	return 0;
}
