/* store.h - role store: the embedded event store.  Owns the folder events/. */
#pragma once
#include "role/role.h"

extern const struct yg_role yg_role_store;
