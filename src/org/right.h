/* right.h - scopes and roles: the one table of who may do what.  The checks of
 * the API and the buttons of the console both come from it (GET /api/v1/roles).
 *
 * A scope is a kind of action; a role is a set of scopes that is granted to a
 * person on a node of the organisation tree or on one information system
 * (org/grant.h) and holds for everything below (org/reach.h).
 */
#pragma once
#include "base/sv.h"

/* clang-format off */
#define YG_SCOPES(X)                                                                    \
	X(EVENTS_WRITE,     "events:write")     X(EVENTS_READ,      "events:read")      \
	X(INDICATORS_READ,  "indicators:read")  X(INDICATORS_WRITE, "indicators:write") \
	X(ALERTS_READ,      "alerts:read")      X(ALERTS_WRITE,     "alerts:write")     \
	X(ORG_READ,         "org:read")         X(ORG_WRITE,        "org:write")        \
	X(TOKENS_READ,      "tokens:read")      X(TOKENS_WRITE,     "tokens:write")     \
	X(AUDIT_READ,       "audit:read")       X(JOBS_READ,        "jobs:read")        \
	X(JOBS_WRITE,       "jobs:write")       X(BACKUP_READ,      "backup:read")      \
	X(BACKUP_WRITE,     "backup:write")     X(SYSTEM_READ,      "system:read")      \
	X(STREAM_READ,      "stream:read")      X(PEOPLE_READ,      "people:read")      \
	X(PEOPLE_WRITE,     "people:write")     X(GRANTS_READ,      "grants:read")      \
	X(GRANTS_WRITE,     "grants:write")     X(SYSTEMS_READ,     "systems:read")     \
	X(SYSTEMS_WRITE,    "systems:write")    X(SOURCES_WRITE,    "sources:write")    \
	X(APPROVALS_READ,   "approvals:read")   X(APPROVALS_WRITE,  "approvals:write")  \
	X(SESSIONS_WRITE,   "sessions:write")   X(EXPORTS_READ,     "exports:read")     \
	X(SEARCHES_WRITE,   "searches:write")   X(REQUESTS_WRITE,   "requests:write")
/* clang-format on */
enum yg_scope_number {
#define X(id, name) YG_SN_##id,
	YG_SCOPES(X)
#undef X
		YG_SCOPE_COUNT
};
#define YG_SCOPE(id)   (1ull << YG_SN_##id)
#define YG_SCOPES_ALL  ((1ull << YG_SCOPE_COUNT) - 1)
#define YG_SCOPES_NONE 0ull

/* The bit of a scope by its name; 0 when there is none of that name. */
uint64_t yg_scope_bit(struct yg_sv name);
bool yg_scope_ok(struct yg_sv name);
const char *yg_scope_name(unsigned number); /* static; "" when out of range */
/* "alerts:read events:read" to bits; unknown words are nothing. */
uint64_t yg_scope_bits(struct yg_sv words);

/* What the reading roles share. */
#define YG_SCOPES_WATCH                                                                            \
	(YG_SCOPE(EVENTS_READ) | YG_SCOPE(INDICATORS_READ) | YG_SCOPE(ALERTS_READ) |               \
	 YG_SCOPE(ORG_READ) | YG_SCOPE(AUDIT_READ) | YG_SCOPE(SYSTEMS_READ) |                      \
	 YG_SCOPE(PEOPLE_READ) | YG_SCOPE(GRANTS_READ) | YG_SCOPE(EXPORTS_READ))
#define YG_SCOPES_DESK                                                                             \
	(YG_SCOPES_WATCH | YG_SCOPE(INDICATORS_WRITE) | YG_SCOPE(ALERTS_WRITE) |                   \
	 YG_SCOPE(JOBS_READ) | YG_SCOPE(JOBS_WRITE) | YG_SCOPE(STREAM_READ) |                      \
	 YG_SCOPE(SOURCES_WRITE) | YG_SCOPE(APPROVALS_READ) | YG_SCOPE(SEARCHES_WRITE) |           \
	 YG_SCOPE(REQUESTS_WRITE))

/* X(id, name, scopes, Japanese, English).  An auditor reads, within a period, and
 * every view is noted; a collector delivers and sees nothing. */
/* clang-format off */
#define YG_ROLES(X)                                                                     \
	X(ADMINISTRATOR,     "administrator", YG_SCOPES_ALL,                            \
	  "管理者", "Administrator")                                                    \
	X(CENTRE_ANALYST,    "centre_analyst",                                          \
	  YG_SCOPES_DESK | YG_SCOPE(SYSTEM_READ) | YG_SCOPE(TOKENS_READ),               \
	  "センター分析担当者", "Centre analyst")                                       \
	X(ORGANISATION_CSIRT, "organisation_csirt",                                     \
	  YG_SCOPES_DESK | YG_SCOPE(SYSTEMS_WRITE) | YG_SCOPE(TOKENS_READ) |            \
	  YG_SCOPE(TOKENS_WRITE),                                                       \
	  "組織CSIRT", "Organisation CSIRT")                                            \
	X(CISO_OFFICE,       "ciso_office",                                             \
	  YG_SCOPES_WATCH | YG_SCOPE(JOBS_READ) | YG_SCOPE(STREAM_READ) |               \
	  YG_SCOPE(SYSTEMS_WRITE) | YG_SCOPE(TOKENS_READ) | YG_SCOPE(APPROVALS_READ) |  \
	  YG_SCOPE(APPROVALS_WRITE) | YG_SCOPE(SEARCHES_WRITE) |                        \
	  YG_SCOPE(REQUESTS_WRITE),                                                     \
	  "最高情報セキュリティ責任者（CISO）室", "CISO office")                        \
	X(SYSTEM_OWNER,      "system_owner",                                            \
	  YG_SCOPE(ALERTS_READ) | YG_SCOPE(ALERTS_WRITE) | YG_SCOPE(EVENTS_READ) |      \
	  YG_SCOPE(SYSTEMS_READ) | YG_SCOPE(STREAM_READ) | YG_SCOPE(EXPORTS_READ) |     \
	  YG_SCOPE(SEARCHES_WRITE) | YG_SCOPE(REQUESTS_WRITE),                          \
	  "情報システムセキュリティ責任者", "Information system owner")                 \
	X(AUDITOR,           "auditor", YG_SCOPES_WATCH,                                \
	  "情報セキュリティ監査実施者", "Auditor")                                      \
	X(COLLECTOR,         "collector", YG_SCOPE(EVENTS_WRITE),                       \
	  "ログ収集装置", "Collector")
/* clang-format on */
enum yg_role_kind {
	YG_ROLE_NONE,
#define X(id, name, scopes, ja, en) YG_ROLE_##id,
	YG_ROLES(X)
#undef X
		YG_ROLE_COUNT
};
struct yg_role_info {
	const char *name, *title_ja, *title_en; /* static */
	uint64_t scopes;
};
/* Of YG_ROLE_NONE and numbers out of range: empty names, no scope. */
const struct yg_role_info *yg_role_info(enum yg_role_kind role);
/* YG_PARSE: there is no such role. */
yg_status yg_role_parse(struct yg_sv name, enum yg_role_kind *out);
