/* context.h - servers that `yagura login` keeps, each with its token, so that no command
 * need name one: $XDG_CONFIG_HOME/yagura/contexts.json, for its owner alone. */
#pragma once
#include "base/err.h"

struct yg_context {
	char server[512];   /* "https://host:8443" */
	char ca_file[1024]; /* empty: the system's certificates */
	char token[200];    /* to be wiped */
};
/* The one that $YAGURA_CONTEXT names, else the one in use; *out_found false: none.
 * YG_NOTFOUND: there is none of that name.  YG_DENIED: others may read the file. */
yg_status yg_context_get(struct yg_context *out, bool *out_found, struct yg_err *err);
