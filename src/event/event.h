/* event.h - one record from end to end, in the words of OCSF 1.8.
 *
 * One list of fields; the struct, the columns of the event table, the RowBinary
 * encoder, the OCSF JSON and the names of the search language come from it.
 * Common fields are columns; everything else of the record stays in `raw`.
 *
 * Ownership: every view in a yg_event is borrowed from the batch it was parsed
 * from or from the batch's arena, and ends with them.
 * Units: times are UTC microseconds (yg_wall.us); addresses are struct yg_ip,
 * all zero when absent; numbers are 0 when absent.
 */
#pragma once
#include "base/ip.h"
#include "base/limits.h"
#include "base/units.h"

/* Classes of OCSF 1.8.0 (schema.ocsf.io) that we write: name, class_uid, caption. */
/* clang-format off */
#define YG_OCSF_CLASSES(X)                                           \
	X(BASE_EVENT,             0, "base_event")                   \
	X(FILE_ACTIVITY,       1001, "file_activity")                \
	X(KERNEL_EXTENSION,    1002, "kernel_extension_activity")    \
	X(MEMORY_ACTIVITY,     1004, "memory_activity")              \
	X(MODULE_ACTIVITY,     1005, "module_activity")              \
	X(SCHEDULED_JOB,       1006, "scheduled_job_activity")       \
	X(PROCESS_ACTIVITY,    1007, "process_activity")             \
	X(EVENT_LOG_ACTIVITY,  1008, "event_log_activity")           \
	X(SCRIPT_ACTIVITY,     1009, "script_activity")              \
	X(REGISTRY_KEY,      201001, "win/registry_key_activity")    \
	X(REGISTRY_VALUE,    201002, "win/registry_value_activity")  \
	X(SERVICE_ACTIVITY,  201004, "win/windows_service_activity") \
	X(DETECTION_FINDING,   2004, "detection_finding")            \
	X(ACCOUNT_CHANGE,      3001, "account_change")               \
	X(AUTHENTICATION,      3002, "authentication")               \
	X(AUTHORIZE_SESSION,   3003, "authorize_session")            \
	X(ENTITY_MANAGEMENT,   3004, "entity_management")            \
	X(USER_ACCESS,         3005, "user_access")                  \
	X(GROUP_MANAGEMENT,    3006, "group_management")             \
	X(NETWORK_ACTIVITY,    4001, "network_activity")             \
	X(HTTP_ACTIVITY,       4002, "http_activity")                \
	X(DNS_ACTIVITY,        4003, "dns_activity")                 \
	X(DHCP_ACTIVITY,       4004, "dhcp_activity")                \
	X(RDP_ACTIVITY,        4005, "rdp_activity")                 \
	X(SMB_ACTIVITY,        4006, "smb_activity")                 \
	X(SSH_ACTIVITY,        4007, "ssh_activity")                 \
	X(FTP_ACTIVITY,        4008, "ftp_activity")                 \
	X(EMAIL_ACTIVITY,      4009, "email_activity")               \
	X(NTP_ACTIVITY,        4013, "ntp_activity")                 \
	X(TUNNEL_ACTIVITY,     4014, "tunnel_activity")              \
	X(INVENTORY_INFO,      5001, "inventory_info")               \
	X(SOFTWARE_INVENTORY,  5020, "software_info")                \
	X(WEB_RESOURCES,       6001, "web_resources_activity")       \
	X(APP_LIFECYCLE,       6002, "application_lifecycle")        \
	X(API_ACTIVITY,        6003, "api_activity")                 \
	X(DATASTORE_ACTIVITY,  6005, "datastore_activity")

enum yg_ocsf_class {
#define X(name, uid, caption) YG_OCSF_##name = uid,
	YG_OCSF_CLASSES(X)
#undef X
};
#define YG_OCSF_SUPPRESSED 3 /* status_id of a detection finding of which no alert comes */
const char *yg_ocsf_class_name(uint32_t class_uid); /* static; "base_event" when unknown */

struct yg_strs { /* a list column; views borrowed like every other */
	struct yg_sv *v;
	uint32_t n;
};

/* X(member, type, ocsf path, meaning).  Types: I64, U64, U32, U16, U8, STR,
 * LSTR (few distinct values: LowCardinality where the server knows it), IP, STRS.
 * The member name is also the column name and the name in searches.
 * Append only within a section; a change needs a migration of the event table.
 * In two halves, so that no function made of them is too long to read. */
#define YG_EVENT_FIELDS(X) YG_EVENT_FIELDS_FLOW(X) YG_EVENT_FIELDS_OTHER(X)
#define YG_EVENT_FIELDS_FLOW(X)                                                                              \
	/* set by ingest from who delivered, never by what the record claims */                              \
	X(org,             LSTR, "metadata.tenant_uid",              "owning organisation")                  \
	X(received,        I64,  "metadata.logged_time",             "when Yagura took it in")               \
	X(day,             U32,  "",                                 "UTC day of `received`, YYYYMMDD: the partition") \
	X(spool,           U32,  "",                                 "spool that delivered it")              \
	X(batch,           U64,  "",                                 "batch within that spool")              \
	X(row,             U32,  "",                                 "row within that batch")                \
	X(source,          LSTR, "metadata.log_provider",            "source kind: zeek, suricata, ...")     \
	X(sensor,          LSTR, "metadata.log_source",              "listener, token or file that brought it") \
	/* what kind of thing happened */                                                                    \
	X(time,            I64,  "time",                             "when it happened")                     \
	X(class_uid,       U32,  "class_uid",                        "OCSF class")                           \
	X(activity_id,     U8,   "activity_id",                      "OCSF activity within the class")       \
	X(severity_id,     U8,   "severity_id",                      "0 unknown, 1 informational ... 6 fatal") \
	X(status_id,       U8,   "status_id",                        "0 unknown, 1 success, 2 failure; of a finding 3: no alert came of it")      \
	X(log_name,        LSTR, "metadata.log_name",                "dns, conn, alert, Security, ...")      \
	X(event_code,      LSTR, "metadata.event_code",              "the source's own code: 4624, signature id") \
	X(uid,             STR,  "metadata.correlation_uid",         "the source's id of the flow or record") \
	X(message,         STR,  "message",                          "one line for people")                  \
	/* network */                                                                                        \
	X(src_ip,          IP,   "src_endpoint.ip",                  "who began it")                         \
	X(src_port,        U16,  "src_endpoint.port",                "")                                     \
	X(src_host,        STR,  "src_endpoint.hostname",            "")                                     \
	X(dst_ip,          IP,   "dst_endpoint.ip",                  "with whom")                            \
	X(dst_port,        U16,  "dst_endpoint.port",                "")                                     \
	X(dst_host,        STR,  "dst_endpoint.hostname",            "name of the server: HTTP Host, TLS SNI") \
	X(proto,           LSTR, "connection_info.protocol_name",    "tcp, udp, icmp")                       \
	X(app,             LSTR, "app_name",                         "application protocol as seen")         \
	X(bytes_out,       U64,  "traffic.bytes_out",                "from src to dst")                      \
	X(bytes_in,        U64,  "traffic.bytes_in",                 "from dst to src")                      \
	X(duration,        I64,  "duration",                         "microseconds")                         \
	X(query,           STR,  "query.hostname",                   "DNS question name, lower case, no final dot") \
	X(query_type,      LSTR, "query.type",                       "A, AAAA, ...")                         \
	X(rcode,           LSTR, "rcode",                            "NOERROR, NXDOMAIN, ...")               \
	X(answers,         STRS, "answers[].rdata",                  "names and addresses answered")         \
	X(url,             STR,  "http_request.url.url_string",      "absolute where host and scheme are known") \
	X(http_method,     LSTR, "http_request.http_method",         "")                                     \
	X(http_status,     U16,  "http_response.code",               "")                                     \
	X(user_agent,      STR,  "http_request.user_agent",          "")                                     \
	X(referrer,        STR,  "http_request.referrer",            "")                                     \
	X(tls_version,     LSTR, "tls.version",                      "")                                     \
	X(tls_subject,     STR,  "tls.certificate.subject",          "")                                     \
	X(tls_issuer,      STR,  "tls.certificate.issuer",           "")                                     \
	X(ja3,             LSTR, "tls.ja3_hash.value",               "client fingerprint: JA3 or JA4")       \
	X(mail_from,       STR,  "email.from",                       "address, lower case")                  \
	X(mail_to,         STRS, "email.to",                         "")                                     \
	X(subject,         STR,  "email.subject",                    "")                                     \
	/* a protective resolver's judgement */                                                              \
	X(network,         LSTR, "src_endpoint.zone",                 "the client's network, as a resolver knows it") \
	X(flags,           LSTR, "unmapped.flags",                    "flags of the DNS answer: qr aa tc rd ra ad cd do") \
	X(ede_code,        LSTR, "unmapped.ede_code",                 "extended DNS error (RFC 8914): its INFO-CODE in decimal; empty: none") \
	X(origin,          LSTR, "unmapped.origin",                   "where a DNS answer came from: cache, upstream, policy, ...") \
	X(verdict,         LSTR, "unmapped.verdict",                  "allowed, passed, noted, blocked, dropped, refused, failed") \
	X(layer,           LSTR, "policy.group.name",                 "layer of the policy that decided or noted") \
	X(policy,          LSTR, "policy.name",                       "policy zone that decided or noted")   \
	X(trigger,         LSTR, "firewall_rule.type",                "what its record looks at: qname, response-ip, ...") \
	X(rule,            STR,  "firewall_rule.name",                "the record that decided or noted")    \
	X(category,        LSTR, "firewall_rule.category",            "what the zone holds: malware, ...")
#define YG_EVENT_FIELDS_OTHER(X)                                                                             \
	/* hosts, people, programs, files, clouds */                                                         \
	X(host,            STR,  "device.hostname",                  "the machine that reports or is acted on") \
	X(user,            STR,  "actor.user.name",                  "who did it")                           \
	X(target_user,     STR,  "user.name",                        "to whom it was done")                  \
	X(process,         STR,  "process.file.path",                "image path")                           \
	X(pid,             U32,  "process.pid",                      "")                                     \
	X(cmd_line,        STR,  "process.cmd_line",                 "")                                     \
	X(parent_process,  STR,  "process.parent_process.file.path", "")                                     \
	X(parent_cmd_line, STR,  "process.parent_process.cmd_line",  "")                                     \
	X(file_path,       STR,  "file.path",                        "file, module, registry key or object") \
	X(hashes,          STRS, "file.hashes[].value",              "lower-case hex")                       \
	X(api_service,     LSTR, "api.service.name",                 "")                                     \
	X(api_operation,   LSTR, "api.operation",                    "")                                     \
	X(cloud_account,   LSTR, "cloud.account.uid",                "")                                     \
	X(cloud_region,    LSTR, "cloud.region",                     "")                                     \
	/* findings (class 2004) */                                                                          \
	X(finding_uid,     STR,  "finding_info.uid",                 "stable id of the finding")             \
	X(finding_title,   STR,  "finding_info.title",               "")                                     \
	X(indicator,       STR,  "observables[].value",              "the indicator that matched")           \
	X(list,            LSTR, "finding_info.data_sources",        "list or rule set it came from")        \
	X(confidence,      U8,   "confidence_score",                 "0 to 100")                             \
	X(related,         STRS, "finding_info.related_events_uid",  "ids of the events it rests on")        \
	/* for every event */                                                                                \
	X(names,           STRS, "observables[].name",               "every name, address, hash, user and URL host in it, lower case: what a plain word finds") \
	X(parse_error,     LSTR, "unmapped.parse_error",             "why the record could not be mapped; empty when it was") \
	X(raw,             STR,  "raw_data",                         "the record as it came")
/* clang-format on */

#define YG_EVENT_TYPE_I64  int64_t
#define YG_EVENT_TYPE_U64  uint64_t
#define YG_EVENT_TYPE_U32  uint32_t
#define YG_EVENT_TYPE_U16  uint16_t
#define YG_EVENT_TYPE_U8   uint8_t
#define YG_EVENT_TYPE_STR  struct yg_sv
#define YG_EVENT_TYPE_LSTR struct yg_sv
#define YG_EVENT_TYPE_IP   struct yg_ip
#define YG_EVENT_TYPE_STRS struct yg_strs

struct yg_event {
#define X(member, type, path, doc) YG_EVENT_TYPE_##type member;
	YG_EVENT_FIELDS(X)
#undef X
};

enum yg_event_field {
#define X(member, type, path, doc) YG_EF_##member,
	YG_EVENT_FIELDS(X)
#undef X
		YG_EVENT_FIELD_COUNT
};
enum yg_event_type {
	YG_ET_I64,
	YG_ET_U64,
	YG_ET_U32,
	YG_ET_U16,
	YG_ET_U8,
	YG_ET_STR,
	YG_ET_LSTR,
	YG_ET_IP,
	YG_ET_STRS
};

struct yg_event_field_info {
	const char *name, *path, *doc;
	enum yg_event_type type;
	size_t offset; /* in struct yg_event */
};
extern const struct yg_event_field_info yg_event_fields[YG_EVENT_FIELD_COUNT];

/* An event's id for people and URLs: "e-<spool>-<batch>-<row>", decimal. */
#define YG_EVENT_ID_MAX 48
void yg_event_id_format(struct yg_sb *b, uint32_t spool, uint64_t batch, uint32_t row);
yg_status yg_event_id_parse(struct yg_sv s, uint32_t *spool, uint64_t *batch, uint32_t *row);

/* The event as one OCSF 1.8 JSON object (no newline), with class-specific
 * nesting; what has no OCSF place goes under "unmapped", the record under
 * "raw_data".  YG_LIMIT when the buffer's limit is reached. */
yg_status yg_event_ocsf_json(const struct yg_event *ev, struct yg_buf *out);
