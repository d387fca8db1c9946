/* registry.c - the one list of commands; the order is the order of the help. */
#include "cmd/tables.h"

const struct yg_cmd *const yg_cmds[] = {
	yg_cmds_about,
	NULL,
};
