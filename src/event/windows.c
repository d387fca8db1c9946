/* windows.c - Windows events as JSON, in the renderings of winlogbeat, NXLog,
 * Fluentd, PowerShell and of tools that turn EVTX's XML into JSON.
 *
 * Whatever the rendering, a record's members are put into slots by name once;
 * one table says what an event id of a channel is in OCSF's words.
 * doc/sources/windows.md has the tables; ids and fields are those of
 * learn.microsoft.com (Security auditing; Sysinternals Sysmon). */
#include "event/evtx_in.h"
#include "event/node.h"
#include "event/norm.h"

/* clang-format off */
enum slot {
	/* of the record */
	W_ID, W_CHANNEL, W_PROVIDER, W_COMPUTER, W_RECORD, W_LEVEL, W_KEYWORDS, W_OUTCOME, W_MESSAGE, W_DESCRIPTION,
	W_TIME_CREATED, W_SYSTEM_TIME, W_EVENT_TIME, W_RECEIVED_TIME, W_TIMESTAMP, W_UTC_TIME,
	W_ACCOUNT, W_ACCOUNT_DOMAIN,
	/* of the event data */
	W_SUBJECT, W_SUBJECT_DOMAIN, W_TARGET, W_TARGET_DOMAIN, W_USER, W_SOURCE_USER, W_TARGET_USER, W_MEMBER,
	W_IP, W_IP_PORT, W_WORKSTATION, W_STATUS, W_LOGON_TYPE,
	W_SRC_IP, W_SRC_PORT, W_SRC_HOST, W_DST_IP, W_DST_PORT, W_DST_HOST, W_PROTOCOL,
	W_PROCESS, W_NEW_PROCESS, W_PARENT, W_PID, W_NEW_PID, W_CMD_LINE, W_PARENT_CMD_LINE, W_GUID, W_HASHES,
	W_SOURCE_IMAGE, W_TARGET_IMAGE, W_FILE, W_OBJECT, W_OBJECT_TYPE, W_OBJECT_VALUE, W_ACCESS_MASK, W_KEY_EVENT,
	W_SHARE, W_SHARE_PATH, W_SERVICE, W_SERVICE_FILE, W_TASK, W_PATH, W_SCRIPT, W_PAYLOAD, W_CONTEXT, W_PIPE,
	W_QUERY, W_QUERY_STATUS, W_QUERY_RESULTS, W_QUERY_TYPE, W_PARAM1, W_PARAM2, W_THREAT, W_SLOTS,
};
enum { SYSTEM = 1, DATA = 2, OP_KEEP = YG_OP_OWN, OP_MESSAGE = YG_OP_NODE };

#define S(key, slot) {SYSTEM, OP_KEEP, slot, YG_SV_INIT(key)}
#define D(key, slot) {DATA, OP_KEEP, slot, YG_SV_INIT(key)}
#define M(key)       {SYSTEM, OP_MESSAGE, W_MESSAGE, YG_SV_INIT(key)}
static const struct yg_rule rules[] = {
	S("EventID", W_ID), S("event_id", W_ID), S("EventId", W_ID), S("Id", W_ID), S("code", W_ID),
	S("Channel", W_CHANNEL), S("channel", W_CHANNEL), S("log_name", W_CHANNEL), S("LogName", W_CHANNEL),
	S("SourceName", W_PROVIDER), S("provider_name", W_PROVIDER), S("ProviderName", W_PROVIDER),
	S("source_name", W_PROVIDER), S("Source", W_PROVIDER), S("Provider", W_PROVIDER), S("provider", W_PROVIDER),
	S("Hostname", W_COMPUTER), S("Computer", W_COMPUTER), S("computer_name", W_COMPUTER),
	S("ComputerName", W_COMPUTER), S("MachineName", W_COMPUTER),
	S("RecordNumber", W_RECORD), S("EventRecordID", W_RECORD), S("record_id", W_RECORD), S("RecordId", W_RECORD),
	S("record_number", W_RECORD),
	S("Level", W_LEVEL), S("level", W_LEVEL), S("Severity", W_LEVEL), S("LevelDisplayName", W_LEVEL),
	S("Keywords", W_KEYWORDS), S("keywords", W_KEYWORDS), S("outcome", W_OUTCOME),
	M("Message"), M("message"), S("Description", W_DESCRIPTION),
	S("TimeCreated", W_TIME_CREATED), S("SystemTime", W_SYSTEM_TIME), S("EventTime", W_EVENT_TIME),
	S("TimeGenerated", W_TIME_CREATED), S("EventReceivedTime", W_RECEIVED_TIME), S("@timestamp", W_TIMESTAMP),
	S("AccountName", W_ACCOUNT), S("Domain", W_ACCOUNT_DOMAIN),

	D("UtcTime", W_UTC_TIME),
	D("SubjectUserName", W_SUBJECT), D("SubjectDomainName", W_SUBJECT_DOMAIN), D("CallerUserName", W_SUBJECT),
	D("TargetUserName", W_TARGET), D("TargetDomainName", W_TARGET_DOMAIN), D("User", W_USER),
	D("SourceUser", W_SOURCE_USER), D("TargetUser", W_TARGET_USER), D("MemberName", W_MEMBER),
	D("ParentUser", W_SLOTS), D("UserContext", W_USER), D("UserName", W_USER), D("Detection User", W_USER),
	D("IpAddress", W_IP), D("ClientAddress", W_IP), D("Address", W_IP), D("IpPort", W_IP_PORT),
	D("WorkstationName", W_WORKSTATION), D("Workstation", W_WORKSTATION), D("Status", W_STATUS),
	D("LogonType", W_LOGON_TYPE),
	D("SourceAddress", W_SRC_IP), D("SourceIp", W_SRC_IP), D("SourcePort", W_SRC_PORT),
	D("SourceHostname", W_SRC_HOST), D("DestAddress", W_DST_IP), D("DestinationIp", W_DST_IP),
	D("DestPort", W_DST_PORT), D("DestinationPort", W_DST_PORT), D("DestinationHostname", W_DST_HOST),
	D("Protocol", W_PROTOCOL),
	D("ProcessName", W_PROCESS), D("Image", W_PROCESS), D("Application", W_PROCESS), D("Process Name", W_PROCESS),
	D("CallerProcessName", W_PROCESS), D("NewProcessName", W_NEW_PROCESS), D("ParentProcessName", W_PARENT),
	D("ParentImage", W_PARENT), D("ProcessId", W_PID), D("ProcessID", W_PID), D("CallerProcessId", W_PID),
	D("SourceProcessId", W_PID), D("NewProcessId", W_NEW_PID), D("CommandLine", W_CMD_LINE),
	D("ParentCommandLine", W_PARENT_CMD_LINE), D("ProcessGuid", W_GUID), D("SourceProcessGUID", W_GUID),
	D("SourceProcessGuid", W_GUID), D("Hashes", W_HASHES), D("Hash", W_HASHES), D("SourceImage", W_SOURCE_IMAGE),
	D("TargetImage", W_TARGET_IMAGE), D("TargetFilename", W_FILE), D("ImageLoaded", W_FILE), D("Device", W_FILE),
	D("KeyFilePath", W_FILE), D("ObjectName", W_OBJECT), D("TargetObject", W_OBJECT), D("ObjectDN", W_OBJECT),
	D("ObjectType", W_OBJECT_TYPE), D("ObjectValueName", W_OBJECT_VALUE), D("AccessMask", W_ACCESS_MASK),
	D("EventTypeOrignal", W_KEY_EVENT), D("EventTypeOriginal", W_KEY_EVENT), D("EventType", W_KEY_EVENT),
	D("ShareName", W_SHARE), D("RelativeTargetName", W_SHARE_PATH), D("ServiceName", W_SERVICE),
	D("ServiceFileName", W_SERVICE_FILE), D("ImagePath", W_SERVICE_FILE), D("TaskName", W_TASK), D("Path", W_PATH),
	D("ScriptBlockText", W_SCRIPT), D("Payload", W_PAYLOAD), D("ContextInfo", W_CONTEXT), D("PipeName", W_PIPE),
	D("QueryName", W_QUERY), D("QueryStatus", W_QUERY_STATUS), D("QueryResults", W_QUERY_RESULTS),
	D("QueryType", W_QUERY_TYPE), D("param1", W_PARAM1), D("param2", W_PARAM2), D("Threat Name", W_THREAT),
};
#undef S
#undef D
#undef M
/* clang-format on */

enum channel {
	OTHER,
	SECURITY,
	SYSMON,
	POWERSHELL,
	CLASSIC_POWERSHELL,
	SYSTEM_LOG,
	TASKS,
	SESSIONS,
	DEFENDER,
	WMI
};
static const struct {
	const char *name; /* lower case */
	uint8_t channel;
} channels[] = {
	{"security", SECURITY},
	{"microsoft-windows-sysmon/operational", SYSMON},
	{"microsoft-windows-powershell/operational", POWERSHELL},
	{"powershellcore/operational", POWERSHELL},
	{"windows powershell", CLASSIC_POWERSHELL},
	{"system", SYSTEM_LOG},
	{"microsoft-windows-taskscheduler/operational", TASKS},
	{"microsoft-windows-terminalservices-localsessionmanager/operational", SESSIONS},
	{"microsoft-windows-windows defender/operational", DEFENDER},
	{"microsoft-windows-wmi-activity/operational", WMI},
};

enum outcome { AS_MARKED, FAILED, BY_STATUS }; /* how status_id is found */
struct kind {
	uint8_t channel, activity_id, outcome;
	uint16_t id;
	uint32_t class_uid;
	const char *text; /* the message where the record has none */
};
/* clang-format off */
#define K(channel, id, class, activity, outcome, text) {channel, activity, outcome, id, YG_OCSF_##class, text}
static const struct kind kinds[] = {
	K(SECURITY, 1100, EVENT_LOG_ACTIVITY, 7, AS_MARKED, "event logging was shut down"),
	K(SECURITY, 1102, EVENT_LOG_ACTIVITY, 1, AS_MARKED, "the audit log was cleared"),
	K(SECURITY, 4624, AUTHENTICATION, 1, AS_MARKED, "logged on"),
	K(SECURITY, 4625, AUTHENTICATION, 1, FAILED, "failed to log on"),
	K(SECURITY, 4627, AUTHORIZE_SESSION, 2, AS_MARKED, "group membership"),
	K(SECURITY, 4634, AUTHENTICATION, 2, AS_MARKED, "logged off"),
	K(SECURITY, 4647, AUTHENTICATION, 2, AS_MARKED, "logged off by the user"),
	K(SECURITY, 4648, AUTHENTICATION, 1, AS_MARKED, "logon with explicit credentials"),
	K(SECURITY, 4656, BASE_EVENT, 0, AS_MARKED, "a handle was requested"),
	K(SECURITY, 4657, REGISTRY_VALUE, 3, AS_MARKED, "a registry value was modified"),
	K(SECURITY, 4660, FILE_ACTIVITY, 4, AS_MARKED, "an object was deleted"),
	K(SECURITY, 4661, ENTITY_MANAGEMENT, 2, AS_MARKED, "a handle to a SAM object was requested"),
	K(SECURITY, 4662, ENTITY_MANAGEMENT, 2, AS_MARKED, "an operation on a directory object"),
	K(SECURITY, 4663, BASE_EVENT, 0, AS_MARKED, "an object was accessed"),
	K(SECURITY, 4670, BASE_EVENT, 0, AS_MARKED, "permissions were changed"),
	K(SECURITY, 4672, AUTHORIZE_SESSION, 1, AS_MARKED, "special privileges assigned to a logon"),
	K(SECURITY, 4673, AUTHORIZE_SESSION, 99, AS_MARKED, "a privileged service was called"),
	K(SECURITY, 4674, AUTHORIZE_SESSION, 99, AS_MARKED, "an operation on a privileged object"),
	K(SECURITY, 4688, PROCESS_ACTIVITY, 1, AS_MARKED, "a process was created"),
	K(SECURITY, 4689, PROCESS_ACTIVITY, 2, AS_MARKED, "a process has exited"),
	K(SECURITY, 4697, SERVICE_ACTIVITY, 1, AS_MARKED, "a service was installed"),
	K(SECURITY, 4698, SCHEDULED_JOB, 1, AS_MARKED, "a scheduled task was created"),
	K(SECURITY, 4699, SCHEDULED_JOB, 3, AS_MARKED, "a scheduled task was deleted"),
	K(SECURITY, 4700, SCHEDULED_JOB, 4, AS_MARKED, "a scheduled task was enabled"),
	K(SECURITY, 4701, SCHEDULED_JOB, 5, AS_MARKED, "a scheduled task was disabled"),
	K(SECURITY, 4702, SCHEDULED_JOB, 2, AS_MARKED, "a scheduled task was updated"),
	K(SECURITY, 4703, AUTHORIZE_SESSION, 1, AS_MARKED, "a token right was adjusted"),
	K(SECURITY, 4704, USER_ACCESS, 1, AS_MARKED, "a user right was assigned"),
	K(SECURITY, 4705, USER_ACCESS, 2, AS_MARKED, "a user right was removed"),
	K(SECURITY, 4719, ENTITY_MANAGEMENT, 3, AS_MARKED, "the audit policy was changed"),
	K(SECURITY, 4720, ACCOUNT_CHANGE, 1, AS_MARKED, "a user account was created"),
	K(SECURITY, 4722, ACCOUNT_CHANGE, 2, AS_MARKED, "a user account was enabled"),
	K(SECURITY, 4723, ACCOUNT_CHANGE, 3, AS_MARKED, "a password was changed"),
	K(SECURITY, 4724, ACCOUNT_CHANGE, 4, AS_MARKED, "a password was reset"),
	K(SECURITY, 4725, ACCOUNT_CHANGE, 5, AS_MARKED, "a user account was disabled"),
	K(SECURITY, 4726, ACCOUNT_CHANGE, 6, AS_MARKED, "a user account was deleted"),
	K(SECURITY, 4727, GROUP_MANAGEMENT, 6, AS_MARKED, "a global group was created"),
	K(SECURITY, 4728, GROUP_MANAGEMENT, 3, AS_MARKED, "a member was added to a global group"),
	K(SECURITY, 4729, GROUP_MANAGEMENT, 4, AS_MARKED, "a member was removed from a global group"),
	K(SECURITY, 4730, GROUP_MANAGEMENT, 5, AS_MARKED, "a global group was deleted"),
	K(SECURITY, 4731, GROUP_MANAGEMENT, 6, AS_MARKED, "a local group was created"),
	K(SECURITY, 4732, GROUP_MANAGEMENT, 3, AS_MARKED, "a member was added to a local group"),
	K(SECURITY, 4733, GROUP_MANAGEMENT, 4, AS_MARKED, "a member was removed from a local group"),
	K(SECURITY, 4734, GROUP_MANAGEMENT, 5, AS_MARKED, "a local group was deleted"),
	K(SECURITY, 4735, GROUP_MANAGEMENT, 99, AS_MARKED, "a local group was changed"),
	K(SECURITY, 4737, GROUP_MANAGEMENT, 99, AS_MARKED, "a global group was changed"),
	K(SECURITY, 4738, ACCOUNT_CHANGE, 99, AS_MARKED, "a user account was changed"),
	K(SECURITY, 4740, ACCOUNT_CHANGE, 9, AS_MARKED, "a user account was locked out"),
	K(SECURITY, 4741, ENTITY_MANAGEMENT, 1, AS_MARKED, "a computer account was created"),
	K(SECURITY, 4742, ENTITY_MANAGEMENT, 3, AS_MARKED, "a computer account was changed"),
	K(SECURITY, 4743, ENTITY_MANAGEMENT, 4, AS_MARKED, "a computer account was deleted"),
	K(SECURITY, 4754, GROUP_MANAGEMENT, 6, AS_MARKED, "a universal group was created"),
	K(SECURITY, 4756, GROUP_MANAGEMENT, 3, AS_MARKED, "a member was added to a universal group"),
	K(SECURITY, 4757, GROUP_MANAGEMENT, 4, AS_MARKED, "a member was removed from a universal group"),
	K(SECURITY, 4758, GROUP_MANAGEMENT, 5, AS_MARKED, "a universal group was deleted"),
	K(SECURITY, 4767, ACCOUNT_CHANGE, 12, AS_MARKED, "a user account was unlocked"),
	K(SECURITY, 4768, AUTHENTICATION, 3, BY_STATUS, "a Kerberos ticket was requested"),
	K(SECURITY, 4769, AUTHENTICATION, 4, BY_STATUS, "a Kerberos service ticket was requested"),
	K(SECURITY, 4770, AUTHENTICATION, 5, AS_MARKED, "a Kerberos service ticket was renewed"),
	K(SECURITY, 4771, AUTHENTICATION, 6, FAILED, "Kerberos pre-authentication failed"),
	K(SECURITY, 4776, AUTHENTICATION, 99, BY_STATUS, "credentials were validated"),
	K(SECURITY, 4778, AUTHENTICATION, 99, AS_MARKED, "a session was reconnected"),
	K(SECURITY, 4779, AUTHENTICATION, 99, AS_MARKED, "a session was disconnected"),
	K(SECURITY, 4781, ACCOUNT_CHANGE, 99, AS_MARKED, "an account was renamed"),
	K(SECURITY, 4798, ENTITY_MANAGEMENT, 2, AS_MARKED, "a user's groups were listed"),
	K(SECURITY, 4799, ENTITY_MANAGEMENT, 2, AS_MARKED, "a local group's members were listed"),
	K(SECURITY, 4800, AUTHENTICATION, 99, AS_MARKED, "the workstation was locked"),
	K(SECURITY, 4801, AUTHENTICATION, 99, AS_MARKED, "the workstation was unlocked"),
	K(SECURITY, 4907, ENTITY_MANAGEMENT, 3, AS_MARKED, "audit settings of an object were changed"),
	K(SECURITY, 4912, ENTITY_MANAGEMENT, 3, AS_MARKED, "the per-user audit policy was changed"),
	K(SECURITY, 4946, ENTITY_MANAGEMENT, 1, AS_MARKED, "a firewall rule was added"),
	K(SECURITY, 4947, ENTITY_MANAGEMENT, 3, AS_MARKED, "a firewall rule was modified"),
	K(SECURITY, 4948, ENTITY_MANAGEMENT, 4, AS_MARKED, "a firewall rule was deleted"),
	K(SECURITY, 5136, ENTITY_MANAGEMENT, 3, AS_MARKED, "a directory object was modified"),
	K(SECURITY, 5137, ENTITY_MANAGEMENT, 1, AS_MARKED, "a directory object was created"),
	K(SECURITY, 5141, ENTITY_MANAGEMENT, 4, AS_MARKED, "a directory object was deleted"),
	K(SECURITY, 5140, SMB_ACTIVITY, 99, AS_MARKED, "a network share was accessed"),
	K(SECURITY, 5142, ENTITY_MANAGEMENT, 1, AS_MARKED, "a network share was added"),
	K(SECURITY, 5143, ENTITY_MANAGEMENT, 3, AS_MARKED, "a network share was modified"),
	K(SECURITY, 5144, ENTITY_MANAGEMENT, 4, AS_MARKED, "a network share was deleted"),
	K(SECURITY, 5145, SMB_ACTIVITY, 2, AS_MARKED, "access to a shared file was checked"),
	K(SECURITY, 5152, NETWORK_ACTIVITY, 5, FAILED, "a packet was blocked"),
	K(SECURITY, 5154, NETWORK_ACTIVITY, 7, AS_MARKED, "listening was permitted"),
	K(SECURITY, 5155, NETWORK_ACTIVITY, 5, FAILED, "listening was blocked"),
	K(SECURITY, 5156, NETWORK_ACTIVITY, 1, AS_MARKED, "a connection was permitted"),
	K(SECURITY, 5157, NETWORK_ACTIVITY, 5, FAILED, "a connection was blocked"),
	K(SECURITY, 5158, NETWORK_ACTIVITY, 99, AS_MARKED, "binding to a port was permitted"),
	K(SECURITY, 5159, NETWORK_ACTIVITY, 5, FAILED, "binding to a port was blocked"),
	K(SYSMON, 1, PROCESS_ACTIVITY, 1, AS_MARKED, "process created"),
	K(SYSMON, 2, FILE_ACTIVITY, 6, AS_MARKED, "a file's creation time was changed"),
	K(SYSMON, 3, NETWORK_ACTIVITY, 1, AS_MARKED, "network connection"),
	K(SYSMON, 5, PROCESS_ACTIVITY, 2, AS_MARKED, "process ended"),
	K(SYSMON, 6, KERNEL_EXTENSION, 1, AS_MARKED, "driver loaded"),
	K(SYSMON, 7, MODULE_ACTIVITY, 1, AS_MARKED, "image loaded"),
	K(SYSMON, 8, PROCESS_ACTIVITY, 4, AS_MARKED, "thread made in another process"),
	K(SYSMON, 9, FILE_ACTIVITY, 2, AS_MARKED, "raw read of a drive"),
	K(SYSMON, 10, PROCESS_ACTIVITY, 3, AS_MARKED, "process opened"),
	K(SYSMON, 11, FILE_ACTIVITY, 1, AS_MARKED, "file created"),
	K(SYSMON, 12, REGISTRY_KEY, 1, AS_MARKED, "registry key created or deleted"),
	K(SYSMON, 13, REGISTRY_VALUE, 2, AS_MARKED, "registry value set"),
	K(SYSMON, 14, REGISTRY_KEY, 5, AS_MARKED, "registry key or value renamed"),
	K(SYSMON, 15, FILE_ACTIVITY, 1, AS_MARKED, "file stream created"),
	K(SYSMON, 17, FILE_ACTIVITY, 1, AS_MARKED, "pipe created"),
	K(SYSMON, 18, FILE_ACTIVITY, 14, AS_MARKED, "pipe connected"),
	K(SYSMON, 19, ENTITY_MANAGEMENT, 1, AS_MARKED, "WMI filter registered"),
	K(SYSMON, 20, ENTITY_MANAGEMENT, 1, AS_MARKED, "WMI consumer registered"),
	K(SYSMON, 21, ENTITY_MANAGEMENT, 1, AS_MARKED, "WMI consumer bound to a filter"),
	K(SYSMON, 22, DNS_ACTIVITY, 2, AS_MARKED, "DNS query"),
	K(SYSMON, 23, FILE_ACTIVITY, 4, AS_MARKED, "file deleted and archived"),
	K(SYSMON, 25, PROCESS_ACTIVITY, 4, AS_MARKED, "process image was changed"),
	K(SYSMON, 26, FILE_ACTIVITY, 4, AS_MARKED, "file deleted"),
	K(SYSMON, 27, FILE_ACTIVITY, 1, FAILED, "executable file was blocked"),
	K(SYSMON, 28, FILE_ACTIVITY, 4, FAILED, "file shredding was blocked"),
	K(SYSMON, 29, FILE_ACTIVITY, 1, AS_MARKED, "executable file was made"),
	K(POWERSHELL, 4103, SCRIPT_ACTIVITY, 1, AS_MARKED, "PowerShell pipeline"),
	K(POWERSHELL, 4104, SCRIPT_ACTIVITY, 1, AS_MARKED, "PowerShell script block"),
	K(POWERSHELL, 4105, SCRIPT_ACTIVITY, 99, AS_MARKED, "PowerShell script block began"),
	K(POWERSHELL, 4106, SCRIPT_ACTIVITY, 99, AS_MARKED, "PowerShell script block ended"),
	K(CLASSIC_POWERSHELL, 400, APP_LIFECYCLE, 3, AS_MARKED, "PowerShell engine started"),
	K(CLASSIC_POWERSHELL, 403, APP_LIFECYCLE, 4, AS_MARKED, "PowerShell engine stopped"),
	K(CLASSIC_POWERSHELL, 800, SCRIPT_ACTIVITY, 1, AS_MARKED, "PowerShell pipeline"),
	K(SYSTEM_LOG, 104, EVENT_LOG_ACTIVITY, 1, AS_MARKED, "a log was cleared"),
	K(SYSTEM_LOG, 1014, DNS_ACTIVITY, 1, FAILED, "DNS name resolution timed out"),
	K(SYSTEM_LOG, 6005, EVENT_LOG_ACTIVITY, 6, AS_MARKED, "the event log service started"),
	K(SYSTEM_LOG, 6006, EVENT_LOG_ACTIVITY, 7, AS_MARKED, "the event log service stopped"),
	K(SYSTEM_LOG, 7036, SERVICE_ACTIVITY, 3, AS_MARKED, "a service changed its state"),
	K(SYSTEM_LOG, 7040, SERVICE_ACTIVITY, 2, AS_MARKED, "a service's start type was changed"),
	K(SYSTEM_LOG, 7045, SERVICE_ACTIVITY, 1, AS_MARKED, "a service was installed"),
	K(TASKS, 106, SCHEDULED_JOB, 1, AS_MARKED, "task registered"),
	K(TASKS, 129, SCHEDULED_JOB, 6, AS_MARKED, "task process created"),
	K(TASKS, 140, SCHEDULED_JOB, 2, AS_MARKED, "task updated"),
	K(TASKS, 141, SCHEDULED_JOB, 3, AS_MARKED, "task deleted"),
	K(TASKS, 200, SCHEDULED_JOB, 6, AS_MARKED, "task action started"),
	K(SESSIONS, 21, AUTHENTICATION, 1, AS_MARKED, "session logon"),
	K(SESSIONS, 23, AUTHENTICATION, 2, AS_MARKED, "session logoff"),
	K(SESSIONS, 24, AUTHENTICATION, 99, AS_MARKED, "session disconnected"),
	K(SESSIONS, 25, AUTHENTICATION, 1, AS_MARKED, "session reconnected"),
	K(DEFENDER, 1116, DETECTION_FINDING, 1, AS_MARKED, "malware was detected"),
	K(DEFENDER, 1117, DETECTION_FINDING, 2, AS_MARKED, "action against malware was taken"),
	K(WMI, 5861, ENTITY_MANAGEMENT, 1, AS_MARKED, "WMI permanent subscription"),
};
#undef K
/* clang-format on */

struct state {
	struct yg_sv slot[W_SLOTS + 1]; /* the last one is for what is not wanted */
	bool is_escaped;                /* the message is, still: most of it nobody asks for */
	struct yg_evtx_in evtx;         /* a batch that is an event log file */
};

static struct yg_sv *slots(struct yg_norm *n)
{
	return ((struct state *)n->state)->slot;
}

/* ---- the text for people ---- */

/* The first line of it. */
static struct yg_sv first_line(struct yg_sv s)
{
	s = yg_sv_trim(s);
	s = yg_sv_trim(yg_sv_sub(s, 0, YG_MIN(yg_sv_find(s, '\n', 0), yg_sv_find(s, '\r', 0))));
	return s.n > 0 && s.p[s.n - 1] == ':' ? yg_sv_sub(s, 0, s.n - 1) : s;
}

static struct yg_sv message(struct yg_norm *n)
{
	struct state *st = n->state;
	struct yg_sv *m = &st->slot[W_MESSAGE];
	if (st->is_escaped) {
		*m = yg_json_unescape(*m, &n->arena);
		if (m->p == NULL)
			*m = YG_SV("");
	}
	st->is_escaped = false;
	return *m;
}

static bool is_end(struct yg_sv raw, size_t at)
{
	char c = at + 1 < raw.n ? raw.p[at + 1] : 'n';
	return c == 'n' || c == 'r';
}

static struct yg_sv message_line(struct yg_norm *n)
{
	const struct state *st = n->state;
	struct yg_sv raw = st->slot[W_MESSAGE];
	size_t from = 0;
	if (!st->is_escaped || n->json.has_codes) /* a line might end by \u000a */
		return first_line(message(n));
	for (size_t step = 1; step > 0 && from < raw.n; from += step) {
		bool blank = raw.p[from] == '\\' && (is_end(raw, from) || raw.p[from + 1] == 't');
		step = blank ? 2 : raw.p[from] == ' ' ? 1 : 0;
	}
	size_t end = yg_sv_find(raw, '\\', from);
	while (end < raw.n && !is_end(raw, end))
		end = yg_sv_find(raw, '\\', end + 2);
	struct yg_sv line = yg_json_unescape(yg_sv_sub(raw, from, end - from), &n->arena);
	return first_line(line.p != NULL ? line : YG_SV(""));
}

/* ---- reading a record into slots ---- */

/* Its escapes are undone when it is wanted. */
static bool keep_message(struct yg_norm *n, uint32_t node)
{
	struct state *st = n->state;
	struct yg_sv raw = yg_json_raw(&n->json, node);
	if (yg_json_at(&n->json, node)->type != YG_JSON_STRING || raw.n == 0)
		return false;
	if (!YG_SV_IS(raw, "-")) {
		st->slot[W_MESSAGE] = raw;
		st->is_escaped = yg_json_at(&n->json, node)->escaped != 0;
	}
	return true;
}

static void keep(struct yg_norm *n, struct yg_event *ev, const struct yg_rule_slot *rule,
		 struct yg_sv text, uint32_t node)
{
	(void)ev;
	struct yg_sv *at = &slots(n)[rule->field];
	if (rule->op == OP_MESSAGE) {
		if (keep_message(n, node))
			return;
		text = yg_json_str(&n->json, node, &n->arena);
	}
	if (text.n == 0 && node != 0) { /* {"#text": 4624, ...}, ["Audit Failure"], {"Name": ...} */
		static const struct yg_sv inner[] = {YG_SV_INIT("#text"), YG_SV_INIT("Value"),
						     YG_SV_INIT("Name"), YG_SV_INIT("@Name")};
		text = yg_node_text(n, yg_node_first(n, node));
		for (size_t i = 0; i < YG_LEN(inner) && text.n == 0; i++)
			text = yg_node_member(n, node, inner[i]);
		if (text.n == 0)
			text = yg_node_member(n, yg_node(n, node, YG_SV("#attributes")),
					      YG_SV("Name"));
	}
	if (text.n == 0 || YG_SV_IS(text, "-") || (rule->field == W_LEVEL && at->n > 0))
		return;
	*at = text;
	if (rule->field == W_MESSAGE)
		((struct state *)n->state)->is_escaped = false;
}

/* [{"@Name": "x", "#text": "y"}, ...]: XML's Data elements. */
static void read_data_list(struct yg_norm *n, struct yg_event *ev, uint32_t list)
{
	static const struct yg_sv names[] = {YG_SV_INIT("@Name"), YG_SV_INIT("Name"),
					     YG_SV_INIT("_Name")};
	static const struct yg_sv values[] = {YG_SV_INIT("#text"), YG_SV_INIT("Value"),
					      YG_SV_INIT("value"), YG_SV_INIT("content")};
	if (!yg_node_is(n, list, YG_JSON_ARRAY))
		return;
	for (uint32_t i = list + 1; i < yg_json_at(&n->json, list)->next;
	     i = yg_json_at(&n->json, i)->next) {
		struct yg_sv name = YG_SV(""), value = YG_SV("");
		for (size_t k = 0; k < YG_LEN(names) && name.n == 0; k++)
			name = yg_node_member(n, i, names[k]);
		if (name.n == 0)
			name = yg_node_member(n, yg_node(n, i, YG_SV("#attributes")),
					      YG_SV("Name"));
		for (size_t k = 0; k < YG_LEN(values) && value.n == 0; k++)
			value = yg_node_member(n, i, values[k]);
		const struct yg_rule_slot *rule = yg_rules_find(&n->rules, DATA, name);
		if (rule != NULL && value.n > 0)
			keep(n, ev, rule, value, 0);
	}
}

static void read_data(struct yg_norm *n, struct yg_event *ev, uint32_t data)
{
	if (data == YG_NODE_NONE)
		return;
	yg_norm_apply(n, ev, DATA, data);
	read_data_list(n, ev, data);
	read_data_list(n, ev, yg_node(n, data, YG_SV("Data")));
}

static void apply(struct yg_norm *n, struct yg_event *ev, unsigned section, uint32_t obj)
{
	if (obj != YG_NODE_NONE)
		yg_norm_apply(n, ev, section, obj);
}

/* UserData holds one element named as the provider likes: its members are data. */
static void read_user_data(struct yg_norm *n, struct yg_event *ev, uint32_t user_data)
{
	if (!yg_node_is(n, user_data, YG_JSON_OBJECT))
		return;
	const struct yg_json_node *o = yg_json_at(&n->json, user_data);
	for (uint32_t k = user_data + 1; k < o->next; k = yg_json_at(&n->json, k + 1)->next)
		if (yg_node_is(n, k + 1, YG_JSON_OBJECT))
			read_data(n, ev, k + 1);
}

/* Members of an object that have members themselves: few, where there are many others. */
struct inner {
	uint32_t obj, keys[16], count;
	bool whole; /* all of them are here, and none with escapes in its name */
};

static void find_inner(const struct yg_norm *n, uint32_t obj, struct inner *out)
{
	const struct yg_json_node *nodes = n->json.nodes;
	*out = (struct inner){.obj = obj, .whole = nodes[obj].type == YG_JSON_OBJECT};
	for (uint32_t k = obj + 1; out->whole && k < nodes[obj].next; k = nodes[k + 1].next) {
		uint8_t type = nodes[k + 1].type;
		out->whole = !nodes[k].escaped && out->count < YG_LEN(out->keys);
		if (out->whole && (type == YG_JSON_OBJECT || type == YG_JSON_ARRAY))
			out->keys[out->count++] = k;
	}
}

/* An object or array; of several of one name the last one. */
static uint32_t inner(const struct yg_norm *n, const struct inner *in, struct yg_sv key)
{
	if (!in->whole)
		return yg_node(n, in->obj, key);
	for (uint32_t i = in->count; i > 0; i--)
		if (yg_sv_eq(yg_json_raw(&n->json, in->keys[i - 1]), key))
			return in->keys[i - 1] + 1;
	return YG_NODE_NONE;
}

static void read_record(struct yg_norm *n, struct yg_event *ev)
{
	struct inner top, in;
	find_inner(n, 0, &top);
	uint32_t event = inner(n, &top, YG_SV("Event")), winlog = inner(n, &top, YG_SV("winlog"));
	uint32_t root = yg_node_is(n, event, YG_JSON_OBJECT) ? event : 0;
	find_inner(n, root, &in);
	uint32_t system = inner(n, &in, YG_SV("System"));
	uint32_t created = yg_node(n, system, YG_SV("TimeCreated"));
	memset(slots(n), 0, sizeof((struct state *)n->state)->slot);
	((struct state *)n->state)->is_escaped = false;
	if (root == 0) { /* flat, or the flat part of winlogbeat's */
		apply(n, ev, DATA, 0);
		apply(n, ev, SYSTEM, inner(n, &top, YG_SV("log")));
		apply(n, ev, SYSTEM, inner(n, &top, YG_SV("event")));
		apply(n, ev, SYSTEM, 0);
	}
	apply(n, ev, SYSTEM, system);
	apply(n, ev, SYSTEM, created);
	apply(n, ev, SYSTEM, yg_node(n, created, YG_SV("#attributes")));
	struct yg_sv at = yg_node_member(n, created, YG_SV("@SystemTime"));
	if (at.n > 0)
		slots(n)[W_SYSTEM_TIME] = at;
	apply(n, ev, SYSTEM, winlog);
	read_data(n, ev, inner(n, &in, YG_SV("EventData")));
	read_data(n, ev, inner(n, &in, YG_SV("event_data")));
	read_data(n, ev, yg_node(n, winlog, YG_SV("event_data")));
	read_user_data(n, ev, inner(n, &in, YG_SV("UserData")));
	read_data(n, ev, yg_node(n, winlog, YG_SV("user_data")));
	if (slots(n)[W_COMPUTER].n == 0)
		slots(n)[W_COMPUTER] =
			yg_node_member(n, inner(n, &top, YG_SV("host")), YG_SV("name"));
}

/* ---- times ---- */

/* "2022-04-12 15:13:40 +0900", "/Date(1571471441104)/" as well as RFC 3339. */
static bool read_time(struct yg_sv s, int64_t *out, bool *out_zoned)
{
	char text[64];
	yg_wall t;
	if (yg_sv_starts(s, YG_SV("/Date("))) {
		int64_t ms;
		s = yg_sv_sub(s, 6, yg_sv_find(s, ')', 0) - 6);
		*out_zoned = true;
		return yg_parse_i64(s, &ms, NULL) == YG_OK &&
		       !__builtin_mul_overflow(ms, 1000, out);
	}
	struct yg_sb b = yg_sb_init(text, sizeof text);
	size_t blank = yg_sv_find(s, ' ', 11);
	yg_sb_put(&b, yg_sv_sub(s, 0, blank));
	yg_sb_put(&b, yg_sv_sub(s, blank + 1, s.n));
	if (s.n < 19 || yg_sb_done(&b) != YG_OK || yg_time_parse(yg_sb_sv(&b), &t, NULL) != YG_OK)
		return false;
	struct yg_sv tail = yg_sv_sub(s, 19, s.n);
	*out_zoned = yg_sv_find(tail, 'Z', 0) < tail.n || yg_sv_find(tail, '+', 0) < tail.n ||
		     yg_sv_find(tail, '-', 0) < tail.n;
	*out = t.us;
	return true;
}

/* NXLog writes the sender's clock without an offset; how far that is from UTC
 * shows where the collector wrote one moment both ways. */
static int64_t clock_offset(const struct yg_sv *w)
{
	int64_t local, utc, quarter = 15 * 60 * YG_US_PER_S;
	bool zoned;
	if (!read_time(w[W_RECEIVED_TIME], &local, &zoned) || zoned ||
	    !read_time(w[W_TIMESTAMP], &utc, &zoned))
		return 0;
	int64_t d = utc - local;
	if (d > 15 * 4 * quarter || d < -15 * 4 * quarter)
		return 0;
	return (d + (d < 0 ? -quarter / 2 : quarter / 2)) / quarter * quarter;
}

static void set_time(struct yg_norm *n, struct yg_event *ev)
{
	const struct yg_sv *w = slots(n);
	int64_t t;
	bool zoned, created = read_time(w[W_TIME_CREATED], &t, &zoned);
	if (read_time(w[W_UTC_TIME], &ev->time, &zoned) ||
	    read_time(w[W_SYSTEM_TIME], &ev->time, &zoned))
		return;
	if (created && zoned) {
		ev->time = t;
	} else if (read_time(w[W_EVENT_TIME], &ev->time, &zoned)) {
		if (!zoned)
			ev->time += clock_offset(w);
	} else if (!read_time(w[W_TIMESTAMP], &ev->time, &zoned)) {
		ev->time = created ? t : 0; /* without an offset it is read as UTC */
		n->bad_time = n->bad_time || !created;
	}
}

/* ---- values ---- */

/* Decimal, or hexadecimal with 0x; false when neither or when it does not fit. */
static bool read_number(struct yg_sv s, uint64_t *out)
{
	if (!yg_sv_starts(s, YG_SV("0x")) && !yg_sv_starts(s, YG_SV("0X")))
		return yg_parse_u64(s, out, NULL) == YG_OK;
	uint64_t v = 0;
	if (s.n < 3 || s.n > 18)
		return false;
	for (size_t i = 2; i < s.n; i++) {
		char c = (char)(s.p[i] | 0x20);
		unsigned d = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
			     : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
						    : 99;
		if (d > 15)
			return false;
		v = v << 4 | d;
	}
	*out = v;
	return true;
}

static struct yg_sv account(struct yg_norm *n, struct yg_sv domain, struct yg_sv name)
{
	if (name.n == 0 || domain.n == 0 || yg_sv_find(name, '@', 0) < name.n ||
	    yg_sv_find(name, '\\', 0) < name.n)
		return name;
	return YG_NORM_JOIN(n, domain, YG_SV("\\"), name);
}

/* The name alone is a word too: people search for "taro", not "CORP\taro". */
static void name_account(struct yg_norm *n, struct yg_sv user)
{
	size_t cut = yg_sv_find(user, '\\', 0);
	if (cut < user.n)
		yg_norm_name(n, yg_sv_sub(user, cut + 1, user.n));
	else
		yg_norm_name(n, yg_sv_sub(user, 0, yg_sv_find(user, '@', 0)));
}

/* "SHA1=AB,MD5=CD,SHA256=EF,IMPHASH=00": files are known by all but the last. */
static void read_hashes(struct yg_norm *n, struct yg_sv s, struct yg_event *ev)
{
	struct yg_sv part;
	while (s.n > 0 && yg_sv_cut(&s, ',', &part)) {
		size_t eq = yg_sv_find(part, '=', 0);
		struct yg_sv value = eq < part.n ? yg_sv_sub(part, eq + 1, part.n) : part;
		if (value.n == 32 || value.n == 40 || value.n == 64)
			yg_norm_append(n, &ev->hashes, yg_norm_lower(n, value));
	}
}

/* "type:  5 name.example;::ffff:192.0.2.1;" */
static void read_answers(struct yg_norm *n, struct yg_sv s, struct yg_event *ev)
{
	struct yg_sv part;
	while (s.n > 0 && yg_sv_cut(&s, ';', &part)) {
		struct yg_ip ip;
		part = yg_sv_trim(part);
		if (yg_sv_starts(part, YG_SV("type:"))) {
			part = yg_sv_trim(yg_sv_sub(part, 5, part.n));
			part = yg_sv_trim(yg_sv_sub(part, yg_sv_find(part, ' ', 0), part.n));
		}
		if (part.n > 7 && yg_sv_starts(part, YG_SV("::ffff:")) &&
		    yg_ip_parse(yg_sv_sub(part, 7, part.n), &ip) == YG_OK)
			part = yg_sv_sub(part, 7, part.n);
		yg_norm_append(n, &ev->answers, yg_norm_domain(n, part));
	}
}

static uint8_t severity(struct yg_sv s)
{
	static const struct {
		struct yg_sv name;
		uint8_t id;
	} levels[] = {{YG_SV_INIT("1"), 5}, {YG_SV_INIT("critical"), 5},
		      {YG_SV_INIT("2"), 4}, {YG_SV_INIT("error"), 4},
		      {YG_SV_INIT("3"), 3}, {YG_SV_INIT("warning"), 3}};
	for (size_t i = 0; i < YG_LEN(levels); i++)
		if (yg_sv_ieq(s, levels[i].name))
			return levels[i].id;
	return 1;
}

/* Keywords: bit 53 an audit's success, bit 52 its failure (winmeta.xml). */
static uint8_t marked_outcome(const struct yg_sv *w)
{
	struct yg_sv k = w[W_KEYWORDS];
	uint64_t bits = 0;
	int64_t as_signed;
	if (yg_sv_ieq(w[W_OUTCOME], YG_SV("failure")) || yg_sv_ieq(k, YG_SV("audit failure")))
		return 2;
	if (yg_sv_ieq(w[W_OUTCOME], YG_SV("success")) || yg_sv_ieq(k, YG_SV("audit success")))
		return 1;
	if (yg_parse_i64(k, &as_signed, NULL) == YG_OK)
		bits = (uint64_t)as_signed;
	else if (!read_number(k, &bits))
		return 0;
	return (bits >> 52 & 1) != 0 ? 2 : (bits >> 53 & 1) != 0 ? 1 : 0;
}

/* What stands behind "label" in the text for people. */
static struct yg_sv labelled(struct yg_sv text, struct yg_sv label)
{
	const char *at = text.n >= label.n ? memmem(text.p, text.n, label.p, label.n) : NULL;
	if (at == NULL)
		return YG_SV("");
	struct yg_sv s = yg_sv_trim(yg_sv_sub(text, (size_t)(at - text.p) + label.n, text.n));
	return yg_sv_trim(yg_sv_sub(s, 0, yg_sv_find(s, '\n', 0)));
}

/* "Host Application = x" or "HostApplication=x" out of a block of lines. */
static struct yg_sv host_application(struct yg_sv block)
{
	struct yg_sv line;
	while (block.n > 0 && yg_sv_cut(&block, '\n', &line)) {
		line = yg_sv_trim(line);
		size_t eq = yg_sv_find(line, '=', 0);
		struct yg_sv key = yg_sv_trim(yg_sv_sub(line, 0, eq));
		if (YG_SV_IS(key, "HostApplication") || YG_SV_IS(key, "Host Application"))
			return yg_sv_trim(yg_sv_sub(line, eq + 1, line.n));
	}
	return YG_SV("");
}

/* ---- what an event is ---- */

static const struct kind *find_kind(enum channel channel, uint64_t id)
{
	for (size_t i = 0; i < YG_LEN(kinds); i++)
		if (kinds[i].channel == channel && kinds[i].id == id)
			return &kinds[i];
	return NULL;
}

static enum channel find_channel(struct yg_sv name, struct yg_sv provider)
{
	for (size_t i = 0; i < YG_LEN(channels); i++)
		if (yg_sv_ieq(name, yg_sv_of(channels[i].name)))
			return (enum channel)channels[i].channel;
	if (name.n == 0 && yg_sv_ieq(provider, YG_SV("Microsoft-Windows-Security-Auditing")))
		return SECURITY;
	if (name.n == 0 && yg_sv_ieq(provider, YG_SV("Microsoft-Windows-Sysmon")))
		return SYSMON;
	return OTHER;
}

/* 4656, 4663, 4670: what was touched says the class, the access mask the activity. */
static void object_access(const struct yg_sv *w, uint64_t id, struct yg_event *ev)
{
	uint64_t mask = 0;
	(void)read_number(w[W_ACCESS_MASK], &mask);
	if (YG_SV_IS(w[W_OBJECT_TYPE], "File")) {
		ev->class_uid = YG_OCSF_FILE_ACTIVITY;
		ev->activity_id = (mask & 0x10000) != 0 ? 4 : (mask & 6) != 0 ? 3 : 2;
		if (id != 4663)
			ev->activity_id = id == 4670 ? 7 : 14;
	} else if (YG_SV_IS(w[W_OBJECT_TYPE], "Key")) {
		ev->class_uid = YG_OCSF_REGISTRY_KEY;
		ev->activity_id = (mask & 0x10000) != 0 ? 4 : (mask & 6) != 0 ? 3 : 2;
		if (id != 4663)
			ev->activity_id = id == 4670 ? 3 : 6;
	} else if (YG_SV_IS(w[W_OBJECT_TYPE], "Process")) {
		ev->class_uid = YG_OCSF_PROCESS_ACTIVITY;
		ev->activity_id = id == 4670 ? 99 : 3;
	}
}

/* Sysmon's 12 is told apart by a word, its 22 by whether there was an answer. */
static void refine_sysmon(const struct yg_sv *w, uint64_t id, struct yg_event *ev)
{
	if (id == 12 && YG_SV_IS(w[W_KEY_EVENT], "DeleteKey")) {
		ev->activity_id = 4;
	} else if (id == 12 && YG_SV_IS(w[W_KEY_EVENT], "DeleteValue")) {
		ev->class_uid = YG_OCSF_REGISTRY_VALUE;
		ev->activity_id = 4;
	} else if (id == 22 && w[W_QUERY_RESULTS].n == 0) {
		ev->activity_id = 1;
	}
}

/* Where one id means several things. */
static void refine(const struct yg_sv *w, enum channel channel, uint64_t id, struct yg_event *ev)
{
	if (channel == SECURITY && (id == 4656 || id == 4663 || id == 4670))
		object_access(w, id, ev);
	else if (channel == SYSMON)
		refine_sysmon(w, id, ev);
	else if (channel == SYSTEM_LOG && id == 7036 && yg_sv_ieq(w[W_PARAM2], YG_SV("stopped")))
		ev->activity_id = 4;
}

static void classify(struct yg_norm *n, struct yg_event *ev, enum channel channel)
{
	const struct yg_sv *w = slots(n);
	uint64_t id = 0;
	(void)read_number(w[W_ID], &id);
	const struct kind *k = find_kind(channel, id);
	ev->severity_id = severity(w[W_LEVEL]);
	ev->status_id = marked_outcome(w);
	ev->message = message_line(n);
	if (ev->message.n == 0 &&
	    channel != SYSMON) /* Sysmon: of the file; Fluentd: of the event */
		ev->message = first_line(w[W_DESCRIPTION]);
	if (k == NULL)
		return;
	ev->class_uid = k->class_uid;
	ev->activity_id = k->activity_id;
	uint64_t status;
	if (k->outcome == FAILED)
		ev->status_id = 2;
	else if (k->outcome == BY_STATUS && read_number(w[W_STATUS], &status))
		ev->status_id = status == 0 ? 1 : 2;
	if (ev->message.n == 0)
		ev->message = yg_sv_of(k->text);
	refine(w, channel, id, ev);
}

static void set_people(struct yg_norm *n, struct yg_event *ev)
{
	const struct yg_sv *w = slots(n);
	ev->user = account(n, w[W_SUBJECT_DOMAIN], w[W_SUBJECT]);
	if (ev->user.n == 0)
		ev->user = yg_sv_or(w[W_USER], w[W_SOURCE_USER]);
	if (ev->user.n == 0 && w[W_ACCOUNT_DOMAIN].n > 0) /* else it is 7045's service account */
		ev->user = account(n, w[W_ACCOUNT_DOMAIN], w[W_ACCOUNT]);
	if (ev->user.n == 0 &&
	    ev->class_uid == YG_OCSF_EVENT_LOG_ACTIVITY) /* 1102: only in the text */
		ev->user = account(n, labelled(message(n), YG_SV("Domain Name:")),
				   labelled(message(n), YG_SV("Account Name:")));
	ev->target_user = account(n, w[W_TARGET_DOMAIN], w[W_TARGET]);
	if (ev->target_user.n == 0)
		ev->target_user = w[W_TARGET_USER];
	if (ev->class_uid == YG_OCSF_AUTHENTICATION && ev->target_user.n == 0)
		ev->target_user = ev->user;
	name_account(n, ev->user);
	name_account(n, ev->target_user);
	yg_norm_name(n, w[W_MEMBER]);
}

static void set_network(struct yg_norm *n, struct yg_event *ev)
{
	static const struct {
		struct yg_sv number, name;
	} protocols[] = {{YG_SV_INIT("6"), YG_SV_INIT("tcp")},
			 {YG_SV_INIT("17"), YG_SV_INIT("udp")},
			 {YG_SV_INIT("1"), YG_SV_INIT("icmp")},
			 {YG_SV_INIT("58"), YG_SV_INIT("ipv6-icmp")}};
	const struct yg_sv *w = slots(n);
	struct yg_sv from = yg_sv_or(w[W_SRC_IP], w[W_IP]);
	if (!YG_SV_IS(from, "0.0.0.0")) /* 5158: any address */
		yg_norm_put(n, ev, YG_OP_SET, YG_EF_src_ip, from);
	yg_norm_put(n, ev, YG_OP_SET, YG_EF_src_port, yg_sv_or(w[W_SRC_PORT], w[W_IP_PORT]));
	yg_norm_put(n, ev, YG_OP_SET, YG_EF_dst_ip, w[W_DST_IP]);
	yg_norm_put(n, ev, YG_OP_SET, YG_EF_dst_port, w[W_DST_PORT]);
	ev->src_host = yg_norm_domain(n, yg_sv_or(w[W_SRC_HOST], w[W_WORKSTATION]));
	ev->dst_host = yg_norm_domain(n, w[W_DST_HOST]);
	ev->proto = yg_norm_lower(n, w[W_PROTOCOL]);
	for (size_t i = 0; i < YG_LEN(protocols); i++)
		if (yg_sv_eq(ev->proto, protocols[i].number))
			ev->proto = protocols[i].name;
	if (ev->class_uid == YG_OCSF_SMB_ACTIVITY)
		ev->app = YG_SV("smb");
	if (ev->class_uid != YG_OCSF_DNS_ACTIVITY)
		return;
	static const struct {
		struct yg_sv status, rcode;
	} rcodes[] = {{YG_SV_INIT("0"), YG_SV_INIT("NOERROR")},
		      {YG_SV_INIT("9501"), YG_SV_INIT("NOERROR")},
		      {YG_SV_INIT("9001"), YG_SV_INIT("FORMERR")},
		      {YG_SV_INIT("9002"), YG_SV_INIT("SERVFAIL")},
		      {YG_SV_INIT("9003"), YG_SV_INIT("NXDOMAIN")},
		      {YG_SV_INIT("9005"), YG_SV_INIT("REFUSED")}};
	ev->query = yg_norm_domain(n, w[W_QUERY]);
	read_answers(n, w[W_QUERY_RESULTS], ev);
	for (size_t i = 0; i < YG_LEN(rcodes); i++)
		if (yg_sv_eq(w[W_QUERY_STATUS], rcodes[i].status))
			ev->rcode = rcodes[i].rcode;
}

static void set_program(struct yg_norm *n, struct yg_event *ev, enum channel channel)
{
	const struct yg_sv *w = slots(n);
	uint64_t pid = 0;
	ev->process = yg_sv_or(w[W_NEW_PROCESS], yg_sv_or(w[W_PROCESS], w[W_SOURCE_IMAGE]));
	if (read_number(yg_sv_or(w[W_NEW_PID], w[W_PID]), &pid) && pid <= UINT32_MAX)
		ev->pid = (uint32_t)pid;
	ev->parent_process = w[W_PARENT];
	ev->parent_cmd_line = w[W_PARENT_CMD_LINE];
	ev->cmd_line = yg_sv_or(w[W_CMD_LINE], yg_sv_or(w[W_SCRIPT], w[W_PAYLOAD]));
	struct yg_sv host = YG_SV("");
	if (channel != SECURITY && channel != SYSMON && channel != SYSTEM_LOG)
		host = host_application(w[W_CONTEXT].n > 0 ? w[W_CONTEXT] : message(n));
	if (host.n > 0 && ev->cmd_line.n == 0)
		ev->cmd_line = host;
	else if (host.n > 0 && ev->parent_cmd_line.n == 0)
		ev->parent_cmd_line = host;
	read_hashes(n, w[W_HASHES], ev);
}

static void set_object(struct yg_norm *n, struct yg_event *ev)
{
	const struct yg_sv *w = slots(n);
	const struct yg_sv object =
		w[W_OBJECT].n > 0 && w[W_OBJECT_VALUE].n > 0
			? YG_NORM_JOIN(n, w[W_OBJECT], YG_SV("\\"), w[W_OBJECT_VALUE])
			: w[W_OBJECT];
	const struct yg_sv share =
		w[W_SHARE].n > 0 && w[W_SHARE_PATH].n > 0
			? YG_NORM_JOIN(n, w[W_SHARE], YG_SV("\\"), w[W_SHARE_PATH])
			: w[W_SHARE];
	const struct yg_sv found[] = {w[W_FILE],         object,    share,
				      w[W_SERVICE_FILE], w[W_TASK], w[W_TARGET_IMAGE],
				      w[W_PIPE],         w[W_PATH]};
	for (size_t i = 0; i < YG_LEN(found) && ev->file_path.n == 0; i++)
		ev->file_path = found[i];
	yg_norm_name(n, w[W_SERVICE]);
	if (ev->class_uid == YG_OCSF_DETECTION_FINDING) {
		ev->finding_title = w[W_THREAT];
		ev->list = w[W_PROVIDER];
	}
}

static yg_status windows_record(struct yg_norm *n, struct yg_sv record, struct yg_event *ev,
				struct yg_err *err)
{
	const struct yg_evtx_in *evtx = &((struct state *)n->state)->evtx;
	yg_status st = yg_evtx_in_judge(evtx, n, ev, err);
	if (st == YG_OK)
		st = yg_norm_json(n, record, err);
	if (st != YG_OK)
		return st;
	read_record(n, ev);
	const struct yg_sv *w = slots(n);
	uint64_t id;
	if (!read_number(w[W_ID], &id) || (w[W_CHANNEL].n == 0 && w[W_PROVIDER].n == 0))
		return YG_FAIL(err, YG_PARSE,
			       "no Windows event: it has no event id with a channel or provider");
	set_time(n, ev);
	enum channel channel = find_channel(w[W_CHANNEL], w[W_PROVIDER]);
	classify(n, ev, channel);
	ev->log_name = yg_sv_or(w[W_CHANNEL], w[W_PROVIDER]);
	ev->event_code = w[W_ID];
	ev->uid = yg_sv_or(w[W_GUID], w[W_RECORD]);
	ev->host = w[W_COMPUTER];
	set_people(n, ev);
	set_network(n, ev);
	set_program(n, ev, channel);
	set_object(n, ev);
	return YG_OK;
}

static yg_status init(struct yg_norm *n, struct yg_err *err)
{
	(void)err;
	yg_evtx_in_init(&((struct state *)n->state)->evtx);
	return YG_OK;
}

static void drop(struct yg_norm *n)
{
	yg_evtx_in_free(&((struct state *)n->state)->evtx);
}

static void begin(struct yg_norm *n)
{
	yg_evtx_in_begin(&((struct state *)n->state)->evtx, n);
}

static bool next(struct yg_norm *n, struct yg_sv *out)
{
	struct yg_evtx_in *evtx = &((struct state *)n->state)->evtx;
	return evtx->is_evtx || evtx->is_other ? yg_evtx_in_next(evtx, n, out)
					       : yg_norm_line(n, out);
}

/* Both are one: a batch of either source may be lines or an event log file. */
#define OPS                                                                                        \
	{                                                                                          \
		.rules = rules, .rule_count = YG_LEN(rules), .sections = 2,                        \
		.state_size = sizeof(struct state), .init = init, .drop = drop, .begin = begin,    \
		.next = next, .record = windows_record, .own = keep,                               \
	}
const struct yg_norm_ops yg_norm_windows = OPS;
const struct yg_norm_ops yg_norm_evtx = OPS;
