/* raw.h - yagura api; its row is among those of the client (cmd/context.c). */
#pragma once
#include "cmd/option.h"

extern const struct yg_opt yg_raw_opts[];
int yg_raw_run(struct yg_cli *c);
