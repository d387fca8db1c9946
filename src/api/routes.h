/* routes.h - every handler of the API, by the table that names them.  What each
 * takes and answers is in doc/openapi.yaml; test/e2e/test_openapi.py compares. */
#pragma once
#include "alert/alert.h"
#include "api/api.h"
#include "api/body.h"
#include "format/inflate.h"

#define YG_BODY_SMALL  65536u
#define YG_BODY_IMPORT 67108864u /* a list of indicators as sent; 256 MiB unpacked */
#define YG_BODY_RULE   8388608u  /* one rule of at most 4 MiB, escaped */
#define YG_BODY_RULES  25165824u /* many at once; they are held while they are read */
#define YG_TYPES_JSON  "application/json"
#define YG_TYPES_PATCH "application/merge-patch+json application/json"
#define YG_TYPES_LOGS  "application/x-ndjson application/json text/plain application/octet-stream"
#define YG_TYPES_FORM  "application/x-www-form-urlencoded"
#define YG_TYPES_LIST  "text/csv text/plain application/octet-stream"

/* clang-format off */
/* method, path, operationId, scope, flags, largest body, its types, query parameters, handler */
#define YG_ROUTES(X)                                                                                                   \
	X(GET,    "/",                     "getConsole",     NULL, YG_RT_PUBLIC | YG_RT_PAGE, 0, NULL, NULL, console)  \
	X(GET,    "/assets/{name}",        "getAsset",       NULL, YG_RT_PUBLIC, 0, NULL, NULL, asset)                 \
	X(GET,    "/status",               "getStatusPage",  NULL, YG_RT_PUBLIC, 0, NULL, "lang", status_page)           \
	X(GET,    "/livez",                "getLive",        NULL, YG_RT_PUBLIC, 0, NULL, NULL, livez)                 \
	X(GET,    "/readyz",               "getReady",       NULL, YG_RT_PUBLIC, 0, NULL, "verbose", readyz)           \
	X(GET,    "/startupz",             "getStartup",     NULL, YG_RT_PUBLIC, 0, NULL, NULL, startupz)              \
	X(GET,    "/metrics",              "getMetrics",     "system:read", YG_RT_CENTRAL, 0, NULL, NULL, metrics)     \
	X(GET,    "/style.css",            "getStyle",       NULL, YG_RT_PUBLIC, 0, NULL, NULL, style)                 \
	X(GET,    "/doc/problems",         "getProblems",    NULL, YG_RT_PUBLIC, 0, NULL, "lang", problems)              \
	X(GET,    "/api/openapi.yaml",     "getOpenapiYaml", NULL, YG_RT_PUBLIC, 0, NULL, NULL, openapi_yaml)          \
	X(GET,    "/api/openapi.json",     "getOpenapiJson", NULL, YG_RT_PUBLIC, 0, NULL, NULL, openapi_json)          \
	X(GET,    "/signin",               "getSignIn",      NULL, YG_RT_PUBLIC, 0, NULL, "next why lang", signin_page)           \
	X(POST,   "/signin",               "postSignIn",     NULL, YG_RT_PUBLIC, 16384, YG_TYPES_FORM, NULL, signin)      \
	X(GET,    "/setup",                "getSetup",       NULL, YG_RT_PUBLIC, 0, NULL, "code lang", setup_page)            \
	X(POST,   "/setup",                "postSetup",      NULL, YG_RT_PUBLIC, 16384, YG_TYPES_FORM, NULL, setup)       \
	X(GET,    "/enrol",                "getEnrol",       NULL, YG_RT_PUBLIC, 0, NULL, "code lang", setup_page)            \
	X(POST,   "/enrol",                "postEnrol",      NULL, YG_RT_PUBLIC, 16384, YG_TYPES_FORM, NULL, setup)       \
	X(GET,    "/oidc/start",           "startOidc",      NULL, YG_RT_PUBLIC, 0, NULL, "provider next", oidc_start) \
	X(GET,    "/oidc/callback",        "finishOidc",     NULL, YG_RT_PUBLIC, 0, NULL, "code state error error_description error_uri iss session_state scope", oidc_callback) \
	X(GET,    "/api/v1/session",       "getSession",     NULL, 0, 0, NULL, NULL, session_get)                        \
	X(POST,   "/api/v1/session",       "createSession",  NULL, YG_RT_PUBLIC, 16384, YG_TYPES_JSON, NULL, session_add) \
	X(DELETE, "/api/v1/session",       "deleteSession",  NULL, 0, 0, NULL, NULL, session_remove)                     \
	X(POST,   "/api/v1/session/step-up", "stepUpSession", NULL, 0, 16384, YG_TYPES_JSON, NULL, session_step_up)      \
	X(POST,   "/api/v1/session/passkey-options", "getPasskeyOptions", NULL, YG_RT_PUBLIC, 1024, YG_TYPES_JSON, NULL, passkey_options) \
	X(POST,   "/api/v1/session/passkey", "createPasskeySession", NULL, YG_RT_PUBLIC, YG_BODY_SMALL, YG_TYPES_JSON, NULL, session_passkey) \
	X(GET,    "/api/v1/me",            "getMe",          NULL, 0, 0, NULL, NULL, me_get)                             \
	X(PATCH,  "/api/v1/me",            "updateMe",       NULL, 0, 16384, YG_TYPES_PATCH, "dry_run", me_change)            \
	X(GET,    "/api/v1/me/sessions",   "listMySessions", NULL, 0, 0, NULL, NULL, me_sessions)                        \
	X(DELETE, "/api/v1/me/sessions/{id}", "endMySession", NULL, 0, 0, NULL, NULL, me_session_end)                    \
	X(GET,    "/api/v1/me/passkeys",   "listMyPasskeys", NULL, 0, 0, NULL, NULL, me_passkeys)                        \
	X(POST,   "/api/v1/me/passkeys",   "createMyPasskey", NULL, YG_RT_STEP_UP, YG_BODY_SMALL, YG_TYPES_JSON, NULL, me_passkey_add) \
	X(POST,   "/api/v1/me/passkey-options", "getMyPasskeyOptions", NULL, 0, 1024, YG_TYPES_JSON, NULL, me_passkey_options) \
	X(PATCH,  "/api/v1/me/passkeys/{id}", "updateMyPasskey", NULL, 0, 16384, YG_TYPES_PATCH, "dry_run", me_passkey_change) \
	X(DELETE, "/api/v1/me/passkeys/{id}", "deleteMyPasskey", NULL, YG_RT_STEP_UP, 0, NULL, "dry_run", me_passkey_remove)  \
	X(PUT,    "/api/v1/me/password",   "setMyPassword",  NULL, YG_RT_STEP_UP, 16384, YG_TYPES_JSON, NULL, me_password) \
	X(POST,   "/api/v1/me/totp",       "offerMyTotp",    NULL, YG_RT_STEP_UP, 1024, YG_TYPES_JSON, NULL, me_totp_offer) \
	X(PUT,    "/api/v1/me/totp",       "confirmMyTotp",  NULL, YG_RT_STEP_UP, 1024, YG_TYPES_JSON, NULL, me_totp_confirm) \
	X(DELETE, "/api/v1/me/totp",       "deleteMyTotp",   NULL, YG_RT_STEP_UP, 0, NULL, "dry_run", me_totp_remove)         \
	X(POST,   "/api/v1/me/recovery-codes", "createMyRecoveryCodes", NULL, YG_RT_STEP_UP, 1024, YG_TYPES_JSON, NULL, me_recovery) \
	X(GET,    "/api/v1/me/tokens",     "listMyTokens",   NULL, 0, 0, NULL, NULL, me_tokens)                          \
	X(POST,   "/api/v1/me/tokens",     "createMyToken",  NULL, YG_RT_STEP_UP, 16384, YG_TYPES_JSON, "dry_run", me_token_add) \
	X(DELETE, "/api/v1/me/tokens/{id}", "revokeMyToken", NULL, 0, 0, NULL, "dry_run", me_token_revoke)                    \
	X(GET,    "/api/v1/people",        "listPeople",     "people:read", 0, 0, NULL, "id org limit cursor", people_list) \
	X(POST,   "/api/v1/people",        "createPerson",   "people:write", YG_RT_CREATES, 16384, YG_TYPES_JSON, "dry_run", people_add) \
	X(GET,    "/api/v1/people/{id}",   "getPerson",      "people:read", 0, 0, NULL, NULL, person_get)    \
	X(PATCH,  "/api/v1/people/{id}",   "updatePerson",   "people:write", YG_RT_MATCH | YG_RT_STEP_UP, 16384, YG_TYPES_PATCH, "dry_run", person_change) \
	X(POST,   "/api/v1/people/{id}/enrolment", "createPersonEnrolment", "people:write", YG_RT_STEP_UP, 1024, YG_TYPES_JSON, NULL, person_enrol) \
	X(GET,    "/api/v1/people/{id}/sessions", "listPersonSessions", "people:read", 0, 0, NULL, NULL, person_sessions) \
	X(DELETE, "/api/v1/people/{id}/sessions", "endPersonSessions", "sessions:write", 0, 0, NULL, NULL, person_sessions_end) \
	X(DELETE, "/api/v1/people/{id}/sessions/{session}", "endPersonSession", "sessions:write", 0, 0, NULL, NULL, person_sessions_end) \
	X(GET,    "/api/v1/approvals",     "listApprovals",  "approvals:read", 0, 0, NULL, "state org limit cursor", approvals_list) \
	X(POST,   "/api/v1/approvals",     "createApproval", "approvals:write", YG_RT_CREATES | YG_RT_STEP_UP, 16384, YG_TYPES_JSON, "dry_run", approvals_add) \
	X(GET,    "/api/v1/approvals/{id}", "getApproval",   "approvals:read", 0, 0, NULL, NULL, approval_get)         \
	X(DELETE, "/api/v1/approvals/{id}", "withdrawApproval", "approvals:read", 0, 0, NULL, "dry_run", approval_withdraw) \
	X(POST,   "/api/v1/approvals/{id}/decision", "decideApproval", "approvals:write", YG_RT_STEP_UP, 16384, YG_TYPES_JSON, "dry_run", approval_decide) \
	X(POST,   "/api/v1/setup-code",    "createSetupCode", "people:write", YG_RT_CENTRAL, 1024, YG_TYPES_JSON, NULL, setup_code) \
	X(POST,   "/api/v1/enrolment/options", "getEnrolmentOptions", NULL, YG_RT_PUBLIC, 16384, YG_TYPES_JSON, NULL, enrolment_options) \
	X(POST,   "/api/v1/enrolment",     "createEnrolment", NULL, YG_RT_PUBLIC, 16384, YG_TYPES_JSON, NULL, enrolment) \
	X(GET,    "/api/v1/status",        "getStatus",      "system:read", 0, 0, NULL, NULL, status)                  \
	X(GET,    "/api/v1/doctor",        "getDoctor",      "system:read", YG_RT_CENTRAL, 0, NULL, "quick", doctor)      \
	X(GET,    "/api/v1/organisations", "listOrganisations", "org:read", 0, 0, NULL, "org limit cursor", organisations_list) \
	X(POST,   "/api/v1/organisations", "createOrganisation", "org:write", YG_RT_CREATES, YG_BODY_SMALL, YG_TYPES_JSON, "dry_run", organisations_add) \
	X(GET,    "/api/v1/organisations/{name}", "getOrganisation", "org:read", 0, 0, NULL, NULL, organisation_get)   \
	X(PATCH,  "/api/v1/organisations/{name}", "updateOrganisation", "org:write", YG_RT_MATCH, YG_BODY_SMALL, YG_TYPES_PATCH, "dry_run", organisation_change) \
	X(DELETE, "/api/v1/organisations/{name}", "deleteOrganisation", "org:write", YG_RT_CENTRAL | YG_RT_STEP_UP, 0, NULL, "force dry_run", organisation_remove) \
	X(GET,    "/api/v1/organisations/{name}/access", "getOrganisationAccess", "grants:read", 0, 0, NULL, NULL, organisation_access) \
	X(GET,    "/api/v1/people/{id}/access", "getPersonAccess", "grants:read", 0, 0, NULL, NULL, person_access)     \
	X(GET,    "/api/v1/roles",         "listRoles",      "grants:read", 0, 0, NULL, NULL, roles_list)              \
	X(GET,    "/api/v1/grants",        "listGrants",     "grants:read", 0, 0, NULL, "person org limit cursor", grants_list) \
	X(POST,   "/api/v1/grants",        "createGrant",    "grants:write", YG_RT_CREATES | YG_RT_STEP_UP, YG_BODY_SMALL, YG_TYPES_JSON, "dry_run", grants_add) \
	X(GET,    "/api/v1/grants/{id}",   "getGrant",       "grants:read", 0, 0, NULL, NULL, grant_get)               \
	X(DELETE, "/api/v1/grants/{id}",   "removeGrant",    "grants:write", YG_RT_STEP_UP, 0, NULL, "dry_run", grant_remove) \
	X(GET,    "/api/v1/systems",       "listSystems",    "systems:read", 0, 0, NULL, "org limit cursor", systems_list) \
	X(POST,   "/api/v1/systems",       "createSystem",   "systems:write", YG_RT_CREATES, YG_BODY_SMALL, YG_TYPES_JSON, "dry_run", systems_add) \
	X(GET,    "/api/v1/systems/{id}",  "getSystem",      "systems:read", 0, 0, NULL, NULL, system_get)             \
	X(PATCH,  "/api/v1/systems/{id}",  "updateSystem",   "systems:write", YG_RT_MATCH, YG_BODY_SMALL, YG_TYPES_PATCH, "dry_run", system_change) \
	X(DELETE, "/api/v1/systems/{id}",  "removeSystem",   "systems:write", 0, 0, NULL, "dry_run", system_remove)         \
	X(GET,    "/api/v1/tokens",        "listTokens",     "tokens:read", 0, 0, NULL, "org limit cursor", tokens_list) \
	X(POST,   "/api/v1/tokens",        "createToken",    "tokens:write", YG_RT_CREATES | YG_RT_STEP_UP, YG_BODY_SMALL, YG_TYPES_JSON, "dry_run", tokens_add) \
	X(GET,    "/api/v1/tokens/{id}",   "getToken",       "tokens:read", 0, 0, NULL, NULL, token_get)               \
	X(DELETE, "/api/v1/tokens/{id}",   "revokeToken",    "tokens:write", 0, 0, NULL, "dry_run", token_revoke)           \
	X(GET,    "/api/v1/sources",       "listSources",    "events:read", 0, 0, NULL, "org limit cursor", sources_list) \
	X(PUT,    "/api/v1/source-expectations", "setExpectation", "sources:write", 0, YG_BODY_SMALL, YG_TYPES_JSON, "dry_run", expectation_set) \
	X(DELETE, "/api/v1/source-expectations", "removeExpectation", "sources:write", 0, 0, NULL, "org source sensor dry_run", expectation_remove) \
	X(POST,   "/api/v1/events",        "submitEvents",   "events:write", 0, YG_BATCH_MAX, YG_TYPES_LOGS, "source sensor org", events_submit) \
	X(GET,    "/api/v1/events",        "searchEvents",   "events:read", YG_RT_SLOW | YG_RT_SHARED, 0, NULL, "q from to after org system limit cursor", events_search) \
	X(GET,    "/api/v1/event-histogram", "getEventHistogram", "events:read", YG_RT_SLOW | YG_RT_SHARED, 0, NULL, "q from to org system buckets before max_ms", event_histogram) \
	X(GET,    "/api/v1/event-fields",  "listEventFields", "events:read", 0, 0, NULL, NULL, event_fields) \
	X(GET,    "/api/v1/events/{id}",   "getEvent",       "events:read", YG_RT_SLOW, 0, NULL, NULL, event_get)       \
	X(GET,    "/api/v1/indicator-lists", "listIndicatorLists", "indicators:read", 0, 0, NULL, "org limit cursor", lists_list) \
	X(POST,   "/api/v1/indicator-lists", "createIndicatorList", "indicators:write", YG_RT_CREATES, YG_BODY_SMALL, YG_TYPES_JSON, "dry_run", lists_add) \
	X(GET,    "/api/v1/indicator-lists/{id}", "getIndicatorList", "indicators:read", 0, 0, NULL, NULL, list_get)   \
	X(PATCH,  "/api/v1/indicator-lists/{id}", "updateIndicatorList", "indicators:write", YG_RT_MATCH, YG_BODY_SMALL, YG_TYPES_PATCH, "dry_run", list_change) \
	X(DELETE, "/api/v1/indicator-lists/{id}", "deleteIndicatorList", "indicators:write", 0, 0, NULL, "dry_run", list_remove) \
	X(POST,   "/api/v1/indicator-lists/{id}/indicators", "importIndicators", "indicators:write", 0, YG_BODY_IMPORT, YG_TYPES_LIST, "format replace force dry_run", list_import) \
	X(GET,    "/api/v1/indicators",    "listIndicators", "indicators:read", 0, 0, NULL, "value q type list validity org limit cursor", indicators_list) \
	X(POST,   "/api/v1/indicators",    "createIndicator", "indicators:write", YG_RT_CREATES, YG_BODY_SMALL, YG_TYPES_JSON, "dry_run", indicators_add) \
	X(GET,    "/api/v1/indicators/{id}", "getIndicator", "indicators:read", 0, 0, NULL, NULL, indicator_get)       \
	X(PATCH,  "/api/v1/indicators/{id}", "updateIndicator", "indicators:write", YG_RT_MATCH, YG_BODY_SMALL, YG_TYPES_PATCH, "dry_run", indicator_change) \
	X(DELETE, "/api/v1/indicators/{id}", "deleteIndicator", "indicators:write", 0, 0, NULL, "dry_run", indicator_remove) \
	X(POST,   "/api/v1/indicators/compile", "compileIndicators", "indicators:write", YG_RT_CENTRAL, 1024, YG_TYPES_JSON, "dry_run", indicators_compile) \
	X(GET,    "/api/v1/snapshots",     "listSnapshots",  "indicators:read", YG_RT_CENTRAL, 0, NULL, "limit cursor", snapshots_list) \
	X(GET,    "/api/v1/allow-entries", "listAllowEntries", "indicators:read", 0, 0, NULL, "org limit cursor", allows_list) \
	X(POST,   "/api/v1/allow-entries", "createAllowEntry", "indicators:write", YG_RT_CREATES, YG_BODY_SMALL, YG_TYPES_JSON, "dry_run", allows_add) \
	X(GET,    "/api/v1/allow-entries/{id}", "getAllowEntry", "indicators:read", 0, 0, NULL, NULL, allow_get)       \
	X(PATCH,  "/api/v1/allow-entries/{id}", "updateAllowEntry", "indicators:write", YG_RT_MATCH, YG_BODY_SMALL, YG_TYPES_PATCH, "dry_run", allow_change) \
	X(DELETE, "/api/v1/allow-entries/{id}", "deleteAllowEntry", "indicators:write", 0, 0, NULL, "dry_run", allow_remove) \
	X(GET,    "/api/v1/block-entries", "listBlockEntries", "indicators:read", 0, 0, NULL, "org limit cursor", blocks_list) \
	X(POST,   "/api/v1/block-entries", "createBlockEntry", "indicators:write", YG_RT_CREATES, YG_BODY_SMALL, YG_TYPES_JSON, "dry_run", blocks_add) \
	X(GET,    "/api/v1/block-entries/{id}", "getBlockEntry", "indicators:read", 0, 0, NULL, NULL, block_get)       \
	X(PATCH,  "/api/v1/block-entries/{id}", "updateBlockEntry", "indicators:write", YG_RT_MATCH, YG_BODY_SMALL, YG_TYPES_PATCH, "dry_run", block_change) \
	X(DELETE, "/api/v1/block-entries/{id}", "deleteBlockEntry", "indicators:write", 0, 0, NULL, "dry_run", block_remove) \
	X(GET,    "/api/v1/dns-settings",  "getDnsSettings", "indicators:read", 0, 0, NULL, "org", dns_settings)      \
	X(PUT,    "/api/v1/dns-modes",     "setDnsMode",     "indicators:write", 0, YG_BODY_SMALL, YG_TYPES_JSON, "dry_run", dns_mode_set) \
	X(PUT,    "/api/v1/dns-answers",   "setDnsAnswer",   "indicators:write", 0, YG_BODY_SMALL, YG_TYPES_JSON, "dry_run", dns_answer_set) \
	X(GET,    "/api/v1/detection-rules", "listDetectionRules", "indicators:read", 0, 0, NULL, "stage level kind q technique tactic exact logsource collection refused sort org limit cursor", rules_list) \
	X(POST,   "/api/v1/detection-rules", "createDetectionRule", "indicators:write", YG_RT_CREATES, YG_BODY_RULE, YG_TYPES_JSON, "dry_run", rules_add) \
	X(DELETE, "/api/v1/detection-rules", "deleteDetectionRules", "indicators:write", 0, 0, NULL, "collection org dry_run", rules_remove) \
	X(POST,   "/api/v1/detection-rules/check", "checkDetectionRule", "indicators:read", 0, YG_BODY_RULE, YG_TYPES_JSON, NULL, rule_check) \
	X(POST,   "/api/v1/detection-rules/import", "importDetectionRules", "indicators:write", YG_RT_SLOW, YG_BODY_RULES, YG_TYPES_JSON, "dry_run", rules_import) \
	X(POST,   "/api/v1/detection-rules/bulk", "bulkDetectionRules", "indicators:write", 0, YG_BODY_SMALL, YG_TYPES_JSON, "dry_run", rules_bulk) \
	X(GET,    "/api/v1/detection-rules/{id}", "getDetectionRule", "indicators:read", 0, 0, NULL, "org", rule_get) \
	X(PATCH,  "/api/v1/detection-rules/{id}", "updateDetectionRule", "indicators:write", YG_RT_MATCH, YG_BODY_RULE, YG_TYPES_PATCH, "dry_run", rule_change) \
	X(DELETE, "/api/v1/detection-rules/{id}", "deleteDetectionRule", "indicators:write", 0, 0, NULL, "dry_run", rule_remove) \
	X(GET,    "/api/v1/detection-rules/{id}/history", "listDetectionRuleHistory", "indicators:read", 0, 0, NULL, "limit cursor", rule_history) \
	X(GET,    "/api/v1/detection-rules/{id}/stats", "getDetectionRuleStats", "indicators:read", 0, 0, NULL, "from to", rule_stats) \
	X(GET,    "/api/v1/detection-rules/{id}/hits", "listDetectionRuleHits", "indicators:read", 0, 0, NULL, NULL, rule_hits) \
	X(GET,    "/api/v1/detection-rules/{id}/overrides", "listDetectionOverrides", "indicators:read", 0, 0, NULL, "limit cursor", overrides_list) \
	X(GET,    "/api/v1/detection-rules/{id}/overrides/{org}", "getDetectionOverride", "indicators:read", 0, 0, NULL, NULL, override_get) \
	X(PUT,    "/api/v1/detection-rules/{id}/overrides/{org}", "setDetectionOverride", "indicators:write", 0, 16384, YG_TYPES_JSON, "dry_run", override_set) \
	X(DELETE, "/api/v1/detection-rules/{id}/overrides/{org}", "deleteDetectionOverride", "indicators:write", 0, 0, NULL, "dry_run", override_remove) \
	X(GET,    "/api/v1/attack-matrix", "getAttackMatrix", "indicators:read", 0, 0, NULL, "org", attack_matrix) \
	X(GET,    "/api/v1/detection-notices", "getDetectionNotices", "indicators:read", 0, 0, NULL, "org", notices_get) \
	X(PUT,    "/api/v1/detection-notices", "setDetectionNotice", "indicators:write", 0, YG_BODY_SMALL, YG_TYPES_JSON, "dry_run", notices_set) \
	X(GET,    "/api/v1/detection-findings", "listDetectionFindings", "indicators:read", 0, 0, NULL, "kind stage q severity from to sort org limit cursor", notices_found) \
	X(GET,    "/api/v1/detection-exceptions", "listDetectionExceptions", "indicators:read", 0, 0, NULL, "rule q validity sort org limit cursor", exceptions_list) \
	X(POST,   "/api/v1/detection-exceptions", "createDetectionException", "indicators:write", YG_RT_CREATES, 262144u, YG_TYPES_JSON, "dry_run", exceptions_add) \
	X(GET,    "/api/v1/detection-exceptions/{id}", "getDetectionException", "indicators:read", 0, 0, NULL, NULL, exception_get) \
	X(PATCH,  "/api/v1/detection-exceptions/{id}", "updateDetectionException", "indicators:write", YG_RT_MATCH, 262144u, YG_TYPES_PATCH, "dry_run", exception_change) \
	X(DELETE, "/api/v1/detection-exceptions/{id}", "deleteDetectionException", "indicators:write", 0, 0, NULL, "dry_run", exception_remove) \
	X(GET,    "/api/v1/alerts",        "listAlerts",     "alerts:read", 0, 0, NULL, "state severity severity_max assignee watched overdue indicator asset list category hunt q from to sort org system limit cursor", alerts_list) \
	X(GET,    "/api/v1/alert-groups",  "listAlertGroups", "alerts:read", 0, 0, NULL, "by state severity severity_max assignee watched overdue indicator asset list category hunt q from to org system limit cursor", alert_groups) \
	X(POST,   "/api/v1/imports/guess", "guessImport",    "events:write", 0, 262144u, YG_TYPES_LOGS, "source", import_guess) \
	X(POST,   "/api/v1/imports",       "createImport",   "events:write", 0, YG_BODY_SMALL, YG_TYPES_JSON, NULL, import_add) \
	X(PUT,    "/api/v1/imports/{id}/parts/{n}", "putImportPart", "events:write", 0, 8388608u, YG_TYPES_LOGS, NULL, import_part) \
	X(POST,   "/api/v1/imports/{id}/finish", "finishImport", "events:write", 0, 1024, YG_TYPES_JSON, NULL, import_finish) \
	X(POST,   "/api/v1/exports",       "createExport",   "exports:read", YG_RT_SLOW, 1048576u, YG_TYPES_JSON, NULL, export_add) \
	X(GET,    "/api/v1/exports/{id}",  "getExport",      "exports:read", 0, 0, NULL, NULL, export_get) \
	X(GET,    "/api/v1/overview",      "getOverview",    "alerts:read", 0, 0, NULL, "org system asset from to", overview)   \
	X(GET,    "/api/v1/compare",       "compareOrganisations", "alerts:read", YG_RT_SLOW, 0, NULL, "org period dns", compare) \
	X(GET,    "/api/v1/indicator-check", "checkIndicator", "indicators:read", 0, 0, NULL, "value type org", indicator_check) \
	X(GET,    "/api/v1/retro-hunts",   "listRetroHunts", "indicators:read", 0, 0, NULL, "state kind q hits from to sort org limit cursor", hunts_list) \
	X(POST,   "/api/v1/retro-hunts",   "createRetroHunt", "indicators:write", YG_RT_CREATES, YG_BODY_SMALL, YG_TYPES_JSON, "dry_run", hunts_add) \
	X(GET,    "/api/v1/retro-hunts/{id}", "getRetroHunt", "indicators:read", 0, 0, NULL, NULL, hunt_get) \
	X(POST,   "/api/v1/detection-rules/try", "tryDetectionRule", "events:read", YG_RT_CREATES, YG_BODY_RULE, YG_TYPES_JSON, NULL, rule_try) \
	X(GET,    "/api/v1/dns/explain",   "explainDns",     "indicators:read", 0, 0, NULL, "name type org client do cd", dns_explain) \
	X(GET,    "/api/v1/dns/zones",     "listDnsZones",   "indicators:read", YG_RT_SLOW, 0, NULL, "org from to", dns_zones) \
	X(GET,    "/api/v1/dns/allow-requests", "listDnsAllowRequests", "events:read", 0, 0, NULL, "state org limit cursor", dns_requests_list) \
	X(POST,   "/api/v1/dns/allow-requests", "createDnsAllowRequest", "requests:write", YG_RT_CREATES, 16384, YG_TYPES_JSON, "dry_run", dns_request_add) \
	X(POST,   "/api/v1/dns/allow-requests/{id}/decision", "decideDnsAllowRequest", "indicators:write", 0, 16384, YG_TYPES_JSON, "dry_run", dns_request_decide) \
	X(GET,    "/api/v1/dns/overview",  "getDnsOverview", "events:read", YG_RT_SLOW | YG_RT_SHARED, 0, NULL, "org system from to buckets", dns_overview) \
	X(GET,    "/api/v1/saved-searches", "listSavedSearches", "searches:write", 0, 0, NULL, "page limit cursor", saved_list) \
	X(POST,   "/api/v1/saved-searches", "createSavedSearch", "searches:write", YG_RT_CREATES, YG_BODY_SMALL, YG_TYPES_JSON, "dry_run", saved_add) \
	X(PATCH,  "/api/v1/saved-searches/{id}", "updateSavedSearch", "searches:write", YG_RT_MATCH, YG_BODY_SMALL, YG_TYPES_PATCH, "dry_run", saved_change) \
	X(DELETE, "/api/v1/saved-searches/{id}", "deleteSavedSearch", "searches:write", 0, 0, NULL, "dry_run", saved_remove) \
	X(PUT,    "/api/v1/me/visit",      "setVisit",       "alerts:read", 0, 1024, YG_TYPES_JSON, NULL, visit)         \
	X(GET,    "/api/v1/alerts/{id}",   "getAlert",       "alerts:read", 0, 0, NULL, NULL, alert_get)               \
	X(PATCH,  "/api/v1/alerts/{id}",   "updateAlert",    "alerts:write", YG_RT_MATCH, YG_BODY_SMALL, YG_TYPES_PATCH, "dry_run", alert_change) \
	X(GET,    "/api/v1/alerts/{id}/comments", "listAlertComments", "alerts:read", 0, 0, NULL, "limit cursor", alert_comments) \
	X(POST,   "/api/v1/alerts/{id}/comments", "createAlertComment", "alerts:write", YG_RT_CREATES, YG_BODY_SMALL, YG_TYPES_JSON, "dry_run", alert_comment) \
	X(GET,    "/api/v1/alerts/{id}/events", "listAlertEvents", "alerts:read", 0, 0, NULL, "limit cursor", alert_events) \
	X(GET,    "/api/v1/alerts/{id}/history", "listAlertHistory", "alerts:read", 0, 0, NULL, "limit cursor", alert_history) \
	X(GET,    "/api/v1/alerts/{id}/watch", "getAlertWatch", "alerts:read", 0, 0, NULL, NULL, alert_watch) \
	X(PUT,    "/api/v1/alerts/{id}/watch", "watchAlert", "alerts:read", 0, 1024, YG_TYPES_JSON, "dry_run", alert_watch) \
	X(DELETE, "/api/v1/alerts/{id}/watch", "unwatchAlert", "alerts:read", 0, 0, NULL, "dry_run", alert_watch) \
	X(POST,   "/api/v1/alerts/{id}/unmerge", "unmergeAlert", "alerts:write", 0, 0, NULL, "dry_run", alert_unmerge) \
	X(POST,   "/api/v1/alerts/{id}/merge", "mergeAlerts", "alerts:write", 0, YG_BODY_SMALL, YG_TYPES_JSON, "dry_run", alert_merge) \
	X(POST,   "/api/v1/alerts/{id}/split", "splitAlert", "alerts:write", 0, YG_BODY_SMALL, YG_TYPES_JSON, "dry_run", alert_split) \
	X(POST,   "/api/v1/alerts/{id}/allow", "allowFromAlert", "alerts:write", 0, YG_BODY_SMALL, YG_TYPES_JSON, "dry_run", alert_allow) \
	X(GET,    "/api/v1/due-policy",    "getDuePolicy",   "alerts:read", 0, 0, NULL, "org", due_policy_get)         \
	X(PUT,    "/api/v1/due-policy",    "setDuePolicy",   "systems:write", 0, YG_BODY_SMALL, YG_TYPES_JSON, "dry_run", due_policy_set) \
	X(POST,   "/api/v1/alerts/bulk",   "bulkAlerts",     "alerts:write", 0, 1048576u, YG_TYPES_JSON, "dry_run", alerts_bulk) \
	X(GET,    "/api/v1/audit-log",     "listAuditLog",   "audit:read", 0, 0, NULL, "object actor action from to org limit cursor", audit_list) \
	X(GET,    "/api/v1/audit-log/verify", "verifyAuditLog", "audit:read", YG_RT_CENTRAL, 0, NULL, NULL, audit_verify) \
	X(POST,   "/api/v1/audit-log/verify", "verifyAuditLogHead", "audit:read", YG_RT_CENTRAL, YG_BODY_SMALL, YG_TYPES_JSON, NULL, audit_verify) \
	X(GET,    "/api/v1/jobs",          "listJobs",       "jobs:read", 0, 0, NULL, "state kind org limit cursor", jobs_list)    \
	X(GET,    "/api/v1/jobs/{id}",     "getJob",         "jobs:read", 0, 0, NULL, NULL, job_get)                   \
	X(DELETE, "/api/v1/jobs/{id}",     "cancelJob",      "jobs:write", 0, 0, NULL, "dry_run", job_cancel)               \
	X(POST,   "/api/v1/jobs/{id}/undo", "undoJob",       "alerts:write", 0, 0, NULL, "dry_run", job_undo)                 \
	X(GET,    "/api/v1/backups",       "listBackups",    "backup:read", YG_RT_CENTRAL, 0, NULL, "limit cursor", backups_list) \
	X(POST,   "/api/v1/backups",       "createBackup",   "backup:write", YG_RT_CENTRAL, 1024, YG_TYPES_JSON, "dry_run", backups_add) \
	X(GET,    "/api/v1/system-events", "listSystemEvents", "system:read", YG_RT_CENTRAL, 0, NULL, "name level role limit cursor", system_events) \
	X(GET,    "/api/v1/stream",        "openStream",     "stream:read", YG_RT_STREAM, 0, NULL, "topics", stream)    \
	X(GET,    "/api/v1/demo",          "getDemo",        "system:read", YG_RT_CENTRAL, 0, NULL, NULL, demo_get)    \
	X(POST,   "/api/v1/demo",          "loadDemo",       "org:write", YG_RT_CENTRAL, 1024, YG_TYPES_JSON, "dry_run", demo_load) \
	X(DELETE, "/api/v1/demo",          "removeDemo",     "org:write", YG_RT_CENTRAL, 0, NULL, "dry_run", demo_remove)
/* clang-format on */

/* The separate metrics listener: /metrics, /livez, /readyz and /startupz, for everybody who reaches it. */
extern const struct yg_route yg_metrics_routes[];

#define X(method, path, operation, scope, flags, body, types, query, fn) yg_handler yg_r_##fn;
YG_ROUTES(X)
#undef X

/* "true", "false", "1", "0"; absent: false. */
yg_status yg_query_bool(struct yg_request *q, const char *name, bool *out, struct yg_err *err);
/* Content-Encoding of the body; else the answer 415. */
yg_status yg_read_encoding(struct yg_request *q, struct yg_response *r, enum yg_encoding *out,
			   struct yg_err *err);
/* What a bulk change asks for; views in q's arena, out->set points into *out. */
struct yg_bulk {
	struct yg_sv *ids; /* NULL: by filter */
	size_t id_count;
	struct yg_alert_filter filter; /* its reach is not filled in */
	struct yg_sv org, system;      /* narrow it; empty: no */
	bool watched;                  /* by who asked: the filter's watcher is not filled in */
	struct yg_value values[9];
	yg_wall times[2];
	struct yg_alert_set set;
};
/* Reads the body of POST /api/v1/alerts/bulk from q->body: for its job. */
yg_status yg_bulk_read(struct yg_request *q, struct yg_bulk *out, struct yg_err *err);
/* One alert as JSON; reasons NULL: without. */
void yg_put_alert(struct yg_jo *j, const struct yg_request *q, const struct yg_alert *a,
		  yg_wall now, const struct yg_sv *reasons, size_t reason_count);
/* A title in the request's language, where it is made of our own words; arena. */
struct yg_sv yg_alert_title(const struct yg_request *q, struct yg_sv type, struct yg_sv indicator,
			    struct yg_sv title);
/* "new,on_hold", "open", "active", "snoozed" as bits; what is neither is noted against `at`. */
unsigned yg_read_states(struct yg_request *q, struct yg_sv text, struct yg_sv at);
/* "none" is "-", as alert.h has it. */
struct yg_sv yg_read_assignee(struct yg_sv s);
/* The same batch id of one organisation always goes to the same worker, which
 * remembers it; a batch without one goes where chance says. */
uint32_t yg_choose_worker(struct yg_api *api, const struct yg_submit *s);
struct yg_event;
void yg_put_event(struct yg_jo *j, const struct yg_event *ev, bool whole);
/* What the resolver did within the request's scope, from and to: in the last day when
 * it does not say.  Leases the store. */
struct yg_dns_summary;
yg_status yg_dns_summary_of(struct yg_api *api, struct yg_request *q, struct yg_lease *l,
			    struct yg_search_scope *scope, struct yg_dns_summary *out,
			    struct yg_err *err);
/* The filter of the event list: q, from, to, limit, cursor. */
struct yg_search;
struct yg_search_scope;
yg_status yg_events_read_search(struct yg_api *api, struct yg_request *q, struct yg_search *search,
				struct yg_search_scope *scope, struct yg_err *err);
/* An error of the store is not the asker's fault. */
yg_status yg_store_status(yg_status st, struct yg_err *err);
/* GET /api/v1/events?after= */
yg_status yg_events_tail(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			 struct yg_err *err);
struct yg_indicator_row;
void yg_put_indicator(struct yg_jo *j, const struct yg_indicator_row *r);
/* What protective DNS goes by is not what it was. */
void yg_dns_changed(struct yg_api *api);
struct yg_allow;
void yg_put_allow(struct yg_jo *j, const struct yg_allow *w);
/* One job as JSON. */
struct yg_job;
void yg_put_job(struct yg_jo *j, const struct yg_request *q, const struct yg_job *job);
struct yg_token;
/* secret: NULL but in the answer that makes it; empty: null. */
void yg_put_token(struct yg_jo *j, const struct yg_token *t, const char *secret);
struct yg_audit_entry;
void yg_put_audit(struct yg_jo *j, const struct yg_audit_entry *e);

/* Files built into the program (api/embed-files). */
struct yg_file {
	const char *name;
	const unsigned char *bytes;
	size_t n;
};
extern const struct yg_file yg_files[]; /* ended by name == NULL */
struct yg_sv yg_file_get(const char *name);
