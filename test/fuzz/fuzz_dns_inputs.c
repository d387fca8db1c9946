/* What people say of protective DNS, as it comes from role center: as it is, and with a
 * digest that fits; what opens must be safe to compile. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dns/inputs.h"
#include "dns/policy.h"
#include "fuzz/replay.h"

static void compile(const struct yg_dns_inputs *in)
{
	static struct yg_env_sim sim = {.seed = 1};
	struct yg_env env = yg_env_sim(&sim);
	const struct yg_dns_build_opts opts = {.env = &env, .bytes_max = 1 << 20};
	struct yg_dns_inputs_stats stats;
	struct yg_dns_builder *b = NULL;
	struct yg_dns_policy *p = NULL;
	int fd = memfd_create("policy", MFD_CLOEXEC);
	if (yg_dns_builder_new(&opts, &b, NULL) == YG_OK &&
	    yg_dns_inputs_apply(in, b, (yg_wall){1000000}, &stats, NULL) == YG_OK &&
	    yg_dns_builder_finish(b, fd, 1, NULL, NULL) == YG_OK) {
		struct yg_err err = {.msg = ""};
		if (yg_dns_policy_open_fd(fd, 0, &p, &err) != YG_OK)
			abort(); /* what we compile must open */
		yg_dns_policy_close(p);
	}
	yg_dns_builder_free(b);
	(void)close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct yg_dns_inputs *in = NULL;
	uint8_t *copy = aligned_alloc(8, (size + 15) / 8 * 8);
	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	for (int turn = 0; turn < 2; turn++) {
		if (yg_dns_inputs_open_bytes(copy, size, 0, &in, NULL) == YG_OK) {
			compile(in);
			yg_dns_inputs_close(in);
		}
		if (!yg_snap_fix_digest(copy, size))
			break;
	}
	free(copy);
	return 0;
}
