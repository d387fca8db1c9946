/* table.c - the one list of roles, in the order they are started: what others
 * connect to comes first. */
#include "role/role.h"

#ifdef YG_ROLE_STORE
extern const struct yg_role yg_role_store;
#endif
#ifdef YG_ROLE_CENTER
extern const struct yg_role yg_role_center;
#endif
#ifdef YG_ROLE_INGEST
extern const struct yg_role yg_role_ingest;
#endif

#ifdef YG_ROLE_ZONES
extern const struct yg_role yg_role_zones;
#endif
#ifdef YG_ROLE_RESOLVE
extern const struct yg_role yg_role_resolve;
#endif

const struct yg_role *const yg_roles[] = {
#ifdef YG_ROLE_STORE
	&yg_role_store,
#endif
#ifdef YG_ROLE_CENTER
	&yg_role_center,
#endif
#ifdef YG_ROLE_INGEST
	&yg_role_ingest,
#endif
#ifdef YG_ROLE_ZONES
	&yg_role_zones,
#endif
#ifdef YG_ROLE_RESOLVE
	&yg_role_resolve,
#endif
	NULL,
};
