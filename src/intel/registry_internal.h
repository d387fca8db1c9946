/* registry_internal.h - shared by the files that keep indicators in the state. */
#pragma once
#include "intel/registry.h"

/* An entry as it is stored: value in its one spelling; -1 and 0 stand for "as
 * the list says". */
struct yg_stored {
	struct yg_sv value, category, family;
	int64_t type, confidence, severity_id, tlp, valid_from, valid_until;
};
/* Normalises `ind` into *out, the value into `value`; YG_PARSE, YG_DENIED as
 * yg_indicator_add(); suffixes NULL: forced. */
yg_status yg_registry_stored(const struct yg_indicator *ind, const struct yg_suffixes *suffixes,
			     struct yg_sb *value, struct yg_stored *out, struct yg_err *err);
/* Inserts or updates one; equal ones are left alone (yg_state_changes() is 0 or 1). */
yg_status yg_registry_put(struct yg_state *db, int64_t list, const struct yg_stored *e, int64_t now,
			  struct yg_err *err);
/* One more change that no snapshot has yet. */
yg_status yg_registry_touch(struct yg_state *db, struct yg_err *err);
bool yg_registry_text_ok(struct yg_sv s, size_t max);
