/* POLICY.yaml: read, and when it is good, its organisations and answers go into a builder. */
#include "dns/policy_file.h"
#include "fuzz/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct yg_env_sim sim = {.seed = 1};
	struct yg_env env = yg_env_sim(&sim);
	struct yg_dns_build_opts opts = {.env = &env};
	struct yg_dns_builder *b = NULL;
	struct yg_dns_policy_file f;
	struct yg_arena arena;
	struct yg_err err = {.code = YG_OK};
	uint32_t zone;
	uint8_t *exact = fuzz_exact(data, size);
	yg_arena_init(&arena, (size_t)16 << 20);
	yg_status st = yg_dns_policy_read((struct yg_sv){(const char *)exact, size}, "p", &arena,
					  &f, &err);
	if (st != YG_OK && err.code != st)
		abort(); /* refused without a reason */
	if (st == YG_OK && yg_dns_builder_new(&opts, &b, NULL) == YG_OK) {
		for (size_t i = 0; i < f.zone_count; i++)
			(void)yg_dns_builder_zone(b, &f.zones[i].spec, &zone, NULL);
		(void)yg_dns_policy_apply(&f, b, NULL);
		yg_dns_builder_free(b);
	}
	yg_arena_free(&arena);
	free(exact);
	return 0;
}
