/* A policy over another, both with heads and digests that fit, so that the checks behind
 * them are reached: what opens must be safe to ask, also when one of them lies about the
 * other; and a change must be safe to compile over a base that lies.
 *
 * Input: 'p' and patches of a good pair, nine octets each: section (with 0x80: of what
 * stands over the base), where in it (u32, modulo its size), what (u32); or the pair
 * itself: bytes of the base (u32), base, what stands over it. */
#include "base/codec.h"
#include "fuzz/replay.h"
#include "policy_pair.h"

#define PATCH 9

struct piece {
	uint8_t *p; /* owned */
	size_t n;
};

static struct pair good;

static void patch(struct piece *of, const uint8_t *in)
{
	size_t at, bytes;
	uint32_t where;
	memcpy(&where, in + 1, 4);
	pair_section(of->p, of->n, in[0] & 0x7f, &at, &bytes);
	if (bytes < 4)
		return;
	memcpy(of->p + at + where % (bytes - 3), in + 5, 4);
}

static void take(const uint8_t *data, size_t size, struct piece *base, struct piece *over)
{
	uint32_t n = 0;
	if (size > 0 && data[0] == 'p') {
		base->n = good.base.n;
		over->n = good.over.n;
		base->p = fuzz_exact((const uint8_t *)good.base.p, base->n);
		over->p = fuzz_exact((const uint8_t *)good.over.p, over->n);
		for (size_t i = 1; base->p != NULL && over->p != NULL && i + PATCH <= size;
		     i += PATCH)
			patch((data[i] & 0x80) != 0 ? over : base, data + i);
		return;
	}
	if (size >= 4)
		memcpy(&n, data, 4);
	if (size < 4 || n > size - 4)
		return;
	base->n = n;
	over->n = size - 4 - n;
	base->p = fuzz_exact(data + 4, base->n);
	over->p = fuzz_exact(data + 4 + n, over->n);
}

static void ask_over(struct yg_dns_policy *base, const struct piece *over)
{
	struct yg_dns_policy *p = NULL;
	if (yg_dns_policy_open_bytes(over->p, over->n, 0, base, &p, NULL) != YG_OK)
		return;
	pair_ask(p);
	yg_dns_policy_close(p);
}

static void compile_over(struct yg_dns_policy *base)
{
	struct yg_dns_policy *p = NULL;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (pair_compile(base, fd, NULL) == YG_OK &&
	    yg_dns_policy_open_over(fd, 0, base, &p, NULL) == YG_OK) {
		pair_ask(p);
		yg_dns_policy_close(p);
	}
	(void)close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct yg_snap_head base_head, over_head;
	struct piece base = {.p = NULL}, over = {.p = NULL};
	struct yg_dns_policy *p = NULL;
	if (good.base.n == 0) {
		if (!pair_make(&good, NULL))
			abort();
		memcpy(&base_head, good.base.p, sizeof base_head);
		memcpy(&over_head, good.over.p, sizeof over_head);
	}
	take(data, size, &base, &over);
	if (base.p != NULL && over.p != NULL) {
		struct yg_snap_head h = base_head;
		pair_fit(base.p, base.n, &base_head, NULL);
		if (base.n >= sizeof h)
			memcpy(&h, base.p, sizeof h);
		pair_fit(over.p, over.n, &over_head, &h);
		bool opened = yg_dns_policy_open_bytes(base.p, base.n, 0, NULL, &p, NULL) == YG_OK;
		if (!opened && size == 1)
			abort(); /* nothing was patched */
		if (opened) {
			pair_ask(p);
			ask_over(p, &over);
			compile_over(p);
			yg_dns_policy_close(p);
		}
	}
	free(base.p);
	free(over.p);
	return 0;
}
