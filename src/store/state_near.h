/* state_near.h - what state.c and the index of texts have in common. */
#pragma once
#include "store/state.h"

/* The index is there (its migration is applied). */
bool yg_state_has_near(const struct yg_state *db);
/* Brings the changes of the open transaction into the index; before its commit. */
yg_status yg_state_near_apply(struct yg_state *db, struct yg_err *err);
