#include "event/source_test.h"

#define SYS(in, want, name) st_check(YG_SOURCE_SYSLOG, NULL, YG_SV(in), want, name)
#define AT                  "time=2026-06-05T01:02:03.000000Z "
#define SSHD                "<38>Jun  5 01:02:03 web1 sshd[4711]: "
#define AUTH(activity, status, rest)                                                               \
	AT "class_uid=3002 activity_id=" #activity " severity_id=1 status_id=" #status             \
	   " log_name=auth " rest
#define SSHD_COLUMNS "app=sshd host=web1 "

static void test_sshd(void)
{
	SYS(SSHD "Accepted publickey for root from 192.0.2.9 port 4242 ssh2: RSA SHA256:x",
	    AUTH(1, 1,
		 "message=Accepted publickey for root from 192.0.2.9 port 4242 ssh2: RSA SHA256:x src_ip=192.0.2.9 "
		 "src_port=4242 " SSHD_COLUMNS "user=root target_user=root pid=4711\n"),
	    "accepted key");
	SYS(SSHD "Failed password for root from 2001:db8::9 port 4242 ssh2",
	    AUTH(1, 2,
		 "message=Failed password for root from 2001:db8::9 port 4242 ssh2 src_ip=2001:db8::9 src_port=4242 " SSHD_COLUMNS
		 "user=root target_user=root pid=4711\n"),
	    "failed password");
	SYS(SSHD
	    "Failed password for invalid user a from 203.0.113.1 port 9 ssh2 from 192.0.2.9 port 1 ssh2",
	    AUTH(1, 2,
		 "message=Failed password for invalid user a from 203.0.113.1 port 9 ssh2 from 192.0.2.9 port 1 ssh2 "
		 "src_ip=192.0.2.9 src_port=1 " SSHD_COLUMNS "user=a from 203.0.113.1 port 9 ssh2 "
		 "target_user=a from 203.0.113.1 port 9 ssh2 pid=4711\n"),
	    "a user name that looks like an address does not become one");
	SYS(SSHD "pam_unix(sshd:session): session opened for user taro(uid=1000) by (uid=0)",
	    AUTH(1, 1,
		 "message=pam_unix(sshd:session): session opened for user taro(uid=1000) by (uid=0) " SSHD_COLUMNS
		 "user=taro target_user=taro pid=4711\n"),
	    "session opened");
	SYS(SSHD "pam_unix(sshd:session): session closed for user taro",
	    AUTH(2, 1,
		 "message=pam_unix(sshd:session): session closed for user taro " SSHD_COLUMNS
		 "user=taro target_user=taro pid=4711\n"),
	    "session closed");
	SYS(SSHD "Server listening on 0.0.0.0 port 22.",
	    AT
	    "class_uid=0 severity_id=1 log_name=auth message=Server listening on 0.0.0.0 port 22. " SSHD_COLUMNS
	    "pid=4711\n",
	    "what is no login is no authentication");
}

static void test_programs(void)
{
	SYS("<86>Jun  5 01:02:03 web1 sudo:     taro : TTY=pts/0 ; PWD=/home/taro ; USER=root ; COMMAND=/bin/cat /etc/shadow",
	    AT
	    "class_uid=1007 activity_id=1 severity_id=1 status_id=1 log_name=authpriv message=taro : TTY=pts/0 ; "
	    "PWD=/home/taro ; USER=root ; COMMAND=/bin/cat /etc/shadow app=sudo host=web1 user=taro target_user=root "
	    "process=/bin/cat cmd_line=/bin/cat /etc/shadow\n",
	    "sudo");
	SYS("<86>Jun  5 01:02:03 web1 sudo: taro : 3 incorrect password attempts ; TTY=pts/0 ; USER=root ; COMMAND=/bin/ls",
	    AT
	    "class_uid=3002 activity_id=1 severity_id=1 status_id=2 log_name=authpriv message=taro : 3 incorrect password "
	    "attempts ; TTY=pts/0 ; USER=root ; COMMAND=/bin/ls app=sudo host=web1 user=taro target_user=taro\n",
	    "sudo, wrong password");
	SYS("<34>Jun  5 01:02:03 web1 su: 'su root' failed for lonvick on /dev/pts/8",
	    AT
	    "class_uid=3002 activity_id=1 severity_id=5 status_id=2 log_name=auth message='su root' failed for lonvick on "
	    "/dev/pts/8 app=su host=web1 user=lonvick target_user=root\n",
	    "su");
	SYS("<30>Jun  5 01:02:03 ns1 dnsmasq[7]: query[AAAA] WWW.example.com from 192.0.2.7",
	    AT
	    "class_uid=4003 activity_id=1 severity_id=1 log_name=daemon message=query[AAAA] WWW.example.com from "
	    "192.0.2.7 src_ip=192.0.2.7 app=dnsmasq query=www.example.com query_type=AAAA host=ns1 pid=7\n",
	    "dnsmasq");
	SYS("<30>Jun  5 01:02:03 ns1 named[7]: client @0x7f 192.0.2.7#5353 (www.example.com): query: www.example.com IN A + "
	    "(192.0.2.53)",
	    AT
	    "class_uid=4003 activity_id=1 severity_id=1 log_name=daemon message=client @0x7f 192.0.2.7#5353 "
	    "(www.example.com): query: www.example.com IN A + (192.0.2.53) src_ip=192.0.2.7 app=named "
	    "query=www.example.com query_type=A host=ns1 pid=7\n",
	    "named");
	SYS("<22>Jun  5 01:02:03 mx1 postfix/qmgr[7]: 4F1: from=<Taro@Example.JP>, size=1, nrcpt=1 (queue active)",
	    AT
	    "class_uid=4009 activity_id=1 severity_id=1 log_name=mail message=4F1: from=<Taro@Example.JP>, size=1, nrcpt=1 "
	    "(queue active) app=postfix/qmgr mail_from=taro@example.jp host=mx1 pid=7\n",
	    "postfix");
	SYS("<4>Jun  5 01:02:03 fw kernel: [ 12.3] DROP IN=eth0 OUT= SRC=192.0.2.7 DST=198.51.100.1 LEN=40 PROTO=TCP SPT=1 "
	    "DPT=23 SYN",
	    AT
	    "class_uid=4001 activity_id=6 severity_id=3 log_name=kern message=[ 12.3] DROP IN=eth0 OUT= SRC=192.0.2.7 "
	    "DST=198.51.100.1 LEN=40 PROTO=TCP SPT=1 DPT=23 SYN src_ip=192.0.2.7 src_port=1 dst_ip=198.51.100.1 "
	    "dst_port=23 proto=tcp app=kernel host=fw\n",
	    "netfilter");
	SYS("<30>Jun  5 01:02:03 h x: connection from 192.0.2.7: to (198.51.100.1), and from 192.0.2.8",
	    AT
	    "class_uid=0 severity_id=1 log_name=daemon message=connection from 192.0.2.7: to (198.51.100.1), and from "
	    "192.0.2.8 src_ip=192.0.2.7 dst_ip=198.51.100.1 app=x host=h\n",
	    "addresses in a line that is not known");
}

static void test_payloads(void)
{
	SYS("<13>Jun  5 01:02:03 fw CEF:0|Ven\\|dor|Fire Wall|1.0|100|Blocked a\\=b|8|src=192.0.2.7 spt=1 dst=198.51.100.1 "
	    "dpt=443 proto=TCP act=blocked msg=two words request=https://evil.example/a\\=b suser=taro",
	    AT
	    "class_uid=4002 activity_id=99 severity_id=4 status_id=2 log_name=Fire Wall event_code=100 message=Blocked "
	    "a=b src_ip=192.0.2.7 src_port=1 dst_ip=198.51.100.1 dst_port=443 proto=tcp app=Fire Wall "
	    "url=https://evil.example/a=b host=fw user=taro\n",
	    "CEF");
	SYS("<13>Jun  5 01:02:03 fw LEEF:1.0|V|Prod|1|4000|src=192.0.2.7\tdst=198.51.100.1\tsev=9\taction=allowed\tusrName=t k",
	    AT
	    "class_uid=4001 activity_id=6 severity_id=5 status_id=1 log_name=Prod event_code=4000 message=LEEF:1.0|V|Prod|"
	    "1|4000|src=192.0.2.7\tdst=198.51.100.1\tsev=9\taction=allowed\tusrName=t k src_ip=192.0.2.7 "
	    "dst_ip=198.51.100.1 app=Prod host=fw user=t k\n",
	    "LEEF 1");
	SYS("<13>Jun  5 01:02:03 fw LEEF:2.0|V|Prod|1|4000|x5E|src=192.0.2.7^dst=198.51.100.1",
	    AT
	    "class_uid=4001 activity_id=6 severity_id=2 log_name=Prod event_code=4000 message=LEEF:2.0|V|Prod|1|4000|x5E|"
	    "src=192.0.2.7^dst=198.51.100.1 src_ip=192.0.2.7 dst_ip=198.51.100.1 app=Prod host=fw\n",
	    "LEEF 2 with its own separator");
	SYS("<189>date=2026-06-05 time=10:02:03 devname=\"fw1\" logid=\"0000000013\" type=\"traffic\" level=\"warning\" "
	    "srcip=192.0.2.7 srcport=1 dstip=198.51.100.1 dstport=53 proto=17 action=\"deny\" service=\"DNS\"",
	    "time=2026-06-15T12:00:00.000000Z class_uid=4001 activity_id=5 severity_id=3 status_id=2 log_name=traffic "
	    "event_code=0000000013 message=date=2026-06-05 time=10:02:03 devname=\"fw1\" logid=\"0000000013\" "
	    "type=\"traffic\" level=\"warning\" srcip=192.0.2.7 srcport=1 dstip=198.51.100.1 dstport=53 proto=17 "
	    "action=\"deny\" service=\"DNS\" src_ip=192.0.2.7 src_port=1 dst_ip=198.51.100.1 dst_port=53 proto=udp app=dns "
	    "host=fw1\n",
	    "key=value");
	SYS("<189>date=2026-06-05 time=10:02:03 eventtime=1780621323123456789 srcip=192.0.2.7 user=taro",
	    "time=2026-06-05T01:02:03.123456Z class_uid=0 severity_id=2 log_name=local7 message=date=2026-06-05 "
	    "time=10:02:03 eventtime=1780621323123456789 srcip=192.0.2.7 user=taro src_ip=192.0.2.7 user=taro\n",
	    "key=value with its own time");
	SYS("<13>Jun  5 01:02:03 app1 shop[3]: @cee: {\"src_ip\":\"192.0.2.7\",\"user\":\"taro\",\"message\":\"paid\"}",
	    AT
	    "class_uid=0 severity_id=2 log_name=user message=paid src_ip=192.0.2.7 app=shop host=app1 user=taro pid=3\n",
	    "JSON of a program");
	SYS("<13>Jun  5 01:02:03 pc7 agent: {\"EventID\":4624,\"Channel\":\"Security\",\"TargetUserName\":\"taro\","
	    "\"TimeCreated\":\"2026-06-05T01:02:03.5Z\"}",
	    "time=2026-06-05T01:02:03.500000Z class_uid=3002 activity_id=1 severity_id=1 log_name=Security event_code=4624 "
	    "message=logged on host=pc7 target_user=taro\n",
	    "a Windows event inside");
	SYS("<13>Jun  5 01:02:03 app1 shop: {\"broken\":",
	    AT "class_uid=0 severity_id=2 log_name=user message={\"broken\": app=shop host=app1\n",
	    "JSON that is none is a message");
	SYS("<13>1 2026-06-05T01:02:03Z app1 shop - - [x@1 srcip=\"192.0.2.7\" user=\"a\\\"b\"] text",
	    AT
	    "class_uid=0 severity_id=2 log_name=user message=text src_ip=192.0.2.7 app=shop host=app1 user=a\"b\n",
	    "structured data");
	SYS("<13>1 9999-12-31T23:59:59Z h a - - - x\n<13>1 1969-12-31T23:59:59Z h a - - - x\n",
	    "time=2026-06-15T12:00:00.000000Z class_uid=0 severity_id=2 log_name=user message=x app=a host=h "
	    "parse_error=time not understood: received time used\n"
	    "time=2026-06-15T12:00:00.000000Z class_uid=0 severity_id=2 log_name=user message=x app=a host=h "
	    "parse_error=time not understood: received time used\n",
	    "a time that no table has a day for");
	SYS("no syslog at all\n\n<13>Jun  5 01:02:03 h a: b\n",
	    "time=2026-06-15T12:00:00.000000Z class_uid=0 parse_error=neither a priority nor a time at the front\n" AT
	    "class_uid=0 severity_id=2 log_name=user message=b app=a host=h\n",
	    "what is no message says why and does not stop the rest");
}

static void test_eve(void)
{
	struct yg_norm *n = NULL;
	struct yg_event ev = {0};
	struct yg_sv in = YG_SV(
		"<13>Jun  5 01:02:03 ids1 suricata[7]: @cee: {\"timestamp\":\"2026-06-05T01:02:03.5+0000\","
		"\"event_type\":\"dns\",\"src_ip\":\"192.0.2.7\",\"dest_ip\":\"198.51.100.1\",\"dns\":{\"type\":"
		"\"query\",\"rrname\":\"evil.example\",\"rrtype\":\"A\"}}");
	if (yg_norm_new(YG_SOURCE_SYSLOG, NULL, &n, NULL) != YG_OK)
		abort();
	for (int round = 0; round < 2; round++) { /* the inner normaliser is used again */
		yg_norm_begin(n, in, (yg_wall){1781524800LL * YG_US_PER_S}, false);
		T_OK(yg_norm_next(n, &ev) && ev.class_uid == YG_OCSF_DNS_ACTIVITY);
		T_OK(YG_SV_IS(ev.query, "evil.example") && YG_SV_IS(ev.host, "ids1") &&
		     st_named(&ev, "evil.example"));
		T_OK(yg_sv_eq(ev.raw, in));
		T_OK(!yg_norm_next(n, &ev));
	}
	yg_norm_free(n);
}

int main(void)
{
	test_sshd();
	test_programs();
	test_payloads();
	test_eve();
	return tap_done();
}
