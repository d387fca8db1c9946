#include "fuzz/cedar.h"

/* Any JSON: policies that can be decided over, or refused with a reason. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = fuzz_exact(data, size);
	struct yg_cedar_policies p;
	struct yg_err err = {0};
	if (exact == NULL)
		return 0;
	yg_cedar_policies_init(&p, &cedar_key, 1 << 24);
	yg_status st = yg_cedar_policies_json(&p, (struct yg_sv){(const char *)exact, size}, &err);
	cedar_told(st, &err);
	if (st == YG_OK) {
		cedar_decide(&p);
		cedar_write(&p);
		cedar_validate(&p, &cedar_world()->schema);
	}
	yg_cedar_policies_free(&p);
	free(exact);
	return 0;
}
