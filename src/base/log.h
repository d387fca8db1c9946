/* log.h - every log event of the system, and how one is written.
 *
 * A row is a number, a stable name, a level, how many records a process may
 * write per minute (what is over is counted and told with the next record) and
 * one sentence.  NOTICE and above are also kept by role center as system
 * events.  Numbers and names are part of the API: append inside your block,
 * never renumber, never reuse.
 *
 * Values are typed at the call: text of our own YG_KS, anything that came from
 * outside YG_KU (every byte but printable ASCII becomes \xNN), numbers YG_KN,
 * signed YG_KI, truth YG_KB.  A value is cut at 1024 bytes; a field that does
 * not fit the record of 8192 bytes is left out and "cut":true is added.
 */
#pragma once
#include "base/env.h"

/* clang-format off */
#define YG_LEVEL_MAP(X) X(DEBUG, 0, "debug") X(INFO, 1, "info") X(NOTICE, 2, "notice") X(WARN, 3, "warn") X(ERROR, 4, "error")

#define YG_EVENTS(X)                                                                                                   \
	/* 1000: processes, sandbox, configuration (os, role, conf) */                                                 \
	X(1001, SERVE_STARTING,     "serve.starting",     INFO,   60, "The supervisor begins to start.")               \
	X(1002, SERVE_READY,        "serve.ready",        NOTICE, 60, "Every role is ready.")                          \
	X(1003, SERVE_STOPPING,     "serve.stopping",     NOTICE, 60, "The supervisor drains the roles and ends.")     \
	X(1004, SERVE_STOPPED,      "serve.stopped",      INFO,   60, "The supervisor has ended.")                     \
	X(1005, SERVE_FAILED,       "serve.failed",       ERROR,  60, "The supervisor cannot start or go on.")         \
	X(1006, LISTENING,          "listen.bound",       INFO,   600, "A listening socket is bound.")                 \
	X(1007, LISTEN_FAILED,      "listen.failed",      ERROR,  60, "A listening socket cannot be bound.")           \
	X(1008, TLS_SELF_SIGNED,    "tls.self_signed",    NOTICE, 60, "A self-signed certificate was made.")           \
	X(1009, PRIVILEGE_LEFT,     "privilege.left",     WARN,   60, "The supervisor keeps a right it does not need.") \
	X(1010, ROLE_STARTED,       "role.started",       INFO,   600, "A process of a role was started.")             \
	X(1011, ROLE_READY,         "role.ready",         INFO,   600, "A role is ready to work.")                     \
	X(1012, ROLE_ENDED,         "role.ended",         INFO,   600, "A role ended as it was asked to.")             \
	X(1013, ROLE_CRASHED,       "role.crashed",       ERROR,  600, "A role died; it is started again after a pause.") \
	X(1014, ROLE_HUNG,          "role.hung",          ERROR,  60, "A role did not answer the watchdog and was killed.") \
	X(1015, ROLE_MISBEHAVED,    "role.misbehaved",    ERROR,  60, "A role sent a forbidden message and was killed.") \
	X(1016, ROLE_FAILED,        "role.failed",        ERROR,  60, "A role cannot start or go on, and ends.")       \
	X(1017, ROLE_DRAIN_TIMEOUT, "role.drain_timeout", WARN,   60, "A role did not drain in time and was killed.")  \
	X(1018, SANDBOX_CLOSED,     "sandbox.closed",     NOTICE, 600, "A role is locked in, and tried out that it is.") \
	X(1019, SANDBOX_FAILED,     "sandbox.failed",     ERROR,  60, "A role could not be locked in and does not start.") \
	X(1020, CONF_RELOADED,      "conf.reloaded",      NOTICE, 60, "The configuration was read again.")             \
	X(1021, CONF_REFUSED,       "conf.refused",       ERROR,  60, "The new configuration has errors; nothing was changed.") \
	X(1022, CONF_PROBLEM,       "conf.problem",       ERROR,  600, "One error in the configuration.")              \
	X(1023, CONF_ROLE_RESTART,  "conf.role_restart",  NOTICE, 600, "A changed key needs a role to start again.")   \
	X(1024, SNAPSHOT_RELAYED,   "snapshot.relayed",   INFO,   600, "A compiled snapshot was given to the workers.") \
	X(1025, SNAPSHOT_UNREADABLE,"snapshot.unreadable",WARN,   60, "A compiled snapshot cannot be read; workers keep the last one.") \
	X(1026, EVENTS_DROPPED,     "events.dropped",     WARN,   60, "System events were dropped because center was away.") \
	X(1027, ROLE_NOTE,          "role.note",          INFO,   600, "A remark of a role.")                          \
	X(1028, LOG_LOST,           "log.lost",           WARN,   600, "Whoever reads the log was too slow; records were lost.") \
	/* 2000: event store and clickhouse client (store) */                                                          \
	X(2000, STORE_NOTE,         "store.note",         INFO,   600, "A remark of the event store.")                 \
	/* 3000: doors, spool, delivery (ingest) */                                                                    \
	X(3000, INGEST_NOTE,        "ingest.note",        INFO,   600, "A remark of a worker.")                        \
	X(3001, INGEST_RETRY,       "ingest.retry",       WARN,  60, "Store, center or disk refuse; what is taken in waits.") \
	X(3002, INGEST_RECOVERED,   "ingest.recovered",   NOTICE, 60, "Store, center or disk work again.") \
	X(3003, INGEST_ASIDE,       "ingest.aside",       ERROR, 60, "A batch that ended the worker was set aside.") \
	X(3004, INGEST_DAMAGED,     "ingest.damaged",     ERROR, 60, "Bytes of the spool failed verification and were set aside.") \
	X(3005, INGEST_DROPS,       "ingest.drops",       WARN,  6, "Records were dropped and counted.") \
	X(3006, INGEST_SNAPSHOT,    "ingest.snapshot",    NOTICE, 60, "A snapshot of indicators is in force.") \
	X(3007, INGEST_SNAPSHOT_BAD, "ingest.snapshot_bad", ERROR, 60, "A snapshot was refused; the one before stays.") \
	X(3014, INGEST_RULES,       "ingest.rules",       NOTICE, 60, "A snapshot of detection rules is in force.") \
	X(3008, INGEST_FATAL,       "ingest.fatal",       ERROR, 60, "A worker ends so that it can recover.") \
	X(3009, INGEST_FOLLOW,      "ingest.follow",      INFO,  600, "A followed file appeared, was rotated or cut.") \
	X(3010, INGEST_CLOSED,      "ingest.closed",      INFO,  60, "A syslog connection was closed by us.") \
	X(3011, INGEST_SPOOL_FULL,  "ingest.spool_full",  WARN,  6, "The spool is at its bound; senders are told to wait.") \
	X(3012, INGEST_REFUSED,     "ingest.refused",     ERROR, 60, "The event store refuses batches for what they are; they were set aside.") \
	X(3013, INGEST_DNSLOG_DAMAGED, "ingest.dnslog_damaged", ERROR, 60, "A file of the resolver's log is damaged; the rest of it was passed over.") \
	/* 4000: snapshots, indicators, matching (intel) */                                                            \
	X(4000, INTEL_NOTE,         "intel.note",         INFO,   600, "A remark of indicator matching.")              \
	/* 5000: state, organisations, alerts, jobs (state) */                                                         \
	X(5000, STATE_NOTE,         "state.note",         INFO,   600, "A remark of the state database.")              \
	/* 6000: HTTP, API, center (api) */                                                                            \
	X(6000, API_NOTE,           "api.note",           INFO,   600, "A remark of the API.")                        \
	X(6001, API_REQUEST,        "api.request",        DEBUG,  6000, "A request was answered.")                    \
	X(6002, API_FAILED,         "api.failed",         WARN,   600, "A request failed by a fault of ours.")        \
	X(6003, CENTER_JOB_FAILED,  "center.job_failed",  WARN,   600, "A job ended with an error.")                  \
	X(6004, CENTER_COMPILED,    "center.compiled",    INFO,   600, "A snapshot of the indicators was compiled.")  \
	X(6005, CENTER_COMPILE_FAILED, "center.compile_failed", ERROR, 60, "The indicators could not be compiled; the last snapshot stays.") \
	X(6006, CENTER_FINDINGS_REFUSED, "center.findings_refused", WARN, 60, "A worker's findings could not be applied yet; it will send them again.") \
	X(6007, CENTER_WORKER_AWAY, "center.worker_away", WARN,   60, "A worker does not answer.")                    \
	X(6008, CENTER_RETENTION,   "center.retention",   INFO,   60, "Old partitions of events were dropped.")      \
	X(6009, CENTER_RESTORED,    "center.restored",    NOTICE, 60, "The events of a restored backup are in the store.") \
	X(6010, CENTER_DNS,         "center.dns",         INFO,   600, "What organisations say of protective DNS was written for its policy.") \
	X(6011, CENTER_DNS_FAILED,  "center.dns_failed",  ERROR,  60, "What organisations say of protective DNS could not be written; what was stays in force.") \
	X(6020, CENTER_DETECT_FAILED, "center.detect_failed", ERROR, 60, "Correlations could not go on; they will be tried again.") \
	X(6023, CENTER_PLACES,      "center.places_refused", ERROR, 60, "The file of places could not be read: impossible travel is not looked for.") \
	X(6021, CENTER_DETECT_LOST, "center.detect_lost", ERROR,  60, "A saved state of correlations could not be read; it begins anew.") \
	X(6022, CENTER_DETECT_DROPPED, "center.detect_dropped", WARN, 60, "More waits for correlations than there is room for; the oldest was dropped.") \
	X(6030, CENTER_RULES,       "center.rules",       INFO,   600, "A snapshot of the detection rules was compiled.") \
	X(6031, CENTER_RULES_FAILED, "center.rules_failed", ERROR, 60, "The detection rules could not be compiled; the last snapshot stays.") \
	/* resolve, zones */                                                                                               \
	X(7000, RESOLVE_POLICY,     "resolve.policy",     INFO,   60, "A new policy is in force.")                       \
	X(7001, RESOLVE_POLICY_REFUSED, "resolve.policy_refused", ERROR, 60, "A policy could not be opened; the one before stays in force.") \
	X(7002, RESOLVE_LOG_FULL,   "resolve.log_full",   WARN,   6, "The query log is at its bound; events of queries are dropped and counted.") \
	X(7003, RESOLVE_LOG_FAILED, "resolve.log_failed", ERROR,  6, "The query log could not be written; its events are dropped and counted.") \
	X(7004, RESOLVE_LOCAL,      "resolve.local",      INFO,   60, "New local zones are in force.")                   \
	X(7005, RESOLVE_LOCAL_REFUSED, "resolve.local_refused", ERROR, 60, "Local zones could not be read; those before stay in force.") \
	X(7006, RESOLVE_UPSTREAM_TLS, "resolve.upstream_tls", WARN, 60, "A server that is asked by TLS could not be spoken to safely, and was not asked.") \
	X(7007, RESOLVE_TAP_UP,     "resolve.dnstap_up",  NOTICE, 60, "An output of resolve.dnstap takes frames again.") \
	X(7008, RESOLVE_TAP_DOWN,   "resolve.dnstap_down", WARN, 60, "An output of resolve.dnstap does not take frames.") \
	X(7009, RESOLVE_ANCHOR,     "resolve.trust_anchor", WARN, 6, "A zone of the trust anchor has published a key that the anchor does not have: it must be added before the zone signs with it.") \
	X(7010, ZONES_COMPILED,     "zones.compiled",     INFO,   600, "The policy zones were compiled into a policy.")    \
	X(7011, ZONES_FAILED,       "zones.failed",       ERROR,  60, "The policy zones could not be compiled; the policy before stays in force.") \
	X(7012, ZONES_REFUSED,      "zones.refused",      ERROR,  60, "A policy zone could not be read; the one before stays in force.") \
	X(7013, ZONES_RECORD,       "zones.record",       INFO,   60, "A record of a policy zone means nothing and was refused.") \
	X(7014, ZONES_NOT_KEPT,     "zones.not_kept",     WARN,   60, "A policy zone could not be written to disk for the next start.") \
	X(7015, ZONES_TRANSFERRED,  "zones.transferred",  INFO,   600, "A policy zone was transferred.")                   \
	X(7016, ZONES_TRANSFER_FAILED, "zones.transfer_failed", WARN, 60, "A policy zone could not be transferred; the one before stays in force.") \
	X(7017, ZONES_EXPIRED,      "zones.expired",      ERROR,  60, "A policy zone could not be refreshed until it expired; it stays in force.") \
	X(7018, ZONES_NOTIFY_REFUSED, "zones.notify_refused", NOTICE, 60, "A NOTIFY was refused: not from the server of a zone of ours.") \
	X(7019, ZONES_SERVED,       "zones.served",       INFO,   600, "Our policy was transferred to another resolver.") \
	X(7025, ZONES_LOCAL,        "zones.local",        INFO,   60, "Local zones were read and given to the resolver.") \
	X(7026, ZONES_LOCAL_REFUSED, "zones.local_refused", ERROR, 60, "The file of a local zone could not be read; the zone stays as it was.") \
	X(7020, ZONES_SERVE_REFUSED, "zones.serve_refused", NOTICE, 60, "A transfer of our policy was refused.") \
	X(7021, ZONES_PUBLISHED,    "zones.published",    INFO,   600, "Our policy as a zone has changed.") \
	X(7022, ZONES_INPUT_REFUSED, "zones.input_refused", ERROR, 60, "What the centre sent for the DNS policy could not be read; what was there before stays in force.") \
	X(7023, ZONES_SERVE_FULL,   "zones.serve_full",   WARN,   6, "More connections for transfers of our policy than there is room for: one was closed, or not taken.") \
	X(7024, ZONES_OLDER,        "zones.older",        WARN,   60, "The server of a policy zone has an older serial than we: nothing is taken from it until it has a newer one.") \
	X(7027, RESOLVE_UPSTREAM_DOWN, "resolve.upstream_down", WARN, 60, "A server that is asked does not answer, or not usefully; others are asked while there are any.") \
	X(7028, RESOLVE_UPSTREAM_UP, "resolve.upstream_up", NOTICE, 60, "A server that did not answer does again.") \
	X(7030, RESOLVE_OVERLOAD,   "resolve.overload",   WARN,   6, "More queries come by UDP than can be answered; networks that ask most are let in only in part.") \
	X(7031, RESOLVE_OVERLOAD_OVER, "resolve.overload_over", NOTICE, 6, "No network is held back any more.")
/* clang-format on */

typedef enum yg_level {
#define X(id, num, name) YG_LEVEL_##id = num,
	YG_LEVEL_MAP(X)
#undef X
} yg_level;

enum yg_event_id {
#define X(num, id, name, level, per_min, doc) YG_EV_##id = num,
	YG_EVENTS(X)
#undef X
};
enum { /* how many rows there are */
       YG_EVENT_ROWS = 0
#define X(num, id, name, level, per_min, doc) +1
       YG_EVENTS(X)
#undef X
};

struct yg_event_row {
	uint32_t id;
	const char *name;
	yg_level level;
	uint32_t per_min;
	const char *doc;
};
extern const struct yg_event_row yg_event_rows[YG_EVENT_ROWS];
/* Index into yg_event_rows; YG_EVENT_ROWS when there is no such event. */
size_t yg_event_index(uint32_t id);
const char *yg_level_name(yg_level level); /* "warn"; static; never NULL */
/* False when it is no level's name. */
bool yg_level_parse(struct yg_sv name, yg_level *out);

enum yg_kv_kind { YG_KV_STR, YG_KV_UNTRUSTED, YG_KV_U64, YG_KV_I64, YG_KV_BOOL };
struct yg_kv {
	const char *key; /* a JSON-safe literal */
	enum yg_kv_kind kind;
	struct yg_sv s;
	uint64_t u;
};
#define YG_KS(key, cstr) ((struct yg_kv){(key), YG_KV_STR, yg_sv_of(cstr), 0})
#define YG_KV(key, sv)   ((struct yg_kv){(key), YG_KV_STR, (sv), 0})
#define YG_KU(key, sv)   ((struct yg_kv){(key), YG_KV_UNTRUSTED, (sv), 0})
#define YG_KN(key, n)    ((struct yg_kv){(key), YG_KV_U64, {"", 0}, (uint64_t)(n)})
#define YG_KI(key, n)    ((struct yg_kv){(key), YG_KV_I64, {"", 0}, (uint64_t)(int64_t)(n)})
#define YG_KB(key, b)    ((struct yg_kv){(key), YG_KV_BOOL, {"", 0}, (b) ? 1u : 0u})
/* What an error says: its text and where it came from. */
#define YG_KERR(err)     YG_KU("error", yg_sv_of((err)->msg)), YG_KS("where", (err)->where)

#define YG_LOG_RECORD_MAX 8192
#define YG_LOG_VALUE_MAX  1024

/* yg_log(env, YG_EV_ROLE_CRASHED, YG_KS("role", name), YG_KN("pid", pid)); any thread */
#define yg_log(env, event, ...)                                                                    \
	yg_log_write((env), (event),                                                               \
		     (const struct yg_kv[]){{"", YG_KV_STR, {"", 0}, 0}, ##__VA_ARGS__},           \
		     YG_LEN(((const struct yg_kv[]){{"", YG_KV_STR, {"", 0}, 0}, ##__VA_ARGS__})))
/* kv[0] is a placeholder and is skipped (a call without values is then legal C). */
void yg_log_write(const struct yg_env *env, uint32_t event, const struct yg_kv *kv, size_t count);
/* One "key":value pair as JSON, without a comma. */
void yg_kv_format(struct yg_sb *b, const struct yg_kv *kv);
