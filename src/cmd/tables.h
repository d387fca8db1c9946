/* tables.h - the command tables; one per noun, defined in cmd/<noun>.c, each
 * ended by noun == NULL and listed in cmd/registry.c. */
#pragma once
#include "cmd/option.h"

extern const struct yg_cmd yg_cmds_about[];
