/* inputs_state.h - out of the state database into the inputs of the policy (dns/inputs.h).
 * Runs in: role center. */
#pragma once
#include "dns/inputs.h"
#include "store/state.h"

/* What has not ended at `now`: organisations, entries, modes, answers; in one view. */
yg_status yg_dns_inputs_read(struct yg_state *db, yg_wall now, struct yg_dns_inputs_out *out,
			     struct yg_err *err);
/* Another number when something of that has changed since. */
yg_status yg_dns_inputs_mark(struct yg_state *db, uint64_t *out, struct yg_err *err);

struct yg_dns_inputs_written {
	uint64_t generation;
	char file[64]; /* "dns-12.ygs", below the folder */
};
/* Writes <dir>/dns-<generation>.ygs and points <dir>/dns-current at it, both whole or not
 * at all; of the older ones the last stays.  Generation: above that of dns-current. */
yg_status yg_dns_inputs_write(struct yg_state *db, const char *dir, yg_wall now,
			      struct yg_dns_inputs_written *out, struct yg_err *err);
