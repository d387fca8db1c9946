#include "role/message.h"

#include "conf/table.h"
#include "event/normalize.h"
#include "role/role.h"
#include "tap.h"

int main(void)
{
	T_OK(yg_ipc_allowed(YG_IPC_SNAPSHOT, 16, YG_R_MAIN, YG_R_INGEST));
	T_OK(!yg_ipc_allowed(YG_IPC_SNAPSHOT, 15, YG_R_MAIN, YG_R_INGEST));
	T_OK(!yg_ipc_allowed(YG_IPC_SNAPSHOT, 17, YG_R_MAIN, YG_R_INGEST));
	T_OK(!yg_ipc_allowed(YG_IPC_SNAPSHOT, 16, YG_R_CENTER, YG_R_INGEST));
	T_OK(!yg_ipc_allowed(YG_IPC_SNAPSHOT, 16, YG_R_MAIN, YG_R_STORE));
	T_OK(yg_ipc_allowed(YG_IPC_GIVEN, 0, YG_R_MAIN, YG_R_ZONES) &&
	     !yg_ipc_allowed(YG_IPC_GIVEN, 0, YG_R_CENTER, YG_R_ZONES));
	T_OK(!yg_ipc_allowed(YG_IPC_FINDINGS, 100, YG_R_STORE, YG_R_CENTER));
	T_OK(!yg_ipc_allowed(0, 0, YG_R_MAIN, YG_R_INGEST) && yg_ipc_max(0) == 0);
	T_OK(yg_ipc_max(YG_IPC_SUBMIT) > YG_BATCH_MAX);
	/* nobody but main may order a drain, a reload or claim who our roles are */
	for (unsigned from = YG_R_CENTER; from <= YG_R_ZONES; from <<= 1)
		T_OK(!yg_ipc_allowed(YG_IPC_DRAIN, 0, from,
				     YG_R_CENTER | YG_R_STORE | YG_R_INGEST) &&
		     !yg_ipc_allowed(YG_IPC_CONFIG, 9, from,
				     YG_R_CENTER | YG_R_STORE | YG_R_INGEST) &&
		     !yg_ipc_allowed(YG_IPC_ROLES, 4, from, YG_R_CENTER));
	/* conf/ is below event/ and has its own list of sources: the same one, but for event
	 * log files, which come whole and are neither listened for nor followed */
	size_t n = 0;
	while (yg_conf_sources[n] != NULL) {
		enum yg_source source = YG_SOURCE_NONE;
		struct yg_sv mapping;
		struct yg_sv name = yg_sv_of(yg_conf_sources[n++]);
		if (YG_SV_IS(name, "ndjson"))
			name = YG_SV("ndjson:x");
		T_NAMED(yg_source_parse(name, &source, &mapping, NULL) == YG_OK,
			yg_conf_sources[n - 1]);
	}
	T_OK(n == YG_SOURCE_COUNT - 2);
	return tap_done();
}
