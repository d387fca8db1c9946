#include "detect/demo.h"

/* clang-format off */
#define RULE(id, title, level, tags, about)                                    \
	"---\ntitle: " title                                                   \
	"\nid: d0d0d0d0-0000-4000-8000-0000000000" id                          \
	"\nstatus: stable\nlevel: " level "\nauthor: Yagura"                   \
	"\ndescription: " about "\ntags: [" tags "]\n"
#define CLOUD  "logsource: {product: aws, service: cloudtrail}\n"
#define WEB    "logsource: {category: webserver}\n"
#define NAMES  "logsource: {category: dns}\n"
#define SENSOR "logsource: {product: suricata}\n"

static const char rules[] =
	RULE("01", "Cloud audit log stopped", "high", "attack.defense-evasion, attack.t1562.008",
	     "Whoever stops the log does not want to be seen.")
	CLOUD
	"detection:\n"
	"  selection:\n"
	"    eventSource: cloudtrail.amazonaws.com\n"
	"    eventName: [StopLogging, DeleteTrail]\n"
	"  condition: selection\n"

	RULE("02", "Cloud user created", "low", "attack.persistence, attack.t1136.003",
	     "A new account in the cloud.")
	CLOUD
	"detection:\n"
	"  selection: {eventSource: iam.amazonaws.com, eventName: CreateUser}\n"
	"  condition: selection\n"

	RULE("03", "Access key created for another user", "medium", "attack.persistence, attack.t1098.001",
	     "A key works without the password.")
	CLOUD
	"detection:\n"
	"  selection: {eventSource: iam.amazonaws.com, eventName: CreateAccessKey}\n"
	"  own:\n"
	"    requestParameters.userName|fieldref: userIdentity.userName\n"
	"  condition: selection and not own\n"

	RULE("04", "Policy attached to a cloud user", "medium", "attack.privilege-escalation, attack.t1098.003",
	     "More rights than before.")
	CLOUD
	"detection:\n"
	"  selection:\n"
	"    eventSource: iam.amazonaws.com\n"
	"    eventName: [AttachUserPolicy, PutUserPolicy]\n"
	"  condition: selection\n"

	RULE("05", "Sign-in to the cloud console failed", "low", "attack.credential-access, attack.t1110",
	     "One alone says nothing; many do.")
	"name: demo_console_failure\n"
	CLOUD
	"detection:\n"
	"  selection: {eventName: ConsoleLogin, errorCode|exists: true}\n"
	"  condition: selection\n"

	RULE("06", "Many failed sign-ins to the cloud console", "high", "attack.credential-access, attack.t1110.001",
	     "Passwords are being tried.")
	"correlation:\n"
	"  type: event_count\n"
	"  rules: [demo_console_failure]\n"
	"  group-by: [userIdentity.userName]\n"
	"  timespan: 10m\n"
	"  condition: {gte: 10}\n"

	RULE("07", "Form sent to a script among uploads", "high", "attack.persistence, attack.t1505.003",
	     "Pictures take no forms; a web shell does.")
	WEB
	"detection:\n"
	"  selection:\n"
	"    cs-method: POST\n"
	"    cs-uri|contains: /uploads/\n"
	"  script:\n"
	"    cs-uri|endswith: ['.php', '.jsp', '.aspx']\n"
	"  condition: selection and script\n"

	RULE("08", "Archive or program from a host named for files", "medium",
	     "attack.command-and-control, attack.t1105", "Downloads from hosts called files-NN.")
	WEB
	"detection:\n"
	"  host:\n"
	"    cs-host|re: '^files-[0-9]{2}[.]'\n"
	"  file:\n"
	"    cs-uri|endswith: ['.zip', '.exe', '.hta']\n"
	"  condition: host and file\n"

	RULE("09", "Name that carries data", "high", "attack.exfiltration, attack.t1048.003",
	     "A first label of 32 hexadecimal digits is no name of a host.")
	NAMES
	"detection:\n"
	"  selection:\n"
	"    query|re: '^[0-9a-f]{32}[.]'\n"
	"  condition: selection\n"

	RULE("10", "Sensor names malware", "critical", "attack.execution, attack.t1204.002",
	     "A signature of the sensor for malware or ransomware.")
	"logsource: {product: suricata, service: alert}\n"
	"detection:\n"
	"  selection:\n"
	"    alert.signature|contains: [MALWARE, RANSOMWARE]\n"
	"  condition: selection\n"

	RULE("11", "File sharing between clients", "informational", "attack.lateral-movement, attack.t1021.002",
	     "One alone says nothing; many do.")
	"name: demo_smb\n"
	SENSOR
	"detection:\n"
	"  selection: {event_type: flow, dest_port: 445, src_ip|cidr: 10.0.0.0/8}\n"
	"  condition: selection\n"

	RULE("12", "One host goes to the files of many others", "high", "attack.lateral-movement, attack.t1021.002",
	     "So does what encrypts them.")
	"correlation:\n"
	"  type: value_count\n"
	"  rules: [demo_smb]\n"
	"  group-by: [src_ip]\n"
	"  timespan: 10m\n"
	"  condition: {field: dest_ip, gte: 20}\n";
/* clang-format on */

const struct yg_sv yg_detect_demo_rules = {rules, sizeof rules - 1};
