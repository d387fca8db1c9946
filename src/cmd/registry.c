/* registry.c - the one list of commands; the order is the order of the help. */
#include "cmd/tables.h"

/* one per line: several hands add to it */
/* clang-format off */
const struct yg_cmd *const yg_cmds[] = {
	yg_cmds_serve,
	yg_cmds_config,
	yg_cmds_org,
	yg_cmds_people,
	yg_cmds_rights,
	yg_cmds_approval,
	yg_cmds_token,
	yg_cmds_source,
	yg_cmds_event,
	yg_cmds_event_normalize,
	yg_cmds_indicator,
	yg_cmds_indicator_offline,
	yg_cmds_detect,
	yg_cmds_detect_test,
	yg_cmds_detect_registry,
	yg_cmds_detect_hunt,
	yg_cmds_detect_notice,
	yg_cmds_dns_policy,
	yg_cmds_dns_explain,
	yg_cmds_dns_setting,
	yg_cmds_vuln,
	yg_cmds_access,
	yg_cmds_access_format,
	yg_cmds_access_validate,
	yg_cmds_alert,
	yg_cmds_search,
	yg_cmds_export,
	yg_cmds_system,
	yg_cmds_audit_verify,
	yg_cmds_backup,
	yg_cmds_demo,
	yg_cmds_client,
	yg_cmds_about,
	NULL,
};
/* clang-format on */
