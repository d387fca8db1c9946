/* view_table.c - which log sources of Sigma our events are, and Sigma's names of fields.
 *
 * Channels and categories of Windows are those of the Sigma taxonomy (appendix of the
 * specification) and of the rules' own words. */
#include "detect/view.h"

/* clang-format off */
#define CHANNEL(name, service)        {YG_SOURCE_WINDOWS, 0, name, NULL, NULL, "", "windows", service}
#define SYSMON(codes, category)       {YG_SOURCE_WINDOWS, 0, "Microsoft-Windows-Sysmon/Operational", codes, NULL, category, "windows", "sysmon"}
#define WINDOWS(name, codes, category, service) {YG_SOURCE_WINDOWS, 0, name, codes, NULL, category, "windows", service}
#define ZEEK(name, service)           {YG_SOURCE_ZEEK, 0, name, NULL, NULL, "", "zeek", service}
#define LINUX(app, service)           {YG_SOURCE_SYSLOG, 0, NULL, NULL, app, "", "linux", service}
#define CLASS(class, category)        {0, YG_OCSF_##class, NULL, NULL, NULL, category, "", ""}
const struct yg_detect_source_row yg_detect_source_rows[] = {
	{YG_SOURCE_WINDOWS, 0, NULL, NULL, NULL, "", "windows", ""},
	CHANNEL("Security", "security"), CHANNEL("System", "system"), CHANNEL("Application", "application"),
	CHANNEL("Microsoft-Windows-Sysmon/Operational", "sysmon"),
	CHANNEL("Microsoft-Windows-PowerShell/Operational", "powershell"),
	CHANNEL("PowerShellCore/Operational", "powershell"), CHANNEL("Windows PowerShell", "powershell-classic"),
	CHANNEL("Microsoft-Windows-TaskScheduler/Operational", "taskscheduler"),
	CHANNEL("Microsoft-Windows-WMI-Activity/Operational", "wmi"),
	CHANNEL("DNS Server", "dns-server"), CHANNEL("Microsoft-Windows-DNS-Server/Analytical", "dns-server-analytic"),
	CHANNEL("Microsoft-Windows-DNS-Server/Audit", "dns-server-audit"),
	CHANNEL("Microsoft-Windows-DNS Client Events/Operational", "dns-client"),
	CHANNEL("Microsoft-Windows-DNS-Client/Operational", "dns-client"),
	CHANNEL("Microsoft-Windows-DriverFrameworks-UserMode/Operational", "driver-framework"),
	CHANNEL("Microsoft-Windows-Windows Defender/Operational", "windefend"),
	CHANNEL("Microsoft-Windows-Windows Firewall With Advanced Security/Firewall", "firewall-as"),
	CHANNEL("Microsoft-Windows-Bits-Client/Operational", "bits-client"),
	CHANNEL("Microsoft-Windows-NTLM/Operational", "ntlm"), CHANNEL("Microsoft-Windows-AppLocker/*", "applocker"),
	CHANNEL("MSExchange Management", "msexchange-management"),
	CHANNEL("Microsoft-Windows-PrintService/Admin", "printservice-admin"),
	CHANNEL("Microsoft-Windows-PrintService/Operational", "printservice-operational"),
	CHANNEL("Microsoft-Windows-TerminalServices-LocalSessionManager/Operational", "terminalservices-localsessionmanager"),
	CHANNEL("Microsoft-Windows-CodeIntegrity/Operational", "codeintegrity-operational"),
	CHANNEL("Microsoft-Windows-SmbClient/Security", "smbclient-security"),
	CHANNEL("Microsoft-Windows-SmbClient/Connectivity", "smbclient-connectivity"),
	CHANNEL("Microsoft-Windows-SMBServer/Connectivity", "smbserver-connectivity"),
	CHANNEL("Microsoft-ServiceBus-Client*", "microsoft-servicebus-client"),
	CHANNEL("Microsoft-Windows-LDAP-Client/Debug", "ldap"), CHANNEL("Microsoft-Windows-Security-Mitigations*", "security-mitigations"),
	CHANNEL("Microsoft-Windows-Diagnosis-Scripted/Operational", "diagnosis-scripted"),
	CHANNEL("Microsoft-Windows-Shell-Core/Operational", "shell-core"), CHANNEL("OpenSSH/Operational", "openssh"),
	CHANNEL("Microsoft-Windows-AppXDeploymentServer/Operational", "appxdeployment-server"),
	CHANNEL("Microsoft-Windows-AppXDeployment-Server/Operational", "appxdeployment-server"),
	CHANNEL("Microsoft-Windows-AppxPackaging/Operational", "appxpackaging-om"),
	CHANNEL("Microsoft-Windows-AppModel-Runtime/Admin", "appmodel-runtime"),
	CHANNEL("Microsoft-Windows-LSA/Operational", "lsa-server"), CHANNEL("Microsoft-Windows-VHDMP/Operational", "vhdmp"),
	CHANNEL("Microsoft-Windows-CAPI2/Operational", "capi2"),
	CHANNEL("Microsoft-Windows-CertificateServicesClient-Lifecycle-System/Operational", "certificateservicesclient-lifecycle-system"),
	CHANNEL("Microsoft-IIS-Configuration/Operational", "iis-configuration"),
	CHANNEL("Microsoft-Windows-Kernel-EventTracing*", "kernel-event-tracing"),
	SYSMON(",1,", "process_creation"), SYSMON(",2,", "file_change"), SYSMON(",3,", "network_connection"),
	SYSMON(",4,16,", "sysmon_status"), SYSMON(",5,", "process_termination"), SYSMON(",6,", "driver_load"),
	SYSMON(",7,", "image_load"), SYSMON(",8,", "create_remote_thread"), SYSMON(",9,", "raw_access_thread"),
	SYSMON(",10,", "process_access"), SYSMON(",11,", "file_event"), SYSMON(",12,13,14,", "registry_event"),
	SYSMON(",12,", "registry_add"), SYSMON(",12,", "registry_delete"), SYSMON(",13,", "registry_set"),
	SYSMON(",14,", "registry_rename"), SYSMON(",15,", "create_stream_hash"), SYSMON(",17,18,", "pipe_created"),
	SYSMON(",19,20,21,", "wmi_event"), SYSMON(",22,", "dns_query"), SYSMON(",23,26,", "file_delete"),
	SYSMON(",24,", "clipboard_capture"), SYSMON(",25,", "process_tampering"), SYSMON(",27,", "file_block_executable"),
	SYSMON(",28,", "file_block_shredding"), SYSMON(",29,", "file_executable_detected"), SYSMON(",255,", "sysmon_error"),
	WINDOWS("Security", ",4688,", "process_creation", "security"),
	WINDOWS("Security", ",4657,", "registry_event", "security"), WINDOWS("Security", ",4657,", "registry_set", "security"),
	WINDOWS("Microsoft-Windows-PowerShell/Operational", ",4104,", "ps_script", "powershell"),
	WINDOWS("PowerShellCore/Operational", ",4104,", "ps_script", "powershell"),
	WINDOWS("Microsoft-Windows-PowerShell/Operational", ",4103,", "ps_module", "powershell"),
	WINDOWS("PowerShellCore/Operational", ",4103,", "ps_module", "powershell"),
	WINDOWS("Windows PowerShell", ",400,", "ps_classic_start", "powershell-classic"),
	WINDOWS("Windows PowerShell", ",600,", "ps_classic_provider_start", "powershell-classic"),
	WINDOWS("Windows PowerShell", ",800,", "ps_classic_script", "powershell-classic"),
	{YG_SOURCE_ZEEK, 0, NULL, NULL, NULL, "", "zeek", ""},
	ZEEK("conn", "conn"), ZEEK("dns", "dns"), ZEEK("http", "http"), ZEEK("ssl", "ssl"), ZEEK("x509", "x509"),
	ZEEK("smb_files", "smb_files"), ZEEK("smb_mapping", "smb_mapping"), ZEEK("dce_rpc", "dce_rpc"),
	ZEEK("kerberos", "kerberos"), ZEEK("rdp", "rdp"), ZEEK("ssh", "ssh"), ZEEK("ftp", "ftp"), ZEEK("smtp", "smtp"),
	ZEEK("files", "files"), ZEEK("ntlm", "ntlm"), ZEEK("pe", "pe"), ZEEK("notice", "notice"), ZEEK("weird", "weird"),
	ZEEK("dhcp", "dhcp"), ZEEK("software", "software"), ZEEK("ldap", "ldap"), ZEEK("tunnel", "tunnel"),
	{YG_SOURCE_SURICATA, 0, NULL, NULL, NULL, "", "suricata", ""},
	{YG_SOURCE_SURICATA, 0, "alert", NULL, NULL, "", "suricata", "alert"},
	{YG_SOURCE_CLOUDTRAIL, 0, NULL, NULL, NULL, "", "aws", "cloudtrail"},
	{YG_SOURCE_SYSLOG, 0, NULL, NULL, NULL, "", "linux", ""},
	{YG_SOURCE_SYSLOG, 0, NULL, NULL, NULL, "", "linux", "syslog"},
	{YG_SOURCE_SYSLOG, 0, "auth", NULL, NULL, "", "linux", "auth"},
	{YG_SOURCE_SYSLOG, 0, "authpriv", NULL, NULL, "", "linux", "auth"},
	LINUX("sshd", "sshd"), LINUX("sudo", "sudo"), LINUX("cron", "cron"), LINUX("crond", "cron"), LINUX("clamd", "clamav"),
	LINUX("clamav", "clamav"), LINUX("freshclam", "clamav"), LINUX("vsftpd", "vsftpd"), LINUX("guacd", "guacamole"),
	LINUX("auditd", "auditd"), LINUX("audispd", "auditd"), LINUX("audit", "auditd"), LINUX("apache2", "apache"),
	LINUX("httpd", "apache"), LINUX("nginx", "nginx"),
	CLASS(DNS_ACTIVITY, "dns"), CLASS(HTTP_ACTIVITY, "proxy"), CLASS(HTTP_ACTIVITY, "webserver"),
	CLASS(NETWORK_ACTIVITY, "firewall"),
	{0, 0, NULL, NULL, NULL, NULL, NULL, NULL},
};

#define W_COLUMN(to, column)          {YG_SOURCE_WINDOWS, 0, NULL, to, NULL, YG_EF_##column, YG_PART_ALL}
#define W_FIELD(codes, to, from)      {YG_SOURCE_WINDOWS, 0, codes, to, from, 0, YG_PART_ALL}
#define ANY_COLUMN(class, to, column) {0, YG_OCSF_##class, NULL, to, NULL, YG_EF_##column, YG_PART_ALL}
#define URL(to, part)                 {0, YG_OCSF_HTTP_ACTIVITY, NULL, to, NULL, YG_EF_url, YG_PART_##part}
#define Z_COLUMN(to, column)          {YG_SOURCE_ZEEK, 0, NULL, to, NULL, YG_EF_##column, YG_PART_ALL}
const struct yg_detect_field_row yg_detect_field_rows[] = {
	W_COLUMN("EventID", event_code), W_COLUMN("Channel", log_name), W_COLUMN("Computer", host),
	W_FIELD(NULL, "Provider_Name", "SourceName"), W_FIELD(NULL, "Provider_Name", "ProviderName"),
	W_FIELD(NULL, "Provider_Name", "provider_name"), W_FIELD(NULL, "Provider_Name", "Provider"),
	W_FIELD(NULL, "Provider_Name", "source_name"), W_FIELD(NULL, "Message", "message"),
	W_FIELD(",4688,", "Image", "NewProcessName"), W_FIELD(",4688,", "ParentImage", "ParentProcessName"),
	W_FIELD(",4688,", "User", "SubjectUserName"), W_FIELD(",4688,", "LogonId", "SubjectLogonId"),
	{YG_SOURCE_WINDOWS, YG_OCSF_REGISTRY_VALUE, ",4657,", "TargetObject", NULL, YG_EF_file_path, YG_PART_ALL},
	W_FIELD(",4657,", "Details", "NewValue"), W_FIELD(",4657,", "Image", "ProcessName"),
	W_FIELD(",400,600,800,", "Data", "Message"), W_FIELD(",400,600,800,", "Data", "message"),
	ANY_COLUMN(DNS_ACTIVITY, "query", query), ANY_COLUMN(DNS_ACTIVITY, "record_type", query_type),
	ANY_COLUMN(DNS_ACTIVITY, "answer", answers), ANY_COLUMN(DNS_ACTIVITY, "response", rcode),
	URL("c-uri", TARGET), URL("cs-uri", TARGET), URL("cs-uri-query", QUERY), URL("c-uri-query", QUERY),
	URL("cs-uri-stem", STEM), URL("c-uri-stem", STEM), URL("c-uri-extension", EXTENSION),
	ANY_COLUMN(HTTP_ACTIVITY, "cs-host", dst_host),
	ANY_COLUMN(HTTP_ACTIVITY, "r-dns", dst_host), ANY_COLUMN(HTTP_ACTIVITY, "cs-method", http_method),
	ANY_COLUMN(HTTP_ACTIVITY, "sc-status", http_status), ANY_COLUMN(HTTP_ACTIVITY, "c-useragent", user_agent),
	ANY_COLUMN(HTTP_ACTIVITY, "cs-user-agent", user_agent), ANY_COLUMN(HTTP_ACTIVITY, "cs-referer", referrer),
	ANY_COLUMN(HTTP_ACTIVITY, "cs-referrer", referrer), ANY_COLUMN(HTTP_ACTIVITY, "c-ip", src_ip),
	ANY_COLUMN(HTTP_ACTIVITY, "cs-username", user),
	Z_COLUMN("id.orig_h", src_ip), Z_COLUMN("id.orig_p", src_port), Z_COLUMN("id.resp_h", dst_ip),
	Z_COLUMN("id.resp_p", dst_port), Z_COLUMN("method", http_method), Z_COLUMN("uri", url),
	Z_COLUMN("user_agent", user_agent), Z_COLUMN("status_code", http_status), Z_COLUMN("host", dst_host),
	Z_COLUMN("qtype_name", query_type), Z_COLUMN("rcode_name", rcode), Z_COLUMN("certificate.subject", tls_subject),
	Z_COLUMN("certificate.issuer", tls_issuer), Z_COLUMN("operation", api_operation), Z_COLUMN("endpoint", api_service),
	{0, 0, NULL, NULL, NULL, 0, YG_PART_ALL},
};
/* clang-format on */
