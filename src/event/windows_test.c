#include "event/source_test.h"

#define WIN(in, want, name) st_check(YG_SOURCE_WINDOWS, NULL, YG_SV(in), want, name)

#define LOGON                                                                                                              \
	"\"SubjectUserName\":\"-\",\"SubjectDomainName\":\"-\",\"TargetUserName\":\"taro\",\"TargetDomainName\":\"CORP\"," \
	"\"LogonType\":\"3\",\"IpAddress\":\"192.0.2.7\",\"IpPort\":\"50000\",\"WorkstationName\":\"PC7\","                \
	"\"ProcessName\":\"-\",\"ProcessId\":\"0x0\""
#define LOGON_COLUMNS                                                                              \
	"src_ip=192.0.2.7 src_port=50000 src_host=pc7 host=dc1.example.jp target_user=CORP\\taro\n"

/* One event, seven renderings: the columns are the same. */
static void test_renderings(void)
{
	WIN("{\"SourceName\":\"Microsoft-Windows-Security-Auditing\",\"Level\":\"0\",\"Keywords\":\"0x8020000000000000\","
	    "\"Channel\":\"Security\",\"Hostname\":\"dc1.example.jp\",\"TimeCreated\":\"2026-01-02T03:04:05.678Z\","
	    "\"@timestamp\":\"2026-01-02T03:04:05.678Z\",\"EventID\":4624,\"Message\":\"An account was successfully logged "
	    "on.\\r\\n\\r\\nSubject:\"," LOGON "}",
	    "time=2026-01-02T03:04:05.678000Z class_uid=3002 activity_id=1 severity_id=1 status_id=1 log_name=Security "
	    "event_code=4624 message=An account was successfully logged on. " LOGON_COLUMNS,
	    "flat, from PowerShell");
	WIN("{\"Keywords\":-9214364837600034816,\"EventID\":4624,\"Channel\":\"Security\",\"host\":\"collector\","
	    "\"Hostname\":\"dc1.example.jp\",\"EventTime\":\"2026-01-02 12:04:05\",\"EventReceivedTime\":\"2026-01-02 "
	    "12:04:06\",\"@timestamp\":\"2026-01-02T03:04:06.789Z\",\"RecordNumber\":9,\"Severity\":\"INFO\"," LOGON
	    "}",
	    "time=2026-01-02T03:04:05.000000Z class_uid=3002 activity_id=1 severity_id=1 status_id=1 log_name=Security "
	    "event_code=4624 uid=9 message=logged on " LOGON_COLUMNS,
	    "flat, from NXLog: its clock runs nine hours ahead of UTC");
	WIN("{\"@timestamp\":\"2026-01-02T03:04:05.678Z\",\"message\":\"An account was successfully logged on.\\n\","
	    "\"event\":{\"code\":\"4624\",\"outcome\":\"success\"},\"host\":{\"name\":\"dc1\"},\"log\":{\"level\":"
	    "\"information\"},\"winlog\":{\"channel\":\"Security\",\"event_id\":\"4624\",\"record_id\":9,\"computer_name\":"
	    "\"dc1.example.jp\",\"provider_name\":\"Microsoft-Windows-Security-Auditing\",\"keywords\":[\"Audit Success\"],"
	    "\"event_data\":{" LOGON "}}}",
	    "time=2026-01-02T03:04:05.678000Z class_uid=3002 activity_id=1 severity_id=1 status_id=1 log_name=Security "
	    "event_code=4624 uid=9 message=An account was successfully logged on. " LOGON_COLUMNS,
	    "winlogbeat 7 and later");
	WIN("{\"@timestamp\":\"2026-01-02T03:04:05.678Z\",\"event_id\":4624,\"log_name\":\"Security\",\"computer_name\":"
	    "\"dc1.example.jp\",\"keywords\":[\"Audit Success\"],\"level\":\"Information\",\"event_data\":{" LOGON
	    "}}",
	    "time=2026-01-02T03:04:05.678000Z class_uid=3002 activity_id=1 severity_id=1 status_id=1 log_name=Security "
	    "event_code=4624 message=logged on " LOGON_COLUMNS,
	    "winlogbeat 6");
	WIN("{\"Event\":{\"#attributes\":{\"xmlns\":\"x\"},\"System\":{\"Provider\":{\"#attributes\":{\"Name\":"
	    "\"Microsoft-Windows-Security-Auditing\"}},\"EventID\":{\"#attributes\":{\"Qualifiers\":0},\"#text\":4624},"
	    "\"Level\":0,\"Keywords\":\"0x8020000000000000\",\"TimeCreated\":{\"#attributes\":{\"SystemTime\":"
	    "\"2026-01-02T03:04:05.678901Z\"}},\"EventRecordID\":9,\"Channel\":\"Security\",\"Computer\":"
	    "\"dc1.example.jp\"},\"EventData\":{" LOGON "}}}",
	    "time=2026-01-02T03:04:05.678901Z class_uid=3002 activity_id=1 severity_id=1 status_id=1 log_name=Security "
	    "event_code=4624 uid=9 message=logged on " LOGON_COLUMNS,
	    "Event.System and Event.EventData");
	WIN("{\"Event\":{\"System\":{\"EventID\":4624,\"Keywords\":\"0x8020000000000000\",\"TimeCreated\":{\"@SystemTime\":"
	    "\"2026-01-02T03:04:05.678Z\"},\"Channel\":\"Security\",\"Computer\":\"dc1.example.jp\"},\"EventData\":{\"Data\":"
	    "[{\"@Name\":\"TargetUserName\",\"#text\":\"taro\"},{\"@Name\":\"TargetDomainName\",\"#text\":\"CORP\"},{"
	    "\"@Name\":\"IpAddress\",\"#text\":\"192.0.2.7\"},{\"@Name\":\"IpPort\",\"#text\":\"50000\"},{\"@Name\":"
	    "\"WorkstationName\",\"#text\":\"PC7\"},{\"@Name\":\"SubjectUserName\",\"#text\":\"-\"}]}}}",
	    "time=2026-01-02T03:04:05.678000Z class_uid=3002 activity_id=1 severity_id=1 status_id=1 log_name=Security "
	    "event_code=4624 message=logged on " LOGON_COLUMNS,
	    "XML's Data elements as a list");
	WIN("{\"ProviderName\":\"Microsoft-Windows-Security-Auditing\",\"EventID\":4624,\"Level\":0,\"Keywords\":"
	    "\"0x8020000000000000\",\"TimeCreated\":\"2026-01-02 12:04:05 +0900\",\"EventRecordID\":9,\"Channel\":\"Security\","
	    "\"Computer\":\"dc1.example.jp\",\"Description\":\"An account was logged on.\\r\\n\",\"EventData\":{" LOGON
	    "}}",
	    "time=2026-01-02T03:04:05.000000Z class_uid=3002 activity_id=1 severity_id=1 status_id=1 log_name=Security "
	    "event_code=4624 uid=9 message=An account was logged on. " LOGON_COLUMNS,
	    "Fluentd");
}

#define SYSMON(id, data)                                                                           \
	"{\"Channel\":\"Microsoft-Windows-Sysmon/Operational\",\"EventID\":" #id                   \
	",\"Hostname\":\"PC7\",\"TimeCreated\":"                                                   \
	"\"2026-01-02T12:04:05Z\",\"UtcTime\":\"2026-01-02 03:04:05.678\"," data "}"
#define AT(class, activity)                                                                        \
	"time=2026-01-02T03:04:05.678000Z class_uid=" #class                                       \
		" activity_id=" #activity                                                          \
		" severity_id=1 log_name=Microsoft-Windows-Sysmon/Operational event_code="

static void test_sysmon(void)
{
	WIN(SYSMON(1,
		   "\"Image\":\"C:\\\\a.exe\",\"ProcessId\":\"77\",\"CommandLine\":\"a.exe -x\",\"ParentImage\":"
		   "\"C:\\\\p.exe\",\"ParentCommandLine\":\"p.exe\",\"User\":\"CORP\\\\taro\",\"Hashes\":"
		   "\"SHA1=9B0C636DF33BDE21F986279911E0FB03C96EE357,MD5=98321825F0D1C1D2B4D0F9A6A7E9E7E5,"
		   "IMPHASH=00000000000000000000000000000000x\",\"Description\":\"of the file\""),
	    AT(1007,
	       1) "1 message=process created host=PC7 user=CORP\\taro process=C:\\a.exe pid=77 cmd_line=a.exe -x "
		  "parent_process=C:\\p.exe parent_cmd_line=p.exe "
		  "hashes=9b0c636df33bde21f986279911e0fb03c96ee357,98321825f0d1c1d2b4d0f9a6a7e9e7e5\n",
	    "process created");
	WIN(SYSMON(3,
		   "\"Image\":\"C:\\\\a.exe\",\"Protocol\":\"tcp\",\"SourceIp\":\"192.0.2.7\",\"SourcePort\":\"1\","
		   "\"SourceHostname\":\"-\",\"DestinationIp\":\"2001:db8::1\",\"DestinationPort\":\"443\","
		   "\"DestinationHostname\":\"Evil.Example\""),
	    AT(4001,
	       1) "3 message=network connection src_ip=192.0.2.7 src_port=1 dst_ip=2001:db8::1 dst_port=443 "
		  "dst_host=evil.example proto=tcp host=PC7 process=C:\\a.exe\n",
	    "network connection");
	WIN(SYSMON(22,
		   "\"QueryName\":\"WWW.Example.com\",\"QueryStatus\":\"0\",\"QueryResults\":\"type:  5 "
		   "cdn.example.net;::ffff:192.0.2.9;2001:db8::9;\",\"Image\":\"C:\\\\a.exe\""),
	    AT(4003,
	       2) "22 message=DNS query query=www.example.com rcode=NOERROR "
		  "answers=cdn.example.net,192.0.2.9,2001:db8::9 host=PC7 process=C:\\a.exe\n",
	    "DNS query with answers");
	WIN(SYSMON(22,
		   "\"QueryName\":\"x.invalid\",\"QueryStatus\":\"9003\",\"QueryResults\":\"-\""),
	    AT(4003, 1) "22 message=DNS query query=x.invalid rcode=NXDOMAIN host=PC7\n",
	    "DNS query without answers");
	WIN(SYSMON(12,
		   "\"EventTypeOrignal\":\"INFO\",\"EventType\":\"DeleteValue\",\"TargetObject\":\"HKLM\\\\A\\\\v\""),
	    AT(201002,
	       4) "12 message=registry key created or deleted host=PC7 file_path=HKLM\\A\\v\n",
	    "registry");
	WIN(SYSMON(10,
		   "\"SourceImage\":\"C:\\\\a.exe\",\"SourceProcessId\":\"5\",\"TargetImage\":\"C:\\\\lsass.exe\""),
	    AT(1007,
	       3) "10 message=process opened host=PC7 process=C:\\a.exe pid=5 file_path=C:\\lsass.exe\n",
	    "process opened");
	WIN(SYSMON(255, "\"ID\":\"x\""),
	    "time=2026-01-02T03:04:05.678000Z class_uid=0 severity_id=1 log_name=Microsoft-Windows-Sysmon/Operational "
	    "event_code=255 host=PC7\n",
	    "an id without a class stays a base event");
}

static void test_others(void)
{
	WIN("{\"Channel\":\"Security\",\"EventID\":4688,\"SubjectUserName\":\"taro\",\"SubjectDomainName\":\"CORP\","
	    "\"NewProcessId\":\"0x15f8\",\"NewProcessName\":\"C:\\\\n.exe\",\"ProcessId\":\"0x300\",\"CommandLine\":\"n\","
	    "\"ParentProcessName\":\"C:\\\\p.exe\",\"TimeCreated\":\"/Date(1767323045678)/\"}",
	    "time=2026-01-02T03:04:05.678000Z class_uid=1007 activity_id=1 severity_id=1 log_name=Security event_code=4688 "
	    "message=a process was created user=CORP\\taro process=C:\\n.exe pid=5624 cmd_line=n parent_process=C:\\p.exe\n",
	    "4688: the new process and its id");
	WIN("{\"Channel\":\"security\",\"EventID\":4769,\"Status\":\"0x6\",\"IpAddress\":\"::ffff:192.0.2.7\","
	    "\"TargetUserName\":\"taro@EXAMPLE.JP\",\"TargetDomainName\":\"EXAMPLE.JP\",\"TimeCreated\":"
	    "\"2026-01-02T03:04:05Z\"}",
	    "time=2026-01-02T03:04:05.000000Z class_uid=3002 activity_id=4 severity_id=1 status_id=2 log_name=security "
	    "event_code=4769 message=a Kerberos service ticket was requested src_ip=192.0.2.7 "
	    "target_user=taro@EXAMPLE.JP\n",
	    "4769: a status that is not zero is a failure");
	WIN("{\"Channel\":\"Security\",\"EventID\":4663,\"ObjectType\":\"File\",\"ObjectName\":\"C:\\\\s.xlsx\","
	    "\"AccessMask\":\"0x10000\",\"TimeCreated\":\"2026-01-02T03:04:05Z\"}",
	    "time=2026-01-02T03:04:05.000000Z class_uid=1001 activity_id=4 severity_id=1 log_name=Security "
	    "event_code=4663 message=an object was accessed file_path=C:\\s.xlsx\n",
	    "4663: the kind of object is the class, the access mask the activity");
	WIN("{\"Channel\":\"Security\",\"EventID\":5145,\"ShareName\":\"\\\\\\\\*\\\\IPC$\",\"RelativeTargetName\":\"samr\","
	    "\"IpAddress\":\"192.0.2.7\",\"IpPort\":\"1\",\"SubjectUserName\":\"taro\",\"TimeCreated\":"
	    "\"2026-01-02T03:04:05Z\"}",
	    "time=2026-01-02T03:04:05.000000Z class_uid=4006 activity_id=2 severity_id=1 log_name=Security "
	    "event_code=5145 message=access to a shared file was checked src_ip=192.0.2.7 src_port=1 app=smb user=taro "
	    "file_path=\\\\*\\IPC$\\samr\n",
	    "5145: share and path");
	WIN("{\"EventID\":1102,\"Channel\":\"Security\",\"SourceName\":\"Microsoft-Windows-Eventlog\",\"TimeCreated\":"
	    "\"2026-01-02T03:04:05Z\",\"Level\":\"4\",\"Message\":\"The audit log was cleared.\\r\\nSubject:\\r\\n\\tAccount "
	    "Name:\\twardog\\r\\n\\tDomain Name:\\tPC5\\r\\n\"}",
	    "time=2026-01-02T03:04:05.000000Z class_uid=1008 activity_id=1 severity_id=1 log_name=Security "
	    "event_code=1102 message=The audit log was cleared. user=PC5\\wardog\n",
	    "1102: who did it stands only in the text");
	WIN("{\"EventID\":4104,\"Channel\":\"Microsoft-Windows-PowerShell/Operational\",\"ScriptBlockText\":\"iex\","
	    "\"Path\":\"C:\\\\x.ps1\",\"Level\":3,\"EventTime\":\"2026-01-02 03:04:05\"}",
	    "time=2026-01-02T03:04:05.000000Z class_uid=1009 activity_id=1 severity_id=3 "
	    "log_name=Microsoft-Windows-PowerShell/Operational event_code=4104 message=PowerShell script block "
	    "cmd_line=iex file_path=C:\\x.ps1\n",
	    "4104: the script");
	WIN("{\"a\":1}\n{\"EventID\":1}\n[1]\n{\"Channel\":\"x\",\"EventID\":\"one\"}\n",
	    "time=2026-06-15T12:00:00.000000Z class_uid=0 parse_error=no Windows event: it has no event id with a channel "
	    "or provider\n"
	    "time=2026-06-15T12:00:00.000000Z class_uid=0 parse_error=no Windows event: it has no event id with a channel "
	    "or provider\n"
	    "time=2026-06-15T12:00:00.000000Z class_uid=0 parse_error=JSON: not an object\n"
	    "time=2026-06-15T12:00:00.000000Z class_uid=0 parse_error=no Windows event: it has no event id with a channel "
	    "or provider\n",
	    "what is no event says why");
}

int main(void)
{
	test_renderings();
	test_sysmon();
	test_others();
	return tap_done();
}
