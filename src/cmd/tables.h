/* tables.h - the command tables; one per subject, defined in cmd/<subject>.c, each
 * ended by noun == NULL and listed in cmd/registry.c. */
#pragma once
#include "cmd/option.h"

extern const struct yg_cmd yg_cmds_serve[];
extern const struct yg_cmd yg_cmds_config[];
extern const struct yg_cmd yg_cmds_org[];
extern const struct yg_cmd yg_cmds_people[];
extern const struct yg_cmd yg_cmds_rights[];
extern const struct yg_cmd yg_cmds_approval[];
extern const struct yg_cmd yg_cmds_token[];
extern const struct yg_cmd yg_cmds_source[];
extern const struct yg_cmd yg_cmds_event[];
extern const struct yg_cmd yg_cmds_event_normalize[];
extern const struct yg_cmd yg_cmds_indicator[];
extern const struct yg_cmd yg_cmds_indicator_offline[];
extern const struct yg_cmd yg_cmds_detect[];
extern const struct yg_cmd yg_cmds_detect_test[];
extern const struct yg_cmd yg_cmds_detect_registry[];
extern const struct yg_cmd yg_cmds_detect_hunt[];
extern const struct yg_cmd yg_cmds_detect_notice[];
extern const struct yg_cmd yg_cmds_dns_policy[];
extern const struct yg_cmd yg_cmds_dns_explain[];
extern const struct yg_cmd yg_cmds_dns_setting[];
extern const struct yg_cmd yg_cmds_vuln[];
extern const struct yg_cmd yg_cmds_access[];
extern const struct yg_cmd yg_cmds_access_format[];
extern const struct yg_cmd yg_cmds_access_validate[];
extern const struct yg_cmd yg_cmds_alert[];
extern const struct yg_cmd yg_cmds_export[];
extern const struct yg_cmd yg_cmds_search[];
extern const struct yg_cmd yg_cmds_system[];
extern const struct yg_cmd yg_cmds_audit_verify[];
extern const struct yg_cmd yg_cmds_demo[];
extern const struct yg_cmd yg_cmds_backup[];
extern const struct yg_cmd yg_cmds_client[];
extern const struct yg_cmd yg_cmds_about[];
